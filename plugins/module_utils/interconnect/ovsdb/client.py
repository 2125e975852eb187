# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interface to python-ovs. It uses the library's protocol state machine, but not its row objects.

``ovs.db.idl.Idl`` provides the session, back-off, TLS, the search for the cluster leader, locks, monitors and their
resumption. Monitor updates go to a sink as received instead of becoming the library's row objects. Transactions are
sent as raw operations. Every private name of the library that this module needs is listed in ``_PRIVATE`` and checked
before a connection is made.
"""

from __future__ import annotations

import errno
import traceback
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol

from . import resolve
from .server_rotation import RELAY, ServerRotation
from .wire import Framer

try:
    import ovs.db.idl
    import ovs.jsonrpc
    import ovs.stream
    import ovs.timeval
    import ovs.version
    import ovs.vlog

    _Idl: Any = ovs.db.idl.Idl
    _JsonRpcSession: Any = ovs.jsonrpc.Session
    _vlog: Any = ovs.vlog.Vlog("ovsdb_cs")
    _rpc_vlog: Any = ovs.vlog.Vlog("jsonrpc")
    IMPORT_ERROR: str | None = None
except ImportError:
    _Idl = _JsonRpcSession = object
    IMPORT_ERROR = traceback.format_exc()

#: The private names of python-ovs that this module depends on. They are the same in all releases that were tested.
_PRIVATE = ("_Idl__parse_update", "_Idl__clear", "_Idl__check_server_db", "_Idl__txn_abort_all", "_Idl__txn_process_reply")
TRIED = "3.1 to 4.0"

#: The value of ``_Server.Database.model`` for a database that a relay serves (ovsdb-server(5)).
_RELAY = "relay"
#: The error code of python-ovs for the end of a stream.
_END_OF_FILE = -1
READ_SIZE = 256 * 1024
#: The number of messages to read before control returns to the engine.
READS = 64
#: The probe interval, in milliseconds, while the right one of several servers is being searched for. A server that is
#: silent for this time is probed; if it stays silent as long again, the next server is tried.
SEARCH_PROBE = 2000

#: The callback of a transaction: receives the result array of the reply, or None if the outcome is unknown.
Reply = Callable[["list[Any] | None", "str | None"], None]


class LibraryError(Exception):
    """The library ovs is missing, or this collection does not support its release."""


def check_library() -> None:
    """Raise LibraryError with a one-sentence message unless the library ovs is installed and has the names that this
    module needs.
    """
    if IMPORT_ERROR is not None:
        raise LibraryError("the Python library ovs is missing on this host: install the package python3-openvswitch, or ovs with pip")
    missing = [name for name in _PRIVATE if not hasattr(_Idl, name)]
    if missing:
        raise LibraryError(
            f"the Python library ovs {ovs.version.VERSION} is not supported by this collection "
            f"({', '.join(missing)} not found in it): install one of the releases {TRIED}"
        )


def warn(sentence: str) -> None:
    """Log what a server did to this connection, under the log module name that upstream's daemon uses for it."""
    _vlog.warn(sentence)


