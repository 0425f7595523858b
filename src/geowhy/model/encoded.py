"""Images or places, encoded for each of the terms that a score is a sum of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self, TypeVar

import numpy as np

from geowhy.arrays import Floats32, Ints, Selection
from geowhy.assets.memmap import in_parts, is_mapped

__all__ = ["Encoded", "Part"]

_P = TypeVar("_P", bound="Part")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one term keeps of N images or places: arrays ``[N, ...]``, which subclasses name."""

    def arrays(self) -> dict[str, Floats32]:
        """Its arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def rows(self, chosen: Selection) -> Self:
        """Those that are ``chosen``, numbers ``[m]`` or flags ``[N]``."""
        return replace(self, **{name: array[chosen] for name, array in self.arrays().items()})

    def mean(self, rows: Ints, weights: Floats32) -> Self:
        """The weighted mean of some of them, one row; ``weights`` ``[m]`` add up to 1."""
        arrays = self.arrays().items()
        return replace(self, **{name: _mean(array, rows, weights) for name, array in arrays})

    def averaged(self, count: int) -> Self:
        """The means of each ``count`` in a row."""
        arrays = self.arrays().items()
        return replace(
            self,
            **{n: a.reshape(len(a) // count, count, *a.shape[1:]).mean(axis=1) for n, a in arrays},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """N images, or N places, with a part for each term of a model's score.

    Attributes:
        parts: at least one, all with N rows.
    """

    parts: tuple[Part, ...]

    def __len__(self) -> int:
        return len(next(iter(self.parts[0].arrays().values())))

    def part(self, kind: type[_P]) -> _P:
        """The part of a kind.

        Raises:
            TypeError: if there is none: what was encoded belongs to another model.
        """
        for part in self.parts:
            if isinstance(part, kind):
                return part
        has = ", ".join(type(part).__name__ for part in self.parts)
        raise TypeError(f"no {kind.__name__} among {has}: encode with the model that scores")

    def rows(self, chosen: Selection) -> Encoded:
        """Those that are ``chosen``, numbers ``[m]`` or flags ``[N]``."""
        return Encoded(tuple(part.rows(chosen) for part in self.parts))

    def mean(self, rows: Ints, weights: Floats32) -> Encoded:
        """The weighted mean of some of them, one row; ``weights`` ``[m]`` add up to 1."""
        return Encoded(tuple(part.mean(rows, weights) for part in self.parts))

    def average(self) -> Encoded:
        """The mean of all of them, one row."""
        means = (
            replace(part, **{n: a.mean(axis=0, keepdims=True) for n, a in part.arrays().items()})
            for part in self.parts
        )
        return Encoded(tuple(means))

    def averaged(self, count: int) -> Encoded:
        """The means of each ``count`` in a row, such as the crops of one image.

        Where scores are taken of embeddings, they are then the means of the crops' scores.
        """
        if count == 1:
            return self
        return Encoded(tuple(part.averaged(count) for part in self.parts))

    @classmethod
    def joined(cls, pieces: Sequence[Encoded]) -> Encoded:
        """One after the other."""
        joined = []
        for parts in zip(*(piece.parts for piece in pieces), strict=True):
            names = parts[0].arrays()
            arrays = {n: np.concatenate([getattr(part, n) for part in parts]) for n in names}
            joined.append(replace(parts[0], **arrays))
        return cls(tuple(joined))


def _mean(array: Floats32, rows: Ints, weights: Floats32) -> Floats32:
    if not is_mapped(array):
        return np.asarray(weights[None] @ array[rows], np.float32)
    taken = np.concatenate(list(in_parts(array, rows)))
    return np.asarray(weights[None] @ taken, np.float32)
