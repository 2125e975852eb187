# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control commands (spec status-F.2): upstream's names and answers, and additional commands of this daemon.

No answer waits for a database.
"""

from __future__ import annotations

import resource
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ..subjects.progress import has_counters, laggards
from ..sync.zone_sync import ACTIVE, PAUSED, ZoneSync
from ..tables import DATABASES, IC_NB, IC_SB, NB, SB
from .connection import Connection, FormatError
from .inc_engine import IncEngine, InputError
from .log import Log, LogFile
from .log_pattern import PATTERNS
from .log_spec import follow, knows
from .options import version_text

try:
    import ovs.unixctl
    import ovs.unixctl.server

    _unixctl: Any = ovs.unixctl
except ImportError:  # main reports this, see client.check_library
    pass


class CommandError(Exception):
    """A command cannot be executed; the text is the answer."""


class Command(NamedTuple):
    """One control command: its arguments as ``list-commands`` shows them, their number, and the function that answers."""

    name: str
    usage: str
    least: int
    most: int
    answer: Callable[[Sequence[str]], str]


class Control:
    """The answers to all control commands, and whether ``exit`` was received."""

    def __init__(self, sync: ZoneSync, log: Log, log_file: LogFile, *, lock_line: bool = True) -> None:
        self.exiting = False
        #: How often the main loop ran, and how often it ran without waiting.
        self.turns = self.immediate_turns = 0
        self._lock_line = lock_line
        self._inc_engine = IncEngine(sync.engine)
        self._sync = sync
        self._log = log
        self._log_file = log_file
        self.commands = {command.name: command for command in self._commands()}

    def register(self) -> None:
        """Register the commands. The library keeps the first registration of a name, so call this before the socket is
        created.
        """
        _unixctl.server.UnixctlConnection = Connection
        for command in self.commands.values():
            _unixctl.commands.pop(command.name, None)
            _unixctl.command_register(command.name, command.usage, command.least, command.most, self._answer, command)

    def _answer(self, connection: Any, arguments: Sequence[str], command: Command) -> None:
        try:
            if command.name == "set-options":
                connection.choose(arguments)
            elif command.name == "list-commands" and connection.as_json:
                connection.reply_value({name: one.usage for name, one in _unixctl.commands.items()})
                return
            text = command.answer(arguments)
        except (CommandError, FormatError, InputError) as error:
            connection.reply_error(f"{error}\n")
            return
        except Exception as error:  # a bug in one answer must not end the daemon
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
            "status": self._status,
            "nb-connection-status": lambda: self._connection(NB),
            "sb-connection-status": lambda: self._connection(SB),
            "ic-nb-connection-status": lambda: self._connection(IC_NB),
            "ic-sb-connection-status": lambda: self._connection(IC_SB),
            "version": version_text,
            "list-commands": self._list,
            "coverage/show": self._coverage,
            "inc-engine/clear-stats": self._clear_stats,
            "inc-engine/list-stopwatches": self._inc_engine.names,
            "inc-engine/recompute": self._recompute,
            "memory/show": self._memory,
            "guard/show": self._guard,
            "guard/release": self._release,
            "progress": self._progress,
            "skipped/show": self._skipped,
            "zone/claim": self._claim,
            "vlog/list-pattern": _patterns,
            "vlog/reopen": self._reopen,
            "vlog/close": self._close,
        }
        for name, answer in plain.items():
            yield Command(name, "", 0, 0, _without_arguments(answer))
        yield Command("coverage/read-counter", "COUNTER", 1, 1, self._counter)
        yield Command("set-options", "[--format text|json]", 1, 2, lambda _arguments: "")
        yield Command("inc-engine/compute-log-timeout", "", 1, 1, _log_timeout)
        yield Command("inc-engine/disable-stopwatch", "[node]", 0, 1, self._inc_engine.disable)
        yield Command("inc-engine/enable-stopwatch", "[node]", 0, 1, self._inc_engine.enable)
        yield Command("inc-engine/show-stats", "", 0, 2, self._inc_engine.show)
        yield Command("stopwatch/reset", "[NAME]", 0, 1, self._inc_engine.reset)
        yield Command("stopwatch/show", "[ NAME | -t|--threshold N [unit] ]", 0, 3, self._inc_engine.show_stopwatches)
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

    def _status(self) -> str:
        """The lines of upstream, and one more for each database that cannot be used."""
        status = f"Status: {self._sync.status}"
        if not self._lock_line:
            return status
        lock = f"IC-SB lock: {'held' if self._sync.holds_shared_lock else 'not held'}"
        return "\n".join([status, lock, *(f"Problem: {sentence}" for sentence in self._sync.impediments.values())])

    def _recompute(self) -> str:
        self._sync.recompute()
        return ""

    def _clear_stats(self) -> str:
        self._inc_engine.clear()
        return ""

    def _connection(self, database: str) -> str:
        return "connected" if self._sync.replicas[database].connected else "not connected"

    @staticmethod
    def _list() -> str:
        lines = [f"  {name:<23} {command.usage}".rstrip() for name, command in sorted(_unixctl.commands.items())]
        return "\n".join(["The available commands are:", *lines])

    # -- state of the engine -------------------------------------------------------------------------------------------

    def _guard(self) -> str:
        guard = self._sync.guard
        if not guard.holding:
            return "nothing is withheld"
        lines = [f"{reason}" for reason in guard.holds.values()]
        lines += [f"  withheld: {change.action} {change.table} {change.record}: {change.reason}" for change in guard.withheld_changes]
        return "\n".join(
            [*lines, ("These changes are carried out after the command guard/release. They are dropped when they are no longer planned.")]
        )

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
            raise CommandError("the schemas of the global databases have no counters for this; upgrade them with ovn_ic_schema")
        if wanted is None:
            raise CommandError(f"{IC_NB} has no row IC_NB_Global; create it with ovn-ic-nbctl init")
        lines = [f"requested: {wanted['nb_ic_cfg']}", f"confirmed by all zones: {wanted['sb_ic_cfg']}"]
        lines += [f"lags: {name} has confirmed {number}" for name, number in laggards(zone)]
        return "\n".join(lines + [f"not written by this zone: {sentence}" for sentence in self._sync.unwritten])

    def _skipped(self) -> str:
        lines = [f"database: {problem}" for problem in (*self._sync.problems, *self._unreached())]
        lines += [f"{subject}: {skipped.record}: {skipped.reason}" for subject, skipped in self._sync.skipped]
        return "\n".join(lines) if lines else "nothing is skipped"

    def _claim(self) -> str:
        if self._sync.status != ACTIVE:
            raise CommandError(f"this instance is {self._sync.status}; run the command on the active instance")
        row = self._sync.claim()
        return (
            f"this zone takes over the registration of {row['name']!r}"
            if row is not None
            else "no registration is denied to this zone; there is nothing to claim"
        )

    def _unreached(self) -> Iterable[str]:
        for name, replica in self._sync.replicas.items():
            if replica.said and not replica.connected:
                words = ", ".join(f"{server}: {words}" for server, words in replica.said.items())
                yield f"{name} is not connected ({words})"

    def _need_contents(self) -> None:
        missing = [name for name, replica in self._sync.replicas.items() if not replica.has_schema]
        if missing:
            raise CommandError(f"the contents of {', '.join(missing)} are not loaded yet; repeat the command later")

    # -- statistics ----------------------------------------------------------------------------------------------------

    @property
    def counters(self) -> dict[str, int]:
        """The counters of ``coverage/*`` since the start of the process."""
        committer = self._sync.committer
        return {
            "lock_offers": self._sync.offers,
            "loop_turns": self.turns,
            "poll_zero_timeout": self.immediate_turns,
            "txn_rejected": committer.rejections,
            "txn_sent": committer.serial,
        }

    def _coverage(self) -> str:
        return "\n".join(["Event coverage:", *(f"{name:<24} total: {count}" for name, count in self.counters.items())])

    def _counter(self, arguments: Sequence[str]) -> str:
        count = self.counters.get(arguments[0])
        if count is None:
            raise CommandError("No such counter")
        return str(count)

    def _memory(self) -> str:
        figures = {"keys-waiting": len(self._sync.engine.waiting), "peak-kB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
        for name, replica in self._sync.replicas.items():
            figures[f"{name}-rows"] = sum(replica.store.count(table) for table in DATABASES[name].tables)
        return " ".join(f"{name}:{number}" for name, number in sorted(figures.items()))

    # -- the log -----------------------------------------------------------------------------------------------------------------------

    def _limit(self, modules: Sequence[str], limited: bool) -> str:
        """Upstream limits each module individually; here only one module is limited."""
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
            raise CommandError(f"{self._log_file.path}: {error.strerror}; logging continues to the previous file") from None
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


def _log_timeout(arguments: Sequence[str]) -> str:
    """Upstream logs nodes that compute for longer than this. Here a pass ends after half a second, so the value has no
    effect.
    """
    if not (arguments[0].isascii() and arguments[0].isdigit()):
        raise CommandError("unsigned integer required")
    return ""


def _patterns() -> str:
    return "\n".join(f"{destination.upper():<8} {pattern}" for destination, pattern in sorted(PATTERNS.items()))
