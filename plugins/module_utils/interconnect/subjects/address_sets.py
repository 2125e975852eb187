# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``Address_Set`` in both directions: sets with ic-adv to IC_SB, the union of the other zones' sets to NB
(docs/spec/address-sets.md).

A key is a set's name and a direction.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

from ..engine import change as changes
from ..engine.change import Skipped, Step
from ..engine.engine import ALL, Keys, Subject
from ..ovsdb.store import Row, RowChange
from ..settings import ZoneOptions, boolean
from ..tables import IC_SB, NB, SB
from ..zone import Zone

_TABLE = "Address_Set"
#: Key of NB Address_Set.external_ids: the set was learned from other zones, so this daemon may change it.
LEARNED_KEY = "ic-learnt"


class SetKey(NamedTuple):
    """A key: the address set with this name, and the direction. ``publish``: whether it is published in IC_SB or learned
    from there. With an empty name, the plan consists only of reports about the zone.
    """

    name: str
    publish: bool

    def __str__(self) -> str:
        return f"address set {self.name}"


_NOTE = SetKey("", True)


class AddressSets(Subject):
    """Keeps this zone's rows of IC_SB ``Address_Set`` and the learned rows of NB up to date."""

    name = "address_sets"
    tables = frozenset({(NB, "NB_Global"), (NB, _TABLE), (SB, _TABLE), (IC_SB, _TABLE)})

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        if change.table == "NB_Global":
            return (ALL,) if _switches(change.old) != _switches(change.new) else ()
        names = {row["name"] for row in change.rows}
        if change.database == SB:
            return [SetKey(name, True) for name in names]
        if change.database == NB:
            return [SetKey(name, False) for name in names]
        return [SetKey(name, publish) for name in names for publish in (True, False)]

    def all_keys(self, zone: Zone) -> Iterator[Hashable]:
        yield _NOTE
        if not zone.ic_sb.schema.has(_TABLE):
            return
        for store in (zone.sb, zone.ic_sb):
            for row in store.rows(_TABLE):
                yield SetKey(row["name"], True)
        for store in (zone.nb, zone.ic_sb):
            for row in store.rows(_TABLE):
                yield SetKey(row["name"], False)

    def plan(self, key: Hashable, zone: Zone) -> Iterable[Step]:
        if not isinstance(key, SetKey):
            return ()
        if not zone.ic_sb.schema.has(_TABLE):
            return _unsupported(zone) if key == _NOTE else ()
        az = zone.own_az
        if az is None:
            return ()
        return _publish(zone, az.uuid, key.name) if key.publish else _learn(zone, az.uuid, key.name)


def _switches(row: Row | None) -> tuple[bool, bool]:
    options = ZoneOptions.read(row["options"] if row is not None else {})
    return options.as_adv, options.as_learn


def _unsupported(zone: Zone) -> Iterator[Step]:
    if zone.options.as_adv or zone.options.as_learn:
        yield Skipped(
            "NB_Global",
            ("ic-as-adv and ic-as-learn have no effect because this IC_SB has no table Address_Set; upgrade its schema to 2.7.0 or later"),
        )


def _publish(zone: Zone, owner: str, name: str) -> Iterator[Step]:
    """Publish a set of this zone in IC_SB, or withdraw it (spec address-sets-A3, address-sets-A4)."""
    own = [row for row in zone.ic_sb.find(_TABLE, "name", name) if row["availability_zone"] == owner]
    source = zone.sb.first(_TABLE, "name", name)
    reason = _not_published(zone, source)
    if source is not None and reason is None:
        if own:
            members = {"addresses": changes.replace(own[0]["addresses"], source["addresses"])}
            yield from changes.update(
                zone.ic_sb, _TABLE, own.pop(0), record=name, reason="the zone's set has other addresses", members=members
            )
        else:
            columns = {"name": name, "availability_zone": owner, "addresses": source["addresses"]}
            yield changes.insert(zone.ic_sb, _TABLE, columns, record=name, reason="the set has the option ic-adv")
    for row in own:
        yield changes.delete(zone.ic_sb, _TABLE, row, record=name, reason=reason or "the set is published by another row")


def _not_published(zone: Zone, source: Row | None) -> str | None:
    if not zone.options.as_adv:
        return "ic-as-adv is off"
    if source is None:
        return "the zone has no such set"
    return None if boolean(source["options"], "ic-adv") else "the set does not have the option ic-adv=true"


def _learn(zone: Zone, owner: str, name: str) -> Iterator[Step]:
    """Make the learned NB set of this name the union of what other zones publish.

    The rules are spec address-sets-A2, address-sets-A5, address-sets-A6.
    """
    remote = [row for row in zone.ic_sb.find(_TABLE, "name", name) if row["availability_zone"] != owner]
    local = zone.nb.first(_TABLE, "name", name)
    if local is not None and not boolean(local["external_ids"], LEARNED_KEY):
        if remote and zone.options.as_learn:
            yield Skipped(
                name,
                (
                    f"the address set {name} of other zones is not learned because the zone has its own set with "
                    "this name; rename one of them"
                ),
            )
        return  # the zone's own set takes precedence
    if not remote or not zone.options.as_learn:
        if local is not None:
            reason = "no other zone publishes it" if not remote else "ic-as-learn is off"
            yield changes.delete(zone.nb, _TABLE, local, record=name, reason=reason)
        return
    addresses = frozenset[str]().union(*(row["addresses"] for row in remote))
    if local is None:
        columns = {"name": name, "addresses": addresses, "external_ids": {LEARNED_KEY: "true"}}
        yield changes.insert(zone.nb, _TABLE, columns, record=name, reason="another zone publishes it")
    else:
        members = {"addresses": changes.replace(local["addresses"], addresses)}
        yield from changes.update(zone.nb, _TABLE, local, record=name, reason="the other zones' addresses", members=members)
