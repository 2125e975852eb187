# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Detects that another client reverts the writes of this process, and delays further writes of the same contents.

A write is delayed only if all of these conditions hold:

* Another client has reverted the previous write: the row differs because of an update that this process did not cause.
* The contents are the same as those of the previous write.
* The input of the plan has not changed in the meantime. It has changed if a pass planned nothing for the key although the
  write was reverted, or if this process has replaced an earlier write that no client had reverted. Input that alternates
  between two values is therefore never delayed.

Most conflicts end soon. For example, another zone's daemon without support for the lock of IC_SB deletes the datapath
of a transit switch until it knows that switch. The waits therefore begin at a few milliseconds and double: the delay is
about as long as the conflict lasted, and a permanent conflict costs one write per minute.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Callable, NamedTuple

from ..ovsdb.store import NOTHING, Row, RowChange
from .change import DELETE, INSERT, UPDATE, Change, Group, plain

#: The number of writes to one place (a subject's name and a key) within one window before its writes are remembered.
#: Until then, a write costs only a counter.
FREE_WRITES = 5
#: The time, in seconds, until a write is forgotten.
WINDOW = 10.0
#: The first and the longest wait, in seconds.
FIRST_WAIT = 0.01
LAST_WAIT = 60.0

Place = tuple[str, Hashable]

#: What a row change means for a write: another client undid it, the row is as written, or neither.
_UNDONE, _STANDS, _NEITHER = "undone", "stands", "neither"


class Hold(NamedTuple):
    """Contents that may not be written yet: until when (the clock's seconds), how long the wait is in total, and why."""

    due: float
    wait: float
    reason: str


class _Write:
    """Contents that were written to a place, and whether they are still there."""

    __slots__ = ("due", "group", "lost", "undone", "until", "wait")

    def __init__(self) -> None:
        self.group: Group | None = None
        #: Whether another client has undone it, and whether the server rejected it for a temporary reason.
        self.undone = self.lost = False
        #: The last wait, the time at which the contents may be written again, and the time until which this is
        #: remembered.
        self.wait = self.due = self.until = 0.0


