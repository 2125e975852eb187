# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators do with what the newer generations of OVN know: first 25.03, then 26.09."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.ovsdb import Operation, delete, drop_keys, insert, mutate, set_keys, update

from .history import Action, Draw, Historian, Router, Zone


def rename_zone(h: Historian, zone: Zone) -> Action | None:
    if zone.monitored:
        return None
    zone.title = h.name(f"{zone.name}-renamed")
    return Action(f"rename the zone to {zone.title}", f"{zone.name}/NB", tuple(topology.zone_name(zone.title)))


def vxlan_mode(h: Historian, _zone: Zone) -> Action:
    keys = {"vxlan_mode": h.random.choice(["true", "true", "false", "True", "yes"])}
    return Action("change the VXLAN mode", "IC_NB", (set_keys("IC_NB_Global", "options", keys),))


def deny_list(h: Historian, zone: Zone) -> Action:
    lists = ["10.1.0.0/16", "10.2.0.0/20,10.7.2.0/24", "2001:db8:1::/48", " 10.7.1.0/24,junk,2001:db8::/32", ""]
    operations = topology.zone_options({"ic-route-denylist": h.random.choice(lists)})
    if h.random.random() < 0.3:
        operations = topology.no_zone_options(["ic-route-denylist"])
    # Beside the other list upstream ignores ic-route-blacklist, and ours applies both.
    operations += topology.no_zone_options(["ic-route-blacklist"])
    return Action("change option ic-route-denylist", f"{zone.name}/NB", tuple(operations), alone=False)


def tag(h: Historian, zone: Zone) -> Action | None:
    return _port_option(h, zone, h.random.choice(["ic-route-tag", "ic-route-filter-tag"]), ["red", "blue", ""])


def _port_option(h: Historian, zone: Zone, key: str, values: Sequence[str]) -> Action | None:
    found = h.some(zone.attached)
    if not isinstance(found, tuple):
        return None
    router, attachment = found
    table, uuid = "Logical_Router_Port", attachment.router_port
    operation = set_keys(table, "options", {key: h.random.choice(list(values))}, _uuid=uuid)
    if h.random.random() < 0.25:
        operation = drop_keys(table, "options", [key], _uuid=uuid)
    return Action(f"change {key} of {router.name} on {attachment.switch}", f"{zone.name}/NB", (operation,), alone=False)


def leaf(h: Historian, zone: Zone) -> Action | None:
    """A leaf switch behind a port of a transit switch, bound to a chassis of the zone, or to none."""
    if not h.switches:
        return None
    switch, name = h.random.choice(sorted(h.switches)), h.name(f"{zone.name}-leaf")
    inner, outer, ports = f"{name}-{switch}", f"{switch}-{name}", (h.uuid(), h.uuid())
    chassis = h.some([*sorted(zone.chassis), None])
    zone.leaves[outer] = (switch, ports[1])
    down = {"name": inner, "type": "switch", "peer": outer, "addresses": {"unknown"}}
    operations: list[Operation] = [
        insert("Logical_Switch_Port", down, ports[0]),
        insert("Logical_Switch", {"name": name, "ports": {ports[0]}}, h.uuid()),
        *topology.switch_port(
            switch,
            outer,
            kind="switch",
            options={"requested-chassis": str(chassis)} if chassis else {},
            addresses=["unknown"],
            uuid=ports[1],
            peer=inner,
        ),
    ]
    return Action(f"connect {name} to {switch}", f"{zone.name}/NB", tuple(operations))


def change_leaf(h: Historian, zone: Zone) -> Action | None:
    """The transit switch's port of a leaf is bound, moves to another chassis, or goes."""
    name = h.some(name for name, (switch, _uuid) in sorted(zone.leaves.items()) if switch in h.switches)
    if not isinstance(name, str):
        return None
    switch, uuid = zone.leaves[name]
    kind = h.random.randrange(3)
    if kind == 0:
        del zone.leaves[name]
        return Action(f"disconnect {name}", f"{zone.name}/NB", tuple(topology.no_switch_port(switch, uuid)))
    chassis = h.some([*zone.chassis.values(), None])
    operations = topology.claim(name, chassis if isinstance(chassis, UUID) else None)
    return Action(f"claim {name}", f"{zone.name}/SB", tuple(operations))


