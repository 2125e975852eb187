# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports of transit routers, as far as the module decides it without a server."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_transit_router_port as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import only, params, put, settle, stores

NEW = {"name": "p1", "transit_router": "tr1", "chassis": "gw1", "mac": "aa:aa:aa:00:00:01", "networks": ["10.0.0.1/24"]}


@pytest.fixture
def contents() -> dict[str, Store]:
    """Two transit routers without ports."""
    made = stores(module.DATABASE, module.GLOBAL)
    for name in ("tr1", "tr2"):
        put(made[IC_NB], "Transit_Router", name=name)
    return made


def test_a_new_port_names_its_router(contents: dict[str, Store]) -> None:
    given = params(module, **NEW)
    settle(module, given, contents)
    shown = module.describe(given, contents)["transit_router_port"]
    routers = {row["name"]: row.uuid for row in contents[IC_NB].rows("Transit_Router")}
    assert (shown["transit_router"], shown["tr_uuid"], shown["networks"]) == ("tr1", routers["tr1"], ["10.0.0.1/24"])


def test_what_differs_in_form_only_is_left_alone(contents: dict[str, Store]) -> None:
    settle(module, params(module, **{**NEW, "networks": ["fd00::1/64"]}), contents)
    assert not settle(module, params(module, **{**NEW, "mac": "AA:AA:AA:00:00:01", "networks": ["FD00:0::1/64"]}), contents)


def test_a_port_with_a_stale_router_is_mended_and_moved(contents: dict[str, Store]) -> None:
    settle(module, params(module, **NEW), contents)
    settle(module, params(module, name="p1", transit_router="tr2", chassis="gw1"), contents)
    routers = {row["name"]: row.uuid for row in contents[IC_NB].rows("Transit_Router")}
    assert only(contents[IC_NB], "Transit_Router_Port")["tr_uuid"] == routers["tr2"]
    assert not contents[IC_NB].children("Transit_Router", "ports", routers["tr1"])


def test_networks_and_chassis_are_optional_and_can_be_removed(contents: dict[str, Store]) -> None:
    """A port needs neither networks nor chassis (spec newest-N-6)."""
    settle(module, params(module, name="all", transit_router="tr1", mac="aa:aa:aa:00:00:ff"), contents)
    shown = module.describe(params(module, name="all"), contents)["transit_router_port"]
    assert (shown["chassis"], shown["networks"]) == ("", [])
    settle(module, params(module, **NEW), contents)
    settle(module, params(module, **{**NEW, "chassis": "", "networks": []}), contents)
    shown = module.describe(params(module, name="p1"), contents)["transit_router_port"]
    assert (shown["chassis"], shown["networks"], shown["mac"]) == ("", [], NEW["mac"])


@pytest.mark.parametrize("state, kept", [("present", "az2"), ("absent", None)])
def test_rows_left_behind_by_another_zone_are_removed(contents: dict[str, Store], state: str, kept: str | None) -> None:
    store = contents[IC_SB]
    put(store, "Gateway", name="gw1", availability_zone="az2")
    for zone in ("az1", "az2"):
        put(store, "Port_Binding", logical_port="p1", type="transit-router-port", availability_zone=zone)
    put(store, "Port_Binding", logical_port="p1", type="transit-switch-port", availability_zone="switch")
    settle(module, params(module, **{**NEW, "state": state}), contents)
    assert {row["availability_zone"] for row in store.rows("Port_Binding")} == {"switch"} | ({kept} if kept else set())


def test_nothing_is_removed_where_the_chassis_is_no_gateway(contents: dict[str, Store]) -> None:
    put(contents[IC_SB], "Port_Binding", logical_port="p1", type="transit-router-port", availability_zone="az1")
    settle(module, params(module, **NEW), contents)
    assert contents[IC_SB].count("Port_Binding") == 1


