# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The zone's own row: registration, rename, refusal, withdrawal, and what the zone remembers (spec zones-A)."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.gateways import Gateways
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.progress import Progress, laggards
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.zones import Zones, denied
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_SB
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.zone import CLAIM_PREFIX, IC_NB_KEY, TOKEN_KEY, ZONE_KEY

from ..server_rules import LACKING_IN_2303, schemas_without
from ..simulated_zones import Site, World, named, rows


def world(*zones: str, **options: Any) -> World:
    return World(lambda: (Zones(), Gateways(), Progress()), zones or ("az1",), register=False, **options)


def rename(world: World, old: str, name: str) -> None:
    """An operator sets NB_Global.name of the zone that the test calls ``old``."""
    nb = world.site(old).zone.nb
    row = nb.only("NB_Global")
    assert row is not None
    world.put(nb, "NB_Global", row.uuid, name=name)


def test_a_zone_registers_and_remembers_its_row() -> None:
    """A zone inserts its row in IC_SB and uses it from then on (spec zones-A.1, zones-A-5)."""
    simulated = world()
    simulated.settle()
    zone = simulated.zone
    own = zone.own_az
    assert own is not None
    assert own["name"] == "az1"
    nb_global = zone.nb_global
    assert nb_global is not None
    assert nb_global["external_ids"][ZONE_KEY] == own.uuid
    claims = zone.ic_sb.only("IC_SB_Global")
    assert claims is not None
    assert claims["external_ids"] == {CLAIM_PREFIX + own.uuid: nb_global["external_ids"][TOKEN_KEY]}
    simulated.check_law()


def test_a_nameless_zone_writes_nothing_global() -> None:
    """A daemon without a zone name leaves all other databases alone (spec zones-A-3)."""
    simulated = world()
    rename(simulated, "az1", "")
    written = simulated.settle()
    assert {change.database for change in written} <= {"OVN_Northbound"}
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == []


def test_without_a_global_row_nothing_is_done_and_that_is_listed() -> None:
    """A zone without NB_Global writes nothing (spec zones-A-1, newest-N-23)."""
    simulated = world()
    simulated.settle()
    nb = simulated.zone.nb
    row = nb.only("NB_Global")
    assert row is not None
    before = rows(simulated.ic_sb, "Availability_Zone", "name")
    simulated.delete(nb, "NB_Global", row.uuid)
    assert simulated.settle() == []
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == before
    assert "has no NB_Global row" in simulated.reasons()["NB_Global"]


def test_a_new_name_is_a_rename_in_place() -> None:
    """The uuid of the row, and with it all references, survive (spec zones-A-2)."""
    simulated = world()
    simulated.settle()
    before = simulated.az("az1")
    rename(simulated, "az1", "north")
    simulated.settle()
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == ["north"]
    assert simulated.az("az1") == before


def test_a_rename_while_the_daemon_is_down_is_recognised() -> None:
    """The zone knows its row by uuid, so a rename is recognized later too (spec zones-A-2)."""
    simulated = world()
    simulated.settle()
    before = simulated.az("az1")
    simulated.stop("az1")
    rename(simulated, "az1", "north")
    simulated.start("az1")
    simulated.settle()
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == ["north"]
    assert simulated.az("az1") == before


def test_a_name_that_another_deployment_has_is_refused() -> None:
    """The name belongs to another deployment (spec zones-A.3): the old registration stays and an error is visible."""
    simulated = world("az1", "az2")
    simulated.settle()
    rename(simulated, "az2", "az1")
    simulated.settle()
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == ["az1", "az2"]
    assert "registered by another deployment" in simulated.reasons("az2")["az1"]
    rename(simulated, "az2", "az3")
    simulated.settle()
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == ["az1", "az3"]
    assert simulated.reasons("az2") == {}


