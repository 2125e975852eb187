# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blocks deletions while a database may have been replaced or rolled back.

The identity of IC_NB, IC_SB and SB is the UUID of their global row, which the zone stores in NB_Global.external_ids.
Deletions and new tunnel keys of datapaths are withheld and reported while one of these conditions holds: a database has
another global row or none, a counter has decreased, one update removed every transit switch, or IC_NB lacked transit
switches to which the zone is attached when this process became active. While SB or NB may be incomplete, changes that
withdraw a port's address, gateway or router from IC_SB are withheld too. Rows that this process creates during a hold
follow from the present contents of the databases, so they are deleted as usual. A hold ends automatically when a full
pass has nothing left to withhold, or when an operator releases it (docs/loss-and-restore.md). Reasons that only the
process that saw the event can know are stored in NB for later processes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from types import MappingProxyType

from ..engine.change import DELETE, INSERT, UPDATE, Change, Group, Skipped
from ..engine.engine import ALL, Engine, _All
from ..engine.write_conflicts import Place
from ..ovsdb.store import Row, RowChange
from ..subjects.held_keys import are_secured, is_misplaced
from ..subjects.ownership import SWITCH
from ..subjects.progress import has_counters
from ..subjects.transit import ROUTER_KEY, SWITCH_KEY, stands_for
from ..subjects.zones import lost_token
from ..tables import IC_NB, IC_SB, NB, SB
from ..zone import HOLD, IC_NB_KEY, IC_SB_KEY, NB_KEY, SB_KEY, Zone

#: Removing a row from one of these columns deletes it, because its table is not a root table.
_OWNING_COLUMNS = frozenset(("ports", "static_routes"))
#: If one update removes at least this many transit switches and none is left, it is treated as an accident until an
#: operator releases it.
_SUSPICIOUS = 3

#: By database: the table whose only row is its identity, and the map key under which the zone stores that row's UUID.
_GLOBAL = {IC_NB: ("IC_NB_Global", IC_NB_KEY), IC_SB: ("IC_SB_Global", IC_SB_KEY), SB: ("SB_Global", SB_KEY)}
#: The map keys of NB_Global.external_ids on which holds depend.
_REMEMBERED = frozenset(key + suffix for _table, key in _GLOBAL.values() for suffix in ("", HOLD)) | {NB_KEY + HOLD}
#: How an operator ends a hold.
RELEASE = "ovn-appctl -t ovn-ic guard/release"


