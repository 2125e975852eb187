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


def own_view(zone: Zone) -> RouteView | None:
    """The view of a zone, None if it has no row of its own: it then exchanges no routes."""
    az = zone.own_az
    return RouteView(zone, az.uuid) if az is not None else None
