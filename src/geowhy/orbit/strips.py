"""Strips: pictures so long that their middle square is little of them.

Squares along a strip are described and laid on the map each by itself. Where the middle of the
strip lies follows from any of them, and those that are sure must say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from geowhy.arrays import Floats32, Pixels
from geowhy.geo.pose import Poses
from geowhy.geo.sphere import distance_km
from geowhy.model.concept_terms import ConceptImages
from geowhy.model.terms import Encoded, Part
from geowhy.orbit.terms import PictureImages, RegistrationImages, RingImages

__all__ = ["EXTRA_SQUARES", "LaidSquare", "StripImages", "laid_strip", "squares_along"]

LONG = 3.0  # sides of its middle square: what is longer is a strip
EXTRA_SQUARES = 4  # beside the middle one, at most
SAME_PLACE = 0.35  # widths that two squares may differ by in where the middle lies,
BENT = 0.05  # and more of their distance: a strip isn't flat, and a heading isn't exact
RATHER_SURE = 0.5  # less probable than this it is that a square lies elsewhere
HEADING_SIGMA = 0.02  # radians by which the heading of a square may be off, as a rule


@dataclass(frozen=True, slots=True, eq=False)
class StripImages(Part):
    """N pictures by E squares beside their middle ones."""

    offsets: Floats32  # right and up from the middle, in sides; NaN: there is none [N, E, 2]
    units: Floats32  # their descriptions [N, E, d]
    copies: Floats32  # small copies, 0 to 255 [N, E, S, S, 3]
    concepts: Floats32  # their `z_img` [N, E, k]

    def squares(self, one: Encoded) -> list[tuple[Floats32, Encoded]]:
        """The offset of each square of one picture, and the picture as if that were its middle.

        The middle itself is first.
        """
        found = [(np.zeros(2, np.float32), one)]
        for number in np.flatnonzero(~np.isnan(self.offsets[0, :, 0])).tolist():
            parts = tuple(self._part(part, number) for part in one.parts)
            found.append((self.offsets[0, number], Encoded(parts)))
        return found

    def _part(self, part: Part, number: int) -> Part:
        if isinstance(part, RingImages):
            return replace(part, units=self.units[:, number])
        if isinstance(part, PictureImages):
            return PictureImages(self.copies[:, number])
        if isinstance(part, ConceptImages):
            return ConceptImages.of(self.concepts[:, number])
        return part


def squares_along(picture: Pixels) -> tuple[list[Pixels], Floats32]:
    """Squares out of a strip ``[H, W, 3]`` beside its middle, and their offsets ``[E, 2]``.

    Right and up from the middle, in sides of a square. There is none in a picture that isn't long.
    """
    height, width = picture.shape[:2]
    side, length = sorted((height, width))
    ratio = length / side
    if ratio <= LONG:
        return [], np.zeros((0, 2), np.float32)
    count = EXTRA_SQUARES if ratio > EXTRA_SQUARES + 1 else 2
    starts = np.rint(np.linspace(0, length - side, count + 1)).astype(int)
    starts = np.delete(starts, count // 2)
    along = (starts + side / 2 - length / 2) / side
    if width > height:
        squares = [picture[:, start : start + side] for start in starts]
        return squares, np.stack([along, 0 * along], axis=1).astype(np.float32)
    squares = [picture[start : start + side] for start in starts]
    return squares, np.stack([0 * along, -along], axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class LaidSquare:
    """What was found of one square.

    Attributes:
        laid: what laying it on the map told.
        best: the likeliest pose by all that is known, one row.
        elsewhere: how probable it is that it lies nowhere that was tried.
    """

    laid: RegistrationImages
    best: Poses
    elsewhere: float


def laid_strip(
    one: Encoded, lay: Callable[[Encoded], LaidSquare], never: float
) -> tuple[Encoded, RegistrationImages]:
    """One strip as its surest square shows it, and what laying that on the map told of the middle.

    Args:
        one: the strip, one row, with its `StripImages`.
        lay: lays one picture on the map.
        never: nats of every place, if squares that are rather sure say different ones.
    """
    squares = one.part(StripImages).squares(one)
    found = [lay(square) for _, square in squares]
    middles = [_moved(each.best, -offset) for each, (offset, _) in zip(found, squares, strict=True)]
    surest = int(np.argmin([each.elsewhere for each in found]))
    (own, square), middle = squares[surest], middles[surest]
    laid = _of_middle(found[surest].laid, own)
    for (offset, _), each, other in zip(squares, found, middles, strict=True):
        apart = float(np.abs(offset - own).max())
        away_km = float(distance_km(middle.lat_lon[0], other.lat_lon[0]))
        allowed_km = (SAME_PLACE + BENT * apart) * float(middle.width_km[0])
        if each.elsewhere < RATHER_SURE and away_km > allowed_km:
            laid = replace(laid, log_odds=np.full_like(laid.log_odds, never))
    return square, laid


def _moved(poses: Poses, by: Floats32) -> Poses:
    """Level poses ``[K]`` moved right and up by sides of a square ``[2]``."""
    level = Poses(poses.lat_lon, poses.width_km, poses.heading_deg)
    return level.moved(np.tile(by.astype(np.float64), (len(level), 1)))


def _of_middle(laid: RegistrationImages, offset: Floats32) -> RegistrationImages:
    """The poses of the middle square, by those of another; level, as a tilt doesn't reach far."""
    moved = _moved(laid.poses(0), -offset)
    bent = HEADING_SIGMA * float(np.hypot(*offset)) * laid.width_km
    return replace(
        laid,
        lat_lon=moved.lat_lon[None],
        heading_deg=np.array(moved.heading_deg[None]),
        homography=np.tile(np.eye(3), (1, len(moved), 1, 1)),
        sigma_km=np.hypot(laid.sigma_km, bent),
    )
