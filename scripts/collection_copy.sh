#!/usr/bin/env bash
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Copies the collection, as git sees it, to DIRECTORY/ansible_collections/ovn/interconnect, where Ansible's test tools want it.
# Files not yet committed are copied too, ignored ones are not.
# Usage: scripts/collection_copy.sh DIRECTORY [PATHSPEC...]      PATHSPECs as git understands them, ':!lab' leaves lab/ out
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=$1/ansible_collections/ovn/interconnect
shift

mkdir -p "$target"
cd "$root"
git ls-files -z --cached --others --exclude-standard -- "$@" |
    while IFS= read -r -d '' file; do
        # A file that was deleted and not yet committed is listed as well.
        if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
    done |
    tar --create --null --files-from=- | tar --extract --directory="$target"
