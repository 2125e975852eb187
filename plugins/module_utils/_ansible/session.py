# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections of one module's call: read the databases, write one transaction to each, wait for what has to come of it.

Every wait is for an event of a connection and ends after the seconds that the caller grants.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ..interconnect import resolve
from ..interconnect.change import Change, Group
from ..interconnect.client import check_library
from ..interconnect.commit import Committer, is_passing
from ..interconnect.hunt import split
from ..interconnect.replica import Replica, Tls
from ..interconnect.schema import Database
from ..interconnect.store import Store
from ..interconnect.wire import first_error
from .arguments import OPTIONS
from .errors import ModuleError


class Fate:
    """What became of one group: counts its transactions, keeps the reason of a refusal."""

    def __init__(self) -> None:
        self.open = 0
        self.refusal: str | None = None
        self.unknown = False

    def sent(self, group: Group, transactions: int = 1) -> None:
        """The group goes out."""
        self.open += transactions

    def committed(self, group: Group) -> None:
        """A transaction of it is in its database."""
        self.open -= 1

    def rejected(self, group: Group, reason: str) -> None:
        """A server refused a transaction of it."""
        self.open -= 1
        self.refusal = reason

    def lost(self, group: Group) -> None:
        """The connection went, or another client was faster."""
        self.open -= 1
        self.unknown = True


class Result(NamedTuple):
    """What became of some Changes: ``refusal`` is the server's reason, ``unknown`` means that they have to be planned anew."""

    refusal: str | None
    unknown: bool


class Worker(Protocol):
    """A replica, or the loop of a whole zone."""

    def run(self) -> object:
        """Do what can be done without waiting."""

    def wait(self, poller: Any) -> None:
        """Let a poller wake up when there is something to do."""


def wait_for(parts: Sequence[Worker], done: Callable[[], bool], seconds: float) -> bool:
    """Let them work until ``done()``; False if it is not so after these seconds."""
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
    """The replicas of the databases that a module needs. ``targets``: database name -> its declaration and its remote."""

    def __init__(self, targets: Mapping[str, tuple[Database, str]], tls: Tls, seconds: float) -> None:
        check_library()
        check_remotes({name: remote for name, (_database, remote) in targets.items()}, tls)
        tls.apply()
        self.remotes = {name: remote for name, (_database, remote) in targets.items()}
        self.seconds = seconds
        self.replicas = {name: Replica(database, remote) for name, (database, remote) in targets.items()}

    @property
    def stores(self) -> dict[str, Store]:
        """The contents of the databases, by name."""
        return {name: replica.store for name, replica in self.replicas.items()}

    def close(self) -> None:
        """Give up the connections."""
        for replica in self.replicas.values():
            replica.close()

    def load(self) -> None:
        """Read all databases. Raises ModuleError where one cannot be reached in time, or is not what it should be."""
        replicas = list(self.replicas.values())
        loaded = wait_for(replicas, lambda: all(one.synced for one in replicas) or hopeless(replicas), self.seconds)
        if not loaded or hopeless(replicas):
            raise unreachable(self.replicas, self.seconds)

    def commit(self, changes: Sequence[Change]) -> Result:
        """Write the Changes, one transaction a database, and wait for the replies. Raises ModuleError where none comes in time."""
        fate = Fate()
        Committer(self.replicas, fate).submit([Group("module", (), tuple(changes))])
        if not self.wait(lambda: fate.open == 0, self.seconds):
            names = " and ".join(sorted({change.database for change in changes}))
            raise ModuleError(
                f"{names} has not answered within {self.seconds:g} s, and the changes may have been written or not;"
                " look at the server and run the task again"
            )
        if fate.unknown:
            self.load()
        return Result(fate.refusal, fate.unknown)

    def wait(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait for an event in the databases; False if it has not come in time."""
        return wait_for(list(self.replicas.values()), done, seconds)


def ask(session: Session, database: str, operations: list[Any]) -> list[Any]:
    """The results of a transaction that does no harm when it is done twice: it is, where a cluster loses its leader meanwhile.

    Raises ModuleError where no answer comes in time, or a refusal.
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
            raise ModuleError(f"the server refused it: {words}; look at the server", database=database, ovsdb_error=words)
        session.load()
    raise ModuleError(f"the server has not answered within {session.seconds:g} s; look at it and run the task again", database=database)


def check_remotes(remotes: Mapping[str, str], tls: Tls) -> None:
    """Raise ModuleError where a remote is none, or the files of a TLS connection are missing."""
    from ovs.stream import Stream

    for name, remote in remotes.items():
        for one in split(remote):
            method = one.partition(":")[0]
            if not one.partition(":")[2] or not Stream.is_valid_name(one) or not _has_address(one):
                raise ModuleError(
                    f"{OPTIONS[name]} has {one!r}, which is no OVSDB connection method; write unix:PATH, ssl:HOST:PORT or tcp:HOST:PORT",
                    database=name,
                )
            missing = [option for option, path in tls._asdict().items() if not path]
            if method == "ssl" and missing:
                raise ModuleError(f"{one} needs TLS; give the paths of its files too: {', '.join(missing)}", database=name)
    for option, path in tls._asdict().items():
        if path and not os.access(path, os.R_OK):
            raise ModuleError(f"the file {path} of the option {option} cannot be read on this host; put it there, or correct the option")


def _has_address(server: str) -> bool:
    try:
        resolve.check(server)
    except ValueError:
        return False
    return True


def unreachable(replicas: Mapping[str, Replica], seconds: float) -> ModuleError:
    """Which databases were not reached, and what each of their servers said last."""
    sentences = []
    blamed = [name for name, replica in replicas.items() if not replica.synced]
    blamed = [name for name in blamed if _wrong(replicas[name])] or blamed
    for name in blamed:
        replica, option = replicas[name], OPTIONS[name]
        if _wrong(replica):
            sentences.append(f"{replica.problem}; {option} must name a server of {name}")
            continue
        said = [(server, replica.said.get(server, "it was not tried")) for server in split(replica.remote)]
        words = ", ".join(f"{server}: {one}" for server, one in said)
        sentences.append(f"{name} was not reached within {seconds:g} s ({words}); {_advice(option, replica.said)}")
    return ModuleError(" and ".join(sentences), database=blamed[0])


def hopeless(replicas: Sequence[Replica]) -> bool:
    """Whether the only server of a database says that it has another one."""
    return any(map(_wrong, replicas))


def _wrong(replica: Replica) -> bool:
    return replica.problem is not None and len(split(replica.remote)) == 1


def _advice(option: str, said: Mapping[str, str]) -> str:
    """What to do, by what the servers said."""
    if any("of its cluster" in words for words in said.values()):
        return (
            f"name all members of the cluster in {option}, check that most of them run and reach each other,"
            " or give an election more time with timeout"
        )
    if any("TLS" in words or (server.startswith("ssl:") and "closed" in words) for server, words in said.items()):
        return "check that private_key, certificate and ca_cert are of the authority that the servers trust"
    return f"check that its ovsdb-server runs and that {option} names its socket or address"
