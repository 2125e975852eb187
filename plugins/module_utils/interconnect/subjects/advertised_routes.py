# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IC_SB ``Route``: the routes of this zone that other routers may learn (spec routes, sections 4 and 6).

A key is what makes a row unique within the zone: transit switch, route table, prefix and next hop. All sources that would give that row are
found by their prefix and decided in one place. Sections 4 and 6 of the spec are one question here, so that nothing is published that the
next pass would withdraw.

What vanishes is found through the row that it had made: a source that is gone dirties the own rows of its prefix.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import NamedTuple, Union

from .. import change as changes
from ..address import (
    DISCARD,
    Address,
    Prefix,
    format_address,
    format_prefix,
    is_fe80_64,
    is_link_local,
    next_hop_for,
    next_hops,
    parse_ip,
    parse_nexthop,
    parse_port_address,
    parse_prefix,
    parse_vip,
)
from ..change import Left, Step
from ..engine import ALL, Keys, Subject
from ..schema import IC_NB, IC_SB, NB, SB
from ..settings import ZoneOptions, boolean, ipv4_over_ipv6, may_advertise
from ..store import Members, Row, RowChange
from ..zone import Zone
from . import participants
from . import route_rows as rows
from .participants import Port

CONNECTED, STATIC, LOADBALANCER, DYNAMIC = "connected", "static", "loadbalancer", "connected-dynamic"
#: Which of several sources for one row is taken where no row exists yet, after override-connected (4.6).
_ORIGIN_ORDER = {CONNECTED: 0, STATIC: 1, LOADBALANCER: 2, DYNAMIC: 3}


class Published(NamedTuple):
    """A key: the row of the zone with this transit switch, route table, prefix (host bits included) and next hop."""

    transit_switch: str
    route_table: str
    prefix: Prefix
    next_hop: Address

    def __str__(self) -> str:
        table = f" in table {self.route_table}" if self.route_table else ""
        return f"{format_prefix(self.prefix)} via {format_address(self.next_hop)} on {self.transit_switch}{table}"


class Other(NamedTuple):
    """A key beside rows that can be read: ``kind`` is row (an own row that cannot be read), port, balancer or zone (notes)."""

    kind: str
    uuid: str


class Source(NamedTuple):
    """One reason to publish a prefix through a port: ``kind`` (route, lrp, loadbalancer, lr) and ``uuid`` name the row it comes from."""

    kind: str
    uuid: str
    origin: str
    route_table: str
    prefix: Prefix
    override: bool = False


class Offer(NamedTuple):
    """A source through a port, passed by every rule."""

    source: Source
    port: Port

    @property
    def value(self) -> tuple[str, bool]:
        """What tells offers of one row apart: origin and override-connected."""
        return self.source.origin, self.source.override


#: Ports by (owner, transit switch, next hop), each with why nothing with that next hop is published through it.
HopMemory = participants.Memory[list[tuple[Port, Union[str, None]]]]

_ZONE_NOTE = Other("zone", "")


