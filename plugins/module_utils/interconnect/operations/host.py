# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the state of a host: packages, files, units, addresses, libraries and rows of databases. Changes nothing.

None of it needs python-ovs, which a host does not have before the first run: ``ovsdb-client`` reads the databases.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFSOCK: "socket", stat.S_IFLNK: "link"}
_UNIT_PROPERTIES = ("LoadState", "ActiveState", "UnitFileState", "MainPID")
#: Where the kernel shows processes.
PROC = "/proc"


def run(command: Sequence[str]) -> tuple[bool, str, str]:
    """Whether a command succeeds, its output and its errors."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(command, capture_output=True, check=False, env=environment, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, "", str(error)
    return done.returncode == 0, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def packages(names: Sequence[str]) -> dict[str, str]:
    """The installed version of each package, empty if it is not installed."""
    found = dict.fromkeys(names, "")
    if names:
        form = "--showformat=${db:Status-Status} ${Package} ${Version}\\n"
        for line in run(["dpkg-query", "--show", form, *names])[1].splitlines():
            status, name, version = [*line.split(" "), "", ""][:3]
            if status == "installed":
                found[name] = version
    return found


def file_state(path: str) -> dict[str, Any]:
    """Whether a path exists, what it is after links are followed, whether it is a link, and whether it can be read.

    A socket that cannot be reached counts as missing, as for every other kind.
    """
    try:
        mode, is_link = os.stat(path).st_mode, os.path.islink(path)
    except OSError:
        return {"exists": False, "kind": "", "link": os.path.islink(path)}
    return {"exists": True, "kind": _KINDS.get(stat.S_IFMT(mode), "other"), "link": is_link}


def tree(directory: str) -> dict[str, str]:
    """The SHA-1 of each file below a directory, and ``directory`` for each directory, by relative path, without bytecode."""
    found: dict[str, str] = {}
    for place, folders, names in os.walk(directory):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in folders:
            found[os.path.relpath(os.path.join(place, name), directory)] = "directory"
        for name in names:
            if not name.endswith(".pyc"):
                path = os.path.join(place, name)
                found[os.path.relpath(path, directory)] = _checksum(path)
    return found


def _checksum(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.sha1(file.read()).hexdigest()
    except OSError:
        return ""


def parse_units(text: str) -> list[dict[str, str]]:
    """The properties of each unit in the output of ``systemctl show``, in the order of the units asked for."""
    blocks = [block for block in text.split("\n\n") if block.strip()]
    return [dict(line.partition("=")[::2] for line in block.splitlines()) for block in blocks]


def units(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The state of each unit of systemd, and the command line and the environment of its main process."""
    if not names:
        return {}
    shown = parse_units(run(["systemctl", "show", f"--property={','.join(_UNIT_PROPERTIES)}", *names])[1])
    return {name: _unit(shown[place] if place < len(shown) else {}) for place, name in enumerate(names)}


def _unit(properties: Mapping[str, str]) -> dict[str, Any]:
    pid = int(properties.get("MainPID") or 0)
    return {
        "loaded": properties.get("LoadState") == "loaded",
        "active": properties.get("ActiveState") == "active",
        "enabled": properties.get("UnitFileState") == "enabled",
        "pid": pid,
        "command": _strings(pid, "cmdline"),
        "environment": _strings(pid, "environ"),
    }


def _strings(pid: int, name: str) -> list[str]:
    """The strings in a file of a process, none if the process does not exist."""
    if not pid:
        return []
    try:
        with open(f"{PROC}/{pid}/{name}", "rb") as file:
            return [part.decode(errors="replace") for part in file.read().split(b"\0") if part]
    except OSError:
        return []


def has_address(address: str) -> bool:
    """Whether an interface of the host has the address."""
    return bool(run(["ip", "-oneline", "address", "show", "to", address])[1].strip())


def has_library(name: str) -> bool:
    """Whether the interpreter of the module can import a library."""
    try:
        __import__(name)
    except Exception:  # a library that is broken is as good as missing
        return False
    return True


def interpreter(path: str) -> str:
    """The version of a Python interpreter, empty if there is none."""
    return run([path, "-c", "import platform; print(platform.python_version())"])[1].strip()


