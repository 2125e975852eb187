# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transit switch ports of IC_NB (spec ports-4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..engine.change import Skipped, Step, insert, update
from ..ovsdb.store import Row
from ..zone import Zone
from . import operator_ports, transit
from .gateways import unknown_chassis
from .operator_ports import new_binding
from .port import MANAGED_KEY, ROUTER_ID, KeySource, Port, is_local
from .transit import SWITCH_PORT_TYPE, requested


def plan(port: Port, transit_switch_port: Row, transit_switch: Row, keys: KeySource) -> Iterator[Step]:
    """The Changes for a name that a port of this transit switch has in IC_NB."""
    clash = _clash(port, transit_switch_port, transit_switch)
    if clash is not None:
        if transit_switch_port["chassis"] or operator_ports.has_router(port):
            # The operator's port keeps the name; the transit switch port is ignored completely.
            yield from operator_ports.plan(port, keys, make_remote=False)
            yield clash
            return
        yield clash
    binding = _usable(port, transit_switch_port, transit_switch)
    yield from _global(port, transit_switch_port, transit_switch, binding, keys)
    if clash is None:
        yield from _local(port, transit_switch_port, transit_switch, binding)


def _usable(port: Port, transit_switch_port: Row, transit_switch: Row) -> Row | None:
    """The binding that the port uses (spec ports-4.1), None if there is none on this transit switch."""
    chassis = transit_switch_port["chassis"]
    if not chassis:
        found = port.own or port.foreign
    elif is_local(port.zone, chassis):
        found = port.own
    else:
        found = port.foreign
    return found if found is not None and port.is_placed(found, transit_switch) else None


def of_binding(zone: Zone, binding: Row) -> Row | None:
    """The transit switch port of IC_NB from which an IC_SB port binding of any zone was created. None for ports of
    transit routers, and for operators' ports, also those that have the name of a transit switch port.
    """
    if transit.is_router_port(binding) or ROUTER_ID in binding["external_ids"]:
        return None
    return zone.ic_nb.first("Transit_Switch_Port", "name", binding["logical_port"])


def is_in_every_zone(zone: Zone, binding: Row) -> bool:
    """Whether an IC_SB port binding belongs to a port of IC_NB without chassis. Such a port is local in every zone, so
    it needs no gateway.
    """
    if transit.is_router_port(binding):
        return not binding["gateway"]
    port = of_binding(zone, binding)
    return port is not None and not port["chassis"]


# ---- IC_SB ----------------------------------------------------------------------------------------------------------------------------


def _global(port: Port, transit_switch_port: Row, transit_switch: Row, binding: Row | None, keys: KeySource) -> Iterator[Step]:
    """Create or update the port's binding in IC_SB (spec ports-X-1, ports-X-2), and delete one that it no longer uses
    (spec ports-P-9).
    """
    chassis = transit_switch_port["chassis"]
    shared = not chassis
    if port.own is not None and port.own != binding:
        yield port.delete_binding(port.own, f"the port on transit switch {port.own['transit_switch']} does not belong to this zone")
    led_elsewhere = binding is not None and binding == port.foreign and ROUTER_ID in binding["external_ids"]
    if led_elsewhere or not _is_here(port, transit_switch_port):
        # A binding that leads to a router is an operator's port in the zone that owns it. Only that zone may change
        # this.
        yield from _forget_router(port, binding)
        fault = unknown_chassis(port.zone, chassis) if chassis and port.binding is None else None
        if fault is not None:
            yield Skipped(port.name, f"transit switch port {port.name} is not in any zone: {fault}")
        return
    if binding is not None:
        yield from _maintain(port, transit_switch_port, transit_switch, binding, shared, keys)
        return
    taken = port.taken()
    if taken is not None:
        yield Skipped(port.name, f"transit switch port {port.name} is not published: {taken}")
        return
    wanted = requested(port.lsp["options"]) if port.lsp is not None and port.on(transit_switch) else 0
    key = keys.take(port.zone, port.name, transit.shared_name(port.zone, transit_switch), wanted)
    if isinstance(key, Skipped):
        yield key
        return
    columns = {**new_binding(port, transit_switch, key), **_contents(transit_switch_port)}
    reason = f"port of transit switch {transit_switch['name']} " + (f"on chassis {chassis}" if chassis else "without chassis")
    yield insert(port.zone.ic_sb, "Port_Binding", columns, record=port.name, reason=reason, shared=shared)


def _is_here(port: Port, transit_switch_port: Row) -> bool:
    """Whether this zone creates and maintains the binding (spec ports-4.1)."""
    chassis = transit_switch_port["chassis"]
    return is_local(port.zone, chassis) if chassis else port.zone.facts.shared_lock


def _forget_router(port: Port, binding: Row | None) -> Iterator[Step]:
    if binding is not None and binding == port.own:
        reason = "no operator's port has this name any longer"
        ids = {"external_ids": {ROUTER_ID: None}}
        yield from update(port.zone.ic_sb, "Port_Binding", binding, record=port.name, reason=reason, keys=ids)


