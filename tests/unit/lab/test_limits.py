# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the kernel has room for more hosts, read from a made-up /proc."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.lab.labhosts.limits import check_inotify, inotify_instances
from ansible_collections.ovn.interconnect.lab.labhosts.settings import LabError


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A machine with the limit 128, and two processes that hold ten instances together."""
    limits = tmp_path / "sys/fs/inotify"
    limits.mkdir(parents=True)
    (limits / "max_user_instances").write_text("128\n", encoding="ascii")
    for pid, instances in ((1, 7), (42, 3)):
        files = tmp_path / str(pid) / "fd"
        files.mkdir(parents=True)
        for number in range(instances):
            (files / str(number)).symlink_to("anon_inode:inotify")
        (files / "90").symlink_to("/dev/null")
    return tmp_path


def test_the_instances_of_all_processes_are_counted(proc: Path) -> None:
    assert inotify_instances(proc, os.getuid()) == 10


def test_those_of_another_user_are_not(proc: Path) -> None:
    assert inotify_instances(proc, os.getuid() + 1) == 0


def test_there_is_room(proc: Path) -> None:
    check_inotify(14, proc, os.getuid())


def test_there_is_none_and_the_sentence_says_what_to_do(proc: Path) -> None:
    with pytest.raises(LabError, match=r"15 more hosts need 120 .* 118 left of the 128 .*`sysctl fs\.inotify\.max_user_instances=512`"):
        check_inotify(15, proc, os.getuid())


def test_this_machine_can_be_read() -> None:
    check_inotify(0)
