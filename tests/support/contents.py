# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contents of all databases of an interconnect as values that can be compared between two set-ups.

Rows are named by natural keys and every uuid, in references and inside texts, is replaced by the natural key of the row it
points at. Tunnel keys are compared for agreement: one that equals what IC_SB says is shown as `= IC_SB`. What northd
counts, times or numbers on its own is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from .ovsdb import Database, Row
from .servers import AvailabilityZone, Interconnect

DATAPATH_KEYS = range(16711681, 16777216)
VXLAN_KEYS = range(1024, 4096)
PORT_KEYS = range(1, 32768)
AGREES = "= IC_SB"
LEFT_OVER = "of a row that is gone"

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

NOT_COMPARED = {
    "NB_Global": ("nb_cfg", "nb_cfg_timestamp", "sb_cfg", "sb_cfg_timestamp", "hv_cfg", "hv_cfg_timestamp"),
    "SB_Global": ("nb_cfg", "nb_cfg_timestamp"),
    "IC_NB_Global": ("nb_ic_cfg", "sb_ic_cfg"),
    "IC_SB_Global": ("nb_ic_cfg",),
    "Availability_Zone": ("nb_ic_cfg",),
}
"""Counters that the waiting itself moves, and northd's own time stamps."""


@dataclass(frozen=True)
class Entry:
    """One row: where it is, its natural key, and its columns as plain values."""

    database: str
    table: str
    key: str
    columns: Mapping[str, Plain]

    @property
    def place(self) -> str:
        """Database, table and key in one text; equal in both set-ups for what should be the same row."""
        return f"{self.database} {self.table} {self.key}"

    def without(self, *columns: str) -> Entry:
        """The same without some columns."""
        return replace(self, columns={column: value for column, value in self.columns.items() if column not in columns})

    def without_keys(self, column: str, drop: Callable[[str], bool]) -> Entry:
        """The same without some keys of a map column."""
        value = self.columns.get(column)
        if not isinstance(value, dict):
            return self
        return replace(self, columns={**self.columns, column: {key: member for key, member in value.items() if not drop(key)}})


def contents(interconnect: Interconnect) -> list[Entry]:
    """All rows of all databases, as comparable entries."""
    named = _named_databases(interconnect)
    keys = _Keys(named)
    tunnel_keys = _TunnelKeys(interconnect)
    entries = []
    for label, database in named.items():
        for table in database.tables():
            for row in database.rows(table):
                columns = {column: keys.plain(value) for column, value in row.columns.items() if column not in NOT_COMPARED.get(table, ())}
                tunnel_keys.compare(label, row, columns)
                entries.append(Entry(label, table, keys.of(row.uuid), columns))
    return entries


def _named_databases(interconnect: Interconnect) -> dict[str, Database]:
    named = {"IC_NB": interconnect.nb, "IC_SB": interconnect.sb}
    for zone in interconnect.zones:
        named[f"{zone.name}/NB"] = zone.nb
        named[f"{zone.name}/SB"] = zone.sb
    return named


NaturalKey = Callable[["_Keys", Row], str]


def _by(*columns: str) -> NaturalKey:
    return lambda keys, row: " ".join(str(keys.text(row[column])) for column in columns)


def _only(_keys: _Keys, _row: Row) -> str:
    return "."


def _static_route(keys: _Keys, row: Row) -> str:
    learned = row.map("external_ids").get("ic-learned-route", "")
    texts = "|".join(row.text(column) for column in ("route_table", "ip_prefix", "nexthop"))
    source = f"learned from {keys.text(learned)}" if learned else row.text("policy")
    return f"{keys.owner(row.uuid)} [{texts}] {source}".strip()


def _sb_datapath(keys: _Keys, row: Row) -> str:
    ids = row.map("external_ids")
    return str(keys.text(ids.get("logical-switch") or ids.get("logical-router") or ""))


NATURAL_KEYS: tuple[tuple[str, NaturalKey], ...] = (
    ("Availability_Zone", _by("name")),
    ("Transit_Switch", _by("name")),
    ("Transit_Router", _by("name")),
    ("IC_NB_Global", _only),
    ("IC_SB_Global", _only),
    ("NB_Global", _only),
    ("SB_Global", _only),
    ("Logical_Router", _by("name")),
    ("Logical_Switch", _by("name")),
    ("Logical_Router_Port", _by("name")),
    ("Logical_Switch_Port", _by("name")),
    ("Gateway_Chassis", _by("name")),
    ("Gateway", _by("name")),
    ("Chassis", _by("name")),
    ("Chassis_Private", _by("name")),
    ("Encap", lambda keys, row: f"{row.columns.get('chassis_name', row.columns.get('gateway_name'))} {row['type']} {row['ip']}"),
    ("Route", _by("availability_zone", "transit_switch", "route_table", "ip_prefix", "nexthop", "origin")),
    ("Logical_Router_Static_Route", _static_route),
    ("Datapath_Binding", lambda keys, row: row.text("transit_switch") if "transit_switch" in row.columns else _sb_datapath(keys, row)),
    ("Port_Binding", lambda keys, row: row.text("logical_port")),
    ("Multicast_Group", _by("datapath", "name")),
    ("HA_Chassis_Group", _by("name")),
    ("Address_Set", _by("name")),
    ("Port_Group", _by("name")),
    ("Load_Balancer", _by("name")),
)
"""The natural key of each table's rows, in an order in which a key only needs those before it."""


