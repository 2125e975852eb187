# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transit switch ports of IC_NB (spec ports-4)."""

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
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.transit_switches import TransitSwitches
from ansible_collections.ovn.interconnect.tests.support.examples import examples
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.simulated_zones import World, named, rows

ADDRESS = "00:00:00:00:00:01 192.168.0.1"


def subjects() -> list[Subject]:
    return [Gateways(), TransitSwitches(), Ports()]


def world(zones: Sequence[str] = ("az1", "az2")) -> World:
    w = World(subjects, zones)
    for zone in zones:
        w.chassis(f"gw-{zone}", zone=zone)
    w.transit_switch("ts1")
    w.converge()
    return w


def add_tsp(w: World, name: str = "tsp1", ts: str = "ts1", **columns: Any) -> str:
    switch = named(w.ic_nb, "Transit_Switch", ts).uuid
    uuid = w.add(w.ic_nb, "Transit_Switch", switch, "ports", "Transit_Switch_Port", **{"name": name, "addresses": {ADDRESS}, **columns})
    w.converge()
    return uuid


def change(w: World, uuid: str, **columns: Any) -> None:
    w.put(w.ic_nb, "Transit_Switch_Port", uuid, **columns)
    w.converge()
    assert w.rejections() == []
    w.check_law()


def nb(w: World, zone: str) -> Store:
    return w.site(zone).zone.nb


def lsp(w: World, zone: str, name: str = "tsp1") -> Row:
    return named(nb(w, zone), "Logical_Switch_Port", name)


def binding(w: World, name: str = "tsp1") -> Row:
    return named(w.ic_sb, "Port_Binding", name, "logical_port")


def names(w: World, zone: str) -> list[str]:
    return rows(nb(w, zone), "Logical_Switch_Port", "name")


def test_type_and_address_updates() -> None:
    """NB ports follow type, peer, chassis and addresses of the transit switch port in every zone.

    The rules are spec ports-X-1, ports-X-2, ports-X-4, ports-X-5, ports-X-6, ports-X-7, newest-N-11.
    """
    w = world()
    tsp = add_tsp(w, type="router", chassis="gw-az1", peer="lrp1")
    options = {"interconn-tsp": "tsp1", "requested-chassis": "gw-az1", "requested-tnl-key": "1"}
    for _again in range(2):
        change(w, tsp, type="router")
        here, there = lsp(w, "az1"), lsp(w, "az2")
        assert (here["type"], here["options"], here["peer"]) == ("router", {**options, "router-port": "lrp1"}, None)
        assert (there["type"], there["options"], there["peer"]) == ("remote", {**options, "router-port": "lrp1"}, None)
        assert here["addresses"] == there["addresses"] == frozenset([ADDRESS])
        change(w, tsp, type="")
        here, there = lsp(w, "az1"), lsp(w, "az2")
        assert (here["type"], here["options"], here["peer"]) == ("", options, "lrp1")
        assert (there["type"], there["options"], there["peer"]) == ("remote", options, "lrp1")
    for addresses in ({"00:00:00:00:00:02"}, set(), {"b 1", "a 2"}):
        change(w, tsp, addresses=addresses)
        assert lsp(w, "az1")["addresses"] == lsp(w, "az2")["addresses"] == frozenset(addresses)
        assert binding(w)["address"] == min(addresses, default="")
    row = binding(w)
    assert (row["availability_zone"], row["gateway"], row["type"]) == (w.az("az1"), "gw-az1", "transit-switch-port")
    assert (row["nb_ic_uuid"], row["external_ids"]) == (named(w.ic_nb, "Transit_Switch", "ts1").uuid, {})
    w.delete(w.ic_nb, "Transit_Switch", named(w.ic_nb, "Transit_Switch", "ts1").uuid)
    w.converge()
    assert rows(w.ic_sb, "Port_Binding", "logical_port") == names(w, "az1") == names(w, "az2") == []


def test_a_deleted_port_goes_everywhere() -> None:
    w = world()
    tsp = add_tsp(w, chassis="gw-az2")
    w.remove(w.ic_nb, "Transit_Switch", "ports", tsp)
    w.converge()
    assert rows(w.ic_sb, "Port_Binding", "logical_port") == names(w, "az1") == names(w, "az2") == []
    w.check_law()


