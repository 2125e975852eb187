# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a check is not possible: what it needs is empty, was not given, or did not answer.

Each need returns the reason as text, None if the check is possible.
"""

from __future__ import annotations

from .check import Need
from .databases import Databases


def _rows(side: str, table: str, words: str) -> Need:
    """The need for rows of a table of IC_NB (``north``) or IC_SB (``south``). ``words``: what its rows are called."""
    database = {"north": "IC_NB", "south": "IC_SB"}[side]
    reason = f"{database} has no {words}, so there is nothing to check"
    return lambda databases: None if getattr(databases, side).count(table) else reason


def any_switch(databases: Databases) -> str | None:
    """A transit switch in IC_NB, or rows of IC_SB that show that there was one."""
    if databases.north.count("Transit_Switch") or databases.south.count("Port_Binding") or databases.south.count("Datapath_Binding"):
        return None
    return "IC_NB has no transit switches, and IC_SB has neither datapaths nor ports, so there is nothing to check"


def given(databases: Databases) -> str | None:
    """The databases of a zone."""
    return None if databases.has_zone else "nb_db and sb_db of a zone are not given"


def registered(databases: Databases) -> str | None:
    """The databases of a zone that IC_SB has."""
    if not databases.has_zone or databases.zone.own_az is not None:
        return given(databases)
    return "the zone of nb_db is not registered in IC_SB; name it with ovn_ic_az, and check that its sync daemon runs"


def answers(databases: Databases) -> str | None:
    """A daemon that answers on its control socket."""
    if databases.facts.daemon is not None:
        return None
    return "the sync daemon does not answer" if databases.facts.daemon_error is not None else "control_socket is not given"


def asked(databases: Databases) -> str | None:
    """A control socket of the daemon, whether the daemon answers or not."""
    return None if databases.facts.daemon_error is not None or databases.facts.daemon is not None else "control_socket is not given"


def servers(databases: Databases) -> str | None:
    """A database server with a cluster."""
    if databases.facts.servers is None:
        return "server_sockets is not given"
    return None if databases.facts.servers else "no server in server_sockets has a clustered database"


def sockets(databases: Databases) -> str | None:
    """Control sockets of database servers, whether the servers answer or not."""
    return None if databases.facts.servers is not None else "server_sockets is not given"


def certificates(databases: Databases) -> str | None:
    """A certificate file that could be read."""
    return None if databases.facts.certificates else "the options certificate and ca_cert do not name a certificate that can be read"


def remotes(databases: Databases) -> str | None:
    """The remotes through which the databases are read."""
    return None if databases.facts.remotes else "the remotes of the databases are not known"


def parser(databases: Databases) -> str | None:
    """Whether python-ovs has its JSON parser in C."""
    return None if databases.facts.fast_json is not None else "the JSON parser of python-ovs on this host is not known"


ZONES = _rows("south", "Availability_Zone", "availability zones")
GATEWAYS = _rows("south", "Gateway", "gateways")
PORTS = _rows("south", "Port_Binding", "ports")
ROUTES = _rows("south", "Route", "routes")
DATAPATHS = _rows("south", "Datapath_Binding", "datapaths")
SWITCHES = _rows("north", "Transit_Switch", "transit switches")
