# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which routes a zone has in IC_SB, rule by rule and quirk by quirk (spec routes-3, routes-4, routes-6, routes-9.2)."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import ServerSchema
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.routes import decision, participants, sources
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.routes.view import RouteView
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.server_rules import LACKING_IN_2303, schemas_without
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.simulated_zones import named

from .routes_world import LB, RoutesWorld, one


def reason_of(w: RoutesWorld, contained: str) -> str:
    (found,) = [reason for reason in w.reasons("az1").values() if contained in reason]
    return found


# ---- Sources ---------------------------------------------------------------------------------------------------------


def test_rows_of_every_source_and_table() -> None:
    """Rows of every source, with tables and external_ids (spec routes-S1, routes-S2, routes-S3, routes-S4, routes-4.8)."""
    w = one(options={"route_table": "rtb1"}, zone=LB)
    lan = w.lan("az1", "lr", "10.1.0.1/24")
    w.static("az1", "lr", "10.2.0.0/16")
    static = w.static("az1", "lr", "10.3.0.0/16", route_table="rtb1")
    w.dynamic("az1", "lr", "192.168.1.0/24")
    balancer = w.balancer("az1", "lr", "200.1.1.9", "[fd00:0:0::9]:80")
    w.rest()
    # The port has no IPv6 address, so the IPv6 VIP is reported and not published (spec routes-4.4).
    hop = "via 169.254.100.1"
    assert w.published() == [
        f"10.1.0.1/24 {hop}",
        f"10.1.0.1/24 {hop} table rtb1 override",
        f"10.3.0.0/16 {hop} table rtb1",
        f"192.168.1.0/24 {hop} connected-dynamic",
        f"192.168.1.0/24 {hop} table rtb1 override",
        f"200.1.1.9/32 {hop} loadbalancer",
    ]
    lr = w.find("az1", "Logical_Router", "lr").uuid
    assert w.route("10.1.0.1/24")["external_ids"] == {"nb-id": lan, "lr-id": lr}
    assert w.route("10.3.0.0/16", "rtb1")["external_ids"]["nb-id"] == static
    assert w.route("192.168.1.0/24")["external_ids"]["nb-id"] == lr
    # QUIRK: the row for the port's own table says connected.
    assert w.route("192.168.1.0/24", "rtb1")["origin"] == "connected"
    assert w.route("200.1.1.9/32")["external_ids"]["nb-id"] == balancer
    assert w.route("10.1.0.1/24")["options"] == {}


def test_vip_keys() -> None:
    """Host routes of VIPs; a key that cannot be read is reported (spec routes-S3, routes-P5, routes-8)."""
    w = one("169.254.100.1/24", "2001:db8::1/64", zone={**LB, "ic-route-learn": "false"})
    w.balancer("az1", "lr", "200.1.1.9:80", "200.1.1.9:443", "[fd00:0:0::9]:80", "^vip:^port")
    w.rest()
    assert w.published() == ["200.1.1.9/32 via 169.254.100.1 loadbalancer", "fd00::9/128 via 2001:db8::1 loadbalancer"]
    assert '"^vip:^port"' in reason_of(w, "VIP")
    w.zone_options("az1", ic_route_adv_lb="yes")
    w.rest()
    assert w.published() == []
    assert w.reasons("az1") == {}


def test_vips_follow_balancers_and_groups() -> None:
    """Balancers of the router and of its groups count (spec routes-S3)."""
    w = one(zone=LB)
    lr = w.find("az1", "Logical_Router", "lr").uuid
    balancer = w.put(w.nb("az1"), "Load_Balancer", vips={"200.1.1.1": ""})
    group = w.put(w.nb("az1"), "Load_Balancer_Group", load_balancer={balancer})
    w.put(w.nb("az1"), "Logical_Router", lr, load_balancer_group={group})
    w.rest()
    assert w.published() == ["200.1.1.1/32 via 169.254.100.1 loadbalancer"]
    w.put(w.nb("az1"), "Load_Balancer", balancer, vips={"200.1.1.2": ""})
    w.rest()
    assert w.published() == ["200.1.1.2/32 via 169.254.100.1 loadbalancer"]
    w.put(w.nb("az1"), "Load_Balancer_Group", group, load_balancer=set())
    w.rest()
    assert w.published() == []
    w.put(w.nb("az1"), "Load_Balancer_Group", group, load_balancer={balancer})
    w.rest()
    assert len(w.published()) == 1
    with w.batch():  # group and membership vanish in one update
        w.put(w.nb("az1"), "Logical_Router", lr, load_balancer_group=set())
        w.delete(w.nb("az1"), "Load_Balancer_Group", group)
    w.rest()
    assert w.published() == []
    w.put(w.nb("az1"), "Logical_Router", lr, load_balancer={balancer})
    w.rest()
    with w.batch():
        w.put(w.nb("az1"), "Logical_Router", lr, load_balancer=set())
        w.delete(w.nb("az1"), "Load_Balancer", balancer)
    w.rest()
    assert w.published() == []


