# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gateways of this zone in IC_SB, and those of other zones in SB (spec zones-B)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import ServerSchema
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.gateways import Gateways
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_SB
from ansible_collections.ovn.interconnect.tests.support.examples import examples
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.server_rules import schemas_without
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.simulated_zones import World, named, rows


def world(**options: object) -> World:
    return World(lambda: [Gateways()], ["az1", "az2"], **options)  # type: ignore[arg-type]


def sb(w: World, zone: str) -> Store:
    return w.site(zone).zone.sb


def add_encap(w: World, store: Store, chassis: str, kind: str, ip: str, **options: str) -> str:
    return w.add(store, "Chassis", chassis, "encaps", "Encap", type=kind, ip=ip, options={"csum": "true", **options}, chassis_name="gw1")


def test_gateway_sync() -> None:
    """A gateway is copied to other zones with host name and encaps, and nothing else (spec zones-B-1, zones-B-2, zones-B-7, zones-D)."""
    w = world()
    gw1 = w.chassis("gw1", zone="az1", ip="192.0.2.1")
    add_encap(w, sb(w, "az1"), gw1, "vxlan", "192.0.2.1")
    w.settle()
    assert rows(w.ic_sb, "Gateway", "name", "hostname", "availability_zone") == [("gw1", "gw1", w.az("az1"))]
    copy = named(sb(w, "az2"), "Chassis", "gw1")
    assert (copy["hostname"], copy["other_config"]) == ("gw1", {"is-remote": "true"})
    assert rows(sb(w, "az2"), "Encap", "type", "ip", "options", "chassis_name") == [
        ("geneve", "192.0.2.1", (("csum", "true"),), "gw1"),
        ("vxlan", "192.0.2.1", (("csum", "true"),), "gw1"),
    ]
    assert rows(w.ic_sb, "Encap", "type", "gateway_name") == [("geneve", "gw1"), ("vxlan", "gw1")]
    w.set_keys(sb(w, "az1"), "Chassis", gw1, "other_config", is_interconn="false")
    w.settle()
    assert rows(sb(w, "az2"), "Chassis", "name") == rows(w.ic_sb, "Gateway", "name") == rows(w.ic_sb, "Encap", "ip") == []
    w.set_keys(sb(w, "az1"), "Chassis", gw1, "other_config", is_interconn="TRUE")
    w.settle()
    assert rows(sb(w, "az2"), "Chassis", "name") == ["gw1"]
    w.delete(sb(w, "az1"), "Chassis", gw1)
    w.settle()
    assert rows(sb(w, "az2"), "Chassis", "name") == []
    assert w.rejections() == []


def test_only_the_word_true_makes_a_gateway() -> None:
    """Flags are booleans: any other word than true is false (spec zones-B.1, zones-0)."""
    w = world()
    w.set_keys(sb(w, "az1"), "Chassis", w.chassis("gw1", zone="az1"), "other_config", is_interconn="yes")
    assert w.settle() == []


def test_changed_encaps_are_replaced_whole() -> None:
    """A difference in one encap or in the host name rewrites the copy with new encaps (spec zones-B-4, zones-B-5)."""
    w = world()
    gw1 = w.chassis("gw1", zone="az1", ip="192.0.2.1")
    w.settle()
    (old,) = (row.uuid for row in sb(w, "az2").rows("Encap"))
    first = next(iter(sb(w, "az1").children("Chassis", "encaps", gw1)))
    w.put(sb(w, "az1"), "Encap", first, options={"csum": "false"})
    w.settle()
    assert [row.uuid for row in sb(w, "az2").rows("Encap")] != [old]
    assert rows(sb(w, "az2"), "Encap", "options") == [(("csum", "false"),)]
    w.put(sb(w, "az1"), "Encap", first, ip="192.0.2.9")
    w.put(sb(w, "az1"), "Chassis", gw1, hostname="other")
    add_encap(w, sb(w, "az1"), gw1, "vxlan", "192.0.2.9")
    w.settle()
    assert rows(sb(w, "az2"), "Encap", "type", "ip") == [("geneve", "192.0.2.9"), ("vxlan", "192.0.2.9")]
    assert rows(sb(w, "az2"), "Chassis", "hostname") == ["other"]
    w.check_law()


