# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of every module: options -> read -> plan -> (check mode ends here) -> commit -> read back -> result.

A module is a declaration: its options, the databases that it reads, and functions of options and contents.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from traceback import format_exception
from typing import Any, Callable, Protocol, Union

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ..interconnect.engine.change import Change, diff, results
from ..interconnect.engine.simulation import Simulation
from ..interconnect.operations.errors import ModuleError, unexpected
from ..interconnect.operations.shown import explained
from ..interconnect.ovsdb.client import IMPORT_ERROR, LibraryError
from ..interconnect.ovsdb.columns import Database, extended
from ..interconnect.ovsdb.replica import Replica, Tls
from ..interconnect.ovsdb.store import Store
from ..interconnect.sync.pairing import COLUMNS
from ..interconnect.tables import NB, SB
from .arguments import DEFAULTS, OPTIONS, connection_spec
from .session import Session, advice_on, server_words

Params = Mapping[str, Any]
#: The contents of the databases that were read, by database name. Does not contain an optional database that was not
#: given.
Stores = Mapping[str, Store]

#: The databases of a module, or a function that returns them for given options.
Databases = Union[Sequence[Database], Callable[[Params], Sequence[Database]]]

#: The maximum number of plans, each of which sees what the previous one has written. A module that needs more fails.
MOST_WAVES = 12


def nothing(_params: Params, _stores: Stores) -> list[Change]:
    """The plan of a module that only reads."""
    return []


def _no_act(_params: Params, _session: Session) -> None:
    """The action of a module that only writes rows."""


@dataclass(frozen=True)
class Declaration:
    """What a module is made of. The functions take the options (``Params``) and the contents (``Stores``).

    options: the argument spec, without the connection options.
    needed, optional: the databases that are read. An optional one is read only if its option is given.
    desired: returns the Changes to write. It is called again with the new contents until it returns none, for objects
        that can be written only after another row exists.
    describe: returns the resulting object, as a part of the module's result.
    doing: returns the beginning of failure messages, such as "Attaching router lr1".
    awaited: returns the error to raise if other programs do not do their part in time; None if nothing is left to wait for.
    only_read: the databases that the module never writes, although it writes others. They may be relays.
    narrow: is called before the replicas connect, and restricts the rows that they read.
    widen: is called when these rows have been read, and requests further ones.
    once: if true, ``desired`` is not called again after its Changes were written.
    act: does what the module does apart from writing rows. Not called in check mode.
    warn: is called after the run, in check mode with the simulated contents. Returns one sentence for each reason why
        the object has no effect, or not the expected one.
    check: raises ModuleError for invalid options. Called before any connection is made.
    lost: returns what zones lose by the changes, by its name in the diff. Called before the first change.
    constraints: further arguments of AnsibleModule, such as ``required_if``.
    """

    options: Mapping[str, Any]
    needed: Databases
    desired: Callable[[Params, Stores], Sequence[Change]]
    describe: Callable[[Params, Stores], Mapping[str, Any]]
    doing: Callable[[Params], str]
    optional: Databases = ()
    awaited: Callable[[Params, Stores], ModuleError | None] = lambda _params, _stores: None
    narrow: Callable[[Params, Mapping[str, Replica]], None] = lambda _params, _replicas: None
    widen: Callable[[Params, Stores, Mapping[str, Replica]], None] = lambda _params, _stores, _replicas: None
    only_read: Collection[str] = ()
    once: bool = False
    act: Callable[[Params, Session], None] = _no_act
    warn: Callable[[Params, Stores], Sequence[str]] = lambda _params, _stores: ()
    check: Callable[[Params], None] = lambda _params: None
    lost: Callable[[Params, Stores], Mapping[str, Any]] = lambda _params, _stores: {}
    constraints: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reads_only(self) -> bool:
        """Whether the module never writes."""
        return self.desired is nothing and self.act is _no_act


class Writer(Protocol):
    """Writes to databases for a module, and records what was written, also if the module fails."""

    @property
    def written(self) -> Sequence[Change]:
        """The Changes that were written, or may have been."""

    @property
    def stores(self) -> Stores:
        """The contents of the databases, by name."""


class Module(AnsibleModule):
    """The library's module, which also explains options that are misspelled, and refuses lists and dictionaries where a text is wanted."""

    def _load_params(self) -> None:
        super()._load_params()
        #: The options as they were given, before the library converts them: a list becomes its Python notation where a text is wanted.
        self.given: Params = dict(self.params)

    def fail_json(self, msg: str, **data: Any) -> None:
        """End the process with a failure."""
        hints = [_misspelled(self.params, self.argument_spec), *_misshapen(getattr(self, "given", {}), self.argument_spec)]
        super().fail_json(msg="; ".join([msg.rstrip("."), *filter(None, hints)]), **data)

    def check_shapes(self) -> None:
        """End the process where an option that takes a text was given a list or a dictionary."""
        for sentence in _misshapen(getattr(self, "given", {}), self.argument_spec):
            super().fail_json(msg=sentence)


