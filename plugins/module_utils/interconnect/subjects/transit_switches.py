# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transit switches (spec switches-2 to switches-4): the NB switch in this zone, and the IC_SB datapath with
its tunnel key.

A key is the name of a transit switch: of a row in IC_NB, in the mark of an NB switch (``other_config:interconn-ts``),
or in an IC_SB datapath.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from ..engine.change import Skipped, Step, delete, insert, update
from ..engine.engine import ALL, Keys, Subject
from ..ovsdb.columns import version_numbers
from ..ovsdb.store import Row, RowChange
from ..settings import boolean
from ..tables import IC_NB, IC_SB, NB, SB
from ..zone import KEY_NOTE, ROW_KEY, Facts, Zone
from . import gateways, transit
from .held_keys import awaiting, concerned, kept_key, key_range, vxlan_mode
from .ownership import SWITCH, end, marks, namesakes, new_marks, resolve_surplus, row_of
from .renaming import pending, rename
from .transit import SWITCH_KEY, SWITCH_TYPE, note, requested
from .tunnel_keys import DatapathKeys, contested, duplicate, holder, keeps_key, sharing

VXLAN_KEY = "ic-vxlan_mode"
#: The NB schema of OVN 25.03, whose northd supports ``ic-vxlan_mode`` (spec switches-D-4).
_VXLAN_SCHEMA = (7, 11, 0)


