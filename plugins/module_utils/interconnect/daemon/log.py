# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daemon's log: the library's, with lines and a log file of our own.

The library writes every warning a second time where there is no log file, and closes its file before it knows that it can be opened anew.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from .log_pattern import PATTERNS, Entry, line
from .log_spec import follow

try:
    import ovs.vlog

    _Vlog: Any = ovs.vlog.Vlog
    _vlog, _own = _Vlog("ovn_ic"), _Vlog("vlog")
except ImportError:  # main says so, see client.check_library
    _Vlog = _vlog = _own = None


class _Place:
    """One place in the code that warns: what it has logged in the current minute, and what was dropped since the last line."""

    __slots__ = ("began", "dropped", "first", "last", "logged")

    def __init__(self, now: float) -> None:
        self.began = now
        self.logged = self.dropped = 0
        self.first = self.last = now

    def allows(self, now: float, most: int, seconds: float) -> bool:
        """Whether one more line may be logged now."""
        if now - self.began >= seconds:
            self.began, self.logged = now, 0
        if self.logged < most:
            self.logged += 1
            return True
        if not self.dropped:
            self.first = now
        self.dropped += 1
        self.last = now
        return False

    def report(self, now: float) -> str | None:
        """The line about what was dropped, in upstream's words; None where nothing was."""
        dropped, self.dropped = self.dropped, 0
        if not dropped:
            return None
        ages = f"in last {now - self.first:.0f} seconds (most recently, {now - self.last:.0f} seconds ago)"
        return f"Dropped {dropped} log messages {ages} due to excessive rate"


class Log:
    """The log of module ``ovn_ic``. Warnings are limited as upstream limits them: ``MOST`` in ``SECONDS`` for each place in the code.

    The place is where the log is called, and what the sentence says before its first colon: the part of the engine that warns.
    """

    #: How many places are remembered.
    PLACES = 1000
    MOST = 5
    SECONDS = 60.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.limited = True
        self._clock = clock
        self._places: dict[tuple[object, int, str], _Place] = {}

    def __call__(self, level: str, sentence: str) -> None:
        """Log one sentence; ``level`` is info, warn, err or dbg."""
        if level == "warn":
            now, frame = self._clock(), sys._getframe(1)
            key = (frame.f_code, frame.f_lineno, sentence.partition(":")[0])
            if len(self._places) > self.PLACES and key not in self._places:
                self._places.clear()
            place = self._places.setdefault(key, _Place(now))
            if self.limited and not place.allows(now, self.MOST, self.SECONDS):
                return
            words = place.report(now)
            if words is not None:
                _vlog.warn(words)
        getattr(_vlog, level)(sentence)


class LogFile:
    """The file that is logged to, None for none."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self._handler: logging.Handler | None = None

    def open(self) -> None:
        """Open the file, or open it anew for log rotation. Raises OSError, and what was open goes on."""
        if self.path is None:
            return
        handler = logging.FileHandler(self.path, encoding="utf-8", errors="backslashreplace")
        self.close()
        self._handler = handler
        logging.getLogger("file").addHandler(handler)
        _own.info(f"opened log file {self.path}")

    def close(self) -> None:
        """Log to the file no more."""
        if self._handler is not None:
            _own.info("closing log file")
            logging.getLogger("file").removeHandler(self._handler)
            self._handler.close()
            self._handler = None

    def reopen(self) -> None:
        """Open the file anew; where that fails, say so and go on with what was open."""
        try:
            self.open()
        except OSError as error:
            _own.warn(f"failed to open {self.path} for logging: {error.strerror}")


class SpecError(ValueError):
    """A logging specification cannot be followed; the text is one sentence."""


def begin(specs: Iterable[str], *, syslog: bool) -> None:
    """Begin to log, to a file only from :meth:`LogFile.open` on. Raises SpecError."""
    if not syslog:
        os.environ["OVS_SYSLOG_METHOD"] = "null"
    for spec in specs:
        error = follow(spec)
        if error is not None:
            raise SpecError(f"--verbose={spec}: {error}")
    for destination in PATTERNS:
        logging.getLogger(destination).addHandler(logging.NullHandler())  # else Python's last resort is the console
    _Vlog._build_message = Lines().build
    _Vlog.init()


class Lines:
    """What the library logs, in our words, and counted as upstream does: it counts also what is logged nowhere."""

    def __init__(self) -> None:
        self._count = 0
        self._last: int | None = None

    @property
    def build(self) -> Callable[..., str]:
        """What the library calls as a method of a module's log, once for each destination of a message."""
        return lambda module, *words: self._line(module.name, *words)

    def _line(self, module: str, message: object, destination: str, level: str, number: int) -> str:
        if number != self._last:
            self._last = number
            self._count += 1
        return line(PATTERNS[destination], Entry(self._count, module, level.upper(), str(message)))


def say(level: str, sentence: str) -> None:
    """Log one sentence of the process itself."""
    getattr(_vlog, level)(sentence)
