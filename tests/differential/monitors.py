# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens around service monitors: balancers with backends in the other zone or in their own, ports, and what probing finds."""

from __future__ import annotations

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.ovsdb import delete, insert, mutate, update

from .history import Action, Draw, Historian, Zone

OWN_SWITCH = "backends"
"""The ordinary switch on which a zone's backends are; a port's name tells its address: `az2-backend7` is 10.202.0.7."""
PORT = 8080


def add_backend(h: Historian, zone: Zone) -> Action:
    number, uuid = len(zone.backends) + 1, h.uuid()
    name = f"{zone.name}-backend{number}"
    zone.backends[name] = (number, uuid)
    address = f"02:00:00:0b:0{zone.number}:{number:02x} {_ip(zone, number)}"
    port = insert("Logical_Switch_Port", {"name": name, "addresses": {address}}, uuid)
    if number == 1:
        return Action(f"add {name}", f"{zone.name}/NB", (port, insert("Logical_Switch", {"name": OWN_SWITCH, "ports": {uuid}}, h.uuid())))
    return Action(f"add {name}", f"{zone.name}/NB", (port, mutate("Logical_Switch", "ports", "insert", {uuid}, name=OWN_SWITCH)))


def _ip(zone: Zone, number: int) -> str:
    return f"10.20{zone.number}.0.{number}"


def toggle_backend(h: Historian, zone: Zone) -> Action | None:
    """A backend's port goes from its switch, and with it its binding."""
    found = h.some(sorted(zone.backends.items())[1:])
    if not isinstance(found, tuple):
        return None
    name, (_number, uuid) = found
    operation = mutate("Logical_Switch", "ports", "delete", {uuid}, name=OWN_SWITCH)
    return Action(f"delete {name}", f"{zone.name}/NB", (operation,))


def add_balancer(h: Historian, zone: Zone) -> Action | None:
    """A balancer whose backends are monitored: those of the other zone there, those of the own zone here.

    All health checks of a zone have the same options, since a service has one monitor whichever balancers it serves, and northd gives it
    those of any of them.
    """
    other, backends = h.other(zone), {}
    for owner in (other, other, zone):
        found = h.some(sorted(owner.backends.items()))
        if isinstance(found, tuple):
            name, (number, _uuid) = found
            elsewhere = f":{other.title}" if owner is other else ""
            backends[f"{_ip(owner, number)}:{PORT}"] = f"{name}:{_ip(owner, 200)}{elsewhere}"
    if not backends:
        return None
    name, uuid = h.name(f"{zone.name}-monitored"), h.uuid()
    zone.monitored[name] = uuid
    vip = f"172.22.{zone.number}.{len(zone.monitored)}:80"
    return Action(f"add {name}", f"{zone.name}/NB", tuple(topology.balancer(name, vip, backends, zone.check, uuid)))


def delete_balancer(h: Historian, zone: Zone) -> Action | None:
    name = h.some(sorted(zone.monitored))
    if not isinstance(name, str):
        return None
    return Action(f"delete {name}", f"{zone.name}/NB", (delete("Load_Balancer", _uuid=zone.monitored.pop(name)),))


def change_check(h: Historian, zone: Zone) -> Action:
    zone.check = h.random.choice([{}, {"interval": "5"}, {"interval": "5", "failure_count": "4"}, {"timeout": "20"}])
    return Action("change the health checks", f"{zone.name}/NB", (update("Load_Balancer_Health_Check", {"options": zone.check}),))


def probe(h: Historian, zone: Zone) -> Action | None:
    """The zone's ovn-controllers find a backend's service up or down."""
    name = h.some(sorted(zone.backends))
    if not isinstance(name, str):
        return None
    status = h.random.choice(["online", "online", "offline", "error", None])
    operation = update("Service_Monitor", {"status": status}, logical_port=name)
    return Action(f"probe {name}: {status}", f"{zone.name}/SB", (operation,))


def delete_monitors(h: Historian, zone: Zone) -> Action | None:
    """The monitors of a backend are deleted by hand, in SB those that other zones asked for, or all in IC_SB."""
    name = h.some(sorted(zone.backends))
    if not isinstance(name, str):
        return None
    if h.random.random() < 0.5:
        return Action(f"delete the requests for {name}", "IC_SB", (delete("Service_Monitor", logical_port=name),))
    return Action(f"delete monitors of {name}", f"{zone.name}/SB", (delete("Service_Monitor", logical_port=name, ic_learned=True),))


MONITORS: list[tuple[Draw, int]] = [
    (add_backend, 6),
    (toggle_backend, 1),
    (add_balancer, 5),
    (delete_balancer, 2),
    (change_check, 2),
    (probe, 4),
    (delete_monitors, 1),
]