def test_b6_other_keys_of_a_remote_chassis_stay_and_operator_edits_are_reverted() -> None:
    """Other keys of a copy's other_config stay, edits of what is copied are reverted (spec zones-B-6)."""
    w = world()
    w.chassis("gw1", zone="az1")
    w.settle()
    copy = named(sb(w, "az2"), "Chassis", "gw1").uuid
    w.put(sb(w, "az2"), "Chassis", copy, hostname="mine", other_config={"is-remote": "true", "x": "y"})
    w.settle()
    row = named(sb(w, "az2"), "Chassis", "gw1")
    assert (row["hostname"], row["other_config"]) == ("gw1", {"is-remote": "true", "x": "y"})
    w.delete(sb(w, "az2"), "Chassis", copy)
    w.settle()
    assert named(sb(w, "az2"), "Chassis", "gw1").uuid != copy


def test_a_chassis_with_both_flags_is_a_local_gateway() -> None:
    """is-interconn wins over is-remote (spec zones-B-1)."""
    w = world()
    gw1 = w.chassis("gw1", zone="az1")
    w.set_keys(sb(w, "az1"), "Chassis", gw1, "other_config", is_remote="true")
    w.settle()
    assert rows(w.ic_sb, "Gateway", "name") == rows(sb(w, "az1"), "Chassis", "name") == ["gw1"]


def test_quirk_same_chassis_name_in_two_zones_blocks_nobody() -> None:
    """One chassis name in two zones: the first zone keeps it, the second reports it (spec zones-B.4)."""
    w = world()
    first = w.chassis("gw1", zone="az1")
    w.settle()
    with w.batch():
        w.delete(sb(w, "az2"), "Chassis", named(sb(w, "az2"), "Chassis", "gw1").uuid)
        w.chassis("gw1", zone="az2", ip="192.0.2.77")
    w.chassis("gw2", zone="az2", ip="192.0.2.78")
    w.settle()
    assert rows(w.ic_sb, "Gateway", "name", "availability_zone") == sorted([("gw1", w.az("az1")), ("gw2", w.az("az2"))])
    assert "zone az1 has a gateway of this name" in w.reasons("az2")["gw1"]
    assert w.rejections() == []
    w.delete(sb(w, "az1"), "Chassis", first)
    w.settle()
    assert named(w.ic_sb, "Gateway", "gw1")["availability_zone"] == w.az("az2")
    assert named(sb(w, "az1"), "Chassis", "gw1")["other_config"] == {"is-remote": "true"}
    assert w.reasons("az2") == {}
    w.check_law()


def test_quirk_same_encap_in_two_zones_blocks_nobody() -> None:
    """One encap in two zones: the first zone keeps it, the second reports it (spec zones-B.4)."""
    w = world()
    first = w.chassis("gw1", zone="az1", ip="192.0.2.1")
    second = w.chassis("gw2", zone="az2", ip="192.0.2.1")
    w.settle()
    assert rows(w.ic_sb, "Gateway", "name") == ["gw1"]
    assert "gateway gw1 already has it" in w.reasons("az2")["gw2"]
    # Its second encap is free: the gateway is published with it.
    add_encap(w, sb(w, "az2"), second, "vxlan", "192.0.2.2")
    w.settle()
    assert rows(w.ic_sb, "Encap", "type", "ip", "gateway_name") == [("geneve", "192.0.2.1", "gw1"), ("vxlan", "192.0.2.2", "gw2")]
    # In az2 the copy of gw1 collides with the local encap: said, and nothing written.
    assert rows(sb(w, "az2"), "Chassis", "name") == ["gw2"]
    w.delete(sb(w, "az1"), "Chassis", first)
    w.settle()
    assert rows(w.ic_sb, "Encap", "type", "ip", "gateway_name") == [("geneve", "192.0.2.1", "gw2"), ("vxlan", "192.0.2.2", "gw2")]
    assert w.rejections() == []
    w.check_law()


def renumber(w: World, **addresses: int) -> None:
    """Give chassis of az1 other addresses."""
    store = sb(w, "az1")
    for name, number in addresses.items():
        (encap,) = store.children("Chassis", "encaps", named(store, "Chassis", name).uuid)
        w.put(store, "Encap", encap, ip=f"192.0.2.{number}")


