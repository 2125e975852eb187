# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes in a form for people: whole values, and other rows by name instead of UUID.

:func:`shown` must be called before the Changes reach the stores, because it reads the names of deleted rows from there.
Only results of modules use it; the engine does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable

from ..engine.change import DELETE, INSERT, Change, Shown, plain
from ..ovsdb.store import Row, Store

Columns = Mapping[str, Any]

#: Sets of rows that are shown as a property of the row that refers to them. The rows of all other sets (ports, routes)
#: are shown themselves.
_PROPERTIES = frozenset(("gateway_chassis", "ha_chassis", "encaps", "connections", "ssl", "load_balancer", "load_balancer_group"))


def _with_priority(columns: Columns) -> str:
    return f"{columns['chassis_name']} ({columns.get('priority', 0)})"


def _route(columns: Columns) -> str:
    return f"{columns['ip_prefix']} via {columns['nexthop']}"


#: Labels for rows of tables without a name, or with a name that is longer than needed.
_LABELS: Mapping[str, Callable[[Columns], str]] = {
    "Gateway_Chassis": _with_priority,
    "HA_Chassis": _with_priority,
    "Encap": lambda columns: f"{columns['type']} {columns['ip']}",
    "Connection": lambda columns: str(columns["target"]),
    "SSL": lambda columns: str(columns["certificate"]),
    "Logical_Router_Static_Route": _route,
    "Route": _route,
    "Port_Binding": lambda columns: str(columns["logical_port"]),
}


def explained(changes: Iterable[Change], stores: Iterable[Store]) -> list[Change]:
    """The same Changes of one group, each with its form for people. ``stores``: the contents of all known databases
    before the Changes.
    """
    group = list(changes)
    view = _View(group, list(stores))
    return [change._replace(shown=tuple(view.shown(change))) for change in group]


def _label(table: str, columns: Columns) -> str:
    """The label of a row, or its table if it has no name."""
    make = _LABELS.get(table)
    try:
        name = make(columns) if make is not None else str(columns.get("name", ""))
    except KeyError:
        name = ""
    return name or f"a row of {table}"


class _View:
    """One group of Changes, and the contents before them."""

    def __init__(self, group: Sequence[Change], stores: Sequence[Store]) -> None:
        self._stores = {store.name: store for store in stores}
        self._made = {(change.database, change.uuid): change for change in group if change.action == INSERT}
        self._gone = {(change.database, change.uuid) for change in group if change.action == DELETE}
        self._added = {(change.database, uuid) for change in group for members in change.members.values() for uuid in members.added}

    def shown(self, change: Change) -> Iterator[Shown]:
        """The row itself, unless it only refers to rows that are shown, and the rows that are deleted because it no
        longer refers to them.
        """
        before, after = self._columns(change)
        rows = [column for column in change.members if self._holds_rows(change, column)]
        if before or after or change.action != "update" or len(rows) < len(change.members):
            yield Shown(change.database, change.table, change.record, change.action, before, after, change.reason)
        for column in rows:
            yield from self._deleted(change, column)

    def _columns(self, change: Change) -> tuple[dict[str, Any], dict[str, Any]]:
        before = {column: self._text(change, column, value) for column, value in change.before.items() if column not in change.members}
        columns = {**change.columns, **{key: value for key, value in change.after().items() if key in change.keys}}
        after = {column: self._text(change, column, value) for column, value in columns.items() if not self._holds_rows(change, column)}
        if change.action == DELETE:
            before.update(self._properties(change))
        for column in change.members:
            if not self._holds_rows(change, column) or self._moves(change, column):
                before[column], after[column] = self._members(change, column)
        return before, after

    def _holds_rows(self, change: Change, column: str) -> bool:
        store = self._stores.get(change.database)
        kind = store.database.tables[change.table].get(column) if store is not None else None
        return kind is not None and kind.shape == "refs" and column not in _PROPERTIES

    def _moves(self, change: Change, column: str) -> bool:
        """Whether existing rows are added to this row, or moved from it to another."""
        members = change.members[column]
        existing = any((change.database, uuid) not in self._made for uuid in members.added)
        return existing or any((change.database, uuid) in self._added for uuid in members.removed)

    def _members(self, change: Change, column: str) -> tuple[list[str], list[str]]:
        """The whole set before and after."""
        store, members = self._stores[change.database], change.members[column]
        if store.database.tables[change.table][column].shape == "refs":
            now: frozenset[str] = frozenset(store.children(change.table, column, change.uuid))
        else:
            row = store.row(change.table, change.uuid)
            now = row[column] if row is not None else frozenset()
        return self._names(change, column, now), self._names(change, column, now - members.removed | members.added)

    def _properties(self, change: Change) -> Iterator[tuple[str, list[str]]]:
        """The sets of rows that a deleted row takes with it, shown as its properties."""
        store = self._stores.get(change.database)
        for column, kind in (store.database.tables[change.table] if store is not None else {}).items():
            if store is not None and kind.shape == "refs" and column in _PROPERTIES:
                yield column, self._names(change, column, store.children(change.table, column, change.uuid))

    def _deleted(self, change: Change, column: str) -> Iterator[Shown]:
        """Rows that lose the only row that refers to them, and have no delete Change of their own."""
        for uuid in sorted(change.members[column].removed):
            place = (change.database, uuid)
            found = self._row(change.database, uuid)
            if found is not None and place not in self._gone and place not in self._added:
                table, row = found
                columns = {name: self._value(change.database, table, name, value) for name, value in row.as_dict().items()}
                yield Shown(change.database, table, _label(table, columns), DELETE, columns, {}, change.reason)

    # -- values ----------------------------------------------------------------------------------------------------------------------

    def _text(self, change: Change, column: str, value: Any) -> Any:
        return self._value(change.database, change.table, column, value)

    def _value(self, database: str, table: str, column: str, value: Any) -> Any:
        store = self._stores.get(database)
        kind = store.database.tables[table].get(column) if store is not None else None
        if kind is None or kind.atom != "uuid" or not value:
            return plain(value)
        if isinstance(value, (set, frozenset)):
            return sorted(self._name(database, uuid) for uuid in value)
        return self._name(database, value)

    def _names(self, change: Change, column: str, members: Iterable[str]) -> list[str]:
        names: list[str] = self._value(change.database, change.table, column, frozenset(members)) or []
        return names

    def _name(self, database: str, uuid: str) -> str:
        made = self._made.get((database, uuid))
        if made is not None:
            return _label(made.table, made.columns)
        for name in (database, *self._stores):
            found = self._row(name, uuid)
            if found is not None:
                return _label(found[0], found[1].as_dict())
        return "a row that was not read"

    def _row(self, database: str, uuid: str) -> tuple[str, Row] | None:
        store = self._stores.get(database)
        for table in store.database.tables if store is not None else ():
            row = store.row(table, uuid) if store is not None else None
            if row is not None:
                return table, row
        return None
