# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a zone's daemons is active: standby, handover of the lock, and databases that a daemon cannot use (spec status-F)."""

from __future__ import annotations

import signal
from contextlib import ExitStack

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb
from ansible_collections.ovn.interconnect.tests.support.relay import Relay
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Server, SyncDaemon

from .conftest import Make
from .one_zone import rename, started, wait


def test_a_second_daemon_of_the_zone_stands_by_and_takes_over(zone: AvailabilityZone) -> None:
    """The second daemon is on standby and takes over with the lock (spec status-F-2, status-F.9)."""
    first, second = started(zone), zone.second_daemon()
    second.start()
    assert (first.status(), second.status()) == ("active", "standby")
    first.appctl("exit")
    rename(zone, "after")
    assert second.status() == "active"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_standby_takes_over_when_the_active_one_dies(zone: AvailabilityZone, how: signal.Signals) -> None:
    first, second = started(zone), zone.second_daemon()
    second.start()
    first.stop(how)
    rename(zone, "after")
    assert second.status() == "active"


def test_pause_hands_over_and_resume_stands_by(zone: AvailabilityZone) -> None:
    """Pause releases the lock, resume asks for it again (spec status-F-4, status-F.9)."""
    first, second = started(zone), zone.second_daemon()
    second.start()
    first.pause()
    rename(zone, "paused")
    assert (first.status(), second.status(), first.appctl("is-paused")) == ("paused", "active", "true")
    first.resume()
    rename(zone, "resumed")
    assert (first.status(), second.status(), first.appctl("is-paused")) == ("standby", "active", "false")


def through(daemon: SyncDaemon, server: Server, relay: Relay) -> None:
    """Let a daemon that does not run yet connect to a server through a relay."""
    daemon.arguments = [argument.replace(str(server.socket), str(relay.socket)) for argument in daemon.arguments]


@pytest.fixture
def lost(request: pytest.FixtureRequest, zone: AvailabilityZone) -> Server:
    """The server of a database, by its name."""
    servers = (zone.nb_server, zone.interconnect.nb_server, zone.interconnect.sb_server)
    return {server.name: server for server in servers}[request.param]


@pytest.mark.ours("upstream's stays active, and nobody publishes anything")
@pytest.mark.parametrize("lost", ["nb", "ic-nb", "ic-sb"], indirect=True)
@pytest.mark.parametrize("way", ["gone", "silent"])
def test_an_active_daemon_that_cannot_reach_a_database_hands_over_to_one_that_can(zone: AvailabilityZone, lost: Server, way: str) -> None:
    """The relay to the server is closed, or keeps its connections and passes nothing on, like a stopped proxy."""
    first, second = zone.daemon, zone.second_daemon()
    with ExitStack() as stack:
        relay = stack.enter_context(Relay(lost.socket))
        through(first, lost, relay)
        first.arguments = [*first.arguments, "--handover-timeout=2"]
        started(zone)
        second.start()
        assert (first.status(), second.status()) == ("active", "standby")
        if way == "gone":
            stack.close()
        else:
            relay.hold()
        wait(lambda: (first.status(), second.status()) == ("standby", "active"), second)
        problem = f"{lost.database_name} {'could not be read' if way == 'gone' else 'has not answered'} for more than 2 s"
        assert problem in first.appctl("status")
        assert problem in first.appctl("skipped/show")
        assert "does not request the lock" in first.appctl("skipped/show")
        assert second.appctl("skipped/show") == "nothing is skipped"
        rename(zone, "after")
        if way == "silent":
            relay.release()
            wait(lambda: "Problem" not in first.appctl("status"), first)
            second.stop()
            wait(lambda: first.status() == "active", first)
            rename(zone, "again")


