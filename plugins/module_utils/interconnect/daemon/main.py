# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daemon's main loop: run the control socket and the zone, then wait. The only wait is that of the poller."""

from __future__ import annotations

import gc
import os
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any

from ..ovsdb import tls
from ..ovsdb.client import LibraryError, check_library
from ..sync.zone_sync import ZoneSync
from . import PROGRAM, VERSION, options, process
from .control import Control
from .log import Log

try:
    import ovs.poller
    import ovs.unixctl.server
except ImportError:  # main reports this, see client.check_library
    pass

#: The longest time, in seconds, for which the garbage collector is paused. Rows contain no reference cycles, but the
#: library's reconnects do.
_RESTING_SECONDS = 60.0
#: The number of objects from which a piece of work is excluded from later collections.
_MANY = 100_000


class Collector:
    """Pauses Python's garbage collector during large updates. Otherwise its scans of all rows take a quarter of the
    time of a cold start.

    It is paused while there is work, for at most a minute. The objects that a large piece of work leaves are excluded
    from later collections.
    """

    def __init__(self) -> None:
        self._end: float | None = None
        self.follow(busy=True)

    def follow(self, *, busy: bool) -> None:
        """Record whether there is work."""
        if not busy:
            if gc.get_count()[0] > _MANY:
                gc.freeze()
            gc.enable()
            self._end = None
        elif self._end is None:
            gc.disable()
            self._end = time.monotonic() + _RESTING_SECONDS
        elif time.monotonic() > self._end:
            gc.enable()


class Daemon:
    """The zone's loop with a control socket. ``server`` is the library's."""

    def __init__(self, sync: ZoneSync, control: Control, server: Any, hangup: process.Hangup) -> None:
        self._sync = sync
        self._control = control
        self._server = server
        self._hangup = hangup
        self._collector = Collector()

    def run(self) -> None:
        """Run until the command ``exit``."""
        self._turn()
        while not self._control.exiting:
            self._sleep()
            self._turn()

    def _sleep(self) -> None:
        poller: Any = ovs.poller.Poller()
        for one in (self._server, self._sync, self._hangup):
            one.wait(poller)
        self._control.immediate_turns += poller.timeout == 0
        poller.block()

    def _turn(self) -> None:
        self._control.turns += 1
        self._hangup.run()
        self._server.run()
        if not self._control.exiting:
            self._sync.run()
            self._collector.follow(busy=self._sync.busy)


class NoControlSocket:
    """Replaces the control socket if none is wanted (``--unixctl=none``, ovn-ic(8))."""

    def run(self) -> None:
        """Do nothing: no command can arrive."""

    def wait(self, poller: Any) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def _listen(wanted: options.Options) -> Any:
    """The control socket, None if it cannot be created."""
    if not wanted.controlled:
        return NoControlSocket()
    path = wanted.unixctl or os.path.join(wanted.rundir, f"{PROGRAM}.{os.getpid()}.ctl")
    _error, server = ovs.unixctl.server.UnixctlServer.create(path)
    return server


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the daemon. Returns the exit status. Processes that only wait for the working process leave by SystemExit."""
    wanted = options.read(sys.argv[1:] if arguments is None else arguments)
    try:
        check_library()
        started = process.begin(wanted)
    except (LibraryError, process.StartError) as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return error.status if isinstance(error, process.StartError) else 1
    return _work(wanted, started)


def _work(wanted: options.Options, started: process.Started) -> int:
    log = Log()
    wanted.tls.apply()
    tls.choose(wanted.handshake)
    sync = ZoneSync(wanted.remotes, log=log, handover_seconds=wanted.handover_seconds)
    control = Control(sync, log, started.log_file, lock_line=wanted.lock_line)
    control.register()
    process.remove_dead_sockets(wanted.rundir)
    server = _listen(wanted)
    if server is None:
        return 1  # the library has logged the reason
    log("info", f"{PROGRAM} of ovn.interconnect {VERSION} started")
    started.waiting.tell()
    try:
        Daemon(sync, control, server, started.hangup).run()
    except Exception:
        for line in traceback.format_exc().splitlines():
            log("err", line)
        return process.crash_status(wanted)
    finally:
        sync.close()
        server.close()
    log("info", "stopped by the control command exit")
    return 0
