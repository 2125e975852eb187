# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and set-ups of the differential test.

`--history SEED` replays one history, `--length N` changes the number of its actions, `--peer upstream` compares upstream's
daemon with itself (which checks the comparison and that the vocabulary is deterministic). `SOAK=n` in the environment adds
n histories with new seeds.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from ansible_collections.ovn.interconnect.tests.support.servers import OURS, UPSTREAM

from .setup import SetUp

FIXED_SEEDS = range(1, 41)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the differential test."""
    parser.addoption("--history", action="append", type=int, help="replay the history of this seed")
    parser.addoption("--length", type=int, default=20, help="number of random actions of a history")
    parser.addoption("--peer", choices=[OURS, UPSTREAM], default=OURS, help="what is compared with upstream's daemon")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each seed: the given ones, or new ones for a soak, or the fixed ones."""
    if "seed" not in metafunc.fixturenames:
        return
    soak = int(os.environ.get("SOAK") or 0)
    seeds = metafunc.config.getoption("--history") or [random.SystemRandom().randrange(10**6, 10**9) for _ in range(soak)] or FIXED_SEEDS
    metafunc.parametrize("seed", seeds)


@pytest.fixture(scope="session")
def reference() -> Iterator[SetUp]:
    """A set-up with upstream's daemon in both zones."""
    yield from _set_up((UPSTREAM, UPSTREAM))


@pytest.fixture(scope="session")
def candidate(request: pytest.FixtureRequest) -> Iterator[SetUp]:
    """An equal set-up with the daemon that is compared."""
    peer = str(request.config.getoption("--peer"))
    yield from _set_up((peer, peer))


def _set_up(kinds: tuple[str, str]) -> Iterator[SetUp]:
    made = SetUp("host", kinds)
    try:
        made.start()
        yield made
    finally:
        made.close()
