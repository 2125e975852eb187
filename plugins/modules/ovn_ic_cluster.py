#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_cluster
short_description: Change the membership and the election timer of a clustered IC database
version_added: 0.1.0
description:
  - Lets the server of this host leave the RAFT cluster of a global database, removes another member, or sets the election timer, through
    the control socket of the server.
  - A change after which the remaining members would have no majority is rejected.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
  - ovn.interconnect.cluster
options:
  state:
    description:
      - V(present) waits until the server of this host is a member. It adds no member; C(ovsdb-tool join-cluster) creates the file with
        which a new member is started.
      - V(absent) removes O(member), or without that option the server of this host. A server that has left keeps its file; move the file
        away before the server joins again.
    type: str
    choices: [present, absent]
    default: present
  member:
    description: With O(state=absent), the member to remove, by its address, such as V(ssl:192.0.2.12:6648), or its server ID.
    type: str
  election_timer:
    description:
      - Milliseconds without a message from the leader after which a new leader is elected.
      - The leader changes it in steps, each at most double the previous value. On other members, the module waits until the
        leader has done so; run the task on all members.
    type: int
  wait_timeout:
    description: Seconds to wait until the members have agreed.
    type: int
    default: 30
seealso:
  - module: ovn.interconnect.ovn_ic_cluster_info
  - module: ovn.interconnect.ovn_ic_connection
"""

EXAMPLES = r"""
- name: Increase the election timer for members in several datacenters
  ovn.interconnect.ovn_ic_cluster:
    database: ic_sb
    election_timer: 10000

- name: Remove a member whose host is lost
  ovn.interconnect.ovn_ic_cluster:
    database: ic_sb
    member: ssl:192.0.2.12:6648
    state: absent

- name: Let this server leave
  ovn.interconnect.ovn_ic_cluster:
    database: ic_sb
    state: absent

- name: Wait longer for slow servers
  hosts: databases
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      timeout: 30
  tasks:
    - name: Wait until the server has joined
      ovn.interconnect.ovn_ic_cluster:
        database: ic_nb
"""

RETURN = r"""
cluster:
  description: The cluster afterwards, in the format of M(ovn.interconnect.ovn_ic_cluster_info); empty if the server is not in a cluster.
  returned: success
  type: dict
  sample:
    cluster_id: f6c831e7-4c1a-43ea-85a1-35b7e2ed5614
    server_id: 2a9b8c87-082a-438e-ad58-b9dff4bb565b
    address: ssl:192.0.2.10:6648
    status: cluster member
    role: leader
    leader: ssl:192.0.2.10:6648
    term: 1
    election_timer: 10000
    members:
      - {server_id: 2a9b, address: "ssl:192.0.2.10:6648", self: true, answers: true}
changes:
  description: What was changed, or would be in check mode, each with its reason.
  returned: success
  type: list
  elements: dict
  sample:
    - database: OVN_IC_Southbound
      table: cluster
      record: OVN_IC_Southbound
      action: update
      columns: {election_timer: 10000}
      reason: the timer differs
"""

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.cluster import CHANGE_OPTIONS, Params, change, run


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    if params["state"] == "present":
        return f"Changing the cluster of {params['database']}"
    return f"Removing {params['member'] or 'this server'} from the cluster of {params['database']}"


def main() -> None:
    """Run the module."""
    run(CHANGE_OPTIONS, doing, change)


if __name__ == "__main__":
    main()
