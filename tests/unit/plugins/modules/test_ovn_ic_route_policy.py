# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The route policy, as far as the module decides it without a server."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import NB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_route_policy as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import only, params, put, settle, stores


@pytest.mark.parametrize(
    "before, given, after",
    [
        ({}, {"advertise": True}, {"ic-route-adv": "true"}),
        ({}, {"advertise": False, "learn_lb": False}, {}),
        ({"ic-route-adv": "TRUE"}, {"advertise": True}, {"ic-route-adv": "TRUE"}),
        ({"ic-route-adv": "yes"}, {"advertise": True}, {"ic-route-adv": "true"}),
        ({"ic-route-learn": "true", "x": "y"}, {"learn": False}, {"ic-route-learn": "false", "x": "y"}),
        ({"ic-route-learn": "true"}, {"advertise": True}, {"ic-route-adv": "true", "ic-route-learn": "true"}),
        ({}, {"advertise_via_transit": True}, {"ic-route-adv-via-transit": "true"}),
        ({}, {"denylist": ["10.0.0.1/8"]}, {"ic-route-denylist": "10.0.0.0/8"}),
        ({"ic-route-denylist": "10.0.0.0/8"}, {"denylist": []}, {}),
        ({"ic-route-blacklist": "10.0.0.0/8"}, {"denylist": []}, {}),
        ({"ic-route-blacklist": "10.0.0.0/8"}, {"denylist": ["10.0.0.0/8"]}, {"ic-route-blacklist": "10.0.0.0/8"}),
        (
            {"ic-route-denylist": "10.0.0.0/8,11.0.0.0/8"},
            {"denylist": ["11.0.0.0/8", "10.0.0.0/8"]},
            {"ic-route-denylist": "10.0.0.0/8,11.0.0.0/8"},
        ),
        ({"ic-route-denylist": "10.0.0.0/8"}, {"learn": True}, {"ic-route-denylist": "10.0.0.0/8", "ic-route-learn": "true"}),
    ],
)
def test_options_are_set_one_by_one(before: dict[str, str], given: dict[str, Any], after: dict[str, str]) -> None:
    contents = stores(module.DATABASE)
    put(contents[NB], "NB_Global", name="az1", options=before)
    settle(module, params(module, **given), contents)
    assert only(contents[NB], "NB_Global")["options"] == after


def test_a_database_without_its_global_row_gets_one() -> None:
    contents = stores(module.DATABASE)
    assert module.describe({}, contents)["route_policy"]["advertise"] is False
    settle(module, params(module, advertise=True), contents)
    assert module.describe({}, contents)["route_policy"]["advertise"] is True


def test_a_bad_network_is_refused() -> None:
    with pytest.raises(ModuleError, match="denylist has 'x', but 'x' is not an IP address"):
        module.desired(params(module, denylist=["x"]), stores(module.DATABASE))


@pytest.mark.parametrize(
    "options, warned",
    [
        ({"ic-route-denylist": "10.0.0.0/8", "ic-route-blacklist": "11.0.0.0/8"}, True),
        ({"ic-route-denylist": "10.0.0.0/8", "ic-route-blacklist": "10.0.0.0/8"}, False),
        ({"ic-route-denylist": "10.0.0.0/8"}, False),
        ({"ic-route-blacklist": "11.0.0.0/8"}, False),
        ({"ic-route-denylist": "", "ic-route-blacklist": "11.0.0.0/8"}, False),
    ],
)
def test_two_lists_that_upstream_would_not_both_apply_are_warned_of(options: dict[str, str], warned: bool) -> None:
    contents = stores(module.DATABASE)
    put(contents[NB], "NB_Global", name="az1", options=options)
    warnings = module.warn(params(module, denylist=["10.0.0.0/8"]), contents)
    assert len(warnings) == warned
    assert all("ic-route-blacklist (11.0.0.0/8)" in sentence for sentence in warnings)
