# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of an inventory excludes each other."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.filter.inventory_conflicts import inventory_conflicts


def inventory(subnets: list[str] | None = None, **second: Any) -> dict[str, Any]:
    """Two zones with equal router names on ts1; `second` changes the attachment of az2."""
    first = {"router": "edge", "transit_switch": "ts1", "mac": "02:00:00:00:fe:01", "networks": ["169.254.100.1/24"]}
    other = {"router": "edge", "transit_switch": "ts1", "mac": "02:00:00:00:fe:02", "networks": ["169.254.100.2/24"], **second}
    switches: list[dict[str, Any]] = [{"name": "ts1", "subnets": subnets or ["169.254.100.0/24"]}, {"name": "ts2"}]
    return {"transit_switches": switches, "attachments": {"az1": [first], "az2": [other]}}


def test_equal_router_names_are_no_conflict() -> None:
    assert inventory_conflicts(inventory()) == []


@pytest.mark.parametrize(
    "second, sentence",
    [
        (
            {"mac": "02:00:00:00:FE:01"},
            "router edge of zone az1 and router edge of zone az2 both have 02:00:00:00:fe:01 on transit switch ts1",
        ),
        (
            {"networks": ["169.254.100.1/24"]},
            "router edge of zone az1 and router edge of zone az2 both have 169.254.100.1 on transit switch ts1",
        ),
        ({"networks": ["169.254.101.1/24"]}, "169.254.101.1/24 of router edge of zone az2 is outside the subnets of transit switch ts1"),
        ({"networks": ["169.254.100.2/25"]}, "169.254.100.2/25 of router edge of zone az2 has another prefix length than its subnet"),
        ({"networks": ["169.254.100.0/24"]}, "169.254.100.0/24 of router edge of zone az2 is the network or broadcast address of subnet"),
        ({"networks": ["169.254.100.255/24"]}, "169.254.100.255/24 of router edge of zone az2 is the network or broadcast address"),
    ],
)
def test_what_only_one_zone_may_have(second: dict[str, Any], sentence: str) -> None:
    found = inventory_conflicts(inventory(**second))
    assert len(found) == 1
    assert found[0].startswith(sentence)


@pytest.mark.parametrize(
    "second",
    [{"transit_switch": "ts2", "mac": "02:00:00:00:fe:01"}, {"state": "absent", "networks": ["169.254.100.1/24"]}, {"networks": None}],
)
def test_what_both_zones_may_have(second: dict[str, Any]) -> None:
    assert inventory_conflicts(inventory(**second)) == []


def test_equal_names_of_switch_ports() -> None:
    given = inventory(switch_port="port")
    given["attachments"]["az1"][0]["switch_port"] = "port"
    assert inventory_conflicts(given) == ["router edge of zone az1 and router edge of zone az2 both have port on transit switch ts1"]


def test_subnets_that_overlap() -> None:
    given = inventory(["169.254.100.0/24", "fd00::/64"])
    given["transit_switches"][1]["subnets"] = ["169.254.0.0/16"]
    assert inventory_conflicts(given) == [
        "subnet 169.254.100.0/24 of transit switch ts1 overlaps subnet 169.254.0.0/16 of transit switch ts2"
    ]
    given["transit_switches"][1]["state"] = "absent"
    assert inventory_conflicts(given) == []


def test_what_is_not_an_address() -> None:
    (sentence,) = inventory_conflicts(inventory(networks=["nonsense"]))
    assert sentence.startswith("'nonsense' does not appear to be an IPv4 or IPv6 interface in an attachment's networks")
