# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes between zones: the scenarios of upstream's tests, and the tables behind them (spec routes-10)."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.replies import Reply

from .routes_world import DEFAULTS, RoutesWorld


def pair(w: RoutesWorld, *, switch: str = "ts1", subnet: str = "169.254.101", router: str = "lr") -> None:
    for number in (1, 2):
        w.connect(f"az{number}", router, switch, f"{subnet}.{number}/24")


def test_routes_disappear_with_their_transit_switch() -> None:
    """Scenario "route deletion upon TS deletion" (spec routes-10)."""
    w = RoutesWorld(3, ("ts1-1", "ts1-2", "ts2-1"), DEFAULTS)
    for zone, router, switch in (("az1", "a", "ts1-1"), ("az1", "b", "ts1-2"), ("az2", "c", "ts2-1")):
        w.connect(zone, router, switch, "169.254.100.1/24")
        w.static(zone, router, "192.168.0.0/16")
    w.rest()
    assert w.published() == ["192.168.0.0/16 via 169.254.100.1"] * 3
    w.remove_switch("ts1-1")
    w.rest()
    assert w.published() == ["192.168.0.0/16 via 169.254.100.1"] * 2


def test_a_route_is_published_once() -> None:
    w = RoutesWorld()
    pair(w)
    w.lan("az1", "lr", "10.0.1.1/24")
    w.lan("az2", "lr", "10.0.2.1/24")
    w.static("az1", "lr", "1.1.1.1/32", "10.0.1.10")
    w.rest()
    assert w.published("az1") == ["1.1.1.1/32 via 169.254.101.1", "10.0.1.1/24 via 169.254.101.1"]
    assert w.learned("az2", "lr") == ["1.1.1.1/32 via 169.254.101.1", "10.0.1.1/24 via 169.254.101.1"]
    assert w.learned("az1", "lr") == ["10.0.2.1/24 via 169.254.101.2"]


def test_ipv4_over_ipv6() -> None:
    """IPv4 prefixes get the IPv6 next hop where the option of router or port says so (spec routes-4.4)."""
    w = RoutesWorld()
    for number in (1, 2):
        w.connect(f"az{number}", "lr", "ts1", f"169.254.100.{number}/24", f"2001:db8:1::{number}/64")
    w.static("az1", "lr", "10.11.1.0/24")
    w.rest()
    assert w.learned("az2", "lr") == ["10.11.1.0/24 via 169.254.100.1"]
    w.options("az1", "Logical_Router", "lr", ic_route_ipv4_next_hop_ipv6="true")
    w.rest()
    assert w.published() == w.learned("az2", "lr") == ["10.11.1.0/24 via 2001:db8:1::1"]
    w.options("az1", "Logical_Router_Port", "az1-lr-ts1", ic_route_ipv4_next_hop_ipv6="false")
    w.rest()
    assert w.learned("az2", "lr") == ["10.11.1.0/24 via 169.254.100.1"]


def test_a_static_route_that_comes_while_its_like_is_being_learned() -> None:
    w = RoutesWorld()
    for number in (1, 2):
        w.connect(f"az{number}", "lr", "ts1", f"169.254.100.{number}/24")
    w.rest()
    w.foreign("az1", "ts1", "10.9.0.0/24", "169.254.100.1")
    engine = w.site("az2").engine
    (group,) = engine.plan()
    engine.sent(group)
    w.static("az2", "lr", "10.9.0.0/24")
    engine.done(Reply(group))
    engine.plan()
    assert ("learned_routes", group.key) in engine.planned


def test_a_paused_daemon_looks_at_ports_anew() -> None:
    w = RoutesWorld()
    for number in (1, 2):
        w.connect(f"az{number}", "lr", "ts1", f"169.254.100.{number}/24")
    w.static("az1", "lr", "10.11.1.0/24")
    w.rest()
    assert w.learned("az2", "lr") == ["10.11.1.0/24 via 169.254.100.1"]
    for number in (1, 2):
        w.stop(f"az{number}")
    w.options("az1", "Logical_Router_Port", "az1-lr-ts1", ic_route_deny_adv="10.11.0.0/16")
    w.static("az1", "lr", "10.12.1.0/24")
    w.options("az2", "Logical_Router_Port", "az2-lr-ts1", ic_route_deny_learn="10.12.0.0/16")
    for number in (1, 2):
        w.resume(f"az{number}")
    w.rest()
    assert w.published("az1") == ["10.12.1.0/24 via 169.254.100.1"]
    assert w.learned("az2", "lr") == []


