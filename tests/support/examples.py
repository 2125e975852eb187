# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many cases a property is tried with."""

from __future__ import annotations

from collections.abc import Collection

from hypothesis import HealthCheck, settings


def examples(number: int, *, accept: Collection[HealthCheck] = ()) -> settings:
    """So many cases, the same ones in every run; in a soak as many new ones as its profile says (``tests/conftest.py``)."""
    profile = settings()
    accepted = {*profile.suppress_health_check, *accept}
    return settings(max_examples=number if profile.derandomize else profile.max_examples, suppress_health_check=accepted)
