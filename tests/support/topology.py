# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators, CMSs and ovn-controllers write, as operations of one transaction each.

Nothing here reads a database: rows that others made are addressed by what they hold (a name), rows made here get a uuid
that the caller may choose. So a list of these is data that can be applied to several set-ups alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from uuid import UUID, uuid4

from .operations import Call, Found, Includes, Mutate, Named, Operation, drop_keys, insert, mutate, set_keys, update

Strings = Mapping[str, str]


@dataclass(frozen=True)
class Sought:
    """A uuid that is unknown until northd has created the row: of a port's binding in SB, or of the row that a column of it refers to."""

    logical_port: str
    column: str = "_uuid"


def switch_of(transit_switch: str, column: str, mutator: str, value: object) -> Mutate:
    """Mutate a column of the zone's switch that stands for a transit switch, found by its `interconn-ts`."""
    return mutate("Logical_Switch", column, mutator, value, other_config=Includes({"interconn-ts": transit_switch}))


# --- IC_NB


def transit_switch(name: str, uuid: UUID | None = None) -> list[Operation]:
    """IC_NB: a transit switch."""
    return [Call("ts_add", (name,)) if uuid is None else insert("Transit_Switch", {"name": name}, uuid)]


def no_transit_switch(name: str) -> list[Operation]:
    """IC_NB: the transit switch is deleted."""
    return [Call("ts_del", (name,), {"if_exists": True})]


# --- SB, as ovn-controller writes it


def transit_switch_port(switch: str, name: str, address: str, chassis: str = "") -> list[Operation]:
    """A port of a transit switch in IC_NB, for a virtual machine; without chassis it is local in every zone."""
    return [
        insert("Transit_Switch_Port", {"name": name, "addresses": {address}, "chassis": chassis}, name="port"),
        mutate("Transit_Switch", "ports", "insert", {Named("port")}, name=switch),
    ]


def chassis(
    name: str,
    encaps: Sequence[tuple[str, str]],
    *,
    interconn: bool = True,
    hostname: str | None = None,
    other_config: Strings | None = None,
    uuid: UUID | None = None,
) -> list[Operation]:
    """SB: a chassis with encaps (type, IP), as its ovn-controller registers it."""
    flags = {"is-interconn": "true" if interconn else "false", **(other_config or {})}
    rows, refs = _encaps(name, encaps)
    row = {"name": name, "hostname": name if hostname is None else hostname, "encaps": refs, "other_config": flags}
    return [*rows, insert("Chassis", row, uuid)]


def chassis_encaps(name: str, encaps: Sequence[tuple[str, str]], csum: str = "true") -> list[Operation]:
    """SB: the chassis gets a new set of encaps."""
    rows, refs = _encaps(name, encaps, csum)
    return [*rows, update("Chassis", {"encaps": refs}, name=name)]


def _encaps(name: str, encaps: Sequence[tuple[str, str]], csum: str = "true") -> tuple[list[Operation], list[Named]]:
    rows: list[Operation] = []
    for number, (kind, ip) in enumerate(encaps):
        row = {"chassis_name": name, "type": kind, "ip": ip, "options": {"csum": csum}}
        rows.append(insert("Encap", row, name=f"encap{number}"))
    return rows, [Named(f"encap{number}") for number in range(len(encaps))]


def interconn(name: str, on: bool | None) -> list[Operation]:
    """SB: the chassis becomes a gateway, is none (`False`), or loses the flag altogether (`None`)."""
    if on is None:
        return [drop_keys("Chassis", "other_config", ["is-interconn"], name=name)]
    return [set_keys("Chassis", "other_config", {"is-interconn": "true" if on else "false"}, name=name)]


def no_chassis(name: str) -> list[Operation]:
    """SB: the chassis leaves."""
    return [Call("chassis_del", (name,), {"if_exists": True})]


def claim(logical_port: str, chassis_uuid: UUID | None) -> list[Operation]:
    """SB: a chassis claims a port binding, or none holds it any more."""
    return [update("Port_Binding", {"chassis": chassis_uuid}, logical_port=logical_port)]


def learned_route(router_port: str, prefix: str, nexthop: str, uuid: UUID | None = None) -> list[Operation]:
    """SB: a route that a routing daemon has learned on a router's port."""
    row = {"ip_prefix": prefix, "nexthop": nexthop, "datapath": Sought(router_port, "datapath"), "logical_port": Sought(router_port)}
    return [insert("Learned_Route", row, uuid)]


# --- NB


def zone_name(name: str) -> list[Operation]:
    """NB: the zone's name."""
    return [update("NB_Global", {"name": name})]


def zone_options(options: Strings) -> list[Operation]:
    """NB: single options of the zone."""
    return [set_keys("NB_Global", "options", options)]


def no_zone_options(keys: Iterable[str]) -> list[Operation]:
    """NB: options of the zone are removed."""
    return [drop_keys("NB_Global", "options", keys)]


def router(name: str, uuid: UUID | None = None, options: Strings | None = None) -> list[Operation]:
    """NB: a logical router."""
    columns = {"options": dict(options or {})}
    return [Call("lr_add", (name,), columns) if uuid is None else insert("Logical_Router", {"name": name, **columns}, uuid)]