def test_ipv4_over_ipv6_on_one_side_with_discard_routes() -> None:
    w = RoutesWorld()
    for number in (1, 2):
        w.connect(f"az{number}", "lr", "ts1", f"169.254.100.{number}/24", f"2001:db8:1::{number}/64")
        w.static(f"az{number}", "lr", f"10.11.{number}.0/24", "discard")
    w.options("az1", "Logical_Router", "lr", ic_route_ipv4_next_hop_ipv6="true")
    w.rest()
    assert w.learned("az2", "lr") == ["10.11.1.0/24 via 2001:db8:1::1"]
    assert w.learned("az1", "lr") == ["10.11.2.0/24 via 169.254.100.2"]
    assert w.nb("az1").count("Logical_Router_Static_Route") == 2


def test_ipv4_over_ipv6_without_ipv6_on_the_port() -> None:
    w = RoutesWorld()
    pair(w, subnet="169.254.100")
    w.options("az1", "Logical_Router", "lr", ic_route_ipv4_next_hop_ipv6="true")
    w.static("az1", "lr", "10.11.1.0/24")
    w.rest()
    assert w.learned("az2", "lr") == w.published() == ["10.11.1.0/24 via 169.254.100.1"]


def test_ipv6_routes_go_with_the_ipv6_address() -> None:
    w = RoutesWorld()
    for number in (1, 2):
        w.connect(f"az{number}", "lr", "ts1", f"2001:db8:1::{number}/64")
        w.lan(f"az{number}", "lr", f"2002:db8:1::{number}/64")
    w.rest()
    assert w.learned("az1", "lr") == ["2002:db8:1::2/64 via 2001:db8:1::2"]
    for number in (1, 2):
        name = f"az{number}-lr-ts1"
        uuid = w.find(f"az{number}", "Logical_Router_Port", name).uuid
        w.put(w.nb(f"az{number}"), "Logical_Router_Port", uuid, networks={f"169.254.100.{number}/24"})
        w.bind(f"az{number}", name)
    w.rest()
    assert w.learned("az1", "lr") == w.published() == []


def test_route_tables() -> None:
    """Scenario "route sync -- multiple route tables" (spec routes-10)."""
    w = RoutesWorld(2, ("ts11", "ts12", "ts13", "ts21", "ts22"))
    for router, switches in (("lr1", ("ts11", "ts12", "ts13")), ("lr2", ("ts21", "ts22"))):
        for number, switch in enumerate(switches, 1):
            for side in (1, 2):
                table = {"route_table": f"rtb{number}"}
                w.connect(f"az{side}", router, switch, f"169.254.{switch[2:]}.{side}/24", options=table)
        w.lan("az2", router, "192.168.0.1/24")
    for number in (1, 2, 3):
        w.static("az2", "lr1", "10.10.10.0/24", route_table=f"rtb{number}")
    w.rest()
    hops = [f"169.254.1{n}.2" for n in (1, 2, 3)]
    expected = [f"10.10.10.0/24 via {hop} table rtb{n}" for n, hop in enumerate(hops, 1)]
    expected += [f"192.168.0.1/24 via {hop}" for hop in hops]
    expected += [f"192.168.0.1/24 via {hop} table rtb{n} override" for n, hop in enumerate(hops, 1)]
    assert w.learned("az1", "lr1") == sorted(expected)
    second = [f"192.168.0.1/24 via 169.254.2{n}.2{rest}" for n in (1, 2) for rest in ("", f" table rtb{n} override")]
    assert w.learned("az1", "lr2") == sorted(second)


