# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import file_contents
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_backup_info as module

SCHEMA = json.dumps({"name": "OVN_IC_Southbound", "version": "1.3.0", "tables": {"Availability_Zone": {}, "Datapath_Binding": {}}})
ZONES = [{"_uuid": ["uuid", "u1"], "name": "az1", "nb_ic_cfg": 4}, {"_uuid": ["uuid", "u2"], "name": "az2", "nb_ic_cfg": 7}]
DATAPATHS = [{"_uuid": ["uuid", "u3"], "transit_switch": "ts1", "tunnel_key": 16711683}]


def test_a_file_is_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text(f"OVSDB JSON {len(SCHEMA)} 0000\n{SCHEMA}")
    monkeypatch.setattr(file_contents, "tool", lambda *_command: json.dumps([{"rows": ZONES}, {"rows": DATAPATHS}]))
    assert module.work({"file": str(tmp_path / "file")}, True) == {
        "changed": False,
        "database": "OVN_IC_Southbound",
        "schema_version": "1.3.0",
        "rows": {"Availability_Zone": 2, "Datapath_Binding": 1},
        "newest_request": 7,
        "tunnel_keys": {"ts1": 16711683},
    }


def test_a_program_that_fails_is_quoted() -> None:
    with pytest.raises(ModuleError, match="install the package openvswitch-common"):
        file_contents.tool("/nowhere/ovsdb-tool")
    with pytest.raises(ModuleError, match=r"cat /nowhere failed: cat: /nowhere: No such file or directory"):
        file_contents.tool("cat", "/nowhere")
