# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of ovn-northd on which the handling of ports depends: datapaths and port bindings of SB as NB has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import Zone


def nb_uuid(row: Row) -> str | None:
    """The NB row behind a datapath as :func:`wanted_rows` writes it."""
    ids = row["external_ids"]
    uuid: str | None = row["nb_uuid"] or ids.get("logical-router") or ids.get("logical-switch")
    return uuid


def wanted_rows(zone: Zone) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """What SB should hold: (table, NB uuid or port name) -> columns; datapaths first, named by NB uuid, chassis by name."""
    for table, kind in (("Logical_Switch", "logical-switch"), ("Logical_Router", "logical-router")):
        for row in zone.nb.rows(table):
            datapath: dict[str, Any] = {"external_ids": {kind: row.uuid, "name": row["name"]}}
            if zone.sb.schema.has("Datapath_Binding", "nb_uuid"):
                datapath = {"type": kind, "nb_uuid": row.uuid, "external_ids": {"name": row["name"]}}
            yield ("Datapath_Binding", row.uuid), datapath
    for table, child in (("Logical_Switch", "Logical_Switch_Port"), ("Logical_Router", "Logical_Router_Port")):
        for row in zone.nb.rows(table):
            for port in zone.nb.child_rows(table, "ports", row.uuid, child):
                binding = _switch_port_binding(zone, port) if table == "Logical_Switch" else _router_port_binding(zone, port)
                yield ("Port_Binding", port["name"]), {**binding, "logical_port": port["name"], "datapath": row.uuid}


def _switch_port_binding(zone: Zone, port: Row) -> dict[str, Any]:
    kind = port["type"]
    if kind == "router":
        return {"type": "patch", "options": {"peer": port["options"].get("router-port", "")}}
    if kind == "switch":
        return {"type": "patch", "options": {"peer": port["peer"] or ""}, **_requested(port)}
    result: dict[str, Any] = {"type": kind, "mac": port["addresses"], "options": {}}
    requested = zone.chassis(port["options"].get("requested-chassis", ""))
    if kind == "remote" and requested is not None and requested["other_config"].get("is-remote") == "true":
        result["chassis"] = requested["name"]
    return result


def _router_port_binding(zone: Zone, port: Row) -> dict[str, Any]:
    peers = [row["name"] for row in zone.nb.rows("Logical_Switch_Port") if row["options"].get("router-port") == port["name"]]
    mac = " ".join([port["mac"], *sorted(port["networks"], key=str.encode)])
    chassis = zone.chassis(port["options"].get("requested-chassis", ""))
    if chassis is not None and chassis["other_config"].get("is-remote") == "true":
        return {"type": "remote", "mac": frozenset([mac]), "options": {}, "chassis": chassis["name"]}
    return {"type": "patch", "mac": frozenset([mac]), "options": {"peer": peers[0]} if peers else {}}


def _requested(port: Row) -> dict[str, Any]:
    """A switch port of a spine that is pinned to a hypervisor sits there."""
    requested = port["options"].get("requested-chassis")
    return {"chassis": requested} if requested else {}