def request_chassis(h: Historian, zone: Zone) -> Action | None:
    """An operator pins the copy of another zone's port to a chassis, or gives it back to the daemon."""
    found, other = h.some(h.other(zone).attached), h.other(zone)
    if not isinstance(found, tuple) or not other.chassis:
        return None
    name, table = f"{found[1].switch}-{found[0].name}", "Logical_Switch_Port"
    h.decorated.add(name)
    operation = set_keys(table, "options", {"requested-chassis": str(h.some(sorted(other.chassis)))}, name=name)
    if h.random.random() < 0.4:
        operation = drop_keys(table, "options", ["requested-chassis"], name=name)
    return Action(f"pin the copy of {name}", f"{zone.name}/NB", (operation,))


SINCE_2503: list[tuple[Draw, int]] = [
    (rename_zone, 1),
    (vxlan_mode, 2),
    (deny_list, 3),
    (tag, 4),
    (leaf, 3),
    (change_leaf, 3),
    (request_chassis, 2),
]


# --- 26.09


def tag_rules(h: Historian, zone: Zone) -> Action | None:
    """Which tags of routes a port learns, in all forms that 26.09 tells apart; with and without the older option beside it."""
    values = [
        "allow:red",
        "allow:red,blue",
        "block:red",
        "block:blue,,green",
        "allow: red",
        "foo:red",
        "allow:",
        "",
        "allow:red,block:blue",
    ]
    return _port_option(h, zone, "ic-route-learn-tag-rules", values)


def disable_router(h: Historian, zone: Zone) -> Action | None:
    """A router is disabled, or enabled again: it exchanges no routes meanwhile."""
    router = h.some(zone.routers.values())
    if not isinstance(router, Router):
        return None
    enabled = h.random.random() < 0.6
    operation = update("Logical_Router", {"enabled": enabled}, name=router.name)
    return Action(f"{'enable' if enabled else 'disable'} {router.name}", f"{zone.name}/NB", (operation,))


def back_off(h: Historian, _zone: Zone) -> Action:
    """The rest between passes, which only releases after 26.09.0 know: the outcome is the same without it."""
    keys = {"ic-backoff-interval-ms": h.random.choice(["0", "20", "200", "-1", "fast"])}
    return Action("change ic-backoff-interval-ms", "IC_NB", (set_keys("IC_NB_Global", "options", keys),))


def route_lists(h: Historian, zone: Zone) -> Action | None:
    """Allow and deny lists, and the way over IPv6, at a router or at its port."""
    key = h.random.choice(
        ["ic-route-filter-adv", "ic-route-filter-learn", "ic-route-deny-adv", "ic-route-deny-learn", "ic-route-ipv4-next-hop-ipv6"]
    )
    lists = ["10.1.0.0/16,10.2.0.0/16,2001:db8::/32", "10.7.0.0/22", "junk", "", " 10.0.0.0/8,,fd00::/8", "2001:db8:1::/48,10.0.0.0/9"]
    values = ["true", "false", "yes"] if key.endswith("ipv6") else lists
    if h.random.random() < 0.5:
        return _port_option(h, zone, key, values)
    router = h.some(zone.routers.values())
    if not isinstance(router, Router):
        return None
    operation = set_keys("Logical_Router", "options", {key: h.random.choice(values)}, name=router.name)
    if h.random.random() < 0.25:
        operation = drop_keys("Logical_Router", "options", [key], name=router.name)
    return Action(f"change {key} of {router.name}", f"{zone.name}/NB", (operation,), alone=False)


