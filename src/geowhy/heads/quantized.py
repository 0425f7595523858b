"""Embeddings in 8 bits, for scores that are nearly right and come with a bound of their error.

A gallery of a million places is 2 GB of float32, and to read them takes longer than to multiply
them. Codes are a quarter of that. Who needs the exact best places takes from the float32 rows those
few that the bound can't rule out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from geowhy.model.backbone import open_session

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["GRAPH", "ZERO", "CodedQueries", "CodedRows"]

GRAPH = Path(__file__).parent.parent / "data" / "graphs" / "coarse_scores.onnx"
ZERO, LARGEST = 128, 127  # codes are 1 to 255
# A query goes as two planes of whole numbers. Of 7 bits each: processors without instructions for
# 8-bit products add pairs of them in 16 bits, and 2 · 255 · 63 is the most that these hold.
PLANE_LARGEST = 63
ROUNDING = 1e-5  # of a score's largest possible value: what single precision itself may lose
CODED_AT_ONCE = 16_384  # rows

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class CodedRows:
    """Unit embeddings of M places.

    Attributes:
        codes: ``[M, d]``.
        step: between two codes of a row, ``[M]``.
        error: distance of a row from what its codes say, ``[M]``.
    """

    codes: NDArray[np.uint8]
    step: Floats32
    error: Floats32

    @classmethod
    def of(cls, units: Floats32) -> CodedRows:
        """From float32 rows ``[M, d]``, some at a time."""
        coded = cls(
            np.empty(units.shape, np.uint8),
            np.empty(len(units), np.float32),
            np.empty(len(units), np.float32),
        )
        for start in range(0, len(units), CODED_AT_ONCE):
            rows = slice(start, start + CODED_AT_ONCE)
            step = np.abs(units[rows]).max(axis=1) / LARGEST
            step = np.maximum(step, np.finfo(np.float32).tiny)[:, None]
            whole = np.rint(units[rows] / step)
            coded.codes[rows] = (whole + ZERO).astype(np.uint8)
            coded.step[rows] = step[:, 0]
            coded.error[rows] = np.linalg.norm(units[rows] - whole * step, axis=1)
        return coded

    def rows(self, chosen: NDArray[np.bool_]) -> CodedRows:
        """Some of the places."""
        return CodedRows(self.codes[chosen], self.step[chosen], self.error[chosen])

    def scores(self, queries: CodedQueries, rows: slice) -> Floats32:
        """Inner products of N queries with some of the places, ``[N, B]``, nearly."""
        inputs = {
            "codes": self.codes[rows],
            "planes": queries.planes,
            "combine": queries.combine,
            "step": self.step[rows, None],
        }
        return cast(Floats32, _session().run(["scores"], inputs)[0])

    def bounds(self, queries: CodedQueries, rows: slice) -> Floats32:
        """How far `scores` of unit rows may be off, ``[N, B]``: Cauchy and Schwarz, twice."""
        error = self.error[rows]
        return np.asarray(
            queries.length[:, None] * (error + ROUNDING) + queries.error[:, None] * (1 + error),
            np.float32,
        )


@dataclass(frozen=True, slots=True, eq=False)
class CodedQueries:
    """N queries.

    Attributes:
        planes: coarse and fine whole numbers, ``[d, 2N]``.
        combine: what makes one number of two planes, ``[2N, N]``.
        length: of each query, ``[N]``.
        error: distance of a query from what its planes say, ``[N]``.
    """

    planes: NDArray[np.int8]
    combine: Floats32
    length: Floats32
    error: Floats32

    @classmethod
    def of(cls, queries: Floats32) -> CodedQueries:
        """From float32 rows ``[N, d]``."""
        step = np.abs(queries).max(axis=1, keepdims=True) / PLANE_LARGEST
        step = np.maximum(step, np.finfo(np.float32).tiny)
        fine_step = step / (2 * PLANE_LARGEST)  # half a coarse step is its largest number
        coarse = np.rint(queries / step)
        fine = np.rint((queries - coarse * step) / fine_step)
        said = coarse * step + fine * fine_step
        return cls(
            np.concatenate([coarse, fine]).T.astype(np.int8),
            np.concatenate([np.diag(step[:, 0]), np.diag(fine_step[:, 0])]).astype(np.float32),
            np.linalg.norm(queries, axis=1).astype(np.float32),
            np.linalg.norm(queries - said, axis=1).astype(np.float32),
        )


@cache
def _session() -> onnxruntime.InferenceSession:
    return open_session(GRAPH)
