# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures of TLS connections stay failures of one connection."""

from __future__ import annotations

import errno
import select
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ovs.poller
import ovs.stream
import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.replica import Tls
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.tls import Handshake, TlsStream
from ansible_collections.ovn.interconnect.tests.support.identity import Authority


class Waits:
    """A poller that only notes what it is asked to wait for."""

    def __init__(self) -> None:
        self.events: list[int] = []

    def fd_wait(self, _descriptor: Any, events: int) -> None:
        self.events.append(events)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whom both ends trust."""
    return Authority(tmp_path)


@pytest.fixture
def ends(authority: Authority) -> Iterator[tuple[Any, socket.socket]]:
    """A stream without a certificate whose handshake has not begun, and the server's end of it."""
    near, far = socket.socketpair()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(authority.certificate)
    near.setblocking(False)
    stream = TlsStream(context.wrap_socket(near, do_handshake_on_connect=False), "ssl:test", 0)
    yield stream, far
    stream.close()
    far.close()


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the library's process-wide settings back afterwards."""
    monkeypatch.setattr(ovs.stream.Stream, "_SOCKET_METHODS", dict(ovs.stream.Stream._SOCKET_METHODS))
    for name in ("_SSL_private_key_file", "_SSL_certificate_file", "_SSL_ca_cert_file"):
        monkeypatch.setattr(ovs.stream.Stream, name, None)


def test_a_handshake_waits_for_the_server_and_not_in_a_circle(ends: tuple[Any, socket.socket]) -> None:
    stream, _far = ends
    waits = Waits()
    assert stream.connect() == errno.EAGAIN
    stream.connect_wait(waits)
    assert waits.events == [ovs.poller.POLLIN]


def test_a_server_that_speaks_no_tls(ends: tuple[Any, socket.socket]) -> None:
    stream, far = ends
    assert stream.connect() == errno.EAGAIN
    far.sendall(b'{"method": "echo"}')
    select.select([stream.socket], [], [])
    assert stream.connect() == errno.EPROTO


def test_a_server_that_is_not_there() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
    with context.wrap_socket(socket.socket(), do_handshake_on_connect=False) as near:
        near.setblocking(False)
        assert near.connect_ex(address) == errno.EINPROGRESS
        select.select([], [near], [])
        assert TlsStream.check_connection_completion(near) == errno.ECONNREFUSED


def test_the_last_words_of_a_server_that_is_gone_already(authority: Authority) -> None:
    """It closes with our words unread, so the connection is reset, and its alert (RFC 8446, 6) is all there is."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        context = Handshake().context()
        context.load_verify_locations(authority.certificate)
        near = context.wrap_socket(socket.socket(), do_handshake_on_connect=False)
        near.setblocking(False)
        assert near.connect_ex(server.getsockname()) == errno.EINPROGRESS
        select.select([], [near], [])
        stream = TlsStream(near, "ssl:gone", errno.EAGAIN)
        far, _address = server.accept()
        assert stream.connect() == errno.EAGAIN
        select.select([far], [], [])
        far.sendall(bytes([21, 3, 3, 0, 2, 2, 40]))
        far.close()
        assert stream.connect() == errno.EPROTO
        stream.close()
    assert " alert " in TlsStream.failures["ssl:gone"]


def refuse(ends: tuple[Any, socket.socket], authority: Authority, directory: Path) -> Any:
    """The stream of a connection whose server has refused our certificate when the handshake was over for us, and closed it."""
    stream, far = ends
    context, server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), authority.issue(directory, "server")
    context.load_cert_chain(server.certificate, server.key)
    context.load_verify_locations(authority.certificate)
    context.verify_mode, context.minimum_version = ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_3
    far.setblocking(False)
    with context.wrap_socket(far, server_side=True, do_handshake_on_connect=False) as other:
        assert stream.connect() == errno.EAGAIN
        with pytest.raises(ssl.SSLWantReadError):
            other.do_handshake()
        assert stream.connect() == 0
        with pytest.raises(ssl.SSLError):
            other.do_handshake()
    return stream


def test_a_server_that_refuses_us_when_the_handshake_is_over(ends: tuple[Any, socket.socket], authority: Authority, tmp_path: Path) -> None:
    stream = refuse(ends, authority, tmp_path)
    assert stream.recv(1) == (errno.EPROTO, b"")
    assert "no TLS connection: " in TlsStream.failures[stream.name]
    assert " alert " in TlsStream.failures[stream.name]


def test_its_words_are_read_when_sending_fails(ends: tuple[Any, socket.socket], authority: Authority, tmp_path: Path) -> None:
    stream = refuse(ends, authority, tmp_path)
    assert stream.send("{}") == -errno.EPROTO
    assert " alert " in TlsStream.failures[stream.name]
    assert stream.recv(1) == (0, b"")
    assert stream.send("{}") == -errno.EPIPE


@pytest.mark.usefixtures("library")
def test_files_that_are_not_there() -> None:
    Tls("/nowhere/key", "/nowhere/certificate", "/nowhere/ca").apply()
    with socket.create_server(("127.0.0.1", 0)) as server:
        name = f"ssl:127.0.0.1:{server.getsockname()[1]}"
        assert ovs.stream.Stream.open(name) == (errno.EPROTO, None)
