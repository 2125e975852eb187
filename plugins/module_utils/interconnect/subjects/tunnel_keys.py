# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Selects tunnel keys of datapaths and of ports.

A key is free if no row of IC_SB has it, no insert of this process in flight has it, and no object whose row is missing
from IC_SB (because IC_SB was rebuilt) will need it again: such a key is requested in NB, or recorded in IC_NB. Transit
switches, transit routers and ports get the keys that are recorded or requested for them, so that keys survive the loss
of IC_SB.

The allocators remember keys whose rows have not been read back yet. The two subjects of datapaths share one allocator,
as do the two of ports.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import NamedTuple

from ..engine.change import Skipped
from ..ovsdb.store import Row, RowChange
from ..zone import KEY_NOTE, ROW_KEY, Zone
from .held_keys import Owner, awarded_key, is_awarded_to_another, kept_key
from .ownership import ROUTER, SWITCH, Kind
from .transit import (
    REQUESTED_KEY,
    ROUTER_KEY,
    ROUTER_TYPE,
    SWITCH_KEY,
    note,
    requested,
    requested_keys,
    router_datapaths,
    routers,
    stands_for,
    switch_datapath,
    switch_datapaths,
    switch_of,
    transit_switch_of,
)

PORT_KEYS = range(1, 32768)


class _Reservations:
    """Keys that were assigned and whose rows have not been read back: owner -> place, and place -> owner."""

    def __init__(self) -> None:
        self._places: dict[Hashable, Hashable] = {}
        self._owners: dict[Hashable, Hashable] = {}

    def reserve(self, owner: Hashable, place: Hashable) -> None:
        self._places[owner] = place
        self._owners[place] = owner

    def release(self, owner: Hashable) -> Hashable | None:
        """Remove what this owner has. Returns the place, or None."""
        place = self._places.pop(owner, None)
        if place is not None:
            del self._owners[place]
        return place

    def __contains__(self, place: Hashable) -> bool:
        return place in self._owners


class DatapathKeys:
    """Tunnel keys of transit switches and routers (spec switches-2)."""

    def __init__(self) -> None:
        self._reserved = _Reservations()
        #: For each range: no key below this one is free, except for the lower end.
        self._lowest: dict[range, int] = {}

    def prepare(self, zone: Zone) -> None:
        """Register the indexes used here, in addition to those of :func:`.transit.register`, and restart the search from the
        beginning, because keys may have been freed in the meantime.
        """
        self._lowest.clear()
        for table in ("Transit_Switch", "Transit_Router"):
            zone.ic_nb.index(table, KEY_NOTE, _noted)

    def release(self, owner: Hashable) -> None:
        """Forget what was assigned to this owner: its row was read back, or it is planned again."""
        key = self._reserved.release(owner)
        if isinstance(key, int):
            self.freed(key)

    def freed(self, key: int) -> None:
        """A datapath of IC_SB released this key: the search may have to restart below its present start."""
        for keys, lowest in self._lowest.items():
            if key in keys:
                self._lowest[keys] = min(key, lowest)

    def fault(self, zone: Zone, owner: Owner, key: int) -> str | None:
        """Why the datapath of ``owner`` has to get another key than ``key`` because of keys that zones hold; None if it
        does not, or if the key that it has to get is not free yet.
        """
        awarded = awarded_key(zone, owner)
        if awarded not in (0, key) and not self._used(zone, awarded):
            return f"IC_SB was replaced, and a zone holds the key {awarded} for it"
        if is_awarded_to_another(zone, key, owner):
            return f"IC_SB was replaced, and a zone holds its key {key} for another datapath"
        return None

    def take(self, zone: Zone, owner: Owner, place: Hashable, keys: range, note: int = 0, requested: int = 0) -> int | None:
        """Assign a key to a datapath: the one that a zone holds, else the recorded one, else the one that the zone's
        object requests, else the lowest free one, else None.

        ``place`` is ("switch", its name) or ("router", its IC_NB UUID). The lower end of the range is used last
        (switches-K-2).
        """
        awarded = awarded_key(zone, owner)
        for wanted in (awarded, note, requested):
            known = wanted in (awarded, note) or not _is_noted(zone, wanted, place)
            if wanted in keys and known and not self._used(zone, wanted) and not is_awarded_to_another(zone, wanted, owner):
                self._reserved.reserve(place, wanted)
                return wanted
        first = keys.start + 1
        lowest = max(first, self._lowest.get(keys, first))
        gapless = True
        for key in chain(range(lowest, keys.stop), (keys.start,)):
            if self._used(zone, key):
                if gapless and key >= first:
                    self._lowest[keys] = key + 1
                continue
            if not (_is_requested(zone, key) or _is_noted(zone, key, place) or is_awarded_to_another(zone, key, owner)):
                self._reserved.reserve(place, key)
                return key
            gapless = False
        return None

    def _used(self, zone: Zone, key: int) -> bool:
        return key in self._reserved or zone.ic_sb.first("Datapath_Binding", "tunnel_key", key) is not None


