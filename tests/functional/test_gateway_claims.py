# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two chassis that claim the gateway port of a router alternately, as after a split brain."""

from __future__ import annotations

from itertools import cycle, islice
from uuid import UUID

import pytest

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, bound_to, gateway, options, transit_switches
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect

pytestmark = pytest.mark.ours("the daemon of 23.03 loses a change that comes while it writes")

CLAIMS = 40
"""Far more changes of one key than another client may revert before the daemon waits."""


def claim(zone: AvailabilityZone, chassis: UUID) -> None:
    """The chassis claims the port of `lr1` on ts1."""
    zone.sb.transact(*topology.claim("cr-lr1-ts1", chassis))


def in_ic_sb(ic: Interconnect) -> str:
    """The gateway that IC_SB has for that port."""
    return ic.sb.get("Port_Binding", logical_port="ts1-lr1").text("gateway")


def shown_gateways(ic: Interconnect) -> list[str]:
    """The gateway of the port: in IC_SB, and in the SB of the other zone."""
    return [in_ic_sb(ic), bound_to(ic.zones[1], "ts1-lr1")]


@pytest.fixture
def claimed(ic: Interconnect) -> tuple[Interconnect, UUID, UUID]:
    """A router of az1 whose port on ts1 two chassis may hold; the first one does."""
    az1, az2 = ic.zones
    first, second = gateway(az1, "gw1", "192.0.2.11"), gateway(az1, "gw2", "192.0.2.12")
    gateway(az2, "gw3")
    transit_switches(ic, "ts1")
    options(az1, ic_route_adv="true")
    attach(az1, "lr1", "ts1", ["169.254.100.1/24"], gateways=[("gw1", 20), ("gw2", 10)])
    az1.northd_sync()
    claim(az1, first)
    ic.settle()
    return ic, first, second


def test_claims_that_alternate_are_followed_one_by_one(claimed: tuple[Interconnect, UUID, UUID]) -> None:
    ic, first, second = claimed
    az1 = ic.zones[0]
    for name, chassis in islice(cycle([("gw2", second), ("gw1", first)]), CLAIMS):
        claim(az1, chassis)
        ic.wait(lambda name=name: in_ic_sb(ic) == name, f"the claim of {name} to be in IC_SB")  # type: ignore[misc]
    assert "reverting" not in az1.daemon.appctl("skipped/show")
    ic.settle()
    assert shown_gateways(ic) == ["gw1", "gw1"]


def test_the_last_of_claims_that_alternate_faster_than_they_are_followed_stays(claimed: tuple[Interconnect, UUID, UUID]) -> None:
    ic, first, second = claimed
    az1 = ic.zones[0]
    for chassis in islice(cycle([second, first]), CLAIMS):
        claim(az1, chassis)
    ic.settle()
    assert shown_gateways(ic) == ["gw1", "gw1"]
    assert "reverting" not in az1.daemon.appctl("skipped/show")
    claim(az1, second)
    ic.settle()
    assert shown_gateways(ic) == ["gw2", "gw2"]
