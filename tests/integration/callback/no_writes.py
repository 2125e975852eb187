# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watches database files while a play runs: a task in check mode after which one of them has grown is written down as a fault.

A standalone ovsdb-server appends every transaction that changes something to its file before it answers.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: no_writes
type: notification
short_description: Finds writes in check mode
description: Writes one line for each task in check mode after which a watched file has another size.
options:
  files:
    description: The database files, separated by colons.
    type: list
    elements: path
    required: true
    env:
      - name: OVN_IC_TEST_WATCHED
  faults:
    description: The file that the faults are appended to.
    type: path
    required: true
    env:
      - name: OVN_IC_TEST_FAULTS
"""

from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """The watcher."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "no_writes"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._sizes: dict[str, int] = {}

    def _now(self) -> dict[str, int]:
        return {name: Path(name).stat().st_size for text in self.get_option("files") for name in text.split(":")}

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Remember the files as they are before the task."""
        self._sizes = self._now()

    def v2_runner_on_ok(self, result: Any) -> None:
        """Compare."""
        self._compare(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Compare: a failure must not write either."""
        self._compare(result)

    def _compare(self, result: Any) -> None:
        task = getattr(result, "task", None) or result._task
        now = self._now()
        if task.check_mode and now != self._sizes:
            grown = ", ".join(name for name, size in now.items() if self._sizes.get(name) != size)
            with Path(self.get_option("faults")).open("a") as file:
                file.write(f"{task.get_name()}: {grown}\n")
