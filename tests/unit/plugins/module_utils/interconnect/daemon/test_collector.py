# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the daemon lets Python's garbage collector work."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.daemon import main


@pytest.fixture(autouse=True)
def _collecting() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_it_rests_while_there_is_work() -> None:
    collector = main.Collector()
    assert not gc.isenabled()
    collector.follow(busy=False)
    assert gc.isenabled()
    collector.follow(busy=True)
    assert not gc.isenabled()


def test_it_works_again_where_work_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(main.time, "monotonic", lambda: now[0])
    collector = main.Collector()
    now[0] = 59.0
    collector.follow(busy=True)
    assert not gc.isenabled()
    now[0] = 61.0
    collector.follow(busy=True)
    assert gc.isenabled()


def test_what_a_large_piece_of_work_has_left_is_kept_out() -> None:
    gc.collect()
    before = gc.get_freeze_count()
    collector = main.Collector()
    collector.follow(busy=False)
    assert gc.get_freeze_count() == before
    collector.follow(busy=True)
    rows = [[number] for number in range(150_000)]
    collector.follow(busy=False)
    assert gc.get_freeze_count() - before > len(rows)
