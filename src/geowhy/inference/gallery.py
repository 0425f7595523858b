"""The places among which a model chooses, embedded once and kept with the model."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geowhy.errors import ModelFormatError
from geowhy.geo.cells import CellGrid
from geowhy.model.alignment import LocationSide
from geowhy.model.geomodel import GeoModel

__all__ = ["CELL_RESOLUTION", "Gallery"]

CELL_RESOLUTION = 2  # H3 cells about 320 km wide, as wide as the training views

ENCODED_AT_ONCE = 8192
# How finely sides are kept: unit rows, and maps in deviations of the error of reading.
STEPS = {"embedding": 0.02, "concepts": 0.02, "maps": 0.75}
LARGEST = 127


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Coordinates with everything that a query needs of them.

    Attributes:
        lat_lon: degrees ``[M, 2]``.
        grid: the H3 cells that they occupy.
        side: their embeddings and concept scores.
        average: the average place: mean of each column of ``side``.
    """

    lat_lon: NDArray[np.float64]
    grid: CellGrid
    side: LocationSide
    average: LocationSide

    @classmethod
    def build(
        cls,
        lat_lon: NDArray[np.float64],
        model: GeoModel,
        surroundings: NDArray[np.float32] | None = None,
    ) -> Gallery:
        """Embeds coordinates, degrees ``[M, 2]``; their ``surroundings`` are read if not given."""
        chunks = [
            slice(start, start + ENCODED_AT_ONCE)
            for start in range(0, len(lat_lon), ENCODED_AT_ONCE)
        ]
        sides = [
            model.location_side(
                lat_lon[chunk], None if surroundings is None else surroundings[chunk]
            )
            for chunk in chunks
        ]
        side = LocationSide(
            np.concatenate([s.embedding for s in sides]),
            np.concatenate([s.concepts for s in sides]),
            np.concatenate([s.maps for s in sides]),
            np.concatenate([s.norms for s in sides]),
        )
        return cls._of(lat_lon, CellGrid.build(lat_lon, CELL_RESOLUTION), side)

    def to_tensors(self) -> dict[str, NDArray[np.generic]]:
        """As arrays by name: sides in steps of ``STEPS``, deflated; norms follow from maps."""
        tensors: dict[str, NDArray[np.generic]] = {"lat_lon": self.lat_lon.astype(np.float32)}
        for name, least in STEPS.items():
            columns: NDArray[np.float32] = getattr(self.side, name)
            step = np.maximum(np.abs(columns).max(axis=0) / LARGEST, least).astype(np.float32)
            steps = np.round(columns / step).astype(np.int8)
            tensors[name] = np.frombuffer(zlib.compress(steps.T.tobytes(), 9), np.uint8)
            tensors[f"{name}.step"] = step
        return tensors | {f"grid.{name}": array for name, array in self.grid.to_arrays().items()}

    @classmethod
    def from_tensors(cls, tensors: dict[str, NDArray[np.generic]], model: GeoModel) -> Gallery:
        """Takes what ``to_tensors`` of a gallery of the same model gave.

        Raises:
            ModelFormatError: if an array is missing or damaged.
        """
        try:
            grid = {n.removeprefix("grid."): a for n, a in tensors.items() if n.startswith("grid.")}
            lat_lon = tensors["lat_lon"].astype(np.float64)
            embedding, concepts, maps = (
                _inflated(tensors[name], tensors[f"{name}.step"], len(lat_lon)) for name in STEPS
            )
            side = LocationSide(embedding, concepts, maps, model.norms(maps))
            return cls._of(lat_lon, CellGrid.from_arrays(grid), side)
        except (KeyError, ValueError, zlib.error) as error:
            raise ModelFormatError(
                f"the gallery lacks {error}: the model folder is damaged; get or train it anew"
            ) from error

    def as_kept(self, model: GeoModel) -> Gallery:
        """The gallery as a model folder will hold it, rounded."""
        return self.from_tensors(self.to_tensors(), model)

    @classmethod
    def _of(cls, lat_lon: NDArray[np.float64], grid: CellGrid, side: LocationSide) -> Gallery:
        average = LocationSide(
            side.embedding.mean(axis=0, keepdims=True),
            side.concepts.mean(axis=0, keepdims=True),
            side.maps.mean(axis=0, keepdims=True),
            side.norms.mean(axis=0, keepdims=True),
        )
        return cls(lat_lon, grid, side, average)


def _inflated(
    deflated: NDArray[np.generic], step: NDArray[np.generic], count: int
) -> NDArray[np.float32]:
    """Columns of ``count`` rows, ``[count, len(step)]``."""
    steps = np.frombuffer(zlib.decompress(deflated.tobytes()), np.int8)
    columns = np.ascontiguousarray(steps.reshape(len(step), count).T, np.float32)
    columns *= step.astype(np.float32)
    return columns
