# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Participating ports: the ports through which a router exchanges routes (spec routes-3), and what backs a
next hop (spec routes-6.d).

Both route subjects use these look-ups. The cost of each look-up depends only on the size of its result: by router, by
transit switch, by next hop.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache
from typing import Callable, Generic, NamedTuple, TypeVar

from ...address import (
    Address,
    PortAddress,
    Prefix,
    RouterPortNetworks,
    is_fe80_64,
    is_uuid,
    next_hops,
    parse_lrp_networks,
    parse_port_address,
)
from ...ovsdb.store import Row, RowChange
from ...settings import PortOptions, RouterOptions
from ...tables import IC_NB, IC_SB, NB
from ...zone import Zone
from .. import port_faults, transit
from .former_links import Links
from .view import RouteView

#: Tables whose changes may make a port participate, or stop participating.
TABLES = frozenset(
    {
        (IC_SB, "Port_Binding"),
        (NB, "Logical_Switch_Port"),
        (NB, "Logical_Router_Port"),
        (NB, "Logical_Router"),
    }
)

#: Tables on which the results of this module depend.
MEMORY_TABLES = TABLES | {(NB, "Logical_Switch"), (IC_NB, "Transit_Switch"), (IC_SB, "Datapath_Binding")}

Found = TypeVar("Found")

_NO_OPTIONS = PortOptions()
_ROWS_KEPT = 2**12


class Participant(NamedTuple):
    """A participating port: ``binding`` is its IC_SB Port_Binding, ``router_port`` the router port attached to the
    transit switch (None if NB has none).

    ``address`` is None if the binding's address is empty or not valid (spec routes-4.2).
    """

    binding: Row
    switch_port: Row
    router_port: Row | None
    router: Row
    options: PortOptions
    router_options: RouterOptions
    address: PortAddress | None

    @property
    def transit_switch(self) -> str:
        """Name of the transit switch that the port is on."""
        name: str = self.binding["transit_switch"]
        return name

    @property
    def name(self) -> str:
        """The name in messages: the logical switch port's name."""
        name: str = self.binding["logical_port"]
        return name


def prepare(zone: Zone) -> None:
    """Register the indexes that this module uses."""
    transit.register(zone)
    zone.ic_sb.index("Port_Binding", "routes_router", _binding_router)
    zone.ic_sb.index("Port_Binding", "routes_switch", lambda row: ((row["availability_zone"], row["transit_switch"]),))
    zone.ic_sb.index("Port_Binding", "routes_hop", _binding_hops)
    port_faults.register(zone)
    zone.nb.index("Logical_Router_Port", "backing", _backed_keys)


def _binding_router(row: Row) -> Iterable[Hashable]:
    router = router_id(row)
    return ((row["availability_zone"], router),) if router else ()


def _binding_hops(row: Row) -> Iterable[Hashable]:
    """(owner, switch, next hop) for planning; (owner, next hop) and (owner, "IPv6") to find what a router port backs."""
    address = parse_port_address(row["address"])
    if address is None:
        return ()
    owner = row["availability_zone"]
    keys: list[Hashable] = []
    for hop in next_hops(address):
        keys.append((owner, row["transit_switch"], hop))
        if not is_fe80_64(hop):
            keys.append((owner, hop))
            if hop.family == 6:
                keys.append((owner, "IPv6"))
    return keys


def _backed_keys(row: Row) -> Iterable[Hashable]:
    """The IPv4 addresses that a router port owns, and its IPv6 networks, by which spec routes-6.d searches."""
    networks = lrp_networks(row)
    if networks is None:
        return ()
    return {network.host if network.family == 4 else network.network for network in networks.ipv4 + networks.ipv6}


def router_id(binding: Row) -> str | None:
    """The UUID of the router that a Port_Binding names (spec routes-3.5), None if it names none."""
    text: str = binding["external_ids"].get("router-id", "")
    return text.lower() if is_uuid(text) else None


@lru_cache(maxsize=_ROWS_KEPT)
def lrp_networks(row: Row) -> RouterPortNetworks | None:
    """The networks of a logical router port, None if its MAC is not valid."""
    return parse_lrp_networks(row["mac"], row["networks"])


@lru_cache(maxsize=_ROWS_KEPT)
def port_options(row: Row) -> PortOptions:
    """The options of a router port that is attached to a transit switch."""
    return PortOptions.read(row["options"])


@lru_cache(maxsize=_ROWS_KEPT)
def router_options(row: Row) -> RouterOptions:
    """The options of a router."""
    return RouterOptions.read(row["options"])


# ---- Ports -----------------------------------------------------------------------------------------------------------


