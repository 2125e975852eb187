# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rows a schema does not allow, and what a conversion has lost."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.file_contents import Contents, atoms
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.schema_conversion import check, differences, problems
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_schema as module

STRING = {"type": "string"}
SCHEMA: dict[str, Any] = {
    "name": "OVN_IC_Southbound",
    "version": "1.1.0",
    "tables": {
        "Route": {"columns": {"prefix": STRING, "table": STRING, "nexthop": {"type": {"key": "string", "min": 0, "max": 2}}}},
        "Encap": {"columns": {"type": STRING, "key": {"type": "integer"}, "options": {"type": {"key": "string", "value": "string"}}}},
    },
}


def contents(**tables: dict[str, dict[str, Any]]) -> Contents:
    """The rows that are given in the protocol's form."""
    rows = {
        table: {uuid: {column: atoms(value) for column, value in row.items()} for uuid, row in tables.get(table, {}).items()}
        for table in SCHEMA["tables"]
    }
    return Contents(SCHEMA, rows)


def newer(name: str, **change: Any) -> dict[str, Any]:
    """The schema with something of a table changed."""
    schema = copy.deepcopy(SCHEMA)
    schema["version"] = "1.2.0"
    for key, value in change.items():
        if key in ("indexes", "maxRows"):
            schema["tables"][name][key] = value
        elif value is None:
            del schema["tables"][name]["columns"][key]
        else:
            schema["tables"][name]["columns"][key] = {"type": value}
    return schema


def route(prefix: str = "10.0.0.0/8", table: str = "", nexthop: Any = ("set", [])) -> dict[str, Any]:
    return {"prefix": prefix, "table": table, "nexthop": list(nexthop) if isinstance(nexthop, tuple) else nexthop}


def encap(kind: str = "geneve", key: int = 1, options: Any = ("map", [["a", "b"]])) -> dict[str, Any]:
    return {"type": kind, "key": key, "options": list(options)}


def test_the_same_schema_allows_everything() -> None:
    assert problems(contents(Route={"u1": route(), "u2": route()}, Encap={"u3": encap()}), SCHEMA) == []


def test_duplicates_of_a_new_index_are_named_with_their_remedy() -> None:
    """Rows that a newer schema refuses are found before the conversion (spec deployment-H.5)."""
    rows = {"u1": route(), "u2": route(), "u3": route("10.1.0.0/16")}
    (sentence,) = problems(contents(Route=rows), newer("Route", indexes=[["prefix", "table"]]))
    assert sentence == (
        'two rows of Route have the same prefix, table (10.0.0.0/8, ""), which the schema allows once: u1, u2;'
        " remove all but one (ovn-ic-sbctl destroy Route u2)"
    ).replace("two", "2")


def test_sets_are_the_same_in_any_order() -> None:
    rows = {"u1": route(nexthop=("set", ["a", "b"])), "u2": route(nexthop=("set", ["b", "a"])), "u3": route(nexthop="a")}
    (sentence,) = problems(contents(Route=rows), newer("Route", indexes=[["nexthop"]]))
    assert "u1, u2;" in sentence


def test_an_index_over_a_column_that_is_new_meets_its_default() -> None:
    schema = newer("Route", owner={"key": "uuid", "min": 0}, indexes=[["owner", "prefix"]])
    assert problems(contents(Route={"u1": route(), "u2": route("10.1.0.0/16")}), schema) == []
    assert len(problems(contents(Route={"u1": route(), "u2": route()}), schema)) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": {"key": {"type": "string", "enum": ["set", ["vxlan"]]}}}, "does not allow geneve in type of Encap, as in u1"),
        ({"type": {"key": {"type": "string", "maxLength": 3}}}, "does not allow geneve in type"),
        ({"key": {"key": {"type": "integer", "minInteger": 2, "maxInteger": 9}}}, "does not allow 1 in key"),
        ({"key": "string"}, "does not allow 1 in key"),
        ({"key": {"key": "integer", "min": 0, "max": 1}}, ""),
        ({"options": {"key": {"type": "string", "enum": "c"}, "value": "string", "min": 0}}, "does not allow"),
        ({"options": None}, "no longer has a column options of Encap, which 1 rows use (u1); clear it"),
        ({"maxRows": 0}, "Encap has 1 rows but may have only 0"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], words: str) -> None:
    found = problems(contents(Encap={"u1": encap()}), newer("Encap", **change))
    assert words in found[0] if words else found == []


