# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The zone's name and registration, as far as the module decides it without a server."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, NB, SB
from ansible_collections.ovn.interconnect.plugins.modules import ovn_ic_az as module
from ansible_collections.ovn.interconnect.tests.unit.plugins.modules.module_tools import only, params, put, settle, stores


def deployment(name: str = "") -> dict[str, Store]:
    contents = stores(module.DATABASE, module.GLOBAL, module.SOUTH)
    put(contents[NB], "NB_Global", name=name)
    return contents


def registered(contents: dict[str, Store]) -> list[str]:
    return sorted(row["name"] for row in contents[IC_SB].rows("Availability_Zone"))


def test_a_name_alone_is_written_to_nb_only() -> None:
    contents = stores(module.DATABASE)
    (change,) = settle(module, params(module, name="az1"), contents)
    assert (change.database, change.columns) == (NB, {"name": "az1"})
    assert module.describe(params(module, name="az1"), contents) == {"zone": {"name": "az1", "registered": None, "uuid": None}}


def test_a_registered_zone_claims_its_row_and_keeps_it_when_renamed() -> None:
    contents = deployment()
    settle(module, params(module, name="az1"), contents)
    before = only(contents[IC_SB], "Availability_Zone")
    assert any(key.endswith(before.uuid) for key in only(contents[IC_SB], "IC_SB_Global")["external_ids"])
    settle(module, params(module, name="az2"), contents)
    assert only(contents[IC_SB], "Availability_Zone").uuid == before.uuid
    assert registered(contents) == ["az2"]


def test_the_name_of_another_deployment_is_refused_before_anything_is_written() -> None:
    theirs, ours = deployment(), deployment()
    settle(module, params(module, name="az1"), theirs)
    ours[IC_SB] = theirs[IC_SB]
    with pytest.raises(ModuleError, match="the name 'az1' is registered by another deployment"):
        module.desired(params(module, name="az1"), ours)
    assert only(ours[NB], "NB_Global")["name"] == ""


def test_the_name_of_another_deployment_is_refused_to_a_registered_zone() -> None:
    contents = deployment()
    settle(module, params(module, name="az1"), contents)
    put(contents[IC_SB], "Availability_Zone", name="az2")
    with pytest.raises(ModuleError, match="'az2' is registered by another deployment, so this zone keeps the name 'az1'"):
        module.desired(params(module, name="az2"), contents)


def test_an_unclaimed_registration_is_taken_over_if_its_gateways_are_chassis_of_the_zone() -> None:
    contents = deployment("az1")
    az = put(contents[IC_SB], "Availability_Zone", name="az1")
    put(contents[IC_SB], "Gateway", name="gw1", availability_zone=az)
    south = contents.pop(SB)
    with pytest.raises(ModuleError, match=r"none of its gateways, such as gw1, is a chassis of this zone.*or give sb_db"):
        module.desired(params(module, name="az1"), contents)
    contents[SB] = south
    put(south, "Chassis", name="gw1")
    settle(module, params(module, name="az1"), contents)
    assert registered(contents) == ["az1"]


def test_a_refused_registration_is_taken_over_where_an_operator_says_so() -> None:
    theirs, ours = deployment(), deployment()
    settle(module, params(module, name="az1"), theirs)
    ours[IC_SB] = theirs[IC_SB]
    given = params(module, name="az1", claim=True)
    settle(module, given, ours)
    assert module.describe(given, ours) == {
        "zone": {"name": "az1", "registered": True, "uuid": only(ours[IC_SB], "Availability_Zone").uuid},
    }
    assert not module.desired(given, ours)
    with pytest.raises(ModuleError, match="claimed with another token"):
        module.desired(params(module, name="az1"), theirs)


def test_a_registered_zone_has_to_be_withdrawn_before_it_claims_another_name() -> None:
    theirs, ours = deployment(), deployment()
    settle(module, params(module, name="az1"), theirs)
    ours[IC_SB] = theirs[IC_SB]
    settle(module, params(module, name="az2"), ours)
    with pytest.raises(ModuleError, match=r"the zone is registered as 'az2', .* withdraw it with state absent before it claims 'az1'"):
        module.desired(params(module, name="az1", claim=True), ours)


