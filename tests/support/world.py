# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases for tests of modules and roles without daemons: those of two zones, the global ones, and servers that cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from . import ovsdb, topology
from .servers import Process, Server, suite

SCHEMAS = {
    "nb": ("ovn-nb.ovsschema", "OVN_Northbound"),
    "sb": ("ovn-sb.ovsschema", "OVN_Southbound"),
    "ic_nb": ("ovn-ic-nb.ovsschema", "OVN_IC_Northbound"),
    "ic_sb": ("ovn-ic-sb.ovsschema", "OVN_IC_Southbound"),
}
VSWITCH = Path("/usr/share/openvswitch/vswitch.ovsschema")
NEWEST = "experimental"


class World:
    """Zone az1 has routers lr1 and lr2, gateways gw1 and gw2 and the copy gw7 of another zone's; it has published port p1 on ts1.

    IC_NB has two transit switches and two transit routers. ``places`` says where each server is: ``nb``, ``sb``, ``ic_nb``, ``ic_sb`` and
    ``ovs``; ``nb_of_az2`` and ``sb_of_az2``; ``ovs_empty``; ``ic_nb_old`` and ``ic_sb_old`` with the schemas of this machine; and of each
    database its control socket (``ic_nb_control``), a relay (``ic_nb_relay``) and a read-only server (``ic_nb_backup``). ``nobody`` is a
    socket that does not exist, ``dir`` the directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.servers = {name: self._server(name, name) for name in SCHEMAS}
        self.servers.update({f"{name}_of_az2": self._server(f"{name}_of_az2", name) for name in ("nb", "sb")})
        self.servers.update({f"{name}_old": self._server(f"{name}_old", name, "host") for name in ("ic_nb", "ic_sb")})
        self.servers.update({name: Server(name, directory, VSWITCH, "Open_vSwitch") for name in ("ovs", "ovs_empty")})
        self._others: list[Process] = []
        self.places: dict[str, str] = {name: server.remote for name, server in self.servers.items()}

    def _server(self, name: str, kind: str, generation: str = NEWEST) -> Server:
        schema, database = SCHEMAS[kind]
        return Server(name, self._directory, suite(generation).schemas / schema, database)

    def start(self) -> None:
        """Start all servers and fill the databases."""
        for server in self.servers.values():
            server.launch()
        for server in self.servers.values():
            server.ready()
        for name, (_schema, database) in SCHEMAS.items():
            self.places[f"{name}_control"] = f"unix:{self.servers[name].control_socket}"
            listens = self._directory / f"{name}_relay.sock"
            arguments = [f"--remote=punix:{listens}", f"relay:{database}:{self.places[name]}"]
            self._others.append(Process(f"{name}_relay", self._directory, suite("host").command("ovsdb-server"), arguments))
            self.places[f"{name}_relay"] = f"unix:{listens}"
            backup = self._server(f"{name}_backup", name)
            backup.arguments = [f"--sync-from={self.places[name]}", *backup.arguments]
            self._others.append(backup)
            self.places[f"{name}_backup"] = backup.remote
        for process in self._others:
            process.launch()
        for process in self._others:
            process.ready()
        self.places.update(nobody=f"unix:{self._directory}/nobody.sock", dir=str(self._directory))
        self._fill()

    def stop(self) -> None:
        """End all servers."""
        for process in (*self._others, *self.servers.values()):
            process.stop()

    def located(self, value: Any) -> Any:
        """The same with ``{place}`` replaced by where it is."""
        if isinstance(value, str):
            for name, place in self.places.items():
                value = value.replace(f"{{{name}}}", place)
            return value
        if isinstance(value, list):
            return [self.located(one) for one in value]
        return {key: self.located(one) for key, one in value.items()} if isinstance(value, Mapping) else value

    def contents(self) -> dict[str, Any]:
        """All rows of all databases."""
        found = {}
        for name, server in self.servers.items():
            database = server.database
            database.refresh()
            found[name] = {table: {row.uuid: row.columns for row in database.rows(table)} for table in database.tables()}
        return found

    def _fill(self) -> None:
        nb, sb, ic_nb, ic_sb, ovs = (self.servers[name].database for name in ("nb", "sb", "ic_nb", "ic_sb", "ovs"))
        nb.transact(*topology.router("lr1"), *topology.router("lr2"), ovsdb.insert("NB_Global", {"name": "az1"}))
        nb.transact(*topology.router_port("lr2", "lr2-lan", "02:00:00:00:ff:01", ["10.2.0.1/24"]))
        for number in (1, 2):
            sb.transact(*topology.chassis(f"gw{number}", [("geneve", f"192.0.2.{number}")]))
            ic_nb.transact(*topology.transit_switch(f"ts{number}"))
            ic_nb.transact(ovsdb.insert("Transit_Router", {"name": f"tr{number}"}))
        sb.transact(*topology.chassis("gw7", [("geneve", "192.0.2.7")], other_config={"is-remote": "true"}))
        ic_nb.transact(ovsdb.insert("IC_NB_Global", {}))
        ic_sb.transact(ovsdb.insert("IC_SB_Global", {}))
        zone = uuid4()
        port = {"logical_port": "p1", "transit_switch": "ts1", "availability_zone": zone, "tunnel_key": 1}
        ic_sb.transact(ovsdb.insert("Availability_Zone", {"name": "az1"}, zone), ovsdb.insert("Port_Binding", port))
        ovs.transact(ovsdb.insert("Open_vSwitch", {"external_ids": {"system-id": "gw1"}}))
        self.servers["nb_of_az2"].database.transact(*topology.router("lr9"), ovsdb.insert("NB_Global", {"name": "az2"}))
        for end, prefix in (("", "02:11:22"), ("_of_az2", "02:33:44")):
            self._pair(end, prefix)

    def _pair(self, end: str, prefix: str) -> None:
        """What ovn-northd writes and modules look at: the MAC prefix, and a datapath for each router."""
        nb, sb = self.servers[f"nb{end}"].database, self.servers[f"sb{end}"].database
        nb.transact(ovsdb.set_keys("NB_Global", "options", {"mac_prefix": prefix}))
        sb.transact(ovsdb.insert("SB_Global", {"options": {"mac_prefix": prefix}}))
        nb.refresh()
        for number, row in enumerate(nb.rows("Logical_Router"), 1):
            ids = {"logical-router": str(row.uuid), "name": row.text("name")}
            sb.transact(ovsdb.insert("Datapath_Binding", {"tunnel_key": number, "external_ids": ids}))
