"""Tells images that are unlike the training images, on which the model must not be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Floats32

__all__ = ["NoveltyDetector"]


COMPONENTS = 128
MOST_VIEWS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class NoveltyDetector:
    """Mean squared deviation from a Gaussian model of the training features (PPCA).

    The strongest principal components have a variance each, all others share one (Tipping and
    Bishop 1999), so a feature pattern that training never showed counts in full.

    Attributes:
        mean, spread: of each backbone feature ``[f]``.
        directions: strongest principal components ``[f, c]``.
        variances: of each of them ``[c]``.
        residual_variance: of every other direction, ``[1]``.
    """

    mean: Floats32
    spread: Floats32
    directions: Floats32
    variances: Floats32
    residual_variance: Floats32

    @classmethod
    def fit(cls, features: Floats32) -> NoveltyDetector:
        """From backbone features of training images ``[N, f]``, of which 20,000 suffice."""
        some = features[:: max(1, len(features) // MOST_VIEWS)]
        mean, spread = some.mean(axis=0), some.std(axis=0) + 1e-3
        standard = (some - mean) / spread
        variances, directions = np.linalg.eigh(standard.T @ standard / len(standard))
        kept = min(COMPONENTS, len(variances) - 1)
        return cls(
            mean,
            spread,
            directions[:, -kept:].astype(np.float32),
            variances[-kept:].astype(np.float32),
            np.array([max(variances[:-kept].mean(), 1e-6)], np.float32),
        )

    def score(self, features: Floats32) -> Floats32:
        """Deviation of images ``[N, f]``: about 1 for an image as in training, ``[N]``.

        Further columns, such as those that a model reads maps off, aren't looked at.
        """
        standard = (features[:, : len(self.mean)] - self.mean) / self.spread
        along = standard @ self.directions
        known = (along**2 / self.variances).sum(axis=1)
        rest = (standard**2).sum(axis=1) - (along**2).sum(axis=1)
        total = known + rest / self.residual_variance
        return np.asarray(total / len(self.mean), np.float32)

    def to_tensors(self) -> dict[str, Floats32]:
        """As arrays by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Floats32]) -> NoveltyDetector:
        """Takes what ``to_tensors`` gave."""
        return cls(**{name: np.asarray(tensors[name], np.float32) for name in cls.__slots__})
