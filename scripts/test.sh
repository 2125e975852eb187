#!/usr/bin/env bash
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs every check of the project, the quickest first, stops at the first that fails, and ends with a table of the times.
# The hosts of the last steps stand beside a lab that may be in use already, and are removed in any case.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
steps=(env lint unit sanity functional differential integration lab-plan lab site lab-down molecule-default molecule-datacenters molecule-raft_tls)
times=()
began=$SECONDS

state=$(mktemp -d)
# A name of its own: another run of the tests, or what is left of one that was killed, is not touched.
export OVN_IC_LAB_DIR=$state/lab OVN_IC_LAB_PREFIX=oictest-$$
# Three zones, whose routers, switches and ports have equal names.
export ZONES=3
lab_begun=''
child=''

table() { # RESULT OF THE LAST STEP THAT RAN
    local number result
    printf '\n%-18s %8s\n' step seconds
    for number in "${!steps[@]}"; do
        result=ok
        [ "$number" -lt "$((${#times[@]} - 1))" ] || result=$1
        [ "$number" -lt "${#times[@]}" ] || result='not run'
        printf '%-18s %8s  %s\n' "${steps[number]}" "${times[number]:-}" "$result"
    done
}

finish() {
    trap '' INT TERM HUP
    trap - EXIT
    # The step that was interrupted, with all that it has started.
    if [ -n "$child" ]; then
        kill -TERM -- "-$child" 2>/dev/null
        wait "$child" 2>/dev/null
    fi
    if [ -n "$lab_begun" ]; then make --no-print-directory lab-down >/dev/null 2>&1; fi
    rm -rf "$state"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

run_step() { # NAME
    case $1 in
        lab-plan)
            # What a careful person does first: a dry run against deployments that know nothing of an interconnect.
            make --no-print-directory lab-up && make --no-print-directory site ARGS='--check --diff'
            ;;
        site) scripts/unchanged.sh make --no-print-directory site ;;
        # One of them by the oldest Ansible that is supported, the others by the environment's.
        molecule-raft_tls) make --no-print-directory molecule SCENARIOS=raft_tls OLDEST=1 ;;
        molecule-*) make --no-print-directory molecule SCENARIOS="${1#molecule-}" ;;
        *) make --no-print-directory "$1" ;;
    esac
}

for step in "${steps[@]}"; do
    printf '\n==> %s\n' "$step"
    start=$SECONDS
    case $step in
        lab-plan | molecule-*) lab_begun=yes ;;
    esac
    # A process group of its own, and waited for: so an interruption ends it at once.
    set -m
    run_step "$step" </dev/null &
    child=$!
    set +m
    wait "$child"
    status=$?
    child=''
    if [ "$step" = lab-down ] && [ "$status" -eq 0 ]; then lab_begun=''; fi
    times+=($((SECONDS - start)))
    if [ "$status" -ne 0 ]; then
        table FAILED
        printf '\nFAILED at %s after %d s\n' "$step" $((SECONDS - began))
        exit 1
    fi
done
table ok
printf '\nPASSED in %d s\n' $((SECONDS - began))
