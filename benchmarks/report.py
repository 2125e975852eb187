# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures as text: what stands on the terminal and in docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import ovs.version

from ansible_collections.ovn.interconnect.tests.support.rpc import PATIENCE
from ansible_collections.ovn.interconnect.tests.support.servers import suite

from .run import CHANGES, LIMIT, Result
from .scenarios import Scenario
from .targets import MS, Verdict, summary

INTRODUCTION = f"""\
# Speed and memory

`make bench` wrote this page. It measures this project's daemon and upstream's in one run, on the same machine and with the same input.
Each scenario has two zones that run the same daemon. All databases run on this machine and listen on unix sockets. ovn-northd is stopped
in every measurement as soon as it has bound the ports. A daemon is stopped after {LIMIT:.0f} s; "-" means that it did not finish until
then.

* **start**: the time that `--version` takes, that is, the interpreter and its imports. The columns after it include this time.
* **learned**: from the start of both daemons until zone 2's NB has all routes of zone 1. **idle**: until no process uses CPU any longer.
* **CPU**: CPU time of the daemons of zone 1 / zone 2, from their start until idle. **servers**: CPU time of all six ovsdb-servers in that
  time, which every daemon causes.
* **+1 route**: from the insertion of a static route into zone 1's NB until it is in zone 2's NB, the median of {CHANGES} changes (or of
  the number in parentheses). **CPU each** and **servers each**: CPU time for each of these changes.
* **peak**: the largest memory (VmHWM) of the daemons of zone 1 / zone 2.
"""

_HEADINGS = ("daemon", "start s", "learned s", "idle s", "CPU s", "servers s", "+1 route ms", "CPU each ms", "servers each ms", "peak MB")
_RESTART_HEADINGS = ("scenario", "idle s", "CPU s", "servers s", "written bytes")
_TARGET_HEADINGS = ("target", "measured", "")


@dataclass(frozen=True)
class Machine:
    """What the figures were taken on, as lines of text."""

    lines: tuple[str, ...]


def machine(daemons: Iterable[str], missing: Iterable[str], date: str) -> Machine:
    """Describe this machine, and which daemons were measured on it."""
    cpu = _first(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo"))
    memory = int(_first(r"^MemTotal:\s*(\d+) kB$", Path("/proc/meminfo")) or 0) * 1024 / 1e9
    server = subprocess.run(
        [*suite("host").command("ovsdb-server"), "--version"], capture_output=True, text=True, check=True, timeout=PATIENCE
    ).stdout.splitlines()[0]
    return Machine(
        (
            f"{date}, {_distribution()}, Linux {platform.release()}",
            f"{cpu or platform.machine()}, {os.cpu_count()} cores, {memory:.1f} GB of memory",
            f"load at the beginning {os.getloadavg()[0]:.1f} (should be near 0)",
            f"Python {platform.python_version()}, {_library()}, {server}",
            f"daemons: {', '.join(daemons)}",
            *missing,
        )
    )


def _distribution() -> str:
    return (_first(r'^PRETTY_NAME="?(.+?)"?$', Path("/etc/os-release")) or platform.system()).strip()


def _library() -> str:
    parser = "with its compiled parser" if find_spec("ovs._json") else "without its compiled parser"
    return f"python-ovs {ovs.version.VERSION} {parser}"


def _first(pattern: str, file: Path) -> str | None:
    found = re.search(pattern, file.read_text(), re.MULTILINE)
    return found[1] if found else None


def report(described: Machine, scenarios: Sequence[Scenario], results: Sequence[Result], verdicts: Sequence[Verdict]) -> str:
    """All tables, as Markdown."""
    parts = [INTRODUCTION, "\n".join(f"* {line}" for line in described.lines), "\n## Scenarios"]
    for scenario in scenarios:
        found = [result for result in results if result.scenario == scenario.name]
        if found:
            parts.append(f"\n### {scenario.title}\n\n{table(_HEADINGS, [_row(result) for result in found])}")
    restarted = [result for result in results if result.restart is not None]
    if restarted:
        parts.append(f"\n## Restart over what has settled\n\n{table(_RESTART_HEADINGS, [_restart_row(result) for result in restarted])}")
    if verdicts:
        parts.append(_targets(verdicts))
    return "\n".join(parts) + "\n"


def _targets(verdicts: Sequence[Verdict]) -> str:
    rows = [(verdict.target, verdict.measured, _met(verdict.met)) for verdict in verdicts]
    return f"\n## Targets\n\n{summary(verdicts)}.\n\n{table(_TARGET_HEADINGS, rows)}"


def _met(met: bool | None) -> str:
    return {True: "met", False: "NOT MET", None: ""}[met]


def _row(result: Result) -> tuple[str, ...]:
    return (
        result.daemon,
        _number(result.start, 2),
        _number(result.learned, 2),
        _number(result.idle, 2),
        _pair(result.cold_cpu, 2),
        _number(result.cold_server_cpu, 2),
        _number(result.latency, 1, MS) + (f" ({len(result.latencies)})" if 0 < len(result.latencies) < CHANGES else ""),
        _pair(result.change_cpu, 1, MS),
        _number(result.change_server_cpu, 1, MS),
        _pair(result.memory, 0),
    )


def _restart_row(result: Result) -> tuple[str, ...]:
    written = "-" if result.restart_written is None else str(result.restart_written)
    return (result.scenario, _number(result.restart, 2), _pair(result.restart_cpu, 2), _number(result.restart_server_cpu, 2), written)


def _number(value: float | None, digits: int, unit: float = 1.0) -> str:
    return "-" if value is None else f"{value / unit:.{digits}f}"


def _pair(values: Sequence[float] | None, digits: int, unit: float = 1.0) -> str:
    return " / ".join(_number(value, digits, unit) for value in values) if values else "-"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table that reads well as it stands."""
    lines = [headings, *rows]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(headings))]
    padded = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    return "\n".join([padded[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *padded[1:]])