class Session(_JsonRpcSession):
    """A JSON-RPC session that reads in large blocks and parses with the standard library."""

    def __init__(self, servers: Sequence[str], said: MutableMapping[str, str]) -> None:
        resolve.register()
        now = ovs.timeval.msec()
        super().__init__(ServerRotation(now, servers, said), None, list(servers))
        self.remotes = list(servers)  # the library shuffles its own list
        self.pick_remote()
        self.reconnect.enable(now)
        self._read_from: Any = None
        self._framer = Framer()
        self._messages: deque[Any] = deque()
        #: Whether the server has canceled a monitor because its schema was converted.
        self.monitor_canceled = False
        self._searching = len(servers) > 1
        self._probe = self.reconnect.get_probe_interval() if any(map(ovs.stream.stream_or_pstream_needs_probes, servers)) else 0
        self._apply_probe()

    @property
    def order(self) -> list[str]:
        """The servers in the order in which another session should try them: the connected one first, those that failed
        last.
        """
        said, now = self.reconnect.said, self.get_name() if self.is_connected() else None
        return sorted(self.remotes, key=lambda one: 0 if one == now else 2 if one in said else 1)

    def refuse(self, words: str) -> None:
        """Disconnect from a server that cannot be used, for these reasons, and try the next one."""
        self.reconnect.refuse(words)
        self.force_reconnect()

    def reset_backoff(self) -> None:
        """Begin a new round of connection attempts."""
        super().reset_backoff()
        self.reconnect.begin()

    def search(self, searching: bool) -> None:
        """Set whether the right server is still being searched for. If so, a silent server is abandoned sooner."""
        searching = searching and len(self.remotes) > 1
        if self._searching != searching:
            self._searching = searching
            self._apply_probe()

    def set_probe_interval(self, milliseconds: int) -> None:
        """Set the time, in milliseconds, after which a silent connection is probed; 0 disables probes."""
        self._probe = milliseconds
        self._apply_probe()

    def _apply_probe(self) -> None:
        self.reconnect.set_probe_interval(SEARCH_PROBE if self._searching else self._probe)

    def ask(self, method: str, params: list[Any]) -> None:
        """Send a request on a session that has at most one outstanding request."""
        self.send(ovs.jsonrpc.Message.create_request(method, params))

    def answer(self) -> tuple[Any, Any] | None:
        """The reply to :meth:`ask` as (result, error), or None if it has not arrived yet."""
        message = self.recv()
        types = ovs.jsonrpc.Message
        return (message.result, message.error) if message is not None and message.type in (types.T_REPLY, types.T_ERROR) else None

    def recv(self) -> Any:
        """The next message that is not an echo, or None."""
        rpc = self.rpc
        if rpc is None:
            return None
        if rpc is not self._read_from:
            self._read_from, self._framer, self._messages = rpc, Framer(), deque()
        if not self._messages:
            self._read(rpc)
        while self._messages:
            message = ovs.jsonrpc.Message.from_json(self._messages.popleft())
            if not isinstance(message, ovs.jsonrpc.Message):
                rpc.error(errno.EPROTO)
                return None
            if _rpc_vlog.dbg_is_enabled():
                _rpc_vlog.dbg(f"{rpc.name}: received {message}")
            if not self._is_echo(message):
                return message
        return None

    def recv_wait(self, poller: Any) -> None:
        """Wake the poller as soon as there is something to receive."""
        if self._messages and self._read_from is self.rpc:
            poller.immediate_wake()
        elif self.rpc is not None:
            self.rpc.recv_wait(poller)

    def _read(self, rpc: Any) -> None:
        for _attempt in range(READS):
            error, data = rpc.stream.recv(READ_SIZE)
            if error == errno.EAGAIN:
                break
            if error or not data:
                rpc.error(error or _END_OF_FILE)
                break
            rpc.received_bytes += len(data)
            self.reconnect.activity(ovs.timeval.msec())
            try:
                self._messages.extend(self._framer.feed(data))
            except ValueError:
                rpc.error(errno.EPROTO)
                break
        self.reconnect.receive_attempted(ovs.timeval.msec())

    def _is_echo(self, message: Any) -> bool:
        types = ovs.jsonrpc.Message
        if message.type == types.T_REQUEST and message.method == "echo":
            self.send(types.create_reply(message.params, message.id))
            return True
        if message.type == types.T_NOTIFY and message.method == "monitor_canceled":
            self.monitor_canceled = True
        return bool(message.type == types.T_REPLY and message.id == "echo")


class Sink(Protocol):
    """The receiver of monitor updates."""

    def reload(self) -> None:
        """Announce that the next update holds the whole contents of the database."""

    def update(self, tables: Mapping[str, Any], kind: str) -> None:
        """One ``<table-updates>`` object. ``kind`` is update (RFC 7047) or update2 (also used for update3:
        ovsdb-server(7)).
        """


class _Outstanding:
    """The attributes of a transaction object that the library looks at."""

    def __init__(self, done: Reply) -> None:
        self._done = done

    def _process_reply(self, message: Any) -> None:
        if message.type == ovs.jsonrpc.Message.T_ERROR:
            self._done(None, str(message.error))
        else:
            self._done(message.result, None)

    @property
    def _status(self) -> str:
        return ""

    @_status.setter
    def _status(self, _value: str) -> None:
        self._done(None, None)


