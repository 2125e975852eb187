# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MACs, networks and subnets that cannot be: by themselves, and against what is on the router and the transit switch already."""

from __future__ import annotations

import re

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.address import format_prefix, parse_prefix
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import addressing
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.option_checks import (
    checked_mac,
    checked_name,
    map_keys,
    port_addresses,
)
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import declare
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_SB, NB
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import put, stores

BINDINGS = declare(IC_SB, {"Port_Binding": "logical_port transit_switch availability_zone:uuid address", "Availability_Zone": "name"})


def prefixes(*texts: str) -> list[addressing.Prefix]:
    return [prefix for prefix in map(parse_prefix, texts) if prefix is not None]


@pytest.mark.parametrize(
    "texts",
    [
        ["169.254.100.1/24"],
        ["169.254.100.254/24", "fd00::1/64"],
        ["10.0.0.0/31"],
        ["10.0.0.1/31"],
        ["fd00::/127"],
        ["fd00::ffff:ffff:ffff:ffff/64"],
        ["10.0.1.0/23"],
        ["10.0.0.255/23"],
        ["10.0.0.1/255.255.255.0"],
        ["10.0.0.1/24", "10.0.1.1/24"],
        ["192.0.2.1/30"],
        ["240.0.0.1/24"],
    ],
)
def test_networks_that_a_port_can_have(texts: list[str]) -> None:
    assert addressing.port_networks(texts, "networks") == prefixes(*texts)


@pytest.mark.parametrize(
    "texts, words",
    [
        ([], "networks is empty"),
        (["169.254.100.0/24"], "169.254.100.0 is the network address of 169.254.100.0/24"),
        (["169.254.100.255/24"], "169.254.100.255 is the broadcast address of 169.254.100.0/24"),
        (["10.0.1.255/23"], "10.0.1.255 is the broadcast address of 10.0.0.0/23"),
        (["10.0.0.3/30"], "10.0.0.3 is the broadcast address"),
        (["224.0.0.1/4"], "224.0.0.1 is a multicast address"),
        (["239.1.1.1/24"], "is a multicast address"),
        (["127.0.0.1/8"], "127.0.0.1 is a loopback address"),
        (["0.0.0.0/0"], "covers all addresses"),
        (["10.0.0.1/0"], "covers all addresses"),
        (["::/0"], "covers all addresses"),
        (["0.0.0.0/24"], r"0.0.0.0 is an address of this host \(0.0.0.0/8\)"),
        (["255.255.255.255/31"], "255.255.255.255 is the broadcast address"),
        (["10.0.0.1/32"], "a subnet with a single address"),
        (["fd00::1/128"], "a subnet with a single address"),
        (["fd00::/64"], "fd00:: is the subnet-router anycast address of fd00::/64"),
        (["::/64"], ":: is the unspecified address"),
        (["::1/64"], "::1 is the loopback address"),
        (["ff02::1/64"], "ff02::1 is a multicast address"),
        (["fe80::1/64"], "a link-local network"),
        (["::ffff:10.0.0.1/120"], "an IPv4 address in IPv6 notation; write 10.0.0.1/24"),
        (["10.0.0.1"], "without a prefix length; add it, such as in 169.254.100.1/24"),
        (["10.0.0.1/40"], "an IPv4 prefix length is at most 32; correct 40"),
        (["fd00::1/129"], "an IPv6 prefix length is at most 128; correct 129"),
        (["10.0.0.1/x"], "'x' is not a prefix length; write a number from 0 to 32"),
        (["10.0.0.1/255.0.255.0"], "'255.0.255.0' is not a prefix length"),
        (["10.0.0.256/24"], "'10.0.0.256' is not an IP address"),
        (["router/24"], "'router' is not an IP address"),
        (["10.0.0.1/24", "10.0.0.1/24"], "10.0.0.1/24 and 10.0.0.1/24, which are in one subnet"),
        (["10.0.0.1/24", "10.0.0.2/24"], "10.0.0.1/24 and 10.0.0.2/24, which are in one subnet"),
        (["10.0.0.1/24", "10.0.1.1/16"], "which are in one subnet"),
        (["fd00::1/64", "fd00::2/64"], "fd00::1/64 and fd00::2/64, which are in one subnet"),
    ],
)
def test_networks_that_no_port_can_have(texts: list[str], words: str) -> None:
    with pytest.raises(ModuleError, match=words) as caught:
        addressing.port_networks(texts, "networks")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["10.0.0.0/8", "169.254.100.7/24", "10.0.0.0/31", "fd00::/64", "fd00::1/127"])
def test_subnets_of_a_transit_switch(text: str) -> None:
    assert format_prefix(addressing.subnet(text, "subnets")) == format_prefix(prefixes(text)[0].network)


