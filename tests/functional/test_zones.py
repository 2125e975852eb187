# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones: registration, renaming, and what a nameless zone's daemon does not do (spec zones-A)."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, gateway, switch_port, transit_switches
from ansible_collections.ovn.interconnect.tests.support.servers import UPSTREAM, Interconnect, SyncDaemon

from .conftest import KIND, Make


def names(ic: Interconnect) -> set[str]:
    """The registered zones."""
    return {row.text("name") for row in ic.sb.rows("Availability_Zone")}


def test_named_zones_are_registered(ic: Interconnect) -> None:
    assert names(ic) == {"az1", "az2"}


def test_a_nameless_zone_is_left_alone_until_it_has_a_name(make: Make) -> None:
    ic = make("az1", "az2", named=False, daemons=False)
    az1, az2 = ic.zones
    az1.nb.transact(*topology.zone_name("az1"))
    ic.start()
    transit_switches(ic, "ts1")
    assert names(ic) == {"az1"}
    assert az2.nb.rows("Logical_Switch") == []
    az2.nb.transact(*topology.zone_name("zweite Zone ü"))
    ic.settle()
    assert names(ic) == {"az1", "zweite Zone ü"}
    assert [row.text("name") for row in az2.nb.rows("Logical_Switch")] == ["ts1"]


def test_a_zone_row_deleted_by_hand_comes_back(ic: Interconnect) -> None:
    ic.sb.transact(ovsdb.delete("Availability_Zone", name="az1"))
    ic.settle()
    assert names(ic) == {"az1", "az2"}


def test_a_rename_keeps_the_row_and_all_that_refers_to_it(ic: Interconnect) -> None:
    if KIND == "upstream" and ic.suite.name == "host":
        pytest.skip("23.03.1 cannot rename")
    az1, az2 = ic.zones
    gateway(az1, "gw1")
    transit_switches(ic, "ts1")
    attach(az1, "lr1", "ts1", ["169.254.100.1/24"])
    ic.settle()
    zone, port = ic.sb.get("Availability_Zone", name="az1"), ic.sb.get("Port_Binding", logical_port="ts1-lr1")
    az1.nb.transact(*topology.zone_name("renamed"))
    ic.settle()
    assert names(ic) == {"renamed", "az2"}
    assert ic.sb.get("Availability_Zone", name="renamed").uuid == zone.uuid
    assert ic.sb.get("Port_Binding", logical_port="ts1-lr1").uuid == port.uuid
    assert ic.sb.get("Gateway", name="gw1")["availability_zone"] == zone.uuid
    assert switch_port(az2, "ts1-lr1") is not None


def test_two_daemons_of_a_zone_are_active_and_standby(ic: Interconnect) -> None:
    az1 = ic.zones[0]
    second = az1.second_daemon()
    second.start()
    assert (az1.daemon.status(), second.status()) == ("active", "standby")
    az1.daemon.pause()
    az1.sb.refresh()
    transit_switches(ic, "ts1")
    ic.nb.transact(*topology.transit_switch("ts2"))
    az1.nb.wait(lambda: az1.nb.rows("Logical_Switch", name="ts2"), "the second daemon to take over")
    assert (az1.daemon.status(), second.status()) == ("paused", "active")
    az1.daemon.resume()
    assert (az1.daemon.status(), second.status()) == ("standby", "active")


def test_a_restart_changes_nothing(ic: Interconnect) -> None:
    az1, az2 = ic.zones
    gateway(az1, "gw1")
    transit_switches(ic, "ts1")
    attach(az1, "lr1", "ts1", ["169.254.100.1/24"])
    ic.settle()
    before = [sorted((row.uuid, str(dict(row.columns))) for row in db.rows(table)) for db, table in stable(ic)]
    for zone in (az1, az2):
        zone.daemon.kill()
        zone.daemon.start()
    ic.settle()
    assert before == [sorted((row.uuid, str(dict(row.columns))) for row in db.rows(table)) for db, table in stable(ic)]


def stable(ic: Interconnect) -> list[tuple[ovsdb.Database, str]]:
    """Tables in which a restart may not touch a row."""
    zones = [(database, table) for zone in ic.zones for database, table in ((zone.nb, "Logical_Switch_Port"), (zone.sb, "Chassis"))]
    return [(ic.sb, "Gateway"), (ic.sb, "Port_Binding"), (ic.sb, "Datapath_Binding"), *zones]


