# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transit router ports (spec ports-5, newest-N-4, newest-N-5).

A key is a port's name: of the transit router port in IC_NB, of the router port in NB, of the router-type port binding
in IC_SB. A port with a chassis is published by the zone of that chassis. A port without a chassis exists in every zone,
and all zones share one binding: the holder of the lock of IC_SB creates and maintains it, whichever zone owns it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..engine.change import Skipped, Step, add, delete, insert, remove, update
from ..engine.engine import Keys, Subject
from ..ovsdb.store import Row, RowChange
from ..settings import boolean
from ..tables import IC_NB, IC_SB, NB, SB
from ..zone import Zone
from . import transit
from .gateways import IS_REMOTE, flags_column, unknown_chassis, zone_name
from .port import KeySource, is_local
from .transit import ROUTER_KEY, ROUTER_PORT_TYPE, requested
from .tunnel_keys import PortKeys


@dataclass(frozen=True)
class _RouterPort:
    """The rows of one router port's name in all databases.

    ``binding`` is the IC_SB row of that name, of any owner and type; ``port`` and ``transit_router`` are the IC_NB
    rows, both or none, and ``others`` further transit routers that refer to the port. ``lrp`` is the NB router port,
    ``router`` the NB router that contains it.
    """

    zone: Zone
    name: str
    binding: Row | None
    port: Row | None
    transit_router: Row | None
    others: tuple[str, ...]
    lrp: Row | None
    router: Row | None

    @classmethod
    def of(cls, zone: Zone, name: str) -> _RouterPort:
        port = zone.ic_nb.first("Transit_Router_Port", "name", name)
        owners = zone.ic_nb.parent_rows("Transit_Router", "ports", port.uuid) if port is not None else []
        lrp = zone.nb.first("Logical_Router_Port", "name", name)
        holders = zone.nb.parent_rows("Logical_Router", "ports", lrp.uuid) if lrp is not None else []
        return cls(
            zone,
            name,
            zone.ic_sb.first("Port_Binding", "logical_port", name),
            port if owners else None,
            owners[0] if owners else None,
            tuple(owner["name"] for owner in owners[1:]),
            lrp,
            holders[0] if holders else None,
        )

    @property
    def own(self) -> Row | None:
        """This zone's router-type binding."""
        row = self.binding
        return row if row is not None and transit.is_router_port(row) and self.zone.is_own(row) else None

    @property
    def foreign(self) -> Row | None:
        """Another zone's router-type binding."""
        row = self.binding
        return row if row is not None and transit.is_router_port(row) and not self.zone.is_own(row) else None

    @property
    def is_shared(self) -> bool:
        """Whether the port exists in every zone, that is, has no chassis."""
        return self.port is not None and not self.port["chassis"]

    def stands_for_a_transit_router(self) -> bool:
        """Whether the NB port is managed: marked, and on the router of an existing transit router."""
        if self.lrp is None or self.router is None or ROUTER_KEY not in self.lrp["options"]:
            return False
        return transit.transit_router_of(self.zone, self.router) is not None

    def remove_lrp(self, reason: str) -> Iterator[Step]:
        """Remove the NB port from its router."""
        if self.lrp is not None and self.router is not None:
            members = {"ports": remove(self.lrp.uuid)}
            yield from update(self.zone.nb, "Logical_Router", self.router, record=self.name, reason=reason, members=members)


