# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ovn_ic_route_info answers about real databases, filled by ovn-northd and the daemons of both zones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.session import Session
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import explain
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.replica import Tls
from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.scenes import attach, healthy_interconnect, lan, options, route
from ansible_collections.ovn.interconnect.tests.support.servers import Interconnect

from .conftest import Make

pytestmark = pytest.mark.ours("ovn_ic_route_info is a module of this project")


def ask(ic: Interconnect, zone: int, prefix: str, router: str | None = None) -> dict[str, Any]:
    """The result of the module for one zone."""
    site = ic.zones[zone]
    remotes = [site.nb_server.remote, site.sb_server.remote, ic.nb_server.remote, ic.sb_server.remote]
    session = Session({part.name: (part, remote) for part, remote in zip(explain.READ, remotes)}, Tls(None, None, None), 10)
    try:
        explain.narrow({}, session.replicas)
        session.load()
        return explain.describe({"prefix": prefix, "router": router, "transit_switch": None}, session.stores)
    finally:
        session.close()


@pytest.fixture
def sound(make: Make) -> Interconnect:
    ic = make("az1", "az2")
    healthy_interconnect(ic)
    return ic


def said(shown: dict[str, Any]) -> str:
    return "\n".join(shown["answer"])


def test_a_route_that_is_used_is_told_without_caveats(sound: Interconnect) -> None:
    shown = ask(sound, 1, "10.1.0.77", "lr2")
    networks = [view for view in shown["learned"] if view["prefix"] == "10.1.0.1/24"]
    assert [(view["accepted"], view["caveats"]) for view in networks] == [(True, []), (True, [])]
    assert "lr2 learns 10.1.0.1/24 from zone az1 on ts1" in shown["answer"]
    assert all(peer["reason"] == "" for peer in shown["peers"])


def update(zone: int, table: str, name: str, **columns: object) -> Callable[[Interconnect], None]:
    def written(ic: Interconnect) -> None:
        ic.zones[zone].nb.transact(ovsdb.update(table, columns, name=name))

    return written


def unheld(ic: Interconnect) -> None:
    ic.zones[0].sb.transact(*topology.claim("cr-lr1-ts1", None))


def renamed(ic: Interconnect) -> None:
    for switch in ("ts1", "ts2"):
        ic.zones[1].nb.transact(ovsdb.update("Logical_Router_Port", {"name": f"uplink-{switch}"}, name=f"lr2-{switch}"))


FAULTS = [
    pytest.param(renamed, "options:router-port is lr2-ts1, but no logical router port has that name", id="own-port-renamed"),
    pytest.param(
        update(0, "Logical_Router", "lr1", enabled=False), "no router is behind the port: its router in zone az1", id="peers-router"
    ),
    pytest.param(update(1, "Logical_Router_Port", "lr2-ts1", enabled=False), "router port lr2-ts1 is disabled", id="own-port"),
    pytest.param(update(1, "Logical_Switch_Port", "ts1-lr2", enabled=False), "switch port ts1-lr2 is disabled", id="own-switch-port"),
    pytest.param(update(1, "Logical_Router", "lr2", enabled=False), "the logical router lr2 is disabled", id="own-router"),
    pytest.param(lambda ic: lan(ic.zones[1], "lr2", "same", "10.1.0.9/24"), "own connected network 10.1.0.9/24", id="own-network"),
    pytest.param(lambda ic: route(ic.zones[1], "lr2", "10.1.0.0/24", "10.2.0.5"), "own static route 10.1.0.0/24", id="own-static-route"),
    pytest.param(unheld, "no gateway holds port ts1-lr1", id="peer-unheld"),
    pytest.param(lambda ic: options(ic.zones[0], ic_route_adv="false"), "its router advertises nothing on this switch", id="peer-silent"),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS)
def test_a_cause_is_told_at_the_learner(sound: Interconnect, fault: Callable[[Interconnect], object], words: str) -> None:
    fault(sound)
    sound.settle()
    shown = ask(sound, 1, "10.1.0.77", "lr2")
    assert words in said(shown)
    named = [view for view in shown["learned"] if view["prefix"] == "10.1.0.1/24" and view["transit_switch"] == "ts1"]
    assert all(not view["accepted"] or view["caveats"] for view in named)


def test_a_prefix_that_no_zone_has_is_answered_with_the_nearest_ones(sound: Interconnect) -> None:
    shown = ask(sound, 1, "10.77.0.0/24", "lr2")
    assert not [view for view in shown["learned"] if view["prefix"] != "0.0.0.0/0"]
    options(sound.zones[0], ic_route_adv_default="false")
    sound.settle()
    shown = ask(sound, 1, "10.77.0.0/24", "lr2")
    assert shown["answer"][0] == "no zone advertises a route to 10.77.0.0/24 on ts1 and ts2"
    assert "10.101.0.0/16 of zone az1 on ts1" in shown["answer"][1]


@pytest.mark.counters
def test_a_zone_whose_daemon_does_not_confirm_is_told(sound: Interconnect) -> None:
    sound.zones[0].daemon.stop()
    sound.nb.transact(ovsdb.mutate("IC_NB_Global", "nb_ic_cfg", "+=", 1))
    sound.wait(lambda: sound.sb.get("Availability_Zone", name="az2").number("nb_ic_cfg") > 0, "az2 to confirm")
    assert "zone az1 has confirmed request" in said(ask(sound, 1, "10.77.0.0/24", "lr2")) or any(
        "zone az1 has confirmed request" in peer["reason"] for peer in ask(sound, 1, "10.77.0.0/24", "lr2")["peers"]
    )


def test_hub_and_spoke(make: Make) -> None:
    ic = make("az1", "az2", "az3")
    healthy_interconnect(ic)
    attach(ic.zones[0], "spoke1", "ts1", ["169.254.1.11/24"], gateways=[("gw1", 1)], number=11)
    attach(ic.zones[2], "spoke2", "ts2", ["169.254.2.13/24"], gateways=[("gw3", 1)], number=13)
    lan(ic.zones[0], "spoke1", "lan-spoke1", "10.55.0.1/24")
    for zone in ic.zones:
        options(zone, ic_route_adv_default="false")
    ic.settle()
    hub = [view for view in ask(ic, 1, "10.55.0.0/24", "lr2")["advertised"] if view["transit_switch"] == "ts2"]
    assert [(view["accepted"], "not advertised again" in view["reason"]) for view in hub] == [(False, True)]
    assert "zone az1 advertises 10.55.0.1/24 on ts1, where the router is not attached" in said(ask(ic, 2, "10.55.0.0/24", "spoke2"))
