# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chassis that may host a router port: its own list of gateway chassis, or an HA chassis group that several ports
share.

A port has only one of the two, because northd ignores the list of a port that has a group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..engine.change import Change, delete, insert, replace, update
from ..ovsdb.store import Row, Store
from ..settings import boolean
from ..tables import NB, SB
from ..zone import OWNER_KEY, Zone
from .errors import ModuleError
from .option_checks import checked_name

Params = Mapping[str, Any]
HIGHEST_PRIORITY = 32767
#: The map key of Chassis.other_config that makes a chassis a gateway of the interconnect.
_GATEWAY_FLAG = "is-interconn"
#: The maximum number of chassis named in a message.
_SHOWN = 10


class _Kind(NamedTuple):
    """Where chassis with priorities are stored: the table, and the table and column of the row that refers to them."""

    table: str
    parent: str
    column: str


_LIST = _Kind("Gateway_Chassis", "Logical_Router_Port", "gateway_chassis")
_GROUP = _Kind("HA_Chassis", "HA_Chassis_Group", "ha_chassis")


class PortGateways:
    """The gateways of one router port: desired and existing ones. ``port``: the name of the router port."""

    def __init__(self, params: Params, zone: Zone, port: str) -> None:
        self._list: Sequence[Mapping[str, Any]] | None = params["gateways"]
        self._group: Mapping[str, Any] | None = params["ha_chassis_group"]
        self._zone = zone
        self._nb: Store = zone.nb
        self._port = port

    def describe(self, port: Row) -> dict[str, Any]:
        """The present gateways."""
        group = self._group_of(port)
        return {
            "gateways": self._described(_LIST, port),
            "ha_chassis_group": {} if group is None else {"name": group["name"], "chassis": self._described(_GROUP, group)},
        }

    def _described(self, kind: _Kind, parent: Row) -> list[dict[str, Any]]:
        rows = sorted(self._members(kind, parent), key=lambda row: (-row["priority"], row["chassis_name"]))
        return [{"chassis": row["chassis_name"], "priority": row["priority"]} for row in rows]

    def _members(self, kind: _Kind, parent: Row) -> list[Row]:
        return self._nb.child_rows(kind.parent, kind.column, parent.uuid, kind.table)

    def _group_of(self, port: Row) -> Row | None:
        return self._nb.row("HA_Chassis_Group", port["ha_chassis_group"]) if port["ha_chassis_group"] else None

    # -- checks --------------------------------------------------------------------------------------------------------

    def check(self, chassis_known: bool) -> None:
        """Raise ModuleError if the desired gateways are not valid. ``chassis_known``: SB was read."""
        wanted, option = (self._list, "gateways") if self._group is None else (self._group["chassis"], "ha_chassis_group")
        if self._group is not None:
            checked_name(self._group["name"], "the name of ha_chassis_group")
        names = [checked_name(gateway["chassis"], f"a chassis in {option}") for gateway in wanted or ()]
        for name in names:
            if names.count(name) > 1:
                raise ModuleError(f"{option} names the chassis {name!r} twice; name it once")
        for gateway in wanted or ():
            if not 0 <= gateway["priority"] <= HIGHEST_PRIORITY:
                raise ModuleError(
                    f"the priority of gateway {gateway['chassis']!r} is {gateway['priority']}; choose a number from 0 to {HIGHEST_PRIORITY}"
                )
            if chassis_known:
                self._check_chassis(gateway["chassis"])
        if self._group is not None and wanted is None and self._wanted_group() is None:
            raise ModuleError(
                f"HA chassis group {self._group['name']!r} does not exist; name its chassis, so that it can be created", database=NB
            )

    def _check_chassis(self, name: str) -> None:
        chassis = self._zone.chassis(name)
        if chassis is None:
            raise ModuleError(f"the zone has no chassis {name!r} ({self._known_chassis()}); correct the gateways", database=SB)
        if boolean(chassis["other_config"], "is-remote"):
            raise ModuleError(
                f"the chassis {name!r} is a gateway of another zone; name a chassis of this zone ({self._known_chassis()})", database=SB
            )
        if not boolean(chassis["other_config"], _GATEWAY_FLAG):
            raise ModuleError(
                f"the chassis {name!r} is not a gateway of the interconnect (other_config:{_GATEWAY_FLAG} is not true); make it one with"
                f" ovn_ic_gateway on its host, or name another chassis ({self._known_chassis()})",
                database=SB,
            )

    def _known_chassis(self) -> str:
        """The zone's own interconnection gateways, or its own chassis if it has none; never the copies of other zones'
        gateways.
        """
        own = [row for row in self._zone.sb.rows("Chassis") if not boolean(row["other_config"], "is-remote")]
        gateways = [row for row in own if boolean(row["other_config"], _GATEWAY_FLAG)]
        names = sorted(row["name"] for row in gateways or own)
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return f"its {'gateways' if gateways else 'chassis'}: {', '.join(names[:_SHOWN]) or 'none'}{more}"

    def _wanted_group(self) -> Row | None:
        name = None if self._group is None else self._group["name"]
        return next((row for row in self._nb.rows("HA_Chassis_Group") if row["name"] == name), None)

    # -- present ---------------------------------------------------------------------------------------------------------------------

    def make(self, columns: dict[str, Any]) -> Iterator[Change]:
        """What a new router port needs. Its columns are added to ``columns``."""
        if self._group is not None:
            yield from self._make_group(self._group, columns)
        else:
            changes = [self._new(_LIST, number, gateway) for number, gateway in enumerate(self._list or ())]
            columns["gateway_chassis"] = frozenset(change.uuid for change in changes)
            yield from changes

    def change(self, port: Row) -> Iterator[Change]:
        """The changes of an existing router port."""
        if self._list is None and self._group is None:
            return
        columns: dict[str, Any] = {"ha_chassis_group": None}
        wanted: list[str] = []
        if self._group is not None:
            yield from self._make_group(self._group, columns)
        else:
            yield from self._change_members(_LIST, port, self._list or (), wanted)
        members = {"gateway_chassis": replace(self._nb.children(_LIST.parent, _LIST.column, port.uuid), wanted)}
        reason = "the task sets other gateways"
        yield from update(self._nb, _LIST.parent, port, record=self._port, reason=reason, columns=columns, members=members)
        if port["ha_chassis_group"] != columns["ha_chassis_group"]:
            yield from self.leave(port)

    def rename(self, port: Row) -> Iterator[Change]:
        """Rename the gateways of a port that gets another name, if they were named after the port."""
        for row in self._members(_LIST, port):
            if row["name"] == f"{port['name']}-{row['chassis_name']}":
                columns = {"name": self._free_name(row["chassis_name"], row)}
                reason = f"router port {port['name']} is renamed"
                yield from update(self._nb, _LIST.table, row, record=columns["name"], reason=reason, columns=columns)

    def _make_group(self, given: Mapping[str, Any], columns: dict[str, Any]) -> Iterator[Change]:
        """The group with its chassis. Chassis that are not wanted are removed; other settings of an operator are kept."""
        group, name, wanted = self._wanted_group(), given["name"], given["chassis"] or ()
        if group is None:
            changes = [self._new(_GROUP, number, gateway) for number, gateway in enumerate(wanted)]
            members = frozenset(change.uuid for change in changes)
            yield from changes
            row = {"name": name, "ha_chassis": members, "external_ids": {OWNER_KEY: name}}
            reason = f"port {self._port} gets its gateways from this group"
            yield insert(self._nb, "HA_Chassis_Group", row, record=name, reason=reason, name="@ha_chassis_group")
            columns["ha_chassis_group"] = "@ha_chassis_group"
            return
        columns["ha_chassis_group"] = group.uuid
        if given["chassis"] is None:
            return
        kept: list[str] = []
        yield from self._change_members(_GROUP, group, wanted, kept)
        edges = {"ha_chassis": replace(self._nb.children(_GROUP.parent, _GROUP.column, group.uuid), kept)}
        reason = "the task sets other chassis for the group"
        yield from update(self._nb, "HA_Chassis_Group", group, record=name, reason=reason, members=edges)

    def _change_members(self, kind: _Kind, parent: Row, wanted: Sequence[Mapping[str, Any]], kept: list[str]) -> Iterator[Change]:
        """New chassis and changed priorities. The UUIDs of all wanted ones are added to ``kept``."""
        now = {row["chassis_name"]: row for row in self._members(kind, parent)}
        for number, gateway in enumerate(wanted):
            row = now.get(gateway["chassis"])
            if row is None:
                change = self._new(kind, number, gateway)
                kept.append(change.uuid)
                yield change
            else:
                kept.append(row.uuid)
                columns, record = {"priority": gateway["priority"]}, self._record(kind, gateway)
                yield from update(self._nb, kind.table, row, record=record, reason="the options differ", columns=columns)

    def _new(self, kind: _Kind, number: int, gateway: Mapping[str, Any]) -> Change:
        record = self._record(kind, gateway)
        columns = {"chassis_name": gateway["chassis"], "priority": gateway["priority"]}
        reason = f"chassis {gateway['chassis']} becomes a gateway of port {self._port}"
        if kind is _LIST:
            columns["name"] = record = self._free_name(gateway["chassis"])
        return insert(self._nb, kind.table, columns, record=record, reason=reason, name=f"@gateway{number}")

    def _record(self, kind: _Kind, gateway: Mapping[str, Any]) -> str:
        """The name of a gateway chassis, or the label of a chassis in a group, which has no name."""
        owner = self._port if kind is _LIST or self._group is None else self._group["name"]
        return f"{owner}-{gateway['chassis']}"

    def _free_name(self, chassis: str, own: Row | None = None) -> str:
        """An unused name for a gateway chassis: the gateways of a port that was renamed manually still have its old
        name.
        """
        taken = {row["name"] for row in self._nb.rows(_LIST.table) if row != own}
        names = (f"{self._port}-{chassis}{end}" for end in ("", *(f"-{number}" for number in range(2, len(taken) + 3))))
        return next(name for name in names if name not in taken)

    # -- absent ----------------------------------------------------------------------------------------------------------------------

    def leave(self, port: Row) -> Iterator[Change]:
        """Delete the group that the port used, if it was created for attachments and no other port uses it."""
        group = self._group_of(port)
        if group is None or OWNER_KEY not in group["external_ids"]:
            return
        tables = ("Logical_Router_Port", "Logical_Switch_Port")
        if not any(row["ha_chassis_group"] == group.uuid and row.uuid != port.uuid for table in tables for row in self._nb.rows(table)):
            yield delete(
                self._nb, "HA_Chassis_Group", group, record=group["name"], reason="no port gets its gateways from this group any longer"
            )
