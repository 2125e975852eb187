# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describes an interconnect in about ten lines."""

from __future__ import annotations

DOCUMENTATION = r"""
name: interconnect_summary
short_description: Describe an interconnect in about ten lines
version_added: 0.2.0
description:
  - Returns a line about the whole interconnect and a line for each zone, at most ten lines.
  - The playbook C(site.yml) prints them at its end.
author:
  - The ovn.interconnect authors (@ovn)
positional: _input
options:
  _input:
    description: The result of the module M(ovn.interconnect.ovn_ic_info).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Read the interconnect
  ovn.interconnect.ovn_ic_info:
    ic_nb_db: tcp:192.0.2.10:6645
    ic_sb_db: tcp:192.0.2.10:6646
  register: interconnect

- name: Print the interconnect
  ansible.builtin.debug:
    msg: "{{ interconnect | ovn.interconnect.interconnect_summary }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

from collections.abc import Mapping
from typing import Any

#: The maximum number of lines.
MOST = 10


def interconnect_summary(facts: Mapping[str, Any]) -> list[str]:
    """A line about all zones, then a line for each zone, with its gateways, ports and number of routes."""
    zones, switches = sorted(zone["name"] for zone in facts["zones"]), facts["transit_switches"]
    lines = [f"{_count(len(zones), 'zone')} on {_count(len(switches), 'transit switch')} ({_names(sorted(switches))})"]
    shown = zones if len(zones) < MOST else zones[: MOST - 2]
    lines += [_zone(name, facts) for name in shown]
    if len(shown) < len(zones):
        lines.append(f"and {len(zones) - len(shown)} more zones")
    return lines


def _zone(name: str, facts: Mapping[str, Any]) -> str:
    gateways = sorted(gateway["name"] for gateway in facts["gateways"] if gateway["zone"] == name)
    ports = sorted(f"{port['name']} at {port['gateway'] or 'no gateway'}" for port in facts["ports"] if port["zone"] == name)
    routes = sum(route["zone"] == name for route in facts["routes"])
    return f"{name}: {_count(len(gateways), 'gateway')} ({_names(gateways)}), ports {_names(ports)}, advertises {_count(routes, 'route')}"


def _names(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (", ".join(names[:3]) + more) or "none"


def _count(number: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("ch") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Any]:
        """The name of the filter and its function."""
        return {"interconnect_summary": interconnect_summary}
