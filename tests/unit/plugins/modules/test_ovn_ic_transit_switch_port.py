# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports of transit switches, as far as the module decides it without a server."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_transit_switch_port as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import only, params, put, settle, stores


@pytest.fixture
def contents() -> dict[str, Store]:
    """Two transit switches, ts1 with a port."""
    made = stores(module.DATABASE, module.GLOBAL)
    port = put(made[IC_NB], "Transit_Switch_Port", name="p1", chassis="hv1", addresses={"aa:aa:aa:00:00:01 10.0.0.1 fd00::1"})
    put(made[IC_NB], "Transit_Switch", name="ts1", ports={port}, external_ids={"transit-subnets": "10.0.0.0/24,fd00::/64"})
    put(made[IC_NB], "Transit_Switch", name="ts2")
    return made


def published(contents: dict[str, Store]) -> None:
    """Ports that zones have in IC_SB: one of this module, an attachment of az2, and one on a switch that was renamed a moment ago."""
    south = contents[IC_SB]
    az = put(south, "Availability_Zone", name="az2")
    (ts1,) = (row for row in contents[IC_NB].rows("Transit_Switch") if row["name"] == "ts1")
    put(south, "Datapath_Binding", transit_switch="former", nb_ic_uuid=ts1.uuid)
    for name, switch, address in (
        ("p1", "ts1", "aa:aa:aa:00:00:01 10.0.0.1"),
        ("lr2", "ts1", "aa:aa:aa:00:00:05 10.0.0.5/24"),
        ("lr3", "former", "aa:aa:aa:00:00:06 10.0.0.6/24"),
        ("lr4", "ts2", "aa:aa:aa:00:00:08 10.0.0.8/24"),
    ):
        put(south, "Port_Binding", logical_port=name, transit_switch=switch, availability_zone=az, address=address)


def test_ports_of_zones_block_the_addresses_that_they_have(contents: dict[str, Store]) -> None:
    published(contents)
    with pytest.raises(ModuleError, match=r"10\.0\.0\.6 is used by port 'lr3' of zone 'az2'"):
        module.desired(params(module, name="p2", transit_switch="ts1", addresses=["aa:aa:aa:00:00:02 10.0.0.6"]), contents)
    given = params(module, name="p2", transit_switch="ts1", addresses=["aa:aa:aa:00:00:08 10.0.0.8 fe80::9"])
    assert settle(module, given, contents)
    own = params(module, name="p1", transit_switch="ts1", addresses=["aa:aa:aa:00:00:01 10.0.0.1 fd00::2"])
    assert settle(module, own, contents)


def test_a_port_that_moves_brings_its_addresses_along(contents: dict[str, Store]) -> None:
    settle(module, params(module, name="other", transit_switch="ts2", addresses=["aa:aa:aa:00:00:01"]), contents)
    with pytest.raises(ModuleError, match="the MAC aa:aa:aa:00:00:01 is used by port 'other' on transit switch 'ts2'"):
        module.desired(params(module, name="p1", transit_switch="ts2"), contents)
    assert settle(module, params(module, name="p1", transit_switch="ts2", addresses=["aa:aa:aa:00:00:0b 10.0.0.1"]), contents)


def test_a_port_with_a_name_of_old_can_be_removed(contents: dict[str, Store]) -> None:
    port = put(contents[IC_NB], "Transit_Switch_Port", name="x" * 300)
    put(contents[IC_NB], "Transit_Switch", name="ts3", ports={port})
    assert settle(module, params(module, name="x" * 300, state="absent"), contents)


def ports(contents: dict[str, Store]) -> dict[str, str]:
    store = contents[IC_NB]
    rows = store.rows("Transit_Switch_Port")
    return {row["name"]: ",".join(one["name"] for one in store.parent_rows("Transit_Switch", "ports", row.uuid)) for row in rows}


def test_a_new_port_is_made_and_attached_in_one_group(contents: dict[str, Store]) -> None:
    given = params(module, name="p2", transit_switch="ts1", addresses=["aa:aa:aa:00:00:02  10.0.0.2", "unknown"], external_ids={"a": 1})
    insert, attach = settle(module, given, contents)
    assert (insert.action, attach.table) == ("insert", "Transit_Switch")
    assert ports(contents) == {"p1": "ts1", "p2": "ts1"}
    shown = module.describe(given, contents)["transit_switch_port"]
    assert shown["addresses"] == ["aa:aa:aa:00:00:02 10.0.0.2", "unknown"]
    assert (shown["transit_switch"], shown["external_ids"]) == ("ts1", {"a": "1"})


def test_a_port_moves_with_its_contents(contents: dict[str, Store]) -> None:
    before = only(contents[IC_NB], "Transit_Switch_Port")
    assert len(settle(module, params(module, name="p1", transit_switch="ts2"), contents)) == 2
    assert only(contents[IC_NB], "Transit_Switch_Port") == before
    assert ports(contents) == {"p1": "ts2"}


