# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that routers of one zone have on a transit switch, as all zones see them (spec ports-2, ports-3, ports-7, ports-9)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.ovsdb import Row
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, bound_to, gateway, port_keys, switch_port, transit_switches
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect

PORT = "ts1-lr1"
ADDRESS = "02:00:00:00:01:01 169.254.100.1/24"


@dataclass
class Scene:
    """lr1 of az1 is attached to ts1 and its gateway gw1 has claimed it; az2 has a gateway gw2."""

    ic: Interconnect
    router_port: UUID
    switch_port: UUID
    gw1: UUID

    @property
    def az1(self) -> AvailabilityZone:
        return self.ic.zones[0]

    @property
    def az2(self) -> AvailabilityZone:
        return self.ic.zones[1]

    def row(self) -> Row:
        """The port's row in IC_SB."""
        return self.ic.sb.get("Port_Binding", logical_port=PORT)


@pytest.fixture
def scene(ic: Interconnect) -> Scene:
    """The common set-up."""
    az1, az2 = ic.zones
    gw1 = gateway(az1, "gw1")
    gateway(az2, "gw2")
    transit_switches(ic, "ts1")
    ports = attach(az1, "lr1", "ts1", ["169.254.100.1/24"], gateways=[("gw1", 10)])
    ic.settle()
    az1.sb.transact(*topology.claim("cr-lr1-ts1", gw1))
    ic.settle()
    return Scene(ic, *ports, gw1)


def addresses(zone: AvailabilityZone, port: str = PORT) -> set[str] | None:
    """The addresses of a switch port in a zone, None if it is not there."""
    row = switch_port(zone, port)
    return None if row is None else row.texts("addresses")


def test_a_router_port_is_published_and_copied(scene: Scene) -> None:
    row = scene.row()
    assert row.text("address") == ADDRESS
    assert row.text("gateway") == "gw1"
    assert row.map("external_ids")["router-id"] == str(scene.az1.nb.get("Logical_Router").uuid)
    copy = scene.az2.nb.get("Logical_Switch_Port", name=PORT)
    assert copy.text("type") == "remote"
    assert copy.texts("addresses") == {ADDRESS}
    assert scene.az2.sb.get("Port_Binding", logical_port=PORT).text("type") == "remote"
    assert bound_to(scene.az2, PORT) == "gw1"
    assert port_keys(scene.ic, PORT) == {row.number("tunnel_key")}


def test_a_gateway_that_gives_up_is_withdrawn(scene: Scene) -> None:
    scene.az1.sb.transact(*topology.claim("cr-lr1-ts1", None))
    scene.ic.settle()
    assert scene.row().text("gateway") == ""
    assert bound_to(scene.az2, PORT) == ""


def test_a_gateway_chassis_that_leaves_is_withdrawn(scene: Scene) -> None:
    scene.az1.sb.transact(*topology.no_chassis("gw1"))
    scene.ic.settle()
    assert scene.row().text("gateway") == ""
    assert scene.az2.sb.rows("Chassis", name="gw1") == []


def test_mac_and_networks_follow(scene: Scene) -> None:
    change = {"mac": "02:00:00:00:01:99", "networks": {"169.254.100.1/24", "2001:db8:100::1/64"}}
    scene.az1.nb.transact(ovsdb.update("Logical_Router_Port", change, name="lr1-ts1"))
    scene.ic.settle()
    assert addresses(scene.az2) == {"02:00:00:00:01:99 169.254.100.1/24 2001:db8:100::1/64"}


def test_a_deleted_router_port_leaves_the_row_without_address(scene: Scene) -> None:
    key = scene.row().number("tunnel_key")
    scene.az1.nb.transact(*topology.no_router_port("lr1", scene.router_port))
    scene.ic.settle()
    assert scene.row().text("address") == ""
    assert scene.row().text("gateway") == ""
    assert scene.row().number("tunnel_key") == key
    assert addresses(scene.az2) == set()


def test_a_deleted_switch_port_is_withdrawn(scene: Scene) -> None:
    scene.az1.nb.transact(*topology.no_switch_port("ts1", scene.switch_port))
    scene.ic.settle()
    assert scene.ic.sb.rows("Port_Binding") == []
    assert addresses(scene.az2) is None
    assert scene.az2.sb.rows("Port_Binding", logical_port=PORT) == []


def test_a_port_of_another_type_is_withdrawn_and_left_alone(scene: Scene) -> None:
    before = scene.az1.nb.get("Logical_Switch_Port", name=PORT).map("options")
    scene.az1.nb.transact(ovsdb.update("Logical_Switch_Port", {"type": ""}, _uuid=scene.switch_port))
    scene.ic.settle()
    assert scene.ic.sb.rows("Port_Binding") == []
    assert addresses(scene.az2) is None
    assert before["requested-tnl-key"]
    assert scene.az1.nb.get("Logical_Switch_Port", name=PORT).map("options") == before


