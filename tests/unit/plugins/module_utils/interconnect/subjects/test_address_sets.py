# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Address sets: rules, quirks, schema versions and scenarios (spec address-sets-2, address-sets-3, address-sets-5, address-sets-6)."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import ServerSchema
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.subjects.address_sets import AddressSets
from ansible_collections.ovn.interconnect.tests.support.examples import examples
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.server_rules import schemas_without
from ansible_collections.ovn.interconnect.tests.unit.plugins.module_utils.interconnect.simulated_zones import World, named, rows

BOTH = {"ic-as-adv": "true", "ic-as-learn": "true"}


class Sets(World):
    """Zones whose NB sets reach SB as northd brings them there."""

    def __init__(self, zones: int = 2, schemas: dict[str, ServerSchema] | None = None, options: dict[str, str] = BOTH) -> None:
        super().__init__(lambda: [AddressSets()], [f"az{n}" for n in range(1, zones + 1)], schemas=schemas)
        for zone in self.sites:
            self.switch(zone, **{key.replace("-", "_"): value for key, value in options.items()})

    def nb(self, zone: str) -> Store:
        return self.site(zone).zone.nb

    def sb(self, zone: str) -> Store:
        return self.site(zone).zone.sb

    def switch(self, zone: str, **options: str | None) -> None:
        row = self.site(zone).zone.nb_global
        assert row is not None
        self.set_keys(self.nb(zone), "NB_Global", row.uuid, "options", **options)

    def local(self, zone: str, name: str, *addresses: str, adv: str = "true") -> str:
        return self.put(self.nb(zone), "Address_Set", name=name, addresses=frozenset(addresses), options={"ic-adv": adv} if adv else {})

    def copy(self) -> None:
        """What northd does: SB sets are copies of the NB ones."""
        for site in self.sites.values():
            wanted = {row["name"]: row for row in site.zone.nb.rows("Address_Set")}
            for row in list(site.zone.sb.rows("Address_Set")):
                if row["name"] not in wanted and "_" not in row["name"]:
                    self.delete(site.zone.sb, "Address_Set", row.uuid)
            for name, row in wanted.items():
                old = site.zone.sb.first("Address_Set", "name", name)
                values = {"name": name, "addresses": row["addresses"], "options": row["options"]}
                self.put(site.zone.sb, "Address_Set", old.uuid if old is not None else None, **values)

    def rest(self) -> None:
        for _round in range(4):
            self.settle()
            self.copy()
        assert self.settle() == []
        assert self.rejections() == []
        self.check_law()

    def in_nb(self, zone: str) -> list[Any]:
        return rows(self.nb(zone), "Address_Set", "name", "addresses", "external_ids")

    def in_ic(self) -> list[Any]:
        names = {row.uuid: row["name"] for row in self.ic_sb.rows("Availability_Zone")}
        return sorted(
            (row["name"], names[row["availability_zone"]], tuple(sorted(row["addresses"]))) for row in self.ic_sb.rows("Address_Set")
        )


LEARNT = (("ic-learnt", "true"),)


def test_a_set_is_published_and_learned() -> None:
    """A chosen set is published and learned, and withdrawn in the end (spec address-sets-A3 to address-sets-A6)."""
    w = Sets()
    uuid = w.local("az1", "A", "p", "q")
    w.rest()
    assert w.in_ic() == [("A", "az1", ("p", "q"))]
    assert w.in_nb("az2") == [("A", ("p", "q"), LEARNT)]
    assert w.in_nb("az1") == [("A", ("p", "q"), ())]
    copy = named(w.nb("az2"), "Address_Set", "A").uuid
    w.put(w.nb("az2"), "Address_Set", copy, addresses={"p", "q", "r"}, external_ids={"ic-learnt": "true", "x": "y"})
    w.rest()
    assert w.in_nb("az2") == [("A", ("p", "q"), (*LEARNT, ("x", "y")))]
    w.delete(w.nb("az1"), "Address_Set", uuid)
    w.rest()
    assert w.in_ic() == w.in_nb("az2") == []


def test_quirk_a_learned_set_with_ic_adv_is_published_again() -> None:
    """A learned set that is chosen is published again (spec address-sets-3)."""
    w = Sets()
    uuid = w.local("az1", "A", "p", "q")
    w.rest()
    w.put(w.nb("az2"), "Address_Set", named(w.nb("az2"), "Address_Set", "A").uuid, options={"ic-adv": "true"})
    w.rest()
    assert w.in_ic() == [("A", "az1", ("p", "q")), ("A", "az2", ("p", "q"))]
    # The echo keeps the addresses alive in a third zone, and the second zone drops its learned set with the first one's.
    w.delete(w.nb("az1"), "Address_Set", uuid)
    w.settle()
    w.copy()
    w.settle()
    assert ("A", "az1", ("p", "q")) not in w.in_ic()


