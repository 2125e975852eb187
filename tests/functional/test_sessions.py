# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that a module cannot use are refused at once, with what to do: no test here waits for the timeout, which is ten minutes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from ansible_collections.ovn.interconnect.plugins.module_utils._ansible import synchronization
from ansible_collections.ovn.interconnect.plugins.module_utils._ansible.session import Session, wait_for
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.change import Change, insert
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.operations.errors import ModuleError
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.columns import declare
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.replica import Replica, Tls
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.sync.pairing import COLUMNS
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, NB, SB
from ansible_collections.ovn.interconnect.tests.support import ovsdb
from ansible_collections.ovn.interconnect.tests.support.rpc import PATIENCE
from ansible_collections.ovn.interconnect.tests.support.servers import Interconnect, Process, Server, suite

DATABASES = {IC_NB: declare(IC_NB, {"Transit_Switch": "name"}), IC_SB: declare(IC_SB, {"Availability_Zone": "name"})}
SCHEMAS = {IC_NB: "ovn-ic-nb.ovsschema", IC_SB: "ovn-ic-sb.ovsschema"}
PATIENT = 600.0
NOBODY = 65534

Start = Callable[[Process], Process]
Make = Callable[..., Interconnect]


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory with a short name, as sockets need it."""
    with tempfile.TemporaryDirectory(prefix="ovn-ic-") as path:
        yield Path(path)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts processes, which are ended with the test."""
    started: list[Process] = []

    def one(process: Process) -> Process:
        started.append(process)
        process.start()
        return process

    yield one
    for process in reversed(started):
        process.stop()


def server(start: Start, directory: Path, name: str = IC_NB) -> Server:
    made = Server(name, directory, suite("host").schemas / SCHEMAS[name], name)
    start(made)
    return made


def beside(start: Start, directory: Path, name: str, *arguments: str) -> str:
    """Another ovsdb-server with these arguments; where it listens."""
    listens = directory / f"{name}.sock"
    start(Process(name, directory, suite("host").command("ovsdb-server"), [f"--remote=punix:{listens}", *arguments]))
    return f"unix:{listens}"


def opened(remotes: dict[str, str], only_read: Sequence[str] = ()) -> Session:
    session = Session({name: (DATABASES[name], remote) for name, remote in remotes.items()}, Tls(), PATIENT, only_read=only_read)
    try:
        session.load()
    except BaseException:
        session.close()
        raise
    return session


def switch(session: Session, name: str = "ts1") -> list[Change]:
    return [insert(session.stores[IC_NB], "Transit_Switch", {"name": name}, record=name, reason="wanted")]


def test_a_control_socket_is_not_taken_for_a_database(start: Start, directory: Path) -> None:
    made = server(start, directory)
    with pytest.raises(ModuleError) as caught:
        opened({IC_NB: f"unix:{made.control_socket}"})
    assert str(caught.value) == (
        f"OVN_IC_Northbound cannot be used (unix:{made.control_socket}: it is the control socket of a daemon,"
        " not a database server); set ic_nb_db to the socket of the database, such as unix:/var/run/ovn/ovn_ic_nb_db.sock"
    )


def test_servers_without_the_database_are_refused_when_each_has_answered(start: Start, directory: Path) -> None:
    made = server(start, directory, IC_SB)
    with pytest.raises(ModuleError, match=r"it has no database OVN_IC_Northbound .*; set ic_nb_db to the address of a server"):
        opened({IC_NB: f"unix:{made.socket},unix:{made.socket}"})


