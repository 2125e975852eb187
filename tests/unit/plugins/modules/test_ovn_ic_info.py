# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts, as far as they are made without a server."""

from __future__ import annotations

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import facts
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_info as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import params, put, stores


def interconnect() -> dict[str, Store]:
    return stores(facts.GLOBAL_NORTH, facts.GLOBAL_SOUTH)


def test_an_empty_interconnect_has_nothing() -> None:
    shown = facts.describe({}, interconnect())
    assert shown["counters"] == {"requested": 0, "confirmed": 0}
    assert not any(shown[part] for part in ("zones", "gateways", "datapaths", "ports", "routes", "laggards", "transit_switches"))


def test_rows_are_shown_with_the_names_of_what_they_refer_to() -> None:
    contents = interconnect()
    south = contents[IC_SB]
    az = put(south, "Availability_Zone", name="az1", nb_ic_cfg=2)
    router = put(contents[IC_NB], "Transit_Router", name="tr1")
    put(contents[IC_NB], "IC_NB_Global", nb_ic_cfg=3, sb_ic_cfg=1)
    encaps = {put(south, "Encap", type="vxlan", ip="192.0.2.1"), put(south, "Encap", type="geneve", ip="192.0.2.1")}
    put(south, "Gateway", name="gw1", availability_zone=az, encaps=encaps)
    put(south, "Datapath_Binding", type="transit-router", nb_ic_uuid=router, tunnel_key=5)
    put(south, "Datapath_Binding", transit_switch="ts1", tunnel_key=4)
    put(south, "Port_Binding", logical_port="p1", availability_zone=az, external_ids={"router-id": "r1"})
    put(south, "Route", ip_prefix="10.0.0.0/8", availability_zone="gone")
    shown = facts.describe({}, contents)
    assert shown["zones"] == [{"name": "az1", "uuid": az, "confirmed": 2}]
    assert shown["laggards"] == ["az1"]
    assert [one["type"] for one in shown["gateways"][0]["encaps"]] == ["geneve", "vxlan"]
    assert [(one["name"], one["tunnel_key"]) for one in shown["datapaths"]] == [("tr1", 5), ("ts1", 4)]
    assert (shown["ports"][0]["zone"], shown["ports"][0]["router_id"]) == ("az1", "r1")
    assert shown["routes"][0]["zone"] == ""


def test_schemas_without_counters_have_none() -> None:
    contents = interconnect()
    put(contents[IC_SB], "Availability_Zone", name="az1")
    del contents[IC_SB].schema.json["tables"]["Availability_Zone"]["columns"]["nb_ic_cfg"]
    shown = facts.describe({}, contents)
    assert (shown["counters"], shown["laggards"], shown["zones"][0]["confirmed"]) == ({}, [], None)


def test_everything_is_gathered_by_default() -> None:
    assert params(module)["gather"] == sorted(module.TABLES)
