# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine's law for routes: after any history, what the delta passes leave is what a full pass would leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.engine import Engine
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import Zone
from ansible_collections.ovn.interconnect.tests.support.examples import examples

from .routes_world import DEFAULTS, RoutesWorld

PREFIXES = ["10.0.0.0/8", "10.0.0.1/32", "10.0.0.0/24", "10.0.0.1/24", "0.0.0.0/0", "2001:db8::/32", "2001:db8::1/128", "junk"]
HOPS = ["discard", "169.254.1.1", "169.254.1.2", "2001:db8:1::1", "fe80::1", "", "junk"]
TABLES = ["", "t"]
LISTS = ["", "10.0.0.0/8", "10.0.0.0/24,2001:db8::/32", "junk"]
VIPS = ["10.0.0.1:80", "10.0.0.1", "[2001:db8::1]:80", "junk"]
ADDRESSES = ["169.254.1.1/24", "169.254.1.2/24", "2001:db8:1::1/64", "2001:db8:1::2/64", "fe80::5/64"]

Pick = Callable[[list[Any]], Any]


class History:
    """Random edits of operators and of what northd and the port subject do, in any order and in batches."""

    def __init__(self, pick: Pick) -> None:
        self.pick = pick
        self.w = RoutesWorld(2, ("ts1", "ts2"), {**DEFAULTS, "ic-route-adv-lb": "true", "ic-route-learn-lb": "true"})
        for zone in self.w.sites:
            for router in ("a", "b"):
                self.w.router(router, zone=zone)
            self.attach(zone)

    def step(self) -> None:
        zone = self.pick(list(self.w.sites))
        actions = [
            self.attach, self.rebind, self.static, self.lan, self.change_port, self.change_router, self.change_zone, self.balancer,
            self.group, self.dynamic, self.foreign, self.change_row, self.remove_row, self.move, self.switch,
        ]  # fmt: skip
        self.pick(actions)(zone)

    # -- edits ------------------------------------------------------------------------------------------------------------------------

    def some(self, store: Store, table: str) -> Row | None:
        found = sorted(store.rows(table), key=lambda row: row.uuid)
        return self.pick(found) if found else None

    def attach(self, zone: str) -> None:
        switch = self.pick(["ts1", "ts2"])
        number = self.w.nb(zone).count("Logical_Switch_Port")
        networks = {self.pick(ADDRESSES), self.pick(ADDRESSES)}
        if self.w.nb(zone).find("Logical_Switch", "name", switch) and number < 6:
            options = {"route_table": self.pick(TABLES)}
            port = f"{zone}-{number}-{self.w.random.random()}"
            self.w.connect(zone, self.pick(["a", "b"]), switch, *networks, options=options, port=port)

    def rebind(self, zone: str) -> None:
        port = self.some(self.w.nb(zone), "Logical_Switch_Port")
        if port is not None and self.w.nb(zone).parents("Logical_Switch", "ports", port.uuid):
            self.w.bind(zone, port["name"])

    def static(self, zone: str) -> None:
        options = {"override-connected": "true"} if self.pick([True, False]) else {}
        self.w.static(
            zone, self.pick(["a", "b"]), self.pick(PREFIXES), self.pick(HOPS), route_table=self.pick(TABLES), options=options
        )  # fmt: skip

    def lan(self, zone: str) -> None:
        self.w.lan(zone, self.pick(["a", "b"]), self.pick(PREFIXES), self.pick(PREFIXES), name=f"lan{self.w.random.random()}")

    def change_port(self, zone: str) -> None:
        row = self.some(self.w.nb(zone), "Logical_Router_Port")
        if row is None:
            return
        keys = ["ic-route-tag", "ic-route-filter-tag", "ic-route-deny-adv", "ic-route-filter-learn", "route_table"]
        values: dict[str, Any] = self.pick(
            [
                {"networks": {self.pick(ADDRESSES)}},
                {"options": {self.pick(keys): self.pick(["t", *LISTS])}},
                {"options": {"ic-route-ipv4-next-hop-ipv6": "true"}},
                {"mac": self.pick(["junk", "aa:aa:aa:aa:aa:02"])},
            ]
        )
        self.w.put(self.w.nb(zone), "Logical_Router_Port", row.uuid, **values)

    def change_router(self, zone: str) -> None:
        row = self.some(self.w.nb(zone), "Logical_Router")
        key = self.pick(["ic-route-deny-adv", "ic-route-filter-adv", "ic-route-deny-learn", "ic-route-filter-learn"])
        if row is not None:
            values = self.pick([{"enabled": False}, {"enabled": None}, {"options": {key: self.pick(LISTS)}}, {"options": {}}])
            self.w.put(self.w.nb(zone), "Logical_Router", row.uuid, **values)

    def change_zone(self, zone: str) -> None:
        key = self.pick(["ic_route_adv", "ic_route_learn", "ic_route_adv_lb", "ic_route_learn_default", "ic_route_strict_prefix"])
        self.w.zone_options(zone, **{key: self.pick(["true", "false"])})
        self.w.zone_options(zone, ic_route_denylist=self.pick(LISTS))

    def balancer(self, zone: str) -> None:
        if self.w.nb(zone).count("Load_Balancer") < 3:
            self.w.balancer(zone, self.pick(["a", "b"]), self.pick(VIPS), self.pick(VIPS))
        row = self.some(self.w.nb(zone), "Load_Balancer")
        if row is not None and self.pick([True, False]):
            self.w.put(self.w.nb(zone), "Load_Balancer", row.uuid, vips={self.pick(VIPS): ""})

    def group(self, zone: str) -> None:
        nb = self.w.nb(zone)
        balancer, router, group = (self.some(nb, table) for table in ("Load_Balancer", "Logical_Router", "Load_Balancer_Group"))
        members = {balancer.uuid} if balancer is not None and self.pick([True, False]) else set()
        uuid = self.w.put(nb, "Load_Balancer_Group", group.uuid if group is not None else None, load_balancer=members)
        if router is not None:
            self.w.put(nb, "Logical_Router", router.uuid, load_balancer_group=self.pick([set(), {uuid}]))

    def dynamic(self, zone: str) -> None:
        self.w.dynamic(zone, self.pick(["a", "b"]), self.pick(PREFIXES))

    def foreign(self, zone: str) -> None:
        ids = self.pick([{}, {"lr-id": "junk"}, {"ic-route-tag": "t"}, {"lr-id": "00000000-0000-0000-0000-000000000000"}])
        place = (self.pick(["ts1", "ts2", "ts3"]), self.w.az(zone), self.pick(TABLES), self.pick(PREFIXES), self.pick(HOPS))
        columns = ("transit_switch", "availability_zone", "route_table", "ip_prefix", "nexthop")
        if all(tuple(row[column] for column in columns) != place for row in self.w.ic_sb.rows("Route")):
            origin = self.pick(["static", "connected", "loadbalancer"])
            self.w.put(self.w.ic_sb, "Route", **dict(zip(columns, place)), origin=origin, external_ids=ids)

    def change_row(self, zone: str) -> None:
        static = self.some(self.w.nb(zone), "Logical_Router_Static_Route")
        route = self.some(self.w.ic_sb, "Route")
        if static is not None:
            ids = {"ic-learned-route": self.pick(["junk", route.uuid if route is not None else "x"])}
            edits = [
                {"policy": "src-ip"},
                {"route_table": self.pick(TABLES)},
                {"ip_prefix": self.pick(PREFIXES)},
                {"nexthop": self.pick(HOPS)},
                {"external_ids": ids},
                {"external_ids": {}},
            ]
            values = self.pick(edits)
            self.w.put(self.w.nb(zone), "Logical_Router_Static_Route", static.uuid, **values)

    def remove_row(self, zone: str) -> None:
        nb = self.w.nb(zone)
        table, parent, column = self.pick(
            [
                ("Logical_Router_Static_Route", "Logical_Router", "static_routes"),
                ("Logical_Router_Port", "Logical_Router", "ports"),
                ("Logical_Switch_Port", "Logical_Switch", "ports"),
            ]
        )
        row = self.some(nb, table)
        if row is not None:
            self.w.remove(nb, parent, column, row.uuid)
        sb_table = self.pick(["Learned_Route", "Datapath_Binding", "Load_Balancer", "Load_Balancer_Group"])
        store = nb if sb_table.startswith("Load") else self.w.sb(zone)
        found = self.some(store, sb_table)
        if found is not None and self.pick([True, False]):
            if store is nb:
                weak = "load_balancer" if sb_table == "Load_Balancer" else "load_balancer_group"
                self.w.remove(nb, "Logical_Router", weak, found.uuid)
                if sb_table == "Load_Balancer":
                    self.w.remove(nb, "Load_Balancer_Group", "load_balancer", found.uuid)
            self.w.delete(store, sb_table, found.uuid)

    def move(self, zone: str) -> None:
        nb = self.w.nb(zone)
        table, column = self.pick([("Logical_Router_Static_Route", "static_routes"), ("Logical_Router_Port", "ports")])
        row, router = self.some(nb, table), self.some(nb, "Logical_Router")
        if row is not None and router is not None:
            old = nb.parents("Logical_Router", column, row.uuid)
            self.w.put(nb, "Logical_Router", router.uuid, **{column: nb.children("Logical_Router", column, router.uuid) | {row.uuid}})
            for uuid in old:
                if uuid != router.uuid:
                    self.w.put(nb, "Logical_Router", uuid, **{column: nb.children("Logical_Router", column, uuid) - {row.uuid}})

    def switch(self, zone: str) -> None:
        switch, name = self.some(self.w.nb(zone), "Logical_Switch"), self.pick(["ts1", "ts2"])
        transit = self.w.ic_nb.first("Transit_Switch", "name", name)
        edit = self.pick(["mark", "unmark", "gone", "back"])
        if switch is not None and edit in ("mark", "unmark"):
            marks = {"interconn-ts": switch["name"]} if edit == "mark" else {}
            self.w.put(self.w.nb(zone), "Logical_Switch", switch.uuid, other_config=marks)
        elif edit == "gone" and transit is not None:
            self.w.delete(self.w.ic_nb, "Transit_Switch", transit.uuid)
        elif edit == "back" and transit is None:
            self.w.transit_switch(name)


