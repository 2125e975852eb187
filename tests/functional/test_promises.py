# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this daemon promises and upstream's does not keep: no storm, no freeze, no loss, and a word about what is left undone."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.scenes import (
    attach,
    gateway,
    lan,
    learned,
    options,
    published,
    route,
    switch_port,
    transit_switches,
)
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect

MOST_REJECTIONS = 10
"""Of one bad object in its first minute."""


def rejections(zone: AvailabilityZone) -> int:
    """How many transactions of the zone's daemon were refused since it started."""
    return int(zone.daemon.appctl("coverage/read-counter", "txn_rejected"))


def switch(zone: AvailabilityZone) -> tuple[object, ...]:
    """What the zone's switch for ts1 is. Its mark names the row in IC_NB, which a restore may replace."""
    row = zone.nb.get("Logical_Switch", name="ts1")
    return row.uuid, row["ports"], row["other_config"]


def names(database: ovsdb.Database, table: str) -> set[str]:
    """The names of a table's rows."""
    return {row.text("name") for row in database.rows(table)}


@pytest.mark.ours("the second zone's transactions fail forever")
def test_a_port_name_in_two_zones_stops_neither(ic: Interconnect) -> None:
    transit_switches(ic, "ts1", "ts2")
    for zone in ic.zones:
        zone.daemon.pause()
    for number, zone in enumerate(ic.zones, 1):
        attach(zone, "lr", "ts1", [f"169.254.100.{number}/24"])
        attach(zone, f"lr{number}", "ts2", [f"169.254.101.{number}/24"])
    for zone in ic.zones:
        zone.daemon.resume()
    ic.settle()
    owners = [row["availability_zone"] for row in ic.sb.rows("Port_Binding", logical_port="ts1-lr")]
    assert len(owners) == 1
    assert all(switch_port(zone, f"ts2-lr{number}") is not None for zone in ic.zones for number in (1, 2))
    assert all(rejections(zone) <= MOST_REJECTIONS for zone in ic.zones)
    loser = next(zone for zone in ic.zones if ic.sb.get("Availability_Zone", name=zone.name).uuid not in owners)
    assert "ts1-lr" in loser.daemon.appctl("skipped/show")


@pytest.mark.ours("each of its transactions may fail as often as it has ports")
def test_zones_that_publish_many_ports_at_once_collide_a_few_times_and_not_once_a_port(ic: Interconnect) -> None:
    """The first refusal shows which keys another zone has taken; all keys are then chosen again (spec ports-T-2)."""
    many = 40
    transit_switches(ic, "ts1")
    for zone in ic.zones:
        zone.daemon.pause()
    for number, zone in enumerate(ic.zones, 1):
        for port in range(many):
            attach(zone, f"{zone.name}-lr{port}", "ts1", [f"169.254.{100 + number}.{port}/16"], number=port)
        zone.northd_sync()
    for zone in ic.zones:
        zone.daemon.resume()
    ic.wait(lambda: len(ic.sb.rows("Port_Binding")) == 2 * many, "all ports to be published")
    assert sum(map(rejections, ic.zones)) <= MOST_REJECTIONS


@pytest.mark.ours("every transaction of the zone fails")
def test_two_sources_of_one_row_become_one_row(ic: Interconnect) -> None:
    """The index of IC_SB lacks the origin by which the two differ (spec routes-4.6)."""
    az1, az2 = ic.zones
    transit_switches(ic, "ts1")
    for number, zone in enumerate(ic.zones, 1):
        options(zone, **{"ic-route-adv": "true", "ic-route-learn": "true"})
        attach(zone, f"lr{number}", "ts1", [f"169.254.100.{number}/24"])
    ic.settle()
    before = rejections(az1)  # two zones that publish a port at the same moment may have chosen the same key
    lan(az1, "lr1", "lan1", "10.5.5.5/32")
    route(az1, "lr1", "10.5.5.5/32", "10.5.5.9")
    route(az1, "lr1", "10.6.0.0/16", "10.5.5.9")
    ic.settle()
    assert sorted(prefix for prefix, _hop in learned(az2, "lr2")) == ["10.5.5.5/32", "10.6.0.0/16"]
    assert rejections(az1) == before
    assert "10.5.5.5/32 via 169.254.100.1 on ts1: static route advertisement was suppressed! NB route uuid:" in az1.daemon.appctl(
        "skipped/show"
    )


