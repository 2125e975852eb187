# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard: what is withheld while a database may have been replaced or rolled back, and what ends that."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import (
    UPDATE,
    Change,
    Group,
    delete,
    insert,
    remove,
    update,
)
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.engine import Engine
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.replies import Reply
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import RowChange
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects import transit
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.progress import Progress
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.zones import Zones
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.sync.guard import Guard
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, NB, SB
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import (
    CLAIM_PREFIX,
    HELD_PREFIX,
    IC_NB_KEY,
    IC_SB_KEY,
    TOKEN_KEY,
    ZONE_KEY,
    Zone,
)

ROUTER = "3f2c4a6e-0000-4000-8000-000000000001"


class Site:
    """A zone that knows both databases and has one transit switch with a router port."""

    def __init__(self) -> None:
        self.zone = zone = Zone.simulated()
        self.said: list[str] = []
        self.engine = Engine(zone, [Zones(), Progress()], lambda: 0.0)
        self.guard = Guard(zone, self.engine, self.said.append)
        zone.ic_sb.put("Availability_Zone", "az", {"name": "az1", "nb_ic_cfg": 5})
        zone.ic_nb.put("IC_NB_Global", "nb-1", {"nb_ic_cfg": 5})
        zone.ic_sb.put("IC_SB_Global", "sb-1", {})
        known = {ZONE_KEY: "az", IC_NB_KEY: "nb-1", IC_SB_KEY: "sb-1", TOKEN_KEY: "token"}
        zone.nb.put("NB_Global", "g", {"name": "az1", "external_ids": known})
        zone.nb.put("Logical_Switch", "ls", {"name": "ts1", "other_config": {"interconn-ts": "ts1"}, "ports": frozenset(["p"])})
        zone.nb.put("Logical_Switch_Port", "p", {"name": "ts1-lr1", "type": "router"})
        for name in ("ts1", "ts2", "ts3"):
            zone.ic_nb.put("Transit_Switch", name, {"name": name})

    def switch_deletion(self) -> Group:
        row = self.zone.nb.row("Logical_Switch", "ls")
        assert row is not None
        return Group("zones", "ts1", (delete(self.zone.nb, "Logical_Switch", row, record="ts1", reason="gone from IC_NB"),))

    def port_removal(self) -> Group:
        row = self.zone.nb.row("Logical_Switch", "ls")
        assert row is not None
        members = {"ports": remove("p")}
        return Group("zones", "p", tuple(update(self.zone.nb, "Logical_Switch", row, record="ts1", reason="r", members=members)))

    def harmless(self) -> Group:
        row = self.zone.nb.row("Logical_Switch", "ls")
        assert row is not None
        keys = {"other_config": {"requested-tnl-key": "5"}}
        return Group("zones", "ts2", tuple(update(self.zone.nb, "Logical_Switch", row, record="ts1", reason="r", keys=keys)))

    def filtered(self, *groups: Group) -> list[Group]:
        return self.guard.filter(groups, [(group.subject, group.key) for group in groups])

    def write_notes(self) -> None:
        """What the subject zones writes reaches NB."""
        self.engine.learn(self.zone.facts._replace(notes=self.guard.notes))
        for change in Zones().plan((), self.zone):
            assert isinstance(change, Change)
            if change.table == "NB_Global":
                row = self.zone.nb_global
                assert row is not None
                ids = {**row["external_ids"], **change.keys["external_ids"]}
                kept = {key: value for key, value in ids.items() if value is not None}
                self.zone.nb.put("NB_Global", "g", {"name": "az1", "external_ids": kept})

    def replace_ic_nb(self, uuid: str | None, **columns: int) -> None:
        gone = self.zone.ic_nb.delete("IC_NB_Global", "nb-1")
        assert gone is not None
        changes: list[RowChange | None] = [gone]
        if uuid is not None:
            changes.append(self.zone.ic_nb.put("IC_NB_Global", uuid, columns))
        self.guard.observe([[change for change in changes if change is not None]])


