# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Renamed transit switches (spec newest-N-9; upstream deletes and creates them instead): all rows are kept
and get the new name.

IC_SB knows a transit switch by name only. The holder of the lock ovn_ic_sb therefore renames the datapath and all port
bindings and routes of all zones in one transaction: no zone sees a partial rename, and the rows of a zone whose daemon
is down are renamed too. Until then, every zone uses the old name for the renamed transit switch
(``transit.shared_name``). Switches that exchange names, or pass them on, are renamed in the same transaction, because
the tunnel keys of ports are unique within a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..engine.change import Step, update
from ..ovsdb.store import Row
from ..zone import Zone
from . import transit
from .transit import SWITCH_TYPE


class Rename(NamedTuple):
    """A transit switch whose datapath still has its former name."""

    transit_switch: Row
    datapath: Row


def pending(zone: Zone, transit_switch: Row) -> Rename | None:
    """The rename of a transit switch that IC_SB does not show yet; None if there is none."""
    datapath = transit.switch_datapath(zone, transit_switch)
    if datapath is None or datapath["transit_switch"] == transit_switch["name"]:
        return None
    return Rename(transit_switch, datapath)


def rename(zone: Zone, first: Rename) -> Iterator[Step]:
    """Rename a transit switch in IC_SB, together with those whose names it takes over. Empty if another key does it."""
    group = _group(zone, first)
    for one in group:
        yield from _rows(zone, one)


def _group(zone: Zone, first: Rename) -> list[Rename]:
    """The renames that belong together, in the order in which names are passed on. Empty if another of them comes
    first.
    """
    found = [first]
    while True:
        holder = transit.transit_switch_named(zone, found[-1].transit_switch["name"])
        following = pending(zone, holder) if holder is not None else None
        if following is None:
            break
        if following.transit_switch.uuid == first.transit_switch.uuid:
            leads = min(one.transit_switch["name"] for one in found) == first.transit_switch["name"]
            return found if leads else []
        if any(following.transit_switch.uuid == one.transit_switch.uuid for one in found):
            return []
        found.append(following)
    heir = zone.ic_nb.first("Transit_Switch", "name", first.datapath["transit_switch"])
    return found if heir is None or pending(zone, heir) is None else []


def _rows(zone: Zone, one: Rename) -> Iterator[Step]:
    store, old, new = zone.ic_sb, one.datapath["transit_switch"], one.transit_switch["name"]
    reason = f"transit switch {old} was renamed to {new}"
    columns = {"transit_switch": new, "type": SWITCH_TYPE, "nb_ic_uuid": one.transit_switch.uuid}
    yield from update(store, "Datapath_Binding", one.datapath, record=new, reason=reason, columns=columns, shared=True)
    for binding in store.find("Port_Binding", "transit_switch", old):
        if not transit.is_router_port(binding):
            name = {"transit_switch": new}
            yield from update(store, "Port_Binding", binding, record=binding["logical_port"], reason=reason, columns=name, shared=True)
    for az in store.rows("Availability_Zone"):
        for route in store.find("Route", "switch", (az.uuid, old)):
            record = f"{route['ip_prefix']} via {route['nexthop']}"
            yield from update(store, "Route", route, record=record, reason=reason, columns={"transit_switch": new}, shared=True)
