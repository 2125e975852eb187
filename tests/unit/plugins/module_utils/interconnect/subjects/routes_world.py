# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones that exchange routes, for the tests of both route subjects: the port subject's part is played by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import ServerSchema
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.routes.advertised_routes import AdvertisedRoutes
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.routes.learned_routes import LearnedRoutes
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.simulated_zones import World, named

BOTH = {"ic-route-adv": "true", "ic-route-learn": "true"}
LB = {**BOTH, "ic-route-adv-lb": "true", "ic-route-learn-lb": "true"}
DEFAULTS = {**BOTH, "ic-route-adv-default": "true", "ic-route-learn-default": "true"}


class RoutesWorld(World):
    """Zones az1, az2, ... whose options are ``options``; each transit switch of ``switches`` stands in all of them."""

    def __init__(
        self,
        zones: int = 2,
        switches: Iterable[str] = ("ts1",),
        options: Mapping[str, str] = BOTH,
        schemas: Mapping[str, ServerSchema] | None = None,
        seed: int = 1,
    ) -> None:
        super().__init__(lambda: [AdvertisedRoutes(), LearnedRoutes()], [f"az{n}" for n in range(1, zones + 1)], schemas=schemas, seed=seed)
        for name in self.sites:
            self.zone_options(name, **{key.replace("-", "_"): value for key, value in options.items()})
        for switch in switches:
            self.add_switch(switch)

    # -- objects ----------------------------------------------------------------------------------------------------------------------

    def nb(self, zone: str) -> Store:
        return self.site(zone).zone.nb

    def sb(self, zone: str) -> Store:
        return self.site(zone).zone.sb

    def zone_options(self, zone: str, **options: str | None) -> None:
        row = self.site(zone).zone.nb_global
        assert row is not None
        self.set_keys(self.nb(zone), "NB_Global", row.uuid, "options", **options)

    def add_switch(self, name: str) -> None:
        self.transit_switch(name)
        for zone in self.sites:
            self.put(self.nb(zone), "Logical_Switch", name=name, other_config={"interconn-ts": name})

    def find(self, zone: str, table: str, name: str) -> Row:
        return named(self.nb(zone), table, name)

    def options(self, zone: str, table: str, name: str, **options: str | None) -> None:
        self.set_keys(self.nb(zone), table, self.find(zone, table, name).uuid, "options", **options)

    def lan(self, zone: str, router: str, *networks: str, name: str = "") -> str:
        name = name or f"{router}-lan-{self.nb(zone).count('Logical_Router_Port')}"
        uuid = self.find(zone, "Logical_Router", router).uuid
        columns = {"name": name, "mac": "aa:aa:aa:00:00:01", "networks": frozenset(networks)}
        return self.add(self.nb(zone), "Logical_Router", uuid, "ports", "Logical_Router_Port", **columns)

    def static(self, zone: str, router: str, prefix: str, nexthop: str = "10.99.0.1", **columns: Any) -> str:
        uuid = self.find(zone, "Logical_Router", router).uuid
        columns = {"ip_prefix": prefix, "nexthop": nexthop, **columns}
        return self.add(self.nb(zone), "Logical_Router", uuid, "static_routes", "Logical_Router_Static_Route", **columns)

    def drop_static(self, zone: str, uuid: str) -> None:
        self.remove(self.nb(zone), "Logical_Router", "static_routes", uuid)

    def balancer(self, zone: str, router: str, *vips: str) -> str:
        uuid = self.put(self.nb(zone), "Load_Balancer", vips=dict.fromkeys(vips, "10.0.0.9"))
        lr = self.find(zone, "Logical_Router", router).uuid
        both = self.nb(zone).children("Logical_Router", "load_balancer", lr) | {uuid}
        self.put(self.nb(zone), "Logical_Router", lr, load_balancer=both)
        return uuid

    def dynamic(self, zone: str, router: str, prefix: str, nexthop: str = "10.99.0.1") -> str:
        """A route that the router's routing protocol learned; its datapath is made as needed."""
        lr = self.find(zone, "Logical_Router", router).uuid
        found = [
            row.uuid for row in self.sb(zone).rows("Datapath_Binding") if lr in (row["nb_uuid"], row["external_ids"].get("logical-router"))
        ]
        if not found:
            new = {"nb_uuid": lr} if self.sb(zone).schema.has("Datapath_Binding", "nb_uuid") else {"external_ids": {"logical-router": lr}}
            found = [self.put(self.sb(zone), "Datapath_Binding", **new)]
        return self.put(self.sb(zone), "Learned_Route", datapath=found[0], ip_prefix=prefix, nexthop=nexthop)

    def connect(
        self,
        zone: str,
        router: str,
        switch: str,
        *networks: str,
        mac: str = "aa:aa:aa:aa:aa:01",
        options: Mapping[str, str] | None = None,
        port: str = "",
    ) -> str:
        """Attach a router, made as needed, with its IC_SB port in place; the binding's uuid. All ports: ``<zone>-<router>-<switch>``."""
        store = self.nb(zone)
        if not store.find("Logical_Router", "name", router):
            self.router(router, zone=zone)
        lr = self.find(zone, "Logical_Router", router).uuid
        ls = self.find(zone, "Logical_Switch", switch).uuid
        name = port or f"{zone}-{router}-{switch}"
        columns = {"name": name, "mac": mac, "networks": frozenset(networks), "options": dict(options or {})}
        self.add(store, "Logical_Router", lr, "ports", "Logical_Router_Port", **columns)
        self.add(store, "Logical_Switch", ls, "ports", "Logical_Switch_Port", name=name, type="router", options={"router-port": name})
        return self.bind(zone, name)

    def bind(self, zone: str, name: str, **columns: Any) -> str:
        """Make the port's binding in IC_SB what the port says, as northd and the port subject do; its uuid."""
        store = self.nb(zone)
        (port,) = store.find("Logical_Switch_Port", "name", name)
        (switch,) = store.parent_rows("Logical_Switch", "ports", port.uuid)
        old = self.ic_sb.first("Port_Binding", "logical_port", name)
        values: dict[str, Any] = {"transit_switch": switch["name"], "logical_port": name, "availability_zone": self.az(zone), "address": ""}
        if old is None:
            values["tunnel_key"] = 1 + max((row["tunnel_key"] for row in self.ic_sb.rows("Port_Binding")), default=0)
            if self.ic_sb.schema.has("Port_Binding", "type"):
                values["type"] = "transit-switch-port"
        lrp = self.site(zone).zone.router_port(port["options"].get("router-port", ""))
        if lrp is not None:
            (lr,) = store.parent_rows("Logical_Router", "ports", lrp.uuid)
            values["external_ids"] = {"router-id": lr.uuid}
            if lr["enabled"] is not False:
                values["address"] = " ".join([lrp["mac"], *sorted(lrp["networks"])])
        return self.put(self.ic_sb, "Port_Binding", old.uuid if old is not None else None, **{**values, **columns})

    def unplug(self, zone: str, name: str) -> None:
        """The operator deletes the switch port; the port subject withdraws its binding."""
        self.remove(self.nb(zone), "Logical_Switch", "ports", self.find(zone, "Logical_Switch_Port", name).uuid)
        for row in self.ic_sb.find("Port_Binding", "logical_port", name):
            self.delete(self.ic_sb, "Port_Binding", row.uuid)

    def remove_lrp(self, zone: str, name: str) -> None:
        self.remove(self.nb(zone), "Logical_Router", "ports", self.find(zone, "Logical_Router_Port", name).uuid)

    def remove_switch(self, name: str) -> None:
        """The transit switch goes from IC_NB, and the zones follow."""
        self.delete(self.ic_nb, "Transit_Switch", named(self.ic_nb, "Transit_Switch", name).uuid)
        for zone in self.sites:
            self.delete(self.nb(zone), "Logical_Switch", self.find(zone, "Logical_Switch", name).uuid)
        for row in list(self.ic_sb.rows("Port_Binding")):
            if row["transit_switch"] == name:
                self.delete(self.ic_sb, "Port_Binding", row.uuid)

    def foreign(self, zone: str, switch: str, prefix: str, nexthop: str, **columns: Any) -> str:
        """A route that another program wrote to IC_SB for a zone."""
        values = {"transit_switch": switch, "availability_zone": self.az(zone), "ip_prefix": prefix, "nexthop": nexthop, "origin": "static"}
        return self.put(self.ic_sb, "Route", **{**values, **columns})

    # -- what came of it --------------------------------------------------------------------------------------------------------------

    def learned(self, zone: str, router: str) -> list[str]:
        """The learned routes of a router: ``prefix via nexthop``, with ``table``, ``origin`` (unless static or connected), ``override``."""
        uuid = self.find(zone, "Logical_Router", router).uuid
        found = self.nb(zone).child_rows("Logical_Router", "static_routes", uuid, "Logical_Router_Static_Route")
        return sorted(text(row, row["options"]) for row in found if len(row["external_ids"].get("ic-learned-route", "")) == 36)

    def prefixes(self, zone: str, router: str) -> list[str]:
        """The prefixes of the learned routes of a router, each as often as it was learned."""
        return [route.split(" ")[0] for route in self.learned(zone, router)]

    def published(self, zone: str = "", switch: str = "") -> list[str]:
        """The rows of IC_SB of a zone, of a transit switch, or of all, in the form of :meth:`learned`."""
        found = [row for row in self.ic_sb.rows("Route") if not zone or row["availability_zone"] == self.az(zone)]
        return sorted(text(row, {**row["options"], "origin": row["origin"]}) for row in found if switch in ("", row["transit_switch"]))

    def route(self, prefix: str, table: str = "") -> Row:
        """The one row of IC_SB with this prefix in this table."""
        (row,) = [row for row in self.ic_sb.rows("Route") if row["ip_prefix"] == prefix and row["route_table"] == table]
        return row

    def rest(self) -> None:
        """Let all zones come to rest, without a refused transaction, and prove that a full pass has nothing to add."""
        self.settle()
        assert self.rejections() == []
        self.check_law()


def one(
    *networks: str,
    options: dict[str, str] | None = None,
    zone: dict[str, str] | None = None,
    schemas: dict[str, ServerSchema] | None = None,
) -> RoutesWorld:
    """Zone az1 with router lr on ts1."""
    w = RoutesWorld(1, options=BOTH if zone is None else zone, schemas=schemas)
    w.connect("az1", "lr", "ts1", *(networks or ("169.254.100.1/24",)), options=options)
    return w


def text(row: Row, options: Mapping[str, str]) -> str:
    parts = [f"{row['ip_prefix']} via {row['nexthop']}"]
    if row["route_table"]:
        parts.append(f"table {row['route_table']}")
    if options.get("origin", "static") not in ("static", "connected"):
        parts.append(options["origin"])
    if options.get("override-connected") == "true":
        parts.append("override")
    return " ".join(parts)
