# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to write, to which row, and why. Subjects and modules write to databases only through this module.

A :class:`Change` concerns one row. The Changes that bring the rows of one work key to their desired state form a
:class:`Group`. In each database, a group is written completely or not at all. A plan is a list of groups. An object
that a subject cannot handle is reported as a :class:`Skipped` with its reason.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Union

from ..ovsdb.store import NOTHING, Members, Row, Store

INSERT, UPDATE, DELETE = "insert", "update", "delete"


#: Default of the parts of a Change that are not used.
_NONE: Mapping[str, Any] = {}


class Shown(NamedTuple):
    """One row as a person reads it: ``before`` and ``after`` hold whole values of the written columns; other rows are
    shown by name.
    """

    database: str
    table: str
    record: str
    action: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str

    def as_result(self) -> dict[str, Any]:
        """The form that modules return: database, table, record, action, columns, reason; JSON types only."""
        return {
            "database": self.database,
            "table": self.table,
            "record": self.record,
            "action": self.action,
            "columns": dict(sorted(self.after.items())),
            "reason": self.reason,
        }


class Change(NamedTuple):
    """One row to insert, update or delete.

    ``uuid`` is the row's UUID. For an insert it is a name beginning with ``@``, by which other Changes of the same
    group refer to the new row. ``columns`` are whole values, ``keys`` single keys of maps (None removes the key),
    ``members`` single members of sets. ``before`` holds the previous values of the written columns (of a deleted row:
    of all known columns). ``shared`` marks rows of IC_SB that only the holder of the lock ``ovn_ic_sb`` may write (spec
    switches-4.3). ``unless`` holds values of columns, for maps of some keys: if another writer has already inserted a
    row with all these values, the transaction is rejected and the key is planned again. ``shown`` is the row as
    :mod:`.shown` formats it, None if the caller did not ask for it.
    """

    database: str
    table: str
    action: str
    uuid: str
    record: str
    reason: str
    columns: Mapping[str, Any] = _NONE
    keys: Mapping[str, Mapping[str, str | None]] = _NONE
    members: Mapping[str, Members] = _NONE
    before: Mapping[str, Any] = _NONE
    shared: bool = False
    unless: Mapping[str, Any] = _NONE
    shown: tuple[Shown, ...] | None = None

    def after(self) -> dict[str, Any]:
        """The written columns after the change: maps completely; of sets that are changed by member only the added
        members.
        """
        result = dict(self.columns)
        for column, keys in self.keys.items():
            merged = dict(self.before.get(column) or {})
            for key, value in keys.items():
                if value is None:
                    merged.pop(key, None)
                else:
                    merged[key] = value
            result[column] = merged
        for column, members in self.members.items():
            result[column] = members.added
        return result

    def as_result(self) -> dict[str, Any]:
        """The form that modules return and the daemon prints: database, table, record, action, columns, reason; JSON
        types only.
        """
        return {
            "database": self.database,
            "table": self.table,
            "record": self.record,
            "action": self.action,
            "columns": {column: plain(value) for column, value in sorted(self.after().items())},
            "reason": self.reason,
        }

    def __str__(self) -> str:
        return f"{self.action} {self.database} {self.table} {self.record}: {self.reason}"


class Skipped(NamedTuple):
    """Something that was not done: the object, and one sentence with the reason and what to do about it.

    With ``listed`` false it is only logged: the object works, but the operator should know about it. With ``logged``
    false it is only listed, because the condition usually ends within a moment.
    """

    record: str
    reason: str
    listed: bool = True
    logged: bool = True


#: An item of a subject's plan.
Step = Union[Change, Skipped]


class Group(NamedTuple):
    """The Changes of one key of one subject: written completely or not at all."""

    subject: str
    key: Hashable
    changes: tuple[Change, ...]


def plain(value: Any) -> Any:
    """Convert a column value to JSON types. Sets become sorted lists."""
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return dict(value) if isinstance(value, Mapping) else value


