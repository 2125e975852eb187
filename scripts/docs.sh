#!/usr/bin/env bash
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds the documentation as HTML: the Markdown files, and the reference of modules, filters and roles from their specifications.
# A warning is a failure. Usage: scripts/docs.sh [DIRECTORY]      (default: .cache/docs)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
output=${1:-$root/.cache/docs}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/scripts/collection_copy.sh" "$work"
source=$work/ansible_collections/ovn/interconnect
mv "$source/scripts/docs/index.rst" "$source"

mkdir "$source/reference"
ANSIBLE_COLLECTIONS_PATH=$work antsibull-docs collection --use-current --squash-hierarchy --fail-on-error \
    --dest-dir "$source/reference" ovn.interconnect >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
rm -rf "$output"
sphinx-build --quiet --fail-on-warning --keep-going --nitpicky --conf-dir "$root/scripts/docs" --doctree-dir "$work/doctrees" \
    --builder html "$source" "$output"
printf 'The documentation is in %s\n' "$output/index.html"
