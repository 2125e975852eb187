# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NB static routes with ``external_ids:ic-learned-route``: what this zone's routers learn from IC_SB (spec routes-5).

A key is a router and an IC_SB Route. Each route is checked once for each router, which learns it if one of its ports
accepts it. Routers without a participating port keep no learned route.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from typing import ClassVar, NamedTuple

from ...address import Prefix, is_fe80_64, is_uuid, network_text, parse_nexthop, parse_prefix, prefixes_stopped_by
from ...engine import change as changes
from ...engine.change import Skipped, Step
from ...engine.engine import ALL, Keys, Subject
from ...ovsdb.store import Row, RowChange
from ...settings import LEARN_TAG_RULES, ZoneOptions, boolean, may_learn
from ...tables import IC_SB, NB
from ...zone import Zone
from .. import port_faults
from . import participants, rows
from .affected_keys import AffectedKeys
from .former_links import Links
from .participants import Participant
from .view import OwnView, RouteView
from .vips import Vips

_STATIC = "Logical_Router_Static_Route"

RouterCache = participants.PortCache[list[str]]


class Learned(NamedTuple):
    """A key: what router ``router`` learns from IC_SB Route ``route`` (UUIDs)."""

    router: str
    route: str

    def __str__(self) -> str:
        return f"route {self.route} of router {self.router}"


class Refusal(NamedTuple):
    """Why a route is not learned. ``fault`` is set if an operator has to correct something."""

    reason: str
    fault: bool = False


