"""Writes a page that a verb made."""

from __future__ import annotations

from pathlib import Path

from geowhy.assets.files import appearing_whole
from geowhy.errors import DataError

__all__ = ["write_page"]


def write_page(path: Path, page: str) -> None:
    """Writes the page whole or not at all: an older one stays until then.

    Raises:
        DataError: if it can't be written.
    """
    try:
        with appearing_whole(path) as partial:
            partial.write_text(page, encoding="utf-8")
    except OSError as error:
        raise DataError(
            f"{path}: can't be written ({error.strerror}); choose another --output"
        ) from error