def insert(
    store: Store,
    table: str,
    columns: Mapping[str, Any],
    *,
    record: str,
    reason: str,
    name: str = "@row",
    shared: bool = False,
    unless: Mapping[str, Any] | None = None,
) -> Change:
    """A new row. Leaves out columns that the server does not have, and columns that would be empty."""
    kinds, known = store.database.tables[table], store.schema.known(table)
    wanted = {column: value for column, value in columns.items() if column in known and value != kinds[column].empty}
    others = {column: value for column, value in (unless or _NONE).items() if column in known}
    return Change(store.name, table, INSERT, name, record, reason, columns=wanted, shared=shared, unless=others)


def update(
    store: Store,
    table: str,
    row: Row,
    *,
    record: object,
    reason: str,
    columns: Mapping[str, Any] | None = None,
    keys: Mapping[str, Mapping[str, str | None]] | None = None,
    members: Mapping[str, Members] | None = None,
    shared: bool = False,
) -> Iterator[Change]:
    """The Change that gives an existing row these values. Yields nothing if the row has them already or the server
    lacks the column.

    ``record`` is formatted only if there is a Change, because most rows are already as desired.
    """
    known = store.schema.known(table)
    new_columns = {column: value for column, value in (columns or _NONE).items() if column in known and row[column] != value}
    new_keys: dict[str, Mapping[str, str | None]] = {}
    for column, wanted in (keys or _NONE).items():
        differing = {key: value for key, value in wanted.items() if row[column].get(key) != value}
        if differing and column in known:
            new_keys[column] = differing
    new_members: dict[str, Members] = {}
    for column, change in (members or _NONE).items():
        now = _members(store, table, row, column)
        differing_members = Members(change.added - now, change.removed & now)
        if (differing_members.added or differing_members.removed) and column in known:
            new_members[column] = differing_members
    if new_columns or new_keys or new_members:
        before = {column: row[column] for column in (*new_columns, *new_keys)}
        before.update({column: change.removed for column, change in new_members.items()})
        yield Change(store.name, table, UPDATE, row.uuid, str(record), reason, new_columns, new_keys, new_members, before, shared)


def delete(store: Store, table: str, row: Row, *, record: str, reason: str, shared: bool = False) -> Change:
    """Remove a row. A row of a table that is not a root table is removed by deleting it from the ``refs`` column that
    refers to it.
    """
    return Change(store.name, table, DELETE, row.uuid, record, reason, before=row.as_dict(), shared=shared)


def add(*uuids: str) -> Members:
    """#: Members to add."""
    return Members(frozenset(uuids), NOTHING)


def remove(*uuids: str) -> Members:
    """Members to take away."""
    return Members(NOTHING, frozenset(uuids))


def replace(now: Iterable[str], wanted: Iterable[str]) -> Members:
    """The insertions and removals that turn one set of members into another."""
    before, after = frozenset(now), frozenset(wanted)
    return Members(after - before, before - after)


def diff(changes: Iterable[Change]) -> dict[str, Any]:
    """The written columns before and after, in the form of Ansible's diff mode: ``table/record`` -> column -> value."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for one in _all_shown(changes):
        place = f"{one.table}/{one.record}"
        if one.action != INSERT:
            known = before.setdefault(place, {})
            known.update({column: value for column, value in one.before.items() if column not in known})
        if one.action != DELETE:
            after.setdefault(place, {}).update(one.after)
    return {"before": before, "after": after}


def results(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Changes in the form that modules return."""
    return [one.as_result() for one in _all_shown(changes)]


def _all_shown(changes: Iterable[Change]) -> Iterator[Shown]:
    for change in changes:
        if change.shown is not None:
            yield from change.shown
        else:
            before = {column: plain(value) for column, value in change.before.items()}
            after = {column: plain(value) for column, value in change.after().items()}
            yield Shown(change.database, change.table, change.record, change.action, before, after, change.reason)


def _members(store: Store, table: str, row: Row, column: str) -> frozenset[str]:
    if store.database.tables[table][column].shape == "refs":
        return store.children(table, column, row.uuid)
    members: frozenset[str] = row[column]
    return members
