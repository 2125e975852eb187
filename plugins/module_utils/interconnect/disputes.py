# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two writers that disagree about one row: how long ours rests before it writes the same once more (design, principle 10).

Most disputes are over in a moment. Another zone's daemon of a release without the lock of IC_SB, say, deletes the datapath of a transit
switch that it has not heard of yet, for as long as the news is on its way to it. So the rests begin at a few milliseconds and double: a
dispute costs about as much time again as it lasted, and one that never ends costs a write a minute.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Callable

#: A place (a subject's name and a key) may be written this often within one window before anybody asks what was written.
FREE_WRITES = 5
#: Seconds until a write is forgotten; the same contents after a longer time are no dispute.
WINDOW = 10.0
#: The first and the longest rest, in seconds.
FIRST_REST = 0.01
LAST_REST = 60.0

_Place = tuple[str, Hashable]


class _Dispute:
    """The same contents written to one place again and again: how long it rested last, and until when that is remembered."""

    __slots__ = ("rest", "until")

    def __init__(self, until: float) -> None:
        self.rest = 0.0
        self.until = until


class Disputes:
    """Remembers what was written lately. ``clock`` gives monotonic seconds.

    New contents each time are no dispute but somebody who is busy, as with one ``--wait=sb sync`` after the other.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._window = clock()
        self._writes: dict[_Place, int] = {}
        #: By place and contents, of places that were written often.
        self._disputes: dict[_Place, dict[str, _Dispute]] = {}

    def written(self, place: _Place, contents: Callable[[], str]) -> float:
        """Note that a place is written now. How many seconds it has to rest from now on; 0 where it need not."""
        now = self._clock()
        if now - self._window > WINDOW:
            self._forget(now)
        count = self._writes[place] = self._writes.get(place, 0) + 1
        disputes = self._disputes.get(place)
        if disputes is None:
            if count <= FREE_WRITES:
                return 0.0
            disputes = self._disputes[place] = {}
        text = contents()
        dispute = disputes.get(text)
        if dispute is None:
            disputes[text] = _Dispute(now + WINDOW)
            return 0.0
        dispute.rest = min(max(FIRST_REST, dispute.rest * 2), LAST_REST)
        dispute.until = now + dispute.rest + max(WINDOW, dispute.rest)
        return dispute.rest

    def _forget(self, now: float) -> None:
        self._window = now
        self._writes.clear()
        for place, disputes in list(self._disputes.items()):
            current = {text: dispute for text, dispute in disputes.items() if dispute.until > now}
            if current:
                self._disputes[place] = current
            else:
                del self._disputes[place]
