"""Likeness of a picture to places at any heading, over shifts and widths: a volume over the pose.

Turning is a roll of polar maps about one point (:mod:`geowhy.orbit.polar`). A place is described
once, about its own centre; the picture many times, about each point that may lie there and at each
width it may have. So heading, position and width are searched together by one product of matrices
for each frequency of the azimuth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.arrays import AnyFloats, Bools, Floats32, Floats64, Rows
from geowhy.geo.pose import Poses, picture_plane
from geowhy.images.pyramid import WorldPyramid
from geowhy.orbit.polar import circular_correlation, polar_points, sample
from geowhy.orbit.structure import edge_structure, turned

__all__ = ["Hypotheses", "PoseVolume", "pose_volume"]

SIZE = 48  # pixels of the picture's longer side
STRIDES = (1, 2)  # of the smoothing
COLUMNS = 64  # headings: 5.6° apart
RADII = np.arange(1, 11) * 0.056  # of the rings, in widths of the place
REACH = 0.19  # widths of the picture: how far from its centre that of the place may lie
STEP = 0.06  # widths between shifts
LEAST_ENERGY = 0.05  # of the mean, in a normalisation
AT_ONCE = 128  # places: 15 MB for what they share with all variants
NATS = np.float32(28.0)  # of a whole likeness, beside what a search says of the places
WIDTHS = (0.87, 0.935, 1.0, 1.07, 1.15)  # of the picture, in widths of the place


@dataclass(frozen=True)
class Hypotheses:
    """Poses that a volume thinks likely.

    Attributes:
        rows: ``[M]``, which candidate each belongs to.
        poses: ``[M]`` of them.
        scores: ``[M]``, the higher the likelier: in a volume the likeness, in [-1, 1].
    """

    rows: Rows
    poses: Poses
    scores: AnyFloats

    def __getitem__(self, kept: Rows) -> Hypotheses:
        """Those of rows ``[K]``."""
        return Hypotheses(self.rows[kept], self.poses[kept], self.scores[kept])


@dataclass(frozen=True)
class PoseVolume:
    """Likeness of one picture to K places over V shifts and widths and A headings.

    Attributes:
        places: ``[K]``, level and north up.
        variants: ``[V, 3]``: where in the picture's plane the centre of the place lies, x and y,
            and the picture's width in widths of the place.
        likeness: ``[K, A]``, normalised correlation in [-1, 1], the largest over shifts and
            widths; heading a is a·360°/A.
        best: ``[K, A]``, the variant that has it.
        shape: height and width of the picture.
        asked: ``[A]``, the headings at which the picture may lie; None for all.
    """

    places: Poses
    variants: Floats64
    likeness: Floats32
    best: Rows
    shape: tuple[int, int]
    asked: Bools | None = None

    @property
    def likeness_asked(self) -> Floats32:
        """The likeness ``[K, A]``; minus infinity where a heading isn't asked about."""
        if self.asked is None:
            return self.likeness
        return np.where(self.asked, self.likeness, np.float32(-np.inf))

    def peaks(self, headings: int, count: int, beforehand: Floats32 | None = None) -> Hypotheses:
        """The ``count`` likeliest poses, at most ``headings`` of each place, a heading once.

        What is known of the places ``beforehand`` ``[K]``, nats, counts beside the likeness.
        """
        likeness, asked = self.likeness, self.likeness_asked
        left, right = np.roll(likeness, 1, 1), np.roll(likeness, -1, 1)
        highest = asked == asked.max(1, keepdims=True)  # of even likeness, no heading is a peak
        is_top = (likeness >= left) & (likeness > right) | highest
        tops = NATS * np.where(is_top, asked, np.float32(-np.inf))
        if beforehand is not None:
            tops += beforehand[:, None]
        columns = np.argsort(-tops, axis=1)[:, :headings]
        nats = np.take_along_axis(tops, columns, 1)
        order = np.argsort(-nats, axis=None)[:count]
        order = order[np.isfinite(nats.flat[order])]
        rows, columns = order // nats.shape[1], columns.flat[order]
        before, here, after = (each[rows, columns] for each in (left, likeness, right))
        bend = np.minimum(before + after - 2 * here, -1e-9)
        between = np.clip((before - after) / (2 * bend), -0.5, 0.5)  # further at no peak
        headings_deg = (columns + between) * (360 / likeness.shape[1])
        poses = self._posed(rows, self.variants[self.best[rows, columns]], headings_deg)
        return Hypotheses(rows, poses, here)

    def _posed(self, rows: Rows, variants: Floats64, headings_deg: Floats64) -> Poses:
        """Where the picture lies if the centre of each place is the point of the variant."""
        turned_places = Poses(
            self.places.lat_lon[rows], self.places.width_km[rows] * variants[:, 2], headings_deg
        )
        return turned_places.moved(-variants[:, :2], self.shape)


