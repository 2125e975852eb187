# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``Service_Monitor``: health checks of backends in another zone (docs/spec/service-monitors.md).

Requests go from the SB of the source zone through IC_SB to the SB of the target zone; the status goes back. A key
consists of the columns of SB's unique index: logical port, address, port and protocol. All rows of both databases with
the same key are decided together, so that two requests do not conflict about one row.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import NamedTuple

from ..engine import change as changes
from ..engine.change import Skipped, Step
from ..engine.engine import ALL, Keys, Subject
from ..ovsdb.store import Row, RowChange, Store
from ..tables import IC_SB, SB
from ..zone import Zone

_TABLE = "Service_Monitor"
#: The columns in which two rows of the same service agree (spec monitors-M4).
_SAME = ("logical_port", "ip", "port", "src_ip", "protocol", "type")
_AZ_NAME = "az-name"


class Service(NamedTuple):
    """A key: the columns of SB's unique index."""

    logical_port: str
    ip: str
    port: int
    protocol: str | None

    def __str__(self) -> str:
        address = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"{self.logical_port} {self.protocol or 'tcp'} {address}:{self.port}"


def _service(row: Row) -> Service:
    return Service(row["logical_port"], row["ip"], row["port"], row["protocol"])


class ServiceMonitors(Subject):
    """Keeps this zone's rows of IC_SB ``Service_Monitor``, the learned rows of SB, and the statuses on both sides up to
    date.
    """

    name = "service_monitors"
    tables = frozenset({(SB, _TABLE), (IC_SB, _TABLE), (SB, "Port_Binding"), (SB, "SB_Global"), (IC_SB, "Availability_Zone")})

    def __init__(self) -> None:
        #: This zone's IC_SB rows, with the options that they had when they last matched our request. Another source's
        #: daemon may write its own options to such a row (upstream's does). Restoring ours each time would never end,
        #: so they are written only when our request changes.
        self._asked: dict[str, dict[str, str]] = {}

    def prepare(self, zone: Zone) -> None:
        for store in (zone.sb, zone.ic_sb):
            store.index(_TABLE, "service", lambda row: (_service(row),))
            store.index(_TABLE, "port", lambda row: (row["logical_port"],))

    # -- keys -------------------------------------------------------------------------------------------------------------------------

    def keys(self, change: RowChange, zone: Zone) -> Keys:
        if change.table == _TABLE:
            if change.new is None:
                self._asked.pop(change.uuid, None)
            return {_service(row) for row in change.rows}
        if change.table == "Port_Binding":
            return _of_port(change, zone) if change.changed("logical_port", "up", "chassis") else ()
        if change.table == "SB_Global":
            return (ALL,) if _mac_of(change.old) != _mac_of(change.new) else ()
        az = zone.own_az
        return (ALL,) if az is not None and change.changed("name") else ()

    def all_keys(self, zone: Zone) -> Iterator[Hashable]:
        for store in (zone.ic_sb, zone.sb):
            for row in store.rows(_TABLE):
                yield _service(row)

    # -- planning ---------------------------------------------------------------------------------------------------------------------

    def plan(self, key: Hashable, zone: Zone) -> Iterator[Step]:
        az, mac = zone.own_az, _mac_of(zone.sb.only("SB_Global"))
        if az is None or not isinstance(key, Service):
            return
        local = zone.sb.find(_TABLE, "service", key)
        if not mac or not supported(zone):
            yield from _unsupported(zone, key, local)
            return
        remote = zone.ic_sb.find(_TABLE, "service", key)
        own = az["name"]
        yield from self._requests(zone, key, own, mac, local, remote)
        wanted = [row for row in remote if row["target_availability_zone"] == own and row["source_availability_zone"] != own]
        yield from _serve(zone, key, mac, local, wanted)

    def _requests(self, zone: Zone, key: Service, own: str, mac: str, local: list[Row], remote: list[Row]) -> Iterator[Step]:
        """Publish the requests of this zone in IC_SB (spec monitors-M5, monitors-M8).

        Each source zone has its own row. If a zone has several rows for a service, the one with the lowest UUID is used.
        """
        ours = [row for row in remote if row["source_availability_zone"] == own]
        for asked in local:
            if not asked["remote"] or _AZ_NAME not in asked["options"]:
                continue
            fault = _cannot_ask(zone, asked, own)
            if fault is not None:
                yield Skipped(str(key), fault)
                continue
            target = asked["options"][_AZ_NAME]
            if zone.ic_sb.first("Availability_Zone", "name", target) is None:
                yield Skipped(str(key), f"no zone is named {target}, so no zone can answer the request; correct ip_port_mappings")
            found = next((row for row in ours if row["target_availability_zone"] == target and _same(zone, row, asked)), None)
            if found is None:
                yield _ask(zone, key, asked, own, mac)
                continue
            ours.remove(found)
            yield from self._follow(zone, key, asked, found)
        for row in ours:
            yield changes.delete(zone.ic_sb, _TABLE, row, record=str(key), reason="no load balancer of this zone requests it any longer")

    def _follow(self, zone: Zone, key: Service, asked: Row, found: Row) -> Iterator[Step]:
        reason = f"the status that zone {asked['options'][_AZ_NAME]} reports"
        yield from changes.update(zone.sb, _TABLE, asked, record=str(key), reason=reason, columns={"status": found["status"]})
        wish = asked["options"]
        if found["options"] == wish:
            self._asked[found.uuid] = wish
        elif self._asked.get(found.uuid) == wish:
            yield Skipped(str(key), "another zone's daemon requests the same service and wrote its own options to this zone's request")
        else:
            reason = "the options of the health check"
            yield from changes.update(zone.ic_sb, _TABLE, found, record=str(key), reason=reason, columns={"options": wish})


