# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transit switches, as far as the module decides it without a server."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import usage
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, NB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_transit_switch as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import only, params, put, settle, stores


def test_a_missing_switch_is_made_with_its_subnets() -> None:
    contents = stores(module.DATABASE)
    given = params(module, name="ts1", subnets=["169.254.100.1/24", "169.254.100.2/24"], external_ids={"a": 1, "b": True, "c": None})
    (change,) = settle(module, given, contents)
    assert (change.action, change.record) == ("insert", "ts1")
    row = only(contents[IC_NB], "Transit_Switch")
    assert row["external_ids"] == {"transit-subnets": "169.254.100.0/24", "a": "1", "b": "true"}
    assert module.describe(given, contents)["transit_switches"][0]["subnets"] == ["169.254.100.0/24"]


def test_a_name_given_twice_is_one_switch() -> None:
    contents = stores(module.DATABASE)
    assert len(settle(module, params(module, name=["ts1", "ts2", "ts1"]), contents)) == 2


@pytest.mark.parametrize(
    "given, after",
    [
        ({}, {"transit-subnets": "10.0.0.0/8", "x": "y"}),
        ({"subnets": []}, {"x": "y"}),
        ({"external_ids": {"z": "1"}}, {"transit-subnets": "10.0.0.0/8", "x": "y", "z": "1"}),
        ({"external_ids": {"x": None}}, {"transit-subnets": "10.0.0.0/8"}),
        ({"external_ids": {}, "purge_external_ids": True}, {"transit-subnets": "10.0.0.0/8"}),
        ({"external_ids": {"z": "1"}, "purge_external_ids": True, "subnets": []}, {"z": "1"}),
        ({"purge_external_ids": True}, {"transit-subnets": "10.0.0.0/8", "x": "y"}),
    ],
)
def test_maps_merge_by_key_unless_they_are_purged(given: dict[str, Any], after: dict[str, str]) -> None:
    contents = stores(module.DATABASE)
    put(contents[IC_NB], "Transit_Switch", name="ts1", external_ids={"transit-subnets": "10.0.0.0/8", "x": "y"})
    settle(module, params(module, name="ts1", **given), contents)
    assert only(contents[IC_NB], "Transit_Switch")["external_ids"] == after


def zones(contents: dict[str, Store]) -> dict[str, str]:
    """Zone az2 with a port and a route on ts1, and a port on ts2; the uuids of both zones."""
    south = contents[IC_SB]
    uuids = {name: put(south, "Availability_Zone", name=name) for name in ("az1", "az2")}
    for port, switch, address in (("p2", "ts1", "aa:aa:aa:aa:aa:02 10.0.0.2/24"), ("q2", "ts2", "aa:aa:aa:aa:aa:03 10.9.0.2/24")):
        put(south, "Port_Binding", logical_port=port, transit_switch=switch, availability_zone=uuids["az2"], address=address)
    put(south, "Route", transit_switch="ts1", availability_zone=uuids["az2"], ip_prefix="192.0.2.0/24", nexthop="10.0.0.2")
    return uuids


def test_only_the_named_switch_is_removed() -> None:
    contents = stores(module.DATABASE, usage.GLOBAL)
    for name in ("ts1", "ts2"):
        put(contents[IC_NB], "Transit_Switch", name=name)
    settle(module, params(module, name=["ts1", "ts9"], state="absent"), contents)
    assert only(contents[IC_NB], "Transit_Switch")["name"] == "ts2"


def test_a_switch_in_use_is_removed_by_force_only_and_the_diff_tells_what_goes() -> None:
    contents = stores(module.DATABASE, usage.GLOBAL, usage.NORTH)
    zones(contents)
    put(contents[IC_NB], "Transit_Switch", name="ts1", ports=[put(contents[IC_NB], "Transit_Switch_Port", name="vif")])
    put(contents[NB], "NB_Global", name="az1")
    ports = [put(contents[NB], "Logical_Switch_Port", name=name, type=kind) for name, kind in (("p1", "router"), ("p2", "remote"))]
    put(contents[NB], "Logical_Switch", name="other", other_config={"interconn-ts": "ts1"}, ports=ports)
    with pytest.raises(ModuleError) as caught:
        module.desired(params(module, name="ts1", state="absent"), contents)
    assert "is in use: IC_NB defines port 'vif'; zone 'az1' has port 'p1'; zone 'az2' has port 'p2' and 1 route;" in str(caught.value)
    forced = params(module, name="ts1", state="absent", force=True)
    assert usage.lost(forced, contents, "Transit_Switch") == {
        f"Transit_Switch/ts1/{IC_NB}": {"ports": ["vif"]},
        "Transit_Switch/ts1/az1": {"ports": ["p1"]},
        "Transit_Switch/ts1/az2": {"ports": ["p2"], "routes": ["192.0.2.0/24 via 10.0.0.2"]},
    }
    assert settle(module, forced, contents)
    assert usage.lost(params(module, name="ts1"), contents, "Transit_Switch") == {}


