"""The gallery points nearest to images, by embeddings in 8 bits with a bound of their error.

A million places are 2 GB of float32, and to read them takes longer than to multiply them. Codes are
a quarter of that, and go by in blocks, of which only what an answer needs is kept: the points that
the bound can't rule out, and the sums of exponentials, of all and by cell. Those few points are
then scored by their float32 rows, so which are best and their scores are exact; the exponentials of
the others are right to about one in a hundred each, by chance to either side.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from geowhy.arrays import Bools, Floats32, Floats64, Rows
from geowhy.assets.files import give_back, in_parts
from geowhy.model.backbone import open_session

__all__ = [
    "GRAPH",
    "ZERO",
    "CodedQueries",
    "CodedRows",
    "NearestPlaces",
    "RetrievalGallery",
    "nearest_places",
]

GRAPH = Path(__file__).parent.parent / "data" / "graphs" / "coarse_scores.onnx"
ZERO, LARGEST = 128, 127  # codes are 1 to 255
# A query goes as two planes of whole numbers. Of 7 bits each: processors without instructions for
# 8-bit products add pairs of them in 16 bits, and 2 · 255 · 63 is the most that these hold.
PLANE_LARGEST = 63
ROUNDING = 1e-5  # of a score's largest possible value: what single precision itself may lose
CODED_AT_ONCE = 16_384  # rows
BLOCK = 32_768  # places; with 4 images: 512 KB of scores

_opened = cache(open_session)


@dataclass(frozen=True, slots=True, eq=False)
class CodedRows:
    """Unit embeddings of M places."""

    codes: NDArray[np.uint8]  # [M, d]
    step: Floats32  # between two codes of a row [M]
    error: Floats32  # distance of a row from what its codes say [M]

    @classmethod
    def of(cls, units: Floats32) -> CodedRows:
        """From float32 rows ``[M, d]``, some at a time."""
        step, error = np.empty((2, len(units)), np.float32)
        coded = cls(np.empty(units.shape, np.uint8), step, error)
        for start in range(0, len(units), CODED_AT_ONCE):
            rows = slice(start, start + CODED_AT_ONCE)
            step = np.abs(units[rows]).max(axis=1, keepdims=True) / LARGEST
            step = np.maximum(step, np.finfo(np.float32).tiny)
            whole = np.rint(units[rows] / step)
            coded.codes[rows] = (whole + ZERO).astype(np.uint8)
            coded.step[rows] = step[:, 0]
            coded.error[rows] = np.linalg.norm(units[rows] - whole * step, axis=1)
        return coded

    @classmethod
    def exact(cls, codes: NDArray[np.int8]) -> CodedRows:
        """Rows that are whole numbers, ``[M, d]``, so that nothing is lost."""
        biased = (codes.view(np.uint8) ^ np.uint8(ZERO)).astype(np.uint8, copy=False)
        return cls(biased, np.ones(len(codes), np.float32), np.zeros(len(codes), np.float32))

    def rows(self, chosen: Bools) -> CodedRows:
        """The places that are ``chosen`` ``[M]``."""
        return CodedRows(self.codes[chosen], self.step[chosen], self.error[chosen])

    def scores(self, queries: CodedQueries, rows: slice) -> Floats32:
        """Inner products of N queries with some of the places, ``[N, B]``, nearly."""
        inputs = {
            "codes": self.codes[rows],
            "planes": queries.planes,
            "combine": queries.combine,
            "step": self.step[rows, None],
        }
        return cast(Floats32, _opened(GRAPH).run(["scores"], inputs)[0])

    def all_scores(self, queries: CodedQueries) -> Floats32:
        """Inner products of N queries with all places, ``[N, M]``, nearly."""
        starts = range(0, len(self.codes), BLOCK)
        blocks = [self.scores(queries, slice(start, start + BLOCK)) for start in starts]
        return np.concatenate(blocks, axis=1)

    def bounds(self, queries: CodedQueries, rows: slice) -> Floats32:
        """How far `scores` of unit rows may be off, ``[N, B]``: Cauchy and Schwarz, twice."""
        error = self.error[rows]
        return np.asarray(
            queries.length[:, None] * (error + ROUNDING) + queries.error[:, None] * (1 + error),
            np.float32,
        )


@dataclass(frozen=True, slots=True, eq=False)
class CodedQueries:
    """N queries."""

    planes: NDArray[np.int8]  # coarse and fine whole numbers [d, 2N]
    combine: Floats32  # what makes one number of two planes [2N, N]
    length: Floats32  # of each query [N]
    error: Floats32  # distance of a query from what its planes say [N]

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


@dataclass(frozen=True, slots=True, eq=False)
class RetrievalGallery:
    """M places to choose among, in C cells."""

    units: Floats32  # unit embeddings [M, d]
    coded: CodedRows  # the same in 8 bits
    log_prior: Floats32 | None  # added to the logits [M]
    point_to_cell: NDArray[np.int32]  # [M]
    cells: int  # C


@dataclass(frozen=True, slots=True, eq=False)
class NearestPlaces:
    """The k best of M places for one image."""

    rows: Rows  # of the places, best first [k]
    probability: Floats64  # of each, in the softmax over all M places [k]
    cell_mass: Floats64  # probability of each of C cells [C]


def nearest_places(queries: Floats32, gallery: RetrievalGallery, top_k: int) -> list[NearestPlaces]:
    """Softmax retrieval of N ``queries`` ``[N, d]``, scaled: one answer each."""
    asked, count = CodedQueries.of(queries), len(gallery.units)
    kept = [_Kept(np.full(min(top_k, count), -np.inf), np.zeros(gallery.cells)) for _ in queries]
    for start in range(0, count, BLOCK):
        block = slice(start, start + BLOCK)
        logits, bounds = gallery.coded.scores(asked, block), gallery.coded.bounds(asked, block)
        if gallery.log_prior is not None:
            logits += gallery.log_prior[block]
        for image, image_logits, image_bounds in zip(kept, logits, bounds, strict=True):
            image.keep_best(image_logits, image_bounds, start)
            image.sum_up(image_logits, gallery.point_to_cell[block])
        give_back(gallery.coded.codes)
    return [image.answer(query, gallery) for image, query in zip(kept, queries, strict=True)]


@dataclass(slots=True, eq=False)
class _Kept:
    """What is known of one image after some blocks; exponentials are relative to the ``peak``."""

    sure: Floats64  # scores that as many places reach for certain
    cell_mass: Floats64
    total: float = 0.0
    peak: float = -np.inf
    # Of each block the places that may still be among the best: rows, scores, and at most so much.
    blocks: list[tuple[Rows, Floats32, Floats32]] = field(default_factory=list)

    def keep_best(self, logits: Floats32, bounds: Floats32, start: int) -> None:
        """Takes in a block ``[B]`` of places from ``start`` on, for the best."""
        some = np.flatnonzero(logits + bounds >= self.sure.min())
        at_least = np.concatenate([self.sure, logits[some] - bounds[some]])
        self.sure = np.partition(at_least, -len(self.sure))[-len(self.sure) :]
        some = some[logits[some] + bounds[some] >= self.sure.min()]
        self.blocks.append((some + start, logits[some], logits[some] + bounds[some]))

    def sum_up(self, logits: Floats32, point_to_cell: NDArray[np.int32]) -> None:
        """Takes in a block for the sums; overwrites ``logits``."""
        peak = max(self.peak, float(logits.max()))
        shrunk = np.exp(self.peak - peak)
        logits -= np.float32(peak)
        np.exp(logits, out=logits)
        self.total = self.total * shrunk + float(logits.sum(dtype=np.float64))
        if shrunk < 1:
            self.cell_mass *= shrunk
        self.cell_mass += np.bincount(point_to_cell, logits, len(self.cell_mass))
        self.peak = peak

    def answer(self, query: Floats32, gallery: RetrievalGallery) -> NearestPlaces:
        """The best by their float32 rows; in the sums, too, these replace the codes."""
        rows, coarse, at_most = map(np.concatenate, zip(*self.blocks, strict=True))
        possible = at_most >= self.sure.min()
        rows, coarse = rows[possible], coarse[possible]
        # Not @, whose rounding depends on where in the table a row stands.
        products = [
            np.einsum("md,d->m", units, query, dtype=np.float64)
            for units in in_parts(gallery.units, rows)
        ]
        exact = np.concatenate(products)
        if gallery.log_prior is not None:
            exact += gallery.log_prior[rows]
        peak = max(self.peak, exact.max())
        correction = np.exp(exact - peak) - np.exp(coarse - peak)
        total = self.total * np.exp(self.peak - peak) + correction.sum()
        cell_mass = self.cell_mass * np.exp(self.peak - peak)
        np.add.at(cell_mass, gallery.point_to_cell[rows], correction)
        # Equal scores keep the order of the gallery.
        best = np.lexsort((rows, -exact))[: len(self.sure)]
        return NearestPlaces(
            rows[best], np.exp(exact[best] - peak) / total, np.maximum(cell_mass, 0) / total
        )
