# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is logged, where, and how it looks (ovn-ic(8), Logging Options; ovs-appctl(8), vlog/set)."""

from __future__ import annotations

import logging.handlers
import os
import re
from collections.abc import Iterator

import ovs.vlog
import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.daemon import log_pattern, log_spec
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.daemon.log_pattern import Entry

ENTRY = Entry(35, "ovn_ic", "WARN", "100 % of {it}")


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(log_spec, "PATTERNS", dict(log_pattern.PATTERNS))
    yield
    ovs.vlog.Vlog.set_level("any", "any", "info")


def levels(module: str = "ovn_ic") -> list[str]:
    """Of console, syslog and file."""
    rows = {row.split()[0]: row.split()[1:] for row in ovs.vlog.Vlog.get_levels().splitlines()[2:]}
    return rows[module]


@pytest.mark.parametrize(
    "destination, form",
    [
        ("console", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\|00035\|ovn_ic\|WARN\|100 % of \{it\}"),
        ("file", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\|00035\|ovn_ic\|WARN\|100 % of \{it\}"),
        ("syslog", r"ovn-ic\|00035\|ovn_ic\|WARN\|100 % of \{it\}"),
    ],
)
def test_lines_look_like_upstreams(destination: str, form: str) -> None:
    assert re.fullmatch(form, log_pattern.line(log_pattern.PATTERNS[destination], ENTRY))


@pytest.mark.parametrize(
    "pattern, wanted",
    [
        ("%A %c %p %m%n", "ovn-ic ovn_ic WARN 100 % of {it}\n"),
        ("%3N|%03N|%-6N|%1N|", " 35|035|35    |35|"),
        ("%t%T %P", f"main {os.getpid()}"),
        ("%D{[}|%m", "[|100 % of {it}"),
        ("%% %z %", "% z %"),
        ("", ""),
    ],
)
def test_patterns(pattern: str, wanted: str) -> None:
    assert log_pattern.line(pattern, ENTRY) == wanted


@pytest.mark.parametrize("pattern", ["%d", "%D", "%d{}"])
def test_times(pattern: str) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", log_pattern.line(pattern, ENTRY))


@pytest.mark.parametrize(
    "spec, console, file",
    [
        ("console:warn", "warn", "info"),
        ("console warn", "warn", "info"),
        ("WARN,console", "warn", "info"),
        ("ovn_ic: any ,console:off", "off", "info"),
        ("err", "err", "err"),
        ("console", "dbg", "info"),
        ("", "dbg", "dbg"),
        ("ovsdb_cs:err", "info", "info"),
    ],
)
def test_specifications_of_levels(spec: str, console: str, file: str) -> None:
    ovs.vlog.Vlog.set_level("any", "any", "info")
    assert log_spec.follow(spec) is None
    assert (levels()[0], levels()[2]) == (console, file)


@pytest.mark.parametrize(
    "spec, wrong",
    [
        ("PATTERN", "PATTERN:destination:pattern"),
        ("PATTERN:file", "PATTERN:destination:pattern"),
        ("pattern:paper:%m", "PATTERN"),
        ("PATTERN:file:%D{\udcff}", "the pattern is not valid"),
        ("FACILITY", "FACILITY:facility"),
        ("FACILITY:", "FACILITY:facility"),
        ("facility:clock3", "clock2"),
        ("nothing:dbg", '"nothing" is not a destination, level or module'),
        ("console:file", "cannot specify multiple destinations"),
        ("dbg info", "cannot specify multiple levels"),
        ("ovn_ic,reconnect", "cannot specify multiple modules"),
    ],
)
def test_specifications_that_are_wrong(spec: str, wrong: str) -> None:
    error = log_spec.follow(spec)
    assert error is not None
    assert wrong in error


@pytest.mark.parametrize("spec", ["PATTERN:file:%m: %N", "pattern file %m: %N"])
def test_a_pattern_may_hold_what_separates_words(spec: str) -> None:
    assert log_spec.follow(spec) is None
    assert log_spec.PATTERNS["file"] == "%m: %N"


@pytest.mark.parametrize("name, number", [("clock2", 15), ("LOCAL7", 23), ("kern", 0)])
def test_facilities(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
    asked: list[int] = []
    monkeypatch.setattr(ovs.vlog.Vlog, "add_syslog_handler", asked.append)
    assert log_spec.follow(f"FACILITY:{name}") is None
    assert asked == [number]
    assert logging.handlers.SysLogHandler.LOG_LOCAL7 == 23
