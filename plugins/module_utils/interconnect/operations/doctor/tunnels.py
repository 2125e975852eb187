# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gateways and the tunnels between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ...ovsdb.store import Row
from ...settings import boolean
from ...subjects.gateways import tunnel
from ..effects import address_fault
from .databases import Databases, Finding, listed


def chassis(databases: Databases) -> Iterator[Finding]:
    """Chassis of the given zone with the name or the tunnel address of another zone's gateway, which databases reject."""
    own = databases.zone.own_az
    foreign = [row for row in databases.south.rows("Gateway") if own is None or row["availability_zone"] != own.uuid]
    encaps: dict[tuple[str, str], Row] = {}
    for row in foreign:
        for encap in databases.south.child_rows("Gateway", "encaps", row.uuid, "Encap"):
            encaps[(encap["type"], encap["ip"])] = row
    names = {row["name"]: row for row in foreign}
    for mine in databases.zone.sb.rows("Chassis"):
        if boolean(mine["other_config"], "is-remote"):
            continue
        if mine["name"] in names:
            words = f"zone {databases.zone_name(names[mine['name']])} has a gateway of this name; give the chassis different names"
            yield Finding("chassis", mine["name"], words)
        for encap in databases.zone.sb.child_rows("Chassis", "encaps", mine.uuid, "Encap"):
            other = encaps.get((encap["type"], encap["ip"]))
            if other is not None:
                words = (
                    f"the gateway {databases.place(other, 'name')} also has its tunnel address {encap['ip']}; give "
                    "each gateway its own address"
                )
                yield Finding("chassis", mine["name"], words)


def tunnels(databases: Databases) -> Iterator[Finding]:
    """Gateways that can have no tunnel to gateways of other zones, and encap addresses that cannot be an endpoint of a
    tunnel.
    """
    encaps = {row.uuid: databases.south.child_rows("Gateway", "encaps", row.uuid, "Encap") for row in databases.south.rows("Gateway")}
    kinds = {uuid: frozenset(tunnel(encap["type"], encap["ip"]) for encap in rows) for uuid, rows in encaps.items()}
    #: By zone and tunnel types: the names of the gateways, so that zones with equal gateways are compared only once.
    by_zone: dict[str, dict[frozenset[str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in databases.south.rows("Gateway"):
        by_zone[databases.zone_name(row)][kinds[row.uuid]].append(row["name"])
    for row in databases.south.rows("Gateway"):
        place, mine = databases.place(row, "name"), kinds[row.uuid]
        for encap in encaps[row.uuid]:
            fault = address_fault(encap["ip"])
            if fault is not None:
                yield Finding(
                    "tunnels", place, f"its tunnel address {encap['ip']} {fault}; set external_ids:ovn-encap-ip of its Open_vSwitch"
                )
        for zone, groups in by_zone.items():
            missed = [group for group in groups if group and mine.isdisjoint(group)] if mine and zone != databases.zone_name(row) else []
            if missed:
                names = listed(name for group in missed for name in groups[group])
                words = (
                    f"no tunnel to {names} of zone {zone} is possible: it has {listed(mine)}, and they have {listed(set().union(*missed))}"
                )
                yield Finding("tunnels", place, f"{words}; give the gateways one common encap type and address family")
