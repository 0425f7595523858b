"""The concept-aware alignment (arXiv 2509.01910, eq. 4 to 7): they agree by concepts as well."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from geowhy.training.aligner import AlignerSides
from geowhy.training.losses import (
    cauchy_schwarz_divergence,
    grounding_loss,
    literal_divergence,
    median_bandwidth,
)
from geowhy.training.objectives.contrastive import ContrastiveTask

__all__ = ["ConceptTask"]

DIVERGENCES = {"literal": literal_divergence, "cauchy_schwarz": cauchy_schwarz_divergence}


class ConceptTask(ContrastiveTask):
    """Adds divergence (eq. 6) and grounding of paired images and places."""

    def paired_losses(
        self, images: AlignerSides, places: AlignerSides, truth: Tensor
    ) -> Iterator[tuple[str, float, Tensor]]:
        """Both, and how much they count, with the truth ``[N, k]``."""
        config = self._config
        sigma = median_bandwidth(images.concepts, places.concepts)
        divergence = DIVERGENCES[config.divergence](images.concepts, places.concepts, sigma)
        yield "divergence", config.divergence_weight, divergence
        grounding = grounding_loss(images.told, truth) + grounding_loss(places.told, truth)
        yield "grounding", config.grounding_weight, grounding
