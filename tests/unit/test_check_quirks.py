# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of the tables of decisions and of situations: rows, links to rules and back, tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROW = '| <a id="q1"></a>q1 | [page-1](spec/page.md#page-1): what upstream does; here something else | fix | `test_a` |'
RULE = '<a id="page-1"></a>\n\n## 1 A rule\n\nDecision: [q1](../quirks.md#q1).\n\n<a id="page-2"></a>\n\n## 2 Another rule\n'
TESTS = {"tests/unit/test_a.py": {"test_a", "test_b"}, "tests/unit/test_b.py": {"test_b"}}


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, for a project in an empty directory."""
    path = Path(__file__).resolve().parents[2] / "scripts" / "check_quirks.py"
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "docs" / "spec").mkdir(parents=True)
    return module


def faults(check: ModuleType, row: str = ROW, page: str = RULE) -> list[str]:
    docs = check.ROOT / "docs"
    (docs / "quirks.md").write_text(f"| id | rule | decision | test |\n|---|---|---|---|\n{row}\n")
    (docs / "spec" / "page.md").write_text(page)
    return list(check.faults_of_quirks(TESTS))


def test_a_row_and_its_rule_that_link_to_each_other_are_right(check: ModuleType) -> None:
    assert faults(check) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('<a id="q1"></a>q1', "q1", "its first cell must read"),
        ("[page-1](spec/page.md#page-1): ", "", "names no rule"),
        ("page-1", "page-9", "docs/spec has no rule page-9"),
        ("[page-1]", "[the rule]", "the link to the rule page-1 reads the rule"),
        ("page-1", "page-2", "the rule page-2 does not link back"),
        ("fix", "perhaps", "the decision is 'perhaps'"),
        ("`test_a`", "`test_c`", "there is no test test_c"),
        ("`test_a`", "`tests/unit/test_b.py::test_a`", "there is no test tests/unit/test_b.py::test_a"),
        ("`test_a`", "", "names no test"),
        (" fix |", "", "has 3 cells"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(check: ModuleType, old: str, new: str, words: str) -> None:
    assert words in faults(check, ROW.replace(old, new))[0]


def test_a_row_may_name_several_rules_which_all_link_back(check: ModuleType) -> None:
    row = ROW.replace("[page-1]", "[page-2](spec/page.md#page-2), [page-1]")
    assert faults(check, row, RULE + "Decision: [q1](../quirks.md#q1).\n") == []
    assert "the rule page-2 does not link back" in faults(check, row)[0]


def test_a_rule_that_links_to_a_row_which_does_not_name_it_is_found(check: ModuleType) -> None:
    (fault,) = faults(check, page=RULE + "Decision: [q1](../quirks.md#q1).\n")
    assert fault == "q1: docs/spec links to it from page-2, which it does not name"


def test_a_row_that_is_listed_twice_is_found(check: ModuleType) -> None:
    assert any("is listed twice" in fault for fault in faults(check, f"{ROW}\n{ROW}"))
