# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attachment of a router to a transit switch: router port, switch port and gateways, as Changes of one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..interconnect.address import Address, Prefix, format_address, format_prefix, parse_mac, parse_port_address, parse_prefix
from ..interconnect.change import Change, add, insert, remove, update
from ..interconnect.monitoring import keeps_ports
from ..interconnect.replica import Replica
from ..interconnect.schema import IC_NB, NB, SB
from ..interconnect.store import Row, Store
from ..interconnect.subjects import transit
from ..interconnect.subjects.transit_switches import TransitSwitches, switch_columns
from ..interconnect.zone import Zone
from .errors import ModuleError
from .gateways import Gateways
from .registration import narrowed, zone_of
from .wanted import checked_name, checked_prefix

Params = Mapping[str, Any]
Stores = Mapping[str, Store]

NORTH = narrowed(
    NB,
    {
        "Logical_Router": "name ports:refs options:map",
        "Logical_Router_Port": "name mac networks:strs gateway_chassis:refs ha_chassis_group:optuuid",
        "Gateway_Chassis": "name chassis_name priority:int",
        "HA_Chassis_Group": "name ha_chassis:refs external_ids:map",
        "HA_Chassis": "chassis_name priority:int",
        "Logical_Switch": "name ports:refs other_config:map external_ids:map",
        "Logical_Switch_Port": "name type addresses:strs options:map ha_chassis_group:optuuid",
    },
)
SOUTH = narrowed(SB, {"Chassis": "name other_config:map"})
GLOBAL = narrowed(IC_NB, {"IC_NB_Global": "options:map", "Transit_Switch": "name external_ids:map"})

SUBNETS = "transit-subnets"


def narrow(params: Params, replicas: Mapping[str, Replica]) -> None:
    """A zone's many ports of virtual machines are not looked at: only ports with a type, and the one that may have our name."""
    replicas[NB].want("Logical_Switch_Port", [["type", "!=", ""], ["name", "==", switch_port_name(params)]])
    replicas[NB].keeps_members = keeps_ports


def switch_port_name(params: Params) -> str:
    """The name of the switch port, given or made."""
    return str(params["switch_port"] or f"{params['transit_switch']}-{params['router']}")


