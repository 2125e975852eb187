# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way that every module goes: options -> read -> plan -> (check mode ends here) -> commit -> read back -> result.

A module is a declaration: its options, the databases that it reads, and functions of options and contents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Union

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ..interconnect.change import Change, diff, results
from ..interconnect.client import IMPORT_ERROR, LibraryError
from ..interconnect.replica import Replica, Tls
from ..interconnect.schema import Database
from ..interconnect.simulation import Simulation
from ..interconnect.store import Store
from .arguments import DEFAULTS, OPTIONS, connection_spec
from .errors import ModuleError
from .session import Session

Params = Mapping[str, Any]
#: The contents of the databases that were read, by database name. An optional database that was not named is not in it.
Stores = Mapping[str, Store]

#: The databases of a module, or what they are with these options.
Databases = Union[Sequence[Database], Callable[[Params], Sequence[Database]]]

#: Plans after which a module is called restless: each sees what the one before has written.
MOST_WAVES = 12


def nothing(_params: Params, _stores: Stores) -> list[Change]:
    """What a module wants that only reads."""
    return []


@dataclass(frozen=True)
class Declaration:
    """A module, all of it.

    ``desired`` names the Changes that are to be written; it is asked again with the new contents until there are none, for what can only be
    written once another row is there. ``describe`` gives the returned object. ``doing`` begins every sentence about a failure, such as
    "Attaching router lr1". ``awaited`` says what is not yet there that the module waits for after its changes, None if nothing. ``narrow``
    tells the replicas, before they connect, which rows the module can do without. ``act`` is what a module does beside writing rows; it is
    left out in check mode. ``warn`` returns one sentence for each way in which the object, as it is after the run, has no effect or not the
    expected one; check mode asks it about the simulated contents, so that both modes warn of the same.
    """

    options: Mapping[str, Any]
    needed: Databases
    desired: Callable[[Params, Stores], Sequence[Change]]
    describe: Callable[[Params, Stores], Mapping[str, Any]]
    doing: Callable[[Params], str]
    optional: Databases = ()
    awaited: Callable[[Params, Stores], ModuleError | None] = lambda _params, _stores: None
    narrow: Callable[[Params, Mapping[str, Replica]], None] = lambda _params, _replicas: None
    act: Callable[[Params, Session], None] = lambda _params, _session: None
    warn: Callable[[Params, Stores], Sequence[str]] = lambda _params, _stores: ()
    constraints: Mapping[str, Any] = field(default_factory=dict)


def run(declaration: Declaration) -> None:
    """Do what a module declares, and end the process with its result."""
    module = AnsibleModule(
        argument_spec={**connection_spec(), **declaration.options}, supports_check_mode=True, **dict(declaration.constraints)
    )
    session: Session | None = None
    try:
        session = _connect(declaration, module.params)
        session.load()
        outcome = _check(declaration, module.params, session) if module.check_mode else _work(declaration, module.params, session)
    except (ModuleError, LibraryError) as error:
        fail(module, declaration.doing(module.params), error, session)
    else:
        warnings = declaration.warn(module.params, session.stores)
        session.close()
        for sentence in warnings:
            module.warn(sentence)
        module.exit_json(**outcome)


def fail(module: AnsibleModule, doing: str, error: Exception, session: Session | None = None) -> None:
    """End the process with one sentence: what was being done, where, why it failed, what to do; and the same as data."""
    if isinstance(error, LibraryError):
        if IMPORT_ERROR is None:
            module.fail_json(msg=f"{doing} failed: {error}")
        reason = "to speak to OVSDB servers: install the package python3-openvswitch, or ovs with pip"
        module.fail_json(msg=missing_required_lib("ovs", reason=reason), exception=IMPORT_ERROR)
    database = getattr(error, "database", None)
    data: dict[str, Any] = {}
    place = ""
    if database is not None:
        data["failed_target"] = _remote(database, module.params) or DEFAULTS[database]
        place = "" if data["failed_target"] in str(error) else f" in {database} at {data['failed_target']}"
        if session is not None and database in session.stores and session.stores[database].schema.version:
            data["schema_version"] = session.stores[database].schema.version
    if getattr(error, "ovsdb_error", None):
        data["ovsdb_error"] = getattr(error, "ovsdb_error", None)
    module.fail_json(msg=f"{doing} failed{place}: {error}", **data)


