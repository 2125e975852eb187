# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lost or rebuilt global database tears nothing down (docs/loss-and-restore.md)."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, scenes, topology
from ansible_collections.ovn.interconnect.tests.support.ovsdb import Database
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, gateway, port_keys
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect, Server, SyncDaemon

from .conftest import Make

pytestmark = pytest.mark.ours("an empty IC_NB deletes every transit switch; a rebuilt IC_SB gets other keys")

SWITCHES = ("ts1", "ts2", "ts3")


@pytest.fixture
def attached(ic: Interconnect) -> Interconnect:
    """Both zones have a router on three transit switches."""
    for number, zone in enumerate(ic.zones, 1):
        gateway(zone, f"gw{number}")
    scenes.transit_switches(ic, *SWITCHES)
    for number, zone in enumerate(ic.zones, 1):
        for index, switch in enumerate(SWITCHES, 1):
            attach(zone, f"lr{number}", switch, [f"169.254.{index}.{number}/24"], number=index)
    ic.settle()
    return ic


def names(database: Database, table: str) -> set[str]:
    """The names of a table's rows."""
    return {row.text("name") for row in database.rows(table)}


def replace_database(server: Server, ic: Interconnect, schema: str) -> None:
    """The server comes back with an empty database, as after a failed conversion."""
    server.stop()
    server.create(ic.suite.schemas / schema)
    server.start()


def test_an_empty_ic_nb_deletes_no_switch(attached: Interconnect) -> None:
    ports = [names(zone.nb, "Logical_Switch_Port") for zone in attached.zones]
    replace_database(attached.nb_server, attached, "ovn-ic-nb.ovsschema")
    attached.nb.transact(ovsdb.insert("IC_NB_Global", {}))
    attached.nb.transact(*topology.transit_switch("ts9"))
    attached.wait(lambda: all("ts9" in names(zone.nb, "Logical_Switch") for zone in attached.zones), "a new transit switch to come")
    for zone, before in zip(attached.zones, ports):
        zone.northd_sync()
        assert names(zone.nb, "Logical_Switch") == {*SWITCHES, "ts9"}
        assert names(zone.nb, "Logical_Switch_Port") == before
        assert "ts1" in zone.daemon.appctl("guard/show")


def test_a_rebuilt_ic_sb_gets_the_keys_that_the_zones_use(attached: Interconnect) -> None:
    keys = datapath_keys(attached)
    ports = {row.text("logical_port"): row.number("tunnel_key") for row in attached.sb.rows("Port_Binding")}
    replace_database(attached.sb_server, attached, "ovn-ic-sb.ovsschema")
    attached.wait(lambda: len(attached.sb.rows("Port_Binding")) == len(ports), "all ports to be published again")
    attached.settle()
    assert datapath_keys(attached) == keys
    assert {row.text("logical_port"): row.number("tunnel_key") for row in attached.sb.rows("Port_Binding")} == ports
    assert all(port_keys(attached, port) == {key} for port, key in ports.items())


def test_a_switch_that_one_zone_still_withholds_gets_its_key_back(attached: Interconnect) -> None:
    """The zone that assigns the keys is released, so that it does not know them any more."""
    keys = datapath_keys(attached)
    released, holding = sorted(attached.zones, key=lambda zone: "lock: held" not in zone.daemon.appctl("status"))
    attached.nb.transact(*(operation for switch in SWITCHES for operation in topology.no_transit_switch(switch)))
    attached.wait(lambda: "one update removed" in released.daemon.appctl("guard/show"), "the deletions to be withheld")
    released.daemon.appctl("guard/release")
    attached.wait(lambda: not names(released.nb, "Logical_Switch"), "the switches of the released zone to go")
    for switch in reversed(SWITCHES):
        attached.nb.transact(*topology.transit_switch(switch))
    attached.wait(lambda: names(released.nb, "Logical_Switch") == set(SWITCHES), "the switches to come back")
    holding.daemon.appctl("guard/release")  # the copies of the ports that the other zone has lost
    attached.settle()
    assert datapath_keys(attached) == keys
    for zone in attached.zones:
        found = {row.text("name"): int(row.map("other_config")["requested-tnl-key"]) for row in zone.nb.rows("Logical_Switch")}
        assert found == keys


