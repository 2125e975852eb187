# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses of ports on transit switches: unique, usable, and in one subnet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from ...address import Prefix, format_address, format_mac, format_prefix, is_link_local, network_text, parse_prefix
from ...ovsdb.store import Row
from ...subjects import managed_ports
from ...subjects.routes.participants import router_id
from ..effects import address_fault
from . import needs
from .check import ERROR, PORT, ROUTER_PORT, WARNING, Check
from .databases import Databases, Finding, Published, enclosing, listed

#: Key of Transit_Switch.external_ids: its subnets, comma-separated (ovn_ic_transit_switch).
SUBNETS = "transit-subnets"


def duplicates(databases: Databases) -> Iterator[Finding]:
    """MAC or IP addresses that several ports of a transit switch have."""
    owners: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for port in databases.published():
        texts = {(format_address(network.host), "duplicate-ip") for network in port.networks}
        for text, check in {(format_mac(port.address.mac), "duplicate-mac"), *texts}:
            owners[(check, port.row["transit_switch"], text)].append(databases.place(port.row, "logical_port"))
    for (check, switch, text), names in owners.items():
        if len(names) > 1:
            yield Finding(check, f"{text} on {switch}", f"{listed(names)} have this address", "give each port its own address")


def subnets(databases: Databases) -> Iterator[Finding]:
    """Networks of ports that do not fit their transit switch, and routers with ports in one network on two switches."""
    declared = _declared(databases)
    by_switch: dict[str, list[Published]] = defaultdict(list)
    for port in databases.published():
        by_switch[port.row["transit_switch"]].append(port)
    for switch, found in by_switch.items():
        # Addresses of ports of IC_NB have no prefix length, because no router is behind them.
        routed = [port for port in found if managed_ports.of_binding(databases.zone, port.row) is None]
        for port in found:
            for network in port.networks:
                fault = _unusable(network) or _outside(network, declared.get(switch, ()))
                if fault is None and port in routed:
                    fault = _odd_length(network, routed)
                if fault is not None:
                    check, words, fix = fault
                    place = databases.place(port.row, "logical_port")
                    yield Finding(check, place, f"its network {format_prefix(network)} on {switch} {words}", fix)
    yield from _one_router_in_one_network(databases)


def _declared(databases: Databases) -> dict[str, list[Prefix]]:
    """The subnets of each transit switch that has some, as networks."""
    found = {}
    for row in databases.north.rows("Transit_Switch"):
        prefixes = [parse_prefix(text) for text in row["external_ids"].get(SUBNETS, "").split(",") if text]
        found[row["name"]] = [prefix.network for prefix in prefixes if prefix is not None]
    return found


def shared_subnets(databases: Databases) -> Iterator[Finding]:
    """Transit switches with a subnet that equals, or lies in, a subnet of the same or another transit switch."""
    owners: dict[Prefix, list[str]] = defaultdict(list)
    for switch, prefixes in _declared(databases).items():
        for prefix in prefixes:
            owners[prefix].append(switch)
    for prefix, switches in owners.items():
        for around in enclosing(prefix, owners):
            both = switches if around == prefix else [*switches, *owners[around]]
            if len(both) > 1:
                where = f"is also a subnet of {listed(set(both))}" if around == prefix else f"lies in {network_text(around)}"
                words = f"the subnet {where} (transit switches {listed(set(both))})"
                yield Finding("subnet-shared", f"{network_text(prefix)} of {listed(set(switches))}", words, "give each its own subnets")


_Fault = tuple[str, str, str]


def _unusable(network: Prefix) -> _Fault | None:
    """Why no port can have an address, None if one can: the check, what is wrong, and what to do."""
    check, fix = "address-unusable", "give the router port another address of the subnet"
    address = format_address(network.host)
    fault = None if is_link_local(network) else address_fault(address)
    if fault is not None:
        return check, fault, fix
    if network.length >= network.bits - 1:
        return None
    hosts = (1 << (network.bits - network.length)) - 1
    if network.address & hosts == 0:
        return check, f"has the network address {address}", fix
    if network.family == 4 and network.address & hosts == hosts:
        return check, f"has the broadcast address {address}", fix
    return None