class AdvertisedRoutes(Subject):
    """Keeps the own rows of IC_SB ``Route``."""

    name = "advertised_routes"
    additive = frozenset([(NB, "Logical_Router_Static_Route"), (NB, "Logical_Router"), (IC_SB, "Route")])
    tables = (
        participants.TABLES
        | rows.SOURCE_TABLES
        | {(NB, "NB_Global"), (NB, "Logical_Switch"), (IC_NB, "Transit_Switch"), (NB, "Logical_Router"), (SB, "Learned_Route")}
    )

    def __init__(self) -> None:
        self._hops: HopMemory = participants.Memory()

    def prepare(self, zone: Zone) -> None:
        self._hops.clear()
        participants.prepare(zone)
        rows.prepare(zone)
        zone.ic_sb.index("Route", "hop", _hop_keys)
        zone.nb.index("Logical_Router_Port", "network", lambda row: set(_networks(row)))

    # -- keys -------------------------------------------------------------------------------------------------------------------------

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        self._hops.observe(change)
        az = zone.own_az
        if az is None:
            return ()
        if change.table == "NB_Global":
            return (ALL,) if _zone_policy(change.old) != _zone_policy(change.new) else ()
        return _Concerned(zone, az.uuid).by(change)

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        az = zone.own_az
        if az is None:
            return
        yield _ZONE_NOTE
        for row in zone.ic_sb.rows("Route"):
            if row["availability_zone"] == az.uuid:
                yield _row_key(row)
        for binding in zone.ic_sb.rows("Port_Binding"):
            if binding["availability_zone"] == az.uuid:
                yield from _port_keys(zone, az.uuid, binding)
        for balancer in zone.nb.rows("Load_Balancer"):
            yield Other("balancer", balancer.uuid)

    # -- planning ---------------------------------------------------------------------------------------------------------------------

    def plan(self, key: Hashable, zone: Zone) -> Iterable[Step]:
        az = zone.own_az
        if az is None:
            return ()
        if isinstance(key, Published):
            return _plan_row(zone, az.uuid, key, self._hops)
        return _plan_other(zone, az.uuid, key) if isinstance(key, Other) else ()


def _plan_other(zone: Zone, owner: str, key: Other) -> Iterable[Step]:
    if key.kind == "row":
        return _plan_unreadable(zone, owner, key.uuid)
    if key.kind == "port":
        return _port_notes(zone, owner, key.uuid)
    return _balancer_notes(zone, owner, key.uuid) if key.kind == "balancer" else _zone_notes(zone)


def _zone_policy(row: Row | None) -> tuple[object, ...]:
    options = ZoneOptions.read(row["options"] if row is not None else {})
    return options.adv, options.adv_default, options.adv_lb, options.deny


def _hop_keys(row: Row) -> Iterable[Hashable]:
    hop = parse_nexthop(row["nexthop"])
    return () if hop is None else ((row["availability_zone"], row["transit_switch"], hop),)


def _networks(row: Row) -> Iterator[Prefix]:
    """The networks of a router port that can be read, as written."""
    for text in row["networks"]:
        prefix = parse_prefix(text)
        if prefix is not None:
            yield prefix


def _row_key(row: Row) -> Published | Other:
    """The key of an own row; rows that 4.7 item 1 and 6.c call bad have one of their own."""
    prefix, hop = parse_prefix(row["ip_prefix"]), parse_ip(row["nexthop"])
    if prefix is None or hop is None or is_fe80_64(hop):
        return Other("row", row.uuid)
    return Published(row["transit_switch"], row["route_table"], prefix, hop)


# ---- Sources (4.5) ---------------------------------------------------------------------------------------------------


def static_source(row: Row, route_table: str) -> Source | str:
    """S1: the source that a static route is for ports of this route table, or why it is none."""
    if rows.learned_from(row) is not None:
        return "learned through the interconnect: such routes are not advertised again"
    if row["route_table"] != route_table:
        return f'its route table is "{row["route_table"]}", that of the port "{route_table}"'
    prefix = parse_prefix(row["ip_prefix"])
    if prefix is None:
        return f'its ip_prefix "{row["ip_prefix"]}" is no prefix'
    if row["policy"] == "src-ip":
        return "its policy is src-ip"
    if row["nexthop"] != DISCARD:
        hop = parse_nexthop(row["nexthop"])
        if hop is None:
            return f'its nexthop "{row["nexthop"]}" is no address'
        if is_fe80_64(hop):
            return "its nexthop is a link-local address"
    return Source("route", row.uuid, STATIC, route_table, prefix, boolean(row["options"], rows.OVERRIDE))


def _local_sources(kind: str, uuid: str, prefix: Prefix, port_table: str, main_origin: str) -> Iterator[Source]:
    """S2 and S4: the row of the main table, and one in the port's own table that overrides connected routes there."""
    if port_table:
        yield Source(kind, uuid, CONNECTED, port_table, prefix, True)
    yield Source(kind, uuid, main_origin, "", prefix)


