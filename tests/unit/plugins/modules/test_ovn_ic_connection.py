# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections and TLS files, as far as the module decides it without a server."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.simulation import Simulation
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import listeners
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_SB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_connection as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import only, params, put, stores

FILES = {"private_key": "/k", "certificate": "/c", "ca_cert": "/a"}


@pytest.fixture
def contents() -> dict[str, Store]:
    """A database that listens on two ports and has TLS files."""
    made = stores(listeners.DATABASES["ic_sb"][0])
    store = made[IC_SB]
    connections = {put(store, "Connection", target="ptcp:1", inactivity_probe=5000), put(store, "Connection", target="ptcp:2")}
    files = {put(store, "SSL", private_key="/k", certificate="/c", ca_cert="/a", external_ids={"x": "y"})}
    put(store, "IC_SB_Global", connections=connections, ssl=files)
    return made


def settle(contents: dict[str, Store], **given: Any) -> list[Change]:
    simulation, changes = Simulation(contents), []
    while wave := listeners.desired(params(module, database="ic_sb", **given), contents):
        changes += wave
        simulation.apply(wave)
        assert len(changes) < 20
    return changes


def shown(contents: dict[str, Store]) -> dict[str, Any]:
    return listeners.describe({"database": "ic_sb"}, contents)


def test_only_the_difference_is_written(contents: dict[str, Store]) -> None:
    before = next(row for row in contents[IC_SB].rows("Connection") if row["target"] == "ptcp:1")
    insert, update = settle(contents, connections=[{"target": "ptcp:1"}, {"target": "ptcp:3", "external_ids": {"a": 1}}])
    assert (insert.record, update.table) == ("ptcp:3", "IC_SB_Global")
    assert contents[IC_SB].row("Connection", before.uuid) == before
    assert [(one["target"], one["external_ids"]) for one in shown(contents)["connections"]] == [("ptcp:1", {}), ("ptcp:3", {"a": "1"})]


def test_a_changed_connection_keeps_its_row(contents: dict[str, Store]) -> None:
    (change,) = settle(contents, connections=[{"target": "ptcp:1", "inactivity_probe": 0}, {"target": "ptcp:2"}])
    assert (change.table, change.columns) == ("Connection", {"inactivity_probe": 0})


@pytest.mark.parametrize("given", [{}, {"connections": None}, {"ssl": FILES}, {"ssl": {"bootstrap_ca_cert": False}}])
def test_what_is_so_already_is_left_alone(contents: dict[str, Store], given: dict[str, Any]) -> None:
    assert not settle(contents, **given)


def test_empty_options_remove(contents: dict[str, Store]) -> None:
    settle(contents, connections=[], ssl={})
    assert shown(contents) == {"connections": [], "ssl": {}}
    assert not contents[IC_SB].count("Connection") + contents[IC_SB].count("SSL")


def test_files_are_changed_in_place_and_made_in_a_new_database(contents: dict[str, Store]) -> None:
    (change,) = settle(contents, ssl={"ca_cert": "/b", "external_ids": {"z": 1}})
    assert change.columns == {"ca_cert": "/b"}
    assert only(contents[IC_SB], "SSL")["external_ids"] == {"x": "y", "z": "1"}
    empty = stores(listeners.DATABASES["ic_sb"][0])
    assert not settle(empty, connections=[], ssl={})
    settle(empty, connections=[{"target": "pssl:1"}], ssl=FILES)
    assert (shown(empty)["ssl"]["ca_cert"], len(shown(empty)["connections"])) == ("/a", 1)


@pytest.mark.parametrize(
    "given, words",
    [
        ({"connections": [{"target": "nonsense"}]}, "'nonsense' is not an OVSDB connection target"),
        ({"connections": [{"target": "ptcp:66451"}]}, "'ptcp:66451' has the port '66451'; give a number up to 65535"),
        ({"connections": [{"target": "pssl:6645:central"}]}, "to listen on 'central', which is not an IP address"),
        ({"connections": [{"target": "ssl:192.0.2.1:x"}]}, "has the port 'x'"),
        ({"connections": [{"target": "ptcp:1\n"}]}, "control character"),
        (
            {"connections": [{"target": "ptcp:1", "inactivity_probe": -1}]},
            "inactivity_probe of ptcp:1 is -1; set it to a number of milliseconds",
        ),
        ({"ssl": {"private_key": "/k\n"}}, "ssl.private_key '/k.n' contains a control character"),
        ({"connections": [{"target": "ptcp:1"}, {"target": "ptcp:1"}]}, "names ptcp:1 twice"),
        ({"connections": [{"target": "tcp:192.0.2.1:1", "max_backoff": 5}]}, "set it to at least 1000 milliseconds"),
        ({"ssl": {"ssl_ciphersuites": "x"}}, "ssl_ciphersuites needs the schema"),
    ],
)
def test_what_cannot_be_is_refused(contents: dict[str, Store], given: dict[str, Any], words: str) -> None:
    del contents[IC_SB].schema.json["tables"]["SSL"]["columns"]["ssl_ciphersuites"]
    with pytest.raises(ModuleError, match=words):
        settle(contents, **given)


def test_new_files_have_to_be_complete() -> None:
    contents = stores(listeners.DATABASES["ic_sb"][0])
    with pytest.raises(ModuleError, match="give certificate, ca_cert too"):
        settle(contents, ssl={"private_key": "/k"})
