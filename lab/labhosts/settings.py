# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab keeps its things and how it names them: everything that the environment decides."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATE_DIR = "/var/lib/ovn-interconnect-lab"
PREFIX = "oil"
NETWORK = "172.30.0.0/24"
# A link's name has at most 15 characters; a host's name is one, and also a file name and a host name.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,13}[a-z0-9]")


class LabError(Exception):
    """What went wrong, as one sentence for a person."""


@dataclass(frozen=True)
class Settings:
    """The environment's decisions; two labs with different prefixes, state directories and networks can run side by side."""

    state_dir: Path
    cache_dir: Path
    prefix: str
    networks: tuple[ipaddress.IPv4Network, ...]
    mtu: int

    @property
    def network(self) -> ipaddress.IPv4Network:
        """The network of the lab's own hosts: the first one."""
        return self.networks[0]

    def network_of(self, address: str) -> ipaddress.IPv4Network | None:
        """Return the network that `address` is in, or None; raise ValueError where it is not an IPv4 address."""
        parsed = ipaddress.IPv4Address(address)
        return next((network for network in self.networks if parsed in network), None)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read `OVN_IC_LAB_DIR`, `_PREFIX`, `_NETWORK`, `_MTU`, and `OVN_IC_CACHE`."""
        cache = environ.get("OVN_IC_CACHE") or os.path.join(
            environ.get("XDG_CACHE_HOME") or os.path.join(environ.get("HOME") or "/root", ".cache"), "ovn-interconnect"
        )
        prefix = environ.get("OVN_IC_LAB_PREFIX") or PREFIX
        check_name(prefix, "OVN_IC_LAB_PREFIX")
        networks = environ.get("OVN_IC_LAB_NETWORK") or NETWORK
        try:
            return cls(
                state_dir=Path(environ.get("OVN_IC_LAB_DIR") or STATE_DIR).absolute(),
                cache_dir=Path(cache).absolute(),
                prefix=prefix,
                networks=tuple(ipaddress.IPv4Network(text) for text in networks.split(",")),
                mtu=int(environ.get("OVN_IC_LAB_MTU") or 1500),
            )
        except ValueError as error:
            raise LabError(f"OVN_IC_LAB_NETWORK or OVN_IC_LAB_MTU cannot be used: {error}") from error

    def namespace(self, name: str) -> str:
        """Return the network namespace of the host `name`; that of the bridge is named by `net`."""
        return f"{self.prefix}-{name}"

    def host_dir(self, name: str) -> Path:
        """Return the directory that holds everything of the host `name`."""
        return self.state_dir / "hosts" / name


def check_name(name: str, what: str = "the host name") -> str:
    """Return `name`, or raise LabError where it cannot name a host."""
    if not _NAME.fullmatch(name):
        raise LabError(f"{what} {name!r} must be 2 to 15 lower-case letters, digits and hyphens, and begin with a letter")
    return name