class Obstacles(History):
    """Two routers with everything to learn, and what of their own keeps it away: it comes, goes and moves, by several edits at a time."""

    def __init__(self, pick: Pick) -> None:
        super().__init__(pick)
        self.w.stop("az2")
        for number, router in enumerate(("a", "b"), 1):
            self.w.connect("az1", router, "ts1", f"169.254.1.{number}/24", f"2001:db8:1::{number}/64", port=f"{router}-ts1")
        for prefix in PREFIXES:
            self.w.foreign("az2", "ts1", prefix, "2001:db8:1::9" if ":" in prefix else "169.254.1.9")
        nb = self.w.nb("az1")
        grouped = self.w.put(nb, "Load_Balancer", vips={self.pick(VIPS): "x"})
        group = self.w.put(nb, "Load_Balancer_Group", load_balancer={grouped})
        self.w.put(nb, "Logical_Router", self.w.find("az1", "Logical_Router", "a").uuid, load_balancer_group={group})
        self.w.balancer("az1", "b", self.pick(VIPS))
        for router in ("a", "b"):
            self.w.static("az1", router, self.pick(PREFIXES))
            self.w.dynamic("az1", router, self.pick(PREFIXES))
        self.w.settle()

    def step(self) -> None:
        vips = [self.balancer, self.change_vips, self.link, self.group, self.group_members, self.remove_row]
        routes = [self.static, self.change_row, self.move, self.dynamic, self.datapath, self.remove_row, self.switch]
        edits = self.pick([vips, routes])
        for _edit in range(self.pick([1, 2, 3])):
            self.pick(edits)("az1")

    def change_vips(self, zone: str) -> None:
        row = self.some(self.w.nb(zone), "Load_Balancer")
        if row is not None:
            vips = self.pick([{}, {self.pick(VIPS): "x"}, {**row["vips"], self.pick(VIPS): "x"}])
            self.w.put(self.w.nb(zone), "Load_Balancer", row.uuid, vips=vips)

    def link(self, zone: str) -> None:
        """A router takes or leaves a balancer or a group."""
        nb = self.w.nb(zone)
        table, column = self.pick([("Load_Balancer", "load_balancer"), ("Load_Balancer_Group", "load_balancer_group")])
        row, router = self.some(nb, table), self.some(nb, "Logical_Router")
        if row is not None and router is not None:
            self.w.put(nb, "Logical_Router", router.uuid, **{column: nb.children("Logical_Router", column, router.uuid) ^ {row.uuid}})

    def group_members(self, zone: str) -> None:
        nb = self.w.nb(zone)
        group, balancer = self.some(nb, "Load_Balancer_Group"), self.some(nb, "Load_Balancer")
        if group is not None and balancer is not None:
            members = nb.children("Load_Balancer_Group", "load_balancer", group.uuid) ^ {balancer.uuid}
            self.w.put(nb, "Load_Balancer_Group", group.uuid, load_balancer=members)

    def datapath(self, zone: str) -> None:
        """A datapath or a dynamic route turns out to be another router's."""
        sb = self.w.sb(zone)
        row, router = self.some(sb, "Datapath_Binding"), self.some(self.w.nb(zone), "Logical_Router")
        if row is not None and router is not None and not any(other["nb_uuid"] == router.uuid for other in sb.rows("Datapath_Binding")):
            self.w.put(sb, "Datapath_Binding", row.uuid, nb_uuid=router.uuid)
        learned = self.some(sb, "Learned_Route")
        if learned is not None:
            self.w.put(sb, "Learned_Route", learned.uuid, ip_prefix=self.pick(PREFIXES))


