#!/usr/bin/env bash
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs the integration tests of the modules, those named or all, over a copy of the collection.
# Usage: scripts/integration.sh [TARGET | OPTION OF ansible-test]...
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
version=$("$root/.venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
"$root/scripts/collection_copy.sh" "$copy"
cd "$copy/ansible_collections/ovn/interconnect"
# The environment of a run must not reach the modules: each test says itself which databases it means.
unset OVN_NB_DB OVN_SB_DB OVN_IC_NB_DB OVN_IC_SB_DB ANSIBLE_CONFIG ANSIBLE_COLLECTIONS_PATH
"$root/.venv/bin/ansible-test" integration --local --python "$version" --allow-root "$@"
