# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project keeps its own promises: everything that is shipped is tested, listed and documented."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
ROLES = sorted(path.name for path in (ROOT / "roles").glob("*") if path.is_dir())
ENGINE = sorted((ROOT / "plugins" / "module_utils" / "interconnect").rglob("*.py"))

SHIPPED = ("CHANGELOG.md", "LICENSE", "README.md", "changelogs", "docs", "meta", "playbooks", "plugins", "roles")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_unit_and_integration_tests(module: str) -> None:
    assert (ROOT / "tests" / "unit" / "plugins" / "modules" / f"test_{module}.py").is_file()
    assert (ROOT / "tests" / "integration" / "targets" / module / "tasks" / "main.yml").is_file()


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_in_the_action_group_and_in_the_readme(module: str) -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    assert module in runtime["action_groups"]["ovn_ic"]
    assert f"`{module}`" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_its_files_and_is_in_the_readme(role: str) -> None:
    for name in ("README.md", "defaults/main.yml", "meta/argument_specs.yml", "meta/main.yml", "tasks/main.yml"):
        assert (ROOT / "roles" / role / name).is_file(), name
    assert f"`{role}`" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: path.stem)
def test_the_engine_knows_nothing_of_ansible_and_imports_relatively(path: Path) -> None:
    imports = re.findall(r"^\s*(?:from|import) +([\w.]+)", path.read_text(), re.MULTILINE)
    assert not [name for name in imports if name.split(".")[0] in ("ansible", "ansible_collections", "importlib")]


def test_the_engine_imports_as_a_package_of_its_own() -> None:
    code = "import interconnect.subjects, sys; sys.exit(any(name.startswith('ansible') for name in sys.modules))"
    parent = ROOT / "plugins" / "module_utils"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(parent), "PATH": "/usr/bin:/bin"})


def readme_examples() -> list[Any]:
    return [
        yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    ]


def test_the_readme_names_only_options_that_the_modules_have() -> None:
    play = readme_examples()[0][0]
    tasks = {name: options for task in play["tasks"] for name, options in task.items()}
    command = [str(Path(sys.executable).parent / "ansible-doc"), "--json", *tasks]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections")}
    documented = json.loads(subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE).stdout)
    for name, options in tasks.items():
        assert set(options) <= set(documented[name]["doc"]["options"]), name
        assert set(play["module_defaults"]["group/ovn.interconnect.ovn_ic"]) <= set(documented[name]["doc"]["options"]), name


def test_the_readme_explains_the_variables_of_its_inventory() -> None:
    inventory = readme_examples()[1]["all"]
    used = set(inventory["vars"]).union(*(group.get("vars", {}) for group in inventory["children"].values()))
    described = set(re.findall(r"`(ovn_ic_\w+)`", (ROOT / "README.md").read_text()))
    assert used <= described


def test_the_artifact_holds_what_is_shipped_and_nothing_else(tmp_path: Path) -> None:
    build = [Path(sys.executable).parent / "ansible-galaxy", "collection", "build", "--output-path", tmp_path]
    subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as artifact:
        names = {name for name in artifact.getnames() if not artifact.getmember(name).isdir()}
    assert {name.split("/")[0] for name in names} <= {*SHIPPED, "MANIFEST.json", "FILES.json"}
    assert not [name for name in names if "/." in name or name.endswith(".pyc")]


def test_continuous_integration_runs_all_tests() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_each_python_file_names_its_licence() -> None:
    listing = subprocess.run(["git", "ls-files", "-z", "*.py", "*.pyi"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    paths = [ROOT / name for name in listing.split("\0") if name]
    missing = [
        path
        for path in paths
        if path.is_file() and path.stat().st_size and "GNU General Public License v3.0+" not in path.read_text()[:400]
    ]
    assert not missing
