# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attachments, as far as the module decides it without a server."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.attachment import GLOBAL, NORTH, SOUTH
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.schema import IC_NB, NB, SB
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.store import Store
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_attachment as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import only, params, put, settle, stores

WANTED: dict[str, Any] = {
    "router": "lr1",
    "transit_switch": "ts1",
    "mac": "aa:aa:aa:aa:aa:01",
    "networks": ["169.254.100.1/24"],
    "gateways": [{"chassis": "gw1", "priority": 20}, {"chassis": "gw2"}],
}


def zone(*, switch: bool = True) -> dict[str, Store]:
    """A zone with router lr1, chassis gw1 and gw2 and one of another zone, and transit switch ts1."""
    contents = stores(NORTH, SOUTH, GLOBAL)
    put(contents[NB], "Logical_Router", name="lr1")
    for name in ("gw1", "gw2"):
        put(contents[SB], "Chassis", name=name)
    put(contents[SB], "Chassis", name="far", other_config={"is-remote": "true"})
    put(contents[IC_NB], "Transit_Switch", name="ts1", external_ids={"transit-subnets": "169.254.100.0/24,fd00::/64"})
    if switch:
        put(contents[NB], "Logical_Switch", name="ts1", other_config={"interconn-ts": "ts1"})
    return contents


def attached(**given: Any) -> dict[str, Store]:
    contents = zone()
    settle(module, params(module, **{**WANTED, **given}), contents)
    return contents


def described(contents: dict[str, Store]) -> dict[str, Any]:
    return dict(module.describe(params(module, router="lr1", transit_switch="ts1"), contents)["attachment"])


def test_all_parts_are_made_in_one_transaction() -> None:
    contents = zone()
    changes = module.desired(params(module, **WANTED), contents)
    assert {change.database for change in changes} == {NB}
    assert settle(module, params(module, **WANTED), contents) == changes
    result = described(contents)
    assert (result["port"], result["switch_port"]) == ("lr1-ts1", "ts1-lr1")
    assert result["gateways"] == [{"chassis": "gw1", "priority": 20}, {"chassis": "gw2", "priority": 0}]
    assert {row["name"] for row in contents[NB].rows("Gateway_Chassis")} == {"lr1-ts1-gw1", "lr1-ts1-gw2"}
    port = only(contents[NB], "Logical_Switch_Port")
    assert (port["type"], port["addresses"], port["options"]) == ("router", {"router"}, {"router-port": "lr1-ts1"})


def test_the_switch_is_made_where_the_daemon_has_not_come_to_it() -> None:
    contents = zone(switch=False)
    settle(module, params(module, **WANTED), contents)
    switch = only(contents[NB], "Logical_Switch")
    assert switch["name"] == switch["other_config"]["interconn-ts"] == switch["external_ids"]["ovn-interconnect"] == "ts1"
    assert contents[NB].parents("Logical_Switch", "ports", only(contents[NB], "Logical_Switch_Port").uuid) == (switch.uuid,)


@pytest.mark.parametrize(
    "given, after",
    [
        ({}, {}),
        ({"mac": "AA:AA:AA:AA:AA:01", "networks": ["169.254.100.1/24"]}, {}),
        ({"mac": "aa:aa:aa:aa:aa:02"}, {"mac": "aa:aa:aa:aa:aa:02"}),
        ({"networks": ["169.254.100.1/24", "fd00:0::1/64"]}, {"networks": ["169.254.100.1/24", "fd00::1/64"]}),
        ({"gateways": []}, {"gateways": []}),
        ({"gateways": [{"chassis": "gw2", "priority": 5}]}, {"gateways": [{"chassis": "gw2", "priority": 5}]}),
    ],
)
def test_what_is_omitted_is_left_alone(given: dict[str, Any], after: dict[str, Any]) -> None:
    contents = attached()
    before = described(contents)
    changes = settle(module, params(module, router="lr1", transit_switch="ts1", **given), contents)
    assert bool(changes) is bool(after)
    assert described(contents) == {**before, **after}


