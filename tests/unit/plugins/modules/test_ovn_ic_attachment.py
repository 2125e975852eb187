# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attachments, as far as the module decides it without a server."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import diff, results
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.attachment import GLOBAL, NORTH, SHARED, SOUTH
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.shown import explained
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, NB, SB
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
        put(contents[SB], "Chassis", name=name, other_config={"is-interconn": "true"})
    put(contents[SB], "Chassis", name="plain")
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
        ({"router": "lr9"}, "router 'lr9' does not exist"),
        ({"router": ""}, "router is empty"),
        ({"transit_switch": "ts9"}, "transit switch 'ts9' does not exist"),
        ({"mac": None}, "does not exist yet; give mac too"),
        ({"mac": None, "networks": None}, "give mac and networks too"),
        ({"mac": "aa:bb"}, "which has 2 of the six parts"),
        ({"mac": "01:00:00:00:00:01"}, "a multicast MAC"),
        ({"mac": "00:00:00:00:00:00"}, "the zero MAC"),
        ({"router": "x" * 300}, "has 300 characters; use at most 255"),
        ({"port": "a\x07"}, "control character"),
        ({"networks": ["169.254.100.0/24"]}, "is the network address"),
        ({"networks": ["169.254.100.255/24"]}, "is the broadcast address"),
        ({"networks": ["224.0.0.1/4"]}, "is a multicast address"),
        ({"networks": ["127.0.0.1/8"]}, "is a loopback address"),
        ({"networks": ["0.0.0.0/0"]}, "covers all addresses"),
        ({"networks": ["169.254.100.1/25"]}, "prefix length 25, but subnet 169.254.100.0/24 of transit switch 'ts1' has 24"),
        ({"networks": ["169.254.100.1/16"]}, "prefix length 16, but subnet"),
        ({"networks": ["169.254.100.1/24", "169.254.100.2/24"]}, "which are in one subnet"),
        ({"gateways": [{"chassis": "plain"}]}, r"'plain' is not a gateway of the interconnect .*\(its gateways: gw1, gw2\)"),
        ({"mac": "aa:aa:aa:aa:aa:99"}, "aa:aa:aa:aa:aa:99 is used by port 'far-port'"),
        ({"networks": []}, "networks is empty"),
        ({"networks": ["169.254.100.1"]}, "without a prefix length"),
        ({"networks": ["169.254.101.1/24"]}, "169.254.101.1 is outside the subnets"),
        ({"networks": ["fd01::1/64"]}, "fd01::1 is outside the subnets"),
        ({"networks": ["169.254.100.99/24"]}, "169.254.100.99 is used by port 'far-port'"),
        ({"networks": ["169.254.100.98/24"]}, "169.254.100.98 is used by port 'near-port'"),
        ({"gateways": [{"chassis": "gw9"}]}, r"the zone has no chassis 'gw9' \(its gateways: gw1, gw2\)"),
        ({"gateways": [{"chassis": "far"}]}, "'far' is a gateway of another zone"),
        ({"gateways": [{"chassis": "gw1"}, {"chassis": "gw1"}]}, "names the chassis 'gw1' twice"),
        ({"gateways": [{"chassis": "gw1", "priority": 40000}]}, "is 40000; choose a number from 0 to 32767"),
        ({"gateways": None, "ha_chassis_group": {"name": "edge"}}, "HA chassis group 'edge' does not exist"),
        ({"gateways": None, "ha_chassis_group": {"name": "edge", "chassis": [{"chassis": "far"}]}}, "'far' is a gateway of another"),
        ({"port": "near"}, "'near' belongs to another router"),
        ({"switch_port": "elsewhere"}, "'elsewhere' belongs to another switch"),
        ({"switch_port": "far-port"}, "is of type 'remote', because another zone has a port of that name"),
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


def again(contents: dict[str, Store], **given: Any) -> Any:
    """What the module changes with these options, with nothing of ``WANTED`` but router and transit switch."""
    return settle(module, params(module, **{"router": "lr1", "transit_switch": "ts1", **given}), contents)


def named(contents: dict[str, Store], **names: str) -> dict[str, Store]:
    """An attachment with ports of these names, and a second router with a port on the same switch."""
    attach(contents, "lr2", "lr2-ts1", "ts1-lr2", "aa:aa:aa:aa:aa:02", "169.254.100.2/24")
    return settled(contents, **names)


