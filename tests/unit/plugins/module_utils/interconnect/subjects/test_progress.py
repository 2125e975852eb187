# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The counters (spec status-E) and the global rows."""

from __future__ import annotations

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.progress import Progress, laggards
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import Zone

from ..server_rules import LACKING_IN_2303, schemas_without
from ..simulated_zones import World


def number(store: Store, table: str, column: str) -> int:
    row = store.only(table)
    assert row is not None
    value: int = row[column]
    return value


def ask(world: World, value: int) -> None:
    """An operator's tool counts up."""
    row = world.ic_nb.only("IC_NB_Global")
    assert row is not None
    world.put(world.ic_nb, "IC_NB_Global", row.uuid, nb_ic_cfg=value)


def confirm(world: World, zone: str, value: int) -> None:
    """The fence of a zone lets a number through."""
    site = world.site(zone)
    site.engine.learn(site.zone.facts._replace(confirmable=value))
    world.settle()


def test_the_number_is_reported_when_the_last_zone_has_confirmed_it() -> None:
    """The number goes from IC_NB to the zones' rows, to IC_SB and back to IC_NB (spec status-E.1, status-Q-4)."""
    world = World(lambda: (Progress(),), ("az1", "az2"))
    ask(world, 7)
    world.settle()
    assert number(world.ic_nb, "IC_NB_Global", "sb_ic_cfg") == 0
    assert laggards(world.zone) == [("az1", 0), ("az2", 0)]
    confirm(world, "az1", 7)
    assert laggards(world.zone) == [("az2", 0)]
    assert number(world.ic_nb, "IC_NB_Global", "sb_ic_cfg") == 0
    confirm(world, "az2", 7)
    assert number(world.ic_sb, "IC_SB_Global", "nb_ic_cfg") == 7
    assert number(world.ic_nb, "IC_NB_Global", "sb_ic_cfg") == 7
    world.check_law()


def test_a_number_set_back_by_hand_is_written_again() -> None:
    """Upstream compares only two of the counters (spec status-Q-4, status-E.3); here sb_ic_cfg is written whenever it differs."""
    world = World(lambda: (Progress(),))
    ask(world, 3)
    confirm(world, "az1", 3)
    row = world.ic_nb.only("IC_NB_Global")
    assert row is not None
    world.put(world.ic_nb, "IC_NB_Global", row.uuid, sb_ic_cfg=0)
    world.settle()
    assert number(world.ic_nb, "IC_NB_Global", "sb_ic_cfg") == 3


def test_a_lowered_request_is_confirmed_as_it_is() -> None:
    """IC_NB was rebuilt, or its counter lowered (spec status-E.3): the number is assigned directly, without a climb."""
    world = World(lambda: (Progress(),))
    ask(world, 9)
    confirm(world, "az1", 9)
    ask(world, 2)
    confirm(world, "az1", 2)
    assert number(world.ic_sb, "Availability_Zone", "nb_ic_cfg") == 2
    assert number(world.ic_nb, "IC_NB_Global", "sb_ic_cfg") == 2


def test_quirk_e3_a_restart_keeps_the_counter() -> None:
    """A restart keeps the counter (spec status-E.3)."""
    world = World(lambda: (Progress(),))
    ask(world, 9)
    confirm(world, "az1", 9)
    world.stop("az1")
    ask(world, 10)
    world.start("az1", shared_lock=True)
    assert world.settle() == []
    assert number(world.ic_sb, "Availability_Zone", "nb_ic_cfg") == 9


def test_quirk_e3_a_zone_that_joins_confirms_the_number_in_one_step() -> None:
    """A new zone confirms the number in one step (spec status-E.3)."""
    world = World(lambda: (Progress(),))
    ask(world, 10**12)
    confirm(world, "az1", 10**12)
    world.add_zone("az2")
    confirm(world, "az2", 10**12)
    assert [change.columns for change in world.site("az2").written if change.table == "Availability_Zone"] == [{"nb_ic_cfg": 10**12}]
    assert number(world.ic_nb, "IC_NB_Global", "sb_ic_cfg") == 10**12


def test_missing_global_rows_are_made_even_by_a_nameless_zone() -> None:
    """The zone inserts a missing global row (spec status-Q-1)."""
    world = World(lambda: (Progress(),), register=False)
    for store, table in ((world.ic_nb, "IC_NB_Global"), (world.ic_sb, "IC_SB_Global")):
        row = store.only(table)
        assert row is not None
        world.delete(store, table, row.uuid)
    world.settle()
    assert (world.ic_nb.count("IC_NB_Global"), world.ic_sb.count("IC_SB_Global")) == (1, 1)


def test_without_the_counters_nothing_is_written() -> None:
    """23.03 has no counters (spec status-F.10)."""
    world = World(lambda: (Progress(),), schemas=schemas_without(*LACKING_IN_2303))
    confirm(world, "az1", 1)
    assert world.site().written == []


def test_laggards_of_an_empty_database() -> None:
    assert laggards(Zone.simulated()) == []
