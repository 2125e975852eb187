# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pairs of a northbound and a southbound database are taken for two zones, and which never."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import declare
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.sync.pairing import COLUMNS, mismatch
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import NB, SB

ONE = {"mac_prefix": "0a:00:01", "svc_monitor_mac": "0a:00:01:aa:aa:aa"}
TWO = {"mac_prefix": "0a:00:02", "svc_monitor_mac": "0a:00:02:bb:bb:bb"}


def pair(
    nb: list[str] | None = None,
    sb: list[str] | None = None,
    ours: dict[str, str] | None = None,
    theirs: dict[str, str] | None = None,
    newest: bool = False,
) -> tuple[Store, Store]:
    """Databases with switches and routers of these uuids in NB and datapaths of them in SB; None for options: no global row."""
    north, south = (Store(declare(name, COLUMNS[name])) for name in (NB, SB))
    for number, uuid in enumerate(nb or ()):
        north.put("Logical_Router" if number % 2 else "Logical_Switch", uuid, {"name": f"object{number}"})
    for number, uuid in enumerate(sb or ()):
        ids = {"logical-router" if number % 2 else "logical-switch": uuid}
        values: dict[str, Any] = {"nb_uuid": uuid} if newest else {"external_ids": ids}
        south.put("Datapath_Binding", f"d{number}", values)
    if ours is not None:
        north.put("NB_Global", "n", {"name": "az1", "options": ours})
    if theirs is not None:
        south.put("SB_Global", "s", {"options": theirs})
    return north, south


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize(
    "given",
    [
        {"nb": ["a", "b"], "sb": ["x", "y"], "ours": ONE, "theirs": TWO},
        {"nb": ["a", "b"], "sb": ["x", "y"], "ours": {}, "theirs": TWO},
        {"nb": ["a"], "sb": ["x"]},
        {"nb": ["a"], "sb": [], "ours": ONE, "theirs": TWO},
        {"nb": [], "sb": ["x"], "ours": ONE, "theirs": TWO},
        {"nb": ["a"], "sb": ["x"], "ours": ONE, "theirs": {**ONE, "mac_prefix": "0a:00:09"}},
    ],
)
def test_databases_of_two_zones(given: dict[str, Any], newest: bool) -> None:
    found = mismatch(*pair(**given, newest=newest))
    assert found is not None
    assert "does not belong to the same zone as OVN_Northbound" in found


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"nb": ["a", "b"], "sb": ["a", "b"], "ours": ONE, "theirs": ONE}, id="in step"),
        pytest.param({"nb": ["a", "b"], "sb": ["z", "b"], "ours": TWO, "theirs": ONE}, id="the MACs were changed and northd is down"),
        pytest.param({"nb": ["a", "b"]}, id="SB is empty"),
        pytest.param({"nb": ["a"], "theirs": {}, "ours": ONE}, id="SB is being filled: its global row is there"),
        pytest.param({"nb": ["a"], "sb": [], "ours": ONE, "theirs": ONE}, id="SB is being filled: northd has copied the options"),
        pytest.param({"nb": ["a"], "sb": ["x"], "ours": ONE, "theirs": ONE}, id="all switches were replaced and northd lags"),
        pytest.param({"nb": [], "sb": ["x"], "ours": {}, "theirs": ONE}, id="NB was lost"),
        pytest.param({}, id="both are empty"),
        pytest.param({"nb": ["a"], "sb": [""]}, id="a datapath without an origin"),
    ],
)
def test_databases_that_can_be_of_one_zone(given: dict[str, Any], newest: bool) -> None:
    assert mismatch(*pair(**given, newest=newest)) is None


def test_the_sentence_names_the_zone() -> None:
    found = mismatch(*pair(nb=["a"], sb=["x"], ours=ONE, theirs=TWO))
    assert found == (
        "OVN_Southbound does not belong to the same zone as OVN_Northbound of zone 'az1': no datapath of SB belongs to a switch or router"
        " of NB and their MAC prefixes in NB_Global.options and SB_Global.options differ"
    )
