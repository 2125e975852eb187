# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transit routers and their ports (spec switches-5, ports-5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.engine import Subject
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.gateways import Gateways
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.ports import Ports
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.router_ports import RouterPorts
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.transit_routers import TransitRouters
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.transit_switches import TransitSwitches
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.tunnel_keys import DatapathKeys, PortKeys
from ansible_collections.ovn.interconnect.tests.support.examples import examples
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.server_rules import LACKING_IN_2303, schemas_without
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.simulated_zones import World, named, rows

FIRST = 16711682


def subjects() -> list[Subject]:
    datapath_keys, port_keys = DatapathKeys(), PortKeys()
    return [
        Gateways(),
        TransitSwitches(datapath_keys),
        TransitRouters(datapath_keys),
        Ports(port_keys),
        RouterPorts(port_keys),
    ]


def world(zones: Sequence[str] = ("az1", "az2"), **options: Any) -> World:
    w = World(subjects, zones, **options)
    for zone in zones:
        w.chassis(f"gw-{zone}", zone=zone)
    w.converge()
    return w


def add_tr(w: World, name: str = "tr1") -> str:
    uuid = w.put(w.ic_nb, "Transit_Router", name=name)
    w.converge()
    return uuid


def add_trp(w: World, name: str = "trp1", tr: str = "tr1", **columns: Any) -> str:
    router = named(w.ic_nb, "Transit_Router", tr).uuid
    values = {"name": name, "mac": "00:00:00:00:00:01", "networks": {"10.0.0.1/24"}, "chassis": "gw-az1", "tr_uuid": router, **columns}
    uuid = w.add(w.ic_nb, "Transit_Router", router, "ports", "Transit_Router_Port", **values)
    w.converge()
    return uuid


def change(w: World, uuid: str, **columns: Any) -> None:
    w.put(w.ic_nb, "Transit_Router_Port", uuid, **columns)
    w.converge()
    assert w.rejections() == []
    w.check_law()


def nb(w: World, zone: str) -> Store:
    return w.site(zone).zone.nb


def lrp(w: World, zone: str, name: str = "trp1") -> Row:
    return named(nb(w, zone), "Logical_Router_Port", name)


def lrps(w: World) -> list[list[str]]:
    return [rows(nb(w, zone), "Logical_Router_Port", "name") for zone in w.sites]


def binding(w: World, name: str = "trp1") -> Row:
    return named(w.ic_sb, "Port_Binding", name, "logical_port")


def bindings(w: World) -> list[str]:
    return rows(w.ic_sb, "Port_Binding", "logical_port")


def test_a_transit_router_in_every_zone() -> None:
    """Each transit router has a router in every zone, which requests the datapath's key (spec switches-R-1, switches-R-2, switches-R-4)."""
    w = world()
    tr = add_tr(w)
    expected = [("transit-router", "", tr, FIRST)]
    assert rows(w.ic_sb, "Datapath_Binding", "type", "transit_switch", "nb_ic_uuid", "tunnel_key") == expected
    for zone in w.sites:
        row = named(nb(w, zone), "Logical_Router", "tr1")
        assert row["options"] == {"interconn-tr": "tr1", "requested-tnl-key": str(FIRST)}
        uuid = named(w.ic_nb, "Transit_Router", "tr1").uuid
        assert row["external_ids"] == {"ovn-interconnect": "tr1", "ovn-interconnect-row": uuid}
    w.delete(w.ic_nb, "Transit_Router", tr)
    w.converge()
    assert rows(w.ic_sb, "Datapath_Binding", "type") == []
    assert [rows(nb(w, zone), "Logical_Router", "name") for zone in w.sites] == [[], []]
    w.check_law()


def test_switches_and_routers_share_one_pool_of_keys() -> None:
    """Keys of switches and of routers count as used for both (spec switches-K-1)."""
    w = world()
    with w.batch():
        for number in range(5):
            w.transit_switch(f"ts{number}")
            w.put(w.ic_nb, "Transit_Router", name=f"tr{number}")
    w.converge()
    assert rows(w.ic_sb, "Datapath_Binding", "tunnel_key") == list(range(FIRST, FIRST + 10))
    assert w.rejections() == []


