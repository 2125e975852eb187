# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small, typed OVSDB client for tests: raw transactions, a live mirror of every row, waiting by events.

It speaks RFC 7047 over a unix socket and shares no code with the engine under test, so that a fault in one cannot hide in
the other. One monitor over all tables keeps the mirror; the server sends a connection's updates before the reply to a later
request of the same connection, so a reply is a barrier.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, Union
from uuid import UUID

PATIENCE = float(os.environ.get("OVN_IC_TEST_PATIENCE") or 20)
"""Seconds after which a wait gives up; no test passes or fails by how fast something is below it."""

Atom = Union[bool, int, float, str, UUID]
Value = Union[Atom, None, frozenset[Atom], dict[Atom, Atom]]
Json = Union[None, bool, int, float, str, list["Json"], dict[str, "Json"]]
Operation = dict[str, Json]

_T = TypeVar("_T")
_DECODER = json.JSONDecoder()

UNMIRRORED = frozenset({"Logical_Flow", "Logical_DP_Group"})
"""Big tables that northd derives from everything else; no test here looks at them."""


class RpcError(Exception):
    """The other side answered a request with an error, or went away."""


class TransactionError(Exception):
    """The server rejected a transaction; the text holds the operations and the server's own words."""


class WaitTimeoutError(AssertionError):
    """What was waited for did not happen within the patience."""


@dataclass(frozen=True)
class Named:
    """A reference to a row inserted by the same transaction, by its `uuid-name`."""

    name: str


class JsonRpc:
    """A blocking JSON-RPC connection over a unix socket; OVSDB servers and control sockets speak it alike."""

    def __init__(self, path: Path, notified: Callable[[str, list[Json]], None] | None = None) -> None:
        self.path = path
        self._notified = notified
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._buffer = b""
        self._next_id = 0

    def close(self) -> None:
        """Close the connection; closing twice does no harm."""
        self._selector.close()
        self._socket.close()

    def request(
        self, method: str, params: list[Json], timeout: float = PATIENCE, taken: Callable[[Json], None] = lambda _result: None
    ) -> Json:
        """Send a request and return its result; notifications that come before it are handed on first.

        `taken` gets the result before any notification that comes behind it is handed on.
        """
        self._next_id += 1
        wanted = self._next_id
        self._socket.sendall(json.dumps({"id": wanted, "method": method, "params": params}).encode())
        deadline = time.monotonic() + timeout
        while True:
            message = self._receive(deadline)
            if message is None:
                raise RpcError(f"{self.path}: no reply to {method} within {timeout:g} s")
            if self._handled(message):
                continue
            if message.get("id") == wanted:
                if message.get("error") is not None:
                    raise RpcError(f"{self.path}: {method}: {message['error']}")
                taken(message["result"])
                self._take_buffered()
                return message["result"]

    def _take_buffered(self) -> None:
        """Handle what arrived together with a reply; no selector would tell of it any more."""
        while (message := self._first_message()) is not None:
            self._handled(message)

    def drain(self, timeout: float = 0.0) -> bool:
        """Handle what has arrived, waiting at most `timeout` seconds for a first message; False if there was none."""
        message = self._receive(time.monotonic() + timeout)
        if message is None:
            return False
        while message is not None:
            self._handled(message)
            message = self._receive(time.monotonic())
        return True

    def fileno(self) -> int:
        """The socket's descriptor, for a selector over several connections."""
        return self._socket.fileno()

    def _handled(self, message: dict[str, Json]) -> bool:
        method = message.get("method")
        if method is None:
            return False
        params = message.get("params")
        if method == "echo":
            self._socket.sendall(json.dumps({"id": message["id"], "result": params, "error": None}).encode())
        elif self._notified is not None and isinstance(params, list):
            self._notified(str(method), params)
        return True

    def _receive(self, deadline: float) -> dict[str, Json] | None:
        while True:
            message = self._first_message()
            if message is not None:
                return message
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                return None
            data = self._socket.recv(1 << 20)
            if not data:
                raise RpcError(f"{self.path}: connection closed by the other side")
            self._buffer += data

    def _first_message(self) -> dict[str, Json] | None:
        """Take the first complete message off the buffer; messages come concatenated or cut anywhere."""
        try:
            text = self._buffer.decode()
            message, end = _DECODER.raw_decode(text)
        except ValueError:
            return None
        self._buffer = text[end:].encode()
        assert isinstance(message, dict)
        return message


