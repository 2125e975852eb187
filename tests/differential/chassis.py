# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chassis, as their ovn-controllers and operators write them, and copies of those of the other zone."""

from __future__ import annotations

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.ovsdb import Operation, set_keys, update

from .history import Action, Historian, Zone


def encaps(h: Historian, zone: Zone) -> list[tuple[str, str]]:
    ip = f"192.0.{zone.number}.{h.random.randint(1, 250)}"
    return [(kind, ip) for kind in h.random.choice([("geneve",), ("geneve", "vxlan"), ("geneve", "stt")])]


def add_chassis(h: Historian, zone: Zone) -> Action:
    name, uuid = h.name(f"{zone.name}-gw"), h.uuid()
    zone.chassis[name] = uuid
    ip = f"192.{len(zone.chassis) + h._names}.{zone.number}.1"
    kinds = h.random.choice([("geneve",), ("geneve", "vxlan"), ("stt", "geneve")])
    interconn = h.random.random() < 0.85
    operations = topology.chassis(
        name, [(kind, ip) for kind in kinds], interconn=interconn, hostname=h.random.choice([name, "", "host"]), uuid=uuid
    )
    return Action(f"add chassis {name}", f"{zone.name}/SB", tuple(operations), alone=False)


def delete_chassis(h: Historian, zone: Zone) -> Action | None:
    if not zone.chassis:
        return None
    name = h.random.choice(sorted(zone.chassis))
    del zone.chassis[name]
    return Action(f"delete chassis {name}", f"{zone.name}/SB", tuple(topology.no_chassis(name)))


def change_chassis(h: Historian, zone: Zone) -> Action | None:
    if not zone.chassis:
        return None
    name = h.random.choice(sorted(zone.chassis))
    kind = h.random.randrange(5)
    if kind == 0:
        operations = [update("Chassis", {"hostname": h.name("host")}, name=name)]
    elif kind == 1:
        operations = topology.chassis_encaps(name, encaps(h, zone), h.random.choice(["true", "false"]))
    elif kind == 2:
        operations = [update("Chassis", {"transport_zones": {"tz1"}, "external_ids": {"a": "b"}}, name=name)]
    else:
        operations = topology.interconn(name, h.random.choice([True, False, None]))
    return Action(f"change chassis {name}", f"{zone.name}/SB", tuple(operations), alone=kind == 1)


def tamper_chassis(h: Historian, zone: Zone) -> Action | None:
    """The copy of another zone's gateway is changed or deleted."""
    other = h.other(zone)
    if not other.chassis:
        return None
    name = h.random.choice(sorted(other.chassis))
    operations: list[Operation] = h.random.choice(
        [
            [update("Chassis", {"hostname": "tampered"}, name=name)],
            [set_keys("Chassis", "other_config", {"note": "kept"}, name=name)],
            topology.no_chassis(name),
        ]
    )
    h.decorated.add(name)
    return Action(f"tamper with the copy of {name}", f"{zone.name}/SB", tuple(operations))
