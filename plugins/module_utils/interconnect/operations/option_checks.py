# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the values of a module's options, and converts them to the form in the databases."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ..address import Address, Prefix, format_prefix, parse_ip, parse_mac, parse_prefix
from .errors import ModuleError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: The maximum number of characters in a name. OVN's tools and logs cut or wrap longer ones.
LONGEST_NAME = 255
#: The number of characters of a long text that a message shows.
_SHOWN = 40


def checked_name(text: str, option: str) -> str:
    """A name that OVN's tools can display and accept.

    Raises ModuleError if it is empty, begins or ends with a space, contains control characters, or has more than 255
    characters.
    """
    if not text.strip():
        raise ModuleError(f"{option} is empty; set it to a name")
    if len(text) > LONGEST_NAME:
        shown = f"{text[:_SHOWN]}..."
        raise ModuleError(f"{option} {shown!r} has {len(text)} characters; use at most {LONGEST_NAME}")
    checked_text(text, option)
    if text != text.strip():
        raise ModuleError(f"{option} {text!r} begins or ends with a space; remove the space")
    return text


def present_name(text: str, option: str, state: str) -> str:
    """The name of an object. If the object should be present, it is checked like a new name; otherwise only an empty
    name is rejected.
    """
    return text if state == "absent" and text.strip() else checked_name(text, option)


def checked_text(text: str, option: str) -> str:
    """A text that OVN's tools can display and accept. Raises ModuleError if it contains control characters."""
    if _CONTROL.search(text):
        raise ModuleError(f"{option} {text[:_SHOWN]!r} contains a control character; use printable characters only")
    return text


def checked_prefix(text: str, option: str, example: str = "169.254.100.1/24") -> Prefix:
    """A prefix with its length. Raises ModuleError if it is not valid; ``example`` shows a valid value."""
    prefix = parse_prefix(text) if "/" in text else None
    if prefix is not None:
        return prefix
    host, slash, length = text.partition("/")
    address = parse_ip(host)
    if address is None:
        raise ModuleError(
            f"{option} has {text!r}, but {host!r} is not an IP address; write an address and a prefix length, such as {example}"
        )
    if not slash:
        raise ModuleError(f"{option} has {text!r} without a prefix length; add it, such as in {example}")
    longest = 128 if ":" in host else 32
    if length.isdecimal() and int(length) > longest:
        raise ModuleError(
            f"{option} has {text!r}, but an IPv{4 if longest == 32 else 6} prefix length is at most {longest}; correct {length}"
        )
    raise ModuleError(
        f"{option} has {text!r}, but {length!r} is not a prefix length; write a number from 0 to {longest}, such as in {example}"
    )


def checked_mac(text: str, option: str) -> str:
    """The MAC of a port. Raises ModuleError, with what is wrong, if a port cannot have it."""
    example = "aa:bb:cc:00:00:01"
    number = parse_mac(text)
    if not text.strip():
        raise ModuleError(f"{option} is empty; write a MAC such as {example}")
    if number is None:
        digits = re.sub(r"[^0-9a-fA-F]", "", text)
        groups = len(text.split(":"))
        if len(digits) == 12 and not re.search(r"[^0-9a-fA-F:.\-\s]", text) and (":" not in text or "-" in text):
            fixed = ":".join(re.findall("..", digits)).lower()
            raise ModuleError(f"{option} is {text!r}; OVN separates the six parts of a MAC by colons: write {fixed}")
        if re.fullmatch(r"[0-9a-fA-F:]*", text) and groups != 6:
            raise ModuleError(f"{option} is {text!r}, which has {groups} of the six parts of a MAC; write one such as {example}")
        raise ModuleError(f"{option} is {text!r}, which is not a MAC address; write one such as {example}")
    if number == 0:
        raise ModuleError(f"{option} is {text!r}, the zero MAC, which no port can have; write one such as {example}")
    if number == (1 << 48) - 1:
        raise ModuleError(f"{option} is {text!r}, the broadcast MAC, which no port can have; write one such as {example}")
    if number >> 40 & 1:
        raise ModuleError(
            f"{option} is {text!r}, a multicast MAC (the lowest bit of its first byte is set), which no port can have;"
            f" write one such as {example}"
        )
    return text


def port_addresses(text: str, option: str) -> list[Address]:
    """The IP addresses in one element of a port's ``addresses``: a MAC and IPs, ``router``, ``unknown``, or ``dynamic``
    and at most one IP.

    Raises ModuleError if it is none of these (spec deployment-G.2).
    """
    first, *others = text.split() or [""]
    limit = {"router": 0, "unknown": 0, "dynamic": 1}.get(first)
    if limit is None:
        if ":" not in first and "-" not in first:
            raise ModuleError(
                f"{option} has {text!r}, which begins with neither a MAC nor router, unknown or dynamic; write a MAC and the IP addresses"
                " after it, such as 'aa:bb:cc:00:00:01 169.254.100.5'"
            )
        checked_mac(first, option)
    elif len(others) > limit:
        raise ModuleError(f"{option} has {text!r}; {'one IP address' if limit else 'nothing'} may follow {first!r}: remove the rest")
    addresses = []
    for word in others:
        address = parse_ip(word)
        if address is None:
            advice = "omit the prefix length" if parse_prefix(word) is not None else "write one such as 169.254.100.5"
            raise ModuleError(f"{option} has {text!r}, but {word!r} is not an IP address; {advice}")
        addresses.append(address)
    return addresses


def networks_text(texts: Collection[str], option: str) -> str:
    """Networks as one comma-separated text, without host bits and duplicates, in the given order."""
    return ",".join(dict.fromkeys(format_prefix(checked_prefix(text, option, "169.254.100.0/24").network) for text in texts))


def text_of(value: Any, option: str) -> str:
    """A key or value from YAML in the form of OVSDB's string maps: booleans in lower case.

    Raises ModuleError for a list or a dictionary, because its Python notation does not belong in the database.
    """
    if isinstance(value, (list, tuple, set, dict)):
        kind = "dictionary" if isinstance(value, dict) else "list"
        raise ModuleError(f"{option} contains a {kind} ({value!r}), but OVSDB stores one text for each map key; write it as one text")
    return str(value).lower() if isinstance(value, bool) else str(value)


def map_keys(
    now: Mapping[str, str],
    wanted: Mapping[str, Any] | None,
    option: str,
    purge: bool = False,
    kept: Collection[str] = (),
) -> dict[str, str | None]:
    """The keys to write so that a map has the contents in the option.

    An omitted map is not changed. A value of None removes its key. With ``purge``, all other keys are removed except
    those in ``kept``. Raises ModuleError for values that are not scalars.
    """
    if wanted is None:
        return {}
    keys = {text_of(key, option): None if value is None else text_of(value, f"{option}[{key}]") for key, value in wanted.items()}
    if "" in keys:
        raise ModuleError(f"{option} has an empty map key; write a name for the key")
    for key in keys:
        checked_text(key, f"the map key of {option}")
    if purge:
        keys.update({key: None for key in now if key not in keys and key not in kept})
    return keys


def refuse_kept(now: Mapping[str, str], given: Mapping[str, Any] | None, column: str, kept: Mapping[str, str]) -> None:
    """Raise ModuleError if an option changes a map key that a program sets. ``kept``: map key -> the program, for the message."""
    for key, setter in kept.items():
        if given is not None and key in given and given[key] != now.get(key):
            raise ModuleError(f"{column} has the map key {key}, which {setter} sets; leave it out of {column}")
