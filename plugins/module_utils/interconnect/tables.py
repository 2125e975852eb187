# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OVN's four databases: the tables and columns that the interconnect uses (see :func:`~.ovsdb.columns.declare`)."""

from __future__ import annotations

from collections.abc import Mapping

from .ovsdb.columns import Database, declare

NB = "OVN_Northbound"
SB = "OVN_Southbound"
IC_NB = "OVN_IC_Northbound"
IC_SB = "OVN_IC_Southbound"

NORTHBOUND = declare(
    NB,
    {
        "NB_Global": "name options:map external_ids:map",
        "Logical_Switch": "name ports:refs other_config:map external_ids:map",
        "Logical_Switch_Port": "name addresses:strs options:map type* up:optbool enabled:optbool peer:optstr external_ids:map",
        "Logical_Router": "name static_routes:refs ports:refs options:map external_ids:map enabled:optbool"
        " load_balancer:refs load_balancer_group:refs",
        "Logical_Router_Port": "name mac networks:strs options:map external_ids:map enabled:optbool",
        "Logical_Router_Static_Route": "ip_prefix nexthop* output_port:optstr policy:optstr route_table* options:map external_ids:map",
        "Load_Balancer": "vips:map",
        "Load_Balancer_Group": "load_balancer:refs",
        "Address_Set": "name addresses:strs options:map external_ids:map",
    },
)

SOUTHBOUND = declare(
    SB,
    {
        "SB_Global": "options:map",
        "Chassis": "name hostname encaps:refs other_config:map external_ids:map",
        "Encap": "type* ip options:map chassis_name",
        "Datapath_Binding": "type:optstr* nb_uuid:optuuid external_ids:map",
        "Port_Binding": "logical_port datapath:uuid* type* mac:strs options:map chassis:optuuid up:optbool",
        "Service_Monitor": "type:optstr* ip port:int protocol:optstr logical_port src_ip src_mac status:optstr options:map"
        " external_ids:map chassis_name remote:bool ic_learned:bool",
        "Learned_Route": "datapath:uuid* ip_prefix nexthop*",
        "Address_Set": "name addresses:strs options:map",
    },
)

IC_NORTHBOUND = declare(
    IC_NB,
    {
        "IC_NB_Global": "nb_ic_cfg:int sb_ic_cfg:int options:map external_ids:map",
        "Transit_Switch": "name ports:refs other_config:map external_ids:map",
        "Transit_Switch_Port": "name type* chassis peer addresses:strs other_config:map external_ids:map",
        "Transit_Router": "name ports:refs other_config:map external_ids:map",
        "Transit_Router_Port": "name mac networks:strs chassis tr_uuid:uuid other_config:map",
    },
)

IC_SOUTHBOUND = declare(
    IC_SB,
    {
        "IC_SB_Global": "nb_ic_cfg:int options:map external_ids:map",
        "Availability_Zone": "name nb_ic_cfg:int",
        "Gateway": "name availability_zone:uuid* hostname encaps:refs external_ids:map",
        "Encap": "type* ip options:map gateway_name",
        "Datapath_Binding": "transit_switch* tunnel_key:int type:optstr* nb_ic_uuid:optuuid external_ids:map",
        "Port_Binding": "logical_port transit_switch* availability_zone:uuid* tunnel_key:int gateway* address type:optstr*"
        " nb_ic_uuid:optuuid external_ids:map",
        "Route": "transit_switch* availability_zone:uuid* route_table* ip_prefix nexthop* origin* options:map external_ids:map",
        "Service_Monitor": "type:optstr* ip port:int protocol:optstr logical_port src_ip src_mac status:optstr options:map"
        " external_ids:map source_availability_zone target_availability_zone",
        "Address_Set": "name addresses:strs availability_zone:uuid* external_ids:map",
    },
)

#: The four databases of a zone, by name.
DATABASES: Mapping[str, Database] = {db.name: db for db in (NORTHBOUND, SOUTHBOUND, IC_NORTHBOUND, IC_SOUTHBOUND)}
