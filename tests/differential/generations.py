# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generations of upstream's daemon that the differential test compares with, and what each of them knows."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache

from ansible_collections.ovn.interconnect.tests.support.servers import SuiteMissingError, suite


@dataclass(frozen=True)
class Generation:
    """One release of OVN: the suite that brings it, the version at which its differences count, and what it can do.

    `decides` at any version for a suite that does not move; else only at the recorded one. The rest says what may be drawn.
    """

    name: str
    suites: tuple[str, ...]
    version: str
    decides: bool = False
    #: 24.03: status counters; zones are renamed in place; a rejected transaction is repeated at once.
    counters: bool = False
    #: 25.03: VXLAN mode, ports of leaf switches, tags, deny lists by their new name, requested-chassis on copies.
    spine_leaf: bool = False
    #: 26.03 and later: the feature set of the schemas that have transit routers, address sets and monitors.
    transit_ports: bool = False

    @property
    def found(self) -> str | None:
        """The first of its suites that is on this machine."""
        for name in self.suites:
            try:
                suite(name).command("ovn-ic")
            except SuiteMissingError:
                continue
            return name
        return None


GENERATIONS = (
    Generation("23.03", ("host",), "23.03.1", decides=True),
    Generation("25.03", ("trixie",), "25.03.0", decides=True, counters=True, spine_leaf=True),
    Generation("newest", ("experimental", "sid"), "26.09.0", counters=True, spine_leaf=True, transit_ports=True),
)
BY_NAME = {generation.name: generation for generation in GENERATIONS}


def of_suite(name: str) -> Generation:
    """The generation that a suite brings."""
    return next(known for known in GENERATIONS if name in known.suites)


@dataclass(frozen=True)
class Case:
    """One history under one generation, with a pair of daemons that is compared with upstream's in both zones."""

    generation: Generation
    seed: int
    kinds: tuple[str, str]

    def __str__(self) -> str:
        return f"{self.generation.name}-{self.seed}-{'/'.join(self.kinds)}"


@cache
def version(suite_name: str) -> str:
    """The version of a suite's sync daemon, as it tells it: `25.03.0`."""
    said = subprocess.run([*suite(suite_name).command("ovn-ic"), "--version"], check=True, capture_output=True, text=True).stdout
    return said.split()[1]
