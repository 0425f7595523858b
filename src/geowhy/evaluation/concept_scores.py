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

from geowhy.arrays import Floats32
from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary
from geowhy.evaluation.concept_subject import Subject
from geowhy.evaluation.held_out import HeldOutPlaces
from geowhy.evaluation.output import JsonReport, columns
from geowhy.evaluation.resampling import Estimate
from geowhy.evaluation.rivals import (
    Features,
    boosted_trees,
    fitted_directions,
    harmonics,
    has_boosted_trees,
    nearest_places,
    unit_embeddings,
)
from geowhy.evaluation.us_states import STATE_SHARES, StateCorrelation, StatePlaces, correlations
from geowhy.geo.atlas import Atlas
from geowhy.pretrained.geoclip.released import ReleasedGeoClip
from geowhy.registry import is_installed

__all__ = ["ConceptReport", "ConceptRow", "score_concepts"]

Report = Callable[[str], None]

HARMONICS = 20
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


def score_concepts(model: str, report: Report) -> ConceptReport:
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
    rivals = _rivals(places)
    if subject.model is not None:
        report(f"reading {len(places.views):,} held-out views")
    image = subject.image_scores(vocabulary, places.held_out[places.views])
    scores = _Scores(location, untrained, image, rivals)
    report("comparing US states")
    return ConceptReport(
        subject.name,
        places.protocol(config),
        tuple(rivals),
        tuple(name for name in everything.names if name not in vocabulary.names),
        _rows(vocabulary, places, scores),
        places.mean(scores.location),
        places.mean(scores.image, places.views),
        _states(subject, vocabulary, places, atlas),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """Scores of the k concepts: of held-out places ``[M, k]``, ``image`` of held-out views."""

    location: Floats32
    untrained: Floats32
    image: Floats32
    rivals: dict[str, Floats32]


def _rows(vocabulary: Vocabulary, places: HeldOutPlaces, scores: _Scores) -> tuple[ConceptRow, ...]:
    return tuple(
        ConceptRow(
            concept.id,
            concept.name,
            concept.category,
            "class" if places.is_class[number] else "degree",
            concept.from_above,
            places.share(number),
            places.ranking(number, scores.location),
            places.ranking(number, scores.untrained),
            places.ranking(number, scores.image, places.views),
            tuple(places.ranking(number, rival) for rival in scores.rivals.values()),
        )
        for number, concept in enumerate(vocabulary.concepts)
    )


def _rivals(places: HeldOutPlaces) -> dict[str, Floats32]:
    """Scores of the held-out places by other means, by name."""
    rivals = {f"SH{HARMONICS}": places.fitted(harmonics(HARMONICS))}
    if is_installed("geoclip"):
        rivals[GEOCLIP] = places.fitted(_released_geoclip())
    fitted = (places.training, places.known)
    rivals["5 nearest"] = nearest_places(*fitted, places.held_out)
    if has_boosted_trees():
        rivals[TREES] = boosted_trees(*fitted, places.is_class, places.held_out)
    return rivals


def _released_geoclip() -> Features:
    return unit_embeddings(ReleasedGeoClip.load().encoder)


def _states(
    subject: Subject, vocabulary: Vocabulary, places: HeldOutPlaces, atlas: Atlas
) -> tuple[StateCorrelation, ...]:
    """The paper's test, for the concepts of ``STATE_SHARES`` that the vocabulary has."""
    ids = [concept.id for concept in vocabulary.concepts]
    asked = [id for id in STATE_SHARES if id in ids]
    if not asked:
        return ()
    rows = [ids.index(id) for id in asked]
    sample = StatePlaces.sample(atlas)
    shares, lat_lon = sample.real_shares(asked, atlas), sample.lat_lon[sample.scored]
    scores = subject.location_scores(vocabulary, lat_lon)[0][:, rows]
    own = correlations(sample.mean_scores(scores), shares)
    rival = np.full(len(rows), np.nan)
    if is_installed("geoclip"):
        known = places.known[:, rows]
        fitted = fitted_directions(_released_geoclip(), places.training, known, lat_lon)
        rival = correlations(sample.mean_scores(fitted), shares)
    names = [vocabulary.names[row] for row in rows]
    found = zip(names, own.tolist(), rival.tolist(), strict=True)
    return tuple(StateCorrelation(*entry) for entry in found)


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
