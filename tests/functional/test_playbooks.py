# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks, run by ansible-playbook on inventories that leave them no host to work on, or one whose state stops them early."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ovn.interconnect.tests.support.topology import zone_name

from .conftest import Make

ROOT = Path(__file__).resolve().parents[2]
#: None of the hosts is ever connected to.
OTHER: dict[str, Any] = {"hosts": {"other": None}}
ZONE = {**OTHER, "children": {"ovn_ic_daemons": {"hosts": {"central": {"ovn_ic_az_name": "az1"}}}}}
EMPTY = {**OTHER, "children": {"ovn_ic_databases": {"hosts": {"db": None}}, "ovn_ic_gateways": {}}}
NO_HOST = "This playbook has no host to run on: the inventory"


def run(playbook: str, inventory: dict[str, Any], tmp_path: Path, *options: str) -> tuple[int, str]:
    """Run a playbook on an inventory; return its exit status and all it printed, as one line."""
    path = tmp_path / "inventory.yml"
    path.write_text(yaml.safe_dump({"all": inventory}), encoding="utf-8")
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    done = subprocess.run(
        ["ansible-playbook", f"--inventory={path}", *options, str(ROOT / f"playbooks/{playbook}.yml")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize(
    "playbook, inventory, options, sentence",
    [
        (
            "site",
            {},
            (),
            f"{NO_HOST} {{inventory}} has no group ovn_ic_databases, and no group ovn_ic_daemons, and no group ovn_ic_gateways.",
        ),
        (
            "site",
            OTHER,
            ("--check",),
            "Put the hosts into these groups, or name others with -e ovn_ic_databases_group=NAME, -e ovn_ic_daemons_group=",
        ),
        (
            "verify",
            OTHER,
            (),
            f"{NO_HOST} {{inventory}} has no group ovn_ic_daemons. Put the hosts into this group, or name another one with -e",
        ),
        ("backup", ZONE, (), f"{NO_HOST} {{inventory}} has no group ovn_ic_databases."),
        ("restore", ZONE, (), f"{NO_HOST} {{inventory}} has no group ovn_ic_databases. Put the hosts into this group"),
        ("add_zone", EMPTY, (), f"{NO_HOST} {{inventory}} has no group ovn_ic_daemons."),
        ("site", EMPTY, (), "The inventory has no host in the group ovn_ic_gateways: add the hosts"),
        (
            "site",
            ZONE,
            ("-e", "ovn_ic_databases_group=nope"),
            "The inventory has no group nope, which ovn_ic_databases_group names: correct the name.",
        ),
        (
            "site",
            ZONE,
            ("-e", "ovn_ic_daemons_group=nope", "-e", "ovn_ic_gateways_group=nowhere"),
            "no group nope, nowhere, which ovn_ic_daemons_group, ovn_ic_gateways_group name: correct the names.",
        ),
        (
            "verify",
            ZONE,
            ("--limit=other",),
            "This playbook has no host to run on: the limit leaves only other, and the group ovn_ic_daemons has the hosts central.",
        ),
        ("site", ZONE, ("--limit=nobody",), "leaves us with no hosts to target"),
    ],
)
def test_a_run_without_a_host_fails(
    playbook: str, inventory: dict[str, Any], options: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    status, printed = run(playbook, inventory, tmp_path, *options)
    assert status != 0
    assert sentence.format(inventory=tmp_path / "inventory.yml") in printed


def test_a_group_that_the_inventory_does_not_have_is_left_out(tmp_path: Path) -> None:
    """The databases may be managed by other means: the run goes on to the zone, whose host cannot be reached here."""
    status, printed = run("site", ZONE, tmp_path, "--check", "-e", "ansible_connection=labhost")
    assert status != 0
    assert "no host 'central' runs in" in printed


def test_a_database_host_alone_can_remove_a_dead_zone(tmp_path: Path) -> None:
    """The limit leaves no daemon host: the run goes on to the database host, which cannot be reached here."""
    inventory = {"children": {**ZONE["children"], "ovn_ic_databases": {"hosts": {"db": None}}}}
    status, printed = run(
        "remove_zone", inventory, tmp_path, "--limit=db", "-e", "zone=az1", "-e", "zone_is_dead=true", "-e", "ansible_connection=labhost"
    )
    assert status != 0
    assert "No database host and no daemon host of another zone answers" in printed


def test_a_zone_that_was_renamed_is_not_removed_by_its_old_name(make: Make, tmp_path: Path) -> None:
    """The registration has the new name and would stay in IC_SB."""
    ic = make("az1")
    (zone,) = ic.zones
    zone.nb.transact(*zone_name("berlin"))
    ic.wait(lambda: bool(ic.sb.rows("Availability_Zone", name="berlin")), "the zone to be renamed")
    central = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ovn_ic_az_name": "az1",
        "ovn_ic_az_nb_db": f"unix:{zone.nb_server.socket}",
        "ovn_ic_az_sb_db": f"unix:{zone.sb_server.socket}",
        "ovn_ic_sb_db": f"unix:{ic.sb_server.socket}",
    }
    inventory = {"children": {"ovn_ic_daemons": {"hosts": {"central": central}}}}
    status, printed = run("remove_zone", inventory, tmp_path, "-e", "zone=az1")
    assert status != 0
    assert "was renamed and is now called berlin: set ovn_ic_az_name of its hosts to berlin in the inventory" in printed
    assert "changed=0" in printed


def test_check_mode_says_that_it_does_not_verify_the_zones(tmp_path: Path) -> None:
    inventory = {"children": {"ovn_ic_daemons": {"hosts": {"central": {"ovn_ic_az_name": "az1", "ansible_connection": "local"}}}}}
    status, printed = run("verify", inventory, tmp_path, "--check")
    assert status == 0, printed
    assert "The zones are not verified in check mode" in printed
    assert printed.count("central] => {") == 1  # no table
