# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of a zone's sync engine from a play. It is applied if no other process is active, otherwise planned with the
contents in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..interconnect.engine.change import Change, Group, diff, results
from ..interconnect.engine.replies import Outcome, Reply
from ..interconnect.engine.simulation import Simulation
from ..interconnect.operations.errors import ModuleError
from ..interconnect.operations.shown import explained
from ..interconnect.ovsdb.columns import declare
from ..interconnect.ovsdb.replica import Replica
from ..interconnect.ovsdb.store import Store
from ..interconnect.sync.zone_sync import ACTIVE, ACTIVE_LOCK, Turn, ZoneSync
from ..interconnect.tables import IC_NB, IC_SB, NB, SB
from .session import advice_on, check_zone, hopeless, is_forbidden, objection, server_words, unreachable, wait_for

#: A table of each database, for a transaction that changes nothing.
_A_TABLE = {NB: "NB_Global", SB: "SB_Global", IC_NB: "IC_NB_Global", IC_SB: "IC_SB_Global"}
#: The maximum number of passes of a plan. Each sees what the previous one would have written.
MOST_PASSES = 20


class Recorder:
    """Runs a zone's loop, and records what it has written."""

    def __init__(self, sync: ZoneSync) -> None:
        self._sync = sync
        self._committed: dict[int, Group] = {}
        self._explained: dict[int, list[Change]] = {}
        self.sent_any = False
        #: The message of a server that rejects all writes of this client, None if there is none.
        self.forbidden: str | None = None

    @property
    def written(self) -> list[Change]:
        """What was committed, in this order."""
        return [change for one in self._committed for change in self._explained[one]]

    @property
    def stores(self) -> dict[str, Store]:
        """Empty, so that :func:`.module.fail` does not add the version of a schema to failures of this module."""
        return {}

    def run(self) -> None:
        """One turn of the loop."""
        self.record(self._sync.run())

    def wait(self, poller: Any) -> None:
        """Wake a poller when the loop has something to do."""
        self._sync.wait(poller)

    def record(self, turn: Turn) -> None:
        """Record a turn. What the rows of a group refer to is read before the next turn changes them."""
        for group, outcome, reason in turn.replies:
            if outcome is Outcome.COMMITTED:
                self._committed.setdefault(id(group), group)
            elif outcome is Outcome.REJECTED and is_forbidden(reason.partition(" rejected it: ")[2]):
                self.forbidden = reason
        for group in turn.sent:
            self.sent_any = True
            self._explained[id(group)] = explained(group.changes, self._sync.zone.stores)


@dataclass
class Report:
    """The outcome of a run. ``applied``: the changes were written, not only planned."""

    changes: list[Change] = field(default_factory=list)
    applied: bool = False
    settled: bool = False
    locked: bool = False
    skipped_objects: list[dict[str, str]] = field(default_factory=list)
    #: What a server rejected, one sentence each.
    unwritten: list[str] = field(default_factory=list)

    def as_result(self, planning: bool) -> dict[str, Any]:
        """The result of the module. ``planning``: whether this is check mode, where planned changes count as changes."""
        return {
            "changed": bool(self.changes) and (self.applied or planning),
            "applied": self.applied,
            "settled": self.settled,
            "lock_held_by_other": self.locked,
            "changes": results(self.changes),
            "skipped_objects": self.skipped_objects,
            "diff": diff(self.changes),
        }


def plan(remotes: Mapping[str, str], seconds: float) -> Report:
    """What a run would write until nothing is left. Nothing is sent except the query for the holder of the zone's lock."""
    sync = ZoneSync(remotes, exclusive=False)
    probe = Replica(declare(SB, {"SB_Global": "options:map"}), remotes[SB])
    probe.want_lock(ACTIVE_LOCK)
    try:
        _load(sync, seconds)
        _refuse_read_only(sync, [SB], seconds)
        if not wait_for([probe], lambda: probe.has_lock or probe.lock_contended, seconds):
            raise _silent(seconds)
        report = _planned(sync, probe.lock_contended)
        if not probe.lock_contended:
            _refuse_read_only(sync, sorted({change.database for change in report.changes}), seconds)
        return report
    finally:
        probe.close()
        sync.close()


