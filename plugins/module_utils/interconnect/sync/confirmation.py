# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides when a zone may confirm a number of IC_NB.nb_ic_cfg (spec status-E, the recommended rule).

The four connections are not ordered relative to each other. After a new number arrives, an empty transaction is
therefore sent on NB, SB and IC_SB. Updates precede replies, so once the last reply has arrived, everything that was
committed before the request is in the stores. The engine then runs passes and waits for their transactions, up to two
more times if these cause further work, before it confirms the number.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import Any, Callable

from ..engine.commit import Committer
from ..engine.engine import Engine
from ..ovsdb.replica import Replica
from ..subjects.progress import has_counters
from ..zone import Zone

#: The number of passes before a number is confirmed. More than one is needed because what IC_SB returns (a tunnel key)
#: is written to NB in a later pass.
_ROUNDS = 3
#: The longest wait, in seconds, of a confirmation for keys that another client keeps reverting. Each is retried at
#: least once in that time.
_PATIENCE = 60.0


class Confirmation:
    """Follows one request number from IC_NB until the zone may confirm it. ``clock`` returns monotonic seconds."""

    def __init__(
        self,
        zone: Zone,
        engine: Engine,
        committer: Committer,
        replicas: Iterable[Replica],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        #: The end of the wait for keys that another client keeps reverting.
        self._end = 0.0
        self._zone = zone
        self._engine = engine
        self._committer = committer
        self._replicas = tuple(replicas)
        #: The number that the zone may confirm. None until the first one was followed.
        self.confirmable: int | None = None
        self._number: int | None = None
        #: Identifies the empty transactions of this number: replies to earlier ones are ignored.
        self._asked = object()
        self._replies = 0
        self._round = 0
        #: The committer's serial number up to which transactions must have been answered before the next round.
        self._mark: int | None = None

    @property
    def idle(self) -> bool:
        """Whether no request number is being followed."""
        return self._number is None

    def reset(self) -> None:
        """Forget the previous state: another daemon of the zone may have confirmed later numbers in the meantime."""
        self.confirmable = self._number = None

    def withdraw(self) -> None:
        """IC_SB may have lost what this zone has confirmed: it may not confirm a number again before it has followed one."""
        self.confirmable = None

    def run(self) -> None:
        """Take the next step if possible. Call this after each pass."""
        if self._number is None:
            self._begin()
        elif self._replies == 0:
            self._advance()

    def _begin(self) -> None:
        row, own = self._zone.ic_nb.only("IC_NB_Global"), self._zone.own_az
        if row is None or own is None or not has_counters(self._zone):
            return
        number = row["nb_ic_cfg"]
        if number in (own["nb_ic_cfg"], self.confirmable):
            return
        self._number, self._round, self._mark = number, 0, None
        self._end = self._clock() + _PATIENCE
        self._asked, self._replies = object(), len(self._replicas)
        for replica in self._replicas:
            replica.transact([], partial(self._replied, self._asked))

    def _replied(self, asked: object, result: list[Any] | None, _error: str | None) -> None:
        if asked is not self._asked or self._number is None:
            return
        if result is None:
            self._number = None  # the connection is lost: start again after the reconnection
        else:
            self._replies -= 1

    def _advance(self) -> None:
        """Take all steps that need no waiting: if nothing is in flight, no event would trigger the next step."""
        while self._number is not None and not (self._engine.has_work or (self._engine.has_soon and self._clock() < self._end)):
            if self._mark is None:
                self._mark = self._committer.serial
            if not self._committer.arrived(self._mark):
                return
            self._round += 1
            self._mark = None
            if self._round == _ROUNDS or self._engine.at_rest:
                self._confirm()

    def _confirm(self) -> None:
        self.confirmable, self._number = self._number, None
