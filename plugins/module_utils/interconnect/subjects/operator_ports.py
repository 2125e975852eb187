# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that an operator put on a transit switch in NB, and their copies in the other zones (spec ports-3).

Local ports have the types router and (spine-leaf) switch. All other types that an operator may use are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..address import is_uuid
from ..engine.change import Skipped, Step, insert, update
from ..ovsdb.store import Row
from ..settings import tag_warning
from ..zone import Zone
from . import port_faults, transit
from .port import ROUTER_ID, KeySource, Port
from .transit import SWITCH_PORT_TYPE, requested


def plan(port: Port, keys: KeySource, *, make_remote: bool = True) -> Iterator[Step]:
    """The Changes for a name that no transit switch port has. ``make_remote``: whether a copy of another zone's port
    may be created.
    """
    local = _local(port)
    if local is not None:
        yield from _publish(local, keys)
        return
    yield from _unpublished(port)
    if port.own is not None:
        yield port.delete_binding(port.own, f"the zone has no such port on transit switch {port.own['transit_switch']}")
    foreign = port.foreign
    target = transit.transit_switch_named(port.zone, foreign["transit_switch"]) if foreign is not None else None
    stale = _stale(port, target)
    if stale is not None:
        yield from port.remove_lsp(stale)
    if foreign is None or target is None:
        return
    if port.lsp is not None and _is_remote(port) and stale is None:
        yield from _follow(port, port.lsp, foreign)
    elif make_remote:
        yield from _copy(port, foreign, target, free=port.lsp is None or stale is not None)


class _Local(NamedTuple):
    """A port that an operator created: its NB row and its transit switch."""

    port: Port
    lsp: Row
    home: Row


def _local(port: Port) -> _Local | None:
    if port.home is None or port.lsp is None or port.managed:
        return None
    has_peer = port.zone.nb.schema.has("Logical_Switch_Port", "peer")
    published = port.lsp["type"] == "router" or (port.lsp["type"] == "switch" and has_peer)
    return _Local(port, port.lsp, port.home) if published else None


def _is_remote(port: Port) -> bool:
    return port.home is not None and port.lsp is not None and not port.managed and port.lsp["type"] == "remote"


def has_router(port: Port) -> bool:
    """Whether the NB port of this name was created by an operator and leads to a known router, whose routes depend on
    the port's binding.
    """
    local, binding = _local(port), port.zone.port_binding(port.name)
    return local is not None and binding is not None and bool(_contents(local, binding).router_id)


def _stale(port: Port, target: Row | None) -> str | None:
    """Why the NB port has to be deleted, whether it is managed (spec ports-P-8) or remote (spec ports-P-6). None if it
    stays.
    """
    if port.home is None:
        return None
    if port.managed:
        return f"transit switch {port.home['name']} has no port {port.name}"
    if _is_remote(port) and (target is None or not port.on(target)):
        return f"no other zone has a port {port.name} on transit switch {port.home['name']}"
    return None


def _unpublished(port: Port) -> Iterator[Skipped]:
    """Why an operator's port on a transit switch is not published. None if it is published, or if ports of its type
    never are.
    """
    if port.home is None or port.lsp is None or port.managed:
        return
    fault = port_faults.type_fault(port.lsp)
    if port.lsp["type"] == "switch":
        fault = "it has type switch, which the schema of this northbound database does not support; upgrade OVN to 25.09 or later"
    if fault is not None:
        yield Skipped(port.name, f"port {port.name} on {port.home['name']} is not published: {fault}")


# ---- Local ports ----------------------------------------------------------------------------------------------------------------------


class _Contents(NamedTuple):
    """The desired contents of a local port's binding. ``router_id``: None for none, empty if not known yet."""

    address: str
    gateway: str
    router_id: str | None


