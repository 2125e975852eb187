#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_global
short_description: Set the options of a whole OVN interconnect
version_added: 0.1.0
description:
  - Sets options that apply to all zones, in C(IC_NB_Global.options) of the global northbound database (IC_NB).
  - An option that is omitted is not changed.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
options:
  vxlan_mode:
    description:
      - Whether to use tunnel keys that VXLAN can carry. It takes effect when a gateway has an encapsulation of type V(vxlan).
      - Changing it gives all transit switches new keys, in all zones; packets are lost until every zone has them.
      - V(true) is rejected while there are transit routers, because their keys do not fit.
    type: bool
  ic_probe_interval:
    description: Milliseconds between the inactivity probes of the daemons' connections to the global databases; 0 disables probes.
    type: int
seealso:
  - module: ovn.interconnect.ovn_ic_transit_switch
"""

EXAMPLES = r"""
- name: Use keys that VXLAN can carry
  ovn.interconnect.ovn_ic_global:
    vxlan_mode: true
    ic_nb_db: tcp:192.0.2.10:6645

- name: Probe more often
  ovn.interconnect.ovn_ic_global:
    ic_probe_interval: 20000

- name: Turn the mode off
  ovn.interconnect.ovn_ic_global:
    vxlan_mode: false

- name: Set the connection once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: tcp:192.0.2.10:6645
  tasks:
    - name: Probe more often
      ovn.interconnect.ovn_ic_global:
        ic_probe_interval: 20000
"""

RETURN = r"""
global:
  description: The options afterwards.
  returned: success
  type: dict
  contains:
    vxlan_mode:
      description: Whether the mode is on.
      type: bool
      returned: success
      sample: false
    ic_probe_interval:
      description: The interval in milliseconds, V(null) if none is set.
      type: int
      returned: success
      sample: 20000
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
      table: IC_NB_Global
      record: .
      action: update
      columns: {options: {vxlan_mode: "true"}}
      reason: the options differ
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change, insert, update
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import declare
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.settings import boolean, integer
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB

TABLE = "IC_NB_Global"
DATABASE = declare(IC_NB, {TABLE: "options:map", "Transit_Router": "name"})
PROBE = "ic_probe_interval"
NONE = -1
#: The highest value that the daemons can read: they use a signed 32-bit integer.
LONGEST = 2**31 - 1

OPTIONS: dict[str, Any] = {"vxlan_mode": {"type": "bool"}, "ic_probe_interval": {"type": "int"}}


def _options(stores: Stores) -> dict[str, str]:
    row = stores[IC_NB].only(TABLE)
    options: dict[str, str] = row["options"] if row is not None else {}
    return options


def _check(params: Params, stores: Stores) -> None:
    routers = sorted(row["name"] for row in stores[IC_NB].rows("Transit_Router"))
    if params["vxlan_mode"] and routers:
        raise ModuleError(
            "the keys of transit routers do not fit into VXLAN, and these transit routers exist: "
            f"{', '.join(routers)}; remove them, or leave vxlan_mode off",
            database=IC_NB,
        )
    if params[PROBE] is not None and not 0 <= params[PROBE] <= LONGEST:
        raise ModuleError(
            f"ic_probe_interval is {params[PROBE]}; set it to a number of milliseconds up to {LONGEST}, or to 0 to disable probes"
        )


def desired(params: Params, stores: Stores) -> list[Change]:
    """One Change of the global row, if an option differs."""
    _check(params, stores)
    store, options, keys = stores[IC_NB], _options(stores), {}
    if params["vxlan_mode"] is not None and boolean(options, "vxlan_mode") != params["vxlan_mode"]:
        keys["vxlan_mode"] = "true" if params["vxlan_mode"] else "false"
    if params[PROBE] is not None and integer(options, PROBE, NONE) != params[PROBE]:
        keys[PROBE] = str(params[PROBE])
    row = store.only(TABLE)
    if row is not None:
        return list(update(store, TABLE, row, record=".", reason="the options differ", keys={"options": keys}))
    return [insert(store, TABLE, {"options": keys}, record=".", reason="the options differ")] if keys else []


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The options."""
    options = _options(stores)
    interval = integer(options, PROBE, NONE)
    return {"global": {"vxlan_mode": boolean(options, "vxlan_mode"), PROBE: None if interval == NONE else interval}}


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return "Setting the options of the interconnect"


def main() -> None:
    """Run the module."""
    run(Declaration(OPTIONS, [DATABASE], desired, describe, doing, constraints={"required_one_of": [sorted(OPTIONS)]}))


if __name__ == "__main__":
    main()
