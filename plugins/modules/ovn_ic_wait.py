#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_wait
short_description: Wait until the zones of an OVN interconnect are up to date
version_added: 0.1.0
description:
  - Increases the request number in the global northbound database (IC_NB), as C(ovn-ic-nbctl --wait=sb sync) does, and waits until each
    zone's sync daemon has confirmed it in the global southbound database (IC_SB).
  - Unlike that command, it can ignore zones, and reports which zones have not confirmed the request in time.
  - A request is not configuration, so the module never reports a change. In check mode, it makes no request and does not wait.
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.facts
  - ovn.interconnect.connection
attributes:
  check_mode:
    description: Reports what the zones have confirmed, without making a request or waiting.
    support: full
options:
  zones:
    description: The names of the zones to wait for. The default is all registered zones.
    type: list
    elements: str
  rounds:
    description:
      - The number of requests to make, one after the other.
      - After the first, each zone has published its objects; after the second, each zone has received what the others have published.
    type: int
    default: 2
  wait_timeout:
    description: Seconds to wait for all rounds together.
    type: int
    default: 60
notes:
  - Needs databases with the schemas of OVN 24.03 or newer. The daemon of an older release confirms nothing.
  - A zone also confirms a request if a server has rejected some of its objects. The global databases do not show which ones, so this module
    cannot name them. The daemon logs them with the confirmation, C(ovn-appctl -t ovn-ic skipped/show) lists them, and so does
    M(ovn.interconnect.ovn_ic_sync) in check mode.
seealso:
  - module: ovn.interconnect.ovn_ic_info
  - module: ovn.interconnect.ovn_ic_sync
"""

EXAMPLES = r"""
- name: Wait until all zones are up to date
  ovn.interconnect.ovn_ic_wait:
    ic_nb_db: tcp:192.0.2.10:6645
    ic_sb_db: tcp:192.0.2.10:6646

- name: Wait for two zones only, because a third is being repaired
  ovn.interconnect.ovn_ic_wait:
    zones:
      - az1
      - az2
    wait_timeout: 120

- name: Set the connections once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      ic_nb_db: tcp:192.0.2.10:6645
      ic_sb_db: tcp:192.0.2.10:6646
  tasks:
    - name: Wait until all zones are up to date
      ovn.interconnect.ovn_ic_wait:
"""

RETURN = r"""
request:
  description: The number of the newest request.
  returned: success
  type: int
  sample: 8
confirmed:
  description: The number that each zone has confirmed.
  returned: success
  type: dict
  sample: {az1: 8, az2: 8}
laggards:
  description: The names of zones that have not confirmed the newest request.
  returned: success
  type: list
  elements: str
  sample: []
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, nothing, run
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.session import Session
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.waiting import (
    GLOBAL_NORTH,
    GLOBAL_SOUTH,
    check_counters,
    confirmed,
    wait_for_zones,
)
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB

OPTIONS: dict[str, Any] = {
    "zones": {"type": "list", "elements": "str"},
    "rounds": {"type": "int", "default": 2},
    "wait_timeout": {"type": "int", "default": 60},
}


def check(params: Params) -> None:
    """Reject an empty list of zones, and a number of rounds below 1."""
    if params["zones"] is not None and not params["zones"]:
        raise ModuleError("zones is an empty list, so no zone would be waited for; omit it for all zones, or name some")
    if params["rounds"] < 1:
        raise ModuleError(f"rounds is {params['rounds']}; set it to 1 or more")


def act(params: Params, session: Session) -> None:
    """Make the requests, and wait."""
    check_counters(session.stores[IC_NB], session.stores[IC_SB])
    wait_for_zones(session, params["zones"], params["rounds"], params["wait_timeout"])


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The zones in the options, and what they have confirmed."""
    check_counters(stores[IC_NB], stores[IC_SB])
    row = stores[IC_NB].only("IC_NB_Global")
    number = row["nb_ic_cfg"] if row is not None else 0
    zones = confirmed(stores[IC_SB], params["zones"])
    return {"request": number, "confirmed": zones, "laggards": [name for name, one in zones.items() if one != number]}


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return "Waiting for the zones"


def main() -> None:
    """Run the module."""
    run(Declaration(OPTIONS, [GLOBAL_NORTH, GLOBAL_SOUTH], nothing, describe, doing, only_read=[IC_SB], act=act, check=check))


if __name__ == "__main__":
    main()
