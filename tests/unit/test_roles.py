# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all roles have in common."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

ROOT = Path(__file__).resolve().parents[2]
ROLES = ROOT / "roles"


def examples(readme: Path) -> list[Any]:
    """Return the documents of all YAML examples in a README."""
    return [
        yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", readme.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    ]


@pytest.mark.parametrize("debian", sorted(ROLES.glob("*/vars/Debian.yml")), ids=lambda path: path.parts[-3])
def test_each_distribution_names_the_same_things(debian: Path) -> None:
    other = debian.with_name("RedHat.yml")
    names = [set(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in (debian, other)]
    assert names[0] == names[1]


def test_the_variables_of_each_readme_are_those_of_the_argument_specs() -> None:
    check = subprocess.run([ROOT / "scripts/role_variables.py", "--check"], capture_output=True, text=True, check=False)
    assert (check.returncode, check.stdout) == (0, "")


@pytest.mark.parametrize("role", sorted(ROLES.glob("*/README.md")), ids=lambda path: path.parts[-2])
def test_each_role_has_the_same_sections(role: Path) -> None:
    sections = re.findall(r"^## (.*)$", role.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in sections if name != "Entry points"] == ["Requirements", "Variables", "Example", "Notes"]


@pytest.mark.parametrize("readme", [ROOT / "README.md", *sorted(ROLES.glob("*/README.md"))], ids=lambda path: path.parts[-2])
def test_the_examples_of_each_readme_are_yaml(readme: Path) -> None:
    assert examples(readme)


def used_roles(play: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """The roles of a play: name, entry point, and the variables that the play sets."""
    variables = play.get("vars", {})
    imports = [task["ansible.builtin.import_role"] for task in play.get("tasks", ())]
    named = [(one["role"], "main", {**variables, **one.get("vars", {})}) for one in play.get("roles", ())]
    named += [(one["name"], one.get("tasks_from", "main"), variables) for one in imports]
    return [(name.rpartition(".")[2], entry, values) for name, entry, values in named]


@pytest.mark.parametrize("readme", sorted(ROLES.glob("*/README.md")), ids=lambda path: path.parts[-2])
def test_the_roles_accept_the_variables_of_each_documented_play(readme: Path) -> None:
    """The plays need hosts with systemd, so they are not run here; the scenarios of molecule run the roles."""
    plays = [play for document in examples(readme) if isinstance(document, list) for play in document]
    used = [one for play in plays for one in used_roles(play)]
    assert readme.parent.name in {name for name, _entry, _values in used}
    for name, entry, values in used:
        specs = yaml.safe_load((ROLES / name / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
        options = {option for spec in specs.values() for option in spec["options"]}
        # A variable that several roles share is the default of a variable of each role: "{{ ovn_ic_nb_db | default('') }}".
        defaults = yaml.safe_load((ROLES / name / "defaults" / "main.yml").read_text(encoding="utf-8"))
        shared = {found[1]: option for option, value in defaults.items() if (found := re.match(r"{{ (\w+) \| default", str(value)))}
        assert set(values) <= {*options, *shared}, (name, entry)
        given = {shared.get(variable, variable): value for variable, value in values.items()}
        accepted = specs[entry]["options"]
        given = {option: value for option, value in given.items() if option in accepted}
        assert ArgumentSpecValidator(accepted).validate(given).error_messages == [], (name, entry)


def test_the_zones_of_the_documented_inventory_fit_together() -> None:
    inventory = next(example["all"] for example in examples(ROOT / "docs/deployment.md") if "all" in example)
    groups = inventory["children"]
    zones = [groups[name] for name in ("dc1", "dc2", "dc3")]
    assert len({zone["vars"]["ovn_ic_az_name"] for zone in zones}) == 3
    attachments = [attachment for zone in zones for attachment in zone["vars"]["ovn_ic_az_attachments"]]
    assert len({attachment["mac"] for attachment in attachments}) == len({attachment["networks"][0] for attachment in attachments}) == 3
    assert {attachment["transit_switch"] for attachment in attachments} == {
        switch["name"] for switch in inventory["vars"]["ovn_ic_transit_switches"]
    }
    members = [host["ovn_ic_db_address"] for host in groups["ovn_ic_databases"]["hosts"].values()]
    assert inventory["vars"]["ovn_ic_nb_db"] == ",".join(f"ssl:{address}:6645" for address in members)


def test_the_scenario_of_datacenters_has_the_documented_inventory() -> None:
    """Word for word, comments too: what an operator copies is what was run."""
    page = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(all:\n.*?)^```", page, re.DOTALL | re.MULTILINE)
    inventory = (ROOT / "extensions/molecule/datacenters/inventory/documented.yml").read_text(encoding="utf-8")
    assert [inventory.partition("\nall:\n")[2]] == [block.partition("all:\n")[2] for block in blocks]


@pytest.mark.parametrize("scenario", sorted((ROOT / "extensions/molecule").glob("*/molecule.yml")), ids=lambda path: path.parts[-2])
def test_each_scenario_is_documented(scenario: Path) -> None:
    page = (ROOT / "docs/contributing.md").read_text(encoding="utf-8")
    assert f"`{scenario.parent.name}`" in page.partition("### Molecule scenarios")[2]


@pytest.mark.parametrize("playbook", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda path: path.name)
def test_each_playbook_is_documented(playbook: Path) -> None:
    pages = (ROOT / "docs/operations.md", ROOT / "lab/README.md")
    assert re.search(rf"[`/]{re.escape(playbook.name)}\b", "".join(path.read_text(encoding="utf-8") for path in pages))


def messages(tree: Any) -> list[str]:
    """Every message of the tasks in a document."""
    if isinstance(tree, list):
        return [text for each in tree for text in messages(each)]
    if not isinstance(tree, dict):
        return []
    own = [text for key, text in tree.items() if key in ("fail_msg", "msg") and isinstance(text, str)]
    return own + [text for each in tree.values() for text in messages(each)]


def shown() -> list[str]:
    """The sentences that the page on operations shows as output; tables and diffs have several lines."""
    blocks = re.findall(r"^```text\n(.*?)^```", (ROOT / "docs/operations.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [block.strip() for block in blocks if block.count("\n") == 1]


@pytest.mark.parametrize("sentence", shown(), ids=lambda text: text[:30])
def test_a_message_of_the_page_on_operations_is_one_of_the_playbooks_or_roles(sentence: str) -> None:
    """Correct docs/operations.md if the message has changed. Of a template, the text around its expressions counts."""
    paths = [*(ROOT / "playbooks").glob("*.yml"), *ROLES.glob("*/tasks/*.yml"), *ROLES.glob("*/vars/main.yml")]
    templates = [text for path in paths for text in messages(yaml.safe_load(path.read_text(encoding="utf-8")))]
    literal = [re.split(r"{{.*?}}", text, flags=re.DOTALL) for text in templates]
    patterns = [".*".join(map(re.escape, parts)) for parts in literal if sum(map(len, parts)) >= 10]
    assert [pattern for pattern in patterns if re.fullmatch(pattern, sentence)]


def looks() -> list[tuple[str, str]]:
    """Return the name and the command of every task that reads a database by ovsdb-client."""
    tasks = [task for path in sorted(ROLES.glob("*/tasks/*.yml")) for task in yaml.safe_load(path.read_text(encoding="utf-8"))]
    commands = [(task["name"], str(task["ansible.builtin.command"]["argv"])) for task in tasks if "ansible.builtin.command" in task]
    return [(name, argv) for name, argv in commands if "ovsdb-client" in argv and ("dump" in argv or "get-schema" in argv)]


@pytest.mark.parametrize("argv", [pytest.param(argv, id=name) for name, argv in looks()])
def test_a_look_at_a_database_does_not_need_a_leader(argv: str) -> None:
    """Without one, ovsdb-client ends at once with "no servers were available", and a run that meets an election would be refused."""
    assert "--no-leader-only" in argv


def test_a_host_is_reached_whether_or_not_somebody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        listening, silent = (f"ssl:127.0.0.1:{each.getsockname()[1]}" for each in (server, other))
        other.close()
        command = [sys.executable, ROOT / "roles/ovn_ic_db/files/reach.py", listening, silent, "tcp:nowhere.invalid:1"]
        answer = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    assert (answer[listening], answer[silent]) == ("", "refused")
    assert answer["tcp:nowhere.invalid:1"] not in ("", "refused")
