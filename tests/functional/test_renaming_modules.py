# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transit switches and routers that a module renames, with real databases and daemons: all that zones have on them stays."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.tests.support.modules import run_module
from ansible_collections.ovn.interconnect.tests.support.servers import Interconnect

from .conftest import Make
from .test_renaming import at_rest, furnish, switch_names

pytestmark = pytest.mark.ours("it replaces a renamed transit switch by a new one, without the ports of operators")


def call(ic: Interconnect, module: str, check: bool = False, **given: Any) -> dict[str, Any]:
    return run_module(module, check, ic_nb_db=ic.nb_server.remote, ic_sb_db=ic.sb_server.remote, **given)


def attach(ic: Interconnect, **given: Any) -> dict[str, Any]:
    zone = ic.zones[0]
    remotes = {"nb_db": zone.nb_server.remote, "sb_db": zone.sb_server.remote}
    return call(ic, "ovn_ic_attachment", router="lr1-1", transit_switch="backbone", **remotes, **given)


def test_a_transit_switch_is_renamed_with_all_that_zones_have_on_it(make: Make) -> None:
    ic = make("az1", "az2")
    furnish(ic, "ts1")
    before, uuid = at_rest(ic), ic.nb.get("Transit_Switch", name="ts1").uuid
    for zone in ic.zones:
        zone.daemon.stop()
    given = {"name": "backbone", "rename_from": "ts1", "subnets": ["169.254.1.0/24"]}
    outside = call(ic, "ovn_ic_transit_switch", **{**given, "subnets": ["10.99.0.0/24"]})
    assert "which is outside 10.99.0.0/24" in outside["msg"]
    check, run, again = (call(ic, "ovn_ic_transit_switch", mode, **given) for mode in (True, False, False))
    assert check == run
    assert run["diff"]["before"]["Transit_Switch/backbone"]["name"] == "ts1"
    assert run["diff"]["after"]["Transit_Switch/backbone"]["name"] == "backbone"
    assert run["transit_switches"][0]["uuid"] == str(uuid)
    assert not again["changed"], again
    # IC_SB has the former name until a daemon runs: the switch is in use nevertheless, and so are its addresses.
    assert "is in use" in call(ic, "ovn_ic_transit_switch", name="backbone", state="absent")["msg"]
    assert "10.99.0.0/24" in call(ic, "ovn_ic_transit_switch", name="backbone", subnets=["10.99.0.0/24"])["msg"]
    assert "is used by port 'ts1-lr2-1' of zone 'az2'" in attach(ic, networks=["169.254.1.2/24"])["msg"]
    kept = attach(ic)
    assert not kept["changed"], kept
    assert kept["attachment"]["switch_port"] == "ts1-lr1-1"
    for zone in ic.zones:
        zone.daemon.start()
    ic.settle()
    assert at_rest(ic) == before
    assert all(switch_names(zone) == [("backbone", "backbone")] for zone in ic.zones)
    assert not call(ic, "ovn_ic_transit_switch", **given)["changed"]


def test_a_transit_router_is_renamed_with_its_ports(make_newest: Make) -> None:
    ic = make_newest("az1", "az2")
    columns = {"transit_router": "tr1", "mac": "02:00:00:00:00:01", "networks": ["10.9.0.1/24"]}
    assert not call(ic, "ovn_ic_transit_router", name="tr1").get("failed")
    assert not call(ic, "ovn_ic_transit_router_port", name="trp", **columns).get("failed")
    ic.settle()
    routers = {zone.name: [row.uuid for row in zone.nb.rows("Logical_Router")] for zone in ic.zones}
    keys = [row.number("tunnel_key") for row in ic.sb.rows("Datapath_Binding")]
    given = {"name": "core", "rename_from": "tr1"}
    check, run, again = (call(ic, "ovn_ic_transit_router", mode, **given) for mode in (True, False, False))
    assert check == run
    assert run["changed"], run
    assert run["transit_routers"][0]["ports"] == ["trp"]
    assert not again["changed"]
    ic.settle()
    for zone in ic.zones:
        assert [row.text("name") for row in zone.nb.rows("Logical_Router")] == ["core"]
        assert [row.text("name") for row in zone.nb.rows("Logical_Router_Port")] == ["trp"]
    assert {zone.name: [row.uuid for row in zone.nb.rows("Logical_Router")] for zone in ic.zones} == routers
    assert [row.number("tunnel_key") for row in ic.sb.rows("Datapath_Binding")] == keys
