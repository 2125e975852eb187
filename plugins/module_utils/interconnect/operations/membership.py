# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides how a host becomes a member of the RAFT cluster of a global database: a pure function of what was read.

A missing file has one of three causes: the cluster does not exist yet, this member is new, or the member has lost its
data. Only the first two allow a new file: a second cluster, or a member that votes without its data, loses writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

#: What to do. Refusals are decisions too, so that check mode can return them.
KEEP, CREATE, JOIN, MIGRATE, REFUSE = "keep", "create", "join", "migrate", "refuse"
_ADDRESS = re.compile(r"^[a-z]+:(?P<host>.*):[0-9]+$")


class Situation(NamedTuple):
    """What is known of one database when a host shall become a member of its cluster.

    ``kind`` is that of the file of this host: ``standalone``, ``clustered``, or empty if it is missing or not a database.
    ``file_address`` is the member's address in a clustered file, empty if it cannot be read. ``address`` is
    that at which this host shall be a member, ``seed`` the host that creates the cluster. ``hosts`` are the wanted
    members by address. ``holders`` are the hosts that have a file, ``unreachable`` those that cannot be asked, ``views``
    the answers of servers as in the result of ovn_ic_cluster_info, ``standalone`` the hosts whose server answers that its
    database belongs to no cluster, ``errors`` the messages of those that do not answer.
    """

    database: str
    path: str
    host: str
    address: str
    seed: str
    hosts: Mapping[str, str]
    holders: Sequence[str]
    unreachable: Sequence[str] = ()
    views: Sequence[Mapping[str, Any]] = ()
    errors: Sequence[str] = ()
    standalone: Sequence[str] = ()
    kind: str = ""
    file_address: str = ""

    @property
    def members(self) -> list[str]:
        """The addresses of all members that any server lists."""
        return sorted({member["address"] for view in self.views for member in view["members"]})


class Decision(NamedTuple):
    """What to do, the members to join, and why the host is refused."""

    action: str
    remotes: Sequence[str] = ()
    reason: str = ""


def decide(known: Situation) -> Decision:
    """Keep the member's file, create the cluster, join it, migrate the standalone file to it, or refuse with the reason."""
    reason = _unknown(known) or (_lost(known) if known.host not in known.holders else "") or _unlisted(known)
    if reason:
        return Decision(REFUSE, reason=reason)
    if known.host in known.holders:
        return _with_file(known)
    if known.holders or known.host != known.seed:
        return Decision(JOIN, known.members)
    return Decision(CREATE)


def _with_file(known: Situation) -> Decision:
    if known.kind == "clustered" and known.file_address == known.address:
        return Decision(KEEP)
    if known.kind == "clustered" and known.file_address:
        return Decision(
            REFUSE,
            reason=f"{known.path} on {known.host} belongs to the member {known.file_address}, but this host is configured as "
            f"{known.address}, and the address of a member cannot be changed. Remove the member, move its file aside, and run this again "
            "to join it",
        )
    if known.kind != "standalone":
        return Decision(
            REFUSE,
            reason=f"{known.path} on {known.host} is damaged or is not a database file: restore it, or move it aside. Then run this again",
        )
    if known.host == known.seed and list(known.holders) == [known.host]:
        return Decision(MIGRATE)
    return Decision(
        REFUSE,
        reason=f"{known.path} on {known.host} is standalone, and only {known.seed} may create the cluster from its file, as the first "
        "member: make this host the seed (ovn_ic_db_seed: true), or move the file aside",
    )


def _unknown(known: Situation) -> str:
    """Why a second cluster could be created, empty if not."""
    if known.holders or not known.unreachable:
        return ""
    return (
        f"it is unknown whether the cluster of {known.database} exists: no member that answers has {known.path}, and "
        f"{', '.join(known.unreachable)} cannot be reached. Make these hosts reachable, or remove them from the inventory if they were "
        "never members"
    )


def _lost(known: Situation) -> str:
    """Why this host without a file cannot join the cluster that others have, empty if it can."""
    # The cluster does not exist yet if no host has a file, or if the only files are standalone. The seed creates it.
    if not known.holders or (known.standalone and not known.views):
        return ""
    there = f"{known.host} has no {known.path}, but {', '.join(known.holders)} have the cluster of {known.database}"
    if not known.views:
        return (
            f"{there} and none of them reports whether this host was a member: start their servers. "
            f"{' '.join(dict.fromkeys(filter(None, known.errors)))}".rstrip(" .")
        )
    if known.address in known.members:
        return (
            f"{there} and list {known.address} as a member: its data are lost. Restore the file, or remove the member first "
            f"(remove_member.yml -e member={known.host} -e member_is_dead=true); then run this again to join it"
        )
    leading = next((view for view in known.views if view["role"] == "leader"), known.views[0])
    silent = [member["address"] for member in leading["members"] if not member["answers"]]
    cannot = f"{known.host} cannot join the cluster of {known.database}"
    if silent:
        return (
            f"{cannot}: its members {', '.join(silent)} do not answer, and another member would increase the number of votes that it "
            "needs. Start their servers, or remove these members (remove_member.yml -e member=NAME -e member_is_dead=true), then run this "
            "again"
        )
    if not any(view["leader"] for view in known.views):
        return f"{cannot}: it has no leader. Start the servers of a majority of its members first"
    return ""


def _unlisted(known: Situation) -> str:
    """Why members of the cluster are not those of the inventory, empty if they are."""
    strangers = [address for address in known.members if _host(address) not in known.hosts]
    if not strangers:
        return ""
    return (
        f"the cluster of {known.database} has the members {', '.join(strangers)}, which are not among the hosts "
        f"{', '.join(known.hosts.values())}: add their hosts to ovn_ic_db_member_hosts, or remove them first (remove_member.yml -e "
        "member=ADDRESS, with -e member_is_dead=true if the host is lost)"
    )


def _host(address: str) -> str:
    """The address of a member without protocol and port."""
    match = _ADDRESS.match(address)
    return match["host"] if match is not None else address
