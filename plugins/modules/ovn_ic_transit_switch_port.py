#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_transit_switch_port
short_description: Manage a port of a transit switch of an OVN interconnect
version_added: 0.1.0
description:
  - Creates, changes and removes one port of a transit switch in the global northbound database (IC_NB).
  - The sync daemons create a logical switch port for it in every zone, of its own type where its chassis is, and C(remote) elsewhere.
  - Needs an IC_NB with schema version 1.4.0 (OVN 26.09) or newer. Routers exchange routes through the ports of
    M(ovn.interconnect.ovn_ic_attachment), which every version supports.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
  - ovn.interconnect.columns.other_config
  - ovn.interconnect.columns.external_ids
options:
  name:
    description: The name of the port, unique in the interconnect.
    type: str
    required: true
  transit_switch:
    description:
      - The transit switch to which the port belongs. Needed with O(state=present).
      - A port of another transit switch is moved.
    type: str
  state:
    description: Whether the port should exist.
    type: str
    choices: [present, absent]
    default: present
  type:
    description:
      - The type of the logical switch port where the port is local, such as V(router). Empty for a port of a virtual machine.
      - A type that OVN does not support is rejected.
    type: str
  chassis:
    description:
      - The name of the chassis that the port is bound to; the zone of that chassis owns it.
      - Empty for a port that is local in every zone.
    type: str
  peer:
    description: The name of the port at the other end; of a port of type V(router) the router port. Empty for none.
    type: str
  addresses:
    description:
      - All addresses of the port. Each is a MAC address, followed by its IP addresses after spaces; or V(router), V(unknown), V(dynamic).
      - An IP address or MAC that another port of the transit switch has is rejected. If O(ic_sb_db) is given, the ports that zones have
        published are checked too.
      - Addresses that no port can have are rejected, such as multicast and loopback addresses. If the transit switch has subnets (see
        M(ovn.interconnect.ovn_ic_transit_switch)), so are addresses outside them and their network and broadcast addresses.
      - An empty list removes all.
    type: list
    elements: str
seealso:
  - module: ovn.interconnect.ovn_ic_transit_switch
  - module: ovn.interconnect.ovn_ic_attachment
"""

EXAMPLES = r"""
- name: Add a port for a virtual machine to the transit switch
  ovn.interconnect.ovn_ic_transit_switch_port:
    name: vm1
    transit_switch: ts1
    chassis: az1-hv1
    addresses:
      - aa:aa:aa:00:00:01 169.254.100.101
    ic_nb_db: tcp:192.0.2.10:6645

- name: Move it to another chassis
  ovn.interconnect.ovn_ic_transit_switch_port:
    name: vm1
    transit_switch: ts1
    chassis: az2-hv1

- name: Remove it
  ovn.interconnect.ovn_ic_transit_switch_port:
    name: vm1
    state: absent

- name: Set the connection once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: tcp:192.0.2.10:6645
  tasks:
    - name: Add a port for a virtual machine to the transit switch
      ovn.interconnect.ovn_ic_transit_switch_port:
        name: vm1
        transit_switch: ts1
"""

RETURN = r"""
transit_switch_port:
  description: The port afterwards, empty if it does not exist.
  returned: success
  type: dict
  sample:
    name: vm1
    uuid: 5f5ac9a7-0a3b-4c5e-9d1f-4bb2c1d2ce0a
    transit_switch: ts1
    type: ""
    chassis: az1-hv1
    peer: ""
    addresses: [aa:aa:aa:00:00:01 169.254.100.101]
    other_config: {}
    external_ids: {}
changes:
  description:
    - The rows that were changed, or would be in check mode, each with its reason.
    - Each value is the complete value of the column. Other rows are shown by name. A switch or router is left out if only its list of ports
      or routes changes and these are listed themselves.
  returned: success
  type: list
  elements: dict
  sample:
    - database: OVN_IC_Northbound
      table: Transit_Switch_Port
      record: vm1
      action: update
      columns: {chassis: az2-hv1}
      reason: the options differ
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.arguments import map_options
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, run
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.port_addressing import narrow, switch_port_addresses, widen
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.transit_objects import MAPS, doing
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.transit_ports import (
    OF_SWITCH,
    holder_of,
    make_port,
    remove_port,
    require,
    view,
)
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import effects, usage
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.option_checks import checked_name, present_name
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import declare, extended
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB

DATABASE = declare(
    IC_NB,
    {
        "Transit_Switch": "name ports:refs external_ids:map",
        "Transit_Switch_Port": "name type chassis peer addresses:strs other_config:map external_ids:map",
        "Transit_Router_Port": "name",
    },
)

GLOBAL = extended(usage.GLOBAL, {"Gateway": "name"})
#: Types of logical switch ports that a port of IC_NB can have.
TYPES = ("router", "switch", "localnet", "localport", "l2gateway", "vtep", "external", "virtual")
NAMES = ("chassis", "peer")

OPTIONS: dict[str, Any] = {
    **OF_SWITCH.options,
    "type": {"type": "str"},
    "peer": {"type": "str"},
    "addresses": {"type": "list", "elements": "str"},
    **map_options(*MAPS),
}


def _type(given: str | None) -> str | None:
    """The desired type. Raises ModuleError for one that ovn-northd does not support, with which the port would have no
    effect.
    """
    if given == "remote":
        raise ModuleError(
            "type is 'remote', which the daemons set in other zones; set the type that the port has in the zone where it is local"
        )
    if given and given not in TYPES:
        raise ModuleError(
            f"type is {given!r}, which OVN does not support; set it to one of {', '.join(TYPES)}, or to an empty text for a VIF"
        )
    return given


def desired(params: Params, stores: Stores) -> list[Change]:
    """The Changes of the port and its transit switch."""
    store = stores[IC_NB]
    require(store, "Transit_Switch_Port", "ports of transit switches", "1.4.0", "26.09")
    name = present_name(params["name"], "name", params["state"])
    if params["state"] == "absent":
        return remove_port(store, OF_SWITCH, name)
    columns: dict[str, Any] = {column: checked_name(params[column], column) if params[column] else params[column] for column in NAMES}
    columns["type"] = _type(params["type"])
    switch = holder_of(params, store, OF_SWITCH, name)
    columns["addresses"] = switch_port_addresses(params, stores, switch, name)
    maps = {column: (params[column], params[f"purge_{column}"]) for column in MAPS}
    return make_port(store, OF_SWITCH, switch, name, columns, maps)


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The port."""
    return {"transit_switch_port": view(stores[IC_NB], OF_SWITCH, params["name"])}


def warn(params: Params, stores: Stores) -> list[str]:
    """Why no zone creates the port, as far as IC_SB shows it."""
    wanted = params["state"] == "present" and IC_SB in stores
    return list(effects.of_chassis(params["chassis"] or "", stores[IC_SB])) if wanted else []


def main() -> None:
    """Run the module."""
    constraints = {"required_if": [("state", "present", ["transit_switch"])]}
    run(
        Declaration(
            OPTIONS,
            [DATABASE],
            desired,
            describe,
            doing("transit switch port"),
            optional=[GLOBAL],
            only_read=[IC_SB],
            narrow=narrow,
            widen=widen,
            warn=warn,
            constraints=constraints,
        )
    )


if __name__ == "__main__":
    main()
