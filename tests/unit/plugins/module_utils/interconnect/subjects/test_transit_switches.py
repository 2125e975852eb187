# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transit switches and their tunnel keys (spec switches-2, switches-3, switches-4, switches-8)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.engine import Subject
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import ServerSchema
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.gateways import Gateways
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.transit_switches import TransitSwitches
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.tunnel_keys import DatapathKeys
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_SB, NB
from ansible_collections.ovn.interconnect.tests.support.examples import examples
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.server_rules import LACKING_IN_2303, schemas_without
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.simulated_zones import World, named, rows

FIRST = 16711682


def world(zones: Sequence[str] = ("az1", "az2"), **options: object) -> World:
    return World(lambda: [TransitSwitches()], zones, **options)  # type: ignore[arg-type]


def with_gateways() -> World:
    def subjects() -> list[Subject]:
        return [Gateways(), TransitSwitches()]

    w = World(subjects)
    gw1 = w.chassis("gw1", ip="192.0.2.1")
    w.add(w.zone.sb, "Chassis", gw1, "encaps", "Encap", type="vxlan", ip="192.0.2.1", chassis_name="gw1")
    return w


def datapaths(w: World) -> list[tuple[str, int]]:
    return rows(w.ic_sb, "Datapath_Binding", "transit_switch", "tunnel_key")


def config(w: World, name: str = "ts1", zone: str = "az1") -> dict[str, str]:
    return dict(named(w.site(zone).zone.nb, "Logical_Switch", name)["other_config"])


def set_mode(w: World, value: str) -> None:
    (row,) = w.ic_nb.rows("IC_NB_Global")
    w.put(w.ic_nb, "IC_NB_Global", row.uuid, options={"vxlan_mode": value})


def test_transit_switch_handling() -> None:
    """Each transit switch has a switch in every zone and a datapath (spec switches-S-1, switches-S-6, switches-S-8, switches-V-1)."""
    w = world()
    ts1 = w.transit_switch("ts1")
    ts2 = w.transit_switch("ts2")
    w.settle()
    assert sorted(key for _name, key in datapaths(w)) == [FIRST, FIRST + 1]
    assert rows(w.ic_sb, "Datapath_Binding", "type", "nb_ic_uuid") == sorted([("transit-switch", ts1), ("transit-switch", ts2)])
    for zone in ("az1", "az2"):
        for name, key in datapaths(w):
            assert config(w, name, zone) == {"interconn-ts": name, "ic-vxlan_mode": "false", "requested-tnl-key": str(key)}
    w.delete(w.ic_nb, "Transit_Switch", ts1)
    w.settle()
    assert [name for name, _key in datapaths(w)] == ["ts2"]
    assert rows(w.zone.nb, "Logical_Switch", "name") == rows(w.site("az2").zone.nb, "Logical_Switch", "name") == ["ts2"]
    assert w.rejections() == []
    w.check_law()


def test_our_mark_and_nothing_else_stands_in_external_ids() -> None:
    w = world()
    ts1 = w.transit_switch("ts1")
    w.settle()
    assert named(w.zone.nb, "Logical_Switch", "ts1")["external_ids"] == {"ovn-interconnect": "ts1", "ovn-interconnect-row": ts1}


def test_k2_the_lowest_free_key_is_taken() -> None:
    """The lowest free key is taken, a freed one at once (spec switches-K-2)."""
    w = world()
    first = w.transit_switch("ts1")
    w.settle()
    w.transit_switch("ts2")
    w.settle()
    w.delete(w.ic_nb, "Transit_Switch", first)
    w.settle()
    w.transit_switch("ts3")
    w.settle()
    assert datapaths(w) == [("ts2", FIRST + 1), ("ts3", FIRST)]


def test_k4_without_a_free_key_the_switch_waits() -> None:
    """Without a free key the switch is made without one, and gets it later (spec switches-K-4)."""
    w = with_gateways()
    set_mode(w, "true")
    w.settle()
    held = {key: w.put(w.ic_sb, "Datapath_Binding", tunnel_key=key, type="transit-router") for key in range(1024, 4096)}
    w.transit_switch("ts1")
    w.settle()
    assert "no tunnel key between 1024 and 4095 is free" in w.reasons()["ts1"]
    assert config(w) == {"interconn-ts": "ts1", "ic-vxlan_mode": "true"}
    w.delete(w.ic_sb, "Datapath_Binding", held[1024])
    w.settle()
    assert config(w)["requested-tnl-key"] == "1024"
    assert w.reasons() == {}


def test_k2_the_lower_end_comes_last() -> None:
    """The search begins behind the lower end, which comes last (spec switches-K-2)."""
    w = world()
    keys = DatapathKeys()
    assert [keys.take(w.zone, ("switch", name), name, range(5, 8)) for name in "abcd"] == [6, 7, 5, None]
    keys.release("a")
    assert keys.take(w.zone, ("switch", "d"), "d", range(5, 8)) == 6


