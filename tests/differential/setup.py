# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set-up of two zones that histories are applied to, used for many of them one after the other."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from ansible_collections.ovn.interconnect.tests.support import ovsdb
from ansible_collections.ovn.interconnect.tests.support.contents import NOT_COMPARED, Entry, contents, key_faults
from ansible_collections.ovn.interconnect.tests.support.identity import Authority
from ansible_collections.ovn.interconnect.tests.support.ovsdb import (
    Database,
    Insert,
    Operation,
    TransactionError,
    Value,
    WaitTimeoutError,
)
from ansible_collections.ovn.interconnect.tests.support.servers import OURS, AvailabilityZone, Interconnect, Server
from ansible_collections.ovn.interconnect.tests.support.topology import Sought

from .history import ZONES, Action

FIXED_OPTIONS = {"mac_prefix": "0a:0b:0c", "svc_monitor_mac": "0a:0b:0c:00:00:01", "svc_monitor_mac_dst": "0a:0b:0c:00:00:02"}
"""What northd would otherwise choose at random, once for each deployment."""
ROUNDS = 30
"""After so many rounds that all changed something, a set-up is considered never to settle."""

Seen = dict[tuple[str, UUID], dict[str, Value]]


class SetUp:
    """Two zones with one kind of sync daemon in each; `server` and `authority` say what the global databases run on."""

    def __init__(
        self, suite: str, kinds: Sequence[str], *, counters: bool, server: type[Server] = Server, authority: Authority | None = None
    ) -> None:
        self.interconnect = Interconnect(suite, server=server, authority=authority)
        self.counters = counters
        for name, kind in zip(ZONES, kinds):
            self.interconnect.add_zone(name, kind=kind)
        self.kinds = "/".join(kinds)

    def start(self) -> None:
        """Start the servers; the daemons start with each history."""
        self.interconnect.start(daemons=False)

    def close(self) -> None:
        """Stop everything."""
        self.interconnect.close()

    def run(self, history: Iterable[Action]) -> list[str]:
        """Apply a history to an empty set-up and settle it; returns the outcome of each action."""
        self._empty()
        outcomes = []
        settled = False
        for action in history:
            if action.alone and not settled:
                self.settle()
            outcomes.append(self.apply(action))
            settled = action.alone
            if settled:
                self.settle()
        self.settle()
        return outcomes

    def settle(self) -> None:
        """Wait until northd and all running daemons have nothing left to do, and none of ours rests in a dispute with another writer."""
        self._settle()
        for zone in self.interconnect.zones:
            if zone.daemon.kind == OURS and zone.daemon.working and _disputes(zone):
                self.interconnect.urge(lambda zone=zone: not _disputes(zone), f"the end of the disputes of {zone.name}")  # type: ignore[misc]
                self._settle()

    def _settle(self) -> None:
        """Wait until northd and all running daemons have nothing left to do.

        With counters: until a round of everybody's confirmations changes nothing. Two confirmations a round, since the first
        may come before that pass' writes to NB and SB.
        """
        if not self.counters:
            self.interconnect.settle()
            return
        before: list[Seen] = []
        for _ in range(ROUNDS):
            for zone in self.interconnect.zones:
                zone.northd_sync()
            self.interconnect.sync(2)
            now = everything(self.interconnect)
            moving = [f"{old} -> {new}" for old, new in zip(before, now) if old != new]
            if before and not moving:
                return
            before = now
        raise WaitTimeoutError(f"something changes in each of {ROUNDS} rounds: {moving}\n{self.interconnect.logs()}")

    def contents(self) -> list[Entry]:
        """All rows of all databases."""
        return contents(self.interconnect)

    def faults(self) -> list[str]:
        """Violations of what must always hold."""
        return key_faults(self.interconnect)

    def apply(self, action: Action) -> str:
        """Do one action; returns its outcome."""
        if action.command == "restart-server":
            server = self._server(action.target)
            server.stop()
            server.start()
            return "done"
        if action.command:
            self._command(self._zone(action.target), action.command)
            return "done"
        with self._without(action.during):
            try:
                database = self._database(action.target)
                database.transact(*(_found(database, operation) for operation in action.operations))
            except (TransactionError, LookupError):
                return "rejected"
            return "committed"

    @contextmanager
    def _without(self, during: str) -> Iterator[None]:
        """A zone's daemon does nothing for the length of the block; northd does."""
        if not during:
            yield
            return
        zone, how = self._zone(during), during.split("/")[1]
        if how == "pause":
            zone.daemon.pause()
        else:
            zone.daemon.stop(signal.SIGKILL if how == "kill" else signal.SIGTERM)
        yield
        for each in self.interconnect.zones:
            each.northd_sync()
        if how == "pause":
            zone.daemon.resume()
        else:
            zone.daemon.start()

    def _command(self, zone: AvailabilityZone, command: str) -> None:
        if command == "pause-resume":
            zone.daemon.pause()
            zone.daemon.resume()
            return
        zone.daemon.stop(signal.SIGKILL if command == "kill" else signal.SIGTERM)
        zone.daemon.start()

    def _zone(self, target: str) -> AvailabilityZone:
        return self.interconnect.zones[ZONES.index(target.split("/")[0])]

    def _database(self, target: str) -> Database:
        return self._server(target).database

    def _server(self, target: str) -> Server:
        if target == "IC_NB":
            return self.interconnect.nb_server
        if target == "IC_SB":
            return self.interconnect.sb_server
        zone = self._zone(target)
        return zone.nb_server if target.endswith("/NB") else zone.sb_server

    def _empty(self) -> None:
        """Bring the databases back to how a new deployment finds them, with new daemon processes."""
        ic = self.interconnect
        for zone in ic.zones:
            zone.daemon.stop()
        # A history that ended in an error has left something stopped, perhaps.
        ic.start(daemons=False)
        for zone in ic.zones:
            _empty(zone.nb, "NB_Global", {"name": "", "external_ids": {}, "options": FIXED_OPTIONS})
            zone.northd_sync()
            zone.sb.transact(ovsdb.delete("Chassis"), ovsdb.delete("Chassis_Private"), ovsdb.delete("Encap"))
        _empty(ic.nb, "IC_NB_Global", {"external_ids": {}, "options": {}, "nb_ic_cfg": 0, "sb_ic_cfg": 0})
        _empty(ic.sb, "IC_SB_Global", {"external_ids": {}, "options": {}, "nb_ic_cfg": 0})
        for zone in ic.zones:
            zone.daemon.launch()
        for zone in ic.zones:
            zone.daemon.ready()


