#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_backup
short_description: Save a global database to a file
version_added: 0.1.0
description:
  - Writes a consistent copy of all rows of a running database, standalone or clustered, to a standalone file, and reads the file back.
  - The rows keep their UUIDs, also if a server or a new cluster is started with the file.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
  - ovn.interconnect.files
options:
  database:
    description: The global database, V(ic_nb), at O(ic_nb_db), or V(ic_sb), at O(ic_sb_db).
    type: str
    choices: [ic_nb, ic_sb]
    required: true
  path:
    description: The file, on the host that runs the module. It is not changed if it already contains the same rows.
    type: path
    required: true
  leader_only:
    description: Use only the leader of a cluster, because the contents of another member may be slightly older.
    type: bool
    default: true
seealso:
  - module: ovn.interconnect.ovn_ic_backup_info
  - module: ovn.interconnect.ovn_ic_schema
"""

EXAMPLES = r"""
- name: Save IC_NB
  ovn.interconnect.ovn_ic_backup:
    database: ic_nb
    path: /var/backups/ic-nb.db

- name: Save IC_SB of a cluster
  ovn.interconnect.ovn_ic_backup:
    database: ic_sb
    path: /var/backups/ic-sb.db
    ic_sb_db: tcp:192.0.2.10:6646,tcp:192.0.2.11:6646,tcp:192.0.2.12:6646

- name: Remove the backup
  ansible.builtin.file:
    path: /var/backups/ic-nb.db
    state: absent

- name: Set the connections once for all modules of a play
  hosts: databases
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: tcp:192.0.2.10:6645
  tasks:
    - name: Save IC_NB
      ovn.interconnect.ovn_ic_backup:
        database: ic_nb
        path: /var/backups/ic-nb.db
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

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.arguments import DEFAULTS
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.cluster import CLUSTERS, Params, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.file_contents import tool
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.files import save

OPTIONS: dict[str, Any] = {
    "database": {"type": "str", "choices": sorted(CLUSTERS), "required": True},
    "path": {"type": "path", "required": True},
    "leader_only": {"type": "bool", "default": True},
}


def dump(params: Params) -> str:
    """All rows of the database, as a standalone file."""
    name = CLUSTERS[params["database"]][0]
    files = {"--private-key": params["private_key"], "--certificate": params["certificate"], "--ca-cert": params["ca_cert"]}
    tls = [f"{option}={path}" for option, path in files.items() if path]
    remote = params[f"{params['database']}_db"] or DEFAULTS[name]
    any_member = [] if params["leader_only"] else ["--no-leader-only"]
    return tool("ovsdb-client", "backup", *any_member, *tls, f"--timeout={params['timeout']}", remote, name)


def work(params: Params, check_mode: bool) -> dict[str, Any]:
    """Save the database."""
    return save(lambda: dump(params), CLUSTERS[params["database"]][0], params["path"], check_mode)


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return f"Saving {params['database']} to {params['path']}"


def main() -> None:
    """Run the module."""
    run(OPTIONS, doing, work)


if __name__ == "__main__":
    main()
