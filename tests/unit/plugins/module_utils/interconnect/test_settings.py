# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading of option maps: booleans, integers, lists, and what they say about a prefix."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect import settings
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.address import Prefix, format_prefix, parse_prefix
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.settings import PortOptions, RouterOptions, ZoneOptions
from ansible_collections.ovn.interconnect.tests.support.examples import examples

fixed = examples(300)

ON = {"ic-route-adv": "true", "ic-route-learn": "true"}


def prefix(text: str) -> Prefix:
    parsed = parse_prefix(text)
    assert parsed is not None, text
    return parsed


# ---- Single values ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["true", "TRUE", "True"])
def test_true_in_any_letter_case(value: str) -> None:
    """Only the word true is true (spec zones-0, routes-2.1)."""
    assert settings.boolean({"key": value}, "key") is True
    assert settings.boolean({"key": value}, "key", default=True) is True


@pytest.mark.parametrize("value", ["false", "FALSE", "False"])
def test_false_in_any_letter_case(value: str) -> None:
    assert settings.boolean({"key": value}, "key") is False
    assert settings.boolean({"key": value}, "key", default=True) is False


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize("value", [None, "", "1", "0", "yes", "no", "on", "off", " true", "false "])
def test_any_other_text_is_the_default(value: str | None, default: bool) -> None:
    """Any other text means the default (spec zones-0, routes-2.1)."""
    assert settings.boolean({} if value is None else {"key": value}, "key", default) is default


@pytest.mark.parametrize(
    "value, expected",
    [
        ("0", 0),
        ("7", 7),
        ("007", 7),
        ("-7", -7),
        ("+7", 7),
        (" 7", 7),
        ("2147483647", 2147483647),
        ("-2147483648", -2147483648),
        ("2147483648", 42),
        ("9" * 5000, 42),
        ("7 ", 42),
        ("7x", 42),
        ("0x7", 42),
        ("7_0", 42),
        ("٧", 42),
        ("- 7", 42),
        ("", 42),
        (None, 42),
    ],
)
def test_integer(value: str | None, expected: int) -> None:
    """The whole text must be a number (spec zones-0)."""
    assert settings.integer({} if value is None else {"key": value}, "key", 42) == expected


@pytest.mark.parametrize(
    "value, tcp, unix",
    [
        (None, 5000, 0),
        ("", 5000, 0),
        ("junk", 5000, 0),
        ("-1", 5000, 0),
        ("0", 0, 0),
        ("1", 1000, 1000),
        ("999", 1000, 1000),
        ("1000", 1000, 1000),
        ("60000", 60000, 60000),
    ],
)
def test_probe_interval(value: str | None, tcp: int, unix: int) -> None:
    """Intervals below a second are raised, local sockets are not probed (spec status-F.7)."""
    options = {} if value is None else {"ic_probe_interval": value}
    assert settings.probe_interval(options, "tcp:172.30.0.10:6645") == tcp
    assert settings.probe_interval(options, "ssl:[fd00::1]:6645") == tcp
    assert settings.probe_interval(options, "unix:/var/run/ovn/ovnnb_db.sock") == unix


# ---- spec routes-P3: lists -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, items, bad",
    [
        ("", [], []),
        (",", [], []),
        (",,,", [], []),
        ("10.0.0.0/8", ["10.0.0.0/8"], []),
        (",10.0.0.0/8,,2001:db8::/32,", ["10.0.0.0/8", "2001:db8::/32"], []),
        (" 10.0.0.0/8", ["10.0.0.0/8"], []),
        ("10.0.0.0/8 ", [], ["10.0.0.0/8 "]),
        ("192.168.12.0/24,invalid", ["192.168.12.0/24"], ["invalid"]),
        ("invalid, ", [], ["invalid", " "]),
        ("10.0.0.0/8,10.0.0.0/8,x,x", ["10.0.0.0/8"], ["x"]),
    ],
)
def test_list(text: str, items: list[str], bad: list[str]) -> None:
    """A list is cut at commas and not trimmed (spec routes-P3)."""
    parsed = settings.prefix_list(text)
    assert [format_prefix(item) for item in parsed.items] == items
    assert list(parsed.bad) == bad
    assert bool(parsed) is bool(items or bad)


