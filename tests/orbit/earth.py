"""A small Earth full of edges at every scale, and pictures cut from it at any pose."""

import numpy as np
from PIL import Image

from geowhy.geo.pose import picture_plane
from geowhy.geo.sphere import lat_lon_to_unit
from geowhy.images.overhead import WorldImage
from geowhy.images.pyramid import WorldPyramid


def painted(function, height=360):
    """A world whose three colours are functions of the unit vector, in [0, 255]."""
    lat = 90 - (np.arange(height) + 0.5) * 180 / height
    lon = (np.arange(2 * height) + 0.5) * 180 / height - 180
    grid = np.stack(np.meshgrid(lat, lon, indexing="ij"), axis=-1)
    return WorldImage(np.rint(function(lat_lon_to_unit(grid))).astype(np.uint8))


def blotched(seed=0, height=1440):
    """Noise at scales of 30 to 1,000 km."""
    rng = np.random.default_rng(seed)
    colours = np.zeros((height, 2 * height, 3), np.float32)
    for rows in (20, 60, 180, 540):
        for channel in range(3):
            coarse = Image.fromarray(rng.normal(size=(rows, 2 * rows)).astype(np.float32))
            colours[..., channel] += coarse.resize((2 * height, height), Image.Resampling.BICUBIC)
    return WorldImage(np.clip(128 + 35 * colours, 0, 255).astype(np.uint8))


def photographed(pyramid: WorldPyramid, poses, shape=(128, 128)):
    """Pictures ``[N, H, W, 3]`` of that Earth."""
    plane = picture_plane(shape).reshape(-1, 2)
    lat_lon = poses.ground(plane)
    zero = np.zeros((*lat_lon.shape[:1], len(plane), 1, 2), np.float32)
    pictures = [
        pyramid.look_up(
            points.astype(np.float32), nothing, np.full(len(plane), width / max(shape), np.float32)
        )
        for points, nothing, width in zip(lat_lon, zero, poses.width_km, strict=True)
    ]
    shaped = [np.moveaxis(p[..., 0], 0, -1).reshape(*shape, 3) for p in pictures]
    return np.rint(np.stack(shaped)).astype(np.uint8)