def _publish(local: _Local, keys: KeySource) -> Iterator[Step]:
    """Bring the port binding of an operator's local port in IC_SB up to date (spec ports-P-1 to ports-P-5)."""
    port, home = local.port, local.home
    binding = port.zone.port_binding(port.name)
    if binding is None:
        if port.own is not None:
            yield port.delete_binding(port.own, "ovn-northd has not bound the port yet")
        yield Skipped(
            port.name,
            (
                f"port {port.name} on {home['name']} is not published yet because ovn-northd has not created its port "
                "binding in SB; check that ovn-northd runs"
            ),
        )
        return
    taken = port.taken()
    if taken is not None:
        yield Skipped(port.name, f"port {port.name} on {home['name']} is not published: {taken}")
        return
    contents = _contents(local, binding)
    fault = port_faults.connection_fault(port.zone, local.lsp) if local.lsp["type"] == "router" else None
    if fault is not None:
        yield Skipped(port.name, f"port {port.name} on {home['name']} does not connect a router to other zones: {fault}")
    elif contents.router_id == "":
        yield Skipped(
            port.name,
            f"the router behind port {port.name} is not known because its datapath in the southbound database does not name a router;"
            " check that ovn-northd runs",
        )
    yield from _tags(port, local.lsp)
    own = port.own
    if own is not None and not port.is_placed(own, home):
        yield port.delete_binding(own, f"the port is now on transit switch {home['name']}")
        own = None
    if own is None:
        yield from _insert(local, contents, keys)
    else:
        yield from _maintain(local, own, contents, keys)


def _tags(port: Port, lsp: Row) -> Iterator[Skipped]:
    """Errors in the rules for the tags of routes that the router port learns (spec newest-N-2, newest-N-3)."""
    lrp = port.zone.router_port(lsp["options"].get("router-port", ""))
    warning = None if lrp is None else tag_warning(lrp["options"])
    if warning is not None and lrp is not None:
        words, listed = warning
        yield Skipped(port.name, f"router port {lrp['name']}: {words}", listed)


def _insert(local: _Local, contents: _Contents, keys: KeySource) -> Iterator[Step]:
    port, home = local.port, local.home
    wanted, name = requested(local.lsp["options"]), transit.shared_name(port.zone, home)
    if wanted and _is_left_over(port, name, wanted):
        return  # the port was renamed: its tunnel key becomes free when the row with the old name is deleted
    key = keys.take(port.zone, port.name, name, wanted)
    if isinstance(key, Skipped):
        yield key
        return
    columns = new_binding(port, home, key)
    columns.update({"address": contents.address, "gateway": contents.gateway})
    if contents.router_id:
        columns["external_ids"] = {ROUTER_ID: contents.router_id}
    reason = f"port on transit switch {home['name']}"
    yield insert(port.zone.ic_sb, "Port_Binding", columns, record=port.name, reason=reason)


def _is_left_over(port: Port, transit_name: str, key: int) -> bool:
    """Whether an own port binding of a port that is no longer in NB has this tunnel key."""
    holder = port.zone.ic_sb.first("Port_Binding", "tunnel_key", (transit_name, key))
    if holder is None or not port.zone.is_own(holder) or holder["logical_port"] == port.name:
        return False
    return port.zone.switch_port(holder["logical_port"]) is None and port.zone.router_port(holder["logical_port"]) is None


def new_binding(port: Port, transit_switch: Row, key: int) -> dict[str, Any]:
    """The columns that every new binding of a switch port has (spec ports-P-2, ports-X-1)."""
    az = port.zone.own_az
    return {
        "availability_zone": az.uuid if az is not None else "",
        "transit_switch": transit.shared_name(port.zone, transit_switch),
        "logical_port": port.name,
        "tunnel_key": key,
        "type": SWITCH_PORT_TYPE,
        "nb_ic_uuid": transit_switch.uuid,
    }


def _maintain(local: _Local, own: Row, contents: _Contents, keys: KeySource) -> Iterator[Step]:
    """Update the columns of the own port binding, then the tunnel key that the NB port requests (spec ports-P-3,
    ports-P-4).
    """
    port, home = local.port, local.home
    columns: dict[str, Any] = {
        "address": contents.address,
        "gateway": contents.gateway,
        "type": SWITCH_PORT_TYPE,
        "nb_ic_uuid": home.uuid,
    }
    ids = {} if contents.router_id == "" else {"external_ids": {ROUTER_ID: contents.router_id}}
    columns.update(port.renamed(own, home, keys))
    reason = f"port on transit switch {home['name']}"
    yield from update(port.zone.ic_sb, "Port_Binding", own, record=port.name, reason=reason, columns=columns, keys=ids)
    request = {"options": transit.key_option(local.lsp["options"], own["tunnel_key"])}
    reason = "the tunnel key that the port has in IC_SB"
    yield from update(port.zone.nb, "Logical_Switch_Port", local.lsp, record=port.name, reason=reason, keys=request)


