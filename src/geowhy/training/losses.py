"""The losses of the concept-aware alignment: arXiv 2509.01910, eq. 4 to 7."""

from __future__ import annotations

import torch
from torch import Tensor

from geowhy.geo.sphere import EARTH_RADIUS_KM

__all__ = [
    "cauchy_schwarz_divergence", "contrastive_loss", "grounding_loss", "literal_divergence",
    "median_bandwidth", "soft_targets",
]  # fmt: skip

MEDIAN_ROWS = 256  # of each side: 130,000 pairs


def soft_targets(positives: Tensor, places: Tensor, sigma_km: float) -> Tensor:
    """How much each of ``places`` ``[M, 3]`` counts as right for ``positives`` ``[N, 3]``.

    Unit vectors in; rows of ``[N, M]`` that add up to 1: Gaussian in the great-circle distance,
    width ``sigma_km``. With 0 only the nearest place counts, which is plain InfoNCE when the first
    N places are the positives themselves.
    """
    half_chord = ((1 - positives @ places.T) / 2).clamp(0, 1).sqrt()
    distance_km = 2 * EARTH_RADIUS_KM * torch.asin(half_chord)
    if sigma_km == 0:
        nearest = distance_km.argmin(dim=1)
        return torch.nn.functional.one_hot(nearest, len(places)).to(distance_km.dtype)
    return torch.softmax(-((distance_km / sigma_km) ** 2) / 2, dim=1)


def contrastive_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """InfoNCE from images to locations (eq. 4), for soft ``targets``; both ``[N, M]``."""
    return -(targets * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()


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
    return (
        _log_kernel(x, x, sigma).mean()
        + _log_kernel(y, y, sigma).mean()
        - 2 * _log_kernel(x, y, sigma).mean()
    )


def cauchy_schwarz_divergence(x: Tensor, y: Tensor, sigma: Tensor) -> Tensor:
    """Cauchy-Schwarz divergence of two equal batches of concept scores ``[N, k]``; 0 if the same.

    The logarithm stands outside each sum, as in the work that the paper's eq. 6 cites (Yin et al.
    2025), so that whole distributions are compared.
    """
    return (
        torch.logsumexp(_log_kernel(x, x, sigma).flatten(), 0)
        + torch.logsumexp(_log_kernel(y, y, sigma).flatten(), 0)
        - 2 * torch.logsumexp(_log_kernel(x, y, sigma).flatten(), 0)
    )


def _log_kernel(x: Tensor, y: Tensor, sigma: Tensor) -> Tensor:
    """Logarithm of the Gaussian kernel (eq. 5) between all rows, ``[N, M]``."""
    squared = (x**2).sum(1)[:, None] + (y**2).sum(1)[None, :] - 2 * x @ y.T
    return -squared.clamp_min(0) / (2 * sigma**2)
