# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One scenario with one daemon in both zones, from an empty set-up to the figures."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from uuid import UUID

from ansible_collections.ovn.interconnect.tests.support.rpc import PATIENCE
from ansible_collections.ovn.interconnect.tests.support.servers import (
    OURS,
    UPSTREAM,
    Interconnect,
    Server,
    SuiteMissingError,
    daemon_command,
    suite,
)

from .measure import Meter, OutOfTimeError, Used, Watch, Worker, peak_memory
from .scenarios import Loader, Scenario, fill, prefix

LIMIT = 300.0
"""Seconds after which a daemon is stopped in a scenario, whatever it has reached."""
CHANGES = 20
CHANGES_LIMIT = 45.0
"""Seconds after which no further change is begun: where one takes a minute, the first ones tell."""
QUIET_COLD, QUIET_CHANGE = 1.0, 0.3
"""Seconds without work that count as idle: after a start, and after a change."""
STARTS = 5


@dataclass(frozen=True)
class Contender:
    """A sync daemon to be measured: kind `ours` or `upstream`, on the databases of a generation of OVN."""

    kind: str
    generation: str
    version: str = ""

    @property
    def name(self) -> str:
        """How the tables call it."""
        return "this project" if self.kind == OURS else f"upstream {self.version}"

    @property
    def title(self) -> str:
        """The same with its version in any case."""
        return f"this project {self.version}" if self.kind == OURS else self.name

    @property
    def command(self) -> list[str]:
        """The beginning of its command line."""
        return daemon_command(self.kind, suite(self.generation))


