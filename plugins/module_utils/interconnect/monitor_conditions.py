# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rows of a zone are the interconnect's business: the conditions under which they are monitored.

A zone's tens of thousands of VIF ports are not. Of NB ports and SB port bindings those with a type are monitored; of those without, the
ones on interconnect switches (by uuid) and the ones that transit switch ports and service monitors speak of (by name). Of other switches
the set of ports is not kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Callable

from .replica import Replica
from .schema import IC_NB, IC_SB, NB, SB
from .store import Row, RowChange
from .zone import OWNER_KEY, Zone

_TYPED = ["type", "!=", ""]
#: Tables that say which rows are wanted.
_FOLLOWED = frozenset(("Logical_Switch", "Logical_Switch_Port", "Transit_Switch_Port", "Service_Monitor"))


def keeps_ports(table: str, row: Any) -> bool:
    """Whether the ports of this switch are wanted: it carries a transit switch, or did."""
    return table != "Logical_Switch" or "interconn-ts" in row["other_config"] or OWNER_KEY in row["external_ids"]


class _Names:
    """The names that rows of one table speak of; ``name(row)`` is None for a row that does not count."""

    def __init__(self, name: Callable[[Row], str | None]) -> None:
        self._name = name
        self._counts: Counter[str] = Counter()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._counts))

    def begin(self, rows: Iterable[Row]) -> None:
        """Forget everything, and take in these rows."""
        self._counts = Counter(name for name in map(self._name, rows) if name is not None)

    def follow(self, change: RowChange) -> bool:
        """Take notice of a row change; whether a name came or went with it."""
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
    """Follows what the zone speaks of, and tells the replicas of NB and SB.

    A change costs as much as it concerns: only a name that comes or goes has the conditions made anew, which OVSDB takes as a whole.
    """

    def __init__(self, zone: Zone, replicas: Mapping[str, Replica]) -> None:
        self._zone = zone
        self._nb, self._sb = replicas[NB], replicas[SB]
        self._ports: set[str] = set()
        #: The name by which other zones speak of ours; who we are is told by several tables, of databases that arrive in any order.
        self._name: str | None = None
        #: The transit switch ports of IC_NB, and our ports that service monitors ask for.
        self._managed = _Names(lambda row: str(row["name"]))
        self._served = _Names(lambda row: row["logical_port"] if row["target_availability_zone"] == self._name else None)
        self._nb.keeps_members = keeps_ports
        self._tell()

    def observe(self, changes: Iterable[RowChange]) -> None:
        """Take notice of these row changes, and of nothing else. The stores must hold them already, all of them."""
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
        # Under another name all monitors are looked at anew.
        return place == (IC_SB, "Service_Monitor") and not renamed and self._served.follow(change)

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
        uuids = [["_uuid", "==", ["uuid", uuid]] for uuid in sorted(self._ports)]
        names = [["name", "==", name] for name in self._managed]
        self._nb.want("Logical_Switch_Port", [_TYPED, *uuids, *names])
        bound = sorted({*self._managed, *self._served})
        self._sb.want("Port_Binding", [_TYPED, *(["logical_port", "==", name] for name in bound)])
