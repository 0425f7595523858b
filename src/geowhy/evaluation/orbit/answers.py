"""What a model said of pictures whose poses are known, and the numbers that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from geowhy.arrays import Floats64, Points
from geowhy.evaluation.estimates import Estimate, block_mean, block_statistic
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.pose import Pose, Poses
from geowhy.geo.sphere import distance_km
from geowhy.types import LatLon

__all__ = ["RIGHT_WIDTHS", "SEARCHED", "PoseAnswer", "PoseErrors", "PoseMetrics", "first_right"]

RIGHT_WIDTHS = 0.35  # a centre that is no farther from the truth is right
SEARCHED = 48  # places that likeness alone proposes


@dataclass(frozen=True, slots=True)
class PoseAnswer:
    """What a model said of one picture.

    Attributes:
        truth: where it lies.
        answer: where the model says.
        radius_50_km, radius_90_km: around the answer.
        verified: whether the picture agreed with the map.
        abstained: whether the model named no place; ``answer`` is then its best guess.
        rank: of the first right place among the `SEARCHED` that likeness alone proposes, counted
            from 0; `SEARCHED` if none of them is.
        stated: names of the concepts that it states first.
    """

    truth: Pose
    answer: Pose
    radius_50_km: float
    radius_90_km: float
    verified: bool
    abstained: bool
    rank: int
    stated: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        poses = {name: _pose_json(getattr(self, name)) for name in ("truth", "answer")}
        others = {name: getattr(self, name) for name in self.__slots__ if name not in poses}
        return poses | others

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> PoseAnswer:
        """Takes what ``to_json`` gave.

        Raises:
            KeyError: if something is missing.
            TypeError: if something is of another kind.
        """
        found: dict[str, Any] = {name: record[name] for name in cls.__slots__}
        for name in ("truth", "answer"):
            found[name] = _pose(found[name])
        return cls(**found | {"stated": tuple(found["stated"])})


@dataclass(frozen=True, slots=True, eq=False)
class PoseErrors:
    """By how much N answers miss the truth."""

    position: Floats64  # of the centre, in widths of the picture [N]
    heading_deg: Floats64  # to either side [N]
    width: Floats64  # share of the true one, to either side [N]

    @classmethod
    def of(cls, truth: Poses, answer: Poses) -> PoseErrors:
        """Of N answers."""
        away = distance_km(truth.lat_lon, answer.lat_lon) / truth.width_km
        turn = np.abs((answer.heading_deg - truth.heading_deg + 180) % 360 - 180)
        return cls(away, turn, np.abs(answer.width_km / truth.width_km - 1))


@dataclass(frozen=True, slots=True)
class PoseMetrics:
    """How well a model does on some pictures; shares are of all of them unless they say more."""

    pictures: int
    blocks: int  # of 10 degrees that hold them
    right: Estimate
    first_searched: Estimate  # whose best place by likeness alone is right
    among_searched: Estimate  # with a right place among those that likeness alone proposes
    refused: Estimate  # which the model names no place for
    verified: Estimate
    right_if_verified: Estimate  # share of the verified
    position_if_verified: Estimate  # median error of the verified, in widths
    heading_deg_if_verified: Estimate  # median error
    width_if_verified: Estimate  # median error, share of the true width
    coverage_50: Estimate  # share of the answered whose true centre lies within the stated radius
    coverage_90: Estimate

    @classmethod
    def of(cls, answers: Sequence[PoseAnswer]) -> PoseMetrics:
        """All of them, with intervals over blocks."""
        truth, answer = (
            Poses.of(getattr(each, name) for each in answers) for name in ("truth", "answer")
        )

        def column(name: str) -> Floats64:
            return np.array([getattr(each, name) for each in answers], np.float64)

        errors, blocks = PoseErrors.of(truth, answer), ten_degree_cell(truth.lat_lon)
        away_km = errors.position * truth.width_km
        is_right, rank = errors.position <= RIGHT_WIDTHS, column("rank")
        is_verified = column("verified") > 0
        among = np.where(is_verified, is_right, np.nan)
        is_answered = column("abstained") == 0  # what is refused has no radius

        def held(name: str) -> Estimate:
            return block_mean(np.where(is_answered, away_km <= column(name), np.nan), blocks)

        def median(of: Floats64) -> Estimate:
            return block_statistic(np.median, of[is_verified], blocks[is_verified])

        return cls(
            pictures=len(answers),
            blocks=len(np.unique(blocks)),
            right=block_mean(is_right, blocks),
            first_searched=block_mean(rank < 1, blocks),
            among_searched=block_mean(rank < SEARCHED, blocks),
            refused=block_mean(column("abstained"), blocks),
            verified=block_mean(is_verified, blocks),
            right_if_verified=block_mean(among, blocks),
            position_if_verified=median(errors.position),
            heading_deg_if_verified=median(errors.heading_deg),
            width_if_verified=median(errors.width),
            coverage_50=held("radius_50_km"),
            coverage_90=held("radius_90_km"),
        )


def first_right(places: Points, truth: Pose) -> int:
    """The number of the first of at most `SEARCHED` places ``[K, 2]``, degrees, that is right.

    `SEARCHED` if none is.
    """
    away_km = distance_km(np.array([truth.lat_lon.lat, truth.lat_lon.lon]), places)
    right = np.flatnonzero(away_km <= RIGHT_WIDTHS * truth.width_km)
    return int(right[0]) if len(right) else SEARCHED


def _pose_json(pose: Pose) -> dict[str, Any]:
    return asdict(pose) | {"homography": pose.homography.tolist()}


def _pose(record: dict[str, Any]) -> Pose:
    matrix = np.array(record["homography"], np.float64)
    return Pose(LatLon(**record["lat_lon"]), record["width_km"], record["heading_deg"], matrix)
