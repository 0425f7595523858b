"""The pool of images with everything that is known of them, and what one fit reads of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Floats32, Points, Rows
from geowhy.concepts.concept import Concept
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import ConfigError, DataError
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.heads.gallery import Gallery
from geowhy.model.geomodel import GeoModel
from geowhy.model.surroundings import SURROUNDINGS_SIZE, read_surroundings
from geowhy.training.aligner import Whitening, fit_whitening, standardising
from geowhy.training.config import TrainingConfig
from geowhy.training.dataset import GroundTruth, Places
from geowhy.training.features import FeatureStore
from geowhy.training.sources import FeatureColumns
from geowhy.training.views import Manifest

__all__ = ["FitData", "ImagePool"]

SOME_PLACES = 24_000  # enough of the gallery to validate on, and to know the land at large
FEWEST_PLACES = 10  # that have a concept, or lack it; fewer say nothing of it


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FitData:
    """Everything that one fit reads.

    Attributes:
        seen: the concepts that images show and that training places can tell: some have each, some
            lack it.
        unseen: the same of those that no image shows.
        raw: backbone features of the training images ``[N, f]``.
        whitening: fitted on them.
        training: places.
        validation: places; None where no image is held out for it.
        gallery: places, of which the first ``SOME_PLACES`` are the ``land``.
        known_land: images of all cells that aren't held out, up to their rims, degrees ``[N, 2]``:
            for what is learnt without a look at an image.
    """

    seen: Vocabulary
    unseen: Vocabulary
    raw: Floats32
    whitening: Whitening
    training: Places
    validation: Places | None
    gallery: Places
    land: Places
    known_land: Points


class ImagePool:
    """Images, their features, and what the atlas says around them, which is read once an image.

    Takes 4 kB an image in use.

    Attributes:
        features: of all images.
        columns: of the features.
        vocabulary: the concepts, which are all grounded.
    """

    def __init__(
        self,
        config: TrainingConfig,
        vocabulary: Vocabulary,
        centres: Points,
        features: FeatureStore,
        columns: FeatureColumns,
        device: str,
    ) -> None:
        """Images with ``centres`` in degrees ``[N, 2]``; places go to ``device``."""
        self.features = features
        self.columns = columns
        self.vocabulary = vocabulary
        self._config = config
        self._device = device
        self._atlas = Atlas.load()
        gallery = config.gallery
        land = uniform_on_land(self._atlas, gallery.size, np.random.default_rng(gallery.seed))
        self._centres = np.concatenate([centres, land])
        self._gallery = np.arange(len(centres), len(self._centres))
        # Pages of rows that no fit asks for are never touched.
        self._surroundings = np.empty((len(self._centres), self._columns), np.float32)
        self._is_read = np.zeros(len(self._centres), bool)

    def fit_data(self, manifest: Manifest) -> FitData:
        """What a fit reads under the splits of a manifest of these images.

        Raises:
            DataError: if the training images show too little to tell a single concept.
        """
        rows, held_out = manifest.rows("train"), manifest.rows("validation")
        raw = self.features.read(rows)
        told = self.columns.told(raw)
        whitening = self._whitening(told)
        known_rows = np.concatenate([rows, manifest.rows("margin")])
        seen, unseen = self._seen(self._learnable(rows)), self._unseen(self._learnable(known_rows))
        if not seen.concepts:
            raise DataError(
                f"none of the {len(self.vocabulary.concepts)} concepts holds at {FEWEST_PLACES} of "
                f"the {len(rows):,} training images and is absent from {FEWEST_PLACES}: add images "
                "of other regions"
            )
        known = GroundTruth.fit(self._truth(seen, rows))
        training = self._places(rows, whitening(told), seen, known)
        nothing = np.empty((len(self._gallery), 0), np.float32)
        gallery = self._places(self._gallery, nothing, seen, known)
        land = gallery.first(SOME_PLACES)
        if self._config.alignment.negatives == "land":
            land = land.with_prior(training, self._config.alignment.target_sigma_km)
        validation = None
        if len(held_out):
            images = whitening(self.columns.told(self.features.read(held_out)))
            validation = self._places(held_out, images, seen, known)
        return FitData(
            seen=seen,
            unseen=unseen,
            raw=raw,
            whitening=whitening,
            training=training,
            validation=validation,
            gallery=gallery,
            land=land,
            known_land=self._centres[known_rows],
        )

    def gallery(self, model: GeoModel) -> Gallery:
        """The gallery of the configuration, as a model's folder will hold it."""
        around = self._around(self._gallery) if self._columns else None
        return Gallery.build(self._centres[self._gallery], model, around).as_kept(model)

    def _whitening(self, told: Floats32) -> Whitening:
        if self._config.alignment.init == "geoclip":
            return standardising(told)
        size = self._config.alignment.whitened
        if size > len(told):
            raise ConfigError(
                f"alignment.whitened is {size}, but {len(told):,} training images have no more "
                "components than there are of them: lower it"
            )
        return fit_whitening(told, size, self.columns.layout_grid)

    def _seen(self, vocabulary: Vocabulary) -> Vocabulary:
        """What images show: of views what can be seen from above, of photographs everything."""
        return vocabulary if self._config.photos else vocabulary.seen

    def _unseen(self, vocabulary: Vocabulary) -> Vocabulary:
        return Vocabulary(()) if self._config.photos else vocabulary.unseen

    def _learnable(self, rows: Rows) -> Vocabulary:
        """The concepts of which the places of ``rows`` have enough, and lack enough.

        A concept may hold only in cells that are held out, as one of a region can.
        """
        truth = self._truth(self.vocabulary, rows)
        pairs = zip(self.vocabulary.concepts, truth.T, strict=True)
        return self.vocabulary.only(c.id for c, values in pairs if _is_told(c, values))

    @property
    def _columns(self) -> int:
        """How much is read around a place; nothing for a model that doesn't look around."""
        asked = self._config.location.surroundings or self._config.reader.steps
        return SURROUNDINGS_SIZE if asked else 0

    def _places(
        self, rows: Rows, images: Floats32, vocabulary: Vocabulary, known: GroundTruth
    ) -> Places:
        truth = known.standardised(self._truth(vocabulary, rows))
        around = self._around(rows)
        return Places.of(self._centres[rows], around, images, truth, self._device)

    def _truth(self, vocabulary: Vocabulary, rows: Rows) -> Floats32:
        return vocabulary.truth(self._atlas, self._centres[rows])

    def _around(self, rows: Rows) -> Floats32:
        unread = rows[~self._is_read[rows]]
        if self._columns:
            self._surroundings[unread] = read_surroundings(self._atlas, self._centres[unread])
        self._is_read[unread] = True
        return self._surroundings[rows]


def _is_told(concept: Concept, truth: Floats32) -> bool:
    """Whether places ``[N]`` tell a concept: both kinds of a class, or different degrees."""
    known = truth[~np.isnan(truth)]
    if concept.grounding is not None and concept.grounding.kind == "degree":
        return len(np.unique(known)) > 1
    holds = int((known > 0).sum())
    return min(holds, len(known) - holds) >= FEWEST_PLACES
