"""Fits what a laid picture is worth, when an answer is verified, and how far radii reach.

On pictures of worlds that the network wasn't trained on, and on pictures that lie nowhere.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from geowhy.engine import Engine
from geowhy.orbit.registration import FEATURES
from geowhy.orbit.verdict import Verdict
from geowhy.posterior import Calibration
from geowhy.pretrained.orbit import load_orbit
from geowhy.training.orbit.laying import lay_pictures
from geowhy.training.orbit.packaging import Fitted, OrbitParts
from geowhy.training.orbit.pairs import PairSource
from geowhy.training.orbit.radii import calibrated_radii, fitted_spread, judge, sure_from
from geowhy.training.orbit.search import search_scale
from geowhy.training.orbit.verdict import fit_verdict

__all__ = ["calibrate"]

LEAST_RADIUS_KM = 0.0  # the spread has a floor of its own


def calibrate(
    parts: OrbitParts, source: PairSource, path: Path, on_progress: Callable[[int, int], None]
) -> Engine:
    """Writes the folder of a model whose verdict and radii were fitted, and opens it."""
    config, places = parts.config.verdict, parts.gallery.places
    usual = Calibration(least_radius_km=LEAST_RADIUS_KM, most_elsewhere=config.most_elsewhere)
    count = len(FEATURES)
    zero, one = np.zeros(count, np.float32), np.ones(count, np.float32)
    fitted = Fitted(Verdict(zero, one, zero, zero[:1]), usual)
    with tempfile.TemporaryDirectory() as scratch:
        engine = load_orbit(parts.write(Path(scratch) / "plain", fitted))
        fitted = replace(fitted, search=search_scale(engine, places, source, config))
        engine = load_orbit(parts.write(Path(scratch) / "searched", fitted))
        pictures = lay_pictures(engine, source, config, on_progress)
        verdict, rings, concepts = fit_verdict(pictures)
        fitted = replace(fitted, verdict=verdict, rings=rings, concepts=concepts)
        engine = load_orbit(parts.write(Path(scratch) / "judged", fitted))
        judged = judge(engine, pictures, verdict)
        sure = sure_from(judged.probability, judged.is_right, config.precision)
        surveyed = pictures.of_worlds(config.surveyed)
        fitted = replace(fitted, sure=sure, spread=fitted_spread(surveyed))
        engine = load_orbit(parts.write(Path(scratch) / "spread", fitted))
        radii = calibrated_radii(judge(engine, surveyed, verdict), usual)
    return load_orbit(parts.write(path, replace(fitted, calibration=radii)))
