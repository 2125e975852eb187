# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the integration target of each module with ansible-playbook, against real OVSDB servers of its own; no root is needed.

The targets are laid out as ansible-test wants them. A transaction in check mode fails the test, and so does any warning of Ansible.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.tests.support.servers import OURS, Server, SuiteMissingError, daemon_command, suite

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGETS = sorted(path.name for path in (HERE / "targets").iterdir() if (path / "tasks" / "main.yml").is_file())
BIN = Path(sys.executable).parent

VSWITCH_SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
DATABASES = {
    "nb": ("ovn-nb.ovsschema", "OVN_Northbound"),
    "sb": ("ovn-sb.ovsschema", "OVN_Southbound"),
    "ic_nb": ("ovn-ic-nb.ovsschema", "OVN_IC_Northbound"),
    "ic_sb": ("ovn-ic-sb.ovsschema", "OVN_IC_Southbound"),
    "ovs": (str(VSWITCH_SCHEMA), "Open_vSwitch"),
}
#: Targets whose objects the schemas of this machine's packages do not have: they get ``test_new_ic_nb_db`` and ``test_new_ic_sb_db`` too.
NEWER = {
    "ovn_ic_info",
    "ovn_ic_transit_router",
    "ovn_ic_transit_router_port",
    "ovn_ic_transit_switch_port",
    "ovn_ic_wait",
}
NEWEST = "experimental"


#: What the modules of a target warn of, by the beginnings of the sentences: objects without effect that the target makes on purpose.
WARNINGS: dict[str, tuple[str, ...]] = {
    "ovn_ic_attachment": ("the attachment by port",),
    "ovn_ic_route_info": ("the attachment by port",),
    "ovn_ic_gateway": ("the tunnel address 127.0.0.1",),
    "ovn_ic_route_policy": ("NB_Global.options has both ic-route-blacklist", "ic-route-adv-", "ic-route-learn-"),
    "ovn_ic_transit_router_port": ("no zone has a gateway",),
    "ovn_ic_transit_switch_port": ("no zone has a gateway",),
}


def unexpected_warnings(target: str, output: str) -> list[str]:
    """The beginnings of the warnings in the output that the target does not provoke on purpose. Ansible wraps them to its line length."""
    found = re.findall(r"\[WARNING\]: (.{0,120})", re.sub(r"\s+", " ", output))
    return [warning for warning in found if not warning.startswith(WARNINGS.get(target, ("\0",)))]


@pytest.fixture
def servers(target: str) -> Iterator[dict[str, Server]]:
    """One server for each database, empty."""
    databases = {name: (suite("host").schemas / schema, database) for name, (schema, database) in DATABASES.items()}
    if target in NEWER:
        try:
            newest = suite(NEWEST).schemas
        except SuiteMissingError as missing:
            pytest.skip(f"{target} was not run: {missing}")
        databases.update({f"new_{name}": (newest / DATABASES[name][0], DATABASES[name][1]) for name in ("ic_nb", "ic_sb")})
    with tempfile.TemporaryDirectory(prefix="ovn-ic-") as directory:
        made = {name: Server(name, Path(directory), schema, database) for name, (schema, database) in databases.items()}
        try:
            for server in made.values():
                server.launch()
            for server in made.values():
                server.ready()
            yield made
        finally:
            for server in made.values():
                server.stop()


def environment(servers: dict[str, Server], faults: Path) -> dict[str, str]:
    """Nothing of the caller's environment that modules or Ansible read, but what finds the programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OVN_", "OVS_", "ANSIBLE_"))}
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "PATH": f"{BIN}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin",
        "ANSIBLE_CONFIG": str(faults.with_name("ansible.cfg")),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "ANSIBLE_ROLES_PATH": str(HERE / "targets"),
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "no_writes",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "OVN_IC_TEST_WATCHED": ":".join(str(server.file) for server in servers.values()),
        "OVN_IC_TEST_FAULTS": str(faults),
    }


@pytest.mark.parametrize("target", TARGETS)
def test_target(target: str, servers: dict[str, Server], tmp_path: Path) -> None:
    """Each object has a module, whose target runs against real servers (spec deployment-G.4)."""
    faults = tmp_path / "faults"
    faults.touch()
    (tmp_path / "ansible.cfg").touch()
    variables = {f"test_{name}_db": f"unix:{server.socket}" for name, server in servers.items()}
    variables["test_daemon"] = shlex.join(daemon_command(OURS, suite("host")))
    host = {"test_directory": str(tmp_path), "ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    if target in NEWER:
        variables["test_new_ic_nbctl"] = shlex.join(suite(NEWEST).command("ovn-ic-nbctl"))
        variables["test_new_ic_sbctl"] = shlex.join(suite(NEWEST).command("ovn-ic-sbctl"))
    play = [{"name": f"Test {target}", "hosts": "localhost", "gather_facts": False, "roles": [target]}]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    (tmp_path / "inventory.yml").write_text(json.dumps({"all": {"hosts": {"localhost": {**host, **variables}}}}))
    command = [BIN / "ansible-playbook", "-v", "-i", tmp_path / "inventory.yml", tmp_path / "play.yml"]
    run = subprocess.run(
        command, env=environment(servers, faults), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert run.returncode == 0, run.stdout
    assert faults.read_text() == "", f"written in check mode: {faults.read_text()}"
    assert unexpected_warnings(target, run.stdout) == [], run.stdout
    assert "[DEPRECATION" not in run.stdout, run.stdout
