# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the ports that attach a router to a transit switch, by their links and not by their names.

An attachment is a router port of the router and a port of type ``router`` on the zone's switch that names this router
port. Names matter only for half an attachment, whose other half is missing, because nothing else shows to which router
such a switch port belongs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from ..address import parse_mac, parse_port_address, parse_prefix
from ..ovsdb.store import Row
from ..subjects import transit
from ..subjects.port import MANAGED_KEY
from ..tables import NB
from ..zone import Zone
from .errors import ModuleError

Params = Mapping[str, Any]

ROUTER_PORT_KEY = "router-port"
SUBNETS = "transit-subnets"


class Link(NamedTuple):
    """The ports of an attachment. One of them is None if half of it is missing, both if the router is not attached."""

    port: Row | None = None
    switch_port: Row | None = None


def linked_port(row: Row) -> str:
    """The name of the router port that a switch port names, empty if it names none. Newer schemas also have a column
    for it.
    """
    return str(row["options"].get(ROUTER_PORT_KEY) or row["peer"] or "")


def is_managed(row: Row) -> bool:
    """Whether the sync daemon creates this switch port from a transit switch port of IC_NB. If so, it would revert
    changes.
    """
    return MANAGED_KEY in row["options"]


def default_port(router: str, transit_switch: str) -> str:
    """The default name of a new router port."""
    return f"{router}-{transit_switch}"


def default_switch_port(router: str, transit_switch: str, zone: str) -> str:
    """The default name of a new switch port. It contains the name of the zone, because port names must be unique across
    all zones of IC_SB.

    A zone without a name (``zone`` is empty) exchanges nothing, and its part is omitted.
    """
    return "-".join(filter(None, (transit_switch, zone, router)))


