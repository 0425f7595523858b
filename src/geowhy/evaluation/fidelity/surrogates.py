"""LIME and SHAP over concepts: linear models of a model, from what it says with concepts masked.

Ribeiro, Singh and Guestrin 2016; Lundberg and Lee 2017. Either may evaluate the model ``budget``
times. With far fewer evaluations than concepts they are shrunk towards 0 by a ridge.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["lime", "shap"]

Floats = NDArray[np.float64]
Model = Callable[[NDArray[np.float32]], Floats]

RIDGE = 1.0
MASKS_AT_ONCE = 64


def lime(model: Model, concepts: int, budget: int, rng: np.random.Generator) -> Floats:
    """What each concept is worth, ``[k]``: every mask keeps each concept with an even chance.

    Masks count the more the nearer they are to the whole, by an exponential kernel.
    """
    masks = (rng.random((budget, concepts)) < 0.5).astype(np.float32)
    missing = 1.0 - masks.mean(axis=1)
    return _fitted(masks, _asked(model, masks), np.exp(-(missing**2) / 0.25))


def shap(model: Model, concepts: int, budget: int, rng: np.random.Generator) -> Floats:
    """Kernel SHAP, ``[k]``: sizes of masks drawn by Shapley's kernel, each with its opposite."""
    sizes = np.arange(1, concepts)
    chance = 1.0 / (sizes * (concepts - sizes))
    drawn = rng.choice(sizes, budget // 2, p=chance / chance.sum())
    ranks = np.argsort(rng.random((len(drawn), concepts)), axis=1).argsort(axis=1)
    masks = (ranks < drawn[:, None]).astype(np.float32)
    masks = np.concatenate([masks, 1 - masks])
    return _fitted(masks, _asked(model, masks), np.ones(len(masks)))


def _asked(model: Model, masks: NDArray[np.float32]) -> Floats:
    starts = range(0, len(masks), MASKS_AT_ONCE)
    return np.concatenate([model(masks[start : start + MASKS_AT_ONCE]) for start in starts])


def _fitted(masks: NDArray[np.float32], said: Floats, weights: Floats) -> Floats:
    """Weighted ridge regression with an intercept."""
    weights = weights / weights.sum()
    x = masks - weights @ masks
    y = said - weights @ said
    weighted = x * (len(masks) * weights)[:, None]
    return np.asarray(np.linalg.solve(weighted.T @ x + RIDGE * np.eye(x.shape[1]), weighted.T @ y))