def test_s2_the_name_of_the_switch_is_not_corrected() -> None:
    """A switch that was renamed in NB keeps its new name (spec switches-S-2)."""
    w = world()
    w.transit_switch("ts1")
    w.settle()
    w.put(w.zone.nb, "Logical_Switch", named(w.zone.nb, "Logical_Switch", "ts1").uuid, name="mine")
    assert w.settle() == []
    w.put(w.ic_sb, "Datapath_Binding", next(w.ic_sb.rows("Datapath_Binding")).uuid, tunnel_key=FIRST + 5)
    w.settle()
    assert config(w, "mine")["requested-tnl-key"] == str(FIRST + 5)


@pytest.mark.parametrize("text", ["7", "", "x", "16711682x"])
def test_s3_operator_changes_to_the_key_are_reverted(text: str) -> None:
    """An operator's change to requested-tnl-key is reverted (spec switches-S-3)."""
    w = world()
    w.transit_switch("ts1")
    w.settle()
    w.set_keys(w.zone.nb, "Logical_Switch", named(w.zone.nb, "Logical_Switch", "ts1").uuid, "other_config", requested_tnl_key=text)
    w.settle()
    assert config(w)["requested-tnl-key"] == str(FIRST)


def test_s3_another_text_of_the_same_number_stays() -> None:
    """Another text of the same number is left alone (spec switches-S-3)."""
    w = world()
    w.transit_switch("ts1")
    w.settle()
    row = named(w.zone.nb, "Logical_Switch", "ts1").uuid
    w.set_keys(w.zone.nb, "Logical_Switch", row, "other_config", requested_tnl_key=f"0{FIRST}")
    assert w.settle() == []


def test_quirk_s4_only_what_this_interconnect_made_is_deleted() -> None:
    """A switch without transit switch is deleted only if this interconnect made it (spec switches-S-4)."""
    w = world()
    w.put(w.zone.nb, "Logical_Switch", name="foreign", other_config={"interconn-ts": "unknown"})
    w.put(w.zone.nb, "Logical_Switch", name="marked", other_config={"interconn-ts": "gone"}, external_ids={"ovn-interconnect": "gone"})
    w.put(w.zone.nb, "Logical_Switch", name="bound", other_config={"interconn-ts": "old"})
    w.put(w.ic_sb, "Port_Binding", logical_port="p", transit_switch="old", availability_zone=w.az())
    w.put(w.zone.nb, "Logical_Switch", name="plain")
    w.settle()
    assert rows(w.zone.nb, "Logical_Switch", "name") == ["foreign", "plain"]
    assert "nothing shows that this interconnect created it" in w.reasons()["foreign"]


def pods(w: World, switch: str, *names: str) -> None:
    for name in names:
        w.add(w.zone.nb, "Logical_Switch", switch, "ports", "Logical_Switch_Port", name=name)


def ports_on(w: World, switch: str) -> list[str]:
    return sorted(row["name"] for row in w.zone.nb.child_rows("Logical_Switch", "ports", switch, "Logical_Switch_Port"))


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("populated", [False, True])
def test_a_switch_of_another_program_is_adopted_without_our_mark_and_released(populated: bool, stopped: bool) -> None:
    w = world()
    w.stop("az2")
    switch = w.put(w.zone.nb, "Logical_Switch", name="ts1", other_config={"interconn-ts": "ts1", "mcast_snoop": "true"})
    if populated:
        pods(w, switch, "pod1", "pod2")
    ts1 = w.transit_switch("ts1")
    w.settle()
    assert named(w.zone.nb, "Logical_Switch", "ts1").uuid == switch
    keys = {"interconn-ts": "ts1", "requested-tnl-key": str(FIRST), "ic-vxlan_mode": "false"}
    assert config(w) == {**keys, "mcast_snoop": "true"}
    assert named(w.zone.nb, "Logical_Switch", "ts1")["external_ids"] == {"ovn-interconnect-adopted": "ts1", "ovn-interconnect-row": ts1}
    w.add(w.zone.nb, "Logical_Switch", switch, "ports", "Logical_Switch_Port", name="copy", type="remote")
    request = {"requested-tnl-key": "5", "router-port": "r"}
    w.add(w.zone.nb, "Logical_Switch", switch, "ports", "Logical_Switch_Port", name="up", type="router", options=request)
    w.settle()
    if stopped:
        w.stop()
    w.delete(w.ic_nb, "Transit_Switch", ts1)
    w.start(shared_lock=True)
    w.settle()
    found = named(w.zone.nb, "Logical_Switch", "ts1")
    assert (found.uuid, found["other_config"], found["external_ids"]) == (switch, {"mcast_snoop": "true"}, {})
    assert ports_on(w, switch) == (["pod1", "pod2", "up"] if populated else ["up"])
    assert named(w.zone.nb, "Logical_Switch_Port", "up")["options"] == {"router-port": "r"}
    assert w.reasons() == {}
    w.check_law()