def test_two_deployments_with_one_name_from_the_start() -> None:
    """The second one stops, the first keeps what it has (spec zones-A.3)."""
    simulated = world("az1", "az2")
    simulated.stop("az2")
    simulated.settle()
    rename(simulated, "az2", "az1")
    simulated.start("az2")
    assert [change for change in simulated.settle() if change.database == IC_SB] == []
    assert simulated.site("az2").zone.own_az is None
    assert "claimed with another token" in simulated.reasons("az2")["az1"]


def foreign(world: World, *gateways: str, routers: tuple[str, ...] = ()) -> str:
    """A row az1 that nobody claims, with these gateways and ports of these routers, before the zone's daemon starts; its uuid."""
    world.stop("az1")
    az = world.put(world.ic_sb, "Availability_Zone", name="az1")
    for number, name in enumerate(gateways):
        encap = world.put(world.ic_sb, "Encap", type="geneve", ip=f"10.0.0.{number}", gateway_name=name)
        world.put(world.ic_sb, "Gateway", name=name, availability_zone=az, encaps=[encap])
    for number, router in enumerate(routers, 1):
        columns = {"logical_port": f"p{number}", "transit_switch": "ts", "tunnel_key": number, "external_ids": {"router-id": router}}
        world.put(world.ic_sb, "Port_Binding", availability_zone=az, **columns)
    return az


def restart(world: World) -> None:
    """The daemon of az1 starts and settles."""
    world.start("az1")
    world.settle()


def reason(world: World) -> str:
    """Why the zone az1 has no row, empty where it has one."""
    return world.reasons("az1").get("az1", "")


GONE = "3f2c4a6e-0000-4000-8000-000000000000"


def test_a_row_of_upstreams_daemon_is_adopted_as_soon_as_one_of_its_gateways_is_ours() -> None:
    """A row of the zone's name is adopted, here only once something proves it to be the zone's (spec zones-A-4)."""
    simulated = world()
    az = foreign(simulated, "gw1", "gw2", routers=(GONE,))
    restart(simulated)
    assert simulated.zone.own_az is None
    assert "none of its gateways, such as gw1, is a chassis of this zone" in reason(simulated)
    simulated.chassis("gw2", zone="az1")
    simulated.settle()
    assert simulated.az("az1") == az
    assert rows(simulated.ic_sb, "Gateway", "name") == ["gw2"]


@pytest.mark.parametrize("table", ["Logical_Router", "Logical_Switch"])
def test_a_row_of_upstreams_daemon_is_adopted_if_one_of_its_ports_is_of_a_router_or_leaf_switch_of_ours(table: str) -> None:
    simulated = world()
    here = simulated.new_uuid()
    az = foreign(simulated, routers=(GONE, here))
    restart(simulated)
    assert "its ports belong to routers that this zone does not have" in reason(simulated)
    simulated.put(simulated.zone.nb, table, here, name="here")
    simulated.settle()
    assert simulated.az("az1") == az


def test_a_row_with_a_gateway_that_is_a_remote_chassis_here_is_refused() -> None:
    simulated = world()
    foreign(simulated, "gw1", "gw2")
    for number, (name, flag) in enumerate([("gw1", "is-interconn"), ("gw2", "is-remote")]):
        sb = simulated.zone.sb
        encap = simulated.put(sb, "Encap", type="geneve", ip=f"10.0.0.{number}", chassis_name=name)
        simulated.put(sb, "Chassis", name=name, other_config={flag: "true"}, encaps=[encap])
    restart(simulated)
    assert "its gateway gw2 is a remote chassis here" in reason(simulated)


def test_a_row_that_our_own_token_claims_is_ours_whatever_belongs_to_it() -> None:
    """The zone's NB was created again: the process still knows its token."""
    simulated = world()
    simulated.settle()
    az, nb = simulated.az("az1"), simulated.zone.nb
    simulated.put(simulated.ic_sb, "Gateway", name="gone", availability_zone=az, encaps=[])
    (row,) = nb.rows("NB_Global")
    simulated.delete(nb, "NB_Global", row.uuid)
    simulated.put(nb, "NB_Global", name="az1")
    simulated.settle()
    assert simulated.az("az1") == az