class Attachment:
    """One attachment: what is wanted, and what is there of it."""

    def __init__(self, params: Params, stores: Stores) -> None:
        self._params = params
        self._stores = stores
        self.nb = stores[NB]
        self.router = checked_name(params["router"], "router")
        self.transit_switch = checked_name(params["transit_switch"], "transit_switch")
        self.port = checked_name(params["port"] or f"{self.router}-{self.transit_switch}", "port")
        self.switch_port = checked_name(switch_port_name(params), "switch_port")
        zone = zone_of(stores)
        TransitSwitches().prepare(zone)
        self._zone: Zone = zone
        self._gateways = Gateways(params, zone, self.port)

    # -- what is there ---------------------------------------------------------------------------------------------------------------

    @property
    def router_row(self) -> Row | None:
        """The router. Raises ModuleError where several have the name."""
        rows = self.nb.find("Logical_Router", "name", self.router)
        if len(rows) > 1:
            raise ModuleError(f"{len(rows)} routers are called {self.router!r}; give them names of their own", database=NB)
        return rows[0] if rows else None

    @property
    def switch_row(self) -> Row | None:
        """The zone's switch of the transit switch."""
        return transit.switch_of(self._zone, self.transit_switch)

    @property
    def port_row(self) -> Row | None:
        """The router port of that name, wherever it is."""
        return self._zone.router_port(self.port)

    @property
    def switch_port_row(self) -> Row | None:
        """The switch port of that name, wherever it is."""
        return self._zone.switch_port(self.switch_port)

    def describe(self) -> dict[str, Any]:
        """The attachment as it is, empty where it is not there."""
        port, switch_port, switch = self.port_row, self.switch_port_row, self.switch_row
        if port is None or switch_port is None or switch is None:
            return {}
        return {
            "router": self.router,
            "transit_switch": self.transit_switch,
            "port": self.port,
            "port_uuid": port.uuid,
            "switch_port": self.switch_port,
            "switch_port_uuid": switch_port.uuid,
            "mac": port["mac"],
            "networks": sorted(port["networks"]),
            **self._gateways.describe(port),
        }

    # -- absent ----------------------------------------------------------------------------------------------------------------------

    def withdraw(self) -> Iterator[Change]:
        """Both ports leave their router and switch, and with that they are gone; with the last port its HA chassis group."""
        for table, parent, child in (
            ("Logical_Switch", self.switch_row, self.switch_port_row),
            ("Logical_Router", self.router_row, self.port_row),
        ):
            if parent is not None and child is not None:
                reason = f"port {child['name']} is to be absent"
                yield from update(self.nb, table, parent, record=parent["name"], reason=reason, members={"ports": remove(child.uuid)})
                if table == "Logical_Router":
                    yield from self._gateways.leave(child)

    # -- present ---------------------------------------------------------------------------------------------------------------------

    def make(self) -> Iterator[Change]:
        """What is missing or different of the router port, its gateways and the switch port."""
        router = self.router_row
        if router is None:
            raise ModuleError(f"there is no router {self.router!r}; make it first, or correct the option router", database=NB)
        self._check_transit_switch()
        self._gateways.check(SB in self._stores)
        self._check_addresses()
        yield from self._make_router_port(router)
        yield from self._make_switch_port()

    def _check_transit_switch(self) -> None:
        if IC_NB in self._stores:
            if self._zone.ic_nb.first("Transit_Switch", "name", self.transit_switch) is None:
                raise ModuleError(
                    f"there is no transit switch {self.transit_switch!r}; make it with ovn_ic_transit_switch,"
                    " or correct the option transit_switch",
                    database=IC_NB,
                )
        elif self.switch_row is None:
            raise ModuleError(
                f"the zone has no switch for the transit switch {self.transit_switch!r}; give ic_nb_db, so that it can be made"
                " if the transit switch exists, or wait for the zone's sync daemon to make it",
                database=NB,
            )

    def _check_addresses(self) -> None:
        mac, networks = self._params["mac"], self._wanted_networks()
        if mac is not None:
            number = parse_mac(mac)
            if number is None or number == 0 or number >> 40 & 1:
                raise ModuleError(f"mac is {mac!r}, which is no address of a port; write one such as aa:bb:cc:00:00:01, not a group's")
            self._check_unused({number}, (), mac)
        if networks is None:
            return
        if not networks:
            raise ModuleError("networks is empty; give the router port at least one, such as 169.254.100.1/24")
        for network in networks:
            self._check_subnets(network)
            self._check_unused(set(), (network.host,), format_address(network.host))

    def _wanted_networks(self) -> list[Prefix] | None:
        if self._params["networks"] is None:
            return None
        return [checked_prefix(text, "networks") for text in self._params["networks"]]

    def _check_subnets(self, network: Prefix) -> None:
        row = self._zone.ic_nb.first("Transit_Switch", "name", self.transit_switch)
        text = row["external_ids"].get(SUBNETS, "") if row is not None else ""
        subnets = [subnet for subnet in map(parse_prefix, filter(None, text.split(","))) if subnet is not None]
        if subnets and not any(subnet.contains(network.host) for subnet in subnets):
            raise ModuleError(
                f"{format_address(network.host)} is outside the subnets of transit switch {self.transit_switch!r} ({text});"
                " choose an address inside",
                database=IC_NB,
            )

    def _check_unused(self, macs: set[int], addresses: Sequence[Address], text: str) -> None:
        switch = self.switch_row
        if switch is None:
            return
        for row in self.nb.child_rows("Logical_Switch", "ports", switch.uuid, "Logical_Switch_Port"):
            if row["name"] != self.switch_port and row["options"].get("router-port") != self.port:
                theirs_macs, theirs = self._addresses_of(row)
                if macs & theirs_macs or set(addresses) & theirs:
                    raise ModuleError(
                        f"{text} is used by port {row['name']!r} of transit switch {self.transit_switch!r}; choose another", database=NB
                    )

    def _addresses_of(self, row: Row) -> tuple[set[int], set[Address]]:
        """The MACs and addresses of another port on the switch: of its router port, or what another zone has announced."""
        texts = list(row["addresses"])
        port = self._zone.router_port(row["options"].get("router-port", ""))
        if port is not None:
            texts = [" ".join([port["mac"], *sorted(port["networks"])])]
        found = [address for address in map(parse_port_address, texts) if address is not None]
        return {one.mac for one in found}, {prefix.host for one in found for prefix in (*one.ipv4, *one.ipv6)}

    def _make_router_port(self, router: Row) -> Iterator[Change]:
        port, networks = self.port_row, self._wanted_networks()
        texts = None if networks is None else frozenset(map(format_prefix, networks))
        if port is None:
            if self._params["mac"] is None or texts is None:
                raise ModuleError(f"the router port {self.port!r} is not there yet, and mac or networks is missing; give both")
            yield from self._new_router_port(router, texts)
            return
        if router.uuid not in self.nb.parents("Logical_Router", "ports", port.uuid):
            raise ModuleError(f"the port {self.port!r} belongs to another router; choose another name with the option port", database=NB)
        columns: dict[str, Any] = {}
        if self._params["mac"] is not None and parse_mac(port["mac"]) != parse_mac(self._params["mac"]):
            columns["mac"] = self._params["mac"]
        if texts is not None and {parse_prefix(text) for text in port["networks"]} != set(networks or ()):
            columns["networks"] = texts
        yield from update(self.nb, "Logical_Router_Port", port, record=self.port, reason="the options differ", columns=columns)
        yield from self._gateways.change(port)

    def _new_router_port(self, router: Row, networks: frozenset[str]) -> Iterator[Change]:
        reason = f"router {self.router} is to be attached to transit switch {self.transit_switch}"
        columns: dict[str, Any] = {"name": self.port, "mac": self._params["mac"], "networks": networks}
        yield from self._gateways.make(columns)
        yield insert(self.nb, "Logical_Router_Port", columns, record=self.port, reason=reason, name="@router_port")
        yield from update(self.nb, "Logical_Router", router, record=self.router, reason=reason, members={"ports": add("@router_port")})

    def _make_switch_port(self) -> Iterator[Change]:
        switch, row = self.switch_row, self.switch_port_row
        columns: dict[str, Any] = {"type": "router", "addresses": frozenset(["router"])}
        options = {"router-port": self.port}
        if row is None:
            self._check_other_port(switch)
            reason = f"router {self.router} is to be attached to transit switch {self.transit_switch}"
            columns.update(name=self.switch_port, options=options)
            yield insert(self.nb, "Logical_Switch_Port", columns, record=self.switch_port, reason=reason, name="@switch_port")
            yield from self._add_switch_port(switch, reason)
            return
        if switch is None or switch.uuid not in self.nb.parents("Logical_Switch", "ports", row.uuid):
            raise ModuleError(
                f"the port {self.switch_port!r} belongs to another switch; choose another name with the option switch_port", database=NB
            )
        if row["type"] != "router":
            raise ModuleError(
                f"the port {self.switch_port!r} is of type {row['type']!r} and no router's;"
                " choose another name with the option switch_port",
                database=NB,
            )
        reason = "the options differ"
        yield from update(
            self.nb, "Logical_Switch_Port", row, record=self.switch_port, reason=reason, columns=columns, keys={"options": options}
        )

    def _check_other_port(self, switch: Row | None) -> None:
        if switch is None:
            return
        for row in self.nb.child_rows("Logical_Switch", "ports", switch.uuid, "Logical_Switch_Port"):
            if row["options"].get("router-port") == self.port:
                raise ModuleError(
                    f"the router port {self.port!r} is attached by the switch port {row['name']!r} already; give that name as switch_port",
                    database=NB,
                )

    def _add_switch_port(self, switch: Row | None, reason: str) -> Iterator[Change]:
        """Into the zone's switch, which is made, as the engine would, where the daemon has not come to it."""
        if switch is not None:
            yield from update(
                self.nb, "Logical_Switch", switch, record=switch["name"], reason=reason, members={"ports": add("@switch_port")}
            )
            return
        transit_switch = self._zone.ic_nb.first("Transit_Switch", "name", self.transit_switch)
        if transit_switch is not None:
            columns = {**switch_columns(self._zone, transit_switch), "ports": frozenset(["@switch_port"])}
            reason = f"transit switch {self.transit_switch} exists in IC_NB"
            none = {"other_config": {transit.SWITCH_KEY: self.transit_switch}}
            yield insert(self.nb, "Logical_Switch", columns, record=self.transit_switch, reason=reason, name="@switch", unless=none)
