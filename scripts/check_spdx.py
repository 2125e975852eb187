#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that each Python, shell and YAML file starts with the license header; --write adds missing headers.

The header follows the lines that have to be first: the interpreter of a script, and the start of a YAML document.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""
SUFFIXES = (".py", ".pyi", ".sh", ".yml", ".yaml")
FIRST = ("#!", "---")
#: Other programs write these files: antsibull-changelog, and lab/hosts.py.
EXEMPT = ("changelogs/", "lab/inventory.yml")


def files() -> list[Path]:
    """The files with a header that are committed or would be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    names = [name for name in sorted(listing.split("\0")) if name.endswith(SUFFIXES) and not name.startswith(EXEMPT)]
    return [path for path in (ROOT / name for name in names) if path.is_file() and not path.is_symlink() and path.stat().st_size]


def with_header(text: str) -> str:
    """The text of a file with the header behind its first lines, the text itself where the header is there already."""
    lines = text.splitlines(keepends=True)
    count = next((number for number, line in enumerate(lines) if not line.startswith(FIRST)), len(lines))
    first, rest = "".join(lines[:count]), "".join(lines[count:])
    if rest.startswith(HEADER):
        return text
    # A comment that describes the file stays a paragraph of its own.
    return first + HEADER + ("#\n" if rest.startswith("#") else "") + rest


def main() -> int:
    """Print the files without a header, or add it with --write; 1 if files without a header are left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="add the missing headers")
    arguments = parser.parse_args()
    texts = [(path, path.read_text(encoding="utf-8")) for path in files()]
    missing = [(path, new) for path, old in texts if (new := with_header(old)) != old]
    for path, text in missing:
        if arguments.write:
            path.write_text(text, encoding="utf-8")
        else:
            print(f"{path.relative_to(ROOT)} has no license header; scripts/check_spdx.py --write adds it")
    return 1 if missing and not arguments.write else 0


if __name__ == "__main__":
    sys.exit(main())
