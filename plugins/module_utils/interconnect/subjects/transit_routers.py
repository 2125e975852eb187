# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transit routers (spec switches-5): the NB router in this zone, and the IC_SB datapath with its
tunnel key.

There are two kinds of keys: ``("name", n)`` for the NB routers that stand for, or claim to be, transit router n, and
``("datapath", uuid)`` for the IC_SB datapaths of the IC_NB row with that UUID (None: of no row). A datapath does not
contain the router's name. If the router's row in IC_NB has a new UUID, as after a restore, its tunnel key in NB
identifies its former datapath.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import cast

from ..engine.change import Skipped, Step, delete, insert, update
from ..engine.engine import Keys, Subject
from ..ovsdb.store import Row, RowChange
from ..tables import IC_SB
from ..zone import KEY_NOTE, ROW_KEY, Facts, Zone
from . import transit
from .held_keys import NORMAL_KEYS, Owner, awaiting, concerned, kept_key
from .ownership import ROUTER, end, marks, namesakes, new_marks, resolve_surplus, row_of
from .transit import ROUTER_KEY, ROUTER_TYPE, note, requested
from .tunnel_keys import DatapathKeys, contested, duplicate, holder, keeps_key, sharing

_Key = tuple[str, "str | None"]


class TransitRouters(Subject):
    """Creates the zone's routers and the shared datapaths of the transit routers in IC_NB."""

    name = "transit_routers"
    tables = transit.TABLES | {(IC_SB, "IC_SB_Global"), (IC_SB, "Port_Binding")}
    facts = Subject.facts | {"shared_lock", "keeps_keys"}

    def __init__(self, keys: DatapathKeys | None = None) -> None:
        self._keys = keys or DatapathKeys()
        #: The transit routers, by UUID, for which no key was free.
        self._starved: set[str] = set()

    def prepare(self, zone: Zone) -> None:
        transit.register(zone)
        transit.register_router_ports(zone)
        self._keys.prepare(zone)

    def infer(self, facts: Facts, changes: Sequence[RowChange] | None, zone: Zone) -> Facts:
        return transit.seen(ROUTER, facts, changes, zone) if transit.has_type(zone) else facts

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        if change.table == "IC_SB_Global":
            yield from _named(zone, concerned(change, zone))
            return
        yield from _sharing(zone, contested(change, zone))
        if change.table == "Transit_Router":
            if change.changed("name", "external_ids"):
                yield from _of_uuid(zone, change.uuid)
                for row in change.rows:
                    yield from _of_name(zone, row["name"])
                for router in zone.nb.find("Logical_Router", ROW_KEY, change.uuid):
                    yield ("name", router["options"].get(ROUTER_KEY, ""))
        elif change.table == "Logical_Router":
            for name in _router_names(change, zone):
                yield from _of_name(zone, name)
        elif change.table == "Port_Binding":
            yield from (("name", name) for name in transit.unclaimed(zone, ROUTER, change))
            if change.changed("type", "transit_switch", "availability_zone", "nb_ic_uuid"):
                for row in change.rows:
                    if transit.is_router_port(row) and zone.ic_nb.row("Transit_Router", row["nb_ic_uuid"]) is None:
                        yield from _with_heirs(zone, row["nb_ic_uuid"])
        elif change.table == "Datapath_Binding":
            yield from self._of_datapath(change, zone)

    def _of_datapath(self, change: RowChange, zone: Zone) -> Keys:
        for row in change.rows:
            if row["type"] == ROUTER_TYPE:
                yield from _of_router_datapath(zone, row)
                yield from (("datapath", asker.uuid) for asker in _askers(zone, row["tunnel_key"]))
                if zone.ic_nb.row("Transit_Router", row["nb_ic_uuid"]) is None:
                    yield from _with_heirs(zone, row["nb_ic_uuid"])
        keys = [row["tunnel_key"] for row in change.rows]
        yield from _sharing(zone, keys)
        yield from _named(zone, awaiting(zone, keys))
        if change.old is not None and change.changed("tunnel_key"):
            self._keys.freed(change.old["tunnel_key"])
            yield from (("datapath", uuid) for uuid in tuple(self._starved))

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        keys: dict[_Key, None] = {}
        for row in zone.ic_nb.rows("Transit_Router"):
            keys[("name", row["name"])] = None
            keys[("datapath", row.uuid)] = None
        for name in zone.nb.index_keys("Logical_Router", ROUTER_KEY):
            keys[("name", cast("str", name))] = None
        for uuid in zone.ic_sb.index_keys("Datapath_Binding", "nb_ic_uuid"):
            keys[("datapath", cast("str | None", uuid))] = None
        return list(keys)

    def plan(self, key: Hashable, zone: Zone) -> Iterable[Step]:
        kind, value = cast("_Key", key)
        if kind == "datapath":
            return self._shared(zone, value) if zone.facts.shared_lock and transit.has_type(zone) else ()
        return _local(zone, value or "")

    def _shared(self, zone: Zone, uuid: str | None) -> Iterator[Step]:
        """Insert the datapath of a transit router, or delete surplus ones (spec switches-R-4, switches-R-5). A datapath
        that names no transit router is deleted too; upstream's daemon crashes when it finds one.
        """
        transit_router = zone.ic_nb.row("Transit_Router", uuid)
        datapaths = transit.router_datapaths(zone, uuid)
        self._keys.release(("router", uuid))
        self._starved.discard(uuid or "")
        if transit_router is None:
            for orphan in datapaths:
                yield from _bequeath(zone, orphan, uuid)
            return
        if datapaths:
            yield from self._maintain(zone, transit_router, datapaths[0])
        elif _inheritance(zone, transit_router) is None:
            yield from self._publish(zone, transit_router)
        for surplus in datapaths[1:]:
            reason = "the transit router has another datapath"
            yield delete(zone.ic_sb, "Datapath_Binding", surplus, record=transit_router["name"], reason=reason, shared=True)

    def _publish(self, zone: Zone, transit_router: Row) -> Iterator[Step]:
        name = transit_router["name"]
        key = self._take(zone, transit_router)
        if key is None:
            yield _exhausted(name)
            return
        columns = {"tunnel_key": key, "type": ROUTER_TYPE, "nb_ic_uuid": transit_router.uuid}
        yield insert(zone.ic_sb, "Datapath_Binding", columns, record=name, reason=f"transit router {name} exists in IC_NB", shared=True)

    def _maintain(self, zone: Zone, transit_router: Row, datapath: Row) -> Iterator[Step]:
        """The key never changes (spec switches-R-5), unless another datapath has it too (spec switches-K-5)."""
        name = transit_router["name"]
        fault = self._keys.fault(zone, ("router", name), datapath["tunnel_key"])
        if fault is None and keeps_key(zone, datapath):
            reason = "IC_NB records the tunnel key, so that it survives the loss of IC_SB"
            keys = {"external_ids": {KEY_NOTE: str(datapath["tunnel_key"])}}
            yield from update(zone.ic_nb, "Transit_Router", transit_router, record=name, reason=reason, keys=keys)
            return
        key = self._take(zone, transit_router)
        if key is None:
            yield _exhausted(name)
            return
        reason = fault or f"another datapath has its key {datapath['tunnel_key']} too"
        columns = {"tunnel_key": key}
        yield from update(zone.ic_sb, "Datapath_Binding", datapath, record=name, reason=reason, columns=columns, shared=True)

    def _take(self, zone: Zone, transit_router: Row) -> int | None:
        """A key: the one that the zone's router has, if it is free, so that keys survive."""
        routers = transit.routers(zone, transit_router["name"])
        here = requested(routers[0]["options"]) if routers else 0
        owner, place = ("router", transit_router["name"]), ("router", transit_router.uuid)
        key = self._keys.take(zone, owner, place, NORMAL_KEYS, note(transit_router), here)
        if key is None:
            self._starved.add(transit_router.uuid)
        return key


