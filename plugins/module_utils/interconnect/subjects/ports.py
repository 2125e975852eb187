# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports of transit switches (spec ports-2, ports-3, ports-4).

A key is a port's name: of the switch port in NB, of the port binding in IC_SB, of the transit switch port in IC_NB.
Names are unique in each of them. One key therefore covers every change of a port's type, owner or switch, and resolves
it in one group.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from ..engine.change import Skipped, Step
from ..engine.engine import ALL, Keys, Subject
from ..ovsdb.store import Row, RowChange
from ..settings import boolean, tag_warning
from ..tables import IC_NB, IC_SB, NB, SB
from ..zone import ROW_KEY, Zone
from . import managed_ports, operator_ports, port_faults, transit
from .gateways import IS_REMOTE, flags_column
from .port import KeySource, Port
from .transit import REQUESTED_KEY, SWITCH_KEY
from .tunnel_keys import PortKeys


class Ports(Subject):
    """Publishes the zone's ports on transit switches, and creates the other zones' ports as remote ports here."""

    name = "ports"
    tables = frozenset(
        [
            (NB, "Logical_Switch"),
            (NB, "Logical_Switch_Port"),
            (NB, "Logical_Router"),
            (NB, "Logical_Router_Port"),
            (SB, "Port_Binding"),
            (SB, "Datapath_Binding"),
            (SB, "Chassis"),
            (IC_NB, "Transit_Switch"),
            (IC_NB, "Transit_Switch_Port"),
            (IC_SB, "Port_Binding"),
            (IC_SB, "Datapath_Binding"),
            (IC_SB, "Gateway"),
        ]
    )
    facts = Subject.facts | {"shared_lock"}

    def __init__(self, keys: PortKeys | None = None) -> None:
        self._source = KeySource(keys or PortKeys(), "switch")

    def prepare(self, zone: Zone) -> None:
        transit.register(zone)
        PortKeys.register(zone)
        port_faults.register(zone)
        zone.sb.index("Port_Binding", "peer", _peer)
        zone.sb.index("Port_Binding", "datapath", lambda row: (row["datapath"],) if row["type"] else ())
        zone.ic_sb.index("Port_Binding", "gateway", lambda row: (row["gateway"],) if row["gateway"] else ())
        zone.ic_nb.index("Transit_Switch_Port", "chassis", lambda row: (row["chassis"],) if row["chassis"] else ())

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        if change.database == IC_SB and change.table == "Port_Binding":
            yield from self._source.freed(change)
            if change.new is None and change.old is not None:
                yield from _heirs(zone, change.old)
        if change.database == SB and change.table == "Chassis" and change.old and change.new and change.changed("name"):
            yield ALL
        yield from _KEYS[(change.database, change.table)](change, zone)

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        names = dict.fromkeys(row["name"] for row in zone.ic_nb.rows("Transit_Switch_Port"))
        names.update(dict.fromkeys(row["logical_port"] for row in zone.ic_sb.rows("Port_Binding") if not transit.is_router_port(row)))
        for transit_switch in zone.nb.index_keys("Logical_Switch", SWITCH_KEY):
            names.update(dict.fromkeys(_switch_port_names(zone, str(transit_switch))))
        return list(names)

    def plan(self, key: Hashable, zone: Zone) -> Iterable[Step]:
        port = Port.of(zone, str(key))
        self._source.begin(port.name)
        transit_switch_port = zone.ic_nb.first("Transit_Switch_Port", "name", port.name)
        owners = zone.ic_nb.parent_rows("Transit_Switch", "ports", transit_switch_port.uuid) if transit_switch_port is not None else []
        if transit_switch_port is None or not owners:
            return operator_ports.plan(port, self._source)
        return _several(port, owners, managed_ports.plan(port, transit_switch_port, owners[0], self._source))


def _several(port: Port, owners: list[Row], steps: Iterable[Step]) -> Iterator[Step]:
    """A transit switch port that several switches contain can be published on one of them only (spec ports-4.4)."""
    if len(owners) > 1:
        names = ", ".join(row["name"] for row in owners[1:])
        yield Skipped(
            port.name,
            (
                f"transit switch port {port.name} is on {owners[0]['name']} and is ignored on {names}, because a "
                "port can be on one switch only; remove it from the others"
            ),
        )
    yield from steps


# ---- Keys that a row change affects ----------------------------------------------------------------------------------


