#!/usr/bin/env bash
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes, of packages of the databases, some that are newer and have other schemas, in a directory that apt reads.
# Usage: packages.sh PACKAGES SCHEMAS VERSION DIRECTORY
set -euo pipefail

packages=$1 schemas=$2 version=$3 directory=$4
room=$(mktemp --directory)
trap 'rm -rf "$room"' EXIT

present=$(dpkg-deb --field "$packages"/ovn-ic-db_*.deb Version)
for name in ovn-common ovn-ic-db; do
    dpkg-deb --raw-extract "$packages/$name"_*.deb "$room/$name"
    sed --in-place "s/${present//./\\.}/$version/" "$room/$name/DEBIAN/control"
done
cp "$schemas"/ovn-ic-nb.ovsschema "$schemas"/ovn-ic-sb.ovsschema "$room/ovn-ic-db/usr/share/ovn/"
mkdir --parents "$directory"
for name in ovn-common ovn-ic-db; do
    dpkg-deb --root-owner-group --build "$room/$name" "$directory"
done
cd "$directory"
dpkg-scanpackages --multiversion . >Packages
