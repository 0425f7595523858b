"""Arrays that are mapped from files, read without filling the memory.

With each row of a mapped array come its neighbours, up to 2 MB of them, and they stay. A few rows a
search, and some searches on the whole file counts as this process's memory, beside an image tower
that needs that.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import numpy as np

from geowhy.arrays import Array, Floats32, Ints

__all__ = ["give_back", "in_parts", "is_mapped"]

ROWS_AT_ONCE = 16


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
