# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names, tunnel keys and switches, and the zones themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ...ovsdb.store import Row
from ...subjects.progress import has_counters, laggards
from ...subjects.transit import SWITCH_KEY
from .databases import Databases, Finding, listed


def same_names(databases: Databases) -> Iterator[Finding]:
    """A transit switch and a transit router with the same name, by which alone ports in IC_SB refer to them."""
    names = {row["name"] for row in databases.north.rows("Transit_Switch")}
    for name in names & {row["name"] for row in databases.north.rows("Transit_Router")}:
        yield Finding("same_names", name, "a transit switch and a transit router have this name; rename one of them")


def duplicate_keys(databases: Databases) -> Iterator[Finding]:
    """Datapaths with the same tunnel key: packets of one arrive in the other."""
    by_key: dict[int, list[str]] = defaultdict(list)
    for row in databases.south.rows("Datapath_Binding"):
        by_key[row["tunnel_key"]].append(row["transit_switch"] or row.uuid)
    for key, names in by_key.items():
        if len(names) > 1:
            words = (
                f"datapaths {listed(names)} have this tunnel key; delete all of these rows but one, and the daemons will create new ones"
            )
            yield Finding("duplicate_keys", str(key), words)


def switches(databases: Databases) -> Iterator[Finding]:
    """Compares the zone's logical switches with the transit switches of IC_NB: duplicate, missing and surplus ones."""
    transit = {row["name"] for row in databases.north.rows("Transit_Switch")}
    by_name: dict[str, list[Row]] = defaultdict(list)
    claims: dict[str, list[Row]] = defaultdict(list)
    for row in databases.zone.nb.rows("Logical_Switch"):
        by_name[row["name"]].append(row)
        if SWITCH_KEY in row["other_config"]:
            claims[row["other_config"][SWITCH_KEY]].append(row)
    for name in sorted(transit):
        if len(by_name[name]) > 1:
            words = f"zone {databases.zone.name} has {len(by_name[name])} logical switches with this name of a transit switch"
            advice = f"keep other_config:{SWITCH_KEY} on the one to be used, and rename or delete the other"
            yield Finding("switches", name, f"{words}; {advice}")
        elif by_name[name] and by_name[name][0] not in claims.get(name, ()):
            words = f"zone {databases.zone.name} has a logical switch of this name that is not the transit switch; rename one of them"
            yield Finding("switches", name, words)
        if claims and name not in claims:
            words = f"zone {databases.zone.name} has no logical switch for this transit switch; check that its sync daemon runs"
            yield Finding("switches", name, words)
    for name in sorted(set(claims) - transit):
        words = f"zone {databases.zone.name} has a logical switch with {SWITCH_KEY}={name}, and IC_NB has no such transit switch"
        yield Finding("switches", name, f"{words}; create it with ovn_ic_transit_switch, or remove the map key or the logical switch")


def zones(databases: Databases) -> Iterator[Finding]:
    """Zones that have not confirmed the newest request, or have no gateway."""
    advice = "or purge it with ovn_ic_az if it is gone"
    for name, number in laggards(databases.zone) if has_counters(databases.zone) else ():
        yield Finding("zones", name, f"the zone is at request {number}, which is not the newest; check its sync daemon, {advice}")
    owners = {row["availability_zone"] for row in databases.south.rows("Gateway")}
    for uuid, name in databases.names.items():
        if uuid not in owners:
            yield Finding("zones", name, f"the zone has no gateway; make a chassis one with ovn_ic_gateway, {advice}")