def test_no_chassis_port() -> None:
    """A port without chassis has one row, maintained by the holder of the lock, and no requested-chassis (spec ports-4.1, ports-X-6)."""
    w = world()
    tsp = add_tsp(w)
    for zone in ("az1", "az2"):
        assert (lsp(w, zone)["type"], lsp(w, zone)["addresses"]) == ("", frozenset([ADDRESS]))
        assert lsp(w, zone)["options"] == {"interconn-tsp": "tsp1", "requested-tnl-key": "1"}
    assert rows(w.ic_sb, "Port_Binding", "gateway", "type", "availability_zone") == [("", "transit-switch-port", w.az("az1"))]
    # Only the holder of the lock maintains it, also where another zone owns it.
    w.give_lock("az2")
    change(w, tsp, addresses={"x"})
    assert binding(w)["address"] == "x"
    assert [made for made in w.site("az2").written if made.table == "Port_Binding" and made.database == "OVN_IC_Southbound"][-1].shared
    w.give_lock("")
    change(w, tsp, addresses={"y"})
    assert binding(w)["address"] == "x"
    assert lsp(w, "az1")["addresses"] == frozenset("y")


def test_chassis_reassignment() -> None:
    """A port follows its chassis from zone to zone; on an unknown chassis it is removed everywhere (spec ports-X-3, ports-9)."""
    w = world()
    tsp = add_tsp(w, chassis="gw-az1")
    assert (lsp(w, "az1")["type"], lsp(w, "az2")["type"], binding(w)["gateway"]) == ("", "remote", "gw-az1")
    change(w, tsp, chassis="gw-az2")
    assert (lsp(w, "az1")["type"], lsp(w, "az2")["type"], binding(w)["gateway"]) == ("remote", "", "gw-az2")
    assert binding(w)["availability_zone"] == w.az("az2")
    change(w, tsp, type="router", peer="lrp")
    assert (lsp(w, "az1")["type"], lsp(w, "az2")["type"], binding(w)["address"]) == ("remote", "router", ADDRESS)
    change(w, tsp, type="", peer="")
    assert (lsp(w, "az1")["type"], lsp(w, "az2")["type"]) == ("remote", "")
    change(w, tsp, chassis="gw-az1")
    assert (lsp(w, "az1")["type"], lsp(w, "az2")["type"], binding(w)["gateway"]) == ("", "remote", "gw-az1")
    change(w, tsp, chassis="")
    assert binding(w)["availability_zone"] == w.az("az1")
    assert (lsp(w, "az1")["type"], lsp(w, "az2")["type"], binding(w)["gateway"]) == ("", "", "")
    change(w, tsp, chassis="unknown")
    assert rows(w.ic_sb, "Port_Binding", "logical_port") == names(w, "az1") == names(w, "az2") == []


def test_quirk_a_port_that_moves_between_zones_causes_no_rejection() -> None:
    """The new zone waits until the old one has withdrawn its row (spec ports-4.3)."""
    w = world()
    tsp = add_tsp(w, chassis="gw-az1")
    w.stop("az1")
    w.put(w.ic_nb, "Transit_Switch_Port", tsp, chassis="gw-az2")
    w.converge()
    # Zone az1 still has the row: az2 waits, and says so.
    assert "zone az1 already has a port tsp1" in w.reasons("az2")["tsp1"]
    assert lsp(w, "az2")["type"] == "remote"
    w.start("az1", shared_lock=True)
    w.converge(together=True)
    assert (lsp(w, "az1")["type"], lsp(w, "az2")["type"], binding(w)["gateway"]) == ("remote", "", "gw-az2")
    assert w.rejections() == []
    w.check_law()


def test_the_zone_of_a_chassis_is_decided_by_its_flag() -> None:
    """A chassis is this zone's if it is in SB without is-remote (spec ports-1.3)."""
    w = world()
    add_tsp(w, chassis="hv1")
    assert names(w, "az1") == []
    hypervisor = w.chassis("hv1", zone="az1", interconn=False)
    w.converge()
    assert binding(w)["availability_zone"] == w.az("az1")
    assert lsp(w, "az2")["type"] == "remote"
    w.delete(w.site("az1").zone.sb, "Chassis", hypervisor)
    w.converge()
    assert names(w, "az1") == names(w, "az2") == []
    w.check_law()


