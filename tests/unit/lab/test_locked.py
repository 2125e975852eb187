# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock files of the lab, held by several at once: every opening of a file counts as another process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.lab.labhosts.process import locked


def test_one_at_a_time_and_no_file_is_left(tmp_path: Path) -> None:
    path = tmp_path / "locks/lab"
    inside = threading.Semaphore(1)
    taken = []

    def work(number: int) -> None:
        for _time in range(50):
            with locked(path, "the lab"):
                assert inside.acquire(blocking=False)
                taken.append(number)
                inside.release()

    with ThreadPoolExecutor(max_workers=8) as pool:
        for future in [pool.submit(work, number) for number in range(8)]:
            future.result()
    assert sorted(taken) == sorted([*range(8)] * 50)
    assert not path.exists()


def test_an_error_gives_the_lock_back(tmp_path: Path) -> None:
    path = tmp_path / "lab"
    with pytest.raises(ZeroDivisionError), locked(path, "the lab"):
        raise ZeroDivisionError
    assert not path.exists()