def test_longest_item_matches() -> None:
    parsed = settings.prefix_list("10.0.0.0/8,10.1.0.9/16,::/0")
    assert parsed.match(prefix("10.1.2.0/24")) == prefix("10.1.0.0/16")
    assert parsed.match(prefix("10.2.0.0/16")) == prefix("10.0.0.0/8")
    assert parsed.match(prefix("11.0.0.0/8")) is None
    assert parsed.match(prefix("fd00::/8")) == prefix("::/0")


def prefixes(family: int, bits: int) -> st.SearchStrategy[Prefix]:
    """Prefixes of one family whose networks often hold each other: all address bits but the first three are zero."""
    return st.builds(lambda head, length: Prefix(family, head << (bits - 3), length), st.integers(0, 7), st.integers(0, 5))


any_prefix = st.one_of(prefixes(4, 32), prefixes(6, 128))


@fixed
@given(any_prefix, st.lists(any_prefix, max_size=6))
def test_list_matches_what_is_a_subnet_of_an_item(item: Prefix, entries: list[Prefix]) -> None:
    ours = ipaddress.ip_network(format_prefix(item), strict=False)
    theirs = [ipaddress.ip_network(format_prefix(entry), strict=False) for entry in entries]
    expected = any(ours.version == net.version and ours.subnet_of(net) for net in theirs)  # type: ignore[arg-type]
    parsed = settings.prefix_list(",".join(format_prefix(entry) for entry in entries))
    assert (parsed.match(item) is not None) is expected


# ---- Options of the zone, the router and the port --------------------------------------------------------------------


def test_empty_maps_are_the_defaults() -> None:
    assert ZoneOptions.read({}) == ZoneOptions()
    assert RouterOptions.read({}) == RouterOptions()
    assert PortOptions.read({}) == PortOptions()


@pytest.mark.parametrize(
    "key, name",
    [
        ("ic-route-adv", "adv"),
        ("ic-route-learn", "learn"),
        ("ic-route-adv-default", "adv_default"),
        ("ic-route-learn-default", "learn_default"),
        ("ic-route-adv-lb", "adv_lb"),
        ("ic-route-learn-lb", "learn_lb"),
        ("ic-route-strict-prefix", "strict_prefix"),
        ("ic-as-adv", "as_adv"),
        ("ic-as-learn", "as_learn"),
    ],
)
def test_switches_of_the_zone(key: str, name: str) -> None:
    assert ZoneOptions.read({key: "True"}) == ZoneOptions(**{name: True})  # type: ignore[arg-type]
    assert ZoneOptions.read({key: "yes"}) == ZoneOptions()


@pytest.mark.parametrize(
    "options, denied",
    [
        ({}, []),
        ({"ic-route-denylist": "10.0.0.0/8"}, ["10.0.0.0/8"]),
        ({"ic-route-blacklist": "50.0.0.0/8"}, ["50.0.0.0/8"]),
        ({"ic-route-denylist": "", "ic-route-blacklist": "50.0.0.0/8"}, ["50.0.0.0/8"]),
        ({"ic-route-denylist": "10.0.0.0/8", "ic-route-blacklist": "50.0.0.0/8"}, ["10.0.0.0/8", "50.0.0.0/8"]),
        ({"ic-route-denylist": ",", "ic-route-blacklist": "50.0.0.0/8"}, ["50.0.0.0/8"]),
    ],
)
def test_both_names_of_the_denylist_count(options: dict[str, str], denied: list[str]) -> None:
    read = ZoneOptions.read({"ic-route-adv": "true", **options})
    lists = {"ic-route-denylist": read.deny, "ic-route-blacklist": read.deny_old}
    assert [format_prefix(item) for named in lists.values() for item in named.prefixes.items] == denied
    for name, named in lists.items():
        assert named.option == name
    for item in denied:
        assert "denied by" in (settings.may_advertise(prefix(item), read, RouterOptions(), PortOptions()) or "")


def test_options_of_a_port() -> None:
    port = PortOptions.read({"route_table": "rtb1", "ic-route-tag": "vpc1", "ic-route-filter-tag": "vpc2"})
    assert (port.route_table, port.route_tag, port.filter_tag) == ("rtb1", "vpc1", "vpc2")


