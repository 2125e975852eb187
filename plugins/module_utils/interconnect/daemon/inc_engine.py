# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands ``inc-engine/*`` and ``stopwatch/*``: upstream's node names and output, filled from the statistics of
this engine's subjects.

Upstream's engine has one node for each table and one for each part of the work. Here a part is one or several subjects.
*compute* counts the passes in which all changes of the part were handled key by key, *recompute* those in which all of
its keys were planned. As in upstream, each run counts as a *recompute* of every table. Nothing is ever canceled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ..engine.engine import Engine
from ..engine.runs import Runs, Stopwatch
from ..tables import DATABASES, IC_NB, IC_SB, NB, SB

_PREFIXES = {NB: "NB", SB: "SB", IC_NB: "ICNB", IC_SB: "ICSB"}
#: Upstream's nodes, and the subjects that do their work here.
PARTS = {
    "az": ("zones",),
    "gateway": ("gateways",),
    "ts": ("transit_switches",),
    "tr": ("transit_routers",),
    "tunnel_key": ("transit_switches", "transit_routers", "held_keys"),
    "port_binding": ("ports", "router_ports"),
    "route": ("advertised_routes", "learned_routes"),
    "service_monitor": ("service_monitors",),
    "address_set": ("address_sets",),
}
#: The node that represents the whole engine.
WHOLE = "ic"
TABLES = tuple(f"{_PREFIXES[name]}_{table.lower()}" for name, database in DATABASES.items() for table in database.tables)
NODES = (*TABLES, *PARTS, WHOLE)
#: The units of ``stopwatch/show --threshold`` in milliseconds.
_UNITS = {"msec": 1.0, "usec": 1e-3, "nsec": 1e-6}
_THRESHOLD = re.compile(r"\d+")


class InputError(ValueError):
    """An argument of a command is invalid; the text is the answer."""


class IncEngine:
    """The answers to ``inc-engine/*`` and ``stopwatch/*``."""

    def __init__(self, engine: Engine) -> None:
        self._runs: Runs = engine.runs
        #: The nodes that have a stopwatch.
        self._watched: set[str] = set()

    def show(self, arguments: Sequence[str]) -> str:
        """``inc-engine/show-stats [NODE [recompute|compute|cancel]]``. For an unknown node the answer is empty, as in
        upstream.
        """
        nodes = [node for node in NODES if not arguments or node == arguments[0]]
        if len(arguments) < 2:
            return "".join(self._stats(node) for node in nodes)
        if arguments[1] not in ("recompute", "compute", "cancel"):
            return f"Invalid stat type : {arguments[1]}" if nodes else ""
        return "".join(str(self._counts(node)[arguments[1]]) for node in nodes)

    def _stats(self, node: str) -> str:
        counts = self._counts(node)
        return f"Node: {node}\n" + "".join(f"- {name + ':':<10} {count:>12}\n" for name, count in counts.items())

    def _counts(self, node: str) -> dict[str, int]:
        runs = self._runs
        if node in TABLES:
            return {"recompute": runs.total, "compute": 0, "cancel": 0}
        if node == WHOLE:
            return {"recompute": runs.full, "compute": runs.total - runs.full, "cancel": 0}
        recompute = max(runs.recompute[subject] for subject in PARTS[node])
        return {"recompute": recompute, "compute": max(runs.compute[subject] for subject in PARTS[node]), "cancel": 0}

    def clear(self) -> None:
        """``inc-engine/clear-stats``."""
        self._runs.clear()

    # -- stopwatches -------------------------------------------------------------------------------------------------------------------

    @staticmethod
    def names() -> str:
        """``inc-engine/list-stopwatches``."""
        return "\n".join(NODES)

    def enable(self, nodes: Sequence[str]) -> str:
        """``inc-engine/enable-stopwatch [NODE]``; without a node, all stopwatches."""
        for node in _known(nodes):
            self._watched.add(node)
            for subject in PARTS.get(node, ()):
                self._runs.timed.setdefault(subject, Stopwatch())
        return ""

    def disable(self, nodes: Sequence[str]) -> str:
        """``inc-engine/disable-stopwatch [NODE]``."""
        self._watched -= set(_known(nodes))
        wanted = {subject for node in self._watched for subject in PARTS.get(node, ())}
        for subject in set(self._runs.timed) - wanted:
            del self._runs.timed[subject]
        return ""

    def show_stopwatches(self, arguments: Sequence[str]) -> str:
        """``stopwatch/show [NAME | -t|--threshold N [unit]]``. A part with several subjects has one statistic for each."""
        if arguments and arguments[0] in ("-t", "--threshold"):
            return self._above(arguments[1:])
        if arguments and arguments[0] not in NODES:
            raise InputError("No such stopwatch")
        names = arguments[:1] or NODES
        found = [(name, watch) for name in names for watch in self._watches(name)]
        text = "".join(_statistics(name, watch) for name, watch in found)
        idle = len(set(names) - {name for name, _watch in found})
        if idle and not arguments:
            text += f"{idle} stopwatches with no samples\n"
        return text or f"{idle} stopwatches with no samples"

    def _above(self, words: Sequence[str]) -> str:
        if not words:
            raise InputError("option --threshold requires an argument")
        unit = words[1] if len(words) > 1 else "msec"
        if not _THRESHOLD.fullmatch(words[0]):
            raise InputError(f"Invalid threshold: {words[0]}")
        if unit not in _UNITS:
            raise InputError(f"Unknown units: {unit} (supported: msec, usec or nsec).")
        least = int(words[0]) * _UNITS[unit]
        found = ((name, watch) for name in NODES for watch in self._watches(name))
        return "".join(_statistics(name, watch) for name, watch in found if watch.maximum >= least)

    def reset(self, names: Sequence[str]) -> str:
        """``stopwatch/reset [NAME]``. An unknown name is ignored, as in upstream."""
        for name in names or NODES:
            for subject in PARTS.get(name, ()):
                if subject in self._runs.timed:
                    self._runs.timed[subject] = Stopwatch()
        return ""

    def _watches(self, name: str) -> Iterator[Stopwatch]:
        subjects = PARTS.get(name, ()) if name in self._watched else ()
        for subject in subjects:
            watch = self._runs.timed.get(subject)
            if watch is not None and watch.count:
                yield watch


def _known(nodes: Sequence[str]) -> Iterable[str]:
    if nodes and nodes[0] not in NODES:
        raise InputError("node not found")
    return nodes[:1] or NODES


def _statistics(name: str, watch: Stopwatch) -> str:
    return (
        f"Statistics for '{name}'\n"
        f"  Total samples: {watch.count}\n"
        f"  Maximum: {watch.maximum:.0f} msec\n"
        f"  Minimum: {watch.minimum:.0f} msec\n"
        f"  95th percentile: {watch.percentile:.6f} msec\n"
        f"  Short term average: {watch.short_term:.6f} msec\n"
        f"  Long term average: {watch.long_term:.6f} msec\n"
    )
