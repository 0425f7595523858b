"""``geowhy concepts score``: whether concept scores mean what their names say.

Places are the pool of views that the model was trained on. Whole cells of 10 degrees of it were
held out; there, the truth of each concept by its grounding is compared with what the model says of
the place (``z_loc``), and of the view alone (``z_img``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary
from geowhy.evaluation.concept_subject import Subject
from geowhy.evaluation.estimates import Estimate
from geowhy.evaluation.held_out import GEOCLIP, TREES, HeldOutPlaces, rival_scores
from geowhy.evaluation.output import JsonReport, columns
from geowhy.evaluation.us_states import StateCorrelation, state_correlations
from geowhy.geo.atlas import Atlas

__all__ = ["ConceptReport", "ConceptRow", "score_concepts"]

GOT_BY = {GEOCLIP: "geowhy models get geoclip", TREES: "pip install 'geowhy[rivals]'"}
UNCLEAR = 0.65  # an AUC below which a concept isn't really told


@dataclass(frozen=True, slots=True)
class ConceptRow:
    """One concept: AUC if it is a class, Spearman correlation if it is a degree."""

    id: str
    name: str
    category: str
    kind: str
    from_above: bool
    share: float  # of the held-out places where it holds; NaN for a degree
    location: float  # of `z_loc`
    untrained: float  # of the fixed direction `E` in the same space
    image: float  # of `z_img`; NaN if no view from above shows the concept
    rivals: tuple[float, ...]  # of each rival of the report


@dataclass(frozen=True, slots=True)
class ConceptReport(JsonReport):
    """All concepts of a model."""

    model: str
    protocol: str
    rivals: tuple[str, ...]  # what the location side is compared with
    left_out: tuple[str, ...]  # grounded concepts that hardly any training place had
    rows: tuple[ConceptRow, ...]
    mean_location: Estimate  # AUC over classes
    mean_image: Estimate
    states: tuple[StateCorrelation, ...]

    @property
    def measured(self) -> list[ConceptRow]:
        """The concepts that enough of the held-out places have, and lack."""
        return [row for row in self.rows if not np.isnan(row.location)]

    def worst(self, kind: str, count: int) -> list[ConceptRow]:
        """The classes, or degrees, that the location side tells least well, worst first."""
        known = [row for row in self.measured if row.kind == kind]
        return sorted(known, key=lambda row: row.location)[:count]

    def unclear(self) -> list[ConceptRow]:
        """The concepts that the image side hardly tells; degrees have correlations."""
        return [row for row in self.rows if row.image < UNCLEAR]

    def table(self) -> str:
        """For people: every concept by category, then means, worst concepts and US states."""
        heads = ("share", "z_loc", "E", "z_img", *self.rivals)
        widths = (44, *[-10] * len(heads))
        lines = [columns(widths, "concept", *heads)]
        for category in dict.fromkeys(row.category for row in self.rows):
            lines += ["", category]
            for row in (row for row in self.rows if row.category == category):
                share = "degree" if row.kind == "degree" else f"{row.share:.1%}"
                values = (row.location, row.untrained, row.image, *row.rivals)
                lines.append(columns(widths, f"  {row.name[:41]}", share, *map(_number, values)))
        lines += [
            "",
            f"model      {self.model}",
            f"protocol   {self.protocol}",
            "interval   95 %, bootstrap over blocks of 10°; a concept that fewer than 10 of the "
            "places have, or lack, isn't measured",
            "",
            *self._mean_lines("class", "AUC", "classes"),
            *self._mean_lines("degree", "Spearman correlation", "degrees"),
            "",
            "worst classes on the location side: " + _named(self.worst("class", 10), "location"),
            "worst degrees on the location side: " + _named(self.worst("degree", 5), "location"),
            f"not learnt, hardly any training place had it: {', '.join(self.left_out) or 'none'}",
            f"below {UNCLEAR} on the image side: " + _named(self.unclear(), "image"),
            "",
            *self._state_lines(),
        ]
        lines += [
            f"{rival} isn't here to compare with: {command}"
            for rival, command in GOT_BY.items()
            if rival not in self.rivals
        ]
        return "\n".join(lines)

    def _mean_lines(self, kind: str, measure: str, plural: str) -> list[str]:
        everything = sum(row.kind == kind for row in self.rows)
        if not everything:
            return []
        rows = [row for row in self.measured if row.kind == kind]
        seen = [row for row in rows if not np.isnan(row.image)]
        own, shown = (
            f"  [{mean.low:.3f}, {mean.high:.3f}]" * (kind == "class" and not np.isnan(mean.value))
            for mean in (self.mean_location, self.mean_image)
        )
        means = [
            ("location side, z_loc", [row.location for row in rows], own),
            ("untrained direction E", [row.untrained for row in rows], ""),
            *((name, [r.rivals[n] for r in rows], "") for n, name in enumerate(self.rivals)),
            (f"image side, z_img, of {len(seen)}", [row.image for row in seen], shown),
        ]
        lines = [f"mean {measure} over {len(rows)} of {everything} {plural}"]
        return [*lines, *(f"  {name:<32}{_mean(each)}{between}" for name, each, between in means)]

    def _state_lines(self) -> list[str]:
        if not self.states:
            return ["no concept to compare with the land cover of US states"]
        means = [_mean(s.own for s in self.states), _mean(s.rival for s in self.states)]
        rows = [(s.concept, _number(s.own), _number(s.rival)) for s in self.states]
        return [
            "Pearson correlation over US states, mean z_loc against the share of land cover",
            *(
                f"  {name:<32}{own}" + f"   {GEOCLIP} {rival}" * (GEOCLIP in self.rivals)
                for name, own, rival in [*rows, ("mean", *means)]
            ),
        ]


def score_concepts(model: str, report: Callable[[str], None]) -> ConceptReport:
    """Measures the concepts of a model on the cells that its training held out.

    Of "geoclip" the location side is measured, on the places of the embedded model: no photographs
    come with geowhy. ``report`` is told of each stage as it begins.

    Raises:
        ModelNotFoundError: if the model or the Blue Marble isn't installed.
        ModelFormatError: if the vocabulary isn't the one that the model was trained with.
        MissingExtraError: without the extra ``train``.
    """
    subject, atlas = Subject.open(model), Atlas.load()
    config = subject.config
    everything = Vocabulary.load(Path(config.vocabulary or PACKAGED_VOCABULARY)).grounded
    vocabulary = subject.learnt(everything)
    places = HeldOutPlaces.sample(config, vocabulary, atlas)
    report(f"embedding {len(places.held_out):,} held-out places")
    location, untrained = subject.location_scores(vocabulary, places.held_out)
    report("fitting what it is compared with")
    rivals = rival_scores(places)
    if subject.model is not None:
        report(f"reading {len(places.views):,} held-out views")
    image = subject.image_scores(vocabulary, places.held_out[places.views])
    rows = tuple(
        ConceptRow(
            concept.id,
            concept.name,
            concept.category,
            "class" if places.is_class[number] else "degree",
            concept.from_above,
            float(np.nanmean(places.truth[:, number])) if places.is_class[number] else np.nan,
            places.ranking(number, location),
            places.ranking(number, untrained),
            places.ranking(number, image, places.views),
            tuple(places.ranking(number, rival) for rival in rivals.values()),
        )
        for number, concept in enumerate(vocabulary.concepts)
    )
    report("comparing US states")
    return ConceptReport(
        subject.name,
        f"{len(places.held_out):,} places on land and {len(places.views):,} views in held-out 10° "
        f"cells, split seed {config.split.seed}; rivals fitted on {len(places.training):,} places "
        "of all other cells",
        tuple(rivals),
        tuple(name for name in everything.names if name not in vocabulary.names),
        rows,
        places.mean(location),
        places.mean(image, places.views),
        state_correlations(subject, vocabulary, places, atlas),
    )


def _mean(values: Iterable[float]) -> str:
    """Mean of the numbers among the values, which may be none."""
    known = [value for value in values if not np.isnan(value)]
    return _number(float(np.mean(known)) if known else float("nan"))


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"


def _named(rows: list[ConceptRow], side: str) -> str:
    named = [f"{row.name} {_number(getattr(row, side))}" for row in rows]
    return ", ".join(named) or "none"
