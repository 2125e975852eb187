# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that operators put on transit switches, and their copies (spec ports-1, ports-2, ports-3, ports-6, ports-7, ports-8, ports-9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Step
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.engine import Subject
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import ServerSchema
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.gateways import Gateways
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.ports import Ports
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.transit_switches import TransitSwitches
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.tunnel_keys import DatapathKeys, PortKeys
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import Zone
from ansible_collections.ovn.interconnect.tests.support.examples import examples
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.server_rules import LACKING_IN_2303, schemas_without
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.simulated_zones import World, named, rows


def subjects() -> list[Subject]:
    return [Gateways(), TransitSwitches(DatapathKeys()), Ports(PortKeys())]


def world(zones: Sequence[str] = ("az1", "az2"), switch: str = "ts1", **options: object) -> World:
    """Zones with one gateway each (gw1, gw2, ...) and one transit switch."""
    w = World(subjects, zones, **options)  # type: ignore[arg-type]
    for number, zone in enumerate(zones, 1):
        w.chassis(f"gw{number}", zone=zone)
    w.transit_switch(switch)
    w.converge()
    return w


def attached(**options: object) -> World:
    """Zone az1 has router lr1 on ts1, claimed by gateway gw1."""
    w = world(**options)  # type: ignore[arg-type]
    w.router("lr1", zone="az1")
    w.attach("lr1", "ts1", zone="az1")
    w.northd("az1")
    w.claim("lr1-ts1", "gw1", zone="az1")
    w.converge()
    return w


def nb(w: World, zone: str) -> Store:
    return w.site(zone).zone.nb


def lsp(w: World, zone: str, name: str = "ts1-lr1") -> Row:
    return named(nb(w, zone), "Logical_Switch_Port", name)


def binding(w: World, name: str = "ts1-lr1") -> Row:
    return named(w.ic_sb, "Port_Binding", name, "logical_port")


def sb_binding(w: World, zone: str, name: str = "ts1-lr1") -> Row:
    return named(w.site(zone).zone.sb, "Port_Binding", name, "logical_port")


def switch(w: World, zone: str, name: str = "ts1") -> str:
    (row,) = nb(w, zone).find("Logical_Switch", "interconn-ts", name)
    return row.uuid


def add_lsp(w: World, zone: str, name: str, kind: str, ts: str = "ts1", **columns: object) -> str:
    return w.add(nb(w, zone), "Logical_Switch", switch(w, zone, ts), "ports", "Logical_Switch_Port", name=name, type=kind, **columns)


def keys_agree(w: World) -> None:
    """Every zone's NB asks for the keys that IC_SB has, and no two ports of one switch share a key."""
    places = rows(w.ic_sb, "Port_Binding", "transit_switch", "tunnel_key")
    assert len(set(places)) == len(places)
    for site in w.sites.values():
        for row in w.ic_sb.rows("Port_Binding"):
            port = site.zone.switch_port(row["logical_port"])
            if port is not None:
                assert port["options"].get("requested-tnl-key") == str(row["tunnel_key"])


def test_port_sync() -> None:
    """A router port is published with all columns, and copied to the other zone (spec ports-1.1, ports-P-2, ports-P-5, ports-P-10)."""
    w = attached()
    row = binding(w)
    assert (row["transit_switch"], row["availability_zone"], row["gateway"]) == ("ts1", w.az("az1"), "gw1")
    assert row["address"] == "aa:aa:aa:aa:aa:01 169.254.100.1/24"
    assert row["external_ids"] == {"router-id": named(nb(w, "az1"), "Logical_Router", "lr1").uuid}
    assert (row["type"], row["nb_ic_uuid"]) == ("transit-switch-port", named(w.ic_nb, "Transit_Switch", "ts1").uuid)
    copy = lsp(w, "az2")
    assert (copy["type"], copy["addresses"], copy["options"]) == ("remote", frozenset([row["address"]]), {"requested-tnl-key": "1"})
    (inserted,) = [change for change in w.site("az2").written if change.table == "Logical_Switch_Port" and change.action == "insert"]
    assert inserted.columns["up"] is True
    assert sb_binding(w, "az2")["chassis"] == named(w.site("az2").zone.sb, "Chassis", "gw1").uuid
    assert w.rejections() == []
    assert w.reasons("az1") == w.reasons("az2") == {}
    keys_agree(w)
    w.check_law()


