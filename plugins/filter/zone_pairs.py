# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares what each zone of an interconnect has of each other zone, as a table and as sentences."""

from __future__ import annotations

DOCUMENTATION = r"""
name: zone_pairs
short_description: Show what each zone of an interconnect has of each other zone
version_added: 0.1.0
description:
  - Compares, for each ordered pair of zones, what the first has of the second with the contents of IC_SB, and adds the results of pings.
  - The playbook C(verify.yml) shows the table that it returns.
author:
  - The ovn.interconnect authors (@ovn)
positional: _input
options:
  _input:
    description:
      - A dictionary for each zone.
      - C(name), the name of the zone.
      - C(interconnect), the rows of Availability_Zone, Port_Binding and Route in IC_SB, each as C(ovn-ic-sbctl --format=json) prints them.
      - C(south), the rows of Chassis and Port_Binding in SB, printed in the same way.
      - C(north), the rows of NB_Global and Logical_Router_Static_Route in NB, printed in the same way.
      - C(pings), a list of C(zone), C(address), C(size) (0 for a plain ping) and C(answer), the milliseconds of a
        round trip or an empty text.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the table
  ansible.builtin.debug:
    msg: "{{ (zones | ovn.interconnect.zone_pairs).table }}"
"""

RETURN = r"""
_value:
  description:
    - C(table), the lines of the table.
    - C(problems), a sentence for each pair with a problem, including the names of the pair.
    - C(untried), the zones without a ping to or from them.
  type: dict
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.ovn.interconnect.plugins.plugin_utils.tables import rows

COLUMNS = ("from", "to", "gateways", "keys", "routes", "ping", "mtu")


class _Zone:
    """One zone: its rows in IC_SB, and the rows in its own databases."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.name: str = facts["name"]
        zones, ports, routes = map(rows, facts["interconnect"])
        self.uuids = {row["name"]: row["_uuid"] for row in zones}
        self.ports, self.routes = ports, routes
        chassis, bindings = map(rows, facts["south"])
        self.chassis = {row["name"] for row in chassis}
        self.bindings = {row["logical_port"]: row for row in bindings}
        options, learned = map(rows, facts["north"])
        self.learns = any(row["options"].get("ic-route-learn") == "true" for row in options)
        self.learned = {row["external_ids"].get("ic-learned-route") for row in learned}
        self.pings: Sequence[Mapping[str, Any]] = facts.get("pings", ())


class _Pair(NamedTuple):
    """A line of the table, and the problems of the pair."""

    cells: tuple[str, ...]
    problems: list[str]


def _gateways(source: _Zone, ports: Iterable[Mapping[str, Any]], problems: list[str]) -> str:
    names = set()
    for port in ports:
        gateway, binding = port["gateway"], source.bindings.get(port["logical_port"])
        if not gateway:
            problems.append(f"no gateway hosts {port['logical_port']}")
        elif gateway not in source.chassis:
            problems.append(f"the gateway {gateway} does not exist as a chassis")
        elif binding is not None and not binding["chassis"]:
            problems.append(f"{port['logical_port']} is not bound to a gateway")
        names.add(gateway or "none")
    return " ".join(sorted(names)) or "no port"


def _keys(source: _Zone, ports: Iterable[Mapping[str, Any]], problems: list[str]) -> str:
    wrong = []
    for port in ports:
        binding = source.bindings.get(port["logical_port"])
        if binding is None:
            wrong.append(f"{port['logical_port']} does not exist")
        elif binding["tunnel_key"] != port["tunnel_key"]:
            wrong.append(f"{port['logical_port']} has the key {binding['tunnel_key']} instead of {port['tunnel_key']}")
    problems += wrong
    return "differ" if wrong else "agree"


def _routes(source: _Zone, uuid: str | None, problems: list[str]) -> str:
    offered = {row["_uuid"] for row in source.routes if row["availability_zone"] == uuid}
    learned = offered & source.learned
    if source.learns and offered and not learned:
        problems.append(f"none of {len(offered)} routes is learned")
    return f"{len(learned)} of {len(offered)}"


def _pings(source: _Zone, target: _Zone, problems: list[str]) -> Iterator[str]:
    """The cells for the plain pings and for those with a size."""
    for sized in (False, True):
        pings = [ping for ping in source.pings if ping["zone"] == target.name and bool(int(ping["size"])) is sized]
        lost = [ping for ping in pings if not ping["answer"]]
        for ping in lost:
            size = f" with {ping['size']} bytes" if sized else ""
            problems.append(f"a ping of {ping['address']}{size} is lost")
        if not pings:
            yield "not tried"
        elif lost:
            yield "lost"
        else:
            yield f"{max(int(ping['size']) for ping in pings)}" if sized else f"{max(float(ping['answer']) for ping in pings):.1f} ms"


def _pair(source: _Zone, target: _Zone) -> _Pair:
    problems: list[str] = []
    uuid = source.uuids.get(target.name)
    ports = [row for row in source.ports if row["availability_zone"] == uuid]
    control = (_gateways(source, ports, problems), _keys(source, ports, problems), _routes(source, uuid, problems))
    sound = not problems
    data = tuple(_pings(source, target, problems))
    if sound and problems:
        problems.append("although both zones agree: make ovn-controller of their gateways recompute its flows, see verify.yml")
    return _Pair((source.name, target.name, *control, *data), problems)


def _table(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]


def zone_pairs(zones: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The table of all ordered pairs of these zones, the problems, and the zones without any ping."""
    known = sorted(map(_Zone, zones), key=lambda zone: zone.name)
    pairs = [_pair(source, target) for source in known for target in known if source is not target]
    pinged = {name for zone in known for ping in zone.pings for name in (zone.name, ping["zone"])}
    return {
        "table": _table([COLUMNS, *(pair.cells for pair in pairs)]),
        "problems": [f"{pair.cells[0]} to {pair.cells[1]} ({', '.join(pair.problems)})" for pair in pairs if pair.problems],
        "untried": [zone.name for zone in known if zone.name not in pinged],
    }


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Any]:
        """The name of the filter and its function."""
        return {"zone_pairs": zone_pairs}
