#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_gateway
short_description: Make a chassis a gateway of the interconnect
version_added: 0.1.0
description:
  - Sets C(external_ids:ovn-is-interconn) in the Open vSwitch database of the chassis. Its ovn-controller copies this to the zone's
    southbound database, from which the zone's sync daemon publishes the gateway to the other zones.
  - Runs on the chassis itself.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
options:
  state:
    description: Whether the chassis is a gateway of the interconnect.
    type: str
    choices: [present, absent]
    default: present
  ovs_db:
    description: The database C(Open_vSwitch) of the chassis, as an OVSDB connection method.
    type: str
    default: unix:/var/run/openvswitch/db.sock
  wait_timeout:
    description:
      - Seconds to wait until the zone's southbound database shows the desired state. Only if O(sb_db) is given, which is optional
        here.
      - Not in check mode.
    type: int
    default: 30
seealso:
  - module: ovn.interconnect.ovn_ic_attachment
"""

EXAMPLES = r"""
- name: Make this chassis a gateway, and wait until the zone shows it
  ovn.interconnect.ovn_ic_gateway:
    sb_db: tcp:192.0.2.11:6642

- name: Wait longer
  ovn.interconnect.ovn_ic_gateway:
    sb_db: tcp:192.0.2.11:6642
    wait_timeout: 120

- name: Stop using this chassis as a gateway
  ovn.interconnect.ovn_ic_gateway:
    state: absent

- name: Set the connection once for all modules of a play
  hosts: gateways
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      sb_db: tcp:192.0.2.11:6642
  tasks:
    - name: Make this chassis a gateway
      ovn.interconnect.ovn_ic_gateway:
"""

RETURN = r"""
gateway:
  description: The chassis afterwards.
  returned: success
  type: dict
  contains:
    chassis:
      description: Its name, the system-id of Open vSwitch; empty if it has none.
      type: str
      returned: success
      sample: az1-gw1
    interconn:
      description: Whether it should be a gateway.
      type: bool
      returned: success
      sample: true
    known:
      description: Whether the zone's southbound database shows it as a gateway; V(null) if O(sb_db) is not given.
      type: bool
      returned: success
      sample: true
changes:
  description:
    - The rows that were changed, or would be in check mode, each with its reason.
    - Each value is the complete value of the column. Other rows are shown by name. A switch or router is left out if only its list of ports
      or routes changes and these are listed themselves.
  returned: success
  type: list
  elements: dict
  sample:
    - database: Open_vSwitch
      table: Open_vSwitch
      record: az1-gw1
      action: update
      columns: {external_ids: {ovn-is-interconn: "true", system-id: az1-gw1}}
      reason: state is present
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.arguments import STATE
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change, update
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import effects
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import declare
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.settings import boolean
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import SB

OVS = "Open_vSwitch"
DATABASE = declare(OVS, {"Open_vSwitch": "external_ids:map"})
SOUTH = declare(SB, {"Chassis": "name other_config:map"})
KEY = "ovn-is-interconn"
FLAG = "is-interconn"

OPTIONS: dict[str, Any] = {
    **STATE,
    "ovs_db": {"type": "str", "default": "unix:/var/run/openvswitch/db.sock"},
    "wait_timeout": {"type": "int", "default": 30},
}


def _row(stores: Stores) -> Row:
    row = stores[OVS].only("Open_vSwitch")
    if row is None:
        raise ModuleError("the database is empty; start Open vSwitch on this host with its own scripts", database=OVS)
    return row


def _chassis(stores: Stores) -> Row | None:
    name = _row(stores)["external_ids"].get("system-id")
    return next((row for row in stores[SB].rows("Chassis") if row["name"] == name), None)


def desired(params: Params, stores: Stores) -> list[Change]:
    """One Change of the Open_vSwitch row, if the chassis differs from the desired state."""
    row = _row(stores)
    wanted = params["state"] == "present"
    ids = row["external_ids"]
    if SB in stores and not ids.get("system-id"):
        raise ModuleError("external_ids:system-id is not set, so this host is not a chassis; set it to a chassis name", database=OVS)
    keys = {} if boolean(ids, KEY) == wanted else {KEY: "true" if wanted else None}
    record = ids.get("system-id") or "."
    reason = f"state is {params['state']}"
    return list(update(stores[OVS], "Open_vSwitch", row, record=record, reason=reason, keys={"external_ids": keys}))


def awaited(params: Params, stores: Stores) -> ModuleError | None:
    """What the southbound database does not show yet."""
    if SB not in stores:
        return None
    name, chassis = _row(stores)["external_ids"]["system-id"], _chassis(stores)
    wanted = params["state"] == "present"
    if chassis is None and wanted:
        advice = "check that ovn-controller runs on this host and that external_ids:ovn-remote names this database"
        return ModuleError(f"the zone has no chassis {name!r} yet; {advice}", database=SB)
    if chassis is not None and boolean(chassis["other_config"], FLAG) != wanted:
        state = "not yet" if wanted else "still"
        return ModuleError(f"the chassis {name!r} is {state} a gateway; check that ovn-controller runs on this host", database=SB)
    return None


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The chassis."""
    ids = _row(stores)["external_ids"]
    known = None
    if SB in stores:
        chassis = _chassis(stores)
        known = chassis is not None and boolean(chassis["other_config"], FLAG)
    return {"gateway": {"chassis": ids.get("system-id", ""), "interconn": boolean(ids, KEY), "known": known}}


def warn(params: Params, stores: Stores) -> list[str]:
    """Why the gateway's tunnels cannot reach other zones."""
    ids = _row(stores)["external_ids"]
    return list(effects.of_gateway(ids.get("system-id", ""), ids)) if params["state"] == "present" else []


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return "Configuring this host as a gateway" if params["state"] == "present" else "Removing the gateway role from this host"


def main() -> None:
    """Run the module."""
    run(Declaration(OPTIONS, [DATABASE], desired, describe, doing, optional=[SOUTH], only_read=[SB], awaited=awaited, warn=warn))


if __name__ == "__main__":
    main()
