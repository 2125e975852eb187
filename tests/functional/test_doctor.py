# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the doctor finds in real databases, filled by ovn-northd and the daemons: each fault, and nothing in a healthy interconnect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.session import Session
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import doctor
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.replica import Tls
from ansible_collections.ovn.interconnect.tests.support import ovsdb, scenes, topology
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, gateway, healthy_interconnect, lan, options, route
from ansible_collections.ovn.interconnect.tests.support.servers import Interconnect

from .conftest import Make

pytestmark = pytest.mark.ours("the doctor is a module of this project")


def look(ic: Interconnect, zone: int = 0, checks: list[str] | None = None) -> dict[str, Any]:
    """The result of ovn_ic_doctor_info with the databases of one zone."""
    site = ic.zones[zone]
    remotes = [
        (doctor.GLOBAL_NORTH, ic.nb_server.remote),
        (doctor.GLOBAL_SOUTH, ic.sb_server.remote),
        (doctor.NORTH, site.nb_server.remote),
        (doctor.SOUTH, site.sb_server.remote),
    ]
    session = Session({database.name: (database, remote) for database, remote in remotes}, Tls(None, None, None), 10)
    try:
        doctor.narrow({}, session.replicas)
        session.load()
        return doctor.describe({"checks": checks or sorted(doctor.CHECKS)}, session.stores)
    finally:
        session.close()


@pytest.fixture
def sound(make: Make) -> Interconnect:
    ic = make("az1", "az2")
    healthy_interconnect(ic)
    return ic


def test_nothing_is_found_in_a_healthy_interconnect(make: Make) -> None:
    ic = make("az1", "az2", "az3")
    healthy_interconnect(ic)
    for zone in range(3):
        shown = look(ic, zone)
        assert (shown["findings"], shown["not_checked"], shown["healthy"]) == ([], [], True)


def test_an_empty_interconnect_is_not_healthy(ic: Interconnect) -> None:
    shown = look(ic, checks=["addresses", "gateways", "subnets"])
    assert (shown["healthy"], shown["checked"], len(shown["not_checked"])) == (False, [], 3)


def subnets(ic: Interconnect, switch: str, text: str) -> None:
    ic.nb.transact(ovsdb.set_keys("Transit_Switch", "external_ids", {"transit-subnets": text}, name=switch))


def networks(ic: Interconnect, *texts: str) -> None:
    ic.zones[1].nb.transact(ovsdb.update("Logical_Router_Port", {"networks": set(texts)}, name="lr2-ts1"))


def write(table: str, name: str, **columns: object) -> Callable[[Interconnect], None]:
    def written(ic: Interconnect) -> None:
        ic.zones[0].nb.transact(ovsdb.update(table, columns, name=name))

    return written


def renamed(ic: Interconnect) -> None:
    ic.zones[0].nb.transact(ovsdb.update("Logical_Router_Port", {"name": "uplink"}, name="lr1-ts1"))


def switch_gone(ic: Interconnect) -> None:
    ic.nb.transact(*topology.no_transit_switch("ts1"))


def vxlan_only(ic: Interconnect) -> None:
    ic.zones[1].sb.transact(*topology.chassis_encaps("gw2", [("vxlan", "192.0.2.2")]))


def second_router(ic: Interconnect) -> None:
    attach(ic.zones[0], "lr9", "ts1", ["169.254.1.9/24", "2001:db8:1::9/64"], gateways=[("gw1", 10)], number=9)
    lan(ic.zones[0], "lr9", "lan9", "10.1.0.1/24")
    ic.zones[0].northd_sync()
    chassis = ic.zones[0].sb.get("Chassis", name="gw1").uuid
    ic.zones[0].sb.transact(*topology.claim("cr-lr9-ts1", chassis))


def one_name_in_two_zones(ic: Interconnect) -> None:
    for zone in ic.zones:
        zone.daemon.pause()  # the first zone to publish the port takes its name in the other one
    for number, zone in enumerate(ic.zones, 1):
        scenes.gateway(zone, f"gw9{number}", f"192.0.2.9{number}")
        attach(zone, "edge", "ts1", [f"169.254.1.9{number}/24", f"2001:db8:1::9{number}/64"], number=9)
    for zone in ic.zones:
        zone.daemon.resume()


def one_subnet(ic: Interconnect) -> None:
    for switch in ("ts1", "ts2"):
        subnets(ic, switch, "169.254.0.0/16")


def second_switch(ic: Interconnect) -> None:
    ic.zones[0].nb.transact(ovsdb.insert("Logical_Switch", {"name": "ts1"}))


