# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides which rows of a zone are monitored: those that the interconnect needs.

A zone's tens of thousands of VIF ports are not needed. Of NB ports and SB port bindings, those with a type are
monitored. Of those without a type, only the ports on interconnect switches (by UUID) and the ports named by transit
switch ports and service monitors (by name) are monitored. For other switches, the set of ports is not stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Callable

from ..ovsdb.replica import Replica
from ..ovsdb.store import Row, RowChange
from ..tables import IC_NB, IC_SB, NB, SB
from ..zone import OWNER_KEY, Zone

_TYPED = ["type", "!=", ""]
#: The tables that determine which rows are wanted.
_FOLLOWED = frozenset(("Logical_Switch", "Logical_Switch_Port", "Transit_Switch_Port", "Service_Monitor"))


def keeps_ports(table: str, row: Any) -> bool:
    """Whether the ports of this switch are wanted: it is a transit switch, or was one."""
    return table != "Logical_Switch" or "interconn-ts" in row["other_config"] or OWNER_KEY in row["external_ids"]


class _Names:
    """The names that rows of one table refer to. ``name(row)`` is None for a row that does not count."""

    def __init__(self, name: Callable[[Row], str | None]) -> None:
        self._name = name
        self._counts: Counter[str] = Counter()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._counts))

    def begin(self, rows: Iterable[Row]) -> None:
        """Start again with these rows."""
        self._counts = Counter(name for name in map(self._name, rows) if name is not None)

    def follow(self, change: RowChange) -> bool:
        """Process a row change. Returns whether a name was added or removed."""
        before = self._name(change.old) if change.old is not None else None
        after = self._name(change.new) if change.new is not None else None
        if before == after:
            return False
        return self._add(after) | self._take(before)

    def _add(self, name: str | None) -> bool:
        if name is None:
            return False
        self._counts[name] += 1
        return self._counts[name] == 1

    def _take(self, name: str | None) -> bool:
        if name is None:
            return False
        self._counts[name] -= 1
        if self._counts[name]:
            return False
        del self._counts[name]
        return True


class Interest:
    """Tracks the names and switches that the zone refers to, and sets the conditions of the NB and SB replicas.

    The cost of a change is proportional to its size. Only a name that is added or removed causes new conditions,
    because OVSDB replaces conditions as a whole.
    """

    def __init__(self, zone: Zone, replicas: Mapping[str, Replica]) -> None:
        self._zone = zone
        self._nb, self._sb = replicas[NB], replicas[SB]
        self._ports: set[str] = set()
        #: The name of this zone in other zones' rows. It depends on tables of several databases, which arrive in any
        #: order.
        self._name: str | None = None
        #: The transit switch ports of IC_NB, and this zone's ports for which service monitors exist.
        self._managed = _Names(lambda row: str(row["name"]))
        self._served = _Names(lambda row: row["logical_port"] if row["target_availability_zone"] == self._name else None)
        self._nb.keeps_members = keeps_ports
        self._tell()

    def observe(self, changes: Iterable[RowChange]) -> None:
        """Process these row changes. The stores must already contain all of them."""
        name = self._own_name()
        renamed = name != self._name
        self._name = name
        concerned = renamed
        for change in changes:
            if change.table in _FOLLOWED:
                concerned |= self._follow(change, renamed)
        if renamed:
            self._served.begin(self._zone.ic_sb.rows("Service_Monitor"))
        if concerned:
            self._tell()

    def _follow(self, change: RowChange, renamed: bool) -> bool:
        place = (change.database, change.table)
        if place == (NB, "Logical_Switch"):
            return "ports" in change.edges and self._follow_switch(change)
        if place == (NB, "Logical_Switch_Port"):
            return change.new is None and self._follow_hidden(change.uuid)
        if place == (IC_NB, "Transit_Switch_Port"):
            return self._managed.follow(change)
        # After a rename of the zone, all monitors are checked again.
        return place == (IC_SB, "Service_Monitor") and not renamed and self._served.follow(change)

    def _follow_switch(self, change: RowChange) -> bool:
        before = len(self._ports)
        members = change.edges["ports"]
        gone = self._ports & members.removed
        self._ports -= gone
        self._ports.update(uuid for uuid in members.added if self._zone.nb.row("Logical_Switch_Port", uuid) is None)
        return bool(gone) or len(self._ports) != before

    def _follow_hidden(self, uuid: str) -> bool:
        """A port that is still on its switch but no longer monitored has lost its type."""
        if uuid in self._ports or not self._zone.nb.parents("Logical_Switch", "ports", uuid):
            return False
        self._ports.add(uuid)
        return True

    def _own_name(self) -> str | None:
        own = self._zone.own_az
        return own["name"] if own is not None else None

    def _tell(self) -> None:
        uuids = [["_uuid", "==", ["uuid", uuid]] for uuid in sorted(self._ports)]
        names = [["name", "==", name] for name in self._managed]
        self._nb.want("Logical_Switch_Port", [_TYPED, *uuids, *names])
        bound = sorted({*self._managed, *self._served})
        self._sb.want("Port_Binding", [_TYPED, *(["logical_port", "==", name] for name in bound)])
