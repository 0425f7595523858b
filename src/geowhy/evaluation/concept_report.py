"""What `geowhy.evaluation.concept_scores` found, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from geowhy.evaluation.output import JsonReport, columns
from geowhy.evaluation.resampling import Estimate
from geowhy.evaluation.us_states import StateCorrelation

__all__ = ["GEOCLIP", "TREES", "ConceptReport", "ConceptRow"]

GEOCLIP = "GeoCLIP"
TREES = "LightGBM"  # boosted trees on coordinates
GOT_BY = {GEOCLIP: "geowhy models get geoclip", TREES: "pip install 'geowhy[rivals]'"}
UNCLEAR = 0.65  # an AUC below which a concept isn't really told


@dataclass(frozen=True, slots=True)
class ConceptRow:
    """One concept: AUC if it is a class, Spearman correlation if it is a degree.

    Attributes:
        share: of the held-out places where it holds; NaN for a degree.
        location: of ``z_loc``.
        untrained: of the fixed direction ``E`` in the same space.
        image: of ``z_img``; NaN if no view from above shows the concept.
        rivals: of each rival of the report.
    """

    id: str
    name: str
    category: str
    kind: str
    from_above: bool
    share: float
    location: float
    untrained: float
    image: float
    rivals: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ConceptReport(JsonReport):
    """All concepts of a model.

    Attributes:
        rivals: names of what the location side is compared with.
        left_out: names of grounded concepts that hardly any training place had.
        mean_location, mean_image: mean AUC over classes, 95 % interval by blocks.
        states: correlations over US states.
    """

    model: str
    protocol: str
    rivals: tuple[str, ...]
    left_out: tuple[str, ...]
    rows: tuple[ConceptRow, ...]
    mean_location: Estimate
    mean_image: Estimate
    states: tuple[StateCorrelation, ...]

    def worst(self, kind: str, count: int) -> list[ConceptRow]:
        """The classes, or degrees, that the location side tells least well, worst first."""
        known = [row for row in self.measured if row.kind == kind]
        return sorted(known, key=lambda row: row.location)[:count]

    @property
    def measured(self) -> list[ConceptRow]:
        """The concepts that enough of the held-out places have, and lack."""
        return [row for row in self.rows if not np.isnan(row.location)]

    def unclear(self) -> list[ConceptRow]:
        """The concepts that the image side hardly tells; degrees have correlations."""
        return [row for row in self.rows if row.image < UNCLEAR]

    def table(self) -> str:
        """For people: every concept by category, then the summary."""
        return "\n".join([*self._concept_lines(), "", *self.summary()])

    def summary(self) -> list[str]:
        """Means, worst concepts and US states."""
        return [
            f"model      {self.model}",
            f"protocol   {self.protocol}",
            "interval   95 %, bootstrap over blocks of 10°; a concept that fewer than 10 of the "
            "places have, or lack, isn't measured",
            "",
            *self._mean_lines(),
            "",
            "worst classes on the location side: " + _named(self.worst("class", 10), "location"),
            "worst degrees on the location side: " + _named(self.worst("degree", 5), "location"),
            f"not learnt, hardly any training place had it: {', '.join(self.left_out) or 'none'}",
            f"below {UNCLEAR} on the image side: " + _named(self.unclear(), "image"),
            "",
            *self._state_lines(),
            *self._missing_lines(),
        ]

    def _concept_lines(self) -> list[str]:
        heads = ("share", "z_loc", "E", "z_img", *self.rivals)
        widths = (44, *[-10] * len(heads))
        lines = [columns(widths, "concept", *heads)]
        for category in dict.fromkeys(row.category for row in self.rows):
            lines += ["", category]
            for row in (row for row in self.rows if row.category == category):
                share = "degree" if row.kind == "degree" else f"{row.share:.1%}"
                values = (row.location, row.untrained, row.image, *row.rivals)
                lines.append(columns(widths, f"  {row.name[:41]}", share, *map(_number, values)))
        return lines

    def _mean_lines(self) -> list[str]:
        lines = []
        measures = (("class", "AUC", "classes"), ("degree", "Spearman correlation", "degrees"))
        for kind, measure, plural in measures:
            everything = [row for row in self.rows if row.kind == kind]
            rows = [row for row in self.measured if row.kind == kind]
            if everything:
                lines.append(f"mean {measure} over {len(rows)} of {len(everything)} {plural}")
                lines += self._sides(rows, with_interval=kind == "class")
        return lines

    def _sides(self, rows: list[ConceptRow], with_interval: bool) -> list[str]:
        seen = [row for row in rows if not np.isnan(row.image)]
        location = _interval(self.mean_location) if with_interval else ""
        image = _interval(self.mean_image) if with_interval else ""
        lines = [
            f"  location side, z_loc            {_mean(r.location for r in rows)}{location}",
            f"  untrained direction E           {_mean(r.untrained for r in rows)}",
        ]
        for number, rival in enumerate(self.rivals):
            lines.append(f"  {rival:<32}{_mean(r.rivals[number] for r in rows)}")
        told = f"image side, z_img, of {len(seen)}"
        return [*lines, f"  {told:<32}{_mean(r.image for r in seen)}{image}"]

    def _state_lines(self) -> list[str]:
        if not self.states:
            return ["no concept to compare with the land cover of US states"]
        has_rival = GEOCLIP in self.rivals
        lines = ["Pearson correlation over US states, mean z_loc against the share of land cover"]
        for state in self.states:
            rival = f"   {GEOCLIP} {_number(state.rival)}" if has_rival else ""
            lines.append(f"  {state.concept:<32}{_number(state.own)}{rival}")
        own = _mean(state.own for state in self.states)
        rival = f"   {GEOCLIP} {_mean(s.rival for s in self.states)}" if has_rival else ""
        lines.append(f"  {'mean':<32}{own}{rival}")
        return lines

    def _missing_lines(self) -> list[str]:
        return [
            f"{rival} isn't here to compare with: {command}"
            for rival, command in GOT_BY.items()
            if rival not in self.rivals
        ]


def _mean(values: Iterable[float]) -> str:
    """Mean of the numbers among the values, which may be none."""
    known = [value for value in values if not np.isnan(value)]
    return _number(float(np.mean(known)) if known else float("nan"))


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"


def _interval(estimate: Estimate) -> str:
    if np.isnan(estimate.value):
        return ""
    return f"  [{estimate.low:.3f}, {estimate.high:.3f}]"


def _named(rows: list[ConceptRow], side: str) -> str:
    named = [f"{row.name} {_number(getattr(row, side))}" for row in rows]
    return ", ".join(named) or "none"
