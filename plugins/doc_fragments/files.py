# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notes and requirements of modules that work on database files."""

from __future__ import annotations


class ModuleDocFragment:
    """Notes of the modules that work on database files."""

    DOCUMENTATION = r"""
options: {}
notes:
  - Runs on the host that has the file, as a user who may read it and, for changes, write to its directory. The options of database
    connections are accepted, so that they can be set once for the action group.
requirements:
  - C(ovsdb-tool), on the host that runs the module; on Debian, the package C(openvswitch-common).
"""
