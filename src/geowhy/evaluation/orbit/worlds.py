"""Asks a model where pictures lie that were cut from a world, at places all over the land."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from geowhy.evaluation.estimates import Estimate, JsonReport, columns
from geowhy.evaluation.orbit.answers import RIGHT_WIDTHS, SEARCHED, PoseAnswer, PoseMetrics
from geowhy.evaluation.orbit.log import AnswerLog, Asked
from geowhy.evaluation.orbit.queries import Look, QueryRow, cut_queries, drawn_poses
from geowhy.evaluation.orbit.stated import StatedTruth
from geowhy.evaluation.orbit.subject import OrbitSubject
from geowhy.geo.pose import Poses
from geowhy.images.pyramid import WorldPyramid
from geowhy.images.worlds import open_world
from geowhy.locator import Locator
from geowhy.pretrained.catalogue import entry_of

__all__ = ["WorldPlan", "WorldReport", "WorldRow", "measure_world", "report_of"]

BANDS_KM = ((150.0, 300.0), (300.0, 600.0), (600.0, 1200.0), (1200.0, 2500.0))
AT_ONCE = 8  # queries
CELL = 20  # columns of a table
LABEL = 32

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class WorldPlan:
    """What is asked."""

    world: str
    look: Look = "plain"
    widths_km: tuple[float, float] | None = None  # one band; None for all
    steep: bool = False  # only pictures that are tilted by up to 45°
    queries: int = 2_000  # of each row
    seed: int = 0

    @property
    def rows(self) -> tuple[QueryRow, ...]:
        """One for each band of widths and one for all of them with steeper tilts, or some."""
        steep = QueryRow(self.widths_km or (BANDS_KM[0][0], BANDS_KM[-1][1]), "up to 45°")
        if self.steep:
            return (steep,)
        if self.widths_km is not None:
            return (QueryRow(self.widths_km),)
        return (*(QueryRow(band) for band in BANDS_KM), steep)


@dataclass(frozen=True, slots=True)
class WorldRow:
    """What was measured on the queries of a row."""

    row: QueryRow
    metrics: PoseMetrics
    stated: StatedTruth | None  # None for a model without concepts


@dataclass(frozen=True, slots=True)
class WorldReport(JsonReport):
    """All rows, with the protocol that they belong to."""

    model: str
    world: str
    look: Look
    seed: int
    rows: tuple[WorldRow, ...]

    def table(self) -> str:
        """For people: a column a row of queries, a line a number, with 95 % intervals."""
        widths = (LABEL, *(CELL,) * len(self.rows))
        lines = [
            f"model     {self.model}",
            f"pictures  of the world {self.world}, {self.look}, seed {self.seed}; at least a "
            "quarter is land, at any heading",
            f"right     a centre within {RIGHT_WIDTHS} widths",
            "interval  95 %, bootstrap over blocks of 10°",
            "",
            columns(widths, "", *(_range(row.row) for row in self.rows)),
            columns(widths, "tilt", *(row.row.tilt for row in self.rows)),
            columns(widths, "pictures", *(f"{row.metrics.pictures:,}" for row in self.rows)),
        ]
        for label, (name, scale) in LINES.items():
            cells = (_cell(getattr(row.metrics, name), scale) for row in self.rows)
            lines.append(columns(widths, label, *cells))
        stated = [row.stated for row in self.rows if row.stated is not None]
        for label, name in STATED_LINES.items() if stated else ():
            cells = (_cell(getattr(each, name), 100) for each in stated)
            lines.append(columns(widths, label, *cells))
        return "\n".join(lines)


LINES = {  # of a table: which number, and by what it is multiplied
    "right, %": ("right", 100),
    "  first by likeness alone, %": ("first_searched", 100),
    f"  in the first {SEARCHED} by likeness, %": ("among_searched", 100),
    "refused, %": ("refused", 100),
    "verified, %": ("verified", 100),
    "  of these right, %": ("right_if_verified", 100),
    "  median error, % of the width": ("position_if_verified", 100),
    "  median error of the heading, °": ("heading_deg_if_verified", 1),
    "  median error of the width, %": ("width_if_verified", 100),
    "radius 50 % of answers holds, %": ("coverage_50", 100),
    "radius 90 % of answers holds, %": ("coverage_90", 100),
}
STATED_LINES = {
    "stated concepts that hold, %": "stated",
    "  the most frequent that hold, %": "most_frequent",
}


def measure_world(
    model: str, plan: WorldPlan, path: Path | None, on_progress: Progress
) -> WorldReport:
    """Asks all queries of a plan, but for those whose answers the file ``path`` has.

    ``on_progress`` is told how many have an answer, and of how many.

    Raises:
        ConfigError: if the model doesn't say how pictures lie.
        ModelNotFoundError: if the model or the world isn't on this machine.
        MissingExtraError: for hard ones without the extra ``train``.
        DataError: if there is no such world, or the file can't be used.
    """
    subject = OrbitSubject(Locator.from_pretrained(model).engine)
    world = WorldPyramid(open_world(plan.world))
    digest, name = entry_of(model).digest(model), subject.model.name
    asked = Asked(name, digest, plan.world, plan.look, plan.seed, subject.concept_ids)
    log = AnswerLog.begin(asked, path)
    for number, row in enumerate(plan.rows):
        truth = drawn_poses(row, plan.queries, plan.seed)
        before = number * plan.queries
        for start in range(len(log.of(row)), plan.queries, AT_ONCE):
            on_progress(before + start, len(plan.rows) * plan.queries)
            numbers = np.arange(start, min(start + AT_ONCE, plan.queries))
            pictures = cut_queries(world, truth[numbers], plan.look, plan.seed, numbers.tolist())
            log.add(row, subject.answers(pictures, truth[numbers]))
    return report_of(log, dict.fromkeys(plan.rows, plan.queries))


def report_of(log: AnswerLog, queries: dict[QueryRow, int] | None = None) -> WorldReport:
    """All numbers, from answers alone: of the first ``queries`` of some rows; None for all."""
    asked, rows = log.asked, []
    for row in log.rows if queries is None else queries:
        answers = log.of(row)[: None if queries is None else queries[row]]
        rows.append(WorldRow(row, PoseMetrics.of(answers), _stated(answers, asked.concepts)))
    return WorldReport(asked.model, asked.world, asked.look, asked.seed, tuple(rows))


def _stated(answers: Sequence[PoseAnswer], concepts: tuple[str, ...]) -> StatedTruth | None:
    if not concepts:
        return None
    truth = Poses.of(answer.truth for answer in answers)
    return StatedTruth.of([answer.stated for answer in answers], truth, concepts)


def _range(row: QueryRow) -> str:
    low, high = row.widths_km
    return f"{low:,.0f}–{high:,.0f} km"


def _cell(estimate: Estimate, scale: float) -> str:
    """Such as "61.2 [58.0, 64.1]"."""
    value, low, high = (_number(each * scale) for each in astuple(estimate))
    return f"{value} [{low}, {high}]"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.1f}"
