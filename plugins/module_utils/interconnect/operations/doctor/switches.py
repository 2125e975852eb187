# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of transit objects, switches, and what is left over of removed ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from ...address import parse_nexthop
from ...ovsdb.store import Row
from ...subjects import transit
from ...subjects.transit import SWITCH_KEY
from . import needs
from .check import BINDING, ERROR, WARNING, Check
from .databases import Databases, Finding


def same_names(databases: Databases) -> Iterator[Finding]:
    """A transit switch and a transit router with the same name, by which alone ports in IC_SB refer to them."""
    names = {row["name"] for row in databases.north.rows("Transit_Switch")}
    for name in names & {row["name"] for row in databases.north.rows("Transit_Router")}:
        yield Finding("name-of-switch-and-router", name, "a transit switch and a transit router have this name", "rename one of them")


def switches(databases: Databases) -> Iterator[Finding]:
    """Compares the zone's logical switches with the transit switches of IC_NB: duplicate, missing and surplus ones."""
    known = {row["name"] for row in databases.north.rows("Transit_Switch")}
    by_name: dict[str, list[Row]] = defaultdict(list)
    claims: dict[str, list[Row]] = defaultdict(list)
    for row in databases.zone.nb.rows("Logical_Switch"):
        by_name[row["name"]].append(row)
        if SWITCH_KEY in row["other_config"]:
            claims[row["other_config"][SWITCH_KEY]].append(row)
    zone = databases.zone.name
    for name in sorted(known):
        if len(by_name[name]) > 1 or len(claims.get(name, ())) > 1:
            count = len({row.uuid for row in (*by_name[name], *claims.get(name, ()))})
            words = f"zone {zone} has {count} logical switches of this transit switch or with its name"
            fix = f"keep other_config:{SWITCH_KEY} on the one to be used, and rename or delete the other"
            yield Finding("switch-duplicate", name, words, fix)
        elif by_name[name] and by_name[name][0] not in claims.get(name, ()):
            words = f"zone {zone} has a logical switch of this name that is not the transit switch"
            yield Finding("switch-name-taken", name, words, "rename the logical switch, or the transit switch")
        if claims and name not in claims:
            words = f"zone {zone} has no logical switch for this transit switch"
            yield Finding("switch-missing", name, words, "check that the zone's sync daemon runs, and see its skipped/show")
    for name in sorted(set(claims) - known):
        words = f"zone {zone} has a logical switch with {SWITCH_KEY}={name}, and IC_NB has no such transit switch"
        fix = "create it with ovn_ic_transit_switch, or remove the map key or the logical switch; guard/show lists withheld deletions"
        yield Finding("switch-leftover", name, words, fix)


def leftovers(databases: Databases) -> Iterator[Finding]:
    """Rows of IC_SB that refer to a transit switch that IC_NB does not have."""
    known = {row["name"] for table in ("Transit_Switch", "Transit_Router") for row in databases.north.rows(table)}
    places: tuple[tuple[str, str, str], ...] = (
        ("datapath-leftover", "Datapath_Binding", "datapath"),
        ("binding-leftover", "Port_Binding", "port"),
        ("route-leftover", "Route", "route"),
    )
    for check, table, words in places:
        counts: Counter[tuple[str, str]] = Counter()
        for row in databases.south.rows(table):
            of_router = table == "Port_Binding" and transit.is_router_port(row)
            if row["transit_switch"] and row["transit_switch"] not in known and not of_router:
                owner = databases.zone_name(row) if table != "Datapath_Binding" else ""
                counts[(row["transit_switch"], owner)] += 1
        for (name, owner), count in counts.items():
            whose = f" of zone {owner}" if owner else ""
            rows = f"{count} {words}{'s' if count > 1 else ''}{whose}"
            fix = f"check the sync daemon{whose} (guard/show lists withheld deletions), or create the transit switch again"
            yield Finding(check, f"{name}{whose}", f"IC_SB has {rows} on this transit switch, and IC_NB does not have it", fix)


def next_hops(databases: Databases) -> Iterator[Finding]:
    """Routes in IC_SB whose next hop no port on their transit switch has."""
    hops = {(port.row["transit_switch"], network.host) for port in databases.published() for network in port.networks}
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in databases.south.rows("Route"):
        hop = parse_nexthop(row["nexthop"])
        if hop is not None and (row["transit_switch"], hop) not in hops:
            counts[(row["nexthop"], row["transit_switch"], databases.zone_name(row))] += 1
    for (hop_text, switch, owner), count in counts.items():
        words = f"{count} routes of zone {owner} have this next hop, and no port on {switch} has the address"
        yield Finding(
            "route-without-port", f"{hop_text} on {switch}", words, f"check the sync daemon of zone {owner}, or attach the router again"
        )


CHECKS = (
    Check(
        "name-of-switch-and-router",
        ERROR,
        "transit switch and transit router",
        "A transit switch and a transit router have one name, by which alone the ports in IC_SB refer to them.",
        "Rename one of them.",
        same_names,
        (needs.SWITCHES,),
    ),
    Check(
        "switch-duplicate",
        ERROR,
        "logical switch",
        "A zone has two logical switches for one transit switch, or a second one of its name.",
        "Keep `other_config:interconn-ts` on the one to be used, and rename or delete the other.",
        switches,
        (needs.registered, needs.SWITCHES),
    ),
    Check(
        "switch-name-taken",
        ERROR,
        "logical switch",
        "A zone has an ordinary logical switch with the name of a transit switch.",
        "Rename the logical switch, or the transit switch.",
        switches,
        (needs.registered, needs.SWITCHES),
    ),
    Check(
        "switch-missing",
        ERROR,
        "transit switch",
        "A zone has no logical switch for a transit switch.",
        "Check that the zone's sync daemon runs. Its `skipped/show` gives the reason.",
        switches,
        (needs.registered, needs.SWITCHES),
    ),
    Check(
        "switch-leftover",
        WARNING,
        "logical switch",
        "A zone has the logical switch of a transit switch that IC_NB does not have.",
        "Create the transit switch again with `ovn_ic_transit_switch`, or delete the logical switch. If the daemon withholds the deletion, "
        "`guard/show` gives the reason and `guard/release` ends it.",
        switches,
        (needs.registered, needs.any_switch),
    ),
    Check(
        "datapath-leftover",
        WARNING,
        "Datapath_Binding of IC_SB",
        "IC_SB has the datapath of a transit switch that IC_NB does not have.",
        "Check that the sync daemons run and withhold nothing (`guard/show`), or create the transit switch again.",
        leftovers,
        (needs.DATAPATHS,),
    ),
    Check(
        "binding-leftover",
        WARNING,
        BINDING,
        "IC_SB has ports on a transit switch that IC_NB does not have.",
        "Check the sync daemon of the zone that the finding names, or create the transit switch again.",
        leftovers,
        (needs.PORTS,),
    ),
    Check(
        "route-leftover",
        WARNING,
        "Route of IC_SB",
        "IC_SB has routes on a transit switch that IC_NB does not have.",
        "Check the sync daemon of the zone that the finding names, or create the transit switch again.",
        leftovers,
        (needs.ROUTES,),
    ),
    Check(
        "route-without-port",
        ERROR,
        "Route of IC_SB",
        "A zone advertises routes with a next hop that no port on the transit switch has. Packets to them are lost.",
        "Check the sync daemon of the zone that the finding names, or attach its router again.",
        next_hops,
        (needs.ROUTES,),
    ),
)