def settled(contents: dict[str, Store], **given: Any) -> dict[str, Store]:
    settle(module, params(module, **{**WANTED, **given}), contents)
    return contents


def attach(contents: dict[str, Store], router: str, port: str | None, switch_port: str | None, mac: str = "", network: str = "") -> None:
    """Ports by hand, without this module: ``switch_port`` names ``port``, or what the port was called before."""
    nb = contents[NB]
    (switch,) = (row for row in nb.rows("Logical_Switch") if row["name"] == "ts1")
    if port is not None:
        uuid = put(nb, "Logical_Router_Port", name=port, mac=mac, networks=[network])
        put_child(nb, "Logical_Router", router, uuid)
    if switch_port is not None:
        options = {"router-port": port or f"{router}-ts1"}
        uuid = put(nb, "Logical_Switch_Port", name=switch_port, type="router", addresses=["router"], options=options)
        put_child(nb, "Logical_Switch", switch["name"], uuid)


def put_child(store: Store, table: str, name: str, child: str) -> None:
    row = next((row for row in store.rows(table) if row["name"] == name), None)
    uuid = row.uuid if row is not None else put(store, table, name=name)
    store.put(table, uuid, {"name": name, "ports": frozenset([*store.children(table, "ports", uuid), child])})


def change(store: Store, table: str, record: str, **columns: Any) -> Row:
    """Change a row by hand."""
    (row,) = (row for row in store.rows(table) if row["name"] == record)
    store.put(table, row.uuid, columns)
    return row


def names(contents: dict[str, Store], table: str) -> set[str]:
    return {row["name"] for row in contents[NB].rows(table)}


def test_a_new_switch_port_is_called_after_transit_switch_zone_and_router() -> None:
    contents = zone()
    put(contents[NB], "NB_Global", name="dc1")
    settled(contents)
    assert described(contents)["switch_port"] == "ts1-dc1-lr1"


def test_an_attachment_with_the_name_of_earlier_releases_is_kept() -> None:
    contents = attached()
    before = described(contents)
    put(contents[NB], "NB_Global", name="dc1")
    assert not settle(module, params(module, **WANTED), contents)
    assert described(contents) == before
    assert before["switch_port"] == "ts1-lr1"


@pytest.mark.parametrize(
    "given", [{"port": "uplink"}, {"switch_port": "ts1-dc1-lr1"}, {"port": "uplink", "switch_port": "ts1-dc1-lr1"}, {"port": "lr1-ts1"}]
)
def test_a_given_name_renames_the_port_in_place(given: dict[str, str]) -> None:
    contents = named(zone())
    before = described(contents)
    again(contents, **given)
    assert described(contents) == {**before, **given}
    (row,) = (row for row in contents[NB].rows("Logical_Switch_Port") if row["name"] == described(contents)["switch_port"])
    assert row["options"] == {"router-port": described(contents)["port"]}
    assert contents[NB].count("Logical_Router_Port") == contents[NB].count("Logical_Switch_Port") == 2
    assert not again(contents, **given)


def test_what_refers_to_a_router_port_by_name_follows() -> None:
    contents = attached()
    nb = contents[NB]
    put(nb, "Logical_Router_Static_Route", output_port="lr1-ts1")
    put(nb, "Logical_Router_Static_Route", output_port="other")
    put(nb, "BFD", logical_port="lr1-ts1")
    put(nb, "Static_MAC_Binding", logical_port="lr1-ts1")
    again(contents, port="uplink")
    assert sorted(row["output_port"] for row in nb.rows("Logical_Router_Static_Route")) == ["other", "uplink"]
    assert [only(nb, table)["logical_port"] for table in ("BFD", "Static_MAC_Binding")] == ["uplink", "uplink"]
    assert names(contents, "Gateway_Chassis") == {"uplink-gw1", "uplink-gw2"}


def test_a_new_gateway_gets_a_name_that_no_other_port_has_left_behind() -> None:
    contents = attached()
    change(contents[NB], "Logical_Router_Port", "lr1-ts1", name="uplink")
    change(contents[NB], "Logical_Switch_Port", "ts1-lr1", options={"router-port": "uplink"})
    put(contents[NB], "Logical_Router", name="lr2")
    put(contents[NB], "Logical_Switch", name="ts2", other_config={"interconn-ts": "ts2"})
    put(contents[IC_NB], "Transit_Switch", name="ts2")
    other = {"router": "lr2", "transit_switch": "ts2", "port": "lr1-ts1", "mac": "aa:aa:aa:aa:aa:02", "networks": ["169.254.200.1/24"]}
    again(contents, **other, gateways=[{"chassis": "gw1"}])
    assert names(contents, "Gateway_Chassis") == {"lr1-ts1-gw1", "lr1-ts1-gw2", "lr1-ts1-gw1-2"}


