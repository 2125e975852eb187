#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_connection
short_description: Manage the listeners and the TLS files of an IC database
version_added: 0.1.0
description:
  - Manages the rows of the tables C(Connection) and C(SSL) in one of the global databases. They tell its servers where to listen and
    which files to use.
  - Only differences are written. C(ovn-ic-nbctl set-connection) replaces all rows instead, which disconnects clients.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
options:
  database:
    description: The database, V(ic_nb) at O(ic_nb_db) or V(ic_sb) at O(ic_sb_db). Use the unix socket on its own host if possible.
    type: str
    choices: [ic_nb, ic_sb]
    required: true
  connections:
    description:
      - All connections that the servers should have. Others are removed; an empty list removes all. If omitted, they are not changed.
      - Clients of a removed connection are disconnected.
    type: list
    elements: dict
    suboptions:
      target:
        description: Where to listen, such as V(pssl:6645:[::]) or V(ptcp:6645:192.0.2.10); or where to connect, as V(ssl:192.0.2.20:6645).
        type: str
        required: true
      inactivity_probe:
        description: Milliseconds of silence after which the other side is probed; 0 disables probes.
        type: int
      max_backoff:
        description: The longest interval between two attempts to connect, in milliseconds, at least 1000.
        type: int
      other_config:
        description: Keys of the column C(other_config). Keys that are not named are not changed; a value of null removes its key.
        type: dict
      external_ids:
        description: Keys of the column C(external_ids). Keys that are not named are not changed; a value of null removes its key.
        type: dict
  ssl:
    description:
      - The files that the servers use for TLS, as paths on their hosts. If omitted, the row is not changed; an empty dictionary removes it.
      - Suboptions that are omitted are not changed.
    type: dict
    suboptions:
      private_key:
        description: Path of the private key. Needed for a new row.
        type: path
      certificate:
        description: Path of the certificate that belongs to it. Needed for a new row.
        type: path
      ca_cert:
        description: Path of the CA certificate that signed the clients' certificates. Needed for a new row.
        type: path
      bootstrap_ca_cert:
        description: Whether the servers accept the CA certificate of the first client that presents one.
        type: bool
      ssl_protocols:
        description: The protocols, such as V(TLSv1.2,TLSv1.3). An empty text means the servers' default.
        type: str
      ssl_ciphers:
        description: The ciphers of TLS 1.2 and older, in the syntax of OpenSSL. An empty text means the servers' default.
        type: str
      ssl_ciphersuites:
        description: The cipher suites of TLS 1.3. An empty text means the servers' default. Needs the schema of OVN 25.03 or newer.
        type: str
      external_ids:
        description: Keys of the column C(external_ids). Keys that are not named are not changed; a value of null removes its key.
        type: dict
seealso:
  - module: ovn.interconnect.ovn_ic_cluster
"""

EXAMPLES = r"""
- name: Listen with TLS
  ovn.interconnect.ovn_ic_connection:
    database: ic_nb
    connections:
      - target: pssl:6645:[::]
        inactivity_probe: 60000
    ssl:
      private_key: /etc/ovn/ic-privkey.pem
      certificate: /etc/ovn/ic-cert.pem
      ca_cert: /etc/ovn/ic-ca.pem

- name: Change the interval of the probes
  ovn.interconnect.ovn_ic_connection:
    database: ic_nb
    connections:
      - target: pssl:6645:[::]
        inactivity_probe: 120000

- name: Remove all listeners and the TLS files
  ovn.interconnect.ovn_ic_connection:
    database: ic_nb
    connections: []
    ssl: {}

- name: Set the connections once for all modules of a play
  hosts: databases
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_sb_db: unix:/var/run/ovn/ovn_ic_sb_db.sock
  tasks:
    - name: Listen without TLS
      ovn.interconnect.ovn_ic_connection:
        database: ic_sb
        connections:
          - target: ptcp:6646:192.0.2.10
"""

RETURN = r"""
connections:
  description: The connections afterwards, by target.
  returned: success
  type: list
  elements: dict
  sample:
    - {target: "pssl:6645:[::]", inactivity_probe: 60000, max_backoff: null, other_config: {}, external_ids: {}}
ssl:
  description: The TLS files afterwards, empty if there is no such row.
  returned: success
  type: dict
  sample:
    private_key: /etc/ovn/ic-privkey.pem
    certificate: /etc/ovn/ic-cert.pem
    ca_cert: /etc/ovn/ic-ca.pem
    bootstrap_ca_cert: false
    ssl_protocols: ""
    ssl_ciphers: ""
    ssl_ciphersuites: ""
    external_ids: {}
changes:
  description:
    - The rows that were changed, or would be in check mode, each with its reason.
    - Each value is the complete value of the column. Other rows are shown by name. A switch or router is left out if only its list of ports
      or routes changes and these are listed themselves.
  returned: success
  type: list
  elements: dict
  sample:
    - database: OVN_IC_Northbound
      table: Connection
      record: pssl:6645:[::]
      action: update
      columns: {inactivity_probe: 120000}
      reason: the options differ
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import listeners

OPTIONS: dict[str, Any] = {
    "database": {"type": "str", "choices": ["ic_nb", "ic_sb"], "required": True},
    "connections": {
        "type": "list",
        "elements": "dict",
        "options": {
            "target": {"type": "str", "required": True},
            "inactivity_probe": {"type": "int"},
            "max_backoff": {"type": "int"},
            "other_config": {"type": "dict"},
            "external_ids": {"type": "dict"},
        },
    },
    "ssl": {
        "type": "dict",
        "options": {
            "private_key": {"type": "path", "no_log": False},
            "certificate": {"type": "path"},
            "ca_cert": {"type": "path"},
            "bootstrap_ca_cert": {"type": "bool"},
            "ssl_protocols": {"type": "str"},
            "ssl_ciphers": {"type": "str"},
            "ssl_ciphersuites": {"type": "str"},
            "external_ids": {"type": "dict"},
        },
    },
}


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return f"Setting the connections of {params['database']}"


def main() -> None:
    """Run the module."""
    run(Declaration(OPTIONS, listeners.databases, listeners.desired, listeners.describe, doing))


if __name__ == "__main__":
    main()
