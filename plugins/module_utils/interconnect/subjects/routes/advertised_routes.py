# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IC_SB ``Route``: the routes of this zone that other routers may learn (spec routes-4, routes-6).

A key is what makes a row unique within the zone: transit switch, route table, prefix and next hop. All sources of such
a row are found by their prefix (sources.py), and one module decides between them (decision.py).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from ...address import Prefix, format_address, format_prefix, is_fe80_64, is_link_local, next_hop_for, parse_vip
from ...engine import change as changes
from ...engine.change import Skipped, Step
from ...engine.engine import ALL, Keys, Subject
from ...ovsdb.store import Row, RowChange
from ...settings import ZoneOptions, boolean
from ...tables import IC_NB, IC_SB, NB, SB
from ...zone import Zone
from . import participants, rows
from .advertised_keys import AdvertisedKeys, Other, port_keys, row_key
from .decision import HopCache, Offer, Published, choose, hop_refusal, next_hop_of, offers_for
from .former_links import Links
from .participants import Participant
from .sources import LOADBALANCER, networks
from .view import OwnView, RouteView

_ZONE_NOTE = Other("zone", "")


class AdvertisedRoutes(Subject):
    """Keeps this zone's rows of IC_SB ``Route`` up to date."""

    name = "advertised_routes"
    additive = frozenset([(NB, "Logical_Router_Static_Route"), (NB, "Logical_Router"), (IC_SB, "Route")])
    tables = participants.TABLES.union(
        rows.SOURCE_TABLES,
        [(NB, "NB_Global"), (NB, "Logical_Switch"), (IC_NB, "Transit_Switch"), (NB, "Logical_Router"), (SB, "Learned_Route")],
        [(IC_SB, "Datapath_Binding")],
    )

    def __init__(self) -> None:
        self._hops: HopCache = participants.PortCache()
        self._view = OwnView()
        self._links = Links()
        self._keys: AdvertisedKeys | None = None

    def prepare(self, zone: Zone) -> None:
        self._hops.clear()
        participants.prepare(zone)
        rows.prepare(zone)
        zone.nb.index("Logical_Router_Port", "network", lambda row: set(networks(row)))

    # -- keys -------------------------------------------------------------------------------------------------------------------------

    def begin(self, changes: Sequence[RowChange]) -> None:
        self._links = Links(changes)
        self._keys = None

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        self._hops.observe(change)
        view = self._view.of(zone)
        if view is None:
            return ()
        if change.table == "NB_Global":
            return (ALL,) if _zone_policy(change.old) != _zone_policy(change.new) else ()
        if self._keys is None or self._keys.view is not view:
            self._keys = AdvertisedKeys(view, self._links)
        return self._keys.by(change)

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        view = self._view.of(zone)
        if view is None:
            return
        yield _ZONE_NOTE
        for row in zone.ic_sb.rows("Route"):
            if row["availability_zone"] == view.owner:
                yield row_key(row)
        for binding in zone.ic_sb.rows("Port_Binding"):
            if binding["availability_zone"] == view.owner:
                yield from port_keys(view, binding)
        for balancer in zone.nb.rows("Load_Balancer"):
            yield Other("balancer", balancer.uuid)

    # -- planning ---------------------------------------------------------------------------------------------------------------------

    def plan(self, key: Hashable, zone: Zone) -> Iterable[Step]:
        view = self._view.of(zone)
        if view is None:
            return ()
        if isinstance(key, Published):
            return _plan_row(view, key, self._hops)
        return _plan_other(view, key) if isinstance(key, Other) else ()


def _plan_other(view: RouteView, key: Other) -> Iterable[Step]:
    if key.kind == "row":
        return _plan_unreadable(view, key.uuid)
    if key.kind == "port":
        return _port_notes(view, key.uuid)
    return _balancer_notes(view, key.uuid) if key.kind == "balancer" else _zone_notes(view.zone)


def _zone_policy(row: Row | None) -> tuple[object, ...]:
    options = ZoneOptions.read(row["options"] if row is not None else {})
    return options.adv, options.adv_default, options.adv_lb, options.adv_via_transit, options.deny, options.deny_old, options.learn


