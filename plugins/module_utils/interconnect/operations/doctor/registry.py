# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All checks of the doctor. The file of each area declares its checks below their functions.

docs/doctor.md is written from them by scripts/doctor_page.py.
"""

from __future__ import annotations

from . import addresses, daemon, keys, ports, routes, servers, switches, tunnels, zones

_AREAS = (
    addresses.CHECKS,
    ports.CHECKS,
    keys.CHECKS,
    switches.CHECKS,
    routes.CHECKS,
    tunnels.CHECKS,
    zones.CHECKS,
    daemon.CHECKS,
    servers.CHECKS,
)
#: All checks by ID.
CHECKS = {check.id: check for checks in _AREAS for check in checks}
