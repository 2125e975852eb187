# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks, read as YAML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PLAYBOOKS = sorted((Path(__file__).resolve().parents[2] / "playbooks").glob("*.yml"))


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
