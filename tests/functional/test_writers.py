# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module and a daemon, or two modules, that come upon the same thing at the same moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible import synchronization
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.session import Session
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import attachment
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.replica import Tls
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, NB, SB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_attachment as module
from ansible_collections.ovn.interconnect.tests.support import ovsdb, scenes, topology

from .conftest import Make

WANTED: dict[str, Any] = {
    "router": "lr1",
    "transit_switch": "ts1",
    "state": "present",
    "port": None,
    "switch_port": None,
    "mac": "aa:aa:aa:aa:aa:01",
    "networks": ["169.254.100.1/24"],
    "gateways": None,
    "ha_chassis_group": None,
}


@pytest.mark.ours("needs no daemon")
def test_a_switch_that_another_writer_has_made_meanwhile_is_not_made_again(make: Make) -> None:
    ic = make("az1", daemons=False)
    zone = ic.zones[0]
    ic.nb.transact(*topology.transit_switch("ts1"))
    zone.nb.transact(*topology.router("lr1"))
    session = Session({NB: (attachment.NORTH, zone.nb_server.remote), IC_NB: (attachment.GLOBAL, ic.nb_server.remote)}, Tls(), 10)
    try:
        session.load()
        planned = module.desired(WANTED, session.stores)
        first, second = session.commit(planned), session.commit(planned)
        rest = module.desired(WANTED, session.stores)
        switches = [row["name"] for row in session.stores[NB].rows("Logical_Switch")]
    finally:
        session.close()
    assert (first.refusal, first.unknown) == (None, False)
    assert (second.refusal, second.unknown) == (None, True)
    assert switches == ["ts1"]
    assert rest == []


@pytest.mark.ours("needs no daemon")
def test_a_zone_with_an_object_that_a_server_rejects_is_not_settled(make: Make, tmp_path: Path) -> None:
    ic = make("az1", daemons=False)
    zone = ic.zones[0]
    scenes.reject_long_host_names(ic, tmp_path)
    ic.nb.transact(*topology.transit_switch("ts1"))
    zone.sb.transact(*topology.chassis("gw1", [("geneve", "10.0.0.1")]), ovsdb.update("Chassis", {"hostname": "gateway1"}))
    remotes = {NB: zone.nb_server.remote, SB: zone.sb_server.remote, IC_NB: ic.nb_server.remote, IC_SB: ic.sb_server.remote}
    report = synchronization.apply(remotes, 10, True, 60, [])
    assert not report.settled
    (sentence,) = report.unwritten
    assert "gateways" in sentence
    assert "constraint violation" in sentence
    assert sentence.partition(": ")[2] in [one["reason"] for one in report.skipped_objects]
    zone.sb.transact(ovsdb.update("Chassis", {"hostname": "gw1"}))
    report = synchronization.apply(remotes, 10, True, 60, [])
    assert (report.settled, report.unwritten) == (True, [])


@pytest.mark.counters
@pytest.mark.ours("never confirms")
def test_a_confirmation_names_the_object_that_a_server_rejects(make: Make, tmp_path: Path) -> None:
    ic = make("az1", daemons=False)
    zone = ic.zones[0]
    scenes.reject_long_host_names(ic, tmp_path)
    zone.sb.transact(*topology.chassis("gw1", [("geneve", "10.0.0.1")]), ovsdb.update("Chassis", {"hostname": "gateway1"}))
    zone.daemon.start()
    ic.wait(lambda: "constraint violation" in zone.daemon.appctl("skipped/show") or None, "the rejection")
    ic.sync(1)
    assert "request 1 is confirmed without these objects: gateways" in zone.daemon.log.read_text()
    assert "not written by this zone: gateways" in zone.daemon.appctl("progress")
