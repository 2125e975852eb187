# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports on transit switches: whether a router is behind them, whether a gateway hosts them, whether all databases have them."""

from __future__ import annotations

from collections.abc import Iterator

from ...address import Prefix, is_link_local, parse_prefix
from ...ovsdb.store import Row
from ...settings import boolean
from ...subjects import managed_ports, port_faults
from ...subjects.routes import participants
from . import needs
from .check import BINDING, ERROR, ROUTER_PORT, WARNING, Check
from .databases import Attached, Databases, Finding


def gateways(databases: Databases) -> Iterator[Finding]:
    """Ports that no other zone can reach: without a gateway, or with one that is not registered."""
    known = {row["name"]: row for row in databases.south.rows("Gateway")}
    for row in databases.switch_ports():
        gateway, place = known.get(row["gateway"]), databases.place(row, "logical_port")
        if managed_ports.is_in_every_zone(databases.zone, row):
            continue
        if not row["gateway"]:
            words, fix = _split(_without_gateway(databases, row))
            yield Finding("port-without-gateway", place, f"no gateway holds the port, so no other zone reaches it: {words}", fix)
        elif gateway is None:
            words = f"its gateway {row['gateway']} is not a gateway of the interconnect"
            yield Finding("gateway-unregistered", place, words, "make it one with ovn_ic_gateway, or name another one")
        elif gateway["availability_zone"] != row["availability_zone"]:
            words = f"its gateway {row['gateway']} is registered by zone {databases.zone_name(gateway)}"
            yield Finding("gateway-of-other-zone", place, words, "give the chassis different names")


def _split(sentence: str) -> tuple[str, str]:
    """Cause and advice of a sentence of port_faults, which separates them by a semicolon."""
    cause, _semicolon, advice = sentence.partition("; ")
    return cause, advice


def _without_gateway(databases: Databases, binding: Row) -> str:
    """Why no gateway hosts a published port: the exact cause for the given zone, otherwise what IC_SB shows."""
    zone = databases.zone
    lsp = zone.switch_port(binding["logical_port"]) if databases.has_zone and zone.is_own(binding) else None
    if lsp is not None and lsp["type"] == "router":
        fault = port_faults.connection_fault(zone, lsp)
        lrp = zone.router_port(lsp["options"].get("router-port", ""))
        fault = fault or (port_faults.gateway_fault(zone, lrp) if lrp is not None else None)
        return fault or "its sync daemon has not published it yet; check that the daemon runs"
    managed = managed_ports.of_binding(zone, binding)
    if managed is not None:
        owner = databases.zone_name(binding)
        return f"the sync daemon of zone {owner} has not published its chassis {managed['chassis']} yet; check that the daemon runs"
    where = f"give nb_db and sb_db of zone {databases.zone_name(binding)} for the exact cause"
    if participants.router_id(binding) is None and not binding["address"]:
        return f"no router is behind it (its router is disabled, or options:router-port names no router port); {where}"
    return f"its router port has no gateway chassis, none of them is up, or its router is a gateway router (options:chassis); {where}"


def ports(databases: Databases) -> Iterator[Finding]:
    """The zone's own ports on transit switches that connect no router, or that other zones do not see."""
    own = {row["logical_port"] for row in databases.south.rows("Port_Binding") if databases.zone.is_own(row)}
    foreign = {row["logical_port"]: row for row in databases.south.rows("Port_Binding") if not databases.zone.is_own(row)}
    for one in databases.attached():
        fault = _fault(databases, one, own, foreign)
        if fault is not None:
            check, sentence = fault
            words, fix = _split(sentence)
            yield Finding(check, databases.own(one.lsp["name"]), f"on {one.transit_switch}: {words}", fix)


def _fault(databases: Databases, one: Attached, own: set[str], foreign: dict[str, Row]) -> tuple[str, str] | None:
    """The first cause for which a port connects nothing: the check, and the sentence."""
    zone, lsp = databases.zone, one.lsp
    if lsp["type"] != "router":
        fault = port_faults.type_fault(lsp)
        return ("port-not-of-router", fault) if fault is not None else None
    name = lsp["name"]
    if name in foreign:
        words = f"zone {databases.zone_name(foreign[name])} has published a port of this name, so this one is not published"
        return "port-name-taken", f"{words}; set another name (ovn_ic_attachment, switch_port)"
    lrp = zone.router_port(lsp["options"].get("router-port", ""))
    router = port_faults.router_of(zone, lrp) if lrp is not None else None
    faults = {
        "router-disabled": port_faults.router_fault(router) if router is not None else None,
        "attachment-incomplete": port_faults.link_fault(zone, lsp),
        "port-disabled": port_faults.disabled_fault(lsp, lrp),
        "gateway-router": port_faults.chassis_fault(router) if router is not None else None,
        "router-port-shared": port_faults.connection_fault(zone, lsp),
        "port-not-published": None
        if name in own
        else "the port is not in IC_SB; check that ovn-northd and the sync daemon of the zone run, and see the daemon's skipped/show",
    }
    return next(((check, words) for check, words in faults.items() if words is not None), None)


