# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures of a module as data, from which the module base composes one sentence."""

from __future__ import annotations

import errno


class ModuleError(Exception):
    """A mistake of the user or an error of a server: the message after "... failed: ", and data for programs.

    ``database`` is the name of the database concerned, if any. ``ovsdb_error`` contains the server's own message.
    ``changed`` says that something other than a row of a database was changed before the failure (the session counts
    rows).
    """

    def __init__(self, sentence: str, *, database: str | None = None, ovsdb_error: str | None = None, changed: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.database = database
        self.ovsdb_error = ovsdb_error
        self.changed = changed


#: What to do about an error of the operating system, by errno.
_ADVICE = {
    errno.ENOENT: "create it, or correct the path",
    errno.ENOTDIR: "correct the path",
    errno.EISDIR: "give the path of a file",
    errno.EACCES: "run the task as a user who may do this (become), or change the permissions",
    errno.EPERM: "run the task as a user who may do this (become), or change the permissions",
    errno.EROFS: "choose a path on a file system that can be written to",
    errno.ENOSPC: "free some space, or choose a path on another file system",
    errno.EDQUOT: "free some space, or raise the quota",
    errno.EMFILE: "raise the limit of open files",
    errno.ENFILE: "raise the limit of open files",
}


def one_line(words: object) -> str:
    """A text without line breaks and repeated spaces, so that messages of servers and libraries fit into a sentence."""
    return " ".join(str(words).split())


def unexpected(error: Exception) -> str:
    """An exception that this collection does not raise deliberately, as one sentence with what to do."""
    if isinstance(error, OSError):
        paths = " and ".join(str(path) for path in (error.filename, error.filename2) if path is not None)
        what = error.strerror or one_line(error) or type(error).__name__
        advice = _ADVICE.get(error.errno or 0, "correct this on the host and run the task again")
        return f"the operating system reports {what!r}{f' for {paths}' if paths else ''}; {advice}"
    words = one_line(error)
    return (
        f"unexpected {type(error).__name__}{f' ({words})' if words else ''}; this is a bug in the collection: "
        "report it with the output of ansible-playbook -vvv"
    )
