#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_zone_info
short_description: Verify that a zone takes part in an OVN interconnect
version_added: 0.2.0
description:
  - Waits until the zone is registered in IC_SB, has the tunnel keys of IC_SB, and has learned the expected routes.
  - Fails with the first thing that is missing after O(wait_timeout), and for a route with the reason why it is not learned.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.facts
  - ovn.interconnect.connection
attributes:
  check_mode:
    description: Reports whether something is missing, without waiting or failing.
    support: full
options:
  zone:
    description: The name that the zone has to have. If omitted, any name is accepted.
    type: str
  transit_switches:
    description: The names of the transit switches whose tunnel keys, and those of their ports, have to be the same in SB and IC_SB.
    type: list
    elements: str
    default: []
  routes:
    description: The routes that the zone has to learn.
    type: list
    elements: dict
    default: []
    suboptions:
      router:
        description: The name of the router.
        type: str
        required: true
      prefix:
        description: The network of the route.
        type: str
        required: true
  wait_timeout:
    description: Seconds to wait.
    type: int
    default: 60
seealso:
  - module: ovn.interconnect.ovn_ic_route_info
  - module: ovn.interconnect.ovn_ic_wait
"""

EXAMPLES = r"""
- name: Wait until router edge has learned the network of another zone
  ovn.interconnect.ovn_ic_zone_info:
    transit_switches: [ts1]
    routes:
      - router: edge
        prefix: 10.0.2.0/24
    ic_nb_db: tcp:192.0.2.10:6645
    ic_sb_db: tcp:192.0.2.10:6646

- name: Set the connections once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: tcp:192.0.2.10:6645
      ic_sb_db: tcp:192.0.2.10:6646
  tasks:
    - name: Verify the registration only
      ovn.interconnect.ovn_ic_zone_info:
"""

RETURN = r"""
zone:
  description: The name of the zone.
  returned: success
  type: str
  sample: az1
tunnel_keys:
  description: The tunnel keys of the transit switches in IC_SB.
  returned: success
  type: dict
  sample: {ts1: 16711681}
complete:
  description: Whether nothing is missing. Can be false in check mode only.
  returned: success
  type: bool
  sample: true
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, nothing, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import zone_state
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.option_checks import checked_prefix

_ROUTE: dict[str, Any] = {"router": {"type": "str", "required": True}, "prefix": {"type": "str", "required": True}}
OPTIONS: dict[str, Any] = {
    "zone": {"type": "str"},
    "transit_switches": {"type": "list", "elements": "str", "default": []},
    "routes": {"type": "list", "elements": "dict", "default": [], "options": _ROUTE},
    "wait_timeout": {"type": "int", "default": 60},
}


def check(params: Params) -> None:
    """Reject routes whose prefix is not a network."""
    for route in params["routes"]:
        checked_prefix(route["prefix"], "prefix", "10.0.1.0/24")


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return "Verifying the zone"


def main() -> None:
    """Run the module."""
    state = zone_state
    run(Declaration(OPTIONS, state.READ, nothing, state.describe, doing, awaited=state.awaited, narrow=state.narrow, check=check))


if __name__ == "__main__":
    main()
