# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One OVSDB database: the connection, and the store that follows it.

A replica first requests the server's schema without blocking, then monitors the columns that both sides know. After a
reconnect without resumption, it compares the new contents with the old rows and reports the differences as changes, so
that no change is missed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from . import client as seam
from . import tls
from .columns import Column, Database, ServerSchema
from .server_rotation import CONTROL_SOCKET, NO_DATABASE, split
from .store import NOTHING, Members, RowChange, Store
from .wire import decode, decode_diff, decode_members, decoder

#: The error code of a server that does not have the contents of a database yet (ovsdb-server(7)). The server is joining
#: a cluster, or it is a relay that is not connected to its source yet. Every other error of ``get_schema`` means that the
#: server does not have the database.
_NOT_AVAILABLE = "database not available"


class Tls(NamedTuple):
    """The files of a TLS identity, as paths. python-ovs supports one identity per process."""

    private_key: str | None = None
    certificate: str | None = None
    ca_cert: str | None = None

    def apply(self) -> None:
        """Pass the files to the library. Raises LibraryError if it is missing."""
        seam.check_library()
        from ovs.stream import Stream

        tls.register(file for file in self if file)
        if self.private_key:
            Stream.ssl_set_private_key_file(self.private_key)
        if self.certificate:
            Stream.ssl_set_certificate_file(self.certificate)
        if self.ca_cert:
            Stream.ssl_set_ca_cert_file(self.ca_cert)


class _Form(NamedTuple):
    """How the rows of a table are read."""

    #: The values of a row that names no column, in the order of the store.
    empty: tuple[Any, ...]
    #: For each plain column, its position in that order and its decoder (see wire.decoder).
    plain: Mapping[str, tuple[int, Callable[[Any], Any] | None]]
    refs: tuple[Column, ...]

    @classmethod
    def of(cls, store: Store, table: str) -> _Form:
        columns = store.database.tables[table]
        layout = [columns[name] for name in store.layout(table)]
        plain = {column.name: (place, decoder(column)) for place, column in enumerate(layout)}
        return cls(tuple(column.empty for column in layout), plain, tuple(column for column in columns.values() if column.shape == "refs"))


class UnknownMembersError(ValueError):
    """A row needs members that were not stored until now: the contents have to be loaded again."""


