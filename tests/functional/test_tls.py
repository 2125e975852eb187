# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS between the daemon and a server: what the options of its command line allow and refuse (spec status-F.1)."""

from __future__ import annotations

import os
import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Container, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.tests.support import topology
from ansible_collections.ovn.interconnect.tests.support.identity import Authority, Identity
from ansible_collections.ovn.interconnect.tests.support.rpc import PATIENCE
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect, own_address

pytestmark = pytest.mark.ours("its options on TLS were without effect in 23.03")

ONE_CIPHER = "--ssl-ciphers=ECDHE-ECDSA-AES256-GCM-SHA384"
ANOTHER = "--ssl-ciphers=ECDHE-ECDSA-AES128-GCM-SHA256"


@pytest.fixture(scope="module")
def identity(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """Of server and daemon alike."""
    return authority.issue(tmp_path_factory.mktemp("identity"), "test")


@pytest.fixture
def zone(identity: Identity, request: pytest.FixtureRequest) -> Iterator[AvailabilityZone]:
    """A named zone, without daemon yet, whose IC_SB speaks TLS with the options that the test gives."""
    with Interconnect() as interconnect:
        interconnect.sb_server.secure(identity, *request.param)
        zone = interconnect.add_zone("az1")
        interconnect.start(daemons=False)
        zone.nb.transact(*topology.zone_name("az1"))
        yield zone


def registered(zone: AvailabilityZone) -> None:
    """Wait until the daemon has made the zone's row in IC_SB."""
    ic = zone.interconnect
    ic.wait(lambda: ic.sb.find("Availability_Zone", name="az1"), "the zone in IC_SB")


def refused(zone: AvailabilityZone, words: str = "no TLS connection", states: Container[str] = ("not connected",)) -> None:
    """Wait until the daemon has said that there is no TLS connection; it goes on and answers."""
    deadline = time.monotonic() + PATIENCE
    while re.search(words, zone.daemon.log.read_text()) is None:
        assert zone.daemon.appctl("ic-sb-connection-status") in states
        assert time.monotonic() < deadline, zone.daemon.tail()
    assert zone.interconnect.sb.rows("Availability_Zone") == []


@pytest.mark.parametrize(
    "zone, wrong, right",
    [
        (["--ssl-protocols=TLSv1.2"], ["--ssl-protocols=TLSv1.3"], ["--ssl-protocols=TLSv1.2-TLSv1.3"]),
        (["--ssl-protocols=TLSv1.2", ONE_CIPHER], [ANOTHER], [ONE_CIPHER]),
    ],
    indirect=["zone"],
    ids=["protocols", "ciphers"],
)
def test_what_the_other_side_does_not_speak_is_refused(
    zone: AvailabilityZone, identity: Identity, wrong: list[str], right: list[str]
) -> None:
    common = [*zone.daemon.arguments, *identity.options]
    zone.daemon.arguments = [*common, *wrong]
    zone.daemon.start()
    refused(zone)
    zone.daemon.stop()
    zone.daemon.arguments = [*common, *right]
    zone.daemon.start()
    registered(zone)


@pytest.mark.parametrize("zone", [()], indirect=True)
def test_any_server_will_do_where_none_is_verified(zone: AvailabilityZone, identity: Identity) -> None:
    """ovn-ic(8), ``-C none``."""
    zone.daemon.arguments = [*zone.daemon.arguments, *identity.options, "--ca-cert=none"]
    zone.daemon.start()
    registered(zone)
    assert zone.daemon.log.read_text().count("|WARN|Peer certificate validation disabled (this is a security risk)") == 1


@pytest.mark.parametrize("zone", [()], indirect=True)
def test_a_server_of_another_authority_is_refused(zone: AvailabilityZone, tmp_path: Path) -> None:
    zone.daemon.arguments = [*zone.daemon.arguments, *Authority(tmp_path).issue(tmp_path, "stranger").options]
    zone.daemon.start()
    refused(zone)


@pytest.mark.parametrize("zone", [(), ["--ssl-protocols=TLSv1.2"]], indirect=True)
def test_a_server_that_does_not_trust_us_is_quoted(zone: AvailabilityZone, authority: Authority, tmp_path: Path) -> None:
    """In TLS 1.3 it says so when the handshake is over for us, and closes the connection with it."""
    stranger = Authority(tmp_path).issue(tmp_path, "stranger")
    zone.daemon.arguments = [*zone.daemon.arguments, *replace(stranger, authority=authority.certificate).options]
    zone.daemon.start()
    refused(zone, "no TLS connection: .* alert ", ("connected", "not connected"))
    assert "Operation not permitted" not in zone.daemon.log.read_text()


@pytest.mark.parametrize("zone", [()], indirect=True)
@pytest.mark.parametrize("options, name", [(["--ssl-server-name=ic.example.org"], "ic.example.org"), ([], None)])
def test_the_server_name_is_told(zone: AvailabilityZone, identity: Identity, options: list[str], name: str | None) -> None:
    """A server of our own, because ovsdb-server does not look at the name."""
    asked: list[str | None] = []
    read, write = os.pipe()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)

    def take_name(_connection: ssl.SSLObject, told: str | None, _context: ssl.SSLContext) -> None:
        asked.append(told)
        os.write(write, b"!")

    def serve(listening: socket.socket) -> None:
        plain, _address = listening.accept()
        with plain, context.wrap_socket(plain, server_side=True):
            pass

    context.sni_callback = take_name
    with socket.create_server((own_address(), 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        remote = f"--ic-sb-db=ssl:{own_address()}:{listening.getsockname()[1]}"
        zone.daemon.arguments = [*zone.daemon.arguments, remote, *identity.options, *options]
        zone.daemon.start()
        ready = select.select([read], [], [], PATIENCE)[0]
        zone.daemon.stop()
        thread.join()
    os.close(read)
    os.close(write)
    assert ready
    assert asked == [name]
