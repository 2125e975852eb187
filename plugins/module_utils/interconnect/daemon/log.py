# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daemon's log: the library's logging, with this module's line format and log file.

Without a log file, the library writes every warning twice. On rotation, it closes its file before it knows whether the
file can be opened again.
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
except ImportError:  # main reports this, see client.check_library
    _Vlog = _vlog = _own = None


class _Place:
    """One place in the code that logs warnings: the lines logged in the current minute, and the number dropped since
    the last line.
    """

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
        """The line about dropped messages, in upstream's format. None if none were dropped."""
        dropped, self.dropped = self.dropped, 0
        if not dropped:
            return None
        ages = f"in last {now - self.first:.0f} seconds (most recently, {now - self.last:.0f} seconds ago)"
        return f"Dropped {dropped} log messages {ages} due to excessive rate"


class Log:
    """The log of module ``ovn_ic``. Warnings are limited as in upstream: ``MOST`` in ``SECONDS`` for each place in the
    code.

    A place is the caller together with the text of the sentence before its first colon, which names the part of the
    engine.
    """

    #: The maximum number of remembered places.
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
    """The log file, or None."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self._handler: logging.Handler | None = None

    def open(self) -> None:
        """Open the file, or open it again for log rotation. Raises OSError; the previous file then stays open."""
        if self.path is None:
            return
        handler = logging.FileHandler(self.path, encoding="utf-8", errors="backslashreplace")
        self.close()
        self._handler = handler
        logging.getLogger("file").addHandler(handler)
        _own.info(f"opened log file {self.path}")

    def close(self) -> None:
        """Stop logging to the file."""
        if self._handler is not None:
            _own.info("closing log file")
            logging.getLogger("file").removeHandler(self._handler)
            self._handler.close()
            self._handler = None

    def reopen(self) -> None:
        """Open the file again. If that fails, log it and continue with the previous file."""
        try:
            self.open()
        except OSError as error:
            _own.warn(f"failed to open {self.path} for logging: {error.strerror}")


class SpecError(ValueError):
    """A logging specification is invalid; the text is one sentence."""


def begin(specs: Iterable[str], *, syslog: bool) -> None:
    """Start logging. The file is used only after :meth:`LogFile.open`. Raises SpecError."""
    if not syslog:
        os.environ["OVS_SYSLOG_METHOD"] = "null"
    for spec in specs:
        error = follow(spec)
        if error is not None:
            raise SpecError(f"--verbose={spec}: {error}")
    for destination in PATTERNS:
        # without a handler, Python would log to the console
        logging.getLogger(destination).addHandler(logging.NullHandler())
    _Vlog._build_message = Lines().build
    _Vlog.init()


class Lines:
    """The library's log messages in this module's format. As in upstream, messages that no destination accepts are
    counted too.
    """

    def __init__(self) -> None:
        self._count = 0
        self._last: int | None = None

    @property
    def build(self) -> Callable[..., str]:
        """Create the function that the library uses as a method of a module's log, called once for each destination of
        a message.
        """
        return lambda module, *words: self._line(module.name, *words)

    def _line(self, module: str, message: object, destination: str, level: str, number: int) -> str:
        if number != self._last:
            self._last = number
            self._count += 1
        return line(PATTERNS[destination], Entry(self._count, module, level.upper(), str(message)))


def say(level: str, sentence: str) -> None:
    """Log one sentence about the process itself."""
    getattr(_vlog, level)(sentence)
