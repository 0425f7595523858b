"""What the loop trains on: all of one split, in memory, as tensors."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from geowhy.arrays import Floats32, Ints64, Points
from geowhy.geo.sphere import lat_lon_to_unit
from geowhy.training.losses import soft_targets

__all__ = ["BatchOrder", "Candidates", "GroundTruth", "Places"]

PRIOR_VIEWS = 10_000
PRIOR_CHUNK = 500


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """Standardised truth of concepts: by how many deviations a place exceeds the average place.

    Attributes:
        mean, spread: of each concept over the training places, ``[k]``.
    """

    mean: Floats32
    spread: Floats32

    @classmethod
    def fit(cls, truth: Floats32) -> GroundTruth:
        """From the truth at the training places ``[N, k]``, NaN where unknown."""
        spread = np.maximum(np.nanstd(truth, axis=0), 1e-3)
        return cls(np.nanmean(truth, axis=0), spread)

    def standardised(self, truth: Floats32) -> Floats32:
        """``[N, k]``; what is unknown counts as average."""
        standard = (truth - self.mean) / self.spread
        return np.asarray(np.nan_to_num(standard, nan=0.0), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Places that images are held against in one step.

    Attributes:
        lat_lon: degrees ``[M, 2]``.
        units: unit vectors ``[M, 3]``.
        surroundings: what the atlas says around them ``[M, s]``, or ``[M, 0]``.
        log_prior: what is added to their logits in training alone; ``[M]``, or 0.
        complete: whether they stand for the whole Earth; if not, an image's own place and those
            of its batch are candidates too.
    """

    lat_lon: Tensor
    units: Tensor
    surroundings: Tensor
    log_prior: Tensor
    complete: bool


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """N places with what is known of them.

    Attributes:
        lat_lon: degrees ``[N, 2]``.
        units: unit vectors ``[N, 3]``.
        surroundings: what the atlas says around them ``[N, s]``; ``[N, 0]`` if nobody asks.
        images: whitened features of the view of each place ``[N, w]``; empty for a gallery.
        truth: standardised truth of the concepts ``[N, k]``.
        log_prior: logarithm of how much of the training targets falls on each place ``[N]``, up to
            a constant; 0 where that doesn't matter.
    """

    lat_lon: Tensor
    units: Tensor
    surroundings: Tensor
    images: Tensor
    truth: Tensor
    log_prior: Tensor

    @classmethod
    def of(
        cls,
        lat_lon: Points,
        surroundings: Floats32,
        images: Floats32,
        truth: Floats32,
        device: str,
    ) -> Places:
        """Moves arrays, each of N rows ``[N, ...]``, to a device."""
        units, prior = lat_lon_to_unit(lat_lon), np.zeros(len(lat_lon))
        arrays = (lat_lon, units, surroundings, images, truth, prior)
        return cls(*(torch.tensor(a, dtype=torch.float32, device=device) for a in arrays))

    def first(self, count: int) -> Places:
        """The first ``count`` of the places."""
        return Places(*(getattr(self, field.name)[:count] for field in fields(self)))

    def candidates(self, rows: Tensor, complete: bool) -> Candidates:
        """The places in ``rows`` ``[n]``, as candidates."""
        prior = self.log_prior[rows] if complete else torch.zeros(())
        return Candidates(
            self.lat_lon[rows], self.units[rows], self.surroundings[rows], prior, complete
        )

    def with_prior(self, training: Places, sigma_km: float) -> Places:
        """The same places, told how much of the training targets falls on each.

        Training views leave gaps where cells are held out. A model that learns targets alone takes
        a gap for a place where images aren't taken. With the log prior added to the logits, what it
        learns is the ratio of the two, and no place is less likely for having been held out.
        """
        mass = torch.zeros(len(self.units), device=self.units.device)
        for units in training.units[:PRIOR_VIEWS].split(PRIOR_CHUNK):
            mass += soft_targets(units, self.units, sigma_km).sum(dim=0)
        return replace(self, log_prior=torch.log(mass / mass.mean() + 1e-6))


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """The order in which samples are drawn: epoch after epoch, each a new permutation.

    It is a function of the seed and the step alone, so that a resumed run draws what an unbroken
    one would have drawn, and the queue of past coordinates needs no saving.

    Attributes:
        count: number of samples.
        batch: samples a step, over all processes.
        queue: length of the queue.
        seed: of the permutations.
    """

    count: int
    batch: int
    queue: int
    seed: int

    def batch_rows(self, step: int) -> Ints64:
        """Samples of a step, ``[batch]``; steps count from 0."""
        start = step * self.batch
        return self._rows(start, start + self.batch)

    def queue_rows(self, step: int) -> Ints64:
        """The ``queue`` samples drawn before a step; the first steps see those of an epoch -1."""
        start = step * self.batch
        return self._rows(start - self.queue, start)

    def _rows(self, start: int, stop: int) -> Ints64:
        positions = np.arange(start, stop)
        epochs, places = np.divmod(positions, self.count)
        rows = np.empty(len(positions), np.int64)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            rows[here] = self._permutation(int(epoch))[places[here]]
        return rows

    def _permutation(self, epoch: int) -> Ints64:
        # Epochs before 0 exist for the queue; seeds can't be negative.
        return np.random.default_rng([self.seed, epoch % 2**32]).permutation(self.count)
