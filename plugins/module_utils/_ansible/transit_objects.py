# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transit switches and transit routers: rows of IC_NB that are identified by name, any number of them in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, NamedTuple

from ..interconnect.engine.change import Change, delete, insert, update
from ..interconnect.operations.errors import ModuleError
from ..interconnect.operations.option_checks import map_keys, present_name, refuse_kept
from ..interconnect.ovsdb.store import Row, Store
from ..interconnect.settings import boolean
from ..interconnect.tables import IC_NB, NB
from ..interconnect.zone import KEY_NOTE
from .arguments import STATE, map_options

Params = Mapping[str, Any]

MAPS = ("other_config", "external_ids")
OPTIONS: dict[str, Any] = {
    "name": {"type": "list", "elements": "str", "required": True},
    "rename_from": {"type": "str"},
    **STATE,
    "force": {"type": "bool", "default": False},
    **map_options(*MAPS),
}
#: The zone's counterpart of a transit object: the table, and the column and map key that mark it.
_COUNTERPARTS = {
    "Transit_Switch": ("Logical_Switch", "other_config", "interconn-ts"),
    "Transit_Router": ("Logical_Router", "options", "interconn-tr"),
}


class Kind(NamedTuple):
    """Transit switches or transit routers: the table, and what messages call its rows.

    ``other_table`` and ``other_word`` are those of the other kind. IC_SB refers to both kinds by name only, so a switch
    and a router must not have the same name.
    """

    table: str
    word: str
    other_table: str
    other_word: str


SWITCHES = Kind("Transit_Switch", "transit switch", "Transit_Router", "transit router")
ROUTERS = Kind("Transit_Router", "transit router", "Transit_Switch", "transit switch")

#: A function of the options and of the present maps. Returns the keys to write, by column; the value None removes a key.
Keys = Callable[[Params, Mapping[str, Mapping[str, str]]], "dict[str, dict[str, str | None]]"]


def wanted_keys(params: Params, now: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str | None]]:
    """The keys in the options of the maps. The tunnel key that the daemons record is kept."""
    refuse_kept(now["external_ids"], params["external_ids"], "external_ids", {KEY_NOTE: "the sync daemon"})
    return {column: map_keys(now[column], params[column], column, params[f"purge_{column}"], kept=(KEY_NOTE,)) for column in MAPS}


def names(params: Params) -> list[str]:
    """The desired names without duplicates. Raises ModuleError for those that no new object may get; an existing one
    can always be removed.
    """
    if not params["name"]:
        raise ModuleError("name is an empty list; give it at least one name")
    return list(dict.fromkeys(present_name(name, "name", params["state"]) for name in params["name"]))


def check_rename(params: Params, kind: Kind) -> None:
    """Raise ModuleError if ``rename_from`` contradicts the other options. Needs no database."""
    former, wanted = params["rename_from"], names(params)
    if former is None:
        return
    if not former.strip():
        raise ModuleError("rename_from is empty; give the former name, or omit it")
    if params["state"] == "absent":
        raise ModuleError(f"rename_from is given, but state is absent; omit rename_from to remove the {kind.word}, or set state to present")
    if len(wanted) > 1:
        raise ModuleError(f"rename_from is given, but name lists {len(wanted)} names; give only the new name")
    if former == wanted[0]:
        raise ModuleError(f"rename_from and name are both {former!r}; give the former name in rename_from and the new one in name")


def renamed(params: Params, store: Store, kind: Kind) -> Row | None:
    """The row to rename. None without ``rename_from``, or if the row already has its new name.

    Raises ModuleError if rows of both names exist, because one would have to replace the other, and if neither exists,
    because a misspelled former name would create a second object.
    """
    check_rename(params, kind)
    former = params["rename_from"]
    if former is None:
        return None
    (wanted,) = names(params)
    row, other = (next((one for one in store.rows(kind.table) if one["name"] == name), None) for name in (former, wanted))
    if row is not None and other is not None:
        raise ModuleError(
            f"both {kind.word} {former!r} and {kind.word} {wanted!r} exist, so {former!r} cannot get that name; "
            "choose another name, omit rename_from, or remove the one that is not needed",
            database=store.name,
        )
    if row is None and other is None:
        raise ModuleError(
            f"neither {kind.word} {former!r} (rename_from) nor {kind.word} {wanted!r} (name) exists; correct "
            f"rename_from, or omit it to create {wanted!r}",
            database=store.name,
        )
    return row


