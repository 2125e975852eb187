# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Service monitors: rules, quirks, odd input, versions, scenario (spec monitors-3, monitors-4, monitors-5, monitors-6, monitors-7)."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import ServerSchema
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row, Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.service_monitors import ServiceMonitors
from ansible_collections.ovn.interconnect.tests.support.examples import examples
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.server_rules import schemas_without
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.simulated_zones import World


class Monitors(World):
    """Zones with a svc_monitor_mac; ports and monitors are put as northd makes them."""

    def __init__(self, zones: int = 2, schemas: dict[str, ServerSchema] | None = None) -> None:
        super().__init__(lambda: [ServiceMonitors()], [f"az{n}" for n in range(1, zones + 1)], schemas=schemas)
        for number, zone in enumerate(self.sites, 1):
            self.mac(zone, f"11:11:11:11:11:1{number}")

    def sb(self, zone: str) -> Store:
        return self.site(zone).zone.sb

    def mac(self, zone: str, mac: str) -> None:
        row = self.sb(zone).only("SB_Global")
        self.put(self.sb(zone), "SB_Global", row.uuid if row is not None else None, options={"svc_monitor_mac": mac} if mac else {})

    def port(self, zone: str, name: str, **columns: Any) -> str:
        old = self.sb(zone).first("Port_Binding", "logical_port", name)
        values = {"logical_port": name, "up": False, **columns}
        return self.put(self.sb(zone), "Port_Binding", old.uuid if old is not None else None, **values)

    def monitor(self, zone: str, port: str, target: str = "", **columns: Any) -> str:
        """A monitor of northd's: of a local backend, or of one in the zone ``target``."""
        number = port[-1]
        address = ".".join([number] * 3)
        values: dict[str, Any] = {"logical_port": port, "ip": f"{address}.1", "port": 10880, "protocol": "tcp", "src_ip": f"{address}.9"}
        values.update(type="load-balancer", status="offline", remote=bool(target), options={"az-name": target} if target else {})
        return self.put(self.sb(zone), "Service_Monitor", **{**values, **columns})

    def status(self, zone: str, port: str, status: str) -> None:
        self.put(self.sb(zone), "Service_Monitor", self.of(zone, port).uuid, status=status)

    def of(self, zone: str, port: str) -> Row:
        (row,) = [row for row in self.sb(zone).rows("Service_Monitor") if row["logical_port"] == port]
        return row

    def has(self, zone: str) -> list[str]:
        """The monitors of a zone's SB: port, with what it is."""
        return sorted(
            row["logical_port"] + (" remote" if row["remote"] else "") + (" learned" if row["ic_learned"] else "")
            for row in self.sb(zone).rows("Service_Monitor")
        )

    def asked(self) -> list[str]:
        """The requests in IC_SB: port source>target status."""
        return sorted(
            f"{row['logical_port']} {row['source_availability_zone']}>{row['target_availability_zone']} {row['status'] or '-'}"
            for row in self.ic_sb.rows("Service_Monitor")
        )

    def drop(self, zone: str, port: str) -> None:
        self.delete(self.sb(zone), "Service_Monitor", self.of(zone, port).uuid)

    def rest(self) -> None:
        self.settle()
        assert self.rejections() == []
        self.check_law()


