# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text forms of addresses: the tables of the specification of routes and properties against the standard library."""

from __future__ import annotations

import ipaddress
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect import address
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.address import Address, Prefix
from ansible_collections.ovn.interconnect.tests.support.examples import examples

fixed = examples(300)

MAC = "aa:aa:aa:aa:aa:01"


def prefix(text: str) -> Prefix:
    parsed = address.parse_prefix(text)
    assert parsed is not None, text
    return parsed


def ip(text: str) -> Address:
    parsed = address.parse_ip(text)
    assert parsed is not None, text
    return parsed


def std(item: Prefix) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(address.network_text(item))


def prefixes_of(family: int) -> st.SearchStrategy[Prefix]:
    """Prefixes that meet each other often: few bits set, in front and behind."""
    bits = 32 if family == 4 else 128
    values = st.one_of(
        st.integers(0, 2**bits - 1),
        st.builds(lambda head, tail: head << (bits - 8) | tail, st.sampled_from([0, 10, 0xFE, 0xFF]), st.integers(0, 3)),
    )
    return st.builds(Prefix, st.just(family), values, st.integers(0, bits))


any_prefix = st.one_of(prefixes_of(4), prefixes_of(6)).filter(lambda item: item.family == 4 or item.address >> 32 != 0xFFFF)


