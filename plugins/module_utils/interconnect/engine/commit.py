# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turns groups of Changes into transactions, one database each, and maps the replies back to the groups.

A group is never split. When a server rejects a transaction, the group that caused the error is identified (by the
failed operation, by the server's message, or by bisection) and reported. All other groups continue at once: they are
sent again, or planned again if the error shows that another client has changed the database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..ovsdb.columns import Column, Database
from ..ovsdb.replica import Replica
from ..ovsdb.store import Members
from ..ovsdb.wire import encode, encode_map, encode_set, first_error, where
from .change import DELETE, INSERT, Change, Group
from .replies import COMMITTED, LOST, READ_ONLY, REJECTED, Outcome, Reply

SHARED_LOCK = "ovn_ic_sb"
#: The maximum number of rows in a transaction, and of transactions in flight for one database.
MOST_CHANGES = 500
MOST_TRANSACTIONS = 4

#: Errors that are not caused by the groups: another client was faster, the lock was lost, or the cluster has no leader
#: at the moment.
_PASSING = frozenset(
    ("timed out", "not owner", "not leader", "resources exhausted", "canceled", "cluster error", "raft error", "I/O error")
)


def is_passing(words: str) -> bool:
    """Whether a server's error is temporary and not caused by the request, so that the request should be retried."""
    return words.partition(":")[0] in _PASSING


class _Part(NamedTuple):
    """The part of a group that is written to one database."""

    group: Group
    changes: tuple[Change, ...]
    shared: bool


def _parts(group: Group) -> dict[str, _Part]:
    """Split a group by database."""
    by_database: dict[str, list[Change]] = {}
    shared = set()
    for change in group.changes:
        by_database.setdefault(change.database, []).append(change)
        if change.shared:
            shared.add(change.database)
    return {name: _Part(group, tuple(some), name in shared) for name, some in by_database.items()}


class Transaction:
    """The operations of some groups for one database. ``owners[i]`` is the part that operation i belongs to, None if
    several share it.
    """

    def __init__(self, database: Database, parts: Sequence[_Part]) -> None:
        self._database = database
        self.parts = tuple(parts)
        self.operations: list[Any] = []
        self.owners: list[_Part | None] = []
        #: (table, row) -> column -> the encoded members to add, the encoded members to remove, and the parts that asked
        #: for them.
        self._added: dict[tuple[str, str], dict[str, list[Any]]] = {}
        self._removed: dict[tuple[str, str], dict[str, list[Any]]] = {}
        self._wanted_by: dict[tuple[str, str], set[int]] = {}
        if any(part.shared for part in self.parts):
            self._append({"op": "assert", "lock": SHARED_LOCK}, None)
        for number, part in enumerate(self.parts):
            for change in part.changes:
                self._change(part, number, change)
        self._append_members()

    def _append(self, operation: Any, owner: _Part | None) -> None:
        self.operations.append(operation)
        self.owners.append(owner)

    def _change(self, part: _Part, number: int, change: Change) -> None:
        names = f"g{number}_"
        columns = self._database.tables[change.table]
        row = {
            column: value if columns[column].literal else encode(columns[column], value, names) for column, value in change.columns.items()
        }
        if change.action == INSERT:
            if change.unless:
                self._append(_wait_for_none(change, columns), part)
            self._append({"op": "insert", "table": change.table, "row": row, "uuid-name": names + change.uuid[1:]}, part)
            return
        place = {"table": change.table, "where": where(change.uuid)}
        if change.action == DELETE:
            self._append({"op": "delete", **place}, part)
            return
        if row:
            self._append({"op": "update", **place, "row": row}, part)
        mutations = [mutation for column, keys in change.keys.items() for mutation in _key_mutations(column, keys, change)]
        if mutations:
            self._append({"op": "mutate", **place, "mutations": mutations}, part)
        for column, members in change.members.items():
            self._note_members(number, change, column, columns[column], members)

    def _note_members(self, number: int, change: Change, column: str, kind: Column, members: Members) -> None:
        row = (change.table, change.uuid)
        self._wanted_by.setdefault(row, set()).add(number)
        for side, wanted in ((self._added, members.added), (self._removed, members.removed)):
            if wanted:
                side.setdefault(row, {}).setdefault(column, []).extend(encode_set(kind, wanted, f"g{number}_")[1])

    def _append_members(self) -> None:
        """Append one mutate operation per row for the members that all groups add and remove, so that the server copies
        a large set only once.
        """
        for (table, uuid), numbers in self._wanted_by.items():
            removed, added = self._removed.get((table, uuid), {}), self._added.get((table, uuid), {})
            # The order matters: a column that must not be empty (encaps) would be rejected if it were empty between two
            # mutations.
            mutations = [[column, "insert", ["set", members]] for column, members in added.items()]
            mutations += [[column, "delete", ["set", members]] for column, members in removed.items()]
            owner = self.parts[min(numbers)] if len(numbers) == 1 else None
            self._append({"op": "mutate", "table": table, "where": where(uuid), "mutations": mutations}, owner)

    def culprits(self, place: int, words: str) -> list[_Part]:
        """The parts that an error is about, if it can be told: the owner of the failed operation, or the parts that
        write the values in the message.
        """
        if len(self.parts) == 1:
            return list(self.parts)
        if place < len(self.owners):
            owner = self.owners[place]
            return [owner] if owner is not None else []
        indexes = [part for part in self.parts if any(_violates(change, words) for change in part.changes)]
        return indexes[-1:]


def _wait_for_none(change: Change, columns: Mapping[str, Column]) -> Any:
    """The operation that makes a transaction fail with "timed out" if a row with the values of ``unless`` exists (RFC
    7047, 5.2.6).
    """
    conditions = [[column, "includes", encode(columns[column], value, "")] for column, value in change.unless.items()]
    shown = sorted(change.unless)
    return {"op": "wait", "timeout": 0, "table": change.table, "where": conditions, "columns": shown, "until": "==", "rows": []}


def _key_mutations(column: str, keys: Mapping[str, str | None], change: Change) -> Iterator[Any]:
    """Mutations for single keys of a map. OVSDB's insert does not overwrite an existing key, so an existing key is
    deleted first.
    """
    before = change.before.get(column, {})
    gone = sorted(key for key in keys if key in before)
    if gone:
        yield [column, "delete", ["set", gone]]
    wanted = [(key, value) for key, value in keys.items() if value is not None]
    if wanted:
        yield [column, "insert", encode_map(wanted)]


_DUPLICATE = re.compile(r'multiple rows in "(\w+)" table to have identical values \((.*?)\) for index on columns? (.*?)\.  ?First row')
_REFERENCED = re.compile(r"cannot delete (\w+) row ([0-9a-f-]{36})")
#: One of the values, which the server lists like the columns: ``a``, ``a and b``, ``a, b, and c``. A text is quoted
#: unless it is a plain word.
_VALUE = re.compile(r'("(?:[^"\\]|\\.)*"|[^,\s]+)(?:,? and |, |$)')


def _violates(change: Change, words: str) -> bool:
    """Whether the server's message about a violated constraint names something that this Change writes."""
    duplicate = _DUPLICATE.search(words)
    if duplicate and change.table == duplicate[1]:
        values = [json.loads(value) if value.startswith('"') else value for value in _VALUE.findall(duplicate[2])]
        named = [(column, value) for column, value in zip(re.findall(r'"(\w+)"', duplicate[3]), values) if column in change.columns]
        return bool(named) and all(str(change.columns[column]) == value for column, value in named)
    referenced = _REFERENCED.search(words)
    return bool(referenced and change.action == DELETE and change.uuid == referenced[2])


class Committer:
    """Sends groups to the databases, and collects what became of them."""

    def __init__(self, replicas: Mapping[str, Replica]) -> None:
        self._replicas = replicas
        self._replies: list[Reply] = []
        #: The serial numbers of the transactions in flight, by database.
        self._on_their_way: dict[str, set[int]] = {name: set() for name in replicas}
        #: The serial number of the last transaction that was sent.
        self.serial = 0
        #: The number of transactions that servers rejected, for operators and tests.
        self.rejections = 0

    @property
    def ready(self) -> bool:
        """Whether more can be sent: every replica is synchronized with its server and has only a few transactions in
        flight.
        """
        return all(replica.synced and len(self._on_their_way[name]) < MOST_TRANSACTIONS for name, replica in self._replicas.items())

    @property
    def idle(self) -> bool:
        """Whether no transaction is in flight."""
        return not any(self._on_their_way.values())

    def arrived(self, serial: int) -> bool:
        """Whether no transaction up to this serial number is still in flight."""
        return not any(one <= serial for many in self._on_their_way.values() for one in many)

    def replies(self) -> list[Reply]:
        """The replies since the last call, one for each transaction of each group.

        Call this after the updates that arrived with the replies were processed: a group's own rows then arrive while
        the group is still in flight.
        """
        replies, self._replies = self._replies, []
        return replies

    def submit(self, groups: Sequence[Group]) -> list[tuple[Group, int]]:
        """Send groups, for each database in order, in transactions of at most 500 Changes. Changes of shared rows get
        their own transactions. Returns each group with the number of its transactions.
        """
        sent = []
        wanted: dict[tuple[str, bool], list[_Part]] = {(name, shared): [] for name in self._replicas for shared in (False, True)}
        for group in groups:
            parts = _parts(group)
            sent.append((group, len(parts)))
            for name, part in parts.items():
                wanted[name, part.shared].append(part)
        for (name, _shared), some in wanted.items():
            for batch in _batches(some):
                self._send(name, batch)
        return sent

    def _send(self, name: str, parts: Sequence[_Part]) -> None:
        replica = self._replicas[name]
        transaction = Transaction(replica.store.database, parts)
        self.serial += 1
        serial = self.serial
        self._on_their_way[name].add(serial)

        def done(result: list[Any] | None, error: str | None) -> None:
            self._on_their_way[name].discard(serial)
            self._replied(name, transaction, result, error)

        replica.transact(transaction.operations, done)

    def _replied(self, name: str, transaction: Transaction, result: list[Any] | None, error: str | None) -> None:
        failure = (len(transaction.operations), error) if error is not None else first_error(result)
        if result is None and error is None:
            self._answer(LOST, transaction.parts)
        elif failure is None:
            self._answer(COMMITTED, transaction.parts)
        elif is_passing(failure[1]):
            self._answer(LOST, transaction.parts)
        else:
            self._isolate(name, transaction, *failure)

    def _isolate(self, name: str, transaction: Transaction, place: int, words: str) -> None:
        self.rejections += 1
        culprits = list(transaction.parts) if READ_ONLY in words else transaction.culprits(place, words)
        self._answer(REJECTED, culprits, f"{name} rejected it: {words}")
        rest = [part for part in transaction.parts if part not in culprits]
        if not rest:
            return
        if culprits and _DUPLICATE.search(words):
            # Another client was faster with what one of the groups writes, and possibly with what the others write.
            self._answer(LOST, rest)
        elif culprits:
            self._send(name, rest)
        else:
            half = len(rest) // 2
            self._send(name, rest[:half])
            self._send(name, rest[half:])

    def _answer(self, outcome: Outcome, parts: Iterable[_Part], reason: str = "") -> None:
        self._replies += [Reply(part.group, outcome, reason) for part in parts]


def _batches(parts: Iterable[_Part]) -> Iterator[list[_Part]]:
    batch: list[_Part] = []
    size = 0
    for part in parts:
        if batch and size + len(part.changes) > MOST_CHANGES:
            yield batch
            batch, size = [], 0
        batch.append(part)
        size += len(part.changes)
    if batch:
        yield batch
