# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the servers of a cluster are tried, by a clock of the test's own."""

from __future__ import annotations

import errno

import ovs.reconnect
import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.server_rotation import SETTLED, ServerRotation, split
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.tls import TlsStream

SERVERS = ["tcp:127.0.0.1:1", "tcp:127.0.0.2:1", "tcp:127.0.0.3:1"]


class Clock:
    """A server rotation, and what the library's session would do with it."""

    def __init__(self, servers: list[str] = SERVERS) -> None:
        self.now = 1000
        self.servers = servers
        self.said: dict[str, str] = {}
        self.search = ServerRotation(self.now, servers, self.said)
        self.search.set_name(servers[0])
        self.search.enable(self.now)
        self.waits: list[int] = []

    def attempt(self) -> None:
        """Wait as long as the rotation wants, then begin an attempt."""
        wait = self.search.timeout(self.now)
        assert wait is not None
        self.waits.append(wait)
        self.now += wait
        assert self.search.run(self.now) == ovs.reconnect.CONNECT
        self.search.connecting(self.now)

    def ended(self) -> None:
        """The next server's turn."""
        self.search.set_name(self.servers[(self.servers.index(self.search.get_name()) + 1) % len(self.servers)])

    def fail(self, error: int = errno.ECONNREFUSED) -> None:
        """An attempt at a server that is not there."""
        self.attempt()
        self.search.connect_failed(self.now, error)
        self.ended()

    def follow(self) -> None:
        """An attempt at a server that is not the leader."""
        self.attempt()
        self.search.connected(self.now)
        self.search.refuse("it is not the leader")
        self.search.force_reconnect(self.now)
        self.search.disconnected(self.now, 0)
        self.ended()


def test_a_round_costs_no_wait_and_an_election_one_second() -> None:
    clock = Clock()
    for _attempt in range(9):
        clock.follow()
    assert clock.waits == [0, 0, 0, 1000, 0, 0, 1000, 0, 0]
    assert clock.said == dict.fromkeys(SERVERS, "it is not the leader")


def test_a_server_that_comes_back_is_found_within_a_second() -> None:
    clock = Clock()
    for _attempt in range(13):
        clock.fail()
    assert clock.waits[::3] == [0, 1000, 1000, 1000, 1000]
    assert set(clock.waits[1::3] + clock.waits[2::3]) == {0}
    clock.follow()
    clock.fail()
    clock.attempt()
    assert clock.waits[-3:] == [0, 0, 1000], "one that answers is enough to look again soon"


@pytest.mark.parametrize("lived", [0, SETTLED])
def test_a_connection_that_ends(lived: int) -> None:
    clock = Clock()
    clock.fail()
    clock.fail()
    clock.attempt()
    clock.search.connected(clock.now)
    clock.now += lived
    clock.search.disconnected(clock.now, -1)
    clock.ended()
    clock.attempt()
    assert clock.waits == [0, 0, 0, 0 if lived else 1000], "only one that lived is followed at once"
    assert clock.said[SERVERS[2]] == "it closed the connection"


def test_a_single_server_that_comes_back_is_found_within_a_second() -> None:
    clock = Clock(SERVERS[:1])
    for _attempt in range(5):
        clock.fail()
    assert clock.waits == [0, 1000, 1000, 1000, 1000]


def test_a_single_member_that_does_not_lead_yet_is_asked_again_within_a_second() -> None:
    clock = Clock(SERVERS[:1])
    for _attempt in range(5):
        clock.follow()
    assert clock.waits == [0, 1000, 1000, 1000, 1000]


def test_the_waits_grow_where_somebody_has_to_act_first() -> None:
    clock = Clock(SERVERS[:1])
    for _attempt in range(5):
        clock.fail(errno.EACCES)
    assert clock.waits == [0, 1000, 2000, 4000, 8000]


def test_an_attempt_may_take_longer_each_time() -> None:
    clock = Clock(SERVERS[:1])
    for _attempt in range(4):
        clock.fail(errno.ETIMEDOUT)
    clock.attempt()
    assert clock.search.timeout(clock.now) == 8000, "a slow TLS handshake must have the time to succeed"


def test_what_servers_said() -> None:
    clock = Clock()
    clock.fail()
    clock.fail(0)
    clock.attempt()
    clock.search.connected(clock.now)
    assert list(clock.said.values()) == ["Connection refused", "it does not answer", "it accepts connections but does not answer"]
    clock.search.activity(clock.now)
    clock.search.disconnected(clock.now, errno.ECONNRESET)
    assert clock.said[SERVERS[2]] == "it closed the connection (Connection reset by peer)"


@pytest.mark.parametrize(
    "failures, words", [({}, "it closed the connection (Protocol error)"), ({SERVERS[0]: "no TLS connection"}, "no TLS connection")]
)
def test_a_server_that_refuses_a_connection_of_ours(monkeypatch: pytest.MonkeyPatch, failures: dict[str, str], words: str) -> None:
    monkeypatch.setattr(TlsStream, "failures", failures)
    clock = Clock()
    clock.attempt()
    clock.search.connected(clock.now)
    clock.search.disconnected(clock.now, errno.EPROTO)
    assert clock.said == {SERVERS[0]: words}


@pytest.mark.parametrize(
    "remote, servers",
    [
        ("unix:/a", ["unix:/a"]),
        ("tcp:1.2.3.4:1,tcp:[::1]:2", ["tcp:1.2.3.4:1", "tcp:[::1]:2"]),
        ("unix:/a,b,tcp:c:1", ["unix:/a,b", "tcp:c:1"]),
        ("tcp:a:1, tcp:b:1", ["tcp:a:1", "tcp:b:1"]),
    ],
)
def test_a_remote_may_list_servers(remote: str, servers: list[str]) -> None:
    assert split(remote) == servers
