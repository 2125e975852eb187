# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control commands (spec status-and-daemon F.2): names and answers of upstream, and what only this daemon can tell.

An answer never waits for a database.
"""

from __future__ import annotations

import errno
import resource
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ..schema import DATABASES, IC_NB, IC_SB, NB, SB
from ..subjects.progress import has_counters, laggards
from ..sync import ACTIVE, PAUSED, ZoneSync
from .log import Log, LogFile
from .log_pattern import PATTERNS
from .log_spec import follow, knows
from .options import version_text

try:
    import ovs.unixctl
    import ovs.unixctl.server
    import ovs.vlog

    _unixctl: Any = ovs.unixctl
    _UnixctlConnection: Any = ovs.unixctl.server.UnixctlConnection
    _vlog: Any = ovs.vlog.Vlog("unixctl")
except ImportError:  # main says so, see client.check_library
    _UnixctlConnection = object


class CommandError(Exception):
    """A command cannot be followed; the text is the answer."""


class Command(NamedTuple):
    """One control command: its arguments as ``list-commands`` shows them, how many there may be, and what answers."""

    name: str
    usage: str
    least: int
    most: int
    answer: Callable[[Sequence[str]], str]


class Connection(_UnixctlConnection):
    """A connection to the control socket. At words that the library cannot read or write it is closed, where the process would end."""

    def run(self) -> int | None:
        """Do what can be done without waiting: an errno ends the connection."""
        try:
            error: int | None = super().run()
        except Exception as failure:
            _vlog.warn(f"a control connection is closed: {failure!r}")
            return errno.EPROTO
        return error


class Control:
    """The answers to all control commands, and whether ``exit`` was one of them."""

    def __init__(self, sync: ZoneSync, log: Log, log_file: LogFile) -> None:
        self.exiting = False
        #: How often the main loop turned.
        self.turns = 0
        self._sync = sync
        self._log = log
        self._log_file = log_file
        self.commands = {command.name: command for command in self._commands()}

    def register(self) -> None:
        """Offer the commands on the control socket. The library keeps who came first: call it before the socket is made."""
        _unixctl.server.UnixctlConnection = Connection
        for command in self.commands.values():
            _unixctl.commands.pop(command.name, None)
            _unixctl.command_register(command.name, command.usage, command.least, command.most, self._answer, command)

    def _answer(self, connection: Any, arguments: Sequence[str], command: Command) -> None:
        try:
            text = command.answer(arguments)
        except CommandError as error:
            connection.reply_error(f"{error}\n")
            return
        except Exception as error:  # a mistake of ours in one answer, and no reason to end
            for line in traceback.format_exc().splitlines():
                self._log("err", line)
            connection.reply_error(f"{command.name} failed: {error!r}\n")
            return
        connection.reply(text if not text or text.endswith("\n") else text + "\n")

    def _commands(self) -> Iterable[Command]:
        many = 1000
        plain: dict[str, Callable[[], str]] = {
            "exit": self._exit,
            "pause": self._pause,
            "resume": self._resume,
            "is-paused": lambda: str(self._sync.status == PAUSED).lower(),
            "status": lambda: f"Status: {self._sync.status}",
            "nb-connection-status": lambda: self._connection(NB),
            "sb-connection-status": lambda: self._connection(SB),
            "ic-nb-connection-status": lambda: self._connection(IC_NB),
            "ic-sb-connection-status": lambda: self._connection(IC_SB),
            "version": version_text,
            "list-commands": self._list,
            "coverage/show": self._coverage,
            "memory/show": self._memory,
            "guard/show": self._guard,
            "guard/release": self._release,
            "progress": self._progress,
            "left/show": self._left,
            "zone/claim": self._claim,
            "vlog/list-pattern": _patterns,
            "vlog/reopen": self._reopen,
            "vlog/close": self._close,
        }
        for name, answer in plain.items():
            yield Command(name, "", 0, 0, _without_arguments(answer))
        yield Command("coverage/read-counter", "COUNTER", 1, 1, self._counter)
        yield Command("vlog/set", "{spec | PATTERN:destination:pattern}", 1, many, self._set_levels)
        yield Command("vlog/disable-rate-limit", "[module]...", 0, many, lambda modules: self._limit(modules, False))
        yield Command("vlog/enable-rate-limit", "[module]...", 0, many, lambda modules: self._limit(modules, True))

    # -- the daemon ------------------------------------------------------------------------------------------------------------------

    def _exit(self) -> str:
        self.exiting = True
        return ""

    def _pause(self) -> str:
        self._sync.pause()
        self._log("info", "this instance is paused now")
        return ""

    def _resume(self) -> str:
        self._sync.resume()
        self._log("info", "this instance is no longer paused")
        return ""

    def _connection(self, database: str) -> str:
        return "connected" if self._sync.replicas[database].connected else "not connected"

    @staticmethod
    def _list() -> str:
        lines = [f"  {name:<23} {command.usage}".rstrip() for name, command in sorted(_unixctl.commands.items())]
        return "\n".join(["The available commands are:", *lines])

    # -- what the engine knows ---------------------------------------------------------------------------------------------------------

    def _guard(self) -> str:
        guard = self._sync.guard
        if not guard.holding:
            return "nothing is withheld"
        lines = [f"{reason}" for reason in guard.holds.values()]
        lines += [f"  withheld: {left.record}: {left.reason}" for left in guard.withheld]
        return "\n".join([*lines, "`guard/release` lets these deletions go"])

    def _release(self) -> str:
        guard = self._sync.guard
        if not guard.holding:
            return "nothing is withheld"
        deletions = len(guard.withheld)
        guard.release()
        return f"released: {deletions} deletions"

    def _progress(self) -> str:
        self._need_contents()
        zone = self._sync.zone
        wanted = zone.ic_nb.only("IC_NB_Global")
        if not has_counters(zone):
            raise CommandError("the schemas of the global databases have no counters to tell it by")
        if wanted is None:
            raise CommandError(f"{IC_NB} has no global row")
        lines = [f"requested: {wanted['nb_ic_cfg']}", f"confirmed by all zones: {wanted['sb_ic_cfg']}"]
        return "\n".join(lines + [f"lags: {name} has confirmed {number}" for name, number in laggards(zone)])

    def _left(self) -> str:
        lines = [f"database: {problem}" for problem in (*self._sync.problems, *self._unreached())]
        lines += [f"{subject}: {left.record}: {left.reason}" for subject, left in self._sync.left]
        return "\n".join(lines) if lines else "nothing is left undone"

    def _claim(self) -> str:
        if self._sync.status != ACTIVE:
            raise CommandError(f"this instance is {self._sync.status}: ask the one that is active")
        row = self._sync.claim()
        return f"the zone takes over the registration of {row['name']!r}" if row is not None else "the zone is refused no registration"

    def _unreached(self) -> Iterable[str]:
        for name, replica in self._sync.replicas.items():
            if replica.said and not replica.connected:
                words = ", ".join(f"{server}: {words}" for server, words in replica.said.items())
                yield f"{name} is not connected ({words})"

    def _need_contents(self) -> None:
        missing = [name for name, replica in self._sync.replicas.items() if not replica.has_schema]
        if missing:
            raise CommandError(f"the contents of {', '.join(missing)} are not here yet")

    # -- figures -----------------------------------------------------------------------------------------------------------------------

    @property
    def counters(self) -> dict[str, int]:
        """What ``coverage/*`` shows, counted since the start of the process."""
        committer = self._sync.committer
        return {"loop_turns": self.turns, "txn_rejected": committer.rejections, "txn_sent": committer.serial}

    def _coverage(self) -> str:
        return "\n".join(["Event coverage:", *(f"{name:<24} total: {count}" for name, count in self.counters.items())])

    def _counter(self, arguments: Sequence[str]) -> str:
        count = self.counters.get(arguments[0])
        if count is None:
            raise CommandError("No such counter")
        return str(count)

    def _memory(self) -> str:
        figures = {"keys-aside": len(self._sync.engine.aside), "peak-kB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
        for name, replica in self._sync.replicas.items():
            figures[f"{name}-rows"] = sum(replica.store.count(table) for table in DATABASES[name].tables)
        return " ".join(f"{name}:{number}" for name, number in sorted(figures.items()))

    # -- the log -----------------------------------------------------------------------------------------------------------------------

    def _limit(self, modules: Sequence[str], limited: bool) -> str:
        """Upstream limits each module by itself; here only one is limited."""
        for module in modules:
            if module.lower() != "any" and not knows(module):
                raise CommandError("unknown module")
        self._log.limited = limited
        return ""

    def _reopen(self) -> str:
        if self._log_file.path is None:
            raise CommandError("Logging to file not configured")
        try:
            self._log_file.open()
        except OSError as error:
            raise CommandError(f"{self._log_file.path}: {error.strerror}, logging goes on where it was") from None
        return ""

    def _close(self) -> str:
        self._log_file.close()
        return ""

    @staticmethod
    def _set_levels(arguments: Sequence[str]) -> str:
        for spec in arguments:
            error = follow(spec)
            if error:
                raise CommandError(error)
        return ""


def _without_arguments(answer: Callable[[], str]) -> Callable[[Sequence[str]], str]:
    return lambda _arguments: answer()


def _patterns() -> str:
    return "\n".join(f"{destination.upper():<8} {pattern}" for destination, pattern in sorted(PATTERNS.items()))
