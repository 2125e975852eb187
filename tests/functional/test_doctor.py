# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the doctor finds in real databases: each fault, and nothing in a healthy interconnect with the same features.

One healthy interconnect, filled by ovn-northd and the daemons, is the start of all faults. Each fault is made in a copy of its databases,
which one ovsdb-server serves.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.doctor_facts import gather
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.session import Session
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import doctor
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.replica import Tls
from ansible_collections.ovn.interconnect.tests.support import ovsdb, scenes, topology
from ansible_collections.ovn.interconnect.tests.support.cluster import Cluster, Member
from ansible_collections.ovn.interconnect.tests.support.ovsdb import Database, Named
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, healthy_interconnect, lan, route
from ansible_collections.ovn.interconnect.tests.support.servers import OURS, Interconnect, Process, suite
from ansible_collections.ovn.interconnect.tests.support.world import World

from .conftest import Make

pytestmark = pytest.mark.ours("the doctor is a module of this project")

GENERATION = "experimental"
PARTS = (doctor.GLOBAL_NORTH, doctor.GLOBAL_SOUTH, doctor.NORTH, doctor.SOUTH)


def look(remotes: list[str], checks: list[str] | None = None, facts: doctor.Facts | None = None) -> dict[str, Any]:
    """The result of the doctor with the databases of the interconnect and of one zone."""
    session = Session({part.name: (part, remote) for part, remote in zip(PARTS, remotes)}, Tls(None, None, None), 10)
    try:
        doctor.narrow({}, session.replicas)
        session.load()
        return doctor.describe(checks or doctor.CHECKS, session.stores, facts)
    finally:
        session.close()


def remotes_of(ic: Interconnect, zone: int) -> list[str]:
    site = ic.zones[zone]
    return [ic.nb_server.remote, ic.sb_server.remote, site.nb_server.remote, site.sb_server.remote]


class Copy:
    """A copy of the databases of a healthy interconnect and of one of its zones, az1 and az2."""

    def __init__(self, directory: Path, files: list[bytes]) -> None:
        paths = [directory / f"{part.name}.db" for part in PARTS]
        for path, contents in zip(paths, files):
            path.write_bytes(contents)
        socket = directory / "all.sock"
        self.remotes = [f"unix:{socket}"] * len(PARTS)
        arguments = [f"--remote=punix:{socket}", *map(str, paths)]
        self._server = Process("all", directory, suite("host").command("ovsdb-server"), arguments)
        self._server.start()
        self.ic_nb, self.ic_sb, self.nb, self.sb = (Database(socket, part.name) for part in PARTS)

    def az(self, name: str) -> UUID:
        return self.ic_sb.get("Availability_Zone", name=name).uuid

    def close(self) -> None:
        for database in (self.ic_nb, self.ic_sb, self.nb, self.sb):
            database.close()
        self._server.stop()


@pytest.fixture(scope="module")
def healthy_files() -> Iterator[list[list[bytes]]]:
    """The database files of a healthy interconnect: for each zone, in the order of PARTS."""
    with Interconnect(GENERATION, OURS) as ic:
        for name in ("az1", "az2"):
            ic.add_zone(name)
        ic.start(daemons=False)
        for zone in ic.zones:
            zone.nb.transact(*topology.zone_name(zone.name))
        ic.start()
        ic.settle()
        healthy_interconnect(ic)
        ic.nb.transact(*topology.transit_switch_port("ts2", "everywhere", "02:00:00:00:77:01 169.254.2.77"))
        ic.nb.transact(*topology.transit_switch_port("ts2", "on-gw1", "02:00:00:00:77:02 169.254.2.78", "gw1"))
        ic.settle()
        ic.sync()
        servers = [[ic.nb_server, ic.sb_server, zone.nb_server, zone.sb_server] for zone in ic.zones]
        yield [[server.file.read_bytes() for server in of_zone] for of_zone in servers]


@pytest.fixture
def copy(healthy_files: list[list[bytes]], tmp_path: Path) -> Iterator[Copy]:
    with closing(Copy(tmp_path, healthy_files[0])) as made:
        yield made


