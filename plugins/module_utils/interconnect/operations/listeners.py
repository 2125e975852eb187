# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables Connection and SSL of a global database, which two columns of its global row refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..address import parse_ip
from ..engine.change import Change, add, insert, remove, update
from ..ovsdb.columns import Database, declare
from ..ovsdb.store import Members, Row, Store
from ..tables import IC_NB, IC_SB
from .errors import ModuleError
from .option_checks import checked_name, checked_text, map_keys

Params = Mapping[str, Any]
Stores = Mapping[str, Store]

_TABLES = {
    "Connection": "target max_backoff:optint inactivity_probe:optint other_config:map external_ids:map",
    "SSL": "private_key certificate ca_cert bootstrap_ca_cert:bool ssl_protocols ssl_ciphers ssl_ciphersuites external_ids:map",
}
#: By the option ``database``: what is read of it, and the table of its global row.
DATABASES: Mapping[str, tuple[Database, str]] = {
    "ic_nb": (declare(IC_NB, {"IC_NB_Global": "connections:refs ssl:refs", **_TABLES}), "IC_NB_Global"),
    "ic_sb": (declare(IC_SB, {"IC_SB_Global": "connections:refs ssl:refs", **_TABLES}), "IC_SB_Global"),
}
FILES = ("private_key", "certificate", "ca_cert")
MAPS = ("other_config", "external_ids")
SHORTEST_BACKOFF = 1000
HIGHEST_PORT = 65535


def databases(params: Params) -> list[Database]:
    """The database in the option ``database``."""
    return [DATABASES[params["database"]][0]]


def desired(params: Params, stores: Stores) -> list[Change]:
    """The changes of connections and files; first of all the global row."""
    database, table = DATABASES[params["database"]]
    store = stores[database.name]
    _check(params, store)
    row = store.only(table)
    if row is None:
        return [insert(store, table, {}, record=".", reason="the database has no global row yet")] if _wants_any(params) else []
    return [*_connections(params, store, table, row), *_ssl(params, store, table, row)]


def _wants_any(params: Params) -> bool:
    return bool(params["connections"]) or bool(_given(params["ssl"]))


def _given(options: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (options or {}).items() if value is not None}


def _check(params: Params, store: Store) -> None:
    from ovs.stream import PassiveStream, Stream

    targets = [one["target"] for one in params["connections"] or ()]
    for one in params["connections"] or ():
        target, backoff = checked_name(one["target"], "target"), one["max_backoff"]
        if not (PassiveStream.is_valid_name(target) or Stream.is_valid_name(target) or target.startswith("pssl:")):
            raise ModuleError(f"{target!r} is not an OVSDB connection target; write pssl:PORT, ptcp:PORT:ADDRESS or ssl:HOST:PORT")
        _check_port(target)
        if targets.count(target) > 1:
            raise ModuleError(f"connections names {target} twice; name it once")
        probe = one["inactivity_probe"]
        if probe is not None and probe < 0:
            raise ModuleError(f"inactivity_probe of {target} is {probe}; set it to a number of milliseconds, or to 0 to disable probes")
        if backoff is not None and backoff < SHORTEST_BACKOFF:
            raise ModuleError(f"max_backoff of {target} is {backoff}; set it to at least {SHORTEST_BACKOFF} milliseconds")
    for name, text in _given(params["ssl"]).items():
        if isinstance(text, str):
            checked_text(text, f"ssl.{name}")
    suites = _given(params["ssl"]).get("ssl_ciphersuites")
    if suites and not store.schema.has("SSL", "ssl_ciphersuites"):
        raise ModuleError(
            "ssl_ciphersuites needs the schema of OVN 25.03 or later for this database, but the server has "
            f"version {store.schema.version}; convert the database to a newer schema first",
            database=store.name,
        )


def _check_port(target: str) -> None:
    """Raise ModuleError if a target has a port or a listening address that no server can use."""
    method, _colon, rest = target.partition(":")
    if method not in ("ptcp", "pssl", "tcp", "ssl"):
        return
    port, address = (rest.partition(":")[::2]) if method.startswith("p") else (rest.rpartition(":")[2], "")
    if port and not (port.isdecimal() and int(port) <= HIGHEST_PORT):
        raise ModuleError(f"{target!r} has the port {port!r}; give a number up to {HIGHEST_PORT}")
    if address and parse_ip(address.strip("[]")) is None:
        raise ModuleError(f"{target!r} is to listen on {address!r}, which is not an IP address; give an address of the server's host")


# ---- Connections -----------------------------------------------------------------------------------------------------


def _connections(params: Params, store: Store, table: str, owner: Row) -> Iterator[Change]:
    if params["connections"] is None:
        return
    rows = {row["target"]: row for row in store.child_rows(table, "connections", owner.uuid, "Connection")}
    wanted = {one["target"]: one for one in params["connections"]}
    new: set[str] = set()
    for number, (target, one) in enumerate(wanted.items()):
        row = rows.get(target)
        columns = {name: one[name] for name in ("inactivity_probe", "max_backoff") if one[name] is not None}
        keys = {column: map_keys(row[column] if row is not None else {}, one[column], f"{column} of {target}") for column in MAPS}
        if row is not None:
            yield from update(store, "Connection", row, record=target, reason="the options differ", columns=columns, keys=keys)
            continue
        maps = {column: {key: value for key, value in part.items() if value is not None} for column, part in keys.items()}
        new.add(f"@connection{number}")
        made = {"target": target, **columns, **maps}
        yield insert(store, "Connection", made, record=target, reason="the connection is being added", name=f"@connection{number}")
    members = Members(frozenset(new), frozenset(row.uuid for target, row in rows.items() if target not in wanted))
    gone = sorted(set(rows) - set(wanted))
    reason = f"connections does not list {', '.join(gone)}" if gone else "connections lists others"
    yield from update(store, table, owner, record=".", reason=reason, members={"connections": members})


# ---- Files -----------------------------------------------------------------------------------------------------------


def _ssl(params: Params, store: Store, table: str, owner: Row) -> Iterator[Change]:
    if params["ssl"] is None:
        return
    given = _given(params["ssl"])
    rows = store.child_rows(table, "ssl", owner.uuid, "SSL")
    row = rows[0] if rows else None
    if not given:
        if row is not None:
            yield from update(store, table, owner, record=".", reason="ssl is empty", members={"ssl": remove(row.uuid)})
        return
    keys = map_keys(row["external_ids"] if row is not None else {}, given.pop("external_ids", None), "ssl.external_ids")
    if row is not None:
        yield from update(store, "SSL", row, record=".", reason="the options differ", columns=given, keys={"external_ids": keys})
        return
    missing = [name for name in FILES if not given.get(name)]
    if missing:
        raise ModuleError(f"the database has no SSL row yet; give {', '.join(missing)} too, so that it can be created", database=store.name)
    given["external_ids"] = {key: value for key, value in keys.items() if value is not None}
    reason = "the servers are to speak TLS"
    yield insert(store, "SSL", given, record=".", reason=reason, name="@ssl")
    yield from update(store, table, owner, record=".", reason=reason, members={"ssl": add("@ssl")})


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The present connections and files."""
    database, table = DATABASES[params["database"]]
    store = stores[database.name]
    row = store.only(table)
    if row is None:
        return {"connections": [], "ssl": {}}
    connections = [one.as_dict() for one in store.child_rows(table, "connections", row.uuid, "Connection")]
    files = [one.as_dict() for one in store.child_rows(table, "ssl", row.uuid, "SSL")]
    return {"connections": sorted(connections, key=lambda one: str(one["target"])), "ssl": files[0] if files else {}}