class TransitSwitches(Subject):
    """Creates the zone's switches and the shared datapaths of the transit switches in IC_NB."""

    name = "transit_switches"
    tables = transit.TABLES | {
        (IC_NB, "IC_NB_Global"),
        (NB, "Logical_Switch_Port"),
        (SB, "Chassis"),
        (SB, "Encap"),
        (IC_SB, "IC_SB_Global"),
        (IC_SB, "Port_Binding"),
        (IC_SB, "Gateway"),
        (IC_SB, "Encap"),
    }
    facts = Subject.facts | {"shared_lock", "keeps_keys"}

    def __init__(self, keys: DatapathKeys | None = None) -> None:
        self._keys = keys or DatapathKeys()
        #: The mode in which all keys were planned.
        self._mode = False
        #: Transit switches for which no key was free.
        self._starved: set[str] = set()

    def prepare(self, zone: Zone) -> None:
        transit.register(zone)
        self._keys.prepare(zone)
        gateways.register(zone)
        self._mode = vxlan_mode(zone)

    def infer(self, facts: Facts, changes: Sequence[RowChange] | None, zone: Zone) -> Facts:
        return transit.seen(SWITCH, facts, changes, zone)

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        if change.table == "IC_SB_Global":
            yield from (name for word, name in concerned(change, zone) if word == "switch")
            return
        yield from _sharing(zone, contested(change, zone))
        if change.table == "Transit_Switch":
            if change.changed("name") or _note_differs(change):
                yield from _with_rivals(zone, (row["name"] for row in change.rows))
                yield from (row["transit_switch"] for row in zone.ic_sb.find("Datapath_Binding", "switch_row", change.uuid))
                for switch in zone.nb.find("Logical_Switch", ROW_KEY, change.uuid):
                    yield switch["other_config"].get(SWITCH_KEY, "")
        elif change.table == "Logical_Switch":
            yield from _with_rivals(zone, _switch_names(change, zone))
        elif change.table == "Port_Binding":
            yield from transit.unclaimed(zone, SWITCH, change)
            if change.changed("transit_switch", "type", "availability_zone"):
                for name in {row["transit_switch"] for row in change.rows}:
                    if zone.ic_nb.first("Transit_Switch", "name", name) is None and transit.switch_datapaths(zone, name):
                        yield name
        elif change.table == "Logical_Switch_Port":
            yield from _undecided(change, zone)
        elif change.table == "Datapath_Binding":
            for row in change.rows:
                if row["type"] != transit.ROUTER_TYPE:
                    yield row["transit_switch"]
                    yield from _requesting(zone, row["transit_switch"])
                    yield from _standing_for(zone, row)
            keys = [row["tunnel_key"] for row in change.rows]
            yield from _sharing(zone, keys)
            yield from (name for word, name in awaiting(zone, keys) if word == "switch")
            if change.old is not None and change.changed("tunnel_key"):
                self._keys.freed(change.old["tunnel_key"])
                yield from tuple(self._starved)
        elif change.table not in ("Transit_Router", "Logical_Router") and self._mode_changed(zone):
            yield ALL

    def _mode_changed(self, zone: Zone) -> bool:
        mode = vxlan_mode(zone)
        before, self._mode = self._mode, mode
        return before != mode

    def all_keys(self, zone: Zone) -> Iterable[Hashable]:
        names = dict.fromkeys(row["name"] for row in zone.ic_nb.rows("Transit_Switch"))
        names.update(dict.fromkeys(zone.nb.index_keys("Logical_Switch", SWITCH_KEY)))
        names.update(dict.fromkeys(zone.ic_sb.index_keys("Datapath_Binding", "transit_switch")))
        return list(names)

    def plan(self, key: Hashable, zone: Zone) -> Iterable[Step]:
        name = str(key)
        self._keys.release(("switch", name))
        self._starved.discard(name)
        transit_switch = zone.ic_nb.first("Transit_Switch", "name", name)
        if transit_switch is None:
            yield from self._withdraw(zone, name)
            return
        yield from _local(zone, transit_switch)
        yield from duplicate(zone, name, transit.switch_datapath(zone, transit_switch))
        if zone.facts.shared_lock:
            yield from self._shared(zone, transit_switch)

    def _shared(self, zone: Zone, transit_switch: Row) -> Iterator[Step]:
        """Insert, update or rename the datapath of an existing transit switch, and delete surplus ones (spec
        switches-S-6 to switches-S-8).
        """
        name = transit_switch["name"]
        datapath = transit.switch_datapath(zone, transit_switch)
        if datapath is None:
            # The datapath of a transit switch that previously had this name is about to be renamed.
            if all(transit.transit_switch_of_datapath(zone, row) is None for row in transit.switch_datapaths(zone, name)):
                yield from self._publish(zone, transit_switch)
            return
        renamed = pending(zone, transit_switch)
        if renamed is not None:
            yield from rename(zone, renamed)
            return
        yield from self._maintain(zone, transit_switch, datapath)
        for surplus in transit.switch_datapaths(zone, name):
            if surplus != datapath and transit.transit_switch_of_datapath(zone, surplus) == transit_switch:
                reason = f"transit switch {name} has another datapath"
                yield delete(zone.ic_sb, "Datapath_Binding", surplus, record=name, reason=reason, shared=True)

    def _publish(self, zone: Zone, transit_switch: Row) -> Iterator[Step]:
        name = transit_switch["name"]
        key = self._take(zone, name)
        if key is None:
            yield _exhausted(zone, name, "it has no datapath")
            return
        columns = {"transit_switch": name, "tunnel_key": key, "type": SWITCH_TYPE, "nb_ic_uuid": transit_switch.uuid}
        # Daemons before 24.03 do not use the lock. If two zones insert a datapath at the same time, each zone deletes
        # the other's, repeatedly.
        none = {"transit_switch": name, "type": SWITCH_TYPE}
        reason = f"transit switch {name} exists in IC_NB"
        yield insert(zone.ic_sb, "Datapath_Binding", columns, record=name, reason=reason, shared=True, unless=none)

    def _maintain(self, zone: Zone, transit_switch: Row, datapath: Row) -> Iterator[Step]:
        """Fill in the columns that older releases left empty, and replace a wrong tunnel key (spec switches-S-7). A key
        is wrong if it is outside the range of the mode (spec switches-V-3), or if another datapath has it (spec
        switches-K-5).
        """
        name = transit_switch["name"]
        columns: dict[str, object] = {}
        if not datapath["type"]:
            columns["type"] = SWITCH_TYPE
        if not datapath["nb_ic_uuid"]:
            columns["nb_ic_uuid"] = transit_switch.uuid
        reason = self._keys.fault(zone, ("switch", name), datapath["tunnel_key"]) or _key_fault(zone, datapath)
        if reason is not None:
            key = self._take(zone, name)
            if key is None:
                yield _exhausted(zone, name, f"it keeps the key {datapath['tunnel_key']}")
            else:
                columns["tunnel_key"] = key
        if reason is None:
            yield from _note_key(zone, transit_switch, datapath["tunnel_key"])
        reason = reason or "filled in after an upgrade"
        yield from update(zone.ic_sb, "Datapath_Binding", datapath, record=name, reason=reason, columns=columns, shared=True)

    def _withdraw(self, zone: Zone, name: str) -> Iterator[Step]:
        """Remove the NB switch and the IC_SB datapath of a transit switch that does not exist (spec switches-S-4,
        switches-S-8).
        """
        for switch in transit.switches(zone, name):
            yield from end(SWITCH, zone, switch, name, proof=transit.known_here(zone, SWITCH, switch, name))
        if zone.facts.shared_lock:
            for datapath in transit.switch_datapaths(zone, name):
                if transit.transit_switch_of_datapath(zone, datapath) is None:
                    yield from _delete_datapath(zone, name, datapath)

    def _take(self, zone: Zone, name: str) -> int | None:
        """A key from the range of the mode: the one that IC_NB records or the zone's switch has, if it is free, so that
        keys survive.
        """
        switch, transit_switch = transit.switch_of(zone, name), zone.ic_nb.first("Transit_Switch", "name", name)
        here = requested(switch["other_config"]) if switch is not None else 0
        there = note(transit_switch) if transit_switch is not None else 0
        key = self._keys.take(zone, ("switch", name), ("switch", name), key_range(zone), there, here)
        if key is None:
            self._starved.add(name)
        return key


