# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting, entering and removing hosts."""

from __future__ import annotations

import ipaddress
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from . import recipes
from .build import Cache
from .leader import arguments, enter_command, leader_pid, runner_pid
from .limits import check_inotify
from .process import kill, locked, run, say
from .runner import booted_with_systemd
from .settings import LabError, Settings, check_name

_START_SECONDS = 90.0
_ENTRY = Path(__file__).resolve().parent.parent / "hosts.py"


@dataclass(frozen=True)
class Spec:
    """What a host is: its name, Debian suite, address on a network of the lab (none: no network) and layer (none: only the base).

    ``ip6`` is a second address, with the length of its prefix, as in ``fd00::41/64``.
    """

    name: str
    suite: str
    ip: str | None = None
    layer: str | None = None
    ip6: str | None = None

    def checked(self, settings: Settings) -> Spec:
        """Return itself, or raise LabError with what is wrong."""
        check_name(self.name)
        recipes.stack(self.suite, self.layer)
        try:
            fits = self.ip is None or settings.network_of(self.ip) is not None
            if self.ip6 is not None:
                ipaddress.IPv6Interface(self.ip6)
        except ValueError as error:
            raise LabError(f"{self.name}: {error}") from error
        if not fits:
            networks = ", ".join(map(str, settings.networks))
            raise LabError(f"{self.name}: the address {self.ip} is not in the lab's network {networks} (OVN_IC_LAB_NETWORK)")
        return self


