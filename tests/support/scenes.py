# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the functional tests set up again and again, and how they look at the outcome."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from uuid import UUID

from . import topology
from .ovsdb import Named, Row, drop_keys, insert, mutate, set_keys
from .servers import AvailabilityZone, Interconnect

ROUTING = {"ic-route-adv": "true", "ic-route-learn": "true"}


def mac(zone: AvailabilityZone, number: int = 1) -> str:
    """A MAC address that only this zone's port of that number has."""
    return f"02:00:00:00:{_number(zone):02x}:{number:02x}"


def _number(zone: AvailabilityZone) -> int:
    return zone.interconnect.zones.index(zone) + 1


def gateway(zone: AvailabilityZone, name: str, ip: str | None = None, kinds: Iterable[str] = ("geneve",)) -> UUID:
    """A gateway chassis of a zone; returns its uuid."""
    address = ip or f"192.0.2.{_number(zone)}"
    return zone.sb.create(*topology.chassis(name, [(kind, address) for kind in kinds]))[-1]


def transit_switches(ic: Interconnect, *names: str) -> None:
    """Transit switches that every zone has taken in."""
    for name in names:
        ic.nb.transact(*topology.transit_switch(name))
    ic.settle()


def attach(
    zone: AvailabilityZone,
    router: str,
    transit_switch: str,
    networks: Iterable[str],
    *,
    options: Mapping[str, str] | None = None,
    gateways: Iterable[tuple[str, int]] = (),
    number: int = 1,
) -> tuple[UUID, UUID]:
    """Attach a router, made if it is missing, to a transit switch; returns the uuids of its router port and switch port."""
    if not zone.nb.rows("Logical_Router", name=router):
        zone.nb.transact(*topology.router(router))
        zone.nb.refresh()
    attachment = topology.attachment(router, transit_switch, mac(zone, number), networks, options=options, gateways=gateways)
    port, switch_port = zone.nb.create(*attachment)
    return port, switch_port


def lan(zone: AvailabilityZone, router: str, name: str, *networks: str) -> UUID:
    """A network connected to a router; returns the uuid of the router port."""
    return zone.nb.create(*topology.router_port(router, name, "02:00:00:00:ff:01", networks))[0]


def route(zone: AvailabilityZone, router: str, prefix: str, nexthop: str, **columns: object) -> UUID:
    """A static route of a router; returns its uuid."""
    return zone.nb.create(*topology.static_route(router, prefix, nexthop, None, **columns))[0]


def options(zone: AvailabilityZone, **keys: str) -> None:
    """Options of the zone; `_` in a name stands for `-`."""
    zone.nb.transact(*topology.zone_options({key.replace("_", "-"): value for key, value in keys.items()}))


def port_options(zone: AvailabilityZone, port: str, keys: Mapping[str, str], drop: Iterable[str] = ()) -> None:
    """Options of a router port."""
    zone.nb.transact(
        drop_keys("Logical_Router_Port", "options", drop, name=port),
        set_keys("Logical_Router_Port", "options", keys, name=port),
    )


def balancer(zone: AvailabilityZone, router: str, name: str, protocol: str) -> None:
    """A balancer of the VIP 10.200.0.1:53 on a router."""
    row = insert("Load_Balancer", {"name": name, "vips": {"10.200.0.1:53": "10.1.0.5:53"}, "protocol": protocol}, name="balancer")
    zone.nb.transact(row, mutate("Logical_Router", "load_balancer", "insert", {Named("balancer")}, name=router))


