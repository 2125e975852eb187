# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tunnel keys that zones hold while a replaced IC_SB assigns others (docs/loss-and-restore.md)."""

from __future__ import annotations

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects import all_subjects
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.zones import withdrawal
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_SB
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import CLAIM_PREFIX, HELD_PREFIX
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.simulated_zones import World, named

FIRST = 16711682


def world(*names: str) -> World:
    """Zones az1, az2 and az3 with these transit switches; az3 has the lock, and knows no key after :func:`hold`."""
    w = World(all_subjects, ("az1", "az2", "az3"))
    for name in names:
        w.transit_switch(name)
    w.converge()
    w.give_lock("az3")
    w.converge()
    return w


def requested(w: World, zone: str, name: str = "ts1") -> int:
    return int(named(w.site(zone).zone.nb, "Logical_Switch", name)["other_config"]["requested-tnl-key"])


def hold(w: World, zone: str, **keys: int) -> None:
    """The zone comes back with these keys in NB, while IC_SB was replaced."""
    w.stop(zone)
    nb = w.site(zone).zone.nb
    for name, key in keys.items():
        row = named(nb, "Logical_Switch", name)
        w.put(nb, "Logical_Switch", row.uuid, other_config={**row["other_config"], "requested-tnl-key": str(key)})
    w.start(zone)
    keep(w, zone)


def keep(w: World, zone: str, keeps: bool = True) -> None:
    site = w.site(zone)
    site.engine.learn(site.zone.facts._replace(keeps_keys=keeps))


def keys(w: World) -> dict[str, int]:
    return {row["transit_switch"]: row["tunnel_key"] for row in w.ic_sb.rows("Datapath_Binding")}


def entries(w: World) -> list[str]:
    (row,) = w.ic_sb.rows("IC_SB_Global")
    return [entry for entry in row["external_ids"] if entry.startswith(HELD_PREFIX)]


def test_zones_that_hold_different_keys_agree_on_the_lowest() -> None:
    w = world("ts1")
    hold(w, "az1", ts1=FIRST + 7)
    hold(w, "az2", ts1=FIRST + 5)
    w.settle(together=True)
    w.converge()
    assert keys(w) == {"ts1": FIRST + 5}
    assert [requested(w, zone) for zone in w.sites] == [FIRST + 5] * 3
    for zone in ("az1", "az2"):
        keep(w, zone, keeps=False)
    w.converge()
    assert entries(w) == []
    assert w.rejections() == []
    w.check_law()


def test_datapaths_that_exchanged_their_keys_exchange_them_again() -> None:
    w = world("ts1", "ts2")
    assert keys(w) == {"ts1": FIRST, "ts2": FIRST + 1}
    hold(w, "az1", ts1=FIRST + 1, ts2=FIRST)
    w.converge()
    assert keys(w) == {"ts1": FIRST + 1, "ts2": FIRST}
    assert [requested(w, zone, "ts2") for zone in w.sites] == [FIRST] * 3
    keep(w, "az1", keeps=False)
    w.converge()
    assert entries(w) == []


def test_of_two_datapaths_that_need_one_key_the_one_that_was_published_first_gets_it() -> None:
    w = world("ts1", "ts2")
    hold(w, "az1", ts1=FIRST + 9)
    w.stop("az2")
    (row,) = w.ic_sb.rows("IC_SB_Global")
    entry = f"{HELD_PREFIX}{w.az('az2')}-switch-ts2"
    w.put(w.ic_sb, "IC_SB_Global", row.uuid, external_ids={**row["external_ids"], entry: str(FIRST + 9)})
    w.converge()
    assert keys(w) == {"ts1": FIRST, "ts2": FIRST + 9}
    assert requested(w, "az1") == FIRST
    assert entries(w) == [entry]
    w.start("az2")
    w.converge()
    assert entries(w) == []


def test_of_two_datapaths_that_zones_publish_at_once_the_first_gets_the_key_and_keeps_it() -> None:
    w = world("ts1", "ts2")
    w.give_lock("")
    hold(w, "az1", ts1=FIRST + 9)
    w.settle()
    w.stop("az2")
    (row,) = w.ic_sb.rows("IC_SB_Global")
    entry = f"{HELD_PREFIX}{w.az('az2')}-switch-ts2"
    w.put(w.ic_sb, "IC_SB_Global", row.uuid, external_ids={**row["external_ids"], entry: str(FIRST + 9)})
    w.give_lock("az3")
    w.converge()
    assert keys(w) == {"ts1": FIRST + 9, "ts2": FIRST + 1}
    assert len(entries(w)) == 2, "while az1 keeps its keys, that of az2 does not win"


def test_without_a_holder_of_the_lock_that_knows_the_entries_the_key_is_kept_and_reported() -> None:
    w = world("ts1")
    w.give_lock("")  # another program has it
    hold(w, "az1", ts1=FIRST + 7)
    w.converge()
    assert requested(w, "az1") == FIRST + 7
    assert len(entries(w)) == 1
    assert f"the tunnel key {FIRST + 7} of transit switch ts1 is kept" in w.reasons("az1")["ts1"]
    keep(w, "az1", keeps=False)
    w.converge()
    assert requested(w, "az1") == keys(w)["ts1"] == FIRST
    assert entries(w) == []
    w.check_law()


def test_entries_end_with_their_zone() -> None:
    w = world("ts1")
    w.give_lock("")
    hold(w, "az1", ts1=FIRST + 7)
    w.settle()
    own = w.site("az1").zone.own_az
    assert own is not None
    (change,) = [change for change in withdrawal(w.site("az2").zone, own, "it is gone") if change.table == "IC_SB_Global"]
    assert change.database == IC_SB
    assert set(change.keys["external_ids"]) == {CLAIM_PREFIX + own.uuid, *entries(w)}
    w.stop("az1")
    for table in ("Gateway", "Port_Binding", "Route", "Address_Set"):
        for row in list(w.ic_sb.find(table, "availability_zone", own.uuid)):
            w.delete(w.ic_sb, table, row.uuid)
    w.delete(w.ic_sb, "Availability_Zone", own.uuid)
    w.give_lock("az3")
    w.settle()
    assert entries(w) == []