def networks(databases: Databases) -> Iterator[Finding]:
    """Disabled ports of attached routers: their networks are not advertised."""
    on_switches = {lrp.uuid: router for _one, lrp, router in databases.routers()}
    for router in {router.uuid: router for router in on_switches.values()}.values():
        for lrp in databases.zone.nb.child_rows("Logical_Router", "ports", router.uuid, "Logical_Router_Port"):
            if lrp["enabled"] is False and lrp.uuid not in on_switches:
                words = f"the port of router {router['name']} is disabled, so its networks are not advertised"
                yield Finding("network-disabled", databases.own(lrp["name"]), words, "enable the router port, or delete it")


def orphans(databases: Databases) -> Iterator[Finding]:
    """Router ports that look like part of an attachment but that no switch port names, because its switch was deleted."""
    nb = databases.zone.nb
    transit_networks = {network.network for port in databases.published() for network in port.networks}
    for lrp in nb.rows("Logical_Router_Port"):
        if lrp["peer"] or nb.find("Logical_Switch_Port", "router_port", lrp["name"]):
            continue
        prefixes = [prefix for prefix in map(parse_prefix, sorted(lrp["networks"])) if prefix is not None]
        held = bool(nb.children("Logical_Router_Port", "gateway_chassis", lrp.uuid)) or lrp["ha_chassis_group"] is not None
        if held or any(_is_transit(prefix, transit_networks) for prefix in prefixes):
            router = port_faults.router_of(databases.zone, lrp)
            words = f"no switch port names this port of router {router['name'] if router is not None else '?'}: its switch was deleted"
            yield Finding("router-port-orphaned", databases.own(lrp["name"]), words, "attach it again, or delete it")


def _is_transit(network: Prefix, known: set[Prefix]) -> bool:
    return network.network in known or (network.family == 4 and is_link_local(network))


def gateway_chassis(databases: Databases) -> Iterator[Finding]:
    """Attached router ports with a gateway chassis that cannot host them for other zones."""
    zone = databases.zone
    for _one, lrp, _router in databases.routers():
        for row in zone.nb.child_rows("Logical_Router_Port", "gateway_chassis", lrp.uuid, "Gateway_Chassis"):
            chassis = zone.chassis(row["chassis_name"])
            flags = {**chassis["external_ids"], **chassis["other_config"]} if chassis is not None else {}
            words = ""
            if chassis is None:
                words = f"its gateway chassis {row['chassis_name']} does not exist in SB"
            elif boolean(flags, "is-remote"):
                words = f"its gateway chassis {row['chassis_name']} is a copy of another zone's gateway"
            elif not boolean(flags, "is-interconn"):
                words = f"its gateway chassis {row['chassis_name']} is not a gateway of the interconnect (ovn-is-interconn)"
            if words:
                fix = "name chassis of this zone (ovn_ic_attachment, gateways), and make them gateways with ovn_ic_gateway"
                yield Finding("gateway-chassis-unusable", databases.own(lrp["name"]), words, fix)


def copies(databases: Databases) -> Iterator[Finding]:
    """The zone's copies of other zones' ports: missing, left over, or not bound to the gateway."""
    zone = databases.zone
    switches = {row["other_config"].get("interconn-ts") for row in zone.nb.rows("Logical_Switch")}
    here = {one.lsp["name"]: one for one in databases.local_ports() if one.lsp["type"] == "remote"}
    rows = {row["logical_port"]: row for row in databases.switch_ports()}
    for name, row in rows.items():
        if zone.is_own(row) or row["transit_switch"] not in switches:
            continue
        place = databases.place(row, "logical_port")
        if zone.switch_port(name) is None:
            words = f"zone {zone.name} has no copy of this port on {row['transit_switch']}, so it sends nothing to it"
            yield Finding("remote-port-missing", place, words, "check that the zone's sync daemon runs, and see its skipped/show")
        elif name in here and row["gateway"] and zone.chassis(row["gateway"]) is not None:
            binding = zone.port_binding(name)
            if binding is not None and binding["chassis"] is None:
                words = f"its copy in zone {zone.name} is not bound to the gateway {row['gateway']}, so packets to it are dropped"
                yield Finding("remote-port-unbound", place, words, "check that ovn-northd and the sync daemon of the zone run")
    for name, one in here.items():
        if name not in rows:
            words = f"it is a copy of another zone's port on {one.transit_switch}, and IC_SB has no such port"
            yield Finding(
                "remote-port-leftover", databases.own(name), words, "check that the sync daemon runs and withholds nothing (guard/show)"
            )


