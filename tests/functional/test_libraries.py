# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon with other releases of the Python library ovs than this machine's own (requirements/ovs.txt)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.tests.support import scenes, topology
from ansible_collections.ovn.interconnect.tests.support.identity import Authority
from ansible_collections.ovn.interconnect.tests.support.servers import CHECKOUT, Interconnect

pytestmark = pytest.mark.ours("upstream's needs no such library")

RELEASES = [
    line.partition("==")[2] for line in (CHECKOUT / "requirements" / "ovs.txt").read_text().splitlines() if line.startswith("ovs==")
]


@pytest.fixture(params=RELEASES)
def library(request: pytest.FixtureRequest) -> Path:
    """Where a release of the library is."""
    path: Path = CHECKOUT / ".venv" / "ovs" / request.param
    if not (path / "ovs").is_dir():
        pytest.skip(f"not run: ovs {request.param} is not in {path}, `make env` could not get it")
    return path


@pytest.fixture
def ic(library: Path, authority: Authority, tmp_path: Path) -> Iterator[Interconnect]:
    """Two zones whose daemons use that release, over TLS to IC_SB."""
    identity = authority.issue(tmp_path, "test")
    with Interconnect() as made:
        made.sb_server.secure(identity)
        for name in ("az1", "az2"):
            daemon = made.add_zone(name).daemon
            daemon.environment = {"PYTHONPATH": str(library)}
            daemon.arguments = [*daemon.arguments, *identity.options]
        made.start(daemons=False)
        for zone in made.zones:
            zone.nb.transact(*topology.zone_name(zone.name))
        made.start()
        made.settle()
        yield made


def test_zones_converge_and_come_back(ic: Interconnect, library: Path) -> None:
    az1, az2 = ic.zones
    assert f"Open vSwitch Library {library.name}" in az1.daemon.appctl("version")
    assert "Z|00001|vlog|INFO|opened log file" in az1.daemon.log.read_text()
    scenes.transit_switches(ic, "ts1")
    for number, zone in enumerate(ic.zones, 1):
        scenes.options(zone, **scenes.ROUTING)
        scenes.gateway(zone, f"gw{number}")
        scenes.attach(zone, f"lr{number}", "ts1", [f"169.254.100.{number}/24"])
        scenes.lan(zone, f"lr{number}", f"lan{number}", f"10.{number}.0.1/24")
    ic.settle()
    assert scenes.learned(az1, "lr1") == [("10.2.0.1/24", "169.254.100.2")]
    assert scenes.learned(az2, "lr2") == [("10.1.0.1/24", "169.254.100.1")]
    for server in (ic.sb_server, ic.nb_server, az1.nb_server, az1.sb_server):
        server.stop()
        server.start()
    scenes.lan(az1, "lr1", "lan3", "10.3.0.1/24")
    ic.settle()
    assert [prefix for prefix, _hop in scenes.learned(az2, "lr2")] == ["10.1.0.1/24", "10.3.0.1/24"]
    assert [zone.daemon.status() for zone in ic.zones] == ["active", "active"]


def test_the_command_line_tells_the_release(library: Path) -> None:
    command = [sys.executable, str(CHECKOUT / "scripts/ovn-ic"), "--version"]
    said = subprocess.run(command, env={"PYTHONPATH": str(library)}, check=True, capture_output=True, text=True).stdout
    assert said.endswith(f"Open vSwitch Library {library.name}\n")
