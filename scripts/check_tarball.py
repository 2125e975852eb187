#!/usr/bin/env python3
# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection and checks that the documents in it name only files that are in it too.

A user who installs the collection has no clone. So a relative link of a shipped document has to lead to a shipped file, and a path in
backticks in the README of the collection or of a role has to be that of a shipped file. A file that only the repository has is linked
there, by its full address.
"""

from __future__ import annotations

import posixpath
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[(?:`[^`\n]*`|[^\]`])*\]\(([^)\s]+)\)")
#: The pages that Galaxy and Automation Hub show.
README = re.compile(r"README\.md|roles/\w+/README\.md")
CODE = re.compile(r"`([^`\n]+)`")


def tracked() -> frozenset[str]:
    """The files and directories of the repository, by their paths from its root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return with_directories(name for name in listing.split("\0") if name)


def with_directories(names: Iterable[str]) -> frozenset[str]:
    """The given paths of files, and those of all directories above them."""
    return frozenset(str(path) for name in names for path in (PurePosixPath(name), *PurePosixPath(name).parents))


def shipped(directory: Path) -> dict[str, str]:
    """Build the collection in a directory, from the files that git sees.

    Returns the shipped files by path: of a Markdown document its text, of any other file an empty text.
    """
    subprocess.run([str(ROOT / "scripts" / "collection_copy.sh"), str(directory)], check=True)
    copy = directory / "ansible_collections" / "ovn" / "interconnect"
    build = ["ansible-galaxy", "collection", "build", "--output-path", str(directory)]
    subprocess.run(build, cwd=copy, check=True, stdout=subprocess.DEVNULL)
    texts = {}
    with tarfile.open(next(directory.glob("*.tar.gz"))) as artifact:
        for member in artifact.getmembers():
            content = artifact.extractfile(member)
            if content is not None:
                texts[member.name] = content.read().decode() if member.name.endswith(".md") else ""
    return texts


def links(text: str) -> list[str]:
    """The targets of the relative links of a document, without anchors."""
    targets = [target.partition("#")[0] for target in LINK.findall(text) if not re.match(r"[a-z]+:", target)]
    return [target for target in targets if target]


def quoted(text: str) -> list[str]:
    """The words in backticks, outside links, that look like paths."""
    words = [word for code in CODE.findall(LINK.sub("", text)) for word in code.split()]
    return [word.rstrip("/") for word in words if "/" in word or "." in word]


def findings(name: str, text: str, artifact: frozenset[str], repository: frozenset[str]) -> list[str]:
    """One line for each path that a shipped document names and that the collection does not have."""
    text = FENCE.sub("", text)
    found = []
    for target in links(text):
        if posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) not in artifact:
            found.append(f"{name}: the link to {target} leads out of the collection: link to the file in the repository")
    if README.fullmatch(name):
        for word in quoted(text):
            if word in repository and word not in artifact:
                found.append(f"{name}: `{word}` is not in the collection: make it a link to the file in the repository")
    return found


def main() -> int:
    """Print every finding; 1 if there is any."""
    with tempfile.TemporaryDirectory() as directory:
        texts = shipped(Path(directory))
    artifact, repository = with_directories(texts), tracked()
    found = [line for name, text in sorted(texts.items()) for line in findings(name, text, artifact, repository)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
