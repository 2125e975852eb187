# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options for columns that hold keys and values, and that other programs write too."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the options that ``_ansible/arguments.py`` makes for such columns, one fragment a column."""

    OTHER_CONFIG = r"""
options:
  other_config:
    description: Keys of the column C(other_config). Keys that are not named stay; a value of null removes its key.
    type: dict
  purge_other_config:
    description: Whether keys of C(other_config) that O(other_config) does not name are removed. Without O(other_config) nothing is.
    type: bool
    default: false
"""

    EXTERNAL_IDS = r"""
options:
  external_ids:
    description: Keys of the column C(external_ids). Keys that are not named stay; a value of null removes its key.
    type: dict
  purge_external_ids:
    description:
      - Whether keys of C(external_ids) that O(external_ids) does not name are removed. Without O(external_ids) nothing is.
      - A key that another option of the module stands for stays.
    type: bool
    default: false
"""