def test_v4_routers_stay_in_the_normal_range() -> None:
    """The VXLAN mode does not change the keys of routers (spec switches-V-4)."""
    w = world()
    gw = named(w.zone.sb, "Chassis", "gw-az1").uuid
    w.add(w.zone.sb, "Chassis", gw, "encaps", "Encap", type="vxlan", ip="192.0.2.1")
    w.put(w.ic_nb, "IC_NB_Global", next(w.ic_nb.rows("IC_NB_Global")).uuid, options={"vxlan_mode": "true"})
    w.converge()
    w.transit_switch("ts1")
    add_tr(w)
    assert rows(w.ic_sb, "Datapath_Binding", "type", "tunnel_key") == [("transit-router", FIRST), ("transit-switch", 1025)]


def test_renaming_keeps_the_datapath_and_its_key() -> None:
    """A renamed transit router keeps datapath and key; here it keeps its NB router too (spec newest-N-9)."""
    w = world()
    tr = add_tr(w)
    add_trp(w)
    datapath = next(w.ic_sb.rows("Datapath_Binding"))
    w.put(w.ic_nb, "Transit_Router", tr, name="tr2")
    w.converge()
    assert list(w.ic_sb.rows("Datapath_Binding")) == [datapath]
    assert rows(nb(w, "az1"), "Logical_Router", "name") == ["tr2"]
    assert named(nb(w, "az1"), "Logical_Router", "tr2")["options"]["requested-tnl-key"] == str(FIRST)
    assert binding(w)["transit_switch"] == "tr2"
    assert lrps(w) == [["trp1"], ["trp1"]]
    w.check_law()


def test_quirk_a_datapath_without_uuid_matches_no_router() -> None:
    """A router's datapath without nb_ic_uuid is deleted (spec switches-R-5)."""
    w = world()
    add_tr(w)
    w.put(w.ic_sb, "Datapath_Binding", type="transit-router", tunnel_key=5)
    w.put(w.ic_sb, "Datapath_Binding", type="transit-router", tunnel_key=6, nb_ic_uuid=w.new_uuid())
    w.put(w.ic_sb, "Datapath_Binding", type="transit-router", tunnel_key=7, nb_ic_uuid=named(w.ic_nb, "Transit_Router", "tr1").uuid)
    w.converge()
    assert len(rows(w.ic_sb, "Datapath_Binding", "tunnel_key")) == 1
    assert w.rejections() == []


def test_r3_only_what_this_interconnect_made_is_deleted() -> None:
    """A router without transit router is deleted only if this interconnect made it (spec switches-R-3)."""
    w = world()
    w.put(nb(w, "az1"), "Logical_Router", name="foreign", options={"interconn-tr": "unknown"})
    w.put(nb(w, "az1"), "Logical_Router", name="marked", options={"interconn-tr": "gone"}, external_ids={"ovn-interconnect": "gone"})
    w.converge()
    assert rows(nb(w, "az1"), "Logical_Router", "name") == ["foreign"]
    assert "nothing shows that this interconnect created it" in w.reasons("az1")["foreign"]
    uuid = w.put(w.ic_nb, "Transit_Router", name="unknown")
    w.converge()
    ids = {"ovn-interconnect-adopted": "unknown", "ovn-interconnect-row": uuid}
    assert named(nb(w, "az1"), "Logical_Router", "foreign")["external_ids"] == ids
    assert w.reasons("az1") == {}


def test_an_adopted_router_is_released_with_the_ports_of_its_owner() -> None:
    w = world()
    router = w.put(nb(w, "az1"), "Logical_Router", name="tr1", options={"interconn-tr": "tr1", "snat-ct-zone": "7"})
    w.add(nb(w, "az1"), "Logical_Router", router, "ports", "Logical_Router_Port", name="own", mac="aa:aa:aa:aa:aa:09")
    add_tr(w)
    add_trp(w)
    w.converge()
    assert lrps(w)[0] == ["own", "trp1"]
    w.delete(w.ic_nb, "Transit_Router", named(w.ic_nb, "Transit_Router", "tr1").uuid)
    w.converge()
    found = named(nb(w, "az1"), "Logical_Router", "tr1")
    assert (found.uuid, found["options"], found["external_ids"]) == (router, {"snat-ct-zone": "7"}, {})
    assert lrps(w)[0] == ["own"]
    assert rows(nb(w, "az2"), "Logical_Router", "name") == []
    w.check_law()