def _misshapen(given: Params, spec: Mapping[str, Any], place: str = "") -> list[str]:
    """What is wrong with lists and dictionaries in place of texts, and with texts in place of dictionaries; also in suboptions."""
    found: list[str] = []
    for name, option in spec.items():
        value, inner, where = given.get(name), option.get("options"), f"{place}{name}"
        is_list = option.get("type") == "list"
        kind = option.get("elements", "str") if is_list else option.get("type", "str")
        for one in value if is_list and isinstance(value, list) else [value]:
            if kind in ("str", "path") and isinstance(one, (list, dict)) and not (is_list and one is value):
                what = "a dictionary" if isinstance(one, dict) else "a list"
                found.append(f"{where} has {what} ({one!r}) where it takes a text; write one text")
            elif kind == "dict" and inner is not None and isinstance(one, dict):
                found += _misshapen(one, inner, f"{where}.")
            elif kind == "dict" and inner is not None and isinstance(one, str) and not one.lstrip().startswith("{") and "=" not in one:
                found.append(f"{where} has {one!r} where it takes a dictionary; write its keys: {', '.join(sorted(inner))}")
    return found


def _misspelled(given: Params, spec: Mapping[str, Any]) -> str:
    """The corrections of options that the module does not have, empty if there are none or nothing is similar."""
    aliases = [alias for option in spec.values() for alias in option.get("aliases", ())]
    known = [*spec, *aliases]
    pairs = [(name, get_close_matches(name, known, 1)) for name in given if name not in known and not name.startswith("_ansible")]
    meant = [f"{name} looks like the option {similar[0]}" for name, similar in pairs if similar]
    return f"{', '.join(meant)}: correct the name" if meant else ""


def run(declaration: Declaration) -> None:
    """Carry out a module's declaration, and end the process with its result."""
    module = Module(argument_spec={**connection_spec(), **declaration.options}, supports_check_mode=True, **dict(declaration.constraints))
    sessions: list[Session] = []

    def work() -> dict[str, Any]:
        declaration.check(module.params)
        session = _connect(declaration, module.params)
        sessions.append(session)
        session.load()
        declaration.widen(module.params, session.stores, session.replicas)
        session.load()
        outcome = (_check if module.check_mode else _work)(declaration, module.params, session)
        for sentence in declaration.warn(module.params, session.stores):
            module.warn(sentence)
        session.close()
        return outcome

    conclude(module, declaration.doing, work, sessions)


def conclude(
    module: AnsibleModule, doing: Callable[[Params], str], work: Callable[[], Mapping[str, Any]], sessions: Sequence[Writer] = ()
) -> None:
    """End the process with the result of ``work``, or with one sentence about its failure, for every module and every
    exception.

    If ``work`` fails, the last element of ``sessions`` is its session, if it had one: what it has written is reported.
    """
    if isinstance(module, Module):
        module.check_shapes()
    try:
        _check_seconds(module.params)
        outcome = work()
    except Exception as error:
        fail(module, doing(module.params), error, sessions[-1] if sessions else None)
    else:
        module.exit_json(**outcome)


def _check_seconds(params: Params) -> None:
    """Raise ModuleError for a bound of a wait that leaves no time."""
    if params["timeout"] <= 0:
        raise ModuleError(f"timeout is {params['timeout']}; set it to the number of seconds that a server may take to answer, at least 1")
    if params.get("wait_timeout", 0) < 0:
        raise ModuleError(f"wait_timeout is {params['wait_timeout']}; set it to a number of seconds, or to 0 not to wait")


def fail(module: AnsibleModule, doing: str, error: Exception, session: Writer | None = None) -> None:
    """End the process with a message that says what failed, where, why, and what to do, and with the same as data."""
    written = list(session.written) if session is not None else []
    data: dict[str, Any] = {"changed": bool(written) or getattr(error, "changed", False)}
    if written:
        data.update(changes=results(written), diff=diff(written))
    if isinstance(error, LibraryError):
        if IMPORT_ERROR is None:
            module.fail_json(msg=f"{doing} failed: {error}", **data)
        reason = "to speak to OVSDB servers: install the package python3-openvswitch, or ovs with pip"
        module.fail_json(msg=missing_required_lib("ovs", reason=reason), exception=IMPORT_ERROR, **data)
    elif isinstance(error, ModuleError):
        _fail(module, doing, error, session, data)
    else:
        trace = None if isinstance(error, OSError) else "".join(format_exception(type(error), error, error.__traceback__))
        module.fail_json(msg=f"{doing} failed: {unexpected(error)}", **data, **({"exception": trace} if trace else {}))


