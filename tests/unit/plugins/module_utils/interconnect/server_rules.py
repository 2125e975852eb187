# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server does to a transaction, for interconnects without servers.

Unique indexes, strong and weak references, garbage collection of rows that nobody refers to, and schemas of several releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import ServerSchema
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import NOTHING, Members, Row, RowChange, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import DATABASES, IC_NB, IC_SB, NB, SB

#: Rows of these tables live only as members of a parent's column: (database, table) -> (parent table, column).
PARENTS: Mapping[tuple[str, str], tuple[str, str]] = {
    (NB, "Logical_Switch_Port"): ("Logical_Switch", "ports"),
    (NB, "Logical_Router_Port"): ("Logical_Router", "ports"),
    (NB, "Logical_Router_Static_Route"): ("Logical_Router", "static_routes"),
    (SB, "Encap"): ("Chassis", "encaps"),
    (IC_NB, "Transit_Switch_Port"): ("Transit_Switch", "ports"),
    (IC_NB, "Transit_Router_Port"): ("Transit_Router", "ports"),
    (IC_SB, "Encap"): ("Gateway", "encaps"),
}

#: The columns of each unique index, by database and table.
Unique = Mapping[tuple[str, str], tuple[tuple[str, ...], ...]]

#: Unique indexes of the newest schemas (without the one on datapath keys, which only the older ones have: see ``World.unique``).
UNIQUE: Unique = {
    (NB, "Logical_Switch_Port"): (("name",),),
    (NB, "Logical_Router_Port"): (("name",),),
    (NB, "Address_Set"): (("name",),),
    (SB, "Chassis"): (("name",),),
    (SB, "Encap"): (("type", "ip"),),
    (SB, "Port_Binding"): (("logical_port",),),
    (SB, "Address_Set"): (("name",),),
    (SB, "Service_Monitor"): (("logical_port", "ip", "port", "protocol"),),
    (IC_NB, "Transit_Switch"): (("name",),),
    (IC_NB, "Transit_Switch_Port"): (("name",),),
    (IC_NB, "Transit_Router"): (("name",),),
    (IC_NB, "Transit_Router_Port"): (("name",),),
    (IC_SB, "Availability_Zone"): (("name",),),
    (IC_SB, "Gateway"): (("name",),),
    (IC_SB, "Encap"): (("type", "ip"),),
    (IC_SB, "Datapath_Binding"): (("nb_ic_uuid", "tunnel_key"),),
    (IC_SB, "Port_Binding"): (("transit_switch", "tunnel_key"), ("logical_port",)),
    (IC_SB, "Route"): (("transit_switch", "availability_zone", "route_table", "ip_prefix", "nexthop"),),
    (IC_SB, "Address_Set"): (("name", "availability_zone"),),
}

#: Tables of IC_SB that hold a strong reference to Availability_Zone.
OWNED = ("Gateway", "Port_Binding", "Route", "Address_Set")

#: What the schemas of 23.03 lack, for :func:`schemas_without`.
LACKING_IN_2303 = (
    "OVN_Northbound.Logical_Switch_Port.peer",
    "OVN_Southbound.Datapath_Binding.type",
    "OVN_Southbound.Datapath_Binding.nb_uuid",
    "OVN_Southbound.Learned_Route",
    "OVN_Southbound.Service_Monitor.chassis_name",
    "OVN_Southbound.Service_Monitor.remote",
    "OVN_Southbound.Service_Monitor.ic_learned",
    "OVN_IC_Northbound.IC_NB_Global.nb_ic_cfg",
    "OVN_IC_Northbound.IC_NB_Global.sb_ic_cfg",
    "OVN_IC_Northbound.Transit_Switch.ports",
    "OVN_IC_Northbound.Transit_Switch_Port",
    "OVN_IC_Northbound.Transit_Router",
    "OVN_IC_Northbound.Transit_Router_Port",
    "OVN_IC_Southbound.IC_SB_Global.nb_ic_cfg",
    "OVN_IC_Southbound.Availability_Zone.nb_ic_cfg",
    "OVN_IC_Southbound.Datapath_Binding.type",
    "OVN_IC_Southbound.Datapath_Binding.nb_ic_uuid",
    "OVN_IC_Southbound.Port_Binding.type",
    "OVN_IC_Southbound.Port_Binding.nb_ic_uuid",
    "OVN_IC_Southbound.Service_Monitor",
    "OVN_IC_Southbound.Address_Set",
)


