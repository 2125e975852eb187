# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a router learns, rule by rule and quirk by quirk (spec routes-5)."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.routes.learned_routes import LearnedRoutes
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.routes.view import RouteView
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.server_rules import schemas_without
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.simulated_zones import named

from .routes_world import DEFAULTS, RoutesWorld

HOP = "169.254.100.9"
NOBODY = "00000000-0000-0000-0000-000000000000"


def learner(*networks: str, options: dict[str, str] | None = None, **world: Any) -> RoutesWorld:
    """Zone az1 with router lr on ts1; zone az2 has no daemon, its rows are written by hand."""
    w = RoutesWorld(2, **world)
    w.stop("az2")
    w.connect("az1", "lr", "ts1", *(networks or ("169.254.100.1/24",)), options=options)
    return w


def held(w: RoutesWorld, prefix: str) -> str:
    (row,) = [row for row in w.nb("az1").rows("Logical_Router_Static_Route") if row["ip_prefix"] == prefix]
    return row.uuid


@pytest.mark.parametrize("prefix", ["57.0.0.5", "59.0.0.0/255.0.0.0", "2001:DB8::/32"])
def test_texts_are_learned_verbatim(prefix: str) -> None:
    """Prefix and next hop keep their text (spec routes-5.7)."""
    w = learner("169.254.100.1/24", "2001:db8:1::1/64")
    hop = "2001:DB8:1::9" if ":" in prefix else HOP
    w.foreign("az2", "ts1", prefix, hop)
    w.rest()
    assert w.learned("az1", "lr") == [f"{prefix} via {hop}"]


def test_what_a_learned_route_holds() -> None:
    """The columns of a learned route (spec routes-5.7)."""
    w = learner(options={"route_table": "t"})
    ids = {"ic-route-tag": "x", "nb-id": NOBODY, "lr-id": NOBODY}
    route = w.foreign("az2", "ts1", "10.0.0.0/8", HOP + "/24", route_table="t", options={"override-connected": "TRUE"}, external_ids=ids)
    w.rest()
    row = w.nb("az1").row("Logical_Router_Static_Route", held(w, "10.0.0.0/8"))
    assert row is not None
    assert row.as_dict() == {
        "ip_prefix": "10.0.0.0/8",
        "nexthop": HOP + "/24",
        "output_port": None,
        "policy": None,
        "route_table": "t",
        "options": {"origin": "static", "override-connected": "true"},
        "external_ids": {"ic-learned-route": route},
    }


@pytest.mark.parametrize(
    "columns",
    [
        {"external_ids": {"lr-id": "junk"}},
        {"nexthop": "169.254.101.9"},
        {"nexthop": "discard"},
        {"nexthop": "fe80::1"},
        {"nexthop": ""},
        {"ip_prefix": "junk"},
        {"ip_prefix": "169.254.7.0/24"},
        {"ip_prefix": "fe80::/64"},
        {"route_table": "other"},
        {"ip_prefix": "0.0.0.0/0"},
        {"origin": "loadbalancer"},
        {"external_ids": {"ic-route-tag": ""}},
        {"transit_switch": "ts9"},
    ],
)
def test_not_learned(columns: dict[str, Any]) -> None:
    """Which rows are not learned (spec routes-5.2, routes-5.3, routes-5.4, routes-5.5, routes-5.6.2, routes-5.6.3, routes-5.6.5)."""
    w = learner()
    values: dict[str, Any] = {"ip_prefix": "10.0.0.0/8", "nexthop": HOP, **columns}
    w.foreign("az2", values.pop("transit_switch", "ts1"), values.pop("ip_prefix"), values.pop("nexthop"), **values)
    w.rest()
    assert w.learned("az1", "lr") == []


def test_bad_foreign_rows_are_told_about() -> None:
    """A row with a bad prefix or next hop is reported (spec routes-5.5, routes-8)."""
    w = learner()
    w.foreign("az2", "ts1", "junk", HOP)
    bad = w.foreign("az2", "ts1", "10.0.0.0/8", "fe80::1")
    w.rest()
    assert len(w.reasons("az1")) == 2
    w.put(w.ic_sb, "Route", bad, nexthop=HOP)
    w.rest()
    assert (len(w.reasons("az1")), w.learned("az1", "lr")) == (1, [f"10.0.0.0/8 via {HOP}"])