def _contents(local: _Local, binding: Row) -> _Contents:
    """Address, gateway and router of a local port (spec ports-3.2, ports-P-5), from the SB binding of the port and of
    its peer.
    """
    zone = local.port.zone
    is_switch = local.lsp["type"] == "switch"
    peer = zone.port_binding(binding["options"].get("peer") or "")
    gateway = ""
    if peer is not None:
        gateway = _chassis_name(zone, zone.port_binding(f"cr-{peer['logical_port']}"))
    if is_switch:
        return _Contents("unknown", gateway or _chassis_name(zone, binding), None)
    if peer is None:
        return _Contents("", gateway, None)
    return _Contents(min(peer["mac"], key=str.encode, default=""), gateway, _router_id(zone, peer))


def _chassis_name(zone: Zone, binding: Row | None) -> str:
    chassis = zone.sb.row("Chassis", binding["chassis"]) if binding is not None else None
    return chassis["name"] if chassis is not None else ""


def _router_id(zone: Zone, peer: Row) -> str:
    """The UUID of the NB router behind a port's datapath, empty if the datapath does not name it."""
    datapath = zone.sb.row("Datapath_Binding", peer["datapath"])
    if datapath is None:
        return ""
    if datapath["type"] and datapath["nb_uuid"]:
        return str(datapath["nb_uuid"])
    ids = datapath["external_ids"]
    return next((ids[key] for key in ("logical-switch", "logical-router") if is_uuid(ids.get(key, ""))), "")


# ---- Remote ports ---------------------------------------------------------------------------------------------------------------------


def _follow(port: Port, lsp: Row, foreign: Row) -> Iterator[Step]:
    """Update an existing copy from the binding of the other zone (spec ports-P-7)."""
    zone = port.zone
    binding = zone.port_binding(port.name)
    if binding is None:
        return
    reason = "another zone's port"
    columns = {"addresses": _addresses(foreign)}
    keys = {"options": transit.key_option(lsp["options"], foreign["tunnel_key"])}
    yield from update(zone.nb, "Logical_Switch_Port", lsp, record=port.name, reason=reason, columns=columns, keys=keys)
    if "requested-chassis" in lsp["options"]:
        return
    gateway = foreign["gateway"]
    chassis = zone.chassis(gateway) if gateway else None
    if gateway and chassis is None:
        yield Skipped(
            port.name,
            f"port {port.name} is not bound to its gateway {gateway} because this zone has no such chassis; check that it is registered",
        )
        return
    reason = f"its gateway is {gateway}" if gateway else "it has no gateway"
    bound = {"chassis": chassis.uuid if chassis is not None else None}
    yield from update(zone.sb, "Port_Binding", binding, record=port.name, reason=reason, columns=bound)


def _copy(port: Port, foreign: Row, target: Row, *, free: bool) -> Iterator[Step]:
    """Insert a copy of another zone's port (spec ports-P-10). ``free``: no NB port has the name, or that port is
    deleted in the same group.
    """
    name = target["name"]
    switch = transit.switch_of(port.zone, name)
    if not free:
        place = f"switch {port.switch['name']}" if port.switch is not None else "another switch"
        yield Skipped(port.name, f"port {port.name} of {name} has no copy here because {place} has a port of this name; rename one of them")
    elif switch is not None:
        columns = {
            "type": "remote",
            "up": True,
            "addresses": _addresses(foreign),
            "options": {transit.REQUESTED_KEY: str(foreign["tunnel_key"])},
        }
        yield from port.insert_lsp(switch, columns, f"another zone's port on transit switch {name}")


def _addresses(binding: Row) -> frozenset[str]:
    return frozenset([binding["address"]]) if binding["address"] else frozenset()
