# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes in, keys to look at, subjects, plan out.

A delta pass plans the keys that row changes have made dirty; a full pass plans all keys of all subjects. There is no second algorithm. A
key whose Changes are on their way to a server is not planned again until the reply is there; a key whose Changes a server rejected is put
aside and retried with exponential back-off, and everything else goes on (docs/architecture.md).
"""

from __future__ import annotations

import enum
import heapq
import traceback
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Callable, NamedTuple, Union

from .change import INSERT, Change, Group, Skipped, Step
from .runs import Runs
from .store import RowChange
from .write_conflicts import WriteConflicts, contents
from .zone import Zone


class _All:
    """The answer of ``Subject.keys`` that means: every key of this subject."""


ALL = _All()
Keys = Iterable[Union[Hashable, _All]]

#: Back-off of a key that was rejected twice, in seconds: 4 doubling up to 60 (a handful of rejections in the first minute, at most one in
#: each later one). The first time it is planned anew at once: what was in its way (another zone that took the same tunnel key) has been
#: seen by now.
FIRST_RETRY = 4.0
LAST_RETRY = 60.0
#: What a server says that only copies another one, until it is promoted.
READ_ONLY = "not allowed when database server is in read only mode"
#: The reason of a key whose subject failed; the traceback is in the log.
BUG = "this program does not know how to deal with it, which is a bug: please report it with the log"
#: A key that has to wait no longer than this is about to go on, in seconds: nobody is told of it, and whoever asks whether the work is done
#: waits too.
MOMENT = 1.0


class Subject(ABC):
    """One part of the specification as a function of a key.

    A key is the natural identity of the rows that it writes (a port's name, a route's prefix and next hop), so that no two keys ever write
    one row. ``tables`` are the (database, table) pairs whose changes ``keys`` wants to see.
    """

    #: How people and logs call it; also its place in a group.
    name: str
    tables: frozenset[tuple[str, str]]
    #: Whether it goes on while the zone has no row of its own in IC_SB.
    nameless = False
    #: Tables of which a new row, or a row's becoming a member, names every key that it concerns, and so cannot make out of date what is on
    #: its way. Where a subject has such tables, the echo of what it inserted is no news, unless something else came in between.
    additive: frozenset[tuple[str, str]] = frozenset()
    #: Whether what it plans depends on the lock of IC_SB; then all its keys are looked at again when the lock comes.
    follows_lock = False

    def prepare(self, zone: Zone) -> None:
        """Register the indexes that this subject looks things up by, and forget what it remembers: it may have missed changes."""

    def begin(self, changes: Sequence[RowChange]) -> None:
        """Take note of all changes of a turn, which come to ``keys`` next: the stores hold the last of them before the first is named."""

    @abstractmethod
    def keys(self, change: RowChange, zone: Zone) -> Keys:
        """The keys that a row change concerns: those of the row as it was, and those of the row as it is."""

    @abstractmethod
    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        """Every key that may have something to plan."""

    @abstractmethod
    def plan(self, key: Hashable, zone: Zone) -> Iterable[Step]:
        """The Changes that make this key's rows what they should be (none if they are), and what is left undone and why."""


class Cause(enum.Enum):
    """Why a key waits."""

    #: A server refused what it writes.
    REFUSED = "refused"
    #: What it writes may not be written again yet (see write_conflicts.py).
    CONFLICT = "conflict"
    #: The subject failed.
    BUG = "bug"


class WaitingKey(NamedTuple):
    """A key that waits: until when (the clock's seconds), for how long in all, why, and since when.

    ``contents`` is what was to be written, None where that is not known: other contents do not have to wait.
    """

    due: float
    wait: float
    reason: str
    cause: Cause
    since: float
    contents: str | None = None