class _Keys:
    """The natural keys of all rows of a set-up."""

    def __init__(self, databases: Mapping[str, Database]) -> None:
        self._keys: dict[UUID, str] = {}
        self._owners: dict[UUID, str] = {}
        for table, natural in NATURAL_KEYS:
            for database in databases.values():
                if database.has(table):
                    self._add(database, table, natural)
        known = {table for table, _natural in NATURAL_KEYS}
        for database in databases.values():
            for table in database.tables():
                if table not in known:
                    self._add(database, table, self._by_contents)

    def _add(self, database: Database, table: str, natural: NaturalKey) -> None:
        for row in database.rows(table):
            self._keys[row.uuid] = natural(self, row)
            if table == "Logical_Router":
                self._owners.update(dict.fromkeys(row.refs("static_routes"), row.text("name")))

    @staticmethod
    def _by_contents(keys: _Keys, row: Row) -> str:
        return json.dumps({column: keys.plain(value) for column, value in row.columns.items()}, sort_keys=True)

    def of(self, uuid: UUID) -> str:
        """The natural key of a row; a row that is gone is told by its uuid only if an operator chose that."""
        gone = str(uuid) if uuid.version == 5 else "a row that is gone"
        return self._keys.get(uuid, gone)

    def owner(self, uuid: UUID) -> str:
        """The router that holds a static route."""
        return self._owners.get(uuid, "")

    def text(self, value: object) -> Plain:
        """A value with every uuid inside texts replaced."""
        if isinstance(value, UUID):
            return f"<{self.of(value)}>"
        if isinstance(value, str):
            return _UUID.sub(lambda match: f"<{self.of(UUID(match[0]))}>", value)
        if value is None or isinstance(value, (bool, int, float)):
            return value
        raise TypeError(f"{value!r} in an OVSDB column")

    def plain(self, value: object) -> Plain:
        """A column's value with uuids replaced, sets as sorted lists, maps with text keys."""
        if isinstance(value, frozenset):
            return sorted((self.text(member) for member in value), key=str)
        if isinstance(value, dict):
            return {str(self.text(key)): self.text(value[key]) for key in sorted(value, key=str)}
        return self.text(value)


