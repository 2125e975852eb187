#!/usr/bin/env bash
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs molecule scenarios one after the other, each from nothing to nothing, and ends with a table. A scenario that fails does not keep the others
# from running, but the whole fails.
# Usage: scripts/molecule.sh SCENARIO...
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
[ $# -gt 0 ] || {
    echo 'molecule: name the scenarios to run' >&2
    exit 2
}
results=()
status=0
for scenario; do
    began=$SECONDS
    if molecule test --scenario-name "$scenario"; then
        result=ok
    else
        result=FAILED
        status=1
    fi
    results+=("$(printf '%-24s %8s  %s' "$scenario" $((SECONDS - began)) "$result")")
done
printf '\n%-24s %8s\n' scenario seconds
printf '%s\n' "${results[@]}"
exit "$status"
