# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides whether a source is published through a port, and which of several sources a row of IC_SB represents (spec
routes-4.1 to routes-4.4, routes-4.6, routes-6).

Sections 4 and 6 of the spec are decided together, so that nothing is published that the next pass would withdraw.
"""

from __future__ import annotations

from typing import NamedTuple

from ...address import Address, Prefix, format_address, format_prefix, is_fe80_64, next_hop_for
from ...ovsdb.store import Row
from ...settings import ipv4_over_ipv6, may_advertise
from ...zone import Zone
from .. import port_faults, transit
from . import participants
from .participants import Participant
from .sources import CONNECTED, DYNAMIC, LOADBALANCER, STATIC, Source, as_server_allows, sources_of
from .view import RouteView

#: The order of preference among several sources for one row if no row exists yet, after override-connected (spec
#: routes-4.6).
_ORIGIN_ORDER = {CONNECTED: 0, STATIC: 1, LOADBALANCER: 2, DYNAMIC: 3}


class Published(NamedTuple):
    """A key: the row of the zone with this transit switch, route table, prefix (including host bits) and next hop."""

    transit_switch: str
    route_table: str
    prefix: Prefix
    next_hop: Address

    def __str__(self) -> str:
        return self.described(format_prefix(self.prefix), format_address(self.next_hop))

    def described(self, prefix: str, next_hop: str) -> str:
        """The name in messages, if the texts of prefix and next hop are known."""
        table = f" in table {self.route_table}" if self.route_table else ""
        return f"{prefix} via {next_hop} on {self.transit_switch}{table}"


class Offer(NamedTuple):
    """A source through a port that passes every rule."""

    source: Source
    port: Participant

    @property
    def value(self) -> tuple[str, bool]:
        """The contents by which offers of one row differ: origin and override-connected."""
        return self.source.origin, self.source.override


class Outlet(NamedTuple):
    """A port with what is the same for all sources that it publishes with one next hop.

    ``reason`` says why nothing with that next hop is published through it, None if it is. ``on_switch`` are the router
    ports by which the router reaches the transit switch (see :func:`_leads_back`).
    """

    port: Participant
    reason: str | None
    on_switch: list[Row]


#: Outlets by (owner, transit switch, next hop).
HopCache = participants.PortCache[list[Outlet]]


def next_hop_of(port: Participant, prefix: Prefix) -> Address | None:
    """The next hop of a prefix through a port (spec routes-4.4). None if the port has none for it."""
    if port.address is None:
        return None
    return next_hop_for(prefix, port.address, ipv4_over_ipv6(port.router_options, port.options))


def _refusal(zone: Zone, port: Participant, source: Source, on_switch: list[Row]) -> str | None:
    """Why a source is not published through a port, None if it is: split horizon and the policies of 4.3.

    Does not check the switch, or the next hop that the route would have in IC_SB.
    """
    if (source.via is not None or source.out) and not zone.options.adv_via_transit:
        back = _leads_back(port, source.via, source.out, on_switch)
        if back is not None:
            return back
    return may_advertise(source.prefix, zone.options, port.router_options, port.options, source.kind == "loadbalancer")


def _leads_back(port: Participant, via: Address | None, out: str | None, on_switch: list[Row]) -> str | None:
    """Split horizon: why a route would lead its learners back to the transit switch on which they learn it. None if it
    would not.

    The learners can reach the route's own next hop through that switch without this router. If the router behind the
    next hop dropped the route, it would learn it from here, and the two routers would send the packets to each other. A
    link-local next hop does not identify a network.
    """
    for lrp in on_switch:
        if _leaves_through(lrp, via, out):
            hop = format_address(via) if via is not None else f"on router port {out}"
            return (
                f"split horizon: its next hop {hop} is on {port.transit_switch} itself; to advertise it anyway, "
                "set ic-route-adv-via-transit=true in NB_Global.options"
            )
    return None


def _router_ports_on_switch(zone: Zone, port: Participant) -> list[Row]:
    """The router port of a port, and those of the same router's other ports on that transit switch."""
    found = [] if port.router_port is None else [port.router_port]
    bindings = participants.bindings_of(RouteView(zone, port.binding["availability_zone"]), port.router.uuid)
    if len(bindings) == 1:
        return found
    for binding in bindings:
        if binding["transit_switch"] == port.transit_switch and binding.uuid != port.binding.uuid:
            other = participants.participant(zone, binding)
            if isinstance(other, Participant) and other.router_port is not None:
                found.append(other.router_port)
    return found


