# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the project promises about speed and memory, and whether the figures keep it.

Where a target compares with upstream, it is the better of the upstream daemons that were measured. A daemon of upstream that was stopped at
the limit counts as if it had got there at that moment, which is in its favour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.ovn.interconnect.tests.support.servers import OURS

from .run import Result

MS = 0.001
CPU_PER_CHANGE = 5 * MS


@dataclass(frozen=True)
class Verdict:
    """One target: what it says, what was measured, and whether it is met; None: this run cannot tell."""

    target: str
    measured: str
    met: bool | None


Figure = Callable[[Result], "float | None"]


class Results:
    """All results of a run, by scenario."""

    def __init__(self, results: Iterable[Result]) -> None:
        self._ours: dict[str, Result] = {}
        self._theirs: dict[str, list[Result]] = {}
        for result in results:
            if result.kind == OURS:
                self._ours[result.scenario] = result
            else:
                self._theirs.setdefault(result.scenario, []).append(result)

    @property
    def scenarios(self) -> list[str]:
        """The scenarios that were run with this project's daemon."""
        return list(self._ours)

    def ours(self, scenario: str, figure: Figure) -> float | None:
        """This project's figure; None if there is none."""
        result = self._ours.get(scenario)
        return None if result is None else figure(result)

    def theirs(self, scenario: str, figure: Figure) -> float | None:
        """The least of upstream's figures; None if there is none."""
        found = [value for result in self._theirs.get(scenario, []) if (value := figure(result)) is not None]
        return min(found, default=None)


def verdicts(results: Results, sizes: Mapping[str, int]) -> list[Verdict]:
    """All targets in order; `sizes` are the routes of each scenario of the full set."""
    large = [name for name in results.scenarios if sizes[name] >= 5000]
    return [
        *(
            _below(results, name, f"CPU per added route at most 5 ms in each daemon, {name}", _change, CPU_PER_CHANGE, _milliseconds)
            for name in results.scenarios
        ),
        _ratio(results, "1x5000", "CPU per added route at least 300 times less than upstream's, 1x5000", _change, 300, _milliseconds),
        _ratio(results, "1x5000", "latency at least 100 times lower than upstream's, 1x5000", _latency, 100, _milliseconds),
        _later(results, "1x1000", "all learned at most 0.5 s later than with upstream's, 1x1000", _learned, 0.5),
        _later(results, "1x1000", "idle at most 0.5 s later than upstream's, 1x1000", _idle, 0.5),
        *(
            _later(results, name, f"all learned not later than with upstream's, {name}", _learned, 0.0)
            for name in large
            if sizes[name] < 100000
        ),
        *(_later(results, name, f"idle not later than upstream's, {name}", _idle, 0.0) for name in large if sizes[name] < 100000),
        _ratio(results, "1x20000", "all learned at least 4 times sooner than with upstream's, 1x20000", _learned, 4, _seconds),
        _ratio(results, "1x20000", "idle at least 20 times sooner than upstream's, 1x20000", _idle, 20, _seconds),
        _below(results, "1x100000", "all learned from a cold start in less than 30 s, 1x100000", _learned, 30, _seconds),
        _below(results, "1x100000", "peak memory below 400 MB, 1x100000", _peak, 400, _megabytes),
        _below(results, "1x100000", "restart over what has settled is idle in less than 10 s, 1x100000", _restart, 10, _seconds),
        _below(results, "1x100000", "restart over what has settled writes nothing, 1x100000", _written, 0, _bytes),
        *(_ratio(results, name, f"peak memory below upstream's, {name}", _peak, 1, _megabytes) for name in large if sizes[name] < 100000),
        _ratio(results, "vif", "peak memory at most half of upstream's with 50 000 VIF ports", _peak_zone1, 2, _megabytes),
    ]


def _change(result: Result) -> float | None:
    return result.dearest_change


def _latency(result: Result) -> float | None:
    return result.latency


def _learned(result: Result) -> float | None:
    return result.learned if result.learned is not None else result.stopped


def _idle(result: Result) -> float | None:
    return result.idle if result.idle is not None else result.stopped


def _peak(result: Result) -> float | None:
    return result.peak


def _peak_zone1(result: Result) -> float | None:
    return result.memory[0]


def _restart(result: Result) -> float | None:
    return result.restart


def _written(result: Result) -> float | None:
    return result.restart_written


def _milliseconds(value: float) -> str:
    return f"{value / MS:.1f} ms"


def _seconds(value: float) -> str:
    return f"{value:.2f} s"


def _megabytes(value: float) -> str:
    return f"{value:.0f} MB"


def _bytes(value: float) -> str:
    return f"{value:.0f} bytes"


_NOT_MEASURED = "not measured"


def _below(results: Results, scenario: str, target: str, figure: Figure, limit: float, shown: Callable[[float], str]) -> Verdict:
    ours = results.ours(scenario, figure)
    if ours is None:
        return Verdict(target, _NOT_MEASURED, None)
    return Verdict(target, shown(ours), ours <= limit)


def _ratio(results: Results, scenario: str, target: str, figure: Figure, times: float, shown: Callable[[float], str]) -> Verdict:
    ours, theirs = results.ours(scenario, figure), results.theirs(scenario, figure)
    if ours is None or theirs is None:
        return Verdict(target, _NOT_MEASURED, None)
    return Verdict(target, f"{shown(ours)} against {shown(theirs)}: {theirs / ours:.1f} times", theirs >= times * ours)


def _later(results: Results, scenario: str, target: str, figure: Figure, seconds: float) -> Verdict:
    ours, theirs = results.ours(scenario, figure), results.theirs(scenario, figure)
    if ours is None or theirs is None:
        return Verdict(target, _NOT_MEASURED, None)
    return Verdict(target, f"{_seconds(ours)} against {_seconds(theirs)}: {ours - theirs:+.2f} s", ours - theirs <= seconds)


def summary(found: Sequence[Verdict]) -> str:
    """How many are met, in one line."""
    met, missed = sum(verdict.met is True for verdict in found), sum(verdict.met is False for verdict in found)
    return f"{met} of {len(found)} targets met, {missed} not met, {len(found) - met - missed} not measured"