def test_address_follows_all_networks_in_byte_order() -> None:
    """The address is MAC and networks as ovn-northd writes them (spec ports-3.2)."""
    w = attached()
    lrp = named(nb(w, "az1"), "Logical_Router_Port", "lr1-ts1").uuid
    w.put(
        nb(w, "az1"), "Logical_Router_Port", lrp, mac="aa:aa:aa:aa:aa:02", networks={"169.254.100.11/24", "169.254.100.101/24", "fd::1/64"}
    )
    w.converge()
    text = "aa:aa:aa:aa:aa:02 169.254.100.101/24 169.254.100.11/24 fd::1/64"
    assert binding(w)["address"] == text
    assert lsp(w, "az2")["addresses"] == frozenset([text])


def test_fail_over_moves_the_gateway() -> None:
    """The gateway is the chassis that claims the chassis-redirect port (spec ports-3.2, ports-P-7)."""
    w = attached()
    w.chassis("gw9", zone="az1")
    w.claim("lr1-ts1", None, zone="az1")
    w.converge()
    assert binding(w)["gateway"] == ""
    assert sb_binding(w, "az2")["chassis"] is None
    w.claim("lr1-ts1", "gw9", zone="az1")
    w.converge()
    assert binding(w)["gateway"] == "gw9"
    assert sb_binding(w, "az2")["chassis"] == named(w.site("az2").zone.sb, "Chassis", "gw9").uuid
    w.delete(w.site("az1").zone.sb, "Chassis", named(w.site("az1").zone.sb, "Chassis", "gw9").uuid)
    w.converge()
    assert binding(w)["gateway"] == ""
    w.check_law()


def test_a_gateway_that_is_unknown_here_is_bound_as_soon_as_it_appears() -> None:
    """A gateway that SB does not know leaves the copy unbound until it appears (spec ports-P-7)."""
    w = attached()
    w.put(w.site("az1").zone.sb, "Chassis", named(w.site("az1").zone.sb, "Chassis", "gw1").uuid, other_config={})
    w.converge()
    assert sb_binding(w, "az2")["chassis"] is None
    assert "this zone has no such chassis" in w.reasons("az2")["ts1-lr1"]
    gw1 = named(w.site("az1").zone.sb, "Chassis", "gw1").uuid
    w.put(w.site("az1").zone.sb, "Chassis", gw1, other_config={"is-interconn": "true"})
    w.converge()
    assert sb_binding(w, "az2")["chassis"] == named(w.site("az2").zone.sb, "Chassis", "gw1").uuid
    assert w.reasons("az2") == {}


@pytest.mark.parametrize("value", ["gw1", ""])
def test_p7_an_operators_requested_chassis_is_his_business(value: str) -> None:
    """Where a copy has requested-chassis, even an empty one, its binding is left to ovn-northd (spec ports-P-7)."""
    w = attached()
    w.set_keys(nb(w, "az2"), "Logical_Switch_Port", lsp(w, "az2").uuid, "options", requested_chassis=value, mcast_flood_reports="true")
    w.set_keys(nb(w, "az2"), "Logical_Switch_Port", lsp(w, "az2").uuid, "options", mcast_flood_reports="true")
    w.converge()
    w.claim("lr1-ts1", None, zone="az1")
    w.converge()
    expected = {"requested-tnl-key": "1", "requested-chassis": value, "mcast-flood-reports": "true"}
    assert lsp(w, "az2")["options"] == expected
    w.set_keys(nb(w, "az2"), "Logical_Switch_Port", lsp(w, "az2").uuid, "options", requested_chassis=None)
    w.converge()
    assert sb_binding(w, "az2")["chassis"] is None


def test_p7_operator_changes_are_reverted() -> None:
    """Addresses and keys that an operator changed are put right (spec ports-P-3, ports-P-7)."""
    w = attached()
    w.put(nb(w, "az2"), "Logical_Switch_Port", lsp(w, "az2").uuid, addresses={"mine"}, options={"requested-tnl-key": "x"})
    w.put(nb(w, "az1"), "Logical_Switch_Port", lsp(w, "az1").uuid, options={"requested-tnl-key": "77", "router-port": "lr1-ts1"})
    w.put(w.site("az2").zone.sb, "Port_Binding", sb_binding(w, "az2").uuid, chassis=None)
    w.converge()
    assert lsp(w, "az2")["addresses"] == frozenset([binding(w)["address"]])
    assert sb_binding(w, "az2")["chassis"] is not None
    keys_agree(w)


def test_p6_a_hand_made_remote_port_is_removed_and_a_vif_is_not() -> None:
    """A remote port without row is removed; other types are ignored (spec ports-1.2, ports-P-6)."""
    w = world()
    add_lsp(w, "az1", "hand-made", "remote")
    add_lsp(w, "az1", "vm", "")
    add_lsp(w, "az1", "net", "localnet")
    w.converge()
    assert rows(nb(w, "az1"), "Logical_Switch_Port", "name") == ["net", "vm"]
    assert rows(w.ic_sb, "Port_Binding", "logical_port") == []


