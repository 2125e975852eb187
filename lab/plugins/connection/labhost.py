# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection plugin: tasks run inside a host of the lab."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.connection import ConnectionBase

sys.path.append(str(Path(__file__).resolve().parents[3]))

from lab.labhosts.leader import enter_command, leader_pid

DOCUMENTATION = r"""
name: labhost
short_description: Run tasks in a host made by lab/hosts.py
version_added: 0.1.0
description:
  - Enters the namespaces of a host that C(lab/hosts.py) runs on this machine. Needs no ssh, no network in the host and no password.
  - The host's process is looked up for each command, so a reboot does not disturb it.
author:
  - The ovn.interconnect authors (@ovn-interconnect)
options:
  labhost_name:
    description: Name of the host, as C(lab/hosts.py list) shows it; without it, the host's name in the inventory.
    type: str
    vars:
      - name: ansible_labhost_name
  remote_user:
    description: Who runs the commands; with another user than root, tasks become root by C(ansible_become), as over ssh.
    type: str
    default: root
    vars:
      - name: ansible_user
  state_dir:
    description: State directory of the lab that the host belongs to.
    type: path
    default: /var/lib/ovn-interconnect-lab
    env:
      - name: OVN_IC_LAB_DIR
    vars:
      - name: ansible_labhost_state_dir
"""


class Connection(ConnectionBase):  # type: ignore[misc]  # Ansible has no types
    """Runs commands by nsenter(1) in a clean environment."""

    transport = "labhost"
    has_pipelining = True

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def _enter(self, *command: str) -> list[str]:
        """Return the command line that runs `command` in the host; raise AnsibleConnectionFailure where the host does not run."""
        name, state_dir = self.get_option("labhost_name") or self._play_context.remote_addr, Path(self.get_option("state_dir"))
        leader = leader_pid(state_dir, name)
        if leader is None:
            raise AnsibleConnectionFailure(f"no host {name!r} runs in {state_dir}: start it with playbooks/lab.yml or lab/hosts.py up")
        user = self.get_option("remote_user")
        if user != "root":
            command = ("runuser", "--login", user, "--command", shlex.join(command))
        return enter_command(leader, command)

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a shell command with `in_data` as its input; return status, output and errors."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        done = subprocess.run(self._enter("/bin/sh", "-c", cmd), input=in_data or b"", capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def _copy(self, command: list[str], what: str, **files: Any) -> None:
        """Run a command that copies a file; raise AnsibleError where it fails."""
        done = subprocess.run(command, stderr=subprocess.PIPE, check=False, **files)
        if done.returncode:
            raise AnsibleError(f"{what} failed: {done.stderr.decode(errors='replace').strip()}")

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of this machine into the host."""
        super().put_file(in_path, out_path)
        source: IO[bytes]
        with open(in_path, "rb") as source:
            self._copy(self._enter("/bin/sh", "-c", 'cat > "$0"', out_path), f"copying {in_path} to {out_path}", stdin=source)

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the host to this machine."""
        super().fetch_file(in_path, out_path)
        target: IO[bytes]
        with open(out_path, "wb") as target:
            self._copy(self._enter("cat", in_path), f"fetching {in_path}", stdout=target)

    def close(self) -> None:
        """Nothing is held open between commands."""
        self._connected = False
