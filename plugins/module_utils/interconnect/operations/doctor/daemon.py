# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the zone's sync daemon says on its control socket."""

from __future__ import annotations

from collections.abc import Iterator

from ...subjects.progress import has_counters, laggards
from ...tables import IC_NB, IC_SB, NB, SB
from . import needs
from .check import ERROR, WARNING, Check
from .databases import Databases, Finding

#: The control command that answers whether a database is connected, by database.
CONNECTIONS = {
    NB: "nb-connection-status",
    SB: "sb-connection-status",
    IC_NB: "ic-nb-connection-status",
    IC_SB: "ic-sb-connection-status",
}
#: The control commands whose answers the checks need.
COMMANDS = ("status", "is-paused", "skipped/show", "guard/show", "progress", *CONNECTIONS.values())
_DAEMON = "the sync daemon"


def answers(databases: Databases) -> Iterator[Finding]:
    """A daemon that does not answer."""
    error = databases.facts.daemon_error
    if error is not None:
        yield Finding(
            "daemon-silent", _DAEMON, f"it does not answer on its control socket: {error}", "start the service ovn-ic of the zone"
        )


def state(databases: Databases) -> Iterator[Finding]:
    """A daemon that is paused, that stands by although no other one works, or that cannot reach its databases."""
    answers_by = databases.facts.daemon or {}
    status = answers_by.get("status", "")
    if answers_by.get("is-paused") == "true" or "Status: paused" in status:
        yield Finding("daemon-paused", _DAEMON, "it is paused, so the zone's changes reach no other zone", "run its command resume")
    zone = databases.zone
    if "Status: standby" in status and has_counters(zone):
        behind = dict(laggards(zone)).get(zone.name)
        if behind is not None:
            words = f"it stands by, and no daemon of zone {zone.name} is active: request {behind} is the last one confirmed"
            yield Finding("no-active-daemon", _DAEMON, words, "find the process that holds the lock ovn_ic in SB, and restart it")
    for database, command in CONNECTIONS.items():
        if answers_by.get(command) == "not connected":
            words = f"it is not connected to {database}"
            fix = "check the server and the remote of the database, and see skipped/show of the daemon for the server's words"
            yield Finding("daemon-disconnected", _DAEMON, words, fix)
    for line in status.splitlines():
        if line.startswith("Problem: "):
            yield Finding("database-unusable", _DAEMON, line.partition(" ")[2], "repair the server that the sentence names")


def left_undone(databases: Databases) -> Iterator[Finding]:
    """What the daemon skips, withholds, or could not write."""
    answers_by = databases.facts.daemon or {}
    for line in answers_by.get("skipped/show", "").splitlines():
        subject, colon, rest = line.partition(": ")
        if colon and subject != "database":
            record, _colon, reason = rest.partition(": ")
            cause, _semicolon, fix = reason.partition("; ")
            yield Finding("object-skipped", f"{record} ({subject})", cause, fix or "correct the object that the sentence names")
    guard = answers_by.get("guard/show", "")
    if guard and guard != "nothing is withheld":
        lines = guard.splitlines()
        withheld = sum(line.startswith("  withheld: ") for line in lines)
        words = f"{lines[0]} ({withheld} changes are withheld)"
        yield Finding("guard-holds", _DAEMON, words, "restore the database, or release the changes with guard/release")
    for line in answers_by.get("progress", "").splitlines():
        head, colon, sentence = line.partition("not written by this zone: ")
        if colon and not head:
            cause, _semicolon, fix = sentence.partition("; ")
            yield Finding("write-rejected", _DAEMON, cause, fix or "correct the object that the server rejects")


CHECKS = (
    Check(
        "daemon-silent",
        ERROR,
        "sync daemon",
        "The sync daemon does not answer on its control socket.",
        "Start the service `ovn-ic` of the zone, and see its log.",
        answers,
        (needs.asked,),
    ),
    Check(
        "daemon-paused",
        ERROR,
        "sync daemon",
        "The sync daemon is paused, so changes of the zone reach no other zone.",
        "Run `ovn-appctl -t ovn-ic resume`.",
        state,
        (needs.answers,),
    ),
    Check(
        "no-active-daemon",
        ERROR,
        "sync daemon",
        "The sync daemon stands by, and the zone has not confirmed the newest request: no other daemon of the zone is active.",
        "Find the process that holds the lock `ovn_ic` in SB, and restart it.",
        state,
        (needs.answers, needs.registered),
    ),
    Check(
        "daemon-disconnected",
        ERROR,
        "sync daemon",
        "The sync daemon is not connected to one of its databases.",
        "Check the server and the daemon's remote. The daemon's `skipped/show` gives the server's words.",
        state,
        (needs.answers,),
    ),
    Check(
        "database-unusable",
        ERROR,
        "sync daemon",
        "The sync daemon is connected to a database that it cannot use, for example because the server does not accept writes.",
        "Repair the server that the finding names.",
        state,
        (needs.answers,),
    ),
    Check(
        "object-skipped",
        WARNING,
        "sync daemon",
        "The sync daemon skips an object (`skipped/show`). The finding gives its reason.",
        "Correct the object that the finding names.",
        left_undone,
        (needs.answers,),
    ),
    Check(
        "guard-holds",
        WARNING,
        "sync daemon",
        "The sync daemon withholds changes (`guard/show`), because a database was replaced or rolled back.",
        "Restore the database, or release the changes with `guard/release`. See [lost and restored databases](loss-and-restore.md).",
        left_undone,
        (needs.answers,),
    ),
    Check(
        "write-rejected",
        ERROR,
        "sync daemon",
        "A server rejects what the sync daemon wants to write (`progress`).",
        "Correct the object that the server rejects.",
        left_undone,
        (needs.answers,),
    ),
)
