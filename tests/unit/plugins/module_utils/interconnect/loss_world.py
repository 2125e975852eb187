# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several zones with their guards over shared stores, whose databases are lost and restored at random (docs/loss-and-restore.md).

:class:`LossWorld` adds to the simulation what a daemon does around its engine: the guard, and the lock of IC_SB. :class:`History` plays the
operator and the accidents, and knows which attachments and tunnel keys must survive.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.engine import Engine
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import ServerSchema
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import RowChange, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects import all_subjects
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.sync.guard import RELEASE, Guard
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import Zone

from .server_rules import LACKING_IN_2303, schemas_without
from .simulated_zones import MOST_ROUNDS, Site, World

OLD_SCHEMAS = schemas_without(*LACKING_IN_2303)

#: The contents of a database: table -> uuid -> columns, references included.
Contents = Mapping[str, Mapping[str, Mapping[str, Any]]]

KEY = "requested-tnl-key"


def contents(store: Store) -> Contents:
    """A copy of a database, as a backup of its file."""
    return {
        table: {
            row.uuid: {
                **row.as_dict(),
                **{name: frozenset(store.children(table, name, row.uuid)) for name, column in columns.items() if column.shape == "refs"},
            }
            for row in store.rows(table)
        }
        for table, columns in store.database.tables.items()
    }


class LossWorld(World):
    """Zones whose guards are at work, and a lock of IC_SB that goes to any running zone that has a row there."""

    def __init__(self, *, schemas: Mapping[str, ServerSchema] | None, seed: int) -> None:
        self.guards: dict[str, Guard] = {}
        super().__init__(all_subjects, (), schemas=schemas, seed=seed)
        #: Who gets the lock where nobody holds it.
        self.chance = random.Random(seed)

    def add_zone(self, name: str, *, register: bool = True) -> Zone:
        zone = super().add_zone(name, register=False)
        self.hold_lock(self.site(name), held=False)
        self.guards[name] = Guard(zone, self.site(name).engine)
        self.site(name).engine.restart()
        self.guards[name].begin()
        self._learn(self.site(name))
        return zone

    def start(self, name: str = "", *, shared_lock: bool = False) -> None:
        site = self.site(name)
        site.zone = Zone(site.zone.nb, site.zone.sb, site.zone.ic_nb, site.zone.ic_sb)
        site.engine = Engine(site.zone, self.make_subjects(), self.clock)
        self.guards[name] = Guard(site.zone, site.engine)
        site.stopped = False
        self.guards[name].begin()
        self._learn(site)
        site.engine.restart()

    def _observe(self, store: Store, changes: list[RowChange]) -> None:
        super()._observe(store, changes)
        for site in self.sites.values():
            if not site.stopped and site.name in self.guards and any(store is mine for mine in site.zone.stores):
                self.guards[site.name].observe([changes])
                self._learn(site)

    def _learn(self, site: Site) -> None:
        """Pass on what the guard has found out, as the daemon's loop does."""
        guard = self.guards[site.name]
        facts = site.zone.facts._replace(notes=guard.notes, keeps_keys=guard.keeps_keys)
        site.engine.learn(facts._replace(confirmable=None) if IC_SB in guard.holds else facts)
        site.engine.plan_again(guard.take_keys())

    def release(self, name: str) -> None:
        """An operator confirms the withheld deletions of a zone."""
        self.guards[name].release()
        self._learn(self.site(name))

    def _round(self, together: bool) -> list[Any]:
        self.elect()
        written: list[Any] = []
        for site in self._running():
            groups = self.guards[site.name].filter(site.engine.plan(), site.engine.planned)
            written += self._commit(site, groups)
        return written

    def elect(self) -> None:
        """The lock of IC_SB stays with a running zone that has a row of its own, or goes to another such zone."""
        for site in self.sites.values():
            if site.zone.facts.shared_lock and (site.stopped or site.zone.own_az is None):
                self.hold_lock(site, held=False)
        able = [site for site in self._running() if site.zone.own_az is not None]
        if able and not any(site.zone.facts.shared_lock for site in able):
            self.hold_lock(self.chance.choice(able), held=True)

    def settle(self, *, together: bool = False, retries: int = 0) -> list[Any]:
        """Run engines and guards until nothing is left to do; requests are confirmed as in the daemon."""
        written: list[Any] = []
        for _round in range(MOST_ROUNDS):
            changes = super().settle(retries=2)
            written += changes
            for site in self._running():
                if site.engine.at_rest:
                    self.guards[site.name].settle()
                    self._learn(site)
                self._confirm(site.zone, self.guards[site.name], site.engine)
            if not changes and not any(site.engine.has_work for site in self._running()):
                return written
        raise AssertionError("no rest")

    @staticmethod
    def _confirm(zone: Zone, guard: Guard, engine: Engine) -> None:
        wanted, own = zone.ic_nb.only("IC_NB_Global"), zone.own_az
        if guard.holding or wanted is None or own is None or not zone.ic_nb.schema.has("IC_NB_Global", "nb_ic_cfg"):
            return
        if wanted["nb_ic_cfg"] not in (own["nb_ic_cfg"], zone.facts.confirmable):
            engine.learn(zone.facts._replace(confirmable=wanted["nb_ic_cfg"]))

    def replace(self, store: Store, new: Contents) -> None:
        """The server comes back with other contents, which its clients see as one update."""
        with self._edit(store) as transaction:
            for table in store.database.tables:
                for row in list(store.rows(table)):
                    if row.uuid not in new.get(table, {}):
                        transaction.delete(table, row.uuid)
            for table, rows in new.items():
                for uuid, columns in rows.items():
                    transaction.put(table, uuid, columns)


