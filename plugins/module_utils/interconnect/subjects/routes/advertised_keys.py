# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Determines which own rows of IC_SB ``Route`` a row change affects: the keys of the subject advertised_routes.

A source is a static route, a network, a VIP or a dynamic route. A source that was inserted, changed or deleted affects
only rows of the routers that have it or had it before. Their keys are computed from the present ports of these routers.
If the ports changed in the same turn, the changes of the ports give the keys that depend on their former properties.
The routers must be known, because a thousand other routers may have a route to the same prefix.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import ClassVar, NamedTuple

from ...address import Prefix, is_fe80_64, next_hops, parse_ip, parse_port_address, parse_prefix
from ...ovsdb.store import Row, RowChange
from ...tables import IC_SB, NB
from ...zone import Zone
from .. import transit
from . import participants, rows
from .affected_keys import AffectedKeys
from .decision import Published, next_hop_of
from .participants import Participant
from .sources import networks, sources
from .view import RouteView


class Other(NamedTuple):
    """A key that is not the contents of a valid row. ``kind`` is ``row`` for an own row with invalid contents. For
    ``port``, ``balancer`` and ``zone``, the plan consists only of reports about that object.
    """

    kind: str
    uuid: str


def row_key(row: Row) -> Published | Other:
    """The key of an own row. Bad rows (spec routes-4.7.1, routes-6.c) have a key of their own."""
    prefix, hop = parse_prefix(row["ip_prefix"]), parse_ip(row["nexthop"])
    if prefix is None or hop is None or is_fe80_64(hop):
        return Other("row", row.uuid)
    return Published(row["transit_switch"], row["route_table"], prefix, hop)


