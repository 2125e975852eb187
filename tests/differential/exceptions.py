# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything in which this project's daemon may leave other contents than upstream's, in one table.

Nothing else may differ. An exception takes what it names out of the comparison, as narrowly as it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ansible_collections.ovn.interconnect.tests.support.contents import Entry, Plain


@dataclass(frozen=True)
class Scene:
    """What decides about whole rows: the routers that port bindings name, and which zone has ports on which switch."""

    routers: frozenset[str]
    attached: frozenset[tuple[str, str]]
    #: (zone, logical port) of the ports whose gateway is not a known chassis of the zone.
    adrift: frozenset[tuple[str, str]]
    #: The transit switch ports of IC_NB that have no chassis.
    unplaced: frozenset[str]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Scene:
        """The scene of a set-up's contents."""
        entries = list(entries)
        bindings = [entry.columns for entry in entries if entry.database == "IC_SB" and entry.table == "Port_Binding"]
        ids = [columns["external_ids"] for columns in bindings]
        routers = frozenset(str(known.get("router-id", "")).strip("<>") for known in ids if isinstance(known, dict))
        attached = {
            (str(columns["availability_zone"]), str(columns["transit_switch"]))
            for columns, known in zip(bindings, ids)
            if isinstance(known, dict) and "router-id" in known and columns["address"] != "unknown"
        }
        zones = {entry.database.split("/")[0] for entry in entries if entry.database.endswith("/SB")}
        chassis = {(entry.database.split("/")[0], str(entry.columns["name"])) for entry in entries if entry.table == "Chassis"}
        adrift = {
            (zone, str(columns["logical_port"])) for zone in zones for columns in bindings if (zone, str(columns["gateway"])) not in chassis
        }
        unplaced = {
            str(entry.columns["name"]) for entry in entries if entry.table == "Transit_Switch_Port" and not entry.columns["chassis"]
        }
        return cls(routers, frozenset(attached), frozenset(adrift), frozenset(unplaced))

    def orphan(self, route_key: str) -> bool:
        """Whether a key of IC_SB Route names a zone without port on that transit switch."""
        zone, switch = route_key.split(" ")[:2]
        return (zone, switch) not in self.attached

    def stale(self, key: str) -> bool:
        """Whether a key of a static route is of one learned by a router without port, or from an orphan."""
        if " learned from " not in key:
            return False
        source = key.split(" learned from ")[1].removeprefix("<")
        return key.split(" ")[0] not in self.routers or (source.startswith("<") and self.orphan(source))


Treat = Callable[[Entry, Scene], "Entry | None"]


@dataclass(frozen=True)
class Deviation:
    """One allowed difference: its id, what it is, where the documentation says so, and what it takes out."""

    id: str
    what: str
    source: str
    treat: Treat


def _of(table: str, treat: Callable[[Entry], Entry]) -> Treat:
    return lambda entry, _scene: treat(entry) if entry.table == table else entry


def _ours(key: str) -> bool:
    return key.startswith("ovn-interconnect")


def _without_stale_routes(entry: Entry, scene: Scene) -> Entry | None:
    """Without routes that are stale or orphans, and without what refers to them."""
    if entry.table == "Logical_Router_Static_Route" and scene.stale(entry.key):
        return None
    if entry.table == "Route" and scene.orphan(entry.key):
        return None
    routes = entry.columns.get("static_routes")
    if not isinstance(routes, list):
        return entry
    kept: list[Plain] = [route for route in routes if not scene.stale(str(route).removeprefix("<").removesuffix(">"))]
    return replace(entry, columns={**entry.columns, "static_routes": kept})


def _without_binding(entry: Entry, scene: Scene) -> Entry:
    """Without the chassis of a copy whose gateway is unknown here, and without what northd makes of it."""
    zone = entry.database.split("/")[0]
    column = {"Port_Binding": "chassis", "Logical_Switch_Port": "up"}.get(entry.table)
    name = str(entry.columns.get("logical_port", entry.columns.get("name")))
    if "/" not in entry.database or column is None or entry.columns.get("type") != "remote" or (zone, name) not in scene.adrift:
        return entry
    return entry.without(column, "up")


def _without_edits(entry: Entry) -> Entry:
    """A learned route without what an operator added to it."""
    if " learned from " not in entry.key:
        return entry
    return entry.without("policy").without_keys("external_ids", lambda key: key != "ic-learned-route")


def _without_leaf_id(entry: Entry) -> Entry:
    """A leaf switch's port without what only a router's port has."""
    if entry.database != "IC_SB" or entry.columns.get("address") != "unknown":
        return entry
    return entry.without_keys("external_ids", {"router-id"}.__contains__)


