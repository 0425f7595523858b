"""Makes the packaged coasts.npz, outlines of land, from the land of the packaged atlas.

    python scripts/build_coasts.py

Needs the extra ``atlas``. Run it after ``build_earth.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray

from earth_sources.writing import write_npz
from geowhy.geo.atlas import Atlas
from geowhy.render.world_map import COASTS

ROWS = 360  # half a degree: finer than a world map can show
LAND_SHARE = 0.5  # a cell with more land than this is land


def main() -> None:
    """Contour the share of land in cells of half a degree, and write the curves end to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=COASTS, help="the file")
    output = parser.parse_args().output
    land = np.maximum(Atlas.load().layer("land").grid(), 0)
    side = land.shape[0] // ROWS
    share = land.reshape(ROWS, side, 2 * ROWS, side).mean(axis=(1, 3), dtype=np.float64)
    curves = [_degrees(curve[:-1]) for curve in contours(share)]
    starts = np.cumsum([len(curve) for curve in curves])[:-1].astype(np.int32)
    write_npz(output, {"lat_lon": np.concatenate(curves), "starts": starts})


def contours(share: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Closed curves ``[n, 2]`` as column and row; beyond the grid all is sea."""
    padded = np.pad(share, 1, constant_values=LAND_SHARE - 1.0)
    lines = contour_generator(z=padded).lines(LAND_SHARE)
    return [np.asarray(line, np.float64) - 1.0 for line in lines]


def _degrees(curve: NDArray[np.float64]) -> NDArray[np.float32]:
    step = 180.0 / ROWS
    lat = np.clip(90.0 - (curve[:, 1] + 0.5) * step, -90.0, 90.0)
    lon = np.clip((curve[:, 0] + 0.5) * step - 180.0, -180.0, 180.0)
    return np.stack([lat, lon], axis=-1).astype(np.float32)


if __name__ == "__main__":
    main()