def test_own_static_routes_win() -> None:
    """Scenario "same routes destination" (spec routes-10)."""
    w = RoutesWorld(options=DEFAULTS)
    pair(w)
    for number in (1, 2):
        w.lan(f"az{number}", "lr", f"192.168.{number}.1/24")
        w.static(f"az{number}", "lr", "10.0.0.0/24", f"192.168.{number}.10")
        w.static(f"az{number}", "lr", "0.0.0.0/0", f"192.168.{number}.10")
    w.rest()
    assert w.learned("az1", "lr") == ["192.168.2.1/24 via 169.254.101.2"]
    assert w.learned("az2", "lr") == ["192.168.1.1/24 via 169.254.101.1"]


def test_ipv6_denylist() -> None:
    """Scenario "route sync -- IPv6 denylist filter" (spec routes-10)."""
    w = RoutesWorld()
    for number in (1, 2):
        w.connect(f"az{number}", "lr", "ts1", f"2001:db8:1::{number}/64")
        w.zone_options(f"az{number}", ic_route_denylist="  2003:db08:1::/64,2004:aaaa::/32,2005:1234::/21")
    lans = [
        "2002:db8:1::2/64",
        "2003:db08:1::2/64",
        "2003:db88:1::2/64",
        "2004:aaaa:bbb::2/48",
        "2005:1734:5678::2/50",
        "2005:1834:5678::2/50",
    ]
    w.lan("az2", "lr", *lans)
    w.rest()
    assert w.prefixes("az1", "lr") == ["2002:db8:1::2/64", "2003:db88:1::2/64", "2005:1834:5678::2/50"]
    for zone in ("az1", "az2"):
        w.zone_options(zone, ic_route_denylist=None)
    w.rest()
    assert w.prefixes("az1", "lr") == sorted(lans)
    for zone in ("az1", "az2"):
        w.zone_options(zone, ic_route_denylist="2003:db88:1::/64,2004:db8:1::/64")
    w.lan("az2", "lr", "2004:db8:1::2/64")
    w.rest()
    assert len(w.prefixes("az1", "lr")) == 5
    assert "2003:db88:1::2/64" not in w.prefixes("az1", "lr")


def test_three_zones_on_three_switches() -> None:
    """Scenario "interconnection" (spec routes-10)."""
    w = RoutesWorld(3, ("ts1", "ts2", "ts3"))
    for switch in (1, 2, 3):
        for zone in (1, 2, 3):
            w.connect(f"az{zone}", f"lr{switch}", f"ts{switch}", f"169.254.{switch}.{zone}/24")
            w.lan(f"az{zone}", f"lr{switch}", f"10.{zone}.{switch}.1/24")
    w.rest()
    assert len(w.published()) == 9
    for switch in (1, 2, 3):
        for zone in (1, 2, 3):
            others = [n for n in (1, 2, 3) if n != zone]
            assert w.learned(f"az{zone}", f"lr{switch}") == [f"10.{n}.{switch}.1/24 via 169.254.{switch}.{n}" for n in others]


def test_tags() -> None:
    """Scenario "route tag" (spec routes-10)."""
    w = RoutesWorld(2, ("ts11", "ts12", "ts21", "ts22", "peer"))
    for router, switches in (("lr1", ("ts11", "ts12")), ("lr2", ("ts21", "ts22"))):
        for switch in switches:
            for side in (1, 2):
                w.connect(f"az{side}", router, switch, f"169.254.{switch[2:]}.{side}/24")
        for side in (1, 2):
            w.connect(f"az{side}", router, "peer", f"169.254.103.{router[2]}{side}/24")
        w.lan("az2", router, f"192.168.{int(router[2]) - 1}.1/24")
    w.rest()
    everything = [f"192.168.0.1/24 via {hop}" for hop in ("169.254.103.12", "169.254.11.2", "169.254.12.2")] + [
        "192.168.1.1/24 via 169.254.103.22"
    ]
    assert w.learned("az1", "lr1") == everything
    w.options("az2", "Logical_Router_Port", "az2-lr1-peer", ic_route_tag="vpc1")
    w.rest()
    tagged = [row for row in w.ic_sb.rows("Route") if row["external_ids"].get("ic-route-tag") == "vpc1"]
    assert [(row["ip_prefix"], row["nexthop"]) for row in tagged] == [("192.168.0.1/24", "169.254.103.12")]
    assert w.learned("az1", "lr1") == everything
    w.options("az1", "Logical_Router_Port", "az1-lr1-peer", ic_route_filter_tag="vpc1")
    w.rest()
    assert w.learned("az1", "lr1") == everything[1:]
    assert "192.168.0.1/24 via 169.254.103.12" in w.learned("az1", "lr2")
    w.options("az2", "Logical_Router_Port", "az2-lr1-peer", ic_route_tag=None)
    w.rest()
    assert "ic-route-tag" not in w.ic_sb.row("Route", tagged[0].uuid)["external_ids"]  # type: ignore[index]
    assert w.learned("az1", "lr1") == everything


