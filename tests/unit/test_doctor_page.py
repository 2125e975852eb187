# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doctor's checks and their page of the guide."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.doctor.check import ERROR, PAGE, WARNING
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.doctor.registry import CHECKS

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_what_the_checks_say() -> None:
    check = subprocess.run([ROOT / "scripts/doctor_page.py", "--check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr


def test_each_check_has_one_section() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / PAGE).read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == sorted(CHECKS)


def test_each_check_is_complete() -> None:
    assert len(CHECKS) >= 40
    for name, check in CHECKS.items():
        assert re.fullmatch(r"[a-z][a-z0-9-]+", name)
        assert check.severity in (ERROR, WARNING)
        assert check.needs
        assert all(text.endswith(".") and len(text) > 15 for text in (check.cause, check.fix))
