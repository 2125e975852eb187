# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Back-off of a key whose rows another client keeps reverting (design, principle 10).

Most conflicts are over in a moment. Another zone's daemon of a release without the lock of IC_SB, for example, deletes the datapath of a
transit switch that it has not read yet. So the waits begin at a few milliseconds and double: a conflict costs about as much time again as
it lasted, and one that never ends costs a write a minute.

A conflict is the same contents written again after another client has changed the rows that were written. Without such a change it is our
own input that goes back and forth, and changed input never waits.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Callable

from .change import DELETE, INSERT, UPDATE, Group
from .store import RowChange

#: A place (a subject's name and a key) may be written this often within one window before anybody asks what was written.
FREE_WRITES = 5
#: Seconds until a write is forgotten; the same contents after a longer time are no dispute.
WINDOW = 10.0
#: The first and the longest rest, in seconds.
FIRST_REST = 0.01
LAST_REST = 60.0

_Place = tuple[str, Hashable]


class _Busy:
    """A place that is written often: its waits by contents, where it was written last, and whether another client has changed that."""

    __slots__ = ("reverted", "tables", "until", "waits")

    def __init__(self) -> None:
        self.waits: dict[str, float] = {}
        self.tables: frozenset[tuple[str, str]] = frozenset()
        self.reverted = False
        self.until = 0.0


class Disputes:
    """Remembers what was written lately. ``clock`` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._window = clock()
        self._writes: dict[_Place, int] = {}
        self._busy: dict[_Place, _Busy] = {}

    def written(self, place: _Place, group: Group, contents: Callable[[], str]) -> tuple[float, str]:
        """Note that a place is written now. For how many seconds the same contents have to wait from now on, 0 if not; and the contents."""
        now = self._clock()
        if now - self._window > WINDOW:
            self._forget(now)
        count = self._writes[place] = self._writes.get(place, 0) + 1
        busy = self._busy.get(place)
        if busy is None:
            if count <= FREE_WRITES:
                return 0.0, ""
            busy = self._busy[place] = _Busy()
        text = contents()
        wait = 0.0
        if busy.reverted and text in busy.waits:
            wait = min(max(FIRST_REST, busy.waits[text] * 2), LAST_REST)
        busy.waits[text] = wait
        busy.tables = frozenset((change.database, change.table) for change in group.changes)
        busy.reverted = False
        busy.until = now + wait + max(WINDOW, wait)
        return wait, text

    def observe(self, place: _Place, change: RowChange, in_flight: Group | None) -> None:
        """Note a row change that affects a place. What a group in flight writes itself comes back as a change too."""
        busy = self._busy.get(place) if self._busy else None
        if busy is not None and (change.database, change.table) in busy.tables:
            busy.reverted = busy.reverted or in_flight is None or _undoes(change, in_flight)

    def _forget(self, now: float) -> None:
        self._window = now
        self._writes.clear()
        self._busy = {place: busy for place, busy in self._busy.items() if busy.until > now}


def _undoes(change: RowChange, group: Group) -> bool:
    """Whether a row change removes or changes what a group has written."""
    for own in group.changes:
        if (own.database, own.table) != (change.database, change.table):
            continue
        if own.action == INSERT and change.new is None:
            return True
        if own.action == UPDATE and own.uuid == change.uuid and (change.new is None or not change.new.agrees(own.columns)):
            return True
        if own.action == DELETE and change.old is None:
            return True
    return False
