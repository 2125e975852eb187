# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prefixes, next hops, port addresses, VIPs and MACs: immutable values and their text forms.

Every parser takes the text of a database column and returns ``None`` if the text is not valid, because a database may
contain anything. The caller decides whether to log a warning. The rules are those of the specification of routes: text
forms (spec routes-2.3), advertising (spec routes-4.3, routes-4.4), learning (spec routes-5.6) and orphans (spec
routes-6).

Addresses are plain integers, so that comparing, hashing and masking a hundred thousand routes stays cheap.
"""

from __future__ import annotations

import re
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DISCARD = "discard"
"""Next hop text of a static route that drops its packets. No parser here accepts it as an address."""

# One entry takes about 300 bytes. The limit covers the prefixes and next hops of a hundred thousand routes in one pass.
_TEXTS_KEPT = 2**17
_PORTS_KEPT = 2**14

_BITS = {4: 32, 6: 128}
_BLANKS = " \t\n\v\f\r"
_FE80_64 = 0xFE80 << 48
_IPV4_MAPPED = 0xFFFF
_MAPPED_BITS = 96
_MAX_PORT = 65535

_BLANK_RUN = re.compile(f"[{_BLANKS}]+")
_DOTTED = re.compile(r"0*([0-9]{1,3})\.0*([0-9]{1,3})\.0*([0-9]{1,3})\.0*([0-9]{1,3})")
_NUMBER = re.compile(r"0*([0-9]{1,5})")
_MAC = re.compile(r"[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2}){5}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Address(NamedTuple):
    """One IP address: ``family`` is 4 or 6, ``value`` the address as an integer."""

    family: int
    value: int


class Prefix(NamedTuple):
    """A CIDR as it was written: ``address`` keeps its host bits (spec routes-P1), ``length`` is 0..32 or 0..128.

    Two prefixes are equal when family, address with host bits, and length are equal. To compare destinations, compare
    ``network``.
    """

    family: int
    address: int
    length: int

    @property
    def bits(self) -> int:
        """Length of an address of this family: 32 or 128."""
        return 32 if self.family == 4 else 128

    @property
    def network(self) -> Prefix:
        """The same prefix with the host bits masked off."""
        return self.truncate(self.length)

    @property
    def is_default(self) -> bool:
        """Whether this is a default route, that is, of length 0."""
        return self.length == 0

    @property
    def is_host(self) -> bool:
        """Whether the prefix contains exactly one address."""
        return self.length == self.bits

    @property
    def host(self) -> Address:
        """The address before the slash."""
        return Address(self.family, self.address)

    def truncate(self, length: int) -> Prefix:
        """The network of ``length`` bits that contains the address. ``length`` is 0..bits."""
        shift = self.bits - length
        return Prefix(self.family, self.address >> shift << shift, length)

    def contains(self, address: Address) -> bool:
        """Whether ``address`` lies in this prefix's network."""
        return address.family == self.family and (address.value ^ self.address) >> (self.bits - self.length) == 0


# ---- Addresses and prefixes ------------------------------------------------------------------------------------------


def _ipv4(text: str) -> int | None:
    """Read a dotted quad. Octets with leading zeros are decimal, as in the OVN tools; octets above 255 are rejected."""
    try:
        return int.from_bytes(inet_pton(AF_INET, text), "big")
    except (OSError, ValueError):
        match = _DOTTED.fullmatch(text)
    if match is None:
        return None
    octets = [int(octet) for octet in match.groups()]
    return int.from_bytes(bytes(octets), "big") if max(octets) <= 255 else None


def _ipv6(text: str) -> int | None:
    try:
        return int.from_bytes(inet_pton(AF_INET6, text), "big")
    except (OSError, ValueError):
        return None


