#!/usr/bin/env bash
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Tries the shipped code under another Python and another ansible-core: installs the built collection, runs its unit tests, reads the
# documentation of its modules and the syntax of its playbooks. Needs no Debian packages and no root.
# Usage: scripts/compatibility.sh PYTHON ANSIBLE      for example scripts/compatibility.sh python3.12 2.20
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${1:?name an interpreter, for example python3.12}
ansible=${2:?name a release of ansible-core, for example 2.20}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --no-input --disable-pip-version-check --requirement "$root/requirements/compatibility.txt" \
    "ansible-core~=$ansible.0"
export PATH=$work/venv/bin:$PATH ANSIBLE_COLLECTIONS_PATH=$work/installed LC_ALL=C.UTF-8
unset ANSIBLE_CONFIG

"$root/scripts/collection_copy.sh" "$work"
cd "$work/ansible_collections/ovn/interconnect"
rm ansible.cfg
# The last pytest for Python 3.9 is older than the environment's.
sed -i '/^minversion/d' pyproject.toml
ansible-galaxy collection build --output-path "$work" >"$work/log"
ansible-galaxy collection install --offline --collections-path "$work/installed" "$work"/*.tar.gz >>"$work/log" || { cat "$work/log" >&2; exit 1; }
ansible --version | sed -n 1p
python --version

python -m pytest -q -o pythonpath="$work" -p no:cacheprovider tests/unit/plugins
sed -n 's/^    - \(ovn_ic_\)/ovn.interconnect.\1/p' meta/runtime.yml | xargs ansible-doc --json --type module >"$work/documentation.json"
for playbook in "$work"/installed/ansible_collections/ovn/interconnect/playbooks/*.yml; do
    ansible-playbook --syntax-check --inventory lab/inventory.yml "$playbook" >/dev/null
done
printf 'The collection works with Python %s and ansible-core %s\n' "$(python -c 'import platform; print(platform.python_version())')" "$ansible"
