# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A northbound store with one switch, and the Changes that make it so."""

from __future__ import annotations

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change, update
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Store
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import NORTHBOUND


def northbound() -> Store:
    """A store with the switch ts1."""
    store = Store(NORTHBOUND)
    store.put("Logical_Switch", "ls", {"name": "ts1", "other_config": {"a": "1"}, "ports": frozenset(["p1"])})
    return store


def changed(store: Store, **wanted: Any) -> list[Change]:
    """The changes that bring that switch to this state."""
    row = store.row("Logical_Switch", "ls")
    assert row is not None
    return list(update(store, "Logical_Switch", row, record="ts1", reason="because", **wanted))
