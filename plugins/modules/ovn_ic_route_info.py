#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_route_info
short_description: Explain why routes of an OVN interconnect are exchanged or not
version_added: 0.1.0
description:
  - Reports for each route that this zone could advertise whether it is advertised, and for each route that other zones advertise whether a
    router of this zone learns it. If not, the reason is reported.
  - The module uses the decisions of the sync engine itself. Upstream's daemon decides by the same rules, apart from its quirks.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.facts
  - ovn.interconnect.connection
options:
  prefix:
    description:
      - A network or an address. Only routes that cover all of it are considered.
      - A large interconnect has a hundred thousand routes or more, so set this if possible.
    type: str
  router:
    description: The name of a router. Only what it advertises and learns is considered, and why it learns nothing from a transit switch.
    type: str
  transit_switch:
    description: The name of a transit switch. Only routes on it are considered.
    type: str
seealso:
  - module: ovn.interconnect.ovn_ic_info
  - module: ovn.interconnect.ovn_ic_route_policy
"""

EXAMPLES = r"""
- name: Find out why 10.0.2.10 is not reachable from router lr1
  ovn.interconnect.ovn_ic_route_info:
    prefix: 10.0.2.10
    router: lr1
    ic_nb_db: tcp:192.0.2.10:6645
    ic_sb_db: tcp:192.0.2.10:6646
  register: answer

- name: Show the reasons
  ansible.builtin.debug:
    msg: "{{ answer.learned | map(attribute='reason') }}"

- name: Set the connections once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: tcp:192.0.2.10:6645
      ic_sb_db: tcp:192.0.2.10:6646
  tasks:
    - name: Explain all routes on one transit switch
      ovn.interconnect.ovn_ic_route_info:
        transit_switch: ts1
"""

RETURN = r"""
ports:
  description: The zone's ports on transit switches, each with whether its router exchanges routes through it, and why not.
  returned: success
  type: list
  elements: dict
  sample:
    - port: ts1-lr1
      transit_switch: ts1
      router: lr1
      address: aa:aa:aa:aa:aa:01 169.254.100.1/24
      gateway: az1-gw1
      takes_part: true
      reason: ""
      caveats: []
advertised:
  description:
    - What the zone could advertise, for each port, with whether it does (C(accepted)), and why not.
    - C(caveats) of an advertised route say why packets do not arrive over it, such as a port that no gateway hosts.
    - Learned routes, which are not advertised again, are included if O(prefix) is given.
  returned: success
  type: list
  elements: dict
  sample:
    - prefix: 10.0.1.1/24
      next_hop: 169.254.100.1
      router: lr1
      transit_switch: ts1
      port: ts1-lr1
      route_table: ""
      source: router port
      accepted: false
      reason: ic-route-adv is off
      caveats: []
learned:
  description:
    - What other routers advertise, for each router of the zone, with whether it is learned (C(accepted)), and why not.
    - C(caveats) of a learned route say why it is not used or leads nowhere, such as the router's own network, its own static route
      to the same network, or a next hop that no gateway hosts.
  returned: success
  type: list
  elements: dict
  sample:
    - prefix: 10.0.2.1/24
      next_hop: 169.254.100.2
      router: lr1
      transit_switch: ts1
      zone: az2
      route_table: ""
      accepted: true
      reason: ""
      caveats:
        - no gateway holds port backbone-az2-lr2 on ts1, so other zones cannot send packets to it
peers:
  description:
    - The ports of other zones on the transit switches concerned, each with the number of routes that its router advertises there, and the
      first cause that IC_SB shows if it does not participate as expected (C(reason)).
  returned: success
  type: list
  elements: dict
  sample:
    - port: backbone-az2-lr2
      zone: az2
      transit_switch: ts1
      address: ""
      gateway: ""
      routes: 0
      reason: >-
        no router is behind the port: its router in zone az2 is disabled, or options:router-port names no router port
answer:
  description:
    - The conclusions about O(prefix), one sentence for each route. If no route leads there, they name the nearest prefixes
      and what the ports of other zones show.
  returned: success
  type: list
  elements: str
  sample:
    - no zone advertises a route to 10.0.9.0/24 on ts1
    - the nearest prefixes are 10.0.2.0/24 of zone az2 on ts1
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, nothing, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import explain

OPTIONS: dict[str, Any] = {"prefix": {"type": "str"}, "router": {"type": "str"}, "transit_switch": {"type": "str"}}


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return "Explaining routes"


def main() -> None:
    """Run the module."""
    run(Declaration(OPTIONS, explain.READ, nothing, explain.describe, doing, narrow=explain.narrow, check=explain.check))


if __name__ == "__main__":
    main()
