# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of all zones, as far as the module decides it without a server."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_global as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import only, params, put, settle, stores


@pytest.mark.parametrize(
    "before, given, after",
    [
        ({}, {"vxlan_mode": False}, {}),
        ({}, {"vxlan_mode": True}, {"vxlan_mode": "true"}),
        ({"vxlan_mode": "True"}, {"vxlan_mode": True}, {"vxlan_mode": "True"}),
        ({"vxlan_mode": "true", "x": "y"}, {"vxlan_mode": False}, {"vxlan_mode": "false", "x": "y"}),
        ({"ic_probe_interval": "+5000"}, {"ic_probe_interval": 5000}, {"ic_probe_interval": "+5000"}),
        ({"ic_probe_interval": "5 s"}, {"ic_probe_interval": 0}, {"ic_probe_interval": "0"}),
        ({"vxlan_mode": "true"}, {"ic_probe_interval": 7}, {"vxlan_mode": "true", "ic_probe_interval": "7"}),
    ],
)
def test_only_what_differs_is_written(before: dict[str, str], given: dict[str, Any], after: dict[str, str]) -> None:
    contents = stores(module.DATABASE)
    put(contents[IC_NB], "IC_NB_Global", options=before)
    settle(module, params(module, **given), contents)
    assert only(contents[IC_NB], "IC_NB_Global")["options"] == after


def test_the_global_row_is_made_where_it_is_needed() -> None:
    contents = stores(module.DATABASE)
    assert not settle(module, params(module, vxlan_mode=False), contents)
    assert len(settle(module, params(module, vxlan_mode=True), contents)) == 1
    assert module.describe({}, contents) == {"global": {"vxlan_mode": True, "ic_probe_interval": None}}


def test_the_vxlan_mode_is_refused_with_transit_routers() -> None:
    contents = stores(module.DATABASE)
    put(contents[IC_NB], "Transit_Router", name="tr1")
    with pytest.raises(ModuleError, match="do not fit into VXLAN, and these transit routers exist: tr1"):
        module.desired(params(module, vxlan_mode=True), contents)
    assert not module.desired(params(module, vxlan_mode=False), contents)


def test_a_negative_interval_is_refused() -> None:
    with pytest.raises(ModuleError, match="ic_probe_interval is -1"):
        module.desired(params(module, ic_probe_interval=-1), stores(module.DATABASE))
