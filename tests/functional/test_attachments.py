# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attachments in zones whose routers, switches and ports have equal names, made by the module, with real databases and daemons."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.modules import run_module
from ansible_collections.ovn.interconnect.tests.support.scenes import gateway, lan, learned, mac, options
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect

from .conftest import Make

pytestmark = pytest.mark.ours("modules and names by default")
ZONES = ("dc1", "dc2", "dc3")


def call(zone: AvailabilityZone, check: bool = False, **given: Any) -> dict[str, Any]:
    """The module on router ``edge`` and transit switch ``backbone`` of a zone."""
    ic = zone.interconnect
    remotes = {"nb_db": zone.nb_server.remote, "sb_db": zone.sb_server.remote}
    shared = {"ic_nb_db": ic.nb_server.remote, "ic_sb_db": ic.sb_server.remote}
    return run_module("ovn_ic_attachment", check, router="edge", transit_switch="backbone", **remotes, **shared, **given)


def attach(zone: AvailabilityZone, **given: Any) -> dict[str, Any]:
    number = zone.interconnect.zones.index(zone) + 1
    wanted: dict[str, Any] = {
        "mac": mac(zone),
        "networks": [f"169.254.100.{number}/24"],
        "gateways": [{"chassis": f"gw{number}", "priority": 20}],
    }
    if "ha_chassis_group" in given:
        del wanted["gateways"]
    result = call(zone, **{**wanted, **given})
    assert not result.get("failed"), result
    return result


def prepare(make: Make, *names: str) -> Interconnect:
    """Zones with a router ``edge`` and a network of their own, a gateway, and the transit switch; without daemons."""
    ic = make(*names, daemons=False)
    ic.nb.transact(*topology.transit_switch("backbone"))
    for number, zone in enumerate(ic.zones, 1):
        gateway(zone, f"gw{number}")
        options(zone, ic_route_adv="true", ic_route_learn="true")
        zone.nb.transact(*topology.router("edge"))
        lan(zone, "edge", "lan", f"10.{number}.0.1/24")
    return ic


def ports(ic: Interconnect) -> dict[str, int]:
    return {row.text("logical_port"): row.number("tunnel_key") for row in ic.sb.rows("Port_Binding")}


def prefixes(zone: AvailabilityZone) -> list[str]:
    return [prefix for prefix, _nexthop in learned(zone, "edge")]


def check_all(ic: Interconnect) -> None:
    ic.settle()
    assert set(ports(ic)) == {f"backbone-{zone.name}-edge" for zone in ic.zones}
    for number, zone in enumerate(ic.zones, 1):
        assert prefixes(zone) == [f"10.{other}.0.1/24" for other in range(1, len(ic.zones) + 1) if other != number]


def test_equal_names_with_daemons_that_start_later(make: Make) -> None:
    ic = prepare(make, *ZONES)
    assert [attach(zone)["attachment"]["switch_port"] for zone in ic.zones] == [f"backbone-{name}-edge" for name in ZONES]
    ic.start()
    check_all(ic)


def test_equal_names_while_the_zones_exchange_data(make: Make) -> None:
    ic = prepare(make, *ZONES)
    ic.start()
    for zone in ic.zones:
        attach(zone)
        ic.settle()
        assert not attach(zone)["changed"]
    check_all(ic)


def test_a_collision_ends_with_a_new_name(make: Make) -> None:
    ic = prepare(make, "dc1", "dc2")
    before = [attach(zone, switch_port="backbone-edge")["attachment"] for zone in ic.zones]
    ic.start()
    ic.settle()
    assert list(ports(ic)) == ["backbone-edge"]
    owner = ic.sb.get("Port_Binding", logical_port="backbone-edge")["availability_zone"]
    loser = next(zone for zone in ic.zones if ic.sb.get("Availability_Zone", name=zone.name).uuid != owner)
    (warning,) = call(loser)["warnings"]
    assert "rename it with switch_port" in str(warning)
    name = f"backbone-{loser.name}-edge"
    renamed = call(loser, switch_port=name)
    assert renamed["changed"], renamed
    assert renamed["attachment"] == {**before[ic.zones.index(loser)], "switch_port": name}
    ic.settle()
    assert set(ports(ic)) == {"backbone-edge", name}
    assert [prefixes(zone) for zone in ic.zones] == [["10.2.0.1/24"], ["10.1.0.1/24"]]
    assert "warnings" not in call(loser)


