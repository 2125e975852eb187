# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The odd behaviours of the route exchange (docs/spec/routes.md), one test each; docs/quirks.md lists them."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.simulated_zones import named

from .routes_world import BOTH, RoutesWorld

HOP = "169.254.100.9"
VIA = "via 169.254.100.1"


def one(*networks: str, **options: str) -> RoutesWorld:
    """Zone az1 with router lr on ts1; zone az2 has no daemon, its rows are written by hand."""
    w = RoutesWorld(2, options={**BOTH, **{key.replace("_", "-"): value for key, value in options.items()}})
    w.stop("az2")
    w.connect("az1", "lr", "ts1", *(networks or ("169.254.100.1/24",)))
    return w


def test_quirk_p1_octets_above_255_are_refused_and_do_not_wrap() -> None:
    """Text with octets above 255 is not a prefix (spec routes-P1)."""
    w = one()
    w.static("az1", "lr", "10.259.0.0/16")
    w.foreign("az2", "ts1", "11.300.0.0/16", HOP)
    w.rest()
    assert (w.published("az1"), w.learned("az1", "lr")) == ([], [])
    assert "is not a prefix" in next(iter(w.reasons("az1").values()))


def test_quirk_3_ports_that_ic_nb_manages_exchange_no_routes() -> None:
    """A managed port has no router-id (spec routes-3.5)."""
    w = one()
    w.static("az1", "lr", "10.0.0.0/8")
    w.foreign("az2", "ts1", "11.0.0.0/8", HOP)
    w.rest()
    assert (w.published("az1"), w.prefixes("az1", "lr")) == ([f"10.0.0.0/8 {VIA}"], ["11.0.0.0/8"])
    # The port becomes managed: its binding names no router any more.
    w.options("az1", "Logical_Switch_Port", "az1-lr-ts1", interconn_tsp="az1-lr-ts1")
    w.put(w.ic_sb, "Port_Binding", named(w.ic_sb, "Port_Binding", "az1-lr-ts1", "logical_port").uuid, external_ids={})
    w.rest()
    assert (w.published("az1"), w.prefixes("az1", "lr")) == ([], [])


@pytest.mark.parametrize("kind", ["transit-switch-port", None])
def test_quirk_3_4_a_port_without_router_port_keeps_its_row(kind: str | None) -> None:
    """The row of a port without router-port stays, and the port does not participate (spec routes-3.4, newest-N-19)."""
    w = one()
    w.static("az1", "lr", "10.0.0.0/8")
    binding = named(w.ic_sb, "Port_Binding", "az1-lr-ts1", "logical_port").uuid
    w.put(w.ic_sb, "Port_Binding", binding, type=kind)
    w.put(w.nb("az1"), "Logical_Switch_Port", w.find("az1", "Logical_Switch_Port", "az1-lr-ts1").uuid, options={})
    w.rest()
    assert w.ic_sb.row("Port_Binding", binding) is not None
    assert w.published("az1") == []


@pytest.mark.parametrize("networks", [("169.254.100.1/24",), ("169.254.100.1/24", "fe80::5/64")])
def test_quirk_4_4_ipv6_routes_with_a_link_local_next_hop_are_never_written(networks: tuple[str, ...]) -> None:
    """A next hop in fe80::/64 is never written (spec routes-4.4, newest-N-16)."""
    w = one(*networks)
    w.static("az1", "lr", "2001:db8:6::/64")
    w.rest()
    assert [change for change in w.site("az1").written if change.table == "Route"] == []
    assert "link-local" in next(iter(w.reasons("az1").values()))


def test_quirk_4_4_a_next_hop_outside_the_link_local_64_is_an_ordinary_one() -> None:
    """fe80:10::1 is an ordinary next hop (spec routes-4.4)."""
    w = one("fe80:10::1/64")
    w.static("az1", "lr", "2001:db8:6::/64")
    w.rest()
    assert w.published("az1") == ["2001:db8:6::/64 via fe80:10::1"]


def test_quirk_s1_a_static_route_with_a_link_local_nexthop_is_not_advertised() -> None:
    """A static route through fe80::/64 is not advertised (spec routes-S1)."""
    w = one()
    w.static("az1", "lr", "10.0.0.0/8", "fe80::1")
    w.static("az1", "lr", "11.0.0.0/8", "fe80:10::1")
    w.rest()
    assert w.published("az1") == [f"11.0.0.0/8 {VIA}"]


def test_quirk_s1_a_discard_route_is_advertised() -> None:
    """A discard route is advertised (spec routes-S1)."""
    w = one()
    w.static("az1", "lr", "10.0.0.0/8", "discard")
    w.rest()
    assert w.published("az1") == [f"10.0.0.0/8 {VIA}"]


