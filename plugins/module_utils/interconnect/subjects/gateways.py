# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gateways (spec zones-and-gateways, part B): own interconnection chassis into IC_SB, other zones' gateways into SB as remote chassis.

A key is the name that a chassis and a gateway share. Names are unique in SB and in IC_SB, so a key never meets more than two rows. What one
server's unique index on (encap type, ip) would refuse is left out and said, so that one odd chassis stops nobody.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

from ..change import Left, Step, delete, insert, replace, update
from ..engine import Keys, Subject
from ..schema import IC_SB, SB
from ..settings import boolean
from ..store import Row, RowChange, Store
from ..zone import Zone

IS_INTERCONN = "is-interconn"
IS_REMOTE = "is-remote"
#: Keys that an ovn-controller writes for its own chassis and that no copy of a foreign gateway has.
_CONTROLLER_KEYS = ("datapath-type", "iface-types", "ovn-bridge-mappings")


class _Side(NamedTuple):
    """One of the two tables that hold gateways, with how its encaps name them."""

    store: Store
    table: str
    owner_column: str


class _Encap(NamedTuple):
    """An encap by its contents."""

    type: str
    ip: str
    options: tuple[tuple[str, str], ...]


class Gateways(Subject):
    """Exchanges gateway chassis with the other zones."""

    name = "gateways"
    tables = frozenset([(SB, "Chassis"), (SB, "Encap"), (IC_SB, "Gateway"), (IC_SB, "Encap")])

    def prepare(self, zone: Zone) -> None:
        for store in (zone.sb, zone.ic_sb):
            store.index("Encap", "place", lambda row: ((row["type"], row["ip"]),))

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        if change.table != "Encap":
            yield from (row["name"] for row in change.rows)
            return
        for row in change.rows:
            for side in _sides(zone):
                # Whoever has, or wants, this type and address: a conflict may have come or gone.
                for encap in side.store.find("Encap", "place", (row["type"], row["ip"])):
                    yield from (holder["name"] for holder in side.store.parent_rows(side.table, "encaps", encap.uuid))

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        return dict.fromkeys(row["name"] for side in _sides(zone) for row in side.store.rows(side.table))

    def plan(self, key: Hashable, zone: Zone) -> Iterable[Step]:
        name = str(key)
        chassis = zone.chassis(name)
        gateway = zone.ic_sb.first("Gateway", "name", name)
        if gateway is not None and not zone.is_own(gateway):
            yield from _foreign(zone, name, gateway, chassis)
            return
        if chassis is not None and is_interconn(zone, chassis):
            yield from _publish(zone, name, chassis, gateway)
            return
        if gateway is not None:
            reason = f"{name} is not an interconnection chassis of this zone any more"
            yield delete(zone.ic_sb, "Gateway", gateway, record=name, reason=reason)
        if chassis is not None and is_remote(zone, chassis):
            yield delete(zone.sb, "Chassis", chassis, record=name, reason=f"no other zone has a gateway {name} any more")


def register(zone: Zone) -> None:
    """Register the index that :func:`has_encap` looks things up by."""
    for store in (zone.sb, zone.ic_sb):
        store.index("Encap", "type", lambda row: (row["type"],))


def has_encap(zone: Zone, kind: str) -> bool:
    """Whether the interconnect has a gateway with an encap of this type.

    What this zone is about to publish counts too, as in upstream's daemon, which publishes it earlier in the same cycle. And while IC_SB is
    rebuilt, the copies of other zones' gateways say what it is going to hold.
    """
    if zone.ic_sb.first("Encap", "type", kind) is not None:
        return True
    encaps = zone.sb.find("Encap", "type", kind)
    holders = (chassis for encap in encaps for chassis in zone.sb.parent_rows("Chassis", "encaps", encap.uuid))
    return any(is_remote(zone, chassis) or _is_to_be_published(zone, chassis) for chassis in holders)


def _is_to_be_published(zone: Zone, chassis: Row) -> bool:
    gateway = zone.ic_sb.first("Gateway", "name", chassis["name"])
    return is_interconn(zone, chassis) and (gateway is None or zone.is_own(gateway))


def is_interconn(zone: Zone, chassis: Row) -> bool:
    """Whether an SB chassis is a gateway of this zone (B-1)."""
    return boolean(chassis[flags_column(zone)], IS_INTERCONN)


def is_remote(zone: Zone, chassis: Row) -> bool:
    """Whether an SB chassis is the copy of another zone's gateway (B-2): never where it is a gateway of this zone."""
    return boolean(chassis[flags_column(zone)], IS_REMOTE) and not is_interconn(zone, chassis)


def flags_column(zone: Zone) -> str:
    """The column of SB Chassis that holds both flags: ``external_ids`` on servers without ``other_config`` (20.03)."""
    return "other_config" if zone.sb.schema.has("Chassis", "other_config") else "external_ids"


def zone_name(zone: Zone, row: Row) -> str:
    """The name of the zone that owns an IC_SB row, for reasons."""
    az = zone.ic_sb.row("Availability_Zone", row["availability_zone"])
    return az["name"] if az is not None else "unknown"


