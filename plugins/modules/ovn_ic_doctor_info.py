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
      - The IDs of the checks to run, such as V(duplicate-ip). Omit it to run all checks.
      - The page docs/doctor.md of the collection describes each check.
    type: list
    elements: str
  control_socket:
    description:
      - The path of the control socket of the zone's sync daemon on this host, such as C(/var/run/ovn/ovn-ic.ctl).
      - Without it, the checks of the daemon are skipped; see RV(not_checked).
    type: path
  server_sockets:
    description:
      - The paths of the control sockets of database servers on this host, such as C(/var/run/ovn/ovnnb_db.ctl).
      - Without it, the checks of clusters are skipped; see RV(not_checked).
    type: list
    elements: path
notes:
  - O(nb_db) and O(sb_db) are optional here. Checks that need them are skipped without them; see RV(not_checked).
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
    control_socket: /var/run/ovn/ovn-ic.ctl

- name: Fail if there are faults
  ansible.builtin.assert:
    that: doctor.healthy
    fail_msg: "{{ doctor.findings | map(attribute='cause') | join('; ') }}"

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
          - network-in-two-zones
          - network-on-two-routers
"""

RETURN = r"""
healthy:
  description: Whether something was checked and no fault was found. False if nothing could be checked, as in an empty interconnect.
  returned: success
  type: bool
  sample: false
findings:
  description:
    - The faults, each with the ID of its check, its severity (V(error) or V(warning)), the object, the cause, and what to do (C(fix)).
    - C(link) is the section of the guide about the check.
  returned: success
  type: list
  elements: dict
  sample:
    - check: network-in-two-zones
      severity: error
      object: 10.0.1.0/24 on ts1
      cause: it lies in 10.0.0.0/16, and the zones az1 and az2 have these networks
      fix: deny one of them with ovn_ic_route_policy, or renumber it
      link: docs/doctor.md#network-in-two-zones
checked:
  description: The IDs of the checks that were carried out.
  returned: success
  type: list
  elements: str
  sample: [duplicate-datapath-key, duplicate-ip, duplicate-mac, zone-behind]
not_checked:
  description: The other checks, each with the reason why it was skipped.
  returned: success
  type: list
  elements: dict
  sample:
    - check: chassis-name-taken
      reason: nb_db and sb_db of a zone are not given
"""

from difflib import get_close_matches
from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.doctor_facts import gather
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, nothing, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import doctor
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError

OPTIONS: dict[str, Any] = {
    "checks": {"type": "list", "elements": "str"},
    "control_socket": {"type": "path"},
    "server_sockets": {"type": "list", "elements": "path"},
}


def check(params: Params) -> None:
    """Reject an empty list of checks, which would find nothing, and IDs that do not exist."""
    wanted = params["checks"]
    if wanted is not None and not wanted:
        raise ModuleError("checks is an empty list, so nothing would be checked; omit it for all checks, or name some")
    for name in wanted or ():
        if name not in doctor.CHECKS:
            similar = get_close_matches(name, doctor.CHECKS, 3)
            advice = f"write {' or '.join(similar)}" if similar else "docs/doctor.md lists the checks"
            raise ModuleError(f"checks has {name!r}, which is not the ID of a check; {advice}")


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The result of the module."""
    return doctor.describe(params["checks"] or doctor.CHECKS, stores, gather(params))


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return "Checking the interconnect"


def main() -> None:
    """Run the module."""
    needed, optional = [doctor.GLOBAL_NORTH, doctor.GLOBAL_SOUTH], [doctor.NORTH, doctor.SOUTH]
    run(Declaration(OPTIONS, needed, nothing, describe, doing, optional=optional, narrow=doctor.narrow, check=check))


if __name__ == "__main__":
    main()
