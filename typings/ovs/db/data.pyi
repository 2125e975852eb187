# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from collections.abc import Callable
from typing import Any

from ovs.db.types import Type

class Datum:
    type: Type
    @staticmethod
    def from_python(type_: Type, value: Any, row_to_uuid: Callable[[Any], Any]) -> Datum: ...
