# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tunnel keys that a zone holds in NB while IC_SB, which was replaced, assigns others (docs/loss-and-restore.md).

If IC_SB and the notes in IC_NB are lost, the holder of the lock ``ovn_ic_sb`` may not know the keys of the earlier
datapaths, and may assign others. A zone whose guard withholds deletions because of IC_SB then keeps its key, and
publishes it in ``IC_SB_Global.external_ids``, where all zones can read and write: the key of the entry is HELD_PREFIX,
the UUID of the zone's Availability_Zone row, "switch" or "router", and the name of the transit switch or router, all
joined by hyphens; its value is the tunnel key. The holder of the lock assigns that key to the datapath. If another
datapath has the key, that datapath gets a new one first. The zone removes the entry when its guard no longer withholds
anything because of IC_SB.

The entry that was published first wins. Of entries that are published at the same time for one datapath, the lowest key
wins. If such entries give one key to two datapaths, the first by kind and name wins. The zones whose keys do not win
follow IC_SB.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple, cast

from ..engine.change import Skipped, Step, update
from ..engine.engine import ALL, Keys, Subject
from ..ovsdb.store import Row, RowChange
from ..settings import boolean, integer
from ..tables import IC_NB, IC_SB
from ..zone import HELD_PREFIX, Zone
from . import gateways, transit
from .ownership import REQUESTED_KEY, ROUTER, SWITCH, Kind

NORMAL_KEYS = range(2**24 - 2**16 + 1, 2**24)
VXLAN_KEYS = range(1024, 4096)

#: A transit switch or router: "switch" or "router", and its name.
Owner = tuple[str, str]
KINDS: Mapping[str, Kind] = {kind.word: kind for kind in (SWITCH, ROUTER)}
#: The key of an entry: the zone's row, the kind of the object, and its name.
_ENTRY = re.compile(rf"{re.escape(HELD_PREFIX)}(?P<az>.{{36}})-(?P<kind>{'|'.join(KINDS)})-(?P<name>.+)", re.DOTALL)


class Claim(NamedTuple):
    """An entry of a zone: it holds this tunnel key for a transit switch or router."""

    az: str
    owner: Owner
    key: int


class _Awards(NamedTuple):
    """Which of the published keys take effect."""

    keys: Mapping[Owner, int]
    owners: Mapping[int, Owner]


class HeldKeys(Subject):
    """Publishes the tunnel keys that this zone holds and that IC_SB does not assign. A work key is an :data:`Owner`."""

    name = "held_keys"
    tables = transit.TABLES | {(IC_NB, "IC_NB_Global"), (IC_SB, "IC_SB_Global"), (IC_SB, "Availability_Zone")}
    facts = Subject.facts | {"shared_lock", "keeps_keys"}

    def prepare(self, zone: Zone) -> None:
        transit.register(zone)

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        if change.table == "IC_SB_Global":
            yield from concerned(change, zone)
        elif change.table == "Availability_Zone":
            if change.new is None:
                yield from (claim.owner for claim in _claims(zone) if claim.az == change.uuid)
        elif not zone.facts.keeps_keys:
            return
        elif change.table in ("Datapath_Binding", "IC_NB_Global", "Transit_Switch", "Transit_Router"):
            if change.changed("tunnel_key", "transit_switch", "nb_ic_uuid", "name", "external_ids", "options"):
                yield ALL  # these tables change rarely while IC_SB is filled again, and any datapath may have any key
        else:
            kind = SWITCH if change.table == SWITCH.table else ROUTER
            names = {row[kind.column].get(kind.marker) for row in change.rows} - {None}
            yield from ((kind.word, name) for name in names if change.changed(kind.column, "external_ids"))

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        owners = dict.fromkeys(claim.owner for claim in _claims(zone))
        if zone.facts.keeps_keys:
            owners.update(dict.fromkeys(_owners(zone)))
        return list(owners)

    def plan(self, key: Hashable, zone: Zone) -> Iterator[Step]:
        owner = cast("Owner", key)
        own, row = zone.own_az, zone.ic_sb.only("IC_SB_Global")
        if own is None or row is None:
            return
        kept = kept_key(zone, owner)
        published = [claim for claim in _claims(zone) if claim.owner == owner]
        ours = next((claim.key for claim in published if claim.az == own.uuid), 0)
        value = None
        if kept and (ours or not published):  # one entry for all zones is enough
            value = str(kept)
        elif ours and zone.facts.keeps_keys and ours == _held_key(zone, owner):
            value = str(ours)  # without it, an entry of another zone that needs the key for another datapath would win now
        kind, name = KINDS[owner[0]], owner[1]
        reason = f"the zone holds the tunnel key of {kind.noun} {name}, and IC_SB was replaced"
        entry = {"external_ids": {_entry(own.uuid, owner): value}}
        yield from update(zone.ic_sb, "IC_SB_Global", row, record=name, reason=reason, keys=entry)
        if zone.facts.shared_lock:
            left = [claim.az for claim in published if zone.ic_sb.row("Availability_Zone", claim.az) is None]
            entries = {"external_ids": dict.fromkeys(_entry(az, owner) for az in left)}
            reason = "the zone that published this tunnel key is no longer registered"
            yield from update(zone.ic_sb, "IC_SB_Global", row, record=name, reason=reason, keys=entries, shared=True)
        if kept:
            yield Skipped(
                name,
                (
                    f"the tunnel key {kept} of {kind.noun} {name} is kept although IC_SB, which was replaced, does not assign it: the "
                    "holder of the lock ovn_ic_sb will assign it; to take over the key of IC_SB instead, run ovn-appctl -t ovn-ic "
                    "guard/release"
                ),
                logged=False,
            )


