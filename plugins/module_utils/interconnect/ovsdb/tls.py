# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS streams for python-ovs that report failures as connection errors.

The library lets some failures escape as exceptions (a missing file, an untrusted certificate), which would end the
process. During the handshake it waits for the wrong event and uses a whole core. It restarts the handshake before each
send and receive, which fails after the server has closed the connection, and it mistakes the TLS library's error
numbers for errno values. It also cannot select protocols, ciphers or a server name. This module therefore creates its
own contexts. The identity's files are read again for each connection, so that renewed files take effect with the next
connection (spec status-F.1).
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from . import resolve

try:
    import ovs.poller
    import ovs.stream
    import ovs.vlog

    _SSLStream: Any = ovs.stream.SSLStream
    _vlog: Any = ovs.vlog.Vlog("stream_ssl")
except ImportError:  # client.check_library reports this
    _SSLStream = object
    _vlog = None


#: The names of protocol versions in OVS, in ascending order.
_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


class Socket(ssl.SSLSocket):
    """A socket whose handshake reads the server's last message, where Python would only report a closed connection."""

    def do_handshake(self, block: bool = False) -> None:
        """Continue the handshake. The stream has already checked that the socket is connected."""
        self._connected = True
        super().do_handshake(block)


class Handshake(NamedTuple):
    """The TLS parameters of connections. An unset parameter has OVS' default, or the TLS library's if OVS has none."""

    lowest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    highest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED
    #: For versions up to TLS 1.2, in the format of openssl-ciphers(1).
    ciphers: str | None = None
    #: For TLS 1.3 and later.
    suites: str | None = None
    #: The server name to send (SNI).
    server_name: str | None = None
    #: Whether the server needs a certificate signed by the CA.
    verify: bool = True

    @classmethod
    def read(cls, protocols: str | None, ciphers: str | None, suites: str | None, server_name: str | None) -> Handshake:
        """Parse OVS' options of these names. Raises ValueError, with a one-sentence message without the option's name,
        if they are invalid.
        """
        asked = cls(*_versions(protocols)) if protocols else cls()
        asked = asked._replace(ciphers=ciphers or None, suites=suites or None, server_name=server_name or None)
        asked.context()
        return asked

    def context(self) -> ssl.SSLContext:
        """A context for one connection. Any certificate of the CA is accepted for a server, as everywhere in OVS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.sslsocket_class = Socket
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED if self.verify else ssl.CERT_NONE
        context.minimum_version, context.maximum_version = self.lowest, self.highest
        if self.ciphers is not None:
            try:
                context.set_ciphers(self.ciphers)
            except ssl.SSLError:
                raise ValueError(f"the TLS library does not support any cipher of {self.ciphers}") from None
        if self.suites is not None:
            _choose_suites(context, self.suites)
        return context


def _versions(text: str) -> tuple[ssl.TLSVersion, ssl.TLSVersion]:
    """The lowest and the highest version in a list, or in a range such as ``TLSv1.2-TLSv1.3`` or ``TLSv1.2+``."""
    words = text.replace(",", " ").replace("-", " ").split()
    versions = [_VERSIONS.get(word[:-1] if word.endswith("+") else word) for word in words]
    found = [version for version in versions if version is not None]
    if not found or len(found) < len(words):
        raise ValueError(f"{text!r} is not a list or range of {', '.join(_VERSIONS)}")
    return min(found), ssl.TLSVersion.MAXIMUM_SUPPORTED if text.endswith("+") else max(found)


def _choose_suites(context: ssl.SSLContext, suites: str) -> None:
    choose = getattr(context, "set_ciphersuites", None)
    if choose is None:
        raise ValueError(
            "Python before 3.15 cannot select TLS 1.3 cipher suites: remove the option, or disable TLS 1.3 with --ssl-protocols=TLSv1.2"
        )
    try:
        choose(suites)
    except ssl.SSLError:
        raise ValueError(f"the TLS library does not support all of the suites {suites}") from None


class TlsStream(_SSLStream):
    """One TLS connection. Methods return errno values, like those of the library's streams."""

    #: The parameters of all connections of the process.
    handshake: ClassVar[Handshake] = Handshake()
    #: The files of the process' identity, for messages.
    files: ClassVar[tuple[str, ...]] = ()
    #: Why the last attempt to connect to each server failed, in the words of the TLS library.
    failures: ClassVar[dict[str, str]] = {}
    #: The poller event that the handshake waits for, None while it is not running.
    _handshake: int | None = None
    #: Whether the handshake is complete on our side. In TLS 1.3 the server may still reject our certificate then (RFC
    #: 8446, 4.4.2.4).
    _agreed = False

    @staticmethod
    def _open(suffix: str, dscp: int) -> Any:
        try:
            return _connect(suffix, dscp, TlsStream.handshake)
        except (OSError, TypeError, ValueError) as error:
            TlsStream.failures[f"ssl:{suffix}"] = f"no TLS connection with {', '.join(TlsStream.files) or 'no files'}: {error}"
            _vlog.warn(f"ssl:{suffix}: {TlsStream.failures[f'ssl:{suffix}']}")
            return errno.EPROTO, None

    @staticmethod
    def check_connection_completion(sock: Any) -> int:
        """0 once there is a TCP connection. The library would treat a refused connection as the end of a TLS
        connection.
        """
        error: int = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not error:
            error = _SSLStream.check_connection_completion(sock)
        return error

    def connect(self) -> int:
        """Continue the connection and handshake: 0 when both are complete, errno.EAGAIN until then."""
        error: int = ovs.stream.Stream.connect(self)
        if error or self._agreed:
            return error
        self._handshake = None
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self._handshake = ovs.poller.POLLIN
        except ssl.SSLWantWriteError:
            self._handshake = ovs.poller.POLLOUT
        except OSError as failure:
            return self._fail(failure)
        if self._handshake is not None:
            return errno.EAGAIN
        self._agreed = True
        TlsStream.failures.pop(self.name, None)
        return 0

    def connect_wait(self, poller: Any) -> None:
        """Wake a poller when :meth:`connect` can continue."""
        if self._handshake is None:
            super().connect_wait(poller)
        else:
            poller.fd_wait(self.socket, self._handshake)

    def recv(self, size: int) -> tuple[int, bytes]:
        """(0, the available bytes), (0, nothing) at the end of the connection, or (errno, nothing)."""
        error = self.connect()
        if error:
            return error, b""
        try:
            return 0, self.socket.recv(size)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return errno.EAGAIN, b""
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return 0, b""
        except ssl.SSLError as failure:
            return self._fail(failure), b""
        except OSError as failure:
            return failure.errno or errno.EPROTO, b""

    def send(self, data: str | bytes) -> int:
        """The number of bytes sent, or -errno."""
        error = self.connect()
        if error:
            return -error
        try:
            sent: int = self.socket.send(data.encode() if isinstance(data, str) else data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return -errno.EAGAIN
        except OSError:
            error, _data = self.recv(1)  # a server that rejects us has sent its reason before it closed the connection
            return -(errno.EPIPE if error in (0, errno.EAGAIN) else error)
        return sent

    def _fail(self, failure: OSError) -> int:
        """Remember why the TLS library failed."""
        TlsStream.failures[self.name] = f"no TLS connection: {failure}"
        _vlog.warn(f"{self.name}: {TlsStream.failures[self.name]}")
        return errno.EPROTO


def _connect(suffix: str, dscp: int, handshake: Handshake) -> tuple[int, ssl.SSLSocket | None]:
    """Begin a connection to ``HOST:PORT``: (0, socket), or (errno, None). The handshake follows later."""
    stream: Any = ovs.stream.Stream
    context = handshake.context()
    if handshake.verify:
        context.load_verify_locations(stream._SSL_ca_cert_file)
    context.load_cert_chain(stream._SSL_certificate_file, stream._SSL_private_key_file)
    address = resolve.address_of(suffix)
    if address is None:
        return errno.EDESTADDRREQ, None
    plain = socket.socket(address[0], socket.SOCK_STREAM)
    wrapped = context.wrap_socket(plain, do_handshake_on_connect=False, server_hostname=handshake.server_name)
    return resolve.connect(wrapped, address, dscp)


def choose(handshake: Handshake) -> None:
    """Use these parameters for all later connections of the process."""
    if not handshake.verify:
        _vlog.warn("Peer certificate validation disabled (this is a security risk)")
    TlsStream.handshake = handshake


def register(files: Iterable[str]) -> None:
    """Use this class for ``ssl:`` streams in the whole process. ``files`` are those of its identity, for messages."""
    TlsStream.files = tuple(files)
    ovs.stream.Stream.register_method("ssl", TlsStream)
