# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the daemon (spec status-F.1)."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from ..ovsdb import resolve
from ..ovsdb.client import IMPORT_ERROR
from ..ovsdb.replica import Tls
from ..ovsdb.server_rotation import split
from ..ovsdb.tls import Handshake
from ..subjects import all_subjects
from ..sync.zone_sync import HANDOVER_SECONDS
from ..tables import IC_NB, IC_SB, NB, SB
from . import PROGRAM, VERSION
from .graph import dot

_REMOTES = (
    (NB, "ovnnb_db", "--ovnnb-db", "-D", "OVN_NB_DB", "ovnnb_db.sock"),
    (SB, "ovnsb_db", "--ovnsb-db", "-d", "OVN_SB_DB", "ovnsb_db.sock"),
    (IC_NB, "ic_nb_db", "--ic-nb-db", "-I", "OVN_IC_NB_DB", "ovn_ic_nb_db.sock"),
    (IC_SB, "ic_sb_db", "--ic-sb-db", "-i", "OVN_IC_SB_DB", "ovn_ic_sb_db.sock"),
)
_METHODS = ("unix:", "tcp:", "ssl:")
#: Connection methods with which upstream's daemon waits for a server. The library does not support this with TLS, and
#: uses another syntax without TLS.
_PASSIVE = ("punix:", "ptcp:", "pssl:")
_HANDSHAKE = {
    "--ssl-protocols": "protocols",
    "--ssl-ciphers": "ciphers",
    "--ssl-ciphersuites": "suites",
    "--ssl-server-name": "server_name",
}
#: Options whose value is optional and, as with getopt, only accepted after "=".
_OPTIONAL = {
    "--pidfile": "--pidfile=",
    "--log-file": "--log-file=",
    "--verbose": "--verbose=",
    "-v": "--verbose=",
    "--dump-inc-proc-graph": "--dump-inc-proc-graph=",
}


#: The output of the control command ``status``. First the default, which is upstream's format since 26.09, then that of
#: earlier releases.
_STATUS_FORMATS = ("two-lines", "one-line")
_STATUS_VARIABLE = "OVN_IC_STATUS_FORMAT"

#: The shortest time that is accepted, in seconds. A cluster needs about that long to elect a leader.
_LEAST_SECONDS = 1

#: The value in ovn-ic(8) for a file that is not wanted.
_NONE = "none"


class Options(NamedTuple):
    """The settings from the command line and the environment."""

    #: Database name (schema.NB, …) -> connection method.
    remotes: Mapping[str, str]
    rundir: str
    #: The directory of relative database socket names: OVS' run directory, as in upstream's daemon.
    ovs_rundir: str
    #: The control socket, None for its default name.
    unixctl: str | None
    #: Whether to create a control socket.
    controlled: bool
    #: The pid file, None for none.
    pidfile: str | None
    overwrite_pidfile: bool
    #: Whether the control command ``status`` prints a second line about the lock of IC_SB, as in upstream since 26.09.
    lock_line: bool
    #: How many seconds a database may be unusable before the active instance offers the lock of the zone; 0 means never.
    handover_seconds: float
    detach: bool
    chdir: bool
    monitor: bool
    #: The user to become, optionally with a group: ``user[:group]``.
    user: str | None
    #: The log file, None for none.
    log_file: str | None
    #: Logging specifications; an empty one means "everything".
    verbose: Sequence[str]
    syslog: bool
    tls: Tls
    handshake: Handshake


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{PROGRAM}: {message} ('{PROGRAM} --help' lists the options)\n")
        raise SystemExit(2)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_unused: Any) -> None:
        sys.stdout.write(version_text())
        parser.exit()


class _Graph(argparse.Action):
    """An option whose optional value after "=" is the name of a subject."""

    def __call__(self, parser: argparse.ArgumentParser, _namespace: object, value: object, *_unused: Any) -> None:
        subjects = {subject.name: subject for subject in all_subjects()}
        if value and value not in subjects:
            parser.error(f"--dump-inc-proc-graph: {value!r} is not a part of the engine; use one of {' '.join(subjects)}")
        sys.stdout.write(dot([subjects[str(value)]] if value else subjects.values()))
        parser.exit()


class _ListOptions(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_unused: Any) -> None:
        for action in parser._actions:
            optional = any(name in _OPTIONAL for name in action.option_strings)
            argument = "" if action.nargs == 0 else "[ARG]" if optional else "ARG"
            for name in sorted(action.option_strings, key=len, reverse=True):
                separator = "" if not argument else "=" if name.startswith("--") else " "
                sys.stdout.write(f"{name}{separator}{argument}\n")
        parser.exit()


