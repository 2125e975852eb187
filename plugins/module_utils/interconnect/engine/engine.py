# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes row changes, finds the work keys they affect, and plans these keys with the subjects.

A delta pass plans the keys that row changes have marked. A full pass plans all keys of all subjects; both use the same
code. A key whose Changes are in flight is not planned again until the reply arrives. A key whose Changes a server
rejected is set aside and retried with exponential back-off, while all other keys continue (docs/architecture.md).
"""

from __future__ import annotations

import enum
import heapq
import traceback
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Callable, NamedTuple, Union

from ..ovsdb.store import RowChange
from ..zone import Zone
from .change import INSERT, Change, Group, Skipped, Step
from .runs import Runs
from .write_conflicts import WriteConflicts, contents


class _All:
    """The return value of ``Subject.keys`` that means every key of this subject."""


ALL = _All()
Keys = Iterable[Union[Hashable, _All]]

#: The back-off of a key that was rejected twice, in seconds. It doubles from 4 up to 60: a few rejections in the first
#: minute, then at most one per minute. After the first rejection the key is planned again at once, because the cause
#: (for example, another zone took the same tunnel key) has usually arrived by then.
FIRST_RETRY = 4.0
LAST_RETRY = 60.0
#: The error of a server that only copies another server, until it is promoted.
READ_ONLY = "not allowed when database server is in read only mode"
#: The reason given for a key whose subject raised an exception. The traceback is in the log.
BUG = "internal error: please report this as a bug, with the traceback in the log"
#: A wait of at most this many seconds is not reported, and a caller that asks whether the work is done waits for it
#: too.
MOMENT = 1.0


class Subject(ABC):
    """One part of the specification as a function of a key.

    A key is the natural identity of the rows that it writes (a port's name, a route's prefix and next hop), so that no
    two keys write the same row. ``tables`` are the (database, table) pairs whose changes are passed to ``keys``.
    """

    #: The name in logs; also part of the identity of a group.
    name: str
    tables: frozenset[tuple[str, str]]
    #: Whether the subject also runs while the zone has no row of its own in IC_SB.
    nameless = False
    #: Tables in which a new row, or a row that becomes a member, names every key that it affects, and so cannot outdate
    #: what is in flight. In such tables, the echo of an insert of this subject marks nothing, unless another change
    #: came in between.
    additive: frozenset[tuple[str, str]] = frozenset()
    #: Whether the plan depends on the lock of IC_SB. If so, all keys are marked when this daemon gets the lock.
    follows_lock = False

    def prepare(self, zone: Zone) -> None:
        """Register the indexes that this subject uses, and drop all memory of earlier changes, because some may have
        been missed.
        """

    def begin(self, changes: Sequence[RowChange]) -> None:
        """Take note of all changes of a turn before ``keys`` is called for each. The stores already contain all of
        them.
        """

    @abstractmethod
    def keys(self, change: RowChange, zone: Zone) -> Keys:
        """The keys that a row change affects: those of the old row and those of the new row."""

    @abstractmethod
    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        """Every key that may have something to plan."""

    @abstractmethod
    def plan(self, key: Hashable, zone: Zone) -> Iterable[Step]:
        """The Changes that bring this key's rows to their desired state, and what is skipped and why."""


class Cause(enum.Enum):
    """Why a key waits."""

    #: A server rejected what the key writes.
    REFUSED = "refused"
    #: The key must not repeat its write yet (see write_conflicts.py).
    CONFLICT = "conflict"
    #: The subject raised an exception.
    BUG = "bug"


class WaitingKey(NamedTuple):
    """A key that was set aside: until when (in the clock's seconds), for how long in total, why, and since when.

    ``contents`` is what was to be written, None if unknown. Different contents are written without waiting.
    """

    due: float
    wait: float
    reason: str
    cause: Cause
    since: float
    contents: str | None = None


class _Flight:
    """What is in flight for one key: the group, the number of its transactions, and what has happened since.

    ``epoch`` is the subject's epoch at the time of planning, None if the subject's own echo has to mark keys.
    """

    __slots__ = ("again", "epoch", "group", "refused", "transactions")

    def __init__(self, group: Group, transactions: int, epoch: int | None) -> None:
        self.group = group
        self.transactions = transactions
        self.epoch = epoch
        #: Whether the key was marked in the meantime.
        self.again = False
        #: Whether one of the transactions was rejected.
        self.refused = False

    def echoes_as(self, change: RowChange, epoch: int) -> bool:
        """Whether a difference is an insert, of a row or a member, that the group asked for and that nothing has
        outdated.
        """
        if self.epoch != epoch:
            return False
        return change.old is not None or _comes_with(self.group, change)