def test_quirk_s2_connected_networks_keep_their_host_bits() -> None:
    """Networks keep their host bits (spec routes-S2)."""
    w = one()
    w.lan("az1", "lr", "192.168.1.1/24")
    w.rest()
    assert w.published("az1") == [f"192.168.1.1/24 {VIA}"]


def test_quirk_s4_the_dynamic_row_of_the_ports_own_table_is_of_origin_connected() -> None:
    """The row of the port's own table is of origin connected (spec routes-S4)."""
    w = one()
    w.put(w.nb("az1"), "Logical_Router_Port", w.find("az1", "Logical_Router_Port", "az1-lr-ts1").uuid, options={"route_table": "rtb1"})
    w.dynamic("az1", "lr", "192.168.1.0/24")
    w.rest()
    assert [w.route("192.168.1.0/24", table)["origin"] for table in ("", "rtb1")] == ["connected-dynamic", "connected"]


def test_quirk_4_6_sources_of_one_row_do_not_block_each_other() -> None:
    """One of several sources gets the row of an index key (spec routes-4.6)."""
    w = one(ic_route_adv_lb="true")
    w.lan("az1", "lr", "200.1.1.1/32")
    w.static("az1", "lr", "200.1.1.1/32")
    w.balancer("az1", "lr", "200.1.1.1")
    w.dynamic("az1", "lr", "200.1.1.1/32")
    w.static("az1", "lr", "10.0.0.0/8")
    w.static("az1", "lr", "10.0.0.0/8", options={"override-connected": "true"})
    w.rest()
    assert sorted(row["ip_prefix"] for row in w.ic_sb.rows("Route")) == ["10.0.0.0/8", "200.1.1.1/32"]
    assert any("suppressed" in reason for reason in w.reasons("az1").values())


def test_quirk_4_7_routes_of_a_switch_without_a_participating_port_go() -> None:
    w = one()
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    assert w.published("az1") == [f"10.0.0.0/8 {VIA}"]
    w.bind(
        "az1", "az1-lr-ts1", external_ids={}
    )  # no router-id: the port does not participate, though its router port still has the next hop
    w.rest()
    assert w.published("az1") == []


@pytest.mark.parametrize("strict, learned", [("false", ["10.1.0.1/24", "10.2.0.1/24"]), ("true", [])])
def test_quirk_5_6_destinations_are_compared_by_text_unless_told_otherwise(strict: str, learned: list[str]) -> None:
    """Destinations are compared by text (spec routes-5.6.8, routes-5.6.11)."""
    w = one(ic_route_strict_prefix=strict, ic_route_adv="false")
    w.static("az1", "lr", "10.1.0.0/24")
    w.dynamic("az1", "lr", "10.2.0.0/24")
    for prefix in ("10.1.0.0/24", "10.1.0.1/24", "10.2.0.0/24", "10.2.0.1/24"):
        w.foreign("az2", "ts1", prefix, HOP)
    w.rest()
    assert w.prefixes("az1", "lr") == learned


def test_quirk_5_6_a_local_source_route_keeps_the_destination_from_being_learned() -> None:
    """The policy of a local route does not count (spec routes-5.6.8)."""
    w = one()
    w.static("az1", "lr", "10.1.0.0/24", policy="src-ip")
    w.foreign("az2", "ts1", "10.1.0.0/24", HOP)
    w.rest()
    assert (w.published("az1"), w.prefixes("az1", "lr")) == ([], [])


def test_quirk_5_6_a_broken_mark_is_advertised_and_is_no_local_route() -> None:
    """A value that is not a uuid marks neither a learned route nor a local one (spec routes-P6, routes-5.6.8)."""
    w = one()
    w.static("az1", "lr", "10.1.0.0/24", external_ids={"ic-learned-route": "junk"})
    w.foreign("az2", "ts1", "10.1.0.0/24", HOP)
    w.rest()
    assert (w.published("az1"), w.prefixes("az1", "lr")) == ([f"10.1.0.0/24 {VIA}"], ["10.1.0.0/24"])


def test_quirk_5_6_any_vip_inside_stops_an_aggregate_and_host_bits_defeat_that() -> None:
    """Any VIP inside a prefix stops it; host bits defeat that (spec routes-5.6.10)."""
    w = one(ic_route_learn_default="true", ic_route_adv="false")
    w.balancer("az1", "lr", "10.0.0.9:80")
    for prefix in ("0.0.0.0/0", "10.0.0.0/8", "10.0.0.9/8", "11.0.0.0/8"):
        w.foreign("az2", "ts1", prefix, HOP)
    w.rest()
    assert w.prefixes("az1", "lr") == ["10.0.0.9/8", "11.0.0.0/8"]