def router_port(
    router_name: str,
    name: str,
    mac: str,
    networks: Iterable[str],
    *,
    options: Strings | None = None,
    gateways: Iterable[tuple[str, int]] = (),
    uuid: UUID | None = None,
) -> list[Operation]:
    """NB: a router port, with gateway chassis (name, priority) if any."""
    if uuid is None:
        columns = {"options": dict(options)} if options else {}
        claims = [Call("lrp_set_gateway_chassis", (name, gateway, priority)) for gateway, priority in gateways]
        return [Call("lrp_add", (router_name, name, mac, [*networks]), columns), *claims]
    operations: list[Operation] = []
    refs: list[Named] = []
    for number, (gateway, priority) in enumerate(gateways):
        row = {"name": f"{name}-{gateway}", "chassis_name": gateway, "priority": priority}
        operations.append(insert("Gateway_Chassis", row, name=f"gateway{number}"))
        refs.append(Named(f"gateway{number}"))
    port_row = {"name": name, "mac": mac, "networks": set(networks), "options": options or {}, "gateway_chassis": refs}
    operations.append(insert("Logical_Router_Port", port_row, uuid))
    operations.append(mutate("Logical_Router", "ports", "insert", {uuid}, name=router_name))
    return operations


def no_router_port(router_name: str, port: UUID) -> list[Operation]:
    """NB: a router port is removed."""
    return [mutate("Logical_Router", "ports", "delete", {port}, name=router_name)]


def switch_port(
    transit_switch_name: str,
    name: str,
    *,
    kind: str = "router",
    options: Strings | None = None,
    addresses: Iterable[str] = ("router",),
    uuid: UUID | None = None,
    peer: str | None = None,
) -> list[Operation]:
    """NB: a port on the zone's switch of a transit switch."""
    row: dict[str, object] = {"type": kind, "options": dict(options or {}), "addresses": [*addresses]}
    if peer is not None:
        row["peer"] = peer
    if uuid is None:
        switch = Found("Logical_Switch", {"other_config": Includes({"interconn-ts": transit_switch_name})})
        return [Call("lsp_add", (switch, name), row)]
    port_row = {"name": name, **row}
    return [insert("Logical_Switch_Port", port_row, uuid), switch_of(transit_switch_name, "ports", "insert", {uuid})]


def no_switch_port(transit_switch_name: str, port: UUID) -> list[Operation]:
    """NB: a port is removed from the zone's switch of a transit switch."""
    return [switch_of(transit_switch_name, "ports", "delete", {port})]


def attachment(
    router_name: str,
    transit_switch_name: str,
    mac: str,
    networks: Iterable[str],
    *,
    options: Strings | None = None,
    gateways: Iterable[tuple[str, int]] = (),
    router_port_uuid: UUID | None = None,
    switch_port_uuid: UUID | None = None,
) -> list[Operation]:
    """NB: a router is attached to a transit switch: ports `<router>-<switch>` and `<switch>-<router>`."""
    port, peer = f"{router_name}-{transit_switch_name}", f"{transit_switch_name}-{router_name}"
    return [
        *router_port(router_name, port, mac, networks, options=options, gateways=gateways, uuid=router_port_uuid),
        *switch_port(transit_switch_name, peer, options={"router-port": port}, uuid=switch_port_uuid),
    ]


def static_route(router_name: str, prefix: str, nexthop: str, uuid: UUID | None = None, **columns: object) -> list[Operation]:
    """NB: a static route; further columns such as `route_table`, `policy`, `options` as keywords."""
    if uuid is None and not columns and _is_usual(prefix, nexthop):
        return [Call("lr_route_add", (router_name, prefix, nexthop), {"ecmp": True})]
    route = uuid or uuid4()
    return [
        insert("Logical_Router_Static_Route", {"ip_prefix": prefix, "nexthop": nexthop, **columns}, route),
        mutate("Logical_Router", "static_routes", "insert", {route}, name=router_name),
    ]


def _is_usual(prefix: str, nexthop: str) -> bool:
    """Whether `lr_route_add` writes both as given. It rejects invalid texts and normalizes others, and tests need some of those."""
    try:
        return str(ip_network(prefix)) == prefix and str(ip_address(nexthop)) == nexthop
    except ValueError:
        return False


def balancer(name: str, vip: str, backends: Mapping[str, str], check: Strings | None = None, uuid: UUID | None = None) -> list[Operation]:
    """NB: a load balancer of one VIP whose backends (`ip:port` to `port:source[:zone]`) are monitored, with these options of the check."""
    monitoring = {"vip": vip, "options": check or {}}
    mappings = {address.rpartition(":")[0]: mapping for address, mapping in backends.items()}
    row = {"name": name, "vips": {vip: ",".join(backends)}, "protocol": "tcp", "ip_port_mappings": mappings}
    return [
        insert("Load_Balancer_Health_Check", monitoring, name="check"),
        insert("Load_Balancer", {**row, "health_check": {Named("check")}}, uuid),
    ]


def no_static_route(router_name: str, route: UUID) -> list[Operation]:
    """NB: a static route is removed."""
    return [mutate("Logical_Router", "static_routes", "delete", {route}, name=router_name)]