def test_a_switch_that_upstreams_daemon_made_is_deleted_with_its_definition() -> None:
    w = world()
    w.stop("az2")
    w.put(w.zone.nb, "Logical_Switch", name="ts1", other_config={"interconn-ts": "ts1", "requested-tnl-key": str(FIRST + 3)})
    ts1 = w.transit_switch("ts1")
    w.settle()
    assert named(w.zone.nb, "Logical_Switch", "ts1")["external_ids"] == {"ovn-interconnect-row": ts1}
    w.delete(w.ic_nb, "Transit_Switch", ts1)
    w.settle()
    assert rows(w.zone.nb, "Logical_Switch", "name") == []


@pytest.mark.parametrize("trace", ["pods", "external_ids", "none"])
@pytest.mark.parametrize("defined", [False, True])
def test_a_switch_that_version_010_marked_as_its_own_is_released_if_another_program_left_traces(trace: str, defined: bool) -> None:
    """That version wrote its mark on adopted switches too."""
    w = world()
    w.stop("az2")
    ids = {"ovn-interconnect": "ts1", **({"owner": "cms"} if trace == "external_ids" else {})}
    switch = w.put(w.zone.nb, "Logical_Switch", name="ts1", other_config={"interconn-ts": "ts1"}, external_ids=ids)
    if trace == "pods":
        pods(w, switch, "pod1")
    if defined:
        ts1 = w.transit_switch("ts1")
        w.settle()
        w.delete(w.ic_nb, "Transit_Switch", ts1)
    w.settle()
    assert rows(w.zone.nb, "Logical_Switch", "name") == ([] if trace == "none" else ["ts1"])
    if trace != "none":
        assert named(w.zone.nb, "Logical_Switch", "ts1")["external_ids"] == ({"owner": "cms"} if trace == "external_ids" else {})


@pytest.mark.parametrize("marked", [False, True])
def test_a_switch_that_another_program_makes_beside_ours_is_reported_and_stays(marked: bool) -> None:
    w = world()
    w.transit_switch("ts1")
    w.settle()
    ours = named(w.zone.nb, "Logical_Switch", "ts1").uuid
    theirs = w.put(w.zone.nb, "Logical_Switch", name="ts1", other_config={"interconn-ts": "ts1"} if marked else {})
    pods(w, theirs, "pod1")
    assert w.settle() == []
    (reason,) = w.reasons().values()
    assert theirs in reason
    assert "ts1" in reason
    assert w.zone.nb.row("Logical_Switch", ours)["other_config"]["requested-tnl-key"] == str(FIRST)
    w.put(w.zone.nb, "Logical_Switch", theirs, name="theirs", other_config={})
    w.settle()
    assert w.reasons() == {}
    w.check_law()


@pytest.mark.parametrize("kept", ["named", "with ports"])
def test_s5_of_two_switches_one_is_kept(kept: str) -> None:
    """Of two switches for one transit switch, the one of its name is used, else the one with ports (spec switches-S-5)."""
    w = world()
    for seed in range(4):
        w.random.seed(seed)
        name = f"ts{seed}"
        with w.batch():
            w.transit_switch(name)
            good = w.put(w.zone.nb, "Logical_Switch", name=name if kept == "named" else "a", other_config={"interconn-ts": name})
            other = w.put(w.zone.nb, "Logical_Switch", name="b", other_config={"interconn-ts": name})
            port_on = other if kept == "named" else good
            w.add(w.zone.nb, "Logical_Switch", port_on, "ports", "Logical_Switch_Port", name=f"port{seed}")
        w.settle()
        found = [row.uuid for row in w.zone.nb.rows("Logical_Switch") if row["other_config"]["interconn-ts"] == name]
        if kept == "named":  # the other one has a port of another program: it is reported and stays
            assert sorted(found) == sorted([good, other])
            assert "requested-tnl-key" not in w.zone.nb.row("Logical_Switch", other)["other_config"]
            assert "another one already stands for" in w.reasons()["b"]
        else:
            assert found == [good]
    w.check_law()


def test_an_ordinary_switch_of_the_same_name_is_left_alone() -> None:
    """A switch without interconn-ts is not used, whatever its name (spec switches-S-5)."""
    w = world()
    w.put(w.zone.nb, "Logical_Switch", name="ts1")
    w.transit_switch("ts1")
    w.settle()
    assert rows(w.zone.nb, "Logical_Switch", "name") == ["ts1", "ts1"]
    assert "is not part of it" in w.reasons()["ts1"]


