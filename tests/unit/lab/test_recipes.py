# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What decides a cache entry's key, and what the environment decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.lab.labhosts import recipes
from ansible_collections.ovn.interconnect.lab.labhosts.hosts import Spec
from ansible_collections.ovn.interconnect.lab.labhosts.settings import LabError, Settings, check_name


def test_keys_are_stable_and_differ_by_suite_and_name() -> None:
    entries = [recipes.rootfs(suite) for suite in recipes.SUITES]
    entries += [recipes.layer(name, suite) for suite in recipes.SUITES for name in (*recipes.LAYERS, recipes.REPOSITORY)]
    assert len({entry.path for entry in entries}) == len(entries)
    assert recipes.layer("ovn", "trixie") == recipes.layer("ovn", "trixie")


@pytest.mark.parametrize(
    "name, value, changed",
    [
        ("RECIPE", -1, {"rootfs", "repository", "central"}),
        ("BASE_PACKAGES", ("systemd",), {"rootfs", "repository", "central"}),
        ("REPOSITORY_PACKAGES", ("ovn-ic",), {"repository", "central"}),
        ("LAYERS", {"central": ("ovn-central", "ethtool")}, {"central"}),
    ],
)
def test_a_key_holds_all_that_an_entry_stands_on(name: str, value: object, changed: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def keys() -> dict[str, str]:
        top, repository, rootfs = recipes.stack("bookworm", "central")
        return {"central": top.key, "repository": repository.key, "rootfs": rootfs.key}

    before = keys()
    monkeypatch.setattr(recipes, name, value)
    after = keys()
    assert {entry for entry, key in after.items() if key != before[entry]} == changed


def test_the_order_of_packages_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipes.rootfs("sid")
    monkeypatch.setattr(recipes, "BASE_PACKAGES", tuple(reversed(recipes.BASE_PACKAGES)))
    assert recipes.rootfs("sid") == before


def test_paths_in_the_cache() -> None:
    entry = recipes.layer("ovn", "trixie")
    assert entry.link == "layers/ovn-trixie"
    assert entry.path == f"layers/ovn-trixie-{entry.key}"
    assert [part.link for part in recipes.stack("bookworm", None)] == ["layers/repository-bookworm", "rootfs/bookworm"]


def test_unknown_suite_and_layer() -> None:
    with pytest.raises(LabError, match="'jessie' is not one of bookworm"):
        recipes.rootfs("jessie")
    with pytest.raises(LabError, match="'x' is not one of central"):
        recipes.layer("x", "bookworm")


def test_settings_default() -> None:
    settings = Settings.from_environment({"HOME": "/home/me"})
    assert settings.state_dir == Path("/var/lib/ovn-interconnect-lab")
    assert settings.cache_dir == Path("/home/me/.cache/ovn-interconnect")
    assert settings.namespace("ic") == "oil-ic"
    assert str(settings.network) == "172.30.0.0/24"
    assert settings.networks == (settings.network,)


def test_settings_from_the_environment() -> None:
    settings = Settings.from_environment(
        {"OVN_IC_LAB_DIR": "/a", "OVN_IC_LAB_PREFIX": "p2", "OVN_IC_LAB_NETWORK": "10.9.0.0/24", "XDG_CACHE_HOME": "/x", "HOME": "/h"}
    )
    assert (settings.state_dir, settings.cache_dir) == (Path("/a"), Path("/x/ovn-interconnect"))
    assert settings.namespace("ic") == "p2-ic"
    assert settings.host_dir("ic") == Path("/a/hosts/ic")
    assert Settings.from_environment({"OVN_IC_CACHE": "/c", "XDG_CACHE_HOME": "/x"}).cache_dir == Path("/c")


def test_several_networks() -> None:
    settings = Settings.from_environment({"OVN_IC_LAB_NETWORK": "192.0.2.0/24,198.51.100.0/24"})
    assert str(settings.network) == "192.0.2.0/24"
    assert [str(settings.network_of(address)) for address in ("192.0.2.21", "198.51.100.21", "203.0.113.21")] == [
        "192.0.2.0/24",
        "198.51.100.0/24",
        "None",
    ]


@pytest.mark.parametrize(
    "environ",
    [
        {"OVN_IC_LAB_NETWORK": "10.0.0.1/24"},
        {"OVN_IC_LAB_NETWORK": "10.0.0.0/24,"},
        {"OVN_IC_LAB_MTU": "big"},
        {"OVN_IC_LAB_PREFIX": "a/b"},
    ],
)
def test_settings_that_cannot_be(environ: dict[str, str]) -> None:
    with pytest.raises(LabError, match="OVN_IC_LAB"):
        Settings.from_environment(environ)


@pytest.mark.parametrize("name", ["", "a", "-a", "a-", "A1", "a b", "a/b", "a.b", "1a", "a" * 16, "..", "a\n"])
def test_names_that_cannot_be_hosts(name: str) -> None:
    with pytest.raises(LabError, match="must be 2 to 15"):
        check_name(name)


@pytest.mark.parametrize(
    "spec, message",
    [
        (Spec("az1-gw1", "bookworm", "172.31.0.1", None), "172.31.0.1 is not in the lab's network 172.30.0.0/24"),
        (Spec("az1-gw1", "bookworm", "nonsense", None), "az1-gw1: .*nonsense"),
        (Spec("az1-gw1", "bookworm", None, None, "172.30.0.1/24"), "az1-gw1: .*172.30.0.1"),
        (Spec("az1-gw1", "woody", None, None), "'woody' is not one of"),
        (Spec("az1-gw1", "bookworm", None, "x"), "'x' is not one of"),
    ],
)
def test_hosts_that_cannot_be(spec: Spec, message: str) -> None:
    with pytest.raises(LabError, match=message):
        spec.checked(Settings.from_environment({}))
