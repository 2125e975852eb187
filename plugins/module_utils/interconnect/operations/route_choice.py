# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which routes of a router take the packets to an address: the longest prefix, connected before static, several as
ECMP.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from ..address import Prefix, parse_prefix
from ..ovsdb.store import Row
from ..subjects.routes import rows as route_rows
from ..zone import Zone


class Entry(NamedTuple):
    """A route of a router: its prefix length, whether it is connected, a text that names it, and the IC_SB route from
    which it was learned.
    """

    length: int
    connected: bool
    text: str
    learned_from: str | None


def winners(zone: Zone, router: Row, asked: Prefix, table: str, switches: Collection[str]) -> list[Entry]:
    """The routes that the router uses for packets to a network, as far as they cover all of it. ``switches``: the
    transit switches from which it learns. Empty if it has no route. Several are used together (ECMP).
    """
    found = [*_connected(zone, router, asked), *_static(zone, router, asked, table), *_learned(zone, router, asked, table, switches)]
    best = max(((entry.length, entry.connected) for entry in found), default=None)
    return [entry for entry in found if (entry.length, entry.connected) == best]


def _covers(prefix: Prefix, asked: Prefix) -> bool:
    return prefix.family == asked.family and prefix.length <= asked.length and prefix.network == asked.truncate(prefix.length)


def _connected(zone: Zone, router: Row, asked: Prefix) -> Iterator[Entry]:
    for lrp in zone.nb.child_rows("Logical_Router", "ports", router.uuid, "Logical_Router_Port"):
        for text in sorted(lrp["networks"]) if lrp["enabled"] is not False else ():
            prefix = parse_prefix(text)
            if prefix is not None and _covers(prefix, asked):
                yield Entry(prefix.length, True, f"the router's own network {text} (port {lrp['name']})", None)


def _static(zone: Zone, router: Row, asked: Prefix, table: str) -> Iterator[Entry]:
    for length in range(asked.length + 1):
        for row in route_rows.statics_to(zone, router.uuid, asked.truncate(length)):
            if row["route_table"] == table and row["policy"] != "src-ip" and route_rows.learned_from(row) is None:
                yield Entry(length, False, f"the router's own static route {row['ip_prefix']} via {row['nexthop']}", None)


def _learned(zone: Zone, router: Row, asked: Prefix, table: str, switches: Collection[str]) -> Iterator[Entry]:
    for length in range(asked.length + 1):
        for switch in sorted(switches):
            for route in route_rows.routes_to(zone, switch, asked.truncate(length)):
                if route["route_table"] == table and route_rows.learned_statics(zone, router.uuid, route.uuid):
                    owner = zone.az_name(route["availability_zone"])
                    words = f"{route['ip_prefix']} via {route['nexthop']} learned from zone {owner} on {switch}"
                    yield Entry(length, False, words, route.uuid)
