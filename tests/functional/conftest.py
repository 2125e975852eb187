# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the functional tests: running interconnects on the schemas of the oldest and a newer generation.

`OVN_IC_TEST_DAEMON=upstream` runs the same tests with upstream's daemon of that generation, to check the tests themselves;
tests of what upstream does otherwise are left out then. `OVN_IC_TEST_SUITES` narrows the generations, comma-separated.
`OVN_IC_TEST_KEEP=1` keeps the directories with all databases and logs. `SOAK=n` draws n new seeds for the faults instead of the fixed ones.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.tests.differential.generations import of_suite
from ansible_collections.ovn.interconnect.tests.differential.setup import SetUp
from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.identity import Authority
from ansible_collections.ovn.interconnect.tests.support.servers import (
    OURS,
    UPSTREAM,
    AvailabilityZone,
    Interconnect,
    SuiteMissingError,
    suite,
)
from ansible_collections.ovn.interconnect.tests.support.world import World

KIND = os.environ.get("OVN_IC_TEST_DAEMON", OURS)
GENERATIONS = os.environ.get("OVN_IC_TEST_SUITES", "host,trixie").split(",")
NEWEST = os.environ.get("OVN_IC_TEST_NEWEST", "experimental")
COUNTERS = [generation for generation in GENERATIONS if generation != "host"]

Make = Callable[..., Interconnect]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """All tests below are functional; upstream's daemon is not asked for what is marked as ours alone."""
    here = [item for item in items if "tests/functional/" in item.path.as_posix()]
    for item in here:
        item.add_marker(pytest.mark.functional)
    if KIND == UPSTREAM:
        ours = [item for item in here if item.get_closest_marker("ours") is not None]
        items[:] = [item for item in items if item not in ours]
        config.hook.pytest_deselected(items=ours)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers of this directory."""
    config.addinivalue_line("markers", "ours(reason): what upstream's daemon of this generation does otherwise")
    config.addinivalue_line("markers", "counters: needs the status counters, which schemas have since 24.03")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on every generation, or on those with status counters if it is marked so, and with every seed if it takes one."""
    if "seed" in metafunc.fixturenames:
        soak = int(os.environ.get("SOAK") or 0)
        metafunc.parametrize("seed", random.SystemRandom().sample(range(10**6, 10**9), soak) if soak else metafunc.module.SEEDS)
    if "generation" in metafunc.fixturenames:
        wanted = COUNTERS if metafunc.definition.get_closest_marker("counters") else GENERATIONS
        metafunc.parametrize("generation", wanted)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom servers and daemons trust that speak TLS."""
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def _maker(generation: str) -> Iterator[Make]:
    """Make interconnects of one generation; everything is stopped at the end."""
    with ExitStack() as stack:

        def made(*names: str, named: bool = True, daemons: bool = True) -> Interconnect:
            interconnect = stack.enter_context(Interconnect(generation, KIND))
            for name in names:
                interconnect.add_zone(name)
            interconnect.start(daemons=False)
            for zone in interconnect.zones:
                if named:
                    zone.nb.transact(*topology.zone_name(zone.name))
            if daemons:
                interconnect.start()
                interconnect.settle()
            return interconnect

        yield made


@pytest.fixture
def make(generation: str) -> Iterator[Make]:
    """Make a running interconnect with these zones, named; everything is stopped when the test ends."""
    with _maker(generation) as maker:
        yield maker


@pytest.fixture
def make_newest() -> Iterator[Make]:
    """The same with the newest schemas, which have transit routers. Skips the test if their packages are not available."""
    try:
        suite(NEWEST).command("ovn-northd")
    except SuiteMissingError as missing:
        pytest.skip(str(missing))
    with _maker(NEWEST) as maker:
        yield maker


@pytest.fixture
def world() -> Iterator[World]:
    """The databases of two zones and of their interconnect, without daemons."""
    with tempfile.TemporaryDirectory(prefix="ovn-ic-") as directory:
        made = World(Path(directory))
        try:
            made.start()
            yield made
        finally:
            made.stop()


@pytest.fixture
def ic(make: Make) -> Interconnect:
    """Two named zones, az1 and az2, and nothing else."""
    return make("az1", "az2")


@pytest.fixture
def zone(make: Make) -> AvailabilityZone:
    """One named zone whose daemon does not run yet."""
    return make("az1", daemons=False).zones[0]


@pytest.fixture
def undisturbed(generation: str) -> Iterator[SetUp]:
    """Two zones that histories can be applied to, on single servers, in which nothing goes wrong."""
    made = SetUp(generation, (OURS, OURS), counters=of_suite(generation).counters)
    try:
        made.start()
        yield made
    finally:
        made.close()
