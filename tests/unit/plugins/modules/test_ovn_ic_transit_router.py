# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transit routers, as far as the module decides it without a server."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import usage
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, NB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_transit_router as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import only, params, put, settle, stores


def test_missing_routers_are_made_once_each() -> None:
    contents = stores(module.DATABASE)
    given = params(module, name=["tr1", "tr2", "tr1"], external_ids={"a": 1, "b": True, "c": None})
    assert len(settle(module, given, contents)) == 2
    assert [one["external_ids"] for one in module.describe(given, contents)["transit_routers"]] == [{"a": "1", "b": "true"}] * 2


@pytest.mark.parametrize(
    "given, after",
    [
        ({}, {"x": "y"}),
        ({"external_ids": {"z": 1}}, {"x": "y", "z": "1"}),
        ({"external_ids": {"x": None}}, {}),
        ({"external_ids": {"z": 1}, "purge_external_ids": True}, {"z": "1"}),
        ({"purge_external_ids": True}, {"x": "y"}),
    ],
)
def test_maps_merge_by_key_unless_they_are_purged(given: dict[str, Any], after: dict[str, str]) -> None:
    contents = stores(module.DATABASE)
    put(contents[IC_NB], "Transit_Router", name="tr1", external_ids={"x": "y"})
    settle(module, params(module, name="tr1", **given), contents)
    assert only(contents[IC_NB], "Transit_Router")["external_ids"] == after


def test_a_removed_router_is_the_named_one_and_its_ports_are_shown_before() -> None:
    contents = stores(module.DATABASE)
    port = put(contents[IC_NB], "Transit_Router_Port", name="p1")
    put(contents[IC_NB], "Transit_Router", name="tr1", ports={port})
    put(contents[IC_NB], "Transit_Router", name="tr2")
    assert module.describe({"name": ["tr1"]}, contents)["transit_routers"][0]["ports"] == ["p1"]
    with pytest.raises(ModuleError, match=r"the transit router 'tr1' is in use: IC_NB defines port 'p1'; .*set force to true"):
        module.desired(params(module, name="tr1", state="absent"), contents)
    forced = params(module, name="tr1", state="absent", force=True)
    assert usage.lost(forced, contents, "Transit_Router") == {f"Transit_Router/tr1/{IC_NB}": {"ports": ["p1"]}}
    settle(module, forced, contents)
    assert only(contents[IC_NB], "Transit_Router")["name"] == "tr2"
    settle(module, params(module, name="tr2", state="absent"), contents)
    assert not contents[IC_NB].count("Transit_Router")


def test_the_name_of_an_ordinary_router_of_the_zone_is_refused() -> None:
    contents = stores(module.DATABASE, usage.NORTH)
    put(contents[NB], "Logical_Router", name="lr1")
    put(contents[NB], "Logical_Router", name="tr1", options={"interconn-tr": "tr1"})
    assert settle(module, params(module, name="tr1"), contents)
    with pytest.raises(ModuleError, match="the zone has an ordinary logical router 'lr1'"):
        module.desired(params(module, name="lr1"), contents)


def test_a_router_is_renamed_once_and_keeps_its_row_and_ports() -> None:
    contents = stores(module.DATABASE)
    port = put(contents[IC_NB], "Transit_Router_Port", name="p1")
    uuid = put(contents[IC_NB], "Transit_Router", name="tr1", ports={port})
    put(contents[IC_NB], "IC_NB_Global", options={"vxlan_mode": "true"})
    given = params(module, name="core", rename_from="tr1")
    assert len(settle(module, given, contents)) == 1
    (shown,) = module.describe(given, contents)["transit_routers"]
    assert (shown["name"], shown["uuid"], shown["ports"]) == ("core", uuid, ["p1"])
    assert not settle(module, given, contents)
    with pytest.raises(ModuleError, match=r"neither transit router 'tr1' \(rename_from\) nor transit router 'edge' \(name\) exists"):
        module.desired(params(module, name="edge", rename_from="tr1"), contents)


@pytest.mark.parametrize("name, words", [("", "name is empty"), ("ts1", "a transit switch has the name 'ts1'")])
def test_what_cannot_be_is_refused(name: str, words: str) -> None:
    contents = stores(module.DATABASE)
    put(contents[IC_NB], "Transit_Switch", name="ts1")
    with pytest.raises(ModuleError, match=words):
        module.desired(params(module, name=name), contents)


def test_none_is_made_while_keys_have_to_fit_into_vxlan() -> None:
    contents = stores(module.DATABASE)
    put(contents[IC_NB], "Transit_Router", name="tr1")
    put(contents[IC_NB], "IC_NB_Global", options={"vxlan_mode": "true"})
    with pytest.raises(ModuleError, match=r"vxlan_mode is on, .* turn it off with ovn_ic_global, or use a transit switch"):
        module.desired(params(module, name="tr2"), contents)
    assert settle(module, params(module, name="tr1", external_ids={"a": "b"}), contents), "one that is there can be changed"
    assert settle(module, params(module, name="tr1", state="absent"), contents), "and removed"


def test_the_version_of_the_schema_that_is_needed_is_told() -> None:
    contents = stores(module.DATABASE)
    del contents[IC_NB].schema.json["tables"]["Transit_Router"]
    with pytest.raises(ModuleError, match=r"need version 1\.3\.0 of this database's schema \(OVN 26\.03\)"):
        module.desired(params(module, name="tr1"), contents)
