# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the NB switch or router that stands for a transit switch or router of IC_NB, and its datapath in IC_SB.

A transit switch exists in each zone as an ordinary logical switch. That switch *stands for* the transit switch if its
mark (``other_config:interconn-ts``) names it. The same holds for transit routers (``options:interconn-tr``). The subjects
of transit switches, transit routers and their ports share these functions.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from ..ovsdb.store import Row, RowChange, Store
from ..settings import integer
from ..tables import IC_NB, IC_SB, NB
from ..zone import KEY_NOTE, ROW_KEY, Facts, Zone
from . import ownership
from .ownership import ROUTER, SWITCH, Kind

SWITCH_KEY = "interconn-ts"
ROUTER_KEY = "interconn-tr"
REQUESTED_KEY = ownership.REQUESTED_KEY
#: Values of IC_SB Datapath_Binding.type and Port_Binding.type. An empty type means a switch.
SWITCH_TYPE, ROUTER_TYPE = "transit-switch", "transit-router"
SWITCH_PORT_TYPE, ROUTER_PORT_TYPE = "transit-switch-port", "transit-router-port"

#: The tables by which the functions here find transit switches and routers and their datapaths.
TABLES = frozenset(
    [
        (IC_NB, "Transit_Switch"),
        (IC_NB, "Transit_Router"),
        (NB, "Logical_Switch"),
        (NB, "Logical_Router"),
        (IC_SB, "Datapath_Binding"),
    ]
)


def register(zone: Zone) -> None:
    """Register the indexes that this module and the subjects of ports use."""
    zone.nb.index("Logical_Switch", SWITCH_KEY, partial(_value, "other_config", SWITCH_KEY))
    zone.nb.index("Logical_Router", ROUTER_KEY, partial(_value, "options", ROUTER_KEY))
    for table in ("Logical_Switch", "Logical_Router"):
        zone.nb.index(table, ROW_KEY, partial(_value, "external_ids", ROW_KEY))
    zone.ic_sb.index("Datapath_Binding", "transit_switch", _switch_datapath)
    zone.ic_sb.index("Datapath_Binding", "switch_row", _switch_row)
    zone.ic_sb.index("Datapath_Binding", "tunnel_key", lambda row: (row["tunnel_key"],))
    zone.ic_sb.index("Route", "switch", lambda row: ((row["availability_zone"], row["transit_switch"]),))
    zone.nb.index("Logical_Switch", REQUESTED_KEY, partial(requested_keys, "other_config", SWITCH_KEY))
    zone.nb.index("Logical_Router", REQUESTED_KEY, partial(requested_keys, "options", ROUTER_KEY))
    zone.ic_sb.index("Datapath_Binding", "nb_ic_uuid", _router_datapath)
    zone.ic_sb.index("Port_Binding", "transit_switch", lambda row: (row["transit_switch"],))


def register_router_ports(zone: Zone) -> None:
    """Register the index that :func:`router_ports` uses."""
    zone.ic_sb.index("Port_Binding", "router_row", lambda row: (row["nb_ic_uuid"],) if is_router_port(row) else ())


def switches(zone: Zone, name: str) -> list[Row]:
    """The NB switches that stand for this transit switch, the one to keep first (spec switches-S-5).

    A switch that was created for a row of IC_NB stands for that row, also after a rename. Others are identified by the
    name in their mark.
    """
    return _standing(SWITCH, zone, name)


def switch_of(zone: Zone, name: str) -> Row | None:
    """The NB switch of a transit switch, whatever its name is."""
    found = switches(zone, name)
    return found[0] if found else None


def routers(zone: Zone, name: str) -> list[Row]:
    """The NB routers that stand for this transit router, the one to keep first."""
    return _standing(ROUTER, zone, name)


def router_of(zone: Zone, name: str) -> Row | None:
    """The NB router that holds the ports of a transit router. It is found by name, provided that it has any mark (spec
    switches-5.3).

    A router that has the former name of a renamed transit router is found too.
    """
    found = [row for row in zone.nb.find("Logical_Router", "name", name) if ROUTER_KEY in row["options"]]
    found = [row for row in found if (ownership.row_of(ROUTER, zone, row) or {"name": name})["name"] == name]
    if not found:
        found = [row for row in routers(zone, name) if row["name"] == row["options"][ROUTER_KEY]]
    return _ranked(zone.nb, "Logical_Router", found, name)[0] if found else None


