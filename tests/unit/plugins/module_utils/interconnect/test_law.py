# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The law of the engine, for all subjects together: when the delta passes have come to rest, a full pass of a fresh engine plans nothing.

A history is random edits of an operator, of gateways and of other hands in the databases, in two zones; northd works in between.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import ServerSchema
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects import all_subjects
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_SB
from ansible_collections.ovn.interconnect.tests.support.examples import examples

from .server_rules import LACKING_IN_2303, schemas_without
from .simulated_zones import World

ZONES = ("az1", "az2")
SWITCHES = ("ts1", "ts2")
PREFIXES = ("10.0.0.0/24", "10.0.0.1/24", "192.168.7.0/24", "2001:db8::/64", "0.0.0.0/0", "junk")
OPTIONS = ("ic-route-adv", "ic-route-learn", "ic-route-adv-default", "ic-route-learn-default", "ic-route-adv-lb", "ic-route-learn-lb")


class Hand:
    """A client that edits the databases at random; the same seed makes the same history."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.serial = 0

    def act(self) -> None:
        """One edit."""
        actions = [
            *(self.add_switch, self.drop_switch, self.add_router, self.add_chassis, self.drop_chassis, self.flip_gateway),
            *(self.attach, self.attach, self.detach, self.claim, self.add_route, self.add_route, self.drop_route, self.edit_route),
            *(
                self.set_option,
                self.set_option,
                self.add_route,
                self.edit_route,
                self.attach,
                self.tamper_key,
                self.tamper_copy,
                self.delete_shared,
                self.rename,
                self.rename_switch,
                self.rename_switch,
                self.add_switch_of_another_program,
            ),
        ]
        self.random.choice(actions)(self.random.choice(ZONES))

    def furnish(self) -> None:
        """A working interconnect to begin with: without it most edits meet an empty database."""
        for switch in SWITCHES:
            self.world.transit_switch(switch)
        self.world.converge()
        for zone in ZONES:
            nb = self.world.site(zone).zone.nb
            row = nb.only("NB_Global")
            assert row is not None
            self.world.set_keys(nb, "NB_Global", row.uuid, "options", **{"ic-route-adv": "true", "ic-route-learn": "true"})
            self.add_chassis(zone)
            for _router in range(2):
                self.add_router(zone)
            for _port in range(4):
                self.attach(zone)
            self.claim(zone)
            for _route in range(3):
                self.add_route(zone)

    def name(self, kind: str) -> str:
        """A new name."""
        self.serial += 1
        return f"{kind}{self.serial}"

    def some(self, store: Store, table: str) -> Row | None:
        """One row of a table at random, None where it is empty."""
        rows = sorted(store.rows(table), key=lambda row: row.uuid)
        return self.random.choice(rows) if rows else None

    def add_switch(self, _zone: str) -> None:
        name = self.random.choice(SWITCHES)
        if self.world.ic_nb.first("Transit_Switch", "name", name) is None:
            self.world.transit_switch(name)

    def drop_switch(self, _zone: str) -> None:
        row = self.some(self.world.ic_nb, "Transit_Switch")
        if row is not None:
            self.world.delete(self.world.ic_nb, "Transit_Switch", row.uuid)

    def add_router(self, zone: str) -> None:
        self.world.router(self.name(f"{zone}-lr"), zone=zone)

    def add_chassis(self, zone: str) -> None:
        self.world.chassis(self.name(f"{zone}-gw"), zone=zone, ip=f"192.0.2.{self.serial % 200 + 1}")

    def drop_chassis(self, zone: str) -> None:
        sb = self.world.site(zone).zone.sb
        row = self.some(sb, "Chassis")
        if row is not None:
            self.world.delete(sb, "Chassis", row.uuid)

    def flip_gateway(self, zone: str) -> None:
        sb = self.world.site(zone).zone.sb
        row = self.some(sb, "Chassis")
        if row is not None and "is-remote" not in row["other_config"]:
            value = "false" if row["other_config"].get("is-interconn") == "true" else "true"
            self.world.set_keys(sb, "Chassis", row.uuid, "other_config", **{"is-interconn": value})

    def attach(self, zone: str) -> None:
        nb = self.world.site(zone).zone.nb
        router, switch = self.some(nb, "Logical_Router"), self.random.choice(SWITCHES)
        made = [row for row in nb.rows("Logical_Switch") if row["other_config"].get("interconn-ts") == switch]
        if router is None or len(made) != 1 or nb.first("Logical_Router_Port", "name", f"{router['name']}-{switch}") is not None:
            return
        self.serial += 1
        networks = self.random.choice([["169.254.100.%d/24"], ["169.254.100.%d/24", "fd00::%d/64"], ["fd00::%d/64"]])
        mac = f"aa:aa:aa:aa:aa:{self.serial % 250:02x}"
        self.world.attach(router["name"], switch, zone=zone, mac=mac, networks=[one % (self.serial % 250) for one in networks])

    def detach(self, zone: str) -> None:
        nb = self.world.site(zone).zone.nb
        table, parent = self.random.choice([("Logical_Switch_Port", "Logical_Switch"), ("Logical_Router_Port", "Logical_Router")])
        row = self.some(nb, table)
        if row is not None:
            self.world.remove(nb, parent, "ports", row.uuid)

    def claim(self, zone: str) -> None:
        site = self.world.site(zone).zone
        port, chassis = self.some(site.nb, "Logical_Router_Port"), self.some(site.sb, "Chassis")
        if port is not None and chassis is not None:
            self.world.claim(port["name"], self.random.choice([chassis["name"], None]), zone=zone)

    def add_route(self, zone: str) -> None:
        nb = self.world.site(zone).zone.nb
        router = self.some(nb, "Logical_Router")
        if router is not None:
            columns = {"ip_prefix": self.random.choice(PREFIXES), "nexthop": self.random.choice(["10.9.9.9", "discard", "junk", "fe80::1"])}
            self.world.add(nb, "Logical_Router", router.uuid, "static_routes", "Logical_Router_Static_Route", **columns)

    def drop_route(self, zone: str) -> None:
        nb = self.world.site(zone).zone.nb
        row = self.some(nb, "Logical_Router_Static_Route")
        if row is not None:
            self.world.remove(nb, "Logical_Router", "static_routes", row.uuid)

    def edit_route(self, zone: str) -> None:
        nb = self.world.site(zone).zone.nb
        row = self.some(nb, "Logical_Router_Static_Route")
        if row is not None:
            column, value = self.random.choice([("ip_prefix", self.random.choice(PREFIXES)), ("route_table", "t1"), ("external_ids", {})])
            self.world.put(nb, "Logical_Router_Static_Route", row.uuid, **{column: value})

    def set_option(self, zone: str) -> None:
        nb = self.world.site(zone).zone.nb
        row = nb.only("NB_Global")
        assert row is not None
        key, value = self.random.choice(OPTIONS), self.random.choice(["true", "true", "false", None])
        if self.random.random() < 0.2:
            key, value = "ic-route-denylist", self.random.choice(["10.0.0.0/8", "2001::/16,junk", None])
        self.world.set_keys(nb, "NB_Global", row.uuid, "options", **{key: value})

    def tamper_key(self, zone: str) -> None:
        nb = self.world.site(zone).zone.nb
        row = self.some(nb, "Logical_Switch_Port")
        if row is not None:
            self.world.set_keys(nb, "Logical_Switch_Port", row.uuid, "options", **{"requested-tnl-key": "9"})

    def tamper_copy(self, zone: str) -> None:
        nb = self.world.site(zone).zone.nb
        row = self.some(nb, "Logical_Switch_Port")
        if row is not None and row["type"] == "remote":
            self.world.put(nb, "Logical_Switch_Port", row.uuid, addresses=frozenset(["tampered"]))

    def delete_shared(self, _zone: str) -> None:
        table = self.random.choice(["Port_Binding", "Route", "Gateway", "Datapath_Binding"])
        row = self.some(self.world.ic_sb, table)
        if row is not None:
            self.world.delete(self.world.ic_sb, table, row.uuid)

    def rename_switch(self, _zone: str) -> None:
        """Give a transit switch a free name, or let two exchange theirs in one or two steps."""
        store = self.world.ic_nb
        rows = sorted(store.rows("Transit_Switch"), key=lambda row: row.uuid)
        self.random.shuffle(rows)
        if len(rows) > 1 and self.random.random() < 0.5:
            with self.world.batch():
                for row, other in ((rows[0], rows[1]), (rows[1], rows[0])):
                    self.world.put(store, "Transit_Switch", row.uuid, name=other["name"])
            return
        name = self.random.choice([*SWITCHES, "ts3", "ts4"])
        if rows and store.first("Transit_Switch", "name", name) is None:
            self.world.put(store, "Transit_Switch", rows[0].uuid, name=name)

    def add_switch_of_another_program(self, zone: str) -> None:
        nb, name = self.world.site(zone).zone.nb, self.random.choice([*SWITCHES, "ts3"])
        if self.random.random() < 0.3:
            config = self.random.choice([{}, {"interconn-ts": name}])
            switch = self.world.put(nb, "Logical_Switch", name=name, other_config=config)
            if self.random.random() < 0.5:
                self.world.add(nb, "Logical_Switch", switch, "ports", "Logical_Switch_Port", name=self.name("pod"))

    def rename(self, zone: str) -> None:
        nb = self.world.site(zone).zone.nb
        row = nb.only("NB_Global")
        assert row is not None
        self.world.put(nb, "NB_Global", row.uuid, name=self.random.choice([zone, zone, f"{zone}-new", f"{zone}-new", ""]))


@pytest.mark.parametrize("schemas", [None, schemas_without(*LACKING_IN_2303)], ids=["newest", "23.03"])
@examples(40)
@given(seed=st.integers(0, 2**32))
def test_a_full_pass_after_the_deltas_plans_nothing(schemas: dict[str, ServerSchema] | None, seed: int) -> None:
    world = World(all_subjects, ZONES, schemas=schemas, seed=seed % 1000)
    hand = Hand(world, seed)
    hand.furnish()
    world.converge(retries=3)
    for _episode in range(10):
        for _edit in range(hand.random.randint(1, 4)):
            hand.act()
        world.converge(together=hand.random.random() < 0.5, retries=3)
        world.check_law()


#: The tables of IC_SB whose rows each have one zone as their owner.
OWNED = ("Gateway", "Port_Binding", "Route", "Address_Set")


@examples(15)
@given(seed=st.integers(0, 2**32))
def test_a_zone_writes_no_rows_of_another_zone(seed: int) -> None:
    """Of IC_SB, a zone writes its own rows, and those of others only while it holds the lock (spec zones-A.4)."""
    world = World(all_subjects, ZONES, seed=seed % 1000)
    hand = Hand(world, seed)
    hand.furnish()
    own: dict[str, set[str]] = {zone: set() for zone in ZONES}
    owners: dict[str, str] = {}

    def look() -> None:
        """Note which rows of Availability_Zone each zone has or had, and whose the other rows are or were."""
        for zone in ZONES:
            row = world.site(zone).zone.own_az
            own[zone] |= {row.uuid} if row is not None else set()
        owners.update((row.uuid, row["availability_zone"]) for table in OWNED for row in world.ic_sb.rows(table))

    look()
    for _episode in range(8):
        for _edit in range(hand.random.randint(1, 3)):
            hand.act()
        world.converge(together=hand.random.random() < 0.5, retries=3)
        look()
        for zone in ZONES:
            for change in world.site(zone).written:
                if change.database == IC_SB and change.table in OWNED and not change.shared:
                    owner = change.columns.get("availability_zone", owners.get(change.uuid))
                    assert owner is None or owner in own[zone], f"{zone}: {change}"
