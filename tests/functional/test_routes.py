# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes between zones: what is advertised, what is learned, what becomes of both (spec routes-10)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, scenes, topology
from ansible_collections.ovn.interconnect.tests.support.scenes import (
    attach,
    lan,
    learned,
    learned_rows,
    options,
    port_options,
    published,
    route,
)
from ansible_collections.ovn.interconnect.tests.support.servers import OURS, Interconnect

from .conftest import Make

TS = "169.254.100"


def prefixes(found: Iterable[tuple[str, str]]) -> list[str]:
    """The prefixes of learned routes, sorted."""
    return sorted(prefix for prefix, _nexthop in found)


@pytest.fixture
def pair(ic: Interconnect) -> Interconnect:
    """A router in each zone on ts1, 169.254.100.i and 2001:db8:1::i, both zones advertise and learn."""
    scenes.transit_switches(ic, "ts1")
    for number, zone in enumerate(ic.zones, 1):
        options(zone, ic_route_adv="true", ic_route_learn="true")
        attach(zone, f"lr{number}", "ts1", [f"{TS}.{number}/24", f"2001:db8:1::{number}/64"])
    ic.settle()
    return ic


def test_connected_networks_are_learned_with_their_text(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    lan(az1, "lr1", "lan1", "10.1.0.1/24", "2002:db8:1::1/64")
    pair.settle()
    assert published(pair) == [("ts1", "10.1.0.1/24", f"{TS}.1"), ("ts1", "2002:db8:1::1/64", "2001:db8:1::1")]
    assert learned(az2, "lr2") == [("10.1.0.1/24", f"{TS}.1"), ("2002:db8:1::1/64", "2001:db8:1::1")]
    assert learned(az1, "lr1") == []
    for row in learned_rows(az2, "lr2"):
        assert row.map("options") == {"origin": "connected"}
        source = row.map("external_ids").pop("ic-learned-route")
        assert any(str(own.uuid) == source for own in pair.sb.rows("Route", ip_prefix=row.text("ip_prefix")))
    az1.nb.transact(*topology.no_router_port("lr1", az1.nb.get("Logical_Router_Port", name="lan1").uuid))
    pair.settle()
    assert published(pair) == []
    assert learned(az2, "lr2") == []


STATIC = [
    pytest.param("10.9.0.0/24", "10.1.0.9", {}, "10.9.0.0/24", id="network"),
    pytest.param("10.9.0.7", "10.1.0.9", {}, "10.9.0.7/32", id="host"),
    pytest.param("10.9.0.7/24", "10.1.0.9", {}, "10.9.0.7/24", id="host-bits"),
    pytest.param("10.9.0.0/255.255.255.0", "10.1.0.9", {}, "10.9.0.0/24", id="mask"),
    pytest.param("2001:DB8:9:0::/64", "2002:db8:1::9", {}, "2001:db8:9::/64", id="ipv6"),
    pytest.param("10.9.0.0/24", "10.1.0.9", {"policy": "dst-ip"}, "10.9.0.0/24", id="dst-ip"),
    pytest.param("10.9.0.0/24", "10.1.0.9", {"policy": "src-ip"}, None, id="src-ip"),
    pytest.param("10.9.0.0/24", "10.1.0.9", {"route_table": "rtb1"}, None, id="other-table"),
    pytest.param("10.9.0.0/24", "", {}, None, id="no-nexthop"),
    pytest.param("10.9.0.0/24", "junk", {}, None, id="bad-nexthop"),
    pytest.param("10.9.0.0/33", "10.1.0.9", {}, None, id="bad-length"),
    pytest.param("10.9.0.0/255.0.255.0", "10.1.0.9", {}, None, id="bad-mask"),
    pytest.param("junk", "10.1.0.9", {}, None, id="bad-prefix"),
    pytest.param("", "10.1.0.9", {}, None, id="empty-prefix"),
    pytest.param("0.0.0.0/0", "10.1.0.9", {}, None, id="default-without-option"),
    pytest.param("169.254.7.0/24", "10.1.0.9", {}, None, id="link-local"),
    pytest.param("fe80:1::/64", "2002:db8:1::9", {}, None, id="link-local-ipv6"),
    pytest.param("10.9.0.0/24", "10.1.0.9", {"external_ids": {"ic-learned-route": "junk"}}, "10.9.0.0/24", id="mark-without-uuid"),
]


@pytest.mark.parametrize("prefix, nexthop, columns, wanted", STATIC)
def test_static_routes(pair: Interconnect, prefix: str, nexthop: str, columns: dict[str, object], wanted: str | None) -> None:
    az1, az2 = pair.zones
    route(az1, "lr1", prefix, nexthop, **columns)
    pair.settle()
    assert prefixes(learned(az2, "lr2")) == ([] if wanted is None else [wanted])
    assert len(published(pair)) == (wanted is not None)


@pytest.mark.ours("before 26.03 discard routes are not advertised")
def test_a_discard_route_is_advertised(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    route(az1, "lr1", "10.9.0.0/24", "discard")
    pair.settle()
    assert learned(az2, "lr2") == [("10.9.0.0/24", f"{TS}.1")]


def test_equal_static_routes_become_one_row(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    for number in range(9, 13):
        route(az1, "lr1", "1.1.1.1/32", f"10.0.1.{number}")
    pair.settle()
    assert published(pair) == [("ts1", "1.1.1.1/32", f"{TS}.1")]
    assert learned(az2, "lr2") == [("1.1.1.1/32", f"{TS}.1")]


def test_the_default_route_needs_the_options_of_both_zones(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    route(az1, "lr1", "0.0.0.0/0", "10.1.0.9")
    options(az1, ic_route_adv_default="true")
    pair.settle()
    assert published(pair) == [("ts1", "0.0.0.0/0", f"{TS}.1")]
    assert learned(az2, "lr2") == []
    options(az2, ic_route_learn_default="true")
    pair.settle()
    assert prefixes(learned(az2, "lr2")) == ["0.0.0.0/0"]


@pytest.mark.ours("it advertises the route back, and the two zones send each other the packets once az1's own route is gone")
def test_a_default_route_through_the_transit_switch_is_not_advertised_back_on_it(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    for zone in pair.zones:
        options(zone, ic_route_adv_default="true", ic_route_learn_default="true")
    route(az2, "lr2", "0.0.0.0/0", f"{TS}.1")
    route(az2, "lr2", "2001:db8:77::/48", "2001:db8:1::1")
    pair.settle()
    assert published(pair) == []
    assert learned(az1, "lr1") == []
    options(az2, ic_route_adv_via_transit="true")
    pair.settle()
    assert learned(az1, "lr1") == [("0.0.0.0/0", f"{TS}.2"), ("2001:db8:77::/48", "2001:db8:1::2")]
    options(az2, ic_route_adv_via_transit="false")
    pair.settle()
    assert learned(az1, "lr1") == []


def test_a_static_route_through_one_transit_switch_is_advertised_on_another(ic: Interconnect) -> None:
    """A hub: what its static routes send through ts2, the routers on ts1 reach through the hub."""
    scenes.transit_switches(ic, "ts1", "ts2")
    az1, az2 = ic.zones
    for zone in ic.zones:
        options(zone, ic_route_adv="true", ic_route_learn="true")
    attach(az1, "hub", "ts1", [f"{TS}.1/24"])
    attach(az1, "hub", "ts2", ["169.254.200.1/24"])
    attach(az2, "spoke", "ts1", [f"{TS}.2/24"])
    route(az1, "hub", "10.9.0.0/16", "169.254.200.9")
    ic.settle()
    if az1.daemon.kind == OURS:
        assert published(ic) == [("ts1", "10.9.0.0/16", f"{TS}.1")]
    assert ("10.9.0.0/16", f"{TS}.1") in learned(az2, "spoke")


@pytest.mark.parametrize("value, works", [("true", True), ("TRUE", True), ("yes", False), ("1", False), ("", False)])
def test_switching_on_and_off(pair: Interconnect, value: str, works: bool) -> None:
    az1, az2 = pair.zones
    lan(az1, "lr1", "lan1", "10.1.0.1/24")
    options(az2, ic_route_learn=value)
    pair.settle()
    assert published(pair) == [("ts1", "10.1.0.1/24", f"{TS}.1")]
    assert prefixes(learned(az2, "lr2")) == (["10.1.0.1/24"] if works else [])
    options(az1, ic_route_adv=value)
    pair.settle()
    assert prefixes(learned(az2, "lr2")) == (["10.1.0.1/24"] if works else [])
    assert len(published(pair)) == works


def test_the_global_list_of_denied_prefixes_works_in_both_directions(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    for number in (1, 2, 3):
        lan(az1, "lr1", f"lan{number}", f"10.1.{number}.1/24")
    options(az1, ic_route_blacklist="10.1.1.0/24,junk")
    options(az2, ic_route_blacklist=" 10.1.2.0/23,172.16.0.0/12")
    pair.settle()
    assert [prefix for _switch, prefix, _nexthop in published(pair)] == ["10.1.2.1/24", "10.1.3.1/24"]
    assert learned(az2, "lr2") == []
    az2.nb.transact(*topology.no_zone_options(["ic-route-blacklist"]))
    pair.settle()
    assert prefixes(learned(az2, "lr2")) == ["10.1.2.1/24", "10.1.3.1/24"]


@pytest.mark.ours("ic-route-denylist is known since 24.09, compares IPv6 correctly since 25.03, and the old list is ignored beside it")
def test_both_lists_of_denied_prefixes_take_effect(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    lans = ["2002:db8:1::/64", "2003:db88:1::/64", "2003:db08:1::/64", "2004:aaaa:bbb::/48", "2005:1734:5678::/50", "2005:1834:5678::/50"]
    lan(az1, "lr1", "lan1", *(f"{network.split('/')[0]}1/{network.split('/')[1]}" for network in lans))
    denied = " 2003:db08:1::/64, 2004:aaaa::/32, 2005:1234::/21"
    options(az1, ic_route_denylist=denied, ic_route_blacklist="2002::/16")
    pair.settle()
    assert prefixes(learned(az2, "lr2")) == ["2003:db88:1::1/64", "2005:1834:5678::1/50"]
    options(az2, ic_route_denylist="2001::/16", ic_route_blacklist="2003::/16")
    pair.settle()
    assert prefixes(learned(az2, "lr2")) == ["2005:1834:5678::1/50"]
    options(az1, ic_route_denylist="")
    pair.settle()
    assert len(learned(az2, "lr2")) == 3


FILTERS = [
    pytest.param("ic-route-filter-adv", 0, "10.1.1.0/24", ["10.1.1.1/24"], id="allow-advertising"),
    pytest.param("ic-route-filter-adv", 0, "10.1.1.0/24,invalid", ["10.1.1.1/24"], id="allow-with-a-bad-item"),
    pytest.param("ic-route-filter-adv", 0, "invalid", [], id="allow-nothing-but-a-bad-item"),
    pytest.param("ic-route-filter-adv", 0, ",", ["10.1.1.1/24", "10.1.2.1/24", "2002:db8:1::1/64"], id="empty-list"),
    pytest.param("ic-route-filter-learn", 1, "2002:db8:1::/64", ["2002:db8:1::1/64"], id="allow-learning"),
    pytest.param("ic-route-deny-adv", 0, "10.1.1.0/24", ["10.1.2.1/24", "2002:db8:1::1/64"], id="deny-advertising"),
    pytest.param("ic-route-deny-learn", 1, "10.1.0.0/16", ["2002:db8:1::1/64"], id="deny-learning"),
]


@pytest.mark.ours("filters are known since 25.09, deny-lists of routers and ports since 26.03")
@pytest.mark.parametrize("level", ["router", "port"])
@pytest.mark.parametrize("option, number, text, wanted", FILTERS)
def test_filters_of_routers_and_ports(pair: Interconnect, level: str, option: str, number: int, text: str, wanted: list[str]) -> None:
    az1, az2 = pair.zones
    lan(az1, "lr1", "lan1", "10.1.1.1/24", "10.1.2.1/24", "2002:db8:1::1/64")
    zone, router = pair.zones[number], f"lr{number + 1}"
    if level == "router":
        zone.nb.transact(ovsdb.set_keys("Logical_Router", "options", {option: text}, name=router))
    else:
        port_options(zone, f"{router}-ts1", {option: text})
    pair.settle()
    assert prefixes(learned(az2, "lr2")) == wanted


def test_a_local_static_route_of_the_same_text_wins(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    lan(az1, "lr1", "lan1", "10.1.0.1/24")
    for number, zone in enumerate(pair.zones, 1):
        route(zone, f"lr{number}", "10.9.0.0/24", f"10.{number}.0.9")
    pair.settle()
    assert learned(az2, "lr2") == [("10.1.0.1/24", f"{TS}.1")]
    assert learned(az1, "lr1") == []


def test_host_bits_hide_a_local_static_route(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    lan(az1, "lr1", "lan1", "10.1.0.1/24")
    route(az2, "lr2", "10.1.0.0/24", "10.2.0.9")
    pair.settle()
    assert learned(az2, "lr2") == [("10.1.0.1/24", f"{TS}.1")]


def test_learned_routes_follow_the_address_of_the_peer(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    lan(az1, "lr1", "lan1", "10.1.0.1/24")
    pair.settle()
    az1.nb.transact(ovsdb.update("Logical_Router_Port", {"networks": {f"{TS}.77/24"}}, name="lr1-ts1"))
    pair.settle()
    assert learned(az2, "lr2") == [("10.1.0.1/24", f"{TS}.77")]


def test_tampered_learned_routes_are_replaced_and_other_edits_stay(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    lan(az1, "lr1", "lan1", "10.1.0.1/24")
    pair.settle()
    uuid = learned_rows(az2, "lr2")[0].uuid
    az2.nb.transact(ovsdb.update("Logical_Router_Static_Route", {"policy": "src-ip"}, _uuid=uuid))
    pair.settle()
    assert [row.uuid for row in learned_rows(az2, "lr2")] == [uuid]
    az2.nb.transact(ovsdb.update("Logical_Router_Static_Route", {"nexthop": "10.99.0.1"}, _uuid=uuid))
    pair.settle()
    assert learned(az2, "lr2") == [("10.1.0.1/24", f"{TS}.1")]


def test_a_forged_learned_route_is_removed(pair: Interconnect) -> None:
    az2 = pair.zones[1]
    ids = {"ic-learned-route": "11111111-1111-4111-8111-111111111111"}
    route(az2, "lr2", "10.66.0.0/24", f"{TS}.66", external_ids=ids)
    pair.settle()
    assert learned(az2, "lr2") == []


def foreign(ic: Interconnect, prefix: str, nexthop: str, **external_ids: str) -> None:
    """A row of a zone whose daemon is an older one, put into IC_SB by hand."""
    row = {"transit_switch": "ts1", "ip_prefix": prefix, "nexthop": nexthop, "origin": "static", "external_ids": external_ids}
    zone: ovsdb.Operation = ovsdb.insert("Availability_Zone", {"name": "old"}, name="old")
    ic.sb.transact(zone, ovsdb.insert("Route", {**row, "availability_zone": ovsdb.Named("old")}))


FOREIGN = [
    pytest.param("57.0.0.5", f"{TS}.9", {}, True, id="host"),
    pytest.param("59.0.0.0/255.0.0.0", f"{TS}.9", {}, True, id="mask"),
    pytest.param("2001:DB8::/32", "2001:db8:1::9", {}, True, id="upper-case"),
    pytest.param("57.0.0.0/24", f"{TS}.9/24", {}, True, id="nexthop-with-length"),
    pytest.param("57.0.0.0/24", "fe80::1", {}, False, id="link-local-nexthop"),
    pytest.param("57.0.0.0/24", "discard", {}, False, id="discard"),
    pytest.param("junk", f"{TS}.9", {}, False, id="bad-prefix"),
    pytest.param("169.254.3.0/24", f"{TS}.9", {}, False, id="link-local"),
]


@pytest.mark.ours("rows without lr-id are ignored from 23.09 to 25.03.0")
@pytest.mark.parametrize("prefix, nexthop, ids, wanted", FOREIGN)
def test_rows_of_other_daemons_are_learned_verbatim(
    pair: Interconnect, prefix: str, nexthop: str, ids: dict[str, str], wanted: bool
) -> None:
    az1 = pair.zones[0]
    foreign(pair, prefix, nexthop, **ids)
    pair.settle()
    assert learned(az1, "lr1") == ([(prefix, nexthop)] if wanted else [])


@pytest.mark.ours("known since 25.03.1")
@pytest.mark.parametrize("nexthop, ids", [("203.0.113.1", {}), (f"{TS}.9", {"lr-id": "junk"})])
def test_rows_out_of_reach_or_malformed_are_not_learned(pair: Interconnect, nexthop: str, ids: dict[str, str]) -> None:
    foreign(pair, "57.0.0.0/24", nexthop, **ids)
    pair.settle()
    assert learned(pair.zones[0], "lr1") == []


def test_a_row_of_ours_that_nobody_stands_for_is_deleted(pair: Interconnect) -> None:
    zone = pair.sb.get("Availability_Zone", name="az1").uuid
    row = {"transit_switch": "ts1", "ip_prefix": "57.0.0.0/24", "nexthop": f"{TS}.1", "origin": "static", "availability_zone": zone}
    pair.sb.transact(ovsdb.insert("Route", row), ovsdb.insert("Route", {**row, "transit_switch": "gone"}))
    pair.settle()
    assert published(pair) == []


@pytest.fixture
def double(ic: Interconnect) -> Interconnect:
    """A router in each zone on ts1 and on ts2; az2's has a network."""
    scenes.transit_switches(ic, "ts1", "ts2")
    for number, zone in enumerate(ic.zones, 1):
        options(zone, ic_route_adv="true", ic_route_learn="true")
        for index, switch in enumerate(("ts1", "ts2"), 1):
            attach(zone, f"lr{number}", switch, [f"169.254.{index}.{number}/24"], number=index)
    lan(ic.zones[1], "lr2", "lan2", "192.168.0.1/24")
    ic.settle()
    return ic


@pytest.mark.ours("before 25.03.1 the routes stay when the last port of the zone goes")
def test_routes_end_with_the_switch_port(double: Interconnect) -> None:
    az1, az2 = double.zones
    assert learned(az1, "lr1") == [("192.168.0.1/24", "169.254.1.2"), ("192.168.0.1/24", "169.254.2.2")]
    az2.nb.transact(*topology.no_switch_port("ts2", az2.nb.get("Logical_Switch_Port", name="ts2-lr2").uuid))
    double.settle()
    assert learned(az1, "lr1") == [("192.168.0.1/24", "169.254.1.2")]
    az2.nb.transact(*topology.switch_port("ts2", "again", options={"router-port": "lr2-ts2"}))
    double.settle()
    assert len(learned(az1, "lr1")) == 2


def test_routes_end_with_the_transit_switch(double: Interconnect) -> None:
    double.nb.transact(*topology.no_transit_switch("ts1"))
    double.settle()
    assert published(double) == [("ts2", "192.168.0.1/24", "169.254.2.2")]
    assert learned(double.zones[0], "lr1") == [("192.168.0.1/24", "169.254.2.2")]


@pytest.mark.ours("the learner adds and removes forever")
def test_a_deleted_router_port_withdraws_its_routes(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    for number, zone in enumerate(pair.zones, 1):
        lan(zone, f"lr{number}", f"lan{number}", f"10.{number}.0.1/24")
    pair.settle()
    az1.nb.transact(*topology.no_router_port("lr1", az1.nb.get("Logical_Router_Port", name="lr1-ts1").uuid))
    pair.settle()
    assert published(pair) == [("ts1", "10.2.0.1/24", f"{TS}.2")]
    assert learned(az1, "lr1") == []
    assert learned(az2, "lr2") == []


@pytest.mark.ours("the learner adds and removes forever")
def test_a_disabled_router_neither_learns_nor_advertises(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    for number, zone in enumerate(pair.zones, 1):
        lan(zone, f"lr{number}", f"lan{number}", f"10.{number}.0.1/24")
    pair.settle()
    az1.nb.transact(ovsdb.update("Logical_Router", {"enabled": False}, name="lr1"))
    pair.settle()
    assert (learned(az1, "lr1"), learned(az2, "lr2")) == ([], [])
    az1.nb.transact(ovsdb.update("Logical_Router", {"enabled": True}, name="lr1"))
    pair.settle()
    assert (prefixes(learned(az1, "lr1")), prefixes(learned(az2, "lr2"))) == (["10.2.0.1/24"], ["10.1.0.1/24"])


def test_route_tables_are_kept_apart(ic: Interconnect) -> None:
    az1, az2 = ic.zones
    scenes.transit_switches(ic, "ts1", "ts2")
    for number, zone in enumerate(ic.zones, 1):
        options(zone, ic_route_adv="true", ic_route_learn="true")
        for index, switch in enumerate(("ts1", "ts2"), 1):
            table = {"route_table": f"rtb{index}"}
            attach(zone, f"lr{number}", switch, [f"169.254.{index}.{number}/24"], options=table, number=index)
    for index in (1, 2):
        route(az2, "lr2", "10.10.10.0/24", "192.168.0.10", route_table=f"rtb{index}")
    route(az2, "lr2", "10.20.0.0/24", "192.168.0.10")
    ic.settle()
    found = sorted((row.text("route_table"), row.text("ip_prefix"), row.text("nexthop")) for row in learned_rows(az1, "lr1"))
    assert found == [("rtb1", "10.10.10.0/24", "169.254.1.2"), ("rtb2", "10.10.10.0/24", "169.254.2.2")]
    port_options(az1, "lr1-ts2", {"route_table": "rtb1"})
    ic.settle()
    assert [row.text("route_table") for row in learned_rows(az1, "lr1")] == ["rtb1"]


@pytest.mark.ours("tags are known since 25.03")
def test_tags_are_put_on_and_filtered_by(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    lan(az2, "lr2", "lan2", "192.168.0.1/24")
    port_options(az2, "lr2-ts1", {"ic-route-tag": "vpc1"})
    pair.settle()
    assert pair.sb.get("Route").map("external_ids")["ic-route-tag"] == "vpc1"
    assert len(learned(az1, "lr1")) == 1
    port_options(az1, "lr1-ts1", {"ic-route-filter-tag": "vpc1"})
    pair.settle()
    assert learned(az1, "lr1") == []
    port_options(az2, "lr2-ts1", {}, drop=["ic-route-tag"])
    pair.settle()
    assert "ic-route-tag" not in pair.sb.get("Route").map("external_ids")
    assert len(learned(az1, "lr1")) == 1


@pytest.mark.ours("before 23.09 routers of one zone on one transit switch delete each other's routes")
def test_routers_of_one_zone_learn_from_each_other(pair: Interconnect) -> None:
    az1, az2 = pair.zones
    attach(az1, "lr3", "ts1", [f"{TS}.3/24"], number=3)
    lan(az1, "lr1", "lan1", "10.1.0.1/24")
    lan(az1, "lr3", "lan3", "10.3.0.1/24")
    pair.settle()
    assert learned(az1, "lr1") == [("10.3.0.1/24", f"{TS}.3")]
    assert learned(az1, "lr3") == [("10.1.0.1/24", f"{TS}.1")]
    assert learned(az2, "lr2") == [("10.1.0.1/24", f"{TS}.1"), ("10.3.0.1/24", f"{TS}.3")]


@pytest.mark.ours("rewritten forever, several thousand times a second")
def test_an_ipv6_route_without_an_ipv6_transit_address_settles(ic: Interconnect) -> None:
    az1, az2 = ic.zones
    scenes.transit_switches(ic, "ts1")
    for number, zone in enumerate(ic.zones, 1):
        options(zone, ic_route_adv="true", ic_route_learn="true")
        attach(zone, f"lr{number}", "ts1", [f"{TS}.{number}/24"])
    lan(az1, "lr1", "lan1", "2002:db8:1::1/64", "10.1.0.1/24")
    ic.settle()
    before = {row.uuid for row in ic.sb.rows("Route")}
    ic.settle()
    assert {row.uuid for row in ic.sb.rows("Route")} == before
    assert prefixes(learned(az2, "lr2")) == ["10.1.0.1/24"]


def test_three_zones_on_three_transit_switches(make: Make) -> None:
    ic = make("az1", "az2", "az3")
    switches = ("ts1", "ts2", "ts3")
    scenes.transit_switches(ic, *switches)
    for number, zone in enumerate(ic.zones, 1):
        options(zone, ic_route_adv="true", ic_route_learn="true")
        for index, switch in enumerate(switches, 1):
            attach(zone, f"lr{number}{index}", switch, [f"169.254.{index}.{number}/24"], number=index)
            lan(zone, f"lr{number}{index}", f"lan{number}{index}", f"10.{number}.{index}.1/24")
    ic.settle()
    assert len(published(ic)) == 9
    for number, zone in enumerate(ic.zones, 1):
        others = [other for other in (1, 2, 3) if other != number]
        for index in (1, 2, 3):
            wanted = [(f"10.{other}.{index}.1/24", f"169.254.{index}.{other}") for other in others]
            assert learned(zone, f"lr{number}{index}") == wanted


TAG_RULES = [
    ({"ic-route-filter-tag": "vpc1"}, "vpc2 vpc3 -"),
    ({"ic-route-learn-tag-rules": "allow:vpc1"}, "vpc1"),
    ({"ic-route-learn-tag-rules": "allow:vpc1, vpc2"}, "vpc1"),
    ({"ic-route-learn-tag-rules": "allow:vpc1,block:vpc2"}, "vpc1"),
    ({"ic-route-learn-tag-rules": "allow:,vpc1,,vpc3,"}, "vpc1 vpc3"),
    ({"ic-route-learn-tag-rules": "block:vpc1,vpc2"}, "vpc3 -"),
    ({"ic-route-learn-tag-rules": "block:vpc1", "ic-route-filter-tag": "vpc2"}, "vpc2 vpc3 -"),
    ({"ic-route-learn-tag-rules": "foo:vpc1", "ic-route-filter-tag": "vpc2"}, "vpc1 vpc3 -"),
    ({"ic-route-learn-tag-rules": "ALLOW:vpc1"}, "vpc1 vpc2 vpc3 -"),
    ({"ic-route-learn-tag-rules": " allow:vpc1"}, "vpc1 vpc2 vpc3 -"),
    ({"ic-route-learn-tag-rules": "allow"}, "vpc1 vpc2 vpc3 -"),
    ({"ic-route-learn-tag-rules": "", "ic-route-filter-tag": "vpc2"}, "vpc1 vpc3 -"),
    ({"ic-route-learn-tag-rules": "allow:"}, "vpc1 vpc2 vpc3 -"),
    ({"ic-route-learn-tag-rules": "block:,"}, "vpc1 vpc2 vpc3 -"),
]


@pytest.mark.ours("rules for tags are known since 26.09, which passes this test")
def test_rules_for_tags_say_what_is_learned(make: Make) -> None:
    ic = make("az1", "az2")
    az1, az2 = ic.zones
    scenes.transit_switches(ic, "ts1")
    options(az1, ic_route_learn="true")
    options(az2, ic_route_adv="true")
    attach(az1, "lr1", "ts1", [f"{TS}.1/24"], number=1)
    networks = {}
    for number, tag in enumerate(["vpc1", "vpc2", "vpc3", "-"], 2):
        tagged = {} if tag == "-" else {"ic-route-tag": tag}
        attach(az2, f"lr{number}", "ts1", [f"{TS}.{number}/24"], options=tagged, number=number)
        networks[tag] = f"10.{number}.0.1/24"
        lan(az2, f"lr{number}", f"lan{number}", networks[tag])
    ic.settle()
    seen = {}
    for rules, _wanted in TAG_RULES:
        port_options(az1, "lr1-ts1", rules, drop=["ic-route-learn-tag-rules", "ic-route-filter-tag"])
        ic.settle()
        seen[str(rules)] = " ".join(tag for tag in networks if networks[tag] in prefixes(learned(az1, "lr1")))
    assert seen == {str(rules): wanted for rules, wanted in TAG_RULES}
    log = az1.daemon.log.read_text()
    assert "foo:vpc1" in log
    assert "ic-route-filter-tag" in log


@pytest.mark.ours("it lists nothing")
def test_an_invalid_rule_for_tags_is_listed_until_it_is_corrected(pair: Interconnect) -> None:
    az1 = pair.zones[0]
    port_options(az1, "lr1-ts1", {"ic-route-learn-tag-rules": "allow vpc1"})
    pair.settle()
    said = az1.daemon.appctl("skipped/show")
    assert 'router port lr1-ts1: ic-route-learn-tag-rules is "allow vpc1"' in said
    assert "allow:TAG[,TAG...] or block:TAG[,TAG...]" in said
    port_options(az1, "lr1-ts1", {"ic-route-learn-tag-rules": "allow:vpc1"})
    pair.settle()
    assert "ic-route-learn-tag-rules" not in az1.daemon.appctl("skipped/show")