@pytest.mark.ours("the row is deleted and made again thousands of times a second")
def test_a_link_local_next_hop_is_no_storm(ic: Interconnect) -> None:
    """An IPv6 prefix behind a transit port without IPv6 is not published at all (spec routes-4.4)."""
    az1 = ic.zones[0]
    transit_switches(ic, "ts1")
    options(az1, **{"ic-route-adv": "true"})
    attach(az1, "lr1", "ts1", ["169.254.100.1/24"])
    lan(az1, "lr1", "lan1", "2001:db8::1/64", "10.7.0.1/24")
    ic.settle()
    assert [prefix for _switch, prefix, _hop in published(ic, az1)] == ["10.7.0.1/24"]
    assert "link-local" in az1.daemon.appctl("skipped/show")


@pytest.mark.ours("each of the other zone's keys costs a rejected transaction from 26.03 on")
def test_a_zone_joins_a_switch_full_of_foreign_ports_without_a_rejection(ic: Interconnect) -> None:
    """Keys are chosen against all zones' keys (spec ports-T-2)."""
    az1, az2 = ic.zones
    transit_switches(ic, "ts1")
    az1.daemon.stop()
    owner = ic.sb.get("Availability_Zone", name="az1").uuid
    foreign = {"transit_switch": "ts1", "availability_zone": owner}
    ic.sb.transact(*(ovsdb.insert("Port_Binding", {**foreign, "logical_port": f"p{key}", "tunnel_key": key}) for key in range(1, 501)))
    attach(az2, "lr2", "ts1", ["169.254.100.2/24"])
    row = ic.wait(lambda: ic.sb.find("Port_Binding", logical_port="ts1-lr2"), "the port to be published")
    assert row.number("tunnel_key") > 500
    assert rejections(az2) == 0


@pytest.mark.ours("a second row is registered and the first stays forever")
def test_a_rename_while_the_daemon_is_down_is_recognised(ic: Interconnect) -> None:
    az1 = ic.zones[0]
    gateway(az1, "gw1")
    ic.settle()
    row = ic.sb.get("Availability_Zone", name="az1").uuid
    az1.daemon.stop()
    az1.nb.transact(*topology.zone_name("north"))
    az1.daemon.start()
    ic.wait(lambda: names(ic.sb, "Availability_Zone") == {"north", "az2"}, "the zone to be renamed")
    assert ic.sb.get("Availability_Zone", name="north").uuid == row
    assert ic.sb.get("Gateway", name="gw1")["availability_zone"] == row


@pytest.mark.counters
def test_progress_names_the_zones_that_lag(ic: Interconnect) -> None:
    az1, az2 = ic.zones
    ic.sync()
    az2.daemon.pause()
    ic.nb.transact(ovsdb.mutate("IC_NB_Global", "nb_ic_cfg", "+=", 1))
    ic.nb.refresh()
    wanted = ic.nb.get("IC_NB_Global").number("nb_ic_cfg")
    ic.wait(lambda: ic.sb.get("Availability_Zone", name="az1").number("nb_ic_cfg") == wanted, "az1 to confirm")
    assert f"az2 has confirmed {wanted - 1}" in az1.daemon.appctl("progress")


