# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a zone takes part in the interconnect: registered, with the tunnel keys of IC_SB, and with the expected routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..address import Prefix, parse_prefix
from ..ovsdb.columns import extended
from ..ovsdb.replica import Replica
from ..ovsdb.store import Store
from ..subjects.routes import rows as route_rows
from ..tables import IC_SB, NB, SB
from . import explain
from .errors import ModuleError

Params = Mapping[str, Any]
Stores = Mapping[str, Store]

_STATUS = "check that the zone's daemon is active (ovn-appctl -t ovn-ic status)"
#: What explains routes, and the tunnel keys. A table that is read has all columns of the engine, because its rules use them.
READ = (
    *(database for database in explain.READ if database.name not in (SB, IC_SB)),
    extended(
        explain.part(SB, "Datapath_Binding Learned_Route Port_Binding"),
        {"Datapath_Binding": "tunnel_key:int", "Port_Binding": "tunnel_key:int"},
    ),
    explain.part(IC_SB, "IC_SB_Global Availability_Zone Datapath_Binding Gateway Port_Binding Route"),
)


def narrow(params: Params, replicas: Mapping[str, Replica]) -> None:
    """Do not read the zone's many ports of virtual machines."""
    explain.narrow(params, replicas)
    replicas[SB].want("Port_Binding", [["type", "!=", ""]])


def awaited(params: Params, stores: Stores) -> ModuleError | None:
    """What the zone still lacks, None if nothing."""
    return _registration(params, stores) or _switch_keys(params, stores) or _port_keys(params, stores) or _routes(params, stores)


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The zone's name, the tunnel keys of the transit switches in IC_SB, and whether the zone lacks nothing."""
    return {
        "zone": zone_name(stores),
        "tunnel_keys": switch_keys(params, stores),
        "complete": awaited(params, stores) is None,
    }


def zone_name(stores: Stores) -> str:
    """The name of the zone, empty if it has none."""
    row = stores[NB].only("NB_Global")
    return str(row["name"]) if row is not None else ""


def switch_keys(params: Params, stores: Stores) -> dict[str, int]:
    """The tunnel keys of the transit switches in the options, as IC_SB has them."""
    wanted = set(params["transit_switches"])
    return {row["transit_switch"]: row["tunnel_key"] for row in stores[IC_SB].rows("Datapath_Binding") if row["transit_switch"] in wanted}


def _registration(params: Params, stores: Stores) -> ModuleError | None:
    name, wanted = zone_name(stores), params["zone"]
    if name and wanted and name != wanted:
        lack = f"the zone is called {name} in NB, not {wanted}"
        return ModuleError(f"{lack}; correct the name in the inventory, or rename the zone", database=NB)
    if name and any(row["name"] == name for row in stores[IC_SB].rows("Availability_Zone")):
        return None
    lack = f"zone {name} is not registered" if name else "the zone has no name in NB, so it is not registered"
    return ModuleError(f"{lack}; {_STATUS} and reaches IC_SB, see /var/log/ovn/ovn-ic.log", database=IC_SB)


def _switch_keys(params: Params, stores: Stores) -> ModuleError | None:
    shared = switch_keys(params, stores)
    own = {row["external_ids"].get("interconn-ts"): row["tunnel_key"] for row in stores[SB].rows("Datapath_Binding")}
    wrong = [
        f"{name} (IC_SB has {shared.get(name, 'none')}, SB has {own.get(name, 'none')})"
        for name in params["transit_switches"]
        if name not in shared or own.get(name) != shared[name]
    ]
    if not wrong:
        return None
    lack = f"the zone does not have the tunnel keys of the transit switches {', '.join(wrong)}"
    return ModuleError(f"{lack}; {_STATUS} and that ovn-northd runs", database=SB)


def _port_keys(params: Params, stores: Stores) -> ModuleError | None:
    """Which ports have another key in SB. The zone's own ports of virtual machines are not read there (:func:`narrow`)."""
    wanted, name = set(params["transit_switches"]), zone_name(stores)
    zones = {row.uuid for row in stores[IC_SB].rows("Availability_Zone") if row["name"] == name}
    own = {row["logical_port"]: row["tunnel_key"] for row in stores[SB].rows("Port_Binding") if row["type"]}
    shared = [row for row in stores[IC_SB].rows("Port_Binding") if row["transit_switch"] in wanted]
    of_machines = {row.uuid for row in shared if row["availability_zone"] in zones and "router-id" not in row["external_ids"]}
    wrong = [
        f"{row['logical_port']} (IC_SB has {row['tunnel_key']}, SB has {own.get(row['logical_port'], 'no such port')})"
        for row in shared
        if own.get(row["logical_port"]) != row["tunnel_key"] and (row["logical_port"] in own or row.uuid not in of_machines)
    ]
    if not wrong:
        return None
    lack = f"the zone does not have the tunnel keys of the ports {', '.join(sorted(wrong))}"
    return ModuleError(f"{lack}; {_STATUS} and that ovn-northd runs", database=SB)


def _routes(params: Params, stores: Stores) -> ModuleError | None:
    for route in params["routes"]:
        if not _is_learned(stores[NB], route["router"], parse_prefix(route["prefix"])):
            return ModuleError(f"router {route['router']} has not learned {route['prefix']}: {_reason(route, stores)}", database=NB)
    return None


def _is_learned(north: Store, router: str, prefix: Prefix | None) -> bool:
    """Whether a router of this name has a learned static route to exactly this network."""
    for row in north.rows("Logical_Router"):
        if row["name"] == router:
            statics = north.child_rows("Logical_Router", "static_routes", row.uuid, "Logical_Router_Static_Route")
            prefixes = [parse_prefix(static["ip_prefix"]) for static in statics if route_rows.learned_from(static) is not None]
            if prefix is not None and any(one is not None and one.network == prefix.network for one in prefixes):
                return True
    return False


def _reason(route: Mapping[str, Any], stores: Stores) -> str:
    """Why the route is not learned, as ovn_ic_route_info explains it."""
    try:
        answer = explain.describe({"prefix": route["prefix"], "router": route["router"], "transit_switch": None}, stores)["answer"]
    except ModuleError as error:
        return str(error)
    return "; ".join(answer) or "no zone advertises it"