def _number(text: str, limit: int) -> int | None:
    """Read an unsigned decimal number of at most ``limit``, without sign or spaces."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    number = int(match.group(1))
    return number if number <= limit else None


@lru_cache(maxsize=_PORTS_KEPT)
def _mask_length(text: str, family: int) -> int | None:
    """Read what follows the slash: a length, or a contiguous mask of the same family."""
    bits = _BITS[family]
    if "." not in text and ":" not in text:
        return _number(text, bits)
    mask = _ipv4(text) if family == 4 else _ipv6(text)
    if mask is None:
        return None
    inverted = mask ^ ((1 << bits) - 1)
    return bits - inverted.bit_length() if inverted & (inverted + 1) == 0 else None


def _read_cidr(text: str) -> tuple[Address, int] | None:
    """Read ``ip``, ``ip/length`` or ``ip/mask`` (spec routes-P1). Returns the address and the length as written, 128
    for an IPv6 address without one.
    """
    host, slash, tail = text.lstrip(_BLANKS).partition("/")
    family = 6 if ":" in host else 4
    value = _ipv6(host) if family == 6 else _ipv4(host)
    if value is None:
        return None
    length = _mask_length(tail, family) if slash else _BITS[family]
    return None if length is None else (Address(family, value), length)


def _unmapped(address: Address) -> Address:
    """Convert an IPv4-mapped IPv6 address to the IPv4 address that it represents (spec routes-P2)."""
    if address.family == 6 and address.value >> 32 == _IPV4_MAPPED:
        return Address(4, address.value & 0xFFFFFFFF)
    return address


@lru_cache(maxsize=_TEXTS_KEPT)
def parse_prefix(text: str) -> Prefix | None:
    """Read a CIDR (spec routes-P1, routes-P2): host bits are kept, no slash means one host, spaces are allowed only
    before the text.

    Octets above 255 and signs are rejected, where upstream lets them wrap. An IPv4-mapped text is an IPv4 prefix. Its
    length is taken as written if it is at most 32, as in upstream (``::ffff:10.0.0.0/8`` is ``10.0.0.0/8``). For a
    length above 32, upstream writes a text that no zone can read; here the 96 bits before the IPv4 address are
    subtracted (``::ffff:10.0.0.1`` is ``10.0.0.1/32``), and a length between 33 and 95 is rejected because it does not
    describe an IPv4 prefix.
    """
    cidr = _read_cidr(text)
    if cidr is None:
        return None
    written, length = cidr
    address = _unmapped(written)
    if address.family != written.family and length > 32:
        length -= _MAPPED_BITS
        if length < 0:
            return None
    return Prefix(address.family, address.value, length)


@lru_cache(maxsize=_TEXTS_KEPT)
def parse_nexthop(text: str) -> Address | None:
    """Read a next hop: an address, or a CIDR whose length is ignored (spec routes-5.5). ``discard`` and empty text give
    None.
    """
    cidr = _read_cidr(text)
    return None if cidr is None else _unmapped(cidr[0])


def parse_ip(text: str) -> Address | None:
    """Read a plain address, without ``/n`` (spec routes-6.c)."""
    return None if "/" in text else parse_nexthop(text)


def format_address(address: Address) -> str:
    """The text of an address in the format of inet_ntop (spec routes-P7)."""
    if address.family == 4:
        return inet_ntop(AF_INET, address.value.to_bytes(4, "big"))
    return inet_ntop(AF_INET6, address.value.to_bytes(16, "big"))


def format_prefix(prefix: Prefix) -> str:
    """The text of a prefix, host bits included and always with ``/n`` (spec routes-P7)."""
    return f"{format_address(prefix.host)}/{prefix.length}"


def network_text(prefix: Prefix) -> str:
    """The text of the prefix's network: host bits masked off."""
    return format_prefix(prefix.network)


def destination_key(text: str, by_network: bool) -> str:
    """The text by which two ip_prefix values are compared (spec routes-5.6.8, routes-5.6.11).

    This is the text itself, as in upstream. With ``by_network`` it is the text of its network, so that ``10.1.0.1/24``
    and ``10.1.0.0/24`` are the same destination. A text that is not a valid prefix is returned unchanged.
    """
    prefix = parse_prefix(text) if by_network else None
    return text if prefix is None else network_text(prefix)


def belongs_to(prefix: Prefix, item: Prefix) -> bool:
    """Whether ``prefix`` matches the list item ``item``: same family, not shorter, equal in the item's first bits
    (spec routes-4.3).
    """
    return (
        prefix.family == item.family and prefix.length >= item.length and (prefix.address ^ item.address) >> (item.bits - item.length) == 0
    )


