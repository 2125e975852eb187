# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database of a test: written to through ovsdbapp, read as typed immutable rows, waited for by events.

ovsdbapp is the client library of OpenStack, so the daemons under test always run beside that client. There is one connection for each
server. It has no thread: the contents change only while a test writes, waits or refreshes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import ovs.db.error
import ovs.db.idl
import ovs.poller
from ovsdbapp.api import API
from ovsdbapp.backend.ovs_idl import Backend, idlutils
from ovsdbapp.backend.ovs_idl.connection import Connection, OvsdbIdl
from ovsdbapp.exceptions import OvsdbAppException
from ovsdbapp.schema.ovn_ic_northbound.impl_idl import OvnIcNbApiIdlImpl
from ovsdbapp.schema.ovn_northbound.impl_idl import OvnNbApiIdlImpl
from ovsdbapp.schema.ovn_southbound.impl_idl import OvnSbApiIdlImpl

from .operations import (
    Atom,
    Call,
    Delete,
    Includes,
    Insert,
    Mutate,
    Named,
    Operate,
    Operation,
    SetKeys,
    Update,
    Value,
    blank,
    delete,
    drop_keys,
    insert,
    mutate,
    plain,
    set_keys,
    update,
)
from .rpc import PATIENCE

__all__ = [
    "Atom",
    "Call",
    "Database",
    "Delete",
    "Includes",
    "Insert",
    "Mutate",
    "Named",
    "Operation",
    "Row",
    "SetKeys",
    "TransactionError",
    "UnreachableError",
    "Update",
    "Value",
    "WaitTimeoutError",
    "delete",
    "drop_keys",
    "insert",
    "mutate",
    "set_keys",
    "update",
    "wait_for",
]

_T = TypeVar("_T")

UNREAD = frozenset({"Logical_Flow", "Logical_DP_Group"})
"""Big tables that northd derives from everything else. No test reads them."""


class TransactionError(Exception):
    """A transaction was rejected, by the server or by the client library; the text holds the operations and the reason."""


class UnreachableError(Exception):
    """A server does not answer, or does not serve the database."""


class WaitTimeoutError(AssertionError):
    """What was waited for did not happen within the patience."""


@dataclass(frozen=True)
class Row:
    """One row as it was at the last update: its uuid and its columns as plain values."""

    table: str
    uuid: UUID
    columns: Mapping[str, Value]

    def __getitem__(self, column: str) -> Value:
        return self.columns[column]

    def text(self, column: str) -> str:
        """A string column; an empty optional is the empty text."""
        value = self.columns[column]
        return "" if value is None else str(value)

    def number(self, column: str) -> int:
        """An integer column; an empty optional is 0."""
        value = self.columns[column]
        if value is None:
            return 0
        assert isinstance(value, int)
        return value

    def map(self, column: str) -> dict[str, str]:
        """A string map."""
        value = self.columns[column]
        assert isinstance(value, dict)
        return {str(key): str(member) for key, member in value.items()}

    def texts(self, column: str) -> set[str]:
        """A set of strings, also of an optional one."""
        return {str(member) for member in self._members(column)}

    def refs(self, column: str) -> set[UUID]:
        """A set of references, also of an optional or a single one."""
        return {member for member in self._members(column) if isinstance(member, UUID)}

    def ref(self, column: str) -> UUID | None:
        """A reference, or None if it is empty."""
        return next(iter(self.refs(column)), None)

    def _members(self, column: str) -> Iterable[Atom]:
        value = self.columns[column]
        if value is None:
            return ()
        assert not isinstance(value, dict)
        return value if isinstance(value, frozenset) else (value,)


class _Idl(OvsdbIdl):  # type: ignore[misc]
    """The replica of ovsdbapp. It calls `changed` for each row that was updated or deleted."""

    def __init__(self, remote: str, helper: Any, changed: Callable[[Any], None]) -> None:
        super().__init__(remote, helper, leader_only=False)
        self._changed = changed
        self._send, self._session.send = self._session.send, self._sent

    def notify(self, event: str, row: Any, updates: Any = None) -> None:
        """Called by the library after it has applied a change of one row."""
        self._changed(row)

    def _sent(self, message: Any) -> Any:
        """Send a message.

        python-ovs before 3.2 does not convert a chosen row uuid to JSON, and refers to that row by a name that the insert does not have.
        """
        inserts = [one for one in message.params or () if isinstance(one, dict) and "uuid" in one]
        if inserts:
            for operation in inserts:
                operation["uuid"] = str(operation["uuid"])
            chosen = {f"row{operation['uuid'].replace('-', '_')}": operation["uuid"] for operation in inserts}
            message.params = _referring(message.params, chosen)
        return self._send(message)


