# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as data: zones, hosts, addresses, and the inventory made of them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .recipes import check_suite
from .settings import LabError

# Operators make their zones from one template: routers, switches and ports have the same names everywhere, here too.
ROUTER, SWITCH, WORKLOAD = "edge", "lan", "vm"
TRANSIT_SWITCH = "ts1"
TRANSIT = "169.254.100"
DEFAULT_SUITE = "bookworm"
IC_NB_PORT, IC_SB_PORT = 6645, 6646
# The addresses of zone n end in 1n, 2n and 3n.
_MOST_ZONES = 9


@dataclass(frozen=True)
class Zone:
    """One OVN deployment of the lab; `number` counts from 1."""

    number: int
    suite: str

    @property
    def name(self) -> str:
        return f"az{self.number}"

    @property
    def lan(self) -> str:
        """The subnet of the zone's workload."""
        return f"10.0.{self.number}.0/24"


@dataclass(frozen=True)
class Lab:
    """All zones, and the network of their hosts (at least a /26)."""

    zones: tuple[Zone, ...]
    network: ipaddress.IPv4Network

    @classmethod
    def parse(cls, zones: int, suites: Iterable[str], network: ipaddress.IPv4Network) -> Lab:
        """Return the lab of `zones` zones; `suites` are `az2=trixie` and the like."""
        if not 1 <= zones <= _MOST_ZONES:
            raise LabError(f"the lab has 1 to {_MOST_ZONES} zones, not {zones}")
        if network.prefixlen > 26:
            raise LabError(f"the lab's network {network} is too small: it must be a /26 or larger")
        chosen = {f"az{number}": DEFAULT_SUITE for number in range(1, zones + 1)}
        for text in suites:
            name, _, suite = text.partition("=")
            if name not in chosen:
                raise LabError(f"{text!r} must be ZONE=SUITE with one of the zones {', '.join(chosen)}")
            chosen[name] = check_suite(suite)
        return cls(tuple(Zone(int(name[2:]), suite) for name, suite in chosen.items()), network)

    def address(self, number: int) -> str:
        """Return the underlay address with the host number `number`."""
        return str(self.network.network_address + number)

    @property
    def ic_suite(self) -> str:
        """The suite of the global databases' host: they must be at least as new as the newest zone."""
        order = ("bookworm", "trixie", "sid", "experimental")
        return max((zone.suite for zone in self.zones), key=order.index)


def builds(lab: Lab) -> dict[str, list[str]]:
    """Return the layers that the lab needs, by suite."""
    suites = {zone.suite: ["central", "chassis"] for zone in lab.zones}
    suites.setdefault(lab.ic_suite, [])
    return suites


def _host(lab: Lab, name: str, number: int, suite: str, layer: str | None) -> dict[str, Any]:
    """Return the variables of one host: what `lab/hosts.py up --specs` takes."""
    return {"lab_host": {"name": name, "suite": suite, "ip": lab.address(number), "layer": layer}}


def _zone_group(lab: Lab, zone: Zone) -> dict[str, Any]:
    """Return the group of one zone: its hosts, and what is wanted of its part of the interconnect."""
    number = zone.number
    return {
        "hosts": {
            f"{zone.name}-{role}": _host(lab, f"{zone.name}-{role}", tens + number, zone.suite, layer)
            for role, tens, layer in (("central", 10, "central"), ("gw1", 20, "chassis"), ("hv1", 30, "chassis"))
        },
        "vars": {
            "lab_zone_number": number,
            "lab_zone_central": lab.address(10 + number),
            "ovn_ic_az_name": zone.name,
            "ovn_ic_az_route_policy": {"advertise": True, "learn": True},
            "ovn_ic_az_attachments": [
                {
                    "router": ROUTER,
                    "transit_switch": TRANSIT_SWITCH,
                    "mac": f"02:00:00:00:fe:{number:02x}",
                    "networks": [f"{TRANSIT}.{number}/24"],
                    "gateways": [{"chassis": f"{zone.name}-gw1", "priority": 20}],
                }
            ],
            "ovn_ic_expected_routes": [{"router": ROUTER, "prefix": other.lan} for other in lab.zones if other != zone],
        },
    }


def _members(zones: Sequence[Zone], role: str) -> dict[str, Any]:
    """Return a group of one host a zone."""
    return {"hosts": {f"{zone.name}-{role}": None for zone in zones}}


def inventory(lab: Lab) -> dict[str, Any]:
    """Return the lab's inventory, as Ansible's YAML plugin reads it."""
    ic = lab.address(10)
    children: dict[str, Any] = {
        "ovn_ic_databases": {"hosts": {"ic": _host(lab, "ic", 10, lab.ic_suite, None)}},
        "ovn_ic_daemons": _members(lab.zones, "central"),
        "ovn_ic_gateways": _members(lab.zones, "gw1"),
        "lab_centrals": _members(lab.zones, "central"),
        "lab_hypervisors": _members(lab.zones, "hv1"),
        "lab_chassis": {"children": {"ovn_ic_gateways": None, "lab_hypervisors": None}},
        "lab_zones": {"children": {zone.name: _zone_group(lab, zone) for zone in lab.zones}},
    }
    variables = {
        "ansible_connection": "labhost",
        "ansible_python_interpreter": "/usr/bin/python3",
        "lab_prefix_length": lab.network.prefixlen,
        "lab_zone_names": {"router": ROUTER, "switch": SWITCH, "workload": WORKLOAD},
        "ovn_ic_nb_db": f"tcp:{ic}:{IC_NB_PORT}",
        "ovn_ic_sb_db": f"tcp:{ic}:{IC_SB_PORT}",
        "ovn_ic_db_insecure": True,
        "ovn_ic_transit_switches": [{"name": TRANSIT_SWITCH, "subnets": [f"{TRANSIT}.0/24"]}],
    }
    return {"all": {"children": {"lab": {"vars": variables, "children": children}}}}


_HEADER = """\
---
# Written by `lab/hosts.py inventory`: the zones of the lab, with all variables that playbooks/site.yml needs.
"""


def inventory_text(lab: Lab) -> str:
    """Return the inventory as a YAML file."""
    try:
        import yaml
    except ImportError as error:
        raise LabError("PyYAML is missing: run this with the python of the checkout's .venv") from error

    class Dumper(yaml.SafeDumper):
        """Lists indented as ansible-lint wants them, and `key:` for an empty value."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            return super().increase_indent(flow, False)

    Dumper.add_representer(type(None), lambda dumper, _none: dumper.represent_scalar("tag:yaml.org,2002:null", ""))
    return _HEADER + str(yaml.dump(inventory(lab), Dumper=Dumper, sort_keys=False, width=120))
