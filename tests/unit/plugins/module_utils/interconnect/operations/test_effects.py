# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warnings of objects without effect."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import effects
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.attachment import NORTH
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.registration import zone_of
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import NB
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import only, put, stores


def attachment(lrp: dict[str, Any], router: dict[str, Any]) -> list[str]:
    contents = stores(NORTH)
    nb: Store = contents[NB]
    port = put(nb, "Logical_Router_Port", name="up", mac="aa:aa:aa:aa:aa:01", **lrp)
    put(nb, "Logical_Router", name="lr1", ports={port}, **router)
    switch_port = put(nb, "Logical_Switch_Port", name="sp", type="router", options={"router-port": "up"})
    put(nb, "Logical_Switch", name="ts1", ports={switch_port}, other_config={"interconn-ts": "ts1"})
    zone = zone_of(contents)
    lsp, row = zone.switch_port("sp"), zone.router_port("up")
    assert lsp is not None
    assert row is not None
    return list(effects.of_attachment(zone, lsp, row))


HELD = {"ha_chassis_group": "00000000-0000-0000-0000-000000000001"}


@pytest.mark.parametrize(
    ("lrp", "router", "cause"),
    [
        ({}, {}, "the router port up has no gateway chassis"),
        (HELD, {"enabled": False}, "the logical router lr1 is disabled"),
        (HELD, {"options": {"chassis": "gw1"}}, "lr1 is a gateway router (options:chassis=gw1)"),
        ({**HELD, "enabled": False}, {}, "the logical router port up is disabled"),
    ],
)
def test_an_attachment_without_effect_is_warned_of(lrp: dict[str, Any], router: dict[str, Any], cause: str) -> None:
    (sentence,) = attachment(lrp, router)
    assert sentence.startswith("the attachment by port 'sp' has no effect in other zones yet: ")
    assert cause in sentence


@pytest.mark.parametrize("chassis", [[], ["gw1"]])
def test_an_empty_group_is_warned_of(chassis: list[str]) -> None:
    contents = stores(NORTH)
    nb = contents[NB]
    members = {put(nb, "HA_Chassis", chassis_name=name) for name in chassis}
    group = put(nb, "HA_Chassis_Group", name="edge", ha_chassis=members)
    port = put(nb, "Logical_Router_Port", name="up", mac="aa:aa:aa:aa:aa:01", ha_chassis_group=group)
    put(nb, "Logical_Router", name="lr1", ports={port})
    switch_port = put(nb, "Logical_Switch_Port", name="sp", type="router", options={"router-port": "up"})
    put(nb, "Logical_Switch", name="ts1", ports={switch_port}, other_config={"interconn-ts": "ts1"})
    zone = zone_of(contents)
    found = list(effects.of_attachment(zone, only(nb, "Logical_Switch_Port"), only(nb, "Logical_Router_Port")))
    assert ["the HA chassis group edge of router port up has no chassis" in sentence for sentence in found] == ([] if chassis else [True])


def test_an_attachment_with_gateways_has_no_warning() -> None:
    assert attachment(HELD, {}) == []


def test_options_without_their_precondition_are_warned_of() -> None:
    assert len(list(effects.of_policy({"ic-route-adv-lb": "true", "ic-route-learn-default": "true", "ic-route-learn": "true"}))) == 1
    (sentence,) = effects.of_policy({"ic-route-denylist": "10.0.0.0/8,junk"})
    assert "junk" in sentence
    assert list(effects.of_policy({"ic-route-adv": "true", "ic-route-adv-lb": "true", "ic-route-denylist": "10.0.0.0/8"})) == []


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "169.254.0.1", "::1", "ff02::1", "fe80::1", "host"]
)
def test_tunnel_addresses_that_other_zones_cannot_reach_are_warned_of(address: str) -> None:
    assert len(list(effects.of_gateway("gw1", {"ovn-encap-ip": address, "ovn-encap-type": "geneve"}))) == 1


def test_a_usable_gateway_has_no_warning_and_an_unknown_tunnel_type_has_one() -> None:
    assert list(effects.of_gateway("gw1", {"ovn-encap-ip": "192.0.2.1,2001:db8::1", "ovn-encap-type": "geneve,vxlan"})) == []
    assert "gre" in next(effects.of_gateway("gw1", {"ovn-encap-ip": "192.0.2.1", "ovn-encap-type": "gre"}))
