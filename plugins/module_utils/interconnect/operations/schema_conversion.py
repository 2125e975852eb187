# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a database file can be converted to another schema: which contents the schema does not allow, and what a
conversion has lost.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from ..ovsdb.columns import version_numbers
from ..tables import IC_NB, IC_SB
from .errors import ModuleError
from .file_contents import Contents, Row, atoms, shown

#: The OVN command with which an operator corrects rows, by database.
TOOLS = {IC_NB: "ovn-ic-nbctl", IC_SB: "ovn-ic-sbctl"}
#: The maximum number of problems, and of rows of one problem, in a message.
_NAMED = 3
_EMPTY = {"integer": 0, "real": 0.0, "boolean": False, "string": "", "uuid": ("uuid", "00000000-0000-0000-0000-000000000000")}
_LIMITS = (("minInteger", "maxInteger"), ("minReal", "maxReal"))


def check(contents: Contents, wanted: Mapping[str, Any]) -> None:
    """Raise ModuleError if the file must not be converted to this schema."""
    if wanted["name"] != contents.name:
        raise ModuleError(
            f"the schema is that of {wanted['name']}, but the file contains {contents.name}; give the schema of {contents.name}"
        )
    if version_numbers(str(wanted.get("version", ""))) < version_numbers(contents.version):
        raise ModuleError(
            f"the file already has the newer schema {contents.version}, and schemas cannot be downgraded; give a newer schema"
        )
    found = problems(contents, wanted)
    if found:
        raise ModuleError(f"{sentence(found)}. Nothing was changed; run this again afterwards")


def problems(contents: Contents, schema: Mapping[str, Any]) -> list[str]:
    """What the schema does not allow or does not have in these contents, each with its remedy."""
    found: list[str] = []
    for table, rows in sorted(contents.tables.items()):
        if not rows:
            continue
        if table not in schema["tables"]:
            found.append(f"the schema no longer has a table {table}, which has {len(rows)} rows; remove them first")
            continue
        after, before = schema["tables"][table], contents.schema["tables"][table]
        found += _lost_columns(table, rows, before["columns"], after["columns"])
        for column, wanted in sorted(after["columns"].items()):
            if column in before["columns"]:
                found += _misfits(contents, table, column, wanted)
        if len(rows) > after.get("maxRows", len(rows)):
            found.append(f"{table} has {len(rows)} rows but may have only {after['maxRows']}; remove the others")
        for index in after.get("indexes", []):
            found += _duplicates(contents, table, index, after["columns"])
    return found


def _lost_columns(table: str, rows: Mapping[str, Row], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    found = []
    for column in sorted(set(before) - set(after)):
        used = [uuid for uuid, row in rows.items() if row[column] != _default(before[column])]
        if used:
            found.append(f"the schema no longer has a column {column} of {table}, which {len(used)} rows use ({_names(used)}); clear it")
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
    sentence = f"the schema does not allow {shown(bad[wrong[0]])} in {column} of {table}, as in {_names(wrong)}"
    return [f"{sentence}; change it or remove the row ({_removal(contents, table, wrong[0])})"]


def _duplicates(contents: Contents, table: str, index: Sequence[str], columns: Mapping[str, Any]) -> list[str]:
    same: dict[tuple[frozenset[Hashable], ...], list[str]] = {}
    for uuid, row in sorted(contents.tables[table].items()):
        same.setdefault(tuple(row.get(column, _default(columns[column])) for column in index), []).append(uuid)
    found = []
    for values, uuids in same.items():
        if len(uuids) > 1:
            common = f"{', '.join(index)} ({', '.join(shown(value) for value in values)})"
            remedy = f"remove all but one ({_removal(contents, table, uuids[-1])})"
            found.append(f"{len(uuids)} rows of {table} have the same {common}, which the schema allows once: {_names(uuids)}; {remedy}")
    return found


def _removal(contents: Contents, table: str, uuid: str) -> str:
    """The command that removes a row. A row that another row refers to is removed with that one."""
    tables = contents.schema["tables"]
    # If no table of a schema is marked as a root table, all of them are (RFC 7047, section 3.2).
    if any(one.get("isRoot") for one in tables.values()) and not tables[table].get("isRoot"):
        owners = (
            (other, owner)
            for other, rows in sorted(contents.tables.items())
            for owner, row in sorted(rows.items())
            if any(("uuid", uuid) in value for value in row.values())
        )
        table, uuid = next(owners, (table, uuid))
    return f"{TOOLS.get(contents.name, 'ovsdb-client')} destroy {table} {uuid}"


def _type(column: Mapping[str, Any]) -> dict[str, Any]:
    """A column's type in its full form: key, value, min, max."""
    found = column["type"]
    found = {"key": found} if isinstance(found, str) else dict(found)
    for part in ("key", "value"):
        if isinstance(found.get(part), str):
            found[part] = {"type": found[part]}
    return {"min": 1, "max": 1, "value": None, **found}


def _default(column: Mapping[str, Any]) -> frozenset[Hashable]:
    """The value of a column that a row did not have before."""
    kind = _type(column)
    return frozenset() if kind["min"] == 0 else frozenset((_EMPTY[kind["key"]["type"]],))


def _fits(atom: Hashable, kind: Mapping[str, Any]) -> bool:
    """Whether the type allows an atom, or a pair of a map."""
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


def differences(before: Contents, after: Contents) -> list[str]:
    """Rows of the original that a conversion has lost or changed."""
    found = []
    for table, rows in sorted(before.tables.items()):
        now = after.tables.get(table, {})
        changed = [
            uuid for uuid, row in rows.items() if uuid in now and any(now[uuid].get(name, value) != value for name, value in row.items())
        ]
        if len(now) != len(rows) or set(now) != set(rows):
            found.append(f"{table} had {len(rows)} rows and would have {len(now)} (lost: {_names(set(rows) - set(now)) or 'none'})")
        if changed:
            found.append(f"{len(changed)} rows of {table} would change ({_names(changed)})")
    return found


def sentence(found: Sequence[str]) -> str:
    """Problems as one sentence, with only the first few in detail."""
    more = [f"and {len(found) - _NAMED} more problems"] if len(found) > _NAMED else []
    return "; ".join([*found[:_NAMED], *more])


def _names(uuids: Iterable[str]) -> str:
    found = sorted(uuids)
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more
