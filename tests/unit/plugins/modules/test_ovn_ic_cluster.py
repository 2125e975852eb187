# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps in a cluster, as far as they are decided without a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible import cluster
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.arguments import connection_spec
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.control_client import RefusedError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_cluster as module


class FakeServer:
    """Stands in for a control socket: three members, this one the leader, and what was asked of it."""

    def __init__(self) -> None:
        self.timer = 1000
        self.role, self.leader = "leader", "self"
        self.members = {"a": "tcp:192.0.2.1:6648", "b": "tcp:192.0.2.2:6648", "c": "tcp:[2001:db8::3]:6648"}
        self.silent: set[str] = set()
        self.asked: list[tuple[str, ...]] = []

    def call(self, command: str, _database: str, *arguments: str) -> str:
        if not self.members:
            raise RefusedError("unknown cluster")
        if command == "cluster/status":
            return self.status()
        self.asked.append((command, *arguments))
        if command == "cluster/change-election-timer":
            assert int(arguments[0]) <= 2 * self.timer
            self.timer = int(arguments[0])
        elif command == "cluster/kick":
            self.members = {nick: address for nick, address in self.members.items() if address != arguments[0]}
        elif command == "cluster/leave":
            self.members = {}
        return ""

    def status(self) -> str:
        links = " ".join(f"(->{nick})" if nick in self.silent else f"->{nick} <-{nick}" for nick in self.members if nick != "a")
        servers = [
            f"    {nick} ({ord(nick):04x} at {address}){' (self)' if nick == 'a' else ''} next_index=2"
            for nick, address in self.members.items()
        ]
        head = f"a\nName: X\nCluster ID: 00c1 (00c1-id)\nServer ID: 0061 (0061-id)\nAddress: {self.members['a']}\nStatus: cluster member\n"
        body = f"Role: {self.role}\nTerm: 7\nLeader: {self.leader}\nVote: self\n\nElection timer: {self.timer}\n"
        return head + body + f"Connections: {links}\nServers:\n" + "\n".join(servers) + "\n"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    made = FakeServer()
    monkeypatch.setattr(cluster.ControlSocket, "call", lambda _self, *arguments: made.call(*arguments))
    return made


@pytest.fixture
def change(fake: FakeServer) -> Callable[..., dict[str, Any]]:
    def run(check_mode: bool = False, **given: Any) -> dict[str, Any]:
        result = ArgumentSpecValidator({**connection_spec(), **cluster.CHANGE_OPTIONS}).validate(
            {"database": "ic_sb", "wait_timeout": 0, **given}
        )
        assert not result.error_messages
        return cluster.change(result.validated_parameters, check_mode)

    return run


def test_the_status_is_read(fake: FakeServer) -> None:
    fake.silent = {"b"}
    found = cluster.parse_status(fake.status())
    assert (found.cluster_id, found.server_id, found.term, found.leader) == ("00c1-id", "0061-id", 7, fake.members["a"])
    assert {one.address: (one.is_self, one.answers) for one in found.members} == {
        fake.members["a"]: (True, True),
        fake.members["b"]: (False, False),
        fake.members["c"]: (False, True),
    }
    assert found.find("0063-more-of-the-id") == found.find(fake.members["c"])
    assert found.find("00") is None
    fake.leader = "b"
    assert cluster.parse_status(fake.status()).leader == fake.members["b"]
    fake.leader = "unknown"
    assert cluster.parse_status(fake.status()).leader == ""


@pytest.mark.parametrize("wanted, steps", [(1000, []), (5000, [2000, 4000, 5000]), (300, [300])])
def test_the_timer_goes_up_in_allowed_steps(fake: FakeServer, change: Any, wanted: int, steps: list[int]) -> None:
    cluster_seconds = {"wait_timeout": 5}
    planned = change(check_mode=True, election_timer=wanted)
    assert not fake.asked
    done = change(election_timer=wanted, **cluster_seconds)
    assert [int(step[1]) for step in fake.asked] == steps
    assert (planned["changed"], planned["changes"], planned["diff"]) == (done["changed"], done["changes"], done["diff"])
    assert done["cluster"]["election_timer"] == wanted


def test_a_follower_waits_for_the_leader(fake: FakeServer, change: Any) -> None:
    fake.role, fake.leader = "follower", "b"
    with pytest.raises(ModuleError, match="after 0 s the election timer is not 2000 ms; run the task on the leader too"):
        change(election_timer=2000)
    assert not change(check_mode=True, election_timer=2000)["changed"]
    assert not fake.asked


@pytest.mark.parametrize("member", ["tcp:192.0.2.2:6648", "0062", "0062-id"])
def test_a_member_is_kicked_by_address_or_id(fake: FakeServer, change: Any, member: str) -> None:
    assert change(check_mode=True, state="absent", member=member)["changed"]
    assert not fake.asked
    done = change(state="absent", member=member)
    assert fake.asked == [("cluster/kick", "tcp:192.0.2.2:6648")]
    assert done["diff"]["before"] == {"cluster/tcp:192.0.2.2:6648": {"address": "tcp:192.0.2.2:6648", "server_id": "0062"}}
    assert len(done["cluster"]["members"]) == 2
    assert not change(state="absent", member=member)["changed"]


def test_the_server_itself_leaves_once(fake: FakeServer, change: Any) -> None:
    assert change(state="absent") | {"diff": {}, "changes": []} == {"changed": True, "cluster": {}, "diff": {}, "changes": []}
    assert fake.asked == [("cluster/leave",)]
    assert not change(state="absent")["changed"]
    with pytest.raises(ModuleError, match="has no cluster of OVN_IC_Southbound; use a server that is a member"):
        change(state="absent", member="b")
    with pytest.raises(ModuleError, match="create its file with ovsdb-tool"):
        change()


def test_a_removal_that_stops_the_cluster_is_refused(fake: FakeServer, change: Any) -> None:
    fake.silent = {"c"}
    with pytest.raises(ModuleError, match=r"has 2 members, of which .*::3.:6648 do not answer, so it would lose its majority"):
        change(state="absent", member="0062")
    change(state="absent", member="0063")
    fake.leader = "unknown"
    with pytest.raises(ModuleError, match="the cluster has no leader"):
        change(state="absent", member="0062")
    fake.leader, fake.members = "self", {"a": "tcp:192.0.2.1:6648"}
    with pytest.raises(ModuleError, match="is the only member"):
        change(state="absent")


@pytest.mark.parametrize(
    "given, words",
    [({"election_timer": 99}, "set it to a value from 100 to 600000 milliseconds"), ({"member": "b"}, "to add a member, run ovsdb-tool")],
)
def test_what_cannot_be_is_refused(change: Any, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ModuleError, match=words):
        change(**given)


def test_the_sentence_says_what_is_done() -> None:
    given = {"database": "ic_sb", "member": None, "state": "absent"}
    assert module.doing(given) == "Removing this server from the cluster of ic_sb"
    assert module.doing({**given, "state": "present"}) == "Changing the cluster of ic_sb"
