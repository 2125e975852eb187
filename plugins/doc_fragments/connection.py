# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection options of all modules."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the options in ``_ansible/arguments.py``."""

    DOCUMENTATION = r"""
options:
  nb_db:
    description:
      - The northbound database of the zone, as an OVSDB connection method such as V(unix:/var/run/ovn/ovnnb_db.sock),
        V(ssl:192.0.2.11:6641) or V(tcp:192.0.2.11:6641); for a cluster, the connection methods of its members separated by commas.
      - A module that needs this database uses V(unix:/var/run/ovn/ovnnb_db.sock) by default. A module that does not need it
        accepts the option anyway, so that O(nb_db) can be set once for the action group.
      - If not set, the environment variable E(OVN_NB_DB) is used.
    type: str
  sb_db:
    description:
      - The southbound database of the zone, like O(nb_db).
      - A module that needs this database uses V(unix:/var/run/ovn/ovnsb_db.sock) by default. A module for which it is optional uses
        it only if it is given.
      - If not set, the environment variable E(OVN_SB_DB) is used.
    type: str
  ic_nb_db:
    description:
      - The global northbound database (IC_NB), like O(nb_db).
      - A module that needs this database uses V(unix:/var/run/ovn/ovn_ic_nb_db.sock) by default. A module for which it is optional uses
        it only if it is given.
      - If not set, the environment variable E(OVN_IC_NB_DB) is used.
    type: str
  ic_sb_db:
    description:
      - The global southbound database (IC_SB), like O(nb_db).
      - A module that needs this database uses V(unix:/var/run/ovn/ovn_ic_sb_db.sock) by default. A module for which it is optional uses
        it only if it is given.
      - If not set, the environment variable E(OVN_IC_SB_DB) is used.
    type: str
  private_key:
    description: Path, on the host that runs the module, of the private key for C(ssl:) connections.
    type: path
  certificate:
    description: Path of the certificate that belongs to O(private_key).
    type: path
  ca_cert:
    description: Path of the CA certificate that signed the servers' certificates.
    type: path
  timeout:
    description:
      - Seconds to wait for a database server to be reached, and to answer.
      - A cluster that has lost its leader needs a few seconds to elect another one.
    type: int
    default: 30
requirements:
  - The Python library C(ovs), on the host that runs the module; on Debian, the package C(python3-openvswitch).
"""
