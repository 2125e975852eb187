# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon as a process beside real servers: control socket, files, signals, log (spec status-F)."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.tests.support.rpc import PATIENCE, JsonRpc, RpcError
from ansible_collections.ovn.interconnect.tests.support.servers import (
    CHECKOUT,
    AvailabilityZone,
    SyncDaemon,
)

from .one_zone import rename, started, wait

PROGRAM = [sys.executable, str(CHECKOUT / "scripts/ovn-ic")]


@contextmanager
def watched(daemon: SyncDaemon) -> Iterator[int]:
    """The daemon's pid, and at the end of the block its end is waited for."""
    assert daemon.pid is not None
    descriptor = os.pidfd_open(daemon.pid)
    try:
        yield daemon.pid
        assert select.select([descriptor], [], [], PATIENCE)[0], "the daemon goes on"
    finally:
        os.close(descriptor)


def wakes(daemon: SyncDaemon) -> int:
    """How often the daemon's process has slept and woken since it started."""
    status = Path(f"/proc/{daemon.pid}/status").read_text()
    return int(status.partition("voluntary_ctxt_switches:")[2].split()[0])


def test_it_registers_the_zone_and_says_so(zone: AvailabilityZone) -> None:
    """A daemon that has the lock and all databases registers its zone and is active (spec status-F-1)."""
    assert started(zone).status() == "active"


@pytest.mark.ours("23.03 has no such commands")
def test_connection_status(zone: AvailabilityZone) -> None:
    daemon = started(zone)
    for database in ("nb", "sb", "ic-nb", "ic-sb"):
        assert daemon.appctl(f"{database}-connection-status") == "connected"


@pytest.mark.ours("upstream's tells it at each attempt")
def test_it_tells_once_that_a_server_has_another_database(zone: AvailabilityZone) -> None:
    zone.daemon.arguments = [*zone.daemon.arguments, f"--ic-nb-db=unix:{zone.sb_server.socket}"]
    zone.daemon.start()
    words = f"the server at unix:{zone.sb_server.socket} has no database OVN_IC_Northbound"
    wait(lambda: words in zone.daemon.appctl("skipped/show"), zone.daemon)
    wait(lambda: zone.daemon.log.read_text().count(f"{zone.sb_server.socket}: connected") >= 4, zone.daemon)
    assert zone.daemon.log.read_text().count(words) == 1


def test_it_starts_and_answers_without_any_database(zone: AvailabilityZone) -> None:
    """A daemon that reaches no database is not active (spec status-F-1)."""
    ic = zone.interconnect
    for server in (zone.northd, zone.nb_server, zone.sb_server, ic.nb_server, ic.sb_server):
        server.stop()
    zone.daemon.start()
    assert zone.daemon.status() == "standby"
    zone.daemon.pause()
    assert zone.daemon.status() == "paused"
    zone.daemon.resume()
    ic.start()
    rename(zone, "back")
    assert zone.daemon.status() == "active"


@pytest.mark.parametrize("frozen", ["nb", "sb", "ic-nb", "ic-sb", "all"])
def test_it_answers_while_servers_hang(zone: AvailabilityZone, frozen: str) -> None:
    daemon, ic = started(zone), zone.interconnect
    servers = [s for s in (zone.nb_server, zone.sb_server, ic.nb_server, ic.sb_server) if frozen in (s.name, "all")]
    for server in servers:
        server.freeze()
    try:
        assert daemon.status() == "active"
        daemon.pause()
        assert daemon.status() == "paused"
        daemon.resume()
    finally:
        for server in servers:
            server.thaw()
    rename(zone, "thawed")
    assert daemon.status() == "active"


def test_it_starts_and_answers_while_all_servers_hang(zone: AvailabilityZone) -> None:
    ic = zone.interconnect
    servers = [zone.nb_server, zone.sb_server, ic.nb_server, ic.sb_server]
    for server in servers:
        server.freeze()
    try:
        zone.daemon.start()
        assert zone.daemon.status() == "standby"
        zone.daemon.pause()
        assert zone.daemon.status() == "paused"
        zone.daemon.resume()
    finally:
        for server in servers:
            server.thaw()
    rename(zone, "thawed")


