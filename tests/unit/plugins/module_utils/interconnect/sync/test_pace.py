# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rest between two passes."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.sync.pace import OPTION, Pace

NOW = 100.0


@pytest.mark.parametrize(
    ("value", "rest"),
    [
        (None, 0.0),
        ("0", 0.0),
        ("20", 0.02),
        ("1000", 0.5),
        ("4000000000", 0.5),
        ("-1", 0.0),
        ("fast", 0.0),
        ("20ms", 0.0),
        ("99999999999", 0.0),
    ],
)
def test_the_rest_is_as_long_as_the_pass_and_no_longer_than_the_option_says(value: str | None, rest: float) -> None:
    """The rest after a pass (spec newest-N-1)."""
    pace = Pace(lambda: NOW)
    pace.passed(NOW - 0.5, {} if value is None else {OPTION: value})
    assert pace.due == pytest.approx(NOW + rest)
    assert pace.resting == (rest > 0)


def test_a_rest_ends() -> None:
    now = [NOW]
    pace = Pace(lambda: now[0])
    pace.passed(NOW - 0.2, {OPTION: "1000"})
    now[0] += 0.21
    assert not pace.resting


@pytest.mark.parametrize(("seconds", "rests"), [(0.49, True), (0.5, False)])
def test_a_long_reception_ends_it(seconds: float, rests: bool) -> None:
    pace = Pace(lambda: NOW)
    pace.passed(NOW - 0.2, {OPTION: "1000"})
    pace.received(seconds)
    assert pace.resting is rests


def test_a_forced_pass_does_not_wait() -> None:
    """A forced recompute does not wait (spec newest-N-1)."""
    pace = Pace(lambda: NOW)
    pace.passed(NOW - 0.2, {OPTION: "1000"})
    pace.skip()
    assert not pace.resting