@dataclass(frozen=True)
class Column:
    """The form of one column: a scalar, an optional scalar, a set or a map."""

    kind: str

    @classmethod
    def from_schema(cls, schema: Json) -> Column:
        """Read the `type` member of a column's schema (RFC 7047, 3.2)."""
        kind = schema["type"] if isinstance(schema, dict) else schema
        if not isinstance(kind, dict):
            return cls("scalar")
        if "value" in kind:
            return cls("map")
        low, high = kind.get("min", 1), kind.get("max", 1)
        if high == 1:
            return cls("scalar" if low == 1 else "optional")
        return cls("set")

    def decode(self, value: Json) -> Value:
        """Turn the wire form of a value into a plain Python value: an optional is None, a set is always a frozenset."""
        if self.kind == "map":
            assert isinstance(value, list)
            assert isinstance(value[1], list)
            return {_atom(pair[0]): _atom(pair[1]) for pair in value[1] if isinstance(pair, list)}
        members = _members(value)
        if self.kind == "set":
            return frozenset(members)
        return members[0] if members else None


def _members(value: Json) -> list[Atom]:
    if isinstance(value, list) and value[0] == "set":
        assert isinstance(value[1], list)
        return [_atom(member) for member in value[1]]
    return [_atom(value)]


def _atom(value: Json) -> Atom:
    if isinstance(value, list):
        return UUID(str(value[1]))
    assert isinstance(value, (bool, int, float, str))
    return value


def encode(value: object) -> Json:
    """Turn a Python value into OVSDB's wire form; any iterable but text is a set, None is the empty set."""
    if value is None:
        return ["set", []]
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, UUID):
        return ["uuid", str(value)]
    if isinstance(value, Named):
        return ["named-uuid", value.name]
    if isinstance(value, Mapping):
        return ["map", [[encode(key), encode(member)] for key, member in value.items()]]
    if isinstance(value, Iterable):
        return ["set", [encode(member) for member in value]]
    raise TypeError(f"no OVSDB form of {value!r}")


def _encoded(row: Mapping[str, object]) -> dict[str, Json]:
    return {column: encode(value) for column, value in row.items()}


def _where(conditions: Mapping[str, object]) -> list[Json]:
    return [[column, "==", encode(value)] for column, value in conditions.items()]


def insert(table: str, row: Mapping[str, object], uuid: UUID | None = None, name: str | None = None) -> Operation:
    """An `insert`, with a chosen row uuid or a name by which the same transaction refers to it."""
    operation: Operation = {"op": "insert", "table": table, "row": _encoded(row)}
    if uuid is not None:
        operation["uuid"] = str(uuid)
    if name is not None:
        operation["uuid-name"] = name
    return operation


def update(table: str, row: Mapping[str, object], **conditions: object) -> Operation:
    """Replace columns of the rows whose columns equal the conditions; `_uuid=` selects one row, none selects all."""
    return {"op": "update", "table": table, "where": _where(conditions), "row": _encoded(row)}


def delete(table: str, **conditions: object) -> Operation:
    """Delete the rows whose columns equal the conditions."""
    return {"op": "delete", "table": table, "where": _where(conditions)}


def mutate(table: str, column: str, mutator: str, value: object, **conditions: object) -> Operation:
    """Change one column in place: `insert`, `delete` (sets, maps) or `+=` (numbers)."""
    return {"op": "mutate", "table": table, "where": _where(conditions), "mutations": [[column, mutator, encode(value)]]}


def set_keys(table: str, column: str, keys: Mapping[str, str], **conditions: object) -> Operation:
    """Set single keys of a map column, leaving its others alone."""
    drop: list[Json] = [column, "delete", encode(set(keys))]
    add: list[Json] = [column, "insert", encode(keys)]
    return {"op": "mutate", "table": table, "where": _where(conditions), "mutations": [drop, add]}


def drop_keys(table: str, column: str, keys: Iterable[str], **conditions: object) -> Operation:
    """Remove single keys of a map column."""
    return mutate(table, column, "delete", set(keys), **conditions)


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