@pytest.mark.parametrize("follows", [True, False])
@pytest.mark.parametrize("given, port", [({"port": "lr1-ts1"}, "lr1-ts1"), ({}, "uplink"), ({"port": "third"}, "third")])
def test_a_router_port_that_was_renamed_by_hand_is_recognized(follows: bool, given: dict[str, str], port: str) -> None:
    contents = named(zone())
    before = described(contents)
    change(contents[NB], "Logical_Router_Port", "lr1-ts1", name="uplink")
    if follows:
        change(contents[NB], "Logical_Switch_Port", "ts1-lr1", options={"router-port": "uplink"})
    settled(contents, **given)
    assert described(contents) == {**before, "port": port}
    assert not again(contents, **given)


@pytest.mark.parametrize("evidence", ["gateways", "network", "neither"])
def test_a_router_port_that_was_renamed_by_hand_is_detached(evidence: str) -> None:
    contents = attached(gateways=None if evidence != "gateways" else WANTED["gateways"])
    change(contents[NB], "Logical_Router_Port", "lr1-ts1", name="uplink")
    attach(contents, "lr1", "lan", None, "aa:aa:aa:aa:aa:05", "10.0.0.1/24")
    if evidence != "network":
        change(contents[NB], "Logical_Router_Port", "uplink", networks=frozenset(["10.9.0.1/24"]))
    again(contents, state="absent")
    assert names(contents, "Logical_Router_Port") == ({"lan", "uplink"} if evidence == "neither" else {"lan"})
    assert names(contents, "Logical_Switch_Port") == set()


def test_a_router_port_by_hand_is_not_guessed() -> None:
    contents = attached(gateways=None)
    change(contents[NB], "Logical_Router_Port", "lr1-ts1", name="uplink")
    attach(contents, "lr1", "other", None, "aa:aa:aa:aa:aa:05", "169.254.100.7/24")
    with pytest.raises(ModuleError, match="may be any of these: other, uplink; select one with port"):
        again(contents)
    again(contents, port="uplink")
    assert described(contents)["port"] == "uplink"


HAND: dict[str, Any] = {"router": "lr1", "port": "rp", "switch_port": "sp", "mac": "aa:aa:aa:aa:aa:01", "network": "169.254.100.1/24"}


@pytest.mark.parametrize(
    "given, after",
    [
        ({"mac": "aa:aa:aa:aa:aa:01"}, {}),
        ({"mac": "aa:aa:aa:aa:aa:01", "networks": ["169.254.100.1/24"]}, {}),
        ({"mac": "aa:aa:aa:aa:aa:09"}, {"mac": "aa:aa:aa:aa:aa:09"}),
        ({"gateways": [{"chassis": "gw1"}]}, {"gateways": [{"chassis": "gw1", "priority": 0}]}),
    ],
)
def test_an_attachment_that_was_made_by_hand_is_changed_in_place(given: dict[str, Any], after: dict[str, Any]) -> None:
    contents = zone()
    attach(contents, **HAND)
    before = described(contents)
    assert bool(again(contents, **given)) is bool(after)
    assert described(contents) == {**before, **after}
    assert (before["port"], before["switch_port"]) == ("rp", "sp")


@pytest.mark.parametrize("given", [{}, {"switch_port": "sp"}, {"port": "rp"}, {"port": "rp", "switch_port": "other"}])
def test_absent_finds_ports_of_any_name_by_what_they_link(given: dict[str, str]) -> None:
    contents = zone()
    attach(contents, **HAND)
    attach(contents, "lr2", "lr2-ts1", "ts1-lr2")
    again(contents, state="absent", **given)
    assert names(contents, "Logical_Router_Port") == {"lr2-ts1"}
    assert names(contents, "Logical_Switch_Port") == {"ts1-lr2"}
    assert not again(contents, state="absent", **given)


