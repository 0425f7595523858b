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
from safetensors.numpy import load_file

from geowhy.arrays import Floats32, Ints, Points
from geowhy.concepts.bank import ConceptBank
from geowhy.concepts.grounding import LayerValues, parse_grounding
from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary
from geowhy.errors import ModelFormatError
from geowhy.evaluation.concept_report import GEOCLIP, TREES, ConceptReport, ConceptRow
from geowhy.evaluation.held_out import HeldOutPlaces
from geowhy.evaluation.protocol import training_config
from geowhy.evaluation.rivals import (
    boosted_trees,
    fitted_directions,
    harmonics,
    has_boosted_trees,
    nearest_places,
    unit_embeddings,
)
from geowhy.evaluation.us_states import StateCorrelation, StatePlaces, correlations
from geowhy.geo.atlas import Atlas
from geowhy.images.overhead import cut_views
from geowhy.model.alignment import Aligner
from geowhy.model.encoded import Encoded
from geowhy.model.geomodel import GeoModel
from geowhy.model.location import LocationArchitecture, LocationEncoder
from geowhy.model.place_reader import PlaceReader
from geowhy.model.store import ModelFolder
from geowhy.pretrained.geoclip.options import GEOCLIP as GEOCLIP_MODEL
from geowhy.pretrained.geoclip.released import ReleasedGeoClip
from geowhy.registry import EMBEDDED, is_installed, require, resolve_model

if TYPE_CHECKING:
    from geowhy.training.config import TrainingConfig

__all__ = ["score_concepts"]

Report = Callable[[str], None]

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

    Of "geoclip" the location side is measured, on the places of the embedded model: no photographs
    come with geowhy. ``report`` is told of each stage as it begins.

    Raises:
        ModelNotFoundError: if the model or the Blue Marble isn't installed.
        ModelFormatError: if the vocabulary isn't the one that the model was trained with.
        MissingExtraError: without the extra ``train``.
    """
    subject = _Subject.released() if model == GEOCLIP_MODEL else _Subject.trained(model)
    config = subject.config
    everything = _vocabulary(config)
    vocabulary = _learnt(subject, everything)
    atlas = Atlas.load()
    places = HeldOutPlaces.sample(config, vocabulary, atlas)
    report(f"embedding {len(places.held_out):,} held-out places")
    location, untrained = _location_scores(subject, vocabulary, places.held_out)
    report("fitting what it is compared with")
    rivals = _rivals(places)
    image = np.full((len(places.views), len(vocabulary.concepts)), np.nan, np.float32)
    if subject.views is not None:
        report(f"reading {len(places.views):,} held-out views")
        own = _columns(vocabulary, subject.bank)
        image[:, own] = _image_scores(subject.views, config, places.held_out[places.views])
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
class _Subject:
    """What is measured.

    Attributes:
        name: of the model.
        config: of its training; for a model that wasn't trained here, whose places it is asked of.
        aligner: its concept basis.
        side: degrees ``[N, 2]`` to its location side.
        places: its reader of concepts that no image shows, if it has one.
        views: the model that reads views, if it does.
    """

    name: str
    config: TrainingConfig
    aligner: Aligner
    side: Callable[[Points], Encoded]
    places: PlaceReader | None
    views: GeoModel | None

    @classmethod
    def trained(cls, model: str) -> _Subject:
        config = training_config(model)
        loaded = GeoModel.load(ModelFolder.open(resolve_model(model)))
        side, places = loaded.location_side, loaded.places
        return cls(loaded.name, config, loaded.aligner, side, places, loaded)

    @classmethod
    def released(cls) -> _Subject:
        config, released = training_config(EMBEDDED), ReleasedGeoClip.load()
        aligner = released.aligner

        def side(lat_lon: Points) -> Encoded:
            return aligner.location_side(released.encoder.embed(lat_lon))

        return cls(GEOCLIP_MODEL, config, aligner, side, None, None)

    @property
    def bank(self) -> ConceptBank:
        return self.aligner.bank

    @property
    def banks(self) -> list[ConceptBank]:
        return [self.bank, *([self.places.bank] if self.places else [])]


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


def _vocabulary(config: TrainingConfig) -> Vocabulary:
    return Vocabulary.load(Path(config.vocabulary or PACKAGED_VOCABULARY)).grounded


def _learnt(subject: _Subject, vocabulary: Vocabulary) -> Vocabulary:
    """The concepts of a vocabulary that are the model's."""
    for bank in subject.banks:
        learnt = vocabulary.only(bank.ids)
        if learnt.digest != bank.vocabulary_digest:
            raise ModelFormatError(
                f"{subject.name}: its concepts are those of the vocabulary "
                f"{bank.vocabulary_digest[:12]}, but here it is {learnt.digest[:12]} now: bring "
                "back the vocabulary that it was trained with, or train it anew"
            )
    return vocabulary.only(id for bank in subject.banks for id in bank.ids)