def contender(kind: str, generation: str) -> Contender:
    """The daemon with its version; SuiteMissingError if it is not on this machine, OSError or CalledProcessError if it does not run."""
    found = Contender(kind, generation)
    answer = subprocess.run([*found.command, "--version"], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    return Contender(kind, generation, answer.splitlines()[0].split()[-1])


@dataclass
class Result:
    """The figures of one daemon in one scenario; seconds and MB, of zone 1 and zone 2 where there are two. None: not reached."""

    scenario: str
    daemon: str
    kind: str
    start: float
    learned: float | None = None
    idle: float | None = None
    cold_cpu: list[float] | None = None
    cold_server_cpu: float | None = None
    latencies: list[float] = field(default_factory=list)
    change_cpu: list[float] | None = None
    change_server_cpu: float | None = None
    memory: list[float] = field(default_factory=list)
    restart: float | None = None
    restart_cpu: list[float] | None = None
    restart_server_cpu: float | None = None
    restart_written: int | None = None
    stopped: float | None = None

    @property
    def latency(self) -> float | None:
        """The median of all latencies."""
        return statistics.median(self.latencies) if self.latencies else None

    @property
    def dearest_change(self) -> float | None:
        """CPU per change of the daemon that needed more."""
        return max(self.change_cpu) if self.change_cpu else None

    @property
    def peak(self) -> float:
        """Peak memory of the daemon that needed more."""
        return max(self.memory)


def start_seconds(candidate: Contender) -> float:
    """Median time from the start of the program to the end of its imports: what `--version` takes."""
    taken = []
    for _ in range(STARTS):
        begun = time.monotonic()
        subprocess.run([*candidate.command, "--version"], stdout=subprocess.DEVNULL, check=True, timeout=PATIENCE)
        taken.append(time.monotonic() - begun)
    return statistics.median(taken)


def measure(scenario: Scenario, candidate: Contender, limit: float = LIMIT) -> Result:
    """Run one scenario with one daemon in both zones, and stop all of it."""
    result = Result(scenario.name, candidate.name, candidate.kind, start_seconds(candidate))
    with Interconnect(candidate.generation, candidate.kind) as interconnect:
        for name in ("az1", "az2"):
            interconnect.add_zone(name)
        interconnect.start(daemons=False)
        routers = fill(interconnect, scenario)
        with ExitStack() as stack:
            try:
                _Run(interconnect, scenario, result, limit, stack).everything(routers)
            except OutOfTimeError:
                result.stopped = limit
    return result


class _Run:
    """The daemons at work, step by step; each step adds its figures to the result."""

    def __init__(self, interconnect: Interconnect, scenario: Scenario, result: Result, limit: float, stack: ExitStack) -> None:
        self._interconnect = interconnect
        self._scenario = scenario
        self._result = result
        self._servers = [process for process in interconnect.processes if isinstance(process, Server)]
        self._watch = Watch(interconnect.zones[1].nb_server)
        stack.callback(self._watch.close)
        self._routes = stack.enter_context(Loader(interconnect.zones[0].nb_server))
        self._deadline = time.monotonic() + limit
        self._workers: list[Worker] = []
        stack.callback(self._stop)

    def everything(self, routers: Sequence[UUID]) -> None:
        """A cold start, changes, and where there is nobody to compare with a start over what has settled."""
        self._cold()
        try:
            self._change(routers)
        except OutOfTimeError:
            self._note_memory()
            raise
        self._note_memory()
        if self._scenario.ours_alone:
            self._stop()
            self._again()

    def _start(self) -> tuple[float, Meter, Used]:
        pids = [server.pid for server in self._servers if server.pid is not None]
        before = Meter([], pids, self._watch).used()
        begun = time.monotonic()
        for zone in self._interconnect.zones:
            self._workers.append(Worker(zone.daemon))
        return begun, Meter(self._workers, pids, self._watch), Used((0.0, 0.0), before.servers)

    def _stop(self) -> None:
        while self._workers:
            self._workers.pop().stop()

    def _cold(self) -> None:
        result = self._result
        begun, self._meter, before = self._start()
        try:
            result.learned = self._watch.until(self._all_learned, self._deadline) - begun
            result.idle = self._meter.until_idle(QUIET_COLD, self._deadline) - begun
        except OutOfTimeError:
            self._note_cold(before)
            raise
        self._note_cold(before)

    def _note_cold(self, before: Used) -> None:
        used = self._meter.used().since(before)
        self._result.cold_cpu, self._result.cold_server_cpu = list(used.daemons), used.servers
        self._note_memory()

    def _note_memory(self) -> None:
        self._result.memory = [peak_memory(worker.pid) for worker in self._workers]

    def _all_learned(self) -> bool:
        for worker in self._workers:
            worker.check()
        return self._watch.count >= self._scenario.total

    def _change(self, routers: Sequence[UUID]) -> None:
        result = self._result
        before = self._meter.used()
        last = time.monotonic() + CHANGES_LIMIT
        for number in range(CHANGES):
            if time.monotonic() > last:
                return
            added = prefix(0, self._scenario.total + number)
            begun = time.monotonic()
            self._routes.add_route(routers[number % len(routers)], added)
            seen = self._watch.until(lambda added=added: added in self._watch.prefixes, self._deadline)  # type: ignore[misc]
            result.latencies.append(seen - begun)
            self._meter.until_idle(QUIET_CHANGE, self._deadline)
            used = self._meter.used().since(before)
            result.change_cpu = [seconds / (number + 1) for seconds in used.daemons]
            result.change_server_cpu = used.servers / (number + 1)

    def _again(self) -> None:
        result = self._result
        size = self._written()
        begun, meter, before = self._start()
        result.restart = meter.until_idle(QUIET_COLD, self._deadline) - begun
        used = meter.used().since(before)
        result.restart_cpu, result.restart_server_cpu = list(used.daemons), used.servers
        result.restart_written = self._written() - size

    def _written(self) -> int:
        """Bytes in the databases' files: they grow with every transaction that changes something."""
        return sum(server.file.stat().st_size for server in self._servers)


def newest_upstream(generations: Sequence[str]) -> tuple[Contender | None, list[str]]:
    """Upstream's daemon of the first of these generations that runs here, and why the ones before it do not."""
    reasons: list[str] = []
    for generation in generations:
        try:
            return contender(UPSTREAM, generation), reasons
        except (SuiteMissingError, OSError, subprocess.SubprocessError) as failure:
            reasons.append(f"upstream's daemon of {generation}: not run, {' '.join(str(failure).split())}")
    return None, reasons


def ours() -> Contender:
    """This project's daemon, on the databases of this machine's packages."""
    return contender(OURS, "host")


def say(text: str) -> None:
    """Tell the person who waits how far it is."""
    sys.stderr.write(f"{text}\n")
