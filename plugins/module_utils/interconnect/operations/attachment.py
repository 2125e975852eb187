# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attachment of a router to a transit switch: router port, switch port and gateways, as Changes of one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..address import Prefix, format_prefix, parse_mac, parse_port_address, parse_prefix
from ..engine.change import Change, add, delete, insert, remove, update
from ..ovsdb.replica import Replica
from ..ovsdb.store import Row, Store
from ..subjects import transit
from ..subjects.transit_switches import TransitSwitches, switch_columns
from ..sync.monitor_conditions import keeps_ports
from ..tables import IC_NB, IC_SB, NB, SB
from ..zone import Zone
from .addressing import Occupant, bound, check_occupants, check_router, check_subnets, occupant, port_networks, read_subnets
from .errors import ModuleError
from .links import ROUTER_PORT_KEY, SUBNETS, Link, Links, default_switch_port, is_managed, linked_port
from .option_checks import LONGEST_NAME, checked_mac, present_name
from .port_gateways import PortGateways
from .port_renaming import rename_references, want_references
from .registration import narrowed, zone_of

Params = Mapping[str, Any]
Stores = Mapping[str, Store]

NORTH = narrowed(
    NB,
    {
        "NB_Global": "name options:map external_ids:map",
        "Logical_Router": "name ports:refs enabled:optbool options:map external_ids:map",
        "Logical_Router_Port": "name mac networks:strs enabled:optbool gateway_chassis:refs ha_chassis_group:optuuid peer:optstr",
        "Gateway_Chassis": "name chassis_name priority:int",
        "HA_Chassis_Group": "name ha_chassis:refs external_ids:map",
        "HA_Chassis": "chassis_name priority:int",
        "Logical_Switch": "name ports:refs other_config:map external_ids:map",
        "Logical_Switch_Port": "name type enabled:optbool addresses:strs options:map peer:optstr ha_chassis_group:optuuid",
        "Logical_Router_Static_Route": "output_port:optstr",
        "BFD": "logical_port",
        "Static_MAC_Binding": "logical_port",
    },
)
SOUTH = narrowed(SB, {"Chassis": "name other_config:map"})
GLOBAL = narrowed(IC_NB, {"IC_NB_Global": "options:map", "Transit_Switch": "name external_ids:map"})
SHARED = narrowed(
    IC_SB,
    {
        "IC_SB_Global": "external_ids:map",
        "Availability_Zone": "name",
        "Port_Binding": "logical_port transit_switch availability_zone:uuid address",
    },
)


def narrow(params: Params, replicas: Mapping[str, Replica]) -> None:
    """Restrict the replicas to what is needed: ports with a type, but not the many ports of virtual machines; and no
    routes.
    """
    replicas[NB].keeps_members = keeps_ports
    _want_ports(params, replicas, set(), set())
    want_references(replicas[NB], None)


def widen(params: Params, stores: Stores, replicas: Mapping[str, Replica]) -> None:
    """Extend the replicas by what the contents show to be needed: ports with a name that will be used, all ports on the
    switch, and references to a renamed port.
    """
    attachment = Attachment(params, stores)
    links = attachment.links
    known = {row.uuid for row in links.switch_ports}
    switches = transit.switches(attachment.zone, params["transit_switch"])
    hidden = {uuid for switch in switches for uuid in attachment.nb.children("Logical_Switch", "ports", switch.uuid)} - known
    _want_ports(params, replicas, {links.switch_port}, hidden)
    port = links.link.port if params["state"] == "present" else None
    want_references(replicas[NB], port["name"] if port is not None and params["port"] not in (None, port["name"]) else None)


def _want_ports(params: Params, replicas: Mapping[str, Replica], names: set[str], uuids: set[str]) -> None:
    by_name = [["name", "==", name] for name in sorted(names | {params["switch_port"] or ""} - {""})]
    by_uuid = [["_uuid", "==", ["uuid", uuid]] for uuid in sorted(uuids)]
    replicas[NB].want("Logical_Switch_Port", [["type", "!=", ""], *by_name, *by_uuid])