class PortKeys:
    """Tunnel keys of ports on one transit switch or router (spec ports-2)."""

    def __init__(self) -> None:
        self._reserved = _Reservations()
        #: The key that was assigned last (spec ports-T-1).
        self._last = 0

    @staticmethod
    def register(zone: Zone) -> None:
        """Register the indexes used here."""
        zone.ic_sb.index("Port_Binding", "tunnel_key", lambda row: ((row["transit_switch"], row["tunnel_key"]),))
        zone.nb.index("Logical_Switch_Port", REQUESTED_KEY, partial(requested_keys, "options", ""))
        zone.nb.index("Logical_Router_Port", REQUESTED_KEY, partial(requested_keys, "options", ROUTER_KEY))

    def release(self, owner: Hashable) -> None:
        """Forget what was assigned to this owner: its row was read back, or it is planned again."""
        self._reserved.release(owner)

    def take(self, zone: Zone, owner: Hashable, transit: str, wanted: int = 0) -> int | None:
        """Assign ``wanted`` if it is free on this switch or router, else the next free one after the last assigned,
        else None (spec ports-T-3).
        """
        if wanted in PORT_KEYS and not self._used(zone, transit, wanted):
            self._reserved.reserve(owner, (transit, wanted))
            return wanted
        count = len(PORT_KEYS)
        for step in range(count):
            key = PORT_KEYS.start + (self._last + step) % count
            if not self._used(zone, transit, key) and not _claimed_port(zone, transit, key):
                self._last = key
                self._reserved.reserve(owner, (transit, key))
                return key
        return None

    def _used(self, zone: Zone, transit: str, key: int) -> bool:
        place = (transit, key)
        return place in self._reserved or zone.ic_sb.first("Port_Binding", "tunnel_key", place) is not None


def keeps_key(zone: Zone, datapath: Row) -> bool:
    """Whether a datapath is the only one with its tunnel key, or the one that keeps it (spec switches-K-5: older peers
    do not use the lock).

    A router's datapath comes before a switch's, then one whose NB object already uses the key, then the lowest UUID.
    The keys of the other datapaths are not written to NB, and the holder of the lock gives them new ones.
    """
    rivals = zone.ic_sb.find("Datapath_Binding", "tunnel_key", datapath["tunnel_key"])
    return len(rivals) < 2 or min(rivals, key=lambda row: (row["type"] != ROUTER_TYPE, not _in_use(zone, row), row.uuid)) == datapath


def _in_use(zone: Zone, datapath: Row) -> bool:
    """Whether the NB switch or router of a datapath requests its key."""
    if datapath["type"] == ROUTER_TYPE:
        transit_router = zone.ic_nb.row("Transit_Router", datapath["nb_ic_uuid"])
        found = routers(zone, transit_router["name"]) if transit_router is not None else []
        return bool(found) and requested(found[0]["options"]) == datapath["tunnel_key"]
    transit_switch = zone.ic_nb.first("Transit_Switch", "name", datapath["transit_switch"])
    switch = switch_of(zone, datapath["transit_switch"])
    if transit_switch is None or switch is None or switch_datapath(zone, transit_switch) != datapath:
        return False
    return bool(requested(switch["other_config"]) == datapath["tunnel_key"])


def duplicate(zone: Zone, name: str, datapath: Row | None) -> Iterator[Skipped]:
    """What to report about a datapath that has the same key as another one, in a zone that does not hold the lock."""
    if datapath is not None and not zone.facts.shared_lock and not keeps_key(zone, datapath):
        reason = f"the datapath of {name} has the tunnel key {datapath['tunnel_key']}, which another datapath has too"
        yield Skipped(name, f"{reason}: the holder of the lock ovn_ic_sb will assign another key")


def sharing(zone: Zone, keys: Iterable[int]) -> Iterator[Row]:
    """The datapaths that have one of these keys. A change of one of them decides whether another keeps the key."""
    for key in dict.fromkeys(keys):
        yield from zone.ic_sb.find("Datapath_Binding", "tunnel_key", key)


def _noted(row: Row) -> Iterable[Hashable]:
    key = note(row)
    return (key,) if key else ()


def _is_noted(zone: Zone, key: int, place: Hashable) -> bool:
    """Whether IC_NB records this key for another transit switch or router, whose datapath is missing."""
    switches = (row for row in zone.ic_nb.find("Transit_Switch", KEY_NOTE, key) if place != ("switch", row["name"]))
    transit_routers = (row for row in zone.ic_nb.find("Transit_Router", KEY_NOTE, key) if place != ("router", row.uuid))
    return any(not switch_datapaths(zone, row["name"]) for row in switches) or any(
        not router_datapaths(zone, row.uuid) for row in transit_routers
    )


class Holder(NamedTuple):
    """An NB switch or router whose tunnel key belongs to another transit object, which waits for it."""

    kind: Kind
    row: Row
    #: Whether its datapath is about to get the key (see held_keys.py).
    keeps: bool = False

    def reported(self, kind: Kind, name: str, key: int) -> Skipped:
        """The report about the transit object ``name`` of this ``kind``, which waits for the tunnel key ``key``."""
        noun, here = self.kind.noun, self.kind.word
        what = f"the tunnel key {key} of {kind.noun} {name} is not written to NB, because {here} {self.row['name']} still has it"
        if self.keeps:
            return Skipped(name, f"{what} and keeps it: the holder of the lock ovn_ic_sb will assign another key", logged=False)
        return Skipped(
            name,
            f"{what}, and {noun} {self.row[self.kind.column][self.kind.marker]}, for which that {here} stands, has no datapath in IC_SB: "
            f"delete the {here} (guard/show says whether its deletion is withheld), or create the {noun} again",
        )