def test_keys_survive_the_loss_of_ic_sb() -> None:
    w = world()
    for number in range(3):
        add_tr(w, f"tr{number}")
        add_trp(w, f"trp{number}", f"tr{number}")
    before = rows(w.ic_sb, "Datapath_Binding", "nb_ic_uuid", "tunnel_key")
    keys = rows(w.ic_sb, "Port_Binding", "logical_port", "tunnel_key")
    with w.batch():
        for table in ("Datapath_Binding", "Port_Binding"):
            for row in list(w.ic_sb.rows(table)):
                w.delete(w.ic_sb, table, row.uuid)
    w.held_pass()
    w.converge()
    assert rows(w.ic_sb, "Datapath_Binding", "nb_ic_uuid", "tunnel_key") == before
    assert rows(w.ic_sb, "Port_Binding", "logical_port", "tunnel_key") == keys


@pytest.mark.parametrize("at_once", [True, False])
def test_keys_survive_when_ic_nb_has_the_routers_as_other_rows(at_once: bool) -> None:
    w = world()
    names = [f"tr{number}" for number in range(3)]
    old = [add_tr(w, name) for name in names]
    before = rows(w.ic_sb, "Datapath_Binding", "tunnel_key")
    configs = [rows(nb(w, zone), "Logical_Router", "name", "options") for zone in w.sites]
    with w.batch():
        for uuid in old:
            w.delete(w.ic_nb, "Transit_Router", uuid)
        if at_once:
            new = [w.put(w.ic_nb, "Transit_Router", name=name) for name in reversed(names)]
    if not at_once:
        assert w.held_pass("az1") == w.held_pass("az2") == []
        new = [w.put(w.ic_nb, "Transit_Router", name=name) for name in reversed(names)]
    w.converge(together=True)
    assert rows(w.ic_sb, "Datapath_Binding", "tunnel_key") == before
    assert sorted(rows(w.ic_sb, "Datapath_Binding", "nb_ic_uuid")) == sorted(new)
    assert [rows(nb(w, zone), "Logical_Router", "name", "options") for zone in w.sites] == configs
    assert w.rejections() == []
    w.check_law()


def test_k5_a_router_keeps_its_key_before_a_switch_and_of_two_routers_the_one_that_nb_knows() -> None:
    w = world()
    w.transit_switch("ts1")
    w.converge()
    first, second = add_tr(w, "tr1"), add_tr(w, "tr2")
    w.give_lock("")
    for uuid in [row.uuid for row in w.ic_sb.rows("Datapath_Binding") if row["nb_ic_uuid"] == second or row["transit_switch"]]:
        w.put(w.ic_sb, "Datapath_Binding", uuid, tunnel_key=FIRST + 1)
    w.converge()
    for zone in w.sites:
        assert sorted(w.reasons(zone)) == ["tr2", "ts1"]
        assert named(nb(w, zone), "Logical_Router", "tr2")["options"]["requested-tnl-key"] == str(FIRST + 2)
    w.check_law()
    w.give_lock("az2")
    w.converge()
    assert rows(w.ic_sb, "Datapath_Binding", "tunnel_key", "nb_ic_uuid")[1:] == [(FIRST + 1, first), (FIRST + 2, second)]
    assert rows(w.ic_sb, "Datapath_Binding", "transit_switch", "tunnel_key")[-1] == ("ts1", FIRST)
    assert w.reasons("az1") == w.reasons("az2") == {}
    assert w.rejections() == []
    w.check_law()


def test_a_datapath_is_inherited_once() -> None:
    w = world()
    w.delete(w.ic_nb, "Transit_Router", add_tr(w))
    w.give_lock("")
    for name in ("tr1", "tr2"):
        w.put(nb(w, "az1"), "Logical_Router", name=name, options={"interconn-tr": name, "requested-tnl-key": str(FIRST)})
        w.put(w.ic_nb, "Transit_Router", name=name)
    for uuid in (None, w.new_uuid()):
        w.put(w.ic_sb, "Datapath_Binding", type="transit-router", tunnel_key=FIRST, nb_ic_uuid=uuid)
    w.give_lock("az1")
    w.converge()
    assert rows(w.ic_sb, "Datapath_Binding", "tunnel_key") == [FIRST, FIRST + 1]
    assert w.rejections() == []
    w.check_law()