def grant(site: Site) -> None:
    """An operator confirms that the row with the zone's name belongs to it."""
    row = denied(site.zone)
    assert row is not None
    site.engine.learn(site.zone.facts._replace(granted=row.uuid))


def test_a_refused_row_is_ours_on_an_operators_word_and_only_once() -> None:
    simulated = world("az1", "az2")
    simulated.stop("az2")
    simulated.settle()
    az = simulated.az("az1")
    rename(simulated, "az2", "az1")
    simulated.start("az2")
    simulated.settle()
    ours, theirs = (simulated.site(name) for name in ("az2", "az1"))
    grant(ours)
    simulated.settle()
    assert (simulated.az("az2"), theirs.zone.own_az, denied(ours.zone)) == (az, None, None)
    assert "claimed with another token" in reason(simulated)
    grant(theirs)
    simulated.settle()
    assert (simulated.az("az1"), ours.zone.own_az) == (az, None)
    simulated.check_law()


def test_clearing_the_name_withdraws_everything_and_then_the_zone() -> None:
    """The name is cleared while the zone still owns rows (spec zones-A.3): all of them go in one transaction."""
    simulated = world()
    simulated.settle()
    az = simulated.az("az1")
    simulated.put(simulated.ic_sb, "Route", transit_switch="ts", availability_zone=az, ip_prefix="10.0.0.0/8", nexthop="1.1.1.1")
    simulated.put(simulated.ic_sb, "Port_Binding", logical_port="p", transit_switch="ts", tunnel_key=1, availability_zone=az)
    simulated.put(simulated.ic_sb, "Address_Set", name="as", availability_zone=az)
    rename(simulated, "az1", "")
    simulated.settle()
    for table in ("Route", "Port_Binding", "Address_Set", "Gateway", "Availability_Zone"):
        assert list(simulated.ic_sb.rows(table)) == []
    claims = simulated.ic_sb.only("IC_SB_Global")
    assert claims is not None
    assert claims["external_ids"] == {}
    assert simulated.rejections() == []
    rename(simulated, "az1", "again")
    simulated.settle()
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == ["again"]


def test_quirk_a3_a_withdrawal_that_is_rejected_is_tried_again() -> None:
    """A rejected withdrawal is tried again (spec zones-A.3)."""
    simulated = world()
    simulated.settle()
    az = simulated.az("az1")
    rename(simulated, "az1", "")
    groups = simulated.engine.plan()
    # Another client still writes a row of the zone before the withdrawal reaches the server.
    simulated.put(simulated.ic_sb, "Address_Set", name="late", availability_zone=az)
    simulated._commit(simulated.site(), groups)
    assert "referential integrity violation" in simulated.rejections()[0]
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == ["az1"]
    simulated.settle(retries=1)
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == rows(simulated.ic_sb, "Address_Set", "name") == []


def test_quirk_a3_a_zone_that_is_gone_keeps_its_rows_and_is_named() -> None:
    """Nobody can tell a zone that is gone from one that is down: its rows are its own, and an operator deletes them."""
    simulated = world()
    encap = simulated.put(simulated.ic_sb, "Encap", type="geneve", ip="192.0.2.9", gateway_name="gw9")
    gone = simulated.put(simulated.ic_sb, "Availability_Zone", name="gone", nb_ic_cfg=7)
    simulated.put(simulated.ic_sb, "Gateway", name="gw9", availability_zone=gone, encaps=[encap])
    simulated.settle()
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == ["az1", "gone"]
    assert named(simulated.zone.sb, "Chassis", "gw9")["other_config"] == {"is-remote": "true"}
    assert laggards(simulated.zone) == [("gone", 7)]