def test_three_zones() -> None:
    """Requests reach the target zone, and statuses the source zone (spec monitors-1, monitors-M5, monitors-M6, monitors-M8, monitors-7)."""
    w = Monitors(3)
    for zone, ports in (("az1", "12"), ("az2", "34")):
        for number in ports:
            w.port(zone, f"lport{number}")
    w.monitor("az1", "lport1")
    w.monitor("az1", "lport3", "az2")
    w.monitor("az1", "lport5", "az3")
    w.monitor("az2", "lport3")
    w.monitor("az2", "lport1", "az1")
    w.rest()
    assert w.asked() == ["lport1 az2>az1 offline", "lport3 az1>az2 offline", "lport5 az1>az3 -"]
    assert w.has("az1") == ["lport1", "lport3 remote", "lport5 remote"]
    assert w.has("az2") == ["lport1 remote", "lport3"]
    assert w.has("az3") == []
    for number in "567":
        w.port("az3", f"lport{number}")
    w.rest()
    assert w.has("az3") == ["lport5 learned"]
    row = w.of("az3", "lport5").as_dict()
    assert (row["ip"], row["port"], row["protocol"], row["src_ip"], row["type"]) == ("5.5.5.1", 10880, "tcp", "5.5.5.9", "load-balancer")
    assert (row["src_mac"], row["status"], row["external_ids"], row["remote"]) == ("11:11:11:11:11:13", None, {}, False)
    w.monitor("az2", "lport2", "az1")
    w.monitor("az2", "lport6", "az3")
    w.rest()
    assert w.has("az1") == ["lport1", "lport2 learned", "lport3 remote", "lport5 remote"]
    assert w.has("az3") == ["lport5 learned", "lport6 learned"]
    for zone, port in (("az1", "lport1"), ("az3", "lport6"), ("az2", "lport3"), ("az1", "lport2"), ("az3", "lport5")):
        for status in ("online", "offline"):
            w.status(zone, port, status)
            w.rest()
            assert {other["status"] for site in w.sites for other in w.sb(site).find("Service_Monitor", "port", port)} == {status}
    w.drop("az1", "lport3")
    w.rest()
    assert "lport3" not in " ".join([*w.asked(), *w.has("az1")])
    assert w.of("az2", "lport3")["status"] == "offline"
    w.drop("az1", "lport1")
    w.drop("az1", "lport5")
    w.rest()
    assert w.has("az1") == ["lport1 learned", "lport2 learned"]
    assert w.asked() == ["lport1 az2>az1 -", "lport2 az2>az1 offline", "lport6 az2>az3 offline"]
    for port in ("lport2", "lport6"):
        w.drop("az2", port)
    w.rest()
    assert (w.has("az1"), w.has("az3"), len(w.asked())) == (["lport1 learned"], [], 1)
    w.drop("az2", "lport1")
    w.rest()
    assert w.asked() == w.has("az1") == []


def test_what_is_written() -> None:
    """Which columns are written, in both directions (spec monitors-2, monitors-M7)."""
    w = Monitors()
    w.monitor("az1", "p2", "az2", options={"az-name": "az2", "failure_count": "3"})
    w.port("az2", "p2")
    w.rest()
    (row,) = w.ic_sb.rows("Service_Monitor")
    assert (row["src_mac"], row["status"], row["external_ids"]) == ("11:11:11:11:11:11", None, {})
    learned = w.of("az2", "p2")
    assert (learned["src_mac"], learned["chassis_name"]) == ("11:11:11:11:11:12", "")
    assert learned["options"] == {"az-name": "az2", "failure_count": "3"}
    w.put(w.sb("az1"), "Service_Monitor", w.of("az1", "p2").uuid, options={"az-name": "az2", "failure_count": "5"})
    w.rest()
    assert w.of("az2", "p2")["options"]["failure_count"] == "5"
    hv = w.put(w.sb("az2"), "Chassis", name="hv2")
    w.port("az2", "p2", chassis=hv, up=True)
    w.rest()
    assert w.of("az2", "p2")["chassis_name"] == "hv2"


def served(status: str = "") -> Monitors:
    """Zone az1 asks for port p2 of az2, which is there on chassis hv2 and has this status."""
    w = Monitors()
    w.monitor("az1", "p2", "az2")
    w.port("az2", "p2", chassis=w.put(w.sb("az2"), "Chassis", name="hv2"), up=True)
    w.rest()
    if status:
        w.status("az2", "p2", status)
        w.rest()
    return w


def test_quirk_the_empty_status_of_a_fresh_request_replaces_northds_first_offline() -> None:
    """The empty status of a new request replaces offline (spec monitors-4, monitors-M5)."""
    w = Monitors()
    w.monitor("az1", "p2", "az2", status="offline")
    w.rest()
    assert w.of("az1", "p2")["status"] is None


def test_quirk_the_last_status_of_a_port_that_goes_stays() -> None:
    """The status of a port that is gone stays in IC_SB (spec monitors-4)."""
    w = served("online")
    w.delete(w.sb("az2"), "Port_Binding", w.port("az2", "p2"))
    w.rest()
    assert (w.has("az2"), w.asked(), w.of("az1", "p2")["status"]) == ([], ["p2 az1>az2 online"], "online")


def test_quirk_a_new_mac_does_not_reach_rows_that_are_there() -> None:
    """src_mac is written at insert only (spec monitors-4)."""
    w = served()
    w.mac("az1", "22:22:22:22:22:21")
    w.mac("az2", "22:22:22:22:22:22")
    w.rest()
    (asked,) = w.ic_sb.rows("Service_Monitor")
    assert (asked["src_mac"], w.of("az2", "p2")["src_mac"]) == ("11:11:11:11:11:11", "11:11:11:11:11:12")


