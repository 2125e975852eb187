#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the two tables that connect behaviour with tests: docs/quirks.md and docs/field-cases.md.

A row of docs/quirks.md reads `| <a id="ID"></a>ID | [RULE](spec/PAGE.md#RULE): what upstream does | keep, fix or option | test |`; each id
occurs once. It names one rule or several, and the text of each rule in docs/spec links back to the row. A row of docs/field-cases.md reads
`| situation | right | test |`. Every row names at least one test, and every named test exists. A test is named
as `path/of/test_file.py::test_name`, or by `test_name` alone if only one test has that name; commas separate several tests.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUIRKS = "docs/quirks.md"
CASES = "docs/field-cases.md"
PAGES = "docs/spec"
DECISIONS = {"keep", "fix", "option"}

MARK = re.compile(r'<a id="([^"]+)"></a>')
RULE = re.compile(r"\[([^\]]+)\]\(spec/[\w-]+\.md#([^)\s]+)\)")
BACK = re.compile(r"\.\./quirks\.md#([^)\s]+)\)")

Tests = dict[str, set[str]]


def rows(document: str) -> Iterator[list[str]]:
    """The cells of each row of each table in a document, without the heads of the tables."""
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    heads = {number + offset for number, line in enumerate(lines) if line.startswith("|---") for offset in (-1, 0)}
    for number, line in enumerate(lines):
        if line.startswith("|") and number not in heads:
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]


def tests() -> Tests:
    """The test functions of each test file, by its path."""
    found = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if "output" not in path.relative_to(ROOT).parts:
            found[str(path.relative_to(ROOT))] = set(re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE))
    return found


def exists(name: str, known: Tests) -> bool:
    """Whether a test of that name exists. A file, or a directory of tests that are not written in Python, can be named by its path."""
    path, _colons, function = name.rpartition("::")
    function = function.partition("[")[0]
    if path:
        return function in known.get(path, set())
    return any(function in functions for functions in known.values()) or ("/" in name and (ROOT / name).exists())


def faults_of_tests(name: str, cell: str, known: Tests) -> list[str]:
    """What is wrong with the cell of a row that names its tests."""
    named = [test.strip(" `") for test in cell.split(",") if test.strip(" `")]
    missing = [f"{name}: there is no test {test}" for test in named if not exists(test, known)]
    return missing if named else [f"{name}: names no test"]


def decisions() -> dict[str, set[str]]:
    """The rows of the table of quirks that the text of each rule links to. A rule's text ends where the next rule begins."""
    found: dict[str, set[str]] = {}
    for page in sorted((ROOT / PAGES).glob("*.md")):
        _head, *parts = MARK.split(page.read_text(encoding="utf-8"))
        for rule, text in zip(parts[::2], parts[1::2]):
            found[rule] = set(BACK.findall(text))
    return found


def faults_of_links(name: str, cell: str, decided: dict[str, set[str]]) -> Iterator[str]:
    """What is wrong with the rules that a row names at its beginning."""
    links = RULE.findall(cell.partition(": ")[0])
    if not links:
        yield f"{name}: names no rule; begin the second cell with one, as in: [routes-4.4](spec/routes.md#routes-4.4): what upstream does"
    for text, rule in links:
        if rule not in decided:
            yield f"{name}: {PAGES} has no rule {rule}"
        elif text != rule:
            yield f"{name}: the link to the rule {rule} reads {text}"
        elif name not in decided[rule]:
            yield f"{name}: the rule {rule} does not link back; add to its text: Decision: [{name}](../quirks.md#{name})."
        else:
            decided[rule].discard(name)


def faults_of_quirks(known: Tests) -> Iterator[str]:
    """What is wrong with the table of quirks."""
    seen = set()
    decided = decisions()
    for cells in rows(QUIRKS):
        if len(cells) != 4:
            yield f"{' | '.join(cells)}: has {len(cells)} cells, must have 4"
            continue
        mark, paragraph, decision, named = cells
        name = MARK.sub("", mark)
        if mark != f'<a id="{name}"></a>{name}':
            yield f'{name}: its first cell must read <a id="{name}"></a>{name}, so that its rules can link to it'
        if name in seen:
            yield f"{name}: is listed twice"
        seen.add(name)
        if decision not in DECISIONS:
            yield f"{name}: the decision is {decision!r}, must be one of {', '.join(sorted(DECISIONS))}"
        yield from faults_of_tests(name, named, known)
        yield from faults_of_links(name, paragraph, decided)
    yield from (f"{name}: {PAGES} links to it from {rule}, which it does not name" for rule in decided for name in sorted(decided[rule]))


def faults_of_cases(known: Tests) -> Iterator[str]:
    """What is wrong with the tables of situations."""
    for cells in rows(CASES):
        if len(cells) != 3:
            yield f"{' | '.join(cells)}: has {len(cells)} cells, must have 3"
            continue
        yield from faults_of_tests(cells[0], cells[2], known)


def main() -> int:
    """Print every fault of both documents; 1 if there is any."""
    known = tests()
    found = [f"{QUIRKS}: {line}" for line in faults_of_quirks(known)] + [f"{CASES}: {line}" for line in faults_of_cases(known)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
