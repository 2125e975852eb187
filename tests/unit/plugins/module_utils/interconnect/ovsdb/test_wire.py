# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cutting a stream into messages, and column values to and from JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import Column
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.wire import (
    Framer,
    decode,
    decode_diff,
    decode_members,
    encode,
    first_error,
)
from ansible_collections.ovn.interconnect.tests.support.examples import examples

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab{}[]"\\ é\u2028', max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('k{}"\\', max_size=4), inner, max_size=4),
    max_leaves=12,
)


@examples(200)
@given(messages=st.lists(st.dictionaries(st.text('k"{\\', max_size=4), _JSON, max_size=4), min_size=1, max_size=6), data=st.data())
def test_messages_come_out_whole_however_the_stream_is_cut(messages: list[dict[str, object]], data: st.DataObject) -> None:
    gap = data.draw(st.sampled_from(["", " ", "\n"]))
    ascii_only = data.draw(st.booleans())
    stream = gap.join(json.dumps(message, ensure_ascii=ascii_only) for message in messages).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    framer = Framer()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)]):
        if end > start:
            found += framer.feed(stream[start:end])
    assert found == messages


def test_what_is_no_json_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        Framer().feed(b"hello")


@pytest.mark.parametrize(
    "shape, atom, wire, value",
    [
        ("scalar", "string", "x", "x"),
        ("scalar", "uuid", ["uuid", "u1"], "u1"),
        ("optional", "string", ["set", []], None),
        ("optional", "string", "x", "x"),
        ("optional", "boolean", ["set", [False]], False),
        ("set", "string", "x", frozenset(["x"])),
        ("set", "string", ["set", ["b", "a"]], frozenset(["a", "b"])),
        ("refs", "uuid", ["set", [["uuid", "u1"], ["uuid", "u2"]]], frozenset(["u1", "u2"])),
        ("refs", "uuid", ["uuid", "u1"], frozenset(["u1"])),
        ("map", "string", ["map", [["k", "v"]]], {"k": "v"}),
    ],
)
def test_decode(shape: str, atom: str, wire: object, value: object) -> None:
    column = Column("c", atom, shape)
    assert decode(column, wire) == value
    assert decode(column, encode(column, value)) == value


@pytest.mark.parametrize("wire", ["x", ["set", []], [1, 2, 3]])
def test_a_map_that_is_none_is_an_error(wire: object) -> None:
    with pytest.raises(ValueError, match="no map"):
        decode(Column("c", "string", "map"), wire)


def test_the_difference_of_a_map_adds_replaces_and_removes() -> None:
    column = Column("c", "string", "map")
    old = {"stays": "1", "goes": "2", "changes": "3"}
    difference = ["map", [["goes", "2"], ["changes", "4"], ["comes", "5"]]]
    assert decode_diff(column, old, difference) == {"stays": "1", "changes": "4", "comes": "5"}
    assert old == {"stays": "1", "goes": "2", "changes": "3"}


def test_the_difference_of_a_set_is_symmetric() -> None:
    assert decode_diff(Column("c", "string", "set"), frozenset("ab"), ["set", ["b", "c"]]) == frozenset("ac")


def test_the_difference_of_an_optional_column_is_its_new_value() -> None:
    assert decode_diff(Column("c", "string", "optional"), "a", ["set", []]) is None
    assert decode_diff(Column("c", "string", "optional"), None, "b") == "b"


def test_members_that_are_there_go_and_others_come() -> None:
    added, removed = decode_members(["set", [["uuid", "u1"], ["uuid", "u2"]]], frozenset(["u1"]))
    assert (added, removed) == (frozenset(["u2"]), frozenset(["u1"]))


def test_a_name_of_a_new_row_is_encoded_as_one() -> None:
    assert encode(Column("c", "uuid", "refs"), frozenset(["@port"]), "g3_") == ["set", [["named-uuid", "g3_port"]]]
    assert encode(Column("c", "string", "scalar"), "@port", "g3_") == "@port"


def test_the_first_error_of_a_reply() -> None:
    assert first_error([{}, {"uuid": ["uuid", "u"]}]) is None
    assert first_error([{}, {"error": "constraint violation", "details": "too long"}, None]) == (1, "constraint violation: too long")
    assert first_error([{"error": "aborted"}]) == (0, "aborted")