class Attachment:
    """One attachment: its desired state and the existing objects."""

    def __init__(self, params: Params, stores: Stores) -> None:
        self._params = params
        self._stores = stores
        self.nb = stores[NB]
        for option in ("router", "transit_switch", "port", "switch_port"):
            if params[option] is not None:
                present_name(params[option], option, params["state"])
        self.router: str = params["router"]
        self.transit_switch: str = params["transit_switch"]
        self.zone: Zone = zone_of(stores)
        TransitSwitches().prepare(self.zone)
        self.links = Links(params, self.zone)

    @property
    def port(self) -> str:
        """The desired name of the router port: the given one, or the present one."""
        row = self.links.link.port
        return str(row["name"]) if row is not None and self._params["port"] is None else str(self.links.port)

    @property
    def switch_port(self) -> str:
        """The desired name of the switch port: the given one, or the present one."""
        row = self.links.link.switch_port
        return str(row["name"]) if row is not None and self._params["switch_port"] is None else str(self.links.switch_port)

    @property
    def _gateways(self) -> PortGateways:
        return PortGateways(self._params, self.zone, self.port)

    def describe(self) -> dict[str, Any]:
        """The present attachment, empty if it does not exist."""
        port, switch_port = self.links.link if self._params["state"] == "present" else self.links.named
        if port is None or switch_port is None:
            return {}
        return {
            "router": self.router,
            "transit_switch": self.transit_switch,
            "port": port["name"],
            "port_uuid": port.uuid,
            "switch_port": switch_port["name"],
            "switch_port_uuid": switch_port.uuid,
            "mac": port["mac"],
            "networks": sorted(port["networks"]),
            **self._gateways.describe(port),
        }

    def collision(self) -> str | None:
        """A warning if another zone has a port with the name of this switch port, so that this one is not published; else None."""
        row = self.links.link.switch_port
        zone = self._zone_with(row["name"]) if row is not None else None
        if row is None or zone is None:
            return None
        return (
            f"the switch port {row['name']!r} of router {self.router!r} has the name of a port of zone "
            f"{zone!r}, so other zones do not see it; rename it with switch_port, such as "
            f"{default_switch_port(self.router, self.transit_switch, self.zone.name)!r}"
        )

    def _zone_with(self, name: str) -> str | None:
        """The other zone that has a port of this name in IC_SB, as far as IC_SB is known."""
        own = self.zone.own_az
        for row in self.zone.ic_sb.find("Port_Binding", "logical_port", name):
            az = self.zone.ic_sb.row("Availability_Zone", row["availability_zone"])
            if az is not None and az["name"] != self.zone.name and (own is None or az.uuid != own.uuid):
                return str(az["name"])
        return None

    def remaining(self) -> str | None:
        """A warning about an attachment with other names that was not changed; None if there is none."""
        remaining = self.links.remaining() if self.links.named == Link() else ""
        if not remaining:
            return None
        given = [f"{option} {self._params[option]!r}" for option in ("port", "switch_port") if self._params[option] is not None]
        return (
            f"router {self.router!r} is still attached to transit switch {self.transit_switch!r} by "
            f"{remaining}: the task names {' and '.join(given)} and does not change other attachments; to "
            "remove it too, name its ports or omit these options"
        )

    # -- absent ----------------------------------------------------------------------------------------------------------------------

    def withdraw(self) -> Iterator[Change]:
        """Remove both ports, and the HA chassis group with the last port that uses it.

        A switch port that the daemon creates from IC_NB is kept, as is a router port that another switch port names. An
        attachment with names other than the given ones is kept, so that repeating a task that removes one of two
        attachments does not remove the other.
        """
        port, switch_port = self.links.named
        reason = f"router {self.router} is being detached from transit switch {self.transit_switch}"
        if switch_port is not None and not is_managed(switch_port):
            yield from self._remove("Logical_Switch", switch_port, reason)
        if port is not None and all(row == switch_port for row in self.links.linking(port)):
            yield from self._remove("Logical_Router", port, reason)
            yield from self._gateways.leave(port)

    def _remove(self, parent_table: str, row: Row, reason: str) -> Iterator[Change]:
        """Remove a port from its switch or router, and delete it. If its HA chassis group is deleted too, nothing may
        refer to it.
        """
        for parent in self.nb.parent_rows(parent_table, "ports", row.uuid):
            yield from update(self.nb, parent_table, parent, record=parent["name"], reason=reason, members={"ports": remove(row.uuid)})
        yield delete(self.nb, f"{parent_table}_Port", row, record=row["name"], reason=reason)

    # -- present ---------------------------------------------------------------------------------------------------------------------

    def make(self) -> Iterator[Change]:
        """Create or update the router port, its gateways and the switch port."""
        router = self.links.router
        if router is None:
            raise ModuleError(f"router {self.router!r} does not exist; create it, or correct the option router", database=NB)
        self._check_transit_switch()
        self._gateways.check(SB in self._stores)
        self._check_default_names(self.links.link)
        self._check_names(self.links.link)
        self._check_addresses(router)
        yield from self._make_router_port(router)
        yield from self._make_switch_port()

    def _check_transit_switch(self) -> None:
        if IC_NB in self._stores:
            if self.zone.ic_nb.first("Transit_Switch", "name", self.transit_switch) is None:
                raise ModuleError(
                    f"transit switch {self.transit_switch!r} does not exist; create it with "
                    "ovn_ic_transit_switch, or correct the option transit_switch",
                    database=IC_NB,
                )
        elif self.links.switch is None:
            raise ModuleError(
                f"the zone has no switch for the transit switch {self.transit_switch!r}; give ic_nb_db, so that "
                "the module can create it if the transit switch exists, or wait until the zone's sync daemon "
                "has created it",
                database=NB,
            )

    def _check_addresses(self, router: Row) -> None:
        """Raise ModuleError if the desired MAC or networks are not valid, or collide with those on the router or the
        transit switch.
        """
        mac, networks = self._params["mac"], self._wanted_networks() or []
        if mac is not None:
            checked_mac(mac, "mac")
        transit_switch = self.zone.ic_nb.first("Transit_Switch", "name", self.transit_switch)
        subnets = read_subnets(transit_switch["external_ids"].get(SUBNETS, "") if transit_switch is not None else "")
        check_subnets(networks, subnets, self.transit_switch, IC_NB)
        check_router(networks, self._other_ports(router), self.router, NB)
        check_occupants(mac, networks, self._occupants(), self.transit_switch, subnets)

    def _wanted_networks(self) -> list[Prefix] | None:
        return None if self._params["networks"] is None else port_networks(self._params["networks"], "networks")

    def _other_ports(self, router: Row) -> Iterator[tuple[str, list[Prefix]]]:
        """The other ports of the router, each with its networks."""
        own = self.links.link.port
        for row in self.nb.child_rows("Logical_Router", "ports", router.uuid, "Logical_Router_Port"):
            if own is None or row.uuid != own.uuid:
                yield row["name"], [prefix for prefix in map(parse_prefix, sorted(row["networks"])) if prefix is not None]

    def _occupants(self) -> Iterator[Occupant]:
        """The other ports on the transit switch: of this zone from NB; of other zones from IC_SB if it was read."""
        own, shared = self.links.link.switch_port, IC_SB in self._stores
        for row in self.links.switch_ports:
            if row != own and not (shared and row["type"] == "remote"):
                port = self.zone.router_port(linked_port(row))
                texts = list(row["addresses"]) if port is None else [" ".join([port["mac"], *sorted(port["networks"])])]
                yield occupant(row["name"], "", NB, texts)
        if shared:
            az = self.zone.own_az or self.zone.ic_sb.first("Availability_Zone", "name", self.zone.name)
            for name in self._shared_names():
                yield from bound(self.zone.ic_sb, name, az.uuid if az is not None else None)

    def _shared_names(self) -> Iterator[str]:
        """The names that the transit switch may have in IC_SB: after a rename, its rows keep the former name for a
        while.
        """
        yield self.transit_switch
        row = self.zone.ic_nb.first("Transit_Switch", "name", self.transit_switch)
        former = transit.former_name(self.zone, row) if row is not None else None
        if former is not None:
            yield former

    # -- names -----------------------------------------------------------------------------------------------------------------------

    def _check_default_names(self, link: Link) -> None:
        """Raise ModuleError if a default name, composed of the names of router, transit switch and zone, is too long."""
        for option, row, name in (("port", link.port, self.port), ("switch_port", link.switch_port, self.switch_port)):
            if row is None and self._params[option] is None and len(name) > LONGEST_NAME:
                raise ModuleError(
                    f"the default name of {option} has {len(name)} characters; set {option} to a name of at most {LONGEST_NAME} characters"
                )

    def _check_names(self, link: Link) -> None:
        """Raise ModuleError if the desired name of a port belongs to another object, or if this module must not change
        the name.
        """
        port, switch_port = link
        renamed = port is not None and port["name"] != self.port
        if switch_port is not None and is_managed(switch_port) and (renamed or switch_port["name"] != self.switch_port):
            raise ModuleError(
                f"the switch port {switch_port['name']!r} is created from the transit switch port of that name "
                "in IC_NB, which also names the router port; change it there with ovn_ic_transit_switch_port, "
                "and omit port and switch_port here",
                database=NB,
            )
        other = self.zone.router_port(self.port)
        if other is not None and other != port:
            raise ModuleError(self._taken_by_router_port(other), database=NB)
        if switch_port is None or switch_port["name"] != self.switch_port:
            self._check_switch_port_name(self.switch_port)

    def _taken_by_router_port(self, row: Row) -> str:
        advice = "choose another name with the option port"
        if not self.links.has(row):
            return f"the port {self.port!r} belongs to another router; {advice}"
        if row["peer"]:
            return f"the port {self.port!r} of router {self.router!r} is linked to router port {row['peer']!r}; {advice}"
        linking = self.links.linking(row)
        if linking:
            return f"the port {self.port!r} of router {self.router!r} is linked by the switch port {linking[0]['name']!r}; {advice}"
        return f"router {self.router!r} has another port {self.port!r}, which no switch port links; remove it, or {advice}"

    def _check_switch_port_name(self, name: str) -> None:
        advice = "choose another name with the option switch_port"
        unique = f"port names must be unique across all zones; {advice}"
        row = self.zone.switch_port(name)
        if row is not None:
            if row not in self.links.switch_ports:
                reason = f"the port {name!r} belongs to another switch; {advice}"
            elif row["type"] == "remote":
                reason = f"the port {name!r} is of type 'remote', because another zone has a port of that name; {unique}"
            elif row["type"] != "router":
                reason = f"the port {name!r} is of type {row['type']!r} instead of router; {advice}"
            elif linked_port(row):
                reason = f"the switch port {name!r} links the router port {linked_port(row)!r}; {advice}"
            else:
                reason = f"another switch port {name!r} exists, which names no router port; remove it, or {advice}"
            raise ModuleError(reason, database=NB)
        zone = self._zone_with(name)
        if zone is not None:
            raise ModuleError(f"zone {zone!r} has a port {name!r} in IC_SB; {unique}", database=IC_SB)

    # -- the router port -------------------------------------------------------------------------------------------------------------

    def _make_router_port(self, router: Row) -> Iterator[Change]:
        port, networks = self.links.link.port, self._wanted_networks()
        texts = None if networks is None else frozenset(map(format_prefix, networks))
        if port is None:
            if self._params["mac"] is None or texts is None:
                missing = " and ".join(option for option in ("mac", "networks") if self._params[option] is None)
                raise ModuleError(f"the router port {self.port!r} does not exist yet; give {missing} too, so that it can be created")
            yield from self._new_router_port(router, texts)
            return
        columns: dict[str, Any] = {"name": self.port}
        if self._params["mac"] is not None and parse_mac(port["mac"]) != parse_mac(self._params["mac"]):
            columns["mac"] = self._params["mac"]
        if texts is not None and {parse_prefix(text) for text in port["networks"]} != set(networks or ()):
            columns["networks"] = texts
        yield from update(self.nb, "Logical_Router_Port", port, record=self.port, reason="the options differ", columns=columns)
        if port["name"] != self.port:
            yield from rename_references(self.nb, port["name"], self.port)
            yield from self._gateways.rename(port)
        yield from self._gateways.change(port)

    def _new_router_port(self, router: Row, networks: frozenset[str]) -> Iterator[Change]:
        reason = f"router {self.router} is being attached to transit switch {self.transit_switch}"
        columns: dict[str, Any] = {"name": self.port, "mac": self._params["mac"], "networks": networks}
        yield from self._gateways.make(columns)
        yield insert(self.nb, "Logical_Router_Port", columns, record=self.port, reason=reason, name="@router_port")
        yield from update(self.nb, "Logical_Router", router, record=self.router, reason=reason, members={"ports": add("@router_port")})

    # -- the switch port -------------------------------------------------------------------------------------------------------------

    def _make_switch_port(self) -> Iterator[Change]:
        row = self.links.link.switch_port
        if row is None:
            reason = f"router {self.router} is being attached to transit switch {self.transit_switch}"
            columns = {
                "name": self.switch_port,
                "type": "router",
                "addresses": frozenset(["router"]),
                "options": {ROUTER_PORT_KEY: self.port},
            }
            yield insert(self.nb, "Logical_Switch_Port", columns, record=self.switch_port, reason=reason, name="@switch_port")
            yield from self._add_switch_port(reason)
        elif not is_managed(row):
            yield from update(
                self.nb,
                "Logical_Switch_Port",
                row,
                record=self.switch_port,
                reason="the options differ",
                columns={
                    "name": self.switch_port,
                    "addresses": self._switch_port_addresses(row),
                    "peer": self.port if row["peer"] else None,
                },
                keys={} if linked_port(row) == self.port else {"options": {ROUTER_PORT_KEY: self.port}},
            )

    def _switch_port_addresses(self, row: Row) -> frozenset[str]:
        """``router``, unless an operator has written the MAC of the router port."""
        port = self.links.link.port
        mac = self._params["mac"] or (port["mac"] if port is not None else None)
        macs = {address.mac for address in map(parse_port_address, row["addresses"]) if address is not None}
        kept = "router" in row["addresses"] or (mac is not None and macs == {parse_mac(mac)})
        addresses: frozenset[str] = row["addresses"]
        return addresses if kept else frozenset(["router"])

    def _add_switch_port(self, reason: str) -> Iterator[Change]:
        """Insert the port on the zone's switch. If the daemon has not created the switch yet, it is created in the same
        way.
        """
        switch = self.links.switch
        if switch is not None:
            yield from update(
                self.nb, "Logical_Switch", switch, record=switch["name"], reason=reason, members={"ports": add("@switch_port")}
            )
            return
        transit_switch = self.zone.ic_nb.first("Transit_Switch", "name", self.transit_switch)
        if transit_switch is not None:
            columns = {**switch_columns(self.zone, transit_switch), "ports": frozenset(["@switch_port"])}
            reason = f"transit switch {self.transit_switch} exists in IC_NB"
            none = {"other_config": {transit.SWITCH_KEY: self.transit_switch}}
            yield insert(self.nb, "Logical_Switch", columns, record=self.transit_switch, reason=reason, name="@switch", unless=none)
