"""Reads files out of the packages of npm (tar) and Debian (ar with a tar in it), nothing else."""

from __future__ import annotations

import io
import lzma
import tarfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from geowhy.errors import DataError

__all__ = ["read_members"]

AR_MAGIC = b"!<arch>\n"
AR_HEADER = 60  # bytes: name 16, three numbers, mode, size in 10 digits, two bytes of end
MAX_MEMBER_BYTES = 2**26  # far above any picture we take; stops an archive without end


def read_members(archive: Path, members: Collection[str]) -> dict[str, bytes]:
    """The content of some files of a ``.tgz`` or ``.deb``, by the paths that were asked for.

    Raises:
        DataError: if the archive is damaged, lacks one of them, or one is absurdly large.
    """
    found = {}
    try:
        with archive.open("rb") as file, tarfile.open(fileobj=_tar(file, archive)) as tar:
            for entry in tar:
                path = entry.name.removeprefix("./")
                if path not in members or not entry.isfile():
                    continue
                if entry.size > MAX_MEMBER_BYTES:
                    raise DataError(f"{archive.name}: {path} claims {entry.size} bytes")
                content = tar.extractfile(entry)
                found[path] = b"" if content is None else content.read()
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"{archive}: can't be unpacked ({error}); fetch it anew") from error
    if missing := set(members) - set(found):
        raise DataError(f"{archive.name} has no file {min(missing)}: is it the right package?")
    return found


def _tar(file: BinaryIO, archive: Path) -> BinaryIO:
    """The tar itself: the whole file, or what a Debian package calls ``data.tar``."""
    if file.read(len(AR_MAGIC)) != AR_MAGIC:
        file.seek(0)
        return file
    while len(header := file.read(AR_HEADER)) == AR_HEADER:
        try:
            size = int(header[48:58])
        except ValueError:
            break
        if header.startswith(b"data.tar"):
            return io.BytesIO(file.read(size))
        file.seek(size + size % 2, io.SEEK_CUR)  # members start at even bytes
    raise DataError(f"{archive}: no data.tar in it; fetch it anew")
