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

from ...address import Prefix, format_prefix, is_link_local, parse_nexthop, parse_prefix
from ...ovsdb.store import Row
from ...settings import tag_warning
from ...subjects.routes.participants import router_id
from ..effects import of_policy
from . import needs
from .check import ERROR, ROUTER_PORT, WARNING, ZONE, Check
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
    fix = "deny one of them with ovn_ic_route_policy, or renumber it"
    for prefix, owners in table.items():
        record = f"{format_prefix(prefix)} on {switch}"
        for around in enclosing(prefix, table):
            both = owners | table[around]
            zones = {owner.zone for owner in both}
            if len(zones) > 1:
                words = f"it lies in {format_prefix(around)}, and the zones {listed(zones)} have these networks"
                yield Finding("network-in-two-zones", record, words, fix)
            elif around == prefix and len({owner.router for owner in owners if owner.router}) > 1 and _distinct(databases, owners):
                words = f"two routers of zone {listed(zones)} have this network, and peers send packets to either"
                yield Finding("network-on-two-routers", record, words, fix)


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
                fix = "packets for it leave that network; delete the static route, or deny it with ovn_ic_route_policy"
                yield Finding("static-route-into-network", f"{format_prefix(prefix)} on {switch}", f"{words} {listed(theirs)}", fix)


