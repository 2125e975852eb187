# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describes an interconnect from its two global databases, with names instead of UUIDs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ovsdb.columns import declare
from ..ovsdb.store import Row, Store
from ..subjects.progress import has_counters, laggards
from ..tables import IC_NB, IC_SB
from .registration import zone_of

Params = Mapping[str, Any]
Stores = Mapping[str, Store]

GLOBAL_NORTH = declare(
    IC_NB,
    {
        "IC_NB_Global": "nb_ic_cfg:int sb_ic_cfg:int",
        "Transit_Switch": "name",
        "Transit_Router": "name",
        "Transit_Switch_Port": "name",
        "Transit_Router_Port": "name",
    },
)
GLOBAL_SOUTH = declare(
    IC_SB,
    {
        "IC_SB_Global": "nb_ic_cfg:int external_ids:map",
        "Availability_Zone": "name nb_ic_cfg:int",
        "Gateway": "name availability_zone:uuid hostname encaps:refs",
        "Encap": "type ip",
        "Datapath_Binding": "transit_switch tunnel_key:int type:optstr nb_ic_uuid:optuuid",
        "Port_Binding": "logical_port transit_switch availability_zone:uuid tunnel_key:int gateway address type:optstr external_ids:map",
        "Route": "transit_switch availability_zone:uuid route_table ip_prefix nexthop origin external_ids:map",
        "Address_Set": "name",
    },
)


def describe(_params: Params, stores: Stores) -> dict[str, Any]:
    """The complete result of the module ovn_ic_info."""
    north, south = stores[IC_NB], stores[IC_SB]
    counted = has_counters(zone_of(stores))
    zones = {row.uuid: row for row in south.rows("Availability_Zone")}
    names = {uuid: row["name"] for uuid, row in zones.items()}
    return {
        "zones": _sorted(
            {"name": row["name"], "uuid": row.uuid, "confirmed": row["nb_ic_cfg"] if counted else None} for row in zones.values()
        ),
        "gateways": _sorted(_gateway(south, row, names) for row in south.rows("Gateway")),
        "datapaths": _sorted(_datapath(north, row) for row in south.rows("Datapath_Binding")),
        "ports": _sorted(_port(row, names) for row in south.rows("Port_Binding")),
        "routes": sorted((_route(row, names) for row in south.rows("Route")), key=lambda one: list(map(str, one.values()))),
        "transit_switches": sorted(row["name"] for row in north.rows("Transit_Switch")),
        "transit_routers": sorted(row["name"] for row in north.rows("Transit_Router")),
        "counters": _counters(north) if counted else {},
        "laggards": [name for name, _number in laggards(zone_of(stores))] if counted else [],
        "schema_versions": {name: store.schema.version for name, store in stores.items()},
    }


def _sorted(found: Any) -> list[dict[str, Any]]:
    return sorted(found, key=lambda one: str(one["name"]))


def _counters(north: Store) -> dict[str, int]:
    row = north.only("IC_NB_Global")
    return {"requested": row["nb_ic_cfg"], "confirmed": row["sb_ic_cfg"]} if row is not None else {"requested": 0, "confirmed": 0}


def _gateway(south: Store, row: Row, names: Mapping[str, str]) -> dict[str, Any]:
    encaps = [{"type": one["type"], "ip": one["ip"]} for one in south.child_rows("Gateway", "encaps", row.uuid, "Encap")]
    encaps.sort(key=lambda one: (one["type"], one["ip"]))
    return {"name": row["name"], "zone": names.get(row["availability_zone"], ""), "hostname": row["hostname"], "encaps": encaps}


def _datapath(north: Store, row: Row) -> dict[str, Any]:
    kind = row["type"] or "transit-switch"
    router = north.row("Transit_Router", row["nb_ic_uuid"]) if kind == "transit-router" else None
    return {"name": row["transit_switch"] if router is None else router["name"], "type": kind, "tunnel_key": row["tunnel_key"]}


def _port(row: Row, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": row["logical_port"],
        "zone": names.get(row["availability_zone"], ""),
        "transit_switch": row["transit_switch"],
        "type": row["type"] or "transit-switch-port",
        "address": row["address"],
        "gateway": row["gateway"],
        "tunnel_key": row["tunnel_key"],
        "router_id": row["external_ids"].get("router-id", ""),
    }


def _route(row: Row, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "prefix": row["ip_prefix"],
        "next_hop": row["nexthop"],
        "zone": names.get(row["availability_zone"], ""),
        "transit_switch": row["transit_switch"],
        "route_table": row["route_table"],
        "origin": row["origin"],
        "router_id": row["external_ids"].get("lr-id", ""),
    }
