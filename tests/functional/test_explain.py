# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ovn_ic_route_info answers about real databases, filled by ovn-northd and the daemons of both zones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.modules import run_module
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, healthy_interconnect, lan, options, route
from ansible_collections.ovn.interconnect.tests.support.servers import Interconnect

from .conftest import Make

pytestmark = pytest.mark.ours("ovn_ic_route_info is a module of this project")


def ask(ic: Interconnect, zone: int, prefix: str | None, router: str | None = None, others: tuple[int, ...] = ()) -> dict[str, Any]:
    """The result of the module for one zone, with the databases of these other zones."""
    remotes = {"ic_nb_db": ic.nb_server.remote, "ic_sb_db": ic.sb_server.remote}
    zones = [{"nb_db": site.nb_server.remote, "sb_db": site.sb_server.remote} for site in ic.zones]
    given = {name: value for name, value in (("prefix", prefix), ("router", router)) if value is not None}
    result = run_module("ovn_ic_route_info", **remotes, **zones[zone], **given, zones=[zones[other] for other in others])
    assert "msg" not in result, result["msg"]
    return result


@pytest.fixture
def sound(make: Make) -> Interconnect:
    ic = make("az1", "az2")
    healthy_interconnect(ic)
    return ic


def said(shown: dict[str, Any]) -> str:
    return "\n".join(shown["answer"])


def test_a_route_that_is_used_is_told_without_caveats(sound: Interconnect) -> None:
    shown = ask(sound, 1, "10.1.0.77", "lr2")
    networks = [view for view in shown["learned"] if view["prefix"] == "10.1.0.1/24"]
    assert [(view["accepted"], view["caveats"]) for view in networks] == [(True, []), (True, [])]
    assert "lr2 learns 10.1.0.1/24 from zone az1 on ts1" in shown["answer"]
    assert all(peer["reason"] == "" for peer in shown["peers"])
    assert (shown["reachable"], shown["fix"]) == (True, "")
    assert shown["because"].startswith("lr2 learns 10.1.0.1/24 from zone az1 on ts1 and uses it together with 10.1.0.1/24 via 169.254.2.1")


def update(zone: int, table: str, name: str, **columns: object) -> Callable[[Interconnect], None]:
    def written(ic: Interconnect) -> None:
        ic.zones[zone].nb.transact(ovsdb.update(table, columns, name=name))

    return written


def unheld(ic: Interconnect) -> None:
    ic.zones[0].sb.transact(*topology.claim("cr-lr1-ts1", None))


def renamed(ic: Interconnect) -> None:
    for switch in ("ts1", "ts2"):
        ic.zones[1].nb.transact(ovsdb.update("Logical_Router_Port", {"name": f"uplink-{switch}"}, name=f"lr2-{switch}"))


FAULTS = [
    pytest.param(
        renamed, "options:router-port is lr2-ts1, but no logical router port has that name", "delete the switch port", id="own-port-renamed"
    ),
    pytest.param(
        update(0, "Logical_Router", "lr1", enabled=False), "no router is behind the port: its router in zone az1", "", id="peers-router"
    ),
    pytest.param(update(1, "Logical_Router_Port", "lr2-ts1", enabled=False), "router port lr2-ts1 is disabled", None, id="own-port"),
    pytest.param(update(1, "Logical_Switch_Port", "ts1-lr2", enabled=False), "switch port ts1-lr2 is disabled", None, id="own-switch-port"),
    pytest.param(update(1, "Logical_Router", "lr2", enabled=False), "the logical router lr2 is disabled", "enable it", id="own-router"),
    pytest.param(
        lambda ic: lan(ic.zones[1], "lr2", "same", "10.1.0.9/24"), "own connected network 10.1.0.9/24", "renumber one", id="own-network"
    ),
    pytest.param(
        lambda ic: route(ic.zones[1], "lr2", "10.1.0.0/24", "10.2.0.5"), "own static route 10.1.0.0/24", None, id="own-static-route"
    ),
    pytest.param(unheld, "no gateway holds port ts1-lr1", None, id="peer-unheld"),
    pytest.param(
        lambda ic: options(ic.zones[0], ic_route_adv="false"),
        "its router advertises nothing on this switch",
        "the databases of zone az1",
        id="peer-silent",
    ),
]


@pytest.mark.parametrize(("fault", "words", "fix"), FAULTS)
def test_a_cause_is_told_at_the_learner(sound: Interconnect, fault: Callable[[Interconnect], object], words: str, fix: str | None) -> None:
    """``fix`` is part of what to do; None: the other transit switch still leads there."""
    fault(sound)
    sound.settle()
    shown = ask(sound, 1, "10.1.0.77", "lr2")
    assert words in said(shown)
    named = [view for view in shown["learned"] if view["prefix"] == "10.1.0.1/24" and view["transit_switch"] == "ts1"]
    assert all(not view["accepted"] or view["caveats"] for view in named)
    assert shown["reachable"] == (fix is None)
    assert fix is None or (fix in shown["fix"] and shown["fix"])


def test_the_reason_of_the_advertiser_is_told_at_the_learner(sound: Interconnect) -> None:
    options(sound.zones[0], ic_route_denylist="10.1.0.0/24")
    sound.settle()
    shown = ask(sound, 1, "10.1.0.77", "lr2", others=(0,))
    assert not shown["reachable"]
    assert shown["because"].startswith("zone az1 does not advertise 10.1.0.1/24 of router lr1 on ts1: denied by 10.1.0.0/24")
    assert "remove the network from that list" in shown["fix"]
    refused = [(step["zone"], step["prefix"]) for step in shown["path"] if step["step"] == "advertise" and step["done"] is False]
    assert ("az1", "10.1.0.1/24") in refused


