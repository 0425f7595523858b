"""What a user knows of how a picture lies, as a term of the score: `geowhy.hints`.

A hint is a prior over poses. It is flat over the range that was told, where it adds nothing, so
that a picture is verified by the map and never by what its owner believes; beyond the ends, which
nobody knows exactly, it falls like a normal distribution. Before a picture is laid on the map a
place has only a width; afterwards it is the pose that was found there which counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Bools, Floats32, Floats64, Rows
from geowhy.errors import ConfigError
from geowhy.explanation import EVIDENCE_CATEGORY
from geowhy.geo.sphere import wrap_longitude
from geowhy.hints import HeadingRange, Hints, WidthRange
from geowhy.model.terms import Edit, Encoded, Part
from geowhy.orbit.terms import NUMBERED_NOWHERE, PlaceNumbers, RegistrationImages
from geowhy.orbit.volume import COLUMNS, WIDTHS

__all__ = ["WIDTH_ROOM", "HintImages", "HintTerm"]

WIDTH_SLACK = 0.1  # standard deviation of a range's ends, of a logarithm
HEADING_SLACK_DEG = 5.0  # the same of headings
WIDTH_ROOM = float(np.log(max(WIDTHS)))  # so far from a place's own width a picture is laid on it
HEADING_ROOM_DEG = 2 * HEADING_SLACK_DEG + 180 / COLUMNS  # so far from its range one is tried
LONGEST = 4.0  # sides of its middle square: no picture that is laid is longer


@dataclass(frozen=True, slots=True, eq=False)
class HintImages(Part):
    """Pictures as hints take them."""

    ratios: Floats32  # of the longer side and that of the middle square, which is laid, [N]
    shares: Floats32  # how much of each of h hints counts, [N, h]; 1 for all of it


@dataclass(frozen=True, slots=True, eq=False)
class HintTerm:
    """What hints make of places and of the poses that were found there.

    Attributes:
        hints: at least one.
        known_km: widths of all places that the model knows ``[M]``, by their numbers.

    Raises:
        ConfigError: if no picture that the model knows is as wide as was told.
    """

    hints: Hints
    known_km: Floats64
    source: str = "hints"
    are_concepts: bool = False

    def __post_init__(self) -> None:
        least, most = self.known_km.min(), self.known_km.max() * LONGEST
        told, room = self.hints.width, np.exp(WIDTH_ROOM)
        if told and (told.most_km < least / room or told.least_km > most * room):
            raise ConfigError(
                f"a picture of {told.least_km:,.6g} to {told.most_km:,.6g} km: the model knows "
                f"none narrower than {least / room:,.0f} km or wider than {most * room:,.0f} km: "
                "give the width of its longer side on the ground, in km"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the hints."""
        told = (("width as told", self.hints.width), ("heading as told", self.hints.heading))
        return tuple(name for name, hint in told if hint)

    @property
    def categories(self) -> tuple[str, ...]:
        """One for all."""
        return (EVIDENCE_CATEGORY,) * len(self.names)

    @property
    def columns(self) -> Bools:
        """Which of the headings of a volume are tried ``[A]``."""
        if self.hints.heading is None:
            return np.ones(COLUMNS, np.bool_)
        beyond = _degrees_beyond(self.hints.heading, np.arange(COLUMNS) * 360 / COLUMNS)
        return np.asarray(beyond <= HEADING_ROOM_DEG)

    def encode_images(self, ratios: Floats32) -> HintImages:
        """Pictures by how much longer than their middle squares they are ``[N]``."""
        return HintImages(ratios, np.ones((len(ratios), len(self.names)), np.float32))

    def beforehand(self, image: Encoded, places: Encoded) -> Floats32:
        """Nats for M places by their own widths, ``[M]``, before one image was laid there."""
        numbers = places.part(PlaceNumbers).numbers[:, 0]
        if self.hints.width is None:
            return np.zeros(len(numbers), np.float32)
        width_km = self.known_km[numbers] * image.part(HintImages).ratios[0]
        return _of_widths(self.hints.width, width_km, WIDTH_ROOM).astype(np.float32)

    def scores(self, images: Encoded, places: Encoded) -> Floats32:
        """Nats ``[N, M]``."""
        rows = (images.rows(slice(row, row + 1)) for row in range(len(images)))
        return np.stack([self.contributions(one, places)[0].sum(axis=1) for one in rows]).astype(
            np.float32
        )

    def contributions(self, image: Encoded, places: Encoded) -> tuple[Floats64, Floats64]:
        """Of each hint ``[M, h]``; nothing is left over."""
        known = places.part(PlaceNumbers)
        nats = self._nats(image, known.numbers.ravel()).reshape(*known.numbers.shape, -1)
        mixed = (nats * known.weights[..., None]).sum(axis=1)
        return mixed * image.part(HintImages).shares[0], np.zeros(len(places))

    def activations(self, images: Encoded) -> Floats32:
        """How much of each hint counts, ``[N, h]``."""
        return images.part(HintImages).shares

    def exceeds(self, place: Encoded, reference: Encoded) -> Bools:
        """A hint is never absent, ``[h]``."""
        return np.ones(len(self.names), np.bool_)

    def edited(self, image: Encoded, edit: Edit) -> HintImages:
        """With other shares of the hints."""
        seen = image.part(HintImages)
        shares = edit(seen.shares)
        return replace(seen, ratios=np.repeat(seen.ratios, len(shares)), shares=shares)

    def _nats(self, image: Encoded, numbers: Rows) -> Floats64:
        """Of each hint for places by their numbers, ``[M, h]``."""
        laid = image.part(RegistrationImages)
        slot, is_tried = laid.tried(0, numbers)
        columns = []
        if self.hints.width:
            own_km = np.where(is_tried, laid.width_km[0][slot], self.known_km[numbers])
            width_km = own_km * image.part(HintImages).ratios[0]
            room = np.where(is_tried, 0.0, WIDTH_ROOM)
            columns.append(_of_widths(self.hints.width, width_km, room))
        if self.hints.heading:
            of_poses = _of_headings(self.hints.heading, laid.heading_deg[0][slot])
            columns.append(np.where(is_tried, of_poses, 0.0))
        nats = np.stack(columns, axis=1)
        nats[numbers == NUMBERED_NOWHERE] = 0.0
        return nats


def _of_widths(told: WidthRange, width_km: Floats64, room: ArrayLike) -> Floats64:
    """Nats of widths ``[M]`` that may be wrong by factors, whose logarithms are ``room``."""
    short, long = np.log(told.least_km / width_km), np.log(width_km / told.most_km)
    return _falling((np.maximum(short, long) - np.asarray(room)) / WIDTH_SLACK)


def _of_headings(told: HeadingRange, heading_deg: Floats64) -> Floats64:
    """Nats of headings ``[M]``."""
    return _falling(_degrees_beyond(told, heading_deg) / HEADING_SLACK_DEG)


def _degrees_beyond(told: HeadingRange, heading_deg: Floats64) -> Floats64:
    """How far headings ``[M]`` are outside of a range; negative inside."""
    return np.abs(wrap_longitude(heading_deg - told.middle_deg)) - told.tolerance_deg


def _falling(deviations: Floats64) -> Floats64:
    """Nats ``[M]`` so many standard deviations beyond a range; 0 inside."""
    return np.asarray(-np.square(np.maximum(deviations, 0.0)) / 2)
