# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the subjects of transit switches, transit routers and their ports share: which NB object stands for which transit object."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from functools import partial

from ..settings import integer
from ..store import Row, Store
from ..zone import ROW_KEY, Zone
from . import ownership
from .ownership import Kind

SWITCH_KEY = "interconn-ts"
ROUTER_KEY = "interconn-tr"
REQUESTED_KEY = ownership.REQUESTED_KEY
#: IC_SB Datapath_Binding.type and Port_Binding.type. An empty type means a switch.
SWITCH_TYPE, ROUTER_TYPE = "transit-switch", "transit-router"
SWITCH_PORT_TYPE, ROUTER_PORT_TYPE = "transit-switch-port", "transit-router-port"


def register(zone: Zone) -> None:
    """Register the indexes that the functions of this module, and the subjects of ports, look things up by."""
    zone.nb.index("Logical_Switch", SWITCH_KEY, partial(_value, "other_config", SWITCH_KEY))
    zone.nb.index("Logical_Router", ROUTER_KEY, partial(_value, "options", ROUTER_KEY))
    zone.ic_sb.index("Datapath_Binding", "transit_switch", _switch_datapath)
    zone.ic_sb.index("Datapath_Binding", "nb_ic_uuid", _router_datapath)
    zone.ic_sb.index("Port_Binding", "transit_switch", lambda row: (row["transit_switch"],))


def switches(zone: Zone, name: str) -> list[Row]:
    """The NB switches that claim to be this transit switch, the one to keep first (spec transit-switches 4.1, S-5)."""
    return _ranked(zone.nb, "Logical_Switch", zone.nb.find("Logical_Switch", SWITCH_KEY, name), name)


def switch_of(zone: Zone, name: str) -> Row | None:
    """The NB switch of a transit switch, whatever its name is."""
    found = switches(zone, name)
    return found[0] if found else None


def routers(zone: Zone, name: str) -> list[Row]:
    """The NB routers that claim to be this transit router, the one to keep first."""
    return _ranked(zone.nb, "Logical_Router", zone.nb.find("Logical_Router", ROUTER_KEY, name), name)


def router_of(zone: Zone, name: str) -> Row | None:
    """The NB router that holds the ports of a transit router: found by its name, as long as it is marked at all (spec 5.3)."""
    found = [row for row in zone.nb.find("Logical_Router", "name", name) if ROUTER_KEY in row["options"]]
    return _ranked(zone.nb, "Logical_Router", found, name)[0] if found else None


def transit_switch_of(zone: Zone, switch: Row) -> Row | None:
    """The IC_NB transit switch that an NB switch stands for: None for ordinary and for surplus switches."""
    name = switch["other_config"].get(SWITCH_KEY)
    if name is None:
        return None
    transit_switch = zone.ic_nb.first("Transit_Switch", "name", name)
    if transit_switch is None or switch_of(zone, name) != switch:
        return None
    return transit_switch


def switch_datapath(zone: Zone, transit_switch: Row) -> Row | None:
    """The IC_SB datapath of a transit switch: of several the one made for this row, else the lowest uuid."""
    found = switch_datapaths(zone, transit_switch["name"])
    return next((row for row in found if row["nb_ic_uuid"] == transit_switch.uuid), found[0] if found else None)


def switch_datapaths(zone: Zone, name: str) -> list[Row]:
    """All IC_SB datapaths of transit switches of this name."""
    return zone.ic_sb.find("Datapath_Binding", "transit_switch", name)


def router_datapaths(zone: Zone, uuid: str | None) -> list[Row]:
    """All IC_SB datapaths of the transit router with this IC_NB uuid; with None those that name no transit router."""
    return zone.ic_sb.find("Datapath_Binding", "nb_ic_uuid", uuid)


def has_type(zone: Zone) -> bool:
    """Whether IC_SB can tell routers from switches: without that, transit routers are off (D-2, D-3)."""
    schema = zone.ic_sb.schema
    return schema.allows("Datapath_Binding", "type", ROUTER_TYPE) and schema.has("Datapath_Binding", "nb_ic_uuid")


def is_router_port(binding: Row) -> bool:
    """Whether an IC_SB port binding is a transit router port's; an empty type counts as a switch port (spec port-bindings 1.1)."""
    return bool(binding["type"] == ROUTER_PORT_TYPE)


def own_binding_on(zone: Zone, name: str) -> bool:
    """Whether this zone has a port binding on the transit switch or router of that name."""
    return any(zone.is_own(row) for row in zone.ic_sb.find("Port_Binding", "transit_switch", name))


def known_here(zone: Zone, kind: Kind, name: str) -> bool:
    """Whether a transit object of that name, which IC_NB does not have, is known to have existed in this zone."""
    return name in zone.seen[kind.transit] or own_binding_on(zone, name)


def key_option(options: Mapping[str, str], key: int) -> dict[str, str]:
    """The map key to write so that a tunnel key is requested: none where the present text means this number already."""
    return {} if integer(options, REQUESTED_KEY, 0) == key else {REQUESTED_KEY: str(key)}


def _value(column: str, key: str, row: Row) -> Iterable[Hashable]:
    value = row[column].get(key)
    return () if value is None else (value,)


def _switch_datapath(row: Row) -> Iterable[Hashable]:
    return () if row["type"] == ROUTER_TYPE else (row["transit_switch"],)


def _router_datapath(row: Row) -> Iterable[Hashable]:
    return (row["nb_ic_uuid"],) if row["type"] == ROUTER_TYPE else ()


def _ranked(store: Store, table: str, rows: list[Row], name: str) -> list[Row]:
    """The one that is in use comes first, so that nothing moves when another program makes a second one."""
    if len(rows) < 2:
        return rows

    def rank(row: Row) -> tuple[bool, bool, bool, str]:
        return ROW_KEY not in row["external_ids"], row["name"] != name, not store.children(table, "ports", row.uuid), row.uuid

    return sorted(rows, key=rank)
