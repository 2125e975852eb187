# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS connections of python-ovs whose failures are failures of one connection.

The library lets some of them out as exceptions (a missing file, a certificate that is not trusted), which would end the process; and
while the server owes its part of the handshake it waits for the wrong event, at the price of a whole core. It reads the files of the
identity anew for each connection, so that renewed ones take effect with the next (spec status-and-daemon F.1).
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterable
from typing import Any, ClassVar

try:
    import ovs.poller
    import ovs.stream
    import ovs.vlog

    _SSLStream: Any = ovs.stream.SSLStream
    _vlog: Any = ovs.vlog.Vlog("stream_ssl")
except ImportError:  # client.check_library says so
    _SSLStream = object
    _vlog = None


class TlsStream(_SSLStream):
    """One TLS connection; methods return errno values as those of the library's streams do."""

    #: The files of the process' identity, for messages.
    files: ClassVar[tuple[str, ...]] = ()
    #: Why the last attempt at each server failed, in the words of the TLS library.
    failures: ClassVar[dict[str, str]] = {}
    #: What the handshake waits for (a poller's event), None while it does not run.
    _handshake: int | None = None

    @staticmethod
    def _open(suffix: str, dscp: int) -> Any:
        try:
            return _SSLStream._open(suffix, dscp)
        except (OSError, TypeError, ValueError) as error:
            TlsStream.failures[f"ssl:{suffix}"] = f"no TLS connection with {', '.join(TlsStream.files) or 'no files'}: {error}"
            _vlog.warn(f"ssl:{suffix}: {TlsStream.failures[f'ssl:{suffix}']}")
            return errno.EPROTO, None

    @staticmethod
    def check_connection_completion(sock: Any) -> int:
        """0 once there is a TCP connection; the library would take a refused one for the end of a TLS connection."""
        error: int = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not error:
            error = _SSLStream.check_connection_completion(sock)
        return error

    def connect(self) -> int:
        """Go on with connection and handshake: 0 when both are done, errno.EAGAIN while they are not."""
        error: int = ovs.stream.Stream.connect(self)
        if error:
            return error
        self._handshake = None
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self._handshake = ovs.poller.POLLIN
        except ssl.SSLWantWriteError:
            self._handshake = ovs.poller.POLLOUT
        except OSError as failure:
            TlsStream.failures[self.name] = f"no TLS connection: {failure}"
            _vlog.warn(f"{self.name}: {TlsStream.failures[self.name]}")
            return errno.EPROTO
        return 0 if self._handshake is None else errno.EAGAIN

    def connect_wait(self, poller: Any) -> None:
        """Let a poller wake up when :meth:`connect` can go on."""
        if self._handshake is None:
            super().connect_wait(poller)
        else:
            poller.fd_wait(self.socket, self._handshake)


def register(files: Iterable[str]) -> None:
    """Make this the kind of stream behind ``ssl:``, for the whole process; ``files`` are those of its identity, for messages."""
    TlsStream.files = tuple(files)
    ovs.stream.Stream.register_method("ssl", TlsStream)
