#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists the texts of the project with their places, so that they can be read in one go (docs/style.md).

`scripts/list_texts.py strings` lists what a user can see: messages and log lines of Python code, descriptions of options, names of tasks,
and `msg` and `fail_msg` of roles and playbooks. `scripts/list_texts.py code` lists docstrings and comments in `plugins/`. Paths as
further arguments limit the list.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
Text = tuple[int, str]

#: Keys of tasks, options and metadata whose values people read.
SHOWN = {"name", "msg", "fail_msg", "success_msg", "description", "short_description", "details", "notes", "prompt"}
DOCUMENTS = {"DOCUMENTATION", "EXAMPLES", "RETURN"}


def readable(text: str) -> bool:
    """Whether a string is a sentence and not a name, a path or a format."""
    return len([word for word in text.split() if word.strip("'\"{}()[],.:;").isalpha()]) > 2


def joined(node: ast.AST) -> str | None:
    """The text of a string, with `{...}` for each value of an f-string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}" for part in node.values)  # type: ignore[attr-defined]
        return "".join(map(str, parts))
    return None


def strings(node: ast.AST) -> Iterator[Text]:
    """The sentences in the code below a node, without docstrings."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and joined(child.value) is not None:
            continue
        if isinstance(child, ast.Assign) and isinstance(child.targets[0], ast.Name) and child.targets[0].id in DOCUMENTS:
            yield from ((child.lineno, text) for text in shown(yaml.safe_load(joined(child.value) or "")))
            continue
        text = joined(child)
        if text is None:
            yield from strings(child)
        elif readable(text):
            yield child.lineno, text  # type: ignore[attr-defined]


def shown(value: Any, key: str = "") -> Iterator[str]:
    """The texts below the keys of a YAML document that people read."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from shown(one, str(name))
    elif isinstance(value, list):
        for one in value:
            yield from shown(one, key)
    elif key in SHOWN and isinstance(value, str):
        yield value


def code(path: Path) -> Iterator[Text]:
    """The docstrings and comments of a file of Python."""
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        for one in body if isinstance(body, list) else ():
            if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
                yield one.lineno, one.value.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith(("#!", "# type:", "# noqa", "# Copyright", "# GNU", "# SPDX")):
            yield token.start[0], token.string


def texts(kind: str, path: Path) -> Iterator[Text]:
    """The texts of a file."""
    if path.suffix == ".py":
        yield from sorted(code(path)) if kind == "code" else strings(ast.parse(path.read_text(encoding="utf-8")))
    elif kind == "strings":
        yield from ((0, text) for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) for text in shown(document))


def files(places: list[str]) -> list[Path]:
    """The files with texts below these places."""
    roots = [Path(place).resolve() for place in places] or [ROOT / name for name in ("plugins", "roles", "playbooks")]
    found = [path for root in roots for path in ([root] if root.is_file() else sorted(root.rglob("*")))]
    return [path for path in found if path.suffix in (".py", ".yml")]


def main() -> int:
    """Print each text with its file and line."""
    if sys.argv[1:2] not in (["strings"], ["code"]):
        print(__doc__)
        return 2
    for path in files(sys.argv[2:]):
        for line, text in texts(sys.argv[1], path):
            print(f"{path.relative_to(ROOT)}:{line}: {' '.join(text.split())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
