# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong input to each module, on real servers: both modes end with the same clear sentence, and nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.tests.support.modules import run_module
from ansible_collections.ovn.interconnect.tests.support.world import World

pytestmark = pytest.mark.ours("modules")

NEW = {"router": "lr1", "transit_switch": "ts1", "mac": "02:00:00:00:00:01", "networks": ["169.254.100.1/24"]}
SWITCH_PORT = {"name": "tsp", "transit_switch": "ts1"}
ROUTER_PORT = {"name": "trp", "transit_router": "tr1", "mac": "02:00:00:00:00:09"}
ZONE, GLOBAL = ("nb", "sb", "ic_nb", "ic_sb"), ("ic_nb", "ic_sb")
RELAY, READ_ONLY = "it is a relay", "the server is read-only for this client"
CONTROL, NO_DATABASE, NO_SOCKET = "it is the control socket", "it has no database", "No such file or directory"
FOREIGN = "does not belong to the same zone as OVN_Northbound"

#: By module: the databases that it takes, what is given beside the wrong input, and each wrong input with a part of the
#: message. A ``{place}`` is where a server of the world is.
INPUTS: dict[str, tuple[Sequence[str], dict[str, Any], list[tuple[dict[str, Any], str]]]] = {
    "ovn_ic_attachment": (
        ZONE,
        NEW,
        [
            ({"router": ["lr1"]}, "router has a list (['lr1']) where it takes a text"),
            ({"router": "lr9"}, "router 'lr9' does not exist"),
            ({"transit_switch": "ts9"}, "transit switch 'ts9' does not exist"),
            ({"mac": ""}, "mac is empty"),
            ({"networks": "169.254.100.1"}, "without a prefix length"),
            ({"gateways": ["gw1"]}, "gateways has 'gw1' where it takes a dictionary"),
            ({"gateways": [{"chassis": "gw\t1"}]}, "contains a control character"),
            ({"gateways": [{"chassis": "gw7"}]}, "is a gateway of another zone"),
            ({"ha_chassis_group": {"name": "x" * 256, "chassis": []}}, "has 256 characters"),
            ({"ha_chassis_group": {"name": "g"}}, "HA chassis group 'g' does not exist"),
            ({"port": "lr2-lan"}, "belongs to another router"),
            ({"routr": "x"}, "transit_switch; routr looks like the option router: correct the name"),
            ({"timeout": 0}, "timeout is 0"),
            ({"nb_db": "{nb_control}"}, CONTROL),
            ({"nb_db": "{nb_relay}"}, RELAY),
            ({"nb_db": "{nb_backup}"}, READ_ONLY),
            ({"nb_db": "{sb}"}, NO_DATABASE),
            ({"nb_db": "{nobody}"}, NO_SOCKET),
            ({"sb_db": "{sb_of_az2}"}, FOREIGN),
            ({"nb_db": "{nb_of_az2}", "router": "lr9"}, FOREIGN),
        ],
    ),
    "ovn_ic_az": (
        ("nb", "sb", "ic_sb"),
        {"name": "az5"},
        [
            ({"name": ["az5"]}, "name has a list (['az5']) where it takes a text"),
            ({"name": {"a": 1}}, "name has a dictionary"),
            ({"purge": True}, "purge needs state absent"),
            ({"nb_db": "{nb_backup}"}, READ_ONLY),
            ({"ic_sb_db": "{ic_nb}"}, NO_DATABASE),
            ({"sb_db": "{sb_of_az2}"}, FOREIGN),
        ],
    ),
    "ovn_ic_transit_switch": (
        GLOBAL,
        {"name": "ts3"},
        [
            ({"name": [["ts3"]]}, "name has a list (['ts3']) where it takes a text"),
            ({"external_ids": {"transit-subnets": "foo"}}, "which the option subnets sets"),
            ({"name": "ts1", "state": "absent"}, "is in use: zone 'az1' has port 'p1'"),
            ({"stat": "absent"}, "stat looks like the option state"),
            ({"ic_nb_db": "{ic_nb_backup}"}, READ_ONLY),
            ({"ic_nb_db": "{ic_nb_relay}"}, RELAY),
            ({"ic_nb_db": "{nb}"}, NO_DATABASE),
            ({"name": "lr1", "nb_db": "{nb_control}"}, CONTROL),
        ],
    ),
    "ovn_ic_transit_router": (
        GLOBAL,
        {"name": "tr3"},
        [
            ({"name": "ts1"}, "a transit switch has the name 'ts1'"),
            ({"ic_nb_db": "{ic_nb_old}"}, "need version 1.3.0"),
            ({"ic_nb_db": "{ic_nb_backup}"}, READ_ONLY),
        ],
    ),
    "ovn_ic_transit_switch_port": (
        GLOBAL,
        SWITCH_PORT,
        [
            ({"transit_switch": "tr1"}, "transit switch 'tr1' does not exist"),
            ({"type": "patch"}, "which OVN does not support"),
            ({"addresses": ["02:00:00:00:00:01 224.0.0.5"]}, "a multicast address"),
            ({"ic_nb_db": "{ic_nb_old}"}, "need version 1.4.0"),
            ({"ic_sb_db": "{ic_sb_control}"}, CONTROL),
            ({"ic_nb_db": "{ic_nb_backup}"}, READ_ONLY),
        ],
    ),
    "ovn_ic_transit_router_port": (
        GLOBAL,
        ROUTER_PORT,
        [
            ({"transit_router": "ts1"}, "transit router 'ts1' does not exist"),
            ({"networks": ["10.0.0.0/24"]}, "the network address"),
            ({"chassis": {"a": 1}}, "chassis has a dictionary"),
            ({"ic_sb_db": "{ic_nb}"}, NO_DATABASE),
            ({"ic_nb_db": "{ic_nb_backup}"}, READ_ONLY),
        ],
    ),
    "ovn_ic_route_policy": (
        ("nb",),
        {"advertise": True},
        [
            ({"denylist": ["10.0.0.0/40"]}, "at most 32"),
            ({"lern": True}, "lern looks like the option learn"),
            ({"nb_db": "{ovs}"}, NO_DATABASE),
            ({"nb_db": "{nb_backup}"}, READ_ONLY),
        ],
    ),
    "ovn_ic_global": (
        ("ic_nb",),
        {},
        [
            ({"ic_probe_interval": 99999999999}, "set it to a number of milliseconds up to 2147483647"),
            ({"vxlan_mode": True}, "exist: tr1, tr2"),
            ({"ic_probe_interval": 7, "ic_nb_db": "{ic_nb_backup}"}, READ_ONLY),
        ],
    ),
    "ovn_ic_connection": (
        GLOBAL,
        {"database": "ic_nb"},
        [
            ({"connections": ["ptcp:1"]}, "connections has 'ptcp:1' where it takes a dictionary"),
            ({"connections": [{"target": "ptcp:99999"}]}, "give a number up to 65535"),
            ({"connections": [{"target": "ptcp:6645"}], "ic_nb_db": "{ic_nb_relay}"}, RELAY),
            ({"connections": [{"target": "ptcp:6645"}], "ic_nb_db": "{ic_nb_backup}"}, READ_ONLY),
        ],
    ),
    "ovn_ic_gateway": (
        ("ovs",),
        {},
        [
            ({"wait_timeout": -1}, "wait_timeout is -1"),
            ({"ovs_db": "{ovs_empty}"}, "the database is empty; start Open vSwitch"),
            ({"ovs_db": "{nb}"}, NO_DATABASE),
            ({"sb_db": "{nobody}"}, NO_SOCKET),
        ],
    ),
    "ovn_ic_sync": (
        ZONE,
        {},
        [
            ({"wait_timeout": -1}, "wait_timeout is -1"),
            ({"sb_db": "{sb_of_az2}"}, FOREIGN),
            ({"nb_db": "{nb_of_az2}"}, FOREIGN),
            ({"sb_db": "{sb_backup}"}, READ_ONLY),
            ({"nb_db": "{nb_backup}"}, READ_ONLY),
            ({"ic_sb_db": "{ic_sb_relay}"}, RELAY),
            ({"ic_nb_db": "{ic_sb}"}, NO_DATABASE),
        ],
    ),
    "ovn_ic_wait": (
        GLOBAL,
        {},
        [
            ({"zones": ["az7"]}, "no zone is named 'az7' (registered: az1)"),
            ({"ic_nb_db": "{ic_nb_old}"}, "since version 1.1.0"),
            ({"ic_sb_db": "{ic_nb}"}, NO_DATABASE),
        ],
    ),
    "ovn_ic_info": (
        GLOBAL,
        {},
        [({"gather": ["x"]}, "value of gather must be one or more of"), ({"ic_sb_db": "{ic_sb_control}"}, CONTROL)],
    ),
    "ovn_ic_route_info": (
        ZONE,
        {},
        [
            ({"prefix": "10.0.0.0/40"}, "an IPv4 prefix length is at most 32"),
            ({"prefix": "lan"}, "neither a network nor an address"),
            ({"sb_db": "{sb_of_az2}"}, FOREIGN),
        ],
    ),
    "ovn_ic_doctor_info": (ZONE, {}, [({"checks": []}, "checks is an empty list"), ({"sb_db": "{sb_of_az2}"}, FOREIGN)]),
    "ovn_ic_backup": (
        GLOBAL,
        {"database": "ic_nb", "path": "{dir}/backup.db"},
        [
            ({"path": ""}, "the path is empty"),
            ({"path": "backup.db"}, "'backup.db' is a relative path"),
            ({"path": "{dir}/nb.db"}, "is the file of a running ovsdb-server"),
            ({"path": ["/tmp/x"]}, "path has a list"),
            ({"ic_nb_db": "{ic_nb_control}"}, "this is the control socket of a daemon"),
            ({"ic_nb_db": "{nobody}"}, NO_SOCKET),
        ],
    ),
    "ovn_ic_backup_info": (
        (),
        {},
        [({"file": "{dir}"}, "cannot be read"), ({"file": "{dir}/nb.log"}, "does not contain a standalone database")],
    ),
    "ovn_ic_schema": (
        (),
        {"file": "{dir}/ic_nb_old.db", "schema": "/usr/share/ovn/ovn-ic-nb.ovsschema"},
        [
            ({"schema": "/usr/share/ovn/ovn-ic-sb.ovsschema"}, "the schema is that of OVN_IC_Southbound"),
            ({"schema": "{dir}/nb.log"}, "does not contain an OVSDB schema"),
            ({"file": "{dir}/none.db"}, "cannot be read"),
        ],
    ),
    "ovn_ic_cluster": (
        (),
        {"database": "ic_nb", "control_socket": "{dir}/ic_nb.ctl"},
        [
            ({}, "has no cluster of OVN_IC_Northbound"),
            ({"control_socket": "{dir}/ic_nb.sock"}, "this is the socket of a database"),
            ({"control_socket": "{dir}/none.ctl"}, NO_SOCKET),
            ({"election_timer": 5}, "set it to a value from 100 to 600000 milliseconds"),
        ],
    ),
    "ovn_ic_cluster_info": ((), {"database": "ic_nb"}, [({"control_socket": "{dir}/ic_nb.sock"}, "this is the socket of a database")]),
}


