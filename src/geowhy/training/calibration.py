"""What makes a model honest: temperature, radii and thresholds, all fitted on validation views.

The temperature is the one whose answers are nearest, not the most likely one. The two are far
apart: a few views that resemble a wrong continent ask for a density so flat that a coast which is
recognised beyond doubt drowns in it. What is lost by that, honest probabilities, the sureness of
hills brings back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from geowhy.arrays import Floats32, Floats64
from geowhy.geo.sphere import distance_km, distance_matrix_km
from geowhy.heads.gallery import Gallery
from geowhy.model.terms import Encoded, ScoreTerm, total_scores
from geowhy.posterior.calibration import Calibration, stated_km
from geowhy.posterior.density import Decoder, Estimate, softmax
from geowhy.training.config import CalibrationConfig

__all__ = ["Asked", "calibrate"]

IMAGES_AT_ONCE = 64  # with 200,000 places: 50 MB of scores


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is scored: images with their ``truth``, degrees ``[N, 2]``, among the M of a gallery."""

    terms: tuple[ScoreTerm, ...]
    gallery: Gallery
    images: Encoded
    truth: Floats64

    def some(self, count: int) -> Asked:
        """About so many of the images, evenly chosen."""
        chosen = slice(None, None, max(1, len(self.truth) // count))
        return replace(self, images=self.images.rows(chosen), truth=self.truth[chosen])

    def probabilities(self, temperature: float) -> Iterator[Floats32]:
        """Of all places ``[M]``, image by image."""
        for start in range(0, len(self.images), IMAGES_AT_ONCE):
            chunk = self.images.rows(slice(start, start + IMAGES_AT_ONCE))
            yield from softmax(total_scores(self.terms, chunk, self.gallery.side), temperature)

    def answers(
        self, temperature: float, smoothing_km: float, sureness: float = 1.0
    ) -> list[Estimate]:
        """Posteriors of all images, their strongest mode only."""
        decoder = Decoder(self.gallery.lat_lon, self.gallery.grid, smoothing_km, sureness)
        return [decoder.decode(each, top_k=1) for each in self.probabilities(temperature)]

    def errors_km(self, answers: list[Estimate]) -> Floats64:
        """How far each is off, ``[N]``."""
        return distance_km(np.array([answer.lat_lon for answer in answers]), self.truth)

    def cost_km(self, temperature: float, smoothing_km: float, cap_km: float) -> float:
        """Mean error, where far is far."""
        errors_km = self.errors_km(self.answers(temperature, smoothing_km))
        return float(np.minimum(errors_km, cap_km).mean())


def calibrate(asked: Asked, novelty: Floats32, config: CalibrationConfig) -> Calibration:
    """Fits everything, on validation images and how novel each of them is ``[N]``."""
    some, usual_km = asked.some(config.images), config.usual_smoothing_km
    cap_km = config.error_cap_km
    temperature = min(config.temperatures, key=lambda value: some.cost_km(value, usual_km, cap_km))
    smoothing_km = min(config.smoothings_km, key=lambda km: some.cost_km(temperature, km, cap_km))
    decoder = Decoder(asked.gallery.lat_lon, asked.gallery.grid, smoothing_km)
    # The sureness under which the hills that hold the truth are most probable.
    cell_of_truth = distance_matrix_km(some.truth, decoder.grid.centres).argmin(axis=1)
    losses = np.zeros(len(config.surenesses))
    for probability, cell in zip(some.probabilities(temperature), cell_of_truth, strict=True):
        hills = decoder.hills(probability)
        masses = [hills.tempered(power).mass[hills.of_cell[cell]] for power in config.surenesses]
        losses -= np.log(np.array(masses) + 1e-9)
    sureness = config.surenesses[int(losses.argmin())]
    answers = asked.answers(temperature, smoothing_km, sureness)
    errors_km, least_km = asked.errors_km(answers), config.least_radius_km
    half, most = (_conformal_factor(errors_km, answers, mass, least_km) for mass in (0.5, 0.9))
    return Calibration(
        temperature=temperature,
        smoothing_km=smoothing_km,
        sureness=sureness,
        radius_50_factor=half,
        radius_90_factor=most,
        novelty_threshold=float(np.quantile(novelty, 1 - config.false_alarm_rate)),
        abstain_above_km=config.abstain_above_km,
        least_radius_km=least_km,
        region_mass=config.region_mass,
    )


def _conformal_factor(
    errors_km: Floats64, answers: list[Estimate], mass: float, least_km: float
) -> float:
    """Quantile of true distance over stated radius, so that ``mass`` of the images are covered."""
    stated = np.array([stated_km(answer, mass, least_km) for answer in answers])
    # The finite-sample rank of split conformal prediction: of n + 1 exchangeable images. Less
    # 1e-9, because (n + 1) * 0.9 may come out a hair above a whole number.
    rank = min(int(np.ceil((len(errors_km) + 1) * mass - 1e-9)), len(errors_km))
    return float(np.sort(errors_km / stated)[rank - 1])
