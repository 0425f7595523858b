"""``geowhy concepts score``: whether concept scores mean what their names say.

Places are the pool of views that the model was trained on. Whole cells of 10 degrees of it were
held out; there, the truth of each concept by its grounding is compared with what the model says of
the place (``z_loc``), and of the view alone (``z_img``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from geowhy.concepts.bank import ConceptBank
from geowhy.concepts.concept import Concept
from geowhy.concepts.grounding import LayerValues, parse_grounding
from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary
from geowhy.errors import ModelFormatError
from geowhy.evaluation.boosted_trees import boosted_trees, has_boosted_trees
from geowhy.evaluation.concept_report import GEOCLIP, TREES, ConceptReport, ConceptRow
from geowhy.evaluation.metrics import Estimate
from geowhy.evaluation.ranking import mean_with_interval, ranking, resampled_weights
from geowhy.evaluation.report import training_config
from geowhy.evaluation.rivals import (
    Features,
    fitted_directions,
    harmonics,
    nearest_places,
    unit_embeddings,
)
from geowhy.evaluation.us_states import StateCorrelation, StatePlaces, correlations
from geowhy.geo.atlas import Atlas
from geowhy.geo.cells import ten_degree_cell
from geowhy.images.overhead import cut_views
from geowhy.model.geomodel import GeoModel, model_banks
from geowhy.model.location import LocationArchitecture, LocationEncoder
from geowhy.model.registry import is_installed, require, resolve_model
from geowhy.model.store import ModelFolder

if TYPE_CHECKING:
    from geowhy.training.config import TrainingConfig

__all__ = ["score_concepts"]

Floats = NDArray[np.float32]
Points = NDArray[np.float64]
Report = Callable[[str], None]

FITTED_PLACES = 20_000  # as many as the directions of the bank were fitted on
HARMONICS = 20
VIEWS_AT_ONCE = 512
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


def score_concepts(model: str, report: Report) -> ConceptReport:
    """Measures the concepts of a model on the cells that its training held out.

    ``report`` is told of each stage as it begins.

    Raises:
        ModelNotFoundError: if the model or the Blue Marble isn't installed.
        ModelFormatError: if the vocabulary isn't the one that the model was trained with.
        MissingExtraError: without the extra ``train``.
    """
    config = training_config(model)
    loaded = GeoModel.load(ModelFolder.open(resolve_model(model)))
    everything = _vocabulary(config)
    vocabulary = _learnt(loaded, everything)
    atlas = Atlas.load()
    places = _Places.sample(config, vocabulary, atlas)
    report(f"embedding {len(places.held_out):,} held-out places")
    location, untrained = _location_scores(loaded, vocabulary, places.held_out)
    report("fitting what it is compared with")
    rivals = _rivals(places)
    report(f"reading {len(places.views):,} held-out views")
    image = _image_scores(loaded, vocabulary, config, places.held_out[places.views])
    scores = _Scores(location, untrained, image, rivals)
    report("comparing US states")
    return ConceptReport(
        loaded.name,
        places.protocol(config),
        tuple(rivals),
        tuple(name for name in everything.names if name not in vocabulary.names),
        _rows(vocabulary, places, scores),
        places.mean(scores.location),
        places.mean(scores.image, places.views),
        _states(loaded, vocabulary, places, atlas),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """Scores of the k concepts: of held-out places ``[M, k]``, ``image`` of held-out views."""

    location: Floats
    untrained: Floats
    image: Floats
    rivals: dict[str, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Training and held-out places of a model.

    Attributes:
        training: degrees ``[N, 2]``, and ``known``, the truth there ``[N, k]``.
        held_out: degrees ``[M, 2]``, and ``truth`` there ``[M, k]``.
        views: rows of ``held_out`` whose views are the test views.
        is_class: which concepts are classes, ``[k]``.
    """

    training: Points
    known: Floats
    held_out: Points
    truth: Floats
    views: NDArray[np.intp]
    is_class: NDArray[np.bool_]

    @classmethod
    def sample(cls, config: TrainingConfig, vocabulary: Vocabulary, atlas: Atlas) -> _Places:
        """The pool of views of a configuration, by cells; training cells to their very rims."""
        from geowhy.training.views import SPLITS, cell_splits, sample_views

        centres = sample_views(config.views, atlas).centres
        split = cell_splits(centres, config.split)
        is_held_out = split == SPLITS.index("test")
        is_known = split == SPLITS.index("train")
        if config.split.refit:
            is_known = ~is_held_out
        training, held_out = centres[is_known][:FITTED_PLACES], centres[is_held_out]
        return cls(
            training,
            vocabulary.truth(atlas, training),
            held_out,
            vocabulary.truth(atlas, held_out),
            np.arange(min(config.split.test_views, len(held_out))),
            np.array([_is_class(concept) for concept in vocabulary.concepts]),
        )

    def share(self, concept: int) -> float:
        """How many of the held-out places have a class; NaN for a degree."""
        return float(np.nanmean(self.truth[:, concept])) if self.is_class[concept] else float("nan")

    def ranking(self, concept: int, scores: Floats, rows: NDArray[np.intp] | None = None) -> float:
        """How well one column of scores orders the held-out places, or some rows of them."""
        truth = self.truth if rows is None else self.truth[rows]
        return ranking(truth[:, concept], scores[:, concept], not self.is_class[concept])

    def mean(self, scores: Floats, rows: NDArray[np.intp] | None = None) -> Estimate:
        """Mean AUC of the classes."""
        chosen = slice(None) if rows is None else rows
        weights = resampled_weights(ten_degree_cell(self.held_out[chosen]))
        classes = self.is_class & ~np.isnan(scores).all(axis=0)
        return mean_with_interval(self.truth[chosen][:, classes], scores[:, classes], weights)

    def fitted(self, features: Features) -> Floats:
        """Scores of the held-out places along directions fitted at the training places."""
        return fitted_directions(features, self.training, self.known, self.held_out)

    def protocol(self, config: TrainingConfig) -> str:
        """In words."""
        return (
            f"{len(self.held_out):,} places on land and {len(self.views):,} views in held-out 10° "
            f"cells, split seed {config.split.seed}; rivals fitted on {len(self.training):,} "
            "places of all other cells"
        )