def transit_switch_of(zone: Zone, switch: Row) -> Row | None:
    """The IC_NB transit switch for which an NB switch stands. None for ordinary and for surplus switches."""
    found = stands_for(SWITCH, zone, switch)
    return found if found is not None and switch_of(zone, found["name"]) == switch else None


def transit_router_of(zone: Zone, router: Row) -> Row | None:
    """The IC_NB transit router whose ports an NB router holds."""
    marked = ownership.row_of(ROUTER, zone, router) if ROUTER_KEY in router["options"] else None
    found = marked or zone.ic_nb.first("Transit_Router", "name", router["name"])
    return found if found is not None and router_of(zone, found["name"]) == router else None


def stands_for(kind: Kind, zone: Zone, row: Row) -> Row | None:
    """The IC_NB row that the mark of an NB object names, None without a mark or a row. Several objects may name one row."""
    name = row[kind.column].get(kind.marker)
    if name is None:
        return None
    return ownership.row_of(kind, zone, row) or zone.ic_nb.first(kind.transit, "name", name)


def _standing(kind: Kind, zone: Zone, name: str) -> list[Row]:
    found = zone.nb.find(kind.table, kind.marker, name)
    transit = zone.ic_nb.first(kind.transit, "name", name)
    made_for = zone.nb.find(kind.table, ROW_KEY, transit.uuid) if transit is not None else []
    if found or made_for:
        known = {row.uuid: row for row in (*found, *made_for) if kind.marker in row[kind.column]}
        found = [row for row in known.values() if ownership.row_of(kind, zone, row) in (None, transit)]
    return _ranked(zone.nb, kind.table, found, name)


def former_name(zone: Zone, transit_switch: Row) -> str | None:
    """The former name of a renamed transit switch, if the mark of this zone's switch still has it. Otherwise None."""
    for switch in zone.nb.find("Logical_Switch", ROW_KEY, transit_switch.uuid):
        name: str | None = switch["other_config"].get(SWITCH_KEY)
        if name not in (None, transit_switch["name"]):
            return name
    return None


def switch_datapath(zone: Zone, transit_switch: Row) -> Row | None:
    """The IC_SB datapath of a transit switch: the one created for its row, else the one with its name, else the lowest
    UUID.

    In schemas whose datapaths do not name the row, the datapath of a renamed transit switch is the one with the tunnel
    key of this zone's switch.
    """
    name = transit_switch["name"]
    made = zone.ic_sb.find("Datapath_Binding", "switch_row", transit_switch.uuid)
    if made:
        return next((row for row in made if row["transit_switch"] == name), made[0])
    former = former_name(zone, transit_switch)
    named = [row for known in (name, former) if known is not None for row in switch_datapaths(zone, known)]
    mine = [row for row in named if transit_switch_of_datapath(zone, row) == transit_switch]
    if mine and former is None:
        return mine[0]
    switch = switch_of(zone, name)
    key = integer(switch["other_config"], REQUESTED_KEY, 0) if switch is not None else 0
    if not mine and key:
        with_key = zone.ic_sb.find("Datapath_Binding", "tunnel_key", key)
        mine = [row for row in with_key if transit_switch_of_datapath(zone, row) == transit_switch]
    mine.sort(key=lambda row: row["tunnel_key"] != key)
    return mine[0] if mine else None


def _is_renamed_early(zone: Zone, datapath: Row, transit_switch: Row) -> bool:
    """Whether a datapath in IC_SB already has a new name of a transit switch that has not arrived from IC_NB yet.

    Updates of the two databases arrive in any order. The caller has checked that the datapath has the tunnel key that
    the zone's switch for the transit switch requests.
    """
    name = datapath["transit_switch"]
    is_named = datapath["type"] == ROUTER_TYPE or datapath["nb_ic_uuid"] or zone.ic_nb.first("Transit_Switch", "name", name) is not None
    return not is_named and not zone.nb.find("Logical_Switch", SWITCH_KEY, name) and not switch_datapaths(zone, transit_switch["name"])


