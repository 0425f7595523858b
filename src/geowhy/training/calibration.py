"""What makes a model honest: temperature, radii and thresholds, all fitted on validation views.

The temperature is the one whose answers are nearest, not the most likely one. The two are far
apart: a few views that resemble a wrong continent ask for a density so flat that a coast which is
recognised beyond doubt drowns in it. What is lost by that, honest probabilities, the sureness of
hills brings back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from geowhy.geo.sphere import distance_km, distance_matrix_km
from geowhy.heads.gallery import Gallery
from geowhy.model.encoded import Encoded
from geowhy.model.terms import MapTerm, ScoreTerm, total_scores
from geowhy.posterior.calibration import Calibration, stated_km
from geowhy.posterior.density import Decoder, Estimate, softmax

__all__ = ["best_map_weight", "calibrate", "decode_all"]

Terms = tuple[ScoreTerm, ...]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

MAP_WEIGHTS = (0.2, 0.4, 0.6, 0.8)  # 1 would trust errors of many patterns as independent
TEMPERATURES = (0.7, 1.0, 1.4, 2.0, 2.8)
SURENESSES = tuple(number / 20 for number in range(1, 21))
LEAST_PROBABILITY = 1e-9
USUAL_SMOOTHING_KM = 600.0  # while weight and temperature are chosen
SOME_VIEWS = 1_000
SMOOTHINGS_KM = (300.0, 600.0, 900.0, 1_200.0)
USUAL_TEMPERATURE = 1.4
ERROR_CAP_KM = 2_500.0  # wrong is wrong: beyond, an answer on another continent costs no more
FALSE_ALARM_RATE = 0.01
RANK_ROUNDING = 1e-9  # (n + 1) * 0.9 may come out a hair above a whole number
IMAGES_AT_ONCE = 64  # with 200,000 places: 50 MB of scores


def best_map_weight(terms: Terms, gallery: Gallery, images: Encoded, truth: Floats) -> float:
    """How much the maps should count against the concepts."""
    some, where = _some(images, truth)

    def cost_km(weight: float) -> float:
        weighed = tuple(
            replace(term, weight=weight) if isinstance(term, MapTerm) else term for term in terms
        )
        return _cost_km(weighed, gallery, some, where, USUAL_TEMPERATURE, USUAL_SMOOTHING_KM)

    return min(MAP_WEIGHTS, key=cost_km)


def calibrate(
    terms: Terms,
    gallery: Gallery,
    images: Encoded,
    truth: Floats,
    novelty: Floats32,
) -> Calibration:
    """Fits everything, on validation images with true positions, degrees ``[N, 2]``."""
    some = _some(images, truth)
    temperature = min(
        TEMPERATURES, key=lambda t: _cost_km(terms, gallery, *some, t, USUAL_SMOOTHING_KM)
    )
    smoothing_km = min(
        SMOOTHINGS_KM, key=lambda width: _cost_km(terms, gallery, *some, temperature, width)
    )
    sureness = _best_sureness(terms, gallery, *some, temperature, smoothing_km)
    answers = decode_all(terms, gallery, images, temperature, smoothing_km, sureness)
    errors_km = _errors_km(answers, truth)
    half, most = (_conformal_factor(errors_km, answers, mass) for mass in (0.5, 0.9))
    threshold = float(np.quantile(novelty, 1 - FALSE_ALARM_RATE))
    return Calibration(temperature, smoothing_km, sureness, half, most, threshold)


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


def _best_sureness(
    terms: Terms,
    gallery: Gallery,
    images: Encoded,
    truth: Floats,
    temperature: float,
    smoothing_km: float,
) -> float:
    """The sureness under which the hills that hold the truth are most probable."""
    decoder = Decoder(gallery.lat_lon, gallery.grid, smoothing_km)
    cell_of_truth = distance_matrix_km(truth, gallery.grid.centres).argmin(axis=1)
    losses = np.zeros(len(SURENESSES))
    rows = _probabilities(terms, gallery, images, temperature)
    for probability, cell in zip(rows, cell_of_truth, strict=True):
        hills = decoder.hills(probability)
        masses = [hills.tempered(sureness).mass[hills.of_cell[cell]] for sureness in SURENESSES]
        losses -= np.log(np.array(masses) + LEAST_PROBABILITY)
    return SURENESSES[int(losses.argmin())]


def _some(images: Encoded, truth: Floats) -> tuple[Encoded, Floats]:
    """Enough of the images, evenly chosen."""
    chosen = slice(None, None, max(1, len(truth) // SOME_VIEWS))
    return images.rows(chosen), truth[chosen]


def _cost_km(
    terms: Terms,
    gallery: Gallery,
    images: Encoded,
    truth: Floats,
    temperature: float,
    smoothing_km: float,
) -> float:
    """Mean error, where far is far."""
    found = decode_all(terms, gallery, images, temperature, smoothing_km)
    return float(np.minimum(_errors_km(found, truth), ERROR_CAP_KM).mean())


def _conformal_factor(errors_km: Floats, posteriors: list[Estimate], mass: float) -> float:
    """Quantile of true distance over stated radius, so that ``mass`` of the images are covered."""
    stated = np.array([stated_km(posterior, mass) for posterior in posteriors])
    # The finite-sample rank of split conformal prediction: of n + 1 exchangeable images.
    rank = min(int(np.ceil((len(errors_km) + 1) * mass - RANK_ROUNDING)), len(errors_km))
    return float(np.sort(errors_km / stated)[rank - 1])


def _errors_km(posteriors: list[Estimate], truth: Floats) -> Floats:
    return distance_km(np.array([p.lat_lon for p in posteriors]), truth)


def _probabilities(
    terms: Terms, gallery: Gallery, images: Encoded, temperature: float
) -> Iterator[Floats32]:
    """Probabilities of the gallery points, image by image."""
    for start in range(0, len(images), IMAGES_AT_ONCE):
        chunk = images.rows(slice(start, start + IMAGES_AT_ONCE))
        yield from softmax(total_scores(terms, chunk, gallery.side), temperature)
