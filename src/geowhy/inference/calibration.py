"""What makes a model honest: temperature, radii and thresholds, all fitted on validation views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from geowhy.geo.sphere import distance_km, distance_matrix_km
from geowhy.inference.gallery import Gallery
from geowhy.inference.posterior import Decoder, Posterior, softmax
from geowhy.model.alignment import ConceptAligner, ImageSide

__all__ = ["Calibration", "calibrate", "decode_all"]

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
FloatT = TypeVar("FloatT", bound=np.floating)

TEMPERATURES = tuple(float(t) for t in np.geomspace(0.5, 4.0, 13))
SMOOTHINGS_KM = (300.0, 600.0, 900.0, 1_200.0)
TRUTH_WIDTH_KM = 300.0  # how far from the truth a gallery point counts, for the temperature
ERROR_CAP_KM = 2_500.0  # wrong is wrong: beyond, an answer on another continent costs no more
FALSE_ALARM_RATE = 0.01
ABSTAIN_ABOVE_KM = 5_000.0
FARTHEST_KM = 20_015.0  # half the circumference of the Earth
IMAGES_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Calibration:
    """Numbers fitted on validation views, saved with the model.

    Attributes:
        temperature: divides the scores.
        smoothing_km: width of the smoothing of the posterior.
        radius_50_factor, radius_90_factor: stretch the posterior's own radii so that they hold
            the truth in 50 and 90 % of the validation views (split conformal prediction).
        novelty_threshold: above it an image is unlike 99 % of the validation views.
        abstain_above_km: above this ``radius_50_km`` the model names no place.
    """

    temperature: float = 1.0
    smoothing_km: float = 300.0
    radius_50_factor: float = 1.0
    radius_90_factor: float = 1.0
    novelty_threshold: float = np.inf
    abstain_above_km: float = ABSTAIN_ABOVE_KM

    def radii_km(self, posterior: Posterior) -> tuple[float, float]:
        """The calibrated radii, km, that hold the truth half the time and nine times in ten."""
        half = posterior.radius_km(0.5) * self.radius_50_factor
        most = posterior.radius_km(0.9) * self.radius_90_factor
        return min(half, FARTHEST_KM), min(max(most, half), FARTHEST_KM)


def calibrate(
    aligner: ConceptAligner,
    gallery: Gallery,
    images: ImageSide,
    truth: Floats,
    novelty: Floats32,
) -> Calibration:
    """Fits everything, on validation images with true positions, degrees ``[N, 2]``."""
    temperature = _best_temperature(aligner, gallery, images, truth)
    answers = {
        width: decode_all(aligner, gallery, images, temperature, width) for width in SMOOTHINGS_KM
    }
    errors = {width: _errors_km(found, truth) for width, found in answers.items()}
    smoothing_km = min(errors, key=lambda width: np.minimum(errors[width], ERROR_CAP_KM).mean())
    factors = [
        _conformal_factor(errors[smoothing_km], answers[smoothing_km], mass) for mass in (0.5, 0.9)
    ]
    threshold = float(np.quantile(novelty, 1 - FALSE_ALARM_RATE))
    return Calibration(temperature, smoothing_km, factors[0], factors[1], threshold)


def decode_all(
    aligner: ConceptAligner,
    gallery: Gallery,
    images: ImageSide,
    temperature: float,
    smoothing_km: float,
) -> list[Posterior]:
    """Posteriors of many images, their strongest mode only."""
    decoder = Decoder(gallery.lat_lon, gallery.grid, smoothing_km)
    return [
        decoder.decode(probability, top_k=1)
        for chunk in _chunks(images)
        for probability in softmax(aligner.scores(chunk, gallery.side), temperature)
    ]


def _best_temperature(
    aligner: ConceptAligner, gallery: Gallery, images: ImageSide, truth: Floats
) -> float:
    """The temperature with the highest mean log-probability near the truth."""
    losses = np.zeros(len(TEMPERATURES))
    for chunk, where in zip(_chunks(images), _chunks_of(truth), strict=True):
        nearness = -((distance_matrix_km(where, gallery.lat_lon) / TRUTH_WIDTH_KM) ** 2) / 2
        near = np.exp(nearness)
        logits = aligner.scores(chunk, gallery.side)
        for number, temperature in enumerate(TEMPERATURES):
            mass = (softmax(logits, temperature) * near).sum(axis=1)
            losses[number] -= np.log(mass + 1e-12).sum()
    return TEMPERATURES[int(losses.argmin())]


def _conformal_factor(errors_km: Floats, posteriors: list[Posterior], mass: float) -> float:
    """Quantile of true distance over stated radius, so that ``mass`` of the images are covered."""
    stated = np.array([max(p.radius_km(mass), 1.0) for p in posteriors])
    rank = min(np.ceil((len(errors_km) + 1) * mass) / len(errors_km), 1.0)
    return float(np.quantile(errors_km / stated, rank, method="higher"))


def _errors_km(posteriors: list[Posterior], truth: Floats) -> Floats:
    return distance_km(np.array([p.lat_lon for p in posteriors]), truth)


def _chunks(images: ImageSide) -> list[ImageSide]:
    return [
        ImageSide(embedding, concepts)
        for embedding, concepts in zip(
            _chunks_of(images.embedding), _chunks_of(images.concepts), strict=True
        )
    ]


def _chunks_of(array: NDArray[FloatT]) -> list[NDArray[FloatT]]:
    return [array[i : i + IMAGES_AT_ONCE] for i in range(0, len(array), IMAGES_AT_ONCE)]