GROUP: dict[str, Any] = {"name": "edge", "chassis": [{"chassis": "gw1", "priority": 20}, {"chassis": "gw2", "priority": 10}]}


def grouped(**given: Any) -> dict[str, Store]:
    return attached(gateways=None, ha_chassis_group=GROUP, **given)


def test_a_group_is_made_with_the_port_and_once_only() -> None:
    contents = grouped()
    assert described(contents)["ha_chassis_group"] == GROUP
    assert described(contents)["gateways"] == []
    settle(module, params(module, **{**WANTED, "router": "lr1", "gateways": None, "ha_chassis_group": GROUP}), contents)
    assert contents[NB].count("HA_Chassis") == 2


@pytest.mark.parametrize(
    "given, after",
    [
        ({}, {}),
        ({"ha_chassis_group": GROUP}, {}),
        ({"ha_chassis_group": {"name": "edge"}}, {}),
        (
            {"ha_chassis_group": {"name": "edge", "chassis": [{"chassis": "gw2", "priority": 30}]}},
            {"ha_chassis_group": {"name": "edge", "chassis": [{"chassis": "gw2", "priority": 30}]}},
        ),
        ({"ha_chassis_group": {**GROUP, "name": "other"}}, {"ha_chassis_group": {**GROUP, "name": "other"}}),
        ({"gateways": [{"chassis": "gw2"}]}, {"ha_chassis_group": {}, "gateways": [{"chassis": "gw2", "priority": 0}]}),
        ({"gateways": []}, {"ha_chassis_group": {}}),
    ],
)
def test_a_group_is_changed_to_what_is_wanted(given: dict[str, Any], after: dict[str, Any]) -> None:
    contents = grouped()
    before = described(contents)
    changes = settle(module, params(module, router="lr1", transit_switch="ts1", **given), contents)
    assert bool(changes) is bool(after)
    assert described(contents) == {**before, **after}
    assert contents[NB].count("HA_Chassis_Group") == bool(described(contents)["ha_chassis_group"])


def test_gateways_of_its_own_go_when_a_port_gets_a_group() -> None:
    contents = attached()
    settle(module, params(module, router="lr1", transit_switch="ts1", ha_chassis_group=GROUP), contents)
    assert described(contents)["gateways"] == []
    assert contents[NB].count("Gateway_Chassis") == 0


@pytest.mark.parametrize("kept", ["by hand", "by another port", None])
def test_a_group_goes_with_its_last_port_if_it_was_made_here(kept: str | None) -> None:
    contents = zone()
    if kept == "by hand":
        put(contents[NB], "HA_Chassis_Group", name="edge", ha_chassis=[put(contents[NB], "HA_Chassis", chassis_name="gw9")])
    settle(module, params(module, **{**WANTED, "gateways": None, "ha_chassis_group": GROUP}), contents)
    assert {row["chassis_name"] for row in contents[NB].rows("HA_Chassis")} == {"gw1", "gw2"}
    if kept == "by another port":
        put(contents[NB], "Logical_Switch_Port", name="x", type="external", ha_chassis_group=only(contents[NB], "HA_Chassis_Group").uuid)
    settle(module, params(module, router="lr1", transit_switch="ts1", state="absent"), contents)
    assert contents[NB].count("HA_Chassis_Group") == (kept is not None)


def test_a_switch_is_made_only_where_nobody_else_has_made_it() -> None:
    contents = zone(switch=False)
    changes = module.desired(params(module, **WANTED), contents)
    assert [change.unless for change in changes if change.table == "Logical_Switch"] == [{"other_config": {"interconn-ts": "ts1"}}]


def test_absent_removes_both_ports_and_nothing_else() -> None:
    contents = attached()
    put(contents[NB], "Logical_Router_Port", name="other")
    settle(module, params(module, router="lr1", transit_switch="ts1", state="absent"), contents)
    assert described(contents) == {}
    (router,), (switch,) = contents[NB].rows("Logical_Router"), contents[NB].rows("Logical_Switch")
    assert not contents[NB].children("Logical_Router", "ports", router.uuid)
    assert not contents[NB].children("Logical_Switch", "ports", switch.uuid)


