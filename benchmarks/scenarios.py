# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured: interconnects of two zones, and how their contents are written quickly.

Each transit switch has a router of its own in both zones, and each of these routers has the scenario's number of static routes, which the
other zone learns. The zones' switches exist already, as in a set-up that is taken over, so that the ports can be bound before the sync
daemons start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from itertools import islice
from uuid import UUID, uuid4

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.rpc import Json, JsonRpc
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect, Server

BATCH = 2500
"""Rows of one bulk transaction."""
PORTS_OF_A_SWITCH = 1000
_FIRST_PREFIX = (int(IPv4Address("16.0.0.0")), int(IPv4Address("64.0.0.0")))


@dataclass(frozen=True)
class Scenario:
    """So many transit switches, with so many routes each in either zone (or in zone 1 only).

    `vifs` are ports of virtual machines in zone 1. A scenario of `ours_alone` has no upstream daemon, and a restart at its end.
    """

    name: str
    switches: int
    routes: int
    vifs: int = 0
    both_ways: bool = True
    ours_alone: bool = False

    @property
    def total(self) -> int:
        """All routes that zone 2 has to learn."""
        return self.switches * self.routes

    @property
    def title(self) -> str:
        """What it is, for a heading."""
        switches = f"{self.switches} transit switches, each with" if self.switches > 1 else "1 transit switch with"
        where = "in each zone" if self.both_ways else "in zone 1"
        ports = f", {spaced(self.vifs)} VIF ports in zone 1" if self.vifs else ""
        return f"{self.name}: {switches} {spaced(self.routes)} routes {where}{ports}"

    def quick(self) -> Scenario:
        """The same at a size that only shows whether the program works."""
        return replace(self, switches=min(self.switches, 3), routes=min(self.routes, 60), vifs=min(self.vifs, 600))


SCENARIOS = (
    Scenario("1x1000", 1, 1000),
    Scenario("1x5000", 1, 5000),
    Scenario("10x1000", 10, 1000),
    Scenario("100x100", 100, 100),
    Scenario("1x20000", 1, 20000),
    Scenario("vif", 1, 100, vifs=50000),
    Scenario("1x100000", 1, 100000, both_ways=False, ours_alone=True),
    Scenario("1x100000-both", 1, 100000, ours_alone=True),
)


def spaced(number: int) -> str:
    """A number in groups of three digits."""
    return f"{number:,}".replace(",", " ")


def prefix(zone: int, number: int) -> str:
    """The prefix of a route: zone 0 or 1, and its number there, counted over all transit switches."""
    return f"{IPv4Address(_FIRST_PREFIX[zone] + (number << 8))}/24"


class Loader:
    """Writes contents in bulk, as plain JSON: ovsdbapp needs 2 s for a transaction of 2500 routes, plain JSON 0.1 s."""

    def __init__(self, server: Server) -> None:
        self._name = server.database_name
        self._rpc = JsonRpc(server.socket)

    def __enter__(self) -> Loader:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._rpc.close()

    def transact(self, operations: Iterable[dict[str, Json]]) -> None:
        """Commit operations as one transaction; TransactionError with the first of the server's complaints if it was rejected."""
        results = self._rpc.request("transact", [self._name, *operations])
        assert isinstance(results, list)
        errors = [result for result in results if isinstance(result, dict) and result.get("error")]
        if errors:
            raise ovsdb.TransactionError(f"{self._name}: {errors[0]}")

    def add_route(self, router: UUID, route_prefix: str) -> None:
        """NB: one static route more."""
        self._add_routes(router, [route_prefix])

    def add_routes(self, router: UUID, prefixes: Iterable[str]) -> None:
        """NB: static routes of one router."""
        for batch in _batches(prefixes):
            self._add_routes(router, batch)

    def _add_routes(self, router: UUID, prefixes: Iterable[str]) -> None:
        rows = {uuid4(): route_prefix for route_prefix in prefixes}
        inserts = [_insert_route(uuid, route_prefix) for uuid, route_prefix in rows.items()]
        mutation: Json = ["static_routes", "insert", _references(rows)]
        self.transact(
            [*inserts, {"op": "mutate", "table": "Logical_Router", "where": [["_uuid", "==", _reference(router)]], "mutations": [mutation]}]
        )