def test_absent_leaves_a_port_of_another_zone_alone() -> None:
    contents = zone()
    put_child(contents[NB], "Logical_Switch", "ts1", put(contents[NB], "Logical_Switch_Port", name="ts1-lr1", type="remote"))
    attach(contents, "lr2", "lr1-ts1", "elsewhere")
    assert not again(contents, state="absent")


@pytest.mark.parametrize(
    "columns",
    [
        {"type": "", "options": {}},
        {"type": "localnet", "options": {}},
        {"type": "router", "options": {"router-port": "lr2-ts1"}},
    ],
)
def test_absent_leaves_a_port_that_links_nothing_or_another_router_alone(columns: dict[str, Any]) -> None:
    contents = zone()
    attach(contents, "lr2", "lr2-ts1", None)
    put_child(contents[NB], "Logical_Switch", "ts1", put(contents[NB], "Logical_Switch_Port", name="ts1-lr1", **columns))
    assert not again(contents, state="absent")


@pytest.mark.parametrize("half", ["router port", "switch port"])
def test_half_an_attachment_is_completed_or_removed(half: str) -> None:
    for state in ("present", "absent"):
        contents = zone()
        port, switch_port = ("lr1-ts1", None) if half == "router port" else (None, "ts1-lr1")
        attach(contents, "lr1", port, switch_port, "aa:aa:aa:aa:aa:01", "169.254.100.1/24")
        kept = [row.uuid for table in ("Logical_Router_Port", "Logical_Switch_Port") for row in contents[NB].rows(table)]
        settled(contents, state=state)
        result = described(contents)
        assert bool(result) is (state == "present")
        assert not result or kept[0] in (result["port_uuid"], result["switch_port_uuid"])
        assert contents[NB].count("Logical_Router_Port") == contents[NB].count("Logical_Switch_Port") == (state == "present")


def test_a_router_port_without_a_switch_port_is_recognized_by_its_addresses() -> None:
    contents = zone()
    attach(contents, "lr1", "rp", None, "aa:aa:aa:aa:aa:01", "169.254.100.1/24")
    settled(contents)
    assert described(contents)["port"] == "rp"


@pytest.mark.parametrize("given", [{"port": "second"}, {"switch_port": "sp2"}, {"port": "second", "switch_port": "renamed"}])
def test_of_several_attachments_one_has_to_be_named(given: dict[str, str]) -> None:
    contents = attached()
    attach(contents, "lr1", "second", "sp2", "aa:aa:aa:aa:aa:02", "169.254.200.2/24")
    for state in ("present", "absent"):
        with pytest.raises(
            ModuleError, match="2 times, by these router ports and switch ports: lr1-ts1 with ts1-lr1, second with sp2; select"
        ):
            again(contents, state=state)
    if "switch_port" in given and "port" in given:
        again(contents, **given)
        assert names(contents, "Logical_Switch_Port") == {"ts1-lr1", "renamed"}
    else:
        changes = module.desired(params(module, router="lr1", transit_switch="ts1", state="absent", **given), contents)
        assert {change.record for change in changes if change.action == "delete"} == {"second", "sp2"}


def warned(contents: dict[str, Store], **given: Any) -> list[str]:
    return module.warn(params(module, router="lr1", transit_switch="ts1", state="absent", **given), contents)


@pytest.mark.parametrize("given", [{"port": "lr1-ts1"}, {"switch_port": "ts1-lr1"}, {"port": "lr1-ts1", "switch_port": "ts1-lr1"}])
@pytest.mark.parametrize("more", [1, 2])
def test_the_removal_of_one_of_several_attachments_can_be_repeated(given: dict[str, str], more: int) -> None:
    contents = attached()
    for number in range(2, 2 + more):
        attach(contents, "lr1", f"rp{number}", f"sp{number}", f"aa:aa:aa:aa:aa:0{number}", f"169.254.20{number}.2/24")
    assert again(contents, state="absent", **given)
    rest = names(contents, "Logical_Router_Port"), names(contents, "Logical_Switch_Port")
    assert rest == ({f"rp{number}" for number in range(2, 2 + more)}, {f"sp{number}" for number in range(2, 2 + more)})
    assert not again(contents, state="absent", **given)
    assert (names(contents, "Logical_Router_Port"), names(contents, "Logical_Switch_Port")) == rest
    (warning,) = warned(contents, **given)
    assert "is still attached to transit switch 'ts1' by router port 'rp2' and switch port 'sp2'" in warning
    assert module.describe(params(module, router="lr1", transit_switch="ts1", state="absent", **given), contents) == {"attachment": {}}


