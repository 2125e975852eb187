#!/usr/bin/env bash
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds the collection and gives it to galaxy-importer, which Galaxy and Automation Hub run on a release. An error or a warning is a failure.
#
# Two parts of the importer are run by scripts/lint.sh instead, because they take minutes here: ansible-lint, with more rules, and flake8,
# with the importer's rules, in one process for all files. GALAXY_IMPORTER_RUN_ANSIBLE_LINT=yes and GALAXY_IMPORTER_RUN_FLAKE8=yes turn them on.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$root/scripts/collection_copy.sh" "$work"
(cd "$work/ansible_collections/ovn/interconnect" && ansible-galaxy collection build --output-path "$work" >/dev/null)

cat >"$work/importer.cfg" <<CONFIG
[galaxy-importer]
check_changelog = true
check_required_tags = true
run_ansible_doc = true
run_ansible_lint = false
run_flake8 = false
CONFIG

cd "$work"
status=0
GALAXY_IMPORTER_CONFIG=$work/importer.cfg python -m galaxy_importer.main ./*.tar.gz >log 2>&1 || status=$?
if [ "$status" -ne 0 ] || grep -qE '^(WARNING|ERROR|CRITICAL)|Traceback' log; then
    cat log
    exit 1
fi
