# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who created an NB switch or router that stands for a transit object, and how it ends (docs/architecture.md).

An object that this interconnect created has OWNER_KEY and is deleted together with its definition. An object that
existed before is adopted: it has ADOPTED_KEY, and it is released when its definition is deleted. Its creator keeps it,
with all ports that this interconnect did not create. Objects without marks are recognized by what upstream's daemon
writes to a switch that it creates, and by what it never writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..engine.change import Skipped, Step, delete, remove, update
from ..ovsdb.store import Row
from ..settings import integer
from ..zone import ADOPTED_KEY, OWNER_KEY, ROW_KEY, Zone

REQUESTED_KEY = "requested-tnl-key"


class Kind(NamedTuple):
    """A kind of NB object that stands for a transit object.

    ``column`` contains ``marker``, the key that names the transit object; ``others`` are further keys that an ovn-ic
    writes there. ``port_mark`` is the key in a port's options that shows that an ovn-ic created the port. ``word`` is
    what the object is called, "switch" or "router".
    """

    table: str
    ports: str
    transit: str
    word: str
    column: str
    marker: str
    others: tuple[str, ...]
    port_mark: str

    @property
    def noun(self) -> str:
        """What the transit object is called."""
        return f"transit {self.word}"


SWITCH = Kind(
    "Logical_Switch",
    "Logical_Switch_Port",
    "Transit_Switch",
    "switch",
    "other_config",
    "interconn-ts",
    ("ic-vxlan_mode",),
    "interconn-tsp",
)
ROUTER = Kind("Logical_Router", "Logical_Router_Port", "Transit_Router", "router", "options", "interconn-tr", (), "interconn-tr")


def row_of(kind: Kind, zone: Zone, row: Row) -> Row | None:
    """The IC_NB row for which an NB object was created or adopted, whatever its name is now. None if that row was
    deleted.
    """
    return zone.ic_nb.row(kind.transit, row["external_ids"].get(ROW_KEY))


def new_marks(name: str, transit: Row) -> dict[str, str]:
    """The contents of external_ids of a new object."""
    return {OWNER_KEY: name, ROW_KEY: transit.uuid}


def marks(kind: Kind, zone: Zone, row: Row, transit: Row) -> dict[str, str | None] | None:
    """The desired contents of external_ids of an existing object. The first call decides whether it counts as adopted.

    None while a port of the switch is not loaded yet. The decision depends on the ports, and nothing may be written
    before it, because a tunnel key would make the switch look like one that upstream's daemon created.
    """
    ids, name = row["external_ids"], transit["name"]
    keys: dict[str, str | None] = {mark: name for mark in (OWNER_KEY, ADOPTED_KEY) if mark in ids}
    if ROW_KEY not in ids:
        made = was_made_by_ovn_ic(kind, zone, row)
        if made is None:
            return None
        if not made:
            keys.update({ADOPTED_KEY: name, OWNER_KEY: None})
    keys[ROW_KEY] = transit.uuid
    return keys


def end(kind: Kind, zone: Zone, row: Row, name: str, *, proof: bool) -> Iterator[Step]:
    """Delete or release an object whose transit object no longer exists in IC_NB. ``proof``: whether something other
    than the object's marks shows that the transit object existed in this zone.
    """
    ids = row["external_ids"]
    reason = f"IC_NB has no {kind.noun} {name}"
    created = ADOPTED_KEY not in ids and (ROW_KEY in ids or _has_traces(kind, zone, row) is False)
    if not proof and not any(mark in ids for mark in (ADOPTED_KEY, ROW_KEY, OWNER_KEY)):
        place = f"{kind.table} {row['name']} has {kind.marker}={name}"
        doubt = f"IC_NB has no such {kind.noun} and nothing shows that this interconnect created it"
        yield Skipped(row["name"] or row.uuid, f"{place}, but {doubt}: delete it manually, or remove the key")
    elif created:
        yield delete(zone.nb, kind.table, row, record=row["name"], reason=reason)
    else:
        yield Skipped(
            row["name"] or row.uuid,
            (f"{reason}: {kind.table} {row['name']} is released but not deleted, because another program created it"),
        )
        yield from _release(kind, zone, row, f"{reason}: released, because another program created it")