def test_switch_port_deleted() -> None:
    """Scenario "Delete route lrp orphan" (spec routes-10)."""
    w = RoutesWorld(2, ("ts1", "ts2"))
    pair(w)
    pair(w, switch="ts2", subnet="169.254.102")
    w.lan("az2", "lr", "192.168.0.1/24")
    w.rest()
    assert w.learned("az1", "lr") == [f"192.168.0.1/24 via 169.254.10{n}.2" for n in (1, 2)]
    w.unplug("az2", "az2-lr-ts2")
    w.rest()
    # The router port stays, and is an ordinary network now.
    assert w.learned("az1", "lr") == ["192.168.0.1/24 via 169.254.101.2"]


def test_router_port_deleted_and_router_disabled() -> None:
    """A disabled router learns nothing (spec routes-5.6.4)."""
    w = RoutesWorld(2, ("ts11", "ts12"))
    pair(w, switch="ts11")
    w.lan("az2", "lr", "192.168.0.1/24")
    w.rest()
    w.remove_lrp("az1", "az1-lr-ts11")
    for number, host in ((1, 11), (2, 22)):
        w.connect(f"az{number}", "lr", "ts12", f"169.254.101.{host}/24")
    w.rest()
    assert w.learned("az1", "lr") == ["192.168.0.1/24 via 169.254.101.22"]
    lr = w.find("az1", "Logical_Router", "lr").uuid
    w.put(w.nb("az1"), "Logical_Router", lr, enabled=False)
    w.rest()
    assert w.learned("az1", "lr") == []
    w.put(w.nb("az1"), "Logical_Router", lr, enabled=True)
    w.rest()
    assert w.learned("az1", "lr") == ["192.168.0.1/24 via 169.254.101.22"]
    with w.batch():
        w.put(w.nb("az1"), "Logical_Router", lr, enabled=False)
        w.bind("az1", "az1-lr-ts12")
    w.rest()
    assert w.learned("az1", "lr") == []


def filters_world() -> RoutesWorld:
    w = RoutesWorld()
    for number in (1, 2):
        w.connect(f"az{number}", "lr", "ts1", f"169.254.101.{number}/24", f"fe80:10::{number}/64")
    w.lan("az2", "lr", "192.168.12.1/24", "192.168.2.1/24", "2001:db12::1/64", "2001:db22::1/64")
    w.rest()
    return w


ALL4 = ["192.168.12.1/24", "192.168.2.1/24", "2001:db12::1/64", "2001:db22::1/64"]


