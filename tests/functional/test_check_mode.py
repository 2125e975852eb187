# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode says what the run does: every module goes through its states on real servers, each step in both modes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.modules import ROOT, run_module
from ansible_collections.ovn.interconnect.tests.support.servers import Server, suite

SCHEMAS = {
    "nb": ("ovn-nb.ovsschema", "OVN_Northbound"),
    "sb": ("ovn-sb.ovsschema", "OVN_Southbound"),
    "ic_nb": ("ovn-ic-nb.ovsschema", "OVN_IC_Northbound"),
    "ic_sb": ("ovn-ic-sb.ovsschema", "OVN_IC_Southbound"),
}
VSWITCH = Path("/usr/share/openvswitch/vswitch.ovsschema")
ZONE = ("nb_db", "sb_db", "ic_nb_db", "ic_sb_db")
Step = dict[str, Any]

LINK = {"router": "lr1", "transit_switch": "ts1"}
ATTACHED = {**LINK, "mac": "02:00:00:00:00:01", "networks": ["169.254.100.1/24"]}
GROUP = {"name": "edge", "chassis": [{"chassis": "gw1", "priority": 20}, {"chassis": "gw2"}]}
SWITCH_PORT = {"name": "tsp1", "transit_switch": "ts1"}
ROUTER_PORT = {"name": "trp1", "transit_router": "tr1"}

