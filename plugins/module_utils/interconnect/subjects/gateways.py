# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gateways (spec zones-B): own interconnection chassis into IC_SB, other zones' gateways into SB as
remote chassis.

A key is the name that a chassis and a gateway share. Names are unique in SB and in IC_SB, so a key concerns at most two
rows. An encap that a server would reject because of its unique index on (encap type, ip) is left out and reported, so
that one misconfigured chassis does not block others. If one of this zone's rows passes an address on to another, or two
rows exchange their addresses, the key waits instead of deleting a row.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

from ..engine.change import Skipped, Step, delete, insert, replace, update
from ..engine.engine import Keys, Subject
from ..ovsdb.store import Row, RowChange, Store
from ..settings import boolean
from ..tables import IC_SB, NB, SB
from ..zone import COPY_PREFIX, Zone

IS_INTERCONN = "is-interconn"
IS_REMOTE = "is-remote"
#: Keys that an ovn-controller writes for its own chassis and that copies of other zones' gateways never have.
_CONTROLLER_KEYS = ("datapath-type", "iface-types", "ovn-bridge-mappings")


class _Side(NamedTuple):
    """One of the two tables that hold gateways, with the name of its encap column."""

    store: Store
    table: str
    owner_column: str


class _Encap(NamedTuple):
    """The contents of an encap."""

    type: str
    ip: str
    options: tuple[tuple[str, str], ...]


class _Copy(NamedTuple):
    """The desired row in one of the tables: an own chassis as a gateway in IC_SB, or another zone's gateway as a
    chassis.

    ``row`` is the existing row. ``reason`` says why it is written, ``useless`` why it is deleted if it can have no
    encap.
    """

    side: _Side
    name: str
    row: Row | None
    columns: dict[str, str]
    keys: dict[str, dict[str, str]]
    encaps: list[_Encap]
    reason: str
    useless: str


class Gateways(Subject):
    """Exchanges gateway chassis with the other zones."""

    name = "gateways"
    tables = frozenset([(NB, "NB_Global"), (SB, "Chassis"), (SB, "Encap"), (IC_SB, "Gateway"), (IC_SB, "Encap")])

    def __init__(self) -> None:
        #: The tunnel types of the other zones' gateways at the time when all own gateways were last planned.
        self._tunnels: frozenset[str] = frozenset()

    def prepare(self, zone: Zone) -> None:
        for store in (zone.sb, zone.ic_sb):
            store.index("Encap", "place", lambda row: ((row["type"], row["ip"]),))
        zone.ic_sb.index("Encap", "tunnel", lambda row: (tunnel(row["type"], row["ip"]),))
        zone.ic_sb.index("Gateway", "zone", lambda row: (row["availability_zone"],))
        self._tunnels = foreign_tunnels(zone)

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        if change.database == IC_SB and zone.own_az is not None:
            tunnels = foreign_tunnels(zone)
            if tunnels != self._tunnels:
                self._tunnels = tunnels
                yield from (row["name"] for row in zone.ic_sb.find("Gateway", "zone", zone.own_az.uuid))
        if change.table == "NB_Global":
            yield from sorted(_noted(change.old) ^ _noted(change.new))
            return
        if change.table != "Encap":
            yield from (row["name"] for row in change.rows)
            return
        for row in change.rows:
            for side in _sides(zone):
                # Every object that has, or should have, this type and address: a conflict may have begun or ended.
                for encap in side.store.find("Encap", "place", (row["type"], row["ip"])):
                    yield from (holder["name"] for holder in side.store.parent_rows(side.table, "encaps", encap.uuid))

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        names = dict.fromkeys(row["name"] for side in _sides(zone) for row in side.store.rows(side.table))
        names.update(dict.fromkeys(sorted(_noted(zone.nb_global))))
        return names

    def plan(self, key: Hashable, zone: Zone) -> Iterable[Step]:
        name = str(key)
        copy = _in_ic_sb(zone, name) or _in_sb(zone, name)
        if copy is not None:
            if copy.encaps:
                yield from _note(zone, name, "true" if copy.side.table == "Chassis" else None, copy.reason)
            yield from _make(zone, copy)
            if copy.side.table == "Gateway":
                yield from _isolated(zone, copy)
            return
        chassis = zone.chassis(name)
        gateway = zone.ic_sb.first("Gateway", "name", name)
        if gateway is not None and not zone.is_own(gateway):
            yield _clash(zone, name, gateway, chassis)
            return
        if gateway is not None:
            reason = f"{name} is no longer an interconnection chassis of this zone"
            yield delete(zone.ic_sb, "Gateway", gateway, record=name, reason=reason)
        if chassis is not None and is_remote(zone, chassis):
            if not is_copy(zone, chassis):
                yield Skipped(
                    name,
                    (
                        f"chassis {name} has is-remote=true, but no other zone has a gateway {name}, and nothing "
                        "shows that an ovn-ic created it: it is not changed; if no other program uses it, delete "
                        f"it with ovn-sbctl chassis-del {name}"
                    ),
                )
                return
            yield delete(zone.sb, "Chassis", chassis, record=name, reason=f"no other zone has a gateway {name} any longer")
        else:
            yield from _note(zone, name, None, f"chassis {name}, the copy of another zone's gateway, does not exist any longer")


