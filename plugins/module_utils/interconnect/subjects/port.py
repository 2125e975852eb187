# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One port name in the four databases, and the writes that all kinds of ports share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.change import Change, Skipped, add, delete, insert, remove, update
from ..ovsdb.store import Row, RowChange
from ..settings import boolean
from ..zone import Zone
from . import transit
from .gateways import IS_REMOTE, flags_column, zone_name
from .tunnel_keys import PORT_KEYS, PortKeys

MANAGED_KEY = "interconn-tsp"
ROUTER_ID = "router-id"


@dataclass(frozen=True)
class Port:
    """The rows of one port name in all databases.

    ``binding`` is the IC_SB row of that name, of any owner and type. ``lsp`` is the NB switch port of that name,
    ``switch`` the NB switch that contains it, and ``home`` the IC_NB transit switch for which that switch stands, None
    for ordinary switches.
    """

    zone: Zone
    name: str
    binding: Row | None
    lsp: Row | None
    switch: Row | None
    home: Row | None

    @classmethod
    def of(cls, zone: Zone, name: str) -> Port:
        """Look up all rows."""
        lsp = zone.switch_port(name)
        holders = zone.nb.parent_rows("Logical_Switch", "ports", lsp.uuid) if lsp is not None else []
        switch = holders[0] if holders else None
        home = transit.transit_switch_of(zone, switch) if switch is not None else None
        return cls(zone, name, zone.ic_sb.first("Port_Binding", "logical_port", name), lsp, switch, home)

    @property
    def own(self) -> Row | None:
        """This zone's switch-type binding."""
        found = self.binding is not None and not transit.is_router_port(self.binding) and self.zone.is_own(self.binding)
        return self.binding if found else None

    @property
    def foreign(self) -> Row | None:
        """Another zone's switch-type binding."""
        found = self.binding is not None and not transit.is_router_port(self.binding) and not self.zone.is_own(self.binding)
        return self.binding if found else None

    @property
    def managed(self) -> bool:
        """Whether the NB port is marked as created for a transit switch port of IC_NB."""
        return self.lsp is not None and MANAGED_KEY in self.lsp["options"]

    def on(self, transit_switch: Row) -> bool:
        """Whether the NB port is on the switch of this transit switch."""
        return self.home is not None and self.home.uuid == transit_switch.uuid

    def is_placed(self, binding: Row, transit_switch: Row) -> bool:
        """Whether a binding is on this transit switch. An own binding may still have a former name of the transit
        switch.
        """
        name = binding["transit_switch"]
        if name == transit.shared_name(self.zone, transit_switch):
            return True
        forgotten = self.zone.is_own(binding) and self.on(transit_switch) and transit.transit_switch_named(self.zone, name) is None
        return forgotten and not transit.switch_datapaths(self.zone, name)

    def renamed(self, own: Row, transit_switch: Row, keys: KeySource) -> dict[str, Any]:
        """The changes that give an own binding its transit switch's name in IC_SB. The tunnel key changes only if
        another port has it there.
        """
        name = transit.shared_name(self.zone, transit_switch)
        if own["transit_switch"] == name:
            return {}
        key = keys.take(self.zone, self.name, name, own["tunnel_key"])
        return {"transit_switch": name} if isinstance(key, Skipped) else {"transit_switch": name, "tunnel_key": key}

    def taken(self) -> str | None:
        """Why a binding of this name cannot be created: another owner has the name, which is unique across all zones."""
        if self.binding is None or self.own is not None:
            return None
        if self.zone.is_own(self.binding):
            return f"a transit router port already has the name {self.name}; rename one of them"
        return (
            f"zone {zone_name(self.zone, self.binding)} already has a port {self.name}, and port names are unique "
            "across all zones; rename one of them"
        )

    def remove_lsp(self, reason: str) -> Iterator[Change]:
        """Remove the NB port from its switch."""
        if self.lsp is not None and self.switch is not None:
            members = {"ports": remove(self.lsp.uuid)}
            yield from update(self.zone.nb, "Logical_Switch", self.switch, record=self.name, reason=reason, members=members)

    def insert_lsp(self, switch: Row, columns: Mapping[str, Any], reason: str) -> Iterator[Change]:
        """Insert a new NB port of this name on a switch."""
        yield insert(self.zone.nb, "Logical_Switch_Port", {**columns, "name": self.name}, record=self.name, reason=reason, name="@port")
        members = {"ports": add("@port")}
        yield from update(self.zone.nb, "Logical_Switch", switch, record=self.name, reason=reason, members=members)

    def delete_binding(self, row: Row, reason: str) -> Change:
        """Withdraw an own binding."""
        return delete(self.zone.ic_sb, "Port_Binding", row, record=self.name, reason=reason)


class KeySource:
    """Assigns port keys, and remembers the ports for which no key was free.

    ``kind`` separates the reservations of switch ports from those of router ports with the same name.
    """

    def __init__(self, keys: PortKeys, kind: str) -> None:
        self._keys = keys
        self._kind = kind
        #: Ports for which no key was free, by transit switch or router.
        self._starved: dict[str, set[str]] = {}

    def begin(self, name: str) -> None:
        """A port is planned again: forget what was assigned to it."""
        self._keys.release((self._kind, name))
        for names in self._starved.values():
            names.discard(name)

    def take(self, zone: Zone, name: str, transit_name: str, wanted: int) -> int | Skipped:
        """A key for this port on this transit switch or router: ``wanted`` if it is free. Returns what to report if
        none is free.
        """
        key = self._keys.take(zone, (self._kind, name), transit_name, wanted)
        if key is not None:
            return key
        self._starved.setdefault(transit_name, set()).add(name)
        return Skipped(name, f"no tunnel key between 1 and {PORT_KEYS.stop - 1} is free on {transit_name}; remove unused ports")

    def freed(self, change: RowChange) -> Iterable[str]:
        """The ports that may get a key because this IC_SB port binding changed."""
        if change.old is None or not change.changed("tunnel_key", "transit_switch"):
            return ()
        return tuple(self._starved.get(change.old["transit_switch"], ()))


def is_local(zone: Zone, chassis: str) -> bool:
    """Whether a chassis of that name belongs to this zone; false for unknown chassis and the empty name (spec
    ports-1.3).
    """
    row = zone.chassis(chassis) if chassis else None
    return row is not None and not boolean(row[flags_column(zone)], IS_REMOTE)