def schemas_without(*places: str) -> dict[str, ServerSchema]:
    """Complete schemas of the four databases less these ``Database.Table`` or ``Database.Table.column``."""
    tables: dict[str, dict[str, Any]] = {}
    for name, database in DATABASES.items():
        complete = ServerSchema.complete(database).json["tables"]
        tables[name] = {table: {"columns": dict(found["columns"])} for table, found in complete.items()}
    for place in places:
        database_name, table, *column = place.split(".")
        if column:
            del tables[database_name][table]["columns"][column[0]]
        else:
            del tables[database_name][table]
    return {name: ServerSchema(name, "", {"name": name, "tables": found}) for name, found in tables.items()}


class RefusedError(Exception):
    """What a server says to a transaction that it does not take."""


class Transaction:
    """Edits of one store that happen together: collects what changed, and can be undone."""

    def __init__(self, store: Store, unique: Unique) -> None:
        self.store = store
        self.unique = unique
        self.done: list[RowChange] = []

    def note(self, change: RowChange | None) -> None:
        if change is not None:
            self.done.append(change)

    def put(self, table: str, uuid: str, values: Mapping[str, Any]) -> None:
        self.note(self.store.put(table, uuid, values))

    def delete(self, table: str, uuid: str) -> None:
        self.note(self.store.delete(table, uuid))

    def collect_garbage(self, with_new: bool) -> None:
        """Remove rows that lost their last parent (``with_new``: or never had one), and empty weak references to removed rows."""
        place = 0
        while place < len(self.done):
            change = self.done[place]
            place += 1
            orphans = [(change.table, change.uuid)] if change.old is None and with_new else []
            for column, members in change.edges.items():
                orphans += [(table, child) for table in self._children(change.table, column) for child in members.removed]
            for table, uuid in orphans:
                parent = PARENTS.get((self.store.name, table))
                if parent is not None and not self.store.parents(*parent, uuid):
                    self.delete(table, uuid)
            if self.store.name == SB and change.table == "Chassis" and change.new is None:
                for row in list(self.store.rows("Port_Binding")):
                    if row["chassis"] == change.uuid:
                        self.put("Port_Binding", row.uuid, {"chassis": None})

    def _children(self, table: str, column: str) -> list[str]:
        return [child for (database, child), parent in PARENTS.items() if database == self.store.name and parent == (table, column)]

    def check(self) -> None:
        """Raise RefusedError where a unique index or a strong reference is violated."""
        for change in self.done:
            row = self.store.row(change.table, change.uuid)
            if row is not None:
                self._check_unique(change.table, row)
        if self.store.name == IC_SB:
            for change in self.done:
                if change.table == "Availability_Zone" and change.new is None:
                    self._check_unreferenced(change.uuid)

    def _check_unique(self, table: str, row: Row) -> None:
        for index in self.unique.get((self.store.name, table), ()):
            if all(self.store.schema.has(table, column) for column in index):
                values = [row[column] for column in index]
                for other in self.store.rows(table):
                    if other.uuid != row.uuid and [other[column] for column in index] == values:
                        raise RefusedError(f"constraint violation: {table} has two rows with {', '.join(index)} = {values}")
        for column, value in row.as_dict().items():
            allowed = self.store.schema.enum(table, column)
            if allowed is not None and value is not None and value not in allowed:
                raise RefusedError(f"constraint violation: {table} {column} does not allow {value}")

    def _check_unreferenced(self, az: str) -> None:
        for table in OWNED:
            if any(row["availability_zone"] == az for row in self.store.rows(table)):
                raise RefusedError(f"referential integrity violation: {table} still refers to the zone")

    def undo(self) -> None:
        for change in reversed(self.done):
            if change.old is None:
                self.store.delete(change.table, change.uuid)
            elif change.new is None:
                values = dict(change.old.as_dict())
                values.update({column: members.removed for column, members in change.edges.items()})
                self.store.put(change.table, change.uuid, values)
            else:
                edges = {column: Members(members.removed, members.added) for column, members in change.edges.items()}
                self.store.update(change.table, change.uuid, change.old.as_dict(), edges)

    def merged(self) -> list[RowChange]:
        """One difference a row, as a server's update has it."""
        rows: dict[tuple[str, str], list[RowChange]] = {}
        for change in self.done:
            rows.setdefault((change.table, change.uuid), []).append(change)
        result = []
        for (table, uuid), changes in rows.items():
            edges: dict[str, Members] = {}
            for change in changes:
                for column, members in change.edges.items():
                    added, removed = edges.get(column, Members(NOTHING, NOTHING))
                    edges[column] = Members(
                        (added - members.removed) | (members.added - removed), (removed - members.added) | (members.removed - added)
                    )
            if changes[0].old is not None or changes[-1].new is not None:
                result.append(RowChange(self.store.name, table, uuid, changes[0].old, changes[-1].new, edges))
        return result
