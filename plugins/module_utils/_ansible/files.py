# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Database files that no server writes at the moment: reading them, and giving them another schema without losing a row.

OVN's own start script converts a standalone file in place and begins with an empty database where that fails; here a copy is converted,
and only if it then holds the same rows does it take the place of the file.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..interconnect.schema import IC_NB, IC_SB
from .errors import ModuleError

#: The command of OVN with which an operator mends rows, by database.
TOOLS = {IC_NB: "ovn-ic-nbctl", IC_SB: "ovn-ic-sbctl"}
#: So many problems, and rows of one problem, are named.
_NAMED = 3
_EMPTY = {"integer": 0, "real": 0.0, "boolean": False, "string": "", "uuid": ("uuid", "00000000-0000-0000-0000-000000000000")}
_LIMITS = (("minInteger", "maxInteger"), ("minReal", "maxReal"))

#: A row's columns, each as a set of atoms (of pairs for a map), so that equal contents are equal values.
Row = Mapping[str, "frozenset[Hashable]"]


@dataclass(frozen=True)
class Contents:
    """A standalone database: its schema (RFC 7047, section 3.2) and its rows, by table and uuid."""

    schema: Mapping[str, Any]
    tables: Mapping[str, Mapping[str, Row]]

    @property
    def name(self) -> str:
        """The database's name."""
        return str(self.schema["name"])

    @property
    def version(self) -> str:
        """The version of its schema, empty where it has none."""
        return str(self.schema.get("version", ""))

    @property
    def counts(self) -> dict[str, int]:
        """Rows by table, those that have any."""
        return {table: len(rows) for table, rows in sorted(self.tables.items()) if rows}


def tool(*command: str) -> str:
    """Run one of Open vSwitch's programs; its output. Raises ModuleError in its own words."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ModuleError(f"{command[0]} cannot be run ({error.strerror}); install the package openvswitch-common") from None
    if done.returncode != 0:
        words = done.stderr.strip() or f"status {done.returncode}"
        raise ModuleError(f"{' '.join(command[:2])} says: {words}", ovsdb_error=words)
    return done.stdout


def read_schema(path: str) -> dict[str, Any]:
    """The schema in a schema file."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ModuleError(f"the schema {path} cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise ModuleError(f"{path} is no schema ({error})") from None
    if not isinstance(found, dict) or "name" not in found or "tables" not in found:
        raise ModuleError(f"{path} is no schema: it has no name or no tables")
    return found


def _schema_of(path: str) -> dict[str, Any]:
    """The schema that a standalone file begins with (ovsdb(5), "standalone format")."""
    try:
        with open(path, "rb") as file:
            words = file.readline(200).split()
            record = file.read(int(words[2])) if words[:2] == [b"OVSDB", b"JSON"] and len(words) == 4 else b""
    except OSError as error:
        raise ModuleError(f"{path} cannot be read ({error.strerror})") from None
    if words[:2] == [b"OVSDB", b"CLUSTER"]:
        raise ModuleError(f"{path} is the file of a member of a cluster; use a backup of the cluster, made with ovsdb-client backup")
    try:
        found = json.loads(record)
    except ValueError:
        raise ModuleError(f"{path} is no standalone database") from None
    return dict(found)


def read(path: str) -> Contents:
    """Everything in a standalone file, or a backup."""
    schema = _schema_of(path)
    tables = sorted(schema["tables"])
    selects = [{"op": "select", "table": table, "where": []} for table in tables]
    answers = json.loads(tool("ovsdb-tool", "query", path, json.dumps([schema["name"], *selects])))
    rows = {table: {row["_uuid"][1]: _row(row) for row in answer["rows"]} for table, answer in zip(tables, answers)}
    return Contents(schema, rows)


def _row(row: Mapping[str, Any]) -> dict[str, frozenset[Hashable]]:
    return {column: atoms(value) for column, value in row.items() if not column.startswith("_")}


def atoms(value: Any) -> frozenset[Hashable]:
    """A column's value of the protocol (RFC 7047, section 5.1) as the set of its atoms."""
    if isinstance(value, list) and value[0] in ("set", "map"):
        return frozenset(tuple(_atom(part) for part in one) if value[0] == "map" else _atom(one) for one in value[1])
    return frozenset((_atom(value),))


def _atom(value: Any) -> Hashable:
    return ("uuid", str(value[1])) if isinstance(value, list) else value


def _shown(value: Iterable[Hashable]) -> str:
    """A value for a person."""
    words = sorted(str(one[1] if isinstance(one, tuple) and one[:1] == ("uuid",) else one) for one in value)
    return " ".join(words) if words and words != [""] else '""'


def _type(column: Mapping[str, Any]) -> dict[str, Any]:
    """A column's type with its parts spelled out: key, value, min, max."""
    found = column["type"]
    found = {"key": found} if isinstance(found, str) else dict(found)
    for part in ("key", "value"):
        if isinstance(found.get(part), str):
            found[part] = {"type": found[part]}
    return {"min": 1, "max": 1, "value": None, **found}


