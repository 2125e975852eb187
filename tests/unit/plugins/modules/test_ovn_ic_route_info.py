# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reasons of routes: what the module says is what the engine does."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible import explain
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_route_info as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.subjects.routes_world import RoutesWorld
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import params, stores


@pytest.fixture
def world() -> RoutesWorld:
    """Router lr1 of az1 and lr2 of az2, on ts1, each with a network; az1 denies a second network of az2."""
    made = RoutesWorld()
    made.connect("az1", "lr1", "ts1", "169.254.100.1/24")
    made.connect("az2", "lr2", "ts1", "169.254.100.2/24")
    made.lan("az1", "lr1", "10.0.1.1/24")
    made.lan("az2", "lr2", "10.0.2.1/24", "10.9.0.1/16")
    made.zone_options("az1", **{"ic-route-denylist": "10.9.0.0/16"})
    made.rest()
    return made


def ask(world: RoutesWorld, zone: str = "az1", **given: Any) -> dict[str, Any]:
    contents = {store.name: store for store in world.site(zone).zone.stores}
    return explain.describe(params(module, **given), contents)


def reasons(views: list[dict[str, Any]]) -> dict[str, str]:
    assert all(view["done"] == (view["reason"] == "") for view in views)
    return {view["prefix"]: view["reason"] for view in views}


def test_routes_that_are_there_have_no_reason(world: RoutesWorld) -> None:
    shown = ask(world)
    assert reasons(shown["advertised"]) == {
        "10.0.1.1/24": "",
        "169.254.100.1/24": "it is the network of a port on a transit switch",
    }
    learned = reasons(shown["learned"])
    assert learned.pop("10.0.2.1/24") == ""
    assert "10.9.0.0/16" in learned.pop("10.9.0.1/16")
    assert not learned
    (route,) = [view for view in shown["learned"] if view["done"]]
    assert (route["router"], route["zone"], route["next_hop"]) == ("lr1", "az2", "169.254.100.2")
    (port,) = shown["ports"]
    assert (port["router"], port["takes_part"], port["reason"]) == ("lr1", True, "")


def test_what_the_policy_stops_is_told(world: RoutesWorld) -> None:
    world.zone_options("az1", **{"ic-route-adv": "false", "ic-route-learn": "false"})
    world.rest()
    shown = ask(world)
    assert not [view for view in shown["advertised"] + shown["learned"] if view["done"]]
    assert "ic-route-adv" in reasons(shown["advertised"])["10.0.1.1/24"]
    assert "ic-route-learn" in reasons(shown["learned"])["10.0.2.1/24"]


def test_what_the_daemon_has_not_done_yet_is_told(world: RoutesWorld) -> None:
    world.lan("az1", "lr1", "10.0.3.1/24")
    world.foreign("az2", "ts1", "10.0.4.0/24", "169.254.100.2")
    shown = ask(world)
    assert "see that the sync daemon runs" in reasons(shown["advertised"])["10.0.3.1/24"]
    assert "see that the sync daemon runs" in reasons(shown["learned"])["10.0.4.0/24"]


def test_static_routes_that_are_no_sources_are_told(world: RoutesWorld) -> None:
    world.static("az1", "lr1", "10.5.0.0/16", policy="src-ip")
    world.static("az1", "lr1", "10.6.0.0/16", route_table="rtb1")
    shown = reasons(ask(world)["advertised"])
    assert shown["10.5.0.0/16"] == "its policy is src-ip"
    assert 'its route table is "rtb1"' in shown["10.6.0.0/16"]


@pytest.mark.parametrize(
    "prefix, learned",
    [("10.0.2.7", ["10.0.2.1/24"]), ("10.0.2.0/24", ["10.0.2.1/24"]), ("10.0.0.0/16", []), ("10.9.9.0/24", ["10.9.0.1/16"])],
)
def test_only_routes_that_lead_there_are_looked_at(world: RoutesWorld, prefix: str, learned: list[str]) -> None:
    assert [view["prefix"] for view in ask(world, prefix=prefix)["learned"]] == learned


def test_a_router_without_a_port_learns_nothing_and_is_told_so(world: RoutesWorld) -> None:
    world.router("lr9", zone="az1")
    assert "lr9" not in {view["router"] for view in ask(world)["learned"]}
    shown = ask(world, router="lr9", prefix="10.0.2.0/24")
    assert (shown["advertised"], shown["ports"]) == ([], [])
    assert reasons(shown["learned"]) == {"10.0.2.1/24": "the router has no port on ts1 that takes part"}
    assert ask(world, transit_switch="ts2") == {"ports": [], "advertised": [], "learned": []}


def test_a_port_that_takes_no_part_is_told(world: RoutesWorld) -> None:
    world.bind("az1", "az1-lr1-ts1", external_ids={})
    (port,) = ask(world)["ports"]
    assert (port["takes_part"], port["reason"]) == (False, "the Port_Binding names no router (external_ids:router-id)")


def test_what_makes_no_sense_is_refused(world: RoutesWorld) -> None:
    with pytest.raises(ModuleError, match="there is no router 'lr9'"):
        ask(world, router="lr9")
    with pytest.raises(ModuleError, match="prefix is 'x', which is neither a network nor an address"):
        ask(world, prefix="x")
    with pytest.raises(ModuleError, match="the zone has no name"):
        explain.describe(params(module), stores(*explain.READ))