# ---- Each check of the databases: a fault that it finds ------------------------------------------------------------------------------

Fault = Callable[["Copy"], object]


def in_nb(table: str, name: str, /, **columns: object) -> Fault:
    return lambda copy: copy.nb.transact(ovsdb.update(table, columns, name=name))


def in_ic_sb(port: str, /, **columns: object) -> Fault:
    return lambda copy: copy.ic_sb.transact(ovsdb.update("Port_Binding", columns, logical_port=port))


def address(port: str, mac: str, network: str) -> Fault:
    return in_ic_sb(port, address=f"{mac} {network}")


def subnets(*texts: str) -> Fault:
    def made(copy: Copy) -> None:
        for switch, text in zip(("ts1", "ts2"), texts):
            copy.ic_nb.transact(ovsdb.set_keys("Transit_Switch", "external_ids", {"transit-subnets": text}, name=switch))

    return made


def in_zone(**keys: str) -> Fault:
    return lambda copy: copy.nb.transact(*topology.zone_options({key.replace("_", "-"): value for key, value in keys.items()}))


def router_network(copy: Copy) -> None:
    copy.nb.transact(*topology.router_port("lr1", "lan9", "02:00:00:00:ff:09", ["10.1.0.9/24"]))


def vif(copy: Copy) -> None:
    copy.nb.transact(*topology.switch_port("ts1", "vm1", kind=""))


def foreign_port(copy: Copy) -> None:
    copy.ic_sb.transact(ovsdb.update("Port_Binding", {"availability_zone": copy.az("az2")}, logical_port="ts1-lr1"))


def second_switch_port(copy: Copy) -> None:
    copy.nb.transact(*topology.switch_port("ts1", "second", options={"router-port": "lr1-ts1"}))


def no_binding(port: str) -> Fault:
    return lambda copy: copy.ic_sb.transact(ovsdb.delete("Port_Binding", logical_port=port))


def no_switch_port(port: str) -> Fault:
    return lambda copy: copy.nb.transact(*topology.no_switch_port("ts1", copy.nb.get("Logical_Switch_Port", name=port).uuid))


def gateway_chassis(copy: Copy) -> None:
    copy.nb.transact(ovsdb.update("Gateway_Chassis", {"chassis_name": "gw2"}, chassis_name="gw1"))


def unbound(copy: Copy) -> None:
    copy.sb.transact(*topology.claim("ts1-lr2", None))


def shared_key(copy: Copy) -> None:
    key = copy.ic_sb.get("Datapath_Binding", transit_switch="ts1").number("tunnel_key")
    copy.ic_sb.transact(ovsdb.update("Datapath_Binding", {"tunnel_key": key}, transit_switch="ts2"))


def other_switch_key(copy: Copy) -> None:
    operation = topology.switch_of("ts1", "other_config", "delete", {"requested-tnl-key"})
    copy.nb.transact(operation, topology.switch_of("ts1", "other_config", "insert", {"requested-tnl-key": "77"}))


def other_port_key(copy: Copy) -> None:
    copy.sb.transact(ovsdb.update("Port_Binding", {"tunnel_key": 777}, logical_port="ts1-lr2"))


def second_switch(copy: Copy) -> None:
    copy.nb.transact(ovsdb.insert("Logical_Switch", {"name": "ts1"}))


def ordinary_switch(copy: Copy) -> None:
    copy.nb.transact(ovsdb.update("Logical_Switch", {"name": "renamed"}, name="ts1"))
    second_switch(copy)


def switch_gone(copy: Copy) -> None:
    copy.ic_nb.transact(*topology.no_transit_switch("ts1"))


def foreign_route(prefix: str, origin: str = "connected", zone: str = "az2", hop: str = "169.254.1.2", router: UUID | None = None) -> Fault:
    def made(copy: Copy) -> None:
        ids = {"lr-id": str(router or uuid4())}
        row = {"transit_switch": "ts1", "availability_zone": copy.az(zone), "ip_prefix": prefix, "nexthop": hop, "origin": origin}
        copy.ic_sb.transact(ovsdb.insert("Route", {**row, "external_ids": ids}))

    return made


