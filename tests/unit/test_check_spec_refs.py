# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of citations: what counts as a rule, as a citation, and as its test."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _load() -> ModuleType:
    """The script as a module."""
    path = Path(__file__).resolve().parents[2] / "scripts" / "check_spec_refs.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


check = _load()

#: The check reads this file too, so no citation is written out here.
SPEC = "spec"

PAGE = """# A page

<a id="page-1"></a>

## 1 A section

Text of the section.

* <a id="page-A-1"></a>a rule
* <a id="page-A-2"></a>another rule, in two
  lines

<a id="page-2"></a>

## 2 A section without rules of its own

<a id="page-2.1"></a>**2.1** a rule with parts:
 1. <a id="page-2.1.1"></a>one
 2. <a id="page-2.1.2"></a>two

<a id="page-3"></a>

## 3 A section that is a rule
"""
RULES = check.rules_of("page.md", PAGE)
ORDER = list(RULES)
ALL = "page-A-1, page-A-2, page-2.1.1, page-2.1.2, page-3"
PROOF = ("tests/unit/test_a.py", f'def test_a() -> None:\n    """A sentence ({SPEC} {ALL})."""\n')


def found(*texts: tuple[str, str], page: str = PAGE) -> list[str]:
    return list(check.findings(check.rules_of("page.md", page), texts))


def cited(text: str) -> list[str]:
    return [name for citation in check.citations("a.py", text, ORDER) for name in citation.names]


def test_rules_are_in_the_order_of_the_page_and_sections_contain_others() -> None:
    assert ORDER == ["page-1", "page-A-1", "page-A-2", "page-2", "page-2.1", "page-2.1.1", "page-2.1.2", "page-3"]
    assert [name for name, rule in RULES.items() if rule.section] == ["page-1", "page-2", "page-2.1"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("page-A-1", "page-A-1"),
        ("page-2.1.1)", "page-2.1.1"),
        ("page-2.1.1. Next", "page-2.1.1"),
        ("page-A-1, page-A-2 and page-3: why", "page-A-1 page-A-2 page-3"),
        ("page-A-1 to page-2.1", "page-A-1 page-A-2 page-2 page-2.1"),
        ("page-A-1,\n    # page-3", "page-A-1 page-3"),
        ("page-A-1, another word", "page-A-1"),
    ],
)
def test_a_citation_names_rules(text: str, names: str) -> None:
    assert cited(f"({SPEC} {text}") == names.split()
    assert cited(f"{SPEC.title()}\n{text}") == names.split()


@pytest.mark.parametrize("text", ["special page-A-1", "page-A-1", f"{SPEC} of page-A-1", f"{SPEC}-file 1", f"--{SPEC}=a-b"])
def test_other_text_is_no_citation(text: str) -> None:
    assert cited(text) == []


def test_nothing_is_found_where_a_test_cites_every_rule() -> None:
    assert found(PROOF, ("plugins/a.py", f"# {SPEC} page-1")) == []


def test_a_citation_of_a_rule_that_does_not_exist_is_found_with_its_line() -> None:
    assert found(PROOF, ("docs/a.md", f"One\ntwo\n{SPEC} page-1, page-9")) == ["docs/a.md:3: docs/spec has no rule page-9"]


@pytest.mark.parametrize(
    "text", ["as S" + "-6 says", f"({SPEC} routes 4)", f"({SPEC}: port bindings)", "Routes" + " 4.6: one row", "5.6 item" + " 8"]
)
def test_a_citation_in_another_form_is_found(text: str) -> None:
    (finding,) = found(PROOF, ("plugins/a.py", text))
    assert finding.startswith("plugins/a.py:1: ")
    assert "cite it by its anchor" in finding


@pytest.mark.parametrize("text", ["P-256 and UTF-8", "routes 10.0.0.0/8", "AA-AA-01-02", "a-b-F-5"])
def test_what_only_looks_like_a_rule_is_left_alone(text: str) -> None:
    assert found(PROOF, ("plugins/a.py", text)) == []


@pytest.mark.parametrize("path", ["plugins/a.py", "tests/support/a.py", "tests/differential/exceptions.py", "docs/a.md"])
def test_only_tests_prove_a_rule(path: str) -> None:
    findings = found((path, PROOF[1]))
    assert [finding.split(" ")[1] for finding in findings] == [f"{name}:" for name in ALL.split(", ")]
    assert all("no test cites this rule" in finding for finding in findings)


@pytest.mark.parametrize(
    "path",
    ["tests/functional/test_a.py", "tests/unit/x/test_a.py", "tests/integration/targets/a/tasks/main.yml", "extensions/molecule/a/b.yml"],
)
def test_tests_of_all_kinds_prove_a_rule(path: str) -> None:
    assert found((path, PROOF[1])) == []


@pytest.mark.parametrize(
    "text",
    [f'"""A module ({SPEC} {ALL})."""', f"# {SPEC} {ALL}", f"def helper() -> None:\n    # {SPEC} {ALL}\n    pass"],
    ids=["module", "comment", "helper"],
)
def test_only_test_functions_prove_a_rule(text: str) -> None:
    assert len(found((PROOF[0], text))) == len(ALL.split(", "))


@pytest.mark.parametrize(
    "text",
    [
        f"@mark(1)\n@mark('{SPEC} {ALL}')\ndef test_a() -> None:\n    pass\n",
        f"class TestA:\n    async def test_a(self) -> None:\n        # {SPEC} {ALL}\n        pass\n",
    ],
    ids=["decorator", "method"],
)
def test_all_of_a_test_function_proves_a_rule(text: str) -> None:
    assert found((PROOF[0], text)) == []


def test_a_rule_that_says_why_it_has_no_test_needs_none() -> None:
    page = PAGE.replace("lines\n", "lines. *Not tested: a reason.*\n")
    proof = (PROOF[0], PROOF[1].replace("page-A-2, ", ""))
    assert found(proof, page=page) == []
    (finding,) = found(PROOF, page=page)
    assert 'page-A-2: says "Not tested", but tests/unit/test_a.py:2 cites it' in finding


@pytest.mark.parametrize("mark", ["", "*Not tested.*", "*Not tested: *", "Not tested: a reason."])
def test_a_mark_needs_a_reason(mark: str) -> None:
    page = PAGE.replace("lines\n", f"lines. {mark}\n")
    (finding,) = found((PROOF[0], PROOF[1].replace("page-A-2, ", "")), page=page)
    assert "page-A-2: no test cites this rule" in finding


@pytest.mark.parametrize(
    ("place", "covered"),
    [("Text of the section.", "page-A-1, page-A-2, "), ("a rule with parts:", "page-2.1.1, page-2.1.2, ")],
)
def test_the_reason_of_a_section_holds_for_all_its_rules(place: str, covered: str) -> None:
    page = PAGE.replace(place, f"{place} *Not tested: a reason.*")
    assert found((PROOF[0], PROOF[1].replace(covered, "")), page=page) == []
