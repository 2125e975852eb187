# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups the hosts of an inventory by zone."""

from __future__ import annotations

DOCUMENTATION = r"""
name: hosts_by_zone
short_description: The hosts of each zone
version_added: 0.1.0
description:
  - Groups hosts by their variable C(ovn_ic_az_name). Hosts without it are left out.
  - The playbooks of this collection use the first host of each zone to act for the zone.
author:
  - The ovn.interconnect authors (@ovn)
positional: _input, hostvars
options:
  _input:
    description: Names of hosts, in the order of the inventory.
    type: list
    elements: str
    required: true
  hostvars:
    description: The magic variable C(hostvars).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the host that acts for each zone
  ansible.builtin.debug:
    msg: "{{ (groups['ovn_ic_daemons'] | ovn.interconnect.hosts_by_zone(hostvars)).values() | map('first') }}"
"""

RETURN = r"""
_value:
  description: For the name of each zone, its hosts in the order in which they were given.
  type: dict
"""

from collections.abc import Iterable, Mapping
from typing import Any


def hosts_by_zone(hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """The hosts of each zone, in the order in which they were given."""
    zones: dict[str, list[str]] = {}
    for host in hosts:
        if "ovn_ic_az_name" in hostvars[host]:
            zones.setdefault(str(hostvars[host]["ovn_ic_az_name"]), []).append(host)
    return zones


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Any]:
        """The name of the filter and its function."""
        return {"hosts_by_zone": hosts_by_zone}
