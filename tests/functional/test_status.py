# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Status counters (spec status-E); schemas of 24.03 and later have them."""

from __future__ import annotations

import json

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.servers import Interconnect

pytestmark = pytest.mark.counters


def counters(ic: Interconnect) -> list[int]:
    """IC_NB's two counters, IC_SB's, and those of the zones."""
    for database in (ic.nb, ic.sb):
        database.refresh()
    nb, sb = ic.nb.get("IC_NB_Global"), ic.sb.get("IC_SB_Global")
    zones = [row.number("nb_ic_cfg") for row in ic.sb.rows("Availability_Zone")]
    return [nb.number("nb_ic_cfg"), nb.number("sb_ic_cfg"), sb.number("nb_ic_cfg"), *zones]


def test_a_request_is_confirmed_by_all(ic: Interconnect) -> None:
    """All counters have the number at the end (spec status-E.4)."""
    ic.sync(1)
    # One zone writes the numbers of IC_SB and of IC_NB at once, to two servers.
    ic.wait(lambda: counters(ic) == [1] * 5, "all counters to be 1")


def test_a_paused_zone_confirms_when_it_is_resumed(ic: Interconnect) -> None:
    """A paused zone holds the request up (spec status-E.4)."""
    az1 = ic.zones[0]
    az1.daemon.pause()
    ic.nb.transact(ovsdb.update("IC_NB_Global", {"nb_ic_cfg": 1}))
    ic.wait(lambda: ic.sb.get("Availability_Zone", name="az2").number("nb_ic_cfg") == 1, "az2 to confirm")
    assert counters(ic)[1] == 0
    az1.daemon.resume()
    ic.wait(lambda: counters(ic) == [1] * 5, "all counters to be 1")


@pytest.mark.ours("the counter climbs by one from 0")
def test_a_restarted_zone_confirms_the_requested_number_at_once(ic: Interconnect) -> None:
    ic.sync(3)
    ic.zones[0].daemon.stop()
    ic.nb.transact(ovsdb.update("IC_NB_Global", {"nb_ic_cfg": 10**12}))
    ic.zones[0].daemon.start()
    ic.wait(lambda: counters(ic) == [10**12] * 5, "all counters to reach the number")


def confirmed(ic: Interconnect, zone: str) -> list[int]:
    """The numbers that a zone has confirmed, as the file of IC_SB tells them (ovsdb(5))."""
    uuid = str(ic.sb.get("Availability_Zone", name=zone).uuid)
    records = [json.loads(line) for line in ic.sb_server.file.read_text().splitlines() if line.startswith("{")]
    rows = [record.get("Availability_Zone", {}).get(uuid) or {} for record in records]
    return [row["nb_ic_cfg"] for row in rows if "nb_ic_cfg" in row]


@pytest.mark.ours("upstream's counters climb")
def test_a_daemon_that_is_active_again_confirms_no_old_number(ic: Interconnect) -> None:
    az1 = ic.zones[0]
    ic.sync(3)
    second = az1.second_daemon()
    second.start()
    az1.daemon.pause()
    ic.sync(3)
    second.pause()
    az1.daemon.resume()
    ic.sync(1)
    assert confirmed(ic, "az1") == sorted(confirmed(ic, "az1"))
    ic.wait(lambda: counters(ic) == [7] * 5, "all counters to be 7")


@pytest.mark.ours("the counters run away")
def test_a_lowered_number_is_confirmed_too(ic: Interconnect) -> None:
    ic.sync(3)
    ic.nb.transact(ovsdb.update("IC_NB_Global", {"nb_ic_cfg": 2}))
    ic.wait(lambda: counters(ic)[0] == 2 and counters(ic)[3:] == [2, 2], "the zones to confirm the lower number")


def test_after_two_requests_a_change_is_seen_in_every_zone(ic: Interconnect) -> None:
    for number in range(5):
        ic.nb.transact(*topology.transit_switch(f"ts{number}"))
        ic.sync(2)
        keys = {row.text("transit_switch"): str(row.number("tunnel_key")) for row in ic.sb.rows("Datapath_Binding")}
        for zone in ic.zones:
            assert {row.text("name"): row.map("other_config").get("requested-tnl-key") for row in zone.nb.rows("Logical_Switch")} == keys
    assert not any("withheld" in zone.daemon.log.read_text() for zone in ic.zones)


@pytest.mark.ours("known since main of autumn 2026")
def test_with_a_back_off_interval_requests_are_still_confirmed(ic: Interconnect) -> None:
    ic.nb.transact(ovsdb.set_keys("IC_NB_Global", "options", {"ic-backoff-interval-ms": "200"}))
    for number in range(3):
        ic.nb.transact(*(operation for one in range(50) for operation in topology.transit_switch(f"ts{number}-{one}")))
        ic.sync(2)
        assert all(len(zone.nb.rows("Logical_Switch")) == 50 * (number + 1) for zone in ic.zones)


@pytest.mark.ours("known since main of autumn 2026")
def test_the_back_off_interval_is_part_of_the_wait(ic: Interconnect) -> None:
    """A daemon that rests does not wake up until the rest is over: it would use a core to find that it has to wait."""
    ic.nb.transact(ovsdb.set_keys("IC_NB_Global", "options", {"ic-backoff-interval-ms": "1000"}))
    daemon = ic.zones[0].daemon
    before = int(daemon.appctl("coverage/read-counter", "loop_turns"))
    ic.nb.transact(*(operation for one in range(400) for operation in topology.transit_switch(f"ts{one}")))
    ic.sync(2)
    assert int(daemon.appctl("coverage/read-counter", "loop_turns")) - before < 2000
