#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_schema
short_description: Give a database file a newer schema without losing a row
version_added: 0.1.0
description:
  - Checks every row of a standalone database file against the unique indexes, types, tables and columns of a schema, converts a copy with
    C(ovsdb-tool), compares all rows, and only then lets the copy take the place of the file. The file as it was stays beside it.
  - What the schema does not allow is refused, naming the table, the columns, the rows and what to do; nothing is changed then.
  - Check mode does all of it with a copy elsewhere. So a backup of a living database, also of a cluster, can be tried.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
  - ovn.interconnect.files
options:
  file:
    description:
      - The standalone file. Stop its server before, unless in check mode.
      - The file of a member of a cluster is refused; a cluster is converted while it runs, with C(ovsdb-client convert).
    type: path
    required: true
  schema:
    description: The schema file that the file is to have the schema of, on the same host.
    type: path
    required: true
  backup:
    description:
      - Where the file is kept as it was. A number is added where that is taken.
      - If not set, the name of the file with the version of its schema added.
    type: path
seealso:
  - module: ovn.interconnect.ovn_ic_backup
  - module: ovn.interconnect.ovn_ic_backup_info
"""

EXAMPLES = r"""
- name: See whether a backup could have the newer schema
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

- name: Leave it as it is, since it has the schema now
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
  description: The number of rows by table, of tables that have any. It is the same before and after.
  returned: success
  type: dict
  sample: {Availability_Zone: 2, Gateway: 4, IC_SB_Global: 1}
backup:
  description: Where the file is kept as it was, or would be in check mode; empty where nothing was changed.
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
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.files import convert

OPTIONS: dict[str, Any] = {
    "file": {"type": "path", "required": True},
    "schema": {"type": "path", "required": True},
    "backup": {"type": "path"},
}


def work(params: Params, check_mode: bool) -> dict[str, Any]:
    """Convert the file."""
    return convert(params["file"], params["schema"], params["backup"], check_mode)


def doing(params: Params) -> str:
    """What the module is about."""
    return f"Giving {params['file']} the schema {params['schema']}"


def main() -> None:
    """Run the module."""
    run(OPTIONS, doing, work)


if __name__ == "__main__":
    main()