def test_p9_a_port_that_goes_is_withdrawn_everywhere() -> None:
    """The row of a port that is gone is deleted, and so are its copies (spec ports-P-9)."""
    w = attached()
    w.remove(nb(w, "az1"), "Logical_Switch", "ports", lsp(w, "az1").uuid)
    w.converge()
    assert rows(w.ic_sb, "Port_Binding", "logical_port") == rows(nb(w, "az2"), "Logical_Switch_Port", "name") == []
    w.check_law()


def test_quirk_a_binding_goes_with_the_nb_port_and_does_not_wait_for_northd() -> None:
    """The row is withdrawn although SB still has the port (spec newest-N-15)."""
    w = attached()
    w.remove(nb(w, "az1"), "Logical_Switch", "ports", lsp(w, "az1").uuid)
    w.settle()
    assert sb_binding(w, "az1")["logical_port"] == "ts1-lr1"
    assert rows(w.ic_sb, "Port_Binding", "logical_port") == []


@pytest.mark.parametrize("kind", ["", "localnet"])
def test_a_port_that_becomes_of_another_type_is_withdrawn(kind: str) -> None:
    """A port that becomes a VIF or localnet port is withdrawn (spec ports-7)."""
    w = attached()
    w.put(nb(w, "az1"), "Logical_Switch_Port", lsp(w, "az1").uuid, type=kind)
    w.converge()
    assert rows(w.ic_sb, "Port_Binding", "logical_port") == rows(nb(w, "az2"), "Logical_Switch_Port", "name") == []


def test_quirk_p5_router_id_goes_with_the_router_port_and_the_row_stays() -> None:
    """Without router port the row stays, without address, gateway and router-id (spec ports-P-5)."""
    w = attached()
    w.remove(nb(w, "az1"), "Logical_Router", "ports", named(nb(w, "az1"), "Logical_Router_Port", "lr1-ts1").uuid)
    w.put(w.site("az1").zone.sb, "Port_Binding", sb_binding(w, "az1", "cr-lr1-ts1").uuid, chassis=None)
    w.converge()
    assert (binding(w)["address"], binding(w)["gateway"], binding(w)["external_ids"]) == ("", "", {})
    assert binding(w)["tunnel_key"] == 1
    assert lsp(w, "az2")["addresses"] == frozenset()


def test_a_port_without_router_port_keeps_its_row_with_nothing_in_it() -> None:
    """The row stays, with empty address and gateway (spec ports-6)."""
    w = attached()
    w.set_keys(nb(w, "az1"), "Logical_Switch_Port", lsp(w, "az1").uuid, "options", router_port=None)
    w.converge()
    assert (binding(w)["address"], binding(w)["gateway"], binding(w)["tunnel_key"]) == ("", "", 1)


def test_quirk_6_a_row_without_type_of_a_port_without_router_port_stays() -> None:
    """The row stays, with empty address and gateway (spec ports-6)."""
    w = attached()
    with w.batch():
        w.put(w.ic_sb, "Port_Binding", binding(w).uuid, type=None, nb_ic_uuid=None)
        w.set_keys(nb(w, "az1"), "Logical_Switch_Port", lsp(w, "az1").uuid, "options", router_port=None)
    w.converge()
    assert (binding(w)["address"], binding(w)["gateway"], binding(w)["tunnel_key"]) == ("", "", 1)
    assert binding(w)["type"] == "transit-switch-port"
    assert lsp(w, "az2")["addresses"] == frozenset()


def test_p5_a_router_made_anew_gives_another_router_id() -> None:
    w = attached()
    w.delete(nb(w, "az1"), "Logical_Router", named(nb(w, "az1"), "Logical_Router", "lr1").uuid)
    router = w.router("lr1", zone="az1")
    w.add(
        nb(w, "az1"),
        "Logical_Router",
        router,
        "ports",
        "Logical_Router_Port",
        name="lr1-ts1",
        mac="aa:aa:aa:aa:aa:01",
        networks={"10.0.0.1/8"},
    )
    w.converge()
    assert binding(w)["external_ids"] == {"router-id": router}
    assert binding(w)["address"] == "aa:aa:aa:aa:aa:01 10.0.0.1/8"


def test_quirk_p5_a_switch_port_has_no_router_id() -> None:
    """A switch port has no router-id (spec ports-P-5)."""
    w = world()
    leaf = w.put(nb(w, "az1"), "Logical_Switch", name="leaf")
    w.add(nb(w, "az1"), "Logical_Switch", leaf, "ports", "Logical_Switch_Port", name="leaf1", type="switch", peer="spine1")
    add_lsp(w, "az1", "spine1", "switch", peer="leaf1")
    w.converge()
    w.put(w.ic_sb, "Port_Binding", binding(w, "spine1").uuid, external_ids={"router-id": leaf})
    w.converge()
    assert binding(w, "spine1")["external_ids"] == {}
    assert w.reasons("az1") == {}


