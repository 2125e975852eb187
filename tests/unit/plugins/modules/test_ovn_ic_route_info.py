# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reasons of routes: what the module says is what the engine does."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import explain
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import NB, SB
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


def ask(world: RoutesWorld, zone: str = "az1", others: tuple[str, ...] = (), **given: Any) -> dict[str, Any]:
    contents = {store.name: store for store in world.site(zone).zone.stores}
    more = [{store.name: store for store in world.site(other).zone.stores if store.name in (NB, SB)} for other in others]
    return explain.describe(params(module, **given), contents, more)


def verdict(world: RoutesWorld, zone: str = "az1", others: tuple[str, ...] = (), **given: Any) -> tuple[bool, str, str]:
    shown = ask(world, zone, others, **given)
    return shown["reachable"], shown["because"], shown["fix"]


def reasons(views: list[dict[str, Any]]) -> dict[str, str]:
    assert all(view["accepted"] == (view["reason"] == "") for view in views)
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
    (route,) = [view for view in shown["learned"] if view["accepted"]]
    assert (route["router"], route["zone"], route["next_hop"]) == ("lr1", "az2", "169.254.100.2")
    (port,) = shown["ports"]
    assert (port["router"], port["takes_part"], port["reason"]) == ("lr1", True, "")


def test_what_the_policy_stops_is_told(world: RoutesWorld) -> None:
    world.zone_options("az1", **{"ic-route-adv": "false", "ic-route-learn": "false"})
    world.rest()
    shown = ask(world)
    assert not [view for view in shown["advertised"] + shown["learned"] if view["accepted"]]
    assert "ic-route-adv" in reasons(shown["advertised"])["10.0.1.1/24"]
    assert "ic-route-learn" in reasons(shown["learned"])["10.0.2.1/24"]


def test_what_the_daemon_has_not_done_yet_is_told(world: RoutesWorld) -> None:
    world.lan("az1", "lr1", "10.0.3.1/24")
    world.foreign("az2", "ts1", "10.0.4.0/24", "169.254.100.2")
    shown = ask(world)
    assert "check that the sync daemon runs" in reasons(shown["advertised"])["10.0.3.1/24"]
    assert "check that the sync daemon runs" in reasons(shown["learned"])["10.0.4.0/24"]


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
    assert reasons(shown["learned"]) == {"10.0.2.1/24": "the router has no participating port on ts1"}
    world.put(world.ic_nb, "Transit_Switch", "ts2", name="ts2")
    shown = ask(world, transit_switch="ts2")
    assert [shown[part] for part in ("ports", "advertised", "learned", "peers", "answer", "path")] == [[]] * 6
    assert (shown["reachable"], shown["fix"]) == (False, "attach the router with ovn_ic_attachment")


def test_a_port_that_takes_no_part_is_told(world: RoutesWorld) -> None:
    world.bind("az1", "az1-lr1-ts1", external_ids={})
    (port,) = ask(world)["ports"]
    assert (port["takes_part"], port["reason"]) == (False, "the Port_Binding does not name a router (external_ids:router-id)")


def test_what_makes_no_sense_is_refused(world: RoutesWorld) -> None:
    with pytest.raises(ModuleError, match="router 'lr9' does not exist"):
        ask(world, router="lr9")
    with pytest.raises(ModuleError, match=r"IC_NB has no transit switch 'ts9' \(it has: 'ts1'\); correct the option transit_switch"):
        ask(world, transit_switch="ts9")
    with pytest.raises(ModuleError, match="prefix is 'x', which is neither a network nor an address"):
        ask(world, prefix="x")
    with pytest.raises(ModuleError, match="the zone has no name"):
        explain.describe(params(module), stores(*explain.READ))


# ---- Caveats, other zones, and the answer ----------------------------------------------------------------------------


def entry(views: list[dict[str, Any]], prefix: str) -> dict[str, Any]:
    (found,) = [view for view in views if view["prefix"] == prefix]
    return found


def gateways(world: RoutesWorld) -> None:
    """Both ports are held by a gateway of their zone."""
    for zone in ("az1", "az2"):
        world.put(world.ic_sb, "Gateway", name=f"gw-{zone}", availability_zone=world.az(zone))
        name = f"{zone}-lr{zone[2]}-ts1"
        world.bind(zone, name, gateway=f"gw-{zone}")
    world.rest()


