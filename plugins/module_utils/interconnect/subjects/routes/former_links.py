# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the routers of static routes, ports, VIPs and dynamic routes, at present and before the changes of one turn.

The stores hold the state after all changes of a turn. A router that lost a source in this turn is not found there. The
look-ups therefore combine two sets of links: those in the stores, and those that the changes of the turn removed. This
also finds a router if several links were removed in one turn, such as a load balancer from a group, and the group from
the router.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...ovsdb.store import Row, RowChange
from ...tables import NB, SB
from ...zone import Zone
from . import rows

_ROUTER, _GROUP = "Logical_Router", "Load_Balancer_Group"


class Links:
    """Maps objects to the routers that own them now or owned them before this batch. May return extra routers; never
    misses one.
    """

    def __init__(self, changes: Iterable[RowChange] = ()) -> None:
        #: By table, ``refs`` column and member: the rows that the member was removed from.
        self._former: dict[tuple[str, str, str], set[str]] = {}
        #: By SB Datapath_Binding: its former routers.
        self._datapaths: dict[str, set[str]] = {}
        #: By name: former contents of router ports.
        self._router_ports: dict[str, list[Row]] = {}
        for change in changes:
            if change.database == NB and change.edges and change.table in (_ROUTER, _GROUP):
                self._note_members(change)
            elif change.database == SB and change.table == "Datapath_Binding" and change.old is not None:
                self._datapaths.setdefault(change.uuid, set()).update(filter(None, (rows.datapath_router(change.old),)))
            elif change.table == "Logical_Router_Port" and change.old is not None:
                self._router_ports.setdefault(change.old["name"], []).append(change.old)

    def _note_members(self, change: RowChange) -> None:
        for column, members in change.edges.items():
            for member in members.removed:
                self._former.setdefault((change.table, column, member), set()).add(change.uuid)

    def _parents(self, zone: Zone, table: str, column: str, member: str) -> Iterable[str]:
        now = zone.nb.parents(table, column, member)
        former = self._former.get((table, column, member)) if self._former else None
        return former.union(now) if former else now

    def router_ports(self, zone: Zone, name: str) -> Iterator[Row]:
        """The router port of that name, with its former contents."""
        now = zone.router_port(name)
        if now is not None:
            yield now
        yield from self._router_ports.get(name, ())

    def of_static(self, zone: Zone, static: str) -> Iterable[str]:
        """The routers that contain a static route."""
        return self._parents(zone, _ROUTER, "static_routes", static)

    def of_port(self, zone: Zone, lrp: str) -> Iterable[str]:
        """The routers that contain a router port."""
        return self._parents(zone, _ROUTER, "ports", lrp)

    def of_group(self, zone: Zone, group: str) -> Iterable[str]:
        """The routers that use a group of load balancers."""
        return self._parents(zone, _ROUTER, "load_balancer_group", group)

    def of_balancer(self, zone: Zone, balancer: str) -> set[str]:
        """The routers that use a load balancer, directly or through a group."""
        routers = set(self._parents(zone, _ROUTER, "load_balancer", balancer))
        for group in self._parents(zone, _GROUP, "load_balancer", balancer):
            routers.update(self.of_group(zone, group))
        return routers

    def of_datapath(self, zone: Zone, datapath: str) -> set[str]:
        """The routers of an SB Datapath_Binding."""
        routers = set(self._datapaths.get(datapath, ()))
        row = zone.sb.row("Datapath_Binding", datapath)
        router = rows.datapath_router(row) if row is not None else None
        return routers | {router} if router is not None else routers
