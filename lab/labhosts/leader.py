# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes a host consists of: runner (ours) -> systemd-nspawn -> leader, the host's PID 1.

Looked up again by every caller from the runner's pid, because a reboot exchanges the two others. No import of the rest of the
package, so that the connection plugin pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

ENTER_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "USER": "root",
    "LANG": "C.UTF-8",
}


def children(pid: int) -> list[int]:
    """Return the children of `pid`; none where it does not exist."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def arguments(pid: int) -> list[str]:
    """Return the command line of `pid`; none where it does not exist or is a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def runner_pid(state_dir: Path, name: str) -> int | None:
    """Return the pid of the living runner of the host `name`, else None."""
    try:
        pid = int((state_dir / "hosts" / name / "runner.pid").read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    # The number may belong to another process by now.
    return pid if "_run" in arguments(pid) and str(state_dir / "hosts" / name) in arguments(pid) else None


def leader_pid(state_dir: Path, name: str) -> int | None:
    """Return the pid (in this machine's numbers) of the PID 1 of the host `name`; None while it is down or starting."""
    runner = runner_pid(state_dir, name)
    for nspawn in children(runner) if runner else ():
        for child in children(nspawn):
            if _is_init(child):
                return child
    return None


def _is_init(pid: int) -> bool:
    """Whether `pid` is PID 1 of a pid namespace of its own (nspawn's helper process of the first moments is not)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    inner = [line.split()[-1] for line in status.splitlines() if line.startswith("NSpid:")]
    return inner == ["1"] and "State:\tZ" not in status


def enter_command(leader: int, command: Sequence[str]) -> list[str]:
    """Return the command line that runs `command` inside the host whose PID 1 is `leader`."""
    environment = [f"{name}={value}" for name, value in ENTER_ENVIRONMENT.items()]
    return ["nsenter", f"--target={leader}", "--all", "--root", "--wd", "--", "/usr/bin/env", "-i", *environment, *command]
