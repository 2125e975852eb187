# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with an interconnect though every database accepts it: one function for each thing that can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..interconnect.address import Prefix, format_address, format_mac, format_prefix, is_link_local, parse_port_address, parse_prefix
from ..interconnect.schema import IC_NB, IC_SB, NB, SB
from ..interconnect.settings import boolean
from ..interconnect.store import Row, Store
from ..interconnect.subjects.progress import has_counters, laggards
from ..interconnect.zone import Zone
from .registration import narrowed, zone_of

Params = Mapping[str, Any]
Stores = Mapping[str, Store]

NORTH = narrowed(NB, {"NB_Global": "name options:map external_ids:map"})
SOUTH = narrowed(SB, {"Chassis": "name encaps:refs other_config:map", "Encap": "type ip"})
GLOBAL_NORTH = narrowed(IC_NB, {"IC_NB_Global": "nb_ic_cfg:int sb_ic_cfg:int", "Transit_Switch": "name", "Transit_Router": "name"})
GLOBAL_SOUTH = narrowed(
    IC_SB,
    {
        "IC_SB_Global": "nb_ic_cfg:int external_ids:map",
        "Availability_Zone": "name nb_ic_cfg:int",
        "Gateway": "name availability_zone:uuid encaps:refs",
        "Encap": "type ip",
        "Datapath_Binding": "transit_switch tunnel_key:int",
        "Port_Binding": "logical_port transit_switch availability_zone:uuid gateway address type:optstr",
        "Route": "transit_switch availability_zone:uuid ip_prefix origin route_table external_ids:map",
    },
)


class Finding(NamedTuple):
    """Something that is wrong: the name of the check, the object, and a sentence with what to do about it."""

    check: str
    record: str
    finding: str


class Patient:
    """The stores to be looked at. ``has_zone``: the databases of one zone are there too."""

    def __init__(self, stores: Stores) -> None:
        self.zone: Zone = zone_of(stores)
        self.north, self.south = self.zone.ic_nb, self.zone.ic_sb
        self.names: dict[str, str] = {row.uuid: row["name"] for row in self.south.rows("Availability_Zone")}
        self.has_zone = NB in stores and SB in stores

    def zone_name(self, row: Row) -> str:
        """The name of the zone that a row of IC_SB belongs to."""
        return self.names.get(row["availability_zone"], "?")

    def place(self, row: Row, column: str) -> str:
        """A row of IC_SB in words: its name and its zone."""
        return f"{row[column]} of zone {self.zone_name(row)}"


def _listed(names: Iterable[str]) -> str:
    return " and ".join(sorted(names))


def same_names(patient: Patient) -> Iterator[Finding]:
    """A transit switch and a transit router of one name: ports in IC_SB know them by that name only."""
    switches = {row["name"] for row in patient.north.rows("Transit_Switch")}
    for name in switches & {row["name"] for row in patient.north.rows("Transit_Router")}:
        yield Finding("same_names", name, "a transit switch and a transit router have this name; make one of them anew with another name")


def duplicate_keys(patient: Patient) -> Iterator[Finding]:
    """Datapaths that share a tunnel key: packets of one arrive in the other."""
    by_key: dict[int, list[str]] = defaultdict(list)
    for row in patient.south.rows("Datapath_Binding"):
        by_key[row["tunnel_key"]].append(row["transit_switch"] or row.uuid)
    for key, names in by_key.items():
        if len(names) > 1:
            words = f"the datapaths {_listed(names)} have this tunnel key; remove all of these rows but one, so that they are made anew"
            yield Finding("duplicate_keys", str(key), words)


def gateways(patient: Patient) -> Iterator[Finding]:
    """Ports that no other zone can reach: without a gateway, or with one that is not registered."""
    known = {row["name"]: row for row in patient.south.rows("Gateway")}
    for row in patient.south.rows("Port_Binding"):
        if row["type"] == "transit-router-port":
            continue
        gateway = known.get(row["gateway"])
        words = ""
        if not row["gateway"]:
            words = "no gateway holds the port, so no other zone reaches it; see that one of its gateways is up"
        elif gateway is None:
            words = f"its gateway {row['gateway']} is no gateway of the interconnect; make it one with ovn_ic_gateway, or name another"
        elif gateway["availability_zone"] != row["availability_zone"]:
            words = f"its gateway {row['gateway']} is registered by zone {patient.zone_name(gateway)}; give the chassis names of their own"
        if words:
            yield Finding("gateways", patient.place(row, "logical_port"), words)


