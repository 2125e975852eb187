# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that every module has: the databases, and how to reach them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import env_fallback

from ..interconnect.tables import IC_NB, IC_SB, NB, SB

#: The option for each database's server.
OPTIONS: Mapping[str, str] = {NB: "nb_db", SB: "sb_db", IC_NB: "ic_nb_db", IC_SB: "ic_sb_db", "Open_vSwitch": "ovs_db"}
#: The default servers: the sockets of the distributions' packages.
DEFAULTS: Mapping[str, str] = {
    NB: "unix:/var/run/ovn/ovnnb_db.sock",
    SB: "unix:/var/run/ovn/ovnsb_db.sock",
    IC_NB: "unix:/var/run/ovn/ovn_ic_nb_db.sock",
    IC_SB: "unix:/var/run/ovn/ovn_ic_sb_db.sock",
    "Open_vSwitch": "unix:/var/run/openvswitch/db.sock",
}


#: Whether an object should exist.
STATE: Mapping[str, Any] = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}


def map_options(*columns: str) -> dict[str, Any]:
    """The options for columns with keys and values: the keys, and whether to remove others (documented in the fragment
    ``columns``).
    """
    spec: dict[str, Any] = {}
    for column in columns:
        spec[column] = {"type": "dict"}
        spec[f"purge_{column}"] = {"type": "bool", "default": False}
    return spec


def connection_spec() -> dict[str, Any]:
    """The connection options. They are the same in every module, so that a play can set them once for the action group."""
    return {
        "nb_db": {"type": "str", "fallback": (env_fallback, ["OVN_NB_DB"])},
        "sb_db": {"type": "str", "fallback": (env_fallback, ["OVN_SB_DB"])},
        "ic_nb_db": {"type": "str", "fallback": (env_fallback, ["OVN_IC_NB_DB"])},
        "ic_sb_db": {"type": "str", "fallback": (env_fallback, ["OVN_IC_SB_DB"])},
        "private_key": {"type": "path", "no_log": False},
        "certificate": {"type": "path"},
        "ca_cert": {"type": "path"},
        "timeout": {"type": "int", "default": 30},
    }