def test_p5_a_datapath_that_names_no_router_is_reported() -> None:
    w = attached()
    sb = w.site("az1").zone.sb
    datapath = sb_binding(w, "az1", "lr1-ts1")["datapath"]
    w.put(sb, "Datapath_Binding", datapath, type=None, nb_uuid=None, external_ids={"logical-router": "nonsense"})
    w.settle()
    assert "router-id" in binding(w)["external_ids"]
    assert "the router behind port ts1-lr1 is not known" in w.reasons("az1")["ts1-lr1"]


def test_quirk_p1_a_port_made_anew_withdraws_its_row_until_northd_is_done() -> None:
    """A port without port binding in SB has no row (spec ports-P-1)."""
    w = attached()
    with w.batch():
        w.remove(nb(w, "az1"), "Logical_Switch", "ports", lsp(w, "az1").uuid)
        add_lsp(w, "az1", "ts1-lr1", "router", options={"router-port": "lr1-ts1"})
        w.delete(w.site("az1").zone.sb, "Port_Binding", sb_binding(w, "az1").uuid)
    w.settle()
    assert rows(w.ic_sb, "Port_Binding", "logical_port") == []
    w.converge()
    assert binding(w)["gateway"] == "gw1"
    keys_agree(w)


def test_quirk_p4_type_and_uuid_are_filled_in_after_an_upgrade() -> None:
    """Columns that an older release left empty are filled in (spec ports-P-4)."""
    w = attached()
    w.put(w.ic_sb, "Port_Binding", binding(w).uuid, type=None, nb_ic_uuid=None)
    w.converge()
    assert (binding(w)["type"], binding(w)["nb_ic_uuid"]) == ("transit-switch-port", named(w.ic_nb, "Transit_Switch", "ts1").uuid)


def test_both_zones_add_a_router_port_at_once() -> None:
    w = world()
    for zone in ("az1", "az2"):
        w.router(f"lr-{zone}", zone=zone)
        w.attach(f"lr-{zone}", "ts1", zone=zone)
        w.northd(zone)
    w.converge()
    assert w.rejections() == []
    assert rows(w.ic_sb, "Port_Binding", "tunnel_key") == [1, 2]
    keys_agree(w)
    w.check_law()


def test_zones_that_commit_at_the_same_moment_get_over_it() -> None:
    w = world()
    for zone in ("az1", "az2"):
        w.router(f"lr-{zone}", zone=zone)
        w.attach(f"lr-{zone}", "ts1", zone=zone)
        w.northd(zone)
    w.converge(together=True, retries=3)
    assert len(w.rejections()) == 1
    assert len(rows(w.ic_sb, "Port_Binding", "tunnel_key")) == 2
    keys_agree(w)


def test_quirk_t2_a_zone_joins_a_switch_with_500_foreign_ports_without_a_rejection() -> None:
    """The keys of all zones on the switch count as used (spec ports-T-2, newest-N-8)."""
    w = world()
    foreign = w.put(w.ic_sb, "Availability_Zone", name="az9")
    with w.batch():
        for number in range(1, 501):
            w.put(w.ic_sb, "Port_Binding", logical_port=f"p{number}", transit_switch="ts1", tunnel_key=number, availability_zone=foreign)
    w.router("lr1", zone="az1")
    w.attach("lr1", "ts1", zone="az1")
    w.converge()
    assert binding(w)["tunnel_key"] == 501
    assert w.rejections() == []
    assert len(rows(nb(w, "az2"), "Logical_Switch_Port", "name")) == 501
    keys_agree(w)


def test_quirk_t3_without_a_free_key_the_port_waits() -> None:
    """Without a free key the port waits and is reported (spec ports-T-3)."""
    w = world(["az1"])
    foreign = w.put(w.ic_sb, "Availability_Zone", name="az9")
    w.put(w.ic_sb, "Port_Binding", logical_port="p1", transit_switch="ts1", tunnel_key=1, availability_zone=foreign)
    with w.batch():
        for number in range(2, 32768):
            w.ic_sb.put("Port_Binding", w.new_uuid(), {"logical_port": f"p{number}", "transit_switch": "ts1", "tunnel_key": number})
    w.router("lr1")
    w.attach("lr1", "ts1")
    w.northd()
    w.settle()
    assert "no tunnel key between 1 and 32767 is free on ts1" in w.reasons()["ts1-lr1"]
    victim = named(w.ic_sb, "Port_Binding", "p300", "logical_port").uuid
    w.delete(w.ic_sb, "Port_Binding", victim)
    w.settle()
    assert binding(w)["tunnel_key"] == 300
    assert "ts1-lr1" not in w.reasons()


