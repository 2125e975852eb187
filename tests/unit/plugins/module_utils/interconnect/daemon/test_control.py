# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the daemon's log and control commands, without servers (spec status-F.2)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.daemon import log as daemon_log
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.daemon.control import Command, CommandError, Control
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.sync.zone_sync import ACTIVE, ZoneSync
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import DATABASES, IC_NB, IC_SB

UUIDS = [f"00000000-0000-0000-0000-{number:012}" for number in range(10)]


class Recorder:
    """Stands for the library's log."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warn(self, sentence: str) -> None:
        self.lines.append(f"warn {sentence}")

    def info(self, sentence: str) -> None:
        self.lines.append(f"info {sentence}")

    def err(self, sentence: str) -> None:
        self.lines.append(f"err {sentence}")


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder()
    monkeypatch.setattr(daemon_log, "_vlog", made)
    monkeypatch.setattr(daemon_log, "_own", made)
    return made


@pytest.fixture
def sync() -> ZoneSync:
    return ZoneSync(dict.fromkeys(DATABASES, "unix:/nowhere"))


@pytest.fixture
def control(sync: ZoneSync, recorder: Recorder) -> Control:
    return Control(sync, daemon_log.Log(), daemon_log.LogFile(None))


def say(control: Control, name: str, *arguments: str) -> str:
    return control.commands[name].answer(arguments)


def test_warnings_of_one_place_are_limited_and_the_dropped_ones_counted(recorder: Recorder) -> None:
    now = [0.0]
    log = daemon_log.Log(lambda: now[0])
    for number in range(100):
        now[0] = number / 10
        log("warn", f"ports: p{number}: odd")
        if number == 50:
            log("warn", "another place")
        if number == 60:
            now[0] += 100
            log("warn", "gateways: gw1: another part of the engine")
    assert [line for line in recorder.lines if "ports" in line] == [f"warn ports: p{number}: odd" for number in range(5)]
    assert {"warn another place", "warn gateways: gw1: another part of the engine"} < set(recorder.lines)
    del recorder.lines[:]
    for now[0] in (70.0, 71.0):
        log_ports(log)
    assert recorder.lines == ["warn ports: p: odd"] * 2


def log_ports(log: daemon_log.Log) -> None:
    log("warn", "ports: p: odd")


def test_dropped_warnings_are_counted_before_the_next_one(recorder: Recorder) -> None:
    now = [0.0]
    log = daemon_log.Log(lambda: now[0])
    for now[0] in (*range(10), 61.0):
        log_ports(log)
    words = "Dropped 5 log messages in last 56 seconds (most recently, 52 seconds ago) due to excessive rate"
    assert recorder.lines == ["warn ports: p: odd"] * 5 + [f"warn {words}", "warn ports: p: odd"]


def test_only_warnings_are_limited(recorder: Recorder) -> None:
    log = daemon_log.Log(lambda: 0.0)
    for number in range(100):
        log("info", str(number))
    log.limited = False
    for number in range(100):
        log("warn", str(number))
    assert len(recorder.lines) == 200


def test_status_and_pause(control: Control, recorder: Recorder) -> None:
    """Active, standby or paused (spec status-F.2)."""
    assert (say(control, "status"), say(control, "is-paused")) == ("Status: standby\nIC-SB lock: not held", "false")
    assert say(control, "pause") == ""
    assert (say(control, "status"), say(control, "is-paused")) == ("Status: paused\nIC-SB lock: not held", "true")
    assert say(control, "resume") == ""
    assert (say(control, "status"), say(control, "is-paused")) == ("Status: standby\nIC-SB lock: not held", "false")
    assert len(recorder.lines) == 2


def test_the_status_of_older_releases_is_one_line(sync: ZoneSync, recorder: Recorder) -> None:
    assert say(Control(sync, daemon_log.Log(), daemon_log.LogFile(None), lock_line=False), "status") == "Status: standby"


@pytest.mark.parametrize("name", ["nb", "sb", "ic-nb", "ic-sb"])
def test_connection_status_without_a_server(control: Control, name: str) -> None:
    assert say(control, f"{name}-connection-status") == "not connected"


def test_exit(control: Control) -> None:
    assert say(control, "exit") == ""
    assert control.exiting


def test_every_command_of_the_spec_is_there(control: Control) -> None:
    """Upstream's commands, under their names (spec status-F.2)."""
    wanted = "exit pause resume is-paused status nb-connection-status sb-connection-status ic-nb-connection-status ic-sb-connection-status"
    wanted += " version list-commands coverage/read-counter coverage/show memory/show guard/show guard/release progress skipped/show"
    wanted += " zone/claim vlog/set vlog/list-pattern vlog/reopen vlog/close vlog/disable-rate-limit vlog/enable-rate-limit"
    wanted += " set-options inc-engine/clear-stats inc-engine/compute-log-timeout inc-engine/disable-stopwatch inc-engine/enable-stopwatch"
    wanted += " inc-engine/list-stopwatches inc-engine/recompute inc-engine/show-stats stopwatch/reset stopwatch/show"
    assert set(wanted.split()) == set(control.commands)


