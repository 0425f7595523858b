"""Strips: pictures so long that their middle square is little of them.

Squares along a strip are described and laid on the map each by itself. Where the middle of the
strip lies follows from any of them, and those that are sure must say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from geowhy.arrays import Floats32, Floats64, Pixels
from geowhy.geo.pose import Poses
from geowhy.geo.sphere import distance_km
from geowhy.model.concept_terms import ConceptImages
from geowhy.model.terms import Encoded, Part
from geowhy.orbit.terms import NUMBERED_NOWHERE, PictureImages, RegistrationImages, RingImages

__all__ = ["EXTRA_SQUARES", "StripImages", "laid_strip", "squares_along"]

LONG = 3.0  # sides of its middle square: what is longer is a strip
EXTRA_SQUARES = 4  # beside the middle one, at most
SAME_PLACE = 0.35  # widths that two squares may differ by in where the middle lies,
BENT = 0.05  # and more of their distance: a strip isn't flat, and a heading isn't exact
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


def laid_strip(
    one: Encoded, lay: Callable[[Encoded], RegistrationImages], elsewhere: float, never: float
) -> tuple[Encoded, RegistrationImages]:
    """One strip as its best square shows it, and what laying that on the map told of the middle.

    Args:
        one: the strip, one row, with its `StripImages`.
        lay: lays one picture on the map.
        elsewhere: nats beyond which a square is surer of a place than of none.
        never: nats of every place, if squares that are sure say different ones.
    """
    squares = one.part(StripImages).squares(one)
    laid = [_of_middle(lay(square), offset) for offset, square in squares]
    nats = [float(_tried(each).max()) for each in laid]
    best = int(np.argmax(nats))
    chosen = laid[best]
    place, width_km = _best_centre(chosen)
    for (offset, _), other, sure in zip(squares, laid, nats, strict=True):
        apart = float(np.abs(offset - squares[best][0]).max())
        away = float(distance_km(place, _best_centre(other)[0]))
        if sure > elsewhere and away > (SAME_PLACE + BENT * apart) * width_km:
            chosen = replace(chosen, log_odds=np.full_like(chosen.log_odds, never))
    return squares[best][1], chosen


def _tried(laid: RegistrationImages) -> Floats32:
    """Nats of one picture at the places where it was laid, else minus infinity ``[K]``."""
    return np.where(laid.numbers[0] == NUMBERED_NOWHERE, np.float32(-np.inf), laid.log_odds[0])


def _best_centre(laid: RegistrationImages) -> tuple[Floats64, float]:
    """Where one picture lies best, degrees ``[2]``, and how wide it then is."""
    best = int(_tried(laid).argmax())
    return laid.lat_lon[0, best], float(laid.width_km[0, best])


def _of_middle(laid: RegistrationImages, offset: Floats32) -> RegistrationImages:
    """The poses of the middle square, by those of another; level, as a tilt doesn't reach far."""
    poses = Poses(laid.lat_lon[0], laid.width_km[0], laid.heading_deg[0])
    moved = poses.moved(np.tile(-offset.astype(np.float64), (len(poses), 1)))
    bent = HEADING_SIGMA * float(np.hypot(*offset)) * laid.width_km
    return replace(
        laid,
        lat_lon=moved.lat_lon[None],
        heading_deg=np.array(moved.heading_deg[None]),
        homography=np.tile(np.eye(3), (1, len(poses), 1, 1)),
        sigma_km=np.hypot(laid.sigma_km, bent),
    )