class Client(_Idl):
    """The protocol machine of one database connection. Updates go to ``sink``."""

    leader_only: bool

    def __init__(
        self,
        session: Session,
        schema: dict[str, Any],
        columns: Mapping[str, tuple[str, ...]],
        sink: Sink,
        leader_only: bool,
        relays: bool = False,
    ) -> None:
        helper = ovs.db.idl.SchemaHelper(None, schema)
        for table, names in columns.items():
            helper.register_columns(table, list(names))
        super().__init__(session.get_name(), helper, leader_only=leader_only)
        self._sink = sink
        #: Whether to accept a relay when only the leader of a cluster was asked for. A relay serves what the leader
        #: has.
        self._relays = relays
        self._session: Any = session  # replaces the library's session, which is not connected yet
        #: The ID of the cluster that the session is connected to, as a set. Empty until a member of a cluster has
        #: answered.
        self._cluster: Any = []

    @property
    def session(self) -> Session:
        """The underlying session."""
        session: Session = self._session
        return session

    @property
    def synced(self) -> bool:
        """Whether the sink has everything that the server had at its last reply."""
        return bool(self.state == _Idl.IDL_S_MONITORING and self._session.is_connected() and self._session.get_seqno() == self._last_seqno)

    @property
    def conditions_pending(self) -> bool:
        """Whether the server has not yet confirmed a change of monitor conditions."""
        states = (table.condition_state for table in self.tables.values())
        return bool(self.cond_changed) or any(state.new is not None or state.requested is not None for state in states)

    @property
    def outstanding(self) -> int:
        """The number of requests without a reply."""
        return len(self._outstanding_txns)

    def run(self) -> Any:
        """Do everything that can be done without waiting."""
        self._session.search(self.state in (_Idl.IDL_S_INITIAL, _Idl.IDL_S_SERVER_SCHEMA_REQUESTED, _Idl.IDL_S_SERVER_MONITOR_REQUESTED))
        return super().run()

    def force_reconnect(self) -> None:
        """Disconnect from this server. Remembers the reason if the server gave one."""
        words = self._shortcoming()
        if words is not None:
            self._session.reconnect.refuse(words)
        super().force_reconnect()

    @property
    def _described(self) -> Any:
        """The row that describes our database in the database ``_Server`` (ovsdb-server(5)). None if the server has not sent one."""
        table = getattr(self, "server_tables", {}).get("Database")
        return next((row for row in table.rows.values() if row.name == self._db.name), None) if table is not None else None

    def _shortcoming(self) -> str | None:
        """Why the server cannot be used, by its own status; None if it can."""
        row = self._described
        if row is None or row.model == "standalone":
            return None
        if not row.connected:
            source = "the server that it relays" if row.model == _RELAY else "the majority of its cluster"
            return f"it is not connected to {source}"
        if row.model == _RELAY:
            return RELAY if self.leader_only and not self._relays else None
        return "it is not the leader of its cluster" if self.leader_only and not row.leader else None

    def request(self, method: str, params: list[Any], done: Reply) -> None:
        """Send a request. ``done`` is called once: with the result, with the error, or with neither if the connection
        ended before the reply.
        """
        message = ovs.jsonrpc.Message.create_request(method, params)
        if self._session.send(message):
            done(None, None)
        else:
            self._outstanding_txns[message.id] = _Outstanding(done)

    def _Idl__check_server_db(self) -> bool:  # noqa: N802 - the library's name
        """Accept a cluster that was created again, empty or from a backup. Its log index restarts, so its members are
        not stale.
        """
        row = self._described
        if row is not None and row.cid and row.cid != self._cluster:
            self._cluster, self._min_index = row.cid, 0
        if row is None or row.model != _RELAY or not self._relays:
            return bool(_Idl._Idl__check_server_db(self))
        leader_only = self.leader_only
        self.leader_only = False
        try:
            return bool(_Idl._Idl__check_server_db(self))
        finally:
            self.leader_only = leader_only

    def _Idl__clear(self) -> None:  # noqa: N802 - the library's name
        self.cond_seqno = 0
        self._sink.reload()

    def _Idl__parse_update(self, update: Any, version: Any, tables: Any = None) -> None:  # noqa: N802 - the library's name
        if tables:
            _Idl._Idl__parse_update(self, update, version, tables)
            return
        self.change_seqno += 1
        try:
            self._sink.update(update, "update" if version == ovs.db.idl.OVSDB_UPDATE else "update2")
        except (KeyError, TypeError, ValueError, AttributeError):
            # The server may no longer have the contents that we hold: request all of them again.
            self.last_id = "00000000-0000-0000-0000-000000000000"
            self.force_reconnect()