class WriteConflicts:
    """Remembers the writes to busy places and which of them another client has undone. ``clock`` returns monotonic
    seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._window = clock()
        self._counts: dict[Place, int] = {}
        #: By place and contents: the remembered writes. The row changes and the plans of these places have to be reported.
        self.busy: dict[Place, dict[str, _Write]] = {}

    def hold(self, group: Group) -> Hold | None:
        """Why a group may not be written now; None if it may."""
        writes = self.busy.get((group.subject, group.key))
        write = writes.get(contents(group)) if writes else None
        if write is None or not (write.undone or write.lost) or write.due <= self._clock():
            return None
        cause = "another client keeps reverting this row" if write.undone else "the server keeps rejecting this row for a temporary reason"
        return Hold(write.due, write.wait, f"{cause}; retrying {write.wait:g} s after the last attempt")

    def sent(self, group: Group) -> None:
        """Record that a group is written now."""
        now, place = self._clock(), (group.subject, group.key)
        if now - self._window > WINDOW:
            self._forget_old(now)
        count = self._counts[place] = self._counts.get(place, 0) + 1
        writes = self.busy.get(place)
        if writes is None:
            if count <= FREE_WRITES:
                return
            writes = self.busy[place] = {}
        text = contents(group)
        write = writes.get(text)
        if write is None or not (write.undone or write.lost):
            if any(_overwrites(group, other.group) for other in writes.values() if not other.undone and other.group is not None):
                writes.clear()  # our previous write was still in place, so our own input has changed
            write = writes[text] = _Write()
        else:
            write.wait = min(max(FIRST_WAIT, write.wait * 2), LAST_WAIT)
            write.due = now + write.wait
        write.group, write.undone, write.lost = group, False, False
        write.until = now + write.wait + max(WINDOW, write.wait)

    def lost(self, group: Group) -> None:
        """A group was not written because of a temporary error, or the outcome of its transaction is unknown."""
        writes = self.busy.get((group.subject, group.key)) if self.busy else None
        for write in (writes or {}).values():
            write.lost = write.lost or write.group is group

    def observe(self, place: Place, change: RowChange) -> None:
        """Record whether a row change that affects a place reverts or restores what was written there."""
        for write in self.busy.get(place, {}).values():
            effect = _effect(write.group, change) if write.group is not None else _NEITHER
            if effect != _NEITHER:
                write.undone = effect == _UNDONE

    def agreed(self, place: Place) -> None:
        """A pass planned nothing for a place: writes there that were reverted are no longer desired, or are in place again."""
        writes = self.busy.get(place)
        if writes:
            for text in [text for text, write in writes.items() if write.undone]:
                del writes[text]

    def forget(self, subject: str | None = None) -> None:
        """Forget the writes of a subject, or of all subjects, because other clients may have written in the meantime."""
        for place in [place for place in self.busy if subject in (None, place[0])]:
            del self.busy[place]

    def _forget_old(self, now: float) -> None:
        self._window = now
        self._counts.clear()
        for place, writes in list(self.busy.items()):
            current = {text: write for text, write in writes.items() if write.until > now}
            if current:
                self.busy[place] = current
            else:
                del self.busy[place]


def contents(group: Group) -> str:
    """What a group writes and why, as one text. UUIDs of new rows are left out, because they differ in each attempt;
    UUIDs in values are included.
    """
    return repr([_written(change) for change in group.changes])


def _written(change: Change) -> tuple[Any, ...]:
    columns = sorted((column, plain(value)) for column, value in change.columns.items())
    keys = sorted((column, sorted(values.items())) for column, values in change.keys.items())
    members = sorted((column, sorted(members.added), bool(members.removed)) for column, members in change.members.items())
    return change.database, change.table, change.action, change.record, change.reason, columns, keys, members


def _effect(group: Group, change: RowChange) -> str:
    for own in group.changes:
        if (own.database, own.table) == (change.database, change.table):
            effect = _EFFECTS[own.action](own, change)
            if effect != _NEITHER:
                return effect
    return _NEITHER


def _effect_on_insert(own: Change, change: RowChange) -> str:
    if change.new is not None and _has_columns(change.new, own):
        return _STANDS
    return _UNDONE if change.old is not None and _has_columns(change.old, own) else _NEITHER


def _effect_on_delete(own: Change, change: RowChange) -> str:
    if change.new is None:
        return _STANDS if change.uuid == own.uuid else _NEITHER
    return _UNDONE if change.old is None else _NEITHER


def _effect_on_update(own: Change, change: RowChange) -> str:
    if change.uuid != own.uuid:
        return _NEITHER
    if change.new is None or _members_undone(own, change):
        return _UNDONE
    if not (own.columns or own.keys):
        return _NEITHER
    if _has(change.new, own):
        return _STANDS
    return _UNDONE if change.old is not None and _has(change.old, own) else _NEITHER


_EFFECTS: Mapping[str, Callable[[Change, RowChange], str]] = {
    INSERT: _effect_on_insert,
    UPDATE: _effect_on_update,
    DELETE: _effect_on_delete,
}


def _members_undone(own: Change, change: RowChange) -> bool:
    """Whether added members were removed, or others appeared where members were removed: a deleted row may return under
    another UUID.
    """
    for column, members in own.members.items():
        left, came = _moves(change, column)
        if members.added & left or (members.removed and came):
            return True
    return False


def _moves(change: RowChange, column: str) -> tuple[frozenset[str], frozenset[str]]:
    """The members that left a column, and those that were added."""
    edges = change.edges.get(column)
    if edges is not None:
        return edges.removed, edges.added
    if change.old is None or change.new is None or not change.old.has_column(column):
        return NOTHING, NOTHING
    old, new = frozenset(change.old[column]), frozenset(change.new[column])
    return old - new, new - old


def _has_columns(row: Row, own: Change) -> bool:
    """Whether a row has the columns that an insert writes. References to rows of the same transaction are ignored
    because their UUIDs are unknown.
    """
    return all(row[column] == value for column, value in own.columns.items() if row.has_column(column) and not _names_rows(value))


def _names_rows(value: Any) -> bool:
    if isinstance(value, str):
        return value.startswith("@")
    return isinstance(value, frozenset) and any(isinstance(one, str) and one.startswith("@") for one in value)


def _has(row: Row, own: Change) -> bool:
    """Whether a row has the columns and map keys that an update writes."""
    return row.agrees(own.columns) and all(
        row[column].get(key) == value for column, keys in own.keys.items() for key, value in keys.items()
    )


def _overwrites(group: Group, before: Group) -> bool:
    """Whether a group reverts what an earlier one wrote: it deletes the row that the earlier one inserted, or writes a
    different value.
    """
    return any(
        _takes_back(change, other)
        for change in group.changes
        for other in before.changes
        if (change.database, change.table) == (other.database, other.table)
    )


def _takes_back(change: Change, other: Change) -> bool:
    if DELETE in (change.action, other.action):
        return change.action != other.action
    if UPDATE in (change.action, other.action) and INSERT not in (change.action, other.action) and change.uuid != other.uuid:
        return False
    now, then = _values(change), _values(other)
    if any(value != then[name] for name, value in now.items() if name in then):
        return True
    both = [(members, other.members.get(column, members)) for column, members in change.members.items()]
    return any((mine.removed and theirs.added) or (mine.added and theirs.removed) for mine, theirs in both)


def _values(change: Change) -> dict[Any, Any]:
    """The values that a Change writes: by column, and for maps by column and key."""
    values: dict[Any, Any] = {}
    for column, value in change.columns.items():
        if isinstance(value, Mapping):
            values.update(((column, key), one) for key, one in value.items())
        else:
            values[column] = value
    for column, keys in change.keys.items():
        values.update(((column, key), one) for key, one in keys.items())
    return values
