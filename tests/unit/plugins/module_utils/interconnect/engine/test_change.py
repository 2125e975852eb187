# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes: nothing is written that is there already."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import add, delete, diff, insert, remove, replace
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import ServerSchema
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import NB, NORTHBOUND

from ..one_switch import changed, northbound


class TestChanges:
    @pytest.mark.parametrize(
        "wanted",
        [
            {"columns": {"name": "ts1"}},
            {"keys": {"other_config": {"a": "1", "b": None}}},
            {"members": {"ports": add("p1")}},
            {"members": {"ports": remove("p2")}},
            {},
        ],
    )
    def test_what_is_there_already_is_not_written(self, wanted: dict[str, Any]) -> None:
        """A value that is there already is not written (spec routes-1.5)."""
        assert changed(northbound(), **wanted) == []

    def test_only_what_differs_is_written(self) -> None:
        (change,) = changed(
            northbound(), columns={"name": "new"}, keys={"other_config": {"a": "1", "b": "2"}}, members={"ports": add("p2")}
        )
        assert change.columns == {"name": "new"}
        assert change.keys == {"other_config": {"b": "2"}}
        assert change.members == {"ports": add("p2")}
        assert change.before == {"name": "ts1", "other_config": {"a": "1"}, "ports": frozenset()}
        assert change.after() == {"name": "new", "other_config": {"a": "1", "b": "2"}, "ports": frozenset(["p2"])}

    def test_a_key_is_removed_with_none(self) -> None:
        (change,) = changed(northbound(), keys={"other_config": {"a": None}})
        assert change.after() == {"other_config": {}}

    def test_columns_that_the_server_lacks_are_not_written(self) -> None:
        complete = ServerSchema.complete(NORTHBOUND).json["tables"]
        tables = {table: {"columns": dict(found["columns"])} for table, found in complete.items()}
        del tables["Logical_Switch"]["columns"]["external_ids"]
        store = Store(NORTHBOUND, ServerSchema(NB, "", {"name": NB, "tables": tables}))
        store.put("Logical_Switch", "ls", {"name": "ts1"})
        assert changed(store, keys={"external_ids": {"a": "1"}}) == []
        change = insert(store, "Logical_Switch", {"name": "x", "external_ids": {"a": "1"}}, record="x", reason="r")
        assert change.columns == {"name": "x"}

    def test_replace_names_the_difference(self) -> None:
        assert replace(["a", "b"], ["b", "c"]) == (frozenset("c"), frozenset("a"))

    def test_results_have_json_types_only(self) -> None:
        store = northbound()
        (change,) = changed(store, members={"ports": add("p3", "p2")})
        assert change.as_result() == {
            "database": NB,
            "table": "Logical_Switch",
            "record": "ts1",
            "action": "update",
            "columns": {"ports": ["p2", "p3"]},
            "reason": "because",
        }

    def test_the_diff_has_the_written_columns_before_and_after(self) -> None:
        store = northbound()
        row = store.row("Logical_Switch", "ls")
        assert row is not None
        gone = delete(store, "Logical_Switch", row, record="ts1", reason="r")
        come = insert(store, "Logical_Switch", {"name": "ts2"}, record="ts2", reason="r")
        shown = diff([gone, come])
        assert shown["before"] == {"Logical_Switch/ts1": {"name": "ts1", "other_config": {"a": "1"}, "external_ids": {}}}
        assert shown["after"] == {"Logical_Switch/ts2": {"name": "ts2"}}
