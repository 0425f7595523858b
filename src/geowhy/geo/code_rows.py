"""A grid that is stored as differences along its rows; only rows that are read are summed.

To sum a whole layer takes as long as to inflate it, and a few footprints read a tenth of its rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Self

import numpy as np

from geowhy.arrays import Array, Bools, Rows

__all__ = ["CodeRows"]

SUMMING = Lock()  # a row that two threads summed would be wrong


@dataclass(frozen=True, slots=True, eq=False)
class CodeRows:
    """Whole numbers, ``[H, W]``."""

    stored: Array  # [H, W]: codes where they are summed, else differences
    is_summed: Bools  # of each row, [H]

    @classmethod
    def of(cls, stored: Array, are_differences: bool) -> Self:
        """From what a file has ``[H, W]``; differences are overwritten by and by."""
        return cls(stored, np.full(len(stored), not are_differences))

    def including(self, rows: Rows) -> Array:
        """The grid ``[H, W]``, in which at least ``rows`` ``[N]`` are codes."""
        if not self.is_summed[rows].all():
            with SUMMING:
                waiting = np.zeros(len(self.stored), np.bool_)
                waiting[rows] = True
                waiting &= ~self.is_summed
                # Whole numbers that wrap around: the sums come out right.
                differences = self.stored[waiting]
                self.stored[waiting] = np.cumsum(differences, axis=1, dtype=self.stored.dtype)
                self.is_summed[waiting] = True
        return self.stored

    def whole(self) -> Array:
        """All codes, ``[H, W]``."""
        return self.including(np.arange(len(self.stored)))
