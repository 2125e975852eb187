# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same history given to upstream's daemon and to ours ends in the same contents of all databases."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest

from ansible_collections.ovn.interconnect.tests.support.contents import differences
from ansible_collections.ovn.interconnect.tests.support.ovsdb import WaitTimeoutError

from .exceptions import OUTCOMES, comparable
from .generations import Case
from .history import Action
from .setup import SetUp
from .vocabulary import history

SECOND_LOOKS = 5
"""How often two set-ups that differ are settled again before that counts: upstream retries a rejected transaction only at the
next event."""
STUCK = "does not settle:"
SHRINKING = 45.0
"""Seconds spent on shorter histories to make a failure readable."""

pytestmark = pytest.mark.differential


def test_history_ends_in_equal_contents(
    case: Case, reference: SetUp, candidate: SetUp, judge: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    length = int(request.config.getoption("--length"))
    actions = history(case.seed, case.generation, length)
    found = _compare(actions, reference, candidate)
    if found:
        logs = candidate.interconnect.logs()  # of this run: shorter histories may not fail
        actions, found = _shrunk(actions, found, reference, candidate)
        judge(_report(case, actions, found, f"{reference.kinds} -> {candidate.kinds}", logs))


def _compare(history: Sequence[Action], reference: SetUp, candidate: SetUp) -> list[str]:
    try:
        outcomes = [set_up.run(history) for set_up in (reference, candidate)]
        found: list[str] = []
        for _ in range(SECOND_LOOKS):
            found = differences(comparable(reference.contents()), comparable(candidate.contents()))
            if not found:
                break
            reference.settle()
            candidate.settle()
    except WaitTimeoutError as stuck:
        return [f"{STUCK} {stuck}"]
    pairs = zip(history, *outcomes)
    found += [f"{action.what}: {left} -> {right}" for action, left, right in pairs if left != right and action.what not in OUTCOMES]
    return found + candidate.faults()


def _shrunk(history: list[Action], found: list[str], reference: SetUp, candidate: SetUp) -> tuple[list[Action], list[str]]:
    """Leave out actions, many at a time and then fewer, as long as it fails in the same way."""
    until, size = time.monotonic() + SHRINKING, len(history) // 2
    while size:
        for position in range(len(history) - size, -1, -size):
            if time.monotonic() > until:
                return history, found
            dropped = [action for action in history[position : position + size] if not action.needed]
            shorter = [action for action in history if action not in dropped]
            still = _compare(shorter, reference, candidate) if dropped else []
            if still and _stuck(still) == _stuck(found):
                history, found = shorter, still
        size //= 2
    return history, found


def _stuck(found: Sequence[str]) -> bool:
    """Whether a set-up did not settle at all."""
    return found[0].startswith(STUCK)


def _report(case: Case, history: Sequence[Action], found: Sequence[str], kinds: str, logs: str) -> str:
    actions = "\n".join(f"  {number:2}. {action}" for number, action in enumerate(history, 1))
    lines = "\n".join(f"  {line}" for line in found)
    pair = "/".join(case.kinds)
    return (
        f"History {case} (replay: --generation {case.generation.name} --history {case.seed} --pair {pair}), as far as it is"
        f" needed:\n{actions}\n"
        f"{kinds}:\n{lines}\n{logs}"
    )