def silent_zone(copy: Copy) -> None:
    copy.ic_sb.transact(ovsdb.delete("Route", transit_switch="ts1", availability_zone=copy.az("az2")))


def loop(copy: Copy) -> None:
    copy.nb.transact(ovsdb.update("Logical_Router_Static_Route", {"nexthop": "169.254.1.2"}, ip_prefix="0.0.0.0/0"))


def tag_option(key: str, value: str) -> Fault:
    return lambda copy: copy.nb.transact(ovsdb.set_keys("Logical_Router_Port", "options", {key: value}, name="lr1-ts1"))


def not_remote(copy: Copy) -> None:
    copy.sb.transact(ovsdb.drop_keys("Chassis", "other_config", ["is-remote"], name="gw2"))


def other_address(copy: Copy) -> None:
    not_remote(copy)
    copy.sb.transact(ovsdb.update("Chassis", {"name": "hv9"}, name="gw2"))


def encap(**columns: object) -> Fault:
    return lambda copy: copy.ic_sb.transact(ovsdb.update("Encap", columns, ip="192.0.2.2"))


def no_gateway(name: str) -> Fault:
    return lambda copy: copy.ic_sb.transact(ovsdb.delete("Gateway", name=name))


def request(copy: Copy) -> None:
    copy.ic_nb.transact(ovsdb.mutate("IC_NB_Global", "nb_ic_cfg", "+=", 1))


def empty_zone(copy: Copy) -> None:
    copy.ic_sb.transact(ovsdb.insert("Availability_Zone", {"name": "az3"}))


def nb_global(**columns: object) -> Fault:
    return lambda copy: copy.nb.transact(ovsdb.update("NB_Global", columns))


def claimed(copy: Copy) -> None:
    claim = {f"ovn-interconnect-claim-{copy.az('az1')}": "of another deployment"}
    copy.ic_sb.transact(ovsdb.set_keys("IC_SB_Global", "external_ids", claim))


def held(copy: Copy) -> None:
    copy.nb.transact(ovsdb.set_keys("NB_Global", "external_ids", {"ovn-interconnect-ic-nb-hold": "IC_NB was replaced"}))


def northd_stopped(copy: Copy) -> None:
    copy.nb.transact(ovsdb.mutate("NB_Global", "nb_cfg", "+=", 1))


