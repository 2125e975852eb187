# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of modules that use the control socket of a database server."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the options in ``_ansible/cluster.py``."""

    DOCUMENTATION = r"""
options:
  database:
    description: The global database of the cluster, V(ic_nb) or V(ic_sb).
    type: str
    choices: [ic_nb, ic_sb]
    required: true
  control_socket:
    description:
      - Path of the control socket of the database's server on this host.
      - If not set, that of the distributions' packages, V(/var/run/ovn/ovn_ic_nb_db.ctl) or V(/var/run/ovn/ovn_ic_sb_db.ctl).
    type: path
notes:
  - Runs on the host of a database server, as a user who may use its control socket. The options of database connections are accepted, so
    that they can be set once for the action group, and only O(timeout) is used.
"""
