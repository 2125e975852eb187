# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OVSDB's wire format: splitting a byte stream into JSON messages, and converting column values to and from JSON (RFC
7047, 5.1).

Splitting is implemented here because it determines the time of a cold start: the standard library's parser reads a dump
of 100 000 rows in half a second, while the one of python-ovs takes nineteen seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from sys import intern
from typing import Any

from .columns import Column
from .store import Members


class Framer:
    """Splits a byte stream into JSON objects. Objects may follow each other without a gap, chunks may end anywhere,
    strings may contain braces.
    """

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._carry = b""
        self._depth = 0
        self._in_string = False
        self._decoder = json.JSONDecoder()

    def feed(self, data: bytes) -> list[Any]:
        """The objects that these bytes complete. Raises ValueError if the stream is not JSON."""
        self._chunks.append(data)
        self._scan(self._carry + data)
        if self._depth > 0 or self._in_string:
            return []
        text = b"".join(self._chunks).decode("utf-8")
        self._chunks = []
        return self._decode(text)

    def _scan(self, data: bytes) -> None:
        """Track strings and braces through a chunk without a Python loop over its bytes."""
        backslashes = len(data) - len(data.rstrip(b"\\"))
        self._carry = b"\\" if backslashes % 2 else b""
        if self._carry:
            data = data[:-1]
        parts = data.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        first = 1 if self._in_string else 0
        outside = b"".join(parts[first::2])
        self._depth += outside.count(b"{") - outside.count(b"}")
        self._in_string ^= len(parts) % 2 == 0

    def _decode(self, text: str) -> list[Any]:
        messages: list[Any] = []
        place, end = 0, len(text)
        while True:
            while place < end and text[place].isspace():
                place += 1
            if place == end:
                return messages
            message, place = self._decoder.raw_decode(text, place)
            messages.append(message)


def decode(column: Column, value: Any) -> Any:
    """Convert a column value from JSON to the form of the column's shape. Raises ValueError if it has another shape."""
    read = decoder(column)
    return value if read is None else read(value)


def decoder(column: Column) -> Callable[[Any], Any] | None:
    """:func:`decode` for one column, to be used for many rows. None if a value is identical to its JSON form."""
    if column.shape == "map":
        return _decode_map
    if column.literal:
        return intern if column.repeated else None
    if column.shape == "scalar":
        return _decode_repeated if column.repeated else _atom
    return _decode_optional if column.shape == "optional" else _decode_set


def _decode_map(value: Any) -> dict[str, str]:
    return {intern(key): one for key, one in _tagged(value, "map")}


def _decode_repeated(value: Any) -> Any:
    return intern(_atom(value))


def _decode_optional(value: Any) -> Any:
    members = _members(value)
    return members[0] if members else None


def _decode_set(value: Any) -> frozenset[Any]:
    return frozenset(_members(value))


def decode_diff(column: Column, old: Any, value: Any) -> Any:
    """The new value of a column, from the difference in update2 and update3 (ovsdb-server(7), 4.1.14)."""
    if column.shape == "map":
        merged = dict(old)
        for key, new in _tagged(value, "map"):
            if merged.get(key) == new:
                del merged[key]
            else:
                merged[key] = new
        return merged
    if column.shape == "set":
        return old ^ frozenset(_members(value))
    return decode(column, value)


def decode_members(value: Any, now: frozenset[str]) -> Members:
    """The members that a difference adds to and removes from a ``refs`` column that holds ``now``."""
    changed = _members(value)
    return Members(frozenset(uuid for uuid in changed if uuid not in now), frozenset(uuid for uuid in changed if uuid in now))


def _tagged(value: Any, tag: str) -> list[Any]:
    if not isinstance(value, list) or len(value) != 2 or value[0] != tag:
        raise ValueError(f"no {tag}: {value!r}")
    members: list[Any] = value[1]
    return members


def _members(value: Any) -> list[Any]:
    if isinstance(value, list) and value and value[0] == "set":
        return [_atom(member) for member in value[1]]
    return [_atom(value)]


def _atom(value: Any) -> Any:
    return value[1] if isinstance(value, list) else value


def encode(column: Column, value: Any, names: str = "") -> Any:
    """Convert a column value to JSON. A UUID ``@name`` refers to a row that the same transaction inserts as
    ``<names>name``.
    """
    if column.literal:
        return value
    if column.shape == "map":
        return encode_map(value.items())
    if column.shape == "scalar":
        return _encode_atom(column, value, names)
    if column.shape == "optional":
        return ["set", [] if value is None else [_encode_atom(column, value, names)]]
    return encode_set(column, value, names)


def encode_map(pairs: Iterable[tuple[str, str]]) -> Any:
    """Convert a map to JSON."""
    return ["map", [[key, value] for key, value in sorted(pairs)]]


def encode_set(column: Column, members: Iterable[Any], names: str = "") -> Any:
    """Convert a set of the column's atoms to JSON."""
    return ["set", [_encode_atom(column, member, names) for member in sorted(members)]]


def _encode_atom(column: Column, value: Any, names: str) -> Any:
    if column.atom != "uuid":
        return value
    return ["named-uuid", names + value[1:]] if value.startswith("@") else ["uuid", value]


def where(uuid: str) -> Any:
    """The condition that selects one row."""
    return [["_uuid", "==", ["uuid", uuid]]]


def first_error(result: Any) -> tuple[int, str] | None:
    """The position of the error in a transaction's reply, and the server's message; None if there is no error."""
    for place, one in enumerate(result or ()):
        if isinstance(one, Mapping) and "error" in one:
            details = one.get("details")
            return place, f"{one['error']}: {details}" if details else str(one["error"])
    return None