def balancer(h: Historian, zone: Zone) -> Action | None:
    """A load balancer of a router; its VIPs are addresses that nothing else has."""
    router = h.some(zone.routers.values())
    if not isinstance(router, Router):
        return None
    name, uuid, number = h.name("lb"), h.uuid(), len(zone.balancers) + 1
    zone.balancers[name] = (router.name, uuid)
    vip = h.random.choice([f"172.20.{zone.number}.{number}", f"172.20.{zone.number}.{number}:80", f"[fd00:20:{zone.number}::{number}]:80"])
    backend = "[fd00:30::1]:80" if vip.startswith("[") else "10.250.0.1:80" if ":" in vip else "10.250.0.1"
    operations = (
        insert("Load_Balancer", {"name": name, "vips": {vip: backend}}, uuid),
        mutate("Logical_Router", "load_balancer", "insert", {uuid}, name=router.name),
    )
    return Action(f"add balancer {name} to {router.name}", f"{zone.name}/NB", operations, alone=False)


def no_balancer(h: Historian, zone: Zone) -> Action | None:
    name = h.some(sorted(zone.balancers))
    if not isinstance(name, str):
        return None
    router, uuid = zone.balancers[name]
    zone.balancers[name] = ("", uuid)
    operations = (mutate("Logical_Router", "load_balancer", "delete", {uuid}, name=router), delete("Load_Balancer", _uuid=uuid))
    return Action(f"delete balancer {name}", f"{zone.name}/NB", operations, alone=False)


def newest_option(h: Historian, zone: Zone) -> Action:
    key = h.random.choice(["ic-route-adv-lb", "ic-route-learn-lb", "ic-as-adv", "ic-as-learn"])
    operations = topology.zone_options({key: h.mostly("true")})
    if h.random.random() < 0.2:
        operations = topology.no_zone_options([key])
    return Action(f"change option {key}", f"{zone.name}/NB", tuple(operations), alone=False)


def address_set(h: Historian, zone: Zone) -> Action:
    """An address set comes, or changes, or goes; names are those of one zone, so that no local set meets a learned one."""
    name = f"{zone.name}set{h.random.randint(1, 2)}"
    addresses = set(h.random.sample(["10.0.0.1", "10.0.0.0/24", "2001:db8::1", "junk"], h.random.randint(0, 3)))
    options = h.random.choice([{"ic-adv": "true"}, {"ic-adv": "true"}, {"ic-adv": "True"}, {}, {"ic-adv": "yes"}])
    if name not in zone.sets:
        zone.sets.add(name)
        operation = insert("Address_Set", {"name": name, "addresses": addresses, "options": options}, h.uuid())
    elif h.random.random() < 0.25:
        zone.sets.discard(name)
        operation = delete("Address_Set", name=name)
    else:
        operation = update("Address_Set", {"addresses": addresses, "options": options}, name=name)
    return Action(f"change set {name}", f"{zone.name}/NB", (operation,))


def tamper_set(h: Historian, zone: Zone) -> Action | None:
    name = h.some(sorted(h.other(zone).sets))
    if not isinstance(name, str):
        return None
    return Action(f"tamper with the copy of {name}", f"{zone.name}/NB", (update("Address_Set", {"addresses": {"10.9.9.9"}}, name=name),))


def transit_port(h: Historian, zone: Zone) -> Action | None:
    """A transit switch port, at a chassis of one of the zones or at none."""
    if not h.switches:
        return None
    switch, name, uuid = h.random.choice(sorted(h.switches)), h.name("tsp"), h.uuid()
    h.transit_ports[name] = (switch, uuid)
    row = {"name": name, **_transit_port(h, zone)}
    operations = (
        insert("Transit_Switch_Port", row, uuid),
        mutate("Transit_Switch", "ports", "insert", {uuid}, name=switch),
    )
    return Action(f"add {name} to {switch}", "IC_NB", operations)