@pytest.mark.parametrize(
    "columns, published",
    [
        ({"ip_prefix": "10.0.0.0/8"}, ["10.0.0.0/8"]),
        ({"ip_prefix": "10.0.0.5"}, ["10.0.0.5/32"]),
        ({"ip_prefix": "10.0.0.1/255.255.0.0"}, ["10.0.0.1/16"]),
        ({"ip_prefix": "10.0.0.0/8", "nexthop": "discard"}, ["10.0.0.0/8"]),
        ({"ip_prefix": "10.0.0.0/8", "nexthop": ""}, []),
        ({"ip_prefix": "10.0.0.0/8", "nexthop": "fe80::1"}, []),  # QUIRK: meant for learning
        ({"ip_prefix": "10.0.0.0/8", "nexthop": "fe80:10::1"}, ["10.0.0.0/8"]),
        ({"ip_prefix": "rubbish"}, []),
        ({"ip_prefix": "10.0.0.0/8", "policy": "src-ip"}, []),
        ({"ip_prefix": "10.0.0.0/8", "policy": "dst-ip"}, ["10.0.0.0/8"]),
        ({"ip_prefix": "10.0.0.0/8", "route_table": "other"}, []),
        ({"ip_prefix": "169.254.3.0/24"}, []),
        ({"ip_prefix": "169.0.0.0/8"}, ["169.0.0.0/8"]),
        ({"ip_prefix": "0.0.0.0/0"}, []),
        ({"ip_prefix": "10.0.0.0/8", "external_ids": {"ic-learned-route": "00000000-0000-0000-0000-000000000001"}}, []),
        ({"ip_prefix": "10.259.0.0/16"}, []),  # upstream lets octets wrap (spec routes-P1)
        ({"ip_prefix": "10.0.0.0/8", "external_ids": {"ic-learned-route": "junk"}}, ["10.0.0.0/8"]),
    ],
)
def test_static_routes(columns: dict[str, Any], published: list[str]) -> None:
    """Which static routes are advertised (spec routes-4.3.2, routes-4.3.3, routes-4.3.4, routes-S1)."""
    w = one(zone={"ic-route-adv": "true"})
    w.put(w.nb("az1"), "Logical_Router_Static_Route", "00000000-0000-0000-0000-00000000000a", **{"nexthop": "10.9.9.9", **columns})
    lr = w.find("az1", "Logical_Router", "lr").uuid
    w.put(w.nb("az1"), "Logical_Router", lr, static_routes={"00000000-0000-0000-0000-00000000000a"})
    w.settle()
    assert [text.split(" ")[0] for text in w.published()] == published
    # A full pass agrees, apart from learned routes without a route in IC_SB, which go.
    missed = [group for group in w.full_pass() if group.subject == "advertised_routes"]
    assert missed == []


def test_connected_networks_of_transit_ports_are_not_advertised() -> None:
    """Networks of transit ports are left out while these take part (spec routes-S2)."""
    w = RoutesWorld(1, ("ts1", "ts2"))
    w.connect("az1", "lr", "ts1", "10.100.1.1/24")
    w.connect("az1", "lr", "ts2", "10.100.2.1/24")
    w.rest()
    assert w.published() == []
    # One that does not take part is an ordinary network (spec routes-S2).
    binding = named(w.ic_sb, "Port_Binding", "az1-lr-ts2", "logical_port").uuid
    w.put(w.ic_sb, "Port_Binding", binding, external_ids={})
    w.rest()
    assert w.published() == ["10.100.2.1/24 via 10.100.1.1"]
    w.bind("az1", "az1-lr-ts2")
    w.rest()
    assert w.published() == []


def test_networks_come_and_go() -> None:
    """An entry that is not a network is skipped (spec routes-S2)."""
    w = one()
    lan = w.lan("az1", "lr", "10.0.1.1/24", "junk")
    w.rest()
    assert w.published() == ["10.0.1.1/24 via 169.254.100.1"]
    w.put(w.nb("az1"), "Logical_Router_Port", lan, networks={"10.0.2.1/24", "10.0.3.1/24"})
    w.rest()
    assert w.published() == ["10.0.2.1/24 via 169.254.100.1", "10.0.3.1/24 via 169.254.100.1"]
    w.remove(w.nb("az1"), "Logical_Router", "ports", lan)
    w.rest()
    assert w.published() == []


