# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way that every module goes, without Ansible and without a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible import module as base
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.session import Result
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change, insert
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.simulation import Simulation
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import declare
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB

DATABASE = declare(IC_NB, {"Transit_Switch": "name"})
DUPLICATE = f'{IC_NB} rejected it: constraint violation: Transaction causes multiple rows in "Transit_Switch" table'


class FakeSession:
    """Answers commits as it is told, and applies what it accepts. ``meanwhile`` is what another writer does before each answer."""

    def __init__(self, answers: Sequence[Result], meanwhile: Sequence[str] = ()) -> None:
        self.stores = {IC_NB: Store(DATABASE)}
        self.answers = list(answers)
        self.meanwhile = list(meanwhile)
        self.commits = 0
        self.written: list[Change] = []
        self.read_only = ""

    def commit(self, changes: Sequence[Change]) -> Result:
        self.commits += 1
        answer = self.answers.pop(0)
        if self.meanwhile:
            self.stores[IC_NB].put("Transit_Switch", "theirs", {"name": self.meanwhile.pop(0)})
        if answer == Result(None, False):
            Simulation(self.stores).apply(changes)
            self.written += changes
        return answer

    def rehearse(self, changes: Sequence[Change]) -> str | None:
        return self.read_only or None

    def wait(self, done: Any, seconds: float) -> bool:
        return bool(done())


def wanted(names: Sequence[str]) -> base.Declaration:
    """A module that wants transit switches of these names, one a wave."""

    def desired(_params: base.Params, stores: base.Stores) -> list[Change]:
        there = {row["name"] for row in stores[IC_NB].rows("Transit_Switch")}
        missing = [name for name in names if name not in there]
        return [insert(stores[IC_NB], "Transit_Switch", {"name": missing[0]}, record=missing[0], reason="wanted")] if missing else []

    def describe(_params: base.Params, stores: base.Stores) -> dict[str, Any]:
        return {"uuids": [row.uuid for row in stores[IC_NB].rows("Transit_Switch")]}

    return base.Declaration({}, [DATABASE], desired, describe, lambda _params: "Testing")


FINE, REFUSED, UNKNOWN = Result(None, False), Result(DUPLICATE, False), Result(None, True)


def work(session: FakeSession, *names: str) -> dict[str, Any]:
    return base._work(wanted(names), {}, session)  # type: ignore[arg-type]


def test_it_commits_until_nothing_is_wanted() -> None:
    session = FakeSession([FINE, FINE])
    result = work(session, "a", "b")
    assert (result["changed"], len(result["changes"]), session.commits) == (True, 2, 2)


def test_check_mode_plans_all_of_it_and_commits_nothing() -> None:
    session = FakeSession([])
    result = base._check(wanted(["a", "b"]), {}, session)  # type: ignore[arg-type]
    assert result["changed"]
    assert [change["record"] for change in result["changes"]] == ["a", "b"]
    assert result["uuids"] == [None, None]
    assert session.commits == 0


def test_a_refusal_is_told_in_the_servers_words() -> None:
    with pytest.raises(
        ModuleError, match=r"rejected the request to insert Transit_Switch 'a': constraint violation: .*; change or remove the row"
    ) as caught:
        work(FakeSession([REFUSED, REFUSED]), "a")
    assert caught.value.database == IC_NB
    assert str(caught.value.ovsdb_error).startswith("constraint violation")


@pytest.mark.parametrize(
    "words, advice",
    [
        ("not allowed: insert operation not allowed when database server is in read only mode", "the server is read-only for this client"),
        ("permission error: role r prohibits row insertion", "the role of this client does not allow it"),
        ("referential integrity violation: cannot delete", "another row still refers to the row"),
        ("disk on fire", "check the log of the server"),
    ],
)
def test_the_advice_follows_the_servers_words(words: str, advice: str) -> None:
    refused = Result(f"{IC_NB} rejected it: {words}", False)
    # Which operation was refused first differs between both modes.
    with pytest.raises(ModuleError, match=f"{words.replace('insert operation', 'operation')}; {advice}"):
        work(FakeSession([refused, refused]), "a")


def test_check_mode_refuses_what_a_read_only_server_would() -> None:
    session = FakeSession([])
    session.read_only = f"{IC_NB} rejected it: not allowed: update operation not allowed"
    with pytest.raises(ModuleError, match=r"rejected the request to insert Transit_Switch 'a': not allowed: .*; the server is read-only"):
        base._check(wanted(["a"]), {}, session)  # type: ignore[arg-type]


def test_another_writer_who_was_faster_is_no_failure() -> None:
    session = FakeSession([REFUSED], meanwhile=["a"])
    assert work(session, "a")["changed"] is False


def test_what_is_unknown_is_planned_anew() -> None:
    assert work(FakeSession([UNKNOWN, FINE]), "a")["changed"]
    assert not work(FakeSession([UNKNOWN], meanwhile=["a"]), "a")["changed"]


def test_it_gives_up_where_somebody_keeps_changing_it_back() -> None:
    with pytest.raises(ModuleError, match="another program keeps reverting the changes of Transit_Switch 'a'"):
        work(FakeSession([UNKNOWN] * base.MOST_WAVES), "a")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": ["az1"]}, "name has a list (['az1']) where it takes a text"),
        ({"name": {"a": 1}}, "name has a dictionary ({'a': 1}) where it takes a text"),
        ({"names": [["a", "b"]]}, "names has a list (['a', 'b']) where it takes a text"),
        ({"gateways": ["gw1"]}, "gateways has 'gw1' where it takes a dictionary; write its keys: chassis, priority"),
        ({"gateways": "gw1"}, "gateways has 'gw1' where it takes a dictionary"),
        ({"gateways": [{"chassis": ["gw1"]}]}, "gateways.chassis has a list (['gw1']) where it takes a text"),
        ({"group": "g"}, "group has 'g' where it takes a dictionary"),
        ({"group": {"name": {"a": 1}}}, "group.name has a dictionary"),
        ({"path": ["/tmp"]}, "path has a list"),
    ],
)
def test_options_of_another_shape_are_told(given: dict[str, Any], words: str) -> None:
    (sentence,) = base._misshapen(given, SPEC)
    assert words in sentence


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"name": None, "names": None, "gateways": None, "group": None},
        {"name": 5, "names": "a,b", "keys": {"a": [1]}, "number": 3},
        {"names": ["a", 1], "gateways": [{"chassis": "gw1", "priority": 1}], "group": {"name": "g"}},
        {"gateways": "chassis=gw1", "group": '{"name": "g"}'},
        {"gateways": {"chassis": "gw1"}},
    ],
)
def test_options_of_the_right_shape_are_left_to_the_library(given: dict[str, Any]) -> None:
    assert base._misshapen(given, SPEC) == []


SPEC = {
    "name": {"type": "str"},
    "names": {"type": "list", "elements": "str"},
    "gateways": {"type": "list", "elements": "dict", "options": {"chassis": {"type": "str"}, "priority": {"type": "int"}}},
    "group": {"type": "dict", "options": {"name": {"type": "str"}}},
    "keys": {"type": "dict"},
    "path": {"type": "path"},
    "number": {"type": "int"},
}