def _maintain(port: Port, transit_switch_port: Row, transit_switch: Row, binding: Row, shared: bool, source: KeySource) -> Iterator[Step]:
    columns: dict[str, Any] = dict(_contents(transit_switch_port))
    ids: dict[str, dict[str, str | None]] = {}
    if port.own is not None:
        columns.update({"type": SWITCH_PORT_TYPE, "nb_ic_uuid": transit_switch.uuid, **port.renamed(binding, transit_switch, source)})
        ids = {"external_ids": {ROUTER_ID: None}}
    reason = f"port of transit switch {transit_switch['name']}"
    yield from update(port.zone.ic_sb, "Port_Binding", binding, record=port.name, reason=reason, columns=columns, keys=ids, shared=shared)


def _contents(transit_switch_port: Row) -> dict[str, str]:
    addresses = transit_switch_port["addresses"]
    return {"address": min(addresses, key=str.encode, default=""), "gateway": transit_switch_port["chassis"]}


def _awaits(port: Port, transit_switch_port: Row, transit_switch: Row) -> bool:
    """Whether this zone creates the missing binding: now, or when another zone has withdrawn its own (spec ports-4.3)."""
    if not _is_here(port, transit_switch_port):
        return False
    binding = port.foreign
    return port.taken() is None or (binding is not None and port.is_placed(binding, transit_switch) and port.on(transit_switch))


# ---- NB -------------------------------------------------------------------------------------------------------------------------------


def _local(port: Port, transit_switch_port: Row, transit_switch: Row, binding: Row | None) -> Iterator[Step]:
    """Create or update the NB port of a transit switch port, or remove it where it has no binding (spec ports-X-3 to
    ports-X-7).
    """
    name = transit_switch["name"]
    if binding is None:
        # While the binding is in flight, the port stays as it is: upstream's daemon uses the row that it has created in
        # the same cycle, and a port that is removed while IC_SB is rebuilt would be withheld together with its binding.
        if port.lsp is not None and port.home is not None and not _awaits(port, transit_switch_port, transit_switch):
            yield from port.remove_lsp(f"the port has no binding on transit switch {name}")
        return
    switch = transit.switch_of(port.zone, name)
    if switch is None:
        return
    reason = f"port of transit switch {name}"
    columns, options = _wanted(port, transit_switch_port)
    if port.lsp is None or not port.on(transit_switch):
        yield from port.remove_lsp(f"the port is now on transit switch {name}")
        options[transit.REQUESTED_KEY] = str(binding["tunnel_key"])
        present = {key: value for key, value in options.items() if value is not None}
        yield from port.insert_lsp(switch, {**columns, "options": present}, reason)
        return
    options.update(transit.key_option(port.lsp["options"], binding["tunnel_key"]))
    yield from update(
        port.zone.nb, "Logical_Switch_Port", port.lsp, record=port.name, reason=reason, columns=columns, keys={"options": options}
    )


def _wanted(port: Port, transit_switch_port: Row) -> tuple[dict[str, Any], dict[str, str | None]]:
    """Columns and options of the NB port (spec ports-X-5 to ports-X-7). An option with the value None is removed."""
    kind, chassis, peer = transit_switch_port["type"], transit_switch_port["chassis"], transit_switch_port["peer"] or None
    is_router = kind == "router"
    here = not chassis or is_local(port.zone, chassis)
    columns = {
        "type": kind if here else "remote",
        "addresses": transit_switch_port["addresses"],
        "peer": None if is_router else peer,
    }
    options = {MANAGED_KEY: port.name, "requested-chassis": chassis or None, "router-port": peer if is_router else None}
    return columns, options


def _clash(port: Port, transit_switch_port: Row, transit_switch: Row) -> Skipped | None:
    """Why the NB port of this name cannot become this transit switch port: another program owns it (spec ports-4.4).

    A port that the interconnect created (managed, or remote on a transit switch) may be used or replaced. A port on the
    right switch that differs only by its missing mark has lost the mark.
    """
    if port.lsp is None:
        return None
    if port.home is not None and (port.managed or port.lsp["type"] == "remote"):
        return None
    if port.on(transit_switch) and _looks_so(port, port.lsp, transit_switch_port):
        return None
    place = port.switch["name"] if port.switch is not None else "unknown"
    reason = f"transit switch port {port.name} of {transit_switch['name']} is skipped because switch {place} has another port of this name"
    return Skipped(port.name, f"{reason}; rename one of them")


def _looks_so(port: Port, lsp: Row, transit_switch_port: Row) -> bool:
    columns, options = _wanted(port, transit_switch_port)
    same = all(lsp[column] == value for column, value in columns.items())
    return same and lsp["options"].get("router-port") == options["router-port"]
