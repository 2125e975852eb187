# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes row changes, finds the work keys they affect, and plans these keys with the subjects.

A delta pass plans the keys that row changes have added to the subjects' work queues. A full pass plans all keys of all
subjects; both use the same code. A key whose Changes are in flight is not planned again until the reply arrives. A key
whose Changes a server rejected is retried with exponential back-off, while all other keys continue (workqueue.py).
"""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from typing import Callable, Union

from ..ovsdb.store import RowChange
from ..zone import Facts, Zone
from .change import INSERT, Change, Group, Skipped, Step
from .replies import LOST, READ_ONLY, REJECTED, Reply
from .runs import Runs
from .workqueue import IN_FLIGHT, MOMENT, Backoff, Cause, Item, WorkQueue
from .write_conflicts import Place, WriteConflicts, contents


class _All:
    """The return value of ``Subject.keys`` that means every key of this subject."""


ALL = _All()
Keys = Iterable[Union[Hashable, _All]]

#: The reason given for a key whose subject raised an exception. The traceback is in the log.
BUG = "internal error: please report this as a bug, with the traceback in the log"


class Subject(ABC):
    """One part of the specification as a function of a key.

    A key is the natural identity of the rows that it writes (a port's name, a route's prefix and next hop), so that no
    two keys write the same row. ``tables`` are the (database, table) pairs whose changes are passed to ``keys``.

    ``infer``, ``keys``, ``fact_keys`` and ``plan`` change neither the stores nor the facts of the zone.
    """

    #: The name in logs; also part of the identity of a group.
    name: str
    tables: frozenset[tuple[str, str]]
    #: The facts whose changes are passed to ``fact_keys``.
    facts: frozenset[str] = frozenset(["own_zone", "schemas"])
    #: The facts without which nothing is planned.
    requires: frozenset[str] = frozenset(["own_zone"])
    #: Tables in which an insert affects only the keys that the inserted row, or the added member, itself names. Such an
    #: insert cannot outdate the Changes of other keys in flight. When the server sends back an insert that this
    #: subject has made, its key is therefore not planned again, unless another change arrived in between.
    additive: frozenset[tuple[str, str]] = frozenset()

    def prepare(self, zone: Zone) -> None:
        """Register the indexes that this subject uses, and drop all memory of earlier changes, because some may have
        been missed.
        """

    def begin(self, changes: Sequence[RowChange]) -> None:
        """Take note of all changes of a turn before ``keys`` is called for each. The stores already contain all of
        them.
        """

    def infer(self, facts: Facts, changes: Sequence[RowChange] | None, zone: Zone) -> Facts:
        """The facts after these changes, or after changes that may have been missed (None). The stores already contain
        all of them.
        """
        return facts

    def fact_keys(self, changed: frozenset[str], zone: Zone) -> Keys:
        """The keys that changed facts affect; ``changed`` names those that this subject reads."""
        return (ALL,)

    @abstractmethod
    def keys(self, change: RowChange, zone: Zone) -> Keys:
        """The keys that a row change affects: those of the old row and those of the new row."""

    @abstractmethod
    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        """Every key that may have something to plan."""

    @abstractmethod
    def plan(self, key: Hashable, zone: Zone) -> Iterable[Step]:
        """The Changes that bring this key's rows to their desired state, and what is skipped and why."""


class _Controller:
    """A subject with its work queue.

    ``epoch`` counts the row changes after which the Changes of a key in flight may be out of date.
    """

    __slots__ = ("epoch", "name", "queue", "skipped", "subject")

    def __init__(self, subject: Subject, clock: Callable[[], float]) -> None:
        self.subject = subject
        self.name = subject.name
        self.queue = WorkQueue(clock)
        self.epoch = 0
        #: What the last plan of each key skipped.
        self.skipped: dict[Hashable, tuple[Skipped, ...]] = {}

    def is_echo(self, item: Item, change: RowChange) -> bool:
        """Whether a row change is only the result of an insert of this key in flight, so that the key need not be planned
        again. This is not so if the epoch has changed since the Changes were sent.
        """
        if item.epoch != self.epoch or item.group is None:
            return False
        return change.old is not None or _comes_with(item.group, change)


