# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transit router ports with and without a chassis, on schemas that have them (spec newest-N-4, newest-N-5)."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.tests.support import ovsdb, topology
from ansible_collections.ovn.interconnect.tests.support.ovsdb import Named
from ansible_collections.ovn.interconnect.tests.support.servers import AvailabilityZone, Interconnect

from .conftest import Make

pytestmark = pytest.mark.ours("26.09.0 realises a port without chassis nowhere; main of autumn 2026 does what is tested here")

FIRST, SECOND = "00:00:00:11:22:00", "00:00:00:11:22:01"


@pytest.fixture
def ic(make_newest: Make) -> Interconnect:
    """Three zones of the newest schema, each with the gateway gw-<zone>, and the transit router tr."""
    made = make_newest("az1", "az2", "az3", daemons=False)
    for number, zone in enumerate(made.zones, 1):
        zone.sb.transact(*topology.chassis(f"gw-{zone.name}", [("geneve", f"192.168.0.{number}")]))
    made.start()
    made.nb.transact(ovsdb.insert("Transit_Router", {"name": "tr"}))
    made.settle()
    return made


def add_port(ic: Interconnect, chassis: str = "", name: str = "trp") -> None:
    ic.nb.refresh()
    router = ic.nb.get("Transit_Router", name="tr").uuid
    columns = {"name": name, "mac": FIRST, "chassis": chassis, "networks": {"10.9.0.1/24"} if chassis else set(), "tr_uuid": router}
    port = ovsdb.insert("Transit_Router_Port", columns, name="port")
    ic.nb.transact(port, ovsdb.mutate("Transit_Router", "ports", "insert", Named("port"), name="tr"))
    ic.settle()


def change(ic: Interconnect, **columns: object) -> None:
    ic.nb.transact(ovsdb.update("Transit_Router_Port", columns, name="trp"))
    ic.settle()


def row(ic: Interconnect) -> ovsdb.Row:
    """The one binding of the port in IC_SB."""
    return ic.sb.get("Port_Binding", logical_port="trp")


def owner(ic: Interconnect) -> str:
    """The zone that owns the binding."""
    names = {zone.uuid: zone.text("name") for zone in ic.sb.rows("Availability_Zone")}
    return names[row(ic).refs("availability_zone").pop()]


def options(zone: AvailabilityZone) -> dict[str, str]:
    return zone.nb.get("Logical_Router_Port", name="trp").map("options")


def test_a_port_without_chassis_is_in_every_zone_with_one_binding(ic: Interconnect) -> None:
    add_port(ic)
    binding = row(ic)
    router = ic.nb.get("Transit_Router", name="tr").uuid
    seen = (binding.text("type"), binding.text("address"), binding.text("gateway"), binding.text("nb_ic_uuid"))
    assert seen == ("transit-router-port", FIRST, "", str(router))
    for zone in ic.zones:
        assert options(zone) == {"interconn-tr": "trp", "requested-tnl-key": str(binding.number("tunnel_key"))}


def test_a_changed_mac_reaches_the_shared_binding(ic: Interconnect) -> None:
    add_port(ic)
    change(ic, mac=SECOND)
    assert row(ic).text("address") == SECOND
    assert {zone.nb.get("Logical_Router_Port", name="trp").text("mac") for zone in ic.zones} == {SECOND}


def test_a_port_that_loses_its_chassis_keeps_its_binding(ic: Interconnect) -> None:
    add_port(ic, "gw-az2")
    before = row(ic)
    change(ic, chassis="")
    assert (row(ic).uuid, owner(ic)) == (before.uuid, "az2")
    assert all("requested-chassis" not in options(zone) for zone in ic.zones)


def test_a_port_that_gets_a_chassis_or_another_one_moves_to_its_zone(ic: Interconnect) -> None:
    add_port(ic)
    for chassis in ("gw-az2", "gw-az3"):
        change(ic, chassis=chassis)
        assert owner(ic) == chassis.removeprefix("gw-")
        assert {options(zone)["requested-chassis"] for zone in ic.zones} == {chassis}


def test_a_removed_port_is_gone_everywhere(ic: Interconnect) -> None:
    add_port(ic)
    ic.nb.refresh()
    port = ic.nb.get("Transit_Router_Port", name="trp").uuid
    ic.nb.transact(ovsdb.mutate("Transit_Router", "ports", "delete", port, name="tr"))
    ic.settle()
    assert not ic.sb.rows("Port_Binding", logical_port="trp")
    assert not any(zone.nb.rows("Logical_Router_Port", name="trp") for zone in ic.zones)
