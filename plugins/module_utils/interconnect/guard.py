# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blocks deletions while a database may have been replaced or rolled back.

The identity of IC_NB, IC_SB and SB is the uuid of their global row, remembered in the zone's NB_Global.external_ids. While another row, or
none, is there, the counters run backwards, one update removed every transit switch, or the zone found IC_NB without transit switches that
it is attached to, deletions and new tunnel keys of datapaths are withheld and reported. While SB or NB may be incomplete, changes that
withdraw a port's address, gateway or router from IC_SB are withheld too. What this process creates during a hold follows from the
present contents of the databases, so it is deleted as usual. A hold ends by itself when a full pass has nothing left to withhold, or when
an operator releases it (docs/loss-and-restore.md). Reasons that only the process that saw the event can know are noted in NB for the
process that comes after it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from .change import DELETE, INSERT, UPDATE, Change, Group, Skipped
from .engine import Engine
from .schema import IC_NB, IC_SB, NB, SB
from .store import Row, RowChange
from .subjects.ownership import SWITCH
from .subjects.progress import has_counters
from .subjects.transit import ROUTER_KEY, SWITCH_KEY, stands_for
from .subjects.zones import lost_token
from .zone import HOLD, IC_NB_KEY, IC_SB_KEY, NB_KEY, SB_KEY, Zone

#: Leaving one of these columns deletes the row that leaves: its table is no root.
_OWNING_COLUMNS = frozenset(("ports", "static_routes"))
#: So many transit switches gone in one update, and none left, is an accident until somebody says that it is not.
_SUSPICIOUS = 3

#: By database: the table whose one row is its identity, and the map key under which the zone remembers that row.
_GLOBAL = {IC_NB: ("IC_NB_Global", IC_NB_KEY), IC_SB: ("IC_SB_Global", IC_SB_KEY), SB: ("SB_Global", SB_KEY)}
#: The map keys of NB_Global.external_ids that holds depend on.
_REMEMBERED = frozenset(key + suffix for _table, key in _GLOBAL.values() for suffix in ("", HOLD)) | {NB_KEY + HOLD}
#: How an operator ends a hold.
RELEASE = "ovn-appctl -t ovn-ic guard/release"