@pytest.mark.ours("the transaction is rejected and never retried")
def test_clearing_the_name_withdraws_the_zone_and_all_its_rows(ic: Interconnect) -> None:
    az1, az2 = ic.zones
    gateway(az1, "gw1")
    transit_switches(ic, "ts1")
    attach(az1, "lr1", "ts1", ["169.254.100.1/24"])
    ic.settle()
    az1.nb.transact(*topology.zone_name(""))
    ic.wait(lambda: names(ic) == {"az2"}, "the zone to be withdrawn")
    ic.settle()
    assert ic.sb.rows("Gateway") == []
    assert ic.sb.rows("Port_Binding") == []
    assert az2.sb.rows("Chassis") == []
    assert switch_port(az2, "ts1-lr1") is None


@pytest.mark.ours("the daemon adopts the other zone's row and fights forever")
def test_a_name_in_use_by_another_deployment_is_refused(ic: Interconnect) -> None:
    az1, az2 = ic.zones
    gateway(az1, "gw1")
    gateway(az2, "gw2")
    ic.settle()
    az2.nb.transact(*topology.zone_name("az1"))
    ic.nb.transact(*topology.transit_switch("ts1"))
    az1.nb.wait(lambda: az1.nb.rows("Logical_Switch", name="ts1"), "az1 to go on")
    owners = {row.text("name"): row["availability_zone"] for row in ic.sb.rows("Gateway")}
    assert owners["gw1"] == ic.sb.get("Availability_Zone", name="az1").uuid
    assert len(set(owners.values())) == 2


@pytest.mark.ours("the daemon adopts the other zone's row")
def test_a_refused_registration_is_taken_over_on_an_operators_word(make: Make) -> None:
    ic = make("az1", "az2", daemons=False)
    az1, az2 = ic.zones
    az2.nb.transact(*topology.zone_name("az1"))
    gateway(az1, "gw1")
    gateway(az2, "gw2")
    az1.daemon.start()
    zone = ic.wait(lambda: ic.sb.rows("Availability_Zone"), "the first deployment to register")[0].uuid
    az2.daemon.start()
    az2.nb.wait(
        lambda: "control command zone/claim of the zone's daemon" in az2.daemon.appctl("skipped/show"),
        "the second deployment to be refused",
    )
    assert az1.daemon.appctl("zone/claim") == "no registration is denied to this zone; there is nothing to claim"
    assert az2.daemon.appctl("zone/claim") == "this zone takes over the registration of 'az1'"
    ic.wait(lambda: [row.text("name") for row in ic.sb.rows("Gateway")] == ["gw2"], "the second deployment to go on")
    assert [row.uuid for row in ic.sb.rows("Availability_Zone")] == [zone]
    az1.nb.wait(lambda: "claimed with another token" in az1.daemon.appctl("skipped/show"), "the first deployment to be refused")


@pytest.mark.ours("upstream's daemon knows no other")
def test_a_zone_of_upstreams_daemon_is_taken_over_whatever_that_has_left_behind(make: Make) -> None:
    ic = make("az1", daemons=False)
    az1 = ic.zones[0]
    ours, az1.daemon = az1.daemon, SyncDaemon(UPSTREAM, az1, ic)
    az1.daemon.start()
    gateway(az1, "gw1")
    transit_switches(ic, "ts1")
    attach(az1, "lr1", "ts1", ["169.254.100.1/24"])
    ic.settle()
    zone = ic.sb.get("Availability_Zone", name="az1").uuid
    az1.nb.transact(ovsdb.delete("Logical_Router", name="lr1"))
    ic.settle()
    assert ic.sb.rows("Port_Binding", logical_port="ts1-lr1")
    az1.daemon.stop()
    az1.daemon = ours
    ours.start()
    transit_switches(ic, "ts2")
    assert [row.uuid for row in ic.sb.rows("Availability_Zone")] == [zone]
    (line,) = ours.appctl("skipped/show").splitlines()
    assert line.startswith("ports: ts1-lr1: ")  # its router port went with the router
