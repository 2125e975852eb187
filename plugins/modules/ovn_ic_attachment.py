#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_attachment
short_description: Attach a router of a zone to a transit switch
version_added: 0.1.0
description:
  - Creates, changes and removes, in one transaction of the zone's northbound database, the router port, its gateways, and the port of
    type C(router) on the zone's switch that stands for the transit switch.
  - An attachment is identified by its router and transit switch, that is, by the ports that link them and not by the names of the ports.
    It is found whatever the names of its ports are and whoever created them. Other objects are not changed.
  - If one of the two ports is missing, O(state=present) creates it, and O(state=absent) removes the other one. The remaining port is
    recognized by its name. A renamed router port is also recognized by its gateways, its addresses or its network.
  - If the sync daemon of the zone has not created that switch yet, the module creates it in the same way, if O(ic_nb_db) is given and
    has the transit switch.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
options:
  router:
    description: The name of the logical router. It must exist, unless O(state=absent).
    type: str
    required: true
  transit_switch:
    description: The name of the transit switch.
    type: str
    required: true
  state:
    description:
      - Whether the router should be attached. V(absent) removes both ports and the gateways, whatever their names are; the switch stays.
      - If O(port) or O(switch_port) is given, V(absent) removes only an attachment whose port has that name. Another attachment of the
        router to the transit switch is not changed, and the module warns about it.
    type: str
    choices: [present, absent]
    default: present
  port:
    description:
      - The name of the router port. The router port of an existing attachment is renamed in place. References to it by name (the
        switch port, static routes, BFD sessions and static MAC bindings) are updated in the same transaction.
      - If omitted, an existing router port keeps its name, and a new one is named after router and transit switch, as in C(lr1-ts1).
      - If the router has several attachments to the transit switch, O(port) or O(switch_port) selects one.
    type: str
  switch_port:
    description:
      - The name of the switch port. It must be unique across all zones. The switch port of an existing attachment is renamed in place.
      - If omitted, an existing switch port keeps its name, and a new one is named after transit switch, zone and router, as in
        C(ts1-az1-lr1). The name of the zone is omitted while the zone has none (see M(ovn.interconnect.ovn_ic_az)).
      - If O(ic_sb_db) is given, a new name is rejected if another zone has published a port of that name. For an existing port with such a
        name, the module returns a warning.
    type: str
  mac:
    description: The MAC of the router port. Required to create it.
    type: str
  networks:
    description:
      - The addresses of the router port with their prefix lengths. Required to create it.
      - If O(ic_nb_db) is given and the transit switch has subnets (see M(ovn.interconnect.ovn_ic_transit_switch)), the addresses must lie
        in these subnets and have their prefix lengths. Otherwise, they must have the prefix lengths of the other ports.
      - No other port of the transit switch may have the same addresses, and no other port of the router may have an overlapping network.
      - If O(ic_sb_db) is given, the ports of other zones are read from IC_SB, which contains them even while a sync daemon is stopped.
      - Addresses that no router port can have are rejected, such as network, broadcast, multicast, loopback and link-local addresses.
    type: list
    elements: str
  gateways:
    description:
      - The chassis that may be the gateway of the router port. An empty list removes all.
      - If O(sb_db) is given, they must be chassis of the zone that are gateways of the interconnect (M(ovn.interconnect.ovn_ic_gateway)).
      - A port that used an HA chassis group no longer uses it.
    type: list
    elements: dict
    suboptions:
      chassis:
        description: The name of the chassis, its system-id.
        type: str
        required: true
      priority:
        description: The available chassis with the highest priority is the gateway. From 0 to 32767.
        type: int
        default: 0
  ha_chassis_group:
    description:
      - The HA chassis group whose chassis may be the gateway of the router port, instead of O(gateways). Several ports can share a group.
      - A port that had its own gateways loses them.
      - A group that this module created is removed with the last port that uses it; a group that already existed is kept.
    type: dict
    suboptions:
      name:
        description: The name of the group. It is created if it does not exist.
        type: str
        required: true
      chassis:
        description:
          - The chassis of the group; others are removed from it. If omitted, an existing group is not changed.
          - If O(sb_db) is given, they must be chassis of the zone that are gateways of the interconnect.
        type: list
        elements: dict
        suboptions:
          chassis:
            description: The name of the chassis, its system-id.
            type: str
            required: true
          priority:
            description: The available chassis with the highest priority is the gateway. From 0 to 32767.
            type: int
            default: 0
notes:
  - O(sb_db), O(ic_nb_db) and O(ic_sb_db) are optional here.
  - Matches of policies and access control lists that contain the name of a renamed port are not changed.
seealso:
  - module: ovn.interconnect.ovn_ic_transit_switch
  - module: ovn.interconnect.ovn_ic_gateway
"""

EXAMPLES = r"""
- name: Attach a router
  ovn.interconnect.ovn_ic_attachment:
    router: lr1
    transit_switch: ts1
    mac: aa:aa:aa:aa:aa:01
    networks:
      - 169.254.100.1/24
    gateways:
      - chassis: az1-gw1
        priority: 20
      - chassis: az1-gw2
        priority: 10
    ic_nb_db: tcp:192.0.2.10:6645
    sb_db: unix:/var/run/ovn/ovnsb_db.sock

