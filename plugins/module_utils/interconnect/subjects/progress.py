# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The global rows and the status counters (spec status-E).

sync/confirmation.py decides when this zone may confirm a number.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from ..engine.change import Change, insert, update
from ..engine.engine import ALL, Keys, Subject
from ..ovsdb.store import Row, RowChange
from ..tables import IC_NB, IC_SB
from ..zone import Zone


class Progress(Subject):
    """One key: the counters of this zone and of all zones."""

    name = "progress"
    facts = Subject.facts | {"confirmable"}
    requires = frozenset()
    tables = frozenset([(IC_NB, "IC_NB_Global"), (IC_SB, "IC_SB_Global"), (IC_SB, "Availability_Zone")])

    def fact_keys(self, changed: frozenset[str], zone: Zone) -> Keys:
        return (ALL,) if changed & Subject.facts else ((),)

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        return ((),) if change.changed("nb_ic_cfg", "sb_ic_cfg") else ()

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        return ((),)

    def plan(self, key: Hashable, zone: Zone) -> Iterator[Change]:
        wanted, shared = zone.ic_nb.only("IC_NB_Global"), zone.ic_sb.only("IC_SB_Global")
        for store, table, row in ((zone.ic_nb, "IC_NB_Global", wanted), (zone.ic_sb, "IC_SB_Global", shared)):
            if row is None:
                yield insert(store, table, {}, record=".", reason="the database has no global row yet")
        own = zone.own_az
        if wanted is None or shared is None or own is None or not has_counters(zone):
            return
        number = zone.facts.confirmable
        if number is not None:
            reason = f"everything requested by number {number} is committed"
            columns = {"nb_ic_cfg": number}
            yield from update(zone.ic_sb, "Availability_Zone", own, record=own["name"], reason=reason, columns=columns)
        yield from _report(zone, wanted, shared)


def _report(zone: Zone, wanted: Row, shared: Row) -> Iterator[Change]:
    """Write the number that all zones have confirmed to IC_NB, where ``ovn-ic-nbctl --wait=sb`` reads it."""
    number = wanted["nb_ic_cfg"]
    if laggards(zone):
        return
    reason = f"every zone has confirmed request {number}"
    yield from update(zone.ic_sb, "IC_SB_Global", shared, record=".", reason=reason, columns={"nb_ic_cfg": number})
    yield from update(zone.ic_nb, "IC_NB_Global", wanted, record=".", reason=reason, columns={"sb_ic_cfg": number})


def has_counters(zone: Zone) -> bool:
    """Whether both schemas have all four counters (24.03 and later)."""
    ic_nb, ic_sb = zone.ic_nb.schema, zone.ic_sb.schema
    in_nb = ic_nb.has("IC_NB_Global", "nb_ic_cfg") and ic_nb.has("IC_NB_Global", "sb_ic_cfg")
    return in_nb and ic_sb.has("IC_SB_Global", "nb_ic_cfg") and ic_sb.has("Availability_Zone", "nb_ic_cfg")


def laggards(zone: Zone) -> list[tuple[str, int]]:
    """The zones that have not confirmed the last request, with the last number they confirmed, by name."""
    row = zone.ic_nb.only("IC_NB_Global")
    number = row["nb_ic_cfg"] if row is not None else 0
    return sorted((az["name"], az["nb_ic_cfg"]) for az in zone.ic_sb.rows("Availability_Zone") if az["nb_ic_cfg"] != number)