def participant(zone: Zone, binding: Row) -> Participant | str:
    """The participating port of an own Port_Binding, or why there is none (spec routes-3.1 to routes-3.6)."""
    if binding["type"] == "transit-router-port":
        return "a transit router port does not exchange routes"
    switch_port = zone.switch_port(binding["logical_port"])
    if switch_port is None:
        return f'no logical switch port is named "{binding["logical_port"]}"'
    if switch_port["type"] in ("", "switch"):
        return "the logical switch port is not of type router"
    options = switch_port["options"]
    if "router-port" not in options:
        return "the logical switch port has no options:router-port"
    router = router_id(binding)
    if router is None:
        return port_faults.link_fault(zone, switch_port) or "the Port_Binding does not name a router (external_ids:router-id)"
    router_row = zone.nb.row("Logical_Router", router)
    if router_row is None:
        return f"logical router {router} does not exist"
    lrp = zone.router_port(options["router-port"])
    return Participant(
        binding,
        switch_port,
        lrp,
        router_row,
        _NO_OPTIONS if lrp is None else port_options(lrp),
        router_options(router_row),
        parse_port_address(binding["address"]),
    )


def _ports(zone: Zone, index: str, key: Hashable) -> list[Participant]:
    found = (participant(zone, binding) for binding in zone.ic_sb.find("Port_Binding", index, key))
    return [port for port in found if isinstance(port, Participant)]


def bindings_of(view: RouteView, router: str) -> list[Row]:
    """The Port_Bindings of one owner that name this router, whether they participate or not."""
    return view.zone.ic_sb.find("Port_Binding", "routes_router", (view.owner, router))


def bindings_on(view: RouteView, switch: str) -> list[Row]:
    """The Port_Bindings of one owner on a transit switch, whether they participate or not."""
    return view.zone.ic_sb.find("Port_Binding", "routes_switch", (view.owner, switch))


def routers_on(view: RouteView, switch: str) -> list[str]:
    """The routers named by the Port_Bindings of one owner on a transit switch."""
    routers = (router_id(binding) for binding in bindings_on(view, switch))
    return [router for router in routers if router is not None]


def ports_of(view: RouteView, router: str) -> list[Participant]:
    """The participating ports of a router, by the uuid of their Port_Binding. ``owner`` is the own Availability_Zone."""
    return _ports(view.zone, "routes_router", (view.owner, router))


def ports_at(view: RouteView, switch: str, hop: Address) -> list[Participant]:
    """The participating ports on a transit switch that may use this next hop for their routes."""
    return _ports(view.zone, "routes_hop", (view.owner, switch, hop))


def is_transit(view: RouteView, lrp: Row, router: str) -> bool:
    """Whether this router port attaches that router to a transit switch through a participating port (spec routes-S2)."""
    for switch_port in view.zone.nb.find("Logical_Switch_Port", "router_port", lrp["name"]):
        for binding in view.zone.ic_sb.find("Port_Binding", "logical_port", switch_port["name"]):
            if binding["availability_zone"] != view.owner or router_id(binding) != router:
                continue
            if isinstance(participant(view.zone, binding), Participant):
                return True
    return False


def switch_of(zone: Zone, switch_port: Row, name: str) -> bool:
    """Whether this port is on the zone's logical switch for the transit switch that has this name in IC_SB (spec
    routes-6.b).
    """
    switches = zone.nb.parent_rows("Logical_Switch", "ports", switch_port.uuid)
    return any(is_transit_switch(zone, switch, name) for switch in switches)


def is_transit_switch(zone: Zone, switch: Row, name: str) -> bool:
    """Whether this logical switch stands for the transit switch that has this name in IC_SB.

    Only its marks decide, as for port bindings. Upstream also compares the name of the switch (spec routes-6.b), so
    that a switch that an operator renames in NB loses all its routes there.
    """
    found = transit.transit_switch_of(zone, switch)
    return found is not None and transit.shared_name(zone, found) == name


# ---- What backs a next hop (spec routes-6) -------------------------------------------------------------------------------


def is_backed(zone: Zone, switch: str, hop: Address, port: Participant | None = None) -> bool:
    """Whether a router port on this transit switch backs the next hop (spec routes-6.d). ``port`` is the most likely
    one and is tried first.
    """
    if port is not None and port.router_port is not None and switch_of(zone, port.switch_port, switch):
        networks = lrp_networks(port.router_port)
        if networks is not None and networks.backs_next_hop(hop):
            return True
    return any(
        switch_of(zone, switch_port, switch)
        for lrp in _backers(zone, hop)
        for switch_port in zone.nb.find("Logical_Switch_Port", "router_port", lrp["name"])
    )


