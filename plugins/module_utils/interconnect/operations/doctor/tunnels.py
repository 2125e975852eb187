# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gateways and the tunnels between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ...ovsdb.store import Row
from ...settings import boolean
from ...subjects.gateways import IS_INTERCONN, IS_REMOTE, tunnel
from ..effects import address_fault
from . import needs
from .check import ERROR, GATEWAY, WARNING, Check
from .databases import Databases, Finding, listed


def _encaps(databases: Databases, gateway: Row) -> list[tuple[str, str]]:
    """Type and address of each tunnel endpoint of a gateway in IC_SB."""
    rows = databases.south.child_rows("Gateway", "encaps", gateway.uuid, "Encap")
    return sorted((row["type"], row["ip"]) for row in rows)


def _flags(chassis: Row) -> dict[str, str]:
    """The marks of a chassis, which older schemas have in external_ids."""
    return {**chassis["external_ids"], **chassis["other_config"]}


def chassis(databases: Databases) -> Iterator[Finding]:
    """Chassis of the given zone with the name or the tunnel address of another zone's gateway, and gateways that are
    not registered.
    """
    own, zone = databases.zone.own_az, databases.zone
    foreign = [row for row in databases.south.rows("Gateway") if own is None or row["availability_zone"] != own.uuid]
    encaps = {encap: row for row in foreign for encap in _encaps(databases, row)}
    names = {row["name"]: row for row in foreign}
    published = {row["name"] for row in databases.south.rows("Gateway")}
    for mine in zone.sb.rows("Chassis"):
        if boolean(_flags(mine), IS_REMOTE):
            continue
        if mine["name"] in names:
            words = f"zone {databases.zone_name(names[mine['name']])} has a gateway of this name"
            yield Finding("chassis-name-taken", mine["name"], words, "give the chassis different names (external_ids:system-id)")
        elif boolean(_flags(mine), IS_INTERCONN) and mine["name"] not in published:
            words = "the chassis is a gateway of the interconnect (is-interconn) and is not registered in IC_SB"
            yield Finding(
                "gateway-not-published",
                databases.own(mine["name"]),
                words,
                "check that the zone's sync daemon runs, and see its skipped/show",
            )
        for encap in zone.sb.child_rows("Chassis", "encaps", mine.uuid, "Encap"):
            other = encaps.get((encap["type"], encap["ip"]))
            if other is not None:
                words = f"the gateway {databases.place(other, 'name')} also has its tunnel address {encap['ip']}"
                yield Finding("tunnel-address-taken", mine["name"], words, "give each gateway its own address")


def copies(databases: Databases) -> Iterator[Finding]:
    """Gateways of other zones of which the zone has no chassis, or one with other tunnel addresses."""
    zone = databases.zone
    for row in databases.south.rows("Gateway"):
        found = zone.chassis(row["name"])
        if zone.is_own(row) or (found is not None and not boolean(_flags(found), IS_REMOTE)):
            continue
        place, fix = databases.place(row, "name"), "check that the sync daemon of this zone runs, and see its skipped/show"
        if found is None:
            words = f"zone {zone.name} has no chassis for this gateway, so it has no tunnel to it"
            yield Finding("remote-chassis-missing", place, words, fix)
            continue
        here = sorted((encap["type"], encap["ip"]) for encap in zone.sb.child_rows("Chassis", "encaps", found.uuid, "Encap"))
        if here != _encaps(databases, row):
            theirs = _texts(_encaps(databases, row))
            words = f"its chassis in zone {zone.name} has the tunnel addresses {_texts(here)}, and the gateway has {theirs}"
            yield Finding("remote-chassis-differs", place, words, fix)
    known = {row["name"] for row in databases.south.rows("Gateway")}
    for found in zone.sb.rows("Chassis"):
        noted = zone.nb_global is not None and f"ovn-interconnect-copy-{found['name']}" in zone.nb_global["external_ids"]
        if noted and found["name"] not in known:
            words = "the chassis is a copy of another zone's gateway, and IC_SB has no such gateway"
            yield Finding(
                "remote-chassis-leftover", databases.own(found["name"]), words, "check that the sync daemon runs and withholds nothing"
            )


def _texts(encaps: list[tuple[str, str]]) -> str:
    return listed(f"{kind} {ip}" for kind, ip in encaps) or "none"