# ---- Next hops -------------------------------------------------------------------------------------------------------


def test_the_first_address_in_byte_order_is_the_next_hop() -> None:
    """The first address of the port is the next hop (spec routes-4.4, routes-P8)."""
    w = one("169.254.100.11/24", "169.254.100.1/24", "169.254.100.101/24")
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    assert w.published() == ["10.0.0.0/8 via 169.254.100.1"]


def test_quirk_link_local_next_hops_are_told_once_and_never_written() -> None:
    """No link-local next hop is made up, and an own row with one goes (spec routes-4.4, newest-N-16, newest-N-17)."""
    w = one()
    lan = w.lan("az1", "lr", "2001:db8:5::1/64")
    w.static("az1", "lr", "2001:db8:6::/64")
    w.foreign("az1", "ts1", "2001:db8:5::1/64", "fe80::a8aa:aaff:feaa:aa01")
    w.rest()
    assert w.published() == []
    assert "link-local" in reason_of(w, "IPv6")
    w.remove(w.nb("az1"), "Logical_Router", "ports", lan)
    w.rest()
    assert len(w.reasons("az1")) == 1
    route = next(row for row in w.nb("az1").rows("Logical_Router_Static_Route")).uuid
    w.drop_static("az1", route)
    w.rest()
    assert w.reasons("az1") == {}
    w.static("az1", "lr", "2001:db8:6::/64")
    w.rest()
    assert len(w.reasons("az1")) == 1
    w.put(w.nb("az1"), "Logical_Router_Port", w.find("az1", "Logical_Router_Port", "az1-lr-ts1").uuid, networks={"2001:db8::1/64"})
    w.bind("az1", "az1-lr-ts1")
    w.rest()
    assert (w.published(), w.reasons("az1")) == (["2001:db8:6::/64 via 2001:db8::1"], {})


def test_a_vip_without_a_next_hop_is_told_about() -> None:
    w = one("2001:db8::1/64", zone=LB)
    balancer = w.balancer("az1", "lr", "200.1.1.1")
    w.rest()
    assert (w.published(), "no IPv4 address" in reason_of(w, "VIPs")) == ([], True)
    w.put(w.nb("az1"), "Load_Balancer", balancer, vips={})
    w.put(w.nb("az1"), "Logical_Router", w.find("az1", "Logical_Router", "lr").uuid, load_balancer=set())
    w.rest()


def test_an_address_that_is_none() -> None:
    """A port whose address cannot be read advertises nothing (spec routes-4.2, routes-P4)."""
    w = one()
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    for address in ("", "unknown", "169.254.100.1/24"):
        w.bind("az1", "az1-lr-ts1", address=address)
        w.rest()
        assert w.published() == []
    w.bind("az1", "az1-lr-ts1", address="aa:aa:aa:aa:aa:01 169.254.100.1/24 junk 10.1.1.1/24")
    w.rest()
    assert w.published() == ["10.0.0.0/8 via 169.254.100.1"]


# ---- Duplicates ------------------------------------------------------------------------------------------------------


def test_equal_static_routes_make_one_row_of_the_lowest_uuid() -> None:
    """Equal routes are one row, which names the first source and keeps its uuid (spec routes-4.6, routes-4.8)."""
    w = one()
    uuids = [w.static("az1", "lr", "1.1.1.0/24", f"10.0.0.{n}") for n in range(4)]
    w.rest()
    row = w.route("1.1.1.0/24")
    assert row["external_ids"]["nb-id"] == min(uuids)
    assert w.reasons("az1") == {}  # an ECMP route: the row stands for all of its members
    w.drop_static("az1", min(uuids))
    w.rest()
    kept = w.route("1.1.1.0/24")
    assert (kept.uuid, kept["external_ids"]["nb-id"]) == (row.uuid, min(set(uuids) - {min(uuids)}))
    for uuid in set(uuids) - {min(uuids)}:
        w.drop_static("az1", uuid)
    w.rest()
    assert (w.published(), w.reasons("az1")) == ([], {})


def test_equal_balancers_make_one_row_of_the_lowest_uuid() -> None:
    w = one(zone=LB)
    uuids = [w.balancer("az1", "lr", f"200.1.1.1:{port}") for port in (80, 81, 82, 83)]
    w.rest()
    assert w.route("200.1.1.1/32")["external_ids"]["nb-id"] == min(uuids)
    assert w.reasons("az1") == {}  # such as one balancer for TCP and one for UDP