@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param({"gw1": 2, "gw2": 1}, id="exchanged"),
        pytest.param({"gw1": 2, "gw2": 3, "gw3": 1}, id="exchanged by three"),
        pytest.param({"gw1": 2, "gw2": 9}, id="passed on"),
        pytest.param({"gw1": 9, "gw2": 1, "gw3": 2}, id="passed on and on"),
        pytest.param({"gw1": 2, "gw2": 1, "gw3": 9, "gw4": 3}, id="exchanged and passed on"),
    ],
)
def test_gateways_that_pass_on_their_addresses_stay(addresses: dict[str, int]) -> None:
    w = world()
    for number in range(1, 5):
        w.chassis(f"gw{number}", zone="az1", ip=f"192.0.2.{number}")
    w.settle()
    before = [row.uuid for store, table in ((w.ic_sb, "Gateway"), (sb(w, "az2"), "Chassis")) for row in store.rows(table)]
    with w.batch():
        renumber(w, **addresses)
    w.settle()
    expected = sorted((f"192.0.2.{addresses.get(f'gw{number}', number)}", f"gw{number}") for number in range(1, 5))
    assert rows(w.ic_sb, "Encap", "ip", "gateway_name") == rows(sb(w, "az2"), "Encap", "ip", "chassis_name") == expected
    assert [row.uuid for store, table in ((w.ic_sb, "Gateway"), (sb(w, "az2"), "Chassis")) for row in store.rows(table)] == before
    assert w.rejections() == []
    assert w.reasons("az1") == w.reasons("az2") == {}
    w.check_law()


def test_a_gateway_gets_the_address_of_one_that_goes() -> None:
    w = world()
    old = w.chassis("gw1", zone="az1", ip="192.0.2.1")
    w.chassis("gw2", zone="az1", ip="192.0.2.2")
    w.settle()
    before = named(sb(w, "az2"), "Chassis", "gw2").uuid
    with w.batch():
        w.delete(sb(w, "az1"), "Chassis", old)
        renumber(w, gw2=1)
    w.settle()
    assert rows(w.ic_sb, "Encap", "ip", "gateway_name") == rows(sb(w, "az2"), "Encap", "ip", "chassis_name") == [("192.0.2.1", "gw2")]
    assert [row.uuid for row in sb(w, "az2").rows("Chassis")] == [before]
    assert w.rejections() == []
    w.check_law()


def test_quirk_a_remote_chassis_that_lost_its_flag_is_adopted_again() -> None:
    """A copy without its flag gets it again (spec zones-B.4)."""
    w = world()
    w.chassis("gw1", zone="az1")
    w.settle()
    copy = named(sb(w, "az2"), "Chassis", "gw1").uuid
    w.set_keys(sb(w, "az2"), "Chassis", copy, "other_config", is_remote=None)
    w.settle()
    row = named(sb(w, "az2"), "Chassis", "gw1")
    assert (row.uuid, row["other_config"]) == (copy, {"is-remote": "true"})


def test_quirk_a_plain_local_chassis_of_a_gateways_name_is_reported() -> None:
    """A local chassis of a gateway's name is left alone (spec zones-B.4)."""
    w = world()
    w.chassis("gw1", zone="az2", interconn=False, ip="192.0.2.9")
    w.chassis("gw1", zone="az1", ip="192.0.2.1")
    w.settle()
    assert named(sb(w, "az2"), "Chassis", "gw1")["other_config"] == {}
    assert "a local chassis has this name" in w.reasons("az2")["gw1"]


def test_a_real_chassis_is_never_taken_for_a_copy() -> None:
    """A chassis without flags is ignored, also with the address of a gateway (spec zones-B-3)."""
    w = world()
    mine = w.chassis("gw1", zone="az2", interconn=False, ip="192.0.2.1")
    w.put(sb(w, "az2"), "Chassis", mine, other_config={"datapath-type": "netdev"})
    w.chassis("gw1", zone="az1", ip="192.0.2.1")
    w.settle()
    assert "is-remote" not in named(sb(w, "az2"), "Chassis", "gw1")["other_config"]


