# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work queue: the states of a key, and how long it backs off."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Group
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.workqueue import MOMENT, Cause, State, WorkQueue

GROUP = Group("subject", "key", ())


class Queue(WorkQueue):
    """A queue whose clock the test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(lambda: self.now)

    def send(self, key: str, transactions: int = 1) -> None:
        """Take a key that was added, and send what it writes."""
        self.add(key)
        assert list(self.take(1)) == [key]
        self.start(key, GROUP, transactions)

    def refuse(self, key: str) -> None:
        """Send a key whose only transaction the server rejects."""
        self.send(key)
        if self.fail(key):
            self.back_off(key, "no", Cause.REFUSED)
        self.done(key)


@pytest.fixture
def queue() -> Queue:
    return Queue()


def test_a_key_is_queued_once_and_taken_in_order(queue: Queue) -> None:
    for key in "abcab":
        queue.add(key)
    assert len(queue) == 3
    assert list(queue.take(2)) == ["a", "b"]
    assert (queue.state("a"), queue.state("c")) == (None, State.QUEUED)
    assert list(queue.take(5)) == ["c"]
    assert not queue


def test_a_key_leaves_the_queue_only_when_it_is_yielded(queue: Queue) -> None:
    queue.add("a")
    queue.add("b")
    assert next(queue.take(2)) == "a"
    assert list(queue.take(2)) == ["b"]


def test_a_dropped_key_can_be_added_again(queue: Queue) -> None:
    queue.refuse("a")
    queue.add("b")
    queue.drop()
    assert (queue.state("a"), queue.state("b"), len(queue)) == (State.IDLE, None, 0)
    queue.add("b")
    assert list(queue.take(2)) == ["b"]


def test_a_key_in_flight_is_queued_when_it_is_done(queue: Queue) -> None:
    queue.send("a")
    assert (queue.state("a"), queue.in_flight) == (State.PROCESSING, 1)
    queue.add("a")
    queue.add("a")
    assert (queue.state("a"), len(queue)) == (State.DIRTY, 0)
    queue.done("a")
    assert (queue.state("a"), queue.in_flight, list(queue.take(2))) == (State.QUEUED, 0, ["a"])


def test_a_key_that_nobody_adds_in_the_meantime_is_forgotten_when_it_is_done(queue: Queue) -> None:
    queue.send("a")
    queue.done("a")
    assert (queue.state("a"), queue.in_flight, queue.items) == (None, 0, {})


def test_a_key_is_done_after_its_last_transaction(queue: Queue) -> None:
    queue.send("a", 2)
    queue.add("a")
    queue.done("a")
    assert (queue.state("a"), queue.in_flight) == (State.DIRTY, 1)
    queue.done("a")
    assert queue.state("a") is State.QUEUED


def test_after_the_first_failure_a_key_is_queued_at_once(queue: Queue) -> None:
    queue.refuse("a")
    assert (queue.state("a"), queue.backoff("a")) == (State.QUEUED, None)


def test_the_waits_double_up_to_a_minute_and_begin_again_after_a_success(queue: Queue) -> None:
    waits = []
    for _attempt in range(8):
        queue.refuse("a")
        backoff = queue.backoff("a")
        waits.append(backoff.wait if backoff is not None else 0)
        queue.now = queue.next_due or queue.now
        queue.wake()
    assert waits == [0, 4, 8, 16, 32, 60, 60, 60]
    queue.send("a")
    queue.done("a")
    queue.refuse("a")
    assert queue.backoff("a") is None


def test_a_key_that_backs_off_is_queued_when_it_is_due(queue: Queue) -> None:
    queue.back_off("a", "no", Cause.BUG)
    assert (queue.state("a"), queue.next_due) == (State.BACKING_OFF, 4)
    queue.now = 3.9
    queue.wake()
    assert queue.state("a") is State.BACKING_OFF
    queue.now = 4.0
    queue.wake()
    assert (queue.state("a"), queue.next_due, list(queue.take(1))) == (State.QUEUED, None, ["a"])


def test_a_key_that_backs_off_is_queued_if_it_is_added(queue: Queue) -> None:
    """Whoever plans it decides whether its contents have to wait, and it goes on backing off if they do."""
    queue.back_off("a", "no", Cause.REFUSED, "contents")
    queue.add("a")
    assert queue.state("a") is State.QUEUED
    assert list(queue.take(1)) == ["a"]
    assert queue.state("a") is State.BACKING_OFF


@pytest.mark.parametrize("state", [State.BACKING_OFF, State.QUEUED, State.DIRTY])
def test_a_forgotten_key_waits_for_nothing(queue: Queue, state: State) -> None:
    if state is State.DIRTY:
        queue.send("a")
    queue.back_off("a", "no", Cause.REFUSED)
    if state is not State.BACKING_OFF:
        queue.add("a")
    assert queue.state("a") is state
    queue.forget("a")
    assert (queue.backoff("a"), queue.next_due) == (None, None)
    assert queue.state("a") is (None if state is State.BACKING_OFF else state)


def test_a_conflict_does_not_count_as_a_failure(queue: Queue) -> None:
    queue.hold("a", 0.5, 0.5, "another client reverts it")
    assert queue.soon == 1
    queue.resume("a")
    assert (queue.state("a"), queue.items, queue.soon) == (None, {}, 0)
    queue.refuse("a")
    assert queue.state("a") is State.QUEUED


def test_what_is_hastened_waits_for_a_moment_after_its_last_attempt(queue: Queue) -> None:
    queue.back_off("refused", "no", Cause.REFUSED)
    queue.back_off("broken", "no", Cause.BUG)
    for key in ("refused", "broken", "unknown"):
        queue.hasten(key)
    assert queue.next_due == MOMENT
    queue.now = MOMENT
    queue.wake()
    assert (list(queue.take(2)), queue.next_due) == (["refused"], 4)


def test_only_what_was_rejected_is_retried(queue: Queue) -> None:
    queue.back_off("refused", "no", Cause.REFUSED)
    queue.back_off("broken", "no", Cause.BUG)
    queue.retry()
    assert list(queue.take(2)) == ["refused"]
    assert queue.soon == 1, "the work counts as unfinished until the key was tried"


def test_nothing_waits_after_everything_was_forgotten(queue: Queue) -> None:
    queue.back_off("a", "no", Cause.REFUSED)
    queue.hold("b", 9, 9, "another client reverts it")
    queue.send("c")
    queue.forget_all()
    assert (queue.next_due, queue.soon, queue.in_flight) == (None, 0, 1)
    assert [queue.state(key) for key in "abc"] == [None, None, State.PROCESSING]
