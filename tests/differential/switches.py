# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transit switches, and the switches of the zones that stand for them."""

from __future__ import annotations

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.ovsdb import delete, insert, set_keys

from .history import SWITCHES, Action, Historian, Zone


def add_switch_named(h: Historian, name: str) -> Action:
    h.switches.add(name)
    return Action(f"add {name}", "IC_NB", tuple(topology.transit_switch(name, h.uuid())))


def add_switch(h: Historian, _zone: Zone) -> Action | None:
    free = sorted(set(SWITCHES) - h.switches)
    return add_switch_named(h, h.random.choice(free)) if free else None


def delete_switch(h: Historian, _zone: Zone) -> Action | None:
    if not h.switches:
        return None
    name = h.random.choice(sorted(h.switches))
    h.switches.discard(name)
    for zone in h.zones:
        zone.lose_switch_ports(name)
    h.transit_ports = {port: place for port, place in h.transit_ports.items() if place[0] != name}
    return Action(f"delete {name}", "IC_NB", tuple(topology.no_transit_switch(name)))


def change_switch(h: Historian, _zone: Zone) -> Action | None:
    if not h.switches:
        return None
    name = h.random.choice(sorted(h.switches))
    keys = {h.random.choice(("note", "x")): str(h.random.randint(0, 9))}
    column = h.random.choice(("other_config", "external_ids"))
    return Action(f"change {name}", "IC_NB", (set_keys("Transit_Switch", column, keys, name=name),), alone=False)


def delete_local_switch(h: Historian, zone: Zone) -> Action | None:
    if not h.switches:
        return None
    name = h.random.choice(sorted(h.switches))
    zone.lose_switch_ports(name)
    return Action(f"delete the zone's switch {name}", f"{zone.name}/NB", (delete("Logical_Switch", name=name),))


def configure_switch(h: Historian, zone: Zone) -> Action | None:
    """Keys of the zone's switch: those of operators stay, `requested-tnl-key` is put right."""
    if not h.switches:
        return None
    name = h.random.choice(sorted(h.switches))
    keys = h.random.choice([{"mcast_snoop": "true"}, {"requested-tnl-key": "17"}, {"requested-tnl-key": "junk"}])
    return Action(f"configure {name}", f"{zone.name}/NB", (set_keys("Logical_Switch", "other_config", keys, name=name),))


def ordinary_switch(h: Historian, zone: Zone) -> Action:
    """A switch that only has the name of a transit switch, or none of it."""
    name = h.random.choice(["lan", "ts3", "public"])
    row = {"name": name, "other_config": {"mcast_snoop": "false"}}
    return Action(f"add the ordinary switch {name}", f"{zone.name}/NB", (insert("Logical_Switch", row, h.uuid()),), alone=False)