- name: Change its gateway, and keep everything else
  ovn.interconnect.ovn_ic_attachment:
    router: lr1
    transit_switch: ts1
    gateways:
      - chassis: az1-gw2

- name: Use the gateways of a group that other ports share
  ovn.interconnect.ovn_ic_attachment:
    router: lr1
    transit_switch: ts1
    ha_chassis_group:
      name: edge
      chassis:
        - chassis: az1-gw1
          priority: 20
        - chassis: az1-gw2
          priority: 10

- name: Rename its switch port in place, because another zone has a port of that name
  ovn.interconnect.ovn_ic_attachment:
    router: lr1
    transit_switch: ts1
    switch_port: ts1-az1-uplink

- name: Detach it
  ovn.interconnect.ovn_ic_attachment:
    router: lr1
    transit_switch: ts1
    state: absent

- name: Set the connections once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      nb_db: tcp:192.0.2.11:6641
      sb_db: tcp:192.0.2.11:6642
      ic_nb_db: tcp:192.0.2.10:6645
  tasks:
    - name: Attach a router
      ovn.interconnect.ovn_ic_attachment:
        router: lr1
        transit_switch: ts1
        mac: aa:aa:aa:aa:aa:01
        networks:
          - 169.254.100.1/24
        gateways:
          - chassis: az1-gw1
            priority: 20
"""

RETURN = r"""
attachment:
  description: The attachment afterwards; empty if there is none.
  returned: success
  type: dict
  sample:
    router: lr1
    transit_switch: ts1
    port: lr1-ts1
    port_uuid: 6f8a2d6a-9a3e-4f5b-8f0b-3c1e2f4a5b6c
    switch_port: ts1-az1-lr1
    switch_port_uuid: 0b1c2d3e-4f5a-4b6c-8d7e-9f0a1b2c3d4e
    mac: aa:aa:aa:aa:aa:01
    networks: [169.254.100.1/24]
    gateways:
      - {chassis: az1-gw1, priority: 20}
    ha_chassis_group: {}
changes:
  description:
    - The rows that were changed, or would be in check mode, each with its reason.
    - Each value is the complete value of the column. Other rows are shown by name. A switch or router is left out if only its list of ports
      or routes changes and these are listed themselves.
  returned: success
  type: list
  elements: dict
  sample:
    - database: OVN_Northbound
      table: Logical_Router_Port
      record: lr1-ts1
      action: update
      columns: {networks: [169.254.100.1/24]}
      reason: the options differ
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import effects
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.attachment import (
    GLOBAL,
    NORTH,
    SHARED,
    SOUTH,
    Attachment,
    narrow,
    widen,
)
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, SB

GATEWAY = {"chassis": {"type": "str", "required": True}, "priority": {"type": "int", "default": 0}}
OPTIONS: dict[str, Any] = {
    "router": {"type": "str", "required": True},
    "transit_switch": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "port": {"type": "str"},
    "switch_port": {"type": "str"},
    "mac": {"type": "str"},
    "networks": {"type": "list", "elements": "str"},
    "gateways": {"type": "list", "elements": "dict", "options": GATEWAY},
    "ha_chassis_group": {
        "type": "dict",
        "options": {"name": {"type": "str", "required": True}, "chassis": {"type": "list", "elements": "dict", "options": GATEWAY}},
    },
}
CONSTRAINTS = {"mutually_exclusive": [["gateways", "ha_chassis_group"]]}


def desired(params: Params, stores: Stores) -> list[Change]:
    """The Changes that attach the router, or detach it."""
    attachment = Attachment(params, stores)
    return list(attachment.make() if params["state"] == "present" else attachment.withdraw())


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The present attachment."""
    return {"attachment": Attachment(params, stores).describe()}


def warn(params: Params, stores: Stores) -> list[str]:
    """Why the attachment has no effect in other zones, as far as the given databases show; or which attachment was not
    removed.
    """
    attachment = Attachment(params, stores)
    if params["state"] != "present":
        return list(filter(None, [attachment.remaining()]))
    collision, (port, switch_port) = attachment.collision(), attachment.links.link
    if collision is not None or port is None or switch_port is None:
        return [] if collision is None else [collision]
    return list(effects.of_attachment(attachment.zone, switch_port, port))


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    verb, word = ("Attaching", "to") if params["state"] == "present" else ("Detaching", "from")
    return f"{verb} router {params['router']!r} {word} transit switch {params['transit_switch']!r}"


def main() -> None:
    """Run the module."""
    run(
        Declaration(
            OPTIONS,
            [NORTH],
            desired,
            describe,
            doing,
            optional=[SOUTH, GLOBAL, SHARED],
            only_read=[SB, IC_NB, IC_SB],
            narrow=narrow,
            widen=widen,
            once=True,
            warn=warn,
            constraints=CONSTRAINTS,
        )
    )


if __name__ == "__main__":
    main()