def test_a_binding_deleted_by_hand_comes_back_and_the_port_stays() -> None:
    w = world()
    add_tr(w)
    add_trp(w, "first")
    add_trp(w)
    w.set_keys(nb(w, "az1"), "Logical_Router_Port", lrp(w, "az1").uuid, "options", gateway_mtu="1400")
    port, key = lrp(w, "az1"), binding(w)["tunnel_key"]
    w.delete(w.ic_sb, "Port_Binding", binding(w).uuid)
    w.converge()
    assert lrp(w, "az1") == port
    assert binding(w)["tunnel_key"] == key == 2
    assert lrp(w, "az2")["options"]["requested-tnl-key"] == "2"
    assert w.rejections() == []
    w.check_law()


def test_a_port_on_a_gateway_of_one_zone() -> None:
    """The zone of the chassis publishes the port, and every zone has its router port (spec ports-Y-1, ports-Y-2)."""
    w = world()
    tr = add_tr(w)
    add_trp(w, chassis="gw-az2")
    row = binding(w)
    assert (row["availability_zone"], row["transit_switch"], row["type"]) == (w.az("az2"), "tr1", "transit-router-port")
    assert (row["nb_ic_uuid"], row["address"], row["gateway"]) == (tr, "00:00:00:00:00:01", "")
    for zone in w.sites:
        port = lrp(w, zone)
        assert port["options"] == {"interconn-tr": "trp1", "requested-chassis": "gw-az2", "requested-tnl-key": "1"}
        assert (port["mac"], port["networks"]) == ("00:00:00:00:00:01", frozenset(["10.0.0.1/24"]))
    w.delete(w.ic_nb, "Transit_Router", tr)
    w.converge()
    assert bindings(w) == rows(w.ic_nb, "Transit_Router_Port", "name") == []
    assert lrps(w) == [[], []]
    w.check_law()


def test_quirk_a_deleted_port_leaves_no_row() -> None:
    """A port that is removed loses its router ports and its row (spec ports-Y-3, ports-Y-4, newest-N-5)."""
    w = world()
    add_tr(w)
    trp = add_trp(w, chassis="gw-az2")
    w.remove(w.ic_nb, "Transit_Router", "ports", trp)
    w.converge()
    assert bindings(w) == []
    assert lrps(w) == [[], []]
    w.check_law()


def test_quirk_a_port_moves_to_another_zone() -> None:
    """The row goes with the chassis to another zone (spec ports-Y-1, ports-9)."""
    w = world()
    add_tr(w)
    trp = add_trp(w)
    change(w, trp, chassis="gw-az2")
    assert binding(w)["availability_zone"] == w.az("az2")
    for zone in w.sites:
        assert lrp(w, zone)["options"]["requested-chassis"] == "gw-az2"


def test_quirk_a_changed_mac_reaches_ic_sb() -> None:
    """A changed MAC reaches IC_SB and every zone (spec ports-Y-2, newest-N-5)."""
    w = world()
    add_tr(w)
    trp = add_trp(w)
    change(w, trp, mac="00:00:00:00:00:02", networks={"10.0.0.9/24", "fd::1/64"})
    assert binding(w)["address"] == "00:00:00:00:00:02"
    for zone in w.sites:
        assert lrp(w, zone)["mac"] == "00:00:00:00:00:02"
        assert lrp(w, zone)["networks"] == frozenset(["10.0.0.9/24", "fd::1/64"])


def test_a_port_on_an_unknown_chassis_is_realised_nowhere() -> None:
    w = world()
    add_tr(w)
    trp = add_trp(w)
    change(w, trp, chassis="unknown")
    assert bindings(w) == []
    assert lrps(w) == [[], []]


def test_a_port_without_chassis_is_in_every_zone() -> None:
    """A port without chassis has one shared row and a router port in every zone (spec newest-N-4)."""
    w = world(("az1", "az2", "az3"))
    tr = add_tr(w)
    trp = add_trp(w, chassis="", networks=set())
    row = binding(w)
    assert (row["type"], row["address"], row["gateway"], row["nb_ic_uuid"]) == ("transit-router-port", "00:00:00:00:00:01", "", tr)
    for zone in w.sites:
        assert lrp(w, zone)["options"] == {"interconn-tr": "trp1", "requested-tnl-key": str(row["tunnel_key"])}
    change(w, trp, mac="00:00:00:00:00:02", networks={"10.0.0.2/24"})
    assert (binding(w)["address"], binding(w).uuid) == ("00:00:00:00:00:02", row.uuid)
    assert all(lrp(w, zone)["networks"] == {"10.0.0.2/24"} for zone in w.sites)
    w.delete(w.ic_nb, "Transit_Router_Port", trp)
    w.converge()
    assert (bindings(w), lrps(w)) == ([], [[], [], []])
    w.check_law()


