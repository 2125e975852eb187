# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routers, their attachments to transit switches, and what else is on these switches."""

from __future__ import annotations

from uuid import UUID

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.ovsdb import drop_keys, set_keys, update

from .history import SWITCHES, Action, Attachment, Historian, Router, Zone


def add_router(h: Historian, zone: Zone) -> Action:
    name, uuid = h.name(f"{zone.name}-lr"), h.uuid()
    zone.routers[name] = Router(name)
    # Else northd drops what a routing daemon has learned there.
    options = {"dynamic-routing": "true"} if h.generation.transit_ports else {}
    return Action(f"add router {name}", f"{zone.name}/NB", tuple(topology.router(name, uuid, options)))


def attach(h: Historian, zone: Zone) -> Action | None:
    """A router on a transit switch; never two of one zone on one switch (spec routes-9.3)."""
    router = h.some(zone.routers.values())
    taken = {name for known in zone.routers.values() for name in known.attachments}
    free = sorted(h.switches - taken)
    if not isinstance(router, Router) or not free:
        return None
    return attach_to(h, zone, router, h.random.choice(free))


def attach_to(h: Historian, zone: Zone, router: Router, switch: str) -> Action:
    attachment = Attachment(switch, networks(h, zone, switch), h.uuid(), h.uuid())
    router.attachments[switch] = attachment
    gateways = [(name, 10 * number) for number, name in enumerate(sorted(zone.chassis), 1)] if h.random.random() < 0.7 else []
    operations = topology.attachment(
        router.name,
        switch,
        h.mac(zone),
        attachment.networks,
        options=h.random.choice([{}, {}, {}, {"route_table": "rtb1"}]),
        gateways=gateways,
        router_port_uuid=attachment.router_port,
        switch_port_uuid=attachment.switch_port,
    )
    return Action(f"attach {router.name} to {switch}", f"{zone.name}/NB", tuple(operations))


def networks(h: Historian, zone: Zone, switch: str) -> list[str]:
    number = SWITCHES.index(switch) + 1
    host = zone.number + 2 * h.random.randint(0, 50)
    networks = [f"169.254.{number}.{host}/24"]
    if h.dual_stack:
        networks.append(f"fd00:{number}::{host}/64")
    return networks


def detach(h: Historian, zone: Zone) -> Action | None:
    """Both ports of an attachment go at once."""
    found = h.some(zone.attached)
    if not isinstance(found, tuple):
        return None
    router, attachment = found
    del router.attachments[attachment.switch]
    operations = (
        *topology.no_switch_port(attachment.switch, attachment.switch_port),
        *topology.no_router_port(router.name, attachment.router_port),
    )
    return Action(f"detach {router.name} from {attachment.switch}", f"{zone.name}/NB", operations)


def delete_switch_port(h: Historian, zone: Zone) -> Action | None:
    """The switch port goes, the router port stays."""
    found = h.some(zone.attached)
    if not isinstance(found, tuple):
        return None
    router, attachment = found
    operations = topology.no_switch_port(attachment.switch, attachment.switch_port)
    attachment.switch_port = None
    return Action(f"delete the switch port of {router.name} on {attachment.switch}", f"{zone.name}/NB", tuple(operations))


def restore_switch_port(h: Historian, zone: Zone) -> Action | None:
    """A lost switch port is created again for the router port that is still there."""
    found = h.some(
        (router, attachment)
        for router in zone.routers.values()
        for attachment in router.attachments.values()
        if attachment.switch_port is None and attachment.switch in h.switches
    )
    if not isinstance(found, tuple):
        return None
    router, attachment = found
    attachment.switch_port = h.uuid()
    name, port = f"{attachment.switch}-{router.name}", f"{router.name}-{attachment.switch}"
    operations = topology.switch_port(attachment.switch, name, options={"router-port": port}, uuid=attachment.switch_port)
    return Action(f"restore {name}", f"{zone.name}/NB", tuple(operations))


