# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn in the histories of a generation, and how often."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.ovn.interconnect.tests.support import topology

from . import chassis, disturbances, ports, routes, switches
from .generations import Generation
from .history import SWITCHES, Action, Draw, Historian
from .monitors import MONITORS, add_backend, add_balancer
from .newer import NEWEST, SINCE_2503, learn

VOCABULARY: tuple[tuple[Draw, int], ...] = (
    (switches.add_switch, 4),
    (switches.delete_switch, 2),
    (switches.change_switch, 1),
    (switches.delete_local_switch, 1),
    (switches.configure_switch, 2),
    (switches.ordinary_switch, 1),
    (chassis.add_chassis, 3),
    (chassis.delete_chassis, 2),
    (chassis.change_chassis, 5),
    (chassis.tamper_chassis, 2),
    (ports.add_router, 2),
    (ports.attach, 5),
    (ports.detach, 2),
    (ports.delete_switch_port, 2),
    (ports.restore_switch_port, 4),
    (ports.change_router_port, 4),
    (ports.change_switch_port, 3),
    (ports.add_vif, 1),
    (ports.tamper_remote_port, 3),
    (ports.forge_remote_port, 1),
    (ports.claim_gateway, 4),
    (ports.claim_remote, 1),
    (routes.add_lan, 4),
    (routes.delete_lan, 2),
    (routes.add_route, 12),
    (routes.delete_route, 3),
    (routes.change_route, 4),
    (routes.tamper_learned_routes, 3),
    (routes.forge_learned_route, 1),
    (routes.zone_option, 6),
    (disturbances.delete_published, 3),
    (disturbances.restart, 2),
    (disturbances.restart_server, 1),
    (disturbances.behind_its_back, 4),
)
"""What is drawn under every generation."""

OPENING: tuple[Draw, ...] = (add_backend, add_backend, add_balancer, learn)
"""What each zone begins with in many of the newest generation's histories, so that something comes of the other actions."""


def vocabulary(generation: Generation) -> tuple[tuple[Draw, int], ...]:
    """What is drawn under a generation, and how often."""
    known = [*VOCABULARY]
    if generation.spine_leaf:
        known += SINCE_2503
    if generation.transit_ports:
        known += [*NEWEST, *MONITORS]
    return tuple(known)


def history(seed: int, generation: Generation, length: int) -> list[Action]:
    """The history of a seed: a first set-up of both zones, in many of the newest generation more than that, then random actions."""
    h = Historian(seed, generation)
    actions = [*beginning(h)]
    if generation.transit_ports and h.random.random() < 0.6:
        drawn = (draw(h, zone) for draw in OPENING for zone in h.zones)
        actions += [action for action in drawn if action is not None]
    return [*actions, *h.drawn(vocabulary(generation), length)]


def beginning(h: Historian) -> Iterator[Action]:
    """Named zones with gateways, two transit switches and a router on one or both of them in each zone."""
    for zone in h.zones:
        options = {"ic-route-adv": h.mostly("true"), "ic-route-learn": h.mostly("true")}
        named = (*topology.zone_name(zone.name), *topology.zone_options(options))
        yield Action("name the zone", f"{zone.name}/NB", named, alone=False, needed=True)
        yield from (chassis.add_chassis(h, zone) for _ in range(h.random.randint(1, 2)))
    for name in SWITCHES[:2]:
        yield switches.add_switch_named(h, name)
    for zone in h.zones:
        for switch in h.random.sample(SWITCHES[:2], h.random.randint(1, 2)):
            yield ports.add_router(h, zone)
            yield ports.attach_to(h, zone, list(zone.routers.values())[-1], switch)
            yield routes.add_lan_to(h, zone, list(zone.routers.values())[-1])
        claimed = ports.claim_gateway(h, zone)
        if claimed:
            yield claimed
