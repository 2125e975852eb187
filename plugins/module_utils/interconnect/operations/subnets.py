# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The subnets of transit switches, stored in IC_NB Transit_Switch.external_ids: their text, and the checks of new ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..address import Prefix, format_address, format_prefix
from ..ovsdb.store import Store
from ..tables import IC_NB, IC_SB
from .addressing import Occupant, bound, occupant, overlap, read_subnets, subnet
from .errors import ModuleError
from .usage import shared_names

Stores = Mapping[str, Store]

SUBNETS = "transit-subnets"


def wanted_subnets(texts: Sequence[str]) -> list[Prefix]:
    """The subnets in the option, without duplicates. Raises ModuleError if one is not valid, or two of them overlap."""
    found = list(dict.fromkeys(subnet(text, "subnets") for text in texts))
    for number, one in enumerate(found):
        for other in found[:number]:
            if overlap(one, other):
                raise ModuleError(f"subnets has {format_prefix(other)} and {format_prefix(one)}, which overlap; give only one of them")
    return found


def subnets_text(texts: Sequence[str]) -> str:
    """The subnets as the database stores them: comma-separated, without host bits."""
    return ",".join(map(format_prefix, wanted_subnets(texts)))


def check(names: Sequence[str], texts: Sequence[str], stores: Stores, former: str | None = None) -> None:
    """Raise ModuleError if the named transit switch cannot have these subnets: another one has them, or ports are
    outside.

    Ports of zones are checked if IC_SB was read. ``former`` is the previous name of a switch that this task renames.
    """
    subnets, store = wanted_subnets(texts), stores[IC_NB]
    if len(set(names)) > 1:
        raise ModuleError(
            f"name lists {len(set(names))} transit switches and subnets is given, but each transit switch needs "
            "its own subnets; use one task for each transit switch"
        )
    own = {*names, *filter(None, [former])}
    for row in sorted(store.rows("Transit_Switch"), key=lambda row: str(row["name"])):
        if row["name"] in own:
            continue
        for other in read_subnets(row["external_ids"].get(SUBNETS, "")):
            for one in subnets:
                if overlap(one, other):
                    raise ModuleError(
                        f"the subnet {format_prefix(one)} overlaps with {format_prefix(other.network)} of transit switch {row['name']!r};"
                        " choose another subnet",
                        database=IC_NB,
                    )
    for name in sorted(own):
        _check_ports(name, subnets, stores)


def _check_ports(name: str, subnets: Sequence[Prefix], stores: Stores) -> None:
    for port in _ports(name, stores):
        for network in port.networks:
            if not any(one.contains(network.host) for one in subnets):
                raise ModuleError(
                    f"{port} has the address {format_address(network.host)}, which is outside "
                    f"{', '.join(map(format_prefix, subnets))}; keep its subnet in the list, or change the "
                    "address of the port first",
                    database=port.database,
                )


def _ports(name: str, stores: Stores) -> Iterator[Occupant]:
    """The ports on the transit switch: those that zones have published, and those that IC_NB defines."""
    if IC_SB in stores:
        for shared in sorted(shared_names(stores, "Transit_Switch", name)):
            yield from bound(stores[IC_SB], shared, None)
    store = stores[IC_NB]
    for row in store.rows("Transit_Switch"):
        if row["name"] == name:
            for port in store.child_rows("Transit_Switch", "ports", row.uuid, "Transit_Switch_Port"):
                yield occupant(port["name"], "", IC_NB, port["addresses"])