@pytest.mark.parametrize(
    "text, words",
    [
        ("0.0.0.0/0", "covers all addresses"),
        ("0.0.0.0/1", "an address of this host"),
        ("128.0.0.0/1", "contains a multicast address"),
        ("224.0.0.0/24", "multicast"),
        ("127.0.0.0/24", "loopback"),
        ("fe80::/64", "link-local"),
        ("ff00::/8", "multicast"),
        ("10.0.0.1/32", "a subnet with a single address"),
        ("::ffff:10.0.0.0/120", "write 10.0.0.0/24"),
        ("10.0.0.0", "without a prefix length"),
        ("10.0.0.0/33", "at most 32"),
    ],
)
def test_subnets_that_no_transit_switch_can_have(text: str, words: str) -> None:
    with pytest.raises(ModuleError, match=words):
        addressing.subnet(text, "subnets")


@pytest.mark.parametrize(
    "network, words",
    [
        ("169.254.100.1/24", None),
        ("fd00::1/64", None),
        ("169.254.101.1/24", "169.254.101.1 is outside the subnets of transit switch 'ts1'"),
        (
            "169.254.100.1/25",
            "has the prefix length 25, but subnet 169.254.100.0/24 of transit switch 'ts1' has 24; write 169.254.100.1/24",
        ),
        ("169.254.100.1/16", "has the prefix length 16"),
        ("fd00::1/48", "has the prefix length 48"),
    ],
)
def test_networks_against_the_subnets_of_the_switch(network: str, words: str | None) -> None:
    def check() -> None:
        addressing.check_subnets(prefixes(network), prefixes("169.254.100.0/24", "fd00::/64"), "ts1", "db")

    if words is None:
        check()
    else:
        with pytest.raises(ModuleError, match=words):
            check()


@pytest.mark.parametrize(
    "network, refused",
    [
        ("10.0.1.9/24", True),
        ("10.0.1.129/25", True),
        ("10.0.0.1/16", True),
        ("10.0.2.1/24", False),
        ("fd01::5/64", True),
        ("fd02::5/64", False),
    ],
)
def test_networks_against_other_ports_of_the_router(network: str, refused: bool) -> None:
    others = [("lan", prefixes("10.0.1.1/24", "fd01::1/64"))]
    if not refused:
        addressing.check_router(prefixes(network), others, "lr1", NB)
        return
    with pytest.raises(ModuleError, match=f"{network} overlaps with .* of port 'lan' of the same router 'lr1'"):
        addressing.check_router(prefixes(network), others, "lr1", NB)


def bindings() -> addressing.Store:
    store = stores(BINDINGS)[IC_SB]
    zones = {name: put(store, "Availability_Zone", name=name) for name in ("az1", "az2")}
    for zone, port, switch, address in (
        ("az1", "mine", "ts1", "aa:aa:aa:aa:aa:01 169.254.100.1/24"),
        ("az2", "theirs", "ts1", "aa:aa:aa:aa:aa:02 169.254.100.2/24 fd00::2/64"),
        ("az2", "vif", "ts1", "aa:aa:aa:aa:aa:03 169.254.100.3"),
        ("az2", "elsewhere", "ts2", "aa:aa:aa:aa:aa:04 169.254.101.4/24"),
        ("az2", "odd", "ts1", "unknown"),
    ):
        put(store, "Port_Binding", logical_port=port, transit_switch=switch, availability_zone=zones[zone], address=address)
    return store


def own(store: addressing.Store) -> str:
    return next(row.uuid for row in store.rows("Availability_Zone") if row["name"] == "az1")


def test_the_ports_of_other_zones_are_those_on_the_switch_and_not_ours() -> None:
    store = bindings()
    assert [one.name for one in addressing.bound(store, "ts1", own(store))] == ["odd", "theirs", "vif"]
    assert [one.name for one in addressing.bound(store, "ts1", None)] == ["mine", "odd", "theirs", "vif"]


@pytest.mark.parametrize(
    "mac, network, words",
    [
        ("aa:aa:aa:aa:aa:01", "169.254.100.1/24", None),
        ("AA:AA:AA:AA:AA:02", "169.254.100.1/24", "the MAC AA:AA:AA:AA:AA:02 is used by port 'theirs' of zone 'az2'"),
        (None, "169.254.100.2/24", "169.254.100.2 is used by port 'theirs' of zone 'az2' on transit switch 'ts1'"),
        (None, "fd00:0::2/64", "fd00::2 is used by port 'theirs'"),
        (None, "169.254.100.3/24", "169.254.100.3 is used by port 'vif'"),
        ("aa:aa:aa:aa:aa:04", "169.254.101.4/24", None),
        (None, "169.254.100.5/30", "has the prefix length 30"),
        (None, "169.254.100.200/25", "has the prefix length 25"),
        (
            None,
            "169.254.100.5/25",
            "has the prefix length 25, but port 'theirs' of zone 'az2' on transit switch 'ts1' has 169.254.100.2/24",
        ),
        (None, "169.254.0.5/16", "has the prefix length 16"),
        (None, "169.254.99.1/24", None),
    ],
)
def test_a_port_against_those_on_the_switch(mac: str | None, network: str, words: str | None) -> None:
    store = bindings()
    occupants = list(addressing.bound(store, "ts1", own(store)))
    if words is None:
        addressing.check_occupants(mac, prefixes(network), occupants, "ts1")
        return
    with pytest.raises(ModuleError, match=re.escape(words)) as caught:
        addressing.check_occupants(mac, prefixes(network), occupants, "ts1")
    assert caught.value.database == IC_SB


