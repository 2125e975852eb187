# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from typing import Any

class Error(Exception):
    msg: str
    json: Any
    tag: str
    def __init__(self, msg: str, json: Any = ..., tag: str | None = ...) -> None: ...
