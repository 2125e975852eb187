#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what no committed file may contain.

These are paths of one machine, names of package hosts, notes about unfinished work, and the idioms that docs/style.md rules out.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Assembled from parts, so that this file does not hold what it looks for.
HOMES = "|".join(("wo" + "rk", "fa" + "rm", "home/" + "[a-z]"))
HOSTS = "|".join(("deb" + "ian", "py" + "pi", "python" + "hosted", "npm" + "js"))
NOTES = "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX"))

RULES = {
    "the path of one machine": re.compile(rf"(?:^|[^A-Za-z.])/(?:{HOMES})/"),
    "the name of a package host": re.compile(rf"[a-z]+\.(?:{HOSTS})\.(?:org|com)|//(?:{HOSTS})\."),
    "a note about work left undone": re.compile(rf"\b(?:{NOTES})\b"),
}

#: Idioms that docs/style.md rules out: a pattern, and what to write instead. Only what is wrong in every context is listed.
IDIOMS = {
    # "there is no X" and "is no longer" are correct.
    r"(?<!there )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b|later\b|earlier\b|better\b)(?=[A-Za-z])": "is not a ...",
    r"\bin the place of\b": "instead of, replaces",
    r"\banew\b": "again",
    r"\bfor ever\b": "forever",
    r"\bon the word of\b": "say who decides, as in 'IC_NB asks for it'",
    r"\bof its own word\b": "say what proves it",
    r"\bby itself it\b": "alone, or say when",
    r"\bcomes? to nobody\b": "does nothing",
    r"\bsomebody\b": "an operator, another client, another program",
    r"\bat rest\b": "settled, has nothing left to do",
    r"\b(?:none|nothing) of (?:our|its|their) business\b": "is ignored",
    r"\bwhat is to be\b": "desired, or say what happens",
    r"\bspeaks? of\b": "names, refers to",
    r"\bat the sight of\b": "if it finds",
    r"\b(?:takes?|taking|took) no part\b": "does not participate",
    r"\bfor want of\b": "because ... is missing",
    r"\bthat is none\b": "that is not a ...",
    r"\b[Ss]o it is (?:when|where|that)\b": "this is so if",
}
RULES.update({f'an idiom, write "{better}"': re.compile(pattern, re.IGNORECASE) for pattern, better in IDIOMS.items()})

#: Files that may contain any of it: a license, and the texts that define the rules.
EXEMPT = {"LICENSE", "docs/style.md", "scripts/check_text.py", "tests/unit/test_checks.py"}


def files() -> list[Path]:
    """The files that are committed or would be."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return [ROOT / name for name in sorted(listing.split("\0")) if name and name not in EXEMPT and (ROOT / name).is_file()]


def findings(path: Path) -> list[str]:
    """One line for each place of a file that breaks a rule."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return []
    return [
        f"{path.relative_to(ROOT)}:{number}: {what}: {match.group().strip()}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in RULES.items()
        if (match := pattern.search(line))
    ]


def main() -> int:
    """Print every finding; 1 if there is any."""
    found = [line for path in files() for line in findings(path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
