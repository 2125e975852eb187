# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found to be wrong, and that nothing is where nothing is."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import doctor
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, NB, SB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_doctor_info as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import only, params, put, stores

Contents = dict[str, Store]


@pytest.fixture
def healthy() -> tuple[Contents, dict[str, str]]:
    """Two zones, each with a gateway and a port on ts1; the databases of az1 are there too."""
    contents = stores(doctor.GLOBAL_NORTH, doctor.GLOBAL_SOUTH, doctor.NORTH, doctor.SOUTH)
    south, azs = contents[IC_SB], {}
    put(contents[IC_NB], "IC_NB_Global", nb_ic_cfg=2)
    put(contents[IC_NB], "Transit_Switch", name="ts1")
    put(south, "Datapath_Binding", transit_switch="ts1", tunnel_key=1)
    for number in (1, 2):
        az = azs[f"az{number}"] = put(south, "Availability_Zone", name=f"az{number}", nb_ic_cfg=2)
        encaps = {put(south, "Encap", type="geneve", ip=f"192.0.2.{number}")}
        put(south, "Gateway", name=f"gw{number}", availability_zone=az, encaps=encaps)
        port(contents, az, number, f"gw{number}", f"aa:aa:aa:aa:aa:0{number} 169.254.100.{number}/24")
        route(contents, az, f"10.0.{number}.1/24")
    put(contents[NB], "NB_Global", name="az1", external_ids={"ovn-interconnect-zone": azs["az1"]})
    put(
        contents[SB],
        "Chassis",
        name="gw1",
        encaps={put(contents[SB], "Encap", type="geneve", ip="192.0.2.1")},
        other_config={"is-interconn": "true"},
    )
    put(
        contents[SB],
        "Chassis",
        name="gw2",
        encaps={put(contents[SB], "Encap", type="geneve", ip="192.0.2.2")},
        other_config={"is-remote": "true"},
    )
    return contents, azs


def port(contents: Contents, az: str, number: int, gateway: str, address: str, **columns: Any) -> None:
    columns = {"logical_port": f"p{number}", "transit_switch": "ts1", "tunnel_key": number, **columns}
    put(contents[IC_SB], "Port_Binding", availability_zone=az, gateway=gateway, address=address, **columns)


def _az(contents: Contents, name: str) -> str:
    return next(row.uuid for row in contents[IC_SB].rows("Availability_Zone") if row["name"] == name)


def route(contents: Contents, az: str, prefix: str, **columns: str) -> None:
    hop = "169.254.100.1" if az == _az(contents, "az1") else "169.254.100.2"
    columns = {"transit_switch": "ts1", "origin": "connected", "nexthop": hop, **columns}
    put(contents[IC_SB], "Route", availability_zone=az, ip_prefix=prefix, **columns)


def test_no_check_at_all_is_refused() -> None:
    with pytest.raises(ModuleError, match="checks is an empty list, so nothing would be checked"):
        module.check(params(module, checks=[]))
    module.check(params(module))
    module.check(params(module, checks=list(doctor.CHECKS)))


@pytest.mark.parametrize(("name", "advice"), [("duplicate-ips", "write duplicate-ip"), ("?", "docs/doctor.md lists the checks")])
def test_a_check_that_does_not_exist_is_refused(name: str, advice: str) -> None:
    with pytest.raises(ModuleError, match=f"which is not the ID of a check; {advice}"):
        module.check(params(module, checks=[name]))


def area(name: str) -> list[str]:
    """The checks of one file of the doctor."""
    return [check.id for check in doctor.CHECKS.values() if check.find.__module__.endswith(f".{name}")]


def look(contents: Contents, *checks: str) -> dict[str, Any]:
    return doctor.describe([one for name in checks for one in area(name) or [name]] or doctor.CHECKS, contents)


def found(contents: Contents, *checks: str) -> list[tuple[str, str]]:
    shown = look(contents, *checks)
    assert shown["healthy"] == (shown["checked"] != [] and shown["findings"] == [])
    return [(one["check"], one["object"]) for one in shown["findings"]]