def test_a_port_moves_between_one_zone_and_all_of_them() -> None:
    """The row of a port that loses its chassis stays; requested-chassis goes only where it is (spec newest-N-4, newest-N-14)."""
    w = world(("az1", "az2", "az3"))
    add_tr(w)
    trp = add_trp(w, chassis="gw-az2")
    uuid, owners = binding(w).uuid, {w.site(zone).zone.own_az.uuid: zone for zone in w.sites}  # type: ignore[union-attr]
    change(w, trp, chassis="")
    assert (binding(w).uuid, owners[binding(w)["availability_zone"]]) == (uuid, "az2")
    assert all("requested-chassis" not in lrp(w, zone)["options"] for zone in w.sites)
    for wanted in ("az3", "az1"):
        change(w, trp, chassis=f"gw-{wanted}")
        assert owners[binding(w)["availability_zone"]] == wanted
        assert {lrp(w, zone)["options"]["requested-chassis"] for zone in w.sites} == {f"gw-{wanted}"}


def test_quirk_keys_reach_nb_only_once_they_are_committed() -> None:
    """The key is requested only once IC_SB has it (spec ports-5)."""
    w = world(["az1"])
    add_tr(w)
    router = named(w.ic_nb, "Transit_Router", "tr1").uuid
    w.add(w.ic_nb, "Transit_Router", router, "ports", "Transit_Router_Port", name="trp1", chassis="gw-az1")
    (group,) = w.engine.plan()
    assert [made.table for made in group.changes] == ["Port_Binding"]


def test_operator_additions_stay_and_ours_are_forced_back() -> None:
    """What operators add to a router stays, what is copied is forced back (spec switches-6)."""
    w = world()
    add_tr(w)
    add_trp(w)
    router = named(nb(w, "az1"), "Logical_Router", "tr1")
    w.put(nb(w, "az1"), "Logical_Router", router.uuid, options={**router["options"], "requested-tnl-key": "3", "mine": "1"})
    w.add(nb(w, "az1"), "Logical_Router", router.uuid, "ports", "Logical_Router_Port", name="mine", mac="00:00:00:00:00:09")
    w.put(nb(w, "az1"), "Logical_Router_Port", lrp(w, "az1").uuid, mac="x", options={"interconn-tr": "trp1", "mine": "1"})
    w.converge()
    assert named(nb(w, "az1"), "Logical_Router", "tr1")["options"] == {**router["options"], "mine": "1"}
    assert lrp(w, "az1")["mac"] == "00:00:00:00:00:01"
    expected = {"interconn-tr": "trp1", "requested-chassis": "gw-az1", "requested-tnl-key": "1", "mine": "1"}
    assert lrp(w, "az1")["options"] == expected
    assert lrps(w) == [["mine", "trp1"], ["trp1"]]


@pytest.mark.parametrize("zone", ["az1", "az2"])
def test_quirk_a_port_that_lost_its_mark_is_adopted_again(zone: str) -> None:
    w = world()
    add_tr(w)
    add_trp(w)
    before = lrp(w, zone).uuid
    w.set_keys(nb(w, zone), "Logical_Router_Port", before, "options", interconn_tr=None)
    w.converge()
    assert (lrp(w, zone).uuid, lrp(w, zone)["options"]["interconn-tr"]) == (before, "trp1")
    assert w.rejections() == []


@pytest.mark.parametrize("zone", ["az1", "az2"])
def test_quirk_a_name_that_another_router_port_has_is_reported(zone: str) -> None:
    """A port whose name another router port has is left out (spec ports-4.4)."""
    w = world()
    add_tr(w)
    other = w.router("lr", zone=zone)
    taken = w.add(nb(w, zone), "Logical_Router", other, "ports", "Logical_Router_Port", name="trp1")
    add_trp(w)
    add_trp(w, "trp2")
    assert "router lr has another port of this name" in w.reasons(zone)["trp1"]
    assert "trp2" in rows(nb(w, zone), "Logical_Router_Port", "name")
    assert w.rejections() == []
    w.check_law()
    w.remove(nb(w, zone), "Logical_Router", "ports", taken)
    w.converge()
    assert lrps(w) == [["trp1", "trp2"], ["trp1", "trp2"]]
    assert w.reasons(zone) == {}
    w.check_law()


