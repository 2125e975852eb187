# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work queue of one subject: which of its keys wait for their turn, are processed, or wait after a failure.

It works like the work queue of Kubernetes' client-go, whose terms it uses. ``add`` queues a key once, however often it
is called. ``take`` returns queued keys in their order. ``start`` says that a key's Changes are sent; a key that is
added from then on is queued again only when it is ``done``. ``back_off`` keeps what a key was to write from being
written for a while, longer after each failure, and ``forget`` ends that.
"""

from __future__ import annotations

import enum
import heapq
from collections.abc import Hashable, Iterator
from itertools import islice
from typing import Callable, NamedTuple

from .change import Group

#: The back-off of a key that failed twice, in seconds. It doubles from 4 up to 60: a few failures in the first minute,
#: then at most one per minute.
FIRST_RETRY = 4.0
LAST_RETRY = 60.0
#: A wait of at most this many seconds is not reported, and a caller that asks whether the work is done waits for it
#: too.
MOMENT = 1.0


class State(enum.Enum):
    """What happens to a key. The queue has no entry for a key to which nothing happens and that has not failed."""

    #: It waits for its turn.
    QUEUED = "queued"
    #: Its Changes are in flight.
    PROCESSING = "processing"
    #: The same, and it was added in the meantime: it is queued as soon as it is done.
    DIRTY = "dirty"
    #: What it was to write has to wait. The key is queued when the time is over, or earlier if something else changes.
    BACKING_OFF = "backing off"
    #: Nothing happens to it, but its last attempt failed, which decides how long it waits after another failure.
    IDLE = "idle"


#: The states of a key whose Changes are in flight. A look-up of an enum's member costs as much as a function call, so
#: what is done for each key uses these constants.
PROCESSING, DIRTY = State.PROCESSING, State.DIRTY
IN_FLIGHT = (PROCESSING, DIRTY)


class Cause(enum.Enum):
    """Why a key backs off."""

    #: A server rejected what the key writes.
    REFUSED = "refused"
    #: The key must not repeat its write yet (see write_conflicts.py).
    CONFLICT = "conflict"
    #: The subject raised an exception.
    BUG = "bug"


class Backoff(NamedTuple):
    """Until when a key backs off (in the clock's seconds), for how long in total, why, and since when.

    ``contents`` is what was to be written, None if unknown. Different contents are written without waiting.
    """

    due: float
    wait: float
    reason: str
    cause: Cause
    since: float
    contents: str | None = None


class Item:
    """The state of one key, and what belongs to it.

    ``group`` and ``epoch`` are what :meth:`WorkQueue.start` was given, while the key is in flight. ``transactions``
    counts those that are not answered yet, and ``failed`` says whether one of them was rejected. ``last_wait`` is the
    time, in seconds, for which the key backed off after its last failure: 0 if it was planned again at once. It is None
    while the key backs off after a failure, and if the key has not failed since its last success. ``soon`` says whether
    the work of the key counts as unfinished although it backs off.
    """

    __slots__ = ("backoff", "epoch", "failed", "group", "last_wait", "soon", "state", "transactions")

    def __init__(self, state: State, group: Group | None = None, transactions: int = 0, epoch: int | None = None) -> None:
        self.state = state
        self.group = group
        self.epoch = epoch
        self.transactions = transactions
        self.failed = self.soon = False
        self.last_wait: float | None = None
        self.backoff: Backoff | None = None


class WorkQueue:
    """The keys of one subject. ``clock`` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: The queued keys, in the order in which they were added.
        self._queued: dict[Hashable, None] = {}
        #: The keys that are in flight, back off, or have failed before.
        self.items: dict[Hashable, Item] = {}
        #: When keys stop backing off: the time, a serial number, the key. Entries of keys that no longer wait until
        #: then are ignored.
        self._due: list[tuple[float, int, Hashable]] = []
        self._serial = 0
        #: The number of keys in flight, and of those that back off for a moment only. If all items are in flight, which
        #: is usual, no key has failed.
        self.in_flight = self.soon = 0

    def __len__(self) -> int:
        """The number of queued keys."""
        return len(self._queued)

    def state(self, key: Hashable) -> State | None:
        """The state of a key. None if the queue has no entry for it."""
        item = self.items.get(key)
        if item is not None:
            return item.state
        return State.QUEUED if key in self._queued else None

    def add(self, key: Hashable) -> None:
        """Queue a key: at once, or when it is done if it is in flight.

        A key that backs off is queued as well, because only contents that were rejected or reverted have to wait.
        """
        item = self.items.get(key)
        if item is None:
            self._queued[key] = None
        elif item.state in IN_FLIGHT:
            item.state = DIRTY
        else:
            item.state = State.QUEUED
            self._queued[key] = None

    def enqueue(self, key: Hashable) -> None:
        """Queue a key that is not among :attr:`items`."""
        self._queued[key] = None

    def take(self, most: int) -> Iterator[Hashable]:
        """Up to ``most`` queued keys in their order. A key leaves the queue when it is yielded."""
        queued = self._queued
        for key in list(islice(queued, most)):
            del queued[key]
            item = self.items.get(key) if len(self.items) > self.in_flight else None
            if item is not None:
                if item.state in IN_FLIGHT:
                    item.state = State.DIRTY
                    continue
                if item.backoff is not None:
                    item.state = State.BACKING_OFF
                elif item.last_wait is not None:
                    item.state = State.IDLE
                else:
                    del self.items[key]
            yield key
        if not queued:
            # CPython does not shrink a dict on deletion: iterating over an emptied one still scans its old table
            queued.clear()

    def drop(self) -> None:
        """Remove all keys from the queue without processing them."""
        for _key in self.take(len(self._queued)):
            pass

    def start(self, key: Hashable, group: Group, transactions: int = 1, epoch: int | None = None) -> None:
        """The Changes of a key are sent in this many transactions."""
        new = Item(PROCESSING, group, transactions, epoch)
        item = self.items.setdefault(key, new)
        if item is new:
            self.in_flight += 1
            return
        if item.state not in IN_FLIGHT:
            self.in_flight += 1
        item.state = State.PROCESSING
        item.group, item.epoch, item.transactions, item.failed = group, epoch, transactions, False

    def fail(self, key: Hashable) -> bool:
        """A transaction of a key in flight was rejected. Returns whether it is to back off.

        After the first failure the key is processed again at once, because the cause (for example, another zone took
        the same tunnel key) has usually arrived by then.
        """
        item = self.items[key]
        item.failed = True
        if item.last_wait is not None:
            return True
        item.last_wait = 0.0
        item.state = State.DIRTY
        return False

    def done(self, key: Hashable) -> None:
        """One transaction of a key was answered. After the last one, the key is queued if it was added in the meantime."""
        item = self.items[key]
        item.transactions -= 1
        if item.transactions:
            return
        self.in_flight -= 1
        if not item.failed:
            item.last_wait = None
        again = item.state is DIRTY
        if again:
            self._queued[key] = None
        if item.backoff is None and item.last_wait is None:
            del self.items[key]
            return
        item.group = item.epoch = None
        item.state = State.QUEUED if again else State.IDLE if item.backoff is None else State.BACKING_OFF

    # -- failures ------------------------------------------------------------------------------------------------------

    def back_off(self, key: Hashable, reason: str, cause: Cause, contents: str | None = None, wait: float | None = None) -> Backoff:
        """Keep what a key was to write from being written for ``wait`` seconds, by default twice as long as after the
        last failure.
        """
        item, now = self._item(key), self._clock()
        if wait is None:
            wait = min(max(FIRST_RETRY, 2 * (item.last_wait or 0.0)), LAST_RETRY)
        item.last_wait = None
        return self._set(key, item, Backoff(now + wait, wait, reason, cause, now, contents))

    def hold(self, key: Hashable, due: float, wait: float, reason: str) -> Backoff:
        """Keep a key from repeating its write until ``due``, because of a conflict with another client."""
        return self._set(key, self._item(key), Backoff(due, wait, reason, Cause.CONFLICT, self._clock()))

    def backoff(self, key: Hashable) -> Backoff | None:
        """Until when a key backs off and why. None if it does not back off."""
        item = self.items.get(key) if self.items else None
        return None if item is None else item.backoff

    def backoffs(self) -> Iterator[tuple[Hashable, Backoff]]:
        """The keys that back off."""
        return ((key, item.backoff) for key, item in self.items.items() if item.backoff is not None)

    def resume(self, key: Hashable) -> None:
        """A key no longer backs off. After the next failure it waits longer than before."""
        item = self.items[key]
        if item.backoff is None:
            return
        if item.backoff.cause is not Cause.CONFLICT:
            item.last_wait = item.backoff.wait
        self._clear(item)
        if item.state is State.BACKING_OFF:
            item.state = State.IDLE
        if item.state is State.IDLE and item.last_wait is None:
            del self.items[key]

    def forget(self, key: Hashable) -> None:
        """A key has nothing to write: it no longer backs off, and its earlier failures do not count."""
        item = self.items.get(key)
        if item is not None and item.backoff is not None:
            self._clear(item)
            item.last_wait = None
            if item.state not in IN_FLIGHT:
                del self.items[key]

    def forget_all(self) -> None:
        """Stop the back-off of all keys, and do not count their earlier failures."""
        for key, item in list(self.items.items()):
            self._clear(item)
            item.last_wait = None
            if item.state not in IN_FLIGHT:
                del self.items[key]
        self._due.clear()

    def hasten(self, key: Hashable) -> None:
        """The cause of a rejection may be gone: the key backs off no longer than until a moment after its last attempt."""
        backoff = self.backoff(key)
        if backoff is not None and backoff.cause is Cause.REFUSED:
            due = max(self._clock(), backoff.since + MOMENT)
            if due < backoff.due:
                self._set(key, self.items[key], backoff._replace(due=due))

    def retry(self) -> None:
        """Process what was rejected again, now or a moment after the last attempt."""
        for key, backoff in list(self.backoffs()):
            if backoff.cause is Cause.REFUSED:
                self.hasten(key)
                self._set_soon(self.items[key], True)
                self.add(key)

    def wake(self) -> None:
        """Queue the keys that have waited long enough."""
        now = self._clock()
        while self._due and self._due[0][0] <= now:
            due, _serial, key = heapq.heappop(self._due)
            if self._is_due(key, due):
                self.resume(key)
                self.add(key)

    @property
    def next_due(self) -> float | None:
        """When the next key has waited long enough, in the clock's seconds."""
        while self._due:
            due, _serial, key = self._due[0]
            if self._is_due(key, due):
                return due
            heapq.heappop(self._due)
        return None

    def _is_due(self, key: Hashable, due: float) -> bool:
        backoff = self.backoff(key)
        return backoff is not None and backoff.due == due

    def _item(self, key: Hashable) -> Item:
        item = self.items.get(key)
        if item is None:
            item = self.items[key] = Item(State.QUEUED if key in self._queued else State.IDLE)
        return item

    def _set(self, key: Hashable, item: Item, backoff: Backoff) -> Backoff:
        before, item.backoff = item.backoff, backoff
        if item.state is State.IDLE:
            item.state = State.BACKING_OFF
        self._set_soon(item, backoff.wait <= MOMENT or backoff.cause is Cause.CONFLICT)
        if before is None or before.due != backoff.due:
            self._serial += 1
            heapq.heappush(self._due, (backoff.due, self._serial, key))
        return backoff

    def _clear(self, item: Item) -> None:
        item.backoff = None
        self._set_soon(item, False)

    def _set_soon(self, item: Item, soon: bool) -> None:
        self.soon += soon - item.soon
        item.soon = soon
