# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An interconnect without servers, for the tests of the subjects.

A :class:`World` has one or more zones over shared IC_NB and IC_SB stores. It runs the zones' engines, applies their groups as servers
would (a transaction per database: named uuids, unique indexes, strong references, garbage collection of rows that nobody refers to), and
plays ovn-northd's part where port handling reads what northd wrote. An operator's edits go through :meth:`World.put` and its neighbours.
"""

from __future__ import annotations

import random
import uuid as uuids
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import DELETE, INSERT, Change, Group
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.engine import Engine, Subject
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.replies import Outcome, Reply
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import ServerSchema
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import NOTHING, Members, Row, RowChange, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.sync.guard import Guard
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import DATABASES, IC_NB, IC_SB, NB, SB
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import ZONE_KEY, Zone

from .northd import nb_uuid, wanted_rows
from .server_rules import PARENTS, UNIQUE, RefusedError, Transaction

#: Rounds after which a world that still writes is called restless.
MOST_ROUNDS = 200


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Site:
    """One zone of a world with its engine, and what its engine had written."""

    name: str
    zone: Zone
    engine: Engine
    written: list[Change] = field(default_factory=list)
    rejected: list[tuple[Group, str]] = field(default_factory=list)
    #: An engine that is not running: it takes no notice of changes until it is started again.
    stopped: bool = False


class World:
    """Zones over one interconnect. ``make_subjects`` makes the subjects of one engine; it is called for every engine.

    Every zone starts with NB_Global (name), a registered Availability_Zone row, and IC_NB_Global and IC_SB_Global exist. The first zone
    holds the lock of IC_SB. ``seed`` decides the uuids of new rows. ``schemas`` are those of all zones' and of the global servers.
    """

    def __init__(
        self,
        make_subjects: Callable[[], Sequence[Subject]],
        zones: Iterable[str] = ("az1",),
        *,
        schemas: Mapping[str, ServerSchema] | None = None,
        seed: int = 1,
        register: bool = True,
    ) -> None:
        self.make_subjects = make_subjects
        self.random = random.Random(seed)
        self.clock = Clock()
        self.unique = dict(UNIQUE)
        self.schemas = dict(schemas or {})
        self.ic_nb = Store(DATABASES[IC_NB], self.schemas.get(IC_NB))
        self.ic_sb = Store(DATABASES[IC_SB], self.schemas.get(IC_SB))
        self.sites: dict[str, Site] = {}
        #: Edits not yet observed, while a batch is open.
        self._held: list[tuple[Store, RowChange]] | None = None
        if self.schemas.get(IC_SB) is not None and not self.schemas[IC_SB].has("Datapath_Binding", "type"):
            self.unique[(IC_SB, "Datapath_Binding")] = (("tunnel_key",),)
        self.put(self.ic_nb, "IC_NB_Global")
        self.put(self.ic_sb, "IC_SB_Global")
        for name in zones:
            self.add_zone(name, register=register)

    # -- zones ------------------------------------------------------------------------------------------------------------------------

    def add_zone(self, name: str, *, register: bool = True) -> Zone:
        """One zone more; with ``register`` its Availability_Zone row is there already."""
        nb, sb = Store(DATABASES[NB], self.schemas.get(NB)), Store(DATABASES[SB], self.schemas.get(SB))
        zone = Zone(nb, sb, self.ic_nb, self.ic_sb)
        zone.facts = zone.facts._replace(shared_lock=not self.sites)
        self.sites[name] = Site(name, zone, Engine(zone, self.make_subjects(), self.clock))
        known = {ZONE_KEY: self.put(self.ic_sb, "Availability_Zone", name=name)} if register else {}
        self.put(nb, "NB_Global", name=name, external_ids=known)
        self.put(sb, "SB_Global")
        return zone

    def site(self, name: str = "") -> Site:
        """A site by its zone's name; the first where none is given."""
        return self.sites[name] if name else next(iter(self.sites.values()))

    @property
    def zone(self) -> Zone:
        """The first zone."""
        return self.site().zone

    @property
    def engine(self) -> Engine:
        """The first zone's engine."""
        return self.site().engine

    def az(self, name: str = "") -> str:
        """The uuid of a zone's Availability_Zone row."""
        row = self.site(name).zone.own_az
        assert row is not None
        return row.uuid

    def stop(self, name: str = "") -> None:
        """The daemon of a zone ends."""
        self.site(name).stopped = True
        self.hold_lock(self.site(name), held=False)

    def start(self, name: str = "", *, shared_lock: bool = False) -> None:
        """A new daemon process of a zone: a fresh engine, nothing remembered, a full pass to do."""
        site = self.site(name)
        site.zone = Zone(site.zone.nb, site.zone.sb, site.zone.ic_nb, site.zone.ic_sb)
        site.zone.facts = site.zone.facts._replace(shared_lock=shared_lock)
        site.engine = Engine(site.zone, self.make_subjects(), self.clock)
        site.stopped = False
        site.engine.restart()

    def resume(self, name: str = "") -> None:
        """The daemon that was stopped goes on, with what it remembers."""
        self.site(name).stopped = False
        self.site(name).engine.restart()

    def give_lock(self, name: str) -> None:
        """The lock of IC_SB goes to this zone."""
        for site in self.sites.values():
            self.hold_lock(site, held=site.name == name)

    @staticmethod
    def hold_lock(site: Site, *, held: bool) -> None:
        """A zone gets or loses the lock of IC_SB."""
        site.engine.learn(site.zone.facts._replace(shared_lock=held))

    # -- an operator's edits ----------------------------------------------------------------------------------------------------------

    def new_uuid(self) -> str:
        """A uuid, decided by the seed."""
        return str(uuids.UUID(int=self.random.getrandbits(128)))

    def put(self, store: Store, table: str, uuid: str | None = None, /, **columns: Any) -> str:
        """Insert a row, or replace the named columns of the one with this uuid (``refs`` columns whole); its uuid."""
        uuid = uuid or self.new_uuid()
        with self._edit(store) as transaction:
            transaction.put(table, uuid, {column: _frozen(value) for column, value in columns.items()})
        return uuid

    def set_keys(self, store: Store, table: str, uuid: str, column: str, /, **keys: str | None) -> None:
        """Set single keys of a map, or remove them (None); ``_`` in a key stands for ``-``."""
        row = store.row(table, uuid)
        assert row is not None
        self.put(store, table, uuid, **{column: _merged(row[column], {key.replace("_", "-"): value for key, value in keys.items()})})

    def add(self, store: Store, parent: str, parent_uuid: str, column: str, table: str, /, **columns: Any) -> str:
        """Insert a row and make it a member of its parent's column, in one transaction; its uuid."""
        uuid = self.new_uuid()
        with self._edit(store) as transaction:
            transaction.put(table, uuid, {name: _frozen(value) for name, value in columns.items()})
            transaction.note(store.change_members(parent, parent_uuid, column, Members(frozenset([uuid]), NOTHING)))
        return uuid

    def remove(self, store: Store, parent: str, column: str, uuid: str) -> None:
        """Take a row out of its parents' column, so that it vanishes."""
        with self._edit(store) as transaction:
            for parent_uuid in store.parents(parent, column, uuid):
                transaction.note(store.change_members(parent, parent_uuid, column, Members(NOTHING, frozenset([uuid]))))

    def delete(self, store: Store, table: str, uuid: str) -> None:
        """Delete a row of a root table, with what only it held."""
        with self._edit(store) as transaction:
            transaction.delete(table, uuid)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Edits inside reach the engines as one update at the end."""
        self._held = []
        try:
            yield
        finally:
            held, self._held = self._held, None
            for store in {id(store): store for store, _change in held}.values():
                self._observe(store, [change for owner, change in held if owner is store])

    @contextmanager
    def _edit(self, store: Store) -> Iterator[Transaction]:
        transaction = Transaction(store, self.unique)
        yield transaction
        transaction.collect_garbage(with_new=False)
        self._publish(store, transaction)

    def _publish(self, store: Store, transaction: Transaction) -> None:
        if self._held is not None:
            self._held += [(store, change) for change in transaction.merged()]
        else:
            self._observe(store, transaction.merged())

    def _observe(self, store: Store, changes: list[RowChange]) -> None:
        for site in self.sites.values():
            if not site.stopped and any(store is mine for mine in site.zone.stores):
                site.engine.observe(changes)

    # -- usual objects ----------------------------------------------------------------------------------------------------------------

    def chassis(self, name: str, *, zone: str = "", interconn: bool = True, ip: str = "", kind: str = "geneve") -> str:
        """A chassis with one encap in a zone's SB; its uuid."""
        sb = self.site(zone).zone.sb
        address = ip or f"192.0.2.{sum(sb.count('Chassis') for sb in {id(s.zone.sb): s.zone.sb for s in self.sites.values()}.values()) + 1}"
        encap = self.put(sb, "Encap", type=kind, ip=address, options={"csum": "true"}, chassis_name=name)
        other = {"is-interconn": "true"} if interconn else {}
        return self.put(sb, "Chassis", name=name, hostname=name, encaps=[encap], other_config=other)

    def transit_switch(self, name: str) -> str:
        """A transit switch in IC_NB; its uuid."""
        return self.put(self.ic_nb, "Transit_Switch", name=name)

    def router(self, name: str, *, zone: str = "", **columns: Any) -> str:
        """A logical router in a zone; its uuid."""
        return self.put(self.site(zone).zone.nb, "Logical_Router", name=name, **columns)

    def attach(
        self, router: str, switch: str, *, zone: str = "", mac: str = "aa:aa:aa:aa:aa:01", networks: Iterable[str] = ("169.254.100.1/24",)
    ) -> tuple[str, str]:
        """Attach a router (by name) to a transit switch (by name) with ports ``<router>-<switch>`` and ``<switch>-<router>``.

        The zone's switch must be there. Returns the uuids of the router port and of the switch port.
        """
        nb = self.site(zone).zone.nb
        (lr,) = nb.find("Logical_Router", "name", router)
        (ls,) = [row for row in nb.rows("Logical_Switch") if row["other_config"].get("interconn-ts") == switch]
        lrp_name = f"{router}-{switch}"
        lrp = self.add(nb, "Logical_Router", lr.uuid, "ports", "Logical_Router_Port", name=lrp_name, mac=mac, networks=frozenset(networks))
        lsp = self.add(
            nb,
            "Logical_Switch",
            ls.uuid,
            "ports",
            "Logical_Switch_Port",
            name=f"{switch}-{router}",
            type="router",
            addresses=frozenset(["router"]),
            options={"router-port": lrp_name},
        )
        return lrp, lsp

    def claim(self, router_port: str, chassis: str | None, *, zone: str = "") -> None:
        """A gateway claims (or, with None, leaves) the chassis-redirect port of a router port."""
        sb = self.site(zone).zone.sb
        name = f"cr-{router_port}"
        row = sb.first("Port_Binding", "logical_port", name)
        found = sb.first("Chassis", "name", chassis) if chassis else None
        self.put(
            sb,
            "Port_Binding",
            row.uuid if row is not None else None,
            logical_port=name,
            type="chassisredirect",
            chassis=found.uuid if found is not None else None,
        )

    # -- ovn-northd -------------------------------------------------------------------------------------------------------------------

    def northd(self, zone: str = "") -> bool:
        """Make the zone's SB datapaths and port bindings what its NB says; whether anything changed."""
        site = self.site(zone)
        wanted = dict(wanted_rows(site.zone))
        with self._edit(site.zone.sb) as transaction:
            for table in ("Datapath_Binding", "Port_Binding"):
                have = {row["logical_port"] if table == "Port_Binding" else nb_uuid(row): row for row in site.zone.sb.rows(table)}
                for name, row in have.items():
                    if (table, name) not in wanted and not str(name).startswith("cr-"):
                        transaction.delete(table, row.uuid)
                for (kind, name), values in wanted.items():
                    if kind == table:
                        old = have.get(name)
                        transaction.put(table, old.uuid if old is not None else self.new_uuid(), self._resolved(site.zone, values))
            return bool(transaction.done)

    @staticmethod
    def _resolved(zone: Zone, values: dict[str, Any]) -> dict[str, Any]:
        values = dict(values)
        if "datapath" in values:
            behind = [row.uuid for row in zone.sb.rows("Datapath_Binding") if nb_uuid(row) == values["datapath"]]
            values["datapath"] = behind[0] if behind else ""
        if "chassis" in values:
            row = zone.chassis(values["chassis"])
            if row is not None:
                values["chassis"] = row.uuid
            else:
                del values["chassis"]
        return values

    # -- running ----------------------------------------------------------------------------------------------------------------------

    def settle(self, *, together: bool = False, retries: int = 0) -> list[Change]:
        """Run all engines until nothing is left to do; what was written.

        ``together``: all zones plan before any of them commits, so that they collide as real ones do. ``retries``: how often to let time
        pass until keys that were put aside are due again.
        """
        written: list[Change] = []
        for _round in range(MOST_ROUNDS):
            changes = self._round(together)
            written += changes
            for site in self._running():
                assert not site.engine.failures, site.engine.failures[0]
            if not changes and not any(site.engine.has_work for site in self._running()):
                due = [site.engine.next_due for site in self._running() if site.engine.next_due is not None]
                if not due or not retries:
                    return written
                retries -= 1
                self.clock.now = max(self.clock.now, min(due))
        raise AssertionError(f"no rest after {MOST_ROUNDS} rounds: {[str(change) for change in written[-10:]]}")

    def converge(self, *, together: bool = False, retries: int = 0) -> list[Change]:
        """Run engines and northd in turn until both have nothing left to do. A northd that has work lets time pass (1 s).

        Returns what the engines wrote.
        """
        written: list[Change] = []
        for _round in range(MOST_ROUNDS):
            changes = self.settle(together=together, retries=retries)
            written += changes
            moved = [self.northd(name) for name in self.sites]
            if not changes and not any(moved):
                return written
            self.clock.now += 11.0
        raise AssertionError("engines and northd do not come to rest")

    def _running(self) -> list[Site]:
        return [site for site in self.sites.values() if not site.stopped]

    def _round(self, together: bool) -> list[Change]:
        written: list[Change] = []
        planned = []
        for site in self._running():
            groups = site.engine.plan()
            if together:
                planned.append((site, groups))
            else:
                written += self._commit(site, groups)
        for site, groups in planned:
            written += self._commit(site, groups)
        return written

    def held_pass(self, name: str = "") -> list[Change]:
        """One pass of a zone whose guard withholds deletions; what was written."""
        site = self.site(name)
        guard = Guard(site.zone, site.engine)
        guard.holds = {IC_SB: "it is another database than before"}
        return self._commit(site, guard.filter(site.engine.plan(), site.engine.planned))

    def _commit(self, site: Site, groups: list[Group]) -> list[Change]:
        written: list[Change] = []
        batches = []
        for group in groups:
            parts = self._parts(site, group)
            site.engine.sent(group, len(parts))
            batches.append((group, parts))
        for group, parts in batches:
            for store, changes in parts:
                transaction = Transaction(store, self.unique)
                try:
                    self._apply(site, transaction, changes)
                except RefusedError as refused:
                    transaction.undo()
                    site.rejected.append((group, str(refused)))
                    site.engine.done(Reply(group, Outcome.REJECTED, str(refused)))
                else:
                    written += changes
                    site.written += changes
                    self._publish(store, transaction)
                    site.engine.done(Reply(group))
        return written

    @staticmethod
    def _parts(site: Site, group: Group) -> list[tuple[Store, list[Change]]]:
        """A group's Changes by transaction: one a database, shared rows of IC_SB in one of their own."""
        parts = []
        for store in site.zone.stores:
            for shared in (False, True):
                changes = [change for change in group.changes if change.database == store.name and change.shared == shared]
                if changes:
                    parts.append((store, changes))
        return parts

    def _apply(self, site: Site, transaction: Transaction, changes: list[Change]) -> None:
        if any(change.shared for change in changes) and not site.zone.facts.shared_lock:
            raise RefusedError("the lock ovn_ic_sb is not held")
        names = {change.uuid: self.new_uuid() for change in changes if change.action == INSERT}
        for change in changes:
            self._apply_one(transaction, change, names)
        transaction.collect_garbage(with_new=True)
        transaction.check()

    def _apply_one(self, transaction: Transaction, change: Change, names: Mapping[str, str]) -> None:
        store, table = transaction.store, change.table
        columns = {column: _renamed(value, names) for column, value in change.columns.items()}
        known = store.database.tables[table]
        for column in {*columns, *change.keys, *change.members}:
            assert column in known, f"{table} has no column {column}"
            assert store.schema.has(table, column), f"the server's {table} has no column {column}"
        if change.action == INSERT:
            transaction.put(table, names[change.uuid], columns)
            return
        uuid = names.get(change.uuid, change.uuid)
        row = store.row(table, uuid)
        if change.action == DELETE:
            assert (store.name, table) not in PARENTS, f"rows of {table} go by leaving their parent"
            transaction.delete(table, uuid)
            return
        assert row is not None, f"no such row: {change}"
        for column, keys in change.keys.items():
            columns[column] = _merged(row[column], keys)
        for column, members in change.members.items():
            changed = Members(_renamed(members.added, names), members.removed)
            if known[column].shape == "refs":
                transaction.note(store.change_members(table, uuid, column, changed))
            else:
                columns[column] = (row[column] - changed.removed) | changed.added
        if columns:
            transaction.put(table, uuid, columns)

    # -- looking ----------------------------------------------------------------------------------------------------------------------

    def full_pass(self, name: str = "") -> list[Group]:
        """What a fresh engine of this zone would plan now: nothing, if the delta passes did all there is to do."""
        site = self.site(name)
        zone = Zone(site.zone.nb, site.zone.sb, site.zone.ic_nb, site.zone.ic_sb)
        zone.facts = zone.facts._replace(shared_lock=site.zone.facts.shared_lock)
        engine = Engine(zone, self.make_subjects(), self.clock)
        engine.restart()
        return engine.plan(most=1_000_000)

    def check_law(self) -> None:
        """Delta passes that have come to rest leave nothing to a full pass (keys put aside excepted)."""
        for site in self._running():
            aside = set(site.engine.waiting)
            missed = [group for group in self.full_pass(site.name) if (group.subject, group.key) not in aside]
            assert not missed, [str(change) for group in missed for change in group.changes]

    def reasons(self, name: str = "") -> dict[str, str]:
        """What a zone leaves undone: record -> reason."""
        return {skipped.record: skipped.reason for _subject, skipped in self.site(name).engine.skipped}

    def rejections(self) -> list[str]:
        """Every refused transaction of all zones, as text."""
        return [f"{site.name} {group.subject} {group.key}: {reason}" for site in self.sites.values() for group, reason in site.rejected]


def rows(store: Store, table: str, *columns: str) -> list[Any]:
    """The sorted values of one column, or tuples of several, of all rows; maps and sets in a form that sorts."""
    values = [tuple(_sortable(row[column]) for column in columns) for row in store.rows(table)]
    return sorted((value[0] if len(columns) == 1 else value for value in values), key=repr)


def named(store: Store, table: str, name: str, column: str = "name") -> Row:
    """The one row of that name."""
    (row,) = [row for row in store.rows(table) if row[column] == name]
    return row


def _sortable(value: Any) -> Hashable:
    if isinstance(value, frozenset):
        return tuple(sorted(value))
    return tuple(sorted(value.items())) if isinstance(value, dict) else value


def _frozen(value: Any) -> Any:
    return frozenset(value) if isinstance(value, (list, set, tuple)) else value


def _merged(now: Mapping[str, str], keys: Mapping[str, str | None]) -> dict[str, str]:
    merged: dict[str, str | None] = {**now, **keys}
    return {key: value for key, value in merged.items() if value is not None}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, frozenset):
        return frozenset(names.get(one, one) for one in value)
    return names.get(value, value) if isinstance(value, str) and value.startswith("@") else value
