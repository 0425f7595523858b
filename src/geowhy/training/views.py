"""The manifest of views: where they are centred, and to which split each belongs.

Splits are blocked: whole cells of 10 degrees go to training, validation or test. Views near a
held-out block show parts of it. So training can drop every view that shares a single pixel of the
world image with a view that is used for validation or test; where it doesn't, `unseen` tells the
views apart that still are a fair test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geowhy.arrays import Bools, Ints, Points, Rows
from geowhy.errors import ConfigError, DataError
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.sphere import EARTH_RADIUS_KM, lat_lon_to_unit
from geowhy.images.overhead import WorldImage, footprint
from geowhy.training.config import SplitConfig, ViewsConfig

__all__ = [
    "SPLITS",
    "Manifest",
    "ViewManifest",
    "cell_splits",
    "final_views",
    "sample_views",
    "split_views",
    "unseen",
]

SPLITS = ("train", "validation", "test", "margin", "unused", "unreadable")
CHUNK = 256
CELLS_IN_A_ROW = 36  # of 10 degrees
HAND = 10  # cells dealt out at a time


class Manifest(Protocol):
    """Images, whichever they are, and the splits that they belong to.

    Attributes:
        FILE: what the file is called that ``save`` writes.
    """

    FILE: ClassVar[str]

    @property
    def centres(self) -> Points:
        """Where they were taken, degrees ``[N, 2]``."""

    def rows(self, split: str) -> Rows:
        """Positions of the images of a split, ascending."""

    def save(self, path: Path) -> None:
        """Writes parquet."""


@dataclass(frozen=True, eq=False)
class ViewManifest:
    """Views of the Earth from above.

    Attributes:
        centres: degrees ``[N, 2]``.
        km_per_pixel: scale of all views.
        size: side of a view, pixels.
        split: of each view, an index into ``SPLITS``, ``[N]``; ``margin`` views are dropped
            because they show pixels of a held-out view, ``unused`` ones because their block is
            held out and has enough views already.
    """

    FILE: ClassVar[str] = "views.parquet"

    centres: Points
    km_per_pixel: float
    size: int
    split: NDArray[np.int8]

    def rows(self, split: str) -> Ints:
        """Positions of the views of a split, ascending."""
        return np.flatnonzero(self.split == SPLITS.index(split))

    def save(self, path: Path) -> None:
        """Writes parquet: lat, lon, km_per_pixel, size, split."""
        count = len(self.centres)
        table = pa.table(
            {
                "lat": self.centres[:, 0],
                "lon": self.centres[:, 1],
                "km_per_pixel": np.full(count, self.km_per_pixel),
                "size": np.full(count, self.size, np.int32),
                "split": np.array(SPLITS)[self.split],
            }
        )
        pq.write_table(table, path)

    @classmethod
    def load(cls, path: Path) -> ViewManifest:
        """Reads what ``save`` wrote.

        Raises:
            DataError: if the file is missing, is not such a parquet file, or mixes scales.
        """
        try:
            columns = pq.read_table(path).to_pydict()
            centres = np.stack([columns["lat"], columns["lon"]], axis=1)
            scales, sizes = set(columns["km_per_pixel"]), set(columns["size"])
            split = np.array([SPLITS.index(name) for name in columns["split"]], np.int8)
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise DataError(f"{path}: not a manifest of views ({error}): train anew") from error
        if len(scales) != 1 or len(sizes) != 1:
            raise DataError(f"{path}: views of several scales or sizes: keep one a manifest")
        return cls(centres, scales.pop(), sizes.pop(), split)


def sample_views(config: ViewsConfig, atlas: Atlas) -> ViewManifest:
    """A pool of views with centres uniform on land north of 60 S, all ``unused`` so far."""
    rng = np.random.default_rng(config.seed)
    centres = uniform_on_land(atlas, config.count, rng)
    split = np.full(config.count, SPLITS.index("unused"), np.int8)
    return ViewManifest(centres, config.km_per_pixel, config.size, split)


def split_views(manifest: ViewManifest, config: SplitConfig, world: WorldImage) -> ViewManifest:
    """Assigns whole 10-degree cells to splits, and drops training views that would leak.

    Raises:
        ConfigError: if the pool holds too few test or validation views.
    """
    return _hold_out(("validation", "test"), manifest, config, world)


def final_views(manifest: ViewManifest, config: SplitConfig, world: WorldImage) -> ViewManifest:
    """The splits that a run's last weights saw: after a refit nothing but test is held out.

    Raises:
        ConfigError: if the pool holds too few test or validation views.
    """
    if not config.refit:
        return split_views(manifest, config, world)
    return _hold_out(("test",), manifest, config, world)


def unseen(manifest: ViewManifest, split: str, world: WorldImage) -> Bools:
    """Which views of a split share no pixel with any training view, ``[len(rows(split))]``."""
    rows = manifest.rows(split)
    return ~np.isin(rows, _shares_pixels(manifest, rows, manifest.rows("train"), world))


def _hold_out(
    names: Sequence[str], manifest: ViewManifest, config: SplitConfig, world: WorldImage
) -> ViewManifest:
    """Holds out the cells of the splits ``names``; all others are for training."""
    counts = {"validation": config.validation_views, "test": config.test_views}
    of_cell = cell_splits(manifest.centres, config)
    split = np.full(len(of_cell), SPLITS.index("train"), np.int8)
    held_out = np.zeros(len(of_cell), bool)
    for name in names:
        in_split = of_cell == SPLITS.index(name)
        chosen = _first(in_split, counts[name], name)
        split[in_split] = SPLITS.index("unused")
        split[chosen] = SPLITS.index(name)
        held_out |= chosen
    divided = replace(manifest, split=split)
    if config.margin == "shared_pixels":
        evaluated = np.flatnonzero(held_out)
        kept = split.copy()
        kept[_shares_pixels(manifest, divided.rows("train"), evaluated, world)] = SPLITS.index(
            "margin"
        )
        divided = replace(divided, split=kept)
    return divided


def cell_splits(centres: Points, config: SplitConfig) -> NDArray[np.int8]:
    """Split of the cell of each view of a pool, an index into ``SPLITS``, ``[N]``.

    The cells with land are ranked from south to north, in random order within a row, and each ten
    in a row are dealt out by the shares: so every split sees every climate. Of fewer than ten,
    validation and test get one or more each.
    """
    cells, view_to_cell = np.unique(ten_degree_cell(centres), return_inverse=True)
    rng = np.random.default_rng(config.seed)
    rows_of_latitude = cells // CELLS_IN_A_ROW
    ranking = np.lexsort((rng.random(len(cells)), rows_of_latitude))
    place, hand = np.arange(len(cells)), min(HAND, len(cells))
    dealt = ranking[np.lexsort((rng.random(len(cells)), place // hand))]
    turn = (place % hand + 0.5) / hand
    tested = max(config.test_share, 1 / hand)
    held_out = max(tested + config.validation_share, tested + 1 / hand)
    assigned = np.full(len(cells), SPLITS.index("train"), np.int8)
    assigned[dealt[turn < held_out]] = SPLITS.index("validation")
    assigned[dealt[turn < tested]] = SPLITS.index("test")
    return assigned[view_to_cell]


def _first(candidates: Bools, count: int, name: str) -> Bools:
    """The first ``count`` of the candidates; the pool is in random order."""
    positions = np.flatnonzero(candidates)
    if len(positions) < count:
        raise ConfigError(
            f"views.count gives {len(positions)} {name} views, fewer than the {count} of "
            f"split.{name}_views: raise the one or lower the other"
        )
    chosen = np.zeros(len(candidates), bool)
    chosen[positions[:count]] = True
    return chosen


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
    manifest: ViewManifest, rows: Ints, world: WorldImage
) -> Iterator[tuple[Ints, NDArray[np.int32]]]:
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        yield (
            chunk,
            footprint(world, manifest.centres[chunk], manifest.km_per_pixel, manifest.size),
        )
