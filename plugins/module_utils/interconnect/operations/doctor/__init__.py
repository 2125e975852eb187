# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds faults of an interconnect that no database rejects: pure functions of the contents, one for each kind of fault.

Each check has a name; its function is in the file of its area: addresses.py, ports.py, routes.py, switches.py,
tunnels.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from . import addresses, ports, routes, switches, tunnels
from .databases import GLOBAL_NORTH, GLOBAL_SOUTH, NORTH, SOUTH, Databases, Finding, Params, Stores, narrow

__all__ = ["CHECKS", "GLOBAL_NORTH", "GLOBAL_SOUTH", "NORTH", "SOUTH", "Finding", "describe", "narrow"]


class Check(NamedTuple):
    """A check: its function, and the contents that it needs.

    ``rows`` are (database attribute of Databases, table, what people call its rows): the check is skipped unless one of
    them has a row. ``zone``: the NB and SB of a registered zone are needed too.
    """

    find: Callable[[Databases], Iterator[Finding]]
    rows: tuple[tuple[str, str, str], ...]
    zone: bool = False


_ZONES = ("south", "Availability_Zone", "availability zones in IC_SB")
_GATEWAYS = ("south", "Gateway", "gateways in IC_SB")
_PORTS = ("south", "Port_Binding", "ports in IC_SB")
_ROUTES = ("south", "Route", "routes in IC_SB")
_SWITCHES = ("north", "Transit_Switch", "transit switches in IC_NB")
_ROUTERS = ("north", "Transit_Router", "transit routers in IC_NB")
_DATAPATHS = ("south", "Datapath_Binding", "datapaths in IC_SB")

CHECKS: Mapping[str, Check] = {
    "addresses": Check(addresses.addresses, (_PORTS,)),
    "chassis": Check(tunnels.chassis, (_GATEWAYS,), zone=True),
    "duplicate_keys": Check(switches.duplicate_keys, (_DATAPATHS,)),
    "gateways": Check(ports.gateways, (_PORTS,)),
    "overlaps": Check(routes.overlaps, (_ROUTES,)),
    "policy": Check(routes.policy, (_SWITCHES,), zone=True),
    "ports": Check(ports.ports, (_SWITCHES, _DATAPATHS, _ZONES), zone=True),
    "same_names": Check(switches.same_names, (_SWITCHES, _ROUTERS)),
    "subnets": Check(addresses.subnets, (_SWITCHES, _PORTS)),
    "switches": Check(switches.switches, (_SWITCHES,), zone=True),
    "tunnels": Check(tunnels.tunnels, (_GATEWAYS,)),
    "zones": Check(switches.zones, (_ZONES,)),
}


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The findings of the wanted checks, and which checks were carried out.

    ``healthy`` is false if nothing was checked: in an empty interconnect, or if no wanted check was possible.
    """
    databases = Databases(stores)
    found: set[Finding] = set()
    checked, unchecked = [], []
    for name in sorted(set(params["checks"])):
        reason = _obstacle(CHECKS[name], databases)
        if reason is None:
            checked.append(name)
            found.update(CHECKS[name].find(databases))
        else:
            unchecked.append({"check": name, "reason": reason})
    return {
        "healthy": bool(checked) and not found,
        "findings": [one._asdict() for one in sorted(found)],
        "checked": checked,
        "not_checked": unchecked,  # a result called "skipped" would make Ansible count the whole task as skipped
    }


def _obstacle(check: Check, databases: Databases) -> str | None:
    """Why a check was not possible, None if it was."""
    if not any(getattr(databases, side).count(table) for side, table, _words in check.rows):
        return f"there are no {' and no '.join(words for _side, _table, words in check.rows)}"
    if not check.zone:
        return None
    if not databases.has_zone:
        return "nb_db and sb_db of a zone are not given"
    if databases.zone.own_az is None:
        return "the zone of nb_db is not registered in IC_SB; name it with ovn_ic_az, and check that its sync daemon runs"
    return None
