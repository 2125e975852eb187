# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel must have room for before hosts are started."""

from __future__ import annotations

import os
from pathlib import Path

from .settings import LabError

# systemd, its login manager, the message bus and the consoles of a host hold seven, and a running command one now and then. The limit is by
# user, and root of every host is the same one. Where none is left, a service fails in the middle of a boot without a word of the reason.
_INSTANCES_OF_A_HOST = 8
_LIMIT = "fs.inotify.max_user_instances"


def inotify_instances(proc: Path = Path("/proc"), user: int = 0) -> int:
    """Return how many inotify instances the processes of `user` have open."""
    found = 0
    for process in proc.iterdir():
        if not process.name.isdigit():
            continue
        try:
            if process.stat().st_uid != user:
                continue
            found += sum(os.readlink(file) == "anon_inode:inotify" for file in (process / "fd").iterdir())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has ended meanwhile, or is not ours to look into
    return found


def check_inotify(hosts: int, proc: Path = Path("/proc"), user: int = 0) -> None:
    """Raise LabError where the kernel has no room for the inotify instances of so many more hosts (inotify(7), /proc/sys/fs/inotify)."""
    limit = int((proc / "sys/fs/inotify/max_user_instances").read_text(encoding="ascii"))
    used, wanted = inotify_instances(proc, user), hosts * _INSTANCES_OF_A_HOST
    if used + wanted > limit:
        raise LabError(
            f"{hosts} more hosts need {wanted} inotify instances, and this machine has {max(limit - used, 0)} left of the {limit} that "
            f"{_LIMIT} allows to root ({used} are in use): raise it with `sysctl {_LIMIT}={_rounded(used + wanted)}`, or remove hosts of "
            "another lab"
        )


def _rounded(number: int) -> int:
    """Return the power of two that is at least twice `number`."""
    return 1 << (2 * number - 1).bit_length()
