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
from . import needs
from .check import ERROR, WARNING, ZONE, Check
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


CHECKS = (
    Check(
        "zone-behind",
        ERROR,
        ZONE,
        "A zone has not confirmed the newest request (OVN 24.03 and later), so its ports and routes may be out of date.",
        "Check the zone's sync daemon, or purge the zone with `ovn_ic_az` if it is gone.",
        progress,
        (needs.ZONES,),
    ),
    Check(
        "zone-stale",
        ERROR,
        ZONE,
        "A zone has ports or routes in IC_SB and no gateway. Other zones send packets to it nowhere.",
        "Make a chassis a gateway with `ovn_ic_gateway`, or purge the zone with `ovn_ic_az` if it is gone.",
        registered,
        (needs.ZONES,),
    ),
    Check(
        "zone-without-gateway",
        WARNING,
        ZONE,
        "A zone is registered and has no gateway.",
        "Make a chassis a gateway with `ovn_ic_gateway`, or purge the zone with `ovn_ic_az` if it is gone.",
        registered,
        (needs.ZONES,),
    ),
    Check(
        "zone-unnamed",
        ERROR,
        ZONE,
        "`NB_Global.name` of the given zone is empty, so it is not registered.",
        "Name the zone with `ovn_ic_az`.",
        own,
        (needs.given,),
    ),
    Check(
        "zone-unregistered",
        ERROR,
        ZONE,
        "IC_SB has no zone with the name of the given one.",
        "Check that the zone's sync daemon runs, or register the zone with `ovn_ic_az`.",
        own,
        (needs.given,),
    ),
    Check(
        "zone-name-taken",
        ERROR,
        ZONE,
        "Another deployment has registered the name of the given zone.",
        "Give one of them another name. If the row belongs to this zone, claim it with `ovn_ic_az` (option `claim`).",
        own,
        (needs.given,),
    ),
    Check(
        "deletions-withheld",
        WARNING,
        ZONE,
        "The zone withholds deletions, because a database was replaced or rolled back.",
        "Restore the database, or release the deletions with `guard/release`. See [lost and restored databases](loss-and-restore.md).",
        own,
        (needs.given,),
    ),
    Check(
        "northd-behind",
        ERROR,
        ZONE,
        "ovn-northd of the zone has not copied the newest contents of NB to SB.",
        "Check that ovn-northd runs, and that its connections to NB and SB work.",
        northd,
        (needs.given,),
    ),
)
