# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host names, with a resolver of the test's own."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from typing import Any

import ovs.poller
import ovs.reconnect
import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb import resolve, server_rotation

NAME = "tcp:ic.test:6646"
PLACES = [(socket.AF_INET6, ("::1", 6646, 0, 0)), (socket.AF_INET, ("127.0.0.1", 6646))]


class Resolver:
    """The system's, which answers when it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.asked: list[str] = []
        self.failure: Exception | None = None
        self._system = socket.getaddrinfo

    def __call__(self, host: str, port: int, **kwargs: Any) -> list[Any]:
        if kwargs.get("flags"):
            return self._system(host, port, **kwargs)
        self.asked.append(host)
        self.may.wait()
        if self.failure is not None:
            raise self.failure
        return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in PLACES]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    made = Resolver()
    monkeypatch.setattr(resolve.socket, "getaddrinfo", made)
    monkeypatch.setattr(resolve, "_lookups", {})
    yield made
    made.may.set()


def answered(server: str = NAME) -> resolve.Lookup:
    """A lookup whose answer is there."""
    lookup = resolve.look_up(server)
    assert lookup is not None
    while not lookup.done:
        poller = ovs.poller.Poller()
        lookup.wait(poller)
        poller.block()
    return lookup


@pytest.mark.parametrize("server", ["unix:/a", "tcp:127.0.0.1:1", "tcp:[::1]:1", "ssl:::1:1"])
def test_an_address_is_not_looked_up(resolver: Resolver, server: str) -> None:
    assert resolve.look_up(server) is None
    assert resolver.asked == []


def test_a_name_is_asked_for_once_and_then_again_when_it_is_old(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    first = resolve.look_up(NAME)
    assert first is resolve.look_up("ssl:ic.test:6646")
    assert resolve.address_of("ic.test:6646") is None
    resolver.may.set()
    assert answered() is first
    assert resolve.address_of("ic.test:6646") == PLACES[0]
    monkeypatch.setattr(resolve, "LIFE", 0.0)
    assert answered() is not first
    assert resolver.asked == ["ic.test"] * 2


@pytest.mark.parametrize(
    "failure, words",
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "no name server answers"),
        (UnicodeError("label empty or too long"), "label empty or too long"),
    ],
)
def test_a_name_that_is_not_found(resolver: Resolver, failure: Exception, words: str) -> None:
    resolver.failure = failure
    resolver.may.set()
    assert answered().failure == f"the name of its host cannot be resolved ({words})"


def test_an_attempt_waits_for_the_name_but_not_for_ever(resolver: Resolver) -> None:
    said: dict[str, str] = {}
    attempt = server_rotation.ServerRotation(0, [NAME], said)
    attempt.set_name(NAME)
    attempt.enable(0)
    assert attempt.run(0) is None
    assert attempt.run(server_rotation.RESOLVING - 1) is None
    assert attempt.run(server_rotation.RESOLVING) == ovs.reconnect.CONNECT
    attempt.connect_failed(server_rotation.RESOLVING, errno.EDESTADDRREQ)
    assert said == {NAME: "the name of its host cannot be resolved (no name server answers)"}
    resolver.may.set()
    answered()
    assert attempt.run(10_000) == ovs.reconnect.CONNECT


def test_where_one_address_fails_the_next_is_tried(resolver: Resolver) -> None:
    resolver.may.set()
    attempt = server_rotation.ServerRotation(0, [NAME], {})
    attempt.set_name(NAME)
    attempt.enable(0)
    tried = []
    for now in (0, 10_000, 20_000):
        answered()
        assert attempt.run(now) == ovs.reconnect.CONNECT
        tried.append(resolve.address_of("ic.test:6646"))
        attempt.connect_failed(now, errno.ECONNREFUSED)
    assert tried == [PLACES[0], PLACES[1], PLACES[0]]


@pytest.mark.parametrize("target", ["1.2.3.4", "127.0.0.1:port", "127.0.0.1:99999999", ":6641", "[]:1", "a:0", "a:-1", "a:", "a:²"])
def test_what_is_no_host_and_port(target: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        resolve.parse(target)


@pytest.mark.parametrize("target, found", [("a.b:1", ("a.b", 1)), ("[::1]:65535", ("::1", 65535)), ("::1:2", ("::1", 2))])
def test_hosts_and_ports(target: str, found: tuple[str, int]) -> None:
    assert resolve.parse(target) == found