@pytest.mark.parametrize(
    "given, words",
    [
        ({"name": ""}, "name is empty"),
        ({"transit_router": "tr9"}, "transit router 'tr9' does not exist"),
        ({"mac": None}, "set mac, so that it can be created"),
        ({"mac": "01:00:00:00:00:01"}, "a multicast MAC"),
        ({"networks": ["10.0.0.1"]}, "without a prefix length"),
        ({"networks": ["10.0.0.9/16"]}, "10.0.0.9/16 overlaps with 10.0.0.9/24 of port 'other' of the same router 'tr1'"),
        ({"networks": ["10.0.0.77/24"]}, "10.0.0.77/24 overlaps with 10.0.0.9/24 of port 'other'"),
        ({"networks": ["10.1.0.0/24"]}, "10.1.0.0 is the network address of 10.1.0.0/24"),
        ({"networks": ["10.1.0.255/24"]}, "the broadcast address"),
        ({"networks": ["224.0.0.1/24"]}, "a multicast address"),
        ({"networks": ["10.1.0.1/24", "10.1.0.2/24"]}, "which are in one subnet"),
        ({"mac": "AA:AA:AA:00:00:09"}, "the MAC AA:AA:AA:00:00:09 is used by port 'other' of the same router 'tr1'"),
        ({"chassis": "gw\n1"}, "chassis 'gw.n1' contains a control character"),
        ({"chassis": "x" * 256}, "has 256 characters"),
        ({"name": "tsp"}, "a port of a transit switch has the name 'tsp'"),
    ],
)
def test_what_cannot_be_is_refused(contents: dict[str, Store], given: dict[str, Any], words: str) -> None:
    settle(module, params(module, **{**NEW, "name": "other", "mac": "aa:aa:aa:00:00:09", "networks": ["10.0.0.9/24"]}), contents)
    put(contents[IC_NB], "Transit_Switch_Port", name="tsp")
    with pytest.raises(ModuleError, match=words):
        module.desired(params(module, **{**NEW, **given}), contents)


@pytest.mark.parametrize(
    "other, words",
    [
        ({"networks": ["10.9.0.1/24"]}, "the MAC aa:aa:aa:00:00:01 is used by port 'other' of the same router 'tr2'"),
        ({"mac": "aa:aa:aa:00:00:09", "networks": ["10.0.0.2/24"]}, "10.0.0.1/24 overlaps with 10.0.0.2/24 of port 'other'"),
    ],
)
def test_a_port_that_moves_brings_its_addresses_along(contents: dict[str, Store], other: dict[str, Any], words: str) -> None:
    settle(module, params(module, **NEW), contents)
    settle(module, params(module, **{**NEW, "name": "other", "transit_router": "tr2", **other}), contents)
    with pytest.raises(ModuleError, match=words):
        module.desired(params(module, name="p1", transit_router="tr2"), contents)


def test_a_port_with_a_name_of_old_can_be_removed(contents: dict[str, Store]) -> None:
    port = put(contents[IC_NB], "Transit_Router_Port", name="x" * 300)
    put(contents[IC_NB], "Transit_Router", name="tr3", ports={port})
    assert settle(module, params(module, name="x" * 300, state="absent"), contents)


def test_none_is_made_while_keys_have_to_fit_into_vxlan(contents: dict[str, Store]) -> None:
    settle(module, params(module, **NEW), contents)
    put(contents[IC_NB], "IC_NB_Global", options={"vxlan_mode": "true"})
    with pytest.raises(ModuleError, match="vxlan_mode is on"):
        module.desired(params(module, **{**NEW, "name": "p2"}), contents)
    assert settle(module, params(module, **{**NEW, "other_config": {"a": "b"}}), contents), "one that is there can be changed"
    assert settle(module, params(module, name=NEW["name"], state="absent"), contents), "and removed"


def test_the_version_of_the_schema_that_is_needed_is_told(contents: dict[str, Store]) -> None:
    del contents[IC_NB].schema.json["tables"]["Transit_Router_Port"]
    with pytest.raises(ModuleError, match=r"need version 1\.3\.0 of this database's schema \(OVN 26\.03\)"):
        module.desired(params(module, **NEW), contents)
