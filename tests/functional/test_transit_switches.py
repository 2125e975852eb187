# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transit switches: the zones' switches and their datapath keys (spec: transit switches, parts 2, 4 and 8)."""

from __future__ import annotations

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.servers import Interconnect


def test_every_transit_switch_gets_one_key_in_all_databases(ic: Interconnect) -> None:
    for name in ("ts1", "ts2"):
        ic.nb.transact(*topology.transit_switch(name))
    ic.settle()
    keys = {row.text("transit_switch"): row.number("tunnel_key") for row in ic.sb.rows("Datapath_Binding")}
    assert set(keys) == {"ts1", "ts2"}
    assert len(set(keys.values())) == 2
    assert all(16711681 <= key <= 16777215 for key in keys.values())
    for zone in ic.zones:
        requested = {row.text("name"): row.map("other_config")["requested-tnl-key"] for row in zone.nb.rows("Logical_Switch")}
        assert requested == {name: str(key) for name, key in keys.items()}
        bound = {row.map("external_ids").get("interconn-ts"): row.number("tunnel_key") for row in zone.sb.rows("Datapath_Binding")}
        assert bound == keys


def test_a_deleted_transit_switch_is_gone_everywhere(ic: Interconnect) -> None:
    for name in ("ts1", "ts2"):
        ic.nb.transact(*topology.transit_switch(name))
    ic.settle()
    ic.nb.transact(*topology.no_transit_switch("ts1"))
    ic.settle()
    assert [row.text("transit_switch") for row in ic.sb.rows("Datapath_Binding")] == ["ts2"]
    for zone in ic.zones:
        assert [row.text("name") for row in zone.nb.rows("Logical_Switch")] == ["ts2"]
