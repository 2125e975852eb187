# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the daemon's command line (spec status-F.1)."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
import yaml

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.daemon import VERSION, options
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.ovsdb.tls import Handshake
from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.tables import IC_NB, IC_SB, NB, SB

CHECKOUT = Path(__file__).resolve().parents[6]
FILES = ["--private-key=/k", "--certificate=/c", "--ca-cert=/a"]


def test_the_version_is_that_of_the_collection() -> None:
    assert yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["version"] == VERSION


def test_defaults_without_environment() -> None:
    found = options.read([], {})
    assert found.remotes == {
        NB: "unix:/var/run/ovn/ovnnb_db.sock",
        SB: "unix:/var/run/ovn/ovnsb_db.sock",
        IC_NB: "unix:/var/run/ovn/ovn_ic_nb_db.sock",
        IC_SB: "unix:/var/run/ovn/ovn_ic_sb_db.sock",
    }
    assert (found.rundir, found.unixctl, found.pidfile, found.log_file) == ("/var/run/ovn", None, None, None)
    assert not found.detach
    assert not found.monitor
    assert found.chdir
    assert found.syslog


def test_defaults_from_the_environment() -> None:
    environment = {
        "OVN_NB_DB": "tcp:10.0.0.1:6641",
        "OVN_SB_DB": "unix:/s",
        "OVN_IC_NB_DB": "tcp:10.0.0.2:6645,tcp:10.0.0.3:6645",
        "OVN_RUNDIR": "/r",
        "OVN_LOGDIR": "/l",
        "OVS_LOGDIR": "/not",
    }
    found = options.read(["--pidfile", "--log-file"], environment)
    assert found.remotes == {
        NB: "tcp:10.0.0.1:6641",
        SB: "unix:/s",
        IC_NB: "tcp:10.0.0.2:6645,tcp:10.0.0.3:6645",
        IC_SB: "unix:/r/ovn_ic_sb_db.sock",
    }
    assert (found.pidfile, found.log_file) == ("/r/ovn-ic.pid", "/l/ovn-ic.log")


@pytest.mark.parametrize(
    "environment, directory", [({"OVS_LOGDIR": "/ovs"}, "/ovs"), ({}, "/var/log/openvswitch"), ({"OVN_LOGDIR": ""}, "/var/log/openvswitch")]
)
def test_log_directory(environment: dict[str, str], directory: str) -> None:
    assert options.read(["--log-file"], environment).log_file == f"{directory}/ovn-ic.log"


def test_long_and_short_names() -> None:
    long = ["--ovnnb-db=unix:/1", "--ovnsb-db=unix:/2", "--ic-nb-db=unix:/3", "--ic-sb-db=unix:/4", "--unixctl=c", *FILES]
    short = ["-D", "unix:/1", "-d", "unix:/2", "-Iunix:/3", "-i", "unix:/4", "-u", "c", "-p/k", "-c", "/c", "-C", "/a"]
    assert options.read(long, {}) == options.read(short, {})
    assert options.read(long, {}).tls == ("/k", "/c", "/a")


def test_the_command_line_that_ovn_ctl_builds() -> None:
    """The arguments of ovn-ctl start_ic (spec deployment-H.2)."""
    words = [
        *(
            "-vconsole:emer",
            "-vsyslog:err",
            "-vfile:info",
            "--ovnnb-db=unix:/1",
            "--ovnsb-db=unix:/2",
            "--ic-nb-db=unix:/3",
            "--ic-sb-db=unix:/4",
        ),
        *("--no-chdir", "--log-file=/l/ovn-ic.log", "--pidfile=/p/ovn-ic.pid", "--detach", "--monitor", "--user=ovn:ovn"),
    ]
    found = options.read(words, {})
    assert found.verbose == ["console:emer", "syslog:err", "file:info"]
    assert (found.log_file, found.pidfile, found.user) == ("/l/ovn-ic.log", "/p/ovn-ic.pid", "ovn:ovn")
    assert found.detach
    assert found.monitor
    assert not found.chdir


def test_optional_values_stand_behind_an_equals_sign() -> None:
    found = options.read(["-v", "--pidfile=x.pid", "--log-file=x.log", "--verbose", "--verbose=dbg"], {"OVN_LOGDIR": "/l"})
    assert found.verbose == ["", "", "dbg"]
    assert (found.pidfile, found.log_file) == ("/var/run/ovn/x.pid", f"{os.getcwd()}/x.log")


def test_what_is_not_wanted_is_called_none() -> None:
    """ovn-ic(8), ``-C none`` and ``--unixctl=none``."""
    found = options.read(["-C", "none", "--unixctl=none", "--ic-sb-db=ssl:127.0.0.1:6646", *FILES[:2]], {})
    assert (found.controlled, found.handshake.verify, found.tls) == (False, False, ("/k", "/c", None))
    assert options.read([], {}).controlled
    assert options.read(FILES, {}).handshake.verify


@pytest.mark.parametrize("environment, directory", [({"OVS_RUNDIR": "/o"}, "/o"), ({"OVN_RUNDIR": "/n"}, "/var/run/openvswitch")])
def test_database_sockets_have_the_directory_of_ovs(environment: dict[str, str], directory: str) -> None:
    assert options.read([], environment).ovs_rundir == directory


