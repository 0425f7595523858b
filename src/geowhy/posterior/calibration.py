"""What makes stated radii and abstentions honest: numbers that a model keeps.

They are fitted on validation images by `geowhy.training.calibration`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.posterior.density import Estimate

__all__ = ["Calibration", "stated_km"]

FARTHEST_KM = 20_015.0  # half the circumference of the Earth


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Numbers fitted on validation views or chosen for the run, saved with the model.

    What a model's folder lacks is as it was before it could be chosen.

    Attributes:
        temperature: divides the scores.
        smoothing_km: width of the smoothing of the posterior.
        sureness: power to which the masses of its hills are raised.
        radius_50_factor, radius_90_factor: stretch the posterior's own radii so that they hold
            the truth in 50 and 90 % of the validation views (split conformal prediction).
        novelty_threshold: above it an image is unlike 99 % of the validation views, unless another
            rate of false alarms was chosen.
        abstain_above_km: above this ``radius_50_km`` the model names no place.
        least_radius_km: added to the posterior's own radii.
        region_mass: share of the strongest mode's probability that its credible region holds.
        is_fitted: whether any of this was fitted; a model that was never calibrated says so.
    """

    temperature: float = 1.0
    smoothing_km: float = 300.0
    sureness: float = 1.0
    radius_50_factor: float = 1.0
    radius_90_factor: float = 1.0
    novelty_threshold: float = np.inf
    abstain_above_km: float = 5_000.0
    least_radius_km: float = 30.0  # between neighbours in a gallery of 200,000 places
    region_mass: float = 0.9
    is_fitted: bool = True

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