# ---- spec routes-P1, routes-P2, routes-P7 ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, expected",
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("192.168.1.1/24", "192.168.1.1/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("59.0.0.0/255.0.0.0", "59.0.0.0/8"),
        ("59.0.0.1/0.0.0.0", "59.0.0.1/0"),
        ("59.0.0.1/255.255.255.255", "59.0.0.1/32"),
        ("010.001.0.000/08", "10.1.0.0/8"),
        (" 10.0.0.0/8", "10.0.0.0/8"),
        ("\t\n 2003:db08:1::/64", "2003:db08:1::/64"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("fd00:0:0::9", "fd00::9/128"),
        ("2001:db8::1/ffff:ffff::", "2001:db8::1/32"),
        ("::/0", "::/0"),
        ("::1/::", "::1/0"),
        ("2001:db8:0:0:1:0:0:1/64", "2001:db8::1:0:0:1/64"),
        ("64:ff9b::10.0.0.1/96", "64:ff9b::a00:1/96"),
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ("::ffff:10.0.0.0/8", "10.0.0.0/8"),
        ("::ffff:a00:0/104", "10.0.0.0/8"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
    ],
)
def test_prefix_is_read_and_written(text: str, expected: str) -> None:
    """A prefix in every form, and its canonical text (spec routes-P1, routes-P2, routes-P7)."""
    assert address.format_prefix(prefix(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "/",
        "discard",
        "10",
        "10.0.0",
        "10.0.0.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/8 ",
        "10.0.0.0 /8",
        "10.0.0.0/ 8",
        "10.0.0.0/8/8",
        "10.0.0.0/8x",
        "10.0.0.0/1_6",
        "10.0.0.0/٨",
        "1٠.0.0.0/8",
        "10.0.0.0/255.0.255.0",
        "10.0.0.0/0.0.0.255",
        "10.0.0.0/ffff::",
        "10.259.0.0/16",
        "10.-1.0.0/16",
        "+10.0.0.0/8",
        "10.0.0.0/" + "9" * 5000,
        "2001:db8::/129",
        "2001:db8::/ffff::1",
        "2001:db8::/255.0.0.0",
        "2001:db8::1::/64",
        "2001:db8::g/64",
        "12345::/16",
        "fe80::1%eth0/64",
        "::ffff:10.0.0.1/64",
        "10.0.0.1\0",
        "\ud800",
        "invalid",
    ],
)
def test_text_that_is_no_prefix(text: str) -> None:
    """Text that is not a prefix (spec routes-P1)."""
    assert address.parse_prefix(text) is None


def test_host_bits_tell_prefixes_apart_but_not_networks() -> None:
    assert prefix("10.1.0.1/24") != prefix("10.1.0.0/24")
    assert prefix("10.1.0.1/24").network == prefix("10.1.0.0/24")
    assert address.network_text(prefix("2001:db8::1/32")) == "2001:db8::/32"


def test_parts_of_a_prefix() -> None:
    item = prefix("10.1.2.3/24")
    assert item == (4, 0x0A010203, 24)
    assert item.bits == 32
    assert item.host == ip("10.1.2.3")
    assert item.truncate(8) == prefix("10.0.0.0/8")
    assert not item.is_default
    assert not item.is_host
    assert prefix("::/0").is_default
    assert prefix("fd00::9").is_host
    assert prefix("fd00::9").bits == 128


@pytest.mark.parametrize(
    "left, right, by_network, same",
    [
        ("10.1.0.1/24", "10.1.0.0/24", False, False),
        ("10.1.0.1/24", "10.1.0.0/24", True, True),
        ("2001:DB8::1/32", "2001:db8::/32", True, True),
        ("2001:DB8::/32", "2001:db8::/32", False, False),
        ("10.1.0.0/24", "10.1.0.0/25", True, False),
        ("junk", "junk", True, True),
        ("junk", "rubbish", True, False),
    ],
)
def test_destinations_are_compared_by_text_or_by_network(left: str, right: str, by_network: bool, same: bool) -> None:
    assert (address.destination_key(left, by_network) == address.destination_key(right, by_network)) is same


@fixed
@given(any_prefix)
def test_prefix_survives_its_text(item: Prefix) -> None:
    assert address.parse_prefix(address.format_prefix(item)) == item


@fixed
@given(any_prefix)
def test_prefix_reads_as_in_the_standard_library(item: Prefix) -> None:
    theirs = ipaddress.ip_interface((item.address.to_bytes(item.bits // 8, "big"), item.length))
    for text in (theirs.with_prefixlen, f"{theirs.ip.exploded}/{theirs.netmask}", f" {theirs}".upper()):
        assert address.parse_prefix(text) == item
    assert ipaddress.ip_interface(address.format_prefix(item)) == theirs
    assert std(item) == theirs.network


@fixed
@given(st.text(alphabet="0123456789abf.:/ %\0", max_size=24))
def test_any_text_is_a_prefix_of_the_standard_library_or_none(text: str) -> None:
    parsed = address.parse_prefix(text)
    if parsed is not None:
        assert ipaddress.ip_interface(address.format_prefix(parsed)) is not None


# ---- Belonging, link-local -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, item, expected",
    [
        ("10.1.0.0/16", "10.0.0.0/8", True),
        ("10.1.0.0/16", "10.99.0.0/8", True),
        ("10.0.0.0/8", "10.0.0.0/8", True),
        ("10.0.0.0/7", "10.0.0.0/8", False),
        ("11.0.0.0/8", "10.0.0.0/8", False),
        ("10.0.0.0/8", "0.0.0.0/0", True),
        ("10.0.0.0/8", "::/0", False),
        ("::/0", "0.0.0.0/0", False),
        ("2005:1734:5678::/50", "2005:1234::/21", True),
        ("2005:1834:5678::/50", "2005:1234::/21", False),
        ("2004:aaaa:bbb::/48", "2004:aaaa::/32", True),
        ("2003:db88:1::/64", "2003:db08:1::/64", False),
    ],
)
def test_belongs_to(text: str, item: str, expected: bool) -> None:
    """A prefix belongs to an item that contains it (spec routes-4.3)."""
    assert address.belongs_to(prefix(text), prefix(item)) is expected


@fixed
@given(any_prefix, any_prefix)
def test_belonging_is_being_a_subnet(item: Prefix, other: Prefix) -> None:
    ours, theirs = std(item), std(other)
    expected = ours.version == theirs.version and ours.subnet_of(theirs)  # type: ignore[arg-type]
    assert address.belongs_to(item, other) is expected


@fixed
@given(any_prefix, st.integers(0, 128))
def test_every_prefix_belongs_to_its_own_truncations(item: Prefix, length: int) -> None:
    assert address.belongs_to(item, item.truncate(min(length, item.length)))
    assert item.truncate(min(length, item.length)).contains(item.host)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("169.254.0.0/16", True),
        ("169.254.100.1/24", True),
        ("169.254.0.0/15", False),
        ("169.0.0.0/8", False),
        ("169.255.0.0/16", False),
        ("fe80::/10", True),
        ("fe80::/64", True),
        ("febf::1", True),
        ("fe80:10::/64", True),
        ("fe80::/9", False),
        ("fec0::/10", False),
    ],
)
def test_link_local(text: str, expected: bool) -> None:
    """Prefixes inside the link-local ranges, and larger ones (spec routes-4.3.4)."""
    assert address.is_link_local(prefix(text)) is expected


@pytest.mark.parametrize(
    "text, expected",
    [("fe80::1", True), ("fe80::ffff:ffff:ffff:ffff", True), ("fe80:10::1", False), ("fe80:0:0:1::1", False), ("254.128.0.0", False)],
)
def test_next_hops_in_fe80_64(text: str, expected: bool) -> None:
    assert address.is_fe80_64(ip(text)) is expected


# ---- Next hops, MACs, UUIDs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, expected",
    [
        ("169.254.100.9/24", "169.254.100.9"),
        ("169.254.100.9", "169.254.100.9"),
        ("2001:DB8:1::1/64", "2001:db8:1::1"),
        ("::ffff:10.0.0.1/64", "10.0.0.1"),
        (address.DISCARD, None),
        ("", None),
        ("10.0.0.1/33", None),
        ("10.0.0.1 ", None),
    ],
)
def test_next_hop(text: str, expected: str | None) -> None:
    """A next hop is an address, with a length or without (spec routes-5.5)."""
    hop = address.parse_nexthop(text)
    assert (None if hop is None else address.format_address(hop)) == expected


