# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from typing import Any

from ovs.db.types import Type

class ColumnSchema:
    name: str
    mutable: bool
    persistent: bool
    type: Type

class TableSchema:
    name: str
    columns: dict[str, ColumnSchema]
    mutable: bool
    max_rows: int
    is_root: bool
    indexes: list[Any]

class DbSchema:
    name: str
    version: str
    tables: dict[str, TableSchema]
    @staticmethod
    def from_json(json: dict[str, Any], allow_extensions: bool = ...) -> DbSchema: ...
    def to_json(self) -> dict[str, Any]: ...