def _plan_row(view: RouteView, key: Published, hops: HopCache) -> Iterator[Step]:
    existing = _rows_of(view, key)
    offers, why = offers_for(view, key, hops)
    kept = existing[0] if existing else None
    if offers:
        chosen = choose(offers, kept, _held(view.zone, kept))
        yield from _write(view, key, kept, chosen)
        yield from _suppressed(key, offers, chosen)
        why = "another row has the same route"
        existing = existing[1:]
    for row in existing:
        yield changes.delete(view.zone.ic_sb, "Route", row, record=str(key), reason=why)


def _rows_of(view: RouteView, key: Published) -> list[Row]:
    """This zone's rows of a key: several if different texts mean the same. Sorted by UUID, because the row that matches
    an offer is not known yet.
    """
    found = rows.routes_via(view, key.transit_switch, key.prefix, key.next_hop)
    return [row for row in found if row_key(row) == key]


def _held(zone: Zone, row: Row | None) -> tuple[str, bool] | None:
    return None if row is None else (row["origin"], boolean(row["options"], rows.OVERRIDE))


def _write(view: RouteView, key: Published, row: Row | None, offer: Offer) -> Iterator[Step]:
    source, port = offer
    tag = port.options.route_tag
    ids = {"nb-id": source.uuid, "lr-id": port.router.uuid}
    if row is None:
        prefix, hop = format_prefix(key.prefix), format_address(key.next_hop)
        columns = {
            "transit_switch": key.transit_switch,
            "availability_zone": view.owner,
            "route_table": key.route_table,
            "ip_prefix": prefix,
            "nexthop": hop,
            "origin": source.origin,
            "options": {rows.OVERRIDE: "true"} if source.override else {},
            "external_ids": {**ids, "ic-route-tag": tag} if tag else ids,
        }
        reason = f"{source.origin} route of router {port.router['name']}"
        yield changes.insert(view.zone.ic_sb, "Route", columns, record=key.described(prefix, hop), reason=reason)
        return
    keys: dict[str, dict[str, str | None]] = {"external_ids": {**ids, "ic-route-tag": tag or None}}
    if boolean(row["options"], rows.OVERRIDE) != source.override:
        keys["options"] = {rows.OVERRIDE: "true" if source.override else None}
    yield from changes.update(
        view.zone.ic_sb,
        "Route",
        row,
        record=key,
        reason=f"it is now the {source.origin} route of NB {source.kind} {source.uuid}",
        columns={"origin": source.origin},
        keys=keys,
    )


def _suppressed(key: Published, offers: list[Offer], chosen: Offer) -> Iterator[Skipped]:
    """The offers that lose against the row: they have another origin, or another router with the same address.

    The message begins with upstream's words, because operators search logs for them.
    """
    seen = set()
    for source, port in offers:
        mine = (source.origin, source.override)
        if mine == chosen.value and port.router.uuid == chosen.port.router.uuid:
            # the row already represents this source: another member of an ECMP route, or another protocol of a VIP
            continue
        if (source.uuid, mine) not in seen:
            seen.add((source.uuid, mine))
            yield Skipped(
                str(key),
                (
                    f"{source.origin} route advertisement was suppressed! NB {source.kind} uuid: {source.uuid} "
                    f"(router {port.router['name']}; the {chosen.source.origin} route of NB {chosen.source.kind} "
                    f"{chosen.source.uuid} is advertised instead)"
                ),
            )


def _plan_unreadable(view: RouteView, uuid: str) -> Iterator[Step]:
    row = view.zone.ic_sb.row("Route", uuid)
    if row is None or row["availability_zone"] != view.owner or not isinstance(row_key(row), Other):
        return
    record = f"{row['ip_prefix']} via {row['nexthop']} on {row['transit_switch']}"
    yield changes.delete(view.zone.ic_sb, "Route", row, record=record, reason="the prefix or the next hop of this own route is not valid")


# ---- Notes for operators ---------------------------------------------------------------------------------------------


def _port_notes(view: RouteView, uuid: str) -> Iterator[Skipped]:
    """Faults in the configuration of a port that an operator has to correct, reported once for the port instead of for
    each route.
    """
    binding = view.zone.ic_sb.row("Port_Binding", uuid)
    if binding is None or binding["availability_zone"] != view.owner:
        return
    port = participants.participant(view.zone, binding)
    if not isinstance(port, Participant):
        switch_port = view.zone.switch_port(binding["logical_port"])
        if switch_port is not None and switch_port["type"] == "router" and "router-port" not in switch_port["options"]:
            yield Skipped(
                binding["logical_port"],
                "it exchanges no routes because the logical switch port has no options:router-port; set it to the name of the router port",
            )
        return
    yield from _list_notes(view, port)
    yield from _address_notes(view, port)
    yield from _network_notes(view.zone, port)