class Database:
    """One OVSDB database behind a unix socket, with a live mirror of all its tables."""

    def __init__(self, socket_path: Path, name: str) -> None:
        self.socket = socket_path
        self.name = name
        self._columns: dict[str, dict[str, Column]] = {}
        self._tables: dict[str, dict[UUID, Row]] = {}
        self._rpc: JsonRpc | None = None
        self.connect()

    @property
    def remote(self) -> str:
        """The database's remote in OVSDB's notation."""
        return f"unix:{self.socket}"

    def connect(self) -> None:
        """Connect (again) and load everything; also after a restart or a conversion of the server."""
        self.close()
        self._rpc = JsonRpc(self.socket, self._notified)
        try:
            self._load(self._rpc)
        except (RpcError, OSError):
            self.close()
            raise

    def _load(self, rpc: JsonRpc) -> None:
        """Load schema and contents, and have the server tell of changes."""
        if self.name == "_Server":
            # Else the server closes the connection when the database that it serves appears (ovsdb-server(7), 4.1.16).
            rpc.request("set_db_change_aware", [True])
        schema = rpc.request("get_schema", [self.name])
        assert isinstance(schema, dict)
        assert isinstance(schema["tables"], dict)
        self._columns = {table: _columns_of(definition) for table, definition in schema["tables"].items() if table not in UNMIRRORED}
        self._tables = {table: {} for table in self._columns}
        requests: dict[str, Json] = {table: [{"columns": list[Json](columns)}] for table, columns in self._columns.items()}
        rpc.request("monitor", [self.name, None, requests], taken=self._update)

    def close(self) -> None:
        """Close the connection, if any."""
        if self._rpc is not None:
            self._rpc.close()
            self._rpc = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as this side knows."""
        return self._rpc is not None

    def has(self, table: str, column: str | None = None) -> bool:
        """Whether the server's schema has this table, or this column of it."""
        return table in self._columns and (column is None or column in self._columns[table])

    def transact(self, *operations: Operation) -> list[dict[str, Json]]:
        """Commit operations as one transaction and return their results; TransactionError if it was rejected."""
        results = self._connected().request("transact", [self.name, *operations])
        assert isinstance(results, list)
        errors = [result for result in results if isinstance(result, dict) and result.get("error")]
        if errors:
            raise TransactionError(f"{self.name} rejected {json.dumps(list(operations))}: {json.dumps(errors)}")
        return [result for result in results if isinstance(result, dict)]

    def refresh(self) -> None:
        """Make the mirror as new as the server is at this moment."""
        self._connected().request("echo", [])

    def pump(self, timeout: float = 0.0) -> bool:
        """Take in the updates that have arrived; with a timeout, wait that long for a first one."""
        return self._connected().drain(timeout)

    def fileno(self) -> int:
        """The connection's descriptor."""
        return self._connected().fileno()

    def tables(self) -> Iterator[str]:
        """The names of the tables of the server's schema."""
        return iter(self._columns)

    def rows(self, table: str, **equal: object) -> list[Row]:
        """The mirrored rows of a table whose columns have the given values."""
        return [row for row in self._tables[table].values() if all(row[column] == value for column, value in equal.items())]

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
        return self._tables[table].get(uuid)

    def wait(self, condition: Callable[[], _T | None], what: str, patience: float = PATIENCE) -> _T:
        """Wait until the condition, asked again after every update of this database, returns something true."""
        return wait_for([self], condition, what, patience)

    def _connected(self) -> JsonRpc:
        assert self._rpc is not None, f"{self.name} is closed"
        return self._rpc

    def _notified(self, method: str, params: list[Json]) -> None:
        if method == "update":
            self._update(params[1])

    def _update(self, updates: Json) -> None:
        assert isinstance(updates, dict)
        for table, changes in updates.items():
            assert isinstance(changes, dict)
            for uuid_text, change in changes.items():
                assert isinstance(change, dict)
                self._update_row(table, UUID(uuid_text), change.get("new"))

    def _update_row(self, table: str, uuid: UUID, new: Json) -> None:
        if new is None:
            self._tables[table].pop(uuid, None)
            return
        assert isinstance(new, dict)
        columns = self._columns[table]
        self._tables[table][uuid] = Row(table, uuid, {column: columns[column].decode(value) for column, value in new.items()})


def _columns_of(table: Json) -> dict[str, Column]:
    assert isinstance(table, dict)
    assert isinstance(table["columns"], dict)
    return {column: Column.from_schema(schema) for column, schema in table["columns"].items()}


def wait_for(databases: Iterable[Database], condition: Callable[[], _T | None], what: str, patience: float = PATIENCE) -> _T:
    """Wait until the condition, asked again after every update of any of the databases, returns something true."""
    databases = list(databases)
    for database in databases:
        database.pump()
    deadline = time.monotonic() + patience
    with selectors.DefaultSelector() as selector:
        for database in databases:
            selector.register(database, selectors.EVENT_READ, database)
        while True:
            found = condition()
            if found:
                return found
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise WaitTimeoutError(f"waited {patience:g} s in vain: {what}")
            for key, _events in ready:
                key.data.pump()