def test_quirk_a_router_renamed_in_a_zone_withdraws_its_ports() -> None:
    """A router is found by its name only (spec switches-5.3)."""
    w = world()
    add_tr(w)
    add_trp(w)
    router = named(nb(w, "az1"), "Logical_Router", "tr1").uuid
    w.put(nb(w, "az1"), "Logical_Router", router, name="mine")
    w.converge()
    assert bindings(w) == []
    w.put(nb(w, "az1"), "Logical_Router", router, name="tr1")
    w.converge()
    assert bindings(w) == ["trp1"]
    assert lrps(w) == [["trp1"], ["trp1"]]
    w.check_law()


def test_a_deleted_router_comes_back_with_its_ports() -> None:
    w = world()
    add_tr(w)
    add_trp(w)
    for zone in w.sites:
        w.delete(nb(w, zone), "Logical_Router", named(nb(w, zone), "Logical_Router", "tr1").uuid)
        w.converge()
        assert lrps(w) == [["trp1"], ["trp1"]]
    w.check_law()


def test_quirk_a_router_deleted_in_a_zone_takes_operators_additions_along() -> None:
    """A deleted router comes back without what operators added (spec switches-5.3)."""
    w = world()
    add_tr(w)
    add_trp(w)
    router = named(nb(w, "az1"), "Logical_Router", "tr1").uuid
    w.add(nb(w, "az1"), "Logical_Router", router, "ports", "Logical_Router_Port", name="mine", mac="00:00:00:00:00:09")
    before = binding(w)
    w.delete(nb(w, "az1"), "Logical_Router", router)
    w.converge()
    assert lrps(w) == [["trp1"], ["trp1"]]
    # The port's row is created again, with another key.
    assert binding(w).uuid != before.uuid
    assert binding(w)["tunnel_key"] != before["tunnel_key"]
    w.check_law()


def test_quirk_a_switch_and_a_router_of_one_name() -> None:
    """Bindings of a switch and of a router with one name are told apart by their type (spec switches-5.3)."""
    w = world()
    add_tr(w, "x")
    w.transit_switch("x")
    w.converge()
    add_trp(w, tr="x")
    w.router("lr1", zone="az1")
    w.attach("lr1", "x", zone="az1")
    w.converge()
    assert rows(w.ic_sb, "Port_Binding", "logical_port", "transit_switch", "type") == [
        ("trp1", "x", "transit-router-port"),
        ("x-lr1", "x", "transit-switch-port"),
    ]
    assert rows(nb(w, "az2"), "Logical_Switch_Port", "name") == ["x-lr1"]
    assert lrps(w) == [["lr1-x", "trp1"], ["trp1"]]
    assert w.rejections() == []
    w.check_law()


def test_duplicate_name_of_a_switch_port_is_reported() -> None:
    w = world()
    w.transit_switch("ts1")
    add_tr(w)
    w.converge()
    switch = nb(w, "az2").find("Logical_Switch", "interconn-ts", "ts1")[0].uuid
    taken = w.add(nb(w, "az2"), "Logical_Switch", switch, "ports", "Logical_Switch_Port", name="trp1", type="router")
    w.converge()
    add_trp(w)
    assert "zone az2 already has a port of this name" in w.reasons("az1")["trp1"]
    assert w.rejections() == []
    w.remove(nb(w, "az2"), "Logical_Switch", "ports", taken)
    w.converge()
    assert binding(w)["type"] == "transit-router-port"
    w.check_law()


def test_the_trp_race_ends_with_one_row() -> None:
    """A port that appears together with its gateway has one row (spec ports-9)."""
    w = world()
    add_tr(w)
    w.stop("az1")
    w.stop("az2")
    w.chassis("hv2", zone="az2")
    router = named(w.ic_nb, "Transit_Router", "tr1").uuid
    w.add(w.ic_nb, "Transit_Router", router, "ports", "Transit_Router_Port", name="trp1", chassis="hv2", mac="00:00:00:00:00:01")
    w.start("az1", shared_lock=True)
    w.start("az2")
    w.converge(together=True)
    assert rows(w.ic_sb, "Port_Binding", "availability_zone") == [w.az("az2")]
    assert lrps(w) == [["trp1"], ["trp1"]]
    assert w.rejections() == []


