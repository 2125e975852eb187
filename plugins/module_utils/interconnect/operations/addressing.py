# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the MAC and the networks of a port before anything is written: whether they are valid, and whether they
collide with others.

All functions are pure. They raise ModuleError with one sentence that says what is wrong or collides, and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..address import Address, Prefix, format_address, format_prefix, network_text, parse_mac, parse_port_address, parse_prefix
from ..ovsdb.store import Row, Store
from .errors import ModuleError
from .option_checks import checked_prefix

#: Addresses that no router port can have, by family: the network, and its description.
_SPECIAL: Mapping[int, Sequence[tuple[Prefix, str]]] = {
    4: (
        (Prefix(4, 0, 8), "an address of this host (0.0.0.0/8)"),
        (Prefix(4, 127 << 24, 8), "a loopback address"),
        (Prefix(4, 224 << 24, 4), "a multicast address"),
        (Prefix(4, 0xFFFFFFFF, 32), "the broadcast address"),
    ),
    6: (
        (Prefix(6, 0, 128), "the unspecified address"),
        (Prefix(6, 1, 128), "the loopback address"),
        (Prefix(6, 0xFF << 120, 8), "a multicast address"),
    ),
}
_LINK_LOCAL = Prefix(6, 0xFE80 << 112, 10)


class Occupant(NamedTuple):
    """Another port on the transit switch. ``zone`` is the name of its zone, empty for the zone of this task."""

    name: str
    zone: str
    #: The name of the database in which it was found.
    database: str
    macs: frozenset[int]
    networks: tuple[Prefix, ...]

    def __str__(self) -> str:
        return f"port {self.name!r}" + (f" of zone {self.zone!r}" if self.zone else "")


def overlap(one: Prefix, other: Prefix) -> bool:
    """Whether two networks have an address in common."""
    return one.contains(other.host) or other.contains(one.host)


# ---- A single network -------------------------------------------------------------------------------------------


def port_networks(texts: Sequence[str], option: str, example: str = "169.254.100.1/24") -> list[Prefix]:
    """The networks of one router port, including host bits. Raises ModuleError if one is not valid or two of them are
    in the same subnet.
    """
    if not texts:
        raise ModuleError(f"{option} is empty; give the router port at least one network, such as {example}")
    networks = [port_network(text, option, example) for text in texts]
    for number, network in enumerate(networks):
        for other in networks[:number]:
            if overlap(network, other):
                raise ModuleError(
                    f"{option} has {format_prefix(other)} and {format_prefix(network)}, which are in one subnet; give one address of it"
                )
    return networks


def port_network(text: str, option: str, example: str) -> Prefix:
    """One network of a router port, including host bits. Raises ModuleError if a port cannot have it."""
    prefix = checked_prefix(text, option, example)
    address = format_address(prefix.host)
    _refuse_mapped(text, prefix, option)
    if prefix.length == 0:
        raise ModuleError(f"{option} has {text!r}, which covers all addresses; give the prefix length of the subnet, such as in {example}")
    advice = "choose an address of the subnet for the port"
    _refuse_special(prefix, text, option, advice)
    _refuse_link_local(prefix, text, option, advice)
    if prefix.is_host:
        raise ModuleError(
            f"{option} has {text!r}, a subnet with a single address, which has no room for another router; correct the prefix length"
        )
    reserved = _reserved(prefix)
    if reserved is not None:
        raise ModuleError(f"{option} has {text!r}, but {address} is the {reserved} of {network_text(prefix)}; choose another address in it")
    return prefix


def port_host(address: Address, text: str, option: str) -> Prefix:
    """One IP address of a switch port, as a prefix of full length. ``text`` is the option's value. Raises ModuleError
    if no port can have it.
    """
    prefix = Prefix(address.family, address.value, 32 if address.family == 4 else 128)
    _refuse_special(prefix, text, option, "choose another address")
    return prefix