class Engine:
    """The marked keys of all subjects and the state of their groups.

    ``clock`` returns monotonic seconds.
    """

    def __init__(self, zone: Zone, subjects: Sequence[Subject], clock: Callable[[], float]) -> None:
        self.zone = zone
        self.subjects = tuple(subjects)
        self._clock = clock
        self._by_name = {subject.name: subject for subject in self.subjects}
        self._dirty: dict[str, dict[Hashable, None]] = {subject.name: {} for subject in self.subjects}
        self._in_flight: dict[tuple[str, Hashable], _Flight] = {}
        #: For each subject, a counter of the changes that may outdate what is in flight.
        self._epochs = {subject.name: 0 for subject in self.subjects}
        #: Tracebacks of exceptions in subjects, each of which is a bug. The caller that logs them clears the list.
        self.failures: list[str] = []
        #: What was skipped since the caller last cleared this list: the subject, and the object with its reason.
        self.news: list[tuple[str, Skipped]] = []
        #: The keys that the last call of ``plan`` looked at.
        self.planned: list[tuple[str, Hashable]] = []
        self._waiting: dict[tuple[str, Hashable], WaitingKey] = {}
        #: The keys that are set aside for a moment only.
        self._soon: set[tuple[str, Hashable]] = set()
        #: The keys that wait because of a write conflict.
        self._conflicting: set[tuple[str, Hashable]] = set()
        self._due: list[tuple[float, int, str, Hashable]] = []
        self._serial = 0
        #: The last wait of keys that were retried and have not been settled since.
        self._retries: dict[tuple[str, Hashable], float] = {}
        self._skipped: dict[tuple[str, Hashable], tuple[Skipped, ...]] = {}
        self._conflicts = WriteConflicts(clock)
        #: Statistics of how each subject handled the changes of a pass.
        self.runs = Runs(self._by_name, clock)
        self._own: str | None = None
        #: By database and table: the subjects that read it, and whether it is additive for the subject.
        self._readers: dict[tuple[str, str], list[tuple[Subject, bool]]] = {}
        for subject in self.subjects:
            subject.prepare(zone)
            for place in subject.tables:
                self._readers.setdefault(place, []).append((subject, place in subject.additive))

    # -- marking keys --------------------------------------------------------------------------------------------------

    def observe(self, changes: Sequence[RowChange]) -> None:
        """Mark the keys that these row changes affect. The stores must already contain all of the changes."""
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
        # a row that a subject cannot read must not stop the zone: mark all of the subject's keys instead
        except Exception:
            self.failures.append(traceback.format_exc())
            self.mark(subject)

    def _observe_key(self, subject: str, key: Hashable, change: RowChange) -> None:
        place = (subject, key)
        if place in self._conflicts.busy:
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
        """Mark one key: at once, or when the reply to what is in flight has arrived.

        A key that is set aside is planned as well: only contents that were rejected or reverted have to wait.
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
        """The lock of IC_SB was gained or lost: mark what depends on it, and what waits because of daemons without the
        lock.
        """
        for subject in self.subjects:
            if subject.follows_lock:
                self._conflicts.forget(subject.name)
                self.mark(subject)

    def restart(self) -> None:
        """Begin with a full pass: this process has just become active and did not track changes before."""
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
        """Whether a pass would plan something now. Keys in flight or set aside do not count."""
        return any(self._dirty.values())

    @property
    def has_soon(self) -> bool:
        """Whether a key waits only for a moment, or for another client to stop reverting it. The work is then not done."""
        return bool(self._soon or self._conflicting)

    @property
    def at_rest(self) -> bool:
        """Whether no key is marked, in flight or reverted by another client. Keys that a server rejects for longer do
        not count.
        """
        return not self._in_flight and not self.has_work and not self.has_soon

    def plan(self, most: int = 1000, enough: Callable[[], bool] = lambda: False) -> list[Group]:
        """Plan marked keys in the order of the subjects, at most ``most`` keys or until ``enough()`` is true. Returns
        one group for each key with Changes.
        """
        self._wake_due()
        self.runs.begin()
        groups: list[Group] = []
        self.planned = []
        current: Subject | None = None
        for subject, key in self._take(most):
            if subject is not current:
                current = subject
                self.runs.enter(subject.name)
            place = (subject.name, key)
            self.planned.append(place)
            changes = self._plan_key(subject, place)
            if changes:
                group = Group(subject.name, key, changes)
                if self._may_write(group):
                    groups.append(group)
            elif changes is not None:
                self._agree(place)
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
                # CPython does not shrink a dict on deletion: iterating over an emptied one still scans its old table
                dirty.clear()

    def _agree(self, place: tuple[str, Hashable]) -> None:
        """A key has nothing to write, so it waits for nothing."""
        if place in self._conflicts.busy:
            self._conflicts.agreed(place)
        if self._waiting and place in self._waiting:
            self._go_on(place)
            self._retries.pop(place, None)

    def _may_write(self, group: Group) -> bool:
        """Whether a group may be written now; if not, its key waits."""
        place = (group.subject, group.key)
        waiting = self._waiting.get(place) if self._waiting else None
        if waiting is not None and waiting.cause is Cause.REFUSED and waiting.due > self._clock() and waiting.contents == contents(group):
            return False
        hold = self._conflicts.hold(group) if place in self._conflicts.busy else None
        if hold is not None:
            self._wait(place, WaitingKey(hold.due, hold.wait, hold.reason, Cause.CONFLICT, self._clock()))
            return False
        if waiting is not None:
            self._go_on(place)
        return True

    def _plan_key(self, subject: Subject, place: tuple[str, Hashable]) -> tuple[Change, ...] | None:
        """The Changes of a key, None if its subject raised an exception."""
        changes, skipped = [], []
        try:
            for step in subject.plan(place[1], self.zone):
                if isinstance(step, Change):
                    changes.append(step)
                else:
                    skipped.append(step)
        except Exception as failure:  # one bad object must not stop the other keys
            self._fail(place, f"{BUG} ({type(failure).__name__}: {failure})", traceback.format_exc())
            return None
        if skipped:
            self.news += [(subject.name, one) for one in skipped if one.logged and one not in self._skipped.get(place, ())]
            self._skipped[place] = tuple(skipped)
        elif self._skipped:
            self._skipped.pop(place, None)
        return tuple(changes)

    # -- results of groups ---------------------------------------------------------------------------------------------

    def sent(self, group: Group, transactions: int = 1) -> None:
        """A group was sent in this many transactions."""
        place = (group.subject, group.key)
        epoch = self._epochs[group.subject] if self._by_name[group.subject].additive else None
        self._in_flight[place] = _Flight(group, transactions, epoch)
        self._conflicts.sent(group)

    def is_sent(self, subject: str, key: Hashable) -> bool:
        """Whether Changes of this key are in flight."""
        return (subject, key) in self._in_flight

    def committed(self, group: Group) -> None:
        """One transaction of a group was committed. The stores already contain its rows, because updates precede the
        reply.
        """
        self._arrived(group)

    def rejected(self, group: Group, reason: str) -> None:
        """A server rejected one transaction of a group: plan the key again, and set it aside if that does not help."""
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
        """The outcome of a group is unknown (the connection was lost, or another client was faster): plan the key
        again.
        """
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
        """Keep the rejected contents (``what``) of a key from being written for a while, twice as long as the last
        time.
        """
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
        # A server does not notify its clients when it becomes writable: only another attempt shows it.
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
        """A key no longer waits. After the next rejection it waits longer than before."""
        waiting = self._waiting.pop(place)
        self._soon.discard(place)
        self._conflicting.discard(place)
        if waiting.cause is not Cause.CONFLICT:
            self._retries[place] = waiting.wait

    def _hasten(self, place: tuple[str, Hashable]) -> None:
        """A row that concerns a rejected key has changed, so the cause may be gone: retry now, or a moment after the
        last attempt.
        """
        waiting = self._waiting[place]
        due = max(self._clock(), waiting.since + MOMENT)
        if waiting.cause is Cause.REFUSED and due < waiting.due:
            self._wait(place, waiting._replace(due=due))

    def retry(self) -> None:
        """A server was reconnected: retry what was rejected, now or a moment after the last attempt."""
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
            if waiting is not None and waiting.due == due:  # otherwise the key was set aside again in the meantime
                self._go_on(place)
                self.mark_key(subject, key)

    @property
    def next_due(self) -> float | None:
        """When the next key that is set aside is due, in the clock's seconds."""
        while self._due:
            due, _serial, subject, key = self._due[0]
            waiting = self._waiting.get((subject, key))
            if waiting is not None and waiting.due == due:
                return due
            heapq.heappop(self._due)
        return None

    @property
    def waiting(self) -> dict[tuple[str, Hashable], WaitingKey]:
        """The keys that are set aside, by (subject, key)."""
        return dict(self._waiting)

    @property
    def skipped(self) -> list[tuple[str, Skipped]]:
        """What is skipped at the moment: the subject, and the object with its reason."""
        undone = [(subject, one) for (subject, _key), many in self._skipped.items() for one in many if one.listed]
        waiting_keys = [(subject, Skipped(str(key), waiting.reason)) for (subject, key), waiting in self._waiting.items()]
        return undone + waiting_keys


def _only_adds(change: RowChange) -> bool:
    """Whether a change only adds a row, or members."""
    return change.old is None or (change.old is change.new and not any(members.removed for members in change.edges.values()))


def _comes_with(group: Group, difference: RowChange) -> bool:
    """Whether a new row comes from an insert of the group."""
    place, row = (difference.database, difference.table), difference.new
    inserts = (one for one in group.changes if one.action == INSERT and (one.database, one.table) == place)
    return row is not None and any(row.agrees(one.columns) for one in inserts)
