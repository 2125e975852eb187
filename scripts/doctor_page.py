#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/doctor.md, one section for each check of the doctor, from the checks themselves; with --check only compares."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from textwrap import fill
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "plugins/module_utils"))  # the engine is a package of its own, which needs no Ansible
CHECKS = import_module("interconnect.operations.doctor.registry").CHECKS
PAGE = import_module("interconnect.operations.doctor.check").PAGE
WIDTH = 160
INTRODUCTION = """\
`ovn_ic_doctor_info` finds faults that every database accepts. This page has one section for each check: what the fault means and what to
do about it. A finding has the name of its section in `check`, and a link to it in `link`. [Find out why](modules.md#find-out-why) shows
how to run the doctor, and `ovn_ic_route_info` answers questions about a single route.

An *error* means that packets are lost or arrive elsewhere, or that changes do not reach the other zones. A *warning* means that something
is left over, has no effect, or may be on purpose."""
ORIGIN = "<!-- Written by scripts/doctor_page.py from the checks in plugins/module_utils/interconnect/operations/doctor/ -->"


def filled(text: str) -> str:
    """A paragraph in lines of the usual width."""
    return fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def section(check: Any) -> str:
    """The section of one check."""
    texts = [f"{check.severity.capitalize()}, {check.object}. {check.cause}", f"**What to do:** {check.fix}"]
    return "\n\n".join([f"## {check.id}", *map(filled, texts)])


def page() -> str:
    """The whole page."""
    sections = [section(check) for _name, check in sorted(CHECKS.items())]
    return "\n\n".join(["# The doctor's checks", *map(filled, INTRODUCTION.split("\n\n")), ORIGIN, *sections]) + "\n"


def main() -> int:
    """Write or compare the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if the page differs from the checks")
    checking = parser.parse_args().check
    path = ROOT / PAGE
    if checking:
        if not path.is_file() or path.read_text(encoding="utf-8") != page():
            sys.stderr.write(f"{PAGE} differs from the checks; run scripts/doctor_page.py\n")
            return 1
        return 0
    path.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
