# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How soon the next pass may begin: ``IC_NB_Global.options:ic-backoff-interval-ms`` (spec newest-N-1).

After a pass that took D milliseconds the next one waits for D milliseconds too, but no longer than the option says. Half of a core stays
free then, whatever the other zones do. Meanwhile changes are collected and commits go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .settings import unsigned

OPTION = "ic-backoff-interval-ms"
#: Receiving from one database for longer than that is work enough: the next pass does not wait, in seconds.
LONG_RECEPTION = 0.5


class Pace:
    """The rest after a pass. ``clock`` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: When the next pass may begin, in the clock's seconds.
        self.due = 0.0

    @property
    def resting(self) -> bool:
        """Whether the next pass has to wait."""
        return self.due > self._clock()

    def passed(self, began: float, options: Mapping[str, str]) -> None:
        """A pass that began then has ended now; ``options`` are those of IC_NB_Global."""
        now = self._clock()
        self.due = now + min(now - began, unsigned(options, OPTION) / 1000)

    def received(self, seconds: float) -> None:
        """Receiving from one database took so long."""
        if seconds >= LONG_RECEPTION:
            self.skip()

    def skip(self) -> None:
        """Let the next pass begin at once."""
        self.due = 0.0
