"""Asks a model where pictures lie that lie nowhere, or where nothing can be told.

Mirrored pictures of a world look like the Earth in every detail, but no such coast exists. Open sea
is on Earth, but little shows where: the relief of its floor, if it is drawn. So what is verified
where it is of isn't wrong. Noise has colours and blotches of all sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from PIL import Image

from geowhy.arrays import Bools, Floats32, Pixels, Points
from geowhy.evaluation.estimates import Estimate, JsonReport, columns, wilson
from geowhy.evaluation.orbit.answers import RIGHT_WIDTHS
from geowhy.evaluation.orbit.queries import SIDE, QueryRow, cut_queries, drawn_poses, sea_poses
from geowhy.evaluation.orbit.subject import OrbitSubject
from geowhy.geo.pose import Poses
from geowhy.geo.sphere import distance_km
from geowhy.images.pyramid import WorldPyramid
from geowhy.images.worlds import open_world
from geowhy.locator import Locator

__all__ = ["Negative", "NegativesReport", "NegativesRow", "measure_negatives", "negative_pictures"]

Negative = Literal["mirrored", "open sea", "noise"]
Progress = Callable[[int, int], None]

KINDS: tuple[Negative, ...] = get_args(Negative)
ROW = QueryRow((150.0, 2_500.0))
OCTAVES = (3, 7, 16, 40, SIDE)  # cells a side of noise
FLATTER = 0.8  # power of the size by which larger ones stand out
AT_ONCE = 8
WIDTHS = (14, -9, -22, -22, -22)


@dataclass(frozen=True, slots=True)
class NegativesRow:
    """What was said of one kind."""

    kind: Negative
    pictures: int
    verified: Estimate  # share that was found to agree with the map
    answered: Estimate  # share that the model names a place for
    wrong: Estimate  # share that was verified where it isn't of


@dataclass(frozen=True, slots=True)
class NegativesReport(JsonReport):
    """What was said of all kinds."""

    model: str
    world: str
    seed: int
    rows: tuple[NegativesRow, ...]

    def table(self) -> str:
        """For people: a line a kind, with 95 % intervals."""
        lines = [
            f"model     {self.model}",
            f"pictures  of the world {self.world}, seed {self.seed}, that show no place",
            "interval  95 %, by Wilson's score",
            "",
            columns(WIDTHS, "", "pictures", "verified", "answered", "verified, wrong"),
        ]
        for row in self.rows:
            shares = (each.text(".1%", " ") for each in (row.verified, row.answered, row.wrong))
            lines.append(columns(WIDTHS, row.kind, f"{row.pictures:,}", *shares))
        return "\n".join(lines)


def measure_negatives(
    model: str, world: str, count: int, seed: int, on_progress: Progress
) -> NegativesReport:
    """Asks ``count`` pictures of each kind.

    Raises:
        ConfigError: if the model doesn't say how pictures lie.
        ModelNotFoundError: if the model or the world isn't on this machine.
        DataError: if there is no such world.
    """
    subject = OrbitSubject(Locator.from_pretrained(model).engine)
    pyramid, rows = WorldPyramid(open_world(world)), list[NegativesRow]()
    for number, kind in enumerate(KINDS):
        poses = (sea_poses if kind == "open sea" else drawn_poses)(ROW, count, seed)
        verified = answered = wrong = 0
        for start in range(0, count, AT_ONCE):
            on_progress(number * count + start, len(KINDS) * count)
            some = np.arange(start, min(start + AT_ONCE, count))
            pictures = negative_pictures(pyramid, kind, poses[some], seed, some.tolist())
            decoded = subject.engine.decode(list(pictures), top_k=1)
            sure = np.array([bool(each.estimate.verified) for each in decoded])
            answers = np.array([each.estimate.lat_lon for each in decoded])
            is_right = (kind == "open sea") & _are_right(answers, poses[some])
            answered += sum(each.abstention is None for each in decoded)
            verified, wrong = verified + int(sure.sum()), wrong + int((sure & ~is_right).sum())
        shares = (wilson(number, count) for number in (verified, answered, wrong))
        rows.append(NegativesRow(kind, count, *shares))
    return NegativesReport(subject.model.name, world, seed, tuple(rows))


def _are_right(answers: Points, truth: Poses) -> Bools:
    """Which answers, degrees ``[N, 2]``, lie where the N pictures are of."""
    away_km = distance_km(answers, truth.lat_lon)
    return np.asarray(away_km <= RIGHT_WIDTHS * truth.width_km)


def negative_pictures(
    world: WorldPyramid, kind: Negative, poses: Poses, seed: int, numbers: list[int]
) -> Pixels:
    """Pictures ``[N, H, H, 3]``; noise is of seed and number, the others of N poses."""
    if kind == "noise":
        return np.stack([_noise(np.random.default_rng([seed, number])) for number in numbers])
    pictures = cut_queries(world, poses, "plain", seed, numbers)
    return pictures[:, :, ::-1] if kind == "mirrored" else pictures


def _noise(rng: np.random.Generator) -> Pixels:
    """Blotches of all sizes, in some colours."""
    layers = [_blotches(rng, cells) * (SIDE / cells) ** FLATTER for cells in OCTAVES]
    total = np.sum(layers, axis=0)
    total = (total - total.mean()) / total.std()
    colours = total @ rng.normal(size=(3, 3)) / np.sqrt(3) * rng.uniform(20, 60)
    return np.asarray(np.clip(rng.uniform(60, 160, 3) + colours, 0, 255), np.uint8)


def _blotches(rng: np.random.Generator, cells: int) -> Floats32:
    """Smooth noise ``[SIDE, SIDE, 3]`` with so many independent values a side."""
    bands = [
        Image.fromarray(rng.normal(size=(cells, cells)).astype(np.float32)).resize(
            (SIDE, SIDE), Image.Resampling.BICUBIC
        )
        for _ in range(3)
    ]
    return np.stack([np.asarray(band) for band in bands], axis=-1)
