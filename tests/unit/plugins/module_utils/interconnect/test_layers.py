# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports follow the order of the folders (docs/architecture.md), and literal tables and columns are those of OVN."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import DATABASES

PACKAGE = Path(__file__).parents[5] / "plugins" / "module_utils" / "interconnect"

#: The layers from the lowest to the highest. A file may import from its own layer and from those before it.
LAYERS = ("ovsdb", "address", "settings", "tables", "zone", "engine", "subjects", "sync", "operations", "daemon")


def layer(path: Path) -> str:
    """The first part of a path below the package, without the ending."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> Iterator[Path]:
    """The paths below the package that a file imports, from relative imports only."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.parents[node.level - 1]
            if node.module:
                yield base / node.module.replace(".", "/")
            else:
                yield from (base / name.name for name in node.names)


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_from_lower_layers(path: Path) -> None:
    allowed = LAYERS[: LAYERS.index(layer(path)) + 1]
    assert [str(target) for target in imports(path) if layer(target) not in allowed] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_below_the_package_imports_ansible(path: Path) -> None:
    absolute = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = [name.name for node in absolute if isinstance(node, ast.Import) for name in node.names]
    names += [node.module or "" for node in absolute if isinstance(node, ast.ImportFrom) and not node.level]
    assert [name for name in names if name.split(".")[0] in ("ansible", "ansible_collections")] == []


def test_the_client_of_ovsdb_servers_does_not_know_ovn() -> None:
    tables = {table for database in DATABASES.values() for table in database.tables} - {"Connection", "SSL", "Encap"}
    known = set(DATABASES) | tables
    found = [
        (path.name, node.value)
        for path in (PACKAGE / "ovsdb").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in known
    ]
    assert found == []