class _TunnelKeys:
    """What IC_SB says about tunnel keys, and the faults in it."""

    def __init__(self, interconnect: Interconnect) -> None:
        self._switches = {row.text("transit_switch"): row.number("tunnel_key") for row in interconnect.sb.rows("Datapath_Binding")}
        self._routers = {row.number("tunnel_key") for row in interconnect.sb.rows("Datapath_Binding") if not row.text("transit_switch")}
        self._ports = {row.text("logical_port"): row.number("tunnel_key") for row in interconnect.sb.rows("Port_Binding")}
        self._datapaths: dict[UUID, str] = {}
        self._contested: set[UUID] = set()
        self._left: set[str] = set()
        for zone in interconnect.zones:
            leftovers = self._leftovers(zone)
            self._left.update(*leftovers.values())
            for row in zone.sb.rows("Datapath_Binding"):
                self._datapaths[row.uuid] = row.map("external_ids").get("interconn-ts", "")
                if self._datapaths[row.uuid] in leftovers:
                    self._contested.add(row.uuid)

    def _leftovers(self, zone: AvailabilityZone) -> dict[str, set[str]]:
        """The ports of each transit switch that are no longer published and still ask northd for their key: northd gives it to one port.

        Which one is northd's own choice, if the key was handed out to another port meanwhile; and whether it was, the history of the
        daemon that chose decides. So does it which key was left: upstream's gives a port another one when its row was deleted in IC_SB.
        """
        asking = {row.uuid: row.text("name") for row in zone.nb.rows("Logical_Switch_Port") if "requested-tnl-key" in row.map("options")}
        found: dict[str, set[str]] = {}
        for switch in zone.nb.rows("Logical_Switch"):
            left = {asking[uuid] for uuid in switch.refs("ports") & asking.keys()} - self._ports.keys()
            if left and "interconn-ts" in switch.map("other_config"):
                found.setdefault(switch.map("other_config")["interconn-ts"], set()).update(left)
        return found

    def compare(self, label: str, row: Row, columns: dict[str, Plain]) -> None:
        """Replace a row's tunnel keys by what they say: agreement, a value out of line, or nothing worth comparing."""
        if label == "IC_SB" and row.table in ("Datapath_Binding", "Port_Binding"):
            wanted = DATAPATH_KEYS if row.table == "Datapath_Binding" else PORT_KEYS
            columns["tunnel_key"] = "in range" if row.number("tunnel_key") in wanted else row.number("tunnel_key")
            if row.table == "Datapath_Binding" and row.number("tunnel_key") in VXLAN_KEYS:
                columns["tunnel_key"] = "in the range of VXLAN mode"
        elif row.table == "Logical_Switch":
            self._requested(columns, "other_config", self._switches.get(row.map("other_config").get("interconn-ts", "")))
        elif row.table == "Logical_Router":
            requested = row.map("options").get("requested-tnl-key", "")
            self._requested(columns, "options", next((key for key in self._routers if str(key) == requested), None))
        elif row.table in ("Logical_Switch_Port", "Logical_Router_Port"):
            self._requested_by_port(columns, row.text("name"))
        elif row.table == "Datapath_Binding":
            self._bound(columns, row, self._switches.get(self._datapaths[row.uuid]))
        elif row.table == "Port_Binding":
            datapath = row.ref("datapath")
            transit = datapath is not None and bool(self._datapaths.get(datapath))
            free = not transit or datapath in self._contested
            self._bound(columns, row, None if free else self._ports.get(row.text("logical_port")))
            self._requested_by_port(columns, row.text("logical_port"))

    def _requested_by_port(self, columns: dict[str, Plain], name: str) -> None:
        """The same of a port, whose key may also be left over from the time when it was published."""
        options = columns["options"]
        if name in self._left and isinstance(options, dict):
            asked = str(options.get("requested-tnl-key", ""))
            if asked.isdecimal() and int(asked) in PORT_KEYS:
                options["requested-tnl-key"] = LEFT_OVER
        self._requested(columns, "options", self._ports.get(name))

    @staticmethod
    def _requested(columns: dict[str, Plain], column: str, key: int | None) -> None:
        options = columns[column]
        if isinstance(options, dict) and key is not None and options.get("requested-tnl-key") == str(key):
            options["requested-tnl-key"] = AGREES

    @staticmethod
    def _bound(columns: dict[str, Plain], row: Row, key: int | None) -> None:
        if key is None:
            del columns["tunnel_key"]
        elif row.number("tunnel_key") == key:
            columns["tunnel_key"] = AGREES


def differences(left: Iterable[Entry], right: Iterable[Entry]) -> list[str]:
    """What differs between two set-ups, one readable line each; empty if nothing does."""
    places_left, places_right = _by_place(left), _by_place(right)
    lines: list[str] = []
    for place in sorted({*places_left, *places_right}):
        lines += _of_place(place, places_left.get(place, []), places_right.get(place, []))
    return lines


def _by_place(entries: Iterable[Entry]) -> dict[str, list[Mapping[str, Plain]]]:
    places: dict[str, list[Mapping[str, Plain]]] = {}
    for entry in entries:
        places.setdefault(entry.place, []).append(entry.columns)
    return places


def _of_place(place: str, left: list[Mapping[str, Plain]], right: list[Mapping[str, Plain]]) -> Iterator[str]:
    left, right = sorted(left, key=_text), sorted(right, key=_text)
    common = [columns for columns in left if columns in right]
    for columns in common:
        if columns in right:
            left.remove(columns)
            right.remove(columns)
    while left and right:
        yield from _of_columns(place, left.pop(0), right.pop(0))
    for columns in left:
        yield f"- {place}: {_text(columns)}"
    for columns in right:
        yield f"+ {place}: {_text(columns)}"


def _of_columns(place: str, left: Mapping[str, Plain], right: Mapping[str, Plain]) -> Iterator[str]:
    for column in sorted({*left, *right}):
        if left.get(column) != right.get(column):
            yield f"~ {place} {column}: {_text(left.get(column))} -> {_text(right.get(column))}"


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def key_faults(interconnect: Interconnect) -> list[str]:
    """Violations of what must hold for tunnel keys in every set-up: in range, and unique where they must be."""
    faults: list[str] = []
    seen: dict[tuple[str, int], str] = {}
    for row in interconnect.sb.rows("Datapath_Binding"):
        wanted = VXLAN_KEYS if row.number("tunnel_key") in VXLAN_KEYS else DATAPATH_KEYS
        faults += _fault(seen, ("", row.number("tunnel_key")), row.text("transit_switch"), wanted)
    for row in interconnect.sb.rows("Port_Binding"):
        faults += _fault(seen, (row.text("transit_switch"), row.number("tunnel_key")), row.text("logical_port"), PORT_KEYS)
    return faults


def _fault(seen: dict[tuple[str, int], str], place: tuple[str, int], name: str, wanted: range) -> Iterator[str]:
    if place[1] not in wanted:
        yield f"{name}: tunnel key {place[1]} is out of range"
    if place in seen:
        yield f"{name} and {seen[place]} have the same tunnel key {place[1]}"
    seen[place] = name
