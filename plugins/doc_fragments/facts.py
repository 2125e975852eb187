# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes of modules that change nothing."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes, in the form of Ansible's documentation."""

    DOCUMENTATION = r"""
attributes:
  action_group:
    description: Use C(group/ovn.interconnect.ovn_ic) in C(module_defaults) to set the connection options for all modules at once.
    support: full
    membership:
      - ovn.interconnect.ovn_ic
  check_mode:
    description: Check mode has no effect, because the module changes nothing.
    support: full
  diff_mode:
    description: The module changes nothing, so it returns no diff.
    support: N/A
  idempotent:
    description: The module changes nothing.
    support: full
"""