class Guard:
    """Tracks the identity of the databases, and filters plans during a hold.

    ``log`` is called with one sentence when a hold begins or ends.
    """

    def __init__(self, zone: Zone, engine: Engine, log: Callable[[str], None] = lambda _sentence: None) -> None:
        self._zone = zone
        self._engine = engine
        self._log = log
        #: The reason of the hold by database. Deletions are withheld while there is any.
        self.holds: dict[str, str] = {}
        #: The last known contents of this zone's row in IC_SB.
        self._own: Row | None = None
        #: By database, the counter of an older copy that was accepted, because the hold ended although the counter is
        #: behind. A copy with another counter starts a new hold. The entry is removed when the counter has caught up.
        self._let_pass: dict[str, int] = {}
        self._withheld: dict[tuple[str, Hashable], Group] = {}
        #: The keys whose rows this process has inserted since the latest sign of a loss. No hold protects those rows.
        self._created: set[tuple[str, Hashable]] = set()
        #: Records about the databases that NB does not have yet.
        self._notes: dict[str, str | None] = {}
        #: The keys to plan again, until the loop has taken them.
        self._to_plan: list[Place | _All] = []
        #: The last known records in NB.
        self._memory: dict[str, str] = {}

    @property
    def holding(self) -> bool:
        """Whether deletions are withheld at the moment."""
        return bool(self.holds)

    @property
    def withheld_changes(self) -> list[Change]:
        """The changes that cause groups to be withheld."""
        return [change for group in self._withheld.values() for change in self._withheld_changes(group)]

    @property
    def withheld(self) -> list[Skipped]:
        """The changes that are withheld, each with its reason, the reason of the hold, and how to release it."""
        why = f"withheld because {'; '.join(self.holds.values())}; to carry it out, run {RELEASE}"
        return [Skipped(f"{change.table} {change.record}", f"{change.action} {why} ({change.reason})") for change in self.withheld_changes]

    @property
    def notes(self) -> Mapping[str, str | None]:
        """What to write to NB_Global.external_ids, by key (None: remove). See :class:`.zone.Facts`."""
        return MappingProxyType(dict(self._notes))

    @property
    def keeps_keys(self) -> bool:
        """Whether the zone keeps its tunnel keys, because IC_SB may have been replaced. See :class:`.zone.Facts`.

        Upstream's daemon cannot do so and follows IC_SB at once. If it participates, this zone does the same.
        """
        return IC_SB in self.holds and not _has_upstream(self._zone)

    def take_keys(self) -> list[Place | _All]:
        """The keys that have to be planned again since the last call, as (subject, key), or ALL for every key."""
        taken, self._to_plan = self._to_plan, []
        return taken

    def begin(self) -> None:
        """This process has become active. Forget everything except the records in NB, because another process may have been
        active in the meantime.
        """
        self._notes = {}
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
        """Check the identity of the databases after these updates, each with its row changes, before anything is
        planned.
        """
        lost = self._note_losses(updates)
        self._remember_again()
        self._drop_written_notes()
        holds = {database: reason for database in _GLOBAL for reason in [self._doubt(database)] if reason}
        rebuilt = self._remembered(NB_KEY + HOLD)
        if rebuilt:
            holds[NB] = rebuilt
        for database, reason in holds.items():
            if database not in self.holds:
                self._log(f"{reason}; deletions are withheld until none is planned any longer, or until an operator runs {RELEASE}")
                self._to_plan = [ALL]
        changed = any(self.holds.get(database) != reason for database, reason in holds.items())
        if lost or changed or not holds or any(self._lacks_global_row(database) for database in holds):
            self._created.clear()
        ended = bool(self.holds) and not holds
        self.holds = holds
        if ended:
            self._let_go("the previous contents are back")

    def _note_losses(self, updates: Sequence[Sequence[RowChange]]) -> bool:
        """Record the losses that can be seen only from these updates and the contents before them. Returns whether
        there is any.
        """
        losses = {}
        if self._removed_all_switches(updates):
            losses[IC_NB_KEY] = f"one update removed every transit switch from {IC_NB}"
        if self._has_fallen_back():
            losses[IC_SB_KEY] = f"{IC_SB} is an older copy (it has lost what this zone had confirmed)"
        if lost_token(self._zone):
            losses[NB_KEY] = f"{NB} was rebuilt or emptied (NB_Global.external_ids has lost the zone's entries)"
        for key, loss in losses.items():
            self._note(key + HOLD, loss)
        return bool(losses)

    def _lacks_global_row(self, database: str) -> bool:
        """Whether a database could be emptied again without any other sign, because its global row is already missing."""
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
            # New requests also increase the counter of an older copy, so that it soon looks current.
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
        """The counter of a database, its minimum, and the source of the minimum (spec status-E.1).

        A request is first confirmed in IC_SB, by each zone and then for all zones, and then in IC_NB. IC_SB is behind
        only if both of its numbers are: the number of a single zone begins at 0, also with upstream's daemon. A request
        number that was decreased proves nothing.
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
        """Whether the number that this zone has confirmed decreased to a value that it did not write.

        If a dead zone no longer confirms anything, this is the only sign of an older copy.
        """
        before, now = self._own, self._zone.own_az
        self._own = now
        fell = before is not None and now is not None and before.uuid == now.uuid and now["nb_ic_cfg"] < before["nb_ic_cfg"]
        return fell and not self._engine.is_sent("progress", ()) and self._holds_state()

    @property
    def _confirming(self) -> int:
        """The number whose confirmation by this zone is in flight: its consequences in IC_NB may arrive before its
        echo.
        """
        return (self._zone.facts.confirmable or 0) if self._engine.is_sent("progress", ()) else 0

    @property
    def _written(self) -> Mapping[str, str]:
        nb_global = self._zone.nb_global
        written: Mapping[str, str] = nb_global["external_ids"] if nb_global is not None else {}
        return written

    def _remembered(self, key: str) -> str | None:
        """The records in NB_Global.external_ids, including those that are about to be written."""
        return self._notes[key] if key in self._notes else self._written.get(key)

    def _note(self, key: str, value: str | None) -> None:
        self._notes[key] = value

    def _remember_again(self) -> None:
        """Restore records that a CMS has removed from NB_Global.external_ids. Without them, a replaced database could
        not be recognized.
        """
        if self._zone.nb_global is None:
            return
        notes, written = self._notes, self._written
        for key, value in self._memory.items():
            if key not in written and key not in notes:
                self._note(key, value)
        self._memory = {key: value for key, value in written.items() if key in _REMEMBERED}

    def _drop_written_notes(self) -> None:
        """Forget the records that have been written to NB: from then on the contents of NB are used, which another instance
        of the daemon can change.
        """
        notes, written = self._notes, self._written
        for key in [key for key, value in notes.items() if written.get(key) == value]:
            del notes[key]

    def _holds_state(self) -> bool:
        nb = self._zone.nb
        switches = (SWITCH_KEY in row["other_config"] for row in nb.rows("Logical_Switch"))
        return any(switches) or any(ROUTER_KEY in row["options"] for row in nb.rows("Logical_Router"))

    def _missing_switches(self) -> list[str]:
        """The transit switches to which the zone is attached and that IC_NB lacks when this process becomes active.

        An operator may have removed them while no daemon of the zone was running, or IC_NB may have been restored from
        an older copy. Requests newer than those that this zone has confirmed prove that IC_NB is not older; schemas
        without counters prove nothing.
        """
        zone = self._zone
        wanted, own = zone.ic_nb.only("IC_NB_Global"), zone.own_az
        if has_counters(zone) and wanted is not None and own is not None and wanted["nb_ic_cfg"] > own["nb_ic_cfg"]:
            return []
        held = {row["other_config"].get(SWITCH_KEY): row for row in zone.nb.rows("Logical_Switch")}
        unseen = {name: row for name, row in held.items() if name is not None and ("Transit_Switch", name) not in zone.facts.seen}
        gone = {name: row for name, row in unseen.items() if stands_for(SWITCH, zone, row) is None}
        return sorted(name for name, row in gone.items() if _has_own_ports(zone, row))

    def _removed_all_switches(self, updates: Sequence[Sequence[RowChange]]) -> bool:
        """Whether one of these updates removed all transit switches, whatever followed it."""
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
        """Return the groups that may be written now, and withhold the others. ``planned`` are the keys of the pass that
        planned these groups: what was withheld of them before is replaced.
        """
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
        """The changes of a group that cause it to be withheld."""
        withdrawals = _withdrawals(group) if SB in self.holds or NB in self.holds else []
        if (group.subject, group.key) in self._created:
            return [change for change in group.changes if self._renumbers(change) or _releases(change)] + withdrawals
        return [change for change in group.changes if self._deletes(change)] + withdrawals

    def _deletes(self, change: Change) -> bool:
        if change.action == DELETE or self._renumbers(change) or _releases(change):
            return True
        return any(column in _OWNING_COLUMNS and members.removed for column, members in change.members.items())

    def _renumbers(self, change: Change) -> bool:
        """Whether a datapath gets another tunnel key. This is withheld too, because it follows from the VXLAN mode in IC_NB
        and from the gateways in IC_SB (spec switches-V-3), which may be those of an older copy. A change that restores a
        key that a zone holds does not count.
        """
        if change.table != "Datapath_Binding" or change.action != UPDATE or "tunnel_key" not in change.columns:
            return False
        datapath = self._zone.ic_sb.row(change.table, change.uuid)
        return datapath is None or not is_misplaced(self._zone, datapath)

    def settle(self) -> None:
        """End the hold if the work is done and nothing was withheld. Call this when the engine has nothing left to do."""
        if self.holds and not self._withheld and self._zone.own_az is not None and are_secured(self._zone):
            self._accept("nothing is left to withhold")

    def release(self) -> int:
        """An operator confirms that the deletions are wanted. Returns the number of keys that were withheld."""
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
        """Plan what was withheld again: it may now be written if it is still planned."""
        self._log(f"deletions are no longer withheld: {why}")
        self._to_plan += self._withheld
        self._withheld = {}


def _has_own_ports(zone: Zone, switch: Row) -> bool:
    """Whether a logical switch has a port of this zone, not only ports of other zones."""
    return any(port["type"] != "remote" for port in zone.nb.child_rows("Logical_Switch", "ports", switch.uuid, "Logical_Switch_Port"))


def _has_upstream(zone: Zone) -> bool:
    """Whether upstream's daemon participates in the interconnect. A zone of this daemon claims its row first."""
    for az in zone.ic_sb.rows("Availability_Zone"):
        unclaimed = az != zone.own_az and zone.claimed_by(az) is None
        if unclaimed and any(zone.ic_sb.first(table, "availability_zone", az.uuid) is not None for table in ("Gateway", "Port_Binding")):
            return True
    return False


def _withdrawals(group: Group) -> list[Change]:
    """Updates of IC_SB that remove the address, gateway or router of a port. An incomplete NB or SB causes such updates."""
    ports = [change for change in group.changes if (change.database, change.table, change.action) == (IC_SB, "Port_Binding", UPDATE)]
    return [
        change
        for change in ports
        if "" in (change.columns.get("address"), change.columns.get("gateway")) or None in change.keys.get("external_ids", {}).values()
    ]


def _releases(change: Change) -> bool:
    """Whether a switch or router of another program ceases to stand for a transit object, because its definition is
    gone.
    """
    return any(key in keys and keys[key] is None for keys in change.keys.values() for key in (SWITCH_KEY, ROUTER_KEY))