@pytest.mark.parametrize("half", ["router port", "switch port"])
def test_half_an_attachment_with_another_name_than_the_given_one_stays(half: str) -> None:
    contents = zone()
    port, switch_port = ("lr1-ts1", None) if half == "router port" else (None, "ts1-lr1")
    attach(contents, "lr1", port, switch_port, "aa:aa:aa:aa:aa:01", "169.254.100.1/24")
    assert not again(contents, state="absent", port="uplink", switch_port="other")
    assert len(warned(contents, port="uplink", switch_port="other")) == 1
    assert again(contents, state="absent", port="lr1-ts1", switch_port="ts1-lr1")
    assert not warned(contents, port="lr1-ts1", switch_port="ts1-lr1")


def test_two_names_of_two_attachments_are_refused() -> None:
    contents = attached()
    attach(contents, "lr1", "second", "sp2", "aa:aa:aa:aa:aa:02", "169.254.200.2/24")
    with pytest.raises(ModuleError, match="select one with port"):
        again(contents, state="absent", port="lr1-ts1", switch_port="sp2")


def test_a_router_port_that_another_switch_port_names_stays() -> None:
    contents = attached()
    uuid = put(contents[NB], "Logical_Switch_Port", name="sw-lr1", type="router", options={"router-port": "lr1-ts1"})
    put(contents[NB], "Logical_Switch", name="sw", ports=[uuid])
    again(contents, state="absent")
    assert names(contents, "Logical_Router_Port") == {"lr1-ts1"}
    assert names(contents, "Logical_Switch_Port") == {"sw-lr1"}
    with pytest.raises(ModuleError, match="'lr1-ts1' of router 'lr1' is linked by the switch port 'sw-lr1'; choose another name"):
        again(contents, mac="aa:aa:aa:aa:aa:01", networks=["169.254.100.1/24"])


def test_a_switch_port_that_names_the_router_port_in_its_column_is_a_link() -> None:
    contents = zone()
    attach(contents, **HAND)
    change(contents[NB], "Logical_Switch_Port", "sp", options={}, peer="rp")
    assert described(contents)["port"] == "rp"
    again(contents, port="uplink")
    assert only(contents[NB], "Logical_Switch_Port")["peer"] == "uplink"
    assert described(contents)["port"] == "uplink"


def test_a_switch_port_that_the_daemon_makes_is_left_to_it() -> None:
    contents = zone()
    attach(contents, **HAND)
    change(contents[NB], "Logical_Switch_Port", "sp", options={"router-port": "rp", "interconn-tsp": "sp"})
    assert not again(contents, mac="aa:aa:aa:aa:aa:01")
    for given in ({"port": "uplink"}, {"switch_port": "other"}):
        with pytest.raises(ModuleError, match="'sp' is created from the transit switch port of that name in IC_NB"):
            again(contents, **given)
    again(contents, state="absent")
    assert names(contents, "Logical_Router_Port") == set()
    assert names(contents, "Logical_Switch_Port") == {"sp"}


@pytest.mark.parametrize("addresses, kept", [(["router"], True), (["aa:aa:aa:aa:aa:01 169.254.100.1"], True), (["unknown"], False)])
def test_addresses_of_a_switch_port_are_kept_while_they_are_right(addresses: list[str], kept: bool) -> None:
    contents = zone()
    attach(contents, **HAND)
    change(contents[NB], "Logical_Switch_Port", "sp", addresses=frozenset(addresses))
    assert bool(again(contents)) is not kept
    again(contents, mac="aa:aa:aa:aa:aa:07")
    assert only(contents[NB], "Logical_Switch_Port")["addresses"] == {"router"}


def published(contents: dict[str, Store], name: str, zone_name: str) -> None:
    """A port of a zone in IC_SB."""
    contents.update(stores(SHARED) if IC_SB not in contents else {})
    az = put(contents[IC_SB], "Availability_Zone", name=zone_name)
    put(contents[IC_SB], "Port_Binding", logical_port=name, availability_zone=az)


