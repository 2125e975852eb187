#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_cluster_info
short_description: Read the state of a clustered IC database
version_added: 0.1.0
description:
  - Reads what the server of this host says about the RAFT cluster of a global database, through its control socket.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.facts
  - ovn.interconnect.connection
  - ovn.interconnect.cluster
seealso:
  - module: ovn.interconnect.ovn_ic_cluster
"""

EXAMPLES = r"""
- name: Read the state of the cluster
  ovn.interconnect.ovn_ic_cluster_info:
    database: ic_sb
  register: sb

- name: Find members that do not answer
  ansible.builtin.debug:
    msg: "{{ sb.cluster.members | rejectattr('answers') | map(attribute='address') }}"

- name: Wait longer for slow servers
  hosts: databases
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      timeout: 30
  tasks:
    - name: Read the state of the cluster
      ovn.interconnect.ovn_ic_cluster_info:
        database: ic_nb
"""

RETURN = r"""
cluster:
  description: The cluster as the server reports it; empty if its database is standalone, or if it has left the cluster.
  returned: success
  type: dict
  contains:
    cluster_id:
      description: The id of the cluster.
      type: str
      returned: success
      sample: f6c831e7-4c1a-43ea-85a1-35b7e2ed5614
    server_id:
      description: The id of the server.
      type: str
      returned: success
      sample: 2a9b8c87-082a-438e-ad58-b9dff4bb565b
    address:
      description: The address at which other members connect to it.
      type: str
      returned: success
      sample: ssl:192.0.2.10:6648
    status:
      description: V(cluster member), or the progress of joining or leaving.
      type: str
      returned: success
      sample: cluster member
    role:
      description: V(leader), V(follower) or V(candidate).
      type: str
      returned: success
      sample: follower
    leader:
      description: The address of the leader, empty if none is known.
      type: str
      returned: success
      sample: ssl:192.0.2.11:6648
    term:
      description: The number of the present election term.
      type: int
      returned: success
      sample: 3
    election_timer:
      description: The election timer in milliseconds.
      type: int
      returned: success
      sample: 10000
    members:
      description: The members, by address, each with the beginning of its ID and whether this server has a connection to it.
      type: list
      elements: dict
      returned: success
      sample:
        - {server_id: 2a9b, address: "ssl:192.0.2.10:6648", self: true, answers: true}
        - {server_id: 412e, address: "ssl:192.0.2.11:6648", self: false, answers: true}
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.cluster import INFO_OPTIONS, Params, Server, run


def work(params: Params, _check_mode: bool) -> dict[str, Any]:
    """Read the cluster."""
    cluster = Server(params).look()
    return {"changed": False, "cluster": cluster.as_result() if cluster is not None else {}}


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return f"Reading the cluster of {params['database']}"


def main() -> None:
    """Run the module."""
    run(INFO_OPTIONS, doing, work)


if __name__ == "__main__":
    main()
