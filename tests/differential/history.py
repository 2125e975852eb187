# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random histories of operator actions, as data.

A history follows from its seed alone. Each action is either operations of one transaction on one database, with the row
uuids chosen here, or something done to a daemon; so the same action can be given to any number of equal set-ups, printed,
and left out to see whether a failure stays.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import NAMESPACE_OID, UUID, uuid5

from ansible_collections.ovn.interconnect.tests.support.ovsdb import Operation

from .generations import Generation

LANS = 60
ZONES = ("az1", "az2")
SWITCHES = ("ts1", "ts2", "ts3")


@dataclass(frozen=True)
class Action:
    """One step of a history.

    `target` is `IC_NB`, `IC_SB`, `az1/NB`, … for operations, `az1/daemon` for a command. `alone` means that everything has
    to be settled before and after it, since its outcome would depend on what the daemons are at in that moment. What is
    `needed` is not left out when a failing history is made shorter.
    """

    what: str
    target: str
    operations: tuple[Operation, ...] = ()
    command: str = ""
    alone: bool = True
    needed: bool = False
    #: `az1/pause`, `az1/stop` or `az1/kill`: that is done to a daemon before, and undone behind.
    during: str = ""

    def __str__(self) -> str:
        what = self.command or list(self.operations)
        return f"{self.what} on {self.target}: {what}"


@dataclass
class Attachment:
    """A router's two ports for a transit switch; either may be gone."""

    switch: str
    networks: list[str]
    router_port: UUID | None
    switch_port: UUID | None
    options: dict[str, str] = field(default_factory=dict)


@dataclass
class Router:
    """What the history knows of a router."""

    name: str
    attachments: dict[str, Attachment] = field(default_factory=dict)
    lans: dict[str, UUID] = field(default_factory=dict)
    routes: list[UUID] = field(default_factory=list)


@dataclass
class Zone:
    """What the history knows of a zone."""

    name: str
    number: int
    chassis: dict[str, UUID] = field(default_factory=dict)
    routers: dict[str, Router] = field(default_factory=dict)
    vifs: dict[str, str] = field(default_factory=dict)
    free_lans: list[int] = field(default_factory=lambda: list(range(LANS)))
    #: What the zone calls itself now.
    title: str = ""
    #: By name of the port on the transit switch: that switch, and the port.
    leaves: dict[str, tuple[str, UUID]] = field(default_factory=dict)
    #: By name: the router, empty once it is deleted, and the balancer.
    balancers: dict[str, tuple[str, UUID]] = field(default_factory=dict)
    sets: set[str] = field(default_factory=set)
    #: Ports that may be backends, by name: their numbers, which their addresses hold.
    backends: dict[str, tuple[int, UUID]] = field(default_factory=dict)
    #: Balancers whose backends are monitored, by name.
    monitored: dict[str, UUID] = field(default_factory=dict)
    #: The options of all its health checks.
    check: dict[str, str] = field(default_factory=dict)
    #: Routes that a routing daemon has learned: the port's name, and the route.
    dynamic: list[tuple[str, UUID]] = field(default_factory=list)

    def lose_switch_ports(self, switch: str) -> None:
        """The zone's switch of that name is gone, and all ports on it."""
        for router in self.routers.values():
            if switch in router.attachments:
                router.attachments[switch].switch_port = None
        self.vifs = {name: on for name, on in self.vifs.items() if on != switch}
        self.leaves = {name: leaf for name, leaf in self.leaves.items() if leaf[0] != switch}

    @property
    def attached(self) -> list[tuple[Router, Attachment]]:
        """All attachments of which both ports are there."""
        return [
            (router, attachment)
            for router in self.routers.values()
            for attachment in router.attachments.values()
            if attachment.router_port and attachment.switch_port
        ]


Draw = Callable[["Historian", Zone], "Action | None"]


class Historian:
    """Draws one history, knowing what the operators have done so far; the actions are in the modules of this package, by kind of object."""

    def __init__(self, seed: int, generation: Generation) -> None:
        self.random = random.Random(seed)
        self.seed = seed
        self.generation = generation
        #: Ports and gateways to whose copies operators have added something: that ends with the copy, which goes for a moment or not
        #: when the row in IC_SB is deleted by hand, depending on who is faster.
        self.decorated: set[str] = set()
        self.transit_ports: dict[str, tuple[str, UUID]] = {}
        self.transit_routers: set[str] = set()
        self.switches: set[str] = set()
        self.zones = [Zone(name, number, title=name) for number, name in enumerate(ZONES, 1)]
        self.dual_stack = self.random.random() < 0.5
        self._uuids = 0
        self._names = 0

    def uuid(self) -> UUID:
        """The next row uuid of this history."""
        self._uuids += 1
        return uuid5(NAMESPACE_OID, f"{self.seed}/{self._uuids}")

    def name(self, prefix: str) -> str:
        """A name that no other object of this history has."""
        self._names += 1
        return f"{prefix}{self._names}"

    def drawn(self, vocabulary: Sequence[tuple[Draw, int]], length: int) -> Iterator[Action]:
        """Random actions, as often as the vocabulary says, that mean something in the state that those before them made."""
        draws, weights = zip(*vocabulary)
        while length:
            action = self.random.choices(draws, weights)[0](self, self.random.choice(self.zones))
            if action is not None:
                length -= 1
                yield action

    def mostly(self, value: str) -> str:
        """A boolean option's usual value, or now and then another text."""
        return self.random.choice([value] * 6 + ["false", "True", "yes", ""])

    def some(self, values: Iterable[object]) -> object | None:
        """One of some values, or None if there are none."""
        ordered = list(values)
        return self.random.choice(ordered) if ordered else None

    def other(self, zone: Zone) -> Zone:
        return self.zones[2 - zone.number]

    def mac(self, zone: Zone) -> str:
        return f"02:00:00:00:0{zone.number}:{self.random.randint(0, 255):02x}"