MAC = "02:00:00:00:0a:01"
NO_KEY = "no logical router port has that name"
FAULTS: dict[str, tuple[Fault, str]] = {
    "duplicate-ip": (address("ts1-lr2", MAC, "169.254.1.1/24"), "ts1-lr1 of zone az1 and ts1-lr2 of zone az2 have this address"),
    "duplicate-mac": (address("ts1-lr2", "02:00:00:00:01:01", "169.254.1.2/24"), "ts1-lr1 of zone az1 and ts1-lr2 of zone az2"),
    "address-outside-subnet": (subnets("169.254.9.0/24,2001:db8:1::/64"), "is outside the subnets of the transit switch (169.254.9.0/24"),
    "address-unusable": (address("ts1-lr2", MAC, "169.254.1.0/24"), "has the network address 169.254.1.0"),
    "prefix-length-differs": (address("ts1-lr2", MAC, "169.254.1.2/25"), "has the prefix length 25, but the other ports have 24"),
    "router-twice-in-network": (address("ts2-lr2", MAC, "169.254.1.22/24"), "a router of zone az2 has ports in this network on"),
    "subnet-shared": (subnets("169.254.0.0/16", "169.254.0.0/16"), "is also a subnet of ts1 and ts2"),
    "router-networks-overlap": (router_network, "the ports lan1 and lan9 of the router have overlapping networks"),
    "ipv6-missing": (in_nb("Logical_Router_Port", "lr1-ts1", networks={"169.254.1.1/24"}), "2001:db8:101::1/64 of its router is not"),
    "port-without-gateway": (in_ic_sb("ts1-lr2", gateway=""), "no gateway holds the port, so no other zone reaches it"),
    "gateway-unregistered": (in_ic_sb("ts1-lr2", gateway="hv9"), "its gateway hv9 is not a gateway of the interconnect"),
    "gateway-of-other-zone": (in_ic_sb("ts1-lr2", gateway="gw1"), "its gateway gw1 is registered by zone az1"),
    "port-not-of-router": (vif, "it is a VIF port"),
    "port-name-taken": (foreign_port, "zone az2 has published a port of this name"),
    "attachment-incomplete": (in_nb("Logical_Router_Port", "lr1-ts1", name="uplink"), NO_KEY),
    "router-disabled": (in_nb("Logical_Router", "lr1", enabled=False), "the logical router lr1 is disabled"),
    "port-disabled": (in_nb("Logical_Router_Port", "lr1-ts1", enabled=False), "the logical router port lr1-ts1 is disabled"),
    "gateway-router": (in_nb("Logical_Router", "lr1", options={"chassis": "gw1"}), "lr1 is a gateway router (options:chassis=gw1)"),
    "router-port-shared": (second_switch_port, "also names router port lr1-ts1"),
    "port-not-published": (no_binding("ts1-lr1"), "the port is not in IC_SB"),
    "network-disabled": (in_nb("Logical_Router_Port", "lan1", enabled=False), "its networks are not advertised"),
    "router-port-orphaned": (no_switch_port("ts1-lr1"), "no switch port names this port of router lr1"),
    "gateway-chassis-unusable": (gateway_chassis, "its gateway chassis gw2 is a copy of another zone's gateway"),
    "remote-port-missing": (no_switch_port("ts1-lr2"), "zone az1 has no copy of this port on ts1"),
    "remote-port-unbound": (unbound, "its copy in zone az1 is not bound to the gateway gw2"),
    "remote-port-leftover": (no_binding("ts1-lr2"), "IC_SB has no such port"),
    "duplicate-datapath-key": (shared_key, "the datapaths ts1 and ts2 have this tunnel key"),
    "datapath-key-mismatch": (other_switch_key, "but NB requests 77"),
    "port-key-mismatch": (other_port_key, "but SB has 777"),
    "name-of-switch-and-router": (
        lambda copy: copy.ic_nb.transact(ovsdb.insert("Transit_Router", {"name": "ts1"})),
        "a transit switch and a transit router have this name",
    ),
    "switch-duplicate": (second_switch, "zone az1 has 2 logical switches of this transit switch or with its name"),
    "switch-name-taken": (ordinary_switch, "has a logical switch of this name that is not the transit switch"),
    "switch-missing": (lambda copy: copy.ic_nb.transact(*topology.transit_switch("ts9")), "zone az1 has no logical switch for this"),
    "switch-leftover": (switch_gone, "has a logical switch with interconn-ts=ts1, and IC_NB has no such transit switch"),
    "datapath-leftover": (switch_gone, "IC_SB has 1 datapath on this transit switch"),
    "binding-leftover": (switch_gone, "IC_SB has 1 port of zone az2 on this transit switch"),
    "route-leftover": (switch_gone, "of zone az1 on this transit switch, and IC_NB does not have it"),
    "route-without-port": (foreign_route("10.77.0.0/24", hop="169.254.1.77"), "1 routes of zone az2 have this next hop"),
    "network-in-two-zones": (foreign_route("10.1.0.7/24"), "the zones az1 and az2 have these networks"),
    "network-on-two-routers": (foreign_route("10.1.0.1/24", zone="az1", hop="169.254.1.9"), "two routers of zone az1 have this network"),
    "static-route-into-network": (foreign_route("10.1.0.128/25", "static"), "zone az2 advertises a static route to it"),
    "learning-off": (in_zone(ic_route_learn="false"), "learning is off (ic-route-learn)"),
    "advertising-off": (in_zone(ic_route_adv="false"), "az2 have no route back over ts1"),
    "zone-silent": (silent_zone, "zone az2 has a router on ts1 and advertises nothing there"),
    "default-route-loop": (loop, "its next hop 169.254.1.2 is a router on ts1"),
    "option-without-effect": (in_zone(ic_route_denylist="nonsense"), "nonsense"),
    "denylist-twice": (in_zone(ic_route_blacklist="10.98.0.0/16"), "are both set"),
    "tag-option-invalid": (tag_option("ic-route-learn-tag-rules", "foo:vpc1"), 'ic-route-learn-tag-rules is "foo:vpc1"'),
    "tag-option-deprecated": (tag_option("ic-route-filter-tag", "vpc1"), "ic-route-filter-tag is deprecated"),
    "chassis-name-taken": (not_remote, "zone az2 has a gateway of this name"),
    "tunnel-address-taken": (other_address, "the gateway gw2 of zone az2 also has its tunnel address 192.0.2.2"),
    "duplicate-tunnel-address": (encap(ip="192.0.2.1", type="vxlan"), "the gateways gw1 of zone az1 and gw2 of zone az2"),
    "gateway-not-published": (no_gateway("gw1"), "is not registered in IC_SB"),
    "no-common-tunnel": (encap(type="vxlan"), "it has vxlan over IPv4, and they have geneve over IPv4"),
    "tunnel-address-unusable": (encap(ip="127.0.0.1"), "its tunnel address 127.0.0.1 is a loopback address"),
    "remote-chassis-missing": (lambda copy: copy.sb.transact(*topology.no_chassis("gw2")), "zone az1 has no chassis for this gateway"),
    "remote-chassis-differs": (encap(ip="192.0.2.77"), "has the tunnel addresses geneve 192.0.2.2, and the gateway has geneve 192.0.2.77"),
    "remote-chassis-leftover": (no_gateway("gw2"), "IC_SB has no such gateway"),
    "zone-behind": (request, "but the newest request is"),
    "zone-stale": (no_gateway("gw2"), "still has ports or routes in IC_SB"),
    "zone-without-gateway": (empty_zone, "the zone has no gateway"),
    "zone-unnamed": (nb_global(name=""), "NB_Global.name is empty"),
    "zone-unregistered": (nb_global(name="az9", external_ids={}), "the zone is not registered in IC_SB"),
    "zone-name-taken": (claimed, "another deployment has registered this name"),
    "deletions-withheld": (held, "deletions are withheld: IC_NB was replaced"),
    "northd-behind": (northd_stopped, "OVN_Southbound is out of date"),
}


