# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the root file systems and layers consist of, and the keys under which they are cached."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .settings import LabError

# Part of every key: raise it when the way of building changes its result.
RECIPE = 1
SUITES = ("bookworm", "trixie", "sid", "experimental")
BASE_PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "procps", "sudo"),
    *("python3", "python3-apt", "ca-certificates", "openssl"),
    *("iproute2", "iputils-ping", "ethtool", "tcpdump"),
)
# The layer that every other stands on: a package repository inside the host, no services but the host's own.
REPOSITORY = "repository"
LAYERS = {
    # What existing deployments have; the interconnect's own packages come from the repository.
    "central": ("ovn-central",),
    "chassis": ("ovn-host", "openvswitch-switch"),
    # A whole zone on one host, where a scenario needs its hosts for something else.
    "zone": ("ovn-central", "ovn-host", "openvswitch-switch"),
    # Every binary, for tests that run another release's programs straight from its files.
    "ovn": ("ovn-central", "ovn-host", "ovn-ic", "ovn-ic-db", "openvswitch-switch"),
}
REPOSITORY_PACKAGES = (*LAYERS["ovn"], "python3-openvswitch", "python3-ovsdbapp", "python3-netaddr", "logrotate")


@dataclass(frozen=True)
class Entry:
    """One entry of the cache: `rootfs/<suite>` or `layers/<name>-<suite>`, a link to the directory of the present key."""

    folder: str
    name: str
    key: str

    @property
    def link(self) -> str:
        """Path of the link that always shows the present build, relative to the cache."""
        return f"{self.folder}/{self.name}"

    @property
    def path(self) -> str:
        """Path of the contents, relative to the cache."""
        return f"{self.folder}/{self.name}-{self.key}"


def _key(*parts: str) -> str:
    """Return a short key of everything that decides an entry's contents."""
    return hashlib.sha256("\n".join((str(RECIPE), *parts)).encode()).hexdigest()[:10]


def check_suite(suite: str) -> str:
    """Return `suite`, or raise LabError."""
    if suite not in SUITES:
        raise LabError(f"the suite {suite!r} is not one of {', '.join(SUITES)}; correct the suite")
    return suite


def rootfs(suite: str) -> Entry:
    """Return the entry of the root file system of `suite`."""
    return Entry("rootfs", check_suite(suite), _key(suite, *sorted(BASE_PACKAGES)))


def layer(name: str, suite: str) -> Entry:
    """Return the entry of one layer; its key contains those of what it stands on."""
    if name == REPOSITORY:
        return Entry("layers", f"{name}-{suite}", _key(name, rootfs(suite).key, *sorted(REPOSITORY_PACKAGES)))
    if name not in LAYERS:
        raise LabError(f"the layer {name!r} is not one of {', '.join(sorted(LAYERS))}; correct the layer")
    return Entry("layers", f"{name}-{suite}", _key(name, layer(REPOSITORY, suite).key, *sorted(LAYERS[name])))


def stack(suite: str, name: str | None) -> list[Entry]:
    """Return the entries that a host of `suite` with the layer `name` consists of, the topmost first."""
    top = [layer(name, suite)] if name else []
    return [*top, layer(REPOSITORY, suite), rootfs(suite)]
