# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that one client hears of late: a way to it that can be held."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path


class Relay:
    """Listens beside a server's socket and passes on what both sides say, the server's words only while they are not held."""

    def __init__(self, server: Path) -> None:
        self.socket = server.with_suffix(".relay")
        self._server = server
        self._passing = threading.Event()
        self._passing.set()
        self._ends: list[socket.socket] = []
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self.socket))
        self._listening.listen()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._passing.set()
        for end in (self._listening, *self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join()

    def hold(self) -> None:
        """Keep back what the server says from now on."""
        self._passing.clear()

    def release(self) -> None:
        """Pass it all on."""
        self._passing.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server))
            self._ends += [client, server]
            for source, target, held in ((client, server, False), (server, client, True)):
                self._threads.append(threading.Thread(target=self._pass_on, args=(source, target, held)))
                self._threads[-1].start()

    def _pass_on(self, source: socket.socket, target: socket.socket, held: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if held:
                    self._passing.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
