# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive that is published, installed where nothing else is: its modules, roles and playbooks are found by their full names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("ovn_ic_*.py"))
ROLES = sorted(path.parents[1].name for path in (ROOT / "roles").glob("*/tasks/main.yml"))
#: The playbooks of the project itself are not shipped.
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml") if path.stem != "lab")
#: What the published archive has at its top.
SHIPPED = {
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "SECURITY.md",
    "changelogs",
    "docs",
    "execution-environment.yml",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}


class Installed:
    """The archive, and where it was installed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OVN_", "OVS_", "ANSIBLE_", "PYTHONPATH"))}
        (directory / "ansible.cfg").touch()
        paths = {"ANSIBLE_CONFIG": directory / "ansible.cfg", "ANSIBLE_COLLECTIONS_PATH": directory / "installed"}
        self.environment = {**kept, **{name: str(path) for name, path in paths.items()}, "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"}
        source = directory / "source" / "ansible_collections" / "ovn" / "interconnect"
        subprocess.run([ROOT / "scripts" / "collection_copy.sh", directory / "source"], check=True)
        self.run("ansible-galaxy", "collection", "build", "--output-path", str(directory), str(source))
        (self.archive,) = directory.glob("*.tar.gz")
        self.run("ansible-galaxy", "collection", "install", "--offline", "-p", str(directory / "installed"), str(self.archive))

    def run(self, program: str, *arguments: str, status: int = 0) -> str:
        """What a program of Ansible's prints; it fails the test if it ends otherwise."""
        command = [str(BIN / program), *arguments]
        done = subprocess.run(command, env=self.environment, cwd=self.directory, capture_output=True, text=True, check=False)
        assert done.returncode == status, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("artifact"))


def test_it_holds_what_users_need_and_nothing_else(installed: Installed) -> None:
    with tarfile.open(installed.archive) as archive:
        assert {name.partition("/")[0] for name in archive.getnames()} == SHIPPED


def test_modules_and_roles_are_there_with_their_documentation(installed: Installed) -> None:
    names = [f"ovn.interconnect.{name}" for name in MODULES]
    shown = json.loads(installed.run("ansible-doc", "--json", "--type", "module", *names))
    for name in names:
        assert shown[name]["examples"], name
        assert shown[name]["return"], name
    roles = json.loads(installed.run("ansible-doc", "--json", "--type", "role", *(f"ovn.interconnect.{name}" for name in ROLES)))
    assert sorted(roles) == [f"ovn.interconnect.{name}" for name in ROLES]


def test_playbooks_are_found_by_their_names(installed: Installed) -> None:
    groups: dict[str, dict[str, str]] = {f"ovn_ic_{group}": {} for group in ("databases", "daemons", "gateways")}
    (installed.directory / "inventory.yml").write_text(json.dumps({"all": {"children": groups}}))
    names = [f"ovn.interconnect.{name}" for name in PLAYBOOKS]
    shown = installed.run("ansible-playbook", "--syntax-check", "-i", str(installed.directory / "inventory.yml"), *names)
    assert [Path(line).stem for line in shown.splitlines() if line.startswith("playbook: ")] == PLAYBOOKS


def test_a_module_brings_its_code_along(installed: Installed) -> None:
    remotes = "ic_nb_db=unix:/nowhere/nb.sock ic_sb_db=unix:/nowhere/sb.sock timeout=1"
    here = ["localhost", "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"]
    said = installed.run("ansible", *here, "-m", "ovn.interconnect.ovn_ic_info", "-a", remotes, status=2)
    assert "OVN_IC_Northbound was not reached within 1 s (unix:/nowhere/nb.sock: No such file or directory)" in said