class Guard:
    """Watches the identity of the databases; filters plans while a hold is on.

    ``log`` takes one sentence when a hold begins or ends.
    """

    def __init__(self, zone: Zone, engine: Engine, log: Callable[[str], None] = lambda _sentence: None) -> None:
        self._zone = zone
        self._engine = engine
        self._log = log
        #: What is wrong, by database; deletions are withheld while there is anything.
        self.holds: dict[str, str] = {}
        #: This zone's row in IC_SB when it was last looked at.
        self._own: Row | None = None
        #: By database, the counter of an older copy whose word is taken nevertheless: of no younger one, and until it has caught up.
        self._let_pass: dict[str, int] = {}
        self._withheld: dict[tuple[str, Hashable], Group] = {}
        #: The keys whose rows this process has inserted since the latest sign of a loss: no hold protects those rows.
        self._created: set[tuple[str, Hashable]] = set()
        #: What NB remembered when it was last looked at.
        self._memory: dict[str, str] = {}

    @property
    def holding(self) -> bool:
        """Whether deletions are withheld at the moment."""
        return bool(self.holds)

    @property
    def withheld_changes(self) -> list[Change]:
        """The changes because of which groups are withheld."""
        return [change for group in self._withheld.values() for change in self._withheld_changes(group)]

    @property
    def withheld(self) -> list[Skipped]:
        """The changes that are withheld, each with its reason, the reason of the hold, and how to release it."""
        why = f"withheld because {'; '.join(self.holds.values())}; if it is wanted, release it with {RELEASE}"
        return [Skipped(f"{change.table} {change.record}", f"{change.action} {why} ({change.reason})") for change in self.withheld_changes]

    def begin(self) -> None:
        """This process has become the active one: another may have been it meanwhile, so what NB remembers counts and nothing else."""
        self._zone.notes.clear()
        self._own = None
        self._let_pass = {}
        self._withheld = {}
        self._created = set()
        self._memory = {}
        self.holds = {}
        missing = self._missing_switches()
        if missing and self._remembered(IC_NB_KEY + HOLD) is None:
            self._note(IC_NB_KEY + HOLD, f"{IC_NB} lacks transit switches that this zone is attached to ({', '.join(missing)})")
        self.observe(())

    def observe(self, updates: Sequence[Sequence[RowChange]]) -> None:
        """Look at the identity of the databases after these updates, each with its row changes, before anything is planned."""
        lost = self._note_losses(updates)
        self._remember_again()
        self._drop_written_notes()
        holds = {database: reason for database in _GLOBAL for reason in [self._doubt(database)] if reason}
        rebuilt = self._remembered(NB_KEY + HOLD)
        if rebuilt:
            holds[NB] = rebuilt
        for database, reason in holds.items():
            if database not in self.holds:
                self._log(f"{reason}; deletions are withheld until what they would delete is wanted again, or until {RELEASE}")
                self._engine.mark_all()
        changed = any(self.holds.get(database) != reason for database, reason in holds.items())
        if lost or changed or not holds or any(self._lacks_global_row(database) for database in holds):
            self._created.clear()
        if IC_SB in holds:
            self._zone.confirmable = None  # what this zone has confirmed may not be there
        ended = bool(self.holds) and not holds
        self.holds = holds
        if ended:
            self._let_go("what was there before is back")

    def _note_losses(self, updates: Sequence[Sequence[RowChange]]) -> bool:
        """Note the losses that only these updates, and what was there before them, show. Returns whether there was any."""
        losses = {}
        if self._removed_all_switches(updates):
            losses[IC_NB_KEY] = f"one update removed every transit switch from {IC_NB}"
        if self._has_fallen_back():
            losses[IC_SB_KEY] = f"{IC_SB} is an older copy (what this zone has confirmed there is not confirmed any more)"
        if lost_token(self._zone):
            losses[NB_KEY] = f"{NB} was rebuilt or emptied (NB_Global.external_ids has lost the zone's entries)"
        for key, loss in losses.items():
            self._note(key + HOLD, loss)
        return bool(losses)

    def _lacks_global_row(self, database: str) -> bool:
        """Whether a database could be emptied once more without another sign of it: its global row is gone already."""
        return database in _GLOBAL and self._zone.store(database).only(_GLOBAL[database][0]) is None

    def _doubt(self, database: str) -> str | None:
        table, key = _GLOBAL[database]
        if self._zone.nb_global is None:
            return None
        row = self._zone.store(database).only(table)
        remembered = self._remembered(key)
        if remembered is None:
            if row is not None:
                self._note(key, row.uuid)
            return None
        if row is None:
            return f"{database} has lost its {table} row" if self._holds_state() else None
        if row.uuid != remembered:
            return f"{database} is another database than before ({table} was {remembered}, is {row.uuid})"
        older = self._doubt_age(database)
        if older is not None and database == IC_NB and self._remembered(key + HOLD) is None:
            # New requests raise the counter of an older copy too, so that it soon looks up to date.
            self._note(key + HOLD, older)
        return older or self._remembered(key + HOLD)

    def _doubt_age(self, database: str) -> str | None:
        if database == SB:
            return None
        number, least, source = self._counter(database)
        if number >= least:
            self._let_pass.pop(database, None)
        elif number < self._let_pass.get(database, least) and self._holds_state():
            return f"{database} is an older copy (its nb_ic_cfg is {number}, {source} {least})"
        return None

    def _counter(self, database: str) -> tuple[int, int, str]:
        """The counter of a database, what it cannot be less than, and who says so (spec status-E.1).

        A request is confirmed in IC_SB first, by each zone and then for all, and then in IC_NB. IC_SB is behind only if both of its numbers
        are: that of a zone alone begins at 0, and so does upstream's daemon. A request whose number was lowered is no sign of anything.
        """
        zone = self._zone
        wanted, shared, own = zone.ic_nb.only("IC_NB_Global"), zone.ic_sb.only("IC_SB_Global"), zone.own_az
        if wanted is None or shared is None or own is None or not has_counters(zone):
            return 0, 0, ""
        if database == IC_NB:
            return wanted["nb_ic_cfg"], own["nb_ic_cfg"], "this zone has confirmed"
        number = max(own["nb_ic_cfg"], shared["nb_ic_cfg"], self._confirming)
        return number, min(wanted["nb_ic_cfg"], wanted["sb_ic_cfg"]), "all zones have confirmed"

    def _has_fallen_back(self) -> bool:
        """Whether the number that this zone has confirmed became a lower one that it did not write.

        Where a zone that is gone confirms nothing, this is the only sign of an older copy.
        """
        before, now = self._own, self._zone.own_az
        self._own = now
        fell = before is not None and now is not None and before.uuid == now.uuid and now["nb_ic_cfg"] < before["nb_ic_cfg"]
        return fell and not self._engine.is_sent("progress", ()) and self._holds_state()

    @property
    def _confirming(self) -> int:
        """The number whose confirmation by this zone is on its way: what follows from it in IC_NB may be here before its echo is."""
        return (self._zone.confirmable or 0) if self._engine.is_sent("progress", ()) else 0

    @property
    def _written(self) -> Mapping[str, str]:
        nb_global = self._zone.nb_global
        written: Mapping[str, str] = nb_global["external_ids"] if nb_global is not None else {}
        return written

    def _remembered(self, key: str) -> str | None:
        """What NB_Global.external_ids says, or will say when it is written."""
        notes = self._zone.notes
        return notes[key] if key in notes else self._written.get(key)

    def _note(self, key: str, value: str | None) -> None:
        self._zone.notes[key] = value
        self._engine.mark_key("zones", ())

    def _remember_again(self) -> None:
        """Note what a CMS has removed from NB_Global.external_ids: without it a lost database would be taken for the one from before."""
        if self._zone.nb_global is None:
            return
        notes, written = self._zone.notes, self._written
        for key, value in self._memory.items():
            if key not in written and key not in notes:
                self._note(key, value)
        self._memory = {key: value for key, value in written.items() if key in _REMEMBERED}

    def _drop_written_notes(self) -> None:
        """From now on what NB says counts: another process may write there as soon as this one is no longer active."""
        notes, written = self._zone.notes, self._written
        for key in [key for key, value in notes.items() if written.get(key) == value]:
            del notes[key]

    def _holds_state(self) -> bool:
        nb = self._zone.nb
        switches = (SWITCH_KEY in row["other_config"] for row in nb.rows("Logical_Switch"))
        return any(switches) or any(ROUTER_KEY in row["options"] for row in nb.rows("Logical_Router"))

    def _missing_switches(self) -> list[str]:
        """The transit switches that the zone is attached to and IC_NB lacks, at the moment at which this process becomes active.

        An operator may have removed them while no daemon of the zone was running, or IC_NB may have been restored from an older copy.
        Requests beyond those that this zone has confirmed prove that IC_NB is not older; schemas without counters prove nothing.
        """
        zone = self._zone
        wanted, own = zone.ic_nb.only("IC_NB_Global"), zone.own_az
        if has_counters(zone) and wanted is not None and own is not None and wanted["nb_ic_cfg"] > own["nb_ic_cfg"]:
            return []
        held = {row["other_config"].get(SWITCH_KEY): row for row in zone.nb.rows("Logical_Switch")}
        return sorted(
            name
            for name, row in held.items()
            if name is not None
            and name not in zone.seen["Transit_Switch"]
            and stands_for(SWITCH, zone, row) is None
            and any(port["type"] != "remote" for port in zone.nb.child_rows("Logical_Switch", "ports", row.uuid, "Logical_Switch_Port"))
        )

    def _removed_all_switches(self, updates: Sequence[Sequence[RowChange]]) -> bool:
        """Whether one of these updates did, whatever has come after it."""
        left = self._zone.ic_nb.count("Transit_Switch")
        for changes in reversed(updates):
            switches = [change for change in changes if change.database == IC_NB and change.table == "Transit_Switch"]
            gone = sum(change.new is None for change in switches)
            if gone >= _SUSPICIOUS and left == 0:
                return self._has_attachments()
            left += gone - sum(change.old is None for change in switches)
        return False

    def _has_attachments(self) -> bool:
        nb = self._zone.nb
        return any(
            port["type"] != "remote"
            for switch in nb.rows("Logical_Switch")
            if SWITCH_KEY in switch["other_config"]
            for port in nb.child_rows("Logical_Switch", "ports", switch.uuid, "Logical_Switch_Port")
        )

    def filter(self, groups: Sequence[Group], planned: Iterable[tuple[str, Hashable]]) -> list[Group]:
        """Of the groups that came of looking at the ``planned`` keys, those that may be written now; the others are withheld."""
        for place in planned if self._withheld else ():
            self._withheld.pop(place, None)
        if not self.holds:
            return list(groups)
        allowed = []
        for group in groups:
            if self._withheld_changes(group):
                self._withheld[(group.subject, group.key)] = group
            else:
                allowed.append(group)
                if any(change.action == INSERT for change in group.changes):
                    self._created.add((group.subject, group.key))
        return allowed

    def _withheld_changes(self, group: Group) -> list[Change]:
        """The changes of a group because of which it is withheld."""
        withdrawals = _withdrawals(group) if SB in self.holds or NB in self.holds else []
        if (group.subject, group.key) in self._created:
            return [change for change in group.changes if _renumbers(change) or _releases(change)] + withdrawals
        return _deletions(group) + withdrawals

    def settle(self) -> None:
        """End the hold if a pass came to rest with nothing withheld. Call it when the engine is at rest."""
        if self.holds and not self._withheld and self._zone.own_az is not None:
            self._accept("nothing is left to withhold")

    def release(self) -> int:
        """An operator's word that the deletions are wanted. Returns how many keys were withheld."""
        count = len(self._withheld)
        if self.holds:
            self._accept("released by an operator")
        return count

    def _accept(self, why: str) -> None:
        for database in self.holds:
            if database == NB:
                self._note(NB_KEY + HOLD, None)
                continue
            table, key = _GLOBAL[database]
            row = self._zone.store(database).only(table)
            if row is not None:
                self._note(key, row.uuid)
            self._note(key + HOLD, None)
            self._let_pass[database] = self._counter(database)[0]
        self.holds = {}
        self._let_go(why)

    def _let_go(self, why: str) -> None:
        """Look again at what is withheld: it may be written now, if it is still wanted."""
        self._log(f"deletions are no longer withheld: {why}")
        for subject, key in self._withheld:
            self._engine.mark_key(subject, key)
        self._withheld = {}


def _deletions(group: Group) -> list[Change]:
    return [
        change
        for change in group.changes
        if change.action == DELETE
        or _renumbers(change)
        or _releases(change)
        or any(column in _OWNING_COLUMNS and members.removed for column, members in change.members.items())
    ]


def _withdrawals(group: Group) -> list[Change]:
    """Updates of IC_SB that take the address, the gateway or the router of a port away: what an incomplete NB or SB leads to."""
    ports = [change for change in group.changes if (change.database, change.table, change.action) == (IC_SB, "Port_Binding", UPDATE)]
    return [
        change
        for change in ports
        if "" in (change.columns.get("address"), change.columns.get("gateway")) or None in change.keys.get("external_ids", {}).values()
    ]


def _renumbers(change: Change) -> bool:
    """Whether a datapath loses its tunnel key: the mode that keys follow is the word of a database too (spec switches-V-3)."""
    return change.table == "Datapath_Binding" and change.action == UPDATE and "tunnel_key" in change.columns


def _releases(change: Change) -> bool:
    """Whether a switch or router of another program stops standing for a transit object, because its definition is gone."""
    return any(key in keys and keys[key] is None for keys in change.keys.values() for key in (SWITCH_KEY, ROUTER_KEY))