def apply(remotes: Mapping[str, str], seconds: float, wait: bool, wait_seconds: float, recorders: list[Recorder]) -> Report:
    """Write all changes, until the zone has settled (``wait``) or for one pass.

    If another process holds the lock, only plan. The process that writes is appended to ``recorders``, for the case of
    a failure.
    """

    sync = ZoneSync(remotes)
    recorder = Recorder(sync)
    recorders.append(recorder)
    sync.pause()  # nothing is written before it is known that all databases are those of one zone
    try:
        _load(sync, seconds)
        _refuse_read_only(sync, [SB], seconds)
        sync.resume()
        if not wait_for([recorder], lambda: _is_locked(sync) or sync.status == ACTIVE, seconds):
            raise _silent(seconds)
        if _is_locked(sync):
            return _planned(sync, True)
        return _applied(sync, recorder, wait, wait_seconds)
    finally:
        sync.close()


def _applied(sync: ZoneSync, recorder: Recorder, wait: bool, seconds: float) -> Report:
    def done() -> bool:
        return recorder.forbidden is not None or sync.rests or (not wait and recorder.sent_any and sync.committer.idle)

    if not wait_for([recorder], done, seconds) and wait:
        raise ModuleError(_unsettled(sync, recorder, seconds))
    if recorder.forbidden is not None:
        database, _space, words = recorder.forbidden.partition(" rejected it: ")
        raise _read_only(database, words)
    return Report(recorder.written, True, sync.settled, False, _skipped(sync), sync.unwritten)


def _read_only(database: str, words: str) -> ModuleError:
    return ModuleError(f"{server_words(words)}: {advice_on(words)}", database=database, ovsdb_error=server_words(words))


def _refuse_read_only(sync: ZoneSync, databases: Iterable[str], seconds: float) -> None:
    """Raise ModuleError if one of the databases accepts no writes of this client. A read-only SB does not grant the zone's lock either."""
    for name in databases:
        words = objection(sync.replicas[name], _A_TABLE[name], [sync], seconds)
        if words is not None:
            raise _read_only(name, words)


def _is_locked(sync: ZoneSync) -> bool:
    return sync.replicas[SB].lock_contended


def _silent(seconds: float) -> ModuleError:
    return ModuleError(
        f"the server did not say within {seconds:g} s who holds the lock {ACTIVE_LOCK}; check that it answers other clients", database=SB
    )


def _load(sync: ZoneSync, seconds: float) -> None:
    if not wait_for([sync], lambda: sync.loaded or hopeless(list(sync.replicas.values())), seconds) or not sync.loaded:
        raise unreachable(sync.replicas, seconds)
    check_zone(sync.zone.nb, sync.zone.sb)


def _planned(sync: ZoneSync, locked: bool) -> Report:
    simulation = Simulation({name: replica.store for name, replica in sync.replicas.items()})
    # The rows that all zones share are written by the zone that holds the lock of IC_SB. A plan does not request the
    # lock, so it includes them as if this zone held it.
    sync.engine.learn(sync.zone.facts._replace(shared_lock=True))
    changes: list[Change] = []
    for _pass in range(MOST_PASSES):
        groups = sync.plan()
        if not groups:
            break
        for group in groups:
            sync.engine.sent(group)
            changes += explained(group.changes, sync.zone.stores)
        differences = [change for group in groups for change in simulation.apply(group.changes)]
        sync.engine.observe(differences)
        for group in groups:
            sync.engine.done(Reply(group))
    return Report(changes, False, not changes, locked, _skipped(sync))


def _skipped(sync: ZoneSync) -> list[dict[str, str]]:
    return [{"subject": subject, "record": skipped.record, "reason": skipped.reason} for subject, skipped in sync.skipped]


def _unsettled(sync: ZoneSync, recorder: Recorder, seconds: float) -> str:
    if not sync.loaded:
        lost = " and ".join(name for name, replica in sync.replicas.items() if not replica.synced)
        return f"the connection to {lost} was lost for {seconds:g} s; check its server and run the task again"
    if sync.status != ACTIVE:
        return f"another process took the lock {ACTIVE_LOCK}; let it do the work, or stop it"
    return (
        f"the zone has not settled within {seconds:g} s, after {len(recorder.written)} changes; increase "
        "wait_timeout, and look for another program that writes the same rows"
    )