def test_a_route_that_carries_packets_has_no_caveats(world: RoutesWorld) -> None:
    gateways(world)
    shown = ask(world, prefix="10.0.2.0/24")
    (view,) = shown["learned"]
    assert (view["accepted"], view["caveats"]) == (True, [])
    assert shown["answer"] == ["lr1 learns 10.0.2.1/24 from zone az2 on ts1"]
    assert [(peer["zone"], peer["routes"], peer["reason"]) for peer in shown["peers"]] == [("az2", 2, "")]
    assert all(view["caveats"] == [] for view in shown["ports"] + shown["advertised"])


def test_a_peer_without_gateway_is_told(world: RoutesWorld) -> None:
    gateways(world)
    world.bind("az2", "az2-lr2-ts1", gateway="")
    shown = ask(world, prefix="10.0.2.0/24")
    assert "no gateway holds port az2-lr2-ts1" in entry(shown["learned"], "10.0.2.1/24")["caveats"][0]
    assert "no gateway holds port az2-lr2-ts1" in shown["peers"][0]["reason"]
    assert "no gateway holds port az2-lr2-ts1" in shown["answer"][0]
    world.bind("az2", "az2-lr2-ts1", gateway="hv9")
    assert "hv9" in ask(world)["peers"][0]["reason"]


def test_what_takes_precedence_over_a_learned_route_is_told(world: RoutesWorld) -> None:
    gateways(world)
    world.lan("az1", "lr1", "10.0.2.9/24")
    world.static("az2", "lr2", "10.0.1.128/25")
    world.static("az1", "lr1", "10.9.0.7/16")
    world.zone_options("az1", **{"ic-route-denylist": None})
    world.rest()
    learned = ask(world)["learned"]
    assert "own connected network 10.0.2.9/24" in entry(learned, "10.0.2.1/24")["caveats"][0]
    assert "lies in the router's own network 10.0.1.1/24" in entry(learned, "10.0.1.128/25")["caveats"][0]
    assert "own static route 10.9.0.7/16" in entry(learned, "10.9.0.1/16")["caveats"][0]


@pytest.mark.parametrize(("table", "name"), [("Logical_Router_Port", "az1-lr1-ts1"), ("Logical_Switch_Port", "az1-lr1-ts1")])
def test_a_disabled_port_of_the_zone_is_told(world: RoutesWorld, table: str, name: str) -> None:
    world.put(world.nb("az1"), table, world.find("az1", table, name).uuid, enabled=False)
    world.rest()
    shown = ask(world)
    assert "disabled" in entry(shown["learned"], "10.0.2.1/24")["reason"]
    assert "disabled" in entry(shown["advertised"], "10.0.1.1/24")["reason"]
    assert "disabled" in shown["ports"][0]["caveats"][0]


def test_a_disabled_network_is_told(world: RoutesWorld) -> None:
    lan = next(row for row in world.nb("az1").rows("Logical_Router_Port") if "10.0.1.1/24" in row["networks"])
    world.put(world.nb("az1"), "Logical_Router_Port", lan.uuid, enabled=False)
    world.rest()
    assert "is disabled" in entry(ask(world)["advertised"], "10.0.1.1/24")["reason"]


def test_a_prefix_that_no_zone_has_is_answered_with_the_nearest(world: RoutesWorld) -> None:
    shown = ask(world, prefix="10.0.3.7")
    assert (shown["advertised"], shown["learned"]) == ([], [])
    assert shown["answer"][0] == "no zone advertises a route to 10.0.3.7/32 on ts1"
    assert shown["answer"][1].startswith("the nearest prefixes are 10.0.2.0/24 of zone az2 on ts1, 10.9.0.0/16 of zone az2 on ts1")


def test_a_silent_peer_is_told_at_the_learner(world: RoutesWorld) -> None:
    world.zone_options("az2", **{"ic-route-adv": "false"})
    world.rest()
    answer = " ".join(ask(world, prefix="10.0.2.0/24")["answer"])
    assert "no zone advertises a route to 10.0.2.0/24" in answer
    assert "its router advertises nothing on this switch" in answer or "no gateway holds" in answer
    gateways(world)
    assert "its router advertises nothing on this switch; run ovn_ic_route_info with the databases of zone az2" in " ".join(
        ask(world, prefix="10.0.2.0/24")["answer"]
    )
    world.bind("az2", "az2-lr2-ts1", gateway="gw-az2", external_ids={}, address="")
    assert "no router is behind the port" in " ".join(ask(world, prefix="10.0.2.0/24")["answer"])