def _backers(zone: Zone, hop: Address) -> Iterator[Row]:
    if hop.family == 4:
        yield from zone.nb.find("Logical_Router_Port", "backing", hop)
        return
    host = Prefix(6, hop.value, 128)
    for length in range(128, -1, -1):
        yield from zone.nb.find("Logical_Router_Port", "backing", host.truncate(length))


def bindings_backed_by(view: RouteView, lrp: Row) -> Iterator[Row]:
    """The Port_Bindings of one owner, on any switch, whose next hop is backed by this router port."""
    networks = lrp_networks(lrp)
    if networks is None:
        return
    for network in networks.ipv4:
        yield from view.zone.ic_sb.find("Port_Binding", "routes_hop", (view.owner, network.host))
    if len(networks.ipv6) > 1:  # the last is the automatic fe80::/64, whose addresses are never published as next hops
        for binding in view.zone.ic_sb.find("Port_Binding", "routes_hop", (view.owner, "IPv6")):
            address = parse_port_address(binding["address"])
            hop = None if address is None else address.first_ipv6
            if hop is not None and networks.contains(hop):
                yield binding


# ---- Cached look-ups ------------------------------------------------------------------------------------


class PortCache(Generic[Found]):
    """Cached results about ports, by any key, kept until a change may have made them wrong.

    The owner passes every change of ``MEMORY_TABLES`` to :meth:`observe` before it reads again. A settled interconnect
    of a hundred thousand routes has few ports, and without the cache each would be looked up for each route.
    """

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[Hashable, Found] = {}

    def clear(self) -> None:
        """Drop all results."""
        self._found.clear()

    def observe(self, change: RowChange) -> None:
        """Drop all results if the change concerns ports, routers or switches. Changes of a router's routes do not
        matter.
        """
        if (change.database, change.table) in MEMORY_TABLES and (change.old is not change.new or "ports" in change.edges):
            self._found.clear()

    def get(self, key: Hashable, find: Callable[[], Found]) -> Found:
        """The result of ``find``, which is called only once for each key."""
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= _ROWS_KEPT:
                self._found.clear()
            found = self._found[key] = find()
        return found


# ---- Ports that a change affects ------------------------------------------------------------------------------------


def bindings_concerned(change: RowChange, view: RouteView, links: Links) -> dict[str, Row]:
    """The own Port_Bindings, by UUID, whose participation, router, options or backing may depend on this change of one
    of ``TABLES``.

    Old versions of a Port_Binding are not included: the caller has them in ``change.old``.
    """
    if change.table == "Port_Binding":
        return {row.uuid: row for row in (change.new,) if row is not None and row["availability_zone"] == view.owner}
    found: Iterable[Row] = ()
    if change.table == "Logical_Switch_Port":
        found = _of_switch_ports(view, change.rows, links) if _switch_port_differs(change) else ()
    elif change.table == "Logical_Router_Port":
        found = _of_router_ports(view, change, links) if _port_differs(change) else ()
    elif _router_differs(change):
        found = bindings_of(view, change.uuid)
    return {binding.uuid: binding for binding in found}


def _of_switch_ports(view: RouteView, rows: Iterable[Row], links: Links) -> Iterator[Row]:
    for row in rows:
        for binding in view.zone.ic_sb.find("Port_Binding", "logical_port", row["name"]):
            if binding["availability_zone"] == view.owner:
                yield binding
        for lrp in links.router_ports(view.zone, row["options"].get("router-port", "")):
            yield from bindings_backed_by(view, lrp)


def _of_router_ports(view: RouteView, change: RowChange, links: Links) -> Iterator[Row]:
    for row in change.rows:
        switch_ports = view.zone.nb.find("Logical_Switch_Port", "router_port", row["name"])
        yield from _of_switch_ports(view, switch_ports, links)
        if switch_ports:
            yield from bindings_backed_by(view, row)


def _switch_port_differs(change: RowChange) -> bool:
    if change.old is None or change.new is None or change.changed("name", "type", "enabled"):
        return True
    old, new = change.old["options"], change.new["options"]
    return bool(old.get("router-port") != new.get("router-port"))


def _port_differs(change: RowChange) -> bool:
    if change.changed("name", "mac", "networks", "enabled"):
        return True
    old, new = change.old, change.new
    return old is not None and new is not None and change.changed("options") and port_options(old) != port_options(new)


def _router_differs(change: RowChange) -> bool:
    if change.old is None or change.new is None or change.changed("enabled"):
        return True
    return change.changed("options") and router_options(change.old) != router_options(change.new)