def test_the_path_shows_who_learns_and_uses_a_route(sound: Interconnect) -> None:
    """az2 has the network itself as a static route to another place; az1 advertises it."""
    lan(sound.zones[1], "lr2", "same", "10.1.0.9/24")
    sound.settle()
    shown = ask(sound, 0, "10.1.0.77", "lr1", others=(1,))
    steps = [(step["step"], step["zone"], step["done"], step["wins"]) for step in shown["path"] if step["prefix"] == "10.1.0.1/24"]
    assert ("advertise", "az1", True, None) in steps
    assert ("ic_sb", "az1", True, None) in steps
    assert ("learn", "az2", True, False) in steps
    there = [step for step in shown["path"] if step["step"] == "learn" and step["zone"] == "az2" and step["prefix"] == "10.1.0.1/24"]
    (preferred,) = {step["preferred"] for step in there}
    assert preferred == "the router's own network 10.1.0.9/24 (port same)"
    alone = ask(sound, 0, "10.2.0.77", "lr1")
    assert [(step["zone"], step["done"]) for step in alone["path"] if "option zones" in step["reason"]] == [("az2", None)]


def test_a_more_specific_route_takes_precedence(sound: Interconnect) -> None:
    route(sound.zones[0], "lr1", "10.2.0.0/25", "10.1.0.5")
    sound.settle()
    shown = ask(sound, 0, "10.2.0.77", "lr1")
    (preferred,) = {step["preferred"] for step in shown["path"] if step["step"] == "learn" and step["prefix"] == "10.2.0.1/24"}
    assert preferred == "the router's own static route 10.2.0.0/25 via 10.1.0.5"
    assert not shown["reachable"]
    assert ask(sound, 0, "10.2.0.177", "lr1")["reachable"]


def test_all_routes_are_judged_without_a_prefix(sound: Interconnect) -> None:
    sound.zones[1].nb.transact(ovsdb.update("Logical_Router", {"load_balancer": set()}, name="lr2"))  # its VIP is in the default route
    sound.settle()
    shown = ask(sound, 1, None)
    assert (shown["reachable"], shown["fix"], shown["path"]) == (True, "", []), shown["because"]
    options(sound.zones[1], ic_route_learn="false")
    sound.settle()
    shown = ask(sound, 1, None, "lr2")
    assert "routes of other zones are not learned or not used" in shown["because"]
    assert (shown["reachable"], shown["fix"]) == (False, "turn it on with ovn_ic_route_policy (learn)")


def test_a_prefix_that_no_zone_has_is_answered_with_the_nearest_ones(sound: Interconnect) -> None:
    shown = ask(sound, 1, "10.77.0.0/24", "lr2")
    assert not [view for view in shown["learned"] if view["prefix"] != "0.0.0.0/0"]
    assert not shown["reachable"]
    refused = "lr2 does not learn the default route of zone az1: the router has the load balancer VIP 10.200.0.1/32 in that prefix"
    assert refused in shown["because"]
    options(sound.zones[0], ic_route_adv_default="false")
    sound.settle()
    shown = ask(sound, 1, "10.77.0.0/24", "lr2")
    assert shown["answer"][0] == "no zone advertises a route to 10.77.0.0/24 on ts1 and ts2"
    assert "10.101.0.0/16 of zone az1 on ts1" in shown["answer"][1]
    assert shown["because"] == "; ".join(shown["answer"][:2])
    assert (shown["reachable"], shown["fix"].startswith("correct the prefix")) == (False, True)


@pytest.mark.counters
def test_a_zone_whose_daemon_does_not_confirm_is_told(sound: Interconnect) -> None:
    sound.zones[0].daemon.stop()
    sound.nb.transact(ovsdb.mutate("IC_NB_Global", "nb_ic_cfg", "+=", 1))
    sound.wait(lambda: sound.sb.get("Availability_Zone", name="az2").number("nb_ic_cfg") > 0, "az2 to confirm")
    shown = ask(sound, 1, "10.77.0.0/24", "lr2")
    assert any("zone az1 has confirmed request" in peer["reason"] for peer in shown["peers"])
    assert "zone az1 has confirmed request" in shown["because"]
    assert "check its sync daemon" in shown["fix"]


def test_hub_and_spoke(make: Make) -> None:
    ic = make("az1", "az2", "az3")
    healthy_interconnect(ic)
    attach(ic.zones[0], "spoke1", "ts1", ["169.254.1.11/24"], gateways=[("gw1", 1)], number=11)
    attach(ic.zones[2], "spoke2", "ts2", ["169.254.2.13/24"], gateways=[("gw3", 1)], number=13)
    lan(ic.zones[0], "spoke1", "lan-spoke1", "10.55.0.1/24")
    for zone in ic.zones:
        options(zone, ic_route_adv_default="false")
    ic.settle()
    hub = [view for view in ask(ic, 1, "10.55.0.0/24", "lr2")["advertised"] if view["transit_switch"] == "ts2"]
    assert [(view["accepted"], "not advertised again" in view["reason"]) for view in hub] == [(False, True)]
    spoke = ask(ic, 2, "10.55.0.0/24", "spoke2")
    assert "zone az1 advertises 10.55.0.1/24 on ts1, where the router is not attached" in said(spoke)
    assert "routes that another router learns there are not advertised again" in spoke["because"]
    assert (spoke["reachable"], "attach the router" in spoke["fix"]) == (False, True)