@pytest.mark.parametrize("filter_tag, learned", [(None, []), ("x", ["10.0.0.0/8"])])
def test_quirk_5_4_an_empty_tag_matches_an_unset_filter(filter_tag: str | None, learned: list[str]) -> None:
    """An empty tag equals an unset filter (spec routes-5.4)."""
    w = one()
    w.options("az1", "Logical_Router_Port", "az1-lr-ts1", ic_route_filter_tag=filter_tag)
    w.foreign("az2", "ts1", "10.0.0.0/8", HOP, external_ids={"ic-route-tag": ""})
    w.rest()
    assert w.prefixes("az1", "lr") == learned


def test_quirk_6_a_next_hop_that_nothing_backs_is_neither_kept_nor_published_again() -> None:
    w = one()
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    w.remove_lrp("az1", "az1-lr-ts1")  # the binding keeps its address until ovn-northd has seen it
    before = len(w.site("az1").written)
    w.rest()
    assert w.published("az1") == []
    assert [change.action for change in w.site("az1").written[before:] if change.table == "Route"] in ([], ["delete"])


def test_quirk_6_routes_of_a_dead_zone_stay() -> None:
    w = one()
    w.foreign("az2", "nowhere", "10.0.0.0/8", HOP)
    w.foreign("az2", "ts1", "11.0.0.0/8", HOP)
    w.rest()
    assert w.published("az2") == [f"10.0.0.0/8 via {HOP}", f"11.0.0.0/8 via {HOP}"]
    assert w.prefixes("az1", "lr") == ["11.0.0.0/8"]


@pytest.mark.parametrize(
    ("options", "tags"),
    [
        ({}, "vpc1 vpc2 vpc3 -"),
        ({"ic-route-filter-tag": "vpc1"}, "vpc2 vpc3 -"),
        ({"ic-route-learn-tag-rules": "allow:vpc1"}, "vpc1"),
        ({"ic-route-learn-tag-rules": "allow:vpc1,vpc2"}, "vpc1 vpc2"),
        ({"ic-route-learn-tag-rules": "allow:vpc1, vpc2"}, "vpc1"),
        ({"ic-route-learn-tag-rules": "allow:,vpc1,"}, "vpc1"),
        ({"ic-route-learn-tag-rules": "block:vpc1,vpc2"}, "vpc3 -"),
        ({"ic-route-learn-tag-rules": "block:vpc1", "ic-route-filter-tag": "vpc2"}, "vpc2 vpc3 -"),
        ({"ic-route-learn-tag-rules": "allow:vpc1,block:vpc2"}, "vpc1"),
        ({"ic-route-learn-tag-rules": "foo:vpc1", "ic-route-filter-tag": "vpc2"}, "vpc1 vpc3 -"),
        ({"ic-route-learn-tag-rules": "Allow:vpc1", "ic-route-filter-tag": "vpc2"}, "vpc1 vpc3 -"),
        ({"ic-route-learn-tag-rules": "allow", "ic-route-filter-tag": "vpc2"}, "vpc1 vpc3 -"),
        ({"ic-route-learn-tag-rules": " allow:vpc1"}, "vpc1 vpc2 vpc3 -"),
        ({"ic-route-learn-tag-rules": ""}, "vpc1 vpc2 vpc3 -"),
        ({"ic-route-learn-tag-rules": "allow:"}, "vpc1 vpc2 vpc3 -"),
        ({"ic-route-learn-tag-rules": "allow:,"}, "vpc1 vpc2 vpc3 -"),
        ({"ic-route-learn-tag-rules": "block:"}, "vpc1 vpc2 vpc3 -"),
    ],
    ids=repr,
)
def test_rules_for_tags_decide_what_is_learned(options: dict[str, str], tags: str) -> None:
    """Rules and filters for tags (spec routes-5.4, newest-N-2, newest-N-3)."""
    w = one()
    networks = {"vpc1": "10.1.0.0/24", "vpc2": "10.2.0.0/24", "vpc3": "10.3.0.0/24", "-": "10.4.0.0/24"}
    for tag, network in networks.items():
        w.foreign("az2", "ts1", network, HOP, external_ids={} if tag == "-" else {"ic-route-tag": tag})
    w.options("az1", "Logical_Router_Port", "az1-lr-ts1", **options)
    w.rest()
    assert w.prefixes("az1", "lr") == [networks[tag] for tag in tags.split()]