def test_a_socket_that_the_user_may_not_open(start: Start, directory: Path) -> None:
    made = server(start, directory)
    made.socket.chmod(0)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        words = "no failure"
        try:
            if os.geteuid() == 0:
                os.setuid(NOBODY)
            opened({IC_NB: f"unix:{made.socket}"})
        except BaseException as error:
            words = str(error)
        os.write(writer, words.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        words = answer.read()
    os.waitpid(child, 0)
    assert words.startswith(f"OVN_IC_Northbound cannot be used (unix:{made.socket}: Permission denied); the user ")
    assert words.endswith("may not open the socket: run the task with become, or as a user in the group of the socket")


def test_a_relay_is_for_modules_that_only_read(start: Start, directory: Path) -> None:
    made = server(start, directory)
    made.database.transact(ovsdb.insert("Transit_Switch", {"name": "ts1"}))
    relay = beside(start, directory, "relay", f"relay:{IC_NB}:unix:{made.socket}")
    session = opened({IC_NB: relay}, only_read=[IC_NB])
    assert [row["name"] for row in session.stores[IC_NB].rows("Transit_Switch")] == ["ts1"]
    session.close()
    with pytest.raises(ModuleError, match=r"it is a relay, .*; name the servers of the cluster itself in ic_nb_db; only a database that"):
        opened({IC_NB: relay})


def test_a_server_that_cannot_serve_the_database_yet_is_waited_for(start: Start, directory: Path) -> None:
    relay = beside(start, directory, "relay", f"relay:{IC_NB}:unix:{directory / 'nowhere.sock'}")
    session = Session({IC_NB: (DATABASES[IC_NB], relay)}, Tls(), 1.0, only_read=[IC_NB])
    try:
        with pytest.raises(ModuleError, match=r"was not reached within 1 s \(unix:.*: it cannot serve OVN_IC_Northbound yet"):
            session.load()
    finally:
        session.close()


def test_a_replica_is_not_synchronized_while_its_conditions_change_or_its_server_is_down(start: Start, directory: Path) -> None:
    """A row that leaves a condition looks like a deleted row: nothing may be planned until the server has confirmed the change."""
    process = server(start, directory)
    process.database.transact(ovsdb.insert("Transit_Switch", {"name": "ts1"}))
    replica = Replica(DATABASES[IC_NB], f"unix:{process.socket}")
    assert not replica.synced
    assert wait_for([replica], lambda: replica.synced, PATIENCE)
    replica.want("Transit_Switch", [["name", "==", "ts2"]])
    assert not replica.synced
    assert wait_for([replica], lambda: replica.synced, PATIENCE)
    assert replica.store.count("Transit_Switch") == 0
    replica.want("Transit_Switch", [["name", "==", "ts2"]])
    assert replica.synced
    process.stop()
    assert wait_for([replica], lambda: not replica.synced, PATIENCE)
    process.start()
    assert wait_for([replica], lambda: replica.synced, PATIENCE)
    replica.close()
    assert not replica.synced


def test_a_read_only_server_is_refused_in_both_modes(start: Start, directory: Path) -> None:
    made = server(start, directory)
    backup = Server("backup", directory, suite("host").schemas / SCHEMAS[IC_NB], IC_NB)
    backup.arguments = [f"--sync-from=unix:{made.socket}", *backup.arguments]
    start(backup)
    session = opened({IC_NB: f"unix:{backup.socket}"})
    wanted = switch(session)
    rehearsed, committed = session.rehearse(wanted), session.commit(wanted)
    assert rehearsed is not None
    assert rehearsed.startswith("OVN_IC_Northbound rejected it: not allowed")
    assert committed.refusal is not None
    assert committed.refusal.startswith("OVN_IC_Northbound rejected it: not allowed")
    assert session.written == []
    session.close()


def test_a_rehearsal_writes_nothing(start: Start, directory: Path) -> None:
    made = server(start, directory)
    session = opened({IC_NB: f"unix:{made.socket}"})
    before = made.file.read_bytes()
    assert session.rehearse(switch(session)) is None
    assert made.file.read_bytes() == before
    assert session.commit(switch(session)).refusal is None
    assert [change.record for change in session.written] == ["ts1"]
    session.close()


def test_what_one_database_has_taken_is_known_when_another_refuses(start: Start, directory: Path) -> None:
    south, north = server(start, directory, IC_SB), server(start, directory)
    north.database.transact(ovsdb.insert("Transit_Switch", {"name": "ts1"}))
    session = opened({IC_NB: f"unix:{north.socket}", IC_SB: f"unix:{south.socket}"})
    zone = insert(session.stores[IC_SB], "Availability_Zone", {"name": "az1"}, record="az1", reason="wanted")
    result = session.commit([*switch(session), zone])
    assert result.refusal is not None
    assert "constraint violation" in result.refusal
    assert session.written == [zone]
    session.close()


def test_databases_of_two_zones_are_refused(make: Make) -> None:
    interconnect = make("az1", "az2", daemons=False)
    one, two = interconnect.zones
    for zone in (one, two):
        zone.nb.transact(ovsdb.insert("Logical_Switch", {"name": "pods"}))
        zone.northd_sync()
    remotes = {
        NB: one.nb_server.remote,
        SB: two.sb_server.remote,
        IC_NB: interconnect.nb_server.remote,
        IC_SB: interconnect.sb_server.remote,
    }
    declared = {name: declare(name, COLUMNS[name]) for name in (NB, SB)}

    def load(pair: dict[str, str]) -> None:
        session = Session({name: (declared[name], pair[name]) for name in declared}, Tls(), PATIENT)
        try:
            session.load()
        finally:
            session.close()

    load({NB: one.nb_server.remote, SB: one.sb_server.remote})
    with pytest.raises(ModuleError, match=r"of zone 'az1'.*set nb_db and sb_db to the databases of one zone"):
        load(remotes)
    with pytest.raises(ModuleError, match="does not belong to the same zone as OVN_Northbound of zone 'az1'"):
        synchronization.plan(remotes, PATIENT)
    with pytest.raises(ModuleError, match="does not belong to the same zone as OVN_Northbound of zone 'az1'"):
        synchronization.apply(remotes, PATIENT, True, PATIENT, [])


def test_an_empty_and_a_filling_southbound_database_are_never_refused(make: Make) -> None:
    (zone,) = make("az1", daemons=False).zones
    zone.nb.transact(ovsdb.insert("Logical_Switch", {"name": "pods"}))
    zone.northd_sync()
    zone.northd.stop()
    zone.sb_server.stop()
    zone.sb_server.create(zone.suite.schemas / "ovn-sb.ovsschema")
    zone.sb_server.start()
    declared = {name: declare(name, COLUMNS[name]) for name in (NB, SB)}
    pair = {NB: zone.nb_server.remote, SB: zone.sb_server.remote}
    session = Session({name: (declared[name], pair[name]) for name in declared}, Tls(), PATIENT)
    session.load()
    zone.northd.start()
    assert session.wait(lambda: session.stores[SB].count("Datapath_Binding") > 0, PATIENT)
    session.load()
    session.close()
