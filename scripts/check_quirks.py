#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks docs/quirks.md, the table of upstream's odd behaviours: each has one id, a decision, and a test that exists.

A row reads `| id | paragraph of the specification | keep, fix or option | test |`. A test is named as `path/of/test_file.py::test_name`,
or by `test_name` alone where that name is unique enough to be found; several are parted by commas.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "quirks.md"
DECISIONS = {"keep", "fix", "option"}


def rows() -> list[list[str]]:
    """The cells of each row below the table's head."""
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines[2:]]


def tests() -> dict[str, set[str]]:
    """The test functions of each test file, by its path."""
    found = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if "output" not in path.relative_to(ROOT).parts:
            found[str(path.relative_to(ROOT))] = set(re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE))
    return found


def exists(name: str, known: dict[str, set[str]]) -> bool:
    """Whether a test of that name is there."""
    path, _colons, function = name.rpartition("::")
    function = function.partition("[")[0]
    return function in known.get(path, set()) if path else any(function in functions for functions in known.values())


def main() -> int:
    """Print every fault of the table; 1 if there is any."""
    known, seen, found = tests(), set(), []
    for cells in rows():
        if len(cells) != 4:
            found.append(f"{' | '.join(cells)}: {len(cells)} cells where 4 belong")
            continue
        name, _paragraph, decision, named_tests = cells
        if name in seen:
            found.append(f"{name}: listed twice")
        seen.add(name)
        if decision not in DECISIONS:
            found.append(f"{name}: the decision is {decision!r}, not one of {', '.join(sorted(DECISIONS))}")
        names = [test.strip(" `") for test in named_tests.split(",") if test.strip(" `")]
        found += [f"{name}: names no test"] if not names else []
        found += [f"{name}: there is no test {test}" for test in names if not exists(test, known)]
    print("\n".join(f"docs/quirks.md: {line}" for line in found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
