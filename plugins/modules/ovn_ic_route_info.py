#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_route_info
short_description: Explain why a prefix is reachable over an OVN interconnect or not
version_added: 0.1.0
description:
  - Answers whether a prefix or an address is reachable from the routers of a zone, why, and what to do if it is not. Without O(prefix) it
    answers for all routes.
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
  zones:
    description:
      - The databases of other zones. Their decisions become part of the verdict and of the path.
      - Without them, only what IC_SB shows of the other zones is known.
    type: list
    elements: dict
    default: []
    suboptions:
      nb_db:
        description: The remote of the zone's OVN_Northbound.
        type: str
        required: true
      sb_db:
        description: The remote of the zone's OVN_Southbound.
        type: str
        required: true
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

- name: Show the verdict
  ansible.builtin.debug:
    msg: "{{ answer.because }}; {{ answer.fix }}"

- name: Include the reasons of the zone that should advertise it
  ovn.interconnect.ovn_ic_route_info:
    prefix: 10.0.2.10
    router: lr1
    ic_nb_db: tcp:192.0.2.10:6645
    ic_sb_db: tcp:192.0.2.10:6646
    zones:
      - nb_db: tcp:192.0.2.21:6641
        sb_db: tcp:192.0.2.21:6642

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
reachable:
  description:
    - Whether the routers concerned have a route to O(prefix) over the interconnect, use it, and packets arrive over it as far as the
      databases show. For a network of the zone itself, whether the other zones have a route to it.
    - Without O(prefix), whether every route of the other zones is learned and used.
  returned: success
  type: bool
  sample: false
because:
  description: The cause of RV(reachable), as one sentence.
  returned: success
  type: str
  sample: "zone az2 does not advertise 10.0.2.1/24 of router lr2 on ts1: ic-route-adv is off"
fix:
  description: What to do about it, empty if there is nothing to do.
  returned: success
  type: str
  sample: turn it on with ovn_ic_route_policy (advertise)
path:
  description:
    - The steps of the routes to O(prefix) through the zones. Empty without O(prefix).
    - C(step) is V(advertise) for a source at a router, V(ic_sb) for a route in IC_SB, and V(learn) for a router that could learn it.
    - C(done) is false if a rule refused it there, with C(reason). It is null for zones whose databases are not given with O(zones).
    - C(wins) says whether the router uses the learned route for O(prefix). If not, C(preferred) names the route that takes precedence.
      C(ecmp) names the routes that are used together with it, and C(faults) why packets do not arrive over it.
  returned: success
  type: list
  elements: dict
  sample:
    - step: learn
      zone: az1
      router: lr1
      transit_switch: ts1
      prefix: 10.0.2.1/24
      next_hop: 169.254.100.2
      route_table: ""
      done: true
      reason: ""
      wins: true
      preferred: ""
      ecmp: []
      faults: []
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
      wins: true
      preferred: ""
      ecmp: []
      faults:
        - no gateway holds port backbone-az2-lr2 on ts1, so other zones cannot send packets to it
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
unread_zones:
  description: Why zones of O(zones) are not part of the answer, for example because they are not registered.
  returned: success
  type: list
  elements: str
  sample: []
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, nothing, run
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.other_zones import read
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import explain

ZONE: dict[str, Any] = {"nb_db": {"type": "str", "required": True}, "sb_db": {"type": "str", "required": True}}
OPTIONS: dict[str, Any] = {
    "prefix": {"type": "str"},
    "router": {"type": "str"},
    "transit_switch": {"type": "str"},
    "zones": {"type": "list", "elements": "dict", "options": ZONE, "default": []},
}


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The result of the module."""
    return explain.describe(params, stores, read(params, explain.READ, explain.narrow))


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return "Explaining routes"


def main() -> None:
    """Run the module."""
    run(Declaration(OPTIONS, explain.READ, nothing, describe, doing, narrow=explain.narrow, check=explain.check))


if __name__ == "__main__":
    main()
