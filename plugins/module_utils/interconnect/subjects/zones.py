# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The zone itself: its token, its Availability_Zone row, its name, and its records about the global databases (spec
zones-A).

A zone identifies its row by UUID, so a new name is a rename, even if the daemon was down. If that row does not exist,
because IC_SB was restored from a copy, the zone finds its row by the claim of its token. The zone does not use a row
that another token claims, unless the row's contents prove that it belongs to this zone. Two deployments with the same
name therefore keep what they have until an operator decides otherwise.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from ..engine.change import Change, Skipped, Step, delete, insert, update
from ..engine.engine import ALL, Keys, Subject
from ..ovsdb.store import Row, RowChange
from ..tables import IC_NB, IC_SB, NB, SB
from ..zone import CLAIM_PREFIX, TOKEN_KEY, ZONE_KEY, Facts, Zone
from .gateways import is_remote
from .held_keys import entries_of

_WATCHED = ("name", "external_ids")
#: Tables that show to which zone an unclaimed Availability_Zone row belongs. They matter until the zone has its own
#: row.
_EVIDENCE = frozenset([(IC_SB, "Gateway"), (SB, "Chassis"), (IC_SB, "Port_Binding"), (NB, "Logical_Router"), (NB, "Logical_Switch")])
#: The work key of other rows that this zone claims.
SURPLUS = "surplus"
#: Tables of IC_SB whose rows belong to a zone by reference.
_OWNED = ("Route", "Address_Set", "Port_Binding", "Gateway")


class Zones(Subject):
    """Two work keys: ``()`` is this zone, ``SURPLUS`` stands for other rows that it claims."""

    name = "zones"
    facts = Subject.facts | {"notes", "granted"}
    requires = frozenset()
    tables = frozenset(
        [
            (NB, "NB_Global"),
            (IC_SB, "Availability_Zone"),
            (IC_SB, "IC_SB_Global"),
            (IC_NB, "IC_NB_Global"),
            *_EVIDENCE,
        ]
    )

    def prepare(self, zone: Zone) -> None:
        for table in _OWNED:
            zone.ic_sb.index(table, "availability_zone", lambda row: (row["availability_zone"],))

    def infer(self, facts: Facts, changes: Sequence[RowChange] | None, zone: Zone) -> Facts:
        if zone.own_az is not None:
            return facts._replace(granted=None) if facts.granted is not None else facts
        return facts._replace(took_over=_takes_over(zone)) if facts.took_over is None else facts

    def fact_keys(self, changed: frozenset[str], zone: Zone) -> Keys:
        return (ALL,) if changed & Subject.facts else ((),)

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        if (change.database, change.table) in _EVIDENCE:
            return ((),) if zone.own_az is None else ()
        return ((), SURPLUS) if change.changed(*_WATCHED) else ()

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        return ((), SURPLUS)

    def plan(self, key: Hashable, zone: Zone) -> Iterator[Step]:
        nb_global = zone.nb_global
        if nb_global is None:
            if key != SURPLUS:
                yield Skipped("NB_Global", "NB has no NB_Global row, so the zone has no name; create it with ovn-nbctl init")
            return
        if key == SURPLUS:
            for row in claimed_rows(zone) if zone.own_az is not None else ():
                if row != zone.own_az:
                    yield from withdrawal(zone, row, f"zone {nb_global['name']} has another registration")
            return
        if zone.token is None:
            yield from _remember(zone, nb_global, "the zone gets a token that proves its identity", {TOKEN_KEY: zone.facts.new_token})
            return
        yield from _remember(zone, nb_global, "records of the zone about the global databases", zone.facts.notes)
        own = _remembered(zone, nb_global)
        if not nb_global["name"]:
            yield from withdrawal(zone, own, "the zone's name was cleared") if own is not None else ()
        elif own is not None:
            yield from _keep(zone, nb_global, own)
        else:
            yield from _register(zone, nb_global)


def _remember(zone: Zone, nb_global: Row, reason: str, keys: Mapping[str, str | None]) -> Iterator[Change]:
    yield from update(zone.nb, "NB_Global", nb_global, record=nb_global["name"] or ".", reason=reason, keys={"external_ids": dict(keys)})


def _remembered(zone: Zone, nb_global: Row) -> Row | None:
    """The Availability_Zone row that the zone remembers, unless another token claims it."""
    az = zone.ic_sb.row("Availability_Zone", nb_global["external_ids"].get(ZONE_KEY))
    return az if az is not None and zone.claimed_by(az) in (None, zone.token) else None


