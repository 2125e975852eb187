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

from collections.abc import Iterator

from .schema import NB, SB
from .store import Store

#: The columns that :func:`mismatch` needs, by database and table.
COLUMNS = {
    NB: {"NB_Global": "name options:map", "Logical_Switch": "name", "Logical_Router": "name"},
    SB: {"SB_Global": "options:map", "Datapath_Binding": "nb_uuid:optuuid external_ids:map"},
}
_SWITCHES = ("Logical_Switch", "Logical_Router")
_MACS = ("mac_prefix", "svc_monitor_mac")


def mismatch(nb: Store, sb: Store) -> str | None:
    """Why these databases belong to different zones, as one sentence without advice. None if they can belong to the
    same zone.

    If they belong to the same zone and have a datapath in common, the cost is one look-up.
    """
    any_datapath = False
    for uuid in _origins(sb):
        any_datapath = True
        if any(nb.row(table, uuid) is not None for table in _SWITCHES):
            return None
    north, south = nb.only("NB_Global"), sb.only("SB_Global")
    ours, theirs = (row["options"] if row is not None else {} for row in (north, south))
    compared = [ours[key] == theirs[key] for key in _MACS if key in ours and key in theirs]
    any_switch = any(nb.count(table) for table in _SWITCHES)
    if all(compared) if compared else not (any_datapath and any_switch):
        return None
    name = f" {north['name']!r}" if north is not None and north["name"] else ""
    signs = ["no datapath of SB belongs to a switch or router of NB"] if any_datapath and any_switch else []
    signs += ["their MAC prefixes in NB_Global.options and SB_Global.options differ"] if compared else []
    return f"{SB} is the southbound database of another zone than{name or ' that of ' + NB}: {' and '.join(signs)}"


def _origins(sb: Store) -> Iterator[str]:
    """The NB UUIDs of SB's datapaths."""
    for row in sb.rows("Datapath_Binding"):
        ids = row["external_ids"]
        uuid = row["nb_uuid"] or ids.get("logical-switch") or ids.get("logical-router")
        if uuid:
            yield uuid