@pytest.mark.counters
def test_an_older_copy_of_ic_sb_deletes_no_port(attached: Interconnect, tmp_path: Path) -> None:
    az1, az2 = attached.zones
    attached.sync(1)
    attached.sb_server.stop()
    shutil.copy(attached.sb_server.file, tmp_path)
    attached.sb_server.start()
    attach(az2, "later", "ts1", ["169.254.1.9/24"], number=9)
    attached.sync(2)
    before = az1.nb.get("Logical_Switch_Port", name="ts1-later").uuid
    az2.daemon.stop()
    attached.sb_server.stop()
    shutil.copy(tmp_path / attached.sb_server.file.name, attached.sb_server.file)
    attached.sb_server.start()
    for switch in ("ts7", "ts8"):
        attached.nb.transact(*topology.transit_switch(switch))
        az1.nb.wait(lambda switch=switch: switch in names(az1.nb, "Logical_Switch"), "a new transit switch to come")
        assert "OVN_IC_Southbound is an older copy" in az1.daemon.appctl("guard/show")
        az1.daemon.kill()
        az1.daemon.start()
    az2.daemon.start()
    attached.sync(2)
    assert az1.nb.get("Logical_Switch_Port", name="ts1-later").uuid == before
    assert all(zone.daemon.appctl("guard/show") == "nothing is withheld" for zone in attached.zones)


def datapath_keys(ic: Interconnect) -> dict[str, int]:
    """The tunnel keys of the transit switches."""
    return {row.text("transit_switch"): row.number("tunnel_key") for row in ic.sb.rows("Datapath_Binding")}


def test_a_rebuilt_ic_sb_gets_the_keys_of_the_vxlan_mode(ic: Interconnect) -> None:
    """Datapaths are made at the same time as the gateways from which the mode follows."""
    gateway(ic.zones[1], "gw2", kinds=("vxlan",))
    ic.settle()
    ic.nb.transact(ovsdb.set_keys("IC_NB_Global", "options", {"vxlan_mode": "true"}))
    scenes.transit_switches(ic, *SWITCHES)
    ic.nb.transact(*topology.no_transit_switch("ts1"))
    ic.settle()
    before = datapath_keys(ic)
    assert all(1025 < key < 4096 for key in before.values())
    replace_database(ic.sb_server, ic, "ovn-ic-sb.ovsschema")
    ic.wait(lambda: len(ic.sb.rows("Datapath_Binding")) == len(before), "all datapaths to be published again")
    ic.wait(lambda: all("nothing" in zone.daemon.appctl("guard/show") for zone in ic.zones), "all zones to take the new database")
    ic.settle()
    assert datapath_keys(ic) == before


def test_one_deleted_transit_switch_goes_at_once(attached: Interconnect) -> None:
    attached.nb.transact(*topology.no_transit_switch("ts2"))
    attached.settle()
    assert all(names(zone.nb, "Logical_Switch") == {"ts1", "ts3"} for zone in attached.zones)


def test_switches_deleted_by_one_command_after_the_other_go_also_when_the_daemons_hear_of_all_at_once(attached: Interconnect) -> None:
    for zone in attached.zones:
        zone.daemon.freeze()
    for switch in SWITCHES:
        attached.nb.transact(*topology.no_transit_switch(switch))
    for zone in attached.zones:
        zone.daemon.thaw()
    attached.wait(lambda: not any(names(zone.nb, "Logical_Switch") for zone in attached.zones), "all switches to go")


