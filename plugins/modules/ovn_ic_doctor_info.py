#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_doctor_info
short_description: Find faults in an OVN interconnect
version_added: 0.1.0
description:
  - Finds faults that every database accepts and no daemon reports, such as duplicate addresses, gateways without a common tunnel type, or
    networks that exist in two places.
  - Changes nothing, and does not fail if it finds faults; see RV(healthy).
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.facts
  - ovn.interconnect.connection
options:
  checks:
    description:
      - The checks to run. The checks V(chassis), V(policy), V(ports) and V(switches) need O(nb_db) and O(sb_db) of a registered zone, and
        are skipped without them; see RV(not_checked).
      - V(addresses), a MAC or IP address that two ports on one transit switch have.
      - V(chassis), chassis of the zone with the name or the tunnel address of another zone's gateway.
      - V(duplicate_keys), datapaths that share a tunnel key.
      - V(gateways), ports without a gateway, or with one that is not a gateway of the interconnect. The exact cause is found for ports of
        the zone of O(nb_db) and O(sb_db).
      - V(overlaps), connected networks of different zones or routers of which one lies in the other, and static routes into a connected
        network of another zone.
      - V(policy), a zone that does not learn or does not advertise routes where other zones advertise some.
      - V(ports), the zone's ports on transit switches that connect no router to other zones (disabled, renamed, a gateway router, a VIF, a
        name that another zone has published), disabled ports of attached routers, and router ports that no switch port names.
      - V(same_names), transit switches and transit routers that share a name.
      - V(subnets), addresses of ports outside the subnets of their transit switch, network and broadcast addresses, prefix lengths that
        differ, subnets of two transit switches that overlap, a router in one network on two transit switches, and routers with IPv6
        networks and no IPv6 address on a transit switch (of the zone of O(nb_db)).
      - V(switches), transit switches without a logical switch in the zone or with two of their name, and logical switches of transit
        switches that do not exist.
      - V(tunnels), gateways that share no tunnel type and address family with a gateway of another zone, and tunnel addresses that other
        hosts cannot reach, such as loopback and multicast addresses.
      - V(zones), zones that have not confirmed the newest request (OVN 24.03), or have no gateway.
    type: list
    elements: str
    choices: [addresses, chassis, duplicate_keys, gateways, overlaps, policy, ports, same_names, subnets, switches, tunnels, zones]
    default: [addresses, chassis, duplicate_keys, gateways, overlaps, policy, ports, same_names, subnets, switches, tunnels, zones]
notes:
  - O(nb_db) and O(sb_db) are optional here.
seealso:
  - module: ovn.interconnect.ovn_ic_info
  - module: ovn.interconnect.ovn_ic_route_info
"""

EXAMPLES = r"""
- name: Check the interconnect
  ovn.interconnect.ovn_ic_doctor_info:
    ic_nb_db: tcp:192.0.2.10:6645
    ic_sb_db: tcp:192.0.2.10:6646
  register: doctor

- name: Check a zone too, on a host that can connect to its databases
  ovn.interconnect.ovn_ic_doctor_info:
    nb_db: unix:/var/run/ovn/ovnnb_db.sock
    sb_db: unix:/var/run/ovn/ovnsb_db.sock
    ic_nb_db: tcp:192.0.2.10:6645
    ic_sb_db: tcp:192.0.2.10:6646

- name: Fail if there are faults
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
    - name: Check for overlapping networks only
      ovn.interconnect.ovn_ic_doctor_info:
        checks:
          - overlaps
"""

RETURN = r"""
healthy:
  description: Whether something was checked and no fault was found. False if nothing could be checked, as in an empty interconnect.
  returned: success
  type: bool
  sample: false
findings:
  description: The faults, each with what to do about it.
  returned: success
  type: list
  elements: dict
  sample:
    - check: overlaps
      record: 10.0.1.0/24 on ts1
      finding: it lies in 10.0.0.0/16, and zones az1 and az2 have these networks; deny one, or renumber
checked:
  description: The checks that were carried out.
  returned: success
  type: list
  elements: str
  sample: [addresses, duplicate_keys, gateways, overlaps, same_names, subnets, tunnels, zones]
not_checked:
  description: The other checks, each with the reason why it was skipped.
  returned: success
  type: list
  elements: dict
  sample:
    - check: chassis
      reason: nb_db and sb_db of a zone are not given
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, nothing, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import doctor
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError

OPTIONS: dict[str, Any] = {
    "checks": {"type": "list", "elements": "str", "choices": sorted(doctor.CHECKS), "default": sorted(doctor.CHECKS)},
}


def check(params: Params) -> None:
    """Reject an empty list of checks, which would find nothing."""
    if not params["checks"]:
        raise ModuleError(
            "checks is an empty list, so nothing would be checked; omit it for all checks, or name some of "
            f"{', '.join(sorted(doctor.CHECKS))}"
        )


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return "Checking the interconnect"


def main() -> None:
    """Run the module."""
    needed = [doctor.GLOBAL_NORTH, doctor.GLOBAL_SOUTH]
    run(
        Declaration(
            OPTIONS, needed, nothing, doctor.describe, doing, optional=[doctor.NORTH, doctor.SOUTH], narrow=doctor.narrow, check=check
        )
    )


if __name__ == "__main__":
    main()