class Links:
    """The ports that link a router and a transit switch in one zone; ``params`` are the options of the module."""

    def __init__(self, params: Params, zone: Zone) -> None:
        self._zone, self._nb = zone, zone.nb
        self._router: str = params["router"]
        self._transit_switch: str = params["transit_switch"]
        self._mac, self._networks = params["mac"], params["networks"]
        self._given = {"port": params["port"], "switch_port": params["switch_port"]}
        self.port = params["port"] or default_port(self._router, self._transit_switch)
        self.switch_port = params["switch_port"] or default_switch_port(self._router, self._transit_switch, zone.name)
        self._nb.index("Logical_Switch_Port", ROUTER_PORT_KEY, lambda row: (linked_port(row),))

    # -- existing objects ----------------------------------------------------------------------------------------------

    @cached_property
    def router(self) -> Row | None:
        """The router. Raises ModuleError if several have the name."""
        rows = self._nb.find("Logical_Router", "name", self._router)
        if len(rows) > 1:
            raise ModuleError(f"{len(rows)} routers have the name {self._router!r}; give each router a unique name", database=NB)
        return rows[0] if rows else None

    @cached_property
    def switch(self) -> Row | None:
        """The zone's switch that stands for the transit switch."""
        return transit.switch_of(self._zone, self._transit_switch)

    @cached_property
    def switch_ports(self) -> list[Row]:
        """The known ports on all switches that claim to stand for the transit switch; the daemon keeps one of these
        switches.
        """
        switches = transit.switches(self._zone, self._transit_switch)
        return [row for switch in switches for row in self._nb.child_rows("Logical_Switch", "ports", switch.uuid, "Logical_Switch_Port")]

    def linking(self, port: Row) -> list[Row]:
        """The switch ports of the zone, on any switch, that name this router port."""
        rows = self._nb.find("Logical_Switch_Port", ROUTER_PORT_KEY, port["name"])
        return [row for row in rows if row["type"] == "router"]

    def has(self, port: Row) -> bool:
        """Whether the router has this port."""
        return self.router is not None and self.router.uuid in self._nb.parents("Logical_Router", "ports", port.uuid)

    @cached_property
    def whole(self) -> list[Link]:
        """All complete attachments of the router to the transit switch."""
        found = []
        for row in self.switch_ports:
            port = self._zone.router_port(linked_port(row)) if row["type"] == "router" else None
            if port is not None and self.has(port):
                found.append(Link(port, row))
        return found

    # -- the selected attachment ---------------------------------------------------------------------------------------

    @cached_property
    def link(self) -> Link:
        """The attachment, or the existing part of it. Raises ModuleError if several match."""
        if len(self.whole) < 2:
            return self.whole[0] if self.whole else self._half()
        named = [link for link in self.whole if self._is_named(link)]
        if len(named) == 1:
            return named[0]
        ports = ", ".join(sorted(f"{port['name']} with {row['name']}" for port, row in self.whole if port is not None and row is not None))
        raise ModuleError(
            f"router {self._router!r} is attached to transit switch {self._transit_switch!r} {len(self.whole)} "
            f"times, by these router ports and switch ports: {ports}; select one with port or switch_port",
            database=NB,
        )

    @cached_property
    def named(self) -> Link:
        """The attachment to remove: if names were given, only one that has one of them. Raises ModuleError like
        :attr:`link`.
        """
        if not any(self._given.values()):
            return self.link
        found = [link for link in self.whole if self._is_named(link)]
        if self.whole and not found:
            return Link()
        return self.link if self.whole or self._is_named(self.link) else Link()

    def remaining(self) -> str:
        """The port names of all attachments that remain, as text; empty if there is none."""
        links = self.whole or [self.link]
        parts = [
            [f"{word} {row['name']!r}" for word, row in zip(("router port", "switch port"), link) if row is not None] for link in links
        ]
        return ", and by ".join(sorted(" and ".join(part) for part in parts))

    def _is_named(self, link: Link) -> bool:
        names = {"port": {link.port["name"]} if link.port is not None else set(), "switch_port": set()}
        if link.switch_port is not None:
            names["port"].add(linked_port(link.switch_port))
            names["switch_port"].add(link.switch_port["name"])
        return any(self._given[option] in names[option] for option in names)

    def _half(self) -> Link:
        switch_port = next(self._dangling(), None)
        return Link(self._free_port(switch_port), switch_port)

    def _dangling(self) -> Iterator[Row]:
        """Switch ports that name no router port of the zone and have a name of this attachment, the most likely first."""
        rows = [
            row
            for row in self.switch_ports
            if row["type"] == "router" and not is_managed(row) and self._zone.router_port(linked_port(row)) is None
        ]
        yield from (row for row in rows if row["name"] == self.switch_port)
        yield from (row for row in rows if linked_port(row) == self.port)
        former = {
            default_switch_port(self._router, self._transit_switch, self._zone.name),
            default_switch_port(self._router, self._transit_switch, ""),
        }
        yield from (row for row in rows if row["name"] in former)
        yield from (row for row in rows if linked_port(row) == default_port(self._router, self._transit_switch))

    def _free_port(self, switch_port: Row | None) -> Row | None:
        """The router port that lost its switch port: it has the name, or there is proof that it was renamed."""
        if self.router is None:
            return None
        ports = self._nb.child_rows("Logical_Router", "ports", self.router.uuid, "Logical_Router_Port")
        free = {row["name"]: row for row in ports if not row["peer"] and not self.linking(row)}
        for name in (self.port, default_port(self._router, self._transit_switch)):
            if name in free:
                return free[name]
        found = [row for row in free.values() if self._is_wanted(row) or (switch_port is not None and self._was_linked(row, switch_port))]
        if len(found) > 1:
            raise ModuleError(
                f"the switch port of router {self._router!r} on transit switch {self._transit_switch!r} has "
                "lost its router port, which may be any of these: "
                f"{', '.join(sorted(row['name'] for row in found))}; select one with port",
                database=NB,
            )
        return found[0] if found else None

    def _is_wanted(self, port: Row) -> bool:
        """Whether the port has the given MAC and all given networks."""
        if self._mac is None or not self._networks:
            return False
        return parse_mac(port["mac"]) == parse_mac(self._mac) and set(map(parse_prefix, port["networks"])) == set(
            map(parse_prefix, self._networks)
        )

    def _was_linked(self, port: Row, switch_port: Row) -> bool:
        """Whether the port had the name that the switch port still names, according to its gateways, or lies in the
        transit switch's network.
        """
        gateways = self._nb.child_rows("Logical_Router_Port", "gateway_chassis", port.uuid, "Gateway_Chassis")
        if any(row["name"] == f"{linked_port(switch_port)}-{row['chassis_name']}" for row in gateways):
            return True
        networks = [prefix.network for prefix in map(parse_prefix, port["networks"]) if prefix is not None]
        return any(network.contains(host) for network in networks for host in self._transit_hosts())

    def _transit_hosts(self) -> Iterator[Any]:
        """Known addresses on the transit switch: its subnets, and the ports of other zones."""
        row = self._zone.ic_nb.first("Transit_Switch", "name", self._transit_switch)
        texts = row["external_ids"].get(SUBNETS, "").split(",") if row is not None else []
        yield from (prefix.host for prefix in map(parse_prefix, filter(None, texts)) if prefix is not None)
        for one in self.switch_ports:
            for address in map(parse_port_address, one["addresses"]):
                if address is not None:
                    yield from (prefix.host for prefix in (*address.ipv4, *address.ipv6))
