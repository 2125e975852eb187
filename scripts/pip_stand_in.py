#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets ansible-test make its virtual environments where its download host is out of reach.

ansible-test takes pip from a script, get-pip, that it keeps in its cache. This writes a stand-in for that script, which installs with
the wheel of the wanted pip version, fetched by this environment's own pip. A script that is in the cache already is left alone.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from ansible_test._internal.python_requirements import get_venv_packages

CACHE = Path.home() / ".ansible" / "test" / "cache"

STAND_IN = '''\
"""Stand-in for get-pip: installs the wanted packages with the pip of the wheel beside it."""
import os
import runpy
import sys

sys.path.insert(0, os.path.join({cache!r}, {wheel!r}))
wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.argv = ["pip", "install"] + wanted
runpy.run_module("pip", run_name="__main__", alter_sys=True)
'''


def wanted_pip() -> str:
    """The pip version that ansible-test installs into the environments of this interpreter's version."""
    return str(get_venv_packages(SimpleNamespace(version=".".join(platform.python_version_tuple()[:2])))["pip"])


def main() -> int:
    """Write the stand-in, and the wheel beside it, unless they are there."""
    version = wanted_pip()
    script = CACHE / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists():
        return 0
    CACHE.mkdir(parents=True, exist_ok=True)
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check", "--dest", str(CACHE)]
    if subprocess.run([*fetch, f"pip=={version}"], check=False).returncode:
        print(f"pip_stand_in: the wheel of pip {version} could not be downloaded: check the network and pip's index", file=sys.stderr)
        return 1
    script.write_text(STAND_IN.format(cache=str(CACHE), wheel=f"pip-{version}-py3-none-any.whl"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