@pytest.mark.parametrize(
    "zone, table, option, value, left",
    [
        ("az2", "port", "ic_route_filter_adv", "192.168.12.0/24", ALL4[:1]),
        ("az2", "port", "ic_route_filter_adv", "192.168.12.0/24,invalid", ALL4[:1]),
        ("az1", "port", "ic_route_filter_learn", "192.168.2.0/24", ALL4[1:2]),
        ("az2", "port", "ic_route_filter_adv", "2001:db22::/64", ALL4[3:]),
        ("az1", "router", "ic_route_filter_learn", "2001:db12::/64", ALL4[2:3]),
        ("az2", "port", "ic_route_filter_adv", "rubbish", []),
        ("az2", "port", "ic_route_filter_adv", ",", ALL4),
        ("az2", "port", "ic_route_deny_adv", "192.168.12.0/24,2001:db12::/64", [ALL4[1], ALL4[3]]),
        ("az2", "router", "ic_route_deny_adv", "192.168.12.0/24,2001:db12::/64", [ALL4[1], ALL4[3]]),
        ("az1", "port", "ic_route_deny_learn", "192.168.2.0/24,2001:db22::/64", [ALL4[0], ALL4[2]]),
        ("az1", "router", "ic_route_deny_learn", "192.168.2.0/24,2001:db22::/64", [ALL4[0], ALL4[2]]),
        ("az2", "zone", "ic_route_denylist", "192.168.12.0/24,2001:db12::/64", [ALL4[1], ALL4[3]]),
        ("az1", "zone", "ic_route_blacklist", "192.168.0.0/16", ALL4[2:]),
    ],
)
def test_filters(zone: str, table: str, option: str, value: str, left: list[str]) -> None:
    """Allow-lists of advertiser and learner (spec routes-4.3.6, routes-5.6.7)."""
    w = filters_world()
    assert w.learned("az1", "lr")[2] == "2001:db12::1/64 via fe80:10::2"

    def put(text: str | None) -> None:
        if table == "zone":
            w.zone_options(zone, **{option: text})
        elif table == "port":
            w.options(zone, "Logical_Router_Port", f"{zone}-lr-ts1", **{option: text})
        else:
            w.options(zone, "Logical_Router", "lr", **{option: text})
        w.rest()

    put(value)
    assert w.prefixes("az1", "lr") == left
    put(None)
    assert w.prefixes("az1", "lr") == ALL4


def test_lists_of_three_places_and_deny_beats_allow() -> None:
    """Deny lists of port, router and zone (spec routes-4.3.5, routes-5.6.6)."""
    w = filters_world()
    w.zone_options("az2", ic_route_denylist="192.168.12.0/24")
    w.options("az2", "Logical_Router", "lr", ic_route_deny_adv="192.168.2.0/24")
    w.options("az2", "Logical_Router_Port", "az2-lr-ts1", ic_route_deny_adv="2001:db12::/64")
    w.rest()
    assert w.prefixes("az1", "lr") == ALL4[3:]
    w.options("az2", "Logical_Router_Port", "az2-lr-ts1", ic_route_filter_adv="2001:db12::/64", ic_route_deny_adv="2001:db12::/64")
    w.rest()
    assert w.prefixes("az1", "lr") == []
    assert w.reasons("az2") == {}
    w.options("az2", "Logical_Router_Port", "az2-lr-ts1", ic_route_filter_adv="rubbish")
    w.rest()
    assert "rubbish" in w.reasons("az2")["az2-lr-ts1"]


def test_dynamic_routes() -> None:
    """Scenario "Check ovn-ic adv and learn from SB Learned Route" (spec routes-10)."""
    w = RoutesWorld()
    pair(w)
    w.lan("az2", "lr", "192.168.0.1/24")
    w.lan("az2", "lr", "10.0.0.1/24")
    learned = w.dynamic("az2", "lr", "192.168.1.0/24")
    w.rest()
    assert w.route("192.168.1.0/24")["origin"] == "connected-dynamic"
    lans = ["10.0.0.1/24 via 169.254.101.2", "192.168.0.1/24 via 169.254.101.2"]
    assert w.learned("az1", "lr") == [*lans, "192.168.1.0/24 via 169.254.101.2 connected-dynamic"]
    w.delete(w.sb("az2"), "Learned_Route", learned)
    w.rest()
    assert w.learned("az1", "lr") == lans
    for prefix in ("192.168.1.0/24", "192.168.1.0/24", "192.168.2.0/24"):
        w.dynamic("az2", "lr", prefix)
    w.rest()
    assert w.prefixes("az1", "lr") == ["10.0.0.1/24", "192.168.0.1/24", "192.168.1.0/24", "192.168.2.0/24"]
    own = w.dynamic("az1", "lr", "192.168.1.0/24")
    w.rest()
    assert w.prefixes("az1", "lr") == ["10.0.0.1/24", "192.168.0.1/24", "192.168.2.0/24"]
    assert w.learned("az2", "lr") == []  # its own dynamic route keeps the other one out
    w.delete(w.sb("az1"), "Learned_Route", own)
    w.rest()
    assert w.prefixes("az1", "lr") == ["10.0.0.1/24", "192.168.0.1/24", "192.168.1.0/24", "192.168.2.0/24"]
    assert w.learned("az2", "lr") == []