def supported(zone: Zone) -> bool:
    """Whether the schemas of both sides support the feature (spec monitors-6)."""
    sb = zone.sb.schema
    return zone.ic_sb.schema.has(_TABLE) and sb.has(_TABLE, "remote") and sb.has(_TABLE, "ic_learned")


def _unsupported(zone: Zone, key: Service, local: list[Row]) -> Iterator[Skipped]:
    """Requests of this zone's load balancers that cannot be sent to another zone."""
    if any(row["remote"] and _AZ_NAME in row["options"] for row in local):
        if supported(zone):
            yield Skipped(str(key), "the request is not sent because SB_Global.options has no svc_monitor_mac; check that ovn-northd runs")
        else:
            yield Skipped(
                str(key), ("the request is not sent because this IC_SB has no table Service_Monitor; upgrade its schema with ovn_ic_schema")
            )


def _mac_of(row: Row | None) -> str:
    mac: str = row["options"].get("svc_monitor_mac", "") if row is not None else ""
    return mac


def _of_port(change: RowChange, zone: Zone) -> set[Service]:
    """The services of a port that involve other zones."""
    names = {row["logical_port"] for row in change.rows}
    return {_service(row) for store in (zone.sb, zone.ic_sb) for name in names for row in store.find(_TABLE, "port", name)}


def _same(zone: Zone, one: Row, other: Row) -> bool:
    """Whether two rows, of either database, are the same service (spec monitors-M4). A column that one side lacks is
    ignored.
    """
    stores: tuple[Store, ...] = (zone.sb, zone.ic_sb)
    columns = [column for column in _SAME if all(store.schema.has(_TABLE, column) for store in stores)]
    return all(one[column] == other[column] for column in columns)


# ---- Source side -----------------------------------------------------------------------------------------------------