@pytest.mark.parametrize("module", sorted(INPUTS))
def test_wrong_input_ends_in_one_sentence_before_the_first_change(module: str, world: World) -> None:
    databases, common, inputs = INPUTS[module]
    before = world.contents()
    for wrong, words in inputs:
        remotes = {f"{name}_db": world.places[name] for name in databases}
        given = {**remotes, "timeout": 10, **world.located({**common, **wrong})}
        check, run = (run_module(module, mode, **given) for mode in (True, False))
        assert run.get("failed"), f"{wrong}: {run}"
        assert check == run, f"{wrong}:\n{check}\n{run}"
        assert words in run["msg"], f"{wrong}: {run['msg']}"
        assert not run.get("changed")
        assert "\n" not in run["msg"]
        assert "exception" not in run, run
        assert world.contents() == before, wrong


@pytest.mark.parametrize(
    "module, given, relays",
    [
        ("ovn_ic_attachment", {**NEW, "nb_db": "{nb}"}, ("sb", "ic_nb", "ic_sb")),
        ("ovn_ic_az", {"name": "az1", "nb_db": "{nb}", "ic_sb_db": "{ic_sb}"}, ("sb",)),
        ("ovn_ic_gateway", {"ovs_db": "{ovs}"}, ("sb",)),
        ("ovn_ic_transit_switch", {"name": "ts3", "subnets": ["10.9.0.0/24"], "ic_nb_db": "{ic_nb}"}, ("nb", "ic_sb")),
        ("ovn_ic_transit_switch_port", {**SWITCH_PORT, "ic_nb_db": "{ic_nb}"}, ("ic_sb",)),
        ("ovn_ic_transit_router", {"name": "tr3", "ic_nb_db": "{ic_nb}"}, ("nb",)),
        ("ovn_ic_wait", {"ic_nb_db": "{ic_nb}"}, ("ic_sb",)),
    ],
)
def test_a_database_that_a_module_only_reads_can_be_a_relay(
    module: str, given: dict[str, Any], relays: tuple[str, ...], world: World
) -> None:
    remotes = {f"{name}_db": f"{{{name}_relay}}" for name in relays}
    run = run_module(module, True, **world.located({**given, **remotes}), timeout=10)
    assert not run.get("failed"), run["msg"]