def test_empty_strings_other_spellings_and_sets_made_by_northd() -> None:
    """Only sets with ic-adv true are published, with any text as an address (spec address-sets-1, address-sets-A3)."""
    w = Sets()
    w.local("az1", "B", "", adv="True")
    w.local("az1", "C", "x", adv="yes")
    w.local("az1", "E")
    for name in ("pg1_ip4", "svc_monitor_mac"):
        w.put(w.sb("az1"), "Address_Set", name=name, addresses={"z"})
    w.rest()
    assert w.in_ic() == [("B", "az1", ("",)), ("E", "az1", ())]
    assert w.in_nb("az2") == [("B", ("",), LEARNT), ("E", (), LEARNT)]


def test_union_and_the_local_set_wins() -> None:
    """Sets of one name are merged, and a local one of that name stays (spec address-sets-A2, address-sets-A5, address-sets-6)."""
    w = Sets(3)
    first = w.local("az1", "S", "a", "b")
    w.local("az2", "S", "b", "c")
    w.rest()
    assert w.in_nb("az3") == [("S", ("a", "b", "c"), LEARNT)]
    assert w.in_nb("az1") == [("S", ("a", "b"), ())]
    w.put(w.nb("az1"), "Address_Set", first, options={})
    w.rest()
    assert w.in_nb("az3") == [("S", ("b", "c"), LEARNT)]
    assert w.in_nb("az1") == [("S", ("a", "b"), ())]
    w.delete(w.nb("az1"), "Address_Set", first)
    w.rest()
    assert w.in_nb("az1") == [("S", ("b", "c"), LEARNT)]


def test_quirk_a_learned_name_is_taken_until_the_mark_is_removed() -> None:
    """A learned set becomes a local one when its mark is removed (spec address-sets-3)."""
    w = Sets()
    w.local("az1", "S", "a")
    w.rest()
    w.put(w.nb("az2"), "Address_Set", named(w.nb("az2"), "Address_Set", "S").uuid, external_ids={}, addresses={"mine"})
    w.rest()
    assert w.in_nb("az2") == [("S", ("mine",), ())]


def test_the_switches_are_independent() -> None:
    """Each switch counts for itself (spec address-sets-1, address-sets-A4, address-sets-A5)."""
    w = Sets()
    w.local("az1", "S", "a")
    w.local("az2", "T", "b")
    w.rest()
    w.switch("az2", ic_as_learn="yes")
    w.rest()
    assert w.in_nb("az2") == [("T", ("b",), ())]
    assert ("T", ("b",), LEARNT) in w.in_nb("az1")
    w.switch("az1", ic_as_adv=None)
    w.rest()
    assert w.in_ic() == [("T", "az2", ("b",))]
    w.switch("az2", ic_as_learn="TRUE")
    w.switch("az1", ic_as_adv="True")
    w.rest()
    assert ("S", ("a",), LEARNT) in w.in_nb("az2")


def test_rows_by_hand() -> None:
    """Own rows without a set go, those of other zones are learned (spec address-sets-4)."""
    w = Sets()
    w.put(w.ic_sb, "Address_Set", name="X", availability_zone=w.az("az1"), addresses={"a"})
    dead = w.put(w.ic_sb, "Availability_Zone", name="gone")
    w.put(w.ic_sb, "Address_Set", name="Y", availability_zone=dead, addresses={"d"})
    w.rest()
    # QUIRK: what a dead zone published stays, there and in every learner.
    assert w.in_ic() == [("Y", "gone", ("d",))]
    assert w.in_nb("az1") == w.in_nb("az2") == [("Y", ("d",), LEARNT)]


def test_quirk_an_empty_sb_withdraws_the_sets() -> None:
    """An empty SB withdraws the zone's sets (spec address-sets-A4)."""
    w = Sets()
    w.local("az1", "S", "a")
    w.rest()
    w.delete(w.sb("az1"), "Address_Set", named(w.sb("az1"), "Address_Set", "S").uuid)
    w.settle()
    assert w.in_ic() == []
    w.rest()
    assert w.in_ic() == [("S", "az1", ("a",))]


