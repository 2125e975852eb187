# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of the newest upstream, on its schemas."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.ovsdb import Named, Row, TransactionError
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, gateway, lan, learned, options, transit_switches
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect

from .conftest import Make

pytestmark = pytest.mark.ours("the rules that are kept are those of main of autumn 2026, and others are changed")


@pytest.fixture
def ic(make_newest: Make) -> Interconnect:
    """Two zones of the newest schemas with a gateway each, transit switch ts1 and transit router tr1; az1's router is on ts1."""
    made = make_newest("az1", "az2", daemons=False)
    for number, zone in enumerate(made.zones, 1):
        gateway(zone, f"gw{number}")
        options(zone, ic_route_adv="true", ic_route_learn="true")
    made.nb.transact(ovsdb.insert("Transit_Router", {"name": "tr1"}))
    made.start()
    transit_switches(made, "ts1")
    return made


def ordinary_port(zone: AvailabilityZone, name: str) -> None:
    """A pod on a switch of the zone that has nothing to do with the interconnect."""
    zone.nb.transact(
        ovsdb.insert("Logical_Switch_Port", {"name": name, "addresses": {"02:00:00:00:99:01 10.9.0.1"}}, name="port"),
        ovsdb.insert("Logical_Switch", {"name": f"pods-{name}", "ports": {Named("port")}}),
    )


def port(zone: AvailabilityZone, name: str) -> Row:
    """A switch port in NB of a zone."""
    return zone.nb.get("Logical_Switch_Port", name=name)


def test_the_port_of_another_switch_or_router_is_not_adopted_for_its_name(ic: Interconnect) -> None:
    """The pods and the router stay what they are, and the names that clash are reported (spec newest-N-12)."""
    az1, az2 = ic.zones
    for name in ("ts1-lr1", "tsp1"):
        ordinary_port(az2, name)
    az2.nb.transact(*topology.router("edge"), *topology.router_port("edge", "trp1", "02:00:00:00:88:01", ["10.88.0.1/24"]))
    az2.nb.refresh()
    before = [dict(row.columns) for table in ("Logical_Switch_Port", "Logical_Router_Port") for row in az2.nb.rows(table)]
    attach(az1, "lr1", "ts1", ["169.254.100.1/24"])
    ic.nb.transact(*topology.transit_switch_port("ts1", "tsp1", "02:00:00:00:77:01 169.254.100.77"))
    columns = {"name": "trp1", "mac": "02:00:00:00:78:01", "networks": {"10.78.0.1/24"}}
    ic.nb.transact(
        ovsdb.insert("Transit_Router_Port", columns, name="port"),
        ovsdb.mutate("Transit_Router", "ports", "insert", {Named("port")}, name="tr1"),
    )
    ic.settle()
    after = [dict(row.columns) for table in ("Logical_Switch_Port", "Logical_Router_Port") for row in az2.nb.rows(table)]
    names = {"ts1-lr1", "tsp1", "trp1"}
    stripped = [{key: value for key, value in row.items() if key != "up"} for row in before]
    assert [{key: value for key, value in row.items() if key != "up"} for row in after if row["name"] in names] == stripped
    assert all(name in az2.daemon.appctl("skipped/show") for name in names)
    assert port(az1, "tsp1").map("options")["interconn-tsp"] == "tsp1"


def test_ic_sb_refuses_a_second_binding_of_one_port(ic: Interconnect) -> None:
    """So no zone ever sees two rows with one logical_port (spec newest-N-13)."""
    attach(ic.zones[0], "lr1", "ts1", ["169.254.100.1/24"])
    ic.settle()
    row = ic.sb.get("Port_Binding", logical_port="ts1-lr1")
    columns = {"transit_switch": "ts1", "availability_zone": row["availability_zone"], "logical_port": "ts1-lr1", "tunnel_key": 77}
    with pytest.raises(TransactionError, match="logical_port"):
        ic.sb.transact(ovsdb.insert("Port_Binding", columns))


def test_a_binding_ends_with_its_nb_port_and_not_with_northd(ic: Interconnect) -> None:
    """While ovn-northd is away, SB still has the port (spec newest-N-15)."""
    az1, az2 = ic.zones
    _router_port, switch_port = attach(az1, "lr1", "ts1", ["169.254.100.1/24"])
    ic.settle()
    az1.northd.stop()
    az1.nb.transact(*topology.no_switch_port("ts1", switch_port))
    ic.wait(lambda: not az2.nb.rows("Logical_Switch_Port", name="ts1-lr1"), "the port to go in the other zone")
    assert az1.sb.rows("Port_Binding", logical_port="ts1-lr1")
    assert ic.sb.rows("Port_Binding") == []


def test_a_change_of_a_transit_switch_port_alone_is_applied_at_once(ic: Interconnect) -> None:
    """Nothing else has to change first (spec newest-N-11)."""
    ic.nb.transact(*topology.transit_switch_port("ts1", "tsp1", "02:00:00:00:77:01 169.254.100.77"))
    ic.settle()
    address = "02:00:00:00:77:02 169.254.100.78"
    ic.nb.transact(ovsdb.update("Transit_Switch_Port", {"addresses": {address}}, name="tsp1"))
    ic.wait(lambda: ic.sb.get("Port_Binding", logical_port="tsp1").text("address") == address, "the address in IC_SB")
    ic.wait(lambda: all(port(zone, "tsp1").texts("addresses") == {address} for zone in ic.zones), "the address in every zone")


def test_a_withdrawn_route_leaves_all_routers_of_the_switch_in_one_update(ic: Interconnect) -> None:
    """The routers of a zone lose it together (spec newest-N-20)."""
    az1, az2 = ic.zones
    attach(az1, "lr1", "ts1", ["169.254.100.1/24"])
    network = lan(az1, "lr1", "lan1", "10.1.0.1/24")
    routers = ["lr4", "lr5", "lr6"]
    for number, router in enumerate(routers, 4):
        attach(az2, router, "ts1", [f"169.254.100.{number}/24"], number=number)
    ic.settle()
    assert [len(learned(az2, router)) for router in routers] == [1, 1, 1]
    az1.nb.transact(*topology.no_router_port("lr1", network))
    az2.nb.wait(lambda: not all(learned(az2, router) for router in routers), "the route to go")
    assert [learned(az2, router) for router in routers] == [[], [], []]


def test_a_port_that_loses_its_router_port_exchanges_no_routes(ic: Interconnect) -> None:
    """Nothing can leave through such a port; 26.09.0 keeps its router-id and what was learned through it (spec newest-N-19)."""
    az1, az2 = ic.zones
    for number, zone in enumerate(ic.zones, 1):
        attach(zone, f"lr{number}", "ts1", [f"169.254.100.{number}/24"])
        lan(zone, f"lr{number}", f"lan{number}", f"10.{number}.0.1/24")
    ic.settle()
    assert learned(az1, "lr1") == [("10.2.0.1/24", "169.254.100.2")]
    assert learned(az2, "lr2") == [("10.1.0.1/24", "169.254.100.1")]
    az2.nb.transact(ovsdb.drop_keys("Logical_Switch_Port", "options", ["router-port"], name="ts1-lr2"))
    ic.settle()
    assert (learned(az1, "lr1"), learned(az2, "lr2")) == ([], [])
    binding = ic.sb.get("Port_Binding", logical_port="ts1-lr2")
    assert (binding.text("address"), binding.map("external_ids")) == ("", {})
