# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for zones, as far as it is decided without a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible import waiting
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_wait as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import params, put, stores


class Interconnect:
    """Stands in for the session and both servers: the zones in ``confirming`` confirm each request at once."""

    def __init__(self, **zones: int) -> None:
        self.stores = stores(waiting.GLOBAL_NORTH, waiting.GLOBAL_SOUTH)
        self.seconds = 1.0
        self.number = 4
        self.confirming: set[str] = set()
        self.answer: tuple[Any, str | None] | None = None
        self.replicas = {IC_NB: self}
        self.uuids = {name: put(self.south, "Availability_Zone", name=name, nb_ic_cfg=number) for name, number in zones.items()}

    @property
    def south(self) -> Store:
        return self.stores[IC_SB]

    def transact(self, operations: list[Any], done: Callable[[Any, str | None], None]) -> None:
        self.number += 1
        for name in self.confirming:
            self.south.put("Availability_Zone", self.uuids[name], {"nb_ic_cfg": self.number})
        done(*(self.answer or ([{"count": 1}, {"rows": [{"nb_ic_cfg": self.number}]}], None)))

    def wait(self, done: Callable[[], bool], _seconds: float) -> bool:
        return done()

    def load(self) -> None:
        """There is a leader again."""
        self.answer = None


def test_each_round_is_a_request() -> None:
    interconnect = Interconnect(az1=4, az2=0)
    interconnect.confirming = {"az1", "az2"}
    module.act(params(module, rounds=3), interconnect)
    assert (interconnect.number, waiting.confirmed(interconnect.south, None)) == (7, {"az1": 7, "az2": 7})


def test_those_that_have_not_confirmed_are_named() -> None:
    interconnect = Interconnect(az1=4, az2=0, az3=9)
    interconnect.confirming = {"az1"}
    with pytest.raises(ModuleError, match=r"after 60 s request 5 is not confirmed by az2 \(at 0\), az3 \(at 9\); check"):
        module.act(params(module), interconnect)
    module.act(params(module, zones=["az1"]), interconnect)


def test_a_zone_that_counts_on_from_a_higher_number_is_waited_for() -> None:
    interconnect = Interconnect(az1=9)
    interconnect.confirming = {"az1"}
    module.act(params(module, rounds=1), interconnect)


@pytest.mark.parametrize(
    "answer, words",
    [
        (([{"error": "not allowed", "details": "read only"}, None], None), "read only"),
        ((None, "unknown database"), "unknown database"),
        (([{"count": 0}, {"rows": []}], None), "no global row yet"),
    ],
)
def test_a_request_that_fails_is_told(answer: tuple[Any, str | None], words: str) -> None:
    interconnect = Interconnect(az1=4)
    interconnect.answer = answer
    with pytest.raises(ModuleError, match=words):
        module.act(params(module), interconnect)


@pytest.mark.parametrize("answer", [(None, None), ([{"error": "not leader"}, None], None)])
def test_a_cluster_that_lost_its_leader_is_asked_again(answer: tuple[Any, str | None]) -> None:
    interconnect = Interconnect(az1=4)
    interconnect.confirming = {"az1"}
    interconnect.answer = answer
    module.act(params(module, rounds=1), interconnect)
    assert interconnect.number == 6


def test_what_cannot_be_is_refused() -> None:
    interconnect = Interconnect(az1=4)
    with pytest.raises(ModuleError, match=r"no zone is named 'az9' \(registered: az1\)"):
        module.act(params(module, zones=["az9", "az1"]), interconnect)
    with pytest.raises(ModuleError, match="rounds is 0"):
        module.check(params(module, rounds=0))
    with pytest.raises(ModuleError, match="zones is an empty list, so no zone would be waited for"):
        module.check(params(module, zones=[]))
    module.check(params(module))
    interconnect = Interconnect(az1=4)
    del interconnect.south.schema.json["tables"]["Availability_Zone"]["columns"]["nb_ic_cfg"]
    with pytest.raises(ModuleError, match=r"version 1\.2\.0 .* \(OVN 24\.03\)"):
        module.describe(params(module), interconnect.stores)


def test_check_mode_tells_who_is_behind() -> None:
    interconnect = Interconnect(az1=4, az2=3)
    put(interconnect.stores[IC_NB], "IC_NB_Global", nb_ic_cfg=4)
    shown = module.describe(params(module), interconnect.stores)
    assert shown == {"request": 4, "confirmed": {"az1": 4, "az2": 3}, "laggards": ["az2"]}