def test_switches_deleted_in_one_transaction_stay_until_an_operator_releases_them(attached: Interconnect) -> None:
    attached.nb.transact(*(operation for switch in SWITCHES for operation in topology.no_transit_switch(switch)))
    attached.nb.transact(*topology.transit_switch("ts9"))
    attached.wait(lambda: all("ts9" in names(zone.nb, "Logical_Switch") for zone in attached.zones), "a new transit switch to come")
    for zone in attached.zones:
        assert names(zone.nb, "Logical_Switch") == {*SWITCHES, "ts9"}
        assert "one update removed every transit switch" in zone.daemon.appctl("guard/show")
        zone.daemon.appctl("guard/release")
    attached.wait(lambda: all(names(zone.nb, "Logical_Switch") == {"ts9"} for zone in attached.zones), "the others to go")


def hold(zone: AvailabilityZone) -> str:
    """Why deletions that IC_NB asks for are withheld, as the zone has recorded it."""
    return zone.nb.get("NB_Global").map("external_ids").get("ovn-interconnect-ic-nb-hold", "")


def test_such_a_hold_outlives_the_daemon_and_ends_with_its_release(attached: Interconnect) -> None:
    zone = attached.zones[0]
    first, standby = zone.daemon, zone.second_daemon()
    standby.start()

    def holds(daemon: SyncDaemon, switch: str) -> bool:
        """Whether the daemon, when it has become active and made this switch, holds the others."""
        attached.nb.transact(*topology.transit_switch(switch))
        attached.wait(lambda: switch in names(zone.nb, "Logical_Switch"), "the other daemon to take over")
        return names(zone.nb, "Logical_Switch") >= set(SWITCHES) and hold(zone) in daemon.appctl("guard/show")

    attached.nb.transact(*(operation for switch in SWITCHES for operation in topology.no_transit_switch(switch)))
    attached.wait(lambda: hold(zone), "the hold to be noted")
    first.kill()
    assert holds(standby, "ts7")
    standby.kill()
    first.start()
    assert holds(first, "ts8")
    first.appctl("guard/release")
    attached.wait(lambda: names(zone.nb, "Logical_Switch") == {"ts7", "ts8"} and not hold(zone), "the others to go")


class TestStandby:
    """Two daemons of one zone that take turns."""

    @pytest.fixture
    def zone(self, make: Make) -> AvailabilityZone:
        ic = make("az1")
        zone = ic.zones[0]
        gateway(zone, "gw1")
        scenes.transit_switches(ic, *SWITCHES)
        attach(zone, "lr1", "ts1", ["169.254.1.1/24"])
        ic.settle()
        return zone

    @staticmethod
    def rebuild(ic: Interconnect, *switches: str) -> UUID:
        """IC_NB gets another identity, and these switches; the uuid of its global row."""
        come = [operation for name in switches for operation in topology.transit_switch(name)]
        ic.nb.transact(ovsdb.delete("Transit_Switch"), ovsdb.delete("IC_NB_Global"), ovsdb.insert("IC_NB_Global", {}), *come)
        ic.nb.refresh()
        return ic.nb.get("IC_NB_Global").uuid

    def test_a_daemon_that_was_active_before_believes_what_the_other_has_noted(self, zone: AvailabilityZone) -> None:
        ic, first, second = zone.interconnect, zone.daemon, zone.second_daemon()
        second.start()
        first.pause()
        ic.urge(lambda: second.status() == "active", "the second daemon to take over")
        known = self.rebuild(ic, *SWITCHES)
        zone.nb.wait(
            lambda: zone.nb.get("NB_Global").map("external_ids")["ovn-interconnect-ic-nb"] == str(known), "the new identity to be noted"
        )
        second.stop()
        self.rebuild(ic)
        ic.nb.transact(*topology.transit_switch("ts9"))
        first.resume()
        zone.nb.wait(lambda: "ts9" in names(zone.nb, "Logical_Switch"), "the first daemon to take over")
        assert names(zone.nb, "Logical_Switch") == {*SWITCHES, "ts9"}
        assert "another database than before" in first.appctl("guard/show")