@pytest.fixture
def site() -> Site:
    made = Site()
    made.guard.observe(())
    return made


def test_on_the_known_databases_deletions_are_a_persons_wish(site: Site) -> None:
    assert site.filtered(site.switch_deletion()) == [site.switch_deletion()]
    assert not site.guard.holding


@pytest.mark.parametrize("uuid, words", [("nb-2", "another database than before"), (None, "has lost its IC_NB_Global row")])
def test_another_ic_nb_deletes_nothing(site: Site, uuid: str | None, words: str) -> None:
    site.replace_ic_nb(uuid)
    assert site.filtered(site.switch_deletion(), site.port_removal(), site.harmless()) == [site.harmless()]
    assert [left.record for left in site.guard.withheld] == ["Logical_Switch ts1", "Logical_Switch ts1"]
    assert words in site.said[0]


@pytest.mark.parametrize("state", ["interconn-ts", "interconn-tr", ""])
def test_a_lost_ic_nb_is_held_while_the_zone_has_a_switch_or_a_router_of_it(site: Site, state: str) -> None:
    nb = site.zone.nb
    nb.put("Logical_Switch", "ls", {"name": "s", "other_config": {state: "x"}})
    nb.put("Logical_Router", "lr", {"name": "r", "options": {state: "x"}})
    site.replace_ic_nb(None)
    assert site.guard.holding == bool(state)


def test_another_ic_nb_gives_no_datapath_another_key(site: Site) -> None:
    """Whoever fills it by hand may set ``vxlan_mode`` after the switches."""
    site.zone.ic_sb.put("Datapath_Binding", "d", {"transit_switch": "ts1", "tunnel_key": 1025})
    row = site.zone.ic_sb.row("Datapath_Binding", "d")
    assert row is not None
    columns = {"tunnel_key": 16711682}
    changes = tuple(update(site.zone.ic_sb, "Datapath_Binding", row, record="ts1", reason="r", columns=columns, shared=True))
    site.replace_ic_nb("nb-2")
    assert site.filtered(Group("transit_switches", "ts1", changes)) == []
    site.guard.settle()
    assert site.guard.holding


def test_a_new_ic_sb_deletes_nothing(site: Site) -> None:
    site.zone.ic_sb.delete("IC_SB_Global", "sb-1")
    site.zone.ic_sb.put("IC_SB_Global", "sb-2", {})
    site.guard.observe(())
    assert IC_SB in site.guard.holds
    assert site.filtered(site.port_removal()) == []


def test_counters_that_run_backwards_are_an_older_copy(site: Site) -> None:
    """A restored older copy is recognized by its counters (spec deployment-H.6)."""
    change = site.zone.ic_nb.put("IC_NB_Global", "nb-1", {"nb_ic_cfg": 3})
    assert change is not None
    site.guard.observe([[change]])
    assert "older copy (its nb_ic_cfg is 3, this zone has confirmed 5)" in site.guard.holds[IC_NB]


def test_a_released_older_copy_is_not_held_again_unless_an_older_one_comes(site: Site) -> None:
    def number(requested: int) -> bool:
        """Whether deletions are withheld when this is the number of IC_NB."""
        change = site.zone.ic_nb.put("IC_NB_Global", "nb-1", {"nb_ic_cfg": requested})
        site.guard.observe([[change] if change is not None else []])
        return site.guard.holding

    assert number(3)
    site.guard.release()
    assert [number(requested) for requested in (3, 4, 2)] == [False, False, True]
    site.guard.release()
    assert [number(requested) for requested in (2, 5, 4)] == [False, False, True]


def test_requests_that_raise_the_counter_of_an_older_copy_do_not_end_its_hold(site: Site) -> None:
    for requested in (3, 4, 5, 6):
        change = site.zone.ic_nb.put("IC_NB_Global", "nb-1", {"nb_ic_cfg": requested})
        site.guard.observe([[change] if change is not None else []])
        assert site.filtered(site.switch_deletion()) == []
    assert "older copy (its nb_ic_cfg is 3, this zone has confirmed 5)" in site.guard.holds[IC_NB]
    site.guard.filter([], [("zones", "ts1")])
    site.guard.settle()
    assert not site.guard.holding


