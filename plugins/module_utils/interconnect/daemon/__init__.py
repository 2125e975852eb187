# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daemon ovn-ic: upstream's command line, control commands, locks and files around the engine (spec status-F)."""

from __future__ import annotations

PROGRAM = "ovn-ic"
#: The release of the collection to which this code belongs.
VERSION = "0.1.0"
