# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks, static routes, learned routes, and the options that let them through."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.ovsdb import Update, update

from .history import LANS, Action, Historian, Router, Zone


def add_lan(h: Historian, zone: Zone) -> Action | None:
    router = h.some(zone.routers.values())
    return add_lan_to(h, zone, router) if isinstance(router, Router) else None


def add_lan_to(h: Historian, zone: Zone, router: Router) -> Action:
    name, uuid = h.name(f"{router.name}-lan"), h.uuid()
    router.lans[name] = uuid
    number = zone.free_lans.pop(h.random.randrange(len(zone.free_lans)))
    networks = [f"10.{zone.number}.{number}.1/24"]
    if h.dual_stack and h.random.random() < 0.5:
        networks.append(f"2001:db8:{zone.number}:{number}::1/64")
    operations = topology.router_port(router.name, name, h.mac(zone), networks, uuid=uuid)
    return Action(f"add network {name}", f"{zone.name}/NB", tuple(operations), alone=False)


def delete_lan(h: Historian, zone: Zone) -> Action | None:
    router = h.some(router for router in zone.routers.values() if router.lans)
    if not isinstance(router, Router):
        return None
    learning = {port for port, _route in zone.dynamic}
    name = h.some(sorted(set(router.lans) - learning))
    if not isinstance(name, str):
        return None  # northd cannot drop the binding of a port on which something was learned
    operations = topology.no_router_port(router.name, router.lans.pop(name))
    return Action(f"delete network {name}", f"{zone.name}/NB", tuple(operations), alone=False)


def any_prefix(h: Historian) -> str:
    """A static route's prefix in one of the many ways in which people write it."""
    number, host = h.random.randint(0, 6), h.random.randint(2, 250)
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
    if h.dual_stack:
        texts += [f"2001:db8:7:{number}::/64", f"2001:DB8:8:{number}::{host}/64", "::/0", "fe80:7::/64", f"2001:db8:9::{host}"]
    return h.random.choice(texts)


def any_nexthop(h: Historian, prefix: str) -> str:
    if ":" in prefix:
        return h.random.choice(["2001:db8:1::9", "2001:DB8:1::a", "fd00:9::1", "junk"])
    return h.random.choice(["10.1.0.9", "10.1.0.9", "10.1.0.10", "10.2.0.0/24", "junk", ""])


def add_route(h: Historian, zone: Zone) -> Action | None:
    router = h.some(zone.routers.values())
    if not isinstance(router, Router):
        return None
    uuid, prefix = h.uuid(), any_prefix(h)
    router.routes.append(uuid)
    columns: dict[str, object] = {}
    if h.random.random() < 0.3:
        columns["route_table"] = h.random.choice(["rtb1", "rtb2"])
    if h.random.random() < 0.3:
        columns["policy"] = h.random.choice(["src-ip", "dst-ip"])
    if h.random.random() < 0.2:
        columns["external_ids"] = h.random.choice([{"ic-learned-route": "junk"}, {"owner": "me"}])
    if h.random.random() < 0.2:
        columns["options"] = {"override-connected": "true"}
        if h.generation.transit_ports:
            # No other source of that prefix, nor a change to one (spec routes-4.6).
            prefix = f"10.12.{h._uuids % 250}.0/24"
            router.routes.remove(uuid)
    operations = topology.static_route(router.name, prefix, any_nexthop(h, prefix), uuid, **columns)
    return Action(f"add route {prefix or '(empty)'} to {router.name}", f"{zone.name}/NB", tuple(operations), alone=False)


def delete_route(h: Historian, zone: Zone) -> Action | None:
    router = h.some(router for router in zone.routers.values() if router.routes)
    if not isinstance(router, Router):
        return None
    uuid = router.routes.pop(h.random.randrange(len(router.routes)))
    return Action(f"delete a route of {router.name}", f"{zone.name}/NB", tuple(topology.no_static_route(router.name, uuid)), alone=False)


def change_route(h: Historian, zone: Zone) -> Action | None:
    router = h.some(router for router in zone.routers.values() if router.routes)
    if not isinstance(router, Router):
        return None
    prefix = any_prefix(h)
    row: dict[str, object] = h.random.choice(
        [
            {"ip_prefix": prefix, "nexthop": any_nexthop(h, prefix)},
            {"route_table": h.random.choice(["", "rtb1", "rtb2"])},
            {"policy": h.random.choice([None, "src-ip", "dst-ip"])},
        ]
    )
    operation = update("Logical_Router_Static_Route", row, _uuid=h.random.choice(router.routes))
    return Action(f"change a route of {router.name}", f"{zone.name}/NB", (operation,), alone=False)


def tamper_learned_routes(h: Historian, zone: Zone) -> Action:
    """All learned routes of the zone are edited or their mark is forged."""
    table = "Logical_Router_Static_Route"
    mine: Update = h.random.choice(
        [
            update(table, {"nexthop": "10.99.0.1"}),
            update(table, {"route_table": "rtb9"}),
            update(table, {"external_ids": {"ic-learned-route": str(h.uuid())}}),
        ]
    )
    other_zone = h.other(zone).number
    prefixes = [f"10.{other_zone}.{number}.1/24" for number in range(LANS)]
    operations = tuple(replace(mine, conditions={"ip_prefix": prefix}) for prefix in prefixes)
    return Action("tamper with learned routes", f"{zone.name}/NB", operations)


def forge_learned_route(h: Historian, zone: Zone) -> Action | None:
    """A route that claims to be learned from a row that never was."""
    router = h.some(router for router, _attachment in zone.attached)
    if not isinstance(router, Router):
        return None
    ids = {"ic-learned-route": str(h.uuid())}
    operations = topology.static_route(router.name, "10.66.0.0/24", "169.254.1.77", h.uuid(), external_ids=ids)
    return Action(f"forge a learned route of {router.name}", f"{zone.name}/NB", tuple(operations))


def zone_option(h: Historian, zone: Zone) -> Action:
    key = h.random.choice(["ic-route-adv", "ic-route-learn", "ic-route-adv-default", "ic-route-learn-default", "ic-route-blacklist"])
    if key == "ic-route-blacklist":
        lists = ["10.1.0.0/16", "10.2.0.0/20,10.7.2.0/24", "10.7.0.0/16", " 10.7.1.0/24,10.8.0.0/16", "10.7.0.0/22,junk,10.8.0.0/16"]
        operations = topology.no_zone_options(["ic-route-denylist"]) + topology.zone_options({key: h.random.choice(lists)})
    else:
        operations = topology.zone_options({key: h.mostly("true")})
    if h.random.random() < 0.2:
        operations = topology.no_zone_options([key])
    return Action(f"change option {key}", f"{zone.name}/NB", tuple(operations), alone=False)
