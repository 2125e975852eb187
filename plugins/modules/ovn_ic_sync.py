#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_sync
short_description: Synchronize a zone with the interconnect, or show what that would change
version_added: 0.1.0
description:
  - Runs the sync engine of a zone once, with the same code as the daemon.
  - In check mode, it plans everything that would be written, using a copy of the databases in memory, with the reason of each change.
  - If another process, such as the zone's daemon, holds the zone's lock, the module only plans, and returns RV(lock_held_by_other=true).
    The plan then contains what that process has not done yet.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
attributes:
  idempotent:
    support: partial
    details:
      - Other zones, and C(ovn-northd) in this one, react to what was written, which may cause work for the next run.
options:
  wait:
    description: Whether to continue until the zone has nothing left to do for the present contents. If false, only one pass is made.
    type: bool
    default: true
  wait_timeout:
    description: The longest duration of the run, in seconds.
    type: int
    default: 60
seealso:
  - module: ovn.interconnect.ovn_ic_az
"""

EXAMPLES = r"""
- name: Synchronize the zone
  ovn.interconnect.ovn_ic_sync:
    ic_nb_db: tcp:192.0.2.10:6645
    ic_sb_db: tcp:192.0.2.10:6646

- name: Show what would be changed, created and removed
  ovn.interconnect.ovn_ic_sync:
    ic_nb_db: tcp:192.0.2.10:6645
    ic_sb_db: tcp:192.0.2.10:6646
  check_mode: true
  diff: true

- name: Set the connections once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: tcp:192.0.2.10:6645
      ic_sb_db: tcp:192.0.2.10:6646
  tasks:
    - name: Synchronize the zone
      ovn.interconnect.ovn_ic_sync:
        wait_timeout: 300
"""

RETURN = r"""
changes:
  description:
    - The rows that were changed, or would be if this call could write, each with its reason.
    - Each value is the complete value of the column. Other rows are shown by name. A switch or router is left out if only its list of ports
      or routes changes and these are listed themselves.
  returned: success
  type: list
  elements: dict
  sample:
    - database: OVN_Northbound
      table: Logical_Switch
      record: ts1
      action: insert
      columns: {name: ts1, other_config: {interconn-ts: ts1}}
      reason: transit switch ts1 exists in IC_NB
applied:
  description: Whether the changes were written, instead of only planned.
  returned: success
  type: bool
  sample: true
settled:
  description:
    - Whether the zone had nothing left to do at the end.
    - It is V(false) if a server rejected an object. RV(skipped_objects) and a warning name the object and the server's reason.
  returned: success
  type: bool
  sample: true
lock_held_by_other:
  description: Whether another process, such as the zone's daemon, holds the zone's lock.
  returned: success
  type: bool
  sample: false
skipped_objects:
  description: The objects that are skipped, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - subject: zones
      record: az1
      reason: "the name 'az1' is registered by another deployment (it is claimed with another token); set a name that no other zone has"
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.arguments import DEFAULTS, OPTIONS, connection_spec
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Module, Params, conclude, tls_files
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.session import check_remotes
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.synchronization import Recorder, apply, plan
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.client import check_library
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, NB, SB

SPEC: dict[str, Any] = {"wait": {"type": "bool", "default": True}, "wait_timeout": {"type": "int", "default": 60}}


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return "Synchronizing the zone"


def main() -> None:
    """Run the module."""
    module = Module(argument_spec={**connection_spec(), **SPEC}, supports_check_mode=True)
    params: Params = module.params
    recorders: list[Recorder] = []
    remotes = {name: params[OPTIONS[name]] or DEFAULTS[name] for name in (NB, SB, IC_NB, IC_SB)}

    def work() -> dict[str, Any]:
        check_library()
        check_remotes(remotes, tls_files(params))
        tls_files(params).apply()
        if module.check_mode:
            report = plan(remotes, params["timeout"])
        else:
            report = apply(remotes, params["timeout"], params["wait"], params["wait_timeout"], recorders)
        for sentence in report.unwritten:
            module.warn(f"not written: {sentence}")
        return report.as_result(planning=module.check_mode)

    conclude(module, doing, work, recorders)


if __name__ == "__main__":
    main()
