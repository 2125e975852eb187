# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Subjects only read: what they are asked for in random histories changes neither rows nor facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.engine import Subject
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects import all_subjects
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import Zone

from . import loss_world
from .simulated_zones import World
from .test_law import ZONES, Hand

QUESTIONS = ("infer", "keys", "fact_keys", "all_keys", "plan")
WRITES = ("put", "put_whole", "update", "delete", "change_members", "index", "watch")


class Seal:
    """Makes subjects whose questions fail if answering them writes to a store or to the zone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        #: The question that is being answered.
        self.asked = ""
        #: How often each question was answered.
        self.answers = dict.fromkeys(QUESTIONS, 0)
        for name in WRITES:
            monkeypatch.setattr(Store, name, self._only_unasked(getattr(Store, name)))

    def _only_unasked(self, write: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(write)
        def checked(*args: Any) -> Any:
            assert not self.asked, f"{self.asked} calls Store.{write.__name__}"
            return write(*args)

        return checked

    def subjects(self) -> Sequence[Subject]:
        """All subjects."""
        found = all_subjects()
        for subject in found:
            for name in QUESTIONS:
                setattr(subject, name, self._answering(subject, name))
        return found

    def _answering(self, subject: Subject, name: str) -> Callable[..., Any]:
        question = getattr(subject, name)

        def answer(*args: Any) -> Any:
            zone = args[-1]
            assert isinstance(zone, Zone)
            before, self.asked = attributes(zone), f"{subject.name}.{name}"
            try:
                found = question(*args)
                found = found if name == "infer" else list(found)
            finally:
                self.asked = ""
            after = attributes(zone)
            assert [key for key in {*before, *after} if before.get(key) is not after.get(key)] == [], f"{subject.name}.{name}"
            self.answers[name] += 1
            return found

        return answer


def attributes(zone: Zone) -> dict[str, Any]:
    """The attributes of a zone, without its cache of rows."""
    return {name: value for name, value in vars(zone).items() if name != "_identity"}


@pytest.fixture
def seal(monkeypatch: pytest.MonkeyPatch) -> Seal:
    return Seal(monkeypatch)


@pytest.mark.parametrize("seed", range(4))
def test_a_subject_changes_nothing_in_a_random_history(seal: Seal, seed: int) -> None:
    world = World(seal.subjects, ZONES, seed=seed)
    hand = Hand(world, seed)
    hand.furnish()
    for _episode in range(6):
        for _edit in range(3):
            hand.act()
        world.converge(together=hand.random.random() < 0.5, retries=3)
        world.give_lock(hand.random.choice(ZONES))
    assert all(seal.answers.values())


@pytest.mark.parametrize("seed", range(2))
def test_a_subject_changes_nothing_while_databases_are_lost(seal: Seal, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(loss_world, "all_subjects", seal.subjects)
    loss_world.run(seed, 3, old=False)
    assert all(seal.answers.values())


@pytest.mark.parametrize("write", ["fact", "row"])
def test_a_subject_that_writes_is_noticed(seal: Seal, monkeypatch: pytest.MonkeyPatch, write: str) -> None:
    zone = Zone.simulated()
    subject = all_subjects()[0]

    def plan(_key: object, zone: Zone) -> tuple[()]:
        if write == "fact":
            zone.facts = zone.facts._replace(confirmable=1)
        else:
            zone.nb.put("NB_Global", "g", {"name": "az1"})
        return ()

    monkeypatch.setattr(subject, "plan", plan)
    with pytest.raises(AssertionError, match=r"zones\.plan"):
        seal._answering(subject, "plan")((), zone)
