"""Held-out views with the model's answers, on which explanations are tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Floats64, Ints64, Pixels
from geowhy.engine import Decoded
from geowhy.evaluation.protocol import open_views
from geowhy.geo.cells import ten_degree_cell
from geowhy.locator import Locator
from geowhy.training.config import TrainingConfig

__all__ = ["AnsweredViews"]


AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class AnsweredViews:
    """N views from a split.

    Attributes:
        centres: where they are, degrees ``[N, 2]``.
        pixels: ``[N, H, W, 3]``.
        answers: of the model.
    """

    centres: Floats64
    pixels: Pixels
    answers: tuple[Decoded, ...]

    @classmethod
    def draw(
        cls, locator: Locator, config: TrainingConfig, split: str, count: int, seed: int
    ) -> AnsweredViews:
        """Draws views from a split, cuts them anew and locates them."""
        from geowhy.images.overhead import cut_views

        manifest, world = open_views(config)
        rows = manifest.rows(split)
        chosen = np.random.default_rng(seed).permutation(rows)[:count]
        centres = manifest.centres[chosen]
        pixels = cut_views(world, centres, manifest.km_per_pixel, manifest.size)
        answers: list[Decoded] = []
        for start in range(0, len(pixels), AT_ONCE):
            answers += locator.engine.decode(list(pixels[start : start + AT_ONCE]))
        return cls(centres, pixels, tuple(answers))

    @property
    def blocks(self) -> Ints64:
        """The 10-degree block of each, ``[N]``."""
        return ten_degree_cell(self.centres)

    def first(self, count: int) -> AnsweredViews:
        """The first ``count`` of them."""
        return AnsweredViews(self.centres[:count], self.pixels[:count], self.answers[:count])
