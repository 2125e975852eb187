#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares what the collection asks for with what its code uses: nothing missing, nothing unused.

The Python libraries that the shipped code imports are those of meta/ee-requirements.txt. The programs that its modules run are in the
packages of meta/bindep.txt. Each role that installs packages installs the libraries that its modules and programs import, and no others.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = ROOT / "plugins"
REQUIREMENTS = ROOT / "meta" / "ee-requirements.txt"
BINDEP = ROOT / "meta" / "bindep.txt"
OWN = "ansible_collections.ovn.interconnect.plugins."


@dataclass(frozen=True)
class Library:
    """A Python library by its names: on PyPI, and as a package of both families of distributions."""

    distribution: str
    package: str


LIBRARIES = {
    "ovs": Library("ovs", "python3-openvswitch"),
    "ovsdbapp": Library("ovsdbapp", "python3-ovsdbapp"),
}
#: The packages of Debian and of Fedora with a program that modules run.
PROGRAMS = {
    "ovsdb-client": {"openvswitch-common", "openvswitch"},
    "ovsdb-tool": {"openvswitch-common", "openvswitch"},
}


@cache
def syntax(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of a Python file."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imported(path: Path) -> Iterator[str]:
    """The full names that a file imports; those of the collection itself from `plugins.` on, as the file may import them."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    for node in syntax(path):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(part for part in (above, node.module) if part)
            yield from (f"{base}.{name.name}" for name in node.names)


def own_file(name: str) -> Path | None:
    """The file of the collection that an imported name stands for, None for a name of another project."""
    name = name.replace(OWN, "plugins.", 1)
    if not name.startswith("plugins."):
        return None
    parts = name.split(".")
    candidates = (ROOT.joinpath(*parts[:length]) for length in (len(parts), len(parts) - 1))
    for candidate in candidates:
        for path in (candidate.with_suffix(".py"), candidate / "__init__.py"):
            if path.is_file():
                return path
    return None


@cache
def closure(path: Path) -> frozenset[Path]:
    """A file and all files of the collection that it imports, directly or not."""
    files, waiting = {path}, [path]
    while waiting:
        for name in imported(waiting.pop()):
            file = own_file(name)
            if file and file not in files:
                files.add(file)
                waiting.append(file)
    return frozenset(files)


def foreign(paths: Iterable[Path]) -> set[str]:
    """The top-level names that files import from outside the collection, Python's library and Ansible."""
    names = {name for path in paths for name in imported(path) if not own_file(name) and not name.startswith((OWN, "plugins."))}
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"ansible", "__future__"}


def programs(paths: Iterable[Path]) -> set[str]:
    """The programs that files run by `tool(NAME, ...)`."""
    calls = (node for path in paths for node in syntax(path) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))
    names = (call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "tool" and call.args)
    return {str(name.value) for name in names if isinstance(name, ast.Constant)}


def listed(path: Path) -> set[str]:
    """The names in a file of requirements, without versions, conditions and comments."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {re.split(r"[\s<>=!~\[;]", line)[0] for line in lines if line}


def role_packages(path: Path) -> set[str]:
    """The packages in a role's variables: all lists in variables called `..._packages`."""

    def flat(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, (list, dict)):
            for part in value.values() if isinstance(value, dict) else value:
                yield from flat(part)

    variables = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {package for name, value in variables.items() if name.endswith("_packages") for package in flat(value)}


def role_code(role: Path) -> set[Path]:
    """The Python files that a role runs on its hosts: its modules, its own programs, and the daemon where it installs that."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(role.glob("*/*.yml")))
    modules = (PLUGINS / "modules" / f"{name}.py" for name in re.findall(r"ovn\.interconnect\.(\w+):", text))
    files = {file for module in modules if module.is_file() for file in closure(module)} | set(role.glob("files/*.py"))
    if "module_utils/interconnect" in text:
        files |= set((PLUGINS / "module_utils" / "interconnect").rglob("*.py"))
    return files


def differences(where: str, have: set[str], need: set[str]) -> list[str]:
    """What a list has too many and too few, a line each."""
    missing = [f"{where}: {name} is missing: the shipped code uses it" for name in sorted(need - have)]
    return missing + [f"{where}: {name} is listed, but the code does not use it" for name in sorted(have - need)]


def findings() -> list[str]:
    """Everything that differs, a line each."""
    shipped = [*PLUGINS.rglob("*.py"), *(ROOT / "roles").glob("*/files/*.py")]
    names, tools = foreign(shipped), programs(shipped)
    unknown = sorted((names - LIBRARIES.keys()) | (tools - PROGRAMS.keys()))
    found = [f"{name} is used, but scripts/check_dependencies.py does not know its packages: add it there" for name in unknown]
    distributions = {LIBRARIES[name].distribution for name in names & LIBRARIES.keys()}
    found += differences("meta/ee-requirements.txt", listed(REQUIREMENTS), distributions)
    needed = set().union(*(PROGRAMS[name] for name in tools & PROGRAMS.keys()))
    found += differences("meta/bindep.txt", listed(BINDEP), needed)
    libraries = {library.package for library in LIBRARIES.values()}
    for path in sorted((ROOT / "roles").glob("*/vars/*.yml")):
        if packages := role_packages(path):
            uses = foreign(role_code(path.parents[1])) & LIBRARIES.keys()
            found += differences(str(path.relative_to(ROOT)), packages & libraries, {LIBRARIES[name].package for name in uses})
    return found


def main() -> int:
    """Print every finding; 1 if there is any."""
    found = findings()
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
