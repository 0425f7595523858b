"""A picture laid on the ground: where each of its pixels lies.

On the azimuthal equidistant map about its centre a picture is a homography of its pixels; a *level*
one, taken straight down, is scaled and turned, no more. So nothing is lost in laying it there.

Pixel coordinates are column and row ``[..., 2]``: (0, 0) is the top left corner of the picture, and
(0.5, 0.5) the centre of its first pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from geowhy.answer import Prediction
from geowhy.arrays import Floats64, Pixels, Points
from geowhy.errors import DataError, ImageError
from geowhy.geo.azimuthal import plane_to_sphere, sphere_to_plane
from geowhy.geo.pose import Pose, Poses, apply_homography, picture_corners
from geowhy.overlay.warping import warped

__all__ = ["MOST_PIXELS", "LaidPicture"]

MOST_PIXELS = 2048  # of a side, in a page or on a globe: what these take at once
LEVEL_PX = 0.5  # perspective that moves no corner further is left out
MOST_GROWTH = 2.0  # pixels of a levelled picture, for each of the tilted one


@dataclass(frozen=True, slots=True, eq=False)
class LaidPicture:
    """A picture and where it lies.

    Attributes:
        name: under which the picture was given.
        pixels: sRGB ``[H, W, 3]``, or ``[H, W, 4]`` with alpha.
        pose: of the picture as it was taken.
        to_map: homography ``[3, 3]`` from pixel coordinates to km east and north on the azimuthal
            equidistant map about the pose's centre.
    """

    name: str
    pixels: Pixels
    pose: Pose
    to_map: Floats64

    @classmethod
    def of(cls, prediction: Prediction, pixels: Pixels) -> LaidPicture:
        """A picture ``[H, W, 3]`` where the answer says that it lies.

        Its size need not be that of the picture that was located, but its corners are the same.

        Raises:
            ImageError: if the answer doesn't say it, or it wasn't verified.
        """
        name, model = prediction.image, prediction.model
        height, width = pixels.shape[:2]
        if prediction.abstained:
            raise ImageError(name, "isn't laid over the map, for no place is named")
        if prediction.footprint is None:
            raise ImageError(
                name,
                f"isn't laid over the map: the model {model} names a place but not how pictures "
                "lie there; choose one that says it",
            )
        if not prediction.verified:
            raise ImageError(
                name,
                "isn't laid over the map: its place wasn't verified, so it would likely lie in the "
                "wrong one; give --region or a sharper picture",
            )
        corners = [(corner.lat, corner.lon) for corner in prediction.footprint]
        try:
            pose = Poses.of_corners([corners], (height, width))
            laid = cls(name, pixels, pose.one(0), pose.to_map[0] @ _to_plane(height, width))
        except (DataError, np.linalg.LinAlgError) as error:
            raise ImageError(name, f"has a footprint that no picture has: {corners}") from error
        return laid

    @property
    def shape(self) -> tuple[int, int]:
        """Its height and width, pixels."""
        height, width = self.pixels.shape[:2]
        return height, width

    @property
    def corners(self) -> Floats64:
        """Pixel coordinates ``[4, 2]`` of the top left, then clockwise."""
        height, width = self.shape
        return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)

    @property
    def corners_km(self) -> Floats64:
        """The same corners on the map, ``[4, 2]``, km east and north of the centre."""
        return np.asarray(apply_homography(self.to_map[None], self.corners)[0])

    @property
    def is_level(self) -> bool:
        """Whether an affine matrix does as well: no perspective, or none that a pixel shows."""
        there = apply_homography((np.linalg.inv(self._affine) @ self.to_map)[None], self.corners)
        return bool(np.abs(there[0] - self.corners).max() <= LEVEL_PX)

    def ground(self, pixel: ArrayLike) -> Points:
        """Degrees ``[N, 2]`` of pixel coordinates ``[N, 2]``."""
        on_map = apply_homography(self.to_map[None], pixel)
        return np.asarray(plane_to_sphere(self._centre, on_map)[0])

    def pixel(self, lat_lon: ArrayLike) -> Floats64:
        """Pixel coordinates ``[N, 2]`` of degrees ``[N, 2]``; NaN beyond the picture's horizon."""
        return self._pixel_of(np.eye(3), sphere_to_plane(self._centre, lat_lon)[0])

    def shrunk(self, side: int) -> LaidPicture:
        """The same picture with no side above ``side`` pixels."""
        height, width = self.shape
        if max(self.shape) <= side:
            return self
        small = Image.fromarray(self.pixels)
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        scale = np.diag([width / small.width, height / small.height, 1.0])
        return replace(self, pixels=np.asarray(small), to_map=self.to_map @ scale)

    def levelled(self) -> LaidPicture:
        """The same picture without perspective, so that ``to_map`` is affine.

        A picture that is level keeps its pixels; one that isn't is drawn anew as from straight
        above, with what it doesn't show transparent.
        """
        if self.is_level:
            return replace(self, to_map=self._affine)
        shape, pose = self.shape, self.pose
        straight = Poses.of([Pose(pose.lat_lon, pose.width_km, pose.heading_deg)]).to_map[0]
        seen = apply_homography(pose.homography[None], picture_corners(shape))[0]
        (left, low), (right, high) = seen.min(axis=0), seen.max(axis=0)
        step = 1 / max(shape)  # of a pixel, whose area stays the same at the centre
        growth = (right - left) * (high - low) / step**2 / np.prod(shape)
        step *= max(1.0, growth / MOST_GROWTH) ** 0.5
        size = (int(np.ceil((high - low) / step)), int(np.ceil((right - left) / step)))
        to_map = straight @ np.array([[step, 0, left], [0, -step, high], [0, 0, 1]])
        pixels = warped(self.pixels, size, lambda target: self._pixel_of(to_map, target))
        level = replace(pose, homography=np.eye(3))
        return LaidPicture(self.name, pixels, level, to_map)

    def _pixel_of(self, to_map: Floats64, points: Floats64) -> Floats64:
        """Pixel coordinates ``[N, 2]`` of points ``[N, 2]``, which ``to_map`` takes to the map."""
        inverse = np.linalg.inv(self.to_map)
        matrix = inverse @ to_map
        x, y, depth = matrix[:, :2] @ points.T + matrix[:, 2:]
        # Its sign at the centre of the map is that of all that was in view.
        depth[depth / inverse[2, 2] <= 0] = np.nan
        return np.stack([x / depth, y / depth], axis=-1)

    @property
    def _affine(self) -> Floats64:
        """The matrix ``[3, 3]`` without perspective that is nearest to it at the corners."""
        points = np.hstack([self.corners, np.ones((4, 1))])
        fitted, *_ = np.linalg.lstsq(points, self.corners_km)
        return np.vstack([fitted.T, [0.0, 0.0, 1.0]])

    @property
    def _centre(self) -> Floats64:
        return np.array([(self.pose.lat_lon.lat, self.pose.lat_lon.lon)])


def _to_plane(height: int, width: int) -> Floats64:
    """Matrix ``[3, 3]`` from pixel coordinates to the plane of a picture's pose."""
    longer = max(height, width)
    return np.array([[1, 0, -width / 2], [0, -1, height / 2], [0, 0, longer]], np.float64) / longer
