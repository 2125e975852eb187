# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones on real servers whose databases are lost and restored, and what has to survive that (docs/loss-and-restore.md)."""

from __future__ import annotations

import time
from uuid import UUID

from . import ovsdb, topology
from .ovsdb import Database
from .scenes import attach, gateway, lan, learned, options
from .servers import AvailabilityZone, Interconnect, Server

KEY = "requested-tnl-key"
PATIENCE = 20.0
QUIET = 0.15
"""Seconds without an update of any database after which `rest` goes on."""


class LossHistory:
    """An interconnect of zones that are attached to all of some transit switches, and steps that happen to it.

    It begins with zones that are named and whose daemons do not run yet.
    A step is a text: the name of a method and its arguments. A database is called `ic_nb`, `ic_sb`, `az1.nb` or `az1.sb`.
    """

    def __init__(self, ic: Interconnect, *switches: str) -> None:
        self.ic = ic
        self.zones: dict[str, AvailabilityZone] = {}
        #: What the zones are called now.
        self.names: dict[str, str] = {}
        #: The transit switches that an operator wants.
        self.switches: list[str] = []
        #: Zone and transit switch of each attachment: the uuids of its two ports.
        self.attachments: dict[tuple[str, str], tuple[UUID, UUID]] = {}
        #: Tunnel keys of transit switches, and of ports, as soon as they are known.
        self.keys: dict[str, int] = {}
        #: Zones that have joined. Until the end, they may follow keys that the other zones, which hold others, have not seen yet.
        self.joined: set[str] = set()
        self.copies: dict[str, bytes] = {}
        for zone in ic.zones:
            self._prepare(zone)
        for switch in switches:
            self.define(switch)
        ic.start()
        for name in self.zones:
            for switch in switches:
                self.attach(name, switch)
        for name in self.zones:
            self.claim(name)

    def run(self, *steps: str) -> None:
        """Make the steps, look after each of them whether anything was lost, and wait for the right end."""
        self.await_the_end()
        for step in steps:
            method, *arguments = step.split()
            getattr(self, method)(*arguments)
            self.check_what_is_held()
        self.await_the_end()
        self.rest()
        self.joined.clear()
        self.check_what_is_held()
        assert self.faults() == []

    # -- the operator -----------------------------------------------------------------------------------------------------------------

    def define(self, switch: str) -> None:
        """A transit switch is defined in IC_NB unless it is there."""
        self.ic.nb.refresh()
        if not self.ic.nb.rows("Transit_Switch", name=switch):
            self.ic.nb.transact(*topology.transit_switch(switch))
        if switch not in self.switches:
            self.switches.append(switch)

    def forget(self, switch: str) -> None:
        """The operator does not want this transit switch any more, nor what is attached to it."""
        self.switches.remove(switch)
        for place in [place for place in self.attachments if place[1] == switch]:
            del self.attachments[place]

    def attach(self, name: str, switch: str) -> None:
        """The zone's router is attached to a transit switch that the zone has taken in."""
        zone = self.zones[name]
        self.ic.wait(lambda: _switch(zone.nb, switch), f"{switch} to come to {name}")
        number, place = int(name[2:]), int(switch[2:])
        networks = [f"169.254.{place}.{number}/24"]
        self.attachments[(name, switch)] = attach(zone, f"lr-{name}", switch, networks, gateways=[(f"gw-{name}", 10)], number=place)

    def join(self, name: str) -> None:
        """One more zone."""
        zone = self.ic.add_zone(name)
        self.ic.start(daemons=False)
        zone.nb.transact(*topology.zone_name(name))
        self._prepare(zone)
        self.joined.add(name)
        zone.daemon.start()

    def rename(self, name: str, new: str) -> None:
        """The zone gets another name."""
        self.zones[name].nb.transact(*topology.zone_name(new))
        self.names[name] = new

    def rename_switch(self, name: str, switch: str, new: str) -> None:
        """The zone's logical switch gets another name."""
        zone = self.zones[name]
        zone.nb.refresh()
        found = _switch(zone.nb, switch)
        assert found is not None
        zone.nb.transact(ovsdb.update("Logical_Switch", {"name": new}, _uuid=found.uuid))

    def empty_external_ids(self, name: str) -> None:
        """A CMS empties NB_Global.external_ids."""
        self.zones[name].nb.transact(ovsdb.update("NB_Global", {"external_ids": {}}))

    def release(self, name: str) -> None:
        """The operator releases what the zone withholds."""
        self.zones[name].daemon.appctl("guard/release")

    # -- daemons and databases -----------------------------------------------------------------------------------------------------------

    def stop(self, name: str) -> None:
        """The zone's daemon ends."""
        self.zones[name].daemon.stop()

    def kill(self, name: str) -> None:
        """The zone's daemon is killed."""
        self.zones[name].daemon.kill()

    def start(self, name: str) -> None:
        """The zone's daemon starts."""
        self.zones[name].daemon.start()

    def copy(self) -> None:
        """All databases are copied."""
        self.copies = {database: self._server(database).file.read_bytes() for database in self._databases()}

    def lose(self, database: str) -> None:
        """The server comes back with an empty database."""
        server = self._server(database)
        server.stop()
        server.create(self.ic.suite.schemas / f"ovn-{database.rpartition('.')[2].replace('_', '-')}.ovsschema")
        server.start()

    def restore(self, database: str) -> None:
        """The server comes back with the copy."""
        server = self._server(database)
        server.stop()
        server.file.write_bytes(self.copies[database])
        server.start()

    def claim(self, name: str) -> None:
        """The gateway chassis of a zone registers unless it has, and claims the gateway ports of the zone's router."""
        zone = self.zones[name]
        zone.northd_sync()
        if not zone.sb.rows("Chassis", name=f"gw-{name}"):
            gateway(zone, f"gw-{name}", f"192.0.2.{name[2:]}")
        zone.sb.refresh()
        chassis = zone.sb.get("Chassis", name=f"gw-{name}").uuid
        for port in [f"cr-lr-{name}-{switch}" for zone_name, switch in self.attachments if zone_name == name]:
            zone.sb.wait(lambda port=port: zone.sb.rows("Port_Binding", logical_port=port), f"northd to make {port}")  # type: ignore[misc]
            zone.sb.transact(*topology.claim(port, chassis))

    def rest(self) -> None:
        """Go on when no database has changed for a while."""
        begin = changed = time.monotonic()
        while time.monotonic() - changed < QUIET:
            came = [database.pump(0.01) for database in self.ic.databases]
            if any(came):
                changed = time.monotonic()
            assert changed - begin < PATIENCE, f"the databases do not come to rest\n{self.ic.logs()}"

    # -- what is looked at ----------------------------------------------------------------------------------------------------------------

    def check_what_is_held(self) -> None:
        """No zone that has its NB lost an attachment, changed a tunnel key, or requests one key twice."""
        for zone in self.zones.values():
            zone.nb.refresh()
        for name, zone in self.zones.items():
            if not zone.nb.rows("Logical_Router", name=f"lr-{name}"):
                continue  # its NB is lost
            for (owner, switch), ports in self.attachments.items():
                if owner == name:
                    tables = ("Logical_Router_Port", "Logical_Switch_Port")
                    assert all(zone.nb.row(table, uuid) for table, uuid in zip(tables, ports)), f"{name} lost its attachment to {switch}"
            self._check_keys(name, zone)

    def _check_keys(self, name: str, zone: AvailabilityZone) -> None:
        users: dict[str, str] = {}
        for row in zone.nb.rows("Logical_Switch"):
            config = row.map("other_config")
            if KEY in config and "interconn-ts" in config:
                switch = config["interconn-ts"]
                assert config[KEY] not in users, f"{switch} and {users[config[KEY]]} request the key {config[KEY]} in {name}"
                users[config[KEY]] = switch
                if (name, switch) in self.attachments and name not in self.joined:
                    self._check_key(switch, int(config[KEY]), name)
        for owner, switch in self.attachments if name not in self.joined else ():
            port = f"{switch}-lr-{owner}"
            for row in zone.nb.rows("Logical_Switch_Port", name=port):
                if KEY in row.map("options"):
                    self._check_key(port, int(row.map("options")[KEY]), name)

    def _check_key(self, what: str, key: int, where: str) -> None:
        known = self.keys.setdefault(what, key)
        assert known == key, f"{what} had the tunnel key {known}, {where} requests {key}"

    def await_the_end(self) -> None:
        """Wait until everything is as it should be."""
        deadline = time.monotonic() + PATIENCE
        while self.faults():
            assert time.monotonic() < deadline, f"{self.faults()}\n{self.ic.logs()}"
            self.rest()

    def faults(self) -> list[str]:
        """What is not as it should be at the end."""
        found = []
        known = {row.uuid: row.text("name") for row in self.ic.sb.rows("Availability_Zone")}
        if sorted(known.values()) != sorted(self.names.values()):
            found.append(f"registered are {sorted(known.values())}, not {sorted(self.names.values())}")
        datapaths = {row.text("transit_switch"): row.number("tunnel_key") for row in self.ic.sb.rows("Datapath_Binding")}
        if datapaths != {switch: self.keys.get(switch, datapaths.get(switch)) for switch in self.switches}:
            found.append(f"the datapaths have the keys {datapaths}, known are {self.keys}")
        for owner, switch in self.attachments:
            found += self._faults_of(owner, switch)
        for name, zone in self.zones.items():
            mine = {switch for owner, switch in self.attachments if owner == name}
            others = {(owner, switch) for owner, switch in self.attachments if owner != name and switch in mine}
            wanted = sorted((f"10.{owner[2:]}.0.1/24", f"169.254.{switch[2:]}.{owner[2:]}") for owner, switch in others)
            if not zone.nb.rows("Logical_Router", name=f"lr-{name}") or learned(zone, f"lr-{name}") != wanted:
                found.append(f"{name} has not learned {wanted}")
            withheld = zone.daemon.appctl("guard/show") if zone.daemon.alive else f"the daemon of {name} does not run"
            if withheld != "nothing is withheld":
                found.append(f"{name}: {withheld}")
        return found

    def _faults_of(self, owner: str, switch: str) -> list[str]:
        port, found = f"{switch}-lr-{owner}", []
        binding = self.ic.sb.find("Port_Binding", logical_port=port)
        if binding is None or binding.text("gateway") != f"gw-{owner}":
            found.append(f"{port} is not published with its gateway")
        key = binding.number("tunnel_key") if binding is not None else 0
        for name, zone in self.zones.items():
            row = zone.nb.find("Logical_Switch_Port", name=port)
            if row is None or row.map("options").get(KEY) != str(key):
                found.append(f"{port} is not in {name} with the key {key}")
        return found

    def _prepare(self, zone: AvailabilityZone) -> None:
        """The zone's gateway, its router and the network behind it."""
        name = zone.name
        self.zones[name] = zone
        self.names[name] = name
        gateway(zone, f"gw-{name}", f"192.0.2.{name[2:]}")
        options(zone, ic_route_adv="true", ic_route_learn="true")
        zone.nb.transact(*topology.router(f"lr-{name}"))
        lan(zone, f"lr-{name}", f"lan-{name}", f"10.{name[2:]}.0.1/24")

    def _databases(self) -> list[str]:
        return ["ic_nb", "ic_sb", *(f"{name}.{kind}" for name in self.zones for kind in ("nb", "sb"))]

    def _server(self, database: str) -> Server:
        name, _dot, kind = database.rpartition(".")
        if not name:
            return self.ic.nb_server if kind == "ic_nb" else self.ic.sb_server
        zone = self.zones[name]
        return zone.nb_server if kind == "nb" else zone.sb_server


def _switch(nb: Database, name: str) -> ovsdb.Row | None:
    return next((row for row in nb.rows("Logical_Switch") if row.map("other_config").get("interconn-ts") == name), None)
