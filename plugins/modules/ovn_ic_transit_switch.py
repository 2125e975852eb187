#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_transit_switch
short_description: Manage the transit switches of an OVN interconnect
version_added: 0.1.0
description:
  - Makes, changes and removes transit switches in the global northbound database (IC_NB).
  - The sync daemons of all zones make a logical switch of each in their zone. Removing a transit switch removes those, with all
    their ports.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
options:
  name:
    description: The names of the transit switches. All other options are the same for each of them.
    type: list
    elements: str
    required: true
  state:
    description: Whether the transit switches are to exist.
    type: str
    choices: [present, absent]
    default: present
  subnets:
    description:
      - The networks that the addresses of router ports on the transit switch are to be taken from. M(ovn.interconnect.ovn_ic_attachment)
        refuses others.
      - Kept in C(external_ids:transit-subnets), without host bits. An empty list removes them.
    type: list
    elements: str
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
    description: Whether keys of C(external_ids) that O(external_ids) does not name are removed, apart from the one of O(subnets).
    type: bool
    default: false
seealso:
  - module: ovn.interconnect.ovn_ic_attachment
  - module: ovn.interconnect.ovn_ic_sync
"""

EXAMPLES = r"""
- name: Make a transit switch
  ovn.interconnect.ovn_ic_transit_switch:
    name: ts1
    subnets:
      - 169.254.100.0/24
    ic_nb_db: tcp:192.0.2.10:6645

- name: Change what is kept with it
  ovn.interconnect.ovn_ic_transit_switch:
    name: ts1
    external_ids:
      owner: network team

- name: Remove two transit switches
  ovn.interconnect.ovn_ic_transit_switch:
    name:
      - ts2
      - ts3
    state: absent

- name: Set the connection once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: ssl:192.0.2.10:6645
      private_key: /etc/ovn/ic-privkey.pem
      certificate: /etc/ovn/ic-cert.pem
      ca_cert: /etc/ovn/ic-ca.pem
  tasks:
    - name: Make a transit switch
      ovn.interconnect.ovn_ic_transit_switch:
        name: ts1
"""

RETURN = r"""
transit_switches:
  description: The named transit switches as they are afterwards, those that exist.
  returned: success
  type: list
  elements: dict
  sample:
    - name: ts1
      uuid: 5f5ac9a7-0a3b-4c5e-9d1f-4bb2c1d2ce0a
      subnets: [169.254.100.0/24]
      other_config: {}
      external_ids: {transit-subnets: 169.254.100.0/24}
changes:
  description: The rows that were changed, or would be in check mode, each with its reason.
  returned: success
  type: list
  elements: dict
  sample:
    - database: OVN_IC_Northbound
      table: Transit_Switch
      record: ts1
      action: insert
      columns: {name: ts1, external_ids: {transit-subnets: 169.254.100.0/24}}
      reason: state is present
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, run
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.wanted import checked_name, map_keys, networks_text
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.change import Change, delete, insert, update
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.schema import IC_NB, declare
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.store import Row

DATABASE = declare(IC_NB, {"Transit_Switch": "name other_config:map external_ids:map", "Transit_Router": "name"})
SUBNETS = "transit-subnets"

OPTIONS = {
    "name": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "subnets": {"type": "list", "elements": "str"},
    "other_config": {"type": "dict"},
    "purge_other_config": {"type": "bool", "default": False},
    "external_ids": {"type": "dict"},
    "purge_external_ids": {"type": "bool", "default": False},
}


def _keys(params: Params, other_config: dict[str, str], external_ids: dict[str, str]) -> dict[str, dict[str, str | None]]:
    wanted = map_keys(external_ids, params["external_ids"], params["purge_external_ids"], kept=(SUBNETS,))
    if params["subnets"] is not None:
        wanted[SUBNETS] = networks_text(params["subnets"], "subnets") or None
    return {"other_config": map_keys(other_config, params["other_config"], params["purge_other_config"]), "external_ids": wanted}


def desired(params: Params, stores: Stores) -> list[Change]:
    """One Change for each transit switch that is not as wanted."""
    store = stores[IC_NB]
    rows = {row["name"]: row for row in store.rows("Transit_Switch")}
    routers = {row["name"] for row in store.rows("Transit_Router")}
    changes: list[Change] = []
    for number, name in enumerate(dict.fromkeys(checked_name(name, "name") for name in params["name"])):
        row = rows.get(name)
        if params["state"] == "absent":
            changes += [] if row is None else [delete(store, "Transit_Switch", row, record=name, reason="state is absent")]
        elif row is not None:
            keys = _keys(params, row["other_config"], row["external_ids"])
            changes += update(store, "Transit_Switch", row, record=name, reason="the options differ", keys=keys)
        elif name in routers:
            raise ModuleError(f"a transit router has the name {name!r}; choose another name", database=IC_NB)
        else:
            columns = {column: {k: v for k, v in keys.items() if v is not None} for column, keys in _keys(params, {}, {}).items()}
            columns_and_name: dict[str, Any] = {"name": name, **columns}
            changes.append(
                insert(store, "Transit_Switch", columns_and_name, record=name, reason="state is present", name=f"@switch{number}")
            )
    return changes


def _view(row: Row) -> dict[str, Any]:
    subnets = [subnet for subnet in row["external_ids"].get(SUBNETS, "").split(",") if subnet]
    maps = {"other_config": dict(row["other_config"]), "external_ids": dict(row["external_ids"])}
    return {"name": row["name"], "uuid": row.uuid, "subnets": subnets, **maps}


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The named transit switches that exist, by name."""
    rows = [row for row in stores[IC_NB].rows("Transit_Switch") if row["name"] in params["name"]]
    return {"transit_switches": [_view(row) for row in sorted(rows, key=lambda row: str(row["name"]))]}


def doing(params: Params) -> str:
    """What the module is about."""
    verb = "Making" if params["state"] == "present" else "Removing"
    return f"{verb} transit switch {', '.join(map(repr, params['name']))}"


def main() -> None:
    """Run the module."""
    run(Declaration(OPTIONS, [DATABASE], desired, describe, doing))


if __name__ == "__main__":
    main()
