# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode says what the run does: every module goes through its states on real servers, each step in both modes."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.cluster import Cluster
from ansible_collections.ovn.interconnect.tests.support.modules import ROOT, run_module
from ansible_collections.ovn.interconnect.tests.support.servers import Server, suite
from ansible_collections.ovn.interconnect.tests.support.world import SCHEMAS, VSWITCH

ZONE = ("nb_db", "sb_db", "ic_nb_db", "ic_sb_db")
GLOBAL = ("ic_nb_db", "ic_sb_db")
Step = dict[str, Any]
Servers = dict[str, Server]

LINK = {"router": "lr1", "transit_switch": "ts1"}
ATTACHED = {**LINK, "mac": "02:00:00:00:00:01", "networks": ["169.254.100.1/24"]}
GROUP = {"name": "edge", "chassis": [{"chassis": "gw1", "priority": 20}, {"chassis": "gw2"}]}
SWITCH_PORT = {"name": "tsp1", "transit_switch": "ts1"}
ROUTER_PORT = {"name": "trp1", "transit_router": "tr1"}
LISTENER = {"target": "ptcp:0:127.0.0.1", "inactivity_probe": 60000}


def other_deployment(servers: Servers) -> None:
    """Two zones of other deployments: az9 and dead, each with a gateway."""
    for number, name in enumerate(("az9", "dead"), 1):
        zone, gateway = uuid4(), f"{name}-gw"
        encap = {"type": "geneve", "ip": f"192.0.2.{90 + number}", "gateway_name": gateway}
        servers["ic_sb"].database.transact(
            ovsdb.insert("Availability_Zone", {"name": name}, zone),
            ovsdb.insert("Encap", encap, name="encap"),
            ovsdb.insert("Gateway", {"name": gateway, "availability_zone": zone, "encaps": [ovsdb.Named("encap")]}),
        )


def second_attachment(servers: Servers) -> None:
    """Router lr1 is attached to ts1 a second time, by ports rp2 and sp2, which an operator has made."""
    columns = {"name": "sp2", "type": "router", "addresses": {"router"}, "options": {"router-port": "rp2"}}
    port = ovsdb.insert("Logical_Switch_Port", columns, name="port")
    added = topology.switch_of("ts1", "ports", "insert", {ovsdb.Named("port")})
    router = topology.router_port("lr1", "rp2", "02:00:00:00:00:33", ["169.254.100.33/24"])
    servers["nb"].database.transact(*router, port, added)


def published(servers: Servers) -> None:
    """Zone az9 has a port on each of two transit switches."""
    zone = servers["ic_sb"].database.get("Availability_Zone", name="az9").uuid
    for number, switch in enumerate(("one", "ts1"), 1):
        columns = {"logical_port": f"{switch}-az9", "transit_switch": switch, "availability_zone": zone, "tunnel_key": number}
        servers["ic_sb"].database.transact(ovsdb.insert("Port_Binding", {**columns, "address": f"02:00:00:00:09:0{number} 10.9.0.9/24"}))


#: The states of each module: the databases that it takes, and its options step by step. Every step succeeds, but those that name in
#: ``fails`` a part of the message that both modes give. ``do`` is something that happens in between, ``!`` another module that is run then.
#: ``{dir}`` stands for a directory.
#: A host that belongs into a cluster of IC_SB with two other hosts.
MEMBER: Step = {
    "database": "ic_sb",
    "file": "{dir}/member.db",
    "schema": "{dir}/old.ovsschema",
    "address": "tcp:192.0.2.10:6648",
    "host": "ic1",
    "seed": "ic1",
    "hosts": {"192.0.2.10": "ic1", "192.0.2.11": "ic2", "192.0.2.12": "ic3"},
}

