"""The places among which a model chooses, embedded once and kept with the model."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geowhy.answer import Scope
from geowhy.arrays import Bools, Floats32, Floats64, Points
from geowhy.errors import DataError, ModelFormatError
from geowhy.geo.cells import CellGrid
from geowhy.geo.reach import reaches
from geowhy.geo.regions import Region
from geowhy.heads.quantized import CodedQueries, CodedRows
from geowhy.model.geomodel import GeoModel
from geowhy.model.terms import Encoded

__all__ = ["CELL_RESOLUTION", "Gallery"]

CELL_RESOLUTION = 2  # H3 cells about 320 km wide, as wide as the training views

ENCODED_AT_ONCE = 8192
LARGEST = 127
EMBEDDING_STEP = np.float32(0.25)  # how finely places are kept, deviations of each column


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Coordinates with everything that a query needs of them."""

    lat_lon: Points  # degrees [M, 2]
    grid: CellGrid  # the H3 cells that they occupy
    side: Encoded  # what a score needs of each
    average: Encoded  # the average place: mean of each column of ``side``
    is_own: bool = False  # whether the user gave these places
    reach_km: Floats64 | None = None  # how far from each an answer may lie [M]; None: nowhere else
    region: str = ""  # the one that the user named
    bounds: Region | None = None  # in which answers lie, where they may reach beyond it
    outside_weight: float = 0.0  # how much places outside ``region`` count, if they are there
    coded: CodedRows | None = None  # unit embeddings, for a search of the nearest, if made

    @property
    def scope(self) -> Scope:
        """The choice of places, as answers state it."""
        return Scope(len(self.lat_lon), self.is_own, self.region, self.outside_weight)

    def coded_scores(self, queries: Floats32) -> Floats32:
        """Inner products of N queries ``[N, d]`` with the codes of all places, ``[N, M]``.

        Raises:
            DataError: if places have no codes.
        """
        if self.coded is None:
            raise DataError("these places have no codes: give a gallery that was coded")
        return self.coded.all_scores(CodedQueries.of(queries))

    @classmethod
    def build(
        cls, lat_lon: Points, model: GeoModel, surroundings: Floats32 | None = None
    ) -> Gallery:
        """Embeds coordinates, degrees ``[M, 2]``; their ``surroundings`` are read if not given."""
        sides = []
        for start in range(0, len(lat_lon), ENCODED_AT_ONCE):
            chunk = slice(start, start + ENCODED_AT_ONCE)
            around = None if surroundings is None else surroundings[chunk]
            sides.append(model.location_side(lat_lon[chunk], around))
        grid = CellGrid.build(lat_lon, CELL_RESOLUTION)
        return cls.of(lat_lon, grid, Encoded.joined(sides))

    def to_tensors(self, model: GeoModel) -> dict[str, NDArray[np.generic]]:
        """As arrays by name: columns in whole steps, deflated; the rest follows from them."""
        scaled, length = model.aligner.packed(self.side)
        largest = np.abs(scaled).max(axis=0, initial=0)
        least = np.maximum(EMBEDDING_STEP * scaled.std(axis=0), np.finfo(np.float32).tiny)
        step = np.maximum(largest / LARGEST, least).astype(np.float32)
        steps = np.round(scaled / step).astype(np.int8)
        tensors: dict[str, NDArray[np.generic]] = {
            "lat_lon": self.lat_lon.astype(np.float32),
            "length": length.astype(np.float16),
            "scaled": np.frombuffer(zlib.compress(steps.T.tobytes(), 9), np.uint8),
            "scaled.step": step,
        }
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
            step = tensors["scaled.step"].astype(np.float32)
            steps = np.frombuffer(zlib.decompress(tensors["scaled"].tobytes()), np.int8)
            scaled = np.ascontiguousarray(steps.reshape(len(step), len(lat_lon)).T, np.float32)
            scaled *= step
            side = model.aligner.unpacked(scaled, tensors["length"].astype(np.float32))
            return cls.of(lat_lon, CellGrid.from_arrays(grid), side)
        except (KeyError, ValueError, zlib.error) as error:
            raise ModelFormatError(
                f"the gallery lacks {error}: the model folder is damaged; get or train it anew"
            ) from error

    def within(self, region: Region) -> Gallery:
        """The places in a region, or from which answers reach into it.

        Raises:
            DataError: if there is none.
        """
        inside = self.inside(region)
        kept, lat_lon = self.side.rows(inside), self.lat_lon[inside]
        found = self.of(lat_lon, CellGrid.build(lat_lon, self.grid.resolution), kept)
        coded, reach_km, bounds = self.coded and self.coded.rows(inside), self.reach_km, None
        if reach_km is not None:
            reach_km, bounds = reach_km[inside], region
        found = replace(found, is_own=self.is_own, region=region.name, coded=coded)
        return replace(found, reach_km=reach_km, bounds=bounds)

    def inside(self, region: Region) -> Bools:
        """Which of the places are in a region, or reach into it, ``[M]``.

        Raises:
            DataError: if none is.
        """
        if self.reach_km is None:
            inside = region.contains(self.lat_lon)
        else:
            inside = reaches(self.lat_lon, self.reach_km, region)
        if not inside.any():
            raise DataError(
                f"none of the {len(inside):,} places of the gallery is in {region.name}: give a "
                "larger region, or a gallery of points there"
            )
        return inside

    @classmethod
    def of(
        cls, lat_lon: Points, grid: CellGrid, side: Encoded, reach_km: Floats64 | None = None
    ) -> Gallery:
        """From places, degrees ``[M, 2]``, with their sides, and how far answers reach ``[M]``."""
        return cls(lat_lon, grid, side, side.average(), reach_km=reach_km)
