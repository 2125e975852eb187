# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applies Changes to stores without a server. Check mode and dry runs use it to see the effect of their own writes.

It does only what later reads depend on: rows, map keys, members, and the removal of rows that nothing refers to. It
does not check constraints, which servers do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from ..ovsdb.store import Members, Row, RowChange, Store
from .change import DELETE, INSERT, Change


class Simulation:
    """Stores, by database name, that apply Changes as if their servers had committed them."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self._stores = stores
        #: The UUIDs of rows that exist only in the simulation.
        self.made: set[str] = set()

    def apply(self, changes: Iterable[Change]) -> list[RowChange]:
        """Apply the Changes of one group. Returns the resulting row changes."""
        changes = list(changes)
        names = {change.uuid: str(uuid4()) for change in changes if change.action == INSERT}
        self.made.update(names.values())
        done: list[RowChange] = []
        for change in changes:
            _note(done, self._apply_one(change, names))
        for change in changes:
            self._drop_orphans(change, done)
        return done

    def _apply_one(self, change: Change, names: Mapping[str, str]) -> RowChange | None:
        store = self._stores[change.database]
        uuid = names.get(change.uuid, change.uuid)
        columns = {column: _resolved(value, names) for column, value in change.columns.items()}
        if change.action == INSERT:
            return store.put(change.table, uuid, columns)
        row = store.row(change.table, uuid)
        if row is None:
            return None
        if change.action == DELETE:
            return store.delete(change.table, uuid)
        return self._update(store, change, row, columns, names)

    @staticmethod
    def _update(store: Store, change: Change, row: Row, columns: dict[str, Any], names: Mapping[str, str]) -> RowChange | None:
        edges: dict[str, Members] = {}
        for column, keys in change.keys.items():
            merged = {**row[column], **keys}
            columns[column] = {key: value for key, value in merged.items() if value is not None}
        for column, members in change.members.items():
            wanted = Members(_resolved(members.added, names), members.removed)
            if store.database.tables[change.table][column].shape == "refs":
                edges[column] = wanted
            else:
                columns[column] = (row[column] - wanted.removed) | wanted.added
        for column in [column for column in columns if store.database.tables[change.table][column].shape == "refs"]:
            now, after = store.children(change.table, column, row.uuid), columns.pop(column)
            edges[column] = Members(frozenset(after - now), frozenset(now - after))
        return store.update(change.table, row.uuid, columns, edges)

    def _drop_orphans(self, change: Change, done: list[RowChange]) -> None:
        """Delete rows of non-root tables when nothing refers to them (RFC 7047, 3.2)."""
        store = self._stores[change.database]
        for one in list(done):
            if (one.database, one.table) != (change.database, change.table):
                continue
            for column, members in one.edges.items():
                child = store.schema.child_table(one.table, column)
                for uuid in members.removed:
                    if child is not None and child in store.database.tables and not store.parents(one.table, column, uuid):
                        _note(done, store.delete(child, uuid))


def _note(done: list[RowChange], change: RowChange | None) -> None:
    if change is not None:
        done.append(change)


def _resolved(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, frozenset):
        return frozenset(names.get(one, one) for one in value)
    return names.get(value, value) if isinstance(value, str) and value.startswith("@") else value