def sources(zone: Zone, owner: str, port: Port) -> Iterator[Source]:
    """Everything that the port's router has to publish through the port; policy is not looked at here."""
    nb, router, table = zone.nb, port.router.uuid, port.options.route_table
    for static in nb.child_rows("Logical_Router", "static_routes", router, "Logical_Router_Static_Route"):
        source = static_source(static, table)
        if isinstance(source, Source):
            yield source
    for lrp in nb.child_rows("Logical_Router", "ports", router, "Logical_Router_Port"):
        if not participants.is_transit(zone, owner, lrp, router):
            for prefix in _networks(lrp):
                yield from _local_sources("lrp", lrp.uuid, prefix, table, CONNECTED)
    for balancer in rows.balancers_of(zone, router).values():
        for vip in rows.vips(balancer):
            yield Source("loadbalancer", balancer.uuid, LOADBALANCER, "", vip)
    datapath = rows.datapath_of(zone, router)
    for learned in zone.sb.find("Learned_Route", "datapath", datapath) if datapath is not None else ():
        dynamic = parse_prefix(learned["ip_prefix"])
        if dynamic is not None:
            yield from _local_sources("lr", router, dynamic, table, DYNAMIC)


def sources_of(zone: Zone, owner: str, port: Port, table: str, prefix: Prefix) -> Iterator[Source]:
    """Those of :func:`sources` with this table and prefix, in the order of 4.6, at the cost of those alone."""
    router, port_table = port.router.uuid, port.options.route_table
    for static in rows.statics_to(zone, prefix) if table == port_table else ():
        source = static_source(static, table)
        if isinstance(source, Source) and source.prefix == prefix and router in rows.holders(zone, static.uuid):
            yield source
    if table not in ("", port_table):
        return
    for lrp in zone.nb.find("Logical_Router_Port", "network", prefix):
        if router in zone.nb.parents("Logical_Router", "ports", lrp.uuid) and not participants.is_transit(zone, owner, lrp, router):
            yield from _in_table(table, _local_sources("lrp", lrp.uuid, prefix, port_table, CONNECTED))
    if not table and prefix.is_host:
        for balancer in rows.balancers_with(zone, router, prefix):
            yield Source("loadbalancer", balancer.uuid, LOADBALANCER, "", prefix)
    if zone.sb.count("Learned_Route"):
        for learned in rows.dynamic_to(zone, rows.datapath_of(zone, router), prefix):
            if parse_prefix(learned["ip_prefix"]) == prefix:
                yield from _in_table(table, _local_sources("lr", router, prefix, port_table, DYNAMIC))
                break


def _in_table(table: str, found: Iterable[Source]) -> Iterator[Source]:
    return (source for source in found if source.route_table == table)


def as_server_allows(zone: Zone, source: Source) -> Source | str:
    """The source as the schema of IC_SB can hold it, or why it cannot (9.2)."""
    schema = zone.ic_sb.schema
    if source.route_table and not schema.has("Route", "route_table"):
        return "this IC_SB knows no route tables"
    if source.override and not schema.has("Route", "options"):
        if source.kind != "route":
            return "this IC_SB cannot mark routes as overriding connected ones"
        source = source._replace(override=False)
    if schema.has("Route", "origin") and not schema.allows("Route", "origin", source.origin):
        if source.origin != DYNAMIC:
            return f"this IC_SB knows no routes of origin {source.origin}"
        source = source._replace(origin=CONNECTED)
    return source


# ---- The decision ----------------------------------------------------------------------------------------------------


def next_hop_of(port: Port, prefix: Prefix) -> Address | None:
    """The next hop of a prefix through a port (4.4); None where the port has none for it."""
    if port.address is None:
        return None
    return next_hop_for(prefix, port.address, ipv4_over_ipv6(port.router_options, port.options))


def refusal(zone: Zone, port: Port, source: Source) -> str | None:
    """Why a source is not published through a port, None if it is: the policies of 4.3, before next hop and switch are looked at."""
    return may_advertise(source.prefix, zone.options, port.router_options, port.options, source.kind == "loadbalancer")


