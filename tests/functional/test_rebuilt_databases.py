# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that is lost and filled again by the programs that write it: routes and ports stay, and the hold ends by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, gateway, lan, learned_rows, options, transit_switches
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect, Server

pytestmark = pytest.mark.ours("the zone's rows are withdrawn, and routes are learned twice")

NOTHING = "nothing is withheld"


def replace_database(server: Server, ic: Interconnect, schema: str) -> None:
    """The server comes back with an empty database."""
    server.stop()
    server.create(ic.suite.schemas / schema)
    server.start()


def claim_gateway(zone: AvailabilityZone, chassis: UUID) -> None:
    """The chassis claims the gateway port of the zone's router, once northd has made that."""
    port = f"cr-{router(zone)}-ts1"
    zone.northd_sync()
    zone.sb.wait(lambda: zone.sb.rows("Port_Binding", logical_port=port), "northd to make the gateway port")
    zone.sb.transact(*topology.claim(port, chassis))


def router(zone: AvailabilityZone) -> str:
    """The name of the zone's router."""
    return f"lr-{zone.name}"


@pytest.fixture
def routed(ic: Interconnect) -> Interconnect:
    """Both zones have a router with a gateway on ts1, and IPv4 and IPv6 networks that the other one learns."""
    transit_switches(ic, "ts1")
    for number, zone in enumerate(ic.zones, 1):
        chassis = gateway(zone, f"gw{number}")
        options(zone, ic_route_adv="true", ic_route_learn="true")
        networks = [f"169.254.100.{number}/24", f"2001:db8:100::{number}/64"]
        attach(zone, router(zone), "ts1", networks, gateways=[(f"gw{number}", 10)])
        lan(zone, router(zone), f"lan{number}", f"10.{number}.0.1/24", f"10.{number}.1.1/24", f"2001:db8:{number}::1/64")
        claim_gateway(zone, chassis)
    ic.settle()
    assert all(len(learned_rows(zone, router(zone))) == 3 for zone in ic.zones)
    return ic


def static_routes(zone: AvailabilityZone) -> dict[UUID, tuple[str, str, UUID]]:
    """The learned routes of a zone's router: prefix, next hop, and the route of IC_SB that each of them names."""
    return {
        row.uuid: (row.text("ip_prefix"), row.text("nexthop"), UUID(row.map("external_ids")["ic-learned-route"]))
        for row in learned_rows(zone, router(zone))
    }


def published_rows(ic: Interconnect) -> dict[UUID, Mapping[str, Any]]:
    """The gateways, port bindings, routes and encaps of IC_SB."""
    return {row.uuid: dict(row.columns) for table in ("Gateway", "Port_Binding", "Route", "Encap") for row in ic.sb.rows(table)}


def test_a_rebuilt_ic_sb_leaves_one_static_route_for_each_prefix_and_no_hold(routed: Interconnect) -> None:
    before = [static_routes(zone) for zone in routed.zones]
    replace_database(routed.sb_server, routed, "ovn-ic-sb.ovsschema")
    routed.wait(lambda: len(routed.sb.rows("Route")) == 6, "all routes to be published again")
    routed.urge(lambda: all(zone.daemon.appctl("guard/show") == NOTHING for zone in routed.zones), "the holds to end by themselves")
    routed.settle()
    present = {row.uuid for row in routed.sb.rows("Route")}
    for zone, was in zip(routed.zones, before):
        now = static_routes(zone)
        assert {uuid: route[:2] for uuid, route in now.items()} == {uuid: route[:2] for uuid, route in was.items()}
        assert {link for _prefix, _hop, link in now.values()} <= present
        assert zone.daemon.appctl("skipped/show") == "nothing is skipped"


def test_a_network_that_went_while_ic_sb_was_rebuilt_is_withdrawn_after_a_release(routed: Interconnect) -> None:
    """Its route is not published again, so the learned one stays until an operator releases it; the others are linked to the new routes."""
    az1, az2 = routed.zones
    az1.daemon.stop()
    az1.nb.transact(ovsdb.update("Logical_Router_Port", {"networks": {"10.1.0.1/24", "2001:db8:1::1/64"}}, name="lan1"))
    replace_database(routed.sb_server, routed, "ovn-ic-sb.ovsschema")
    az1.daemon.start()
    routed.wait(lambda: len(routed.sb.rows("Route")) == 5, "the remaining routes to be published again")
    routed.urge(lambda: az2.daemon.appctl("guard/show").count("10.1.") == 1, "the other routes to be linked again")
    assert len(static_routes(az2)) == 3
    assert "10.1.1.1/24" in az2.daemon.appctl("guard/show")
    az2.daemon.appctl("guard/release")
    routed.settle()
    assert {prefix for prefix, _hop, _link in static_routes(az2).values()} == {"10.1.0.1/24", "2001:db8:1::1/64"}
    assert az2.daemon.appctl("guard/show") == NOTHING


@pytest.mark.parametrize("restarted", [False, True], ids=["daemon stays", "daemon restarts"])
def test_an_sb_that_is_emptied_and_filled_again_withdraws_nothing(routed: Interconnect, restarted: bool) -> None:
    """First it is empty, then northd has filled it, then the chassis is back, then it holds its port again."""
    az1, az2 = routed.zones
    rows, routes = published_rows(routed), static_routes(az2)

    def nothing_has_gone(marker: str) -> None:
        """All that the zones had to write after what came before the definition of this transit switch is written."""
        routed.nb.transact(*topology.transit_switch(marker))
        routed.wait(lambda: all(zone.nb.rows("Logical_Switch", name=marker) for zone in routed.zones), "a new transit switch to come")
        routed.sb.refresh()
        assert published_rows(routed) == rows
        assert static_routes(az2) == routes

    az1.northd.stop()
    replace_database(az1.sb_server, routed, "ovn-sb.ovsschema")
    if restarted:
        az1.daemon.kill()
        az1.daemon.start()
    nothing_has_gone("ts7")
    assert "OVN_Southbound" in az1.daemon.appctl("guard/show")
    az1.northd.start()
    az1.northd_sync()
    nothing_has_gone("ts8")
    chassis = gateway(az1, "gw1")
    nothing_has_gone("ts9")
    claim_gateway(az1, chassis)
    routed.urge(lambda: az1.daemon.appctl("guard/show") == NOTHING, "the hold to end by itself")
    routed.settle()
    assert published_rows(routed) == rows
    assert static_routes(az2) == routes
    assert [zone.daemon.appctl("skipped/show") for zone in routed.zones] == ["nothing is skipped"] * 2
