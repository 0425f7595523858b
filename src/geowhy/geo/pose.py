"""Where a picture of the ground lies: centre, width, heading, and the homography of a tilted one.

The *plane* of a picture has its origin at the picture's centre, x to its right and y up, and the
longer side as its unit, so that the longer side reaches from -0.5 to 0.5. A homography, the
identity for a picture taken straight down, takes it to the ground as seen from above; heading and
width turn and scale that onto the azimuthal equidistant map about the centre.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Floats64, Points, Selection
from geowhy.errors import DataError
from geowhy.geo.azimuthal import plane_to_sphere, sphere_to_plane
from geowhy.geo.sphere import lat_lon_to_unit, on_earth, unit_to_lat_lon, wrap_longitude
from geowhy.types import LatLon

__all__ = ["Pose", "Poses", "apply_homography", "perspective", "picture_corners", "picture_plane"]

REFITS = 8  # at most, of a centre to four corners
CLOSE_KM = 1e-3  # a refit that moves the centre less is the last


@dataclass(frozen=True)
class Pose:
    """Where one picture lies; see :class:`Poses`.

    Attributes:
        lat_lon: of the picture's centre.
        width_km: of the picture's longer side on the ground.
        heading_deg: bearing of the picture's up direction, clockwise from north, in [0, 360).
        homography: ``[3, 3]``, from the picture's plane to the ground as seen from above.
    """

    lat_lon: LatLon
    width_km: float
    heading_deg: float
    homography: Floats64 = field(default_factory=lambda: np.eye(3))

    def footprint(self, shape: tuple[int, int] = (1, 1)) -> tuple[LatLon, LatLon, LatLon, LatLon]:
        """Corners of a picture of that height and width: top left, then clockwise."""
        corners = Poses.of([self]).footprint(shape)[0]
        first, second, third, fourth = (LatLon(float(lat), float(lon)) for lat, lon in corners)
        return first, second, third, fourth

    def of_whole(self, shape: tuple[int, int]) -> Pose:
        """The pose of a picture of that height and width, of whose middle square this is."""
        ratio = max(shape) / min(shape)
        scale = np.diag([ratio, ratio, 1.0])
        homography = np.linalg.inv(scale) @ self.homography @ scale
        return Pose(self.lat_lon, self.width_km * ratio, self.heading_deg, homography)


@dataclass(frozen=True)
class Poses:
    """Where N pictures lie. One number or row is taken for all of them.

    Attributes:
        lat_lon: ``[N, 2]``, degrees, of the centres.
        width_km: ``[N]``, of the longer side on the ground, by the scale at the centre; that is the
            root of the area's where it differs by direction.
        heading_deg: ``[N]``, bearing of the picture's up direction at the centre, clockwise from
            north, brought into [0, 360).
        homography: ``[N, 3, 3]``, from the picture's plane to the ground as seen from above. It
            keeps the origin, the direction of up and the area there: the rest of a general
            homography is the pose (:meth:`of_corners` splits one).

    Raises:
        CoordinateError: if a centre isn't on Earth.
        DataError: if a width isn't above 0, a number isn't finite, or a picture shows the horizon.
    """

    lat_lon: Points
    width_km: Floats64
    heading_deg: Floats64
    homography: Floats64 = field(default_factory=lambda: np.eye(3))

    def __post_init__(self) -> None:
        points = on_earth(self.lat_lon)
        widths = np.asarray(self.width_km, np.float64)
        headings = np.asarray(self.heading_deg, np.float64)
        homographies = np.asarray(self.homography, np.float64)
        if not (np.isfinite(widths).all() and (widths > 0).all() and np.isfinite(headings).all()):
            raise DataError("widths are finite km above 0 and headings finite degrees; give those")
        if not (_nearness(homographies) > 0).all():  # not a number isn't either
            raise DataError(
                "a homography that is not finite or puts the horizon into the picture: give one "
                "of a picture that shows ground alone"
            )
        count = len(points)
        points = np.stack([points[:, 0], wrap_longitude(points[:, 1])], axis=-1)
        object.__setattr__(self, "lat_lon", points)
        object.__setattr__(self, "width_km", np.broadcast_to(widths, (count,)))
        object.__setattr__(self, "heading_deg", np.broadcast_to(headings % 360.0, (count,)))
        object.__setattr__(self, "homography", np.broadcast_to(homographies, (count, 3, 3)))

    @classmethod
    def of(cls, poses: Iterable[Pose]) -> Poses:
        """The same poses as arrays."""
        rows = list(poses)
        return cls(
            np.array([(p.lat_lon.lat, p.lat_lon.lon) for p in rows]).reshape(-1, 2),
            np.array([p.width_km for p in rows]),
            np.array([p.heading_deg for p in rows]),
            np.array([p.homography for p in rows]).reshape(-1, 3, 3),
        )

    @classmethod
    def joined(cls, parts: Sequence[Poses]) -> Poses:
        """The poses of all parts, one after another."""
        return cls(
            np.concatenate([part.lat_lon for part in parts]),
            np.concatenate([part.width_km for part in parts]),
            np.concatenate([part.heading_deg for part in parts]),
            np.concatenate([part.homography for part in parts]),
        )

    @classmethod
    def of_corners(cls, lat_lon: ArrayLike, shape: tuple[int, int] = (1, 1)) -> Poses:
        """The poses of pictures whose corners lie at degrees ``[N, 4, 2]``.

        The corners are the top left, then clockwise, of pictures of that height and width; four
        points fix a homography. The inverse of :meth:`footprint`.
        """
        corners = np.asarray(lat_lon, np.float64)
        unit = picture_corners(shape)
        centres = unit_to_lat_lon(lat_lon_to_unit(corners).mean(1))
        for _ in range(REFITS):
            ground = _four_points(unit, sphere_to_plane(centres, corners))
            middle = apply_homography(ground, np.zeros((1, 2)))
            centres = plane_to_sphere(centres, middle)[:, 0]
            if np.abs(middle).max(initial=0.0) < CLOSE_KM:
                break
        ground = _four_points(unit, sphere_to_plane(centres, corners))
        ground[:, :2, 2] = 0.0  # what the refits left, below a metre
        scale = ground[:, :2, :2]
        widths = np.sqrt(np.abs(np.linalg.det(scale)))
        headings = np.degrees(np.arctan2(scale[:, 0, 1], scale[:, 1, 1]))
        level = np.linalg.inv(_similarities(widths, headings)) @ ground
        return cls(centres, widths, headings, level)

    def __len__(self) -> int:
        return len(self.lat_lon)

    def __getitem__(self, rows: Selection) -> Poses:
        """The poses of rows ``[M]``."""
        return Poses(
            self.lat_lon[rows], self.width_km[rows], self.heading_deg[rows], self.homography[rows]
        )

    def one(self, row: int) -> Pose:
        """The pose of that row."""
        lat, lon = self.lat_lon[row]
        return Pose(
            LatLon(float(lat), float(lon)),
            float(self.width_km[row]),
            float(self.heading_deg[row]),
            np.array(self.homography[row]),
        )

    def moved(self, by: ArrayLike, shape: tuple[int, int] = (1, 1)) -> Poses:
        """The poses of pictures of that height and width, moved on the ground.

        ``by`` is ``[N, 4, 2]``, how far each of the four corners moves in the picture's plane, or
        ``[N, 2]``, how far all of it does. The heading is that against north at the new centre.
        """
        steps = np.asarray(by, np.float64)
        steps = steps[:, None] if steps.ndim == 2 else steps
        return Poses.of_corners(self.ground(picture_corners(shape) + steps), shape)

    @property
    def to_map(self) -> Floats64:
        """Homographies ``[N, 3, 3]`` from the plane of each picture to its map, km east and north.

        The map is the azimuthal equidistant one about the picture's centre.
        """
        return _similarities(self.width_km, self.heading_deg) @ self.homography

    def ground(self, plane: ArrayLike) -> Floats64:
        """Degrees ``[N, M, 2]`` of points of each picture's plane.

        ``plane`` is ``[N, M, 2]``, or ``[M, 2]`` for the same points of each picture.
        """
        return plane_to_sphere(self.lat_lon, apply_homography(self.to_map, plane))

    def plane(self, lat_lon: ArrayLike) -> Floats64:
        """Points ``[N, M, 2]`` of each picture's plane at degrees ``[N, M, 2]`` or ``[M, 2]``."""
        on_map = sphere_to_plane(self.lat_lon, lat_lon)
        return apply_homography(np.linalg.inv(self.to_map), on_map)

    def footprint(self, shape: tuple[int, int] = (1, 1)) -> Floats64:
        """Corners ``[N, 4, 2]``, degrees, of pictures of that height and width.

        The top left one is first, the others follow clockwise.
        """
        return self.ground(picture_corners(shape))


