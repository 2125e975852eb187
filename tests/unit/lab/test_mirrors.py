# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's mirror comes from the machine's apt sources, in both of their styles."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.lab.labhosts import mirrors
from ansible_collections.ovn.interconnect.lab.labhosts.mirrors import Source
from ansible_collections.ovn.interconnect.lab.labhosts.settings import LabError

DEB822 = """\
Types: deb deb-src
# URIs: http://commented.example/debian
URIs: http://one.example/debian/ http://two.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/x.gpg

Types: deb-src
URIs: http://sources.example/debian
Suites: bookworm
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb
URIs:
 http://folded.example/debian
Suites:
 bookworm-security
Components: main
"""


@pytest.mark.parametrize(
    "line, expected",
    [
        ("deb http://a.example/debian bookworm main", Source("http://a.example/debian", "bookworm", ("main",))),
        ("deb [arch=amd64 trusted=yes] http://a.example/d/ sid main contrib # x", Source("http://a.example/d", "sid", ("main", "contrib"))),
        ("deb file:/srv/repo ./", Source("file:/srv/repo", "./", ())),
    ],
)
def test_one_line_style(line: str, expected: Source) -> None:
    assert list(mirrors.parse_list(line)) == [expected]


@pytest.mark.parametrize(
    "line", ["", "# deb http://a.example bookworm main", "deb-src http://a.example bookworm main", "deb http://a.example"]
)
def test_lines_that_are_no_source(line: str) -> None:
    assert list(mirrors.parse_list(line)) == []


def test_deb822_style() -> None:
    assert list(mirrors.parse_deb822(DEB822)) == [
        Source("http://one.example/debian", "bookworm", ("main", "contrib")),
        Source("http://one.example/debian", "bookworm-updates", ("main", "contrib")),
        Source("http://two.example/debian", "bookworm", ("main", "contrib")),
        Source("http://two.example/debian", "bookworm-updates", ("main", "contrib")),
        Source("http://folded.example/debian", "bookworm-security", ("main",)),
    ]


def test_files_are_read_in_the_order_of_apt(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (parts / "b.sources").write_text("Types: deb\nURIs: http://b.example\nSuites: x\nComponents: main\n", encoding="utf-8")
    (parts / "a.list").write_text("deb http://a.example x main\n", encoding="utf-8")
    (parts / "c.list.save").write_text("deb http://c.example x main\n", encoding="utf-8")
    (tmp_path / "sources.list").write_text("deb http://first.example x main\n", encoding="utf-8")
    assert [source.uri for source in mirrors.read_sources(tmp_path)] == ["http://first.example", "http://a.example", "http://b.example"]


def test_the_mirror_gives_main_of_the_running_release() -> None:
    sources = [
        Source("http://vendor.example/apt", "cloud-bookworm", ("main",)),
        Source("http://extra.example/debian", "bookworm", ("contrib",)),
        Source("http://security.example", "bookworm-security", ("main",)),
        Source("http://right.example/debian", "bookworm", ("main",)),
    ]
    assert mirrors.choose_mirror(sources, "bookworm") == "http://right.example/debian"


def test_an_alias_of_the_release_is_a_second_choice() -> None:
    sources = [Source("http://alias.example", "stable", ("main",)), Source("http://name.example", "bookworm", ("main",))]
    assert mirrors.choose_mirror(sources, "bookworm") == "http://name.example"
    assert mirrors.choose_mirror(sources[:1], "bookworm") == "http://alias.example"


def test_no_mirror_is_said_in_a_sentence() -> None:
    with pytest.raises(LabError, match="gives Debian bookworm main"):
        mirrors.choose_mirror([], "bookworm")


def test_a_mirror_list_is_replaced_by_its_first_entry(tmp_path: Path) -> None:
    mirror_list = tmp_path / "mirrors"
    mirror_list.write_text("# mirrors\n\nhttp://first.example/debian/ priority:1\nhttp://second.example/debian\n", encoding="utf-8")
    sources = [Source(f"mirror+file:{mirror_list}", "bookworm", ("main",))]
    assert mirrors.choose_mirror(sources, "bookworm") == "http://first.example/debian"
