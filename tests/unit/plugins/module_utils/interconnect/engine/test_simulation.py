# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulation itself behaves as servers do."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine import change
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.engine import Keys, Subject
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import RowChange
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, NB
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import Zone
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.simulated_zones import World, named, rows


class Copies(Subject):
    """Makes one switch with one port for each transit switch."""

    name = "copies"
    tables = frozenset([(IC_NB, "Transit_Switch"), (NB, "Logical_Switch")])

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        return [row["name"] for row in change.rows]

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        return [row["name"] for row in zone.ic_nb.rows("Transit_Switch")]

    def plan(self, key: Hashable, zone: Zone) -> Iterator[change.Step]:
        if zone.ic_nb.first("Transit_Switch", "name", key) and not zone.nb.first("Logical_Switch", "name", key):
            port = {"name": f"{key}-port"}
            yield change.insert(zone.nb, "Logical_Switch_Port", port, record=str(key), reason="test", name="@port")
            switch = {"name": key, "ports": frozenset(["@port"])}
            yield change.insert(zone.nb, "Logical_Switch", switch, record=str(key), reason="test", name="@switch")


def world() -> World:
    return World(lambda: [Copies()])


def test_groups_are_applied_with_named_rows() -> None:
    w = world()
    w.transit_switch("ts1")
    assert len(w.settle()) == 2
    switch = named(w.zone.nb, "Logical_Switch", "ts1")
    assert [row["name"] for row in w.zone.nb.child_rows("Logical_Switch", "ports", switch.uuid, "Logical_Switch_Port")] == ["ts1-port"]
    w.check_law()


def test_a_deleted_parent_takes_its_children() -> None:
    w = world()
    w.transit_switch("ts1")
    w.settle()
    with w.batch():
        w.delete(w.ic_nb, "Transit_Switch", named(w.ic_nb, "Transit_Switch", "ts1").uuid)
        w.delete(w.zone.nb, "Logical_Switch", named(w.zone.nb, "Logical_Switch", "ts1").uuid)
    assert w.settle() == []
    assert rows(w.zone.nb, "Logical_Switch_Port", "name") == []


def test_a_duplicate_is_refused_whole_and_put_aside() -> None:
    w = world()
    switch = w.put(w.zone.nb, "Logical_Switch", name="other")
    taken = w.add(w.zone.nb, "Logical_Switch", switch, "ports", "Logical_Switch_Port", name="ts1-port")
    w.transit_switch("ts1")
    assert w.settle() == []
    assert rows(w.zone.nb, "Logical_Switch", "name") == ["other"]
    assert "constraint violation" in w.reasons()["ts1"]
    w.remove(w.zone.nb, "Logical_Switch", "ports", taken)
    assert len(w.settle(retries=1)) == 2


def test_northd_follows_nb() -> None:
    w = world()
    w.transit_switch("ts1")
    w.settle()
    w.northd()
    assert rows(w.zone.sb, "Port_Binding", "logical_port") == ["ts1-port"]
    assert not w.northd()
    w.remove(w.zone.nb, "Logical_Switch", "ports", named(w.zone.nb, "Logical_Switch_Port", "ts1-port").uuid)
    w.northd()
    assert rows(w.zone.sb, "Port_Binding", "logical_port") == []
