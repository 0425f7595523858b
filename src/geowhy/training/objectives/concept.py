"""The concept-aware alignment (arXiv 2509.01910, eq. 4 to 7): they agree by concepts as well."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from geowhy.training.aligner import AlignerSides
from geowhy.training.objectives.contrastive import ContrastiveTask

__all__ = [
    "ConceptTask", "cauchy_schwarz_divergence", "grounding_loss", "literal_divergence",
    "median_bandwidth",
]  # fmt: skip

MEDIAN_ROWS = 256  # of each side: 130,000 pairs


def grounding_loss(scores: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error of concept scores ``[N, k]`` as estimates of the truth ``[N, k]``.

    Ours, not the paper's: it keeps a concept's score tied to what the concept's name says, in
    standard deviations, while the contrastive loss, which sees directions alone, pulls at it.
    """
    return torch.nn.functional.mse_loss(scores, truth)


def median_bandwidth(x: Tensor, y: Tensor) -> Tensor:
    """Width σ of the Gaussian kernel (eq. 5) by the median heuristic, without a gradient.

    The median is that of the first rows of ``[N, k]``; all pairs would take longer than the loss.
    """
    with torch.no_grad():
        both = torch.cat([x[:MEDIAN_ROWS], y[:MEDIAN_ROWS]])
        return torch.pdist(both).median().clamp_min(1e-6)


def literal_divergence(x: Tensor, y: Tensor, sigma: Tensor) -> Tensor:
    """Eq. 6 as printed, for concept scores ``[N, k]``: the mean of log K inside the double sum.

    Since log K is quadratic, this collapses to ``‖mean(x) - mean(y)‖² / σ²``: it sees nothing of
    the two distributions but their means.
    """
    xx, yy, xy = (_log_kernel(*pair, sigma).mean() for pair in ((x, x), (y, y), (x, y)))
    return xx + yy - 2 * xy


def cauchy_schwarz_divergence(x: Tensor, y: Tensor, sigma: Tensor) -> Tensor:
    """Cauchy-Schwarz divergence of two equal batches of concept scores ``[N, k]``; 0 if the same.

    The logarithm stands outside each sum, as in the work that the paper's eq. 6 cites (Yin et al.
    2025), so that whole distributions are compared.
    """
    kernels = (_log_kernel(*pair, sigma).flatten() for pair in ((x, x), (y, y), (x, y)))
    xx, yy, xy = (torch.logsumexp(kernel, 0) for kernel in kernels)
    return xx + yy - 2 * xy


def _log_kernel(x: Tensor, y: Tensor, sigma: Tensor) -> Tensor:
    """Logarithm of the Gaussian kernel (eq. 5) between all rows, ``[N, M]``."""
    squared = (x**2).sum(1)[:, None] + (y**2).sum(1)[None, :] - 2 * x @ y.T
    return -squared.clamp_min(0) / (2 * sigma**2)


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
        grounding = grounding_loss(images.scores, truth) + grounding_loss(places.scores, truth)
        yield "grounding", config.grounding_weight, grounding
