#!/usr/bin/env bash
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs every linter and every check of the project's own files; tells all that fail, not only the first.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
export PATH=$PWD/.venv/bin:$PATH
tree=ansible_collections/ovn/interconnect
failed=()
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check() { # NAME COMMAND...
    local name=$1 start=$SECONDS
    shift
    if "$@" >"$work/output" 2>&1; then
        printf '  ok    %-22s %3d s\n' "$name" $((SECONDS - start))
    else
        printf '  FAIL  %-22s %3d s\n' "$name" $((SECONDS - start))
        cat "$work/output"
        failed+=("$name")
    fi
}

# mypy knows a file by one name only: the one under which it is imported, by Ansible or from the root of the checkout.
typed_collection() {
    local paths=() path
    for path in plugins/module_utils plugins/modules tests/support benchmarks; do
        [ -d "$path" ] && paths+=("$tree/$path")
    done
    (cd .venv/collections && mypy --config-file "$tree/pyproject.toml" --cache-dir "$tree/.mypy_cache" "${paths[@]}")
}

typed_tools() {
    mypy --cache-dir .mypy_cache/tools lab scripts
}

shell_scripts() {
    git ls-files -z --cached --others --exclude-standard -- '*.sh' .ci/run | xargs -0 shellcheck
}

# What galaxy-importer runs for each file of plugins/, in one process and with the importer's own settings.
importer_flake8() {
    local ignore select length
    read -r ignore select length < <(python -c 'from galaxy_importer import constants as importer
print(importer.FLAKE8_IGNORE_ERRORS, importer.FLAKE8_SELECT_ERRORS, importer.FLAKE8_MAX_LINE_LENGTH)')
    flake8 --isolated --extend-ignore "$ignore" --select "$select" --max-line-length "$length" plugins
}

# ansible-lint takes longer than all others together, so it runs beside them.
ansible_lint_result() {
    wait "$ansible_lint"
    local status=$?
    cat "$work/ansible-lint"
    return "$status"
}
ansible-lint --offline --profile production --nocolor -q >"$work/ansible-lint" 2>&1 &
ansible_lint=$!

spelling() {
    git ls-files -z --cached --others --exclude-standard | xargs -0 codespell
}

check "ruff" ruff check --quiet .
check "ruff format" ruff format --quiet --check --diff .
check "mypy collection" typed_collection
check "mypy tools" typed_tools
check "shellcheck" shell_scripts
check "text" scripts/check_text.py
check "spelling" spelling
check "action group" scripts/check_action_group.py --check
check "role specifications" scripts/check_role_specs.py
check "role variables" scripts/role_variables.py --check
check "quirks" scripts/check_quirks.py
check "citations of rules" scripts/check_spec_refs.py
check "links" scripts/check_links.py
check "license headers" scripts/check_spdx.py
check "dependencies" scripts/check_dependencies.py
check "tarball" scripts/check_tarball.py
check "yamllint" yamllint --strict .
check "changelog fragments" antsibull-changelog lint
check "changelog" antsibull-changelog lint-changelog-yaml changelogs/changelog.yaml
check "antsibull-docs" antsibull-docs lint-collection-docs --plugin-docs .
check "galaxy-importer" scripts/importer.sh
check "importer's flake8" importer_flake8
check "execution environment" scripts/execution_environment.sh
check "ansible-lint" ansible_lint_result

if [ "${#failed[@]}" -gt 0 ]; then
    printf 'lint: failed: %s\n' "$(IFS=,; echo "${failed[*]}")"
    exit 1
fi