def test_s7_type_and_uuid_are_filled_in_after_an_upgrade() -> None:
    """Columns that an older release left empty are filled in (spec switches-S-7)."""
    w = world()
    ts1 = w.transit_switch("ts1")
    w.put(w.ic_sb, "Datapath_Binding", transit_switch="ts1", tunnel_key=FIRST + 3)
    w.settle()
    assert rows(w.ic_sb, "Datapath_Binding", "type", "nb_ic_uuid", "tunnel_key") == [("transit-switch", ts1, FIRST + 3)]


def test_s8_surplus_datapaths_and_those_without_a_switch_are_deleted() -> None:
    """One datapath stays for each transit switch, all others go (spec switches-S-8)."""
    w = world()
    ts1 = w.transit_switch("ts1")
    w.put(w.ic_sb, "Datapath_Binding", transit_switch="ts1", tunnel_key=FIRST + 3)
    w.put(w.ic_sb, "Datapath_Binding", transit_switch="ts1", tunnel_key=FIRST + 4, nb_ic_uuid=ts1, type="transit-switch")
    w.put(w.ic_sb, "Datapath_Binding", transit_switch="gone", tunnel_key=FIRST + 5)
    w.put(w.ic_sb, "Datapath_Binding", tunnel_key=FIRST + 6)
    w.settle()
    assert datapaths(w) == [("ts1", FIRST + 4)]


def test_only_the_holder_of_the_lock_writes_datapaths() -> None:
    """Only the zone with the lock writes datapaths, and it does so as soon as it gets the lock (spec switches-4.3, status-F-6)."""
    w = world()
    w.give_lock("")
    ts1 = w.transit_switch("ts1")
    w.put(w.ic_sb, "Datapath_Binding", transit_switch="gone", tunnel_key=9)
    w.settle()
    assert datapaths(w) == [("gone", 9)]
    assert rows(w.zone.nb, "Logical_Switch", "name") == ["ts1"]
    w.give_lock("az2")
    w.settle()
    assert datapaths(w) == [("ts1", FIRST)]
    assert {change.shared for change in w.site("az2").written if change.database == IC_SB} == {True}
    assert not [change for change in w.site("az1").written if change.database == IC_SB]
    w.give_lock("")
    w.delete(w.ic_nb, "Transit_Switch", ts1)
    w.settle()
    assert datapaths(w) == [("ts1", FIRST)]
    assert rows(w.site("az2").zone.nb, "Logical_Switch", "name") == []


def test_vxlan_tunnel_key() -> None:
    """The mode decides the flag and the range of the key (spec switches-V-1, switches-V-3, switches-8)."""
    w = with_gateways()
    w.transit_switch("ts1")
    w.settle()
    assert config(w) == {"ic-vxlan_mode": "false", "interconn-ts": "ts1", "requested-tnl-key": "16711682"}
    set_mode(w, "true")
    w.settle()
    assert config(w) == {"ic-vxlan_mode": "true", "interconn-ts": "ts1", "requested-tnl-key": "1025"}
    set_mode(w, "false")
    w.settle()
    assert config(w) == {"ic-vxlan_mode": "false", "interconn-ts": "ts1", "requested-tnl-key": "16711682"}
    w.check_law()


def test_vxlan_mode_without_a_vxlan_encap_does_nothing_and_falls_back_with_the_last() -> None:
    """The option counts only while IC_SB has an encap of type vxlan (spec zones-B.3, switches-V-2)."""
    w = with_gateways()
    gw1 = named(w.zone.sb, "Chassis", "gw1")
    (encap,) = [row for row in w.zone.sb.rows("Encap") if row["type"] == "vxlan"]
    w.remove(w.zone.sb, "Chassis", "encaps", encap.uuid)
    set_mode(w, "true")
    w.transit_switch("ts1")
    w.settle()
    assert config(w)["ic-vxlan_mode"] == "false"
    w.add(w.zone.sb, "Chassis", gw1.uuid, "encaps", "Encap", type="vxlan", ip="192.0.2.1")
    w.settle()
    assert (config(w)["ic-vxlan_mode"], config(w)["requested-tnl-key"]) == ("true", "1025")
    w.delete(w.zone.sb, "Chassis", gw1.uuid)
    w.settle()
    assert (config(w)["ic-vxlan_mode"], config(w)["requested-tnl-key"]) == ("false", "16711682")
    w.check_law()