def holder(zone: Zone, kind: Kind, name: str, key: int, seen: frozenset[tuple[Kind, str]] = frozenset()) -> Holder | None:
    """Find out why the tunnel key ``key`` of the transit object ``name`` cannot be written to NB yet.

    Returns another NB switch or router that has the key and cannot get a new one now, None if there is none. Until it
    has a new one, the key must not be written: if two objects request the same key, northd gives one of them a local
    key. An object cannot get a new key while the transit object for which it stands has no datapath (the deletion of
    the object may be withheld), or while the new key is in turn held by a third object. ``seen`` are the transit objects
    visited so far. Objects that exchange keys in a cycle do not wait for each other.
    """
    seen |= {(kind, name)}
    for other in (SWITCH, ROUTER):
        for row in zone.nb.find(other.table, REQUESTED_KEY, key):
            owner = stands_for(other, zone, row)
            known = row[other.column][other.marker] if owner is None else owner["name"]
            if (other, known) in seen:
                continue
            if kept_key(zone, (other.word, known)) == key:
                return Holder(other, row, keeps=True)
            datapath = _datapath(other, zone, owner) if owner is not None else None
            if datapath is None or not keeps_key(zone, datapath):
                return Holder(other, row)
            if datapath["tunnel_key"] != key and holder(zone, other, known, datapath["tunnel_key"], seen) is not None:
                return Holder(other, row)
    return None


def contested(change: RowChange, zone: Zone) -> Iterator[int]:
    """The tunnel keys requested by the NB objects that a change concerns.

    The change decides whether others may request these keys.
    """
    for kind in (SWITCH, ROUTER):
        if change.table == kind.table and change.changed(kind.column, "external_ids"):
            yield from (requested(row[kind.column]) for row in change.rows if kind.marker in row[kind.column])
        elif change.table == kind.transit and change.changed("name"):
            yield from (requested(row[kind.column]) for row in zone.nb.find(kind.table, ROW_KEY, change.uuid))
            yield from _requested_by(kind, zone, (row["name"] for row in change.rows))
    if change.table == "Datapath_Binding":
        for row in change.rows:
            if row["type"] != ROUTER_TYPE:
                yield from _requested_by(SWITCH, zone, (row["transit_switch"],))
            transit = ROUTER.transit if row["type"] == ROUTER_TYPE else SWITCH.transit
            made_for = zone.ic_nb.row(transit, row["nb_ic_uuid"])
            if made_for is not None:
                yield from _requested_by(ROUTER if row["type"] == ROUTER_TYPE else SWITCH, zone, (made_for["name"],))


def _requested_by(kind: Kind, zone: Zone, names: Iterable[str]) -> Iterator[int]:
    for name in dict.fromkeys(names):
        yield from (requested(row[kind.column]) for row in zone.nb.find(kind.table, kind.marker, name))


def _datapath(kind: Kind, zone: Zone, transit: Row) -> Row | None:
    if kind is SWITCH:
        return switch_datapath(zone, transit)
    found = router_datapaths(zone, transit.uuid)
    return found[0] if found else None


def _is_requested(zone: Zone, key: int) -> bool:
    """Whether a switch or router of this zone requests this key while its datapath is missing from IC_SB.

    This includes switches and routers that are missing from IC_NB and whose deletion is withheld.
    """
    for row in zone.nb.find("Logical_Switch", REQUESTED_KEY, key):
        if not switch_datapaths(zone, row["other_config"][SWITCH_KEY]):
            return True
    for row in zone.nb.find("Logical_Router", REQUESTED_KEY, key):
        transit_router = zone.ic_nb.first("Transit_Router", "name", row["options"][ROUTER_KEY])
        if transit_router is None or not router_datapaths(zone, transit_router.uuid):
            return True
    return False


def _claimed_port(zone: Zone, transit: str, key: int) -> bool:
    """Whether a port in NB on this switch or router got this key from a row that IC_SB has lost."""
    for row in zone.nb.find("Logical_Switch_Port", REQUESTED_KEY, key):
        if zone.ic_sb.first("Port_Binding", "logical_port", row["name"]) is None:
            for switch in zone.nb.parent_rows("Logical_Switch", "ports", row.uuid):
                transit_switch = transit_switch_of(zone, switch)
                if transit_switch is not None and transit_switch["name"] == transit:
                    return True
    for row in zone.nb.find("Logical_Router_Port", REQUESTED_KEY, key):
        holders = zone.nb.parent_rows("Logical_Router", "ports", row.uuid)
        unpublished = zone.ic_sb.first("Port_Binding", "logical_port", row["name"]) is None
        if unpublished and any(router["name"] == transit for router in holders):
            return True
    return False
