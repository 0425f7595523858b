"""Whose concepts are measured: a model that was trained here, or GeoCLIP as released."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geowhy.arrays import Floats32, Ints, Points
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import ModelFormatError
from geowhy.evaluation.protocol import training_config, usual_config, views_at
from geowhy.model.alignment import Aligner
from geowhy.model.geomodel import GeoModel
from geowhy.model.store import ModelFolder
from geowhy.model.terms import Encoded
from geowhy.pretrained.catalogue import entry_of
from geowhy.registry import resolve_model

if TYPE_CHECKING:
    from geowhy.training.config import TrainingConfig

__all__ = ["Subject"]


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A model with its concepts."""

    name: str
    config: TrainingConfig  # of its training, or of the places it is asked of
    aligner: Aligner  # its concept basis
    side: Callable[[Points], Encoded]  # degrees [N, 2] to its location side
    model: GeoModel | None  # the whole of it, if it reads views

    @classmethod
    def open(cls, name: str) -> Subject:
        """By the name or folder of a model.

        One that reads no views, such as "geoclip", is asked of those of ``configs/views.toml``.

        Raises:
            ModelNotFoundError: if it isn't installed.
            MissingExtraError: without the extra ``train``.
            ConfigError: if it holds no places out.
        """
        of_places = entry_of(name).of_places
        if of_places is None:
            config = training_config(name)
            model = GeoModel.load(ModelFolder.open(resolve_model(name)))
            return cls(model.name, config, model.aligner, model.location_side, model)
        config, (aligner, encoder) = usual_config(), of_places()
        return cls(name, config, aligner, lambda at: aligner.location_side(encoder.embed(at)), None)

    def learnt(self, vocabulary: Vocabulary) -> Vocabulary:
        """The concepts of a vocabulary that are the model's.

        Raises:
            ModelFormatError: if it isn't the vocabulary that the model was trained with.
        """
        of_places = self.model.place_bank if self.model else None
        banks = [self.aligner.bank, *([of_places] if of_places else [])]
        for bank in banks:
            learnt = vocabulary.only(bank.ids)
            if learnt.digest != bank.vocabulary_digest:
                raise ModelFormatError(
                    f"{self.name}: its concepts are those of the vocabulary "
                    f"{bank.vocabulary_digest[:12]}, but here it is {learnt.digest[:12]} now: "
                    "bring back the vocabulary that it was trained with, or train it anew"
                )
        return vocabulary.only(id for bank in banks for id in bank.ids)

    def location_scores(self, vocabulary: Vocabulary, lat_lon: Points) -> tuple[Floats32, Floats32]:
        """``z_loc`` of all concepts at places ``[N, 2]``, and along untrained directions.

        Both ``[N, k]``. Directions of concepts of places alone are fitted last, and not trained
        any more.
        """
        side = self.side(lat_lon)
        trained = np.empty((len(lat_lon), len(vocabulary.concepts)), np.float32)
        untrained = np.empty_like(trained)
        own = _columns(vocabulary, self.aligner.bank.ids)
        trained[:, own] = self.aligner.concept_scores(side)
        untrained[:, own] = self.aligner.centred(side) @ self.aligner.bank.directions
        if self.model and self.model.places:
            own = _columns(vocabulary, self.model.places.bank.ids)
            trained[:, own] = untrained[:, own] = self.model.places.concept_scores(lat_lon)
        return trained, untrained

    def image_scores(self, vocabulary: Vocabulary, centres: Points) -> Floats32:
        """``z_img`` of all concepts in the views at centres ``[N, 2]``, ``[N, k]``.

        NaN where no view shows the concept, or the model reads none.
        """
        scores = np.full((len(centres), len(vocabulary.concepts)), np.nan, np.float32)
        model = self.model
        if model is not None:
            shown = [
                self.aligner.outputs(model.features(list(pixels)))[1]
                for pixels in views_at(self.config, centres)
            ]
            scores[:, _columns(vocabulary, model.bank.ids)] = np.concatenate(shown)
        return scores


def _columns(vocabulary: Vocabulary, own: tuple[str, ...]) -> Ints:
    """Where concepts are in a vocabulary, by their ids, ``[k]``."""
    ids = [concept.id for concept in vocabulary.concepts]
    return np.array([ids.index(id) for id in own], np.intp)
