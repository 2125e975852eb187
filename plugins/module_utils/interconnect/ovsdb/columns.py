# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The declared tables and columns of a database, and those that a connected server has.

A :class:`Database` is the fixed declaration of what a client reads, one line per table. A :class:`ServerSchema` is the
schema of the connected server. A column that the server lacks is treated as empty, so that one client works with the
schemas of all releases (spec switches-D-1).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

#: Atom type and shape of a column, by the word after the colon in a declaration below.
_KINDS: Mapping[str, tuple[str, str]] = {
    "str": ("string", "scalar"),
    "int": ("integer", "scalar"),
    "bool": ("boolean", "scalar"),
    "uuid": ("uuid", "scalar"),
    "optstr": ("string", "optional"),
    "optint": ("integer", "optional"),
    "optbool": ("boolean", "optional"),
    "optuuid": ("uuid", "optional"),
    "strs": ("string", "set"),
    "map": ("string", "map"),
    "refs": ("uuid", "refs"),
}

_EMPTY: Mapping[tuple[str, str], Any] = {
    ("string", "scalar"): "",
    ("integer", "scalar"): 0,
    ("boolean", "scalar"): False,
    ("uuid", "scalar"): "",
}


def version_numbers(version: str) -> tuple[int, ...]:
    """A schema version such as ``7.11.0`` in a form that can be compared; empty if there is none."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@dataclass(frozen=True)
class Column:
    """One column: ``atom`` is the OVSDB base type, ``shape`` one of scalar, optional, set, map, refs.

    ``refs`` is a set of row references that can be large (the routes of a router, the ports of a switch). It is not
    stored as a value of the row. The store keeps it as edges between rows, so that the cost of adding a member does not
    depend on the size of the set.
    """

    name: str
    atom: str
    shape: str
    repeated: bool = False
    """Whether many rows have the same text in this column, so that one copy in memory is enough."""

    @cached_property
    def literal(self) -> bool:
        """Whether a value of this column is identical to its JSON form."""
        return self.shape == "scalar" and self.atom != "uuid"

    @cached_property
    def empty(self) -> Any:
        """The value of this column if the server lacks it: ``None``, an empty set or map, or the base type's default."""
        if self.shape == "optional":
            return None
        if self.shape == "map":
            return {}
        if self.shape in ("set", "refs"):
            return frozenset()
        return _EMPTY[(self.atom, self.shape)]


@dataclass(frozen=True)
class Database:
    """A database as this code knows it: table name -> column name -> :class:`Column`."""

    name: str
    tables: Mapping[str, Mapping[str, Column]]


def declare(name: str, tables: Mapping[str, str]) -> Database:
    """Build a :class:`Database` from one line per table: ``"name hostname encaps:refs other_config:map"``.

    A column without a colon is a string. A star at the end (``type:optstr*``) says that many rows have the same value
    (:attr:`Column.repeated`).
    """
    result: dict[str, dict[str, Column]] = {}
    for table, text in tables.items():
        columns: dict[str, Column] = {}
        for word in text.split():
            column, _colon, kind = word.rstrip("*").partition(":")
            atom, shape = _KINDS[kind or "str"]
            columns[column] = Column(column, atom, shape, word.endswith("*"))
        result[table] = columns
    return Database(name, result)


def extended(database: Database, tables: Mapping[str, str]) -> Database:
    """The same database with additional tables and columns (see :func:`declare`)."""
    more = declare(database.name, tables).tables
    merged = {table: {**columns, **more.get(table, {})} for table, columns in database.tables.items()}
    return Database(database.name, {**more, **merged})


@dataclass(frozen=True)
class ServerSchema:
    """What a server has, from the result of its ``get_schema`` request (RFC 7047, 4.1.2)."""

    name: str
    version: str
    json: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> ServerSchema:
        """Parse the schema text. Raises KeyError if it is not a schema."""
        return cls(json["name"], json.get("version", ""), json)

    @classmethod
    def complete(cls, database: Database) -> ServerSchema:
        """A schema that has every table and column of ``database``, for simulated servers, which have no schema file."""
        tables = {
            table: {"columns": {name: {"type": _type_json(column)} for name, column in columns.items()}}
            for table, columns in database.tables.items()
        }
        return cls(database.name, "", {"name": database.name, "tables": tables})

    def has(self, table: str, column: str | None = None) -> bool:
        """Whether the server has this table, or this column of it."""
        found = self.json["tables"].get(table)
        return found is not None and (column is None or column in found["columns"])

    def known(self, table: str) -> Collection[str]:
        """The columns of the server's table, empty if the server lacks the table."""
        found: Mapping[str, Any] = self.json["tables"].get(table, {})
        columns: Collection[str] = found.get("columns", ())
        return columns

    @cached_property
    def _enums(self) -> dict[tuple[str, str], frozenset[str] | None]:
        """The cached results of :meth:`enum`."""
        return {}

    def enum(self, table: str, column: str) -> frozenset[str] | None:
        """The values that a string column allows, None if it allows all or does not exist."""
        place = (table, column)
        if place not in self._enums:
            self._enums[place] = self._read_enum(table, column)
        return self._enums[place]

    def _read_enum(self, table: str, column: str) -> frozenset[str] | None:
        if not self.has(table, column):
            return None
        kind = self.json["tables"][table]["columns"][column]["type"]
        key = kind.get("key") if isinstance(kind, dict) else None
        values = key.get("enum") if isinstance(key, dict) else None
        if values is None:
            return None
        return frozenset(values[1]) if isinstance(values, list) else frozenset([values])

    def allows(self, table: str, column: str, value: str) -> bool:
        """Whether the server accepts ``value`` in this column: the column exists, and its enumeration, if any, contains
        the value.
        """
        values = self.enum(table, column)
        return self.has(table, column) and (values is None or value in values)

    def unique_indexes(self, table: str) -> tuple[tuple[str, ...], ...]:
        """The table's unique indexes, each a tuple of column names."""
        found = self.json["tables"].get(table, {})
        return tuple(tuple(index) for index in found.get("indexes", ()))

    def child_table(self, table: str, column: str) -> str | None:
        """The table whose rows exist only as members of this column (strong references to a table that is not a root
        table). None for other columns.
        """
        if not self.has(table, column):
            return None
        kind = self.json["tables"][table]["columns"][column]["type"]
        key = kind.get("key") if isinstance(kind, dict) else None
        child = key.get("refTable") if isinstance(key, dict) and key.get("refType", "strong") == "strong" else None
        return child if child is not None and not self.json["tables"].get(child, {}).get("isRoot", False) else None

    def columns(self, database: Database) -> dict[str, tuple[str, ...]]:
        """What to monitor: for each table, the columns that both sides know. Tables without a common column are left
        out.
        """
        result = {}
        for table, columns in database.tables.items():
            known = tuple(column for column in columns if self.has(table, column))
            if known:
                result[table] = known
        return result


def _type_json(column: Column) -> Any:
    base: dict[str, Any] = {"key": column.atom}
    if column.shape == "map":
        base["value"] = "string"
    if column.shape in ("map", "set", "refs"):
        base.update({"min": 0, "max": "unlimited"})
    if column.shape == "optional":
        base.update({"min": 0, "max": 1})
    return base
