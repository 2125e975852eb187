# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Formats log lines by patterns in the syntax of ovs-appctl(8), vlog/set.

The library's own formatter pads every field with spaces, formats fractions of a second incorrectly, and ends the
process for some patterns that upstream's daemon accepts.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import NamedTuple

from . import PROGRAM

#: Upstream's patterns; the one for syslog also contains the program's name.
PATTERNS = {
    "console": "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m",
    "file": "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m",
    "syslog": f"{PROGRAM}|%05N|%c%T|%p|%m",
}
_FIELD = re.compile(r"%([-0]*)(\d*)(?:([dD])(?:\{([^}]*)\})?|(.))", re.DOTALL)
_BEGAN = time.monotonic()


class Entry(NamedTuple):
    """The fields of one line."""

    number: int
    module: str
    level: str
    message: str


def line(pattern: str, entry: Entry) -> str:
    """Format one log line. Raises ValueError if the pattern's time format is invalid."""
    return _FIELD.sub(lambda found: _aligned(found.group(1), found.group(2), _value(found, entry)), pattern)


def _aligned(flags: str, width: str, value: str) -> str:
    if "-" in flags:
        return value.ljust(int(width or 0))
    return value.rjust(int(width or 0), "0" if "0" in flags else " ")


def _value(found: re.Match[str], entry: Entry) -> str:
    if found.group(3):
        now = datetime.now(timezone.utc)
        return _time(now if found.group(3) == "D" else now.astimezone(), found.group(4) or "%Y-%m-%d %H:%M:%S.###")
    letter = found.group(5)
    return _LETTERS[letter](entry) if letter in _LETTERS else letter


def _time(now: datetime, form: str) -> str:
    """A time in the format of strftime(3), with as many digits of its fraction as the format has "#"."""
    return re.sub("#+", lambda found: f"{now.microsecond:06}"[: len(found.group())], now.strftime(form))


def _thread() -> str:
    name = threading.current_thread().name
    return "" if name == "MainThread" else name


_LETTERS: dict[str, Callable[[Entry], str]] = {
    "A": lambda _entry: PROGRAM,
    "c": lambda entry: entry.module,
    "E": lambda _entry: socket.gethostname(),
    "m": lambda entry: entry.message,
    "N": lambda entry: str(entry.number),
    "n": lambda _entry: "\n",
    "p": lambda entry: entry.level,
    "P": lambda _entry: str(os.getpid()),
    "r": lambda _entry: str(int((time.monotonic() - _BEGAN) * 1000)),
    "t": lambda _entry: _thread() or "main",
    "T": lambda _entry: f"({_thread()})" if _thread() else "",
}
