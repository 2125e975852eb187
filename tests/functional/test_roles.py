# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles that call modules, run by ansible-playbook against real servers: wrong input, ``force``, relays, and check mode."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.modules import ROOT, run_module
from ansible_collections.ovn.interconnect.tests.support.world import World

pytestmark = pytest.mark.ours("roles")
MODULES_NEED = ("python3-openvswitch", "ovn-common")


def play(tmp_path: Path, role: str, check: bool = False, entry: str = "main", **variables: Any) -> tuple[int, str]:
    """Run a role on this machine; the exit status, and all that was printed, as one line."""
    for package in MODULES_NEED:
        if subprocess.run(["dpkg-query", "--show", package], capture_output=True, check=False).returncode:
            pytest.skip(f"the role would install {package} on this machine")
    task = {"name": "Run it", "ansible.builtin.import_role": {"name": f"ovn.interconnect.{role}", "tasks_from": entry}}
    path = tmp_path / "play.yml"
    path.write_text(yaml.safe_dump([{"name": "A role", "hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [task]}]))
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    options = ["--inventory=localhost,", "--connection=local", f"--extra-vars=ansible_python_interpreter={sys.executable}"]
    done = subprocess.run(
        ["ansible-playbook", *options, *(["--check", "--diff"] if check else []), str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def switches(tmp_path: Path, world: World, *wanted: dict[str, Any], check: bool = False, **variables: Any) -> tuple[int, str]:
    databases = {"ovn_ic_global_ic_nb_db": world.places["ic_nb"], "ovn_ic_global_ic_sb_db": world.places["ic_sb"]}
    return play(tmp_path, "ovn_ic_global", check, ovn_ic_global_transit_switches=list(wanted), **{**databases, **variables})


def attachments(tmp_path: Path, world: World, *wanted: dict[str, Any], check: bool = False, **variables: Any) -> tuple[int, str]:
    databases = {f"ovn_ic_az_{name}_db": world.places[name] for name in ("nb", "sb", "ic_nb", "ic_sb")}
    given = {"ovn_ic_az_name": "az1", "ovn_ic_az_attachments": list(wanted), **databases, **variables}
    return play(tmp_path, "ovn_ic_az", check, "attachments", **given)


def names(world: World, server: str, table: str) -> list[str]:
    database = world.servers[server].database
    database.refresh()
    return sorted(row.text("name") for row in database.rows(table))


@pytest.mark.parametrize(
    "switch, variables, words",
    [
        ({"name": "ts3", "subnet": ["10.9.0.0/24"]}, {}, "subnet. Supported parameters include: external_ids, force, name"),
        ({"name": "ts3", "state": "absnt"}, {}, "got: absnt"),
        ({"name": "ts3", "subnets": ["10.9.0.0"]}, {}, "subnets has '10.9.0.0' without a prefix length"),
        ({"name": "ts3", "rename_from": "ts9"}, {}, "neither transit switch 'ts9' (rename_from) nor transit switch 'ts3' (name) exists"),
        ({"name": "ts1", "state": "absent"}, {}, "the transit switch 'ts1' is in use: zone 'az1' has port 'p1'"),
        ({"name": "ts1", "state": "absent"}, {"ovn_ic_global_ic_sb_db": ""}, "ic_sb_db is not given, so it is not known"),
        ({"name": "ts3"}, {"ovn_ic_global_ic_nb_db": "{ic_nb_relay}"}, "it is a relay"),
        ({"name": "ts3"}, {"ovn_ic_global_ic_nb_db": "{ic_nb_backup}"}, "the server is read-only for this client"),
        ({"name": "ts1", "subnets": ["10.9.0.0/24"]}, {"ovn_ic_global_ic_sb_db": "{nobody}"}, "No such file or directory"),
    ],
)
def test_wrong_input_to_the_global_role(
    world: World, tmp_path: Path, switch: dict[str, Any], variables: dict[str, str], words: str
) -> None:
    """In check mode; that modules fail alike in both modes is tested with them."""
    before = world.contents()
    status, printed = switches(tmp_path, world, switch, check=True, **world.located(variables))
    assert status != 0
    assert words in printed, printed
    assert world.contents() == before


def test_a_switch_in_use_goes_by_force_and_another_one_is_renamed(world: World, tmp_path: Path) -> None:
    for check in (True, False):
        wanted = {"name": "ts1", "state": "absent", "force": True}, {"name": "backbone", "rename_from": "ts2"}
        status, printed = switches(tmp_path, world, *wanted, check=check)
        assert status == 0, printed
        assert "changed=1" in printed
    assert names(world, "ic_nb", "Transit_Switch") == ["backbone"]


ATTACHED = {"router": "lr1", "transit_switch": "ts1", "mac": "02:00:00:00:00:01", "networks": ["169.254.100.1/24"]}


@pytest.mark.parametrize(
    "more, variables, words",
    [
        ({"gateways": [{"chassis": "gw9"}]}, {}, "the zone has no chassis 'gw9' (its gateways: gw1, gw2)"),
        ({"gateways": [{"chassis": "gw7"}]}, {}, "the chassis 'gw7' is a gateway of another zone"),
        ({}, {"ovn_ic_az_sb_db": "{sb_of_az2}"}, "does not belong to the same zone as OVN_Northbound"),
        ({"network": ["169.254.100.1/24"]}, {}, "network. Supported parameters include: gateways, ha_chassis_group"),
        ({"router": "lr3"}, {}, "router 'lr3' does not exist"),
    ],
)
def test_wrong_input_to_the_attachments(world: World, tmp_path: Path, more: dict[str, Any], variables: dict[str, str], words: str) -> None:
    """In check mode, which did not look at SB before."""
    before = world.contents()
    status, printed = attachments(tmp_path, world, {**ATTACHED, **more}, check=True, **world.located(variables))
    assert status != 0
    assert words in printed, printed
    assert world.contents() == before


def test_check_mode_attaches_by_a_chassis_that_becomes_a_gateway_in_the_same_run(world: World, tmp_path: Path) -> None:
    world.servers["sb"].database.transact(*topology.chassis("gw3", [("geneve", "192.0.2.3")], interconn=False))
    status, printed = attachments(tmp_path, world, {**ATTACHED, "gateways": [{"chassis": "gw3"}, {"chassis": "gw1"}]}, check=True)
    assert status == 0, printed
    assert "gw3 (0)" in printed


def test_check_mode_detaches_from_a_transit_switch_that_is_gone(world: World, tmp_path: Path) -> None:
    remotes = {f"{name}_db": world.places[name] for name in ("nb", "ic_nb")}
    assert run_module("ovn_ic_attachment", **ATTACHED, **remotes)["changed"]
    world.servers["ic_nb"].database.transact(ovsdb.delete("Transit_Switch", name="ts1"))
    for check in (True, False):
        status, printed = attachments(tmp_path, world, {"router": "lr1", "transit_switch": "ts1", "state": "absent"}, check=check)
        assert status == 0, printed
        assert "changed=1" in printed
    assert "lr1-ts1" not in names(world, "nb", "Logical_Router_Port")
