# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random histories of operator actions, as data.

A history follows from its seed alone. Each action is either operations of one transaction on one database, with the row
uuids chosen here, or something done to a daemon; so the same action can be given to any number of equal set-ups, printed,
and left out to see whether a failure stays.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import NAMESPACE_OID, UUID, uuid5

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.ovsdb import Json, Operation, delete, drop_keys, insert, set_keys, update

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
        what = self.command or json.dumps(list(self.operations))
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
    """Draws the actions of one history, knowing what the operators have done so far."""

    def __init__(self, seed: int, generation: Generation, vocabulary: Sequence[tuple[Draw, int]], opening: Sequence[Draw] = ()) -> None:
        self.random = random.Random(seed)
        self.seed = seed
        self.generation = generation
        self.vocabulary = vocabulary
        self.opening = opening
        #: Ports to whose copies operators have added something: that ends with the copy, which goes for a moment or not when the
        #: port's row in IC_SB is deleted by hand, depending on who is faster.
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

    def history(self, length: int) -> list[Action]:
        """A first set-up of both zones, in many histories what the generation's opening adds to it, then `length` random actions."""
        actions = list(self.beginning())
        if self.opening and self.random.random() < 0.6:
            drawn = (draw(self, zone) for draw in self.opening for zone in self.zones)
            actions += [action for action in drawn if action is not None]
        return [*actions, *self.drawn(length)]

    def beginning(self) -> Iterator[Action]:
        """Named zones with gateways, two transit switches and a router on one or both of them in each zone."""
        for zone in self.zones:
            options = {"ic-route-adv": self.mostly("true"), "ic-route-learn": self.mostly("true")}
            named = (*topology.zone_name(zone.name), *topology.zone_options(options))
            yield Action("name the zone", f"{zone.name}/NB", named, alone=False, needed=True)
            yield from (self.add_chassis(zone) for _ in range(self.random.randint(1, 2)))
        for name in SWITCHES[:2]:
            yield self.add_switch_named(name)
        for zone in self.zones:
            for switch in self.random.sample(SWITCHES[:2], self.random.randint(1, 2)):
                yield self.add_router(zone)
                yield self.attach_to(zone, list(zone.routers.values())[-1], switch)
                yield self.add_lan_to(zone, list(zone.routers.values())[-1])
            claimed = self.claim_gateway(zone)
            if claimed:
                yield claimed

    def drawn(self, length: int) -> Iterator[Action]:
        """Random actions that mean something in the state that those before them made."""
        draws, weights = zip(*self.vocabulary)
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

    # --- transit switches

    def add_switch_named(self, name: str) -> Action:
        self.switches.add(name)
        return Action(f"add {name}", "IC_NB", tuple(topology.transit_switch(name, self.uuid())))

    def add_switch(self, _zone: Zone) -> Action | None:
        free = sorted(set(SWITCHES) - self.switches)
        return self.add_switch_named(self.random.choice(free)) if free else None

    def delete_switch(self, _zone: Zone) -> Action | None:
        if not self.switches:
            return None
        name = self.random.choice(sorted(self.switches))
        self.switches.discard(name)
        for zone in self.zones:
            self._lose_switch_ports(zone, name)
        self.transit_ports = {port: place for port, place in self.transit_ports.items() if place[0] != name}
        return Action(f"delete {name}", "IC_NB", tuple(topology.no_transit_switch(name)))

    def change_switch(self, _zone: Zone) -> Action | None:
        if not self.switches:
            return None
        name = self.random.choice(sorted(self.switches))
        keys = {self.random.choice(("note", "x")): str(self.random.randint(0, 9))}
        column = self.random.choice(("other_config", "external_ids"))
        return Action(f"change {name}", "IC_NB", (set_keys("Transit_Switch", column, keys, name=name),), alone=False)

    def delete_local_switch(self, zone: Zone) -> Action | None:
        if not self.switches:
            return None
        name = self.random.choice(sorted(self.switches))
        self._lose_switch_ports(zone, name)
        return Action(f"delete the zone's switch {name}", f"{zone.name}/NB", (delete("Logical_Switch", name=name),))

    def _lose_switch_ports(self, zone: Zone, switch: str) -> None:
        for router in zone.routers.values():
            if switch in router.attachments:
                router.attachments[switch].switch_port = None
        zone.vifs = {name: on for name, on in zone.vifs.items() if on != switch}
        zone.leaves = {name: leaf for name, leaf in zone.leaves.items() if leaf[0] != switch}

    def configure_switch(self, zone: Zone) -> Action | None:
        """Keys of the zone's switch: those of operators stay, `requested-tnl-key` is put right."""
        if not self.switches:
            return None
        name = self.random.choice(sorted(self.switches))
        keys = self.random.choice([{"mcast_snoop": "true"}, {"requested-tnl-key": "17"}, {"requested-tnl-key": "junk"}])
        return Action(f"configure {name}", f"{zone.name}/NB", (set_keys("Logical_Switch", "other_config", keys, name=name),))

    def ordinary_switch(self, zone: Zone) -> Action:
        """A switch that only has the name of a transit switch, or none of it."""
        name = self.random.choice(["lan", "ts3", "public"])
        row = {"name": name, "other_config": {"mcast_snoop": "false"}}
        return Action(f"add the ordinary switch {name}", f"{zone.name}/NB", (insert("Logical_Switch", row, self.uuid()),), alone=False)

    # --- chassis

    def encaps(self, zone: Zone) -> list[tuple[str, str]]:
        ip = f"192.0.{zone.number}.{self.random.randint(1, 250)}"
        return [(kind, ip) for kind in self.random.choice([("geneve",), ("geneve", "vxlan"), ("geneve", "stt")])]

    def add_chassis(self, zone: Zone) -> Action:
        name, uuid = self.name(f"{zone.name}-gw"), self.uuid()
        zone.chassis[name] = uuid
        ip = f"192.{len(zone.chassis) + self._names}.{zone.number}.1"
        kinds = self.random.choice([("geneve",), ("geneve", "vxlan"), ("stt", "geneve")])
        interconn = self.random.random() < 0.85
        operations = topology.chassis(
            name, [(kind, ip) for kind in kinds], interconn=interconn, hostname=self.random.choice([name, "", "host"]), uuid=uuid
        )
        return Action(f"add chassis {name}", f"{zone.name}/SB", tuple(operations), alone=False)

    def delete_chassis(self, zone: Zone) -> Action | None:
        if not zone.chassis:
            return None
        name = self.random.choice(sorted(zone.chassis))
        del zone.chassis[name]
        return Action(f"delete chassis {name}", f"{zone.name}/SB", tuple(topology.no_chassis(name)))

    def change_chassis(self, zone: Zone) -> Action | None:
        if not zone.chassis:
            return None
        name = self.random.choice(sorted(zone.chassis))
        kind = self.random.randrange(5)
        if kind == 0:
            operations = [update("Chassis", {"hostname": self.name("host")}, name=name)]
        elif kind == 1:
            operations = topology.chassis_encaps(name, self.encaps(zone), self.random.choice(["true", "false"]))
        elif kind == 2:
            operations = [update("Chassis", {"transport_zones": {"tz1"}, "external_ids": {"a": "b"}}, name=name)]
        else:
            operations = topology.interconn(name, self.random.choice([True, False, None]))
        return Action(f"change chassis {name}", f"{zone.name}/SB", tuple(operations), alone=kind == 1)

    def tamper_chassis(self, zone: Zone) -> Action | None:
        """The copy of another zone's gateway is changed or deleted."""
        other = self.other(zone)
        if not other.chassis:
            return None
        name = self.random.choice(sorted(other.chassis))
        operations: list[Operation] = self.random.choice(
            [
                [update("Chassis", {"hostname": "tampered"}, name=name)],
                [set_keys("Chassis", "other_config", {"note": "kept"}, name=name)],
                topology.no_chassis(name),
            ]
        )
        return Action(f"tamper with the copy of {name}", f"{zone.name}/SB", tuple(operations))

    def other(self, zone: Zone) -> Zone:
        return self.zones[2 - zone.number]

    # --- routers and their ports

    def add_router(self, zone: Zone) -> Action:
        name, uuid = self.name(f"{zone.name}-lr"), self.uuid()
        zone.routers[name] = Router(name)
        # Else northd drops what a routing daemon has learned there.
        options = {"dynamic-routing": "true"} if self.generation.transit_ports else {}
        return Action(f"add router {name}", f"{zone.name}/NB", tuple(topology.router(name, uuid, options)))

    def attach(self, zone: Zone) -> Action | None:
        """A router on a transit switch; never two of one zone on one switch (9.3 of the routes document)."""
        router = self.some(zone.routers.values())
        taken = {name for known in zone.routers.values() for name in known.attachments}
        free = sorted(self.switches - taken)
        if not isinstance(router, Router) or not free:
            return None
        return self.attach_to(zone, router, self.random.choice(free))

    def attach_to(self, zone: Zone, router: Router, switch: str) -> Action:
        attachment = Attachment(switch, self.networks(zone, switch), self.uuid(), self.uuid())
        router.attachments[switch] = attachment
        gateways = [(name, 10 * number) for number, name in enumerate(sorted(zone.chassis), 1)] if self.random.random() < 0.7 else []
        operations = topology.attachment(
            router.name,
            switch,
            self.mac(zone),
            attachment.networks,
            options=self.random.choice([{}, {}, {}, {"route_table": "rtb1"}]),
            gateways=gateways,
            router_port_uuid=attachment.router_port,
            switch_port_uuid=attachment.switch_port,
        )
        return Action(f"attach {router.name} to {switch}", f"{zone.name}/NB", tuple(operations))

    def networks(self, zone: Zone, switch: str) -> list[str]:
        number = SWITCHES.index(switch) + 1
        host = zone.number + 2 * self.random.randint(0, 50)
        networks = [f"169.254.{number}.{host}/24"]
        if self.dual_stack:
            networks.append(f"fd00:{number}::{host}/64")
        return networks

    def mac(self, zone: Zone) -> str:
        return f"02:00:00:00:0{zone.number}:{self.random.randint(0, 255):02x}"

    def detach(self, zone: Zone) -> Action | None:
        """Both ports of an attachment go at once."""
        found = self.some(zone.attached)
        if not isinstance(found, tuple):
            return None
        router, attachment = found
        del router.attachments[attachment.switch]
        operations = (
            *topology.no_switch_port(attachment.switch, attachment.switch_port),
            *topology.no_router_port(router.name, attachment.router_port),
        )
        return Action(f"detach {router.name} from {attachment.switch}", f"{zone.name}/NB", operations)

    def delete_switch_port(self, zone: Zone) -> Action | None:
        """The switch port goes, the router port stays."""
        found = self.some(zone.attached)
        if not isinstance(found, tuple):
            return None
        router, attachment = found
        operations = topology.no_switch_port(attachment.switch, attachment.switch_port)
        attachment.switch_port = None
        return Action(f"delete the switch port of {router.name} on {attachment.switch}", f"{zone.name}/NB", tuple(operations))

    def restore_switch_port(self, zone: Zone) -> Action | None:
        """A lost switch port is made anew for the router port that is still there."""
        found = self.some(
            (router, attachment)
            for router in zone.routers.values()
            for attachment in router.attachments.values()
            if attachment.switch_port is None and attachment.switch in self.switches
        )
        if not isinstance(found, tuple):
            return None
        router, attachment = found
        attachment.switch_port = self.uuid()
        name, port = f"{attachment.switch}-{router.name}", f"{router.name}-{attachment.switch}"
        operations = topology.switch_port(attachment.switch, name, options={"router-port": port}, uuid=attachment.switch_port)
        return Action(f"restore {name}", f"{zone.name}/NB", tuple(operations))

    def change_router_port(self, zone: Zone) -> Action | None:
        found = self.some(zone.attached)
        if not isinstance(found, tuple):
            return None
        router, attachment = found
        row: dict[str, object]
        kind = self.random.randrange(4)
        if kind == 0:
            row = {"mac": self.mac(zone)}
        elif kind == 1:
            row = {"networks": set(self.networks(zone, attachment.switch))}
        else:
            row = {"options": self.random.choice([{}, {"route_table": "rtb1"}, {"route_table": "rtb2"}])}
        what = f"change the port of {router.name} on {attachment.switch}"
        return Action(what, f"{zone.name}/NB", (update("Logical_Router_Port", row, _uuid=attachment.router_port),))

    def change_switch_port(self, zone: Zone) -> Action | None:
        """Options of a local port: its key is put right, all else stays; its type may go and come."""
        found = self.some(zone.attached)
        if not isinstance(found, tuple):
            return None
        router, attachment = found
        table, uuid = "Logical_Switch_Port", attachment.switch_port
        operation = self.random.choice(
            [
                set_keys(table, "options", {"requested-tnl-key": "999"}, _uuid=uuid),
                set_keys(table, "options", {"requested-tnl-key": "junk"}, _uuid=uuid),
                drop_keys(table, "options", ["requested-tnl-key"], _uuid=uuid),
                set_keys(table, "options", {"mcast_flood": "true"}, _uuid=uuid),
                update(table, {"type": ""}, _uuid=uuid),
                update(table, {"type": "router"}, _uuid=uuid),
            ]
        )
        return Action(f"change the switch port of {router.name} on {attachment.switch}", f"{zone.name}/NB", (operation,))

    def add_vif(self, zone: Zone) -> Action | None:
        if not self.switches:
            return None
        switch, name = self.random.choice(sorted(self.switches)), self.name(f"{zone.name}-vif")
        zone.vifs[name] = switch
        operations = topology.switch_port(switch, name, kind="", addresses=["unknown"], uuid=self.uuid())
        return Action(f"add VIF {name} on {switch}", f"{zone.name}/NB", tuple(operations))

    def tamper_remote_port(self, zone: Zone) -> Action | None:
        """The copy of another zone's port is changed."""
        found = self.some(self.other(zone).attached)
        if not isinstance(found, tuple):
            return None
        router, attachment = found
        name, table = f"{attachment.switch}-{router.name}", "Logical_Switch_Port"
        self.decorated.add(name)
        operation = self.random.choice(
            [
                update(table, {"addresses": {"02:00:00:00:00:01 10.0.0.1"}}, name=name),
                update(table, {"addresses": set()}, name=name),
                set_keys(table, "options", {"requested-tnl-key": "4711"}, name=name),
                drop_keys(table, "options", ["requested-tnl-key"], name=name),
                set_keys(table, "options", {"mcast_flood_reports": "true"}, name=name),
            ]
        )
        return Action(f"tamper with the copy of {name}", f"{zone.name}/NB", (operation,))

    def forge_remote_port(self, zone: Zone) -> Action | None:
        """A remote port that no zone has published."""
        if not self.switches:
            return None
        switch, name = self.random.choice(sorted(self.switches)), self.name("forged")
        operations = topology.switch_port(switch, name, kind="remote", addresses=["unknown"], uuid=self.uuid())
        return Action(f"forge remote port {name} on {switch}", f"{zone.name}/NB", tuple(operations))

    def claim_gateway(self, zone: Zone) -> Action | None:
        """A chassis claims, or gives up, a router port's chassis-redirect binding."""
        found = self.some(zone.attached)
        if not isinstance(found, tuple):
            return None
        router, attachment = found
        chassis = self.some([*zone.chassis.values(), *zone.chassis.values(), None])
        port = f"cr-{router.name}-{attachment.switch}"
        return Action(f"claim {port}", f"{zone.name}/SB", tuple(topology.claim(port, chassis if isinstance(chassis, UUID) else None)))

    def claim_remote(self, zone: Zone) -> Action | None:
        """The binding of a remote port is cleared by hand."""
        found = self.some(self.other(zone).attached)
        if not isinstance(found, tuple):
            return None
        router, attachment = found
        name = f"{attachment.switch}-{router.name}"
        return Action(f"unbind the copy of {name}", f"{zone.name}/SB", tuple(topology.claim(name, None)))

    # --- routes

    def add_lan(self, zone: Zone) -> Action | None:
        router = self.some(zone.routers.values())
        return self.add_lan_to(zone, router) if isinstance(router, Router) else None

    def add_lan_to(self, zone: Zone, router: Router) -> Action:
        name, uuid = self.name(f"{router.name}-lan"), self.uuid()
        router.lans[name] = uuid
        number = zone.free_lans.pop(self.random.randrange(len(zone.free_lans)))
        networks = [f"10.{zone.number}.{number}.1/24"]
        if self.dual_stack and self.random.random() < 0.5:
            networks.append(f"2001:db8:{zone.number}:{number}::1/64")
        operations = topology.router_port(router.name, name, self.mac(zone), networks, uuid=uuid)
        return Action(f"add network {name}", f"{zone.name}/NB", tuple(operations), alone=False)

    def delete_lan(self, zone: Zone) -> Action | None:
        router = self.some(router for router in zone.routers.values() if router.lans)
        if not isinstance(router, Router):
            return None
        learning = {port for port, _route in zone.dynamic}
        name = self.some(sorted(set(router.lans) - learning))
        if not isinstance(name, str):
            return None  # northd cannot drop the binding of a port on which something was learned
        operations = topology.no_router_port(router.name, router.lans.pop(name))
        return Action(f"delete network {name}", f"{zone.name}/NB", tuple(operations), alone=False)

    def prefix(self) -> str:
        """A static route's prefix in one of the many ways in which people write it."""
        number, host = self.random.randint(0, 6), self.random.randint(2, 250)
        texts = [
            f"10.7.{number}.0/24",
            f"10.7.{number}.0/24",
            f"10.7.{number}.{host}/24",
            f"10.8.{number}.{host}",
            f"10.9.{number}.0/255.255.255.0",
            "10.9.0.0/255.0.255.0",
            "0.0.0.0/0",
            f"169.254.77.{host}",
            "10.7.0.0/33",
            "junk",
            "",
        ]
        if self.dual_stack:
            texts += [f"2001:db8:7:{number}::/64", f"2001:DB8:8:{number}::{host}/64", "::/0", "fe80:7::/64", f"2001:db8:9::{host}"]
        return self.random.choice(texts)

    def nexthop(self, prefix: str) -> str:
        if ":" in prefix:
            return self.random.choice(["2001:db8:1::9", "2001:DB8:1::a", "fd00:9::1", "junk"])
        return self.random.choice(["10.1.0.9", "10.1.0.9", "10.1.0.10", "10.2.0.0/24", "junk", ""])

    def add_route(self, zone: Zone) -> Action | None:
        router = self.some(zone.routers.values())
        if not isinstance(router, Router):
            return None
        uuid, prefix = self.uuid(), self.prefix()
        router.routes.append(uuid)
        columns: dict[str, object] = {}
        if self.random.random() < 0.3:
            columns["route_table"] = self.random.choice(["rtb1", "rtb2"])
        if self.random.random() < 0.3:
            columns["policy"] = self.random.choice(["src-ip", "dst-ip"])
        if self.random.random() < 0.2:
            columns["external_ids"] = self.random.choice([{"ic-learned-route": "junk"}, {"owner": "me"}])
        if self.random.random() < 0.2:
            columns["options"] = {"override-connected": "true"}
            if self.generation.transit_ports:
                # No other source of that prefix, nor a change to one (4.6 of the routes document).
                prefix = f"10.12.{self._uuids % 250}.0/24"
                router.routes.remove(uuid)
        operations = topology.static_route(router.name, prefix, self.nexthop(prefix), uuid, **columns)
        return Action(f"add route {prefix or '(empty)'} to {router.name}", f"{zone.name}/NB", tuple(operations), alone=False)

    def delete_route(self, zone: Zone) -> Action | None:
        router = self.some(router for router in zone.routers.values() if router.routes)
        if not isinstance(router, Router):
            return None
        uuid = router.routes.pop(self.random.randrange(len(router.routes)))
        return Action(
            f"delete a route of {router.name}", f"{zone.name}/NB", tuple(topology.no_static_route(router.name, uuid)), alone=False
        )

    def change_route(self, zone: Zone) -> Action | None:
        router = self.some(router for router in zone.routers.values() if router.routes)
        if not isinstance(router, Router):
            return None
        prefix = self.prefix()
        row: dict[str, object] = self.random.choice(
            [
                {"ip_prefix": prefix, "nexthop": self.nexthop(prefix)},
                {"route_table": self.random.choice(["", "rtb1", "rtb2"])},
                {"policy": self.random.choice([None, "src-ip", "dst-ip"])},
            ]
        )
        operation = update("Logical_Router_Static_Route", row, _uuid=self.random.choice(router.routes))
        return Action(f"change a route of {router.name}", f"{zone.name}/NB", (operation,), alone=False)

    def tamper_learned_routes(self, zone: Zone) -> Action:
        """All learned routes of the zone are edited or their mark is forged."""
        table = "Logical_Router_Static_Route"
        mine: Operation = self.random.choice(
            [
                update(table, {"nexthop": "10.99.0.1"}),
                update(table, {"route_table": "rtb9"}),
                update(table, {"external_ids": {"ic-learned-route": str(self.uuid())}}),
            ]
        )
        other_zone = self.other(zone).number
        prefixes = [f"10.{other_zone}.{number}.1/24" for number in range(LANS)]
        wheres: list[Json] = [[["ip_prefix", "==", prefix]] for prefix in prefixes]
        operations = tuple({**mine, "where": where} for where in wheres)
        return Action("tamper with learned routes", f"{zone.name}/NB", operations)

    def forge_learned_route(self, zone: Zone) -> Action | None:
        """A route that claims to be learned from a row that never was."""
        router = self.some(router for router, _attachment in zone.attached)
        if not isinstance(router, Router):
            return None
        ids = {"ic-learned-route": str(self.uuid())}
        operations = topology.static_route(router.name, "10.66.0.0/24", "169.254.1.77", self.uuid(), external_ids=ids)
        return Action(f"forge a learned route of {router.name}", f"{zone.name}/NB", tuple(operations))

    def zone_option(self, zone: Zone) -> Action:
        key = self.random.choice(["ic-route-adv", "ic-route-learn", "ic-route-adv-default", "ic-route-learn-default", "ic-route-blacklist"])
        if key == "ic-route-blacklist":
            lists = ["10.1.0.0/16", "10.2.0.0/20,10.7.2.0/24", "10.7.0.0/16", " 10.7.1.0/24,10.8.0.0/16", "10.7.0.0/22,junk,10.8.0.0/16"]
            operations = topology.zone_options({key: self.random.choice(lists)})
        else:
            operations = topology.zone_options({key: self.mostly("true")})
        if self.random.random() < 0.2:
            operations = topology.no_zone_options([key])
        return Action(f"change option {key}", f"{zone.name}/NB", tuple(operations), alone=False)

    # --- IC_SB by hand, daemons

    def delete_published(self, zone: Zone) -> Action | None:
        """Rows that a zone has published are deleted by hand."""
        kind = self.random.choice(["Route", "Port_Binding", "Gateway", "Datapath_Binding", "Availability_Zone"])
        if kind == "Route":
            operation = delete("Route", transit_switch=self.random.choice(SWITCHES))
        elif kind == "Port_Binding":
            found = self.some(zone.attached)
            if not isinstance(found, tuple) or f"{found[1].switch}-{found[0].name}" in self.decorated:
                return None
            operation = delete(kind, logical_port=f"{found[1].switch}-{found[0].name}")
        elif kind == "Gateway":
            operation = delete(kind, name=str(self.some(sorted(zone.chassis))))
        elif kind == "Datapath_Binding":
            operation = delete(kind, transit_switch=self.random.choice(SWITCHES))
        else:
            operation = delete(kind, name=zone.title)
        return Action(f"delete from {kind}", "IC_SB", (operation,))

    def restart(self, zone: Zone) -> Action:
        return Action("restart the daemon", f"{zone.name}/daemon", command=self.random.choice(["restart", "kill", "pause-resume"]))


