# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options for columns with keys and values that other programs write too."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the options that ``_ansible/arguments.py`` creates for such columns, one fragment for each
    column.
    """

    OTHER_CONFIG = r"""
options:
  other_config:
    description: Keys of the column C(other_config). Keys that are not named are not changed; a value of null removes its key.
    type: dict
  purge_other_config:
    description: Whether to remove keys of C(other_config) that O(other_config) does not name. Has no effect without O(other_config).
    type: bool
    default: false
"""

    EXTERNAL_IDS = r"""
options:
  external_ids:
    description: Keys of the column C(external_ids). Keys that are not named are not changed; a value of null removes its key.
    type: dict
  purge_external_ids:
    description:
      - Whether to remove keys of C(external_ids) that O(external_ids) does not name. Has no effect without O(external_ids).
      - A key that another option of the module manages is not removed.
    type: bool
    default: false
"""