def test_nothing_is_found_where_nothing_is(healthy: tuple[Contents, dict[str, str]]) -> None:
    contents, azs = healthy
    put(contents[IC_NB], "Transit_Switch", name="ts2")
    route(contents, azs["az2"], "10.0.0.0/16", origin="static")
    route(contents, azs["az2"], "10.0.1.0/24", transit_switch="ts2", nexthop="169.254.100.1")
    route(contents, azs["az2"], "10.0.0.0/16", route_table="rtb1")
    route(contents, azs["az1"], "10.0.1.128/25")
    route(contents, azs["az2"], "junk")
    port(contents, azs["az2"], 3, "", "aa:aa:aa:aa:aa:01", type="transit-router-port")
    port(contents, azs["az2"], 4, "gw2", "aa:aa:aa:aa:aa:01 169.254.100.1/24", transit_switch="ts2")
    assert found(contents) == []


def test_ports_that_nobody_reaches_are_found(healthy: tuple[Contents, dict[str, str]]) -> None:
    contents, azs = healthy
    for number, gateway in enumerate(("", "hv1", "gw2"), 3):
        port(contents, azs["az1"], number, gateway, "")
    checks = ("gateway-of-other-zone", "gateway-unregistered", "port-without-gateway")
    assert found(contents, *checks) == [(check, f"p{number} of zone az1") for check, number in zip(checks, (5, 4, 3))]


@pytest.mark.parametrize("address", ["", "unknown", "aa:aa:aa:00:00:01", "aa:aa:aa:00:00:01 169.254.100.101"])
def test_a_port_of_ic_nb_without_chassis_needs_no_gateway(healthy: tuple[Contents, dict[str, str]], address: str) -> None:
    contents, azs = healthy
    put(contents[IC_NB], "Transit_Switch_Port", name="p3")
    port(contents, azs["az2"], 3, "", address)
    assert found(contents) == []


def test_a_port_of_ic_nb_whose_chassis_is_not_published_is_found(healthy: tuple[Contents, dict[str, str]]) -> None:
    contents, azs = healthy
    put(contents[IC_NB], "Transit_Switch_Port", name="p3", chassis="gw2")
    port(contents, azs["az2"], 3, "", "")
    ((record, words),) = findings(contents, "port-without-gateway")
    assert record == "p3 of zone az2"
    assert "the sync daemon of zone az2 has not published its chassis gw2 yet; check that the daemon runs" in words


@pytest.mark.parametrize("kind", ["transit-switch-port", "transit-router-port"])
def test_a_zone_that_published_a_port_of_every_zone_is_not_stale(healthy: tuple[Contents, dict[str, str]], kind: str) -> None:
    contents, _azs = healthy
    az3 = put(contents[IC_SB], "Availability_Zone", name="az3", nb_ic_cfg=2)
    put(contents[IC_NB], "Transit_Switch_Port", name="p3")
    port(contents, az3, 3, "", "", type=kind)
    assert found(contents) == [("zone-without-gateway", "az3")]
    port(contents, az3, 4, "gw9", "", type=kind)
    assert ("zone-stale", "az3") in found(contents)


def test_addresses_in_use_twice_are_found(healthy: tuple[Contents, dict[str, str]]) -> None:
    contents, azs = healthy
    port(contents, azs["az2"], 3, "gw2", "AA:aa:aa:aa:aa:01 169.254.100.9/24 fd00::9/64")
    port(contents, azs["az2"], 4, "gw2", "aa:aa:aa:aa:aa:04 169.254.100.2/24 fd00:0::9/64")
    assert found(contents) == [
        ("duplicate-ip", "169.254.100.2 on ts1"),
        ("duplicate-ip", "fd00::9 on ts1"),
        ("duplicate-mac", "aa:aa:aa:aa:aa:01 on ts1"),
    ]


def test_chassis_in_conflict_with_gateways_of_other_zones_are_found(healthy: tuple[Contents, dict[str, str]]) -> None:
    contents, azs = healthy
    put(contents[IC_SB], "Gateway", name="hv1", availability_zone=azs["az2"])
    put(contents[SB], "Chassis", name="hv1", encaps={put(contents[SB], "Encap", type="geneve", ip="192.0.2.2")})
    assert found(contents) == [("chassis-name-taken", "hv1"), ("tunnel-address-taken", "hv1")]
    del contents[SB]
    assert found(contents) == []


