# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules against global databases that are clusters of three with TLS, started at the same moment, a follower named first.

That no wait stands between the members is tested by a clock of its own, in the unit tests of ``server_rotation.py``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.tests.support.cluster import Cluster
from ansible_collections.ovn.interconnect.tests.support.identity import Authority
from ansible_collections.ovn.interconnect.tests.support.servers import Server, suite

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / ".venv" / "collections"
ROUNDS = 5


class Place:
    """Clusters of both global databases, and the NB of two zones."""

    def __init__(self, directory: Path) -> None:
        authority, schemas = Authority(directory), suite("host").schemas
        identity = authority.issue(directory, "module")
        self.files = {"private_key": str(identity.key), "certificate": str(identity.certificate), "ca_cert": str(identity.authority)}
        self.north = Cluster("ic-nb", directory, schemas / "ovn-ic-nb.ovsschema", "OVN_IC_Northbound", authority)
        self.south = Cluster("ic-sb", directory, schemas / "ovn-ic-sb.ovsschema", "OVN_IC_Southbound", authority)
        self.zones = [Server(name, directory, schemas / "ovn-nb.ovsschema", "OVN_Northbound") for name in ("nb1", "nb2")]

    @property
    def servers(self) -> list[Server]:
        return [self.north, self.south, *self.zones]

    def start(self, module: str, **options: Any) -> subprocess.Popen[str]:
        """Begin to run a module."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OVN_", "OVS_", "ANSIBLE_"))}
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "plugins" / "modules" / f"{module}.py")],
            env={**environment, "PYTHONPATH": str(COLLECTIONS)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": {**self.files, **options}}))
        process.stdin.close()
        process.stdin = None
        return process

    def register(self, suffix: str, remote: str) -> list[subprocess.Popen[str]]:
        """Both zones take a name, at the same moment."""
        names = [f"az{number}-{suffix}" for number in (1, 2)]
        return [self.start("ovn_ic_az", name=name, nb_db=zone.remote, ic_sb_db=remote) for name, zone in zip(names, self.zones)]


def results(*processes: subprocess.Popen[str]) -> list[Mapping[str, Any]]:
    """What modules returned."""
    found = []
    for process in processes:
        output, errors = process.communicate(timeout=60)
        assert output.strip().startswith("{"), output + errors
        found.append(json.loads(output))
    return found


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with ExitStack() as stack:
        made = Place(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ovn-ic-"))))
        for server in made.servers:
            stack.callback(server.stop)
            server.launch()
        for server in made.servers:
            server.ready()
        yield made


def test_pairs_of_modules_with_a_follower_first(place: Place) -> None:
    for number in range(ROUNDS):
        for result in results(*place.register(f"round{number}", place.south.followers_first)):
            assert result.get("changed"), result
            assert result["zone"]["registered"], result
        switches = [place.start("ovn_ic_transit_switch", name=[f"ts{number}{one}"], ic_nb_db=place.north.followers_first) for one in "ab"]
        for result in results(*switches):
            assert result.get("changed"), result
    found = results(*(place.start("ovn_ic_info", ic_nb_db=place.north.followers_first, ic_sb_db=place.south.followers_first) for _ in "ab"))
    for result in found:
        assert [zone["name"] for zone in result["zones"]] == [f"az{number}-round{ROUNDS - 1}" for number in (1, 2)], result
        assert len(result["transit_switches"]) == 2 * ROUNDS


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_an_election_is_waited_for(place: Place, how: signal.Signals) -> None:
    remote = ",".join(reversed(place.south.followers_first.split(",")))
    place.south.lose_leader(how)
    try:
        for result in results(*place.register(how.name, remote)):
            assert result.get("changed"), result
    finally:
        place.south.regain()


def test_without_a_majority_each_member_is_named_with_its_answer(place: Place) -> None:
    here, dead, hanging = place.south.members
    dead.stop()
    hanging.freeze()
    try:
        here.state.wait(lambda: not here.says("connected"), "the last member to miss the others")
        (result,) = results(place.start("ovn_ic_az", name="az9", nb_db=place.zones[0].remote, ic_sb_db=place.south.remote, timeout=4))
    finally:
        place.south.lost[:] = [dead, hanging]
        place.south.regain()
    assert result["failed"]
    assert f"{here.remote}: it is not connected to the majority of its cluster" in result["msg"]
    assert f"{dead.remote}: Connection refused" in result["msg"]
    assert f"{hanging.remote}: it does not answer" in result["msg"]
    assert "name all members of the cluster in ic_sb_db" in result["msg"]
