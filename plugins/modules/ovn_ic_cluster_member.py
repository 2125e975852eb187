#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_cluster_member
short_description: Make a host a member of the cluster of a global database
version_added: 0.2.0
description:
  - Decides from the database file of this host, the other members' views of the cluster and the desired members whether this host keeps its
    file, creates the cluster, joins it, or has to migrate its standalone file. Creates the file if the cluster is created or joined.
  - Fails with the reason if a second cluster could be created, or if a member would start without its data.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
  - ovn.interconnect.files
attributes:
  check_mode:
    description: Returns the decision and creates no file.
    support: full
  diff_mode:
    description: The module returns no diff.
    support: none
options:
  database:
    description: The global database, V(ic_nb) or V(ic_sb).
    type: str
    choices: [ic_nb, ic_sb]
    required: true
  file:
    description: Path of the database file.
    type: path
    required: true
  schema:
    description: Path of the schema for a new cluster.
    type: path
    required: true
  address:
    description: The address at which this host becomes a member, such as V(ssl:192.0.2.10:6647).
    type: str
    required: true
  host:
    description: The name of this host in the other options.
    type: str
    required: true
  seed:
    description: The host that creates the cluster.
    type: str
    required: true
  hosts:
    description: The names of the desired members, by the address without protocol and port.
    type: dict
    required: true
  holders:
    description: The hosts that have a file of the database.
    type: list
    elements: str
    required: true
  unreachable:
    description: The desired members that cannot be asked.
    type: list
    elements: str
    default: []
  views:
    description: What the servers of members report, each as RV(ovn.interconnect.ovn_ic_cluster_info#module:cluster).
    type: list
    elements: dict
    default: []
  standalone:
    description: The hosts whose server answers that its database belongs to no cluster.
    type: list
    elements: str
    default: []
  errors:
    description: The messages of servers that do not answer.
    type: list
    elements: str
    default: []
seealso:
  - module: ovn.interconnect.ovn_ic_cluster_info
  - module: ovn.interconnect.ovn_ic_cluster
"""

EXAMPLES = r"""
- name: Create the cluster on the first host
  ovn.interconnect.ovn_ic_cluster_member:
    database: ic_nb
    file: /var/lib/ovn/ovn_ic_nb_db.db
    schema: /usr/share/ovn/ovn-ic-nb.ovsschema
    address: ssl:192.0.2.10:6647
    host: ic1
    seed: ic1
    hosts:
      192.0.2.10: ic1
      192.0.2.11: ic2
      192.0.2.12: ic3
    holders: []
  register: member

- name: Use the same timeout as the other modules
  hosts: databases
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      timeout: 10
  tasks:
    - name: Show the decision
      ansible.builtin.debug:
        msg: "{{ member.decision }}"
"""

RETURN = r"""
decision:
  description:
    - V(keep), the host is a member already. V(create), it creates the cluster. V(join), it joins the cluster.
    - V(migrate), its standalone file has to be migrated while the server is stopped, which the module does not do.
  returned: success
  type: str
  sample: join
remotes:
  description: The members that the host joins.
  returned: success
  type: list
  elements: str
  sample: ["ssl:192.0.2.10:6647"]
"""

import os
from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.cluster import CLUSTERS, Params, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import host, membership
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError, one_line

OPTIONS: dict[str, Any] = {
    "database": {"type": "str", "choices": sorted(CLUSTERS), "required": True},
    **{name: {"type": "path", "required": True} for name in ("file", "schema")},
    **{name: {"type": "str", "required": True} for name in ("address", "host", "seed")},
    "hosts": {"type": "dict", "required": True},
    "holders": {"type": "list", "elements": "str", "required": True},
    "unreachable": {"type": "list", "elements": "str", "default": []},
    "views": {"type": "list", "elements": "dict", "default": []},
    "standalone": {"type": "list", "elements": "str", "default": []},
    "errors": {"type": "list", "elements": "str", "default": []},
}


def situation(params: Params) -> membership.Situation:
    """What the options and the file of this host say."""
    file = host.database_file(params["file"])
    names = ("host", "address", "seed", "hosts", "holders", "unreachable", "views", "standalone", "errors")
    given = {name: params[name] for name in names}
    if file["kind"] and params["host"] not in params["holders"]:
        # the holders were read before this task created the file, or before an earlier run did
        given["holders"] = [*params["holders"], params["host"]]
    return membership.Situation(
        database=CLUSTERS[params["database"]][0], path=params["file"], kind=file["kind"], file_address=file["address"], **given
    )


def work(params: Params, check_mode: bool) -> dict[str, Any]:
    """Decide, and create the file."""
    known = situation(params)
    decision = membership.decide(known)
    if decision.action == membership.REFUSE:
        raise ModuleError(decision.reason)
    command = {
        membership.CREATE: ["create-cluster", known.path, params["schema"], known.address],
        membership.JOIN: ["join-cluster", known.path, known.database, known.address, *decision.remotes],
    }.get(decision.action)
    if command is not None and not check_mode:
        _create(known, decision, command)
    return {"changed": command is not None, "decision": decision.action, "remotes": list(decision.remotes)}


def _create(known: membership.Situation, decision: membership.Decision, command: list[str]) -> None:
    if decision.action == membership.JOIN and not decision.remotes:
        raise ModuleError(f"the cluster does not exist yet; run the role on {known.seed} first")
    if os.path.lexists(known.path):
        raise ModuleError(f"{known.path} exists and is not a database file; move it aside, and run the task again")
    done, _output, error = host.run(["ovsdb-tool", *command])
    if not done:
        raise ModuleError(
            f"ovsdb-tool {command[0]} failed: {one_line(error)}; correct this and run the task again", database=known.database
        )


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return f"Adding {params['host']} to the cluster of {CLUSTERS[params['database']][0]}"


def main() -> None:
    """Run the module."""
    run(OPTIONS, doing, work)


if __name__ == "__main__":
    main()
