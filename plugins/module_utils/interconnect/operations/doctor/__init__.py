# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds faults of an interconnect that no database rejects: pure functions of the contents, and of what servers and the
daemon report.

The file of each area (addresses.py, ports.py, keys.py, switches.py, routes.py, tunnels.py, zones.py, daemon.py,
servers.py) has the functions that find faults, and below them its checks, with what each means and what to do.
registry.py collects the checks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .check import Check, Find
from .databases import (
    GLOBAL_NORTH,
    GLOBAL_SOUTH,
    NORTH,
    SOUTH,
    Certificate,
    Databases,
    Facts,
    Finding,
    Server,
    Stores,
    narrow,
)
from .registry import CHECKS

__all__ = [
    "CHECKS",
    "GLOBAL_NORTH",
    "GLOBAL_SOUTH",
    "NORTH",
    "SOUTH",
    "Certificate",
    "Facts",
    "Finding",
    "Server",
    "describe",
    "narrow",
]


def describe(wanted: Iterable[str], stores: Stores, facts: Facts | None = None) -> dict[str, Any]:
    """The findings of the wanted checks (IDs), and which checks were carried out.

    ``healthy`` is false if nothing was checked: in an empty interconnect, or if no wanted check was possible. Checks of
    the way to the databases count only if no others are wanted.
    """
    databases, names = Databases(stores, facts), sorted(set(wanted))
    possible: dict[str, Check] = {}
    unchecked = []
    for check in map(CHECKS.__getitem__, names):
        reason = check.obstacle(databases)
        if reason is None:
            possible[check.id] = check
        else:
            unchecked.append({"check": check.id, "reason": reason})
    functions: dict[Find, None] = dict.fromkeys(check.find for check in possible.values())
    found = {finding for find in functions for finding in find(databases) if finding.check in possible}
    only_local = all(CHECKS[name].is_local for name in names)
    return {
        "healthy": any(only_local or not check.is_local for check in possible.values()) and not found,
        "findings": [_view(CHECKS[one.check], one) for one in sorted(found)],
        "checked": list(possible),
        "not_checked": unchecked,  # a result called "skipped" would make Ansible count the whole task as skipped
    }


def _view(check: Check, finding: Finding) -> dict[str, str]:
    return {
        "check": check.id,
        "severity": check.severity,
        **{k: v for k, v in finding._asdict().items() if k != "check"},
        "link": check.link,
    }