def hop_refusal(zone: Zone, switch: str, hop: Address | None, port: Port) -> str | None:
    """Why nothing with this next hop is published through a port, None if it may be (4.1, 4.2, 4.4 and section 6)."""
    if zone.ic_nb.first("Transit_Switch", "name", switch) is None:
        return f"there is no transit switch {switch} in IC_NB"
    if port.address is None:
        return f'port {port.name} has no usable address ("{port.binding["address"]}")'
    if hop is None:
        return f"port {port.name} has no address of that family"
    if is_fe80_64(hop):
        return f"port {port.name} has no IPv6 address but a link-local one, and nobody learns routes via {format_address(hop)}"
    if not participants.is_backed(zone, switch, hop, port):
        return f"no router port on switch {switch} has the next hop {format_address(hop)}"
    return None


def verdict(zone: Zone, port: Port, source: Source) -> str | None:
    """Why a source of the port's router is not published through the port; None if it is, unless another source has its place."""
    allowed = as_server_allows(zone, source)
    if isinstance(allowed, str):
        return allowed
    return refusal(zone, port, source) or hop_refusal(zone, port.transit_switch, next_hop_of(port, source.prefix), port)


def _ports_at(zone: Zone, owner: str, switch: str, hop: Address) -> list[tuple[Port, str | None]]:
    """The ports that may give this next hop, each with why nothing is published with it."""
    return [(port, hop_refusal(zone, switch, hop, port)) for port in participants.ports_at(zone, owner, switch, hop)]


def _offers(zone: Zone, owner: str, key: Published, hops: HopMemory) -> tuple[list[Offer], str]:
    """What may stand in the key's row, first come first, and where there is nothing: why."""
    offers: list[Offer] = []
    why = "nothing in the zone gives this route"
    switch, hop = key.transit_switch, key.next_hop
    for port, reason in hops.get((owner, switch, hop), lambda: _ports_at(zone, owner, switch, hop)):
        if next_hop_of(port, key.prefix) != hop:
            continue
        for source in sources_of(zone, owner, port, key.route_table, key.prefix):
            allowed = as_server_allows(zone, source)
            refused = allowed if isinstance(allowed, str) else reason or refusal(zone, port, source)
            if refused is None and isinstance(allowed, Source):
                offers.append(Offer(allowed, port))
            elif refused is not None:
                why = refused
    return offers, why


def _choose(offers: list[Offer], existing: Row | None, held: tuple[str, bool] | None) -> Offer:
    """One of several offers for one row (4.6): as the row is, else overriding, else by origin; among equals the first."""
    if existing is not None:
        for offer in offers:
            if offer.value == held:
                return offer
    return min(offers, key=lambda offer: (not offer.source.override, _ORIGIN_ORDER[offer.source.origin]))


def _plan_row(zone: Zone, owner: str, key: Published, hops: HopMemory) -> Iterator[Step]:
    existing = _rows_of(zone, owner, key)
    offers, why = _offers(zone, owner, key, hops)
    kept = existing[0] if existing else None
    if offers:
        chosen = _choose(offers, kept, _held(zone, kept))
        yield from _write(zone, owner, key, kept, chosen)
        yield from _suppressed(key, offers, chosen)
        why = "the same route stands in another row"
        existing = existing[1:]
    for row in existing:
        yield changes.delete(zone.ic_sb, "Route", row, record=str(key), reason=why)


def _rows_of(zone: Zone, owner: str, key: Published) -> list[Row]:
    """The own rows of a key; several where texts differ and mean the same. One that is as an offer wants it cannot be told yet: by uuid."""
    return [
        row for row in rows.routes_to(zone, key.transit_switch, key.prefix) if row["availability_zone"] == owner and _row_key(row) == key
    ]


def _held(zone: Zone, row: Row | None) -> tuple[str, bool] | None:
    return None if row is None else (row["origin"], boolean(row["options"], rows.OVERRIDE))


