# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's proof: a ping and a TCP exchange between the workloads of all zones, over Geneve, and a summary of what stands."""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
import subprocess
import time
from dataclasses import dataclass
from typing import Any

from .hosts import Hosts
from .plan import ROUTER
from .process import run, say
from .settings import LabError

Row = dict[str, Any]

# Answers one connection with the number of bytes that it got; says "ready" once it listens. No wait is longer than the socket's timeout.
_SERVER = """
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.settimeout(30)
s.bind(("", 5001))
s.listen()
print("ready", flush=True)
c, _ = s.accept()
c.settimeout(30)
n = 0
while d := c.recv(65536):
    n += len(d)
c.sendall(str(n).encode())
c.close()
"""
_CLIENT = """
import socket, sys
c = socket.create_connection((sys.argv[1], 5001), 30)
c.sendall(bytes(int(sys.argv[2])))
c.shutdown(socket.SHUT_WR)
print(c.recv(64).decode())
"""
_TCP_BYTES = 1_000_000


@dataclass(frozen=True)
class Workload:
    """The workload of one zone, by the zone's number."""

    number: int

    @property
    def host(self) -> str:
        return f"az{self.number}-hv1"

    @property
    def gateway(self) -> str:
        return f"az{self.number}-gw1"

    @property
    def central(self) -> str:
        return f"az{self.number}-central"

    @property
    def name(self) -> str:
        return f"vm{self.number}"

    @property
    def address(self) -> str:
        return f"10.0.{self.number}.10"


def workloads(names: list[str]) -> list[Workload]:
    """Return the workloads of the lab whose hosts have these names."""
    found = (re.fullmatch(r"az(\d)-hv1", name) for name in names)
    return [Workload(int(match[1])) for match in found if match]


def plain(value: Any) -> Any:
    """Return an OVSDB value (RFC 7047, 5.1) as Python has it: sets as lists, maps as dicts, uuids as strings."""
    if not isinstance(value, list):
        return value
    kind, content = value
    if kind == "set":
        return [plain(member) for member in content]
    if kind == "map":
        return {plain(key): plain(member) for key, member in content}
    return content


def rows(text: str) -> list[Row]:
    """Return the rows that an OVN tool printed with --format=json."""
    table = json.loads(text)
    return [dict(zip(table["headings"], map(plain, row))) for row in table["data"]]


def average(ping: str) -> float:
    """Return the average round trip in milliseconds from ping's last line; raise LabError where it has none."""
    match = re.search(r"= [\d.]+/([\d.]+)/", ping)
    if not match:
        raise LabError(f"ping printed no round trip times:\n{ping}")
    return float(match[1])


