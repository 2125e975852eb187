# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from typing import Any

class AtomicType:
    name: str
    @staticmethod
    def from_string(s: str) -> AtomicType: ...

class BaseType:
    type: AtomicType
    enum: Any
    min: float | None
    max: float | None
    min_length: int
    max_length: int
    ref_table_name: str | None
    ref_type: str | None
    def is_ref(self) -> bool: ...

class Type:
    key: BaseType
    value: BaseType | None
    n_min: int
    n_max: int
    def is_scalar(self) -> bool: ...
    def is_optional(self) -> bool: ...
    def is_set(self) -> bool: ...
    def is_map(self) -> bool: ...
