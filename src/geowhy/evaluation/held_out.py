"""Places that a model was trained on, and places that were held out, with what is true there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geowhy.arrays import Bools, Floats32, Ints, Points
from geowhy.concepts.concept import Concept
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.evaluation.ranking import mean_with_interval, ranking, resampled_weights
from geowhy.evaluation.resampling import Estimate
from geowhy.evaluation.rivals import Features, fitted_directions
from geowhy.geo.atlas import Atlas
from geowhy.geo.cells import ten_degree_cell

if TYPE_CHECKING:
    from geowhy.training.config import TrainingConfig

__all__ = ["HeldOutPlaces"]

FITTED_PLACES = 20_000  # as many as the directions of a bank are fitted on


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutPlaces:
    """Training and held-out places of a model.

    Attributes:
        training: degrees ``[N, 2]``, and ``known``, the truth there ``[N, k]``.
        held_out: degrees ``[M, 2]``, and ``truth`` there ``[M, k]``.
        views: rows of ``held_out`` whose views are the test views.
        is_class: which concepts are classes, ``[k]``.
    """

    training: Points
    known: Floats32
    held_out: Points
    truth: Floats32
    views: Ints
    is_class: Bools

    @classmethod
    def sample(cls, config: TrainingConfig, vocabulary: Vocabulary, atlas: Atlas) -> HeldOutPlaces:
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

    def ranking(self, concept: int, scores: Floats32, rows: Ints | None = None) -> float:
        """How well a column of scores ``[N, k]`` orders held-out places, or ``rows`` ``[N]``."""
        truth = self.truth if rows is None else self.truth[rows]
        return ranking(truth[:, concept], scores[:, concept], not self.is_class[concept])

    def mean(self, scores: Floats32, rows: Ints | None = None) -> Estimate:
        """Mean AUC of the classes, from scores ``[N, k]`` of all places, or of ``rows`` ``[N]``."""
        chosen = slice(None) if rows is None else rows
        weights = resampled_weights(ten_degree_cell(self.held_out[chosen]))
        classes = self.is_class & ~np.isnan(scores).all(axis=0)
        if not classes.any():
            return Estimate(float("nan"), float("nan"), float("nan"))
        return mean_with_interval(self.truth[chosen][:, classes], scores[:, classes], weights)

    def fitted(self, features: Features) -> Floats32:
        """Scores of the held-out places along directions fitted at the training places."""
        return fitted_directions(features, self.training, self.known, self.held_out)

    def protocol(self, config: TrainingConfig) -> str:
        """In words."""
        return (
            f"{len(self.held_out):,} places on land and {len(self.views):,} views in held-out 10° "
            f"cells, split seed {config.split.seed}; rivals fitted on {len(self.training):,} "
            "places of all other cells"
        )


def _is_class(concept: Concept) -> bool:
    return concept.grounding is not None and concept.grounding.kind == "class"
