# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports on transit switches: whether a router is behind them, whether a gateway hosts them, whether they are published."""

from __future__ import annotations

from collections.abc import Iterator

from ...address import Prefix, is_link_local, parse_prefix
from ...ovsdb.store import Row
from ...subjects import participants, port_faults, transit
from .databases import Attached, Databases, Finding


def gateways(databases: Databases) -> Iterator[Finding]:
    """Ports that no other zone can reach: without a gateway, or with one that is not registered."""
    known = {row["name"]: row for row in databases.south.rows("Gateway")}
    for row in databases.south.rows("Port_Binding"):
        if transit.is_router_port(row):
            continue
        gateway = known.get(row["gateway"])
        words = ""
        if not row["gateway"]:
            words = f"no gateway holds the port, so no other zone reaches it: {_without_gateway(databases, row)}"
        elif gateway is None:
            words = f"its gateway {row['gateway']} is not a gateway of the interconnect; make it one with ovn_ic_gateway, or name another"
        elif gateway["availability_zone"] != row["availability_zone"]:
            words = f"its gateway {row['gateway']} is registered by zone {databases.zone_name(gateway)}; give the chassis different names"
        if words:
            yield Finding("gateways", databases.place(row, "logical_port"), words)


def _without_gateway(databases: Databases, binding: Row) -> str:
    """Why no gateway hosts a published port: the exact cause for the given zone, otherwise what IC_SB shows."""
    zone = databases.zone
    lsp = zone.switch_port(binding["logical_port"]) if databases.has_zone and zone.is_own(binding) else None
    if lsp is not None and lsp["type"] == "router":
        fault = port_faults.connection_fault(zone, lsp)
        lrp = zone.router_port(lsp["options"].get("router-port", ""))
        return fault or (port_faults.gateway_fault(zone, lrp) if lrp is not None else None) or "its sync daemon has not published it yet"
    where = f"give nb_db and sb_db of zone {databases.zone_name(binding)} for the exact cause"
    if participants.router_id(binding) is None and not binding["address"]:
        return f"no router is behind it (its router is disabled, or options:router-port names no router port); {where}"
    return f"its router port has no gateway chassis, none of them is up, or its router is a gateway router (options:chassis); {where}"


def ports(databases: Databases) -> Iterator[Finding]:
    """The zone's own ports on transit switches that connect no router or whose name another zone has, and router ports
    without a peer.
    """
    own = {row["logical_port"] for row in databases.south.rows("Port_Binding") if databases.zone.is_own(row)}
    foreign = {row["logical_port"]: row for row in databases.south.rows("Port_Binding") if not databases.zone.is_own(row)}
    for one in databases.attached():
        fault = _fault(databases, one, own, foreign)
        if fault is not None:
            yield Finding("ports", f"{one.lsp['name']} of zone {databases.zone.name}", f"on {one.transit_switch}: {fault}")
    yield from _disabled_networks(databases)
    yield from _orphans(databases)


def _fault(databases: Databases, one: Attached, own: set[str], foreign: dict[str, Row]) -> str | None:
    """The first cause for which a port connects nothing."""
    zone, lsp = databases.zone, one.lsp
    name = lsp["name"]
    fault = port_faults.type_fault(lsp) if lsp["type"] != "switch" else None
    if fault is not None or lsp["type"] != "router":
        return fault
    if name in foreign:
        theirs = databases.zone_name(foreign[name])
        return f"zone {theirs} has published a port of this name, so this one is not; set another name (ovn_ic_attachment, switch_port)"
    fault = port_faults.connection_fault(zone, lsp)
    if fault is None and name not in own:
        fault = "the port is not in IC_SB; check that ovn-northd and the sync daemon of the zone run, and see its skipped/show"
    return fault


def _disabled_networks(databases: Databases) -> Iterator[Finding]:
    """Disabled ports of attached routers: their networks are not advertised."""
    on_switches = {lrp.uuid: router for _one, lrp, router in databases.routers()}
    for router in {router.uuid: router for router in on_switches.values()}.values():
        for lrp in databases.zone.nb.child_rows("Logical_Router", "ports", router.uuid, "Logical_Router_Port"):
            if lrp["enabled"] is False and lrp.uuid not in on_switches:
                words = f"the port of router {router['name']} is disabled, so its networks are not advertised; enable or delete it"
                yield Finding("ports", f"{lrp['name']} of zone {databases.zone.name}", words)


def _orphans(databases: Databases) -> Iterator[Finding]:
    """Router ports that look like part of an attachment but that no switch port names, because its switch was deleted."""
    nb = databases.zone.nb
    transit_networks = {network.network for port in databases.published() for network in port.networks}
    for lrp in nb.rows("Logical_Router_Port"):
        if lrp["peer"] or nb.find("Logical_Switch_Port", "router_port", lrp["name"]):
            continue
        networks = [prefix for prefix in map(parse_prefix, sorted(lrp["networks"])) if prefix is not None]
        held = bool(nb.children("Logical_Router_Port", "gateway_chassis", lrp.uuid)) or lrp["ha_chassis_group"] is not None
        if held or any(_is_transit(network, transit_networks) for network in networks):
            router = port_faults.router_of(databases.zone, lrp)
            words = f"no switch port names this port of router {router['name'] if router is not None else '?'}: its switch was deleted"
            yield Finding("ports", f"{lrp['name']} of zone {databases.zone.name}", f"{words}; attach it again, or delete it")


def _is_transit(network: Prefix, known: set[Prefix]) -> bool:
    return network.network in known or (network.family == 4 and is_link_local(network))