def test_the_words_of_a_suppressed_route_of_another_router_with_the_same_address() -> None:
    """A dropped duplicate is reported (spec routes-4.6, routes-8)."""
    w = one()
    w.connect("az1", "lr9", "ts1", "169.254.100.1/24", mac="aa:aa:aa:aa:aa:09")
    lans = {router: w.lan("az1", router, "10.0.0.1/24") for router in ("lr", "lr9")}
    w.rest()
    kept = w.route("10.0.0.1/24")["external_ids"]["nb-id"]
    (other,) = set(lans.values()) - {kept}
    assert reason_of(w, "suppressed").startswith(f"connected route advertisement was suppressed! NB lrp uuid: {other}")


@pytest.mark.parametrize(("table", "name"), [("Logical_Router_Port", "az1-lr-ts1"), ("Logical_Switch_Port", "az1-lr-ts1")])
def test_a_disabled_port_on_the_transit_switch_carries_no_routes(table: str, name: str) -> None:
    w = one()
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    published = w.published()
    assert published
    uuid = w.find("az1", table, name).uuid
    w.put(w.nb("az1"), table, uuid, enabled=False)
    w.rest()
    assert w.published() == []
    w.put(w.nb("az1"), table, uuid, enabled=True)
    w.rest()
    assert w.published() == published


def test_the_networks_of_a_disabled_router_port_are_withdrawn() -> None:
    w = one()
    lan = w.lan("az1", "lr", "10.0.0.1/24")
    w.rest()
    assert w.published() == ["10.0.0.1/24 via 169.254.100.1"]
    w.put(w.nb("az1"), "Logical_Router_Port", lan, enabled=False)
    w.rest()
    assert w.published() == []
    w.put(w.nb("az1"), "Logical_Router_Port", lan, enabled=None)
    w.rest()
    assert w.published() == ["10.0.0.1/24 via 169.254.100.1"]


def test_quirk_sources_that_differ_outside_the_index_share_one_row() -> None:
    w = one(zone=LB)
    w.static("az1", "lr", "200.1.1.1/32")
    w.rest()
    assert w.published() == ["200.1.1.1/32 via 169.254.100.1"]
    w.balancer("az1", "lr", "200.1.1.1")
    w.rest()
    assert w.published() == ["200.1.1.1/32 via 169.254.100.1"]  # as the row is
    assert "loadbalancer route advertisement was suppressed! NB loadbalancer uuid" in reason_of(w, "suppressed")
    row = w.route("200.1.1.1/32")
    w.drop_static("az1", next(w.nb("az1").rows("Logical_Router_Static_Route")).uuid)
    w.rest()
    assert w.published() == ["200.1.1.1/32 via 169.254.100.1 loadbalancer"]
    assert (w.route("200.1.1.1/32").uuid, w.reasons("az1")) == (row.uuid, {})


def test_quirk_which_source_gets_the_row_where_there_is_none() -> None:
    w = one(zone=LB)
    with w.batch():
        w.balancer("az1", "lr", "200.1.1.1")
        w.static("az1", "lr", "200.1.1.1/32")
        w.lan("az1", "lr", "200.1.1.1/32")
        w.dynamic("az1", "lr", "200.1.1.1/32")
    w.rest()
    assert w.route("200.1.1.1/32")["origin"] == "connected"
    with w.batch():
        w.static("az1", "lr", "10.0.0.0/8")
        w.static("az1", "lr", "10.0.0.0/8", options={"override-connected": "TRUE"})
    w.rest()
    assert w.route("10.0.0.0/8")["options"] == {"override-connected": "true"}


def test_two_routers_with_one_next_hop() -> None:
    w = one()
    w.connect("az1", "lr2", "ts1", "169.254.100.1/24")
    for router in ("lr", "lr2"):
        w.static("az1", router, "10.0.0.0/8")
    w.rest()
    assert w.published() == ["10.0.0.0/8 via 169.254.100.1"]
    first = w.route("10.0.0.0/8")["external_ids"]["lr-id"]
    name = next(row["name"] for row in w.nb("az1").rows("Logical_Router") if row.uuid == first)
    w.unplug("az1", f"az1-{name}-ts1")
    w.rest()
    assert w.published()[0] == "10.0.0.0/8 via 169.254.100.1"
    assert w.route("10.0.0.0/8")["external_ids"]["lr-id"] != first


# ---- Rows that are there ---------------------------------------------------------------------------------------------