def test_quirk_the_chassis_name_is_never_cleared() -> None:
    """chassis_name stays when the port loses its chassis (spec monitors-4)."""
    w = served()
    w.port("az2", "p2", chassis=None)
    w.rest()
    assert w.of("az2", "p2")["chassis_name"] == "hv2"


def test_quirk_requests_of_a_dead_zone_stay_and_are_served() -> None:
    """Requests of a zone whose daemon is gone are served (spec monitors-4)."""
    w = served("online")
    w.stop("az1")
    w.drop("az1", "p2")
    w.settle()
    assert (w.asked(), w.has("az2")) == (["p2 az1>az2 online"], ["p2 learned"])


def test_up_must_be_set() -> None:
    """A port counts as ready when its up is set, whatever the value (spec monitors-M3)."""
    w = Monitors()
    w.monitor("az1", "p2", "az2")
    w.port("az2", "p2", up=None)
    w.rest()
    assert w.has("az2") == []
    w.port("az2", "p2", up=False)
    w.rest()
    assert w.has("az2") == ["p2 learned"]
    w.port("az2", "p2", up=None)
    w.rest()
    assert w.has("az2") == []


def test_nothing_is_done_without_a_mac_or_a_global_row() -> None:
    """Without svc_monitor_mac nothing is inserted or deleted (spec monitors-M2)."""
    w = Monitors()
    w.mac("az1", "")
    w.monitor("az1", "p2", "az2")
    w.put(w.sb("az1"), "Service_Monitor", logical_port="p9", ic_learned=True)
    w.rest()
    assert (w.asked(), w.has("az1")) == ([], ["p2 remote", "p9 learned"])
    row = w.sb("az1").only("SB_Global")
    assert row is not None
    w.delete(w.sb("az1"), "SB_Global", row.uuid)  # QUIRK-FIX: upstream crashes here
    w.rest()
    assert w.asked() == []
    w.mac("az1", "11:11:11:11:11:11")
    w.rest()
    assert (w.asked(), w.has("az1")) == (["p2 az1>az2 -"], ["p2 remote"])


def test_quirk_unset_protocol_is_a_value_like_any() -> None:
    """Two unset protocols are equal (spec monitors-M4)."""
    w = Monitors()
    w.monitor("az1", "p2", "az2", protocol=None)
    w.port("az2", "p2")
    w.rest()
    assert w.has("az2") == ["p2 learned"]
    w.status("az2", "p2", "online")
    w.rest()
    assert w.of("az1", "p2")["status"] == "online"


def test_quirk_each_source_has_its_own_request() -> None:
    """Each source has its own request, and one SB row serves both (spec monitors-M5, monitors-M9)."""
    w = Monitors(3)
    w.port("az2", "p2")
    for zone, count in (("az1", "3"), ("az3", "7")):
        w.monitor(zone, "p2", "az2", options={"az-name": "az2", "failure_count": count})
    w.rest()
    assert w.asked() == ["p2 az1>az2 -", "p2 az3>az2 -"]
    first = min(w.ic_sb.rows("Service_Monitor"), key=lambda row: row.uuid)
    assert w.of("az2", "p2")["options"] == first["options"]
    w.status("az2", "p2", "online")
    w.rest()
    assert w.of("az1", "p2")["status"] == w.of("az3", "p2")["status"] == "online"
    w.drop("az1", "p2")
    w.rest()
    assert (w.asked(), w.has("az2")) == (["p2 az3>az2 online"], ["p2 learned"])


def test_quirk_options_that_a_peer_changed_are_not_written_back() -> None:
    """Options that a peer wrote are not fought over (spec monitors-4)."""
    w = Monitors()
    w.monitor("az1", "p2", "az2", options={"az-name": "az2", "failure_count": "3"})
    w.settle()
    (row,) = w.ic_sb.rows("Service_Monitor")
    w.put(w.ic_sb, "Service_Monitor", row.uuid, options={"az-name": "az2", "failure_count": "9"})
    assert w.settle() == []
    assert "its own options" in next(iter(w.reasons("az1").values()))
    w.put(w.sb("az1"), "Service_Monitor", w.of("az1", "p2").uuid, options={"az-name": "az2", "failure_count": "4"})
    w.settle()
    assert next(w.ic_sb.rows("Service_Monitor"))["options"]["failure_count"] == "4"
    assert w.reasons("az1") == {}