def gateway_router(ic: Interconnect) -> None:
    ic.zones[0].nb.transact(
        ovsdb.update("Logical_Router", {"options": {"chassis": "gw1"}}, name="lr1"),
        ovsdb.update("Logical_Router_Port", {"gateway_chassis": set()}, name="lr1-ts1"),
    )


FAULTS = [
    pytest.param(lambda ic: subnets(ic, "ts1", "169.254.9.0/24,2001:db8:1::/64"), "subnets", "outside the subnets", 1, id="outside"),
    pytest.param(lambda ic: networks(ic, "169.254.1.0/24", "2001:db8:1::2/64"), "subnets", "network address 169.254.1.0", 0, id="network"),
    pytest.param(lambda ic: networks(ic, "169.254.1.2/25", "2001:db8:1::2/64"), "subnets", "has the prefix length 25", 0, id="length"),
    pytest.param(one_subnet, "subnets", "is also a subnet", 0, id="subnet"),
    pytest.param(lambda ic: route(ic.zones[1], "lr2", "10.1.0.128/25", "10.2.0.5"), "overlaps", "static route", 0, id="static"),
    pytest.param(second_router, "overlaps", "two routers of zone az1 have this network", 1, id="two-routers"),
    pytest.param(lambda ic: options(ic.zones[0], ic_route_learn="false"), "policy", "learning is off", 0, id="learning"),
    pytest.param(write("Logical_Router_Port", "lr1-ts1", enabled=False), "ports", "router port lr1-ts1 is disabled", 0, id="router-port"),
    pytest.param(write("Logical_Switch_Port", "ts1-lr1", enabled=False), "ports", "switch port ts1-lr1 is disabled", 0, id="switch-port"),
    pytest.param(write("Logical_Router", "lr1", enabled=False), "ports", "the logical router lr1 is disabled", 0, id="router"),
    pytest.param(write("Logical_Router", "lr1", options={"chassis": "gw1"}), "ports", "lr1 is a gateway router", 0, id="gateway-router"),
    pytest.param(gateway_router, "gateways", "lr1 is a gateway router", 0, id="port-of-a-gateway-router"),
    pytest.param(write("Logical_Switch_Port", "ts1-lr1", options={}), "gateways", "no options:router-port", 0, id="no-router-port"),
    pytest.param(renamed, "gateways", "is lr1-ts1, but no logical router port has that name", 0, id="renamed"),
    pytest.param(one_name_in_two_zones, "ports", "has published a port of this name", None, id="one-name"),
    pytest.param(switch_gone, "ports", "no switch port names this port of router lr1", 0, id="orphan"),
    pytest.param(vxlan_only, "tunnels", "it has geneve over IPv4, and they have vxlan over IPv4", 0, id="geneve"),
    pytest.param(vxlan_only, "tunnels", "it has vxlan over IPv4, and they have geneve over IPv4", 1, id="vxlan"),
    pytest.param(
        lambda ic: networks(ic, "169.254.1.2/24"), "subnets", "is not advertised on ts1 because the port has no IPv6", None, id="ipv6"
    ),
    pytest.param(second_switch, "switches", "2 logical switches", 0, id="two-switches"),
]


@pytest.mark.parametrize(("fault", "check", "words", "zone"), FAULTS)
def test_a_fault_is_found(sound: Interconnect, fault: Callable[[Interconnect], object], check: str, words: str, zone: int | None) -> None:
    fault(sound)
    sound.settle()
    shown = [look(sound, number) for number in ((0, 1) if zone is None else (zone,))]
    assert not all(one["healthy"] for one in shown)
    assert any(found["check"] == check and words in found["finding"] for one in shown for found in one["findings"]), shown


def test_a_gateway_that_nobody_holds_is_found(sound: Interconnect) -> None:
    sound.zones[0].sb.transact(*topology.claim("cr-lr1-ts1", None))
    sound.settle()
    ((found,), other) = look(sound)["findings"], look(sound, 1)["findings"]
    assert "none of the gateway chassis of router port lr1-ts1 has claimed it" in found["finding"]
    assert "give nb_db and sb_db of zone az1" in other[0]["finding"]
    gateway(sound.zones[0], "gw11", "192.0.2.11")
    sound.zones[0].sb.transact(*topology.claim("cr-lr1-ts1", sound.zones[0].sb.get("Chassis", name="gw1").uuid))
    sound.settle()
    assert look(sound)["healthy"]