def _of_switch(change: RowChange, zone: Zone) -> Iterator[str]:
    """An NB switch: ports that were added or removed, or all of them if it now stands for another transit switch or for
    none.
    """
    for members in change.edges.values():
        yield from _names(zone.nb.row("Logical_Switch_Port", uuid) for uuid in (*members.added, *members.removed))
    values = dict.fromkeys(row["other_config"].get(SWITCH_KEY) for row in change.rows)
    made_for = {row["external_ids"].get(ROW_KEY) for row in change.rows}
    moved = len(values) > 1 or len(made_for) > 1 or change.old is None or change.new is None
    if moved:
        yield from _names(zone.nb.child_rows("Logical_Switch", "ports", change.uuid, "Logical_Switch_Port"))
    for name in values:
        if name is not None and (moved or len(zone.nb.find("Logical_Switch", SWITCH_KEY, name)) > 1):
            yield from _all_of(zone, name)


def _of_switch_port(change: RowChange, zone: Zone) -> Iterator[str]:
    """The port itself, and the others that name the same router port, before or after the change: a router port can
    have only one peer.
    """
    yield from _names(change.rows)
    if change.changed("name"):
        for row in change.rows:
            for binding in zone.ic_sb.find("Port_Binding", "logical_port", row["name"]):
                yield from _heirs(zone, binding)
    if change.changed("options", "name"):
        for name in {row["options"].get("router-port") for row in change.rows} - {None}:
            yield from _linked(zone, name)


def _heirs(zone: Zone, binding: Row) -> Iterator[str]:
    """The ports on a transit switch that request the tunnel key of a port binding: one of them may be that port with a
    new name.
    """
    switch = transit.switch_of(zone, binding["transit_switch"])
    if switch is not None:
        members = zone.nb.children("Logical_Switch", "ports", switch.uuid)
        yield from _names(zone.nb.find_among("Logical_Switch_Port", REQUESTED_KEY, binding["tunnel_key"], members))


def _of_router_port(change: RowChange, zone: Zone) -> Iterator[str]:
    """The switch ports that name a router port that was inserted, deleted, renamed, enabled or disabled, or whose tag
    rules changed.
    """
    if change.changed("name", "enabled") or len({tag_warning(row["options"]) for row in change.rows}) > 1:
        for row in change.rows:
            yield from _linked(zone, row["name"])


def _of_router(change: RowChange, zone: Zone) -> Iterator[str]:
    """The switch ports of a router that was renamed, enabled, disabled, or bound to a chassis, or whose ports changed."""
    ports: Iterable[str] = ()
    chassis = {row["options"].get("chassis") for row in change.rows}
    if change.old is not change.new and (change.changed("name", "enabled") or len(chassis) > 1):
        ports = zone.nb.children("Logical_Router", "ports", change.uuid)
    elif "ports" in change.edges:
        ports = change.edges["ports"].added | change.edges["ports"].removed
    for name in _names(zone.nb.row("Logical_Router_Port", uuid) for uuid in ports):
        yield from _linked(zone, name)


def _linked(zone: Zone, router_port: str) -> Iterator[str]:
    yield from _names(zone.nb.find("Logical_Switch_Port", "router_port", router_port))


def _of_transit_switch(change: RowChange, zone: Zone) -> Iterator[str]:
    for members in change.edges.values():
        yield from _names(zone.ic_nb.row("Transit_Switch_Port", uuid) for uuid in (*members.added, *members.removed))
    if change.changed("name"):
        for row in change.rows:
            yield from _all_of(zone, row["name"])
        for switch in zone.nb.find("Logical_Switch", ROW_KEY, change.uuid):
            yield from _names(zone.nb.child_rows("Logical_Switch", "ports", switch.uuid, "Logical_Switch_Port"))
        for datapath in zone.ic_sb.find("Datapath_Binding", "switch_row", change.uuid):
            yield from _all_of(zone, datapath["transit_switch"])


def _of_port_binding(change: RowChange, zone: Zone) -> Iterator[str]:
    """An SB port binding: of the port itself, of its peer, or of its peer's chassis redirect port."""
    for row in change.rows:
        name = row["logical_port"]
        names = [name]
        for peer in (name, name[3:]) if name.startswith("cr-") else (name,):
            names += (binding["logical_port"] for binding in zone.sb.find("Port_Binding", "peer", peer))
        yield from (found for found in names if _concerns(zone, found))