def _reserved(prefix: Prefix) -> str | None:
    """Why the address cannot be used in its network: it is the first or the last address. None if it can."""
    room = prefix.bits - prefix.length
    number = prefix.address & ((1 << room) - 1)
    if room > 1 and number == 0:
        return "network address" if prefix.family == 4 else "subnet-router anycast address"
    if room > 1 and prefix.family == 4 and number == (1 << room) - 1:
        return "broadcast address"
    return None


def _refuse_mapped(text: str, prefix: Prefix, option: str) -> None:
    if prefix.family == 4 and ":" in text:
        raise ModuleError(f"{option} has {text!r}, an IPv4 address in IPv6 notation; write {format_prefix(prefix)}")


def _refuse_special(prefix: Prefix, text: str, option: str, advice: str) -> None:
    for special, words in _SPECIAL[prefix.family]:
        if special.contains(prefix.host):
            raise ModuleError(f"{option} has {text!r}, but {format_address(prefix.host)} is {words}; {advice}")


def _refuse_link_local(prefix: Prefix, text: str, option: str, advice: str) -> None:
    if prefix.family == 6 and _LINK_LOCAL.contains(prefix.host):
        raise ModuleError(
            f"{option} has {text!r}, a link-local network: every router port has its own link-local address, "
            f"and zones do not learn routes through one; {advice}"
        )


def subnet(text: str, option: str) -> Prefix:
    """The subnet of a transit switch, without host bits. Raises ModuleError if two routers cannot both have addresses
    in it.
    """
    example = "169.254.100.0/24"
    prefix = checked_prefix(text, option, example)
    _refuse_mapped(text, prefix, option)
    if prefix.length == 0:
        raise ModuleError(f"{option} has {text!r}, which covers all addresses; give the network of the transit switch, such as {example}")
    advice = f"give a network of unicast addresses, such as {example}"
    _refuse_special(prefix.network, text, option, advice)
    _refuse_link_local(prefix.network, text, option, advice)
    for special, words in _SPECIAL[prefix.family]:
        if prefix.contains(special.host):
            raise ModuleError(f"{option} has {text!r}, which contains {words}; {advice}")
    if prefix.is_host:
        raise ModuleError(
            f"{option} has {text!r}, a subnet with a single address, which has no room for two routers; give a shorter prefix length"
        )
    return prefix.network


# ---- Comparison with existing objects --------------------------------------------------------------------------------


def read_subnets(text: str) -> list[Prefix]:
    """The subnets in a comma-separated text of a database. Texts that are not valid are skipped."""
    return [prefix for prefix in map(parse_prefix, filter(None, text.split(","))) if prefix is not None]


def check_subnets(networks: Iterable[Prefix], subnets: Sequence[Prefix], switch: str, database: str) -> None:
    """Raise ModuleError if a network is outside the subnets of its transit switch, or its prefix length differs from
    that of its subnet.

    A prefix of full length is an address of a port that is not a router's. It must not be the network or broadcast
    address of its subnet.
    """
    for network in networks:
        address = format_address(network.host)
        around = next((subnet for subnet in subnets if subnet.contains(network.host)), None)
        if subnets and around is None:
            listed = ", ".join(map(network_text, subnets))
            raise ModuleError(
                f"{address} is outside the subnets of transit switch {switch!r} ({listed}); choose an address inside", database=database
            )
        reserved = _reserved(network._replace(length=around.length)) if around is not None and network.is_host else None
        if around is not None and reserved is not None:
            raise ModuleError(
                f"{address} is the {reserved} of subnet {network_text(around)} of transit switch {switch!r}; choose another address in it",
                database=database,
            )
        if around is not None and around.length != network.length and not network.is_host:
            raise ModuleError(
                f"{format_prefix(network)} has the prefix length {network.length}, but subnet "
                f"{network_text(around)} of transit switch {switch!r} has {around.length}; write "
                f"{address}/{around.length}",
                database=database,
            )


