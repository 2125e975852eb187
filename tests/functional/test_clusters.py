# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Global databases that are RAFT clusters: their leaders are killed or hang, and come back, and the outcome shows nothing of it."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator, Sequence

import pytest

from ansible_collections.ovn.interconnect.tests.differential.exceptions import comparable
from ansible_collections.ovn.interconnect.tests.differential.generations import of_suite
from ansible_collections.ovn.interconnect.tests.differential.history import Action
from ansible_collections.ovn.interconnect.tests.differential.setup import SetUp, everything
from ansible_collections.ovn.interconnect.tests.differential.vocabulary import history
from ansible_collections.ovn.interconnect.tests.support.cluster import Cluster
from ansible_collections.ovn.interconnect.tests.support.contents import differences
from ansible_collections.ovn.interconnect.tests.support.identity import Authority
from ansible_collections.ovn.interconnect.tests.support.ovsdb import set_keys
from ansible_collections.ovn.interconnect.tests.support.scenes import gateway
from ansible_collections.ovn.interconnect.tests.support.servers import OURS, Interconnect

pytestmark = pytest.mark.ours("a zone of 23.03 is stuck after some of these")

SEEDS = (1,)
LENGTH = 8
OFTEN = 0.25
UPDATES = 8
"""Up to so many updates of the databases after an action, the leader is lost."""
HOWS = (signal.SIGKILL, signal.SIGSTOP)
TRANSPORTS = ("tcp", "ssl")
"""What members speak with each other and with the daemons."""

PROBING = Action(
    "probe each second", "IC_NB", (set_keys("IC_NB_Global", "options", {"ic_probe_interval": "1000"}),), alone=False, needed=True
)
"""So that a daemon notices a leader that hangs in seconds, and not after the ten of the default."""


def clusters(interconnect: Interconnect) -> tuple[Cluster, Cluster]:
    """The global databases."""
    found = interconnect.nb_server, interconnect.sb_server
    assert isinstance(found[0], Cluster)
    assert isinstance(found[1], Cluster)
    return found[0], found[1]


class Leaderless(SetUp):
    """A set-up whose global databases are clusters: after many of the actions one of them loses its leader for a while."""

    def __init__(self, suite: str, authority: Authority | None, *, counters: bool, how: signal.Signals, seed: int) -> None:
        super().__init__(suite, (OURS, OURS), counters=counters, server=Cluster, authority=authority)
        self._how = how
        self._random = random.Random(seed)
        self._until_back = 0
        self.losses = 0

    def apply(self, action: Action) -> str:
        outcome = super().apply(action)
        if self._until_back:
            self._until_back -= 1
            if not self._until_back:
                self.regain()
        elif self._random.random() < OFTEN:
            self._lose()
        return outcome

    def regain(self) -> None:
        """Every member is there again."""
        for cluster in clusters(self.interconnect):
            cluster.regain()

    def _lose(self) -> None:
        cluster = self._random.choice(clusters(self.interconnect))
        for _ in range(self._random.randrange(UPDATES)):
            self._random.choice(self.interconnect.databases).pump(0.01)
        cluster.lose_leader(self._how)
        self._until_back = self._random.randint(1, 3)
        self.losses += 1
        answer(self.interconnect)


def answer(interconnect: Interconnect) -> None:
    """Every daemon answers, whatever the global databases are at."""
    assert [zone.daemon.status() for zone in interconnect.zones if zone.daemon.working] == ["active"] * len(interconnect.zones)


@pytest.fixture
def transport() -> str:
    """What a test without a choice of its own gets."""
    return "tcp"


@pytest.fixture
def trusted(authority: Authority, transport: str) -> Authority | None:
    """The authority of a set-up that speaks TLS."""
    return authority if transport == "ssl" else None


@pytest.fixture
def calm(generation: str, trusted: Authority | None) -> Iterator[SetUp]:
    """A set-up on clusters, in which nothing goes wrong by itself."""
    made = SetUp(generation, (OURS, OURS), counters=of_suite(generation).counters, server=Cluster, authority=trusted)
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def leaderless(generation: str, trusted: Authority | None, how: signal.Signals, seed: int) -> Iterator[Leaderless]:
    """The same on clusters."""
    made = Leaderless(generation, trusted, counters=of_suite(generation).counters, how=how, seed=seed)
    try:
        made.start()
        yield made
    finally:
        made.close()


def actions(generation: str, seed: int) -> Sequence[Action]:
    return [PROBING, *history(seed, of_suite(generation), LENGTH)]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("how", HOWS)
def test_lost_leaders_leave_no_trace(undisturbed: SetUp, leaderless: Leaderless, generation: str, seed: int) -> None:
    undisturbed.run(actions(generation, seed))
    leaderless.run(actions(generation, seed))
    assert leaderless.losses
    leaderless.regain()
    leaderless.settle()
    assert differences(comparable(undisturbed.contents()), comparable(leaderless.contents())) == []
    assert leaderless.faults() == []


@pytest.mark.parametrize("how", HOWS)
def test_no_row_and_no_key_changes_when_each_leader_is_lost_once(calm: SetUp, generation: str, how: signal.Signals) -> None:
    calm.run(actions(generation, 3))
    ic, before = calm.interconnect, everything(calm.interconnect)
    for cluster in clusters(ic):
        cluster.lose_leader(how)
        answer(ic)
        calm.settle()
        assert everything(ic) == before
        cluster.regain()
        calm.settle()
        answer(ic)
    assert everything(ic) == before


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_daemons_wait_for_a_majority(calm: SetUp, generation: str) -> None:
    """Two of three members of both clusters are gone at once; what a zone does meanwhile arrives when they are back."""
    calm.run(actions(generation, 3))
    ic, before = calm.interconnect, everything(calm.interconnect)
    for cluster in clusters(ic):
        cluster.lose_leader(signal.SIGKILL)
        cluster.lose_leader(signal.SIGSTOP)
    gateway(ic.zones[0], "late-gw", ip="192.0.2.99")
    answer(ic)
    for cluster in clusters(ic):
        cluster.regain()
    ic.wait(lambda: ic.sb.find("Gateway", name="late-gw"), "the gateway to be published")
    calm.settle()
    answer(ic)
    # NB_Global notes that the chassis of the new gateway in the other zone is a copy.
    lost = [row for old, new in zip(before, everything(ic)) for row in old if old[row] != new.get(row) and row[0] != "NB_Global"]
    assert lost == []


def test_clusters_made_anew_are_no_stale_members_of_the_old_ones(calm: SetUp, generation: str) -> None:
    """Both clusters are lost and created again, empty, under running daemons: these register again, and withhold what they would delete."""
    calm.run(actions(generation, 3))
    ic = calm.interconnect
    switches = [sorted(row.text("name") for row in zone.nb.rows("Logical_Switch")) for zone in ic.zones]
    for cluster in clusters(ic):
        cluster.stop()
    for cluster, side in zip(clusters(ic), ("nb", "sb")):
        cluster.create(ic.suite.schemas / f"ovn-ic-{side}.ovsschema")
        cluster.start()
    ic.wait(lambda: len(ic.sb.rows("Availability_Zone")) == len(ic.zones), "the zones to register with the new cluster")
    answer(ic)
    assert [sorted(row.text("name") for row in zone.nb.rows("Logical_Switch")) for zone in ic.zones] == switches