class AdvertisedKeys(AffectedKeys):
    """Determines the keys of advertised routes that one change affects."""

    def _by_route(self, change: RowChange) -> Iterator[Hashable]:
        for row in change.rows:
            if row["availability_zone"] == self.view.owner:
                yield row_key(row)

    # Ports, routers, switches.

    def _by_binding(self, change: RowChange) -> Iterator[Hashable]:
        if not change.changed("transit_switch", "availability_zone", "logical_port", "address", "type", "external_ids"):
            return
        routers = set()
        for row in change.rows:
            if row["availability_zone"] == self.view.owner:
                routers.add(participants.router_id(row))
                yield Other("port", row.uuid)
                yield from self._rows_via(row)
        for router in routers - {None}:
            yield from self._router(str(router))

    def _by_object(self, change: RowChange) -> Iterator[Hashable]:
        routers = set()
        for binding in participants.bindings_concerned(change, self.view, self._links).values():
            routers.add(participants.router_id(binding))
            yield Other("port", binding.uuid)
        for router in routers - {None}:
            yield from self._router(str(router))
        if change.table == "Logical_Router_Port" and change.changed("name", "networks", "enabled"):
            yield from self._by_networks(change)
        if change.table == "Logical_Router" and change.old is not None and change.new is not None:
            yield from self._by_members(change.uuid, change.edges)

    def _by_switch(self, change: RowChange) -> Iterator[Hashable]:
        """A transit switch, or the zone's switch for it, was inserted, deleted or renamed, or its ports changed
        (spec routes-6.d).
        """
        names = _transit_switches(self.view.zone, change)
        if names:
            for name in names:
                for row in rows.own_routes_on(self.view, name):
                    yield row_key(row)
                for binding in participants.bindings_on(self.view, name):
                    yield from port_keys(self.view, binding)
        elif "ports" in change.edges:
            for uuid in change.edges["ports"].added | change.edges["ports"].removed:
                moved = self.view.zone.nb.row("Logical_Switch_Port", uuid)
                if moved is not None and "router-port" in moved["options"]:
                    yield from self._by_object(RowChange(NB, "Logical_Switch_Port", uuid, None, moved, {}))

    def _router(self, router: str) -> Iterator[Hashable]:
        """Everything that a router has, or may have, in IC_SB."""
        for balancer in rows.balancers_of(self.view.zone, router):
            yield Other("balancer", balancer)
        for binding in participants.bindings_of(self.view, router):
            yield from self._rows_via(binding)
            yield from port_keys(self.view, binding)

    def _rows_via(self, binding: Row) -> Iterator[Hashable]:
        """The own rows whose next hop belongs to this port."""
        address = parse_port_address(binding["address"])
        for hop in next_hops(address) if address is not None else ():
            for row in self.view.zone.ic_sb.find("Route", "hop", (self.view.owner, binding["transit_switch"], hop)):
                yield row_key(row)

    # Sources.

    def _wanted(self, routers: Iterable[str], prefix: Prefix, static_table: str | None = None) -> Iterator[Hashable]:
        """The keys of a source that these routers have or had, one for each of their ports.

        A static route is published in its own route table, ``static_table``. Other sources are published in the main
        table and in the table of the port. If a port has no next hop for the source, the result is the key of the
        report about this.
        """
        for router in routers:
            for port in participants.ports_of(self.view, router):
                hop = next_hop_of(port, prefix)
                if hop is None or is_fe80_64(hop):
                    yield Other("port", port.binding.uuid)
                    continue
                table = port.options.route_table
                for one in {"", table} if static_table is None else {table} & {static_table}:
                    yield Published(port.transit_switch, one, prefix, hop)

    def _of_static(self, routers: Iterable[str], static: Row) -> Iterator[Hashable]:
        prefix = parse_prefix(static["ip_prefix"]) if rows.learned_from(static) is None else None
        if prefix is not None:
            yield from self._wanted(routers, prefix, static["route_table"])

    def _by_networks(self, change: RowChange) -> Iterator[Hashable]:
        routers = self._links.of_port(self.view.zone, change.uuid)
        for prefix in {prefix for row in change.rows for prefix in networks(row)}:
            yield from self._wanted(routers, prefix)
        for router in routers:
            for binding in participants.bindings_of(self.view, router):
                yield Other("port", binding.uuid)

    def _of_ports(self, router: str, ports: Iterable[str]) -> Iterator[Hashable]:
        for uuid in ports:
            lrp = self.view.zone.nb.row("Logical_Router_Port", uuid)
            for prefix in networks(lrp) if lrp is not None else ():
                yield from self._wanted((router,), prefix)

    def _of_balancers(self, routers: Iterable[str], balancers: Iterable[str]) -> Iterator[Hashable]:
        for uuid in balancers:
            balancer = self.view.zone.nb.row("Load_Balancer", uuid)
            if balancer is not None:
                yield Other("balancer", uuid)
                for vip in set(rows.vips(balancer)):
                    yield from self._wanted(routers, vip)

    def _by_balancer(self, change: RowChange) -> Iterator[Hashable]:
        moved = rows.moved_vips(change)
        if moved:
            yield Other("balancer", change.uuid)
        routers = self._links.of_balancer(self.view.zone, change.uuid)
        for vip in set(rows.read_vips(moved)):
            yield from self._wanted(routers, vip)

    def _of_dynamic(self, routers: Iterable[str], prefix: Prefix) -> Iterator[Hashable]:
        return self._wanted(routers, prefix)

    def _by_datapath(self, change: RowChange) -> Iterator[Hashable]:
        return self._by_switch(change) if change.database == IC_SB else self.by_datapath(change)

    BY_TABLE: ClassVar = {
        "Datapath_Binding": _by_datapath,
        "Learned_Route": AffectedKeys.by_dynamic,
        "Load_Balancer": _by_balancer,
        "Load_Balancer_Group": AffectedKeys.by_group,
        "Logical_Router": _by_object,
        "Logical_Router_Port": _by_object,
        "Logical_Router_Static_Route": AffectedKeys.by_static,
        "Logical_Switch": _by_switch,
        "Logical_Switch_Port": _by_object,
        "Port_Binding": _by_binding,
        "Route": _by_route,
        "Transit_Switch": _by_switch,
    }


def _transit_switches(zone: Zone, change: RowChange) -> set[str]:
    """The IC_SB names of the transit switches that a change of a transit switch, its datapath, or a zone's switch for
    it affects.
    """
    if change.table == "Datapath_Binding":
        return transit.names_affected(zone, change) if change.changed("transit_switch", "nb_ic_uuid") else set()
    if change.table == "Transit_Switch":
        names = [row["name"] if row is not None else None for row in (change.old, change.new)]
    else:
        names = [row["other_config"].get("interconn-ts") if row is not None else None for row in (change.old, change.new)]
    if names[0] == names[1]:
        return set()
    former = {row["transit_switch"] for row in zone.ic_sb.find("Datapath_Binding", "switch_row", change.uuid)}
    return former | {name for name in names if name is not None}


def port_keys(view: RouteView, binding: Row) -> Iterator[Published | Other]:
    """All keys of rows that the port's router publishes through this port."""
    yield Other("port", binding.uuid)
    port = participants.participant(view.zone, binding)
    if isinstance(port, Participant) and port.address is not None:
        for source in sources(view, port):
            hop = next_hop_of(port, source.prefix)
            if hop is not None and not is_fe80_64(hop):
                yield Published(port.transit_switch, source.route_table, source.prefix, hop)