def told_by_a_full_pass(world: RoutesWorld, name: str) -> set[Any]:
    """What a fresh engine would leave undone, with its reasons."""
    old = world.site(name).zone
    engine = Engine(Zone(old.nb, old.sb, old.ic_nb, old.ic_sb), world.make_subjects(), world.clock)
    engine.observe(())
    engine.add_all()
    engine.plan(most=1_000_000)
    return set(engine.skipped)


@examples(250, accept=[HealthCheck.data_too_large])
@given(st.data())
def test_delta_passes_leave_nothing_to_a_full_one(data: st.DataObject) -> None:
    play(History, data)


@examples(100, accept=[HealthCheck.data_too_large])
@given(st.data())
def test_what_was_kept_away_is_learned_as_soon_as_nothing_stands_in_its_way(data: st.DataObject) -> None:
    play(Obstacles, data)


def play(kind: type[History], data: st.DataObject) -> None:
    history = kind(lambda choices: choices[data.draw(st.integers(0, len(choices) - 1))])
    world = history.w
    for _batch in range(data.draw(st.integers(1, 6))):
        with world.batch():
            for _edit in range(data.draw(st.integers(1, 4))):
                history.step()
        if data.draw(st.booleans()):
            world.settle()
    world.settle()
    assert world.rejections() == []
    world.check_law()
    for name, site in world.sites.items():
        if not site.stopped:
            assert set(site.engine.skipped) == told_by_a_full_pass(world, name)