def test_plain_address_has_no_length() -> None:
    """An address with a length is not a plain one (spec routes-6.c)."""
    assert address.parse_ip("10.0.0.1") == Address(4, 0x0A000001)
    assert address.parse_ip("10.0.0.1/32") is None
    assert address.parse_ip("discard") is None


@pytest.mark.parametrize("text, expected", [(MAC, 0xAAAAAAAAAA01), ("AA:bb:0:1:2:3", 0xAABB00010203)])
def test_mac(text: str, expected: int) -> None:
    assert address.parse_mac(text) == expected
    assert address.parse_mac(address.format_mac(expected)) == expected
    assert address.format_mac(expected) == address.format_mac(expected).lower()


@pytest.mark.parametrize(
    "text", ["", "aa:bb:cc:dd:ee", "aa:bb:cc:dd:ee:ff:00", "aa-bb-cc-dd-ee-ff", "aa:bb:cc:dd:ee:fg", f" {MAC}", f"{MAC}\n"]
)
def test_text_that_is_no_mac(text: str) -> None:
    assert address.parse_mac(text) is None


@pytest.mark.parametrize("mac, expected", [(MAC, "fe80::a8aa:aaff:feaa:aa01"), ("02:00:00:00:00:01", "fe80::ff:fe00:1")])
def test_eui64(mac: str, expected: str) -> None:
    number = address.parse_mac(mac)
    assert number is not None
    assert address.format_address(address.eui64_link_local(number)) == expected


@fixed
@given(st.uuids())
def test_uuid_in_its_36_characters(value: uuid.UUID) -> None:
    """Only the form of 36 characters is a uuid (spec routes-P6)."""
    assert address.is_uuid(str(value))
    assert address.is_uuid(str(value).upper())
    for wrong in (value.hex, f"{{{value}}}", f"urn:uuid:{value}", f"{value} ", f"{value}\n", str(value)[:-1]):
        assert not address.is_uuid(wrong)


