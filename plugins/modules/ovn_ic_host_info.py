#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_host_info
short_description: Read the state of a host of an OVN interconnect
version_added: 0.2.0
description:
  - Reads packages, files, units of systemd, addresses, Python libraries, database files and rows of databases in one call.
  - The roles of this collection use it to skip what is in order. It does not need the library of Open vSwitch, so it also works before
    the first run.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.facts
  - ovn.interconnect.connection
options:
  packages:
    description: Names of Debian packages.
    type: list
    elements: str
    default: []
  files:
    description: Paths of files, directories or sockets.
    type: list
    elements: path
    default: []
  trees:
    description: Directories whose files are listed with their checksums.
    type: list
    elements: path
    default: []
  units:
    description: Names of units of systemd.
    type: list
    elements: str
    default: []
  addresses:
    description: IP addresses that the host may have.
    type: list
    elements: str
    default: []
  libraries:
    description: Python libraries that modules import.
    type: list
    elements: str
    default: []
  interpreters:
    description: Paths of Python interpreters.
    type: list
    elements: path
    default: []
  database_files:
    description: Paths of database files.
    type: list
    elements: path
    default: []
  schemas:
    description: Paths of schema files.
    type: list
    elements: path
    default: []
  databases:
    description: Databases to read with C(ovsdb-client). Any member of a cluster may answer.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The key of the answer. The default is the name of the database.
        type: str
      server:
        description: The server, such as V(unix:/var/run/ovn/ovnnb_db.sock), or several members of a cluster.
        type: str
        required: true
      database:
        description: The name of the database, such as V(OVN_Northbound).
        type: str
        required: true
      tables:
        description: The columns to read, by table.
        type: dict
      schema:
        description: Whether to read the versions of the schema.
        type: bool
        default: false
seealso:
  - module: ovn.interconnect.ovn_ic_info
  - module: ovn.interconnect.ovn_ic_cluster_info
"""

EXAMPLES = r"""
- name: Read the daemon's unit and packages
  ovn.interconnect.ovn_ic_host_info:
    units: [ovn-ic.service]
    packages: [python3-openvswitch, ovn-common]
  register: host

- name: Find out which packages are missing
  ansible.builtin.debug:
    msg: "{{ host.packages | dict2items | rejectattr('value') | map(attribute='key') }}"

- name: Use a shorter timeout for servers that may not run yet
  hosts: databases
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      timeout: 5
  tasks:
    - name: Read the names of the zones
      ovn.interconnect.ovn_ic_host_info:
        databases:
          - server: unix:/var/run/ovn/ovn_ic_sb_db.sock
            database: OVN_IC_Southbound
            tables:
              Availability_Zone: [name]
"""

RETURN = r"""
packages:
  description: The installed version of each package, empty if it is not installed.
  returned: success
  type: dict
  sample: {ovn-common: 23.03.1-1~deb12u2}
files:
  description:
    - For each path, whether it exists, its kind (V(file), V(directory), V(socket), V(other)) after links were followed, and whether it is a
      link.
  returned: success
  type: dict
  sample: {/run/ovn/ovnnb_db.sock: {exists: true, kind: socket, link: false}}
trees:
  description: For each directory, the SHA-1 of each file below it by relative path, and V(directory) for each directory.
  returned: success
  type: dict
  sample: {/usr/share/ovn-interconnect/interconnect: {zone.py: da39a3ee5e6b4b0d3255bfef95601890afd80709}}
units:
  description: For each unit, whether it is loaded, active and enabled, and the command line and environment of its main process.
  returned: success
  type: dict
  sample: {ovn-ic.service: {loaded: true, active: true, enabled: true, pid: 312, command: [ovn-ic], environment: []}}
addresses:
  description: Whether the host has each address.
  returned: success
  type: dict
  sample: {192.0.2.10: true}
libraries:
  description: Whether the module's interpreter can import each library.
  returned: success
  type: dict
  sample: {ovs.db.idl: true}
interpreters:
  description: The version of each interpreter, empty if it does not exist.
  returned: success
  type: dict
  sample: {/usr/bin/python3: 3.11.2}
database_files:
  description: For each file, its kind (V(standalone), V(clustered) or empty if it does not exist), and the address of the cluster's member.
  returned: success
  type: dict
  sample: {/var/lib/ovn/ovn_ic_nb_db.db: {kind: clustered, address: "ssl:192.0.2.10:6647"}}
schemas:
  description: The version of each schema file, empty if it does not exist.
  returned: success
  type: dict
  sample: {/usr/share/ovn/ovn-ic-nb.ovsschema: 1.0.0}
databases:
  description:
    - For each database, whether its server answers (C(answers)), the error if it does not (C(error)), and the rows of each table
      (C(tables)).
    - C(schema_version) is the version of the data, C(shown_version) the version that the server shows to clients. Both need
      O(databases[].schema).
  returned: success
  type: dict
  sample:
    OVN_Northbound: {answers: true, error: "", tables: {NB_Global: [{name: az1}]}, schema_version: "", shown_version: ""}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.arguments import connection_spec
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import host
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import unexpected

_LIST: dict[str, Any] = {"type": "list", "elements": "str", "default": []}
_PATHS: dict[str, Any] = {"type": "list", "elements": "path", "default": []}
_DATABASE: dict[str, Any] = {
    "name": {"type": "str"},
    "server": {"type": "str", "required": True},
    "database": {"type": "str", "required": True},
    "tables": {"type": "dict"},
    "schema": {"type": "bool", "default": False},
}
OPTIONS: dict[str, Any] = {
    "packages": _LIST,
    "files": _PATHS,
    "trees": _PATHS,
    "units": _LIST,
    "addresses": _LIST,
    "libraries": _LIST,
    "interpreters": _PATHS,
    "database_files": _PATHS,
    "schemas": _PATHS,
    "databases": {"type": "list", "elements": "dict", "default": [], "options": _DATABASE},
}


def main() -> None:
    """Run the module. It does not use the base of the other modules, which loads the library of Open vSwitch."""
    module = AnsibleModule(argument_spec={**connection_spec(), **OPTIONS}, supports_check_mode=True)
    try:
        found = host.describe(module.params)
    except Exception as error:
        module.fail_json(msg=f"Reading the host failed. {unexpected(error)}")
    else:
        module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
