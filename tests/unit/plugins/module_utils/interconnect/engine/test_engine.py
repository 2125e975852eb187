# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine: queued keys, keys in flight, and keys that back off."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import (
    INSERT,
    UPDATE,
    Change,
    Group,
    Skipped,
    Step,
    insert,
    update,
)
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.engine import (
    ALL,
    Engine,
    Keys,
    Subject,
)
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.replies import READ_ONLY, Outcome, Reply
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.workqueue import MOMENT, Cause
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import RowChange
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, NB
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import ZONE_KEY, Zone


class Mirror(Subject):
    """Copies the name of each transit switch to a zone's switch: a subject as small as one can be."""

    name = "mirror"
    tables = frozenset([(IC_NB, "Transit_Switch")])

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        if any(row["name"] == "all" for row in change.rows):
            return (ALL,)
        if any(row["name"] == "unreadable" for row in change.rows):
            raise ValueError("what is this?")
        return [row["name"] for row in change.rows]

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        return [row["name"] for row in zone.ic_nb.rows("Transit_Switch")]

    def plan(self, key: Hashable, zone: Zone) -> Iterator[Step]:
        if key == "bad":
            yield Skipped("bad", "nobody can do this")
        elif key == "broken":
            raise TypeError("no such thing")
        elif zone.nb.first("Logical_Switch", "name", key) is None:
            yield insert(zone.nb, "Logical_Switch", {"name": key}, record=str(key), reason="r")


class WatchingMirror(Mirror):
    """The same, looking at the switches that it makes: it notices when another client deletes one."""

    tables = frozenset([(IC_NB, "Transit_Switch"), (NB, "Logical_Switch")])

    def plan(self, key: Hashable, zone: Zone) -> Iterator[Step]:
        if key in ("bad", "broken") or zone.ic_nb.first("Transit_Switch", "name", key) is not None:
            yield from super().plan(key, zone)


class Setter(WatchingMirror):
    """Sets a key of each switch."""

    def plan(self, key: Hashable, zone: Zone) -> Iterator[Step]:
        row = zone.nb.first("Logical_Switch", "name", key)
        if row is not None:
            keys = {"other_config": {"gateway": "gw1"}}
            yield from update(zone.nb, "Logical_Switch", row, record=str(key), reason="r", keys=keys)


class SureMirror(Mirror):
    """The same, looking at the switches that it makes, and sure of what it has made."""

    additive = frozenset([(NB, "Logical_Switch")])
    tables = frozenset([(IC_NB, "Transit_Switch"), (NB, "Logical_Switch")])


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def begin(subject: Subject) -> tuple[Zone, Engine, Clock]:
    """A registered zone, and an engine that has begun on it."""
    zone, clock = Zone.simulated(), Clock()
    zone.ic_sb.put("Availability_Zone", "az", {"name": "az1"})
    zone.nb.put("NB_Global", "g", {"name": "az1", "external_ids": {ZONE_KEY: "az"}})
    engine = Engine(zone, [subject], clock)
    engine.restart()
    return zone, engine, clock


@pytest.fixture
def world() -> tuple[Zone, Engine, Clock]:
    return begin(WatchingMirror())


def add_switch(zone: Zone, engine: Engine, name: str) -> None:
    change = zone.ic_nb.put("Transit_Switch", f"uuid-{name}", {"name": name})
    assert change is not None
    engine.observe([change])


