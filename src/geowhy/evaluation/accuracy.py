"""``geowhy evaluate``: asks a model about images whose place is known, and keeps what it says."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import h3
import numpy as np

from geowhy.arrays import Floats64, Points
from geowhy.engine import Engine
from geowhy.errors import DataError
from geowhy.evaluation.predictions import WORDS, Candidates, PredictionTable
from geowhy.evaluation.protocol import Batch, Protocol, held_out
from geowhy.geo.sphere import EARTH_RADIUS_KM, distance_km
from geowhy.locator import Locator
from geowhy.posterior import Estimate

__all__ = ["predictions_of", "predictions_on"]

# Of a stated density so much is taken to be uniform on Earth, or one truth where it is 0 would
# make the mean of its logarithm infinite.
UNIFORM_SHARE = 1e-3
UNIFORM_DENSITY = 1 / (4 * math.pi)  # per steradian


def predictions_of(model: str, split: str = "test") -> PredictionTable:
    """What a model says of the test or validation images of its own training configuration.

    Raises:
        ModelNotFoundError: if the model or the Blue Marble isn't installed.
        DataError: if not one image can be read, or if the manifest of its photographs is gone, or
            another run's.
        MissingExtraError: without the extra ``train``, which reads manifests.
        ConfigError: if the split is neither ``test`` nor ``validation``, or if the model was
            trained on it.
    """
    protocol = held_out(model, split)
    locator = Locator.from_pretrained(model)
    points = len(locator.engine.gallery.lat_lon)
    gallery = f"{points:,} points uniform on the land of the whole Earth"
    return predictions_on(locator, protocol, split, gallery)


def predictions_on(
    locator: Locator, protocol: Protocol, split: str, gallery: str
) -> PredictionTable:
    """What a model says of the images of a protocol; ``split`` and ``gallery`` are words for it.

    Those that can't be read have rows without an answer.

    Raises:
        DataError: if not one image can be read.
    """
    if not protocol.ids:
        raise DataError(
            f"there are no {split} {protocol.images} with a known place: of photographs, give the "
            "places as --list FILE, or a folder whose files have GPS positions"
        )
    said: dict[int, _Answer] = {}
    for batch in protocol.batches():
        if batch:
            said |= _answers(locator.engine, batch, protocol.truth)
    if not said:
        raise DataError(
            f"not one of the {len(protocol.ids):,} {split} {protocol.images} can be read: "
            f"{next(iter(protocol.ids))}"
        )
    words = (locator.name, split, protocol.name, gallery, protocol.images, protocol.expected)
    said_of = [said.get(row, NO_ANSWER) for row in range(len(protocol.ids))]
    return PredictionTable(
        dict(zip(WORDS, words, strict=True)),
        protocol.ids,
        protocol.truth,
        np.array([each.lat_lon for each in said_of]),
        np.array([each.radius_50_km for each in said_of]),
        np.array([each.radius_90_km for each in said_of]),
        np.array([each.abstained for each in said_of]),
        protocol.unseen,
        tuple(each.candidates for each in said_of),
        np.array([each.seconds for each in said_of]),
        np.array([each.holds for each in said_of]),
        np.array([each.log_density for each in said_of]),
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    """A row of the table: a posterior would be too large to keep for many images."""

    lat_lon: tuple[float, float] = (math.nan, math.nan)
    radius_50_km: float = math.nan
    radius_90_km: float = math.nan
    abstained: bool = False
    candidates: Candidates = ()
    seconds: float = math.nan
    holds: float = math.nan
    log_density: float = math.nan


NO_ANSWER = _Answer()


def _answers(engine: Engine, batch: Batch, truth: Points) -> dict[int, _Answer]:
    began = time.perf_counter()
    decoded = engine.decode(list(batch.values()), top_k=1)
    seconds = (time.perf_counter() - began) / len(batch)
    return {
        row: _Answer(
            found.estimate.lat_lon,
            found.radius_50_km,
            found.radius_90_km,
            found.abstention is not None,
            tuple((*mode.lat_lon, mode.probability) for mode in found.estimate.modes),
            seconds,
            *_certainty(found.estimate, truth[row]),
        )
        for row, found in zip(batch, decoded, strict=True)
    }


def _certainty(estimate: Estimate, truth: Floats64) -> tuple[float, float]:
    """Whether the answer's own region holds the truth, degrees ``[2]``; log of the density there.

    By the cell of the posterior whose centre is nearest. Per steradian. An answer that is a single
    place has no region, and its probability is of that place alone.
    """
    nearest = int(distance_km(truth, estimate.density.centres).argmin())
    cell = int(estimate.density.cells[nearest])
    area = h3.api.basic_int.cell_area(cell, "km^2") / EARTH_RADIUS_KM**2
    density = float(estimate.density.probability[nearest]) / area
    mixed = (1 - UNIFORM_SHARE) * density + UNIFORM_SHARE * UNIFORM_DENSITY
    holds = math.nan if estimate.is_point else float(estimate.basin[nearest] == 0)
    return holds, math.log(mixed)