def picture_plane(shape: tuple[int, int]) -> Floats64:
    """Where the pixel centres of a picture of that height and width lie in its plane: [H, W, 2]."""
    height, width = shape
    x = (np.arange(width) - (width - 1) / 2) / max(shape)
    y = ((height - 1) / 2 - np.arange(height)) / max(shape)
    return np.stack(np.meshgrid(x, y), axis=-1)


def picture_corners(shape: tuple[int, int] = (1, 1)) -> Floats64:
    """Corners ``[4, 2]`` of a picture's plane: top left, then clockwise."""
    height, width = shape
    signs = np.array([(-1, 1), (1, 1), (1, -1), (-1, -1)])
    return np.asarray(signs * np.array([width, height]) / (2 * max(shape)), np.float64)


def apply_homography(homographies: ArrayLike, points: ArrayLike) -> Floats64:
    """Where homographies ``[N, 3, 3]`` take points ``[N, M, 2]`` or ``[M, 2]``: ``[N, M, 2]``."""
    matrices = np.swapaxes(np.asarray(homographies, np.float64), -1, -2)
    mapped = np.asarray(points, np.float64) @ matrices[:, :2] + matrices[:, 2:]
    return np.asarray(mapped[..., :2] / mapped[..., 2:])


def perspective(tilt_deg: ArrayLike, toward_deg: ArrayLike, field_of_view_deg: float) -> Floats64:
    """Homographies ``[N, 3, 3]`` of a pinhole camera tilted by ``tilt_deg`` ``[N]`` from nadir.

    ``toward_deg`` ``[N]`` is where the horizon lies in the picture, clockwise from up; the field of
    view is that of the longer side. A ray (x, y, f) of a camera tilted toward y meets flat ground
    at x/(1 - y·tan(tilt)/f) and y/cos(tilt)/(1 - y·tan(tilt)/f) from the centre, up to a factor.
    """
    tilt = np.radians(np.atleast_1d(np.asarray(tilt_deg, np.float64)))
    toward = np.radians(np.broadcast_to(np.asarray(toward_deg, np.float64), tilt.shape))
    x, y = np.sin(toward), np.cos(toward)
    matrices = np.tile(np.eye(3), (len(tilt), 1, 1))
    stretch = 1 / np.cos(tilt) - 1
    matrices[:, 0, 0] += stretch * x * x
    matrices[:, 0, 1] = matrices[:, 1, 0] = stretch * x * y
    matrices[:, 1, 1] += stretch * y * y
    slope = -2 * np.tan(np.radians(field_of_view_deg) / 2) * np.tan(tilt)
    matrices[:, 2, 0], matrices[:, 2, 1] = slope * x, slope * y
    up = np.arctan2(matrices[:, 0, 1], matrices[:, 1, 1])
    return _similarities(np.cos(tilt) ** 0.5, -np.degrees(up)) @ matrices