def _write(zone: Zone, owner: str, key: Published, row: Row | None, offer: Offer) -> Iterator[Step]:
    source, port = offer
    tag = port.options.route_tag
    ids = {"nb-id": source.uuid, "lr-id": port.router.uuid}
    if row is None:
        columns = {
            "transit_switch": key.transit_switch,
            "availability_zone": owner,
            "route_table": key.route_table,
            "ip_prefix": format_prefix(key.prefix),
            "nexthop": format_address(key.next_hop),
            "origin": source.origin,
            "options": {rows.OVERRIDE: "true"} if source.override else {},
            "external_ids": {**ids, "ic-route-tag": tag} if tag else ids,
        }
        reason = f"{source.origin} route of router {port.router['name']}"
        yield changes.insert(zone.ic_sb, "Route", columns, record=str(key), reason=reason)
        return
    keys: dict[str, dict[str, str | None]] = {"external_ids": {**ids, "ic-route-tag": tag or None}}
    if boolean(row["options"], rows.OVERRIDE) != source.override:
        keys["options"] = {rows.OVERRIDE: "true" if source.override else None}
    yield from changes.update(
        zone.ic_sb,
        "Route",
        row,
        record=str(key),
        reason=f"it is now the {source.origin} route of NB {source.kind} {source.uuid}",
        columns={"origin": source.origin},
        keys=keys,
    )


def _suppressed(key: Published, offers: list[Offer], chosen: Offer) -> Iterator[Left]:
    """The offers that found their place taken; the words are those that people search logs for."""
    seen = {(chosen.source.uuid, chosen.value)}
    for source, port in offers:
        if (source.uuid, (source.origin, source.override)) not in seen:
            seen.add((source.uuid, (source.origin, source.override)))
            yield Left(
                str(key),
                f"{source.origin} route advertisement was suppressed! NB {source.kind} uuid: {source.uuid}"
                f" (router {port.router['name']}; the {chosen.source.origin} route of NB {chosen.source.kind} {chosen.source.uuid}"
                " has its place)",
            )


def _plan_unreadable(zone: Zone, owner: str, uuid: str) -> Iterator[Step]:
    row = zone.ic_sb.row("Route", uuid)
    if row is None or row["availability_zone"] != owner or not isinstance(_row_key(row), Other):
        return
    record = f"{row['ip_prefix']} via {row['nexthop']} on {row['transit_switch']}"
    yield changes.delete(
        zone.ic_sb, "Route", row, record=record, reason="the prefix or the next hop of this own route is none that can be used"
    )


# ---- Which keys a change concerns ------------------------------------------------------------------------------------