def test_own_routes_and_those_of_other_routers_of_the_zone() -> None:
    """A router learns from other routers of its zone, not from itself (spec routes-5.3)."""
    w = RoutesWorld(1)
    for number in (1, 2):
        w.connect("az1", f"lr{number}", "ts1", f"169.254.100.{number}/24")
        w.static("az1", f"lr{number}", f"10.{number}.0.0/16")
    w.rest()
    assert w.learned("az1", "lr1") == ["10.2.0.0/16 via 169.254.100.2"]
    assert w.learned("az1", "lr2") == ["10.1.0.0/16 via 169.254.100.1"]
    # Routes learned through the interconnect are not advertised again.
    assert len(w.published()) == 2


def test_rows_without_lr_id() -> None:
    """Without lr-id a row of another zone is learned, one of the own zone is not (spec routes-5.3)."""
    w = learner()
    w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.stop("az1")
    w.foreign("az1", "ts1", "11.0.0.0/8", "169.254.100.1")
    w.start("az1")
    assert w.prefixes("az1", "lr") == []
    w.settle()
    assert w.prefixes("az1", "lr") == ["10.0.0.0/8"]


def test_a_next_hop_equal_to_an_own_address_is_learned() -> None:
    w = learner()
    w.foreign("az2", "ts1", "10.0.0.0/8", "169.254.100.1")
    w.rest()
    assert len(w.learned("az1", "lr")) == 1


def test_options() -> None:
    """Options of the zone decide what is learned (spec routes-2.1, routes-5.6.1, routes-5.6.2, routes-5.6.3, routes-5.6.6)."""
    w = learner()
    w.foreign("az2", "ts1", "0.0.0.0/0", HOP)
    w.foreign("az2", "ts1", "10.0.0.1/32", HOP, origin="loadbalancer")
    w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    for options, count in (
        ({}, 1),
        ({"ic_route_learn_default": "true"}, 2),
        ({"ic_route_learn_lb": "TRUE"}, 3),
        ({"ic_route_learn_lb": "yes", "ic_route_denylist": "10.0.0.0/8"}, 1),
        ({"ic_route_learn": "yes"}, 0),
        ({"ic_route_learn": "true", "ic_route_denylist": "", "ic_route_blacklist": "10.0.0.0/24"}, 2),
    ):
        w.zone_options("az1", **options)
        w.rest()
        assert len(w.learned("az1", "lr")) == count


# ---- What of the router's own stands in the way ----------------------------------------------------------------------


def test_local_static_routes_by_text() -> None:
    """A local static route of the same text stops a learned one (spec routes-5.6.8)."""
    w = learner()
    w.zone_options("az1", ic_route_adv="false")
    w.foreign("az2", "ts1", "10.1.0.0/24", HOP)
    w.foreign("az2", "ts1", "10.1.0.1/24", HOP)
    w.rest()
    both = w.learned("az1", "lr")
    local = w.static("az1", "lr", "10.1.0.0/24")
    w.rest()
    # QUIRK: the text decides, so that host bits let the other one pass.
    assert w.prefixes("az1", "lr") == ["10.1.0.1/24"]
    w.put(w.nb("az1"), "Logical_Router_Static_Route", local, route_table="t")
    w.rest()
    assert w.learned("az1", "lr") == both
    # QUIRK: policy does not count.
    w.put(w.nb("az1"), "Logical_Router_Static_Route", local, route_table="", policy="src-ip")
    w.rest()
    assert w.prefixes("az1", "lr") == ["10.1.0.1/24"]
    # QUIRK: a value that is not a uuid does not make it a local route either.
    w.put(w.nb("az1"), "Logical_Router_Static_Route", local, external_ids={"ic-learned-route": "junk"})
    w.rest()
    assert w.learned("az1", "lr") == both
    w.put(w.nb("az1"), "Logical_Router_Static_Route", local, external_ids={})
    w.rest()
    w.drop_static("az1", local)
    w.rest()
    assert w.learned("az1", "lr") == both


def test_a_local_static_route_that_goes_while_its_transit_switch_is_missing() -> None:
    w = learner()
    local = w.static("az1", "lr", "10.0.0.0/24")
    w.foreign("az2", "ts1", "10.0.0.0/24", HOP)
    w.rest()
    w.delete(w.ic_nb, "Transit_Switch", named(w.ic_nb, "Transit_Switch", "ts1").uuid)  # its ports and routes stay for the time being
    w.rest()
    assert w.learned("az1", "lr") == []
    w.drop_static("az1", local)
    w.rest()
    assert w.learned("az1", "lr") == [f"10.0.0.0/24 via {HOP}"]