def test_t1_keys_are_not_reused_at_once() -> None:
    """The search goes on behind the last key, so a freed one is not reused at once (spec ports-T-1)."""
    w = world(["az1"])
    for number in range(1, 3):
        w.router(f"lr{number}")
        w.attach(f"lr{number}", "ts1")
    w.converge()
    w.remove(nb(w, "az1"), "Logical_Switch", "ports", lsp(w, "az1").uuid)
    w.converge()
    w.router("lr3")
    w.attach("lr3", "ts1")
    w.converge()
    assert binding(w, "ts1-lr3")["tunnel_key"] == 3


def test_keys_survive_the_loss_of_ic_sb_whoever_comes_first() -> None:
    w = world()
    for zone in ("az1", "az2"):
        for number in range(1, 4):
            w.router(f"{zone}-{number}", zone=zone)
            w.attach(f"{zone}-{number}", "ts1", zone=zone)
            w.converge()
    before = rows(w.ic_sb, "Port_Binding", "logical_port", "tunnel_key")
    for zone in ("az1", "az2"):
        w.stop(zone)
    for row in list(w.ic_sb.rows("Port_Binding")):
        w.delete(w.ic_sb, "Port_Binding", row.uuid)
    copies = {row.uuid: row for row in nb(w, "az2").rows("Logical_Switch_Port")}
    w.router("a-new-one", zone="az2")
    w.attach("a-new-one", "ts1", zone="az2")
    w.northd("az2")
    w.start("az2")
    # The guard withholds deletions meanwhile, so the copies of az1's ports are still there: nobody may take their keys.
    for group in w.site("az2").engine.plan():
        changes = [change for change in group.changes if not change.members]
        w._commit(w.site("az2"), [group._replace(changes=tuple(changes))])
    assert set(copies) <= {row.uuid for row in nb(w, "az2").rows("Logical_Switch_Port")}
    w.start("az1", shared_lock=True)
    w.converge(retries=3)
    after = dict(rows(w.ic_sb, "Port_Binding", "logical_port", "tunnel_key"))
    assert after.pop("ts1-a-new-one") not in dict(before).values()
    assert after == dict(before)
    assert w.rejections() == []
    keys_agree(w)


def test_a_port_that_moves_to_another_switch_gets_a_new_row() -> None:
    """A moved port has a new row with a new key (spec ports-7)."""
    w = attached()
    w.transit_switch("ts2")
    w.converge()
    old = binding(w).uuid
    with w.batch():
        w.remove(nb(w, "az1"), "Logical_Switch", "ports", lsp(w, "az1").uuid)
        add_lsp(w, "az1", "ts1-lr1", "router", "ts2", options={"router-port": "lr1-ts1"})
    w.converge()
    assert (binding(w)["transit_switch"], binding(w).uuid != old) == ("ts2", True)
    (holder,) = nb(w, "az2").parent_rows("Logical_Switch", "ports", lsp(w, "az2").uuid)
    assert holder["name"] == "ts2"
    assert w.rejections() == []
    keys_agree(w)
    w.check_law()


def test_quirk_a_renamed_switch_keeps_its_ports() -> None:
    """A switch that was renamed in NB is found by interconn-ts (spec switches-4.4)."""
    w = attached()
    for zone in ("az1", "az2"):
        w.put(nb(w, zone), "Logical_Switch", switch(w, zone), name="renamed")
    w.converge()
    key = binding(w)["tunnel_key"]
    w.put(nb(w, "az1"), "Logical_Router_Port", named(nb(w, "az1"), "Logical_Router_Port", "lr1-ts1").uuid, mac="aa:aa:aa:aa:aa:09")
    w.converge()
    assert lsp(w, "az2")["addresses"] == frozenset(["aa:aa:aa:aa:aa:09 169.254.100.1/24"])
    assert binding(w)["tunnel_key"] == key


def test_a_renamed_port_keeps_its_tunnel_key() -> None:
    w = attached()
    w.converge()
    key = binding(w)["tunnel_key"]
    port = named(nb(w, "az1"), "Logical_Switch_Port", "ts1-lr1").uuid
    w.put(nb(w, "az1"), "Logical_Switch_Port", port, name="renamed")
    w.converge()
    (row,) = (row for row in w.ic_sb.rows("Port_Binding") if row["logical_port"] == "renamed")
    assert row["tunnel_key"] == key
    assert [row["logical_port"] for row in w.ic_sb.rows("Port_Binding")].count("ts1-lr1") == 0
    assert w.rejections() == []
    w.check_law()


