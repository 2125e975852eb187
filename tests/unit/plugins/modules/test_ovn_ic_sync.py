# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run of the engine from a play, as far as it is decided without a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.synchronization import Recorder, Report, _planned
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change, Group
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.replies import Outcome, Reply
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.sync.zone_sync import Turn, ZoneSync
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import DATABASES, IC_NB, IC_SB, NB, SB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_sync as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import only, put

CHANGE = Change(NB, "Logical_Switch", "insert", "@row", "ts1", "because", columns={"name": "ts1"})


@pytest.fixture
def sync() -> Iterator[ZoneSync]:
    """A zone az1 whose stores are filled by hand; its servers are never asked."""
    made = ZoneSync(dict.fromkeys(DATABASES, "unix:/nowhere.sock"), exclusive=False)
    put(made.zone.nb, "NB_Global", name="az1")
    put(made.zone.ic_nb, "Transit_Switch", name="ts1")
    yield made
    made.close()


def test_a_plan_goes_down_to_rest(sync: ZoneSync) -> None:
    report = _planned(sync, locked=False)
    assert not report.applied
    assert not report.settled
    tables = {(change.database, change.table) for change in report.changes}
    assert {(IC_SB, "Availability_Zone"), (IC_SB, "Datapath_Binding"), (NB, "Logical_Switch"), (IC_NB, "IC_NB_Global")} <= tables
    key = only(sync.replicas[IC_SB].store, "Datapath_Binding")["tunnel_key"]
    assert only(sync.replicas[NB].store, "Logical_Switch")["other_config"]["requested-tnl-key"] == str(key)
    again = _planned(sync, locked=True)
    assert (again.changes, again.settled, again.locked) == ([], True, True)


def test_a_plan_tells_what_is_left_undone(sync: ZoneSync) -> None:
    az = put(sync.zone.ic_sb, "Availability_Zone", name="az1")
    put(sync.zone.ic_sb, "Gateway", name="theirs", availability_zone=az)
    (skipped,) = [one for one in _planned(sync, locked=False).skipped_objects if one["subject"] == "zones"]
    assert "registered by another deployment" in skipped["reason"]


@pytest.mark.parametrize("applied, planning, changed", [(True, False, True), (False, True, True), (False, False, False)])
def test_a_plan_is_a_change_in_check_mode_only(applied: bool, planning: bool, changed: bool) -> None:
    result = Report([CHANGE], applied=applied).as_result(planning)
    assert result["changed"] is changed
    assert result["changes"][0]["record"] == "ts1"
    assert set(result) == {"changed", "applied", "settled", "lock_held_by_other", "changes", "skipped_objects", "diff"}


def test_what_was_committed_is_remembered_once(sync: ZoneSync) -> None:
    recorder = Recorder(sync)
    group, other = Group("progress", "p", (CHANGE,)), Group("progress", "q", (CHANGE,))
    recorder.record(Turn(sent=[group, other]))
    recorder.record(Turn([Reply(group), Reply(group), Reply(other, Outcome.REJECTED, f"{SB} rejected it: for no reason")]))
    assert [change._replace(shown=None) for change in recorder.written] == [CHANGE]


def test_the_options_have_their_defaults() -> None:
    assert {name: option["default"] for name, option in module.SPEC.items()} == {"wait": True, "wait_timeout": 60}
