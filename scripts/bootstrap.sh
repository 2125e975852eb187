#!/usr/bin/env bash
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes the development environment: Debian packages, virtual environment, collection tree. What is there already is skipped.
# Usage: scripts/bootstrap.sh [FILE]      FILE lists the Debian packages (default: requirements/apt.txt)
#
# The packages bring services of their own. None of them is started, stopped or restarted on this machine, now or at its next boot.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
readonly apt_list=${1:-$root/requirements/apt.txt}
readonly venv=$root/.venv
readonly policy=/usr/sbin/policy-rc.d
readonly policy_saved=$policy.saved-by-ovn-interconnect
readonly policy_mark='# Written by ovn.interconnect while it installs packages'

work='' # scratch directory of an installation under way

die() {
    printf 'bootstrap: %s\n' "$*" >&2
    exit 1
}

say() {
    printf '%s\n' "$*"
}

# ---------------------------------------------------------------------------------------------------------------- Debian packages

wanted_packages() {
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$apt_list"
}

missing_packages() {
    comm -23 <(wanted_packages | sort -u) \
        <(wanted_packages | xargs dpkg-query --show --showformat="\${db:Status-Status} \${Package}\n" 2>/dev/null |
            awk '$1 == "installed" { print $2 }' | sort -u)
}

# Names of the units that are enabled, and of the init scripts that start at boot.
enabled_units() {
    find /etc/systemd/system -type l \( -path '*.wants/*' -o -path '*.requires/*' \) -printf '%f\n' 2>/dev/null | sort -u
}

enabled_init_scripts() {
    find /etc/rc[S2345].d -name 'S[0-9][0-9]*' -printf '%f\n' 2>/dev/null | sed 's/^S[0-9]*//' | sort -u
}

running_units() {
    if [ -d /run/systemd/system ]; then
        systemctl list-units --type=service --state=running --plain --no-legend | awk '{ print $1 }' | sort -u
    fi
}

units_of_packages() {
    xargs --no-run-if-empty dpkg-query --listfiles 2>/dev/null | sed -n 's,^.*/systemd/system/\([^/]*\.service\)$,\1,p' | sort -u
}

# policy-rc.d is what invoke-rc.d and deb-systemd-invoke ask before they touch a service; 101 forbids every action.
forbid_service_actions() {
    allow_service_actions # an earlier run may have been killed
    if [ -e "$policy" ] || [ -L "$policy" ]; then
        mv "$policy" "$policy_saved"
    fi
    printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" >"$policy"
    chmod 0755 "$policy"
}

allow_service_actions() {
    if [ -f "$policy" ] && grep -qF "$policy_mark" "$policy"; then
        rm -f "$policy"
    fi
    if [ -e "$policy_saved" ] || [ -L "$policy_saved" ]; then
        mv "$policy_saved" "$policy"
    fi
}

# Disabling is what an administrator would do: later upgrades of the packages respect it.
disable_new_services() {
    local name
    if command -v systemctl >/dev/null; then
        comm -13 "$work/units" <(enabled_units) | while read -r name; do
            systemctl --root=/ --quiet disable "$name" || say "bootstrap: could not disable $name, it will start at the next boot" >&2
        done
    fi
    if command -v update-rc.d >/dev/null; then
        comm -13 "$work/init-scripts" <(enabled_init_scripts) | while read -r name; do
            update-rc.d "$name" disable >/dev/null || say "bootstrap: could not disable $name, it will start at the next boot" >&2
        done
    fi
}

# The policy covers nearly all that a package script does; one that stops its service by other means is made good here.
restart_stopped_services() {
    local name
    comm -23 "$work/running" <(running_units) | comm -12 - <(units_of_packages <"$work/touched") | while read -r name; do
        say "  starting $name again, which its package had stopped"
        systemctl start "$name" || say "bootstrap: $name ran before and could not be started again" >&2
    done
}

# Runs at the end of an installation however it ends. A signal waits for apt-get's own end first: bash runs traps between commands.
finish_installation() {
    trap - EXIT INT TERM HUP
    allow_service_actions
    disable_new_services
    restart_stopped_services
    rm -rf "$work"
}