def _default(column: Mapping[str, Any]) -> frozenset[Hashable]:
    """What a row has in a column that it did not have before."""
    kind = _type(column)
    return frozenset() if kind["min"] == 0 else frozenset((_EMPTY[kind["key"]["type"]],))


def _names(uuids: Iterable[str]) -> str:
    found = sorted(uuids)
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more


def problems(contents: Contents, schema: Mapping[str, Any]) -> list[str]:
    """What in these contents the schema does not allow or does not know, each with its remedy."""
    found: list[str] = []
    for table, rows in sorted(contents.tables.items()):
        if not rows:
            continue
        if table not in schema["tables"]:
            found.append(f"the schema has no table {table} any more, which has {len(rows)} rows; remove them first")
            continue
        after, before = schema["tables"][table], contents.schema["tables"][table]
        found += _lost_columns(table, rows, before["columns"], after["columns"])
        for column, wanted in sorted(after["columns"].items()):
            if column in before["columns"]:
                found += _misfits(contents, table, column, wanted)
        if len(rows) > after.get("maxRows", len(rows)):
            found.append(f"{table} has {len(rows)} rows and may have {after['maxRows']}; remove the others")
        for index in after.get("indexes", []):
            found += _duplicates(contents, table, index, after["columns"])
    return found


def _lost_columns(table: str, rows: Mapping[str, Row], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    found = []
    for column in sorted(set(before) - set(after)):
        used = [uuid for uuid, row in rows.items() if row[column] != _default(before[column])]
        if used:
            found.append(f"the schema has no column {column} of {table} any more, which {len(used)} rows use ({_names(used)}); clear it")
    return found


def _misfits(contents: Contents, table: str, column: str, wanted: Mapping[str, Any]) -> list[str]:
    kind, rows = _type(wanted), contents.tables[table]
    most = kind["max"] if kind["max"] != "unlimited" else None
    crowded = [
        uuid for uuid, row in sorted(rows.items()) if len(row[column]) < kind["min"] or (most is not None and len(row[column]) > most)
    ]
    if crowded:
        return [f"the schema allows {kind['min']} to {kind['max']} values in {column} of {table}, unlike in {_names(crowded)}; change it"]
    bad = {uuid: [one for one in row[column] if not _fits(one, kind)] for uuid, row in sorted(rows.items())}
    wrong = [uuid for uuid, values in bad.items() if values]
    if not wrong:
        return []
    sentence = f"the schema does not allow {_shown(bad[wrong[0]])} in {column} of {table}, as in {_names(wrong)}"
    return [f"{sentence}; change it or remove the row ({_removal(contents, table, wrong[0])})"]


def _removal(contents: Contents, table: str, uuid: str) -> str:
    """The command that removes a row. One that belongs to another row goes with that."""
    tables = contents.schema["tables"]
    # A schema in which no table says that it is a root has roots only (RFC 7047, section 3.2).
    if any(one.get("isRoot") for one in tables.values()) and not tables[table].get("isRoot"):
        owners = (
            (other, owner)
            for other, rows in sorted(contents.tables.items())
            for owner, row in sorted(rows.items())
            if any(("uuid", uuid) in value for value in row.values())
        )
        table, uuid = next(owners, (table, uuid))
    return f"{TOOLS.get(contents.name, 'ovsdb-client')} destroy {table} {uuid}"


def _fits(atom: Hashable, kind: Mapping[str, Any]) -> bool:
    """Whether an atom, of a map a pair, is one that the type allows."""
    if kind["value"] is not None:
        return isinstance(atom, tuple) and len(atom) == 2 and _atom_fits(atom[0], kind["key"]) and _atom_fits(atom[1], kind["value"])
    return _atom_fits(atom, kind["key"])


def _atom_fits(atom: Hashable, base: Mapping[str, Any]) -> bool:
    kinds = {
        "integer": isinstance(atom, int) and not isinstance(atom, bool),
        "real": isinstance(atom, (int, float)) and not isinstance(atom, bool),
        "boolean": isinstance(atom, bool),
        "string": isinstance(atom, str),
        "uuid": isinstance(atom, tuple),
    }
    if not kinds[base["type"]]:
        return False
    if "enum" in base:
        return atom in atoms(base["enum"])
    if isinstance(atom, str):
        return bool(base.get("minLength", 0) <= len(atom) <= base.get("maxLength", len(atom)))
    if isinstance(atom, (int, float)):
        return all(base.get(low, atom) <= atom <= base.get(high, atom) for low, high in _LIMITS)
    return True


def _duplicates(contents: Contents, table: str, index: Sequence[str], columns: Mapping[str, Any]) -> list[str]:
    same: dict[tuple[frozenset[Hashable], ...], list[str]] = {}
    for uuid, row in sorted(contents.tables[table].items()):
        same.setdefault(tuple(row.get(column, _default(columns[column])) for column in index), []).append(uuid)
    found = []
    for values, uuids in same.items():
        if len(uuids) > 1:
            common = f"{', '.join(index)} ({', '.join(_shown(value) for value in values)})"
            remedy = f"remove all but one ({_removal(contents, table, uuids[-1])})"
            found.append(f"{len(uuids)} rows of {table} have the same {common}, which the schema allows once: {_names(uuids)}; {remedy}")
    return found


def differences(before: Contents, after: Contents) -> list[str]:
    """What a conversion has lost or changed of the rows before."""
    found = []
    for table, rows in sorted(before.tables.items()):
        now = after.tables.get(table, {})
        changed = [
            uuid for uuid, row in rows.items() if uuid in now and any(now[uuid].get(name, value) != value for name, value in row.items())
        ]
        if len(now) != len(rows) or set(now) != set(rows):
            found.append(f"{table} had {len(rows)} rows and would have {len(now)} (lost: {_names(set(rows) - set(now)) or 'none'})")
        if changed:
            found.append(f"{len(changed)} rows of {table} would be other ones than before ({_names(changed)})")
    return found


def is_older(version: str, than: str) -> bool:
    """Whether a schema's version, such as 1.10.0, is older."""
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def _several(found: Sequence[str]) -> str:
    more = [f"and {len(found) - _NAMED} more problems"] if len(found) > _NAMED else []
    return "; ".join([*found[:_NAMED], *more])


def check(path: str, contents: Contents, wanted: Mapping[str, Any]) -> None:
    """Raise ModuleError where the file must not get this schema."""
    if wanted["name"] != contents.name:
        raise ModuleError(f"the schema is that of {wanted['name']}, and the file holds {contents.name}")
    if is_older(str(wanted.get("version", "")), contents.version):
        raise ModuleError(f"the file has the newer schema {contents.version} already; a schema is not taken back")
    found = problems(contents, wanted)
    if found:
        raise ModuleError(f"{_several(found)}. Nothing was changed; run this again afterwards")


def convert(path: str, schema_path: str, backup: str | None, check_mode: bool) -> dict[str, Any]:
    """Give the standalone file ``path`` the schema of ``schema_path``; the result of the module. The file as it was becomes ``backup``."""
    wanted, before = read_schema(schema_path), read(path)
    schema = {"database": before.name, "before": before.version, "after": wanted.get("version", "")}
    result: dict[str, Any] = {"changed": False, "schema": schema, "rows": before.counts, "changes": [], "backup": ""}
    if tool("ovsdb-tool", "needs-conversion", path, schema_path).strip() == "no":
        return result
    check(path, before, wanted)
    with _Beside(path, check_mode) as copy:
        shutil.copy(path, copy)
        tool("ovsdb-tool", "compact", str(copy))
        tool("ovsdb-tool", "convert", str(copy), schema_path)
        lost = differences(before, read(str(copy)))
        if lost:
            raise ModuleError(f"the conversion does not keep everything: {_several(lost)}. Nothing was changed")
        if not check_mode:
            result["backup"] = _keep(path, backup or f"{path}.{before.version}")
            _replace(copy, path)
    change = {"database": before.name, "table": "schema", "record": path, "action": "update", "columns": {"version": schema["after"]}}
    shown = {state: {f"schema/{before.name}": {"version": schema[state]}} for state in ("before", "after")}
    return {**result, "changed": True, "changes": [{**change, "reason": "the schema differs"}], "diff": shown}


class _Beside:
    """The path of a copy that is gone in the end: in the file's own directory, where it can take the file's place."""

    def __init__(self, path: str, check_mode: bool) -> None:
        self._directory = tempfile.mkdtemp(prefix=".converting-", dir=None if check_mode else os.path.dirname(os.path.abspath(path)))

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


def save(dump: Callable[[], str], path: str, check_mode: bool) -> dict[str, Any]:
    """Write what ``dump`` says of a living database to ``path``, where it is not there already; the result of the module."""
    before = read(path) if os.path.exists(path) else None
    directory = tempfile.mkdtemp(prefix=".saving-", dir=None if check_mode else os.path.dirname(os.path.abspath(path)))
    try:
        copy = Path(directory, "copy.db")
        descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(dump())
            file.flush()
            os.fsync(file.fileno())
        now = read(str(copy))
        changed = before is None or (dict(before.schema), dict(before.tables)) != (dict(now.schema), dict(now.tables))
        if changed and not check_mode:
            os.replace(copy, path)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return {"changed": changed, **described(now)}


def described(contents: Contents) -> dict[str, Any]:
    """What a module shows of a file: whose it is, its rows, the counters that zones compare, the tunnel keys of the datapaths."""
    rows = contents.tables
    counters = [
        value
        for table in ("IC_NB_Global", "IC_SB_Global", "Availability_Zone")
        for row in rows.get(table, {}).values()
        for column in ("nb_ic_cfg", "sb_ic_cfg")
        for value in row.get(column, ())
        if isinstance(value, int)
    ]
    keys = {
        _shown(row["transit_switch"]): value
        for row in rows.get("Datapath_Binding", {}).values()
        for value in row["tunnel_key"]
        if isinstance(value, int)
    }
    return {
        "database": contents.name,
        "schema_version": contents.version,
        "rows": contents.counts,
        "newest_request": max(counters, default=0),
        "tunnel_keys": dict(sorted(keys.items())),
    }
