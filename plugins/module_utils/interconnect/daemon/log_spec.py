# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logging levels and destinations: the specifications of ``--verbose`` and ``vlog/set`` (ovn-ic(8), Logging Options;
ovs-appctl(8)).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any

from .log_pattern import PATTERNS, Entry, line

try:
    import ovs.vlog

    _Vlog: Any = ovs.vlog.Vlog
except ImportError:  # main reports this, see client.check_library
    _Vlog = None

_SEPARATORS = " ,:\t"
_PATTERN = re.compile(rf"[{_SEPARATORS}]*pattern[{_SEPARATORS}]+([^{_SEPARATORS}]+)[{_SEPARATORS}](.+)", re.IGNORECASE | re.DOTALL)
_DESTINATIONS = ("syslog", "console", "file")
_LEVELS = ("off", "emer", "err", "warn", "info", "dbg")
#: In numerical order (RFC 5424, 6.2.1). Python uses other names for some.
_FACILITIES = """
kern user mail daemon auth syslog lpr news uucp clock authpriv ftp ntp audit alert clock2
local0 local1 local2 local3 local4 local5 local6 local7
"""
_NUMBERS = {name: number for number, name in enumerate(_FACILITIES.split())}
#: The modules of upstream's daemons from 23.03 to 26.03. Setting the level of one that does not exist here has no
#: effect.
_MODULES = """
backtrace bundle command_line conntrack conntrack_tp cooperative_multitasking coverage ct_dpif daemon daemon_unix dns_resolve
dp_packet_gso dpdk dpif dpif_lookup_autovalidator dpif_lookup_generic dpif_mfex_extract_study dpif_netdev dpif_netdev_dpcls
dpif_netdev_extract dpif_netdev_impl dpif_netdev_lookup dpif_netlink dpif_netlink_rtnl dpif_offload dpif_offload_dummy dpif_offload_tc
dpif_offload_tc_netdev en_ic entropy fatal_signal flow hmap inc_proc_eng inc_proc_ic ipf jsonrpc lockfile memory meta_flow native_tnl
netdev netdev_dummy netdev_linux netdev_offload netdev_offload_tc netdev_vport netlink netlink_conntrack netlink_notifier
netlink_socket nx_match odp_execute odp_execute_impl odp_util ofp_actions ofp_bundle ofp_connection ofp_ct ofp_errors ofp_flow
ofp_group ofp_match ofp_meter ofp_monitor ofp_msgs ofp_packet ofp_port ofp_protocol ofp_queue ofp_table ofp_util ovn_ic ovn_util
ovs_numa ovs_rcu ovs_replay ovs_router ovs_thread ovsdb_cs ovsdb_error ovsdb_idl ox_stat pcap pmd_perf poll_loop process rconn
reconnect route_table sha1 signals socket_util socket_util_unix stopwatch stream stream_fd stream_replay stream_ssl stream_tcp
stream_unix svec tc timeval unixctl userspace_tso util uuid vconn vconn_stream vlog
"""
_UPSTREAM = frozenset(_MODULES.split())


def follow(spec: str) -> str | None:
    """Apply one specification. Returns one sentence about what is wrong with it, or None."""
    words = [word for word in re.split(f"[{_SEPARATORS}]+", spec) if word]
    kind = words[0].lower() if words else ""
    if kind == "pattern":
        return _set_pattern(spec)
    if kind == "facility":
        return _set_facility(words[1:])
    return _set_level([word.lower() for word in words])


def knows(module: str) -> bool:
    """Whether a module of this name exists here or in upstream's daemon."""
    return module.lower() in _UPSTREAM or module.lower() in _modules()


def _modules() -> Iterable[str]:
    return [row.split()[0] for row in _Vlog.get_levels().splitlines()[2:]]


def _set_pattern(spec: str) -> str | None:
    """Set a pattern. The library splits patterns at spaces and colons and does not detect invalid ones in time."""
    found = _PATTERN.fullmatch(spec)
    if found is None or found.group(1).lower() not in _DESTINATIONS:
        return "a pattern must have the form PATTERN:destination:pattern"
    try:
        line(found.group(2), Entry(0, "vlog", "INFO", "")).encode()
    except ValueError as error:
        return f"the pattern is not valid ({error})"
    PATTERNS[found.group(1).lower()] = found.group(2)
    return None


def _set_facility(words: list[str]) -> str | None:
    if len(words) != 1 or words[0].lower() not in _NUMBERS:
        return f"a facility must have the form FACILITY:facility, with one of {' '.join(_NUMBERS)}"
    try:
        _Vlog.add_syslog_handler(_NUMBERS[words[0].lower()])
    except OSError:  # this system has no syslog
        logging.getLogger("syslog").disabled = True
    return None


def _set_level(words: list[str]) -> str | None:
    chosen: dict[str, str] = {}
    for word in words:
        kind = _kind(word)
        if kind is None:
            return f'"{word}" is not a destination, level or module'
        if kind in chosen:
            return f"cannot specify multiple {kind}s"
        if kind != "any":
            chosen[kind] = word
    _Vlog.set_level(chosen.get("module", "any"), chosen.get("destination", "any"), chosen.get("level", "dbg"))
    return None


def _kind(word: str) -> str | None:
    if word in _DESTINATIONS:
        return "destination"
    if word in _LEVELS:
        return "level"
    return "any" if word == "any" else "module" if knows(word) else None