install_packages() {
    local packages=("$@") apt
    apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold)
    # needrestart must not restart what runs; OVN's own scripts must not find the sockets of what runs: ovn-host stops its daemon by them.
    local -x DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
    local -x OVN_RUNDIR=$work/no-sockets OVS_RUNDIR=$work/no-sockets

    say "Installing ${#packages[@]} Debian packages (no service is started): ${packages[*]}"
    "${apt[@]}" update >"$work/log" 2>&1 || say "bootstrap: apt-get update reported: $(tail -n 1 "$work/log")" >&2
    "${apt[@]}" --simulate --no-install-recommends install "${packages[@]}" 2>>"$work/log" | awk '/^Inst / { print $2 }' >"$work/touched" || true
    if ! "${apt[@]}" --yes --no-install-recommends install "${packages[@]}" >>"$work/log" 2>&1; then
        tail -n 15 "$work/log" >&2
        if grep -qE 'Failed to fetch|Could not resolve|Could not connect|Unable to locate package|Temporary failure' "$work/log"; then
            die "the Debian packages could not be downloaded: check this machine's network and its apt sources"
        fi
        die "apt-get could not install the Debian packages: its last words are above"
    fi
}

ensure_packages() {
    local packages
    [ -r "$apt_list" ] || die "the list of Debian packages $apt_list cannot be read"
    command -v apt-get >/dev/null || die "this environment is made for Debian 12, but this machine has no apt-get"
    mapfile -t packages < <(missing_packages)
    [ "${#packages[@]}" -gt 0 ] || return 0
    [ "$(id -u)" -eq 0 ] || die "installing Debian packages needs root; missing: ${packages[*]}"

    work=$(mktemp -d)
    enabled_units >"$work/units"
    enabled_init_scripts >"$work/init-scripts"
    running_units >"$work/running"
    : >"$work/touched"
    trap finish_installation EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    forbid_service_actions
    install_packages "${packages[@]}"
    finish_installation
}

# ------------------------------------------------------------------------------------------------------------ virtual environment

# Debian's own interpreter: it alone sees Debian's library ovs, whose JSON parser is compiled.
readonly python=/usr/bin/python3

ensure_venv() {
    local base pins
    base=$("$python" -c 'import sys; print(sys.version)' | sha256sum)$root
    pins=$(cat "$root/requirements/dev.txt" "$root/requirements/constraints.txt" | sha256sum)
    if [ -f "$venv/.ready" ] && [ "$(cat "$venv/.ready")" = "$base$pins" ]; then
        return
    fi
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "Python 3.11 or newer is needed (Debian 12), $python is older"
    if [ ! -x "$venv/bin/pip" ] || [[ -f "$venv/.ready" && "$(cat "$venv/.ready")" != "$base"* ]]; then
        # A virtual environment holds its own path: one of another interpreter or place is created again.
        "$python" -m venv --system-site-packages --clear "$venv" || die "the virtual environment $venv could not be made"
    fi
    say "Installing Python packages into .venv (about 90, a minute or so)"
    "$venv/bin/python" -m pip install -qq --no-input --disable-pip-version-check --requirement "$root/requirements/dev.txt" ||
        die "pip could not install the packages of requirements/dev.txt: check this machine's network and pip's index"
    printf '%s\n' "$base$pins" >"$venv/.ready"
}

# Other releases of the library ovs, each in a directory of its own. A machine whose index does not have one goes on without it, and the
# test with it is told as not run.
ensure_libraries() {
    local release wanted=$root/requirements/ovs.txt
    if cmp -s "$wanted" "$venv/ovs/.tried"; then
        return
    fi
    rm -rf "$venv/ovs"
    mkdir -p "$venv/ovs"
    while read -r release; do
        "$venv/bin/python" -m pip install -qq --no-input --disable-pip-version-check --no-deps --ignore-installed \
            --target "$venv/ovs/${release#*==}" "$release" ||
            say "bootstrap: $release cannot be had, its test will be skipped (remove .venv/ovs to try again)" >&2
    done < <(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$wanted")
    cp "$wanted" "$venv/ovs/.tried"
}

# The oldest Ansible that is supported, as a person has it who installed nothing else: without Debian's libraries.
ensure_oldest() {
    local wanted=$root/requirements/oldest.txt oldest=$venv/oldest
    if cmp -s "$wanted" "$oldest/.ready"; then
        return
    fi
    say "Installing $(grep '^ansible-core' "$wanted") into .venv/oldest"
    "$python" -m venv --clear "$oldest" || die "the virtual environment $oldest could not be made"
    "$oldest/bin/python" -m pip install -qq --no-input --disable-pip-version-check --requirement "$wanted" ||
        die "pip could not install the packages of requirements/oldest.txt: check this machine's network and pip's index"
    cp "$wanted" "$oldest/.ready"
}

# Ansible's tools want to see a collection at ansible_collections/<namespace>/<name>.
ensure_collection_tree() {
    local link=$venv/collections/ansible_collections/ovn/interconnect
    if [ "$(readlink "$link" 2>/dev/null)" != "$root" ]; then
        mkdir -p "${link%/*}"
        ln -sfn "$root" "$link"
    fi
}

ensure_packages
ensure_venv
ensure_libraries
ensure_oldest
ensure_collection_tree