def _disputes(zone: AvailabilityZone) -> bool:
    """Whether a daemon of ours leaves something alone for a while that another writer keeps changing back."""
    return "another client keeps reverting" in zone.daemon.appctl("skipped/show")


def _found(database: Database, operation: Operation) -> Operation:
    """An operation with what is `Sought` in it replaced by what is there. Raises LookupError where nothing is."""
    if not isinstance(operation, Insert):
        return operation
    return replace(operation, row={column: _found_value(database, value) for column, value in operation.row.items()})


def _found_value(database: Database, value: object) -> object:
    if not isinstance(value, Sought):
        return value
    database.refresh()
    binding = database.find("Port_Binding", logical_port=value.logical_port)
    if binding is None:
        raise LookupError(value.logical_port)
    return binding.uuid if value.column == "_uuid" else binding[value.column]


def everything(interconnect: Interconnect) -> list[Seen]:
    """All rows of all databases, table by table, but what the waiting itself moves."""
    seen: list[Seen] = []
    for database in interconnect.databases:
        for table in database.tables():
            moving = NOT_COMPARED.get(table, ())
            seen.append(
                {(table, row.uuid): {c: value for c, value in row.columns.items() if c not in moving} for row in database.rows(table)}
            )
    return seen


def _empty(database: Database, global_table: str, row: dict[str, object]) -> None:
    known = {column: value for column, value in row.items() if database.has(global_table, column)}
    database.transact(*(ovsdb.delete(table) for table in database.tables() if table != global_table), ovsdb.update(global_table, known))
