# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for zones: a request gets a number in IC_NB, and each zone confirms the number in its row of IC_SB (spec
status-E.2).
"""

from __future__ import annotations

import time
from collections.abc import Collection

from ..interconnect.operations.errors import ModuleError
from ..interconnect.ovsdb.columns import declare
from ..interconnect.ovsdb.store import Store
from ..interconnect.tables import IC_NB, IC_SB
from .session import Session, ask

GLOBAL_NORTH = declare(IC_NB, {"IC_NB_Global": "nb_ic_cfg:int"})
GLOBAL_SOUTH = declare(IC_SB, {"Availability_Zone": "name nb_ic_cfg:int"})


def check_counters(north: Store, south: Store) -> None:
    """Raise ModuleError if a schema is too old to have the counters."""
    for store, table, version in ((north, "IC_NB_Global", "1.1.0"), (south, "Availability_Zone", "1.2.0")):
        if not store.schema.has(table, "nb_ic_cfg"):
            raise ModuleError(
                f"zones confirm requests since version {version} of this database's schema (OVN 24.03), but the "
                f"server has {store.schema.version}; convert the database to a newer schema first",
                database=store.name,
            )


def confirmed(south: Store, names: Collection[str] | None) -> dict[str, int]:
    """The number that each of these zones has confirmed, of all zones for None. Raises ModuleError if one of the zones
    does not exist.
    """
    known = {row["name"]: row["nb_ic_cfg"] for row in south.rows("Availability_Zone")}
    missing = sorted(set(names or ()) - set(known))
    if missing:
        there = ", ".join(sorted(known)) or "none"
        raise ModuleError(
            f"no zone is named {' or '.join(map(repr, missing))} (registered: {there}); correct the option zones", database=IC_SB
        )
    return {name: number for name, number in sorted(known.items()) if names is None or name in names}


def request(session: Session) -> int:
    """Increase the request number by one, even if other clients do so at the same time. Raises ModuleError if the
    server does not answer or rejects it.
    """
    mutate = {"op": "mutate", "table": "IC_NB_Global", "where": [], "mutations": [["nb_ic_cfg", "+=", 1]]}
    select = {"op": "select", "table": "IC_NB_Global", "where": [], "columns": ["nb_ic_cfg"]}
    rows = ask(session, IC_NB, [mutate, select])[1]["rows"]
    if not rows:
        raise ModuleError("the database has no global row yet; start the sync daemon of a zone, or call ovn-ic-nbctl init", database=IC_NB)
    number: int = rows[0]["nb_ic_cfg"]
    return number


def wait_for_zones(session: Session, names: Collection[str] | None, rounds: int, seconds: float) -> None:
    """Request confirmation by the zones this many times in sequence. Raises ModuleError with the names of those that
    have not confirmed.
    """
    end = time.monotonic() + seconds
    south = session.stores[IC_SB]
    for _round in range(rounds):
        before = confirmed(south, names)
        number = request(session)

        def late(before: dict[str, int] = before, number: int = number) -> list[str]:
            """The zones that have not confirmed the request.

            After a restore of IC_NB, zones may have confirmed a higher number than that of the new request. Such a zone
            counts as late until its number changes.
            """
            now = confirmed(south, names)
            return [
                f"{name} (at {one})" for name, one in now.items() if one < number or (before.get(name, 0) >= number and one == before[name])
            ]

        if not session.wait(lambda late=late: not late(), max(0.0, end - time.monotonic())):  # type: ignore[misc]
            raise ModuleError(
                f"after {seconds:g} s request {number} is not confirmed by {', '.join(late())}; check that their sync daemons run and reach"
                " both global databases, or name the other zones in the option zones",
                database=IC_SB,
            )
