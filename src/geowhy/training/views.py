"""The manifest of views: where they are centred, and to which split each belongs.

Splits are blocked: whole cells of 10 degrees go to training, validation or test. Views near a
held-out block show parts of it. So training can drop every view that shares a single pixel of the
world image with a view that is used for validation or test; where it doesn't, `unseen` tells the
views apart that still are a fair test.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geowhy.arrays import Bools, Points, Rows
from geowhy.errors import ConfigError, DataError
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.sphere import EARTH_RADIUS_KM, lat_lon_to_unit
from geowhy.images.overhead import WorldImage, footprint
from geowhy.training.config import SplitConfig, ViewsConfig

__all__ = [
    "SPLITS", "Manifest", "ViewManifest", "cell_splits", "sample_views", "split_views", "unseen",
]  # fmt: skip

SPLITS = ("train", "validation", "test", "margin", "unused", "unreadable")
CHUNK = 256
CELLS_IN_A_ROW = 36  # of 10 degrees
HAND = 10  # cells dealt out at a time


@dataclass(frozen=True, eq=False)
class Manifest(ABC):
    """Images of known position, and the splits that they belong to.

    Those of ``margin`` are dropped because they show pixels of a held-out view, ``unused`` ones
    because their cell is held out and has enough images already.
    """

    FILE: ClassVar[str]  # what a run calls that which `save` writes

    centres: Points  # degrees [N, 2]
    split: NDArray[np.int8]  # of each image, an index into SPLITS [N]

    def rows(self, split: str) -> Rows:
        """Positions of the images of a split, ascending."""
        return np.flatnonzero(self.split == SPLITS.index(split))

    def save(self, path: Path) -> None:
        """Writes parquet, a row an image."""
        lat, lon = self.centres.T
        columns = {"lat": lat, "lon": lon, "split": np.array(SPLITS)[self.split]}
        pq.write_table(pa.table({**self._own_columns(), **columns}), path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what ``save`` wrote.

        Raises:
            DataError: if the file is missing, or is not such a parquet file.
        """
        try:
            columns = pq.read_table(path).to_pydict()
            centres = np.stack([columns["lat"], columns["lon"]], axis=1)
            split = np.array([SPLITS.index(name) for name in columns["split"]], np.int8)
            return cls(centres, split, *cls._own_fields(columns))
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            kind = cls.FILE.removesuffix(".parquet")
            raise DataError(f"{path}: not a manifest of {kind} ({error}): train anew") from error

    @abstractmethod
    def _own_columns(self) -> dict[str, Any]:
        """Those that it has beyond the columns of all manifests."""

    @classmethod
    @abstractmethod
    def _own_fields(cls, columns: dict[str, list[Any]]) -> tuple[Any, ...]:
        """The same, read back."""


@dataclass(frozen=True, eq=False)
class ViewManifest(Manifest):
    """Views of the Earth from above, all of one scale, km, and one side, pixels."""

    FILE: ClassVar[str] = "views.parquet"

    km_per_pixel: float
    size: int

    def _own_columns(self) -> dict[str, Any]:
        count = len(self.centres)
        scales, sizes = np.full(count, self.km_per_pixel), np.full(count, self.size, np.int32)
        return {"km_per_pixel": scales, "size": sizes}

    @classmethod
    def _own_fields(cls, columns: dict[str, list[Any]]) -> tuple[float, int]:
        scales, sizes = set(columns["km_per_pixel"]), set(columns["size"])
        if len(scales) != 1 or len(sizes) != 1:
            raise ValueError("several scales or sizes: keep one a manifest")
        return scales.pop(), sizes.pop()


def sample_views(config: ViewsConfig, atlas: Atlas) -> ViewManifest:
    """A pool of views with centres uniform on land north of 60 S, all ``unused`` so far."""
    centres = uniform_on_land(atlas, config.count, np.random.default_rng(config.seed))
    split = np.full(config.count, SPLITS.index("unused"), np.int8)
    return ViewManifest(centres, split, config.km_per_pixel, config.size)