@pytest.mark.ours("upstream repeats its writes and stays active")
def test_an_active_daemon_whose_server_is_read_only_hands_over_to_one_that_can_write(zone: AvailabilityZone) -> None:
    ic = zone.interconnect
    first, second = zone.daemon, zone.second_daemon()
    copy = Server("copy", ic.directory, ic.suite.schemas / "ovn-ic-sb.ovsschema", ic.sb_server.database_name)
    copy.arguments = [f"--sync-from=unix:{ic.sb_server.socket}", *copy.arguments]
    ic.others.append(copy)
    copy.start()
    first.arguments = [*first.arguments, f"--ic-sb-db={copy.remote}", "--handover-timeout=2"]
    first.start()
    wait(lambda: "the server of OVN_IC_Southbound has been read-only" in first.appctl("status"), first)
    assert first.status() == "active", "no other instance waits for the lock"
    second.start()
    wait(lambda: (first.status(), second.status()) == ("standby", "active"), second)
    rename(zone, "after")
    copy.appctl("ovsdb-server/disconnect-active-ovsdb-server")
    wait(lambda: "Problem" not in first.appctl("status"), first)
    second.stop()
    wait(lambda: first.status() == "active", first)


@pytest.mark.parametrize("lost", ["nb", "ic-nb", "ic-sb"], indirect=True)
@pytest.mark.parametrize("way", ["gone", "silent"])
@pytest.mark.ours("upstream reports no problem")
def test_the_lock_stays_where_it_is_when_no_daemon_can_reach_a_database(zone: AvailabilityZone, lost: Server, way: str) -> None:
    daemons = [zone.daemon, zone.second_daemon()]
    for daemon in daemons:
        # The standby leaves the queue 1.5 s before the active instance offers the lock, also on a busy machine.
        daemon.arguments = [*daemon.arguments, "--handover-timeout=3"]
    started(zone)
    daemons[1].start()
    wait(lambda: daemons[1].appctl("sb-connection-status") == "connected", daemons[1])
    taken = [daemon.log.read_text().count("this instance is active now") for daemon in daemons]
    if way == "gone":
        lost.stop()
    else:
        lost.freeze()
    try:
        for daemon in daemons:
            wait(lambda daemon=daemon: "Problem: " in daemon.appctl("status"), daemon)  # type: ignore[misc]
        turns = int(daemons[0].appctl("coverage/read-counter", "loop_turns"))
        wait(lambda: int(daemons[0].appctl("coverage/read-counter", "lock_offers")) >= 3, daemons[0])
        assert [daemon.status() for daemon in daemons] == ["active", "standby"]
        assert int(daemons[0].appctl("coverage/read-counter", "loop_turns")) - turns < 500, "it waits between its offers"
    finally:
        if way == "gone":
            lost.start()
        else:
            lost.thaw()
    rename(zone, "after")
    wait(lambda: all("Problem" not in daemon.appctl("status") for daemon in daemons), daemons[0])
    # The standby may see the database first and take the lock that is still offered: once, and then it stays there.
    wait(lambda: sorted(daemon.status() for daemon in daemons) == ["active", "standby"], daemons[0])
    now = [daemon.log.read_text().count("this instance is active now") for daemon in daemons]
    assert now in (taken, [taken[0], taken[1] + 1])


@pytest.mark.ours("upstream's standby takes the lock and does nothing")
def test_a_standby_that_cannot_work_takes_the_lock_of_a_dead_one_when_it_can(zone: AvailabilityZone) -> None:
    first, second = zone.daemon, zone.second_daemon()
    for daemon in (first, second):
        daemon.arguments = [*daemon.arguments, "--handover-timeout=1"]
    started(zone)
    second.start()
    wait(lambda: second.appctl("sb-connection-status") == "connected", second)
    zone.interconnect.sb_server.stop()
    wait(lambda: "Problem: " in second.appctl("status"), second)
    first.kill()
    zone.sb.transact(ovsdb.update("SB_Global", {"external_ids": {"seen": "yes"}}))
    assert second.status() == "standby"
    zone.interconnect.sb_server.start()
    wait(lambda: second.status() == "active", second)


