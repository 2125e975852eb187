# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control commands that tools of OVN's newest release use, asked of a running daemon."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.daemon.inc_engine import PARTS
from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.rpc import JsonRpc, RpcError
from ansible_collections.ovn.interconnect.tests.support.servers import CHECKOUT, AvailabilityZone, Interconnect, SuiteMissingError, suite

Make = Callable[..., Interconnect]
OVS_RELEASES = sorted((CHECKOUT / ".venv/ovs").glob("*"))

pytestmark = pytest.mark.ours("23.03 and 25.03 have other commands")


def count(zone: AvailabilityZone, node: str, kind: str) -> int:
    return int(zone.daemon.appctl("inc-engine/show-stats", node, kind))


def recomputed(zone: AvailabilityZone, nodes: Iterable[str] = (*PARTS, "ic")) -> list[str]:
    return [node for node in nodes if count(zone, node, "recompute")]


def test_the_status_tells_of_both_locks(ic: Interconnect) -> None:
    """The second line of status (spec newest-N-22)."""
    holders = [zone for zone in ic.zones if zone.daemon.appctl("status") == "Status: active\nIC-SB lock: held"]
    assert len(holders) == 1
    holders[0].daemon.pause()
    assert holders[0].daemon.appctl("status") == "Status: paused\nIC-SB lock: not held"


@pytest.mark.parametrize("selected", ["option", "environment"])
def test_the_status_of_earlier_releases_can_be_chosen(make: Make, selected: str) -> None:
    zone = make("az1", daemons=False).zones[0]
    if selected == "option":
        zone.daemon.arguments = [*zone.daemon.arguments, "--status-format=one-line"]
    else:
        zone.daemon.environment = {"OVN_IC_STATUS_FORMAT": "one-line"}
    zone.daemon.start()
    assert zone.daemon.appctl("status") in ("Status: active", "Status: standby")


def test_a_single_change_is_computed_and_nothing_recomputed(ic: Interconnect) -> None:
    """One change of each kind that upstream handles incrementally; the second transit switch is the change (spec newest-N-24)."""
    az1 = ic.zones[0]
    ic.nb.transact(*topology.transit_switch("ts1"))
    ic.settle()
    for zone in ic.zones:
        zone.daemon.appctl("inc-engine/clear-stats")
    ic.nb.transact(*topology.transit_switch("ts2"))
    ic.settle()
    for zone in ic.zones:
        assert count(zone, "ts", "compute") > 0
        assert count(zone, "tunnel_key", "compute") > 0
        assert count(zone, "ic", "compute") > 0
        assert recomputed(zone) == []
    az1.daemon.appctl("inc-engine/clear-stats")
    az1.nb.transact(ovsdb.insert("Logical_Router", {"name": "lr"}))
    ic.settle()
    assert count(az1, "route", "compute") > 0
    assert recomputed(az1) == []


def test_a_forced_recompute_counts_for_every_node(ic: Interconnect) -> None:
    """inc-engine/recompute is a full run of every node (spec newest-N-24)."""
    az1 = ic.zones[0]
    az1.daemon.appctl("inc-engine/clear-stats")
    az1.daemon.appctl("inc-engine/recompute")
    ic.settle()
    assert recomputed(az1) == [*PARTS, "ic"]


def test_answers_can_be_objects(ic: Interconnect) -> None:
    control = JsonRpc(ic.zones[0].daemon.control_socket)
    try:
        assert control.request("set-options", ["--format", "json"]) == {"reply-format": "plain", "reply": ""}
        assert control.request("is-paused", []) == {"reply-format": "plain", "reply": "false\n"}
        assert control.request("list-commands", [])["coverage/read-counter"] == "COUNTER"
        with pytest.raises(RpcError, match="to see a list of valid commands"):
            control.request("unicorns", [])
        assert control.request("set-options", ["--format=text"]) == ""
        assert control.request("is-paused", []) == "false\n"
        for wrong, words in (
            ("--format=xml", "has invalid value xml"),
            ("--format", "requires an argument"),
            ("--x", "unrecognized option"),
        ):
            with pytest.raises(RpcError, match=words):
                control.request("set-options", [wrong])
    finally:
        control.close()


def test_the_newest_ovs_appctl_gets_json(ic: Interconnect) -> None:
    try:
        appctl = suite("experimental").command("ovs-appctl")
    except SuiteMissingError as missing:
        pytest.skip(str(missing))
    target = str(ic.zones[0].daemon.control_socket)
    said = subprocess.run([*appctl, "--format=json", "-t", target, "is-paused"], check=True, capture_output=True, text=True).stdout
    assert json.loads(said) == {"reply-format": "plain", "reply": "false\n"}


@pytest.mark.parametrize("library", OVS_RELEASES, ids=lambda path: str(path.name))
def test_the_format_follows_the_same_rules_with_every_library(make: Make, library: Path) -> None:
    zone = make("az1", daemons=False).zones[0]
    zone.daemon.environment = {"PYTHONPATH": str(library)}
    zone.daemon.start()
    control = JsonRpc(zone.daemon.control_socket)
    try:
        assert control.request("set-options", ["--format", "json"]) == {"reply-format": "plain", "reply": ""}
        assert control.request("is-paused", []) == {"reply-format": "plain", "reply": "false\n"}
    finally:
        control.close()


def test_turns_without_a_wait_are_counted(ic: Interconnect) -> None:
    ic.settle()
    assert int(ic.zones[0].daemon.appctl("coverage/read-counter", "poll_zero_timeout")) > 0


def test_the_debug_log_has_what_was_sent_and_what_was_received(ic: Interconnect) -> None:
    daemon = ic.zones[0].daemon
    daemon.appctl("vlog/set", "jsonrpc:file:dbg")
    ic.nb.transact(*topology.transit_switch("ts1"))
    ic.settle()
    lines = [line for line in daemon.log.read_text().splitlines() if "|jsonrpc|DBG|" in line]
    assert any(": send request" in line and "ts1" in line for line in lines)
    assert any(": received reply" in line for line in lines)
    assert any(": received notification" in line and "ts1" in line for line in lines)
