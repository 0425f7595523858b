"""A line of progress on standard error, only for people who would otherwise see nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TypeVar

__all__ = ["with_progress"]

A_FEW = 8  # images: so many are done before anyone wonders
EVERY_SECONDS = 0.1
CLEAR_LINE = "\r\x1b[K"

Item = TypeVar("Item")


def with_progress(items: Iterable[Item], total: int) -> Iterator[Item]:
    """The items, counted on the terminal as they pass."""
    # If standard output is a terminal too, the answers themselves show the progress.
    if total <= A_FEW or not sys.stderr.isatty() or sys.stdout.isatty():
        yield from items
        return
    shown_at = 0.0
    try:
        for done, item in enumerate(items, start=1):
            if monotonic() - shown_at >= EVERY_SECONDS:
                sys.stderr.write(f"{CLEAR_LINE}{done:,} of {total:,} images")
                sys.stderr.flush()
                shown_at = monotonic()
            yield item
    finally:
        sys.stderr.write(CLEAR_LINE)
        sys.stderr.flush()