def test_quirk_an_encap_type_that_ic_sb_does_not_know_is_left_out() -> None:
    """An encap type that IC_SB lacks is left out (spec zones-B.4)."""
    schemas = schemas_without()
    tables = dict(schemas[IC_SB].json["tables"])
    kind = {"type": {"key": {"type": "string", "enum": ["set", ["geneve", "vxlan"]]}}}
    tables["Encap"] = {"columns": {**tables["Encap"]["columns"], "type": kind}}
    schemas[IC_SB] = ServerSchema(IC_SB, "", {"name": IC_SB, "tables": tables})
    w = world(schemas=schemas)
    odd = w.chassis("gw1", zone="az1", kind="stt", ip="192.0.2.1")
    w.chassis("gw2", zone="az1", ip="192.0.2.2")
    w.settle()
    assert rows(w.ic_sb, "Gateway", "name") == ["gw2"]
    assert "does not support this type" in w.reasons("az1")["gw1"]
    add_encap(w, sb(w, "az1"), odd, "geneve", "192.0.2.1")
    w.settle()
    assert rows(w.ic_sb, "Gateway", "name") == ["gw1", "gw2"]


def test_rows_without_encaps_are_ignored() -> None:
    """Chassis and gateways without encaps are ignored (spec zones-B.4)."""
    w = world()
    w.put(sb(w, "az1"), "Chassis", name="gw1", other_config={"is-interconn": "true"})
    w.put(w.ic_sb, "Gateway", name="gw9", availability_zone=w.az("az2"))
    w.site("az2").stopped = True
    assert w.settle() == []


def test_flags_stand_in_external_ids_where_there_is_no_other_config() -> None:
    """Schemas before 20.06 have the flags in external_ids (spec zones-C)."""
    w = world(schemas=schemas_without("OVN_Southbound.Chassis.other_config"))
    gw1 = w.chassis("gw1", zone="az1")
    w.put(sb(w, "az1"), "Chassis", gw1, other_config={}, external_ids={"is-interconn": "true"})
    w.settle()
    assert named(sb(w, "az2"), "Chassis", "gw1")["external_ids"] == {"is-remote": "true"}


def exchange(w: World, store: Store, chassis: str, name: str) -> None:
    """A chassis and another one exchange the addresses of one encap each."""
    other = store.first("Chassis", "name", name)
    encaps = [store.child_rows("Chassis", "encaps", uuid, "Encap") for uuid in (chassis, other.uuid if other is not None else "")]
    if all(encaps):
        (one, *_), (two, *_) = encaps
        with w.batch():
            w.put(store, "Encap", one.uuid, ip=two["ip"])
            w.put(store, "Encap", two.uuid, ip=one["ip"])


@examples(60)
@given(st.lists(st.tuples(st.sampled_from(["az1", "az2"]), st.integers(0, 2), st.integers(0, 6), st.integers(0, 2)), max_size=25))
def test_law(history: list[tuple[str, int, int, int]]) -> None:
    w = world()
    for zone, which, action, ip in history:
        store, name = sb(w, zone), f"gw{which}"
        row = store.first("Chassis", "name", name)
        if row is None:
            if not store.find("Encap", "place", ("geneve", f"192.0.2.{ip}")):
                w.chassis(name, zone=zone, ip=f"192.0.2.{ip}", interconn=action > 0)
        elif action == 0:
            w.delete(store, "Chassis", row.uuid)
        elif action == 1:
            w.set_keys(store, "Chassis", row.uuid, "other_config", is_interconn=None)
        elif action == 2:
            w.set_keys(store, "Chassis", row.uuid, "other_config", is_interconn="true")
        elif action == 3:
            w.set_keys(store, "Chassis", row.uuid, "other_config", is_remote=None)
        elif action == 4 and not store.find("Encap", "place", ("geneve", f"192.0.2.{ip}")):
            for encap in store.child_rows("Chassis", "encaps", row.uuid, "Encap"):
                w.put(store, "Encap", encap.uuid, ip=f"192.0.2.{ip}")
        elif action == 6:
            exchange(w, store, row.uuid, f"gw{ip}")
        if action != 5:
            w.settle()
    w.settle()
    assert w.rejections() == []
    w.check_law()


def test_a_gateway_without_a_tunnel_to_another_zone_is_reported_in_both_zones() -> None:
    w = world()
    w.chassis("gw1", zone="az1", ip="192.0.2.1")
    w.settle()
    assert w.reasons("az1") == {}  # the only zone misses nobody
    w.chassis("gw2", zone="az2", ip="2001:db8::2")
    w.settle()
    assert "it has geneve over IPv4, and the other zones' gateways have geneve over IPv6" in w.reasons("az1")["gw1"]
    assert "it has geneve over IPv6, and the other zones' gateways have geneve over IPv4" in w.reasons("az2")["gw2"]
    gw3 = w.chassis("gw3", zone="az2", ip="192.0.2.3")
    w.settle()
    assert (w.reasons("az1"), list(w.reasons("az2"))) == ({}, ["gw2"])
    w.delete(sb(w, "az2"), "Chassis", gw3)
    w.settle()
    assert (list(w.reasons("az1")), list(w.reasons("az2"))) == (["gw1"], ["gw2"])


