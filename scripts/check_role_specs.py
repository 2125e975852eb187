#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares each role's defaults with its argument specification: the same variables, with the same values."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent


def load(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, empty where there is none."""
    return (yaml.safe_load(path.read_text()) or {}) if path.is_file() else {}


def options(role: Path) -> dict[str, dict[str, Any]]:
    """The options of all entry points of a role."""
    found: dict[str, dict[str, Any]] = {}
    for entry_point in load(role / "meta" / "argument_specs.yml").get("argument_specs", {}).values():
        found.update(entry_point.get("options", {}))
    return found


def findings(role: Path) -> list[str]:
    """What differs between a role's defaults and its specification, a line each."""
    defaults, specified, found = load(role / "defaults" / "main.yml"), options(role), []
    for name in sorted(defaults.keys() - specified.keys()):
        found.append(f"{name} has a default and is not in argument_specs.yml")
    for name, option in sorted(specified.items()):
        if option.get("required"):
            if name in defaults:
                found.append(f"{name} is required and has a default")
        elif "default" in option:
            if name not in defaults:
                found.append(f"{name} has a default in argument_specs.yml and none in defaults/main.yml")
            elif option["default"] != defaults[name]:
                found.append(f"{name}: the default is {defaults[name]!r}, argument_specs.yml says {option['default']!r}")
        elif name in defaults and "{{" not in str(defaults[name]):
            found.append(f"{name} has the default {defaults[name]!r}, argument_specs.yml names none")
    return [f"roles/{role.name}: {line}" for line in found]


def main() -> int:
    """Print every difference; 1 if there is any."""
    roles = sorted(path for path in (ROOT / "roles").glob("*") if path.is_dir())
    found = [line for role in roles for line in findings(role)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
