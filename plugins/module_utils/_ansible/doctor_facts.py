# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ovn_ic_doctor_info asks besides the databases: the daemon, the database servers, and certificate files."""

from __future__ import annotations

import os
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import Any

from ..interconnect.operations import doctor
from ..interconnect.operations.doctor.daemon import COMMANDS
from ..interconnect.operations.errors import ModuleError, one_line
from ..interconnect.tables import IC_NB, IC_SB, NB, SB
from .arguments import DEFAULTS, OPTIONS
from .control_client import ControlSocket, RefusedError

Params = Mapping[str, Any]


def gather(params: Params) -> doctor.Facts:
    """Ask everything that the options name. What does not answer is part of the result."""
    daemon, silent = _daemon(params["control_socket"], params["timeout"])
    servers, errors = _servers(params["server_sockets"], params["timeout"])
    given = {name: params.get(OPTIONS[name]) for name in (NB, SB, IC_NB, IC_SB)}
    needed = {IC_NB: DEFAULTS[IC_NB], IC_SB: DEFAULTS[IC_SB]}
    return doctor.Facts(
        remotes={name: remote or needed[name] for name, remote in given.items() if remote or name in needed},
        daemon=daemon,
        daemon_error=silent,
        servers=servers,
        server_errors=errors,
        certificates=list(_certificates(params)),
        fast_json=_has_fast_json(),
    )


def _daemon(path: str | None, seconds: float) -> tuple[dict[str, str] | None, str | None]:
    """The daemon's answers by command, and why it does not answer."""
    if path is None:
        return None, None
    socket, answers = ControlSocket(path, seconds), {}
    try:
        for command in COMMANDS:
            try:
                answers[command] = socket.call(command).strip()
            except RefusedError:  # upstream's daemon does not have all commands
                continue
    except ModuleError as error:
        return None, _words(error)
    return answers, None


def _words(error: ModuleError) -> str:
    """The message without its advice."""
    return one_line(error).partition(";")[0]


def _servers(paths: list[str] | None, seconds: float) -> tuple[list[doctor.Server] | None, dict[str, str]]:
    """What each server reports about its clusters, and why servers do not answer, by control socket."""
    if paths is None:
        return None, {}
    found, errors = [], {}
    for path in paths:
        socket = ControlSocket(path, seconds)
        try:
            for database in (NB, SB, IC_NB, IC_SB):
                try:
                    found.append(doctor.Server(path, database, socket.call("cluster/status", database)))
                except RefusedError:  # the server does not have this database, or it is not clustered
                    continue
        except ModuleError as error:
            errors[path] = _words(error)
    return found, errors


def _certificates(params: Params) -> Iterator[doctor.Certificate]:
    """The certificate files of the options that can be read, with the time that is left."""
    for path in (params.get("certificate"), params.get("ca_cert")):
        if path and os.access(path, os.R_OK):
            command = ["openssl", "x509", "-noout", "-enddate", "-in", path]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            name, _equals, text = done.stdout.strip().partition("=")
            if name == "notAfter":
                yield doctor.Certificate(path, ssl.cert_time_to_seconds(text) - time.time())


def _has_fast_json() -> bool:
    import ovs.json

    return bool(ovs.json.PARSER == ovs.json.PARSER_C)
