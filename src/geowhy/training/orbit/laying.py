"""Pictures that were laid on the map, of whose places the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Floats32, Floats64, Ints, Points
from geowhy.engine import Engine
from geowhy.geo.sphere import distance_km
from geowhy.model.terms import Encoded
from geowhy.orbit.terms import (
    APPEARANCE,
    NUMBERED_NOWHERE,
    PictureImages,
    PlaceNumbers,
    RegistrationImages,
)
from geowhy.training.orbit.config import VerdictConfig
from geowhy.training.orbit.pairs import PairSource
from geowhy.training.orbit.unseen import AT_ONCE, unseen_pictures

__all__ = ["NOWHERE", "RIGHT_WITHIN", "LaidPictures", "lay_pictures"]

RIGHT_WITHIN = 0.35  # widths
NOWHERE = -1


@dataclass(frozen=True, slots=True, eq=False)
class LaidPictures:
    """N pictures that were laid on the map at up to K places each."""

    side: Encoded  # what was read off them
    lat_lon: Points  # where they are of, degrees [N, 2]; NaN for what is nowhere
    width_km: Floats64  # [N]
    likeness: Floats32  # of each place, by its description and by its concepts, [N, K, 2]
    worlds: tuple[str, ...]  # that they show, N names

    @property
    def laid(self) -> RegistrationImages:
        """What laying them showed."""
        return self.side.part(RegistrationImages)

    def of_worlds(self, names: Sequence[str]) -> LaidPictures:
        """Those that show some worlds."""
        rows = np.flatnonzero([world in names for world in self.worlds])
        return LaidPictures(
            self.side.rows(rows),
            self.lat_lon[rows],
            self.width_km[rows],
            self.likeness[rows],
            tuple(self.worlds[row] for row in rows),
        )

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
    config: VerdictConfig,
    on_progress: Callable[[int, int], None],
) -> LaidPictures:
    """Lays pictures of some worlds on the map, as they are and changed, and some of nowhere.

    ``engine`` weighs a likeness by 1.
    """
    sides, places, widths, likeness, worlds = [], [], [], [], list[str]()
    for done, (world, pixels, lat_lon, width_km) in enumerate(unseen_pictures(source, config)):
        side = engine.sides(pixels)
        worlds += [world] * len(pixels)
        likeness.append(_likeness(engine, side))
        kept = tuple(part for part in side.parts if not isinstance(part, PictureImages))
        sides.append(Encoded(kept))
        places.append(lat_lon)
        widths.append(width_km)
        on_progress((done + 1) * AT_ONCE, config.pictures)
    return LaidPictures(
        Encoded.joined(sides),
        np.concatenate(places),
        np.concatenate(widths),
        np.concatenate(likeness),
        tuple(worlds),
    )


def _likeness(engine: Engine, side: Encoded) -> Floats32:
    """By descriptions, in cosines, and by concepts, in nats, ``[N, K, 2]``."""
    rings = next(t for t in engine.model.terms if t.source == APPEARANCE)
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
