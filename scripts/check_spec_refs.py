#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the citations of the rules of docs/spec: every cited rule exists, and every rule is cited by a test.

A rule is an anchor of a page of docs/spec, such as `<a id="routes-5.6.10"></a>`. It is cited as `spec routes-5.6.10`, several as
`spec routes-5.6.8, routes-5.6.11 and routes-6.d`, all rules from one to another in the order of the page as `spec ports-P-1 to ports-P-5`.
A citation counts for a test in a test function, its docstring and its decorators, and anywhere in the tasks of a test that is not Python.
An anchor that contains others (a section) needs no citation of its own. A rule that no test can prove says why in its text, as in
`*Not tested: an order inside upstream's cycle.*`; in a section that holds for all its rules.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = "docs/spec"
#: Files that are not read: the rules themselves, and text that nobody edits.
SKIPPED = (f"{PAGES}/", "changelogs/", "LICENSE")
TESTS = re.compile(r"tests/(?:.*/)?test_\w+\.py|tests/integration/targets/.*\.yml|extensions/molecule/.*\.yml")

ANCHOR = re.compile(r'<a id="([^"]+)"></a>(?:\n\n(#+) )?')
UNTESTED = re.compile(r"\*Not tested: [^*]+\*")

#: Between two words of a citation: blanks, and at a line break the mark of a comment.
_GAP = r"(?:[ \t]+|[ \t]*\n[ \t]*(?:#:?[ \t]*)?)"
_NAME = r"(?:[a-z]+-)+[0-9A-Z][0-9A-Za-z]*(?:[.-][0-9A-Za-z]+)*"
CITATION = re.compile(rf"\b[Ss]pec{_GAP}(?P<names>{_NAME}(?:(?:,|{_GAP}and|{_GAP}to){_GAP}{_NAME})*)")
_PART = re.compile(rf"(?P<to>\bto{_GAP})?(?P<name>{_NAME})")

#: Text that looks like a citation, but has another form.
UNREADABLE = re.compile(
    r"(?<![\w./-])(?P<mark>[ABDFKNPQRSTVXY]-[0-9]{1,2})(?![\w./-])"
    rf"|\b[Ss]pec(?:ification)?:?{_GAP}(?:zones|transit|port|routes|address|service|status|operator|newest)\b(?!-(?:sets-)?[0-9A-Z])"
    r"|\b[Rr]outes,? (?:section )?[1-9]\.[0-9]{1,2}\b(?!\.[0-9]+\.[0-9])"
    r"|\b[0-9]\.[0-9] items? [0-9]"
)


@dataclass(frozen=True)
class Rule:
    """A rule: its page, whether it contains other rules, and whether its text, or that of its section, says that no test can prove it."""

    page: str
    section: bool
    untested: bool


Rules = dict[str, Rule]


@dataclass(frozen=True)
class Citation:
    """A citation: the file, the line in it, and the rules that it names."""

    path: str
    line: int
    names: tuple[str, ...]


def files() -> Iterator[tuple[str, str]]:
    """Path and text of the files that are committed or would be and may cite rules."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for name in sorted(listing.split("\0")):
        if not name or name.startswith(SKIPPED) or not (ROOT / name).is_file():
            continue
        try:
            yield name, (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def rules_of(page: str, text: str) -> Rules:
    """The rules of a page, in its order. The text of a rule ends where the next one begins."""
    found = list(ANCHOR.finditer(text))
    names = [match[1] for match in found]
    levels = [len(match[2]) if match[2] else 9 for match in found]
    ends = [match.start() for match in found[1:]] + [len(text)]
    sections = [list(_inside(number, names, levels)) for number in range(len(found))]
    untested: set[str] = set()
    for match, end, inside in zip(found, ends, sections):
        if UNTESTED.search(text, match.end(), end):
            untested.update((match[1], *inside))
    return {name: Rule(page, bool(inside), name in untested) for name, inside in zip(names, sections)}


def _inside(number: int, names: list[str], levels: list[int]) -> Iterable[str]:
    """The rules that a rule contains: those under its heading, or of its number and one number more."""
    following = range(number + 1, len(names))
    return (names[n] for n in takewhile(lambda n: levels[n] > levels[number] or names[n].startswith(f"{names[number]}."), following))


def rules() -> Rules:
    """All rules, in the order of the pages."""
    found: Rules = {}
    for page in sorted((ROOT / PAGES).glob("*.md")):
        found.update(rules_of(page.name, page.read_text(encoding="utf-8")))
    return found


def names_of(text: str, order: list[str]) -> Iterator[str]:
    """The rules that the names of a citation stand for; ``order`` are all rules, so that a range can be filled in."""
    last = ""
    for part in _PART.finditer(text):
        name = part["name"]
        if part["to"] and last in order and name in order:
            yield from order[order.index(last) + 1 : order.index(name)]
        yield name
        last = name


def citations(path: str, text: str, order: list[str]) -> Iterator[Citation]:
    """The citations in a file."""
    for found in CITATION.finditer(text):
        yield Citation(path, text.count("\n", 0, found.start()) + 1, tuple(names_of(found["names"], order)))


def proofs(path: str, text: str) -> list[range]:
    """The lines of a file in which a citation says what a test proves."""
    if not TESTS.fullmatch(path):
        return []
    if not path.endswith(".py"):
        return [range(1, text.count("\n") + 2)]
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    tests = (node for node in functions if node.name.startswith("test_"))
    return [range(min([node.lineno, *(mark.lineno for mark in node.decorator_list)]), (node.end_lineno or 0) + 1) for node in tests]


def dangling(citation: Citation, known: Rules) -> Iterator[str]:
    """What is wrong with a citation."""
    for name in citation.names:
        if name not in known:
            yield f"{citation.path}:{citation.line}: {PAGES} has no rule {name}"


def unreadable(path: str, text: str) -> Iterator[str]:
    """Citations in another form."""
    for found in UNREADABLE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield f'{path}:{line}: "{found[0]}" looks like a rule; cite it by its anchor in {PAGES}, as in: spec routes-5.6.10'


def uncited(known: Rules, tested: dict[str, str]) -> Iterator[str]:
    """Rules without a test. ``tested`` maps each rule that a test cites to the place of the citation."""
    for name, rule in known.items():
        place = f"{PAGES}/{rule.page}: {name}"
        if rule.untested and name in tested:
            yield f'{place}: says "Not tested", but {tested[name]} cites it; remove one of the two'
        elif not (rule.section or rule.untested or name in tested):
            yield f"{place}: no test cites this rule; cite it in the docstring of the test that proves it, as in: (spec {name})"


def findings(known: Rules, texts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Everything that is wrong, for these rules and these files."""
    order, tested = list(known), {}
    for path, text in texts:
        proven = proofs(path, text)
        for citation in citations(path, text, order):
            yield from dangling(citation, known)
            if any(citation.line in lines for lines in proven):
                tested.update(dict.fromkeys(citation.names, f"{path}:{citation.line}"))
        yield from unreadable(path, text)
    yield from uncited(known, tested)


def main() -> int:
    """Print every finding; 1 if there is any."""
    found = list(findings(rules(), files()))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
