# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``inc-engine/*`` and ``stopwatch/*``: upstream's names and output over the runs of our subjects."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.daemon.inc_engine import NODES, PARTS, IncEngine, InputError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects import all_subjects
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.sync.zone_sync import ZoneSync
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import DATABASES

#: The nodes that OVN 26.09.0 lists.
UPSTREAM = """
NB_nb_global NB_logical_router_static_route NB_logical_router NB_logical_router_port NB_logical_switch NB_logical_switch_port
NB_load_balancer NB_load_balancer_group NB_address_set SB_sb_global SB_chassis SB_encap SB_datapath_binding SB_port_binding
SB_service_monitor SB_learned_route SB_address_set ICNB_ic_nb_global ICNB_transit_switch ICNB_transit_router ICNB_transit_router_port
ICSB_encap ICSB_service_monitor ICSB_ic_sb_global ICSB_port_binding ICSB_availability_zone ICSB_gateway ICSB_route
ICSB_datapath_binding ICSB_address_set ic
"""


@pytest.fixture
def sync() -> ZoneSync:
    return ZoneSync(dict.fromkeys(DATABASES, "unix:/nowhere"))


@pytest.fixture
def inc_engine(sync: ZoneSync) -> IncEngine:
    return IncEngine(sync.engine)


def test_every_node_of_upstream_is_known() -> None:
    assert set(UPSTREAM.split()) <= set(NODES)


def test_every_subject_but_the_confirmation_is_in_a_node() -> None:
    assert {name for names in PARTS.values() for name in names} == {subject.name for subject in all_subjects()} - {"progress"}


def test_the_statistics_of_a_node(inc_engine: IncEngine, sync: ZoneSync) -> None:
    sync.engine.runs.changed(["learned_routes", "transit_routers"])
    sync.engine.runs.forced("transit_switches")
    sync.engine.runs.begin()
    assert inc_engine.show(["route"]) == "Node: route\n- recompute:            0\n- compute:              1\n- cancel:               0\n"
    assert [inc_engine.show(["ts", one]) for one in ("recompute", "compute", "cancel")] == ["1", "0", "0"]
    assert [inc_engine.show(["tunnel_key", one]) for one in ("recompute", "compute")] == ["1", "1"]
    assert [inc_engine.show(["NB_logical_switch", one]) for one in ("recompute", "compute")] == ["1", "0"]
    assert [inc_engine.show(["ic", one]) for one in ("recompute", "compute")] == ["0", "1"]
    assert inc_engine.show([]).count("Node: ") == len(NODES)


def test_what_is_not_known_is_answered_as_upstream_does(inc_engine: IncEngine) -> None:
    assert inc_engine.show(["unicorns"]) == ""
    assert inc_engine.show(["ic", "unicorns"]) == "Invalid stat type : unicorns"


def test_cleared_statistics_are_zero(inc_engine: IncEngine, sync: ZoneSync) -> None:
    sync.engine.add_all()
    sync.engine.plan()
    assert inc_engine.show(["gateway", "recompute"]) == "1"
    inc_engine.clear()
    assert inc_engine.show(["gateway", "recompute"]) == "0"


def test_stopwatches_show_what_was_timed(inc_engine: IncEngine, sync: ZoneSync) -> None:
    assert inc_engine.show_stopwatches([]) == f"{len(NODES)} stopwatches with no samples\n"
    inc_engine.enable(["gateway"])
    sync.engine.runs.timed["gateways"].add(2.0)
    assert inc_engine.show_stopwatches(["gateway"]).startswith("Statistics for 'gateway'\n  Total samples: 1\n  Maximum: 2 msec\n")
    assert inc_engine.show_stopwatches(["-t", "1500", "usec"]) == inc_engine.show_stopwatches(["gateway"])
    assert inc_engine.show_stopwatches(["--threshold", "3"]) == ""
    inc_engine.reset([])
    assert inc_engine.show_stopwatches(["gateway"]) == "1 stopwatches with no samples"
    inc_engine.disable([])
    assert sync.engine.runs.timed == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["unicorns"], "No such stopwatch"),
        (["-t"], "option --threshold requires an argument"),
        (["-t", "x"], "Invalid threshold: x"),
        (["-t", "1", "ms"], "Unknown units: ms"),
    ],
)
def test_stopwatches_refuse_as_upstreams_do(inc_engine: IncEngine, arguments: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        inc_engine.show_stopwatches(arguments)


def test_a_stopwatch_of_no_node_is_refused(inc_engine: IncEngine) -> None:
    with pytest.raises(InputError, match="node not found"):
        inc_engine.enable(["unicorns"])