def test_zones_out_of_step_and_without_gateways_are_found(healthy: tuple[Contents, dict[str, str]]) -> None:
    contents, azs = healthy
    azs["az3"] = put(contents[IC_SB], "Availability_Zone", name="az3", nb_ic_cfg=1)
    assert found(contents) == [("zone-behind", "az3"), ("zone-without-gateway", "az3")]
    del contents[IC_SB].schema.json["tables"]["Availability_Zone"]["columns"]["nb_ic_cfg"]
    assert found(contents) == [("zone-without-gateway", "az3")]
    route(contents, azs["az3"], "10.0.3.1/24")
    assert found(contents, "zones") == [("zone-stale", "az3")]


@pytest.mark.parametrize("prefix, record", [("10.0.1.0/24", "10.0.1.0/24"), ("10.0.1.9/32", "10.0.1.9/32"), ("10.0.0.0/23", "10.0.1.0/24")])
def test_overlaps_are_found(healthy: tuple[Contents, dict[str, str]], prefix: str, record: str) -> None:
    contents, azs = healthy
    route(contents, azs["az2"], prefix)
    assert found(contents) == [("network-in-two-zones", f"{record} on ts1")]


def test_names_and_keys_in_use_twice_are_found(healthy: tuple[Contents, dict[str, str]]) -> None:
    contents, _azs = healthy
    put(contents[IC_NB], "Transit_Router", name="ts1")
    put(contents[IC_SB], "Datapath_Binding", transit_switch="ts2", tunnel_key=1)
    put(contents[IC_NB], "Transit_Switch", name="ts2")
    assert found(contents) == [("duplicate-datapath-key", "tunnel key 1"), ("name-of-switch-and-router", "ts1")]


# ---- With the databases of zone az1 ----------------------------------------------------------------------------------


@pytest.fixture
def attached(healthy: tuple[Contents, dict[str, str]]) -> tuple[Contents, dict[str, str]]:
    """The same, with router lr1 of az1 on ts1, a network behind it, and both directions of routes on."""
    contents, azs = healthy
    nb = contents[NB]
    set_row(nb, "NB_Global", only(nb, "NB_Global").uuid, options={"ic-route-adv": "true", "ic-route-learn": "true"})
    ports = {
        put(nb, "Logical_Router_Port", name="up", mac="aa:aa:aa:aa:aa:01", networks={"169.254.100.1/24"}),
        put(nb, "Logical_Router_Port", name="lan", mac="aa:aa:aa:00:00:01", networks={"10.0.1.1/24"}),
    }
    put(nb, "Logical_Router", name="lr1", ports=ports)
    lsp = put(nb, "Logical_Switch_Port", name="p1", type="router", options={"router-port": "up"})
    remote = put(nb, "Logical_Switch_Port", name="p2", type="remote")
    put(nb, "Logical_Switch", name="ts1", ports={lsp, remote}, other_config={"interconn-ts": "ts1"})
    chassis = next(row.uuid for row in contents[SB].rows("Chassis") if row["name"] == "gw1")
    put(contents[SB], "Port_Binding", logical_port="cr-up", type="chassisredirect", chassis=chassis)
    return contents, azs


def set_row(store: Store, table: str, uuid: str, **columns: Any) -> None:
    store.put(table, uuid, columns)


def change(contents: Contents, table: str, name: str, /, **columns: Any) -> None:
    (row,) = [row for row in contents[NB].rows(table) if row["name"] == name]
    set_row(contents[NB], table, row.uuid, **columns)


def findings(contents: Contents, *checks: str) -> list[tuple[str, str]]:
    return [(one["object"], f"{one['cause']}; {one['fix']}") for one in look(contents, *checks)["findings"]]