def policy(databases: Databases) -> Iterator[Finding]:
    """A zone that uses an interconnect in one direction only: it learns or advertises nothing, although other zones
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
            yield Finding("learning-off", f"zone {name} on {switch}", words, "turn it on with ovn_ic_route_policy (learn)")
        if not options.adv:
            words = f"advertising is off (ic-route-adv), so {zones} have no route back over {switch}"
            yield Finding("advertising-off", f"zone {name} on {switch}", words, "turn it on with ovn_ic_route_policy (advertise)")


def silent(databases: Databases) -> Iterator[Finding]:
    """Zones with a router on a transit switch that advertise nothing there, while other zones do: they have no way back."""
    routers: dict[str, set[str]] = defaultdict(set)
    speakers: dict[str, set[str]] = defaultdict(set)
    for row in databases.switch_ports():
        if router_id(row) is not None:
            routers[row["transit_switch"]].add(row["availability_zone"])
    for row in databases.south.rows("Route"):
        speakers[row["transit_switch"]].add(row["availability_zone"])
    own = databases.zone.own_az
    known = own.uuid if own is not None and not databases.zone.options.adv else None
    for switch, zones in routers.items():
        for uuid in zones - speakers[switch] if speakers[switch] else ():
            if uuid != known:  # its policy is reported as advertising-off
                zone = databases.names.get(uuid, "?")
                words = f"zone {zone} has a router on {switch} and advertises nothing there, so replies of other zones have no route"
                fix = f"run ovn_ic_route_info with the databases of zone {zone} for the reasons"
                yield Finding("zone-silent", f"zone {zone} on {switch}", words, fix)


def default_loops(databases: Databases) -> Iterator[Finding]:
    """Default routes of the zone whose next hop is on the transit switch on which they are advertised."""
    hops = {(port.row["transit_switch"], network.host) for port in databases.published() for network in port.networks}
    for row in databases.south.rows("Route"):
        prefix = parse_prefix(row["ip_prefix"])
        source = databases.zone.nb.row("Logical_Router_Static_Route", row["external_ids"].get("nb-id"))
        if prefix is None or not prefix.is_default or source is None or not databases.zone.is_own(row):
            continue
        hop = parse_nexthop(source["nexthop"])
        if hop is not None and (row["transit_switch"], hop) in hops:
            words = (
                f"its next hop {source['nexthop']} is a router on {row['transit_switch']}, and the route is advertised there: "
                "when that router loses its own default route, packets loop between the two"
            )
            fix = "remove ic-route-adv-via-transit from NB_Global.options, or advertise no default route (ovn_ic_route_policy)"
            yield Finding("default-route-loop", f"{row['ip_prefix']} of zone {databases.zone.name} on {row['transit_switch']}", words, fix)


def options(databases: Databases) -> Iterator[Finding]:
    """Options of the zone and of its ports on transit switches that have no effect, or not the expected one."""
    zone = databases.zone
    row = zone.nb_global
    keys = row["options"] if row is not None else {}
    for sentence in of_policy(keys):
        cause, _semicolon, fix = sentence.partition("; ")
        yield Finding("option-without-effect", f"zone {zone.name}", cause, fix)
    if keys.get("ic-route-denylist") and keys.get("ic-route-blacklist"):
        words = "ic-route-denylist and ic-route-blacklist are both set; both apply here, and upstream's daemon ignores the second one"
        yield Finding("denylist-twice", f"zone {zone.name}", words, "move all prefixes to ic-route-denylist (ovn_ic_route_policy)")
    if (zone.options.adv_lb or zone.options.learn_lb) and not zone.ic_sb.schema.allows("Route", "origin", "loadbalancer"):
        words = (
            "routes to load balancers are on (ic-route-adv-lb or ic-route-learn-lb), and the schema "
            f"{zone.ic_sb.schema.version} of IC_SB does not support them"
        )
        yield Finding("schema-too-old", f"zone {zone.name}", words, "convert IC_SB to a newer schema with ovn_ic_schema")
    for _one, lrp, _router in databases.routers():
        warning = tag_warning(lrp["options"])
        if warning is not None:
            cause, _semicolon, fix = warning[0].partition("; ")
            yield Finding("tag-option-invalid" if warning[1] else "tag-option-deprecated", databases.own(lrp["name"]), cause, fix)


CHECKS = (
    Check(
        "network-in-two-zones",
        ERROR,
        "network",
        "Two zones have overlapping connected networks. A third zone sends packets to either of them.",
        "Deny one of the networks with `ovn_ic_route_policy`, or renumber it.",
        overlaps,
        (needs.ROUTES,),
    ),
    Check(
        "network-on-two-routers",
        ERROR,
        "network",
        "Two routers of one zone have different networks with one prefix. Other zones send packets to either of them.",
        "Deny one of the networks with `ovn_ic_route_policy`, or renumber it.",
        overlaps,
        (needs.ROUTES,),
    ),
    Check(
        "static-route-into-network",
        ERROR,
        "network",
        "A zone advertises a static route to addresses of another zone's connected network. Packets to them leave that network.",
        "Delete the static route, or deny it with `ovn_ic_route_policy`.",
        overlaps,
        (needs.ROUTES,),
    ),
    Check(
        "learning-off",
        WARNING,
        ZONE,
        "A zone learns no routes (`ic-route-learn`) although other zones advertise some on its transit switches.",
        "Turn it on with the option `learn` of `ovn_ic_route_policy`.",
        policy,
        (needs.registered, needs.SWITCHES),
    ),
    Check(
        "advertising-off",
        WARNING,
        ZONE,
        "A zone advertises no routes (`ic-route-adv`) although other zones do, so they have no route back to it.",
        "Turn it on with the option `advertise` of `ovn_ic_route_policy`.",
        policy,
        (needs.registered, needs.SWITCHES),
    ),
    Check(
        "zone-silent",
        WARNING,
        ZONE,
        "A zone has a router on a transit switch and advertises nothing there, while other zones do. Replies to it have no route.",
        "Run `ovn_ic_route_info` with the databases of that zone. It gives the reason for each network.",
        silent,
        (needs.ROUTES,),
    ),
    Check(
        "default-route-loop",
        ERROR,
        "Route of IC_SB",
        "A zone advertises a default route on the transit switch on which its next hop is. When that router loses its own default route, "
        "packets loop between the two.",
        "Remove `ic-route-adv-via-transit` from `NB_Global.options`, or advertise no default route.",
        default_loops,
        (needs.registered, needs.ROUTES),
    ),
    Check(
        "option-without-effect",
        WARNING,
        ZONE,
        "An option of the zone has no effect, because another one is off or its value is not a prefix.",
        "Correct the option with `ovn_ic_route_policy`.",
        options,
        (needs.given,),
    ),
    Check(
        "denylist-twice",
        WARNING,
        ZONE,
        "The zone has a list of denied prefixes under the present and under the former name of the option. Here both apply. Upstream's "
        "daemon ignores the second one.",
        "Move all prefixes to `ic-route-denylist` (`ovn_ic_route_policy`).",
        options,
        (needs.given,),
    ),
    Check(
        "tag-option-invalid",
        WARNING,
        ROUTER_PORT,
        "`ic-route-learn-tag-rules` of a router port is invalid and has no effect, so all tags are learned.",
        "Set it to `allow:TAG[,TAG...]` or `block:TAG[,TAG...]`.",
        options,
        (needs.given,),
    ),
    Check(
        "tag-option-deprecated",
        WARNING,
        ROUTER_PORT,
        "A router port has the deprecated option `ic-route-filter-tag`.",
        "Use `ic-route-learn-tag-rules=block:TAG` instead.",
        options,
        (needs.given,),
    ),
    Check(
        "schema-too-old",
        WARNING,
        ZONE,
        "An option of the zone needs a newer schema of IC_SB.",
        "Convert the database with `ovn_ic_schema`, or remove the option.",
        options,
        (needs.given,),
    ),
)