def healthy_interconnect(ic: Interconnect) -> None:
    """Each zone: a gateway, a router on ts1 and ts2 with claimed gateways, IPv4 and IPv6 networks, ECMP, balancers, tags, tables."""
    transit_switches(ic, "ts1", "ts2")
    for number, zone in enumerate(ic.zones, 1):
        chassis = gateway(zone, f"gw{number}")
        options(zone, ic_route_adv="true", ic_route_learn="true")
        if ic.suite.name == "experimental":  # older IC_SB know no routes of load balancers, which is reported
            options(zone, ic_route_adv_lb="true", ic_route_learn_lb="true")
        options(zone, ic_route_adv_default="true", ic_route_learn_default="true", ic_route_denylist="10.99.0.0/16")
        router = f"lr{number}"
        for place, switch in enumerate(("ts1", "ts2"), 1):
            networks = [f"169.254.{place}.{number}/24", f"2001:db8:{place}::{number}/64"]
            attach(zone, router, switch, networks, gateways=[(f"gw{number}", 10)], number=place)
        lan(zone, router, f"lan{number}", f"10.{number}.0.1/24", f"2001:db8:10{number}::1/64")
        for hop in (5, 6):
            route(zone, router, f"10.{100 + number}.0.0/16", f"10.{number}.0.{hop}")
        route(zone, router, "10.99.1.0/24", f"10.{number}.0.7")
        for protocol in ("tcp", "udp"):
            balancer(zone, router, f"dns-{protocol}", protocol)
        zone.northd_sync()
        for switch in ("ts1", "ts2"):
            zone.sb.transact(*topology.claim(f"cr-{router}-{switch}", chassis))
    route(ic.zones[0], "lr1", "0.0.0.0/0", "10.1.0.254")
    ic.settle()


def learned(zone: AvailabilityZone, router: str) -> list[tuple[str, str]]:
    """Prefix and next hop of the routes that a router has learned, sorted; equal ones count."""
    rows = learned_rows(zone, router)
    return sorted((row.text("ip_prefix"), row.text("nexthop")) for row in rows)


def learned_rows(zone: AvailabilityZone, router: str) -> list[Row]:
    """The rows of the routes that a router has learned."""
    refs = zone.nb.get("Logical_Router", name=router).refs("static_routes")
    rows = [zone.nb.row("Logical_Router_Static_Route", ref) for ref in refs]
    return [row for row in rows if row is not None and "ic-learned-route" in row.map("external_ids")]


def published(ic: Interconnect, zone: AvailabilityZone | None = None) -> list[tuple[str, str, str]]:
    """Transit switch, prefix and next hop of the routes in IC_SB, of one zone or of all, sorted."""
    owner = None if zone is None else ic.sb.get("Availability_Zone", name=zone.name).uuid
    rows = [row for row in ic.sb.rows("Route") if owner is None or row["availability_zone"] == owner]
    return sorted((row.text("transit_switch"), row.text("ip_prefix"), row.text("nexthop")) for row in rows)


def encaps(zone: AvailabilityZone, chassis: str) -> set[tuple[str, str]]:
    """Type and IP of a chassis' encaps."""
    rows = [zone.sb.row("Encap", ref) for ref in zone.sb.get("Chassis", name=chassis).refs("encaps")]
    return {(row.text("type"), row.text("ip")) for row in rows if row is not None}


def switch_port(zone: AvailabilityZone, name: str) -> Row | None:
    """A switch port of a zone's NB, or None."""
    return zone.nb.find("Logical_Switch_Port", name=name)


def port_keys(ic: Interconnect, port: str) -> set[int]:
    """All tunnel keys that any database gives for a port; one if they agree."""
    keys = {row.number("tunnel_key") for row in ic.sb.rows("Port_Binding", logical_port=port)}
    for zone in ic.zones:
        requested = [row.map("options").get("requested-tnl-key", "0") for row in zone.nb.rows("Logical_Switch_Port", name=port)]
        keys |= {int(key) for key in requested}
        keys |= {row.number("tunnel_key") for row in zone.sb.rows("Port_Binding", logical_port=port)}
    return keys


def bound_to(zone: AvailabilityZone, port: str) -> str:
    """The name of the chassis that a port is bound to, empty if none."""
    ref = zone.sb.get("Port_Binding", logical_port=port).ref("chassis")
    row = zone.sb.row("Chassis", ref) if ref is not None else None
    return "" if row is None else row.text("name")


def reject_long_host_names(ic: Interconnect, directory: Path) -> None:
    """Let the server of IC_SB reject gateways whose host name has more than three characters."""
    schema = json.loads((ic.suite.schemas / "ovn-ic-sb.ovsschema").read_text())
    schema["tables"]["Gateway"]["columns"]["hostname"]["type"] = {"key": {"type": "string", "maxLength": 3}}
    (directory / "strict.ovsschema").write_text(json.dumps(schema))
    ic.sb_server.stop()
    ic.sb_server.create(directory / "strict.ovsschema")
    ic.start(daemons=False)