VOCABULARY: tuple[tuple[Draw, int], ...] = (
    (Historian.add_switch, 4),
    (Historian.delete_switch, 2),
    (Historian.change_switch, 1),
    (Historian.delete_local_switch, 1),
    (Historian.configure_switch, 2),
    (Historian.ordinary_switch, 1),
    (Historian.add_chassis, 3),
    (Historian.delete_chassis, 2),
    (Historian.change_chassis, 5),
    (Historian.tamper_chassis, 2),
    (Historian.add_router, 2),
    (Historian.attach, 5),
    (Historian.detach, 2),
    (Historian.delete_switch_port, 2),
    (Historian.restore_switch_port, 4),
    (Historian.change_router_port, 4),
    (Historian.change_switch_port, 3),
    (Historian.add_vif, 1),
    (Historian.tamper_remote_port, 3),
    (Historian.forge_remote_port, 1),
    (Historian.claim_gateway, 4),
    (Historian.claim_remote, 1),
    (Historian.add_lan, 4),
    (Historian.delete_lan, 2),
    (Historian.add_route, 12),
    (Historian.delete_route, 3),
    (Historian.change_route, 4),
    (Historian.tamper_learned_routes, 3),
    (Historian.forge_learned_route, 1),
    (Historian.zone_option, 6),
    (Historian.delete_published, 3),
    (Historian.restart, 2),
)
"""What operators do, and how often."""
