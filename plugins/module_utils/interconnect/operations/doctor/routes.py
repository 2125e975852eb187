# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes in IC_SB that lead to two places for the same network, and route policies that allow traffic in one direction
only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from ...address import Prefix, format_prefix, is_link_local, parse_prefix
from ...ovsdb.store import Row
from .databases import Databases, Finding, enclosing, listed


class _Owner(NamedTuple):
    """The owner of a network: the zone's name and the router's UUID (empty if the route does not have it), with its
    address there.
    """

    zone: str
    router: str
    prefix: Prefix
    source: str


_Table = dict[Prefix, set[_Owner]]


def overlaps(databases: Databases) -> Iterator[Finding]:
    """Networks that exist in two places: connected networks of two zones or routers, and static routes into another
    zone's connected network.
    """
    connected: dict[tuple[str, str], _Table] = defaultdict(lambda: defaultdict(set))
    static: dict[tuple[str, str], _Table] = defaultdict(lambda: defaultdict(set))
    for row in databases.south.rows("Route"):
        prefix = parse_prefix(row["ip_prefix"])
        tables = {"connected": connected, "static": static}.get(row["origin"])
        if prefix is not None and tables is not None and not is_link_local(prefix):
            ids = row["external_ids"]
            owner = _Owner(databases.zone_name(row), ids.get("lr-id", ""), prefix, ids.get("nb-id", ""))
            tables[(row["transit_switch"], row["route_table"])][prefix.network].add(owner)
    for place, table in connected.items():
        yield from _connected(databases, place[0], table)
        yield from _static(place[0], static[place], table)


def _connected(databases: Databases, switch: str, table: _Table) -> Iterator[Finding]:
    for prefix, owners in table.items():
        record = f"{format_prefix(prefix)} on {switch}"
        for around in enclosing(prefix, table):
            both = owners | table[around]
            zones = {owner.zone for owner in both}
            if len(zones) > 1:
                words = f"it lies in {format_prefix(around)}, and zones {listed(zones)} have these networks; deny one, or renumber"
                yield Finding("overlaps", record, words)
            elif around == prefix and len({owner.router for owner in owners if owner.router}) > 1 and _distinct(databases, owners):
                words = f"two routers of zone {listed(zones)} have this network, and peers send packets to either; deny one, or renumber"
                yield Finding("overlaps", record, words)


def _distinct(databases: Databases, owners: set[_Owner]) -> bool:
    """Whether two routers of one zone have different networks with the same prefix, instead of ports in the same
    network.

    Two routers in the same network have different addresses there. If the zone is given, the logical switches of their
    ports decide.
    """
    if len({owner.prefix for owner in owners}) < len(owners):
        return True
    nb = databases.zone.nb
    switches = set()
    for owner in owners:
        lrp = nb.row("Logical_Router_Port", owner.source)
        if lrp is None:
            return False
        names = [lsp.uuid for lsp in nb.find("Logical_Switch_Port", "router_port", lrp["name"])]
        switches.add(frozenset(switch for name in names for switch in nb.parents("Logical_Switch", "ports", name)) or lrp.uuid)
    return len(switches) > 1


def _static(switch: str, static: _Table, connected: _Table) -> Iterator[Finding]:
    for prefix, owners in static.items():
        for around in enclosing(prefix, connected):
            theirs = {owner.zone for owner in connected[around]}
            for zone in {owner.zone for owner in owners} - theirs:
                words = f"zone {zone} advertises a static route to it, and it lies in the connected network {format_prefix(around)} of zone"
                advice = "packets for it leave that network; delete the static route, or deny it with ovn_ic_route_policy"
                yield Finding("overlaps", f"{format_prefix(prefix)} on {switch}", f"{words} {listed(theirs)}; {advice}")


def policy(databases: Databases) -> Iterator[Finding]:
    """Zones that use an interconnect in one direction only: they learn or advertise nothing, although other zones
    advertise.
    """
    options, name = databases.zone.options, databases.zone.name
    attached = {one.transit_switch for one, _lrp, _router in databases.routers()}
    foreign: dict[str, list[Row]] = defaultdict(list)
    for row in databases.south.rows("Route"):
        if row["transit_switch"] in attached and not databases.zone.is_own(row):
            foreign[row["transit_switch"]].append(row)
    for switch, rows in sorted(foreign.items()):
        zones = listed({databases.zone_name(row) for row in rows})
        if not options.learn:
            words = f"learning is off (ic-route-learn), so {len(rows)} routes of {zones} on {switch} are not used"
            yield Finding("policy", f"zone {name} on {switch}", f"{words}; turn it on with ovn_ic_route_policy (learn)")
        if not options.adv:
            words = f"advertising is off (ic-route-adv), so {zones} have no route back over {switch}"
            yield Finding("policy", f"zone {name} on {switch}", f"{words}; turn it on with ovn_ic_route_policy (advertise)")
