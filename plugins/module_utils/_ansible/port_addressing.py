# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the desired addresses of a port of IC_NB, with the same rules as for attachments of routers.

A port that moves to another transit switch or router keeps its addresses, so they are checked there too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..interconnect.address import Prefix, format_address, format_mac, format_prefix, is_link_local, parse_mac, parse_prefix
from ..interconnect.operations.addressing import (
    Occupant,
    bound,
    check_macs,
    check_occupants,
    check_router,
    check_subnets,
    occupant,
    port_host,
    port_networks,
    read_subnets,
)
from ..interconnect.operations.errors import ModuleError
from ..interconnect.operations.option_checks import checked_mac, port_addresses
from ..interconnect.operations.subnets import SUBNETS
from ..interconnect.operations.usage import shared_names, want_shared
from ..interconnect.ovsdb.replica import Replica
from ..interconnect.ovsdb.store import Row, Store
from ..interconnect.tables import IC_NB, IC_SB
from .transit_ports import OF_ROUTER, OF_SWITCH, PortKind, holders, named, neighbours

Params = Mapping[str, Any]
Stores = Mapping[str, Store]


# ---- Ports of transit switches ---------------------------------------------------------------------------------------


def narrow(params: Params, replicas: Mapping[str, Replica]) -> None:
    """Read only the ports on the transit switch from IC_SB."""
    want_shared(replicas, set(filter(None, [params["transit_switch"]])), False)


def widen(params: Params, stores: Stores, replicas: Mapping[str, Replica]) -> None:
    """Also read the ports that IC_SB still has under the former name of a renamed transit switch."""
    if params["transit_switch"]:
        want_shared(replicas, shared_names(stores, OF_SWITCH.table, params["transit_switch"]), False)


def switch_port_addresses(params: Params, stores: Stores, switch: Row, name: str) -> frozenset[str] | None:
    """The desired ``addresses`` of a port, None if they are not changed.

    Raises ModuleError if one is not valid, is outside the subnets of the transit switch, or belongs to another port of
    any zone, as far as IC_SB was read.
    """
    texts, row = params["addresses"], named(stores[IC_NB], OF_SWITCH.ports, name)
    wanted = [_station(text) for text in texts or ()]
    if texts is None and row is not None and _moves(stores[IC_NB], OF_SWITCH, row, switch):
        wanted = _stations(row)
    _refuse_twice(wanted)
    subnets = read_subnets(switch["external_ids"].get(SUBNETS, ""))
    others = list(_others(stores, switch, name)) if wanted else []
    for mac, hosts in wanted:
        check_subnets([host for host in hosts if not _is_link_local(host)], subnets, switch["name"], IC_NB)
        check_occupants(mac, hosts, others, switch["name"], subnets)
    return None if texts is None else frozenset(" ".join(text.split()) for text in texts)


def _is_link_local(host: Prefix) -> bool:
    # Each IPv6 interface has a link-local address in addition to those of its subnets.
    return host.family == 6 and is_link_local(host)


def _station(text: str) -> tuple[str | None, list[Prefix]]:
    """The MAC of an element of ``addresses``, None if it has none, and its IP addresses as prefixes of full length."""
    hosts = [port_host(address, text, "addresses") for address in port_addresses(text, "addresses")]
    first = text.split()[0]
    return (first if parse_mac(first) is not None else None, hosts)


def _stations(row: Row) -> list[tuple[str | None, list[Prefix]]]:
    """The valid addresses of an existing port."""
    found = [occupant("", "", IC_NB, [text]) for text in sorted(row["addresses"])]
    return [(next(map(format_mac, one.macs), None), list(one.networks)) for one in found]


def _refuse_twice(wanted: Sequence[tuple[str | None, list[Prefix]]]) -> None:
    seen: set[Prefix] = set()
    for host in [host for _mac, hosts in wanted for host in hosts]:
        if host in seen:
            raise ModuleError(f"addresses has the address {format_address(host.host)} twice; give it once")
        seen.add(host)


def _others(stores: Stores, switch: Row, name: str) -> Iterator[Occupant]:
    """The other ports on the transit switch: those in IC_NB, and those that zones have published."""
    defined = neighbours(stores[IC_NB], OF_SWITCH, switch, name)
    for row in defined:
        yield occupant(row["name"], "", IC_NB, row["addresses"])
    known = {name, *(row["name"] for row in defined)}
    if IC_SB in stores:
        for shared in sorted(shared_names(stores, OF_SWITCH.table, switch["name"])):
            yield from (one for one in bound(stores[IC_SB], shared, None) if one.name not in known)


def _moves(store: Store, kind: PortKind, row: Row, holder: Row) -> bool:
    return all(one.uuid != holder.uuid for one in holders(store, kind, row))


# ---- Ports of transit routers ----------------------------------------------------------------------------------------


def router_port_addresses(params: Params, store: Store, router: Row, name: str) -> tuple[str | None, frozenset[str] | None]:
    """The desired MAC and networks of a port, each None if it is not changed or differs only in notation.

    Raises ModuleError if one is not valid, or if another port of the transit router has the MAC or an overlapping
    network.
    """
    row = named(store, OF_ROUTER.ports, name)
    mac = None if params["mac"] is None else checked_mac(params["mac"], "mac")
    networks = port_networks(params["networks"], "networks", "10.100.1.1/24") if params["networks"] else []
    checked_address, checked = mac, networks
    if row is not None and _moves(store, OF_ROUTER, row, router):
        checked_address = mac or row["mac"]
        checked = networks if params["networks"] is not None else [one for one in map(parse_prefix, sorted(row["networks"])) if one]
    others = neighbours(store, OF_ROUTER, router, name)
    check_macs(checked_address, [(one["name"], one["mac"]) for one in others], router["name"], IC_NB)
    check_router(
        checked, [(one["name"], filter(None, map(parse_prefix, sorted(one["networks"])))) for one in others], router["name"], IC_NB
    )
    if row is not None and mac is not None and parse_mac(row["mac"]) == parse_mac(mac):
        mac = None
    if params["networks"] is None or (row is not None and set(map(parse_prefix, row["networks"])) == set(networks)):
        return mac, None
    return mac, frozenset(map(format_prefix, networks))
