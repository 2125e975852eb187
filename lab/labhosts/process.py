# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running programs and ending processes: errors as sentences, progress of long steps, locks."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .settings import LabError

_started = time.monotonic()


def say(text: str) -> None:
    """Print a line of progress with the seconds since the start."""
    print(f"[{time.monotonic() - _started:5.0f} s] {text}", file=sys.stderr, flush=True)


def run(*command: str, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run `command` and return its result; raise LabError with its own words where it failed and `check` is set."""
    try:
        done = subprocess.run(
            command, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise LabError(f"the program {command[0]} is not installed on this machine") from error
    if check and done.returncode:
        raise LabError(f"{' '.join(command)} failed with {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done


@contextmanager
def _ticking(what: str, every: float = 10.0) -> Iterator[None]:
    """Say every `every` seconds that `what` is still going on."""
    done = threading.Event()
    start = time.monotonic()

    def tick() -> None:
        while not done.wait(every):
            say(f"{what}: {time.monotonic() - start:.0f} s so far")

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def run_long(what: str, command: Sequence[str], log: Path, stdin: str = "") -> None:
    """Run `command` with its output in `log`, telling the progress; raise LabError with the end of the log where it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    say(what)
    try:
        with log.open("wb") as output, _ticking(what):
            done = subprocess.run(command, input=stdin.encode(), stdout=output, stderr=subprocess.STDOUT, check=False)
    except FileNotFoundError as error:
        raise LabError(f"the program {command[0]} is not installed on this machine") from error
    if done.returncode:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise LabError(f"{what} failed with {done.returncode}; the end of {log}:\n{tail}")
    say(f"{what}: done in {time.monotonic() - start:.0f} s")


def kill(pid: int) -> None:
    """Kill a process and wait until it has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        if not select.select([descriptor], [], [], 30.0)[0]:
            raise LabError(f"process {pid} does not end after SIGKILL")
    except ProcessLookupError:
        return
    finally:
        os.close(descriptor)


def _stands(path: Path, file: IO[str]) -> bool:
    """Whether the open `file` is what `path` names now."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path`, which exists only while a process holds it; fail with a message if another process does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("w", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"waiting for another process that works on {what}")
                fcntl.flock(file, fcntl.LOCK_EX)
            # Whoever held it before has removed it: this file is a lock only as long as the others find it too.
            if _stands(path, file):
                try:
                    yield
                finally:
                    path.unlink()
                return