class RouterPorts(Subject):
    """Publishes the zone's transit router ports, and creates all zones' ports on the routers here."""

    name = "router_ports"
    tables = frozenset(
        [
            (NB, "Logical_Router"),
            (NB, "Logical_Router_Port"),
            (SB, "Chassis"),
            (IC_NB, "Transit_Router"),
            (IC_NB, "Transit_Router_Port"),
            (IC_SB, "Port_Binding"),
            (IC_SB, "Datapath_Binding"),
            (IC_SB, "Gateway"),
        ]
    )

    facts = Subject.facts | {"shared_lock"}

    def __init__(self, keys: PortKeys | None = None) -> None:
        self._source = KeySource(keys or PortKeys(), "router")

    def prepare(self, zone: Zone) -> None:
        transit.register(zone)
        transit.register_router_ports(zone)
        PortKeys.register(zone)
        zone.ic_nb.index("Transit_Router_Port", "chassis", lambda row: (row["chassis"],) if row["chassis"] else ())

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        if change.table in ("Chassis", "Gateway"):
            yield from _of_chassis(change, zone)
        elif change.table == "Datapath_Binding":
            if change.changed("nb_ic_uuid"):
                yield from (port["logical_port"] for row in change.rows for port in _ports_of(zone, row["nb_ic_uuid"]))
        elif change.database == IC_SB:
            yield from self._source.freed(change)
            yield from (row["logical_port"] for row in change.rows if transit.is_router_port(row) or _is_wanted(zone, row))
        elif change.table in ("Logical_Router_Port", "Transit_Router_Port"):
            yield from (row["name"] for row in change.rows if change.database == IC_NB or _may_be_managed(zone, change, row))
        else:
            yield from _of_router(change, zone)

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        names = dict.fromkeys(row["name"] for row in zone.ic_nb.rows("Transit_Router_Port"))
        names.update(dict.fromkeys(row["logical_port"] for row in zone.ic_sb.rows("Port_Binding") if transit.is_router_port(row)))
        for row in zone.ic_nb.rows("Transit_Router"):
            names.update(dict.fromkeys(_all_of(zone, row["name"])))
        return list(names)

    def plan(self, key: Hashable, zone: Zone) -> Iterable[Step]:
        port = _RouterPort.of(zone, str(key))
        self._source.begin(port.name)
        if not zone.ic_sb.schema.allows("Port_Binding", "type", ROUTER_PORT_TYPE):
            # In this schema, bindings of router ports and of switch ports cannot be distinguished. The subject of
            # transit routers reports it.
            return
        if port.others:
            names = ", ".join(port.others)
            yield Skipped(
                port.name,
                (f"transit router port {port.name} is on several transit routers and is ignored on {names}; remove it from the others"),
            )
        binding = _usable(port)
        if port.own is not None and port.own != binding:
            reason = f"the zone has no such port on transit router {port.own['transit_switch']}"
            yield delete(zone.ic_sb, "Port_Binding", port.own, record=port.name, reason=reason)
        yield from self._publish(port, binding)
        yield from _local(port, binding)

    def _publish(self, port: _RouterPort, binding: Row | None) -> Iterator[Step]:
        """Create or update the binding of a port on a chassis of this zone, or of a shared port if this zone holds the
        lock (spec ports-Y-1).
        """
        row, transit_router = port.port, port.transit_router
        if row is not None and row["chassis"] and port.binding is None:
            fault = unknown_chassis(port.zone, row["chassis"])
            if fault is not None:
                yield Skipped(port.name, f"transit router port {port.name} is not in any zone: {fault}")
        if row is None or transit_router is None or not _is_here(port) or (_clash(port) is not None and not port.is_shared):
            return
        place = f"on chassis {row['chassis']}" if row["chassis"] else "in every zone"
        reason, shared = f"port of transit router {transit_router['name']} {place}", port.is_shared
        columns: dict[str, Any] = {
            "address": row["mac"],
            "type": ROUTER_PORT_TYPE,
            "nb_ic_uuid": _router_row(port, binding, transit_router),
        }
        if binding is not None:
            columns.update(self._renamed(port, binding, transit_router))
            yield from update(port.zone.ic_sb, "Port_Binding", binding, record=port.name, reason=reason, columns=columns, shared=shared)
            return
        if port.binding is not None and port.own is None:
            owner = zone_name(port.zone, port.binding)
            yield Skipped(
                port.name,
                (
                    f"transit router port {port.name} is not published because zone {owner} already has a port of this "
                    "name; rename one of them"
                ),
            )
            return
        on_router = port.lrp is not None and port.router == transit.router_of(port.zone, transit_router["name"])
        wanted = requested(port.lrp["options"]) if port.lrp is not None and on_router else 0
        key = self._source.take(port.zone, port.name, transit_router["name"], wanted)
        if isinstance(key, Skipped):
            yield key
            return
        az = port.zone.own_az
        columns.update(
            {
                "availability_zone": az.uuid if az is not None else "",
                "transit_switch": transit_router["name"],
                "logical_port": port.name,
                "tunnel_key": key,
            }
        )
        yield insert(port.zone.ic_sb, "Port_Binding", columns, record=port.name, reason=reason, shared=shared)

    def _renamed(self, port: _RouterPort, binding: Row, transit_router: Row) -> dict[str, Any]:
        """The changes that give a binding the new name of its transit router. The tunnel key changes only if another
        port has it there.
        """
        name = transit_router["name"]
        if binding["transit_switch"] == name:
            return {}
        key = self._source.take(port.zone, port.name, name, binding["tunnel_key"])
        return {"transit_switch": name} if isinstance(key, Skipped) else {"transit_switch": name, "tunnel_key": key}


