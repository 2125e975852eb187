# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides when the next pass may begin, from ``IC_NB_Global.options:ic-backoff-interval-ms`` (spec newest-N-1).

After a pass that took D milliseconds, the next pass waits D milliseconds, but not longer than the option says. The
daemon therefore uses at most half of a core, whatever other zones do. In the meantime, changes are collected and
commits continue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..settings import unsigned

OPTION = "ic-backoff-interval-ms"
#: If receiving from one database takes longer than this many seconds, the next pass does not wait.
LONG_RECEPTION = 0.5


class Pace:
    """The wait after a pass. ``clock`` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: When the next pass may begin, in the clock's seconds.
        self.due = 0.0

    @property
    def resting(self) -> bool:
        """Whether the next pass has to wait."""
        return self.due > self._clock()

    def passed(self, began: float, options: Mapping[str, str]) -> None:
        """A pass has ended; it began at ``began``. ``options`` is the column of IC_NB_Global."""
        now = self._clock()
        self.due = now + min(now - began, unsigned(options, OPTION) / 1000)

    def received(self, seconds: float) -> None:
        """Receiving from one database took this long."""
        if seconds >= LONG_RECEPTION:
            self.skip()

    def skip(self) -> None:
        """Let the next pass begin at once."""
        self.due = 0.0
