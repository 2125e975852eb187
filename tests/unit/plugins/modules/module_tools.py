# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the modules share: stores without servers, parameters with their defaults, and planning to rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any
from uuid import uuid4

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.arguments import connection_spec
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.simulation import Simulation
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import Database, ServerSchema
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row, Store


def params(module: ModuleType, **given: Any) -> dict[str, Any]:
    """The parameters as Ansible would hand them to the module. Fails where it would refuse them."""
    result = ArgumentSpecValidator({**connection_spec(), **module.OPTIONS}).validate(given)
    assert not result.error_messages, result.error_messages
    return dict(result.validated_parameters)


#: Columns that hold rows which live nowhere else.
OWNING = {
    ("Logical_Switch", "ports"): "Logical_Switch_Port",
    ("Logical_Router", "ports"): "Logical_Router_Port",
    ("Logical_Router_Port", "gateway_chassis"): "Gateway_Chassis",
    ("HA_Chassis_Group", "ha_chassis"): "HA_Chassis",
    ("Transit_Switch", "ports"): "Transit_Switch_Port",
    ("Transit_Router", "ports"): "Transit_Router_Port",
    ("IC_NB_Global", "connections"): "Connection",
    ("IC_SB_Global", "connections"): "Connection",
    ("IC_NB_Global", "ssl"): "SSL",
    ("IC_SB_Global", "ssl"): "SSL",
}


def _schema(database: Database) -> ServerSchema:
    schema = ServerSchema.complete(database)
    for (table, column), child in OWNING.items():
        if column in database.tables.get(table, {}):
            schema.json["tables"][table]["columns"][column]["type"]["key"] = {"type": "uuid", "refTable": child}
    return schema


def stores(*databases: Database) -> dict[str, Store]:
    """Empty stores of these databases."""
    return {database.name: Store(database, _schema(database)) for database in databases}


def put(store: Store, table: str, **columns: Any) -> str:
    """A row that is there already; its uuid."""
    uuid = str(uuid4())
    store.put(table, uuid, {name: frozenset(value) if isinstance(value, (set, list)) else value for name, value in columns.items()})
    return uuid


def only(store: Store, table: str) -> Row:
    """The one row of a table."""
    (row,) = store.rows(table)
    return row


def settle(module: ModuleType, given: Mapping[str, Any], contents: Mapping[str, Store]) -> Sequence[Change]:
    """Plan and apply until the module wants nothing more; all its Changes."""
    simulation, changes = Simulation(contents), []
    for _wave in range(8):
        wave = module.desired(given, contents)
        if not wave:
            return changes
        changes += wave
        simulation.apply(wave)
    raise AssertionError(f"no rest: {changes[-5:]}")