def test_bad_own_rows_and_orphans_go_and_others_stay() -> None:
    """Own rows that are bad, unwanted or orphans are deleted, those of other zones stay (spec routes-4.7.1, routes-4.7.2, routes-6.c)."""
    w = RoutesWorld(2)
    w.connect("az1", "lr", "ts1", "169.254.100.1/24")
    w.static("az1", "lr", "10.0.0.0/8")
    for prefix, hop in (("10.0.0.0/8", "169.254.100.9"), ("11.0.0.0/8", "169.254.100.1"), ("junk", "169.254.100.1"), ("10.0.0.0/8", "")):
        w.foreign("az1", "ts1", prefix, hop)
    w.foreign("az1", "ts1", "12.0.0.0/8", "169.254.100.1/24")
    w.foreign("az1", "nowhere", "10.0.0.0/8", "169.254.100.1")
    w.foreign("az2", "nowhere", "13.0.0.0/8", "169.254.100.77")
    w.stop("az2")
    w.settle()
    assert w.published("az1") == ["10.0.0.0/8 via 169.254.100.1"]
    assert w.published("az2") == ["13.0.0.0/8 via 169.254.100.77"]


def test_texts_that_mean_the_same_are_kept() -> None:
    """A row whose text means the same is kept, with new external_ids (spec routes-4.7.2)."""
    w = one()
    row = w.foreign("az1", "ts1", "10.0.0.0/255.0.0.0", "169.254.100.1", external_ids={"x": "y"})
    lr = w.find("az1", "Logical_Router", "lr").uuid
    static = w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    kept = w.ic_sb.row("Route", row)
    assert kept is not None
    assert (kept["ip_prefix"], kept["external_ids"]) == ("10.0.0.0/255.0.0.0", {"x": "y", "nb-id": static, "lr-id": lr})
    w.foreign("az1", "ts1", "10.0.0.0/8", "169.254.100.1")
    w.rest()
    assert len(w.published()) == 1


@pytest.mark.parametrize("what", ["transit switch", "mark", "membership", "router port", "mac", "address"])
def test_what_section_6_deletes_is_not_advertised_either(what: str) -> None:
    """What makes a row an orphan also keeps it from being advertised (spec routes-4.1, routes-6.a, routes-6.b, routes-6.d)."""
    w = one()
    nb = w.nb("az1")
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    assert len(w.published()) == 1
    switch = w.find("az1", "Logical_Switch", "ts1").uuid
    port = w.find("az1", "Logical_Switch_Port", "az1-lr-ts1").uuid
    lrp = w.find("az1", "Logical_Router_Port", "az1-lr-ts1").uuid
    if what == "transit switch":
        w.delete(w.ic_nb, "Transit_Switch", named(w.ic_nb, "Transit_Switch", "ts1").uuid)
    elif what == "mark":
        w.put(nb, "Logical_Switch", switch, other_config={})
    elif what == "membership":
        other = w.put(nb, "Logical_Switch", name="plain")
        with w.batch():
            w.put(nb, "Logical_Switch", other, ports={port})
            w.put(nb, "Logical_Switch", switch, ports=set())
    elif what == "router port":
        w.remove_lrp("az1", "az1-lr-ts1")
    elif what == "mac":
        w.put(nb, "Logical_Router_Port", lrp, mac="junk")
    else:
        w.put(nb, "Logical_Router_Port", lrp, networks={"169.254.100.2/24"})
    w.rest()
    assert w.published() == []


def test_quirk_a_switch_renamed_in_nb_keeps_its_routes() -> None:
    w = one()
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    before = {row.uuid for row in w.ic_sb.rows("Route")}
    w.put(w.nb("az1"), "Logical_Switch", w.find("az1", "Logical_Switch", "ts1").uuid, name="other")
    w.rest()
    assert {row.uuid for row in w.ic_sb.rows("Route")} == before
    assert len(before) == 1
    w.static("az1", "lr", "11.0.0.0/8")
    w.rest()
    assert w.published() == ["10.0.0.0/8 via 169.254.100.1", "11.0.0.0/8 via 169.254.100.1"]
    w.check_law()


def backed_by_another_port() -> RoutesWorld:
    """A router has lost its router port, and its route stays: another port on the switch has the network of the next hop."""
    w = one("2001:db8::1/64")
    w.static("az1", "lr", "2001:db8:6::/64")
    w.connect("az1", "lr2", "ts1", "2001:db8::2/64")
    w.remove_lrp("az1", "az1-lr-ts1")
    w.rest()
    assert w.published() == ["2001:db8:6::/64 via 2001:db8::1"]
    return w


def test_another_port_of_the_switch_may_back_a_next_hop() -> None:
    """Any router port on the switch backs the next hop of a row (spec routes-6.d)."""
    w = backed_by_another_port()
    w.unplug("az1", "az1-lr2-ts1")
    w.rest()
    assert w.published() == []


