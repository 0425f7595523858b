"""What makes stated radii and abstentions honest: numbers that a model keeps.

`geowhy.training` fits them: a `Calibration` on validation images, and a `NoveltyDetector`, which
tells images on which the model must not be trusted, on training images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Floats32
from geowhy.posterior.density import Estimate

__all__ = ["Calibration", "NoveltyDetector", "stated_km"]

FARTHEST_KM = 20_015.0  # half the circumference of the Earth
COMPONENTS = 128
MOST_VIEWS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Numbers fitted on validation views or chosen for the run, saved with the model.

    What a model's folder lacks is as it was before it could be chosen. The factors stretch the
    posterior's own radii so that they hold the truth in 50 and 90 % of the validation views (split
    conformal prediction).
    """

    temperature: float = 1.0  # divides the scores
    smoothing_km: float = 300.0  # width of the smoothing of the posterior
    sureness: float = 1.0  # power to which the masses of its hills are raised
    radius_50_factor: float = 1.0
    radius_90_factor: float = 1.0
    novelty_threshold: float = np.inf  # 99 % of validation views are below, unless told otherwise
    abstain_above_km: float = 5_000.0  # above this `radius_50_km` the model names no place
    most_elsewhere: float = 1.0  # with a larger probability of no match the model names no place
    # Added to the posterior's own radii: between neighbours in a gallery of 200,000 places.
    least_radius_km: float = 30.0
    region_mass: float = 0.9  # share of the strongest mode that its credible region holds
    is_fitted: bool = True  # a model that was never calibrated says so

    def radii_km(self, estimate: Estimate) -> tuple[float, float]:
        """The calibrated radii, km, that hold the truth half the time and nine times in ten."""
        half = stated_km(estimate, 0.5, self.least_radius_km) * self.radius_50_factor
        most = stated_km(estimate, 0.9, self.least_radius_km) * self.radius_90_factor
        return min(half, FARTHEST_KM), min(max(most, half), FARTHEST_KM)


def stated_km(estimate: Estimate, mass: float, least_km: float) -> float:
    """The posterior's own radius for half of the probability or for more.

    Half of it lies in the strongest hill for most images, where points tell more than smoothed
    cells. More of it reaches to other hills.
    """
    own_km = estimate.half_km if mass <= 0.5 else estimate.radius_km(mass)
    return own_km + least_km


@dataclass(frozen=True, slots=True, eq=False)
class NoveltyDetector:
    """Mean squared deviation from a Gaussian model of the training features (PPCA).

    The strongest principal components have a variance each, all others share one (Tipping and
    Bishop 1999), so a feature pattern that training never showed counts in full.
    """

    mean: Floats32  # of each backbone feature [f]
    spread: Floats32  # of each, [f]
    directions: Floats32  # strongest principal components [f, c]
    variances: Floats32  # of each of them [c]
    residual_variance: Floats32  # of every other direction, [1]

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
