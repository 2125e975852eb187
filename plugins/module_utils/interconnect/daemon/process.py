# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daemon as a process: its log, its user, its signals, its way into the background.

All of it is python-ovs' work, as far as that goes.
"""

from __future__ import annotations

import errno
import glob
import grp
import os
import pwd
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from . import PROGRAM
from .options import Options

try:
    import ovs.daemon
    import ovs.dirs
    import ovs.fatal_signal
    import ovs.poller
    import ovs.util
    import ovs.vlog
except ImportError:  # main says so, see client.check_library
    _vlog: Any = None
else:
    _vlog = ovs.vlog.Vlog("ovn_ic")


#: As upstream's lines look. The library's own patterns pad every field with spaces and write fractions of a second wrongly.
_LINE = "|%05N|%0c%T|%0p|%0m"
_PATTERNS = {"console": "%D{%Y-%m-%dT%H:%M:%SZ}" + _LINE, "file": "%D{%Y-%m-%dT%H:%M:%SZ}" + _LINE, "syslog": PROGRAM + _LINE}


class UsageError(Exception):
    """The command line asks for what cannot be; the text is one sentence."""


class Log:
    """The log of module ``ovn_ic``. Warnings are limited: at most ``BURST`` at once, and from then on one a second."""

    BURST = 60

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.limited = True
        self._clock = clock
        self._tokens = float(self.BURST)
        self._last = clock()
        self._dropped = 0

    def __call__(self, level: str, sentence: str) -> None:
        """Log one sentence; ``level`` is info, warn or dbg."""
        if level == "warn" and self.limited and not self._allowed():
            self._dropped += 1
            return
        if self._dropped:
            _vlog.warn(f"{self._dropped} warnings were not logged, there were too many at once")
            self._dropped = 0
        getattr(_vlog, level)(sentence)

    def _allowed(self) -> bool:
        now = self._clock()
        self._tokens = min(self.BURST, self._tokens + now - self._last)
        self._last = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Hangup:
    """SIGHUP opens the log file anew, as log rotation wants it; without a log file the signal ends the process, as it does upstream's."""

    def __init__(self, logging: bool) -> None:
        # A Python signal handler does not end a wait; a byte in this socket does.
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        if logging:
            signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
            signal.signal(signal.SIGHUP, lambda _number, _frame: None)

    def run(self) -> None:
        """Open the log file anew if the signal came."""
        try:
            if signal.SIGHUP in self._read.recv(4096):
                ovs.vlog.Vlog.reopen_log_file()
        except BlockingIOError:
            pass

    def wait(self, poller: Any) -> None:
        """Let a poller wake up when the signal comes."""
        poller.fd_wait(self._read.fileno(), ovs.poller.POLLIN)


def begin(options: Options) -> Hangup:
    """Set up logging and directories, become the wanted user, go into the background. Returns in the process that does the work.

    The process that was called waits until that one calls :func:`complete`. Raises UsageError.
    """
    ovs.util.PROGRAM_NAME = PROGRAM
    ovs.dirs.RUNDIR = options.rundir
    _start_log(options)
    if options.user is not None:
        _become(options.user, options.log_file)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # else Python's own handler stands where the library's should
    _detach(options)
    ovs.fatal_signal.add_hook(lambda: _vlog.info("a signal ends this process"), None, False)
    return Hangup(options.log_file is not None)


def remove_dead_sockets(rundir: str) -> None:
    """Remove the control sockets of daemons that were killed and could not do it themselves; upstream leaves them for ever."""
    for path in glob.glob(os.path.join(glob.escape(rundir), f"{PROGRAM}.*.ctl")):
        pid = path.rsplit(".", 2)[1]
        ended = not os.path.exists(f"/proc/{pid}/exe")  # nobody may have waited for it yet: then the rest of /proc/PID is there
        if pid.isdecimal() and ended and _refuses(path):
            try:
                os.unlink(path)
            except OSError as error:
                _vlog.warn(f"{path}: the control socket of a dead process stays ({error.strerror})")


def _refuses(path: str) -> bool:
    """Whether nobody listens at a socket: its process may live where we see no pids, in a container."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            return probe.connect_ex(path) == errno.ECONNREFUSED
        except OSError:  # a name that is too long
            return False


def complete() -> None:
    """Tell whoever waits that pid file and control socket are there."""
    ovs.daemon.daemonize_complete()


def crash_status(options: Options) -> int:
    """The exit status of a process that should be started again."""
    return ovs.daemon.RESTART_EXIT_CODE if options.monitor else 1


def _start_log(options: Options) -> None:
    for destination, pattern in _PATTERNS.items():
        ovs.vlog.Vlog.set_pattern(destination, pattern)
    for spec in options.verbose:
        error = set_levels(spec)
        if error:
            raise UsageError(f"--verbose={spec}: {error}")
    if not options.syslog:
        os.environ["OVS_SYSLOG_METHOD"] = "null"
    file = options.log_file
    if file is not None:
        try:
            with open(file, "a", encoding="utf-8"):
                pass
        except OSError as error:
            sys.stderr.write(f"{PROGRAM}: cannot log to {file} ({error.strerror}), goes on without\n")
            file = None
    ovs.vlog.Vlog.init(file)
    if file is not None:
        _vlog.info(f"opened log file {file}")


def set_levels(spec: str) -> str | None:
    """Follow one logging specification; what is wrong with it, or None. The library breaks patterns at spaces and colons."""
    words = spec.split(":", 2)
    if words[0].lower() == "pattern":
        if len(words) < 3 or words[1].lower() not in ovs.vlog.DESTINATIONS:
            return "a pattern is wanted as PATTERN:destination:pattern"
        ovs.vlog.Vlog.set_pattern(words[1], words[2])
        return None
    return ovs.vlog.Vlog.set_levels_from_string(spec or "any:any:dbg")


def _become(wanted: str, log_file: str | None) -> None:
    name, _colon, group = wanted.partition(":")
    try:
        user = pwd.getpwnam(name) if name else pwd.getpwuid(os.getuid())
        gid = grp.getgrnam(group).gr_gid if group else user.pw_gid
    except KeyError:
        raise UsageError(f"--user={wanted}: this system has no such user or group") from None
    try:
        if log_file is not None and os.path.exists(log_file):
            os.chown(log_file, user.pw_uid, gid)
        os.initgroups(user.pw_name, gid)
        os.setgid(gid)
        os.setuid(user.pw_uid)
    except OSError as error:
        raise UsageError(f"--user={wanted}: cannot become that user ({error.strerror})") from None


def _detach(options: Options) -> None:
    if options.pidfile is not None:
        ovs.daemon.set_pidfile(options.pidfile)
    if options.overwrite_pidfile:
        ovs.daemon.ignore_existing_pidfile()
    if options.detach:
        ovs.daemon.set_detach()
    if not options.chdir:
        ovs.daemon.set_no_chdir()
    if options.monitor:
        ovs.daemon.set_monitor()
    ovs.daemon.daemonize_start()
