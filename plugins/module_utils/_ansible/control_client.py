# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control socket of a server, which ``ovn-appctl`` uses, with a limit for each wait."""

from __future__ import annotations

import errno
import os
from typing import Any

from ..interconnect.operations.errors import ModuleError
from ..interconnect.ovsdb.client import check_library
from ..interconnect.ovsdb.server_rotation import FORBIDDEN
from .session import wait_for


class RefusedError(Exception):
    """The server answered a command with an error; the text is the server's."""


class ControlSocket:
    """One server's control socket, by its path. ``seconds`` limits the wait for each answer."""

    def __init__(self, path: str, seconds: float) -> None:
        check_library()
        self.path = path
        self._seconds = seconds

    def call(self, command: str, *arguments: str) -> str:
        """The answer to a command. Raises RefusedError if the server rejects it, ModuleError if no answer arrives in
        time.
        """
        from ovs.jsonrpc import Connection, Message
        from ovs.stream import Stream

        error, stream = Stream.open_block(Stream.open("unix:" + self.path), int(self._seconds * 1000))
        if error or stream is None:
            raise self._silent(os.strerror(error))
        connection = Connection(stream)
        try:
            connection.send(Message.create_request(command, list(arguments)))
            answer = _Answer(connection)
            if not wait_for([answer], lambda: answer.arrived, self._seconds):
                raise self._silent(f"no answer within {self._seconds:g} s")
        finally:
            connection.close()
        if answer.error:
            raise self._silent(os.strerror(answer.error) if answer.error > 0 else "it closed the connection")
        if answer.message.error is not None:
            raise RefusedError(str(answer.message.error).strip())
        return str(answer.message.result or "")

    def _silent(self, words: str) -> ModuleError:
        if words == FORBIDDEN:
            return ModuleError(
                f"the user with the id {os.geteuid()} may not open the control socket {self.path}; run the task "
                "with become, or as a user in the group of the socket"
            )
        return ModuleError(
            f"the server at the control socket {self.path} does not answer ({words});"
            " check that its ovsdb-server runs on this host, and that control_socket names its socket"
        )


class _Answer:
    """Waits for the reply on a connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.message: Any = None
        self.error = 0

    @property
    def arrived(self) -> bool:
        return self.message is not None or self.error != 0

    def run(self) -> None:
        """Read what has arrived."""
        self._connection.run()
        error, message = self._connection.recv()
        if message is not None:
            self.message = message
        elif error not in (0, errno.EAGAIN):
            self.error = error

    def wait(self, poller: Any) -> None:
        """Wake up when more has arrived."""
        self._connection.wait(poller)
        self._connection.recv_wait(poller)
