# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look-ups of sources and destinations of routes: IC_SB routes, static routes, VIPs and dynamic routes by destination.

Indexes by destination use a number that represents a network (:func:`destination`), because a hundred thousand tuples
would need more memory than the rows' own texts. Two networks may have the same number, so every look-up compares the
rows that it finds.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from ...address import Address, Prefix, is_uuid, parse_nexthop, parse_prefix, parse_vip
from ...ovsdb.store import Row, RowChange
from ...tables import IC_SB, NB, SB
from ...zone import Zone
from .view import RouteView

#: Key of external_ids of an NB static route: the IC_SB Route from which it was learned.
LEARNED_KEY = "ic-learned-route"
OVERRIDE = "override-connected"

#: Tables of the sources of routes, apart from static routes and router ports.
SOURCE_TABLES = frozenset(
    {
        (NB, "Logical_Router_Static_Route"),
        (NB, "Load_Balancer"),
        (NB, "Load_Balancer_Group"),
        (SB, "Datapath_Binding"),
        (SB, "Learned_Route"),
        (IC_SB, "Route"),
    }
)


def prepare(zone: Zone) -> None:
    """Register the indexes that this module uses."""
    zone.ic_sb.index("Route", "destination", lambda row: _destinations(row["ip_prefix"], row["transit_switch"]))
    zone.ic_sb.index("Route", "hop", _hop_keys)
    zone.ic_sb.index("Route", "switch", lambda row: ((row["availability_zone"], row["transit_switch"]),))
    zone.nb.index("Logical_Router_Static_Route", "route", _static_keys)
    zone.nb.index("Load_Balancer", "vip", _vip_keys)
    zone.sb.index("Datapath_Binding", "router", _datapath_keys)
    zone.sb.index("Learned_Route", "datapath", lambda row: (row["datapath"],))
    zone.sb.index("Learned_Route", "destination", lambda row: _destinations(row["ip_prefix"], row["datapath"]))


def destination(prefix: Prefix, scope: str = "") -> int:
    """A number for a prefix's network within a scope (a transit switch, a datapath). Equal networks have equal numbers."""
    family, address, length = prefix
    return hash((scope, family, address >> ((32 if family == 4 else 128) - length), length))


def _destinations(text: str, scope: str) -> Iterable[Hashable]:
    prefix = parse_prefix(text)
    return () if prefix is None else (destination(prefix, scope),)


def _hop_keys(row: Row) -> Iterable[Hashable]:
    hop = parse_nexthop(row["nexthop"])
    return () if hop is None else ((row["availability_zone"], row["transit_switch"], hop),)


def _static_keys(row: Row) -> Iterable[Hashable]:
    """Learned routes by IC_SB Route; the zone's other routes by destination, and IPv6 ones also under "IPv6"."""
    learned = learned_from(row)
    if learned is not None:
        return (learned,)
    prefix = parse_prefix(row["ip_prefix"])
    if prefix is None:
        return ()
    return (destination(prefix),) if prefix.family == 4 else (destination(prefix), "IPv6")


def _vip_keys(row: Row) -> Iterable[Hashable]:
    """The valid VIPs, and "IPv4" if one of them is an IPv4 address."""
    found = set(vips(row))
    return found | {"IPv4"} if any(vip.family == 4 for vip in found) else found


# ---- Static routes ---------------------------------------------------------------------------------------------------


def learned_from(row: Row) -> str | None:
    """The IC_SB Route from which a static route was learned. None if external_ids:ic-learned-route is not a UUID (spec
    routes-P6).
    """
    text: str | None = row["external_ids"].get(LEARNED_KEY)
    if text is None or not is_uuid(text):
        return None
    lower = text.lower()
    return text if text == lower else lower  # the row's own text if possible, so that the index needs no second copy


def statics_to(zone: Zone, router: str, prefix: Prefix) -> list[Row]:
    """Static routes of a router to this network that were not learned, ignoring host bits."""
    return _statics(zone, router, destination(prefix))


def _statics(zone: Zone, router: str, key: Hashable) -> list[Row]:
    """Many routers may have the same route, and one router many routes: the cost depends on the smaller set."""
    mine = zone.nb.children("Logical_Router", "static_routes", router)
    return zone.nb.find_among("Logical_Router_Static_Route", "route", key, mine)


def has_ipv6_static(zone: Zone, router: str) -> bool:
    """Whether a router has an IPv6 static route that was not learned. Stops at the first."""
    mine = zone.nb.children("Logical_Router", "static_routes", router)
    return not mine.isdisjoint(zone.nb.filed("Logical_Router_Static_Route", "route", "IPv6"))


def learned_statics(zone: Zone, router: str, route: str) -> list[Row]:
    """Static routes of a router that were learned from an IC_SB Route."""
    return _statics(zone, router, route)


def learners(zone: Zone, route: str) -> Iterator[str]:
    """The routers with a static route that was learned from an IC_SB Route."""
    for static in zone.nb.filed("Logical_Router_Static_Route", "route", route):
        yield from holders(zone, static)


def holders(zone: Zone, route: str) -> tuple[str, ...]:
    """The routers that contain a static route."""
    return zone.nb.parents("Logical_Router", "static_routes", route)