def transit_switch_of_datapath(zone: Zone, datapath: Row) -> Row | None:
    """The IC_NB transit switch of an IC_SB datapath: by its UUID, else by its tunnel key during a rename, else by its
    name.
    """
    made_for = zone.ic_nb.row("Transit_Switch", datapath["nb_ic_uuid"])
    if made_for is not None:
        return made_for
    name = datapath["transit_switch"]
    now = zone.ic_nb.first("Transit_Switch", "name", name)
    if datapath["nb_ic_uuid"]:
        return now
    for switch in zone.nb.find("Logical_Switch", REQUESTED_KEY, datapath["tunnel_key"]):
        row = ownership.row_of(SWITCH, zone, switch)
        former = switch["other_config"][SWITCH_KEY]
        # If IC_NB has no transit switch of that name, the datapath is between two consecutive renames.
        if row is not None and former != row["name"] and (now is None or name in (former, row["name"])):
            return row
    if now is not None:
        return now
    for switch in zone.nb.find("Logical_Switch", REQUESTED_KEY, datapath["tunnel_key"]):
        row = ownership.row_of(SWITCH, zone, switch)
        if row is not None and row["name"] == switch["other_config"][SWITCH_KEY] and _is_renamed_early(zone, datapath, row):
            return row
    renamed = (ownership.row_of(SWITCH, zone, switch) for switch in zone.nb.find("Logical_Switch", SWITCH_KEY, name))
    return next((row for row in renamed if row is not None), None)


def shared_name(zone: Zone, transit_switch: Row) -> str:
    """The name of a transit switch in IC_SB: the former name until the holder of the lock has renamed it there."""
    datapath = switch_datapath(zone, transit_switch)
    name: str = transit_switch["name"] if datapath is None else datapath["transit_switch"]
    return name


def transit_switch_named(zone: Zone, name: str) -> Row | None:
    """The IC_NB transit switch that has this name in IC_SB."""
    for datapath in switch_datapaths(zone, name):
        found = transit_switch_of_datapath(zone, datapath)
        if found is not None and shared_name(zone, found) == name:
            return found
    found = zone.ic_nb.first("Transit_Switch", "name", name)
    return found if found is not None and shared_name(zone, found) == name else None


def names_affected(zone: Zone, change: RowChange) -> set[str]:
    """The IC_SB names that may belong to another transit switch after this change of an IC_SB datapath than before.

    Empty for a datapath that has the name of its transit switch, which is so unless the switch was renamed: the name
    belongs to the switch with or without that datapath.
    """
    names = set()
    for row in change.rows:
        switch = transit_switch_of_datapath(zone, row)
        if switch is None or not _is_named_alike(zone, row, switch):
            names |= {row["transit_switch"], row["transit_switch"] if switch is None else switch["name"]}
    return names - {""}


def _is_named_alike(zone: Zone, datapath: Row, transit_switch: Row) -> bool:
    """Whether a datapath, all other datapaths of its transit switch, and the zone's switch have the transit switch's
    name.
    """
    name = transit_switch["name"]
    made = zone.ic_sb.find("Datapath_Binding", "switch_row", transit_switch.uuid)
    return all(row["transit_switch"] == name for row in (datapath, *made)) and former_name(zone, transit_switch) is None


def switch_datapaths(zone: Zone, name: str) -> list[Row]:
    """All IC_SB datapaths of transit switches with this name in IC_SB."""
    return zone.ic_sb.find("Datapath_Binding", "transit_switch", name)


def router_datapaths(zone: Zone, uuid: str | None) -> list[Row]:
    """All IC_SB datapaths of the transit router with this IC_NB UUID; with None, those that name no transit router."""
    return zone.ic_sb.find("Datapath_Binding", "nb_ic_uuid", uuid)


def router_ports(zone: Zone, uuid: str | None) -> list[Row]:
    """The IC_SB port bindings of the transit router with this IC_NB UUID."""
    return zone.ic_sb.find("Port_Binding", "router_row", uuid) if uuid else []


def has_type(zone: Zone) -> bool:
    """Whether IC_SB can distinguish routers from switches. If not, transit routers are disabled (spec switches-D-2,
    switches-D-3).
    """
    schema = zone.ic_sb.schema
    return schema.allows("Datapath_Binding", "type", ROUTER_TYPE) and schema.has("Datapath_Binding", "nb_ic_uuid")


