# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saving what a database says, without a database."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import file_contents, files
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_backup as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import params


def text(version: str) -> str:
    schema = json.dumps({"name": "OVN_IC_Northbound", "version": version, "tables": {}})
    return f"OVSDB JSON {len(schema)} 0000\n{schema}"


@pytest.fixture(autouse=True)
def _no_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_contents, "tool", lambda *_command: "[]")


def test_a_backup_is_written_once(tmp_path: Path) -> None:
    path = str(tmp_path / "backup")
    assert files.save(lambda: text("1.0.0"), IC_NB, path, True)["changed"]
    assert not list(tmp_path.iterdir())
    assert files.save(lambda: text("1.0.0"), IC_NB, path, False)["changed"]
    assert not files.save(lambda: text("1.0.0"), IC_NB, path, False)["changed"]
    assert files.save(lambda: text("1.1.0"), IC_NB, path, False)["schema_version"] == "1.1.0"
    assert [one.name for one in tmp_path.iterdir()] == ["backup"]
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o600


def test_what_is_no_database_takes_no_backups_place(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    path.write_text(text("1.0.0"))
    with pytest.raises(ModuleError, match="does not contain a standalone database"):
        files.save(lambda: "nothing", IC_NB, str(path), False)
    assert path.read_text() == text("1.0.0")


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_place_that_cannot_hold_the_file_is_refused_before_the_database_is_read(tmp_path: Path, check_mode: bool) -> None:
    (tmp_path / "file").touch()
    asked: list[str] = []

    def dump() -> str:
        asked.append("the database")
        return text("1.0.0")

    for path, words in (
        ("missing/backup", "the directory .*missing does not exist on this host; create it"),
        ("file/backup", "the directory .*file is not a directory on this host"),
        (".", "is a directory; give the path of a file in it"),
    ):
        with pytest.raises(ModuleError, match=words):
            files.save(dump, IC_NB, str(tmp_path / path), check_mode)
    assert not asked
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file"]


def test_the_file_of_another_database_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    path.write_text(text("1.0.0"))
    with pytest.raises(ModuleError, match="holds the database OVN_IC_Northbound, which a backup of OVN_IC_Southbound would replace"):
        files.save(lambda: text("1.0.0"), IC_SB, str(path), False)


def test_the_file_of_a_running_server_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "live.db").write_text(text("1.0.0"))
    (tmp_path / "link.db").symlink_to("live.db")
    # A lock does not keep out its own process.
    script = "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.lockf(file, fcntl.LOCK_EX); print('locked', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / ".live.db.~lock~")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        for name in ("live.db", "link.db"):
            with pytest.raises(ModuleError, match=f"{name} is the file of a running ovsdb-server; stop the server first"):
                files.check_unused(str(tmp_path / name))
        other.communicate("\n")
    files.check_unused(str(tmp_path / "live.db"))
    files.check_unused(str(tmp_path / "new.db"))


def test_a_full_file_system_is_told_with_its_numbers(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match=r"has \d+ bytes left, but 1000000000000000000 are needed; free some space"):
        files.check_place(str(tmp_path / "backup"), 10**18)


@pytest.mark.parametrize(
    ("given", "remote"),
    [
        ({}, "unix:/var/run/ovn/ovn_ic_nb_db.sock"),
        ({"ic_nb_db": "tcp:a:1", "ca_cert": "/ca"}, "tcp:a:1"),
        ({"ic_nb_db": "tcp:a:1", "leader_only": False}, "tcp:a:1"),
    ],
)
def test_the_database_is_asked_where_it_is(monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], remote: str) -> None:
    asked: list[str] = []
    monkeypatch.setattr(module, "tool", lambda *command: asked.extend(command) or "")
    module.dump(params(module, database="ic_nb", path="/backup", timeout=7, **given))
    options = (["--ca-cert=/ca"] if "ca_cert" in given else []) + (["--no-leader-only"] if "leader_only" in given else [])
    assert asked == ["ovsdb-client", "backup", *options, "--timeout=7", remote, "OVN_IC_Northbound"]
