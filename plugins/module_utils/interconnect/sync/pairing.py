# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Detects a northbound and a southbound database that belong to different zones.

Two properties are compared. ovn-northd gives each SB datapath the UUID of its switch or router in NB. It also copies
the MAC prefix and the service monitor MAC, both random for each deployment, from NB_Global.options to
SB_Global.options. An SB that is empty, being filled or behind has either no datapaths or the MACs of its NB, and is
therefore never reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..ovsdb.store import Row, RowChange, Store
from ..tables import NB, SB

#: The columns that :func:`mismatch` needs, by database and table.
COLUMNS = {
    NB: {"NB_Global": "name options:map", "Logical_Switch": "name", "Logical_Router": "name"},
    SB: {"SB_Global": "options:map", "Datapath_Binding": "nb_uuid:optuuid external_ids:map"},
}
_SWITCHES = ("Logical_Switch", "Logical_Router")
_MACS = ("mac_prefix", "svc_monitor_mac")
_TABLES = frozenset((database, table) for database, tables in COLUMNS.items() for table in tables)


class Pairing:
    """Tracks whether NB and SB belong to the same zone. ``clock`` returns monotonic seconds.

    ``mismatch`` is the last result of :func:`mismatch`. ``since`` is when the mismatch began, None without one.
    """

    def __init__(self, nb: Store, sb: Store, clock: Callable[[], float]) -> None:
        self._nb = nb
        self._sb = sb
        self._clock = clock
        self.mismatch: str | None = None
        self.since: float | None = None
        #: The UUID of an SB datapath that belonged to a switch or router of NB. As long as it does, this look-up suffices.
        self._common: str | None = None

    def observe(self, changes: Iterable[RowChange]) -> None:
        """Process these row changes. The stores must hold all of them already."""
        if not any((change.database, change.table) in _TABLES for change in changes):
            return
        if self._common is None or not _is_of(self._nb, self._sb.row("Datapath_Binding", self._common)):
            self._common = _common_datapath(self._nb, self._sb)
        self.mismatch = mismatch(self._nb, self._sb) if self._common is None else None
        if self.mismatch is None:
            self.since = None
        elif self.since is None:
            self.since = self._clock()


def mismatch(nb: Store, sb: Store) -> str | None:
    """Why these databases belong to different zones, as one sentence without advice. None if they can belong to the
    same zone.

    If they belong to the same zone and have a datapath in common, the cost is one look-up.
    """
    if _common_datapath(nb, sb) is not None:
        return None
    any_datapath = any(_origin(row) for row in sb.rows("Datapath_Binding"))
    north, south = nb.only("NB_Global"), sb.only("SB_Global")
    ours, theirs = (row["options"] if row is not None else {} for row in (north, south))
    compared = [ours[key] == theirs[key] for key in _MACS if key in ours and key in theirs]
    any_switch = any(nb.count(table) for table in _SWITCHES)
    if all(compared) if compared else not (any_datapath and any_switch):
        return None
    zone = f" of zone {north['name']!r}" if north is not None and north["name"] else ""
    signs = ["no datapath of SB belongs to a switch or router of NB"] if any_datapath and any_switch else []
    signs += ["their MAC prefixes in NB_Global.options and SB_Global.options differ"] if compared else []
    return f"{SB} does not belong to the same zone as {NB}{zone}: {' and '.join(signs)}"


def _common_datapath(nb: Store, sb: Store) -> str | None:
    """The UUID of an SB datapath that belongs to a switch or router of NB. None if there is none."""
    if not any(nb.count(table) for table in _SWITCHES):
        return None
    return next((row.uuid for row in sb.rows("Datapath_Binding") if _is_of(nb, row)), None)


def _is_of(nb: Store, datapath: Row | None) -> bool:
    """Whether a datapath belongs to a switch or router of NB."""
    origin = _origin(datapath) if datapath is not None else None
    return origin is not None and any(nb.row(table, origin) is not None for table in _SWITCHES)


def _origin(datapath: Row) -> str | None:
    """The NB UUID of a datapath's switch or router. None if the datapath names none."""
    ids = datapath["external_ids"]
    return datapath["nb_uuid"] or ids.get("logical-switch") or ids.get("logical-router") or None
