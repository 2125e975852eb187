# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers for tests: the global databases, zones with their databases and northd, and a sync daemon in each.

Everything lives in one temporary directory and speaks over unix sockets; no root is needed. Each process is started with
`--detach`, which returns once the process is ready, and is known and stopped by its pid alone.
"""

from __future__ import annotations

import ipaddress
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import TypeVar

from . import ovsdb
from .identity import Authority, Identity
from .ovsdb import Database, WaitTimeoutError
from .rpc import PATIENCE, JsonRpc

CHECKOUT = Path(__file__).resolve().parents[2]
UPSTREAM = "upstream"
OURS = "ours"
URGE = 0.3
"""Seconds without progress after which `settle` wakes the daemons."""

_T = TypeVar("_T")
_ports = count(20000)


def own_address() -> str:
    """A loopback address that no other process of this machine uses (from the pid, which has at most 22 bits)."""
    return str(ipaddress.IPv4Address((127 << 24) + (os.getpid() << 2 & 0xFFFFFF) + 2))


def next_port() -> int:
    """A port of that address that nobody has had yet."""
    return next(_ports)


class ServerError(Exception):
    """A process did not start or did not stop; the text holds its log."""


class SuiteMissingError(Exception):
    """The schemas or binaries of an OVN generation are not on this machine; the text says how to get them."""


@dataclass(frozen=True)
class Suite:
    """One generation of OVN: where its schemas are and how its binaries are run.

    `root` is a file system tree that holds another distribution's packages, or None for the host's own. Its binaries run
    through that tree's own dynamic loader, so that they need no chroot.
    """

    name: str
    schemas: Path
    roots: tuple[Path, ...] = ()

    def command(self, binary: str) -> list[str]:
        """The beginning of a command line that runs this generation's `binary`."""
        if not self.roots:
            found = shutil.which(binary, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
            if found is None:
                raise SuiteMissingError(f"{binary} is not installed on this machine")
            return [found]
        machine = f"{os.uname().machine}-linux-gnu"
        libraries = ":".join(str(root / "usr/lib" / machine) for root in self.roots)
        loader = self._file(f"usr/lib/{machine}/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2", "usr/lib/ld-linux-aarch64.so.1")
        return [str(loader), "--library-path", libraries, str(self._file(f"usr/bin/{binary}", f"usr/sbin/{binary}"))]

    def _file(self, *names: str) -> Path:
        for root in self.roots:
            for name in names:
                if (root / name).exists():
                    return root / name
        raise SuiteMissingError(f"no {names[0]} in {', '.join(map(str, self.roots))}: run `lab/hosts.py build {self.name} ovn`")


def cache_directory() -> Path:
    """The directory of downloaded and unpacked distributions."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ovn-interconnect"
    return Path(os.environ.get("OVN_IC_CACHE") or default)


@cache
def suite(name: str) -> Suite:
    """The generation `host` (this machine's packages) or that of a Debian release in the cache."""
    if name == "host":
        found = Suite(name, Path("/usr/share/ovn"))
    else:
        roots = (cache_directory() / "layers" / f"ovn-{name}", cache_directory() / "rootfs" / name)
        found = Suite(name, roots[0] / "usr/share/ovn", roots)
    if not (found.schemas / "ovn-ic-sb.ovsschema").exists():
        raise SuiteMissingError(f"no OVN schemas in {found.schemas}: install the package ovn-ic-db or run `lab/hosts.py build {name} ovn`")
    return found


@cache
def _empty_database(schema: Path) -> bytes:
    """The contents of a fresh database file; making one costs a process, copying one costs nothing."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "empty.db"
        subprocess.run([*suite("host").command("ovsdb-tool"), "create", str(path), str(schema)], check=True, capture_output=True)
        return path.read_bytes()


@dataclass
class Process:
    """A daemon of the OVS family: started detached, controlled over its control socket, stopped by pid."""

    name: str
    directory: Path
    command: Sequence[str]
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    pid: int | None = None
    _starting: subprocess.Popen[bytes] | None = None

    @property
    def pidfile(self) -> Path:
        """The process writes its pid there."""
        return self.directory / f"{self.name}.pid"

    @property
    def control_socket(self) -> Path:
        """Where the process takes control commands."""
        return self.directory / f"{self.name}.ctl"

    @property
    def log(self) -> Path:
        """The process' log."""
        return self.directory / f"{self.name}.log"

    @property
    def alive(self) -> bool:
        """Whether the process is there at this moment; False after a crash."""
        return self.pid is not None and Path(f"/proc/{self.pid}/exe").exists()

    @property
    def running(self) -> bool:
        """Whether the process was started and has not been seen to end."""
        return self.pid is not None

    def launch(self) -> None:
        """Begin to start the process; `ready` waits for it."""
        assert not self.running, f"{self.name} runs already"
        common = ["--detach", "--no-chdir", f"--pidfile={self.pidfile}", f"--log-file={self.log}", f"--unixctl={self.control_socket}"]
        with (self.directory / f"{self.name}.out").open("ab") as output:
            self._starting = subprocess.Popen(
                [*self.command, *common, "-vconsole:off", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.environment, "OVS_RUNDIR": str(self.directory), "OVN_RUNDIR": str(self.directory)},
            )

    def ready(self) -> None:
        """Wait until a launched process has detached, which it does when its sockets are there."""
        assert self._starting is not None, f"{self.name} was not launched"
        try:
            status = self._starting.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._starting.kill()
            self._starting.wait()
            status = -1
        self._starting = None
        if self.pidfile.exists():
            self.pid = int(self.pidfile.read_text())
        if status != 0 or self.pid is None:
            self.stop(signal.SIGKILL)
            raise ServerError(f"{self.name} did not start (status {status}):\n{self.tail()}")

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        self.launch()
        self.ready()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process and wait for its end; SIGKILL if it does not follow. No harm if it is gone."""
        if self._starting is not None:
            self.ready()
        if self.pid is None:
            return
        pid, self.pid = self.pid, None
        if not _end(pid, how) and not _end(pid, signal.SIGKILL):
            raise ServerError(f"{self.name} (pid {pid}) survives SIGKILL")
        self.pidfile.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the process with SIGKILL."""
        self.stop(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the process where it is (SIGSTOP)."""
        assert self.pid is not None
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        assert self.pid is not None
        os.kill(self.pid, signal.SIGCONT)

    def appctl(self, command: str, *arguments: str) -> str:
        """Run a control command and return its answer, as `ovs-appctl` would print it."""
        control = JsonRpc(self.control_socket)
        try:
            answer = control.request(command, list(arguments))
        finally:
            control.close()
        return str(answer).strip()

    def tail(self) -> str:
        """The end of what the process said, for failure reports."""
        files = [self.directory / f"{self.name}.out", self.log]
        lines = [line for file in files if file.exists() for line in file.read_text(errors="replace").splitlines()]
        return "\n".join(lines[-40:])


def _end(pid: int, how: signal.Signals) -> bool:
    """Send a signal to a process that is not our child and wait for its end, by its process descriptor."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        os.kill(pid, how)
        os.kill(pid, signal.SIGCONT)
        ready, _, _ = select.select([descriptor], [], [], PATIENCE)
        return bool(ready)
    except ProcessLookupError:
        return True
    finally:
        os.close(descriptor)


class Server(Process):
    """An ovsdb-server with one database, and this test's own connection to it.

    With an authority it listens for clients with TLS, with a certificate of that authority; without one, over its socket alone.
    """

    def __init__(self, name: str, directory: Path, schema: Path, database: str, authority: Authority | None = None) -> None:
        self.file = directory / f"{name}.db"
        self.socket = directory / f"{name}.sock"
        #: Where clients other than this test connect to.
        self.remote = f"unix:{self.socket}"
        self.database_name = database
        self._database: Database | None = None
        super().__init__(name, directory, suite("host").command("ovsdb-server"), [f"--remote=punix:{self.socket}", str(self.file)])
        self.create(schema)
        if authority is not None:
            self.secure(authority.issue(directory, name))

    def listen(self, method: str, *options: str) -> None:
        """Listen for clients by `tcp` or `ssl` from the next start on, with these further options."""
        port = next_port()
        self.remote = f"{method}:{own_address()}:{port}"
        self.arguments = [f"--remote=p{method}:{port}:{own_address()}", *options, *self.arguments]

    def secure(self, identity: Identity, *options: str) -> None:
        """Listen for clients with TLS from the next start on, with these further options on it."""
        self.listen("ssl", *identity.options, *options)

    def create(self, schema: Path) -> None:
        """Replace the database file by an empty one; the server must not run."""
        self.file.write_bytes(_empty_database(schema))

    @property
    def database(self) -> Database:
        """This test's connection to the database."""
        if self._database is None:
            self._database = Database(self.socket, self.database_name)
        return self._database

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server; the connection is closed first."""
        if self._database is not None:
            self._database.close()
        super().stop(how)

    def ready(self) -> None:
        """Wait until the server listens, and connect again if this test was connected before."""
        super().ready()
        if self._database is not None:
            self._database.connect()


def daemon_command(kind: str, generation: Suite) -> list[str]:
    """The beginning of the command line of a sync daemon: upstream's of a generation of OVN, or this project's."""
    if kind == UPSTREAM:
        return generation.command("ovn-ic")
    return [sys.executable, str(CHECKOUT / "scripts/ovn-ic")]


class SyncDaemon(Process):
    """The sync daemon of one zone: kind `upstream` (C) or `ours`."""

    def __init__(self, kind: str, zone: AvailabilityZone, interconnect: Interconnect, name: str = "ovn-ic") -> None:
        self.kind = kind
        self.paused = False
        remotes = [
            f"--ovnnb-db={zone.nb_server.remote}",
            f"--ovnsb-db={zone.sb_server.remote}",
            f"--ic-nb-db={interconnect.nb_server.remote}",
            f"--ic-sb-db={interconnect.sb_server.remote}",
        ]
        authority = interconnect.authority
        identity = [] if authority is None else authority.issue(zone.directory, name).options
        super().__init__(name, zone.directory, daemon_command(kind, zone.suite), [*remotes, *identity])

    def pause(self) -> None:
        """Stop all its writing."""
        self.appctl("pause")
        self.paused = True

    def resume(self) -> None:
        """Let it write again."""
        self.appctl("resume")
        self.paused = False

    def launch(self) -> None:
        """Begin to start the daemon; a new one is never paused."""
        self.paused = False
        super().launch()

    @property
    def working(self) -> bool:
        """Whether it runs and is not paused."""
        return self.running and not self.paused

    def status(self) -> str:
        """`active`, `standby` or `paused`; the newest releases tell of the lock of IC_SB in a second line."""
        return self.appctl("status").splitlines()[0].removeprefix("Status: ")


class AvailabilityZone:
    """One zone: its NB and SB servers, northd, and a sync daemon."""

    def __init__(self, name: str, interconnect: Interconnect, generation: Suite, kind: str) -> None:
        self.name = name
        self.suite = generation
        self.interconnect = interconnect
        self.directory = interconnect.directory / name
        self.directory.mkdir()
        self.nb_server = Server("nb", self.directory, generation.schemas / "ovn-nb.ovsschema", "OVN_Northbound")
        self.sb_server = Server("sb", self.directory, generation.schemas / "ovn-sb.ovsschema", "OVN_Southbound")
        remotes = [f"--ovnnb-db=unix:{self.nb_server.socket}", f"--ovnsb-db=unix:{self.sb_server.socket}"]
        self.northd = Process("northd", self.directory, generation.command("ovn-northd"), remotes)
        self.daemon = SyncDaemon(kind, self, interconnect)

    @property
    def nb(self) -> Database:
        """The zone's northbound database."""
        return self.nb_server.database

    @property
    def sb(self) -> Database:
        """The zone's southbound database."""
        return self.sb_server.database

    @property
    def processes(self) -> list[Process]:
        """All processes of the zone, in the order in which they are started."""
        return [self.nb_server, self.sb_server, self.northd, self.daemon]

    def second_daemon(self, name: str = "ovn-ic-2") -> SyncDaemon:
        """One more daemon of this zone, not started; stopped with the interconnect."""
        daemon = SyncDaemon(self.daemon.kind, self, self.interconnect, name)
        self.interconnect.others.append(daemon)
        return daemon

    def northd_sync(self) -> None:
        """Wait until northd has brought what NB holds now to SB."""
        self.nb.transact(ovsdb.mutate("NB_Global", "nb_cfg", "+=", 1))
        self.nb.refresh()
        wanted = self.nb.get("NB_Global").number("nb_cfg")
        self.nb.wait(lambda: self.nb.get("NB_Global").number("sb_cfg") >= wanted, f"northd of {self.name} to process NB")
        self.sb.refresh()


class Interconnect:
    """The global databases and the zones between which they stand; a context manager that leaves nothing behind.

    `server` is what the two global databases run on: one server each, or a cluster. With an authority, TLS is spoken between
    their servers, and between these and the daemons.
    """

    def __init__(
        self, generation: str = "host", kind: str = OURS, server: type[Server] = Server, authority: Authority | None = None
    ) -> None:
        self.suite = suite(generation)
        self.kind = kind
        self.authority = authority
        self.directory = Path(tempfile.mkdtemp(prefix="ovn-ic-"))
        self._caretaker = _caretaker(self.directory)
        self.zones: list[AvailabilityZone] = []
        self.others: list[Process] = []
        self.nb_server = server("ic-nb", self.directory, self.suite.schemas / "ovn-ic-nb.ovsschema", "OVN_IC_Northbound", authority)
        self.sb_server = server("ic-sb", self.directory, self.suite.schemas / "ovn-ic-sb.ovsschema", "OVN_IC_Southbound", authority)
        self._markers = 0

    def __enter__(self) -> Interconnect:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def nb(self) -> Database:
        """The global northbound database (IC_NB)."""
        return self.nb_server.database

    @property
    def sb(self) -> Database:
        """The global southbound database (IC_SB)."""
        return self.sb_server.database

    @property
    def processes(self) -> list[Process]:
        """All processes, in the order in which they are started."""
        return [self.nb_server, self.sb_server, *(process for zone in self.zones for process in zone.processes), *self.others]

    @property
    def databases(self) -> list[Database]:
        """All databases: IC_NB, IC_SB, then NB and SB of each zone."""
        return [self.nb, self.sb, *(database for zone in self.zones for database in (zone.nb, zone.sb))]

    def add_zone(self, name: str, generation: str | None = None, kind: str | None = None) -> AvailabilityZone:
        """Prepare one more zone; its deployment has no name until a test names it in NB."""
        zone = AvailabilityZone(name, self, self.suite if generation is None else suite(generation), kind or self.kind)
        self.zones.append(zone)
        return zone

    def start(self, daemons: bool = True) -> None:
        """Start all that does not run yet, at once; the daemons too unless they are left to the test."""
        starting = [p for p in self.processes if not p.running and (daemons or not isinstance(p, SyncDaemon))]
        servers = [process for process in starting if isinstance(process, Server)]
        _start_all(servers)
        for database in self.databases:
            _make_global_row(database)
        _start_all([process for process in starting if process not in servers])

    def close(self) -> None:
        """Stop every process and remove the directory, whatever happened before."""
        failures = []
        for process in reversed(self.processes):
            try:
                process.stop()
            except ServerError as failure:
                failures.append(str(failure))
        if os.environ.get("OVN_IC_TEST_KEEP"):
            sys.stderr.write(f"kept for inspection: {self.directory}\n")
        else:
            shutil.rmtree(self.directory)
        self._caretaker.communicate()
        if failures:
            raise ServerError("; ".join(failures))

    def wait(self, condition: Callable[[], _T | None], what: str, patience: float = PATIENCE) -> _T:
        """Wait until a condition over any of the databases holds; the daemons' logs are part of the failure."""
        try:
            return ovsdb.wait_for(self.databases, condition, what, patience)
        except WaitTimeoutError as failure:
            raise WaitTimeoutError(f"{failure}\n{self.logs()}") from None

    def logs(self) -> str:
        """The ends of the daemons' logs."""
        said = []
        for zone in self.zones:
            state = "" if zone.daemon.alive else " (not running)"
            said.append(f"--- {zone.name}: {zone.daemon.kind}{state}\n{zone.daemon.tail()}")
        return "\n".join(said)

    def settle(self, rounds: int = 2) -> None:
        """Wait until northd and all running daemons have processed everything written so far.

        Two rounds because what one zone's daemon learns depends on what another has published. A round is: northd of every
        zone has processed NB, then a marker transit switch makes its way from IC_NB through IC_SB into every zone's NB and
        is removed again. It needs no counters and so works with every schema and daemon.
        """
        for _ in range(rounds):
            for zone in self.zones:
                zone.northd_sync()
            self._marker()
        for zone in self.zones:
            zone.northd_sync()
        for database in self.databases:
            database.refresh()

    def sync(self, times: int = 2) -> None:
        """`ovn-ic-nbctl --wait=sb sync`, that many times; only for schemas that have the counters."""
        for _ in range(times):
            self.nb.transact(ovsdb.mutate("IC_NB_Global", "nb_ic_cfg", "+=", 1))
            self.nb.refresh()
            wanted = self.nb.get("IC_NB_Global").number("nb_ic_cfg")
            self.wait(lambda wanted=wanted: self.nb.get("IC_NB_Global").number("sb_ic_cfg") >= wanted, f"sb_ic_cfg to be {wanted}")  # type: ignore[misc]
        for database in self.databases:
            database.refresh()

    def _marker(self) -> None:
        self._markers += 1
        name = f"settle-{self._markers}"
        self.nb.transact(ovsdb.insert("Transit_Switch", {"name": name}))
        zones = [zone for zone in self.zones if zone.daemon.working and zone.nb.get("NB_Global").text("name")]
        try:
            self.urge(lambda: all(_has_key(zone, name) for zone in zones), f"transit switch {name} with its key in every zone's NB")
        finally:
            self.nb.transact(ovsdb.delete("Transit_Switch", name=name))
        self.urge(lambda: not self._shows(name, zones), f"transit switch {name} to be gone everywhere")

    def urge(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition, waking the daemons by a passing change of IC_NB when nothing happens for a while.

        A daemon of releases before 24.03 whose transaction was rejected, because another zone was faster, does nothing more
        until the next event; and what it had to react to may have come while that transaction was under way.
        """
        until = time.monotonic() + PATIENCE
        while True:
            try:
                ovsdb.wait_for(self.databases, condition, what, URGE)
                return
            except WaitTimeoutError:
                if time.monotonic() > until:
                    raise WaitTimeoutError(f"waited {PATIENCE:g} s in vain: {what}\n{self.logs()}") from None
            self.nb.transact(ovsdb.set_keys("IC_NB_Global", "external_ids", {"settle": "wake up"}))
            self.nb.transact(ovsdb.drop_keys("IC_NB_Global", "external_ids", ["settle"]))

    def _shows(self, name: str, zones: Sequence[AvailabilityZone]) -> bool:
        """Whether a transit switch is still in any of these zones or, if there are any, in IC_SB."""
        switches = any(_switches(zone, name) for zone in zones)
        return switches or (bool(zones) and bool(self.sb.rows("Datapath_Binding", transit_switch=name)))


def _caretaker(directory: Path) -> subprocess.Popen[bytes]:
    """A process that waits for the end of this one, however it comes, and then ends what still runs in the directory."""
    tidy = 'cat > /dev/null; for pid in "$0"/*.pid "$0"/*/*.pid; do if [ -e "$pid" ]; then kill -9 "$(cat "$pid")"; fi; done'
    command = ["sh", "-c", f'{tidy}; [ -n "$OVN_IC_TEST_KEEP" ] || rm -rf "$0"', str(directory)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _start_all(processes: Iterable[Process]) -> None:
    processes = list(processes)
    for process in processes:
        process.launch()
    for process in processes:
        process.ready()


def _make_global_row(database: Database) -> None:
    """Every tool of OVN makes the one row of the global table on its first call; so does the harness."""
    tables = {"OVN_Northbound": "NB_Global", "OVN_Southbound": "SB_Global", "OVN_IC_Northbound": "IC_NB_Global"}
    table = tables.get(database.name, "IC_SB_Global")
    if not database.rows(table):
        database.transact(ovsdb.insert(table, {}))
        database.refresh()


def _switches(zone: AvailabilityZone, transit_switch: str) -> list[ovsdb.Row]:
    return [row for row in zone.nb.rows("Logical_Switch") if row.map("other_config").get("interconn-ts") == transit_switch]


def _has_key(zone: AvailabilityZone, transit_switch: str) -> bool:
    keys = {row.number("tunnel_key") for row in zone.interconnect.sb.rows("Datapath_Binding", transit_switch=transit_switch)}
    found = {row.map("other_config").get("requested-tnl-key") for row in _switches(zone, transit_switch)}
    return len(found) == 1 and found == {str(key) for key in keys}