class LearnedRoutes(Subject):
    """Keeps the learned static routes of the zone's routers up to date."""

    name = "learned_routes"
    additive = frozenset([(NB, "Logical_Router_Static_Route"), (NB, "Logical_Router"), (IC_SB, "Route")])
    tables = participants.TABLES | rows.SOURCE_TABLES | {(NB, "NB_Global")}

    def __init__(self) -> None:
        self._vips = Vips()
        #: By (owner, router, transit switch): its Port_Bindings there, with the participating port or the reason why
        #: there is none.
        self._ports: participants.PortCache[list[tuple[Row, Participant | str]]] = participants.PortCache()
        #: By (owner, transit switch): the routers there.
        self._routers: RouterCache = participants.PortCache()
        self._view = OwnView()
        self._links = Links()
        self._keys: LearnedKeys | None = None
        self._orphans = Orphans()

    def prepare(self, zone: Zone) -> None:
        self._vips.clear()
        self._ports.clear()
        self._routers.clear()
        participants.prepare(zone)
        rows.prepare(zone)
        self._orphans.read(zone)

    # -- keys -------------------------------------------------------------------------------------------------------------------------

    def begin(self, changes: Sequence[RowChange]) -> None:
        self._links = Links(changes)
        self._keys = None

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        self._ports.observe(change)
        self._routers.observe(change)
        self._orphans.observe(change, zone)
        view = self._view.of(zone)
        if view is None:
            self._vips.clear()
            return ()
        if change.table == "NB_Global":
            return (ALL,) if _zone_policy(change.old) != _zone_policy(change.new) else ()
        if self._keys is None or self._keys.view is not view:
            self._keys = LearnedKeys(view, self._links, self._routers, self._vips)
        found = self._keys.by(change)
        return self._with_orphans(change, zone, found) if self._orphans else found

    def _with_orphans(self, change: RowChange, zone: Zone, found: Iterable[Hashable]) -> Iterator[Hashable]:
        """These keys, and the keys of orphans that depend on the same routes.

        A route may take over an orphan with the same contents. If the route changes, it has to be decided again which
        route takes over the orphan. The old and the new contents of the route are compared with the orphans.
        """
        for key in found:
            yield key
            if isinstance(key, Learned):
                route = zone.ic_sb.row("Route", key.route)
                for row in change.rows if change.table == "Route" else (() if route is None else (route,)):
                    for orphan in self._orphans.like(zone, key.router, row):
                        yield Learned(key.router, rows.learned_from(orphan) or "")

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        view = self._view.of(zone)
        if view is None:
            return
        for binding in zone.ic_sb.rows("Port_Binding"):
            if binding["availability_zone"] == view.owner:
                yield from _through(zone, binding)
        for row in zone.nb.rows(_STATIC):
            yield from _held(zone, row)

    # -- planning ---------------------------------------------------------------------------------------------------------------------

    def plan(self, key: Hashable, zone: Zone) -> Iterator[Step]:
        view = self._view.of(zone)
        router = zone.nb.row("Logical_Router", key.router) if isinstance(key, Learned) else None
        if view is None or router is None or not isinstance(key, Learned):
            return
        route = zone.ic_sb.row("Route", key.route)
        refused = Refusal("its route is no longer in IC_SB") if route is None else self.verdict(view, router, route)
        found = rows.learned_statics(zone, key.router, key.route)
        kept = [row for row in found if route is not None and refused is None and _same(row, route, zone)]
        for row in found:
            heir = self._heir(view, router, row) if route is None else None
            if heir is not None:
                # IC_SB was rebuilt, or the zone that advertises the route inserted it again.
                keys = {"external_ids": {rows.LEARNED_KEY: heir.uuid}}
                reason = "its route in IC_SB has another uuid"
                yield from changes.update(zone.nb, _STATIC, row, record=_record(router, row), reason=reason, keys=keys)
            elif row not in kept:
                reason = refused.reason if refused is not None else "it differs from the route in IC_SB"
                yield from _forget(zone, router, row, reason)
        if route is not None and refused is None and not kept and not self._inherits(view, router, route):
            yield from _learn(zone, router, route)
        if refused is not None and refused.fault and route is not None:
            yield Skipped(_record(router, route), refused.reason)

    def _heir(self, view: RouteView, router: Row, orphan: Row) -> Row | None:
        """The heir of an orphan: the route in IC_SB that takes it over. None if the orphan has to be deleted.

        If a router has several orphans with the same contents, the first orphan gets the first heir, by UUID.
        """
        heirs = self._heirs(view, router, orphan)
        orphans = self._orphans.like(view.zone, router.uuid, heirs[0]) if heirs else []
        return dict(zip((row.uuid for row in orphans), heirs)).get(orphan.uuid)

    def _inherits(self, view: RouteView, router: Row, route: Row) -> bool:
        """Whether a route takes over an orphan, so that no static route has to be inserted for it. The work key of the
        orphan then writes the UUID of the route to it.
        """
        orphans = self._orphans.like(view.zone, router.uuid, route)
        return bool(orphans) and route in self._heirs(view, router, orphans[0])[: len(orphans)]

    def _heirs(self, view: RouteView, router: Row, orphan: Row) -> list[Row]:
        """The routes that may take over an orphan, by UUID: those in IC_SB that have its contents, that the router may
        learn, and for which it has no static route yet.
        """
        prefix = parse_prefix(orphan["ip_prefix"])
        switches = {binding["transit_switch"] for binding in participants.bindings_of(view, router.uuid)}
        found = [route for switch in switches for route in rows.routes_to(view.zone, switch, prefix)] if prefix is not None else []
        same = [route for route in found if _same(orphan, route, view.zone)]
        unlearned = [route for route in same if not rows.learned_statics(view.zone, router.uuid, route.uuid)]
        wanted = [route for route in unlearned if self.verdict(view, router, route) is None]
        return sorted(wanted, key=lambda route: route.uuid)

    def verdict(self, view: RouteView, router: Row, route: Row) -> Refusal | None:
        """Why a router does not learn an IC_SB route: the reason of the last port if all ports reject it. None if the
        router learns it.
        """
        switch = route["transit_switch"]
        bindings = self._ports.get((view.owner, router.uuid, switch), lambda: _ports_on(view, router.uuid, switch))
        refused: Refusal | None = Refusal(f"the router has no participating port on {switch}")
        if bindings:
            refused = own_refusal(route, view.owner, router.uuid)
            if refused is not None:
                return refused
        for binding, port in bindings:
            if isinstance(port, str):
                refused = Refusal(f"port {binding['logical_port']} does not participate: {port}")
                continue
            refused = self.port_verdict(view.zone, port, route)
            if refused is None:
                return None
        return refused

    def port_verdict(self, zone: Zone, port: Participant, route: Row) -> Refusal | None:
        """Why a route is not learned through one port (spec routes-5.2 to routes-5.6), None if it is. Does not check
        who owns the route.
        """
        if not port.binding["address"]:
            return Refusal(f"port {port.name} has no address")
        fault = port_faults.disabled_fault(port.switch_port, port.router_port)
        if fault is not None:
            return Refusal(fault)
        refused = _other_table(port, route)
        if refused is not None:
            return refused
        prefix, hop = parse_prefix(route["ip_prefix"]), parse_nexthop(route["nexthop"])
        if prefix is None:
            return Refusal(f'its ip_prefix "{route["ip_prefix"]}" is not a prefix', True)
        if hop is None or is_fe80_64(hop):
            return Refusal(f'its nexthop "{route["nexthop"]}" is not a valid next hop', True)
        reason = may_learn(prefix, zone.options, port.router_options, port.options, route["origin"], port.router["enabled"] is not False)
        if reason is None:
            reason = _local_route(zone, port.router.uuid, route, prefix)
        if reason is None:
            networks = None if port.router_port is None else participants.lrp_networks(port.router_port)
            if networks is None or not networks.contains(hop):
                reason = f"its next hop {route['nexthop']} is not in a network of the router port of {port.name}"
        reason = reason or self._stopping_vip(zone, port.router.uuid, prefix) or _dynamic_route(zone, port.router.uuid, route, prefix)
        return None if reason is None else Refusal(reason)

    def _stopping_vip(self, zone: Zone, router: str, prefix: Prefix) -> str | None:
        """The VIP of the router that keeps it from learning this prefix, in words (spec routes-5.6.10); None if there
        is none.
        """
        vip = self._vips.stopping(zone, router, prefix)
        return None if vip is None else f"the router has the load balancer VIP {network_text(vip)} in that prefix"


