"""Held-out views with the model's answers, on which explanations are tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Ints64, Pixels, Points
from geowhy.engine import Decoded
from geowhy.evaluation.protocol import open_views, views_at
from geowhy.geo.cells import ten_degree_cell
from geowhy.locator import Locator
from geowhy.training.config import TrainingConfig

__all__ = ["AnsweredViews"]


@dataclass(frozen=True, slots=True, eq=False)
class AnsweredViews:
    """N test views."""

    centres: Points  # where they are, degrees [N, 2]
    pixels: Pixels  # [N, H, W, 3]
    answers: tuple[Decoded, ...]  # of the model

    @classmethod
    def draw(cls, locator: Locator, config: TrainingConfig, count: int, seed: int) -> AnsweredViews:
        """Draws test views, cuts them anew and locates them."""
        manifest, _ = open_views(config)
        chosen = np.random.default_rng(seed).permutation(manifest.rows("test"))[:count]
        centres = manifest.centres[chosen]
        pixels = list(views_at(config, centres))
        answers = [answer for some in pixels for answer in locator.engine.decode(list(some))]
        return cls(centres, np.concatenate(pixels), tuple(answers))

    @property
    def blocks(self) -> Ints64:
        """The 10-degree block of each, ``[N]``."""
        return ten_degree_cell(self.centres)

    def first(self, count: int) -> AnsweredViews:
        """The first ``count`` of them."""
        return AnsweredViews(self.centres[:count], self.pixels[:count], self.answers[:count])