def split_views(
    manifest: ViewManifest, config: SplitConfig, world: WorldImage, *, final: bool = False
) -> ViewManifest:
    """Assigns whole 10-degree cells to splits, and drops training views that would leak.

    ``final`` gives the splits that a run's last weights saw: after a refit nothing but test is held
    out.

    Raises:
        ConfigError: if the pool holds too few test or validation views.
    """
    of_cell = cell_splits(manifest.centres, config)
    split = np.full(len(of_cell), SPLITS.index("train"), np.int8)
    evaluated = []
    for name, count in config.held_out(final).items():
        rows = np.flatnonzero(of_cell == SPLITS.index(name))
        if len(rows) < count:
            raise ConfigError(
                f"views.count gives {len(rows)} {name} views, fewer than the {count} of "
                f"split.{name}_views: raise the one or lower the other"
            )
        split[rows] = SPLITS.index("unused")
        split[rows[:count]] = SPLITS.index(name)  # the pool is in random order
        evaluated.append(rows[:count])
    if config.margin == "shared_pixels":
        train = np.flatnonzero(split == SPLITS.index("train"))
        leaking = _shares_pixels(manifest, train, np.sort(np.concatenate(evaluated)), world)
        split[leaking] = SPLITS.index("margin")
    return replace(manifest, split=split)


def unseen(manifest: ViewManifest, split: str, world: WorldImage) -> Bools:
    """Which views of a split share no pixel with any training view, ``[len(rows(split))]``."""
    rows = manifest.rows(split)
    return ~np.isin(rows, _shares_pixels(manifest, rows, manifest.rows("train"), world))


def cell_splits(centres: Points, config: SplitConfig) -> NDArray[np.int8]:
    """Split of the cell of each view of a pool, an index into ``SPLITS``, ``[N]``.

    The cells with land are ranked from south to north, in random order within a row, and each ten
    in a row are dealt out by the shares: so every split sees every climate. Of fewer than ten,
    validation and test get one or more each.
    """
    cells, view_to_cell = np.unique(ten_degree_cell(centres), return_inverse=True)
    rng = np.random.default_rng(config.seed)
    ranking = np.lexsort((rng.random(len(cells)), cells // CELLS_IN_A_ROW))
    place, hand = np.arange(len(cells)), min(HAND, len(cells))
    dealt = ranking[np.lexsort((rng.random(len(cells)), place // hand))]
    turn = (place % hand + 0.5) / hand
    tested = max(config.test_share, 1 / hand)
    held_out = max(tested + config.validation_share, tested + 1 / hand)
    assigned = np.full(len(cells), SPLITS.index("train"), np.int8)
    assigned[dealt[turn < held_out]] = SPLITS.index("validation")
    assigned[dealt[turn < tested]] = SPLITS.index("test")
    return assigned[view_to_cell]


def _shares_pixels(manifest: ViewManifest, asked: Rows, others: Rows, world: WorldImage) -> Rows:
    """Those of the views ``asked`` that draw on a source pixel that one of ``others`` draws on."""
    seen = np.zeros(world.pixels.shape[0] * world.pixels.shape[1], bool)
    for _, pixels in _footprints(manifest, _close(manifest, others, asked, world), world):
        seen[pixels.ravel()] = True
    shares = [
        rows[seen[pixels.reshape(len(rows), -1)].any(axis=1)]
        for rows, pixels in _footprints(manifest, _close(manifest, asked, others, world), world)
    ]
    return np.concatenate([np.empty(0, np.intp), *shares])


def _close(manifest: ViewManifest, rows: Rows, others: Rows, world: WorldImage) -> Rows:
    """Those of ``rows`` that may overlap one of ``others``; quicker than comparing footprints."""
    pixel_km = np.pi * EARTH_RADIUS_KM / world.pixels.shape[0]
    # Two half-diagonals, and the corners that bilinear sampling reaches for on either side.
    reach_km = np.sqrt(2) * (manifest.size * manifest.km_per_pixel + 4 * pixel_km)
    units = lat_lon_to_unit(manifest.centres).astype(np.float32)
    limit = np.cos(reach_km / EARTH_RADIUS_KM)
    near = [
        (units[chunk] @ units[others].T).max(axis=1, initial=-1.0) > limit
        for chunk in np.array_split(rows, max(1, len(rows) // CHUNK))
    ]
    return np.asarray(rows[np.concatenate(near)], np.intp)


def _footprints(
    manifest: ViewManifest, rows: Rows, world: WorldImage
) -> Iterator[tuple[Rows, NDArray[np.int32]]]:
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        centres = manifest.centres[chunk]
        yield chunk, footprint(world, centres, manifest.km_per_pixel, manifest.size)
