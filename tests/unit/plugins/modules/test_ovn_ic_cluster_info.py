# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts of a cluster, and the control socket that they are read from."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.control_client import ControlSocket, RefusedError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_cluster_info as module


def answering(path: Path, answer: dict[str, Any] | None) -> threading.Thread:
    """A server for one request: it answers so, or hangs up."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        connection, _address = listener.accept()
        request = json.loads(connection.recv(65536))
        if answer is not None:
            connection.sendall(json.dumps({"id": request["id"], **answer}).encode())
        connection.close()
        listener.close()

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def look(path: Path) -> dict[str, Any]:
    return module.work({"database": "ic_nb", "control_socket": str(path), "timeout": 5}, False)


def test_a_status_becomes_facts(tmp_path: Path) -> None:
    text = "a\nAddress: tcp:192.0.2.1:6647\nRole: leader\nLeader: self\nServers:\n    a (00aa at tcp:192.0.2.1:6647) (self)\n"
    server = answering(tmp_path / "ctl", {"result": text, "error": None})
    shown = look(tmp_path / "ctl")["cluster"]
    server.join()
    assert (shown["leader"], shown["members"][0]["server_id"]) == ("tcp:192.0.2.1:6647", "00aa")


@pytest.mark.parametrize("words", ["unknown cluster", '"cluster/status" is not a valid command (use "list-commands" ...)'])
def test_a_server_in_no_cluster_has_none(tmp_path: Path, words: str) -> None:
    server = answering(tmp_path / "ctl", {"result": None, "error": words})
    assert look(tmp_path / "ctl") == {"changed": False, "cluster": {}}
    server.join()


def test_other_refusals_are_told(tmp_path: Path) -> None:
    server = answering(tmp_path / "ctl", {"result": None, "error": "no time"})
    with pytest.raises(ModuleError, match="rejected cluster/status: no time"):
        look(tmp_path / "ctl")
    server.join()


def test_a_server_that_hangs_up_or_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match=r"does not answer \(No such file or directory\)"):
        look(tmp_path / "ctl")
    server = answering(tmp_path / "ctl", None)
    with pytest.raises(ModuleError, match=r"does not answer \(it closed the connection\)"):
        look(tmp_path / "ctl")
    server.join()


def test_a_server_that_is_silent_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "ctl"))
        listener.listen()
        with pytest.raises(ModuleError, match=r"no answer within 0\.05 s"):
            ControlSocket(str(tmp_path / "ctl"), 0.05).call("version")


def test_a_refusal_holds_the_words_of_the_server(tmp_path: Path) -> None:
    server = answering(tmp_path / "ctl", {"result": None, "error": "unknown server\n"})
    with pytest.raises(RefusedError, match=r"^unknown server$"):
        ControlSocket(str(tmp_path / "ctl"), 5).call("cluster/kick", "x")
    server.join()