def test_quirk_v3_a_key_outside_the_range_is_refreshed_whatever_the_writers_flags_say() -> None:
    """A key outside the range of the mode is replaced, whatever the switches' flags say (spec switches-V-3, newest-N-7)."""
    w = with_gateways()
    set_mode(w, "true")
    w.settle()
    w.put(w.zone.nb, "Logical_Switch", name="ts1", other_config={"interconn-ts": "ts1", "ic-vxlan_mode": "true"})
    w.put(w.ic_sb, "Datapath_Binding", transit_switch="ts1", tunnel_key=FIRST)
    w.transit_switch("ts1")
    w.settle()
    assert datapaths(w) == [("ts1", 1025)]
    w.delete(w.ic_sb, "Datapath_Binding", next(w.ic_sb.rows("Datapath_Binding")).uuid)
    w.settle()
    assert datapaths(w) == [("ts1", 1025)]


def test_quirk_v3_each_key_is_refreshed_once_whatever_the_number_of_zones() -> None:
    """One zone replaces each key once (spec switches-V-3)."""
    w = World(lambda: [Gateways(), TransitSwitches()], ["az1", "az2", "az3"])
    w.chassis("gw1", zone="az2", kind="vxlan")
    w.transit_switch("ts1")
    w.settle()
    set_mode(w, "true")
    changes = w.settle(together=True)
    assert [change.columns for change in changes if change.table == "Datapath_Binding"] == [{"tunnel_key": 1025}]
    assert [config(w, zone=zone)["requested-tnl-key"] for zone in w.sites] == ["1025"] * 3
    assert w.rejections() == []


def test_quirk_s6_zones_that_act_at_once_make_one_datapath_and_all_take_its_key() -> None:
    """One connection both provides the datapaths and reports their changes, so a key always reaches NB (spec status-F.5, switches-S-6)."""
    w = world(["az1", "az2", "az3"])
    with w.batch():
        for number in range(5):
            w.transit_switch(f"ts{number}")
    w.settle(together=True)
    keys = dict(datapaths(w))
    assert sorted(keys) == [f"ts{number}" for number in range(5)]
    assert len(set(keys.values())) == len(list(w.ic_sb.rows("Datapath_Binding"))) == 5
    for zone in w.sites:
        assert {name: config(w, name, zone)["requested-tnl-key"] for name in keys} == {name: str(key) for name, key in keys.items()}
    assert w.rejections() == []


def test_a_switch_of_an_older_release_gets_both_keys_in_one_write() -> None:
    """A switch without the flag gets it as false, together with the key (spec switches-V-2, newest-N-10)."""
    w = world()
    w.put(w.zone.nb, "Logical_Switch", name="ts1", other_config={"interconn-ts": "ts1"})
    w.transit_switch("ts1")
    w.settle()
    assert (config(w)["ic-vxlan_mode"], config(w)["requested-tnl-key"]) == ("false", str(FIRST))


def test_d4_older_northbound_schemas_get_no_vxlan_key() -> None:
    """An NB schema before 25.03 gets no ic-vxlan_mode (spec switches-D-4)."""
    schemas = schemas_without()
    schemas[NB] = ServerSchema(NB, "7.0.0", schemas[NB].json)
    w = world(schemas=schemas)
    w.transit_switch("ts1")
    w.settle()
    assert "ic-vxlan_mode" not in config(w)


def test_d3_works_on_the_oldest_schemas() -> None:
    """Without the column type every datapath is a switch's (spec switches-D-1, switches-D-3)."""
    w = world(schemas=schemas_without(*LACKING_IN_2303))
    w.transit_switch("ts1")
    w.transit_switch("ts2")
    w.settle()
    assert sorted(key for _name, key in datapaths(w)) == [FIRST, FIRST + 1]
    assert w.rejections() == []


def test_keys_survive_the_loss_of_ic_sb_and_new_switches_do_not_take_them() -> None:
    w = world()
    for number in range(1, 4):
        w.transit_switch(f"ts{number}")
        w.settle()
    before = datapaths(w)
    with w.batch():
        for row in list(w.ic_sb.rows("Datapath_Binding")):
            w.delete(w.ic_sb, "Datapath_Binding", row.uuid)
        w.transit_switch("a-new-one")
        w.stop()
        w.start(shared_lock=True)
    w.engine.add("transit_switches", "a-new-one")
    w.settle()
    assert datapaths(w) == [("a-new-one", FIRST + 3), *before]
    assert w.rejections() == []


def lose_ic_sb(w: World) -> None:
    """IC_SB was rebuilt: it has no datapath."""
    with w.batch():
        for row in list(w.ic_sb.rows("Datapath_Binding")):
            w.delete(w.ic_sb, "Datapath_Binding", row.uuid)