def _transit_port(h: Historian, zone: Zone) -> dict[str, object]:
    kind = h.random.choice(["", "", "router"])
    addresses = h.random.choice([["unknown"], ["0a:00:00:00:00:01 10.77.0.1"], []])
    chassis = h.some([*sorted(zone.chassis), ""]) or ""
    return {"type": kind, "peer": h.random.choice(["", "peer1"]) if kind else "", "addresses": addresses, "chassis": chassis}


def change_transit_port(h: Historian, zone: Zone) -> Action | None:
    name = h.some(name for name, (switch, _uuid) in sorted(h.transit_ports.items()) if switch in h.switches)
    if not isinstance(name, str):
        return None
    switch, uuid = h.transit_ports[name]
    if h.random.random() < 0.3:
        del h.transit_ports[name]
        return Action(f"delete {name}", "IC_NB", (mutate("Transit_Switch", "ports", "delete", {uuid}, name=switch),))
    return Action(f"change {name}", "IC_NB", (update("Transit_Switch_Port", _transit_port(h, zone), name=name),))


def transit_router(h: Historian, _zone: Zone) -> Action:
    name = h.random.choice(["tr1", "tr2"])
    if name in h.transit_routers:
        h.transit_routers.discard(name)
        return Action(f"delete {name}", "IC_NB", (delete("Transit_Router", name=name),))
    h.transit_routers.add(name)
    return Action(f"add {name}", "IC_NB", (insert("Transit_Router", {"name": name}, h.uuid()),))


def transit_router_port(h: Historian, zone: Zone) -> Action | None:
    """A port of a transit router at a chassis of a zone; ports go with their router only."""
    router, chassis = h.some(sorted(h.transit_routers)), h.some(sorted(zone.chassis))
    if not isinstance(router, str) or not isinstance(chassis, str):
        return None
    name, uuid = h.name("trp"), h.uuid()
    networks = {f"10.{100 + h.random.randint(0, 99)}.{zone.number}.1/24"}
    row = {"name": name, "mac": h.mac(zone), "networks": networks, "chassis": chassis, "tr_uuid": uuid}
    operations = (insert("Transit_Router_Port", row, uuid), mutate("Transit_Router", "ports", "insert", {uuid}, name=router))
    return Action(f"add {name} to {router}", "IC_NB", operations)


def learn(h: Historian, zone: Zone) -> Action | None:
    """A routing daemon learns a route on a port of a router, maybe one that others have too."""
    found = h.some((router, port) for router in zone.routers.values() for port in sorted(router.lans))
    if not isinstance(found, tuple):
        return None
    _router, port = found
    number, uuid = h.random.randint(0, 3), h.uuid()
    prefix, nexthop = f"10.13.{number}.0/24", f"10.{zone.number}.0.{h.random.randint(2, 9)}"
    if h.dual_stack and h.random.random() < 0.4:
        prefix, nexthop = f"2001:db8:13:{number}::/64", "fe80::9"
    zone.dynamic.append((port, uuid))
    return Action(f"learn {prefix} on {port}", f"{zone.name}/SB", tuple(topology.learned_route(port, prefix, nexthop, uuid)))


def forget(h: Historian, zone: Zone) -> Action | None:
    if not zone.dynamic:
        return None
    port, uuid = zone.dynamic.pop(h.random.randrange(len(zone.dynamic)))
    return Action(f"forget what was learned on {port}", f"{zone.name}/SB", (delete("Learned_Route", _uuid=uuid),))


NEWEST: list[tuple[Draw, int]] = [
    (learn, 5),
    (forget, 2),
    (route_lists, 6),
    (balancer, 3),
    (no_balancer, 1),
    (newest_option, 5),
    (address_set, 4),
    (tamper_set, 1),
    (transit_port, 4),
    (change_transit_port, 4),
    (transit_router, 3),
    (transit_router_port, 4),
    (tag_rules, 4),
    (disable_router, 3),
    (back_off, 1),
]
