# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything in which this project's daemon may leave other contents than upstream's, in one table.

Nothing else may differ. An exception takes what it speaks of out of the comparison, as narrowly as it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ansible_collections.ovn.interconnect.tests.support.contents import Entry, Plain

Treat = Callable[[Entry, frozenset[str]], "Entry | None"]
"""What becomes of an entry; the set names the routers that have a port binding in IC_SB."""


@dataclass(frozen=True)
class Deviation:
    """One allowed difference: its id, what it is, where the spec or the design says so, and what it takes out."""

    id: str
    what: str
    source: str
    treat: Treat


def _of(table: str, treat: Callable[[Entry], Entry]) -> Treat:
    return lambda entry, _routers: treat(entry) if entry.table == table else entry


def _ours(key: str) -> bool:
    return key.startswith("ovn-interconnect")


def _without_stale_routes(entry: Entry, routers: frozenset[str]) -> Entry | None:
    """Without learned routes of routers that no port binding speaks of any more, and without what refers to them."""

    def stale(key: str) -> bool:
        return " learned from " in key and key.split(" ")[0] not in routers

    if entry.table == "Logical_Router_Static_Route" and stale(entry.key):
        return None
    routes = entry.columns.get("static_routes")
    if not isinstance(routes, list):
        return entry
    kept: list[Plain] = [route for route in routes if not stale(str(route).strip("<>"))]
    return replace(entry, columns={**entry.columns, "static_routes": kept})


def _routers(entries: Iterable[Entry]) -> frozenset[str]:
    """The routers that port bindings of IC_SB name as theirs."""
    ids = (entry.columns.get("external_ids") for entry in entries if entry.database == "IC_SB" and entry.table == "Port_Binding")
    return frozenset(str(known.get("router-id", "")).strip("<>") for known in ids if isinstance(known, dict))


DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        "stale-routes",
        "learned routes of a router that lost its last transit port stay or go, depending on which zone was faster",
        "routes, section 5, QUIRK-KEEP worth an option",
        _without_stale_routes,
    ),
    Deviation(
        "route-ids",
        "IC_SB Route.external_ids tells the router too; releases before 23.09 do not write that",
        "newer than the peer: routes 4.8, 9.3",
        _of("Route", lambda entry: entry.without_keys("external_ids", {"lr-id"}.__contains__)),
    ),
    Deviation(
        "mark-switch",
        "our mark in Logical_Switch.external_ids says that this interconnect made the switch",
        "design, principle 7 (ownership)",
        _of("Logical_Switch", lambda entry: entry.without_keys("external_ids", _ours)),
    ),
    Deviation(
        "mark-zone",
        "identity of the global databases and the zone's token in NB_Global.external_ids",
        "design, principle 7 (guard, zones)",
        _of("NB_Global", lambda entry: entry.without_keys("external_ids", _ours)),
    ),
    Deviation(
        "mark-claims",
        "the zones' claims in IC_SB_Global.external_ids",
        "design, principle 7 (zones)",
        _of("IC_SB_Global", lambda entry: entry.without("external_ids")),
    ),
)

NOT_DRAWN: tuple[tuple[str, str], ...] = (
    ("rename or clear a zone's name", "zones, part C: before 23.03.3 the zone is stuck for ever"),
    ("one chassis name or encap IP in two zones", "zones, B.4: the zone's transactions fail for ever"),
    ("remove is-remote from a copy", "zones, B.4: a second chassis is inserted for ever"),
    ("rename a transit switch's switch locally", "transit switches, 4.4: found by interconn-ts only (better)"),
    ("two switches for one transit switch, or interconn-ts removed", "transit switches, S-5: which one stays is unspecified"),
    ("two routers of a zone on one transit switch", "routes, 9.3: up to 23.06 each deletes the other's routes in turn"),
    ("router port deleted, switch port kept", "routes, 9.3: the peer's learner adds and removes for ever"),
    ("one network on two router ports", "routes, 4.6: 23.03 crashes when it warns of the duplicate"),
    ("disabled router", "routes, 9.3: the learner adds and removes for ever"),
    ("IPv6 in a deny list", "routes, 9.3: 23.03 blocks every IPv6 prefix of that length"),
    ("empty item in a deny list", "routes, 9.3: the list ends there up to 25.03"),
    ("ic-route-denylist, filters, tags, -lb options", "routes, 9.3: unknown to 23.03, honoured by us on every schema"),
    ("IPv6 routes without IPv6 on the transit port", "routes, 4.4 QUIRK-FIX: rewritten for ever"),
    ("requested-chassis on a remote port", "port bindings, P-7.3: ignored up to 23.06"),
    ("next hop outside the learner's subnet", "routes, 9.3: not checked up to 24.09"),
)
"""What is left out of the vocabulary, because upstream's outcome there is no state that could be compared."""


def comparable(entries: Iterable[Entry]) -> list[Entry]:
    """The entries without what the deviations speak of."""
    entries = list(entries)
    routers = _routers(entries)
    kept = []
    for entry in entries:
        treated: Entry | None = entry
        for deviation in DEVIATIONS:
            treated = deviation.treat(treated, routers) if treated is not None else None
        if treated is not None:
            kept.append(treated)
    return kept
