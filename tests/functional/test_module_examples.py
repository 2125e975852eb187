# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All examples of the modules and filters, of README.md and of docs/modules.md, run on real databases.

Each task with a module of the collection runs twice: both runs have to succeed without a warning, and the second one has to report no
change. The other tasks show or check what these return; ansible-playbook runs them with the results. Only places differ from
the documented text: connection methods, paths, and the address of a cluster's member.

There are two zones whose daemons run, a zone that has no name yet in an interconnect of its own, and a cluster for each global database.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from ansible_collections.ovn.interconnect.tests.support import ovsdb, scenes, topology
from ansible_collections.ovn.interconnect.tests.support.cluster import Cluster, Member
from ansible_collections.ovn.interconnect.tests.support.identity import Authority
from ansible_collections.ovn.interconnect.tests.support.modules import fork_module
from ansible_collections.ovn.interconnect.tests.support.servers import OURS, Interconnect, Server, SuiteMissingError, suite
from ansible_collections.ovn.interconnect.tests.support.world import NEWEST, VSWITCH

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "ovn.interconnect."
PAGES = ("README.md", "docs/modules.md")
Json = dict[str, Any]
Case = tuple[str, str]

pytestmark = pytest.mark.ours("the examples run beside this daemon")

#: Tasks that a test cannot run, with the reason.
NOT_RUN: Mapping[Case, str] = {("ovn_ic_schema", "Stop the server"): "it stops a unit of systemd, which a test has no host for"}

#: What the examples of filters presuppose: the variables of an inventory, and facts as the roles gather them.
NO_ROWS = '{"headings": ["_uuid"], "data": []}'
FACTS: Json = {"name": "az1", "interconnect": [NO_ROWS] * 5, "south": [NO_ROWS] * 2, "attachments": [], "networks": {}, "denylist": []}
PAIR: Json = {"name": "az1", "interconnect": [NO_ROWS] * 3, "south": [NO_ROWS] * 2, "north": [NO_ROWS] * 2, "pings": []}
VARIABLES: Json = {"ovn_ic_az_name": "az1", "ovn_ic_transit_switches": [], "ovn_ic_az_attachments": [], "zone": FACTS, "zones": [PAIR]}


