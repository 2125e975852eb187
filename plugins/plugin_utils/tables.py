# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads tables that OVN's tools print with ``--format=json``, for filters."""

from __future__ import annotations

import json
from typing import Any


def rows(text: str) -> list[dict[str, Any]]:
    """The rows of one table: sets as lists, maps as dictionaries, UUIDs as texts."""
    printed = json.loads(text)
    return [dict(zip(printed["headings"], map(plain, row))) for row in printed["data"]]


def plain(value: Any) -> Any:
    """A value from the tools' JSON: a set as a list, a map as a dictionary, a UUID as a text."""
    if isinstance(value, list) and len(value) == 2 and value[0] in ("set", "map", "uuid"):
        if value[0] == "map":
            return dict(value[1])
        return [plain(one) for one in value[1]] if value[0] == "set" else value[1]
    return value


def listed(value: Any) -> list[Any]:
    """A column that is a set. The tools print a single member without the set around it."""
    return value if isinstance(value, list) else [value]
