# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database as a RAFT cluster of three ovsdb-servers on loopback, instead of one server (ovsdb(7), clustered databases).

Members speak to each other on a loopback address that belongs to this process alone, so that a member finds its port free when it comes
back, whatever else runs on the machine.
"""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from .identity import Authority
from .ovsdb import Database, UnreachableError, WaitTimeoutError, wait_for
from .servers import Process, Server, next_port, own_address, suite

MEMBERS = 3
ELECTION_TIMER = 500
"""Milliseconds without a sign of the leader after which the others elect a new one."""


class Member(Server):
    """One server of a cluster: `address` is where its fellows reach it, `remote` where clients do; TLS on both, with an authority."""

    def __init__(self, name: str, directory: Path, schema: Path, database: str, authority: Authority | None, fellow: Member | None) -> None:
        self.address = f"{'tcp' if authority is None else 'ssl'}:{own_address()}:{next_port()}"
        self._fellow = fellow
        self._state: Database | None = None
        super().__init__(name, directory, schema, database, authority)
        if authority is None:
            self.listen("tcp")

    def create(self, schema: Path) -> None:
        """Make the member's file: of a new cluster for the first one, else of one that joins the cluster of its fellow."""
        tool = suite("host").command("ovsdb-tool")
        self.file.unlink(missing_ok=True)
        if self._fellow is None:
            making = [*tool, f"--election-timer={ELECTION_TIMER}", "create-cluster", str(self.file), str(schema), self.address]
        else:
            making = [*tool, "join-cluster", str(self.file), self.database_name, self.address, self._fellow.address]
        subprocess.run(making, check=True, capture_output=True)

    @property
    def state(self) -> Database:
        """This test's connection to what the member says about itself (the database `_Server`)."""
        while self._state is None:
            try:
                self._state = Database(self.socket, "_Server")
            except UnreachableError:
                assert self.alive, self.tail()  # it closes its connections once, when it has joined
        return self._state

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the member; both connections are closed first."""
        if self._state is not None:
            self._state.close()
            self._state = None
        super().stop(how)

    def says(self, column: str) -> bool:
        """Whether the member holds itself to be `connected` to the cluster, or to be its `leader`."""
        row = self.state.find("Database", name=self.database_name)
        return row is not None and row[column] is True


class Cluster(Server):
    """Three members instead of one server; the test's own connection goes to the leader, or to a member that is there.

    What is done to the cluster as a whole (start, stop) is done to all members; `lose` and `regain` are about one.
    """

    def __init__(self, name: str, directory: Path, schema: Path, database: str, authority: Authority | None = None) -> None:
        self.database_name = database
        self._database: Database | None = None
        self.members: list[Member] = []
        for number in range(MEMBERS):
            first = self.members[0] if self.members else None
            self.members.append(Member(f"{name}-{number}", directory, schema, database, authority, first))
        self.remote = ",".join(member.remote for member in self.members)
        self.lost: list[Member] = []
        Process.__init__(self, name, directory, (), ())

    def create(self, schema: Path) -> None:
        """Replace the cluster by an empty one; no member may run."""
        for member in self.members:
            member.create(schema)

    @property
    def processes(self) -> list[Process]:
        """The members."""
        return [*self.members]

    @property
    def running(self) -> bool:
        """Whether any member was started and not stopped."""
        return any(member.running for member in self.members)

    def launch(self) -> None:
        """Begin to start all members."""
        for member in self.members:
            member.launch()

    def ready(self) -> None:
        """Wait until every member has joined, and one leads."""
        for member in self.members:
            member.ready()
        self._await(self.members, "connected")
        self.follow()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End all members."""
        if self._database is not None:
            self._database.close()
        for member in self.members:
            member.stop(how)
        self.lost.clear()

    @property
    def database(self) -> Database:
        """This test's connection to the database."""
        if self._database is None:
            self._database = Database(self.members[0].socket, self.database_name)
        return self._database

    @property
    def there(self) -> list[Member]:
        """The members that are at work."""
        return [member for member in self.members if member not in self.lost]

    def leader(self) -> Member:
        """The member that leads; waited for while there is an election."""
        return self._await(self.there, "leader", enough=1)[0]

    @property
    def followers_first(self) -> str:
        """All members as a remote, the present leader last."""
        leader = self.leader()
        return ",".join([*(member.remote for member in self.members if member is not leader), leader.remote])

    def follow(self) -> None:
        """Connect this test to the leader."""
        self._connect(self.leader())

    def lose_leader(self, how: signal.Signals) -> Member:
        """The leader gets a signal, SIGKILL or SIGSTOP; this test goes on with one of the others, leader or not yet."""
        victim = self.leader()
        self.database.close()
        if how == signal.SIGSTOP:
            victim.freeze()
        else:
            victim.stop(how)
        self.lost.append(victim)
        self._connect(self.there[0])
        return victim

    def regain(self) -> None:
        """The members that were lost are there again, and have caught up."""
        for member in self.lost:
            if member.running:
                member.thaw()
            else:
                member.start()
        self.lost.clear()
        self._await(self.members, "connected")
        self._await(self.members, "leader", enough=1)
        self.follow()

    def _connect(self, member: Member) -> None:
        database = self.database
        if database.socket != member.socket or not database.connected:
            database.socket = member.socket
            database.connect()

    @staticmethod
    def _await(members: list[Member], column: str, enough: int | None = None) -> list[Member]:
        """Wait until so many of these members, or all, say so of themselves."""
        enough = len(members) if enough is None else enough
        states = [member.state for member in members]
        for state in states:
            state.refresh()

        def found() -> list[Member]:
            saying = [member for member in members if member.says(column)]
            return saying if len(saying) >= enough else []

        names = ", ".join(member.name for member in members)
        try:
            return wait_for(states, found, f"{enough} of {names} to be {column}")
        except WaitTimeoutError as failure:
            logs = "\n".join(f"--- {member.name}\n{member.tail()}" for member in members)
            raise WaitTimeoutError(f"{failure}\n{logs}") from None