def test_keys_survive_although_the_lock_goes_first_to_a_zone_that_does_not_know_them() -> None:
    """az3 was away while the switches were made; it is the first to insert their datapaths again."""
    w = world(("az1", "az2", "az3"))
    w.stop("az3")
    for number in range(1, 4):
        w.transit_switch(f"ts{number}")
        w.settle()
    before = datapaths(w)
    w.stop("az1")
    w.stop("az2")
    lose_ic_sb(w)
    w.transit_switch("a-new-one")
    w.start("az3", shared_lock=True)
    w.settle()
    assert datapaths(w) == [("a-new-one", FIRST + 3), *before]
    w.start("az1")
    w.start("az2")
    w.settle()
    for zone in w.sites:
        assert [config(w, name, zone)["requested-tnl-key"] for name, _key in before] == [str(key) for _name, key in before]
    assert w.rejections() == []
    w.check_law()


def test_a_key_that_a_switch_still_has_is_not_requested_for_another_one() -> None:
    """az2 withholds the deletion of a switch, and the zone with the lock gives its key to a new one."""
    w = world()
    old = w.transit_switch("old")
    w.settle()
    w.stop("az2")
    w.delete(w.ic_nb, "Transit_Switch", old)
    w.settle()
    w.transit_switch("new")
    w.settle()
    assert datapaths(w) == [("new", FIRST)]
    # The switch stays: nothing proves that this interconnect made it.
    nb = w.site("az2").zone.nb
    w.put(nb, "Logical_Switch", named(nb, "Logical_Switch", "old").uuid, external_ids={})
    w.start("az2")
    w.settle()
    assert config(w, "old", "az2")["requested-tnl-key"] == str(FIRST)
    assert "requested-tnl-key" not in config(w, "new", "az2")
    assert "because switch old still has it" in w.reasons("az2")["new"]
    w.check_law()
    w.delete(nb, "Logical_Switch", named(nb, "Logical_Switch", "old").uuid)
    w.settle()
    assert config(w, "new", "az2")["requested-tnl-key"] == str(FIRST)
    w.check_law()


def test_a_key_is_not_given_to_another_switch_while_a_zone_has_ports_on_the_old_one() -> None:
    w = world()
    old = w.transit_switch("old")
    w.settle()
    columns = {"logical_port": "p", "transit_switch": "old", "tunnel_key": 1}
    port = w.put(w.ic_sb, "Port_Binding", availability_zone=w.az("az2"), **columns)
    w.delete(w.ic_nb, "Transit_Switch", old)
    w.settle()
    w.transit_switch("new")
    w.settle()
    assert datapaths(w) == [("new", FIRST + 1), ("old", FIRST)]
    assert "but the zones az2 have ports on it: its datapath and tunnel key" in w.reasons()["old"]
    w.delete(w.ic_sb, "Port_Binding", port)
    w.settle()
    w.transit_switch("newer")
    w.settle()
    assert datapaths(w) == [("new", FIRST + 1), ("newer", FIRST)]
    w.check_law()


def test_a_transit_switch_that_is_defined_again_while_a_zone_has_ports_on_it_gets_its_key_back() -> None:
    """Also where the lock has gone to a daemon that has just started, and IC_NB notes no key."""
    w = world()
    w.transit_switch("first")
    old = w.transit_switch("old")
    w.settle()
    columns = {"logical_port": "p", "transit_switch": "old", "tunnel_key": 1}
    w.put(w.ic_sb, "Port_Binding", availability_zone=w.az("az2"), **columns)
    w.delete(w.ic_nb, "Transit_Switch", old)
    w.settle()
    w.stop("az1")
    w.start("az1", shared_lock=True)
    w.delete(w.ic_nb, "Transit_Switch", named(w.ic_nb, "Transit_Switch", "first").uuid)
    w.settle()
    w.transit_switch("old")
    w.settle()
    assert datapaths(w) == [("old", FIRST + 1)]


def test_a_key_is_not_requested_while_the_switch_that_has_it_waits_for_its_own() -> None:
    """Switch c keeps a key that is b's now, so b keeps one that is a's now."""
    w = world()
    for name in ("a", "b", "c"):
        w.transit_switch(name)
    w.settle()
    w.stop("az2")
    nb = w.site("az2").zone.nb
    keys = {"a": FIRST, "b": FIRST + 1, "c": FIRST + 2}
    w.delete(w.ic_nb, "Transit_Switch", named(w.ic_nb, "Transit_Switch", "c").uuid)
    w.settle()
    for name, key in (("b", "c"), ("a", "b")):
        row = named(w.ic_sb, "Datapath_Binding", name, "transit_switch")
        w.put(w.ic_sb, "Datapath_Binding", row.uuid, tunnel_key=keys[key])
    w.put(nb, "Logical_Switch", named(nb, "Logical_Switch", "c").uuid, external_ids={})  # stays: nothing proves that it was made here
    w.start("az2")
    w.settle()
    assert {name: config(w, name, "az2")["requested-tnl-key"] for name in keys} == {name: str(key) for name, key in keys.items()}
    assert "because switch b still has it" in w.reasons("az2")["a"]
    w.delete(nb, "Logical_Switch", named(nb, "Logical_Switch", "c").uuid)
    w.settle()
    assert (config(w, "a", "az2")["requested-tnl-key"], config(w, "b", "az2")["requested-tnl-key"]) == (str(FIRST + 1), str(FIRST + 2))
    w.check_law()


