# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explains why exchanged routes carry no packets, and what IC_SB shows about zones that advertise nothing.

*Caveats* are sentences about a route or port that is exchanged correctly but is used in another way, or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ..address import Prefix, belongs_to, format_prefix, network_text, parse_nexthop, parse_port_address, parse_prefix
from ..ovsdb.store import Row
from ..subjects import managed_ports, port_faults, transit
from ..subjects.progress import has_counters, laggards
from ..subjects.routes import participants
from ..subjects.routes import rows as route_rows
from ..subjects.routes.participants import Participant
from ..zone import Zone

#: The maximum number of routes to other networks that are named if none leads to the prefix in question.
_NEAREST = 3
#: The reason of ports that never exchange routes.
OF_IC_NB = "it is a port of IC_NB (ovn_ic_transit_switch_port), through which no routes are exchanged"


def binding_caveats(zone: Zone, binding: Row) -> Iterator[str]:
    """Why packets from other zones do not reach a port, as far as its row in IC_SB shows. The port may be of any zone."""
    gateway = binding["gateway"]
    if managed_ports.is_in_every_zone(zone, binding):
        return
    if not gateway:
        yield f"no gateway holds port {binding['logical_port']} on {binding['transit_switch']}, so other zones cannot send packets to it"
    elif zone.ic_sb.first("Gateway", "name", gateway) is None:
        yield f"the gateway {gateway} of port {binding['logical_port']} is not registered as a gateway; make it one with ovn_ic_gateway"


def port_caveats(zone: Zone, port: Participant) -> Iterator[str]:
    """Why an own participating port carries no packets, or not all of them."""
    fault = port_faults.router_fault(port.router) or port_faults.disabled_fault(port.switch_port, port.router_port)
    fault = fault or port_faults.chassis_fault(port.router)
    if fault is not None:
        yield fault
    else:
        yield from binding_caveats(zone, port.binding)


def precedence_caveats(zone: Zone, router: Row, route: Row) -> Iterator[str]:
    """Why a learned route is not used, or shares its traffic."""
    prefix = parse_prefix(route["ip_prefix"])
    if prefix is not None:
        yield from _connected(zone, router, prefix)
        yield from _static(zone, router, route, prefix)


def carrier_caveats(zone: Zone, route: Row, own: Collection[Participant]) -> Iterator[str]:
    """Why packets do not arrive over a learned route. ``own``: the router's ports there."""
    hop = parse_nexthop(route["nexthop"])
    if hop is None:
        return
    holders = [row for row in foreign_bindings(zone, route["transit_switch"]) if _has(row, hop)]
    if not holders:
        yield f"no port on {route['transit_switch']} has its next hop {route['nexthop']} in IC_SB any longer"
    for row in holders:
        yield from binding_caveats(zone, row)
    for port in own:
        yield from port_caveats(zone, port)


def _connected(zone: Zone, router: Row, prefix: Prefix) -> Iterator[str]:
    for lrp in zone.nb.child_rows("Logical_Router", "ports", router.uuid, "Logical_Router_Port"):
        for text in sorted(lrp["networks"]) if lrp["enabled"] is not False else ():
            network = parse_prefix(text)
            if network is None or network.family != prefix.family:
                continue
            if network.network == prefix.network:
                yield f"the router's own connected network {text} (port {lrp['name']}) takes precedence: the route is never used"
            elif belongs_to(prefix.network, network.network):
                yield f"it lies in the router's own network {text} (port {lrp['name']}), and takes traffic away from it"


def _static(zone: Zone, router: Row, route: Row, prefix: Prefix) -> Iterator[str]:
    for static in route_rows.statics_to(zone, router.uuid, prefix):
        if static["route_table"] == route["route_table"] and static["policy"] != "src-ip":
            words = f"the router's own static route {static['ip_prefix']} via {static['nexthop']} leads to the same network"
            yield f"{words}, and packets take either of them; set ic-route-strict-prefix, or remove one"


def _has(binding: Row, hop: Any) -> bool:
    address = parse_port_address(binding["address"])
    return address is not None and any(network.host == hop for network in (*address.ipv4, *address.ipv6))


