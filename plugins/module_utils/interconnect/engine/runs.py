# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts how each subject handled the changes of a pass: key by key, or by planning all of its keys.

The control command ``inc-engine/show-stats`` shows these numbers (spec newest-N-24).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from statistics import quantiles


class Stopwatch:
    """The durations of one kind of work, in milliseconds."""

    #: The number of samples from which the percentile is computed.
    KEPT = 1000

    def __init__(self) -> None:
        self.count = 0
        self.maximum = self.minimum = self.short_term = self.long_term = 0.0
        self._recent: deque[float] = deque(maxlen=self.KEPT)

    def add(self, milliseconds: float) -> None:
        """Add one sample. The moving averages use the weights 1/2 and 1/100 for a new sample, as in upstream."""
        self.maximum = max(self.maximum, milliseconds)
        self.minimum = min(self.minimum, milliseconds) if self.count else milliseconds
        if self.count:
            self.short_term += (milliseconds - self.short_term) / 2
            self.long_term += (milliseconds - self.long_term) / 100
        else:
            self.short_term = self.long_term = milliseconds
        self.count += 1
        self._recent.append(milliseconds)

    @property
    def percentile(self) -> float:
        """The 95th percentile of the last samples."""
        return quantiles(self._recent, n=20, method="inclusive")[-1] if len(self._recent) > 1 else self.maximum


class Runs:
    """The passes of an engine, by name of the subject. ``clock`` returns monotonic seconds."""

    def __init__(self, subjects: Iterable[str], clock: Callable[[], float]) -> None:
        self.compute: dict[str, int] = {}
        self.recompute: dict[str, int] = {}
        #: The number of passes that had changes to handle, and the number of those that planned every key of every
        #: subject.
        self.total = self.full = 0
        #: The subjects whose durations are measured.
        self.timed: dict[str, Stopwatch] = {}
        self._subjects = frozenset(subjects)
        self._clock = clock
        self._changed: set[str] = set()
        self._forced: set[str] = set()
        self._current: tuple[str, float] | None = None
        self.clear()

    def clear(self) -> None:
        """Set all counters to 0. Stopwatches are not changed."""
        self.total = self.full = 0
        self.compute = dict.fromkeys(self._subjects, 0)
        self.recompute = dict.fromkeys(self._subjects, 0)

    def changed(self, subjects: Iterable[str]) -> None:
        """These subjects have named keys for some changes."""
        self._changed.update(subjects)

    def forced(self, subject: str) -> None:
        """This subject plans all of its keys."""
        self._forced.add(subject)

    def begin(self) -> None:
        """A pass begins: count what has arrived since the last one."""
        if not (self._changed or self._forced):
            return
        self.total += 1
        self.full += self._forced == self._subjects
        for subject in self._forced:
            self.recompute[subject] += 1
        for subject in self._changed - self._forced:
            self.compute[subject] += 1
        self._changed.clear()
        self._forced.clear()

    def enter(self, subject: str | None) -> None:
        """The pass continues with this subject, or ends (None)."""
        if not self.timed or (self._current is not None and self._current[0] == subject):
            return
        now = self._clock()
        if self._current is not None and self._current[0] in self.timed:
            self.timed[self._current[0]].add((now - self._current[1]) * 1000)
        self._current = None if subject is None else (subject, now)
