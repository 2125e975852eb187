# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's own checks find what they are for."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


TARBALL = script("check_tarball")
DEPENDENCIES = script("check_dependencies")
SPDX = script("check_spdx")
TEXT = script("check_text")

SHIPPED = frozenset(["README.md", "docs", "docs/use.md", "roles/ovn_ic_db/README.md"])
REPOSITORY = SHIPPED | {"lab", "lab/README.md"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "See [the lab](lab/README.md)."),
        ("README.md", "See [the lab](lab/README.md#hosts)."),
        ("README.md", "Run `cat lab/README.md`."),
        ("README.md", "See [nothing](docs/gone.md)."),
        ("docs/use.md", "See [the lab](../lab/README.md)."),
        ("roles/ovn_ic_db/README.md", "`lab/README.md` describes the lab."),
    ],
)
def test_a_path_outside_the_collection_is_found(name: str, text: str) -> None:
    assert len(TARBALL.findings(name, text, SHIPPED, REPOSITORY)) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "See [use](docs/use.md#first) and `docs/use.md`."),
        ("README.md", "See [`lab/README.md`](https://example.org/lab/README.md), [below](#below), and the host `a.b`."),
        ("README.md", "```yaml\nlab: [x](lab/README.md)\n```\n"),
        ("docs/use.md", "See [the front page](../README.md); a contributor reads `lab/README.md`."),
    ],
)
def test_a_path_inside_the_collection_is_not_found(name: str, text: str) -> None:
    assert TARBALL.findings(name, text, SHIPPED, REPOSITORY) == []


def test_an_unused_and_a_missing_requirement_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# A comment\nnetaddr>=1.0 ; python_version > '3'\n")
    monkeypatch.setattr(DEPENDENCIES, "REQUIREMENTS", requirements)
    assert DEPENDENCIES.findings() == [
        "meta/ee-requirements.txt: ovs is missing: the shipped code uses it",
        "meta/ee-requirements.txt: netaddr is listed, but the code does not use it",
    ]


def test_the_programs_of_modules_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bindep = tmp_path / "bindep.txt"
    bindep.write_text("openvswitch [platform:fedora]\n")
    monkeypatch.setattr(DEPENDENCIES, "BINDEP", bindep)
    assert DEPENDENCIES.findings() == ["meta/bindep.txt: openvswitch-common is missing: the shipped code uses it"]


def test_imports_are_followed_through_the_collection() -> None:
    module = ROOT / "plugins" / "modules" / "ovn_ic_transit_switch.py"
    assert DEPENDENCIES.foreign([module]) == set()
    assert DEPENDENCIES.foreign(DEPENDENCIES.closure(module)) == {"ovs"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\n- name: Do it\n", f"---\n{SPDX.HEADER}- name: Do it\n"),
        ("---\n# What the file does.\n- name: Do it\n", f"---\n{SPDX.HEADER}#\n# What the file does.\n- name: Do it\n"),
        ("#!/usr/bin/env bash\nset -e\n", f"#!/usr/bin/env bash\n{SPDX.HEADER}set -e\n"),
        ('"""A module."""\n', f'{SPDX.HEADER}"""A module."""\n'),
        ("---\n", f"---\n{SPDX.HEADER}"),
    ],
)
def test_a_license_header_is_added_once(text: str, expected: str) -> None:
    assert SPDX.with_header(text) == expected
    assert SPDX.with_header(expected) == expected


#: Each idiom that docs/style.md rules out: a sentence that has it, and the sentence to write instead.
IDIOMS = [
    ("70000 is no port", "70000 is not a valid port; there is no port of that number, and the limit is no longer 80000"),
    ("the new row stands in the place of the old one", "the new row replaces the old one"),
    ("the daemon plans anew", "the daemon plans again"),
    ("a hold does not last for ever", "a hold does not last forever; wait for every zone"),
    ("a row is deleted on the word of IC_NB", "a row is deleted because IC_NB asks for it"),
    ("a zone is recognized of its own word", "the token proves the identity of a zone"),
    ("by itself it does nothing", "it does nothing when it is run directly"),
    ("a route that comes to nobody", "a route that does nothing"),
    ("somebody changes the row", "another client changes the row"),
    ("the engine is at rest", "the engine has settled; at restart it reads all rows"),
    ("other tables are none of our business", "other tables are ignored"),
    ("the rows that what is to be has", "the desired rows; what is written to be kept"),
    ("the message speaks of a router", "the message names a router"),
    ("at the sight of a second claim, it stops", "if it finds a second claim, it stops"),
    ("a standby takes no part in this", "a standby does not participate in this; it takes part of the load"),
    ("it waits for want of a leader", "it waits because a leader is missing"),
    ("a name that is none", "a name that is not valid"),
    ("So it is when a server restarts", "This is so if a server restarts"),
]


def idioms(line: str) -> list[str]:
    """The idioms of a line, as patterns."""
    return [pattern for pattern in TEXT.IDIOMS if re.search(pattern, line, re.IGNORECASE)]


def test_each_idiom_is_found_in_a_sentence_that_has_it_and_in_none_that_does_not() -> None:
    assert [idioms(wrong) for wrong, _right in IDIOMS] == [[pattern] for pattern in TEXT.IDIOMS]
    assert [idioms(right) for _wrong, right in IDIOMS] == [[] for _pattern in TEXT.IDIOMS]


def test_an_idiom_is_reported_with_its_place_and_the_words_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TEXT, "ROOT", tmp_path)
    (tmp_path / "page.md").write_text(f"# A page\n\n{IDIOMS[2][0]}.\n{IDIOMS[2][1]}.\n", encoding="utf-8")
    assert TEXT.findings(tmp_path / "page.md") == ['page.md:3: an idiom, write "again": anew']


def test_the_check_finds_all_idioms_that_the_style_names() -> None:
    page = (ROOT / "docs" / "style.md").read_text(encoding="utf-8")
    quoted = re.search(r"^\* Avoid (.*?)\n\n", page, re.DOTALL | re.MULTILINE)
    assert quoted is not None
    avoided = [text for text in re.findall(r'"([^"]+)"', re.sub(r'→\s"[^"]*"', "", quoted[1])) if text != "X is no Y"]
    assert avoided
    assert [text for text in avoided if not idioms(text)] == []