def test_quirk_other_source_addresses_share_the_monitor() -> None:
    """Requests with different source addresses share one SB row (spec monitors-4)."""
    w = Monitors(3)
    w.port("az2", "p2")
    w.monitor("az1", "p2", "az2")
    w.monitor("az3", "p2", "az2", src_ip="2.2.2.8")
    w.rest()
    assert w.has("az2") == ["p2 learned"]
    w.status("az2", "p2", "online")
    w.rest()
    assert w.of("az1", "p2")["status"] == w.of("az3", "p2")["status"] == "online"
    assert "has another monitor" in next(iter(w.reasons("az2").values()))
    served = w.of("az2", "p2")["src_ip"]
    w.drop("az1" if served == "2.2.2.9" else "az3", "p2")
    w.rest()
    assert (w.has("az2"), w.reasons("az2")) == (["p2 learned"], {})
    assert w.of("az2", "p2")["src_ip"] != served


def test_quirk_a_local_monitor_answers_in_whatever_form() -> None:
    """A row of the local ovn-northd answers and is not written to (spec monitors-M6, monitors-M7)."""
    w = Monitors()
    w.port("az2", "p2")
    w.monitor("az2", "p2", src_ip="2.2.2.7", status="online")
    w.monitor("az1", "p2", "az2")
    w.rest()
    assert (w.has("az2"), w.asked()) == (["p2"], ["p2 az1>az2 online"])
    assert w.of("az1", "p2")["status"] == "online"


def test_quirk_a_request_to_the_own_zone_is_not_published() -> None:
    """A request to the own zone is not published (spec monitors-4)."""
    w = Monitors()
    w.port("az1", "p1")
    w.monitor("az1", "p1", "az1")
    w.rest()
    assert w.asked() == []
    assert "this zone itself" in next(iter(w.reasons("az1").values()))


def test_northd_takes_a_learned_monitor_over() -> None:
    """A row that ovn-northd takes over is left to it, and made again when it drops it (spec monitors-M7, monitors-M11)."""
    w = Monitors()
    w.port("az2", "p2")
    w.monitor("az1", "p2", "az2")
    w.rest()
    learned = w.of("az2", "p2")
    w.put(w.sb("az2"), "Service_Monitor", learned.uuid, ic_learned=False, options={"theirs": "1"}, src_ip="2.2.2.5")
    w.rest()
    assert w.of("az2", "p2")["options"] == {"theirs": "1"}
    w.drop("az2", "p2")
    w.rest()
    assert w.has("az2") == ["p2 learned"]


def test_odd_rows() -> None:
    """Rows that nothing asks for are deleted; requests for unknown zones stay (spec monitors-M8, monitors-5)."""
    w = Monitors()
    w.monitor("az1", "p1", "", remote=True)
    w.monitor("az1", "p2", "az2", options={"az-name": ""})
    w.put(w.sb("az1"), "Service_Monitor", w.of("az1", "p2").uuid, remote=True)
    w.monitor("az1", "p3", "nowhere")
    w.put(w.ic_sb, "Service_Monitor", logical_port="p4", source_availability_zone="az1", target_availability_zone="az2")
    w.put(w.ic_sb, "Service_Monitor", logical_port="p6", source_availability_zone="gone", target_availability_zone="az2")
    w.put(w.sb("az2"), "Service_Monitor", logical_port="p5", ic_learned=True)
    w.put(w.sb("az2"), "Service_Monitor", logical_port="p6", ic_learned=True)
    w.rest()
    assert w.asked() == ["p2 az1> -", "p3 az1>nowhere -", "p6 gone>az2 -"]
    assert w.has("az2") == []


def test_values_that_ic_sb_refuses_are_not_written() -> None:
    """Values that IC_SB refuses are left out and reported (spec monitors-5)."""
    schemas = schemas_without()
    columns = schemas["OVN_IC_Southbound"].json["tables"]["Service_Monitor"]["columns"]
    columns["protocol"] = {"type": {"key": {"type": "string", "enum": ["set", ["tcp", "udp"]]}, "min": 0, "max": 1}}
    columns["type"] = {"type": {"key": {"type": "string", "enum": "load-balancer"}, "min": 0, "max": 1}}
    w = Monitors(schemas=schemas)
    w.monitor("az1", "p2", "az2", protocol="icmp")
    w.monitor("az1", "p3", "az2", type="network-function")
    w.monitor("az1", "p4", "az2")
    w.rest()
    assert w.asked() == ["p4 az1>az2 -"]
    assert len(w.reasons("az1")) == 2


