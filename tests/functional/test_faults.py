# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Daemons that are killed and servers that go away in the middle of a history leave no trace in its outcome."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from ansible_collections.ovn.interconnect.tests.differential.exceptions import comparable
from ansible_collections.ovn.interconnect.tests.differential.generations import of_suite
from ansible_collections.ovn.interconnect.tests.differential.history import Action
from ansible_collections.ovn.interconnect.tests.differential.setup import SetUp, everything
from ansible_collections.ovn.interconnect.tests.differential.vocabulary import history
from ansible_collections.ovn.interconnect.tests.support.contents import differences
from ansible_collections.ovn.interconnect.tests.support.servers import OURS

pytestmark = pytest.mark.ours("a zone of 23.03 is stuck after some of these")

SEEDS = (1, 2)
LENGTH = 12
OFTEN = 0.4
UPDATES = 8
"""Up to so many updates of the databases after an action, the fault comes."""

Fault = Callable[[SetUp, random.Random], None]


class Faulty(SetUp):
    """A set-up in which something goes wrong after many of the actions, while the daemons are still at work."""

    def __init__(self, suite: str, *, counters: bool, fault: Fault, seed: int) -> None:
        super().__init__(suite, (OURS, OURS), counters=counters)
        self._fault = fault
        self._random = random.Random(seed)

    def apply(self, action: Action) -> str:
        outcome = super().apply(action)
        if self._random.random() < OFTEN:
            database = self._random.choice(self.interconnect.databases)
            for _ in range(self._random.randrange(UPDATES)):
                database.pump(0.01)
            self._fault(self, self._random)
        return outcome


def kill_a_daemon(set_up: SetUp, chance: random.Random) -> None:
    """kill -9, and a new one."""
    daemon = chance.choice(set_up.interconnect.zones).daemon
    daemon.kill()
    daemon.start()


def restart_a_server(set_up: SetUp, chance: random.Random) -> None:
    """One of the six servers goes and comes back."""
    ic = set_up.interconnect
    server = chance.choice([ic.nb_server, ic.sb_server, *(each for zone in ic.zones for each in (zone.nb_server, zone.sb_server))])
    server.stop()
    server.start()


@pytest.mark.parametrize("fault", [kill_a_daemon, restart_a_server])
def test_faults_leave_no_trace(undisturbed: SetUp, generation: str, fault: Fault, seed: int) -> None:
    known = of_suite(generation)
    actions = history(seed, known, LENGTH)
    faulty = Faulty(generation, counters=known.counters, fault=fault, seed=seed)
    try:
        faulty.start()
        undisturbed.run(actions)
        faulty.run(actions)
        assert differences(comparable(undisturbed.contents()), comparable(faulty.contents())) == []
        assert faulty.faults() == []
    finally:
        faulty.close()


def test_no_row_is_lost_or_made_anew_when_everything_goes_away_once(undisturbed: SetUp, generation: str) -> None:
    known = of_suite(generation)
    undisturbed.run(history(3, known, LENGTH))
    before, ic = everything(undisturbed.interconnect), undisturbed.interconnect
    for server in (ic.nb_server, ic.sb_server, *(each for zone in ic.zones for each in (zone.nb_server, zone.sb_server))):
        server.stop()
        server.start()
        undisturbed.settle()
    for zone in ic.zones:
        zone.daemon.kill()
        zone.daemon.start()
        undisturbed.settle()
    assert everything(ic) == before
