"""Fits what a likeness is worth when places are searched, before a picture is laid on the map.

All places of the gallery share a picture: each has what it stands for beforehand, times the
exponential of its likeness by the scale that is fitted here. That decides where pictures are laid,
and how what was not verified spreads over the Earth.
"""

from __future__ import annotations

import numpy as np

from geowhy.arrays import Floats32, Floats64, Points
from geowhy.engine import Engine
from geowhy.geo.sphere import distance_km
from geowhy.orbit.gallery import NEAR_RATIO, NEAR_WIDTHS, GalleryPlaces
from geowhy.orbit.terms import APPEARANCE
from geowhy.training.orbit.config import VerdictConfig
from geowhy.training.orbit.pairs import PairSource
from geowhy.training.orbit.unseen import unseen_pictures

__all__ = ["fit_search_scale", "search_scale"]

PICTURES = 256
SCALES = np.geomspace(4.0, 100.0, 33)  # nats of a whole likeness


def search_scale(
    engine: Engine, places: GalleryPlaces, source: PairSource, config: VerdictConfig
) -> float:
    """What a whole likeness is worth in the search, by some pictures, as they are and changed.

    ``engine``, whose gallery has all ``places``, weighs a likeness by 1.
    """
    somewhere = {"pictures": PICTURES, "mirrored": 0.0, "patterns": 0.0, "sea": 0.0}
    rings = next(t for t in engine.model.terms if t.source == APPEARANCE)
    drawn = list(unseen_pictures(source, config.model_copy(update=somewhere)))
    likeness = [
        rings.scores(engine.model.image_side(engine.model.features(pixels)), engine.gallery.side)
        for _, pixels, _, _ in drawn
    ]
    lat_lon, width_km = (np.concatenate(column) for column in list(zip(*drawn, strict=True))[2:])
    return fit_search_scale(places, np.concatenate(likeness), lat_lon, width_km)


def fit_search_scale(
    places: GalleryPlaces, likeness: Floats32, lat_lon: Points, width_km: Floats64
) -> float:
    """The scale under which the places of N pictures are most probable.

    ``likeness`` to each of M places is ``[N, M]``; pictures are of ``lat_lon``, degrees ``[N, 2]``,
    and ``width_km`` ``[N]`` wide. Pictures of whose place the gallery has none don't count.
    """
    beforehand = places.log_share
    log_probability, counted = np.zeros(len(SCALES)), 0
    for cosines, centre, width in zip(likeness, lat_lon, width_km, strict=True):
        away_km = distance_km(centre, places.lat_lon)
        near = away_km < NEAR_WIDTHS * np.maximum(width, places.width_km)
        near &= np.abs(np.log(places.width_km / width)) < np.log(NEAR_RATIO)
        if not near.any():
            continue
        counted += 1
        for number, scale in enumerate(SCALES):
            nats = np.float32(scale) * cosines + beforehand
            weights = np.exp(nats - nats.max())
            log_probability[number] += np.log(weights[near].sum() / weights.sum() + 1e-30)
    return float(SCALES[log_probability.argmax()]) if counted else float(SCALES.mean())
