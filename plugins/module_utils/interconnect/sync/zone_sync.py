# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Synchronizes one zone: four replicas, the engine, the guard and the commits, in one loop that never blocks.

The daemon runs this loop forever, the module ovn_ic_sync until the zone has settled, tests as they need.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..engine.change import Group, Skipped
from ..engine.commit import SHARED_LOCK, Committer
from ..engine.engine import Engine
from ..engine.replies import Reply
from ..ovsdb.replica import Replica
from ..ovsdb.store import Row, RowChange
from ..settings import probe_interval
from ..subjects import all_subjects
from ..subjects.zones import denied
from ..tables import DATABASES, IC_NB, IC_SB, NB, SB
from ..zone import Zone
from .ability import Ability
from .confirmation import Confirmation
from .guard import Guard
from .monitor_conditions import Interest
from .pace import Pace
from .pairing import Pairing

ACTIVE_LOCK = "ovn_ic"
#: The longest planning time of a pass, in seconds, before the connections are served. A server drops a client that does
#: not answer its probe for 5 s.
PASS_SECONDS = 0.5
#: The maximum number of keys in a pass, and so of Changes in a submission.
PASS_KEYS = 500

#: How many seconds a database may be unusable before the active instance of a zone offers the lock to the others.
HANDOVER_SECONDS = 10.0
#: Seconds between two such offers.
OFFER_SECONDS = 1.0

ACTIVE, STANDBY, PAUSED = "active", "standby", "paused"


class Turn(NamedTuple):
    """What happened in one turn of the loop: the replies that arrived, and then the groups that were sent."""

    replies: Sequence[Reply] = ()
    sent: Sequence[Group] = ()