def test_a_deleted_transit_switch_takes_its_ports_along(scene: Scene) -> None:
    scene.ic.nb.transact(*topology.no_transit_switch("ts1"))
    scene.ic.settle()
    assert scene.ic.sb.rows("Port_Binding") == []
    assert addresses(scene.az1) is None
    assert addresses(scene.az2) is None


def test_both_zones_get_keys_that_agree(scene: Scene) -> None:
    attach(scene.az2, "lr2", "ts1", ["169.254.100.2/24"])
    scene.ic.settle()
    assert port_keys(scene.ic, PORT) != port_keys(scene.ic, "ts1-lr2")
    assert len(port_keys(scene.ic, PORT)) == len(port_keys(scene.ic, "ts1-lr2")) == 1


@pytest.mark.parametrize("key", ["999", "junk"])
@pytest.mark.parametrize("number", [0, 1], ids=["owner", "copy"])
def test_a_changed_key_is_put_right(scene: Scene, number: int, key: str) -> None:
    zone = scene.ic.zones[number]
    zone.nb.transact(ovsdb.set_keys("Logical_Switch_Port", "options", {"requested-tnl-key": key, "mcast_flood": "true"}, name=PORT))
    scene.ic.settle()
    assert port_keys(scene.ic, PORT) == {scene.row().number("tunnel_key")}
    assert zone.nb.get("Logical_Switch_Port", name=PORT).map("options")["mcast_flood"] == "true"


@pytest.mark.parametrize("tampered", [set(), {"02:00:00:00:00:01 10.0.0.1"}])
def test_changed_addresses_of_a_copy_are_put_right(scene: Scene, tampered: set[str]) -> None:
    scene.az2.nb.transact(ovsdb.update("Logical_Switch_Port", {"addresses": tampered}, name=PORT))
    scene.ic.settle()
    assert addresses(scene.az2) == {ADDRESS}


def test_a_deleted_copy_comes_back(scene: Scene) -> None:
    scene.az2.nb.transact(*topology.no_switch_port("ts1", scene.az2.nb.get("Logical_Switch_Port", name=PORT).uuid))
    scene.ic.settle()
    assert addresses(scene.az2) == {ADDRESS}
    assert bound_to(scene.az2, PORT) == "gw1"


def test_a_cleared_binding_of_a_copy_comes_back(scene: Scene) -> None:
    scene.az2.sb.transact(*topology.claim(PORT, None))
    scene.ic.settle()
    assert bound_to(scene.az2, PORT) == "gw1"


def test_a_row_deleted_by_hand_comes_back_with_its_key(scene: Scene) -> None:
    key = scene.row().number("tunnel_key")
    scene.ic.sb.transact(ovsdb.delete("Port_Binding", logical_port=PORT))
    scene.ic.settle()
    assert addresses(scene.az2) == {ADDRESS}
    assert scene.row().number("tunnel_key") == key
    assert port_keys(scene.ic, PORT) == {key}


def test_a_remote_port_made_by_hand_is_removed_and_a_vif_is_left_alone(scene: Scene) -> None:
    scene.az2.nb.transact(*topology.switch_port("ts1", "forged", kind="remote", addresses=["unknown"]))
    scene.az2.nb.transact(*topology.switch_port("ts1", "vif", kind="", addresses=["unknown"]))
    scene.ic.settle()
    assert switch_port(scene.az2, "forged") is None
    assert switch_port(scene.az2, "vif") is not None
    assert {row.text("logical_port") for row in scene.ic.sb.rows("Port_Binding")} == {PORT}


@pytest.mark.ours("up to 23.06 requested-chassis of a remote port is ignored")
def test_the_operator_may_pin_a_copy_to_a_chassis(scene: Scene) -> None:
    pin = ovsdb.set_keys("Logical_Switch_Port", "options", {"requested-chassis": ""}, name=PORT)
    scene.az2.nb.transact(pin)
    scene.ic.settle()
    scene.az2.sb.transact(*topology.claim(PORT, None))
    scene.ic.settle()
    assert bound_to(scene.az2, PORT) == ""
    scene.az2.nb.transact(ovsdb.drop_keys("Logical_Switch_Port", "options", ["requested-chassis"], name=PORT))
    scene.ic.settle()
    assert bound_to(scene.az2, PORT) == "gw1"


@pytest.mark.ours("up to 26.03 the row is deleted while router-port is missing")
def test_a_port_without_router_port_keeps_its_row(scene: Scene) -> None:
    key = scene.row().number("tunnel_key")
    scene.az1.nb.transact(ovsdb.drop_keys("Logical_Switch_Port", "options", ["router-port"], name=PORT))
    scene.ic.settle()
    assert scene.row().number("tunnel_key") == key
    assert scene.row().text("address") == ""
