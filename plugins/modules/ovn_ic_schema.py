#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_schema
short_description: Convert a database file to a newer schema without losing a row
version_added: 0.1.0
description:
  - Checks every row of a standalone database file against the unique indexes, types, tables and columns of a schema, converts a copy with
    C(ovsdb-tool), compares all rows, and only then replaces the file with the copy. The original file is kept in the same directory.
  - Contents that the schema does not allow are rejected with the table, the columns, the rows and what to do; nothing is changed then.
  - Check mode does all of this with a copy elsewhere, so that a backup of a running database, also of a cluster, can be tested.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
  - ovn.interconnect.files
options:
  file:
    description:
      - The standalone file. Stop its server first, unless in check mode.
      - The file of a member of a cluster is rejected; a cluster is converted while it runs, with C(ovsdb-client convert).
    type: path
    required: true
  schema:
    description: The schema file with the new schema, on the same host.
    type: path
    required: true
  backup:
    description:
      - Where to keep the original file. A number is appended if a file of this name exists.
      - The default is the name of the file with the version of its schema appended.
    type: path
seealso:
  - module: ovn.interconnect.ovn_ic_backup
  - module: ovn.interconnect.ovn_ic_backup_info
"""

EXAMPLES = r"""
- name: Check whether a backup can be converted to the newer schema
  ovn.interconnect.ovn_ic_schema:
    file: /var/backups/ic-sb.db
    schema: /usr/share/ovn/ovn-ic-sb.ovsschema
  check_mode: true

- name: Stop the server
  ansible.builtin.systemd_service:
    name: ovn-ovsdb-server-ic-sb.service
    state: stopped

- name: Convert its file
  ovn.interconnect.ovn_ic_schema:
    file: /var/lib/ovn/ovn_ic_sb_db.db
    schema: /usr/share/ovn/ovn-ic-sb.ovsschema
    backup: /var/backups/ovn_ic_sb_db.db

- name: Make no change, because the file has the schema now
  ovn.interconnect.ovn_ic_schema:
    file: /var/lib/ovn/ovn_ic_sb_db.db
    schema: /usr/share/ovn/ovn-ic-sb.ovsschema

- name: Set the options once for all modules of a play
  hosts: databases
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      timeout: 30
  tasks:
    - name: Try the file of IC_NB
      ovn.interconnect.ovn_ic_schema:
        file: /var/lib/ovn/ovn_ic_nb_db.db
        schema: /usr/share/ovn/ovn-ic-nb.ovsschema
      check_mode: true
"""

RETURN = r"""
schema:
  description: The name of the database, and the version of its schema before and after.
  returned: success
  type: dict
  sample: {database: OVN_IC_Southbound, before: 1.1.1, after: 1.3.0}
rows:
  description: The number of rows of each table that has any. It is the same before and after.
  returned: success
  type: dict
  sample: {Availability_Zone: 2, Gateway: 4, IC_SB_Global: 1}
backup:
  description: Where the original file is kept, or would be in check mode; empty if nothing was changed.
  returned: success
  type: str
  sample: /var/lib/ovn/ovn_ic_sb_db.db.1.1.1
changes:
  description: What was changed, or would be in check mode, with its reason.
  returned: success
  type: list
  elements: dict
  sample:
    - database: OVN_IC_Southbound
      table: schema
      record: /var/lib/ovn/ovn_ic_sb_db.db
      action: update
      columns: {version: 1.3.0}
      reason: the schema differs
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.cluster import Params, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.files import convert

OPTIONS: dict[str, Any] = {
    "file": {"type": "path", "required": True},
    "schema": {"type": "path", "required": True},
    "backup": {"type": "path"},
}


def work(params: Params, check_mode: bool) -> dict[str, Any]:
    """Convert the file."""
    return convert(params["file"], params["schema"], params["backup"], check_mode)


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return f"Converting {params['file']} to the schema {params['schema']}"


def main() -> None:
    """Run the module."""
    run(OPTIONS, doing, work)


if __name__ == "__main__":
    main()