def test_quirk_a_name_that_northd_uses_in_sb_only_is_learned() -> None:
    """A name that is taken in SB only is learned into NB (spec address-sets-A6)."""
    w = Sets()
    w.put(w.sb("az2"), "Address_Set", name="pg1_ip4", addresses={"z"})
    w.put(w.ic_sb, "Address_Set", name="pg1_ip4", availability_zone=w.az("az1"), addresses={"a"})
    w.stop("az1")
    w.settle()
    assert w.in_nb("az2") == [("pg1_ip4", ("a",), LEARNT)]


def test_quirk_a_dead_zones_sets_stay() -> None:
    """Sets of a zone whose daemon is gone stay (spec address-sets-3)."""
    w = Sets()
    w.stop("az1")
    w.put(w.ic_sb, "Address_Set", name="Y", availability_zone=w.az("az1"), addresses={"d"})
    w.settle()
    assert w.in_ic() == [("Y", "az1", ("d",))]
    assert w.in_nb("az2") == [("Y", ("d",), LEARNT)]


def test_without_the_table_nothing_is_touched() -> None:
    """Without the table in IC_SB nothing is written, and that is said (spec address-sets-5)."""
    w = Sets(schemas=schemas_without("OVN_IC_Southbound.Address_Set"))
    w.put(w.nb("az1"), "Address_Set", name="old", external_ids={"ic-learnt": "true"})
    w.local("az1", "S", "a")
    w.rest()
    assert {name for name, _addresses, _ids in w.in_nb("az1")} == {"old", "S"}
    assert "no table Address_Set" in w.reasons("az1")["NB_Global"]
    w.switch("az1", ic_as_adv=None, ic_as_learn=None)
    w.rest()
    assert w.reasons("az1") == {}


def test_without_options_nothing_is_published_and_learning_works() -> None:
    """Without options in SB nothing is published, and own rows go (spec address-sets-5)."""
    w = Sets(schemas=schemas_without("OVN_Southbound.Address_Set.options"))
    w.put(w.ic_sb, "Address_Set", name="X", availability_zone=w.az("az1"), addresses={"a"})
    dead = w.put(w.ic_sb, "Availability_Zone", name="az9")
    w.put(w.ic_sb, "Address_Set", name="Y", availability_zone=dead, addresses={"d"})
    w.put(w.sb("az1"), "Address_Set", name="S", addresses={"a"})
    w.settle()
    assert w.in_ic() == [("Y", "az9", ("d",))]
    assert w.in_nb("az1") == [("Y", ("d",), LEARNT)]


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["az1", "az2", "az3"]),
        st.sampled_from(["set", "unset", "switch", "forge"]),
        st.sampled_from(["A", "B"]),
        st.sampled_from(["true", "false"]),
        st.sets(st.sampled_from(["a", "b", "c"])),
    ),
    max_size=12,
)


@examples(40)
@given(EDITS)
def test_delta_passes_leave_nothing_to_a_full_one(edits: list[tuple[str, str, str, str, set[str]]]) -> None:
    w = Sets(3)
    for zone, action, name, flag, addresses in edits:
        row = w.nb(zone).first("Address_Set", "name", name)
        if action == "set":
            w.put(w.nb(zone), "Address_Set", row.uuid if row else None, name=name, addresses=addresses, options={"ic-adv": flag})
        elif action == "unset" and row is not None:
            w.delete(w.nb(zone), "Address_Set", row.uuid)
        elif action == "switch":
            w.switch(zone, **{"ic_as_adv" if name == "A" else "ic_as_learn": flag})
        elif action == "forge":
            found = [row for row in w.ic_sb.find("Address_Set", "name", name) if row["availability_zone"] == w.az(zone)]
            w.put(w.ic_sb, "Address_Set", found[0].uuid if found else None, name=name, availability_zone=w.az(zone), addresses=addresses)
        w.copy()
        w.settle()
    w.copy()
    w.settle()
    w.check_law()


def test_a_set_that_is_not_learned_because_of_an_own_one_is_reported() -> None:
    w = Sets()
    w.local("az1", "web", "10.0.0.1")
    own = w.local("az2", "web", "10.0.0.2", adv="")
    for _round in range(3):
        w.copy()
        w.rest()
    assert "is not learned because the zone has its own set" in w.reasons("az2")["web"]
    assert w.reasons("az1") == {}
    w.delete(w.nb("az2"), "Address_Set", own)
    w.copy()
    w.rest()
    assert w.reasons("az2") == {}
