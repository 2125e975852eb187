# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Detects databases that this process cannot use: it cannot read them, the server hangs, or the server rejects writes.

An open connection does not show this: a server that hangs keeps its connections, unix sockets are not probed, and a
read-only server reports that only when a client writes. This module therefore sends a test transaction to each database
at intervals. It updates no row and is aborted, so it changes nothing, and the reply shows whether the server accepts
writes. The comments below call this transaction a question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ..engine.replies import READ_ONLY
from ..ovsdb.replica import Replica
from ..ovsdb.wire import first_error, where

#: The time between two questions, and the time after which an instance that does not hold the lock stops waiting for it, as parts of the
#: bounded time. A server that becomes silent between two questions is noticed an interval later at most, so every standby leaves the queue
#: for the lock (:meth:`Ability.doubtful`) before the active instance offers the lock (not :meth:`Ability.able`): 0.45 < 0.5 < 1 - 0.45.
_INTERVAL = 0.45
_DOUBT = 0.5
#: The uuid of no row.
_NO_ROW = "00000000-0000-0000-0000-000000000000"

_UNREADABLE = "{0} could not be read for more than {1:g} s; check that its server runs and can be reached from this host"
_SILENT = "the server of {0} has not answered for more than {1:g} s; check whether the server, or a proxy, hangs"
_REFUSES = (
    "the server of {0} has been read-only for more than {1:g} s: it copies another server, or its connection has"
    " read_only=true; promote it, or give the daemon a server that accepts writes"
)


class _Use:
    """The state of one database. ``since``: when it was last usable, in the clock's seconds. None while it is usable."""

    def __init__(self, replica: Replica, now: float) -> None:
        self._replica = replica
        self._table = next(iter(replica.store.database.tables))
        self.since: float | None = now
        #: The problem, as a format of the database's name and the seconds.
        self.reason = _UNREADABLE
        #: When the last question with a good answer was asked on this connection.
        self._good: float | None = None
        #: Identifies the question that has no answer yet.
        self._question: object | None = None
        self._read_only = False

    def run(self, now: float, asking: bool, all_due: bool) -> None:
        """Update the state. With ``asking``, ask if it is time to (``all_due``) or if this connection was not asked yet."""
        if not self._replica.connected:
            self._good = self._question = None
            self._read_only = False
        if asking and self.can_ask and (all_due or (self._good is None and not self._read_only)):
            self._ask(now)
        reason = self._find_reason(asking)
        if reason is None:
            self.since = None
            return
        self.reason = reason
        if self.since is None:
            self.since = now if self._good is None or reason is _UNREADABLE else self._good

    @property
    def can_ask(self) -> bool:
        """Whether there is a connection without an unanswered question."""
        return self._replica.synced and self._question is None

    def _find_reason(self, asking: bool) -> str | None:
        if not self._replica.synced:
            return _UNREADABLE
        if self._read_only:
            return _REFUSES
        return _SILENT if self._question is not None and asking else None

    def _ask(self, now: float) -> None:
        question = self._question = object()
        nothing = {"op": "update", "table": self._table, "where": where(_NO_ROW), "row": {}}
        self._replica.transact([nothing, {"op": "abort"}], partial(self._answered, question, now))

    def _answered(self, question: object, asked: float, result: list[Any] | None, _error: str | None) -> None:
        if question is not self._question:
            return
        self._question = None
        if result is None:
            return
        failure = first_error(result)
        self._read_only = failure is not None and READ_ONLY in failure[1]
        if not self._read_only:
            self._good = asked


class Ability:
    """Tracks whether each of these databases can be used.

    ``clock`` returns monotonic seconds. If a database was unusable for ``seconds``, this process counts as unable. With
    0 nothing is asked, and the process always counts as able. ``elector`` is the database whose server grants the lock of
    the zone. Its problems are reported, but do not make this process unable, because only that server can pass the lock
    to another process.
    """

    def __init__(self, replicas: Mapping[str, Replica], clock: Callable[[], float], seconds: float, elector: str) -> None:
        self._clock = clock
        self._elector = elector
        #: When :meth:`run` was called last, and when it asks again, in the clock's seconds.
        self._ran = self._next_question = clock()
        self.seconds = seconds
        self._uses = {name: _Use(replica, clock()) for name, replica in replicas.items()}

    def run(self, asking: bool) -> None:
        """Update the state of all databases. With ``asking``, ask them at intervals."""
        now = self._ran = self._clock()
        asking = asking and self.seconds > 0
        due = asking and now >= self._next_question
        if due:  # all at the same time, so that this process wakes up once
            self._next_question = now + self.seconds * _INTERVAL
        for use in self._uses.values():
            use.run(now, asking, due)

    def dues(self, asking: bool, since: float | None = None) -> Iterable[float]:
        """When :meth:`run` asks again, and when :meth:`able` or :meth:`doubtful` changes, in the clock's seconds."""
        if not self.seconds:
            return
        if asking:
            yield self._next_question
        begins = [since, *(use.since for use in self._uses.values())]
        ends = (begin + part * self.seconds for begin in begins if begin is not None for part in (_DOUBT, 1))
        yield from (end for end in ends if end > self._ran)

    def able(self, since: float | None = None) -> bool:
        """Whether all databases were usable within ``seconds``. ``since``: when another kind of problem began."""
        return not self._lasts(1, since)

    def doubtful(self, since: float | None = None) -> bool:
        """Whether half of that time is over. Then this process leaves the lock to others."""
        return self._lasts(_DOUBT, since)

    def _lasts(self, part: float, since: float | None) -> bool:
        uses = (use.since for name, use in self._uses.items() if name != self._elector)
        begins = [begin for begin in (since, *uses) if begin is not None]
        return bool(self.seconds and begins) and self._clock() >= min(begins) + part * self.seconds

    @property
    def problems(self) -> dict[str, str]:
        """By database, the problem that has existed for ``seconds``, one sentence each."""
        if not self.seconds:
            return {}
        latest = self._clock() - self.seconds
        return {
            name: use.reason.format(name, self.seconds) for name, use in self._uses.items() if use.since is not None and use.since <= latest
        }
