# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that another program made in a zone's databases: they are used, released and left alone, never deleted."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid4

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, scenes, topology
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, lan, learned, options
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect

TS = "169.254.100"


def cms_switch(zone: AvailabilityZone, name: str, pods: Iterable[str], config: dict[str, str] | None = None) -> UUID:
    """A logical switch that a cloud management system makes, with its pods."""
    switch = uuid4()
    zone.nb.transact(ovsdb.insert("Logical_Switch", {"name": name, "other_config": config or {}}, switch))
    for pod in pods:
        port = uuid4()
        add = ovsdb.mutate("Logical_Switch", "ports", "insert", {port}, _uuid=switch)
        zone.nb.transact(ovsdb.insert("Logical_Switch_Port", {"name": pod, "addresses": {"dynamic"}}, port), add)
    return switch


def ports_of(zone: AvailabilityZone, switch: UUID) -> list[str]:
    row = zone.nb.row("Logical_Switch", switch)
    refs = row.refs("ports") if row is not None else frozenset[UUID]()
    return sorted(row.text("name") for row in zone.nb.rows("Logical_Switch_Port") if row.uuid in refs)


@pytest.mark.ours("it deletes the switch with the pods")
@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_the_switch_of_another_program_is_released_with_its_pods(ic: Interconnect, stopped: bool) -> None:
    """A CMS makes a transit switch of its own switch, attaches a router to it, and removes the definition later."""
    az1, az2 = ic.zones
    switch = cms_switch(az1, "ts1", ["pod1", "pod2"], {"interconn-ts": "ts1", "mcast_snoop": "true"})
    scenes.transit_switches(ic, "ts1")
    for number, zone in enumerate(ic.zones, 1):
        options(zone, ic_route_adv="true", ic_route_learn="true")
        attach(zone, f"lr{number}", "ts1", [f"{TS}.{number}/24"])
        lan(zone, f"lr{number}", f"lan{number}", f"10.{number}.0.1/24")
    ic.settle()
    assert learned(az1, "lr1") == [("10.2.0.1/24", f"{TS}.2")]
    found = az1.nb.get("Logical_Switch", name="ts1")
    key = ic.sb.get("Datapath_Binding").number("tunnel_key")
    assert found.uuid == switch
    assert found.map("other_config") == {"interconn-ts": "ts1", "mcast_snoop": "true", "requested-tnl-key": str(key)}
    assert "ovn-interconnect" not in found.map("external_ids")
    assert ports_of(az1, switch) == ["pod1", "pod2", "ts1-lr1", "ts1-lr2"]
    if stopped:
        az1.daemon.stop()
    ic.nb.transact(*topology.no_transit_switch("ts1"))
    if stopped:
        az1.daemon.start()
    ic.settle()
    found = az1.nb.get("Logical_Switch", name="ts1")
    assert (found.uuid, found.map("other_config"), found.map("external_ids")) == (switch, {"mcast_snoop": "true"}, {})
    assert ports_of(az1, switch) == ["pod1", "pod2", "ts1-lr1"]
    assert "requested-tnl-key" not in az1.nb.get("Logical_Switch_Port", name="ts1-lr1").map("options")
    assert learned(az1, "lr1") == []
    assert ic.sb.rows("Port_Binding") == []
    assert az2.nb.rows("Logical_Switch", name="ts1") == []
    assert "is released, because another program created it" in az1.daemon.log.read_text()
    assert "ts1" not in az1.daemon.appctl("left/show")


@pytest.mark.ours("it keeps two switches of one name, or deletes the other program's one")
@pytest.mark.parametrize("marked", [False, True], ids=["unmarked", "marked"])
def test_a_switch_that_another_program_makes_beside_ours_is_reported_and_stays(ic: Interconnect, marked: bool) -> None:
    az1, _az2 = ic.zones
    scenes.transit_switches(ic, "ts1")
    ours = az1.nb.get("Logical_Switch", name="ts1").uuid
    switch = cms_switch(az1, "ts1", ["pod1"], {"interconn-ts": "ts1"} if marked else {})
    ic.settle()
    assert ports_of(az1, switch) == ["pod1"]
    assert {row.uuid for row in az1.nb.rows("Logical_Switch")} == {ours, switch}
    assert str(switch) in az1.daemon.appctl("left/show")
    ic.nb.transact(*topology.no_transit_switch("ts1"))
    ic.settle()
    assert [row.uuid for row in az1.nb.rows("Logical_Switch")] == [switch]
    assert ports_of(az1, switch) == ["pod1"]
