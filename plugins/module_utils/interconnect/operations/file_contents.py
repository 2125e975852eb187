# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contents of a standalone database file, read without a server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ModuleError, one_line

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
        """The number of rows of each table that has any."""
        return {table: len(rows) for table, rows in sorted(self.tables.items()) if rows}


def tool(*command: str) -> str:
    """Run one of Open vSwitch's programs. Returns its output. Raises ModuleError with the program's message."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ModuleError(f"{command[0]} cannot be run ({error.strerror}); install the package openvswitch-common") from None
    if done.returncode != 0:
        words = one_line(done.stderr) or f"status {done.returncode}"
        raise ModuleError(f"{' '.join(command[:2])} failed: {words}; {_advice(words)}", ovsdb_error=words)
    return done.stdout


def _advice(words: str) -> str:
    """What to do about an error message of one of the programs."""
    if "Permission denied" in words:
        return "run the task with become, or as a user who may do this"
    if "not a valid command" in words:
        return "this is the control socket of a daemon: use the socket of the database, which ends in _db.sock"
    if "alarm clock" in words.lower():
        return "check that the server runs and answers, or increase timeout"
    if "lead" in words:
        return "wait until the cluster has elected a leader, name all of its members, or set leader_only to false"
    return "check that this is the right server or file"


def read_schema(path: str) -> dict[str, Any]:
    """The schema in a schema file."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ModuleError(f"the schema {path} cannot be read ({error.strerror}); correct the path or its permissions") from None
    except ValueError as error:
        raise ModuleError(f"{path} does not contain an OVSDB schema ({one_line(error)}); give a file such as ovn-ic-nb.ovsschema") from None
    if not isinstance(found, dict) or "name" not in found or "tables" not in found:
        raise ModuleError(f"{path} does not contain an OVSDB schema: it has no name or no tables; give a file such as ovn-ic-nb.ovsschema")
    return found


def _schema_of(path: str) -> dict[str, Any]:
    """The schema at the beginning of a standalone file (ovsdb(5), "standalone format")."""
    try:
        with open(path, "rb") as file:
            words = file.readline(200).split()
            record = file.read(int(words[2])) if words[:2] == [b"OVSDB", b"JSON"] and len(words) == 4 else b""
    except OSError as error:
        raise ModuleError(f"{path} cannot be read ({error.strerror}); correct the path or its permissions") from None
    if words[:2] == [b"OVSDB", b"CLUSTER"]:
        raise ModuleError(f"{path} is the file of a member of a cluster; use a backup of the cluster, made with ovsdb-client backup")
    try:
        found = json.loads(record)
    except ValueError:
        raise ModuleError(f"{path} does not contain a standalone database; give the file of an ovsdb-server, or a backup") from None
    return dict(found)


def read(path: str) -> Contents:
    """The complete contents of a standalone file or a backup."""
    schema = _schema_of(path)
    tables = sorted(schema["tables"])
    selects = [{"op": "select", "table": table, "where": []} for table in tables]
    answers = json.loads(tool("ovsdb-tool", "query", path, json.dumps([schema["name"], *selects])))
    rows = {table: {row["_uuid"][1]: _row(row) for row in answer["rows"]} for table, answer in zip(tables, answers)}
    return Contents(schema, rows)


def _row(row: Mapping[str, Any]) -> dict[str, frozenset[Hashable]]:
    return {column: atoms(value) for column, value in row.items() if not column.startswith("_")}


def atoms(value: Any) -> frozenset[Hashable]:
    """Convert a column's value of the protocol (RFC 7047, section 5.1) to the set of its atoms."""
    if isinstance(value, list) and value[0] in ("set", "map"):
        return frozenset(tuple(_atom(part) for part in one) if value[0] == "map" else _atom(one) for one in value[1])
    return frozenset((_atom(value),))


def _atom(value: Any) -> Hashable:
    return ("uuid", str(value[1])) if isinstance(value, list) else value


def shown(value: Iterable[Hashable]) -> str:
    """A value as text for people."""
    words = sorted(str(one[1] if isinstance(one, tuple) and one[:1] == ("uuid",) else one) for one in value)
    return " ".join(words) if words and words != [""] else '""'


def described(contents: Contents) -> dict[str, Any]:
    """A module's description of a file: its database, its rows, the counters that zones compare, the tunnel keys of the
    datapaths.
    """
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
        shown(row["transit_switch"]): value
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