def test_a_deleted_switch_withdraws_its_ports_and_comes_back_with_the_copies() -> None:
    w = attached()
    for zone in ("az2", "az1"):
        w.delete(nb(w, zone), "Logical_Switch", switch(w, zone))
        w.converge()
        expected = ["ts1-lr1"] if zone == "az2" else []
        assert rows(nb(w, "az2"), "Logical_Switch_Port", "name") == rows(w.ic_sb, "Port_Binding", "logical_port") == expected
        assert rows(nb(w, zone), "Logical_Switch", "name") == ["ts1"]
    w.check_law()


def test_port_bindings_go_with_the_transit_switch() -> None:
    w = attached()
    w.delete(w.ic_nb, "Transit_Switch", named(w.ic_nb, "Transit_Switch", "ts1").uuid)
    w.converge()
    assert rows(w.ic_sb, "Port_Binding", "logical_port") == rows(w.ic_sb, "Datapath_Binding", "tunnel_key") == []
    assert rows(nb(w, "az1"), "Logical_Switch", "name") == rows(nb(w, "az2"), "Logical_Switch_Port", "name") == []
    w.check_law()


def test_a_port_name_that_another_zone_has_is_reported() -> None:
    w = attached()
    with w.batch():
        w.remove(nb(w, "az2"), "Logical_Switch", "ports", lsp(w, "az2").uuid)
        add_lsp(w, "az2", "ts1-lr1", "router")
    w.converge()
    assert binding(w)["availability_zone"] == w.az("az1")
    assert "zone az1 already has a port ts1-lr1" in w.reasons("az2")["ts1-lr1"]
    assert w.rejections() == []
    w.remove(nb(w, "az1"), "Logical_Switch", "ports", lsp(w, "az1").uuid)
    w.converge()
    assert binding(w)["availability_zone"] == w.az("az2")
    assert lsp(w, "az1")["type"] == "remote"
    w.check_law()


def test_a_copy_whose_name_is_taken_is_reported() -> None:
    w = world()
    other = w.put(nb(w, "az2"), "Logical_Switch", name="sw2")
    vif = w.add(nb(w, "az2"), "Logical_Switch", other, "ports", "Logical_Switch_Port", name="ts1-lr1")
    w.router("lr1", zone="az1")
    w.attach("lr1", "ts1", zone="az1")
    w.converge()
    assert "switch sw2 has a port of this name" in w.reasons("az2")["ts1-lr1"]
    assert w.rejections() == []
    w.remove(nb(w, "az2"), "Logical_Switch", "ports", vif)
    w.converge()
    assert lsp(w, "az2")["type"] == "remote"
    assert w.reasons("az2") == {}


def test_quirk_a_switch_port_has_the_name_of_a_router_port_row() -> None:
    w = world()
    w.put(w.ic_sb, "Port_Binding", logical_port="ts1-lr1", transit_switch="tr1", availability_zone=w.az("az2"), type="transit-router-port")
    w.router("lr1", zone="az1")
    w.attach("lr1", "ts1", zone="az1")
    w.converge()
    assert "already has a port ts1-lr1" in w.reasons("az1")["ts1-lr1"]
    assert w.rejections() == []


def test_spine_leaf() -> None:
    """Switch ports of three zones on a spine (spec ports-9, ports-P-2)."""
    w = world(["az1", "az2", "az3"], "spine")
    for number, zone in enumerate(w.sites, 1):
        leaf = w.put(nb(w, zone), "Logical_Switch", name="leaf")
        w.add(
            nb(w, zone), "Logical_Switch", leaf, "ports", "Logical_Switch_Port", name=f"leaf{number}", type="switch", peer=f"spine{number}"
        )
        options = {"requested-chassis": f"gw{number}"}
        add_lsp(w, zone, f"spine{number}", "switch", "spine", peer=f"leaf{number}", options=options)
    w.converge()
    expected = [(f"spine{n}", "unknown", f"gw{n}", ()) for n in (1, 2, 3)]
    assert rows(w.ic_sb, "Port_Binding", "logical_port", "address", "gateway", "external_ids") == expected
    for number, zone in enumerate(w.sites, 1):
        copies = [row for row in nb(w, zone).rows("Logical_Switch_Port") if row["type"] == "remote"]
        assert sorted(row["name"] for row in copies) == [f"spine{n}" for n in (1, 2, 3) if n != number]
        assert {row["addresses"] for row in copies} == {frozenset(["unknown"])}
    assert w.site("az1").zone.chassis("gw2") is not None
    assert w.rejections() == []
    keys_agree(w)
    w.check_law()


def test_switch_ports_need_the_peer_column() -> None:
    """Without the column peer there are no switch ports (spec ports-8)."""
    w = world(schemas=schemas_without("OVN_Northbound.Logical_Switch_Port.peer"))
    add_lsp(w, "az1", "spine1", "switch")
    w.converge()
    assert rows(w.ic_sb, "Port_Binding", "logical_port") == []