def read(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Options:
    """Read the command line. Exits with status 2 and one sentence if it is invalid; with 0 for help and version."""
    environment = os.environ if environment is None else environment
    parser = _parser(environment)
    known, rest = parser.parse_known_args([_OPTIONAL.get(word, word) for word in arguments])
    for word in rest:
        if word.startswith("-") and word not in ("-", "--"):
            parser.error(f"unknown option {word}")
        parser.error(f"unexpected argument {word!r}; only options are accepted")
    if known.status_format not in _STATUS_FORMATS:
        parser.error(f"--status-format: {known.status_format!r} is not valid; use {' or '.join(_STATUS_FORMATS)}")
    rundir = run_directory(environment)
    remotes = {database: getattr(known, place) for database, place, *_names in _REMOTES}
    _check_remotes(parser, remotes)
    verify = known.ca_cert != _NONE
    files = (known.private_key, known.certificate, known.ca_cert if verify else None)
    tls = Tls(*(os.path.abspath(file) if file else None for file in files))
    if None in tls[: 3 if verify else 2] and any(member.startswith("ssl:") for remote in remotes.values() for member in split(remote)):
        parser.error("a remote with ssl: needs --private-key, --certificate and --ca-cert")
    return Options(
        remotes=remotes,
        rundir=rundir,
        ovs_rundir=environment.get("OVS_RUNDIR") or "/var/run/openvswitch",
        unixctl=os.path.join(rundir, known.unixctl) if known.unixctl else None,
        controlled=known.unixctl != _NONE,
        pidfile=_named(known.pidfile, rundir, f"{PROGRAM}.pid"),
        overwrite_pidfile=known.overwrite_pidfile,
        handover_seconds=_seconds(parser, known.handover_timeout),
        lock_line=known.status_format == _STATUS_FORMATS[0],
        detach=known.detach,
        chdir=not known.no_chdir,
        monitor=known.monitor,
        user=known.user,
        log_file=os.path.abspath(known.log_file)
        if known.log_file
        else _named(known.log_file, _log_directory(environment), f"{PROGRAM}.log"),
        verbose=known.verbose,
        syslog=known.syslog_method != "null",
        tls=tls,
        handshake=_handshake(parser, known)._replace(verify=verify),
    )


def _seconds(parser: argparse.ArgumentParser, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (seconds == 0 or _LEAST_SECONDS <= seconds < math.inf):
        parser.error(f"--handover-timeout: {text!r} is not a number of seconds; use {_LEAST_SECONDS} or more, or 0 for never")
    return seconds


def _handshake(parser: argparse.ArgumentParser, known: argparse.Namespace) -> Handshake:
    """The TLS parameters. Options are checked one after the other, so that the message names the invalid one."""
    asked: dict[str, str | None] = {"protocols": None, "ciphers": None, "suites": None, "server_name": None}
    for option, name in _HANDSHAKE.items():
        asked[name] = getattr(known, option[2:].replace("-", "_"))
        try:
            handshake = Handshake.read(**asked)
        except ValueError as error:
            parser.error(f"{option}: {error}")
    return handshake


def run_directory(environment: Mapping[str, str] | None = None) -> str:
    """The directory of the sockets and the pid file."""
    return (os.environ if environment is None else environment).get("OVN_RUNDIR") or "/var/run/ovn"


def _log_directory(environment: Mapping[str, str]) -> str:
    return environment.get("OVN_LOGDIR") or environment.get("OVS_LOGDIR") or "/var/log/openvswitch"


def version_text() -> str:
    """The output of ``--version`` and of the control command of that name."""
    text = f"{PROGRAM} (ovn.interconnect) {VERSION}\n"
    if IMPORT_ERROR is None:
        import ovs.version

        text += f"Open vSwitch Library {ovs.version.VERSION}\n"
    return text


def _named(value: str | None, directory: str, default: str) -> str | None:
    """A file that an option names, None if it was not given. Relative names are in the directory; an empty name means
    the default.
    """
    return None if value is None else os.path.join(directory, value or default)


def _check_remotes(parser: argparse.ArgumentParser, remotes: Mapping[str, str]) -> None:
    for database, _place, option, *_names in _REMOTES:
        for member in split(remotes[database]):
            if member.startswith(_PASSIVE):
                parser.error(
                    f"{option}: {member!r} waits for connections, which this daemon does not support; use one of {' '.join(_METHODS)}"
                )
            if not member.startswith(_METHODS):
                parser.error(f"{option}: {member!r} is not a connection method of OVSDB; use one of {' '.join(_METHODS)}")
            try:
                resolve.check(member)
            except ValueError as error:
                parser.error(f"{option}: {member!r}: {error}")


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [OPTIONS]",
        description="Interconnects this OVN deployment with others through the global databases IC_NB and IC_SB.",
        add_help=False,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=32, width=120),
    )
    general = parser.add_argument_group("Options")
    rundir = run_directory(environment)
    for database, place, long, short, variable, socket in _REMOTES:
        default = environment.get(variable) or f"unix:{rundir}/{socket}"
        words = (
            f"connection method of {database}, for a cluster the methods of its members separated by commas "
            f"(default: ${variable}, else the socket: {default})"
        )
        general.add_argument(short, long, dest=place, metavar="REMOTE", default=default, help=words.replace("%", "%%"))
    general.add_argument("-u", "--unixctl", metavar="SOCKET", help="path of the control socket; none: do not create one")
    general.add_argument(
        "--status-format",
        metavar="FORMAT",
        default=environment.get(_STATUS_VARIABLE) or _STATUS_FORMATS[0],
        help=(
            f"output of the control command status: {' or '.join(_STATUS_FORMATS)}; two-lines shows whether the "
            "lock of IC_SB is held, and adds a line for each database that cannot be used; one-line is the format of "
            f"OVN before 26.09 (default: ${_STATUS_VARIABLE}, else {_STATUS_FORMATS[0]})"
        ),
    )
    general.add_argument(
        "--handover-timeout",
        metavar="SECONDS",
        default=f"{HANDOVER_SECONDS:g}",
        help=(
            "how long a database may be unreachable, silent or read-only before the active instance hands the zone "
            f"over to one that can use all databases; 0 means never, as in upstream (default: {HANDOVER_SECONDS:g})"
        ),
    )
    general.add_argument("-h", "--help", action="help", help="show this help and exit")
    general.add_argument("-o", "--options", action=_ListOptions, nargs=0, help="list the options and exit")
    general.add_argument("-V", "--version", action=_Version, nargs=0, help="show the version and exit")
    general.add_argument(
        "--dump-inc-proc-graph", metavar="SUBJECT", action=_Graph, help="print a graph of the tables that each subject reads, for dot(1)"
    )
    _add_daemon_options(parser.add_argument_group("Daemon options"), rundir)
    _add_logging_options(parser.add_argument_group("Logging options"), _log_directory(environment))
    _add_tls_options(parser.add_argument_group("TLS options, for remotes with ssl"))
    return parser


