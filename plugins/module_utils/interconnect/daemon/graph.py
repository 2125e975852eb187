# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine as a graph: which subject reads the changes of which tables (``--dump-inc-proc-graph``, spec status-F.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..engine.engine import Subject


def dot(subjects: Iterable[Subject]) -> str:
    """A graph in Graphviz format, with an edge from each table to each subject that reads it."""
    return "\n".join(['digraph "ovn-ic" {', "\trankdir=LR;", *_lines(tuple(subjects)), "}", ""])


def _lines(subjects: tuple[Subject, ...]) -> Iterator[str]:
    for database, table in sorted({place for subject in subjects for place in subject.tables}):
        yield f'\t"{database}.{table}" [shape=box];'
    for subject in subjects:
        yield f'\t"{subject.name}" [shape=ellipse];'
        for database, table in sorted(subject.tables):
            yield f'\t"{database}.{table}" -> "{subject.name}";'