def test_absent_wants_neither_router_nor_switch() -> None:
    assert not settle(module, params(module, router="x", transit_switch="y", state="absent"), stores(NORTH))


@pytest.mark.parametrize(
    "given, words",
    [
        ({"router": "lr9"}, "there is no router 'lr9'"),
        ({"router": ""}, "router is empty"),
        ({"transit_switch": "ts9"}, "there is no transit switch 'ts9'"),
        ({"mac": None}, "mac or networks is missing"),
        ({"mac": "aa:bb"}, "which is no address of a port"),
        ({"mac": "01:00:00:00:00:01"}, "not a group's"),
        ({"mac": "00:00:00:00:00:00"}, "which is no address of a port"),
        ({"mac": "aa:aa:aa:aa:aa:99"}, "aa:aa:aa:aa:aa:99 is used by port 'far-port'"),
        ({"networks": []}, "networks is empty"),
        ({"networks": ["169.254.100.1"]}, "without a prefix length"),
        ({"networks": ["169.254.101.1/24"]}, "169.254.101.1 is outside the subnets"),
        ({"networks": ["fd01::1/64"]}, "fd01::1 is outside the subnets"),
        ({"networks": ["169.254.100.99/24"]}, "169.254.100.99 is used by port 'far-port'"),
        ({"networks": ["169.254.100.98/24"]}, "169.254.100.98 is used by port 'near-port'"),
        ({"gateways": [{"chassis": "gw9"}]}, "the zone has no chassis 'gw9'"),
        ({"gateways": [{"chassis": "far"}]}, "'far' is a gateway of another zone"),
        ({"gateways": [{"chassis": "gw1"}, {"chassis": "gw1"}]}, "names the chassis 'gw1' twice"),
        ({"gateways": [{"chassis": "gw1", "priority": 40000}]}, "is 40000; choose one of 0 to 32767"),
        ({"gateways": None, "ha_chassis_group": {"name": "edge"}}, "there is no HA chassis group 'edge'"),
        ({"gateways": None, "ha_chassis_group": {"name": "edge", "chassis": [{"chassis": "far"}]}}, "'far' is a gateway of another"),
        ({"port": "near"}, "'near' belongs to another router"),
        ({"switch_port": "elsewhere"}, "'elsewhere' belongs to another switch"),
        ({"switch_port": "far-port"}, "is of type 'remote' and no router's"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    contents = zone()
    nb = contents[NB]
    near = put(nb, "Logical_Router_Port", name="near", mac="aa:aa:aa:aa:aa:98", networks=["169.254.100.98/24"])
    put(nb, "Logical_Router", name="lr2", ports=[near])
    ports = [
        put(nb, "Logical_Switch_Port", name="near-port", type="router", addresses=["router"], options={"router-port": "near"}),
        put(nb, "Logical_Switch_Port", name="far-port", type="remote", addresses=["aa:aa:aa:aa:aa:99 169.254.100.99/24"]),
    ]
    (switch,) = nb.rows("Logical_Switch")
    nb.put("Logical_Switch", switch.uuid, {**switch.as_dict(), "ports": frozenset(ports)})
    put(nb, "Logical_Switch", name="sw", ports=[put(nb, "Logical_Switch_Port", name="elsewhere")])
    with pytest.raises(ModuleError, match=words):
        module.desired(params(module, **{**WANTED, **given}), contents)


def test_without_the_global_database_the_switch_must_be_there() -> None:
    contents = zone(switch=False)
    del contents[IC_NB]
    with pytest.raises(ModuleError, match="the zone has no switch for the transit switch 'ts1'; give ic_nb_db"):
        module.desired(params(module, **WANTED), contents)


def test_a_port_that_is_attached_under_another_name_is_not_attached_twice() -> None:
    contents = attached(switch_port="by-hand")
    with pytest.raises(ModuleError, match="attached by the switch port 'by-hand' already"):
        module.desired(params(module, **WANTED), contents)
