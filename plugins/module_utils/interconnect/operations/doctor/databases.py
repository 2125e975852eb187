# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contents that the doctor reads, and look-ups that several checks share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...address import PortAddress, Prefix, parse_port_address
from ...ovsdb.replica import Replica
from ...ovsdb.store import Row, Store
from ...subjects import port_faults, transit
from ...subjects.port import MANAGED_KEY
from ...tables import IC_NB, IC_SB, NB, SB
from ...zone import Zone
from ..registration import narrowed, zone_of

Params = Mapping[str, Any]
Stores = Mapping[str, Store]

NORTH = narrowed(
    NB,
    {
        "NB_Global": "name nb_cfg:int sb_cfg:int options:map external_ids:map",
        "Logical_Switch": "name ports:refs other_config:map external_ids:map",
        "Logical_Switch_Port": "name type options:map enabled:optbool",
        "Logical_Router": "name ports:refs enabled:optbool options:map external_ids:map",
        "Logical_Router_Port": "name mac networks:strs enabled:optbool options:map peer:optstr gateway_chassis:refs"
        " ha_chassis_group:optuuid",
        "Logical_Router_Static_Route": "ip_prefix nexthop",
        "Gateway_Chassis": "name chassis_name",
        "Connection": "target",
    },
)
SOUTH = narrowed(
    SB,
    {
        "Chassis": "name encaps:refs other_config:map external_ids:map",
        "Encap": "type ip",
        "Datapath_Binding": "tunnel_key:int type:optstr nb_uuid:optuuid external_ids:map",
        "Port_Binding": "logical_port type chassis:optuuid tunnel_key:int",
        "Connection": "target",
    },
)
GLOBAL_NORTH = narrowed(
    IC_NB,
    {
        "IC_NB_Global": "nb_ic_cfg:int sb_ic_cfg:int",
        "Transit_Switch": "name external_ids:map",
        "Transit_Switch_Port": "name chassis",
        "Transit_Router": "name",
        "Connection": "target",
    },
)
GLOBAL_SOUTH = narrowed(
    IC_SB,
    {
        "IC_SB_Global": "nb_ic_cfg:int external_ids:map",
        "Availability_Zone": "name nb_ic_cfg:int",
        "Gateway": "name availability_zone:uuid encaps:refs",
        "Encap": "type ip",
        "Datapath_Binding": "transit_switch tunnel_key:int type:optstr nb_ic_uuid:optuuid external_ids:map",
        "Port_Binding": "logical_port transit_switch availability_zone:uuid tunnel_key:int gateway address type:optstr external_ids:map",
        "Route": "transit_switch availability_zone:uuid ip_prefix nexthop origin route_table external_ids:map",
        "Connection": "target",
    },
)


def narrow(_params: Params, replicas: Mapping[str, Replica]) -> None:
    """Do not read a zone's ports of virtual machines, and of its static routes only the default routes."""
    if SB in replicas:
        replicas[SB].want("Port_Binding", [["type", "==", kind] for kind in ("chassisredirect", "patch", "remote")])
    if NB in replicas:
        replicas[NB].want("Logical_Router_Static_Route", [["ip_prefix", "==", text] for text in ("0.0.0.0/0", "::/0")])


class Finding(NamedTuple):
    """A fault: the ID of the check, the object, what is wrong there, and what to do about it."""

    check: str
    object: str
    cause: str
    fix: str


@dataclass(frozen=True)
class Server:
    """What one database server reports on its control socket: the database, and its answer to ``cluster/status``."""

    socket: str
    database: str
    status: str


@dataclass(frozen=True)
class Certificate:
    """A certificate file that a connection uses, and the seconds that it is still valid (negative: expired)."""

    path: str
    seconds: float


