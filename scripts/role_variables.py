#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the tables of variables in the READMEs of the roles from their argument specifications; with --check only compares.

A table is between the lines BEGIN and END, in the order of defaults/main.yml. A default that the specification does not
state is read from there.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "<!-- Variables: written by scripts/role_variables.py from meta/argument_specs.yml -->"
END = "<!-- End of the variables -->"
SECTION = re.compile(rf"{re.escape(BEGIN)}\n.*?{re.escape(END)}\n", re.DOTALL)
MARKUP = re.compile(r"\b(?P<kind>[BCIMOPV])\((?P<text>[^)]*)\)")
EMPTY: tuple[Any, ...] = (None, "", [], {})


def load(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, empty if the file does not exist."""
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.is_file() else {}


def plain(description: str | list[str]) -> str:
    """A description in Markdown, on one line: Ansible's markup becomes code or emphasis."""
    text = " ".join([description] if isinstance(description, str) else description)
    text = MARKUP.sub(lambda match: f"*{match['text']}*" if match["kind"] in "BI" else f"`{match['text']}`", text)
    return " ".join(text.split()).replace("|", "\\|")


def default(value: Any) -> str:
    """A default as a reader writes it: another variable by its name, an expression as it is, empty values as nothing."""
    if value in EMPTY and value is not False:
        return ""
    if isinstance(value, str) and (match := re.fullmatch(r"{{ (\w+) \| default\((.*)\) }}", value)):
        name, other = match.groups()
        return f"`{name}`" if other in ("''", "[]") else f"`{name}`, else `{yaml.safe_load(other)}`".replace("False", "false")
    if isinstance(value, (list, dict, bool)):
        value = json.dumps(value)
    return "`" + " ".join(str(value).split()).replace("|", "\\|") + "`"


def rows(name: str, option: dict[str, Any], preset: Any) -> list[str]:
    """The line of a variable and those of its keys, such as ``.gateways[].chassis``."""
    kind = f"list of {option['elements']}" if "elements" in option else option["type"]
    text = plain(option["description"])
    if "choices" in option:
        text += " One of " + ", ".join(f"`{choice}`" for choice in option["choices"]) + "."
    shown = "required" if option.get("required") else default(preset)
    below = f"{'' if name.startswith('ovn_ic_') else name}{'[]' if 'elements' in option and name.startswith('.') else ''}."
    keys = (rows(f"{below}{key}", each, each.get("default")) for key, each in option.get("options", {}).items())
    return [f"| `{name}` | {kind} | {shown} | {text} |", *(line for lines in keys for line in lines)]


def table(role: Path) -> str:
    """The table of a role: the variables of all its entry points, each one once."""
    defaults = load(role / "defaults" / "main.yml")
    options: dict[str, dict[str, Any]] = {}
    for specification in load(role / "meta" / "argument_specs.yml")["argument_specs"].values():
        options = {**specification.get("options", {}), **options}
    names = sorted(options, key=lambda name: list(defaults).index(name) if name in defaults else -1)
    lines = (line for name in names for line in rows(name, options[name], options[name].get("default", defaults.get(name))))
    return "\n".join(["| variable | type | default | meaning |", "|---|---|---|---|", *lines])


def main() -> int:
    """Write the tables, or with --check tell which ones differ; 1 if a table differs or is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if a table differs")
    arguments = parser.parse_args()

    failed = False
    for role in sorted(path for path in (ROOT / "roles").glob("*") if (path / "meta" / "argument_specs.yml").is_file()):
        readme = role / "README.md"
        old = readme.read_text(encoding="utf-8")
        section = SECTION.search(old)
        if section is None:
            print(f"{readme.relative_to(ROOT)}: has no place for the variables; add these two lines:\n{BEGIN}\n{END}")
            failed = True
            continue
        new = f"{old[: section.start()]}{BEGIN}\n\n{table(role)}\n\n{END}\n{old[section.end() :]}"
        if new == old:
            continue
        if arguments.check:
            print(f"{readme.relative_to(ROOT)}: the variables differ from meta/argument_specs.yml; scripts/role_variables.py writes them")
            failed = True
        else:
            readme.write_text(new, encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