def _outside(network: Prefix, declared: Sequence[Prefix]) -> _Fault | None:
    if not declared or any(subnet.contains(network.host) for subnet in declared) or (network.family == 6 and is_link_local(network)):
        return None
    words = f"is outside the subnets of the transit switch ({', '.join(map(network_text, declared))})"
    return "address-outside-subnet", words, "change the address, or the subnets with ovn_ic_transit_switch"


def _odd_length(network: Prefix, ports: Sequence[Published]) -> _Fault | None:
    """Whether a port's prefix length differs from that of most ports with overlapping networks. Of two ports, the
    one with the longer prefix is reported.
    """
    near = [other for port in ports for other in port.networks if _overlap(network, other)]
    lengths = Counter(other.length for other in near)
    usual = max(lengths, key=lambda length: (lengths[length], -length))
    if network.length == usual:
        return None
    other = next(other for other in near if other.length == usual)
    words = f"has the prefix length {network.length}, but the other ports have {usual} ({format_prefix(other)})"
    return "prefix-length-differs", words, "use one prefix length on the transit switch"


def _overlap(one: Prefix, other: Prefix) -> bool:
    if one.family != other.family:
        return False
    length = min(one.length, other.length)
    return one.truncate(length) == other.truncate(length)


def _one_router_in_one_network(databases: Databases) -> Iterator[Finding]:
    """A router with ports on two transit switches in overlapping networks: it sends packets for both to one of them."""
    found: dict[tuple[str, str], dict[Prefix, set[str]]] = defaultdict(lambda: defaultdict(set))
    for port in databases.published():
        router = router_id(port.row)
        for network in port.networks if router is not None else ():
            if not (network.family == 6 and is_link_local(network)):
                found[(databases.zone_name(port.row), str(router))][network.network].add(port.row["transit_switch"])
    for (zone, _router), networks in found.items():
        for prefix, switches in networks.items():
            for around in enclosing(prefix, networks):
                both = switches | networks[around]
                if len(both) > 1:
                    words = f"a router of zone {zone} has ports in this network on the transit switches {listed(both)}"
                    place = f"{network_text(prefix)} of zone {zone}"
                    yield Finding("router-twice-in-network", place, words, "use one subnet for each transit switch")


def router_networks(databases: Databases) -> Iterator[Finding]:
    """Attached routers with two ports in overlapping networks."""
    nb = databases.zone.nb
    for uuid, router in {router.uuid: router for _one, _lrp, router in databases.routers()}.items():
        found: dict[Prefix, list[str]] = defaultdict(list)
        for lrp in nb.child_rows("Logical_Router", "ports", uuid, "Logical_Router_Port"):
            for prefix in map(parse_prefix, sorted(lrp["networks"])) if lrp["enabled"] is not False else ():
                if prefix is not None and not (prefix.family == 6 and is_link_local(prefix)):
                    found[prefix.network].append(lrp["name"])
        for prefix, names in found.items():
            around = next((one for one in enclosing(prefix, found) if set(found[one]) - set(names) or len(names) > 1), None)
            if around is not None:
                ports = listed({*names, *found[around]})
                words = f"the ports {ports} of the router have overlapping networks, and packets leave through one of them only"
                place = f"{network_text(prefix)} of router {router['name']} of zone {databases.zone.name}"
                yield Finding("router-networks-overlap", place, words, "give each router port its own network")