@pytest.mark.parametrize("check", sorted(FAULTS))
def test_a_fault_is_found(copy: Copy, check: str) -> None:
    fault, words = FAULTS[check]
    fault(copy)
    shown = look(copy.remotes)
    found = [one for one in shown["findings"] if one["check"] == check]
    assert not shown["healthy"]
    assert any(words in one["cause"] for one in found), shown["findings"]
    assert all(one["fix"] and one["object"] for one in shown["findings"])


def test_nothing_is_found_in_a_healthy_interconnect(healthy_files: list[list[bytes]], tmp_path: Path) -> None:
    for zone, files in enumerate(healthy_files):
        directory = tmp_path / str(zone)
        directory.mkdir()
        with closing(Copy(directory, files)) as copy:
            shown = look(copy.remotes)
        assert shown["findings"] == []
        assert shown["healthy"]
        assert set(FAULTS) <= set(shown["checked"])


# ---- Checks of the daemon, of servers and of connections -----------------------------------------------------------------------------


def facts(**given: Any) -> doctor.Facts:
    """What the module asks with these options."""
    return gather({"control_socket": None, "server_sockets": None, "timeout": 5, **given})


def found(shown: dict[str, Any]) -> dict[str, str]:
    """The cause of a finding of each check."""
    return {one["check"]: one["cause"] for one in shown["findings"]}


IN_OTHER_TESTS = {
    "cluster-member-behind",
    "cluster-member-lost",
    "cluster-member-unreachable",
    "cluster-without-quorum",
    "server-silent",
    "certificate-expiring",
    "plain-tcp",
    "json-parser-missing",
    "schema-too-old",
    *(check.id for check in doctor.CHECKS.values() if check.object == "sync daemon"),
}


def test_each_check_has_a_fault() -> None:
    assert set(FAULTS) | IN_OTHER_TESTS == set(doctor.CHECKS)


def daemon_findings(ic: Interconnect, socket: Path) -> dict[str, str]:
    """The findings about the daemon with this control socket, with all databases of the first zone."""
    wanted = [check.id for check in doctor.CHECKS.values() if check.object == "sync daemon"]
    return found(look(remotes_of(ic, 0), wanted, facts(control_socket=str(socket))))