def _sides(zone: Zone) -> tuple[_Side, _Side]:
    return _Side(zone.sb, "Chassis", "chassis_name"), _Side(zone.ic_sb, "Gateway", "gateway_name")


def _publish(zone: Zone, name: str, chassis: Row, gateway: Row | None) -> Iterator[Step]:
    """B-1: the own chassis as a gateway."""
    here, there = _sides(zone)
    wanted, lefts = _usable(there, gateway, name, _encaps(here, chassis))
    yield from lefts
    if wanted:
        columns = {"name": name, "availability_zone": getattr(zone.own_az, "uuid", ""), "hostname": chassis["hostname"]}
        yield from _write(there, gateway, columns, wanted, f"chassis {name} is an interconnection gateway")
    elif gateway is not None and lefts:
        yield delete(zone.ic_sb, "Gateway", gateway, record=name, reason=f"no encap of chassis {name} can be published")


def _foreign(zone: Zone, name: str, gateway: Row, chassis: Row | None) -> Iterator[Step]:
    """B-2 and B-6: another zone's gateway as a remote chassis."""
    here, there = _sides(zone)
    owner = zone_name(zone, gateway)
    if chassis is not None and is_interconn(zone, chassis):
        yield Left(name, f"chassis {name} is not published: zone {owner} has a gateway of this name; rename the chassis (system-id) of one")
        return
    wanted = _encaps(there, gateway)
    if chassis is not None and not is_remote(zone, chassis) and not _was_copy(zone, here, chassis, wanted):
        yield Left(name, f"gateway {name} of zone {owner} has no chassis here: a local chassis has this name; rename one of them")
        return
    usable, lefts = _usable(here, chassis, name, wanted)
    yield from lefts
    if usable:
        columns = {"name": name, "hostname": gateway["hostname"]}
        yield from _write(here, chassis, columns, usable, f"gateway {name} of zone {owner}", {flags_column(zone): {IS_REMOTE: "true"}})
    elif chassis is not None and lefts:
        yield delete(zone.sb, "Chassis", chassis, record=name, reason=f"no encap of gateway {name} of zone {owner} can be used here")


def _was_copy(zone: Zone, side: _Side, chassis: Row, wanted: list[_Encap]) -> bool:
    """Whether a chassis without flags is a copy that lost its flag: it has the gateway's encaps and nothing from an ovn-controller."""
    if any(key in chassis[flags_column(zone)] for key in _CONTROLLER_KEYS):
        return False
    return {one[:2] for one in _encaps(side, chassis)} == {one[:2] for one in wanted}


def _encaps(side: _Side, row: Row) -> list[_Encap]:
    encaps = side.store.child_rows(side.table, "encaps", row.uuid, "Encap")
    return sorted(_Encap(encap["type"], encap["ip"], tuple(sorted(encap["options"].items()))) for encap in encaps)


def _usable(side: _Side, holder: Row | None, name: str, wanted: list[_Encap]) -> tuple[list[_Encap], list[Left]]:
    """The encaps that this side's server takes, and why it does not take the others."""
    usable, lefts = [], []
    for encap in wanted:
        reason = _obstacle(side, holder, encap)
        if reason is None:
            usable.append(encap)
        else:
            lefts.append(Left(name, f"encap {encap.type} {encap.ip} of gateway {name} is left out: {reason}"))
    return usable, lefts


def _obstacle(side: _Side, holder: Row | None, encap: _Encap) -> str | None:
    if not side.store.schema.allows("Encap", "type", encap.type):
        return f"{side.store.name} does not know this type"
    for row in side.store.find("Encap", "place", (encap.type, encap.ip)):
        owners = side.store.parent_rows(side.table, "encaps", row.uuid)
        others = [owner["name"] for owner in owners if holder is None or owner.uuid != holder.uuid]
        if others:
            return f"{side.table.lower()} {others[0]} has it already"
    return None


def _write(
    side: _Side,
    row: Row | None,
    columns: dict[str, str],
    wanted: list[_Encap],
    reason: str,
    keys: dict[str, dict[str, str]] | None = None,
) -> Iterator[Step]:
    """Make a gateway or chassis so. Differing encaps are replaced by a complete new set (B-4, B-5)."""
    name = columns["name"]
    same = row is not None and _encaps(side, row) == wanted
    rows = {} if same else {f"@encap{number}": encap for number, encap in enumerate(wanted)}
    for uuid, encap in rows.items():
        contents = {"type": encap.type, "ip": encap.ip, "options": dict(encap.options), side.owner_column: name}
        yield insert(side.store, "Encap", contents, record=f"{name} {encap.type} {encap.ip}", reason=reason, name=uuid)
    if row is None:
        whole = {**columns, **(keys or {}), "encaps": frozenset(rows)}
        yield insert(side.store, side.table, whole, record=name, reason=reason, name="@gateway")
        return
    members = {} if same else {"encaps": replace(side.store.children(side.table, "encaps", row.uuid), rows)}
    yield from update(side.store, side.table, row, record=name, reason=reason, columns=columns, keys=keys, members=members)