def tls_files(params: Params) -> Tls:
    """The files of the TLS identity, from the options."""
    return Tls(params["private_key"], params["certificate"], params["ca_cert"])


def _remote(database: str, params: Params) -> str | None:
    remote: str | None = params.get(OPTIONS[database])
    return remote


def _databases(databases: Databases, params: Params) -> Sequence[Database]:
    return databases(params) if callable(databases) else databases


def _connect(declaration: Declaration, params: Params) -> Session:
    targets = {one.name: (one, _remote(one.name, params) or DEFAULTS[one.name]) for one in _databases(declaration.needed, params)}
    for one in _databases(declaration.optional, params):
        remote = _remote(one.name, params)
        if remote:
            targets[one.name] = (one, remote)
    if params["timeout"] <= 0:
        raise ModuleError("timeout is not above 0; give it the seconds that a server may take to answer")
    session = Session(targets, tls_files(params), params["timeout"])
    declaration.narrow(params, session.replicas)
    return session


def _outcome(declaration: Declaration, params: Params, stores: Stores, changes: Sequence[Change], made: set[str]) -> dict[str, Any]:
    described = _without(dict(declaration.describe(params, stores)), made)
    if declaration.desired is nothing:
        return {"changed": False, **described}
    return {"changed": bool(changes), "changes": _without(results(changes), made), "diff": diff(changes), **described}


def _check(declaration: Declaration, params: Params, session: Session) -> dict[str, Any]:
    """Plan over the contents in memory until nothing is left to plan."""
    simulation = Simulation(session.stores)
    changes: list[Change] = []
    for _wave in range(MOST_WAVES):
        wave = declaration.desired(params, session.stores)
        if not wave:
            break
        changes += wave
        simulation.apply(wave)
    return _outcome(declaration, params, session.stores, changes, simulation.made)


def _work(declaration: Declaration, params: Params, session: Session) -> dict[str, Any]:
    changes: list[Change] = []
    refused: Sequence[Change] = ()
    for _wave in range(MOST_WAVES):
        wave = declaration.desired(params, session.stores)
        if not wave:
            break
        result = session.commit(wave)
        if result.refusal is not None:
            # Another writer may have been faster: then its row is here by now, and the plan is another one.
            if list(wave) == list(refused):
                raise _refusal(wave, result.refusal)
            refused = wave
        elif not result.unknown:
            changes += wave
    else:
        raise ModuleError("somebody else keeps changing it back; find the other writer, then run the task again", database=wave[0].database)
    declaration.act(params, session)
    _await(declaration, params, session)
    return _outcome(declaration, params, session.stores, changes, set())


def _refusal(changes: Sequence[Change], reason: str) -> ModuleError:
    database, _space, words = reason.partition(" refused it: ")
    wanted = ", ".join(dict.fromkeys(f"{change.action} {change.table} {change.record!r}" for change in changes))
    advice = "change or remove the row that is in the way"
    if (words or reason).startswith(("not allowed", "permission error")):
        advice = "name a server that may be written to, neither a backup nor one that allows this client to read only"
    return ModuleError(
        f"the server refused to {wanted}: {words or reason}; {advice}",
        database=database if words else changes[0].database,
        ovsdb_error=words or reason,
    )


def _await(declaration: Declaration, params: Params, session: Session) -> None:
    """Wait, bounded by the option wait_timeout, for what others have to do."""
    seconds = params.get("wait_timeout", 0)
    if not session.wait(lambda: declaration.awaited(params, session.stores) is None, seconds):
        missing = declaration.awaited(params, session.stores)
        if missing is not None:
            raise ModuleError(f"after {seconds} s {missing}", database=missing.database)


def _without(value: Any, made: set[str]) -> Any:
    """The same with the uuids of rows that do not exist yet as None."""
    if isinstance(value, dict):
        return {key: _without(one, made) for key, one in value.items()}
    if isinstance(value, list):
        return [_without(one, made) for one in value]
    return None if isinstance(value, str) and value in made else value
