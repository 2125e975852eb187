# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of each module are tasks that it would accept."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

ROOT = Path(__file__).resolve().parents[4]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("ovn_ic_*.py"))
RULES = ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")


class DeclaredError(Exception):
    """Ends a module where it would begin to work."""


def validator(module: Any, monkeypatch: pytest.MonkeyPatch) -> ArgumentSpecValidator:
    """What Ansible would check the module's options with."""
    declared: dict[str, Any] = {}

    def begin(_self: AnsibleModule, argument_spec: dict[str, Any], **others: Any) -> None:
        declared.update(argument_spec=argument_spec, **{rule: others[rule] for rule in RULES if rule in others})
        raise DeclaredError

    monkeypatch.setattr(AnsibleModule, "__init__", begin)
    with pytest.raises(DeclaredError):
        module.main()
    return ArgumentSpecValidator(**declared)


def tasks(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The tasks of examples, those of plays among them with what these set for all modules."""
    for entry in entries:
        defaults = entry.get("module_defaults", {}).get("group/ovn.interconnect.ovn_ic", {})
        for task in entry["tasks"] if "hosts" in entry else [entry]:
            yield {key: {**defaults, **(value or {})} if key.startswith("ovn.interconnect.") else value for key, value in task.items()}


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module(f"ansible_collections.ovn.interconnect.plugins.modules.{name}")
    accept = validator(module, monkeypatch)
    used = [task[f"ovn.interconnect.{name}"] for task in tasks(yaml.safe_load(module.EXAMPLES)) if f"ovn.interconnect.{name}" in task]
    assert used, "no example uses the module"
    for options in used:
        assert accept.validate(options).error_messages == [], options