@pytest.mark.parametrize("edited_first", [True, False])
def test_a_local_static_route_that_is_edited_and_goes_to_another_router_in_one_turn(edited_first: bool) -> None:
    w = learner()
    nb, lr, other = w.nb("az1"), w.find("az1", "Logical_Router", "lr").uuid, w.router("other", zone="az1")
    local = w.static("az1", "lr", "10.0.0.0/24")
    w.foreign("az2", "ts1", "10.0.0.0/24", HOP)
    w.rest()
    with w.batch():
        if edited_first:
            w.put(nb, "Logical_Router_Static_Route", local, ip_prefix="11.0.0.0/24")
        w.put(nb, "Logical_Router", other, static_routes={local})
        w.put(nb, "Logical_Router", lr, static_routes=set())
        if not edited_first:
            w.put(nb, "Logical_Router_Static_Route", local, ip_prefix="11.0.0.0/24")
    w.rest()
    assert w.learned("az1", "lr") == [f"10.0.0.0/24 via {HOP}"]


def test_local_static_routes_by_network_with_strict_prefix() -> None:
    w = learner()
    w.zone_options("az1", ic_route_adv="false", ic_route_strict_prefix="true")
    w.foreign("az2", "ts1", "10.1.0.1/24", HOP)
    local = w.static("az1", "lr", "10.1.0.0/24")
    w.rest()
    assert w.prefixes("az1", "lr") == []
    w.zone_options("az1", ic_route_strict_prefix="false")
    w.rest()
    assert w.prefixes("az1", "lr") == ["10.1.0.1/24"]
    w.zone_options("az1", ic_route_strict_prefix="true")
    w.rest()
    w.drop_static("az1", local)
    w.rest()
    assert w.prefixes("az1", "lr") == ["10.1.0.1/24"]
    w.dynamic("az1", "lr", "10.1.0.0/24")
    w.rest()
    assert w.prefixes("az1", "lr") == []


def test_vips_stop_prefixes_that_hold_them() -> None:
    """A VIP in the prefix stops it (spec routes-5.6.10)."""
    w = RoutesWorld(2, options=DEFAULTS)
    w.stop("az2")
    w.connect("az1", "lr", "ts1", "169.254.100.1/24")
    for prefix in ("0.0.0.0/0", "10.0.0.0/8", "10.0.0.9/8", "10.0.0.9/32", "11.0.0.0/8"):
        w.foreign("az2", "ts1", prefix, HOP)
    w.rest()
    everything = w.prefixes("az1", "lr")
    balancer = w.balancer("az1", "lr", "10.0.0.9:80", "junk")
    w.rest()
    # QUIRK: any VIP stops the default route and every aggregate; host bits defeat the check.
    assert w.prefixes("az1", "lr") == ["10.0.0.9/8", "11.0.0.0/8"]
    w.put(w.nb("az1"), "Load_Balancer", balancer, vips={"11.1.1.1": ""})
    w.rest()
    assert w.prefixes("az1", "lr") == ["10.0.0.0/8", "10.0.0.9/32", "10.0.0.9/8"]
    lr = w.find("az1", "Logical_Router", "lr").uuid
    with w.batch():
        w.put(w.nb("az1"), "Logical_Router", lr, load_balancer=set())
        w.delete(w.nb("az1"), "Load_Balancer", balancer)
    w.rest()
    assert w.prefixes("az1", "lr") == everything
    grouped = w.put(w.nb("az1"), "Load_Balancer", vips={"10.0.0.9": ""})
    group = w.put(w.nb("az1"), "Load_Balancer_Group", load_balancer={grouped})
    w.put(w.nb("az1"), "Logical_Router", lr, load_balancer_group={group})
    w.rest()
    assert w.prefixes("az1", "lr") == ["10.0.0.9/8", "11.0.0.0/8"]
    w.put(w.nb("az1"), "Load_Balancer_Group", group, load_balancer=set())
    w.rest()
    assert w.prefixes("az1", "lr") == everything
    w.put(w.nb("az1"), "Load_Balancer_Group", group, load_balancer={grouped})
    w.rest()
    with w.batch():
        w.put(w.nb("az1"), "Logical_Router", lr, load_balancer_group=set())
        w.delete(w.nb("az1"), "Load_Balancer_Group", group)
    w.rest()
    assert w.prefixes("az1", "lr") == everything


