"""Pictures that a frozen network looked at once, and what the atlas says of their ground."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from geowhy.arrays import Bools, Floats32, Floats64, Points, Selection
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import DataError
from geowhy.geo.cells import ten_degree_cell
from geowhy.orbit.footprint_facts import POINTS, FootprintFacts, FootprintReader
from geowhy.training.features import Progress
from geowhy.training.orbit.cutting import PoseBatch, ground_grid

__all__ = ["Queries", "cut_queries", "learnable_facts"]

AT_ONCE = 256  # queries that are cut, or looked up
CELLS = 18 * 36  # of 10 degrees
FEWEST = 30  # training footprints that have a concept, or lack it; fewer say nothing of it


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """N pictures as the network sees them, and where they are."""

    pooled: Floats32  # what it pooled [N, f]
    lat_lon: Points  # centres, degrees [N, 2]
    points: Floats64  # all over each footprint, degrees [N, P, 2]

    def __len__(self) -> int:
        return len(self.pooled)

    def __getitem__(self, rows: Selection) -> Queries:
        """Some of them, by their rows ``[M]``."""
        return Queries(self.pooled[rows], self.lat_lon[rows], self.points[rows])

    def in_cells(self, share: float, seed: int) -> Bools:
        """Which of them lie in that share of the cells of 10 degrees, ``[N]``."""
        chosen = np.random.default_rng(seed).permutation(CELLS) < share * CELLS
        return np.asarray(chosen[ten_degree_cell(self.lat_lon)])


@torch.no_grad()
def cut_queries(
    count: int,
    poses: Callable[[int], PoseBatch],
    pictures: Callable[[PoseBatch], Tensor],
    pooled: Callable[[Tensor], Tensor],
    on_progress: Progress,
) -> Queries:
    """Cuts queries, and keeps what a network pools of them.

    Args:
        count: how many.
        poses: draws so many.
        pictures: cuts pictures ``[n, 3, side, side]`` of poses.
        pooled: what the network makes of them ``[n, parts, c]``.
        on_progress: is told how many are done, and of how many.
    """
    features, centres, points = list[Tensor](), list[Tensor](), list[Tensor]()
    for start in range(0, count, AT_ONCE):
        some = poses(min(AT_ONCE, count - start))
        features.append(pooled(pictures(some)).flatten(1).cpu())
        centres.append(some.lat_lon.rad2deg().cpu())
        points.append(torch.stack(ground_grid(some, POINTS), dim=-1).flatten(1, 2).rad2deg().cpu())
        on_progress(start + len(some.width_km), count)
    return Queries(
        torch.cat(features).float().numpy(),
        torch.cat(centres).double().numpy(),
        torch.cat(points).double().numpy(),
    )


def learnable_facts(
    vocabulary: Vocabulary, queries: Queries, training: Bools
) -> tuple[FootprintReader, FootprintFacts]:
    """The concepts that some footprints have and some lack, and the facts of N queries by them.

    Only those for ``training`` ``[N]`` count.

    Raises:
        DataError: if there is no such concept.
    """
    reader = FootprintReader(vocabulary)
    parts = np.array_split(queries.points, max(1, len(queries) // AT_ONCE))
    read = [reader.at(points) for points in parts]
    truth = np.concatenate([facts.truth for facts in read])
    ground = np.concatenate([facts.ground for facts in read])
    holds = reader.holds(FootprintFacts(truth, ground))[training]
    rarer = np.minimum((holds == 1).sum(axis=0), (holds == 0).sum(axis=0))
    columns = np.flatnonzero(rarer >= FEWEST)
    if not len(columns):
        raise DataError(
            f"none of {holds.shape[1]} concepts holds in {FEWEST} of {len(holds)} training "
            f"footprints and is absent from {FEWEST}: cut more queries (concepts.queries)"
        )
    learnt = Vocabulary(tuple(vocabulary.concepts[column] for column in columns))
    return FootprintReader(learnt), FootprintFacts(truth[:, columns], ground)