def test_rate_limits_can_be_switched(sync: ZoneSync, recorder: Recorder) -> None:
    log = daemon_log.Log()
    control = Control(sync, log, daemon_log.LogFile(None))
    say(control, "vlog/disable-rate-limit")
    assert not log.limited
    say(control, "vlog/enable-rate-limit", "ovn_ic")
    assert log.limited
    with pytest.raises(CommandError, match="unknown module"):
        say(control, "vlog/disable-rate-limit", "any", "unicorns")
    assert log.limited


def test_a_log_that_cannot_be_opened_anew_goes_on_where_it_was(sync: ZoneSync, recorder: Recorder, tmp_path: Path) -> None:
    file = daemon_log.LogFile(str(tmp_path / "old" / "log"))
    control = Control(sync, daemon_log.Log(), file)
    (tmp_path / "old").mkdir()
    assert say(control, "vlog/reopen") == ""
    (tmp_path / "old").rename(tmp_path / "new")
    with pytest.raises(CommandError, match="No such file or directory; logging continues to the previous file"):
        say(control, "vlog/reopen")
    logging.getLogger("file").warning("still here")
    assert (tmp_path / "new" / "log").read_text() == "still here\n"
    assert say(control, "vlog/close") == ""
    logging.getLogger("file").warning("no more")
    assert (tmp_path / "new" / "log").read_text() == "still here\n"


def test_without_a_log_file_there_is_none_to_open(control: Control) -> None:
    with pytest.raises(CommandError, match="Logging to file not configured"):
        say(control, "vlog/reopen")


def test_counters(control: Control) -> None:
    control.turns, control.immediate_turns = 7, 3
    assert say(control, "coverage/read-counter", "loop_turns") == "7"
    assert say(control, "coverage/read-counter", "poll_zero_timeout") == "3"
    assert "txn_rejected             total: 0" in say(control, "coverage/show").splitlines()
    with pytest.raises(CommandError, match="No such counter"):
        say(control, "coverage/read-counter", "unicorns")


def test_memory_counts_rows(control: Control, sync: ZoneSync) -> None:
    sync.zone.ic_sb.put("Availability_Zone", UUIDS[0], {"name": "az1", "nb_ic_cfg": 0})
    words = say(control, "memory/show").split()
    assert "OVN_IC_Southbound-rows:1" in words
    assert "OVN_Northbound-rows:0" in words


def test_nothing_is_withheld_or_left(control: Control) -> None:
    assert say(control, "guard/show") == "nothing is withheld"
    assert say(control, "guard/release") == "nothing is withheld"
    assert say(control, "skipped/show") == "nothing is skipped"


def test_servers_that_are_not_reached_are_left(control: Control, sync: ZoneSync) -> None:
    sync.replicas[IC_SB].said["tcp:ic:6646"] = "the name of its host cannot be resolved"
    assert say(control, "skipped/show") == f"database: {IC_SB} is not connected (tcp:ic:6646: the name of its host cannot be resolved)"


def test_the_guard_says_what_it_withholds(control: Control, sync: ZoneSync) -> None:
    sync.guard.holds = {IC_NB: "the database is another one"}
    assert say(control, "guard/show").splitlines()[0] == "the database is another one"
    assert say(control, "guard/release") == "released: 0 deletions"
    assert not sync.guard.holding


def test_progress_names_the_zones_that_lag(control: Control, sync: ZoneSync) -> None:
    with pytest.raises(CommandError, match=f"the contents of .*{IC_SB} are not loaded yet"):
        say(control, "progress")
    for replica in sync.replicas.values():
        replica.has_schema = True
    with pytest.raises(CommandError, match="has no row IC_NB_Global"):
        say(control, "progress")
    sync.zone.ic_nb.put("IC_NB_Global", UUIDS[0], {"nb_ic_cfg": 5, "sb_ic_cfg": 4, "options": {}, "external_ids": {}})
    for number, name in enumerate(["az1", "az2"]):
        sync.zone.ic_sb.put("Availability_Zone", UUIDS[number], {"name": name, "nb_ic_cfg": 5 - number})
    assert say(control, "progress").splitlines() == ["requested: 5", "confirmed by all zones: 4", "lags: az2 has confirmed 4"]


def test_a_registration_is_taken_over_by_the_active_instance_only(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="this instance is standby; run the command on the active instance"):
        say(control, "zone/claim")
    monkeypatch.setattr(ZoneSync, "status", ACTIVE)
    assert say(control, "zone/claim") == "no registration is denied to this zone; there is nothing to claim"


def test_errors_are_answers(control: Control) -> None:
    answers: list[tuple[str, str]] = []
    connection = SimpleNamespace(
        reply=lambda text: answers.append(("reply", text)), reply_error=lambda text: answers.append(("error", text))
    )

    def ask(name: str, arguments: Sequence[str] = ()) -> None:
        control._answer(connection, arguments, control.commands[name])

    ask("status")
    ask("pause")
    ask("coverage/read-counter", ["unicorns"])
    assert answers == [("reply", "Status: standby\nIC-SB lock: not held\n"), ("reply", ""), ("error", "No such counter\n")]


def test_a_mistake_in_an_answer_is_an_answer(control: Control, recorder: Recorder) -> None:
    answers: list[str] = []
    control._answer(SimpleNamespace(reply_error=answers.append), [], Command("odd", "", 0, 0, lambda _arguments: str(1 // 0)))
    assert answers == ["odd failed: ZeroDivisionError('integer division or modulo by zero')\n"]
    assert recorder.lines[0] == "err Traceback (most recent call last):"