def test_another_port_goes_with_its_router_port_in_one_turn() -> None:
    w = backed_by_another_port()
    with w.batch():
        w.remove_lrp("az1", "az1-lr2-ts1")
        w.unplug("az1", "az1-lr2-ts1")
    w.rest()
    assert w.published() == []


def test_nothing_is_rewritten_for_a_failover() -> None:
    w = one()
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    w.bind("az1", "az1-lr-ts1", gateway="gw2")
    assert not w.engine.has_work


# ---- Life cycle, participating ports ---------------------------------------------------------------------------------


def test_switching_off_and_on() -> None:
    """ic-route-adv off deletes all own rows (spec routes-4.3.1, routes-7)."""
    w = one()
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    for value, count in (("false", 0), ("TRUE", 1), ("1", 0), ("true", 1)):
        w.zone_options("az1", ic_route_adv=value)
        w.rest()
        assert len(w.published()) == count
    w.zone_options("az1", unrelated="x")
    assert not w.engine.has_work


def test_router_deleted_with_its_switch_port_left() -> None:
    """The rows of a deleted router go (spec routes-3.6, routes-7)."""
    w = one()
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    w.delete(w.nb("az1"), "Logical_Router", w.find("az1", "Logical_Router", "lr").uuid)
    w.rest()
    assert w.published() == []


def test_route_table_and_tag_of_the_port_change() -> None:
    """Rows follow the table, and the tag in place (spec routes-4.8, routes-7)."""
    w = one(options={"route_table": "a", "ic-route-tag": "t1"})
    w.lan("az1", "lr", "10.0.0.1/24")
    w.static("az1", "lr", "10.1.0.0/16", route_table="b")
    w.rest()
    assert w.published() == ["10.0.0.1/24 via 169.254.100.1", "10.0.0.1/24 via 169.254.100.1 table a override"]
    main = w.route("10.0.0.1/24")
    assert main["external_ids"]["ic-route-tag"] == "t1"
    lrp = w.find("az1", "Logical_Router_Port", "az1-lr-ts1").uuid
    w.put(w.nb("az1"), "Logical_Router_Port", lrp, options={"route_table": "b", "ic-route-tag": "t2"})
    w.rest()
    hop = "via 169.254.100.1 table b"
    assert w.published() == ["10.0.0.1/24 via 169.254.100.1", f"10.0.0.1/24 {hop} override", f"10.1.0.0/16 {hop}"]
    assert (w.route("10.0.0.1/24").uuid, w.route("10.0.0.1/24")["external_ids"]["ic-route-tag"]) == (main.uuid, "t2")


def test_a_renamed_zone_keeps_its_rows() -> None:
    """The rows of a renamed zone stay (spec routes-7)."""
    w = one()
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    uuid = w.route("10.0.0.0/8").uuid
    w.put(w.ic_sb, "Availability_Zone", w.az(), name="north")
    w.rest()
    assert w.route("10.0.0.0/8").uuid == uuid


@pytest.mark.parametrize(
    "change, why",
    [
        ({"binding": {"type": "transit-router-port"}}, "transit router port"),
        ({"port": {"type": ""}}, "not of type router"),
        ({"port": {"type": "switch"}}, "not of type router"),
        ({"port": {"options": {}}}, "no options:router-port"),
        ({"binding": {"external_ids": {}}}, "does not name a router"),
        ({"binding": {"external_ids": {"router-id": "junk"}}}, "does not name a router"),
        ({"binding": {"external_ids": {"router-id": "00000000-0000-0000-0000-000000000000"}}}, "does not exist"),
        ({"binding": {"logical_port": "other"}}, "no logical switch port"),
    ],
)
def test_ports_that_take_no_part(change: dict[str, dict[str, Any]], why: str) -> None:
    """Which ports exchange no routes, each for its own reason (spec routes-3.1 to routes-3.6)."""
    w = one()
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    uuid = named(w.ic_sb, "Port_Binding", "az1-lr-ts1", "logical_port").uuid
    if "port" in change:
        w.put(w.nb("az1"), "Logical_Switch_Port", w.find("az1", "Logical_Switch_Port", "az1-lr-ts1").uuid, **change["port"])
    else:
        w.put(w.ic_sb, "Port_Binding", uuid, **change["binding"])
    w.rest()
    assert w.published() == []
    binding = w.ic_sb.row("Port_Binding", uuid)
    assert binding is not None
    assert why in str(participants.participant(w.zone, binding))


