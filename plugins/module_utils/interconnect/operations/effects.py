# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explains why an object that a module created has no effect on the interconnect: the sentences of the modules'
warnings.

Each function reads the contents after the run (in check mode: the simulated ones) and returns whole sentences with what
to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..address import is_link_local, parse_ip, parse_prefix
from ..ovsdb.store import Row, Store
from ..settings import ZoneOptions
from ..subjects import port_faults
from ..zone import Zone

#: The tunnel types that ovn-controller supports.
TUNNELS = ("geneve", "stt", "vxlan")
#: NB_Global.options that need another one to have an effect: the key, the key that it needs, and what is not done
#: without it.
_NEEDS = (
    ("ic-route-adv-default", "ic-route-adv", "default routes are not advertised"),
    ("ic-route-adv-lb", "ic-route-adv", "VIPs of load balancers are not advertised"),
    ("ic-route-learn-default", "ic-route-learn", "default routes are not learned"),
    ("ic-route-learn-lb", "ic-route-learn", "VIPs of load balancers are not learned"),
)


def of_attachment(zone: Zone, lsp: Row, lrp: Row) -> Iterator[str]:
    """Why a router that these ports attach is not reachable from other zones."""
    port_faults.register(zone)
    fault = port_faults.connection_fault(zone, lsp)
    if fault is None and not zone.nb.children("Logical_Router_Port", "gateway_chassis", lrp.uuid) and lrp["ha_chassis_group"] is None:
        fault = f"the router port {lrp['name']} has no gateway chassis; set them with gateways or ha_chassis_group"
    group = zone.nb.row("HA_Chassis_Group", lrp["ha_chassis_group"]) if lrp["ha_chassis_group"] else None
    if fault is None and group is not None and not zone.nb.children("HA_Chassis_Group", "ha_chassis", group.uuid):
        fault = f"the HA chassis group {group['name']} of router port {lrp['name']} has no chassis; give it some with ha_chassis_group"
    if fault is not None:
        yield f"the attachment by port {lsp['name']!r} has no effect in other zones yet: {fault}"


def of_policy(options: Mapping[str, str]) -> Iterator[str]:
    """Which of a zone's route options have no effect."""
    on = ZoneOptions.read(options)
    for key, needed, undone in _NEEDS:
        if options.get(key, "").lower() == "true" and not (on.adv if needed == "ic-route-adv" else on.learn):
            yield f"{key} is on but {needed} is off, so {undone}; turn {needed} on too"
    for item in on.bad_items:
        yield f"{item} in NB_Global.options; the item is ignored; correct or remove it"


def of_chassis(name: str, south: Store) -> Iterator[str]:
    """Why no zone creates a port of IC_NB that names a chassis; ``south`` is IC_SB."""
    if name and not any(row["name"] == name for row in south.rows("Gateway")):
        advice = "correct chassis, or make it a gateway with ovn_ic_gateway"
        yield f"no zone has a gateway {name!r} in IC_SB, so no zone creates the port; {advice}"


def of_gateway(name: str, ids: Mapping[str, str]) -> Iterator[str]:
    """Why the tunnels of a gateway cannot reach other zones. ``ids``: Open_vSwitch.external_ids."""
    addresses, types = (ids.get(f"ovn-encap-{part}", "").split(",") for part in ("ip", "type"))
    for text in filter(None, addresses):
        fault = address_fault(text)
        if fault is not None:
            yield f"the tunnel address {text} (external_ids:ovn-encap-ip) of gateway {name!r} {fault}; set one that other zones reach"
    for kind in filter(None, types):
        if kind not in TUNNELS:
            yield (f"ovn-controller does not support tunnels of type {kind} (external_ids:ovn-encap-type); set one of {', '.join(TUNNELS)}")


def address_fault(text: str) -> str | None:
    """Why an address cannot be an endpoint of a tunnel between zones, None if it can."""
    address, prefix = parse_ip(text), parse_prefix(text)
    if address is None or prefix is None:
        return "is not an IP address"
    if address.value == 0:
        return "is the unspecified address"
    if address.family == 4:
        first = address.value >> 24
        if first == 127:
            return "is a loopback address, which other hosts cannot reach"
        if first >= 224:
            return "is a multicast or broadcast address"
    elif address.value == 1:
        return "is the loopback address, which other hosts cannot reach"
    elif address.value >> 120 == 0xFF:
        return "is a multicast address"
    return "is a link-local address, which is reachable on one link only" if is_link_local(prefix) else None
