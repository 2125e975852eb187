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
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
ROLES = sorted(path.name for path in (ROOT / "roles").glob("*") if path.is_dir())
ENGINE = sorted((ROOT / "plugins" / "module_utils" / "interconnect").rglob("*.py"))

SHIPPED = (
    *("CHANGELOG.md", "CODE_OF_CONDUCT.md", "LICENSE", "README.md", "SECURITY.md", "execution-environment.yml"),
    *("changelogs", "docs", "meta", "playbooks", "plugins", "roles"),
)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_unit_and_integration_tests(module: str) -> None:
    assert (ROOT / "tests" / "unit" / "plugins" / "modules" / f"test_{module}.py").is_file()
    assert (ROOT / "tests" / "integration" / "targets" / module / "tasks" / "main.yml").is_file()


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_in_the_action_group_and_in_the_list_of_modules(module: str) -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    assert module in runtime["action_groups"]["ovn_ic"]
    assert f"`{module}`" in (ROOT / "docs" / "modules.md").read_text()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_its_files_and_is_in_the_list_of_roles(role: str) -> None:
    for name in ("README.md", "defaults/main.yml", "meta/argument_specs.yml", "meta/main.yml", "tasks/main.yml"):
        assert (ROOT / "roles" / role / name).is_file(), name
    assert f"(../roles/{role}/README.md)" in (ROOT / "docs" / "deployment.md").read_text()


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: path.stem)
def test_the_engine_knows_nothing_of_ansible_and_imports_relatively(path: Path) -> None:
    imports = re.findall(r"^\s*(?:from|import) +([\w.]+)", path.read_text(), re.MULTILINE)
    assert not [name for name in imports if name.split(".")[0] in ("ansible", "ansible_collections", "importlib")]


def test_the_engine_imports_as_a_package_of_its_own() -> None:
    code = "import interconnect.subjects, sys; sys.exit(any(name.startswith('ansible') for name in sys.modules))"
    parent = ROOT / "plugins" / "module_utils"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(parent), "PATH": "/usr/bin:/bin"})


def examples(page: str) -> list[Any]:
    """The documents of all YAML examples of a page."""
    return [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)]


def test_the_readme_names_only_options_that_the_modules_have() -> None:
    play = examples("README.md")[0][0]
    tasks = {name: options for task in play["tasks"] for name, options in task.items()}
    command = [str(Path(sys.executable).parent / "ansible-doc"), "--json", *tasks]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections")}
    documented = json.loads(subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE).stdout)
    for name, options in tasks.items():
        assert set(options) <= set(documented[name]["doc"]["options"]), name
        assert set(play["module_defaults"]["group/ovn.interconnect.ovn_ic"]) <= set(documented[name]["doc"]["options"]), name


def test_the_page_on_deployment_explains_the_variables_of_its_inventory() -> None:
    inventory = examples("docs/deployment.md")[0]["all"]
    used = set(inventory["vars"]).union(*(group.get("vars", {}) for group in inventory["children"].values()))
    rows = re.findall(r"^\| (`ovn_ic_[^|]*) \|", (ROOT / "docs" / "deployment.md").read_text(), re.MULTILINE)
    assert used <= set(re.findall(r"`(ovn_ic_\w+)`", " ".join(rows)))


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


def measured(scenario: str) -> dict[str, dict[str, float]]:
    """The first figure of each column of a scenario in the report of the benchmarks, for each daemon."""
    report = (ROOT / "docs" / "performance.md").read_text()
    section = re.search(rf"^### {scenario}: .*?(?=^##)", report, re.DOTALL | re.MULTILINE)
    assert section is not None
    header, _line, *lines = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in section[0].splitlines() if line.startswith("|")
    )
    return {cells[0]: {name: float(re.sub("[^0-9.].*", "", cell) or "nan") for name, cell in zip(header[1:], cells[1:])} for cells in lines}


@pytest.mark.parametrize(
    ("scenario", "columns"),
    [("1x5000", ["+1 route ms", "CPU each ms"]), ("1x20000", ["idle s"]), ("vif", ["peak MB"])],
    ids=lambda value: str(value),
)
def test_the_figures_of_the_readme_are_those_of_the_report(scenario: str, columns: list[str]) -> None:
    """They may differ as much as two runs do: write those of docs/performance.md where they differ more."""
    daemons = measured(scenario)
    row = next(line for line in (ROOT / "README.md").read_text().splitlines() if f"performance.md#{scenario}" in line)
    ours, theirs = ([float(text) for text in re.findall(r"[0-9.]*[0-9]", cell)] for cell in row.strip("|").split("|")[1:])
    assert ours == pytest.approx([daemons["this project"][column] for column in columns], rel=0.4)
    assert theirs == pytest.approx([daemons["upstream 23.03.1"][column] for column in columns], rel=0.4)


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_each_page_is_in_the_index(page: Path) -> None:
    assert page.name == "README.md" or f"]({page.name})" in (ROOT / "docs" / "README.md").read_text()


def test_the_picture_is_well_formed_and_has_colors_for_a_dark_background() -> None:
    picture = (ROOT / "docs" / "architecture.svg").read_text()
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert "prefers-color-scheme: dark" in picture
    assert "architecture.svg" in (ROOT / "README.md").read_text()


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
