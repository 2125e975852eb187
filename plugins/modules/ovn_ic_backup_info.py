#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_backup_info
short_description: Read the contents of a backup of a global database
version_added: 0.1.0
description:
  - Reads a standalone database file, such as M(ovn.interconnect.ovn_ic_backup) writes, without a server.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.facts
  - ovn.interconnect.connection
  - ovn.interconnect.files
options:
  file:
    description: The file, on the host that runs the module.
    type: path
    required: true
seealso:
  - module: ovn.interconnect.ovn_ic_backup
"""

EXAMPLES = r"""
- name: Read a backup
  ovn.interconnect.ovn_ic_backup_info:
    file: /var/backups/ic-nb.db
  register: backup

- name: Fail if it has no transit switches
  ansible.builtin.assert:
    that: backup.rows.Transit_Switch | default(0) > 0

- name: Set the options once for all modules of a play
  hosts: databases
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      timeout: 30
  tasks:
    - name: Read a backup of IC_SB
      ovn.interconnect.ovn_ic_backup_info:
        file: /var/backups/ic-sb.db
"""

RETURN = r"""
database:
  description: The name of the database.
  returned: success
  type: str
  sample: OVN_IC_Southbound
schema_version:
  description: The version of its schema.
  returned: success
  type: str
  sample: 1.1.1
rows:
  description: The number of rows of each table that has any.
  returned: success
  type: dict
  sample: {Availability_Zone: 2, Gateway: 4, IC_SB_Global: 1}
newest_request:
  description: The largest of the counters that zones compare (OVN 24.03), 0 if there are none.
  returned: success
  type: int
  sample: 17
tunnel_keys:
  description: The tunnel keys of the datapaths, by transit switch or router; empty for IC_NB.
  returned: success
  type: dict
  sample: {ts1: 16711683}
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.cluster import Params, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.file_contents import described, read

OPTIONS: dict[str, Any] = {"file": {"type": "path", "required": True}}


def work(params: Params, _check_mode: bool) -> dict[str, Any]:
    """Describe the contents of the file."""
    return {"changed": False, **described(read(params["file"]))}


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return f"Reading {params['file']}"


def main() -> None:
    """Run the module."""
    run(OPTIONS, doing, work)


if __name__ == "__main__":
    main()