@pytest.mark.parametrize("noted", [False, True], ids=["another database", "a noted reason"])
def test_a_hold_stays_if_somebody_empties_the_external_ids(site: Site, noted: bool) -> None:
    if noted:
        gone = [site.zone.ic_nb.delete("Transit_Switch", name) for name in ("ts1", "ts2", "ts3")]
        site.guard.observe([[change for change in gone if change is not None]])
        site.write_notes()
        site.guard.observe(())
    else:
        site.replace_ic_nb("nb-2")
    why = dict(site.guard.holds)
    site.zone.nb.put("NB_Global", "g", {"name": "az1", "external_ids": {ZONE_KEY: "az", TOKEN_KEY: "token"}})
    site.guard.observe(())
    assert site.guard.holds == why
    site.write_notes()
    site.guard.begin()
    assert site.guard.holds == why


def numbers(site: Site, own: int, shared: int, requested: int, confirmed: int) -> str:
    """Why deletions that IC_SB asks for are withheld with these numbers of this zone, IC_SB and IC_NB; empty if they are not."""
    site.zone.ic_sb.put("Availability_Zone", "az", {"name": "az1", "nb_ic_cfg": own})
    site.zone.ic_sb.put("IC_SB_Global", "sb-1", {"nb_ic_cfg": shared})
    site.zone.ic_nb.put("IC_NB_Global", "nb-1", {"nb_ic_cfg": requested, "sb_ic_cfg": confirmed})
    site.guard.observe(())
    return site.guard.holds.get(IC_SB, "")


def test_an_ic_sb_in_which_what_all_zones_have_confirmed_is_not_confirmed_is_an_older_copy(site: Site) -> None:
    assert "older copy (its nb_ic_cfg is 3, all zones have confirmed 5)" in numbers(site, 3, 2, 5, 5)
    assert numbers(site, 3, 2, 5, 5)
    site.guard.release()
    assert not numbers(site, 3, 2, 6, 5)
    assert not numbers(site, 6, 2, 6, 5)
    assert numbers(site, 3, 2, 6, 6)


@pytest.mark.parametrize(
    "own, shared, requested, confirmed",
    [
        pytest.param(5, 5, 6, 5, id="requested"),
        pytest.param(6, 5, 6, 5, id="confirmed by this zone"),
        pytest.param(6, 6, 6, 5, id="told in IC_SB first"),
        pytest.param(6, 5, 6, 6, id="told in IC_NB first"),
        pytest.param(0, 5, 6, 5, id="a zone that is new, or upstream's daemon begins"),
        pytest.param(2, 2, 2, 9, id="a number that was lowered, told in IC_SB first"),
        pytest.param(2, 9, 2, 2, id="a number that was lowered, told in IC_NB first"),
        pytest.param(0, 0, 5, 0, id="the first request"),
    ],
)
def test_numbers_that_differ_while_zones_confirm_are_no_sign(site: Site, own: int, shared: int, requested: int, confirmed: int) -> None:
    numbers(site, own, shared, requested, confirmed)
    site.guard.begin()  # what is looked at are the numbers, not how they came about
    assert IC_SB not in site.guard.holds


def test_a_confirmation_that_is_gone_tells_an_older_copy_also_where_another_zone_confirms_nothing(site: Site) -> None:
    assert not numbers(site, 5, 1, 5, 1)
    assert "older copy" in numbers(site, 3, 1, 5, 1)
    site.write_notes()
    site.guard.begin()
    assert IC_SB in site.guard.holds
    site.guard.release()
    assert not numbers(site, 3, 1, 5, 1)


def test_a_lower_number_that_this_zone_confirms_is_no_sign(site: Site) -> None:
    site.engine.sent(Group("progress", (), ()))
    assert not numbers(site, 2, 1, 2, 1)