def test_legacy_port_and_managed_port_side_by_side() -> None:
    w = world()
    w.router("lr1", zone="az1")
    w.attach("lr1", "ts1", zone="az1")
    tsp = add_tsp(w, chassis="gw-az1")
    assert rows(w.ic_sb, "Port_Binding", "logical_port") == names(w, "az2") == ["ts1-lr1", "tsp1"]
    assert [row["name"] for row in nb(w, "az1").rows("Logical_Switch_Port") if "interconn-tsp" in row["options"]] == ["tsp1"]
    w.remove(w.ic_nb, "Transit_Switch", "ports", tsp)
    w.converge()
    assert rows(w.ic_sb, "Port_Binding", "logical_port") == names(w, "az1") == names(w, "az2") == ["ts1-lr1"]


@pytest.mark.parametrize("where", ["ts1", "sw"])
def test_quirk_the_name_of_another_port_is_reported_and_blocks_nobody(where: str) -> None:
    """A port whose name another NB port has is left out and reported; upstream's main adopts that port (spec ports-4.4, newest-N-12)."""
    w = world()
    w.put(nb(w, "az1"), "Logical_Switch", name="sw")
    holder = named(nb(w, "az1"), "Logical_Switch", where).uuid
    other = w.add(nb(w, "az1"), "Logical_Switch", holder, "ports", "Logical_Switch_Port", name="tsp1", type="router", addresses={"router"})
    add_tsp(w, chassis="gw-az1")
    add_tsp(w, "tsp2", chassis="gw-az1")
    assert f"switch {where} has another port of this name" in w.reasons("az1")["tsp1"]
    assert lsp(w, "az1")["addresses"] == frozenset(["router"])
    assert "interconn-tsp" not in lsp(w, "az1")["options"]
    assert "tsp2" in names(w, "az1")
    assert w.rejections() == []
    w.check_law()
    w.remove(nb(w, "az1"), "Logical_Switch", "ports", other)
    w.converge()
    assert lsp(w, "az1")["options"]["interconn-tsp"] == "tsp1"
    assert w.reasons("az1") == {}
    w.check_law()


def test_a_name_taken_in_the_lock_holders_zone_does_not_keep_a_no_chassis_port_from_the_others() -> None:
    w = world()
    other = w.put(nb(w, "az1"), "Logical_Switch", name="sw")
    w.add(nb(w, "az1"), "Logical_Switch", other, "ports", "Logical_Switch_Port", name="tsp1")
    add_tsp(w)
    assert lsp(w, "az2")["options"]["interconn-tsp"] == "tsp1"
    assert "switch sw has another port of this name" in w.reasons("az1")["tsp1"]
    w.check_law()


def test_two_zones_do_not_fight_over_a_no_chassis_port_that_an_operator_has_too() -> None:
    w = world()
    w.router("lr1", zone="az1")
    w.attach("lr1", "ts1", zone="az1")
    w.converge()
    add_tsp(w, "ts1-lr1")
    w.give_lock("az2")
    w.converge()
    row = binding(w, "ts1-lr1")
    assert row["address"] == "aa:aa:aa:aa:aa:01 169.254.100.1/24"
    assert "router-id" in row["external_ids"]
    assert "another port of this name" in w.reasons("az1")["ts1-lr1"]
    # Without its router the operator's port has nothing to lose.
    w.delete(nb(w, "az1"), "Logical_Router", named(nb(w, "az1"), "Logical_Router", "lr1").uuid)
    w.converge()
    row = binding(w, "ts1-lr1")
    assert (row["address"], row["external_ids"]) == (ADDRESS, {})
    w.check_law()


@pytest.mark.parametrize("zone", ["az1", "az2"])
def test_quirk_a_port_that_lost_its_mark_is_adopted_again(zone: str) -> None:
    """A port of the right name on the right switch gets its mark again (spec ports-4.4)."""
    w = world()
    add_tsp(w, chassis="gw-az1", type="router", peer="lrp1")
    before = lsp(w, zone).uuid
    w.set_keys(nb(w, zone), "Logical_Switch_Port", before, "options", interconn_tsp=None)
    w.converge()
    assert (lsp(w, zone).uuid, lsp(w, zone)["options"]["interconn-tsp"]) == (before, "tsp1")
    assert w.rejections() == []


def test_operator_options_stay_and_ours_are_forced_back() -> None:
    """What operators add to a port stays, what is copied is forced back (spec switches-6)."""
    w = world()
    add_tsp(w, chassis="gw-az1")
    w.put(
        nb(w, "az1"),
        "Logical_Switch_Port",
        lsp(w, "az1").uuid,
        type="x",
        peer="y",
        options={"interconn-tsp": "tsp1", "mine": "1", "router-port": "z"},
    )
    w.converge()
    row = lsp(w, "az1")
    assert (row["type"], row["peer"]) == ("", None)
    assert row["options"] == {"interconn-tsp": "tsp1", "mine": "1", "requested-chassis": "gw-az1", "requested-tnl-key": "1"}


