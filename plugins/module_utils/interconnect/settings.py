# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed reading of OVSDB string maps: booleans, integers, lists, and the options of the route exchange.

The maps are ``options`` columns: text to text, where an absent key is an unset option. No function here raises an
error: a bad value means the default, and a bad list item is left out and reported in ``bad_items``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from .address import format_prefix, is_link_local, parse_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .address import Prefix

DEFAULT_PROBE_INTERVAL = 5000
"""Milliseconds between inactivity probes if no interval is set and the remote is not a unix socket."""

_MIN_PROBE_INTERVAL = 1000
_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?)0*([0-9]{1,10})")
_INTEGER_RANGE = range(-(2**31), 2**31)
# A zone has few different texts; each router and port may add some of its own.
_LISTS_KEPT = 2**12


# ---- Single values ---------------------------------------------------------------------------------------------------


def boolean(options: Mapping[str, str], key: str, default: bool = False) -> bool:
    """Read a boolean. Only ``true`` or ``false``, in any letter case, can change the default.

    ``1``, ``yes`` and ``on`` mean the default (spec routes-2.1).
    """
    value = options.get(key)
    if value is None:
        return default
    return value.lower() != "false" if default else value.lower() == "true"


def integer(options: Mapping[str, str], key: str, default: int) -> int:
    """Read a 32-bit integer in base 10. If the whole text is not such a number, the result is the default."""
    match = _INTEGER.fullmatch(options.get(key, ""))
    if match is None:
        return default
    number = int(match.group(1) + match.group(2))
    return number if number in _INTEGER_RANGE else default


def unsigned(options: Mapping[str, str], key: str, default: int = 0) -> int:
    """Read an unsigned 32-bit integer in base 10. If the whole text is not such a number, the result is the default."""
    match = _INTEGER.fullmatch(options.get(key, ""))
    if match is None or match.group(1) == "-":
        return default
    number = int(match.group(2))
    return number if number < 2**32 else default


def probe_interval(options: Mapping[str, str], remote: str, key: str = "ic_probe_interval") -> int:
    """Milliseconds between the inactivity probes of a connection to ``remote``, 0 for none (spec status-F.7).

    ``options`` is NB_Global.options for NB and SB, IC_NB_Global.options for IC_NB and IC_SB.
    """
    interval = integer(options, key, -1)
    if interval < 0:
        return 0 if remote.startswith("unix:") else DEFAULT_PROBE_INTERVAL
    return max(interval, _MIN_PROBE_INTERVAL) if interval else 0


# ---- Prefix lists ----------------------------------------------------------------------------------------------------


class _Bucket(NamedTuple):
    """The list items of one family and length, by their leading bits."""

    family: int
    length: int
    shift: int
    networks: frozenset[int]