class Replica:
    """A local copy of one database, kept up to date by a server.

    ``run`` does what can be done without waiting; ``wait`` tells a poller when to call it again. ``remote`` is one
    OVSDB connection method, or several of one cluster, comma-separated. With ``leader_only``, only the leader of a
    cluster is used; with ``relays``, relays are used too.
    """

    def __init__(self, database: Database, remote: str, *, leader_only: bool = True, relays: bool = False) -> None:
        seam.check_library()
        self.store = Store(database)
        self.remote = remote
        #: Whether the server's schema is known. Before that, the store uses an assumed schema.
        self.has_schema = False
        #: The number of schemas that this server has had. Code that depends on a feature checks again when it grows.
        self.schema_serial = 0
        #: Whether the store holds what the server holds, except for updates in flight. It is stored because it is read
        #: many times in a turn of a loop, and only ``run``, ``want`` and ``close`` change it.
        self.synced = False
        #: What is wrong with this server, in its own words, or None.
        self.problem: str | None = None
        #: Whether the members of a row's ``refs`` columns are needed. Other members are dropped on arrival.
        self.keeps_members: Callable[[str, Any], bool] = lambda _table, _row: True
        #: The last error of each server that has failed.
        self.said: dict[str, str] = {}
        #: The problems that were logged since the last time there was none.
        self._told: set[str] = set()
        self._forms: dict[str, _Form] = {}
        self._conditions: dict[str, list[Any]] = {}
        self._leader_only = leader_only
        self._relays = relays
        servers = split(remote)
        self._fetch: seam.Session | None = seam.Session(random.sample(servers, len(servers)), self.said)
        self._fetch_seqno = -1
        self._client: seam.Client | None = None
        self._checked_seqno = -1
        self._probe: int | None = None
        self._lock: str | None = None
        #: Whether the lock will be offered, and whether it was offered and the server has not said who holds it.
        self._offers = self._offered = False
        self._whole = False
        self._stale_schema: dict[str, Any] | None = None
        self._updates: list[list[RowChange]] = []

    # -- state -----------------------------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The database's name."""
        return self.store.name

    @property
    def connected(self) -> bool:
        """Whether a server answers at the moment."""
        session = self._client.session if self._client is not None else self._fetch
        return session is not None and bool(session.is_connected())

    @property
    def has_lock(self) -> bool:
        """Whether this client holds the requested lock. The lock is lost with the connection."""
        return self._client is not None and self._lock is not None and self._client.synced and bool(self._client.has_lock)

    @property
    def lock_contended(self) -> bool:
        """Whether another client holds the requested lock."""
        return self._client is not None and self._lock is not None and bool(self._client.is_lock_contended)

    @property
    def offers_lock(self) -> bool:
        """Whether the lock was offered (:meth:`offer_lock`) and the server has not said yet who holds it."""
        return self._offered

    @property
    def outstanding(self) -> int:
        """The number of requests without a reply."""
        return self._client.outstanding if self._client is not None else 0

    # -- requests ------------------------------------------------------------------------------------------------------

    def want_lock(self, name: str | None) -> None:
        """Request a lock of the server, or release it. It is released when nothing is in flight."""
        self._lock = name
        if name is None:
            self._offers = self._offered = False

    def offer_lock(self) -> None:
        """Pass the lock to the client that has waited longest, and request it again. If no client waits, it comes back."""
        self._offers = self._lock is not None

    def want(self, table: str, condition: list[Any]) -> None:
        """Monitor only the rows of a table for which one of these clauses is true (ovsdb-server(7), 4.1.12).

        Until the server has confirmed a change of conditions, the replica is not synchronized, because a row that
        leaves the condition looks like a deleted row.
        """
        if self._conditions.get(table) != condition:
            self._conditions[table] = condition
            self._apply_condition(table)
            self.synced = self._is_synced

    def set_probe_interval(self, milliseconds: int) -> None:
        """Set the time, in milliseconds, after which a silent connection is probed; 0 disables probes (spec
        status-F.7).
        """
        if milliseconds != self._probe:
            self._probe = milliseconds
            self._apply_probe()

    def transact(self, operations: list[Any], done: seam.Reply) -> None:
        """Send one transaction. A later ``run`` calls ``done(result, error)``, with (None, None) if the outcome is
        unknown.
        """
        if self._client is None:
            done(None, None)
        else:
            self._client.request("transact", [self.name, *operations], done)

    def close(self) -> None:
        """Close the connection."""
        for session in (self._fetch, self._client.session if self._client is not None else None):
            if session is not None:
                session.close()
        self._fetch = self._client = None
        self.synced = False

    # -- the loop --------------------------------------------------------------------------------------------------------------------

    def run(self) -> list[list[RowChange]]:
        """Do everything that can be done without waiting. Returns the resulting changes in the order of arrival, one
        list for each update of the server. The changes of one transaction are always in the same list.
        """
        if self._fetch is not None:
            self._run_fetch(self._fetch)
        if self._client is not None:
            self._run_client(self._client)
        self.synced = self._is_synced
        updates, self._updates = self._updates, []
        return updates

    @property
    def _is_synced(self) -> bool:
        return self._client is not None and self._client.synced and not self._client.conditions_pending and self._stale_schema is None

    def wait(self, poller: Any) -> None:
        """Wake a poller when ``run`` has something to do."""
        if self._fetch is not None:
            self._fetch.wait(poller)
            self._fetch.recv_wait(poller)
        if self._client is not None:
            self._client.wait(poller)
            if self._lock_changes(self._client):
                poller.immediate_wake()

    def _run_fetch(self, session: seam.Session) -> None:
        session.run()
        if not session.is_connected():
            return
        if session.get_seqno() != self._fetch_seqno:
            self._fetch_seqno = session.get_seqno()
            session.ask("get_schema", [self.name])
        answer = session.answer()
        if answer is None:
            return
        result, error = answer
        if error is None:
            servers = session.order
            session.close()
            self._fetch = None
            self._use_schema(result, servers)
        else:
            self._refused(session, error)

    def _refused(self, session: seam.Session, error: Any) -> None:
        code = error.get("error") if isinstance(error, dict) else None
        words = " ".join(str(error.get("details") or code if isinstance(error, dict) else error).split())
        if "is not a valid command" in words:
            self.problem, reason = f"{session.get_name()}: {CONTROL_SOCKET}", CONTROL_SOCKET
        elif code == _NOT_AVAILABLE:
            self.problem = f"the server at {session.get_name()} cannot serve {self.name} yet ({words})"
            reason = f"it cannot serve {self.name} yet ({words})"
        else:
            self.problem = f"the server at {session.get_name()} has no database {self.name} ({words})"
            reason = f"{NO_DATABASE}{self.name} ({words})"
        if self.problem not in self._told:
            self._told.add(self.problem)
            seam.warn(self.problem)
        session.refuse(reason)

    def _use_schema(self, schema: dict[str, Any], servers: list[str]) -> None:
        self.problem = None
        self._told.clear()
        store = self.store
        store.schema = ServerSchema.from_json(schema)
        self.has_schema = True
        self.schema_serial += 1
        columns = store.schema.columns(store.database)
        self._client = seam.Client(seam.Session(servers, self.said), schema, columns, self, self._leader_only, self._relays)
        self._checked_seqno = -1
        for table in self._conditions:
            self._apply_condition(table)
        self._apply_probe()

    def _run_client(self, client: seam.Client) -> None:
        self._apply_lock(client)
        client.run()
        if not client.synced or client.has_lock or client.is_lock_contended:
            self._offered = False
        session = client.session
        if session.is_connected() and session.get_seqno() != self._checked_seqno:
            self._checked_seqno = session.get_seqno()
            client.request("get_schema", [self.name], self._check_schema)
        if session.monitor_canceled:
            session.monitor_canceled = False
            client.request("get_schema", [self.name], self._check_schema)
        if self._stale_schema is not None:
            schema, self._stale_schema = self._stale_schema, None
            servers = session.order
            client.close()
            self._use_schema(schema, servers)

    def _check_schema(self, result: Any, error: str | None) -> None:
        """Start a new monitor if the server's schema was converted, while we were connected or disconnected."""
        if error is None and isinstance(result, dict) and result != self.store.schema.json:
            self._stale_schema = result

    def _apply_lock(self, client: seam.Client) -> None:
        if not self._lock_changes(client):
            return
        if self._offers:
            client.set_lock(None)
            self._offers, self._offered = False, True
        client.set_lock(self._lock)

    def _lock_changes(self, client: seam.Client) -> bool:
        return bool((client.lock_name != self._lock or self._offers) and not client.outstanding)

    def _apply_condition(self, table: str) -> None:
        if self._client is not None and self.store.schema.has(table):
            self._client.cond_change(table, self._conditions[table])

    def _apply_probe(self) -> None:
        if self._client is not None and self._probe is not None:
            self._client.session.set_probe_interval(self._probe)

    # -- the sink of monitor updates ---------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """The next update holds the whole contents: rows that it does not name are deleted."""
        self._whole = True

    def update(self, tables: Mapping[str, Any], kind: str) -> None:
        """Apply one ``<table-updates>`` object to the store."""
        whole, self._whole = self._whole, False
        one = self._row_update if kind == "update" else self._row_update2
        changes: list[RowChange] = []
        # at once: what has reached the store is reported even if a later row cannot be read
        self._updates.append(changes)
        for table, rows in tables.items():
            for uuid, row in rows.items():
                change = one(table, uuid, row)
                if change is not None:
                    changes.append(change)
        if whole:
            changes += self._drop_unnamed(tables)

    def _drop_unnamed(self, tables: Mapping[str, Any]) -> Iterator[RowChange]:
        for table in self.store.database.tables:
            named = tables.get(table, {})
            for uuid in [row.uuid for row in self.store.rows(table) if row.uuid not in named]:
                change = self.store.delete(table, uuid)
                if change is not None:
                    yield change

    def _row_update(self, table: str, uuid: str, row: Mapping[str, Any]) -> RowChange | None:
        if row.get("new") is None:
            return self.store.delete(table, uuid)
        return self._put(table, uuid, row["new"])

    def _row_update2(self, table: str, uuid: str, row: Mapping[str, Any]) -> RowChange | None:
        if "modify" in row:
            return self._modify(table, uuid, row["modify"])
        if "delete" in row:
            return self.store.delete(table, uuid)
        return self._put(table, uuid, row["initial"] if "initial" in row else row["insert"])

    def _put(self, table: str, uuid: str, row: Mapping[str, Any]) -> RowChange | None:
        """Store a whole row. Columns that the update does not name have their default value (ovsdb-server(7), 4.1.14)."""
        form = self._forms.get(table)
        if form is None:
            form = self._forms[table] = _Form.of(self.store, table)
        values = list(form.empty)
        for name, value in row.items():
            if name in form.plain:
                place, read = form.plain[name]
                values[place] = value if read is None else read(value)
        members = {column.name: decode(column, row[column.name]) if column.name in row else NOTHING for column in form.refs}
        if members and not self.keeps_members(table, dict(zip(self.store.layout(table), values))):
            members = dict.fromkeys(members, NOTHING)
        return self.store.put_whole(table, uuid, tuple(values), members)

    def _modify(self, table: str, uuid: str, difference: Mapping[str, Any]) -> RowChange | None:
        row = self.store.row(table, uuid)
        if row is None:
            raise KeyError(uuid)
        columns = self.store.database.tables[table]
        values: dict[str, Any] = {}
        edges: dict[str, Members] = {}
        kept = self.keeps_members(table, row)
        for name, value in difference.items():
            if columns[name].shape == "refs":
                if not kept:
                    continue
                edges[name] = decode_members(value, self.store.children(table, name, uuid))
            else:
                values[name] = decode_diff(columns[name], row[name], value)
        if not kept and self.keeps_members(table, {**row.as_dict(), **values}):
            raise UnknownMembersError(uuid)
        return self.store.update(table, uuid, values, edges)