def test_a_confirmation_on_its_way_is_no_sign(site: Site) -> None:
    """IC_NB says that all have confirmed before this zone's own confirmation is back from IC_SB."""
    site.engine.learn(site.zone.facts._replace(confirmable=6))
    group = Group("progress", (), ())
    site.engine.sent(group)
    assert not numbers(site, 5, 5, 6, 6)
    site.engine.done(Reply(group))
    assert numbers(site, 5, 5, 6, 6)


def test_a_zone_without_anything_of_the_interconnect_has_nothing_to_hold(site: Site) -> None:
    site.zone.nb.delete("Logical_Switch", "ls")
    assert not numbers(site, 0, 0, 6, 6)


def test_what_was_withheld_is_looked_at_again_when_the_database_is_back(site: Site) -> None:
    site.replace_ic_nb(None)
    site.guard.filter([Group("zones", (), site.switch_deletion().changes)], [("zones", ())])
    site.zone.ic_nb.put("IC_NB_Global", "nb-1", {"nb_ic_cfg": 5})
    site.guard.take_keys()
    site.guard.observe(())
    assert (site.guard.holding, site.guard.withheld, site.guard.take_keys()) == (False, [], [("zones", ())])


def test_one_update_that_removes_every_transit_switch_is_held(site: Site) -> None:
    changes = [site.zone.ic_nb.delete("Transit_Switch", name) for name in ("ts1", "ts2", "ts3")]
    site.guard.observe([[change for change in changes if change is not None]])
    assert "removed every transit switch" in site.guard.holds[IC_NB]
    assert site.filtered(site.switch_deletion()) == []
    site.guard.observe(())
    assert site.guard.holding


def test_such_a_hold_is_noted_for_the_process_that_comes_after(site: Site) -> None:
    gone = [site.zone.ic_nb.delete("Transit_Switch", name) for name in ("ts1", "ts2", "ts3")]
    site.guard.observe([[change for change in gone if change is not None]])
    site.write_notes()
    site.guard.begin()
    assert "removed every transit switch" in site.guard.holds[IC_NB]
    site.guard.release()
    site.guard.observe(())
    assert not site.guard.holding
    site.write_notes()
    site.zone.nb.delete("Logical_Switch", "ls")
    site.guard.begin()
    assert not site.guard.holding


def test_that_update_is_held_whatever_comes_with_it(site: Site) -> None:
    gone = [site.zone.ic_nb.delete("Transit_Switch", name) for name in ("ts1", "ts2", "ts3")]
    come = [site.zone.ic_nb.put("Transit_Switch", name, {"name": name}) for name in ("ts8", "ts9")]
    site.guard.observe([[change for change in changes if change is not None] for changes in (gone, come)])
    assert "removed every transit switch" in site.guard.holds[IC_NB]


