# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateways: every zone knows the gateways of all others (spec zones-B, zones-D)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.scenes import encaps, gateway
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect

IP = "192.0.2.1"


@pytest.fixture
def shown(ic: Interconnect) -> Interconnect:
    """gw1 of az1, with two encaps, is known in az2."""
    gateway(ic.zones[0], "gw1", IP, ("geneve", "vxlan"))
    ic.settle()
    return ic


def test_a_gateway_is_copied_to_the_other_zone(shown: Interconnect) -> None:
    az1, az2 = shown.zones
    copy = az2.sb.get("Chassis", name="gw1")
    assert copy.text("hostname") == "gw1"
    assert copy.map("other_config") == {"is-remote": "true"}
    assert encaps(az2, "gw1") == {("geneve", IP), ("vxlan", IP)}
    assert all(row.map("options") == {"csum": "true"} for row in az2.sb.rows("Encap"))
    published = shown.sb.get("Gateway", name="gw1")
    assert published["availability_zone"] == shown.sb.get("Availability_Zone", name="az1").uuid
    assert "is-remote" not in az1.sb.get("Chassis", name="gw1").map("other_config")


@pytest.mark.parametrize("flag", [False, None])
def test_a_chassis_that_is_no_gateway_any_more_is_withdrawn_and_comes_back(shown: Interconnect, flag: bool | None) -> None:
    az1, az2 = shown.zones
    az1.sb.transact(*topology.interconn("gw1", flag))
    shown.settle()
    assert az2.sb.rows("Chassis") == []
    assert shown.sb.rows("Gateway") == []
    az1.sb.transact(*topology.interconn("gw1", True))
    shown.settle()
    assert encaps(az2, "gw1") == {("geneve", IP), ("vxlan", IP)}


def test_a_gateway_that_leaves_is_withdrawn(shown: Interconnect) -> None:
    az1, az2 = shown.zones
    az1.sb.transact(*topology.no_chassis("gw1"))
    shown.settle()
    assert az2.sb.rows("Chassis") == []
    assert shown.sb.rows("Gateway") == []
    assert shown.sb.rows("Encap") == []


def test_changes_of_encaps_reach_the_other_zone(shown: Interconnect) -> None:
    az1, az2 = shown.zones
    az1.sb.transact(*topology.chassis_encaps("gw1", [("geneve", "192.0.2.9")]))
    shown.settle()
    assert encaps(az2, "gw1") == {("geneve", "192.0.2.9")}
    az1.sb.transact(*topology.chassis_encaps("gw1", [("geneve", "192.0.2.9"), ("vxlan", "192.0.2.9")]))
    shown.settle()
    assert encaps(az2, "gw1") == {("geneve", "192.0.2.9"), ("vxlan", "192.0.2.9")}


def test_an_encap_option_and_the_host_name_follow(shown: Interconnect) -> None:
    az1, az2 = shown.zones
    az1.sb.transact(*topology.chassis_encaps("gw1", [("geneve", IP)], csum="false"), ovsdb.update("Chassis", {"hostname": "new"}))
    shown.settle()
    assert az2.sb.get("Encap").map("options") == {"csum": "false"}
    assert az2.sb.get("Chassis", name="gw1").text("hostname") == "new"


def test_gateways_that_exchange_their_addresses_stay(shown: Interconnect) -> None:
    az1, az2 = shown.zones
    gateway(az1, "gw2", "192.0.2.2")
    gateway(az1, "gw3", "192.0.2.3")
    shown.settle()
    before = [{row.uuid for row in rows} for rows in (shown.sb.rows("Gateway"), az2.sb.rows("Chassis"))]
    az1.sb.transact(
        ovsdb.update("Encap", {"ip": "192.0.2.2"}, chassis_name="gw1"),
        ovsdb.update("Encap", {"ip": "192.0.2.3"}, chassis_name="gw2"),
        ovsdb.update("Encap", {"ip": IP}, chassis_name="gw3"),
    )
    shown.settle()
    assert encaps(az2, "gw1") == {("geneve", "192.0.2.2"), ("vxlan", "192.0.2.2")}
    assert (encaps(az2, "gw2"), encaps(az2, "gw3")) == ({("geneve", "192.0.2.3")}, {("geneve", IP)})
    assert [{row.uuid for row in rows} for rows in (shown.sb.rows("Gateway"), az2.sb.rows("Chassis"))] == before


def test_transport_zones_stay_at_home(shown: Interconnect) -> None:
    """Transport zones are not exchanged (spec zones-B.1)."""
    az1, az2 = shown.zones
    az1.sb.transact(ovsdb.update("Chassis", {"transport_zones": {"tz1"}}, name="gw1"))
    shown.settle()
    assert az2.sb.get("Chassis", name="gw1").texts("transport_zones") == set()


TAMPERINGS: dict[str, Callable[[AvailabilityZone], object]] = {
    "host name": lambda zone: zone.sb.transact(ovsdb.update("Chassis", {"hostname": "tampered"}, name="gw1")),
    "encaps": lambda zone: zone.sb.transact(*topology.chassis_encaps("gw1", [("geneve", "192.0.2.77")])),
    "deleted": lambda zone: zone.sb.transact(*topology.no_chassis("gw1")),
}


@pytest.mark.parametrize("tamper", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_a_copy_that_was_tampered_with_is_put_right(shown: Interconnect, tamper: Callable[[AvailabilityZone], object]) -> None:
    az2 = shown.zones[1]
    tamper(az2)
    shown.settle()
    assert az2.sb.get("Chassis", name="gw1").text("hostname") == "gw1"
    assert encaps(az2, "gw1") == {("geneve", IP), ("vxlan", IP)}


def test_foreign_keys_of_a_copy_are_kept(shown: Interconnect) -> None:
    az1, az2 = shown.zones
    az2.sb.transact(ovsdb.set_keys("Chassis", "other_config", {"note": "mine"}, name="gw1"))
    az1.sb.transact(*topology.chassis_encaps("gw1", [("geneve", "192.0.2.9")]))
    shown.settle()
    assert az2.sb.get("Chassis", name="gw1").map("other_config") == {"is-remote": "true", "note": "mine"}


@pytest.mark.ours("the copy is inserted again forever")
def test_a_copy_that_lost_its_flag_is_adopted(shown: Interconnect) -> None:
    az2 = shown.zones[1]
    az2.sb.transact(ovsdb.drop_keys("Chassis", "other_config", ["is-remote"], name="gw1"))
    shown.settle()
    assert az2.sb.get("Chassis", name="gw1").map("other_config") == {"is-remote": "true"}


def test_local_chassis_are_left_alone(shown: Interconnect) -> None:
    """A chassis without flags is ignored (spec zones-B-3)."""
    az1, az2 = shown.zones
    az1.sb.transact(*topology.chassis("hv1", [("geneve", "192.0.2.31")], interconn=False))
    shown.settle()
    assert [row.text("name") for row in az2.sb.rows("Chassis")] == ["gw1"]
    assert {row.text("name") for row in az1.sb.rows("Chassis")} == {"gw1", "hv1"}
