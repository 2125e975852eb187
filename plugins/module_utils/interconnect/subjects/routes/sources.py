# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a router can publish in IC_SB: static routes, networks of its ports, VIPs, dynamic routes (spec routes-4.5 and
routes-9.2).

This module does not check policy, next hops or existing rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...address import DISCARD, Address, Prefix, is_fe80_64, parse_nexthop, parse_prefix
from ...ovsdb.store import Row
from ...settings import boolean
from ...zone import Zone
from . import participants, rows
from .participants import Participant
from .view import RouteView

CONNECTED, STATIC, LOADBALANCER, DYNAMIC = "connected", "static", "loadbalancer", "connected-dynamic"


class Source(NamedTuple):
    """One reason to publish a prefix through a port. ``kind`` (route, lrp, loadbalancer, lr) and ``uuid`` identify the
    row of the source.

    ``via`` is the next hop of a static or dynamic route, ``out`` the output port that a static route names.
    """

    kind: str
    uuid: str
    origin: str
    route_table: str
    prefix: Prefix
    override: bool = False
    via: Address | None = None
    out: str | None = None


def networks(row: Row) -> Iterator[Prefix]:
    """The valid networks of a router port, as written. None for a disabled port, because ovn-northd drops packets to
    it.
    """
    for text in row["networks"] if row["enabled"] is not False else ():
        prefix = parse_prefix(text)
        if prefix is not None:
            yield prefix


def static_source(row: Row, route_table: str) -> Source | str:
    """The source of a static route for ports with this route table, or why the route is not a source (spec routes-S1)."""
    if rows.learned_from(row) is not None:
        return "it was learned through the interconnect, and such routes are not advertised again"
    if row["route_table"] != route_table:
        return f'its route table is "{row["route_table"]}", but that of the port is "{route_table}"'
    prefix = parse_prefix(row["ip_prefix"])
    if prefix is None:
        return f'its ip_prefix "{row["ip_prefix"]}" is not a prefix'
    if row["policy"] == "src-ip":
        return "its policy is src-ip"
    hop = None
    if row["nexthop"] != DISCARD:
        hop = parse_nexthop(row["nexthop"])
        if hop is None:
            return f'its nexthop "{row["nexthop"]}" is not an address'
        if is_fe80_64(hop):
            return "its nexthop is a link-local address"
    return Source("route", row.uuid, STATIC, route_table, prefix, boolean(row["options"], rows.OVERRIDE), hop, row["output_port"])


def _local_sources(kind: str, uuid: str, prefix: Prefix, port_table: str, main_origin: str, via: Address | None = None) -> Iterator[Source]:
    """The sources of a connected network or dynamic route (spec routes-S2, routes-S4): one for the main table, and one for
    the port's own table, if it has one. The latter overrides connected routes in that table.
    """
    if port_table:
        yield Source(kind, uuid, CONNECTED, port_table, prefix, True, via)
    yield Source(kind, uuid, main_origin, "", prefix, False, via)


def sources(view: RouteView, port: Participant) -> Iterator[Source]:
    """Everything that the port's router can publish through the port. Does not check policy."""
    nb, router, table = view.zone.nb, port.router.uuid, port.options.route_table
    for static in nb.child_rows("Logical_Router", "static_routes", router, "Logical_Router_Static_Route"):
        source = static_source(static, table)
        if isinstance(source, Source):
            yield source
    for lrp in nb.child_rows("Logical_Router", "ports", router, "Logical_Router_Port"):
        if not participants.is_transit(view, lrp, router):
            for prefix in networks(lrp):
                yield from _local_sources("lrp", lrp.uuid, prefix, table, CONNECTED)
    for balancer in rows.balancers_of(view.zone, router).values():
        for vip in rows.vips(balancer):
            yield Source("loadbalancer", balancer.uuid, LOADBALANCER, "", vip)
    datapath = rows.datapath_of(view.zone, router)
    for learned in view.zone.sb.find("Learned_Route", "datapath", datapath) if datapath is not None else ():
        dynamic = parse_prefix(learned["ip_prefix"])
        if dynamic is not None:
            yield from _local_sources("lr", router, dynamic, table, DYNAMIC, parse_nexthop(learned["nexthop"]))


def sources_of(view: RouteView, port: Participant, table: str, prefix: Prefix) -> Iterator[Source]:
    """The items of :func:`sources` with this table and prefix, in the order of 4.6. The cost depends only on their
    number.
    """
    router, port_table = port.router.uuid, port.options.route_table
    for static in rows.statics_to(view.zone, router, prefix) if table == port_table else ():
        source = static_source(static, table)
        if isinstance(source, Source) and source.prefix == prefix:
            yield source
    if table not in ("", port_table):
        return
    for lrp in view.zone.nb.find_among("Logical_Router_Port", "network", prefix, view.zone.nb.children("Logical_Router", "ports", router)):
        if not participants.is_transit(view, lrp, router):
            yield from _in_table(table, _local_sources("lrp", lrp.uuid, prefix, port_table, CONNECTED))
    if not table and prefix.is_host:
        for balancer in rows.balancers_with(view.zone, router, prefix):
            yield Source("loadbalancer", balancer.uuid, LOADBALANCER, "", prefix)
    if view.zone.sb.count("Learned_Route"):
        for learned in rows.dynamic_to(view.zone, rows.datapath_of(view.zone, router), prefix):
            if parse_prefix(learned["ip_prefix"]) == prefix:
                yield from _in_table(table, _local_sources("lr", router, prefix, port_table, DYNAMIC, parse_nexthop(learned["nexthop"])))


def _in_table(table: str, found: Iterable[Source]) -> Iterator[Source]:
    return (source for source in found if source.route_table == table)


def as_server_allows(zone: Zone, source: Source) -> Source | str:
    """The source in the form that the schema of IC_SB supports, or why the schema does not support it (spec
    routes-9.2).
    """
    schema = zone.ic_sb.schema
    if source.route_table and not schema.has("Route", "route_table"):
        return "this IC_SB does not support route tables"
    if source.override and not schema.has("Route", "options"):
        if source.kind != "route":
            return "this IC_SB does not support routes that override connected routes"
        source = source._replace(override=False)
    if schema.has("Route", "origin") and not schema.allows("Route", "origin", source.origin):
        if source.origin != DYNAMIC:
            return f"this IC_SB does not support routes of origin {source.origin}"
        source = source._replace(origin=CONNECTED)
    return source
