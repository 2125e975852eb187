#!/usr/bin/env bash
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs `ansible-test sanity` over a copy of the collection, for the interpreter of the environment. Arguments go to ansible-test.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=$root/.venv/bin/python
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

"$python" "$root/scripts/pip_stand_in.py"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
# The rules are those for what is shipped: the project's own tools and tests are not, and have linters of their own.
"$root/scripts/collection_copy.sh" "$copy" ':!benchmarks' ':!lab' ':!scripts' ':!typings' ':!tests'
cd "$copy/ansible_collections/ovn/interconnect"
"$root/.venv/bin/ansible-test" sanity --local --python "$version" "$@"