@pytest.mark.parametrize(("zone", "chassis"), [("az1", ""), ("az2", ""), ("az2", "gw-az2")])
def test_a_port_of_ic_nb_is_not_a_reason_for_a_missing_route(world: RoutesWorld, zone: str, chassis: str) -> None:
    world.put(world.ic_nb, "Transit_Switch_Port", name="vm1", chassis=chassis)
    columns = {"type": "transit-switch-port", "tunnel_key": 9, "address": "aa:aa:aa:00:00:09 169.254.100.9", "gateway": chassis}
    world.put(world.ic_sb, "Port_Binding", logical_port="vm1", transit_switch="ts1", availability_zone=world.az(zone), **columns)
    shown = ask(world, prefix="10.0.9.0/24")
    assert "vm1" not in " ".join([*shown["answer"], shown["because"]])
    world.unplug("az1", "az1-lr1-ts1")
    assert "vm1" not in str(ask(world, prefix="10.0.2.0/24", router="lr1")["learned"])
    (reason,) = [view["reason"] for view in (*shown["ports"], *shown["peers"]) if view["port"] == "vm1"]
    assert reason == "it is a port of IC_NB (ovn_ic_transit_switch_port), through which no routes are exchanged"


def test_a_zone_whose_daemon_lags_is_told(world: RoutesWorld) -> None:
    gateways(world)
    world.put(world.ic_nb, "IC_NB_Global", next(world.ic_nb.rows("IC_NB_Global")).uuid, nb_ic_cfg=5)
    world.put(world.ic_sb, "Availability_Zone", world.az("az2"), nb_ic_cfg=4)
    assert "zone az2 has confirmed request 4, which is not the newest" in ask(world)["peers"][0]["reason"]
    assert "zone az2 has confirmed request 4" in " ".join(ask(world, prefix="10.77.0.0/16")["answer"])


def test_learned_routes_are_not_advertised_on_another_switch_and_that_is_told_at_the_hub_and_at_the_spoke() -> None:
    world = RoutesWorld(zones=3, switches=("ts1", "ts2"))
    world.connect("az1", "spoke1", "ts1", "169.254.100.1/24")
    world.connect("az2", "hub", "ts1", "169.254.100.2/24", port="hub-ts1")
    world.connect("az2", "hub", "ts2", "169.254.200.2/24", mac="aa:aa:aa:aa:aa:02", port="hub-ts2")
    world.connect("az3", "spoke2", "ts2", "169.254.200.3/24")
    world.lan("az1", "spoke1", "10.0.1.1/24")
    world.rest()
    (hub,) = ask(world, "az2", prefix="10.0.1.0/24")["advertised"]
    assert (hub["transit_switch"], hub["accepted"], "are not advertised again" in hub["reason"]) == ("ts2", False, True)
    answer = ask(world, "az3", prefix="10.0.1.0/24")["answer"]
    assert answer[0] == "no zone advertises a route to 10.0.1.0/24 on ts2"
    assert answer[1].startswith("zone az1 advertises 10.0.1.1/24 on ts1, where the router is not attached; routes that another router")
    assert not [view for view in ask(world, "az2")["advertised"] if "again" in view["reason"]]  # only where a prefix is asked for


# ---- The verdict and the path ----------------------------------------------------------------------------------------


def test_a_used_route_is_reachable(world: RoutesWorld) -> None:
    gateways(world)
    assert verdict(world, prefix="10.0.2.7") == (True, "lr1 learns 10.0.2.1/24 from zone az2 on ts1 and uses it", "")
    assert verdict(world, prefix="10.0.1.7") == (True, "zone az1 has 10.0.1.7/32, and lr1 advertises 10.0.1.1/24 on ts1", "")


def test_a_refused_route_is_not_reachable_with_the_rule_and_what_to_do(world: RoutesWorld) -> None:
    gateways(world)
    reachable, because, fix = verdict(world, prefix="10.9.0.7")
    assert (reachable, fix) == (False, "remove the network from that list (ovn_ic_route_policy for the list of the zone)")
    assert because.startswith("lr1 does not learn 10.9.0.1/16 of zone az2 on ts1: denied by 10.9.0.0/16 in ic-route-denylist")


ADVERTISER = [
    ({"ic-route-adv": "false"}, "ic-route-adv is off", "turn it on with ovn_ic_route_policy (advertise)"),
    ({"ic-route-denylist": "10.0.2.0/24"}, "denied by 10.0.2.0/24 in ic-route-denylist", "remove the network from that list"),
]