def register(zone: Zone) -> None:
    """Register the index that :func:`has_encap` uses."""
    for store in (zone.sb, zone.ic_sb):
        store.index("Encap", "type", lambda row: (row["type"],))


def has_encap(zone: Zone, kind: str) -> bool:
    """Whether the interconnect has a gateway with an encap of this type.

    Gateways that this zone is about to publish count too, as in upstream's daemon, which publishes them earlier in the
    same cycle. While IC_SB is being rebuilt, the copies of other zones' gateways count, because their originals will
    return.
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
    """Whether an SB chassis is a gateway of this zone (spec zones-B-1)."""
    return boolean(chassis[flags_column(zone)], IS_INTERCONN)


def is_remote(zone: Zone, chassis: Row) -> bool:
    """Whether an SB chassis is the copy of another zone's gateway (spec zones-B-2). It never is if it is a gateway of
    this zone.
    """
    return boolean(chassis[flags_column(zone)], IS_REMOTE) and not is_interconn(zone, chassis)


def is_copy(zone: Zone, chassis: Row) -> bool:
    """Whether an ovn-ic created a remote chassis. Other programs also create remote chassis, with the same contents.

    Copies made by this collection's daemon are recorded in NB. Upstream's daemon deletes every remote chassis that is
    not its copy, so all remote chassis that exist when its work is taken over are its copies.
    """
    noted = zone.nb_global is not None and COPY_PREFIX + chassis["name"] in zone.nb_global["external_ids"]
    return noted or zone.facts.took_over is True


def flags_column(zone: Zone) -> str:
    """The column of SB Chassis that holds both flags: ``external_ids`` on servers without ``other_config`` (OVN 20.03)."""
    return "other_config" if zone.sb.schema.has("Chassis", "other_config") else "external_ids"


def unknown_chassis(zone: Zone, name: str) -> str | None:
    """Why no zone creates a port that is assigned to this chassis. None if the chassis is one of this zone, or if IC_SB
    has a gateway with its name, so that another zone creates the port.
    """
    if zone.chassis(name) is not None or zone.ic_sb.first("Gateway", "name", name) is not None:
        return None
    return f"this zone has no chassis {name}, and no zone has a gateway of that name; correct the name, or check the daemon of its zone"


def zone_name(zone: Zone, row: Row) -> str:
    """The name of the zone that owns an IC_SB row, for reasons."""
    az = zone.ic_sb.row("Availability_Zone", row["availability_zone"])
    return az["name"] if az is not None else "unknown"


def tunnel(kind: str, ip: str) -> str:
    """The property that two encaps must share for a tunnel between them, such as ``geneve over IPv4``."""
    return f"{kind} over {'IPv6' if ':' in ip else 'IPv4'}"


def foreign_tunnels(zone: Zone) -> frozenset[str]:
    """The tunnel types that gateways of other zones support."""
    return frozenset(
        str(key)
        for key in zone.ic_sb.index_keys("Encap", "tunnel")
        if any(
            not zone.is_own(gateway)
            for encap in zone.ic_sb.filed("Encap", "tunnel", key)
            for gateway in zone.ic_sb.parent_rows("Gateway", "encaps", encap)
        )
    )


def _isolated(zone: Zone, copy: _Copy) -> Iterator[Skipped]:
    """Reports an own gateway that has no tunnel type in common with any gateway of another zone."""
    own, foreign = {tunnel(encap.type, encap.ip) for encap in copy.encaps}, foreign_tunnels(zone)
    if own and foreign and own.isdisjoint(foreign):
        has, want = " and ".join(sorted(own)), " or ".join(sorted(foreign))
        reason = f"gateway {copy.name} has no tunnel to another zone: it has {has}, and the other zones' gateways have {want}"
        yield Skipped(
            copy.name, (f"{reason}; set external_ids:ovn-encap-type and ovn-encap-ip in its Open_vSwitch table to a type that both have")
        )


def _sides(zone: Zone) -> tuple[_Side, _Side]:
    return _Side(zone.sb, "Chassis", "chassis_name"), _Side(zone.ic_sb, "Gateway", "gateway_name")


def _in_ic_sb(zone: Zone, name: str) -> _Copy | None:
    """The own chassis of a name as a gateway (spec zones-B-1). None if it is not a gateway, or if another zone has a
    gateway of that name.
    """
    here, there = _sides(zone)
    chassis, gateway = zone.chassis(name), zone.ic_sb.first("Gateway", "name", name)
    if chassis is None or not is_interconn(zone, chassis) or (gateway is not None and not zone.is_own(gateway)):
        return None
    columns = {"name": name, "availability_zone": getattr(zone.own_az, "uuid", ""), "hostname": chassis["hostname"]}
    reason, useless = f"chassis {name} is an interconnection gateway", f"no encap of chassis {name} can be published"
    return _Copy(there, name, gateway, columns, {}, _encaps(here, chassis), reason, useless)


def _in_sb(zone: Zone, name: str) -> _Copy | None:
    """Another zone's gateway of a name as a remote chassis (spec zones-B-2, zones-B-6). None if there is none, or if a
    local chassis has its name.
    """
    here, there = _sides(zone)
    chassis, gateway = zone.chassis(name), zone.ic_sb.first("Gateway", "name", name)
    if gateway is None or zone.is_own(gateway):
        return None
    encaps = _encaps(there, gateway)
    if chassis is not None and not (_is_copy_of(zone, chassis, gateway, encaps) or _was_copy(zone, here, chassis, encaps)):
        return None
    owner = zone_name(zone, gateway)
    columns, keys = {"name": name, "hostname": gateway["hostname"]}, {flags_column(zone): {IS_REMOTE: "true"}}
    reason, useless = f"gateway {name} of zone {owner}", f"no encap of gateway {name} of zone {owner} can be used here"
    return _Copy(here, name, chassis, columns, keys, encaps, reason, useless)


def _clash(zone: Zone, name: str, gateway: Row, chassis: Row | None) -> Skipped:
    """Why another zone's gateway has no chassis here."""
    owner = zone_name(zone, gateway)
    if chassis is not None and is_interconn(zone, chassis):
        reason = f"chassis {name} is not published: zone {owner} has a gateway of this name"
        return Skipped(name, f"{reason}; rename one of the two chassis (system-id)")
    kind = "a local chassis" if chassis is None or not is_remote(zone, chassis) else "a remote chassis of another program"
    return Skipped(name, f"gateway {name} of zone {owner} has no chassis here because {kind} has this name; rename one of them")


