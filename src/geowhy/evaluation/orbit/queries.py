"""Pictures cut from a world at known poses, to ask a model about.

Places are uniform by area over land and coasts; headings are any. Which ones follows from the seed,
the widths and the tilt alone, so every world and look is asked about the same places, and more
queries are the same ones and others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from geowhy.arrays import Bools, Floats32, Floats64, Pixels
from geowhy.errors import MissingExtraError
from geowhy.geo.atlas import Atlas
from geowhy.geo.pose import Poses, apply_homography, perspective, picture_plane
from geowhy.geo.sphere import uniform_on_sphere
from geowhy.images.pyramid import WorldPyramid

__all__ = ["SIDE", "Look", "QueryRow", "Tilt", "cut_queries", "drawn_poses", "sea_poses"]

Look = Literal["plain", "hard"]
Tilt = Literal["slight", "up to 45°"]

SIDE = 160  # pixels of a query
VIEW_DEG = 20.0  # that the camera sees
# Slight: the scale across the picture changes by up to a fifth of that at the centre.
MOST_TILT_DEG: dict[Tilt, float] = {
    "slight": float(np.degrees(np.arctan(0.1 / np.tan(np.radians(VIEW_DEG / 2))))),
    "up to 45°": 45.0,
}
LEAST_LAND = 0.25  # of the ground that a query shows
SOUTHERNMOST, NORTHERNMOST = -60.0, 80.0  # of centres
LAND_PROBES = 8  # a side: how much of a query is land is counted at so many points
SEA_PROBES = 32  # to leave islands out
DRAWN_AT_ONCE = 512
# How often a hard query's look is changed in each way. It stands here, so that what training
# chooses doesn't change what is measured.
HARD = {
    "plain": 0.0,
    "grey": 0.6,
    "colour": 1.0,
    "gamma": 1.0,
    "haze": 0.5,
    "clouds": 0.5,
    "light": 1.0,
    "blur": 0.4,
    "noise": 1.0,
    "collar": 0.0,
}


@dataclass(frozen=True, slots=True)
class QueryRow:
    """Queries that are measured together."""

    widths_km: tuple[float, float]  # between which theirs lie, uniform in the logarithm
    tilt: Tilt = "slight"


def drawn_poses(row: QueryRow, count: int, seed: int) -> Poses:
    """Poses of ``count`` queries."""
    return _drawn(row, count, seed, LAND_PROBES, lambda share: share >= LEAST_LAND)


def sea_poses(row: QueryRow, count: int, seed: int) -> Poses:
    """Poses of ``count`` pictures of nothing but sea."""
    return _drawn(row, count, seed, SEA_PROBES, lambda share: share == 0)


def _drawn(
    row: QueryRow, count: int, seed: int, probes: int, keep: Callable[[Floats64], Bools]
) -> Poses:
    """Poses that are kept for their share of land, counted at so many points a side."""
    steepness = list(MOST_TILT_DEG).index(row.tilt)
    rng = np.random.default_rng([seed, *np.rint(row.widths_km).astype(int), steepness])
    land, plane = Atlas.load().layer("land"), picture_plane((probes, probes)).reshape(-1, 2)
    found = list[Poses]()
    while sum(map(len, found)) < count:
        poses = _any_poses(row, rng)
        is_land = land.at(poses.ground(plane).reshape(-1, 2)) == 1
        kept = keep(is_land.reshape(len(poses), -1).mean(axis=1))
        found.append(poses[np.flatnonzero(kept)])
    return Poses.joined(found)[np.arange(count)]


def _any_poses(row: QueryRow, rng: np.random.Generator) -> Poses:
    """Poses over land and sea, as many as lie between two latitudes."""
    centres = uniform_on_sphere(DRAWN_AT_ONCE, rng)
    centres = centres[(centres[:, 0] > SOUTHERNMOST) & (centres[:, 0] < NORTHERNMOST)]
    count, (low, high) = len(centres), np.log(row.widths_km)
    # Uniform in the tangent, which the change of scale across the picture is proportional to.
    steepest = np.tan(np.radians(MOST_TILT_DEG[row.tilt]))
    tilt_deg = np.degrees(np.arctan(rng.uniform(0, steepest, count)))
    return Poses(
        centres,
        np.exp(rng.uniform(low, high, count)),
        rng.uniform(0, 360, count),
        perspective(tilt_deg, rng.uniform(0, 360, count), VIEW_DEG),
    )


def cut_queries(
    world: WorldPyramid, poses: Poses, look: Look, seed: int, numbers: Sequence[int]
) -> Pixels:
    """Pictures ``[N, H, W, 3]`` of a world; seed and number decide how each one's look changes.

    Raises:
        MissingExtraError: for hard ones without the extra ``train``, which changes looks.
    """
    plane = picture_plane((SIDE, SIDE)).reshape(-1, 2)
    east_north = apply_homography(poses.to_map, plane).astype(np.float32)
    spacing = (poses.width_km / SIDE).astype(np.float32)
    colours = world.look_up(poses.lat_lon.astype(np.float32), east_north, spacing)
    pictures = np.moveaxis(colours.reshape(3, -1, SIDE, SIDE), 0, 1) / np.float32(255)
    if look == "hard":
        changed = (
            _hard(picture, int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))
            for picture, number in zip(pictures, numbers, strict=True)
        )
        pictures = np.stack(list(changed))
    return np.asarray(np.rint(np.moveaxis(pictures, 1, -1) * 255), np.uint8)


def _hard(picture: Floats32, seed: int) -> Floats32:
    """A picture ``[3, H, W]`` from 0 to 1 in another look."""
    try:
        import torch

        from geowhy.training.orbit.config import LookConfig
        from geowhy.training.orbit.look import changed_look
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train", "measuring on hard queries") from error
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        changed = changed_look(torch.from_numpy(picture.copy())[None], LookConfig(**HARD))
    return np.asarray(changed[0].numpy(), np.float32)
