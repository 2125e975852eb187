# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from collections.abc import Callable
from typing import TypeVar

from ovs.unixctl.server import UnixctlConnection

_Aux = TypeVar("_Aux")

class _UnixctlCommand:
    usage: str

commands: dict[str, _UnixctlCommand]

def command_register(
    name: str, usage: str, min_args: int, max_args: int, callback: Callable[[UnixctlConnection, list[str], _Aux], object], aux: _Aux
) -> None: ...
def socket_name_from_target(target: str) -> tuple[int, str]: ...