@pytest.mark.parametrize("router", [None, "true", "false", "junk"])
@pytest.mark.parametrize("port", [None, "true", "FALSE", "junk", ""])
def test_ipv4_over_ipv6_is_inherited(router: str | None, port: str | None) -> None:
    key = "ic-route-ipv4-next-hop-ipv6"
    router_options = {} if router is None else {key: router}
    port_options = {} if port is None else {key: port}
    expected = settings.boolean(port_options, key, settings.boolean(router_options, key))
    assert settings.ipv4_over_ipv6(RouterOptions.read(router_options), PortOptions.read(port_options)) is expected


def test_bad_items_name_their_option() -> None:
    """Bad items are named together with their option (spec routes-P3)."""
    zone = ZoneOptions.read({"ic-route-blacklist": "bad,10.0.0.0/8"})
    port = PortOptions.read({"ic-route-filter-learn": "10.0.0.0/8 ", "ic-route-deny-adv": "x"})
    assert [str(item) for item in zone.bad_items] == ['ic-route-blacklist of the zone has the item "bad", which is not a prefix']
    assert [(item.option, item.place, item.item) for item in port.filters.bad_items] == [
        ("ic-route-filter-learn", "router port", "10.0.0.0/8 "),
        ("ic-route-deny-adv", "router port", "x"),
    ]


# ---- spec routes-4.3, routes-5.6 -------------------------------------------------------------------------------------


def both(text: str, zone: dict[str, str], router: dict[str, str], port: dict[str, str]) -> tuple[str | None, str | None]:
    """The reasons for not advertising and not learning ``text``; list options are given without -adv and -learn."""

    def directed(options: dict[str, str], direction: str) -> dict[str, str]:
        return {f"{key}-{direction}" if key.startswith(("ic-route-deny", "ic-route-filter")) else key: options[key] for key in options}

    adv = settings.may_advertise(
        prefix(text), ZoneOptions.read(zone), RouterOptions.read(directed(router, "adv")), PortOptions.read(directed(port, "adv"))
    )
    learn = settings.may_learn(
        prefix(text), ZoneOptions.read(zone), RouterOptions.read(directed(router, "learn")), PortOptions.read(directed(port, "learn"))
    )
    return adv, learn


@pytest.mark.parametrize(
    "text, zone, adv, learn",
    [
        ("10.0.0.0/8", {}, "ic-route-adv is off", "ic-route-learn is off"),
        ("10.0.0.0/8", ON, None, None),
        ("10.0.0.0/8", {"ic-route-learn": "true"}, "ic-route-adv is off", None),
        ("10.0.0.0/8", {"ic-route-adv": "true", "ic-route-learn": "yes"}, None, "ic-route-learn is off"),
        (
            "0.0.0.0/0",
            ON,
            "it is a default route and ic-route-adv-default is off",
            "it is a default route and ic-route-learn-default is off",
        ),
        ("::/0", {**ON, "ic-route-adv-default": "true"}, None, "it is a default route and ic-route-learn-default is off"),
        ("::/0", {**ON, "ic-route-learn-default": "true"}, "it is a default route and ic-route-adv-default is off", None),
        ("169.254.1.0/24", ON, "link-local prefixes are not advertised", "link-local prefixes are not learned"),
        ("169.0.0.0/8", ON, None, None),
    ],
)
def test_switches(text: str, zone: dict[str, str], adv: str | None, learn: str | None) -> None:
    """Options of the zone, and link-local prefixes.

    The rules are spec routes-4.3.1, routes-4.3.2, routes-4.3.4, routes-5.6.1, routes-5.6.2, routes-5.6.5.
    """
    assert both(text, zone, {}, {}) == (adv, learn)