def test_p8_a_marked_port_without_transit_switch_port_is_removed() -> None:
    """A managed NB port without transit switch port is removed (spec ports-P-8)."""
    w = world()
    switch = named(nb(w, "az1"), "Logical_Switch", "ts1").uuid
    w.add(nb(w, "az1"), "Logical_Switch", switch, "ports", "Logical_Switch_Port", name="tsp1", options={"interconn-tsp": "tsp1"})
    w.converge()
    assert names(w, "az1") == []


def test_quirk_a_row_that_outlives_its_port_makes_a_plain_copy_until_its_owner_is_back() -> None:
    """A row without transit switch port has plain copies (spec ports-4.4)."""
    w = world()
    tsp = add_tsp(w, chassis="gw-az1")
    w.stop("az1")
    w.remove(w.ic_nb, "Transit_Switch", "ports", tsp)
    w.converge()
    assert (lsp(w, "az2")["type"], lsp(w, "az2")["options"]) == ("remote", {"requested-tnl-key": "1"})
    w.start("az1", shared_lock=True)
    w.converge()
    assert rows(w.ic_sb, "Port_Binding", "logical_port") == names(w, "az1") == names(w, "az2") == []
    assert w.rejections() == []
    w.check_law()


def test_quirk_one_port_on_two_switches_is_published_once() -> None:
    """One port on two switches is published on one of them (spec ports-4.4)."""
    w = world()
    tsp = add_tsp(w, chassis="gw-az1")
    second = w.transit_switch("ts2")
    w.put(w.ic_nb, "Transit_Switch", second, ports={tsp})
    w.converge()
    assert len(rows(w.ic_sb, "Port_Binding", "logical_port")) == 1
    assert "a port can be on one switch only" in w.reasons("az1")["tsp1"]
    assert w.rejections() == []
    w.delete(w.ic_nb, "Transit_Switch", named(w.ic_nb, "Transit_Switch", "ts1").uuid)
    w.converge()
    assert binding(w)["transit_switch"] == "ts2"
    assert [row["name"] for row in nb(w, "az2").parent_rows("Logical_Switch", "ports", lsp(w, "az2").uuid)] == ["ts2"]
    w.check_law()


def test_quirk_a_deleted_switch_keeps_the_rows_and_keys_of_its_ports() -> None:
    """A switch deleted in NB costs no row and no key (spec switches-4.4)."""
    w = world()
    add_tsp(w, "first", chassis="gw-az1")
    add_tsp(w, chassis="gw-az1")
    before = binding(w)
    w.delete(nb(w, "az1"), "Logical_Switch", named(nb(w, "az1"), "Logical_Switch", "ts1").uuid)
    w.converge()
    assert binding(w) == before
    assert lsp(w, "az1")["options"]["requested-tnl-key"] == str(before["tunnel_key"]) == "2"


def test_keys_reach_nb_only_once_they_are_committed() -> None:
    """The key is requested only once IC_SB has it (spec ports-5)."""
    w = world(["az1"])
    switch = named(w.ic_nb, "Transit_Switch", "ts1").uuid
    w.add(w.ic_nb, "Transit_Switch", switch, "ports", "Transit_Switch_Port", name="tsp1", chassis="gw-az1")
    (group,) = w.engine.plan()
    assert [made.table for made in group.changes] == ["Port_Binding"]


def test_keys_survive_the_loss_of_ic_sb() -> None:
    w = world()
    for number in range(1, 4):
        add_tsp(w, f"tsp{number}", chassis="gw-az1" if number % 2 else "")
    before = rows(w.ic_sb, "Port_Binding", "logical_port", "tunnel_key")
    w.stop("az1")
    w.stop("az2")
    for row in list(w.ic_sb.rows("Port_Binding")):
        w.delete(w.ic_sb, "Port_Binding", row.uuid)
    w.start("az1", shared_lock=True)
    w.held_pass()
    assert rows(w.ic_sb, "Port_Binding", "logical_port", "tunnel_key") == before


