# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypothesis draws the same cases in every run of the tests; with SOAK in the environment it draws new ones, and more of them."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# How long a case takes says something about the machine, not about the code.
COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("fixed", derandomize=True, database=None, **COMMON)
settings.register_profile("soak", max_examples=1000, print_blob=True, **COMMON)
settings.load_profile("soak" if os.environ.get("SOAK") else "fixed")
