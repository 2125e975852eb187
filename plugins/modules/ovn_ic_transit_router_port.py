#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_transit_router_port
short_description: Manage a port of a transit router of an OVN interconnect
version_added: 0.1.0
description:
  - Creates, changes and removes one port of a transit router in the global northbound database (IC_NB).
  - The sync daemons create a logical router port for it in every zone. It is bound to its chassis if it has one; otherwise it is local to
    every zone.
  - None is created while O(ovn.interconnect.ovn_ic_global#module:vxlan_mode) is on, because the tunnel keys of transit routers do not fit
    into VXLAN.
  - Needs an IC_NB with schema version 1.3.0 (OVN 26.03) or newer.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
  - ovn.interconnect.columns.other_config
options:
  name:
    description: The name of the port, unique in the interconnect.
    type: str
    required: true
  transit_router:
    description:
      - The transit router to which the port belongs. Needed with O(state=present).
      - A port of another transit router is moved.
    type: str
  state:
    description: Whether the port should exist.
    type: str
    choices: [present, absent]
    default: present
  chassis:
    description:
      - The name of the chassis that the port is bound to; the zone of that chassis owns the port.
      - A port without a chassis is local to every zone, and all zones share one row in IC_SB. Upstream's daemon of OVN 26.09.0 and earlier
        ignores such a port.
      - An empty value removes the chassis from a port.
    type: str
  mac:
    description: The MAC address of the port. Needed for a new port. A MAC that another port of the transit router has is rejected.
    type: str
  networks:
    description:
      - The addresses of the port with their prefix lengths. A port can have none.
      - Addresses that no router port can have are rejected, such as network, broadcast, multicast, loopback and link-local addresses, and
        networks that overlap with those of another port of the transit router.
      - An empty list removes all of them.
    type: list
    elements: str
notes:
  - O(ic_sb_db) is optional here. Upstream's daemon never deletes the row in IC_SB of a port that was removed or moved to the chassis of
    another zone, and then the new zone cannot publish the port. If O(ic_sb_db) is given, such a row is removed. It is found by the gateway
    with the name in O(chassis).
seealso:
  - module: ovn.interconnect.ovn_ic_transit_router
"""

EXAMPLES = r"""
- name: Add a port in zone az1 to a transit router
  ovn.interconnect.ovn_ic_transit_router_port:
    name: tr1-az1
    transit_router: tr1
    chassis: az1-gw1
    mac: aa:aa:aa:01:00:01
    networks:
      - 10.100.1.1/24
    ic_nb_db: tcp:192.0.2.10:6645

- name: Move it to a chassis of another zone
  ovn.interconnect.ovn_ic_transit_router_port:
    name: tr1-az1
    transit_router: tr1
    chassis: az2-gw1
    ic_sb_db: tcp:192.0.2.10:6646

- name: Add a port that is local to every zone
  ovn.interconnect.ovn_ic_transit_router_port:
    name: tr1-all
    transit_router: tr1
    mac: aa:aa:aa:01:00:ff
    ic_nb_db: tcp:192.0.2.10:6645

- name: Remove it
  ovn.interconnect.ovn_ic_transit_router_port:
    name: tr1-az1
    state: absent

- name: Set the connection once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: tcp:192.0.2.10:6645
  tasks:
    - name: Remove a port
      ovn.interconnect.ovn_ic_transit_router_port:
        name: tr1-az1
        state: absent
"""

RETURN = r"""
transit_router_port:
  description: The port afterwards, empty if it does not exist.
  returned: success
  type: dict
  sample:
    name: tr1-az1
    uuid: 5f5ac9a7-0a3b-4c5e-9d1f-4bb2c1d2ce0a
    transit_router: tr1
    tr_uuid: 0f3d38f1-6a39-4b52-9d1e-6c0f0c8a27c4
    chassis: az1-gw1
    mac: aa:aa:aa:01:00:01
    networks: [10.100.1.1/24]
    other_config: {}
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
      table: Transit_Router_Port
      record: tr1-az1
      action: update
      columns: {chassis: az2-gw1}
      reason: the options differ
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.arguments import map_options
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, run
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.port_addressing import router_port_addresses
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.transit_objects import doing, refuse_vxlan
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.transit_ports import (
    OF_ROUTER,
    holder_of,
    make_port,
    named,
    remove_port,
    require,
    view,
)
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change, delete
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import effects
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.option_checks import checked_name, present_name
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import declare
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB

DATABASE = declare(
    IC_NB,
    {
        "Transit_Router": "name ports:refs",
        "Transit_Router_Port": "name mac networks:strs chassis tr_uuid:uuid other_config:map",
        "Transit_Switch_Port": "name",
        "IC_NB_Global": "options:map",
    },
)
GLOBAL = declare(
    IC_SB,
    {"Gateway": "name availability_zone:uuid", "Port_Binding": "logical_port transit_switch availability_zone:uuid type:optstr"},
)

OPTIONS: dict[str, Any] = {
    **OF_ROUTER.options,
    "mac": {"type": "str"},
    "networks": {"type": "list", "elements": "str"},
    **map_options("other_config"),
}


def _make(params: Params, store: Store, name: str) -> list[Change]:
    chassis = checked_name(params["chassis"], "chassis") if params["chassis"] else params["chassis"]
    router = holder_of(params, store, OF_ROUTER, name)
    row = named(store, OF_ROUTER.ports, name)
    if row is None:
        refuse_vxlan(store)
    if params["mac"] is None and row is None:
        raise ModuleError(f"port {name!r} does not exist yet; set mac, so that it can be created", database=IC_NB)
    mac, networks = router_port_addresses(params, store, router, name)
    columns = {"chassis": chassis, "mac": mac, "networks": networks}
    maps = {"other_config": (params["other_config"], params["purge_other_config"])}
    return make_port(store, OF_ROUTER, router, name, {**columns, "tr_uuid": router.uuid}, maps)


def _stale(params: Params, store: Store) -> list[Change]:
    """Rows of the port that upstream's daemon does not delete (spec ports-5)."""
    chassis = params["chassis"] if params["state"] == "present" else None
    gateway = named(store, "Gateway", chassis) if chassis else None
    rows = [row for row in store.rows("Port_Binding") if (row["logical_port"], row["type"]) == (params["name"], "transit-router-port")]
    if params["state"] == "present":
        rows = [row for row in rows if gateway is not None and row["availability_zone"] != gateway["availability_zone"]]
    reason = "its zone no longer has the port"
    return [delete(store, "Port_Binding", row, record=row["logical_port"], reason=reason) for row in rows]


def desired(params: Params, stores: Stores) -> list[Change]:
    """The Changes of the port and its transit router, then the deletion of rows that remain of a removed port."""
    store = stores[IC_NB]
    require(store, "Transit_Router_Port", "transit routers", "1.3.0", "26.03")
    name = present_name(params["name"], "name", params["state"])
    changes = remove_port(store, OF_ROUTER, name) if params["state"] == "absent" else _make(params, store, name)
    return changes or (_stale(params, stores[IC_SB]) if IC_SB in stores else [])


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The port."""
    return {"transit_router_port": view(stores[IC_NB], OF_ROUTER, params["name"])}


def warn(params: Params, stores: Stores) -> list[str]:
    """Why no zone creates the port, as far as IC_SB shows it."""
    wanted = params["state"] == "present" and IC_SB in stores
    return list(effects.of_chassis(params["chassis"] or "", stores[IC_SB])) if wanted else []


def main() -> None:
    """Run the module."""
    constraints = {"required_if": [("state", "present", ["transit_router"])]}
    run(
        Declaration(
            OPTIONS,
            [DATABASE],
            desired,
            describe,
            doing("transit router port"),
            optional=[GLOBAL],
            constraints=constraints,
            warn=warn,
        )
    )


if __name__ == "__main__":
    main()