def test_a_type_that_one_side_lacks_does_not_count() -> None:
    """A column that one side lacks is not compared (spec monitors-6)."""
    w = Monitors(schemas=schemas_without("OVN_IC_Southbound.Service_Monitor.type", "OVN_Southbound.Service_Monitor.chassis_name"))
    w.port("az2", "p2")
    w.monitor("az1", "p2", "az2")
    w.rest()
    w.status("az2", "p2", "online")
    w.rest()
    assert (w.of("az1", "p2")["status"], w.has("az2")) == ("online", ["p2 learned"])


def test_off_where_the_schema_lacks_it() -> None:
    """Without table or columns nothing is deleted (spec monitors-6)."""
    for place in ("OVN_IC_Southbound.Service_Monitor", "OVN_Southbound.Service_Monitor.remote"):
        w = Monitors(schemas=schemas_without(place))
        w.put(w.sb("az1"), "Service_Monitor", logical_port="p9", ic_learned=True)
        w.rest()
        assert w.sb("az1").count("Service_Monitor") == 1


def test_renamed_zone_quirk_rows_of_the_old_name_stay() -> None:
    """Requests with the zone's old name stay (spec monitors-4)."""
    w = Monitors()
    w.port("az2", "p2")
    w.monitor("az1", "p2", "az2")
    w.rest()
    w.put(w.ic_sb, "Availability_Zone", w.az("az1"), name="north")
    w.rest()
    assert w.asked() == ["p2 az1>az2 -", "p2 north>az2 -"]


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["az1", "az2", "az3"]),
        st.sampled_from(["ask", "local", "drop", "port", "status", "forge"]),
        st.sampled_from(["p1", "p2"]),
        st.sampled_from(["az1", "az2", "az3"]),
        st.sampled_from(["a", "b"]),
    ),
    max_size=14,
)


@examples(60)
@given(EDITS)
def test_delta_passes_leave_nothing_to_a_full_one(edits: list[tuple[str, str, str, str, str]]) -> None:
    """A settled state is not written again, whatever happened before (spec monitors-M10)."""
    w = Monitors(3)
    for zone, action, port, target, mark in edits:
        found = w.sb(zone).find("Service_Monitor", "port", port)
        binding = w.sb(zone).first("Port_Binding", "logical_port", port)
        if action in ("ask", "local") and not found:
            options = {"az-name": target, "x": mark} if action == "ask" else {"x": mark}
            w.monitor(zone, port, target if action == "ask" else "", options=options, src_ip=mark)
        elif action == "drop" and found:
            w.delete(w.sb(zone), "Service_Monitor", found[0].uuid)
        elif action == "port" and binding is not None:
            w.delete(w.sb(zone), "Port_Binding", binding.uuid)
        elif action == "port":
            w.port(zone, port)
        elif action == "status" and found:
            w.put(w.sb(zone), "Service_Monitor", found[0].uuid, status="online" if mark == "a" else "error")
        elif action == "forge":
            values = {"source_availability_zone": zone, "target_availability_zone": target, "ip": "1.1.1.1", "port": 10880, "src_ip": mark}
            w.put(w.ic_sb, "Service_Monitor", logical_port=port, protocol="tcp", type="load-balancer", **values)
        w.settle()
        assert w.rejections() == []
    w.check_law()


def test_requests_that_nobody_can_answer_are_reported() -> None:
    w = Monitors()
    w.port("az1", "p1")
    w.monitor("az1", "p1", "az9")
    w.monitor("az1", "p2", "az2")
    w.rest()
    (reason,) = w.reasons("az1").values()
    assert "no zone is named az9" in reason
    (reason,) = w.reasons("az2").values()
    assert "zone az1 requests this service on port p2, but the zone has no such port" in reason
    w.port("az2", "p2")
    w.add_zone("az9")
    w.settle()
    assert (w.reasons("az1"), w.reasons("az2")) == ({}, {})


def test_requests_without_the_mac_of_northd_are_reported() -> None:
    w = Monitors()
    w.mac("az1", "")
    w.monitor("az1", "p2", "az2")
    w.rest()
    assert "SB_Global.options has no svc_monitor_mac" in next(iter(w.reasons("az1").values()))
    w.port("az2", "p2")
    w.mac("az1", "11:11:11:11:11:11")
    w.rest()
    assert w.reasons("az1") == {}