#: The states of each module: the databases that it takes, and its options step by step. ``!`` names another module that is run in between.
STEPS: dict[str, tuple[Sequence[str], list[Step]]] = {
    "ovn_ic_attachment": (
        ZONE,
        [
            {**ATTACHED, "gateways": [{"chassis": "gw1", "priority": 20}, {"chassis": "gw2"}]},
            LINK,
            {**LINK, "mac": "02:00:00:00:00:02", "networks": ["169.254.100.2/24", "fd00::2/64"]},
            {**LINK, "gateways": [{"chassis": "gw1", "priority": 30}]},
            {**LINK, "gateways": [{"chassis": "gw2"}]},
            {**LINK, "port": "uplink", "switch_port": "renamed"},
            {**LINK, "ha_chassis_group": GROUP},
            {**LINK, "ha_chassis_group": {**GROUP, "chassis": [{"chassis": "gw2", "priority": 5}]}},
            {**LINK, "ha_chassis_group": {**GROUP, "name": "other"}},
            {**LINK, "port": "lr1-ts1", "gateways": []},
            {**LINK, "ha_chassis_group": GROUP},
            {**LINK, "state": "absent"},
            {**LINK, "state": "absent"},
            {**ATTACHED, "transit_switch": "ts2", "networks": ["169.254.200.1/24"]},
            {**LINK, "router": "nothing"},
        ],
    ),
    "ovn_ic_az": (
        ("nb_db", "ic_sb_db", "sb_db", "ic_nb_db"),
        [{"name": "az1"}, {"name": "az1"}, {"name": "az2"}, {"state": "absent"}, {"state": "absent"}],
    ),
    "ovn_ic_global": (
        ("ic_nb_db",),
        [
            {"ic_probe_interval": 9000},
            {"vxlan_mode": True},
            {"vxlan_mode": False, "ic_probe_interval": 0},
            {"vxlan_mode": False},
        ],
    ),
    "ovn_ic_transit_switch": (
        ("ic_nb_db", "ic_sb_db"),
        [
            {"name": ["one", "two"], "external_ids": {"a": "1"}},
            {"name": "one", "subnets": ["10.9.0.0/24"]},
            {"name": "one", "subnets": ["10.8.0.0/24", "fd00:8::/64"], "other_config": {"b": "2"}},
            {"name": "one", "external_ids": {"c": "3"}, "purge_external_ids": True},
            {"name": ["one", "two", "three"], "state": "absent"},
            {"name": "one", "state": "absent"},
        ],
    ),
    "ovn_ic_transit_switch_port": (
        ("ic_nb_db",),
        [
            {**SWITCH_PORT, "type": "router", "peer": "lrp1", "chassis": "gw1"},
            {**SWITCH_PORT, "peer": "lrp2", "addresses": ["02:00:00:00:00:09"]},
            {**SWITCH_PORT, "transit_switch": "ts2"},
            SWITCH_PORT,
            {**SWITCH_PORT, "state": "absent"},
            {**SWITCH_PORT, "state": "absent"},
        ],
    ),
    "ovn_ic_transit_router": (
        ("ic_nb_db",),
        [{"name": "new", "external_ids": {"a": "1"}}, {"name": "new", "other_config": {"b": "2"}}, {"name": "new", "state": "absent"}],
    ),
    "ovn_ic_transit_router_port": (
        ("ic_nb_db",),
        [
            {**ROUTER_PORT, "mac": "02:00:00:00:00:07", "networks": ["172.16.0.1/24"], "chassis": "gw1"},
            {**ROUTER_PORT, "networks": ["172.16.0.2/24"]},
            {**ROUTER_PORT, "transit_router": "tr2"},
            {**ROUTER_PORT, "state": "absent"},
            {**ROUTER_PORT, "state": "absent"},
        ],
    ),
    "ovn_ic_route_policy": (
        ("nb_db",),
        [
            {"advertise": True, "learn": True, "denylist": ["10.0.0.0/8"]},
            {"advertise": False},
            {"advertise_default": True},
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
        ("ic_nb_db",),
        [
            {"database": "ic_nb", "connections": [{"target": "ptcp:0:127.0.0.1", "inactivity_probe": 60000}]},
            {"database": "ic_nb", "connections": [{"target": "ptcp:0:127.0.0.1"}, {"target": "ptcp:1:127.0.0.1"}]},
            {"database": "ic_nb", "ssl": {"private_key": "/k", "certificate": "/c", "ca_cert": "/a"}},
            {"database": "ic_nb", "ssl": {}},
            {"database": "ic_nb", "connections": []},
            {"database": "ic_nb", "connections": []},
        ],
    ),
    "ovn_ic_sync": (
        ZONE,
        [{}, {"!": "ovn_ic_attachment", **ATTACHED}, {}, {"!": "ovn_ic_transit_switch", "name": "ts2", "state": "absent"}, {}],
    ),
    "ovn_ic_wait": (("ic_nb_db", "ic_sb_db"), [{"rounds": 1, "wait_timeout": 5, "zones": []}]),
}
#: Modules that change files, clusters or other hosts: their integration targets compare both modes.
ELSEWHERE = {"ovn_ic_backup", "ovn_ic_cluster", "ovn_ic_schema"}


def modules() -> set[str]:
    return {path.stem for path in (ROOT / "plugins" / "modules").glob("ovn_ic_*.py") if not path.stem.endswith("_info")}


def test_every_module_is_tested() -> None:
    assert set(STEPS) | ELSEWHERE == modules()
    for name in ELSEWHERE:
        assert "check_mode: true" in (ROOT / "tests" / "integration" / "targets" / name / "tasks" / "main.yml").read_text()


@pytest.fixture
def remotes() -> Iterator[dict[str, str]]:
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
            yield {f"{name}_db": server.remote for name, server in made.items()}
        finally:
            for server in made.values():
                server.stop()


def fill(servers: dict[str, Server]) -> None:
    nb, sb, ic_nb = (servers[name].database for name in ("nb", "sb", "ic_nb"))
    for database in (nb, sb, ic_nb):
        database.connect()
    nb.transact(*topology.router("lr1"), *topology.router("lr2"))
    nb.transact(*topology.router_port("lr2", "lr2-lan", "02:00:00:00:ff:01", ["10.2.0.1/24"]))
    for number in (1, 2):
        sb.transact(*topology.chassis(f"gw{number}", [("geneve", f"192.0.2.{number}")]))
        ic_nb.transact(*topology.transit_switch(f"ts{number}"))
    for database in (nb, sb, ic_nb):
        database.close()
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
    if module != "ovn_ic_sync" or result.get("failed"):
        return ordered(result)
    rows = sorted({(one["database"], one["table"], one["record"], one["action"]) for one in result["changes"]})
    return {"changed": result["changed"], "rows": [list(row) for row in rows], "left": result["left"], "diff": result["diff"]}


def ordered(result: dict[str, Any]) -> dict[str, Any]:
    changes = sorted(result.get("changes", []), key=lambda one: [str(one[key]) for key in ("database", "table", "record", "action")])
    return {**result, "changes": changes}


@pytest.mark.parametrize("module", sorted(STEPS))
def test_both_modes_report_the_same(module: str, remotes: dict[str, str]) -> None:
    databases, steps = STEPS[module]
    for number, step in enumerate(steps):
        other = step.get("!", module)
        given = {**{name: remotes[name] for name in (ZONE if other == "ovn_ic_attachment" else databases)}, **step}
        if given.pop("!", None):
            given = {key: value for key, value in given.items() if key not in ("sb_db", "nb_db") or other != "ovn_ic_transit_switch"}
            assert not run_module(other, **given).get("failed")
            continue
        check, run = run_module(module, check=True, **given), run_module(module, **given)
        assert same(comparable(module, check), comparable(module, run)), f"step {number} {step}:\n{check}\n{run}"
        assert "@" not in str(run.get("diff")) + str(run.get("changes")), run