def _router_row(port: _RouterPort, binding: Row | None, transit_router: Row) -> str:
    """The UUID of the transit router's row. A transit router that is defined again has another row: its ports name the old
    one until its datapath has the new one, because they show which datapath it is.
    """
    zone = port.zone
    old = binding["nb_ic_uuid"] if binding is not None else None
    if old is None or zone.ic_nb.row("Transit_Router", old) is not None or transit.router_datapaths(zone, transit_router.uuid):
        return transit_router.uuid
    return old if transit.router_datapaths(zone, old) else transit_router.uuid


def _is_on(zone: Zone, binding: Row, transit_router: Row) -> bool:
    """Whether a binding is on this transit router, which may have had another name when the binding was written."""
    if zone.ic_nb.row("Transit_Router", binding["nb_ic_uuid"]) is not None:
        return bool(binding["nb_ic_uuid"] == transit_router.uuid)
    return bool(binding["transit_switch"] == transit_router["name"])


def _is_here(port: _RouterPort) -> bool:
    """Whether this zone publishes the port: it is on a local chassis, or shared while this zone holds the lock, and its
    router exists.
    """
    if port.port is None or port.transit_router is None:
        return False
    if not (port.zone.facts.shared_lock if port.is_shared else is_local(port.zone, port.port["chassis"])):
        return False
    return transit.router_of(port.zone, port.transit_router["name"]) is not None


def _usable(port: _RouterPort) -> Row | None:
    """The binding that the port uses (spec ports-Y-1), None if there is none on this transit router."""
    if port.port is None or port.transit_router is None:
        return None
    if port.is_shared:
        found = port.own or port.foreign
        return found if found is not None and _is_on(port.zone, found, port.transit_router) else None
    local = is_local(port.zone, port.port["chassis"])
    found = port.own if local else port.foreign
    if found is None or not _is_on(port.zone, found, port.transit_router) or (local and (not _is_here(port) or _clash(port))):
        return None
    return found


def _clash(port: _RouterPort) -> Skipped | None:
    """Why the NB port of this name cannot become this transit router port: it is on another router and was not created
    by this interconnect (spec ports-4.4).
    """
    if port.lrp is None or port.transit_router is None or port.stands_for_a_transit_router():
        return None
    router = transit.router_of(port.zone, port.transit_router["name"])
    if router is None or port.router == router:
        return None
    place = port.router["name"] if port.router is not None else "unknown"
    reason = (
        f"transit router port {port.name} of {port.transit_router['name']} is skipped because router {place} has another port of this name"
    )
    return Skipped(port.name, f"{reason}; rename one of them")


def _local(port: _RouterPort, binding: Row | None) -> Iterator[Step]:
    """Create or update the NB router port, or remove it where it has no binding (spec ports-Y-2, ports-Y-3)."""
    if binding is None or port.port is None or port.transit_router is None:
        if port.stands_for_a_transit_router() and not _awaits(port):
            yield from port.remove_lrp("no transit router has such a port with a binding")
        clash = _clash(port)
        if clash is not None:
            yield clash
        return
    clash = _clash(port)
    router = transit.router_of(port.zone, port.transit_router["name"])
    if clash is not None:
        yield clash
    elif router is not None:
        yield from _make(port, port.port, router, binding)


def _awaits(port: _RouterPort) -> bool:
    """Whether the missing binding will be created: now, or when another zone has withdrawn its own; a shared one by any
    zone.

    Until then the NB port stays as it is: a port that is removed while IC_SB is rebuilt would be withheld together with
    its binding.
    """
    return (port.is_shared or _is_here(port)) and (port.binding is None or transit.is_router_port(port.binding))