def _similarities(widths: Floats64, headings: Floats64) -> Floats64:
    """Matrices ``[N, 3, 3]`` that scale, then turn clockwise."""
    cos, sin = np.cos(np.radians(headings)), np.sin(np.radians(headings))
    matrices = np.zeros((len(widths), 3, 3))
    matrices[:, 0, 0] = matrices[:, 1, 1] = widths * cos
    matrices[:, 0, 1], matrices[:, 1, 0] = widths * sin, -widths * sin
    matrices[:, 2, 2] = 1.0
    return matrices


def _four_points(plane: Floats64, images: Floats64) -> Floats64:
    """Homographies ``[N, 3, 3]`` that take ``plane`` ``[4, 2]`` to ``images`` ``[N, 4, 2]``."""
    count = len(images)
    x, y = plane.T
    equations = np.zeros((count, 2, 4, 8))
    for axis in (0, 1):
        image = images[..., axis]
        equations[:, axis, :, 3 * axis : 3 * axis + 3] = np.stack([x, y, np.ones(4)], axis=-1)
        equations[:, axis, :, 6] = -image * x
        equations[:, axis, :, 7] = -image * y
    known = np.swapaxes(images, 1, 2).reshape(count, 8, 1)
    solved = np.linalg.solve(equations.reshape(count, 8, 8), known)[..., 0]
    return np.concatenate([solved, np.ones((count, 1))], axis=1).reshape(count, 3, 3)


def _nearness(homographies: Floats64) -> Floats64:
    """The least denominator of homographies ``[..., 3, 3]`` at the corners of the unit square."""
    bottom = homographies[..., 2, :]
    finite = np.where(np.isfinite(homographies).all((-1, -2)), bottom[..., 2], np.nan)
    return np.asarray(finite - np.abs(bottom[..., :2]).sum(-1) / 2)
