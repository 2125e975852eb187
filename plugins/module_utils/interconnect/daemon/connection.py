# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One client of the control socket. Hides the differences between releases of the library.

``set-options --format json`` (ovs-appctl(8)) requests answers as JSON objects. The library supports this since release
3.5.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any

try:
    import ovs.jsonrpc
    import ovs.unixctl
    import ovs.unixctl.server
    import ovs.vlog

    _Base: Any = ovs.unixctl.server.UnixctlConnection
    _vlog: Any = ovs.vlog.Vlog("unixctl")
except ImportError:  # main reports this, see client.check_library
    _Base = object

_FORMATS = ("text", "json")


class FormatError(ValueError):
    """The arguments of ``set-options`` are invalid; the text is the answer."""


class Connection(_Base):
    """A connection to the control socket. Invalid input ends the connection; in the library it would end the process."""

    #: Whether answers are JSON objects.
    as_json = False
    #: The ID of the request that is being answered. The library sets it.
    _request_id: Any

    def run(self) -> int | None:
        """Do everything that can be done without waiting. An errno ends the connection."""
        try:
            error: int | None = super().run()
        except Exception as failure:
            _vlog.warn(f"a control connection was closed: {failure!r}")
            return errno.EPROTO
        return error

    def reply(self, body: str) -> None:
        """Answer with a text, or with an object whose member ``reply`` is the text."""
        self.reply_value({"reply-format": "plain", "reply": body} if self.as_json else body)

    def reply_value(self, value: Any) -> None:
        """Answer with this JSON value."""
        self._rpc.send(ovs.jsonrpc.Message.create_reply(value, self._request_id))
        self._request_id = None

    def reply_error(self, body: str) -> None:
        """Reject the request with a message that ends with a newline."""
        text = body.rstrip("\n")
        if text.endswith("is not a valid command"):
            text += ' (use "list-commands" to see a list of valid commands)'
        self._rpc.send(ovs.jsonrpc.Message.create_error(f"{text}\n", self._request_id))
        self._request_id = None

    def choose(self, arguments: Sequence[str]) -> None:
        """Apply the arguments of ``set-options``. Raises FormatError."""
        words = list(arguments)
        while words:
            option, equals, value = words.pop(0).partition("=")
            if option == "--format":
                if not equals and not words:
                    raise FormatError("option '--format' requires an argument")
                value = value if equals else words.pop(0)
                if value not in _FORMATS:
                    raise FormatError(f"option format has invalid value {value}")
                self.as_json = value == "json"
            elif option.startswith("--") and option != "--":
                raise FormatError(f"unrecognized option '{option}'")
