#!/usr/bin/python
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovn_ic_route_policy
short_description: Set which routes a zone advertises and learns
version_added: 0.1.0
description:
  - Sets the options of the route exchange of one zone, in C(NB_Global.options) of its northbound database.
  - An option that is omitted is not changed. One that is not set in the database counts as V(false), and is not written if it should be
    V(false).
author:
  - The ovn.interconnect authors (@ovn)
extends_documentation_fragment:
  - ovn.interconnect.attributes
  - ovn.interconnect.connection
options:
  advertise:
    description: Whether the zone's routes are advertised to the other zones (C(ic-route-adv)).
    type: bool
  learn:
    description: Whether the routes of the other zones are learned (C(ic-route-learn)).
    type: bool
  advertise_default:
    description: Whether default routes are advertised too (C(ic-route-adv-default)).
    type: bool
  learn_default:
    description: Whether default routes are learned too (C(ic-route-learn-default)).
    type: bool
  advertise_lb:
    description: Whether the addresses of load balancers are advertised too (C(ic-route-adv-lb)).
    type: bool
  learn_lb:
    description: Whether the addresses of load balancers are learned too (C(ic-route-learn-lb)).
    type: bool
  advertise_via_transit:
    description:
      - Whether a static or dynamic route whose next hop is on a transit switch is advertised on that same switch
        (C(ic-route-adv-via-transit)), as upstream's daemon always does.
      - By default it is not (split horizon). If the zone behind the next hop lost its own route, it would learn this one, and the two
        zones would send the packets to each other.
      - Upstream's daemon ignores this option.
    type: bool
  denylist:
    description:
      - The networks whose routes are neither advertised nor learned (C(ic-route-denylist)), including all of their subnets.
      - The module does not change C(ic-route-blacklist), the name of this list before OVN 24.09, except that an empty list
        removes both. This collection's daemon applies both lists. Upstream's daemon ignores C(ic-route-blacklist) if
        C(ic-route-denylist) is set, and before OVN 24.09 it uses only C(ic-route-blacklist). The module warns if the two lists differ.
      - An empty list removes it.
    type: list
    elements: str
seealso:
  - module: ovn.interconnect.ovn_ic_az
  - module: ovn.interconnect.ovn_ic_attachment
"""

EXAMPLES = r"""
- name: Exchange routes with the other zones
  ovn.interconnect.ovn_ic_route_policy:
    advertise: true
    learn: true

- name: Do not exchange management networks
  ovn.interconnect.ovn_ic_route_policy:
    denylist:
      - 10.99.0.0/16
      - fd00:99::/32

- name: Remove the list, and stop advertising
  ovn.interconnect.ovn_ic_route_policy:
    denylist: []
    advertise: false

- name: Set the connection once for all modules of a play
  hosts: central
  module_defaults:
    group/ovn.interconnect.ovn_ic:
      nb_db: tcp:192.0.2.11:6641
  tasks:
    - name: Learn default routes too
      ovn.interconnect.ovn_ic_route_policy:
        learn_default: true
"""

RETURN = r"""
route_policy:
  description: The policy afterwards.
  returned: success
  type: dict
  sample:
    advertise: true
    learn: true
    advertise_default: false
    learn_default: false
    advertise_lb: false
    learn_lb: false
    advertise_via_transit: false
    denylist: [10.99.0.0/16]
    blacklist: []
changes:
  description:
    - The rows that were changed, or would be in check mode, each with its reason.
    - Each value is the complete value of the column. Other rows are shown by name. A switch or router is left out if only its list of ports
      or routes changes and these are listed themselves.
  returned: success
  type: list
  elements: dict
  sample:
    - database: OVN_Northbound
      table: NB_Global
      record: az1
      action: update
      columns: {options: {ic-route-adv: "true", ic-route-learn: "true"}}
      reason: the route policy differs
