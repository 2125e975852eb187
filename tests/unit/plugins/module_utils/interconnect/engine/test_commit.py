# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From groups to transactions, and who caused a rejection."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Group, add, insert, replace, update
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.commit import Committer
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import DATABASES, IC_NB, IC_SB, NB

from ..one_switch import changed, northbound


class FakeReplica:
    """A server whose answers the test gives."""

    def __init__(self, name: str) -> None:
        self.store = Store(DATABASES[name])
        self.synced = True
        self.sent: list[tuple[list[Any], Any]] = []

    def transact(self, operations: list[Any], done: Any) -> None:
        self.sent.append((operations, done))

    def answer(self, result: list[Any] | None = None) -> None:
        operations, done = self.sent.pop(0)
        done([{} for _ in operations] if result is None else result, None)

    def lose(self) -> None:
        self.sent.pop(0)[1](None, None)


class Ledger:
    """The replies of a committer, as pairs of the outcome and the key."""

    def __init__(self, commits: Committer) -> None:
        self._commits = commits
        self._events: list[tuple[str, Hashable]] = []

    @property
    def events(self) -> list[tuple[str, Hashable]]:
        self._events += [(reply.outcome.value, reply.group.key) for reply in self._commits.replies()]
        return self._events


def committer() -> tuple[Committer, dict[str, FakeReplica], Ledger]:
    replicas = {name: FakeReplica(name) for name in DATABASES}
    made = Committer(replicas)  # type: ignore[arg-type]
    return made, replicas, Ledger(made)


def gateway(name: str, ip: str = "") -> Group:
    store = Store(DATABASES[IC_SB])
    encap = insert(store, "Encap", {"type": "geneve", "ip": ip or name, "gateway_name": name}, record=name, reason="r", name="@encap")
    row = insert(store, "Gateway", {"name": name, "encaps": frozenset(["@encap"])}, record=name, reason="r", name="@gateway")
    return Group("gateways", name, (encap, row))


DUPLICATE = (
    'Transaction causes multiple rows in "Gateway" table to have identical values (gw2) for index on column "name".  First row, with UUID'
    " a, existed in the database before this transaction and was not modified by the transaction.  Second row, with UUID b, was inserted"
    " by this transaction."
)