STEPS: dict[str, tuple[Sequence[str], list[Step]]] = {
    "ovn_ic_attachment": (
        ZONE,
        [
            {**LINK, "fails": "give mac and networks too"},
            {**ATTACHED, "gateways": [{"chassis": "gw9"}], "fails": "the zone has no chassis 'gw9'"},
            {**ATTACHED, "gateways": [{"chassis": "gw1", "priority": 20}, {"chassis": "gw2"}]},
            LINK,
            {**LINK, "mac": "02:00:00:00:00:02", "networks": ["169.254.100.2/24", "fd00::2/64"]},
            {**LINK, "networks": ["169.254.100.0/24"], "fails": "the network address"},
            {**LINK, "gateways": [{"chassis": "gw1", "priority": 30}]},
            {**LINK, "gateways": [{"chassis": "gw2"}]},
            {**LINK, "port": "uplink", "switch_port": "renamed"},
            {**LINK, "ha_chassis_group": GROUP},
            {**LINK, "ha_chassis_group": {**GROUP, "chassis": [{"chassis": "gw2", "priority": 5}]}},
            {**LINK, "ha_chassis_group": {**GROUP, "name": "other"}},
            {**LINK, "port": "lr1-ts1", "gateways": []},
            {**LINK, "ha_chassis_group": GROUP},
            {"do": second_attachment},
            {**LINK, "fails": "2 times, by these router ports"},
            {**LINK, "port": "rp2", "mac": "02:00:00:00:00:34"},
            {**LINK, "port": "lr1-ts1", "state": "absent"},
            {**LINK, "port": "lr1-ts1", "state": "absent"},
            {**LINK, "switch_port": "sp2", "state": "absent"},
            {**LINK, "state": "absent"},
            {**ATTACHED, "transit_switch": "ts2", "networks": ["169.254.200.1/24"]},
            {**ATTACHED, "router": "nothing", "fails": "router 'nothing' does not exist"},
            {**LINK, "router": "nothing", "state": "absent"},
        ],
    ),
    "ovn_ic_az": (
        ("nb_db", "ic_sb_db", "sb_db", "ic_nb_db"),
        [
            {"name": "az1"},
            {"name": "az1"},
            {"name": "az2"},
            {"do": other_deployment},
            {"name": "az9", "fails": "is registered by another deployment"},
            {"name": "az9", "claim": True, "fails": "the zone is registered as 'az2', and a zone has only one registration"},
            {"state": "absent"},
            {"name": "az9", "claim": True},
            {"name": "az9"},
            {"name": "other", "state": "absent"},
            {"name": "az9", "state": "absent", "claim": True, "fails": "claim needs state present"},
            {"name": "az9", "state": "absent", "purge": True, "fails": "is the zone of nb_db itself"},
            {"name": "dead", "purge": True, "fails": "purge needs state absent"},
            {"name": "dead", "state": "absent", "purge": True},
            {"name": "dead", "state": "absent", "purge": True},
            {"name": "az1"},
            {"state": "absent"},
            {"state": "absent"},
        ],
    ),
    "ovn_ic_global": (
        ("ic_nb_db",),
        [
            {"ic_probe_interval": 9000},
            {"vxlan_mode": True, "fails": "the keys of transit routers do not fit into VXLAN"},
            {"!": "ovn_ic_transit_router", "name": ["tr1", "tr2"], "state": "absent"},
            {"vxlan_mode": True},
            {"vxlan_mode": False, "ic_probe_interval": 0},
            {"vxlan_mode": False},
            {"ic_probe_interval": -1, "fails": "ic_probe_interval is -1"},
        ],
    ),
    "ovn_ic_transit_switch": (
        GLOBAL,
        [
            {"name": ["one", "two"], "external_ids": {"a": "1"}},
            {"name": "one", "subnets": ["10.9.0.0/24"]},
            {"do": other_deployment},
            {"do": published},
            {"name": "one", "subnets": ["10.8.0.0/24"], "fails": "which is outside 10.8.0.0/24"},
            {"name": "one", "subnets": ["10.9.0.0/24", "fd00:8::/64"], "other_config": {"b": "2"}},
            {"name": "one", "external_ids": {"c": "3"}, "purge_external_ids": True},
            {"name": "one", "rename_from": "two", "fails": "both transit switch 'two' and transit switch 'one' exist"},
            {
                "name": "uno",
                "rename_from": "none",
                "fails": "neither transit switch 'none' (rename_from) nor transit switch 'uno' (name) exists",
            },
            {"name": "deux", "rename_from": "two", "subnets": ["10.7.0.0/24"], "external_ids": {"d": "4"}},
            {"name": "deux", "rename_from": "two", "subnets": ["10.7.0.0/24"]},
            {"name": ["one", "deux", "three"], "state": "absent", "fails": "the transit switch 'one' is in use"},
            {"name": ["one", "deux", "three"], "state": "absent", "force": True},
            {"name": "one", "state": "absent"},
        ],
    ),
    "ovn_ic_transit_switch_port": (
        GLOBAL,
        [
            {**SWITCH_PORT, "type": "router", "peer": "lrp1", "chassis": "gw1"},
            {**SWITCH_PORT, "peer": "lrp2", "addresses": ["02:00:00:00:00:09"]},
            {**SWITCH_PORT, "name": "tsp2", "addresses": ["02:00:00:00:00:09 10.0.0.1"], "fails": "the MAC 02:00:00:00:00:09 is used by"},
            {**SWITCH_PORT, "transit_switch": "ts2"},
            SWITCH_PORT,
            {**SWITCH_PORT, "transit_switch": "ts9", "fails": "transit switch 'ts9' does not exist"},
            {**SWITCH_PORT, "type": "", "peer": "", "chassis": "", "addresses": []},
            {"name": "tsp1", "state": "absent"},
            {"name": "tsp1", "state": "absent"},
        ],
    ),
    "ovn_ic_transit_router": (
        GLOBAL,
        [
            {"name": "new", "external_ids": {"a": "1"}},
            {"name": "new", "other_config": {"b": "2"}},
            {"name": "core", "rename_from": "new", "other_config": {"b": "3"}},
            {"name": "core", "rename_from": "new"},
            {"name": "tr1", "rename_from": "core", "fails": "both transit router 'core' and transit router 'tr1' exist"},
            {"!": "ovn_ic_transit_router_port", **ROUTER_PORT, "transit_router": "core", "mac": "02:00:00:00:00:07"},
            {"name": "core", "state": "absent", "fails": "the transit router 'core' is in use"},
            {"name": "core", "state": "absent", "force": True},
            {"name": "core", "state": "absent"},
        ],
    ),
    "ovn_ic_transit_router_port": (
        GLOBAL,
        [
            {**ROUTER_PORT, "fails": "set mac, so that it can be created"},
            {**ROUTER_PORT, "mac": "02:00:00:00:00:07", "networks": ["172.16.0.1/24"], "chassis": "gw1"},
            {**ROUTER_PORT, "networks": ["172.16.0.2/24"]},
            {**ROUTER_PORT, "name": "trp2", "mac": "02:00:00:00:00:07", "fails": "the MAC 02:00:00:00:00:07 is used by port 'trp1'"},
            {**ROUTER_PORT, "transit_router": "tr2"},
            {**ROUTER_PORT, "chassis": "", "networks": []},
            {"name": "trp1", "state": "absent"},
            {"name": "trp1", "state": "absent"},
        ],
    ),
    "ovn_ic_route_policy": (
        ("nb_db",),
        [
            {"advertise": True, "learn": True, "denylist": ["10.0.0.0/8"]},
            {"advertise": False},
            {"advertise_default": True},
            {"advertise_via_transit": True, "learn_default": True, "learn_lb": True, "advertise_lb": True},
            {"denylist": ["10.0.0.0/40"], "fails": "an IPv4 prefix length is at most 32"},
            {"denylist": []},
            {"denylist": []},
        ],
    ),
    "ovn_ic_gateway": (
        ("ovs_db",),
        [
            {"state": "present", "wait_timeout": 0},
            {"state": "present"},
            {"state": "absent"},
            {"state": "absent"},
        ],
    ),
    "ovn_ic_connection": (
        GLOBAL,
        [
            {"database": "ic_nb", "connections": [LISTENER]},
            {"database": "ic_nb", "connections": [{"target": "ptcp:0:127.0.0.1"}, {"target": "ptcp:1:127.0.0.1"}]},
            {"database": "ic_nb", "connections": [{"target": "tcp"}], "fails": "is not an OVSDB connection target"},
            {"database": "ic_nb", "ssl": {"certificate": "/c"}, "fails": "give private_key, ca_cert too"},
            {"database": "ic_nb", "ssl": {"private_key": "/k", "certificate": "/c", "ca_cert": "/a"}},
            {"database": "ic_nb", "ssl": {"certificate": "/d"}},
            {"database": "ic_nb", "ssl": {}},
            {"database": "ic_nb", "connections": []},
            {"database": "ic_nb", "connections": []},
            {"database": "ic_sb", "connections": [LISTENER]},
            {"database": "ic_sb", "connections": []},
        ],
    ),
    "ovn_ic_sync": (
        ZONE,
        [{}, {"!": "ovn_ic_attachment", **ATTACHED}, {}, {"!": "ovn_ic_transit_switch", "name": "ts2", "state": "absent"}, {}],
    ),
    # A request is a change of the run alone, so there are no steps that make one.
    "ovn_ic_wait": (
        GLOBAL,
        [
            {"zones": [], "fails": "zones is an empty list"},
            {"rounds": 0, "fails": "rounds is 0"},
            {"zones": ["nope"], "fails": "no zone is named 'nope' (registered: az1)"},
        ],
    ),
    "ovn_ic_backup": (
        GLOBAL,
        [
            {"database": "ic_nb", "path": "{dir}/ic-nb.db"},
            {"database": "ic_nb", "path": "{dir}/ic-nb.db"},
            {"!": "ovn_ic_transit_switch", "name": "one"},
            {"database": "ic_nb", "path": "{dir}/ic-nb.db"},
            {"database": "ic_sb", "path": "{dir}/ic-sb.db", "leader_only": False},
            {"database": "ic_nb", "path": "{dir}", "fails": "is a directory"},
            {"database": "ic_nb", "path": "{dir}/none/ic-nb.db", "fails": "does not exist on this host"},
        ],
    ),
    "ovn_ic_schema": (
        (),
        [
            {"file": "{dir}/old.db", "schema": "{dir}/ovn-nb.ovsschema", "fails": "the schema is that of OVN_Northbound"},
            {"file": "{dir}/old.db", "schema": "{dir}/ovn-ic-sb.ovsschema"},
            {"file": "{dir}/old.db", "schema": "{dir}/ovn-ic-sb.ovsschema"},
            {"file": "{dir}/old.db", "schema": "{dir}/old.ovsschema", "fails": "has the newer schema"},
            {"file": "{dir}/other.db", "schema": "{dir}/ovn-ic-sb.ovsschema", "backup": "{dir}/kept.db"},
            {"file": "{dir}/none.db", "schema": "{dir}/ovn-ic-sb.ovsschema", "fails": "cannot be read"},
        ],
    ),
    "ovn_ic_cluster_member": (
        (),
        [
            {**MEMBER, "holders": []},
            {**MEMBER, "holders": []},
            {**MEMBER, "holders": ["ic1"]},
            {**MEMBER, "file": "{dir}/old.db", "holders": ["ic1"]},
            {**MEMBER, "file": "{dir}/second.db", "seed": "ic2", "holders": ["ic3"], "fails": "start their servers"},
        ],
    ),
}
#: Which member leads after one was removed, and in which term, nobody can know before.
UNFORESEEN = ("leader", "role", "term")
#: Its steps need a cluster: ``test_both_modes_report_the_same_of_a_cluster``.
CLUSTERED = {"ovn_ic_cluster"}


