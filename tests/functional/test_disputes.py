# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This daemon and upstream's of 23.03, which takes no lock of IC_SB, disagree about shared rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.relay import Relay
from ansible_collections.ovn.interconnect.tests.support.servers import OURS, UPSTREAM, Interconnect

from .conftest import Make


@pytest.fixture
def mixed() -> Iterator[Interconnect]:
    """Two named zones whose daemons do not run yet: this project's in the first one, upstream's in the other."""
    with Interconnect() as interconnect:
        for name, kind in (("az1", OURS), ("az2", UPSTREAM)):
            interconnect.add_zone(name, kind=kind)
        interconnect.start(daemons=False)
        for zone in interconnect.zones:
            zone.nb.transact(*topology.zone_name(zone.name))
        yield interconnect


def test_a_daemon_that_hears_late_of_a_transit_switch_is_waited_for(mixed: Interconnect) -> None:
    """It deletes the datapath whenever it sees it, for as long as the news is on its way to it; then both zones have the switch."""
    ours, theirs = (zone.daemon for zone in mixed.zones)
    with Relay(mixed.nb_server.socket) as relay:
        theirs.arguments = [argument.replace(str(mixed.nb_server.socket), str(relay.socket)) for argument in theirs.arguments]
        mixed.start()
        mixed.settle()
        relay.hold()
        mixed.nb.transact(*topology.transit_switch("ts1"))
        rests = "another client keeps reverting this row"
        mixed.wait(lambda: rests in ours.appctl("skipped/show"), "a rest of our daemon")
        relay.release()
        mixed.settle()
        (datapath,) = mixed.sb.rows("Datapath_Binding", transit_switch="ts1")
        for zone in mixed.zones:
            (switch,) = zone.nb.rows("Logical_Switch", name="ts1")
            assert switch.map("other_config")["requested-tnl-key"] == str(datapath.number("tunnel_key"))


@pytest.mark.ours("there is no back-off")
def test_another_client_that_always_reverts_costs_few_writes(make: Make) -> None:
    """It deletes the zone's switch whenever it is there, until the daemon waits for a second and more; then the switch comes back."""
    ic = make("az1")
    (zone,) = ic.zones
    ic.nb.transact(*topology.transit_switch("ts1"))
    deletions = 0

    def backs_off() -> bool:
        """Whether the daemon waits long enough to tell of it; the switch is deleted as long as it does not."""
        nonlocal deletions
        for row in zone.nb.rows("Logical_Switch", name="ts1"):
            deletions += 1
            zone.nb.transact(ovsdb.delete("Logical_Switch", _uuid=row.uuid))
        waits = re.findall(r"keeps reverting this row; retrying ([\d.]+) s", zone.daemon.appctl("skipped/show"))
        return any(float(wait) >= 1 for wait in waits)

    ic.wait(backs_off, "the daemon to back off")
    while zone.nb.rows("Logical_Switch", name="ts1"):
        backs_off()
    ic.wait(lambda: zone.nb.find("Logical_Switch", name="ts1"), "the switch to come back")
    assert deletions < 30