"""

from typing import Any

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.module import Declaration, Params, Stores, run
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change, insert, update
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations import effects
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.option_checks import networks_text
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import declare
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.store import Row
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.settings import boolean
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import NB

DATABASE = declare(NB, {"NB_Global": "name options:map"})
#: The key of NB_Global.options for each option.
FLAGS = {
    "advertise": "ic-route-adv",
    "learn": "ic-route-learn",
    "advertise_default": "ic-route-adv-default",
    "learn_default": "ic-route-learn-default",
    "advertise_lb": "ic-route-adv-lb",
    "learn_lb": "ic-route-learn-lb",
    "advertise_via_transit": "ic-route-adv-via-transit",
}
DENYLIST = "ic-route-denylist"
OLD_DENYLIST = "ic-route-blacklist"

OPTIONS: dict[str, Any] = {**{name: {"type": "bool"} for name in FLAGS}, "denylist": {"type": "list", "elements": "str"}}


def _networks(options: dict[str, str], key: str) -> list[str]:
    return [network for network in options.get(key, "").split(",") if network]


def _denied(options: dict[str, str]) -> list[str]:
    """The networks of the denylist: those of ic-route-denylist, or of ic-route-blacklist if only that option is set."""
    return _networks(options, DENYLIST) or _networks(options, OLD_DENYLIST)


def desired(params: Params, stores: Stores) -> list[Change]:
    """One Change of NB_Global, if the policy differs."""
    store = stores[NB]
    row = store.only("NB_Global")
    options: dict[str, str] = row["options"] if row is not None else {}
    keys: dict[str, str | None] = {}
    for name, key in FLAGS.items():
        if params[name] is not None and boolean(options, key) != params[name]:
            keys[key] = "true" if params[name] else "false"
    if params["denylist"] is not None:
        wanted = networks_text(params["denylist"], "denylist")
        if set(_denied(options)) != set(filter(None, wanted.split(","))):
            keys.update({DENYLIST: wanted} if wanted else {DENYLIST: None, OLD_DENYLIST: None})
    reason = "the route policy differs"
    if row is not None:
        return list(update(store, "NB_Global", row, record=row["name"] or ".", reason=reason, keys={"options": keys}))
    return [insert(store, "NB_Global", {"options": keys}, record=".", reason=reason)] if keys else []


def describe(params: Params, stores: Stores) -> dict[str, Any]:
    """The present policy of the zone."""
    row = stores[NB].only("NB_Global")
    options = row["options"] if row is not None else {}
    policy: dict[str, Any] = {name: boolean(options, key) for name, key in FLAGS.items()}
    return {"route_policy": {**policy, "denylist": _denied(options), "blacklist": _networks(options, OLD_DENYLIST)}}


def warn(_params: Params, stores: Stores) -> list[str]:
    """Which options have no effect, and whether upstream's daemon would ignore one of the two lists."""
    row = stores[NB].only("NB_Global")
    return [] if row is None else [*effects.of_policy(row["options"]), *_ignored(row)]


def _ignored(row: Row) -> list[str]:
    new, old = (set(_networks(row["options"], key)) for key in (DENYLIST, OLD_DENYLIST))
    if not new or not old or new == old:
        return []
    sentence = (
        f"NB_Global.options has both {OLD_DENYLIST} ({','.join(sorted(old))}) and {DENYLIST} "
        f"({','.join(sorted(new))}); the daemon of this collection applies both, but upstream's ignores "
        f"{OLD_DENYLIST} from OVN 24.09 on, and {DENYLIST} before; if a zone runs upstream's daemon, set both "
        "to the same networks"
    )
    return [sentence]


def doing(params: Params) -> str:
    """The beginning of failure messages."""
    return "Setting the zone's route policy"


def main() -> None:
    """Run the module."""
    run(Declaration(OPTIONS, [DATABASE], desired, describe, doing, warn=warn))


if __name__ == "__main__":
    main()
