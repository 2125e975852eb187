# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rows of a zone are the interconnect's business: the conditions under which they are monitored.

A zone's tens of thousands of VIF ports are not. Of NB ports and SB port bindings those with a type are monitored; of those without, the
ones on interconnect switches (by uuid) and the ones that transit switch ports and service monitors speak of (by name). Of other switches
the set of ports is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .replica import Replica
from .schema import IC_NB, IC_SB, NB, SB
from .store import RowChange
from .zone import OWNER_KEY, Zone

_TYPED = ["type", "!=", ""]
#: Tables that say which rows are wanted.
_FOLLOWED = frozenset(("Logical_Switch", "Logical_Switch_Port", "Transit_Switch_Port", "Service_Monitor"))


def keeps_ports(table: str, row: Any) -> bool:
    """Whether the ports of this switch are wanted: it carries a transit switch, or did."""
    return table != "Logical_Switch" or "interconn-ts" in row["other_config"] or OWNER_KEY in row["external_ids"]


class Interest:
    """Follows what the zone speaks of, and tells the replicas of NB and SB."""

    def __init__(self, zone: Zone, replicas: Mapping[str, Replica]) -> None:
        self._zone = zone
        self._nb, self._sb = replicas[NB], replicas[SB]
        self._ports: set[str] = set()
        #: The name by which other zones speak of ours; who we are is told by several tables, of databases that arrive in any order.
        self._name: str | None = None
        self._nb.keeps_members = keeps_ports
        self._tell()

    def observe(self, changes: Iterable[RowChange]) -> None:
        """Take notice of these row changes, and of nothing else."""
        name = self._own_name()
        concerned = name != self._name
        self._name = name
        for change in changes:
            if change.table not in _FOLLOWED:
                continue
            place = (change.database, change.table)
            if place == (NB, "Logical_Switch") and "ports" in change.edges:
                concerned |= self._follow_switch(change)
            elif place == (NB, "Logical_Switch_Port") and change.new is None:
                concerned |= self._follow_hidden(change.uuid)
            elif place in ((IC_NB, "Transit_Switch_Port"), (IC_SB, "Service_Monitor")):
                concerned = True
        if concerned:
            self._tell()

    def _follow_switch(self, change: RowChange) -> bool:
        before = len(self._ports)
        members = change.edges["ports"]
        gone = self._ports & members.removed
        self._ports -= gone
        self._ports.update(uuid for uuid in members.added if self._zone.nb.row("Logical_Switch_Port", uuid) is None)
        return bool(gone) or len(self._ports) != before

    def _follow_hidden(self, uuid: str) -> bool:
        """A port that is still on its switch but left our sight has lost its type."""
        if uuid in self._ports or not self._zone.nb.parents("Logical_Switch", "ports", uuid):
            return False
        self._ports.add(uuid)
        return True

    def _own_name(self) -> str | None:
        own = self._zone.own_az
        return own["name"] if own is not None else None

    def _tell(self) -> None:
        zone = self._zone
        managed = [row["name"] for row in zone.ic_nb.rows("Transit_Switch_Port")]
        served = (row for row in zone.ic_sb.rows("Service_Monitor") if row["target_availability_zone"] == self._name)
        uuids = [["_uuid", "==", ["uuid", uuid]] for uuid in sorted(self._ports)]
        names = [["name", "==", name] for name in sorted(managed)]
        self._nb.want("Logical_Switch_Port", [_TYPED, *uuids, *names])
        bound = sorted({*managed, *(row["logical_port"] for row in served)})
        self._sb.want("Port_Binding", [_TYPED, *(["logical_port", "==", name] for name in bound)])