def test_a_declared_subnet_decides_about_prefix_lengths_and_not_the_peers() -> None:
    store = bindings()
    occupants = list(addressing.bound(store, "ts1", own(store)))
    addressing.check_occupants(None, prefixes("169.254.101.1/23"), occupants, "ts1", prefixes("169.254.100.0/23"))
    with pytest.raises(ModuleError, match="prefix length 23"):
        addressing.check_occupants(None, prefixes("169.254.101.1/23"), occupants, "ts1")


@pytest.mark.parametrize(
    "text, words",
    [
        ("AA-AA-AA-AA-AA-01", "separates the six parts of a MAC by colons: write aa:aa:aa:aa:aa:01"),
        ("aaaa.aaaa.aa01", "write aa:aa:aa:aa:aa:01"),
        ("aaaaaaaaaa01", "write aa:aa:aa:aa:aa:01"),
        ("aa:aa:aa", "which has 3 of the six parts"),
        ("aa:aa:aa:aa:aa:aa:aa", "which has 7 of the six parts"),
        ("gg:aa:aa:aa:aa:aa", "which is not a MAC address"),
        ("", "mac is empty"),
        ("00:00:00:00:00:00", "the zero MAC"),
        ("01:00:5e:00:00:01", "a multicast MAC"),
        ("ff:ff:ff:ff:ff:ff", "the broadcast MAC"),
    ],
)
def test_each_wrong_mac_is_told_for_what_it_is(text: str, words: str) -> None:
    with pytest.raises(ModuleError, match=words):
        checked_mac(text, "mac")


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "begins with neither a MAC nor router, unknown or dynamic"),
        ("169.254.100.5", "begins with neither a MAC"),
        ("aa-aa-aa-aa-aa-01 10.0.0.1", "by colons"),
        ("01:00:5e:00:00:01 10.0.0.1", "multicast MAC"),
        ("aa:aa:aa:aa:aa:01 10.0.0.1/24", "omit the prefix length"),
        ("aa:aa:aa:aa:aa:01 x", "'x' is not an IP address"),
        ("router 10.0.0.1", "nothing may follow 'router'"),
        ("dynamic 10.0.0.1 10.0.0.2", "one IP address may follow 'dynamic'"),
    ],
)
def test_addresses_that_no_port_of_a_transit_switch_has(text: str, words: str) -> None:
    with pytest.raises(ModuleError, match=words):
        port_addresses(text, "addresses")


@pytest.mark.parametrize(
    "name, words",
    [
        ("x" * 256, "has 256 characters; use at most 255"),
        ("x" * 5000, "has 5000 characters"),
        ("a\x00b", "control character"),
        ("a\u2028b", "control character"),
        ("tab\t", "control character"),
        (" a", "begins or ends with a space"),
        ("  ", "is empty"),
    ],
)
def test_names_that_no_object_gets(name: str, words: str) -> None:
    with pytest.raises(ModuleError, match=words) as caught:
        checked_name(name, "name")
    assert len(str(caught.value)) < 200


def test_a_name_of_255_characters_is_taken() -> None:
    assert checked_name("ü" * 255, "name") == "ü" * 255


def test_plain_values_of_a_map_become_text() -> None:
    wanted = {"a": True, "b": False, "c": 5, "d": 1.5, "e": "x", "f": None, 7: "", True: "y"}
    assert map_keys({}, wanted, "external_ids") == {
        "a": "true", "b": "false", "c": "5", "d": "1.5", "e": "x", "f": None, "7": "", "true": "y",
    }  # fmt: skip


@pytest.mark.parametrize(
    "wanted, words",
    [
        ({"a": [1, 2]}, r"external_ids\[a\] contains a list \(\[1, 2\]\)"),
        ({"a": {"b": 1}}, r"external_ids\[a\] contains a dictionary"),
        ({"a": []}, "contains a list"),
        ({"": "x"}, "has an empty map key"),
    ],
)
def test_other_values_of_a_map_are_refused(wanted: dict[str, object], words: str) -> None:
    with pytest.raises(ModuleError, match=words):
        map_keys({}, wanted, "external_ids")
