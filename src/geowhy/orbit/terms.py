"""What a place scores for a picture from above: how it looks, ring by ring, and how it lies on it.

A `RingTerm` compares descriptions, whose parts are the whole picture and round rings of it. A
`RegistrationTerm` has what laying the picture on the map at each of some places told of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from geowhy.arrays import Bools, Floats32, Floats64, Ints, Pixels, Points, Rows
from geowhy.geo.pose import Poses
from geowhy.model.terms import Edit, Encoded, Part

__all__ = [
    "NUMBERED_NOWHERE",
    "PictureImages",
    "PlaceNumbers",
    "RegistrationImages",
    "RegistrationTerm",
    "RingImages",
    "RingPlaces",
    "RingTerm",
]

APPEARANCE = "appearance"  # category of rings
LAYING = "registration"  # category, and name, of the comparison with the map
NUMBERED_NOWHERE = -1  # number of what isn't one of the gallery's places


@dataclass(frozen=True, slots=True, eq=False)
class PictureImages(Part):
    """Pictures as small copies."""

    copies: Floats32  # 0 to 255, [N, S, S, 3]

    def pixels(self, row: int) -> Pixels:
        """One of them."""
        return np.asarray(np.rint(self.copies[row]), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class RingImages(Part):
    """Pictures by their descriptions."""

    units: Floats32  # of length 1, [N, d]
    shares: Floats32  # how much of each of r rings counts, [N, r]; 1 for all of it


@dataclass(frozen=True, slots=True, eq=False)
class RingPlaces(Part):
    """Places by the descriptions of their pictures."""

    units: Floats32  # of length 1, or means of such, [M, d]


@dataclass(frozen=True, slots=True, eq=False)
class RingTerm:
    """The inner product of two descriptions, ring by ring.

    Attributes:
        names: of r rings, of which the first is the whole picture.
        sizes: how many numbers of a description tell of each, in this order.
        scale: nats of a whole match.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    scale: float
    source: str = APPEARANCE
    are_concepts: bool = False

    @property
    def categories(self) -> tuple[str, ...]:
        """One for all rings."""
        return (APPEARANCE,) * len(self.names)

    def scores(self, images: Encoded, places: Encoded) -> Floats32:
        """Nats ``[N, M]``."""
        return np.asarray(self.weighed(images) @ places.part(RingPlaces).units.T, np.float32)

    def weighed(self, images: Encoded) -> Floats32:
        """What is multiplied by descriptions of places, ``[N, d]``."""
        seen = images.part(RingImages)
        shares = np.repeat(seen.shares, self.sizes, axis=1)
        return np.asarray(seen.units * shares * np.float32(self.scale), np.float32)

    def contributions(self, image: Encoded, places: Encoded) -> tuple[Floats64, Floats64]:
        """Of each ring ``[M, r]``; nothing is left over."""
        seen = image.part(RingImages)
        products = places.part(RingPlaces).units.astype(np.float64) * seen.units[0]
        starts = np.cumsum([0, *self.sizes[:-1]])
        by_ring = np.add.reduceat(products, starts, axis=1)
        return self.scale * by_ring * seen.shares[0], np.zeros(len(places))

    def activations(self, images: Encoded) -> Floats32:
        """How much of a description tells of each ring, ``[N, r]``; squares add up to 1."""
        seen = images.part(RingImages)
        starts = np.cumsum([0, *self.sizes[:-1]])
        squares = np.add.reduceat(seen.units**2, starts, axis=1)
        return np.asarray(np.sqrt(squares) * seen.shares, np.float32)

    def exceeds(self, place: Encoded, reference: Encoded) -> Bools:
        """A ring is never absent, ``[r]``."""
        return np.ones(len(self.names), np.bool_)

    def edited(self, image: Encoded, edit: Edit) -> RingImages:
        """With other shares of the rings."""
        seen = image.part(RingImages)
        shares = edit(seen.shares)
        return RingImages(np.broadcast_to(seen.units, (len(shares), seen.units.shape[1])), shares)


