# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connections of one call of a module: read the databases, write one transaction to each, wait for the results.

Every wait is for an event of a connection, and is limited by the caller's timeout.
"""

from __future__ import annotations

import os
import pwd
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ..interconnect.engine.change import Change, Group
from ..interconnect.engine.commit import Committer, is_passing
from ..interconnect.engine.replies import Outcome, Reply
from ..interconnect.operations.errors import ModuleError, one_line
from ..interconnect.ovsdb import resolve
from ..interconnect.ovsdb.client import check_library
from ..interconnect.ovsdb.columns import Database
from ..interconnect.ovsdb.replica import Replica, Tls
from ..interconnect.ovsdb.server_rotation import CONTROL_SOCKET, FORBIDDEN, NO_DATABASE, RELAY, is_permanent, split
from ..interconnect.ovsdb.store import Store
from ..interconnect.ovsdb.wire import first_error, where
from ..interconnect.sync.pairing import mismatch
from ..interconnect.tables import NB, SB
from .arguments import DEFAULTS, OPTIONS

#: The active connection methods of OVSDB.
_METHODS = ("unix", "ssl", "tcp")


#: A UUID that no row has.
_NOBODY = "00000000-0000-0000-0000-000000000000"


def is_forbidden(words: str) -> bool:
    """Whether a server rejects all writes of this client."""
    return words.startswith(("not allowed", "permission error"))


class Result(NamedTuple):
    """The outcome of some Changes. ``refusal``: why the server rejected them, or None. ``unknown``: whether the outcome is
    not known, so that they have to be planned again.
    """

    refusal: str | None
    unknown: bool


def server_words(words: str) -> str:
    """The message of a server that rejected a transaction, in one line.

    A read-only server names the first operation of the transaction. The name is left out, so that the message does not
    depend on the order of the operations.
    """
    return re.sub(r"\b(?:insert|update|mutate|delete) operation not allowed", "operation not allowed", one_line(words))


def advice_on(words: str) -> str:
    """What to do if a server rejects a transaction, by its message."""
    if words.startswith("not allowed"):
        return (
            "the server is read-only for this client: it is the backup of an active server, or its connection has read_only=true; name a"
            " server that accepts writes"
        )
    if words.startswith("permission error"):
        return "the role of this client does not allow it; connect through a listener without a role, or with another certificate"
    if words.startswith("referential integrity violation"):
        return (
            "another row still refers to the row, or the row refers to one that was deleted; remove that reference and run the task again"
        )
    if words.startswith("constraint violation"):
        return "change or remove the row that already has these values"
    return "check the log of the server"


class Worker(Protocol):
    """A replica, or the loop of a whole zone."""

    def run(self) -> object:
        """Do what can be done without waiting."""

    def wait(self, poller: Any) -> None:
        """Wake a poller when there is something to do."""


def wait_for(parts: Sequence[Worker], done: Callable[[], bool], seconds: float) -> bool:
    """Run the workers until ``done()`` is true; False if it is not true after these seconds."""
    from ovs.poller import Poller

    end = time.monotonic() + seconds
    while True:
        for part in parts:
            part.run()
        if done():
            return True
        left = end - time.monotonic()
        if left <= 0:
            return False
        poller = Poller()
        for part in parts:
            part.wait(poller)
        poller.timer_wait(int(left * 1000) + 1)
        poller.block()


class Session:
    """The replicas of the databases that a module needs. ``targets``: database name -> its declaration and its remote.

    ``only_read``: the databases that the module never writes, so that a relay is sufficient.
    """

    def __init__(self, targets: Mapping[str, tuple[Database, str]], tls: Tls, seconds: float, *, only_read: Collection[str] = ()) -> None:
        check_library()
        check_remotes({name: remote for name, (_database, remote) in targets.items()}, tls)
        tls.apply()
        self.remotes = {name: remote for name, (_database, remote) in targets.items()}
        self.seconds = seconds
        self.replicas = {name: Replica(database, remote, relays=name in only_read) for name, (database, remote) in targets.items()}
        #: What the servers have committed so far, and what they may have committed without an answer.
        self.written: list[Change] = []

    @property
    def stores(self) -> dict[str, Store]:
        """The contents of the databases, by name."""
        return {name: replica.store for name, replica in self.replicas.items()}

    def close(self) -> None:
        """Close the connections."""
        for replica in self.replicas.values():
            replica.close()

    def load(self) -> None:
        """Read all databases. Raises ModuleError if one cannot be reached in time, or is not the expected one."""
        replicas = list(self.replicas.values())
        loaded = wait_for(replicas, lambda: all(one.synced for one in replicas) or hopeless(replicas), self.seconds)
        if not loaded or hopeless(replicas):
            raise unreachable(self.replicas, self.seconds)
        if NB in self.replicas and SB in self.replicas:
            check_zone(self.replicas[NB].store, self.replicas[SB].store)

    def commit(self, changes: Sequence[Change]) -> Result:
        """Write the Changes, one transaction for each database, and wait for the replies. Raises ModuleError if a reply
        does not arrive in time.
        """
        names = sorted({change.database for change in changes})
        groups = [Group("module", name, tuple(change for change in changes if change.database == name)) for name in names]
        committer = Committer(self.replicas)
        replies: list[Reply] = []
        committer.submit(groups)

        def answered() -> bool:
            replies.extend(committer.replies())
            return len(replies) == len(groups)

        if not self.wait(answered, self.seconds):
            self.written += changes
            raise ModuleError(
                f"{' and '.join(names)} did not answer within {self.seconds:g} s, so it is not known whether "
                "the changes were written; check the server and run the task again"
            )
        # In the planned order: the replies of several databases come in any order, and check mode reports the same list.
        written = {change.database for reply in replies if reply.outcome is Outcome.COMMITTED for change in reply.group.changes}
        self.written += [change for change in changes if change.database in written]
        unknown = any(reply.outcome is Outcome.LOST for reply in replies)
        if unknown:
            self.load()
        refusals = [reply.reason for reply in replies if reply.outcome is Outcome.REJECTED]
        return Result(refusals[-1] if refusals else None, unknown)

    def rehearse(self, changes: Sequence[Change]) -> str | None:
        """Check whether the servers accept writes of this client. Returns a rejection as in :attr:`Result.refusal`, or None."""
        for change in {change.database: change for change in changes}.values():
            words = objection(self.replicas[change.database], change.table, list(self.replicas.values()), self.seconds)
            if words is not None:
                return f"{change.database} rejected it: {words}"
        return None

    def wait(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait for an event in the databases; False if none arrives in time."""
        return wait_for(list(self.replicas.values()), done, seconds)


