# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a zone lacks, as the verification reports it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import zone_state
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, NB, SB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_zone_info as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import params, put, stores

Contents = dict[str, Store]


@pytest.fixture
def contents() -> Contents:
    """Zone az1 with router edge on ts1, which has learned one route of another zone."""
    made = stores(*zone_state.READ)
    put(made[IC_NB], "Transit_Switch", name="ts1")
    zone = put(made[IC_SB], "Availability_Zone", name="az1")
    put(made[IC_SB], "Datapath_Binding", transit_switch="ts1", tunnel_key=16711682)
    put(made[IC_SB], "Port_Binding", transit_switch="ts1", logical_port="ts1-edge", tunnel_key=3)
    put(made[SB], "Datapath_Binding", tunnel_key=16711682, external_ids={"interconn-ts": "ts1"})
    put(made[SB], "Port_Binding", logical_port="ts1-edge", type="patch", tunnel_key=3)
    # The zone learns a connected route with the address of the other router.
    learned = put(
        made[NB],
        "Logical_Router_Static_Route",
        ip_prefix="10.0.2.1/24",
        external_ids={"ic-learned-route": "7c6cbd23-6a38-4b5f-a34f-64a8a21e5d62"},
    )
    static = put(made[NB], "Logical_Router_Static_Route", ip_prefix="10.0.3.0/24", external_ids={})
    put(made[NB], "Logical_Router", name="edge", static_routes=[learned, static])
    put(made[NB], "NB_Global", name="az1", external_ids={"ovn-interconnect-zone": zone})
    return made


def lack(contents: Contents, *switches: str, **routes: str) -> str:
    """What the zone lacks; routes by router."""
    given: list[Any] = [{"router": router, "prefix": prefix} for router, prefix in routes.items()]
    error = zone_state.awaited(params(module, transit_switches=list(switches or ["ts1"]), routes=given), contents)
    assert error is None or isinstance(error, ModuleError)
    return str(error or "")


def test_a_zone_that_takes_part_lacks_nothing(contents: Contents) -> None:
    assert lack(contents, edge="10.0.2.0/24") == ""
    shown = zone_state.describe(params(module, transit_switches=["ts1"]), contents)
    assert shown == {"zone": "az1", "tunnel_keys": {"ts1": 16711682}, "complete": True}


def test_a_zone_that_is_not_registered(contents: Contents) -> None:
    (row,) = contents[IC_SB].rows("Availability_Zone")
    contents[IC_SB].put("Availability_Zone", row.uuid, {"name": "az2"})
    assert "zone az1 is not registered" in lack(contents)
    (row,) = contents[NB].rows("NB_Global")
    contents[NB].put("NB_Global", row.uuid, {"name": ""})
    assert "the zone has no name in NB" in lack(contents)


def test_keys_that_differ_are_named_with_both_values(contents: Contents) -> None:
    (row,) = contents[SB].rows("Port_Binding")
    contents[SB].put("Port_Binding", row.uuid, {"tunnel_key": 9})
    assert "ts1-edge (IC_SB has 3, SB has 9)" in lack(contents)
    (row,) = contents[SB].rows("Datapath_Binding")
    contents[SB].put("Datapath_Binding", row.uuid, {"tunnel_key": 7})
    assert "ts1 (IC_SB has 16711682, SB has 7)" in lack(contents)


def test_a_zone_with_another_name_than_the_expected_one(contents: Contents) -> None:
    names = {name: zone_state.awaited(params(module, zone=name), contents) for name in ("az1", "az2")}
    assert names["az1"] is None
    assert "the zone is called az1 in NB, not az2" in str(names["az2"])


def test_the_ports_of_its_own_virtual_machines_are_not_compared(contents: Contents) -> None:
    (zone,) = contents[IC_SB].rows("Availability_Zone")
    put(contents[IC_SB], "Port_Binding", transit_switch="ts1", logical_port="vm1", tunnel_key=7, availability_zone=zone.uuid)
    assert lack(contents) == ""


def test_the_ports_of_virtual_machines_of_other_zones_are_compared(contents: Contents) -> None:
    other = put(contents[IC_SB], "Availability_Zone", name="az2")
    put(contents[IC_SB], "Port_Binding", transit_switch="ts1", logical_port="vm2", tunnel_key=7, availability_zone=other)
    assert "vm2 (IC_SB has 7, SB has no such port)" in lack(contents)
    put(contents[SB], "Port_Binding", logical_port="vm2", type="remote", tunnel_key=7)
    assert lack(contents) == ""


def test_a_switch_that_does_not_exist_yet(contents: Contents) -> None:
    assert "ts2 (IC_SB has none, SB has none)" in lack(contents, "ts1", "ts2")


def test_a_port_that_does_not_exist_in_the_zone(contents: Contents) -> None:
    put(contents[IC_SB], "Port_Binding", transit_switch="ts1", logical_port="ts1-other", tunnel_key=4, external_ids={"router-id": "x"})
    assert "ts1-other (IC_SB has 4, SB has no such port)" in lack(contents)


@pytest.mark.parametrize("prefix", ["10.0.3.0/24", "10.0.2.0/25", "10.0.9.0/24"])
def test_only_a_learned_route_to_the_same_network_counts(contents: Contents, prefix: str) -> None:
    assert f"router edge has not learned {prefix}: " in lack(contents, edge=prefix)


def test_a_router_that_does_not_exist(contents: Contents) -> None:
    assert "router 'none' does not exist" in lack(contents, none="10.0.2.0/24")


def test_a_text_that_is_no_network_is_refused() -> None:
    with pytest.raises(ModuleError, match="prefix"):
        module.check(params(module, routes=[{"router": "edge", "prefix": "nonsense/99"}]))
