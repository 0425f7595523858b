"""What makes a model honest: temperature, radii and thresholds, all fitted on validation views.

The temperature is the one whose answers are nearest, not the most likely one. The two are far
apart: a few views that resemble a wrong continent ask for a density so flat that a coast which is
recognised beyond doubt drowns in it. What is lost by that, honest probabilities, the sureness of
hills brings back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from geowhy.arrays import Floats32, Floats64
from geowhy.geo.sphere import distance_km, distance_matrix_km
from geowhy.heads.gallery import Gallery
from geowhy.model.maps import MapTerm
from geowhy.model.terms import Encoded, ScoreTerm, total_scores
from geowhy.posterior.calibration import Calibration, stated_km
from geowhy.posterior.density import Decoder, Estimate, softmax
from geowhy.training.config import CalibrationConfig

__all__ = ["best_map_weight", "calibrate", "decode_all"]

Terms = tuple[ScoreTerm, ...]

LEAST_PROBABILITY = 1e-9
RANK_ROUNDING = 1e-9  # (n + 1) * 0.9 may come out a hair above a whole number
IMAGES_AT_ONCE = 64  # with 200,000 places: 50 MB of scores


def best_map_weight(
    terms: Terms, gallery: Gallery, images: Encoded, truth: Floats64, config: CalibrationConfig
) -> float:
    """How much the maps should count against the concepts, for images at ``truth`` ``[N, 2]``."""
    cost_km = _cost_km(gallery, images, truth, config)
    usual = config.usual_temperature, config.usual_smoothing_km

    def cost_of(weight: float) -> float:
        weighed = [replace(t, weight=weight) if isinstance(t, MapTerm) else t for t in terms]
        return cost_km(tuple(weighed), *usual)

    return min(config.map_weights, key=cost_of)


def calibrate(
    terms: Terms,
    gallery: Gallery,
    images: Encoded,
    truth: Floats64,
    novelty: Floats32,
    config: CalibrationConfig,
) -> Calibration:
    """Fits everything, on validation images with true positions, degrees ``[N, 2]``."""
    cost_km, usual_km = _cost_km(gallery, images, truth, config), config.usual_smoothing_km
    temperature = min(config.temperatures, key=lambda value: cost_km(terms, value, usual_km))
    smoothing_km = min(config.smoothings_km, key=lambda km: cost_km(terms, temperature, km))
    decoder = Decoder(gallery.lat_lon, gallery.grid, smoothing_km)
    # The sureness under which the hills that hold the truth are most probable.
    some = _some(len(truth), config.images)
    cell_of_truth = distance_matrix_km(truth[some], decoder.grid.centres).argmin(axis=1)
    losses = np.zeros(len(config.surenesses))
    rows = _probabilities(terms, gallery, images.rows(some), temperature)
    for probability, cell in zip(rows, cell_of_truth, strict=True):
        hills = decoder.hills(probability)
        masses = [hills.tempered(power).mass[hills.of_cell[cell]] for power in config.surenesses]
        losses -= np.log(np.array(masses) + LEAST_PROBABILITY)
    sureness = config.surenesses[int(losses.argmin())]
    answers = decode_all(terms, gallery, images, temperature, smoothing_km, sureness)
    errors_km = _errors_km(answers, truth)
    half, most = (
        _conformal_factor(errors_km, answers, mass, config.least_radius_km) for mass in (0.5, 0.9)
    )
    return Calibration(
        temperature=temperature,
        smoothing_km=smoothing_km,
        sureness=sureness,
        radius_50_factor=half,
        radius_90_factor=most,
        novelty_threshold=float(np.quantile(novelty, 1 - config.false_alarm_rate)),
        abstain_above_km=config.abstain_above_km,
        least_radius_km=config.least_radius_km,
        region_mass=config.region_mass,
    )


def decode_all(
    terms: Terms,
    gallery: Gallery,
    images: Encoded,
    temperature: float,
    smoothing_km: float,
    sureness: float = 1.0,
) -> list[Estimate]:
    """Posteriors of many images, their strongest mode only."""
    decoder = Decoder(gallery.lat_lon, gallery.grid, smoothing_km, sureness)
    rows = _probabilities(terms, gallery, images, temperature)
    return [decoder.decode(probability, top_k=1) for probability in rows]


def _some(count: int, wanted: int) -> slice:
    """About so many of the images, evenly chosen."""
    return slice(None, None, max(1, count // wanted))


def _cost_km(
    gallery: Gallery, images: Encoded, truth: Floats64, config: CalibrationConfig
) -> Callable[[Terms, float, float], float]:
    """Mean error of some images, where far is far, by terms, temperature and smoothing."""
    some = _some(len(truth), config.images)

    def cost_km(terms: Terms, temperature: float, smoothing_km: float) -> float:
        found = decode_all(terms, gallery, images.rows(some), temperature, smoothing_km)
        return float(np.minimum(_errors_km(found, truth[some]), config.error_cap_km).mean())

    return cost_km


def _conformal_factor(
    errors_km: Floats64, posteriors: list[Estimate], mass: float, least_km: float
) -> float:
    """Quantile of true distance over stated radius, so that ``mass`` of the images are covered."""
    stated = np.array([stated_km(posterior, mass, least_km) for posterior in posteriors])
    # The finite-sample rank of split conformal prediction: of n + 1 exchangeable images.
    rank = min(int(np.ceil((len(errors_km) + 1) * mass - RANK_ROUNDING)), len(errors_km))
    return float(np.sort(errors_km / stated)[rank - 1])


def _errors_km(posteriors: list[Estimate], truth: Floats64) -> Floats64:
    return distance_km(np.array([p.lat_lon for p in posteriors]), truth)


def _probabilities(
    terms: Terms, gallery: Gallery, images: Encoded, temperature: float
) -> Iterator[Floats32]:
    """Probabilities of the gallery points, image by image."""
    for start in range(0, len(images), IMAGES_AT_ONCE):
        chunk = images.rows(slice(start, start + IMAGES_AT_ONCE))
        yield from softmax(total_scores(terms, chunk, gallery.side), temperature)
