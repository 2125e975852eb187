# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and set-ups of the differential test.

`--history SEED` replays one history, `--generation 25.03` narrows the generations, `--length N` changes the number of actions,
`--pair upstream/upstream` chooses what stands in the two zones (upstream's daemon compared with itself checks the comparison, and
that the vocabulary is deterministic). `SOAK=n` in the environment draws n new seeds for every generation instead of the fixed ones.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.ovn.interconnect.tests.support.servers import OURS, UPSTREAM

from .generations import BY_NAME, GENERATIONS, Case, Generation, version
from .setup import SetUp

FIXED_SEEDS = {"23.03": 60, "25.03": 30, "newest": 30}
FOUND_SEEDS = {"23.03": [415752571, 481435473, 519203071], "25.03": [], "newest": [440953424]}
"""Those of soaks whose histories once failed."""
SOAK_BEGIN = "OVN_IC_TEST_SOAK_BEGIN"
"""All processes of one run have to draw the same seeds."""
GROUPS = 2
"""How many processes share a generation's histories; each has set-ups of its own."""

PAIRS = ((OURS, OURS), (OURS, UPSTREAM), (OURS, OURS), (UPSTREAM, OURS))
"""What stands in the zones, by seed: every other history is one of a mixed pair."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the differential test."""
    parser.addoption("--history", action="append", type=int, help="replay the history of this seed")
    parser.addoption("--generation", action="append", choices=[*BY_NAME], help="only this generation of upstream's daemon")
    parser.addoption("--length", type=int, default=20, help="number of random actions of a history")
    parser.addoption("--pair", help="what is compared with upstream's daemon in both zones, such as ours/upstream")


def pytest_configure(config: pytest.Config) -> None:
    """The seeds of a soak are drawn once, before there are other processes."""
    os.environ.setdefault(SOAK_BEGIN, str(random.SystemRandom().randrange(10**6, 10**9)))


def pytest_report_header() -> list[str]:
    """Which versions of upstream's daemon are here, and which of them do not decide."""
    lines = []
    for generation in GENERATIONS:
        found = generation.found
        if found is None:
            lines.append(f"OVN {generation.version}: not run, no suite of {', '.join(generation.suites)} is on this machine")
            continue
        decides = generation.decides or version(found) == generation.version
        lines.append(f"OVN {version(found)} of {found}: {'decides' if decides else f'only reports, {generation.version} would decide'}")
    return lines


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each generation and seed: the given ones, or new ones for a soak, or the fixed ones."""
    if "case" not in metafunc.fixturenames:
        return
    cases = _cases(metafunc.config)
    groups = [pytest.mark.xdist_group(f"{case.generation.name}-{case.seed % GROUPS}") for case in cases]
    params = [pytest.param(case, id=str(case), marks=[group]) for case, group in zip(cases, groups)]
    metafunc.parametrize("case", params)


def _cases(config: pytest.Config) -> list[Case]:
    names = config.getoption("--generation") or [*BY_NAME]
    pair = config.getoption("--pair")
    cases = []
    for generation in GENERATIONS:
        for seed in _seeds(config, generation) if generation.name in names else ():
            first, second = pair.split("/") if pair else PAIRS[seed // GROUPS % len(PAIRS)]
            cases.append(Case(generation, seed, (first, second)))
    return cases


def _seeds(config: pytest.Config, generation: Generation) -> list[int]:
    given: list[int] | None = config.getoption("--history")
    soak = int(os.environ.get("SOAK") or 0)
    if given:
        return given
    if soak:
        return random.Random(f"{os.environ[SOAK_BEGIN]} {generation.name}").sample(range(10**6, 10**9), soak)
    return [*range(1, FIXED_SEEDS[generation.name] + 1), *FOUND_SEEDS[generation.name]]


class SetUps:
    """The running set-ups of one generation; those of another one are stopped when it comes to its turn."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, str, tuple[str, str]], SetUp] = {}

    def get(self, role: str, generation: Generation, kinds: tuple[str, str]) -> SetUp:
        """The set-up of this role with these daemons in the two zones."""
        found = generation.found
        if found is None and not generation.decides:
            pytest.skip(f"not run: OVN {generation.version}, none of the suites {', '.join(generation.suites)} is on this machine")
        suite_name = found or generation.suites[0]
        if any(name != suite_name for _role, name, _kinds in self._running):
            self.close()
        key = (role, suite_name, kinds)
        if key not in self._running:
            self._running[key] = SetUp(suite_name, kinds, counters=generation.counters)
            self._running[key].start()
        return self._running[key]

    def close(self) -> None:
        """Stop all that runs."""
        while self._running:
            self._running.popitem()[1].close()


@pytest.fixture(scope="session")
def set_ups() -> Iterator[SetUps]:
    """All set-ups of this process."""
    made = SetUps()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def reference(case: Case, set_ups: SetUps) -> SetUp:
    """A set-up with upstream's daemon in both zones."""
    return set_ups.get("reference", case.generation, (UPSTREAM, UPSTREAM))


@pytest.fixture
def candidate(case: Case, set_ups: SetUps) -> SetUp:
    """An equal set-up with the daemons that are compared."""
    return set_ups.get("candidate", case.generation, case.kinds)


@pytest.fixture
def judge(case: Case) -> Callable[[str], None]:
    """What a difference means: a failure, or a report for a version other than the recorded one."""

    def judged(report: str) -> None:
        found = version(str(case.generation.found))
        if case.generation.decides or found == case.generation.version:
            pytest.fail(report, pytrace=False)
        pytest.xfail(f"OVN {found} is not the recorded {case.generation.version}:\n{report}")

    return judged