# ---- Remote chassis of other programs ---------------------------------------------------------------------------------------------------


def other_chassis(w: World, name: str, ip: str, hostname: str = "node-b") -> str:
    """A remote chassis of az1 that another program, such as a zone controller of ovn-kubernetes, makes."""
    uuid = w.put(sb(w, "az1"), "Chassis", name=name, hostname=hostname, other_config={"is-remote": "true"})
    w.add(sb(w, "az1"), "Chassis", uuid, "encaps", "Encap", type="geneve", ip=ip, options={"csum": "true"}, chassis_name=name)
    return uuid


def test_a_remote_chassis_of_another_program_is_left_alone_and_reported() -> None:
    w = world()
    uuid = other_chassis(w, "node-b", "198.51.100.2")
    w.chassis("gw2", zone="az2", ip="192.0.2.2")
    w.settle()
    assert named(sb(w, "az1"), "Chassis", "node-b").uuid == uuid
    assert "it is not changed" in w.reasons("az1")["node-b"]
    w.delete(sb(w, "az2"), "Chassis", named(sb(w, "az2"), "Chassis", "gw2").uuid)
    w.settle()
    assert rows(sb(w, "az1"), "Chassis", "name") == ["node-b"]
    w.delete(sb(w, "az1"), "Chassis", uuid)
    w.settle()
    assert w.reasons("az1") == {}
    w.check_law()


def test_a_gateway_of_the_name_of_another_programs_chassis_is_reported() -> None:
    w = world()
    uuid = other_chassis(w, "gw2", "198.51.100.2", hostname="other")
    w.chassis("gw2", zone="az2", ip="192.0.2.2")
    w.settle()
    assert named(sb(w, "az1"), "Chassis", "gw2").uuid == uuid
    assert rows(sb(w, "az1"), "Encap", "ip") == ["198.51.100.2"]
    assert "a remote chassis of another program has this name" in w.reasons("az1")["gw2"]
    w.check_law()


def test_another_programs_chassis_does_not_give_up_its_address() -> None:
    w = world()
    other_chassis(w, "node-b", "192.0.2.2")
    w.chassis("gw2", zone="az2", ip="192.0.2.2")
    w.settle()
    assert rows(sb(w, "az1"), "Chassis", "name") == ["node-b"]
    assert "chassis node-b already has it" in w.reasons("az1")["gw2"]
    w.check_law()


def test_a_copy_is_known_after_a_restart_and_deleted_with_its_gateway() -> None:
    w = world()
    gw2 = w.chassis("gw2", zone="az2", ip="192.0.2.2")
    w.settle()
    w.stop("az1")
    w.delete(sb(w, "az2"), "Chassis", gw2)
    w.settle()
    w.start("az1")
    w.settle()
    assert rows(sb(w, "az1"), "Chassis", "name") == []
    assert not any("copy" in key for key in w.site("az1").zone.nb_global["external_ids"])
    w.check_law()


def test_a_copy_that_upstreams_daemon_left_is_adopted_by_its_host_or_address() -> None:
    w = world()
    uuid = other_chassis(w, "gw2", "192.0.2.2", hostname="old-name")
    w.chassis("gw2", zone="az2", ip="192.0.2.2")
    w.settle()
    assert rows(sb(w, "az1"), "Chassis", "name", "hostname") == [("gw2", "gw2")]
    assert named(sb(w, "az1"), "Chassis", "gw2").uuid == uuid


def test_copies_are_noted_again_when_nb_is_restored_from_a_copy_that_is_older() -> None:
    w = World(lambda: [Gateways()], ["az1", "az2"])
    before = dict(named(w.zone.nb, "NB_Global", "az1")["external_ids"])
    w.chassis("gw2", zone="az2")
    w.settle()
    noted = dict(named(w.zone.nb, "NB_Global", "az1")["external_ids"])
    assert noted != before
    w.put(w.zone.nb, "NB_Global", named(w.zone.nb, "NB_Global", "az1").uuid, external_ids=before)
    w.settle()
    assert named(w.zone.nb, "NB_Global", "az1")["external_ids"] == noted
