# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the NB and SB of other zones, for modules that answer a question about several zones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..interconnect.ovsdb.columns import Database, extended
from ..interconnect.ovsdb.replica import Replica
from ..interconnect.ovsdb.store import Store
from ..interconnect.sync.pairing import COLUMNS
from ..interconnect.tables import NB, SB
from .arguments import OPTIONS
from .module import tls_files
from .session import Session

Params = Mapping[str, Any]


def read(params: Params, databases: Sequence[Database], narrow: Callable[[Params, Mapping[str, Replica]], None]) -> list[dict[str, Store]]:
    """The contents of the databases in the option ``zones``, by database name. ``databases``: the parts of NB and SB that
    are read. Raises ModuleError if one cannot be read.
    """
    found = []
    for zone in params["zones"]:
        targets = {one.name: (extended(one, COLUMNS[one.name]), zone[OPTIONS[one.name]]) for one in databases if one.name in (NB, SB)}
        session = Session(targets, tls_files(params), params["timeout"], only_read=tuple(targets))
        try:
            narrow(params, session.replicas)
            session.load()
            found.append(session.stores)
        finally:
            session.close()
    return found