@dataclass(frozen=True)
class PrefixList:
    """A list option (spec routes-P3): its valid items in the order of the text, without duplicates, and the texts that
    are not prefixes.
    """

    items: tuple[Prefix, ...] = ()
    bad: tuple[str, ...] = ()
    _buckets: tuple[_Bucket, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the items once for all matches."""
        object.__setattr__(self, "_buckets", _grouped(self.items))

    def __bool__(self) -> bool:
        """Whether the list has any item. Bad items count: a list with only bad items is not empty."""
        return bool(self.items or self.bad)

    def match(self, prefix: Prefix) -> Prefix | None:
        """The network of the longest item that ``prefix`` matches (spec routes-4.3), or None."""
        for family, length, shift, networks in self._buckets:
            if prefix.family == family and prefix.length >= length and prefix.address >> shift in networks:
                return prefix.truncate(length)
        return None


@lru_cache(maxsize=_LISTS_KEPT)
def prefix_list(text: str) -> PrefixList:
    """Read a list option (spec routes-P3): split at commas, drop empty items, do not trim. ``,`` is an empty list."""
    items: dict[Prefix, None] = {}
    bad: dict[str, None] = {}
    for item in filter(None, text.split(",")):
        prefix = parse_prefix(item)
        if prefix is None:
            bad[item] = None
        else:
            items[prefix] = None
    return PrefixList(tuple(items), tuple(bad))


def _grouped(items: tuple[Prefix, ...]) -> tuple[_Bucket, ...]:
    """Group items by length, longest first, so that a match needs one look-up per length instead of one per item."""
    groups: dict[tuple[int, int], set[int]] = {}
    for item in items:
        groups.setdefault((item.length, item.family), set()).add(item.address >> (item.bits - item.length))
    return tuple(
        _Bucket(family, length, (32 if family == 4 else 128) - length, frozenset(networks))
        for (length, family), networks in sorted(groups.items(), reverse=True)
    )


class NamedList(NamedTuple):
    """A prefix list, the option from which it was read, and the object that has the option."""

    option: str
    place: str
    prefixes: PrefixList

    @classmethod
    def read(cls, options: Mapping[str, str], option: str, place: str) -> NamedList:
        """Read ``option``. An unset option is an empty list."""
        return cls(option, place, prefix_list(options.get(option, "")))


class BadItem(NamedTuple):
    """A list item that is not a prefix, with the option and the object that contain it."""

    option: str
    place: str
    item: str

    def __str__(self) -> str:
        return f'{self.option} of the {self.place} has the item "{self.item}", which is not a prefix'


def denial(prefix: Prefix, *lists: NamedList) -> str | None:
    """Why ``prefix`` is denied: it matches an item of one of the lists (spec routes-4.3.5). None if it matches none."""
    for option, place, prefixes in lists:
        item = prefixes.match(prefix)
        if item is not None:
            return f"denied by {format_prefix(item)} in {option} of the {place}"
    return None


def omission(prefix: Prefix, *lists: NamedList) -> str | None:
    """Why ``prefix`` is not allowed: at least one list is not empty, and no list has a matching item (spec
    routes-4.3.6).
    """
    filled = [named for named in lists if named.prefixes]
    if not filled or any(named.prefixes.match(prefix) for named in filled):
        return None
    places = " and ".join(f"the {named.place}" for named in filled)
    return f"not in {filled[0].option} of {places}"


def _bad_items(*lists: NamedList) -> Iterator[BadItem]:
    return (BadItem(option, place, item) for option, place, prefixes in lists for item in prefixes.bad)


# ---- Options of the route exchange -----------------------------------------------------------------------------------

_ROUTER = "router"
_PORT = "router port"
_ZONE = "zone"
_NO_DENYLIST = NamedList.read({}, "ic-route-denylist", _ZONE)
_NO_BLACKLIST = NamedList.read({}, "ic-route-blacklist", _ZONE)


@dataclass(frozen=True)
class ZoneOptions:
    """The options in NB_Global.options for exchanging routes and address sets. The defaults are those of an empty map."""

    adv: bool = False
    learn: bool = False
    adv_default: bool = False
    learn_default: bool = False
    adv_lb: bool = False
    learn_lb: bool = False
    adv_via_transit: bool = False
    """``ic-route-adv-via-transit``: routes whose next hop is on a transit switch are advertised on that switch, as in
    upstream.
    """
    deny: NamedList = _NO_DENYLIST
    deny_old: NamedList = _NO_BLACKLIST
    """The list under the name used before OVN 24.09. Another program may have set it, so both lists apply."""
    strict_prefix: bool = False
    """``ic-route-strict-prefix``: destinations are compared by network instead of by text
    (``address.destination_key``).
    """
    as_adv: bool = False
    as_learn: bool = False

    @classmethod
    def read(cls, options: Mapping[str, str]) -> ZoneOptions:
        """Read NB_Global.options. ic-route-denylist and ic-route-blacklist both apply; upstream ignores the second one
        if the first is set.
        """
        return cls(
            adv=boolean(options, "ic-route-adv"),
            learn=boolean(options, "ic-route-learn"),
            adv_default=boolean(options, "ic-route-adv-default"),
            learn_default=boolean(options, "ic-route-learn-default"),
            adv_lb=boolean(options, "ic-route-adv-lb"),
            learn_lb=boolean(options, "ic-route-learn-lb"),
            adv_via_transit=boolean(options, "ic-route-adv-via-transit"),
            deny=NamedList.read(options, "ic-route-denylist", _ZONE),
            deny_old=NamedList.read(options, "ic-route-blacklist", _ZONE),
            strict_prefix=boolean(options, "ic-route-strict-prefix"),
            as_adv=boolean(options, "ic-as-adv"),
            as_learn=boolean(options, "ic-as-learn"),
        )

    @property
    def bad_items(self) -> tuple[BadItem, ...]:
        """Items of the two denylists that are not prefixes."""
        return tuple(_bad_items(self.deny, self.deny_old))


@dataclass(frozen=True)
class Filters:
    """The allow lists (``filter_*``) and deny lists of a router and of the router port that is attached to a transit
    switch.
    """

    filter_adv: NamedList
    filter_learn: NamedList
    deny_adv: NamedList
    deny_learn: NamedList

    @classmethod
    def read(cls, options: Mapping[str, str], place: str) -> Filters:
        """Read the four list options from the ``options`` of the object that reasons call ``place``."""
        return cls(
            filter_adv=NamedList.read(options, "ic-route-filter-adv", place),
            filter_learn=NamedList.read(options, "ic-route-filter-learn", place),
            deny_adv=NamedList.read(options, "ic-route-deny-adv", place),
            deny_learn=NamedList.read(options, "ic-route-deny-learn", place),
        )

    @property
    def bad_items(self) -> tuple[BadItem, ...]:
        """Items of the four lists that are not prefixes."""
        return tuple(_bad_items(self.filter_adv, self.filter_learn, self.deny_adv, self.deny_learn))


_NO_ROUTER_FILTERS = Filters.read({}, _ROUTER)
_NO_PORT_FILTERS = Filters.read({}, _PORT)


@dataclass(frozen=True)
class RouterOptions:
    """The options in Logical_Router.options for exchanging routes."""

    filters: Filters = _NO_ROUTER_FILTERS
    ipv4_next_hop_ipv6: bool = False

    @classmethod
    def read(cls, options: Mapping[str, str]) -> RouterOptions:
        """Read Logical_Router.options."""
        return cls(Filters.read(options, _ROUTER), boolean(options, "ic-route-ipv4-next-hop-ipv6"))


class TagRules(NamedTuple):
    """``ic-route-learn-tag-rules``: learn only routes with one of the tags (``allow``), or all others and untagged ones
    (``block``).
    """

    allow: bool
    tags: frozenset[str]

    def refusal(self, tag: str | None) -> str | None:
        """Why a route with this tag (None: untagged) is not learned. None if it is."""
        if self.allow:
            known = " or ".join(f'"{one}"' for one in sorted(self.tags))
            said = "has no tag" if tag is None else f'has the tag "{tag}"'
            return None if tag in self.tags else f"the route {said}, and only routes with the tag {known} are learned"
        return f'routes with the tag "{tag}" are blocked' if tag in self.tags else None


LEARN_TAG_RULES, FILTER_TAG = "ic-route-learn-tag-rules", "ic-route-filter-tag"


@lru_cache(maxsize=_LISTS_KEPT)
def tag_rules(text: str) -> TagRules | None:
    """Read ``ic-route-learn-tag-rules``: ``allow:TAG[,TAG]`` or ``block:TAG[,TAG]``. None for any other text, which
    counts as unset.

    The rules are those of upstream (spec newest-N-2): the prefix is case-sensitive, the list is split at commas, empty
    items are dropped, spaces belong to a tag.
    """
    kind, colon, rest = text.partition(":")
    tags = frozenset(filter(None, rest.split(",")))
    if kind not in ("allow", "block") or not colon or not tags:
        return None
    return TagRules(kind == "allow", tags)


def tag_warning(options: Mapping[str, str]) -> tuple[str, bool] | None:
    """What is wrong with the tag options of a router port, and whether they are without effect. None if nothing is
    wrong.
    """
    rules, old = options.get(LEARN_TAG_RULES), FILTER_TAG in options
    if rules is not None and tag_rules(rules) is None:
        forms = "allow:TAG[,TAG...] or block:TAG[,TAG...]"
        return f'{LEARN_TAG_RULES} is "{rules}", which is invalid and has no effect; set it to {forms}', True
    if rules is not None and old:
        return f"{FILTER_TAG} has no effect because {LEARN_TAG_RULES} is set; remove it", False
    if old:
        return f"{FILTER_TAG} is deprecated and OVN 28.09 will not support it; use {LEARN_TAG_RULES}=block:TAG instead", False
    return None


@dataclass(frozen=True)
class PortOptions:
    """The options of the Logical_Router_Port that is attached to a transit switch port. ``PortOptions()`` if it is
    missing.

    ``ipv4_next_hop_ipv6`` is None if the router's value applies.
    """

    filters: Filters = _NO_PORT_FILTERS
    route_table: str = ""
    route_tag: str = ""
    filter_tag: str = ""
    learn_tags: TagRules | None = None
    ipv4_next_hop_ipv6: bool | None = None

    @classmethod
    def read(cls, options: Mapping[str, str]) -> PortOptions:
        """Read Logical_Router_Port.options."""
        over_ipv6 = {"true": True, "false": False}.get(options.get("ic-route-ipv4-next-hop-ipv6", "").lower())
        return cls(
            filters=Filters.read(options, _PORT),
            route_table=options.get("route_table", ""),
            route_tag=options.get("ic-route-tag", ""),
            filter_tag=options.get(FILTER_TAG, ""),
            learn_tags=tag_rules(options.get(LEARN_TAG_RULES, "")),
            ipv4_next_hop_ipv6=over_ipv6,
        )


def ipv4_over_ipv6(router: RouterOptions, port: PortOptions) -> bool:
    """Whether IPv4 prefixes get the port's IPv6 next hop. The port's ``true`` or ``false`` overrides the router's value
    (spec routes-4.4).
    """
    return router.ipv4_next_hop_ipv6 if port.ipv4_next_hop_ipv6 is None else port.ipv4_next_hop_ipv6


def may_advertise(prefix: Prefix, zone: ZoneOptions, router: RouterOptions, port: PortOptions, loadbalancer: bool = False) -> str | None:
    """Why ``prefix`` may not be advertised, or None if it may (spec routes-4.3; spec routes-S3 for ``loadbalancer``).

    The policy of static routes (spec routes-4.3.3) does not depend on options and is not checked here.
    """
    if not zone.adv:
        return "ic-route-adv is off"
    if prefix.is_default and not zone.adv_default:
        return "it is a default route and ic-route-adv-default is off"
    if loadbalancer and not zone.adv_lb:
        return "it is a load balancer VIP and ic-route-adv-lb is off"
    if is_link_local(prefix):
        return "link-local prefixes are not advertised"
    denied = denial(prefix, port.filters.deny_adv, router.filters.deny_adv, zone.deny, zone.deny_old)
    return denied or omission(prefix, port.filters.filter_adv, router.filters.filter_adv)


def may_learn(
    prefix: Prefix,
    zone: ZoneOptions,
    router: RouterOptions,
    port: PortOptions,
    origin: str = "",
    enabled: bool = True,
) -> str | None:
    """Why a route to ``prefix`` may not be learned, or None if it may (spec routes-5.6.1 to routes-5.6.7).

    ``origin`` is that of the IC_SB route. ``enabled`` says whether the router is enabled (unset counts as enabled).
    """
    if not zone.learn:
        return "ic-route-learn is off"
    if prefix.is_default and not zone.learn_default:
        return "it is a default route and ic-route-learn-default is off"
    if origin == "loadbalancer" and not zone.learn_lb:
        return "it is a load balancer VIP and ic-route-learn-lb is off"
    if not enabled:
        return "the router is disabled"
    if is_link_local(prefix):
        return "link-local prefixes are not learned"
    denied = denial(prefix, port.filters.deny_learn, router.filters.deny_learn, zone.deny, zone.deny_old)
    return denied or omission(prefix, port.filters.filter_learn, router.filters.filter_learn)