def test_a_renamed_attachment_keeps_its_tunnel_key_and_routes(make: Make) -> None:
    ic = prepare(make, "dc1", "dc2")
    for zone in ic.zones:
        attach(zone)
    ic.start()
    check_all(ic)
    ic.settle()  # the tunnel key is in NB
    key = ports(ic)["backbone-dc1-edge"]
    before = call(ic.zones[0])["attachment"]
    names = {"port": "uplink", "switch_port": "renamed"}
    assert call(ic.zones[0], **names)["attachment"] == {**before, **names}
    ic.settle()
    ic.wait(lambda: set(ports(ic)) == {"renamed", "backbone-dc2-edge"}, "the port to have its new name in IC_SB")
    assert ports(ic)["renamed"] == key
    ic.wait(lambda: [prefixes(zone) for zone in ic.zones] == [["10.2.0.1/24"], ["10.1.0.1/24"]], "both zones to have the routes")


def test_a_port_of_another_zone_with_the_default_name_is_left_alone(make: Make) -> None:
    ic = prepare(make, "dc1", "dc2")
    ic.start()
    attach(ic.zones[1], switch_port="backbone-dc1-edge")
    ic.settle()
    for check in (True, False):
        assert not call(ic.zones[0], check, state="absent")["changed"]
    refused = call(ic.zones[0], mac=mac(ic.zones[0]), networks=["169.254.100.1/24"])
    assert "unique across all zones" in refused["msg"]


@pytest.mark.parametrize("names", [{}, {"switch_port": "sp-dc1"}, {"port": "rp", "switch_port": "sp"}])
def test_an_attachment_with_a_group_is_detached_in_one_call(make: Make, names: dict[str, str]) -> None:
    zone = prepare(make, "dc1").zones[0]
    group = {"name": "edge", "chassis": [{"chassis": "gw1", "priority": 20}]}
    attach(zone, ha_chassis_group=group, **names)
    check, run = call(zone, True, state="absent"), call(zone, state="absent")
    assert run["changed"], run
    assert (check["changes"], check["diff"]) == (run["changes"], run["diff"])
    tables = ("Logical_Switch_Port", "HA_Chassis_Group", "HA_Chassis", "Gateway_Chassis")
    zone.nb.refresh()
    assert [zone.nb.rows(table) for table in tables] == [[], [], [], []]
    assert [row.text("name") for row in zone.nb.rows("Logical_Router_Port")] == ["lan"]
    assert not call(zone, state="absent")["changed"]


@pytest.mark.parametrize("follows", [True, False])
def test_a_router_port_that_was_renamed_by_hand_is_renamed_back(make: Make, follows: bool) -> None:
    zone = prepare(make, "dc1").zones[0]
    before = attach(zone)["attachment"]
    operations = [ovsdb.update("Logical_Router_Port", {"name": "uplink"}, name="edge-backbone")]
    if follows:
        operations.append(ovsdb.set_keys("Logical_Switch_Port", "options", {"router-port": "uplink"}, name=before["switch_port"]))
    zone.nb.transact(*operations)
    assert attach(zone)["attachment"] == {**before, "port": "uplink"}
    assert attach(zone, port="edge-backbone")["attachment"] == before
    zone.nb.refresh()
    assert len(zone.nb.rows("Logical_Router_Port")) == 2
    assert [row.text("name") for row in zone.nb.rows("Gateway_Chassis")] == ["edge-backbone-gw1"]
