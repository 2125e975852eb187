# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong with a module's work, as data: the base of the modules makes one sentence of it."""

from __future__ import annotations


class ModuleError(Exception):
    """A person's mistake or a server's refusal: a sentence without its beginning, and what a program may want to know of it.

    ``database`` is the name of the database that it is about, if it is about one. ``ovsdb_error`` holds the server's own words.
    """

    def __init__(self, sentence: str, *, database: str | None = None, ovsdb_error: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.database = database
        self.ovsdb_error = ovsdb_error