def _insert(table: str, row: dict[str, Json], uuid: UUID | None = None) -> dict[str, Json]:
    operation: dict[str, Json] = {"op": "insert", "table": table, "row": row}
    return operation if uuid is None else {**operation, "uuid": str(uuid)}


def _reference(uuid: UUID) -> Json:
    return ["uuid", str(uuid)]


def _references(uuids: Iterable[UUID]) -> Json:
    return ["set", [_reference(uuid) for uuid in uuids]]


def _insert_route(uuid: UUID, route_prefix: str) -> dict[str, Json]:
    return _insert("Logical_Router_Static_Route", {"ip_prefix": route_prefix, "nexthop": "192.0.2.1"}, uuid)


def _batches(members: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(members)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def fill(interconnect: Interconnect, scenario: Scenario) -> list[UUID]:
    """Write the contents, have northd bind the ports and stop it. Returns zone 1's routers, one for each transit switch."""
    names = [f"ts{number}" for number in range(scenario.switches)]
    interconnect.nb.transact(*(operation for name in names for operation in topology.transit_switch(name)))
    routers = [_attach(zone, number, names) for number, zone in enumerate(interconnect.zones, start=1)]
    for zone in interconnect.zones:
        zone.northd_sync()
        zone.northd.stop()
    for database in interconnect.databases:
        database.close()
    for number, zone in enumerate(interconnect.zones if scenario.both_ways else interconnect.zones[:1]):
        _add_routes(zone, routers[number], scenario, number)
    with Loader(interconnect.zones[0].nb_server) as northbound, Loader(interconnect.zones[0].sb_server) as southbound:
        for number in range(0, scenario.vifs, PORTS_OF_A_SWITCH):
            _add_vifs(northbound, southbound, range(number, min(number + PORTS_OF_A_SWITCH, scenario.vifs)))
    return routers[0]


def _attach(zone: AvailabilityZone, number: int, switches: list[str]) -> list[UUID]:
    """Give the zone its name, a gateway, and a router on each transit switch; returns the routers."""
    gateway = f"{zone.name}-gw1"
    zone.sb.transact(*topology.chassis(gateway, [("geneve", f"172.30.0.{20 + number}")]))
    zone.nb.transact(*topology.zone_name(zone.name), *topology.zone_options({"ic-route-adv": "true", "ic-route-learn": "true"}))
    routers = []
    for index, name in enumerate(switches):
        routers.append(uuid4())
        zone.nb.transact(
            ovsdb.insert("Logical_Switch", {"name": name, "other_config": {"interconn-ts": name}}),
            *topology.router(f"lr{index}-{zone.name}", routers[-1]),
        )
        mac, network = f"0a:00:00:{index:02x}:00:{number:02x}", f"169.254.{index}.{number}/24"
        zone.nb.transact(*topology.attachment(f"lr{index}-{zone.name}", name, mac, [network], gateways=[(gateway, 10)]))
    return routers


def _add_routes(zone: AvailabilityZone, routers: Sequence[UUID], scenario: Scenario, number: int) -> None:
    with Loader(zone.nb_server) as northbound:
        for index, router in enumerate(routers):
            first = index * scenario.routes
            northbound.add_routes(router, (prefix(number, route) for route in range(first, first + scenario.routes)))


def _add_vifs(northbound: Loader, southbound: Loader, numbers: range) -> None:
    """One switch with ports of virtual machines, and what northd makes of them in SB."""
    ports = {uuid4(): f"vif{number}" for number in numbers}
    name = f"vifs{numbers.start}"
    macs = {uuid: f"0a:01:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}:01" for number, uuid in zip(numbers, ports)}
    rows = [_insert("Logical_Switch_Port", {"name": port, "addresses": macs[uuid], "up": True}, uuid) for uuid, port in ports.items()]
    northbound.transact([*rows, _insert("Logical_Switch", {"name": name, "ports": _references(ports)})])
    datapath = uuid4()
    ids: Json = ["map", [["name", name]]]
    binding = _insert("Datapath_Binding", {"tunnel_key": 100000 + numbers.start, "external_ids": ids}, datapath)
    bound = [
        _insert("Port_Binding", {"logical_port": port, "datapath": _reference(datapath), "tunnel_key": key, "mac": macs[uuid]})
        for key, (uuid, port) in enumerate(ports.items(), start=1)
    ]
    southbound.transact([binding, *bound])