class _Concerned:
    """Names the keys that one change concerns."""

    def __init__(self, zone: Zone, owner: str) -> None:
        self._zone = zone
        self._owner = owner

    def by(self, change: RowChange) -> Iterable[Hashable]:
        if change.database == IC_SB and change.table == "Route":
            return [_row_key(row) for row in change.rows if row["availability_zone"] == self._owner]
        if change.table == "Port_Binding":
            return self._by_binding(change)
        if (change.database, change.table) in participants.TABLES:
            return self._by_object(change)
        return self._by_rest(change)

    def _by_rest(self, change: RowChange) -> Iterable[Hashable]:
        if change.table in ("Transit_Switch", "Logical_Switch"):
            return self._by_switch(change)
        if change.table == "Logical_Router_Static_Route":
            return self._by_static(change)
        if change.table == "Load_Balancer":
            return self._by_balancer(change)
        if change.table == "Load_Balancer_Group":
            return self._by_group(change)
        return self._by_dynamic(change) if change.table == "Learned_Route" else self._by_datapath(change)

    # Ports, routers, switches.

    def _by_binding(self, change: RowChange) -> Iterator[Hashable]:
        if not change.changed("transit_switch", "availability_zone", "logical_port", "address", "type", "external_ids"):
            return
        routers = set()
        for row in change.rows:
            if row["availability_zone"] == self._owner:
                routers.add(participants.router_id(row))
                yield Other("port", row.uuid)
                yield from self._rows_via(row)
        for router in routers - {None}:
            yield from self._router(str(router))

    def _by_object(self, change: RowChange) -> Iterator[Hashable]:
        routers = set()
        for binding in participants.bindings_concerned(change, self._zone, self._owner).values():
            routers.add(participants.router_id(binding))
            yield Other("port", binding.uuid)
        for router in routers - {None}:
            yield from self._router(str(router))
        if change.table == "Logical_Router_Port" and change.changed("name", "networks"):
            yield from self._by_networks(change)
        if change.table == "Logical_Router" and change.old is not None and change.new is not None:
            yield from self._by_members(change.uuid, change.edges)

    def _by_switch(self, change: RowChange) -> Iterator[Hashable]:
        """A transit switch, or the zone's switch for one, came, went or got another name or mark; or ports moved (6.d)."""
        if change.changed("name") or (change.table == "Logical_Switch" and _mark(change.old) != _mark(change.new)):
            for name in {row["name"] for row in change.rows}:
                for row in rows.own_routes_on(self._zone, self._owner, name):
                    yield _row_key(row)
                for binding in participants.bindings_on(self._zone, self._owner, name):
                    yield from _port_keys(self._zone, self._owner, binding)
        elif "ports" in change.edges:
            for uuid in change.edges["ports"].added | change.edges["ports"].removed:
                moved = self._zone.nb.row("Logical_Switch_Port", uuid)
                if moved is not None and "router-port" in moved["options"]:
                    yield from self._by_object(RowChange(NB, "Logical_Switch_Port", uuid, None, moved, {}))

    def _router(self, router: str) -> Iterator[Hashable]:
        """Everything that a router has, or may have, in IC_SB."""
        for balancer in rows.balancers_of(self._zone, router):
            yield Other("balancer", balancer)
        for binding in participants.bindings_of(self._zone, self._owner, router):
            yield from self._rows_via(binding)
            yield from _port_keys(self._zone, self._owner, binding)

    def _rows_via(self, binding: Row) -> Iterator[Hashable]:
        """The own rows that have a next hop of this port."""
        address = parse_port_address(binding["address"])
        for hop in next_hops(address) if address is not None else ():
            for row in self._zone.ic_sb.find("Route", "hop", (self._owner, binding["transit_switch"], hop)):
                yield _row_key(row)

    # Sources.

    def _made(self, prefix: Prefix) -> Iterator[Hashable]:
        """The own rows of a prefix on all switches: what a source that is gone had made; and notes on ports that could not."""
        for binding in self._zone.ic_sb.find("Port_Binding", "routes_hop", (self._owner, f"no IPv{prefix.family}")):
            yield Other("port", binding.uuid)
        for switch in rows.switches(self._zone):
            for row in rows.routes_to(self._zone, switch, prefix):
                if row["availability_zone"] == self._owner:
                    yield _row_key(row)

    def _wanted(self, routers: Iterable[str], prefix: Prefix, static_table: str | None = None) -> Iterator[Hashable]:
        """The keys that a source of these routers has: in one table for a static route, else in the main table and the port's own."""
        for router in routers:
            for port in participants.ports_of(self._zone, self._owner, router):
                hop = next_hop_of(port, prefix)
                if hop is None or is_fe80_64(hop):
                    yield Other("port", port.binding.uuid)
                    continue
                table = port.options.route_table
                for one in {"", table} if static_table is None else {table} & {static_table}:
                    yield Published(port.transit_switch, one, prefix, hop)

    def _by_static(self, change: RowChange) -> Iterator[Hashable]:
        for row in change.rows:
            yield from self._static(row, rows.holders(self._zone, row.uuid), row is change.old)

    def _static(self, row: Row, routers: Iterable[str], gone: bool) -> Iterator[Hashable]:
        prefix = parse_prefix(row["ip_prefix"])
        if prefix is not None and rows.learned_from(row) is None:
            yield from self._made(prefix) if gone else self._wanted(routers, prefix, row["route_table"])

    def _by_networks(self, change: RowChange) -> Iterator[Hashable]:
        routers = self._zone.nb.parents("Logical_Router", "ports", change.uuid)
        for row in change.rows:
            for prefix in _networks(row):
                yield from self._made(prefix) if row is change.old else self._wanted(routers, prefix)
        for router in routers:
            for binding in participants.bindings_of(self._zone, self._owner, router):
                yield Other("port", binding.uuid)

    def _by_members(self, router: str, edges: Mapping[str, Members]) -> Iterator[Hashable]:
        """Members of a router came or went. Those that are rows no more are found through their own changes."""
        nb = self._zone.nb
        for column, members in edges.items():
            for uuid in members.added | members.removed:
                gone = uuid in members.removed
                if column == "static_routes":
                    static = nb.row("Logical_Router_Static_Route", uuid)
                    yield from self._static(static, (router,), gone) if static is not None else ()
                elif column == "ports":
                    yield from self._moved_port(router, uuid, gone)
                elif column == "load_balancer":
                    yield from self._balancer(router, uuid, gone)
                elif column == "load_balancer_group":
                    for balancer in nb.children("Load_Balancer_Group", "load_balancer", uuid):
                        yield from self._balancer(router, balancer, gone)

    def _moved_port(self, router: str, uuid: str, gone: bool) -> Iterator[Hashable]:
        lrp = self._zone.nb.row("Logical_Router_Port", uuid)
        for prefix in _networks(lrp) if lrp is not None else ():
            yield from self._made(prefix) if gone else self._wanted((router,), prefix)

    def _balancer(self, router: str, uuid: str, gone: bool) -> Iterator[Hashable]:
        balancer = self._zone.nb.row("Load_Balancer", uuid)
        if balancer is not None:
            yield Other("balancer", uuid)
            for vip in set(rows.vips(balancer)):
                yield from self._made(vip) if gone else self._wanted((router,), vip)

    def _by_balancer(self, change: RowChange) -> Iterator[Hashable]:
        old = set(rows.vips(change.old)) if change.old is not None else set()
        new = set(rows.vips(change.new)) if change.new is not None else set()
        routers = rows.routers_with(self._zone, change.uuid)
        yield Other("balancer", change.uuid)
        for vip in old - new:
            yield from self._made(vip)
        for vip in new - old:
            yield from self._wanted(routers, vip)

    def _by_group(self, change: RowChange) -> Iterator[Hashable]:
        members = change.edges.get("load_balancer", Members(frozenset(), frozenset()))
        routers = self._zone.nb.parents("Logical_Router", "load_balancer_group", change.uuid)
        for uuid in members.removed:
            yield from self._balancer("", uuid, True)
        for uuid in members.added:
            for router in routers:
                yield from self._balancer(router, uuid, False)

    def _by_dynamic(self, change: RowChange) -> Iterator[Hashable]:
        for row in change.rows:
            prefix = parse_prefix(row["ip_prefix"])
            if prefix is None:
                continue
            if row is change.old:
                yield from self._made(prefix)
            else:
                datapath = self._zone.sb.row("Datapath_Binding", row["datapath"])
                router = rows.datapath_router(datapath) if datapath is not None else None
                yield from self._wanted((router,) if router else (), prefix)

    def _by_datapath(self, change: RowChange) -> Iterator[Hashable]:
        if {rows.datapath_router(row) for row in change.rows} == {None} or not change.changed("nb_uuid", "external_ids"):
            return
        for learned in self._zone.sb.find("Learned_Route", "datapath", change.uuid):
            yield from self._by_dynamic(RowChange(SB, "Learned_Route", learned.uuid, learned, learned, {}))
            router = rows.datapath_router(change.new) if change.new is not None else None
            prefix = parse_prefix(learned["ip_prefix"])
            if router and prefix is not None:
                yield from self._wanted((router,), prefix)


