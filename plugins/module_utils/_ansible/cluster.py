# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A RAFT cluster of one of the global databases, as one of its servers reports it, and the steps that change it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..interconnect.operations.errors import ModuleError, one_line
from ..interconnect.tables import IC_NB, IC_SB
from .arguments import STATE, connection_spec
from .control_client import ControlSocket, RefusedError
from .module import Module, conclude
from .session import wait_for

Params = Mapping[str, Any]

#: By the option ``database``: the database's name, and the control socket of the distributions' packages.
CLUSTERS = {
    "ic_nb": (IC_NB, "/var/run/ovn/ovn_ic_nb_db.ctl"),
    "ic_sb": (IC_SB, "/var/run/ovn/ovn_ic_sb_db.ctl"),
}
INFO_OPTIONS: dict[str, Any] = {
    "database": {"type": "str", "choices": sorted(CLUSTERS), "required": True},
    "control_socket": {"type": "path"},
}
CHANGE_OPTIONS: dict[str, Any] = {
    **INFO_OPTIONS,
    **STATE,
    "member": {"type": "str"},
    "election_timer": {"type": "int"},
    "wait_timeout": {"type": "int", "default": 30},
}
#: The election timers that the server accepts, in milliseconds.
SHORTEST, LONGEST = 100, 600000
#: The polling interval in milliseconds. A cluster member sends no event when its state changes.
LOOK_AGAIN = 100

IS_MEMBER, LEADER = "cluster member", "leader"
_SERVER = re.compile(r"^ +(?P<nick>\S+) \((?P<sid>[0-9a-f]{4}) at (?P<address>.*?)\)(?P<self> \(self\))?(?: |$)")


@dataclass(frozen=True)
class Member:
    """A server of the cluster: ``sid`` is the beginning of its ID; ``answers`` says whether the queried server is
    connected to it.
    """

    sid: str
    address: str
    is_self: bool
    answers: bool

    def is_called(self, text: str) -> bool:
        """Whether this is the member's address, its ID, or the beginning of its ID."""
        return text == self.address or (len(text) >= len(self.sid) and text.lower().startswith(self.sid))


@dataclass(frozen=True)
class Step:
    """One change of a cluster: of its election timer, or of a member."""

    action: str
    record: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str

    def as_result(self, database: str) -> dict[str, Any]:
        """The form in which modules return it."""
        place = {"database": database, "table": "cluster", "record": self.record}
        return {**place, "action": self.action, "columns": self.after, "reason": self.reason}


@dataclass(frozen=True)
class Cluster:
    """A server's report about its cluster."""

    cluster_id: str
    server_id: str
    address: str
    status: str
    role: str
    leader: str
    term: int
    election_timer: int
    members: tuple[Member, ...]

    def find(self, text: str) -> Member | None:
        """The member with this address or id."""
        return next((one for one in self.members if one.is_called(text)), None)

    def as_result(self) -> dict[str, Any]:
        """The form in which modules return it."""
        members = [{"server_id": one.sid, "address": one.address, "self": one.is_self, "answers": one.answers} for one in self.members]
        return {
            "cluster_id": self.cluster_id,
            "server_id": self.server_id,
            "address": self.address,
            "status": self.status,
            "role": self.role,
            "leader": self.leader,
            "term": self.term,
            "election_timer": self.election_timer,
            "members": members,
        }


def parse_status(text: str) -> Cluster:
    """Read the answer to ``cluster/status`` (ovsdb-server(1), cluster commands). Members by their address."""
    fields: dict[str, str] = {}
    servers: list[re.Match[str]] = []
    for line in text.splitlines():
        server = _SERVER.match(line)
        name, colon, value = line.partition(":")
        if server is not None:
            servers.append(server)
        elif colon and not line.startswith(" "):
            fields[name] = value.strip()
    linked = {word[2:] for word in fields.get("Connections", "").split() if word[:2] in ("->", "<-")}
    members = [
        Member(one["sid"], one["address"], one["self"] is not None, one["self"] is not None or one["nick"] in linked) for one in servers
    ]
    by_nick = {one["nick"]: one["address"] for one in servers}
    leader = fields.get("Leader", "")
    return Cluster(
        _uuid(fields.get("Cluster ID", "")),
        _uuid(fields.get("Server ID", "")),
        fields.get("Address", ""),
        fields.get("Status", ""),
        fields.get("Role", ""),
        fields.get("Address", "") if leader == "self" else by_nick.get(leader, ""),
        int(fields.get("Term", "0")),
        int(fields.get("Election timer", "0")),
        tuple(sorted(members, key=lambda one: one.address)),
    )