def _of_datapath(change: RowChange, zone: Zone) -> Iterator[str]:
    if change.changed("type", "nb_uuid", "external_ids"):
        for binding in zone.sb.find("Port_Binding", "datapath", change.uuid):
            yield from (found["logical_port"] for found in zone.sb.find("Port_Binding", "peer", binding["logical_port"]))


def _of_chassis(change: RowChange, zone: Zone) -> Iterator[str]:
    flags = {boolean(row[flags_column(zone)], IS_REMOTE) for row in change.rows}
    if change.old is None or change.new is None or len(flags) > 1:
        for row in change.rows:
            yield from (binding["logical_port"] for binding in zone.ic_sb.find("Port_Binding", "gateway", row["name"]))
            yield from _names(zone.ic_nb.find("Transit_Switch_Port", "chassis", row["name"]))


def _of_ic_datapath(change: RowChange, zone: Zone) -> Iterator[str]:
    """The datapath of a transit switch determines its name in IC_SB."""
    if change.changed("transit_switch", "nb_ic_uuid"):
        for row in change.rows:
            made_for = zone.ic_nb.row("Transit_Switch", row["nb_ic_uuid"])
            for name in {row["transit_switch"], *((made_for["name"],) if made_for is not None else ())} - {""}:
                yield from _all_of(zone, name)
            for switch in zone.nb.find("Logical_Switch", REQUESTED_KEY, row["tunnel_key"]):
                yield from _names(zone.nb.child_rows("Logical_Switch", "ports", switch.uuid, "Logical_Switch_Port"))


def _of_gateway(change: RowChange, zone: Zone) -> Iterator[str]:
    """The transit switch ports on a gateway that was inserted or deleted: without it, no zone may know the chassis."""
    if change.changed("name"):
        for row in change.rows:
            yield from _names(zone.ic_nb.find("Transit_Switch_Port", "chassis", row["name"]))


def _of_ic_binding(change: RowChange, zone: Zone) -> Iterator[str]:
    yield from (row["logical_port"] for row in change.rows)


_KEYS = {
    (NB, "Logical_Switch"): _of_switch,
    (NB, "Logical_Switch_Port"): _of_switch_port,
    (NB, "Logical_Router"): _of_router,
    (NB, "Logical_Router_Port"): _of_router_port,
    (SB, "Port_Binding"): _of_port_binding,
    (SB, "Datapath_Binding"): _of_datapath,
    (SB, "Chassis"): _of_chassis,
    (IC_NB, "Transit_Switch"): _of_transit_switch,
    (IC_NB, "Transit_Switch_Port"): lambda change, _zone: _names(change.rows),
    (IC_SB, "Port_Binding"): _of_ic_binding,
    (IC_SB, "Datapath_Binding"): _of_ic_datapath,
    (IC_SB, "Gateway"): _of_gateway,
}


def _names(rows: Iterable[Row | None]) -> Iterator[str]:
    return (row["name"] for row in rows if row is not None)


def _all_of(zone: Zone, transit_switch: str) -> Iterator[str]:
    """Every port name that a transit switch is involved with."""
    yield from _switch_port_names(zone, transit_switch)
    yield from (row["logical_port"] for row in zone.ic_sb.find("Port_Binding", "transit_switch", transit_switch))
    for row in zone.ic_nb.find("Transit_Switch", "name", transit_switch):
        yield from _names(zone.ic_nb.child_rows("Transit_Switch", "ports", row.uuid, "Transit_Switch_Port"))


def _switch_port_names(zone: Zone, transit_switch: str) -> Iterator[str]:
    for switch in zone.nb.find("Logical_Switch", SWITCH_KEY, transit_switch):
        yield from _names(zone.nb.child_rows("Logical_Switch", "ports", switch.uuid, "Logical_Switch_Port"))


def _concerns(zone: Zone, name: str) -> bool:
    """Whether a port of that name is published or on a switch of the interconnect. All other ports are ignored."""
    if zone.ic_sb.first("Port_Binding", "logical_port", name) is not None:
        return True
    port = zone.switch_port(name)
    holders = zone.nb.parent_rows("Logical_Switch", "ports", port.uuid) if port is not None else []
    return any(SWITCH_KEY in switch["other_config"] for switch in holders)


def _peer(row: Row) -> Iterable[Hashable]:
    peer = row["options"].get("peer")
    return (peer,) if peer else ()
