"""Files and folders that appear whole or not at all, and their SHA-256."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["appearing_whole", "folder_appearing_whole", "sha256_of"]


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