def _mark(switch: Row | None) -> object:
    return switch["other_config"].get("interconn-ts") if switch is not None else None


def _port_keys(zone: Zone, owner: str, binding: Row) -> Iterator[Published | Other]:
    """All keys that the port's router wants through this port."""
    yield Other("port", binding.uuid)
    port = participants.participant(zone, binding)
    if isinstance(port, Port) and port.address is not None:
        for source in sources(zone, owner, port):
            hop = next_hop_of(port, source.prefix)
            if hop is not None and not is_fe80_64(hop):
                yield Published(port.transit_switch, source.route_table, source.prefix, hop)


# ---- What to tell people ---------------------------------------------------------------------------------------------


def _port_notes(zone: Zone, owner: str, uuid: str) -> Iterator[Left]:
    """Faults of a port's set-up that somebody has to mend, told once for the port and not for each route."""
    binding = zone.ic_sb.row("Port_Binding", uuid)
    if binding is None or binding["availability_zone"] != owner:
        return
    port = participants.participant(zone, binding)
    if not isinstance(port, Port):
        switch_port = zone.switch_port(binding["logical_port"])
        if switch_port is not None and switch_port["type"] == "router" and "router-port" not in switch_port["options"]:
            yield Left(binding["logical_port"], "it exchanges no routes: the logical switch port has no options:router-port")
        return
    for item in port.options.filters.bad_items:
        yield Left(port.name, f"{item}: the item is ignored, correct it")
    if participants.bindings_of(zone, owner, port.router.uuid)[0].uuid == uuid:
        for item in port.router_options.filters.bad_items:
            yield Left(port.router["name"], f"{item}: the item is ignored, correct it")
    if zone.options.adv and port.address is not None:
        hop = next_hop_for(Prefix(6, 1, 128), port.address, False)
        if hop is not None and is_fe80_64(hop) and _has_ipv6(zone, owner, port):
            reason = hop_refusal(zone, port.transit_switch, hop, port)
            yield Left(port.name, f"IPv6 routes of router {port.router['name']} are not advertised through it: {reason}")
        if zone.options.adv_lb and next_hop_of(port, Prefix(4, 0, 32)) is None and _has_ipv4_vip(zone, port):
            yield Left(port.name, f"IPv4 VIPs of router {port.router['name']} are not advertised through it: it has no IPv4 address")


