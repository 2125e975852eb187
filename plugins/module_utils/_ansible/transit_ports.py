# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports of transit switches and routers: rows that exist only as members of the column ``ports`` of one row of another
table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..interconnect.engine.change import Change, add, insert, remove, update
from ..interconnect.operations.errors import ModuleError
from ..interconnect.operations.option_checks import checked_name, map_keys
from ..interconnect.ovsdb.store import Row, Store
from .arguments import STATE


class PortKind(NamedTuple):
    """Ports of transit switches or of transit routers.

    ``table`` is the table of the switches or routers, ``word`` what messages call them, ``ports`` the table of their
    ports. ``other_ports`` and ``other_word`` belong to the other kind: a port of each kind must not have the same name.
    """

    table: str
    ports: str
    word: str
    other_ports: str
    other_word: str

    @property
    def option(self) -> str:
        """The option that names the switch or router. The module that creates it is called ``ovn_ic_`` and this name."""
        return self.table.lower()

    @property
    def options(self) -> dict[str, Any]:
        """The options that both kinds of ports have in common."""
        return {"name": {"type": "str", "required": True}, self.option: {"type": "str"}, **STATE, "chassis": {"type": "str"}}


OF_SWITCH = PortKind("Transit_Switch", "Transit_Switch_Port", "transit switch", "Transit_Router_Port", "transit router")
OF_ROUTER = PortKind("Transit_Router", "Transit_Router_Port", "transit router", "Transit_Switch_Port", "transit switch")


def require(store: Store, table: str, what: str, version: str, release: str) -> None:
    """Raise ModuleError, with the present and the needed version, if the server's schema is older than ``table``."""
    if not store.schema.has(table):
        raise ModuleError(
            f"{what} need version {version} of this database's schema (OVN {release}), but the server has "
            f"{store.schema.version}; convert the database to a newer schema first",
            database=store.name,
        )


def named(store: Store, table: str, name: str) -> Row | None:
    """The row of that name, if there is one; the first by UUID if there are several."""
    rows = [row for row in store.rows(table) if row["name"] == name]
    return min(rows, key=lambda row: row.uuid) if rows else None


def holders(store: Store, kind: PortKind, port: Row) -> list[Row]:
    """The rows that refer to a port: one, or several by mistake."""
    return store.parent_rows(kind.table, "ports", port.uuid)


def neighbours(store: Store, kind: PortKind, holder: Row, port: str) -> list[Row]:
    """The other ports of the same holder."""
    return [row for row in store.child_rows(kind.table, "ports", holder.uuid, kind.ports) if row["name"] != port]


def place(store: Store, kind: PortKind, port: str, holder: Row | None, reason: str, held_by: list[Row]) -> Iterator[Change]:
    """Make ``holder`` the only row that refers to a port (by UUID or name). Without a holder, the port is deleted."""
    for row in held_by:
        if holder is None or row.uuid != holder.uuid:
            yield from update(store, kind.table, row, record=row["name"], reason=reason, members={"ports": remove(port)})
    if holder is not None:
        yield from update(store, kind.table, holder, record=holder["name"], reason=reason, members={"ports": add(port)})


def make_port(
    store: Store, kind: PortKind, holder: Row, name: str, columns: Mapping[str, Any], maps: Mapping[str, tuple[Any, bool]]
) -> list[Change]:
    """The Changes that give a port these contents. Omitted options (None) are not changed. ``maps``: column -> wanted
    keys, and whether others are removed.
    """
    row = named(store, kind.ports, name)
    given = {column: value for column, value in columns.items() if value is not None}
    now: Mapping[str, Any] = row.as_dict() if row is not None else {}
    keys = {column: map_keys(now.get(column, {}), wanted, column, purge) for column, (wanted, purge) in maps.items()}
    if row is None:
        new_maps = {column: {key: value for key, value in one.items() if value is not None} for column, one in keys.items()}
        made = insert(store, kind.ports, {"name": name, **given, **new_maps}, record=name, reason="state is present", name="@port")
        return [made, *place(store, kind, "@port", holder, f"port {name} is being added", [])]
    changes = list(update(store, kind.ports, row, record=name, reason="the options differ", columns=given, keys=keys))
    reason = f"port {name} belongs to {kind.word} {holder['name']}"
    return changes + list(place(store, kind, row.uuid, holder, reason, holders(store, kind, row)))


def remove_port(store: Store, kind: PortKind, name: str) -> list[Change]:
    """Remove the port from the row that refers to it, which deletes it."""
    row = named(store, kind.ports, name)
    if row is None:
        return []
    return list(place(store, kind, row.uuid, None, f"port {name} is being removed", holders(store, kind, row)))


def holder_of(params: Mapping[str, Any], store: Store, kind: PortKind, port: str) -> Row:
    """The switch or router that gets a port. Raises ModuleError if it does not exist, or if a port of the other kind has
    the name of the port.
    """
    if named(store, kind.other_ports, port) is not None:
        raise ModuleError(f"a port of a {kind.other_word} has the name {port!r}; choose another name", database=store.name)
    option = kind.option
    name = checked_name(params[option], option)
    row = named(store, kind.table, name)
    if row is None:
        raise ModuleError(
            f"{kind.word} {name!r} does not exist; create it with ovn_ic_{option}, or correct the option {option}", database=store.name
        )
    return row


def view(store: Store, kind: PortKind, name: str) -> dict[str, Any]:
    """A port as modules return it, with the name of its holder; empty if it does not exist."""
    row = named(store, kind.ports, name)
    if row is None:
        return {}
    columns = {column: sorted(value) if isinstance(value, frozenset) else value for column, value in row.as_dict().items()}
    held_by = ", ".join(one["name"] for one in holders(store, kind, row))
    return {**columns, "uuid": row.uuid, kind.option: held_by}
