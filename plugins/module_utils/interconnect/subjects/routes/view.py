# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rules of routes look at."""

from __future__ import annotations

from typing import NamedTuple

from ...zone import Zone


class RouteView(NamedTuple):
    """A zone, and the UUID of its Availability_Zone row, which owns the zone's rows in IC_SB."""

    zone: Zone
    owner: str


class OwnView:
    """The view of a zone, kept because it is needed for each key."""

    __slots__ = ("_view",)

    def __init__(self) -> None:
        self._view: RouteView | None = None

    def of(self, zone: Zone) -> RouteView | None:
        """The view, None if the zone has no row of its own: it then exchanges no routes."""
        az, view = zone.own_az, self._view
        if az is None:
            return None
        if view is None or view.owner != az.uuid or view.zone is not zone:
            view = self._view = RouteView(zone, az.uuid)
        return view
