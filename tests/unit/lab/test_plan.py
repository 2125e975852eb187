# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's address plan and inventory, and the reading of OVN's tools."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ovn.interconnect.lab.labhosts import plan, verify
from ansible_collections.ovn.interconnect.lab.labhosts.settings import LabError

NETWORK = ipaddress.IPv4Network("172.30.0.0/24")
ROOT = Path(__file__).resolve().parents[3]


def lab(zones: int = 2, *suites: str) -> plan.Lab:
    return plan.Lab.parse(zones, suites, NETWORK)


def hosts(tree: Any) -> dict[str, Any]:
    """Return the variables of all hosts of an inventory."""
    found: dict[str, Any] = {}
    for group in (tree or {}).values():
        for name, variables in (group or {}).get("hosts", {}).items():
            found[name] = {**found.get(name, {}), **(variables or {})}
        found.update({name: {**found.get(name, {}), **more} for name, more in hosts((group or {}).get("children")).items()})
    return found


def test_the_committed_inventory_is_the_one_that_would_be_written() -> None:
    assert (ROOT / "lab/inventory.yml").read_text(encoding="utf-8") == plan.inventory_text(lab())


def test_addresses() -> None:
    addresses = {name: variables["lab_host"]["ip"] for name, variables in hosts(plan.inventory(lab(2))).items()}
    assert addresses == {
        "ic": "172.30.0.10",
        "az1-central": "172.30.0.11",
        "az1-gw1": "172.30.0.21",
        "az1-hv1": "172.30.0.31",
        "az2-central": "172.30.0.12",
        "az2-gw1": "172.30.0.22",
        "az2-hv1": "172.30.0.32",
    }


@pytest.mark.parametrize("zones", [1, 3, 9])
def test_every_number_of_zones_has_addresses_of_its_own(zones: int) -> None:
    found = hosts(yaml.safe_load(plan.inventory_text(lab(zones))))
    addresses = [variables["lab_host"]["ip"] for variables in found.values()]
    assert len(set(addresses)) == len(addresses) == 3 * zones + 1
    assert all(ipaddress.IPv4Address(address) in NETWORK for address in addresses)
    assert all(variables["lab_host"]["name"] == name for name, variables in found.items())


def test_each_zone_expects_the_others_routes() -> None:
    zones = plan.inventory(lab(3))["all"]["children"]["lab"]["children"]["lab_zones"]["children"]
    assert zones["az2"]["vars"]["ovn_ic_expected_routes"] == [
        {"router": "edge", "prefix": "10.0.1.0/24"},
        {"router": "edge", "prefix": "10.0.3.0/24"},
    ]


def test_suites_of_zones_and_of_the_global_databases() -> None:
    chosen = lab(2, "az2=trixie")
    suites = {name: variables["lab_host"]["suite"] for name, variables in hosts(plan.inventory(chosen)).items()}
    assert (suites["az1-gw1"], suites["az2-gw1"], suites["ic"]) == ("bookworm", "trixie", "trixie")
    assert plan.builds(chosen) == {"bookworm": ["central", "chassis"], "trixie": ["central", "chassis"]}
    assert plan.builds(lab()) == {"bookworm": ["central", "chassis"]}


@pytest.mark.parametrize(
    "zones, suites, network, message",
    [
        (0, (), NETWORK, "1 to 9 zones, not 0"),
        (10, (), NETWORK, "1 to 9 zones, not 10"),
        (2, ("az3=trixie",), NETWORK, "'az3=trixie' must be ZONE=SUITE"),
        (2, ("trixie",), NETWORK, "must be ZONE=SUITE"),
        (2, ("az1=potato",), NETWORK, "'potato' is not one of"),
        (2, (), ipaddress.IPv4Network("172.30.0.0/28"), "too small"),
    ],
)
def test_labs_that_cannot_be(zones: int, suites: tuple[str, ...], network: ipaddress.IPv4Network, message: str) -> None:
    with pytest.raises(LabError, match=message):
        plan.Lab.parse(zones, suites, network)


def test_workloads_are_found_by_the_names_of_the_hosts() -> None:
    found = verify.workloads(["az1-central", "az1-hv1", "az2-hv1", "az2-hv2", "ic", "xaz3-hv1"])
    assert [(workload.name, workload.host, workload.address) for workload in found] == [
        ("vm1", "az1-hv1", "10.0.1.10"),
        ("vm2", "az2-hv1", "10.0.2.10"),
    ]


@pytest.mark.parametrize(
    "value, expected",
    [
        ("text", "text"),
        (5, 5),
        (["uuid", "a-b"], "a-b"),
        (["set", []], []),
        (["set", [["uuid", "a"], ["uuid", "b"]]], ["a", "b"]),
        (["map", [["set", "map"], ["k", "v"]]], {"set": "map", "k": "v"}),
    ],
)
def test_ovsdb_values(value: object, expected: object) -> None:
    assert verify.plain(value) == expected


def test_rows_of_a_tool() -> None:
    text = '{"headings": ["name", "static_routes"], "data": [["lr1", ["set", []]], ["lr2", ["uuid", "x"]]]}'
    assert verify.rows(text) == [{"name": "lr1", "static_routes": []}, {"name": "lr2", "static_routes": "x"}]


def test_average_of_ping() -> None:
    assert verify.average("rtt min/avg/max/mdev = 1.118/1.601/4.178/0.493 ms\n") == 1.601
    with pytest.raises(LabError, match="no round trip"):
        verify.average("5 packets transmitted, 0 received")
