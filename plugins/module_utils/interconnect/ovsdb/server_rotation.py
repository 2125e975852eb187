# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides which server of a cluster is tried next and when, and remembers the last error of each.

python-ovs waits 1, 2, 4 and 8 s between attempts once it has tried every server, whether the servers are down or only
electing a leader. Here the servers of a cluster are tried in rounds, without waits inside a round. Between rounds the
wait is 1 s, so that a server that starts or becomes the leader is found soon. It is 1, 2, 4 and 8 s only after an error
that persists until an operator changes an option, a certificate or the server.
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
    _vlog_reconnect: Any = ovs.vlog.Vlog("reconnect")
except ImportError:  # client.check_library reports this
    _Reconnect = object

#: A connection that lasted this long (milliseconds) counts as successful: after its end the next server is tried at
#: once.
SETTLED = 1000
#: The longest wait (milliseconds) for the address of a host. Then the next server is tried; the answer is used when it
#: arrives.
RESOLVING = 2000
#: The longest wait (milliseconds) between two attempts at a server that may be reachable again at any time.
SHORT = 1000

#: Why a module that writes cannot use a relay, and why a server cannot be reached on a control socket.
RELAY = "it is a relay, which is never the leader of its cluster"
CONTROL_SOCKET = "it is the control socket of a daemon, not a database server"
NO_DATABASE = "it has no database "
FORBIDDEN = os.strerror(errno.EACCES)


def is_permanent(words: str) -> bool:
    """Whether retrying cannot help after this error, because an option, a permission or the server has to be changed."""
    return words in (RELAY, CONTROL_SOCKET, FORBIDDEN) or words.startswith(NO_DATABASE)


def split(remote: str) -> list[str]:
    """The servers in a remote: comma-separated, with or without spaces after the commas, as in upstream.

    A word without a colon belongs to the previous one, because a path may contain a comma.
    """
    servers: list[str] = []
    for word in remote.split(","):
        if servers and ":" not in word:
            servers[-1] += "," + word
        else:
            servers.append(word.strip())
    return servers


class ServerRotation(_Reconnect):
    """The library's state machine of one connection, for ``servers`` that are tried in turn. ``said``: server -> its
    last error.
    """

    def __init__(self, now: int, servers: Sequence[str], said: MutableMapping[str, str]) -> None:
        super().__init__(now)
        self.said = said
        self._servers = len(servers)
        self._left = self._servers
        self._answered = False
        self._pause = 0
        #: The pending or finished lookup of the present server's address, and when it started.
        self._lookup: resolve.Lookup | None = None
        self._since: int | None = None
        self._failed: Counter[str] = Counter()

    def run(self, now: int) -> Any:
        """The next action; connect only when the address is known."""
        action = super().run(now)
        return None if action == ovs.reconnect.CONNECT and self._resolving(now) else action

    def wait(self, poller: Any, now: int) -> None:
        """Wake a poller when :meth:`run` has something to do."""
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
            self._lookup.prefer(self._failed[self.name])  # if one address has failed, try the next one
        self._since = None
        return False

    def begin(self) -> None:
        """Begin a new round: the end of the present connection does not count as a failed attempt."""
        self._left = self._servers + 1

    def refuse(self, words: str) -> None:
        """Remember why the connected server cannot be used; the caller ends the connection."""
        self.said[self.name] = words

    def connected(self, now: int) -> None:
        """A server has answered."""
        self._answered = True
        self.said[self.name] = "it accepts connections but does not answer"
        super().connected(now)

    def disconnected(self, now: int, error: int) -> None:
        """A connection, or an attempt to connect, has ended. The next attempt follows at once unless the round is over."""
        if self.state in (_Reconnect.Backoff, _Reconnect.Void):
            super().disconnected(now, error)
            return
        self._note(error)
        slow = error == errno.EPROTO or is_permanent(self.said.get(self.name, ""))
        if self._servers == 1:
            self._back_off(now, error, slow)
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
        self._back_off(now, error, slow)
        self._left, self._answered, self._pause = self._servers, False, self.backoff

    def _back_off(self, now: int, error: int, slow: bool) -> None:
        """End the attempt, and wait for a second at most unless ``slow``.

        The library's back-off continues to grow. It is also the longest duration of an attempt, and it reduces logging.
        """
        before = self.backoff
        self.set_quiet(self.state == _Reconnect.ConnectInProgress and error > 0)  # the library would log another wait
        super().disconnected(now, error)
        self.set_quiet(False)
        if before < self.max_backoff == self.backoff:
            _vlog_reconnect.info(f"{self.name}: continuing to reconnect in the background without further log lines")
        if self.state == _Reconnect.Backoff and not slow:
            self.state_entered -= max(0, self.backoff - SHORT)

    def _note(self, error: int) -> None:
        """Remember the reason of the end, unless we ended the connection (:meth:`refuse`)."""
        failed = tls.TlsStream.failures.get(self.name) if error == errno.EPROTO else None
        if self.state == _Reconnect.ConnectInProgress:
            self._failed[self.name] += 1
            words = os.strerror(error) if error > 0 else "it does not answer"
            self.said[self.name] = self._unresolved() or failed or words
        elif self.state == _Reconnect.Active or (self.state == _Reconnect.Idle and error):
            words = f"it closed the connection ({os.strerror(error)})" if error > 0 else "it closed the connection"
            self.said[self.name] = failed or words

    def _unresolved(self) -> str | None:
        """The reason why the host name could not be resolved. Each reason is logged once. None if it was resolved."""
        words = self._lookup.failure if self._lookup is not None else None
        if words is not None and self.said.get(self.name) != words:
            _vlog.warn(f"{self.name}: {words}")
        return words
