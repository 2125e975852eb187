#!/usr/bin/env bash
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs `ansible-builder create` on the execution environment, and reads with ansible-builder what the collection asks for.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ansible-builder create --file "$root/execution-environment.yml" --context "$work/context" --output-filename Containerfile >/dev/null
[ -s "$work/context/Containerfile" ] || { echo "ansible-builder made no Containerfile"; exit 1; }

"$root/scripts/collection_copy.sh" "$work"
ansible-builder introspect --write-pip "$work/pip.txt" --write-bindep "$work/bindep.txt" "$work" >/dev/null
# The same lines that the files of meta/ have: nothing is lost on the way.
diff <(grep -v '^#' "$root/meta/ee-requirements.txt") <(sed 's/  # from collection .*//' "$work/pip.txt")
diff <(grep -v '^#' "$root/meta/bindep.txt") <(sed 's/  # from collection .*//' "$work/bindep.txt")
