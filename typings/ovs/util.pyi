# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from typing import NoReturn

PROGRAM_NAME: str
EOF: int

def abs_file_name(dir_: str | None, file_name: str) -> str | None: ...
def ovs_retval_to_string(retval: int) -> str: ...
def ovs_fatal(*args: object, **kwargs: object) -> NoReturn: ...