def documented(path: Path) -> list[Json]:
    """The tasks and plays in EXAMPLES of a module or filter, or in the YAML blocks of a page."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        blocks = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)]
        return [entry for block in blocks for entry in block]
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "EXAMPLES":
            return list(yaml.safe_load(ast.literal_eval(node.value)))
    return []


def tasks_of(entry: Json) -> Iterator[Json]:
    """The tasks of a play, with the options that it sets for all modules, or the task itself."""
    defaults = entry.get("module_defaults", {}).get(f"group/{COLLECTION}ovn_ic", {})
    for task in entry.get("tasks", []) if "hosts" in entry else [entry]:
        yield {key: {**defaults, **(value or {})} if key.startswith(COLLECTION) else value for key, value in task.items()}


def all_tasks() -> dict[Case, Json]:
    """Each task by its source and its name or, without a name, its module. Two of one name in a source get numbers."""
    paths = [*sorted((ROOT / "plugins" / "modules").glob("ovn_ic_*.py")), *sorted((ROOT / "plugins" / "filter").glob("[!_]*.py"))]
    found: dict[Case, Json] = {}
    for path in [*paths, *(ROOT / page for page in PAGES)]:
        source = path.stem if path.suffix == ".py" else str(path.relative_to(ROOT))
        for task in (task for entry in documented(path) for task in tasks_of(entry)):
            name = task.get("name") or next(key for key in task if key.startswith(COLLECTION))
            number = sum(1 for other, title in found if other == source and title.partition(" #")[0] == name)
            found[source, f"{name} #{number + 1}" if number else name] = task
    return found


TASKS = all_tasks()
OWN = [case for case, task in TASKS.items() if any(key.startswith(COLLECTION) for key in task)]
OTHERS = [case for case in TASKS if case not in OWN and case not in NOT_RUN]


class Examples:
    """The databases and files that the examples work on."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory = directory
        self.ic = stack.enter_context(Interconnect(NEWEST, OURS))
        self.new = stack.enter_context(Interconnect(NEWEST, OURS))
        for name in ("az1", "az2"):
            self.ic.add_zone(name)
        self.new.add_zone("new")
        for interconnect in (self.ic, self.new):
            interconnect.start(daemons=False)
        host = suite("host").schemas
        self.cluster = Cluster("clustered-ic-sb", directory, host / "ovn-ic-sb.ovsschema", "OVN_IC_Southbound")
        self.single = Member("clustered-ic-nb", directory, host / "ovn-ic-nb.ovsschema", "OVN_IC_Northbound", None, None)
        self.vswitch = Server("ovs", directory, VSWITCH, "Open_vSwitch")
        for server in (self.cluster, self.single, self.vswitch):
            stack.callback(server.stop)
            server.start()
        self._fill()
        self._make_files()
        #: What happens before an example.
        self.before: dict[Case, Callable[[], object]] = {
            ("ovn_ic_az", "Take over the registration that the zone had before its databases were lost"): self._lose_token,
            ("ovn_ic_doctor_info", "Check the interconnect"): self._make_healthy,
            ("ovn_ic_transit_router", "Remove another one with its ports"): self._make_transit_router,
            ("ovn_ic_zone_info", "Wait until router edge has learned the network of another zone"): self._exchange_routes,
            ("README.md", "ovn.interconnect.ovn_ic_az"): self._clear,
            ("docs/modules.md", "Look for faults"): lambda: self._claim("cr-edge-ts1"),
        }

    def _fill(self) -> None:
        for number, zone in enumerate(self.ic.zones, 1):
            zone.nb.transact(*topology.zone_name(zone.name), *topology.router("lr1"), *topology.router("edge"))
            for place, name in enumerate(("gw1", "gw2", "hv1"), 1):
                zone.sb.transact(*topology.chassis(f"{zone.name}-{name}", [("geneve", f"192.0.2.{10 * number + place}")]))
            zone.daemon.start()
        self.vswitch.database.transact(ovsdb.insert("Open_vSwitch", {"external_ids": {"system-id": "az1-gw1"}}))
        for name in ("ts1", "ts2", "ts3", "ts4"):
            self.ic.nb.transact(*topology.transit_switch(name))
        self.ic.settle()
        madrid = uuid4()
        encap = {"type": "geneve", "ip": "192.0.2.91", "gateway_name": "madrid-gw1"}
        gateway = {"name": "madrid-gw1", "availability_zone": madrid, "encaps": [ovsdb.Named("encap")]}
        self.new.sb.transact(
            ovsdb.insert("Availability_Zone", {"name": "madrid"}, madrid),
            ovsdb.insert("Encap", encap, name="encap"),
            ovsdb.insert("Gateway", gateway),
        )

    def _make_files(self) -> None:
        for name in ("ovn", "backups"):
            (self.directory / name).mkdir()
        identity = Authority(self.directory).issue(self.directory, "client")
        for path, name in ((identity.key, "privkey"), (identity.certificate, "cert"), (identity.authority, "ca")):
            shutil.copy(path, self.directory / "ovn" / f"ic-{name}.pem")
        for kind in ("nb", "sb"):
            schema = f"ovn-ic-{kind}.ovsschema"
            shutil.copy(suite(NEWEST).schemas / schema, self.directory / "ovn")
            create = [*suite("host").command("ovsdb-tool"), "create", str(self.directory / "ovn" / f"ovn_ic_{kind}_db.db")]
            subprocess.run([*create, str(suite("host").schemas / schema)], check=True, capture_output=True)

    def _lose_token(self) -> None:
        """The zone has another NB, whose token is not the one in its claim."""
        self.new.zones[0].nb.transact(ovsdb.drop_keys("NB_Global", "external_ids", ["ovn-interconnect-token"]))

    def _claim(self, port: str) -> None:
        """The gateway az1-gw1 claims a chassis redirect port, as its ovn-controller does."""
        zone = self.ic.zones[0]
        zone.northd_sync()
        zone.sb.transact(*topology.claim(port, zone.sb.get("Chassis", name="az1-gw1").uuid))
        self.ic.settle()

    def _make_healthy(self) -> None:
        """Correct what the doctor reports: a port that no gateway holds, and a listener without TLS from the example of another module."""
        self._claim("cr-lr1-ts1")
        self.ic.sb.transact(ovsdb.update("IC_SB_Global", {"connections": set()}))

    def _make_transit_router(self) -> None:
        """The transit router tr2 with a port."""
        port = ovsdb.insert("Transit_Router_Port", {"name": "tr2-all", "mac": "02:00:00:00:00:0a"}, name="port")
        self.ic.nb.transact(port, ovsdb.insert("Transit_Router", {"name": "tr2", "ports": {ovsdb.Named("port")}}))

    def _exchange_routes(self) -> None:
        """Router edge of the first zone and router far of the second one are on ts1, and far has a network."""
        for number, (zone, router) in enumerate(zip(self.ic.zones, ("edge", "far")), 51):
            zone.nb.transact(*topology.zone_options(scenes.ROUTING))
            scenes.attach(zone, router, "ts1", [f"169.254.100.{number}/24"], number=number)
        scenes.lan(self.ic.zones[1], "far", "far-lan", "10.0.2.1/24")
        self.ic.settle()

    def _clear(self) -> None:
        """Remove what the examples of the modules have left: the pages begin with zones that are not interconnected."""
        self.ic.nb.transact(*(ovsdb.delete("Transit_Switch", name=name) for name in ("backbone", "ts1")))
        for zone, routers in zip(self.ic.zones, (("lr1", "edge"), ("far",))):
            zone.nb.transact(*(ovsdb.delete("Logical_Router", name=name) for name in routers))
        self.ic.zones[0].nb.transact(*topology.router("edge"))
        self.ic.settle()

    def places(self, source: str) -> dict[str, str]:
        """The connection method of each option."""
        interconnect = self.new if source == "ovn_ic_az" else self.ic
        zone = interconnect.zones[0]
        servers = {"nb_db": zone.nb_server, "sb_db": zone.sb_server, "ic_nb_db": interconnect.nb_server, "ic_sb_db": interconnect.sb_server}
        return {option: server.remote for option, server in servers.items()}

    def placed(self, source: str, value: Any, option: str = "") -> Any:
        """The same with the places of this test."""
        if isinstance(value, dict):
            return {key: self.placed(source, one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [self.placed(source, one) for one in value]
        if not isinstance(value, str):
            return value
        if source == "ovn_ic_cluster_member" and option == "file":
            return str(self.directory / "ovn" / "member.db")
        if option == "member":
            return self.cluster.members[2].address
        if value.endswith("/ovn-ic.ctl"):
            return str(self.ic.zones[0].daemon.control_socket)
        text = re.sub(r"/(?:etc|usr/share|var/lib)/ovn/", f"{self.directory}/ovn/", value)
        return self.places(source).get(option, text.replace("/var/backups/", f"{self.directory}/backups/"))

    def defaults(self, source: str, module: str, options: Json) -> Json:
        """The options of a module that have other defaults on a host with OVN's packages."""
        if module == "ovn_ic_gateway":
            return {"ovs_db": self.vswitch.remote}
        if module in ("ovn_ic_cluster", "ovn_ic_cluster_info"):
            # A leader that leaves waits for the election timer: let a follower leave.
            member = (
                self.single if options["database"] == "ic_nb" else self.cluster.members[options == {"database": "ic_sb", "state": "absent"}]
            )
            return {"control_socket": str(member.control_socket)}
        return self.places(source) if module not in ("ovn_ic_backup_info", "ovn_ic_schema") else {}

    def run(self, case: Case) -> list[Json]:
        """The results of a module that runs twice."""
        self.before.get(case, lambda: None)()
        source, task = case[0], TASKS[case]
        action = next(key for key in task if key.startswith(COLLECTION))
        module, options = action.rpartition(".")[2], self.placed(source, task[action])
        given = {**self.defaults(source, module, options), **options}
        return [fork_module(module, task.get("check_mode", False), **given) for _ in range(2)]

    def play(self, results: Mapping[Case, list[Json]]) -> str:
        """What ansible-playbook prints when it runs the tasks of Ansible's own modules, with what others have registered."""
        tasks = []
        for source, name in OTHERS:
            task = self.placed(source, TASKS[source, name])
            registered = {TASKS[case]["register"]: results[case][0] for case in OWN if case[0] == source and "register" in TASKS[case]}
            tasks.append({**task, "name": f"{source}: {name}", "vars": {**registered, **task.get("vars", {})}})
        play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
        host = {**VARIABLES, "ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        groups = {"ovn_ic_daemons": {"hosts": {"localhost": host}}}
        for name, content in (("play.yml", [play]), ("inventory.yml", {"all": {"children": groups}}), ("ansible.cfg", None)):
            (self.directory / name).write_text(json.dumps(content) if content else "")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        environment.update(ANSIBLE_CONFIG=str(self.directory / "ansible.cfg"), ANSIBLE_NOCOLOR="1", LC_ALL="C.UTF-8")
        environment["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT / ".venv" / "collections")
        command = [Path(sys.executable).with_name("ansible-playbook"), "-i", self.directory / "inventory.yml", self.directory / "play.yml"]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examples]:
    """The databases, on the newest schemas, which have transit routers."""
    try:
        suite(NEWEST).command("ovn-northd")
    except SuiteMissingError as missing:
        pytest.skip(str(missing))
    with ExitStack() as stack:
        yield Examples(tmp_path_factory.mktemp("examples"), stack)


@pytest.fixture(scope="module")
def results(examples: Examples) -> dict[Case, list[Json]]:
    """The results of all examples, which ran in the order of the text."""
    return {case: examples.run(case) for case in OWN}


@pytest.mark.parametrize("case", OWN, ids=": ".join)
def test_an_example_succeeds_and_changes_nothing_the_second_time(case: Case, results: dict[Case, list[Json]]) -> None:
    for result in results[case]:
        assert not result.get("failed"), result["msg"]
        assert "warnings" not in result
    first, second = results[case]
    # In check mode, nothing has happened between the two.
    assert second["changed"] is (first["changed"] if TASKS[case].get("check_mode") else False), second


def test_each_task_of_ansible_succeeds_with_what_the_modules_returned(examples: Examples, results: dict[Case, list[Json]]) -> None:
    output = examples.play(results)
    assert f"ok={len(OTHERS)} " in output, output
    assert "[WARNING]" not in output