def _cannot_ask(zone: Zone, asked: Row, own: str) -> str | None:
    """Why a request of this zone cannot be published in IC_SB, None if it can."""
    if asked["options"][_AZ_NAME] == own:
        return "its backend is mapped to this zone itself; do not name a zone in ip_port_mappings for local backends"
    schema = zone.ic_sb.schema
    for column in ("protocol", "type"):
        value = asked[column]
        if value is not None and schema.has(_TABLE, column) and not schema.allows(_TABLE, column, value):
            return f"IC_SB does not accept monitors with {column} {value}; correct the load balancer, or upgrade the schema of IC_SB"
    return None


def _copied(row: Row, mac: str) -> dict[str, object]:
    return {**{column: row[column] for column in _SAME}, "src_mac": mac, "options": row["options"]}


def _ask(zone: Zone, key: Service, asked: Row, own: str, mac: str) -> Step:
    target = asked["options"][_AZ_NAME]
    columns = {**_copied(asked, mac), "target_availability_zone": target, "source_availability_zone": own}
    return changes.insert(zone.ic_sb, _TABLE, columns, record=str(key), reason=f'a load balancer has this backend in zone "{target}"')


# ---- Target side -----------------------------------------------------------------------------------------------------


def _serve(zone: Zone, key: Service, mac: str, local: list[Row], wanted: list[Row]) -> Iterator[Step]:
    """Answer the requests of other zones for a service (spec monitors-M6 to monitors-M8).

    One SB row answers all of them. It may belong to a load balancer of this zone. Otherwise this daemon creates it with the
    contents of the first request.
    """
    binding = zone.port_binding(key.logical_port)
    if binding is None or binding["up"] is None:
        if wanted:
            zones = " and ".join(sorted({row["source_availability_zone"] for row in wanted}))
            state = "the zone has no such port" if binding is None else "the port is not bound yet"
            yield Skipped(
                str(key), (f"zone {zones} requests this service on port {key.logical_port}, but {state}; correct ip_port_mappings there")
            )
        wanted = []
    learned = [row for row in local if row["ic_learned"]]
    mine = next((row for row in learned if any(_same(zone, row, request) for request in wanted)), None)
    for row in learned:
        if row is not mine:
            yield changes.delete(zone.sb, _TABLE, row, record=str(key), reason="no other zone requests it here with these contents")
    if not wanted:
        return
    answer = mine or next((row for row in local if not row["ic_learned"]), None)
    chassis = _chassis_name(zone, binding)
    if answer is None:
        yield _probe(zone, key, mac, wanted[0], chassis)
        return
    if answer is mine:
        same = [request for request in wanted if _same(zone, answer, request)]
        first = same[0]
        columns = {"options": first["options"], **({"chassis_name": chassis} if chassis else {})}
        reason = f"as zone {first['source_availability_zone']} requests"
        yield from changes.update(zone.sb, _TABLE, answer, record=str(key), reason=reason, columns=columns)
    yield from _report(zone, key, answer, wanted)


def _report(zone: Zone, key: Service, answer: Row, wanted: list[Row]) -> Iterator[Step]:
    for request in wanted:
        source = request["source_availability_zone"]
        if answer["remote"] or not _same(zone, answer, request):
            yield Skipped(
                str(key),
                (
                    f"zone {source} requests this service from {request['src_ip']}, but SB has another monitor of "
                    f"it; the status of that one ({answer['src_ip']}) is reported"
                ),
            )
        reason = "the status of the monitor in this zone"
        yield from changes.update(zone.ic_sb, _TABLE, request, record=str(key), reason=reason, columns={"status": answer["status"]})


def _chassis_name(zone: Zone, binding: Row | None) -> str:
    chassis = zone.sb.row("Chassis", binding["chassis"]) if binding is not None else None
    name: str = chassis["name"] if chassis is not None else ""
    return name


def _probe(zone: Zone, key: Service, mac: str, request: Row, chassis: str) -> Step:
    columns = {**_copied(request, mac), "ic_learned": True, "chassis_name": chassis}
    reason = f"zone {request['source_availability_zone']} has this backend in a load balancer"
    return changes.insert(zone.sb, _TABLE, columns, record=str(key), reason=reason)