def test_quirk_c_a_zone_with_gateways_is_renamed_in_place_on_the_oldest_schemas() -> None:
    """The row of a renamed zone is renamed in place on every schema (spec zones-C)."""
    simulated = world(schemas=schemas_without(*LACKING_IN_2303))
    simulated.chassis("gw1", zone="az1")
    simulated.settle()
    before = simulated.az("az1")
    rename(simulated, "az1", "north")
    simulated.settle()
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == ["north"]
    assert rows(simulated.ic_sb, "Gateway", "name", "availability_zone") == [("gw1", before)]
    assert simulated.rejections() == []


def test_a_row_deleted_by_an_operator_is_registered_again() -> None:
    """A zone row deleted by hand is inserted again (spec zones-A.3)."""
    simulated = world()
    simulated.settle()
    simulated.delete(simulated.ic_sb, "Availability_Zone", simulated.az("az1"))
    simulated.settle()
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == ["az1"]
    simulated.check_law()


def test_the_accepted_identity_of_the_global_databases_is_remembered() -> None:
    simulated = world()
    simulated.engine.learn(simulated.zone.facts._replace(notes={IC_NB_KEY: "identity"}))
    simulated.settle()
    nb_global = simulated.zone.nb_global
    assert nb_global is not None
    assert nb_global["external_ids"][IC_NB_KEY] == "identity"


def forget(world: World, name: str) -> None:
    """A CMS empties NB_Global.external_ids while the daemon of the zone is down."""
    world.stop(name)
    (row,) = world.site(name).zone.nb.rows("NB_Global")
    world.put(world.site(name).zone.nb, "NB_Global", row.uuid, external_ids={})


@pytest.mark.parametrize("proof", ["gateway", "router"])
def test_a_zone_whose_external_ids_were_emptied_is_recognized(proof: str) -> None:
    simulated = world()
    simulated.settle()
    az = simulated.az("az1")
    if proof == "gateway":
        simulated.chassis("gw1", zone="az1")
    else:
        router = simulated.put(simulated.zone.nb, "Logical_Router", name="lr1")
        ids = {"router-id": router}
        simulated.put(
            simulated.ic_sb, "Port_Binding", availability_zone=az, logical_port="p", transit_switch="t", tunnel_key=1, external_ids=ids
        )
    simulated.settle()
    forget(simulated, "az1")
    simulated.start("az1")
    simulated.settle()
    assert simulated.az("az1") == az
    assert simulated.reasons("az1") == {}
    simulated.check_law()


def test_a_zone_that_was_renamed_and_whose_external_ids_were_emptied_is_recognized_by_its_gateway() -> None:
    simulated = world()
    simulated.chassis("gw1", zone="az1", ip="192.0.2.1")
    simulated.settle()
    az = simulated.az("az1")
    simulated.stop("az1")
    forget(simulated, "az1")
    rename(simulated, "az1", "new")
    simulated.start("az1")
    simulated.settle()
    assert simulated.az("az1") == az
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == ["new"]
    simulated.check_law()


@pytest.mark.parametrize("lost_too", ["nothing", "IC_SB"])
def test_an_nb_that_is_restored_after_an_empty_one_has_registered_is_recognized(lost_too: str) -> None:
    """Whichever of both NBs registered, the other one proves itself."""
    simulated = world()
    simulated.chassis("gw1", zone="az1", ip="192.0.2.1")
    simulated.settle()
    nb = simulated.zone.nb
    before = dict(named(nb, "NB_Global", "az1")["external_ids"])
    if lost_too == "IC_SB":
        simulated.stop("az1")
        for table in ("Gateway", "Encap", "Availability_Zone", "IC_SB_Global"):
            for row in list(simulated.ic_sb.rows(table)):
                simulated.delete(simulated.ic_sb, table, row.uuid)
        simulated.put(simulated.ic_sb, "IC_SB_Global")
    forget(simulated, "az1")
    simulated.start("az1")
    simulated.settle()
    simulated.put(nb, "NB_Global", named(nb, "NB_Global", "az1").uuid, external_ids=before)
    simulated.start("az1")
    simulated.settle()
    assert simulated.reasons("az1") == {}
    assert simulated.az("az1") == named(simulated.ic_sb, "Availability_Zone", "az1").uuid
    simulated.check_law()


