# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes in, keys to look at, subjects, plan out.

A delta pass plans the keys that row changes have made dirty; a full pass plans all keys of all subjects. There is no second algorithm. A
key whose Changes are on their way to a server is not planned again until the reply is there; a key whose Changes a server rejected is put
aside and retried with exponential back-off, and everything else goes on (design, principles 1, 3, 6, 10).
"""

from __future__ import annotations

import heapq
import re
import traceback
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Callable, NamedTuple, Union

from .change import INSERT, Change, Group, Left, Step
from .disputes import Disputes
from .runs import Runs
from .store import RowChange
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
#: The reason of a key whose subject failed; the traceback is in the log.
BUG = "this program does not know how to deal with it, which is a bug: please report it with the log"
#: A key that has to wait no longer than this is about to go on, in seconds: nobody is told of it, and whoever asks whether the work is done
#: waits too.
MOMENT = 1.0

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Subject(ABC):
    """One part of the spec as a function of a key.

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


def _contents(group: Group) -> str:
    """What a group writes, in one text that is the same for rows that come anew each time."""
    return _UUID.sub("", repr([change.as_result() for change in group.changes]))


class Aside(NamedTuple):
    """A key that waits: until when (the clock's seconds), for how long in all, and why.

    ``refused``: a server is the reason. Otherwise another client keeps reverting ``contents``, and only they have to wait.
    """

    due: float
    wait: float
    reason: str
    refused: bool
    contents: str = ""


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
        self.news: list[tuple[str, Left]] = []
        #: The places that the last call of ``plan`` looked at.
        self.planned: list[tuple[str, Hashable]] = []
        self._aside: dict[tuple[str, Hashable], Aside] = {}
        #: Those that are put aside for a moment, or because another client reverts them.
        self._soon: set[tuple[str, Hashable]] = set()
        self._due: list[tuple[float, int, str, Hashable]] = []
        self._serial = 0
        #: The last wait of keys that were woken and not settled since.
        self._retries: dict[tuple[str, Hashable], float] = {}
        self._left: dict[tuple[str, Hashable], tuple[Left, ...]] = {}
        self._disputes = Disputes(clock)
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
                    self.mark(subject)
                    continue
                flight = self._in_flight.get((subject.name, key))
                self._disputes.observe((subject.name, key), change, flight.group if flight is not None else None)
                if flight is None or not flight.echoes_as(change, self._epochs[subject.name]):
                    self.mark_key(subject.name, key)
        except Exception:  # a row that a subject cannot read must not end the zone's work: look at all of its keys instead
            self.failures.append(traceback.format_exc())
            self.mark(subject)

    def mark(self, subject: Subject) -> None:
        """Mark every key of one subject."""
        self.runs.forced(subject.name)
        for key in subject.all_keys(self.zone):
            self.mark_key(subject.name, key)

    def mark_key(self, subject: str, key: Hashable) -> None:
        """Mark one key: at once, or as soon as what is on its way has arrived, or when its back-off is over.

        A key that backs off because of another client is planned at once too: new input must not wait.
        """
        place = (subject, key)
        flight = self._in_flight.get(place)
        if flight is not None:
            flight.again = True
        elif not self._aside or place not in self._aside or not self._aside[place].refused:
            self._dirty[subject][key] = None

    def mark_all(self) -> None:
        """Mark every key of every subject: the next pass is a full one."""
        for subject in self.subjects:
            self.mark(subject)

    def lock_changed(self) -> None:
        """The lock of IC_SB came or went: look again at what depends on it."""
        for subject in self.subjects:
            if subject.follows_lock:
                self.mark(subject)

    def restart(self) -> None:
        """Begin with a full pass: this process has just become the active one, and has not looked at changes until now."""
        own = self.zone.own_az
        self._own = own.uuid if own is not None else None
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
        return bool(self._soon)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is dirty, in flight or reverted by another client. Keys that a server refuses for longer do not count."""
        return not self._in_flight and not self.has_work and not self.has_soon

    def plan(self, most: int = 1000, enough: Callable[[], bool] = lambda: False) -> list[Group]:
        """Look at dirty keys in the order of the subjects, at ``most`` of them or until ``enough()``; the Changes, a group a key."""
        self._wake_due()
        self.runs.begin()
        groups = []
        self.planned = []
        for subject, key in self._take(most):
            self.runs.enter(subject.name)
            place = (subject.name, key)
            self.planned.append(place)
            group = Group(subject.name, key, self._plan_key(subject, place))
            if self._may_go(place, group):
                groups.append(group)
            if enough():
                break
        self.runs.enter(None)
        return groups

    def _may_go(self, place: tuple[str, Hashable], group: Group) -> bool:
        """Whether a planned group has Changes that may be written now.

        A key with nothing to write, or with other contents than those that another client keeps reverting, stops backing off.
        """
        aside = self._aside.get(place) if self._aside else None
        if aside is not None and not aside.refused:
            if group.changes and aside.contents == _contents(group) and aside.due > self._clock():
                return False
            self._end_wait(place)
        return bool(group.changes)

    def _end_wait(self, place: tuple[str, Hashable]) -> None:
        self._aside.pop(place, None)
        self._soon.discard(place)

    def wake_refused(self) -> None:
        """A database is reachable again, or can be written again: look at once at the keys that a server had refused."""
        for place, aside in list(self._aside.items()):
            if aside.refused:
                self._end_wait(place)
                self._retries[place] = aside.wait
                self.mark_key(*place)

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

    def _plan_key(self, subject: Subject, place: tuple[str, Hashable]) -> tuple[Change, ...]:
        changes, left = [], []
        try:
            for step in subject.plan(place[1], self.zone):
                if isinstance(step, Change):
                    changes.append(step)
                else:
                    left.append(step)
        except Exception as failure:  # one bad object stops nobody
            self.failures.append(traceback.format_exc())
            self.put_aside(place, f"{BUG} ({type(failure).__name__}: {failure})")
            return ()
        if left:
            self.news += [(subject.name, one) for one in left if one not in self._left.get(place, ())]
            self._left[place] = tuple(left)
        elif self._left:
            self._left.pop(place, None)
        return tuple(changes)

    # -- what became of it ------------------------------------------------------------------------------------------------------------

    def sent(self, group: Group, transactions: int = 1) -> None:
        """A group is on its way in this many transactions."""
        place = (group.subject, group.key)
        epoch = self._epochs[group.subject] if self._by_name[group.subject].additive else None
        self._in_flight[place] = _Flight(group, transactions, epoch)
        self._count_write(place, group)

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
            self.put_aside(place, reason)
        else:
            self._retries[place] = 0.0
            flight.again = True
        self._arrived(group)

    def lost(self, group: Group) -> None:
        """Nobody knows what became of a group (the connection is gone, or another client was faster): look again."""
        self._in_flight[(group.subject, group.key)].again = True
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

    def put_aside(self, place: tuple[str, Hashable], reason: str) -> None:
        """Keep a key that came to nothing from being planned for a while, twice as long as the last time."""
        before = self._aside.get(place)
        if before is not None and before.refused and before.due > self._clock():
            return
        self._wait(place, min(max(FIRST_RETRY, self._retries.pop(place, 0.0) * 2), LAST_RETRY), reason, refused=True)

    def _wait(self, place: tuple[str, Hashable], wait: float, reason: str, *, refused: bool, contents: str = "") -> None:
        due = self._clock() + wait
        self._aside[place] = Aside(due, wait, reason, refused, contents)
        if wait <= MOMENT or not refused:
            self._soon.add(place)
        else:
            self._soon.discard(place)
        if wait > MOMENT:
            self.news.append((place[0], Left(str(place[1]), reason)))
        self._serial += 1
        heapq.heappush(self._due, (due, self._serial, place[0], place[1]))

    def _wake_due(self) -> None:
        now = self._clock()
        while self._due and self._due[0][0] <= now:
            due, _serial, subject, key = heapq.heappop(self._due)
            place = (subject, key)
            aside = self._aside.get(place)
            if aside is None or aside.due != due:
                continue  # it was put aside anew in the meantime
            self._end_wait(place)
            if aside.refused:
                self._retries[place] = aside.wait
            self.mark_key(subject, key)

    def _count_write(self, place: tuple[str, Hashable], group: Group) -> None:
        rest, contents = self._disputes.written(place, group, partial(_contents, group))
        if rest:
            reason = f"another client keeps reverting what is written here; the next attempt follows in {rest:g} s"
            self._wait(place, rest, reason, refused=False, contents=contents)

    @property
    def next_due(self) -> float | None:
        """When the next key that was put aside wants to be looked at again, in the clock's seconds."""
        return self._due[0][0] if self._due else None

    @property
    def aside(self) -> dict[tuple[str, Hashable], Aside]:
        """The keys put aside, by (subject, key)."""
        return dict(self._aside)

    @property
    def left(self) -> list[tuple[str, Left]]:
        """What is left undone at the moment: the subject, and the object with its reason."""
        undone = [(subject, one) for (subject, _key), many in self._left.items() for one in many if one.listed]
        put_aside = [(subject, Left(str(key), aside.reason)) for (subject, key), aside in self._aside.items()]
        return undone + put_aside


def _only_adds(change: RowChange) -> bool:
    """Whether a change only adds a row, or members."""
    return change.old is None or (change.old is change.new and not any(members.removed for members in change.edges.values()))


def _comes_with(group: Group, difference: RowChange) -> bool:
    """Whether a new row is one that an insert of the group asked for."""
    place, row = (difference.database, difference.table), difference.new
    inserts = (one for one in group.changes if one.action == INSERT and (one.database, one.table) == place)
    return row is not None and any(row.agrees(one.columns) for one in inserts)