def _leaves_through(lrp: Row, via: Address | None, out: str | None) -> bool:
    """Whether a route with this next hop, or with this output port, uses this router port."""
    if out:
        return bool(out == lrp["name"])
    networks = participants.lrp_networks(lrp)
    return via is not None and not is_fe80_64(via) and networks is not None and networks.contains(via)


def hop_refusal(zone: Zone, switch: str, hop: Address | None, port: Participant) -> str | None:
    """Why nothing with this next hop is published through a port, None if it may be (spec routes-4.1, routes-4.2,
    routes-4.4, routes-6).
    """
    if transit.transit_switch_named(zone, switch) is None:
        return f"transit switch {switch} does not exist in IC_NB"
    fault = port_faults.disabled_fault(port.switch_port, port.router_port)
    if fault is not None:
        return fault
    if port.address is None:
        return f'port {port.name} has no valid address ("{port.binding["address"]}")'
    if hop is None:
        return f"port {port.name} has no address of that family"
    if is_fe80_64(hop):
        return f"port {port.name} has only a link-local IPv6 address, and no zone learns routes via {format_address(hop)}"
    if not participants.is_backed(zone, switch, hop, port):
        return f"no router port on switch {switch} has the next hop {format_address(hop)}"
    return None


def verdict(zone: Zone, port: Participant, source: Source) -> str | None:
    """Why a source of the port's router is not published through the port. None if it is, unless another source takes
    precedence.
    """
    allowed = as_server_allows(zone, source)
    if isinstance(allowed, str):
        return allowed
    return _refusal(zone, port, source, _router_ports_on_switch(zone, port)) or hop_refusal(
        zone, port.transit_switch, next_hop_of(port, source.prefix), port
    )


def _outlets(view: RouteView, switch: str, hop: Address) -> list[Outlet]:
    """The ports that may use this next hop."""
    found, zone = participants.ports_at(view, switch, hop), view.zone
    return [Outlet(port, hop_refusal(zone, switch, hop, port), _router_ports_on_switch(zone, port)) for port in found]


def offers_for(view: RouteView, key: Published, hops: HopCache) -> tuple[list[Offer], str]:
    """The offers for the key's row, in order of preference. If there is none: why."""
    offers: list[Offer] = []
    why = "no source in the zone yields this route"
    switch, hop = key.transit_switch, key.next_hop
    for port, reason, on_switch in hops.get((view.owner, switch, hop), lambda: _outlets(view, switch, hop)):
        if next_hop_of(port, key.prefix) != hop:
            continue
        for source in sources_of(view, port, key.route_table, key.prefix):
            allowed = as_server_allows(view.zone, source)
            refused = allowed if isinstance(allowed, str) else reason or _refusal(view.zone, port, source, on_switch)
            if refused is None and isinstance(allowed, Source):
                offers.append(Offer(allowed, port))
            elif refused is not None:
                why = refused
    return offers, why


def choose(offers: list[Offer], existing: Row | None, held: tuple[str, bool] | None) -> Offer:
    """Choose between several offers for one row (spec routes-4.6): one that matches the row, else an overriding one,
    else by origin; among equals the first.
    """
    if existing is not None:
        for offer in offers:
            if offer.value == held:
                return offer
    return min(offers, key=lambda offer: (not offer.source.override, _ORIGIN_ORDER[offer.source.origin]))