def _uuid(text: str) -> str:
    """The full ID, which is in parentheses after its beginning."""
    return text.partition("(")[2].rstrip(")")


class Server:
    """The queried server. Methods that change something raise ModuleError if the cluster would lose its majority, or if
    time runs out.
    """

    def __init__(self, params: Params) -> None:
        self.database, usual = CLUSTERS[params["database"]]
        self.socket = ControlSocket(params["control_socket"] or usual, params["timeout"])
        self._seconds = params.get("wait_timeout", 0)
        #: Whether the server was told to change something. If so, a failure to see the result still counts as a change.
        self._told = False

    def look(self) -> Cluster | None:
        """The cluster, None if the server is not in one: its database is standalone, or it has left the cluster."""
        try:
            return parse_status(self.socket.call("cluster/status", self.database))
        except RefusedError as error:
            if "unknown cluster" in str(error) or "not a valid command" in str(error):
                return None
            raise ModuleError(f"the server at {self.socket.path} rejected cluster/status: {one_line(error)}; {_advice(error)}") from None

    def await_member(self) -> None:
        """Wait until the server has joined."""
        self._until(lambda: _is_member(self.look()), "the server has not joined; check that the other members run and can be reached")

    def remove(self, cluster: Cluster, member: Member) -> None:
        """Remove a member, by leaving or by being kicked, and wait until it is gone."""
        if member.is_self:
            self._tell("cluster/leave")
            self._until(lambda: not _is_member(self.look(), leaving=True), "the server has not left; check its log")
            return
        self._tell("cluster/kick", member.address)
        self._until(lambda: self._lacks(member), f"{member.address} is still a member; check the log of the leader")

    def reach_timer(self, wanted: int) -> None:
        """Change the election timer to ``wanted``: the leader in steps of at most a factor of two; other servers wait
        for the leader.
        """
        asked: set[int] = set()

        def reached() -> bool:
            now = self.look()
            if now is None or now.election_timer == wanted:
                return now is not None
            if now.role == LEADER and now.election_timer not in asked:
                asked.add(now.election_timer)
                self._tell("cluster/change-election-timer", str(min(wanted, 2 * now.election_timer)))
            return False

        advice = "run the task on the leader too" if not asked else "check that most members run"
        self._until(reached, f"the election timer is not {wanted} ms; {advice}")

    def _lacks(self, member: Member) -> bool:
        now = self.look()
        return now is not None and now.find(member.address) is None

    def _tell(self, command: str, *arguments: str) -> None:
        try:
            self.socket.call(command, self.database, *arguments)
            self._told = True
        except RefusedError as error:
            raise ModuleError(
                f"the server at {self.socket.path} rejected {command}: {one_line(error)}; check the state of the cluster",
                changed=self._told,
            ) from None

    def _until(self, done: Callable[[], bool], what: str) -> None:
        """Query repeatedly, because the control socket reports no events."""
        if not wait_for([_Pace()], done, self._seconds):
            raise ModuleError(f"after {self._seconds} s {what}", changed=self._told)


def _advice(error: RefusedError) -> str:
    """What to do if the server rejects ``cluster/status``. The cause is usually the wrong control socket."""
    if "unknown method" in str(error):
        return "this is the socket of a database; set control_socket to the socket for ovs-appctl, which ends in .ctl"
    return "check that control_socket is that of the ovsdb-server"


class _Pace:
    """Wakes the wait for the next query."""

    def run(self) -> None:
        """Do nothing."""

    def wait(self, poller: Any) -> None:
        """Wake up after LOOK_AGAIN milliseconds at the latest."""
        poller.timer_wait(LOOK_AGAIN)


def _is_member(cluster: Cluster | None, leaving: bool = False) -> bool:
    return cluster is not None and (cluster.status == IS_MEMBER or (leaving and cluster.status.startswith("leaving")))