class Hosts:
    """The hosts of one lab: those under the state directory of `settings`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cache = Cache(settings)

    # -- looking

    def names(self) -> list[str]:
        """Return the names of all hosts, running or not."""
        folder = self.settings.state_dir / "hosts"
        return sorted(path.parent.name for path in folder.glob("*/host.json"))

    def spec(self, name: str) -> Spec:
        """Return what the host `name` is; raise LabError where there is none."""
        try:
            return Spec(**json.loads((self.settings.host_dir(name) / "host.json").read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            known = ", ".join(self.names()) or "none"
            raise LabError(f"there is no host {name!r} in {self.settings.state_dir}; it has: {known}") from error

    def leader(self, name: str) -> int:
        """Return the pid of the PID 1 of the host `name`; raise LabError where it does not run."""
        pid = leader_pid(self.settings.state_dir, name)
        if pid is None:
            self.spec(name)
            raise LabError(f"the host {name!r} is not running; `lab/hosts.py down {name}` removes it")
        return pid

    def running(self, name: str) -> bool:
        """Whether the host `name` runs."""
        return leader_pid(self.settings.state_dir, name) is not None

    # -- starting

    def up(self, specs: Sequence[Spec]) -> list[str]:
        """Start the hosts that do not run yet, at the same time; return their names. A running host that is another one is an error."""
        for spec in specs:
            spec.checked(self.settings)
        with self._locked():
            missing = [spec for spec in specs if not self._stands(spec)]
            check_inotify(len(missing))
            for suite in sorted({spec.suite for spec in missing}):
                self.cache.build(suite, sorted({spec.layer for spec in missing if spec.suite == suite and spec.layer}))
            if missing:
                self._check_free([spec.name for spec in missing])
                self._make_bridges()
                _all_at_once(self._start, missing)
        return [spec.name for spec in missing]

    def _stands(self, spec: Spec) -> bool:
        """Whether this very host runs already; remains of one that died are removed."""
        if not (self.settings.host_dir(spec.name) / "host.json").exists():
            return False
        present = self.spec(spec.name)
        if not self.running(spec.name):
            self._remove(spec.name)
            return False
        if present != spec:
            raise LabError(
                f"the host {spec.name} already exists with suite {present.suite}, address {present.ip} and layer {present.layer}: "
                f"remove it with `lab/hosts.py down {spec.name}` first"
            )
        return True

    def _start(self, spec: Spec) -> None:
        """Make and boot one host."""
        start = time.monotonic()
        host_dir = self.settings.host_dir(spec.name)
        shutil.rmtree(host_dir, ignore_errors=True)
        for name in ("upper/etc", "work", "root"):
            (host_dir / name).mkdir(parents=True)
        (host_dir / "host.json").write_text(json.dumps(asdict(spec)) + "\n", encoding="utf-8")
        (host_dir / "upper/etc/hostname").write_text(f"{spec.name}\n", encoding="utf-8")
        lines = ["127.0.0.1 localhost", f"{spec.ip or '127.0.1.1'} {spec.name}"]
        (host_dir / "upper/etc/hosts").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._make_namespace(spec)
        self._spawn(spec)
        self.wait(spec.name)
        say(f"{spec.name}: up in {time.monotonic() - start:.1f} s (Debian {spec.suite}, {spec.ip or 'no network'})")

    def _check_free(self, names: Sequence[str]) -> None:
        """Raise LabError where a host that is not in this lab's state directory runs under one of these names."""
        for namespace in map(self.settings.namespace, names):
            pids = run("ip", "netns", "pids", namespace, check=False).stdout.split()
            if pids:
                raise LabError(
                    f"process {pids[0]} runs in the network namespace {namespace}, for a host that is not in {self.settings.state_dir}: "
                    "remove that lab with its own OVN_IC_LAB_DIR, or give this one another OVN_IC_LAB_PREFIX"
                )

    def _make_bridges(self) -> None:
        """Make the lab's networks, where they are missing: a bridge for each in one network namespace, which routes between them."""
        namespace = self.settings.namespace("net")
        if self.names() and Path("/run/netns", namespace).exists():
            return
        # Without hosts it is what a lab left that was killed, and the links in it would stand in the way of ours.
        run("ip", "netns", "del", namespace, check=False)
        run("ip", "netns", "add", namespace)
        run("ip", "-n", namespace, "link", "set", "lo", "up")
        for index, network in enumerate(self.settings.networks):
            bridge = f"br{index}"
            run("ip", "-n", namespace, "link", "add", bridge, "mtu", str(self.settings.mtu), "type", "bridge")
            run("ip", "-n", namespace, "address", "add", f"{_router(network)}/{network.prefixlen}", "dev", bridge)
            run("ip", "-n", namespace, "link", "set", bridge, "up")
        if len(self.settings.networks) > 1:
            run("ip", "netns", "exec", namespace, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")

    def _make_namespace(self, spec: Spec) -> None:
        """Make the network namespace of a host with eth0 on the bridge of its network."""
        namespace, bridge = self.settings.namespace(spec.name), self.settings.namespace("net")
        mtu = str(self.settings.mtu)
        run("ip", "netns", "del", namespace, check=False)
        run("ip", "netns", "add", namespace)
        run("ip", "-n", namespace, "link", "set", "lo", "up")
        network = self.settings.network_of(spec.ip) if spec.ip else None
        if network is None:
            return
        peer = ("type", "veth", "peer", "name", "eth0", "mtu", mtu, "netns", namespace)
        run("ip", "link", "add", spec.name, "mtu", mtu, "netns", bridge, *peer)
        run("ip", "-n", bridge, "link", "set", spec.name, "master", f"br{self.settings.networks.index(network)}", "up")
        run("ip", "-n", namespace, "link", "set", "eth0", "up")
        run("ip", "-n", namespace, "address", "add", f"{spec.ip}/{network.prefixlen}", "dev", "eth0")
        if len(self.settings.networks) > 1:
            run("ip", "-n", namespace, "route", "add", "default", "via", str(_router(network)))
        if spec.ip6 is not None:
            run("ip", "-n", namespace, "address", "add", spec.ip6, "dev", "eth0", "nodad")
        # A userspace datapath reads frames from AF_PACKET, where checksums left to the hardware are simply wrong: TCP would die.
        run("ip", "netns", "exec", bridge, "ethtool", "-K", spec.name, "tx", "off")
        run("ip", "netns", "exec", namespace, "ethtool", "-K", "eth0", "tx", "off")

    def _cgroup(self, name: str) -> str:
        return f"{self.settings.prefix}/{name}"

    def _unit(self, name: str) -> str:
        return f"{self.settings.prefix}-{name}.scope"

    def _spawn(self, spec: Spec) -> None:
        """Start the runner of a host; it lives on when this process ends."""
        host_dir = self.settings.host_dir(spec.name)
        lower = ":".join(str(path) for path in self.cache.paths(spec.suite, spec.layer))
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, str(_ENTRY), "_run"]
        command += [str(host_dir), self._cgroup(spec.name), self.settings.namespace(spec.name), lower]
        if booted_with_systemd():
            scope = ["systemd-run", "--quiet", "--scope", "--collect", "--property=Delegate=yes", f"--unit={self._unit(spec.name)}"]
            command = [*scope, "--", *command]
        with (host_dir / "console.log").open("wb") as console:
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True)

    def wait(self, name: str, other_than: int | None = None) -> int:
        """Wait until the host has started its units; return its leader's pid. `other_than`: the leader before a reboot."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            leader = leader_pid(self.settings.state_dir, name)
            if leader is not None and leader != other_than:
                done = run(*enter_command(leader, ["systemctl", "is-system-running"]), check=False)
                if done.stdout.strip() in ("running", "degraded"):
                    return leader
            time.sleep(0.05)
        console = self.settings.host_dir(name) / "console.log"
        tail = "\n".join(console.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise LabError(f"the host {name} did not start in {_START_SECONDS:.0f} s; the end of {console}:\n{tail}")

    # -- using

    def enter(self, name: str, command: Sequence[str]) -> list[str]:
        """Return the command line that runs `command` in the host `name`."""
        return enter_command(self.leader(name), command)

    def reboot(self, name: str) -> None:
        """Reboot the host and wait until it is back."""
        before = self.leader(name)
        run(*enter_command(before, ["systemctl", "--no-block", "reboot"]))
        self.wait(name, before)

    # -- removing

    def down(self, names: Sequence[str]) -> None:
        """Remove hosts as they are: their power is cut."""
        with self._locked():
            for name in names:
                self.spec(name)
            _all_at_once(self._remove, names)

    def down_all(self) -> None:
        """Remove all hosts and everything else of this lab; the cache stays."""
        with self._locked():
            folder = self.settings.state_dir / "hosts"
            names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
            _all_at_once(self._remove, names)
            run("ip", "netns", "del", self.settings.namespace("net"), check=False)
            self._remove_cgroup(self.settings.prefix)
            _forget_namespaces()
            shutil.rmtree(self.settings.state_dir, ignore_errors=True)
            left = self._left([*names, "net"])
            if left:
                raise LabError(f"the lab is removed, but these are left: {'; '.join(left)}")

    def _left(self, names: Sequence[str]) -> list[str]:
        """Return what is left of hosts that were removed: namespaces, mounts, processes, files."""
        folder = self.settings.state_dir / "hosts"
        namespaces = [Path("/run/netns", self.settings.namespace(name)) for name in names]
        left = [f"network namespace {path.name}" for path in namespaces if path.exists()]
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
        left += [f"mount {line.split()[1]}" for line in mounts if line.split()[1].startswith(f"{folder}/")]
        processes = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        left += [f"process {pid}" for pid in processes if any(f"{folder}/" in argument for argument in arguments(pid))]
        return left + ([f"files in {folder}"] if folder.exists() else [])

    def _remove(self, name: str) -> None:
        """Kill a host's processes and remove its namespace, cgroup and files."""
        runner = runner_pid(self.settings.state_dir, name)
        leader = leader_pid(self.settings.state_dir, name)
        if runner is not None:
            # The runner first: it would start the host again.
            kill(runner)
        if leader is not None:
            kill(leader)
        if booted_with_systemd():
            run("systemctl", "kill", "--signal=KILL", self._unit(name), check=False)
            run("systemctl", "stop", self._unit(name), check=False)
        else:
            self._remove_cgroup(self._cgroup(name))
        # The link by itself: the kernel removes that of a deleted namespace some time later, and a new host may want its name at once.
        run("ip", "-n", self.settings.namespace("net"), "link", "del", name, check=False)
        run("ip", "netns", "del", self.settings.namespace(name), check=False)
        shutil.rmtree(self.settings.host_dir(name))
        say(f"{name}: removed")

    def _remove_cgroup(self, cgroup: str) -> None:
        """Remove a cgroup with all that runs in it, from a mount namespace where the hierarchy has its usual path."""
        if not booted_with_systemd():
            run("unshare", "--mount", "--propagation", "private", sys.executable, str(_ENTRY), "_remove_cgroup", cgroup)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time change this lab. The lock is not in the state directory, which `down --all` removes."""
        with locked(self.settings.cache_dir / "locks" / f"lab-{self.settings.prefix}", f"the lab {self.settings.prefix}"):
            yield


def _router(network: ipaddress.IPv4Network) -> ipaddress.IPv4Address:
    """Return the address of the lab itself in a network: the first one."""
    return next(network.hosts())


def _all_at_once(action: Callable[..., None], things: Iterable[object]) -> None:
    """Call `action` for each of `things` in a thread of its own; raise the first error when all are done."""
    with ThreadPoolExecutor(max_workers=16) as pool:
        for future in [pool.submit(action, thing) for thing in things]:
            future.result()


def _forget_namespaces() -> None:
    """Undo what the first `ip netns add` of a machine leaves behind, where no namespace is left."""
    folder = Path("/run/netns")
    if folder.is_dir() and not any(folder.iterdir()):
        while run("umount", str(folder), check=False).returncode == 0:
            pass
        folder.rmdir()
