# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses of ports on transit switches: unique, usable, and in one subnet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from ...address import Prefix, format_address, format_mac, format_prefix, is_link_local, network_text, parse_prefix
from ...ovsdb.store import Row
from ...subjects.participants import router_id
from .databases import Databases, Finding, Published, enclosing, listed

#: Key of Transit_Switch.external_ids: its subnets, comma-separated (ovn_ic_transit_switch).
SUBNETS = "transit-subnets"


def addresses(databases: Databases) -> Iterator[Finding]:
    """MAC or IP addresses that several ports of a transit switch have."""
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for port in databases.published():
        texts = {format_mac(port.address.mac), *(format_address(network.host) for network in port.networks)}
        for text in texts:
            owners[(port.row["transit_switch"], text)].append(databases.place(port.row, "logical_port"))
    for (switch, text), names in owners.items():
        if len(names) > 1:
            yield Finding("addresses", f"{text} on {switch}", f"{listed(names)} have this address; give each port its own address")


def subnets(databases: Databases) -> Iterator[Finding]:
    """Networks of ports and subnets of transit switches that contradict each other."""
    declared = _declared(databases)
    yield from _shared_subnets(declared)
    by_switch: dict[str, list[Published]] = defaultdict(list)
    for port in databases.published():
        by_switch[port.row["transit_switch"]].append(port)
    for switch, found in by_switch.items():
        for port in found:
            place = databases.place(port.row, "logical_port")
            for network in port.networks:
                fault = _unusable(network) or _outside(network, switch, declared.get(switch, ())) or _odd_length(network, found)
                if fault is not None:
                    yield Finding("subnets", f"{place}", f"its network {format_prefix(network)} on {switch} {fault}")
    yield from _one_router_in_one_network(databases)
    if databases.has_zone:
        yield from _without_ipv6(databases)


def _declared(databases: Databases) -> dict[str, list[Prefix]]:
    """The subnets of each transit switch that has some, as networks."""
    found = {}
    for row in databases.north.rows("Transit_Switch"):
        prefixes = [parse_prefix(text) for text in row["external_ids"].get(SUBNETS, "").split(",") if text]
        found[row["name"]] = [prefix.network for prefix in prefixes if prefix is not None]
    return found


def _shared_subnets(declared: Mapping[str, list[Prefix]]) -> Iterator[Finding]:
    """Transit switches with a subnet that equals, or lies in, a subnet of the same or another transit switch."""
    owners: dict[Prefix, list[str]] = defaultdict(list)
    for switch, prefixes in declared.items():
        for prefix in prefixes:
            owners[prefix].append(switch)
    for prefix, switches in owners.items():
        for around in enclosing(prefix, owners):
            both = switches if around == prefix else [*switches, *owners[around]]
            if len(both) > 1:
                where = f"is also a subnet of {listed(set(both))}" if around == prefix else f"lies in {network_text(around)}"
                words = f"the subnet {where} (transit switches {listed(set(both))}); give each transit switch its own subnets"
                yield Finding("subnets", f"{network_text(prefix)} of {listed(set(switches))}", words)


def _unusable(network: Prefix) -> str | None:
    """Why no port can have an address, None if one can."""
    address = format_address(network.host)
    if network.length >= network.bits - 1 or network.is_default:
        return None
    hosts = (1 << (network.bits - network.length)) - 1
    if network.address & hosts == 0:
        return f"has the network address {address}; give the router port another address in that network"
    if network.family == 4 and network.address & hosts == hosts:
        return f"has the broadcast address {address}; give the router port another address in that network"
    return None


def _outside(network: Prefix, switch: str, declared: list[Prefix] | tuple[()]) -> str | None:
    if not declared or any(subnet.contains(network.host) for subnet in declared) or (network.family == 6 and is_link_local(network)):
        return None
    texts = ", ".join(map(network_text, declared))
    return f"is outside the subnets of the transit switch ({texts}); change the address, or the subnets with ovn_ic_transit_switch"


def _odd_length(network: Prefix, ports: list[Published]) -> str | None:
    """Whether a port's prefix length differs from that of most ports with overlapping networks; of two ports, the
    shorter length is reported.
    """
    near = [other for port in ports for other in port.networks if _overlap(network, other)]
    lengths = Counter(other.length for other in near)
    usual = max(lengths, key=lambda length: (lengths[length], -length))
    if network.length == usual:
        return None
    other = next(other for other in near if other.length == usual)
    return (
        f"has the prefix length {network.length}, but the other ports have {usual} ({format_prefix(other)}); use one length on the switch"
    )


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
                    words = f"a router of zone {zone} has ports in this network on the transit switches {listed(both)}; use one subnet each"
                    yield Finding("subnets", f"{network_text(prefix)} of zone {zone}", words)


def _without_ipv6(databases: Databases) -> Iterator[Finding]:
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
                    f"the IPv6 network {inner[0]} of its router is not advertised on {switch} because the port "
                    "has no IPv6 address there; add one"
                )
                yield Finding("subnets", f"{lrp['name']} of zone {databases.zone.name}", words)


def _ipv6(networks: frozenset[str]) -> list[str]:
    found = []
    for text in sorted(networks):
        prefix = parse_prefix(text)
        if prefix is not None and prefix.family == 6 and not is_link_local(prefix):
            found.append(text)
    return found
