# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a new zone must not have in common with the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.filter.zone_conflicts import zone_conflicts


def printed(headings: str, *rows: list[Any]) -> str:
    return json.dumps({"headings": headings.split(), "data": list(rows)})


def joining(**given: Any) -> dict[str, Any]:
    """Zone az2, which joins az1 and has nothing in common with it."""
    now = {
        "name": "az2",
        "chassis": "gw2",
        "ip": "172.30.0.22",
        "mac": "02:00:00:00:fe:02",
        "network": "169.254.100.2/24",
        "lan": "10.0.2.1/24",
    }
    now.update(given)
    return {
        "name": now["name"],
        "interconnect": [
            printed("_uuid name", [["uuid", "z1"], "az1"]),
            printed("name availability_zone encaps", ["gw1", ["uuid", "z1"], ["uuid", "e1"]]),
            printed("_uuid ip", [["uuid", "e1"], "172.30.0.21"]),
            printed(
                "availability_zone transit_switch logical_port address",
                [["uuid", "z1"], "ts1", "ts1-lr1", "02:00:00:00:fe:01 169.254.100.1/24 fd00::1/64"],
                [["uuid", "z1"], "ts1", "empty", ""],
            ),
            printed("availability_zone transit_switch ip_prefix origin", [["uuid", "z1"], "ts1", "10.0.1.1/24", "connected"]),
        ],
        "south": [
            printed("name other_config", [now["chassis"], ["map", []]], ["far", ["map", [["is-remote", "true"]]]]),
            printed("ip chassis_name", [now["ip"], now["chassis"]], ["172.30.0.21", "far"]),
        ],
        "attachments": [{"router": "lr2", "transit_switch": now.get("switch", "ts1"), "mac": now["mac"], "networks": [now["network"]]}],
        "networks": {"lr2": [now["lan"], now["network"]]},
        "denylist": now.get("denylist", []),
    }


@pytest.mark.parametrize(
    "given",
    [{}, {"name": "az1", "chassis": "gw1"}, {"lan": "10.0.1.128/25", "denylist": ["10.0.1.0/24"]}, {"lan": "10.0.1.1/24", "switch": "ts2"}],
)
def test_a_zone_with_things_of_its_own_may_join(given: dict[str, Any]) -> None:
    assert zone_conflicts(joining(**given)) == []


@pytest.mark.parametrize(
    "given, words",
    [
        ({"network": "169.254.100.1/24"}, "169.254.100.1 of router lr2 is used by port ts1-lr1 of zone az1"),
        ({"network": "fd00:0::1/64"}, "fd00::1 of router lr2 is used by port ts1-lr1 of zone az1"),
        ({"mac": "02:00:00:00:FE:01"}, "02:00:00:00:fe:01 of router lr2 is used by port ts1-lr1 of zone az1"),
        ({"chassis": "gw1"}, "zone az1 has a gateway named gw1, like a chassis of this zone"),
        ({"ip": "172.30.0.21"}, "the tunnel address 172.30.0.21 of chassis gw2 is that of gateway gw1 of zone az1"),
        ({"lan": "10.0.1.128/25"}, "10.0.1.128/25 of router lr2 overlaps 10.0.1.0/24, which zone az1 has"),
        ({"lan": "10.0.0.1/16"}, "10.0.0.0/16 of router lr2 overlaps 10.0.1.0/24, which zone az1 has"),
    ],
)
def test_what_two_zones_have_is_named(given: dict[str, Any], words: str) -> None:
    assert zone_conflicts(joining(**given)) == [words]
