# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explains why routes of a zone are exchanged or not, with the decisions of the route subjects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..address import Prefix, belongs_to, format_address, format_prefix, parse_nexthop, parse_prefix
from ..ovsdb.columns import Database
from ..ovsdb.replica import Replica
from ..ovsdb.store import Row, Store
from ..subjects import managed_ports, port_faults
from ..subjects.routes import decision as route_decision
from ..subjects.routes import participants
from ..subjects.routes import rows as route_rows
from ..subjects.routes import sources as route_sources
from ..subjects.routes.advertised_routes import AdvertisedRoutes
from ..subjects.routes.learned_routes import LearnedRoutes
from ..subjects.routes.participants import Participant
from ..subjects.routes.sources import Source
from ..subjects.routes.view import RouteView
from ..sync.monitor_conditions import keeps_ports
from ..tables import DATABASES, IC_NB, IC_SB, NB, SB
from ..zone import Zone
from . import explain_peers, route_verdict
from .errors import ModuleError
from .option_checks import checked_prefix
from .registration import zone_of
from .route_choice import winners

Params = Mapping[str, Any]
Stores = Mapping[str, Store]

#: The maximum number of transit switches named in a message.
_SHOWN = 10
_STATIC = "Logical_Router_Static_Route"
#: The words for the kinds of sources.
WORDS = {"route": "static route", "lrp": "router port", "loadbalancer": "load balancer", "lr": "dynamic route"}


def part(name: str, tables: str) -> Database:
    """A database of the engine, restricted to these tables."""
    return Database(name, {table: columns if table in tables.split() else {} for table, columns in DATABASES[name].tables.items()})


READ = (
    part(
        NB,
        "NB_Global Logical_Switch Logical_Switch_Port Logical_Router Logical_Router_Port Logical_Router_Static_Route"
        " Load_Balancer Load_Balancer_Group",
    ),
    part(SB, "Datapath_Binding Learned_Route"),
    part(IC_NB, "IC_NB_Global Transit_Switch Transit_Switch_Port"),
    part(IC_SB, "IC_SB_Global Availability_Zone Gateway Port_Binding Route"),
)


def narrow(_params: Params, replicas: Mapping[str, Replica]) -> None:
    """Do not read the zone's many ports of virtual machines."""
    replicas[NB].want("Logical_Switch_Port", [["type", "!=", ""]])
    replicas[NB].keeps_members = keeps_ports


def check(params: Params) -> None:
    """Raise ModuleError where the prefix is not one."""
    _wanted_prefix(params["prefix"])


def describe(params: Params, stores: Stores, others: Sequence[Stores] = ()) -> dict[str, Any]:
    """The verdict, the path of the routes through the zones, and the details: ports, own routes and foreign routes,
    each with whether it is exchanged and why not; other zones' ports; and the answer as text.

    ``others``: the NB and SB of other zones, whose decisions become part of the verdict and of the path.
    """
    question = _Question(params, stores)
    views = question.views()
    peers = question.peers()
    answer = list(question.answer({**views, "peers": peers}))
    zones, problems = {question.zone.name: views}, []
    for other in others:
        try:
            asked = _Question({**params, "router": None}, {**stores, **other})
        except ModuleError as error:
            problems.append(str(error))
            continue
        zones[asked.zone.name] = asked.views()
    verdict = question.verdict(zones, list(question.hints({**views, "peers": peers})))
    unknown = sorted({peer["zone"] for peer in peers if peer["reason"] != explain_peers.OF_IC_NB} - set(zones))
    steps = list(route_verdict.path(zones, question.published(), unknown)) if question.prefix is not None else []
    return {**verdict._asdict(), "path": steps, **_public(views), "peers": peers, "answer": answer, "unread_zones": problems}


def _public(views: Mapping[str, Any]) -> dict[str, Any]:
    """The views without what only the verdict needs."""
    return {name: [{key: value for key, value in one.items() if key != "learned_again"} for one in found] for name, found in views.items()}


def _order(view: dict[str, Any]) -> list[str]:
    return [str(view[part]) for part in ("prefix", "router", "transit_switch", "route_table", "next_hop")]