@pytest.mark.ours("the option is this project's")
def test_a_local_route_is_not_bypassed_by_host_bits_where_prefixes_are_compared_strictly(ic: Interconnect) -> None:
    """Destinations are compared by text (spec routes-5.6.8); with ic-route-strict-prefix by network."""
    az1, az2 = ic.zones
    transit_switches(ic, "ts1")
    for number, zone in enumerate(ic.zones, 1):
        options(zone, **{"ic-route-adv": "true", "ic-route-learn": "true"})
        attach(zone, f"lr{number}", "ts1", [f"169.254.100.{number}/24"])
    lan(az1, "lr1", "lan1", "10.1.0.1/24")
    lan(az2, "lr2", "lan2", "10.2.0.1/24")
    route(az2, "lr2", "10.1.0.0/24", "10.2.0.9")
    ic.settle()
    assert [prefix for prefix, _hop in learned(az2, "lr2")] == ["10.1.0.1/24"]
    options(az2, **{"ic-route-strict-prefix": "true"})
    ic.settle()
    assert learned(az2, "lr2") == []


@pytest.mark.ours("every switch is deleted at once, with the operator's ports")
class TestGuard:
    """An IC_NB whose rows have other uuids, as after an online restore, and an operator's release."""

    @pytest.fixture
    def attached(self, ic: Interconnect) -> Interconnect:
        transit_switches(ic, "ts1", "ts2", "ts3")
        for number, zone in enumerate(ic.zones, 1):
            attach(zone, f"lr{number}", "ts1", [f"169.254.100.{number}/24"])
        ic.settle()
        return ic

    @staticmethod
    def restore(ic: Interconnect, *switches: str) -> None:
        """All rows of IC_NB are replaced by rows with other uuids."""
        gone = [ovsdb.delete("Transit_Switch"), ovsdb.delete("IC_NB_Global")]
        come = [operation for name in switches for operation in topology.transit_switch(name)]
        ic.nb.transact(*gone, ovsdb.insert("IC_NB_Global", {}), *come)

    def test_a_restored_ic_nb_changes_no_port_and_no_key(self, attached: Interconnect) -> None:
        before = [switch(zone) for zone in attached.zones]
        bindings = {row.uuid: row for row in attached.sb.rows("Port_Binding")}
        self.restore(attached, "ts1", "ts2", "ts3")
        attached.settle()
        assert [switch(zone) for zone in attached.zones] == before
        assert {row.uuid for row in attached.sb.rows("Port_Binding")} == set(bindings)
        assert all("nothing is withheld" in zone.daemon.appctl("guard/show") for zone in attached.zones)

    def test_what_is_withheld_is_deleted_on_an_operators_word(self, attached: Interconnect) -> None:
        az1 = attached.zones[0]
        self.restore(attached, "ts3", "ts4")
        attached.wait(lambda: all("ts4" in names(zone.nb, "Logical_Switch") for zone in attached.zones), "the new switch to come")
        assert {"ts1", "ts2", "ts3"} < names(az1.nb, "Logical_Switch")
        assert "ts2" in az1.daemon.appctl("guard/show")
        az1.daemon.appctl("guard/release")
        attached.wait(lambda: names(az1.nb, "Logical_Switch") == {"ts3", "ts4"}, "the withheld switches to go")


@pytest.mark.ours("there is no loop detector")
def test_input_that_goes_back_and_forth_is_followed_at_once(ic: Interconnect) -> None:
    """A route is added and removed again and again: nothing of it is mistaken for another client that reverts what is written."""
    az1, az2 = ic.zones
    transit_switches(ic, "ts1")
    for number, zone in enumerate(ic.zones, 1):
        options(zone, ic_route_adv="true", ic_route_learn="true")
        attach(zone, f"lr{number}", "ts1", [f"169.254.100.{number}/24"])
    ic.settle()
    there = [("10.7.0.0/16", "169.254.100.1")]
    for _time in range(12):
        static = route(az1, "lr1", "10.7.0.0/16", "10.1.0.9")
        ic.wait(lambda: learned(az2, "lr2") == there, "the route to arrive")
        az1.nb.transact(*topology.no_static_route("lr1", static))
        ic.wait(lambda: learned(az2, "lr2") == [], "the route to go")
    assert "reverting" not in az1.daemon.appctl("skipped/show") + az2.daemon.appctl("skipped/show")
    route(az1, "lr1", "10.7.0.0/16", "10.1.0.9")
    ic.settle()
    assert learned(az2, "lr2") == there