def test_a_claim_needs_a_name_and_ic_sb() -> None:
    with pytest.raises(ModuleError, match="claim needs state present"):
        module.desired(params(module, state="absent", claim=True), deployment())
    with pytest.raises(ModuleError, match="needs state present and ic_sb_db"):
        module.desired(params(module, name="az1", claim=True), stores(module.DATABASE))


def test_absent_withdraws_all_that_is_the_zones_own() -> None:
    contents = deployment()
    settle(module, params(module, name="az1"), contents)
    own, other = only(contents[IC_SB], "Availability_Zone").uuid, put(contents[IC_SB], "Availability_Zone", name="az2")
    for az in (own, other):
        put(contents[IC_SB], "Route", availability_zone=az, ip_prefix="10.0.0.0/8")
        put(contents[IC_SB], "Gateway", availability_zone=az, name=f"gw of {az}")
    settle(module, params(module, state="absent"), contents)
    assert registered(contents) == ["az2"]
    assert only(contents[IC_SB], "Route")["availability_zone"] == other
    assert only(contents[IC_SB], "Gateway")["availability_zone"] == other


def test_absent_leaves_a_zone_of_another_name_and_one_that_never_had_one_alone() -> None:
    assert not settle(module, params(module, name="az9", state="absent"), deployment("az1"))
    assert not settle(module, params(module, state="absent"), deployment())


@pytest.mark.parametrize("name", ["", "  ", " az1", "a\x00b", "a\nb"])
def test_a_name_that_hurts_is_refused(name: str) -> None:
    with pytest.raises(ModuleError, match=r"^name "):
        module.desired(params(module, name=name), deployment())


def purged(name: str, contents: dict[str, Store]) -> list[str]:
    settle(module, params(module, name=name, state="absent", purge=True), contents)
    return registered(contents)


def test_a_dead_zone_is_purged_without_its_databases_and_in_one_group() -> None:
    """All rows of a zone that is gone are deleted at once (spec deployment-G.3)."""
    contents = stores(module.GLOBAL)
    dead, other = (put(contents[IC_SB], "Availability_Zone", name=name) for name in ("dead", "other"))
    put(contents[IC_SB], "IC_SB_Global", external_ids={f"ovn-interconnect-claim-{dead}": "t", f"ovn-interconnect-claim-{other}": "u"})
    put(contents[IC_SB], "Service_Monitor", source_availability_zone="dead", logical_port="p")
    for az in (dead, other):
        put(contents[IC_SB], "Gateway", availability_zone=az, name=f"gw of {az}")
    given = params(module, name="dead", state="absent", purge=True)
    assert len(module.desired(given, contents)) == 4
    assert purged("dead", contents) == ["other"]
    assert only(contents[IC_SB], "Gateway")["availability_zone"] == other
    assert only(contents[IC_SB], "IC_SB_Global")["external_ids"] == {f"ovn-interconnect-claim-{other}": "u"}
    assert module.describe(given, contents) == {"zone": {"name": "dead", "registered": False, "uuid": None}}
    assert not module.desired(given, contents)


@pytest.mark.parametrize("requested, confirmed, alive", [(3, 3, True), (3, 2, False), (0, 0, False), (3, 4, False)])
def test_a_zone_that_has_confirmed_the_newest_request_is_not_purged(requested: int, confirmed: int, alive: bool) -> None:
    contents = stores(module.GLOBAL, module.NORTH)
    put(contents[IC_SB], "Availability_Zone", name="az1", nb_ic_cfg=confirmed)
    put(contents[IC_NB], "IC_NB_Global", nb_ic_cfg=requested)
    if alive:
        with pytest.raises(ModuleError, match="has confirmed the newest request, number 3, so its sync daemon may be running"):
            purged("az1", contents)
    else:
        assert purged("az1", contents) == []


def test_the_zone_itself_is_not_purged_and_nothing_present_is() -> None:
    contents = deployment()
    settle(module, params(module, name="az1"), contents)
    with pytest.raises(ModuleError, match="'az1' is the zone of nb_db itself; omit purge"):
        purged("az1", contents)
    with pytest.raises(ModuleError, match="set it, or omit purge"):
        module.desired(params(module, name="az1", purge=True), contents)


def test_only_what_is_needed_is_read() -> None:
    assert module.needed({"purge": True}) == [module.GLOBAL]
    assert module.needed({"purge": False}) == [module.DATABASE]
    assert module.NORTH in module.optional({"purge": True})
    assert module.SOUTH in module.optional({"purge": False})