def _keep(zone: Zone, nb_global: Row, own: Row) -> Iterator[Step]:
    """Claim the zone's own row, and rename it if the zone has another name now."""
    yield from _claim(zone, own)
    name = nb_global["name"]
    other = next((row for row in zone.ic_sb.find("Availability_Zone", "name", name) if row.uuid != own.uuid), None)
    if other is not None:
        yield Skipped(
            name,
            (
                f"the name {name!r} is registered by another deployment, so this zone keeps the name "
                f"{own['name']!r}; set a name that no other zone has (option name of ovn_ic_az)"
            ),
        )
        return
    reason = f"the zone was renamed from {own['name']}"
    yield from update(zone.ic_sb, "Availability_Zone", own, record=name, reason=reason, columns={"name": name})


def _claim(zone: Zone, own: Row) -> Iterator[Change]:
    row = zone.ic_sb.only("IC_SB_Global")
    if row is not None:
        keys = {CLAIM_PREFIX + own.uuid: zone.token}
        yield from update(
            zone.ic_sb, "IC_SB_Global", row, record=own["name"], reason="the zone claims its row", keys={"external_ids": keys}
        )


def _takes_over(zone: Zone) -> bool | None:
    """Whether the zone is about to use a row that a daemon without identity registered, None if it is not known yet."""
    nb_global = zone.nb_global
    if nb_global is None or not zone.name or zone.token is None:
        return None
    row = _registration(zone)
    return row is not None and ZONE_KEY not in nb_global["external_ids"] and zone.claimed_by(row) is None


def _register(zone: Zone, nb_global: Row) -> Iterator[Step]:
    name = nb_global["name"]
    row = _registration(zone)
    if row is None:
        yield insert(zone.ic_sb, "Availability_Zone", {"name": name}, record=name, reason="NB_Global.name names this zone")
        return
    doubt = _doubt(zone, row) if row["name"] == name and row.uuid != zone.facts.granted else None
    if doubt:
        yield Skipped(
            name,
            (
                f"the name {name!r} is registered by another deployment ({doubt}); set a name that no other zone "
                "has (option name of ovn_ic_az), or, if no other zone has this name, take over the registration "
                "(option claim of ovn_ic_az, or control command zone/claim of the zone's daemon)"
            ),
        )
        return
    known, claim = {ZONE_KEY: row.uuid}, zone.claimed_by(row)
    if claim is None or row.uuid == zone.facts.granted:
        yield from _claim(zone, row)
    else:
        known[TOKEN_KEY] = claim  # NB lost this token. A copy of NB that is restored later has the same token.
    yield from _remember(zone, nb_global, "the zone's row in IC_SB", known)


def denied(zone: Zone) -> Row | None:
    """The Availability_Zone row with the zone's name that an operator may confirm to belong to this zone.

    None if there is nothing to confirm, because the zone is registered or may use the row anyway.
    """
    row = zone.ic_sb.first("Availability_Zone", "name", zone.name) if zone.name and zone.own_az is None else None
    return row if row is not None and _doubt(zone, row) else None


def claimed_rows(zone: Zone) -> list[Row]:
    """The Availability_Zone rows that this zone's token claims: the one with the zone's name first, then those with
    gateways.
    """
    claims, token = zone.ic_sb.only("IC_SB_Global"), zone.token
    if claims is None or token is None:
        return []
    claimed = [key for key, value in claims["external_ids"].items() if value == token and key.startswith(CLAIM_PREFIX)]
    uuids = [key.removeprefix(CLAIM_PREFIX) for key in claimed]
    rows = [row for row in (zone.ic_sb.row("Availability_Zone", uuid) for uuid in uuids) if row is not None]
    return sorted(rows, key=lambda row: (row["name"] != zone.name, not _gateways(zone, row), row.uuid))


def _registration(zone: Zone) -> Row | None:
    """The Availability_Zone row that may be the registration of a zone whose NB names none. None if there is none.

    In this order: the row that the zone's token claims, the row with the zone's name, and a row with another name and a
    gateway that has the name and the address of a chassis of this zone. The last case is a zone that was renamed while
    its daemon was down, and whose NB lost the registration. Routers do not prove this case, because a copy of another
    deployment's NB has the same routers.
    """
    claimed = next(iter(claimed_rows(zone)), None)
    row = claimed or zone.ic_sb.first("Availability_Zone", "name", zone.name)
    if row is not None or _remembers(zone):
        return row
    rows = sorted(zone.ic_sb.rows("Availability_Zone"), key=lambda row: row.uuid)
    return next((row for row in rows if any(_has_address_of(zone, gateway) for gateway in _gateways(zone, row))), None)


def lost_token(zone: Zone) -> bool:
    """Whether NB was emptied or rebuilt: IC_SB has a registration of this zone, and NB does not have its token."""
    row = _registration(zone) if zone.name and zone.own_az is None else None
    if row is None or zone.claimed_by(row) in (None, zone.token):
        return False
    return row["name"] != zone.name or _doubt(zone, row) is None