def _without_lost_router(entry: Entry) -> Entry:
    """A port whose router port is not bound, without the router that it had."""
    if entry.database != "IC_SB" or entry.columns.get("address") != "":
        return entry
    return entry.without_keys("external_ids", {"router-id"}.__contains__)


def _without_owner(entry: Entry, scene: Scene) -> Entry:
    """A transit switch port that is nowhere, without its owner."""
    if entry.database == "IC_SB" and entry.table == "Port_Binding" and entry.columns["logical_port"] in scene.unplaced:
        return entry.without("availability_zone")
    return entry


DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        "adrift",
        "a copy whose gateway is unknown in the zone stays bound to the chassis that it had: to none, if the copy was recreated meanwhile",
        "spec ports-P-7: left unchanged",
        _without_binding,
    ),
    Deviation(
        "stale-routes",
        "learned routes of a router that lost its last transit port stay or go, depending on which zone was faster;"
        " routes of a zone without router's port on the switch stay in IC_SB and with those who learned them before 25.03.1, and later"
        " where a port's type was taken away before northd had emptied its address",
        "spec routes-5.8; newer than the peer: spec routes-9.3; spec routes-4.2, routes-6.d",
        _without_stale_routes,
    ),
    Deviation(
        "route-ids",
        "IC_SB Route.external_ids tells the router too; releases before 23.09 do not write that",
        "newer than the peer: spec routes-4.8, routes-9.3",
        _of("Route", lambda entry: entry.without_keys("external_ids", {"lr-id"}.__contains__)),
    ),
    Deviation(
        "edited-routes",
        "an operator's additions to a learned route end with it, and ours withdraws the routes of a router that has no port for"
        " a moment, as when its row in IC_SB is deleted by hand; that additions stay otherwise is a functional test",
        "spec routes-5.8",
        _of("Logical_Router_Static_Route", _without_edits),
    ),
    Deviation(
        "leaf-id",
        "a leaf switch's port has the switch's uuid as its router-id with upstream's daemon, none with ours",
        "spec ports-P-5",
        _of("Port_Binding", _without_leaf_id),
    ),
    Deviation(
        "lost-router",
        "the router-id of a port whose router is disabled, and whose router port ovn-northd has unbound, stays with upstream's daemon only",
        "spec ports-P-5",
        _of("Port_Binding", _without_lost_router),
    ),
    Deviation(
        "unplaced",
        "a transit switch port without chassis belongs to the zone that holds the lock of IC_SB, which is whoever came first",
        "spec ports-4.1",
        _without_owner,
    ),
    Deviation(
        "northd-range",
        "northd of 25.03 and later chooses the range of its own tunnel keys by the chassis that it saw last, late or early",
        "northd's own; the same difference shows between two set-ups with upstream's daemon",
        _of("SB_Global", lambda entry: entry.without_keys("options", {"max_tunid"}.__contains__)),
    ),
    Deviation(
        "mark-switch",
        "our mark in Logical_Switch.external_ids says that this interconnect made the switch",
        "docs/architecture.md, What goes wrong",
        _of("Logical_Switch", lambda entry: entry.without_keys("external_ids", _ours)),
    ),
    Deviation(
        "mark-router",
        "our mark in Logical_Router.external_ids says that this interconnect made the router",
        "docs/architecture.md, What goes wrong",
        _of("Logical_Router", lambda entry: entry.without_keys("external_ids", _ours)),
    ),
    Deviation(
        "mark-tunnel-key",
        "the tunnel key of a transit switch or router in IC_NB, from which it is known after IC_SB was lost",
        "docs/loss-and-restore.md",
        lambda entry, _scene: entry.without_keys("external_ids", _ours) if entry.table in ("Transit_Switch", "Transit_Router") else entry,
    ),
    Deviation(
        "key-note",
        "IC_NB notes the tunnel keys of transit switches and routers, so that they survive the loss of IC_SB",
        "docs/loss-and-restore.md",
        lambda entry, _scene: entry.without_keys("external_ids", _ours) if entry.table in ("Transit_Switch", "Transit_Router") else entry,
    ),
    Deviation(
        "mark-zone",
        "identity of the global databases and the zone's token in NB_Global.external_ids",
        "docs/architecture.md, What goes wrong",
        _of("NB_Global", lambda entry: entry.without_keys("external_ids", _ours)),
    ),
    Deviation(
        "mark-claims",
        "the zones' claims in IC_SB_Global.external_ids",
        "docs/architecture.md, What goes wrong",
        _of("IC_SB_Global", lambda entry: entry.without("external_ids")),
    ),
)