class Verification:
    """Looks at one running lab."""

    def __init__(self, hosts: Hosts, seconds: float) -> None:
        self._hosts = hosts
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds
        self.workloads = workloads(hosts.names())
        if not self.workloads:
            raise LabError("the lab has no zone: start it with playbooks/lab.yml")

    def _in(self, host: str, *command: str) -> subprocess.CompletedProcess[str]:
        return run(*self._hosts.enter(host, command), check=False)

    def _in_workload(self, workload: Workload, *command: str) -> list[str]:
        """Return the command line that runs `command` in the network namespace of a workload."""
        return self._hosts.enter(workload.host, ["ip", "netns", "exec", workload.name, *command])

    def table(self, host: str, tool: str, table: str, *columns: str) -> list[Row]:
        """Return rows of a database, read by OVN's own tool on the host that has it."""
        done = self._in(host, tool, "--timeout=10", "--format=json", f"--columns={','.join(columns)}", "list", table)
        if done.returncode:
            raise LabError(f"{tool} cannot read {table} on {host}: {done.stderr.strip()}")
        return rows(done.stdout)

    # -- proofs

    def ping(self, source: Workload, target: Workload) -> float:
        """Wait until `source` reaches `target`; return the average round trip of five pings in milliseconds."""
        once = self._in_workload(source, "ping", "-n", "-c1", "-W1", target.address)
        told = time.monotonic()
        while (done := run(*once, check=False)).returncode:
            if time.monotonic() > self._deadline:
                words = (done.stdout + done.stderr).strip()
                raise LabError(
                    f"{source.name} on {source.host} does not reach {target.address} after {self._seconds:.0f} s; ping says:\n{words}\n"
                    f"look at its routes: lab/hosts.py exec {source.central} -- ovn-nbctl lr-route-list {ROUTER}"
                )
            if time.monotonic() - told > 5:
                say(f"waiting for the ping from {source.name} to {target.name}")
                told = time.monotonic()
            time.sleep(0.1)
        return average(run(*self._in_workload(source, "ping", "-n", "-c5", "-i0.2", "-W2", target.address)).stdout)

    def exchange(self, source: Workload, target: Workload) -> float:
        """Send a megabyte by TCP from `source` to `target`; return the seconds until its receipt came back."""
        server = subprocess.Popen(
            self._in_workload(target, "python3", "-c", _SERVER), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        try:
            if server.stdout is None or server.stdout.readline() != "ready\n":
                raise LabError(f"no TCP server could be started in {target.name} on {target.host}")
            start = time.monotonic()
            done = run(*self._in_workload(source, "python3", "-c", _CLIENT, target.address, str(_TCP_BYTES)), check=False)
            seconds = time.monotonic() - start
            if done.stdout.strip() != str(_TCP_BYTES):
                raise LabError(f"TCP from {source.name} to {target.name} failed: {(done.stderr or done.stdout).strip()[-300:]}")
            return seconds
        finally:
            server.kill()
            server.communicate()

    def geneve(self, source: Workload, target: Workload) -> str:
        """Return one packet of a ping from `source` to `target`, caught as Geneve on the underlay of the source's gateway."""
        command = self._hosts.enter(source.gateway, ["tcpdump", "-l", "-n", "-i", "eth0", "-c", "200", "udp", "port", "6081"])
        wanted = f"{source.address} > {target.address}: ICMP echo request"
        capture = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        ping = None
        try:
            for line in capture.stdout or ():
                if "listening on" in line:
                    ping = subprocess.Popen(
                        self._in_workload(source, "ping", "-q", "-n", "-c20", "-i0.2", target.address),
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                    )
                elif "Geneve" in line and wanted in line:
                    return line.strip()
                elif ping is not None and ping.poll() is not None:
                    break
        finally:
            for process in (ping, capture):
                if process is not None:
                    process.kill()
                    process.wait()
            if capture.stdout:
                capture.stdout.close()
        raise LabError(f"the ping from {source.name} to {target.name} was not seen as Geneve (udp/6081) on {source.gateway}")

    def prove(self) -> list[str]:
        """Run every proof for each pair of zones; return one line of the summary a pair."""
        lines = []
        for source, target in itertools.permutations(self.workloads, 2):
            ping = self.ping(source, target)
            seconds = self.exchange(source, target)
            self.geneve(source, target)
            megabytes = _TCP_BYTES / 1e6
            lines.append(f"{source.name} -> {target.name}   ping {ping:.2f} ms   TCP {megabytes:.0f} MB in {seconds:.2f} s   over Geneve")
            say(lines[-1])
        return lines

    # -- summary

    def zones(self) -> list[str]:
        """Return a line for each zone: its name and its gateways, as IC_SB has them."""
        names = {row["_uuid"]: row["name"] for row in self.table("ic", "ovn-ic-sbctl", "Availability_Zone", "_uuid", "name")}
        gateways = self.table("ic", "ovn-ic-sbctl", "Gateway", "name", "availability_zone")
        lines = []
        for uuid, name in sorted(names.items(), key=lambda item: str(item[1])):
            own = sorted(row["name"] for row in gateways if row["availability_zone"] == uuid)
            lines.append(f"{name}: gateways {', '.join(own) or 'none'}")
        return lines

    def switches(self) -> list[str]:
        """Return a line for each transit switch: its subnets, and its tunnel key in IC_SB."""
        bindings = self.table("ic", "ovn-ic-sbctl", "Datapath_Binding", "transit_switch", "tunnel_key")
        keys = {row["transit_switch"]: row["tunnel_key"] for row in bindings}
        found = self.table("ic", "ovn-ic-nbctl", "Transit_Switch", "name", "external_ids")
        return [
            f"{row['name']}: subnets {row['external_ids'].get('transit-subnets', '-')}, tunnel key {keys.get(row['name'])}" for row in found
        ]

    def learned(self, workload: Workload) -> list[str]:
        """Return the routes that a zone learned, as `router: prefix via next hop`."""
        routes = {
            row["_uuid"]: f"{ipaddress.ip_network(row['ip_prefix'], strict=False)} via {row['nexthop']}"
            for row in self.table(
                workload.central, "ovn-nbctl", "Logical_Router_Static_Route", "_uuid", "ip_prefix", "nexthop", "external_ids"
            )
            if "ic-learned-route" in row["external_ids"]
        }
        lines = []
        for router in self.table(workload.central, "ovn-nbctl", "Logical_Router", "name", "static_routes"):
            references = router["static_routes"]
            for reference in references if isinstance(references, list) else [references]:
                if reference in routes:
                    lines.append(f"{router['name']}: {routes[reference]}")
        return sorted(lines)

    def summary(self, proofs: list[str]) -> str:
        """Return the whole summary."""
        first = self.workloads[0]
        learned = [f"az{workload.number}  {line}" for workload in self.workloads for line in self.learned(workload)]
        look = [
            f"lab/hosts.py shell {first.central}        # then: ovn-nbctl show, ovn-sbctl show, ovn-nbctl lr-route-list {ROUTER}",
            "lab/hosts.py shell ic                 # then: ovn-ic-nbctl show, ovn-ic-sbctl show",
            f"lab/hosts.py exec {first.host} -- ip netns exec {first.name} ping {self.workloads[-1].address}",
        ]
        parts = {
            "Zones": self.zones(),
            "Transit switches": self.switches(),
            "Routes learned": learned,
            "Workloads": proofs,
            "Look around": look,
            "Remove": ["make lab-down"],
        }
        return "\n".join(f"{title}\n" + "".join(f"    {line}\n" for line in lines or ["none"]) for title, lines in parts.items())
