# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from collections.abc import Sequence

class UnixctlClient:
    @staticmethod
    def create(path: str) -> tuple[int, UnixctlClient | None]: ...
    def transact(self, command: str, argv: Sequence[str]) -> tuple[int, str | None, str | None]: ...
    def close(self) -> None: ...