def resolve_surplus(kind: Kind, zone: Zone, row: Row, name: str) -> Step:
    """Handle a second object that is marked as standing for the same transit object.

    The object is deleted if it was created by this interconnect and has no ports of others, or if it is empty, has
    another name and belongs to no other program. Otherwise it is reported.
    """
    ids = row["external_ids"]
    ports = list(zone.nb.children(kind.table, "ports", row.uuid))
    ours = ADOPTED_KEY not in ids and (OWNER_KEY in ids or ROW_KEY in ids) and len(_our_ports(kind, zone, row)) == len(ports)
    empty = not ports and row["name"] != name and not _has_other_ids(row)
    if ours or empty:
        reason = f"another {kind.word} already stands for {kind.noun} {name}"
        return delete(zone.nb, kind.table, row, record=row["name"], reason=reason)
    return Skipped(
        row["name"] or row.uuid,
        (
            f"{kind.table} {row['name']} ({row.uuid}) has {kind.marker}={name}, but another one already stands for "
            f"{kind.noun} {name}: remove the key {kind.marker} from one of them, or move the ports and delete one"
        ),
    )


def namesakes(kind: Kind, zone: Zone, name: str) -> Iterator[Skipped]:
    """Objects that have the name of a transit object without being part of it. Operators, and tools that use names,
    confuse them.
    """
    for row in zone.nb.find(kind.table, "name", name):
        if kind.marker not in row[kind.column]:
            yield Skipped(
                name,
                (
                    f"{kind.table} {name} ({row.uuid}) has the name of {kind.noun} {name} but is not part of it: "
                    f"rename one of them, or move {kind.column}:{kind.marker}={name} from the other one to it"
                ),
            )


def _release(kind: Kind, zone: Zone, row: Row, reason: str) -> Iterator[Step]:
    """Remove our map keys and ports from an object of another program, and the tunnel keys that its own ports were
    given.
    """
    gone = _our_ports(kind, zone, row)
    keys: dict[str, dict[str, str | None]] = {
        kind.column: dict.fromkeys((kind.marker, REQUESTED_KEY, *kind.others)),
        "external_ids": dict.fromkeys((OWNER_KEY, ADOPTED_KEY, ROW_KEY)),
    }
    members = {"ports": remove(*gone)}
    yield from update(zone.nb, kind.table, row, record=row["name"], reason=reason, keys=keys, members=members)
    for port in zone.nb.child_rows(kind.table, "ports", row.uuid, kind.ports):
        if kind is SWITCH and port.uuid not in gone and port["type"] in ("router", "switch"):
            request = {"options": {REQUESTED_KEY: None}}
            yield from update(zone.nb, kind.ports, port, record=port["name"], reason=reason, keys=request)


def _our_ports(kind: Kind, zone: Zone, row: Row) -> list[str]:
    """The ports that an ovn-ic created: those defined in IC_NB, and copies of other zones' ports."""
    ports: Iterable[Row] = zone.nb.child_rows(kind.table, "ports", row.uuid, kind.ports)
    return [port.uuid for port in ports if kind.port_mark in port["options"] or (kind is SWITCH and port["type"] == "remote")]


def _has_other_ids(row: Row) -> bool:
    return any(not key.startswith(OWNER_KEY) for key in row["external_ids"])


def was_made_by_ovn_ic(kind: Kind, zone: Zone, row: Row) -> bool | None:
    """Whether an object without ROW_KEY looks like one that an ovn-ic created. None while a port is not loaded yet.

    Upstream's daemon gives a switch the transit object's name and a tunnel key, and writes no external_ids. Version
    0.1.0 of this collection set OWNER_KEY on adopted objects too, so that key proves nothing if another program has
    written to the object.
    """
    config = row[kind.column]
    if OWNER_KEY not in row["external_ids"] and (row["name"] != config.get(kind.marker) or not integer(config, REQUESTED_KEY, 0)):
        return False
    traces = _has_traces(kind, zone, row)
    return None if traces is None else not traces


def _has_traces(kind: Kind, zone: Zone, row: Row) -> bool | None:
    """Whether an object has contents that no ovn-ic and no operator of an interconnect writes: external_ids of others,
    VIF or localnet ports.

    None while a port is not loaded yet.
    """
    if _has_other_ids(row):
        return True
    if kind is ROUTER:
        return False
    uuids = zone.nb.children(kind.table, "ports", row.uuid)
    ports = zone.nb.child_rows(kind.table, "ports", row.uuid, kind.ports)
    if any(port["type"] not in ("remote", "router", "switch") and kind.port_mark not in port["options"] for port in ports):
        return True
    return False if len(ports) == len(uuids) else None
