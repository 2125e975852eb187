# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of zone pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.filter.zone_pairs import zone_pairs


def printed(headings: str, *rows: list[Any]) -> str:
    return json.dumps({"headings": headings.split(), "data": list(rows)})


def zone(number: int, **given: Any) -> dict[str, Any]:
    """Zone az<number> of two, which knows all that it should of the other one."""
    other = 3 - number
    port = {"gateway": f"gw{other}", "key": 7, "chassis": ["uuid", "c"], "known": f"gw{other}", "learned": f"r{other}", "learns": "true"}
    port.update(given)
    return {
        "name": f"az{number}",
        "interconnect": [
            printed("_uuid name", [["uuid", "z1"], "az1"], [["uuid", "z2"], "az2"]),
            printed("availability_zone logical_port tunnel_key gateway", [["uuid", f"z{other}"], "p", 7, port["gateway"]]),
            printed("_uuid availability_zone", [["uuid", f"r{other}"], ["uuid", f"z{other}"]]),
        ],
        "south": [
            printed("name", [port["known"]]),
            printed("logical_port tunnel_key chassis", ["p", port["key"], port["chassis"]]),
        ],
        "north": [
            printed("options", [["map", [["ic-route-learn", port["learns"]]]]]),
            printed("external_ids", [["map", [["ic-learned-route", port["learned"]]]]]),
        ],
        "pings": given.get("pings", []),
    }


def test_zones_that_agree_have_no_problem() -> None:
    plain = {"zone": "az2", "address": "10.0.2.10", "size": 0, "answer": "0.82"}
    result = zone_pairs([zone(2), zone(1, pings=[plain, {**plain, "size": 1400}])])
    assert result["problems"] == []
    assert result["untried"] == []
    assert [line.split() for line in result["table"]] == [
        ["from", "to", "gateways", "keys", "routes", "ping", "mtu"],
        ["az1", "az2", "gw2", "agree", "1", "of", "1", "0.8", "ms", "1400"],
        ["az2", "az1", "gw1", "agree", "1", "of", "1", "not", "tried", "not", "tried"],
    ]


@pytest.mark.parametrize(
    "given, words",
    [
        ({"gateway": ""}, "no gateway hosts p"),
        ({"known": "gw9"}, "the gateway gw2 does not exist as a chassis"),
        ({"chassis": ["set", []]}, "p is not bound to a gateway"),
        ({"key": 8}, "p has the key 8 instead of 7"),
        ({"learned": "r9"}, "none of 1 routes is learned"),
        (
            {"pings": [{"zone": "az2", "address": "10.0.2.10", "size": 1400, "answer": ""}]},
            "with 1400 bytes is lost, although both zones agree",
        ),
    ],
)
def test_a_pair_with_a_problem_is_named(given: dict[str, Any], words: str) -> None:
    (problem,) = zone_pairs([zone(1, **given), zone(2)])["problems"]
    assert problem.startswith("az1 to az2 (")
    assert words in problem


def test_a_zone_that_learns_nothing_lacks_nothing() -> None:
    assert zone_pairs([zone(1, learned="", learns="false"), zone(2)])["problems"] == []


def test_zones_without_a_ping_are_named() -> None:
    assert zone_pairs([zone(1), zone(2)])["untried"] == ["az1", "az2"]


def test_the_page_on_operations_shows_this_table() -> None:
    """The first table of the page, with the values of the lab."""
    page = (Path(__file__).resolve().parents[4] / "docs" / "operations.md").read_text(encoding="utf-8")
    zones = []
    for number, answer, routes in ((1, "1.6", ["r2"]), (2, "1.0", ["r1", "r0"])):
        other = 3 - number
        pings = [{"zone": f"az{other}", "address": f"10.0.{other}.10", "size": size, "answer": answer} for size in (0, 1400)]
        facts = zone(number, gateway=f"az{other}-gw1", known=f"az{other}-gw1", pings=pings)
        facts["interconnect"][2] = printed("_uuid availability_zone", *([["uuid", name], ["uuid", f"z{other}"]] for name in routes))
        facts["north"][1] = printed("external_ids", *([["map", [["ic-learned-route", name]]]] for name in routes))
        zones.append(facts)
    table = "\n".join(zone_pairs(zones)["table"])
    assert f"```text\n{table}\n```" in page
