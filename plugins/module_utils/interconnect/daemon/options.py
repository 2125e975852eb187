# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the daemon (spec status-F.1)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from .. import resolve
from ..client import IMPORT_ERROR
from ..replica import Tls
from ..schema import IC_NB, IC_SB, NB, SB
from ..server_rotation import split
from ..subjects import all_subjects
from ..tls import Handshake
from . import PROGRAM, VERSION
from .graph import dot

_REMOTES = (
    (NB, "ovnnb_db", "--ovnnb-db", "-D", "OVN_NB_DB", "ovnnb_db.sock"),
    (SB, "ovnsb_db", "--ovnsb-db", "-d", "OVN_SB_DB", "ovnsb_db.sock"),
    (IC_NB, "ic_nb_db", "--ic-nb-db", "-I", "OVN_IC_NB_DB", "ovn_ic_nb_db.sock"),
    (IC_SB, "ic_sb_db", "--ic-sb-db", "-i", "OVN_IC_SB_DB", "ovn_ic_sb_db.sock"),
)
_METHODS = ("unix:", "tcp:", "ssl:")
#: Upstream's daemon can wait for a server that connects to it. The library has no such way with TLS, and another syntax without it.
_PASSIVE = ("punix:", "ptcp:", "pssl:")
_HANDSHAKE = {
    "--ssl-protocols": "protocols",
    "--ssl-ciphers": "ciphers",
    "--ssl-ciphersuites": "suites",
    "--ssl-server-name": "server_name",
}
#: Options whose value is optional and, as getopt has it, follows only behind a "=".
_OPTIONAL = {
    "--pidfile": "--pidfile=",
    "--log-file": "--log-file=",
    "--verbose": "--verbose=",
    "-v": "--verbose=",
    "--dump-inc-proc-graph": "--dump-inc-proc-graph=",
}


#: What the control command ``status`` answers: upstream's form since 26.09 comes first and is the default, then that of earlier releases.
_STATUS_FORMATS = ("two-lines", "one-line")
_STATUS_VARIABLE = "OVN_IC_STATUS_FORMAT"

#: What ovn-ic(8) has for a file that is not wanted.
_NONE = "none"


class Options(NamedTuple):
    """What the command line and the environment ask for."""

    #: Database name (schema.NB, …) -> connection method.
    remotes: Mapping[str, str]
    rundir: str
    #: Where relative names of database sockets are taken from: those are OVS' business, in upstream's daemon too.
    ovs_rundir: str
    #: The control socket, None for its usual name.
    unixctl: str | None
    #: Whether there is to be a control socket.
    controlled: bool
    #: The pid file, None for none.
    pidfile: str | None
    overwrite_pidfile: bool
    #: Whether the control command ``status`` has a second line that tells of the lock of IC_SB, as upstream's since 26.09.
    lock_line: bool
    detach: bool
    chdir: bool
    monitor: bool
    #: The user to become, with a group or without: ``user[:group]``.
    user: str | None
    #: The log file, None for none.
    log_file: str | None
    #: Logging specifications, an empty one for "everything".
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
    """Behind a "=" may stand the one subject that is wanted."""

    def __call__(self, parser: argparse.ArgumentParser, _namespace: object, value: object, *_unused: Any) -> None:
        subjects = {subject.name: subject for subject in all_subjects()}
        if value and value not in subjects:
            parser.error(f"--dump-inc-proc-graph: {value!r} is no part of the engine, these are: {' '.join(subjects)}")
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
    """Read the command line. Exits, with status 2 and one sentence, on what it does not understand; with 0 for help and version."""
    environment = os.environ if environment is None else environment
    parser = _parser(environment)
    known, rest = parser.parse_known_args([_OPTIONAL.get(word, word) for word in arguments])
    for word in rest:
        if word.startswith("-") and word not in ("-", "--"):
            parser.error(f"unknown option {word}")
        parser.error(f"no argument is wanted besides options, found {word!r}")
    if known.status_format not in _STATUS_FORMATS:
        parser.error(f"--status-format: {known.status_format!r} is unknown, use {' or '.join(_STATUS_FORMATS)}")
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


def _handshake(parser: argparse.ArgumentParser, known: argparse.Namespace) -> Handshake:
    """What the options on TLS connections ask for, one after the other so that the one that cannot be is named."""
    asked: dict[str, str | None] = {"protocols": None, "ciphers": None, "suites": None, "server_name": None}
    for option, name in _HANDSHAKE.items():
        asked[name] = getattr(known, option[2:].replace("-", "_"))
        try:
            handshake = Handshake.read(**asked)
        except ValueError as error:
            parser.error(f"{option}: {error}")
    return handshake


def run_directory(environment: Mapping[str, str] | None = None) -> str:
    """Where the sockets and the pid file are."""
    return (os.environ if environment is None else environment).get("OVN_RUNDIR") or "/var/run/ovn"