class _Question:
    """The options, and the zone. Raises ModuleError if they contradict the zone's contents."""

    def __init__(self, params: Params, stores: Stores) -> None:
        self.zone: Zone = zone_of(stores)
        az = self.zone.own_az
        if az is None:
            lack = f"the zone {self.zone.name!r} is not registered in IC_SB" if self.zone.name else "the zone has no name"
            raise ModuleError(
                f"{lack}, so it exchanges no routes; name it with ovn_ic_az, and check that its sync daemon runs",
                database=IC_SB,
            )
        self.view = RouteView(self.zone, az.uuid)
        self.switch = self._checked_switch(params["transit_switch"])
        self.prefix = _wanted_prefix(params["prefix"])
        self.subject = LearnedRoutes()
        self.subject.prepare(self.zone)
        AdvertisedRoutes().prepare(self.zone)
        explain_peers.prepare(self.zone)
        self._asked = params["router"] is not None
        self.routers = self._routers(params["router"])
        self._zones = {row.uuid: row["name"] for row in self.zone.ic_sb.rows("Availability_Zone")}

    def _checked_switch(self, name: str | None) -> str | None:
        """The transit switch in the options. Raises ModuleError if there is none of this name."""
        known = sorted(row["name"] for row in self.zone.ic_nb.rows("Transit_Switch"))
        if name is not None and name not in known:
            shown = ", ".join(map(repr, known[:_SHOWN])) + (f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else "")
            raise ModuleError(
                f"IC_NB has no transit switch {name!r} (it has: {shown or 'none'}); correct the option transit_switch", database=IC_NB
            )
        return name

    def _routers(self, name: str | None) -> list[Row]:
        rows = [row for row in self.zone.nb.rows("Logical_Router") if name in (None, row["name"])]
        if name is not None and not rows:
            raise ModuleError(f"router {name!r} does not exist; correct the option router", database=NB)
        return rows

    def _covers(self, prefix: Prefix | None) -> bool:
        """Whether a route to this prefix covers the prefix in the options."""
        return self.prefix is None or (prefix is not None and belongs_to(self.prefix.network, prefix.network))

    def ports(self) -> Iterator[tuple[Row, Participant | str]]:
        """The zone's own bindings on transit switches, each with its participating port, or why there is none."""
        routers = {row.uuid for row in self.routers}
        rows = [row for row in self.zone.ic_sb.rows("Port_Binding") if row["availability_zone"] == self.view.owner]
        for binding in sorted(rows, key=lambda row: str(row["logical_port"])):
            known = participants.router_id(binding) is None or participants.router_id(binding) in routers
            if known and self.switch in (None, binding["transit_switch"]):
                managed = managed_ports.of_binding(self.zone, binding) is not None
                yield binding, explain_peers.OF_IC_NB if managed else participants.participant(self.zone, binding)

    def port_view(self, binding: Row, port: Participant | str) -> dict[str, Any]:
        """A port of the zone in the result."""
        return {
            "port": binding["logical_port"],
            "transit_switch": binding["transit_switch"],
            "router": port.router["name"] if isinstance(port, Participant) else "",
            "address": binding["address"],
            "gateway": binding["gateway"],
            "takes_part": isinstance(port, Participant),
            "reason": "" if isinstance(port, Participant) else port,
            "caveats": list(explain_peers.port_caveats(self.zone, port)) if isinstance(port, Participant) else [],
        }

    def views(self) -> dict[str, Any]:
        """The ports and the two directions of routes."""
        return {
            "ports": [self.port_view(binding, port) for binding, port in self.ports()],
            "advertised": sorted(self.advertised(), key=_order),
            "learned": sorted(self.learned(), key=_order),
        }

    # -- other zones, and the answer ---------------------------------------------------------------------------------------------------

    @property
    def switches(self) -> set[str]:
        """The transit switches concerned: the one in the options, or those of the routers concerned."""
        if self.switch is not None:
            return {self.switch}
        return {binding["transit_switch"] for binding, _port in self.ports()}

    def peers(self) -> list[dict[str, Any]]:
        """The ports of other zones on the transit switches concerned."""
        return list(explain_peers.peers(self.zone, self.switches, self._zones))

    def published(self) -> list[dict[str, Any]]:
        """The routes of IC_SB to the prefix in the options, of all zones, on all transit switches."""
        routes = [row for row in self.zone.ic_sb.rows("Route") if self._covers(parse_prefix(row["ip_prefix"]))]
        views = [
            {
                "zone": self._zones.get(row["availability_zone"], ""),
                "transit_switch": row["transit_switch"],
                "prefix": row["ip_prefix"],
                "next_hop": row["nexthop"],
                "route_table": row["route_table"],
            }
            for row in routes
        ]
        return sorted(views, key=lambda view: list(view.values()))

    def verdict(self, zones: Mapping[str, Any], hints: Sequence[str]) -> route_verdict.Verdict:
        """The verdict about the prefix in the options, or about all routes."""
        views = zones[self.zone.name]
        attached = sorted({view["router"] for view in views["ports"] if view["router"]})
        routers = [row["name"] for row in self.routers] if self._asked else attached
        if self.prefix is None:
            return route_verdict.of_all(routers, views)
        return route_verdict.of_prefix(format_prefix(self.prefix), routers, self.zone.name, zones, hints)

    def answer(self, views: Mapping[str, Any]) -> Iterator[str]:
        """The conclusions about the prefix in the options, the most important first; empty without a prefix."""
        if self.prefix is None:
            return
        learned = [view for view in views["learned"] if view["transit_switch"] in self.switches]
        for view in learned:
            yield f"{view['router']} {_said(view, 'learn', 'from zone ' + view['zone'])}"
        for view in views["advertised"]:
            yield f"{view['router']} {_said(view, 'advertise', '')}"
        if learned or any(view["accepted"] for view in views["advertised"]):
            return
        yield from self.hints(views)

    def hints(self, views: Mapping[str, Any]) -> Iterator[str]:
        """What NB and IC_SB show if no route leads to the prefix in the options."""
        if self.prefix is None:
            return
        if not self.switches:
            yield (f"none of the routers concerned is attached to a transit switch ({', '.join(row['name'] for row in self.routers)})")
        yield from explain_peers.silence(self.zone, self.prefix, self.switches, self._zones)
        for peer in views["peers"]:
            if peer["reason"] not in ("", explain_peers.OF_IC_NB):
                yield f"port {peer['port']} of zone {peer['zone']} on {peer['transit_switch']}: {peer['reason']}"
        for port in views["ports"]:
            if port["reason"] == explain_peers.OF_IC_NB:
                continue
            for reason in [port["reason"]] if port["reason"] else port["caveats"]:
                yield f"own port {port['port']} on {port['transit_switch']}: {reason}"

    # -- what the zone advertises ------------------------------------------------------------------------------------------------------

    def advertised(self) -> Iterator[dict[str, Any]]:
        """Each source of each participating port."""
        for _binding, port in self.ports():
            if isinstance(port, Participant):
                for source in route_sources.sources(self.view, port):
                    if self._covers(source.prefix):
                        yield self._source_view(port, source)
                yield from self._no_sources(port)

    def _source_view(self, port: Participant, source: Source) -> dict[str, Any]:
        hop = route_decision.next_hop_of(port, source.prefix)
        reason = route_decision.verdict(self.zone, port, source)
        if reason is None and not self._is_published(port, source):
            reason = (
                "it may be advertised but is not in IC_SB yet, or not with the contents of this source; check that the sync daemon runs"
            )
        return {
            **_place(port),
            "prefix": format_prefix(source.prefix),
            "next_hop": format_address(hop) if hop is not None else "",
            "route_table": source.route_table,
            "source": WORDS[source.kind],
            "accepted": reason is None,
            "reason": reason or "",
            "caveats": list(explain_peers.port_caveats(self.zone, port)) if reason is None else [],
            "learned_again": False,
        }

    def _is_published(self, port: Participant, source: Source) -> bool:
        published = (self.view.owner, source.route_table, source.prefix, route_decision.next_hop_of(port, source.prefix))
        return any(
            (row["availability_zone"], row["route_table"], parse_prefix(row["ip_prefix"]), parse_nexthop(row["nexthop"])) == published
            for row in route_rows.routes_to(self.zone, port.transit_switch, source.prefix)
        )

    def _no_sources(self, port: Participant) -> Iterator[dict[str, Any]]:
        """What an operator may expect to be advertised but is not, with the reason: some static routes, networks of disabled
        router ports, and networks of ports on transit switches.
        """
        nb, router = self.zone.nb, port.router.uuid
        for row in nb.child_rows("Logical_Router", "static_routes", router, _STATIC):
            source = route_sources.static_source(row, port.options.route_table)
            # There may be as many learned routes as all other zones have: they are listed only if one of them may be
            # the route in question.
            known = route_rows.learned_from(row) is None or (self.prefix is not None and not self._came_through(row, port))
            if isinstance(source, str) and known and self._covers(parse_prefix(row["ip_prefix"])):
                learned = route_rows.learned_from(row) is not None
                yield {**_no_source(port, row["ip_prefix"], row["route_table"], "route", source), "learned_again": learned}
        for lrp in nb.child_rows("Logical_Router", "ports", router, "Logical_Router_Port"):
            reason = "it is the network of a port on a transit switch"
            is_transit = participants.is_transit(self.view, lrp, router)
            if lrp["enabled"] is False and not is_transit:
                reason = f"the logical router port {lrp['name']} is disabled; enable it with ovn-nbctl lrp-set-enabled"
            if is_transit or lrp["enabled"] is False:
                for text in sorted(lrp["networks"]):
                    if self._covers(parse_prefix(text)):
                        yield _no_source(port, text, "", "lrp", reason)

    def _came_through(self, static: Row, port: Participant) -> bool:
        """Whether a learned static route came over the transit switch of this port, where all other routers learn it
        anyway.
        """
        route = self.zone.ic_sb.row("Route", route_rows.learned_from(static))
        return route is not None and bool(route["transit_switch"] == port.transit_switch)

    # -- what the zone learns ----------------------------------------------------------------------------------------------------------

    def learned(self) -> Iterator[dict[str, Any]]:
        """Each route of IC_SB for each router on its transit switch, or for the router in the options."""
        for route in self.zone.ic_sb.rows("Route"):
            if self.switch in (None, route["transit_switch"]) and self._covers(parse_prefix(route["ip_prefix"])):
                for router in self._learners(route["transit_switch"]):
                    if route["external_ids"].get("lr-id", "").lower() != router.uuid:
                        yield self._route_view(router, route)

    def _learners(self, switch: str) -> list[Row]:
        if self._asked:
            return self.routers
        bindings = participants.bindings_on(self.view, switch)
        on_switch = {participants.router_id(binding) for binding in bindings}
        return [row for row in self.routers if row.uuid in on_switch]

    def _route_view(self, router: Row, route: Row) -> dict[str, Any]:
        refused = self.subject.verdict(self.view, router, route)
        reason = None if refused is None else refused.reason
        if refused is not None and not participants.bindings_of(self.view, router.uuid):
            reason = self._detached(router, route["transit_switch"]) or reason
        if reason is None and not self._is_learned(router, route):
            reason = "it may be learned but is not in NB yet; check that the sync daemon runs"
        return {
            "router": router["name"],
            "transit_switch": route["transit_switch"],
            "prefix": route["ip_prefix"],
            "next_hop": route["nexthop"],
            "route_table": route["route_table"],
            "zone": self._zones.get(route["availability_zone"], ""),
            "accepted": reason is None,
            "reason": reason or "",
            **(self._use(router, route) if reason is None else {"wins": False, "preferred": "", "ecmp": [], "faults": [], "caveats": []}),
        }

    def _use(self, router: Row, route: Row) -> dict[str, Any]:
        """How a router uses a route that it has learned."""
        ports = participants.ports_of(self.view, router.uuid)
        own = [port for port in ports if port.transit_switch == route["transit_switch"]]
        faults = list(explain_peers.carrier_caveats(self.zone, route, own))
        asked = self.prefix or parse_prefix(route["ip_prefix"])
        switches = {port.transit_switch for port in ports}
        found = winners(self.zone, router, asked.network, route["route_table"], switches) if asked is not None else []
        others = [entry.text for entry in found if entry.learned_from != route.uuid]
        wins = len(others) < len(found)
        return {
            "wins": wins,
            "preferred": "" if wins else " and ".join(others),
            "ecmp": others if wins else [],
            "faults": faults,
            "caveats": [*explain_peers.precedence_caveats(self.zone, router, route), *faults],
        }

    def _detached(self, router: Row, switch: str) -> str | None:
        """Why IC_SB has no port of an attached router: the first cause in NB. None if the router is not attached to
        this switch.
        """
        fault = port_faults.router_fault(router)
        if fault is not None:
            return fault
        # A port whose router port was renamed or deleted belongs to no router now, but may have belonged to this one.
        bindings = participants.bindings_on(self.view, switch)
        without = [row for row in bindings if participants.router_id(row) is None and managed_ports.of_binding(self.zone, row) is None]
        lost = [(row["logical_port"], participants.participant(self.zone, row)) for row in without]
        return next((f"port {name} on {switch} does not lead to a router: {cause}" for name, cause in lost if isinstance(cause, str)), None)

    def _is_learned(self, router: Row, route: Row) -> bool:
        return bool(route_rows.learned_statics(self.zone, router.uuid, route.uuid))


