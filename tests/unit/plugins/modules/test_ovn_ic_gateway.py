# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gateway of a host, as far as the module decides it without a server."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import SB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_gateway as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import only, params, put, settle, stores


def host(ids: dict[str, str], south: bool = False) -> dict[str, Store]:
    contents = stores(module.DATABASE, module.SOUTH) if south else stores(module.DATABASE)
    put(contents[module.OVS], "Open_vSwitch", external_ids=ids)
    return contents


@pytest.mark.parametrize(
    "before, state, after",
    [
        ({}, "present", {"ovn-is-interconn": "true"}),
        ({"ovn-is-interconn": "no", "x": "y"}, "present", {"ovn-is-interconn": "true", "x": "y"}),
        ({"ovn-is-interconn": "True"}, "present", {"ovn-is-interconn": "True"}),
        ({"ovn-is-interconn": "true", "x": "y"}, "absent", {"x": "y"}),
        ({"ovn-is-interconn": "false"}, "absent", {"ovn-is-interconn": "false"}),
    ],
)
def test_one_key_is_set_or_removed(before: dict[str, str], state: str, after: dict[str, str]) -> None:
    contents = host(before)
    settle(module, params(module, state=state), contents)
    assert only(contents[module.OVS], "Open_vSwitch")["external_ids"] == after


@pytest.mark.parametrize(
    "state, flag, words",
    [
        ("present", None, "the zone has no chassis 'gw1' yet"),
        ("present", "false", "the chassis 'gw1' is not yet a gateway"),
        ("present", "true", None),
        ("absent", "true", "the chassis 'gw1' is still a gateway"),
        ("absent", "false", None),
        ("absent", None, None),
    ],
)
def test_it_waits_for_the_southbound_database(state: str, flag: str | None, words: str | None) -> None:
    contents = host({"system-id": "gw1"}, south=True)
    put(contents[SB], "Chassis", name="gw2", other_config={"is-interconn": "true"})
    if flag is not None:
        put(contents[SB], "Chassis", name="gw1", other_config={"is-interconn": flag})
    missing = module.awaited(params(module, state=state), contents)
    assert (missing is None) is (words is None)
    assert words is None or words in str(missing)


def test_without_the_southbound_database_it_does_not_wait() -> None:
    assert module.awaited(params(module), host({})) is None


def test_a_host_without_a_name_is_refused_where_it_would_be_looked_for() -> None:
    with pytest.raises(ModuleError, match="system-id is not set"):
        module.desired(params(module), host({}, south=True))


def test_an_empty_database_is_refused() -> None:
    with pytest.raises(ModuleError, match="the database is empty"):
        module.desired(params(module), stores(module.DATABASE))