def check_router(networks: Iterable[Prefix], others: Iterable[tuple[str, Iterable[Prefix]]], router: str, database: str) -> None:
    """Raise ModuleError if a network overlaps with one of another port of the same router. ``others``: port name -> its
    networks.
    """
    wanted = list(networks)
    for port, theirs in others:
        for other in theirs:
            for network in wanted:
                if overlap(network, other):
                    raise ModuleError(
                        f"{format_prefix(network)} overlaps with {format_prefix(other)} of port {port!r} of the "
                        f"same router {router!r}; choose an address in another network",
                        database=database,
                    )


def check_macs(mac: str | None, others: Iterable[tuple[str, str]], router: str, database: str) -> None:
    """Raise ModuleError if another port of the same router has the MAC. ``others``: port name -> its MAC."""
    number = None if mac is None else parse_mac(mac)
    for port, other in others:
        if number is not None and parse_mac(other) == number:
            raise ModuleError(
                f"the MAC {mac} is used by port {port!r} of the same router {router!r}; choose another MAC", database=database
            )


def check_occupants(
    mac: str | None, networks: Sequence[Prefix], occupants: Iterable[Occupant], switch: str, subnets: Sequence[Prefix] = ()
) -> None:
    """Raise ModuleError if another port on the transit switch has the MAC, an address, or the same subnet with another
    prefix length.

    A prefix length that equals that of one of the switch's ``subnets`` is accepted even if other ports differ, because
    they may not have been changed yet.
    """
    number = None if mac is None else parse_mac(mac)
    for occupant in occupants:
        if number is not None and number in occupant.macs:
            raise ModuleError(
                f"the MAC {mac} is used by {occupant} on transit switch {switch!r}; choose another MAC", database=occupant.database
            )
        for network in networks:
            _check_occupant(network, occupant, switch, any(subnet.contains(network.host) for subnet in subnets))


def _check_occupant(network: Prefix, occupant: Occupant, switch: str, has_subnet: bool) -> None:
    for other in occupant.networks:
        if other.host == network.host:
            raise ModuleError(
                f"{format_address(network.host)} is used by {occupant} on transit switch {switch!r}; choose another address",
                database=occupant.database,
            )
        if not has_subnet and not other.is_host and not network.is_host and other.length != network.length and overlap(network, other):
            raise ModuleError(
                f"{format_prefix(network)} has the prefix length {network.length}, but {occupant} on transit "
                f"switch {switch!r} has {format_prefix(other)}; use one prefix length for the subnet",
                database=occupant.database,
            )


def bound(bindings: Store, switch: str, own: str | None) -> Iterator[Occupant]:
    """The ports of other zones on a transit switch, from IC_SB. ``own``: the UUID of this zone's Availability_Zone row,
    None if it has none.
    """
    for row in sorted(bindings.rows("Port_Binding"), key=lambda row: str(row["logical_port"])):
        if row["transit_switch"] == switch and row["availability_zone"] != own:
            yield occupant(row["logical_port"], _zone_name(bindings, row), bindings.name, [row["address"]])


def occupant(name: str, zone: str, database: str, addresses: Iterable[str]) -> Occupant:
    """A port by the texts of its addresses, each a MAC and networks or addresses, or ``dynamic`` and an address. Other
    texts are skipped.
    """
    texts = list(addresses)
    found = [one for one in map(parse_port_address, texts) if one is not None]
    fixed = [parse_prefix(text.split()[1]) for text in texts if re.match(r"\s*dynamic\s+\S", text)]
    networks = tuple(prefix for prefix in (*(one for part in found for one in (*part.ipv4, *part.ipv6)), *fixed) if prefix is not None)
    return Occupant(name, zone, database, frozenset(one.mac for one in found), networks)


def _zone_name(bindings: Store, row: Row) -> str:
    zone = bindings.row("Availability_Zone", row["availability_zone"])
    return zone["name"] if zone is not None else ""