def database_file(path: str) -> dict[str, str]:
    """What a database file is: ``kind`` is ``standalone``, ``clustered`` or empty; ``address`` is that of the member.

    The file is read without ``ovsdb-tool``, which may be missing on a host that has kept its data.
    """
    try:
        with open(path, "rb") as file:
            header = file.readline(64)
            if not header.startswith(b"OVSDB CLUSTER "):
                return {"kind": "standalone" if header.startswith(b"OVSDB JSON ") else "", "address": ""}
            record = json.loads(file.read(int(header.split()[2])))
    except OSError:
        return {"kind": "", "address": ""}
    except (ValueError, IndexError):  # the file is damaged
        return {"kind": "clustered", "address": ""}
    return {"kind": "clustered", "address": str(record.get("local_address", "")) if isinstance(record, dict) else ""}


def schema_version(path: str) -> str:
    """The version in a schema file, empty if the file is not a schema."""
    try:
        with open(path, encoding="utf-8") as file:
            schema = json.load(file)
    except (OSError, ValueError):
        return ""
    return str(schema.get("version", "")) if isinstance(schema, dict) else ""


def plain(value: Any) -> Any:
    """A value of OVSDB's JSON: a set as a list, a map as a dictionary, a UUID as a text."""
    if isinstance(value, list) and len(value) == 2 and value[0] in ("set", "map", "uuid"):
        if value[0] == "map":
            return dict(value[1])
        return [plain(one) for one in value[1]] if value[0] == "set" else value[1]
    return value


class Client:
    """Reads databases with ``ovsdb-client``. Any member of a cluster may answer, so that an election does not matter."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        files = {name: params.get(name) for name in ("private_key", "certificate", "ca_cert")}
        self._tls = [f"--{name.replace('_', '-')}={path}" for name, path in files.items() if path]
        self._seconds = params["timeout"]

    def _ask(self, command: str, server: str, argument: str) -> tuple[str, str]:
        """Why the server does not answer, empty if it does; and its answer."""
        tls = self._tls if "ssl:" in server else []
        answered, text, error = run(["ovsdb-client", f"--timeout={self._seconds}", "--no-leader-only", *tls, command, server, argument])
        return ("", text) if answered else (" ".join(error.split()) or "ovsdb-client failed", "")

    def select(self, server: str, database: str, tables: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, list[dict[str, Any]]]]:
        """Why the server does not answer, empty if it does; and the rows of each table with these columns. A table or
        column that the schema does not have makes all tables empty.
        """
        operations = [{"op": "select", "table": table, "where": [], "columns": list(columns)} for table, columns in tables.items()]
        error, text = self._ask("query", server, json.dumps([database, *operations]))
        if error:
            return error, {table: [] for table in tables}
        results = json.loads(text)
        rows = [one.get("rows", []) if isinstance(one, dict) else [] for one in results]
        return "", {table: [{key: plain(cell) for key, cell in row.items()} for row in found] for table, found in zip(tables, rows)}

    def database(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The rows of one database, and the versions of its schema. A server that does not report one of the versions
        counts as one that does not answer, because nothing can be decided without it.
        """
        name, server = question["database"], question["server"]
        error, tables = self.select(server, name, question["tables"] or {})
        version = shown_version = ""
        if question["schema"] and not error:
            error, version = self._ask("get-schema-version", server, name)
        if question["schema"] and not error:
            error, shown = self.select(server, "_Server", {"Database": ["name", "schema"]})
            texts = [row["schema"] for row in shown["Database"] if row["name"] == name and isinstance(row["schema"], str)]
            shown_version = str(json.loads(texts[0]).get("version", "")) if texts else ""
        return {
            "answers": not error,
            "error": error,
            "tables": tables,
            "schema_version": version.strip(),
            "shown_version": shown_version,
        }


def databases(params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The contents of each database, by the name of the question; servers that do not answer are awaited in parallel."""
    client, questions = Client(params), params["databases"]
    with ThreadPoolExecutor(max_workers=max(len(questions), 1)) as pool:
        found = list(pool.map(client.database, questions))
    return {question["name"] or question["database"]: one for question, one in zip(questions, found)}


def describe(params: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the options ask for."""
    return {
        "packages": packages(params["packages"]),
        "files": {path: file_state(path) for path in params["files"]},
        "trees": {path: tree(path) for path in params["trees"]},
        "units": units(params["units"]),
        "addresses": {address: has_address(address) for address in params["addresses"]},
        "libraries": {name: has_library(name) for name in params["libraries"]},
        "interpreters": {path: interpreter(path) for path in params["interpreters"]},
        "database_files": {path: database_file(path) for path in params["database_files"]},
        "schemas": {path: schema_version(path) for path in params["schemas"]},
        "databases": databases(params),
    }
