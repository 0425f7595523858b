"""Fits what a laid picture is worth, when an answer is verified, and how far radii reach.

On pictures of worlds that the network wasn't trained on, and on pictures that lie nowhere: mirrored
ones look like the Earth in every detail, and no such coast exists.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from geowhy.arrays import Bools, Floats32, Floats64, Ints, Pixels, Points
from geowhy.engine import Engine
from geowhy.geo.sphere import distance_km
from geowhy.model.terms import Encoded
from geowhy.orbit.registration import FEATURES
from geowhy.orbit.terms import NUMBERED_NOWHERE, PictureImages, PlaceNumbers, RegistrationImages
from geowhy.orbit.verdict import Verdict
from geowhy.posterior import Calibration, stated_km
from geowhy.pretrained.orbit import load_orbit
from geowhy.training.orbit.look import changed_look, cloud_field
from geowhy.training.orbit.packaging import OrbitParts
from geowhy.training.orbit.pairs import PairSource

__all__ = [
    "LaidPictures",
    "calibrate",
    "calibrated_radii",
    "fit_verdict",
    "lay_pictures",
    "sure_from",
]

LEAST_RADIUS_KM = 1.0
RIGHT_WITHIN = 0.35  # widths
RIDGE = 1e-3  # of the weights: features say much the same
ROUNDS = 200
FIRST_WEIGHTS = (20.0, 0.5)  # of a whole likeness, and of the concepts' own nats
LAID_AT_ONCE = 8
NOWHERE = -1


def calibrate(
    parts: OrbitParts, source: PairSource, path: Path, on_progress: Callable[[int, int], None]
) -> Engine:
    """Writes the folder of a model whose verdict and radii were fitted, and opens it."""
    config = parts.config.verdict
    usual = Calibration(least_radius_km=LEAST_RADIUS_KM, most_elsewhere=config.most_elsewhere)
    count = len(FEATURES)
    zero, one = np.zeros(count, np.float32), np.ones(count, np.float32)
    nothing = Verdict(zero, one, zero, zero[:1])
    with tempfile.TemporaryDirectory() as scratch:
        engine = load_orbit(parts.write(Path(scratch) / "model", nothing, (1.0, 1.0), 1.0, usual))
        pictures = lay_pictures(engine, source, parts, on_progress)
        verdict, weights = fit_verdict(pictures)
        fitted = parts.write(Path(scratch) / "fitted", verdict, weights, 1.0, usual)
        sure, calibration = calibrated_radii(
            load_orbit(fitted), pictures, verdict, config.precision
        )
    return load_orbit(parts.write(path, verdict, weights, sure, calibration))


@dataclass(frozen=True, slots=True, eq=False)
class LaidPictures:
    """N pictures that were laid on the map at up to K places each."""

    side: Encoded  # what was read off them
    lat_lon: Points  # where they are of, degrees [N, 2]; NaN for what is nowhere
    width_km: Floats64  # [N]
    likeness: Floats32  # of each place, by its description and by its concepts, [N, K, 2]

    @property
    def laid(self) -> RegistrationImages:
        """What laying them showed."""
        return self.side.part(RegistrationImages)

    def right(self) -> Ints:
        """Which of the K is the place, or -1, ``[N]``."""
        away = distance_km(self.laid.lat_lon, self.lat_lon[:, None])
        away = np.where(self.laid.numbers == NUMBERED_NOWHERE, np.inf, away)
        away = np.where(np.isfinite(away), away, np.inf)
        is_right = away.min(axis=1) < RIGHT_WITHIN * self.width_km
        return np.where(is_right, away.argmin(axis=1), NOWHERE)


def lay_pictures(
    engine: Engine,
    source: PairSource,
    parts: OrbitParts,
    on_progress: Callable[[int, int], None],
) -> LaidPictures:
    """Lays pictures of some worlds on the map, as they are and changed, and some of nowhere.

    ``engine`` weighs a likeness by 1.
    """
    sides, places, widths, likeness = [], [], [], []
    for done, (pixels, lat_lon, width_km) in enumerate(_pictures(source, parts)):
        side = engine.sides(pixels)
        likeness.append(_likeness(engine, side))
        kept = tuple(part for part in side.parts if not isinstance(part, PictureImages))
        sides.append(Encoded(kept))
        places.append(lat_lon)
        widths.append(width_km)
        on_progress((done + 1) * LAID_AT_ONCE, parts.config.verdict.pictures)
    return LaidPictures(
        Encoded.joined(sides),
        np.concatenate(places),
        np.concatenate(widths),
        np.concatenate(likeness),
    )


def _pictures(
    source: PairSource, parts: OrbitParts
) -> Iterator[tuple[list[Pixels], Points, Floats64]]:
    """Some pictures at a time, with their centres and widths."""
    config = parts.config.verdict
    for start in range(0, config.pictures, LAID_AT_ONCE):
        world = config.worlds[start // LAID_AT_ONCE % len(config.worlds)]
        poses = source.poses(LAID_AT_ONCE, config.least_width_km, config.most_width_km)
        pictures = source.pictures(world, poses, config.side).clone()
        kind = torch.rand(LAID_AT_ONCE)
        mirrored = (kind < config.mirrored).to(pictures.device)
        pictures[mirrored] = pictures[mirrored].flip(-1)
        is_nowhere = kind < config.mirrored + config.noise
        noise = (is_nowhere & (kind >= config.mirrored)).nonzero()[:, 0]
        if len(noise):
            field = cloud_field(3 * len(noise), config.side, pictures.device)
            pictures[noise] = field.view(len(noise), 3, config.side, config.side).sigmoid()
        pictures = changed_look(pictures, config.look)
        pixels = (255 * pictures).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        lat_lon = np.degrees(poses.lat_lon.cpu().numpy().astype(np.float64))
        lat_lon[is_nowhere.numpy()] = np.nan
        yield list(pixels), lat_lon, poses.width_km.cpu().numpy().astype(np.float64)


def _likeness(engine: Engine, side: Encoded) -> Floats32:
    """By descriptions, in cosines, and by concepts, in nats, ``[N, K, 2]``."""
    rings = next(t for t in engine.model.terms if t.source == "appearance")
    concepts = next((t for t in engine.model.terms if t.are_concepts), None)
    numbers = side.part(RegistrationImages).numbers
    known = engine.gallery.side.part(PlaceNumbers).numbers[:, 0]
    found = np.zeros((*numbers.shape, 2), np.float32)
    for row, tried in enumerate(numbers):
        rows = np.searchsorted(known, tried.clip(min=0))
        places, one = engine.gallery.side.rows(rows), side.rows(slice(row, row + 1))
        found[row, :, 0] = rings.scores(one, places)[0]
        if concepts:
            found[row, :, 1] = concepts.scores(one, places)[0]
    return found


def fit_verdict(pictures: LaidPictures) -> tuple[Verdict, tuple[float, float]]:
    """The verdict, and weights of both likenesses, under which the truth is most probable."""
    laid, right = pictures.laid, pictures.right()
    tried = laid.numbers != NUMBERED_NOWHERE
    known = laid.features[tried]
    centre, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    features = torch.tensor((laid.features - centre) / spread, dtype=torch.float64)
    likeness = torch.tensor(pictures.likeness, dtype=torch.float64)
    padding = torch.tensor(~tried)
    # The outside option comes last, where -1 points to as well.
    target = torch.tensor(np.where(right == NOWHERE, tried.shape[1], right))
    weights = torch.zeros(features.shape[2], dtype=torch.float64, requires_grad=True)
    logs = torch.tensor(FIRST_WEIGHTS, dtype=torch.float64).log().requires_grad_()
    elsewhere = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [weights, logs, elsewhere], max_iter=ROUNDS, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        nats = (features @ weights + likeness @ logs.exp()).masked_fill(padding, -torch.inf)
        outside = elsewhere.expand(len(nats), 1)
        total = functional.cross_entropy(torch.cat([nats, outside], dim=1), target)
        total = total + RIDGE * weights.square().sum()
        total.backward()
        return total

    optimiser.step(loss)
    verdict = Verdict(
        centre.astype(np.float32),
        spread.astype(np.float32),
        weights.detach().numpy().astype(np.float32),
        elsewhere.detach().numpy().astype(np.float32),
    )
    of_rings, of_concepts = logs.exp().tolist()
    return verdict, (of_rings, of_concepts)


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
