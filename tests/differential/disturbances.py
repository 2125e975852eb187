# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong around the daemons: rows deleted by hand, processes that end, servers that go and come back."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.ovn.interconnect.tests.support.ovsdb import delete

from . import chassis, ports, routes, switches
from .history import SWITCHES, Action, Historian, Zone


def delete_published(h: Historian, zone: Zone) -> Action | None:
    """Rows that a zone has published are deleted by hand."""
    kind = h.random.choice(["Route", "Port_Binding", "Gateway", "Datapath_Binding", "Availability_Zone"])
    if kind == "Route":
        operation = delete("Route", transit_switch=h.random.choice(SWITCHES))
    elif kind == "Port_Binding":
        found = h.some(zone.attached)
        if not isinstance(found, tuple) or f"{found[1].switch}-{found[0].name}" in h.decorated:
            return None
        operation = delete(kind, logical_port=f"{found[1].switch}-{found[0].name}")
    elif kind == "Gateway":
        operation = delete(kind, name=str(h.some(sorted(zone.chassis.keys() - h.decorated))))
    elif kind == "Datapath_Binding":
        operation = delete(kind, transit_switch=h.random.choice(SWITCHES))
    else:
        operation = delete(kind, name=zone.title)
    return Action(f"delete from {kind}", "IC_SB", (operation,))


def restart(h: Historian, zone: Zone) -> Action:
    return Action("restart the daemon", f"{zone.name}/daemon", command=h.random.choice(["restart", "kill", "pause-resume"]))


def restart_server(h: Historian, zone: Zone) -> Action:
    """A server goes and comes back with all it held."""
    target = h.random.choice(["IC_NB", "IC_SB", f"{zone.name}/NB", f"{zone.name}/SB"])
    return Action("restart the server", target, command="restart-server")


def behind_its_back(h: Historian, zone: Zone) -> Action | None:
    """Something is done while a zone's daemon is paused, or is not there."""
    draw = h.random.choice([ports.attach, ports.detach, switches.delete_switch, switches.add_switch, routes.add_lan,
                            routes.delete_lan, routes.add_route, routes.delete_route, ports.change_router_port,
                            chassis.change_chassis, chassis.delete_chassis, ports.tamper_remote_port])  # fmt: skip
    action = draw(h, zone)
    if action is None or action.command:
        return None
    how = h.random.choice(["pause", "stop", "kill"])
    if how != "pause" and draw is switches.delete_switch:
        return None  # a daemon that starts withholds this deletion until an operator releases it
    return replace(action, what=f"{action.what}, {how} meanwhile", during=f"{h.random.choice(h.zones).name}/{how}", alone=True)
