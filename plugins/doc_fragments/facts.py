# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is true of modules that change nothing."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes, as Ansible's documentation shows them."""

    DOCUMENTATION = r"""
attributes:
  action_group:
    description: Use C(group/ovn.interconnect.ovn_ic) in C(module_defaults) to set the connection options for all modules at once.
    support: full
    membership:
      - ovn.interconnect.ovn_ic
  check_mode:
    description: Does the same in check mode, as it changes nothing.
    support: full
  diff_mode:
    description: There is nothing to show, as nothing is changed.
    support: N/A
  idempotent:
    description: A second call changes nothing either.
    support: full
"""