def behind_a_vip(how: str) -> tuple[RoutesWorld, dict[str, str]]:
    """A learner whose VIP, of a balancer of its own or of a group, keeps a route away; the uuids of lr, lb and group."""
    w = learner()
    nb, lr = w.nb("az1"), w.find("az1", "Logical_Router", "lr").uuid
    balancer = w.put(nb, "Load_Balancer", vips={"10.0.0.9:80": "x"})
    group = w.put(nb, "Load_Balancer_Group", load_balancer={balancer})
    w.put(nb, "Logical_Router", lr, **({"load_balancer": {balancer}} if how == "own" else {"load_balancer_group": {group}}))
    w.foreign("az2", "ts1", "10.0.0.0/24", HOP)
    w.rest()
    assert w.learned("az1", "lr") == []
    return w, {"lr": lr, "lb": balancer, "group": group}


@pytest.mark.parametrize(
    "how, steps",
    [
        ("own", "empty,unlink,delete"),
        ("own", "unlink,change"),
        ("own", "change,unlink"),
        ("own", "change,empty,unlink"),
        ("group", "ungroup,unlink,delete group"),
        ("group", "unlink,ungroup"),
        ("group", "ungroup,empty"),
        ("group", "empty,ungroup,unlink"),
        ("group", "ungroup,delete"),
    ],
)
def test_a_vip_that_goes_by_several_edits_in_one_turn(how: str, steps: str) -> None:
    w, uuids = behind_a_vip(how)
    nb, lr, balancer, group = w.nb("az1"), uuids["lr"], uuids["lb"], uuids["group"]
    edits = {
        "empty": lambda: w.put(nb, "Load_Balancer", balancer, vips={}),
        "change": lambda: w.put(nb, "Load_Balancer", balancer, vips={"11.0.0.9:80": "x"}),
        "unlink": lambda: w.put(nb, "Logical_Router", lr, load_balancer=set(), load_balancer_group=set()),
        "ungroup": lambda: w.put(nb, "Load_Balancer_Group", group, load_balancer=set()),
        "delete": lambda: w.delete(nb, "Load_Balancer", balancer),
        "delete group": lambda: w.delete(nb, "Load_Balancer_Group", group),
    }
    with w.batch():
        for step in steps.split(","):
            edits[step]()
    w.rest()
    assert w.learned("az1", "lr") == [f"10.0.0.0/24 via {HOP}"]


def test_one_vip_more_or_less_does_not_read_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    w = learner()
    nb = w.nb("az1")
    balancers = [w.balancer("az1", "lr", f"20.0.{number}.9:80") for number in range(20)]
    for prefix in ("20.0.1.0/24", "20.0.99.0/24"):
        w.foreign("az2", "ts1", prefix, HOP)
    w.rest()
    read: list[int] = []
    child_rows = Store.child_rows

    def counting(*arguments: Any) -> list[Row]:
        found = child_rows(*arguments)
        read.append(len(found))
        return found

    monkeypatch.setattr(Store, "child_rows", counting)
    outcomes = []
    for vips in (
        {"20.0.1.9:80": "another backend"},
        {"20.0.99.9:80": "x", "20.0.1.9:80": "x"},
        {"20.0.99.9:80": "x"},
        {"20.0.1.9:81": "x"},
    ):
        w.put(nb, "Load_Balancer", balancers[1], vips=vips)
        w.settle()
        w.foreign("az2", "ts1", f"20.0.1.{len(outcomes)}/32", HOP)  # the router's VIPs are asked for again
        w.settle()
        outcomes.append([prefix for prefix in w.prefixes("az1", "lr") if prefix.endswith("/24")])
    monkeypatch.undo()
    assert outcomes == [["20.0.99.0/24"], [], ["20.0.1.0/24"], ["20.0.99.0/24"]]
    assert max(read, default=0) < 20
    w.rest()


@pytest.mark.parametrize("number", [3, 300])
def test_many_vips_that_move_at_once(number: int) -> None:
    w = learner()
    nb = w.nb("az1")
    balancer = w.balancer("az1", "lr", *(f"20.0.{one // 250}.{one % 250}:80" for one in range(number)))
    w.foreign("az2", "ts1", "20.0.0.0/16", HOP)
    w.foreign("az2", "ts1", "21.0.0.0/16", HOP)
    w.rest()
    w.put(nb, "Load_Balancer", balancer, vips={f"21.0.{one // 250}.{one % 250}:80": "x" for one in range(number)})
    w.rest()
    assert w.prefixes("az1", "lr") == ["20.0.0.0/16"]