class Orphans:
    """The orphans: learned static routes whose route does not exist in IC_SB, by destination. Usually there are none."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._found: dict[int, set[str]] = {}

    def read(self, zone: Zone) -> None:
        """Read all static routes, because changes may have been missed."""
        self._places.clear()
        self._found.clear()
        for row in zone.nb.rows(_STATIC):
            self._look(zone, row.uuid)

    def observe(self, change: RowChange, zone: Zone) -> None:
        """Process a change of a static route, or of a route in IC_SB. The stores must already contain all changes."""
        if change.table == _STATIC:
            self._look(zone, change.uuid)
        elif change.database == IC_SB and change.table == "Route" and (change.old is None or change.new is None):
            for uuid in tuple(zone.nb.filed(_STATIC, "route", change.uuid)):
                self._look(zone, uuid)

    def _look(self, zone: Zone, uuid: str) -> None:
        place = self._places.pop(uuid, None) if self._places else None
        if place is not None:
            self._found[place].discard(uuid)
            if not self._found[place]:
                del self._found[place]
        row = zone.nb.row(_STATIC, uuid)
        text = row["external_ids"].get(rows.LEARNED_KEY) if row is not None else None
        if row is None or text is None or zone.ic_sb.row("Route", text) is not None:
            return  # The usual case. A text in another notation than that of servers is parsed below.
        route = rows.learned_from(row)
        if route is None or zone.ic_sb.row("Route", route) is not None:
            return
        prefix = parse_prefix(row["ip_prefix"])
        if prefix is not None:
            place = self._places[uuid] = rows.destination(prefix)
            self._found.setdefault(place, set()).add(uuid)

    def __bool__(self) -> bool:
        return bool(self._found)

    def like(self, zone: Zone, router: str, route: Row) -> list[Row]:
        """The orphans of a router with the contents of an IC_SB route, by UUID."""
        prefix = parse_prefix(route["ip_prefix"]) if self._found else None
        if prefix is None:
            return []
        mine = [uuid for uuid in sorted(self._found.get(rows.destination(prefix), ())) if router in rows.holders(zone, uuid)]
        return [row for row in (zone.nb.row(_STATIC, uuid) for uuid in mine) if row is not None and _same(row, route, zone)]


def _ports_on(view: RouteView, router: str, switch: str) -> list[tuple[Row, Participant | str]]:
    found = participants.bindings_of(view, router)
    return [(binding, participants.participant(view.zone, binding)) for binding in found if binding["transit_switch"] == switch]


def _zone_policy(row: Row | None) -> tuple[object, ...]:
    options = ZoneOptions.read(row["options"] if row is not None else {})
    return options.learn, options.learn_default, options.learn_lb, options.deny, options.deny_old, options.strict_prefix


def _record(router: Row, route: Row) -> str:
    return f"{route['ip_prefix']} via {route['nexthop']} on router {router['name']}"


# ---- Rules -----------------------------------------------------------------------------------------------------------


def own_refusal(route: Row, owner: str, router: str) -> Refusal | None:
    """Why a route does not come from another router (spec routes-5.3), None if it does."""
    advertiser: str | None = route["external_ids"].get("lr-id")
    if advertiser is None:
        return (
            Refusal("it is this zone's own route and does not say which router advertises it")
            if route["availability_zone"] == owner
            else None
        )
    if not is_uuid(advertiser):
        return Refusal(f'its external_ids:lr-id "{advertiser}" is not a uuid', True)
    return Refusal("it is the router's own route") if advertiser.lower() == router else None


def _other_table(port: Participant, route: Row) -> Refusal | None:
    """Why the tag or the route table of a route keeps it from this port (spec routes-5.4), None if they do not."""
    tag, rules = route["external_ids"].get("ic-route-tag"), port.options.learn_tags
    if rules is not None:
        words = rules.refusal(tag)
        if words is not None:
            return Refusal(f"{LEARN_TAG_RULES} of port {port.name}: {words}")
    elif tag == port.options.filter_tag:
        return Refusal(f'port {port.name} filters routes with the tag "{port.options.filter_tag}"')
    table = route["route_table"]
    if table and table != port.options.route_table:
        return Refusal(f'it is for route table "{table}", and port {port.name} has "{port.options.route_table}"')
    return None


def _local_route(zone: Zone, router: str, route: Row, prefix: Prefix) -> str | None:
    """The router's own static route with the same destination (spec routes-5.6.8), by text, or by network if the zone
    says so.
    """
    for static in rows.statics_to(zone, router, prefix):
        if static["route_table"] != route["route_table"] or rows.LEARNED_KEY in static["external_ids"]:
            continue
        if same_destination(zone, static["ip_prefix"], route["ip_prefix"], prefix):
            return f"the router has its own static route {static['ip_prefix']}"
    return None


def _dynamic_route(zone: Zone, router: str, route: Row, prefix: Prefix) -> str | None:
    """The router's dynamic route with the same destination (spec routes-5.6.11)."""
    if not zone.sb.count("Learned_Route"):
        return None
    for learned in rows.dynamic_to(zone, rows.datapath_of(zone, router), prefix):
        if same_destination(zone, learned["ip_prefix"], route["ip_prefix"], prefix):
            return f"the router has a dynamic route {learned['ip_prefix']}"
    return None