class TestEngine:
    def test_only_dirty_keys_are_looked_at(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        assert [group.key for group in engine.plan()] == ["ts1"]
        assert engine.planned == [("mirror", "ts1")]
        assert engine.plan() == []

    def test_a_key_on_its_way_waits_for_the_reply(self, world: tuple[Zone, Engine, Clock]) -> None:
        """A key waits for its own commit; upstream's cycle waits for all of them (spec status-F-3)."""
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        (group,) = engine.plan()
        engine.sent(group)
        engine.add("mirror", "ts1")
        assert not engine.has_work
        assert not engine.at_rest
        engine.done(Reply(group))
        assert engine.has_work

    def test_a_group_in_two_databases_arrives_when_both_replies_are_there(self, world: tuple[Zone, Engine, Clock]) -> None:
        """Each database commits its part of a group for itself, and the key waits for both (spec routes-1.4)."""
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        (group,) = engine.plan()
        engine.sent(group, 2)
        engine.done(Reply(group))
        assert not engine.at_rest
        engine.done(Reply(group))
        assert engine.at_rest

    def test_a_rejected_key_is_tried_again_at_once_and_then_later_and_later(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, clock = world
        add_switch(zone, engine, "ts1")
        times = []
        while len(times) < 8:
            for group in engine.plan():
                times.append(clock.now)
                engine.sent(group)
                engine.done(Reply(group, Outcome.REJECTED, "the server's words"))
            if not engine.has_work:
                assert [skipped.reason for _subject, skipped in engine.skipped] == ["the server's words"]
                assert engine.next_due is not None
                clock.now = engine.next_due
        assert times == [0, 0, 4, 12, 28, 60, 120, 180]

    def test_after_a_success_the_back_off_begins_anew(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        for outcome in ("rejected", "committed", "rejected"):
            engine.add("mirror", "ts1")
            (group,) = engine.plan()
            engine.sent(group)
            if outcome == "committed":
                engine.done(Reply(group))
            else:
                engine.done(Reply(group, Outcome.REJECTED, "no"))
        assert engine.waiting == {}

    def test_half_a_success_is_none(self, world: tuple[Zone, Engine, Clock]) -> None:
        """A group in two databases of which one refuses: the other's commit does not restart the back-off."""
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        for _turn in range(2):
            (group,) = engine.plan()
            engine.sent(group, 2)
            engine.done(Reply(group, Outcome.REJECTED, "no"))
            engine.done(Reply(group))
        assert engine.waiting[("mirror", "ts1")].wait == 4

    def test_a_lost_group_is_looked_at_again(self, world: tuple[Zone, Engine, Clock]) -> None:
        """What was in flight when the connection ended is evaluated again (spec status-F-5)."""
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        (group,) = engine.plan()
        engine.sent(group)
        engine.done(Reply(group, Outcome.LOST))
        assert [again.key for again in engine.plan()] == ["ts1"]

    def dispute(self, world: tuple[Zone, Engine, Clock], lasts: float, until: float) -> list[float]:
        """When the engine writes one row while another writer changes it back at once for so long, and then no more."""
        zone, engine, clock = world
        add_switch(zone, engine, "ts1")
        times = []
        while clock.now <= until:
            for group in engine.plan():
                times.append(clock.now)
                engine.sent(group)
                engine.done(Reply(group))
                if clock.now < lasts:
                    self.revert(zone, engine)
                else:
                    zone.nb.put("Logical_Switch", "u", {"name": "ts1"})
            if not engine.has_work:
                if engine.next_due is None:
                    break
                clock.now = max(clock.now + 0.001, engine.next_due)
        return times

    def test_two_writers_that_disagree_do_not_storm(self, world: tuple[Zone, Engine, Clock]) -> None:
        """Seven writes at once, a few more in ever longer intervals, in the end one a minute."""
        times = self.dispute(world, lasts=3600, until=3600)
        assert times.count(0) == 7
        assert sum(time <= 60 for time in times) == 19
        assert sum(60 < time <= 3600 for time in times) == 59
        (skipped,) = [skipped for _subject, skipped in world[1].skipped if skipped.record == "ts1"]
        assert "another client keeps reverting this row" in skipped.reason

    @pytest.mark.parametrize("lasts", [0.05, 0.5, 5])
    def test_a_dispute_costs_no_more_than_as_much_time_again(self, world: tuple[Zone, Engine, Clock], lasts: float) -> None:
        """Such as the one with a daemon that has not heard yet of the transit switch whose datapath it deletes."""
        times = self.dispute(world, lasts, until=60)
        assert lasts <= times[-1] <= 2 * lasts + 0.02
        assert world[1].at_rest

    def test_a_dispute_of_a_moment_is_no_news_and_no_rest(self, world: tuple[Zone, Engine, Clock]) -> None:
        _zone, engine, clock = world
        self.begin_dispute(world)
        assert engine.plan() == []
        assert engine.waiting[("mirror", "ts1")].wait == 0.01
        assert (engine.has_work, engine.has_soon, engine.at_rest, engine.news) == (False, True, False, [])
        clock.now = 0.01
        assert [group.key for group in engine.plan()] == ["ts1"]

    def test_a_refusal_after_a_dispute_is_the_first_one(self, world: tuple[Zone, Engine, Clock]) -> None:
        _zone, engine, clock = world
        self.begin_dispute(world)
        self.refuse_next(world)
        clock.now = engine.next_due or 0
        assert [group.key for group in engine.plan()] == ["ts1"]

    def test_what_is_refused_again_during_a_dispute_waits_as_long_as_what_is_refused(self, world: tuple[Zone, Engine, Clock]) -> None:
        _zone, engine, clock = world
        self.begin_dispute(world)
        self.refuse_next(world)
        self.refuse_next(world)
        assert engine.waiting[("mirror", "ts1")][1:4] == (4, "no", Cause.REFUSED)
        clock.now += 3.9  # the rest of the dispute is over, and says nothing any more
        assert engine.plan() == []

    @staticmethod
    def writes_of_a_minute(world: tuple[Zone, Engine, Clock], answer: Callable[[Group, int], None]) -> int:
        """How many groups the engine writes for one switch in a minute. ``answer`` gets each group when it was sent, with its number."""
        zone, engine, clock = world
        add_switch(zone, engine, "ts1")
        writes = 0
        while clock.now < 60:
            for group in engine.plan():
                writes += 1
                engine.sent(group)
                answer(group, writes)
            clock.now += 0.001
        return writes

    @staticmethod
    def begin_dispute(world: tuple[Zone, Engine, Clock]) -> None:
        """Write one row until it rests for the first time."""
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        for _write in range(7):
            (group,) = engine.plan()
            engine.sent(group)
            engine.done(Reply(group))
            TestEngine.revert(zone, engine)

    @staticmethod
    def revert(zone: Zone, engine: Engine) -> None:
        """Another client deletes the switch that was just inserted."""
        zone.nb.put("Logical_Switch", "u", {"name": "ts1"})
        gone = zone.nb.delete("Logical_Switch", "u")
        assert gone is not None
        engine.observe([gone])

    @staticmethod
    def refuse_next(world: tuple[Zone, Engine, Clock]) -> None:
        """Wait for the end of the rest, write once more, and be refused."""
        _zone, engine, clock = world
        groups = engine.plan()
        if not groups:
            clock.now = engine.next_due or clock.now
            groups = engine.plan()
        (group,) = groups
        engine.sent(group)
        engine.done(Reply(group, Outcome.REJECTED, "no"))

    def test_new_contents_each_time_are_no_storm(self, world: tuple[Zone, Engine, Clock]) -> None:
        """A busy client, such as an operator's script with one confirmed change after the other, does not have to wait."""
        _zone, engine, _clock = world
        for number in range(100):
            change = Change("ic_sb", "Gateway", INSERT, "@row", "ts1", "", {"hostname": str(number)})
            group = Group("mirror", "ts1", (change,))
            engine.sent(group)
            engine.done(Reply(group))
        assert engine.waiting == {}

    def test_a_dispute_counts_as_unsettled_however_long_it_lasts(self, world: tuple[Zone, Engine, Clock]) -> None:
        self.dispute(world, lasts=200, until=120)
        engine = world[1]
        assert engine.waiting[("mirror", "ts1")].wait > MOMENT
        assert not engine.at_rest

    def test_new_input_does_not_wait_for_the_end_of_a_dispute(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        self.begin_dispute(world)
        assert engine.plan() == []
        zone.nb.put("Logical_Switch", "u", {"name": "ts1"})
        engine.add("mirror", "ts1")
        assert engine.plan() == []
        assert engine.waiting == {}
        assert engine.at_rest

    def test_input_that_goes_back_and_forth_is_no_dispute(self, world: tuple[Zone, Engine, Clock]) -> None:
        """Such as a gateway that two chassis claim in turn: our own writes replace each other."""
        zone, engine, _clock = world
        row = zone.nb.put("Logical_Switch", "u", {"name": "ts1"}).new
        assert row is not None
        for number in range(100):
            columns = {"other_config": {"gateway": f"gw{number % 2}"}}
            change = Change(NB, "Logical_Switch", UPDATE, "u", "ts1", "", columns)
            group = Group("mirror", "ts1", (change,))
            engine.sent(group)
            engine.observe([zone.nb.put("Logical_Switch", "u", {"name": "ts1", **columns})])
            engine.done(Reply(group))
        assert engine.waiting == {}

    @pytest.mark.parametrize("in_flight", [True, False])
    def test_an_update_that_is_reverted_is_a_dispute(self, in_flight: bool) -> None:
        zone, engine, clock = begin(Setter())
        zone.nb.put("Logical_Switch", "u", {"name": "ts1"})
        writes = 0
        while clock.now < 60:
            engine.add("mirror", "ts1")
            for group in engine.plan():
                writes += 1
                engine.sent(group)
                self.see(zone, engine, {"gateway": "gw1"})
                if in_flight:
                    self.see(zone, engine, {})
                engine.done(Reply(group))
                if not in_flight:
                    assert engine.plan() == [], "it is as it was written"
                    self.see(zone, engine, {})
            clock.now += 0.005
        assert writes <= 20

    @staticmethod
    def see(zone: Zone, engine: Engine, other_config: dict[str, str]) -> None:
        """The switch is so now."""
        change = zone.nb.put("Logical_Switch", "u", {"name": "ts1", "other_config": other_config})
        assert change is not None
        engine.observe([change])

    def test_a_server_that_fails_again_and_again_is_not_asked_at_full_speed(self, world: tuple[Zone, Engine, Clock]) -> None:
        """Such as one whose disk is full: each attempt is lost, and the next one may succeed."""
        engine = world[1]

        def lose(group: Group, _number: int) -> None:
            engine.done(Reply(group, Outcome.LOST))

        assert self.writes_of_a_minute(world, lose) <= 20
        (skipped,) = [skipped for _subject, skipped in engine.skipped]
        assert "the server keeps rejecting" in skipped.reason

    def test_what_is_written_and_stands_for_a_while_does_not_end_a_dispute(self, world: tuple[Zone, Engine, Clock]) -> None:
        """The other client reverts a moment later, after a pass that has found everything as it should be."""
        zone, engine, clock = world

        def commit_and_revert(group: Group, number: int) -> None:
            come = zone.nb.put("Logical_Switch", f"u{number}", {"name": "ts1"})
            assert come is not None
            engine.observe([come])
            engine.done(Reply(group))
            assert engine.plan() == []
            clock.now += 0.005
            gone = zone.nb.delete("Logical_Switch", f"u{number}")
            assert gone is not None
            engine.observe([gone])

        assert self.writes_of_a_minute(world, commit_and_revert) <= 20

    def test_input_that_another_client_follows_too_is_no_dispute(self, world: tuple[Zone, Engine, Clock]) -> None:
        """A second daemon of the zone deletes what this one has made, because the transit switch is gone, and then it is back."""
        zone, engine, clock = world
        for number in range(100):
            add_switch(zone, engine, "ts1")
            (group,) = engine.plan()
            engine.sent(group)
            come = zone.nb.put("Logical_Switch", f"u{number}", {"name": "ts1"})
            assert come is not None
            engine.observe([come])
            engine.done(Reply(group))
            lost = zone.ic_nb.delete("Transit_Switch", "uuid-ts1"), zone.nb.delete("Logical_Switch", f"u{number}")
            engine.observe([one for one in lost if one is not None])
            assert engine.plan() == []
            clock.now += 1
        assert engine.waiting == {}

    def test_a_read_only_server_is_asked_again_every_moment(self, world: tuple[Zone, Engine, Clock]) -> None:
        """It says nothing when it becomes writable."""
        zone, engine, clock = world
        add_switch(zone, engine, "ts1")
        times = []
        while len(times) < 5:
            for group in engine.plan():
                times.append(clock.now)
                engine.sent(group)
                engine.done(Reply(group, Outcome.REJECTED, f"not allowed: insert operation {READ_ONLY}"))
            if not engine.has_work:
                clock.now = engine.next_due or 0
        assert times == [0, 0, 1, 2, 3]

    def test_a_refused_key_does_not_delay_what_replaces_it(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        for _time in range(2):
            (group,) = engine.plan()
            engine.sent(group)
            engine.done(Reply(group, Outcome.REJECTED, "no"))
        assert engine.waiting[("mirror", "ts1")].cause is Cause.REFUSED
        engine.add("mirror", "ts1")
        assert engine.plan() == [], "the same contents wait"
        there = zone.nb.put("Logical_Switch", "u", {"name": "ts1"})
        assert there is not None
        engine.observe([there])
        assert engine.plan() == []
        assert (engine.waiting, engine.next_due) == ({}, None)

    def test_what_is_left_undone_is_news_once(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        add_switch(zone, engine, "bad")
        engine.plan()
        assert engine.skipped == [("mirror", Skipped("bad", "nobody can do this"))]
        assert engine.news == engine.skipped
        engine.news.clear()
        engine.add("mirror", "bad")
        engine.plan()
        assert engine.news == []

    def test_an_object_that_breaks_its_subject_stops_nobody(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        add_switch(zone, engine, "broken")
        add_switch(zone, engine, "unreadable")
        add_switch(zone, engine, "ts1")
        assert {group.key for group in engine.plan()} == {"ts1", "unreadable"}
        assert "report this as a bug" in engine.waiting[("mirror", "broken")].reason
        assert len(engine.failures) == 2

    def test_all_marks_every_key(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        zone.ic_nb.put("Transit_Switch", "u1", {"name": "ts1"})
        add_switch(zone, engine, "all")
        assert {group.key for group in engine.plan()} == {"ts1", "all"}

    def test_a_zone_without_a_row_plans_nothing_and_everything_once_it_has_one(self, world: tuple[Zone, Engine, Clock]) -> None:
        """Nothing is planned before the zone's row is known (spec routes-1.2)."""
        zone, engine, _clock = world
        gone = zone.ic_sb.delete("Availability_Zone", "az")
        assert gone is not None
        engine.observe([gone])
        add_switch(zone, engine, "ts1")
        assert engine.plan() == []
        back = zone.ic_sb.put("Availability_Zone", "az", {"name": "az1"})
        assert back is not None
        engine.observe([back])
        assert [group.key for group in engine.plan()] == ["ts1"]

    def test_a_pass_ends_when_it_has_had_enough(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        for number in range(5):
            add_switch(zone, engine, f"ts{number}")
        assert len(engine.plan(most=2)) == 2
        assert len(engine.plan(enough=lambda: True)) == 1
        assert len(engine.plan()) == 2


class TestEchoes:
    """What comes back from the server while a subject that is sure of what it has made waits for the reply."""

    @pytest.fixture
    def on_its_way(self) -> tuple[Zone, Engine, Group]:
        zone, engine, _clock = begin(SureMirror())
        add_switch(zone, engine, "ts1")
        (group,) = engine.plan()
        engine.sent(group)
        return zone, engine, group

    @staticmethod
    def seen(zone: Zone, columns: dict[str, Any]) -> RowChange:
        """The switch that was made, as its database tells of it."""
        change = zone.nb.put("Logical_Switch", "u", columns)
        assert change is not None
        return change

    @pytest.mark.parametrize(
        ("columns", "planned"),
        [({"name": "ts1"}, []), ({"name": "ts1", "other_config": {"a": "b"}}, []), ({"name": "ts2"}, [("mirror", "ts2")])],
    )
    def test_its_own_echo_is_no_news(
        self, on_its_way: tuple[Zone, Engine, Group], columns: dict[str, Any], planned: list[tuple[str, Hashable]]
    ) -> None:
        zone, engine, group = on_its_way
        engine.observe([self.seen(zone, columns)])
        engine.done(Reply(group))
        engine.plan()
        assert engine.planned == planned

    def test_what_was_changed_while_it_was_on_its_way_is_looked_at_again(self, on_its_way: tuple[Zone, Engine, Group]) -> None:
        zone, engine, group = on_its_way
        engine.observe([self.seen(zone, {"name": "ts1"}), self.seen(zone, {"other_config": {"a": "b"}})])
        engine.done(Reply(group))
        engine.plan()
        assert engine.planned == [("mirror", "ts1")]

    def test_an_echo_is_news_when_something_else_came_in_between(self, on_its_way: tuple[Zone, Engine, Group]) -> None:
        """The other change could not name the key: its row was not there yet."""
        zone, engine, group = on_its_way
        add_switch(zone, engine, "ts2")
        engine.observe([self.seen(zone, {"name": "ts1"})])
        engine.done(Reply(group))
        engine.plan()
        assert engine.planned == [("mirror", "ts2"), ("mirror", "ts1")]
