"""Takes pinned packages of npm and Debian, whichever program gets them; their SHA-256 decides.

A package is fetched as the file that it is: nothing is installed, and nothing in it is run. The
user's own npm or apt is asked first, since it knows the user's registry and proxy; where there is
none, or it fails, the file comes from the registry's public address.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Literal

from geowhy.assets.fetch import PinnedWheel, check_sha256, fetch_wheel
from geowhy.assets.files import sha256_of
from geowhy.errors import DownloadError

__all__ = ["PinnedArchive", "PinnedPackages", "fetch_packages", "find_package"]

PATIENCE_S = 60.0  # without a byte


@dataclass(frozen=True, slots=True)
class PinnedArchive:
    """One package file of npm or Debian, down to the byte.

    Attributes:
        index: who publishes it.
        project: its name there.
        version: of the package.
        url: of the file at the public registry.
        pattern: which file names it goes by, whoever fetched it.
        sha256: of the file, lower-case hexadecimal.
    """

    index: Literal["npm", "Debian"]
    project: str
    version: str
    url: str
    pattern: str
    sha256: str

    @property
    def requirement(self) -> str:
        """As npm or apt-get takes it."""
        return f"{self.project}{'@' if self.index == 'npm' else '='}{self.version}"

    @property
    def source(self) -> str:
        """Which it is, for a message."""
        return f"{self.index} {self.requirement}"


@dataclass(frozen=True, slots=True)
class PinnedPackages:
    """Several packages that make one asset together."""

    packages: tuple[PinnedWheel | PinnedArchive, ...]

    @property
    def source(self) -> str:
        """Which they are, for a message."""
        return ", ".join(package.source for package in self.packages)


def fetch_packages(
    pinned: PinnedPackages,
    destination: Path,
    source: Path | None = None,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Path:
    """The folder that holds all of the checked files: ``destination``, or else ``source``.

    ``source`` is a folder with the files, downloaded before; None fetches them. What has come
    stays in ``destination`` if the next one doesn't, and isn't fetched again.

    Raises:
        DownloadError: if one can't be had, or ``source`` lacks it.
        ChecksumError: if a file isn't the pinned one; a downloaded one isn't kept.
    """
    for package in pinned.packages:
        found = find_package(package, source or destination)
        if source is not None:
            on_progress(f"checking {package.requirement}")
            if found is None:
                raise DownloadError(
                    f"{source}: no file {package.pattern} in it; give a folder that holds it "
                    f"({package.source})"
                )
            check_sha256(found, package.sha256, f"{found} is not the file of", package)
        elif found is None or sha256_of(found) != package.sha256:
            on_progress(f"getting {package.source}")
            destination.mkdir(parents=True, exist_ok=True)
            _fetch(package, destination)
    return source or destination


def find_package(package: PinnedWheel | PinnedArchive, folder: Path) -> Path | None:
    """The package's file in a folder, under whichever of its names; None if it isn't there."""
    return min(folder.glob(package.pattern), default=None)


def _fetch(package: PinnedWheel | PinnedArchive, folder: Path) -> None:
    if isinstance(package, PinnedWheel):
        fetch_wheel(package, folder)
        return
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
        path = _by_client(package, Path(scratch)) or _by_address(package, Path(scratch))
        check_sha256(path, package.sha256, f"{path.name} is not the file of", package)
        path.replace(folder / path.name)


def _by_client(package: PinnedArchive, scratch: Path) -> Path | None:
    """What the user's npm or apt-get gives; None if there is none or it fails."""
    command = {
        "npm": ["npm", "pack", "--ignore-scripts", "--silent", package.requirement],
        "Debian": ["apt-get", "download", "--quiet", package.requirement],
    }[package.index]
    program = shutil.which(command[0])
    if program is None:
        return None
    _run([program, *command[1:]], scratch)
    return find_package(package, scratch)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, capture_output=True, check=False)


def _by_address(package: PinnedArchive, scratch: Path) -> Path:
    path = scratch / package.url.rsplit("/", 1)[1]
    try:
        with (
            urllib.request.urlopen(package.url, timeout=PATIENCE_S) as answer,
            path.open("wb") as f,
        ):
            shutil.copyfileobj(answer, f)
    except (OSError, HTTPException) as error:
        raise DownloadError(
            f"{package.requirement} can't be downloaded from {package.url}: {error}\nCheck the "
            "connection and run the same command again, or download the file elsewhere and give "
            "the folder of all of them with --from DIR"
        ) from error
    return path
