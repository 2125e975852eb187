# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module and a daemon, or two modules, that come upon the same thing at the same moment."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible import attachment
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.session import Session
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.replica import Tls
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.schema import IC_NB, NB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_attachment as module
from ansible_collections.ovn.interconnect.tests.support import topology

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
