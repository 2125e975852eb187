# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that keeps one host running: mounts its root in a mount namespace of its own and starts it again on reboot.

Started by `lab.labhosts.hosts` under `unshare --mount`; when it ends, its mounts are gone.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .process import run

# What systemd-nspawn --keep-unit returns where the host asks for a reboot.
_REBOOT = 133
_CAPABILITIES = "CAP_NET_ADMIN,CAP_IPC_LOCK,CAP_SYS_NICE,CAP_SYS_RESOURCE"


def booted_with_systemd() -> bool:
    """Whether this machine's PID 1 is systemd (sd_booted(3))."""
    return Path("/run/systemd/system").is_dir()


def keep_running(host_dir: Path, cgroup: str, namespace: str, lower: str) -> int:
    """Run the host in `host_dir` on the directories `lower` until it powers off; return the last exit status of systemd-nspawn."""
    (host_dir / "runner.pid").write_text(f"{os.getpid()}\n", encoding="ascii")
    if not booted_with_systemd():
        _enter_cgroup(cgroup)
    root = host_dir / "root"
    upper, work = host_dir / "upper", host_dir / "work"
    run("mount", "-t", "overlay", f"lab-{host_dir.name}", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}", str(root))
    os.environ.update(SYSTEMD_NSPAWN_LOCK="0", SYSTEMD_NSPAWN_API_VFS_WRITABLE="network")
    while True:
        status = subprocess.run(_nspawn(root, host_dir.name, namespace), stdin=subprocess.DEVNULL, check=False).returncode
        if status != _REBOOT:
            return status


def _enter_cgroup(cgroup: str) -> None:
    """Make the cgroup of this host and move there: without systemd nobody gives us one. The hosts want version 2 under its usual path."""
    run("umount", "--recursive", "/sys/fs/cgroup", check=False)
    run("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")
    path = Path("/sys/fs/cgroup") / cgroup
    path.mkdir(parents=True, exist_ok=True)
    (path / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")


def remove_cgroup(cgroup: str) -> None:
    """Kill everything in `cgroup` and remove it; to be called in a mount namespace of its own."""
    run("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")
    top = Path("/sys/fs/cgroup") / cgroup
    if not top.is_dir():
        return
    kill = top / "cgroup.kill"
    if kill.exists():
        kill.write_text("1", encoding="ascii")
    run("sh", "-c", _REMOVE, "sh", str(top))


# The kernel tells of an empty cgroup in cgroup.events; a killed process may need a moment to leave.
_REMOVE = r"""
tries=0
while grep -q '^populated 1' "$1/cgroup.events"; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] || { echo "processes remain in $1" >&2; exit 1; }
    sleep 0.05
done
find "$1" -depth -type d -exec rmdir {} +
"""


def _nspawn(root: Path, name: str, namespace: str) -> list[str]:
    """Return the command that boots the host."""
    return [
        "systemd-nspawn",
        "--quiet",
        "--register=no",
        "--keep-unit",
        f"--directory={root}",
        "--boot",
        f"--machine={name}",
        f"--network-namespace-path=/run/netns/{namespace}",
        "--console=read-only",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        f"--capability={_CAPABILITIES}",
        "--bind=/dev/net/tun",
    ]
