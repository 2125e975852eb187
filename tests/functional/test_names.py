# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that are called by the names of their hosts, in a file system where the system's resolver finds the test's own files."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.identity import Authority
from ansible_collections.ovn.interconnect.tests.support.rpc import PATIENCE
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect, own_address

pytestmark = pytest.mark.ours("upstream's needs the library unbound for names")

UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]
MOUNT = 'mount --bind "$0/hosts" /etc/hosts && mount --bind "$0/resolv.conf" /etc/resolv.conf && exec "$@"'


@pytest.fixture
def ic(request: pytest.FixtureRequest, authority: Authority) -> Iterator[Interconnect]:
    """A named zone, without daemon yet, whose IC_SB speaks TCP, or TLS where the test asks for that."""
    if subprocess.run([*UNSHARE, "true"], capture_output=True).returncode != 0:
        pytest.skip("not run: this system lets nobody make a namespace")
    with Interconnect(authority=authority if getattr(request, "param", "tcp") == "ssl" else None) as made:
        if made.authority is None:
            made.sb_server.listen("tcp")
        zone = made.add_zone("az1")
        made.start(daemons=False)
        zone.nb.transact(*topology.zone_name("az1"))
        yield made


def resolving(zone: AvailabilityZone, hosts: str, name_server: str = "127.0.0.1") -> None:
    """Let the zone's daemon call IC_SB ``ic.test``, and know the hosts of this file and that name server alone."""
    (zone.directory / "hosts").write_text(f"127.0.0.1 localhost\n{hosts}")
    (zone.directory / "resolv.conf").write_text(f"nameserver {name_server}\noptions timeout:30 attempts:5\n")
    daemon, server = zone.daemon, zone.interconnect.sb_server
    daemon.command = [*UNSHARE, "sh", "-c", MOUNT, str(zone.directory), *daemon.command]
    daemon.arguments = [*daemon.arguments, f"--ic-sb-db={server.remote.replace(own_address(), 'ic.test')}"]


def wait(condition: Callable[[], object], zone: AvailabilityZone) -> None:
    """Wait until something that the daemon does is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, zone.daemon.tail()
        time.sleep(0.05)


def connected(zone: AvailabilityZone) -> bool:
    """Whether the daemon is connected to IC_SB."""
    return zone.daemon.appctl("ic-sb-connection-status") == "connected"


@pytest.mark.parametrize("ic", ["tcp", "ssl"], indirect=True)
@pytest.mark.parametrize("others", ["", "::1 ic.test\n"], ids=["its one address", "one of its addresses"])
def test_a_host_is_reached_at(ic: Interconnect, others: str) -> None:
    (zone,) = ic.zones
    resolving(zone, f"{others}{own_address()} ic.test\n")
    zone.daemon.start()
    ic.wait(lambda: ic.sb.find("Availability_Zone", name="az1"), "the zone in IC_SB")


def test_a_name_that_nobody_knows_is_told_once_and_tried_again(ic: Interconnect) -> None:
    (zone,) = ic.zones
    resolving(zone, "", "127.0.0.1")
    zone.daemon.start()
    wait(lambda: "the name of its host cannot be resolved" in zone.daemon.log.read_text(), zone)
    assert "ic.test" in zone.daemon.appctl("skipped/show")
    with (zone.directory / "hosts").open("a") as file:
        file.write(f"{own_address()} ic.test\n")
    wait(lambda: connected(zone), zone)
    assert zone.daemon.log.read_text().count("cannot be resolved") == 1
    assert zone.daemon.appctl("skipped/show") == "nothing is skipped"


def test_it_answers_and_ends_while_a_name_server_is_silent(ic: Interconnect) -> None:
    """The system's resolver would wait for minutes here, longer than this test."""
    (zone,) = ic.zones
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        try:
            silent.bind((own_address(), 53))
        except PermissionError:
            pytest.skip("not run: this user may not be a name server")
        resolving(zone, "", own_address())
        zone.daemon.start()
        silent.recv(512)  # the question is there
        wait(lambda: "no name server answers" in zone.daemon.appctl("skipped/show"), zone)
        zone.daemon.stop()
        assert not zone.daemon.control_socket.exists()