class ZoneSync:
    """Keeps one zone synchronized with the interconnect.

    ``remotes`` maps the four database names (tables.NB, …) to connection methods. ``log`` is called with (level,
    sentence), where level is info, warn or dbg. With ``exclusive``, the lock in the zone's SB decides whether this
    process writes (spec status-F.3); without it, nothing is written.

    An instance that holds the lock and could not use one of its databases for ``handover_seconds`` offers the lock to
    the other instances once a second. It keeps the lock if no instance takes it. With 0 it never offers the lock.
    """

    def __init__(
        self,
        remotes: Mapping[str, str],
        *,
        exclusive: bool = True,
        clock: Callable[[], float] = time.monotonic,
        log: Callable[[str, str], None] = lambda _level, _sentence: None,
        handover_seconds: float = HANDOVER_SECONDS,
    ) -> None:
        self.remotes = dict(remotes)
        self.replicas = {name: Replica(database, remotes[name]) for name, database in DATABASES.items()}
        stores = {name: replica.store for name, replica in self.replicas.items()}
        self.zone = Zone(stores[NB], stores[SB], stores[IC_NB], stores[IC_SB])
        self.engine = Engine(self.zone, all_subjects(), clock)
        self.guard = Guard(self.zone, self.engine, lambda sentence: log("warn", sentence))
        self.committer = Committer(self.replicas)
        self._confirmation = Confirmation(self.zone, self.engine, self.committer, [self.replicas[name] for name in (NB, SB, IC_SB)], clock)
        self._interest = Interest(self.zone, self.replicas)
        self._clock = clock
        self._pace = Pace(clock)
        self._log = log
        self._exclusive = exclusive
        self._paused = False
        self._was_active = False
        self.pairing = Pairing(stores[NB], stores[SB], clock)
        self.ability = Ability(self.replicas, clock, handover_seconds, SB)
        #: When the lock will be offered to other instances again, in the clock's seconds.
        self._next_offer = 0.0
        #: How often the lock was offered.
        self.offers = 0
        #: Whether this instance has left the queue for the lock: another one holds it, and this one may be unable to work.
        self._withdrawn = False
        #: The problems that were logged and still exist.
        self._told: list[str] = []
        #: The databases that were loaded at the end of the last turn.
        self._synced: set[str] = set()

    # -- state -----------------------------------------------------------------------------------------------------------------------

    @property
    def status(self) -> str:
        """active, standby or paused. Active means that this process holds the lock of the zone (spec status-F.2), or has
        offered it and does not know yet whether another one has taken it.
        """
        if self._paused:
            return PAUSED
        return ACTIVE if self.replicas[SB].has_lock or self.replicas[SB].offers_lock else STANDBY

    @property
    def holds_shared_lock(self) -> bool:
        """Whether this process holds the lock of IC_SB."""
        return not self._paused and self.replicas[IC_SB].has_lock

    @property
    def loaded(self) -> bool:
        """Whether the contents of all four databases are loaded and up to date."""
        return all(replica.synced for replica in self.replicas.values())

    @property
    def settled(self) -> bool:
        """Whether this zone has nothing left to do for the known contents. Withheld deletions do not count."""
        return self.rests and not self.engine.waiting

    @property
    def rests(self) -> bool:
        """Whether nothing is under way. Keys that a server rejected are tried again later and may be unwritten."""
        at_rest = self.loaded and self.engine.at_rest and self.committer.idle and self._confirmation.idle
        return self._was_active and at_rest and self._knows_who_shares

    @property
    def busy(self) -> bool:
        """Whether contents, or the transactions that follow from them, are in flight."""
        return not self.loaded or (self._was_active and not self.engine.at_rest)

    @property
    def _knows_who_shares(self) -> bool:
        """Whether it is decided who writes the shared rows, which happens shortly after this process gets the zone's
        lock.
        """
        return self.zone.own_az is None or self.zone.facts.shared_lock or self.replicas[IC_SB].lock_contended

    @property
    def problems(self) -> list[str]:
        """Why databases are not loaded, one sentence each."""
        return [replica.problem for replica in self.replicas.values() if replica.problem is not None]

    @property
    def unwritten(self) -> list[str]:
        """The keys that a server rejected or whose subject failed, with the reason, one sentence each."""
        return [f"{subject} {key}: {waiting.reason}" for (subject, key), waiting in self.engine.waiting.items()]

    @property
    def impediments(self) -> dict[str, str]:
        """By database, what prevents this instance from working, one sentence each."""
        found = dict(self.ability.problems)
        if self.pairing.mismatch is not None:
            found[SB] = f"{self.pairing.mismatch}; nothing is written until they match; give the daemon the databases of one zone"
        return found

    @property
    def skipped(self) -> list[tuple[str, Skipped]]:
        """What is skipped, and why: the subject, the object and the reason."""
        if self._able:
            consequence = ""
        elif self.status == ACTIVE:
            consequence = f"; the lock {ACTIVE_LOCK} is offered to other instances of the zone"
        else:
            consequence = f"; this instance does not request the lock {ACTIVE_LOCK} while another one has it"
        unable = [("daemon", Skipped(name, reason + consequence)) for name, reason in self.impediments.items()]
        return unable + self.engine.skipped + [("guard", skipped) for skipped in self.guard.withheld]

    @property
    def _able(self) -> bool:
        """Whether this process may be active: it can use all databases, or could until a moment ago."""
        return self.ability.able(self.pairing.since)

    def pause(self) -> None:
        """Release both locks and write nothing until :meth:`resume`."""
        self._paused = True

    def resume(self) -> None:
        """Request the locks again."""
        self._paused = self._withdrawn = False

    def recompute(self) -> None:
        """Plan every key again. Has no effect on a process that is not active, because it does so when it becomes
        active.
        """
        if self._was_active:
            self.engine.restart()
            self._pace.skip()

    def claim(self) -> Row | None:
        """An operator confirms that the row with our name in IC_SB belongs to this zone. Returns that row, None if the
        zone is not denied one.
        """
        row = denied(self.zone)
        if row is not None:
            self.engine.learn(self.zone.facts._replace(granted=row.uuid))
        return row

    def close(self) -> None:
        """Close all connections."""
        for replica in self.replicas.values():
            replica.close()

    # -- the loop --------------------------------------------------------------------------------------------------------------------

    def run(self) -> Turn:
        """One turn: receive, process the changes and the replies, plan, send. Never waits."""
        updates = [update for replica in self.replicas.values() for update in self._received(replica)]
        changes = [change for update in updates for change in update]
        self._interest.observe(changes)
        self._apply_probe_intervals(changes)
        self.pairing.observe(changes)
        self.ability.run(self._asks)
        self._ask_for_locks()
        self._say_impediments()
        works = self._exclusive and self.status == ACTIVE and self.pairing.mismatch is None
        if self._was_active and not works:
            self._become_inactive()
        if self._was_active:
            self._observe(updates, changes)  # also while a connection is temporarily down
            self._retry_after_reconnect()
        replies = self.committer.replies()
        for reply in replies:
            self.engine.done(reply)
        if not (works and self.replicas[SB].has_lock and self.loaded):
            return Turn(replies)
        if not self._was_active:
            self._become_active()
        if self._pace.resting:
            return Turn(replies)
        sent = self._pass() if self.committer.ready else []
        self._follow_up()
        return Turn(replies, sent)

    def _received(self, replica: Replica) -> list[list[RowChange]]:
        began = self._clock()
        updates = list(replica.run())
        self._pace.received(self._clock() - began)
        return updates

    def plan(self) -> list[Group]:
        """What a full pass would write now, for a dry run. Nothing is sent."""
        self.guard.observe(())
        self._learn()
        self.engine.restart()
        groups: list[Group] = []
        while self.engine.has_work:
            groups += self.guard.filter(self.engine.plan(), self.engine.planned)
        return groups

    def wait(self, poller: Any) -> None:
        """Wake a poller when :meth:`run` has something to do."""
        for replica in self.replicas.values():
            replica.wait(poller)
        for due in self._dues():
            self._wake_at(poller, due)
        if not self._was_active:
            return
        if self._pace.resting:
            self._wake_at(poller, self._pace.due)
        elif not self.replicas[SB].has_lock:
            return  # the lock was offered, and the server's answer wakes the poller
        elif self.engine.has_work and self.committer.ready:
            poller.immediate_wake()
        elif self.engine.next_due is not None:
            self._wake_at(poller, self.engine.next_due)

    def _dues(self) -> list[float]:
        """When the databases are asked or the lock is decided about, in the clock's seconds."""
        dues = list(self.ability.dues(self._asks, self.pairing.since))
        if not self._able and self.replicas[SB].has_lock:
            dues.append(self._next_offer)
        return dues

    def _wake_at(self, poller: Any, due: float) -> None:
        poller.timer_wait(max(0, int((due - self._clock()) * 1000) + 1))

    def _become_active(self) -> None:
        self._was_active = True
        self._log("info", "this instance is active now")
        self._confirmation.reset()
        self.guard.begin()
        self._learn()
        self.engine.restart()

    def _become_inactive(self) -> None:
        """Log the loss of the lock, but not a pause, which the operator requested (spec status-F.8)."""
        self._was_active = False
        if self._paused or self.pairing.mismatch is not None:
            return
        why = "was lost" if self._able else "was taken over by an instance that can use all databases"
        self._log("info", f"this instance is on standby now, the lock {ACTIVE_LOCK} {why}")

    def _observe(self, updates: list[list[RowChange]], changes: list[RowChange]) -> None:
        changed_schema = self._schemas != self.zone.facts.schemas
        if changes or changed_schema:
            self.engine.observe(changes)
            self.guard.observe(updates)
        self._learn()

    def _learn(self) -> None:
        """Pass on what the guard and the confirmation have found out: facts, and keys to plan again."""
        if IC_SB in self.guard.holds:
            self._confirmation.withdraw()
        guard = self.guard
        facts = self.zone.facts._replace(confirmable=self._confirmation.confirmable, schemas=self._schemas)
        self.engine.learn(facts._replace(notes=guard.notes, keeps_keys=guard.keeps_keys))
        self.engine.plan_again(self.guard.take_keys())

    @property
    def _schemas(self) -> int:
        return sum(replica.schema_serial for replica in self.replicas.values())

    def _retry_after_reconnect(self) -> None:
        """A server was reconnected: what was rejected before may succeed now."""
        synced = {name for name, replica in self.replicas.items() if replica.synced}
        if synced - self._synced:
            self.engine.retry()
        self._synced = synced

    def _pass(self) -> Sequence[Group]:
        began = self._clock()
        groups = self.engine.plan(PASS_KEYS, lambda: self._clock() > began + PASS_SECONDS)
        allowed = self.guard.filter(groups, self.engine.planned)
        for group, transactions in self.committer.submit(allowed):
            self.engine.sent(group, transactions)
        if self.engine.planned:
            row = self.zone.ic_nb.only("IC_NB_Global")
            self._pace.passed(began, row["options"] if row is not None else {})
        return allowed

    def _follow_up(self) -> None:
        if self.engine.at_rest:
            self.guard.settle()
        if not self.guard.holding:
            self._confirm()
        self._learn()
        self._say_what_is_left()

    def _confirm(self) -> None:
        before = self._confirmation.confirmable
        self._confirmation.run()
        number = self._confirmation.confirmable
        if number not in (None, before) and self.unwritten:
            self._log("warn", f"request {number} is confirmed without these objects: {'; '.join(self.unwritten)}")

    def _say_what_is_left(self) -> None:
        for failure in self.engine.failures:
            self._log("warn", failure)
        self.engine.failures.clear()
        for subject, skipped in self.engine.news:
            self._log("warn", f"{subject}: {skipped.record}: {skipped.reason}")
        self.engine.news.clear()

    def _say_impediments(self) -> None:
        impediments = list(self.impediments.values())
        for sentence in impediments:
            if sentence not in self._told:
                self._log("warn", sentence)
        if self._told and not impediments:
            self._log("info", "all databases can be used again")
        self._told = impediments

    @property
    def _asks(self) -> bool:
        """Whether the databases are asked whether they can be used. A paused process and a dry run never hold the lock."""
        return self._exclusive and not self._paused

    def _ask_for_locks(self) -> None:
        wants = self._asks and self._waits_for_lock()
        self.replicas[SB].want_lock(ACTIVE_LOCK if wants else None)
        # An instance that writes nothing in IC_SB, because it has no row there or cannot work, would block the lock for others.
        writes = self.zone.own_az is not None and self._able and self.pairing.mismatch is None
        shares = wants and self.replicas[SB].has_lock and writes
        self.replicas[IC_SB].want_lock(SHARED_LOCK if shares else None)
        held = self.replicas[IC_SB].has_lock
        if held != self.zone.facts.shared_lock:
            self._log("info", "OVN ISB lock acquired" if held else "OVN ISB lock lost")
            self.engine.learn(self.zone.facts._replace(shared_lock=held))

    def _waits_for_lock(self) -> bool:
        """Whether this instance holds the lock of the zone or waits for it.

        An instance that may be unable to work does not wait while another one holds the lock. It leaves the queue
        before the holder begins to offer the lock. If none of them can work, the lock stays where it is.
        """
        replica = self.replicas[SB]
        if not replica.connected or not self.ability.doubtful(self.pairing.since):
            self._withdrawn = False
        elif replica.has_lock:
            self._offer_lock()
        elif replica.lock_contended:
            self._withdrawn = True
        return not self._withdrawn

    def _offer_lock(self) -> None:
        if not self._able and self._clock() >= self._next_offer:
            self._next_offer = self._clock() + OFFER_SECONDS
            self.offers += 1
            self.replicas[SB].offer_lock()

    def _apply_probe_intervals(self, changes: list[RowChange]) -> None:
        for change in changes:
            if change.table == "NB_Global" and change.changed("options"):
                self._set_probes(change, (NB, SB))
            elif change.table == "IC_NB_Global" and change.changed("options"):
                self._set_probes(change, (IC_NB, IC_SB))

    def _set_probes(self, change: RowChange, databases: tuple[str, ...]) -> None:
        options = change.new["options"] if change.new is not None else {}
        for name in databases:
            self.replicas[name].set_probe_interval(probe_interval(options, self.remotes[name]))