def _fail(module: AnsibleModule, doing: str, error: ModuleError, session: Writer | None, data: dict[str, Any]) -> None:
    database, place = error.database, ""
    if database is not None:
        data["failed_target"] = _remote(database, module.params) or DEFAULTS[database]
        place = "" if data["failed_target"] in str(error) else f" in {database} at {data['failed_target']}"
        if session is not None and database in session.stores and session.stores[database].schema.version:
            data["schema_version"] = session.stores[database].schema.version
    if error.ovsdb_error:
        data["ovsdb_error"] = error.ovsdb_error
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
    if NB in targets and SB in targets:
        targets.update({name: (extended(targets[name][0], COLUMNS[name]), targets[name][1]) for name in (NB, SB)})
    only_read = list(targets) if declaration.reads_only else declaration.only_read
    session = Session(targets, tls_files(params), params["timeout"], only_read=only_read)
    declaration.narrow(params, session.replicas)
    return session


def _outcome(
    declaration: Declaration, params: Params, stores: Stores, changes: Sequence[Change], lost: Mapping[str, Any], made: set[str]
) -> dict[str, Any]:
    described = _without(dict(declaration.describe(params, stores)), made)
    if declaration.desired is nothing:
        return {"changed": False, **described}
    difference = diff(changes)
    if changes:
        difference["before"].update(lost)
    return {"changed": bool(changes), "changes": _without(results(changes), made), "diff": difference, **described}


def _check(declaration: Declaration, params: Params, session: Session) -> dict[str, Any]:
    """Plan with the contents in memory until nothing is left to plan."""
    simulation = Simulation(session.stores)
    changes: list[Change] = []
    lost = declaration.lost(params, session.stores)
    for _wave in range(MOST_WAVES):
        wave = explained(declaration.desired(params, session.stores), session.stores.values())
        if not wave:
            break
        changes += wave
        simulation.apply(wave)
        if declaration.once:
            break
    refusal = session.rehearse(changes) if changes else None
    if refusal is not None:
        raise _refusal(changes, refusal)
    return _outcome(declaration, params, session.stores, changes, lost, simulation.made)


def _work(declaration: Declaration, params: Params, session: Session) -> dict[str, Any]:
    lost = declaration.lost(params, session.stores)
    refused: Sequence[Change] = ()
    for _wave in range(MOST_WAVES):
        wave = explained(declaration.desired(params, session.stores), session.stores.values())
        if not wave:
            break
        result = session.commit(wave)
        if result.refusal is not None:
            # Another client may have been faster. Its row is then loaded by now, and the plan differs.
            if list(wave) == list(refused):
                raise _refusal(wave, result.refusal)
            refused = wave
        elif declaration.once and not result.unknown:
            break
    else:
        raise ModuleError(
            f"another program keeps reverting the changes of {', '.join(_written_rows(wave))}; find and stop it, then run the task again",
            database=wave[0].database,
        )
    declaration.act(params, session)
    _await(declaration, params, session)
    return _outcome(declaration, params, session.stores, session.written, lost, set())


def _written_rows(changes: Sequence[Change]) -> list[str]:
    return list(dict.fromkeys(f"{change.table} {change.record!r}" for change in changes))


def _refusal(changes: Sequence[Change], reason: str) -> ModuleError:
    database, _space, words = reason.partition(" rejected it: ")
    if not words:
        database, words = changes[0].database, reason
    words = server_words(words)
    concerned = [change for change in changes if change.database == database] or changes
    wanted = ", ".join(dict.fromkeys(f"{change.action} {change.table} {change.record!r}" for change in concerned))
    return ModuleError(f"the server rejected the request to {wanted}: {words}; {advice_on(words)}", database=database, ovsdb_error=words)


def _await(declaration: Declaration, params: Params, session: Session) -> None:
    """Wait until other programs have done their part, at most for the option wait_timeout."""
    seconds = params.get("wait_timeout", 0)
    if not session.wait(lambda: declaration.awaited(params, session.stores) is None, seconds):
        missing = declaration.awaited(params, session.stores)
        if missing is not None:
            raise ModuleError(f"after {seconds} s {missing}", database=missing.database)


def _without(value: Any, made: set[str]) -> Any:
    """The same with None for UUIDs of rows that do not exist yet."""
    if isinstance(value, dict):
        return {key: _without(one, made) for key, one in value.items()}
    if isinstance(value, list):
        return [_without(one, made) for one in value]
    return None if isinstance(value, str) and value in made else value