def _list_notes(view: RouteView, port: Participant) -> Iterator[Skipped]:
    """Bad items of lists (spec routes-P3). Those of the router are reported with the first of its ports."""
    for item in port.options.filters.bad_items:
        yield Skipped(port.name, f"{item}; the item is ignored; correct or remove it")
    if participants.bindings_of(view, port.router.uuid)[0].uuid == port.binding.uuid:
        for item in port.router_options.filters.bad_items:
            yield Skipped(port.router["name"], f"{item}; the item is ignored; correct or remove it")


def _address_notes(view: RouteView, port: Participant) -> Iterator[Skipped]:
    """What is not advertised through a port because it lacks an address (spec routes-4.2, routes-4.4). An empty address
    is not a fault, because ovn-northd assigns it.
    """
    if not view.zone.options.adv or not port.binding["address"]:
        return
    if port.address is None:
        yield Skipped(
            port.name,
            f'nothing is advertised through it because its address "{port.binding["address"]}" does not begin with a MAC; correct it',
        )
        return
    hop = next_hop_for(Prefix(6, 1, 128), port.address, False)
    if hop is not None and is_fe80_64(hop) and _has_ipv6(view, port):
        reason = hop_refusal(view.zone, port.transit_switch, hop, port)
        yield Skipped(port.name, f"IPv6 routes of router {port.router['name']} are not advertised through it: {reason}")
    if view.zone.options.adv_lb and next_hop_of(port, Prefix(4, 0, 32)) is None and rows.has_ipv4_vip(view.zone, port.router.uuid):
        yield Skipped(
            port.name, f"IPv4 VIPs of router {port.router['name']} are not advertised through it because it has no IPv4 address; add one"
        )


def _network_notes(zone: Zone, port: Participant) -> Iterator[Skipped]:
    """Networks of the router port that are ignored when next hops of learned routes are checked (spec routes-5.6.9)."""
    if not zone.options.learn or port.router_port is None:
        return
    found = participants.lrp_networks(port.router_port)
    if found is not None:
        for text in found.unspecified:
            yield Skipped(
                port.name,
                f"the network {text} of its router port is ignored: routes whose next hop is only in it are not learned; correct it",
            )
        for text in found.bad:
            yield Skipped(port.name, f'the network "{text}" of its router port is not valid; correct it')


def _has_ipv6(view: RouteView, port: Participant) -> bool:
    """Whether the router has anything to publish for IPv6, apart from VIPs."""
    router = port.router.uuid
    for lrp in view.zone.nb.child_rows("Logical_Router", "ports", router, "Logical_Router_Port"):
        if any(prefix.family == 6 and not is_link_local(prefix) for prefix in networks(lrp)) and not participants.is_transit(
            view, lrp, router
        ):
            return True
    return rows.has_ipv6_static(view.zone, router)


def _balancer_notes(view: RouteView, uuid: str) -> Iterator[Skipped]:
    """VIPs without a valid address, where they matter: in what is advertised (spec routes-S3), or in what is learned
    (spec routes-5.6.10).

    Only load balancers that are used by a router with a participating port are checked.
    """
    row, options = view.zone.nb.row("Load_Balancer", uuid), view.zone.options
    if row is None or not (options.learn or (options.adv and options.adv_lb)):
        return
    if not any(participants.ports_of(view, router) for router in rows.routers_with(view.zone, uuid)):
        return
    for key in sorted(row["vips"]):
        if parse_vip(key) is None:
            reason = (
                f'its VIP "{key}" has no valid address: it is not advertised and does not prevent any route from being learned; correct it'
            )
            yield Skipped(f"load balancer {uuid}", reason)


def _zone_notes(zone: Zone) -> Iterator[Skipped]:
    for item in zone.options.bad_items:
        yield Skipped("NB_Global", f"{item}; the item is ignored; correct or remove it")
    if zone.options.adv_lb and zone.ic_sb.schema.has("Route", "origin") and not zone.ic_sb.schema.allows("Route", "origin", LOADBALANCER):
        yield Skipped(
            "NB_Global",
            ("ic-route-adv-lb has no effect because the schema of this IC_SB does not support routes of origin loadbalancer; upgrade it"),
        )
