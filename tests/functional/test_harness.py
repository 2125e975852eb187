# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests stand on: a mirror of a database that is never older than what the server has said, set-ups that outlive a failure."""

from __future__ import annotations

import gc
import json
import socket
import threading
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ansible_collections.ovn.interconnect.tests.differential.setup import SetUp
from ansible_collections.ovn.interconnect.tests.support.ovsdb import Database, RpcError
from ansible_collections.ovn.interconnect.tests.support.servers import OURS

SCHEMA = {"tables": {"T": {"columns": {"name": {"type": "string"}}}}}


def reply(request: dict[str, Any], result: object) -> bytes:
    """A reply as it goes over the wire."""
    return json.dumps({"id": request["id"], "result": result, "error": None}).encode()


def test_an_update_that_comes_together_with_the_dump_is_the_newer_one(tmp_path: Path) -> None:
    uuid, path = str(uuid4()), tmp_path / "db.sock"
    dump, update = ({"T": {uuid: {"new": {"name": name}}}} for name in ("old", "new"))

    def serve(listening: socket.socket) -> None:
        connection, _address = listening.accept()
        with connection:
            connection.sendall(reply(json.loads(connection.recv(65536)), SCHEMA))
            notification = json.dumps({"id": None, "method": "update", "params": [None, update]}).encode()
            connection.sendall(reply(json.loads(connection.recv(65536)), dump) + notification)

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        database = Database(path, "db")
        thread.join()
    assert [row.text("name") for row in database.rows("T")] == ["new"]
    database.close()


@pytest.mark.parametrize("listens", [True, False])
def test_a_connection_that_fails_is_closed(tmp_path: Path, listens: bool) -> None:
    path = tmp_path / "db.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        if listens:
            listening.listen()
            thread = threading.Thread(target=lambda: listening.accept()[0].close())
            thread.start()
        with warnings.catch_warnings(record=True) as left_open:
            warnings.simplefilter("always")
            with pytest.raises((RpcError, OSError)):
                Database(path, "_Server")
            gc.collect()
        assert left_open == []
        if listens:
            thread.join()


def test_a_history_starts_what_another_one_has_left_stopped() -> None:
    with closing(SetUp("host", (OURS, OURS), counters=False)) as set_up:
        set_up.start()
        set_up.interconnect.nb_server.stop()
        set_up.interconnect.zones[0].sb_server.stop()
        assert set_up.run([]) == []