def foreign_bindings(zone: Zone, switch: str | None) -> Iterator[Row]:
    """The ports of other zones on a transit switch, or on all, by name."""
    rows = zone.ic_sb.rows("Port_Binding") if switch is None else zone.ic_sb.find("Port_Binding", "explained", switch)
    for row in sorted(rows, key=lambda row: str(row["logical_port"])):
        if not zone.is_own(row) and not transit.is_router_port(row):
            yield row


def prepare(zone: Zone) -> None:
    """Register the index of :func:`foreign_bindings`."""
    zone.ic_sb.index("Port_Binding", "explained", lambda row: (row["transit_switch"],))


def peers(zone: Zone, switches: Collection[str], names: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The other zones' ports on transit switches: what each advertises there, and why not, as far as IC_SB shows it."""
    behind = dict(laggards(zone)) if has_counters(zone) else {}
    for switch in sorted(switches):
        routes: dict[tuple[str, str], int] = {}
        for route in route_rows.routes_on(zone, switch):
            place = (route["availability_zone"], route["external_ids"].get("lr-id", "").lower())
            routes[place] = routes.get(place, 0) + 1
        for row in foreign_bindings(zone, switch):
            name = names.get(row["availability_zone"], "")
            router = participants.router_id(row)
            count = sum(number for (owner, who), number in routes.items() if owner == row["availability_zone"] and who in ("", router))
            yield {
                "port": row["logical_port"],
                "zone": name,
                "transit_switch": switch,
                "address": row["address"],
                "gateway": row["gateway"],
                "routes": count,
                "reason": _peer_reason(zone, row, name, count, behind),
            }


def _peer_reason(zone: Zone, row: Row, name: str, count: int, behind: dict[str, int]) -> str:
    """The first cause that IC_SB shows, empty if it shows none."""
    if managed_ports.of_binding(zone, row) is not None:
        return OF_IC_NB
    if name in behind:
        words = f"zone {name} has confirmed request {behind[name]}, which is not the newest, so its routes may be out of date"
        return f"{words}; check its sync daemon"
    if participants.router_id(row) is None:
        return f"no router is behind the port: its router in zone {name} is disabled, or options:router-port names no router port"
    if not row["address"]:
        return f"the port has no address: its router in zone {name} is disabled, or ovn-northd does not run there"
    fault = next(binding_caveats(zone, row), None)
    if fault is not None:
        return fault
    if not count:
        return f"its router advertises nothing on this switch; run ovn_ic_route_info with the databases of zone {name} for the reasons"
    return ""


def silence(zone: Zone, prefix: Prefix, switches: Collection[str], names: dict[str, str]) -> Iterator[str]:
    """Why no route leads to a prefix on these transit switches: where it is advertised instead, and the nearest
    prefixes.
    """
    if switches:
        yield f"no zone advertises a route to {format_prefix(prefix)} on {' and '.join(sorted(switches))}"
    near: dict[str, tuple[int, str]] = {}
    for route in zone.ic_sb.rows("Route"):
        other = parse_prefix(route["ip_prefix"])
        if other is None or other.family != prefix.family or zone.is_own(route):
            continue
        owner = names.get(route["availability_zone"], "")
        if belongs_to(prefix.network, other.network) and route["transit_switch"] not in switches:
            yield (
                f"zone {owner} advertises {route['ip_prefix']} on {route['transit_switch']}, where the router is not attached;"
                " routes that another router learns there are not advertised again on other transit switches"
            )
        elif not other.is_default:
            common = prefix.bits - (prefix.address ^ other.address).bit_length()
            rank = min(common, other.length, prefix.length)
            place = f"{network_text(other)} of zone {owner} on {route['transit_switch']}"
            near[place] = max(near.get(place, (0, "")), (rank, place))
    nearest = sorted(near.values(), key=lambda one: (-one[0], one[1]))[:_NEAREST]
    if nearest:
        yield f"the nearest prefixes are {', '.join(place for _rank, place in nearest)}"