@pytest.mark.parametrize(
    "given, column, after",
    [
        ({}, "chassis", "hv1"),
        ({"chassis": ""}, "chassis", ""),
        ({"addresses": []}, "addresses", frozenset()),
        ({"addresses": ["dynamic 10.0.0.9"]}, "addresses", frozenset(["dynamic 10.0.0.9"])),
        ({"type": "router", "peer": "lr1-ts1"}, "peer", "lr1-ts1"),
    ],
)
def test_omitted_is_left_alone_and_empty_clears(contents: dict[str, Store], given: dict[str, Any], column: str, after: Any) -> None:
    settle(module, params(module, name="p1", transit_switch="ts1", **given), contents)
    assert only(contents[IC_NB], "Transit_Switch_Port")[column] == after


def test_an_absent_port_leaves_its_switch_and_is_gone(contents: dict[str, Store]) -> None:
    given = params(module, name="p1", state="absent")
    (change,) = settle(module, given, contents)
    assert (change.table, change.action) == ("Transit_Switch", "update")
    assert ports(contents) == {}
    assert module.describe(given, contents) == {"transit_switch_port": {}}
    assert not settle(module, given, contents)


@pytest.mark.parametrize(
    "given, words",
    [
        ({"name": " "}, "name is empty"),
        ({"transit_switch": "ts9"}, "transit switch 'ts9' does not exist"),
        ({"name": "trp"}, "a port of a transit router has the name 'trp'"),
        ({"addresses": ["aa:aa:aa:00:00:09 fd00:0::1"]}, "fd00::1 is used by port 'p1' on transit switch 'ts1'"),
        ({"addresses": ["aa:aa:aa:00:00:01"]}, "the MAC aa:aa:aa:00:00:01 is used by port 'p1' on transit switch 'ts1'"),
        ({"addresses": ["dynamic 10.0.0.1"]}, "10.0.0.1 is used by port 'p1'"),
        ({"addresses": ["aa:aa:aa:00:00:09 10.0.0.7"]}, "10.0.0.7 is used by port 'vm' on transit switch 'ts1'"),
        ({"addresses": ["aa:aa:aa:00:00:09 10.0.0.5"]}, "10.0.0.5 is used by port 'lr2' of zone 'az2' on transit switch 'ts1'"),
        ({"addresses": ["aa:aa:aa:00:00:05"]}, "the MAC aa:aa:aa:00:00:05 is used by port 'lr2' of zone 'az2'"),
        ({"addresses": ["aa:aa:aa:00:00:09 224.0.0.1"]}, "224.0.0.1 is a multicast address"),
        ({"addresses": ["aa:aa:aa:00:00:09 0.0.0.0"]}, "an address of this host"),
        ({"addresses": ["dynamic 127.0.0.1"]}, "127.0.0.1 is a loopback address"),
        ({"addresses": ["aa:aa:aa:00:00:09 ::1"]}, "::1 is the loopback address"),
        ({"addresses": ["aa:aa:aa:00:00:09 10.0.0.0"]}, "10.0.0.0 is the network address of subnet 10.0.0.0/24 of transit switch 'ts1'"),
        ({"addresses": ["aa:aa:aa:00:00:09 10.0.0.255"]}, "10.0.0.255 is the broadcast address of subnet 10.0.0.0/24"),
        ({"addresses": ["aa:aa:aa:00:00:09 10.0.1.9"]}, "10.0.1.9 is outside the subnets of transit switch 'ts1'"),
        ({"addresses": ["aa:aa:aa:00:00:09 10.0.0.9", "aa:aa:aa:00:00:0a 10.0.0.9"]}, "addresses has the address 10.0.0.9 twice"),
        ({"addresses": ["00:00:00:00:00:00 10.0.0.9"]}, "the zero MAC"),
        ({"type": "routr"}, "type is 'routr', which OVN does not support; set it to one of router, switch"),
        ({"type": "remote"}, "type is 'remote', which the daemons set in other zones"),
        ({"chassis": "hv\t1"}, "chassis 'hv.t1' contains a control character"),
        ({"peer": "x" * 256}, "has 256 characters; use at most 255"),
        ({"external_ids": {"a\nb": "1"}}, "the map key of external_ids 'a.nb' contains a control character"),
        ({"addresses": ["router 10.0.0.1"]}, "nothing may follow 'router'"),
        ({"addresses": ["aa:aa:aa:00:00:09 10.0.0.1/24"]}, "omit the prefix length"),
        ({"addresses": ["dynamic 10.0.0.8 10.0.0.9"]}, "one IP address may follow"),
        ({"addresses": [""]}, "begins with neither a MAC"),
    ],
)
def test_what_cannot_be_is_refused(contents: dict[str, Store], given: dict[str, Any], words: str) -> None:
    """Addresses are checked as ovn-ic-nbctl does (spec deployment-G.2)."""
    put(contents[IC_NB], "Transit_Router_Port", name="trp")
    settle(module, params(module, name="vm", transit_switch="ts1", addresses=["dynamic 10.0.0.7"]), contents)
    published(contents)
    with pytest.raises(ModuleError, match=words):
        module.desired(params(module, **{"name": "p2", "transit_switch": "ts1", **given}), contents)


def test_the_version_of_the_schema_that_is_needed_is_told(contents: dict[str, Store]) -> None:
    del contents[IC_NB].schema.json["tables"]["Transit_Switch_Port"]
    with pytest.raises(ModuleError, match=r"need version 1\.4\.0 of this database's schema \(OVN 26\.09\)"):
        module.desired(params(module, name="p1", transit_switch="ts1"), contents)