def chassis(patient: Patient) -> Iterator[Finding]:
    """Chassis of the given zone with the name or the tunnel address of another zone's gateway: databases refuse the second."""
    own = patient.zone.own_az
    if not patient.has_zone or own is None:
        return
    foreign = [row for row in patient.south.rows("Gateway") if row["availability_zone"] != own.uuid]
    encaps: dict[tuple[str, str], Row] = {}
    for row in foreign:
        for encap in patient.south.child_rows("Gateway", "encaps", row.uuid, "Encap"):
            encaps[(encap["type"], encap["ip"])] = row
    names = {row["name"]: row for row in foreign}
    for mine in patient.zone.sb.rows("Chassis"):
        if boolean(mine["other_config"], "is-remote"):
            continue
        if mine["name"] in names:
            words = f"zone {patient.zone_name(names[mine['name']])} has a gateway of this name; give the chassis names of their own"
            yield Finding("chassis", mine["name"], words)
        for encap in patient.zone.sb.child_rows("Chassis", "encaps", mine.uuid, "Encap"):
            other = encaps.get((encap["type"], encap["ip"]))
            if other is not None:
                words = f"the gateway {patient.place(other, 'name')} has its tunnel address {encap['ip']} too; give each one of its own"
                yield Finding("chassis", mine["name"], words)


def addresses(patient: Patient) -> Iterator[Finding]:
    """One MAC or IP address twice on a transit switch."""
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in patient.south.rows("Port_Binding"):
        address = parse_port_address(row["address"])
        if address is None or row["type"] == "transit-router-port":
            continue
        for text in {format_mac(address.mac), *(format_address(prefix.host) for prefix in (*address.ipv4, *address.ipv6))}:
            owners[(row["transit_switch"], text)].append(patient.place(row, "logical_port"))
    for (switch, text), names in owners.items():
        if len(names) > 1:
            yield Finding("addresses", f"{text} on {switch}", f"{_listed(names)} have this address; give each one of its own")


def zones(patient: Patient) -> Iterator[Finding]:
    """Zones that have not confirmed the newest request, or have no gateway."""
    advice = "or purge it with ovn_ic_az if it is gone"
    for name, number in laggards(patient.zone) if has_counters(patient.zone) else ():
        yield Finding("zones", name, f"the zone is at request {number}, which is not the newest; check its sync daemon, {advice}")
    owners = {row["availability_zone"] for row in patient.south.rows("Gateway")}
    for uuid, name in patient.names.items():
        if uuid not in owners:
            yield Finding("zones", name, f"the zone has no gateway; make one with ovn_ic_gateway, {advice}")


def overlaps(patient: Patient) -> Iterator[Finding]:
    """Connected networks of different zones on one transit switch, of which one lies in the other."""
    networks: dict[tuple[str, str], dict[Prefix, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in patient.south.rows("Route"):
        prefix = parse_prefix(row["ip_prefix"])
        if prefix is not None and row["origin"] == "connected" and not is_link_local(prefix):
            networks[(row["transit_switch"], row["route_table"])][prefix.network].add(patient.zone_name(row))
    for (switch, _table), found in networks.items():
        for prefix, owners in found.items():
            for around in _around(prefix, found):
                both = owners | found[around]
                if len(both) > 1:
                    words = f"it lies in {format_prefix(around)}, and zones {_listed(both)} have these networks; deny one, or renumber"
                    yield Finding("overlaps", f"{format_prefix(prefix)} on {switch}", words)


def _around(prefix: Prefix, found: Collection[Prefix]) -> Iterator[Prefix]:
    """The network itself and those that it lies in: one look-up for each length."""
    return (around for around in map(prefix.truncate, range(prefix.length, 0, -1)) if around in found)


CHECKS: Mapping[str, Callable[[Patient], Iterator[Finding]]] = {
    "addresses": addresses,
    "chassis": chassis,
    "duplicate_keys": duplicate_keys,
    "gateways": gateways,
    "overlaps": overlaps,
    "same_names": same_names,
    "zones": zones,
}


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The findings of the wanted checks."""
    patient = Patient(stores)
    found = sorted({finding for name in params["checks"] for finding in CHECKS[name](patient)})
    return {"healthy": not found, "findings": [one._asdict() for one in found]}