def test_the_control_socket_has_that_of_ovn() -> None:
    assert options.read(["-u", "c"], {"OVN_RUNDIR": "/n"}).unixctl == "/n/c"


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--ovnnb-bd=unix:/x"], "unknown option --ovnnb-bd=unix:/x"),
        (["-x"], "unknown option -x"),
        (["start"], "unexpected argument 'start'"),
        (["--pidfile", "/x"], "unexpected argument '/x'"),
        (["-v", "dbg"], "unexpected argument 'dbg'"),
        (["--ic-sb-db"], "argument -i/--ic-sb-db: expected one argument"),
        (["--ic-sb-db=10.0.0.1:6646"], "--ic-sb-db: '10.0.0.1:6646' is not a connection method of OVSDB"),
        (["--ovnsb-db="], "--ovnsb-db: '' is not a connection method of OVSDB"),
        (["--ic-sb-db=tcp:10.0.0.1:6646,udp:1:1"], "--ic-sb-db: 'udp:1:1' is not a connection method of OVSDB"),
        (["--ic-sb-db=tcp:1:1,ssl:10.0.0.1:6646", *FILES[:2]], "a remote with ssl: needs --private-key, --certificate and --ca-cert"),
        (["--ic-sb-db=pssl:6646"], "--ic-sb-db: 'pssl:6646' waits for connections"),
        (["--ovnnb-db=ptcp:6641:127.0.0.1"], "--ovnnb-db: 'ptcp:6641:127.0.0.1' waits for connections"),
        (["--ic-sb-db=tcp:1.2.3.4"], "--ic-sb-db: 'tcp:1.2.3.4': '1.2.3.4' is not in the form HOST:PORT"),
        (["--ovnnb-db=tcp::6641"], "--ovnnb-db: 'tcp::6641': ':6641' is not in the form HOST:PORT"),
        (["--ic-nb-db=unix:/x,tcp:127.0.0.1:notaport"], "--ic-nb-db: 'tcp:127.0.0.1:notaport': 'notaport' is not a valid port"),
        (["--ic-nb-db=ssl:127.0.0.1:99999999"], "--ic-nb-db: 'ssl:127.0.0.1:99999999': '99999999' is not a valid port"),
        (["--ssl-protocols=TLSv1.4"], "--ssl-protocols: 'TLSv1.4' is not a list or range of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
        (["--ssl-ciphers=junk"], "--ssl-ciphers: the TLS library does not support any cipher of junk"),
        (["--ssl-ciphersuites=junk"], "--ssl-ciphersuites: "),
        (["--dump-inc-proc-graph=junk"], "--dump-inc-proc-graph: 'junk' is not a part of the engine; use one of zones gateways "),
    ],
)
def test_what_it_does_not_understand_ends_with_status_2_and_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Upstream starts with unknown options and ignores arguments (spec status-F.1); here both end with status 2."""
    with pytest.raises(SystemExit) as ended:
        options.read(words, {})
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.out == ""
    assert said.err.startswith(f"ovn-ic: {sentence}")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    "word, part", [("-h", "--ovnnb-db"), ("--help", "/r%s/ovnsb_db.sock"), ("-V", VERSION), ("--version", "ovn-ic "), ("-o", "-D ARG")]
)
def test_what_only_tells(word: str, part: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        options.read([word], {"OVN_RUNDIR": "/r%s"})
    assert ended.value.code == 0
    assert part in capsys.readouterr().out


@pytest.mark.parametrize("word, others", [("--dump-inc-proc-graph", True), ("--dump-inc-proc-graph=gateways", False)])
def test_the_graph_shows_what_each_subject_reads(word: str, others: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        options.read([word], {})
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert '"OVN_Southbound.Chassis" -> "gateways";' in shown
    assert ('"OVN_IC_Southbound.Route" -> "learned_routes";' in shown) is others


@pytest.mark.parametrize(
    "text, lowest, highest",
    [
        ("TLSv1.2", ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
        ("TLSv1.2+", ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED),
        ("TLSv1.1-TLSv1.3", ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_3),
        ("TLSv1.3,TLSv1.2", ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
        ("", ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_versions_of_tls_are_a_range_or_a_list(text: str, lowest: ssl.TLSVersion, highest: ssl.TLSVersion) -> None:
    handshake = options.read([f"--ssl-protocols={text}", "--ssl-server-name=ic"], {}).handshake
    assert handshake == Handshake(lowest, highest, server_name="ic")


def test_options_lists_every_option_of_the_spec(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options.read(["--options"], {})
    listed = capsys.readouterr().out.splitlines()
    wanted = "unixctl=ARG help options version detach monitor no-chdir pidfile=[ARG] overwrite-pidfile user=ARG no-self-confinement"
    wanted += " verbose=[ARG] log-file=[ARG] syslog-method=ARG syslog-target=ARG private-key=ARG certificate=ARG ca-cert=ARG"
    wanted += " dump-inc-proc-graph=[ARG] ssl-protocols=ARG ssl-ciphers=ARG ssl-ciphersuites=ARG ssl-server-name=ARG"
    assert {f"--{name}" for name in wanted.split()} <= set(listed)


@pytest.mark.parametrize("arguments, seconds", [([], 10.0), (["--handover-timeout=2.5"], 2.5), (["--handover-timeout", "0"], 0.0)])
def test_the_time_until_a_handover(arguments: list[str], seconds: float) -> None:
    assert options.read(arguments, {}).handover_seconds == seconds


@pytest.mark.parametrize("value", ["soon", "-1", "0.5", "inf", "nan"])
def test_a_time_until_a_handover_that_cannot_be(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        options.read([f"--handover-timeout={value}"], {})
    assert end.value.code == 2
    assert f"--handover-timeout: {value!r} is not a number of seconds; use 1 or more, or 0 for never" in capsys.readouterr().err