def _rivals(places: HeldOutPlaces) -> dict[str, Floats32]:
    """Scores of the held-out places by other means, by name."""
    rivals = {f"SH{HARMONICS}": places.fitted(harmonics(HARMONICS))}
    if is_installed("geoclip"):
        rivals[GEOCLIP] = places.fitted(unit_embeddings(_released_geoclip()))
    fitted = (places.training, places.known)
    rivals["5 nearest"] = nearest_places(*fitted, places.held_out)
    if has_boosted_trees():
        rivals[TREES] = boosted_trees(*fitted, places.is_class, places.held_out)
    return rivals


def _released_geoclip() -> LocationEncoder:
    tensors = load_file(require("geoclip") / "location.safetensors")
    return LocationEncoder.from_tensors(tensors, LocationArchitecture())


def _location_scores(
    subject: _Subject, vocabulary: Vocabulary, lat_lon: Points
) -> tuple[Floats32, Floats32]:
    """``z_loc`` of all concepts ``[N, k]``, and the same along untrained directions.

    Directions of concepts of places alone are fitted last, and not trained any more.
    """
    side = subject.side(lat_lon)
    trained = np.empty((len(lat_lon), len(vocabulary.concepts)), np.float32)
    untrained = np.empty_like(trained)
    own = _columns(vocabulary, subject.bank)
    trained[:, own] = subject.aligner.concept_scores(side)
    untrained[:, own] = subject.aligner.centred(side) @ subject.bank.directions
    if subject.places:
        own = _columns(vocabulary, subject.places.bank)
        trained[:, own] = untrained[:, own] = subject.places.concept_scores(lat_lon)
    return trained, untrained


def _image_scores(model: GeoModel, config: TrainingConfig, centres: Points) -> Floats32:
    """``z_img`` of the views at these centres ``[N, k]``."""
    from geowhy.training.sources import open_world

    world = open_world()
    scores = np.empty((len(centres), len(model.bank.ids)), np.float32)
    for start in range(0, len(centres), VIEWS_AT_ONCE):
        chunk = slice(start, start + VIEWS_AT_ONCE)
        pixels = cut_views(world, centres[chunk], config.views.km_per_pixel, config.views.size)
        scores[chunk] = model.aligner.outputs(model.told(model.features(list(pixels))))[1]
    return scores


def _columns(vocabulary: Vocabulary, bank: ConceptBank) -> Ints:
    """Where the concepts of a bank are in a vocabulary, ``[k]``."""
    ids = [concept.id for concept in vocabulary.concepts]
    return np.array([ids.index(id) for id in bank.ids], np.intp)


def _states(
    subject: _Subject, vocabulary: Vocabulary, places: HeldOutPlaces, atlas: Atlas
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
    scores = _location_scores(subject, vocabulary, asked)[0][:, columns]
    own = correlations(sample.mean_scores(scores), shares)
    rival = np.full(len(columns), np.nan)
    if is_installed("geoclip"):
        features = unit_embeddings(_released_geoclip())
        fitted = fitted_directions(features, places.training, places.known[:, columns], asked)
        rival = correlations(sample.mean_scores(fitted), shares)
    names = [vocabulary.names[column] for column in columns]
    found = zip(names, own.tolist(), rival.tolist(), strict=True)
    return tuple(StateCorrelation(*entry) for entry in found)
