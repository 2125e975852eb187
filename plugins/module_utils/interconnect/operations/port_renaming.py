# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of NB that refer to a router port by its name: they are updated when the port gets another name.

Matches of policies and access control lists also contain port names, as part of an expression. They are the operator's
text and are not changed.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..engine.change import Change, update
from ..ovsdb.replica import Replica
from ..ovsdb.store import Store

#: The column of each table that contains the name of a router port.
_REFERENCES = {"Logical_Router_Static_Route": "output_port", "BFD": "logical_port", "Static_MAC_Binding": "logical_port"}


def want_references(replica: Replica, name: str | None) -> None:
    """Read only the rows that refer to this router port; none with None."""
    for table, column in _REFERENCES.items():
        replica.want(table, [] if name is None else [[column, "includes", name]])


def rename_references(nb: Store, before: str, after: str) -> Iterator[Change]:
    """Update the rows that refer to the router port with the name ``before``."""
    for table, column in _REFERENCES.items():
        for row in nb.rows(table):
            if row[column] == before:
                reason = f"router port {before} is renamed"
                yield from update(nb, table, row, record=after, reason=reason, columns={column: after})
