# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found to be wrong, and that nothing is where nothing is."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible import doctor
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.schema import IC_NB, IC_SB, NB, SB
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.store import Store
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_doctor_info as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import params, put, stores

Contents = dict[str, Store]


@pytest.fixture
def healthy() -> tuple[Contents, dict[str, str]]:
    """Two zones, each with a gateway and a port on ts1; the databases of az1 are there too."""
    contents = stores(doctor.GLOBAL_NORTH, doctor.GLOBAL_SOUTH, doctor.NORTH, doctor.SOUTH)
    south, azs = contents[IC_SB], {}
    put(contents[IC_NB], "IC_NB_Global", nb_ic_cfg=2)
    put(contents[IC_NB], "Transit_Switch", name="ts1")
    put(south, "Datapath_Binding", transit_switch="ts1", tunnel_key=1)
    for number in (1, 2):
        az = azs[f"az{number}"] = put(south, "Availability_Zone", name=f"az{number}", nb_ic_cfg=2)
        encaps = {put(south, "Encap", type="geneve", ip=f"192.0.2.{number}")}
        put(south, "Gateway", name=f"gw{number}", availability_zone=az, encaps=encaps)
        port(contents, az, number, f"gw{number}", f"aa:aa:aa:aa:aa:0{number} 169.254.100.{number}/24")
        route(contents, az, f"10.0.{number}.1/24")
    put(contents[NB], "NB_Global", name="az1", external_ids={"ovn-interconnect-zone": azs["az1"]})
    put(contents[SB], "Chassis", name="gw1", encaps={put(contents[SB], "Encap", type="geneve", ip="192.0.2.1")})
    put(
        contents[SB],
        "Chassis",
        name="gw2",
        encaps={put(contents[SB], "Encap", type="geneve", ip="192.0.2.2")},
        other_config={"is-remote": "true"},
    )
    return contents, azs


def port(contents: Contents, az: str, number: int, gateway: str, address: str, **columns: str) -> None:
    columns = {"logical_port": f"p{number}", "transit_switch": "ts1", **columns}
    put(contents[IC_SB], "Port_Binding", availability_zone=az, gateway=gateway, address=address, **columns)


def route(contents: Contents, az: str, prefix: str, **columns: str) -> None:
    columns = {"transit_switch": "ts1", "origin": "connected", **columns}
    put(contents[IC_SB], "Route", availability_zone=az, ip_prefix=prefix, **columns)


def found(contents: Contents, *checks: str) -> list[tuple[str, str]]:
    shown = doctor.describe(params(module, **({"checks": list(checks)} if checks else {})), contents)
    assert shown["healthy"] == (shown["findings"] == [])
    return [(one["check"], one["record"]) for one in shown["findings"]]


def test_nothing_is_found_where_nothing_is(healthy: tuple[Contents, dict[str, str]]) -> None:
    contents, azs = healthy
    route(contents, azs["az2"], "10.0.1.0/24", origin="static")
    route(contents, azs["az2"], "10.0.1.0/24", transit_switch="ts2")
    route(contents, azs["az2"], "10.0.0.0/16", route_table="rtb1")
    route(contents, azs["az1"], "10.0.1.128/25")
    route(contents, azs["az2"], "junk")
    port(contents, azs["az2"], 3, "", "aa:aa:aa:aa:aa:01", type="transit-router-port")
    port(contents, azs["az2"], 4, "gw2", "aa:aa:aa:aa:aa:01 169.254.100.1/24", transit_switch="ts2")
    assert found(contents) == []


def test_ports_that_nobody_reaches_are_found(healthy: tuple[Contents, dict[str, str]]) -> None:
    contents, azs = healthy
    for number, gateway in enumerate(("", "hv1", "gw2"), 3):
        port(contents, azs["az1"], number, gateway, "")
    assert found(contents) == [("gateways", f"p{number} of zone az1") for number in (3, 4, 5)]


def test_addresses_in_use_twice_are_found(healthy: tuple[Contents, dict[str, str]]) -> None:
    contents, azs = healthy
    port(contents, azs["az2"], 3, "gw2", "AA:aa:aa:aa:aa:01 169.254.100.9/24 fd00::9/64")
    port(contents, azs["az2"], 4, "gw2", "aa:aa:aa:aa:aa:04 169.254.100.2/16 fd00:0::9/64")
    assert found(contents) == [
        ("addresses", "169.254.100.2 on ts1"),
        ("addresses", "aa:aa:aa:aa:aa:01 on ts1"),
        ("addresses", "fd00::9 on ts1"),
    ]


def test_chassis_in_conflict_with_gateways_of_other_zones_are_found(healthy: tuple[Contents, dict[str, str]]) -> None:
    contents, azs = healthy
    put(contents[IC_SB], "Gateway", name="hv1", availability_zone=azs["az2"])
    put(contents[SB], "Chassis", name="hv1", encaps={put(contents[SB], "Encap", type="geneve", ip="192.0.2.2")})
    assert found(contents) == [("chassis", "hv1"), ("chassis", "hv1")]
    del contents[SB]
    assert found(contents) == []


def test_zones_out_of_step_and_without_gateways_are_found(healthy: tuple[Contents, dict[str, str]]) -> None:
    contents, _azs = healthy
    put(contents[IC_SB], "Availability_Zone", name="az3", nb_ic_cfg=1)
    assert found(contents) == [("zones", "az3"), ("zones", "az3")]
    assert found(contents, "gateways") == []
    del contents[IC_SB].schema.json["tables"]["Availability_Zone"]["columns"]["nb_ic_cfg"]
    assert found(contents) == [("zones", "az3")]


@pytest.mark.parametrize("prefix, record", [("10.0.1.0/24", "10.0.1.0/24"), ("10.0.1.9/32", "10.0.1.9/32"), ("10.0.0.0/23", "10.0.1.0/24")])
def test_overlaps_are_found(healthy: tuple[Contents, dict[str, str]], prefix: str, record: str) -> None:
    contents, azs = healthy
    route(contents, azs["az2"], prefix)
    assert found(contents) == [("overlaps", f"{record} on ts1")]


def test_names_and_keys_in_use_twice_are_found(healthy: tuple[Contents, dict[str, str]]) -> None:
    contents, _azs = healthy
    put(contents[IC_NB], "Transit_Router", name="ts1")
    put(contents[IC_SB], "Datapath_Binding", transit_switch="ts2", tunnel_key=1)
    assert found(contents) == [("duplicate_keys", "1"), ("same_names", "ts1")]