def test_what_the_daemon_says_is_found(make: Make) -> None:
    ic = make("az1", "az2")
    scenes.transit_switches(ic, "ts1")
    zone, socket = ic.zones[0], ic.zones[0].daemon.control_socket
    attach(zone, "lr1", "ts1", ["169.254.1.1/24"])
    ic.settle()
    assert daemon_findings(ic, socket) == {}
    zone.nb.transact(*topology.switch_port("ts1", "vm1", kind=""))
    ic.settle()
    assert "it is a VIF port" in daemon_findings(ic, socket)["object-skipped"]
    zone.daemon.pause()
    assert "it is paused" in daemon_findings(ic, socket)["daemon-paused"]
    zone.daemon.resume()
    ic.settle()
    ic.nb_server.stop()
    ic.nb_server.create(ic.suite.schemas / "ovn-ic-nb.ovsschema")
    ic.nb_server.start()
    ic.nb.transact(ovsdb.insert("IC_NB_Global", {}), *topology.transit_switch("ts9"))
    ic.wait(lambda: scenes.switch_port(zone, "vm1") and zone.nb.find("Logical_Switch", name="ts9"), "the new transit switch")
    assert "changes are withheld" in daemon_findings(ic, socket)["guard-holds"]
    zone.daemon.stop()
    assert "does not answer on its control socket" in daemon_findings(ic, socket)["daemon-silent"]


def test_a_daemon_without_its_databases_is_found(make: Make, world: World) -> None:
    ic = make("az1")
    zone = ic.zones[0]
    zone.nb_server.stop()
    while zone.daemon.appctl("nb-connection-status") == "connected":  # each answer takes a turn of the daemon's loop
        assert zone.daemon.alive
    said = facts(control_socket=str(zone.daemon.control_socket))
    elsewhere = [world.places[name] for name in ("ic_nb", "ic_sb", "nb", "sb")]
    shown = found(look(elsewhere, ["daemon-disconnected"], said))
    assert shown == {"daemon-disconnected": "it is not connected to OVN_Northbound"}


@pytest.mark.counters
def test_an_object_that_a_server_rejects_is_found(make: Make, tmp_path: Path) -> None:
    ic = make("az1", daemons=False)
    zone = ic.zones[0]
    scenes.reject_long_host_names(ic, tmp_path)
    zone.sb.transact(*topology.chassis("gw1", [("geneve", "10.0.0.1")]), ovsdb.update("Chassis", {"hostname": "gateway1"}))
    zone.daemon.start()
    ic.wait(lambda: "constraint violation" in zone.daemon.appctl("skipped/show") or None, "the rejection")
    assert "gateways" in daemon_findings(ic, zone.daemon.control_socket)["write-rejected"]


@pytest.mark.counters
def test_a_standby_without_an_active_daemon_is_found(make: Make) -> None:
    ic = make("az1")
    zone = ic.zones[0]
    second = zone.second_daemon()
    second.start()
    assert second.status() == "standby"
    assert daemon_findings(ic, second.control_socket) == {}
    zone.daemon.freeze()
    try:
        ic.nb.transact(ovsdb.mutate("IC_NB_Global", "nb_ic_cfg", "+=", 1))
        assert "no daemon of zone az1 is active" in daemon_findings(ic, second.control_socket)["no-active-daemon"]
    finally:
        zone.daemon.thaw()


def test_an_unusable_database_is_told_by_the_daemon(copy: Copy) -> None:
    said = doctor.Facts(daemon={"status": "Status: standby\nIC-SB lock: not held\nProblem: OVN_IC_Southbound does not accept writes"})
    assert found(look(copy.remotes, ["database-unusable"], said)) == {"database-unusable": "OVN_IC_Southbound does not accept writes"}


@contextmanager
def closing_cluster(directory: Path) -> Iterator[Cluster]:
    """A cluster of three servers with IC_NB."""
    cluster = Cluster("ic-nb", directory, suite("host").schemas / "ovn-ic-nb.ovsschema", "OVN_IC_Northbound")
    try:
        cluster.launch()
        cluster.ready()
        yield cluster
    finally:
        cluster.stop()


