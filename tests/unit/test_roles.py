# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all roles have in common."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).resolve().parents[2] / "roles"


@pytest.mark.parametrize("debian", sorted(ROLES.glob("*/vars/Debian.yml")), ids=lambda path: path.parts[-3])
def test_each_distribution_names_the_same_things(debian: Path) -> None:
    other = debian.with_name("RedHat.yml")
    names = [set(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in (debian, other)]
    assert names[0] == names[1]
