# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helpers of the tests that look at the daemon of a single zone."""

from __future__ import annotations

import time
from collections.abc import Callable

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.rpc import PATIENCE
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, SyncDaemon


def rename(zone: AvailabilityZone, name: str) -> None:
    """Give the zone a name and wait until an active daemon has registered it."""
    zone.nb.transact(*topology.zone_name(name))
    ic = zone.interconnect
    ic.wait(lambda: ic.sb.find("Availability_Zone", name=name), f"zone {name} in IC_SB")


def started(zone: AvailabilityZone) -> SyncDaemon:
    """The zone's daemon, active."""
    zone.daemon.start()
    rename(zone, "begun")
    return zone.daemon


def wait(condition: Callable[[], object], daemon: SyncDaemon) -> None:
    """Wait until something that the daemon does is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, daemon.tail()
        time.sleep(0.05)