def pose_volume(picture: Floats32, places: Poses, pyramid: WorldPyramid) -> PoseVolume:
    """The volume of a picture ``[3, H, W]``, its longer side 48 pixels, at level places."""
    variants = _variants()
    description, known = _picture_maps(picture, variants)
    own, flat = np.square(description).sum((0, 2, 3)), _flat(description)
    blocks = [np.arange(n, min(n + AT_ONCE, len(places))) for n in range(0, len(places), AT_ONCE)]
    reference = np.concatenate([_place_maps(places[rows], pyramid) for rows in blocks], axis=1)
    energy = np.square(reference).sum(0)  # [K, R, A]
    mean = (energy.sum(2).mean(0) * known.sum(2).mean(0)).sum() / COLUMNS
    likeness, best = list[Floats32](), list[Rows]()
    for rows in blocks:
        of_all = circular_correlation(_flat(reference[:, rows]), flat)  # [K, V, A]
        within = circular_correlation(energy[rows], known)
        within = np.maximum(within, np.float32(LEAST_ENERGY * mean))
        of_all /= np.sqrt(within * own[:, None]) + np.float32(1e-9)  # there may be no edge
        best.append(of_all.argmax(1))
        likeness.append(of_all.max(1))
    shape = (picture.shape[1], picture.shape[2])
    return PoseVolume(places, variants, np.concatenate(likeness), np.concatenate(best), shape)


def _flat(maps: Floats32) -> Floats32:
    """Maps ``[F, N, R, A]`` as ``[N, F R, A]``."""
    rows = np.swapaxes(maps, 0, 1)
    return rows.reshape(len(rows), -1, COLUMNS)


def _variants() -> Floats64:
    """Shifts on a square grid within the reach, each at all widths: [V, 3]."""
    axis = np.arange(-int(REACH / STEP), int(REACH / STEP) + 1) * STEP
    shifts = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    shifts = shifts[np.hypot(*shifts.T) <= REACH + STEP / 4]
    widths = np.repeat(np.array(WIDTHS), len(shifts))
    return np.concatenate([np.tile(shifts, (len(WIDTHS), 1)), widths[:, None]], axis=1)


def _picture_maps(picture: Floats32, variants: Floats64) -> tuple[Floats32, Floats32]:
    """Polar maps ``[F, V, R, A]`` of the picture ``[3, H, W]`` about each variant.

    Also what is known of them, ``[V, R, A]``: 1 inside the picture, else 0.
    """
    maps = edge_structure(picture[:, None], STRIDES)[:, 0, 1:-1, 1:-1]  # the rim has no gradient
    shrunk = max(picture.shape[1:]) / max(maps.shape[1:])
    rings = polar_points(RADII, COLUMNS)
    points = rings / variants[:, 2, None, None, None] + variants[:, None, None, :2]
    values, inside = sample(maps, points.reshape(-1, 2) * shrunk)
    shape = points.shape[:-1]
    return _weighted(values.reshape(-1, *shape)), inside.reshape(shape).astype(np.float32)


def _place_maps(places: Poses, pyramid: WorldPyramid) -> Floats32:
    """Polar maps ``[F, K, R, A]`` of places about their centres."""
    half = int(np.ceil(RADII[-1] * SIZE)) + 2
    side = 2 * half
    plane = (picture_plane((side, side)).reshape(-1, 2) * (side / SIZE)).astype(np.float32)
    east_north = plane * places.width_km[:, None, None].astype(np.float32)
    centres = places.lat_lon.astype(np.float32)
    colours = pyramid.look_up(centres, east_north, (places.width_km / SIZE).astype(np.float32))
    maps = edge_structure(colours.reshape(3, -1, side, side), STRIDES)
    rings = polar_points(RADII, COLUMNS).reshape(-1, 2)
    values, _ = sample(maps, rings * (SIZE / side))
    return _weighted(values.reshape(*values.shape[:2], len(RADII), COLUMNS))


def _weighted(values: Floats32) -> Floats32:
    """Polar maps ``[F, N, R, A]`` with directions counted from the radius.

    Rings count by their areas: each factor of a product by its root.
    """
    azimuth = 2 * np.pi * np.arange(COLUMNS) / COLUMNS
    weights = np.sqrt(RADII / RADII.mean()).astype(np.float32)
    return np.asarray(turned(values, np.pi / 2 - azimuth) * weights[:, None], np.float32)