def reported(copy: Copy, member: Member, check: str) -> Callable[[], str | None]:
    """The cause that the doctor gives for this check when it asks this member, None if it finds nothing."""
    return lambda: found(look(copy.remotes, [check], facts(server_sockets=[str(member.control_socket)]))).get(check)


def test_faults_of_a_cluster_are_found(copy: Copy, tmp_path: Path) -> None:
    with closing_cluster(tmp_path) as cluster:
        sockets = [str(member.control_socket) for member in cluster.members]
        wanted = [check.id for check in doctor.CHECKS.values() if check.object == "database server"]
        healthy = look(copy.remotes, wanted, facts(server_sockets=sockets))
        assert (healthy["findings"], healthy["not_checked"]) == ([], [])
        leader = cluster.leader()
        follower = next(member for member in cluster.members if member is not leader)
        follower.kill()
        cluster.lost.append(follower)
        cluster.follow()
        for number in range(110):
            cluster.database.transact(ovsdb.insert("Transit_Switch", {"name": f"ts{number}"}))
        words = reported(copy, leader, "cluster-member-behind")()
        assert words is not None
        assert "log entries behind the leader" in words
        leader.state.wait(reported(copy, leader, "cluster-member-unreachable"), "the lost member to be reported")
        others = [member for member in cluster.members if member not in (leader, follower)]
        others[0].stop()
        assert "does not answer" in found(look(copy.remotes, wanted, facts(server_sockets=sockets)))["server-silent"]
        words = leader.state.wait(reported(copy, leader, "cluster-without-quorum"), "the lost majority to be reported")
        assert "the cluster has no leader" in words


@pytest.mark.parametrize("days", [3, 400])
def test_a_certificate_that_expires_is_found(copy: Copy, tmp_path: Path, days: int) -> None:
    certificate = tmp_path / "certificate.pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(tmp_path / "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", *key, "-days", str(days), "-subj", "/CN=gw1", "-out", str(certificate)], check=True, capture_output=True
    )
    shown = look(copy.remotes, ["certificate-expiring"], facts(certificate=str(certificate)))
    assert [one["cause"].partition(";")[0] for one in shown["findings"]] == (["it expires in 2 days"] if days == 3 else [])
    assert shown["checked"] == ["certificate-expiring"]
    expired = doctor.Facts(certificates=[doctor.Certificate(str(certificate), -1.0)])
    assert found(look(copy.remotes, ["certificate-expiring"], expired))["certificate-expiring"].startswith("it has expired")


def test_connections_without_encryption_are_found(copy: Copy) -> None:
    local = doctor.Facts(remotes={"OVN_IC_Northbound": "tcp:127.0.0.1:6645,tcp:[::1]:6645,unix:/run/a.sock,ssl:192.0.2.1:6645"})
    assert look(copy.remotes, ["plain-tcp"], local)["healthy"]
    remote = doctor.Facts(remotes={"OVN_IC_Northbound": "ssl:192.0.2.1:6645,tcp:192.0.2.2:6645"})
    assert "tcp:192.0.2.2:6645 is not encrypted" in found(look(copy.remotes, ["plain-tcp"], remote))["plain-tcp"]
    listener = ovsdb.insert("Connection", {"target": "ptcp:6645:127.0.0.1"}, name="listener")
    copy.ic_nb.transact(listener, ovsdb.update("IC_NB_Global", {"connections": {Named("listener")}}))
    assert look(copy.remotes, ["plain-tcp"], local)["healthy"]
    copy.ic_nb.transact(ovsdb.update("Connection", {"target": "ptcp:6645"}))
    assert "listens without encryption (ptcp:6645)" in found(look(copy.remotes, ["plain-tcp"], local))["plain-tcp"]


def test_a_slow_json_parser_is_found(copy: Copy) -> None:
    assert found(look(copy.remotes, ["json-parser-missing"], doctor.Facts(fast_json=False))).keys() == {"json-parser-missing"}
    assert look(copy.remotes, ["json-parser-missing"], facts())["healthy"] == facts().fast_json