def _exhausted(name: str) -> Skipped:
    return Skipped(
        name,
        (
            f"no tunnel key between {NORMAL_KEYS.start} and {NORMAL_KEYS.stop - 1} is free for transit router {name}; "
            "remove unused transit switches or routers"
        ),
    )


def _bequeath(zone: Zone, orphan: Row, uuid: str | None) -> Iterator[Step]:
    """Give the datapath of a deleted transit router to the one that continues with its key, so that the key survives;
    else delete it after its last port.

    A zone that withholds the deletion of its router, or whose daemon is down, keeps its ports there. Its router has the
    tunnel key, which the transit router gets back when it is defined again.
    """
    for heir in (*_askers(zone, orphan["tunnel_key"]), *_namesakes(zone, uuid)):
        if _inheritance(zone, heir) == orphan:
            reason = f"it has the key of transit router {heir['name']}, which now has another row in IC_NB"
            columns = {"nb_ic_uuid": heir.uuid}
            yield from update(zone.ic_sb, "Datapath_Binding", orphan, record=heir["name"], reason=reason, columns=columns, shared=True)
            return
    ports = transit.router_ports(zone, uuid)
    label = f"transit router {min((row['transit_switch'] for row in ports), default=uuid or 'without uuid')}"
    owners = sorted({zone.az_name(row["availability_zone"]) for row in ports})
    if owners:
        yield Skipped(
            label,
            (
                f"IC_NB does not have {label}, but the zones {', '.join(owners)} have ports on it: its datapath and tunnel key "
                f"{orphan['tunnel_key']} are kept until these ports are deleted; start the daemons of these zones, or release the deletion "
                "there (ovn-appctl -t ovn-ic guard/release)"
            ),
            logged=False,
        )
        return
    yield delete(zone.ic_sb, "Datapath_Binding", orphan, record=label, reason="IC_NB has no such transit router", shared=True)