def modules() -> set[str]:
    return {path.stem for path in (ROOT / "plugins" / "modules").glob("ovn_ic_*.py") if not path.stem.endswith("_info")}


def test_every_module_is_tested() -> None:
    assert set(STEPS) | CLUSTERED == modules()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """One server for each database, with a zone that has two routers, two gateways, two transit switches and two transit routers."""
    newest = suite("experimental").schemas
    with tempfile.TemporaryDirectory(prefix="ovn-ic-") as directory:
        made = {name: Server(name, Path(directory), newest / schema, database) for name, (schema, database) in SCHEMAS.items()}
        made["ovs"] = Server("ovs", Path(directory), VSWITCH, "Open_vSwitch")
        try:
            for server in made.values():
                server.launch()
            for server in made.values():
                server.ready()
            fill(made)
            yield made
        finally:
            for server in made.values():
                server.stop()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Schemas, and two files of IC_SB with the older one."""
    for name in ("ovn-nb.ovsschema", "ovn-ic-sb.ovsschema"):
        shutil.copy(suite("experimental").schemas / name, tmp_path)
    shutil.copy(suite("host").schemas / "ovn-ic-sb.ovsschema", tmp_path / "old.ovsschema")
    for name in ("old.db", "other.db"):
        tool = suite("host").command("ovsdb-tool")
        subprocess.run([*tool, "create", str(tmp_path / name), str(tmp_path / "old.ovsschema")], check=True, capture_output=True)
    return tmp_path


def fill(servers: dict[str, Server]) -> None:
    nb, sb, ic_nb, ovs = (servers[name].database for name in ("nb", "sb", "ic_nb", "ovs"))
    nb.transact(*topology.router("lr1"), *topology.router("lr2"))
    nb.transact(*topology.router_port("lr2", "lr2-lan", "02:00:00:00:ff:01", ["10.2.0.1/24"]))
    for number in (1, 2):
        sb.transact(*topology.chassis(f"gw{number}", [("geneve", f"192.0.2.{number}")]))
        ic_nb.transact(*topology.transit_switch(f"ts{number}"))
    ovs.transact(ovsdb.insert("Open_vSwitch", {"external_ids": {"system-id": "gw1"}}))
    for name in ("tr1", "tr2"):
        run_module("ovn_ic_transit_router", name=name, ic_nb_db=servers["ic_nb"].remote)
    run_module("ovn_ic_az", name="az1", **{f"{name}_db": servers[name].remote for name in ("nb", "ic_sb")})
    run_module("ovn_ic_global", ic_probe_interval=5000, ic_nb_db=servers["ic_nb"].remote)
    options = {"advertise": True, "learn": True}
    run_module("ovn_ic_route_policy", nb_db=servers["nb"].remote, **options)


def same(check: Any, run: Any) -> bool:
    """Whether both modes returned the same, up to the uuids of new rows, which check mode does not know."""
    if isinstance(check, dict) and isinstance(run, dict):
        return check.keys() == run.keys() and all(same(check[key], run[key]) for key in check)
    if isinstance(check, list) and isinstance(run, list):
        return len(check) == len(run) and all(map(same, check, run))
    return bool(check == run or (check is None and isinstance(run, str) and len(run) == 36))


def comparable(module: str, result: dict[str, Any]) -> dict[str, Any]:
    """What both modes can know: of a run of the daemon's rules, which rows differ in the end, in whatever order they were written."""
    if module == "ovn_ic_cluster" and "cluster" in result:
        return {**result, "cluster": {key: value for key, value in result["cluster"].items() if key not in UNFORESEEN}}
    if module != "ovn_ic_sync" or result.get("failed"):
        return ordered(result)
    rows = sorted({(one["database"], one["table"], one["record"], one["action"]) for one in result["changes"]})
    return {
        "changed": result["changed"],
        "rows": [list(row) for row in rows],
        "skipped_objects": result["skipped_objects"],
        "diff": result["diff"],
    }


