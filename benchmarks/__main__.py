# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: run the scenarios, print the tables, and write docs/performance.md after a full run."""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ansible_collections.ovn.interconnect.tests.support.servers import CHECKOUT, UPSTREAM, SuiteMissingError, suite

from .report import machine, report
from .run import LIMIT, Contender, Result, contender, measure, newest_upstream, ours, say
from .scenarios import SCENARIOS, Scenario
from .targets import Results, verdicts

NEWEST = ("experimental", "sid")
"""Releases of Debian, the newest first, whose upstream daemon is wanted beside that of this machine's packages."""
BUILD_SECONDS = 900


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 1 if a target is missed, 0 else."""
    options = _options(arguments)
    scenarios = [scenario for scenario in SCENARIOS if not options.only or scenario.name in options.only]
    if options.quick:
        scenarios = [scenario.quick() for scenario in scenarios]
    contenders, missing = _contenders(options.build)
    described = machine(
        [candidate.title for candidate in contenders], missing, datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    )
    results = _measure(scenarios, contenders, options.json)
    sizes = {scenario.name: scenario.total for scenario in SCENARIOS}
    found = [] if options.quick else verdicts(Results(results), sizes)
    text = report(described, scenarios, results, found)
    sys.stdout.write(text)
    if options.output is not None:
        options.output.write_text(text)
    elif not options.quick and not options.only:
        (CHECKOUT / "docs/performance.md").write_text(text)
    return 1 if any(verdict.met is False for verdict in found) else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description="Measure this project's daemon and upstream's side by side.")
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--only", action="append", choices=names, help="run this scenario alone; can be given several times")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, which show that the program works and nothing else")
    parser.add_argument("--no-build", dest="build", action="store_false", help="leave out an OVN release that is not in the cache yet")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the report there, not to docs/performance.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all raw values there, after each measurement")
    return parser.parse_args(arguments)


def _contenders(build: bool) -> tuple[list[Contender], list[str]]:
    """The daemons to be measured, and the reasons why others are not."""
    if build:
        _build_newest()
    newest, missing = newest_upstream(NEWEST)
    return [ours(), contender(UPSTREAM, "host"), *([newest] if newest else [])], missing


def _build_newest() -> None:
    """Have one of the newest releases in the cache, if that can be had."""
    for generation in NEWEST:
        try:
            suite(generation)
        except SuiteMissingError:
            say(f"building OVN of {generation}, once")
            try:
                subprocess.run(
                    [CHECKOUT / "lab/hosts.py", "build", generation, "ovn"], check=True, stdout=sys.stderr, timeout=BUILD_SECONDS
                )
            except subprocess.SubprocessError as failure:
                say(f"OVN of {generation} cannot be built: {failure}")
                continue
        return


def _measure(scenarios: Sequence[Scenario], contenders: Sequence[Contender], raw: Path | None) -> list[Result]:
    results: list[Result] = []
    for scenario in scenarios:
        for candidate in contenders:
            if scenario.ours_alone and candidate.kind == UPSTREAM:
                continue
            say(f"{scenario.title}: {candidate.name}")
            results.append(measure(scenario, candidate, LIMIT))
            say(f"    {_short(results[-1])}")
            if raw is not None:
                raw.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")
    return results


def _short(result: Result) -> str:
    """The main figures, for the person who waits."""
    parts = {
        "learned": (result.learned, "s"),
        "idle": (result.idle, "s"),
        "+1 route": (result.latency, "s"),
        "restart": (result.restart, "s"),
    }
    shown = [f"{name} {value:.3f} {unit}" for name, (value, unit) in parts.items() if value is not None]
    stopped = [] if result.stopped is None else [f"stopped after {result.stopped:.0f} s"]
    return ", ".join([*shown, f"peak {result.peak:.0f} MB", *stopped])


if __name__ == "__main__":
    sys.exit(main())