def test_works_on_the_oldest_schemas() -> None:
    """23.03 has neither types nor switch ports (spec ports-8)."""
    w = attached(schemas=schemas_without(*LACKING_IN_2303))
    assert binding(w)["gateway"] == "gw1"
    assert lsp(w, "az2")["type"] == "remote"
    assert w.rejections() == []
    w.check_law()


@pytest.mark.parametrize("columns", [{}, {"logical_port": "p"}, {"transit_switch": "ts1"}, {"logical_port": "p", "transit_switch": "ts1"}])
@pytest.mark.parametrize("owner", ["az1", "az2", ""])
def test_rows_with_empty_columns_stop_nobody(columns: dict[str, str], owner: str) -> None:
    w = attached()
    w.put(w.ic_sb, "Port_Binding", availability_zone=w.az(owner) if owner else "", **columns)
    w.router("lr2", zone="az1")
    w.attach("lr2", "ts1", zone="az1", mac="aa:aa:aa:aa:aa:02")
    w.converge()
    assert lsp(w, "az2", "ts1-lr2")["type"] == "remote"
    assert w.rejections() == []


def _noting(seen: set[object], plan: Callable[[object, Zone], Iterable[Step]], key: object, zone: Zone) -> Iterable[Step]:
    seen.add(key)
    return plan(key, zone)


def test_one_port_more_looks_at_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    w.router("lr1", zone="az1")
    for number in range(30):
        add_lsp(w, "az1", f"p{number}", "router")
    w.converge()
    looked_at: set[object] = set()
    for site in w.sites.values():
        for subject in site.engine.subjects:
            monkeypatch.setattr(subject, "plan", partial(_noting, looked_at, subject.plan))
    w.attach("lr1", "ts1", zone="az1")
    w.converge()
    assert looked_at <= {"ts1-lr1", "ts1"}


ACTIONS = st.tuples(st.integers(0, 11), st.integers(0, 1), st.sampled_from(["az1", "az2"]), st.integers(0, 3))


@examples(80)
@given(st.lists(ACTIONS, max_size=25))
def test_law(history: list[tuple[int, int, str, int]]) -> None:
    w = world()
    w.router("lr0", zone="az1")
    w.router("lr1", zone="az2")
    for step, (action, which, zone, when) in enumerate(history):
        _edit(w, action, which, zone, step)
        if when == 1:
            w.northd(zone)
        elif when == 2:
            w.settle()
        elif when == 3:
            w.converge()
    w.converge()
    assert w.rejections() == []
    w.check_law()


def _edit(w: World, action: int, which: int, zone: str, step: int) -> None:
    store, name = nb(w, zone), f"p{which}"
    transit_switch = w.ic_nb.first("Transit_Switch", "name", f"ts{which + 1}")
    found = store.find("Logical_Switch", "interconn-ts", f"ts{which + 1}")
    port = store.first("Logical_Switch_Port", "name", name)
    if action == 0 and port is None and found:
        columns = {"type": "router", "options": {"router-port": f"lrp{which}"}}
        w.add(store, "Logical_Switch", found[0].uuid, "ports", "Logical_Switch_Port", name=name, **columns)
    elif action == 1 and port is not None:
        w.remove(store, "Logical_Switch", "ports", port.uuid)
    elif action == 2 and port is not None:
        w.put(store, "Logical_Switch_Port", port.uuid, type=["router", "", "remote", "switch"][step % 4])
    elif action == 3 and not store.first("Logical_Router_Port", "name", f"lrp{which}"):
        router = next(store.rows("Logical_Router")).uuid
        lrp = {"name": f"lrp{which}", "mac": "aa:aa:aa:aa:aa:01", "networks": {f"10.0.0.{step}/24"}}
        w.add(store, "Logical_Router", router, "ports", "Logical_Router_Port", **lrp)
    elif action == 4:
        lrp_row = store.first("Logical_Router_Port", "name", f"lrp{which}")
        if lrp_row is not None:
            w.remove(store, "Logical_Router", "ports", lrp_row.uuid)
    elif action == 5:
        w.claim(f"lrp{which}", ["gw1", "gw2", None][step % 3], zone=zone)
    elif action == 6 and transit_switch is None:
        w.transit_switch(f"ts{which + 1}")
    elif action == 7 and transit_switch is not None:
        w.delete(w.ic_nb, "Transit_Switch", transit_switch.uuid)
    elif action == 8 and found:
        w.delete(store, "Logical_Switch", found[0].uuid)
    elif action == 9 and found:
        w.put(store, "Logical_Switch", found[0].uuid, other_config={"interconn-ts": f"ts{step % 3}"})
    elif action == 10 and port is not None:
        w.put(store, "Logical_Switch_Port", port.uuid, options={"requested-tnl-key": str(step), "requested-chassis": "gw1"})
    elif action == 11:
        row = w.ic_sb.first("Port_Binding", "logical_port", name)
        if row is not None:
            w.delete(w.ic_sb, "Port_Binding", row.uuid)