def _referring(json: Any, chosen: Mapping[str, str]) -> Any:
    """The same with references by name to rows with chosen uuids replaced by these."""
    if isinstance(json, dict):
        return {key: _referring(value, chosen) for key, value in json.items()}
    if not isinstance(json, (list, tuple)):
        return json
    if len(json) == 2 and json[0] == "named-uuid" and json[1] in chosen:
        return ["uuid", chosen[json[1]]]
    return [_referring(member, chosen) for member in json]


class _Connection(Connection):  # type: ignore[misc]
    """The connection of ovsdbapp, without its thread."""

    def start(self) -> None:
        """Connect and load everything."""
        idlutils.wait_for_change(self.idl, self.timeout)

    def queue_txn(self, txn: Any) -> None:
        """Commit at once."""
        try:
            result = txn.do_commit()
        except Exception as error:  # passed to the caller like an exception in the thread
            result = idlutils.ExceptionResult(ex=error, tb="")
            if self.idl.txn is not None:
                self.idl.txn.abort()
        txn.results.put(result)


class _Plain(Backend, API):  # type: ignore[misc]
    """The commands that ovsdbapp has for all schemas."""


_APIS: Mapping[str, Any] = {
    "OVN_Northbound": OvnNbApiIdlImpl,
    "OVN_Southbound": OvnSbApiIdlImpl,
    "OVN_IC_Northbound": OvnIcNbApiIdlImpl,
}
"""ovsdbapp's API of Open_vSwitch is not used: it waits for ovs-vswitchd after each transaction, and no test runs that."""


def _api(name: str, connection: _Connection) -> Any:
    """The API of a schema for this connection. A new class each time, because ovsdbapp keeps one connection for each class.

    It has no indexes: with python-ovs 3.1, deleting a row whose indexed column was changed before raises ValueError.
    """
    base = _APIS.get(name, _Plain)
    return type(base.__name__, (base,), {"ovsdb_connection": None})(connection, auto_index=False)