def objection(replica: Replica, table: str, parts: Sequence[Worker], seconds: float) -> str | None:
    """The server's message if it accepts no writes of this client, None if it does. ``parts`` run until the answer arrives.

    Sends a transaction that changes nothing, because it is aborted. A read-only server rejects it.
    """
    answers: list[tuple[list[Any] | None, str | None]] = []
    nothing = {"op": "update", "table": table, "where": where(_NOBODY), "row": {}}
    replica.transact([nothing, {"op": "abort"}], lambda *answer: answers.append(answer))
    wait_for(parts, lambda: bool(answers), seconds)
    failure = first_error(answers[0][0]) if answers else None
    return failure[1] if failure is not None and is_forbidden(failure[1]) else None


def ask(session: Session, database: str, operations: list[Any]) -> list[Any]:
    """The results of a transaction that may be carried out twice, because it is sent again if a cluster loses its
    leader.

    Raises ModuleError if no answer arrives in time, or if the server rejects it.
    """
    end = time.monotonic() + session.seconds
    answers: list[tuple[list[Any] | None, str | None]] = []
    while time.monotonic() < end:
        answers.clear()
        session.replicas[database].transact(operations, lambda result, error: answers.append((result, error)))
        if not session.wait(lambda: bool(answers), max(0.0, end - time.monotonic())):
            break
        result, error = answers[0]
        failure = first_error(result)
        words = failure[1] if failure is not None else error
        if result is not None and words is None:
            return result
        if words is not None and not is_passing(words):
            raise ModuleError(
                f"the server refused the transaction: {server_words(words)}; {advice_on(words)}",
                database=database,
                ovsdb_error=server_words(words),
            )
        session.load()
    raise ModuleError(f"the server has not answered within {session.seconds:g} s; check it and run the task again", database=database)


def check_zone(nb: Store, sb: Store) -> None:
    """Raise ModuleError if a northbound and a southbound database belong to different zones."""
    found = mismatch(nb, sb)
    if found is not None:
        raise ModuleError(f"{found}; set nb_db and sb_db to the databases of one zone", database=SB)


