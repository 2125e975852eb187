# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transit switches: the zones' switches and their datapath keys (spec switches-2, switches-4, switches-8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Group, insert
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.commit import Committer
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.replies import Outcome
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import DATABASES, IC_SB
from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.rpc import JsonRpc
from ansible_collections.ovn.interconnect.tests.support.scenes import transit_switches
from ansible_collections.ovn.interconnect.tests.support.servers import Interconnect

from .conftest import Make


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


def test_operators_changes_of_the_key_are_put_right_and_other_keys_stay(ic: Interconnect) -> None:
    transit_switches(ic, "ts1")
    key = ic.sb.get("Datapath_Binding").number("tunnel_key")
    az1 = ic.zones[0]
    keys = {"requested-tnl-key": "17", "mcast_snoop": "true"}
    az1.nb.transact(ovsdb.set_keys("Logical_Switch", "other_config", keys, name="ts1"))
    ic.settle()
    found = az1.nb.get("Logical_Switch").map("other_config")
    assert found["requested-tnl-key"] == str(key)
    assert found["mcast_snoop"] == "true"


def test_a_switch_deleted_in_one_zone_comes_back(ic: Interconnect) -> None:
    transit_switches(ic, "ts1")
    key = ic.sb.get("Datapath_Binding").number("tunnel_key")
    az1 = ic.zones[0]
    az1.nb.transact(ovsdb.delete("Logical_Switch", name="ts1"))
    ic.settle()
    assert az1.nb.get("Logical_Switch", name="ts1").map("other_config")["requested-tnl-key"] == str(key)


def test_an_ordinary_switch_of_the_same_name_is_left_alone(ic: Interconnect) -> None:
    az1 = ic.zones[0]
    az1.nb.transact(ovsdb.insert("Logical_Switch", {"name": "ts1"}))
    transit_switches(ic, "ts1")
    marks = sorted(row.map("other_config").get("interconn-ts", "") for row in az1.nb.rows("Logical_Switch", name="ts1"))
    assert marks == ["", "ts1"]


@pytest.mark.ours("every switch with an unknown mark is deleted")
def test_a_switch_that_others_made_is_not_deleted(ic: Interconnect) -> None:
    az1 = ic.zones[0]
    az1.nb.transact(ovsdb.insert("Logical_Switch", {"name": "foreign", "other_config": {"interconn-ts": "foreign"}}))
    ic.settle()
    assert az1.nb.rows("Logical_Switch", name="foreign")


def test_two_switches_for_one_transit_switch_become_one(ic: Interconnect) -> None:
    transit_switches(ic, "ts1")
    az1 = ic.zones[0]
    az1.nb.transact(ovsdb.insert("Logical_Switch", {"name": "other", "other_config": {"interconn-ts": "ts1"}}))
    ic.settle()
    assert len(az1.nb.rows("Logical_Switch")) == 1


def test_columns_of_a_transit_switch_are_not_propagated(ic: Interconnect) -> None:
    """other_config and external_ids go nowhere (spec switches-1)."""
    transit_switches(ic, "ts1")
    before = [row.columns for zone in ic.zones for row in zone.nb.rows("Logical_Switch")]
    ic.nb.transact(ovsdb.set_keys("Transit_Switch", "other_config", {"mcast_snoop": "true"}))
    ic.settle()
    assert [row.columns for zone in ic.zones for row in zone.nb.rows("Logical_Switch")] == before


def test_a_new_zone_joins_what_is_there(make: Make) -> None:
    ic = make("az1")
    transit_switches(ic, "ts1", "ts2")
    az2 = ic.add_zone("az2")
    ic.start(daemons=False)
    az2.nb.transact(*topology.zone_name("az2"))
    ic.start()
    ic.settle()
    keys = {row.text("transit_switch"): str(row.number("tunnel_key")) for row in ic.sb.rows("Datapath_Binding")}
    assert {row.text("name"): row.map("other_config")["requested-tnl-key"] for row in az2.nb.rows("Logical_Switch")} == keys


class _Replica:
    """What a Committer needs of a replica, over a connection that mirrors nothing."""

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc
        self.store = Store(DATABASES[IC_SB])
        self.synced = True

    def transact(self, operations: list[Any], done: Callable[[Any, str | None], None]) -> None:
        done(self._rpc.request("transact", [IC_SB, *operations]), None)


@pytest.mark.ours("its daemons of 23.03 delete each other's datapath when two made one at the same time")
def test_what_another_writer_has_made_meanwhile_is_not_made_twice(make: Make) -> None:
    ic = make("az1", daemons=False)
    rpc = JsonRpc(ic.sb_server.socket)
    replica, outcomes = _Replica(rpc), []
    for key, name in ((5, "ts1"), (6, "ts1"), (7, "ts2")):
        columns = {"transit_switch": name, "tunnel_key": key}
        change = insert(replica.store, "Datapath_Binding", columns, record=name, reason="r", unless={"transit_switch": name})
        committer = Committer({IC_SB: replica})  # type: ignore[dict-item]
        committer.submit([Group("transit_switches", name, (change,))])
        outcomes += [reply.outcome for reply in committer.replies()]
    rpc.close()
    ic.sb.refresh()
    assert outcomes == [Outcome.COMMITTED, Outcome.LOST, Outcome.COMMITTED]
    assert sorted(row.text("transit_switch") for row in ic.sb.rows("Datapath_Binding")) == ["ts1", "ts2"]
