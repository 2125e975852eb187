# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Database files that no server is writing: converting the schema without losing a row, and saving a running database.

OVN's own start script converts a standalone file in place, and begins with an empty database if that fails. This module
converts a copy and replaces the file only if the copy contains the same rows.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import ModuleError
from .file_contents import described, read, read_schema, tool
from .schema_conversion import check, differences, sentence


def convert(path: str, schema_path: str, backup: str | None, check_mode: bool) -> dict[str, Any]:
    """Convert the standalone file ``path`` to the schema of ``schema_path``. Returns the module's result. The original
    file becomes ``backup``.
    """
    wanted, before = read_schema(schema_path), read(path)
    schema = {"database": before.name, "before": before.version, "after": wanted.get("version", "")}
    result: dict[str, Any] = {"changed": False, "schema": schema, "rows": before.counts, "changes": [], "backup": ""}
    if tool("ovsdb-tool", "needs-conversion", path, schema_path).strip() == "no":
        return result
    check(before, wanted)
    kept = _unused(backup or f"{path}.{before.version}")
    check_unused(path)
    check_place(path, os.path.getsize(path))
    check_place(kept, 2 * os.path.getsize(path))
    with _Beside(path, check_mode) as copy:
        shutil.copy(path, copy)
        tool("ovsdb-tool", "compact", str(copy))
        tool("ovsdb-tool", "convert", str(copy), schema_path)
        lost = differences(before, read(str(copy)))
        if lost:
            raise ModuleError(f"the conversion would lose data: {sentence(lost)}. Nothing was changed")
        if not check_mode:
            _replace(copy, path, kept)
    change = {"database": before.name, "table": "schema", "record": path, "action": "update", "columns": {"version": schema["after"]}}
    shown = {state: {f"schema/{before.name}": {"version": schema[state]}} for state in ("before", "after")}
    return {**result, "changed": True, "backup": kept, "changes": [{**change, "reason": "the schema differs"}], "diff": shown}


def save(dump: Callable[[], str], database: str, path: str, check_mode: bool) -> dict[str, Any]:
    """Write what ``dump`` returns of a running ``database`` to ``path``, if the file does not have it already; the result of the module."""
    check_place(path)
    check_unused(path)
    before = read(path) if os.path.exists(path) else None
    if before is not None and before.name != database:
        raise ModuleError(f"{path} holds the database {before.name}, which a backup of {database} would replace; give another path")
    with _Beside(path, check_mode) as copy:
        descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            contents = dump()
            check_place(path, len(contents.encode()))
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        now = read(str(copy))
        changed = before is None or (dict(before.schema), dict(before.tables)) != (dict(now.schema), dict(now.tables))
        if changed and not check_mode:
            os.replace(copy, path)
    return {"changed": changed, **described(now)}


class _Beside:
    """The path of a temporary copy: in the file's own directory, so that it can replace the file; elsewhere in check
    mode.
    """

    def __init__(self, path: str, check_mode: bool) -> None:
        self._directory = tempfile.mkdtemp(
            prefix=f".{os.path.basename(path)}-", dir=None if check_mode else os.path.dirname(os.path.abspath(path))
        )

    def __enter__(self) -> Path:
        return Path(self._directory, "copy.db")

    def __exit__(self, *_error: object) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)


def check_place(path: str, size: int = 0) -> None:
    """Raise ModuleError if a file of ``size`` bytes cannot be written to ``path``. Called in both modes before anything
    is done.
    """
    if not os.path.isabs(path):
        what = f"{path!r} is a relative path, and a task has no fixed working directory" if path else "the path is empty"
        raise ModuleError(f"{what}; give the absolute path of a file")
    directory = os.path.dirname(path)
    if os.path.isdir(path):
        raise ModuleError(f"{path} is a directory; give the path of a file in it")
    if not os.path.isdir(directory):
        what = "is not a directory" if os.path.exists(directory) else "does not exist"
        raise ModuleError(f"the directory {directory} {what} on this host; create it, or correct the path")
    space = os.statvfs(directory)
    if space.f_flag & os.ST_RDONLY:
        raise ModuleError(f"the directory {directory} is on a file system that is mounted read-only; choose another path")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise ModuleError(
            f"the user with the id {os.geteuid()} may not write to the directory {directory}; run the task with "
            "become, or change its permissions"
        )
    free = space.f_bavail * space.f_frsize
    if space.f_blocks and free < size:  # some file systems do not report it
        raise ModuleError(
            f"the file system of {directory} has {free} bytes left, but {size} are needed; free some space, or choose another path"
        )


def check_unused(path: str) -> None:
    """Raise ModuleError if a running server has opened the file. The server would keep writing to the old file, and its
    changes would be lost.
    """
    place = os.path.realpath(path)
    try:
        with open(os.path.join(os.path.dirname(place), f".{os.path.basename(place)}.~lock~"), "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ModuleError(f"{path} is the file of a running ovsdb-server; stop the server first, or give another path") from None
    except OSError:
        return  # no server has locked the file, or this user may not read the lock


def _unused(wanted: str) -> str:
    """A name that no file has: this one, or one with a number appended."""
    name, number = wanted, 1
    while os.path.exists(name):
        name, number = f"{wanted}.{number}", number + 1
    return name


def _replace(copy: Path, path: str, kept: str) -> None:
    """Keep the file as ``kept`` and replace it with the copy, with the same owner and mode, in one atomic step.

    If that fails, ``kept`` is removed.
    """
    try:
        shutil.copy2(path, kept)
        _swap(copy, path)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(kept)
        raise


def _swap(copy: Path, path: str) -> None:
    status = os.stat(path)
    os.chown(copy, status.st_uid, status.st_gid)
    os.chmod(copy, status.st_mode & 0o7777)
    with open(copy, "rb") as file:
        os.fsync(file.fileno())
    os.replace(copy, path)
