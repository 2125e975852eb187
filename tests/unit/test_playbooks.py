# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks, read as YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PLAYBOOKS = sorted((Path(__file__).resolve().parents[2] / "playbooks").glob("*.yml"))
#: Parts of the others, and the play that makes the lab's hosts.
NOT_RUN_BY_AN_OPERATOR = {"deploy", "groups", "lab"}


def variables(node: Any) -> Iterator[tuple[str, str]]:
    """Each variable of plays, tasks and roles, with its template."""
    if isinstance(node, dict):
        for name, value in (node.get("vars") or {}).items():
            yield name, str(value)
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from variables(one)


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_no_variable_changes_while_it_is_used(path: Path) -> None:
    """A variable is computed at each use: a directory that was named after the present time was another one in each task."""
    assert [name for name, template in variables(yaml.safe_load(path.read_text())) if "now(" in template] == []


@pytest.mark.parametrize("path", [path for path in PLAYBOOKS if path.stem not in NOT_RUN_BY_AN_OPERATOR], ids=lambda path: path.stem)
def test_each_playbook_looks_first_for_hosts_to_work_on(path: Path) -> None:
    """Ansible ends a run in which no play has a host with success."""
    assert yaml.safe_load(path.read_text())[0]["ansible.builtin.import_playbook"] == "groups.yml"


def test_the_play_that_a_scenario_waits_for_exists() -> None:
    """A scenario loses a host while the play of this name runs; with another name it would wait in vain."""
    text = (PLAYBOOKS[0].parents[1] / "extensions/molecule/raft_tls/side_effect.yml").read_text()
    (wanted,) = re.findall(r"search_regex: '(.*)'", text)
    plays = yaml.safe_load((PLAYBOOKS[0].parent / "deploy.yml").read_text())
    assert [play["name"] for play in plays if re.match(wanted, f"PLAY [{play.get('name', '')}]")] == ["Configure the zones"]
