#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_info
short_description: Read the contents of an OVN interconnect
version_added: 0.1.0
description:
  - Reads the zones, gateways, datapaths, ports and routes of an interconnect from its two global databases (IC_NB, IC_SB), and which zones
    have not confirmed the newest request.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.facts
  - ovn.interconnect.connection
options:
  gather:
    description:
      - What to read in addition to the transit switches, the zones and the counters. Anything else is an empty list in the result.
      - A large interconnect has a hundred thousand routes or more.
    type: list
    elements: str
    choices: [datapaths, gateways, ports, routes]
    default: [datapaths, gateways, ports, routes]
seealso:
  - module: ovn.interconnect.ovn_ic_route_info
  - module: ovn.interconnect.ovn_ic_wait
"""

EXAMPLES = r"""
- name: Read the interconnect
  ovn.interconnect.ovn_ic_info:
    ic_nb_db: tcp:192.0.2.10:6645
    ic_sb_db: tcp:192.0.2.10:6646
  register: interconnect

- name: Show the routes of zone az1
  ansible.builtin.debug:
    msg: "{{ interconnect.routes | selectattr('zone', 'eq', 'az1') }}"

- name: Set the connections once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: tcp:192.0.2.10:6645
      ic_sb_db: tcp:192.0.2.10:6646
  tasks:
    - name: Read the zones only
      ovn.interconnect.ovn_ic_info:
        gather: []
"""

RETURN = r"""
zones:
  description: The registered zones, by name, each with the newest request that it has confirmed (V(null) where the schema has no counters).
  returned: success
  type: list
  elements: dict
  sample:
    - {name: az1, uuid: 0f3d38f1-6a39-4b52-9d1e-6c0f0c8a27c4, confirmed: 7}
gateways:
  description: The gateways of all zones.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: az1-gw1, zone: az1, hostname: gw1.example.net, encaps: [{type: geneve, ip: 192.0.2.21}]}
datapaths:
  description: The datapaths of transit switches and transit routers, with their tunnel keys.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: ts1, type: transit-switch, tunnel_key: 16711682}
ports:
  description: The ports on transit switches and transit routers.
  returned: success
  type: list
  elements: dict
  sample:
    - name: ts1-lr1
      zone: az1
      transit_switch: ts1
      type: transit-switch-port
      address: aa:aa:aa:aa:aa:01 169.254.100.1/24
      gateway: az1-gw1
      tunnel_key: 1
      router_id: 7c6cbd23-6a38-4b5f-a34f-64a8a21e5d62
routes:
  description: The routes that zones advertise.
  returned: success
  type: list
  elements: dict
  sample:
    - prefix: 10.0.1.0/24
      next_hop: 169.254.100.1
      zone: az1
      transit_switch: ts1
      route_table: ""
      origin: connected
      router_id: 7c6cbd23-6a38-4b5f-a34f-64a8a21e5d62
transit_switches:
  description: The names of the transit switches.
  returned: success
  type: list
  elements: str
  sample: [ts1]
transit_routers:
  description: The names of the transit routers.
  returned: success
  type: list
  elements: str
  sample: []
counters:
  description: The newest request, and the newest that all zones have confirmed; empty if a schema has no counters (before OVN 24.03).
  returned: success
  type: dict
  sample: {requested: 7, confirmed: 7}
laggards:
  description: The names of zones that have not confirmed the newest request.
  returned: success
  type: list
  elements: str
  sample: []
schema_versions:
  description: The versions of the databases' schemas.
  returned: success
  type: dict
  sample: {OVN_IC_Northbound: 1.4.0, OVN_IC_Southbound: 2.7.0}
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, nothing, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import facts
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.replica import Replica
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_SB

TABLES: Mapping[str, tuple[str, ...]] = {
    "gateways": ("Gateway", "Encap"),
    "datapaths": ("Datapath_Binding",),
    "ports": ("Port_Binding",),
    "routes": ("Route",),
}

OPTIONS: dict[str, Any] = {"gather": {"type": "list", "elements": "str", "choices": sorted(TABLES), "default": sorted(TABLES)}}


def narrow(params: Params, replicas: Mapping[str, Replica]) -> None:
    """Do not read tables that were not asked for."""
    for part, tables in TABLES.items():
        for table in tables if part not in params["gather"] else ():
            replicas[IC_SB].want(table, [False])


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return "Reading the interconnect"


def main() -> None:
    """Run the module."""
    run(Declaration(OPTIONS, [facts.GLOBAL_NORTH, facts.GLOBAL_SOUTH], nothing, facts.describe, doing, narrow=narrow))


if __name__ == "__main__":
    main()