def same_destination(zone: Zone, local: str, text: str, prefix: Prefix) -> bool:
    """Whether the ip_prefix of a local route is the destination of a remote one: equal texts, or equal networks with
    ic-route-strict-prefix.
    """
    if local == text or not zone.options.strict_prefix:
        return local == text
    other = parse_prefix(local)
    return other is not None and other.network == prefix.network


# ---- Rows ------------------------------------------------------------------------------------------------------------


def _override(zone: Zone, route: Row) -> bool:
    return zone.ic_sb.schema.has("Route", "options") and boolean(route["options"], rows.OVERRIDE)


def _same(row: Row, route: Row, zone: Zone) -> bool:
    """Whether a learned static route matches the IC_SB route (spec routes-5.1, routes-5.7). Different texts with the
    same meaning match.
    """
    if row["ip_prefix"] != route["ip_prefix"] and parse_prefix(row["ip_prefix"]) != parse_prefix(route["ip_prefix"]):
        return False
    if row["nexthop"] != route["nexthop"] and parse_nexthop(row["nexthop"]) != parse_nexthop(route["nexthop"]):
        return False
    if row["options"].get("origin", "") != route["origin"] or row["route_table"] != route["route_table"]:
        return False
    return boolean(row["options"], rows.OVERRIDE) == _override(zone, route)


def _learn(zone: Zone, router: Row, route: Row) -> Iterator[Step]:
    options = {"origin": route["origin"]} if route["origin"] else {}
    if _override(zone, route):
        options[rows.OVERRIDE] = "true"
    columns = {
        "ip_prefix": route["ip_prefix"],
        "nexthop": route["nexthop"],
        "route_table": route["route_table"],
        "options": options,
        "external_ids": {rows.LEARNED_KEY: route.uuid},
    }
    record, reason = _record(router, route), f"learned through {route['transit_switch']}"
    yield changes.insert(zone.nb, _STATIC, columns, record=record, reason=reason, name="@route")
    members = {"static_routes": changes.add("@route")}
    yield from changes.update(zone.nb, "Logical_Router", router, record=str(router["name"]), reason=f"{reason}: {record}", members=members)


def _forget(zone: Zone, router: Row, row: Row, reason: str) -> Iterator[Step]:
    record = _record(router, row)
    members = {"static_routes": changes.remove(row.uuid)}
    yield from changes.update(
        zone.nb,
        "Logical_Router",
        router,
        record=str(router["name"]),
        reason=f"learned route {record} is deleted: {reason}",
        members=members,
    )


# ---- Keys that a change affects ------------------------------------------------------------------------------------


def _through(zone: Zone, binding: Row, router: str | None = None) -> Iterator[Learned]:
    """The keys of all routes on a port's transit switch for its router."""
    router = router or participants.router_id(binding)
    if router is not None:
        for route in rows.routes_on(zone, binding["transit_switch"]):
            if not _advertised_by(route, router):
                yield Learned(router, route.uuid)


