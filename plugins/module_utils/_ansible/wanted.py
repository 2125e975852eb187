# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person wants, made comparable with what a database holds."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ..interconnect.address import Address, Prefix, format_prefix, parse_ip, parse_mac, parse_prefix
from .errors import ModuleError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def checked_name(text: str, option: str) -> str:
    """A name that OVN's tools can show and take. Raises ModuleError where it is empty, begins or ends blank, or has control characters."""
    if not text.strip():
        raise ModuleError(f"{option} is empty; give it a name")
    if text != text.strip():
        raise ModuleError(f"{option} {text!r} begins or ends with a blank; take the blank away")
    if _CONTROL.search(text):
        raise ModuleError(f"{option} {text!r} holds a control character; use printable characters only")
    return text


def checked_prefix(text: str, option: str) -> Prefix:
    """A prefix that was written with its length. Raises ModuleError otherwise."""
    prefix = parse_prefix(text) if "/" in text else None
    if prefix is None:
        raise ModuleError(f"{option} has {text!r}, which is no network; write an address and a length, such as 169.254.100.1/24")
    return prefix


def checked_mac(text: str, option: str) -> str:
    """The MAC of a port. Raises ModuleError where it is none, or a group's."""
    number = parse_mac(text)
    if number is None or number == 0 or number >> 40 & 1:
        raise ModuleError(f"{option} is {text!r}, which is no address of a port; write one such as aa:bb:cc:00:00:01, not a group's")
    return text


def port_addresses(text: str, option: str) -> list[Address]:
    """The IP addresses in one element of a port's ``addresses``: a MAC and IPs, ``router``, ``unknown``, ``dynamic`` and at most one IP.

    Raises ModuleError where it is none of these (spec operator-commands G.2).
    """
    first, *others = text.split() or [""]
    found = [parse_ip(word) for word in others]
    addresses = [address for address in found if address is not None]
    limit = {"router": 0, "unknown": 0, "dynamic": 1}.get(first)
    fits = parse_mac(first) is not None if limit is None else len(others) <= limit
    if not fits or len(addresses) < len(found):
        raise ModuleError(
            f"{option} has {text!r}, which is no address of a port; write a MAC with its IP addresses behind it, such as"
            " 'aa:bb:cc:00:00:01 169.254.100.5', or router, unknown, dynamic"
        )
    return addresses


def networks_text(texts: Collection[str], option: str) -> str:
    """Networks as one text, comma-separated, host bits masked off, each once and in the order given."""
    return ",".join(dict.fromkeys(format_prefix(checked_prefix(text, option).network) for text in texts))


def text_of(value: Any) -> str:
    """A value from YAML as OVSDB holds it in a string map: booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def map_keys(
    now: Mapping[str, str], wanted: Mapping[str, Any] | None, purge: bool = False, kept: Collection[str] = ()
) -> dict[str, str | None]:
    """The keys to write so that a map holds what is wanted.

    An omitted map is left alone; a value of None removes its key; with ``purge`` all other keys go, but the ``kept`` ones.
    """
    if wanted is None:
        return {}
    keys: dict[str, str | None] = {str(key): None if value is None else text_of(value) for key, value in wanted.items()}
    if purge:
        keys.update({key: None for key in now if key not in keys and key not in kept})
    return keys