NOT_DRAWN: tuple[tuple[str, str], ...] = (
    ("delete a transit switch while a daemon is down", "docs/loss-and-restore.md: the zone withholds the deletion until it is released"),
    ("rename a zone, with 23.03", "spec zones-C: before 23.03.3 the zone is stuck forever"),
    ("clear a zone's name", "spec zones-A.3: the zone's rows stay, and the delete is never tried again"),
    ("rename a zone while its daemon is down", "spec zones-A.2: a second zone, the old one stays forever"),
    ("one chassis name or encap IP in two zones", "spec zones-B.4: the zone's transactions fail forever"),
    ("remove is-remote from a copy", "spec zones-B.4: a second chassis is inserted forever"),
    ("rename a transit switch's switch locally", "spec switches-4.4: found by interconn-ts only (better)"),
    ("two switches for one transit switch, or interconn-ts removed", "spec switches-S-5: which one stays is unspecified"),
    ("two routers of a zone on one transit switch", "spec routes-9.3: up to 23.06 each deletes the other's routes in turn"),
    ("router port deleted, switch port kept", "spec routes-9.3: the peer's learner adds and removes forever"),
    ("one network on two router ports", "spec routes-4.6: 23.03 crashes when it warns of the duplicate"),
    ("disabled router, before 26.09", "spec routes-9.3: the learner adds and removes forever"),
    ("IPv6 in a deny list", "spec routes-9.3: 23.03 blocks every IPv6 prefix of that length"),
    ("empty item in a deny list", "spec routes-9.3: the list ends there up to 25.03"),
    (
        "both lists of denied prefixes in one zone",
        "spec routes-2.1: upstream ignores one of them, ours applies both",
    ),
    ("a static or dynamic route whose next hop is on the transit switch", "spec routes-4.5: upstream advertises it back, ours does not"),
    ("filters, deny lists of ports and routers, -lb options, before 26.09", "spec routes-9.3: unknown there, used here on every schema"),
    ("ic-route-denylist and tags, with 23.03", "spec routes-9.3: unknown there, honoured by us on every schema"),
    ("a transit router port that is deleted, moves, or gets another MAC", "spec ports-5: its row stays; the move never arrives"),
    ("transit router ports without chassis", "spec newest-N-4: realised nowhere up to 26.09.0, in every zone by main and by ours"),
    ("a transit switch port's name that another port has", "spec ports-4.4: the zone's NB is blocked forever"),
    ("one VIP or prefix from two sources of one router", "spec routes-4.6: the zone's writes to IC_SB are blocked forever"),
    ("a local set of a learned set's name", "spec address-sets-3: who came first wins"),
    ("service monitors, before 26.09", "spec monitors-6: 25.03 has none, and later releases up to 25.09.2 fight with northd"),
    ("requests for the own zone, or of one service from two source addresses", "spec monitors-4: the zone's writes to SB are blocked"),
    ("rename a zone whose balancers have backends elsewhere", "spec monitors-M5: the old name's requests serve upstream"),
    ("health checks of one service that differ", "northd's own: the service has the options of any of them"),
    ("routes that a routing daemon has learned, before 26.09", "spec routes-9.3: not read there, advertised by us on every schema"),
    ("a network on which something was learned is deleted", "northd's own: the route refers to the port's binding"),
    ("IPv6 routes without IPv6 on the transit port", "spec routes-4.4: rewritten forever"),
    ("delete a port's row in IC_SB by hand once operators added to its copy", "spec ports-P-6: the copy may go for a moment"),
    ("requested-chassis on a remote port, with 23.03", "spec ports-P-7: ignored up to 23.06"),
    ("edits of a learned route that do not make it another", "spec routes-9.3: up to 25.09.2 they outlive a new IC_SB row"),
    ("next hop outside the learner's subnet", "spec routes-9.3: not checked up to 24.09"),
)
"""What is left out of the vocabulary, because upstream's outcome there is no state that could be compared."""

OUTCOMES = {"delete from Availability_Zone": "refused while routes refer to the zone, see stale-routes; it comes back anyway"}
"""Actions that one server may take and the other refuse, because of a deviation above."""


def comparable(entries: Iterable[Entry]) -> list[Entry]:
    """The entries without what the deviations name."""
    entries = list(entries)
    scene = Scene.of(entries)
    kept = []
    for entry in entries:
        treated: Entry | None = entry
        for deviation in DEVIATIONS:
            treated = deviation.treat(treated, scene) if treated is not None else None
        if treated is not None:
            kept.append(treated)
    return kept