def test_an_option_that_the_schema_does_not_support_is_found(make: Make) -> None:
    ic = make("az1")
    assert look(remotes_of(ic, 0), ["schema-too-old"])["healthy"]
    scenes.options(ic.zones[0], ic_route_adv="true", ic_route_adv_lb="true")
    shown = found(look(remotes_of(ic, 0), ["schema-too-old"]))
    assert "of IC_SB does not support them" in shown["schema-too-old"]


# ---- With daemons --------------------------------------------------------------------------------------------------------------------


def test_a_running_healthy_interconnect_has_no_finding(make: Make) -> None:
    ic = make("az1", "az2", "az3")
    healthy_interconnect(ic)
    for zone, site in enumerate(ic.zones):
        shown = look(remotes_of(ic, zone), facts=facts(control_socket=str(site.daemon.control_socket)))
        assert shown["findings"] == []
        assert shown["healthy"]


def test_an_empty_interconnect_is_not_healthy(ic: Interconnect) -> None:
    shown = look(remotes_of(ic, 0), ["duplicate-ip", "port-without-gateway", "subnet-shared"])
    assert (shown["healthy"], shown["checked"], len(shown["not_checked"])) == (False, [], 3)


@pytest.fixture
def sound(make: Make) -> Interconnect:
    ic = make("az1", "az2")
    healthy_interconnect(ic)
    return ic


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


def write(table: str, name: str, /, **columns: object) -> Callable[[Interconnect], object]:
    return lambda ic: ic.zones[0].nb.transact(ovsdb.update(table, columns, name=name))


def gateway_router(ic: Interconnect) -> None:
    write("Logical_Router", "lr1", options={"chassis": "gw1"})(ic)
    write("Logical_Router_Port", "lr1-ts1", gateway_chassis=set())(ic)


DEVELOPED = [
    pytest.param(second_router, "network-on-two-routers", "two routers of zone az1 have this network", 1, id="two-routers"),
    pytest.param(lambda ic: route(ic.zones[1], "lr2", "10.1.0.128/25", "10.2.0.5"), "static-route-into-network", "static", 0, id="static"),
    pytest.param(one_name_in_two_zones, "port-name-taken", "has published a port of this name", None, id="one-name"),
    pytest.param(gateway_router, "port-without-gateway", "lr1 is a gateway router", 0, id="port-of-a-gateway-router"),
    pytest.param(
        write("Logical_Switch_Port", "ts1-lr1", options={}), "port-without-gateway", "no options:router-port", 0, id="no-router-port"
    ),
    pytest.param(write("Logical_Router_Port", "lr1-ts1", name="up"), "port-without-gateway", NO_KEY, 0, id="renamed"),
    pytest.param(lambda ic: ic.nb.transact(*topology.no_transit_switch("ts1")), "router-port-orphaned", "router lr1", 0, id="orphan"),
]


@pytest.mark.parametrize(("fault", "check", "words", "zone"), DEVELOPED)
def test_a_fault_is_found_after_the_daemons_have_reacted(
    sound: Interconnect, fault: Callable[[Interconnect], object], check: str, words: str, zone: int | None
) -> None:
    fault(sound)
    sound.settle()
    shown = [look(remotes_of(sound, number)) for number in ((0, 1) if zone is None else (zone,))]
    assert any(one["check"] == check and words in one["cause"] for seen in shown for one in seen["findings"]), shown


def test_a_gateway_that_nobody_holds_is_found(sound: Interconnect) -> None:
    zone = sound.zones[0]
    zone.sb.transact(*topology.claim("cr-lr1-ts1", None))
    sound.settle()
    ((one,), other) = (look(remotes_of(sound, number))["findings"] for number in (0, 1))
    assert "none of the gateway chassis of router port lr1-ts1 has claimed it" in one["cause"]
    assert "give nb_db and sb_db of zone az1" in other[0]["fix"]
    zone.sb.transact(*topology.claim("cr-lr1-ts1", zone.sb.get("Chassis", name="gw1").uuid))
    sound.settle()
    assert look(remotes_of(sound, 0))["healthy"]