def writes_vxlan_mode(zone: Zone) -> bool:
    """Whether new switches get ``ic-vxlan_mode``: with the NB schema of OVN 25.03 or later (spec switches-D-4)."""
    version = zone.nb.schema.version
    return not version or version_numbers(version) >= _VXLAN_SCHEMA


def _delete_datapath(zone: Zone, name: str, datapath: Row) -> Iterator[Step]:
    """Delete the datapath of a transit switch that IC_NB does not have, after its last port.

    A zone that withholds the deletion of its switch, or whose daemon is down, keeps its ports there. Its switch has the
    tunnel key, which must not be given to another transit switch, and which the transit switch gets back when it is
    defined again.
    """
    ports = zone.ic_sb.find("Port_Binding", "transit_switch", name)
    owners = sorted({zone.az_name(row["availability_zone"]) for row in ports if not transit.is_router_port(row)})
    if owners:
        yield Skipped(
            name,
            (
                f"IC_NB has no transit switch {name}, but the zones {', '.join(owners)} have ports on it: its "
                f"datapath and tunnel key {datapath['tunnel_key']} are kept until these ports are deleted; start "
                "the daemons of these zones, or release the deletion there (ovn-appctl -t ovn-ic guard/release)"
            ),
            logged=False,
        )
        return
    reason = f"IC_NB has no transit switch {name}"
    yield delete(zone.ic_sb, "Datapath_Binding", datapath, record=name, reason=reason, shared=True)


def _key_fault(zone: Zone, datapath: Row) -> str | None:
    """Why a datapath needs another key, None if it does not."""
    if datapath["tunnel_key"] not in key_range(zone):
        return f"its key is outside the range for VXLAN mode, which is {'on' if vxlan_mode(zone) else 'off'}"
    return None if keeps_key(zone, datapath) else f"another datapath has its key {datapath['tunnel_key']} too"


def _note_key(zone: Zone, transit_switch: Row, key: int) -> Iterator[Step]:
    reason = "IC_NB records the tunnel key, so that it survives the loss of IC_SB"
    keys = {"external_ids": {KEY_NOTE: str(key)}}
    yield from update(zone.ic_nb, "Transit_Switch", transit_switch, record=transit_switch["name"], reason=reason, keys=keys)


def _note_differs(change: RowChange) -> bool:
    return change.changed("external_ids") and (change.old is None or change.new is None or note(change.old) != note(change.new))


def _requesting(zone: Zone, name: str) -> Iterator[str]:
    """The transit switches whose datapaths have the key that the zone's switches for transit switch ``name`` request."""
    return _sharing(zone, (requested(row["other_config"]) for row in transit.switches(zone, name)))


def _with_rivals(zone: Zone, names: Iterable[str]) -> Iterator[str]:
    """The names, and those whose datapaths share a key with theirs, or have the key that their switches request."""
    for name in names:
        yield name
        yield from _requesting(zone, name)
        yield from _sharing(zone, (row["tunnel_key"] for row in transit.switch_datapaths(zone, name)))


def _sharing(zone: Zone, keys: Iterable[int]) -> Iterator[str]:
    return (row["transit_switch"] for row in sharing(zone, keys) if row["type"] != transit.ROUTER_TYPE)


def switch_columns(zone: Zone, transit_switch: Row) -> dict[str, object]:
    """The columns of a new NB switch for a transit switch (spec switches-S-1, switches-V-1), including our mark, and
    the tunnel key if there is one already (spec switches-S-3).
    """
    name = transit_switch["name"]
    config = {SWITCH_KEY: name}
    if writes_vxlan_mode(zone):
        config[VXLAN_KEY] = "true" if vxlan_mode(zone) else "false"
    datapath = transit.switch_datapath(zone, transit_switch)
    if datapath is not None and keeps_key(zone, datapath) and holder(zone, SWITCH, name, datapath["tunnel_key"]) is None:
        config[transit.REQUESTED_KEY] = str(datapath["tunnel_key"])
    return {"name": name, "other_config": config, "external_ids": new_marks(name, transit_switch)}


