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
from ansible_collections.ovn.interconnect.tests.support.losses import LossHistory
from ansible_collections.ovn.interconnect.tests.support.servers import OURS

from .conftest import Make

pytestmark = pytest.mark.ours("a zone of 23.03 is stuck after some of these")

SEEDS = (1, 2)
LENGTH = 12
OFTEN = 0.4
UPDATES = 8
"""Up to so many updates of the databases after an action, the fault comes."""

#: Losses of databases together with whatever else may happen meanwhile, as steps of a LossHistory.
HISTORIES = {
    "both global databases are lost, a zone joins, the transit switches are defined in another order": (
        *("lose ic_nb", "rest", "lose ic_sb", "define ts3", "rest", "join az4", "define ts2", "rest", "define ts1"),
        *("rest", "attach az4 ts1", "claim az4", "attach az1 ts3", "claim az1"),
    ),
    "a new zone fills both lost global databases before the zones that hold the tunnel keys are back": (
        *("stop az1", "stop az2", "stop az3", "lose ic_nb", "lose ic_sb", "join az4", "define ts3", "rest", "define ts2", "rest"),
        *("define ts1", "rest", "start az2", "rest", "start az1", "start az3", "rest", "attach az4 ts1", "claim az4"),
        *("attach az1 ts3", "claim az1"),
    ),
    "IC_NB is lost while a daemon is down, and restored when it is back; a switch is made meanwhile": (
        *("copy", "stop az3", "lose ic_nb", "rest", "start az3", "rest", "kill az1", "restore ic_nb", "start az1", "define ts3"),
        *("attach az2 ts3", "claim az2"),
    ),
    "NB of one zone, SB of another one and IC_SB are lost, a daemon is killed, a switch is renamed in NB": (
        *("copy", "lose az2.nb", "lose az1.sb", "kill az1", "rest", "lose ic_sb", "rest", "rename_switch az3 ts1 mine", "define ts3"),
        *("rest", "start az1", "claim az1", "rest", "restore az2.nb", "rest", "claim az2", "attach az2 ts3", "claim az2"),
    ),
    "a renamed zone whose external_ids were emptied comes back from two states of IC_SB": (
        *("stop az1", "empty_external_ids az1", "rename az1 north", "start az1", "rest", "copy", "lose ic_sb", "stop az2", "rest"),
        *("rename az1 az1", "rest", "restore ic_sb", "start az2"),
    ),
    "IC_NB is filled without one of its switches, and the zones are released in turn with a new switch in between": (
        *("lose ic_nb", "rest", "define ts2", "rest", "forget ts1", "release az1", "rest", "define ts3", "attach az1 ts3", "claim az1"),
        *("rest", "stop az2", "release az3", "rest", "start az2", "rest", "release az2", "rest", "release az1", "release az3"),
    ),
}

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


@pytest.mark.parametrize("steps", HISTORIES.values(), ids=HISTORIES)
def test_losses_on_real_servers_leave_every_attachment_and_tunnel_key(make: Make, steps: tuple[str, ...]) -> None:
    LossHistory(make("az1", "az2", "az3", daemons=False), "ts1", "ts2").run(*steps)