class TestCommitter:
    def test_names_of_different_groups_do_not_collide(self) -> None:
        commits, replicas, _ledger = committer()
        commits.submit([gateway("gw1"), gateway("gw2")])
        operations, _done = replicas[IC_SB].sent[0]
        names = [operation["uuid-name"] for operation in operations]
        assert len(names) == len(set(names)) == 4
        assert operations[1]["row"]["encaps"] == ["set", [["named-uuid", names[0]]]]
        assert operations[3]["row"]["encaps"] == ["set", [["named-uuid", names[2]]]]

    def test_all_groups_of_a_transaction_are_committed_together(self) -> None:
        commits, replicas, ledger = committer()
        commits.submit([gateway("gw1"), gateway("gw2")])
        assert not commits.idle
        replicas[IC_SB].answer()
        assert ledger.events == [("committed", "gw1"), ("committed", "gw2")]
        assert commits.idle

    def test_the_servers_words_name_the_group_and_the_others_go_again_at_once(self) -> None:
        commits, replicas, ledger = committer()
        commits.submit([gateway("gw1"), gateway("gw2"), gateway("gw3")])
        replicas[IC_SB].answer([{}] * 6 + [{"error": "constraint violation", "details": DUPLICATE}])
        assert ("rejected", "gw2") in ledger.events
        assert commits.rejections == 1
        assert ledger.events[-2:] == [("lost", "gw1"), ("lost", "gw3")]

    @pytest.mark.parametrize(
        "values, blamed",
        [("ts1 and 23", "ts1 23"), ("ts1 and 2", "ts1 2"), ('"ts 1" and 23', "ts 1 23"), (r'"ts\"1, 2" and 23', 'ts"1, 2 23')],
    )
    def test_the_servers_words_name_whole_values(self, values: str, blamed: str) -> None:
        commits, replicas, ledger = committer()
        store = replicas[IC_SB].store
        groups = []
        for switch, key in (("ts1", 2), ("ts1", 23), ("ts 1", 23), ('ts"1, 2', 23), ("ts", 3)):
            columns = {"transit_switch": switch, "tunnel_key": key, "logical_port": f"{switch} {key}"}
            groups.append(Group("ports", f"{switch} {key}", (insert(store, "Port_Binding", columns, record="p", reason="r"),)))
        commits.submit(groups)
        words = (
            f'Transaction causes multiple rows in "Port_Binding" table to have identical values ({values}) for index on columns'
            ' "transit_switch" and "tunnel_key".  First row, with UUID'
        )
        replicas[IC_SB].answer([{}] * 6 + [{"error": "constraint violation", "details": words}])
        assert [key for event, key in ledger.events if event == "rejected"] == [blamed]

    def test_a_read_only_server_refuses_all_groups_at_once(self) -> None:
        commits, replicas, ledger = committer()
        commits.submit([gateway("gw1"), gateway("gw2")])
        words = "insert operation not allowed when database server is in read only mode"
        replicas[IC_SB].answer([{"error": "not allowed", "details": words}])
        assert ledger.events[-2:] == [("rejected", "gw1"), ("rejected", "gw2")]
        assert (commits.rejections, commits.idle) == (1, True)

    def test_the_operation_that_failed_names_the_group(self) -> None:
        commits, replicas, ledger = committer()
        commits.submit([gateway("gw1"), gateway("gw2")])
        replicas[IC_SB].answer([{}, {}, {"error": "constraint violation", "details": "stt is not one of the allowed values"}, None])
        assert ledger.events[-1] == ("rejected", "gw2")
        replicas[IC_SB].answer()
        assert ledger.events[-1] == ("committed", "gw1")

    def test_words_that_name_nobody_are_answered_by_halving(self) -> None:
        commits, replicas, ledger = committer()
        commits.submit([gateway(f"gw{number}") for number in range(4)])
        while replicas[IC_SB].sent:
            bad = any(operation["row"].get("name") == "gw2" for operation in replicas[IC_SB].sent[0][0])
            replicas[IC_SB].answer([None] * 99 + [{"error": "odd"}] if bad else None)
        outcomes = {key: event for event, key in ledger.events}
        assert outcomes == {"gw0": "committed", "gw1": "committed", "gw2": "rejected", "gw3": "committed"}
        assert commits.rejections == 3

    def test_a_lost_connection_leaves_the_fate_unknown(self) -> None:
        commits, replicas, ledger = committer()
        commits.submit([gateway("gw1")])
        replicas[IC_SB].lose()
        assert ledger.events[-1] == ("lost", "gw1")

    def test_a_lost_lock_is_nobodys_fault(self) -> None:
        commits, replicas, ledger = committer()
        store = replicas[IC_SB].store
        change = insert(store, "Datapath_Binding", {"transit_switch": "ts1", "tunnel_key": 5}, record="ts1", reason="r", shared=True)
        commits.submit([Group("transit_switches", "ts1", (change,))])
        operations, _done = replicas[IC_SB].sent[0]
        assert operations[0] == {"op": "assert", "lock": "ovn_ic_sb"}
        replicas[IC_SB].answer([{"error": "not owner"}, None])
        assert ledger.events[-1] == ("lost", "ts1")
        assert commits.rejections == 0

    def test_a_refusal_that_quotes_a_name_is_no_passing_error(self) -> None:
        commits, replicas, ledger = committer()
        commits.submit([gateway("not leader")])
        replicas[IC_SB].answer([None, {"error": "constraint violation", "details": 'the gateway "not leader" of a cluster error'}])
        assert ledger.events[-1] == ("rejected", "not leader")

    def test_members_of_one_row_go_in_one_mutate(self) -> None:
        commits, replicas, _ledger = committer()
        store = northbound()
        row = store.row("Logical_Switch", "ls")
        assert row is not None
        groups = []
        for name in ("p2", "p3"):
            port = insert(store, "Logical_Switch_Port", {"name": name}, record=name, reason="r", name="@port")
            join = update(store, "Logical_Switch", row, record="ts1", reason="r", members={"ports": add("@port")})
            groups.append(Group("ports", name, (port, *join)))
        commits.submit(groups)
        operations, _done = replicas[NB].sent[0]
        mutates = [operation for operation in operations if operation["op"] == "mutate"]
        assert mutates == [
            {
                "op": "mutate",
                "table": "Logical_Switch",
                "where": [["_uuid", "==", ["uuid", "ls"]]],
                "mutations": [["ports", "insert", ["set", [["named-uuid", "g0_port"], ["named-uuid", "g1_port"]]]]],
            }
        ]

    def test_a_key_that_is_there_is_replaced_and_one_that_is_not_is_added(self) -> None:
        commits, replicas, _ledger = committer()
        commits.submit([Group("x", "x", tuple(changed(northbound(), keys={"other_config": {"a": "2", "b": "3"}})))])
        ((operation,), _done) = replicas[NB].sent[0]
        assert operation["mutations"] == [
            ["other_config", "delete", ["set", ["a"]]],
            ["other_config", "insert", ["map", [["a", "2"], ["b", "3"]]]],
        ]

    def test_members_come_before_others_go(self) -> None:
        """A set that must not be empty (the encaps of a gateway) is checked after each mutation."""
        commits, replicas, _ledger = committer()
        commits.submit([Group("x", "x", tuple(changed(northbound(), members={"ports": replace(["p1"], ["p2"])})))])
        ((operation,), _done) = replicas[NB].sent[0]
        assert [mutation[1] for mutation in operation["mutations"]] == ["insert", "delete"]

    def test_a_group_over_two_databases_is_sent_to_both(self) -> None:
        commits, replicas, _ledger = committer()
        ic_nb = insert(Store(DATABASES[IC_NB]), "IC_NB_Global", {}, record=".", reason="r")
        ic_sb = insert(Store(DATABASES[IC_SB]), "IC_SB_Global", {}, record=".", reason="r")
        group = Group("progress", (), (ic_nb, ic_sb))
        assert commits.submit([group]) == [(group, 2)]
        assert len(replicas[IC_NB].sent) == len(replicas[IC_SB].sent) == 1

    def test_a_large_plan_goes_in_several_transactions_and_no_group_is_split(self) -> None:
        commits, replicas, _ledger = committer()
        commits.submit([gateway(f"gw{number}") for number in range(600)])
        sizes = [len(operations) for operations, _done in replicas[IC_SB].sent]
        assert sizes == [500, 500, 200]
