# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transit switches, as far as the module decides it without a server."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.schema import IC_NB
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


def test_only_the_named_switch_is_removed() -> None:
    contents = stores(module.DATABASE)
    for name in ("ts1", "ts2"):
        put(contents[IC_NB], "Transit_Switch", name=name)
    settle(module, params(module, name=["ts1", "ts9"], state="absent"), contents)
    assert only(contents[IC_NB], "Transit_Switch")["name"] == "ts2"


@pytest.mark.parametrize(
    "given, words",
    [
        ({"name": ""}, "name is empty"),
        ({"name": "ts1 "}, "begins or ends with a blank"),
        ({"name": "a\nb"}, "control character"),
        ({"name": "ts1", "subnets": ["10.0.0.0"]}, "without a prefix length"),
        ({"name": "ts1", "subnets": ["10.0.0.0/33"]}, "at most 32"),
        ({"name": "tr1"}, "a transit router has the name 'tr1'"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    contents = stores(module.DATABASE)
    put(contents[IC_NB], "Transit_Router", name="tr1")
    with pytest.raises(ModuleError, match=words):
        module.desired(params(module, **given), contents)
