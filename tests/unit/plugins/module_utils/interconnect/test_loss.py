# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule of docs/loss-and-restore.md, in random histories of losses, restores, renames, joins, stopped daemons and releases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ovn.interconnect.tests.support.examples import examples

from .loss_world import History, run


@pytest.mark.parametrize("old", [False, True], ids=["newest", "23.03"])
@pytest.mark.parametrize("zones", [3, 4])
@examples(25)
@given(seed=st.integers(0, 2**32))
def test_losses_and_restores_leave_every_attachment_and_tunnel_key(zones: int, old: bool, seed: int) -> None:
    run(seed, zones, old=old)


@pytest.mark.parametrize("old", [False, True], ids=["newest", "23.03"])
@pytest.mark.parametrize(
    ("seed", "zones"),
    [
        pytest.param(12, 3, id="a transit switch that a zone withholds is defined again"),
        pytest.param(22, 3, id="the only zone that holds a key has lost its NB"),
        pytest.param(50, 4, id="a zone is renamed and its external_ids are emptied"),
        pytest.param(84, 3, id="an NB that is restored has no notes of copies"),
        pytest.param(196, 3, id="requests raise the counter of an older copy"),
        pytest.param(5031, 3, id="external_ids are emptied during a hold"),
        pytest.param(240, 3, id="the key of a switch that waits for its own is given to another"),
    ],
)
def test_histories_that_failed_once(seed: int, zones: int, old: bool) -> None:
    run(seed, zones, old=old)


@pytest.mark.parametrize("old", [False, True], ids=["newest", "23.03"])
@pytest.mark.parametrize(
    ("seed", "zones"),
    [
        pytest.param(7054, 3, id="an NB that was empty has registered with another token"),
        pytest.param(7054, 4, id="and IC_SB was lost too"),
    ],
)
def test_long_histories_that_failed_once(seed: int, zones: int, old: bool) -> None:
    run(seed, zones, old=old, events=25)


@pytest.mark.parametrize("old", [False, True], ids=["newest", "23.03"])
@pytest.mark.parametrize("seed", range(3))
def test_a_zone_that_does_not_know_the_keys_gets_the_lock_after_a_loss_of_both_global_databases(seed: int, old: bool) -> None:
    history = History(seed, 3, old=old)
    held = dict(history.keys)
    history.lose_ic_nb()
    history.lose_ic_sb()
    history.add_zone(4)
    history.world.give_lock("az4")
    for name in reversed(history.SWITCHES):
        history.add_switch(name)
        history.rest()
    assert {name: key for name, key in history.keys.items() if name in held} == held
    assert not history.limits
    history.finish()
