#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the relative links and pictures of all Markdown files: the file exists, and so does the anchor, if the link has one.

An anchor is an explicit `<a id="…"></a>` or the one that a heading gets from GitHub.
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")


def documents() -> list[Path]:
    """The Markdown files that are committed or would be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    listing = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [ROOT / name for name in sorted(listing.split("\0")) if name and (ROOT / name).is_file()]


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors of a Markdown file."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    explicit = re.findall(r'<a id="([^"]+)">', text)
    headings = re.findall(r"^#+ +(.*?) *$", text, re.MULTILINE)
    slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return frozenset([*explicit, *slugs])


def findings(path: Path) -> list[str]:
    """One line for each link of a file that leads nowhere."""
    found = []
    text = CODE.sub("", FENCE.sub("", path.read_text(encoding="utf-8")))
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _hash, anchor = target.partition("#")
        linked = (path.parent / name).resolve() if name else path
        if not linked.exists():
            found.append(f"{path.relative_to(ROOT)}: {target} does not exist")
        elif anchor and linked.suffix == ".md" and anchor not in anchors(linked):
            found.append(f"{path.relative_to(ROOT)}: {target}: the page has no such anchor")
    return found


def main() -> int:
    """Print every finding; 1 if there is any."""
    found = [line for path in documents() for line in findings(path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