# ---- spec routes-P4, routes-4.4: port addresses ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, ipv4, ipv6",
    [
        (MAC, [], []),
        (f"{MAC} 169.254.100.1/24", ["169.254.100.1/24"], []),
        (f"  {MAC}   169.254.100.1/24 2001:db8:1::1/64  ", ["169.254.100.1/24"], ["2001:db8:1::1/64"]),
        (f"{MAC} fd00::1 10.0.0.2 10.0.0.1/8", ["10.0.0.2/32", "10.0.0.1/8"], ["fd00::1/128"]),
        (f"{MAC} 10.0.0.1/24 unknown 10.0.0.2/24", ["10.0.0.1/24"], []),
        (f"{MAC} 10.0.0.1/33 10.0.0.2/24", [], []),
    ],
)
def test_port_address(text: str, ipv4: list[str], ipv6: list[str]) -> None:
    """A port's address is read up to the first item that is not an address (spec routes-P4)."""
    port = address.parse_port_address(text)
    assert port is not None
    assert address.format_mac(port.mac) == MAC
    assert [address.format_prefix(item) for item in port.ipv4] == ipv4
    assert [address.format_prefix(item) for item in port.ipv6] == ipv6


@pytest.mark.parametrize("text", ["", " ", "unknown", "router", "dynamic", "10.0.0.1/24", f"10.0.0.1/24 {MAC}", f"{MAC}\u00a010.0.0.1"])
def test_port_address_without_mac(text: str) -> None:
    assert address.parse_port_address(text) is None


@pytest.mark.parametrize(
    "networks, over_ipv6, ipv4_hop, ipv6_hop",
    [
        ("169.254.100.1/24", False, "169.254.100.1", "fe80::a8aa:aaff:feaa:aa01"),
        ("169.254.100.1/24", True, "169.254.100.1", "fe80::a8aa:aaff:feaa:aa01"),
        ("169.254.100.1/24 2001:db8:1::1/64", False, "169.254.100.1", "2001:db8:1::1"),
        ("169.254.100.1/24 2001:db8:1::1/64", True, "2001:db8:1::1", "2001:db8:1::1"),
        ("2001:db8:1::1/64 2001:db8:1::2/64", False, None, "2001:db8:1::1"),
        ("2001:db8:1::1/64", True, "2001:db8:1::1", "2001:db8:1::1"),
        ("169.254.100.1/24 169.254.100.101/24", False, "169.254.100.1", "fe80::a8aa:aaff:feaa:aa01"),
        ("fe80::7/64", True, "fe80::7", "fe80::7"),
        ("", False, None, "fe80::a8aa:aaff:feaa:aa01"),
    ],
)
def test_next_hop_of_a_port(networks: str, over_ipv6: bool, ipv4_hop: str | None, ipv6_hop: str) -> None:
    """The next hop by the family of the prefix (spec routes-4.4)."""
    port = address.parse_port_address(f"{MAC} {networks}")
    assert port is not None
    expected4 = None if ipv4_hop is None else ip(ipv4_hop)
    assert address.next_hop_for(prefix("10.0.0.0/8"), port, over_ipv6) == expected4
    assert address.next_hop_for(prefix("2001:db8::/32"), port, over_ipv6) == ip(ipv6_hop)
    assert {hop for hop in (expected4, ip(ipv6_hop)) if hop} <= set(address.next_hops(port))


# ---- spec routes-5.6.9, routes-6.d: networks of router ports ---------------------------------------------------------


@pytest.mark.parametrize(
    "hop, contains, owns, backs",
    [
        ("169.254.100.1", True, True, True),
        ("169.254.100.2", True, False, False),
        ("169.254.101.2", False, False, False),
        ("2001:db8:1::1", True, True, True),
        ("2001:db8:1::2", True, False, True),
        ("2001:db8:2::2", False, False, False),
        ("fe80::a8aa:aaff:feaa:aa01", True, True, True),
        ("fe80::9", True, False, True),
        ("0.0.0.1", False, False, False),
    ],
)
def test_next_hops_of_a_router_port(hop: str, contains: bool, owns: bool, backs: bool) -> None:
    """Which addresses a router port reaches, and which it owns (spec routes-5.6.9, routes-6.d)."""
    port = address.parse_lrp_networks(MAC, {"169.254.100.1/24", "2001:db8:1::1/64", "0.0.0.0/0"})
    assert port is not None
    assert port.contains(ip(hop)) is contains
    assert port.owns(ip(hop)) is owns
    assert port.backs_next_hop(ip(hop)) is backs