def _advertised_by(route: Row, router: str) -> bool:
    """Whether the router itself advertises the route. Nothing is planned then, unless a static route was learned from
    it (see :func:`_held`).
    """
    advertiser: str | None = route["external_ids"].get("lr-id")
    return advertiser == router


def _held(zone: Zone, row: Row) -> Iterator[Learned]:
    """The keys of a learned static route, one for each router that has it."""
    route = rows.learned_from(row)
    if route is not None:
        for router in rows.holders(zone, row.uuid):
            yield Learned(router, route)


class LearnedKeys(AffectedKeys):
    """Determines the keys of learned routes that one change affects."""

    def __init__(self, view: RouteView, links: Links, routers: RouterCache, vips: Vips) -> None:
        super().__init__(view, links)
        self._routers = routers
        self._vips = vips

    def _by_route(self, change: RowChange) -> Iterator[Hashable]:
        for row in change.rows:
            yield from self._on_its_switch(row)
        for router in rows.learners(self.view.zone, change.uuid):
            yield Learned(router, change.uuid)

    def _on_its_switch(self, route: Row) -> Iterator[Learned]:
        """The keys of one route for all routers on its transit switch."""
        switch = route["transit_switch"]
        for router in self._routers.get((self.view.owner, switch), lambda: participants.routers_on(self.view, switch)):
            if not _advertised_by(route, router):
                yield Learned(router, route.uuid)

    def _by_binding(self, change: RowChange) -> Iterator[Hashable]:
        if change.changed("transit_switch", "availability_zone", "logical_port", "address", "type", "external_ids"):
            for row in change.rows:
                if row["availability_zone"] == self.view.owner:
                    yield from _through(self.view.zone, row)

    def _by_object(self, change: RowChange) -> Iterator[Hashable]:
        for binding in participants.bindings_concerned(change, self.view, self._links).values():
            yield from _through(self.view.zone, binding)
        if change.table == "Logical_Router" and change.new is not None:
            yield from self._by_members(change.uuid, change.edges)

    def _static_of(self, router: str, static: Row) -> Iterator[Learned]:
        route = rows.learned_from(static)
        if route is not None:
            yield Learned(router, route)
        if route is None or self.view.zone.ic_sb.row("Route", route) is None:
            # The static route competes with routes to the same network, or is an orphan that one of them may take over.
            yield from self._to(router, parse_prefix(static["ip_prefix"]))

    # Routes by destination.

    def _to(self, router: str, *prefixes: Prefix | None) -> Iterator[Learned]:
        """The keys of one router for all routes to these networks."""
        bindings = participants.bindings_of(self.view, router)
        for switch in {binding["transit_switch"] for binding in bindings}:
            for prefix in prefixes:
                for route in rows.routes_to(self.view.zone, switch, prefix) if prefix is not None else ():
                    yield Learned(router, route.uuid)

    def _of_static(self, routers: Iterable[str], static: Row) -> Iterator[Learned]:
        for router in routers:
            yield from self._static_of(router, static)

    def _of_balancers(self, routers: Iterable[str], balancers: Iterable[str]) -> Iterator[Learned]:
        return self._stopped(routers, self._vips_of(balancers))

    def _of_dynamic(self, routers: Iterable[str], prefix: Prefix) -> Iterator[Learned]:
        for router in routers:
            yield from self._to(router, prefix)

    def _vips_of(self, balancers: Iterable[str]) -> set[Prefix]:
        found = (self.view.zone.nb.row("Load_Balancer", uuid) for uuid in balancers)
        return {vip for row in found if row is not None for vip in rows.vips(row)}

    def _stopped(self, routers: Iterable[str], vips: Collection[Prefix]) -> Iterator[Learned]:
        """The keys that depend on VIPs which these routers got or lost."""
        for router in routers:
            self._vips.moved(self.view.zone, router, vips)
            for vip in vips:
                yield from self._to(router, *prefixes_stopped_by(vip))

    def _by_balancer(self, change: RowChange) -> Iterator[Hashable]:
        moved = set(rows.read_vips(rows.moved_vips(change)))
        return self._stopped(self._links.of_balancer(self.view.zone, change.uuid), moved)

    BY_TABLE: ClassVar = {
        "Datapath_Binding": AffectedKeys.by_datapath,
        "Learned_Route": AffectedKeys.by_dynamic,
        "Load_Balancer": _by_balancer,
        "Load_Balancer_Group": AffectedKeys.by_group,
        "Logical_Router": _by_object,
        "Logical_Router_Port": _by_object,
        "Logical_Router_Static_Route": AffectedKeys.by_static,
        "Logical_Switch_Port": _by_object,
        "Port_Binding": _by_binding,
        "Route": _by_route,
    }