@pytest.mark.parametrize(
    "text, router, port, allowed",
    [
        # One level alone, and the union of both.
        ("10.1.0.0/16", {"ic-route-filter": "10.0.0.0/8"}, {}, True),
        ("10.1.0.0/16", {}, {"ic-route-filter": "10.0.0.0/8"}, True),
        ("11.0.0.0/8", {}, {"ic-route-filter": "10.0.0.0/8"}, False),
        ("11.0.0.0/8", {"ic-route-filter": "11.0.0.0/8"}, {"ic-route-filter": "10.0.0.0/8"}, True),
        # A list of one family stops the other.
        ("fd00::/8", {}, {"ic-route-filter": "0.0.0.0/0"}, False),
        # Bad items make a list that is not empty; empty items do not.
        ("10.0.0.0/8", {}, {"ic-route-filter": "invalid"}, False),
        ("10.0.0.0/8", {"ic-route-filter": "invalid"}, {"ic-route-filter": "10.0.0.0/8"}, True),
        ("10.0.0.0/8", {}, {"ic-route-filter": ","}, True),
        ("10.0.0.0/8", {}, {"ic-route-filter": ""}, True),
        # Deny lists of both levels; denying beats allowing.
        ("10.1.0.0/16", {"ic-route-deny": "10.0.0.0/8"}, {}, False),
        ("10.1.0.0/16", {}, {"ic-route-deny": "10.0.0.0/8"}, False),
        ("10.0.0.0/7", {}, {"ic-route-deny": "10.0.0.0/8"}, True),
        ("10.0.0.0/8", {"ic-route-filter": "10.0.0.0/8"}, {"ic-route-deny": "10.0.0.0/8"}, False),
        ("10.0.0.0/8", {}, {"ic-route-deny": "invalid"}, True),
    ],
)
def test_lists_of_router_and_port(text: str, router: dict[str, str], port: dict[str, str], allowed: bool) -> None:
    """Lists of router and port, allowing and denying (spec routes-4.3.5, routes-4.3.6, routes-5.6.6, routes-5.6.7)."""
    adv, learn = both(text, ON, router, port)
    assert (adv is None) is allowed
    assert (learn is None) is allowed


def test_denylist_of_the_zone_counts_both_ways() -> None:
    reason = "denied by 2005:1000::/21 in ic-route-denylist of the zone"
    zone = {**ON, "ic-route-denylist": " 2003:db08:1::/64, 2004:aaaa::/32, 2005:1234::/21"}
    assert both("2005:1734:5678::/50", zone, {}, {}) == (reason, reason)
    assert both("2005:1834:5678::/50", zone, {}, {}) == (None, None)
    assert both("2003:db88:1::/64", zone, {}, {}) == (None, None)


def test_reasons_name_option_and_place() -> None:
    port = {"ic-route-deny": "192.168.100.0/24", "ic-route-filter": "192.168.0.0/16"}
    assert both("192.168.100.0/24", ON, {}, port) == (
        "denied by 192.168.100.0/24 in ic-route-deny-adv of the router port",
        "denied by 192.168.100.0/24 in ic-route-deny-learn of the router port",
    )
    assert both("10.0.0.0/8", ON, {"ic-route-filter": "x"}, port) == (
        "not in ic-route-filter-adv of the router port and the router",
        "not in ic-route-filter-learn of the router port and the router",
    )


@pytest.mark.parametrize("switch", [False, True])
def test_vips(switch: bool) -> None:
    """VIPs need the options for them (spec routes-S3, routes-5.6.3)."""
    vip = prefix("200.1.1.9")
    zone = ZoneOptions(adv=True, learn=True, adv_lb=switch, learn_lb=switch)
    adv = settings.may_advertise(vip, zone, RouterOptions(), PortOptions(), loadbalancer=True)
    learn = settings.may_learn(vip, zone, RouterOptions(), PortOptions(), origin="loadbalancer")
    assert adv == (None if switch else "it is a load balancer VIP and ic-route-adv-lb is off")
    assert learn == (None if switch else "it is a load balancer VIP and ic-route-learn-lb is off")
    assert settings.may_learn(vip, zone, RouterOptions(), PortOptions(), origin="static") is None


def test_disabled_router_learns_nothing() -> None:
    """A disabled router learns nothing (spec routes-5.6.4)."""
    zone = ZoneOptions(learn=True)
    assert settings.may_learn(prefix("10.0.0.0/8"), zone, RouterOptions(), PortOptions(), enabled=False) == "the router is disabled"
