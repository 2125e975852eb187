# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control command skipped/show lists, with real databases and northd: each object without effect, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, scenes, topology
from ansible_collections.ovn.interconnect.tests.support.scenes import gateway, healthy_interconnect
from ansible_collections.ovn.interconnect.tests.support.servers import OURS, AvailabilityZone, Interconnect

from .conftest import Make

pytestmark = pytest.mark.ours("upstream has no skipped/show")
NOTHING = "nothing is skipped"


def skipped(zone: AvailabilityZone) -> str:
    return zone.daemon.appctl("skipped/show")


def test_nothing_of_a_healthy_interconnect_is_listed(make: Make) -> None:
    ic = make("az1", "az2", "az3")
    healthy_interconnect(ic)
    assert [skipped(zone) for zone in ic.zones] == [NOTHING] * 3
    assert len(scenes.learned(ic.zones[1], "lr2")) > 8


def test_nothing_of_a_healthy_interconnect_of_the_newest_schema_is_listed() -> None:
    """With routes of load balancers, ports and a router of IC_NB."""
    with Interconnect("experimental", OURS) as ic:
        for name in ("az1", "az2"):
            ic.add_zone(name)
        ic.start(daemons=False)
        for zone in ic.zones:
            zone.nb.transact(*topology.zone_name(zone.name))
        ic.start()
        healthy_interconnect(ic)
        ic.nb.transact(*topology.transit_switch_port("ts1", "tsp1", "02:00:00:00:09:01", "gw1"))
        row = {"name": "trp1", "mac": "02:00:00:00:09:02", "networks": {"172.16.0.1/24"}, "chassis": "gw2"}
        router = {"name": "tr1", "ports": {ovsdb.Named("port")}}
        ic.nb.transact(ovsdb.insert("Transit_Router_Port", row, name="port"), ovsdb.insert("Transit_Router", router))
        ic.settle()
        assert [skipped(zone) for zone in ic.zones] == [NOTHING] * 2
        assert {"tsp1", "trp1"} <= {row.text("logical_port") for row in ic.sb.rows("Port_Binding")}
        assert "10.200.0.1/32" in {prefix for _switch, prefix, _hop in scenes.published(ic)}


def write(table: str, name: str, **columns: object) -> Callable[[AvailabilityZone], None]:
    return lambda zone: zone.nb.transact(ovsdb.update(table, columns, name=name))


def renamed(zone: AvailabilityZone) -> None:
    zone.nb.transact(ovsdb.update("Logical_Router_Port", {"name": "uplink"}, name="lr1-ts1"))


FAULTS = [
    pytest.param(write("Logical_Router", "lr1", enabled=False), "the logical router lr1 is disabled", id="router-disabled"),
    pytest.param(write("Logical_Router", "lr1", options={"chassis": "gw1"}), "lr1 is a gateway router", id="gateway-router"),
    pytest.param(write("Logical_Router_Port", "lr1-ts1", enabled=False), "router port lr1-ts1 is disabled", id="router-port-disabled"),
    pytest.param(write("Logical_Switch_Port", "ts1-lr1", enabled=False), "switch port ts1-lr1 is disabled", id="switch-port-disabled"),
    pytest.param(renamed, "no logical router port has that name", id="renamed"),
    pytest.param(write("Logical_Switch_Port", "ts1-lr1", options={"router-port": "nope"}), "router-port is nope, but", id="dangling"),
    pytest.param(write("Logical_Switch_Port", "ts1-lr1", type=""), "it is a VIF port", id="vif"),
]


@pytest.mark.parametrize(("fault", "cause"), FAULTS)
def test_a_port_without_effect_is_listed_with_the_first_cause(ic: Interconnect, fault: Callable[..., None], cause: str) -> None:
    healthy_interconnect(ic)
    fault(ic.zones[0])
    ic.settle()
    lines = sorted(skipped(ic.zones[0]).splitlines())
    assert lines[0].startswith("ports: ts1-lr1: ")
    assert [cause in line for line in lines] == [True] * (2 if cause.startswith(("the logical router", "lr1")) else 1)
    assert skipped(ic.zones[1]) == NOTHING


@pytest.mark.parametrize(
    ("table", "name"), [("Logical_Router_Port", "lr1-ts1"), ("Logical_Switch_Port", "ts1-lr1"), ("Logical_Router", "lr1")]
)
def test_peers_lose_the_routes_through_what_is_disabled_and_no_others(ic: Interconnect, table: str, name: str) -> None:
    """Disabled routers and ports exchange no routes (spec newest-N-18)."""
    az1, az2 = ic.zones
    healthy_interconnect(ic)
    before, hops = scenes.learned(az2, "lr2"), {"169.254.1.1", "2001:db8:1::1"} | ({"169.254.2.1"} if table == "Logical_Router" else set())
    assert hops < {hop for _prefix, hop in before}
    write(table, name, enabled=False)(az1)
    ic.settle()
    assert hops.isdisjoint(hop for _prefix, hop in scenes.learned(az2, "lr2"))
    own = {hop for _prefix, hop in scenes.learned(az1, "lr1")}
    assert own == (set() if table == "Logical_Router" else {"169.254.2.2", "2001:db8:2::2"})
    write(table, name, enabled=True)(az1)
    ic.settle()
    assert scenes.learned(az2, "lr2") == before


def test_the_networks_of_a_disabled_router_port_are_withdrawn(ic: Interconnect) -> None:
    az1, az2 = ic.zones
    healthy_interconnect(ic)
    write("Logical_Router_Port", "lan1", enabled=False)(az1)
    ic.settle()
    assert not {prefix for prefix, _hop in scenes.learned(az2, "lr2")} & {"10.1.0.1/24", "2001:db8:101::1/64"}


def test_gateways_without_a_common_tunnel_are_listed_in_both_zones(ic: Interconnect) -> None:
    az1, az2 = ic.zones
    gateway(az1, "gw1", kinds=["geneve"])
    gateway(az2, "gw2", kinds=["vxlan"])
    ic.settle()
    assert "it has geneve over IPv4, and the other zones' gateways have vxlan over IPv4" in skipped(az1)
    assert "it has vxlan over IPv4, and the other zones' gateways have geneve over IPv4" in skipped(az2)
    gateway(az2, "gw3", "2001:db8::3", kinds=["geneve"])
    ic.settle()
    assert "gw1" in skipped(az1)
    az2.sb.transact(*topology.chassis_encaps("gw2", [("vxlan", "192.0.2.2"), ("geneve", "192.0.2.2")]))
    ic.settle()
    assert skipped(az1) == NOTHING
    assert "gw3" in skipped(az2)