def _has_ipv6(zone: Zone, owner: str, port: Port) -> bool:
    """Has the router anything of IPv6 to publish, VIPs aside?"""
    router = port.router.uuid
    for lrp in zone.nb.child_rows("Logical_Router", "ports", router, "Logical_Router_Port"):
        if any(prefix.family == 6 and not is_link_local(prefix) for prefix in _networks(lrp)) and not participants.is_transit(
            zone, owner, lrp, router
        ):
            return True
    found = zone.nb.find("Logical_Router_Static_Route", "destination", "IPv6")
    return any(router in rows.holders(zone, row.uuid) for row in found)


def _has_ipv4_vip(zone: Zone, port: Port) -> bool:
    balancers = rows.balancers_of(zone, port.router.uuid).values()
    return any(vip.family == 4 for balancer in balancers for vip in rows.vips(balancer))


def _balancer_notes(zone: Zone, owner: str, uuid: str) -> Iterator[Left]:
    """VIPs that cannot be published, of a balancer that some router with a participating port uses (S3)."""
    row = zone.nb.row("Load_Balancer", uuid)
    if row is None or not zone.options.adv_lb or not zone.options.adv:
        return
    if not any(participants.ports_of(zone, owner, router) for router in rows.routers_with(zone, uuid)):
        return
    for key in sorted(row["vips"]):
        if parse_vip(key) is None:
            yield Left(f"load balancer {uuid}", f'its VIP "{key}" is not advertised: it has no address that can be read')


def _zone_notes(zone: Zone) -> Iterator[Left]:
    for item in zone.options.bad_items:
        yield Left("NB_Global", f"{item}: the item is ignored, correct it")
    if zone.options.adv_lb and zone.ic_sb.schema.has("Route", "origin") and not zone.ic_sb.schema.allows("Route", "origin", LOADBALANCER):
        yield Left("NB_Global", "ic-route-adv-lb has no effect: the schema of this IC_SB knows no routes of origin loadbalancer")