def _said(view: Mapping[str, Any], verb: str, whence: str) -> str:
    """One route of the result as text."""
    place = " ".join(filter(None, (whence, f"on {view['transit_switch']}")))
    if not view["accepted"]:
        return f"does not {verb} {view['prefix']} {place}: {view['reason']}"
    return "; ".join([f"{verb}s {view['prefix']} {place}", *view["caveats"]])


def _place(port: Participant) -> dict[str, Any]:
    return {"router": port.router["name"], "transit_switch": port.transit_switch, "port": port.name}


def _no_source(port: Participant, prefix: str, table: str, kind: str, reason: str) -> dict[str, Any]:
    view = {
        "prefix": prefix,
        "next_hop": "",
        "route_table": table,
        "source": WORDS[kind],
        "accepted": False,
        "reason": reason,
        "caveats": [],
        "learned_again": False,
    }
    return {**_place(port), **view}


def _wanted_prefix(text: str | None) -> Prefix | None:
    prefix = parse_prefix(text) if text is not None else None
    if text is not None and prefix is None and "/" in text:
        return checked_prefix(text, "prefix", "10.0.1.0/24")
    if text is not None and prefix is None:
        raise ModuleError(f"prefix is {text!r}, which is neither a network nor an address; write one such as 10.0.1.0/24")
    return prefix
