"""Fits what a laid picture is worth, when an answer is verified, and how far radii reach.

On pictures of worlds that the network wasn't trained on, and on pictures that lie nowhere: mirrored
ones look like the Earth in every detail, and no such coast exists.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from geowhy.arrays import Bools, Floats32, Floats64, Ints
from geowhy.orbit.verdict import Verdict

__all__ = ["LaidPictures", "fit_verdict", "sure_from"]

RIDGE = 1e-3  # of the weights, for each picture: features say much the same
ROUNDS = 200
FIRST_SCALE = 20.0
NOWHERE = -1


@dataclass(frozen=True, slots=True, eq=False)
class LaidPictures:
    """N pictures that were laid on the map at K places each."""

    features: Floats32  # of each laying, [N, K, f]
    likeness: Floats32  # inner products of descriptions, [N, K]
    tried: Bools  # what is no padding, [N, K]
    right: Ints  # which of the K is right, or -1, [N]

    def rows(self, chosen: Bools) -> LaidPictures:
        """Those that are chosen ``[N]``."""
        return LaidPictures(
            self.features[chosen], self.likeness[chosen], self.tried[chosen], self.right[chosen]
        )


def fit_verdict(pictures: LaidPictures) -> tuple[Verdict, float]:
    """The verdict, and nats of a whole likeness, under which the truth is most probable."""
    known = pictures.features[pictures.tried]
    centre, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    features = torch.tensor((pictures.features - centre) / spread, dtype=torch.float64)
    likeness = torch.tensor(pictures.likeness, dtype=torch.float64)
    padding = torch.tensor(~pictures.tried)
    # The outside option comes last, where -1 points to as well.
    right = torch.tensor(np.where(pictures.right == NOWHERE, likeness.shape[1], pictures.right))
    weights = torch.zeros(features.shape[2], dtype=torch.float64, requires_grad=True)
    others = torch.tensor([FIRST_SCALE, FIRST_SCALE], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, others], max_iter=ROUNDS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        nats = features @ weights + others[0] * likeness
        nats = nats.masked_fill(padding, -torch.inf)
        elsewhere = others[1].expand(len(nats), 1)
        total = nn.functional.cross_entropy(torch.cat([nats, elsewhere], dim=1), right)
        total = total + RIDGE * weights.square().sum()
        total.backward()
        return total

    optimiser.step(loss)
    scale, elsewhere = others.tolist()
    verdict = Verdict(
        centre.astype(np.float32),
        spread.astype(np.float32),
        weights.detach().numpy().astype(np.float32),
        np.array([elsewhere], np.float32),
    )
    return verdict, scale


def sure_from(probability: Floats64, is_right: Bools, precision: float) -> float:
    """From which probability on ``precision`` of the answers are right, from those of N answers.

    The least such one that holds for all higher thresholds with at least as many answers; 1 if
    there is none. Probabilities and whether answers are right are ``[N]``.
    """
    order = np.argsort(-probability)
    share = np.cumsum(is_right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(share >= precision)
    return float(probability[order[enough[-1]]]) if len(enough) else 1.0
