# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daemon as a process: its name, user and signals, and running in the background.

As far as possible, python-ovs does the work.
"""

from __future__ import annotations

import errno
import glob
import grp
import os
import pwd
import signal
import socket
from typing import Any, NamedTuple

from . import PROGRAM, log
from .options import Options

try:
    import ovs.daemon
    import ovs.dirs
    import ovs.fatal_signal
    import ovs.poller
    import ovs.util
except ImportError:  # main reports this, see client.check_library
    pass


class StartError(Exception):
    """The daemon cannot start; the text is one sentence."""

    status = 1


class UsageError(StartError):
    """The command line asks for something impossible."""

    status = 2


class Hangup:
    """SIGHUP opens the log file again, for log rotation. Without a log file the signal ends the process, as in
    upstream.
    """

    def __init__(self, file: log.LogFile) -> None:
        self._file = file
        # In Python a signal handler does not end a wait; a byte in this socket does.
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        if file.path is not None:
            signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
            signal.signal(signal.SIGHUP, lambda _number, _frame: None)

    def run(self) -> None:
        """Open the log file again if the signal arrived."""
        try:
            if signal.SIGHUP in self._read.recv(4096):
                self._file.reopen()
        except BlockingIOError:
            pass

    def wait(self, poller: Any) -> None:
        """Wake a poller when the signal arrives."""
        poller.fd_wait(self._read.fileno(), ovs.poller.POLLIN)


class Waiting(NamedTuple):
    """The ends of a pipe from the working process to the process that was started and waits for it.

    The library has its own pipe, but exits with status 0 if the other process died before it was ready.
    """

    read: int
    write: int

    def tell(self) -> None:
        """Tell the waiting process that the pid file and the control socket exist."""
        os.write(self.write, b"!")
        os.close(self.read)
        os.close(self.write)
        ovs.daemon.daemonize_complete()

    @property
    def told(self) -> bool:
        """Whether the working process has done so; called by the waiting process."""
        os.set_blocking(self.read, False)
        try:
            return bool(os.read(self.read, 1))
        except BlockingIOError:
            return False


class Started(NamedTuple):
    """What the working process needs from its start."""

    hangup: Hangup
    log_file: log.LogFile
    waiting: Waiting


def begin(options: Options) -> Started:
    """Set up logging and directories, change the user, go into the background. Returns in the working process.

    The process that was started waits until the working process calls :meth:`Waiting.tell`. Raises StartError.
    """
    _take_name()
    ovs.util.PROGRAM_NAME = PROGRAM
    ovs.dirs.RUNDIR = options.ovs_rundir
    log_file = _start_log(options)
    if options.user is not None:
        _become(options.user, options.log_file)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # otherwise Python's handler stays instead of the library's
    waiting = _detach(options)
    if options.monitor:
        log_file.reopen()  # the log may have been rotated while a monitor was starting this process
    ovs.fatal_signal.add_hook(lambda: log.say("info", "a signal ends this process"), None, False)
    return Started(Hangup(log_file), log_file, waiting)


def _take_name() -> None:
    """Set the process name that ovn-ctl(8) looks for when it checks a pid file."""
    try:
        with open("/proc/self/comm", "w", encoding="ascii") as file:
            file.write(PROGRAM)
    except OSError as error:
        log.say("warn", f"the name of this process cannot be set to {PROGRAM} ({error.strerror})")


def _start_log(options: Options) -> log.LogFile:
    file = log.LogFile(options.log_file)
    try:
        log.begin(options.verbose, syslog=options.syslog)
        file.open()
    except log.SpecError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise StartError(f"cannot log to {file.path} ({error.strerror})") from None
    return file


def remove_dead_sockets(rundir: str) -> None:
    """Remove the control sockets of daemons that were killed and could not do it themselves; upstream leaves them
    forever.
    """
    for path in glob.glob(os.path.join(glob.escape(rundir), f"{PROGRAM}.*.ctl")):
        pid = path.rsplit(".", 2)[1]
        # if its parent has not waited for it yet, the rest of /proc/PID still exists
        ended = not os.path.exists(f"/proc/{pid}/exe")
        if pid.isdecimal() and ended and _refuses(path):
            try:
                os.unlink(path)
            except OSError as error:
                log.say("warn", f"{path}: the control socket of a dead process cannot be removed ({error.strerror})")


def _refuses(path: str) -> bool:
    """Whether no process listens on a socket. The process may be in a container, whose pids are not visible here."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            return probe.connect_ex(path) == errno.ECONNREFUSED
        except OSError:  # the name is too long
            return False


def crash_status(options: Options) -> int:
    """The exit status after which a monitor restarts the process."""
    return ovs.daemon.RESTART_EXIT_CODE if options.monitor else 1


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


def _detach(options: Options) -> Waiting:
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
    waiting, called = Waiting(*os.pipe()), os.getpid()
    try:
        ovs.daemon.daemonize_start()
    except SystemExit as end:
        if options.detach and os.getpid() == called and not end.code and not waiting.told:
            raise SystemExit(1) from None
        raise
    return waiting