def tunnels(databases: Databases) -> Iterator[Finding]:
    """Gateways that can have no tunnel to gateways of other zones, and tunnel addresses that cannot be an endpoint."""
    rows = list(databases.south.rows("Gateway"))
    encaps = {row.uuid: _encaps(databases, row) for row in rows}
    kinds = {uuid: frozenset(tunnel(kind, ip) for kind, ip in found) for uuid, found in encaps.items()}
    #: By zone and tunnel types: the names of the gateways, so that zones with equal gateways are compared only once.
    by_zone: dict[str, dict[frozenset[str], list[str]]] = defaultdict(lambda: defaultdict(list))
    users: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        by_zone[databases.zone_name(row)][kinds[row.uuid]].append(row["name"])
        for _kind, ip in encaps[row.uuid]:
            users[ip].add(databases.place(row, "name"))
    for ip, names in users.items():
        if len(names) > 1:
            yield Finding(
                "duplicate-tunnel-address", ip, f"the gateways {listed(names)} have this tunnel address", "give each gateway its own"
            )
    for row in rows:
        yield from _of_gateway(databases, row, encaps[row.uuid])
        yield from _without_tunnel(databases, row, kinds[row.uuid], by_zone)


def _of_gateway(databases: Databases, row: Row, encaps: list[tuple[str, str]]) -> Iterator[Finding]:
    place, fix = databases.place(row, "name"), "set external_ids:ovn-encap-ip of its Open_vSwitch (ovn_ic_gateway)"
    for _kind, ip in encaps:
        fault = address_fault(ip)
        if fault is not None:
            yield Finding("tunnel-address-unusable", place, f"its tunnel address {ip} {fault}", fix)


def _without_tunnel(
    databases: Databases, row: Row, mine: frozenset[str], by_zone: dict[str, dict[frozenset[str], list[str]]]
) -> Iterator[Finding]:
    for zone, groups in by_zone.items():
        missed = [group for group in groups if group and mine.isdisjoint(group)] if mine and zone != databases.zone_name(row) else []
        if missed:
            names = listed(name for group in missed for name in groups[group])
            words = f"no tunnel to {names} of zone {zone} is possible: it has {listed(mine)}, and they have {listed(set().union(*missed))}"
            yield Finding(
                "no-common-tunnel", databases.place(row, "name"), words, "give the gateways one common encap type and address family"
            )


CHECKS = (
    Check(
        "chassis-name-taken",
        ERROR,
        "chassis",
        "A chassis has the name of another zone's gateway, so one of the two is not known to the other zones.",
        "Give the chassis different names (`external_ids:system-id` of Open_vSwitch).",
        chassis,
        (needs.registered,),
    ),
    Check(
        "tunnel-address-taken",
        ERROR,
        "chassis",
        "A chassis has the tunnel address of another zone's gateway. SB accepts an address once, so one of the two is missing.",
        "Give each gateway its own address.",
        chassis,
        (needs.registered,),
    ),
    Check(
        "duplicate-tunnel-address",
        ERROR,
        GATEWAY,
        "Two gateways in IC_SB have one tunnel address.",
        "Give each gateway its own address.",
        tunnels,
        (needs.GATEWAYS,),
    ),
    Check(
        "gateway-not-published",
        ERROR,
        "chassis",
        "A chassis is marked as a gateway of the interconnect and is not registered in IC_SB.",
        "Check that the zone's sync daemon runs. Its `skipped/show` gives the reason.",
        chassis,
        (needs.registered,),
    ),
    Check(
        "no-common-tunnel",
        ERROR,
        GATEWAY,
        "A gateway has no tunnel type and address family in common with a gateway of another zone.",
        "Give the gateways one common encap type (geneve) and address family.",
        tunnels,
        (needs.GATEWAYS,),
    ),
    Check(
        "tunnel-address-unusable",
        ERROR,
        GATEWAY,
        "A tunnel address is a loopback, multicast, link-local or unspecified address, which other hosts cannot reach.",
        "Set `external_ids:ovn-encap-ip` of its Open_vSwitch to an address that other zones reach.",
        tunnels,
        (needs.GATEWAYS,),
    ),
    Check(
        "remote-chassis-missing",
        ERROR,
        GATEWAY,
        "A zone has no chassis for another zone's gateway, so it has no tunnel to it.",
        "Check that the zone's sync daemon runs. Its `skipped/show` gives the reason.",
        copies,
        (needs.registered, needs.GATEWAYS),
    ),
    Check(
        "remote-chassis-differs",
        ERROR,
        GATEWAY,
        "A zone's chassis for another zone's gateway has other tunnel addresses than the gateway.",
        "Check that the zone's sync daemon runs. Its `skipped/show` gives the reason.",
        copies,
        (needs.registered, needs.GATEWAYS),
    ),
    Check(
        "remote-chassis-leftover",
        WARNING,
        "chassis",
        "A zone has a copy of another zone's gateway that IC_SB does not have.",
        "Check that the zone's sync daemon runs and withholds nothing (`guard/show`).",
        copies,
        (needs.registered,),
    ),
)
