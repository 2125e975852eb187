# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the state of a host, one object per line: rows of its databases, files, packages, processes. Runs on the host.

It reads the state again until two readings one second apart are equal, because daemons may still be working on an earlier change.
"""

from __future__ import annotations

import glob
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

# All tables (an empty tuple), or the tables that daemons do not change in normal operation, unlike neighbours and probes.
DATABASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "/run/ovn/ovn_ic_nb_db.sock": ("OVN_IC_Northbound", ()),
    "/run/ovn/ovn_ic_sb_db.sock": ("OVN_IC_Southbound", ()),
    "/run/ovn/ovnnb_db.sock": ("OVN_Northbound", ()),
    "/run/ovn/ovnsb_db.sock": ("OVN_Southbound", ("Chassis", "Datapath_Binding", "Encap", "Port_Binding", "SB_Global")),
    "/run/openvswitch/db.sock": ("Open_vSwitch", ("Open_vSwitch", "Bridge", "Port")),
}
FOLDERS = ("/etc", "/var/lib/ovn", "/usr/share/ovn-interconnect", "/usr/sbin")
UNITS = ("ovn-ic", "ovn-ovsdb-server-ic-nb", "ovn-ovsdb-server-ic-sb", "ovn-controller")
READINGS = 30


def output(*command: str) -> str:
    """Return the output of the command; it is empty if the command fails."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True).stdout


def rows() -> Iterator[str]:
    """Yield each row with its uuid, and each schema's version, without ephemeral columns such as statistics."""
    for socket, (database, tables) in DATABASES.items():
        if not os.path.exists(socket):
            continue
        for line in output("ovsdb-client", "--timeout=30", "--no-leader-only", "backup", f"unix:{socket}", database).splitlines():
            if not line.startswith("{"):
                continue
            record = json.loads(line)
            if "tables" in record:
                yield f"{database} {record['version']}"
                continue
            for table, found in record.items():
                if not table.startswith("_") and (not tables or table in tables):
                    yield from (f"{database} {table} {uuid} {json.dumps(row, sort_keys=True)}" for uuid, row in found.items())


def files() -> Iterator[str]:
    """Yield each file with its time, which changes if it is written again with the same content. Databases are compared by rows."""
    for folder in FOLDERS:
        for directory, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if name != "__pycache__"]
            state = os.lstat(directory)
            yield f"{directory} {state.st_mode:o} {state.st_uid}"
            for name in names:
                path = os.path.join(directory, name)
                state = os.lstat(path)
                if not name.endswith((".db", ".~lock~")):
                    yield f"{path} {state.st_mode:o} {state.st_uid} {state.st_size} {state.st_mtime_ns}"
    yield from glob.glob("/tmp/*.ovn-ic")


def state() -> list[str]:
    """Return all lines, sorted."""
    packages = output("dpkg-query", "--show").splitlines()
    processes = [f"{unit} {output('systemctl', 'show', '--property=MainPID,UnitFileState', unit).split()}" for unit in UNITS]
    return sorted([*rows(), *files(), *packages, *processes])


if __name__ == "__main__":
    before = state()
    for _ in range(READINGS):
        time.sleep(1)
        after = state()
        if after == before:
            break
        before = after
    sys.stdout.write("\n".join(after))
