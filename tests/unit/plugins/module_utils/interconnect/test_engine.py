# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes: nothing is written that is there already; transactions; who caused a rejection."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.change import (
    INSERT,
    Change,
    Group,
    Left,
    Step,
    add,
    delete,
    diff,
    insert,
    remove,
    replace,
    update,
)
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.commit import Committer
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine import ALL, Engine, Keys, Subject
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.schema import (
    DATABASES,
    IC_NB,
    IC_SB,
    NB,
    NORTHBOUND,
    ServerSchema,
)
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.store import RowChange, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import ZONE_KEY, Zone


def northbound() -> Store:
    store = Store(NORTHBOUND)
    store.put("Logical_Switch", "ls", {"name": "ts1", "other_config": {"a": "1"}, "ports": frozenset(["p1"])})
    return store


def changed(store: Store, **wanted: Any) -> list[Change]:
    row = store.row("Logical_Switch", "ls")
    assert row is not None
    return list(update(store, "Logical_Switch", row, record="ts1", reason="because", **wanted))


class TestChanges:
    @pytest.mark.parametrize(
        "wanted",
        [
            {"columns": {"name": "ts1"}},
            {"keys": {"other_config": {"a": "1", "b": None}}},
            {"members": {"ports": add("p1")}},
            {"members": {"ports": remove("p2")}},
            {},
        ],
    )
    def test_what_is_there_already_is_not_written(self, wanted: dict[str, Any]) -> None:
        assert changed(northbound(), **wanted) == []

    def test_only_what_differs_is_written(self) -> None:
        (change,) = changed(
            northbound(), columns={"name": "new"}, keys={"other_config": {"a": "1", "b": "2"}}, members={"ports": add("p2")}
        )
        assert change.columns == {"name": "new"}
        assert change.keys == {"other_config": {"b": "2"}}
        assert change.members == {"ports": add("p2")}
        assert change.before == {"name": "ts1", "other_config": {"a": "1"}, "ports": frozenset()}
        assert change.after() == {"name": "new", "other_config": {"a": "1", "b": "2"}, "ports": frozenset(["p2"])}

    def test_a_key_is_removed_with_none(self) -> None:
        (change,) = changed(northbound(), keys={"other_config": {"a": None}})
        assert change.after() == {"other_config": {}}

    def test_columns_that_the_server_lacks_are_not_written(self) -> None:
        complete = ServerSchema.complete(NORTHBOUND).json["tables"]
        tables = {table: {"columns": dict(found["columns"])} for table, found in complete.items()}
        del tables["Logical_Switch"]["columns"]["external_ids"]
        store = Store(NORTHBOUND, ServerSchema(NB, "", {"name": NB, "tables": tables}))
        store.put("Logical_Switch", "ls", {"name": "ts1"})
        assert changed(store, keys={"external_ids": {"a": "1"}}) == []
        change = insert(store, "Logical_Switch", {"name": "x", "external_ids": {"a": "1"}}, record="x", reason="r")
        assert change.columns == {"name": "x"}

    def test_replace_names_the_difference(self) -> None:
        assert replace(["a", "b"], ["b", "c"]) == (frozenset("c"), frozenset("a"))

    def test_results_have_json_types_only(self) -> None:
        store = northbound()
        (change,) = changed(store, members={"ports": add("p3", "p2")})
        assert change.as_result() == {
            "database": NB,
            "table": "Logical_Switch",
            "record": "ts1",
            "action": "update",
            "columns": {"ports": ["p2", "p3"]},
            "reason": "because",
        }

    def test_the_diff_has_the_written_columns_before_and_after(self) -> None:
        store = northbound()
        row = store.row("Logical_Switch", "ls")
        assert row is not None
        gone = delete(store, "Logical_Switch", row, record="ts1", reason="r")
        come = insert(store, "Logical_Switch", {"name": "ts2"}, record="ts2", reason="r")
        shown = diff([gone, come])
        assert shown["before"] == {"Logical_Switch/ts1": {"name": "ts1", "other_config": {"a": "1"}, "external_ids": {}}}
        assert shown["after"] == {"Logical_Switch/ts2": {"name": "ts2"}}


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
    """Notes what a committer tells."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Hashable]] = []

    def sent(self, group: Group, transactions: int = 1) -> None:
        self.events.append((f"sent {transactions}", group.key))

    def committed(self, group: Group) -> None:
        self.events.append(("committed", group.key))

    def rejected(self, group: Group, reason: str) -> None:
        self.events.append(("rejected", group.key))

    def lost(self, group: Group) -> None:
        self.events.append(("lost", group.key))


def committer() -> tuple[Committer, dict[str, FakeReplica], Ledger]:
    replicas, ledger = {name: FakeReplica(name) for name in DATABASES}, Ledger()
    return Committer(replicas, ledger), replicas, ledger  # type: ignore[arg-type]


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
        assert ledger.events == [("sent 1", "gw1"), ("sent 1", "gw2"), ("committed", "gw1"), ("committed", "gw2")]
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
        commits, replicas, ledger = committer()
        ic_nb = insert(Store(DATABASES[IC_NB]), "IC_NB_Global", {}, record=".", reason="r")
        ic_sb = insert(Store(DATABASES[IC_SB]), "IC_SB_Global", {}, record=".", reason="r")
        commits.submit([Group("progress", (), (ic_nb, ic_sb))])
        assert ledger.events == [("sent 2", ())]
        assert len(replicas[IC_NB].sent) == len(replicas[IC_SB].sent) == 1

    def test_a_large_plan_goes_in_several_transactions_and_no_group_is_split(self) -> None:
        commits, replicas, _ledger = committer()
        commits.submit([gateway(f"gw{number}") for number in range(600)])
        sizes = [len(operations) for operations, _done in replicas[IC_SB].sent]
        assert sizes == [500, 500, 200]


class Mirror(Subject):
    """Copies the name of each transit switch to a zone's switch: a subject as small as one can be."""

    name = "mirror"
    tables = frozenset([(IC_NB, "Transit_Switch")])

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        if any(row["name"] == "all" for row in change.rows):
            return (ALL,)
        if any(row["name"] == "unreadable" for row in change.rows):
            raise ValueError("what is this?")
        return [row["name"] for row in change.rows]

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        return [row["name"] for row in zone.ic_nb.rows("Transit_Switch")]

    def plan(self, key: Hashable, zone: Zone) -> Iterator[Step]:
        if key == "bad":
            yield Left("bad", "nobody can do this")
        elif key == "broken":
            raise TypeError("no such thing")
        elif zone.nb.first("Logical_Switch", "name", key) is None:
            yield insert(zone.nb, "Logical_Switch", {"name": key}, record=str(key), reason="r")