def without_ipv6(databases: Databases) -> Iterator[Finding]:
    """Routers with IPv6 networks that have no IPv6 address on any transit switch, or none where ports of other zones
    have one.
    """
    nb, spoken = databases.zone.nb, {port.row["transit_switch"] for port in databases.published() if port.address.ipv6}
    on_switches: dict[str, dict[str, Row]] = defaultdict(dict)
    for one, lrp, router in databases.routers():
        on_switches[router.uuid][one.transit_switch] = lrp
    for uuid, lrps in on_switches.items():
        transit = {lrp.uuid for lrp in lrps.values()}
        rows = nb.child_rows("Logical_Router", "ports", uuid, "Logical_Router_Port")
        inner = [text for lrp in rows if lrp.uuid not in transit for text in _ipv6(lrp["networks"])]
        anywhere = any(_ipv6(lrp["networks"]) for lrp in lrps.values())
        for switch, lrp in lrps.items():
            if inner and not _ipv6(lrp["networks"]) and (switch in spoken or not anywhere):
                words = (
                    f"the IPv6 network {inner[0]} of its router is not advertised on {switch} because the port has no IPv6 address there"
                )
                yield Finding(
                    "ipv6-missing", databases.own(lrp["name"]), words, "add an IPv6 address to the port (ovn_ic_attachment, networks)"
                )


def _ipv6(networks: frozenset[str]) -> list[str]:
    found = []
    for text in sorted(networks):
        prefix = parse_prefix(text)
        if prefix is not None and prefix.family == 6 and not is_link_local(prefix):
            found.append(text)
    return found


CHECKS = (
    Check(
        "duplicate-ip",
        ERROR,
        PORT,
        "Two ports of one transit switch have the same IP address. Routers of other zones send packets to either of them.",
        "Give each port its own address with the option `networks` of `ovn_ic_attachment`.",
        duplicates,
        (needs.PORTS,),
    ),
    Check(
        "duplicate-mac",
        ERROR,
        PORT,
        "Two ports of one transit switch have the same MAC address. Packets for one of them arrive at the other.",
        "Give each port its own address with the option `mac` of `ovn_ic_attachment`.",
        duplicates,
        (needs.PORTS,),
    ),
    Check(
        "address-outside-subnet",
        ERROR,
        PORT,
        "A port's address is outside the subnets of its transit switch, so the other routers on the switch cannot reach it.",
        "Change the address with `ovn_ic_attachment`, or the subnets with `ovn_ic_transit_switch`.",
        subnets,
        (needs.PORTS,),
    ),
    Check(
        "address-unusable",
        ERROR,
        PORT,
        "A port has the network or broadcast address of its subnet, or a loopback, multicast or unspecified address.",
        "Give the router port another address of the subnet.",
        subnets,
        (needs.PORTS,),
    ),
    Check(
        "prefix-length-differs",
        WARNING,
        PORT,
        "A port has another prefix length than the other ports of its transit switch. Its router regards some of them as unreachable.",
        "Use one prefix length on the transit switch.",
        subnets,
        (needs.PORTS,),
    ),
    Check(
        "router-twice-in-network",
        ERROR,
        "logical router",
        "A router has ports in one network on two transit switches. It sends all packets of that network to one of the two.",
        "Use one subnet for each transit switch.",
        subnets,
        (needs.PORTS,),
    ),
    Check(
        "subnet-shared",
        ERROR,
        "transit switch",
        "A subnet of a transit switch equals, or lies in, a subnet of the same or another transit switch.",
        "Give each transit switch its own subnets with `ovn_ic_transit_switch`.",
        shared_subnets,
        (needs.SWITCHES,),
    ),
    Check(
        "router-networks-overlap",
        ERROR,
        "logical router",
        "Two ports of an attached router have overlapping networks. Packets leave through one of the ports only.",
        "Give each router port its own network.",
        router_networks,
        (needs.registered,),
    ),
    Check(
        "ipv6-missing",
        WARNING,
        ROUTER_PORT,
        "A router has IPv6 networks, and its port on the transit switch has no IPv6 address. Its IPv6 networks are not advertised there.",
        "Add an IPv6 address to the port with the option `networks` of `ovn_ic_attachment`.",
        without_ipv6,
        (needs.registered,),
    ),
)