def check_remotes(remotes: Mapping[str, str], tls: Tls) -> None:
    """Raise ModuleError if a remote is not valid, or if the files of a TLS connection are missing."""
    for name, remote in remotes.items():
        for one in split(remote):
            _check_method(OPTIONS[name], one, name)
            missing = [option for option, path in tls._asdict().items() if not path]
            if one.partition(":")[0] == "ssl" and missing:
                raise ModuleError(f"{one} needs TLS; give the paths of its files too: {', '.join(missing)}", database=name)
    for option, path in tls._asdict().items():
        if path and not os.path.exists(path):
            raise ModuleError(f"the file {path} of the option {option} does not exist on this host; put it there, or correct the option")
        if path and not os.access(path, os.R_OK):
            raise ModuleError(
                f"the user {_user()} may not read the file {path} of the option {option}; run the task with become, or change the"
                " permissions of the file"
            )


def _check_method(option: str, one: str, database: str) -> None:
    from ovs.stream import Stream

    parts = [part.strip() for part in re.split(r"[;\s]+", one) if part.strip()]
    if len(parts) > 1 and all(part.partition(":")[0] in _METHODS for part in parts):
        raise ModuleError(f"{option} has {one!r}; separate the servers by commas: {','.join(parts)}", database=database)
    if one.startswith(("pssl:", "ptcp:", "punix:")):
        raise ModuleError(
            f"{option} has {one!r}, on which a server listens; give the address to connect to: {one[1:].partition(':')[0]}:HOST:PORT",
            database=database,
        )
    if not one.partition(":")[2] or not Stream.is_valid_name(one) or not _has_address(one):
        raise ModuleError(
            f"{option} has {one!r}, which is not an OVSDB connection method; write unix:PATH, ssl:HOST:PORT or tcp:HOST:PORT",
            database=database,
        )


def _has_address(server: str) -> bool:
    try:
        resolve.check(server)
    except ValueError:
        return False
    return True


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def unreachable(replicas: Mapping[str, Replica], seconds: float) -> ModuleError:
    """Which databases were not reached, the last error of each of their servers, and what to do."""
    blamed = [name for name, replica in replicas.items() if not replica.synced]
    blamed = [name for name in blamed if _is_hopeless(replicas[name])] or blamed
    return ModuleError(" and ".join(_sentence(name, replicas[name], seconds) for name in blamed), database=blamed[0])


def _sentence(name: str, replica: Replica, seconds: float) -> str:
    said = {server: replica.said.get(server, "it was not tried") for server in split(replica.remote)}
    words = ", ".join(f"{server}: {one}" for server, one in said.items())
    failure = "cannot be used" if _is_hopeless(replica) else f"was not reached within {seconds:g} s"
    return f"{name} {failure} ({words}); {_advice(name, said)}"


def hopeless(replicas: Sequence[Replica]) -> bool:
    """Whether waiting cannot help for a database, because of the errors of all of its servers."""
    return any(map(_is_hopeless, replicas))


def _is_hopeless(replica: Replica) -> bool:
    return not replica.synced and all(is_permanent(replica.said.get(server, "")) for server in split(replica.remote))


def _advice(name: str, said: Mapping[str, str]) -> str:
    """What to do, depending on the errors of the servers."""
    option, every = OPTIONS[name], set(said.values())
    socket = DEFAULTS[name]
    if FORBIDDEN in every:
        return f"the user {_user()} may not open the socket: run the task with become, or as a user in the group of the socket"
    if CONTROL_SOCKET in every:
        return f"set {option} to the socket of the database, such as {socket}"
    if RELAY in every:
        return f"name the servers of the cluster itself in {option}; only a database that the module does not write can be a relay"
    if any(words.startswith(NO_DATABASE) for words in every):
        return f"set {option} to the address of a server of {name}"
    if any("of its cluster" in words for words in every):
        return (
            f"name all members of the cluster in {option}, check that most of them run and reach each other, or "
            "increase timeout to allow for an election"
        )
    if any("TLS" in words or (server.startswith("ssl:") and "closed" in words) for server, words in said.items()):
        return "check that private_key, certificate and ca_cert belong to the CA that the servers trust"
    return f"check that its ovsdb-server runs and that {option} names its socket or address"
