# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts are a zone's."""

from __future__ import annotations

from typing import Any

from ansible_collections.ovn.interconnect.plugins.filter.hosts_by_zone import hosts_by_zone


def test_the_hosts_keep_their_order_and_those_without_a_zone_are_left_out() -> None:
    hostvars: dict[str, dict[str, Any]] = {
        "b1": {"ovn_ic_az_name": "az2"},
        "a1": {"ovn_ic_az_name": "az1"},
        "db": {},
        "b0": {"ovn_ic_az_name": "az2"},
        "n": {"ovn_ic_az_name": 7},
    }
    assert hosts_by_zone(hostvars, hostvars) == {"az2": ["b1", "b0"], "az1": ["a1"], "7": ["n"]}
