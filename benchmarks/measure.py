# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measuring processes from outside: CPU clocks, peak memory, and when a database shows what is waited for."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.ovn.interconnect.tests.support.rpc import PATIENCE, Json, JsonRpc
from ansible_collections.ovn.interconnect.tests.support.servers import Process, Server

STEP = 0.01
"""Seconds between two looks at the CPU clocks: there is no event for "has nothing more to do"."""
LOOK = 1.0
"""Seconds after which a condition is asked again without an update: a daemon may have ended."""
NOISE = 0.002
"""CPU seconds of all processes together that do not count as work: timers, and this program's own monitor."""


class OutOfTimeError(Exception):
    """The time given to a daemon in a scenario is over."""


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process until now, from its CPU clock (see clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def peak_memory(pid: int) -> float:
    """The most memory that a process has ever had resident, in MB (10**6 bytes)."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None, f"no VmHWM of process {pid}"
    return int(found[1]) * 1024 / 1e6


class Worker:
    """A daemon in the foreground: its CPU time begins with the first instruction of its interpreter."""

    def __init__(self, process: Process) -> None:
        self._process = process
        process.log.unlink(missing_ok=True)
        files = [f"--pidfile={process.pidfile}", f"--log-file={process.log}", f"--unixctl={process.control_socket}"]
        directory = str(process.directory)
        self._child = subprocess.Popen(
            [*process.command, "-vconsole:off", *files, *process.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OVS_RUNDIR": directory, "OVN_RUNDIR": directory},
        )
        self.pid = self._child.pid

    def check(self) -> None:
        """Raise RuntimeError with its log if it has ended by itself."""
        if self._child.poll() is not None:
            raise RuntimeError(f"the daemon ended with status {self._child.returncode}:\n{self._process.tail()}")

    def stop(self) -> None:
        """End it and wait for its end."""
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


class Watch:
    """Counts the static routes that appear in a zone's NB, from now on."""

    def __init__(self, server: Server) -> None:
        self.prefixes: set[str] = set()
        self._rows: set[str] = set()
        self._rpc = JsonRpc(server.socket, self._notified)
        select: Json = {"initial": False, "insert": True, "delete": True, "modify": False}
        request: Json = {"Logical_Router_Static_Route": [{"columns": ["ip_prefix"], "select": select}]}
        self._rpc.request("monitor", [server.database_name, None, request])

    def close(self) -> None:
        """Close the connection."""
        self._rpc.close()

    @property
    def count(self) -> int:
        """Routes that came and have not gone."""
        return len(self._rows)

    def until(self, condition: Callable[[], bool], deadline: float) -> float:
        """Take in updates until the condition holds; the moment (monotonic). OutOfTimeError when the deadline passes."""
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                raise OutOfTimeError
            self._rpc.drain(min(left, LOOK))
        return time.monotonic()

    def pump(self, seconds: float) -> None:
        """Take in updates, waiting so long for a first one."""
        self._rpc.drain(seconds)

    def _notified(self, _method: str, params: list[Json]) -> None:
        tables = params[1]
        assert isinstance(tables, dict)
        for rows in tables.values():
            assert isinstance(rows, dict)
            for uuid, change in rows.items():
                assert isinstance(change, dict)
                new = change.get("new")
                if isinstance(new, dict):
                    self._rows.add(uuid)
                    self.prefixes.add(str(new["ip_prefix"]))
                else:
                    self._rows.discard(uuid)


@dataclass(frozen=True)
class Used:
    """CPU seconds used until a moment, or between two: of each daemon, and of all OVSDB servers together."""

    daemons: tuple[float, ...]
    servers: float

    def since(self, before: Used) -> Used:
        """What was used between the two."""
        return Used(tuple(now - then for now, then in zip(self.daemons, before.daemons)), self.servers - before.servers)

    @property
    def total(self) -> float:
        """All together."""
        return sum(self.daemons) + self.servers


class Meter:
    """The CPU clocks of the daemons and servers of one interconnect."""

    def __init__(self, workers: Sequence[Worker], servers: Sequence[int], watch: Watch) -> None:
        self._workers = workers
        self._servers = servers
        self._watch = watch

    def used(self) -> Used:
        """What was used until now."""
        for worker in self._workers:
            worker.check()
        return Used(tuple(cpu_seconds(worker.pid) for worker in self._workers), sum(cpu_seconds(pid) for pid in self._servers))

    def until_idle(self, quiet: float, deadline: float) -> float:
        """Wait until no process has worked for `quiet` seconds; the moment (monotonic) when the last one did."""
        since, total = time.monotonic(), self.used().total
        while True:
            self._watch.pump(STEP)
            now, worked = time.monotonic(), self.used().total
            if worked - total > NOISE:
                since, total = now, worked
            elif now - since > quiet:
                return since
            if now > deadline:
                raise OutOfTimeError
