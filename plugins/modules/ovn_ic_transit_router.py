#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_transit_router
short_description: Manage the transit routers of an OVN interconnect
version_added: 0.1.0
description:
  - Creates, changes, renames and removes transit routers in the global northbound database (IC_NB).
  - The sync daemon of each zone creates a logical router for each of them. Removing a transit router removes those, with all their
    ports.
  - None is created while O(ovn.interconnect.ovn_ic_global#module:vxlan_mode) is on, because its tunnel key does not fit into VXLAN.
  - Needs an IC_NB with schema version 1.3.0 (OVN 26.03) or newer. All zones should run daemons of that release, or this
    collection's, because older daemons remove what they do not support.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
  - ovn.interconnect.columns.other_config
  - ovn.interconnect.columns.external_ids
options:
  name:
    description:
      - The names of the transit routers. All other options are the same for each of them.
      - A name that a transit switch has is rejected, because rows of IC_SB distinguish them only by name.
      - If O(nb_db) is given, a new name that an ordinary logical router of that zone has is rejected.
    type: list
    elements: str
    required: true
  rename_from:
    description:
      - The former name of a transit router to be renamed to O(name), which must then list only the new name.
      - The row in IC_NB and all its other columns are kept.
      - Nothing is renamed if O(name) exists and O(rename_from) does not, so the task can be repeated. If both exist or neither does, the
        task fails.
      - The sync daemons of this collection rename their logical routers and the rows in IC_SB. Ports, tunnel keys and routes are kept.
      - Upstream's daemon removes the logical router with all its ports and creates a new one.
    type: str
  state:
    description: Whether the transit routers should exist.
    type: str
    choices: [present, absent]
    default: present
  force:
    description:
      - Whether to remove a transit router even if it has ports. They and the routes over it are then removed in all zones.
      - The diff lists what is lost, and with O(ic_sb_db) also what each zone has on it.
    type: bool
    default: false
seealso:
  - module: ovn.interconnect.ovn_ic_transit_router_port
  - module: ovn.interconnect.ovn_ic_transit_switch
  - module: ovn.interconnect.ovn_ic_global
"""

EXAMPLES = r"""
- name: Create a transit router
  ovn.interconnect.ovn_ic_transit_router:
    name: tr1
    ic_nb_db: tcp:192.0.2.10:6645

- name: Change its external IDs
  ovn.interconnect.ovn_ic_transit_router:
    name: tr1
    external_ids:
      owner: network team

- name: Rename it, with its ports
  ovn.interconnect.ovn_ic_transit_router:
    name: core
    rename_from: tr1

- name: Remove it, if it has no ports
  ovn.interconnect.ovn_ic_transit_router:
    name: core
    state: absent

- name: Remove another one with its ports
  ovn.interconnect.ovn_ic_transit_router:
    name: tr2
    state: absent
    force: true

- name: Set the connection once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: tcp:192.0.2.10:6645
  tasks:
    - name: Create a transit router
      ovn.interconnect.ovn_ic_transit_router:
        name: tr1
"""

RETURN = r"""
transit_routers:
  description: The named transit routers that exist afterwards.
  returned: success
  type: list
  elements: dict
  sample:
    - name: tr1
      uuid: 5f5ac9a7-0a3b-4c5e-9d1f-4bb2c1d2ce0a
      ports: [tr1-az1]
      other_config: {}
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
      table: Transit_Router
      record: tr1
      action: insert
      columns: {name: tr1}
      reason: state is present
"""

from functools import partial
from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, run
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.transit_objects import (
    OPTIONS,
    ROUTERS,
    check_rename,
    doing,
    plan,
    refuse_namesake,
    refuse_vxlan,
    view,
)
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.transit_ports import require
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import INSERT, Change
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import usage
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import Database, declare
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, NB

TABLE = ROUTERS.table
DATABASE = declare(
    IC_NB,
    {
        TABLE: "name ports:refs other_config:map external_ids:map",
        "Transit_Router_Port": "name",
        "Transit_Switch": "name",
        "IC_NB_Global": "options:map",
    },
)


def desired(params: Params, stores: Stores) -> list[Change]:
    """One Change for each transit router that differs from the options."""
    store = stores[IC_NB]
    require(store, TABLE, "transit routers", "1.3.0", "26.03")
    refuse_namesake(params, stores, ROUTERS)
    usage.refuse_use(params, stores, TABLE, ROUTERS.word)
    changes = plan(params, store, ROUTERS)
    if any(change.action == INSERT for change in changes):
        refuse_vxlan(store)
    return changes


def optional(params: Params) -> list[Database]:
    """IC_SB shows what zones lose by a removal, NB the zone's own routers."""
    return [usage.GLOBAL] if params["state"] == "absent" else [usage.NORTH]


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The named transit routers that exist, by name."""
    store = stores[IC_NB]

    def ports(row: Row) -> dict[str, list[str]]:
        return {"ports": sorted(port["name"] for port in store.child_rows(TABLE, "ports", row.uuid, "Transit_Router_Port"))}

    return {"transit_routers": view(params, store, ROUTERS, ports)}


def main() -> None:
    """Run the module."""
    run(
        Declaration(
            OPTIONS,
            [DATABASE],
            desired,
            describe,
            doing(ROUTERS.word),
            optional=optional,
            only_read=[NB, IC_SB],
            narrow=usage.narrow,
            widen=partial(usage.widen, table=TABLE),
            lost=partial(usage.lost, table=TABLE),
            check=partial(check_rename, kind=ROUTERS),
        )
    )


if __name__ == "__main__":
    main()
