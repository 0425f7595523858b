"""What the loop trains on: all of one split, in memory, as tensors, and how batches are drawn."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from geowhy.arrays import Floats32, Ints64, Points
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.export.backbone_export import LAYOUT_GRID
from geowhy.geo.sphere import EARTH_RADIUS_KM, lat_lon_to_unit
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES
from geowhy.training.aligner import Whitening

__all__ = [
    "SYMMETRIES", "AlignmentData", "BatchOrder", "GroundTruth", "Places", "soft_targets", "turned",
    "turned_alike",
]  # fmt: skip

PRIOR_VIEWS = 10_000
PRIOR_CHUNK = 500
SYMMETRIES = 8  # of a square


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """By how many deviations a place exceeds the average training place, concept by concept."""

    mean: Floats32  # [k]
    spread: Floats32  # [k]

    @classmethod
    def fit(cls, truth: Floats32) -> GroundTruth:
        """From the truth at the training places ``[N, k]``, NaN where unknown."""
        return cls(np.nanmean(truth, axis=0), np.maximum(np.nanstd(truth, axis=0), 1e-3))

    def standardised(self, truth: Floats32) -> Floats32:
        """``[N, k]``; what is unknown counts as average."""
        standard = (truth - self.mean) / self.spread
        return np.asarray(np.nan_to_num(standard, nan=0.0), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """N places with what is known of them."""

    lat_lon: Tensor  # degrees [N, 2]
    units: Tensor  # unit vectors [N, 3]
    surroundings: Tensor  # what the atlas says around them [N, s]; [N, 0] if nobody asks
    images: Tensor  # whitened features of the view of each place [N, w]; empty for a gallery
    truth: Tensor  # standardised truth of the concepts [N, k]
    log_prior: Tensor  # [N], as `with_prior` sets it; 0 where it doesn't matter

    @classmethod
    def of(
        cls, lat_lon: Points, surroundings: Floats32, images: Floats32, truth: Floats32, device: str
    ) -> Places:
        """Moves arrays, each of N rows ``[N, ...]``, to a device."""
        units, prior = lat_lon_to_unit(lat_lon), np.zeros(len(lat_lon))
        arrays = (lat_lon, units, surroundings, images, truth, prior)
        return cls(*(torch.tensor(a, dtype=torch.float32, device=device) for a in arrays))

    def __getitem__(self, rows: slice | Tensor) -> Places:
        """The places in ``rows`` ``[n]``."""
        return Places(*(getattr(self, field.name)[rows] for field in fields(self)))

    def with_prior(self, training: Places, sigma_km: float) -> Places:
        """The same places, told how much of the training targets falls on each.

        Training views leave gaps where cells are held out. A model that learns targets alone takes
        a gap for a place where images aren't taken. With the log prior added to the logits, what it
        learns is the ratio of the two, and no place is less likely for having been held out. The
        prior is known up to a constant.
        """
        mass = torch.zeros(len(self.units), device=self.units.device)
        for units in training.units[:PRIOR_VIEWS].split(PRIOR_CHUNK):
            mass += soft_targets(units, self.units, sigma_km).sum(dim=0)
        return replace(self, log_prior=torch.log(mass / mass.mean() + 1e-6))


@dataclass(frozen=True, slots=True, eq=False)
class AlignmentData:
    """What an objective reads that aligns images with places."""

    seen: Vocabulary  # what images show
    whitening: Whitening
    training: Places
    validation: Places | None  # None where no image is held out for it
    land: Places  # to validate on, and to know the land at large


def soft_targets(positives: Tensor, places: Tensor, sigma_km: float) -> Tensor:
    """How much each of ``places`` ``[M, 3]`` counts as right for ``positives`` ``[N, 3]``.

    Unit vectors in; rows of ``[N, M]`` that add up to 1: Gaussian in the great-circle distance,
    width ``sigma_km``. With 0 only the nearest place counts, which is plain InfoNCE when the first
    N places are the positives themselves.
    """
    half_chord = ((1 - positives @ places.T) / 2).clamp(0, 1).sqrt()
    distance_km = 2 * EARTH_RADIUS_KM * torch.asin(half_chord)
    if sigma_km == 0:
        nearest = distance_km.argmin(dim=1)
        return torch.nn.functional.one_hot(nearest, len(places)).to(distance_km.dtype)
    return torch.softmax(-((distance_km / sigma_km) ** 2) / 2, dim=1)


def turned(rows: Tensor, first: int, count: int, grid: int, symmetry: int) -> Tensor:
    """Rows ``[N, F]`` whose grids are mirrored or turned; the other columns stay.

    From the column ``first`` on, each row holds ``count`` grids of ``grid`` by ``grid`` fields, one
    after the other. ``symmetry`` is one of the ``SYMMETRIES``; 0 changes nothing.
    """
    if symmetry == 0 or count == 0:
        return rows
    last = first + count * grid * grid
    grids = rows[:, first:last].reshape(len(rows), count, grid, grid)
    if symmetry & 1:
        grids = grids.flip(-1)
    if symmetry & 2:
        grids = grids.flip(-2)
    if symmetry & 4:
        grids = grids.transpose(-1, -2)
    return torch.cat([rows[:, :first], grids.reshape(len(rows), -1), rows[:, last:]], dim=1)


def turned_alike(images: Tensor, surroundings: Tensor, summary: int) -> tuple[Tensor, Tensor]:
    """Views ``[N, w]`` and maps ``[M, s]`` under one random symmetry.

    The coast that they then show exists nowhere, yet the one still fits the other: what a model
    learns on such pairs is how to match, not where a coast is. The views' layout follows their
    ``summary``; places that nobody looks around have no maps.
    """
    symmetry = int(torch.randint(SYMMETRIES, ()))
    colours = (images.shape[1] - summary) // LAYOUT_GRID**2
    maps = len(MAP_NAMES) if surroundings.shape[1] else 0
    return (
        turned(images, summary, colours, LAYOUT_GRID, symmetry),
        turned(surroundings, 0, maps, MAP_GRID, symmetry),
    )


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """The order in which samples are drawn: epoch after epoch, each a new permutation.

    It is a function of the seed and the step alone, so that a resumed run draws what an unbroken
    one would have drawn, and the queue of past coordinates needs no saving. A ``batch`` is what all
    processes together draw of ``count`` samples.
    """

    count: int
    batch: int
    queue: int
    seed: int

    def batch_rows(self, step: int) -> Ints64:
        """Samples of a step, ``[batch]``; steps count from 0."""
        return self._rows(step * self.batch, (step + 1) * self.batch)

    def queue_rows(self, step: int) -> Ints64:
        """The ``queue`` samples drawn before a step; the first steps see those of an epoch -1."""
        return self._rows(step * self.batch - self.queue, step * self.batch)

    def _rows(self, start: int, stop: int) -> Ints64:
        epochs, places = np.divmod(np.arange(start, stop), self.count)
        rows = np.empty(stop - start, np.int64)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            # Epochs before 0 exist for the queue; seeds can't be negative.
            rng = np.random.default_rng([self.seed, int(epoch) % 2**32])
            rows[here] = rng.permutation(self.count)[places[here]]
        return rows
