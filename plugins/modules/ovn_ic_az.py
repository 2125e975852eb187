#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_az
short_description: Name an OVN deployment as a zone of the interconnect, and register it
version_added: 0.1.0
description:
  - Sets the name of an availability zone, C(NB_Global.name) in its northbound database. The sync daemon of the zone then registers it.
  - If O(ic_sb_db) is given, it also registers the zone in the global southbound database (IC_SB), by the rules of the sync daemon; a
    name that another deployment has registered is rejected before anything is written.
  - If a registered zone gets another name, it is renamed, with all of its rows in IC_SB.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
options:
  name:
    description:
      - The name of the zone, unique in the interconnect. Needed with O(state=present).
      - With O(state=absent), a zone with another name is not changed.
    type: str
  state:
    description:
      - V(present) names the zone; V(absent) removes its name.
      - A zone without a name is withdrawn from the interconnect, with its gateways, ports and routes; at once if O(ic_sb_db) is given,
        otherwise by its sync daemon.
    type: str
    choices: [present, absent]
    default: present
  claim:
    description:
      - Takes over the registration of O(name) in IC_SB, even if another deployment has claimed it, or if the zone has none of its gateways
        and routers. Use it for a zone whose databases were lost, or restored from an old copy.
      - Use it only for a name that no other deployment has, because that deployment would lose its registration. Needs O(ic_sb_db).
    type: bool
    default: false
  purge:
    description:
      - With O(state=absent), removes the zone O(name) from IC_SB, with its gateways, ports and routes, in one transaction. Use it for a
        zone whose deployment is lost, or has lost its databases. The other zones then drop its chassis, ports and routes.
      - Needs only O(ic_sb_db). The zone must not have a running daemon, which would register it again.
      - Rejected for the zone of O(nb_db), if that is given. If O(ic_nb_db) is given and the databases have counters (OVN 24.03), also
        rejected if the zone has confirmed the newest request. Without any request, or with older databases, the module cannot detect
        whether the zone is alive.
    type: bool
    default: false
notes:
  - O(ic_sb_db) and O(sb_db) are optional here. O(sb_db) is needed to take over a registration that upstream's daemon created, because the
    zone's chassis prove that it belongs to this zone.
seealso:
  - module: ovn.interconnect.ovn_ic_route_policy
  - module: ovn.interconnect.ovn_ic_gateway
  - module: ovn.interconnect.ovn_ic_wait
  - module: ovn.interconnect.ovn_ic_sync
"""

EXAMPLES = r"""
- name: Name the zone and register it
  ovn.interconnect.ovn_ic_az:
    name: az1
    ic_sb_db: tcp:192.0.2.10:6646
    sb_db: unix:/var/run/ovn/ovnsb_db.sock

- name: Give it another name
  ovn.interconnect.ovn_ic_az:
    name: berlin

- name: Take over the registration that the zone had before its databases were lost
  ovn.interconnect.ovn_ic_az:
    name: berlin
    claim: true
    ic_sb_db: tcp:192.0.2.10:6646

- name: Remove the zone from the interconnect
  ovn.interconnect.ovn_ic_az:
    name: berlin
    state: absent

- name: Remove the remaining rows of a lost zone
  ovn.interconnect.ovn_ic_az:
    name: madrid
    state: absent
    purge: true
    ic_nb_db: tcp:192.0.2.10:6645
    ic_sb_db: tcp:192.0.2.10:6646

- name: Set the connections once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      nb_db: tcp:192.0.2.11:6641
      ic_sb_db: tcp:192.0.2.10:6646
  tasks:
    - name: Name the zone and register it
      ovn.interconnect.ovn_ic_az:
        name: az1
"""

RETURN = r"""
zone:
  description: The zone afterwards.
  returned: success
  type: dict
  contains:
    name:
      description: Its name, empty if it has none.
      type: str
      returned: success
      sample: az1
    registered:
      description: Whether IC_SB has a row of this zone; V(null) if O(ic_sb_db) is not given.
      type: bool
      returned: success
      sample: true
    uuid:
      description: The uuid of that row.
      type: str
      returned: success
      sample: 0f3d38f1-6a39-4b52-9d1e-6c0f0c8a27c4