@pytest.mark.parametrize("gateway_in", ["az1", "az2"])
def test_keys_survive_the_loss_of_ic_sb_in_vxlan_mode(gateway_in: str) -> None:
    """Datapaths are planned before any encap is committed: the mode must not be off until then."""
    w = World(lambda: [Gateways(), TransitSwitches()], ["az1", "az2"])
    w.chassis("gw1", zone=gateway_in, kind="vxlan")
    set_mode(w, "true")
    w.settle()
    first = w.transit_switch("ts0")
    for number in range(1, 4):
        w.transit_switch(f"ts{number}")
        w.settle()
    w.delete(w.ic_nb, "Transit_Switch", first)
    w.settle()
    before = datapaths(w)
    assert before == [("ts1", 1026), ("ts2", 1027), ("ts3", 1028)]
    written = len(w.site("az1").written)
    with w.batch():
        for table in ("Datapath_Binding", "Gateway"):
            for row in list(w.ic_sb.rows(table)):
                w.delete(w.ic_sb, table, row.uuid)
        for row in list(w.ic_sb.rows("Encap")):
            w.delete(w.ic_sb, "Encap", row.uuid)
    # The guard withholds the deletion of the gateway's copy.
    w.held_pass("az1")
    w.settle(together=True)
    assert datapaths(w) == before
    again = [change for change in w.site("az1").written[written:] if change.table in ("Datapath_Binding", "Logical_Switch")]
    assert [(change.table, change.action) for change in again] == [("Datapath_Binding", "insert")] * 3
    w.check_law()


def test_a_refresh_takes_the_key_that_the_switch_has() -> None:
    w = with_gateways()
    set_mode(w, "true")
    w.settle()
    w.put(w.zone.nb, "Logical_Switch", name="ts1", other_config={"interconn-ts": "ts1", "requested-tnl-key": "1030"})
    with w.batch():
        w.put(w.ic_sb, "Datapath_Binding", transit_switch="ts1", tunnel_key=FIRST)
        w.transit_switch("ts1")
    w.settle()
    assert datapaths(w) == [("ts1", 1030)]


def test_a_chassis_whose_name_is_another_zones_does_not_make_the_vxlan_mode() -> None:
    w = World(lambda: [Gateways(), TransitSwitches()], ["az1", "az2"])
    w.chassis("gw1", zone="az2")
    w.settle()
    w.delete(w.zone.sb, "Chassis", named(w.zone.sb, "Chassis", "gw1").uuid)
    set_mode(w, "true")
    w.chassis("gw1", zone="az1", kind="vxlan", ip="192.0.2.77")
    w.transit_switch("ts1")
    w.settle()
    assert datapaths(w) == [("ts1", FIRST)]
    w.check_law()


def test_the_mode_is_followed_after_a_pause_in_which_it_was_turned_on() -> None:
    w = with_gateways()
    w.transit_switch("ts1")
    w.settle()
    w.stop()
    set_mode(w, "true")
    w.resume()
    w.give_lock("az1")
    w.settle()
    assert (config(w)["ic-vxlan_mode"], config(w)["requested-tnl-key"]) == ("true", "1025")
    set_mode(w, "false")
    w.settle()
    assert (config(w)["ic-vxlan_mode"], config(w)["requested-tnl-key"]) == ("false", "16711682")
    w.check_law()


def test_k2_a_key_that_was_freed_during_a_pause_is_taken() -> None:
    w = world(["az1"])
    gone = w.transit_switch("ts0")
    for number in range(1, 4):
        w.settle()
        w.transit_switch(f"ts{number}")
    w.settle()
    w.stop()
    w.delete(w.ic_nb, "Transit_Switch", gone)
    w.delete(w.ic_sb, "Datapath_Binding", named(w.ic_sb, "Datapath_Binding", "ts0", "transit_switch").uuid)
    w.resume()
    w.give_lock("az1")
    w.settle()
    w.transit_switch("new")
    w.settle()
    assert dict(datapaths(w))["new"] == FIRST


