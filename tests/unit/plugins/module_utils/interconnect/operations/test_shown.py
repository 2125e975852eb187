# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Changes are shown to a person."""

from __future__ import annotations

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import add, diff, insert, remove, results, update
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.shown import explained
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import Zone


def test_a_route_that_is_deleted_by_leaving_its_router_is_shown_as_a_deleted_route() -> None:
    zone = Zone.simulated()
    zone.nb.put("Logical_Router_Static_Route", "r1", {"ip_prefix": "10.0.0.0/24", "nexthop": "169.254.100.2"})
    zone.nb.put("Logical_Router", "lr", {"name": "lr1", "static_routes": frozenset(["r1"])})
    row = zone.nb.row("Logical_Router", "lr")
    assert row is not None
    changes = list(update(zone.nb, "Logical_Router", row, record="x", reason="withdrawn", members={"static_routes": remove("r1")}))
    (shown,) = results(explained(changes, zone.stores))
    assert (shown["table"], shown["record"], shown["action"]) == ("Logical_Router_Static_Route", "10.0.0.0/24 via 169.254.100.2", "delete")
    assert diff(explained(changes, zone.stores))["before"]["Logical_Router_Static_Route/10.0.0.0/24 via 169.254.100.2"]["nexthop"]


def test_a_port_that_moves_is_shown_with_all_ports_of_both_switches() -> None:
    zone = Zone.simulated()
    for port in ("a", "b"):
        zone.ic_nb.put("Transit_Switch_Port", port, {"name": f"port-{port}"})
    zone.ic_nb.put("Transit_Switch", "1", {"name": "ts1", "ports": frozenset(["a", "b"])})
    zone.ic_nb.put("Transit_Switch", "2", {"name": "ts2"})
    one, two = zone.ic_nb.row("Transit_Switch", "1"), zone.ic_nb.row("Transit_Switch", "2")
    assert one is not None
    assert two is not None
    changes = [
        *update(zone.ic_nb, "Transit_Switch", one, record="ts1", reason="r", members={"ports": remove("a")}),
        *update(zone.ic_nb, "Transit_Switch", two, record="ts2", reason="r", members={"ports": add("a")}),
    ]
    shown = diff(explained(changes, zone.stores))
    assert shown["before"] == {"Transit_Switch/ts1": {"ports": ["port-a", "port-b"]}, "Transit_Switch/ts2": {"ports": []}}
    assert shown["after"] == {"Transit_Switch/ts1": {"ports": ["port-b"]}, "Transit_Switch/ts2": {"ports": ["port-a"]}}


def test_rows_of_the_same_and_of_another_database_are_named() -> None:
    zone = Zone.simulated()
    zone.ic_sb.put("Availability_Zone", "az", {"name": "az1"})
    zone.ic_nb.put("Transit_Switch", "ts", {"name": "ts1"})
    columns = {"logical_port": "p", "availability_zone": "az", "nb_ic_uuid": "ts"}
    (shown,) = results(explained([insert(zone.ic_sb, "Port_Binding", columns, record="p", reason="r")], zone.stores))
    assert shown["columns"] == {"logical_port": "p", "availability_zone": "az1", "nb_ic_uuid": "ts1"}


def test_a_set_of_values_is_shown_whole() -> None:
    zone = Zone.simulated()
    zone.nb.put("Address_Set", "s", {"name": "s", "addresses": frozenset(["a", "b"])})
    row = zone.nb.row("Address_Set", "s")
    assert row is not None
    changes = list(update(zone.nb, "Address_Set", row, record="s", reason="r", members={"addresses": add("c")}))
    assert diff(explained(changes, zone.stores)) == {
        "before": {"Address_Set/s": {"addresses": ["a", "b"]}},
        "after": {"Address_Set/s": {"addresses": ["a", "b", "c"]}},
    }
