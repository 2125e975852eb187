# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations of operators, CMSs and ovn-controllers, as data. ovsdbapp's commands carry them out.

An operation selects rows by their values, so one list of operations can be printed and applied to several databases. Rows are selected when
the transaction is built, from the rows of the database and those that earlier operations of the same transaction insert. Values are plain
Python values: None is an empty optional, any iterable is a set, UUID and `Named` refer to rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Union
from uuid import UUID

import ovs.db.data
import ovs.db.idl
from ovsdbapp.backend.ovs_idl.command import BaseCommand, DbCreateCommand

Atom = Union[bool, int, float, str, UUID]
Value = Union[Atom, None, frozenset[Atom], dict[Atom, Atom]]


@dataclass(frozen=True)
class Named:
    """A reference to a row that an earlier operation of the same transaction inserts under this name."""

    name: str


@dataclass(frozen=True)
class Includes:
    """A condition: the map has these keys with these values, and possibly others."""

    keys: Mapping[str, str]


@dataclass(frozen=True)
class Found:
    """In the arguments of a `Call`: the row with these values."""

    table: str
    conditions: Mapping[str, object]


class Operation:
    """One step of a transaction."""

    def carry_out(self, work: Work) -> Any:
        """Add the changes to the transaction; returns the inserted row, if any."""
        raise NotImplementedError


class Work:
    """The state that the operations of one transaction share."""

    def __init__(self, api: Any, transaction: Any) -> None:
        self.api = api
        self.transaction = transaction
        self.named: dict[str, Any] = {}

    def run(self, command: BaseCommand) -> Any:
        """Carry out one command of ovsdbapp as part of the transaction; returns its result."""
        command.run_idl(self.transaction)
        return command.result

    def matching(self, table: str, conditions: Mapping[str, object]) -> list[UUID]:
        """The rows with these values; without conditions all rows."""
        rows = self.api.tables[table].rows
        if "_uuid" in conditions:
            uuid = conditions["_uuid"]
            return [uuid] if isinstance(uuid, UUID) and uuid in rows else []
        return [row.uuid for row in rows.values() if all(self._holds(table, row, column, one) for column, one in conditions.items())]

    def the_row(self, found: Found) -> UUID:
        """The row that was found. Raises LookupError unless there is exactly one."""
        rows = self.matching(found.table, found.conditions)
        if len(rows) != 1:
            raise LookupError(f"{len(rows)} rows of {found.table} with {found.conditions}")
        return rows[0]

    def _holds(self, table: str, row: Any, column: str, wanted: object) -> bool:
        kind = self.api.tables[table].columns[column]
        # A row of the same transaction has only the columns that were set.
        value = plain(kind, getattr(row, column, {} if kind.type.is_map() else []))
        if isinstance(wanted, Includes):
            return isinstance(value, dict) and wanted.keys.items() <= value.items()
        return value == wanted

    def value(self, table: str, column: str, value: object) -> Any:
        """The value in the form that python-ovs accepts. Raises ovs.db.error.Error if it is invalid for the column.

        The library only logs an invalid value and does not write it, which a test would not notice.
        """
        found = self.plain(value)
        ovs.db.data.Datum.from_python(self.api.tables[table].columns[column].type, found, _uuid_of)
        return found

    def plain(self, value: object) -> Any:
        """The value in the form that python-ovs accepts, unchecked."""
        if isinstance(value, Named):
            return self.named[value.name]
        if value is None:
            return []
        if isinstance(value, Mapping):
            return {self.plain(key): self.plain(member) for key, member in value.items()}
        if isinstance(value, Iterable) and not isinstance(value, str):
            return [self.plain(member) for member in value]
        return value

    def values(self, table: str, row: Mapping[str, object]) -> dict[str, Any]:
        """Like :meth:`value`, for several columns."""
        return {column: self.value(table, column, value) for column, value in row.items()}


def _uuid_of(value: Any) -> Any:
    return value.uuid if isinstance(value, ovs.db.idl.Row) else value


def plain(column: Any, value: Any) -> Value:
    """Convert a value of python-ovs: an optional becomes None or a value, a set a frozenset, a row its uuid."""
    kind = column.type
    if kind.is_map():
        return {_uuid_of(key): _uuid_of(member) for key, member in value.items()}
    if kind.n_max == 1:
        members = value if isinstance(value, list) else [value]
        found: Value = _uuid_of(members[0]) if members else None
        return found
    return frozenset(_uuid_of(member) for member in value)


def blank(table: Any) -> dict[str, Any]:
    """One column with its default value, none if no column is optional.

    python-ovs does not send the insert of a row without any column.
    """
    optional = (column for column in table.columns.values() if column.type.n_min == 0)
    return {column.name: {} if column.type.is_map() else [] for column in islice(optional, 1)}


class _CreateChosen(DbCreateCommand):  # type: ignore[misc]
    """ovsdbapp's command that creates a row, with a uuid that the caller chose."""

    def __init__(self, api: Any, table: str, uuid: UUID, columns: Mapping[str, Any]) -> None:
        super().__init__(api, table, **columns)
        self._uuid = uuid

    def run_idl(self, txn: Any) -> None:
        row = txn.insert(self.api.tables[self.table], new_uuid=self._uuid, persist_uuid=True)
        self.set_columns(row, **self.columns)
        self.result = row