def test_equal_addresses_on_two_switches() -> None:
    """Scenario "loop with announce duplicated prefixes - multiple ts" (spec routes-10)."""
    w = RoutesWorld(2, ("ts11", "ts12"))
    for zone in (1, 2):
        for switch in ("ts11", "ts12"):
            w.connect(f"az{zone}", "lr", switch, "169.254.101.1/24")
        w.lan(f"az{zone}", "lr", f"192.168.{zone}.1/24")
    w.rest()
    assert w.learned("az1", "lr") == ["192.168.2.1/24 via 169.254.101.1"] * 2


def test_equal_addresses_in_two_zones() -> None:
    """Scenario "loop with announce duplicated prefixes - single ts" (spec routes-10)."""
    w = RoutesWorld(3, ("ts11",))
    for number, host in ((1, 1), (2, 2), (3, 1)):
        w.connect(f"az{number}", "lr", "ts11", f"169.254.101.{host}/24")
    for zone in ("az1", "az3"):
        w.lan(zone, "lr", "192.168.0.1/24")
    w.rest()
    assert w.learned("az2", "lr") == ["192.168.0.1/24 via 169.254.101.1"] * 2


def test_east_west() -> None:
    """Scenario "east-west - 2az" (spec routes-10)."""
    w = RoutesWorld(2, ("rtb-1", "rtb-2"))
    for zone in (1, 2):
        for number, base in ((1, 0), (2, 32)):
            w.connect(f"az{zone}", "lr", f"rtb-{number}", f"169.254.100.{base + zone}/27", options={"route_table": f"table{number}"})
    w.lan("az1", "lr", "172.31.0.1/24", "172.31.1.1/24")
    w.lan("az2", "lr", "172.31.2.1/24", "172.31.3.1/24")
    for net, hop in ((0, 2), (1, 3)):
        override = {"override-connected": "true"}
        w.static("az2", "lr", f"172.31.{net}.0/24", f"172.31.{hop}.4", route_table="table1", options=override)
    w.rest()
    expected = [f"172.31.{n}.1/24 via 169.254.100.{hop}" for n in (2, 3) for hop in (2, 34)]
    expected += [f"172.31.{n}.0/24 via 169.254.100.2 table table1 override" for n in (0, 1)]
    expected += [f"172.31.{n}.1/24 via 169.254.100.{hop} table table{t} override" for n in (2, 3) for t, hop in ((1, 2), (2, 34))]
    assert w.learned("az1", "lr") == sorted(expected)
    back = [f"172.31.{n}.1/24 via 169.254.100.{hop}" for n in (0, 1) for hop in (1, 33)]
    back += [f"172.31.{n}.1/24 via 169.254.100.{hop} table table{t} override" for n in (0, 1) for t, hop in ((1, 1), (2, 33))]
    assert w.learned("az2", "lr") == sorted(back)


def test_spine_leaf_ports_give_no_routes() -> None:
    """Scenario "spine-leaf" (spec routes-10)."""
    w = RoutesWorld()
    pair(w)
    w.lan("az1", "lr", "10.0.1.1/24")
    port = w.find("az1", "Logical_Switch_Port", "az1-lr-ts1")
    w.put(w.nb("az1"), "Logical_Switch_Port", port.uuid, type="switch")
    w.rest()
    assert w.published() == []