_LINK_LOCAL = {4: Prefix(4, 0xA9FE0000, 16), 6: Prefix(6, 0xFE80 << 112, 10)}


def is_link_local(prefix: Prefix) -> bool:
    """Whether the prefix is inside 169.254.0.0/16 or fe80::/10 (spec routes-4.3.4). A shorter prefix that contains
    these is not.
    """
    return belongs_to(prefix, _LINK_LOCAL[prefix.family])


def is_fe80_64(address: Address) -> bool:
    """Whether the address is inside fe80::/64, the range that is not allowed for next hops (spec routes-4.7.1,
    routes-5.5). fe80:10::1 is not.
    """
    return address.family == 6 and address.value >> 64 == _FE80_64


# ---- MACs and UUIDs --------------------------------------------------------------------------------------------------


def parse_mac(text: str) -> int | None:
    """Read ``aa:bb:cc:dd:ee:ff``, in any letter case, as a 48-bit integer."""
    if _MAC.fullmatch(text) is None:
        return None
    return int.from_bytes(bytes(int(octet, 16) for octet in text.split(":")), "big")


def format_mac(mac: int) -> str:
    """The lower-case text of a 48-bit MAC."""
    return mac.to_bytes(6, "big").hex(":")


def eui64_link_local(mac: int) -> Address:
    """The link-local IPv6 address that a port with this MAC assigns to itself (modified EUI-64 in fe80::/64)."""
    high, low = mac >> 24, mac & 0xFFFFFF
    interface_id = (high ^ 0x020000) << 40 | 0xFFFE << 24 | low
    return Address(6, _FE80_64 << 64 | interface_id)


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID in the 36-character form (spec routes-P6)."""
    return _UUID.fullmatch(text) is not None


# ---- Port addresses --------------------------------------------------------------------------------------------------


class PortAddress(NamedTuple):
    """A port's MAC and its IPv4 and IPv6 addresses with their lengths, both in the order of the text (spec routes-P4)."""

    mac: int
    ipv4: tuple[Prefix, ...]
    ipv6: tuple[Prefix, ...]

    @property
    def first_ipv4(self) -> Address | None:
        """The first IPv4 address in the text."""
        return self.ipv4[0].host if self.ipv4 else None

    @property
    def first_ipv6(self) -> Address | None:
        """The first IPv6 address in the text."""
        return self.ipv6[0].host if self.ipv6 else None


@lru_cache(maxsize=_PORTS_KEPT)
def parse_port_address(text: str) -> PortAddress | None:
    """Read IC_SB ``Port_Binding.address`` (spec routes-P4): a MAC, followed by addresses up to the first item that is
    not an address.

    Returns None if the text does not begin with a MAC, such as ``""``, ``unknown`` or ``router``.
    """
    items = _BLANK_RUN.split(text.strip(_BLANKS))
    mac = parse_mac(items[0])
    if mac is None:
        return None
    ipv4: list[Prefix] = []
    ipv6: list[Prefix] = []
    for item in items[1:]:
        prefix = parse_prefix(item)
        if prefix is None:
            break
        (ipv4 if prefix.family == 4 else ipv6).append(prefix)
    return PortAddress(mac, tuple(ipv4), tuple(ipv6))


def next_hop_for(prefix: Prefix, port: PortAddress, ipv4_over_ipv6: bool) -> Address | None:
    """The next hop to publish with ``prefix`` (spec routes-4.4). None if the prefix is IPv4 and the port has no IPv4
    address.

    The result may lie in fe80::/64 (``is_fe80_64``), which no zone learns; the caller has to check this.
    """
    if prefix.family == 6:
        return port.first_ipv6 or eui64_link_local(port.mac)
    return (port.first_ipv6 if ipv4_over_ipv6 else None) or port.first_ipv4


def next_hops(port: PortAddress) -> tuple[Address, ...]:
    """All next hops that ``next_hop_for`` can return for this port, IPv4 first."""
    ipv6 = port.first_ipv6 or eui64_link_local(port.mac)
    return (ipv6,) if port.first_ipv4 is None else (port.first_ipv4, ipv6)


# ---- Networks of router ports ----------------------------------------------------------------------------------------