@pytest.mark.ours("23.03 has no such commands")
def test_a_single_daemon_stays_active_without_a_database_and_says_what_is_wrong(zone: AvailabilityZone) -> None:
    """Active means that it holds the lock of the zone, as in upstream."""
    ic, daemon = zone.interconnect, zone.daemon
    daemon.arguments = [*daemon.arguments, "--handover-timeout=1"]
    started(zone)
    healthy = daemon.appctl("status")
    ic.sb_server.stop()
    wait(lambda: "Problem: OVN_IC_Southbound could not be read for more than 1 s" in daemon.appctl("status"), daemon)
    assert daemon.appctl("status").splitlines()[:2] == ["Status: active", "IC-SB lock: not held"]
    assert "OVN_IC_Southbound could not be read" in daemon.appctl("skipped/show")
    assert daemon.log.read_text().count("OVN_IC_Southbound could not be read") == 1
    daemon.stop()
    daemon.start()
    wait(lambda: "Problem" in daemon.appctl("status"), daemon)
    assert daemon.status() == "active", "also if it was never there"
    ic.sb_server.start()
    rename(zone, "after")
    wait(lambda: daemon.appctl("status") == healthy, daemon)
    assert daemon.appctl("skipped/show") == "nothing is skipped"


@pytest.mark.ours("upstream has no such option")
def test_with_0_the_lock_is_never_handed_over(zone: AvailabilityZone) -> None:
    first, second = zone.daemon, zone.second_daemon()
    with Relay(zone.interconnect.sb_server.socket) as relay:
        through(first, zone.interconnect.sb_server, relay)
        first.arguments = [*first.arguments, "--handover-timeout=0"]
        started(zone)
        second.arguments = [*second.arguments, "--handover-timeout=1"]
        second.start()
    wait(lambda: first.appctl("ic-sb-connection-status") == "not connected", first)
    zone.interconnect.sb_server.stop()
    wait(lambda: "Problem" in second.appctl("status"), second)
    assert (first.appctl("status"), second.status()) == ("Status: active\nIC-SB lock: not held", "standby")


@pytest.mark.ours("upstream writes one zone's objects to the other zone")
def test_databases_of_two_zones_are_not_written_to(make: Make) -> None:
    ic = make("az1", "az2", daemons=False)
    one, two = ic.zones
    for zone in (one, two):
        zone.nb.transact(ovsdb.insert("Logical_Switch", {"name": "pods"}))
        zone.northd_sync()
    daemon = one.daemon
    daemon.arguments = [*daemon.arguments, f"--ovnsb-db={two.sb_server.remote}", "--handover-timeout=1"]
    servers = (one.nb_server, two.sb_server, ic.nb_server, ic.sb_server)
    before = [server.file.read_bytes() for server in servers]
    daemon.start()
    words = "OVN_Southbound does not belong to the same zone as OVN_Northbound of zone 'az1'"
    wait(lambda: words in daemon.appctl("status"), daemon)
    assert words in daemon.appctl("skipped/show")
    assert daemon.log.read_text().count(words) == 1
    assert daemon.status() == "active", "no other instance waits for the lock"
    assert [server.file.read_bytes() for server in servers] == before
    two.daemon.start()
    ic.wait(lambda: ic.sb.find("Availability_Zone", name="az2"), "the zone whose SB it is to be registered by its own daemon")
    wait(lambda: (daemon.status(), two.daemon.status()) == ("standby", "active"), daemon)
    assert ic.sb.find("Availability_Zone", name="az1") is None
    daemon.stop()
    daemon.arguments = daemon.arguments[:-2]
    daemon.start()
    ic.wait(lambda: ic.sb.find("Availability_Zone", name="az1"), "the zone to be registered")


@pytest.mark.ours("upstream's has other words")
def test_it_tells_when_it_is_on_standby(zone: AvailabilityZone) -> None:
    """The loss of the lock is logged, once (spec status-F.8)."""
    words = "this instance is on standby now, the lock ovn_ic was lost"
    daemon = started(zone)
    daemon.pause()
    daemon.resume()
    rename(zone, "resumed")
    assert words not in daemon.log.read_text()
    zone.sb_server.stop()
    wait(lambda: daemon.status() == "standby", daemon)
    assert daemon.log.read_text().count(words) == 1
