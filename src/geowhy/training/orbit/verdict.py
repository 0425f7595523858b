"""Fits what a picture that was laid on the map is worth: is the place right, or none of them?"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from geowhy.orbit.terms import NUMBERED_NOWHERE
from geowhy.orbit.verdict import Verdict
from geowhy.training.orbit.laying import NOWHERE, LaidPictures

__all__ = ["fit_verdict"]

RIDGE = 1e-3  # of the weights: features say much the same
ROUNDS = 200
FIRST_WEIGHTS = (20.0, 0.5)  # of a whole likeness, and of the concepts' own nats


def fit_verdict(pictures: LaidPictures) -> tuple[Verdict, float, float]:
    """The verdict, and weights of both likenesses, under which the truth is most probable."""
    laid, right = pictures.laid, pictures.right()
    tried = laid.numbers != NUMBERED_NOWHERE
    known = laid.features[tried]
    centre, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    features = torch.tensor((laid.features - centre) / spread, dtype=torch.float64)
    likeness = torch.tensor(pictures.likeness, dtype=torch.float64)
    padding = torch.tensor(~tried)
    # The outside option comes last, where -1 points to as well.
    target = torch.tensor(np.where(right == NOWHERE, tried.shape[1], right))
    weights = torch.zeros(features.shape[2], dtype=torch.float64, requires_grad=True)
    first = torch.tensor(FIRST_WEIGHTS, dtype=torch.float64).log()
    logs = first.clone().requires_grad_()
    elsewhere = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [weights, logs, elsewhere], max_iter=ROUNDS, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        nats = (features @ weights + likeness @ logs.exp()).masked_fill(padding, -torch.inf)
        outside = elsewhere.expand(len(nats), 1)
        total = functional.cross_entropy(torch.cat([nats, outside], dim=1), target)
        total = total + RIDGE * (weights.square().sum() + (logs - first).square().sum())
        total.backward()
        return total

    optimiser.step(loss)
    verdict = Verdict(
        centre.astype(np.float32),
        spread.astype(np.float32),
        weights.detach().numpy().astype(np.float32),
        elsewhere.detach().numpy().astype(np.float32),
    )
    of_rings, of_concepts = logs.exp().tolist()
    return verdict, of_rings, of_concepts