def is_router_port(binding: Row) -> bool:
    """Whether an IC_SB port binding belongs to a transit router port. An empty type means a switch port (spec
    ports-1.1).
    """
    return bool(binding["type"] == ROUTER_PORT_TYPE)


def own_binding_on(zone: Zone, name: str) -> bool:
    """Whether this zone has a port binding on the transit switch or router of that name."""
    return any(zone.is_own(row) for row in zone.ic_sb.find("Port_Binding", "transit_switch", name))


def unclaimed(zone: Zone, kind: Kind, change: RowChange) -> Iterator[str]:
    """The names on a changed port binding of IC_SB that NB has objects for and IC_NB does not define.

    A binding of this zone is evidence about such an object (see :func:`known_here`), so its key has to be planned.
    """
    if change.changed("transit_switch", "availability_zone"):
        for name in {row["transit_switch"] for row in change.rows}:
            if zone.nb.find(kind.table, kind.marker, name) and zone.ic_nb.first(kind.transit, "name", name) is None:
                yield name


def seen(kind: Kind, facts: Facts, changes: Sequence[RowChange] | None, zone: Zone) -> Facts:
    """The facts, with the names that these changes show in IC_NB; without changes, with all names of IC_NB."""
    if changes is None:
        rows: Iterable[Row] = zone.ic_nb.rows(kind.transit)
    else:
        rows = [change.new for change in changes if change.table == kind.transit and change.new is not None]
    names = {(kind.transit, row["name"]) for row in rows}
    return facts if names <= facts.seen else facts._replace(seen=facts.seen | names)


def known_here(zone: Zone, kind: Kind, row: Row, name: str) -> bool:
    """Whether something other than its marks shows that an NB object stood for a transit object that IC_NB no longer has.

    A port binding of this zone in IC_SB shows it. It is also enough that this process has seen the transit object in
    IC_NB, provided that the NB object looks like one that an ovn-ic creates.
    """
    return own_binding_on(zone, name) or ((kind.transit, name) in zone.facts.seen and ownership.was_made_by_ovn_ic(kind, zone, row) is True)


def requested(options: Mapping[str, str]) -> int:
    """The tunnel key that an NB object requests. 0 if it requests none."""
    return integer(options, REQUESTED_KEY, 0)


def requested_keys(column: str, marker: str, row: Row) -> Iterable[Hashable]:
    """The index keys of an NB object by the tunnel key that it requests. If ``marker`` is not empty, only objects with
    this map key in ``column`` count.
    """
    options = row[column]
    key = requested(options) if not marker or marker in options else 0
    return (key,) if key else ()


def note(row: Row) -> int:
    """The tunnel key that IC_NB records for a transit switch or router. 0 if it records none."""
    return integer(row["external_ids"], KEY_NOTE, 0)


def key_option(options: Mapping[str, str], key: int) -> dict[str, str]:
    """The map key to write to request a tunnel key. Empty if the present text already means this number."""
    return {} if requested(options) == key else {REQUESTED_KEY: str(key)}


def _value(column: str, key: str, row: Row) -> Iterable[Hashable]:
    value = row[column].get(key)
    return () if value is None else (value,)


def _switch_datapath(row: Row) -> Iterable[Hashable]:
    return () if row["type"] == ROUTER_TYPE else (row["transit_switch"],)


def _switch_row(row: Row) -> Iterable[Hashable]:
    return () if row["type"] == ROUTER_TYPE or not row["nb_ic_uuid"] else (row["nb_ic_uuid"],)


def _router_datapath(row: Row) -> Iterable[Hashable]:
    return (row["nb_ic_uuid"],) if row["type"] == ROUTER_TYPE else ()


def _ranked(store: Store, table: str, rows: list[Row], name: str) -> list[Row]:
    """Sort objects that stand for the same transit object. The first one is kept: the one already in use, so that ports do
    not move when another program creates a second object.
    """
    if len(rows) < 2:
        return rows

    def rank(row: Row) -> tuple[bool, bool, bool, str]:
        return ROW_KEY not in row["external_ids"], row["name"] != name, not store.children(table, "ports", row.uuid), row.uuid

    return sorted(rows, key=rank)
