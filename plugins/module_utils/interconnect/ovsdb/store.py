# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contents of one database as plain values: rows, edges between rows, look-ups, and the row changes of each update.

This module does not depend on connections. A replica fills a store from a server's updates; a simulation fills it from
Changes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Callable, NamedTuple, Union

from .columns import Column, Database, ServerSchema

NOTHING: frozenset[str] = frozenset()


class Row:
    """One row: an immutable tuple of values, read by column name.

    Scalars are Python scalars, optional columns a value or None, sets frozensets, maps dicts (never modified),
    references UUIDs as text. ``refs`` columns are not included; use :meth:`Store.children`.
    """

    __slots__ = ("_layout", "_values", "uuid")

    def __init__(self, uuid: str, layout: Mapping[str, int], values: tuple[Any, ...]) -> None:
        self.uuid = uuid
        self._layout = layout
        self._values = values

    def __getitem__(self, column: str) -> Any:
        return self._values[self._layout[column]]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and self.uuid == other.uuid and self._values == other._values

    def __hash__(self) -> int:
        return hash(self.uuid)

    def __repr__(self) -> str:
        return f"Row({self.uuid}, {self.as_dict()!r})"

    def has_column(self, column: str) -> bool:
        """Whether the row has a plain column of this name."""
        return column in self._layout

    def has(self, values: tuple[Any, ...]) -> bool:
        """Whether the row has exactly these values, in the order of its table's plain columns."""
        return self._values == values

    def agrees(self, values: Mapping[str, Any]) -> bool:
        """Whether the row has these values in the named columns."""
        for column, value in values.items():  # noqa: SIM110 - asked for each row that comes, and a generator costs as much as the answer
            if self._values[self._layout[column]] != value:
                return False
        return True

    def as_dict(self) -> dict[str, Any]:
        """All columns by name, except ``refs`` columns."""
        return {column: self._values[place] for column, place in self._layout.items()}

    def replace(self, values: Mapping[str, Any]) -> Row:
        """A copy of this row with some columns replaced; self if nothing differs."""
        new = list(self._values)
        for column, value in values.items():
            new[self._layout[column]] = value
        changed = tuple(new)
        return self if changed == self._values else Row(self.uuid, self._layout, changed)


class Members(NamedTuple):
    """The members that an update added to and removed from one ``refs`` column."""

    added: frozenset[str]
    removed: frozenset[str]


class RowChange(NamedTuple):
    """The difference of one row: ``old`` is None for a new row, ``new`` None for a deleted one; ``edges`` has one entry
    per changed ``refs`` column.
    """

    database: str
    table: str
    uuid: str
    old: Row | None
    new: Row | None
    edges: Mapping[str, Members]

    @property
    def rows(self) -> tuple[Row, ...]:
        """The row before and the row after, if they exist."""
        if self.old is None:
            return () if self.new is None else (self.new,)
        return (self.old,) if self.new is None else (self.old, self.new)

    def changed(self, *columns: str) -> bool:
        """Whether the value of one of these columns differs (always true for a new or deleted row)."""
        if self.old is None or self.new is None:
            return True
        return any(column in self.edges or (column in self.old._layout and self.old[column] != self.new[column]) for column in columns)


#: The ``edges`` of a change that has none.
NO_EDGES: Mapping[str, Members] = {}

IndexKeys = Callable[[Row], Iterable[Hashable]]
#: An entry of an index: one UUID, or a set of them. Most entries hold one.
_Bucket = Union[str, set[str]]


class _Index:
    """An index of one table's rows, by keys that a function computes from the row."""

    __slots__ = ("buckets", "keys")

    def __init__(self, keys: IndexKeys) -> None:
        self.keys = keys
        self.buckets: dict[Hashable, _Bucket] = {}

    def add(self, row: Row) -> None:
        uuid = row.uuid
        for key in self.keys(row):
            bucket = self.buckets.setdefault(key, uuid)
            if bucket is uuid:
                continue
            if isinstance(bucket, set):
                bucket.add(uuid)
            elif bucket != uuid:
                self.buckets[key] = {bucket, uuid}

    def discard(self, row: Row) -> None:
        for key in self.keys(row):
            bucket = self.buckets.get(key)
            if isinstance(bucket, set):
                bucket.discard(row.uuid)
                if len(bucket) == 1:
                    self.buckets[key] = bucket.pop()
            elif bucket == row.uuid:
                del self.buckets[key]

    def find(self, key: Hashable) -> tuple[str, ...]:
        bucket = self.buckets.get(key)
        if bucket is None:
            return ()
        return (bucket,) if isinstance(bucket, str) else tuple(bucket)


