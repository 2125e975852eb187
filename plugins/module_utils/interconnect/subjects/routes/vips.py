# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the VIP of a router that prevents it from learning a route (spec routes-5.6.10).

A router may have tens of thousands of VIPs. They are kept sorted, and each VIP that is added or removed is updated
individually.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable

from ...address import Prefix, vip_stops
from ...zone import Zone
from . import rows

#: If more VIPs than this are added or removed at once, reading all VIPs of the router again at the next query is
#: cheaper.
_MANY = 64


class _Table:
    """All VIP addresses of one router, sorted, so that a query is a bisection instead of a scan."""

    __slots__ = ("_addresses",)

    def __init__(self, vips: Iterable[Prefix]) -> None:
        self._addresses = sorted({(vip.family, vip.address) for vip in vips})

    def put(self, vip: Prefix, held: bool) -> None:
        """Add a VIP to the addresses, or remove it."""
        entry = (vip.family, vip.address)
        place = bisect_left(self._addresses, entry)
        known = place < len(self._addresses) and self._addresses[place] == entry
        if held and not known:
            self._addresses.insert(place, entry)
        elif known and not held:
            del self._addresses[place]

    def stopping(self, route: Prefix) -> Prefix | None:
        place = bisect_left(self._addresses, (route.family, route.address))
        if place == len(self._addresses):
            return None
        family, address = self._addresses[place]
        vip = Prefix(family, address, 32 if family == 4 else 128)
        return vip if vip_stops(vip, route) else None


class Vips:
    """The VIPs of all routers that were queried."""

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}

    def clear(self) -> None:
        """Drop everything, because changes may have been missed."""
        self._tables.clear()

    def moved(self, zone: Zone, router: str, vips: Collection[Prefix]) -> None:
        """Check again whether a router has these VIPs."""
        table = self._tables.get(router)
        if table is None:
            return
        if len(vips) > _MANY:
            del self._tables[router]
            return
        for vip in vips:
            table.put(vip, bool(rows.balancers_with(zone, router, vip)))

    def stopping(self, zone: Zone, router: str, route: Prefix) -> Prefix | None:
        """A VIP that prevents the router from learning ``route``, or None."""
        nb = zone.nb
        if not nb.children("Logical_Router", "load_balancer", router) and not nb.children("Logical_Router", "load_balancer_group", router):
            return None
        table = self._tables.get(router)
        if table is None:
            balancers = rows.balancers_of(zone, router).values()
            table = self._tables[router] = _Table(vip for balancer in balancers for vip in rows.vips(balancer))
        return table.stopping(route)