def test_without_ic_sb_nobody_knows_whether_a_switch_is_used() -> None:
    contents = stores(module.DATABASE)
    put(contents[IC_NB], "Transit_Switch", name="ts1")
    with pytest.raises(ModuleError, match="ic_sb_db is not given, so it is not known which zones use the transit switch 'ts1'"):
        module.desired(params(module, name="ts1", state="absent"), contents)
    assert not module.desired(params(module, name="ts9", state="absent"), contents)
    assert settle(module, params(module, name="ts1", state="absent", force=True), contents)


def test_a_switch_that_has_a_name_of_old_can_be_removed() -> None:
    contents = stores(module.DATABASE, usage.GLOBAL)
    put(contents[IC_NB], "Transit_Switch", name="x" * 300)
    assert settle(module, params(module, name="x" * 300, state="absent"), contents)


@pytest.mark.parametrize(
    "given, words",
    [
        ({"name": ""}, "name is empty"),
        ({"name": []}, "name is an empty list"),
        ({"name": "ts1 "}, "begins or ends with a space"),
        ({"name": "a\nb"}, "control character"),
        ({"name": "x" * 300}, "has 300 characters; use at most 255"),
        ({"name": "ts3", "subnets": ["10.0.0.0"]}, "without a prefix length"),
        ({"name": "ts3", "subnets": ["10.0.0.0/33"]}, "at most 32"),
        ({"name": "ts3", "subnets": ["224.0.0.0/8"]}, "multicast"),
        ({"name": "ts3", "subnets": ["10.1.0.0/16", "10.1.2.0/24"]}, "10.1.0.0/16 and 10.1.2.0/24, which overlap"),
        ({"name": ["ts3", "ts4"], "subnets": ["10.1.0.0/24"]}, "name lists 2 transit switches and subnets is given"),
        ({"name": "ts3", "subnets": ["10.9.0.0/24"]}, "10.9.0.0/24 overlaps with 10.9.0.0/24 of transit switch 'ts2'"),
        ({"name": "ts3", "subnets": ["10.0.0.0/8"]}, "10.0.0.0/8 overlaps with 10.0.0.0/24 of transit switch 'ts1'"),
        ({"name": "ts3", "subnets": ["fd01::/65"]}, "fd01::/65 overlaps with fd01::/64"),
        ({"name": "ts1", "subnets": ["10.0.1.0/24"]}, "port 'p2' of zone 'az2' has the address 10.0.0.2, which is outside 10.0.1.0/24"),
        ({"name": "ts1", "subnets": ["10.0.0.128/25"]}, "port 'p2' of zone 'az2' has the address 10.0.0.2"),
        ({"name": "tr1"}, "a transit router has the name 'tr1'"),
        ({"name": "pods"}, "the zone has an ordinary logical switch 'pods' .*; choose another name"),
        ({"name": "ts2", "rename_from": "ts1"}, "both transit switch 'ts1' and transit switch 'ts2' exist, so 'ts1' cannot get that name"),
        (
            {"name": "ts3", "rename_from": "ts9"},
            "nor transit switch 'ts3' .name. exists; correct rename_from",
        ),
        ({"name": "ts3", "rename_from": " "}, "rename_from is empty"),
        ({"name": "ts1", "rename_from": "ts1"}, "rename_from and name are both 'ts1'"),
        ({"name": ["ts3", "ts4"], "rename_from": "ts1"}, "name lists 2 names; give only the new name"),
        ({"name": "ts1", "rename_from": "ts2", "state": "absent", "force": True}, "rename_from is given, but state is absent"),
        ({"name": "tr1", "rename_from": "ts1"}, "a transit router has the name 'tr1'"),
        ({"name": "pods", "rename_from": "ts1"}, "the zone has an ordinary logical switch 'pods'"),
        ({"name": "a\nb", "rename_from": "ts1"}, "control character"),
        ({"name": "ts3", "rename_from": "ts1", "subnets": ["10.0.1.0/24"]}, "port 'p2' of zone 'az2' has the address 10.0.0.2"),
        ({"name": "ts3", "external_ids": {"a": [1, 2]}}, r"external_ids\[a\] contains a list"),
        ({"name": "ts3", "external_ids": {"transit-subnets": "10.1.0.0/24"}}, "map key transit-subnets, which the option subnets sets"),
        (
            {"name": "ts1", "external_ids": {"ovn-interconnect-tunnel-key": "5"}},
            "map key ovn-interconnect-tunnel-key, which the sync daemon",
        ),
        ({"name": "ts3", "other_config": {"a": {"b": 1}}}, r"other_config\[a\] contains a dictionary"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    contents = stores(module.DATABASE, usage.GLOBAL, usage.NORTH)
    zones(contents)
    put(contents[IC_NB], "Transit_Router", name="tr1")
    put(contents[IC_NB], "Transit_Switch", name="ts1", external_ids={"transit-subnets": "10.0.0.0/24"})
    put(contents[IC_NB], "Transit_Switch", name="ts2", external_ids={"transit-subnets": "10.9.0.0/24,fd01::/64"})
    put(contents[NB], "Logical_Switch", name="pods")
    with pytest.raises(ModuleError, match=words):
        module.desired(params(module, **given), contents)


def test_a_switch_is_renamed_once_and_keeps_its_row_and_maps() -> None:
    contents = stores(module.DATABASE, usage.GLOBAL)
    zones(contents)
    uuid = put(contents[IC_NB], "Transit_Switch", name="ts1", external_ids={"transit-subnets": "10.0.0.0/24", "x": "y"})
    given = params(module, name="backbone", rename_from="ts1", subnets=["10.0.0.0/23"], external_ids={"z": 1})
    (change,) = settle(module, given, contents)
    assert (change.uuid, change.record, change.reason) == (uuid, "backbone", "the transit switch ts1 is renamed")
    row = only(contents[IC_NB], "Transit_Switch")
    assert (row["name"], row["external_ids"]) == ("backbone", {"transit-subnets": "10.0.0.0/23", "x": "y", "z": "1"})
    assert module.describe(given, contents)["transit_switches"][0]["uuid"] == uuid
    assert not settle(module, given, contents)


@pytest.mark.parametrize("by_uuid", [True, False])
def test_ports_under_the_former_name_of_a_renamed_switch_count(by_uuid: bool) -> None:
    contents = stores(module.DATABASE, usage.GLOBAL)
    zones(contents)
    uuid = put(contents[IC_NB], "Transit_Switch", name="backbone", external_ids={"ovn-interconnect-tunnel-key": "16711683"})
    put(contents[IC_SB], "Datapath_Binding", transit_switch="ts1", tunnel_key=16711683, nb_ic_uuid=uuid if by_uuid else None)
    with pytest.raises(ModuleError, match="is in use: zone 'az2' has port 'p2' and 1 route"):
        module.desired(params(module, name="backbone", state="absent"), contents)
    with pytest.raises(ModuleError, match="port 'p2' of zone 'az2' has the address 10"):
        module.desired(params(module, name="backbone", subnets=["10.0.1.0/24"]), contents)


def test_a_wider_subnet_keeps_the_ports_and_an_empty_list_asks_nothing() -> None:
    contents = stores(module.DATABASE, usage.GLOBAL)
    zones(contents)
    put(contents[IC_NB], "Transit_Switch", name="ts1", external_ids={"transit-subnets": "10.0.0.0/24"})
    assert settle(module, params(module, name="ts1", subnets=["10.0.0.0/23"]), contents)
    assert settle(module, params(module, name="ts1", subnets=[]), contents)
    assert settle(module, params(module, name=["ts3", "ts4"], subnets=[]), contents)