class _Table:
    __slots__ = ("columns", "edges", "empty", "indexes", "layout", "parents", "rows", "watchers")

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns
        plain = [column for column in columns.values() if column.shape != "refs"]
        self.layout = {column.name: place for place, column in enumerate(plain)}
        self.empty = tuple(column.empty for column in plain)
        self.rows: dict[str, Row] = {}
        self.watchers: list[Callable[[], None]] = []
        self.indexes: dict[str, _Index] = {}
        refs = [column.name for column in columns.values() if column.shape == "refs"]
        #: refs column -> row -> its members, and refs column -> member -> the rows that refer to it.
        self.edges: dict[str, dict[str, set[str]]] = {name: {} for name in refs}
        self.parents: dict[str, dict[str, _Bucket]] = {name: {} for name in refs}


class Store:
    """All known rows of one database.

    Look-ups name an index that was registered with :meth:`index`. They return rows in ascending order of their UUIDs
    (spec routes-P8), so that "the first" is the same in every pass.
    """

    def __init__(self, database: Database, schema: ServerSchema | None = None) -> None:
        self.database = database
        self.schema = schema or ServerSchema.complete(database)
        self._tables = {name: _Table(columns) for name, columns in database.tables.items()}

    # -- reading ---------------------------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The database's name, such as ``OVN_IC_Southbound``."""
        return self.database.name

    def row(self, table: str, uuid: str | None) -> Row | None:
        """The row with this UUID, or None."""
        return self._tables[table].rows.get(uuid) if uuid else None

    def rows(self, table: str) -> Iterator[Row]:
        """All rows of a table, in arbitrary order."""
        return iter(self._tables[table].rows.values())

    def count(self, table: str) -> int:
        """The number of rows in a table."""
        return len(self._tables[table].rows)

    def watch(self, table: str, differs: Callable[[], None]) -> None:
        """Call ``differs`` for every change in a table, so that the caller can drop what it cached."""
        self._tables[table].watchers.append(differs)

    def only(self, table: str) -> Row | None:
        """The only row of a table such as ``NB_Global``, the first by UUID if there are several, or None."""
        rows = self._tables[table].rows
        if len(rows) == 1:
            return next(iter(rows.values()))
        return rows[min(rows)] if rows else None

    def find(self, table: str, index: str, key: Hashable) -> list[Row]:
        """The rows under ``key`` in this index, by ascending UUID."""
        part = self._tables[table]
        found = part.indexes[index].buckets.get(key)
        if found is None:
            return []
        if isinstance(found, str):
            return [part.rows[found]]
        return [part.rows[uuid] for uuid in sorted(found)]

    def filed(self, table: str, index: str, key: Hashable) -> AbstractSet[str]:
        """The UUIDs of :meth:`find`. This is a view that changes with later updates: copy it to keep it."""
        found = self._tables[table].indexes[index].buckets.get(key, NOTHING)
        return {found} if isinstance(found, str) else found

    def find_among(self, table: str, index: str, key: Hashable, uuids: AbstractSet[str]) -> list[Row]:
        """The rows of :meth:`find` whose UUID is in this set. The cost depends on the smaller of both sets."""
        part = self._tables[table]
        found = part.indexes[index].buckets.get(key)
        if found is None:
            return []
        if isinstance(found, str):
            return [part.rows[found]] if found in uuids else []
        return [part.rows[uuid] for uuid in sorted(found & uuids)]

    def first(self, table: str, index: str, key: Hashable) -> Row | None:
        """The first of :meth:`find`, or None."""
        found = self.find(table, index, key)
        return found[0] if found else None

    def index_keys(self, table: str, index: str) -> Iterable[Hashable]:
        """All keys that an index contains at the moment."""
        return self._tables[table].indexes[index].buckets.keys()

    def children(self, table: str, column: str, uuid: str) -> frozenset[str]:
        """The members of a ``refs`` column of one row. This is a view that changes with later updates: copy it to keep
        it.
        """
        return self._tables[table].edges[column].get(uuid, NOTHING)  # type: ignore[return-value]

    def child_rows(self, table: str, column: str, uuid: str, child_table: str) -> list[Row]:
        """The known member rows of a ``refs`` column, by ascending UUID."""
        rows = self._tables[child_table].rows
        return [rows[child] for child in sorted(self.children(table, column, uuid)) if child in rows]

    def parents(self, table: str, column: str, child: str) -> tuple[str, ...]:
        """The UUIDs of the rows of ``table`` that refer to ``child`` in this ``refs`` column."""
        bucket = self._tables[table].parents[column].get(child)
        if bucket is None:
            return ()
        return (bucket,) if isinstance(bucket, str) else tuple(sorted(bucket))

    def parent_rows(self, table: str, column: str, child: str) -> list[Row]:
        """The known rows of ``table`` that refer to ``child`` in this ``refs`` column."""
        rows = self._tables[table].rows
        return [rows[uuid] for uuid in self.parents(table, column, child) if uuid in rows]

    # -- changing ------------------------------------------------------------------------------------------------------

    def index(self, table: str, name: str, keys: IndexKeys) -> None:
        """Register an index: ``keys(row)`` returns the keys of the row (none, one or many). Registering a name again
        has no effect.

        ``keys`` must use this row only; a look-up that depends on other rows cannot be an index.
        """
        part = self._tables[table]
        if name in part.indexes:
            return
        index = part.indexes[name] = _Index(keys)
        for row in part.rows.values():
            index.add(row)

    def put(self, table: str, uuid: str, values: Mapping[str, Any]) -> RowChange | None:
        """Insert a row or replace the named columns of one; ``refs`` columns are given as a whole. Returns the row
        change, or None.
        """
        part = self._tables[table]
        old = part.rows.get(uuid)
        plain = {column: value for column, value in values.items() if column in part.layout}
        base = old if old is not None else Row(uuid, part.layout, part.empty)
        new = base.replace(plain) if plain else base
        edges = {}
        for column, children in part.edges.items():
            if column in values:
                now = children.get(uuid, NOTHING)
                members = Members(frozenset(values[column] - now), frozenset(now - values[column]))
                if members.added or members.removed:
                    edges[column] = members
        return self._replace(table, uuid, old, new, edges)

    def layout(self, table: str) -> tuple[str, ...]:
        """The plain columns of a table in the order that :meth:`put_whole` expects."""
        return tuple(self._tables[table].layout)

    def put_whole(self, table: str, uuid: str, values: tuple[Any, ...], members: Mapping[str, frozenset[str]]) -> RowChange | None:
        """Insert or replace a whole row: the values of all plain columns in the order of :meth:`layout`, the members of
        all ``refs`` columns by name.
        """
        part = self._tables[table]
        old = part.rows.get(uuid)
        new = old if old is not None and old.has(values) else Row(uuid, part.layout, values)
        edges = NO_EDGES
        if members:
            edges = {}
            for column, wanted in members.items():
                now = part.edges[column].get(uuid, NOTHING)
                if wanted != now:
                    edges[column] = Members(frozenset(wanted - now), frozenset(now - wanted))
        return self._replace(table, uuid, old, new, edges)

    def change_members(self, table: str, uuid: str, column: str, members: Members) -> RowChange | None:
        """Add members to a ``refs`` column and remove others. The cost depends only on those members."""
        row = self._tables[table].rows.get(uuid)
        return self._replace(table, uuid, row, row, {column: members}) if row is not None else None

    def update(self, table: str, uuid: str, values: Mapping[str, Any], edges: Mapping[str, Members]) -> RowChange | None:
        """Replace columns and change members of an existing row in one step. None if the row does not exist or nothing
        differs.
        """
        row = self._tables[table].rows.get(uuid)
        if row is None:
            return None
        return self._replace(table, uuid, row, row.replace(values), edges)

    def delete(self, table: str, uuid: str) -> RowChange | None:
        """Delete a row with its edges. None if it does not exist."""
        part = self._tables[table]
        old = part.rows.get(uuid)
        if old is None:
            return None
        edges = {column: Members(NOTHING, frozenset(children[uuid])) for column, children in part.edges.items() if children.get(uuid)}
        return self._replace(table, uuid, old, None, edges)

    def _replace(self, table: str, uuid: str, old: Row | None, new: Row | None, edges: Mapping[str, Members]) -> RowChange | None:
        if old is new and not edges:
            return None
        part = self._tables[table]
        for differs in part.watchers:
            differs()
        if old is not new:
            for index in part.indexes.values():
                if old is not None:
                    index.discard(old)
                if new is not None:
                    index.add(new)
            if new is None:
                del part.rows[uuid]
            else:
                part.rows[uuid] = new
        for column, members in edges.items():
            self._change_edges(part, column, uuid, members)
        return RowChange(self.name, table, uuid, old, new, edges)

    @staticmethod
    def _change_edges(part: _Table, column: str, uuid: str, members: Members) -> None:
        children = part.edges[column]
        mine = children.setdefault(uuid, set())
        parents = part.parents[column]
        for child in members.removed:
            mine.discard(child)
            bucket = parents.get(child)
            if isinstance(bucket, set):
                bucket.discard(uuid)
                if len(bucket) == 1:
                    parents[child] = bucket.pop()
            elif bucket == uuid:
                del parents[child]
        for child in members.added:
            mine.add(child)
            bucket = parents.get(child)
            if bucket is None:
                parents[child] = uuid
            elif isinstance(bucket, set):
                bucket.add(uuid)
            elif bucket != uuid:
                parents[child] = {bucket, uuid}
        if not mine:
            del children[uuid]