class History:
    """An interconnect of several zones, what happens to it, and what has to survive."""

    SWITCHES = ("ts1", "ts2", "ts3", "ts4")

    def __init__(self, seed: int, zones: int, *, old: bool) -> None:
        self.random = random.Random(seed)
        self.world = LossWorld(schemas=OLD_SCHEMAS if old else None, seed=seed)
        self.old = old
        self.zones: list[str] = []
        #: What has happened, for whoever reads a failure.
        self.said: list[str] = []
        #: Transit switches that the operator wants, attachments (zone, transit switch) that exist, and tunnel keys: of transit switches by
        #: name, of ports by their name.
        self.switches: list[str] = []
        self.attachments: set[tuple[str, str]] = set()
        #: Attachments that an operator's release has removed: other zones withhold what follows from that until they are released too.
        self.withdrawn: set[tuple[str, str]] = set()
        self.keys: dict[str, int] = {}
        self.port_keys: dict[str, int] = {}
        self.copies: dict[str, Contents] = {}
        #: Zones whose SB is empty, and those whose NB is.
        self.empty_sb: set[str] = set()
        self.empty_nb: dict[str, Contents] = {}
        self.number = 0
        #: Whether IC_SB was lost, and whether that has met one of the documented limits: for tunnel keys of switches, and of ports.
        self.lost_ic_sb = self.limits = self.port_limits = False
        for number in range(1, zones + 1):
            self.add_zone(number)
        for name in self.SWITCHES[: self.random.randint(2, 3)]:
            self.add_switch(name)
        self.rest()
        for zone in self.zones:
            for switch in self.switches:
                if self.random.random() < 0.8:
                    self.attach(zone, switch)
        self.rest()

    # -- the operator -----------------------------------------------------------------------------------------------------------------

    def add_zone(self, number: int) -> None:
        name = f"az{number}"
        self.world.add_zone(name)
        self.zones.append(name)
        nb = self.world.site(name).zone.nb
        self.world.put(nb, "NB_Global", self.only(nb, "NB_Global").uuid, options={"ic-route-adv": "true", "ic-route-learn": "true"})
        lr = self.world.router(f"lr-{name}", zone=name)
        networks = frozenset([f"10.{number}.0.1/24"])
        columns = {"name": f"lan-{name}", "mac": f"aa:aa:aa:bb:00:{number:02x}", "networks": networks}
        self.world.add(nb, "Logical_Router", lr, "ports", "Logical_Router_Port", **columns)
        self.chassis(name)
        self.rest()

    def chassis(self, name: str) -> None:
        if self.world.site(name).zone.chassis(f"gw-{name}") is None:
            self.world.chassis(f"gw-{name}", zone=name, ip=f"192.0.2.{name[2:]}")

    def add_switch(self, name: str) -> None:
        if self.world.ic_nb.first("Transit_Switch", "name", name) is None:
            self.world.transit_switch(name)
        if name not in self.switches:
            self.switches.append(name)
        self.request()

    def request(self) -> None:
        """What ``ovn-ic-nbctl --wait=sb`` does first."""
        row = self.world.ic_nb.only("IC_NB_Global")
        if row is not None and not self.old:
            self.world.put(self.world.ic_nb, "IC_NB_Global", row.uuid, nb_ic_cfg=row["nb_ic_cfg"] + 1)

    def attach(self, zone: str, switch: str) -> None:
        nb = self.world.site(zone).zone.nb
        made = [row for row in nb.rows("Logical_Switch") if row["other_config"].get("interconn-ts") == switch]
        defined = self.world.ic_nb.first("Transit_Switch", "name", switch) is not None
        if not defined or len(made) != 1 or nb.first("Logical_Router_Port", "name", f"lr-{zone}-{switch}") is not None:
            return
        place, number = self.SWITCHES.index(switch) + 1, int(zone[2:])
        networks = [f"169.254.{place}.{number}/24"]
        self.world.attach(f"lr-{zone}", switch, zone=zone, mac=f"aa:aa:aa:aa:{place:02x}:{number:02x}", networks=networks)
        self.world.claim(f"lr-{zone}-{switch}", f"gw-{zone}", zone=zone)
        self.attachments.add((zone, switch))

    @staticmethod
    def only(store: Store, table: str) -> Any:
        row = store.only(table)
        assert row is not None
        return row

    # -- what happens -----------------------------------------------------------------------------------------------------------------

    def act(self) -> None:
        """One event."""
        events: list[Callable[[], str | None]] = [
            *(self.lose_ic_sb, self.lose_ic_nb, self.restore_ic_sb, self.restore_ic_nb, self.copy, self.fill_ic_nb),
            *(self.lose_sb, self.fill_sb, self.lose_nb, self.restore_nb, self.empty_external_ids),
            *(self.stop, self.start, self.start, self.rename_zone, self.rename_switch_here, self.join, self.make_switch, self.attach_one),
            *(self.release, self.move_lock),
        ]
        said = self.random.choice(events)()
        if said:
            self.said.append(said)

    def some_zone(self) -> str:
        return self.random.choice(self.zones)

    def lose_ic_sb(self) -> str:
        self.world.replace(self.world.ic_sb, {})
        self.lost_ic_sb = True
        self.watch_limits()
        return "IC_SB is lost"

    def lose_ic_nb(self) -> str:
        self.watch_limits()
        self.world.replace(self.world.ic_nb, {})
        return "IC_NB is lost"

    def copy(self) -> str | None:
        if not all(name in {row["name"] for row in self.world.ic_nb.rows("Transit_Switch")} for name in self.switches):
            return None
        if not self.world.ic_sb.count("Datapath_Binding"):
            return None
        self.copies = {IC_NB: contents(self.world.ic_nb), IC_SB: contents(self.world.ic_sb)}
        return "copies of IC_NB and IC_SB are taken"

    def restore_ic_sb(self) -> str | None:
        if IC_SB not in self.copies:
            return None
        self.world.replace(self.world.ic_sb, self.copies[IC_SB])
        return "IC_SB is restored"

    def restore_ic_nb(self) -> str | None:
        if IC_NB not in self.copies:
            return None
        self.world.replace(self.world.ic_nb, self.copies[IC_NB])
        return "IC_NB is restored"

    def fill_ic_nb(self) -> str:
        """An operator defines again what is missing, in some order, perhaps not all."""
        names = self.random.sample(self.switches, self.random.randint(1, len(self.switches)))
        for name in names:
            self.add_switch(name)
        return f"IC_NB is filled with {names}"

    def lose_sb(self) -> str:
        zone = self.some_zone()
        self.world.replace(self.world.site(zone).zone.sb, {})
        self.empty_sb.add(zone)
        return f"SB of {zone} is lost"

    def fill_sb(self) -> str | None:
        """Northd, then the chassis."""
        if not self.empty_sb:
            return None
        zone = self.random.choice(sorted(self.empty_sb))
        self.refill_sb(zone, rest=self.random.random() < 0.5)
        return f"SB of {zone} is filled"

    def refill_sb(self, zone: str, *, rest: bool = False) -> None:
        sb = self.world.site(zone).zone.sb
        if sb.only("SB_Global") is None:
            self.world.put(sb, "SB_Global")
        for step in self.random.sample([lambda: self.world.northd(zone), lambda: self.chassis(zone)], 2):
            step()
            if rest:
                self.rest(northd=False)
        for name, switch in sorted(self.attachments):
            if name == zone:
                self.world.claim(f"lr-{zone}-{switch}", f"gw-{zone}", zone=zone)
        self.empty_sb.discard(zone)

    def lose_nb(self) -> str | None:
        zone = self.some_zone()
        if zone in self.empty_nb:
            return None
        nb = self.world.site(zone).zone.nb
        self.empty_nb[zone] = contents(nb)
        self.world.replace(nb, {})
        if self.random.random() < 0.5:
            (row,) = self.empty_nb[zone]["NB_Global"].values()
            self.world.put(nb, "NB_Global", name=self.random.choice(["", row["name"]]))
        return f"NB of {zone} is lost"

    def restore_nb(self) -> str | None:
        """From a copy taken at the moment of the loss."""
        if not self.empty_nb:
            return None
        zone = self.random.choice(sorted(self.empty_nb))
        self.world.replace(self.world.site(zone).zone.nb, self.empty_nb.pop(zone))
        return f"NB of {zone} is restored"

    def empty_external_ids(self) -> str | None:
        zone = self.some_zone()
        row = self.world.site(zone).zone.nb.only("NB_Global")
        if row is None or zone in self.empty_nb:
            return None
        self.world.put(self.world.site(zone).zone.nb, "NB_Global", row.uuid, external_ids={})
        return f"NB_Global.external_ids of {zone} are emptied"

    def stop(self) -> str:
        zone = self.some_zone()
        self.world.stop(zone)
        return f"the daemon of {zone} stops"

    def start(self) -> str | None:
        zone = self.some_zone()
        if not self.world.site(zone).stopped:
            return None
        self.world.start(zone)
        return f"the daemon of {zone} starts"

    def rename_zone(self) -> str | None:
        zone = self.some_zone()
        row = self.world.site(zone).zone.nb.only("NB_Global")
        if row is None or zone in self.empty_nb:
            return None
        name = self.random.choice([zone, f"{zone}-new"])
        self.world.put(self.world.site(zone).zone.nb, "NB_Global", row.uuid, name=name)
        return f"{zone} is called {name}"

    def rename_switch_here(self) -> str | None:
        zone = self.some_zone()
        nb = self.world.site(zone).zone.nb
        found = sorted((row for row in nb.rows("Logical_Switch") if "interconn-ts" in row["other_config"]), key=lambda row: row.uuid)
        if not found:
            return None
        row = self.random.choice(found)
        self.number += 1
        self.world.put(nb, "Logical_Switch", row.uuid, name=f"mine-{self.number}")
        return f"the switch of {row['other_config']['interconn-ts']} in {zone} is renamed"

    def join(self) -> str | None:
        if len(self.zones) >= 5:
            return None
        self.add_zone(len(self.zones) + 1)
        return f"{self.zones[-1]} joins"

    def make_switch(self) -> str | None:
        missing = [name for name in self.SWITCHES if name not in self.switches]
        if not missing:
            return None
        if self.old:
            self.copies = {}  # without counters, an older copy that replaces a running server's file looks like an operator's command
        self.add_switch(missing[0])
        return f"{missing[0]} is made"

    def attach_one(self) -> str | None:
        zone, switch = self.some_zone(), self.random.choice(self.switches)
        if zone in self.empty_nb or zone in self.empty_sb:
            return None
        self.attach(zone, switch)
        return f"{zone} is attached to {switch}"

    def release(self) -> str | None:
        """An operator releases a zone; what it withholds because IC_NB has no definition is then deleted."""
        zone = self.some_zone()
        guard = self.world.guards[zone]
        if any(store.only(table) is None for store, table in ((self.world.ic_nb, "IC_NB_Global"), (self.world.ic_sb, "IC_SB_Global"))):
            return None
        if self.world.site(zone).stopped or not guard.holding or zone in self.empty_nb or zone in self.empty_sb:
            return None
        defined = {row["name"] for row in self.world.ic_nb.rows("Transit_Switch")}
        gone = {(name, switch) for name, switch in self.attachments if name == zone and switch not in defined}
        self.attachments -= gone
        self.withdrawn |= gone
        self.world.release(zone)
        self.world.settle()
        return f"{zone} is released and loses {sorted(switch for _zone, switch in gone)}"

    def move_lock(self) -> str | None:
        able = [site.name for site in self.world._running() if site.zone.own_az is not None]
        if not able:
            return None
        zone = self.random.choice(able)
        self.world.give_lock(zone)
        return f"{zone} has the lock"

    # -- what is looked at --------------------------------------------------------------------------------------------------------------

    def rest(self, *, northd: bool = True) -> None:
        """Let everything that runs come to rest, and look at the rule."""
        for _round in range(50):
            changes = self.world.settle()
            moved = [self.world.northd(name) for name in self.zones if northd and name not in self.empty_sb | set(self.empty_nb)]
            self.world.clock.now += 61.0
            if not changes and not any(moved):
                break
        else:
            raise AssertionError("engines and northd do not come to rest")
        self.check()

    def check(self) -> None:
        """The rule, as far as it can hold in the middle of a loss."""
        self.check_attachments()
        self.check_keys()
        self.check_reports()

    def check_attachments(self) -> None:
        for zone, switch in sorted(self.attachments):
            nb = self.world.site(zone).zone.nb
            if zone in self.empty_nb:
                continue
            assert nb.first("Logical_Switch_Port", "name", f"{switch}-lr-{zone}") is not None, f"{zone} lost its attachment to {switch}"
            assert nb.first("Logical_Router_Port", "name", f"lr-{zone}-{switch}") is not None, f"{zone} lost its router port to {switch}"

    def check_keys(self) -> None:
        held: dict[str, set[int]] = {}
        self.watch_limits()
        for zone in self.zones:
            nb = self.world.site(zone).zone.nb
            users: dict[int, str] = {}
            for row in nb.rows("Logical_Switch"):
                name, key = row["other_config"].get("interconn-ts"), row["other_config"].get(KEY)
                if name is None or key is None:
                    continue
                assert int(key) not in users, f"{name} and {users[int(key)]} request key {key} in {zone}"
                users[int(key)] = name
                held.setdefault(name, set()).add(int(key))
            for port in nb.rows("Logical_Switch_Port"):
                key = port["options"].get(KEY)
                if key is not None and port["type"] != "remote":
                    before = self.port_keys.setdefault(f"{zone} {port['name']}", int(key))
                    assert before == int(key) or self.port_limits, f"port {port['name']} of {zone} had key {before}, has {key}"
        for name, keys in held.items():
            assert len(keys) == 1 or self.limits, f"the zones request the keys {sorted(keys)} for {name}"
            lowest = min(keys)
            known = self.keys.setdefault(name, lowest)
            attached = any(switch == name for _zone, switch in self.attachments)
            assert known == lowest or self.limits or not attached, f"{name} had key {known}, has {lowest}"
            self.keys[name] = lowest
        for name in [name for name in self.keys if name not in held and not self.held_somewhere(name)]:
            del self.keys[name]
        rows = [row["tunnel_key"] for row in self.world.ic_sb.rows("Datapath_Binding")]
        assert len(rows) == len(set(rows)), f"datapaths share a key: {sorted(rows)}"

    def watch_limits(self) -> None:
        """Note whether keys may be assigned that a zone holds: if nothing that runs can tell them (docs/loss-and-restore.md, limits)."""
        if not self.lost_ic_sb:
            return
        able = [zone for zone in self.zones if not self.world.site(zone).stopped and zone not in self.empty_nb]
        if len(able) < len(self.zones):
            self.port_limits = True
        held = {
            row["other_config"].get("interconn-ts")
            for zone in able
            for row in self.world.site(zone).zone.nb.rows("Logical_Switch")
            if KEY in row["other_config"]
        }
        noted = {row["name"] for row in self.world.ic_nb.rows("Transit_Switch") if "ovn-interconnect-tunnel-key" in row["external_ids"]}
        if any(name not in held | noted for name in self.keys):
            self.limits = True

    def held_somewhere(self, name: str) -> bool:
        """Whether a copy of a lost NB holds a key for this transit switch."""
        return any(
            row["other_config"].get("interconn-ts") == name and KEY in row["other_config"]
            for copy in self.empty_nb.values()
            for row in copy["Logical_Switch"].values()
        )

    def check_reports(self) -> None:
        for site in self.world._running():
            guard = self.world.guards[site.name]
            for skipped in guard.withheld:
                assert RELEASE in skipped.reason
                assert "withheld because" in skipped.reason
            for reason in guard.holds.values():
                assert reason

    def finish(self) -> None:
        """Everything comes back: then nothing is withheld, and every zone is as it was."""
        for zone in list(self.empty_nb):
            self.world.replace(self.world.site(zone).zone.nb, self.empty_nb.pop(zone))
        for zone in self.zones:
            if self.world.site(zone).stopped:
                self.world.start(zone)
            if zone in self.empty_sb:
                self.refill_sb(zone)
            self.rest()
        for name in self.switches:
            self.add_switch(name)
            self.rest()
        for zone, switch in sorted(self.attachments):
            self.world.claim(f"lr-{zone}-{switch}", f"gw-{zone}", zone=zone)
        self.rest()
        if not self.withdrawn:
            self.check_end()
        for zone in self.random.sample(self.zones, len(self.zones)):
            self.world.release(zone)
            self.rest()
        self.check_end()
        self.world.check_law()

    def check_end(self) -> None:
        world = self.world
        for zone in self.zones:
            site = world.site(zone)
            own = site.zone.own_az
            assert own is not None, f"{zone} is frozen: {world.reasons(zone)}"
            assert own["name"] == self.only(site.zone.nb, "NB_Global")["name"]
            assert not world.guards[zone].holding, f"{zone} still withholds: {world.guards[zone].holds} {world.guards[zone].withheld}"
        assert world.ic_sb.count("Availability_Zone") == len(self.zones), "a zone has more than one registration"
        for zone, switch in sorted(self.attachments):
            port = f"{switch}-lr-{zone}"
            binding = world.ic_sb.first("Port_Binding", "logical_port", port)
            assert binding is not None, f"{port} is not published: {world.reasons(zone)}"
            assert binding["gateway"] == f"gw-{zone}", f"{port} has the gateway {binding['gateway']!r}"
            for other in self.zones:
                copy = world.site(other).zone.nb.first("Logical_Switch_Port", "name", port)
                assert copy is not None, f"{other} lacks {port}"
                assert copy["options"].get(KEY) == str(binding["tunnel_key"]), f"{port} has another key in {other}"
        for zone in self.zones:
            site = world.site(zone)
            nb = site.zone.nb
            statics = nb.rows("Logical_Router_Static_Route")
            learned = [(row["ip_prefix"], row["nexthop"]) for row in statics if "ic-learned-route" in row["external_ids"]]
            assert len(learned) == len(set(learned)), f"{zone} has learned a route twice: {sorted(learned)}"
            mine = {switch for name, switch in self.attachments if name == zone}
            wanted = {
                (f"10.{other[2:]}.0.0/24", f"169.254.{self.SWITCHES.index(switch) + 1}.{other[2:]}")
                for other, switch in self.attachments
                if other != zone and switch in mine
            }
            found = {(prefix.replace(".1/24", ".0/24"), hop) for prefix, hop in learned}
            assert found == wanted, f"{zone} has learned {sorted(found)}, not {sorted(wanted)}"


def run(seed: int, zones: int, *, old: bool, events: int = 12) -> History:
    """One history with its checks. A failure says what had happened."""
    history = History(seed, zones, old=old)
    try:
        for _event in range(events):
            history.act()
            if history.random.random() < 0.8:
                history.rest()
        history.rest()
        history.finish()
    except AssertionError as failure:
        raise AssertionError(f"{failure}, after: {'; '.join(history.said)}") from failure
    return history