@pytest.mark.parametrize(("options", "reason", "fix"), ADVERTISER)
def test_the_advertisers_reason_is_told_at_the_learner(world: RoutesWorld, options: dict[str, str], reason: str, fix: str) -> None:
    gateways(world)
    world.zone_options("az2", **options)
    world.rest()
    reachable, because, todo = verdict(world, others=("az2",), prefix="10.0.2.7")
    assert not reachable
    assert because.startswith(f"zone az2 does not advertise 10.0.2.1/24 of router lr2 on ts1: {reason}")
    assert fix in todo
    without = verdict(world, prefix="10.0.2.7")
    assert (without[0], without[1].startswith("no zone advertises a route to 10.0.2.7/32 on ts1")) == (False, True)


def test_the_learners_reason_is_told_at_the_advertiser(world: RoutesWorld) -> None:
    gateways(world)
    reachable, because, _fix = verdict(world, "az2", ("az1",), prefix="10.9.0.7")
    assert (reachable, because.startswith("lr1 of zone az1 does not learn 10.9.0.1/16: denied by")) == (False, True)
    world.zone_options("az1", **{"ic-route-denylist": None})
    world.lan("az1", "lr1", "10.9.0.9/16")
    world.rest()
    reachable, because, _fix = verdict(world, "az2", ("az1",), prefix="10.9.0.7")
    assert not reachable
    assert "takes precedence" in because


@pytest.mark.parametrize(
    ("network", "asked", "reachable", "preferred"),
    [
        ("10.0.2.9/24", "10.0.2.7", False, "the router's own network 10.0.2.9/24 (port"),
        ("10.0.2.129/25", "10.0.2.200", False, "the router's own network 10.0.2.129/25 (port"),
        ("10.0.2.129/25", "10.0.2.7", True, ""),
    ],
)
def test_what_a_connected_network_takes_from_a_learned_route(
    world: RoutesWorld, network: str, asked: str, reachable: bool, preferred: str
) -> None:
    gateways(world)
    world.lan("az1", "lr1", network)
    world.rest()
    shown = ask(world, prefix=asked)
    (step,) = [step for step in shown["path"] if step["step"] == "learn" and step["prefix"] == "10.0.2.1/24"]
    assert (shown["reachable"], step["wins"]) == (reachable, reachable)
    assert step["preferred"].startswith(preferred)


def test_a_static_route_to_the_same_network_shares_the_traffic(world: RoutesWorld) -> None:
    gateways(world)
    world.static("az1", "lr1", "10.0.2.7/24")
    world.rest()
    reachable, because, fix = verdict(world, prefix="10.0.2.7")
    assert (reachable, fix) == (True, "set ic-route-strict-prefix, or remove one of the two routes")
    assert "uses it together with the router's own static route 10.0.2.7/24" in because


def test_a_route_whose_port_has_no_gateway_is_not_reachable(world: RoutesWorld) -> None:
    gateways(world)
    world.bind("az2", "az2-lr2-ts1", gateway="")
    reachable, because, fix = verdict(world, prefix="10.0.2.7")
    assert (reachable, fix.startswith("check that one of its gateway chassis is up")) == (False, True)
    assert because.startswith("lr1 learns 10.0.2.1/24 from zone az2 on ts1, but no gateway holds port az2-lr2-ts1")


def test_the_path_names_zones_whose_databases_are_not_given(world: RoutesWorld) -> None:
    gateways(world)
    steps = [(step["step"], step["zone"], step["done"]) for step in ask(world, prefix="10.0.1.7")["path"]]
    assert steps == [("advertise", "az1", True), ("ic_sb", "az1", True), ("learn", "az2", None)]
    steps = [(step["step"], step["zone"], step["done"]) for step in ask(world, others=("az2",), prefix="10.0.1.7")["path"]]
    assert ("learn", "az2", True) in steps


def test_all_routes_are_judged_without_a_prefix(world: RoutesWorld) -> None:
    gateways(world)
    reachable, because, fix = verdict(world)
    assert (reachable, "remove the network" in fix) == (False, True)
    assert because.startswith("1 of 2 routes of other zones are not learned or not used. The first is lr1, 10.9.0.1/16 of zone az2")
    world.zone_options("az1", **{"ic-route-denylist": None})
    world.rest()
    assert verdict(world)[0]


def test_a_zone_that_is_not_registered_is_left_out(world: RoutesWorld) -> None:
    nb = world.nb("az2")
    world.put(nb, "NB_Global", next(nb.rows("NB_Global")).uuid, external_ids={}, name="az9")
    (problem,) = ask(world, others=("az2",), prefix="10.0.1.7")["unread_zones"]
    assert "the zone 'az9' is not registered in IC_SB" in problem
