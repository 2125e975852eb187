# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that site.yml prints at its end."""

from __future__ import annotations

from typing import Any

from ansible_collections.ovn.interconnect.plugins.filter.interconnect_summary import MOST, interconnect_summary


def facts(zones: int, **changed: Any) -> dict[str, Any]:
    """What ovn_ic_info returns of an interconnect with so many zones."""
    names = [f"az{number}" for number in range(1, zones + 1)]
    whole = {
        "zones": [{"name": name} for name in names],
        "transit_switches": ["ts1"],
        "gateways": [{"name": f"{name}-gw1", "zone": name} for name in names],
        "ports": [{"name": f"ts1-{name}", "zone": name, "gateway": f"{name}-gw1"} for name in names],
        "routes": [{"prefix": "10.0.1.0/24", "zone": name} for name in names],
    }
    return {**whole, **changed}


def test_a_line_for_each_zone() -> None:
    assert interconnect_summary(facts(2)) == [
        "2 zones on 1 transit switch (ts1)",
        "az1: 1 gateway (az1-gw1), ports ts1-az1 at az1-gw1, advertises 1 route",
        "az2: 1 gateway (az2-gw1), ports ts1-az2 at az2-gw1, advertises 1 route",
    ]


def test_an_interconnect_without_objects() -> None:
    assert interconnect_summary(facts(1, transit_switches=[], gateways=[], ports=[], routes=[])) == [
        "1 zone on 0 transit switches (none)",
        "az1: 0 gateways (none), ports none, advertises 0 routes",
    ]


def test_a_port_without_gateway_is_visible() -> None:
    ports = [{"name": "ts1-az1", "zone": "az1", "gateway": ""}]
    assert "ports ts1-az1 at no gateway" in interconnect_summary(facts(1, ports=ports))[1]


def test_a_large_interconnect_has_few_lines() -> None:
    for zones in (MOST - 1, MOST, 100):
        lines = interconnect_summary(facts(zones))
        assert len(lines) == MOST
    assert lines[-1] == "and 92 more zones"
    assert "and 5 more" in interconnect_summary(facts(1, transit_switches=[f"ts{number}" for number in range(8)]))[0]
