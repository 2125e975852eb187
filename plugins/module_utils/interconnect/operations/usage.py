# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which zones use a transit switch or router, and what they lose if it is removed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ..ovsdb.columns import declare
from ..ovsdb.replica import Replica
from ..ovsdb.store import Store
from ..sync.monitor_conditions import keeps_ports
from ..tables import IC_NB, IC_SB, NB
from ..zone import KEY_NOTE
from .errors import ModuleError

Params = Mapping[str, Any]
Stores = Mapping[str, Store]

GLOBAL = declare(
    IC_SB,
    {
        "Availability_Zone": "name",
        "Datapath_Binding": "transit_switch tunnel_key:int nb_ic_uuid:optuuid",
        "Port_Binding": "logical_port transit_switch availability_zone:uuid address",
        "Route": "transit_switch availability_zone:uuid ip_prefix nexthop",
    },
)
NORTH = declare(
    NB,
    {
        "NB_Global": "name",
        "Logical_Switch": "name ports:refs other_config:map external_ids:map",
        "Logical_Switch_Port": "name type",
        "Logical_Router": "name options:map external_ids:map",
    },
)
#: The maximum number of ports named in a message; the diff contains all of them.
_NAMED = 3


def narrow(params: Params, replicas: Mapping[str, Replica]) -> None:
    """Read only what is on the named switches and routers, and routes only before a removal."""
    want_shared(replicas, _named(params), params["state"] == "absent")
    if NB in replicas:
        replicas[NB].want("Logical_Switch_Port", [["type", "!=", ""]])
        replicas[NB].keeps_members = keeps_ports


def widen(params: Params, stores: Stores, replicas: Mapping[str, Replica], table: str) -> None:
    """Also read what IC_SB has under the former name of a transit object that was just renamed."""
    names = {shared for name in _named(params) for shared in shared_names(stores, table, name)}
    want_shared(replicas, names, params["state"] == "absent")


def _named(params: Params) -> set[str]:
    return {*params["name"], *filter(None, [params["rename_from"]])}


def want_shared(replicas: Mapping[str, Replica], names: set[str], routes: bool) -> None:
    """Read from IC_SB, if at all, only the ports and optionally the routes on the transit objects with these names."""
    if IC_SB in replicas:
        here = [["transit_switch", "==", name] for name in sorted(names)]
        replicas[IC_SB].want("Port_Binding", here or [False])
        replicas[IC_SB].want("Route", here if routes else [False])


def shared_names(stores: Stores, table: str, name: str) -> set[str]:
    """The names that the transit object may have in IC_SB: after a rename, its rows keep the former name for a while."""
    names = {name}
    if IC_SB in stores:
        for row in [row for row in stores[IC_NB].rows(table) if row["name"] == name]:
            for datapath in stores[IC_SB].rows("Datapath_Binding"):
                # Older schemas do not name the row; with those, the daemons have recorded its tunnel key in IC_NB.
                by_key = datapath["nb_ic_uuid"] is None and str(datapath["tunnel_key"]) == row["external_ids"].get(KEY_NOTE)
                if by_key or datapath["nb_ic_uuid"] == row.uuid:
                    names.add(datapath["transit_switch"])
    return names


def users(stores: Stores, table: str, name: str) -> dict[str, dict[str, list[str]]]:
    """By zone, the ports and routes that are removed with the transit object; under IC_NB those that IC_NB itself
    defines.

    ``table`` is Transit_Switch or Transit_Router. IC_SB and NB are used if they were read: NB has the ports of its zone
    that no daemon has published yet.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for zone, kind, record in (
        *_published(stores, shared_names(stores, table, name)),
        *_local(stores, table, name),
        *_defined(stores, table, name),
    ):
        records = found.setdefault(zone, {}).setdefault(kind, [])
        if record not in records:
            records.append(record)
    return {zone: {kind: sorted(records) for kind, records in sorted(kinds.items())} for zone, kinds in sorted(found.items())}


def _published(stores: Stores, names: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """What zones have in IC_SB."""
    store = stores.get(IC_SB)
    if store is None:
        return
    zones = {row.uuid: row["name"] for row in store.rows("Availability_Zone")}
    for row in store.rows("Port_Binding"):
        if row["transit_switch"] in names:
            yield zones.get(row["availability_zone"], ""), "ports", row["logical_port"]
    for row in store.rows("Route"):
        if row["transit_switch"] in names:
            yield zones.get(row["availability_zone"], ""), "routes", f"{row['ip_prefix']} via {row['nexthop']}"


def _local(stores: Stores, table: str, name: str) -> Iterator[tuple[str, str, str]]:
    """What the zone of NB has attached to its switch."""
    store = stores.get(NB)
    if store is None or table != "Transit_Switch":
        return
    row = store.only("NB_Global")
    zone = row["name"] if row is not None else ""
    for switch in store.rows("Logical_Switch"):
        if switch["other_config"].get("interconn-ts") == name:
            for uuid in store.children("Logical_Switch", "ports", switch.uuid):
                port = store.row("Logical_Switch_Port", uuid)
                if port is None or port["type"] != "remote":
                    yield zone, "ports", uuid if port is None else port["name"]


def _defined(stores: Stores, table: str, name: str) -> Iterator[tuple[str, str, str]]:
    """The ports that IC_NB has on it."""
    store = stores[IC_NB]
    for row in store.rows(table):
        if row["name"] == name:
            for port in store.child_rows(table, "ports", row.uuid, f"{table}_Port"):
                yield IC_NB, "ports", port["name"]


def refuse_use(params: Params, stores: Stores, table: str, word: str) -> None:
    """Raise ModuleError if an object to be removed is in use, or if that is not known, unless the option ``force`` is
    true.
    """
    if params["state"] != "absent" or params["force"]:
        return
    there = {row["name"] for row in stores[IC_NB].rows(table)}
    for name in [name for name in params["name"] if name in there]:
        used = users(stores, table, name)
        if used:
            raise ModuleError(
                f"the {word} {name!r} is in use: {'; '.join(_words(zone, kinds) for zone, kinds in used.items())}; detach the routers with"
                " ovn_ic_attachment and remove the ports first, or set force to true to remove it with all of them",
                database=IC_SB if IC_SB in stores else IC_NB,
            )
        if table == "Transit_Switch" and IC_SB not in stores:
            raise ModuleError(
                f"ic_sb_db is not given, so it is not known which zones use the {word} {name!r}; give it, or "
                "set force to true to remove the switch with all its ports in all zones"
            )


def _words(zone: str, kinds: Mapping[str, Sequence[str]]) -> str:
    ports, routes = kinds.get("ports", ()), kinds.get("routes", ())
    more = f" and {len(ports) - _NAMED} more" if len(ports) > _NAMED else ""
    parts = [f"{'port' if len(ports) == 1 else 'ports'} {', '.join(map(repr, ports[:_NAMED]))}{more}"] if ports else []
    parts += [f"{len(routes)} {'route' if len(routes) == 1 else 'routes'}"] if routes else []
    owner = "IC_NB defines" if zone == IC_NB else f"zone {zone!r} has"
    return f"{owner} {' and '.join(parts)}"


def lost(params: Params, stores: Stores, table: str) -> dict[str, Any]:
    """What zones lose by a removal, as entries of the diff: ``table/name/zone`` -> ports and routes."""
    if params["state"] != "absent":
        return {}
    return {f"{table}/{name}/{zone}": kinds for name in params["name"] for zone, kinds in users(stores, table, name).items()}
