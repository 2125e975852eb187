#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_doctor_info
short_description: Find what is wrong with an OVN interconnect
version_added: 0.1.0
description:
  - Looks for what every database accepts and nobody reports, and what leaves packets without a way or zones out of step.
  - Changes nothing, and does not fail where something is found; see RV(healthy).
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.facts
  - ovn.interconnect.connection
options:
  checks:
    description:
      - What is looked for.
      - V(addresses), a MAC or IP address that two ports on one transit switch have.
      - V(chassis), chassis of the zone of O(nb_db) and O(sb_db) with the name or the tunnel address of another zone's gateway; only where
        both are given.
      - V(duplicate_keys), datapaths that share a tunnel key.
      - V(gateways), ports without a gateway, or with one that is no gateway of the interconnect.
      - V(overlaps), connected networks of different zones of which one lies in the other.
      - V(same_names), transit switches and transit routers that share a name.
      - V(zones), zones that have not confirmed the newest request (OVN 24.03), or have no gateway.
    type: list
    elements: str
    choices: [addresses, chassis, duplicate_keys, gateways, overlaps, same_names, zones]
    default: [addresses, chassis, duplicate_keys, gateways, overlaps, same_names, zones]
notes:
  - O(nb_db) and O(sb_db) are optional here.
seealso:
  - module: ovn.interconnect.ovn_ic_info
  - module: ovn.interconnect.ovn_ic_route_info
"""

EXAMPLES = r"""
- name: Look the interconnect over
  ovn.interconnect.ovn_ic_doctor_info:
    ic_nb_db: tcp:192.0.2.10:6645
    ic_sb_db: tcp:192.0.2.10:6646
  register: doctor

- name: Stop where something is wrong
  ansible.builtin.assert:
    that: doctor.healthy
    fail_msg: "{{ doctor.findings | map(attribute='finding') | join('; ') }}"

- name: Set the connections once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: tcp:192.0.2.10:6645
      ic_sb_db: tcp:192.0.2.10:6646
  tasks:
    - name: Look for overlapping networks only
      ovn.interconnect.ovn_ic_doctor_info:
        checks:
          - overlaps
"""

RETURN = r"""
healthy:
  description: Whether nothing was found.
  returned: success
  type: bool
  sample: false
findings:
  description: What was found, each with what to do about it.
  returned: success
  type: list
  elements: dict
  sample:
    - check: overlaps
      record: 10.0.1.0/24 on ts1
      finding: it lies in 10.0.0.0/16, and zones az1 and az2 have these networks; deny one, or renumber
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible import doctor
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, nothing, run

OPTIONS: dict[str, Any] = {
    "checks": {"type": "list", "elements": "str", "choices": sorted(doctor.CHECKS), "default": sorted(doctor.CHECKS)},
}


def doing(params: Params) -> str:
    """What the module is about."""
    return "Looking the interconnect over"


def main() -> None:
    """Run the module."""
    needed = [doctor.GLOBAL_NORTH, doctor.GLOBAL_SOUTH]
    run(Declaration(OPTIONS, needed, nothing, doctor.describe, doing, optional=[doctor.NORTH, doctor.SOUTH]))


if __name__ == "__main__":
    main()