@pytest.mark.parametrize("turns", [1, 3])
def test_removing_them_one_by_one_is_not(site: Site, turns: int) -> None:
    updates = [[change] for name in ("ts1", "ts2", "ts3") for change in [site.zone.ic_nb.delete("Transit_Switch", name)] if change]
    for turn in range(0, 3, 3 // turns):
        site.guard.observe(updates[turn : turn + 3 // turns])
    assert not site.guard.holding


def test_a_release_lets_everything_go_and_takes_the_new_identity(site: Site) -> None:
    site.replace_ic_nb("nb-2")
    site.filtered(site.switch_deletion())
    assert site.guard.release() == 1
    assert site.guard.notes[IC_NB_KEY] == "nb-2"
    site.guard.observe(())
    assert not site.guard.holding
    assert site.filtered(site.switch_deletion()) == [site.switch_deletion()]


def test_a_hold_ends_by_itself_when_nothing_is_left_to_withhold(site: Site) -> None:
    site.replace_ic_nb("nb-2")
    site.filtered(site.switch_deletion())
    site.guard.settle()
    assert site.guard.holding
    site.guard.filter([], [("zones", "ts1")])
    site.guard.settle()
    assert not site.guard.holding
    assert site.guard.notes[IC_NB_KEY] == "nb-2"


class TestRowsThatAreCreatedDuringAHold:
    """What the process creates during a hold is deleted as usual, unless there is another sign of a loss."""

    def create_and_delete(self, site: Site) -> Group:
        """The daemon creates the switch of ts9. Returns the group that would delete it again."""
        columns = {"name": "ts9", "other_config": {"interconn-ts": "ts9"}}
        creation = insert(site.zone.nb, "Logical_Switch", columns, record="ts9", reason="it is in IC_NB")
        group = Group("zones", "ts9", (creation,))
        assert site.filtered(group) == [group]
        change = site.zone.nb.put("Logical_Switch", "ls9", columns)
        assert change is not None
        site.guard.observe([[change]])
        row = site.zone.nb.row("Logical_Switch", "ls9")
        assert row is not None
        return Group("zones", "ts9", (delete(site.zone.nb, "Logical_Switch", row, record="ts9", reason="gone from IC_NB"),))

    def test_a_switch_that_was_created_after_the_loss_is_deleted(self, site: Site) -> None:
        site.replace_ic_nb("nb-2")
        deletion = self.create_and_delete(site)
        assert site.filtered(deletion, site.switch_deletion()) == [deletion]
        assert [left.record for left in site.guard.withheld] == ["Logical_Switch ts1"]

    def test_a_switch_that_was_created_before_the_loss_is_not(self, site: Site) -> None:
        deletion = self.create_and_delete(site)
        site.replace_ic_nb("nb-2")
        assert site.filtered(deletion) == []

    def test_a_switch_that_somebody_else_created_is_not(self, site: Site) -> None:
        """NB may be restored too: the rows that come with it are older than the hold."""
        site.replace_ic_nb("nb-2")
        change = site.zone.nb.delete("Logical_Switch", "ls")
        row = change.old if change is not None else None
        assert row is not None
        again = site.zone.nb.put("Logical_Switch", "ls", row.as_dict())
        assert again is not None
        site.guard.observe([[again]])
        assert site.filtered(site.switch_deletion()) == []

    def test_another_ic_nb_protects_it_too(self, site: Site) -> None:
        site.replace_ic_nb("nb-2")
        deletion = self.create_and_delete(site)
        site.zone.ic_nb.delete("IC_NB_Global", "nb-2")
        site.zone.ic_nb.put("IC_NB_Global", "nb-3", {})
        site.guard.observe(())
        assert site.filtered(deletion) == []

    def test_an_ic_nb_without_a_global_row_may_be_emptied_again(self, site: Site) -> None:
        site.replace_ic_nb(None)
        assert site.filtered(self.create_and_delete(site)) == []

    def test_an_update_that_removes_every_transit_switch_protects_it_too(self, site: Site) -> None:
        site.replace_ic_nb("nb-2")
        deletion = self.create_and_delete(site)
        gone = [site.zone.ic_nb.delete("Transit_Switch", name) for name in ("ts1", "ts2", "ts3")]
        site.guard.observe([[change for change in gone if change is not None]])
        assert site.filtered(deletion) == []


def test_a_hold_does_not_end_while_the_zone_has_no_row_of_its_own(site: Site) -> None:
    site.zone.ic_sb.delete("IC_SB_Global", "sb-1")
    site.zone.ic_sb.put("IC_SB_Global", "sb-2", {})
    site.zone.ic_sb.delete("Availability_Zone", "az")
    site.guard.observe(())
    site.guard.settle()
    assert site.guard.holding


def test_the_first_identity_is_accepted() -> None:
    made = Site()
    made.zone.nb.put("NB_Global", "g", {"external_ids": {ZONE_KEY: "az"}})
    made.guard.observe(())
    assert made.guard.notes == {IC_NB_KEY: "nb-1", IC_SB_KEY: "sb-1"}


def test_an_identity_that_was_accepted_is_forgotten_as_soon_as_nb_remembers_it(site: Site) -> None:
    site.replace_ic_nb("nb-2")
    site.guard.release()
    known = {ZONE_KEY: "az", IC_NB_KEY: "nb-2", IC_SB_KEY: "sb-1"}
    site.zone.nb.put("NB_Global", "g", {"name": "az1", "external_ids": known})
    site.guard.observe(())
    assert (site.guard.notes, site.guard.holding) == ({}, False)


def test_a_process_that_becomes_active_again_believes_what_nb_remembers(site: Site) -> None:
    """Another one was active meanwhile and has accepted a newer database than this one did."""
    site.replace_ic_nb("nb-2")
    site.filtered(site.switch_deletion())
    site.guard.release()
    known = {ZONE_KEY: "az", IC_NB_KEY: "nb-3", IC_SB_KEY: "sb-1"}
    site.zone.nb.put("NB_Global", "g", {"name": "az1", "external_ids": known})
    site.guard.begin()
    assert (site.guard.notes, site.guard.withheld) == ({}, [])
    assert IC_NB in site.guard.holds


def test_transit_switches_that_vanished_while_no_daemon_ran_are_not_deleted(site: Site) -> None:
    """IC_NB may have been restored from an older copy: no request since then says otherwise."""
    site.zone.ic_nb.delete("Transit_Switch", "ts1")
    site.guard.begin()
    assert "lacks transit switches that this zone is attached to (ts1)" in site.guard.holds[IC_NB]
    assert site.filtered(site.switch_deletion()) == []
    (left, *_others) = site.guard.withheld
    assert "guard/release" in left.reason
    site.write_notes()
    site.zone.ic_nb.put("Transit_Switch", "ts1", {"name": "ts1"})
    site.filtered(site.harmless())
    site.guard.filter([], [("zones", "ts1")])
    site.guard.settle()
    assert not site.guard.holding


def test_a_request_since_then_shows_that_an_operator_removed_the_transit_switches(site: Site) -> None:
    site.zone.ic_nb.delete("Transit_Switch", "ts1")
    site.zone.ic_nb.put("IC_NB_Global", "nb-1", {"nb_ic_cfg": 6})
    site.guard.begin()
    assert site.filtered(site.switch_deletion()) == [site.switch_deletion()]


def test_a_switch_without_attachments_that_vanished_is_deleted(site: Site) -> None:
    site.zone.nb.put("Logical_Switch_Port", "p", {"name": "ts1-lr2", "type": "remote"})
    site.zone.ic_nb.delete("Transit_Switch", "ts1")
    site.guard.begin()
    assert site.filtered(site.switch_deletion()) == [site.switch_deletion()]


def port_withdrawal(site: Site, **columns: object) -> Group:
    """An update of the zone's port in IC_SB."""
    site.zone.ic_sb.put("Port_Binding", "b", {"logical_port": "p", "address": "aa:aa:aa:aa:aa:01 10.0.0.1/8", "gateway": "gw1"})
    row = site.zone.ic_sb.row("Port_Binding", "b")
    assert row is not None
    return Group("ports", "p", tuple(update(site.zone.ic_sb, "Port_Binding", row, record="p", reason="r", columns=columns)))


@pytest.mark.parametrize("columns, withheld", [({"gateway": ""}, True), ({"address": ""}, True), ({"gateway": "gw2"}, False)])
def test_another_sb_withdraws_nothing_from_ic_sb(site: Site, columns: dict[str, object], withheld: bool) -> None:
    """Its ports have neither addresses nor gateways until northd and the chassis have filled it."""
    site.zone.sb.put("SB_Global", "s-1", {})
    site.guard.observe(())
    site.write_notes()
    group = port_withdrawal(site, **columns)
    assert site.filtered(group) == [group]
    site.zone.sb.delete("SB_Global", "s-1")
    site.guard.observe(())
    assert "has lost its SB_Global row" in site.guard.holds[SB]
    site.zone.sb.put("SB_Global", "s-2", {})
    site.guard.observe(())
    assert "is another database than before" in site.guard.holds[SB]
    assert site.filtered(group) == ([] if withheld else [group])
    site.guard.filter([], [("ports", "p")])
    site.guard.settle()
    assert not site.guard.holding
    site.write_notes()
    site.guard.begin()
    assert not site.guard.holding


def test_an_nb_that_lost_the_zones_entries_withdraws_nothing(site: Site) -> None:
    zone = site.zone
    zone.ic_sb.put("IC_SB_Global", "sb-1", {"external_ids": {CLAIM_PREFIX + "az": "token"}})
    zone.ic_sb.put("Port_Binding", "b", {"logical_port": "p", "availability_zone": "az", "external_ids": {"router-id": ROUTER}})
    zone.nb.put("Logical_Router", ROUTER, {"name": "lr1"})
    zone.nb.put("NB_Global", "g", {"name": "az1", "external_ids": {}})
    site.guard.begin()
    assert "was rebuilt or emptied" in site.guard.holds[NB]
    site.write_notes()  # the token
    site.write_notes()  # the reason of the hold, and the row of the zone
    zone.ic_sb.put("IC_SB_Global", "sb-1", {"external_ids": {CLAIM_PREFIX + "az": zone.token}})
    site.guard.begin()
    assert zone.own_az is not None
    assert site.filtered(site.port_removal()) == []
    site.guard.release()
    site.guard.observe(())
    assert site.filtered(site.port_removal()) == [site.port_removal()]


def replace_ic_sb(site: Site) -> None:
    site.zone.ic_sb.delete("IC_SB_Global", "sb-1")
    site.zone.ic_sb.put("IC_SB_Global", "sb-2", {"external_ids": {CLAIM_PREFIX + "az": "token", CLAIM_PREFIX + "az2": "other"}})
    site.guard.observe(())


def test_a_zone_keeps_its_tunnel_keys_in_another_ic_sb_unless_upstreams_daemon_participates(site: Site) -> None:
    assert not site.guard.keeps_keys
    replace_ic_sb(site)
    for uuid in ("az2", "az3"):
        site.zone.ic_sb.put("Availability_Zone", uuid, {"name": uuid})
    site.zone.ic_sb.put("Gateway", "gw2", {"name": "gw2", "availability_zone": "az2"})
    assert site.guard.keeps_keys, "az2 has a claim, and az3, which has none yet, has nothing else"
    site.zone.ic_sb.put("Gateway", "gw3", {"name": "gw3", "availability_zone": "az3"})
    assert not site.guard.keeps_keys


def test_a_hold_does_not_end_before_ic_sb_has_the_tunnel_keys_of_the_zone(site: Site) -> None:
    transit.register(site.zone)
    config = {"interconn-ts": "ts1", "requested-tnl-key": "16711690"}
    site.zone.nb.put("Logical_Switch", "ls", {"other_config": config})
    replace_ic_sb(site)
    site.engine.learn(site.zone.facts._replace(keeps_keys=site.guard.keeps_keys))
    site.guard.settle()
    assert site.guard.holding
    site.zone.ic_sb.put("Datapath_Binding", "d", {"transit_switch": "ts1", "tunnel_key": 16711691})
    site.guard.settle()
    assert site.guard.holding
    change = Change(IC_SB, "Datapath_Binding", UPDATE, "d", "ts1", "r", columns={"tunnel_key": 16711690})
    group = Group("transit_switches", "ts1", (change,))
    assert site.filtered(group) == [], "no zone has published that it holds this key"
    entry = f"{HELD_PREFIX}{'0' * 36}-switch-ts1"
    site.zone.ic_sb.put("IC_SB_Global", "sb-2", {"external_ids": {entry: "16711690"}})
    assert site.filtered(group) == [group]
    site.zone.ic_sb.put("Datapath_Binding", "d", {"tunnel_key": 16711690})
    site.guard.settle()
    assert not site.guard.holding
