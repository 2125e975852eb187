# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Locks and connections of one zone at work, without servers (spec status-F.3, status-F.4, status-F.5)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.replica import Replica
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import RowChange
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.sync.zone_sync import ZoneSync
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import DATABASES, IC_SB, SB
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import ZONE_KEY

AZ, ROW = (f"00000000-0000-0000-0000-{number:012}" for number in (1, 2))


class Idle(Replica):
    """A replica of a server that says nothing; the test gives and takes its lock."""

    given = False

    def run(self) -> list[RowChange]:
        return []

    @property
    def has_lock(self) -> bool:
        return self.given and self._lock is not None

    @property
    def wanted(self) -> str | None:
        """The lock that was asked for."""
        return self._lock


@pytest.fixture
def sync() -> Iterator[ZoneSync]:
    """A registered zone az1."""
    made = ZoneSync(dict.fromkeys(DATABASES, "unix:/nowhere.sock"))
    made.close()
    for name, database in DATABASES.items():
        made.replicas[name] = Idle(database, "unix:/nowhere.sock")
    made.zone.ic_sb.put("Availability_Zone", AZ, {"name": "az1"})
    made.zone.nb.put("NB_Global", ROW, {"name": "az1", "external_ids": {ZONE_KEY: AZ}})
    yield made
    made.close()


def lock(sync: ZoneSync, name: str) -> Idle:
    replica = sync.replicas[name]
    assert isinstance(replica, Idle)
    return replica


def test_quirk_f3_a_standby_does_not_queue_for_the_lock_of_ic_sb(sync: ZoneSync) -> None:
    """Only the active daemon asks for the lock of IC_SB (spec newest-N-21, status-F.3)."""
    sync.run()
    assert (sync.status, lock(sync, SB).wanted, lock(sync, IC_SB).wanted) == ("standby", "ovn_ic", None)
    lock(sync, SB).given = True
    sync.run()
    assert (sync.status, lock(sync, IC_SB).wanted) == ("active", "ovn_ic_sb")


def test_quirk_f3_the_lock_of_ic_sb_is_given_back_with_that_of_the_zone(sync: ZoneSync) -> None:
    """A daemon that is not active gives the lock of IC_SB back (spec status-F.3)."""
    for name in (SB, IC_SB):
        lock(sync, name).given = True
    sync.run()
    assert sync.zone.facts.shared_lock
    lock(sync, SB).given = False
    sync.run()
    assert (lock(sync, IC_SB).wanted, sync.zone.facts.shared_lock) == (None, False)


def test_a_paused_daemon_wants_no_lock(sync: ZoneSync) -> None:
    """Pause gives both locks back (spec status-F-4)."""
    for name in (SB, IC_SB):
        lock(sync, name).given = True
    sync.run()
    sync.pause()
    sync.run()
    assert (sync.status, lock(sync, SB).wanted, lock(sync, IC_SB).wanted, sync.zone.facts.shared_lock) == ("paused", None, None, False)
    sync.resume()
    sync.run()
    assert (sync.status, sync.zone.facts.shared_lock) == ("active", True)