def ordered(result: dict[str, Any]) -> dict[str, Any]:
    changes = sorted(result.get("changes", []), key=lambda one: [str(one[key]) for key in ("database", "table", "record", "action")])
    return {**result, "changes": changes}


def compare(module: str, given: Step, fails: str | None, place: str) -> None:
    """Run a module in both modes: they have to agree, and to succeed or fail as expected."""
    check, run = run_module(module, check=True, **given), run_module(module, **given)
    assert same(comparable(module, check), comparable(module, run)), f"{place}:\n{check}\n{run}"
    assert bool(run.get("failed")) == (fails is not None), f"{place}: {run}"
    assert fails is None or (fails in run["msg"] and not run["changed"]), f"{place}: {run}"
    assert "@" not in str(run.get("diff")) + str(run.get("changes")), run


@pytest.mark.parametrize("module", sorted(STEPS))
def test_both_modes_report_the_same(module: str, servers: Servers, directory: Path) -> None:
    databases, steps = STEPS[module]
    remotes = {f"{name}_db": server.remote for name, server in servers.items()}
    for number, step in enumerate(steps):
        if "do" in step:
            step["do"](servers)
            continue
        other = step.get("!", module)
        given = {key: value.replace("{dir}", str(directory)) if isinstance(value, str) else value for key, value in step.items()}
        wanted = ZONE if other == "ovn_ic_attachment" else GLOBAL if other != module else databases
        given = {**{name: remotes[name] for name in wanted}, **{key: value for key, value in given.items() if key not in ("!", "fails")}}
        if other != module:
            assert not run_module(other, **given).get("failed"), step
        else:
            compare(module, given, step.get("fails"), f"step {number} {step}")