def test_a_copy_of_another_deployments_nb_does_not_take_its_registration_over() -> None:
    """It has the same routers, but chassis of its own."""
    simulated = world("az1", "az2")
    simulated.stop("az2")
    simulated.chassis("gw1", zone="az1", ip="192.0.2.1")
    simulated.settle()
    router = simulated.put(simulated.zone.nb, "Logical_Router", name="lr1")
    columns = {"logical_port": "p", "transit_switch": "t", "tunnel_key": 1, "external_ids": {"router-id": router}}
    simulated.put(simulated.ic_sb, "Port_Binding", availability_zone=simulated.az("az1"), **columns)
    simulated.settle()
    az = simulated.az("az1")
    forget(simulated, "az2")
    rename(simulated, "az2", "copy")
    simulated.put(simulated.site("az2").zone.nb, "Logical_Router", router, name="lr1")
    simulated.chassis("gw1", zone="az2", ip="192.0.2.2")
    simulated.start("az2")
    simulated.settle()
    assert simulated.az("az1") == az != simulated.az("az2")
    assert named(simulated.ic_sb, "Availability_Zone", "az1").uuid == az


def test_a_second_deployment_of_one_name_is_refused_although_its_chassis_has_the_name_of_a_gateway() -> None:
    simulated = world("az1", "az2")
    simulated.stop("az2")
    simulated.chassis("gw1", zone="az1", ip="192.0.2.1")
    simulated.settle()
    rename(simulated, "az2", "az1")
    simulated.chassis("gw1", zone="az2", ip="192.0.2.2")
    simulated.start("az2")
    simulated.settle()
    assert simulated.site("az2").zone.own_az is None
    assert "claimed with another token" in simulated.reasons("az2")["az1"]


def restored(world: World, copy: tuple[str, dict[str, str]], now: str) -> None:
    """IC_SB is restored: the zone's row is the one of the copy again, with its claim, and the row ``now`` does not exist."""
    uuid, claims = copy
    (row,) = world.ic_sb.rows("IC_SB_Global")
    with world.batch():
        world.delete(world.ic_sb, "Availability_Zone", now)
        world.put(world.ic_sb, "Availability_Zone", uuid, name="az1")
        world.put(world.ic_sb, "IC_SB_Global", row.uuid, external_ids=claims)


def test_a_zone_that_was_renamed_finds_its_row_in_a_restored_copy_of_ic_sb() -> None:
    """IC_SB was lost, the zone registered again, was renamed, and then the copy was restored: the zone's old name has its old row."""
    simulated = world()
    simulated.settle()
    (row,) = simulated.ic_sb.rows("IC_SB_Global")
    copy = simulated.az("az1"), dict(row["external_ids"])
    simulated.delete(simulated.ic_sb, "Availability_Zone", copy[0])
    simulated.settle()
    rename(simulated, "az1", "north")
    simulated.settle()
    restored(simulated, copy, simulated.az("az1"))
    simulated.settle()
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == ["north"]
    assert simulated.az("az1") == copy[0]
    simulated.check_law()


def test_a_second_row_that_the_zone_claims_is_withdrawn() -> None:
    simulated = world()
    simulated.settle()
    own, token = simulated.az("az1"), simulated.zone.token
    second = simulated.put(simulated.ic_sb, "Availability_Zone", name="old")
    simulated.put(simulated.ic_sb, "Port_Binding", availability_zone=second, logical_port="p", transit_switch="t", tunnel_key=1)
    (row,) = simulated.ic_sb.rows("IC_SB_Global")
    simulated.set_keys(simulated.ic_sb, "IC_SB_Global", row.uuid, "external_ids", **{CLAIM_PREFIX + second: token})
    simulated.settle()
    assert rows(simulated.ic_sb, "Availability_Zone", "name") == ["az1"]
    assert rows(simulated.ic_sb, "Port_Binding", "logical_port") == []
    assert simulated.az("az1") == own
    simulated.check_law()