def change_router_port(h: Historian, zone: Zone) -> Action | None:
    found = h.some(zone.attached)
    if not isinstance(found, tuple):
        return None
    router, attachment = found
    row: dict[str, object]
    kind = h.random.randrange(4)
    if kind == 0:
        row = {"mac": h.mac(zone)}
    elif kind == 1:
        row = {"networks": set(networks(h, zone, attachment.switch))}
    else:
        row = {"options": h.random.choice([{}, {"route_table": "rtb1"}, {"route_table": "rtb2"}])}
    what = f"change the port of {router.name} on {attachment.switch}"
    return Action(what, f"{zone.name}/NB", (update("Logical_Router_Port", row, _uuid=attachment.router_port),))


def change_switch_port(h: Historian, zone: Zone) -> Action | None:
    """Options of a local port: its key is put right, all else stays; its type may go and come."""
    found = h.some(zone.attached)
    if not isinstance(found, tuple):
        return None
    router, attachment = found
    table, uuid = "Logical_Switch_Port", attachment.switch_port
    operation = h.random.choice(
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


def add_vif(h: Historian, zone: Zone) -> Action | None:
    if not h.switches:
        return None
    switch, name = h.random.choice(sorted(h.switches)), h.name(f"{zone.name}-vif")
    zone.vifs[name] = switch
    operations = topology.switch_port(switch, name, kind="", addresses=["unknown"], uuid=h.uuid())
    return Action(f"add VIF {name} on {switch}", f"{zone.name}/NB", tuple(operations))


def tamper_remote_port(h: Historian, zone: Zone) -> Action | None:
    """The copy of another zone's port is changed."""
    found = h.some(h.other(zone).attached)
    if not isinstance(found, tuple):
        return None
    router, attachment = found
    name, table = f"{attachment.switch}-{router.name}", "Logical_Switch_Port"
    h.decorated.add(name)
    operation = h.random.choice(
        [
            update(table, {"addresses": {"02:00:00:00:00:01 10.0.0.1"}}, name=name),
            update(table, {"addresses": set()}, name=name),
            set_keys(table, "options", {"requested-tnl-key": "4711"}, name=name),
            drop_keys(table, "options", ["requested-tnl-key"], name=name),
            set_keys(table, "options", {"mcast_flood_reports": "true"}, name=name),
        ]
    )
    return Action(f"tamper with the copy of {name}", f"{zone.name}/NB", (operation,))


def forge_remote_port(h: Historian, zone: Zone) -> Action | None:
    """A remote port that no zone has published."""
    if not h.switches:
        return None
    switch, name = h.random.choice(sorted(h.switches)), h.name("forged")
    operations = topology.switch_port(switch, name, kind="remote", addresses=["unknown"], uuid=h.uuid())
    return Action(f"forge remote port {name} on {switch}", f"{zone.name}/NB", tuple(operations))


def claim_gateway(h: Historian, zone: Zone) -> Action | None:
    """A chassis claims, or gives up, a router port's chassis-redirect binding."""
    found = h.some(zone.attached)
    if not isinstance(found, tuple):
        return None
    router, attachment = found
    chassis = h.some([*zone.chassis.values(), *zone.chassis.values(), None])
    port = f"cr-{router.name}-{attachment.switch}"
    return Action(f"claim {port}", f"{zone.name}/SB", tuple(topology.claim(port, chassis if isinstance(chassis, UUID) else None)))


def claim_remote(h: Historian, zone: Zone) -> Action | None:
    """The binding of a remote port is cleared by hand."""
    found = h.some(h.other(zone).attached)
    if not isinstance(found, tuple):
        return None
    router, attachment = found
    name = f"{attachment.switch}-{router.name}"
    return Action(f"unbind the copy of {name}", f"{zone.name}/SB", tuple(topology.claim(name, None)))