def _rows(vocabulary: Vocabulary, places: _Places, scores: _Scores) -> tuple[ConceptRow, ...]:
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


def _vocabulary(config: TrainingConfig) -> Vocabulary:
    return Vocabulary.load(Path(config.vocabulary or PACKAGED_VOCABULARY)).grounded


def _learnt(model: GeoModel, vocabulary: Vocabulary) -> Vocabulary:
    """The concepts of a vocabulary that are the model's."""
    for bank in model_banks(model).values():
        learnt = vocabulary.only(bank.ids)
        if learnt.digest != bank.vocabulary_digest:
            raise ModelFormatError(
                f"{model.name}: its concepts are those of the vocabulary "
                f"{bank.vocabulary_digest[:12]}, but here it is {learnt.digest[:12]} now: bring "
                "back the vocabulary that it was trained with, or train it anew"
            )
    return vocabulary.only(id for bank in model_banks(model).values() for id in bank.ids)


def _rivals(places: _Places) -> dict[str, Floats]:
    """Scores of the held-out places by other means, by name."""
    rivals = {f"SH{HARMONICS}": places.fitted(harmonics(HARMONICS))}
    if is_installed("geoclip"):
        rivals[GEOCLIP] = places.fitted(unit_embeddings(_released_geoclip()))
    fitted = (places.training, places.known)
    rivals["5 nearest"] = nearest_places(*fitted, places.held_out)
    if has_boosted_trees():
        rivals[TREES] = boosted_trees(*fitted, places.is_class, places.held_out)
    return rivals


def _is_class(concept: Concept) -> bool:
    return concept.grounding is not None and concept.grounding.kind == "class"


def _released_geoclip() -> LocationEncoder:
    tensors = load_file(require("geoclip") / "location.safetensors")
    return LocationEncoder.from_tensors(tensors, LocationArchitecture())


def _location_scores(
    model: GeoModel, vocabulary: Vocabulary, lat_lon: Points
) -> tuple[Floats, Floats]:
    """``z_loc`` of all concepts ``[N, k]``, and the same along untrained directions.

    Directions of concepts of places alone are fitted last, and not trained any more.
    """
    side = model.location_side(lat_lon)
    trained = np.empty((len(lat_lon), len(vocabulary.concepts)), np.float32)
    untrained = np.empty_like(trained)
    own = _columns(vocabulary, model.bank)
    trained[:, own] = model.aligner.concept_scores(side)
    untrained[:, own] = (side.scaled @ model.bank.directions) * side.length
    if model.places:
        own = _columns(vocabulary, model.places.bank)
        trained[:, own] = untrained[:, own] = model.places.concept_scores(lat_lon)
    return trained, untrained


def _image_scores(
    model: GeoModel, vocabulary: Vocabulary, config: TrainingConfig, centres: Points
) -> Floats:
    """``z_img`` of the views at these centres ``[N, k]``; NaN for what no view shows."""
    from geowhy.training.sources import open_world

    world = open_world()
    own = _columns(vocabulary, model.bank)
    scores = np.full((len(centres), len(vocabulary.concepts)), np.nan, np.float32)
    for start in range(0, len(centres), VIEWS_AT_ONCE):
        chunk = slice(start, start + VIEWS_AT_ONCE)
        pixels = cut_views(world, centres[chunk], config.views.km_per_pixel, config.views.size)
        scores[chunk, own] = model.image_side(model.features(list(pixels))).concepts
    return scores


def _columns(vocabulary: Vocabulary, bank: ConceptBank) -> NDArray[np.intp]:
    """Where the concepts of a bank are in a vocabulary, ``[k]``."""
    ids = [concept.id for concept in vocabulary.concepts]
    return np.array([ids.index(id) for id in bank.ids], np.intp)


def _states(
    model: GeoModel, vocabulary: Vocabulary, places: _Places, atlas: Atlas
) -> tuple[StateCorrelation, ...]:
    """The paper's test, for the concepts of ``STATE_SHARES`` that the vocabulary has."""
    ids = [concept.id for concept in vocabulary.concepts]
    columns = np.array([ids.index(id) for id in STATE_SHARES if id in ids], np.intp)
    if not len(columns):
        return ()
    sample = StatePlaces.sample(atlas)
    around = LayerValues(atlas, sample.lat_lon)
    covers = [parse_grounding(STATE_SHARES[ids[column]], atlas).at(around) for column in columns]
    shares = sample.shares(np.stack(covers, axis=1))
    asked = sample.lat_lon[sample.scored]
    scores = _location_scores(model, vocabulary, asked)[0][:, columns]
    own = correlations(sample.mean_scores(scores), shares)
    rival = np.full(len(columns), np.nan)
    if is_installed("geoclip"):
        features = unit_embeddings(_released_geoclip())
        fitted = fitted_directions(features, places.training, places.known[:, columns], asked)
        rival = correlations(sample.mean_scores(fitted), shares)
    names = [vocabulary.names[column] for column in columns]
    found = zip(names, own.tolist(), rival.tolist(), strict=True)
    return tuple(StateCorrelation(*entry) for entry in found)
