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
  - Creates, changes, renames and removes transit switches in the global northbound database (IC_NB).
  - The sync daemon of each zone creates a logical switch for each of them. Removing a transit switch removes those, with all
    their ports.
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
      - The names of the transit switches. All other options are the same for each of them.
      - A name that a transit router has is rejected, because rows of IC_SB distinguish them only by name.
      - If O(nb_db) is given, a new name that an ordinary logical switch of that zone has is rejected.
    type: list
    elements: str
    required: true
  rename_from:
    description:
      - The former name of a transit switch to be renamed to O(name), which must then list only the new name.
      - The row in IC_NB and all its other columns are kept.
      - Nothing is renamed if O(name) exists and O(rename_from) does not, so the task can be repeated. If both exist or neither does, the
        task fails.
      - The sync daemons of this collection rename their logical switches and the rows in IC_SB. Ports, tunnel keys and routes are kept.
      - Upstream's daemon removes the logical switch with all its ports and creates a new one.
      - Ports keep their names, even if a default name contains the former name.
    type: str
  state:
    description: Whether the transit switches should exist.
    type: str
    choices: [present, absent]
    default: present
  subnets:
    description:
      - The networks of the addresses of router ports on the transit switch. M(ovn.interconnect.ovn_ic_attachment)
        refuses others.
      - Kept in C(external_ids:transit-subnets), without host bits. O(external_ids) cannot change that map key.
      - An empty list removes them; O(purge_external_ids) does not.
      - Each must be a network of unicast addresses that overlaps with no other subnet of this or another transit switch. O(name) may list
        one transit switch only.
      - If O(ic_sb_db) is given, subnets are rejected if a zone has a port on the transit switch outside them.
    type: list
    elements: str
  force:
    description:
      - Whether to remove a transit switch even if it is in use. Its ports and the routes over it are then removed in all zones.
      - Without it, the removal needs O(ic_sb_db), which shows whether a zone has ports on it. The diff lists what each zone loses.
    type: bool
    default: false
seealso:
  - module: ovn.interconnect.ovn_ic_attachment
  - module: ovn.interconnect.ovn_ic_transit_router
  - module: ovn.interconnect.ovn_ic_sync
"""

EXAMPLES = r"""
- name: Create a transit switch
  ovn.interconnect.ovn_ic_transit_switch:
    name: ts1
    subnets:
      - 169.254.100.0/24
    ic_nb_db: tcp:192.0.2.10:6645

- name: Change its external IDs
  ovn.interconnect.ovn_ic_transit_switch:
    name: ts1
    external_ids:
      owner: network team

- name: Rename it, with everything that zones have on it
  ovn.interconnect.ovn_ic_transit_switch:
    name: backbone
    rename_from: ts1

- name: Remove two transit switches that no zone uses
  ovn.interconnect.ovn_ic_transit_switch:
    name:
      - ts2
      - ts3
    state: absent
    ic_sb_db: tcp:192.0.2.10:6646

- name: Remove a transit switch with the ports that zones have on it
  ovn.interconnect.ovn_ic_transit_switch:
    name: ts4
    state: absent
    force: true

- name: Set the connection once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: ssl:192.0.2.10:6645
      private_key: /etc/ovn/ic-privkey.pem
      certificate: /etc/ovn/ic-cert.pem
      ca_cert: /etc/ovn/ic-ca.pem
  tasks:
    - name: Create a transit switch
      ovn.interconnect.ovn_ic_transit_switch:
        name: ts1
"""

RETURN = r"""
transit_switches:
  description: The named transit switches that exist afterwards.
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
  description:
    - The rows that were changed, or would be in check mode, each with its reason.
    - Each value is the complete value of the column. Other rows are shown by name. A switch or router is left out if only its list of ports
      or routes changes and these are listed themselves.
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

from collections.abc import Mapping
from functools import partial
from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, run
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.transit_objects import OPTIONS as SHARED
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.transit_objects import (
    SWITCHES,
    check_rename,
    doing,
    plan,
    refuse_namesake,
    view,
    wanted_keys,
)
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import usage
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.option_checks import map_keys, refuse_kept
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.subnets import SUBNETS, check, subnets_text
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import Database, declare
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, NB
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import KEY_NOTE

DATABASE = declare(
    IC_NB,
    {
        "Transit_Switch": "name ports:refs other_config:map external_ids:map",
        "Transit_Switch_Port": "name addresses:strs",
        "Transit_Router": "name",
    },
)

OPTIONS: dict[str, Any] = {**SHARED, "subnets": {"type": "list", "elements": "str"}}


def _keys(params: Params, now: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str | None]]:
    """The keys to write, including those of the subnets."""
    refuse_kept(now["external_ids"], params["external_ids"], "external_ids", {SUBNETS: "the option subnets"})
    keys = wanted_keys(params, now)
    keys["external_ids"] = map_keys(
        now["external_ids"], params["external_ids"], "external_ids", params["purge_external_ids"], kept=(SUBNETS, KEY_NOTE)
    )
    if params["subnets"] is not None:
        keys["external_ids"][SUBNETS] = subnets_text(params["subnets"]) or None
    return keys


def _subnets(row: Row) -> dict[str, list[str]]:
    return {"subnets": [subnet for subnet in row["external_ids"].get(SUBNETS, "").split(",") if subnet]}


def desired(params: Params, stores: Stores) -> list[Change]:
    """One Change for each transit switch that differs from the options. Raises ModuleError if one is not valid or in
    use.
    """
    refuse_namesake(params, stores, SWITCHES)
    usage.refuse_use(params, stores, SWITCHES.table, SWITCHES.word)
    if params["subnets"] and params["state"] == "present":
        check(params["name"], params["subnets"], stores, params["rename_from"])
    return plan(params, stores[IC_NB], SWITCHES, _keys)


def optional(params: Params) -> list[Database]:
    """IC_SB shows the ports that new subnets or a removal affect, NB the zone's own switches."""
    return [usage.GLOBAL, usage.NORTH] if params["subnets"] or params["state"] == "absent" else [usage.NORTH]


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The named transit switches that exist, by name."""
    return {"transit_switches": view(params, stores[IC_NB], SWITCHES, _subnets)}


def main() -> None:
    """Run the module."""
    run(
        Declaration(
            OPTIONS,
            [DATABASE],
            desired,
            describe,
            doing(SWITCHES.word),
            optional=optional,
            only_read=[NB, IC_SB],
            narrow=usage.narrow,
            widen=partial(usage.widen, table=SWITCHES.table),
            lost=partial(usage.lost, table=SWITCHES.table),
            check=partial(check_rename, kind=SWITCHES),
        )
    )


if __name__ == "__main__":
    main()
