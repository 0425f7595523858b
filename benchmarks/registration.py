"""How exactly pictures from above are registered, and how often at the right one of many places.

Queries show land of other worlds than the reference, at any heading and tilted, as the world is
(plain) or with a changed look (hard). Each has one candidate as a gallery would have it, within
0.18 widths and 14 % of the width, among wrong ones: a fifth of them nearby, the others anywhere on
land. Right is a first pose within 0.35 widths of the truth; the errors are medians of right ones.
Only worlds for training are looked at, unless others are named: choices are made by these numbers.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from geowhy.arrays import Floats64, Pixels, Points
from geowhy.geo.atlas import Atlas
from geowhy.geo.pose import Poses, apply_homography, perspective, picture_plane
from geowhy.geo.sphere import destination, distance_km, uniform_on_sphere
from geowhy.images.pyramid import WorldPyramid
from geowhy.images.worlds import open_world, worlds
from geowhy.orbit.registration import Registrations, register
from geowhy.training.orbit.config import LookConfig
from geowhy.training.orbit.look import changed_look

BANDS_KM = ((150, 300), (300, 600), (600, 1200), (1200, 2500))
SIDE = 96  # pixels of a query
SOUTHERNMOST, NORTHERNMOST = -60.0, 80.0
VIEW_DEG = 20.0
COLUMNS = ("right %", "position %", "heading °", "width %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", nargs="+", default=[w.name for w in worlds("training")])
    parser.add_argument("--count", type=int, default=25, help="queries of each cell of the table")
    parser.add_argument("--candidates", type=int, default=100)
    parser.add_argument("--tilt", type=float, default=25.0, help="most degrees from nadir")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    reference = WorldPyramid(open_world("bmng"))
    print(f"{'world':<16} {'look':<6} {'km':<10}" + "".join(f"{c:>12}" for c in COLUMNS))
    spent, measured = 0.0, 0
    for name in given.worlds:
        world = WorldPyramid(open_world(name))
        for look in ("plain", "hard"):
            for low, high in BANDS_KM:
                rng = np.random.default_rng([given.seed, low, look == "hard"])
                truth = _truth(given.count, low, high, given.tilt, rng)
                pictures = _pictures(world, truth, look == "hard", given.seed)
                errors = []
                for row, picture in enumerate(pictures):
                    candidates = _candidates(truth[np.array([row])], given.candidates, rng)
                    start = time.perf_counter()
                    found = register(picture, reference, candidates)
                    spent, measured = spent + time.perf_counter() - start, measured + 1
                    errors.append(_errors(found, truth[np.array([row])]))
                _print_row(name, look, f"{low}–{high}", np.array(errors))
    print(f"{spent / measured * 1000:.0f} ms a picture, {given.candidates} candidates")


def _print_row(name: str, look: str, band: str, errors: Floats64) -> None:
    right = errors[:, 0] < 0.35
    position, heading, width = np.median(errors[right], axis=0) if right.any() else [np.nan] * 3
    numbers = (right.mean() * 100, position * 100, heading, width * 100)
    texts = "".join(f"{n:12.{digits}f}" for n, digits in zip(numbers, (0, 2, 2, 2), strict=True))
    print(f"{name:<16} {look:<6} {band:<10}{texts}", flush=True)


def _errors(found: Registrations, truth: Poses) -> tuple[float, float, float]:
    """Of the first pose: widths, degrees, share of the width."""
    first = found.poses[:1]
    turn = abs((first.heading_deg[0] - truth.heading_deg[0] + 180) % 360 - 180)
    position = distance_km(first.lat_lon, truth.lat_lon)[0] / truth.width_km[0]
    return position, turn, abs(first.width_km[0] / truth.width_km[0] - 1)


def _land(count: int, rng: np.random.Generator) -> Points:
    """Points on land, uniform by area, ``[count, 2]``."""
    land, found = Atlas.load().layer("land"), np.zeros((0, 2))
    while len(found) < count:
        points = uniform_on_sphere(8 * count, rng)
        points = points[(points[:, 0] > SOUTHERNMOST) & (points[:, 0] < NORTHERNMOST)]
        found = np.concatenate([found, points[land.at(points) == 1]])
    return found[:count]


def _truth(count: int, low: float, high: float, tilt: float, rng: np.random.Generator) -> Poses:
    """Poses of queries: widths uniform in their logarithm."""
    homographies = perspective(rng.uniform(0, tilt, count), rng.uniform(0, 360, count), VIEW_DEG)
    widths = np.exp(rng.uniform(np.log(low), np.log(high), count))
    return Poses(_land(count, rng), widths, rng.uniform(0, 360, count), homographies)


def _pictures(world: WorldPyramid, truth: Poses, hard: bool, seed: int) -> Pixels:
    """Queries ``[N, H, W, 3]`` cut from a world."""
    plane = picture_plane((SIDE, SIDE)).reshape(-1, 2)
    east_north = apply_homography(truth.to_map, plane).astype(np.float32)
    spacing = (truth.width_km / SIDE).astype(np.float32)
    colours = world.look_up(truth.lat_lon.astype(np.float32), east_north, spacing) / 255
    pictures = np.moveaxis(colours.reshape(3, -1, SIDE, SIDE), 0, 1)
    if hard:
        torch.manual_seed(seed)
        pictures = changed_look(torch.from_numpy(pictures.copy()), LookConfig(plain=0.0)).numpy()
    return np.rint(np.moveaxis(pictures, 1, -1) * 255).astype(np.uint8)


def _candidates(truth: Poses, count: int, rng: np.random.Generator) -> Poses:
    """One near the truth, then wrong ones."""
    nearby = (count - 1) // 5
    width = truth.width_km[0]
    apart = np.append(width * 0.18 * np.sqrt(rng.uniform()), width * rng.uniform(0.75, 4, nearby))
    bearings = rng.uniform(0, 360, 1 + nearby)
    near = destination(np.repeat(truth.lat_lon, 1 + nearby, 0), bearings, apart)
    widths = width * 1.3 ** rng.integers(-2, 3, count) * np.exp(rng.uniform(-0.13, 0.13, count))
    widths[0] = width * np.exp(rng.uniform(-0.13, 0.13))
    return Poses(np.concatenate([near, _land(count - 1 - nearby, rng)]), widths, np.zeros(count))


if __name__ == "__main__":
    main()