def test_a_row_that_belongs_to_another_is_removed_with_that() -> None:
    schema = copy.deepcopy(SCHEMA)
    schema["tables"]["Route"]["isRoot"] = True
    owner = {"prefix": atoms("p"), "table": atoms(""), "nexthop": atoms("n"), "owns": frozenset({("uuid", "u1")})}
    rows = {**contents(Encap={"u1": encap()}).tables, "Route": {"u9": owner}}
    (sentence,) = problems(Contents(schema, rows), newer("Encap", type={"key": {"type": "string", "enum": "vxlan"}}))
    assert sentence.endswith("(ovn-ic-sbctl destroy Route u9)")


def test_too_many_values_are_named() -> None:
    rows = {"u1": route(nexthop=("set", ["a", "b"]))}
    (sentence,) = problems(contents(Route=rows), newer("Route", nexthop={"key": "string", "min": 0, "max": 1}))
    assert "allows 0 to 1 values in nexthop of Route, unlike in u1" in sentence


def test_a_table_that_is_gone_may_be_empty_only() -> None:
    schema = copy.deepcopy(SCHEMA)
    del schema["tables"]["Encap"]
    assert problems(contents(Route={"u1": route()}), schema) == []
    assert "no longer has a table Encap" in problems(contents(Encap={"u1": encap()}), schema)[0]


def test_a_column_that_is_gone_may_hold_its_default_only() -> None:
    assert problems(contents(Route={"u1": route(nexthop=("set", []), table="")}), newer("Route", table=None)) == []


def test_lost_and_changed_rows_are_seen() -> None:
    before = contents(Route={"u1": route(), "u2": route("10.1.0.0/16")})
    assert differences(before, before) == []
    after = contents(Route={"u1": route("10.9.0.0/16")})
    assert differences(before, after) == [
        "Route had 2 rows and would have 1 (lost: u2)",
        "1 rows of Route would change (u1)",
    ]


def test_many_rows_are_counted_not_listed() -> None:
    rows = {f"u{number}": route() for number in range(1, 6)}
    (sentence,) = problems(contents(Route=rows), newer("Route", indexes=[["prefix"]]))
    assert "u1, u2, u3 and 2 more" in sentence


def test_a_schema_of_another_database_or_an_older_one_is_refused() -> None:
    with pytest.raises(ModuleError, match="that of Other, but the file contains OVN_IC_Southbound"):
        check(contents(), {**SCHEMA, "name": "Other"})
    with pytest.raises(ModuleError, match=r"already has the newer schema 1\.1\.0"):
        check(contents(), {**SCHEMA, "version": "1.0.9"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, r"cannot be read \(No such file or directory\)"),
        ("OVSDB CLUSTER 2 0000\n{}", "of a member of a cluster"),
        ("OVSDB JSON 2 0000\n{", "does not contain a standalone database"),
        ("something else", "does not contain a standalone database"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "file"
    if text is not None:
        path.write_text(text)
    (tmp_path / "schema").write_text(json.dumps(SCHEMA))
    with pytest.raises(ModuleError, match=words):
        module.work({"file": str(path), "schema": str(tmp_path / "schema"), "backup": None}, True)


@pytest.mark.parametrize("text", [None, "{", "[]", '{"name": "X"}'])
def test_a_schema_that_is_none_is_told(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "schema").write_text(text)
    with pytest.raises(ModuleError, match="schema"):
        module.work({"file": "f", "schema": str(tmp_path / "schema"), "backup": None}, True)