def test_every_check_is_made_of_a_healthy_zone_and_finds_nothing(attached: tuple[Contents, dict[str, str]]) -> None:
    contents = attached[0]
    cluster = "Status: cluster member\nLeader: self\nConnections:\nServers:\n    a1b2 (a1b2 at tcp:192.0.2.1:6643) (self)\n"
    facts = doctor.Facts(
        remotes={IC_NB: "ssl:192.0.2.1:6645", IC_SB: "ssl:192.0.2.1:6646"},
        daemon={
            "status": "Status: active",
            "is-paused": "false",
            "skipped/show": "nothing is skipped",
            "guard/show": "nothing is withheld",
        },
        servers=[doctor.Server("/run/nb.ctl", IC_NB, cluster)],
        certificates=[doctor.Certificate("/etc/ovn/certificate.pem", 400 * 86400.0)],
        fast_json=True,
    )
    shown = doctor.describe(doctor.CHECKS, contents, facts)
    assert (shown["healthy"], shown["findings"], shown["not_checked"]) == (True, [], [])
    assert shown["checked"] == sorted(doctor.CHECKS)


def test_what_cannot_be_checked_is_skipped_and_an_empty_interconnect_is_not_healthy(attached: tuple[Contents, dict[str, str]]) -> None:
    contents, _azs = attached
    del contents[SB]
    shown = look(contents, "learning-off", "port-disabled", "duplicate-ip", "daemon-paused", "cluster-member-lost", "server-silent")
    assert [(one["check"], one["reason"]) for one in shown["not_checked"]] == [
        ("cluster-member-lost", "server_sockets is not given"),
        ("daemon-paused", "control_socket is not given"),
        ("learning-off", "nb_db and sb_db of a zone are not given"),
        ("port-disabled", "nb_db and sb_db of a zone are not given"),
        ("server-silent", "server_sockets is not given"),
    ]
    assert shown["healthy"]
    assert not look(contents, "learning-off")["healthy"]
    empty = look(stores(doctor.GLOBAL_NORTH, doctor.GLOBAL_SOUTH))
    assert (empty["healthy"], empty["checked"], len(empty["not_checked"])) == (False, [], len(doctor.CHECKS))
    assert {"check": "zone-behind", "reason": "IC_SB has no availability zones, so there is nothing to check"} in empty["not_checked"]
    on_a_host = doctor.Facts(remotes={IC_NB: "unix:/run/ic-nb.sock"}, fast_json=True)
    nothing = doctor.describe(doctor.CHECKS, stores(doctor.GLOBAL_NORTH, doctor.GLOBAL_SOUTH), on_a_host)
    assert (nothing["healthy"], nothing["checked"]) == (False, ["json-parser-missing", "plain-tcp"])
    assert doctor.describe(["json-parser-missing"], stores(doctor.GLOBAL_NORTH, doctor.GLOBAL_SOUTH), on_a_host)["healthy"]


def test_a_zone_that_is_not_registered_is_told(attached: tuple[Contents, dict[str, str]]) -> None:
    contents, _azs = attached
    set_row(contents[NB], "NB_Global", only(contents[NB], "NB_Global").uuid, external_ids={}, name="az9")
    assert "is not registered in IC_SB" in look(contents, "port-disabled")["not_checked"][0]["reason"]
    assert found(contents, "zone-unregistered") == [("zone-unregistered", "az9")]


PORT_FAULTS = [
    ("Logical_Router", "lr1", {"enabled": False}, "the logical router lr1 is disabled"),
    ("Logical_Router", "lr1", {"options": {"chassis": "gw1"}}, "lr1 is a gateway router"),
    ("Logical_Router_Port", "up", {"enabled": False}, "router port up is disabled"),
    ("Logical_Router_Port", "up", {"name": "uplink"}, "is up, but no logical router port has that name"),
    ("Logical_Switch_Port", "p1", {"enabled": False}, "switch port p1 is disabled"),
    ("Logical_Switch_Port", "p1", {"options": {}}, "has no options:router-port"),
    ("Logical_Switch_Port", "p1", {"type": ""}, "it is a VIF port"),
    ("Logical_Switch_Port", "p1", {"name": "p9"}, "the port is not in IC_SB"),
    ("Logical_Switch_Port", "p1", {"name": "p2"}, "zone az2 has published a port of this name"),
]