FAULTS = [
    pytest.param("Logical_Router", "lr1", {"enabled": False}, "the logical router lr1 is disabled", id="router-disabled"),
    pytest.param(
        "Logical_Router", "lr1", {"options": {"chassis": "gw1"}}, "lr1 is a gateway router (options:chassis=gw1)", id="gateway-router"
    ),
    pytest.param("Logical_Router_Port", "lr1-ts1", {"enabled": False}, "router port lr1-ts1 is disabled", id="router-port-disabled"),
    pytest.param("Logical_Router_Port", "lr1-ts1", {"name": "uplink"}, "is lr1-ts1, but no logical router port", id="renamed"),
    pytest.param("Logical_Switch_Port", "ts1-lr1", {"enabled": False}, "switch port ts1-lr1 is disabled", id="switch-port-disabled"),
    pytest.param("Logical_Switch_Port", "ts1-lr1", {"options": {}}, "has no options:router-port", id="no-router-port"),
    pytest.param("Logical_Switch_Port", "ts1-lr1", {"options": {"router-port": "nope"}}, "is nope, but no logical router", id="dangling"),
    pytest.param("Logical_Switch_Port", "ts1-lr1", {"type": ""}, "it is a VIF port", id="vif"),
    pytest.param("Logical_Switch_Port", "ts1-lr1", {"type": "localnet"}, "it is of type localnet", id="localnet"),
]


@pytest.mark.parametrize(("table", "name", "columns", "cause"), FAULTS)
def test_a_port_without_effect_is_reported_with_the_first_cause(table: str, name: str, columns: dict[str, object], cause: str) -> None:
    w = attached()
    assert w.reasons("az1") == {}
    row = named(nb(w, "az1"), table, name)
    before = {column: row[column] for column in columns}
    w.put(nb(w, "az1"), table, row.uuid, **columns)
    w.northd("az1")
    w.converge()
    assert cause in w.reasons("az1")["ts1-lr1"]
    w.put(nb(w, "az1"), table, row.uuid, **before)
    w.northd("az1")
    w.converge()
    assert w.reasons("az1") == {}


def test_a_second_switch_port_of_one_router_port_is_reported_until_one_of_them_goes() -> None:
    w = attached()
    second = add_lsp(w, "az1", "double", "router", options={"router-port": "lr1-ts1"}, addresses={"router"})
    w.northd("az1")
    w.converge()
    assert all("also names router port lr1-ts1" in w.reasons("az1")[name] for name in ("ts1-lr1", "double"))
    w.remove(nb(w, "az1"), "Logical_Switch", "ports", second)
    w.northd("az1")
    w.converge()
    assert w.reasons("az1") == {}


def test_a_port_that_northd_has_not_bound_is_reported() -> None:
    w = attached()
    add_lsp(w, "az1", "late", "router", options={"router-port": "nope"})
    w.settle()
    assert "ovn-northd has not created its port binding" in w.reasons("az1")["late"]


@pytest.mark.parametrize("schemas", [None, schemas_without(*LACKING_IN_2303)], ids=["newest", "23.03"])
def test_a_new_name_in_ic_sb_before_it_is_in_ic_nb_moves_no_port(schemas: dict[str, ServerSchema] | None) -> None:
    """The connections are not ordered: the zone that renames may be heard of through IC_SB first."""
    w = attached(schemas=schemas)
    w.converge()
    before = {row.uuid for row in w.ic_sb.rows("Port_Binding")}
    copies = {row.uuid for row in nb(w, "az2").rows("Logical_Switch_Port")}
    w.stop("az1")
    (datapath,) = w.ic_sb.rows("Datapath_Binding")
    with w.batch():
        w.put(w.ic_sb, "Datapath_Binding", datapath.uuid, transit_switch="backbone")
        for uuid in before:
            w.put(w.ic_sb, "Port_Binding", uuid, transit_switch="backbone")
    w.converge()
    w.put(w.ic_nb, "Transit_Switch", named(w.ic_nb, "Transit_Switch", "ts1").uuid, name="backbone")
    w.start("az1", shared_lock=True)
    w.converge()
    assert {row.uuid for row in w.ic_sb.rows("Port_Binding")} == before
    assert {row.uuid for row in nb(w, "az2").rows("Logical_Switch_Port")} == copies
    w.check_law()