# ---- IC_SB routes ----------------------------------------------------------------------------------------------------


def routes_to(zone: Zone, switch: str, prefix: Prefix) -> list[Row]:
    """IC_SB routes on a transit switch to this network, of any zone, ignoring host bits."""
    found = zone.ic_sb.find("Route", "destination", destination(prefix, switch))
    return [row for row in found if row["transit_switch"] == switch]


def routes_via(view: RouteView, switch: str, prefix: Prefix, hop: Address) -> list[Row]:
    """The IC_SB routes of one zone to this network with this next hop, ignoring host bits. Searches the smaller of the
    sets by network and by next hop.
    """
    this_way = view.zone.ic_sb.filed("Route", "hop", (view.owner, switch, hop))
    return view.zone.ic_sb.find_among("Route", "destination", destination(prefix, switch), this_way)


def own_routes_on(view: RouteView, switch: str) -> list[Row]:
    """The IC_SB routes of one zone on a transit switch."""
    return view.zone.ic_sb.find("Route", "switch", (view.owner, switch))


def routes_on(zone: Zone, switch: str) -> Iterator[Row]:
    """All IC_SB routes on a transit switch."""
    for az in zone.ic_sb.rows("Availability_Zone"):
        yield from zone.ic_sb.find("Route", "switch", (az.uuid, switch))


# ---- Load balancers --------------------------------------------------------------------------------------------------


def vips(row: Row) -> Iterator[Prefix]:
    """The host prefixes of a load balancer's valid VIPs, one for each key, so that an address may occur several times."""
    return read_vips(row["vips"])


def read_vips(texts: Iterable[str]) -> Iterator[Prefix]:
    """The same for some keys."""
    return (vip for vip in map(parse_vip, texts) if vip is not None)


def balancers_of(zone: Zone, router: str) -> dict[str, Row]:
    """The load balancers of a router without duplicates, its own first, then those of its groups."""
    found = {row.uuid: row for row in zone.nb.child_rows("Logical_Router", "load_balancer", router, "Load_Balancer")}
    for group in sorted(zone.nb.children("Logical_Router", "load_balancer_group", router)):
        for row in zone.nb.child_rows("Load_Balancer_Group", "load_balancer", group, "Load_Balancer"):
            found.setdefault(row.uuid, row)
    return found


def routers_with(zone: Zone, balancer: str) -> set[str]:
    """The routers that use a load balancer, directly or through a group."""
    routers = set(zone.nb.parents("Logical_Router", "load_balancer", balancer))
    for group in zone.nb.parents("Load_Balancer_Group", "load_balancer", balancer):
        routers.update(zone.nb.parents("Logical_Router", "load_balancer_group", group))
    return routers


def balancers_with(zone: Zone, router: str, vip: Prefix) -> list[Row]:
    """The load balancers of a router that have a VIP with this address: its own first, then those of its groups, each
    sorted by UUID (spec routes-4.6).
    """
    nb = zone.nb
    found = dict.fromkeys(nb.find_among("Load_Balancer", "vip", vip, nb.children("Logical_Router", "load_balancer", router)))
    for group in sorted(nb.children("Logical_Router", "load_balancer_group", router)):
        found.update(dict.fromkeys(nb.find_among("Load_Balancer", "vip", vip, nb.children("Load_Balancer_Group", "load_balancer", group))))
    return list(found)


def has_ipv4_vip(zone: Zone, router: str) -> bool:
    """Whether a load balancer of a router has an IPv4 VIP. Stops at the first."""
    nb, found = zone.nb, zone.nb.filed("Load_Balancer", "vip", "IPv4")
    groups = nb.children("Logical_Router", "load_balancer_group", router)
    return not found.isdisjoint(nb.children("Logical_Router", "load_balancer", router)) or any(
        not found.isdisjoint(nb.children("Load_Balancer_Group", "load_balancer", group)) for group in groups
    )


def moved_vips(change: RowChange) -> set[str]:
    """The texts of the VIPs that a change of a load balancer's row added or removed. Empty if only backends changed."""
    old = change.old["vips"].keys() if change.old is not None else set()
    new = change.new["vips"].keys() if change.new is not None else set()
    return set(old ^ new)


# ---- Dynamic routes --------------------------------------------------------------------------------------------------


def datapath_router(row: Row) -> str | None:
    """The router of an SB Datapath_Binding: nb_uuid, or external_ids:logical-router in older schemas (spec routes-2.2,
    routes-9.2).
    """
    router: str | None = row["nb_uuid"] or row["external_ids"].get("logical-router")
    return router.lower() if router else None


def _datapath_keys(row: Row) -> Iterable[Hashable]:
    router = datapath_router(row)
    return () if router is None else (router,)


def datapath_of(zone: Zone, router: str) -> str | None:
    """The SB Datapath_Binding of a router."""
    row = zone.sb.first("Datapath_Binding", "router", router)
    return None if row is None else row.uuid


def dynamic_to(zone: Zone, datapath: str | None, prefix: Prefix) -> list[Row]:
    """The SB Learned_Routes of a datapath to this network, ignoring host bits."""
    if datapath is None:
        return []
    found = zone.sb.find("Learned_Route", "destination", destination(prefix, datapath))
    return [row for row in found if row["datapath"] == datapath]
