# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Determines which keys of a subject of routes a row change affects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

from ...address import Prefix, parse_prefix
from ...ovsdb.store import Members, Row, RowChange
from .former_links import Links
from .view import RouteView

STATIC_ROUTE = "Logical_Router_Static_Route"


class AffectedKeys(ABC):
    """Determines the keys of one subject that a change affects. What both subjects of routes have in common is here."""

    def __init__(self, view: RouteView, links: Links) -> None:
        self.view = view
        self._links = links

    #: By table: the method that returns the keys for a change of one of its rows.
    BY_TABLE: ClassVar[Mapping[str, Callable[[Any, RowChange], Iterable[Hashable]]]]

    def by(self, change: RowChange) -> Iterable[Hashable]:
        """The keys that a change of one of the subject's tables affects."""
        return self.BY_TABLE[change.table](self, change)

    @abstractmethod
    def _of_static(self, routers: Iterable[str], static: Row) -> Iterator[Hashable]:
        """The keys that depend on whether these routers have a static route."""

    @abstractmethod
    def _of_balancers(self, routers: Iterable[str], balancers: Iterable[str]) -> Iterator[Hashable]:
        """The keys that depend on whether these routers use load balancers, given by UUID."""

    @abstractmethod
    def _of_dynamic(self, routers: Iterable[str], prefix: Prefix) -> Iterator[Hashable]:
        """The keys that depend on whether these routers have a dynamic route to this prefix."""

    def _of_ports(self, _router: str, _ports: Iterable[str]) -> Iterable[Hashable]:
        """The keys that depend on whether a router has router ports, given by UUID, apart from its participating ports."""
        return ()

    def _by_members(self, router: str, edges: Mapping[str, Members]) -> Iterator[Hashable]:
        """Members of a router were added or removed. Members whose row was deleted are found by their own changes."""
        nb = self.view.zone.nb
        for column, members in edges.items():
            moved = members.added | members.removed
            if column == "static_routes":
                for uuid in moved:
                    static = nb.row(STATIC_ROUTE, uuid)
                    yield from self._of_static((router,), static) if static is not None else ()
            elif column == "ports":
                yield from self._of_ports(router, moved)
            elif column == "load_balancer":
                yield from self._of_balancers((router,), moved)
            elif column == "load_balancer_group":
                for group in moved:
                    yield from self._of_balancers((router,), nb.children("Load_Balancer_Group", "load_balancer", group))

    def by_static(self, change: RowChange) -> Iterator[Hashable]:
        """A static route has changed."""
        routers = self._links.of_static(self.view.zone, change.uuid)
        for row in change.rows:
            yield from self._of_static(routers, row)

    def by_group(self, change: RowChange) -> Iterator[Hashable]:
        """Load balancers were added to or removed from a group. VIPs of balancers that changed themselves are found by
        their own changes.
        """
        members = change.edges.get("load_balancer")
        if members is not None:
            yield from self._of_balancers(self._links.of_group(self.view.zone, change.uuid), members.added | members.removed)

    def by_dynamic(self, change: RowChange) -> Iterator[Hashable]:
        """A dynamic route has changed."""
        for row in change.rows:
            yield from self._at_datapath(row["datapath"], row)

    def by_datapath(self, change: RowChange) -> Iterator[Hashable]:
        """A datapath of SB has changed: its dynamic routes may belong to another router."""
        if change.changed("nb_uuid", "external_ids"):
            for learned in self.view.zone.sb.find("Learned_Route", "datapath", change.uuid):
                yield from self._at_datapath(change.uuid, learned)

    def _at_datapath(self, datapath: str, learned: Row) -> Iterator[Hashable]:
        prefix = parse_prefix(learned["ip_prefix"])
        if prefix is not None:
            yield from self._of_dynamic(self._links.of_datapath(self.view.zone, datapath), prefix)
