"""From which probability on an answer is verified, and how far radii reach."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from geowhy.arrays import Bools, Floats64
from geowhy.engine import Engine
from geowhy.geo.sphere import distance_km
from geowhy.model.terms import Encoded
from geowhy.orbit.spread import Spread
from geowhy.orbit.terms import RegistrationImages
from geowhy.orbit.verdict import Verdict
from geowhy.posterior import Calibration, Estimate, stated_km
from geowhy.training.orbit.laying import RIGHT_WITHIN, LaidPictures

__all__ = ["Judged", "calibrated_radii", "fit_spread", "fitted_spread", "judge", "sure_from"]

FACTORS = np.geomspace(0.2, 10.0, 40)  # of standard deviations by curvature
FLOORS_KM = np.append(0.0, np.geomspace(0.1, 40.0, 60))
DEGREES = 2.0  # of freedom: of Student's distribution, as some errors are far larger than most


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What an engine says of N pictures whose places are known."""

    estimates: list[Estimate]
    away_km: Floats64  # from the truth [N]; infinite for what is nowhere
    width_km: Floats64  # [N]

    @property
    def probability(self) -> Floats64:
        """Of each answer, ``[N]``."""
        return np.array([estimate.modes[0].probability for estimate in self.estimates])

    @property
    def is_right(self) -> Bools:
        """Which answers are, ``[N]``."""
        return self.away_km < RIGHT_WITHIN * self.width_km


def judge(engine: Engine, pictures: LaidPictures, verdict: Verdict) -> Judged:
    """What ``engine``, which weighs everything as it will, says of laid pictures."""
    laid = replace(pictures.laid, log_odds=verdict.log_odds(pictures.laid.features))
    parts = (p for p in pictures.side.parts if not isinstance(p, RegistrationImages))
    side = Encoded((*parts, laid))
    estimates = [engine.head.estimate(p, 1) for p in engine.head.posteriors(side)]
    answers = np.array([estimate.lat_lon for estimate in estimates])
    away_km = distance_km(answers, pictures.lat_lon)
    return Judged(estimates, np.where(np.isfinite(away_km), away_km, np.inf), pictures.width_km)


def sure_from(probability: Floats64, is_right: Bools, precision: float) -> float:
    """From which probability on ``precision`` of the answers are right, from those of N answers.

    The least such one; 1 if there is none. Probabilities and whether answers are right are
    ``[N]``.
    """
    order = np.argsort(-probability)
    share = np.cumsum(is_right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(share >= precision)
    return float(probability[order[enough[-1]]]) if len(enough) else 1.0


def fitted_spread(pictures: LaidPictures) -> Spread:
    """How far pictures lie from where they were laid, if that is where they are.

    Only first poses count, which alone were refined to the last.
    """
    laid, right = pictures.laid, pictures.right() == 0
    away_km = distance_km(laid.lat_lon[right, 0], pictures.lat_lon[right])
    return fit_spread(away_km, laid.sigma_km[right, 0].astype(np.float64))


def fit_spread(away_km: Floats64, by_curvature_km: Floats64) -> Spread:
    """The spread under which N errors are most probable, from standard deviations by curvature.

    Errors and deviations are ``[N]``; no error at all leaves the deviations as they are.
    """
    best, spread = np.inf, Spread()
    for factor in FACTORS:
        sigma_km = np.hypot(factor * by_curvature_km, FLOORS_KM[:, None])
        excess = np.square(away_km / sigma_km) / DEGREES
        loss = 2 * np.log(sigma_km) + (DEGREES + 2) / 2 * np.log1p(excess)
        total = loss.sum(axis=1)
        if total.min() < best:
            best = float(total.min())
            spread = Spread(float(factor), float(FLOORS_KM[total.argmin()]))
    return spread


def calibrated_radii(judged: Judged, limit: Calibration) -> Calibration:
    """A calibration whose radii hold; of the pictures, those count that are answered right or not.

    What lies nowhere has no radius.
    """
    answered = np.isfinite(judged.away_km)
    answered &= np.array([e.elsewhere <= limit.most_elsewhere for e in judged.estimates])

    def factor(mass: float) -> float:
        own = [stated_km(e, mass, limit.least_radius_km) for e in judged.estimates]
        return float(np.quantile(judged.away_km[answered] / np.array(own)[answered], mass))

    return replace(limit, radius_50_factor=factor(0.5), radius_90_factor=factor(0.9))