def test_dynamic_routes_by_text() -> None:
    """A dynamic route of the same text stops a learned one (spec routes-5.6.11)."""
    w = learner()
    w.zone_options("az1", ic_route_adv="false")
    w.foreign("az2", "ts1", "10.1.0.0/24", HOP)
    w.foreign("az2", "ts1", "10.1.0.1/24", HOP)
    dynamic = w.dynamic("az1", "lr", "10.1.0.0/24")
    w.rest()
    assert w.prefixes("az1", "lr") == ["10.1.0.1/24"]
    datapath = next(w.sb("az1").rows("Datapath_Binding")).uuid
    with w.batch():
        w.delete(w.sb("az1"), "Learned_Route", dynamic)
        w.delete(w.sb("az1"), "Datapath_Binding", datapath)
    w.rest()
    assert len(w.prefixes("az1", "lr")) == 2


def test_networks_of_the_router_port() -> None:
    """The next hop must be in a network of the transit port (spec routes-5.6.9)."""
    w = learner("169.254.100.1/24", "0.0.0.0/0", "junk", "2001:db8:1::1/64")
    w.foreign("az2", "ts1", "10.0.0.0/8", "8.8.8.8")
    w.foreign("az2", "ts1", "11.0.0.0/8", "2001:db8:1::5")
    w.foreign("az2", "ts1", "2001:db8:7::/64", "2001:db8:2::5")
    w.rest()
    assert w.prefixes("az1", "lr") == ["11.0.0.0/8"]
    w.put(w.nb("az1"), "Logical_Router_Port", w.find("az1", "Logical_Router_Port", "az1-lr-ts1").uuid, mac="junk")
    w.rest()
    assert w.prefixes("az1", "lr") == []


# ---- Rows that are there ---------------------------------------------------------------------------------------------


def test_edits_that_replace_and_edits_that_survive() -> None:
    """A learned route is replaced when it differs, and keeps other edits (spec routes-5.1, routes-5.7)."""
    w = learner()
    route = w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.rest()
    first = held(w, "10.0.0.0/8")
    nb = w.nb("az1")
    w.put(
        nb,
        "Logical_Router_Static_Route",
        first,
        policy="dst-ip",
        options={"origin": "static", "ecmp": "true"},
        external_ids={"ic-learned-route": route.upper(), "x": "y"},
        ip_prefix="10.0.0.0/255.0.0.0",
    )
    w.rest()
    assert held(w, "10.0.0.0/255.0.0.0") == first
    for edit in (
        {"options": {"origin": "connected"}},
        {"options": {"origin": "static", "override-connected": "true"}},
        {"route_table": "t"},
        {"ip_prefix": "10.0.0.0/9"},
        {"nexthop": "169.254.100.8"},
        {"nexthop": "fe80::1"},
    ):
        w.put(nb, "Logical_Router_Static_Route", first, **edit)
        w.rest()
        again = held(w, "10.0.0.0/8")
        assert again != first
        first = again
    w.put(w.ic_sb, "Route", route, origin="connected")
    w.rest()
    assert held(w, "10.0.0.0/8") != first


def test_forged_and_lost_rows() -> None:
    """Learned routes without a matching row are removed, missing ones are made again (spec routes-5.1, routes-5.8)."""
    w = learner()
    w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.static("az1", "lr", "99.0.0.0/8", HOP, external_ids={"ic-learned-route": NOBODY})
    w.rest()
    assert w.prefixes("az1", "lr") == ["10.0.0.0/8"]
    w.drop_static("az1", held(w, "10.0.0.0/8"))
    w.rest()
    assert w.prefixes("az1", "lr") == ["10.0.0.0/8"]
    # One that is moved to another router is learned again here and goes there.
    w.router("other", zone="az1")
    row = held(w, "10.0.0.0/8")
    with w.batch():
        w.put(w.nb("az1"), "Logical_Router", w.find("az1", "Logical_Router", "other").uuid, static_routes={row})
        w.put(w.nb("az1"), "Logical_Router", w.find("az1", "Logical_Router", "lr").uuid, static_routes=set())
    w.rest()
    assert (w.prefixes("az1", "lr"), w.prefixes("az1", "other")) == (["10.0.0.0/8"], [])