def _inheritance(zone: Zone, transit_router: Row) -> Row | None:
    """The datapath that a transit router without a datapath takes over. Its transit router was deleted, and it has the
    tunnel key of this zone's router, or ports with the name of the transit router.
    """
    name = transit_router["name"]
    if transit.router_datapaths(zone, transit_router.uuid):
        return None
    found: list[Row] = []
    for router in transit.routers(zone, name)[:1]:
        found += zone.ic_sb.find("Datapath_Binding", "tunnel_key", requested(router["options"]))
    for port in zone.ic_sb.find("Port_Binding", "transit_switch", name):
        if transit.is_router_port(port):
            found += transit.router_datapaths(zone, port["nb_ic_uuid"])
    orphans = [row for row in found if row["type"] == ROUTER_TYPE and zone.ic_nb.row("Transit_Router", row["nb_ic_uuid"]) is None]
    return orphans[0] if orphans else None


def _namesakes(zone: Zone, uuid: str | None) -> Iterator[Row]:
    """The transit routers that have the name of a deleted one, which its port bindings still name."""
    for name in dict.fromkeys(row["transit_switch"] for row in transit.router_ports(zone, uuid)):
        transit_router = zone.ic_nb.first("Transit_Router", "name", name)
        if transit_router is not None:
            yield transit_router


def _with_heirs(zone: Zone, uuid: str | None) -> Iterator[_Key]:
    """The keys of the datapaths of a deleted transit router, and of those that may continue with them."""
    yield ("datapath", uuid)
    yield from (("datapath", heir.uuid) for heir in _namesakes(zone, uuid))


def _askers(zone: Zone, key: int) -> Iterator[Row]:
    """The transit routers whose NB routers request this key."""
    for router in zone.nb.find("Logical_Router", transit.REQUESTED_KEY, key):
        transit_router = zone.ic_nb.first("Transit_Router", "name", router["options"][ROUTER_KEY])
        if transit_router is not None:
            yield transit_router


def _local(zone: Zone, name: str) -> Iterator[Step]:
    """Create or update the NB router of a transit router (spec switches-R-1, switches-R-2). A router without a
    definition is deleted or released, depending on who created it (spec switches-R-3).
    """
    transit_router = zone.ic_nb.first("Transit_Router", "name", name)
    candidates = transit.routers(zone, name)
    if transit_router is None:
        for router in candidates:
            yield from end(ROUTER, zone, router, name, proof=transit.known_here(zone, ROUTER, router, name))
        return
    if not transit.has_type(zone):
        yield Skipped(
            name,
            (
                f"transit router {name} is not created because the IC_SB schema has no column "
                "Datapath_Binding.type; upgrade it to OVN 26.03 or later"
            ),
        )
        return
    yield from _adjust(zone, transit_router, candidates[0] if candidates else None)
    for other in candidates[1:]:
        yield resolve_surplus(ROUTER, zone, other, name)
    yield from namesakes(ROUTER, zone, name)


