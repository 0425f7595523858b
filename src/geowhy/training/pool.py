"""The pool of images with everything that is known of them, and what one fit reads of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Floats32, Points, Rows
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import ConfigError, DataError
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.heads.gallery import Gallery
from geowhy.model.geomodel import GeoModel
from geowhy.model.surroundings import SURROUNDINGS_SIZE, read_surroundings
from geowhy.training.aligner import fit_whitening, standardising
from geowhy.training.dataset import AlignmentData, GroundTruth, Places
from geowhy.training.features import FeatureStore
from geowhy.training.sources import TrainingSources
from geowhy.training.views import Manifest

__all__ = ["FitData", "ImagePool"]

SOME_PLACES = 24_000  # enough of the gallery to validate on, and to know the land at large
FEWEST_PLACES = 10  # that have a concept, or lack it; fewer say nothing of it


@dataclass(frozen=True, slots=True, eq=False)
class FitData(AlignmentData):
    """Everything that one fit reads; its land is the first SOME_PLACES of the gallery.

    Of each concept, seen or unseen, some training places have it, and some lack it.
    """

    unseen: Vocabulary  # what no image shows
    known_land: Points  # degrees [N, 2] in all cells not held out, for what no image is looked at


class ImagePool:
    """Images, their features, and what the atlas says around them, which is read once an image.

    Takes 4 kB an image in use. All concepts of the vocabulary are grounded.
    """

    def __init__(
        self,
        sources: TrainingSources,
        vocabulary: Vocabulary,
        centres: Points,
        features: FeatureStore,
        device: str,
    ) -> None:
        """Images with ``centres`` in degrees ``[N, 2]``; places go to ``device``."""
        self.config = config = sources.config
        self.vocabulary = vocabulary
        self.features = features
        self.sources = sources
        self.device = device
        self._atlas = Atlas.load()
        gallery = config.gallery
        land = uniform_on_land(self._atlas, gallery.size, np.random.default_rng(gallery.seed))
        self._centres = np.concatenate([centres, land])
        self._gallery = np.arange(len(centres), len(self._centres))
        looks_around = config.location.surroundings
        around = SURROUNDINGS_SIZE if looks_around else 0
        # Pages of rows that no fit asks for are never touched.
        self._surroundings = np.empty((len(self._centres), around), np.float32)
        self._is_read = np.full(len(self._centres), not looks_around)

    def fit_data(self, manifest: Manifest) -> FitData:
        """What a fit reads under the splits of a manifest of these images.

        Raises:
            DataError: if the training images show too little to tell a single concept.
            ConfigError: if they are fewer than the components that are asked for.
        """
        rows, held_out = manifest.rows("train"), manifest.rows("validation")
        alignment = self.config.alignment
        read = self.features.read(rows)
        if alignment.init == "geoclip":
            whitening = standardising(read)
        elif alignment.whitened <= len(read):
            whitening = fit_whitening(read, alignment.whitened, self.sources.layout_grid)
        else:
            raise ConfigError(
                f"alignment.whitened is {alignment.whitened}, but {len(read):,} training images "
                "have no more components than there are of them: lower it"
            )
        known_rows = np.concatenate([rows, manifest.rows("margin")])
        seen, unseen = self._learnable(rows), Vocabulary(())
        if not self.config.photos:  # which show everything, and views what is seen from above
            seen, unseen = seen.seen, self._learnable(known_rows).unseen
        if not seen.concepts:
            raise DataError(
                f"none of the {len(self.vocabulary.concepts)} concepts holds at {FEWEST_PLACES} of "
                f"the {len(rows):,} training images and is absent from {FEWEST_PLACES}: add images "
                "of other regions"
            )
        known = GroundTruth.fit(self._truth(seen, rows))
        training = self._places(rows, whitening(read), seen, known)
        some = self._gallery[:SOME_PLACES]
        land = self._places(some, np.empty((len(some), 0), np.float32), seen, known)
        if alignment.negatives == "land":
            land = land.with_prior(training, alignment.target_sigma_km)
        validation = None
        if len(held_out):
            images = whitening(self.features.read(held_out))
            validation = self._places(held_out, images, seen, known)
        known_land = self._centres[known_rows]
        return FitData(seen, whitening, training, validation, land, unseen, known_land)

    def gallery(self, model: GeoModel) -> Gallery:
        """The gallery of the configuration, as a model's folder will hold it."""
        around = self._around(self._gallery) if self._surroundings.shape[1] else None
        gallery = Gallery.build(self._centres[self._gallery], model, around)
        return Gallery.from_tensors(gallery.to_tensors(model), model)

    def _learnable(self, rows: Rows) -> Vocabulary:
        """The concepts of which the places of ``rows`` have enough, and lack enough.

        A concept may hold only in cells that are held out, as one of a region can.
        """
        learnable = []
        truth_of_all = self._truth(self.vocabulary, rows).T
        for concept, truth in zip(self.vocabulary.concepts, truth_of_all, strict=True):
            known = truth[~np.isnan(truth)]
            holds = int((known > 0).sum())
            is_shown = min(holds, len(known) - holds) >= FEWEST_PLACES
            if concept.grounding is not None and concept.grounding.kind == "degree":
                is_shown = len(np.unique(known)) > 1
            if is_shown:
                learnable.append(concept.id)
        return self.vocabulary.only(learnable)

    def _places(
        self, rows: Rows, images: Floats32, vocabulary: Vocabulary, known: GroundTruth
    ) -> Places:
        truth = known.standardised(self._truth(vocabulary, rows))
        around = self._around(rows)
        return Places.of(self._centres[rows], around, images, truth, self.device)

    def _truth(self, vocabulary: Vocabulary, rows: Rows) -> Floats32:
        return vocabulary.truth(self._atlas, self._centres[rows])

    def _around(self, rows: Rows) -> Floats32:
        unread = rows[~self._is_read[rows]]
        if len(unread):
            self._surroundings[unread] = read_surroundings(self._centres[unread])
            self._is_read[unread] = True
        return self._surroundings[rows]
