# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a check of the doctor consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from .databases import Databases, Finding

ERROR, WARNING = "error", "warning"
#: The page of the guide that has a section for each check, with the ID of the check as its anchor.
PAGE = "docs/doctor.md"

#: Yields the findings of one check or of several related ones.
Find = Callable[[Databases], Iterator[Finding]]
#: Returns why a check is not possible, None if it is.
Need = Callable[[Databases], "str | None"]


class Check(NamedTuple):
    """One check. ``cause`` and ``fix`` are sentences for the guide: what a finding means, and what to do about it."""

    id: str
    severity: str
    object: str
    cause: str
    fix: str
    find: Find
    needs: tuple[Need, ...]

    @property
    def link(self) -> str:
        """The section of the guide about this check."""
        return f"{PAGE}#{self.id}"

    @property
    def is_local(self) -> bool:
        """Whether the check is about the way to the databases instead of their contents."""
        return self.object in ("certificate", "connection", "host")

    def obstacle(self, databases: Databases) -> str | None:
        """Why the check is not possible, None if it is."""
        return next(filter(None, (need(databases) for need in self.needs)), None)


# Kinds of objects that several checks concern.
PORT, BINDING = "port of a transit switch", "Port_Binding of IC_SB"
ZONE, GATEWAY, ROUTER_PORT = "availability zone", "gateway", "logical router port"