changes:
  description:
    - The rows that were changed, or would be in check mode, each with its reason.
    - Each value is the complete value of the column. Other rows are shown by name. A switch or router is left out if only its list of ports
      or routes changes and these are listed themselves.
  returned: success
  type: list
  elements: dict
  sample:
    - database: OVN_Northbound
      table: NB_Global
      record: az1
      action: update
      columns: {name: az1}
      reason: the zone is being named az1
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.arguments import STATE
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change, insert, update
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.option_checks import checked_name
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.registration import (
    narrowed,
    purge,
    refusal,
    registration,
    zone_of,
)
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import Database
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, NB, SB

DATABASE = narrowed(NB, {"NB_Global": "name options:map external_ids:map", "Logical_Router": "name", "Logical_Switch": "name"})
GLOBAL = narrowed(
    IC_SB,
    {
        "IC_SB_Global": "nb_ic_cfg:int external_ids:map",
        "Availability_Zone": "name nb_ic_cfg:int",
        "Gateway": "name availability_zone:uuid",
        "Port_Binding": "logical_port availability_zone:uuid external_ids:map",
        "Route": "ip_prefix nexthop transit_switch availability_zone:uuid",
        "Address_Set": "name availability_zone:uuid",
        "Service_Monitor": "logical_port source_availability_zone",
    },
)
SOUTH = narrowed(SB, {"Chassis": "name other_config:map"})
NORTH = narrowed(IC_NB, {"IC_NB_Global": "nb_ic_cfg:int sb_ic_cfg:int"})

OPTIONS: dict[str, Any] = {
    "name": {"type": "str"},
    **STATE,
    "claim": {"type": "bool", "default": False},
    "purge": {"type": "bool", "default": False},
}


def needed(params: Params) -> list[Database]:
    """A dead zone is purged without its own databases."""
    return [GLOBAL] if params["purge"] else [DATABASE]


def optional(params: Params) -> list[Database]:
    """The databases that are used if they are given."""
    return [DATABASE, NORTH] if params["purge"] else [GLOBAL, SOUTH]


def desired(params: Params, stores: Stores) -> list[Change]:
    """The zone's name, and the next steps of its registration; or the removal of a dead zone."""
    claim = params["claim"]
    if claim and (params["state"] == "absent" or IC_SB not in stores):
        raise ModuleError("claim needs state present and ic_sb_db; set both, or omit claim")
    if params["purge"]:
        if params["state"] == "present":
            raise ModuleError("purge needs state absent; set it, or omit purge")
        return purge(stores, params["name"])
    store = stores[NB]
    row = store.only("NB_Global")
    name = checked_name(params["name"], "name") if params["state"] == "present" else ""
    if not name and params["name"] and row is not None and row["name"] not in ("", params["name"]):
        return []  # a zone with another name
    if IC_SB in stores and name:
        refused = refusal(stores, name, claim)
        if refused is not None:
            raise ModuleError(refused, database=IC_SB)
    reason = f"the zone is being named {name}" if name else "the zone's name is being removed"
    if row is None:
        return [insert(store, "NB_Global", {"name": name}, record=name, reason=reason)] if name else []
    changes = list(update(store, "NB_Global", row, record=name or row["name"], reason=reason, columns={"name": name}))
    # The registration follows the name: it is what the daemon would do after the name is written.
    return changes or (registration(stores, claim) if IC_SB in stores else [])


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The zone's name and row."""
    if params["purge"]:
        found = zone_of(stores).ic_sb.first("Availability_Zone", "name", params["name"])
        return {"zone": {"name": params["name"], "registered": found is not None, "uuid": found.uuid if found is not None else None}}
    row = stores[NB].only("NB_Global")
    own = zone_of(stores).own_az if IC_SB in stores else None
    registered = own is not None if IC_SB in stores else None
    return {
        "zone": {"name": row["name"] if row is not None else "", "registered": registered, "uuid": own.uuid if own is not None else None}
    }


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    if params["purge"]:
        return f"Purging the zone {params['name']!r}"
    return f"Naming the zone {params['name']!r}" if params["state"] == "present" else "Removing the zone's name"


def main() -> None:
    """Run the module."""
    constraints = {"required_if": [("state", "present", ["name"]), ("purge", True, ["name"])]}
    run(Declaration(OPTIONS, needed, desired, describe, doing, optional=optional, only_read=[SB, IC_NB], constraints=constraints))


if __name__ == "__main__":
    main()
