# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that another program made in a zone's databases: they are used, released and left alone, never deleted."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid4

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, scenes, topology
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, gateway, lan, learned, options
from ansible_collections.ovn.interconnect.tests.support.servers import OURS, UPSTREAM, AvailabilityZone, Interconnect, SyncDaemon

from .conftest import Make

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
    config = {name: value for name, value in found.map("other_config").items() if name != "ic-vxlan_mode"}
    assert config == {"interconn-ts": "ts1", "mcast_snoop": "true", "requested-tnl-key": str(key)}
    assert "ovn-interconnect" not in found.map("external_ids")
    assert ports_of(az1, switch) == ["pod1", "pod2", "ts1-lr1", "ts1-lr2"]
    if stopped:
        az1.daemon.stop()
    ic.nb.transact(*topology.no_transit_switch("ts1"))
    if stopped:
        # Nothing proves that IC_NB is not an older copy, so an operator releases what is withheld.
        az1.daemon.start()
        hold = "ovn-interconnect-ic-nb-hold"
        az1.nb.wait(lambda: hold in az1.nb.get("NB_Global").map("external_ids"), "the guard to withhold the release")
        assert ports_of(az1, switch)[:2] == ["pod1", "pod2"]
        az1.daemon.appctl("guard/release")
    ic.settle()
    found = az1.nb.get("Logical_Switch", name="ts1")
    assert (found.uuid, found.map("other_config"), found.map("external_ids")) == (switch, {"mcast_snoop": "true"}, {})
    assert ports_of(az1, switch) == ["pod1", "pod2", "ts1-lr1"]
    assert "requested-tnl-key" not in az1.nb.get("Logical_Switch_Port", name="ts1-lr1").map("options")
    assert learned(az1, "lr1") == []
    assert ic.sb.rows("Port_Binding") == []
    assert az2.nb.rows("Logical_Switch", name="ts1") == []
    assert "is released but not deleted, because another program created it" in az1.daemon.log.read_text()
    assert "ts1" not in az1.daemon.appctl("skipped/show")


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
    assert str(switch) in az1.daemon.appctl("skipped/show")
    ic.nb.transact(*topology.no_transit_switch("ts1"))
    ic.settle()
    assert [row.uuid for row in az1.nb.rows("Logical_Switch")] == [switch]
    assert ports_of(az1, switch) == ["pod1"]


def remote_chassis(zone: AvailabilityZone, name: str, ip: str, hostname: str) -> None:
    """A chassis as the zone controller of ovn-kubernetes makes it for a node of another zone."""
    zone.sb.transact(*topology.chassis(name, [("geneve", ip)]))
    zone.sb.transact(ovsdb.update("Chassis", {"hostname": hostname, "other_config": {"is-remote": "true"}}, name=name))


def chassis(zone: AvailabilityZone) -> list[str]:
    return sorted(row.text("name") for row in zone.sb.rows("Chassis"))


@pytest.mark.ours("it deletes every remote chassis that no other zone has a gateway for")
def test_a_remote_chassis_of_another_program_survives_start_and_restart(make: Make) -> None:
    ic = make("az1", "az2", daemons=False)
    az1, az2 = ic.zones
    remote_chassis(az1, "node-b", "198.51.100.2", "node-b")
    remote_chassis(az1, "gw9", "198.51.100.9", "node-c")
    ic.start()
    gateway(az2, "gw2")
    gateway(az2, "gw9", "192.0.2.9")
    ic.settle()
    assert chassis(az1) == ["gw2", "gw9", "node-b"]
    assert scenes.encaps(az1, "gw9") == {("geneve", "198.51.100.9")}
    skipped = az1.daemon.appctl("skipped/show")
    assert "chassis node-b has is-remote=true" in skipped
    assert "a remote chassis of another program has this name" in skipped
    az1.daemon.stop()
    az2.sb.transact(*topology.no_chassis("gw2"))
    ic.settle()
    assert chassis(az1) == ["gw2", "gw9", "node-b"]
    az1.daemon.start()
    ic.settle()
    assert chassis(az1) == ["gw9", "node-b"]
    assert az1.daemon.log.read_text().count("chassis node-b has is-remote=true") == 2  # once for each start


def test_copies_of_upstreams_daemon_are_removed_after_an_upgrade(make: Make, generation: str) -> None:
    """Upstream's daemon made a copy; its gateway goes while no daemon runs; then this collection's daemon starts for the first time."""
    ic = make(daemons=False)
    az1, az2 = ic.add_zone("az1", kind=UPSTREAM), ic.add_zone("az2")
    ic.start(daemons=False)
    for zone in ic.zones:
        zone.nb.transact(*topology.zone_name(zone.name))
    ic.start()
    gateway(az2, "gw2")
    gateway(az2, "gw3", "192.0.2.3")
    ic.settle()
    assert chassis(az1) == ["gw2", "gw3"]
    az1.daemon.stop()
    az2.sb.transact(*topology.no_chassis("gw2"))
    ic.settle()
    ours = SyncDaemon(OURS, az1, ic, "ovn-ic-ours")
    ic.others.append(ours)
    ours.start()
    ic.sb.wait(lambda: [row.text("name") for row in ic.sb.rows("Gateway")] == ["gw3"], "gw2 to be gone")
    az1.sb.wait(lambda: chassis(az1) == ["gw3"], "the copy of gw2 to be gone")
