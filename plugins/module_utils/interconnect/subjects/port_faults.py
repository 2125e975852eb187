# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a logical switch port on a transit switch does not connect its router to the other zones: the first cause, as
text.

Reasons are sentences that begin with a lower-case letter and say what to do. All look-ups use indexes. Used by the
subjects, ovn_ic_route_info and ovn_ic_doctor_info.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from ..ovsdb.store import Row
from ..zone import Zone

#: Types of switch ports that always belong to one zone. It is not a fault that they are not published.
LOCAL_TYPES = frozenset(("localport", "remote"))


def register(zone: Zone) -> None:
    """Register the index that finds the switch ports of a router port."""
    zone.nb.index("Logical_Switch_Port", "router_port", _router_port)


def _router_port(row: Row) -> Iterable[Hashable]:
    name = row["options"].get("router-port")
    return () if name is None else (name,)


def router_of(zone: Zone, lrp: Row) -> Row | None:
    """The logical router that a router port is on."""
    found = zone.nb.parent_rows("Logical_Router", "ports", lrp.uuid)
    return found[0] if found else None


def type_fault(lsp: Row) -> str | None:
    """Why a port of this type is not published. None if it is, or if it is not expected to be."""
    if lsp["type"] in (*LOCAL_TYPES, "router"):
        return None
    kind = f"of type {lsp['type']}" if lsp["type"] else "a VIF port"
    advice = "attach a router with ovn_ic_attachment and move the port to a switch of that router"
    return f"it is {kind}, and only router ports of a transit switch are published to other zones; {advice}"


def link_fault(zone: Zone, lsp: Row) -> str | None:
    """Why no router is behind a switch port of type router, None if there is one."""
    name = lsp["options"].get("router-port")
    if name is None:
        return "the logical switch port has no options:router-port; set it to the name of the router port"
    lrp = zone.router_port(name)
    if lrp is None:
        advice = "set the option to the router port's name, or delete the switch port"
        return f"its options:router-port is {name}, but no logical router port has that name (it was renamed or deleted); {advice}"
    router = router_of(zone, lrp)
    if router is None:
        return f"the router port {name} is not on any logical router; delete the switch port"
    return router_fault(router)


def router_fault(router: Row) -> str | None:
    """Why a router exchanges nothing through any of its ports, None if it does."""
    return f"the logical router {router['name']} is disabled; enable it or detach it" if router["enabled"] is False else None


def disabled_fault(lsp: Row, lrp: Row | None) -> str | None:
    """Why a linked port drops every packet (``enabled`` is false), None if it does not."""
    if lsp["enabled"] is False:
        return f"the logical switch port {lsp['name']} is disabled; enable it with ovn-nbctl lsp-set-enabled, or detach the router"
    if lrp is not None and lrp["enabled"] is False:
        return f"the logical router port {lrp['name']} is disabled; enable it with ovn-nbctl lrp-set-enabled, or detach the router"
    return None


def chassis_fault(router: Row) -> str | None:
    """Why no gateway can host a port of this router, None if one can."""
    chassis = router["options"].get("chassis")
    if not chassis:
        return None
    advice = "attach a distributed router instead, or remove options:chassis and give the router port gateway chassis"
    return f"{router['name']} is a gateway router (options:chassis={chassis}), so no gateway can host the port for other zones; {advice}"


def connection_fault(zone: Zone, lsp: Row) -> str | None:
    """The first reason why a switch port of type router carries no packets between zones. None if NB shows none.

    Does not check whether a gateway hosts the port at the moment: see :func:`gateway_fault`.
    """
    fault = link_fault(zone, lsp)
    if fault is not None:
        return fault
    name = lsp["options"]["router-port"]
    lrp = zone.router_port(name)
    router = router_of(zone, lrp) if lrp is not None else None
    fault = disabled_fault(lsp, lrp) or (chassis_fault(router) if router is not None else None)
    others = sorted(row["name"] for row in zone.nb.find("Logical_Switch_Port", "router_port", name) if row.uuid != lsp.uuid)
    if fault is None and others:
        fault = f"the switch port {others[0]} also names router port {name}, which can have only one peer; delete one of them"
    return fault


def gateway_fault(zone: Zone, lrp: Row) -> str | None:
    """Why no chassis hosts a router port, from the SB port bindings. None if one does."""
    redirect = zone.port_binding(f"cr-{lrp['name']}")
    if redirect is None:
        return f"the router port {lrp['name']} has no gateway chassis; set them with the option gateways of ovn_ic_attachment"
    if redirect["chassis"] is None:
        return f"none of the gateway chassis of router port {lrp['name']} has claimed it; check that ovn-controller runs on one of them"
    return None