def test_quirk_a_port_without_router_port_is_kept_and_told_about() -> None:
    w = one()
    binding = named(w.ic_sb, "Port_Binding", "az1-lr-ts1", "logical_port").uuid
    w.put(w.ic_sb, "Port_Binding", binding, type=None)
    w.put(w.nb("az1"), "Logical_Switch_Port", w.find("az1", "Logical_Switch_Port", "az1-lr-ts1").uuid, options={})
    w.rest()
    assert w.ic_sb.row("Port_Binding", binding) is not None
    assert "no options:router-port" in w.reasons("az1")["az1-lr-ts1"]


def test_networks_that_do_not_count_for_learning_are_told_about() -> None:
    w = one("169.254.100.1/24", "0.0.0.0/0", "junk")
    w.rest()
    told = [skipped.reason for _subject, skipped in w.engine.skipped if skipped.record == "az1-lr-ts1"]
    assert len(told) == 2
    assert "0.0.0.0/0" in told[0]
    assert '"junk"' in told[1]
    w.zone_options("az1", ic_route_learn="false")
    w.rest()
    assert w.reasons("az1") == {}


def test_a_port_that_is_left_out_because_of_its_address_is_told_about() -> None:
    w = one()
    w.bind("az1", "az1-lr-ts1", address="unknown")
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    assert w.published() == []
    assert '"unknown"' in w.reasons("az1")["az1-lr-ts1"]
    # One without an address waits for ovn-northd, or its router is disabled: no fault of anybody's.
    w.bind("az1", "az1-lr-ts1", address="")
    w.rest()
    assert w.reasons("az1") == {}


@pytest.mark.parametrize(
    "options, told",
    [
        ({"ic_route_adv": "true", "ic_route_learn": "false"}, False),
        ({"ic_route_adv": "true", "ic_route_learn": "false", "ic_route_adv_lb": "true"}, True),
        ({"ic_route_adv": "false", "ic_route_learn": "false", "ic_route_adv_lb": "true"}, False),
        ({"ic_route_adv": "false", "ic_route_learn": "true"}, True),
    ],
)
def test_a_vip_that_cannot_be_read_is_told_about_where_it_would_count(options: dict[str, str], told: bool) -> None:
    w = one()
    w.balancer("az1", "lr", "junk", "10.0.0.1")
    w.rest()
    w.zone_options("az1", **options)
    w.rest()
    assert ['VIP "junk"' in reason for reason in w.reasons("az1").values()] == [True] * told


def test_a_missing_router_port_stands_for_empty_options() -> None:
    w = one("2001:db8::1/64")
    w.static("az1", "lr", "2001:db8:6::/64")
    w.connect("az1", "lr2", "ts1", "2001:db8::2/64")
    w.options("az1", "Logical_Router_Port", "az1-lr-ts1", ic_route_tag="t")
    w.rest()
    assert w.route("2001:db8:6::/64")["external_ids"]["ic-route-tag"] == "t"
    w.remove_lrp("az1", "az1-lr-ts1")
    w.rest()
    assert "ic-route-tag" not in w.route("2001:db8:6::/64")["external_ids"]


# ---- Versions (spec routes-9.2) --------------------------------------------------------------------------------------


def with_origins(*origins: str, lacking: tuple[str, ...] = ()) -> dict[str, ServerSchema]:
    schemas = schemas_without(*lacking)
    columns = schemas["OVN_IC_Southbound"].json["tables"]["Route"]["columns"]
    columns["origin"] = {"type": {"key": {"type": "string", "enum": ["set", list(origins)]}}}
    return schemas


def sources_world(schemas: dict[str, ServerSchema]) -> RoutesWorld:
    w = one(options={"route_table": "t"}, zone=LB, schemas=schemas)
    w.lan("az1", "lr", "10.1.0.1/24")
    w.balancer("az1", "lr", "200.1.1.1")
    w.static("az1", "lr", "10.2.0.0/16", route_table="t", options={"override-connected": "true"})
    return w


def test_schema_of_2303() -> None:
    """What 23.03 cannot hold is left out, and said (spec routes-9.1, routes-9.2)."""
    w = sources_world(with_origins("connected", "static", lacking=(*LACKING_IN_2303, "OVN_IC_Southbound.Route.options")))
    w.rest()
    assert w.published() == ["10.1.0.1/24 via 169.254.100.1", "10.2.0.0/16 via 169.254.100.1 table t"]
    assert "ic-route-adv-lb has no effect" in w.reasons("az1")["NB_Global"]


def test_schema_of_2603() -> None:
    """What 26.03 cannot hold is published in its own way (spec routes-9.1, routes-9.2)."""
    w = sources_world(with_origins("connected", "static", "loadbalancer", lacking=("OVN_IC_Southbound.Route.options",)))
    w.dynamic("az1", "lr", "192.168.1.0/24")
    w.rest()
    assert w.published() == [
        "10.1.0.1/24 via 169.254.100.1",
        "10.2.0.0/16 via 169.254.100.1 table t",
        "192.168.1.0/24 via 169.254.100.1",
        "200.1.1.1/32 via 169.254.100.1 loadbalancer",
    ]
    assert w.route("192.168.1.0/24")["external_ids"]["nb-id"] == w.find("az1", "Logical_Router", "lr").uuid
    assert w.reasons("az1") == {}