def _is_copy_of(zone: Zone, chassis: Row, gateway: Row, encaps: list[_Encap]) -> bool:
    """Whether a remote chassis is the copy of this gateway: it is recorded as a copy, or it has the same hostname or a
    tunnel address in common.
    """
    if not is_remote(zone, chassis):
        return False
    alike = bool(chassis["hostname"]) and chassis["hostname"] == gateway["hostname"]
    places = {one[:2] for one in encaps}
    return is_copy(zone, chassis) or alike or any(one[:2] in places for one in _encaps(_sides(zone)[0], chassis))


def _was_copy(zone: Zone, side: _Side, chassis: Row, wanted: list[_Encap]) -> bool:
    """Whether a chassis without flags is a copy that lost its flag: it has the gateway's encaps and nothing from an
    ovn-controller.
    """
    if is_interconn(zone, chassis) or any(key in chassis[flags_column(zone)] for key in _CONTROLLER_KEYS):
        return False
    return {one[:2] for one in _encaps(side, chassis)} == {one[:2] for one in wanted}


def _encaps(side: _Side, row: Row) -> list[_Encap]:
    encaps = side.store.child_rows(side.table, "encaps", row.uuid, "Encap")
    return sorted(_Encap(encap["type"], encap["ip"], tuple(sorted(encap["options"].items()))) for encap in encaps)


# ---- Writing a copy --------------------------------------------------------------------------------------------------


def _make(zone: Zone, copy: _Copy) -> Iterator[Step]:
    usable, skipped = _usable(zone, copy)
    yield from skipped
    if not usable:
        if copy.row is not None and skipped:
            yield delete(copy.side.store, copy.side.table, copy.row, record=copy.name, reason=copy.useless)
        return
    first = _before(zone, copy)
    together = _ring(zone, copy) if first else [copy]
    if not together:
        yield Skipped(copy.name, f"{copy.side.table.lower()} {copy.name} waits until {', '.join(sorted(first))} has released an encap")
    for number, one in enumerate(together):
        yield from _write(one, _usable(zone, one)[0], f"@encap{number}_")


def _usable(zone: Zone, copy: _Copy) -> tuple[list[_Encap], list[Skipped]]:
    """The encaps that this side's server accepts, and why it does not accept the others."""
    usable, skipped = [], []
    for encap in copy.encaps:
        reason = _obstacle(zone, copy, encap)
        if reason is None:
            usable.append(encap)
        else:
            skipped.append(Skipped(copy.name, f"encap {encap.type} {encap.ip} of gateway {copy.name} is left out: {reason}"))
    return usable, skipped