def test_a_withdrawn_route_leaves_all_routers_of_the_switch_in_one_pass() -> None:
    """A route that its zone withdraws is removed from every router that learned it, in the same pass (spec newest-N-20)."""
    w = learner()
    w.connect("az1", "lr2", "ts1", "169.254.100.2/24")
    route = w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.rest()
    assert w.prefixes("az1", "lr") == w.prefixes("az1", "lr2") == ["10.0.0.0/8"]
    w.delete(w.ic_sb, "Route", route)
    removed = [change.table for group in w.engine.plan() for change in group.changes]
    assert removed == ["Logical_Router"] * 2


def test_equal_learned_rows_are_left_alone_while_they_are_wanted() -> None:
    w = learner()
    route = w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.rest()
    ids = {"ic-learned-route": route}
    w.static("az1", "lr", "10.0.0.0/8", HOP, options={"origin": "static"}, external_ids=ids)
    w.rest()
    assert len(w.learned("az1", "lr")) == 2
    w.delete(w.ic_sb, "Route", route)
    w.rest()
    assert w.learned("az1", "lr") == []


def links(w: RoutesWorld) -> dict[str, str]:
    """The learned static routes of the router: which IC_SB route each names, by its own uuid."""
    found = {row.uuid: row["external_ids"].get("ic-learned-route") for row in w.nb("az1").rows("Logical_Router_Static_Route")}
    return {uuid: route for uuid, route in found.items() if route is not None}


def test_a_route_that_is_inserted_again_keeps_its_learned_static_route() -> None:
    w = learner()
    old = w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.rest()
    (static,) = links(w)
    with w.batch():
        w.delete(w.ic_sb, "Route", old)
        new = w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.rest()
    assert links(w) == {static: new}
    w.check_law()


def test_a_route_that_comes_back_with_other_contents_gets_a_static_route_of_its_own() -> None:
    w = learner()
    old = w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.rest()
    (static,) = links(w)
    with w.batch():
        w.delete(w.ic_sb, "Route", old)
        new = w.foreign("az2", "ts1", "10.0.0.0/8", HOP, origin="connected")
    w.rest()
    assert list(links(w).values()) == [new]
    assert static not in links(w)
    w.check_law()


@pytest.mark.parametrize("back", [0, 1, 2, 3])
def test_of_equal_routes_as_many_keep_their_static_routes_as_come_back(back: int) -> None:
    w = learner()
    zones = ("az2", "az3", "az4")
    for name in zones[1:]:
        w.add_zone(name)
        w.stop(name)
    old = [w.foreign(name, "ts1", "10.0.0.0/8", HOP) for name in zones]
    w.rest()
    before = links(w)
    assert sorted(before.values()) == sorted(old)
    with w.batch():
        for route in old:
            w.delete(w.ic_sb, "Route", route)
        new = [w.foreign(name, "ts1", "10.0.0.0/8", HOP) for name in zones[:back]]
    w.rest()
    after = links(w)
    assert sorted(after.values()) == sorted(new)
    assert set(after) <= set(before)
    w.check_law()


def test_a_route_that_comes_back_while_its_static_route_is_being_removed_is_learned() -> None:
    """The removal is on its way when the new row arrives: there is nothing left to link to it."""
    w = learner()
    old = w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.rest()
    w.delete(w.ic_sb, "Route", old)
    site = w.site("az1")
    removal = site.engine.plan()
    for group in removal:
        site.engine.sent(group)
    new = w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    assert site.engine.plan() == []
    w._commit(site, removal)
    w.rest()
    assert list(links(w).values()) == [new]
    w.check_law()


def test_a_route_that_comes_back_and_is_refused_takes_no_static_route_over() -> None:
    w = learner()
    old = w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.rest()
    with w.batch():
        w.delete(w.ic_sb, "Route", old)
        w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
        w.zone_options("az1", ic_route_denylist="10.0.0.0/8")
    w.rest()
    assert links(w) == {}
    w.check_law()


