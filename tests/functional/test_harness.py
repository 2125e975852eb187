# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests stand on: a mirror of a database that is never older than what the server has said, set-ups that outlive a failure."""

from __future__ import annotations

import gc
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from ansible_collections.ovn.interconnect.tests.differential.setup import SetUp
from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.ovsdb import (
    Database,
    Includes,
    Named,
    Operation,
    TransactionError,
    UnreachableError,
    insert,
    update,
)
from ansible_collections.ovn.interconnect.tests.support.servers import OURS, Server, suite


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of an empty northbound database."""
    made = Server("nb", tmp_path, suite("host").schemas / "ovn-nb.ovsschema", "OVN_Northbound")
    made.start()
    yield made
    made.stop()


def test_a_refreshed_mirror_has_what_another_client_wrote_before(server: Server) -> None:
    """Also without waiting: the server sends the update before the reply that ends the refresh."""
    mirror, other = server.database, Database(server.socket, "OVN_Northbound")
    for number in range(20):
        other.transact(insert("Logical_Router", {"name": f"lr{number}"}))
        mirror.refresh()
        assert len(mirror.rows("Logical_Router")) == number + 1
    other.close()


def test_rows_with_chosen_uuids_can_refer_to_each_other(server: Server) -> None:
    """In one transaction, in both orders; a name of another row works beside them."""
    router, port, nb = uuid4(), uuid4(), server.database
    columns = {"name": "lr1-lan", "mac": "02:00:00:00:00:01", "networks": {"10.0.0.1/24"}, "gateway_chassis": {Named("gw")}}
    nb.transact(
        insert("Gateway_Chassis", {"name": "gw1", "chassis_name": "gw1"}, name="gw"),
        insert("Logical_Router", {"name": "lr1", "ports": {port}}, router),
        insert("Logical_Router_Port", columns, port),
    )
    nb.transact(*topology.router_port("lr1", "lr1-ts1", "02:00:00:00:00:02", ["10.1.0.1/24"], uuid=uuid4()))
    assert nb.get("Logical_Router", name="lr1").refs("ports") == {row.uuid for row in nb.rows("Logical_Router_Port")}
    assert nb.get("Logical_Router_Port", name="lr1-lan").uuid == port
    assert nb.get("Logical_Router_Port", name="lr1-lan").refs("gateway_chassis") == {nb.get("Gateway_Chassis", name="gw1").uuid}


def test_a_condition_can_name_a_column_that_a_new_row_leaves_empty(server: Server) -> None:
    """The row is of the same transaction, where python-ovs has no value for the column."""
    nb, renamed = server.database, update("Logical_Switch", {"name": "ts2"}, other_config=Includes({"interconn-ts": "ts1"}))
    nb.transact(insert("Logical_Switch", {"name": "pods"}), insert("Logical_Switch", {"other_config": {"interconn-ts": "ts1"}}), renamed)
    assert {row.text("name") for row in nb.rows("Logical_Switch")} == {"pods", "ts2"}


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(insert("Logical_Router", {"colour": "red"}), id="column"),
        pytest.param(insert("Logical_Router", {"name": 1}), id="type"),
        pytest.param(insert("Gateway_Chassis", {"name": "gw1", "priority": 40000}), id="range"),
        pytest.param(update("NB_Global", {"nb_cfg": {1, 2}}), id="number-of-values"),
        pytest.param(insert("Meter", {"name": "m1", "unit": "furlongs", "bands": set()}), id="choice"),
    ],
)
def test_what_a_database_cannot_hold_is_an_error_of_the_test(server: Server, operation: Operation) -> None:
    """python-ovs itself only logs such a value and leaves it out."""
    server.database.transact(insert("NB_Global", {}))
    with pytest.raises(TransactionError):
        server.database.transact(operation)


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
            with pytest.raises(UnreachableError):
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