@pytest.mark.parametrize("lacking", [LACKING_IN_2303, [place for place in LACKING_IN_2303 if "Northbound" not in place]])
def test_older_schemas_turn_transit_routers_off(lacking: Sequence[str]) -> None:
    """Without the tables of 26.03 there are no transit routers (spec switches-D-2)."""
    w = world(schemas=schemas_without(*lacking))
    w.put(w.ic_nb, "Transit_Router", name="tr1")
    w.transit_switch("ts1")
    w.converge()
    assert rows(nb(w, "az1"), "Logical_Router", "name") == []
    assert rows(w.ic_sb, "Datapath_Binding", "transit_switch") == ["ts1"]
    assert "upgrade it to OVN 26.03 or later" in w.reasons("az1")["tr1"]
    assert w.rejections() == []


ACTIONS = st.tuples(st.integers(0, 10), st.integers(0, 1), st.sampled_from(["az1", "az2"]), st.integers(0, 2))
CHASSIS = ["gw-az1", "gw-az2", "", "unknown"]


@examples(80)
@given(st.lists(ACTIONS, max_size=25))
def test_law(history: list[tuple[int, int, str, int]]) -> None:
    w = world()
    for step, (action, which, zone, when) in enumerate(history):
        _edit(w, action, which, zone, step)
        if when == 1:
            w.settle()
        elif when == 2:
            w.converge()
    w.converge()
    assert w.rejections() == []
    w.check_law()
    keys = rows(w.ic_sb, "Datapath_Binding", "tunnel_key")
    assert len(set(keys)) == len(keys)


def _edit(w: World, action: int, which: int, zone: str, step: int) -> None:
    store, name, tr_name = nb(w, zone), f"trp{which}", f"tr{1 + step % 2}"
    trp = w.ic_nb.first("Transit_Router_Port", "name", name)
    tr = w.ic_nb.first("Transit_Router", "name", tr_name)
    router = store.first("Logical_Router", "name", tr_name)
    port = store.first("Logical_Router_Port", "name", name)
    if action <= 1 and tr is None:
        w.put(w.ic_nb, "Transit_Router", name=tr_name)
    elif action <= 2 and trp is None and tr is not None:
        columns = {"name": name, "chassis": CHASSIS[step % 3], "mac": f"00:00:00:00:00:0{which}"}
        w.add(w.ic_nb, "Transit_Router", tr.uuid, "ports", "Transit_Router_Port", **columns)
    elif action in (2, 3) and trp is not None:
        w.put(w.ic_nb, "Transit_Router_Port", trp.uuid, chassis=CHASSIS[(step + which) % 4])
    elif action == 4 and trp is not None:
        w.remove(w.ic_nb, "Transit_Router", "ports", trp.uuid)
    elif action == 5 and tr is not None:
        w.delete(w.ic_nb, "Transit_Router", tr.uuid)
    elif action == 6 and router is not None:
        w.delete(store, "Logical_Router", router.uuid)
    elif action == 7 and router is not None:
        edits: list[dict[str, Any]] = [{"name": "x"}, {"name": "tr1"}, {"options": {}}, {"options": {"interconn-tr": "tr2"}}]
        w.put(store, "Logical_Router", router.uuid, **edits[step % 4])
    elif action == 8 and port is not None:
        w.put(store, "Logical_Router_Port", port.uuid, options={})
    elif action == 8 and tr is not None and which:
        with w.batch():
            w.delete(w.ic_nb, "Transit_Router", tr.uuid)
            w.put(w.ic_nb, "Transit_Router", name=tr_name)
    elif action == 8 and router is not None:
        w.add(store, "Logical_Router", router.uuid, "ports", "Logical_Router_Port", name=name, options={"interconn-tr": name})
    elif action == 9:
        w.give_lock(zone)
    elif action == 10:
        for row in list(w.ic_sb.rows("Datapath_Binding"))[:1]:
            w.put(w.ic_sb, "Datapath_Binding", row.uuid, tunnel_key=FIRST + which)


def test_a_port_on_a_chassis_that_no_zone_has_is_reported_until_one_has_it() -> None:
    w = world()
    add_tr(w)
    add_trp(w, chassis="gw9")
    assert "this zone has no chassis gw9, and no zone has a gateway" in w.reasons("az1")["trp1"]
    w.chassis("gw9", zone="az2")
    w.converge()
    assert (w.reasons("az1"), w.reasons("az2")) == ({}, {})


KEY = "requested-tnl-key"