class _Flight:
    """What is on its way for one key: the group, in how many transactions, and what was heard of it meanwhile.

    ``epoch`` is that of the subject when the group was planned, None where the subject's own echo is news.
    """

    __slots__ = ("again", "epoch", "group", "refused", "transactions")

    def __init__(self, group: Group, transactions: int, epoch: int | None) -> None:
        self.group = group
        self.transactions = transactions
        self.epoch = epoch
        #: Whether the key became dirty.
        self.again = False
        #: Whether one of the transactions was refused.
        self.refused = False

    def echoes_as(self, change: RowChange, epoch: int) -> bool:
        """Whether a difference is what the group inserts, row or membership, and nothing has made that out of date."""
        if self.epoch != epoch:
            return False
        return change.old is not None or _comes_with(self.group, change)


class Engine:
    """The dirty keys of all subjects and what became of them.

    ``clock`` gives monotonic seconds.
    """

    def __init__(self, zone: Zone, subjects: Sequence[Subject], clock: Callable[[], float]) -> None:
        self.zone = zone
        self.subjects = tuple(subjects)
        self._clock = clock
        self._by_name = {subject.name: subject for subject in self.subjects}
        self._dirty: dict[str, dict[Hashable, None]] = {subject.name: {} for subject in self.subjects}
        self._in_flight: dict[tuple[str, Hashable], _Flight] = {}
        #: By subject, a number that grows with every change that could make out of date what is on its way.
        self._epochs = {subject.name: 0 for subject in self.subjects}
        #: Tracebacks of subjects that failed: each is a bug of theirs. Whoever shows them empties the list.
        self.failures: list[str] = []
        #: What was left undone since somebody emptied this list: the subject, and the object with its reason.
        self.news: list[tuple[str, Skipped]] = []
        #: The places that the last call of ``plan`` looked at.
        self.planned: list[tuple[str, Hashable]] = []
        self._waiting: dict[tuple[str, Hashable], WaitingKey] = {}
        #: Those that are put aside for a moment.
        self._soon: set[tuple[str, Hashable]] = set()
        #: Those that wait because of a write conflict.
        self._conflicting: set[tuple[str, Hashable]] = set()
        self._due: list[tuple[float, int, str, Hashable]] = []
        self._serial = 0
        #: The last wait of keys that were woken and not settled since.
        self._retries: dict[tuple[str, Hashable], float] = {}
        self._skipped: dict[tuple[str, Hashable], tuple[Skipped, ...]] = {}
        self._conflicts = WriteConflicts(clock)
        #: How each subject handled the changes of a pass.
        self.runs = Runs(self._by_name, clock)
        self._own: str | None = None
        #: By database and table: who wants to see its changes, and whether it is additive for that subject.
        self._readers: dict[tuple[str, str], list[tuple[Subject, bool]]] = {}
        for subject in self.subjects:
            subject.prepare(zone)
            for place in subject.tables:
                self._readers.setdefault(place, []).append((subject, place in subject.additive))

    # -- what has to be looked at -----------------------------------------------------------------------------------------------------

    def observe(self, changes: Sequence[RowChange]) -> None:
        """Mark the keys that these row changes concern. The stores must hold the changes already, all of them."""
        for subject in self.subjects:
            subject.begin(changes)
        for change in changes:
            adds = _only_adds(change)
            for subject, additive in self._readers.get((change.database, change.table), ()):
                if not (additive and adds):
                    self._epochs[subject.name] += 1
                self._observe_one(subject, change)
        places = {(change.database, change.table) for change in changes}
        self.runs.changed(subject.name for place in places for subject, _additive in self._readers.get(place, ()))
        self._follow_identity()

    def _observe_one(self, subject: Subject, change: RowChange) -> None:
        try:
            for key in subject.keys(change, self.zone):
                if isinstance(key, _All):
                    self.runs.forced(subject.name)
                    for one in subject.all_keys(self.zone):
                        self._observe_key(subject.name, one, change)
                    continue
                self._observe_key(subject.name, key, change)
        except Exception:  # a row that a subject cannot read must not end the zone's work: look at all of its keys instead
            self.failures.append(traceback.format_exc())
            self.mark(subject)

    def _observe_key(self, subject: str, key: Hashable, change: RowChange) -> None:
        place = (subject, key)
        if self._conflicts.watches(place):
            self._conflicts.observe(place, change)
        flight = self._in_flight.get(place)
        if flight is None:
            if self._waiting and place in self._waiting:
                self._hasten(place)
            self._dirty[subject][key] = None
        elif not flight.echoes_as(change, self._epochs[subject]):
            flight.again = True

    def mark(self, subject: Subject) -> None:
        """Mark every key of one subject."""
        self.runs.forced(subject.name)
        for key in subject.all_keys(self.zone):
            self.mark_key(subject.name, key)

    def mark_key(self, subject: str, key: Hashable) -> None:
        """Mark one key: at once, or as soon as what is on its way has arrived.

        A key that is put aside is planned too: only the contents that were refused or undone have to wait.
        """
        flight = self._in_flight.get((subject, key))
        if flight is not None:
            flight.again = True
        else:
            self._dirty[subject][key] = None

    def mark_all(self) -> None:
        """Mark every key of every subject: the next pass is a full one."""
        for subject in self.subjects:
            self.mark(subject)

    def lock_changed(self) -> None:
        """The lock of IC_SB came or went: look again at what depends on it, also at what waits because of those who had no lock."""
        for subject in self.subjects:
            if subject.follows_lock:
                self._conflicts.forget(subject.name)
                self.mark(subject)

    def restart(self) -> None:
        """Begin with a full pass: this process has just become the active one, and has not looked at changes until now."""
        own = self.zone.own_az
        self._own = own.uuid if own is not None else None
        self._conflicts.forget()
        for place in list(self._waiting):
            self._go_on(place)
        self._retries.clear()
        for subject in self.subjects:
            subject.prepare(self.zone)
        self.mark_all()

    def _follow_identity(self) -> None:
        own = self.zone.own_az
        uuid = own.uuid if own is not None else None
        if uuid != self._own:
            self._own = uuid
            self.mark_all()

    # -- planning ---------------------------------------------------------------------------------------------------------------------

    @property
    def has_work(self) -> bool:
        """Whether a pass would look at something now. What is on its way or put aside does not count."""
        return any(self._dirty.values())

    @property
    def has_soon(self) -> bool:
        """Whether a key waits for a moment only, or until another client stops reverting it: the work is not done."""
        return bool(self._soon or self._conflicting)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is dirty, in flight or reverted by another client. Keys that a server refuses for longer do not count."""
        return not self._in_flight and not self.has_work and not self.has_soon

    def plan(self, most: int = 1000, enough: Callable[[], bool] = lambda: False) -> list[Group]:
        """Look at dirty keys in the order of the subjects, at ``most`` of them or until ``enough()``; the Changes, a group a key."""
        self._wake_due()
        self.runs.begin()
        groups: list[Group] = []
        self.planned = []
        for subject, key in self._take(most):
            self.runs.enter(subject.name)
            place = (subject.name, key)
            self.planned.append(place)
            changes = self._plan_key(subject, place)
            if changes is not None:
                groups += self._let_go(Group(subject.name, key, changes))
            if enough():
                break
        self.runs.enter(None)
        return groups

    def _take(self, most: int) -> Iterator[tuple[Subject, Hashable]]:
        for subject in self.subjects:
            dirty = self._dirty[subject.name]
            if self._own is None and not subject.nameless:
                dirty.clear()  # all keys are marked when the zone gets its row
                continue
            for key in list(islice(dirty, most)):
                most -= 1
                del dirty[key]
                yield subject, key
            if not dirty:
                dirty.clear()  # a dict that was large is walked at its old size, also when it is empty

    def _let_go(self, group: Group) -> Iterator[Group]:
        """The group if it may be written now; a key that has nothing to write waits for nothing."""
        place = (group.subject, group.key)
        waiting = self._waiting.get(place) if self._waiting else None
        if not group.changes:
            if self._conflicts.watches(place):
                self._conflicts.agreed(place)
            if waiting is not None:
                self._go_on(place)
                self._retries.pop(place, None)
            return
        if waiting is not None and waiting.cause is Cause.REFUSED and waiting.due > self._clock() and waiting.contents == contents(group):
            return
        hold = self._conflicts.hold(group)
        if hold is not None:
            self._wait(place, WaitingKey(hold.due, hold.wait, hold.reason, Cause.CONFLICT, self._clock()))
            return
        if waiting is not None:
            self._go_on(place)
        yield group

    def _plan_key(self, subject: Subject, place: tuple[str, Hashable]) -> tuple[Change, ...] | None:
        """The Changes of a key, None where its subject failed."""
        changes, skipped = [], []
        try:
            for step in subject.plan(place[1], self.zone):
                if isinstance(step, Change):
                    changes.append(step)
                else:
                    skipped.append(step)
        except Exception as failure:  # one bad object stops nobody
            self._fail(place, f"{BUG} ({type(failure).__name__}: {failure})", traceback.format_exc())
            return None
        if skipped:
            self.news += [(subject.name, one) for one in skipped if one.logged and one not in self._skipped.get(place, ())]
            self._skipped[place] = tuple(skipped)
        elif self._skipped:
            self._skipped.pop(place, None)
        return tuple(changes)

    # -- what became of it ------------------------------------------------------------------------------------------------------------

    def sent(self, group: Group, transactions: int = 1) -> None:
        """A group is on its way in this many transactions."""
        place = (group.subject, group.key)
        epoch = self._epochs[group.subject] if self._by_name[group.subject].additive else None
        self._in_flight[place] = _Flight(group, transactions, epoch)
        self._conflicts.sent(group)

    def is_sent(self, subject: str, key: Hashable) -> bool:
        """Whether Changes of this key are on their way."""
        return (subject, key) in self._in_flight

    def committed(self, group: Group) -> None:
        """One transaction of a group was committed. Its rows are in the stores already: updates come before the reply."""
        self._arrived(group)

    def rejected(self, group: Group, reason: str) -> None:
        """One transaction of a group was refused by a server: plan the key anew, and if that is no use put it aside."""
        place = (group.subject, group.key)
        flight = self._in_flight[place]
        flight.refused = True
        if place in self._retries:
            self.back_off(place, reason, contents(group))
        else:
            self._retries[place] = 0.0
            flight.again = True
        self._arrived(group)

    def lost(self, group: Group) -> None:
        """Nobody knows what became of a group (the connection is gone, or another client was faster): look again."""
        self._in_flight[(group.subject, group.key)].again = True
        self._conflicts.lost(group)
        self._arrived(group)

    def _arrived(self, group: Group) -> None:
        place = (group.subject, group.key)
        flight = self._in_flight[place]
        flight.transactions -= 1
        if flight.transactions:
            return
        del self._in_flight[place]
        if self._retries and not flight.refused:
            self._retries.pop(place, None)
        if flight.again:
            self.mark_key(*place)

    def back_off(self, place: tuple[str, Hashable], reason: str, what: str | None = None) -> None:
        """Keep a key whose contents (``what``) were refused from being written for a while, twice as long as the last time."""
        before = self._waiting.get(place)
        if before is not None and before.cause is Cause.REFUSED and before.due > self._clock():
            return
        self._back_off(place, reason, Cause.REFUSED, what)

    def _fail(self, place: tuple[str, Hashable], reason: str, trace: str) -> None:
        before = self._waiting.get(place)
        if before is None or before.cause is not Cause.BUG or before.due <= self._clock():
            self.failures.append(trace)
            self._back_off(place, reason, Cause.BUG, None)

    def _back_off(self, place: tuple[str, Hashable], reason: str, cause: Cause, what: str | None) -> None:
        now = self._clock()
        before = self._retries.pop(place, 0.0)
        # A server does not tell its clients when it becomes writable: only another attempt finds out.
        wait = MOMENT if READ_ONLY in reason else min(max(FIRST_RETRY, before * 2), LAST_RETRY)
        self._wait(place, WaitingKey(now + wait, wait, reason, cause, now, what))

    def _wait(self, place: tuple[str, Hashable], waiting: WaitingKey) -> None:
        before = self._waiting.get(place)
        self._waiting[place] = waiting
        (self._soon.add if waiting.wait <= MOMENT else self._soon.discard)(place)
        (self._conflicting.add if waiting.cause is Cause.CONFLICT else self._conflicting.discard)(place)
        if waiting.wait > MOMENT and (before is None or before.reason != waiting.reason):
            self.news.append((place[0], Skipped(str(place[1]), waiting.reason)))
        if before is None or before.due != waiting.due:
            self._serial += 1
            heapq.heappush(self._due, (waiting.due, self._serial, place[0], place[1]))

    def _go_on(self, place: tuple[str, Hashable]) -> None:
        """A key waits no longer; the next refusal makes it wait longer than before."""
        waiting = self._waiting.pop(place)
        self._soon.discard(place)
        self._conflicting.discard(place)
        if waiting.cause is not Cause.CONFLICT:
            self._retries[place] = waiting.wait

    def _hasten(self, place: tuple[str, Hashable]) -> None:
        """A row that concerns a refused key has changed: the cause may be gone. Try again now, or a moment after the last attempt."""
        waiting = self._waiting[place]
        due = max(self._clock(), waiting.since + MOMENT)
        if waiting.cause is Cause.REFUSED and due < waiting.due:
            self._wait(place, waiting._replace(due=due))

    def retry(self) -> None:
        """A server is loaded again: try again what was refused, now or a moment after its last attempt."""
        for place, waiting in list(self._waiting.items()):
            if waiting.cause is Cause.REFUSED:
                self._hasten(place)
                self._soon.add(place)
                self.mark_key(*place)

    def _wake_due(self) -> None:
        now = self._clock()
        while self._due and self._due[0][0] <= now:
            due, _serial, subject, key = heapq.heappop(self._due)
            place = (subject, key)
            waiting = self._waiting.get(place)
            if waiting is not None and waiting.due == due:  # otherwise it was put aside anew in the meantime
                self._go_on(place)
                self.mark_key(subject, key)

    @property
    def next_due(self) -> float | None:
        """When the next key that was put aside wants to be looked at again, in the clock's seconds."""
        while self._due:
            due, _serial, subject, key = self._due[0]
            waiting = self._waiting.get((subject, key))
            if waiting is not None and waiting.due == due:
                return due
            heapq.heappop(self._due)
        return None

    @property
    def waiting(self) -> dict[tuple[str, Hashable], WaitingKey]:
        """The keys put aside, by (subject, key)."""
        return dict(self._waiting)

    @property
    def skipped(self) -> list[tuple[str, Skipped]]:
        """What is left undone at the moment: the subject, and the object with its reason."""
        undone = [(subject, one) for (subject, _key), many in self._skipped.items() for one in many if one.listed]
        waiting_keys = [(subject, Skipped(str(key), waiting.reason)) for (subject, key), waiting in self._waiting.items()]
        return undone + waiting_keys


def _only_adds(change: RowChange) -> bool:
    """Whether a change only adds a row, or members."""
    return change.old is None or (change.old is change.new and not any(members.removed for members in change.edges.values()))


def _comes_with(group: Group, difference: RowChange) -> bool:
    """Whether a new row is one that an insert of the group asked for."""
    place, row = (difference.database, difference.table), difference.new
    inserts = (one for one in group.changes if one.action == INSERT and (one.database, one.table) == place)
    return row is not None and any(row.agrees(one.columns) for one in inserts)