class Engine:
    """The subjects of a zone with their work queues.

    ``clock`` returns monotonic seconds.
    """

    def __init__(self, zone: Zone, subjects: Sequence[Subject], clock: Callable[[], float]) -> None:
        self.zone = zone
        self.subjects = tuple(subjects)
        self._clock = clock
        self._controllers = {subject.name: _Controller(subject, clock) for subject in self.subjects}
        #: Tracebacks of exceptions in subjects, each of which is a bug. The caller that logs them clears the list.
        self.failures: list[str] = []
        #: What was skipped since the caller last cleared this list: the subject, and the object with its reason.
        self.news: list[tuple[str, Skipped]] = []
        #: The keys that the last call of ``plan`` looked at.
        self.planned: list[Place] = []
        self._conflicts = WriteConflicts(clock)
        #: Statistics of how each subject handled the changes of a pass.
        self.runs = Runs(self._controllers, clock)
        #: By database and table: the subjects that read it, and whether it is additive for the subject.
        self._readers: dict[tuple[str, str], list[tuple[_Controller, bool]]] = {}
        for subject in self.subjects:
            subject.prepare(zone)
            for place in subject.tables:
                self._readers.setdefault(place, []).append((self._controllers[subject.name], place in subject.additive))

    # -- adding keys ---------------------------------------------------------------------------------------------------

    def observe(self, changes: Sequence[RowChange]) -> None:
        """Add the keys that these row changes affect. The stores must already contain all of the changes."""
        self.learn(self._inferred(changes))
        for subject in self.subjects:
            subject.begin(changes)
        for change in changes:
            adds = _only_adds(change)
            for controller, additive in self._readers.get((change.database, change.table), ()):
                if not (additive and adds):
                    controller.epoch += 1
                self._observe_one(controller, change)
        places = {(change.database, change.table) for change in changes}
        self.runs.changed(controller.name for place in places for controller, _additive in self._readers.get(place, ()))

    def _inferred(self, changes: Sequence[RowChange] | None) -> Facts:
        own = self.zone.own_az
        facts = self.zone.facts._replace(own_zone=own.uuid if own is not None else None)
        for subject in self.subjects:
            try:
                facts = subject.infer(facts, changes, self.zone)
            except Exception:  # a row that a subject cannot read must not stop the zone
                self.failures.append(traceback.format_exc())
        return facts

    def learn(self, facts: Facts) -> None:
        """Replace the facts, and add the keys that the changed ones affect."""
        before = self.zone.facts
        if facts == before:
            return
        self.zone.facts = facts
        changed = {name for name, old, new in zip(Facts._fields, before, facts) if old != new}
        for controller in self._controllers.values():
            concerned = controller.subject.facts & changed
            if concerned:
                self._follow(controller, concerned)

    def _follow(self, controller: _Controller, changed: frozenset[str]) -> None:
        controller.epoch += 1
        if "shared_lock" in changed:
            # What was delayed because of another daemon without the lock may be written now.
            self._conflicts.forget(controller.name)
        for key in controller.subject.fact_keys(changed, self.zone):
            if key is ALL:
                self._add_all(controller)
            else:
                controller.queue.add(key)

    def _observe_one(self, controller: _Controller, change: RowChange) -> None:
        subject, queue, items, busy = controller.subject, controller.queue, controller.queue.items, self._conflicts.busy
        try:
            for key in subject.keys(change, self.zone):
                if key is ALL:
                    self.runs.forced(controller.name)
                    for one in subject.all_keys(self.zone):
                        self._observe_key(controller, one, change)
                else:
                    item = items.get(key)
                    if item is None and not busy:
                        queue.enqueue(key)
                    elif item is None or busy or not controller.is_echo(item, change):
                        self._observe_key(controller, key, change)
        # a row that a subject cannot read must not stop the zone: add all of the subject's keys instead
        except Exception:
            self.failures.append(traceback.format_exc())
            self._add_all(controller)

    def _observe_key(self, controller: _Controller, key: Hashable, change: RowChange) -> None:
        busy = self._conflicts.busy
        if busy and (controller.name, key) in busy:
            self._conflicts.observe((controller.name, key), change)
        queue = controller.queue
        item = queue.items.get(key)
        if item is not None:
            if item.state in IN_FLIGHT and controller.is_echo(item, change):
                return
            # The row may be the cause of an earlier rejection.
            queue.hasten(key)
        queue.add(key)

    def add(self, subject: str, key: Hashable) -> None:
        """Add one key: at once, or when the reply to what is in flight has arrived."""
        self._controllers[subject].queue.add(key)

    def _add_all(self, controller: _Controller) -> None:
        self.runs.forced(controller.name)
        for key in controller.subject.all_keys(self.zone):
            controller.queue.add(key)

    def add_all(self) -> None:
        """Add every key of every subject: the next pass is a full one."""
        for controller in self._controllers.values():
            self._add_all(controller)

    def plan_again(self, keys: Iterable[Place | _All]) -> None:
        """Add these keys, given as (subject, key); ALL stands for every key of every subject."""
        for one in keys:
            if isinstance(one, _All):
                self.add_all()
            else:
                self.add(*one)

    def restart(self) -> None:
        """Begin with a full pass: this process has just become active and did not track changes before."""
        self.zone.facts = self._inferred(None)
        self._conflicts.forget()
        for controller in self._controllers.values():
            controller.queue.forget_all()
            controller.subject.prepare(self.zone)
        self.add_all()

    # -- planning ---------------------------------------------------------------------------------------------------------------------

    @property
    def has_work(self) -> bool:
        """Whether a pass would plan something now. Keys that are in flight or back off do not count."""
        return any(controller.queue for controller in self._controllers.values())

    @property
    def has_soon(self) -> bool:
        """Whether a key waits for a short time only, or until another client stops reverting it. A caller that asks
        whether the work is done has to wait for such keys.
        """
        return any(controller.queue.soon for controller in self._controllers.values())

    @property
    def at_rest(self) -> bool:
        """Whether the engine has settled: no key is queued, in flight, or waits for a short time (:attr:`has_soon`). Keys
        that wait longer after a rejection do not count.
        """
        queues = [controller.queue for controller in self._controllers.values()]
        return not any(queue or queue.in_flight or queue.soon for queue in queues)

    def plan(self, most: int = 1000, enough: Callable[[], bool] = lambda: False) -> list[Group]:
        """Plan queued keys in the order of the subjects, at most ``most`` keys or until ``enough()`` is true. Returns
        one group for each key with Changes.
        """
        self.runs.begin()
        groups: list[Group] = []
        facts = self.zone.facts
        self.planned = []
        for controller in self._controllers.values():
            controller.queue.wake()
        for controller in self._controllers.values():
            if not controller.queue:
                continue
            if any(getattr(facts, name) is None for name in controller.subject.requires):
                controller.queue.drop()  # all keys are added when the fact is known
                continue
            self.runs.enter(controller.name)
            for key in controller.queue.take(most - len(self.planned)):
                self.planned.append((controller.name, key))
                group = self._plan_key(controller, key)
                if group is not None:
                    groups.append(group)
                if enough():
                    self.runs.enter(None)
                    return groups
        self.runs.enter(None)
        return groups

    def _plan_key(self, controller: _Controller, key: Hashable) -> Group | None:
        """What to write for a key now, None for nothing."""
        changes, skipped = [], []
        try:
            for step in controller.subject.plan(key, self.zone):
                if isinstance(step, Change):
                    changes.append(step)
                else:
                    skipped.append(step)
        except Exception as failure:  # one bad object must not stop the other keys
            self._fail(controller, key, f"{BUG} ({type(failure).__name__}: {failure})", traceback.format_exc())
            return None
        if skipped:
            before = controller.skipped.get(key, ())
            self.news += [(controller.name, one) for one in skipped if one.logged and one not in before]
            controller.skipped[key] = tuple(skipped)
        elif controller.skipped:
            controller.skipped.pop(key, None)
        if not changes:
            self._agree(controller, key)
            return None
        group, queue = Group(controller.name, key, tuple(changes)), controller.queue
        simple = not self._conflicts.busy and len(queue.items) == queue.in_flight
        return group if simple or self._may_write(controller, group) else None

    def _agree(self, controller: _Controller, key: Hashable) -> None:
        """A key has nothing to write, so it no longer waits."""
        busy = self._conflicts.busy
        if busy and (controller.name, key) in busy:
            self._conflicts.agreed((controller.name, key))
        queue = controller.queue
        if len(queue.items) > queue.in_flight:
            queue.forget(key)

    def _may_write(self, controller: _Controller, group: Group) -> bool:
        """Whether a group may be written now; if not, its key backs off."""
        queue, key, busy = controller.queue, group.key, self._conflicts.busy
        backoff = queue.backoff(key)
        if backoff is not None and backoff.cause is Cause.REFUSED and backoff.due > self._clock() and backoff.contents == contents(group):
            return False
        hold = self._conflicts.hold(group) if busy and (group.subject, key) in busy else None
        if hold is not None:
            self._report(group.subject, key, backoff, queue.hold(key, hold.due, hold.wait, hold.reason))
            return False
        if backoff is not None:
            queue.resume(key)
        return True

    # -- results of groups ---------------------------------------------------------------------------------------------

    def sent(self, group: Group, transactions: int = 1) -> None:
        """A group was sent in this many transactions."""
        controller = self._controllers[group.subject]
        epoch = controller.epoch if controller.subject.additive else None
        controller.queue.start(group.key, group, transactions, epoch)
        self._conflicts.sent(group)

    def is_sent(self, subject: str, key: Hashable) -> bool:
        """Whether Changes of this key are in flight."""
        controller = self._controllers.get(subject)
        return controller is not None and controller.queue.state(key) in IN_FLIGHT

    def done(self, reply: Reply) -> None:
        """One transaction of a group was answered. The stores already contain its rows, because updates precede the
        reply. A rejected key is planned again, and backs off if that does not help; a lost one is planned again.
        """
        group = reply.group
        queue = self._controllers[group.subject].queue
        if reply.outcome is REJECTED:
            if queue.fail(group.key):
                self.back_off(group.subject, group.key, reply.reason, contents(group))
        elif reply.outcome is LOST:
            queue.add(group.key)
            self._conflicts.lost(group)
        queue.done(group.key)

    def back_off(self, subject: str, key: Hashable, reason: str, what: str | None = None) -> None:
        """Keep the rejected contents (``what``) of a key from being written for a while, twice as long as the last
        time.
        """
        before = self._controllers[subject].queue.backoff(key)
        if before is None or before.cause is not Cause.REFUSED or before.due <= self._clock():
            self._back_off(subject, key, reason, Cause.REFUSED, what)

    def _fail(self, controller: _Controller, key: Hashable, reason: str, trace: str) -> None:
        before = controller.queue.backoff(key)
        if before is None or before.cause is not Cause.BUG or before.due <= self._clock():
            self.failures.append(trace)
            self._back_off(controller.name, key, reason, Cause.BUG, None)

    def _back_off(self, subject: str, key: Hashable, reason: str, cause: Cause, what: str | None) -> None:
        queue = self._controllers[subject].queue
        before = queue.backoff(key)
        # A server does not notify its clients when it becomes writable: only another attempt shows it.
        self._report(subject, key, before, queue.back_off(key, reason, cause, what, MOMENT if READ_ONLY in reason else None))

    def _report(self, subject: str, key: Hashable, before: Backoff | None, backoff: Backoff) -> None:
        """Log that a key backs off, unless it does so for a moment only or was reported before."""
        if backoff.wait > MOMENT and (before is None or before.reason != backoff.reason):
            self.news.append((subject, Skipped(str(key), backoff.reason)))

    def retry(self) -> None:
        """A server was reconnected: retry what was rejected, now or a moment after the last attempt."""
        for controller in self._controllers.values():
            controller.queue.retry()

    @property
    def next_due(self) -> float | None:
        """When the next key that backs off is due, in the clock's seconds."""
        found = [controller.queue.next_due for controller in self._controllers.values()]
        return min((due for due in found if due is not None), default=None)

    @property
    def waiting(self) -> dict[Place, Backoff]:
        """The keys that back off, by (subject, key)."""
        return {(name, key): backoff for name, one in self._controllers.items() for key, backoff in one.queue.backoffs()}

    @property
    def skipped(self) -> list[tuple[str, Skipped]]:
        """What is skipped at the moment: the subject, and the object with its reason."""
        undone = [(name, one) for name, each in self._controllers.items() for many in each.skipped.values() for one in many if one.listed]
        return undone + [(subject, Skipped(str(key), backoff.reason)) for (subject, key), backoff in self.waiting.items()]


def _only_adds(change: RowChange) -> bool:
    """Whether a change only adds a row, or members."""
    return change.old is None or (change.old is change.new and not any(members.removed for members in change.edges.values()))


def _comes_with(group: Group, difference: RowChange) -> bool:
    """Whether a new row comes from an insert of the group."""
    place, row = (difference.database, difference.table), difference.new
    inserts = (one for one in group.changes if one.action == INSERT and (one.database, one.table) == place)
    return row is not None and any(row.agrees(one.columns) for one in inserts)
