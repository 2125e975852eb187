# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab does about another one that was killed, or that runs, under its names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.lab.labhosts.leader import leader_pid, runner_pid
from ansible_collections.ovn.interconnect.lab.labhosts.process import kill

PREFIX = f"oilt-{os.getpid()}"
HOSTS_PY = Path(__file__).parents[2] / "lab/hosts.py"


class Lab:
    """Labs of one prefix, each with a state directory of its own."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `lab/hosts.py` for this lab."""
        environ = {**os.environ, "OVN_IC_LAB_DIR": str(self.state_dir), "OVN_IC_LAB_PREFIX": PREFIX}
        return subprocess.run([sys.executable, str(HOSTS_PY), *arguments], env=environ, capture_output=True, text=True, check=False)

    def up(self, name: str, number: int) -> subprocess.CompletedProcess[str]:
        """Start a host."""
        return self.run("up", name, "--suite", "trixie", "--layer", "ovn", "--ip", f"172.30.0.{number}")

    def die(self, name: str) -> None:
        """End a host as it ends with a killed run of the tests: nobody removes what is left of it."""
        for pid in (runner_pid(self.state_dir, name), leader_pid(self.state_dir, name)):
            assert pid is not None
            kill(pid)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab with one host."""
    lab = Lab(tmp_path / "first")
    try:
        assert lab.up("one", 10).returncode == 0
        yield lab
    finally:
        assert lab.run("down", "--all").returncode == 0


@pytest.fixture
def namesake(lab: Lab, tmp_path: Path) -> Iterator[Lab]:
    """A second lab with the names of the first, and with its state elsewhere."""
    del lab
    other = Lab(tmp_path / "second")
    yield other
    if other.state_dir.exists():
        assert other.run("down", "--all").returncode == 0


@pytest.fixture
def held(lab: Lab) -> Iterator[None]:
    """The network namespace of the host outlives its deletion; the kernel takes its time for that at any rate."""
    del lab
    descriptor = os.open(f"/run/netns/{PREFIX}-one", os.O_RDONLY)
    yield
    os.close(descriptor)


@pytest.mark.usefixtures("held")
def test_what_a_killed_lab_left_is_not_in_the_way_of_the_next_one(lab: Lab, namesake: Lab) -> None:
    lab.die("one")
    done = namesake.up("one", 10)
    assert (done.returncode, done.stdout.strip()) == (0, '["one"]'), done.stderr


@pytest.mark.usefixtures("held")
def test_a_host_that_died_is_started_again_beside_the_others(lab: Lab) -> None:
    assert lab.up("two", 11).returncode == 0
    lab.die("one")
    done = lab.up("one", 10)
    assert (done.returncode, done.stdout.strip()) == (0, '["one"]'), done.stderr
    assert lab.run("exec", "one", "--", "ping", "-c", "1", "-w", "10", "172.30.0.11").returncode == 0


def test_a_running_host_of_another_lab_is_left_alone(lab: Lab, namesake: Lab) -> None:
    done = namesake.up("one", 10)
    assert done.returncode == 1
    for word in (f"namespace {PREFIX}-one", f"not in {namesake.state_dir}", "OVN_IC_LAB_DIR", "OVN_IC_LAB_PREFIX"):
        assert word in done.stderr
    assert lab.up("one", 10).stdout.strip() == "[]"