def _obstacle(zone: Zone, copy: _Copy, encap: _Encap) -> str | None:
    side = copy.side
    if not side.store.schema.allows("Encap", "type", encap.type):
        return f"{side.store.name} does not support this type; use geneve, or upgrade the schema"
    others = [owner["name"] for owner in _others(copy, encap) if not _gives_up(zone, side, owner, encap)]
    return f"{side.table.lower()} {others[0]} already has it; give each chassis its own tunnel address" if others else None


def _others(copy: _Copy, encap: _Encap) -> list[Row]:
    """Other rows with an encap of this type and address."""
    side = copy.side
    encaps = side.store.find("Encap", "place", encap[:2])
    owners = [owner for row in encaps for owner in side.store.parent_rows(side.table, "encaps", row.uuid)]
    return [owner for owner in owners if copy.row is None or owner.uuid != copy.row.uuid]


def _gives_up(zone: Zone, side: _Side, row: Row, encap: _Encap) -> bool:
    """Whether a row that this zone writes is about to be deleted, or to lose its encap of this type and address."""
    if not (zone.is_own(row) if side.table == "Gateway" else is_remote(zone, row) and is_copy(zone, row)):
        return False
    copy = _copy(zone, side, row["name"])
    return copy is None or (bool(copy.encaps) and all(one[:2] != encap[:2] for one in copy.encaps))


def _copy(zone: Zone, side: _Side, name: str) -> _Copy | None:
    return _in_ic_sb(zone, name) if side.table == "Gateway" else _in_sb(zone, name)


def _before(zone: Zone, copy: _Copy) -> set[str]:
    """The names of the rows that have an encap which this copy needs."""
    return {owner["name"] for encap in _usable(zone, copy)[0] for owner in _others(copy, encap)}


def _ring(zone: Zone, copy: _Copy) -> list[_Copy]:
    """The copies that have to be written in one transaction, because they exchange encaps in a cycle.

    In a cycle, each copy needs an encap that another one still has, so none can be written first. The work key of the
    first name writes all copies of the cycle. The result is empty for the other names of the cycle, whose keys then
    write nothing, and for a copy that waits for a copy outside a cycle.
    """
    awaited = _awaited(zone, copy)
    copies = [one for one in (_copy(zone, copy.side, name) for name in sorted(awaited)) if one is not None]
    closed = len(copies) == len(awaited) and all(_awaited(zone, one) == awaited for one in copies)
    return copies if closed and copy.name == min(awaited) else []


def _awaited(zone: Zone, copy: _Copy) -> set[str]:
    """The names of the copies that have to release an encap before this copy can be written: those that it waits for
    itself, those that these wait for, and so on.
    """
    found: set[str] = set()
    ahead = _before(zone, copy)
    while ahead:
        name = ahead.pop()
        found.add(name)
        other = _copy(zone, copy.side, name)
        ahead |= (_before(zone, other) if other is not None else set()) - found
    return found


def _write(copy: _Copy, encaps: list[_Encap], names: str) -> Iterator[Step]:
    """Write a gateway or chassis. If its encaps differ, they are replaced by a complete new set (spec zones-B-4,
    zones-B-5), whose names begin with ``names``.
    """
    side, row = copy.side, copy.row
    same = row is not None and _encaps(side, row) == encaps
    rows = {} if same else {f"{names}{number}": encap for number, encap in enumerate(encaps)}
    for uuid, encap in rows.items():
        contents = {"type": encap.type, "ip": encap.ip, "options": dict(encap.options), side.owner_column: copy.name}
        yield insert(side.store, "Encap", contents, record=f"{copy.name} {encap.type} {encap.ip}", reason=copy.reason, name=uuid)
    if row is None:
        whole = {**copy.columns, **copy.keys, "encaps": frozenset(rows)}
        yield insert(side.store, side.table, whole, record=copy.name, reason=copy.reason, name="@gateway")
        return
    members = {} if same else {"encaps": replace(side.store.children(side.table, "encaps", row.uuid), rows)}
    yield from update(
        side.store, side.table, row, record=copy.name, reason=copy.reason, columns=copy.columns, keys=copy.keys, members=members
    )


# ---- Records of copies -----------------------------------------------------------------------------------------------


def _noted(nb_global: Row | None) -> frozenset[str]:
    """The chassis that NB_Global.external_ids records as copies."""
    ids = nb_global["external_ids"] if nb_global is not None else {}
    return frozenset(key.removeprefix(COPY_PREFIX) for key in ids if key.startswith(COPY_PREFIX))


def _note(zone: Zone, name: str, value: str | None, reason: str) -> Iterator[Step]:
    row = zone.nb_global
    if row is not None:
        keys = {"external_ids": {COPY_PREFIX + name: value}}
        yield from update(zone.nb, "NB_Global", row, record=row["name"] or ".", reason=reason, keys=keys)