def test_k5_of_two_datapaths_with_one_key_the_one_that_nb_uses_keeps_it() -> None:
    """A key that two datapaths share stays with the one whose switch uses it (spec switches-K-5)."""
    w = world()
    for name in ("ts1", "ts2"):
        w.transit_switch(name)
        w.settle()
    w.give_lock("")
    w.put(w.ic_sb, "Datapath_Binding", named(w.ic_sb, "Datapath_Binding", "ts2", "transit_switch").uuid, tunnel_key=FIRST)
    w.settle()
    for zone in w.sites:
        assert config(w, "ts2", zone)["requested-tnl-key"] == str(FIRST + 1)
        assert "has the tunnel key 16711682, which another datapath has too" in w.reasons(zone)["ts2"]
        assert "ts1" not in w.reasons(zone)
    w.check_law()
    w.give_lock("az2")
    w.settle()
    assert datapaths(w) == [("ts1", FIRST), ("ts2", FIRST + 1)]
    assert w.reasons("az1") == w.reasons("az2") == {}
    w.check_law()


def test_k5_datapaths_that_were_made_with_one_key_at_once_end_with_two() -> None:
    """Two datapaths that were given one key at once end with two keys (spec switches-K-5)."""
    w = world()
    with w.batch():
        for name in ("ts1", "ts2", "ts3"):
            w.put(w.ic_sb, "Datapath_Binding", transit_switch=name, tunnel_key=FIRST, nb_ic_uuid=w.transit_switch(name))
    w.settle(together=True)
    assert sorted(key for _name, key in datapaths(w)) == [FIRST, FIRST + 1, FIRST + 2]
    for zone in w.sites:
        assert {(name, int(config(w, name, zone)["requested-tnl-key"])) for name in ("ts1", "ts2", "ts3")} == set(datapaths(w))
    assert w.rejections() == []
    w.check_law()


def test_a_thousand_switches_at_once_have_different_keys() -> None:
    w = world(["az1"])
    with w.batch():
        for number in range(1000):
            w.transit_switch(f"ts{number}")
    w.settle()
    assert sorted(key for _name, key in datapaths(w)) == list(range(FIRST, FIRST + 1000))


@pytest.mark.parametrize("name", ["", 'a "b"', "ü" * 200])
def test_odd_names(name: str) -> None:
    w = world()
    ts = w.transit_switch(name)
    w.settle()
    assert [found for found, _key in datapaths(w)] == [name]
    w.delete(w.ic_nb, "Transit_Switch", ts)
    w.settle()
    assert datapaths(w) == rows(w.zone.nb, "Logical_Switch", "name") == []


ACTIONS = st.tuples(st.integers(0, 9), st.sampled_from(["ts1", "ts2"]), st.sampled_from(["az1", "az2"]), st.booleans())


@examples(60)
@given(st.lists(ACTIONS, max_size=25))
def test_law(history: list[tuple[int, str, str, bool]]) -> None:
    w = world()
    w.put(w.ic_sb, "Encap", type="vxlan", ip="192.0.2.1")
    for action, name, zone, now in history:
        nb = w.site(zone).zone.nb
        row = w.ic_nb.first("Transit_Switch", "name", name)
        switch = nb.first("Logical_Switch", "interconn-ts", name)
        datapath = next((found for found in w.ic_sb.rows("Datapath_Binding") if found["transit_switch"] == name), None)
        if action <= 1 and row is None:
            w.transit_switch(name)
        elif action == 1 and row is not None:
            w.delete(w.ic_nb, "Transit_Switch", row.uuid)
        elif action == 2 and row is not None:
            w.put(w.ic_nb, "Transit_Switch", row.uuid, name=f"{name}x")
        elif action == 3 and switch is not None:
            w.delete(nb, "Logical_Switch", switch.uuid)
        elif action == 4 and switch is not None:
            w.put(nb, "Logical_Switch", switch.uuid, other_config={})
        elif action == 5:
            w.put(nb, "Logical_Switch", name=name, other_config={"interconn-ts": name})
        elif action == 6 and datapath is not None:
            w.delete(w.ic_sb, "Datapath_Binding", datapath.uuid)
        elif action == 7:
            set_mode(w, str(now).lower())
        elif action == 8:
            w.give_lock(zone)
        elif action == 9 and datapath is not None:
            w.put(w.ic_sb, "Datapath_Binding", datapath.uuid, tunnel_key=FIRST + int(now))
        if now:
            w.settle()
    w.settle()
    assert w.rejections() == []
    w.check_law()
    assert len({key for _name, key in datapaths(w)}) == len(datapaths(w))


def test_a_datapath_is_not_made_where_a_daemon_without_the_lock_was_faster() -> None:
    """An older daemon that takes no lock may be faster; its datapath is used (spec switches-D-5)."""
    w = world()
    w.put(w.zone.ic_nb, "Transit_Switch", name="ts1")
    steps = [step for step in TransitSwitches().plan("ts1", w.zone) if isinstance(step, Change)]
    assert {step.table: dict(step.unless) for step in steps} == {
        "Logical_Switch": {"other_config": {"interconn-ts": "ts1"}},
        "Datapath_Binding": {"transit_switch": "ts1", "type": "transit-switch"},
    }
