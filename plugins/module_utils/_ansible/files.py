# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Database files that no server writes at the moment: giving them another schema without losing a row, and saving a living database.

OVN's own start script converts a standalone file in place and begins with an empty database where that fails; here a copy is converted,
and only if it then holds the same rows does it take the place of the file.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .contents import described, read, read_schema, tool
from .errors import ModuleError
from .fitness import check, differences, sentence


def convert(path: str, schema_path: str, backup: str | None, check_mode: bool) -> dict[str, Any]:
    """Give the standalone file ``path`` the schema of ``schema_path``; the result of the module. The file as it was becomes ``backup``."""
    wanted, before = read_schema(schema_path), read(path)
    schema = {"database": before.name, "before": before.version, "after": wanted.get("version", "")}
    result: dict[str, Any] = {"changed": False, "schema": schema, "rows": before.counts, "changes": [], "backup": ""}
    if tool("ovsdb-tool", "needs-conversion", path, schema_path).strip() == "no":
        return result
    check(before, wanted)
    with _Beside(path, check_mode) as copy:
        shutil.copy(path, copy)
        tool("ovsdb-tool", "compact", str(copy))
        tool("ovsdb-tool", "convert", str(copy), schema_path)
        lost = differences(before, read(str(copy)))
        if lost:
            raise ModuleError(f"the conversion does not keep everything: {sentence(lost)}. Nothing was changed")
        if not check_mode:
            result["backup"] = _keep(path, backup or f"{path}.{before.version}")
            _replace(copy, path)
    change = {"database": before.name, "table": "schema", "record": path, "action": "update", "columns": {"version": schema["after"]}}
    shown = {state: {f"schema/{before.name}": {"version": schema[state]}} for state in ("before", "after")}
    return {**result, "changed": True, "changes": [{**change, "reason": "the schema differs"}], "diff": shown}


def save(dump: Callable[[], str], path: str, check_mode: bool) -> dict[str, Any]:
    """Write what ``dump`` says of a living database to ``path``, where it is not there already; the result of the module."""
    before = read(path) if os.path.exists(path) else None
    with _Beside(path, check_mode) as copy:
        descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(dump())
            file.flush()
            os.fsync(file.fileno())
        now = read(str(copy))
        changed = before is None or (dict(before.schema), dict(before.tables)) != (dict(now.schema), dict(now.tables))
        if changed and not check_mode:
            os.replace(copy, path)
    return {"changed": changed, **described(now)}


class _Beside:
    """The path of a copy that is gone in the end. In the file's own directory, to take the file's place; not so in check mode."""

    def __init__(self, path: str, check_mode: bool) -> None:
        self._directory = tempfile.mkdtemp(
            prefix=f".{os.path.basename(path)}-", dir=None if check_mode else os.path.dirname(os.path.abspath(path))
        )

    def __enter__(self) -> Path:
        return Path(self._directory, "copy.db")

    def __exit__(self, *_error: object) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)


def _keep(path: str, wanted: str) -> str:
    """Keep the file as it is under another name that nothing has yet; the name."""
    name, number = wanted, 1
    while os.path.exists(name):
        name, number = f"{wanted}.{number}", number + 1
    shutil.copy2(path, name)
    return name


def _replace(copy: Path, path: str) -> None:
    """Let the copy take the file's place, with its owner and mode, in one step that a power cut leaves done or undone."""
    status = os.stat(path)
    os.chown(copy, status.st_uid, status.st_gid)
    os.chmod(copy, status.st_mode & 0o7777)
    with open(copy, "rb") as file:
        os.fsync(file.fileno())
    os.replace(copy, path)
