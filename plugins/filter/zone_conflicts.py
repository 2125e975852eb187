# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds properties of a new zone that conflict with the existing zones of an interconnect."""

from __future__ import annotations

DOCUMENTATION = r"""
name: zone_conflicts
short_description: Find conflicts of a new zone with the zones of an interconnect
version_added: 0.1.0
description:
  - Compares addresses, chassis and networks of a zone with those that the other zones have in IC_SB.
  - The playbook C(add_zone.yml) rejects a zone for which the result is not empty.
author:
  - The ovn.interconnect authors (@ovn)
positional: _input
options:
  _input:
    description:
      - A dictionary that describes the zone.
      - C(name), its name.
      - C(interconnect), the rows of Availability_Zone, Gateway, Encap, Port_Binding and Route in IC_SB, each as
        C(ovn-ic-sbctl --format=json) prints them.
      - C(south), the rows of Chassis and Encap in SB, printed in the same way.
      - C(attachments), in the format of the role C(ovn_ic_az).
      - C(networks), the networks of each router by its name.
      - C(denylist), the prefixes that the zone does not exchange.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the conflicts
  ansible.builtin.debug:
    msg: "{{ zone | ovn.interconnect.zone_conflicts }}"
"""

RETURN = r"""
_value:
  description: A sentence for each conflict.
  type: list
  elements: str
"""

from collections.abc import Iterator, Mapping
from ipaddress import ip_interface, ip_network
from typing import Any

from ansible_collections.ovn.interconnect.plugins.plugin_utils.tables import listed, rows


class _Others:
    """What the other zones have in IC_SB."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        zones, gateways, encaps, ports, routes = map(rows, facts["interconnect"])
        self._names = {row["_uuid"]: row["name"] for row in zones if row["name"] != facts["name"]}
        addresses = {row["_uuid"]: row["ip"] for row in encaps}
        self.gateways = {row["name"]: self.zone(row) for row in gateways if self.zone(row)}
        self.tunnels = {
            addresses[uuid]: f"gateway {row['name']} of zone {self.zone(row)}"
            for row in gateways
            if self.zone(row)
            for uuid in listed(row["encaps"])
            if uuid in addresses
        }
        self.ports = [row for row in ports if self.zone(row)]
        self.routes = [row for row in routes if self.zone(row) and row["origin"] == "connected"]

    def zone(self, row: Mapping[str, Any]) -> str:
        """The other zone that owns a row, empty if the new zone itself owns it."""
        return str(self._names.get(row["availability_zone"], ""))


def _addresses(facts: Mapping[str, Any], others: _Others) -> Iterator[str]:
    for attachment in facts["attachments"]:
        own = {str(ip_interface(network).ip) for network in attachment.get("networks") or ()} | {str(attachment.get("mac") or "").lower()}
        for port in others.ports:
            if port["transit_switch"] == attachment["transit_switch"]:
                words = port["address"].lower().split()
                theirs = {words[0], *(str(ip_interface(word).ip) for word in words[1:])} if words else set()
                for both in sorted(own & theirs):
                    yield f"{both} of router {attachment['router']} is used by port {port['logical_port']} of zone {others.zone(port)}"


def _chassis(facts: Mapping[str, Any], others: _Others) -> Iterator[str]:
    chassis, encaps = map(rows, facts["south"])
    own = {row["name"] for row in chassis if row["other_config"].get("is-remote") != "true"}
    for name in sorted(own & others.gateways.keys()):
        yield f"zone {others.gateways[name]} has a gateway named {name}, like a chassis of this zone"
    for row in encaps:
        if row["chassis_name"] in own - others.gateways.keys() and row["ip"] in others.tunnels:
            yield f"the tunnel address {row['ip']} of chassis {row['chassis_name']} is that of {others.tunnels[row['ip']]}"


def _networks(facts: Mapping[str, Any], others: _Others) -> Iterator[str]:
    denied = [ip_network(prefix, strict=False) for prefix in facts["denylist"]]
    for attachment in facts["attachments"]:
        transit = {ip_interface(network).network for network in attachment.get("networks") or ()}
        own = {ip_interface(network).network for network in facts["networks"].get(attachment["router"], ())} - transit
        for route in others.routes:
            if route["transit_switch"] != attachment["transit_switch"]:
                continue
            theirs = ip_network(route["ip_prefix"], strict=False)
            for network in sorted(own, key=str):
                hidden = network.is_link_local or any(network.version == one.version and network.subnet_of(one) for one in denied)  # type: ignore[arg-type]
                if not hidden and network.overlaps(theirs):
                    yield f"{network} of router {attachment['router']} overlaps {theirs}, which zone {others.zone(route)} has"


def zone_conflicts(facts: Mapping[str, Any]) -> list[str]:
    """A sentence for each name, address or network that the zone and another zone have, although only one may have it."""
    others = _Others(facts)
    return list(dict.fromkeys([*_addresses(facts, others), *_chassis(facts, others), *_networks(facts, others)]))


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Any]:
        """The name of the filter and its function."""
        return {"zone_conflicts": zone_conflicts}