@pytest.mark.parametrize(("table", "name", "columns", "cause"), PORT_FAULTS)
def test_ports_that_connect_no_router_are_found(
    attached: tuple[Contents, dict[str, str]], table: str, name: str, columns: dict[str, Any], cause: str
) -> None:
    contents, _azs = attached
    change(contents, table, name, **columns)
    port_name = str({"name": "p1", **columns}["name"]) if table == "Logical_Switch_Port" else "p1"
    (finding,) = [words for record, words in findings(contents, "ports") if record == f"{port_name} of zone az1"]
    assert finding.startswith("on ts1: ")
    assert cause in finding


GATEWAY_FAULTS = [
    (("Logical_Router", "lr1", {"options": {"chassis": "gw1"}}), "lr1 is a gateway router (options:chassis=gw1)"),
    (("Logical_Switch_Port", "p1", {"options": {}}), "no options:router-port"),
    (("Logical_Switch_Port", "p1", {"options": {"router-port": "nope"}}), "is nope, but no logical router port"),
    ((), "none of the gateway chassis of router port up has claimed it"),
]


@pytest.mark.parametrize(("fault", "cause"), GATEWAY_FAULTS)
def test_ports_without_a_gateway_are_found_with_their_cause(
    attached: tuple[Contents, dict[str, str]], fault: tuple[Any, ...], cause: str
) -> None:
    contents, _azs = attached
    if fault:
        change(contents, *fault[:2], **fault[2])
    binding = next(row for row in contents[IC_SB].rows("Port_Binding") if row["logical_port"] == "p1")
    set_row(contents[IC_SB], "Port_Binding", binding.uuid, gateway="")
    redirect = only(contents[SB], "Port_Binding")
    set_row(contents[SB], "Port_Binding", redirect.uuid, chassis=None)
    ((record, words),) = findings(contents, "port-without-gateway")
    assert record == "p1 of zone az1"
    assert cause in words
    del contents[SB]
    ((_record, words),) = findings(contents, "port-without-gateway")
    assert "give nb_db and sb_db of zone az1" in words


def test_a_port_without_gateway_chassis_is_found(attached: tuple[Contents, dict[str, str]]) -> None:
    contents, _azs = attached
    contents[SB].delete("Port_Binding", only(contents[SB], "Port_Binding").uuid)
    binding = next(row for row in contents[IC_SB].rows("Port_Binding") if row["logical_port"] == "p1")
    set_row(contents[IC_SB], "Port_Binding", binding.uuid, gateway="")
    ((_record, words),) = findings(contents, "port-without-gateway")
    assert "router port up has no gateway chassis" in words


def test_leftover_router_ports_and_disabled_networks_are_found(attached: tuple[Contents, dict[str, str]]) -> None:
    contents, _azs = attached
    change(contents, "Logical_Switch", "ts1", ports=frozenset())
    for row in list(contents[NB].rows("Logical_Switch_Port")):
        contents[NB].delete("Logical_Switch_Port", row.uuid)
    ((record, words),) = findings(contents, "router-port-orphaned")
    assert (record, "no switch port names this port of router lr1" in words) == ("up of zone az1", True)


def test_a_disabled_port_of_an_attached_router_is_found(attached: tuple[Contents, dict[str, str]]) -> None:
    contents, _azs = attached
    change(contents, "Logical_Router_Port", "lan", enabled=False)
    ((record, words),) = findings(contents, "ports")
    assert (record, "its networks are not advertised" in words) == ("lan of zone az1", True)


SUBNET_FAULTS = [
    ("169.254.101.9/24", "is outside the subnets of the transit switch (169.254.100.0/24"),
    ("169.254.100.0/24", "has the network address 169.254.100.0"),
    ("169.254.100.255/24", "has the broadcast address 169.254.100.255"),
    ("169.254.100.9/25", "has the prefix length 25, but the other ports have 24"),
    ("169.254.100.9/16", "has the prefix length 16, but the other ports have 24"),
    ("fd00::/64", "has the network address fd00::"),
]