def test_networks_of_a_router_port_come_in_byte_order() -> None:
    networks = ["169.254.100.11/24", "169.254.100.101/24", "0.0.0.0/8", "fd00::1/64", "10.0.0.1/33", "169.254.100.1/24"]
    port = address.parse_lrp_networks(MAC, networks)
    assert port is not None
    assert [address.format_prefix(item) for item in port.ipv4] == ["169.254.100.1/24", "169.254.100.101/24", "169.254.100.11/24"]
    assert [address.format_prefix(item) for item in port.ipv6] == ["fd00::1/64", "fe80::a8aa:aaff:feaa:aa01/64"]
    assert port.unspecified == ("0.0.0.0/8",)
    assert port.bad == ("10.0.0.1/33",)


@pytest.mark.parametrize("mac", ["", "router", "aa:aa"])
def test_router_port_without_a_valid_mac(mac: str) -> None:
    assert address.parse_lrp_networks(mac, ["10.0.0.1/24"]) is None


@fixed
@given(any_prefix, any_prefix)
def test_containing_is_that_of_the_standard_library(network: Prefix, other: Prefix) -> None:
    theirs = ipaddress.ip_address(address.format_address(other.host))
    assert network.contains(other.host) is (theirs in std(network))


# ---- spec routes-P5, routes-5.6.10: VIPs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key, expected",
    [
        ("200.1.1.9", "200.1.1.9/32"),
        ("200.1.1.9:80", "200.1.1.9/32"),
        ("200.1.1.9:0", "200.1.1.9/32"),
        ("200.1.1.9:65535", "200.1.1.9/32"),
        ("200.1.1.9:", "200.1.1.9/32"),
        ("[200.1.1.9]:80", "200.1.1.9/32"),
        ("[fd00:0:0::9]:80", "fd00::9/128"),
        ("[fd00::9]", "fd00::9/128"),
        ("fd00::9", "fd00::9/128"),
        ("fd00::9%eth0", "fd00::9/128"),
        ("[fd00::9%eth0]:80", "fd00::9/128"),
        ("[::ffff:10.0.0.1]:80", "10.0.0.1/32"),
        ("200.1.1.9:65536", None),
        ("200.1.1.9:-1", None),
        ("200.1.1.9:http", None),
        ("200.1.1.9:80 ", None),
        ("200.1.1.9/32", None),
        ("200.1.1.256:80", None),
        ("200.1.1.9%eth0", None),
        ("[fd00::9", None),
        ("[fd00::9]80", None),
        ("[fd00::9]:65536", None),
        ("[]:80", None),
        (":80", None),
        ("", None),
        ("^vip:^port", None),
        ("example.org:80", None),
    ],
)
def test_vip(key: str, expected: str | None) -> None:
    """The address in the key of a VIP (spec routes-P5)."""
    vip = address.parse_vip(key)
    assert (None if vip is None else address.format_prefix(vip)) == expected


@pytest.mark.parametrize(
    "vip, route, expected",
    [
        ("10.0.0.9", "10.0.0.9/32", True),
        ("10.0.0.9", "10.0.0.0/24", True),
        ("10.0.0.9", "10.0.0.1/24", False),
        ("10.0.0.9", "10.0.0.9/24", False),
        ("10.0.0.9", "10.0.1.0/24", False),
        ("10.0.0.9", "0.0.0.0/0", True),
        ("10.0.0.9", "::/0", False),
        ("fd00::9", "fd00::/8", True),
        ("fd00::9", "fd00::9/128", True),
        ("fd00::9", "fd00::1/64", False),
    ],
)
def test_vip_stops_a_route(vip: str, route: str, expected: bool) -> None:
    """A VIP inside a prefix without host bits stops it (spec routes-5.6.10)."""
    parsed = address.parse_vip(vip)
    assert parsed is not None
    assert address.vip_stops(parsed, prefix(route)) is expected


@fixed
@given(any_prefix, any_prefix)
def test_prefixes_stopped_by_a_vip_are_those_that_it_stops(vip: Prefix, route: Prefix) -> None:
    host = vip._replace(length=vip.bits)
    stopped = set(address.prefixes_stopped_by(host))
    assert len(stopped) == host.bits + 1
    assert (route in stopped) is address.vip_stops(host, route)
    assert all(address.vip_stops(host, network) for network in stopped)