class SureMirror(Mirror):
    """The same, looking at the switches that it makes, and sure of what it has made."""

    additive = frozenset([(NB, "Logical_Switch")])
    tables = frozenset([(IC_NB, "Transit_Switch"), (NB, "Logical_Switch")])


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def world() -> tuple[Zone, Engine, Clock]:
    zone, clock = Zone.simulated(), Clock()
    zone.ic_sb.put("Availability_Zone", "az", {"name": "az1"})
    zone.nb.put("NB_Global", "g", {"name": "az1", "external_ids": {ZONE_KEY: "az"}})
    engine = Engine(zone, [Mirror()], clock)
    engine.restart()
    return zone, engine, clock


def add_switch(zone: Zone, engine: Engine, name: str) -> None:
    change = zone.ic_nb.put("Transit_Switch", f"uuid-{name}", {"name": name})
    assert change is not None
    engine.observe([change])


class TestEngine:
    def test_only_dirty_keys_are_looked_at(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        assert [group.key for group in engine.plan()] == ["ts1"]
        assert engine.planned == [("mirror", "ts1")]
        assert engine.plan() == []

    def test_a_key_on_its_way_waits_for_the_reply(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        (group,) = engine.plan()
        engine.sent(group)
        engine.mark_key("mirror", "ts1")
        assert not engine.has_work
        assert not engine.at_rest
        engine.committed(group)
        assert engine.has_work

    def test_a_group_in_two_databases_arrives_when_both_replies_are_there(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        (group,) = engine.plan()
        engine.sent(group, 2)
        engine.committed(group)
        assert not engine.at_rest
        engine.committed(group)
        assert engine.at_rest

    def test_a_rejected_key_is_tried_again_at_once_and_then_later_and_later(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, clock = world
        add_switch(zone, engine, "ts1")
        times = []
        while len(times) < 8:
            for group in engine.plan():
                times.append(clock.now)
                engine.sent(group)
                engine.rejected(group, "the server's words")
            if not engine.has_work:
                assert [left.reason for _subject, left in engine.left] == ["the server's words"]
                assert engine.next_due is not None
                clock.now = engine.next_due
        assert times == [0, 0, 4, 12, 28, 60, 120, 180]

    def test_after_a_success_the_back_off_begins_anew(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        for outcome in ("rejected", "committed", "rejected"):
            engine.mark_key("mirror", "ts1")
            (group,) = engine.plan()
            engine.sent(group)
            if outcome == "committed":
                engine.committed(group)
            else:
                engine.rejected(group, "no")
        assert engine.aside == {}

    def test_half_a_success_is_none(self, world: tuple[Zone, Engine, Clock]) -> None:
        """A group in two databases of which one refuses: the other's commit does not begin the back-off anew."""
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        for _turn in range(2):
            (group,) = engine.plan()
            engine.sent(group, 2)
            engine.rejected(group, "no")
            engine.committed(group)
        assert engine.aside[("mirror", "ts1")].wait == 4

    def test_a_lost_group_is_looked_at_again(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        add_switch(zone, engine, "ts1")
        (group,) = engine.plan()
        engine.sent(group)
        engine.lost(group)
        assert [again.key for again in engine.plan()] == ["ts1"]

    def dispute(self, world: tuple[Zone, Engine, Clock], lasts: float, until: float) -> list[float]:
        """When the engine writes one row while another writer changes it back at once for so long, and then no more."""
        zone, engine, clock = world
        add_switch(zone, engine, "ts1")
        times = []
        while clock.now <= until:
            for group in engine.plan():
                times.append(clock.now)
                engine.sent(group)
                engine.committed(group)
                if clock.now < lasts:
                    engine.mark_key("mirror", "ts1")
                else:
                    zone.nb.put("Logical_Switch", "u", {"name": "ts1"})
            if not engine.has_work:
                if engine.next_due is None:
                    break
                clock.now = max(clock.now + 0.001, engine.next_due)
        return times

    def test_two_writers_that_disagree_do_not_storm(self, world: tuple[Zone, Engine, Clock]) -> None:
        """Six writes at once, a few more in ever longer intervals, in the end one a minute."""
        times = self.dispute(world, lasts=3600, until=3600)
        assert times.count(0) == 7
        assert sum(time <= 60 for time in times) == 19
        assert sum(60 < time <= 3600 for time in times) == 59
        (left,) = [left for _subject, left in world[1].left if left.record == "ts1"]
        assert "somebody else keeps changing back what is written here" in left.reason

    @pytest.mark.parametrize("lasts", [0.05, 0.5, 5])
    def test_a_dispute_costs_no_more_than_as_much_time_again(self, world: tuple[Zone, Engine, Clock], lasts: float) -> None:
        """Such as the one with a daemon that has not heard yet of the transit switch whose datapath it deletes."""
        times = self.dispute(world, lasts, until=60)
        assert lasts <= times[-1] <= 2 * lasts + 0.02
        assert world[1].at_rest

    def test_a_dispute_of_a_moment_is_no_news_and_no_rest(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, clock = world
        add_switch(zone, engine, "ts1")
        for _write in range(7):
            (group,) = engine.plan()
            engine.sent(group)
            engine.committed(group)
            engine.mark_key("mirror", "ts1")
        assert engine.aside[("mirror", "ts1")].wait == 0.01
        assert (engine.has_work, engine.has_soon, engine.at_rest, engine.news) == (False, True, False, [])
        clock.now = 0.01
        assert [group.key for group in engine.plan()] == ["ts1"]

    def test_a_refusal_after_a_dispute_is_the_first_one(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, clock = world
        add_switch(zone, engine, "ts1")
        for write in range(8):
            (group,) = engine.plan()
            engine.sent(group)
            if write == 7:
                engine.rejected(group, "no")
            else:
                engine.committed(group)
                engine.mark_key("mirror", "ts1")
            clock.now = engine.next_due or 0
        assert [group.key for group in engine.plan()] == ["ts1"]

    def test_what_is_refused_during_a_dispute_waits_as_long_as_what_is_refused(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, clock = world
        add_switch(zone, engine, "ts1")
        for _write in range(7):
            (group,) = engine.plan()
            engine.sent(group)
            engine.rejected(group, "no")
            engine.mark_key("mirror", "ts1")
            clock.now = engine.next_due or 0
        aside = engine.aside[("mirror", "ts1")]
        assert (aside.reason, aside.refused) == ("no", True)

    def test_new_contents_each_time_are_no_storm(self, world: tuple[Zone, Engine, Clock]) -> None:
        """Somebody who is busy, such as an operator's script with one confirmed change after the other, does not have to wait."""
        _zone, engine, _clock = world
        for number in range(100):
            change = Change("ic_sb", "Gateway", INSERT, "@row", "ts1", "", {"hostname": str(number)})
            group = Group("mirror", "ts1", (change,))
            engine.sent(group)
            engine.committed(group)
        assert engine.aside == {}

    def test_rows_that_differ_in_their_uuid_only_are_a_storm(self, world: tuple[Zone, Engine, Clock]) -> None:
        _zone, engine, _clock = world
        for number in range(10):
            columns = {"external_ids": {"ic-learned-route": f"00000000-0000-4000-8000-{number:012}"}}
            group = Group("mirror", "ts1", (Change("ic_sb", "Route", INSERT, "@row", "ts1", "", columns),))
            engine.sent(group)
            engine.committed(group)
        assert list(engine.aside) == [("mirror", "ts1")]

    def test_what_is_left_undone_is_news_once(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        add_switch(zone, engine, "bad")
        engine.plan()
        assert engine.left == [("mirror", Left("bad", "nobody can do this"))]
        assert engine.news == engine.left
        engine.news.clear()
        engine.mark_key("mirror", "bad")
        engine.plan()
        assert engine.news == []

    def test_an_object_that_breaks_its_subject_stops_nobody(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        add_switch(zone, engine, "broken")
        add_switch(zone, engine, "unreadable")
        add_switch(zone, engine, "ts1")
        assert {group.key for group in engine.plan()} == {"ts1", "unreadable"}
        assert "which is a bug" in engine.aside[("mirror", "broken")].reason
        assert len(engine.failures) == 2

    @pytest.mark.parametrize(
        ("name", "columns", "again"),
        [("ts1", {}, False), ("ts1", {"other_config": {"a": "b"}}, False), ("ts2", {}, True)],
    )
    def test_its_own_echo_is_no_news(self, name: str, columns: dict[str, Any], again: bool) -> None:
        zone = Zone.simulated()
        zone.ic_sb.put("Availability_Zone", "az", {"name": "az1"})
        zone.nb.put("NB_Global", "g", {"name": "az1", "external_ids": {ZONE_KEY: "az"}})
        engine = Engine(zone, [SureMirror()], Clock())
        engine.restart()
        add_switch(zone, engine, "ts1")
        (group,) = engine.plan()
        engine.sent(group)
        echo = zone.nb.put("Logical_Switch", "u", {"name": name, **columns})
        assert echo is not None
        engine.observe([echo])
        engine.committed(group)
        assert [key for _subject, key in (engine.plan(), engine.planned)[1]] == (["ts2"] if again else [])

    def test_what_was_changed_while_it_was_on_its_way_is_looked_at_again(self) -> None:
        zone = Zone.simulated()
        zone.ic_sb.put("Availability_Zone", "az", {"name": "az1"})
        zone.nb.put("NB_Global", "g", {"name": "az1", "external_ids": {ZONE_KEY: "az"}})
        engine = Engine(zone, [SureMirror()], Clock())
        engine.restart()
        add_switch(zone, engine, "ts1")
        (group,) = engine.plan()
        engine.sent(group)
        echo = zone.nb.put("Logical_Switch", "u", {"name": "ts1"})
        tampered = zone.nb.put("Logical_Switch", "u", {"other_config": {"a": "b"}})
        assert echo is not None
        assert tampered is not None
        engine.observe([echo, tampered])
        engine.committed(group)
        engine.plan()
        assert engine.planned == [("mirror", "ts1")]

    def test_an_echo_is_news_when_something_else_came_in_between(self) -> None:
        """The other change could not name the key: its row was not there yet."""
        zone = Zone.simulated()
        zone.ic_sb.put("Availability_Zone", "az", {"name": "az1"})
        zone.nb.put("NB_Global", "g", {"name": "az1", "external_ids": {ZONE_KEY: "az"}})
        engine = Engine(zone, [SureMirror()], Clock())
        engine.restart()
        add_switch(zone, engine, "ts1")
        (group,) = engine.plan()
        engine.sent(group)
        add_switch(zone, engine, "ts2")
        echo = zone.nb.put("Logical_Switch", "u", {"name": "ts1"})
        assert echo is not None
        engine.observe([echo])
        engine.committed(group)
        engine.plan()
        assert engine.planned == [("mirror", "ts2"), ("mirror", "ts1")]

    def test_all_marks_every_key(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        zone.ic_nb.put("Transit_Switch", "u1", {"name": "ts1"})
        add_switch(zone, engine, "all")
        assert {group.key for group in engine.plan()} == {"ts1", "all"}

    def test_a_zone_without_a_row_plans_nothing_and_everything_once_it_has_one(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        gone = zone.ic_sb.delete("Availability_Zone", "az")
        assert gone is not None
        engine.observe([gone])
        add_switch(zone, engine, "ts1")
        assert engine.plan() == []
        back = zone.ic_sb.put("Availability_Zone", "az", {"name": "az1"})
        assert back is not None
        engine.observe([back])
        assert [group.key for group in engine.plan()] == ["ts1"]

    def test_a_pass_ends_when_it_has_had_enough(self, world: tuple[Zone, Engine, Clock]) -> None:
        zone, engine, _clock = world
        for number in range(5):
            add_switch(zone, engine, f"ts{number}")
        assert len(engine.plan(most=2)) == 2
        assert len(engine.plan(enough=lambda: True)) == 1
        assert len(engine.plan()) == 2