@dataclass(frozen=True)
class Insert(Operation):
    """A new row."""

    table: str
    row: Mapping[str, object]
    uuid: UUID | None = None
    name: str | None = None

    def carry_out(self, work: Work) -> Any:
        columns = work.values(self.table, self.row) or blank(work.api.tables[self.table])
        if self.uuid is None:
            command = work.api.db_create(self.table, **columns)
        else:
            command = _CreateChosen(work.api, self.table, self.uuid, columns)
        row = work.run(command)
        if self.name is not None:
            work.named[self.name] = row
        return row


@dataclass(frozen=True)
class _Matching(Operation):
    """A change of all rows with these values."""

    table: str
    conditions: Mapping[str, object] = field(default_factory=dict)

    def carry_out(self, work: Work) -> Any:
        for uuid in work.matching(self.table, self.conditions):
            self.change(work, uuid)

    def change(self, work: Work, uuid: UUID) -> None:
        """Change one row."""
        raise NotImplementedError


@dataclass(frozen=True)
class Update(_Matching):
    """Replaces columns."""

    row: Mapping[str, object] = field(default_factory=dict)

    def change(self, work: Work, uuid: UUID) -> None:
        for column, value in work.values(self.table, self.row).items():
            if isinstance(value, dict):
                work.run(work.api.db_clear(self.table, uuid, column))  # db_set merges maps
            work.run(work.api.db_set(self.table, uuid, (column, value)))


@dataclass(frozen=True)
class Delete(_Matching):
    """Deletes the rows."""

    def change(self, work: Work, uuid: UUID) -> None:
        work.run(work.api.db_destroy(self.table, uuid))


@dataclass(frozen=True)
class Mutate(_Matching):
    """Inserts or deletes members of a column, or adds a number to it (`+=`)."""

    column: str = ""
    mutator: str = ""
    value: object = None

    def change(self, work: Work, uuid: UUID) -> None:
        api, row = work.api, work.api.tables[self.table].rows[uuid]
        if self.mutator == "+=":
            assert isinstance(self.value, int)
            work.run(api.db_set(self.table, uuid, (self.column, getattr(row, self.column) + self.value)))
            return
        value = work.plain(self.value)
        members = value if isinstance(value, list) else [value]
        if self.mutator == "delete":
            keys, pairs = ([], value) if isinstance(value, dict) else (members, {})
            work.run(api.db_remove(self.table, uuid, self.column, *keys, **pairs))
        else:
            work.run(api.db_add(self.table, uuid, self.column, *members))


@dataclass(frozen=True)
class SetKeys(_Matching):
    """Sets keys of a map."""

    column: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    def change(self, work: Work, uuid: UUID) -> None:
        work.run(work.api.db_set(self.table, uuid, (self.column, dict(self.keys))))


@dataclass(frozen=True)
class Call(Operation):
    """A command of the schema's own API, such as `ts_add`."""

    method: str
    arguments: tuple[object, ...] = ()
    columns: Mapping[str, object] = field(default_factory=dict)

    def carry_out(self, work: Work) -> Any:
        arguments = [work.the_row(one) if isinstance(one, Found) else one for one in self.arguments]
        return work.run(getattr(work.api, self.method)(*arguments, **self.columns))


def insert(table: str, row: Mapping[str, object], uuid: UUID | None = None, name: str | None = None) -> Insert:
    """A new row, with a chosen uuid, or with a name that later operations of the same transaction refer to."""
    return Insert(table, row, uuid, name)


def update(table: str, row: Mapping[str, object], **conditions: object) -> Update:
    """Replace columns of the rows whose columns equal the conditions; `_uuid=` selects one row, none selects all."""
    return Update(table, conditions, row)


def delete(table: str, **conditions: object) -> Delete:
    """Delete the rows whose columns equal the conditions."""
    return Delete(table, conditions)


def mutate(table: str, column: str, mutator: str, value: object, **conditions: object) -> Mutate:
    """Change one column in place: `insert`, `delete` (sets, maps) or `+=` (numbers)."""
    return Mutate(table, conditions, column, mutator, value)


def set_keys(table: str, column: str, keys: Mapping[str, str], **conditions: object) -> SetKeys:
    """Set single keys of a map column, leaving its others alone."""
    return SetKeys(table, conditions, column, keys)


def drop_keys(table: str, column: str, keys: Iterable[str], **conditions: object) -> Mutate:
    """Remove single keys of a map column."""
    return Mutate(table, conditions, column, "delete", frozenset(keys))


class Operate(BaseCommand):  # type: ignore[misc]
    """All operations of one transaction, as one command. ovsdbapp runs it again if another client changed the rows meanwhile."""

    def __init__(self, api: Any, operations: Iterable[Operation]) -> None:
        super().__init__(api)
        self._operations = tuple(operations)

    def run_idl(self, txn: Any) -> None:
        work = Work(self.api, txn)
        self.result = [operation.carry_out(work) for operation in self._operations]

    def post_commit(self, txn: Any) -> None:
        self.result = [_committed(txn, result) for result in self.result]


def _committed(txn: Any, result: Any) -> UUID | None:
    """The uuid of a row that an operation inserted."""
    uuid = _uuid_of(result)
    return (txn.get_insert_uuid(uuid) or uuid) if isinstance(uuid, UUID) else None