def _local(zone: Zone, transit_switch: Row) -> Iterator[Step]:
    """Create or update the NB switch of a transit switch; of several, one stays (spec switches-S-1 to switches-S-3,
    switches-S-5).
    """
    name = transit_switch["name"]
    candidates = transit.switches(zone, name)
    if not candidates:
        if zone.nb.find("Logical_Switch", SWITCH_KEY, name):
            return  # the switch of a transit switch that previously had this name is about to be renamed
        columns, none = switch_columns(zone, transit_switch), {"other_config": {SWITCH_KEY: name}}
        yield insert(zone.nb, "Logical_Switch", columns, record=name, reason=f"transit switch {name} exists in IC_NB", unless=none)
        return
    yield from _adjust(zone, transit_switch, candidates[0])
    for other in candidates[1:]:
        yield resolve_surplus(SWITCH, zone, other, name)
    yield from namesakes(SWITCH, zone, name)


def _adjust(zone: Zone, transit_switch: Row, switch: Row) -> Iterator[Step]:
    name = transit_switch["name"]
    ids = marks(SWITCH, zone, switch, transit_switch)
    if ids is None:
        return
    config: dict[str, str | None] = {}
    mode = vxlan_mode(zone)
    known = writes_vxlan_mode(zone) or VXLAN_KEY in switch["other_config"]
    if known and (VXLAN_KEY not in switch["other_config"] or boolean(switch["other_config"], VXLAN_KEY) != mode):
        config[VXLAN_KEY] = "true" if mode else "false"
    datapath = transit.switch_datapath(zone, transit_switch)
    if datapath is not None and keeps_key(zone, datapath) and not kept_key(zone, ("switch", name)):
        key = datapath["tunnel_key"]
        other = holder(zone, SWITCH, name, key)
        if other is None:
            config.update(transit.key_option(switch["other_config"], key))
        else:
            yield other.reported(SWITCH, name, key)
    columns = {}
    former = switch["other_config"][SWITCH_KEY]
    if former != name:
        if transit.shared_name(zone, transit_switch) != name:
            return  # the former name identifies its rows in IC_SB until it is renamed there
        config[SWITCH_KEY] = name
        if switch["name"] == former:
            columns["name"] = name
    yield from update(
        zone.nb,
        "Logical_Switch",
        switch,
        record=switch["name"],
        reason=f"it stands for transit switch {name}",
        columns=columns,
        keys={"other_config": config, "external_ids": ids},
    )


def _undecided(change: RowChange, zone: Zone) -> Iterator[str]:
    """The transit switches whose switch is judged by its ports: it is not marked yet, or it is one of several."""
    if change.old is not None and change.new is not None and not change.changed("type", "options"):
        return
    for switch in zone.nb.parent_rows("Logical_Switch", "ports", change.uuid):
        name = switch["other_config"].get(SWITCH_KEY)
        if name is not None and (ROW_KEY not in switch["external_ids"] or len(zone.nb.find("Logical_Switch", SWITCH_KEY, name)) > 1):
            yield name


def _standing_for(zone: Zone, datapath: Row) -> Iterator[str]:
    """The names of the transit switches to which a datapath may belong, whatever its own name is."""
    transit_switch = zone.ic_nb.row("Transit_Switch", datapath["nb_ic_uuid"])
    if transit_switch is not None:
        yield transit_switch["name"]
    for found in (SWITCH_KEY, datapath["transit_switch"]), (transit.REQUESTED_KEY, datapath["tunnel_key"]):
        for switch in zone.nb.find("Logical_Switch", *found):
            made_for = row_of(SWITCH, zone, switch)
            if made_for is not None:
                yield made_for["name"]


def _switch_names(change: RowChange, zone: Zone) -> Iterator[str]:
    for row in change.rows:
        made_for = row_of(SWITCH, zone, row) if change.changed("name", "other_config", "external_ids") else None
        if made_for is not None:
            yield made_for["name"]
    if change.changed("name", "other_config"):
        for row in change.rows:
            if zone.ic_nb.first("Transit_Switch", "name", row["name"]) is not None:
                yield row["name"]
    names = dict.fromkeys(row["other_config"].get(SWITCH_KEY) for row in change.rows)
    for name in names:
        # Which of several candidates is kept also depends on their ports.
        if name is not None and (
            change.changed("name", "other_config", "external_ids") or len(zone.nb.find("Logical_Switch", SWITCH_KEY, name)) > 1
        ):
            yield name


def _exhausted(zone: Zone, name: str, consequence: str) -> Skipped:
    keys = key_range(zone)
    return Skipped(name, f"no tunnel key between {keys.start} and {keys.stop - 1} is free for transit switch {name}: {consequence}")
