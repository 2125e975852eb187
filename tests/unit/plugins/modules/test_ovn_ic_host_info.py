# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a host, read from this machine and from files of the test."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import host

SCHEMA = Path("/usr/share/ovn/ovn-ic-nb.ovsschema")


def test_a_path_is_described_after_its_links(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("none")
    found = {name: host.file_state(str(tmp_path / name)) for name in ("file", "link", "dangling", "socket", "none", "")}
    assert {name: (one["exists"], one["kind"], one["link"]) for name, one in found.items()} == {
        "file": (True, "file", False),
        "link": (True, "file", True),
        "dangling": (False, "", True),
        "socket": (True, "socket", False),
        "none": (False, "", False),
        "": (True, "directory", False),
    }


def test_a_tree_is_listed_without_bytecode(tmp_path: Path) -> None:
    (tmp_path / "part" / "__pycache__").mkdir(parents=True)
    (tmp_path / "part" / "__pycache__" / "a.pyc").touch()
    (tmp_path / "part" / "a.py").touch()
    assert host.tree(str(tmp_path)) == {"part": "directory", "part/a.py": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}
    assert host.tree(str(tmp_path / "none")) == {}


def test_units_are_told_apart_in_the_output_of_systemctl() -> None:
    text = "MainPID=7\nLoadState=loaded\n\nMainPID=0\nLoadState=not-found\n"
    assert [one["MainPID"] for one in host.parse_units(text)] == ["7", "0"]


def test_a_unit_shows_the_process_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nMainPID={os.getpid()}\n"
    monkeypatch.setattr(host, "run", lambda _command: (True, text, ""))
    found = host.units(["one.service", "other.service"])
    assert "python" in found["one.service"]["command"][0]
    assert found["one.service"]["environment"] != []
    assert (found["one.service"]["enabled"], found["one.service"]["pid"]) == (True, os.getpid())
    assert found["other.service"] == {"loaded": False, "active": False, "enabled": False, "pid": 0, "command": [], "environment": []}


def test_database_files_are_told_apart(tmp_path: Path) -> None:
    names = {name: str(tmp_path / name) for name in ("standalone", "clustered", "other", "none")}
    Path(names["other"]).write_text("{}", encoding="utf-8")
    subprocess.run(["ovsdb-tool", "create", names["standalone"], SCHEMA], check=True)
    subprocess.run(["ovsdb-tool", "create-cluster", names["clustered"], SCHEMA, "tcp:127.0.0.1:6647"], check=True)
    assert {name: host.database_file(path) for name, path in names.items()} == {
        "standalone": {"kind": "standalone", "address": ""},
        "clustered": {"kind": "clustered", "address": "tcp:127.0.0.1:6647"},
        "other": {"kind": "", "address": ""},
        "none": {"kind": "", "address": ""},
    }


def test_a_clustered_file_is_read_on_a_host_without_the_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, damaged = tmp_path / "clustered", tmp_path / "damaged"
    subprocess.run(["ovsdb-tool", "create-cluster", path, SCHEMA, "ssl:[2001:db8::1]:6647"], check=True)
    damaged.write_bytes(path.read_bytes()[:90])
    monkeypatch.setenv("PATH", "/nonexistent")
    assert host.database_file(str(path)) == {"kind": "clustered", "address": "ssl:[2001:db8::1]:6647"}
    assert host.database_file(str(damaged)) == {"kind": "clustered", "address": ""}


@pytest.mark.parametrize("silent", ["get-schema-version", "_Server"])
def test_a_server_that_does_not_report_its_schema_does_not_answer(monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    def run(command: list[str]) -> tuple[bool, str, str]:
        fails = any(silent in word for word in command)
        return (False, "", "no\nleader") if fails else (True, "7.1.0\n" if "get-schema-version" in command else '[{"rows": []}]', "")

    monkeypatch.setattr(host, "run", run)
    question = {"name": None, "server": "unix:/nonexistent", "database": "OVN_IC_Southbound", "tables": {}, "schema": True}
    found = host.databases({"databases": [question], "timeout": 5})["OVN_IC_Southbound"]
    assert (found["answers"], found["error"]) == (False, "no leader")


def test_the_version_of_a_schema_file(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("[]", encoding="utf-8")
    assert host.schema_version(str(SCHEMA)) != ""
    assert [host.schema_version(str(path)) for path in (tmp_path / "list", tmp_path / "none")] == ["", ""]


def test_a_command_that_does_not_exist_fails_without_an_exception() -> None:
    assert host.run(["/nonexistent"])[:2] == (False, "")


def test_interpreters_and_libraries() -> None:
    assert host.interpreter(sys.executable).startswith("3.")
    assert host.interpreter("/nonexistent") == ""
    assert (host.has_library("json"), host.has_library("nonexistent.library")) == (True, False)


def test_values_of_rows_are_plain() -> None:
    value = [["set", [["uuid", "u1"], 2]], ["map", [["a", "b"]]], "text", ["set", []]]
    assert [host.plain(one) for one in value] == [["u1", 2], {"a": "b"}, "text", []]
