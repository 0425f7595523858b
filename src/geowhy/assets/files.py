"""Files and folders that appear whole or not at all, their SHA-256, and arrays mapped from them.

With each row of a mapped array come its neighbours, up to 2 MB of them, and they stay. A few rows a
search, and some searches on the whole file counts as this process's memory, beside an image tower
that needs that: so pages are given back.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from geowhy.arrays import Array, Floats32, Ints

__all__ = [
    "appearing_whole",
    "folder_appearing_whole",
    "give_back",
    "in_parts",
    "is_mapped",
    "sha256_of",
]

ROWS_AT_ONCE = 16


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def appearing_whole(path: Path) -> Iterator[Path]:
    """A path to write to; moved to ``path`` at the end, removed after any failure or Ctrl-C."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        partial.chmod(0o644)  # mkstemp lets nobody else read
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def folder_appearing_whole(path: Path, *, keep: bool = False) -> Iterator[Path]:
    """An empty folder to fill; moved to ``path`` at the end, removed after any failure or Ctrl-C.

    It takes the place of what was there, which comes back if that fails; with ``keep`` a folder
    that another process has put there meanwhile is as good, and stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as scratch:
        ready, old = Path(scratch) / "ready", Path(scratch) / "old"
        ready.mkdir()
        yield ready
        if keep and path.is_dir():
            return
        try:
            if path.exists():
                path.rename(old)  # a full folder can't be renamed over
            ready.rename(path)
        except BaseException as error:
            if old.exists() and not path.exists():
                old.rename(path)
            if not (keep and isinstance(error, OSError) and path.is_dir()):
                raise


def in_parts(array: Floats32, rows: Ints) -> Iterator[Floats32]:
    """Some rows of an array ``[M, d]``, a few at a time; pages of a mapped one go back."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield np.asarray(array[rows[start : start + ROWS_AT_ONCE]])
        give_back(array)


def give_back(array: Array) -> None:
    """Takes pages of a mapped file ``[...]`` off this process; the system's copy of them stays."""
    if isinstance(array.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):  # not in Windows
        array.base.madvise(mmap.MADV_DONTNEED)


def is_mapped(array: Array) -> bool:
    """Whether an array ``[...]`` is a whole mapped file."""
    return isinstance(array.base, mmap.mmap)
