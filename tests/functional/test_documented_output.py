# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page on the quick start shows what OVN's tools print: its commands are run on two zones with the names and addresses of the lab."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.tests.support import scenes, topology
from ansible_collections.ovn.interconnect.tests.support.servers import OURS, AvailabilityZone, Interconnect

PAGE = Path(__file__).resolve().parents[2] / "docs" / "quick-start.md"
#: A command of the page on a host of the lab, and the lines below it.
COMMAND = re.compile(r"^# lab/hosts\.py exec (\S+) -- (.*)\n((?:(?!# |```).*\n)*)", re.MULTILINE)

pytestmark = pytest.mark.ours("the page shows this daemon")


@pytest.fixture
def lab() -> Iterator[Interconnect]:
    """Two zones on this machine's release of OVN, attached as in the lab."""
    with Interconnect("host", OURS) as ic:
        for name in ("az1", "az2"):
            ic.add_zone(name)
        ic.start(daemons=False)
        for zone in ic.zones:
            zone.nb.transact(*topology.zone_name(zone.name), *topology.zone_options(scenes.ROUTING))
        # The zone whose daemon comes first holds the lock of IC_SB.
        for zone in reversed(ic.zones):
            zone.daemon.start()
            ic.wait(lambda zone=zone: zone.daemon.status() == "active", f"the daemon of {zone.name}")  # type: ignore[misc]
        scenes.transit_switches(ic, "ts1")
        for number, zone in enumerate(ic.zones, start=1):
            attach(ic, zone, number)
        ic.settle()
        yield ic


def attach(ic: Interconnect, zone: AvailabilityZone, number: int) -> None:
    """Give a zone of the lab its gateway, and the router edge with its network and its port on ts1."""
    gateway, port = f"{zone.name}-gw1", f"ts1-{zone.name}-edge"
    chassis = scenes.gateway(zone, gateway, f"172.30.0.2{number}")
    zone.nb.transact(*topology.router("edge"))
    zone.nb.transact(
        *topology.router_port("edge", "edge-lan", "02:00:00:00:01:01", [f"10.0.{number}.1/24"]),
        *topology.router_port("edge", "edge-ts1", f"02:00:00:00:fe:0{number}", [f"169.254.100.{number}/24"], gateways=[(gateway, 20)]),
        *topology.switch_port("ts1", port, options={"router-port": "edge-ts1"}),
    )
    zone.northd_sync()
    zone.sb.transact(*topology.claim("cr-edge-ts1", chassis))


def run(ic: Interconnect, host: str, command: str) -> str:
    """What a command prints on a host of the lab."""
    program, *arguments = command.split()
    zone = next((zone for zone in ic.zones if host == f"{zone.name}-central"), None)
    if program == "ovn-appctl":
        assert zone is not None
        assert arguments[:2] == ["-t", "ovn-ic"]
        return zone.daemon.appctl(*arguments[2:])
    server = zone.nb_server if zone is not None else {"ovn-ic-sbctl": ic.sb_server, "ovn-ic-nbctl": ic.nb_server}[program]
    line = [*ic.suite.command(program), f"--db={server.remote}", *arguments]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip("\n")


def test_each_command_of_the_quick_start_prints_what_the_page_shows(lab: Interconnect) -> None:
    shown = COMMAND.findall(PAGE.read_text(encoding="utf-8"))
    assert len(shown) == 7
    printed = []
    for host, command, _text in shown:
        printed.append((host, command, run(lab, host, command)))
        lab.settle()
    assert printed == [(host, command, text.strip("\n")) for host, command, text in shown]
