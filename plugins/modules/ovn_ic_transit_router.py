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
  - Makes, changes and removes transit routers in the global northbound database (IC_NB).
  - The sync daemons of all zones make a logical router of each in their zone. Removing a transit router removes those, with all their
    ports.
  - Needs an IC_NB of schema version 1.3.0 or newer, as OVN 26.03 has it. All zones should have daemons of that release, or this
    collection's, because an older one removes what it does not know.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
options:
  name:
    description:
      - The names of the transit routers. All other options are the same for each of them.
      - A name that a transit switch has is refused, because rows of IC_SB tell both apart by their name only.
    type: list
    elements: str
    required: true
  state:
    description: Whether the transit routers are to exist.
    type: str
    choices: [present, absent]
    default: present
  other_config:
    description: Keys of the column C(other_config). Keys that are not named stay; a value of null removes its key.
    type: dict
  purge_other_config:
    description: Whether keys of C(other_config) that O(other_config) does not name are removed. Without O(other_config) nothing is.
    type: bool
    default: false
  external_ids:
    description: Keys of the column C(external_ids). Keys that are not named stay; a value of null removes its key.
    type: dict
  purge_external_ids:
    description: Whether keys of C(external_ids) that O(external_ids) does not name are removed. Without O(external_ids) nothing is.
    type: bool
    default: false
seealso:
  - module: ovn.interconnect.ovn_ic_transit_router_port
  - module: ovn.interconnect.ovn_ic_transit_switch
"""

EXAMPLES = r"""
- name: Make a transit router
  ovn.interconnect.ovn_ic_transit_router:
    name: tr1
    ic_nb_db: tcp:192.0.2.10:6645

- name: Change what is kept with it
  ovn.interconnect.ovn_ic_transit_router:
    name: tr1
    external_ids:
      owner: network team

- name: Remove it
  ovn.interconnect.ovn_ic_transit_router:
    name: tr1
    state: absent

- name: Set the connection once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: tcp:192.0.2.10:6645
  tasks:
    - name: Make a transit router
      ovn.interconnect.ovn_ic_transit_router:
        name: tr1
"""

RETURN = r"""
transit_routers:
  description: The named transit routers as they are afterwards, those that exist.
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
  description: The rows that were changed, or would be in check mode, each with its reason.
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

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.holding import require
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, run
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.wanted import checked_name, map_keys
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.change import Change, delete, insert, update
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.schema import IC_NB, declare

TABLE = "Transit_Router"
MAPS = ("other_config", "external_ids")
DATABASE = declare(
    IC_NB, {TABLE: "name ports:refs other_config:map external_ids:map", "Transit_Router_Port": "name", "Transit_Switch": "name"}
)

OPTIONS: dict[str, Any] = {
    "name": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "other_config": {"type": "dict"},
    "purge_other_config": {"type": "bool", "default": False},
    "external_ids": {"type": "dict"},
    "purge_external_ids": {"type": "bool", "default": False},
}


def desired(params: Params, stores: Stores) -> list[Change]:
    """One Change for each transit router that is not as wanted."""
    store = stores[IC_NB]
    require(store, TABLE, "transit routers", "1.3.0", "26.03")
    rows = {row["name"]: row for row in store.rows(TABLE)}
    switches = {row["name"] for row in store.rows("Transit_Switch")}
    changes: list[Change] = []
    for number, name in enumerate(dict.fromkeys(checked_name(name, "name") for name in params["name"])):
        row = rows.get(name)
        if params["state"] == "absent":
            changes += [] if row is None else [delete(store, TABLE, row, record=name, reason="state is absent")]
            continue
        if name in switches:
            raise ModuleError(f"a transit switch has the name {name!r}; choose another name", database=IC_NB)
        keys = {column: map_keys(row[column] if row is not None else {}, params[column], params[f"purge_{column}"]) for column in MAPS}
        if row is not None:
            changes += update(store, TABLE, row, record=name, reason="the options differ", keys=keys)
            continue
        maps = {column: {key: value for key, value in one.items() if value is not None} for column, one in keys.items()}
        changes.append(insert(store, TABLE, {"name": name, **maps}, record=name, reason="state is present", name=f"@router{number}"))
    return changes


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The named transit routers that exist, by name."""
    store = stores[IC_NB]
    rows = sorted((row for row in store.rows(TABLE) if row["name"] in params["name"]), key=lambda row: str(row["name"]))
    ports = {row.uuid: sorted(port["name"] for port in store.child_rows(TABLE, "ports", row.uuid, "Transit_Router_Port")) for row in rows}
    return {"transit_routers": [{**row.as_dict(), "uuid": row.uuid, "ports": ports[row.uuid]} for row in rows]}


def doing(params: Params) -> str:
    """What the module is about."""
    verb = "Making" if params["state"] == "present" else "Removing"
    return f"{verb} transit router {', '.join(map(repr, params['name']))}"


def main() -> None:
    """Run the module."""
    run(Declaration(OPTIONS, [DATABASE], desired, describe, doing))


if __name__ == "__main__":
    main()
