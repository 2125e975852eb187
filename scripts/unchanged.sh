#!/usr/bin/env bash
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs a command that ends in an Ansible recap, and fails unless that recap says that nothing was changed on any host.
# Usage: scripts/unchanged.sh COMMAND...
set -euo pipefail

output=$(mktemp)
trap 'rm -f "$output"' EXIT
ANSIBLE_NOCOLOR=1 "$@" | tee "$output"

recap=$(grep -E '^[^ ]+ +: ok=[0-9]+ +changed=[0-9]+ ' "$output") || {
    echo 'unchanged: the command printed no recap' >&2
    exit 1
}
if changed=$(grep -vE ' changed=0 ' <<<"$recap"); then
    printf 'unchanged: these hosts were changed by a run that had nothing to do:\n%s\n' "$changed" >&2
    exit 1
fi