@pytest.mark.parametrize("renamed", [False, True])
def test_a_name_that_another_zone_has_published_is_refused(renamed: bool) -> None:
    contents = attached() if renamed else zone()
    put(contents[NB], "NB_Global", name="dc1")
    published(contents, "backbone", "dc2")
    with pytest.raises(ModuleError, match="zone 'dc2' has a port 'backbone' in IC_SB; port names must be unique across all zones; choose"):
        settled(contents, switch_port="backbone")


def test_a_name_that_the_zone_has_published_itself_can_be_given() -> None:
    contents = zone()
    put(contents[NB], "NB_Global", name="dc1")
    published(contents, "backbone", "dc1")
    settled(contents, switch_port="backbone")
    assert described(contents)["switch_port"] == "backbone"


def test_an_attachment_that_collides_with_another_zone_is_kept_and_reported() -> None:
    contents = attached()
    put(contents[NB], "NB_Global", name="dc1")
    published(contents, "ts1-lr1", "dc2")
    given = params(module, router="lr1", transit_switch="ts1")
    assert not settle(module, given, contents)
    (words,) = module.warn(given, contents)
    assert "has the name of a port of zone 'dc2'" in words
    assert "rename it with switch_port, such as 'ts1-dc1-lr1'" in words
    again(contents, switch_port="ts1-dc1-lr1")
    assert module.warn(given, contents) == []


@pytest.mark.parametrize(
    "given, words",
    [
        ({"port": "lan"}, "has another port 'lan', which no switch port links; remove it, or choose another name with the option port"),
        ({"port": "peered"}, "'peered' of router 'lr1' is linked to router port 'far'"),
        ({"port": "lr2-ts1"}, "'lr2-ts1' belongs to another router"),
        ({"switch_port": "ts1-lr2"}, "'ts1-lr2' links the router port 'lr2-ts1'"),
        ({"switch_port": "dangling"}, "'dangling' exists, which names no router port; remove it"),
        ({"switch_port": "vif"}, "'vif' is of type '' instead of router"),
    ],
)
def test_a_name_that_something_else_has_is_refused(given: dict[str, str], words: str) -> None:
    contents = named(zone())
    attach(contents, "lr1", "lan", None, "aa:aa:aa:aa:aa:05", "10.0.0.1/24")
    attach(contents, "lr1", "peered", None, "aa:aa:aa:aa:aa:06", "10.0.6.1/24")
    change(contents[NB], "Logical_Router_Port", "peered", peer="far")
    for name, kind in (("vif", ""), ("dangling", "router")):
        put_child(contents[NB], "Logical_Switch", "ts1", put(contents[NB], "Logical_Switch_Port", name=name, type=kind))
    with pytest.raises(ModuleError, match=words):
        again(contents, **given)


def test_a_group_is_deleted_together_with_its_port() -> None:
    contents = grouped()
    changes = module.desired(params(module, router="lr1", transit_switch="ts1", state="absent"), contents)
    assert [(change.table, change.action) for change in changes if change.action == "delete"] == [
        ("Logical_Switch_Port", "delete"),
        ("Logical_Router_Port", "delete"),
        ("HA_Chassis_Group", "delete"),
    ]