CHECKS = (
    Check(
        "port-without-gateway",
        ERROR,
        BINDING,
        "No gateway holds a port, so no other zone can send packets to it. The finding names the cause if the zone's databases are given: "
        "no gateway chassis, none of them is up, or a gateway router.",
        "Set gateway chassis with the option `gateways` of `ovn_ic_attachment`, and check that ovn-controller runs on one of them.",
        gateways,
        (needs.PORTS,),
    ),
    Check(
        "gateway-unregistered",
        ERROR,
        BINDING,
        "The gateway that holds a port is not registered in IC_SB, so other zones have no tunnel to it.",
        "Make the chassis a gateway with `ovn_ic_gateway`.",
        gateways,
        (needs.PORTS,),
    ),
    Check(
        "gateway-of-other-zone",
        ERROR,
        BINDING,
        "The gateway that holds a port is registered by another zone, because two chassis have one name.",
        "Give the chassis different names.",
        gateways,
        (needs.PORTS,),
    ),
    Check(
        "port-not-of-router",
        WARNING,
        "logical switch port",
        "A port on a transit switch belongs to a virtual machine or another device. Only router ports are published to other zones.",
        "Attach a router with `ovn_ic_attachment`, and move the port to a switch of that router.",
        ports,
        (needs.registered, needs.ZONES),
    ),
    Check(
        "port-name-taken",
        ERROR,
        "logical switch port",
        "Another zone has published a port of the same name. IC_SB accepts one port of a name, so this one is not published.",
        "Set another name with the option `switch_port` of `ovn_ic_attachment`.",
        ports,
        (needs.registered, needs.ZONES),
    ),
    Check(
        "attachment-incomplete",
        ERROR,
        "logical switch port",
        "A port on a transit switch has no router behind it: it names no router port, or one that was renamed or deleted.",
        "Run `ovn_ic_attachment` for the router again, or delete the switch port.",
        ports,
        (needs.registered, needs.ZONES),
    ),
    Check(
        "router-disabled",
        WARNING,
        "logical router",
        "A router on a transit switch is disabled (`enabled=false`), so its routes are withdrawn and it drops packets.",
        "Enable the router (`ovn-nbctl set Logical_Router NAME enabled=true`), or detach it.",
        ports,
        (needs.registered, needs.ZONES),
    ),
    Check(
        "port-disabled",
        WARNING,
        "logical switch port or logical router port",
        "A port on a transit switch is disabled (`enabled=false`), so routes through it are withdrawn and it drops packets.",
        "Enable it with `ovn-nbctl lsp-set-enabled` or `lrp-set-enabled`, or detach the router.",
        ports,
        (needs.registered, needs.ZONES),
    ),
    Check(
        "gateway-router",
        ERROR,
        "logical router",
        "A router on a transit switch is bound to one chassis (`options:chassis`), so no gateway can host its port for other zones.",
        "Attach a distributed router, or remove `options:chassis` and give the router port gateway chassis.",
        ports,
        (needs.registered, needs.ZONES),
    ),
    Check(
        "router-port-shared",
        ERROR,
        "logical switch port",
        "Two switch ports name the same router port, which can have only one peer.",
        "Delete one of the two switch ports.",
        ports,
        (needs.registered, needs.ZONES),
    ),
    Check(
        "port-not-published",
        ERROR,
        "logical switch port",
        "A port with a router is not in IC_SB, so other zones do not know it.",
        "Check that ovn-northd and the sync daemon of the zone run. The daemon's `skipped/show` gives the reason.",
        ports,
        (needs.registered, needs.ZONES),
    ),
    Check(
        "network-disabled",
        WARNING,
        ROUTER_PORT,
        "A port of an attached router is disabled, so its networks are not advertised.",
        "Enable the router port, or delete it.",
        networks,
        (needs.registered,),
    ),
    Check(
        "router-port-orphaned",
        WARNING,
        ROUTER_PORT,
        "A router port looks like one half of an attachment, and the switch port is missing, for example because its switch was deleted.",
        "Attach the router again with `ovn_ic_attachment`, or delete the router port.",
        orphans,
        (needs.registered,),
    ),
    Check(
        "gateway-chassis-unusable",
        WARNING,
        ROUTER_PORT,
        "A gateway chassis of an attached router port does not exist, belongs to another zone, or is not a gateway of the interconnect.",
        "Name chassis of this zone with the option `gateways` of `ovn_ic_attachment`, and make them gateways with `ovn_ic_gateway`.",
        gateway_chassis,
        (needs.registered,),
    ),
    Check(
        "remote-port-missing",
        ERROR,
        BINDING,
        "A zone has no copy of another zone's port on a transit switch, so it cannot send packets to it.",
        "Check that the zone's sync daemon runs. Its `skipped/show` gives the reason.",
        copies,
        (needs.registered, needs.PORTS),
    ),
    Check(
        "remote-port-unbound",
        ERROR,
        BINDING,
        "A zone's copy of another zone's port has no chassis in SB although the port has a gateway. Packets to it are dropped.",
        "Check that ovn-northd and the sync daemon of the zone run.",
        copies,
        (needs.registered, needs.PORTS),
    ),
    Check(
        "remote-port-leftover",
        WARNING,
        "logical switch port",
        "A zone has a copy of another zone's port that IC_SB does not have.",
        "Check that the zone's sync daemon runs and withholds nothing (`guard/show`).",
        copies,
        (needs.registered, needs.ZONES),
    ),
)
