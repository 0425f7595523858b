"""``geowhy concepts score``: whether concept scores mean what their names say.

On cells of 10 degrees that were held out of training, the truth of each concept by its grounding is
compared with what the model says of the place (``z_loc``), and of the view alone (``z_img``); and
``z_loc`` with the land cover of whole US states, as in arXiv 2509.01910, figure 5, which has 0.653
for forest, and 0.354 for GeoCLIP's location encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geowhy.arrays import AnyFloats, Floats64, Ints, Points
from geowhy.concepts.grounding import LayerValues, parse_grounding
from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary
from geowhy.evaluation.concept_subject import Subject
from geowhy.evaluation.estimates import Estimate, JsonReport, columns
from geowhy.evaluation.held_out import (
    GEOCLIP,
    TREES,
    HeldOutPlaces,
    fitted_directions,
    geoclip_embeddings,
    rival_scores,
)
from geowhy.geo.atlas import Atlas
from geowhy.geo.sphere import uniform_on_sphere

__all__ = ["ConceptReport", "ConceptRow", "StateCorrelation", "score_concepts"]

GOT_BY = {GEOCLIP: "geowhy models get geoclip", TREES: "pip install 'geowhy[rivals]'"}
UNCLEAR = 0.65  # an AUC below which a concept isn't really told
SAMPLED_PLACES, SCORED_A_STATE = 40_000, 150
FEWEST = 8  # the District of Columbia has one or none
# Ids of concepts, and what their share of a state is by the layer of land cover, whatever they
# are grounded in: "forest" is a place with much forest around; the paper compares with forest.
STATE_SHARES = {
    "forest": (
        "land_cover in ['evergreen needleleaf forest', 'evergreen broadleaf forest', "
        "'deciduous needleleaf forest', 'deciduous broadleaf forest', 'mixed forest']"
    ),
    "needleleaf_forest": (
        "land_cover in ['evergreen needleleaf forest', 'deciduous needleleaf forest']"
    ),
    "temperate_forest": "land_cover in ['deciduous broadleaf forest', 'mixed forest']",
    "woody_savanna": "land_cover == 'woody savanna'",
    "savanna": "land_cover == 'savanna'",
    "shrubland": "land_cover in ['open shrubland', 'closed shrubland']",
    "grassland": "land_cover == 'grassland'",
    "cropland": "land_cover in ['cropland', 'cropland and natural vegetation mosaic']",
    "barren": "land_cover == 'barren land'",
    "wetland": "land_cover == 'permanent wetland'",
}


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
class StateCorrelation:
    """Pearson correlation over the US states of mean score and real share, for one concept."""

    concept: str
    own: float  # of the model
    rival: float  # of a direction fitted in GeoCLIP's space; NaN without


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

    Of "geoclip" the location side is measured, on the places of ``configs/views.toml``: no
    photographs come with geowhy. ``report`` is told of each stage as it begins.

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
        _state_correlations(subject, vocabulary, places, atlas),
    )


@dataclass(frozen=True, slots=True, eq=False)
class StatePlaces:
    """Places uniform in the states of the US."""

    names: tuple[str, ...]  # of the states
    lat_lon: Points  # degrees [N, 2]
    state: Ints  # of each place, [N]
    scored: Ints  # the first places of each state, rows of `lat_lon`: enough for a mean score

    @classmethod
    def sample(cls, atlas: Atlas) -> StatePlaces:
        """Draws them, the same at each call."""
        rng, layer = np.random.default_rng(0), atlas.layer("us_state")
        found, labels = np.empty((0, 2)), np.empty(0, np.intp)
        while len(found) < SAMPLED_PLACES:
            tries = uniform_on_sphere(20 * SAMPLED_PLACES, rng)
            tries = tries[atlas.is_land(tries)]
            state = layer.at(tries).astype(np.intp)
            found = np.concatenate([found, tries[state >= 0]])
            labels = np.concatenate([labels, state[state >= 0]])
        large = np.bincount(labels)[labels] >= FEWEST
        numbers, state = np.unique(labels[large], return_inverse=True)
        members = [np.flatnonzero(state == n)[:SCORED_A_STATE] for n in range(len(numbers))]
        names = tuple(layer.info.labels[number] for number in numbers)
        return cls(names, found[large], state, np.concatenate(members))

    def means(self, values: AnyFloats, rows: Ints | None = None) -> AnyFloats:
        """Means of known values ``[n, k]``, of all places or ``rows`` ``[n]``: ``[states, k]``."""
        state = self.state if rows is None else self.state[rows]
        return np.stack([np.nanmean(values[state == n], axis=0) for n in range(len(self.names))])


def _state_correlations(
    subject: Subject, vocabulary: Vocabulary, places: HeldOutPlaces, atlas: Atlas
) -> tuple[StateCorrelation, ...]:
    """The paper's test, for the concepts of ``STATE_SHARES`` that the vocabulary has."""
    ids = [concept.id for concept in vocabulary.concepts]
    rows = [ids.index(id) for id in STATE_SHARES if id in ids]
    if not rows:
        return ()
    sample = StatePlaces.sample(atlas)
    around = LayerValues(atlas, sample.lat_lon)
    covers = [parse_grounding(STATE_SHARES[ids[row]], atlas).at(around) for row in rows]
    shares = sample.means(np.stack(covers, axis=1))
    asked = sample.lat_lon[sample.scored]
    scores = subject.location_scores(vocabulary, asked)[0][:, rows]
    own = correlations(sample.means(scores, sample.scored), shares)
    rival = np.full(len(rows), np.nan)
    geoclip = geoclip_embeddings()
    if geoclip is not None:
        fitted = fitted_directions(geoclip, places.training, places.known[:, rows], asked)
        rival = correlations(sample.means(fitted, sample.scored), shares)
    found = zip([vocabulary.names[row] for row in rows], own.tolist(), rival.tolist(), strict=True)
    return tuple(StateCorrelation(*entry) for entry in found)


def correlations(means: AnyFloats, shares: AnyFloats) -> Floats64:
    """Pearson correlation of each column over the states, ``[k]``."""
    columns = zip(means.T, shares.T, strict=True)
    return np.array([np.corrcoef(mean, share)[0, 1] for mean, share in columns])


def _mean(values: Iterable[float]) -> str:
    known = [value for value in values if not np.isnan(value)]
    return _number(float(np.mean(known)) if known else float("nan"))


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"


def _named(rows: list[ConceptRow], side: str) -> str:
    named = [f"{row.name} {_number(getattr(row, side))}" for row in rows]
    return ", ".join(named) or "none"