@pytest.mark.parametrize(("network", "fault"), SUBNET_FAULTS)
def test_addresses_that_do_not_fit_are_found(attached: tuple[Contents, dict[str, str]], network: str, fault: str) -> None:
    contents, azs = attached
    transit_switch = only(contents[IC_NB], "Transit_Switch")
    contents[IC_NB].put("Transit_Switch", transit_switch.uuid, {"external_ids": {"transit-subnets": "169.254.100.0/24,fd00::/64"}})
    assert findings(contents) == []
    port(contents, azs["az2"], 3, "gw2", f"aa:aa:aa:aa:aa:09 {network}")
    (words,) = [words for record, words in findings(contents, "addresses") if record == "p3 of zone az2"]
    assert fault in words
    assert len(findings(contents, "addresses")) == 1


@pytest.mark.parametrize(
    ("subnets", "record"), [("169.254.100.0/24", "169.254.100.0/24 of ts1 and ts2"), ("169.254.100.64/26", "169.254.100.64/26 of ts2")]
)
def test_transit_switches_with_one_subnet_are_found(attached: tuple[Contents, dict[str, str]], subnets: str, record: str) -> None:
    contents, _azs = attached
    transit_switch = only(contents[IC_NB], "Transit_Switch")
    contents[IC_NB].put("Transit_Switch", transit_switch.uuid, {"external_ids": {"transit-subnets": "169.254.100.0/24"}})
    other = put(contents[IC_NB], "Transit_Switch", name="ts2", external_ids={"transit-subnets": "169.254.101.0/24"})
    assert findings(contents, "addresses") == []
    contents[IC_NB].put("Transit_Switch", other, {"external_ids": {"transit-subnets": subnets}})
    assert [found for found, _words in findings(contents, "addresses")] == [record]


def test_a_router_in_one_network_on_two_switches_is_found(attached: tuple[Contents, dict[str, str]]) -> None:
    contents, azs = attached
    router = {"router-id": "00000000-0000-0000-0000-000000000001"}
    for switch in ("ts1", "ts2"):
        address = f"aa:aa:aa:aa:aa:0{switch[2]} 169.254.100.3{switch[2]}/24"
        columns: dict[str, Any] = {"logical_port": f"{switch}-lr3", "transit_switch": switch, "external_ids": router}
        put(contents[IC_SB], "Port_Binding", availability_zone=azs["az2"], gateway="gw2", address=address, **columns)
    assert [record for record, _words in findings(contents, "router-twice-in-network")] == ["169.254.100.0/24 of zone az2"]


def test_ipv6_networks_without_ipv6_on_the_transit_switch_are_found(attached: tuple[Contents, dict[str, str]]) -> None:
    contents, _azs = attached
    change(contents, "Logical_Router_Port", "lan", networks=frozenset(["10.0.1.1/24", "2001:db8:1::1/64"]))
    ((record, words),) = findings(contents, "addresses")
    assert (record, "2001:db8:1::1/64 of its router is not advertised on ts1" in words) == ("up of zone az1", True)
    change(contents, "Logical_Router_Port", "up", networks=frozenset(["169.254.100.1/24", "fd00::1/64"]))
    assert findings(contents, "addresses") == []


@pytest.mark.parametrize(
    ("kind", "ip", "fault"),
    [
        ("vxlan", "192.0.2.9", "it has vxlan over IPv4, and they have geneve over IPv4"),
        ("geneve", "2001:db8::9", "it has geneve over IPv6, and they have geneve over IPv4"),
        ("geneve", "127.0.0.1", "is a loopback address"),
        ("geneve", "224.0.0.5", "is a multicast or broadcast address"),
        ("geneve", "0.0.0.0", "is the unspecified address"),
        ("geneve", "169.254.1.1", "is a link-local address"),
    ],
)
def test_gateways_without_tunnels_are_found_in_both_zones(
    attached: tuple[Contents, dict[str, str]], kind: str, ip: str, fault: str
) -> None:
    contents, azs = attached
    put(contents[IC_SB], "Gateway", name="gw9", availability_zone=azs["az2"], encaps={put(contents[IC_SB], "Encap", type=kind, ip=ip)})
    shown = dict(findings(contents, "no-common-tunnel", "tunnel-address-unusable"))
    assert fault in shown["gw9 of zone az2"]
    mismatch = "it has" in fault
    assert ("gw1 of zone az1" in shown, len(shown)) == (mismatch, 2 if mismatch else 1)