def _log_directory(environment: Mapping[str, str]) -> str:
    return environment.get("OVN_LOGDIR") or environment.get("OVS_LOGDIR") or "/var/log/openvswitch"


def version_text() -> str:
    """What ``--version`` and the control command of that name say."""
    text = f"{PROGRAM} (ovn.interconnect) {VERSION}\n"
    if IMPORT_ERROR is None:
        import ovs.version

        text += f"Open vSwitch Library {ovs.version.VERSION}\n"
    return text


def _named(value: str | None, directory: str, default: str) -> str | None:
    """A file that was asked for, None if it was not: relative names are taken from the directory, an empty one is the default."""
    return None if value is None else os.path.join(directory, value or default)


def _check_remotes(parser: argparse.ArgumentParser, remotes: Mapping[str, str]) -> None:
    for database, _place, option, *_names in _REMOTES:
        for member in split(remotes[database]):
            if member.startswith(_PASSIVE):
                parser.error(f"{option}: {member!r} would wait for a server, this daemon goes to it: use one of {' '.join(_METHODS)}")
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
        words = f"connect to {database} there, members of a cluster separated by commas (default: ${variable}, else the socket: {default})"
        general.add_argument(short, long, dest=place, metavar="REMOTE", default=default, help=words.replace("%", "%%"))
    general.add_argument("-u", "--unixctl", metavar="SOCKET", help="another name for the control socket; none: no such socket")
    general.add_argument(
        "--status-format",
        metavar="FORMAT",
        default=environment.get(_STATUS_VARIABLE) or _STATUS_FORMATS[0],
        help=f"what the control command status answers: {' or '.join(_STATUS_FORMATS)}; two-lines tells whether the lock of IC_SB is held,"
        f" one-line is the form of OVN before 26.09 (default: ${_STATUS_VARIABLE}, else {_STATUS_FORMATS[0]})",
    )
    general.add_argument("-h", "--help", action="help", help="show this and exit")
    general.add_argument("-o", "--options", action=_ListOptions, nargs=0, help="list the options and exit")
    general.add_argument("-V", "--version", action=_Version, nargs=0, help="show the version and exit")
    general.add_argument(
        "--dump-inc-proc-graph", metavar="SUBJECT", action=_Graph, help="print which tables each subject reads, for dot(1)"
    )
    _add_daemon_options(parser.add_argument_group("Daemon options"), rundir)
    _add_logging_options(parser.add_argument_group("Logging options"), _log_directory(environment))
    _add_tls_options(parser.add_argument_group("TLS options, for remotes with ssl"))
    return parser


def _add_daemon_options(group: argparse._ArgumentGroup, rundir: str) -> None:
    group.add_argument("--detach", action="store_true", help="run in the background")
    group.add_argument("--monitor", action="store_true", help="a second process starts this one again when it crashes")
    group.add_argument("--user", metavar="USER[:GROUP]", help="run as this user")
    group.add_argument("--no-chdir", action="store_true", help="do not change to / when detaching")
    group.add_argument("--no-self-confinement", action="store_true", help="accepted, without effect")
    group.add_argument("--pidfile", metavar="FILE", help=f"make a pid file (default: {rundir}/{PROGRAM}.pid)".replace("%", "%%"))
    group.add_argument("--overwrite-pidfile", action="store_true", help="with --pidfile, start even if one runs already")


def _add_logging_options(group: argparse._ArgumentGroup, logdir: str) -> None:
    group.add_argument("-v", "--verbose", metavar="SPEC", action="append", default=[], help="set logging levels; all, without SPEC")
    group.add_argument("--log-file", metavar="FILE", help=f"log to a file (default: {logdir}/{PROGRAM}.log)".replace("%", "%%"))
    group.add_argument("--syslog-method", metavar="METHOD", help="null: no syslog; any other: the system's own")
    group.add_argument("--syslog-target", metavar="HOST:PORT", help="accepted, without effect")


def _add_tls_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("-p", "--private-key", metavar="FILE", help="our private key; all three are read again for each new connection")
    group.add_argument("-c", "--certificate", metavar="FILE", help="our certificate")
    group.add_argument(
        "-C", "--ca-cert", metavar="FILE", help="the certificate of the authority that signed the servers' ones; none: any server will do"
    )
    group.add_argument("--ssl-protocols", metavar="PROTOS", help="versions of TLS, as TLSv1.2-TLSv1.3 (default: TLSv1.2+)")
    group.add_argument("--ssl-ciphers", metavar="CIPHERS", help="ciphers of TLS 1.2 and before, as openssl-ciphers(1) has it")
    group.add_argument("--ssl-ciphersuites", metavar="SUITES", help="suites of TLS 1.3 and later (needs Python 3.15)")
    group.add_argument("--ssl-server-name", metavar="NAME", help="the name that servers are asked for (SNI)")