def _adjust(zone: Zone, transit_router: Row, router: Row | None) -> Iterator[Step]:
    name = transit_router["name"]
    datapaths = transit.router_datapaths(zone, transit_router.uuid)
    follows = bool(datapaths) and keeps_key(zone, datapaths[0]) and not kept_key(zone, ("router", name))
    key = datapaths[0]["tunnel_key"] if follows else None
    yield from duplicate(zone, name, datapaths[0] if datapaths else None)
    other = holder(zone, ROUTER, name, key) if key is not None else None
    if other is not None and key is not None:
        yield other.reported(ROUTER, name, key)
        key = None
    if router is None:
        options = {ROUTER_KEY: name}
        if key is not None:
            options[transit.REQUESTED_KEY] = str(key)
        columns = {"name": name, "options": options, "external_ids": new_marks(name, transit_router)}
        yield insert(zone.nb, "Logical_Router", columns, record=name, reason=f"transit router {name} exists in IC_NB")
        return
    keys: dict[str, Mapping[str, str | None]] = {
        "options": {} if key is None else transit.key_option(router["options"], key),
        "external_ids": marks(ROUTER, zone, router, transit_router) or {},
    }
    columns, former = {}, router["options"][ROUTER_KEY]
    if former != name:
        keys["options"] = {**keys["options"], ROUTER_KEY: name}
        if router["name"] == former:
            columns["name"] = name
    reason = f"it stands for transit router {name}"
    yield from update(zone.nb, "Logical_Router", router, record=router["name"], reason=reason, columns=columns, keys=keys)


def _router_names(change: RowChange, zone: Zone) -> Iterator[str]:
    if change.changed("name", "options", "external_ids"):
        for row in change.rows:
            made_for = row_of(ROUTER, zone, row)
            if made_for is not None:
                yield made_for["name"]
            if zone.ic_nb.first("Transit_Router", "name", row["name"]) is not None:
                yield row["name"]
    for name in dict.fromkeys(row["options"].get(ROUTER_KEY) for row in change.rows):
        # Which of several candidates is kept also depends on their ports.
        if name is not None and (
            change.changed("name", "options", "external_ids") or len(zone.nb.find("Logical_Router", ROUTER_KEY, name)) > 1
        ):
            yield name


def _of_router_datapath(zone: Zone, datapath: Row) -> Iterator[_Key]:
    """The keys of a router's datapath and of its NB router."""
    yield ("datapath", datapath["nb_ic_uuid"])
    transit_router = zone.ic_nb.row("Transit_Router", datapath["nb_ic_uuid"])
    if transit_router is not None:
        yield ("name", transit_router["name"])


def _of_uuid(zone: Zone, uuid: str) -> Iterator[_Key]:
    """The keys of a transit router's datapath, and of those that share a tunnel key with it."""
    yield ("datapath", uuid)
    yield from _sharing(zone, (row["tunnel_key"] for row in transit.router_datapaths(zone, uuid)))


def _sharing(zone: Zone, keys: Iterable[int]) -> Iterator[_Key]:
    for row in sharing(zone, keys):
        if row["type"] == ROUTER_TYPE:
            yield from _of_router_datapath(zone, row)


def _named(zone: Zone, owners: Iterable[Owner]) -> Iterator[_Key]:
    for word, name in owners:
        if word == "router":
            yield from _of_name(zone, name)


def _of_name(zone: Zone, name: str) -> Iterator[_Key]:
    """The keys that depend on a name: of its NB routers, of its datapath, and of one that it may inherit."""
    yield ("name", name)
    transit_router = zone.ic_nb.first("Transit_Router", "name", name)
    if transit_router is not None:
        yield from _of_uuid(zone, transit_router.uuid)
        inheritance = _inheritance(zone, transit_router)
        if inheritance is not None:
            yield ("datapath", inheritance["nb_ic_uuid"])