def refuse_namesake(params: Params, stores: Mapping[str, Store], kind: Kind) -> None:
    """Raise ModuleError if an ordinary switch or router of the zone has the name, if its database was read.

    A zone's daemon creates an object of this name for each new transit object, and two objects with the same name
    cannot be distinguished by name.
    """
    if NB not in stores or params["state"] == "absent":
        return
    known = {row["name"] for row in stores[IC_NB].rows(kind.table)}
    table, column, key = _COUNTERPARTS[kind.table]
    for row in stores[NB].rows(table):
        if row["name"] in params["name"] and row["name"] not in known and key not in row[column]:
            raise ModuleError(
                f"the zone has an ordinary {table.replace('_', ' ').lower()} {row['name']!r} ({table} without {column}:{key}); choose"
                f" another name for the {kind.word}, or rename that one",
                database=NB,
            )


def plan(params: Params, store: Store, kind: Kind, keys: Keys = wanted_keys) -> list[Change]:
    """One Change for each row that differs from the options. Raises ModuleError for a name that an object of the other
    kind has.
    """
    former = renamed(params, store, kind)
    rows = {row["name"]: row for row in store.rows(kind.table)}
    others = {row["name"] for row in store.rows(kind.other_table)}
    changes: list[Change] = []
    for number, name in enumerate(names(params)):
        row = former or rows.get(name)
        if params["state"] == "absent":
            changes += [] if row is None else [delete(store, kind.table, row, record=name, reason="state is absent")]
        elif name in others:
            raise ModuleError(f"a {kind.other_word} has the name {name!r}; choose another name", database=store.name)
        elif row is not None:
            wanted = keys(params, {column: row[column] for column in MAPS})
            reason = "the options differ" if former is None else f"the {kind.word} {former['name']} is renamed"
            changes += update(store, kind.table, row, record=name, reason=reason, columns={"name": name}, keys=wanted)
        else:
            made = keys(params, {column: {} for column in MAPS})
            maps = {column: {key: value for key, value in one.items() if value is not None} for column, one in made.items()}
            changes.append(insert(store, kind.table, {"name": name, **maps}, record=name, reason="state is present", name=f"@row{number}"))
    return changes


def view(params: Params, store: Store, kind: Kind, more: Callable[[Row], Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The named rows that exist, by name, with the additional data from ``more``."""
    rows = sorted((row for row in store.rows(kind.table) if row["name"] in params["name"]), key=lambda row: str(row["name"]))
    return [{"name": row["name"], "uuid": row.uuid, **more(row), **{column: dict(row[column]) for column in MAPS}} for row in rows]


def doing(word: str) -> Callable[[Params], str]:
    """A function that returns the beginning of failure messages. ``word`` is what messages call the objects."""

    def sentence(params: Params) -> str:
        names = params["name"] if isinstance(params["name"], list) else [params["name"]]
        if params.get("rename_from") and params["state"] == "present":
            return f"Renaming {word} {params['rename_from']!r} to {', '.join(map(repr, names))}"
        return f"{'Configuring' if params['state'] == 'present' else 'Removing'} {word} {', '.join(map(repr, names))}"

    return sentence


def refuse_vxlan(store: Store) -> None:
    """Raise ModuleError if tunnel keys have to fit into VXLAN, because those of transit routers never do (spec
    switches-V-4).
    """
    row = store.only("IC_NB_Global")
    if row is not None and boolean(row["options"], "vxlan_mode"):
        raise ModuleError(
            "vxlan_mode is on, but the tunnel keys of transit routers do not fit into VXLAN; turn it off with "
            "ovn_ic_global, or use a transit switch",
            database=store.name,
        )
