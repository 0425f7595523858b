"""Concepts of places alone: what no view shows, such as the language that people speak.

They have no part in the score of an image. A small network embeds what the atlas says at a
coordinate (climate, height, land cover, towns), and the coordinate itself; as for the others, the
score of a concept is a plain inner product with its direction. Countries are not among what it
reads: it learns from places where a language is spoken, and answers for others that it never saw.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Floats32
from geowhy.concepts.bank import ConceptBank
from geowhy.errors import ModelFormatError
from geowhy.geo.atlas import Atlas
from geowhy.geo.sphere import lat_lon_to_unit
from geowhy.model.networks import run_network
from geowhy.model.store import required_tensors

__all__ = ["PLACE_READER_TENSORS", "PLACE_READING_SIZE", "PlaceReader", "read_places"]


PLACE_READER_TENSORS = (
    *("mean", "spread", "hidden.weight", "hidden.bias", "head.weight", "head.bias"),
    "location_mean",
)
PLACES_AT_ONCE = 20_000

LAYERS = (  # read as they are
    *("temperature_mean", "temperature_range", "temperature_coldest", "temperature_warmest"),
    *("ndvi_max", "ndvi_min", "ghi", "wind", "humidity", "forest_share", "cropland_share"),
    *("population_50km", "largest_city_50km", "landmass_km2"),
)
LOGARITHMS = (  # of 1 + value; of these some places have a thousand times as much as most
    *("precipitation", "precipitation_driest", "precipitation_wettest", "elevation", "relief"),
    *("distance_to_coast_km", "city_distance_km", "urban_share", "water_share"),
)
CLASSES = {"koppen_30": 30, "land_cover": 17}
WAVES = 32  # a cosine and a sine of each
WAVE_NUMBER = np.pi / 2  # radians a unit length; patterns of some thousands of kilometres

PLACE_READING_SIZE = len(LAYERS) + len(LOGARITHMS) + sum(CLASSES.values()) + 3 + 2 * WAVES


def read_places(atlas: Atlas, lat_lon: ArrayLike) -> Floats32:
    """What the network sees of degrees ``[N, 2]``, ``[N, PLACE_READING_SIZE]``.

    Where a layer has no value it reads 0; a class that is missing is none of them.
    """
    points = np.asarray(lat_lon, np.float64).reshape(-1, 2)
    known = {n: atlas.layer(n).at(points) for n in (*LAYERS, *LOGARITHMS, *CLASSES)}
    plain = [np.nan_to_num(known[name]) for name in LAYERS]
    grown = [np.log1p(np.maximum(np.nan_to_num(known[name]), 0)) for name in LOGARITHMS]
    classes = [known[name][:, None] == np.arange(count) for name, count in CLASSES.items()]
    # Waves over the sphere, in directions that never change.
    units = lat_lon_to_unit(points)
    turns = units @ np.random.default_rng(0).normal(size=(3, WAVES)) * WAVE_NUMBER
    columns = [np.stack([*plain, *grown], axis=1), *classes, units, np.cos(turns), np.sin(turns)]
    return np.concatenate(columns, axis=1).astype(np.float32)


class PlaceReader:
    """Tells places by the concepts that no view shows.

    Attributes:
        bank: those concepts, and their directions.
        tensors: the weights by name, float32.
    """

    def __init__(self, tensors: Mapping[str, Floats32], bank: ConceptBank) -> None:
        """Takes the weights.

        Raises:
            ModelFormatError: if one is missing, or the bank is another model's.
        """
        self.bank = bank
        self.tensors = required_tensors("the place reader", tensors, PLACE_READER_TENSORS)
        size = len(self.tensors["head.bias"])
        if bank.directions.shape[0] != size:
            raise ModelFormatError(
                f"the place reader has embeddings of {size} numbers, the directions of its bank "
                f"{bank.directions.shape[0]}: they belong to different models; get the model anew"
            )

    def embed(self, lat_lon: ArrayLike) -> Floats32:
        """Centred embeddings of degrees ``[N, 2]``, ``[N, p]``.

        Raises:
            CoordinateError: if one is not on Earth.
        """
        points, atlas = np.asarray(lat_lon, np.float64).reshape(-1, 2), Atlas.load()
        chunks = [np.empty((0, len(self.tensors["head.bias"])), np.float32)]
        for start in range(0, len(points), PLACES_AT_ONCE):
            read = read_places(atlas, points[start : start + PLACES_AT_ONCE])
            chunks += run_network("place_reader", self.tensors, read=read)
        return np.concatenate(chunks)

    def concept_scores(self, lat_lon: ArrayLike) -> Floats32:
        """``z_loc`` at degrees ``[N, 2]``, ``[N, k]``, in standard deviations over the land."""
        return self.embed(lat_lon) @ self.bank.directions
