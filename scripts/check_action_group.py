#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the action group of meta/runtime.yml from the list of modules; with --check only compares."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = ROOT / "meta" / "runtime.yml"
GROUP = "ovn_ic"


def modules() -> list[str]:
    """The names of the collection's modules."""
    return sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("ovn_ic_*.py"))


def main() -> int:
    """Write the group, or with --check tell what differs; 1 if it does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail where the group is not the list of modules")
    arguments = parser.parse_args()

    text = RUNTIME.read_text()
    runtime = yaml.safe_load(text)
    old = runtime.get("action_groups", {}).get(GROUP, [])
    new = modules()
    if old == new:
        return 0
    if arguments.check:
        print(f"meta/runtime.yml: the action group {GROUP} is not the sorted list of modules; scripts/check_action_group.py writes it")
        for name in sorted(set(old) ^ set(new)):
            print(f"  {name}: {'no such module' if name in old else 'not in the group'}")
        return 1
    runtime.setdefault("action_groups", {})[GROUP] = new
    lines = [
        text[: text.index("requires_ansible:")] + f'requires_ansible: "{runtime["requires_ansible"]}"',
        "action_groups:",
        f"  {GROUP}:",
    ]
    lines += [f"    - {name}" for name in new]
    RUNTIME.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
