#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the citations of the rules of docs/spec: every cited rule exists.

A rule is an anchor of a page of docs/spec, such as `<a id="routes-5.6.10"></a>`. It is cited as `spec routes-5.6.10`, several as
`spec routes-5.6.8, routes-5.6.11 and routes-6.d`, all rules from one to another in the order of the page as `spec ports-P-1 to ports-P-5`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = "docs/spec"
#: Not read: they are no text of this project, or they are the rules themselves.
SKIPPED = (f"{PAGES}/", "changelogs/", "LICENSE")

ANCHOR = re.compile(r'<a id="([^"]+)"></a>')

#: Between two words of a citation: blanks, and at a line break the mark of a comment.
_GAP = r"(?:[ \t]+|[ \t]*\n[ \t]*(?:#:?[ \t]*)?)"
_NAME = r"(?:[a-z]+-)+[0-9A-Z][0-9A-Za-z]*(?:[.-][0-9A-Za-z]+)*"
CITATION = re.compile(rf"\b[Ss]pec{_GAP}(?P<names>{_NAME}(?:(?:,|{_GAP}and|{_GAP}to){_GAP}{_NAME})*)")
_PART = re.compile(rf"(?P<to>\bto{_GAP})?(?P<name>{_NAME})")

#: What looks like a citation and is none that this check can follow.
UNREADABLE = re.compile(
    r"(?<![\w./-])(?P<mark>[ABDFKNPQRSTVXY]-[0-9]{1,2})(?![\w./-])"
    rf"|\b[Ss]pec(?:ification)?:?{_GAP}(?:zones|transit|port|routes|address|service|status|operator|newest)\b(?!-(?:sets-)?[0-9A-Z])"
    r"|\b[Rr]outes,? (?:section )?[0-9]+\.[0-9]"
    r"|\b[0-9]\.[0-9] items? [0-9]"
)


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


def rules() -> dict[str, str]:
    """The page of each rule, in the order of the pages."""
    return {rule: page.name for page in sorted((ROOT / PAGES).glob("*.md")) for rule in ANCHOR.findall(page.read_text(encoding="utf-8"))}


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


def dangling(citation: Citation, known: dict[str, str]) -> Iterator[str]:
    """What is wrong with a citation."""
    for name in citation.names:
        if name not in known:
            yield f"{citation.path}:{citation.line}: {PAGES} has no rule {name}"


def unreadable(path: str, text: str) -> Iterator[str]:
    """Citations in another form than the one that this check reads."""
    for found in UNREADABLE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield f'{path}:{line}: "{found[0]}" looks like a rule; cite it by its anchor in {PAGES}, as in: spec routes-5.6.10'


def main() -> int:
    """Print every finding; 1 if there is any."""
    known = rules()
    order = list(known)
    found: list[str] = []
    for path, text in files():
        for citation in citations(path, text, order):
            found += dangling(citation, known)
        found += unreadable(path, text)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
