# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a number is confirmed (spec status-E.2, status-E.3)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.commit import Committer
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.replica import Replica
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.progress import Progress
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.sync.confirmation import Confirmation

from ..simulated_zones import World


class Server:
    """A server that answers empty transactions when told to."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def transact(self, operations: list[Any], done: Any) -> None:
        assert operations == []
        self.asked.append(done)


class Fenced:
    """Zone az1 with a fence; nothing is ever on its way to a server."""

    def __init__(self, requested: int, own: int = 0) -> None:
        self.world = World(lambda: (Progress(),))
        (row,) = self.world.ic_nb.rows("IC_NB_Global")
        self.world.put(self.world.ic_nb, "IC_NB_Global", row.uuid, nb_ic_cfg=requested)
        self.world.put(self.world.ic_sb, "Availability_Zone", self.world.az(), nb_ic_cfg=own)
        self.world.settle()
        self.servers = [Server() for _database in range(3)]
        committer = SimpleNamespace(serial=0, arrived=lambda _serial: True)
        replicas = cast("list[Replica]", self.servers)
        self.fence = Confirmation(self.world.zone, self.world.engine, cast("Committer", committer), replicas)

    def run(self) -> None:
        """Steps until the fence waits for a server or has nothing to do."""
        self.fence.run()
        for server in self.servers:
            for done in server.asked:
                done([], None)
            server.asked.clear()
        while not self.fence.idle:
            self.fence.run()
        self.learn()
        self.world.settle()

    def learn(self) -> None:
        """Pass on which number may be confirmed, as the daemon's loop does."""
        self.world.engine.learn(self.world.zone.facts._replace(confirmable=self.fence.confirmable))

    @property
    def confirmed(self) -> int:
        (row,) = self.world.ic_sb.rows("Availability_Zone")
        return int(row["nb_ic_cfg"])


def test_quirk_e3_a_daemon_that_has_just_started_confirms_the_number_in_one_step() -> None:
    """The number is assigned in one write; upstream increments it, or sets it to what it remembers (spec status-Q-2, status-Q-3)."""
    fenced = Fenced(10**12)
    fenced.run()
    assert fenced.confirmed == 10**12
    assert [change.columns for change in fenced.world.site().written if change.table == "Availability_Zone"] == [{"nb_ic_cfg": 10**12}]


def test_quirk_e3_a_lowered_number_is_confirmed() -> None:
    fenced = Fenced(2, own=9)
    fenced.run()
    assert fenced.confirmed == 2


def test_quirk_e3_an_object_that_a_server_rejects_does_not_hold_the_number_up() -> None:
    fenced = Fenced(5)
    fenced.world.engine.back_off("progress", "gw1", "its name is taken")
    fenced.run()
    assert fenced.confirmed == 5


def test_every_server_is_asked_before_a_number_is_confirmed() -> None:
    fenced = Fenced(5)
    fenced.fence.run()
    assert [len(server.asked) for server in fenced.servers] == [1, 1, 1]
    for server in fenced.servers[:2]:
        server.asked.pop()([], None)
    for _step in range(5):
        fenced.fence.run()
    assert fenced.fence.confirmable is None
    fenced.servers[2].asked.pop()(None, None)  # this connection is gone: begin again
    assert fenced.fence.idle
    fenced.run()
    assert fenced.confirmed == 5


def test_a_number_that_is_confirmed_already_asks_nobody() -> None:
    fenced = Fenced(5, own=5)
    fenced.fence.run()
    assert fenced.fence.idle
    assert not any(server.asked for server in fenced.servers)


def test_who_is_active_anew_begins_anew() -> None:
    fenced = Fenced(3)
    fenced.run()
    fenced.world.put(fenced.world.ic_sb, "Availability_Zone", fenced.world.az(), nb_ic_cfg=6)  # another daemon of the zone
    (row,) = fenced.world.ic_nb.rows("IC_NB_Global")
    fenced.world.put(fenced.world.ic_nb, "IC_NB_Global", row.uuid, nb_ic_cfg=6)
    fenced.fence.reset()
    fenced.learn()
    fenced.world.engine.restart()
    fenced.world.settle()
    assert fenced.confirmed == 6


def test_answers_to_questions_of_a_time_before_do_not_count() -> None:
    fenced = Fenced(5)
    fenced.fence.run()
    before = [server.asked.pop() for server in fenced.servers]
    fenced.fence.reset()
    fenced.fence.run()
    for done in before:
        done([], None)
    for _step in range(5):
        fenced.fence.run()
    assert fenced.fence.confirmable is None
    assert not fenced.fence.idle


def test_a_number_is_followed_again_after_what_was_confirmed_may_be_lost() -> None:
    fenced = Fenced(5)
    fenced.run()
    fenced.fence.withdraw()
    fenced.world.put(fenced.world.ic_sb, "Availability_Zone", fenced.world.az(), nb_ic_cfg=3)  # an older copy
    fenced.learn()
    fenced.world.settle()
    assert fenced.confirmed == 3
    fenced.run()
    assert fenced.confirmed == 5
