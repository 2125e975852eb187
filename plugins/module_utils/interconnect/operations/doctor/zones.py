# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The zones themselves: registration, progress, and withheld deletions."""

from __future__ import annotations

from collections.abc import Iterator

from ...subjects import managed_ports
from ...subjects.progress import has_counters, laggards
from ...tables import SB
from ...zone import HOLD, ZONE_KEY
from .databases import Databases, Finding

_PURGE = "or purge it with ovn_ic_az if it is gone"


def progress(databases: Databases) -> Iterator[Finding]:
    """Zones that have not confirmed the newest request."""
    wanted = databases.north.only("IC_NB_Global")
    number = wanted["nb_ic_cfg"] if wanted is not None else 0
    for name, confirmed in laggards(databases.zone) if has_counters(databases.zone) else ():
        words = f"the zone has confirmed request {confirmed}, but the newest request is {number}: its contents may be out of date"
        yield Finding("zone-behind", name, words, f"check its sync daemon, {_PURGE}")


def registered(databases: Databases) -> Iterator[Finding]:
    """Zones without gateways, which other zones cannot send packets to."""
    owners = {row["availability_zone"] for row in databases.south.rows("Gateway")}
    ports = (row for row in databases.south.rows("Port_Binding") if not managed_ports.is_in_every_zone(databases.zone, row))
    active = {row["availability_zone"] for row in (*ports, *databases.south.rows("Route"))}
    for uuid, name in databases.names.items():
        if uuid not in owners and uuid in active:
            words = "the zone has no gateway, but still has ports or routes in IC_SB: other zones send packets nowhere"
            yield Finding("zone-stale", name, words, f"make a chassis a gateway with ovn_ic_gateway, {_PURGE}")
        elif uuid not in owners:
            yield Finding("zone-without-gateway", name, "the zone has no gateway", f"make a chassis one with ovn_ic_gateway, {_PURGE}")


def own(databases: Databases) -> Iterator[Finding]:
    """The registration of the given zone, and what it withholds."""
    zone = databases.zone
    row = zone.nb_global
    ids = row["external_ids"] if row is not None else {}
    label = zone.name or "the zone of nb_db"
    if not zone.name:
        yield Finding("zone-unnamed", label, "NB_Global.name is empty, so the zone is not registered", "name the zone with ovn_ic_az")
    elif zone.own_az is None:
        same = next((az for az in databases.south.rows("Availability_Zone") if az["name"] == zone.name), None)
        if same is None:
            words, fix = "the zone is not registered in IC_SB", "check that its sync daemon runs, or register it with ovn_ic_az"
            yield Finding("zone-unregistered", label, words, fix)
        elif ZONE_KEY in ids or zone.claimed_by(same) not in (None, zone.token):
            words = "another deployment has registered this name"
            fix = "give one of them another name; if the row belongs to this zone, run zone/claim on its daemon (ovn_ic_az, claim)"
            yield Finding("zone-name-taken", label, words, fix)
    for key, reason in sorted(ids.items()):
        if key.endswith(HOLD):
            words = f"deletions are withheld: {reason}"
            yield Finding("deletions-withheld", label, words, "restore the database, or release them with guard/release on the sync daemon")


def northd(databases: Databases) -> Iterator[Finding]:
    """An NB whose newest contents ovn-northd has not copied to SB."""
    row = databases.zone.nb.only("NB_Global")
    if row is not None and row["sb_cfg"] < row["nb_cfg"]:
        words = f"NB has request {row['nb_cfg']}, and SB the contents of {row['sb_cfg']}: {SB} is out of date"
        yield Finding("northd-behind", databases.zone.name, words, "check that ovn-northd of the zone runs and can write to SB")
