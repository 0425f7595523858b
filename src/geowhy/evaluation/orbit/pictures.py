"""Measures a model on real pictures whose place is known, and on pictures that lie nowhere.

They lie in a folder with a ``manifest.csv``, a picture a row: ``id``, the file's name without its
suffix; ``kind``; ``lat`` and ``lon`` of the centre, degrees; ``width_km`` of the longer side; and
``heading_deg``, where it is known. A row without a position is a negative: no place is right.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np

from geowhy.answer import Prediction
from geowhy.errors import CoordinateError, DataError, ImageError
from geowhy.evaluation.estimates import JsonReport, columns
from geowhy.evaluation.orbit.answers import RIGHT_WIDTHS
from geowhy.geo.sphere import distance_km
from geowhy.locator import Locator
from geowhy.types import LatLon

__all__ = ["KnownPicture", "PictureResult", "PicturesReport", "known_pictures", "measure_pictures"]

MANIFEST = "manifest.csv"
NEEDED = ("id", "kind", "lat", "lon", "width_km", "heading_deg")
WIDTHS = (26, 18, -9, -10, -11, -11, -9)
KIND_WIDTHS = (26, -9, -8, -9, -8, -10, -18)

Verdict = Literal["right", "refused", "wrong"]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class KnownPicture:
    """One picture and what is known of it."""

    path: Path
    kind: str
    position: LatLon | None  # of its centre; None if it shows no place on Earth
    width_km: float  # of its longer side; NaN without a position
    heading_deg: float | None  # None if it isn't known


@dataclass(frozen=True, slots=True)
class PictureResult:
    """What a model said of one picture; errors are None where there is nothing to compare.

    Attributes:
        picture: its name.
        kind: of picture, as the manifest has it.
        negative: whether it shows no place on Earth; any place is then wrong.
        verdict: what came of it; "refused" if the model names no place.
        verified: whether the picture agreed with the map.
        error: of the centre, in widths.
        heading_error_deg: to either side.
        width_error: share of the true width, to either side.
        in_50, in_90: whether the true centre lies within the stated radii.
        problem: why it couldn't be read; empty if it could. It then counts as refused.
    """

    picture: str
    kind: str
    negative: bool
    verdict: Verdict
    verified: bool
    error: float | None = None
    heading_error_deg: float | None = None
    width_error: float | None = None
    in_50: bool | None = None
    in_90: bool | None = None
    problem: str = ""

    @classmethod
    def of(cls, known: KnownPicture, said: Prediction | ImageError) -> Self:
        """What an answer is worth."""
        named = (known.path.name, known.kind, known.position is None)
        if isinstance(said, ImageError):
            return cls(*named, "refused", verified=False, problem=said.reason)
        verified = bool(said.verified)
        if known.position is None:
            return cls(*named, "refused" if said.abstained else "wrong", verified)
        there, answer = (
            np.array([place.lat, place.lon]) for place in (known.position, said.position)
        )
        away_km = float(distance_km(there, answer))
        is_right = away_km <= RIGHT_WIDTHS * known.width_km
        turn = width = None
        if known.heading_deg is not None and said.heading_deg is not None:
            turn = abs((said.heading_deg - known.heading_deg + 180) % 360 - 180)
        if said.width_km is not None:
            width = abs(said.width_km / known.width_km - 1)
        return cls(
            *named,
            "refused" if said.abstained else "right" if is_right else "wrong",
            verified,
            away_km / known.width_km,
            turn,
            width,
            away_km <= said.radius_50_km,
            away_km <= said.radius_90_km,
        )


@dataclass(frozen=True, slots=True)
class PicturesReport(JsonReport):
    """Every picture, in the order of the manifest."""

    model: str
    folder: str
    results: tuple[PictureResult, ...]

    def table(self) -> str:
        """For people: a line a picture, then a line a kind, then all."""
        head = ("picture", "kind", "", "verified", "widths off", "heading", "width")
        lines = [
            f"model     {self.model}",
            f"pictures  {len(self.results)} of {self.folder}",
            f"right     a centre within {RIGHT_WIDTHS} widths",
            "",
            columns(WIDTHS, *head),
            *map(_line, self.results),
            "",
            columns(
                KIND_WIDTHS, "kind", "pictures", "right", "refused", "wrong", "verified",
                "verified, wrong",
            ),
        ]  # fmt: skip
        negatives = [result for result in self.results if result.negative]
        others = [result for result in self.results if not result.negative]
        for kind in dict.fromkeys(result.kind for result in (*others, *negatives)):
            lines.append(_counts(kind, [r for r in self.results if r.kind == kind]))
        lines.append("")
        for name, some in (("with a place", others), ("without a place", negatives)):
            if some:
                lines.append(_counts(name, some))
        half, most = (
            [held for held in (getattr(r, name) for r in others) if held is not None]
            for name in ("in_50", "in_90")
        )
        if half:
            held_50, held_90 = np.mean(half), np.mean(most)
            lines.append(f"radius 50 % holds {held_50:.0%}, radius 90 % holds {held_90:.0%}")
        return "\n".join(lines)


def known_pictures(folder: Path) -> tuple[KnownPicture, ...]:
    """What the manifest of a folder lists.

    Raises:
        DataError: if it is missing or damaged, or a picture that it lists is missing; says which.
    """
    path = folder / MANIFEST
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path}: can't be read ({error}): give a folder of pictures with a {MANIFEST} of the "
            f"columns {', '.join(NEEDED)}"
        ) from error
    missing = [name for name in NEEDED if not rows or name not in rows[0]]
    if missing:
        raise DataError(f"{path}: lists nothing, or lacks the column {missing[0]}: add it")
    files = {file.stem: file for file in sorted(folder.iterdir()) if file.name != MANIFEST}
    return tuple(_known(path, number, row, files) for number, row in enumerate(rows, start=2))


def measure_pictures(model: str, folder: Path, on_progress: Progress) -> PicturesReport:
    """What a model says of all pictures of a folder.

    Raises:
        ModelNotFoundError: if the model isn't on this machine.
        DataError: if the manifest or a picture that it lists is missing or damaged.
    """
    pictures, locator = known_pictures(folder), Locator.from_pretrained(model)
    said = locator.locate_each((str(picture.path) for picture in pictures), top_k=1)
    results = list[PictureResult]()
    for known, answer in zip(pictures, said, strict=True):
        results.append(PictureResult.of(known, answer))
        on_progress(len(results), len(pictures))
    return PicturesReport(locator.name, str(folder), tuple(results))


def _known(path: Path, number: int, row: dict[str, str], files: dict[str, Path]) -> KnownPicture:
    """The picture of a line of a manifest."""
    file = files.get(row["id"])
    if file is None:
        raise DataError(f"{path}: line {number}: there is no picture {row['id']} in this folder")
    try:
        if not row["lat"] and not row["lon"]:
            return KnownPicture(file, row["kind"], None, float("nan"), None)
        position, width_km = LatLon(float(row["lat"]), float(row["lon"])), float(row["width_km"])
        heading_deg = float(row["heading_deg"]) if row["heading_deg"] else None
        if not width_km > 0:
            raise ValueError(f"a width of {width_km} km")
    except (ValueError, TypeError, CoordinateError) as error:
        raise DataError(
            f"{path}: line {number}: {error}: give lat, lon and width_km as numbers, or none of "
            "them for a picture of no place on Earth"
        ) from error
    return KnownPicture(file, row["kind"], position, width_km, heading_deg)


def _line(result: PictureResult) -> str:
    def number(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    cells = (
        result.picture, result.kind, result.verdict, "yes" if result.verified else "",
        number(result.error, ",.3f"), number(result.heading_error_deg, ".1f"),
        number(result.width_error, ".1%"),
    )  # fmt: skip
    return columns(WIDTHS, *cells) + (f"  {result.problem}" if result.problem else "")


def _counts(name: str, results: list[PictureResult]) -> str:
    verdicts = [result.verdict for result in results]
    verified = [result for result in results if result.verified]
    counts = (
        len(results), *(verdicts.count(verdict) for verdict in ("right", "refused", "wrong")),
        len(verified), sum(result.verdict == "wrong" for result in verified),
    )  # fmt: skip
    return columns(KIND_WIDTHS, name, *map(str, counts))
