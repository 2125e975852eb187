# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of `lab/hosts.py`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import plan, recipes
from .build import Cache
from .hosts import Hosts, Spec
from .process import say
from .runner import keep_running, remove_cgroup
from .settings import LabError, Settings
from .verify import Verification


def _parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; each sets `action`."""
    parser = argparse.ArgumentParser(prog="lab/hosts.py", description="Hosts with systemd as PID 1 for the lab and the tests.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_cache_commands(commands)
    _add_host_commands(commands)
    _add_lab_commands(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, action: object, about: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=about, description=about)
    command.set_defaults(action=action)
    return command


def _add_cache_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    build = _command(commands, "build", _build, "build the root file system of a suite, and layers on it")
    build.add_argument("suite", choices=recipes.SUITES)
    build.add_argument("layer", nargs="*", help=f"one of: {', '.join(sorted(recipes.LAYERS))}")
    path = _command(commands, "path", _path, "print the directories of a built suite and layer, the topmost first")
    path.add_argument("suite", choices=recipes.SUITES)
    path.add_argument("layer", nargs="?")


def _add_host_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    up = _command(commands, "up", _up, "start hosts that do not run yet; prints their names as JSON")
    up.add_argument("name", nargs="?")
    up.add_argument("--suite", default="bookworm", choices=recipes.SUITES)
    up.add_argument("--ip", help="address on the lab's network; without one the host has no network")
    up.add_argument("--ip6", metavar="ADDRESS/LENGTH", help="second address on it, IPv6")
    up.add_argument("--layer", choices=sorted(recipes.LAYERS))
    up.add_argument("--specs", action="store_true", help="read a JSON list of {name, suite, ip, layer, ip6} from standard input instead")
    execute = _command(commands, "exec", _exec, "run a command in a host")
    execute.add_argument("name")
    execute.add_argument("command", nargs=argparse.REMAINDER)
    _command(commands, "shell", _shell, "enter a host").add_argument("name")
    _command(commands, "reboot", _reboot, "reboot a host and wait until it is back").add_argument("name")
    _command(commands, "list", _list, "list the hosts")
    down = _command(commands, "down", _down, "remove hosts with all they hold")
    down.add_argument("name", nargs="*")
    down.add_argument("--all", action="store_true", help="every host, the network and the state directory; the cache stays")
    run = commands.add_parser("_run")
    for name in ("host_dir", "cgroup", "namespace", "lower"):
        run.add_argument(name)
    run.set_defaults(action=_run)
    remove = commands.add_parser("_remove_cgroup")
    remove.add_argument("cgroup")
    remove.set_defaults(action=_remove_cgroup)


def _add_lab_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    inventory = _command(commands, "inventory", _inventory, "write the lab's inventory")
    inventory.add_argument("--output", type=Path, help="file to write; standard output without it")
    inventory.add_argument("--check", action="store_true", help="fail where the file given by --output differs, and write nothing")
    build_lab = _command(commands, "build-lab", _build_lab, "build all that the lab needs")
    verify = _command(commands, "verify", _verify, "prove by ping and TCP that all zones of the lab reach each other, and print a summary")
    verify.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="how long to wait for the first pings, all together")
    for command in (inventory, build_lab):
        command.add_argument("--zones", type=int, default=2, help="how many zones, 1 to 9")
        command.add_argument("--suite", action="append", default=[], metavar="ZONE=SUITE", help="Debian suite of a zone, e.g. az2=trixie")


def _build(options: argparse.Namespace, settings: Settings) -> None:
    Cache(settings).build(options.suite, options.layer)


def _path(options: argparse.Namespace, settings: Settings) -> None:
    for path in Cache(settings).paths(options.suite, options.layer):
        print(path)


def _up(options: argparse.Namespace, settings: Settings) -> None:
    if options.specs:
        specs = [Spec(**spec) for spec in json.load(sys.stdin)]
    elif options.name:
        specs = [Spec(options.name, options.suite, options.ip, options.layer, options.ip6)]
    else:
        raise LabError("give the name of a host, or --specs")
    print(json.dumps(Hosts(settings).up(specs)))


def _exec(options: argparse.Namespace, settings: Settings) -> None:
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise LabError(f"give the command to run: lab/hosts.py exec {options.name} -- COMMAND")
    line = Hosts(settings).enter(options.name, command)
    os.execvp(line[0], line)


def _shell(options: argparse.Namespace, settings: Settings) -> None:
    line = Hosts(settings).enter(options.name, [f"TERM={os.environ.get('TERM', 'dumb')}", "/bin/bash", "--login"])
    os.execvp(line[0], line)


def _reboot(options: argparse.Namespace, settings: Settings) -> None:
    Hosts(settings).reboot(options.name)


def _list(options: argparse.Namespace, settings: Settings) -> None:
    hosts = Hosts(settings)
    for name in hosts.names():
        spec = hosts.spec(name)
        print(f"{name:15} {spec.suite:12} {spec.layer or '-':8} {spec.ip or '-':15} {'running' if hosts.running(name) else 'dead'}")


def _down(options: argparse.Namespace, settings: Settings) -> None:
    if options.all:
        Hosts(settings).down_all()
    elif options.name:
        Hosts(settings).down(options.name)
    else:
        raise LabError("give the names of hosts, or --all")


def _run(options: argparse.Namespace, settings: Settings) -> int:
    return keep_running(Path(options.host_dir), options.cgroup, options.namespace, options.lower)


def _remove_cgroup(options: argparse.Namespace, settings: Settings) -> None:
    remove_cgroup(options.cgroup)


def _inventory(options: argparse.Namespace, settings: Settings) -> None:
    text = plan.inventory_text(plan.Lab.parse(options.zones, options.suite, settings.network))
    if options.output is None:
        print(text, end="")
    elif not options.check:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text, encoding="utf-8")
    elif options.output.read_text(encoding="utf-8") != text:
        raise LabError(f"{options.output} is not what `lab/hosts.py inventory` writes")


def _build_lab(options: argparse.Namespace, settings: Settings) -> None:
    lab = plan.Lab.parse(options.zones, options.suite, settings.network)
    for suite, layers in plan.builds(lab).items():
        Cache(settings).build(suite, layers)
    say("root file systems and layers of the lab are there")


def _verify(options: argparse.Namespace, settings: Settings) -> None:
    verification = Verification(Hosts(settings), options.timeout)
    proofs = verification.prove()
    print("\n" + verification.summary(proofs), end="")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.action(options, Settings.from_environment()) or 0)
    except LabError as error:
        print(f"lab/hosts.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