def test_a_transit_router_does_not_request_the_key_that_a_switch_still_has() -> None:
    """az2 keeps the switch of a transit switch that is gone, and the zone with the lock gives its key to a transit router."""
    w = world()
    old = w.transit_switch("old")
    w.converge()
    w.stop("az2")
    w.delete(w.ic_nb, "Transit_Switch", old)
    w.converge()
    add_tr(w)
    store = nb(w, "az2")
    switch = named(store, "Logical_Switch", "old")
    assert [row["tunnel_key"] for row in w.ic_sb.rows("Datapath_Binding")] == [int(switch["other_config"][KEY])] == [FIRST]
    w.put(store, "Logical_Switch", switch.uuid, external_ids={})  # the switch stays: nothing proves that this interconnect made it
    w.start("az2")
    w.converge()
    assert KEY not in named(store, "Logical_Router", "tr1")["options"]
    assert "because switch old still has it" in w.reasons("az2")["tr1"]
    w.check_law()
    w.delete(store, "Logical_Switch", switch.uuid)
    w.converge()
    assert named(store, "Logical_Router", "tr1")["options"][KEY] == str(FIRST)
    assert "tr1" not in w.reasons("az2")
    w.check_law()


def test_a_transit_switch_does_not_request_the_key_that_a_router_still_has() -> None:
    w = world()
    old = add_tr(w, "old")
    w.stop("az2")
    w.delete(w.ic_nb, "Transit_Router", old)
    w.converge()
    w.transit_switch("ts1")
    w.converge()
    store = nb(w, "az2")
    router = named(store, "Logical_Router", "old")
    assert [row["tunnel_key"] for row in w.ic_sb.rows("Datapath_Binding")] == [int(router["options"][KEY])] == [FIRST]
    w.put(store, "Logical_Router", router.uuid, external_ids={})
    w.start("az2")
    w.converge()
    assert KEY not in named(store, "Logical_Switch", "ts1")["other_config"]
    assert "because router old still has it" in w.reasons("az2")["ts1"]
    w.check_law()
    w.delete(store, "Logical_Router", router.uuid)
    w.converge()
    assert named(store, "Logical_Switch", "ts1")["other_config"][KEY] == str(FIRST)
    w.check_law()


def test_the_key_of_a_router_whose_deletion_is_withheld_is_not_given_away() -> None:
    """The zone with the lock has such a router itself: a new transit switch gets another key."""
    w = world()
    old = add_tr(w, "old")
    for zone in ("az1", "az2"):
        w.put(nb(w, zone), "Logical_Router", named(nb(w, zone), "Logical_Router", "old").uuid, external_ids={})
    w.delete(w.ic_nb, "Transit_Router", old)
    for zone in ("az1", "az2"):
        w.start(zone, shared_lock=zone == "az1")
    w.converge()
    assert all(rows(nb(w, zone), "Logical_Router", "name") == ["old"] for zone in w.sites)
    w.transit_switch("ts1")
    w.converge()
    assert rows(w.ic_sb, "Datapath_Binding", "tunnel_key") == [FIRST + 1]
    w.check_law()


def test_a_transit_router_that_is_defined_again_while_a_zone_has_ports_on_it_gets_its_key_back() -> None:
    """Also from a zone that has no router with the key, and although a transit switch was made in between."""
    w = world()
    tr = add_tr(w)
    add_trp(w, chassis="gw-az2", networks=frozenset(["169.254.0.1/24"]))
    (datapath,) = w.ic_sb.rows("Datapath_Binding")
    w.stop("az2")
    w.delete(w.ic_nb, "Transit_Router", tr)
    w.converge()
    assert rows(nb(w, "az1"), "Logical_Router", "name") == []
    assert "the zones az2 have ports on it" in w.reasons("az1")["transit router tr1"]
    w.transit_switch("ts1")
    w.converge()
    new = add_tr(w)
    add_trp(w, chassis="gw-az2", networks=frozenset(["169.254.0.1/24"]))
    w.start("az2")
    w.converge()
    after = w.ic_sb.row("Datapath_Binding", datapath.uuid)
    assert after is not None
    assert (after["nb_ic_uuid"], after["tunnel_key"]) == (new, datapath["tunnel_key"])
    assert binding(w)["nb_ic_uuid"] == new
    assert [named(nb(w, name), "Logical_Router", "tr1")["options"]["requested-tnl-key"] for name in ("az1", "az2")] == [str(FIRST)] * 2
    w.delete(w.ic_nb, "Transit_Router", new)
    w.converge()
    assert rows(w.ic_sb, "Datapath_Binding", "transit_switch") == ["ts1"]
    w.check_law()
