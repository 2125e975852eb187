# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows, edges, look-ups and differences of a store."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import declare
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Members, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NORTHBOUND
from ansible_collections.ovn.interconnect.tests.support.examples import examples

TOY = declare("Toy", {"Parent": "name color things:refs notes:map", "Thing": "label size:int"})


def toy() -> Store:
    store = Store(TOY)
    store.index("Parent", "color", lambda row: (row["color"],))
    return store


def test_a_new_row_has_the_columns_that_were_not_given_empty() -> None:
    store = toy()
    change = store.put("Parent", "u1", {"name": "a"})
    assert change is not None
    assert (change.old, change.new, change.edges) == (None, store.row("Parent", "u1"), {})
    assert store.rows("Parent").__next__().as_dict() == {"name": "a", "color": "", "notes": {}}


def test_putting_what_is_there_is_no_change() -> None:
    store = toy()
    store.put("Parent", "u1", {"name": "a", "things": frozenset(["t1"])})
    assert store.put("Parent", "u1", {"name": "a", "things": frozenset(["t1"])}) is None


def test_edges_know_both_ends() -> None:
    store = toy()
    store.put("Parent", "u1", {"things": frozenset(["t1", "t2"])})
    store.put("Parent", "u2", {"things": frozenset(["t2"])})
    assert store.children("Parent", "things", "u1") == {"t1", "t2"}
    assert store.parents("Parent", "things", "t2") == ("u1", "u2")
    change = store.change_members("Parent", "u1", "things", Members(frozenset(["t3"]), frozenset(["t2"])))
    assert change is not None
    assert change.edges["things"].removed == {"t2"}
    assert change.changed("things")
    assert not change.changed("name")
    assert store.parents("Parent", "things", "t2") == ("u2",)
    assert store.parents("Parent", "things", "t3") == ("u1",)


def test_rows_of_an_index_among_others() -> None:
    store = toy()
    for number, color in enumerate(["red", "blue", "red", "red"]):
        store.put("Parent", f"u{number}", {"color": color})
    found = {color: store.find_among("Parent", "color", color, {"u3", "u1", "u0", "u9"}) for color in ("red", "blue", "green")}
    assert {color: [row.uuid for row in rows] for color, rows in found.items()} == {"red": ["u0", "u3"], "blue": ["u1"], "green": []}
    assert store.find_among("Parent", "color", "blue", {"u0"}) == []
    assert [set(store.filed("Parent", "color", color)) for color in ("red", "blue", "green")] == [{"u0", "u2", "u3"}, {"u1"}, set()]


def test_deleting_a_row_takes_its_edges_with_it_and_tells_them() -> None:
    store = toy()
    store.put("Parent", "u1", {"things": frozenset(["t1"])})
    change = store.delete("Parent", "u1")
    assert change is not None
    assert change.edges == {"things": Members(frozenset(), frozenset(["t1"]))}
    assert store.parents("Parent", "things", "t1") == ()
    assert store.delete("Parent", "u1") is None


def test_child_rows_are_only_those_that_are_known() -> None:
    store = toy()
    store.put("Parent", "u1", {"things": frozenset(["t1", "t2"])})
    store.put("Thing", "t2", {"label": "two"})
    assert [row["label"] for row in store.child_rows("Parent", "things", "u1", "Thing")] == ["two"]
    assert [row.uuid for row in store.parent_rows("Parent", "things", "t2")] == ["u1"]


def test_look_ups_are_in_ascending_order_of_the_uuids() -> None:
    """The lowest uuid is the first (spec routes-P8)."""
    store = toy()
    for uuid in ("c", "a", "b"):
        store.put("Parent", uuid, {"color": "red"})
    assert [row.uuid for row in store.find("Parent", "color", "red")] == ["a", "b", "c"]
    assert store.find("Parent", "color", "blue") == []
    assert store.first("Parent", "color", "blue") is None


def test_an_index_registered_late_knows_the_rows_that_were_there() -> None:
    store = toy()
    store.put("Parent", "u1", {"name": "n"})
    store.index("Parent", "name", lambda row: (row["name"],))
    assert [row.uuid for row in store.find("Parent", "name", "n")] == ["u1"]


def test_the_schema_of_a_simulated_server_is_complete() -> None:
    store = Store(IC_NORTHBOUND)
    assert store.schema.has("Transit_Router_Port", "tr_uuid")
    assert not store.schema.has("Transit_Router_Port", "external_ids")


_UUIDS = st.sampled_from("abcd")
_EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), _UUIDS, st.sampled_from(["red", "blue", ""]), st.frozensets(st.sampled_from("stu"))),
        st.tuples(st.just("delete"), _UUIDS, st.just(""), st.just(frozenset())),
        st.tuples(st.just("members"), _UUIDS, st.sampled_from("stu"), st.frozensets(st.sampled_from("stu"))),
    ),
    max_size=30,
)


@examples(200)
@given(edits=_EDITS)
def test_indexes_and_edges_follow_any_history(edits: list[tuple[str, str, str, frozenset[str]]]) -> None:
    store = toy()
    for kind, uuid, text, members in edits:
        if kind == "put":
            store.put("Parent", uuid, {"color": text, "things": members})
        elif kind == "delete":
            store.delete("Parent", uuid)
        elif store.row("Parent", uuid) is not None:
            now = store.children("Parent", "things", uuid)
            store.change_members("Parent", uuid, "things", Members(members - now, frozenset([text]) & now - members))
    fresh = toy()
    for row in store.rows("Parent"):
        fresh.put("Parent", row.uuid, {**row.as_dict(), "things": frozenset(store.children("Parent", "things", row.uuid))})
    for color in ("red", "blue", ""):
        assert store.find("Parent", "color", color) == fresh.find("Parent", "color", color)
    for thing in "stu":
        assert store.parents("Parent", "things", thing) == fresh.parents("Parent", "things", thing)
    assert set(store.index_keys("Parent", "color")) == set(fresh.index_keys("Parent", "color"))


def test_a_watcher_hears_of_every_difference_of_its_table() -> None:
    store = toy()
    heard: list[str] = []
    store.watch("Parent", lambda: heard.append("parent"))
    store.put("Thing", "t1", {"label": "a"})
    assert heard == []
    store.put("Parent", "u1", {"name": "a"})
    store.put("Parent", "u1", {"name": "a"})
    store.change_members("Parent", "u1", "things", Members(frozenset(["t1"]), frozenset()))
    store.delete("Parent", "u1")
    assert heard == ["parent"] * 3


def test_a_row_agrees_with_what_it_holds() -> None:
    store = toy()
    store.put("Parent", "u1", {"name": "a", "color": "red"})
    row = store.row("Parent", "u1")
    assert row is not None
    assert row.agrees({"name": "a"})
    assert row.agrees({"color": "red", "notes": {}})
    assert not row.agrees({"name": "a", "color": "blue"})