def shown(contents: dict[str, Store], **given: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The diff and the changes that the module reports."""
    changes = module.desired(params(module, **{"router": "lr1", "transit_switch": "ts1", **given}), contents)
    seen = explained(changes, contents.values())
    return diff(seen), results(seen)


def test_the_diff_shows_whole_sets_by_their_names() -> None:
    contents = attached(gateways=[{"chassis": "gw1", "priority": 20}, {"chassis": "gw2", "priority": 10}])
    difference, changes = shown(contents, gateways=[{"chassis": "gw1", "priority": 20}])
    place = "Logical_Router_Port/lr1-ts1"
    assert difference == {
        "before": {place: {"gateway_chassis": ["gw1 (20)", "gw2 (10)"]}},
        "after": {place: {"gateway_chassis": ["gw1 (20)"]}},
    }
    assert [one["columns"] for one in changes] == [{"gateway_chassis": ["gw1 (20)"]}]


def test_the_diff_of_a_new_attachment_has_neither_uuids_nor_rows_that_only_hold_others() -> None:
    contents = zone()
    difference, changes = shown(contents, **{**WANTED, "gateways": None, "ha_chassis_group": GROUP})
    assert difference["before"] == {}
    assert difference["after"]["Logical_Router_Port/lr1-ts1"]["ha_chassis_group"] == "edge"
    assert difference["after"]["HA_Chassis_Group/edge"]["ha_chassis"] == ["gw1 (20)", "gw2 (10)"]
    assert {one["table"] for one in changes} == {"HA_Chassis", "HA_Chassis_Group", "Logical_Router_Port", "Logical_Switch_Port"}
    assert "@" not in str(difference) + str(changes)


def test_the_diff_of_a_removed_attachment_shows_the_ports_as_they_were() -> None:
    contents = attached()
    difference, _changes = shown(contents, state="absent")
    assert difference["after"] == {}
    assert set(difference["before"]) == {"Logical_Router_Port/lr1-ts1", "Logical_Switch_Port/ts1-lr1"}
    assert difference["before"]["Logical_Router_Port/lr1-ts1"]["gateway_chassis"] == ["gw1 (20)", "gw2 (0)"]


def other_zone(contents: dict[str, Store], address: str) -> None:
    """Zone az2 has published port p2 with this address on ts1; the zone of these databases has a row too."""
    put(contents[NB], "NB_Global", name="az1")
    put(contents[IC_SB], "Availability_Zone", name="az1")
    az2 = put(contents[IC_SB], "Availability_Zone", name="az2")
    put(contents[IC_SB], "Port_Binding", logical_port="p2", transit_switch="ts1", availability_zone=az2, address=address)


@pytest.mark.parametrize(
    "given, words",
    [
        ({"mac": "aa:aa:aa:aa:aa:02"}, "the MAC aa:aa:aa:aa:aa:02 is used by port 'p2' of zone 'az2' on transit switch 'ts1'"),
        ({"networks": ["169.254.100.2/24"]}, "169.254.100.2 is used by port 'p2' of zone 'az2' on transit switch 'ts1'"),
    ],
)
def test_an_address_that_another_zone_has_is_refused_while_daemons_lag(given: dict[str, Any], words: str) -> None:
    contents = {**zone(), **stores(SHARED)}
    other_zone(contents, "aa:aa:aa:aa:aa:02 169.254.100.2/24")
    with pytest.raises(ModuleError, match=words):
        module.desired(params(module, **{**WANTED, **given}), contents)
    assert settle(module, params(module, **WANTED), contents)


def test_without_subnets_the_peers_decide_about_the_prefix_length() -> None:
    contents = {**zone(), **stores(SHARED)}
    row = only(contents[IC_NB], "Transit_Switch")
    contents[IC_NB].put("Transit_Switch", row.uuid, {**row.as_dict(), "external_ids": {}})
    other_zone(contents, "aa:aa:aa:aa:aa:02 169.254.100.2/24")
    with pytest.raises(ModuleError, match=r"169.254.100.1/30 has the prefix length 30, but port 'p2' of zone 'az2'"):
        module.desired(params(module, **{**WANTED, "networks": ["169.254.100.1/30"]}), contents)
    assert settle(module, params(module, **WANTED), contents)


def test_a_copy_of_a_port_that_its_zone_has_removed_blocks_no_address() -> None:
    contents = {**zone(switch=False), **stores(SHARED)}
    other_zone(contents, "aa:aa:aa:aa:aa:02 169.254.100.2/24")
    stale = put(contents[NB], "Logical_Switch_Port", name="gone", type="remote", addresses=["aa:aa:aa:aa:aa:01 169.254.100.1/24"])
    put(contents[NB], "Logical_Switch", name="ts1", other_config={"interconn-ts": "ts1"}, ports=[stale])
    assert settle(module, params(module, **WANTED), contents)


def test_a_network_of_another_port_of_the_router_is_refused() -> None:
    contents = stores(NORTH, SOUTH, GLOBAL)
    lan = put(contents[NB], "Logical_Router_Port", name="lan", mac="aa:aa:aa:aa:aa:77", networks=["10.0.1.1/24"])
    put(contents[NB], "Logical_Router", name="lr1", ports=[lan])
    put(contents[NB], "Logical_Switch", name="ts1", other_config={"interconn-ts": "ts1"})
    put(contents[IC_NB], "Transit_Switch", name="ts1")
    with pytest.raises(ModuleError, match=r"10.0.1.9/24 overlaps with 10.0.1.1/24 of port 'lan' of the same router 'lr1'"):
        module.desired(params(module, **{**WANTED, "gateways": None, "networks": ["10.0.1.9/24"]}), contents)