def vxlan_mode(zone: Zone) -> bool:
    """Whether the interconnection works in VXLAN mode: IC_NB requests it, and at least one gateway has a VXLAN encap
    (spec switches-3).
    """
    return _wants_vxlan(zone) and gateways.has_encap(zone, "vxlan")


def key_range(zone: Zone) -> range:
    """The range of tunnel keys that transit switches may have at present."""
    return VXLAN_KEYS if vxlan_mode(zone) else NORMAL_KEYS


def kept_key(zone: Zone, owner: Owner) -> int:
    """The tunnel key that this zone keeps for a transit switch or router although IC_SB does not assign it; 0 if there
    is none.
    """
    if not zone.facts.keeps_keys:
        return 0
    key = _held_key(zone, owner)
    # Gateways with a VXLAN encap, which decide about the mode, may not be registered again yet.
    if not key or not (key in NORMAL_KEYS or (key in VXLAN_KEYS and owner[0] == "switch" and _wants_vxlan(zone))):
        return 0
    datapath = _datapath(zone, owner)
    others = [row for row in zone.ic_sb.find("Datapath_Binding", "tunnel_key", key) if row != datapath]
    if not others and (_is_noted(zone, owner, key) if datapath is None else datapath["tunnel_key"] == key):
        return 0
    awards = _awards(zone)
    is_overruled = awards.keys.get(owner, key) != key or awards.owners.get(key, owner) != owner
    return 0 if is_overruled else key


def are_secured(zone: Zone) -> bool:
    """Whether IC_SB assigns every tunnel key that this zone holds for a transit switch or router of IC_NB.

    This looks at all of the zone's transit switches and routers. Keys of withheld ones that IC_NB lacks do not count.
    """
    for owner in _owners(zone) if zone.facts.keeps_keys else ():
        kind, name = KINDS[owner[0]], owner[1]
        if kind is ROUTER and not transit.has_type(zone):
            continue
        if kept_key(zone, owner):
            return False
        if _held_key(zone, owner) and zone.ic_nb.first(kind.transit, "name", name) is not None and _datapath(zone, owner) is None:
            return False
    return True


def awarded_key(zone: Zone, owner: Owner) -> int:
    """The tunnel key that the datapath of a transit switch or router has to get because a zone holds it. Otherwise 0."""
    return _awards(zone).keys.get(owner, 0)


def is_awarded_to_another(zone: Zone, key: int, owner: Owner) -> bool:
    """Whether another transit switch or router has to get this tunnel key because a zone holds it."""
    return _awards(zone).owners.get(key, owner) != owner


def is_misplaced(zone: Zone, datapath: Row) -> bool:
    """Whether a zone holds another key for a datapath of IC_SB, or holds its key for another one."""
    owner, key = _owner(zone, datapath), datapath["tunnel_key"]
    return owner is not None and (awarded_key(zone, owner) not in (0, key) or is_awarded_to_another(zone, key, owner))


def concerned(change: RowChange, zone: Zone) -> Iterator[Owner]:
    """The transit switches and routers that the published keys concern, if a change of ``IC_SB_Global`` changes them.

    All published keys decide together, and there are few of them, for a short time.
    """
    if change.table != "IC_SB_Global" or not change.changed("external_ids"):
        return
    before, after = (set(_parsed(row)) if row is not None else set() for row in (change.old, change.new))
    if before == after:
        return
    owners: dict[Owner, None] = {}
    for claim in before | after:
        owners[claim.owner] = None
        for datapath in zone.ic_sb.find("Datapath_Binding", "tunnel_key", claim.key):
            found = _owner(zone, datapath)
            if found is not None:
                owners[found] = None
        for word, kind in KINDS.items():
            for row in zone.nb.find(kind.table, REQUESTED_KEY, claim.key):
                owners[(word, row[kind.column][kind.marker])] = None
    yield from owners


