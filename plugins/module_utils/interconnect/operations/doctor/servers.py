# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers and connections: clusters, certificates, encryption, and the speed of the JSON parser."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...address import parse_ip
from ...ovsdb.server_rotation import split
from . import needs
from .check import ERROR, WARNING, Check
from .databases import Databases, Finding, Server

#: Days before its end at which a certificate is reported.
EXPIRY_DAYS = 30
#: Log entries that a member may be behind the leader of its cluster.
ENTRIES_BEHIND = 100
_DAY = 86400.0
_MEMBER = re.compile(r"^ +(?P<nick>\S+) \([0-9a-f]{4} at (?P<address>[^)]*)\)(?P<rest>.*)$")
_MATCH = re.compile(r"match_index=(\d+)")
_LOG = re.compile(r"\[\d+, (\d+)\]")


def clusters(databases: Databases) -> Iterator[Finding]:
    """Clusters without a leader, with a member that does not answer, or with one that is far behind."""
    for server in databases.facts.servers or ():
        fields = {name: value.strip() for name, _colon, value in (line.partition(":") for line in server.status.splitlines())}
        place = f"{server.database} at {server.socket}"
        if fields.get("Status", "") != "cluster member":
            words = f"the server is not a member of its cluster (status: {fields.get('Status') or 'unknown'})"
            yield Finding("cluster-member-lost", place, words, "let it join again (role ovn_ic_db), or remove it from the cluster")
        elif fields.get("Leader", "unknown") == "unknown":
            words = "the cluster has no leader, so nothing can be written; less than half of its members answer"
            yield Finding("cluster-without-quorum", place, words, "start the other members, or restore the cluster from one of them")
        yield from _members(server, fields, place)


def silent(databases: Databases) -> Iterator[Finding]:
    """Servers that do not answer on their control sockets."""
    for socket, error in sorted(databases.facts.server_errors.items()):
        yield Finding("server-silent", f"the server at {socket}", error, "start the database server, or correct server_sockets")


def _members(server: Server, fields: dict[str, str], place: str) -> Iterator[Finding]:
    linked = {word[2:] for word in fields.get("Connections", "").split() if word[:2] in ("->", "<-")}
    log = _LOG.search(fields.get("Log", ""))
    newest = int(log.group(1)) - 1 if log is not None else 0
    for member in filter(None, map(_MEMBER.match, server.status.splitlines())):
        if "(self)" in member["rest"]:
            continue
        if member["nick"] not in linked:
            words = f"the member at {member['address']} is not connected"
            yield Finding(
                "cluster-member-unreachable", place, words, "start that server, or remove it from the cluster with ovn_ic_cluster"
            )
        match = _MATCH.search(member["rest"])
        if match is not None and newest - int(match.group(1)) > ENTRIES_BEHIND:
            words = f"the member at {member['address']} is {newest - int(match.group(1))} log entries behind the leader"
            yield Finding("cluster-member-behind", place, words, "check the load, the disk and the network of that server")


def plain_tcp(databases: Databases) -> Iterator[Finding]:
    """Connections without encryption that are not limited to one host."""
    fix = "use ssl: remotes with certificates (roles ovn_ic_db and ovn_ic_daemon), or restrict access to the port"
    for database, remote in databases.facts.remotes.items():
        open_ones = [part for part in split(remote) if part.startswith("tcp:") and not _is_local(part.partition(":")[2])]
        if open_ones:
            words = f"{', '.join(open_ones)} is not encrypted: whoever can reach the port can read and change all zones"
            yield Finding("plain-tcp", database, words, fix)
    for store in databases.zone.stores:
        for row in store.rows("Connection") if store.name in databases.stores else ():
            _method, _colon, rest = row["target"].partition(":")
            if row["target"].startswith("ptcp:") and not _is_local(rest.partition(":")[2] + ":"):
                words = f"the server listens without encryption ({row['target']})"
                yield Finding("plain-tcp", store.name, words, fix)


def _is_local(text: str) -> bool:
    """Whether HOST:PORT is on this host only. An empty host means all addresses."""
    host = text.rpartition(":")[0].strip("[]")
    address = parse_ip(host)
    return host == "localhost" or (address is not None and (address.value >> 24 == 127 if address.family == 4 else address.value == 1))


def certificates(databases: Databases) -> Iterator[Finding]:
    """Certificates that expire within a month."""
    for one in databases.facts.certificates or ():
        if one.seconds < EXPIRY_DAYS * _DAY:
            words = "it has expired" if one.seconds < 0 else f"it expires in {int(one.seconds // _DAY)} days"
            yield Finding("certificate-expiring", one.path, f"{words}; connections with it fail then", "renew it (role ovn_ic_pki)")


def parser(databases: Databases) -> Iterator[Finding]:
    """A host on which python-ovs parses JSON in Python."""
    if databases.facts.fast_json is False:
        words = "python-ovs has no JSON parser in C, so large databases load many times slower"
        fix = "install the package python3-openvswitch of the distribution, or build ovs with its C extension"
        yield Finding("json-parser-missing", "this host", words, fix)


CHECKS = (
    Check(
        "server-silent",
        ERROR,
        "database server",
        "A database server does not answer on its control socket.",
        "Start the server, and see its log.",
        silent,
        (needs.sockets,),
    ),
    Check(
        "cluster-without-quorum",
        ERROR,
        "database server",
        "A cluster has no leader, because less than half of its members answer. Nothing can be written.",
        "Start the other members, or restore the cluster from one of them.",
        clusters,
        (needs.servers,),
    ),
    Check(
        "cluster-member-lost",
        ERROR,
        "database server",
        "A server is not a member of its cluster.",
        "Let it join again with the role `ovn_ic_db`, or remove it.",
        clusters,
        (needs.servers,),
    ),
    Check(
        "cluster-member-unreachable",
        WARNING,
        "database server",
        "A member of the cluster is not connected to the server that was asked.",
        "Start that server, or remove it from the cluster with `ovn_ic_cluster`.",
        clusters,
        (needs.servers,),
    ),
    Check(
        "cluster-member-behind",
        WARNING,
        "database server",
        f"A member of the cluster is more than {ENTRIES_BEHIND} log entries behind its leader. Only the leader can tell.",
        "Check the load, the disk and the network of that server.",
        clusters,
        (needs.servers,),
    ),
    Check(
        "plain-tcp",
        WARNING,
        "connection",
        "A connection to a database is not encrypted, and its port is open to other hosts. Whoever reaches it can change all zones.",
        "Use `ssl:` remotes with certificates (roles `ovn_ic_db` and `ovn_ic_daemon`), or restrict access to the port.",
        plain_tcp,
        (needs.remotes,),
    ),
    Check(
        "certificate-expiring",
        WARNING,
        "certificate",
        f"A certificate that the module uses has expired, or expires within {EXPIRY_DAYS} days.",
        "Renew it with the role `ovn_ic_pki`.",
        certificates,
        (needs.certificates,),
    ),
    Check(
        "json-parser-missing",
        WARNING,
        "host",
        "python-ovs has no JSON parser in C on this host, so large databases load many times slower.",
        "Install the package `python3-openvswitch` of the distribution.",
        parser,
        (needs.parser,),
    ),
)
