# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read from a server's schema."""

from __future__ import annotations

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import version_numbers


@pytest.mark.parametrize(("older", "newer"), [("1.1.1", "1.2.0"), ("1.9.0", "1.10.0"), ("", "1.0.0")])
def test_versions_are_compared_as_numbers(older: str, newer: str) -> None:
    assert version_numbers(older) < version_numbers(newer)