def awaiting(zone: Zone, keys: Iterable[int]) -> Iterator[Owner]:
    """The transit switches and routers that have to get one of these tunnel keys."""
    owners = _awards(zone).owners
    return (owners[key] for key in keys if key in owners) if owners else iter(())


def entries_of(az: Row, ids: Mapping[str, str]) -> list[str]:
    """The map keys of a zone's entries among the ``external_ids`` of ``IC_SB_Global``."""
    return [key for key in ids if key.startswith(f"{HELD_PREFIX}{az.uuid}-")]


def _wants_vxlan(zone: Zone) -> bool:
    row = zone.ic_nb.only("IC_NB_Global")
    return row is not None and boolean(row["options"], "vxlan_mode")


def _entry(az: str, owner: Owner) -> str:
    return f"{HELD_PREFIX}{az}-{owner[0]}-{owner[1]}"


@lru_cache(maxsize=4)
def _parsed(row: Row) -> tuple[Claim, ...]:
    """The entries in a row of IC_SB_Global. Every key asks for them, and the row rarely changes."""
    found = []
    for entry, value in row["external_ids"].items():
        parts = _ENTRY.fullmatch(entry)
        key = integer({entry: value}, entry, 0) if parts is not None else 0
        if parts is not None and key > 0:
            found.append(Claim(parts["az"], (parts["kind"], parts["name"]), key))
    return tuple(found)


def _claims(zone: Zone) -> tuple[Claim, ...]:
    row = zone.ic_sb.only("IC_SB_Global")
    return _parsed(row) if row is not None else ()


_NONE = _Awards({}, {})


def _awards(zone: Zone) -> _Awards:
    row = zone.ic_sb.only("IC_SB_Global")
    if row is None or not _claims(zone):
        return _NONE
    return _decide(row, key_range(zone))


@lru_cache(maxsize=4)
def _decide(row: Row, switch_keys: range) -> _Awards:
    """The keys that take effect. Keys outside the present range cannot be assigned."""
    ranges = {"switch": switch_keys, "router": NORMAL_KEYS}
    claims = [claim for claim in _parsed(row) if claim.key in ranges[claim.owner[0]]]
    owners: dict[int, Owner] = {}
    for claim in claims:
        owners[claim.key] = min(claim.owner, owners.get(claim.key, claim.owner))
    keys: dict[Owner, int] = {}
    for key, owner in owners.items():
        keys[owner] = min(key, keys.get(owner, key))
    return _Awards(keys, {key: owner for owner, key in keys.items()})


def _is_noted(zone: Zone, owner: Owner, key: int) -> bool:
    """Whether IC_NB records this key, so that the datapath will get it again."""
    row = zone.ic_nb.first(KINDS[owner[0]].transit, "name", owner[1])
    return row is not None and transit.note(row) == key


def _owners(zone: Zone) -> Iterator[Owner]:
    for word, kind in KINDS.items():
        yield from ((word, str(name)) for name in zone.nb.index_keys(kind.table, kind.marker))


def _owner(zone: Zone, datapath: Row) -> Owner | None:
    """The transit switch or router of a datapath; None for a router's datapath that names no row of IC_NB."""
    if datapath["type"] == transit.ROUTER_TYPE:
        row = zone.ic_nb.row("Transit_Router", datapath["nb_ic_uuid"])
        return None if row is None else ("router", row["name"])
    return ("switch", datapath["transit_switch"])


def _held_key(zone: Zone, owner: Owner) -> int:
    """The tunnel key that NB requests for a transit switch or router. 0 if it requests none."""
    kind = KINDS[owner[0]]
    standing = transit.switches(zone, owner[1]) if kind is SWITCH else transit.routers(zone, owner[1])
    return transit.requested(standing[0][kind.column]) if standing else 0


def _datapath(zone: Zone, owner: Owner) -> Row | None:
    kind, name = KINDS[owner[0]], owner[1]
    row = zone.ic_nb.first(kind.transit, "name", name)
    if kind is ROUTER:
        found = transit.router_datapaths(zone, row.uuid) if row is not None else []
    elif row is not None:
        return transit.switch_datapath(zone, row)
    else:
        found = transit.switch_datapaths(zone, name)
    return found[0] if found else None
