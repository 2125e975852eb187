# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One bad object stops nobody (spec zones-B.4)."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, gateway, switch_port, transit_switches
from ansible_collections.ovn.interconnect.tests.support.servers import Interconnect

pytestmark = pytest.mark.ours("the zone's transactions fail forever")


def test_a_chassis_name_in_two_zones_is_put_aside(ic: Interconnect) -> None:
    """Nothing but that chassis is left out (spec zones-B.4)."""
    az1, az2 = ic.zones
    gateway(az1, "gw", "192.0.2.1")
    ic.settle()
    gateway(az2, "good", "192.0.2.3")
    az2.sb.transact(*topology.no_chassis("gw"), *topology.chassis("gw", [("geneve", "192.0.2.2")]))
    transit_switches(ic, "ts1")
    attach(az2, "lr2", "ts1", ["169.254.100.2/24"])
    ic.settle()
    assert ic.sb.get("Gateway", name="gw")["availability_zone"] == ic.sb.get("Availability_Zone", name="az1").uuid
    assert ic.sb.rows("Gateway", name="good")
    assert {row.text("name") for row in az1.sb.rows("Chassis")} == {"gw", "good"}
    assert switch_port(az1, "ts1-lr2") is not None


def test_an_encap_in_two_zones_is_put_aside(ic: Interconnect) -> None:
    """Nothing but that encap is left out (spec zones-B.4)."""
    az1, az2 = ic.zones
    gateway(az1, "gw1", "192.0.2.1")
    ic.settle()
    az2.sb.transact(*topology.no_chassis("gw1"), *topology.chassis("gw2", [("geneve", "192.0.2.1")]))
    gateway(az2, "good", "192.0.2.3")
    transit_switches(ic, "ts1")
    attach(az2, "lr2", "ts1", ["169.254.100.2/24"])
    ic.settle()
    assert {row.text("name") for row in ic.sb.rows("Gateway")} == {"gw1", "good"}
    assert switch_port(az1, "ts1-lr2") is not None
