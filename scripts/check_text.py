#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what no committed file may hold: paths of one machine, names of package hosts, notes about work left undone."""

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

EXEMPT = {"LICENSE"}


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
