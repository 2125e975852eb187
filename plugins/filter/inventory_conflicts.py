# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds transit switches and attachments of an inventory that contradict each other."""

from __future__ import annotations

DOCUMENTATION = r"""
name: inventory_conflicts
short_description: Find transit switches and attachments of an inventory that contradict each other
version_added: 0.1.0
description:
  - Compares the attachments of all zones with each other and with the subnets of the transit switches.
  - The playbook C(site.yml) rejects an inventory for which the result is not empty, before its first change.
  - The modules cannot find all conflicts, because zones are attached at the same time and do not see each other's ports yet.
author:
  - The ovn.interconnect authors (@ovn)
positional: _input
options:
  _input:
    description:
      - A dictionary that describes the inventory.
      - C(transit_switches), in the format of the role C(ovn_ic_global).
      - C(attachments), by the name of each zone, in the format of the role C(ovn_ic_az).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the conflicts
  ansible.builtin.debug:
    msg: "{{ inventory | ovn.interconnect.inventory_conflicts }}"
  vars:
    inventory:
      transit_switches: "{{ ovn_ic_transit_switches }}"
      attachments:
        az1: "{{ ovn_ic_az_attachments }}"
"""

RETURN = r"""
_value:
  description: A sentence for each conflict.
  type: list
  elements: str
"""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Interface, IPv6Interface, ip_interface, ip_network
from itertools import combinations
from typing import Any

Network = Any  # IPv4Network or IPv6Network: typeshed has no common type with overlaps()


def _subnets(switches: list[Mapping[str, Any]]) -> dict[str, list[Network]]:
    """The subnets of each desired transit switch."""
    wanted = [switch for switch in switches if switch.get("state", "present") != "absent"]
    return {switch["name"]: [ip_network(text, strict=False) for text in switch.get("subnets") or ()] for switch in wanted}


def _overlaps(subnets: Mapping[str, list[Network]]) -> Iterator[str]:
    """Overlapping subnets, of one transit switch or of two."""
    pairs = combinations([(name, network) for name, networks in subnets.items() for network in networks], 2)
    for (name, one), (other, two) in pairs:
        if one.version == two.version and one.overlaps(two):
            yield f"subnet {one} of transit switch {name} overlaps subnet {two} of transit switch {other}"


def _outside(who: str, switch: str, address: IPv4Interface | IPv6Interface, networks: list[Network]) -> Iterator[str]:
    """Why an address does not fit into the subnets of its transit switch, None if it does."""
    own = next((network for network in networks if network.version == address.version and address.ip in network), None)
    if own is None:
        if networks:
            yield f"{address} of {who} is outside the subnets of transit switch {switch} ({', '.join(map(str, networks))})"
    elif address.network.prefixlen != own.prefixlen:
        yield f"{address} of {who} has another prefix length than its subnet {own} of transit switch {switch}"
    elif own.version == 4 and own.prefixlen < 31 and address.ip in (own.network_address, own.broadcast_address):
        yield f"{address} of {who} is the network or broadcast address of subnet {own} of transit switch {switch}"


def inventory_conflicts(inventory: Mapping[str, Any]) -> list[str]:
    """A sentence for each conflict in the inventory, or for the first text that is not an address."""
    try:
        return _conflicts(inventory)
    except ValueError as error:
        return [f"{error} in an attachment's networks or a transit switch's subnets"]


def _conflicts(inventory: Mapping[str, Any]) -> list[str]:
    """The sentences. Raises ValueError for a text that is not an address or network."""
    subnets = _subnets(inventory["transit_switches"])
    found = list(_overlaps(subnets))
    users: dict[tuple[str, str], str] = {}
    for zone, attachments in inventory["attachments"].items():
        for attachment in attachments:
            if attachment.get("state", "present") == "absent":
                continue
            switch, who = attachment["transit_switch"], f"router {attachment['router']} of zone {zone}"
            addresses = [ip_interface(text) for text in attachment.get("networks") or ()]
            for address in addresses:
                found += _outside(who, switch, address, subnets.get(switch, []))
            names = [
                str(attachment.get("mac") or "").lower(),
                *(str(address.ip) for address in addresses),
                attachment.get("switch_port") or "",
            ]
            for name in filter(None, names):
                other = users.setdefault((switch, name), who)
                if other != who:
                    found.append(f"{other} and {who} both have {name} on transit switch {switch}")
    return found


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Any]:
        """The name of the filter and its function."""
        return {"inventory_conflicts": inventory_conflicts}
