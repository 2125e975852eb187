# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian mirror that this machine itself uses, read from its apt sources (man sources.list), never from a list of our own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .settings import LabError


@dataclass(frozen=True)
class Source:
    """One archive: a URI with a suite and its components."""

    uri: str
    suite: str
    components: tuple[str, ...]


def parse_list(text: str) -> Iterator[Source]:
    """Yield the sources of a one-line-style file; `deb-src` lines and comments are none."""
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)\s*(.*)", line.split("#", 1)[0].strip())
        if match:
            yield Source(match[1].rstrip("/"), match[2], tuple(match[3].split()))


def _fields(stanza: str) -> dict[str, str]:
    """Return the fields of one deb822 stanza, names in lower case, continuation lines joined."""
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in (" ", "\t"):
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def parse_deb822(text: str) -> Iterator[Source]:
    """Yield the sources of a deb822-style file; a stanza with `Enabled: no` or without the type `deb` has none."""
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(uri.rstrip("/"), suite, tuple(fields.get("components", "").split()))


def read_sources(etc_apt: Path = Path("/etc/apt")) -> list[Source]:
    """Return all sources of this machine in apt's order: `sources.list`, then the files of `sources.list.d` by name."""
    files = [etc_apt / "sources.list", *sorted((etc_apt / "sources.list.d").glob("*"))]
    found: list[Source] = []
    for file in files:
        if file.suffix in (".list", ".sources") and file.is_file():
            parse = parse_deb822 if file.suffix == ".sources" else parse_list
            found += parse(file.read_text(encoding="utf-8"))
    return found


def choose_mirror(sources: Iterable[Source], codename: str) -> str:
    """Return the URI whose component `main` gives the running Debian release `codename`; every suite is fetched from it.

    A `mirror+file:` URI is replaced by the first entry of its list, because a chroot has no such file.
    """
    aliases = (codename, "stable", "oldstable", "testing", "unstable")
    for alias in aliases:
        for source in sources:
            if source.suite == alias and "main" in source.components:
                return _resolve(source.uri)
    raise LabError(f"no entry of /etc/apt/sources.list* gives Debian {codename} main; the lab takes its mirror from there")


def _resolve(uri: str) -> str:
    """Return the first mirror of a `mirror+file:` list, any other URI as it is."""
    if not uri.startswith("mirror+file:"):
        return uri
    for line in Path(uri.split(":", 1)[1]).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            return line.split()[0].rstrip("/")
    raise LabError(f"the mirror list {uri} of this machine's apt sources is empty")


def machine_mirror() -> str:
    """Return the mirror of this machine."""
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    match = re.search(r"^VERSION_CODENAME=\"?([a-z]+)", release, re.MULTILINE)
    return choose_mirror(read_sources(), match[1] if match else "sid")