def _make(port: _RouterPort, row: Row, router: Row, binding: Row) -> Iterator[Step]:
    zone, reason = port.zone, f"port of transit router {router['name']}"
    columns = {"mac": row["mac"], "networks": row["networks"]}
    options: dict[str, str | None] = {ROUTER_KEY: port.name, "requested-chassis": row["chassis"] or None}
    if port.lrp is not None and port.router == router:
        options.update(transit.key_option(port.lrp["options"], binding["tunnel_key"]))
        keys = {"options": options}
        yield from update(zone.nb, "Logical_Router_Port", port.lrp, record=port.name, reason=reason, columns=columns, keys=keys)
        return
    yield from port.remove_lrp(f"the port is now on transit router {router['name']}")
    options[transit.REQUESTED_KEY] = str(binding["tunnel_key"])
    present = {key: value for key, value in options.items() if value is not None}
    whole = {"name": port.name, **columns, "options": present}
    yield insert(zone.nb, "Logical_Router_Port", whole, record=port.name, reason=reason, name="@port")
    yield from update(zone.nb, "Logical_Router", router, record=port.name, reason=reason, members={"ports": add("@port")})


# ---- Keys that a row change affects ----------------------------------------------------------------------------------


def _ports_of(zone: Zone, uuid: str | None) -> Iterator[Row]:
    """The port bindings that name this row of a transit router, or its name."""
    yield from transit.router_ports(zone, uuid)
    transit_router = zone.ic_nb.row("Transit_Router", uuid)
    if transit_router is not None:
        yield from (row for row in zone.ic_sb.find("Port_Binding", "transit_switch", transit_router["name"]) if transit.is_router_port(row))


def _is_wanted(zone: Zone, row: Row) -> bool:
    """Whether a switch port's binding has the name of a transit router port, which waits for that name."""
    return zone.ic_nb.first("Transit_Router_Port", "name", row["logical_port"]) is not None


def _may_be_managed(zone: Zone, change: RowChange, row: Row) -> bool:
    """Whether an NB router port may belong to a transit router. All other ports are ignored."""
    marked = any(ROUTER_KEY in version["options"] for version in change.rows)
    return marked or zone.ic_nb.first("Transit_Router_Port", "name", row["name"]) is not None


def _of_chassis(change: RowChange, zone: Zone) -> Iterator[str]:
    flags = {boolean(row[flags_column(zone)], IS_REMOTE) for row in change.rows} if change.table == "Chassis" else set()
    if change.changed("name") or len(flags) > 1:
        for row in change.rows:
            yield from (port["name"] for port in zone.ic_nb.find("Transit_Router_Port", "chassis", row["name"]))


def _of_router(change: RowChange, zone: Zone) -> Iterator[str]:
    """A router of NB or of IC_NB: ports that were added or removed, or all of them if its name or mark changed."""
    members = change.edges.get("ports")
    if members is not None and (change.database == IC_NB or any(_is_ours(zone, row) for row in change.rows)):
        store, table = (zone.ic_nb, "Transit_Router_Port") if change.database == IC_NB else (zone.nb, "Logical_Router_Port")
        rows = (store.row(table, uuid) for uuid in (*members.added, *members.removed))
        yield from (row["name"] for row in rows if row is not None)
    for row in change.rows:
        # Which of several routers is kept also depends on their ports.
        several = change.database == NB and members is not None and len(zone.nb.find("Logical_Router", "name", row["name"])) > 1
        if several or _turned(change):
            yield from _all_of(zone, row["name"])


def _turned(change: RowChange) -> bool:
    """Whether a router's name changed, or whether it began or ceased to stand for a transit router."""
    if change.old is None or change.new is None or change.changed("name"):
        return True
    return change.database == NB and (ROUTER_KEY in change.old["options"]) != (ROUTER_KEY in change.new["options"])


def _is_ours(zone: Zone, row: Row) -> bool:
    return ROUTER_KEY in row["options"] or zone.ic_nb.first("Transit_Router", "name", row["name"]) is not None


def _all_of(zone: Zone, transit_router: str) -> Iterator[str]:
    """Every port name that a transit router is involved with."""
    for router in zone.nb.find("Logical_Router", "name", transit_router):
        for row in zone.nb.child_rows("Logical_Router", "ports", router.uuid, "Logical_Router_Port"):
            if ROUTER_KEY in row["options"]:
                yield row["name"]
    for row in zone.ic_sb.find("Port_Binding", "transit_switch", transit_router):
        if transit.is_router_port(row):
            yield row["logical_port"]
    for row in zone.ic_nb.find("Transit_Router", "name", transit_router):
        yield from (port["name"] for port in zone.ic_nb.child_rows("Transit_Router", "ports", row.uuid, "Transit_Router_Port"))