def check_removal(cluster: Cluster, member: Member) -> None:
    """Raise ModuleError if the cluster would lose its majority without a member, or cannot agree to remove it."""
    rest = [one for one in cluster.members if one is not member]
    if not rest:
        raise ModuleError(f"{member.address} is the only member of the cluster; stop the server instead")
    if not cluster.leader:
        raise ModuleError("the cluster has no leader at the moment, so it cannot remove a member; restart most of its members first")
    silent = [one.address for one in rest if not one.answers]
    if 2 * (len(rest) - len(silent)) <= len(rest):
        raise ModuleError(
            f"without {member.address} the cluster has {len(rest)} members, of which {', '.join(silent)} do not "
            "answer, so it would lose its majority; restart them first"
        )


def change(params: Params, check_mode: bool) -> dict[str, Any]:
    """Carry out the options of the module ovn_ic_cluster. Returns its result."""
    server = Server(params)
    _check_options(params)
    cluster = server.look()
    changes = _leave(server, cluster, params, check_mode) if params["state"] == "absent" else _stay(server, cluster, params, check_mode)
    after = _after(cluster, changes) if check_mode else server.look()
    return {
        "changed": bool(changes),
        "cluster": after.as_result() if after is not None else {},
        "changes": [one.as_result(server.database) for one in changes],
        "diff": {
            "before": {f"cluster/{one.record}": one.before for one in changes},
            "after": {f"cluster/{one.record}": one.after for one in changes if one.action == "update"},
        },
    }


def _after(cluster: Cluster | None, changes: Sequence[Step]) -> Cluster | None:
    """The cluster after these changes, as far as it can be predicted; a new leader cannot."""
    for step in changes:
        if cluster is None or step.action == "update":
            cluster = cluster and replace(cluster, election_timer=step.after["election_timer"])
        else:
            gone = cluster.find(step.record)
            members = tuple(one for one in cluster.members if one is not gone)
            cluster = None if gone is not None and gone.is_self else replace(cluster, members=members)
    return cluster


def _check_options(params: Params) -> None:
    timer = params["election_timer"]
    if timer is not None and not SHORTEST <= timer <= LONGEST:
        raise ModuleError(f"election_timer is {timer}; set it to a value from {SHORTEST} to {LONGEST} milliseconds")
    if params["state"] == "present" and params["member"] is not None:
        raise ModuleError("member can only be removed here; to add a member, run ovsdb-tool join-cluster on its host")


def _stay(server: Server, cluster: Cluster | None, params: Params, check_mode: bool) -> list[Step]:
    if cluster is None:
        raise ModuleError(
            f"the server at {server.socket.path} has no cluster of {server.database}; create its file with "
            "ovsdb-tool create-cluster or join-cluster before it is started"
        )
    if not check_mode:
        server.await_member()
        cluster = server.look() or cluster
    wanted = params["election_timer"]
    if wanted is None or cluster.election_timer == wanted:
        return []
    if not check_mode:
        server.reach_timer(wanted)
    if cluster.role != LEADER:
        return []  # the leader makes the change
    return [Step("update", server.database, {"election_timer": cluster.election_timer}, {"election_timer": wanted}, "the timer differs")]


def _leave(server: Server, cluster: Cluster | None, params: Params, check_mode: bool) -> list[Step]:
    if cluster is None:
        if params["member"] is None:
            return []
        raise ModuleError(f"the server at {server.socket.path} has no cluster of {server.database}; use a server that is a member")
    wanted = params["member"]
    member = cluster.find(wanted) if wanted is not None else next((one for one in cluster.members if one.is_self), None)
    if member is None:
        return []
    check_removal(cluster, member)
    if not check_mode:
        server.remove(cluster, member)
    return [Step("delete", member.address, {"address": member.address, "server_id": member.sid}, {}, "state is absent")]


def run(options: Mapping[str, Any], doing: Callable[[Params], str], work: Callable[[Params, bool], dict[str, Any]]) -> None:
    """Run a module that uses a control socket or a file instead of database connections.

    ``work`` gets the options and whether this is check mode. It returns the result of the module, or raises ModuleError.
    """
    module = Module(argument_spec={**connection_spec(), **options}, supports_check_mode=True)
    conclude(module, doing, lambda: work(module.params, module.check_mode))
