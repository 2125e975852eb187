# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of the groups that were sent. The committer collects it, and the loop passes it to the engine."""

from __future__ import annotations

import enum
from typing import NamedTuple

from .change import Group

#: The error of a server that only copies another server, until it is promoted.
READ_ONLY = "not allowed when database server is in read only mode"


class Outcome(enum.Enum):
    """What became of one transaction."""

    COMMITTED = "committed"
    #: A server rejected it because of this group.
    REJECTED = "rejected"
    #: It is unknown (the connection was lost), or another client was faster: the group has to be planned again.
    LOST = "lost"


#: For what is done for each reply: a look-up of an enum's member costs as much as a function call.
COMMITTED, REJECTED, LOST = Outcome


class Reply(NamedTuple):
    """The outcome of one transaction of a group. ``reason`` is the server's message if it was rejected."""

    group: Group
    outcome: Outcome = Outcome.COMMITTED
    reason: str = ""