class Database:
    """One OVSDB database behind a unix socket, with a live mirror of all its tables."""

    def __init__(self, socket_path: Path, name: str) -> None:
        self.socket = socket_path
        self.name = name
        #: By table: the rows that were read and have not changed since.
        self._read: dict[str, dict[UUID, Row]] = {}
        #: The library's tables. They remain readable after the connection is closed.
        self._contents: Mapping[str, Any] = {}
        self._idl: _Idl | None = None
        self.connect()

    @property
    def remote(self) -> str:
        """The database's remote in OVSDB's notation."""
        return f"unix:{self.socket}"

    def connect(self) -> None:
        """Connect (again) and load everything; also after a restart or a conversion of the server."""
        self.close()
        try:
            helper = idlutils.get_schema_helper(self.remote, self.name)
        except Exception as error:  # ovsdbapp raises nothing more precise
            raise UnreachableError(str(error)) from error
        self._read = {table: {} for table in helper.schema_json["tables"] if table not in UNREAD}
        for table in helper.schema_json["tables"]:
            if table != "Logical_Flow":  # the other one is referred to, and python-ovs has to know what a column refers to
                helper.register_table(table)
        self._idl = _Idl(self.remote, helper, self._changed)
        self._contents = self._idl.tables
        try:
            #: The API of ovsdbapp for this schema.
            self.api = _api(self.name, _Connection(self._idl, PATIENCE))
        except Exception as error:
            self.close()
            raise UnreachableError(str(error)) from error

    def close(self) -> None:
        """Close the connection, if any."""
        if self._idl is not None:
            self._idl.close()
            self._idl = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as this side knows."""
        return self._idl is not None

    def has(self, table: str, column: str | None = None) -> bool:
        """Whether the server's schema has this table, or this column of it."""
        return table in self._read and (column is None or column in self._contents[table].columns)

    def transact(self, *operations: Operation) -> list[UUID | None]:
        """Commit operations as one transaction. Returns for each operation the uuid of the row that it inserted, or None.

        Raises TransactionError if the transaction was rejected.
        """
        self.refresh()
        try:
            results = self.api.create_transaction(check_error=True, log_errors=False)
            done = results.add(Operate(self.api, operations))
            results.commit()
        except (RuntimeError, LookupError, ValueError, ovs.db.error.Error, OvsdbAppException) as error:
            raise TransactionError(f"{self.name} rejected {list(operations)}: {error}") from error
        found: list[UUID | None] = done.result
        return found

    def create(self, *operations: Operation) -> list[UUID]:
        """Like :meth:`transact`, but returns the uuids of the inserted rows only."""
        return [uuid for uuid in self.transact(*operations) if uuid is not None]

    def refresh(self) -> None:
        """Wait for everything that the server has committed until now.

        The server sends a connection's updates before the reply to its next request. That request is a transaction that is aborted.
        """
        deadline = time.monotonic() + PATIENCE
        while self._aborted() == ovs.db.idl.Transaction.TRY_AGAIN:  # the connection was lost
            if time.monotonic() > deadline:
                raise UnreachableError(f"{self.name} at {self.remote} does not answer")
            _block([self], PATIENCE)
            self.pump()

    def _aborted(self) -> str:
        """The outcome of a transaction that inserts a row and is aborted."""
        idl = self._connected()
        table = next(table for table in idl.tables.values() if blank(table))
        transaction = ovs.db.idl.Transaction(idl)
        transaction.dry_run = True
        row = transaction.insert(table)
        for column, value in blank(table).items():
            setattr(row, column, value)
        outcome: str = transaction.commit_block()
        return outcome

    def pump(self, timeout: float = 0.0) -> bool:
        """Take in the updates that have arrived; with a timeout, wait that long for a first one. Returns whether there were any."""
        idl = self._connected()
        changed: bool = idl.run()
        if not changed and timeout:
            _block([self], timeout)
            changed = idl.run()
        return changed

    def wake(self, poller: Any) -> None:
        """Wake a poller when something has arrived."""
        self._connected().wait(poller)

    def tables(self) -> Iterator[str]:
        """The names of the tables of the server's schema."""
        return iter(self._read)

    def rows(self, table: str, **equal: object) -> list[Row]:
        """The mirrored rows of a table whose columns have the given values."""
        rows = (self._row(table, uuid) for uuid in self._contents[table].rows)
        return [row for row in rows if all(row[column] == value for column, value in equal.items())]

    def find(self, table: str, **equal: object) -> Row | None:
        """The one mirrored row with these values, or None; several are an error of the test."""
        found = self.rows(table, **equal)
        assert len(found) <= 1, f"{len(found)} rows of {self.name} {table} with {equal}"
        return found[0] if found else None

    def get(self, table: str, **equal: object) -> Row:
        """The one mirrored row with these values."""
        row = self.find(table, **equal)
        assert row is not None, f"no row of {self.name} {table} with {equal}: {[dict(r.columns) for r in self.rows(table)]}"
        return row

    def row(self, table: str, uuid: UUID) -> Row | None:
        """The mirrored row of this uuid."""
        return self._row(table, uuid) if uuid in self._contents[table].rows else None

    def wait(self, condition: Callable[[], _T | None], what: str, patience: float = PATIENCE) -> _T:
        """Wait until the condition, asked again after every update of this database, returns something true."""
        return wait_for([self], condition, what, patience)

    def _connected(self) -> _Idl:
        assert self._idl is not None, f"{self.name} is closed"
        return self._idl

    def _changed(self, row: Any) -> None:
        # The library does not call this for a new row with default values only, so rows are read on demand instead of here.
        self._read.get(row._table.name, {}).pop(row.uuid, None)

    def _row(self, table: str, uuid: UUID) -> Row:
        found = self._read[table].get(uuid)
        if found is None:
            source = self._contents[table]
            columns = {name: plain(column, getattr(source.rows[uuid], name)) for name, column in source.columns.items()}
            found = self._read[table][uuid] = Row(table, uuid, columns)
        return found


def _block(databases: Iterable[Database], seconds: float) -> None:
    """Wait at most this many seconds until something arrives from one of the databases."""
    poller = ovs.poller.Poller()
    for database in databases:
        database.wake(poller)
    poller.timer_wait(int(seconds * 1000))
    poller.block()


def wait_for(databases: Iterable[Database], condition: Callable[[], _T | None], what: str, patience: float = PATIENCE) -> _T:
    """Wait until the condition, asked again after every update of any of the databases, returns something true."""
    databases = list(databases)
    deadline = time.monotonic() + patience
    while True:
        for database in databases:
            database.pump()
        found = condition()
        if found:
            return found
        left = deadline - time.monotonic()
        if left <= 0:
            raise WaitTimeoutError(f"waited {patience:g} s in vain: {what}")
        _block(databases, left)
