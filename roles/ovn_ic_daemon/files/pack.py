# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack files of a directory into an archive that belongs to root: `pack.py ARCHIVE DIRECTORY NAME...`."""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return `entry` with root as its owner, readable by all."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o644
    return entry


def main(archive: str, directory: str, *names: str) -> None:
    """Write `archive` with the files `names` of `directory`, under these names."""
    with tarfile.open(archive, "w:gz") as packed:
        for name in names:
            packed.add(Path(directory, name), name, filter=_of_root)


if __name__ == "__main__":
    main(*sys.argv[1:])
