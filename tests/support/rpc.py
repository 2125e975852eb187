# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON-RPC over a unix socket: for control sockets, and for messages that no OVSDB client library sends. All else uses `ovsdb`."""

from __future__ import annotations

import json
import os
import selectors
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Union

PATIENCE = float(os.environ.get("OVN_IC_TEST_PATIENCE") or 20)
"""Seconds after which a wait gives up; no test passes or fails by how fast something is below it."""

Json = Union[None, bool, int, float, str, list["Json"], dict[str, "Json"]]

_DECODER = json.JSONDecoder()


class RpcError(Exception):
    """The other side answered a request with an error, or went away."""


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
