# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which server of a cluster is tried next, and when; and what each of them said last.

python-ovs waits 1, 2, 4 and 8 s between its attempts once it has tried each server, whether they are gone or only elect a leader just now.
Here the servers of a cluster are tried in rounds without a wait inside a round. Between rounds it waits 1 s as long as any server answers,
because an election is over soon; 2, 4 and 8 s while nobody does. With one server the library's own rule stays.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import MutableMapping, Sequence
from typing import Any

from . import resolve, tls

try:
    import ovs.reconnect
    import ovs.vlog

    _Reconnect: Any = ovs.reconnect.Reconnect
    _vlog: Any = ovs.vlog.Vlog("resolve")
except ImportError:  # client.check_library says so
    _Reconnect = object

#: A connection that lived as long (milliseconds) was one: after its end the next server is tried at once.
SETTLED = 1000
#: How long (milliseconds) an attempt waits for the address of a host; then the next server has its turn, and the answer may still come.
RESOLVING = 2000

#: What a server is that a module which writes cannot use, and what a socket is that no database server listens on.
RELAY = "it is a relay, which never is the leader of its cluster"
CONTROL_SOCKET = "it is the control socket of a program, what ovs-appctl connects to, and not a database server"
NO_DATABASE = "it has no database "
FORBIDDEN = os.strerror(errno.EACCES)


def is_permanent(words: str) -> bool:
    """Whether waiting cannot help with what a server said last: somebody has to change an option, a permission or the server."""
    return words in (RELAY, CONTROL_SOCKET, FORBIDDEN) or words.startswith(NO_DATABASE)


def split(remote: str) -> list[str]:
    """The servers that a remote lists, comma-separated, with blanks behind the commas or without, as upstream takes them.

    A word without a colon belongs to the one before it, as a path may hold a comma.
    """
    servers: list[str] = []
    for word in remote.split(","):
        if servers and ":" not in word:
            servers[-1] += "," + word
        else:
            servers.append(word.strip())
    return servers


class ServerRotation(_Reconnect):
    """The library's state machine of one connection, for ``servers`` that are tried in turn. ``said``: server -> what it said last."""

    def __init__(self, now: int, servers: Sequence[str], said: MutableMapping[str, str]) -> None:
        super().__init__(now)
        self.said = said
        self._servers = len(servers)
        self._left = self._servers
        self._answered = False
        self._pause = 0
        #: What an attempt at the present server waits for or has waited for, and since when.
        self._lookup: resolve.Lookup | None = None
        self._since: int | None = None
        self._failed: Counter[str] = Counter()

    def run(self, now: int) -> Any:
        """What is to be done; a connection only when it is known where to."""
        action = super().run(now)
        return None if action == ovs.reconnect.CONNECT and self._resolving(now) else action

    def wait(self, poller: Any, now: int) -> None:
        """Let a poller wake up when :meth:`run` has something to say."""
        if self._since is None or self._lookup is None:
            super().wait(poller, now)
        else:
            self._lookup.wait(poller)
            poller.timer_wait(max(0, self._since + RESOLVING - now))

    def _resolving(self, now: int) -> bool:
        if self._since is None:
            self._since, self._lookup = now, resolve.look_up(self.name)
        if self._lookup is not None and not self._lookup.done and now - self._since < RESOLVING:
            return True
        if self._lookup is not None:
            self._lookup.prefer(self._failed[self.name])  # where one address has failed, it is the next one's turn
        self._since = None
        return False

    def begin(self) -> None:
        """Begin a new round: the end of the present connection does not count as an attempt of it."""
        self._left = self._servers + 1

    def refuse(self, words: str) -> None:
        """Remember why the server that we are connected to will not do; the connection is to be ended."""
        self.said[self.name] = words

    def connected(self, now: int) -> None:
        """A server has answered."""
        self._answered = True
        self.said[self.name] = "it accepts connections and does not answer"
        super().connected(now)

    def disconnected(self, now: int, error: int) -> None:
        """A connection, or an attempt at one, is over: the next one follows at once unless the round is over too."""
        if self.state in (_Reconnect.Backoff, _Reconnect.Void):
            super().disconnected(now, error)
            return
        self._note(error)
        if self._servers == 1:
            super().disconnected(now, error)
            return
        if self.state in (_Reconnect.Active, _Reconnect.Idle) and now - self.last_connected >= SETTLED:
            self.begin()
        self._left -= 1
        if self._left > 0:
            self.set_backoff_free_tries(2)
            super().disconnected(now, error)
            return
        self.set_backoff_free_tries(1)
        self.backoff = 0 if self._answered else self._pause
        super().disconnected(now, error)
        self._left, self._answered, self._pause = self._servers, False, self.backoff

    def _note(self, error: int) -> None:
        """Remember the reason of the end, unless it was ours (:meth:`refuse`)."""
        failed = tls.TlsStream.failures.get(self.name) if error == errno.EPROTO else None
        if self.state == _Reconnect.ConnectInProgress:
            self._failed[self.name] += 1
            words = os.strerror(error) if error > 0 else "it does not answer"
            self.said[self.name] = self._unresolved() or failed or words
        elif self.state == _Reconnect.Active or (self.state == _Reconnect.Idle and error):
            words = f"it closed the connection ({os.strerror(error)})" if error > 0 else "it closed the connection"
            self.said[self.name] = failed or words

    def _unresolved(self) -> str | None:
        """Why there was no address to connect to, told once; None if there was one."""
        words = self._lookup.failure if self._lookup is not None else None
        if words is not None and self.said.get(self.name) != words:
            _vlog.warn(f"{self.name}: {words}")
        return words
