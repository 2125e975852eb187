# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tunnel keys: unique, and the same in IC_SB, NB and SB."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from ...ovsdb.store import Row
from ...settings import integer
from ...subjects import transit
from . import needs
from .check import ERROR, PORT, Check
from .databases import Databases, Finding, listed


def duplicates(databases: Databases) -> Iterator[Finding]:
    """Datapaths with the same tunnel key: packets of one arrive in the other."""
    datapaths: dict[int, list[str]] = defaultdict(list)
    for row in databases.south.rows("Datapath_Binding"):
        datapaths[row["tunnel_key"]].append(row["transit_switch"] or row.uuid)
    for key, names in datapaths.items():
        if len(names) > 1:
            fix = "delete all of these rows of IC_SB but one, and the daemons will create new ones"
            yield Finding("duplicate-datapath-key", f"tunnel key {key}", f"the datapaths {listed(names)} have this tunnel key", fix)


def mismatches(databases: Databases) -> Iterator[Finding]:
    """Datapaths and ports whose tunnel key differs between IC_SB, the request in NB, and SB."""
    zone = databases.zone
    by_switch = {_switch_of(row): row["tunnel_key"] for row in zone.sb.rows("Datapath_Binding")}
    shared = {row["transit_switch"]: row["tunnel_key"] for row in databases.south.rows("Datapath_Binding") if row["transit_switch"]}
    for switch in zone.nb.rows("Logical_Switch"):
        name = switch["other_config"].get(transit.SWITCH_KEY)
        if name in shared:
            requested, used = _requested(switch["other_config"]), by_switch.get(switch.uuid)
            yield from _mismatch("datapath-key-mismatch", f"{name} in zone {zone.name}", shared[name], requested, used)
    bindings = {row["logical_port"]: row for row in databases.switch_ports()}
    for one in databases.local_ports():
        binding, lsp = bindings.get(one.lsp["name"]), one.lsp
        if binding is not None and binding["transit_switch"] == one.transit_switch and (lsp["type"] == "remote" or zone.is_own(binding)):
            local = zone.port_binding(lsp["name"])
            used = local["tunnel_key"] if local is not None else None
            yield from _mismatch(
                "port-key-mismatch", f"{lsp['name']} in zone {zone.name}", binding["tunnel_key"], _requested(lsp["options"]), used
            )


def _switch_of(datapath: Row) -> str:
    """The logical switch of an SB datapath: nb_uuid, or external_ids:logical-switch in older schemas."""
    found: str = datapath["nb_uuid"] or datapath["external_ids"].get("logical-switch", "")
    return found


def _requested(options: Mapping[str, str]) -> int | None:
    """The key that NB requests; None if it requests none, and then ovn-northd's choice counts."""
    return integer(options, transit.REQUESTED_KEY, 0) or None


def _mismatch(check: str, place: str, wanted: int, requested: int | None, used: int | None) -> Iterator[Finding]:
    places = {"NB requests": requested, "SB has": used}
    wrong = [f"{words} {key}" for words, key in places.items() if key is not None and key != wanted]
    if wrong:
        words = f"IC_SB has the tunnel key {wanted}, but {' and '.join(wrong)}: packets of other zones arrive elsewhere or nowhere"
        yield Finding(check, place, words, "check that the sync daemon and ovn-northd run; find what else uses the key in this zone")


CHECKS = (
    Check(
        "duplicate-datapath-key",
        ERROR,
        "Datapath_Binding of IC_SB",
        "Two transit switches or routers have one tunnel key. Packets of one arrive in the other.",
        "Delete all of these rows of IC_SB but one. The daemons create new ones with other keys.",
        duplicates,
        (needs.DATAPATHS,),
    ),
    Check(
        "datapath-key-mismatch",
        ERROR,
        "transit switch",
        "A zone uses another tunnel key for a transit switch than IC_SB has. Packets between zones arrive elsewhere or nowhere.",
        "Check that the sync daemon and ovn-northd of the zone run, and find the datapath that already has the key in this zone.",
        mismatches,
        (needs.registered, needs.DATAPATHS),
    ),
    Check(
        "port-key-mismatch",
        ERROR,
        PORT,
        "A zone uses another tunnel key for a port than IC_SB has. Packets between zones arrive elsewhere or nowhere.",
        "Check that the sync daemon and ovn-northd of the zone run, and find the port that already has the key on the switch.",
        mismatches,
        (needs.registered, needs.PORTS),
    ),
)
