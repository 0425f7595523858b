"""From which probability on an answer is verified, and how far radii reach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geowhy.arrays import Bools, Floats64
from geowhy.engine import Engine
from geowhy.geo.sphere import distance_km
from geowhy.model.terms import Encoded
from geowhy.orbit.terms import RegistrationImages
from geowhy.orbit.verdict import Verdict
from geowhy.posterior import Calibration, stated_km
from geowhy.training.orbit.laying import RIGHT_WITHIN, LaidPictures

__all__ = ["calibrated_radii", "sure_from"]


def sure_from(probability: Floats64, is_right: Bools, precision: float) -> float:
    """From which probability on ``precision`` of the answers are right, from those of N answers.

    The least such one; 1 if there is none. Probabilities and whether answers are right are
    ``[N]``.
    """
    order = np.argsort(-probability)
    share = np.cumsum(is_right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(share >= precision)
    return float(probability[order[enough[-1]]]) if len(enough) else 1.0


def calibrated_radii(
    engine: Engine, pictures: LaidPictures, verdict: Verdict, precision: float
) -> tuple[float, Calibration]:
    """From which probability on answers are verified, and a calibration with honest radii.

    ``engine`` weighs everything as it will; of the pictures, those count that are somewhere.
    """
    laid = replace(pictures.laid, log_odds=verdict.log_odds(pictures.laid.features))
    parts = (p for p in pictures.side.parts if not isinstance(p, RegistrationImages))
    side = Encoded((*parts, laid))
    estimates = [engine.head.estimate(p, 1) for p in engine.head.posteriors(side)]
    answers = np.array([estimate.lat_lon for estimate in estimates])
    away = distance_km(answers, pictures.lat_lon)
    somewhere = np.isfinite(away)
    probability = np.array([estimate.modes[0].probability for estimate in estimates])
    is_right = somewhere & (np.where(somewhere, away, np.inf) < RIGHT_WITHIN * pictures.width_km)
    limit = engine.calibration
    answered = somewhere & np.array([e.elsewhere <= limit.most_elsewhere for e in estimates])

    def factor(mass: float) -> float:
        own = np.array([stated_km(e, mass, limit.least_radius_km) for e in estimates])
        return float(np.quantile(away[answered] / own[answered], mass))

    fitted = replace(limit, radius_50_factor=factor(0.5), radius_90_factor=factor(0.9))
    return sure_from(probability, is_right, precision), fitted