@dataclass(frozen=True, slots=True, eq=False)
class RegistrationImages(Part):
    """Pictures by what laying them on the map told, at up to K places each."""

    numbers: Rows  # of the places in the gallery, -1 where there is none left, [N, K]
    log_odds: Floats32  # nats for each of them, [N, K]
    shares: Floats32  # how much of that counts, [N, 1]
    features: Floats32  # what the nats are of, see `geowhy.orbit.registration.FEATURES`, [N, K, f]
    lat_lon: Points  # where the picture's centre then lies, degrees [N, K, 2]
    width_km: Floats64  # how wide it is, [N, K]
    heading_deg: Floats64  # where its up points, [N, K]
    homography: Floats64  # of its tilt, [N, K, 3, 3]
    sigma_km: Floats64  # standard deviation of the centre to either side, [N, K]
    rest: Floats32  # how likeness alone spreads over the cells of the gallery, [N, C]

    @classmethod
    def of(
        cls,
        numbers: Rows,
        log_odds: Floats32,
        features: Floats32,
        poses: Poses,
        sigma_km: Floats64,
        rest: Floats32,
        most: int,
    ) -> Self:
        """One picture at m places, at most ``most`` of them.

        Their ``numbers``, ``log_odds`` and ``sigma_km`` are ``[m]``, ``features`` ``[m, f]``;
        ``rest`` is ``[C]``.
        """
        padding = np.arange(most).clip(max=len(numbers) - 1)
        is_there = np.arange(most) < len(numbers)
        padded = poses[padding]
        return cls(
            numbers=np.where(is_there, numbers[padding], NUMBERED_NOWHERE)[None],
            log_odds=np.where(is_there, log_odds[padding], np.float32(0))[None],
            shares=np.ones((1, 1), np.float32),
            features=features[padding][None],
            lat_lon=padded.lat_lon[None],
            width_km=np.array(padded.width_km[None]),
            heading_deg=np.array(padded.heading_deg[None]),
            homography=np.array(padded.homography[None]),
            sigma_km=sigma_km[padding][None],
            rest=rest[None],
        )

    @classmethod
    def joined(cls, pieces: Sequence[Self]) -> Self:
        """One after the other."""
        names = pieces[0].arrays()
        return cls(**{n: np.concatenate([getattr(piece, n) for piece in pieces]) for n in names})

    def poses(self, row: int) -> Poses:
        """Of one of them, ``[K]``."""
        return Poses(
            self.lat_lon[row], self.width_km[row], self.heading_deg[row], self.homography[row]
        )

    def log_odds_of(self, numbers: Rows) -> Floats32:
        """Nats for places by their numbers ``[M]``, ``[N, M]``: 0 where nothing was tried."""
        found = np.zeros((len(self.numbers), len(numbers)), np.float32)
        for row, log_odds in enumerate(self.log_odds):
            slot, is_tried = self.tried(row, numbers)
            found[row, is_tried] = log_odds[slot[is_tried]] * self.shares[row, 0]
        return found

    def tried(self, row: int, numbers: Rows) -> tuple[Rows, Bools]:
        """Which of the K tries of one picture was at each of the places ``[M]``, if any was."""
        tried = self.numbers[row]
        order = np.argsort(tried, kind="stable")
        position = np.searchsorted(tried[order], numbers).clip(max=len(tried) - 1)
        slot = order[position]
        return slot, (tried[slot] == numbers) & (numbers != NUMBERED_NOWHERE)


@dataclass(frozen=True, slots=True, eq=False)
class PlaceNumbers(Part):
    """Places by their numbers in the gallery: each is a mixture of some, mostly of one."""

    numbers: Rows  # [M, m]; -1 for what isn't in the gallery
    weights: Floats32  # of each, [M, m]; rows add up to 1

    @classmethod
    def of(cls, numbers: Rows) -> PlaceNumbers:
        """Single places, by their numbers ``[M]``."""
        return cls(numbers[:, None], np.ones((len(numbers), 1), np.float32))

    def mean(self, rows: Ints, weights: Floats32) -> Self:
        """A mixture of some of them, one row; ``weights`` ``[m]`` add up to 1."""
        mixed = self.weights[rows] * weights[:, None]
        return replace(
            self, numbers=self.numbers[rows].reshape(1, -1), weights=mixed.reshape(1, -1)
        )

    def average(self) -> Self:
        """Of all of them there is no telling: nothing was tried at an average place."""
        nowhere = np.full((1, 1), NUMBERED_NOWHERE, np.intp)
        return replace(self, numbers=nowhere, weights=np.ones((1, 1), np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class RegistrationTerm:
    """What laying a picture on the map told of places; places that weren't tried get nothing."""

    name: str = "agreement with the map"
    source: str = LAYING
    are_concepts: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The one comparison."""
        return (self.name,)

    @property
    def categories(self) -> tuple[str, ...]:
        """Of the one comparison."""
        return (LAYING,)

    def scores(self, images: Encoded, places: Encoded) -> Floats32:
        """Nats ``[N, M]``."""
        known, seen = places.part(PlaceNumbers), images.part(RegistrationImages)
        of_all = seen.log_odds_of(known.numbers.ravel()).reshape(len(images), *known.numbers.shape)
        return np.asarray((of_all * known.weights).sum(axis=2), np.float32)

    def contributions(self, image: Encoded, places: Encoded) -> tuple[Floats64, Floats64]:
        """Of the one comparison ``[M, 1]``; nothing is left over."""
        return self.scores(image, places).astype(np.float64).T, np.zeros(len(places))

    def activations(self, images: Encoded) -> Floats32:
        """The most that it tells of any place, ``[N, 1]``."""
        seen = images.part(RegistrationImages)
        return np.asarray(seen.log_odds.max(axis=1, keepdims=True) * seen.shares, np.float32)

    def exceeds(self, place: Encoded, reference: Encoded) -> Bools:
        """The map is never absent, ``[1]``."""
        return np.ones(1, np.bool_)

    def edited(self, image: Encoded, edit: Edit) -> RegistrationImages:
        """With another share of it."""
        seen = image.part(RegistrationImages)
        shares = edit(seen.shares)
        repeated = seen.rows(np.zeros(len(shares), np.intp))
        return replace(repeated, shares=shares)
