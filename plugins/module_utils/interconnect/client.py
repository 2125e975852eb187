# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The seam to python-ovs: its protocol machine, without its rows.

``ovs.db.idl.Idl`` keeps the session, back-off, TLS, cluster leader, locks, monitors and their resumption. Monitor updates do not become the
library's row objects, they go to a sink as they came; transactions go out as raw operations. Every private name of the library that this
needs stands in ``_PRIVATE`` and is checked when a connection is made.
"""

from __future__ import annotations

import errno
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .wire import Framer

try:
    import ovs.db.idl
    import ovs.jsonrpc
    import ovs.reconnect
    import ovs.timeval
    import ovs.version

    _Idl: Any = ovs.db.idl.Idl
    _JsonRpcSession: Any = ovs.jsonrpc.Session
    IMPORT_ERROR: str | None = None
except ImportError:
    _Idl = _JsonRpcSession = object
    IMPORT_ERROR = traceback.format_exc()

#: The private names of python-ovs that this file stands on, the same in all releases that were tried.
_PRIVATE = ("_Idl__parse_update", "_Idl__clear", "_Idl__txn_abort_all", "_Idl__txn_process_reply")
TRIED = "3.1 to 4.0"

#: What python-ovs calls the end of a stream.
_END_OF_FILE = -1
READ_SIZE = 256 * 1024
#: How many reads before the engine gets its turn.
READS = 64

#: What a transaction calls back with: the result array of the reply, or None where nobody knows what became of it.
Reply = Callable[["list[Any] | None", "str | None"], None]


class LibraryError(Exception):
    """The library ovs is missing or is one that this code does not know."""


def check_library() -> None:
    """Raise LibraryError, one sentence, unless the library ovs is there and has what is needed."""
    if IMPORT_ERROR is not None:
        raise LibraryError("the Python library ovs is missing on this host: install the package python3-openvswitch, or ovs with pip")
    missing = [name for name in _PRIVATE if not hasattr(_Idl, name)]
    if missing:
        raise LibraryError(
            f"the Python library ovs {ovs.version.VERSION} is not known to this collection ({', '.join(missing)} not found in it):"
            f" use one of the releases {TRIED}"
        )


class Session(_JsonRpcSession):
    """A JSON-RPC session that reads in large pieces and parses with the standard library."""

    def __init__(self, reconnect: Any, rpc: Any, remotes: list[str]) -> None:
        super().__init__(reconnect, rpc, remotes)
        self._read_from: Any = None
        self._framer = Framer()
        self._messages: deque[Any] = deque()
        #: Whether the server said that it stopped a monitor because the schema was converted.
        self.monitor_canceled = False

    @classmethod
    def adopt(cls, session: Any) -> Session:
        """The same session, not yet connected, as one of ours."""
        return cls(session.reconnect, None, list(session.remotes))

    @classmethod
    def connect_to(cls, remotes: list[str]) -> Session:
        """A session that connects, and reconnects with back-off, to one of these remotes."""
        return cls.adopt(ovs.jsonrpc.Session.open_multiple(remotes))

    def ask(self, method: str, params: list[Any]) -> None:
        """Send a request of a session that has only one at a time."""
        self.send(ovs.jsonrpc.Message.create_request(method, params))

    def answer(self) -> tuple[Any, Any] | None:
        """The (result, error) of :meth:`ask`, None while it is not there."""
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
    """Where monitor updates go."""

    def reload(self) -> None:
        """The next update is the whole contents."""

    def update(self, tables: Mapping[str, Any], kind: str) -> None:
        """One ``<table-updates>`` object; ``kind`` is update (RFC 7047) or update2 (also of update3: ovsdb-server(7))."""


class _Outstanding:
    """What the library keeps for a transaction, as far as it looks at it."""

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

    def __init__(self, remote: str, schema: dict[str, Any], columns: Mapping[str, tuple[str, ...]], sink: Sink, leader_only: bool) -> None:
        helper = ovs.db.idl.SchemaHelper(None, schema)
        for table, names in columns.items():
            helper.register_columns(table, list(names))
        super().__init__(remote, helper, leader_only=leader_only)
        self._sink = sink
        self._session: Any = Session.adopt(self._session)

    @property
    def session(self) -> Session:
        """The session below."""
        session: Session = self._session
        return session

    @property
    def synced(self) -> bool:
        """Whether the sink has everything that the server had when it answered last."""
        return bool(self.state == _Idl.IDL_S_MONITORING and self._session.is_connected() and self._session.get_seqno() == self._last_seqno)

    @property
    def conditions_pending(self) -> bool:
        """Whether a change of conditions was not yet confirmed by the server."""
        states = (table.condition_state for table in self.tables.values())
        return bool(self.cond_changed) or any(state.new is not None or state.requested is not None for state in states)

    @property
    def outstanding(self) -> int:
        """How many requests wait for their reply."""
        return len(self._outstanding_txns)

    def request(self, method: str, params: list[Any], done: Reply) -> None:
        """Send a request; ``done`` is called once, with the result, the error, or with neither when the connection went before it came."""
        message = ovs.jsonrpc.Message.create_request(method, params)
        if self._session.send(message):
            done(None, None)
        else:
            self._outstanding_txns[message.id] = _Outstanding(done)

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
            # What we hold may no longer be what the server has: get all of it anew.
            self.last_id = "00000000-0000-0000-0000-000000000000"
            self.force_reconnect()
