# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes that are the same for all modules."""

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
    description: Shows what would be changed without changing anything.
    support: full
  diff_mode:
    description: Shows the columns that are changed, before and after.
    support: full
  idempotent:
    description: A second call with the same options, outside check mode, changes nothing unless other programs have changed the databases.
    support: full
"""
