# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rows are monitored, whatever the order in which the databases arrive."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.replica import Replica
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.sync.monitor_conditions import Interest
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import DATABASES, IC_NB, IC_SB, NB, SB
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import ZONE_KEY, Zone

AZ, ROW = (f"00000000-0000-0000-0000-{number:012}" for number in (1, 2))
MONITOR = {"logical_port": "backend", "target_availability_zone": "az1", "source_availability_zone": "az2"}
CONTENTS: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    NB: [("NB_Global", ROW, {"name": "az1", "external_ids": {ZONE_KEY: AZ}})],
    IC_NB: [("Transit_Switch_Port", ROW, {"name": "managed"})],
    IC_SB: [("Availability_Zone", AZ, {"name": "az1"}), ("Service_Monitor", ROW, MONITOR)],
}


class Wishes(Replica):
    """A replica without a connection, and what it was asked for."""

    def names(self, table: str) -> set[str]:
        """The ports that were asked for by name."""
        return {value for column, _function, value in self._conditions[table] if column in ("name", "logical_port")}


@pytest.fixture
def replicas() -> dict[str, Wishes]:
    """Those of the four databases."""
    made = {name: Wishes(database, "unix:/nowhere.sock") for name, database in DATABASES.items()}
    for replica in made.values():
        replica.close()
    return made


def interest(replicas: dict[str, Wishes], order: Iterable[str]) -> Interest:
    """What a zone takes interest in when its databases arrive in this order."""
    zone = Zone(*(replicas[name].store for name in (NB, SB, IC_NB, IC_SB)))
    made = Interest(zone, replicas)
    for database in order:
        changes = [replicas[database].store.put(*row) for row in CONTENTS[database]]
        made.observe(change for change in changes if change is not None)
    return made


@pytest.fixture
def interested(replicas: dict[str, Wishes]) -> Interest:
    """The same, all databases being there."""
    return interest(replicas, CONTENTS)


@pytest.mark.parametrize("order", list(permutations((NB, IC_NB, IC_SB))), ids=" ".join)
def test_the_ports_that_others_speak_of_are_asked_for(replicas: dict[str, Wishes], order: tuple[str, ...]) -> None:
    """Of the ports, only those are monitored that something of the interconnect names; upstream monitors all (spec status-F.6)."""
    interest(replicas, order)
    assert replicas[NB].names("Logical_Switch_Port") == {"managed"}
    assert replicas[SB].names("Port_Binding") == {"managed", "backend"}


def test_a_zone_with_another_name_serves_others(interested: Interest, replicas: dict[str, Wishes]) -> None:
    renamed = replicas[IC_SB].store.put("Availability_Zone", AZ, {"name": "az9"})
    assert renamed is not None
    interested.observe([renamed])
    assert replicas[SB].names("Port_Binding") == {"managed"}


def test_only_names_that_come_or_go_have_the_conditions_made_anew(
    interested: Interest, replicas: dict[str, Wishes], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(Wishes, "want", lambda replica, table, _condition: told.append(f"{replica.name} {table}"))

    def tells(database: str, table: str, number: int, **columns: Any) -> bool:
        """Whether a row's difference causes new conditions; a row without columns is deleted."""
        told.clear()
        store, uuid = replicas[database].store, f"00000000-0000-0000-0000-{number:012}"
        change = store.put(table, uuid, columns) if columns else store.delete(table, uuid)
        assert change is not None
        interested.observe([change])
        return bool(told)

    assert not tells(IC_NB, "Transit_Switch_Port", 2, addresses=frozenset(["02:00:00:00:00:01"]))
    assert tells(IC_NB, "Transit_Switch_Port", 2, name="other")
    assert tells(IC_NB, "Transit_Switch_Port", 2)
    assert not tells(IC_SB, "Service_Monitor", 2, status="online")
    assert not tells(IC_SB, "Service_Monitor", 3, logical_port="theirs", target_availability_zone="az2")
    assert not tells(IC_SB, "Service_Monitor", 4, logical_port="backend", target_availability_zone="az1")
    assert not tells(IC_SB, "Service_Monitor", 2)
    assert tells(IC_SB, "Service_Monitor", 4, logical_port="elsewhere")
    assert tells(IC_SB, "Service_Monitor", 4)