@dataclass(frozen=True)
class Facts:
    """What is known besides the contents of the databases. None: not asked."""

    #: The remotes of the databases, by database name.
    remotes: Mapping[str, str] = field(default_factory=dict)
    #: The daemon's answers to control commands, by command. A command that it refused is missing.
    daemon: Mapping[str, str] | None = None
    #: Why the daemon does not answer, None if it does.
    daemon_error: str | None = None
    servers: Sequence[Server] | None = None
    #: Why database servers do not answer on their control sockets, by socket.
    server_errors: Mapping[str, str] = field(default_factory=dict)
    certificates: Sequence[Certificate] | None = None
    #: Whether python-ovs has its JSON parser in C on this host.
    fast_json: bool | None = None


class Published(NamedTuple):
    """A port of a transit switch that IC_SB has with a valid address."""

    row: Row
    address: PortAddress

    @property
    def networks(self) -> tuple[Prefix, ...]:
        """Its addresses with their prefix lengths."""
        return (*self.address.ipv4, *self.address.ipv6)


class Attached(NamedTuple):
    """A zone's own logical switch port on the switch of a transit switch."""

    lsp: Row
    transit_switch: str


class Databases:
    """The stores to check, and the facts besides. ``has_zone``: the databases of one zone are included."""

    def __init__(self, stores: Stores, facts: Facts | None = None) -> None:
        self.facts = facts or Facts()
        self.stores = stores
        self.zone: Zone = zone_of(stores)
        self.north, self.south = self.zone.ic_nb, self.zone.ic_sb
        self.names: dict[str, str] = {row.uuid: row["name"] for row in self.south.rows("Availability_Zone")}
        self.has_zone = NB in stores and SB in stores
        port_faults.register(self.zone)
        transit.register(self.zone)

    def zone_name(self, row: Row) -> str:
        """The name of the zone that owns a row of IC_SB."""
        return self.names.get(row["availability_zone"], "?")

    def place(self, row: Row, column: str) -> str:
        """The label of a row of IC_SB: its name and its zone."""
        return f"{row[column]} of zone {self.zone_name(row)}"

    def own(self, name: str) -> str:
        """The label of an object of the given zone."""
        return f"{name} of zone {self.zone.name}"

    def switch_ports(self) -> Iterator[Row]:
        """The rows of IC_SB that are ports of transit switches, by name."""
        rows = sorted(self.south.rows("Port_Binding"), key=lambda row: str(row["logical_port"]))
        return (row for row in rows if not transit.is_router_port(row))

    def published(self) -> Iterator[Published]:
        """The ports of transit switches in IC_SB with an address. Ports of transit routers are not included, because
        each router has its own addresses.
        """
        for row in self.switch_ports():
            address = parse_port_address(row["address"])
            if address is not None:
                yield Published(row, address)

    def local_ports(self) -> Iterator[Attached]:
        """The zone's ports on the switches of transit switches, of any type."""
        nb = self.zone.nb
        for switch in nb.rows("Logical_Switch"):
            name = switch["other_config"].get(transit.SWITCH_KEY)
            if name is not None:
                for lsp in nb.child_rows("Logical_Switch", "ports", switch.uuid, "Logical_Switch_Port"):
                    yield Attached(lsp, name)

    def attached(self) -> Iterator[Attached]:
        """The zone's own ports on transit switches, without copies of other zones' ports and without ports of IC_NB."""
        return (one for one in self.local_ports() if one.lsp["type"] != "remote" and MANAGED_KEY not in one.lsp["options"])

    def routers(self) -> Iterator[tuple[Attached, Row, Row]]:
        """The ports of :meth:`attached` with a router behind them, each with the router port and the router."""
        for one in self.attached():
            lrp = self.zone.router_port(one.lsp["options"].get("router-port", ""))
            router = port_faults.router_of(self.zone, lrp) if lrp is not None else None
            if lrp is not None and router is not None and one.lsp["type"] == "router":
                yield one, lrp, router


def listed(names: Iterable[str]) -> str:
    """Names as text, sorted."""
    return " and ".join(sorted(names))


def enclosing(prefix: Prefix, found: Mapping[Prefix, Any]) -> Iterator[Prefix]:
    """The network itself and those in ``found`` that contain it, the longest first, without default routes. Needs one
    look-up per length.
    """
    return (around for around in map(prefix.truncate, range(prefix.length, 0, -1)) if around in found)