@pytest.mark.ours("23.03 ends when IC_SB restarts after the zone was renamed")
def test_each_server_may_restart(zone: AvailabilityZone) -> None:
    """A lost connection is made again, whichever it is (spec status-F-5)."""
    daemon, ic = started(zone), zone.interconnect
    for server in (zone.nb_server, zone.sb_server, ic.nb_server, ic.sb_server):
        server.stop()
        server.start()
        rename(zone, f"after-{server.name}")
    assert daemon.status() == "active"


def test_pid_file_and_control_socket_exist_when_detach_returns(zone: AvailabilityZone) -> None:
    zone.daemon.launch()
    assert zone.daemon._starting is not None
    assert zone.daemon._starting.wait() == 0
    assert zone.daemon.pidfile.exists()
    assert zone.daemon.control_socket.exists()
    zone.daemon.ready()


def test_the_pid_file_is_locked_by_the_process_that_it_names_and_goes_with_it(zone: AvailabilityZone) -> None:
    daemon = started(zone)
    with daemon.pidfile.open("r+") as file, pytest.raises(OSError, match="Resource temporarily unavailable"):
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    inode = daemon.pidfile.stat().st_ino
    locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    assert [words[4] for words in locks if words[5].endswith(f":{inode}")] == [str(daemon.pid)]
    again = [*daemon.command, *daemon.arguments, "--detach", f"--pidfile={daemon.pidfile}", "-vconsole:off"]
    done = subprocess.run(again, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"already running as pid {daemon.pid}" in done.stderr
    assert daemon.status() == "active"


@pytest.mark.parametrize("end", ["exit", "SIGTERM", "SIGINT"])
def test_its_files_go_when_it_ends(zone: AvailabilityZone, end: str) -> None:
    daemon = started(zone)
    with watched(daemon) as pid:
        if end == "exit":
            daemon.appctl("exit")
        else:
            os.kill(pid, signal.Signals[end])
    assert not daemon.pidfile.exists()
    assert not daemon.control_socket.exists()


@pytest.mark.ours("upstream's ends by this signal")
def test_a_hangup_opens_the_log_anew(zone: AvailabilityZone) -> None:
    daemon = started(zone)
    daemon.log.rename(daemon.log.with_suffix(".1"))
    os.kill(daemon.pid or 0, signal.SIGHUP)
    wait(daemon.log.exists, daemon)
    daemon.appctl("pause")
    assert "paused" in daemon.log.read_text()


def test_its_usual_names_are_those_that_ovn_appctl_looks_for(zone: AvailabilityZone) -> None:
    directory = zone.directory
    environment = {**os.environ, "OVN_RUNDIR": str(directory), "OVS_RUNDIR": str(directory), "OVN_LOGDIR": str(directory)}
    run = [*zone.daemon.command, *zone.daemon.arguments, "--detach", "--pidfile", "--log-file", "-vconsole:off"]
    subprocess.run(run, env=environment, check=True)
    zone.daemon.pid = int((directory / "ovn-ic.pid").read_text())
    assert (directory / f"ovn-ic.{zone.daemon.pid}.ctl").exists()
    rename(zone, "named")
    ask = ["ovn-appctl", "-t", "ovn-ic", "status"]
    said = subprocess.run(ask, env=environment, check=True, capture_output=True, text=True).stdout
    assert said.splitlines()[0] == "Status: active"


@pytest.mark.ours("upstream leaves the sockets of dead processes forever")
def test_sockets_of_dead_daemons_are_removed_at_the_next_start(zone: AvailabilityZone) -> None:
    directory, environment = zone.directory, {**os.environ, "OVN_RUNDIR": str(zone.directory), "OVS_RUNDIR": str(zone.directory)}

    def sockets() -> list[str]:
        return sorted(path.name for path in directory.glob("ovn-ic.*.ctl"))

    def start(pidfile: str) -> int:
        """One more daemon with a control socket of the usual name."""
        run = [*zone.daemon.command, *zone.daemon.arguments, "--detach", f"--pidfile={pidfile}", "-vconsole:off"]
        subprocess.run(run, env=environment, check=True)
        return int((directory / pidfile).read_text())

    first, second = zone.second_daemon("first"), zone.second_daemon("second")
    first.pid, second.pid = start("first.pid"), start("second.pid")
    alive, dead = second.pid, first.pid
    first.kill()
    (directory / "ovn-ic.by-hand.ctl").touch()
    assert sockets() == sorted(["ovn-ic.by-hand.ctl", f"ovn-ic.{alive}.ctl", f"ovn-ic.{dead}.ctl"])
    zone.daemon.pid = start("ovn-ic.pid")
    assert sockets() == sorted(["ovn-ic.by-hand.ctl", f"ovn-ic.{alive}.ctl", f"ovn-ic.{zone.daemon.pid}.ctl"])


@pytest.mark.ours("upstream's has no guard")
def test_all_kinds_of_commands_answer(zone: AvailabilityZone) -> None:
    daemon = started(zone)
    assert daemon.appctl("version").startswith("ovn-ic ")
    assert "  guard/release" in daemon.appctl("list-commands").splitlines()
    assert daemon.appctl("guard/show") == "nothing is withheld"
    assert int(daemon.appctl("coverage/read-counter", "txn_sent")) > 0
    assert "OVN_IC_Southbound-rows:" in daemon.appctl("memory/show")
    assert "ovn_ic" in daemon.appctl("vlog/list")


def test_a_monitor_starts_it_again(zone: AvailabilityZone) -> None:
    zone.daemon.arguments = [*zone.daemon.arguments, "--monitor"]
    daemon = started(zone)
    with watched(daemon) as before:
        os.kill(before, signal.SIGSEGV)
    rename(zone, "again")
    daemon.pid = int(daemon.pidfile.read_text())
    assert daemon.pid != before
    assert daemon.status() == "active"


def test_what_a_monitor_has_started_logs_where_the_log_is_now(zone: AvailabilityZone) -> None:
    zone.daemon.arguments = [*zone.daemon.arguments, "--monitor"]
    daemon = started(zone)
    daemon.log.rename(daemon.log.with_suffix(".1"))
    with watched(daemon) as before:
        os.kill(before, signal.SIGSEGV)
    rename(zone, "again")
    daemon.pid = int(daemon.pidfile.read_text())
    assert "this instance is active now" in daemon.log.read_text()


@pytest.mark.ours("upstream's cannot be made to die there")
@pytest.mark.parametrize("options", [[], ["--monitor"]])
@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_daemon_that_ends_before_it_is_ready_is_no_success(tmp_path: Path, options: list[str], end: str) -> None:
    folder = CHECKOUT / "plugins/module_utils"
    script = f"import os, signal, sys; sys.path.insert(0, {str(folder)!r})\nfrom interconnect.daemon import options, process"
    script += f"\nprocess.begin(options.read(sys.argv[1:]))\n{end}"
    run = [sys.executable, "-c", script, "--detach", f"--pidfile={tmp_path}/pid", "-vconsole:off", *options]
    assert subprocess.run(run, stderr=subprocess.DEVNULL).returncode == 1


@pytest.mark.parametrize("options", [[], ["--monitor"]])
def test_its_processes_have_the_name_that_ovn_ctl_looks_for(zone: AvailabilityZone, options: list[str]) -> None:
    zone.daemon.arguments = [*zone.daemon.arguments, *options]
    zone.daemon.start()
    process = Path(f"/proc/{zone.daemon.pid}")
    parent = (process / "stat").read_text().split()[3]
    names = [(one / "comm").read_text() for one in (process, Path(f"/proc/{parent}"))]
    assert names[: 1 + len(options)] == ["ovn-ic\n"] * (1 + len(options))


def test_an_idle_daemon_wakes_only_to_question_its_databases(zone: AvailabilityZone) -> None:
    """Active or standby: one timer and at most four answers for each of the questions, of which at most three fall into nine seconds."""
    active, standby, paused = started(zone), zone.second_daemon("standby"), zone.second_daemon("paused")
    standby.start()
    paused.start()
    paused.pause()
    rename(zone, "settled")
    daemons = (active, standby, paused)
    assert [daemon.status() for daemon in daemons] == ["active", "standby", "paused"]
    time.sleep(0.5)  # the answers are on their way
    before = [wakes(daemon) for daemon in daemons]
    time.sleep(9)  # nothing happens, there is no event to wait for
    woken = [after - begin for begin, after in zip(before, map(wakes, daemons))]
    assert max(woken[:2]) <= 15, woken
    assert woken[2] <= 1, woken  # a paused daemon has no lock to lose, so it asks nothing


@pytest.mark.ours("upstream starts nevertheless")
def test_unknown_options_end_with_status_2() -> None:
    done = subprocess.run([*PROGRAM, "--no-such-option"], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.ours("upstream's is a binary")
def test_without_the_library_it_says_so_in_one_sentence() -> None:
    done = subprocess.run([sys.executable, "-S", *PROGRAM[1:]], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "library ovs is missing" in done.stderr


@pytest.mark.ours("upstream's is a binary")
def test_it_runs_as_a_package_copied_elsewhere(zone: AvailabilityZone, tmp_path: Path) -> None:
    """What the role installs: the folder alone, imported as a top-level package."""
    (tmp_path / "interconnect").symlink_to(CHECKOUT / "plugins/module_utils/interconnect")
    done = subprocess.run(
        [sys.executable, "-c", "from interconnect.daemon.main import main; raise SystemExit(main())", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("ovn-ic (ovn.interconnect) ")


@pytest.mark.ours("upstream's has other words")
def test_a_log_that_cannot_be_opened_anew_is_no_end(zone: AvailabilityZone) -> None:
    directory = zone.directory / "logs"
    directory.mkdir()
    zone.daemon.arguments = [*zone.daemon.arguments, f"--log-file={directory}/log"]
    daemon = started(zone)
    directory.rename(zone.directory / "gone")
    with pytest.raises(RpcError, match="No such file or directory; logging continues to the previous file"):
        daemon.appctl("vlog/reopen")
    os.kill(daemon.pid or 0, signal.SIGHUP)
    wait(lambda: "failed to open" in (zone.directory / "gone" / "log").read_text(), daemon)
    rename(zone, "after")


@pytest.mark.ours("upstream's has other words")
def test_logging_can_be_changed_while_it_runs(zone: AvailabilityZone) -> None:
    daemon = started(zone)
    for wrong in ("FACILITY", "FACILITY:unicorns", "PATTERN:file", "unicorns"):
        with pytest.raises(RpcError):
            daemon.appctl("vlog/set", wrong)
    with pytest.raises(RpcError, match="unknown module"):
        daemon.appctl("vlog/enable-rate-limit", "unicorns")
    daemon.appctl("vlog/set", "PATTERN:file:%D{[}|%05N|%m", "FACILITY:clock2", "ovsdb_cs,file")
    daemon.pause()
    assert re.search(r"^\[\|\d{5}\|this instance is paused now$", daemon.log.read_text(), re.MULTILINE)


@pytest.mark.ours("upstream's reads some of them")
def test_no_words_at_its_control_socket_end_it(zone: AvailabilityZone) -> None:
    ask = '{"id": 0, "method": %s, "params": %s}'
    words = [
        ask % ('"vlog/set"', f"[{json.dumps(spec)}]")
        for spec in ("\udcff", "PATTERN:file:%D{\udcff}", "PATTERN:file:%D{\0}", "\xff", "\U0001f984")
    ]
    words += [ask % pair for pair in (('"vlog/set"', "[1]"), ('"status"', "{}"), ("7", "[]"), ('"unicorns"', "[]"))]
    daemon = started(zone)
    for said in [*words, "garbage", "[1, 2]", "[" * 100_000, "\0", "{}{}"]:
        with socket.socket(socket.AF_UNIX) as near:
            near.settimeout(PATIENCE)
            near.connect(str(daemon.control_socket))
            with suppress(BrokenPipeError):
                near.sendall(said.encode())
            near.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                near.recv(4096)
        assert daemon.status() == "active"


def test_its_log_looks_like_upstreams(zone: AvailabilityZone) -> None:
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\|\d{5}\|\w+\|[A-Z]+\|.+")
    lines = started(zone).log.read_text().splitlines()
    assert [line for line in lines if not form.fullmatch(line)] == []
    assert "|00001|vlog|INFO|opened log file" in lines[0]
    assert [int(line.split("|")[1]) for line in lines] == list(range(1, len(lines) + 1))


@contextmanager
def in_foreground(*options: str) -> Iterator[Path]:
    """A daemon without databases in a directory of its own, in which it runs until the end of the block. Its words are in ``said``."""
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "OVN_RUNDIR": directory, "OVS_RUNDIR": directory}
        with (Path(directory) / "said").open("wb") as said:
            process = subprocess.Popen([*PROGRAM, *options], cwd=directory, env=environment, stderr=said)
        try:
            deadline = time.monotonic() + PATIENCE
            while not list(Path(directory).glob("*.ctl")):
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.02)
            yield Path(directory)
        finally:
            process.terminate()
            process.wait()


def ask(directory: Path, command: str) -> str:
    """What the daemon there answers."""
    (control,) = directory.glob("*.ctl")
    connection = JsonRpc(control)
    try:
        return str(connection.request(command, []))
    finally:
        connection.close()


@pytest.mark.ours("upstream's has no such warning")
@pytest.mark.parametrize("option, times", [("-vconsole:warn", 1), ("-vconsole:off", 0)])
def test_what_it_tells_the_console_is_there_once(option: str, times: int) -> None:
    with in_foreground(option, "--syslog-method=null", "--ic-sb-db=tcp:unicorns.invalid:1") as directory:
        deadline = time.monotonic() + PATIENCE
        while "cannot be resolved" not in ask(directory, "skipped/show"):
            assert time.monotonic() < deadline
        assert (directory / "said").read_text().count("unicorns.invalid:1: the name of its host cannot be resolved") == times


@pytest.mark.ours("upstream's says it in the way of its log")
def test_a_log_that_cannot_be_opened_is_no_start(tmp_path: Path) -> None:
    command = [*PROGRAM, "--detach", f"--log-file={tmp_path}/nowhere/log", f"--pidfile={tmp_path}/pid"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OVN_RUNDIR": str(tmp_path)})
    assert (done.returncode, done.stderr) == (1, f"ovn-ic: cannot log to {tmp_path}/nowhere/log (No such file or directory)\n")


@pytest.mark.ours("upstream's ends with status 1")
@pytest.mark.parametrize("spec", ["FACILITY", "PATTERN:file", "unicorns"])
def test_a_specification_that_cannot_be_followed_is_no_start(spec: str) -> None:
    done = subprocess.run([*PROGRAM, f"-v{spec}"], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.ours("upstream tries forever")
@pytest.mark.parametrize("remote", ["tcp:1.2.3.4", "tcp:127.0.0.1:port", "tcp:127.0.0.1:99999999", "tcp::6641"])
def test_a_remote_that_names_no_server_is_no_start(remote: str, tmp_path: Path) -> None:
    run = [*PROGRAM, "--detach", f"--pidfile={tmp_path}/pid", f"--ovnnb-db=unix:/x,{remote}"]
    done = subprocess.run(run, capture_output=True, text=True, env={**os.environ, "OVN_RUNDIR": str(tmp_path)})
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_it_works_without_a_control_socket(zone: AvailabilityZone) -> None:
    zone.daemon.arguments = [*zone.daemon.arguments, "--unixctl=none"]
    started(zone)
    assert not list(zone.directory.glob("*none*"))
    assert not zone.daemon.control_socket.exists()


def test_relative_names_of_files(zone: AvailabilityZone, tmp_path: Path) -> None:
    """A log file is where the daemon is called, a database's socket in the directory of OVS, the rest in that of OVN."""
    run = [*zone.daemon.command, *zone.daemon.arguments, "--ovnnb-db=unix:nb.sock", "--log-file=here.log", "--pidfile=p", "--unixctl=c"]
    (tmp_path / "ovn").mkdir()
    environment = {**os.environ, "OVN_RUNDIR": str(tmp_path / "ovn"), "OVS_RUNDIR": str(zone.directory)}
    subprocess.run([*run, "--detach", "-vconsole:off"], env=environment, check=True, cwd=tmp_path)
    zone.daemon.pid = int((tmp_path / "ovn" / "p").read_text())
    rename(zone, "found")
    assert (tmp_path / "ovn" / "c").is_socket()
    assert (tmp_path / "here.log").exists()


@pytest.mark.ours("upstream's repeats a refused transaction without a pause")
def test_a_server_that_becomes_writable_is_written_at_the_next_attempt(zone: AvailabilityZone) -> None:
    """A server that copies another one is read-only. Its clients stay connected when it is promoted, and get no message."""
    ic = zone.interconnect
    ic.sb_server.stop()
    writable = ic.sb_server.arguments
    ic.sb_server.arguments = [*writable, "--sync-from=unix:/nowhere.sock"]
    ic.sb_server.start()
    zone.daemon.start()
    wait(lambda: "read only mode" in zone.daemon.appctl("skipped/show"), zone.daemon)
    ic.sb_server.appctl("ovsdb-server/disconnect-active-ovsdb-server")
    ic.wait(lambda: ic.sb.find("Availability_Zone", name="az1"), "the zone to register")
    wait(lambda: "read only mode" not in zone.daemon.appctl("skipped/show"), zone.daemon)