@pytest.mark.parametrize("prefix", ["10.0.1.0/24", "10.0.1.128/25"])
def test_a_static_route_into_a_connected_network_of_another_zone_is_found(attached: tuple[Contents, dict[str, str]], prefix: str) -> None:
    contents, azs = attached
    route(contents, azs["az1"], "10.0.1.64/26", origin="static")
    assert findings(contents, "routes") == []
    route(contents, azs["az2"], prefix, origin="static")
    ((record, words),) = findings(contents, "routes")
    assert record == f"{prefix} on ts1"
    assert "zone az2 advertises a static route to it, and it lies in the connected network 10.0.1.0/24 of zone az1" in words


def two_routers(contents: Contents, az: str, second: str) -> tuple[str, str]:
    """Two routers of az1 that have 10.0.7.0/24, with the ports of both on one logical switch."""
    nb = contents[NB]
    ports, lrps = set(), []
    for number, network in enumerate(("10.0.7.1/24", second), 1):
        lrp = put(nb, "Logical_Router_Port", name=f"lan7-{number}", mac=f"aa:aa:aa:00:07:0{number}", networks={network})
        lrps.append(lrp)
        router = put(nb, "Logical_Router", name=f"lr7{number}", ports={lrp})
        ports.add(put(nb, "Logical_Switch_Port", name=f"sw7-{number}", type="router", options={"router-port": f"lan7-{number}"}))
        ids = {"lr-id": router, "nb-id": lrp}
        put(contents[IC_SB], "Route", transit_switch="ts1", availability_zone=az, ip_prefix=network, origin="connected", external_ids=ids)
    switch = put(nb, "Logical_Switch", name="sw7", ports=ports)
    return switch, lrps[1]


def test_two_routers_of_one_zone_with_one_network_are_found(attached: tuple[Contents, dict[str, str]]) -> None:
    contents, azs = attached
    two_routers(contents, azs["az1"], "10.0.7.1/24")
    ((record, words),) = findings(contents, "routes")
    assert (record, "two routers of zone az1 have this network" in words) == ("10.0.7.0/24 on ts1", True)


def test_two_routers_in_one_and_the_same_network_are_healthy(attached: tuple[Contents, dict[str, str]]) -> None:
    contents, azs = attached
    switch, _lrp = two_routers(contents, azs["az1"], "10.0.7.2/24")
    assert findings(contents, "routes") == []
    first, second = sorted(contents[NB].children("Logical_Switch", "ports", switch))
    contents[NB].put("Logical_Switch", switch, {"ports": frozenset([first])})
    put(contents[NB], "Logical_Switch", name="sw8", ports={second})
    assert [record for record, _words in findings(contents, "routes")] == ["10.0.7.0/24 on ts1"]


@pytest.mark.parametrize(("option", "fault"), [("ic-route-learn", "learning is off"), ("ic-route-adv", "advertising is off")])
def test_a_route_policy_of_one_direction_is_found(attached: tuple[Contents, dict[str, str]], option: str, fault: str) -> None:
    contents, _azs = attached
    options = {"ic-route-adv": "true", "ic-route-learn": "true", option: "false"}
    set_row(contents[NB], "NB_Global", only(contents[NB], "NB_Global").uuid, options=options)
    ((record, words),) = findings(contents)
    assert (record, words.startswith(fault)) == ("zone az1 on ts1", True)


def test_switches_that_do_not_match_the_transit_switches_are_found(attached: tuple[Contents, dict[str, str]]) -> None:
    contents, _azs = attached
    put(contents[NB], "Logical_Switch", name="ts1")
    put(contents[NB], "Logical_Switch", name="gone", other_config={"interconn-ts": "gone"})
    put(contents[IC_NB], "Transit_Switch", name="ts3")
    shown = findings(contents, "switches")
    assert [record for record, _words in shown] == ["ts1", "gone", "ts3"]
    assert "zone az1 has 2 logical switches of this transit switch or with its name" in shown[0][1]
