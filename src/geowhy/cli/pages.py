"""Writes a page that a verb made."""

from __future__ import annotations

import os
from pathlib import Path

from geowhy.errors import DataError

__all__ = ["write_page"]


def write_page(path: Path, page: str) -> None:
    """Writes the page whole or not at all: an older one stays until then.

    Raises:
        DataError: if it can't be written.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        partial.write_text(page, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise DataError(
            f"{path}: can't be written ({error.strerror}); choose another --output"
        ) from error