def _add_daemon_options(group: argparse._ArgumentGroup, rundir: str) -> None:
    group.add_argument("--detach", action="store_true", help="run in the background")
    group.add_argument("--monitor", action="store_true", help="restart this process from a monitor process if it crashes")
    group.add_argument("--user", metavar="USER[:GROUP]", help="run as this user")
    group.add_argument("--no-chdir", action="store_true", help="do not change to / when detaching")
    group.add_argument("--no-self-confinement", action="store_true", help="accepted for compatibility, without effect")
    group.add_argument("--pidfile", metavar="FILE", help=f"create a pid file (default: {rundir}/{PROGRAM}.pid)".replace("%", "%%"))
    group.add_argument("--overwrite-pidfile", action="store_true", help="with --pidfile, start even if another instance is running")


def _add_logging_options(group: argparse._ArgumentGroup, logdir: str) -> None:
    group.add_argument(
        "-v", "--verbose", metavar="SPEC", action="append", default=[], help="set logging levels; without SPEC, log everything"
    )
    group.add_argument("--log-file", metavar="FILE", help=f"log to a file (default: {logdir}/{PROGRAM}.log)".replace("%", "%%"))
    group.add_argument("--syslog-method", metavar="METHOD", help="null: do not log to syslog; other values: use the system's syslog")
    group.add_argument("--syslog-target", metavar="HOST:PORT", help="accepted for compatibility, without effect")


def _add_tls_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-p", "--private-key", metavar="FILE", help="private key of this daemon; all three files are read again for each new connection"
    )
    group.add_argument("-c", "--certificate", metavar="FILE", help="certificate of this daemon")
    group.add_argument(
        "-C", "--ca-cert", metavar="FILE", help="CA certificate that signed the servers' certificates; none: do not verify servers"
    )
    group.add_argument("--ssl-protocols", metavar="PROTOS", help="TLS versions, such as TLSv1.2-TLSv1.3 (default: TLSv1.2+)")
    group.add_argument("--ssl-ciphers", metavar="CIPHERS", help="ciphers for TLS 1.2 and earlier, in the format of openssl-ciphers(1)")
    group.add_argument("--ssl-ciphersuites", metavar="SUITES", help="cipher suites for TLS 1.3 and later (needs Python 3.15)")
    group.add_argument("--ssl-server-name", metavar="NAME", help="server name to send to servers (SNI)")
