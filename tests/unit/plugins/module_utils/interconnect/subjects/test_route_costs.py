# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One route more or less costs the same with few others and with many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import NOTHING, Members, Row, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.routes.advertised_routes import AdvertisedRoutes

from .routes_world import LB, RoutesWorld, one


def test_a_route_less_that_could_not_be_advertised_does_not_walk_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    w = one(zone={**LB, "ic-route-learn": "false"})
    w.router("other", zone="az1")
    statics = [w.static("az1", router, f"2001:db8:{number}::/48") for router in ("lr", "other") for number in range(20)]
    w.connect("az1", "lr6", "ts1", "2001:db8:ffff::1/64")
    balancers = [w.balancer("az1", "lr6", f"200.1.1.{number}") for number in range(20)]
    w.rest()
    assert sorted(w.reasons("az1")) == ["az1-lr-ts1", "az1-lr6-ts1"]
    found: list[int] = []
    for name in ("find", "find_among", "child_rows"):
        monkeypatch.setattr(Store, name, counted(getattr(Store, name), found))
    w.drop_static("az1", statics[0])
    w.drop_static("az1", statics[-1])
    w.put(w.nb("az1"), "Load_Balancer", balancers[0], vips={})
    w.settle()
    monkeypatch.undo()
    assert max(found) < 20
    for static in statics:
        w.drop_static("az1", static)
    for balancer in balancers:
        w.put(w.nb("az1"), "Load_Balancer", balancer, vips={})
    w.rest()
    assert w.reasons("az1") == {}


def test_one_route_more_does_not_walk_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    w = one()
    for number in range(20):
        w.static("az1", "lr", f"10.{number}.0.0/16")
    w.rest()

    def walk(*_arguments: object) -> None:
        raise AssertionError("the code walks over all routes")

    monkeypatch.setattr(w.zone.nb, "child_rows", walk)
    monkeypatch.setattr(w.zone.ic_sb, "rows", walk)
    monkeypatch.setattr(w.zone.nb, "rows", walk)
    route = w.new_uuid()
    lr = w.zone.nb.first("Logical_Router", "name", "lr")
    assert lr is not None
    with w.batch(), w._edit(w.zone.nb) as transaction:
        transaction.put("Logical_Router_Static_Route", route, {"ip_prefix": "11.0.0.0/16", "nexthop": "10.0.0.1"})
        transaction.note(w.zone.nb.change_members("Logical_Router", lr.uuid, "static_routes", Members(frozenset([route]), NOTHING)))
    groups = w.engine.plan()
    assert [str(group.key) for group in groups] == ["11.0.0.0/16 via 169.254.100.1 on ts1"]


def tenants(count: int, *, switch: str) -> RoutesWorld:
    """Routers that all have the same static route, LAN, VIP and dynamic route, on one transit switch, or each on one of its own."""
    names = [switch or f"ts{number}" for number in range(count)]
    w = RoutesWorld(1, dict.fromkeys(names), LB)
    w.make_subjects = lambda: [AdvertisedRoutes()]
    w.start("az1")
    for number, name in enumerate(names):
        w.connect("az1", f"r{number}", name, f"169.254.100.{number + 1}/24")
        w.static("az1", f"r{number}", "10.1.0.0/16")
        w.lan("az1", f"r{number}", "192.168.0.1/24", name=f"lan{number}")
        w.balancer("az1", f"r{number}", "200.1.1.1")
        w.dynamic("az1", f"r{number}", "10.2.0.0/16")
    w.rest()
    assert len(w.published()) == 4 * count
    return w


def cost_of_its_sources(w: RoutesWorld, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """The keys that are planned and the rows that are looked up when the first tenant gives up what all have, and has it again."""
    found: list[int] = []
    for name in ("find", "find_among"):
        monkeypatch.setattr(Store, name, counted(getattr(Store, name), found))
    plan, planned = w.engine.plan, []
    monkeypatch.setattr(w.engine, "plan", lambda: [plan(), planned.append(len(w.engine.planned))][0])
    nb, sb, router = w.nb("az1"), w.sb("az1"), w.find("az1", "Logical_Router", "r0")
    (static,) = nb.children("Logical_Router", "static_routes", router.uuid)
    (balancer,) = nb.children("Logical_Router", "load_balancer", router.uuid)
    (datapath,) = sb.find("Datapath_Binding", "router", router.uuid)
    (learned,) = sb.find("Learned_Route", "datapath", datapath.uuid)
    w.put(nb, "Logical_Router_Static_Route", static, policy="src-ip")
    w.drop_static("az1", static)
    w.remove_lrp("az1", "lan0")
    w.put(nb, "Load_Balancer", balancer, vips={})
    w.delete(sb, "Learned_Route", learned.uuid)
    w.settle()
    w.static("az1", "r0", "10.1.0.0/16")
    w.lan("az1", "r0", "192.168.0.1/24")
    w.put(nb, "Load_Balancer", balancer, vips={"200.1.1.1": "x"})
    w.dynamic("az1", "r0", "10.2.0.0/16")
    w.settle()
    monkeypatch.undo()
    return sum(planned), sum(found)


def counted(look_up: Callable[..., list[Row]], found: list[int]) -> Callable[..., list[Row]]:
    def counting(*arguments: Any) -> list[Row]:
        rows = look_up(*arguments)
        found.append(len(rows))
        return rows

    return counting


@pytest.mark.parametrize("switch", ["", "ts"])
def test_a_route_costs_the_same_with_few_tenants_and_with_many(switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (cost_of_its_sources(tenants(count, switch=switch), monkeypatch) for count in (3, 15))
    assert many == few


def test_the_datapath_of_a_transit_switch_does_not_plan_its_routes_again() -> None:
    """Only a datapath with another name than its transit switch has changes what the switch is called in IC_SB."""
    w = one()
    w.static("az1", "lr", "10.0.0.0/8")
    w.rest()
    switch = w.ic_nb.first("Transit_Switch", "name", "ts1")
    assert switch is not None
    new = {"nb_ic_uuid": switch.uuid} if w.ic_sb.schema.has("Datapath_Binding", "nb_ic_uuid") else {}
    w.put(w.ic_sb, "Datapath_Binding", transit_switch="ts1", tunnel_key=1, **new)
    w.engine.plan()
    assert [place for place in w.engine.planned if place[0] == "advertised_routes"] == []
    w.put(w.ic_nb, "Transit_Switch", switch.uuid, name="ts2")
    w.engine.plan()
    assert "10.0.0.0/8 via 169.254.100.1 on ts1" in [str(key) for _subject, key in w.engine.planned]
