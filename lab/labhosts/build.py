# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Building root file systems and layers into the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
from email.utils import formatdate
from pathlib import Path

from . import recipes
from .mirrors import machine_mirror
from .process import locked, run_long
from .settings import LabError, Settings

_APT_OPTIONS = {
    "APT::Install-Recommends": "false",
    "Acquire::Languages": "none",
    # The development suites' release files are often older than they say they may be.
    "Acquire::Check-Valid-Until": "false",
}
_DPKG_EXCLUDE = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
# Nothing that wakes up by itself, asks the network or writes while a test looks.
_MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "dpkg-db-backup.timer", "systemd-timesyncd.service")

# Runs in a mount namespace of its own: $1 mount point, $2 overlay options, $3 package archive, $4 what to do in the chroot.
_IN_OVERLAY = r"""
set -eu
root=$1
mount -t overlay lab-build -o "$2" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p "$root/var/cache/apt/archives"
mount --bind "$3" "$root/var/cache/apt/archives"
mkdir -p "$root/var/cache/apt/archives/partial"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
chroot "$root" /bin/sh -euc "$4"
rm -f "$root/usr/sbin/policy-rc.d" "$root"/var/cache/apt/*.bin "$root/etc/resolv.conf"
"""


class Cache:
    """The cache of root file systems, layers and packages; every entry is built aside and then renamed into place."""

    def __init__(self, settings: Settings) -> None:
        self.root = settings.cache_dir

    def paths(self, suite: str, layer: str | None) -> list[Path]:
        """Return the directories of a built stack, the topmost first; raise LabError where one is missing."""
        paths = [self.root / entry.path for entry in recipes.stack(suite, layer)]
        for path in paths:
            if not path.is_dir():
                command = " ".join(["lab/hosts.py build", suite, *([layer] if layer else [])])
                raise LabError(f"{path} is not built yet: run `{command}`")
        return paths

    def build(self, suite: str, layers: list[str]) -> None:
        """Build what is missing of the root file system of `suite` and of `layers`."""
        for entry in (recipes.rootfs(suite), recipes.layer(recipes.REPOSITORY, suite), *(recipes.layer(name, suite) for name in layers)):
            with locked(self.root / "locks" / entry.name, entry.link):
                if not (self.root / entry.path).is_dir():
                    self._build(entry, suite)
                self._link(entry)

    def _build(self, entry: recipes.Entry, suite: str) -> None:
        """Build one entry beside its place and move it there."""
        work = self.root / "work" / f"{entry.folder}-{entry.name}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        if entry.folder == "rootfs":
            self._build_rootfs(suite, work)
        elif entry.name == f"{recipes.REPOSITORY}-{suite}":
            self._build_repository(suite, work)
        else:
            self._build_layer(entry.name.rsplit("-", 1)[0], suite, work)
        target = self.root / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        (work / "result").rename(target)
        shutil.rmtree(work)

    def _link(self, entry: recipes.Entry) -> None:
        """Let the entry's link show its present contents."""
        link, target = self.root / entry.link, os.path.basename(entry.path)
        if link.is_symlink() and os.readlink(link) == target:
            return
        aside = link.with_name(f".{link.name}.{os.getpid()}")
        aside.symlink_to(target)
        aside.rename(link)

    def _log(self, name: str) -> Path:
        return self.root / "logs" / f"{name}.log"

    def _build_rootfs(self, suite: str, work: Path) -> None:
        """Make the root file system of `suite` with mmdebstrap."""
        result = work / "result"
        run_long(
            f"root file system of Debian {suite}",
            [
                "mmdebstrap",
                "--mode=root",
                "--variant=minbase",
                *(f'--aptopt={name} "{value}"' for name, value in _APT_OPTIONS.items()),
                *(f"--dpkgopt=path-exclude={path}" for path in _DPKG_EXCLUDE),
                f"--include={','.join(recipes.BASE_PACKAGES)}",
                "sid" if suite == "experimental" else suite,
                str(result),
                "-",
            ],
            self._log(f"rootfs-{suite}"),
            stdin=_sources(suite),
        )

    def _build_repository(self, suite: str, work: Path) -> None:
        """Download every package that a host may install, and lay them down in a repository inside the layer."""
        debs = self._debs(suite)
        release = "-t experimental " if suite == "experimental" else ""
        packages = " ".join(recipes.REPOSITORY_PACKAGES)
        self._in_overlay(
            f"packages of Debian {suite}",
            work,
            self.root / recipes.rootfs(suite).path,
            self._debs(suite),
            "apt-get -q update; "
            f"apt-get -qy {release}-o APT::Keep-Downloaded-Packages=true --download-only install {packages}; rm -rf /var/lib/apt/lists/*",
        )
        result = work / "result"
        repository = result / "var/lib/lab-repo"
        repository.mkdir(parents=True)
        for deb in sorted(debs.glob("*.deb")):
            os.link(deb, repository / deb.name)
        run_long(
            f"index of the packages of Debian {suite}",
            ["sh", "-euc", 'cd "$1" && dpkg-scanpackages --multiversion . > Packages', "sh", str(repository)],
            self._log(f"index-{suite}"),
        )
        _write(repository / "Release", _release((repository / "Packages").read_bytes()))
        _write(result / "etc/apt/sources.list", "deb [trusted=yes] file:/var/lib/lab-repo ./\n")
        _write(result / "etc/apt/apt.conf.d/99lab", "".join(f'{name} "{value}";\n' for name, value in _APT_OPTIONS.items()))
        for unit in _MASKED:
            path = result / "etc/systemd/system" / unit
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to("/dev/null")

    def _build_layer(self, name: str, suite: str, work: Path) -> None:
        """Install a layer's packages from the repository; none of their services is started."""
        lower = ":".join(str(self.root / entry.path) for entry in recipes.stack(suite, None))
        packages = " ".join(recipes.LAYERS[name])
        # Not the shared package archive: apt locks it, and other layers may be built at the same time.
        archive = work / "archive"
        archive.mkdir()
        self._in_overlay(
            f"layer {name} on Debian {suite}",
            work,
            lower,
            archive,
            f"apt-get -q update; apt-get -qy install {packages}; rm -rf /var/lib/apt/lists/*",
        )

    def _in_overlay(self, what: str, work: Path, lower: Path | str, archive: Path, script: str) -> None:
        """Run `script` in a chroot of `lower` with `archive` as apt's; what it changes becomes `work`/result."""
        upper, inner, mount = work / "result", work / "overlay", work / "mnt"
        for path in (upper, inner, mount):
            path.mkdir()
        resolv = Path("/etc/resolv.conf")
        if resolv.exists():
            _write(upper / "etc/resolv.conf", resolv.read_text(encoding="utf-8"))
        options = f"lowerdir={lower},upperdir={upper},workdir={inner}"
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _IN_OVERLAY, "sh"]
        run_long(what, [*command, str(mount), options, str(archive), script], self._log(work.name))

    def _debs(self, suite: str) -> Path:
        debs = self.root / "debs" / suite
        debs.mkdir(parents=True, exist_ok=True)
        return debs


def _sources(suite: str) -> str:
    """Return the apt sources of `suite` on this machine's mirror."""
    mirror = machine_mirror()
    suites = ("sid", "experimental") if suite == "experimental" else (suite,)
    return "".join(f"deb {mirror} {name} main\n" for name in suites)


def _release(packages: bytes) -> str:
    """Return the Release file of a repository with this index; without one apt tells of an error for each compression that it tries."""
    return f"Suite: lab\nDate: {formatdate(usegmt=True)}\nSHA256:\n {hashlib.sha256(packages).hexdigest()} {len(packages)} Packages\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