def test_both_modes_report_the_same_of_a_cluster() -> None:
    """The first member is asked; the others are removed one after the other, the last one alive."""
    with tempfile.TemporaryDirectory(prefix="ovn-ic-") as directory:
        cluster = Cluster("ic_nb", Path(directory), suite("host").schemas / "ovn-ic-nb.ovsschema", "OVN_IC_Northbound")
        try:
            cluster.start()
            leader = cluster.leader()
            second, third = (member for member in cluster.members if member is not leader)
            steps: list[Step] = [
                {},
                {"election_timer": 900},
                {"election_timer": 900},
                {"election_timer": 50, "fails": "election_timer is 50; set it to a value from 100 to 600000 milliseconds"},
                {"member": second.address, "fails": "member can only be removed here"},
                {"member": second.address, "state": "absent"},
                {"member": second.address, "state": "absent"},
                {"member": "tcp:192.0.2.9:6643", "state": "absent"},
                {"member": leader.address, "state": "absent", "asked": third},
                {"state": "absent", "asked": third, "fails": "is the only member of the cluster"},
            ]
            for number, step in enumerate(steps):
                asked = step.pop("asked", leader)
                fails = step.pop("fails", None)
                given = {"database": "ic_nb", "control_socket": str(asked.control_socket), **step}
                compare("ovn_ic_cluster", given, fails, f"step {number} {step}")
        finally:
            cluster.stop()