def test_quirk_two_ports_with_one_subnet_learn_a_route_once() -> None:
    w = RoutesWorld(2)
    w.stop("az2")
    w.connect("az1", "lr", "ts1", "169.254.100.1/24", port="p1")
    w.connect("az1", "lr", "ts1", "169.254.100.2/24", port="p2")
    w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.rest()
    assert len(w.learned("az1", "lr")) == 1
    w.options("az1", "Logical_Router_Port", "p1", ic_route_deny_learn="10.0.0.0/8")
    w.rest()
    assert len(w.learned("az1", "lr")) == 1
    w.options("az1", "Logical_Router_Port", "p2", ic_route_deny_learn="10.0.0.0/8")
    w.rest()
    assert w.learned("az1", "lr") == []


@pytest.mark.parametrize("how", ["unplugged", "unbound", "switch gone", "router-id gone"])
def test_quirk_a_router_without_ports_keeps_no_learned_route(how: str) -> None:
    w = learner()
    w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.rest()
    binding = named(w.ic_sb, "Port_Binding", "az1-lr-ts1", "logical_port").uuid
    if how == "unplugged":
        w.unplug("az1", "az1-lr-ts1")
    elif how == "unbound":
        w.delete(w.ic_sb, "Port_Binding", binding)
    elif how == "switch gone":
        w.remove_switch("ts1")
    else:
        w.put(w.ic_sb, "Port_Binding", binding, external_ids={})
    w.rest()
    assert w.learned("az1", "lr") == []


def test_equal_routes_of_two_zones_and_switches_are_all_learned() -> None:
    w = RoutesWorld(3, ("ts1", "ts2"))
    for zone in ("az2", "az3"):
        w.stop(zone)
    for switch in ("ts1", "ts2"):
        w.connect("az1", "lr", switch, "169.254.100.1/24")
        for zone in ("az2", "az3"):
            w.foreign(zone, switch, "10.0.0.0/8", HOP)
    w.rest()
    assert w.learned("az1", "lr") == [f"10.0.0.0/8 via {HOP}"] * 4


def test_a_failover_or_a_tunnel_key_concerns_no_route() -> None:
    w = learner()
    w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.rest()
    w.bind("az1", "az1-lr-ts1", gateway="gw2")
    w.options("az1", "Logical_Switch_Port", "az1-lr-ts1", requested_tnl_key="7")
    w.options("az1", "Logical_Router", "lr", unrelated="x")
    w.options("az1", "Logical_Router_Port", "az1-lr-ts1", unrelated="x")
    w.zone_options("az1", unrelated="x")
    assert not w.engine.has_work


def test_schemas_without_route_options_or_learned_routes() -> None:
    w = learner(schemas=schemas_without("OVN_IC_Southbound.Route.options", "OVN_Southbound.Learned_Route"))
    w.foreign("az2", "ts1", "10.0.0.0/8", HOP)
    w.rest()
    assert w.learned("az1", "lr") == [f"10.0.0.0/8 via {HOP}"]


def test_verdicts_say_why() -> None:
    w = learner(options={"ic-route-filter-tag": "x", "ic-route-filter-learn": "10.0.0.0/8"})
    subject = LearnedRoutes()
    subject.prepare(w.zone)
    router = w.find("az1", "Logical_Router", "lr")

    def why(prefix: str, switch: str = "ts1", hop: str = HOP, **columns: Any) -> str:
        row = w.ic_sb.row("Route", w.foreign("az2", switch, prefix, hop, **columns))
        assert row is not None
        refused = subject.verdict(RouteView(w.zone, w.az()), router, row)
        return refused.reason if refused is not None else "learned"

    assert why("10.1.0.0/16") == "learned"
    assert "filter-learn of the router port" in why("11.0.0.0/8")
    assert "not in a network of the router port" in why("10.2.0.0/16", hop="1.2.3.4")
    assert 'tag "x"' in why("10.3.0.0/16", external_ids={"ic-route-tag": "x"})
    assert 'route table "t"' in why("10.4.0.0/16", route_table="t")
    assert "no participating port on ts2" in why("10.5.0.0/16", "ts2")
    assert "own route" in why("10.6.0.0/16", external_ids={"lr-id": router.uuid})
    w.static("az1", "lr", "10.7.0.0/16")
    assert "its own static route 10.7.0.0/16" in why("10.7.0.0/16")
    w.balancer("az1", "lr", "10.8.0.1")
    assert "VIP 10.8.0.1/32" in why("10.8.0.0/16")
    w.dynamic("az1", "lr", "10.9.0.0/16")
    assert "dynamic route 10.9.0.0/16" in why("10.9.0.0/16")