def test_schema_of_before_2112() -> None:
    """Only routes of the main table are published (spec routes-9.1, routes-9.2)."""
    lacking = tuple(f"OVN_IC_Southbound.Route.{column}" for column in ("options", "origin", "route_table"))
    w = sources_world(schemas_without(*lacking))
    w.static("az1", "lr", "10.3.0.0/16")
    w.rest()
    assert {text.split(" ")[0] for text in w.published()} >= {"10.1.0.1/24"}
    assert {row["route_table"] for row in w.ic_sb.rows("Route")} == {""}


def test_datapath_by_external_id() -> None:
    """The datapath of a router is found by external_ids where there is no nb_uuid (spec routes-2.2, routes-9.2)."""
    w = one(schemas=schemas_without("OVN_Southbound.Datapath_Binding.nb_uuid"))
    w.dynamic("az1", "lr", "192.168.1.0/24")
    w.rest()
    assert w.published() == ["192.168.1.0/24 via 169.254.100.1 connected-dynamic"]


# ---- Reasons ---------------------------------------------------------------------------------------------------------


def test_verdicts_say_why() -> None:
    w = one()
    view = RouteView(w.zone, w.az())
    port = participants.ports_of(view, w.find("az1", "Logical_Router", "lr").uuid)[0]
    w.static("az1", "lr", "0.0.0.0/0")
    w.static("az1", "lr", "10.0.0.0/8")
    w.static("az1", "lr", "2001:db8::/32")
    found = sources.sources(view, port)
    verdicts = {source.prefix.length: decision.verdict(w.zone, port, source) for source in found}
    assert verdicts[8] is None
    assert "ic-route-adv-default" in str(verdicts[0])
    assert "link-local" in str(verdicts[32])


# ---- Split horizon ---------------------------------------------------------------------------------------------------


def test_a_route_whose_next_hop_is_on_the_transit_switch_is_not_advertised_back_on_it() -> None:
    w = RoutesWorld(1, ["ts1", "ts2"])
    w.connect("az1", "lr", "ts1", "169.254.100.1/24", "fd00:100::1/64")
    w.connect("az1", "lr", "ts2", "169.254.200.1/24")
    w.static("az1", "lr", "10.1.0.0/16", "169.254.100.9")
    w.static("az1", "lr", "10.2.0.0/16", "10.99.0.1")
    w.static("az1", "lr", "10.3.0.0/16", "10.99.0.1", output_port="az1-lr-ts1")
    w.static("az1", "lr", "10.4.0.0/16", "169.254.100.9", output_port="elsewhere")
    w.dynamic("az1", "lr", "10.5.0.0/16", "169.254.100.9")
    w.dynamic("az1", "lr", "10.6.0.0/16", "fe80::9")
    w.rest()
    on_ts1 = {text.split(" ")[0] for text in w.published() if "169.254.100.1" in text}
    on_ts2 = {text.split(" ")[0] for text in w.published() if "169.254.200.1" in text}
    assert on_ts1 == {"10.2.0.0/16", "10.4.0.0/16", "10.6.0.0/16"}
    assert on_ts2 == {f"10.{number}.0.0/16" for number in range(1, 7)}
    w.zone_options("az1", ic_route_adv_via_transit="true")
    w.rest()
    assert {text.split(" ")[0] for text in w.published() if "169.254.100.1" in text} == on_ts2


def test_split_horizon_follows_the_networks_of_every_port_of_the_router_on_the_switch() -> None:
    w = RoutesWorld(1)
    w.connect("az1", "lr", "ts1", "169.254.100.1/24", port="one")
    w.connect("az1", "lr", "ts1", "169.254.101.1/24", port="two")
    w.static("az1", "lr", "10.1.0.0/16", "169.254.101.9")
    w.rest()
    assert w.published() == []
    w.options("az1", "Logical_Router_Port", "two", x="y")
    lrp = w.find("az1", "Logical_Router_Port", "two")
    w.put(w.nb("az1"), "Logical_Router_Port", lrp.uuid, networks=frozenset(["169.254.102.1/24"]))
    w.bind("az1", "two")
    w.rest()
    assert w.published() == ["10.1.0.0/16 via 169.254.100.1", "10.1.0.0/16 via 169.254.102.1"]
