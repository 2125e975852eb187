# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A zone over the few databases that a module has read, to apply the engine's own rules in a module."""

from __future__ import annotations

from collections.abc import Mapping

from ..engine.change import Change, Skipped, insert
from ..ovsdb.columns import Database, declare
from ..ovsdb.store import Store
from ..subjects.progress import has_counters
from ..subjects.zones import Zones, denied, withdrawal
from ..tables import DATABASES, IC_NB, IC_SB, NB, SB
from ..zone import TOKEN_KEY, ZONE_KEY, Zone
from .errors import ModuleError

Stores = Mapping[str, Store]


def zone_of(stores: Stores) -> Zone:
    """The zone over stores of :func:`narrowed` databases. A database that was not read is empty."""
    nb, sb, ic_nb, ic_sb = (stores.get(name) or Store(DATABASES[name]) for name in (NB, SB, IC_NB, IC_SB))
    return Zone(nb, sb, ic_nb, ic_sb)


def narrowed(name: str, tables: Mapping[str, str]) -> Database:
    """A database of the engine, restricted to these tables and columns; all others exist but are empty."""
    return declare(name, {**dict.fromkeys(DATABASES[name].tables, ""), **tables})


def refusal(stores: Stores, name: str, claim: bool) -> str | None:
    """Why the zone may not be registered under this name, None if it may: the daemon's reason if the zone had this
    name.

    ``claim``: an operator has confirmed that a row of this name belongs to the zone, regardless of other evidence.
    """
    nb, own = stores[NB], zone_of(stores).own_az
    if claim and own is not None and own["name"] != name and any(row["name"] == name for row in stores[IC_SB].rows("Availability_Zone")):
        return (
            f"the zone is registered as {own['name']!r}, and a zone has only one registration; withdraw it with "
            f"state absent before it claims {name!r}"
        )
    shadow = Store(nb.database, nb.schema)
    for table in ("Logical_Router", "Logical_Switch", "NB_Global"):
        for row in nb.rows(table):
            shadow.put(table, row.uuid, row.as_dict())
    now = nb.only("NB_Global")
    ids = now["external_ids"] if now is not None else {}
    shadow.put("NB_Global", now.uuid if now is not None else "new", {"name": name, "external_ids": {TOKEN_KEY: "new", **ids}})
    skipped = [step for step in _plan(zone_of({**stores, NB: shadow}), claim) if isinstance(step, Skipped)]
    if not skipped:
        return None
    unseen = SB not in stores and stores[IC_SB].count("Gateway") > 0
    return skipped[0].reason + ("; or give sb_db, so that its gateways can be compared with the zone's chassis" if unseen else "")


def registration(stores: Stores, claim: bool) -> list[Change]:
    """The next steps of the zone's registration, or of its withdrawal if it has no name."""
    zone = stores[NB].only("NB_Global")
    if zone is not None and not zone["name"] and ZONE_KEY not in zone["external_ids"]:
        return []
    if stores[IC_SB].only("IC_SB_Global") is None:
        return [insert(stores[IC_SB], "IC_SB_Global", {}, record=".", reason="the database has no global row yet")]
    return [step for step in _plan(zone_of(stores), claim) if isinstance(step, Change)]


def purge(stores: Stores, name: str) -> list[Change]:
    """The removal of a dead zone with all its rows in IC_SB. Raises ModuleError if there are signs that it is alive."""
    zone = zone_of(stores)
    Zones().prepare(zone)
    row = zone.ic_sb.first("Availability_Zone", "name", name)
    if row is None:
        return []
    own = zone.own_az
    if own is not None and own.uuid == row.uuid:
        raise ModuleError(f"{name!r} is the zone of nb_db itself; omit purge, so that it is withdrawn", database=IC_SB)
    requested = zone.ic_nb.only("IC_NB_Global")
    if requested is not None and has_counters(zone) and 0 < requested["nb_ic_cfg"] == row["nb_ic_cfg"]:
        raise ModuleError(
            f"the zone {name!r} has confirmed the newest request, number {row['nb_ic_cfg']}, so its sync daemon "
            "may be running; stop it, request the other zones' confirmation with ovn_ic_wait, and run the task "
            "again",
            database=IC_SB,
        )
    return list(withdrawal(zone, row, "the zone is being purged"))


def _plan(zone: Zone, claim: bool) -> list[Change | Skipped]:
    subject = Zones()
    subject.prepare(zone)
    if claim:
        row = denied(zone)
        zone.facts = zone.facts._replace(granted=row.uuid if row is not None else None)
    return list(subject.plan((), zone))