def _doubt(zone: Zone, row: Row) -> str | None:
    """Why this zone may not use an Availability_Zone row that has its name. None if it may.

    * A row that the zone's own token claims belongs to the zone.
    * A row without a claim was created by upstream's daemon. It belongs to the zone if one of its gateways is a chassis of
      the zone, or if a port on it belongs to a router of the zone. The other gateways and ports do not matter, because
      rows may exist longer than the chassis and routers that they describe.
    * A row that another token claims belongs to the zone only if NB has lost its registration, and if one object proves
      it that no other deployment can have: a router with the same UUID, or a gateway with the name and the address of a
      chassis.
    """
    token = zone.claimed_by(row)
    if token is not None and token == zone.token:
        return None
    gateways = _gateways(zone, row)
    chassis = [found for gateway in gateways for found in [zone.chassis(gateway["name"])] if found is not None]
    copy = next((one for one in chassis if is_remote(zone, one)), None)
    if copy is not None:
        return f"its gateway {copy['name']} is a remote chassis here"
    owners = [owner for owner in (port["external_ids"].get("router-id") for port in _ports(zone, row)) if owner]
    if token is not None:
        if _remembers(zone):
            return "it is claimed with another token"
        proven = any(_exists(zone, owner) for owner in owners) or any(_has_address_of(zone, gateway) for gateway in gateways)
        return None if proven else "it is claimed with another token"
    if chassis or any(_exists(zone, owner) for owner in owners):
        return None
    if gateways:
        return f"none of its gateways, such as {min(gateway['name'] for gateway in gateways)}, is a chassis of this zone"
    return "its ports belong to routers that this zone does not have" if owners else None


def _remembers(zone: Zone) -> bool:
    """Whether the registration that NB names exists in IC_SB. If so, only an operator can assign it to another token (see
    :func:`denied`).

    If it does not exist, because IC_SB was lost, it does not count. The zone may then have registered again with
    another token, while its NB was empty.
    """
    nb_global = zone.nb_global
    return nb_global is not None and zone.ic_sb.row("Availability_Zone", nb_global["external_ids"].get(ZONE_KEY)) is not None


def _gateways(zone: Zone, az: Row) -> list[Row]:
    return zone.ic_sb.find("Gateway", "availability_zone", az.uuid)


def _has_address_of(zone: Zone, gateway: Row) -> bool:
    """Whether the chassis with a gateway's name has one of its encaps, by type and address."""
    chassis = zone.chassis(gateway["name"])
    if chassis is None:
        return False
    if is_remote(zone, chassis):
        return False
    here = {(encap["type"], encap["ip"]) for encap in zone.sb.child_rows("Chassis", "encaps", chassis.uuid, "Encap")}
    return any((encap["type"], encap["ip"]) in here for encap in zone.ic_sb.child_rows("Gateway", "encaps", gateway.uuid, "Encap"))


def _ports(zone: Zone, az: Row) -> list[Row]:
    return zone.ic_sb.find("Port_Binding", "availability_zone", az.uuid)


def _exists(zone: Zone, owner: str) -> bool:
    """Whether the owner of a port exists here: a router, or a switch, which upstream's daemon names for a port of a
    leaf switch.
    """
    return any(zone.nb.row(table, owner) is not None for table in ("Logical_Router", "Logical_Switch"))


def withdrawal(zone: Zone, own: Row, reason: str) -> Iterator[Change]:
    """All rows of a zone, and then the zone, for removal in one transaction."""
    for table in _OWNED:
        for row in zone.ic_sb.find(table, "availability_zone", own.uuid):
            yield delete(zone.ic_sb, table, row, record=_record(table, row), reason=reason)
    for row in zone.ic_sb.rows("Service_Monitor"):
        if row["source_availability_zone"] == own["name"]:
            yield delete(zone.ic_sb, "Service_Monitor", row, record=row["logical_port"], reason=reason)
    claims = zone.ic_sb.only("IC_SB_Global")
    if claims is not None:
        keys: dict[str, str | None] = dict.fromkeys((CLAIM_PREFIX + own.uuid, *entries_of(own, claims["external_ids"])))
        yield from update(zone.ic_sb, "IC_SB_Global", claims, record=own["name"], reason=reason, keys={"external_ids": keys})
    yield delete(zone.ic_sb, "Availability_Zone", own, record=own["name"], reason=reason)


def _record(table: str, row: Row) -> str:
    if table == "Route":
        return f"{row['ip_prefix']} via {row['nexthop']} on {row['transit_switch']}"
    return str(row["logical_port"] if table == "Port_Binding" else row["name"])
