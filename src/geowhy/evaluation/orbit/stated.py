"""Whether the concepts that are stated of pictures from above hold where these were taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from geowhy.concepts.vocabulary import Vocabulary
from geowhy.evaluation.estimates import Estimate, block_mean
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.pose import Poses
from geowhy.orbit.footprint_facts import FootprintReader

__all__ = ["FIRST", "StatedTruth"]

FIRST = 5  # concepts that count


@dataclass(frozen=True, slots=True)
class StatedTruth:
    """Share of the first five stated concepts that hold in the true footprint, and comparisons."""

    pictures: int
    stated: Estimate
    most_frequent: Estimate  # of the five that hold most often in all these footprints
    count: float  # how many of the first five are stated
    silent: float  # share of the pictures of which none is

    @classmethod
    def of(cls, stated: Sequence[Sequence[str]], truth: Poses, concepts: Sequence[str]) -> Self:
        """Holds what is stated of N square pictures to the truth.

        Args:
            stated: names of concepts, the first of each picture.
            truth: the N poses.
            concepts: ids of all that could have been stated.
        """
        vocabulary = Vocabulary.load(compared=False).only(concepts)
        reader = FootprintReader(vocabulary)
        holds = reader.holds(reader.read(truth))
        numbers = {concept.name: column for column, concept in enumerate(vocabulary.concepts)}
        known = np.maximum(np.isfinite(holds).sum(axis=0), 1)
        often = np.nansum(holds, axis=0) / known
        usual = np.argsort(-often, kind="stable")[:FIRST]
        shares = np.full((2, len(holds)), np.nan)
        for number, (names, here) in enumerate(zip(stated, holds, strict=True)):
            columns = np.array([numbers[name] for name in names[:FIRST]], np.intp)
            for share, chosen in zip(shares[:, number : number + 1], (columns, usual), strict=True):
                if np.isfinite(here[chosen]).any():
                    share[:] = np.nanmean(here[chosen])
        counts = np.array([min(len(names), FIRST) for names in stated])
        blocks = ten_degree_cell(truth.lat_lon)
        return cls(
            len(holds),
            block_mean(shares[0], blocks),
            block_mean(shares[1], blocks),
            float(counts.mean()),
            float((counts == 0).mean()),
        )