@pytest.mark.parametrize("chassis", ["gw-az1", ""])
def test_a_binding_deleted_by_hand_comes_back_and_the_port_stays(chassis: str) -> None:
    w = world()
    add_tsp(w, "first", chassis="gw-az1")
    add_tsp(w, chassis=chassis)
    w.set_keys(nb(w, "az1"), "Logical_Switch_Port", lsp(w, "az1").uuid, "options", mcast_flood="true")
    port, key = lsp(w, "az1"), binding(w)["tunnel_key"]
    w.delete(w.ic_sb, "Port_Binding", binding(w).uuid)
    w.converge()
    assert lsp(w, "az1") == port
    assert binding(w)["tunnel_key"] == key == 2
    assert lsp(w, "az2")["options"]["requested-tnl-key"] == "2"
    assert w.rejections() == []
    w.check_law()


def test_a_port_that_moves_to_another_switch_leaves_the_old_one_once_its_binding_is_there() -> None:
    w = world()
    w.transit_switch("ts2")
    tsp = add_tsp(w, chassis="gw-az1")
    with w.batch():
        w.put(w.ic_nb, "Transit_Switch", named(w.ic_nb, "Transit_Switch", "ts2").uuid, ports={tsp})
        w.put(w.ic_nb, "Transit_Switch", named(w.ic_nb, "Transit_Switch", "ts1").uuid, ports=set())
    assert [change.database for group in w.engine.plan() for change in group.changes] == ["OVN_IC_Southbound"] * 2
    w.engine.add_all()
    w.converge()
    assert binding(w)["transit_switch"] == "ts2"
    for zone in w.sites:
        assert [row["name"] for row in nb(w, zone).parent_rows("Logical_Switch", "ports", lsp(w, zone).uuid)] == ["ts2"]
    assert w.rejections() == []
    w.check_law()


@pytest.mark.parametrize("columns", [{"type": None}, {"type": "remote"}, {"name": ""}, {"name": "", "chassis": ""}, {"addresses": ()}])
def test_odd_ports_stop_nobody(columns: dict[str, Any]) -> None:
    w = world()
    values = {key: value or "" for key, value in columns.items() if key != "addresses"}
    add_tsp(w, **{"name": "odd", "chassis": "gw-az1", **values})
    add_tsp(w, chassis="gw-az1")
    assert lsp(w, "az2")["type"] == "remote"
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


def _edit(w: World, action: int, which: int, zone: str, step: int) -> None:
    name, ts = f"tsp{which}", f"ts{1 + step % 2}"
    tsp = w.ic_nb.first("Transit_Switch_Port", "name", name)
    switch = w.ic_nb.first("Transit_Switch", "name", ts)
    port = nb(w, zone).first("Logical_Switch_Port", "name", name)
    local = nb(w, zone).first("Logical_Switch", "interconn-ts", ts)
    if action <= 1 and tsp is None and switch is not None:
        columns = {"name": name, "chassis": CHASSIS[step % 4], "addresses": {ADDRESS}}
        w.add(w.ic_nb, "Transit_Switch", switch.uuid, "ports", "Transit_Switch_Port", **columns)
    elif action in (1, 2, 3) and tsp is not None:
        w.put(w.ic_nb, "Transit_Switch_Port", tsp.uuid, chassis=CHASSIS[(step + which) % 4])
    elif action == 4 and tsp is not None:
        w.put(w.ic_nb, "Transit_Switch_Port", tsp.uuid, type=["", "router"][step % 2], peer=["", "p"][which])
    elif action == 5 and tsp is not None:
        w.remove(w.ic_nb, "Transit_Switch", "ports", tsp.uuid)
    elif action == 6 and switch is not None:
        w.delete(w.ic_nb, "Transit_Switch", switch.uuid)
    elif action == 6:
        w.transit_switch(ts)
    elif action == 7 and local is not None:
        w.delete(nb(w, zone), "Logical_Switch", local.uuid)
    elif action == 8 and port is not None:
        w.put(nb(w, zone), "Logical_Switch_Port", port.uuid, options={}, type=["", "router", "remote"][step % 3])
    elif action == 9 and local is not None and port is None:
        w.add(nb(w, zone), "Logical_Switch", local.uuid, "ports", "Logical_Switch_Port", name=name, type=["router", "", "remote"][step % 3])
    elif action == 10:
        w.give_lock([zone, ""][which])


def test_a_port_on_a_chassis_that_no_zone_has_is_reported_until_one_has_it() -> None:
    w = world()
    add_tsp(w, chassis="gw9")
    assert all("this zone has no chassis gw9, and no zone has a gateway" in w.reasons(zone)["tsp1"] for zone in ("az1", "az2"))
    w.chassis("gw9", zone="az2")
    w.converge()
    assert (w.reasons("az1"), w.reasons("az2")) == ({}, {})