class RouterPortNetworks(NamedTuple):
    """The networks of a logical router port that has a valid MAC.

    The last item of ``ipv6`` is the automatic link-local network. ``unspecified`` are the texts of IPv4 networks
    0.0.0.0, which are ignored and cause a warning; ``bad`` are the texts that are not valid networks (spec
    routes-5.6.9).
    """

    mac: int
    ipv4: tuple[Prefix, ...]
    ipv6: tuple[Prefix, ...]
    unspecified: tuple[str, ...]
    bad: tuple[str, ...]

    def contains(self, address: Address) -> bool:
        """Whether the address lies in one of the networks (spec routes-5.6.9)."""
        return any(network.contains(address) for network in (self.ipv4 if address.family == 4 else self.ipv6))

    def owns(self, address: Address) -> bool:
        """Whether this is one of the port's own addresses, including the automatic link-local one."""
        return any(network.address == address.value for network in (self.ipv4 if address.family == 4 else self.ipv6))

    def backs_next_hop(self, address: Address) -> bool:
        """Whether a route of this zone may have this next hop (spec routes-6.d). IPv4: one of the port's own addresses.
        IPv6: any address in its networks.
        """
        return self.owns(address) if address.family == 4 else self.contains(address)


def parse_lrp_networks(mac: str, networks: Iterable[str]) -> RouterPortNetworks | None:
    """Read ``mac`` and ``networks`` of a Logical_Router_Port. None if the MAC is not valid.

    Networks are sorted by the bytes of their text (spec routes-P8), because the order in a set column is arbitrary.
    """
    # In UTF-8 the order of code points is the order of bytes.
    return _lrp_networks(mac, tuple(sorted(networks)))


@lru_cache(maxsize=_PORTS_KEPT)
def _lrp_networks(mac_text: str, networks: tuple[str, ...]) -> RouterPortNetworks | None:
    mac = parse_mac(mac_text)
    if mac is None:
        return None
    ipv4: list[Prefix] = []
    ipv6: list[Prefix] = []
    unspecified: list[str] = []
    bad: list[str] = []
    for text in networks:
        prefix = parse_prefix(text)
        if prefix is None:
            bad.append(text)
        elif prefix.family == 6:
            ipv6.append(prefix)
        elif prefix.address == 0:
            unspecified.append(text)
        else:
            ipv4.append(prefix)
    ipv6.append(Prefix(6, eui64_link_local(mac).value, 64))
    return RouterPortNetworks(mac, tuple(ipv4), tuple(ipv6), tuple(unspecified), tuple(bad))


# ---- VIPs ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=_TEXTS_KEPT)
def parse_vip(key: str) -> Prefix | None:
    """Read a key of Load_Balancer ``vips`` (spec routes-P5) as the host prefix of its address. The port is validated
    and discarded.
    """
    parts = _split_vip(key)
    if parts is None:
        return None
    host, port = parts
    if port and _number(port, _MAX_PORT) is None:
        return None
    if ":" in host:
        value = _ipv6(host.partition("%")[0])
        address = None if value is None else _unmapped(Address(6, value))
    else:
        value = _ipv4(host)
        address = None if value is None else Address(4, value)
    return None if address is None else Prefix(address.family, address.value, _BITS[address.family])


def _split_vip(key: str) -> tuple[str, str] | None:
    """Split a VIP key into host and port texts. The port is empty if the key has none."""
    if key.startswith("["):
        host, bracket, rest = key[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return None
        return host, rest[1:]
    if key.count(":") > 1:
        return key, ""
    host, _colon, port = key.partition(":")
    return host, port


def vip_stops(vip: Prefix, route: Prefix) -> bool:
    """Whether this VIP prevents its router from learning ``route`` (spec routes-5.6.10).

    It does if the VIP, masked to the route's length, equals the route's address as written. A route with host bits
    therefore never matches.
    """
    return vip.family == route.family and vip.truncate(route.length).address == route.address


def prefixes_stopped_by(vip: Prefix) -> Iterator[Prefix]:
    """All prefixes that ``vip_stops`` matches: the VIP's network of each length, 33 for IPv4 and 129 for IPv6."""
    return (vip.truncate(length) for length in range(vip.bits + 1))
