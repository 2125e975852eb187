# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resolves host names of servers without blocking.

The library resolves a name in the call that connects, which blocks the whole process while a name server does not
answer, and it treats every name as one with an IPv6 address. Here a thread resolves the name, and the connection uses
the resulting address, as upstream's daemon does (ovsdb(7), "Connection Methods": a host may be a name).
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from typing import Any

try:
    import ovs.poller
    import ovs.socket_util
    import ovs.stream

    _TCPStream: Any = ovs.stream.TCPStream
except ImportError:  # client.check_library reports this
    _TCPStream = object

#: Seconds after which an address is resolved again. A failure is shared only by connections that begin at the same
#: time.
LIFE, FAILED_LIFE = 10.0, 1.0
_METHODS = ("tcp", "ssl")
_SILENT = "no name server answers"

#: A socket's family and address.
Address = tuple[int, Any]


class Lookup:
    """One query to the system's resolver."""

    def __init__(self, host: str, port: int) -> None:
        self._addresses: list[Address] = []
        self._failure = _SILENT
        self._preferred = 0
        self._ended: float | None = None
        self._read, write = socket.socketpair()
        threading.Thread(target=self._ask, args=(host, port, write), name=f"resolve {host}", daemon=True).start()

    def _ask(self, host: str, port: int, write: socket.socket) -> None:
        with write:  # closing it wakes the poller
            try:
                found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                self._addresses = [(family, address) for family, _type, _protocol, _name, address in found]
            except socket.gaierror as error:
                self._failure = _SILENT if error.errno == socket.EAI_AGAIN else str(error.strerror)
            except (OSError, UnicodeError) as error:
                self._failure = str(error)
            self._ended = time.monotonic()

    @property
    def done(self) -> bool:
        """Whether the query has ended."""
        if self._ended is None:
            return False
        self._read.close()
        return True

    @property
    def fresh(self) -> bool:
        """Whether the answer is recent enough to use."""
        return self._ended is None or time.monotonic() - self._ended < (LIFE if self._addresses else FAILED_LIFE)

    @property
    def address(self) -> Address | None:
        """The address to connect to, None if there is none."""
        return self._addresses[self._preferred % len(self._addresses)] if self._addresses else None

    @property
    def failure(self) -> str | None:
        """The reason why the lookup returned no address, as a sentence about the server. None if it returned one."""
        return None if self._addresses else f"the name of its host cannot be resolved ({self._failure})"

    def prefer(self, number: int) -> None:
        """Make the next connection use the address with this number, modulo the number of addresses."""
        self._preferred = number

    def wait(self, poller: Any) -> None:
        """Wake a poller when there is an answer."""
        if self.done:
            poller.immediate_wake()
        else:
            poller.fd_wait(self._read.fileno(), ovs.poller.POLLIN)


#: The last lookup by HOST:PORT. It is shared by the process, because the library opens streams without naming their
#: owner.
_lookups: dict[str, Lookup] = {}


def look_up(server: str) -> Lookup | None:
    """The lookup that a connection to a server (``tcp:HOST:PORT``, ``ssl:…``) has to wait for. None if the host is not
    a name.
    """
    method, _colon, target = server.partition(":")
    if method not in _METHODS or _literal(target) is not None:
        return None
    lookup = _lookups.get(target)
    if lookup is None or not lookup.fresh:
        lookup = _lookups[target] = Lookup(*parse(target))
    return lookup


def parse(target: str) -> tuple[str, int]:
    """The host and the port of ``HOST:PORT``; an IPv6 address may be in brackets. Raises ValueError with a one-sentence
    message.
    """
    host, colon, port = target.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not host:
        raise ValueError(f"{target!r} is not in the form HOST:PORT")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16):
        raise ValueError(f"{port!r} is not a valid port: use a number from 1 to 65535")
    return host, int(port)


def check(server: str) -> None:
    """Raise ValueError with a one-sentence message if a server with ``tcp:`` or ``ssl:`` has no host and port."""
    method, _colon, target = server.partition(":")
    if method in _METHODS:
        parse(target)


def _literal(target: str) -> Address | None:
    host, port = parse(target)
    try:
        family, _type, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0]
    except (OSError, UnicodeError):
        return None
    return family, address


def address_of(target: str) -> Address | None:
    """The address for a connection to ``HOST:PORT``, None while no address is known."""
    literal = _literal(target)
    if literal is not None:
        return literal
    lookup = _lookups.get(target)
    return lookup.address if lookup is not None else None


class TcpStream(_TCPStream):
    """The library's stream for ``tcp:``, to a resolved address."""

    @staticmethod
    def _open(suffix: str, dscp: int) -> tuple[int, Any]:
        """Begin a connection: (0, socket), or (errno, None)."""
        address = address_of(suffix)
        if address is None:
            return errno.EDESTADDRREQ, None
        try:
            return connect(socket.socket(address[0], socket.SOCK_STREAM), address, dscp)
        except OSError as error:
            return error.errno or errno.EPROTO, None


def connect(unconnected: Any, address: Address, dscp: int) -> tuple[int, Any]:
    """Begin to connect a socket: (0, socket), or (errno, None) after closing it."""
    family, place = address
    unconnected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    error = ovs.socket_util.inet_connect_active(unconnected, place, family, dscp)
    return (error, None) if error else (0, unconnected)


def register() -> None:
    """Use this class for ``tcp:`` streams in the whole process."""
    ovs.stream.Stream.register_method("tcp", TcpStream)
