# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a host becomes a member of a cluster: every situation, and the decision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.membership import (
    CREATE,
    JOIN,
    KEEP,
    MIGRATE,
    REFUSE,
    Decision,
    Situation,
    decide,
)
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_cluster_member as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import params

HOSTS = {"192.0.2.1": "db1", "192.0.2.2": "db2", "[2001:db8::3]": "db3"}
ONE, TWO, THREE = (f"ssl:{address}:6647" for address in HOSTS)


def view(*members: str, role: str = "leader", leader: str = ONE, silent: str = "") -> dict[str, Any]:
    """What a server reports of a cluster with these members."""
    return {
        "role": role,
        "leader": leader,
        "members": [{"address": address, "answers": address != silent} for address in members],
    }


def situation(**changed: Any) -> Situation:
    """The first run on db1, the seed, with these differences."""
    first = Situation("OVN_IC_Northbound", "/var/lib/ovn/nb.db", "db1", ONE, "db1", HOSTS, [])
    return first._replace(**changed)


SECOND = {"host": "db2", "address": TWO}
DECISIONS = {
    "the first run on the seed": ({}, Decision(CREATE)),
    "the first run on another host, before the seed": (SECOND, Decision(JOIN, [])),
    "another host, before the seed converts its standalone file": (
        {**SECOND, "holders": ["db1"], "standalone": ["db1"]},
        Decision(JOIN, []),
    ),
    "a new member": ({**SECOND, "holders": ["db1"], "views": [view(ONE)]}, Decision(JOIN, [ONE])),
    "a new member of a cluster whose members know each other": (
        {"host": "db3", "address": THREE, "holders": ["db1", "db2"], "views": [view(ONE, TWO), view(ONE, TWO, role="follower")]},
        Decision(JOIN, [ONE, TWO]),
    ),
    "a new seed of a cluster that exists": ({**SECOND, "seed": "db2", "holders": ["db1"], "views": [view(ONE)]}, Decision(JOIN, [ONE])),
    "a member": ({"holders": ["db1"], "kind": "clustered", "file_address": ONE, "views": [view(ONE)]}, Decision(KEEP)),
    "a member whose server does not run": ({"holders": ["db1"], "kind": "clustered", "file_address": ONE}, Decision(KEEP)),
    "a member while another host cannot be asked": (
        {"holders": ["db1"], "kind": "clustered", "file_address": ONE, "unreachable": ["db2"]},
        Decision(KEEP),
    ),
    "the standalone file of the seed": ({"holders": ["db1"], "kind": "standalone"}, Decision(MIGRATE)),
}


@pytest.mark.parametrize(("changed", "wanted"), DECISIONS.values(), ids=DECISIONS)
def test_the_decision(changed: dict[str, Any], wanted: Decision) -> None:
    assert decide(situation(**changed)) == wanted


REFUSALS = {
    "nobody answers who could have the cluster": ({"unreachable": ["db2", "db3"]}, "it is unknown whether", "db2, db3 cannot be reached"),
    "the holders do not report": (
        {**SECOND, "holders": ["db1"], "errors": ["no socket", "no socket"]},
        "start their servers. no socket",
    ),
    "a member that has lost its data": ({**SECOND, "holders": ["db1"], "views": [view(ONE, TWO)]}, "its data are lost", "-e member=db2"),
    "the seed after it has lost its data": ({"holders": ["db2"], "views": [view(ONE, TWO, leader=TWO)]}, "its data are lost"),
    "a silent member": (
        {"host": "db3", "address": THREE, "holders": ["db1", "db2"], "views": [view(ONE, TWO, silent=TWO)]},
        f"its members {TWO} do not answer",
    ),
    "no leader": ({**SECOND, "holders": ["db1"], "views": [view(ONE, role="candidate", leader="")]}, "it has no leader"),
    "a member that the inventory does not list": (
        {"holders": ["db1"], "kind": "clustered", "file_address": ONE, "views": [view(ONE, "ssl:192.0.2.9:6647")]},
        "has the members ssl:192.0.2.9:6647, which are not among the hosts db1, db2, db3",
    ),
    "another address than that of the file": (
        {"holders": ["db1"], "kind": "clustered", "file_address": "ssl:192.0.2.7:6647"},
        "belongs to the member ssl:192.0.2.7:6647",
    ),
    "the file of a cluster whose address cannot be read": ({"holders": ["db1"], "kind": "clustered"}, "is damaged or is not a database"),
    "a file of the seed that is not a database": ({"holders": ["db1"]}, "is damaged or is not a database", "move it aside"),
    "the standalone file of a host that is not the seed": (
        {"holders": ["db1"], "kind": "standalone", "seed": "db2"},
        "is standalone, and only db2 may create the cluster",
    ),
    "the standalone file of the seed beside the file of another host": (
        {"holders": ["db1", "db2"], "kind": "standalone"},
        "is standalone, and only db1",
    ),
}


@pytest.mark.parametrize("refused", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_says_why_and_what_to_do(refused: tuple[Any, ...]) -> None:
    changed, *words = refused
    decision = decide(situation(**changed))
    assert decision.action == REFUSE
    assert [word for word in words if word not in decision.reason] == []


def test_the_module_looks_at_the_file_of_the_host(tmp_path: Path) -> None:
    path = tmp_path / "nb.db"
    path.write_bytes(b"OVSDB JSON 2 da39a3ee5e6b4b0d3255bfef95601890afd80709\n{}\n")
    given = params(
        module, database="ic_nb", file=str(path), schema="s", address=ONE, host="db1", seed="db1", hosts=dict(HOSTS), holders=["db1"]
    )
    assert module.work(given, check_mode=False) == {"changed": False, "decision": MIGRATE, "remotes": []}
    with pytest.raises(ModuleError, match="only db2 may create the cluster"):
        module.work({**given, "seed": "db2"}, check_mode=True)


def test_a_file_that_is_not_a_database_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "nb.db"
    path.touch()
    given = params(module, database="ic_nb", file=str(path), schema="s", address=ONE, host="db1", seed="db1", hosts=dict(HOSTS), holders=[])
    with pytest.raises(ModuleError, match="is not a database file"):
        module.work(given, check_mode=False)
    assert path.read_bytes() == b""
