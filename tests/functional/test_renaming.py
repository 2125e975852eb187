# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transit switches and routers that are renamed in IC_NB: their ports, routes and tunnel keys stay in every zone."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, scenes, topology
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, gateway, lan, learned, learned_rows, options
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect

from .conftest import Make

pytestmark = pytest.mark.ours("it replaces a renamed transit switch by a new one, without the ports of operators")


def furnish(ic: Interconnect, *switches: str) -> None:
    """Each zone has a gateway and a router with a network on each switch."""
    scenes.transit_switches(ic, *switches)
    for number, zone in enumerate(ic.zones, 1):
        chassis = gateway(zone, f"gw{number}")
        options(zone, ic_route_adv="true", ic_route_learn="true")
        for place, switch in enumerate(switches, 1):
            router = f"lr{number}-{place}"
            attach(zone, router, switch, [f"169.254.{place}.{number}/24"], gateways=[(f"gw{number}", 10)], number=place)
            lan(zone, router, f"lan-{router}", f"10.{place}.{number}.1/24")
            zone.northd_sync()
            zone.sb.transact(*topology.claim(f"cr-{router}-{switch}", chassis))
    ic.settle()
    copies = (len(ic.zones) - 1) * len(switches)
    for zone in ic.zones:
        bound = lambda zone=zone: sum(bool(row["chassis"]) for row in zone.sb.rows("Port_Binding", type="remote")) == copies  # noqa: E731
        zone.sb.wait(bound, "the copies of other zones' ports to be bound")
        zone.northd_sync()
    ic.settle()


def rename(ic: Interconnect, *names: tuple[str, str], table: str = "Transit_Switch") -> None:
    """What an operator does with ovn-ic-nbctl set, in one transaction."""
    rows = {old: ic.nb.get(table, name=old).uuid for old, _new in names}
    ic.nb.transact(*(ovsdb.update(table, {"name": new}, _uuid=rows[old]) for old, new in names))


def at_rest(ic: Interconnect) -> dict[str, Any]:
    """What :func:`kept` gives once daemons and northd have nothing left to do: northd answers each other's changes for a while."""
    found = kept(ic)
    for _round in range(20):
        for zone in ic.zones:
            zone.northd_sync()
        if any(zone.daemon.running for zone in ic.zones):
            ic.settle()
        before, found = found, kept(ic)
        if found == before:
            break
    return found


def kept(ic: Interconnect) -> dict[str, Any]:
    """Everything that must not change with a name: rows by uuid, and what they say beside the name."""
    shared = {
        table: {
            row.uuid: {column: value for column, value in row.columns.items() if column != "transit_switch"} for row in ic.sb.rows(table)
        }
        for table in ("Datapath_Binding", "Port_Binding", "Route")
    }
    zones = {}
    for zone in ic.zones:
        switches = zone.nb.rows("Logical_Switch")
        routers = [row.text("name") for row in zone.nb.rows("Logical_Router")]
        zones[zone.name] = {
            "switches": {row.uuid: (row.refs("ports"), row.map("other_config")["requested-tnl-key"]) for row in switches},
            "ports": {row.uuid: row.columns for row in zone.nb.rows("Logical_Switch_Port")},
            "learned": {row.uuid: row.columns for name in routers for row in learned_rows(zone, name)},
            "bindings": {row.uuid: (row.number("tunnel_key"), row["chassis"]) for row in zone.sb.rows("Port_Binding")},
        }
    return {"IC_SB": shared, **zones}


def switch_names(zone: AvailabilityZone) -> list[tuple[str, str]]:
    return sorted((row.text("name"), row.map("other_config")["interconn-ts"]) for row in zone.nb.rows("Logical_Switch"))


@pytest.mark.parametrize("down", [(), ("az2",), ("az1",), ("az1", "az2", "az3")], ids=["running", "az2-down", "az1-down", "all-down"])
def test_a_renamed_transit_switch_keeps_its_ports_keys_and_routes(make: Make, down: tuple[str, ...]) -> None:
    """Upstream replaces a renamed transit switch; here everything stays (spec switches-4.4, newest-N-9)."""
    ic = make("az1", "az2", "az3")
    furnish(ic, "ts1")
    assert learned(ic.zones[0], "lr1-1") == [("10.1.2.1/24", "169.254.1.2"), ("10.1.3.1/24", "169.254.1.3")]
    before = at_rest(ic)
    stopped = [zone for zone in ic.zones if zone.name in down]
    for zone in stopped:
        zone.daemon.stop()
    rename(ic, ("ts1", "backbone"))
    if len(stopped) < len(ic.zones):
        ic.settle()
        assert at_rest(ic) == before
    for zone in stopped:
        zone.daemon.start()
    ic.settle()
    assert at_rest(ic) == before
    assert all(switch_names(zone) == [("backbone", "backbone")] for zone in ic.zones)
    assert {row.text("transit_switch") for table in before["IC_SB"] for row in ic.sb.rows(table)} == {"backbone"}
    lan(ic.zones[1], "lr2-1", "lan-new", "10.9.0.1/24")
    ic.settle()
    assert ("10.9.0.1/24", "169.254.1.2") in learned(ic.zones[0], "lr1-1")


def test_a_transit_switch_gets_the_name_of_an_ordinary_switch_and_another_one_its_old_name(make: Make) -> None:
    ic = make("az1", "az2")
    furnish(ic, "ts1")
    az1 = ic.zones[0]
    az1.nb.transact(ovsdb.insert("Logical_Switch", {"name": "backbone"}))
    rename(ic, ("ts1", "backbone"))
    ic.nb.transact(*topology.transit_switch("ts1"))
    ic.settle()
    assert sorted(row.text("name") for row in az1.nb.rows("Logical_Switch")) == ["backbone", "backbone", "ts1"]
    assert "has the name of transit switch backbone but is not part of it" in az1.daemon.appctl("skipped/show")
    assert learned(az1, "lr1-1") == [("10.1.2.1/24", "169.254.1.2")]
    assert {row.text("transit_switch") for row in ic.sb.rows("Port_Binding")} == {"backbone"}
    assert {row.text("transit_switch") for row in ic.sb.rows("Datapath_Binding")} == {"backbone", "ts1"}


def test_transit_switches_exchange_their_names(make: Make) -> None:
    ic = make("az1", "az2")
    furnish(ic, "ts1", "ts2", "ts3")
    before = at_rest(ic)
    ic.zones[1].daemon.stop()
    rename(ic, ("ts1", "tmp"))
    rename(ic, ("ts2", "ts1"), ("tmp", "ts2"), ("ts3", "ts4"))
    ic.settle()
    ic.zones[1].daemon.start()
    ic.settle()
    assert at_rest(ic) == before
    assert all(switch_names(zone) == [("ts1", "ts1"), ("ts2", "ts2"), ("ts4", "ts4")] for zone in ic.zones)
    place = {row.text("logical_port"): row.text("transit_switch") for row in ic.sb.rows("Port_Binding")}
    assert place == {
        f"{switch}-lr{number}-{old}": new
        for number in (1, 2)
        for old, switch, new in ((1, "ts1", "ts2"), (2, "ts2", "ts1"), (3, "ts3", "ts4"))
    }
